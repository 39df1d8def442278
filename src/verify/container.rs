//! The first rung: the file's own structure, as `qemu-img` sees it.

use super::Rung;
use crate::guest::image::Image;
use crate::job::Job;
use crate::model::text::escape;
use crate::vm::{VmError, tied_to_us};
use std::process::{Command, Output};

const ID: &str = "container";
const QEMU_IMG: &str = "qemu-img";

/// Checks the structure, and that the image stands alone.
pub fn check(image: &Image, job: &Job) -> Result<Rung, VmError> {
    job.check()?;
    let format = image.format();
    let info = qemu_img(image, "info")?;
    let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap_or_default();
    if let Some(backing) = info
        .get("backing-filename")
        .and_then(serde_json::Value::as_str)
    {
        let backing = escape(backing.as_bytes()).into_owned();
        return Ok(Rung::fail(ID, "it needs another file", vec![backing]));
    }
    if !matches!(format, "qcow2" | "vmdk" | "vdi" | "vhdx") {
        return Ok(Rung::pass(
            ID,
            format!("{format}, which has no structure that could break"),
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

fn qemu_img(image: &Image, what: &str) -> Result<Output, VmError> {
    let (program, arguments) = tied_to_us(QEMU_IMG);
    let output = Command::new(program)
        .args(arguments)
        .args([what, "--output=json", "-f", image.format()])
        .arg(image.path())
        .output();
    output.map_err(|_| VmError::Unsupported {
        what: "qemu-img is not installed".to_owned(),
        hint: "apt-get install qemu-utils".to_owned(),
    })
}
