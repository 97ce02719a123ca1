use std::io::{self, Read};

use bareroot_model::{Class, Classified};
use proptest::prelude::*;

use super::*;
use crate::Error;
use crate::deb822::paragraphs;

const TRIXIE: &str = include_str!("../../../../fixtures/debian/Packages.trixie");

fn info() -> IndexInfo {
    IndexInfo::new(7, "http://mirror.example/Packages")
}

fn read(text: &str) -> Result<Index, Error> {
    Index::read(text.as_bytes(), info(), Limits::default())
}

/// Gives its bytes in pieces of the given size, with an interruption before each.
struct Pieces<'a>(&'a [u8], usize, bool);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.2 = !self.2;
        if self.2 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = self.1.min(buffer.len());
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn real_stanzas_say_what_they_said() {
    let index = read(TRIXIE).unwrap();
    let mut stanzas = index.iter();
    for paragraph in paragraphs("fixture", TRIXIE.as_bytes()) {
        let paragraph = paragraph.unwrap();
        let stanza = stanzas.next().unwrap();
        let text = |field| paragraph.text(field).unwrap().unwrap_or_default();
        assert_eq!(stanza.name(), text("Package"));
        assert_eq!(stanza.version(), text("Version"));
        assert_eq!(stanza.architecture(), text("Architecture"));
        assert_eq!(stanza.section(), text("Section"));
        assert_eq!(stanza.priority().word(), Some(text("Priority")));
        let multi_arch = if text("Multi-Arch").is_empty() {
            "no"
        } else {
            text("Multi-Arch")
        };
        assert_eq!(stanza.multi_arch().word(), multi_arch);
        assert_eq!(stanza.essential(), text("Essential") == "yes");
        assert_eq!(stanza.important(), text("Important") == "yes");
        assert_eq!(stanza.protected(), text("Protected") == "yes");
        assert_eq!(stanza.depends(), text("Depends"));
        assert_eq!(stanza.pre_depends(), text("Pre-Depends"));
        assert_eq!(stanza.recommends(), text("Recommends"));
        assert_eq!(stanza.suggests(), text("Suggests"));
        assert_eq!(stanza.enhances(), text("Enhances"));
        assert_eq!(stanza.provides(), text("Provides"));
        assert_eq!(stanza.conflicts(), text("Conflicts"));
        assert_eq!(stanza.breaks(), text("Breaks"));
        assert_eq!(stanza.replaces(), text("Replaces"));
        assert_eq!(stanza.filename().unwrap(), text("Filename"));
        assert_eq!(stanza.size().unwrap().to_string(), text("Size"));
        assert_eq!(
            stanza.installed_size().unwrap().to_string(),
            text("Installed-Size")
        );
        assert_eq!(stanza.sha256().unwrap().to_string(), text("SHA256"));
        assert_eq!((stanza.sha512().unwrap(), stanza.phased()), (None, None));
        assert_eq!(
            stanza.expected().unwrap().sha256(),
            Some(stanza.sha256().unwrap())
        );
    }
    assert_eq!((stanzas.len(), index.len(), index.info().source), (0, 44, 7));
    let perl = index.by_name("libperl5.40").next().unwrap();
    assert_eq!(
        (perl.source_name(), perl.source_version()),
        ("perl", perl.version())
    );
    assert_eq!(index.by_name("perl").next().unwrap().source_name(), "perl");
    // The pool spells every file name of Debian's archive, so none is kept.
    assert!(!index.text.contains("pool/") && !index.text.contains(".deb"));
}

#[test]
fn names_and_providers() {
    let text = "Package: b\nVersion: 1\nArchitecture: all\nProvides: v (= 1), v (= 2), w, b\n\n\
                Package: a\nVersion: 1\nArchitecture: amd64\nProvides: v:i386\n\n\
                Package: b\nVersion: 2\nArchitecture: i386\n";
    let index = read(text).unwrap();
    let versions: Vec<&str> = index.by_name("b").map(Stanza::version).collect();
    assert_eq!(versions, ["1", "2"]);
    assert_eq!(index.by_name("v").count(), 0);
    let provided: Vec<String> = index
        .providers("v")
        .map(|(stanza, relation)| format!("{} {relation}", stanza.id()))
        .collect();
    assert_eq!(provided, ["0 v (= 1)", "0 v (= 2)", "1 v:i386"]);
    assert_eq!(index.providers("b").count(), 1);
    assert_eq!(index.providers("").count(), 0);

    let trixie = read(TRIXIE).unwrap();
    let awks: Vec<&str> = trixie.providers("awk").map(|(stanza, _)| stanza.name()).collect();
    assert_eq!(awks, ["gawk", "mawk", "original-awk"]);
    for stanza in trixie.iter() {
        assert!(
            trixie
                .by_name(stanza.name())
                .any(|found| found.id() == stanza.id())
        );
    }
}

