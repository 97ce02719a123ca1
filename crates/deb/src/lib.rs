//! Debian: Release, Packages, .deb, what dpkg and apt record.

pub mod deb822;
mod error;
mod hex;
pub mod packages;
mod paths;
pub mod relation;
pub mod version;

pub use error::Error;
