//! Marks: what they do to the verdicts, the gauge, and how they are taken back.

use super::Journey;

fn on_numpy() -> Journey {
    let mut person = Journey::start().opened();
    person.press("/").write("numpy").press("Enter");
    person
}

#[test]
fn a_kept_package_stays_and_so_does_what_it_needs() {
    let mut person = on_numpy();
    assert!(person.row("numpy  ").contains("dropped"));
    person.press("k");
    assert!(person.row("numpy  ").starts_with("*+ + numpy"));
    person.see("keep whole numpy, 30 MB more").press("Esc");
    assert!(person.row("   ~ libblas3").contains("for numpy"));
}

#[test]
fn the_keep_key_goes_through_the_levels() {
    let mut person = on_numpy();
    for sign in ["*+ +", "*~ ~", "*: :", "*o o", "*+ +"] {
        person.press("k");
        let line = person.row(" numpy  ");
        assert!(line.starts_with(sign), "{line}");
    }
}

#[test]
fn a_drop_mark_on_what_is_needed_says_that_it_stays() {
    let mut person = Journey::start().opened();
    person.press("/").write("base").press("Enter d");
    person.see("it stays all the same (boot: the shell that init starts)");
    assert!(person.row("base  ").starts_with("*- ~"));
    person
        .see("findings 3")
        .press("f")
        .see("! package base is marked drop");
}

#[test]
fn the_gauge_follows_and_undo_takes_back() {
    let mut person = on_numpy();
    let before = person.line(" compressed");
    person.press("k");
    let after = person.line(" compressed");
    assert_ne!(before, after);
    person.press("u").see("undo, 30 MB less");
    assert_eq!(person.line(" compressed"), before);
    person.press("Ctrl-R");
    assert_eq!(person.line(" compressed"), after);
    person.press("u u").miss("undo, ");
}

#[test]
fn space_flips_and_backspace_unmarks() {
    let mut person = on_numpy();
    person.press("Space");
    assert!(person.row("numpy  ").starts_with("*+ +"));
    person
        .press("Space")
        .see("no mark on package numpy any more");
    assert!(person.row("   - numpy").contains("dropped"));
    person.press("k Backspace");
    assert!(person.row("   - numpy").contains("not needed"));
}

#[test]
fn a_file_that_nobody_owns_can_be_dropped() {
    let mut person = Journey::start().opened();
    person.press("Tab /").write("data.csv").press("Enter End d");
    assert!(
        person.row("data.csv  ").starts_with("*- -"),
        "{}",
        person.picture()
    );
    person.see("drop /home/ada/data.csv, 9 MB less");
}

#[test]
fn the_level_is_chosen_by_its_price() {
    let mut person = on_numpy();
    person
        .press("l")
        .see("Level of numpy")
        .wait_for("projected size");
    person.press("g Enter");
    assert!(person.row("numpy  ").starts_with("*+ +"));
}

#[test]
fn rules_are_switched_and_say_what_they_save() {
    let mut person = Journey::start().opened();
    person
        .press("r")
        .see("[x] documentation")
        .wait_for("saves 300 kB");
    person
        .press("Down Space")
        .see("[ ] documentation")
        .wait_for("would save 300 kB");
    person
        .press("u")
        .see("[x] documentation")
        .press("Esc")
        .miss("documentation");
}

#[test]
fn the_initramfs_is_made_anew_only_when_somebody_asks() {
    let mut person = Journey::start().opened();
    person.press("r End").see("[ ] initramfs");
    person.press("Space").see("[x] initramfs").press("u");
    person.see("[ ] initramfs");
}

#[test]
fn marks_are_listed_and_can_be_taken_away_there() {
    let mut person = on_numpy();
    person
        .press("k m")
        .see("keep whole package numpy (selects 1)");
    person.press("Backspace").see("There are no marks");
}

#[test]
fn suggestions_are_weighed_accepted_and_taken_back() {
    let mut person = on_numpy();
    person.press("k c").wait_for("hollow libblas3");
    insta::assert_snapshot!(person.picture());
    let before = person.line("Suggestions: ");
    person
        .press("Enter")
        .see("accepted: hollow libblas3, 5 MB less");
    person.wait_for("Nothing is left that could go.");
    assert_ne!(person.line("Suggestions: "), before);
    person.press("u").wait_for("ask ");
    assert_eq!(person.line("Suggestions: "), before);
    person.press("Esc").miss("Suggestions");
}

#[test]
fn a_whole_risk_class_is_accepted_with_one_key_and_taken_back_with_one() {
    let mut person = on_numpy();
    person.press("k c").wait_for("hollow libblas3").press("a");
    person.see("accepted: all that is ask, 5 MB less");
    person.wait_for("Nothing is left").press("Esc Esc");
    assert!(person.row("libblas3").contains("hollowed     suggestion"));
    person.press("r").see("[x] test-suites").press("u");
    person.see("[ ] test-suites").press("Esc");
    assert!(person.row("   ~ libblas3").contains("for numpy"));
}

#[test]
fn a_module_is_named_completed_priced_and_kept() {
    let mut person = Journey::start().opened();
    person.press("n").see("Keep a module");
    person
        .see("python:numpy.core")
        .see("keep needed only: type more of the name");
    person.write("n").press("Tab");
    person.see("│ python:numpy. ").write("x");
    person
        .see("nothing in this guest has this name")
        .press("Enter")
        .see("Keep a module");
    person.press("Backspace").write("l").press("Tab");
    person.see("keep needed only: 1 module, 5 MB more");
    insta::assert_snapshot!(person.picture());
    person.press("Down").see("keep trimmed: 1 module, ");
    person
        .press("Enter")
        .see("keep trimmed module python:numpy.linalg, ");
    person
        .press("m")
        .see("keep trimmed module python:numpy.linalg");
    person.press("Esc u").see("undo, ");
}

#[test]
fn a_module_that_was_named_can_be_forgotten() {
    let mut person = Journey::start().opened();
    person.press("n").write("numpy.linalg").press("Esc");
    person
        .miss("Keep a module")
        .press("m")
        .see("There are no marks");
}
