//! What README and manual say of keys, rules, formats and commands is what the program says.

use crate::command::run;
use guestslim::cli::manual::TOPICS;
use guestslim::export::{BESIDE, Compression, OutputFormat, Way};
use guestslim::fault::Explain as _;
use guestslim::finders::FINDERS;
use guestslim::finders::boot::FEATURES;
use guestslim::model::component::LANGUAGES;
use guestslim::plan::hardware::HYPERVISORS;
use guestslim::plan::suggest::KINDS;
use guestslim::plan::{Level, RULES, Risk};
use guestslim::profile::Profile;
use guestslim::tui::actions;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A longer README is not read.
const README_WORDS: usize = 1_400;

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn topic(name: &str) -> &'static str {
    let found = TOPICS.iter().find(|topic| topic.name == name);
    found.unwrap_or_else(|| panic!("no topic {name}")).markdown
}

/// Asserts that a topic has this text, and says what to write otherwise.
fn holds(name: &str, text: &str) {
    let is_there = topic(name).contains(text);
    assert!(is_there, "write into assets/manual/{name}.md:\n{text}");
}

#[test]
fn keys_rules_and_finders_are_those_of_the_tables() {
    holds("keys", actions::markdown().trim_end());
    for rule in RULES {
        let default = if rule.is_default { "on" } else { "off" };
        holds(
            "rules",
            &format!("| `{}` | {default} | {} |\n", rule.id, rule.heading),
        );
    }
    for finder in FINDERS {
        holds(
            "finders",
            &format!("| `{}` | {} |\n", finder.id, finder.reads),
        );
    }
}

#[test]
fn formats_ways_and_files_beside_an_output_are_those_of_the_tables() {
    for format in OutputFormat::ALL {
        holds("formats", &format!("\n| `{}` | ", format.name()));
    }
    for compression in Compression::ALL {
        holds("formats", &format!("`{}`", compression.name()));
    }
    for way in Way::ALL {
        holds("ways", &format!("\n| `{}` | ", way.name()));
    }
    for file in BESIDE {
        holds(
            "report",
            &format!("| `OUT{}` | {} |\n", file.ending, file.heading),
        );
    }
}

#[test]
fn the_words_of_a_profile_are_those_of_the_tables() {
    for level in [
        Level::Whole,
        Level::Trimmed,
        Level::NeededOnly,
        Level::Hollowed,
    ] {
        let word = level.word().replace(' ', "_");
        holds("concepts", &format!("\n| `{word}` | "));
    }
    for risk in Risk::ALL {
        holds(
            "concepts",
            &format!("| `{}` | {} |\n", risk.word(), risk.meaning()),
        );
    }
    for kind in KINDS {
        holds(
            "concepts",
            &format!("| `{}` | {} |\n", kind.id, kind.heading),
        );
    }
    for host in HYPERVISORS {
        holds("profile", &format!("| `{}` | {} |\n", host.id, host.doc));
    }
    for feature in FEATURES {
        holds(
            "selectors",
            &format!("| `{}` | {} |\n", feature.id, feature.doc),
        );
    }
    for language in LANGUAGES {
        holds("selectors", &format!("`{language}`"));
    }
}

