//! Learns what a workload needs from a run of it: boots a throw-away overlay, runs commands, and records every file that is opened,
//! executed, read as a link, or only asked about, from the first moment on.
//!
//! A trace only ever adds: it names files that must stay and never one that may go. One that is not complete says why and must not
//! be used to cut.

mod inodes;
mod lines;

pub use lines::Lines;

use crate::fault::Refusal;
use crate::job::Job;
use crate::model::text::escape;
use crate::model::{Bytes, FileId, FileTree, Inventory};
use crate::vm::wire::{Command, End, Frame, Method, Orders, Scope};
use crate::vm::{Caps, Console, Direct, Outcome, Session, Subject, VmError, Working, run_commands};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What to run, and within which bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Lines for the guest's shell, in this order; none traces the boot alone.
    pub commands: Vec<Vec<u8>>,
    /// The guest's user that runs them; empty for root.
    pub user: Vec<u8>,
    /// How long each of them may take.
    pub command_cap: Duration,
    /// How long the boot may take.
    pub boot_cap: Duration,
    /// Whose touching counts; shutting down counts where booting does.
    pub scope: Scope,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            commands: Vec::new(),
            user: Vec::new(),
            command_cap: Duration::from_secs(1800),
            boot_cap: Duration::from_secs(600),
            scope: Scope::All,
        }
    }
}

/// What a run taught.
#[derive(Debug)]
pub struct Trace {
    /// Files, links and nodes of the image that were touched, in tree order.
    pub files: Vec<FileId>,
    /// Why there may be more; `None` when this is all.
    pub incomplete: Option<String>,
    /// How it was recorded.
    pub method: Method,
    /// The kernel's release, escaped.
    pub kernel: String,
    /// What the guest called its state when it was up, escaped; empty when it never was.
    pub state: String,
    /// One element a command that began.
    pub outcomes: Vec<Outcome>,
    /// What the guest printed on its console.
    pub console: Console,
    /// From start to end.
    pub time: Duration,
}

/// Bytes of a command's output that come back, each stream.
const OUTPUT_CAP: u32 = 4 << 20;

/// What a guest is started with to be traced, or why it cannot be.
pub fn traceable(subject: &Subject) -> Result<&Direct, Refusal> {
    const HINT: &str = "only Linux guests with a kernel and an initramfs in their default boot entry can be traced";
    let direct = subject.direct.as_ref();
    direct.map_err(|why| Refusal::new(format!("the guest cannot be traced: {why}"), HINT))
}

/// Runs the request on a throw-away overlay; `live` gets what the commands print.
pub fn trace(
    subject: &Subject,
    request: &Request,
    accel: Working,
    live: &mut dyn FnMut(&[u8]),
    job: &Job,
) -> Result<Trace, VmError> {
    let direct = subject
        .direct
        .as_ref()
        .map_err(|why| VmError::NotDirect(why.clone()))?;
    let orders = orders(request);
    let commands = request.commands.len() as u64;
    let mut done = 0;
    job.items("booting the guest", 0, None);
    let mut watch = |frame: &Frame| {
        match frame {
            Frame::Up(_) => job.items("running the workload", 0, Some(commands)),
            Frame::Output { bytes, .. } => live(bytes),
            Frame::Exit { .. } => {
                done += 1;
                job.items("running the workload", done, Some(commands));
            }
            _ => {}
        }
        false
    };
    let session = run_commands(direct, &orders, accel, caps(request), &mut watch, job)?;
    let mut trace = judge(&subject.loaded.inventory, session);
    if request.scope == Scope::All {
        add_last_programs(&subject.loaded.inventory.tree, &mut trace.files);
    }
    Ok(trace)
}

fn orders(request: &Request) -> Orders {
    let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX).max(1);
    let command = |line: &Vec<u8>| Command {
        user: request.user.clone(),
        line: line.clone(),
        time_cap: seconds(request.command_cap),
        output_cap: OUTPUT_CAP,
    };
    Orders {
        records: true,
        scope: request.scope,
        boot_cap: seconds(request.boot_cap),
        shuts_down: request.scope == Scope::All,
        commands: request.commands.iter().map(command).collect(),
        ..Orders::default()
    }
}

