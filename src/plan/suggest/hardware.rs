//! Drivers and firmware of hardware that no virtual machine has, where the profile does not say what the output will run on.
//!
//! All known hypervisors are declared, so that the output goes on running wherever a virtual machine does. Which few of them are
//! enough only a person knows, who sees the price of each beside the rules.

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
