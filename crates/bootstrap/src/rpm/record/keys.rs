//! Which keys rpm's database gets.

use std::collections::HashSet;

use bareroot_rpm::{KeyName, Pubkey};
use bareroot_trust::{CertKey, Certificate};

use crate::rpm::index::IndexedRepo;
use crate::rpm::plan::{Check, Keys, Plan};
use crate::rpm::unpack::Arrived;

/// The rpm in whose name keys are imported where the root has none.
const RPM_VERSION: &str = "4.18.0";

/// The stored forms of the keys, in the order of repositories and keyrings. Of a repository whose packages are verified
/// come all keys that its `gpgkey` names, as dnf imports them; of a keyring that ships with bareroot, only the keys that
/// signed a package.
pub fn stored(plan: &Plan, repos: &[IndexedRepo], arrived: &[Arrived], time: u32) -> Vec<Vec<u8>> {
    let version = arrived
        .iter()
        .map(|package| package.file.header().nevra())
        .find(|nevra| nevra.name == "rpm")
        .map_or_else(|| RPM_VERSION.to_owned(), |nevra| nevra.version);
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for (number, (planned, repo)) in plan.repos.iter().zip(repos).enumerate() {
        let own = || arrived.iter().filter(|package| package.pick.repo == Some(number));
        if planned.gpgcheck == Check::Off || own().next().is_none() {
            continue;
        }
        let signers: Option<HashSet<String>> = match &planned.keys {
            Keys::At(_) => None,
            Keys::Known(_) => Some(
                own()
                    .flat_map(|package| package.file.signatures())
                    .filter_map(|signature| repo.keyring.named_by(&signature.packets))
                    .collect(),
            ),
        };
        for certificate in repo.keyring.certificates() {
            let fingerprint = &certificate.primary.fingerprint;
            let used = signers.as_ref().is_none_or(|used| used.contains(fingerprint));
            if used && seen.insert(fingerprint.clone()) {
                all.push(pubkey(&certificate).stored(time, &version));
            }
        }
    }
    all
}

fn pubkey(certificate: &Certificate) -> Pubkey<'_> {
    let name = |key: &CertKey| KeyName {
        id: key.id,
        created: key.created,
    };
    Pubkey {
        packets: &certificate.packets,
        primary: name(&certificate.primary),
        user: certificate.user.as_deref(),
        subkeys: certificate.signing_subkeys.iter().map(name).collect(),
    }
}
