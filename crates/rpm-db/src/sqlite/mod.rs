//! rpm's sqlite database (rpm's lib/backend/sqlite.c).

mod log;
mod plain;
mod read;
mod record;
mod tree;
mod write;

pub(crate) use log::{alone, merged};
pub(crate) use read::{is_table, open, read};
pub(crate) use write::Sqlite;
