//! The host of the journeys: no disk, answers that the test chose.

use super::guest;
use crate::cure::Remedy;
use crate::export::Way;
use crate::guest::GuestError;
use crate::job::Job;
use crate::load::LoadError;
use crate::plan::{Intent, Level, Mark, Selector, Wish};
use crate::session::{Loaded, Session};
use crate::tui::host::{Host, Outline, Saved, Traced, Treated, Verdict};
use crate::tui::message::Export;
use crate::vm::VmError;
use anyhow::{Result, bail};
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What a test sets up beforehand and looks at afterwards.
#[derive(Clone, Default)]
pub struct Props {
    /// The message of the error that opening ends with.
    pub open_error: Option<&'static str>,
    /// Where opening and exporting wait for a word of the test, when there is one.
    pub gate: Option<Gate>,
    /// What traces touch.
    pub touched: Vec<&'static str>,
    /// Why there is no trace: this host lacks something, which the hint installs.
    pub trace_hint: Option<&'static str>,
    /// Why they are not complete.
    pub incomplete: Option<&'static str>,
    /// Whether the way *shrink* is refused.
    pub never_shrinks: bool,
    /// Files that are there already.
    pub existing: Vec<PathBuf>,
    /// What verifications find to fail, the last first; nothing fails once they are used up.
    pub failures: Arc<Mutex<Vec<&'static str>>>,
    /// Where the healed profile goes, when there is one already.
    pub healed: Option<PathBuf>,
    /// What was written: paths and the intents in them.
    pub saved: Arc<Mutex<Vec<(PathBuf, Intent)>>>,
    /// What was exported.
    pub exported: Arc<Mutex<Vec<PathBuf>>>,
}

/// A gate that the test opens.
#[derive(Clone)]
pub struct Gate {
    opener: Sender<()>,
    waiter: Receiver<()>,
}

impl Default for Gate {
    fn default() -> Self {
        let (opener, waiter) = unbounded();
        Self { opener, waiter }
    }
}

impl Gate {
    /// Lets one through.
    pub fn open(&self) {
        self.opener.send(()).expect("the gate holds both ends");
    }
}

/// What a host without an appliance says.
fn lacking(hint: &str) -> VmError {
    VmError::Load(LoadError::Guest(GuestError::Unsupported {
        what: "libguestfs is not installed".to_owned(),
        hint: hint.to_owned(),
    }))
}

/// The host itself.
pub struct Stand(Props);

impl Stand {
    /// A host that answers so.
    pub fn new(props: Props) -> Self {
        Self(props)
    }

    fn verdict(&self) -> Verdict {
        let failures = &self.0.failures;
        let found = failures.lock().expect("no test panics with it").pop();
        Verdict {
            lines: vec![found.unwrap_or("all rungs hold").to_owned()],
            is_failed: found.is_some(),
            is_curable: found.is_some(),
        }
    }

    fn wait_at_gate(&self, job: &Job, step: &str) -> Result<()> {
        if let Some(gate) = &self.0.gate {
            job.items(step, 21_151, Some(42_302));
            gate.waiter.recv()?;
        }
        Ok(job.check()?)
    }
}

impl Host for Stand {
    fn open(&mut self, job: &Job) -> Result<Box<Session>> {
        self.wait_at_gate(job, "reading files")?;
        match self.0.open_error {
            Some(message) => bail!(message),
            None => Ok(Box::new(Session::new(
                Arc::new(guest::loaded()),
                Intent::default(),
            ))),
        }
    }

    fn save(
        &mut self,
        path: &Path,
        intent: &Intent,
        _: &Loaded,
        may_replace: bool,
    ) -> Result<Saved> {
        if !may_replace && self.0.existing.iter().any(|there| there == path) {
            return Ok(Saved::Exists(path.to_owned()));
        }
        let mut saved = self.0.saved.lock().expect("no test panics with it");
        saved.push((path.to_owned(), intent.clone()));
        Ok(Saved::Written(path.to_owned()))
    }

    fn outline(&mut self, export: &Export) -> Result<Outline> {
        let way = export.way.unwrap_or_default();
        let is_refused = way == Way::Shrink && self.0.never_shrinks;
        Ok(Outline {
            steps: vec!["delete what goes".into(), "write the image".into()],
            way: if is_refused { way.next() } else { way },
            refused: Vec::from_iter(is_refused.then(|| "It cannot shrink".to_owned())),
            exists: self.0.existing.contains(&export.output),
        })
    }

    fn trace(
        &mut self,
        line: &str,
        print: &mut dyn FnMut(Vec<String>),
        job: &Job,
    ) -> Result<Traced> {
        if let Some(hint) = self.0.trace_hint {
            return Err(lacking(hint).into());
        }
        print((0..300).map(|number| format!("line {number}")).collect());
        print(vec![format!("ran {line}")]);
        self.wait_at_gate(job, "running the workload")?;
        Ok(Traced {
            evidence: self.0.touched.iter().map(|&path| path.to_owned()).collect(),
            incomplete: self.0.incomplete.map(str::to_owned),
            ended: "The command returned 0.".to_owned(),
        })
    }

    fn export(&mut self, export: &Export, job: &Job) -> Result<Vec<String>> {
        self.wait_at_gate(job, "writing the image")?;
        let mut exported = self.0.exported.lock().expect("no test panics with it");
        exported.push(export.output.clone());
        Ok(vec!["the image is 12 MB".into()])
    }

    fn verify(&mut self, job: &Job) -> Result<Verdict> {
        self.wait_at_gate(job, "running the checks")?;
        Ok(self.verdict())
    }

    fn heal(&mut self, may_replace: bool, job: &Job) -> Result<Treated> {
        if let Some(path) = self.0.healed.clone().filter(|_| !may_replace) {
            return Ok(Treated::Exists(path));
        }
        self.wait_at_gate(job, "looking for the cure")?;
        let remedy = Remedy {
            marks: vec![Mark {
                selector: Selector::Package("vim".to_owned()),
                wish: Wish::Keep(Level::Trimmed),
            }],
            trace: Vec::new(),
        };
        Ok(Treated::Done {
            remedies: vec![remedy],
            verdict: self.verdict(),
        })
    }
}
