//! The `.deb`: who it is, what goes into dpkg's database, what goes into the root (deb(5)).

mod control;
mod error;
mod info;
pub(crate) mod stanza;

pub use control::Control;
pub use error::ArchiveError;
pub use info::InfoFile;
