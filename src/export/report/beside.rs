//! The files beside an output: the whole report for programs and for people, and the bill of materials.

use super::{Report, Verified, bom};
use crate::export::error::ExportError;
use crate::export::options::ExportOptions;
use crate::export::place::beside;
use crate::export::step::Step;
use crate::export::steps::steps;
use crate::export::workshop::Workshop;
use crate::load::Loaded;
use crate::plan::{Intent, Plan};
use crate::profile::Profile;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that lies beside each output.
#[derive(Debug)]
pub struct Beside {
    /// What its name has more than the output's.
    pub ending: &'static str,
    /// What it is, for the manual.
    pub heading: &'static str,
    write: fn(&FullReport<'_>, &mut dyn Write) -> io::Result<()>,
}

impl Beside {
    /// Writes the file's contents.
    pub fn write(&self, full: &FullReport<'_>, out: &mut dyn Write) -> io::Result<()> {
        (self.write)(full, out)
    }
}

/// All of them, in the order in which they get their names.
pub const BESIDE: &[Beside] = &[
    Beside {
        ending: ".report.json",
        heading: "all of the report, every removed path with its reason and size in it, for programs",
        write: |full, out| full.write_json(out),
    },
    Beside {
        ending: ".report.txt",
        heading: "the report for people: one page, then packages, changed files, and where files went from",
        write: |full, out| full.write_text(out),
    },
    Beside {
        ending: ".cdx.json",
        heading: "the bill of materials of what stays, CycloneDX 1.5",
        write: bom::write,
    },
];

/// Their endings.
pub(in crate::export) const ENDINGS: &[&str] =
    &[BESIDE[0].ending, BESIDE[1].ending, BESIDE[2].ending];

/// A report with all that it is about.
pub struct FullReport<'a> {
    pub(super) report: &'a Report,
    pub(super) verified: &'a Verified,
    pub(super) loaded: &'a Loaded,
    pub(super) plan: &'a Plan,
    pub(super) steps: Vec<Step>,
    pub(super) profile: Option<&'a Profile>,
    /// The marks and rules; without a profile, those that hold by default.
    pub(super) intent: Intent,
}

impl<'a> FullReport<'a> {
    /// The report about an export of this guest.
    ///
    /// # Errors
    /// When the guest is a folder, which cannot have been exported.
    pub fn new(
        report: &'a Report,
        verified: &'a Verified,
        loaded: &'a Loaded,
        plan: &'a Plan,
        options: &'a ExportOptions,
    ) -> Result<Self, ExportError> {
        Ok(Self {
            report,
            verified,
            loaded,
            plan,
            steps: steps(loaded, plan, options)?,
            profile: options.profile.as_ref(),
            intent: options
                .profile
                .as_ref()
                .map(Profile::intent)
                .unwrap_or_default(),
        })
    }

    /// Writes all files into the work folder; their paths, in the order of the table.
    pub(in crate::export) fn write_into(
        &self,
        workshop: &Workshop,
    ) -> Result<Vec<PathBuf>, ExportError> {
        BESIDE
            .iter()
            .map(|file| {
                let path = workshop.file(&file.ending[1..]);
                self.write_one(file, &path)
                    .map_err(ExportError::host("write", &path))?;
                Ok(path)
            })
            .collect()
    }

    fn write_one(&self, file: &Beside, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        file.write(self, &mut out)?;
        out.into_inner()?.sync_all()
    }
    /// Writes the files beside a published output once more, now that it was proved; each is replaced whole.
    ///
    /// # Errors
    /// When a file cannot be written; what was there stays.
    pub fn write_again(&self, output: &Path) -> Result<(), ExportError> {
        let folder = match output.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let workshop = Workshop::open(folder)?;
        for (file, written) in BESIDE.iter().zip(self.write_into(&workshop)?) {
            let path = beside(output, file.ending);
            fs::rename(&written, &path).map_err(ExportError::host("replace", &path))?;
        }
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(ExportError::host("write", folder))
    }
}
