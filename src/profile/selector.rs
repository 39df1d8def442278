//! Selectors in a profile's words, checked while they are read.

use crate::model::component::LANGUAGES;
use crate::model::glob::GlobError;
use crate::plan::{Selector, select};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Longest name of a feature, in bytes.
const MAX_NAME: usize = 255;

/// A selector as the file writes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SelectorForm {
    Package(PackageGlob),
    Path(PathGlob),
    Module(ModuleGlob),
    Feature(Word),
}

/// A package's name or a glob of names, `name:arch` for one architecture.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct PackageGlob(String);

/// An absolute path or a glob of paths, as escaped text.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct PathGlob(String);

/// A language and a module's name or a glob of names: `python:scipy.linalg`, `python@/opt/science:numpy`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct ModuleGlob(String);

/// Any name that is not empty.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct Word(String);

impl<'de> Deserialize<'de> for PackageGlob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = word::<D>(deserializer, "a package's name")?;
        if text.contains('/') {
            return Err(D::Error::custom(
                "a package's name has no `/`\nwrite path(\"...\") for files and folders",
            ));
        }
        said(select::glob(&text).map(|_| ())).map_err(D::Error::custom)?;
        Ok(Self(text))
    }
}

impl<'de> Deserialize<'de> for PathGlob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = word::<D>(deserializer, "a path")?;
        if !text.starts_with('/') {
            return Err(D::Error::custom(
                "a path starts with `/`\nwrite package(\"...\") for a package",
            ));
        }
        if text.split('/').any(|part| part == "..") {
            return Err(D::Error::custom(
                "a path has no `..` parts\nwrite the folder that is meant",
            ));
        }
        said(select::check_path(&text)).map_err(D::Error::custom)?;
        Ok(Self(text))
    }
}

impl<'de> Deserialize<'de> for ModuleGlob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = word::<D>(deserializer, "a module")?;
        let (language, name) = text.split_once(':').unwrap_or(("", &text));
        let (bare, place) = language.split_once('@').unwrap_or((language, "/"));
        if !LANGUAGES.contains(&bare) || name.is_empty() || !place.starts_with('/') {
            return Err(D::Error::custom(format!(
                "a module is named with its language, one of {}\nwrite module(\"python:scipy.linalg\"), or \
                 module(\"python@/opt/science:numpy\") for one environment",
                LANGUAGES.join(", ")
            )));
        }
        said(select::glob(name).map(|_| ())).map_err(D::Error::custom)?;
        Ok(Self(text))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = word::<D>(deserializer, "a name")?;
        if text.len() > MAX_NAME {
            return Err(D::Error::custom(format!(
                "a name of {} bytes\nno feature has a name longer than {MAX_NAME} bytes",
                text.len()
            )));
        }
        Ok(Self(text))
    }
}

fn word<'de, D: Deserializer<'de>>(deserializer: D, what: &str) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Err(D::Error::custom(format!(
            "{what} is empty\nname something, or take the mark out"
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(D::Error::custom(format!(
            "{what} has a control character\nwrite it as guestslim shows it: \\\\x1b, \\\\x0a"
        )));
    }
    Ok(text)
}

/// The reason why a text is not a glob, with a hint on the next line.
fn said(checked: Result<(), GlobError>) -> Result<(), String> {
    checked.map_err(|error| {
        let hint = match error {
            GlobError::Syntax(_) => {
                "* is any text within a part, ** any folders, [ab] a or b, {x,y} x or y; \
                 write [[] for a [ and [{] for a {"
            }
            _ => {
                "write several marks, or a wider glob: * is any text within a part, ** any folders"
            }
        };
        format!("no valid glob: {error}\n{hint}")
    })
}

impl From<SelectorForm> for Selector {
    fn from(form: SelectorForm) -> Self {
        match form {
            SelectorForm::Package(PackageGlob(text)) => Self::Package(text),
            SelectorForm::Path(PathGlob(text)) => Self::Path(text),
            SelectorForm::Module(ModuleGlob(text)) => {
                let (language, name) = text.split_once(':').unwrap_or_default();
                Self::Module {
                    language: language.to_owned(),
                    name: name.to_owned(),
                }
            }
            SelectorForm::Feature(Word(text)) => Self::Feature(text),
        }
    }
}

impl From<&Selector> for SelectorForm {
    fn from(selector: &Selector) -> Self {
        match selector {
            Selector::Package(text) => Self::Package(PackageGlob(text.clone())),
            Selector::Path(text) => Self::Path(PathGlob(text.clone())),
            Selector::Module { language, name } => {
                Self::Module(ModuleGlob(format!("{language}:{name}")))
            }
            Selector::Feature(text) => Self::Feature(Word(text.clone())),
        }
    }
}
