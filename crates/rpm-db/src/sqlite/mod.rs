//! rpm's sqlite database (rpm's lib/backend/sqlite.c).

mod log;
mod read;
mod write;

pub(crate) use read::{is_table, open, read};
pub(crate) use write::Sqlite;

/// The file's name within the database's directory.
pub(crate) const FILE: &str = "rpmdb.sqlite";
