//! The story of a root, one short module a chapter:
//!
//! ```text
//! plan -> index -> solve -> prepare -> fetch | verify | unpack -> record -> configure -> finish
//! ```
//!
//! [`bootstrap`] tells it from a [`Request`] to a [`Target`], a directory or an archive; [`resolve`] stops after the
//! solution; [`export`] makes an archive of a root that is there.

mod bounded;
mod carry;
pub mod catalogue;
mod clone;
mod context;
mod deb;
mod emulation;
mod error;
mod export;
mod hooks;
mod kept;
mod lock;
mod log;
mod mirror;
mod mode;
mod older;
mod pipeline;
mod plan;
mod recipe;
mod request;
mod resolution;
mod rpm;
pub mod rpmdb;
mod second_stage;
mod site;
mod snapshot;
mod story;
mod target;
mod threads;
mod tools;
mod visit;

pub use bareroot_carry::{
    Item as CarryItem, Placed as CarryPlaced, Plan as CarryPlan, Request as CarryRequest, What as CarryWhat,
};
pub use bareroot_copy::Summary as CloneSummary;
pub use bareroot_export::Format;
pub use bareroot_rpm_script::BUILTINS;
pub use carry::carry;
pub use clone::{CloneOrder, clone};
pub use context::Context;
pub use error::Error;
pub use export::{export, remove};
pub use lock::{
    LockReport, Order as LockOrder, Upgrade, lock, read as read_lock, request_of as request_of_lock,
};
pub use mirror::{MirrorOrder, MirrorReport, check_mirror, mirror};
pub use older::Older;
pub use recipe::{read as read_recipe, request_of as request_of_recipe};
pub use request::{CacheChoice, Filter, Hook, HookKind, LockUse, Request, Variant, Waivers};
pub use resolution::{Resolution, resolve};
pub use second_stage::second_stage;
pub use snapshot::Snapshot;
pub use story::{Report, bootstrap};
pub use target::{Destination, Target};
pub use visit::{enter, mode_for};
