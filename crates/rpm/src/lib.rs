//! What an RPM package is: EVR, dependencies, headers, package files and their payloads, scriptlets, transaction order.

pub mod blob;
pub mod caps;
mod dependency;
mod error;
mod evr;
mod header;
mod package;
mod payload;
mod pubkey;
pub mod rich;
mod tag;

pub use dependency::{Dependency, Sense, overlap, ranges_overlap};
pub use error::Error;
pub use evr::{Evr, rpmvercmp};
pub use header::{
    DependencyKind, File, FileFlags, FileTrigger, Files, Header, Limits, MAGIC, Nevra, Region, Scriptlet,
    ScriptletKind, Trigger, TriggerCondition,
};
pub use package::{Covers, PackageFile, PackageSignature};
pub use payload::{FileChoice, Payload, State};
pub use pubkey::{KeyName, Pubkey};
pub use tag::Tag;
