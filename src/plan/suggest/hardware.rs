//! Drivers and firmware of hardware that no virtual machine has, when the profile does not say where the output will run.
//!
//! The suggestion declares all known hypervisors, so that the output still runs wherever a virtual machine does. Only a person knows
//! which few of them are enough; the rules panel shows the price of each.

use super::super::hardware::{self, HypervisorId};
use super::scene::Scene;
use super::{Change, Risk, Suggestion, files};

pub(super) fn find(scene: &Scene<'_>) -> Vec<Suggestion> {
    let inputs = scene.inputs;
    if !inputs.hypervisors.is_empty() {
        return Vec::new();
    }
    let all: Vec<HypervisorId> = HypervisorId::all().collect();
    let idle = hardware::idle(inputs.inventory, inputs.graph, &all, &[]);
    let is_read = inputs
        .trace
        .iter()
        .any(|file| idle.binary_search(file).is_ok());
    let is_traced = !inputs.trace.is_empty() && !is_read;
    let read = if is_traced {
        "; the trace read none of it"
    } else {
        ""
    };
    let (count, room) = scene.weight(idle.into_iter());
    vec![Suggestion {
        kind: "hardware",
        subject: "run on virtual machines only".to_owned(),
        risk: if is_traced { Risk::Low } else { Risk::Ask },
        evidence: format!(
            "drivers and firmware that no known hypervisor's guests need{read} ({})",
            files(count)
        ),
        change: Change::Hypervisors(all),
        room,
    }]
}
