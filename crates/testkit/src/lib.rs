//! Tests only: builds debs, repositories and keys; a mirror that misbehaves on request; a tree differ.

mod compress;
pub mod deb;
pub mod mirror;
pub mod repo;
mod sign;
pub mod tree;
pub use compress::Compression;
pub use sign::Signer;
