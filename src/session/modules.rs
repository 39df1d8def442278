//! Completes module names while a person types them.

use super::Session;
use crate::model::component::LANGUAGES;
use crate::plan::{Selector, select};

/// Most names that are listed.
const MAX_LISTED: usize = 5;

/// The modules that match a line like `python:scipy.l`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matches {
    /// The first whole names that begin so, `python:scipy.linalg`.
    pub names: Vec<String>,
    /// How many there are.
    pub total: usize,
    /// The line, completed as far as all matches agree.
    pub completed: String,
    /// The selector, where the line as it is selects something.
    pub selector: Option<Selector>,
    /// How many modules it names.
    pub modules: usize,
}

impl Session {
    /// The languages and modules that a line may become.
    pub fn modules_like(&self, line: &str) -> Matches {
        let Some((language, name)) = line.split_once(':') else {
            let names = LANGUAGES
                .iter()
                .filter(|language| language.starts_with(line));
            return gather(line, names.map(|language| format!("{language}:")));
        };
        let inventory = self.inventory();
        let modules = inventory.components.modules_of(&inventory.tree, language);
        let mut names: Vec<&str> = modules.map(|module| module.name.as_str()).collect();
        names.retain(|one| one.starts_with(name));
        names.dedup();
        let names = names.into_iter().map(|one| format!("{language}:{one}"));
        let mut matches = gather(line, names);
        if let Ok(glob) = select::glob(name) {
            let modules = inventory.components.modules_of(&inventory.tree, language);
            let fitting = modules.filter(|module| glob.is_match(&module.name));
            matches.modules = fitting.count();
        }
        matches.selector = (matches.modules > 0).then(|| Selector::Module {
            language: language.to_owned(),
            name: name.to_owned(),
        });
        matches
    }
}

fn gather(line: &str, names: impl Iterator<Item = String>) -> Matches {
    let mut matches = Matches::default();
    let mut common: Option<String> = None;
    for name in names {
        matches.total += 1;
        common = Some(match common {
            None => name.clone(),
            Some(common) => alike(&common, &name).to_owned(),
        });
        if matches.names.len() < MAX_LISTED {
            matches.names.push(name);
        }
    }
    matches.completed = common.unwrap_or_else(|| line.to_owned());
    matches
}

/// The characters that two names begin with alike.
fn alike<'a>(one: &'a str, other: &str) -> &'a str {
    let mut ends = one.char_indices().zip(other.chars());
    let end = ends.find(|((_, a), b)| a != b).map(|((at, _), _)| at);
    &one[..end.unwrap_or(one.len().min(other.len()))]
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn names_go_on_alike_up_to_a_whole_character() {
        for (one, other, expected) in [
            ("scipy", "scipy.linalg", "scipy"),
            ("scipy.linalg", "scipy", "scipy"),
            ("scipy.io", "scipy.integrate", "scipy.i"),
            ("é", "è", ""),
            ("", "a", ""),
        ] {
            assert_eq!(alike(one, other), expected);
        }
    }
}
