//! Debian: Release, Packages, .deb, what dpkg and apt record.

pub mod archive;
pub mod deb822;
mod error;
mod hex;
pub mod host_apt;
pub mod packages;
mod paths;
pub mod record;
pub mod relation;
pub mod release;
pub mod scripts;
pub mod select;
pub mod sources;
pub mod version;

pub use error::Error;
