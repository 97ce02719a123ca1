//! The story of a root, one short module a chapter:
//!
//! ```text
//! plan -> index -> solve -> prepare -> fetch | verify | unpack -> record -> configure -> finish
//! ```
//!
//! [`bootstrap`] tells it from a [`Request`] to a [`Target`], a directory or an archive; [`resolve`] stops after the
//! solution; [`export`] makes an archive of a root that is there.

pub mod catalogue;
mod context;
mod deb;
mod emulation;
mod error;
mod export;
mod hooks;
mod kept;
mod log;
mod mode;
mod pipeline;
mod plan;
mod request;
mod resolution;
mod rpm;
pub mod rpmdb;
mod second_stage;
mod site;
mod story;
mod target;
mod tools;
mod visit;

pub use bareroot_export::Format;
pub use bareroot_rpm_script::BUILTINS;
pub use context::Context;
pub use error::Error;
pub use export::{export, remove};
pub use request::{CacheChoice, Filter, Hook, HookKind, Request, Variant, Waivers};
pub use resolution::{Resolution, resolve};
pub use second_stage::second_stage;
pub use story::{Report, bootstrap};
pub use target::{Destination, Target};
pub use visit::{enter, mode_for};
