//! Components: what a language or an installer puts into a guest as one unit, whoever owns the files; and the modules that
//! programs load by name.

use super::tree::FileId;

/// Languages whose modules can be named.
pub const LANGUAGES: &[&str] = &["python", "r", "perl"];

/// A Python distribution, an R package, a conda package, a virtual environment, a Java runtime ...
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Its kind in words: `Python distribution`.
    pub kind: &'static str,
    /// Its name, as the guest writes it.
    pub name: String,
    /// Its version; empty when nothing says it.
    pub version: String,
    /// Its files; a folder stands for everything in it.
    pub parts: Vec<FileId>,
    /// Those of its parts that say what it is and hold no code.
    pub metadata: Vec<FileId>,
}

/// Something that programs load by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// One of [`LANGUAGES`].
    pub language: &'static str,
    /// As the language writes it: `scipy.linalg`, `MASS`, `JSON::XS`.
    pub name: String,
    /// The folder of the environment that finds it: `/usr`, `/opt/science`.
    pub place: FileId,
    /// Files opened to load it: the packages around it, outermost first, then itself.
    pub files: Vec<FileId>,
    /// Its own files; a folder stands for everything in it.
    pub whole: Vec<FileId>,
    /// The component that it belongs to, by position, where one is known.
    pub component: Option<u32>,
}

/// All components of a guest and the modules in them.
#[derive(Debug, Clone, Default)]
pub struct Components {
    /// In the order of the finders and of the tree.
    pub all: Vec<Component>,
    /// By language, name and place.
    pub modules: Vec<Module>,
}

impl Components {
    /// The modules that a language has; `LANGUAGE@/FOLDER` means those of the environment in that folder.
    pub fn modules_of<'a>(
        &'a self,
        tree: &super::FileTree,
        language: &str,
    ) -> impl Iterator<Item = &'a Module> + use<'a> {
        let (language, place) = match language.split_once('@') {
            Some((language, path)) => (language, Some(tree.lookup(&super::text::unescape(path)))),
            None => (language, None),
        };
        let first = self.modules.partition_point(|m| m.language < language);
        let rows = &self.modules[first..];
        let end = rows.partition_point(|module| module.language <= language);
        rows[..end]
            .iter()
            .filter(move |module| place.is_none_or(|place| place == Some(module.place)))
    }
}
