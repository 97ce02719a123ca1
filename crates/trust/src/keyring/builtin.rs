use std::borrow::Cow;
use std::sync::Arc;

use super::{Keyring, cert};

/// A keyring that ships with bareroot.
struct Builtin {
    id: &'static str,
    bytes: &'static [u8],
    /// Whether it is for archived releases: see [`super::Cert::historic`].
    historic: bool,
}

/// Sorted by id.
const BUILTIN: &[Builtin] = &[];

pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|builtin| builtin.id)
}

pub(super) fn find(id: &str) -> Option<Keyring> {
    let builtin = BUILTIN.iter().find(|builtin| builtin.id == id)?;
    let mut certs = cert::split(Arc::new(Cow::Borrowed(builtin.bytes))).ok()?;
    certs.iter_mut().for_each(|cert| cert.historic = builtin.historic);
    Some(Keyring { certs })
}
