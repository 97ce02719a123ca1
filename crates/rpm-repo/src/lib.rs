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

/// Whether a URL of a list that a server sent is of a network: any other would be a place on this host.
fn is_remote(url: &str) -> bool {
    let scheme = |wanted: &str| {
        url.get(..wanted.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(wanted))
    };
    scheme("http://") || scheme("https://")
}
