//! Verifying an export and healing it.

use super::{Gate, Journey, Props};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// A person who has exported.
fn exported(props: Props) -> Journey {
    let mut person = Journey::start_with(props, (80, 24)).opened();
    person.press("v h").miss("Verifying").miss("Heal");
    person.press("x Enter").wait_for("Write demo-slim.qcow2?");
    person.press("y").wait_for("the image is 12 MB");
    person
}

fn failing(with: &[&'static str]) -> Props {
    Props {
        failures: Arc::new(Mutex::new(with.to_vec())),
        ..Props::default()
    }
}

#[test]
fn an_export_is_verified_with_one_key() {
    let mut person = exported(Props::default());
    person.see("v verify").miss("h heal").press("v");
    person.wait_for("all rungs hold").miss("h heal");
    person
        .press("Enter")
        .see("v verify")
        .press("?")
        .miss("v verify");
}

#[test]
fn what_fails_can_be_healed_and_the_marks_for_it_taken_back() {
    let mut person = exported(failing(&["FAIL  checks  vim -x"]));
    person.press("v").wait_for("FAIL  checks  vim -x");
    person.see("Verified: it fails").see("h heal").press("h");
    person.see("Add what brings back what fails, and replace demo-slim.qcow2?");
    person.press("n h").press("h").press("y");
    person.wait_for("all rungs hold").miss("h heal");
    person.press("Enter m").see("keep trimmed package vim");
    person.press("Esc u").see("undo, 4 MB less").press("m");
    person.see("There are no marks");
}

#[test]
fn a_healed_profile_is_replaced_only_after_a_yes() {
    let props = Props {
        healed: Some(PathBuf::from("demo.healed.ron")),
        ..failing(&["still fails", "FAIL"])
    };
    let mut person = exported(props);
    person.press("v").wait_for("FAIL").press("h y");
    person.wait_for("demo.healed.ron exists. Replace it?");
    person.press("n m").see("There are no marks").press("Esc");
    person.press("h y").wait_for("Replace it?").press("y");
    person.wait_for("still fails").see("h heal");
}

#[test]
fn a_verification_can_be_cancelled_and_asked_for_again() {
    let gate = Gate::default();
    let props = Props {
        gate: Some(gate.clone()),
        ..Props::default()
    };
    gate.open();
    gate.open();
    let mut person = exported(props);
    person.press("v").wait_for("Verifying demo-slim.qcow2");
    person
        .wait_for("running the checks")
        .press("Esc")
        .see("stopping");
    gate.open();
    person.wait_for("the verification was cancelled").press("v");
    person.wait_for("running the checks");
    gate.open();
    person.wait_for("all rungs hold");
}

#[test]
fn another_export_forgets_what_was_known_of_the_one_before() {
    let mut person = exported(failing(&["FAIL"]));
    person
        .press("v")
        .wait_for("FAIL")
        .see("h heal")
        .press("Enter");
    person.press("x Enter").wait_for("Write demo-slim.qcow2?");
    person.press("y").wait_for("the image is 12 MB");
    person.see("v verify").miss("h heal");
}
