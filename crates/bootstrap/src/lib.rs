//! The story of a root, one short module a chapter:
//!
//! ```text
//! plan -> index -> solve -> prepare -> fetch | verify | unpack -> record -> configure -> finish
//! ```
//!
//! [`bootstrap`] tells it from a [`Request`] to a directory; [`resolve`] stops after the solution.

pub mod catalogue;
mod configure;
mod context;
mod error;
mod finish;
mod hooks;
mod index;
mod plan;
mod prepare;
mod record;
mod request;
mod resolution;
mod solve;
mod story;
mod tools;
mod unpack;

pub use context::Context;
pub use error::Error;
pub use request::{CacheChoice, Filter, Hook, HookKind, Request, Variant, Waivers};
pub use resolution::{Resolution, resolve};
pub use story::{Report, bootstrap};
