//! Real metadata, read whole.

use std::collections::BTreeMap;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use bareroot_archive::{Compression, Limits, decoder};
use bareroot_rpm_repo::comps::Comps;
use bareroot_rpm_repo::repomd::{DataKind, Digests, Repomd};
use bareroot_rpm_repo::{Index, RelationKind};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name)
}

fn unpacked(name: &str) -> Vec<u8> {
    let bytes = std::fs::read(fixture(name)).unwrap();
    let mut plain = Vec::new();
    decoder(Compression::Gzip, &bytes[..], Limits::default())
        .unwrap()
        .read_to_end(&mut plain)
        .unwrap();
    plain
}

#[test]
fn opensuse_11_0_update() {
    let text = std::fs::read(fixture("opensuse-11.0-update/repomd.xml")).unwrap();
    let repomd = Repomd::parse("repomd.xml", &text).unwrap();
    let primary = repomd.best(DataKind::Primary).unwrap();
    assert_eq!(primary.location, "repodata/primary.xml.gz");
    assert_eq!(primary.checksum.0, "sha");
    let error = primary
        .expected("repomd.xml", Digests::Strong)
        .unwrap_err()
        .to_string();
    assert!(error.contains("only a sha digest"), "{error}");
    let weak = primary.expected("repomd.xml", Digests::Old).unwrap();
    assert_eq!(
        weak.sha1().map(|sha1| sha1[..4].to_vec()),
        Some(vec![0xc1, 0xd8, 0xb4, 0xa7])
    );

    let plain = unpacked("opensuse-11.0-update/primary.xml.gz");
    // Packages of both architectures are in it: a root of either takes its own, x86_64 the 32-bit ones too.
    let read = |arch| Index::read("primary.xml", &plain[..], arch).unwrap();
    let index = read("x86_64");
    let mut archs: BTreeMap<&str, usize> = BTreeMap::new();
    for package in index.packages() {
        *archs.entry(package.arch()).or_default() += 1;
        assert!(package.size() > 0 && !package.location().is_empty() && package.checksum().kind == "sha");
        let own = package
            .relations(RelationKind::Provides)
            .find(|p| p.name == package.name());
        assert!(
            own.is_some_and(|own| own.evr.version == package.version()),
            "{package:?}"
        );
    }
    let ppc = read("ppc").len();
    let all: usize = archs.values().sum();
    assert_eq!(
        plain.windows(9).filter(|window| window == b"<package ").count(),
        2_430
    );
    assert!(
        archs.contains_key("x86_64") && archs.contains_key("i586") && ppc > 0,
        "{archs:?}"
    );
    assert!(all < 2_430 && all > 1_200, "{archs:?}");
    let again = Index::from_bytes(&index.to_bytes()).unwrap();
    assert_eq!(again.to_bytes(), index.to_bytes());
}

#[test]
fn fedora_41s_groups() {
    let text = String::from_utf8(unpacked("comps-f41.xml.in.gz")).unwrap();
    let text = text.replace("<_", "<").replace("</_", "</");
    let comps = Comps::parse("comps", BufReader::new(text.as_bytes())).unwrap();
    assert!(comps.groups.len() > 100 && comps.environments.len() > 10);
    let minimal = comps
        .environments
        .iter()
        .find(|environment| environment.is_called("Minimal Install"))
        .unwrap();
    assert_eq!(minimal.id, "minimal-environment");
    assert!(minimal.groups.contains(&"core".to_owned()));
    let core = comps.group("core").unwrap();
    assert!(core.members.iter().any(|member| member.name == "bash"));
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let plain = unpacked("opensuse-11.0-update/primary.xml.gz");
    let plain = &plain[..40_000];
    assert!(Index::read("cut", plain, "x86_64").is_err());
    let whole = {
        let end = plain.windows(10).rposition(|w| w == b"</package>").unwrap() + 10;
        [&plain[..end], b"</metadata>"].concat()
    };
    let index = Index::read("whole", &whole[..], "x86_64").unwrap();
    let bytes = index.to_bytes();
    let mut seed = 7u32;
    let mut random = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize
    };
    for _ in 0..300 {
        let mut damaged = whole.clone();
        for _ in 0..1 + random() % 4 {
            let at = random() % damaged.len();
            damaged[at] = b"<>&\"'/ax\0\xff"[random() % 10];
        }
        let _ = Index::read("damaged", &damaged[..], "x86_64");
        let mut damaged = bytes.clone();
        let at = random() % damaged.len();
        damaged[at] ^= 1 << (random() % 8);
        if let Ok(index) = Index::from_bytes(&damaged[..damaged.len() - random() % 2]) {
            for package in index.packages() {
                for kind in RelationKind::ALL {
                    let _ = package.relations(kind).count();
                }
                let _ = (package.nevra(), package.files().count());
            }
        }
    }
}
