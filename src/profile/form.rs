//! The grammar of a profile's file, as serde types: what can be written, and nothing else.

use super::error::ProfileError;
use super::made_on::MadeOn;
use super::selector::SelectorForm;
use super::wishes::{Check, Output};
use super::{MAX_LEN, Profile, VERSION};
use crate::model::text::{escape, short, unescape};
use crate::plan::hardware::HypervisorId;
use crate::plan::suggest::rules_of_class;
use crate::plan::{Intent, Level, Mark, Risk, RuleId, RuleSet, Wish};
use ron::extensions::Extensions;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// Most marks: each one is looked for among all files.
const MAX_MARKS: usize = 10_000;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "profile")]
pub(super) struct Form {
    #[serde(rename = "version")]
    _version: u32,
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    made_on: Option<MadeOn>,
    #[serde(default)]
    marks: Vec<MarkForm>,
    #[serde(default)]
    rules: Entries<RuleName, Switch>,
    #[serde(default)]
    needed_level: LevelForm,
    #[serde(default)]
    accept: Option<RiskForm>,
    #[serde(default)]
    hypervisors: Vec<HypervisorName>,
    #[serde(default)]
    initramfs: InitramfsForm,
    #[serde(default)]
    trace: Vec<String>,
    #[serde(default)]
    checks: Vec<Check>,
    #[serde(default)]
    output: Output,
}

/// One mark: `keep(package("numpy"), whole)`, `drop(path("/opt/old"))`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MarkForm {
    Keep(
        SelectorForm,
        #[serde(default = "LevelForm::whole")] LevelForm,
    ),
    Drop(SelectorForm),
}

/// [`Level`] in a profile's words.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LevelForm {
    Hollowed,
    NeededOnly,
    #[default]
    Trimmed,
    Whole,
}

/// [`Risk`] in a profile's words.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RiskForm {
    Safe,
    Low,
    Ask,
}

/// What becomes of the initramfs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InitramfsForm {
    #[default]
    Untouched,
    Rebuilt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Switch {
    On,
    Off,
}

/// The name of a rule that exists.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct RuleName(RuleId);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct HypervisorName(HypervisorId);

/// A map that refuses to say two things about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entries<K, V>(pub(super) BTreeMap<K, V>);

/// Only the version: what an older program can still read of a newer file.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

/// Reads the text; also returns the comment at its head.
pub(super) fn read(text: &str) -> Result<(Form, String), ProfileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() as u64 > MAX_LEN {
        let message = "longer than 4 MiB".to_owned();
        return Err(ProfileError::at(1, 1, message, String::new()));
    }
    let form = options().from_str::<Form>(text);
    match (form, version(text)) {
        (_, Some(version)) if version == 0 || version > VERSION => {
            Err(unknown_version(text, version))
        }
        (Ok(form), _) if form.marks.len() > MAX_MARKS => Err(too_many_marks(&form)),
        (Ok(form), _) => Ok((form, head_comment(text))),
        (Err(error), _) => Err(ProfileError::from_ron(&error)),
    }
}

fn too_many_marks(form: &Form) -> ProfileError {
    let message = format!(
        "{} marks, and a profile may have {MAX_MARKS}",
        form.marks.len()
    );
    let hint = "write globs: one mark then stands for many packages or files";
    ProfileError::at(1, 1, message, hint.to_owned())
}

/// How profiles are read and written: `Some(...)` need not be spelled out.
pub(super) fn options() -> ron::Options {
    ron::Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_recursion_limit(32)
}

fn version(text: &str) -> Option<u32> {
    options()
        .from_str::<Head>(text)
        .ok()
        .map(|head| head.version)
}

fn unknown_version(text: &str, version: u32) -> ProfileError {
    let line = text.lines().position(|line| {
        line.trim_start()
            .trim_start_matches('(')
            .trim_start()
            .starts_with("version")
    });
    let line = line.unwrap_or(0);
    let start = text.lines().nth(line).and_then(|line| line.find("version"));
    let message = format!("version {version} of the profile format is not known");
    let hint = format!(
        "this guestslim reads up to version {VERSION}: use a newer one, or write the profile again"
    );
    ProfileError::at(line + 1, start.unwrap_or(0) + 1, message, hint)
}