#[test]
fn the_shape_of_the_file() {
    let expected: Vec<String> = read(TRIXIE)
        .unwrap()
        .iter()
        .map(|stanza| format!("{stanza:?}"))
        .collect();
    let crlf = TRIXIE.replace('\n', "\r\n");
    let capitals: String = TRIXIE
        .lines()
        .map(|line| match line.split_once(": ") {
            Some((name, value)) if !line.starts_with(' ') => format!("{}:{value}\n", name.to_uppercase()),
            _ => format!("{line}\n"),
        })
        .collect();
    let more = format!("\n\n\n{}\n\n\n", TRIXIE.replace("\n\n", "\n\n\n"));
    for text in [TRIXIE.trim_end(), &crlf, &capitals, &more] {
        let index = read(text).unwrap();
        let seen: Vec<String> = index.iter().map(|stanza| format!("{stanza:?}")).collect();
        assert_eq!(seen, expected);
    }
    let whole = read(TRIXIE).unwrap();
    for size in [1, 7, 300, 100_000] {
        let pieces = || Pieces(TRIXIE.as_bytes(), size, false);
        assert_eq!(Index::read(pieces(), info(), Limits::default()).unwrap(), whole);
        assert_eq!(
            Index::read_ahead(pieces(), info(), Limits::default()).unwrap(),
            whole
        );
    }
    assert!(read("").unwrap().is_empty() && read("\n\n").unwrap().is_empty());
}

#[test]
fn folded_fields_last_ones_and_blanks() {
    let text = "Package:a\nVersion: \t1 \nArchitecture: all\nDepends: x,\n y,\n\tz\nDescription: long\n Size: 3\n .\n\
                Size: 1\nSize: 2\nInstalled-Size: 99999999999\nPhased-Update-Percentage: 20\nEssential: YES\n\
                Priority: Required\nMulti-Arch: sideways\nSource: s (1:2)\nPackage-Type: deb\n";
    let index = read(text).unwrap();
    let stanza = index.get(0);
    assert_eq!(
        (stanza.name(), stanza.version(), stanza.depends()),
        ("a", "1", "x,\n y,\n\tz")
    );
    assert_eq!(
        (stanza.size().unwrap(), stanza.installed_size()),
        (2, Some(u32::MAX - 1))
    );
    assert_eq!((stanza.phased(), stanza.essential()), (Some(20), true));
    assert_eq!(
        (stanza.priority(), stanza.multi_arch()),
        (Priority::Required, MultiArch::No)
    );
    assert_eq!((stanza.source_name(), stanza.source_version()), ("s", "1:2"));
}

#[test]
fn file_names() {
    let base = "Package: x\nVersion: 1:2-3\nArchitecture: all\nSource: libx\n";
    for (written, read_back) in [
        (
            "pool/main/libx/libx/x_2-3_all.deb",
            "pool/main/libx/libx/x_2-3_all.deb",
        ),
        ("pool/main/l/libx/x_2-3_all.deb", "pool/main/l/libx/x_2-3_all.deb"),
        (
            "pool/main/libx/libx/x_1%3a2-3_all.deb",
            "pool/main/libx/libx/x_1%3a2-3_all.deb",
        ),
        ("./x.deb", "x.deb"),
        ("a//b/./x.deb", "a/b/x.deb"),
        ("/libx/libx/x_2-3_all.deb", ""),
        ("../x.deb", ""),
        ("pool/../../libx/libx/x_2-3_all.deb", ""),
        ("/etc/shadow", ""),
        ("a\\b", ""),
        ("a\tb", ""),
        (".", ""),
    ] {
        let index = read(&format!("{base}Filename: {written}\n")).unwrap();
        match index.get(0).filename() {
            Ok(path) => assert_eq!(path, read_back, "{written}"),
            Err(error) => assert!(
                read_back.is_empty() && error.to_string().contains("`x`"),
                "{written}: {error}"
            ),
        }
    }
    assert!(read(base).unwrap().get(0).filename().is_err());
}