/// The fields and words that the reader of profiles names when it meets an unknown one.
fn words_after(profile: &str) -> Vec<String> {
    let error = Profile::parse(profile).expect_err("an unknown word");
    let hint = error.hint().expect("a hint").into_owned();
    let list = hint.split_once(": ").expect("a list").1;
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_field_and_selector_of_a_profile_is_in_the_manual() {
    let fields = words_after("(version: 1, name: \"x\", zzzzzzzzzz: 1)");
    assert!(fields.len() > 10, "{fields:?}");
    for field in fields {
        holds("profile", &format!("\n| `{field}` | "));
    }
    let selectors = words_after("(version: 1, name: \"x\", marks: [keep(zzzzzzzzzz(\"x\"))])");
    assert!(selectors.len() > 3, "{selectors:?}");
    for selector in selectors {
        holds("selectors", &format!("\n| `{selector}(\""));
    }
}

#[test]
fn help_lists_every_topic_and_every_command() {
    let help = run(&["help"]);
    assert_eq!(help.code, 0, "{}", help.err);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/manual");
    let files = fs::read_dir(folder).expect("the manual");
    let files: BTreeSet<String> = files
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    let topics = TOPICS.iter().map(|topic| format!("{}.md", topic.name));
    assert_eq!(files, topics.collect::<BTreeSet<_>>());
    for topic in TOPICS {
        assert!(
            help.out.contains(&format!("\n  {} ", topic.name)),
            "{}",
            help.out
        );
        let printed = run(&["help", topic.name]);
        let title = topic.markdown.lines().next().expect("a title");
        let title = title.trim_start_matches("# ").to_uppercase();
        assert!(printed.out.starts_with(&title), "{}", printed.out);
    }
    for command in commands() {
        assert!(
            help.out.contains(&format!("\n  {command} ")),
            "{}",
            help.out
        );
        let printed = run(&["help", &command]).out;
        assert!(
            printed.contains(&format!("guestslim {command}")),
            "{printed}"
        );
    }
    let nested = run(&["help", "profile", "check"]).out;
    assert!(
        nested.contains("Usage: guestslim profile check"),
        "{nested}"
    );
}

#[test]
fn an_unknown_topic_names_the_nearest() {
    let near = run(&["help", "ruls"]);
    assert_eq!(near.code, 2);
    assert_eq!(
        near.err,
        "error: there is no topic or command \"ruls\"\nhint: did you mean `guestslim help rules`?\n"
    );
    let far = run(&["help", "\u{1b}[2Jzzzz"]);
    assert_eq!(far.code, 2);
    assert!(
        far.err.contains("`guestslim help` lists all"),
        "{}",
        far.err
    );
    assert!(!far.err.contains('\u{1b}'), "{}", far.err);
}

#[test]
fn every_command_and_topic_has_a_man_page_that_groff_accepts() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("man");
    let made = run(&["man", pages.to_str().expect("a plain path")]);
    assert_eq!(made.code, 0, "{}", made.err);
    let page = |name: &str| pages.join(name);
    assert!(page("guestslim.1").is_file());
    for command in commands() {
        assert!(
            page(&format!("guestslim-{command}.1")).is_file(),
            "{command}"
        );
    }
    for topic in TOPICS {
        let path = page(&format!("guestslim-{}.7", topic.name));
        assert!(path.is_file(), "{}", topic.name);
        // groff is not everywhere; the unit tests hold what it must not misread.
        let groff = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww"])
            .arg(&path)
            .output();
        match groff {
            Ok(told) => assert!(
                told.stderr.is_empty(),
                "{}",
                String::from_utf8_lossy(&told.stderr)
            ),
            Err(_) => eprintln!("not checked: {} (groff is not installed)", path.display()),
        }
    }
}

/// The names of all commands.
fn commands() -> Vec<String> {
    let help = run(&["--help"]).out;
    let list = help
        .split("Commands:\n")
        .nth(1)
        .expect("a list of commands");
    let lines = list.lines().take_while(|line| !line.trim().is_empty());
    lines
        .filter(|line| !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().expect("a name").to_owned())
        .collect()
}

#[test]
fn the_readme_names_every_command_and_stays_short() {
    let readme = file("README.md");
    for command in commands() {
        assert!(
            readme.contains(&format!("guestslim {command}")),
            "{command}"
        );
    }
    let words = readme.split_whitespace().count();
    assert!(words <= README_WORDS, "{words} words");
}

#[test]
fn what_the_documents_link_to_exists() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = vec![("README.md", file("README.md"))];
    texts.push(("src/ARCHITECTURE.md", file("src/ARCHITECTURE.md")));
    for (name, text) in texts {
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let path = top
                .join(name)
                .with_file_name(link.split('#').next().expect("a path"));
            assert!(path.exists(), "{name} links to {link}");
        }
    }
}
