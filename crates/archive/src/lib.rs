//! Bytes to entries: ar, tar, decompressors, and the limits that hostile archives run into.
//!
//! * [`decoder`] and [`parallel_xz`] decompress, [`Limits`] bounds what comes out and what is kept in memory;
//! * [`deb_members`] finds the two archives in a .deb file (deb(5));
//! * [`TarReader`] reads the tar dialects that dpkg reads, entry by entry, in constant memory.
//!
//! Nothing here touches a file system.

mod compression;
mod debfile;
mod decode;
mod error;
mod tar;

pub use compression::Compression;
pub use debfile::{DebLayout, Member, deb_members};
pub use decode::{Limits, decoder, parallel_xz};
pub use error::Error;
pub use tar::{TarLimits, TarReader};
