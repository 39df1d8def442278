//! Looking: views, filter, order, why, help, sizes of the terminal.

use super::{Journey, Props};

#[test]
fn packages_at_80x24() {
    let mut person = Journey::start().opened();
    person.press("Down Down Down k Up Up d End");
    insta::assert_snapshot!(person.picture());
}

#[test]
fn files_at_80x24() {
    let mut person = Journey::start().opened();
    person.press("Tab Down Down Down Right Right");
    insta::assert_snapshot!(person.picture());
}

#[test]
fn help_comes_from_the_table() {
    let mut person = Journey::start_with(Props::default(), (100, 72)).opened();
    person.press("?");
    insta::assert_snapshot!(person.picture());
    person.press("Esc").miss("Answers");
}

#[test]
fn help_can_be_scrolled_where_it_does_not_fit() {
    let mut person = Journey::start().opened();
    person
        .press("?")
        .see("Keeps the selected thing")
        .miss("marked drop");
    person
        .press("End")
        .see("marked drop")
        .press("Enter")
        .see("[Packages");
}

#[test]
fn a_wide_terminal_shows_the_reasons_beside_the_list() {
    let mut person = Journey::start_with(Props::default(), (160, 30)).opened();
    person.press("/").write("numpy").press("Enter k Esc Up");
    insta::assert_snapshot!(person.picture());
    person.press("w").miss("Why libblas3");
}

#[test]
fn why_shows_the_chain_to_the_mark() {
    let mut person = Journey::start().opened();
    person
        .press("/")
        .write("numpy")
        .press("Enter k Esc Up Enter");
    person
        .see("Why libblas3")
        .see("1. libblas3 stays: numpy")
        .see("2. numpy stays whole: package numpy is marked keep");
    person.press("w").miss("Why libblas3");
}

#[test]
fn a_tiny_terminal_has_its_own_view() {
    let mut person = Journey::start_with(Props::default(), (30, 8)).opened_small();
    person.press("Down k");
    insta::assert_snapshot!(person.picture());
    for (columns, rows) in [(1, 1), (5, 2), (20, 3), (59, 15), (300, 4), (80, 24)] {
        person.resize(columns, rows);
        for keys in ["r", "?", "s", "/", "l"] {
            person.press(keys).press("Esc");
        }
    }
    person.see("[Packages");
}

#[test]
fn hostile_names_are_shown_escaped() {
    let mut person = Journey::start_with(Props::default(), (160, 30)).opened();
    person.press("Tab /").write("evil").press("Enter End");
    person
        .see("\\x1b]0;owned\\x07evil\\x0a")
        .press("d")
        .see("Why /home/ada/\\x1b]0;owned");
    assert!(!person.picture().contains('\u{1b}'));
}

#[test]
fn a_filter_that_nothing_passes_says_so() {
    let mut person = Journey::start().opened();
    person
        .press("/")
        .write("nosuch")
        .see("no package passes the filter");
    person.press("Enter k w l d Esc").see("numpy");
}

#[test]
fn lists_are_ordered_by_size() {
    let mut person = Journey::start().opened();
    person.press("o").see("installed↓");
    let picture = person.picture();
    let first = picture.lines().nth(4).expect("a first row");
    assert!(first.contains("gcc"), "{first}");
}

#[test]
fn right_and_p_go_between_a_package_and_its_files() {
    let mut person = Journey::start().opened();
    person.press("/").write("blas").press("Enter Right");
    person
        .see("[Files")
        .see("libblas.so.3")
        .press("p")
        .see("[Packages")
        .see("filter: blas");
}

#[test]
fn why_shows_what_would_bring_back_what_goes() {
    let mut person = Journey::start_with(Props::default(), (160, 30)).opened();
    person.press("/").write("libblas3").press("Enter");
    person.wait_for("to bring it back: keep package libblas3 trimmed, 5 MB more");
    person.see("to bring it back: keep package numpy trimmed, 30 MB more");
    person.press("k").miss("to bring it back");
}
