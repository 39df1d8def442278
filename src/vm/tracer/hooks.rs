//! Probes on the kernel's security hooks: every file that is opened, executed, asked about or read as a link passes one.
//!
//! The kernel collects the pairs of device and inode in one table per hook. Nothing is copied while the guest runs, and nothing is
//! lost unless a table is full, which the kernel counts.

use super::HOME;
use super::btf::Btf;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;

/// One hook: the kernel's function, how its arguments lead to the inode, how many pairs its table holds.
struct Hook {
    function: &'static str,
    inode: fn(&Offsets) -> String,
    pairs: u32,
}

const HOOKS: [Hook; 5] = [
    Hook {
        function: "security_inode_permission",
        inode: |_| "$arg1".to_owned(),
        pairs: 131_072,
    },
    Hook {
        function: "security_inode_getattr",
        inode: |at| format!("+{}(+{}($arg1))", at.dentry_inode, at.path_dentry),
        pairs: 131_072,
    },
    Hook {
        function: "security_file_open",
        inode: |at| format!("+{}($arg1)", at.file_inode),
        pairs: 65_536,
    },
    Hook {
        function: "security_inode_readlink",
        inode: |at| format!("+{}($arg1)", at.dentry_inode),
        pairs: 16_384,
    },
    Hook {
        function: "security_inode_follow_link",
        inode: |_| "$arg2".to_owned(),
        pairs: 16_384,
    },
];

/// Where the members lie in this kernel.
struct Offsets {
    inode_number: u32,
    inode_super: u32,
    super_device: u32,
    path_dentry: u32,
    dentry_inode: u32,
    file_inode: u32,
}

impl Offsets {
    fn read() -> Option<Self> {
        let btf = Btf::parse(&fs::read(format!("{HOME}/sys/kernel/btf/vmlinux")).ok()?)?;
        Some(Self {
            inode_number: btf.offset("inode", "i_ino")?,
            inode_super: btf.offset("inode", "i_sb")?,
            super_device: btf.offset("super_block", "s_dev")?,
            path_dentry: btf.offset("path", "dentry")?,
            dentry_inode: btf.offset("dentry", "d_inode")?,
            file_inode: btf.offset("file", "f_inode")?,
        })
    }
}

/// Sets all hooks; what the process `agent` touches is not recorded. Returns why not, or nothing.
pub fn set(agent: u32) -> String {
    let Some(offsets) = Offsets::read() else {
        return "the kernel has no type information (BTF)".to_owned();
    };
    for hook in &HOOKS {
        if let Err(error) = set_one(hook, &offsets, agent) {
            return format!("the kernel refuses a probe on {}: {error}", hook.function);
        }
    }
    String::new()
}

fn set_one(hook: &Hook, at: &Offsets, agent: u32) -> std::io::Result<()> {
    let (inode, function) = ((hook.inode)(at), hook.function);
    let probe = format!(
        "p:guestslim/{function} {function} ino=+{}({inode}):u64 dev=+{}(+{}({inode})):u32",
        at.inode_number, at.super_device, at.inode_super
    );
    append(&format!("{HOME}/trace/kprobe_events"), &probe)?;
    append(&trigger_file(hook), &format!("{} if common_pid != {agent}", table(hook)))
}

/// The kernel's words for a hook's table.
fn table(hook: &Hook) -> String {
    format!("hist:keys=dev,ino:size={}", hook.pairs)
}

fn trigger_file(hook: &Hook) -> String {
    format!("{HOME}/trace/events/guestslim/{}/trigger", hook.function)
}

/// Empties the tables and, where asked, counts from now on only what this process starts. A kernel that does not do so is no
/// harm: the record then names more than it has to.
pub fn begin_anew(counts_own_only: bool) {
    let agent = std::process::id();
    if counts_own_only {
        let _ = append(&format!("{HOME}/trace/options/event-fork"), "1");
        let _ = append(&format!("{HOME}/trace/set_event_pid"), &agent.to_string());
    }
    for hook in &HOOKS {
        let clear = format!("{}:clear if common_pid != {agent}", table(hook));
        let _ = append(&trigger_file(hook), &clear);
    }
}

fn append(path: &str, line: &str) -> std::io::Result<()> {
    fs::OpenOptions::new()
        .append(true)
        .open(path)?
        .write_all(line.as_bytes())
}

/// The files touched so far, and the number of events that did not fit. `None` when a table cannot be read.
pub fn seen() -> Option<(BTreeSet<(u32, u64)>, u64)> {
    let (mut pairs, mut lost) = (BTreeSet::new(), 0);
    for hook in &HOOKS {
        let path = format!("{HOME}/trace/events/guestslim/{}/hist", hook.function);
        lost += read_table(&fs::read_to_string(path).ok()?, hook.pairs, &mut pairs)?;
    }
    Some((pairs, lost))
}

/// Reads one table as the kernel prints it; the answer is how many events did not fit.
///
/// The kernel drops an event for two reasons (tracing_map.c): the table is full, or another processor is just adding the same pair.
/// The second loses nothing, and it is the only one in a table with room.
fn read_table(text: &str, room: u32, pairs: &mut BTreeSet<(u32, u64)>) -> Option<u64> {
    let (mut dropped, mut entries) = (None, 0);
    for line in text.lines() {
        if let Some(keys) = line.strip_prefix('{') {
            let keys = keys.split('}').next()?;
            let mut values = keys
                .split(',')
                .map(|pair| pair.rsplit(':').next().unwrap_or("").trim());
            pairs.insert((values.next()?.parse().ok()?, values.next()?.parse().ok()?));
            entries += 1;
        } else if let Some(count) = line.trim().strip_prefix("Dropped:") {
            dropped = count.trim().parse().ok();
        }
    }
    let dropped: u64 = dropped?;
    Some(if entries < room { 0 } else { dropped })
}
