//! What is written into a root's package database, against what dpkg wrote.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use bareroot_deb::archive::{Control, InfoFile};
use bareroot_deb::record::{Database, Listed, Owner, Record, RecordError, Unpacked, architectures};

fn fixture(name: &str) -> Option<Vec<u8>> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/debian/records");
    std::fs::read(directory.join(name)).ok()
}

/// The conffiles of a stanza and their sums: ` PATH MD5`.
fn sums(stanza: &str) -> HashMap<String, [u8; 16]> {
    let line = |line: &str| {
        let (path, sum) = line.strip_prefix(' ')?.split_once(' ')?;
        let byte = |at: usize| u8::from_str_radix(sum.get(at * 2..at * 2 + 2)?, 16).ok();
        let bytes: Vec<u8> = (0..16).map_while(byte).collect();
        Some((path.to_owned(), <[u8; 16]>::try_from(bytes).ok()?))
    };
    stanza.lines().filter_map(line).collect()
}

#[test]
fn stanzas_are_those_of_dpkg() {
    for name in ["base-files", "dash", "libgdbm6t64", "procps"] {
        let control = Control::parse(&fixture(&format!("{name}.control")).unwrap()).unwrap();
        let want = String::from_utf8(fixture(&format!("{name}.stanza")).unwrap()).unwrap();
        let conffiles = fixture(&format!("{name}.conffiles"));
        let info: Vec<InfoFile> = conffiles
            .map(|bytes| InfoFile {
                name: "conffiles".into(),
                mode: 0o644,
                mtime: 0,
                bytes,
            })
            .into_iter()
            .collect();
        let sums = sums(&want);
        let paths: Vec<Listed<'_>> = sums.iter().map(|(path, sum)| file(path, Some(*sum))).collect();
        let mut database = Database::new();
        database
            .add(&Unpacked {
                control: &control,
                info: &info,
                paths: &paths,
            })
            .unwrap();
        let status = text(&database.records(), "status");
        let configured = status.replace(
            "\nStatus: install ok unpacked\n",
            "\nStatus: install ok installed\n",
        );
        assert_eq!(configured, format!("{want}\n"), "{name}");
    }
}

fn file(path: &str, md5: Option<[u8; 16]>) -> Listed<'_> {
    Listed {
        path: path.as_bytes(),
        symlink: false,
        owner: Owner::This,
        md5,
    }
}

fn text(records: &[Record], name: &str) -> String {
    let path = format!("var/lib/dpkg/{name}");
    let record = records.iter().find(|record| record.path == path);
    let record = record.unwrap_or_else(|| panic!("no {path} in {records:#?}"));
    String::from_utf8(record.bytes.clone()).unwrap()
}

fn control(text: &str) -> Control {
    Control::parse(format!("{text}Version: 1\nArchitecture: amd64\n").as_bytes()).unwrap()
}

fn info(name: &str, mode: u32, text: &str) -> InfoFile {
    InfoFile {
        name: name.into(),
        mode,
        mtime: 7,
        bytes: text.into(),
    }
}

#[test]
fn info_files_are_those_of_dpkg() {
    let same = control("Package: libx\nMulti-Arch: same\n");
    let files = [
        info("preinst", 0o644, "a"),
        info("prerm", 0o644, "b"),
        info("postinst", 0o775, "c"),
    ];
    let link = Listed {
        symlink: true,
        ..file("/usr/lib/libx.so", None)
    };
    let paths = [
        file("/", None),
        file("/usr", None),
        link,
        file("/usr/lib/libx.so.1", Some([0xab; 16])),
        Listed {
            owner: Owner::Other,
            ..file("/usr/lib/taken", Some([1; 16]))
        },
    ];
    let mut database = Database::new();
    let mut records = database
        .add(&Unpacked {
            control: &same,
            info: &files,
            paths: &paths,
        })
        .unwrap();
    records.extend(database.records());
    assert_eq!(
        text(&records, "info/libx:amd64.list"),
        "/.\n/usr\n/usr/lib/libx.so.1\n/usr/lib/libx.so\n"
    );
    assert_eq!(
        text(&records, "info/libx:amd64.md5sums"),
        format!("{}  usr/lib/libx.so.1\n", "ab".repeat(16))
    );
    assert_eq!(text(&records, "info/format"), "1\n");
    let times = records.iter().filter(|record| record.mtime == Some(7));
    assert_eq!(
        times.count(),
        files.len(),
        "dpkg keeps the times of what the package brings"
    );
    let modes: BTreeMap<&str, u32> = records
        .iter()
        .map(|record| (record.path.as_str(), record.mode))
        .collect();
    let mode = |name: &str| modes[format!("var/lib/dpkg/info/libx:amd64.{name}").as_str()];
    assert_eq!(
        (mode("preinst"), mode("prerm"), mode("postinst"), mode("list")),
        (0o755, 0o644, 0o775, 0o644)
    );
    assert_eq!(text(&[architectures("amd64", ["i386"])], "arch"), "amd64\ni386\n");
}

