//! Files that hold code for one GPU architecture: AMD's libraries, and some of NVIDIA's, keep such files for each architecture.
//!
//! They are known by their names alone, as the libraries themselves find them: the architecture is a word of the name
//! (`TensileLibrary_lazy_gfx90a.dat`) or the whole name of a folder above (`hsa/gfx942/fmha_fwd.co`). Code for several
//! architectures inside one shared object cannot be cut out cleanly, so that file does not count.

use super::select;
use crate::model::{FileId, FileTree};

/// How a kind of files is named: the name's beginning, its end, and what words for an architecture begin with.
struct Form(&'static str, &'static str, &'static str);

const FORMS: &[Form] = &[
    // ROCm: code objects of rocBLAS, hipBLASLt, AITER and others, and the tables that say which to load.
    Form("", ".co", "gfx"),
    Form("", ".hsaco", "gfx"),
    Form("TensileLibrary", ".dat", "gfx"),
    Form("TensileLibrary", ".dat.zlib", "gfx"),
    Form("", ".kpack", "gfx"),
    // MIOpen: compiled kernels and what was measured of them.
    Form("gfx", ".kdb", "gfx"),
    Form("gfx", ".kdb.bz2", "gfx"),
    Form("gfx", ".db", "gfx"),
    Form("gfx", ".db.txt", "gfx"),
    Form("gfx", ".fdb.txt", "gfx"),
    Form("libMIOpenCKGroupedConv_gfx", "", "gfx"),
    // AOTriton.
    Form("", ".aks2", "gfx"),
    // CUDA's binaries, and what TensorRT builds engines from.
    Form("", ".cubin", "sm"),
    Form("libnvinfer_builder_resource_sm", "", "sm"),
];

/// The architecture that a file's path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The architecture: `gfx90a`, `gfx11xx` for a family, `sm_80`.
    pub architecture: String,
    /// A glob that selects this file and its like, of this architecture, in the same place.
    pub glob: String,
}

/// Where a path names an architecture.
enum Place<'a> {
    /// The file's own name, with this word.
    Name(&'a str),
    /// This folder above, with this name.
    Folder(FileId, &'a str),
}

/// The architecture that this file's path names, when the file is code for exactly one.
pub fn code(tree: &FileTree, file: FileId) -> Option<Code> {
    let (Form(start, end, maker), place) = find(tree, file)?;
    let (folder, word, rest) = match place {
        // The name must end where the word ends: gfx90a is not gfx90.
        Place::Name(word) => (tree.parent(file), word, format!("*{word}[!0-9a-z]*")),
        Place::Folder(folder, word) => (folder, word, format!("**/{start}*{end}")),
    };
    Some(Code {
        architecture: called(word, maker),
        glob: format!("{}/{rest}", select::literal_glob(tree, folder)),
    })
}

/// Whether this is code for just one architecture.
pub fn is_code(tree: &FileTree, file: FileId) -> bool {
    find(tree, file).is_some()
}

fn find(tree: &FileTree, file: FileId) -> Option<(&'static Form, Place<'_>)> {
    let name = tree.name(file);
    let is_of =
        |form: &&Form| name.starts_with(form.0.as_bytes()) && name.ends_with(form.1.as_bytes());
    let form = FORMS.iter().find(is_of)?;
    let mut words = words(std::str::from_utf8(name).ok()?, form.2);
    if let Some(first) = words.next() {
        let is_one = words.all(|word| word == first);
        return is_one.then_some((form, Place::Name(first)));
    }
    let mut folder = tree.parent(file);
    while folder != FileId::ROOT {
        if let Some(word) = folder_word(tree.name(folder), form.2) {
            return Some((form, Place::Folder(folder, word)));
        }
        folder = tree.parent(folder);
    }
    None
}

/// Whether a file's name says nothing of other architectures than this one.
pub fn is_only_for(tree: &FileTree, file: FileId, architecture: &str) -> bool {
    let name = String::from_utf8_lossy(tree.name(file));
    ["gfx", "sm"]
        .iter()
        .all(|maker| words(&name, maker).all(|word| called(word, maker) == architecture))
}

/// The words for an architecture in a name.
fn words<'a>(name: &'a str, maker: &'static str) -> impl Iterator<Item = &'a str> {
    let is_start = move |at: usize| !name[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
    name.match_indices(maker)
        .filter(move |&(at, _)| is_start(at))
        .filter_map(move |(at, _)| word(&name[at..], maker))
}

/// The word that a text begins with: `gfx90a`, `sm80`, `sm_80`.
fn word<'a>(text: &'a str, maker: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(maker)?;
    let rest = if maker == "sm" {
        rest.strip_prefix('_').unwrap_or(rest)
    } else {
        rest
    };
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric());
    let number = &rest[..end.unwrap_or(rest.len())];
    let is_number = match maker {
        "sm" => is_capability(number),
        _ => is_target(number),
    };
    is_number.then(|| &text[..text.len() - rest.len() + number.len()])
}

