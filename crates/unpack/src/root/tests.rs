// A test that is skipped says so.
#![allow(clippy::print_stderr)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use bareroot_model::{Class, Classified};
use tempfile::TempDir;

use super::*;

/// A root with every kind of link, and something beside it that nothing may reach.
fn ground() -> (TempDir, Root) {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("root");
    std::fs::create_dir_all(root.join("usr/bin")).unwrap();
    std::fs::create_dir_all(root.join("etc/deep/er")).unwrap();
    std::fs::write(root.join("usr/bin/sh"), b"sh").unwrap();
    std::fs::write(root.join("etc/passwd"), b"inside").unwrap();
    std::fs::write(temp.path().join("secret"), b"outside").unwrap();
    for (text, path) in [
        ("usr/bin", "bin"),
        ("/etc", "abs"),
        ("/etc/passwd", "etc/deep/pw"),
        ("../../../../../../etc/passwd", "etc/deep/climb"),
        ("../secret", "outward"),
        ("loop2", "loop1"),
        ("loop1", "loop2"),
        ("nowhere", "dangling"),
        ("/bin/../bin/./sh", "chain"),
        ("..", "etc/up"),
        ("/", "top"),
        ("usr/bin/", "slash"),
        ("usr/bin/sh/", "file-slash"),
    ] {
        symlink(text, root.join(path)).unwrap();
    }
    symlink(temp.path().join("secret"), root.join("out")).unwrap();
    let root = Root::open(root).unwrap();
    (temp, root)
}

/// Runs a test with both ways of looking paths up.
fn both(test: impl Fn(&Path, &Root)) {
    let (temp, root) = ground();
    if root.resolver == Resolver::Kernel {
        test(temp.path(), &root);
    } else {
        eprintln!("skipped: lookups by openat2 need Linux 5.6");
    }
    let (temp, root) = ground();
    test(temp.path(), &root.without_openat2());
}

#[test]
fn lookups() {
    both(|_, root| {
        for (path, expected) in [
            ("etc/passwd", Ok("inside")),
            ("/etc/passwd", Ok("inside")),
            ("//etc//passwd", Ok("inside")),
            ("../../etc/passwd", Ok("inside")),
            ("abs/passwd", Ok("inside")),
            ("etc/deep/pw", Ok("inside")),
            ("etc/deep/climb", Ok("inside")),
            ("bin/sh", Ok("sh")),
            ("chain", Ok("sh")),
            ("etc/up/etc/passwd", Ok("inside")),
            ("top/bin/sh", Ok("sh")),
            ("slash/sh", Ok("sh")),
            ("file-slash", Err(libc::ENOTDIR)),
            ("etc/passwd/", Err(libc::ENOTDIR)),
            ("etc/passwd/x", Err(libc::ENOTDIR)),
            ("outward", Err(libc::ENOENT)),
            ("secret", Err(libc::ENOENT)),
            ("out", Err(libc::ENOENT)),
            ("../secret", Err(libc::ENOENT)),
            ("loop1", Err(libc::ELOOP)),
            ("loop1/x", Err(libc::ELOOP)),
            ("dangling", Err(libc::ENOENT)),
            ("dangling/x", Err(libc::ENOENT)),
            ("missing/x", Err(libc::ENOENT)),
        ] {
            let found = root.read(path).map(|bytes| String::from_utf8(bytes).unwrap());
            match expected {
                Ok(content) => assert_eq!(found.unwrap(), content, "{path}"),
                Err(errno) => assert_eq!(found.unwrap_err().raw_os_error(), Some(errno), "{path}"),
            }
        }
        assert_eq!(root.stat("").unwrap().unwrap().kind, FileKind::Directory);
        assert_eq!(
            root.stat("/").unwrap().unwrap().ino,
            root.stat("../..").unwrap().unwrap().ino
        );
        assert_eq!(root.lstat("bin").unwrap().unwrap().kind, FileKind::Symlink);
        assert_eq!(root.lstat("bin/").unwrap().unwrap().kind, FileKind::Directory);
        assert_eq!(root.stat("bin").unwrap().unwrap().kind, FileKind::Directory);
        assert_eq!(root.stat("loop1").unwrap_err().raw_os_error(), Some(libc::ELOOP));
        assert_eq!(root.lstat("loop1").unwrap().unwrap().kind, FileKind::Symlink);
    });
}

