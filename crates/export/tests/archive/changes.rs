//! What is left out, and what a root may not do while it is read.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use bareroot_export::{Compression, Error, Settings, export};
use bareroot_model::{Cancel, Class, Classified, Event, Observer};
use bareroot_unpack::Root;

use crate::{archive, is_root};

fn names(bytes: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap();
    entries
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect()
}

#[test]
fn what_is_no_part_of_a_root() {
    let temp = tempfile::tempdir().unwrap();
    let top = temp.path();
    for name in [
        "a",
        ".bareroot-ledger",
        "sub/.bareroot-ledger",
        ".bareroot-abcdefghij/x",
        ".bareroot-notes",
    ] {
        fs::create_dir_all(top.join(name).parent().unwrap()).unwrap();
        fs::write(top.join(name), b"").unwrap();
    }
    let _listener = UnixListener::bind(top.join("sub/socket")).unwrap();
    let (bytes, _, warnings) = archive(top, None).unwrap();
    assert_eq!(
        names(&bytes),
        [
            "./",
            "./.bareroot-notes",
            "./a",
            "./sub/",
            "./sub/.bareroot-ledger"
        ]
    );
    assert_eq!(
        warnings,
        ["`/sub/socket` is left out of the archive: it is a socket"]
    );
}

#[test]
fn a_mount_point_is_empty() {
    if !is_root() {
        eprintln!("skipped: a_mount_point_is_empty needs root");
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    let inner = temp.path().join("proc");
    fs::create_dir(&inner).unwrap();
    let mounted = rustix::mount::mount("tmpfs", &inner, "tmpfs", rustix::mount::MountFlags::empty(), None);
    if let Err(error) = mounted {
        eprintln!("skipped: a_mount_point_is_empty needs to mount: {error}");
        return;
    }
    fs::write(inner.join("self"), b"").unwrap();
    let result = archive(temp.path(), None);
    rustix::mount::unmount(&inner, rustix::mount::UnmountFlags::DETACH).unwrap();
    assert_eq!(names(&result.unwrap().0), ["./", "./proc/"]);
}

/// Does something to the root when the first bytes of the archive come.
struct Meddler<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Write for Meddler<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(meddle) = self.0.take() {
            meddle();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Nobody;

impl Observer for Nobody {
    fn on(&self, _: Event) {}
}

/// Exports a root of a file that keeps the reader busy, and one after it that is changed meanwhile.
fn meddled(meddle: impl FnOnce(&Path)) -> Error {
    let temp = tempfile::tempdir().unwrap();
    fs::File::create(temp.path().join("a"))
        .unwrap()
        .set_len(64 << 20)
        .unwrap();
    fs::write(temp.path().join("b"), vec![1; 5000]).unwrap();
    let settings = Settings {
        compression: Compression::None,
        threads: 1,
        clamp: None,
        leave_out: &[],
        cancel: &Cancel::default(),
        observer: &Nobody,
    };
    let out = Meddler(Some(|| meddle(&temp.path().join("b"))));
    export(&Root::open(temp.path()).unwrap(), out, &settings).unwrap_err()
}

#[test]
fn a_file_that_changes_is_an_error() {
    let shorter = meddled(|path| fs::write(path, vec![1; 4000]).unwrap());
    assert!(
        shorter
            .to_string()
            .ends_with("changed while it was read: 1000 of its 5000 bytes are missing"),
        "{shorter}"
    );
    let longer = meddled(|path| fs::write(path, vec![1; 6000]).unwrap());
    assert!(
        longer.to_string().ends_with("it has more than its 5000 bytes"),
        "{longer}"
    );
    let gone = meddled(|path| fs::remove_file(path).unwrap());
    assert!(gone.to_string().ends_with("it was replaced or removed"), "{gone}");
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(outside.path(), vec![2; 5000]).unwrap();
    let link = meddled(|path| {
        fs::remove_file(path).unwrap();
        symlink(outside.path(), path).unwrap();
    });
    assert!(link.to_string().ends_with("it was replaced or removed"), "{link}");
    let other = meddled(|path| {
        fs::rename(path, path.with_extension("old")).unwrap();
        fs::write(path, vec![1; 5000]).unwrap();
    });
    assert!(
        other.to_string().ends_with("it was replaced or removed"),
        "{other}"
    );
    for error in [shorter, longer, gone, link, other] {
        assert_eq!(error.class(), Class::Target);
        assert!(error.hint().is_some());
    }
}

#[test]
fn a_full_disk_and_a_stop() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from_raw_os_error(libc::ENOSPC))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let temp = tempfile::tempdir().unwrap();
    fs::File::create(temp.path().join("a"))
        .unwrap()
        .set_len(64 << 20)
        .unwrap();
    let root = Root::open(temp.path()).unwrap();
    for (_, format) in bareroot_export::Format::WORDS {
        let bareroot_export::Format::Tar(compression) = *format else {
            continue;
        };
        let cancel = Cancel::default();
        let settings = Settings {
            compression,
            threads: 2,
            clamp: None,
            leave_out: &[],
            cancel: &cancel,
            observer: &Nobody,
        };
        let error = export(&root, Full, &settings).unwrap_err();
        assert_eq!(error.class(), Class::Target);
        assert!(error.hint().unwrap().contains("space"), "{error}");
        cancel.set();
        let stopped = export(&root, std::io::sink(), &settings).unwrap_err();
        assert_eq!(stopped.class(), Class::Interrupted);
    }
}
