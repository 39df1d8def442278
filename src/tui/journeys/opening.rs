//! Opening a guest, cancelling that, errors.

use super::{Gate, Journey, Props};
use crate::tui::app::Ending;

#[test]
fn opening_shows_how_far_it_is_and_then_the_packages() {
    let gate = Gate::default();
    let props = Props {
        gate: Some(gate.clone()),
        ..Props::default()
    };
    let mut person = Journey::start_with(props, (80, 24));
    person.see("Opening images/demo.qcow2").see("Esc cancel");
    person.wait_for("reading files  21,151 of 42,302 (50 %)");
    gate.open();
    person
        .wait_for("[Packages")
        .see("numpy")
        .see("Debian GNU/Linux 12");
}

#[test]
fn opening_can_be_cancelled() {
    let gate = Gate::default();
    let props = Props {
        gate: Some(gate.clone()),
        ..Props::default()
    };
    let mut person = Journey::start_with(props, (80, 24));
    person.press("Esc").see("stopping");
    gate.open();
    assert!(matches!(person.wait_for_end(), Ending::Code(130)));
}

#[test]
fn somebody_impatient_can_leave_before_the_work_has_stopped() {
    let props = Props {
        gate: Some(Gate::default()),
        ..Props::default()
    };
    let mut person = Journey::start_with(props, (80, 24));
    person.press("Ctrl-C Ctrl-C");
    assert_eq!(person.exit_code(), 130);
}

#[test]
fn a_guest_that_cannot_be_opened_says_why_and_keeps_its_error() {
    let props = Props {
        open_error: Some("demo.qcow2 is no disk image \u{1b}[2J"),
        ..Props::default()
    };
    let mut person = Journey::start_with(props, (80, 24));
    person.wait_for("Cannot open images/demo.qcow2");
    person.see("is no disk image \\x1b[2J").press("Down Esc");
    match person.wait_for_end() {
        Ending::Failed(error) => assert!(error.to_string().contains("no disk image")),
        Ending::Code(code) => panic!("{code} instead of the error"),
    }
}
