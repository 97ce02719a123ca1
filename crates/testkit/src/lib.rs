//! Tests only: builds debs, rpms, repositories and keys; a mirror that misbehaves on request; a tree differ; a distribution
//! that bootstraps without a network.

pub mod base;
mod compress;
pub mod deb;
pub mod disk;
pub mod door;
pub mod harness;
pub mod headers;
pub mod keys;
pub mod launch;
pub mod memory;
pub mod mirror;
pub mod mutate;
pub mod programs;
pub mod repo;
pub mod rpm;
pub mod rpm_base;
pub mod rpm_repo;
pub mod seed;
mod sign;
pub mod tracer;
pub mod tree;
pub use compress::Compression;
pub use sign::Signer;