/// `80`, `120`, `90a`.
fn is_capability(text: &str) -> bool {
    let digits = text.strip_suffix(['a', 'f']).unwrap_or(text);
    matches!(digits.len(), 2 | 3) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `906`, `90a`, `1030`, and `11xx` for all that begin with 11.
fn is_target(text: &str) -> bool {
    let known = text.trim_end_matches('x');
    matches!(text.len(), 3 | 4)
        && known.starts_with(|c: char| c.is_ascii_digit())
        && known
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The word that is a folder's whole name, or all but the `amd-` of `AOTriton`.
fn folder_word<'a>(name: &'a [u8], maker: &str) -> Option<&'a str> {
    let name = std::str::from_utf8(name).ok()?;
    let name = name.strip_prefix("amd-").unwrap_or(name);
    word(name, maker).filter(|word| *word == name)
}

/// An architecture as it is called, however it is written.
fn called(word: &str, maker: &str) -> String {
    match word.strip_prefix("sm") {
        Some(number) if maker == "sm" => format!("sm_{}", number.trim_start_matches('_')),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entry, FileKind, TreeBuilder};

    /// Names as the projects themselves have them.
    #[test]
    fn an_architecture_is_a_word_of_the_name_or_a_folder() {
        for (path, expected) in [
            (
                "/o/rocblas/library/Kernels.so-000-gfx908-xnack-.hsaco",
                "gfx908 /o/rocblas/library/*gfx908[!0-9a-z]*",
            ),
            (
                "/o/rocblas/library/TensileLibrary_lazy_gfx1030.dat",
                "gfx1030 /o/rocblas/library/*gfx1030[!0-9a-z]*",
            ),
            (
                "/o/hipblaslt/library/gfx1151/kernel.co",
                "gfx1151 /o/hipblaslt/library/gfx1151/**/*.co",
            ),
            (
                "/o/hipblaslt/library/extop_gfx942.co",
                "gfx942 /o/hipblaslt/library/*gfx942[!0-9a-z]*",
            ),
            (
                "/o/hsa/gfx942/fmha_v3_bwd/a.co",
                "gfx942 /o/hsa/gfx942/**/*.co",
            ),
            (
                "/o/miopen/db/gfx90a.kdb",
                "gfx90a /o/miopen/db/*gfx90a[!0-9a-z]*",
            ),
            (
                "/o/miopen/db/gfx906_60.db.txt",
                "gfx906 /o/miopen/db/*gfx906[!0-9a-z]*",
            ),
            (
                "/o/aotriton.images/amd-gfx11xx/flash/fwd.aks2",
                "gfx11xx /o/aotriton.images/amd-gfx11xx/**/*.aks2",
            ),
            ("/o/k/kernels_sm80.cubin", "sm_80 /o/k/*sm80[!0-9a-z]*"),
            (
                "/o/k[1]/sm_90a/k.cubin",
                "sm_90a /o/k[[]1[]]/sm_90a/**/*.cubin",
            ),
            (
                "/o/libnvinfer_builder_resource_sm86.so.10.8.0",
                "sm_86 /o/*sm86[!0-9a-z]*",
            ),
            ("/o/both_gfx90a_gfx942.co", ""),
            ("/o/gfx942/readme.txt", ""),
            ("/o/rocblas/library/TensileLibrary_fallback.dat", ""),
            ("/o/big-gfx942/kernel.co", ""),
            ("/games/gfx1030.dat", ""),
            ("/o/prism80.cubin", ""),
            ("/o/gfxbrush.co", ""),
        ] {
            let mut builder = TreeBuilder::default();
            builder.add_path(path.as_bytes(), Entry::new(FileKind::Regular));
            let tree = builder.finish().0;
            let file = tree.lookup(path.as_bytes()).expect("it was added");
            let found =
                code(&tree, file).map(|code| format!("{} {}", code.architecture, code.glob));
            assert_eq!(found.unwrap_or_default(), expected, "{path}");
        }
    }
}
