//! What rpm and dnf record: the rpm database of whatever kind, imported keys, dnf's history and state.
//!
//! Databases are read from memory and made in memory: no path inside a root is ever opened here.

mod backend;
mod bdb;
mod blob;
mod contents;
mod convert;
mod cookie;
mod database;
pub mod dnf4;
pub mod dnf5;
pub mod dump;
mod error;
pub mod header_list;
mod keys;
mod memory;
mod ndb;
mod rows;
mod sqlite;
pub mod state;
pub mod verify;
pub mod yum;
pub mod zypp;

pub use backend::Backend;
pub use bdb::ByteOrder;
pub use blob::Blob;
pub use contents::{Contents, Record, Source};
pub use convert::convert;
pub use database::{Database, DatabaseFile};
pub use error::Error;
pub use rows::{Row, TABLES, Table, rows};
