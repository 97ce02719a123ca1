//! What the fuzz targets of this crate do with their input. `mutate.rs` runs the same over seeded mutations, so that
//! they also run where there is no nightly compiler.
//!
//! Each body may refuse its input; it may not panic, and what it takes has to survive being written and read again.

use std::cmp::Ordering;
use std::io::{Read, Write};
use std::sync::LazyLock;

use bareroot_archive::Limits as DecoderLimits;
use bareroot_model::Digest;
use bareroot_rpm::blob::{self, Install};
use bareroot_rpm::rich::{self, Rich};
use bareroot_rpm::{
    Dependency, DependencyKind, Evr, FileChoice, Header, Limits, PackageFile, ScriptletKind, Sense, State,
    Tag, caps, overlap, rpmvercmp,
};
use bareroot_trust::{Blob, Verified};

/// A real package, whose payload `cpio` puts its input in place of.
const PACKAGE: &[u8] =
    include_bytes!("../../../../fixtures/rpm/centos-release-7-2.1511.el7.centos.2.10.x86_64.rpm");

/// A package's header with its magic.
pub fn header(data: &[u8]) {
    for region in [Tag::HEADERIMMUTABLE, Tag::HEADERSIGNATURES] {
        if let Ok(header) = Header::parse("fuzz", data.to_vec(), region, &Limits::default()) {
            assert_eq!(header.bytes(), data);
            look_at(&header);
        }
    }
}

fn look_at(header: &Header) {
    for tag in header.tags() {
        assert!(header.has(tag));
        let _ = (header.text(tag), header.binary(tag), header.number(tag));
        assert!(header.strings(tag).len() <= header.count(tag));
        assert!(header.numbers(tag).len() <= header.count(tag));
    }
    let _ = (
        header.nevra().to_string(),
        header.unknown_feature(),
        header.is_source(),
    );
    for kind in [
        DependencyKind::Provides,
        DependencyKind::Requires,
        DependencyKind::Conflicts,
        DependencyKind::Obsoletes,
        DependencyKind::Recommends,
        DependencyKind::Suggests,
        DependencyKind::Supplements,
        DependencyKind::Enhances,
        DependencyKind::Orders,
    ] {
        for dependency in header.dependencies(kind) {
            assert!(dependency.overlaps(&dependency) || dependency.sense.comparison() != Sense::ANY);
            let _ = dependency.to_string();
        }
    }
    let files = header.files();
    for file in files.iter() {
        let _ = caps::attribute(&String::from_utf8_lossy(file.caps));
    }
    let choice = FileChoice {
        no_docs: true,
        langs: Some(vec!["de".to_owned()]),
        color: 2,
    };
    assert_eq!(choice.states(&files).len(), files.len());
    for kind in [
        ScriptletKind::Pretrans,
        ScriptletKind::Pre,
        ScriptletKind::Post,
        ScriptletKind::Posttrans,
    ] {
        let _ = header.scriptlet(kind);
    }
    let _ = (
        header.triggers(),
        header.file_triggers(),
        header.transaction_file_triggers(),
    );
}

/// The blob of bytes as a file.
fn blob_of(data: &[u8]) -> Verified<Blob> {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(data).expect("a temporary file can be written");
    // Nobody looks at the digest of a file that the user named.
    Verified::local(Blob::new(file, data.len() as u64, Digest::new([0; 32]), "fuzz"))
}

/// A package file, from its lead to the last byte of its payload.
pub fn package(data: &[u8]) {
    let blob = blob_of(data);
    let Ok(package) = PackageFile::open(&blob, &Limits::default()) else {
        return;
    };
    let _ = (
        package.signatures(),
        package.check_header(),
        package.check_payload(&blob),
    );
    let header = package.header();
    look_at(header);
    let files = header.files().len();
    let install = Install {
        time: 1,
        transaction: 2,
        color: 3,
        states: vec![State::Normal as u8; files],
    };
    let stored = blob::stored(&package, &install);
    if let Ok(read) = blob::parse("fuzz", &stored) {
        assert_eq!(read.nevra(), header.nevra());
    }
    let limits = DecoderLimits {
        output: 1 << 20,
        memory: 16 << 20,
    };
    if let Ok(plain) = package.plain_payload(&blob, limits) {
        unpack(&package, plain.into_inner());
    }
}

/// A decompressed payload, of a package whose header is a real one.
pub fn cpio(data: &[u8]) {
    static REAL: LazyLock<PackageFile> =
        LazyLock::new(|| PackageFile::open(&blob_of(PACKAGE), &Limits::default()).expect("a real package"));
    unpack(&REAL, data);
}

fn unpack(package: &PackageFile, plain: impl Read) {
    let mut payload = package.entries(plain, &FileChoice::default());
    let files = package.header().files().len();
    let mut entries = 0;
    while let Ok(Some(entry)) = payload.next_entry() {
        entries += 1;
        let mut content = Vec::new();
        if payload.read_to_end(&mut content).is_ok() {
            assert_eq!(content.len() as u64, entry.size);
        }
    }
    assert!(entries <= files, "{entries} entries of {files} files");
}

/// Versions, one a line.
pub fn evr(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let all: Vec<&str> = text.split('\n').take(8).collect();
    for a in &all {
        assert_eq!(rpmvercmp(a, a), Ordering::Equal, "{a}");
        let evr = Evr::parse(a);
        assert_eq!(evr.compare(&evr), Ordering::Equal, "{a}");
        for b in &all {
            assert_eq!(rpmvercmp(a, b), rpmvercmp(b, a).reverse(), "{a} and {b}");
            for (one, other) in [
                (Sense::EQUAL, Sense::LESS | Sense::EQUAL),
                (Sense::GREATER, Sense::LESS),
            ] {
                assert_eq!(
                    overlap(one, a, other, b),
                    overlap(other, b, one, a),
                    "{a} and {b}"
                );
            }
        }
    }
}

/// A boolean dependency.
pub fn rich(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(parsed) = rich::parse(&text) else {
        return;
    };
    let written = written(&parsed, true);
    let again = rich::parse(&written).expect("just written");
    assert_eq!(again, parsed, "{written}");
    assert!(
        parsed
            .simple()
            .iter()
            .all(|dependency| !dependency.name.is_empty())
    );
}

fn written(rich: &Rich<'_>, outermost: bool) -> String {
    let inner = |rich: &Rich<'_>| written(rich, false);
    let list = |all: &[Rich<'_>], word: &str| all.iter().map(inner).collect::<Vec<_>>().join(word);
    let condition = |a: &Rich<'_>, word: &str, b: &Rich<'_>, c: &Option<Box<Rich<'_>>>| {
        let otherwise = c
            .as_ref()
            .map_or_else(String::new, |c| format!(" else {}", inner(c)));
        format!("{} {word} {}{otherwise}", inner(a), inner(b))
    };
    let text = match rich {
        Rich::Simple(dependency) => {
            let simple = simple(dependency);
            return if outermost { format!("({simple})") } else { simple };
        }
        Rich::And(all) => list(all, " and "),
        Rich::Or(all) => list(all, " or "),
        Rich::With(all) => list(all, " with "),
        Rich::If(a, b, c) => condition(a, "if", b, c),
        Rich::Unless(a, b, c) => condition(a, "unless", b, c),
        Rich::Without(a, b) => format!("{} without {}", inner(a), inner(b)),
    };
    format!("({text})")
}

fn simple(dependency: &Dependency<'_>) -> String {
    dependency.to_string()
}
