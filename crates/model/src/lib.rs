//! The words that every room of bareroot speaks.
//!
//! Nothing here does I/O. A type lives here when two rooms that do not know each other must agree on it:
//! [`Digest`], [`Package`], [`Entry`], [`Event`], [`Class`], [`Cancel`].

mod cancel;
mod class;
mod digest;
mod entry;
mod event;
mod package;

pub use cancel::{Cancel, Cancelled};
pub use class::{Class, Classified, is_exhausted};
pub use digest::{Digest, ParseDigestError};
pub use entry::{Entry, Kind};
pub use event::{Event, InputProblem, Null, Observer, Phase, Recorder};
pub use package::{Package, Reason};
