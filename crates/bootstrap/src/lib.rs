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
mod lock;
mod log;
mod mode;
mod pipeline;
mod plan;
mod recipe;
mod request;
mod resolution;
mod rpm;
mod snapshot;
mod story;
mod tools;

pub use bareroot_rpm_script::BUILTINS;
pub use context::Context;
pub use error::Error;
pub use lock::{
    LockReport, Order as LockOrder, Upgrade, lock, read as read_lock, request_of as request_of_lock,
};
pub use recipe::{read as read_recipe, request_of as request_of_recipe};
pub use request::{CacheChoice, Filter, Hook, HookKind, LockUse, Request, Variant, Waivers};
pub use resolution::{Resolution, resolve};
pub use snapshot::Snapshot;
pub use story::{Report, bootstrap};
