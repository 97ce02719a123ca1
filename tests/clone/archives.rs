//! Clones as archives.

use std::fs;
use std::io::{Cursor, Read};
use std::process::{Command, Stdio};

use bareroot_testkit::cases;
use bareroot_testkit::door::run;
use bareroot_testkit::harness::Case;
use bareroot_testkit::tree::{Tree, diff};

use crate::{ALL, clone, door, made, tree};

pub const CASES: &[Case] = cases![
    Nothing: in_every_format, chosen_parts;
    Root: as_gnu_tar_has_it;
];

/// What GNU tar is asked for, in the words that the archive's format is defined by.
const GNU: &str = "tar --sort=name --numeric-owner --one-file-system --format=pax \
                   --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --xattrs -C source -c .";

fn as_gnu_tar_has_it() {
    let door = door();
    made::everything(&door.path("source"));
    run(clone(&door, "out/a.tar", &[])).succeeded();
    let theirs = Command::new("sh")
        .args(["-ec", GNU])
        .current_dir(door.path(""))
        .env("LC_ALL", "C")
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let ours = fs::read(door.path("out/a.tar")).unwrap();
    let read = |bytes: &[u8]| Tree::from_tar(Cursor::new(bytes.to_vec()), &ALL).unwrap();
    let ((theirs, their_order), (ours_tree, order)) = (read(&theirs.stdout), read(&ours));
    let differences: Vec<String> = diff(&theirs, &ours_tree, &|path| {
        path.starts_with("null") || path.starts_with("null-too")
    })
    .iter()
    .map(ToString::to_string)
    .collect();
    assert_eq!(differences, Vec::<String>::new());
    assert_eq!(their_order, order);
    // Against the tree itself, of whose devices GNU tar keeps no other names.
    let differences: Vec<String> = diff(&tree(&door.path("source")), &ours_tree, &|path| {
        path.ends_with("socket")
    })
    .iter()
    .map(ToString::to_string)
    .collect();
    assert_eq!(differences, Vec::<String>::new());
}

fn in_every_format() {
    let door = door();
    made::plain(&door.path("source"));
    run(clone(&door, "out/a.tar", &[])).succeeded();
    let expected = fs::read(door.path("out/a.tar")).unwrap();
    for (name, options) in [
        ("a.tar.gz", &[][..]),
        ("a.tar.xz", &["--jobs", "2"]),
        ("a.tar.zst", &["--jobs", "1"]),
        ("plain", &["--format", "tar"]),
    ] {
        run(clone(&door, &format!("out/{name}"), options)).succeeded();
        let file = fs::File::open(door.path("out").join(name)).unwrap();
        let mut bytes = Vec::new();
        let mut read = |reader: &mut dyn Read| reader.read_to_end(&mut bytes).unwrap();
        match name {
            "a.tar.gz" => read(&mut flate2::read::GzDecoder::new(file)),
            "a.tar.xz" => read(&mut liblzma::read::XzDecoder::new(file)),
            "a.tar.zst" => read(&mut zstd::Decoder::new(file).unwrap()),
            _ => read(&mut &file),
        };
        assert!(bytes == expected, "{name}");
    }
    let output = clone(&door, "-", &[]).stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success() && output.stdout == expected);
    // An archive in what it is made of.
    let words = run(clone(&door, "source/a.tar", &["--verbose"])).succeeded();
    assert!(words.stderr.contains("it is the copy itself"), "{}", words.stderr);
}

fn chosen_parts() {
    let door = door();
    for name in ["a/b/c", "a/d", "e"] {
        let path = door.path("source").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let options = &["--exclude", "/a", "--include", "/a/b"];
    run(clone(&door, "out/a.tar", options)).succeeded();
    let bytes = fs::read(door.path("out/a.tar")).unwrap();
    let names: Vec<String> = tar::Archive::new(bytes.as_slice())
        .entries()
        .unwrap()
        .map(|entry| String::from_utf8(entry.unwrap().path_bytes().into_owned()).unwrap())
        .collect();
    assert_eq!(names, ["./", "./a/", "./a/b/", "./a/b/c", "./e"]);
}
