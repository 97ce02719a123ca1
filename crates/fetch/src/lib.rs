//! Mirrors, proxies, resume, retry, cache, one flight per file.
//!
//! A [`Fetcher`] turns a [`Location`] and what a signed index says about it into a `Verified<Blob>`: from the cache, else
//! from the first mirror that has it, hashed while it arrives, resumed where it broke off, and only then visible under
//! its digest. What no digest is known for yet (a Release file) comes as plain bytes, bounded, for `trust` to judge.
//!
//! Nothing here calls getaddrinfo(3) or getpwnam(3): the program is static, and glibc's need the very same glibc's
//! modules at run time. Names are resolved from `/etc/hosts` and by the servers of `/etc/resolv.conf`; without those,
//! only addresses and `localhost` work, and no public resolver is ever asked.

mod cache;
mod error;
mod fetcher;
mod location;
mod net;
mod settings;

pub use cache::{Broken, Cache, Checked, Derived, Kind, Pruned, Removed, Size};
pub use error::Error;
pub use fetcher::{Fetcher, Request, Unjudged};
pub use location::{Location, without_credentials};
pub use net::{NameFiles, Netrc, Proxies, Roots};
pub use settings::Settings;
