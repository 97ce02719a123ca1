//! A running system, or any other tree, as a root of its own: what to take, and copying it fast.
//!
//! [`copy`] fills a directory from a source, on every core; [`survey`] only says what it would take. Everything goes by
//! descriptors of directories and single names: no link of the source is followed, no path is too long, and whoever renames in
//! the source meanwhile changes what is read, never where it is written.
//!
//! What is copied is types, modes, owners, times, extended attributes (ACLs and capabilities are such), hard links and holes.
//! Contents are shared where the file system can (FICLONE), else copied by the kernel, else read and written, as was found out
//! once for each pair of file systems.
//!
//! A source that is in use changes. Each path that did while it was read is told ([`bareroot_model::Event::Input`]) and
//! counted; the copy has what was read.

mod archive;
mod attributes;
mod contents;
mod copy;
mod directory;
mod engine;
mod error;
mod fresh;
mod glob;
mod links;
mod listing;
mod look;
mod mounts;
mod node;
mod queue;
mod select;
mod source;
mod survey;
mod tally;
mod walk;

pub use archive::archive;
pub use copy::{Settings, Source, copy};
pub use error::Error;
pub use fresh::{Act, RULES, Rule};
pub use glob::Glob;
pub use select::Selection;
pub use source::{Owners, OwnersMap};
pub use survey::survey;
pub use tally::Summary;
