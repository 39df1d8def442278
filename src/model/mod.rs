//! Plain facts about one guest. No input or output, no serialisation, no opinion.

pub mod bytes;
pub mod component;
pub mod glob;
pub mod inventory;
pub mod need;
pub mod os;
pub mod package;
pub mod table;
pub mod text;
pub mod tree;
mod tree_builder;
mod tree_links;
pub mod warning;

pub use bytes::Bytes;
pub use component::{Component, Components, Module};
pub use inventory::Inventory;
pub use need::{Evidence, FinderId, Need, Node, Unmet};
pub use os::{BootChain, BootRoot, FileSystem, Mount, Os, Partition};
pub use package::{Clause, Package, PackageId, Relation, VersionBound};
pub use tree::{FileId, FileKind, FileTree, Resolved};
pub use tree_builder::{Entry, TreeBuilder};
pub use warning::{Warning, Warnings};
