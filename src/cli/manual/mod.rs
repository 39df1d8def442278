//! `guestslim help` and `guestslim man`: the manual on the terminal and as man pages.
//!
//! The texts are `assets/manual/*.md`; a test holds their tables against the code's tables. The help of commands is clap's.

mod blocks;
mod roff;
mod text;

use super::failure::refuse;
use super::out::{self, safe};
use super::{Args, Outcome};
use crate::profile::nearest;
use anyhow::Context as _;
use clap::CommandFactory as _;
use std::fs;
use std::path::{Path, PathBuf};

/// `help`.
#[derive(Debug, clap::Args)]
pub struct HelpArgs {
    /// Topic or command; without one, all of them are listed
    #[arg(value_name = "TOPIC")]
    pub words: Vec<String>,
}

/// `man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Folder for the pages; it is created when it does not exist
    pub folder: PathBuf,
}

/// A chapter of the manual.
pub struct Topic {
    /// Its name: `guestslim help NAME`.
    pub name: &'static str,
    /// What it is about, one phrase.
    pub heading: &'static str,
    /// The chapter, in Markdown.
    pub markdown: &'static str,
}

macro_rules! topics {
    ($($name:literal $heading:literal;)+) => {
        /// All topics, in the order in which a new user reads them.
        pub static TOPICS: &[Topic] = &[$(Topic {
            name: $name,
            heading: $heading,
            markdown: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/manual/", $name, ".md")),
        }),+];
    };
}

topics! {
    "concepts" "marks, levels, needs, suggestions: the words of this program";
    "profile" "the file that records what stays, field by field";
    "selectors" "how a mark names packages, paths, modules and features";
    "rules" "classes of files that are removed";
    "finders" "where needs are found";
    "checks" "traces, checks, verification and cures";
    "formats" "input and output formats, archives without a disk";
    "ways" "in place, shrink, repack";
    "report" "the files beside an output";
    "keys" "keys of the screen";
    "exit-codes" "what the exit codes mean";
    "limits" "what does not work, and what is untested";
    "security" "what is trusted, confined and not promised; how to report a problem";
    "measurements" "sizes and times that were measured";
}

/// Prints a topic, the help of a command, or the list of both.
pub fn help(args: &HelpArgs) -> anyhow::Result<Outcome> {
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        [] => contents(),
        [name] => match topic(name) {
            Some(topic) => of_topic(topic),
            None => of_command(&words)?,
        },
        _ => of_command(&words)?,
    };
    out::print(&text)?;
    Ok(Outcome::Done)
}

/// Writes a man page for each command (section 1) and each topic (section 7).
pub fn man(args: &ManArgs) -> anyhow::Result<Outcome> {
    let folder = &args.folder;
    let wrote = |path: &Path| format!("cannot write {}", path.display());
    fs::create_dir_all(folder).with_context(|| wrote(folder))?;
    clap_mangen::generate_to(Args::command(), folder).with_context(|| wrote(folder))?;
    for topic in TOPICS {
        let page = roff::page(topic, env!("CARGO_PKG_VERSION"));
        let path = folder.join(format!("guestslim-{}.7", topic.name));
        fs::write(&path, page).with_context(|| wrote(&path))?;
    }
    Ok(Outcome::Done)
}

fn topic(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name == name)
}

fn of_topic(topic: &Topic) -> String {
    let mut text = text::render(&blocks::parse(topic.markdown));
    // One word can name both.
    if Args::command().find_subcommand(topic.name).is_some() {
        text += &format!(
            "\nThe command of the same name: guestslim {} --help\n",
            topic.name
        );
    }
    text
}

/// The help of a command and of its own commands: `replay`, `profile check`.
fn of_command(words: &[&str]) -> anyhow::Result<String> {
    let mut command = Args::command();
    command.build();
    let mut at = &mut command;
    for word in words {
        at = match at.find_subcommand_mut(word) {
            Some(found) => found,
            None => return Err(unknown(words)),
        };
    }
    Ok(at.render_long_help().to_string())
}

fn unknown(words: &[&str]) -> anyhow::Error {
    let command = Args::command();
    let commands = command.get_subcommands().map(clap::Command::get_name);
    let names = TOPICS.iter().map(|topic| topic.name).chain(commands);
    let hint = match nearest(words[0], names).first() {
        Some(near) => format!("did you mean `guestslim help {near}`?"),
        None => "`guestslim help` lists all topics and commands".to_owned(),
    };
    let name = safe(&words.join(" "));
    refuse(format!("there is no topic or command \"{name}\""), hint)
}

/// The list of topics and commands.
fn contents() -> String {
    let command = Args::command();
    let commands = command.get_subcommands().filter(|one| !one.is_hide_set());
    let about = |one: &clap::Command| one.get_about().map(ToString::to_string);
    let commands: Vec<(String, String)> = commands
        .map(|one| (one.get_name().to_owned(), about(one).unwrap_or_default()))
        .collect();
    let topics = TOPICS
        .iter()
        .map(|topic| (topic.name.to_owned(), topic.heading.to_owned()));
    let mut out = "Topics (guestslim help TOPIC)\n".to_owned();
    out += &text::definitions(&topics.collect::<Vec<_>>());
    out += "\nCommands (guestslim COMMAND --help)\n";
    out + &text::definitions(&commands)
}
