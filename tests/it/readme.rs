//! What the README says of keys, rules and commands is what the program says.

use crate::command::run;
use guestslim::export::BESIDE;
use guestslim::export::OutputFormat;
use guestslim::plan::RULES;
use guestslim::tui::actions;
use std::fs;

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README")
}

#[test]
fn keys_formats_and_rules_are_those_of_the_tables() {
    let readme = readme();
    let keys = actions::markdown();
    assert!(
        readme.contains(&keys),
        "the README lacks this table:\n{keys}"
    );
    for format in OutputFormat::ALL
        .iter()
        .filter(|format| !format.is_archive())
    {
        let row = format!("\n| `{}` | ", format.name());
        assert!(readme.contains(&row), "the README lacks {}", format.name());
    }
    for rule in RULES {
        let default = if rule.is_default { "on" } else { "off" };
        let row = format!("| `{}` | {default} | {} |\n", rule.id, rule.heading);
        assert!(readme.contains(&row), "the README lacks this row:\n{row}");
    }
}

#[test]
fn what_lies_beside_an_output_is_that_of_the_table() {
    let readme = readme();
    for file in BESIDE {
        let row = format!("| `OUT{}` | {} |\n", file.ending, file.heading);
        assert!(readme.contains(&row), "the README lacks this row:\n{row}");
    }
}

#[test]
fn every_command_is_in_the_readme() {
    let help = run(&["--help"]).out;
    let commands = help
        .split("Commands:\n")
        .nth(1)
        .expect("a list of commands");
    let readme = readme();
    for line in commands.lines().take_while(|line| !line.trim().is_empty()) {
        let name = line.split_whitespace().next().expect("a name");
        let used = format!("guestslim {name}");
        assert!(
            name == "help" || line.starts_with("   ") || readme.contains(&used),
            "{used}"
        );
    }
}
