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
const BUILTIN: &[Builtin] = &[
    Builtin {
        id: "alma",
        bytes: include_bytes!("../../keyrings/alma.gpg"),
        historic: false,
    },
    Builtin {
        id: "amazon",
        bytes: include_bytes!("../../keyrings/amazon.gpg"),
        historic: false,
    },
    Builtin {
        id: "azurelinux",
        bytes: include_bytes!("../../keyrings/azurelinux.gpg"),
        historic: false,
    },
    Builtin {
        id: "centos",
        bytes: include_bytes!("../../keyrings/centos.gpg"),
        historic: false,
    },
    Builtin {
        id: "debian",
        bytes: include_bytes!("../../keyrings/debian.gpg"),
        historic: false,
    },
    Builtin {
        id: "debian-ports",
        bytes: include_bytes!("../../keyrings/debian-ports.gpg"),
        historic: false,
    },
    Builtin {
        id: "debian-removed",
        bytes: include_bytes!("../../keyrings/debian-removed.gpg"),
        historic: true,
    },
    Builtin {
        id: "epel",
        bytes: include_bytes!("../../keyrings/epel.gpg"),
        historic: false,
    },
    Builtin {
        id: "fedora",
        bytes: include_bytes!("../../keyrings/fedora.gpg"),
        historic: false,
    },
    Builtin {
        id: "grml",
        bytes: include_bytes!("../../keyrings/grml.gpg"),
        historic: false,
    },
    Builtin {
        id: "kicksecure",
        bytes: include_bytes!("../../keyrings/kicksecure.gpg"),
        historic: false,
    },
    Builtin {
        id: "mageia",
        bytes: include_bytes!("../../keyrings/mageia.gpg"),
        historic: false,
    },
    Builtin {
        id: "mobian",
        bytes: include_bytes!("../../keyrings/mobian.gpg"),
        historic: false,
    },
    Builtin {
        id: "opensuse",
        bytes: include_bytes!("../../keyrings/opensuse.gpg"),
        historic: false,
    },
    Builtin {
        id: "raspberrypi",
        bytes: include_bytes!("../../keyrings/raspberrypi.gpg"),
        historic: false,
    },
    Builtin {
        id: "redhat",
        bytes: include_bytes!("../../keyrings/redhat.gpg"),
        historic: false,
    },
    Builtin {
        id: "rocky",
        bytes: include_bytes!("../../keyrings/rocky.gpg"),
        historic: false,
    },
    Builtin {
        id: "ubuntu",
        bytes: include_bytes!("../../keyrings/ubuntu.gpg"),
        historic: false,
    },
    Builtin {
        id: "ubuntu-removed",
        bytes: include_bytes!("../../keyrings/ubuntu-removed.gpg"),
        historic: true,
    },
];

pub(super) fn ids() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|builtin| builtin.id)
}

pub(super) fn find(id: &str) -> Option<Keyring> {
    let builtin = BUILTIN.iter().find(|builtin| builtin.id == id)?;
    let mut keyring = Keyring {
        certs: cert::split(Arc::new(Cow::Borrowed(builtin.bytes))).ok()?,
    };
    keyring.set_historic(builtin.historic);
    Some(keyring)
}

#[cfg(test)]
mod tests {
    use pgp::types::KeyDetails;

    use super::*;
    use crate::validity::{Refusal, Times, judge};

    /// 23 November 2026, when the keyrings were taken.
    const TAKEN: u64 = 1_795_392_000;

    #[test]
    fn every_primary_key_is_valid_or_has_expired() {
        let mut expired = Vec::new();
        for id in ids() {
            for cert in find(id).unwrap().certs() {
                let key = cert.key(&cert.components[0]).unwrap();
                let made = u64::from(key.created_at().as_secs()) + 7 * 86_400;
                let judged = |made, still| {
                    judge(
                        &[cert],
                        cert.primary(),
                        Times {
                            made,
                            now: TAKEN,
                            still,
                        },
                    )
                };
                match judged(made, false) {
                    Ok(()) => {}
                    // It certifies only: its subkey signs.
                    Err(Refusal::Invalid(_)) if ["alma", "grml"].contains(&id) => continue,
                    other => panic!("{id} {cert:?}: {other:?}"),
                }
                match judged(TAKEN, true) {
                    Ok(()) => {}
                    Err(Refusal::Expired(_)) => expired.push(id),
                    other => panic!("{id} {cert:?}: {other:?}"),
                }
            }
        }
        expired.dedup();
        assert_eq!(expired, ["debian-removed", "opensuse"]);
    }
}
