//! What an RPM repository says: .repo files and their variables, repomd, metalinks, primary, filelists, comps, modules.

pub mod arch;
pub mod comps;
mod error;
pub mod filelists;
mod index;
pub mod metalink;
pub mod mirrorlist;
mod primary;
pub mod repofile;
pub mod repomd;
mod strings;
pub mod variables;
mod xml;

pub use error::Error;
pub use index::{Checksum, FileKind, Index, Package, Relation, RelationKind};