/// The `//` lines before anything else, as they are.
fn head_comment(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .take_while(|line| line.is_empty() || line.starts_with("//"))
        .collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

impl Form {
    pub(super) fn into_profile(self, comment: String) -> Profile {
        let accept = self.accept.map(Risk::from);
        let accepted = accept.map_or(RuleSet::default(), |class| {
            rules_of_class(RuleSet::default(), class)
        });
        let switches = self.rules.0.into_iter();
        let rules = switches.fold(accepted, |set, (rule, switch)| {
            set.with(rule.0, switch == Switch::On)
        });
        let mut trace: Vec<String> = self
            .trace
            .iter()
            .map(|path| escape(&unescape(path)).into_owned())
            .collect();
        trace.sort_unstable();
        trace.dedup();
        let mut hypervisors: Vec<HypervisorId> =
            self.hypervisors.iter().map(|name| name.0).collect();
        hypervisors.sort_unstable();
        hypervisors.dedup();
        Profile {
            comment,
            name: self.name,
            description: self.description,
            made_on: self.made_on,
            intent: Intent {
                marks: self.marks.into_iter().map(Mark::from).collect(),
                rules,
                needed_level: self.needed_level.into(),
                trace,
                accept,
                hypervisors,
                rebuilds_initramfs: self.initramfs == InitramfsForm::Rebuilt,
            },
            checks: self.checks,
            output: self.output,
        }
    }
}

impl LevelForm {
    const fn whole() -> Self {
        Self::Whole
    }
}

impl From<LevelForm> for Level {
    fn from(form: LevelForm) -> Self {
        match form {
            LevelForm::Hollowed => Self::Hollowed,
            LevelForm::NeededOnly => Self::NeededOnly,
            LevelForm::Trimmed => Self::Trimmed,
            LevelForm::Whole => Self::Whole,
        }
    }
}

impl From<Level> for LevelForm {
    fn from(level: Level) -> Self {
        match level {
            Level::Hollowed => Self::Hollowed,
            Level::NeededOnly => Self::NeededOnly,
            Level::Trimmed => Self::Trimmed,
            Level::Whole => Self::Whole,
        }
    }
}

impl From<RiskForm> for Risk {
    fn from(form: RiskForm) -> Self {
        match form {
            RiskForm::Safe => Self::Safe,
            RiskForm::Low => Self::Low,
            RiskForm::Ask => Self::Ask,
        }
    }
}

impl From<MarkForm> for Mark {
    fn from(form: MarkForm) -> Self {
        let (selector, wish) = match form {
            MarkForm::Keep(selector, level) => (selector, Wish::Keep(level.into())),
            MarkForm::Drop(selector) => (selector, Wish::Drop),
        };
        Self {
            selector: selector.into(),
            wish,
        }
    }
}

impl From<&Mark> for MarkForm {
    fn from(mark: &Mark) -> Self {
        let selector = (&mark.selector).into();
        match mark.wish {
            Wish::Keep(level) => Self::Keep(selector, level.into()),
            Wish::Drop => Self::Drop(selector),
        }
    }
}

impl<'de> Deserialize<'de> for RuleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let ids = || RuleId::all().map(|id| id.rule().id);
        let unknown = || D::Error::custom(unknown_name("rule", &name, ids()));
        RuleId::find(&name).map(Self).ok_or_else(unknown)
    }
}

impl<'de> Deserialize<'de> for HypervisorName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let ids = || HypervisorId::all().map(|id| id.hypervisor().id);
        let unknown = || D::Error::custom(unknown_name("hypervisor", &name, ids()));
        HypervisorId::find(&name).map(Self).ok_or_else(unknown)
    }
}

/// What is said of a name that is in no row of a table; the hint stands in the second line.
fn unknown_name(kind: &str, name: &str, ids: impl Iterator<Item = &'static str>) -> String {
    let ids: Vec<&str> = ids.collect();
    let hint = match super::nearest(name, ids.iter().copied()).first() {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("the {kind}s are: {}", ids.join(", ")),
    };
    format!("unknown {kind} \"{}\"\n{hint}", short(name.as_bytes()))
}

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Entries<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<K, V> {
    type Value = Entries<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("entries in braces, as { \"name\": value }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key()? {
            if entries.contains_key(&key) {
                return Err(A::Error::custom(
                    "this entry is there twice\nleave one of the two",
                ));
            }
            entries.insert(key, map.next_value()?);
        }
        Ok(Entries(entries))
    }
}
