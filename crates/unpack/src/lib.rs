//! The only writer of package paths.
//!
//! * [`Root`] is the directory that is being made, as a value: every path given to it is looked up inside it, and no
//!   symbolic link in it, absolute or with `..`, leads out of it.
//! * [`Staging`] is where a root grows: a locked directory beside the target (or inside it, where the target is a mount
//!   point), renamed when it is whole and removed when it is not.
//! * [`Placer`] puts the payloads of many packages into a root from many threads at once. The result is the one that
//!   unpacking them one by one in the solution's order has: see [`Placer`] for the rules.
//!
//! * [`Output`] is to a file what [`Staging`] is to a root, and a [`Scratch`] is a root that only an archive is made of.
//! * [`remove_root`] removes a root.
//!
//! Everything goes through descriptors (`openat2`, `O_NOFOLLOW`, `O_EXCL`); a path of a package is never joined to a
//! path of the host. Nothing here syncs, but [`Staging::commit`] once.

mod error;
mod owners;
mod payload;
mod place;
mod removal;
mod root;
mod staging;
mod sys;

pub use error::{Error, Escape};
pub use payload::{Payload, PayloadError};
pub use place::{
    Alone, Conffiles, Devices, Directories, Diversion, Diversions, Filter, Installed, Md5, NameTable, Order,
    Outcome, Override, Ownership, PathKind, PathRecord, Placed, Placer, PlacerSettings, Relations, Subject,
    Summary, Taken,
};
pub use removal::remove_root;
pub use root::{DirEntry, FileKind, Node, Ready, Root, Stat, Walk, WalkEntry};
pub use staging::{Output, Scratch, Staging, is_staging_name};
