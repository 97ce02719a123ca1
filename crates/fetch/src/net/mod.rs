//! What speaks HTTP: names, certificates, proxies, credentials, connections, one request with its redirections.

mod lanes;
mod names;
mod netrc;
mod proxies;
mod request;
mod roots;
mod watch;

pub use names::NameFiles;
pub use netrc::Netrc;
pub use proxies::Proxies;
pub use roots::Roots;

pub(crate) use lanes::{Lane, Lanes};
pub(crate) use request::{Ask, Opened};
pub(crate) use watch::Watch;
