//! The layout of a profile's file: one mark a line, one rule a line, package versions in filled lines.
//!
//! RON's own pretty printer would give every package a line and every mark four. Each value is still written by RON;
//! only the breaks between them are ours.

use super::form::{self, MarkForm, Switch};
use super::{MadeOn, Profile, VERSION};
use crate::plan::RuleId;
use ron::ser::PrettyConfig;
use serde::Serialize;
use std::fmt::Write as _;

/// Where lines of package versions are broken.
const WIDTH: usize = 100;

pub(super) fn text(profile: &Profile) -> String {
    let mut out = String::new();
    if !profile.comment.is_empty() {
        line(&mut out, &profile.comment);
    }
    line(&mut out, "(");
    line(&mut out, &format!("    version: {VERSION},"));
    line(&mut out, &format!("    name: {},", ron(&profile.name)));
    if !profile.description.is_empty() {
        line(
            &mut out,
            &format!("    description: {},", ron(&profile.description)),
        );
    }
    if let Some(made_on) = &profile.made_on {
        write_made_on(&mut out, made_on);
    }
    write_intent(&mut out, profile);
    list(&mut out, "checks", profile.checks.iter().map(ron));
    line(&mut out, &format!("    output: {},", ron(&profile.output)));
    line(&mut out, ")");
    out
}

fn write_intent(out: &mut String, profile: &Profile) {
    let intent = &profile.intent;
    list(
        out,
        "marks",
        intent.marks.iter().map(|mark| ron(&MarkForm::from(mark))),
    );
    line(out, "    rules: {");
    for id in RuleId::all() {
        let switch = if intent.rules.contains(id) {
            Switch::On
        } else {
            Switch::Off
        };
        line(
            out,
            &format!("        {}: {},", ron(id.rule().id), ron(&switch)),
        );
    }
    line(out, "    },");
    let level: form::LevelForm = intent.needed_level.into();
    line(out, &format!("    needed_level: {},", ron(&level)));
    if let Some(class) = intent.accept {
        line(out, &format!("    accept: {},", class.word()));
    }
    let hypervisors = intent.hypervisors.iter();
    list(
        out,
        "hypervisors",
        hypervisors.map(|id| ron(id.hypervisor().id)),
    );
    if intent.rebuilds_initramfs {
        let form = ron(&form::InitramfsForm::Rebuilt);
        line(out, &format!("    initramfs: {form},"));
    }
    list(out, "trace", intent.trace.iter().map(ron));
}

fn write_made_on(out: &mut String, made_on: &MadeOn) {
    line(out, "    made_on: (");
    let texts = [
        ("os", &made_on.os),
        ("version", &made_on.version),
        ("arch", &made_on.arch),
        ("date", &made_on.date),
    ];
    for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        line(out, &format!("        {name}: {},", ron(text)));
    }
    if made_on.size > 0 {
        line(out, &format!("        size: {},", made_on.size));
    }
    if !made_on.packages.is_empty() {
        line(out, "        packages: {");
        let entries = made_on.packages.iter();
        fill(
            out,
            entries.map(|(name, version)| format!("{}: {},", ron(name), ron(version))),
        );
        line(out, "        },");
    }
    line(out, "    ),");
}

/// A field with one item a line; nothing at all when there are no items.
fn list(out: &mut String, name: &str, items: impl Iterator<Item = String>) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    line(out, &format!("    {name}: ["));
    for item in items {
        line(out, &format!("        {item},"));
    }
    line(out, "    ],");
}

fn fill(out: &mut String, items: impl Iterator<Item = String>) {
    let mut row = String::new();
    for item in items {
        if !row.is_empty() && row.len() + 1 + item.len() > WIDTH {
            line(out, &row);
            row.clear();
        }
        row.push_str(if row.is_empty() { "            " } else { " " });
        row.push_str(&item);
    }
    line(out, &row);
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a String takes every write");
}

/// One value as RON in one line.
pub(super) fn ron(value: &(impl Serialize + ?Sized)) -> String {
    let config = PrettyConfig::new()
        .compact_structs(true)
        .compact_arrays(true)
        .compact_maps(true);
    let text = form::options()
        .to_string_pretty(value, config)
        .expect("a profile's values are plain data");
    plain_quotes(&text)
}

/// RON writes `\'` in strings, where `'` will do and is easier to read in a shell command.
fn plain_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let next = if c == '\\' { rest.next() } else { None };
        if next != Some('\'') {
            out.push(c);
        }
        out.extend(next);
    }
    out
}
