//! Package archives, honest and hostile, through the door that `bootstrap` uses.

use std::io::{Read, Write};

use bareroot_deb::archive::{
    ArchiveError, Deb, Digests, InfoLimits, Payload, PayloadLimits, payload_from_tar,
};
use bareroot_model::{Class, Classified, Digest, Kind};
use bareroot_testkit::Compression;
use bareroot_testkit::deb::{DebBuilder, Item, Member, tar};
use bareroot_trust::{Blob, Verified};
use sha2::Digest as _;

fn blob(name: &str, bytes: &[u8]) -> Verified<Blob> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let sha256 = Digest::new(sha2::Sha256::digest(bytes).into());
    Verified::local(Blob::new(file, bytes.len() as u64, sha256, name))
}

fn open(bytes: &[u8]) -> Result<Deb, ArchiveError> {
    Deb::open(&blob("x.deb", bytes), &InfoLimits::default())
}

fn entries(mut payload: Payload<'_>) -> Result<Vec<(String, Kind, String)>, ArchiveError> {
    let mut all = Vec::new();
    while let Some(entry) = payload.next_entry()? {
        let mut content = String::new();
        payload
            .read_to_string(&mut content)
            .map_err(|error| payload.content_error(error))?;
        all.push((String::from_utf8(entry.path).unwrap(), entry.kind, content));
    }
    Ok(all)
}

/// Every entry of a package, whether or not the package as such would be accepted.
fn walk(bytes: &[u8]) -> Result<Vec<(String, Kind, String)>, ArchiveError> {
    let blob = blob("x.deb", bytes);
    let deb = Deb::open(&blob, &InfoLimits::default())?;
    entries(deb.payload(&blob, PayloadLimits::default())?.into_inner())
}

fn sample() -> DebBuilder {
    DebBuilder::new("hello", "1:2.0-1", "amd64")
        .field("Depends", "libc6 (>= 2.38)")
        .executable("/usr/bin/hello", "binary")
        .symlink("/usr/bin/hi", "hello")
        .conffile("/etc/hello.conf", "greeting\n")
        .script("postinst", "#!/bin/sh\n")
        .info("triggers", "activate-noawait ldconfig\n")
}

#[test]
fn every_compression_is_read() {
    for control in [
        Compression::None,
        Compression::Gzip,
        Compression::Xz,
        Compression::Zstd,
    ] {
        for data in Compression::ALL {
            let bytes = sample().control_compression(control).compression(data).build();
            let deb = open(&bytes).unwrap();
            assert_eq!(deb.control.text("Depends"), Some("libc6 (>= 2.38)"));
            deb.check_against("hello", "1:2.0-1", "amd64").unwrap();
            let info: Vec<_> = deb
                .info
                .iter()
                .map(|file| (file.name.as_str(), file.mode))
                .collect();
            assert_eq!(
                info,
                [("conffiles", 0o644), ("postinst", 0o755), ("triggers", 0o644)]
            );
            assert_eq!(deb.info("postinst").unwrap().bytes, b"#!/bin/sh\n");
            let entries = walk(&bytes).unwrap();
            let has = |path: &str, kind: Kind, content: &str| {
                assert!(
                    entries.contains(&(path.into(), kind, content.into())),
                    "{path} in {entries:?}"
                );
            };
            has("./", Kind::Directory, "");
            has("./usr/bin/hello", Kind::File, "binary");
            has("./usr/bin/hi", Kind::Symlink(b"hello".to_vec()), "");
            has("./etc/hello.conf", Kind::File, "greeting\n");
        }
    }
}

#[test]
fn a_cached_tar_is_the_same_payload() {
    let deb = sample();
    let tar = blob("hello.tar", &deb.data_tar());
    let cached = payload_from_tar(&tar, PayloadLimits::default())
        .unwrap()
        .into_inner();
    assert_eq!(entries(cached).unwrap(), walk(&deb.build()).unwrap());
}

#[test]
fn a_payload_is_read_from_the_same_file_only() {
    let deb = open(&sample().build()).unwrap();
    let other = blob("other.deb", &sample().file("/more", "").build());
    let error = deb.payload(&other, PayloadLimits::default()).unwrap_err();
    assert!(error.to_string().contains("`other.deb`"), "{error}");
}

#[test]
fn another_package_than_promised_is_named() {
    let deb = open(&sample().build()).unwrap();
    for (name, version, arch, field) in [
        ("hallo", "1:2.0-1", "amd64", "Package"),
        ("hello", "2.0-1", "amd64", "Version"),
        ("hello", "1:2.0-1", "all", "Architecture"),
    ] {
        let error = deb.check_against(name, version, arch).unwrap_err();
        assert!(error.to_string().contains(&format!("`{field}`")), "{error}");
        assert_eq!(error.class(), Class::Trust);
    }
}

#[test]
fn digests_are_asked_for_where_the_record_needs_them() {
    let digests = |deb: DebBuilder| open(&deb.build()).unwrap().digests().unwrap();
    let Digests::Only(paths) = digests(sample().md5sums()) else {
        panic!("only conffiles")
    };
    assert_eq!(paths.into_iter().collect::<Vec<_>>(), [b"/etc/hello.conf"]);
    assert_eq!(digests(sample()), Digests::All);
    assert_eq!(digests(DebBuilder::new("a", "1", "all").md5sums()), Digests::None);
    let bad = open(
        &DebBuilder::new("a", "1", "all")
            .info("conffiles", "relative\n")
            .build(),
    )
    .unwrap();
    assert!(bad.digests().unwrap_err().to_string().contains("conffiles"));
}

