use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::process::Command;

use ::landlock::{ABI, Access, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr};

use super::*;

/// What of it this kernel has.
fn expected() -> Taken {
    let landlock = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(::landlock::AccessFs::Refer)
        .is_ok();
    Taken {
        capabilities: true,
        landlock,
        seccomp: true,
    }
}

/// The value of a field of this thread's status, in hexadecimal.
fn status(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(":"));
    u64::from_str_radix(line.unwrap().trim(), 16).unwrap()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_placer_writes_beneath_its_directories_and_nowhere_else() {
    let temp = tempfile::tempdir().unwrap();
    let [root, cache, outside] = ["root", "cache", "outside"].map(|name| temp.path().join(name));
    for directory in [&root, &cache, &outside] {
        fs::create_dir(directory).unwrap();
    }
    fs::write(outside.join("there"), "there").unwrap();
    std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
    let open = File::open(&root).unwrap();
    let had = capabilities(None).unwrap().effective;
    let confined = Confined::placer(open.as_fd(), &[&cache, &temp.path().join("missing")]);
    let (taken, refused) = thread::scope(|scope| {
        let work = || {
            let taken = confined.begin();
            for directory in [&root, &cache] {
                fs::create_dir_all(directory.join("a/b")).unwrap();
                fs::write(directory.join("a/file"), "content").unwrap();
                fs::rename(directory.join("a/file"), directory.join("a/b/file")).unwrap();
                fs::hard_link(directory.join("a/b/file"), directory.join("other")).unwrap();
                fs::remove_file(directory.join("other")).unwrap();
            }
            assert_eq!(fs::read(outside.join("there")).unwrap(), b"there");
            let refused = [
                fs::write(outside.join("new"), ""),
                fs::write(root.join("link/new"), ""),
                File::options().append(true).open(outside.join("there")).map(drop),
                fs::remove_file(outside.join("there")),
                fs::create_dir(outside.join("new")),
                fs::hard_link(outside.join("there"), root.join("there")),
                fs::rename(root.join("a/b/file"), outside.join("file")),
            ];
            if is_root() {
                let mode = rustix::fs::Mode::from_raw_mode(0o600);
                let null = rustix::fs::makedev(1, 3);
                rustix::fs::mknodat(&open, "null", rustix::fs::FileType::CharacterDevice, mode, null)
                    .unwrap();
                std::os::unix::fs::chown(root.join("a"), Some(1234), Some(1234)).unwrap();
                assert_eq!(status("CapEff"), (PLACING & had).bits());
            }
            (taken, refused.map(|tried| tried.map_err(|error| error.kind())))
        };
        scope.spawn(work).join().unwrap()
    });
    assert_eq!(taken, expected());
    if !taken.landlock {
        // There is nothing to hold: this kernel has no Landlock, or not enough of it.
        return;
    }
    for (number, tried) in refused.into_iter().enumerate() {
        let wrong = Some(ErrorKind::PermissionDenied);
        // Between directories of different rights landlock(7) answers EXDEV.
        let other = Some(ErrorKind::CrossesDevices);
        let error = tried.err();
        assert!(
            error == wrong || (number >= 5 && error == other),
            "{number}: {error:?}"
        );
    }
    let left: Vec<_> = fs::read_dir(&outside)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["there"]);
    // This thread is as it was.
    fs::write(outside.join("new"), "").unwrap();
}

#[test]
fn a_parser_has_what_it_was_handed() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("file");
    fs::write(&path, "content").unwrap();
    let mut file = File::open(&path).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let outcome = thread::scope(|scope| {
        let work = || {
            // Before: /proc cannot be read afterwards.
            let taken = Confined::parser().begin();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            let tried = [
                Command::new("/bin/true").status().map(drop),
                std::net::TcpStream::connect(address).map(drop),
                nix::unistd::sethostname("other").map_err(Into::into),
                nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).map_err(Into::into),
                File::open(&path).map(drop),
                fs::write(temp.path().join("new"), ""),
            ];
            let inherited = thread::spawn(|| capabilities(None).unwrap()).join().unwrap();
            (taken, text, tried, inherited)
        };
        scope.spawn(work).join().unwrap()
    });
    let (taken, text, tried, inherited) = outcome;
    assert!(taken.seccomp && taken.capabilities);
    assert_eq!(text, "content");
    assert!(inherited.effective.is_empty() && inherited.permitted.is_empty());
    for (number, tried) in tried.into_iter().enumerate() {
        if number >= 4 && !taken.landlock {
            continue;
        }
        assert_eq!(tried.unwrap_err().kind(), ErrorKind::PermissionDenied, "{number}");
    }
    assert!(Command::new("/bin/true").status().unwrap().success());
}

#[test]
fn a_reader_reads_and_changes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("file"), "content").unwrap();
    let changed = Confined::reader().run(|| {
        assert_eq!(fs::read(temp.path().join("file")).unwrap(), b"content");
        assert_eq!(status("NoNewPrivs"), 1);
        fs::write(temp.path().join("new"), "")
    });
    assert_eq!(changed.is_err(), expected().landlock);
    assert_eq!(status("NoNewPrivs"), 0);
}

#[test]
fn work_goes_on_where_landlock_is_refused() {
    // No more than sixteen sets of rules may be upon a thread (landlock(7)): one more is E2BIG.
    let temp = tempfile::tempdir().unwrap();
    let open = File::open(temp.path()).unwrap();
    let taken = thread::scope(|scope| {
        let work = || {
            for _ in 0..16 {
                let rules = Ruleset::default()
                    .handle_access(AccessNet::from_all(ABI::V4))
                    .unwrap();
                rules.create().unwrap().restrict_self().unwrap();
            }
            let taken = Confined::placer(open.as_fd(), &[]).begin();
            fs::write(temp.path().join("file"), "").unwrap();
            taken
        };
        scope.spawn(work).join().unwrap()
    });
    let without = Taken {
        landlock: false,
        ..expected()
    };
    assert_eq!(taken, without);
}

#[test]
fn a_panic_is_the_caller_s() {
    let caught = std::panic::catch_unwind(|| parse(|| -> () { panic!("as it is") }));
    assert_eq!(caught.unwrap_err().downcast_ref::<&str>(), Some(&"as it is"));
    assert_eq!(parse(|| 7), 7);
}