#[test]
fn digests() {
    let base = "Package: x\nVersion: 1\nArchitecture: all\n";
    let (sha256, sha512) = ("AB".repeat(32), "cd".repeat(64));
    let with = |lines: &str| read(&format!("{base}{lines}\n")).unwrap();
    let index = with(&format!("SHA256: {sha256}\nSHA512: {sha512}"));
    assert_eq!(index.get(0).sha256().unwrap().to_string(), sha256.to_lowercase());
    assert_eq!(index.get(0).sha512().unwrap(), None);
    let index = with(&format!("SHA512: {sha512}"));
    assert_eq!(index.get(0).sha512().unwrap(), Some([0xcd; 64]));
    assert!(index.get(0).expected().is_err());
    let index = with(&format!("SHA512: {sha512}\nSize: 5"));
    assert_eq!(index.get(0).expected().unwrap().sha512(), Some(&[0xcd; 64]));
    for (lines, part) in [
        ("MD5sum: 00", "no `SHA256`"),
        ("SHA512: 00", "no `SHA256`"),
        ("SHA256: abc", "`abc`"),
        ("SHA256: abc\nSize: -1", "64 hexadecimal digits"),
    ] {
        let error = with(lines).get(0).sha256().unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert!(
            error.to_string().contains("http://mirror.example/Packages") && error.to_string().contains("`x`")
        );
        assert_eq!(error.class(), Class::Trust);
    }
    assert!(with("SHA512: 00").get(0).sha512().is_err());
    for size in [
        "",
        "-1",
        "+1",
        "0x10",
        "18446744073709551615",
        "99999999999999999999",
    ] {
        let index = with(&format!("Size: {size}"));
        assert!(
            index.get(0).size().unwrap_err().to_string().contains("`Size`"),
            "{size}"
        );
    }
}

#[test]
fn what_is_no_index() {
    let good = "Package: x\nVersion: 1\nArchitecture: all\n";
    for (text, part) in [
        (
            "Version: 1\nArchitecture: all\n".to_owned(),
            "number 1, package ``): it has no `Package`",
        ),
        (
            format!("{good}\nPackage: y\nArchitecture: all\n"),
            "number 2, package `y`): it has no `Version`",
        ),
        ("Package: y\nVersion: 1\n".to_owned(), "no `Architecture`"),
        (format!("{good}nonsense\n"), "`nonsense` is not a field"),
        (format!("{good}: x\n"), "is not a field"),
        (" x: y\n".to_owned(), "no `Package`"),
        ("<html>\n<body>\n".to_owned(), "`<html>` is not a field"),
        (format!("{good}Provides: a b\n"), "in its `Provides`"),
        (format!("{good}Provides: a | b\n"), "in its `Provides`"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.to_string().contains(part), "{text}: {error}");
        assert_eq!(error.class(), Class::Trust);
    }
    let latin = b"Package: x\nVersion: 1\nArchitecture: all\nMaintainer: J\xf6rg\nDepends: \xff\n";
    let error = Index::read(&latin[..], info(), Limits::default()).unwrap_err();
    assert!(error.to_string().contains("not UTF-8"), "{error}");
    // What is not kept need not be UTF-8, as in old releases.
    assert!(Index::read(&latin[..56], info(), Limits::default()).is_ok());
    // Half a character in each of two fields is no character.
    let halves = b"Package: x\nVersion: 1\nArchitecture: all\nDepends: a\xc3\nRecommends: \xa9b\n";
    assert!(Index::read(&halves[..], info(), Limits::default()).is_err());
}

#[test]
fn limits() {
    let text = "Package: x\nVersion: 1\nArchitecture: all\nDepends: y\n\n".repeat(10);
    let small = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        Index::read(text.as_bytes(), info(), limits)
    };
    assert!(small(|limits| limits.stanzas = 10).is_ok());
    assert!(matches!(
        small(|limits| limits.stanzas = 9),
        Err(Error::IndexLimit { limit: 9, .. })
    ));
    assert!(small(|limits| limits.text = 30).is_ok());
    assert!(matches!(
        small(|limits| limits.text = 29),
        Err(Error::IndexLimit { .. })
    ));
    // A stanza that never ends is refused without being kept.
    let endless = io::repeat(b'x');
    let limits = Limits {
        stanza: 1 << 20,
        ..Limits::default()
    };
    assert!(matches!(
        Index::read(endless, info(), limits),
        Err(Error::IndexLimit { .. })
    ));
    let lines = io::Cursor::new(b"A: b\n".repeat(1 << 20));
    assert!(matches!(
        Index::read(lines, info(), limits),
        Err(Error::IndexLimit { .. })
    ));
}

