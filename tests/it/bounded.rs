//! Runs the real binary on hostile images, within bounds: at most 1 GiB of memory and 30 seconds.

use crate::command::{Ran, ran};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// At most this many bytes of data.
const MEMORY: u64 = 1 << 30;

/// At most this long, on a machine that has other work as well.
const TIME: Duration = Duration::from_secs(30);

/// What `inspect` said of an image.
pub struct Inspected {
    pub ran: Ran,
    /// Path and message of each warning.
    pub warnings: Vec<(String, String)>,
}

/// Inspects a raw image without a kernel, of which the warnings are left out; the bounds hold whatever is in it, and a timeout is a failure.
pub fn inspect(image: &Path) -> Inspected {
    let ran = within_bounds(&["inspect", "--json", "--format", "raw"], image);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let warnings = json["warnings"].as_array().into_iter().flatten();
    let warnings = warnings
        .map(|warning| (text(&warning["path"]), text(&warning["message"])))
        .filter(|(_, what)| !what.contains("kernel"))
        .collect();
    Inspected { ran, warnings }
}

/// Runs `guestslim ARGS IMAGE` within the bounds.
pub fn within_bounds(args: &[&str], image: &Path) -> Ran {
    let start = Instant::now();
    let output = Command::new("prlimit")
        .arg(format!("--data={MEMORY}"))
        .args(["timeout", "--signal=KILL", "60"])
        .arg(env!("CARGO_BIN_EXE_guestslim"))
        .args(args)
        .arg(image)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("RUST_BACKTRACE")
        .output()
        .expect("util-linux is installed");
    assert!(start.elapsed() < TIME, "it took {:?}", start.elapsed());
    ran(&output)
}