#[test]
fn control_archives_hold_what_dpkg_takes() {
    let deb = DebBuilder::new("a", "1", "all")
        .info("with.dot", "")
        .info("list", "/etc/shadow\n")
        .script("preinst", "one")
        .info_item(Item::hardlink("./prerm", "./preinst").mode(0o755))
        .script("postrm", "old")
        .script("postrm", "new");
    let deb = open(&deb.build()).unwrap();
    let files: Vec<_> = deb
        .info
        .iter()
        .map(|f| (f.name.as_str(), f.bytes.as_slice()))
        .collect();
    assert_eq!(
        files,
        [("preinst", &b"one"[..]), ("prerm", b"one"), ("postrm", b"new")]
    );
}

#[test]
fn hostile_control_archives_are_refused() {
    let plain = || DebBuilder::new("a", "1", "all");
    for (deb, part) in [
        (
            plain().info_item(Item::file("../../../etc/cron.d/x", "")),
            "not the name of a control file",
        ),
        (
            plain().info_item(Item::file("./sub/x", "")),
            "not the name of a control file",
        ),
        (
            plain().info_item(Item::file("/etc/x", "")),
            "not the name of a control file",
        ),
        (
            plain().info_item(Item::file("./a b", "")),
            "not the name of a control file",
        ),
        (
            plain().info_item(Item::file(&format!("./{}", "a".repeat(101)), "")),
            "too long",
        ),
        (
            plain().info_item(Item::directory("./sub/")),
            "not the name of a control file",
        ),
        (plain().info_item(Item::directory("./sub")), "not a regular file"),
        (
            plain().info_item(Item::symlink("./postinst", "/bin/sh")),
            "not a regular file",
        ),
        (
            plain().info_item(Item::character("./postinst", 1, 3)),
            "not a regular file",
        ),
        (
            plain().info_item(Item::hardlink("./postinst", "./none")),
            "not there",
        ),
        (plain().control(""), "control file"),
        (plain().control("Package: a\nVersion: 1\n"), "no `Architecture`"),
        (
            plain().members(|m| m[1].bytes = Compression::Xz.compress(&tar([]))),
            "no `control`",
        ),
    ] {
        let error = open(&deb.build()).unwrap_err();
        assert!(error.to_string().contains(part), "{part}: {error}");
        assert_eq!(error.class(), Class::Trust, "{error}");
    }
}

#[test]
fn hostile_containers_are_refused() {
    let plain = || DebBuilder::new("a", "1", "all").file("/usr/x", "content");
    let debs = [
        plain().members(|m| m.swap(1, 2)),
        plain().members(|m| m.truncate(2)),
        plain().members(|m| m.insert(2, Member::new("control.tar.xz", ""))),
        plain().members(|m| m[0].bytes = b"3.0\n".to_vec()),
        plain().members(|m| m[2].size = Some("9999999999".into())),
        plain().members(|m| m[1].size = Some("-1".into())),
        plain().members(|m| m[2].name = "data.tar.rar".into()),
    ];
    for (number, deb) in debs.iter().enumerate() {
        let error = open(&deb.build()).unwrap_err();
        assert_eq!(error.class(), Class::Trust, "{number}: {error}");
        assert!(error.to_string().contains("`x.deb`"), "{number}: {error}");
    }
    open(
        &plain()
            .members(|m| m.insert(1, Member::new("_gpgorigin", "signed")))
            .build(),
    )
    .unwrap();
    open(&plain().members(|m| m.push(Member::new("more", "x"))).build()).unwrap();
}

#[test]
fn truncation_is_noticed_everywhere() {
    let whole = sample()
        .compression(Compression::Gzip)
        .control_compression(Compression::None)
        .build();
    for length in (0..whole.len() - 1).step_by(7) {
        assert!(
            walk(&whole[..length]).is_err(),
            "{length} of {} bytes",
            whole.len()
        );
    }
    // The stated sizes fit, but the compressed data ends early.
    for compression in Compression::ALL {
        let cut = sample().compression(compression).members(|members| {
            let half = members[2].bytes.len() / 2;
            members[2].bytes.truncate(half);
        });
        let error = walk(&cut.build()).unwrap_err();
        assert_eq!(error.class(), Class::Trust, "{compression:?}: {error}");
    }
}

#[test]
fn bombs_stop_at_the_limits() {
    let limits = InfoLimits {
        total: 1 << 20,
        file: 64 << 10,
        files: 10,
    };
    let open = |deb: DebBuilder| Deb::open(&blob("x.deb", &deb.build()), &limits);
    let plain = || DebBuilder::new("a", "1", "all");
    open(plain().info("templates", vec![b'x'; 60 << 10])).unwrap();
    open(plain().info("templates", vec![b'x'; 65 << 10])).unwrap_err();
    let many = (0..10).fold(plain(), |deb, number| deb.info(&format!("file{number}"), ""));
    open(many).unwrap_err();
    let bomb = plain().members(|members| {
        members[1].bytes = Compression::Xz.compress(&vec![0xff; 8 << 20]);
    });
    open(bomb).unwrap_err();
    let data = plain().file("/usr/big", vec![0; 2 << 20]);
    let blob = blob("x.deb", &data.build());
    let deb = Deb::open(&blob, &InfoLimits::default()).unwrap();
    let mut small = PayloadLimits::default();
    small.decoder.output = 1 << 20;
    let error = entries(deb.payload(&blob, small).unwrap().into_inner()).unwrap_err();
    assert_eq!(error.class(), Class::Trust, "{error}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_damage_upsets_the_reader(changes in proptest::collection::vec((0usize..1500, 0u8..=255), 1..8)) {
        let mut bytes = sample().compression(Compression::None).control_compression(Compression::None).build();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = walk(&bytes);
    }
}
