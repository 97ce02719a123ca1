//! Running maintainer scripts: with which environment and arguments, in which order, and what went wrong.
//!
//! Everything here is pure; `enter` runs what this describes. The preinsts are run by us as dpkg runs them (its
//! `maintscript_exec`, deb-preinst(5)), everything after that by the root's own `dpkg --configure -a`.

mod configure;
mod divert;
mod environment;
mod generated;
mod monitor;
mod preinst;

pub use configure::{Configure, STATUS_FD, configure};
pub use divert::{Diverts, diversions};
pub use environment::{Variables, environment};
pub use generated::is_generated;
pub use monitor::{Failure, Line, Monitor};
pub use preinst::{Preinst, Subject, preinsts, running_version};
