//! Which helpers of a target may be stood in for: those whose text was read, by its digest.

use bareroot_model::Digest;
use sha2::{Digest as _, Sha256};

/// A helper program of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Helper {
    /// init-system-helpers' `deb-systemd-helper`.
    DebSystemdHelper,
    /// dpkg's `dpkg-maintscript-helper`.
    DpkgMaintscriptHelper,
    /// debconf's `frontend`.
    DebconfFrontend,
}

impl Helper {
    /// Its path in a root.
    pub fn path(self) -> &'static str {
        match self {
            Helper::DebSystemdHelper => "/usr/bin/deb-systemd-helper",
            Helper::DpkgMaintscriptHelper => "/usr/bin/dpkg-maintscript-helper",
            Helper::DebconfFrontend => "/usr/share/debconf/frontend",
        }
    }

    /// Where its stand-in is found by PATH; debconf's frontend is called by its path, and is stood in for there.
    pub fn stand_in(self) -> Option<&'static str> {
        match self {
            Helper::DebSystemdHelper => Some("/dev/.bareroot/bin/deb-systemd-helper"),
            Helper::DpkgMaintscriptHelper => Some("/dev/.bareroot/bin/dpkg-maintscript-helper"),
            Helper::DebconfFrontend => None,
        }
    }
}

/// A file of the target and the digests under which its text was read.
type Known = (&'static str, &'static [&'static str]);

const DEB_SYSTEMD_HELPER: &[Known] = &[(
    "/usr/bin/deb-systemd-helper",
    // bookworm, trixie, sid (bullseye's orders the links differently)
    &["a895d5f077651960b6ca4ed9c53f8b36eae422ae170f61c972d0c6579e9f8732"],
)];

const DPKG_MAINTSCRIPT_HELPER: &[Known] = &[(
    "/usr/bin/dpkg-maintscript-helper",
    &[
        "ab44bb8f3454a2ef0991dcfd832c99e89747f6a9624ffc7095786530f627e2ff", // dpkg 1.21.23
        "164ae6cd468674eea2f5dd7208f9ebac191b20bb0c0ac726560eb313b798d577", // dpkg 1.22.22
        "76b89b92b0ba2f4144ea0acd5ca5303b17be201d0188bd27fb4d85be19e2528c", // dpkg 1.23.11
    ],
)];

const DEBCONF: &[Known] = &[
    (
        "/usr/share/debconf/frontend",
        &[
            "4425ec2e272875006ca7dde26d1c11b79a0a3570ececcd11f65baddd4b474ae0", // bullseye
            "030ccf14183171765689c3c8982d60eeb6295e32c4444661767389803eb38a62", // bookworm
            "200c5c0f4c7ad7770e6bb192e14b5d7d668a698d661595f5836e04a365b85293", // trixie, sid
        ],
    ),
    (
        "/usr/share/perl5/Debconf/ConfModule.pm",
        &[
            "387c6f3a403d3e4cd862b3e68450ab014be1b3b7b6c5824e09ad2f590aae2314",
            "2aeb2dc9fdb7d9511a8839f894484bc8d5ac0e9b0dc22a9d43b1c339ccb5bef9",
            "010edf4ec588ad8fc1856f37ea9767b6b8e5eeb82017ce922d887c671358be8f",
        ],
    ),
    (
        "/usr/share/perl5/Debconf/AutoSelect.pm",
        &[
            "1ba6314adcb7339b9730255a752b78863688d7628fe75fe5d02ea04607b7f80d",
            "f2a6ec2142d76cc775668f239e0210d769d5329c2ae494b1af51a52fcb8f387b",
        ],
    ),
    (
        "/usr/share/perl5/Debconf/Db.pm",
        &[
            "c0e7a554455e3cf9c42d937bbc8a701627b43f048cbf7a1d7590af44f218338f",
            "ee568caf310d037671e28f5aca28526bb9509ac88897e1be437d5570d678b254",
        ],
    ),
];

/// Words of a maintainer script that uses debconf's database behind the frontend's back: with the resident holding
/// the database, such a script would fail or be forgotten.
const BEHIND_THE_FRONTEND: &[&str] = &[
    "debconf-communicate",
    "debconf-set-selections",
    "debconf-show",
    "debconf-copydb",
    "dpkg-preconfigure",
    "dpkg-reconfigure",
    "var/cache/debconf",
];

/// Chooses the helpers to stand in for. `read` gives a file of the target by its path; `scripts` are the maintainer
/// scripts that are going to run.
pub fn choose<'s>(
    read: impl Fn(&str) -> Option<Vec<u8>>,
    scripts: impl IntoIterator<Item = &'s [u8]>,
) -> Vec<Helper> {
    let is_known = |files: &[Known]| {
        files.iter().all(|(path, digests)| {
            read(path).is_some_and(|bytes| {
                let digest = Digest::new(Sha256::digest(bytes).into()).to_string();
                digests.contains(&digest.as_str())
            })
        })
    };
    let mut chosen = Vec::new();
    for (helper, files) in [
        (Helper::DebSystemdHelper, DEB_SYSTEMD_HELPER),
        (Helper::DpkgMaintscriptHelper, DPKG_MAINTSCRIPT_HELPER),
        (Helper::DebconfFrontend, DEBCONF),
    ] {
        if is_known(files) {
            chosen.push(helper);
        }
    }
    if scripts.into_iter().any(goes_behind) {
        chosen.retain(|helper| *helper != Helper::DebconfFrontend);
    }
    chosen
}

/// Whether a script names one of these words where it could run it: not in a comment, and not in a message.
fn goes_behind(script: &[u8]) -> bool {
    let names = |line: &[u8]| {
        BEHIND_THE_FRONTEND
            .iter()
            .any(|word| line.windows(word.len()).any(|window| window == word.as_bytes()))
    };
    script
        .split(|byte| *byte == b'\n')
        .any(|line| names(what_runs(line)))
}

/// The part of a line that may run something: of a message, what it is piped into.
fn what_runs(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_start();
    if line.starts_with(b"#") {
        return b"";
    }
    if line.starts_with(b"echo ") || line.starts_with(b"printf ") {
        return line
            .iter()
            .position(|byte| b"|;&`$".contains(byte))
            .map_or(b"", |at| &line[at..]);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_text_is_not_stood_in_for() {
        assert_eq!(choose(|_| Some(b"#!/usr/bin/perl\n".to_vec()), []), []);
        assert_eq!(choose(|_| None, []), []);
    }

    #[test]
    fn every_digest_is_one() {
        for (_, digests) in [DEB_SYSTEMD_HELPER, DPKG_MAINTSCRIPT_HELPER, DEBCONF].concat() {
            for digest in digests {
                assert!(digest.parse::<Digest>().is_ok(), "{digest}");
            }
        }
    }

    #[test]
    fn scripts_behind_the_frontend_are_seen() {
        assert!(goes_behind(b"#!/bin/sh\necho x | debconf-set-selections\n"));
        assert!(!goes_behind(
            b"#!/bin/sh\n. /usr/share/debconf/confmodule\ndb_get x\n"
        ));
    }
}
