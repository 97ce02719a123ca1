//! Keyrings, OpenPGP signatures and digest chains: the only mint of [`Trusted`] and [`Verified`].
//!
//! A signed index becomes [`Trusted`] bytes; what it says of further files becomes a [`Trusted`] [`Expected`]; a
//! [`Verifier`] turns that, and the bytes of a file, into a [`Proof`]; and a proof makes a [`Verified`] value, which
//! is all that may ever be unpacked. Nothing here fetches or writes anything.

mod armor;
mod blob;
mod candidate;
mod clearsign;
mod error;
mod expected;
mod hex;
mod keyring;
mod packet;
mod policy;
mod time;
mod trusted;
mod validity;
mod verified;
mod verify;

pub use blob::{Blob, BlobReader};
pub use error::Error;
pub use expected::{Expected, Proof, Verifier};
pub use keyring::{CertKey, Certificate, KeyInfo, Keyring};
pub use policy::Policy;
pub use trusted::{Trusted, Waiver};
pub use verified::Verified;
pub use verify::{
    PackageSignature, verify_cleartext, verify_detached, verify_package, waive_cleartext, waive_package,
};
