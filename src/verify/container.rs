//! The first rung: the file's own structure, as `qemu-img` sees it.

use super::Rung;
use crate::guest::image::{Graph, Image};
use crate::job::Job;
use crate::model::text::escape;
use crate::program::{Handed, Program, Started};
use crate::vm::VmError;
use std::process::Output;

const ID: &str = "container";

/// Checks the structure, and that the image stands alone.
pub fn check(image: &Image, job: &Job) -> Result<Rung, VmError> {
    job.check()?;
    let format = image.format();
    if let Some(other) = image.below().first() {
        let other = escape(other.as_os_str().as_encoded_bytes()).into_owned();
        return Ok(Rung::fail(ID, "it needs another file", vec![other]));
    }
    if !matches!(format, "qcow2" | "vmdk" | "vdi" | "vhdx") {
        return Ok(Rung::pass(
            ID,
            format!("{format}, which has no structure to check"),
        ));
    }
    let check = qemu_img(image, "check")?;
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    let lines = || {
        said.lines()
            .map(|line| escape(line.as_bytes()).into_owned())
            .collect()
    };
    Ok(match check.status.code() {
        Some(0) => Rung::pass(ID, format!("{format}, no damage, no backing file")),
        Some(3) => Rung::fail(ID, "clusters are lost", lines()),
        Some(63) => Rung::pass(
            ID,
            format!("{format}, no backing file; QEMU has no checker for it"),
        ),
        _ => Rung::fail(ID, "it is damaged", lines()),
    })
}

/// Runs `qemu-img WHAT` on an image.
fn qemu_img(image: &Image, what: &str) -> Result<Output, VmError> {
    let mut handed = Handed::default();
    let name = Graph::of(image)
        .file_name(&mut handed)
        .map_err(|source| VmError::host("read", image.path(), source))?;
    let program = Program::new("qemu-img", [what, "--output=json", &name]).with_files(handed);
    let output = program.start().and_then(Started::output);
    output.map_err(|_| VmError::Unsupported {
        what: "qemu-img is not installed".to_owned(),
        hint: "apt-get install qemu-utils".to_owned(),
    })
}
