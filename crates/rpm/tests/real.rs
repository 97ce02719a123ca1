//! Real packages: read whole, and stored as rpm 4.18 stores them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use bareroot_archive::Limits as DecoderLimits;
use bareroot_model::{Digest, Kind};
use bareroot_rpm::blob::{self, Install};
use bareroot_rpm::{Covers, FileChoice, Limits, PackageFile, Tag};
use bareroot_trust::{Blob, Verified};
use sha2::{Digest as _, Sha256};

fn open(name: &str) -> (Verified<Blob>, PackageFile) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/rpm")
        .join(name);
    let bytes = std::fs::read(&path).unwrap();
    let digest = Digest::new(Sha256::digest(&bytes).into());
    let blob = Verified::local(Blob::new(
        File::open(&path).unwrap(),
        bytes.len() as u64,
        digest,
        name,
    ));
    let package = PackageFile::open(&blob, &Limits::default()).unwrap();
    (blob, package)
}

const FILESYSTEM: &str = "filesystem-2.4.44-1.fc16.i686.rpm";
const CENTOS: &str = "centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm";

#[test]
fn every_file_of_filesystem_comes_out_of_its_payload() {
    let (blob, package) = open(FILESYSTEM);
    assert_eq!(
        package.header().nevra().to_string(),
        "filesystem-2.4.44-1.fc16.i686"
    );
    assert_eq!(package.header().files().len(), 14_508);
    package.check_header().unwrap();
    let plain = package.plain_payload(&blob, DecoderLimits::default()).unwrap();
    let mut payload = package.entries(plain.into_inner(), &FileChoice::default());
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    while let Some(entry) = payload.next_entry().unwrap() {
        let word = match entry.kind {
            Kind::Directory => "directory",
            Kind::Symlink(_) => "link",
            _ => "other",
        };
        *kinds.entry(word).or_default() += 1;
        assert_eq!(entry.user.as_deref(), Some(b"root".as_slice()));
    }
    let ghosts = package
        .header()
        .files()
        .iter()
        .filter(|file| file.flags.has(bareroot_rpm::FileFlags::GHOST))
        .count();
    assert_eq!(kinds.values().sum::<usize>() + ghosts, 14_508, "{kinds:?}");
}

#[test]
fn contents_are_held_against_their_digests() {
    let (blob, package) = open(CENTOS);
    let plain = package.plain_payload(&blob, DecoderLimits::default()).unwrap();
    let mut payload = package.entries(plain.into_inner(), &FileChoice::default());
    let mut bytes = 0;
    let mut names = Vec::new();
    while let Some(entry) = payload.next_entry().unwrap() {
        let mut content = Vec::new();
        payload.read_to_end(&mut content).unwrap();
        assert_eq!(content.len() as u64, entry.size);
        bytes += content.len();
        names.push(String::from_utf8(entry.path).unwrap());
    }
    assert!(names.contains(&"etc/centos-release".to_owned()), "{names:?}");
    assert!(bytes > 20_000, "{bytes}");
}

#[test]
fn signatures_of_old_packages_cover_header_or_everything() {
    for name in [FILESYSTEM, CENTOS] {
        let (_, package) = open(name);
        let covers: Vec<Covers> = package.signatures().iter().map(|s| s.covers).collect();
        assert_eq!(covers, [Covers::Header, Covers::HeaderAndPayload], "{name}");
    }
}

/// The SHA-256 of what `rpm -i --justdb` of rpm 4.18 stored of these two packages.
#[test]
fn the_stored_form_is_rpms_own() {
    for (name, time, wanted) in CASES {
        let (_, package) = open(name);
        let install = Install {
            time: *time,
            transaction: *time,
            color: 3,
            states: vec![0; package.header().files().len()],
        };
        let stored = blob::stored(&package, &install);
        let found: String = Sha256::digest(&stored)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(found, *wanted, "{name}");
        let read = blob::parse(name, &stored).unwrap();
        assert_eq!(read.number(Tag::INSTALLTIME), Some(u64::from(*time)));
        assert_eq!(read.nevra(), package.header().nevra());
    }
}

const CASES: &[(&str, u32, &str)] = &[
    (
        CENTOS,
        1_795_532_573,
        "cff7de0cfa0a85310233a83bb1ecac07797315b4a7698bb799b255c34ed024e9",
    ),
    (
        FILESYSTEM,
        1_795_532_573,
        "2d402c321364267945fefde0d3424b9a9c1a11053e49fddfc0e50f5b424bd4dc",
    ),
];