#[test]
fn shipped_sums_are_kept() {
    let plain = control("Package: a\n");
    let files = [info("md5sums", 0o644, "shipped\n")];
    let records = Database::new()
        .add(&Unpacked {
            control: &plain,
            info: &files,
            paths: &[file("/a", Some([0; 16]))],
        })
        .unwrap();
    assert_eq!(text(&records, "info/a.md5sums"), "shipped\n");
    assert_eq!(
        records
            .iter()
            .filter(|record| record.path.ends_with("md5sums"))
            .count(),
        1
    );
}

#[test]
fn conffiles_without_content_in_place_stay_new() {
    let plain = control("Package: a\n");
    let files = [info(
        "conffiles",
        0o644,
        "/etc/kept\n/etc/filtered\n/etc/lost\n/etc/none\nremove-on-upgrade /etc/old\n",
    )];
    let paths = [
        file("/etc/kept", Some([0; 16])),
        file("/etc/filtered", None),
        Listed {
            owner: Owner::OtherConffile,
            ..file("/etc/lost", None)
        },
    ];
    let mut database = Database::new();
    database
        .add(&Unpacked {
            control: &plain,
            info: &files,
            paths: &paths,
        })
        .unwrap();
    let want = format!(
        "Conffiles:\n /etc/kept {}\n /etc/filtered newconffile\n /etc/lost newconffile obsolete\n \
         /etc/none newconffile\n /etc/old newconffile remove-on-upgrade\n\n",
        "0".repeat(32)
    );
    let status = text(&database.records(), "status");
    assert!(status.ends_with(&want), "{status}");
    let shipped = [file("/etc/old", Some([0; 16]))];
    let error = Database::new()
        .add(&Unpacked {
            control: &plain,
            info: &files,
            paths: &shipped,
        })
        .unwrap_err();
    assert!(error.to_string().contains("`/etc/old`"), "{error}");
}

#[test]
fn stanzas_are_sorted_and_apart() {
    let mut database = Database::new();
    for text in [
        "Package: b\n",
        "Package: liba\nMulti-Arch: same\n",
        "Package: a\n",
    ] {
        database
            .add(&Unpacked {
                control: &control(text),
                info: &[],
                paths: &[],
            })
            .unwrap();
    }
    let other = Control::parse(b"Package: liba\nVersion: 1\nArchitecture: i386\nMulti-Arch: same\n").unwrap();
    database
        .add(&Unpacked {
            control: &other,
            info: &[],
            paths: &[],
        })
        .unwrap();
    let again = database.add(&Unpacked {
        control: &other,
        info: &[],
        paths: &[],
    });
    assert_eq!(
        again,
        Err(RecordError::Installed {
            package: "liba:i386".into()
        })
    );
    let status = text(&database.records(), "status");
    let stanzas: Vec<&str> = status.split("\n\n").collect();
    assert_eq!(
        stanzas.len(),
        5,
        "four stanzas, and nothing after the last empty line"
    );
    let heads = [
        "Package: a\n",
        "Package: b\n",
        "Package: liba\n",
        "Package: liba\n",
    ];
    assert!(
        heads
            .iter()
            .zip(&stanzas)
            .all(|(head, stanza)| stanza.starts_with(head)),
        "{status}"
    );
    assert!(stanzas[2].contains("Architecture: amd64") && stanzas[3].contains("Architecture: i386"));
}

const STATUS: &str = "Package: man\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nConffiles:\n \
    /etc/man.conf 00\nDescription: x\n\nPackage: gone\nStatus: deinstall ok not-installed\n\n";

