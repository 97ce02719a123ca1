mod builtin;
pub(crate) mod cert;
mod certificate;
mod files;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use cert::{Cert, Component, Kind};
pub use certificate::{CertKey, Certificate};

use crate::armor::{self, Outside};
use crate::{Error, hex};

/// The keys that may vouch for a repository.
///
/// Reading one only splits it into packets; what a key is worth is judged when a signature by it is met.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    certs: Vec<Cert>,
}

/// A key of a keyring, for messages and tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Fingerprint in upper-case hexadecimal.
    pub fingerprint: String,
    /// The fingerprint of the primary key that it belongs to; its own for a primary key.
    pub primary: String,
    /// The first user id of the certificate, as far as it is UTF-8.
    pub user: String,
}

impl Keyring {
    /// The keyring of a distribution that bareroot ships with: see `keyrings/README.md` for where each comes from.
    pub fn builtin(id: &str) -> Option<Keyring> {
        builtin::find(id)
    }

    /// The ids that [`builtin`](Keyring::builtin) knows, sorted.
    pub fn builtin_ids() -> impl Iterator<Item = &'static str> {
        builtin::ids()
    }

    /// All keys of these files, and of the files ending in `.gpg`, `.pgp` and `.asc` in these directories. What is in a
    /// file decides how it is read, not its name.
    pub fn from_paths(paths: &[PathBuf]) -> Result<Keyring, Error> {
        files::read(paths)
    }

    /// The keys of one keyring, binary or armored, or of an armored key in a deb822 `Signed-By` field as it stands there
    /// (indented, with ` .` for empty lines). `name` is for messages.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Keyring, Error> {
        let malformed = |reason: String| Error::KeyringMalformed {
            name: name.to_owned(),
            reason,
        };
        if bytes.get(8..12) == Some(b"KBXf") {
            return Err(Error::Keybox {
                name: name.to_owned(),
            });
        }
        if bytes.first().is_some_and(|b| b & 0x80 != 0) {
            let certs =
                cert::split(Arc::new(Cow::Owned(bytes.to_vec()))).map_err(|e| malformed(e.to_owned()))?;
            return Keyring { certs }.not_empty(name);
        }
        let unindented = armor::lines(bytes).map(|line| match line.trim_ascii_start() {
            b"." | b".\r" => b"".as_slice(),
            line => line,
        });
        let blocks = armor::blocks(unindented, 0, Outside::Skip).map_err(|e| malformed(e.to_string()))?;
        let mut keyring = Keyring::default();
        for block in blocks {
            match block.label.as_str() {
                "PUBLIC KEY BLOCK" => {
                    let certs = cert::split(Arc::new(Cow::Owned(block.bytes)))
                        .map_err(|e| malformed(e.to_owned()))?;
                    keyring.certs.extend(certs);
                }
                other => return Err(malformed(format!("it holds an armored {}", other.to_lowercase()))),
            }
        }
        keyring.not_empty(name)
    }

    /// Adds the keys of another keyring. Where both have a key, what either says against it counts.
    pub fn extend(&mut self, other: Keyring) {
        self.certs.extend(other.certs);
    }

    /// Only the keys with these fingerprints, as apt reads `Signed-By`: the fingerprint of a primary key lets its subkeys
    /// sign too, unless an exclamation mark follows it; the fingerprint of a subkey means that subkey alone. Nothing
    /// may be left: then no signature is good.
    pub fn restrict(&self, fingerprints: &[String]) -> Result<Keyring, Error> {
        let pins = fingerprints
            .iter()
            .map(|text| Pin::parse(text))
            .collect::<Result<Vec<_>, _>>()?;
        let mut certs = self.certs.clone();
        for cert in &mut certs {
            let primary = cert.primary().to_vec();
            for component in &mut cert.components {
                if let Kind::Key {
                    fingerprint,
                    may_sign,
                    ..
                } = &mut component.kind
                {
                    *may_sign &= pins.iter().any(|pin| pin.allows(fingerprint, &primary));
                }
            }
        }
        certs.retain(|cert| cert.signers().next().is_some());
        Ok(Keyring { certs })
    }

    /// Whether there is no key in it that may sign.
    pub fn is_empty(&self) -> bool {
        self.certs.is_empty()
    }

    /// Every key that may sign, primary keys and subkeys, in the keyring's order.
    pub fn keys(&self) -> Vec<KeyInfo> {
        let of = |cert: &Cert| {
            let (primary, user) = (hex::upper(cert.primary()), cert.user());
            cert.signers()
                .map(|(_, fingerprint)| KeyInfo {
                    fingerprint: hex::upper(fingerprint),
                    primary: primary.clone(),
                    user: user.clone(),
                })
                .collect::<Vec<_>>()
        };
        self.certs.iter().flat_map(of).collect()
    }

    /// The fingerprints of the primary keys, in upper-case hexadecimal.
    pub fn fingerprints(&self) -> Vec<String> {
        self.certs.iter().map(|cert| hex::upper(cert.primary())).collect()
    }

    /// Sets whether expiry is judged at the time of a signature only: see [`Cert::historic`].
    pub(crate) fn set_historic(&mut self, historic: bool) {
        self.certs.iter_mut().for_each(|cert| cert.historic = historic);
    }

    pub(crate) fn certs(&self) -> &[Cert] {
        &self.certs
    }

    fn not_empty(self, name: &str) -> Result<Keyring, Error> {
        if self.certs.is_empty() {
            return Err(Error::KeyringEmpty {
                name: name.to_owned(),
            });
        }
        Ok(self)
    }
}

/// One fingerprint of `Signed-By`.
struct Pin {
    fingerprint: String,
    exact: bool,
}

impl Pin {
    fn parse(text: &str) -> Result<Pin, Error> {
        let (hex, exact) = match text.trim().strip_suffix('!') {
            Some(hex) => (hex, true),
            None => (text.trim(), false),
        };
        if !matches!(hex.len(), 40 | 64) || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::Fingerprint {
                text: text.to_owned(),
            });
        }
        Ok(Pin {
            fingerprint: hex.to_ascii_uppercase(),
            exact,
        })
    }

    fn allows(&self, key: &[u8], primary: &[u8]) -> bool {
        self.fingerprint == hex::upper(key) || !self.exact && self.fingerprint == hex::upper(primary)
    }
}
