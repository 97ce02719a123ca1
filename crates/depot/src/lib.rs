//! Recipes and locks.
//!
//! A [`Recipe`] says in TOML what the command line can say. A [`Lock`] says which packages were chosen for it, with their
//! digests, so that a root can be made of it without an index. Nothing here resolves or fetches: `bootstrap` fills locks and
//! takes them up.

mod error;
pub mod lock;
mod nearest;
mod place;
pub mod recipe;

pub use error::Error;
pub use lock::Lock;
pub use recipe::Recipe;