#[test]
fn a_second_stage_starts_from_what_is_there() {
    let triggers = BTreeMap::from([
        (
            "File".to_string(),
            b"/usr/share/man man/noawait\n/usr/lib man\n".to_vec(),
        ),
        ("Lock".to_string(), Vec::new()),
        ("named".to_string(), b"man\n".to_vec()),
    ]);
    let mut database = Database::read(STATUS.as_bytes(), &triggers).unwrap();
    assert_eq!(database.configured().collect::<Vec<_>>(), ["man"]);
    let files = [info("triggers", 0o644, "interest named\ninterest /usr/share/x\n")];
    let paths = [
        file("/usr/lib", None),
        file("/usr/share/man", None),
        file("/usr/share/x", None),
    ];
    database
        .add(&Unpacked {
            control: &control("Package: a\n"),
            info: &files,
            paths: &paths,
        })
        .unwrap();
    let taken = |path: &[u8]| {
        if path == b"/etc/man.conf" {
            Owner::OtherConffile
        } else {
            Owner::This
        }
    };
    let list = database
        .hand_over("man", b"/.\n/etc/man.conf\n/usr/bin/man\n", &taken)
        .unwrap();
    assert!(database.hand_over("none", b"", &taken).is_err());
    let records = database.records();
    let status = text(&records, "status");
    assert!(
        status.starts_with("Package: a\nStatus: install ok unpacked\n"),
        "{status}"
    );
    assert!(
        status.contains(" /etc/man.conf 00 obsolete\n") && !status.contains("gone"),
        "{status}"
    );
    assert_eq!(text(&[list], "info/man.list"), "/.\n/usr/bin/man\n");
    assert_eq!(text(&records, "triggers/named"), "man\na\n");
    assert_eq!(
        text(&records, "triggers/File"),
        "/usr/share/man man/noawait\n/usr/lib man\n/usr/share/x a\n"
    );
    assert_eq!(
        text(&records, "triggers/Unincorp"),
        "/usr/lib a\n/usr/share/man -\n"
    );
}

#[test]
fn damaged_databases_are_named() {
    let none = BTreeMap::new();
    let error = Database::read(b"Package: a", &none).unwrap_err();
    assert!(error.to_string().contains("`/var/lib/dpkg/status`"), "{error}");
    let bad = BTreeMap::from([("File".to_string(), b"/x\n".to_vec())]);
    let error = Database::read(b"", &bad).unwrap_err();
    assert!(
        error.to_string().contains("`/var/lib/dpkg/triggers/File`"),
        "{error}"
    );
}

mod hostile {
    use std::collections::BTreeMap;

    use bareroot_deb::archive::Control;
    use bareroot_deb::record::{Conffile, Database, Unpacked, directives, extended_states};
    use bareroot_deb::scripts::Monitor;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_upset_a_reader(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[ -~\n\t/:]{0,200}") {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                let _ = Control::parse(bytes);
                let _ = Conffile::parse(bytes);
                let _ = directives(bytes);
                let _ = extended_states(bytes, [("a", "all")], "amd64");
                let _ = Database::read(bytes, &BTreeMap::from([("File".to_string(), bytes.to_vec())]));
                let mut monitor = Monitor::new();
                bytes.chunks(7).for_each(|piece| monitor.feed(piece, &mut |_| {}));
                monitor.finish(&mut |_| {});
            }
        }

        /// What is written can be read, and says the same once more.
        #[test]
        fn status_survives_a_second_stage(
            own in "[A-Z][a-z]{3,9}",
            value in "[ -~]{0,30}(\n [!-~][ -~]{0,30}){0,3}",
            depends in "([a-z]{2,5}(:any)?( \\((<<|<=|=|>=|>>) [0-9]:?[0-9.]{0,3}1\\))?(, | \\| )){0,3}zz",
        ) {
            let text = format!("Package: a\nVersion: 1\nArchitecture: all\nDepends: {depends}\nX-{own}: {value}\n");
            let control = Control::parse(text.as_bytes()).unwrap();
            let mut database = Database::new();
            database.add(&Unpacked { control: &control, info: &[], paths: &[] }).unwrap();
            let status = database.records().pop().unwrap().bytes;
            let again = Database::read(&status, &BTreeMap::new()).unwrap().records().pop().unwrap().bytes;
            prop_assert_eq!(&status, &again);
            let stanza = String::from_utf8(status).unwrap();
            let kept = value.trim_matches(|c: char| c.is_ascii_whitespace());
            if value.starts_with('\n') {
                let field = format!("X-{}: \n {}\n", own, kept);
                prop_assert!(stanza.contains(&field), "{}", stanza);
            } else {
                let field = format!("X-{}: {}\n", own, kept);
                prop_assert!(stanza.contains(&field), "{}", stanza);
            }
        }
    }
}
