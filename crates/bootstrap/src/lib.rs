//! The story of a root, one short module a chapter:
//!
//! ```text
//! plan -> index -> solve -> prepare -> fetch | verify | unpack -> record -> configure -> finish
//! ```
//!
//! [`bootstrap`] tells it from a [`Request`] to a directory; [`resolve`] stops after the solution.

pub mod catalogue;
mod context;
mod deb;
mod error;
mod hooks;
mod kept;
mod log;
mod pipeline;
mod plan;
mod request;
mod resolution;
mod rpm;
pub mod rpmdb;
mod story;
mod tools;

pub use bareroot_rpm_script::BUILTINS;
pub use context::Context;
pub use error::Error;
pub use request::{CacheChoice, Filter, Hook, HookKind, Request, Variant, Waivers};
pub use resolution::{Resolution, resolve};
pub use story::{Report, bootstrap};
