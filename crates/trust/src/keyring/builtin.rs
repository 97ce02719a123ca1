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
    use crate::hex;
    use crate::validity::{Refusal, Times, judge};

    /// 23 November 2026, when the keyrings were taken.
    const TAKEN: u64 = 1_795_392_000;

    /// What the README says of the expiry of a key: the day, and whether it says that it is past.
    fn documented(fingerprint: &str) -> (Option<&'static str>, bool) {
        let readme = include_str!("../../keyrings/README.md");
        let line = readme
            .lines()
            .find_map(|line| line.strip_prefix("- `")?.strip_prefix(fingerprint))
            .unwrap_or_else(|| panic!("{fingerprint} is not documented"));
        let day = |word| line.split(word).nth(1).and_then(|rest| rest.get(..10));
        match day(", expired ") {
            Some(day) => (Some(day), true),
            None => (day(", expires "), false),
        }
    }

    #[test]
    fn every_primary_key_is_valid_or_marked_as_expired() {
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
                    Err(Refusal::Invalid(_)) if ["alma", "grml"].contains(&id) => {}
                    other => panic!("{id} {cert:?}: {other:?}"),
                }
                let fingerprint = hex::upper(cert.primary());
                let (day, past) = documented(&fingerprint);
                let expired = match judged(TAKEN, true) {
                    Ok(()) => false,
                    Err(Refusal::Invalid(_)) if ["alma", "grml"].contains(&id) => false,
                    Err(Refusal::Expired(_)) => true,
                    other => panic!("{id} {cert:?}: {other:?}"),
                };
                // The keyrings of archived releases are of expired keys: the file says so once.
                if !id.ends_with("-removed") {
                    let by_day = day.is_some_and(|day| day < "2026-11-23");
                    assert_eq!((expired, past), (by_day, by_day), "{id} {fingerprint}");
                }
            }
        }
    }

    /// Of the RPM distributions only this key has expired, and its certificate has another that signs.
    #[test]
    fn expired_keys_of_rpm_distributions_are_known() {
        let rpm = [
            "alma",
            "amazon",
            "azurelinux",
            "centos",
            "epel",
            "fedora",
            "mageia",
            "opensuse",
            "redhat",
            "rocky",
        ];
        let expired: Vec<String> = rpm
            .iter()
            .flat_map(|id| find(id).unwrap().fingerprints())
            .filter(|fingerprint| documented(fingerprint).1)
            .collect();
        assert_eq!(expired, ["5E9B8F5617B5066CE92057C3488FCF7C3ABB34F8"]);
        assert!(rpm.iter().all(|id| find(id).unwrap().certs().iter().all(|cert| {
            let key = cert.body(&cert.components[0]);
            cert::weakness(key).is_none()
        })));
    }
}
