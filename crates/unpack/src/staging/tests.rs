// A test that is skipped says so.
#![allow(clippy::print_stderr)]

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use bareroot_model::{Class, Classified};
use tempfile::TempDir;

use super::*;
use crate::root::FileKind;

fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn fill(staging: &Staging) {
    staging.root().create_dir_all("usr/bin", 0o755).unwrap();
    staging.root().write("usr/bin/sh", 0o755, b"sh").unwrap();
    staging.root().set_mtime("/", 1234).unwrap();
}

fn ground() -> (TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let target = temp.path().join("trixie");
    (temp, target)
}

#[test]
fn a_new_target() {
    let (temp, target) = ground();
    let staging = Staging::create(&target).unwrap();
    assert!(staging.path().is_absolute());
    assert_eq!(staging.target(), target);
    fill(&staging);
    assert_eq!(names(temp.path()).len(), 1);
    assert!(names(temp.path())[0].starts_with(".trixie.bareroot-"));
    staging.commit().unwrap();
    assert_eq!(names(temp.path()), ["trixie"]);
    let stat = std::fs::metadata(&target).unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.mtime()), (0o755, 1234));
    assert_eq!(std::fs::read(target.join("usr/bin/sh")).unwrap(), b"sh");
}

#[test]
fn spellings_of_a_target() {
    let (temp, _) = ground();
    for (index, spelling) in ["t1", "t2/", "./t3", "t4/.", "new/parents/t5", "new/../t6"]
        .into_iter()
        .enumerate()
    {
        let staging = Staging::create(&temp.path().join(spelling)).unwrap();
        staging.commit().unwrap();
        let made = if index == 4 {
            "new/parents/t5".to_owned()
        } else {
            format!("t{}", index + 1)
        };
        assert!(temp.path().join(&made).is_dir(), "{made}");
    }
    // A link to an empty directory is that directory.
    std::fs::create_dir(temp.path().join("real")).unwrap();
    symlink("real", temp.path().join("link")).unwrap();
    let staging = Staging::create(&temp.path().join("link")).unwrap();
    fill(&staging);
    staging.commit().unwrap();
    assert_eq!(names(&temp.path().join("real")), ["usr"]);
    assert!(
        std::fs::symlink_metadata(temp.path().join("link"))
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn an_empty_directory_is_replaced() {
    let (temp, target) = ground();
    std::fs::create_dir(&target).unwrap();
    std::fs::set_permissions(&target, PermissionsExt::from_mode(0o700)).unwrap();
    let staging = Staging::create(&target).unwrap();
    fill(&staging);
    staging.commit().unwrap();
    assert_eq!(names(temp.path()), ["trixie"]);
    assert_eq!(std::fs::metadata(&target).unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn lost_and_found_counts_as_empty() {
    let (temp, target) = ground();
    std::fs::create_dir_all(target.join("lost+found")).unwrap();
    std::fs::set_permissions(&target, PermissionsExt::from_mode(0o1777)).unwrap();
    let staging = Staging::create(&target).unwrap();
    assert_eq!(
        staging.path().parent(),
        Some(target.canonicalize().unwrap().as_path())
    );
    fill(&staging);
    staging.commit().unwrap();
    assert_eq!(names(temp.path()), ["trixie"]);
    assert_eq!(names(&target), ["lost+found", "usr"]);
    let stat = std::fs::metadata(&target).unwrap();
    assert_eq!((stat.mode() & 0o7777, stat.mtime()), (0o755, 1234));
    // Dropped, it leaves the directory as it was.
    let (_temp, target) = ground();
    std::fs::create_dir_all(target.join("lost+found")).unwrap();
    let staging = Staging::create(&target).unwrap();
    fill(&staging);
    drop(staging);
    assert_eq!(names(&target), ["lost+found"]);
}

#[test]
fn dropped_it_leaves_nothing() {
    let (temp, target) = ground();
    for committed in [false, true] {
        let staging = Staging::create(&target.join("deep/er")).unwrap();
        fill(&staging);
        staging.root().create_dir("shut", 0o000).unwrap();
        staging.root().symlink(temp.path(), "out").unwrap();
        std::fs::write(temp.path().join("bird"), b"alive").unwrap();
        if committed {
            drop(staging)
        } else {
            staging.discard().unwrap()
        }
        assert_eq!(names(temp.path()), ["bird"]);
    }
    // A parent that got other content meanwhile stays.
    let staging = Staging::create(&target.join("deep")).unwrap();
    std::fs::write(target.join("other"), b"").unwrap();
    drop(staging);
    assert_eq!(names(&target), ["other"]);
}

#[test]
fn what_cannot_be_a_target() {
    let (temp, target) = ground();
    std::fs::write(temp.path().join("file"), b"").unwrap();
    symlink("nowhere", temp.path().join("dangling")).unwrap();
    symlink("/", temp.path().join("to-root")).unwrap();
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join("b"), b"").unwrap();
    std::fs::write(target.join("a"), b"").unwrap();
    let shown = |path: &Path| path.display().to_string();
    for (path, expected) in [
        (
            target.clone(),
            format!("the target `{}` is not empty: it has `a`", shown(&target)),
        ),
        (
            "/".into(),
            "the target `/` is the root directory of this system".to_owned(),
        ),
        (
            "/..".into(),
            "the target `/..` is the root directory of this system".to_owned(),
        ),
        (
            temp.path().join("to-root"),
            format!(
                "the target `{}` is the root directory of this system",
                shown(&temp.path().join("to-root"))
            ),
        ),
        (
            temp.path().join("file"),
            format!(
                "the target `{}` is a file, not a directory",
                shown(&temp.path().join("file"))
            ),
        ),
        (
            temp.path().join("file/sub"),
            format!(
                "the target `{}` is a file, not a directory",
                shown(&temp.path().join("file"))
            ),
        ),
        (
            temp.path().join("dangling"),
            format!(
                "the target `{}` is a symbolic link that leads nowhere, not a directory",
                shown(&temp.path().join("dangling"))
            ),
        ),
        (
            temp.path().join("missing/.."),
            format!(
                "`{}` cannot be a target: its last part is no name",
                shown(&temp.path().join("missing/.."))
            ),
        ),
        (PathBuf::new(), "`` cannot be a target: it is empty".to_owned()),
    ] {
        let before = names(temp.path());
        let error = Staging::create(&path).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.class(), Class::Target);
        assert!(error.hint().is_some());
        assert_eq!(names(temp.path()), before);
    }
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: an unwritable parent needs a user who is not root");
    } else {
        let shut = temp.path().join("shut");
        std::fs::create_dir_all(shut.join("target")).unwrap();
        std::fs::set_permissions(&shut, PermissionsExt::from_mode(0o555)).unwrap();
        assert_eq!(
            Staging::create(&shut.join("new")).unwrap_err().raw_os_error(),
            Some(libc::EACCES)
        );
        let staging = Staging::create(&shut.join("target")).unwrap();
        fill(&staging);
        staging.commit().unwrap();
        assert_eq!(names(&shut.join("target")), ["usr"]);
    }
}

#[test]
fn something_takes_the_targets_place() {
    let (temp, target) = ground();
    let staging = Staging::create(&target).unwrap();
    std::fs::create_dir(&target).unwrap();
    let error = staging.commit().unwrap_err();
    assert!(matches!(error, Error::TargetNotEmpty { .. }), "{error}");
    assert_eq!(names(temp.path()), ["trixie"]);
    // The directory that was empty no longer is.
    let staging = Staging::create(&target).unwrap();
    std::fs::write(target.join("x"), b"").unwrap();
    assert!(matches!(
        staging.commit().unwrap_err(),
        Error::TargetNotEmpty { .. }
    ));
    assert_eq!(names(temp.path()), ["trixie"]);
    // Moved up, a name is taken: what was moved goes back and away.
    std::fs::remove_file(target.join("x")).unwrap();
    std::fs::create_dir(target.join("lost+found")).unwrap();
    let staging = Staging::create(&target).unwrap();
    fill(&staging);
    staging.root().create_dir("bin", 0o755).unwrap();
    std::fs::write(target.join("usr"), b"mine").unwrap();
    assert!(matches!(
        staging.commit().unwrap_err(),
        Error::TargetNotEmpty { .. }
    ));
    assert_eq!(names(&target), ["lost+found", "usr"]);
    assert_eq!(std::fs::read(target.join("usr")).unwrap(), b"mine");
}

/// A staging directory whose run was killed: everything is there but the lock.
fn killed(target: &Path) -> PathBuf {
    let staging = Staging::create(target).unwrap();
    fill(&staging);
    let path = staging.path().to_path_buf();
    let mut staging = std::mem::ManuallyDrop::new(staging);
    let closed = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
    staging.lock = closed;
    path
}

#[test]
fn what_a_killed_run_left_is_removed() {
    let (temp, target) = ground();
    let left = killed(&target);
    let others = [
        ".trixie.bareroot-short",
        ".sid.bareroot-abcdefghij",
        ".trixie.bareroot-ABCDEFGHIJ",
        "trixie.bareroot-abcdefghij",
    ];
    for other in others {
        std::fs::create_dir(temp.path().join(other)).unwrap();
    }
    // A file or a link of that name is not ours.
    symlink(temp.path(), temp.path().join(".trixie.bareroot-linklinkli")).unwrap();
    std::fs::write(temp.path().join(".trixie.bareroot-filefilefi"), b"").unwrap();
    let staging = Staging::create(&target).unwrap();
    assert!(!left.exists());
    staging.discard().unwrap();
    assert_eq!(names(temp.path()).len(), others.len() + 2);
    // Inside the target.
    std::fs::create_dir_all(target.join("lost+found")).unwrap();
    let left = killed(&target);
    assert_eq!(left.parent(), Some(target.canonicalize().unwrap().as_path()));
    let staging = Staging::create(&target).unwrap();
    assert!(!left.exists());
    staging.discard().unwrap();
    assert_eq!(names(&target), ["lost+found"]);
}

#[test]
fn a_run_that_was_killed_while_moving_up() {
    let (_temp, target) = ground();
    std::fs::create_dir_all(target.join("lost+found")).unwrap();
    let left = killed(&target);
    let root = Root::open(&left).unwrap();
    root.create_dir("bin", 0o755).unwrap();
    let inode = |path: &str| root.lstat(path).unwrap().unwrap().ino;
    let journal = format!(
        "{} usr\0{} bin\0{} ..\0x y\0 z\07 etc\0",
        inode("usr"),
        inode("bin"),
        inode("usr")
    );
    root.write(".bareroot-moving", 0o600, journal.as_bytes()).unwrap();
    std::fs::rename(left.join("usr"), target.join("usr")).unwrap();
    let staging = Staging::create(&target).unwrap();
    staging.discard().unwrap();
    assert_eq!(names(&target), ["lost+found"]);
    // Something else of a name in the list is not ours.
    let left = killed(&target);
    let root = Root::open(&left).unwrap();
    root.write(".bareroot-moving", 0o600, b"1 mine\0").unwrap();
    std::fs::write(target.join("mine"), b"").unwrap();
    assert!(matches!(
        Staging::create(&target).unwrap_err(),
        Error::TargetNotEmpty { .. }
    ));
    assert_eq!(names(&target), ["lost+found", "mine"]);
}

#[test]
fn a_run_that_is_alive_is_left_alone() {
    let (temp, target) = ground();
    let first = Staging::create(&target).unwrap();
    let error = Staging::create(&target).unwrap_err();
    assert!(matches!(error, Error::TargetBusy { .. }), "{error}");
    assert_eq!(error.class(), Class::Target);
    // Another target beside it is another matter.
    let other = Staging::create(&temp.path().join("sid")).unwrap();
    assert_eq!(names(temp.path()).len(), 2);
    drop((first, other));
    Staging::create(&target).unwrap().commit().unwrap();
    assert_eq!(names(temp.path()), ["trixie"]);
}

#[test]
fn a_mount_point() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a_mount_point needs root");
        return;
    }
    let (temp, target) = ground();
    std::fs::create_dir(&target).unwrap();
    let tmpfs = rustix::mount::mount(
        "tmpfs",
        &target,
        "tmpfs",
        rustix::mount::MountFlags::empty(),
        None,
    );
    if let Err(error) = tmpfs {
        eprintln!("skipped: a_mount_point needs to mount: {error}");
        return;
    }
    let unmount = Unmount(target.clone());
    let staging = Staging::create(&target).unwrap();
    assert_eq!(
        staging.path().parent(),
        Some(target.canonicalize().unwrap().as_path())
    );
    fill(&staging);
    staging.commit().unwrap();
    assert_eq!(names(&target), ["usr"]);
    assert_eq!(std::fs::metadata(&target).unwrap().mode() & 0o7777, 0o755);
    std::fs::remove_dir_all(target.join("usr")).unwrap();
    // A mount inside a staging directory is not entered when it is removed.
    let staging = Staging::create(&target).unwrap();
    staging.root().create_dir("proc", 0o755).unwrap();
    let inner = staging.path().join("proc");
    let outside = temp.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("bird"), b"alive").unwrap();
    rustix::mount::mount_bind(&outside, &inner).unwrap();
    let inner = Unmount(inner);
    assert!(staging.discard().is_err());
    assert!(outside.join("bird").exists());
    drop(inner);
    Staging::create(&target).unwrap().discard().unwrap();
    assert_eq!(names(&target), [""; 0]);
    drop(unmount);
    assert_eq!(names(temp.path()), ["outside", "trixie"]);
}