#[test]
fn magic_links_are_not_followed() {
    for walk in [false, true] {
        let Ok(root) = Root::open("/") else { return };
        let root = if walk { root.without_openat2() } else { root };
        for path in ["proc/self/root/etc", "proc/self/cwd/x", "proc/self/fd/0"] {
            if root.lstat("proc/self").is_ok_and(|found| found.is_some()) {
                assert_eq!(
                    root.read(path).unwrap_err().raw_os_error(),
                    Some(libc::ELOOP),
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn files_are_written_whole_and_inside() {
    both(|temp, root| {
        root.write("etc/new", 0o640, b"new").unwrap();
        let stat = root.stat("etc/new").unwrap().unwrap();
        assert_eq!((stat.mode, stat.size), (0o640, 3));
        if rustix::process::geteuid().is_root() {
            assert_eq!((stat.uid, stat.gid), (0, 0));
        }
        root.write("etc/new", 0o4755, b"newer").unwrap();
        assert_eq!(root.read("etc/new").unwrap(), b"newer");
        assert_eq!(root.stat("etc/new").unwrap().unwrap().mode, 0o4755);
        // A link in the last place is replaced; those before it are followed inside.
        root.write("outward", 0o644, b"mine").unwrap();
        root.write("abs/deep/climb", 0o644, b"mine").unwrap();
        assert_eq!(root.lstat("outward").unwrap().unwrap().kind, FileKind::File);
        assert_eq!(std::fs::read(temp.join("secret")).unwrap(), b"outside");
        assert_eq!(root.read("etc/passwd").unwrap(), b"inside");
        root.append("abs/log", 0o604, b"a").unwrap();
        root.append("etc/log", 0o600, b"b").unwrap();
        assert_eq!(root.read("etc/log").unwrap(), b"ab");
        assert_eq!(root.stat("etc/log").unwrap().unwrap().mode, 0o604);
        root.append("etc/deep/pw", 0o600, b"!").unwrap();
        assert_eq!(root.read("etc/passwd").unwrap(), b"inside!");
        assert!(root.append("out", 0o600, b"x").is_err());
        assert_eq!(std::fs::read(temp.join("secret")).unwrap(), b"outside");
        // Nothing is left of what failed.
        assert!(root.write("etc", 0o644, b"x").is_err());
        assert!(root.write("missing/x", 0o644, b"x").unwrap_err().is_not_found());
        assert!(
            root.read_dir("/")
                .unwrap()
                .iter()
                .all(|entry| !entry.name.starts_with(b".bareroot"))
        );
        assert_eq!(root.read_if_exists("none").unwrap(), None);
        assert_eq!(
            root.read_if_exists("etc/new").unwrap().as_deref(),
            Some(&b"newer"[..])
        );
        for path in ["", "/", ".", "etc/..", "a\0b"] {
            assert_eq!(
                root.write(path, 0o644, b"").unwrap_err().class(),
                Class::Internal,
                "{path:?}"
            );
        }
    });
}

#[test]
fn directories_links_and_nodes() {
    both(|temp, root| {
        root.create_dir_all("var/lib/dpkg/info", 0o755).unwrap();
        root.create_dir_all("/var/lib/dpkg/info", 0o700).unwrap();
        assert_eq!(root.stat("var/lib").unwrap().unwrap().mode, 0o755);
        root.create_dir_all("bin/sub", 0o755).unwrap();
        assert!(root.stat("usr/bin/sub").unwrap().is_some());
        assert!(root.create_dir_all("usr/bin/sh/x", 0o755).is_err());
        assert!(root.create_dir_all("dangling/x", 0o755).is_err());
        root.create_dir("tmp", 0o1777).unwrap();
        assert_eq!(root.stat("tmp").unwrap().unwrap().mode, 0o1777);
        assert_eq!(
            root.create_dir("tmp", 0o755).unwrap_err().raw_os_error(),
            Some(libc::EEXIST)
        );
        root.symlink("../anything", "tmp/l").unwrap();
        assert_eq!(
            root.read_link("tmp/l").unwrap().as_deref(),
            Some(&b"../anything"[..])
        );
        assert_eq!(root.read_link("tmp").unwrap(), None);
        assert_eq!(root.read_link("tmp/none").unwrap(), None);
        root.hard_link("usr/bin/sh", "tmp/sh").unwrap();
        assert_eq!(root.stat("tmp/sh").unwrap().unwrap().links, 2);
        root.mknod("tmp/pipe", Node::Fifo, 0o622).unwrap();
        let pipe = root.lstat("tmp/pipe").unwrap().unwrap();
        assert_eq!((pipe.kind, pipe.mode), (FileKind::Fifo, 0o622));
        root.rename("tmp/l", "tmp/m").unwrap();
        assert_eq!(
            root.rename_new("tmp/m", "tmp/sh").unwrap_err().raw_os_error(),
            Some(libc::EEXIST)
        );
        root.rename_new("tmp/m", "tmp/n").unwrap();
        let names: Vec<_> = root
            .read_dir("tmp")
            .unwrap()
            .into_iter()
            .map(|entry| (entry.name, entry.kind))
            .collect();
        assert_eq!(
            names,
            [
                (b"n".to_vec(), FileKind::Symlink),
                (b"pipe".to_vec(), FileKind::Fifo),
                (b"sh".to_vec(), FileKind::File)
            ]
        );
        root.chmod("tmp/sh", 0o4711).unwrap();
        assert_eq!(root.stat("tmp/sh").unwrap().unwrap().mode, 0o4711);
        assert!(root.chmod("tmp/n", 0o644).is_err());
        root.chmod("/", 0o711).unwrap();
        assert_eq!(root.stat("/").unwrap().unwrap().mode, 0o711);
        root.set_mtime("tmp/n", 77).unwrap();
        root.set_mtime("/", 78).unwrap();
        assert_eq!(root.lstat("tmp/n").unwrap().unwrap().mtime, 77);
        assert_eq!(
            (
                root.stat("/").unwrap().unwrap().mtime,
                root.stat("/").unwrap().unwrap().mtime_nsec
            ),
            (78, 0)
        );
        let me = root.stat("/").unwrap().unwrap();
        root.chown("tmp/n", me.uid, me.gid).unwrap();
        root.chown("/", me.uid, me.gid).unwrap();
        root.remove("tmp/n").unwrap();
        assert!(root.remove("tmp/n").unwrap_err().is_not_found());
        assert!(root.remove("tmp").is_err());
        root.remove_all("tmp").unwrap();
        root.remove_all("tmp").unwrap();
        root.remove_all("no/such/place").unwrap();
        assert!(!root.exists("tmp").unwrap());
        root.remove_all("outward").unwrap();
        root.remove_all("abs").unwrap();
        assert_eq!(std::fs::read(temp.join("secret")).unwrap(), b"outside");
        assert!(root.exists("etc/passwd").unwrap());
    });
}

#[test]
fn removing_whatever_it_is() {
    both(|temp, root| {
        let base = temp.join("root/hard");
        let deep = base.join("d/".repeat(300));
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("f"), b"x").unwrap();
        symlink(temp, base.join("link")).unwrap();
        std::fs::create_dir_all(base.join("shut/in")).unwrap();
        std::fs::set_permissions(base.join("shut/in"), PermissionsExt::from_mode(0o000)).unwrap();
        std::fs::set_permissions(base.join("shut"), PermissionsExt::from_mode(0o500)).unwrap();
        std::fs::set_permissions(&base, PermissionsExt::from_mode(0o500)).unwrap();
        root.remove_all("hard").unwrap();
        assert!(!base.exists());
        assert_eq!(std::fs::read(temp.join("secret")).unwrap(), b"outside");
    });
}

/// Longer than what the kernel takes at once; the walker holds a descriptor for each of its directories.
#[test]
fn paths_past_four_kibibytes() {
    both(|_, root| {
        let name = "n".repeat(250);
        let mut path = String::from("etc/up/etc/deep");
        for _ in 0..40 {
            path.push('/');
            path.push_str(&name);
            root.create_dir_all(&path, 0o755).unwrap();
        }
        let file = format!("{path}/f");
        root.write(&file, 0o644, b"deep down").unwrap();
        root.write(format!("{path}/other"), 0o644, b"beside").unwrap();
        let text = root.read(&file).unwrap();
        assert_eq!(text, b"deep down");
        // Beside it, by way of `..` at the end and of a link before it.
        assert_eq!(root.read(format!("{path}/../{name}/other")).unwrap(), b"beside");
        root.symlink("f", format!("{path}/link")).unwrap();
        assert_eq!(root.read(format!("{path}/link")).unwrap(), b"deep down");
        assert!(root.exists(format!("{path}/none")).is_ok_and(|there| !there));
        let mut longest = 0;
        root.walk(|entry| {
            longest = longest.max(entry.path().as_os_str().len());
            Ok(Walk::On)
        })
        .unwrap();
        assert!(longest > 10_000, "{longest}");
        root.remove_all("etc/deep").unwrap();
    });
}

#[test]
fn walking_and_turning_times_back() {
    both(|temp, root| {
        let mut seen = Vec::new();
        root.walk(|entry| {
            seen.push(entry.path().display().to_string());
            let down = entry.path() != Path::new("/etc/deep");
            if entry.path() == Path::new("/bin") {
                assert_eq!(entry.read_link().unwrap(), b"usr/bin");
            }
            Ok(if down { Walk::On } else { Walk::Skip })
        })
        .unwrap();
        assert_eq!(
            seen.iter().filter(|path| path.starts_with("/etc/deep")).count(),
            1
        );
        let at = |path: &str| seen.iter().position(|seen| seen == path).unwrap();
        assert!(at("/usr") < at("/usr/bin") && at("/usr/bin") < at("/usr/bin/sh"));
        assert!(at("/abs") < at("/bin") && at("/bin") < at("/chain"));
        root.set_mtime("usr/bin/sh", 5).unwrap();
        root.clamp_mtimes(1000).unwrap();
        let time = |path: &str| {
            std::fs::symlink_metadata(temp.join("root").join(path))
                .unwrap()
                .mtime()
        };
        assert_eq!(
            ["", "bin", "etc/passwd", "usr/bin", "usr/bin/sh"].map(time),
            [1000, 1000, 1000, 1000, 5]
        );
        assert!(std::fs::metadata(temp.join("secret")).unwrap().mtime() > 1000);
    });
}

#[test]
fn nothing_leaves_while_directories_are_swapped() {
    both(|temp, root| {
        let inside = temp.join("root/swap");
        std::fs::create_dir_all(inside.join("a/b")).unwrap();
        std::fs::create_dir(temp.join("canary")).unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (a, away) = (inside.join("a"), temp.join("root/away"));
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let _ = std::fs::rename(&a, &away);
                    let _ = symlink("../../canary", &a);
                    let _ = std::fs::remove_file(&a);
                    let _ = std::fs::rename(&away, &a);
                }
            });
            for _ in 0..1000 {
                let _ = root.write("swap/a/b/../../a/f", 0o644, b"x");
                let _ = root.append("swap/a/b/../g", 0o644, b"x");
                let _ = root.create_dir_all("swap/a/c", 0o755);
                let _ = root.remove_all("swap/a/c");
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(std::fs::read_dir(temp.join("canary")).unwrap().count(), 0);
    });
}

#[test]
fn large_files_are_not_read() {
    let (_temp, root) = ground();
    let file = std::fs::File::create(root.path().join("huge")).unwrap();
    file.set_len((256 << 20) + 1).unwrap();
    let error = root.read("huge").unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    assert_eq!(error.class(), Class::Target);
    file.set_len(5).unwrap();
    assert_eq!(root.read_up_to("huge", 5).unwrap(), [0; 5]);
    let error = root.read_up_to("huge", 4).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TooLarge {
                size: 5,
                limit: 4,
                ..
            }
        ),
        "{error}"
    );
}
