//! Signals set a flag: work stops at its next check, cleans up, and the program returns 130.

use crate::job::Cancel;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// A flag that Ctrl-C, a polite kill and a closed terminal raise.
pub fn cancel_on_signals() -> anyhow::Result<Cancel> {
    let cancel = Cancel::default();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Whoever started us under nohup wants a closed terminal not to matter.
        if signal == SIGHUP && is_ignored(SIGHUP) {
            continue;
        }
        flag::register(signal, cancel.flag())?;
    }
    Ok(cancel)
}

/// Whether this process was started with a signal ignored (`SigIgn` of `proc_pid_status(5)`).
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
