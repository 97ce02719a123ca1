//! A database of rpm's that the user named: found, read, and exchanged for another in its place.
//!
//! What is named is a root, the database's directory, or its file; the kind is recognised by content.

mod error;
mod exchange;
mod found;
mod lock;

pub use bareroot_rpm_db::{
    Backend, ByteOrder, Contents, Database, Record, Source, dump, header_list, verify,
};
pub use error::Error;
pub use exchange::{Exchanged, place};
pub use found::{Found, Loaded};
