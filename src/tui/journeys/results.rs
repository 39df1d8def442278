//! Saving, exporting, leaving.

use super::{Gate, Journey, Props};
use crate::plan::{Level, Selector, Wish};
use std::path::PathBuf;

fn with_mark(props: Props) -> Journey {
    let mut person = Journey::start_with(props, (80, 24)).opened();
    person.press("/").write("numpy").press("Enter k Esc");
    person
}

#[test]
fn leaving_without_marks_asks_nothing() {
    let mut person = Journey::start().opened();
    person.press("q");
    assert_eq!(person.exit_code(), 0);
}

#[test]
fn leaving_with_marks_asks_and_can_save_first() {
    let mut person = with_mark(Props::default());
    person
        .press("q")
        .see("Quit without saving?")
        .press("n")
        .see("[Packages");
    person
        .press("q s")
        .see("Save the profile as")
        .see("demo.ron")
        .press("Enter");
    assert!(matches!(
        person.wait_for_end(),
        crate::tui::app::Ending::Code(0)
    ));
    let saved = person.props.saved.lock().expect("nobody panicked");
    let (path, intent) = saved.first().expect("it was saved");
    assert_eq!(path, &PathBuf::from("demo.ron"));
    assert_eq!(intent.marks[0].selector, Selector::Package("numpy".into()));
    assert_eq!(intent.marks[0].wish, Wish::Keep(Level::Whole));
}

#[test]
fn a_saved_profile_lets_one_leave() {
    let mut person = with_mark(Props::default());
    person
        .press("s Ctrl-U")
        .write("node.ron")
        .press("Enter")
        .wait_for("saved as node.ron");
    person.press("q");
    assert_eq!(person.exit_code(), 0);
}

#[test]
fn a_file_that_exists_is_replaced_only_after_a_yes() {
    let props = Props {
        existing: vec!["demo.ron".into()],
        ..Props::default()
    };
    let mut person = with_mark(props);
    person
        .press("s Enter")
        .wait_for("demo.ron exists. Replace it?")
        .press("n");
    assert!(
        person
            .props
            .saved
            .lock()
            .expect("nobody panicked")
            .is_empty()
    );
    person
        .press("s Enter")
        .wait_for("Replace it?")
        .press("y")
        .wait_for("saved as demo.ron");
    person.press("s Enter").wait_for("saved as demo.ron");
}

#[test]
fn an_export_says_what_it_would_do_and_then_what_it_did() {
    let mut person = with_mark(Props::default());
    person
        .press("x")
        .see("demo-slim.qcow2")
        .press("Enter")
        .wait_for("Write demo-slim.qcow2?");
    person
        .see("2 packages and")
        .see(" 1. delete what goes")
        .see("y yes")
        .see("Way: in-place")
        .press("w")
        .wait_for("Way: shrink")
        .press("w")
        .wait_for("Way: repack");
    person
        .press("y")
        .wait_for("the image is 12 MB")
        .press("Enter")
        .see("[Packages");
    assert_eq!(
        person.props.exported.lock().expect("nobody panicked").len(),
        1
    );
}

#[test]
fn a_way_that_is_refused_does_not_hide_the_next_one() {
    let props = Props {
        never_shrinks: true,
        ..Props::default()
    };
    let mut person = with_mark(props);
    person
        .press("x Enter")
        .wait_for("Way: in-place")
        .press("w")
        .wait_for("Way: repack")
        .see("It cannot shrink.");
}

#[test]
fn an_export_can_be_cancelled() {
    let gate = Gate::default();
    let props = Props {
        gate: Some(gate.clone()),
        ..Props::default()
    };
    gate.open();
    let mut person = with_mark(props);
    person
        .press("x Enter")
        .wait_for("Write demo-slim.qcow2?")
        .press("y");
    person
        .wait_for("writing the image")
        .press("Esc")
        .see("stopping");
    gate.open();
    person.wait_for("the export was cancelled; nothing was written");
    assert!(
        person
            .props
            .exported
            .lock()
            .expect("nobody panicked")
            .is_empty()
    );
}

#[test]
fn nothing_is_typed_into_the_lists_by_a_paste() {
    let mut person = Journey::start().opened();
    person
        .send(crate::tui::message::Msg::Paste("d\nq\n".into()))
        .see("marks 0");
    person
        .press("s")
        .send(crate::tui::message::Msg::Paste("/tmp/a\n".into()))
        .see("demo.ron/tmp/a");
}

#[test]
fn a_trace_is_watched_live_and_what_it_touched_stays_until_undone() {
    let props = Props {
        gate: Some(Gate::default()),
        touched: vec!["/usr/bin/vim", "/bin/sh"],
        ..Props::default()
    };
    let gate = props.gate.clone().expect("just made");
    let mut person = Journey::start_with(props, (80, 24));
    gate.open();
    person.wait_for("[Packages");
    person.press("t").see("Trace this command").write("vim x");
    person.press("Enter").wait_for("| ran vim x");
    person
        .wait_for("| line 299")
        .wait_for("running the workload");
    gate.open();
    person
        .wait_for("The command returned 0.")
        .see("2 paths were touched that no trace had before; 2 in all.")
        .see("4 MB more")
        .see("no trace ever touched");
    person.press("Enter u").see("undo, 4 MB less");
}

#[test]
fn a_cancelled_or_incomplete_trace_adds_nothing() {
    let props = Props {
        gate: Some(Gate::default()),
        touched: vec!["/usr/bin/vim"],
        incomplete: Some("the machine ended before its last word"),
        ..Props::default()
    };
    let gate = props.gate.clone().expect("just made");
    let mut person = Journey::start_with(props, (80, 24));
    gate.open();
    person.wait_for("[Packages");
    person.press("t Enter").wait_for("running the workload");
    gate.open();
    person
        .wait_for("The trace is not complete: the machine ended before its last word.")
        .see("Nothing was added.")
        .press("Enter t Enter")
        .wait_for("running the workload");
    person.press("Esc").see("stopping");
    gate.open();
    person.wait_for("the trace was cancelled; nothing was added");
    person.press("q");
    assert_eq!(person.exit_code(), 0);
}

#[test]
fn a_trace_that_this_host_cannot_run_says_what_to_install() {
    let props = Props {
        trace_hint: Some("sudo apt-get install libguestfs-tools"),
        ..Props::default()
    };
    let mut person = Journey::start_with(props, (80, 24)).opened();
    person.press("t Enter").wait_for("Not traced");
    person
        .see("libguestfs is not installed")
        .see("hint: sudo apt-get install libguestfs-tools");
}