#[test]
fn a_reader_that_fails() {
    let broken = || TRIXIE.as_bytes().chain(Broken);
    for result in [
        Index::read(broken(), info(), Limits::default()),
        Index::read_ahead(broken(), info(), Limits::default()),
    ] {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::IndexRead { .. }));
        assert!(error.to_string().contains("the stream is corrupt"), "{error}");
    }

    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the stream is corrupt",
            ))
        }
    }
}

#[test]
fn to_the_cache_and_back() {
    for text in [
        TRIXIE,
        "",
        "Package: é\nVersion: 1\nArchitecture: all\nDepends: ü\n",
    ] {
        let index = read(text).unwrap();
        let bytes = index.to_bytes();
        assert_eq!(Index::from_bytes(bytes.clone(), info()).unwrap(), index);
        for length in 0..bytes.len().min(3000) {
            assert!(
                Index::from_bytes(bytes[..length].to_vec(), info()).is_err(),
                "{length}"
            );
        }
        let longer = [&bytes[..], b"x"].concat();
        assert!(Index::from_bytes(longer, info()).is_err());
        let mut other = bytes;
        if let Some(version) = other.last_mut() {
            *version ^= 1;
        }
        let error = Index::from_bytes(other, info()).unwrap_err().to_string();
        assert!(
            error.contains("version") && error.contains("http://mirror.example/Packages"),
            "{error}"
        );
    }
}

#[test]
fn a_damaged_cache_never_panics() {
    // Small, so that every byte can be changed in every bit.
    let text = "Package: é\nVersion: 1\nArchitecture: all\nSection: x\nProvides: p (= 1), q\nDepends: ü\n\n\
                Package: b\nVersion: 2\nArchitecture: amd64\nFilename: pool/main/b/b/b_2_amd64.deb\n";
    let bytes = read(text).unwrap().to_bytes();
    let mut refused = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            match Index::from_bytes(damaged, info()) {
                Ok(index) => touch(&index),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > bytes.len());
}

/// Calls everything that an index offers.
fn touch(index: &Index) {
    for stanza in index.iter() {
        let _ = (stanza.filename(), stanza.sha256(), stanza.sha512(), stanza.size());
        let _ = (
            stanza.source_name(),
            stanza.source_version(),
            stanza.section(),
            stanza.priority(),
        );
        let _ = (
            stanza.multi_arch(),
            stanza.phased(),
            stanza.installed_size(),
            stanza.breaks(),
        );
        assert!(index.by_name(stanza.name()).count() <= index.len());
        index.providers(stanza.name()).count();
        index.first_mention(stanza.name(), &["amd64"]);
    }
    index.providers("p").count();
}

prop_compose! {
    fn any_stanza()(
        name in "[a-z0-9é][a-z0-9+.-]{0,5}",
        version in "([0-9]:)?[0-9][a-z0-9.~-]{0,4}",
        architecture in "all|amd64|i386",
        fields in prop::collection::vec(("Depends|Breaks|Replaces|Source|Section|X-Y|Description", "[a-z |,é]{0,9}(\n [a-z]{1,5})?"), 0..6),
        pooled in any::<bool>(),
    ) -> String {
        let mut text = format!("Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n");
        for (field, value) in fields {
            text += &format!("{field}: {value}\n");
        }
        if pooled {
            let bare = crate::version::without_epoch(&version);
            text += &format!("Filename: pool/main/s/{name}/{name}_{bare}_{architecture}.deb\n");
        }
        text + "\n"
    }
}

proptest! {
    #[test]
    fn any_index_survives_the_cache(stanzas in prop::collection::vec(any_stanza(), 0..8)) {
        let text = stanzas.concat();
        let index = read(&text).unwrap();
        prop_assert_eq!(index.len(), stanzas.len());
        for (stanza, text) in index.iter().zip(&stanzas) {
            let paragraph = paragraphs("x", text.as_bytes()).next().unwrap().unwrap();
            let field = |name| paragraph.text(name).unwrap().unwrap_or_default().trim_ascii();
            prop_assert_eq!(stanza.name(), field("Package"));
            prop_assert_eq!(stanza.depends(), field("Depends"));
            prop_assert_eq!(stanza.section(), field("Section"));
            match stanza.filename() {
                Ok(path) => prop_assert_eq!(path, field("Filename")),
                Err(_) => prop_assert_eq!(field("Filename"), ""),
            }
        }
        touch(&index);
        prop_assert_eq!(Index::from_bytes(index.to_bytes(), info()).unwrap(), index);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Index::read(&bytes[..], info(), Limits::default());
        let _ = Index::from_bytes(bytes, info());
    }
}