#[test]
fn a_full_file_system() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a_full_file_system needs root");
        return;
    }
    let (_temp, target) = ground();
    std::fs::create_dir(&target).unwrap();
    let size = std::ffi::CString::new("size=1m").unwrap();
    let flags = rustix::mount::MountFlags::empty();
    if let Err(error) = rustix::mount::mount("tmpfs", &target, "tmpfs", flags, Some(size.as_c_str())) {
        eprintln!("skipped: a_full_file_system needs to mount: {error}");
        return;
    }
    let _unmount = Unmount(target.clone());
    let staging = Staging::create(&target).unwrap();
    let error = staging.root().write("big", 0o644, &vec![1; 2 << 20]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "no space left to write `{}`",
            staging.path().join("big").display()
        )
    );
    assert_eq!(error.class(), Class::Target);
    assert_eq!(staging.root().read_dir("/").unwrap().len(), 0);
}

#[test]
fn immutable_files_are_removed() {
    let (temp, target) = ground();
    let staging = Staging::create(&target).unwrap();
    staging.root().write("f", 0o644, b"").unwrap();
    let file = staging.root().open_file("f").unwrap();
    let flags = rustix::fs::IFlags::IMMUTABLE;
    if let Err(error) = rustix::fs::ioctl_setflags(&file, flags) {
        eprintln!("skipped: immutable_files_are_removed needs root and a file system with flags: {error}");
        return;
    }
    let dir = staging.root().open_dir("/").unwrap();
    rustix::fs::ioctl_setflags(&dir, flags).unwrap();
    let removed = staging.discard();
    let clear = |fd: &dyn AsFd| rustix::fs::ioctl_setflags(fd.as_fd(), rustix::fs::IFlags::empty());
    if removed.is_err() {
        let _ = (clear(&dir), clear(&file));
    }
    removed.unwrap();
    assert_eq!(names(temp.path()), [""; 0]);
}

#[test]
fn the_root_can_be_handed_around() {
    let (_temp, target) = ground();
    let staging = Staging::create(&target).unwrap();
    let clone = staging.root().try_clone().unwrap();
    clone.write("f", 0o644, b"x").unwrap();
    assert_eq!(staging.root().lstat("f").unwrap().unwrap().kind, FileKind::File);
    staging.commit().unwrap();
    assert_eq!(clone.read("f").unwrap(), b"x");
}

struct Unmount(PathBuf);

impl Drop for Unmount {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}
