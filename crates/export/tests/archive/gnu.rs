//! GNU tar makes the same bytes.

use std::path::Path;
use std::process::Command;

use crate::{archive, is_root, tree};

/// The options of mmdebstrap.
const OPTIONS: &[&str] = &[
    "--sort=name",
    "--clamp-mtime",
    "--numeric-owner",
    "--one-file-system",
    "--format=pax",
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
    "--xattrs",
    "-c",
];

/// GNU tar's archive, where there is GNU tar.
fn gnu(root: &Path, clamp: i64) -> Option<Vec<u8>> {
    let mut command = Command::new("tar");
    command.args(OPTIONS).arg(format!("--mtime=@{clamp}"));
    command.arg("-C").arg(root).arg(".").env("LC_ALL", "C");
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            eprintln!("skipped: there is no tar to hold the archive against: {error}");
            return None;
        }
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(output.stdout)
}

/// The first block in which two archives differ, for people.
#[track_caller]
fn assert_same(ours: &[u8], theirs: &[u8]) {
    if ours == theirs {
        return;
    }
    let at = ours.iter().zip(theirs).position(|(a, b)| a != b);
    let block = at.unwrap_or(ours.len().min(theirs.len())) / 512 * 512;
    let show = |bytes: &[u8]| {
        let block = bytes.get(block..(block + 512).min(bytes.len()));
        let text = block.unwrap_or_default().escape_ascii().to_string();
        text.replace("\\x00\\x00", "")
    };
    panic!(
        "{} bytes and {}, different from {block} on\nours: {}\ntheirs: {}",
        ours.len(),
        theirs.len(),
        show(ours),
        show(theirs)
    );
}

#[test]
fn the_same_bytes() {
    if !is_root() {
        eprintln!("skipped: the_same_bytes needs root, to read what it cannot read otherwise");
        return;
    }
    let tree = tree::make();
    for clamp in [1_500_000_000, 1_700_000_000, 1_700_000_001, 9_000_000_000] {
        let Some(theirs) = gnu(tree.path(), clamp) else {
            return;
        };
        let (ours, ..) = archive(tree.path(), Some(clamp)).unwrap();
        assert_same(&ours, &theirs);
    }
}

#[test]
fn a_file_of_nine_gibibytes() {
    let temp = tempfile::tempdir().unwrap();
    let size: u64 = 9 << 30;
    std::fs::File::create(temp.path().join("big"))
        .unwrap()
        .set_len(size)
        .unwrap();
    std::fs::write(temp.path().join("small"), b"after").unwrap();
    let mut counted = Counted::default();
    let warnings = crate::Warnings::default();
    let settings = bareroot_export::Settings {
        compression: bareroot_export::Compression::None,
        threads: 1,
        clamp: Some(1_000_000_000),
        leave_out: &[],
        cancel: &Default::default(),
        observer: &warnings,
    };
    let root = bareroot_unpack::Root::open(temp.path()).unwrap();
    let summary = bareroot_export::export(&root, &mut counted, &settings).unwrap();
    // `./`, the big file's two headers and a block of records, the small file's header and block, the end.
    let blocks: u64 = 1 + 3 + 2 + 2;
    assert_eq!(summary.bytes, (size + blocks * 512).next_multiple_of(10_240));
    assert_eq!(counted.bytes, summary.bytes);
    let records = counted.begin.get(1024..1044).unwrap();
    assert_eq!(records, b"19 size=9663676416\n\0");
    // The field cannot hold it.
    assert_eq!(
        counted.begin.get(1536 + 124..1536 + 136).unwrap(),
        b"00000000000\0"
    );
    let small = counted.end.windows(8).any(|window| window == b"./small\0");
    assert!(small, "what comes after it is in its place");
}

/// Counts what it gets, and keeps both ends of it.
#[derive(Default)]
struct Counted {
    bytes: u64,
    begin: Vec<u8>,
    end: Vec<u8>,
}

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes += bytes.len() as u64;
        if self.begin.len() < 4096 {
            self.begin.extend_from_slice(bytes);
        }
        self.end = bytes.to_vec();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