/// The machine as a whole gets the sum of its parts and time to shut down.
fn caps(request: &Request) -> Caps {
    let shutdown = Duration::from_secs(180);
    let commands = request
        .command_cap
        .saturating_mul(request.commands.len() as u32);
    let time = request
        .boot_cap
        .saturating_add(commands)
        .saturating_add(shutdown);
    Caps {
        time,
        ..Caps::default()
    }
}

fn judge(inventory: &Inventory, session: Session) -> Trace {
    let record = session.record;
    let files = inodes::touched(
        &inventory.tree,
        &inventory.mounts,
        &record.mounts,
        &record.seen,
    );
    let state = escape(record.state.as_deref().unwrap_or_default()).into_owned();
    let never_up = || (state == "timeout").then(|| "the guest did not come up in time".to_owned());
    let nothing = || {
        files
            .is_empty()
            .then(|| "no file of the image was seen".to_owned())
    };
    // What happens while the guest shuts down comes after its last word.
    let trouble = session.trouble.filter(|_| !record.is_finished);
    let incomplete = trouble
        .or_else(|| record.incomplete())
        .or_else(never_up)
        .or_else(nothing);
    Trace {
        files,
        incomplete,
        method: record.method,
        kernel: escape(&record.kernel).into_owned(),
        state,
        outcomes: record.commands,
        console: session.console,
        time: session.time,
    }
}

/// systemd becomes this program to switch the machine off, which runs what is in that folder (systemd-shutdown(8)). No record
/// reaches so far, because nothing but this program is left then.
fn add_last_programs(tree: &FileTree, files: &mut Vec<FileId>) {
    let find = |path: &[u8]| tree.resolve(path).map(|end| end.file);
    let is_run = find(b"/usr/lib/systemd/systemd").is_some_and(|init| files.contains(&init));
    if !is_run {
        return;
    }
    let hooks = find(b"/usr/lib/systemd/system-shutdown").map(|folder| tree.children(folder));
    let hooks = hooks.into_iter().flatten().copied();
    files.extend(hooks.filter(|&hook| !tree.is_directory(hook)));
    files.extend(find(b"/usr/lib/systemd/systemd-shutdown"));
    files.sort_unstable();
    files.dedup();
}

impl Trace {
    /// How the last command ended, or that the guest came up, and how much was touched; one sentence.
    pub fn ended(&self) -> String {
        let how = match self.outcomes.last().map(|outcome| outcome.end) {
            None => format!("The guest came up ({})", self.state),
            Some(Some(End::Code(code))) => format!("The command returned {code}"),
            Some(Some(End::Signal(signal))) => format!("Signal {signal} ended the command"),
            Some(Some(End::TimedOut)) => "The command's time was up".to_owned(),
            Some(Some(End::NotStarted)) => "The command could not be started".to_owned(),
            Some(None) => "The machine ended before the command did".to_owned(),
        };
        let (files, seconds) = (self.files.len(), self.time.as_secs());
        format!("{how}; {files} files were touched, in {seconds} s.")
    }

    /// The evidence as a profile holds it: escaped paths, sorted, each once.
    pub fn evidence(&self, tree: &FileTree) -> BTreeSet<String> {
        let path = |&file: &FileId| escape(&tree.path(file)).into_owned();
        self.files.iter().map(path).collect()
    }

    /// What was touched, by component: the package's label, or the top folders of what no package owns.
    pub fn components(&self, inventory: &Inventory) -> BTreeMap<String, (u64, Bytes)> {
        let mut sums: BTreeMap<String, (u64, Bytes)> = BTreeMap::new();
        for &file in &self.files {
            let sum = sums.entry(component(inventory, file)).or_default();
            sum.0 += 1;
            if inventory.tree.is_first_name(file) {
                sum.1 += Bytes(inventory.tree.allocated(file));
            }
        }
        sums
    }
}

/// What a person would call the thing that a file belongs to.
pub fn component(inventory: &Inventory, file: FileId) -> String {
    // Byte code belongs to whom its source belongs.
    let made_from = inventory.follows[file.index()].unwrap_or(file);
    if let Some(package) = inventory.owner(file).or_else(|| inventory.owner(made_from)) {
        return inventory.package_label(package);
    }
    let path = inventory.tree.path(file);
    let mut ends = (1..path.len()).filter(|&at| path[at] == b'/');
    let end = ends.nth(1).unwrap_or(path.len());
    escape(&path[..end]).into_owned()
}
