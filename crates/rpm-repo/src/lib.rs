//! What an RPM repository says: .repo files and their variables, repomd, metalinks, primary, filelists, comps, modules.

pub mod arch;
pub mod comps;
mod error;
pub mod filelists;
mod headers;
mod index;
pub mod metalink;
pub mod mirrorlist;
pub mod modules;
mod primary;
pub mod repofile;
pub mod repomd;
mod strings;
pub mod variables;
mod xml;
mod yaml;

pub use error::Error;
pub use headers::LocalPackage;
pub use index::{Checksum, FileKind, Index, Package, Relation, RelationKind};
