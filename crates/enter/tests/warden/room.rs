//! What stands around a program.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::Command;

use bareroot_enter::{Access, Bind, Error, Identity, Mounts, Program, Spec, Warden};
use bareroot_model::Cancel;

use crate::place::{Place, host_mounts, listing, make_root, probe, put_probe, run, say};
use crate::{Case, case};

pub const CASES: &[Case] = &[
    case("room::the_standard_mounts_are_there", standard),
    case("room::devices_work", devices),
    case(
        "room::devices_are_the_host_s_where_none_can_be_made",
        bound_devices,
    ),
    case("room::without_the_right_to_it_nothing_is_entered", refused),
    case("room::nothing_of_it_is_seen_outside", outside),
    case("room::links_in_the_place_of_mount_points_are_refused", hostile),
    case("room::missing_mount_points_are_left_out", missing),
    case("room::nothing_is_mounted_without_being_asked_for", bare),
    case("room::files_and_directories_of_the_host_can_be_shown", binds),
    case("room::a_bind_follows_no_link", hostile_binds),
    case("room::the_host_name_is_the_session_s_own", hostname),
    case("room::a_32_bit_root_sees_a_32_bit_machine", machine),
    case("room::fsync_does_nothing_on_request", fsync),
    case("room::a_root_within_a_root_without_proc", nested),
    case("room::the_host_s_own_root_can_be_entered", own_root),
    case("room::a_moved_root_is_still_the_one", moved),
];

/// The line of mountinfo for a path, from its mount options on.
fn mounted<'a>(info: &'a str, path: &str) -> Vec<&'a str> {
    let line = info.lines().rfind(|line| line.split(' ').nth(4) == Some(path));
    line.unwrap_or_else(|| panic!("{path} is not in {info}"))
        .split(' ')
        .skip(5)
        .collect()
}

fn standard() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let info = say(&session, &["read", "/proc/self/mountinfo"]);
    for (path, kind, options) in [
        ("/proc", "proc", "rw,nosuid,nodev,noexec,relatime"),
        ("/sys", "sysfs", "ro,nosuid,nodev,noexec,relatime"),
        ("/dev", "tmpfs", "rw,nosuid,relatime"),
        ("/dev/pts", "devpts", "rw,nosuid,noexec,relatime"),
        ("/dev/shm", "tmpfs", "rw,nosuid,nodev,noexec,relatime"),
    ] {
        let line = mounted(&info, path);
        assert_eq!(line[0], options, "{path}");
        assert!(line.contains(&kind), "{path}: {line:?}");
    }
    assert!(
        mounted(&info, "/dev/pts")
            .last()
            .unwrap()
            .contains("ptmxmode=666")
    );
    // A PID namespace of its own, in which the first process is bareroot's.
    assert_eq!(say(&session, &["read", "/proc/1/comm"]), "bareroot-init\n");
    let processes = say(&session, &["list", "/proc"])
        .lines()
        .filter(|name| name.parse::<u32>().is_ok())
        .count();
    assert_eq!(processes, 2);
}

fn devices() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    say(&session, &["devices"]);
    assert_eq!(say(&session, &["terminal"]), "/dev/pts/0 true\n");
}

fn bound_devices() {
    let place = Place::new();
    let told = Command::new(place.root.join("bin/probe"))
        .arg0("probe")
        .arg("without-mknod")
        .arg(&place.root)
        .output()
        .unwrap();
    let info = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.status.success(),
        "{info}{}",
        String::from_utf8_lossy(&told.stderr)
    );
    mounted(&info, "/dev/null");
    mounted(&info, "/dev/urandom");
}

fn refused() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place.enter(&warden);
    let mut program = probe(&["refused", "/"]);
    program.identity = Identity::Ids {
        uid: 1,
        gid: 1,
        groups: Vec::new(),
    };
    let (status, printed) = run(&session, &program).unwrap();
    assert!(status.success(), "{status} {printed}");
    assert_eq!(
        printed,
        "cannot make private namespaces for `/`: Operation not permitted (os error 1)\n\
         Target run it as root; in a container, it needs the capability CAP_SYS_ADMIN\n"
    );
}

fn outside() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let (mounts, before) = (host_mounts(), listing(&place.root));
    let session = place.enter(&warden);
    say(&session, &["create", "/dev/stray"]);
    say(&session, &["create", "/dev/shm/stray"]);
    assert_eq!(host_mounts(), mounts);
    assert_eq!(listing(&place.root), before);
    session.close().unwrap();
    assert_eq!(host_mounts(), mounts);
    assert_eq!(listing(&place.root), before);
}

fn hostile() {
    let warden = Warden::start().unwrap();
    for name in ["proc", "sys", "dev"] {
        for target in ["/", "/tmp", "tmp", "../..", "/nowhere"] {
            let place = Place::new();
            fs::remove_dir(place.root.join(name)).unwrap();
            symlink(target, place.root.join(name)).unwrap();
            let mounts = host_mounts();
            match place.enter_with(&warden, |_| {}) {
                Err(Error::MountPoint { path, found, .. }) => {
                    assert_eq!(
                        (path.to_str().unwrap(), found),
                        (&*format!("/{name}"), "a symbolic link")
                    );
                }
                other => panic!("{name} -> {target}: {other:?}"),
            }
            assert_eq!(host_mounts(), mounts);
        }
    }
    let place = Place::new();
    fs::remove_dir(place.root.join("dev")).unwrap();
    fs::write(place.root.join("dev"), "").unwrap();
    assert!(matches!(
        place.enter_with(&warden, |_| {}),
        Err(Error::MountPoint { .. })
    ));
}

fn missing() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    fs::remove_dir(place.root.join("sys")).unwrap();
    fs::remove_dir(place.root.join("dev")).unwrap();
    let session = place.enter_with(&warden, |_| {}).unwrap();
    assert_eq!(
        session.notes(),
        [
            "`/sys` is left out: the root has no such directory",
            "`/dev` is left out: the root has no such directory"
        ]
    );
    assert_eq!(say(&session, &["stdin"]), "0\n");
    session.close().unwrap();
    assert!(!place.root.join("dev").exists());
}

fn bare() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place
        .enter_with(&warden, |spec| spec.mounts = Mounts::None)
        .unwrap();
    assert_eq!(say(&session, &["list", "/proc"]), "");
    assert_eq!(say(&session, &["list", "/dev"]), "");
    assert_eq!(say(&session, &["stdin"]), "0\n");
}

fn binds() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let host = place.dir.path().join("host");
    fs::create_dir(&host).unwrap();
    fs::write(host.join("file"), "host's").unwrap();
    fs::write(place.root.join("etc/file"), "root's").unwrap();
    fs::write(place.root.join("etc/fixed"), "root's").unwrap();
    fs::create_dir(place.root.join("etc/fixed.d")).unwrap();
    let bind = |source: &str, target: &str, access| Bind {
        source: host.join(source),
        target: target.into(),
        access,
    };
    let session = place
        .enter_with(&warden, |spec| {
            spec.binds = vec![
                bind("file", "/etc/file", Access::ReadWrite),
                bind("file", "/etc/fixed", Access::ReadOnly),
                bind("", "/tmp", Access::ReadWrite),
                bind("", "/etc/fixed.d", Access::ReadOnly),
            ];
        })
        .unwrap();
    for path in ["/etc/file", "/etc/fixed", "/tmp/file", "/etc/fixed.d/file"] {
        assert_eq!(say(&session, &["read", path]), "host's", "{path}");
    }
    for path in ["/etc/fixed", "/etc/fixed.d/file"] {
        let (status, printed) = run(&session, &probe(&["write", path, "x"])).unwrap();
        assert!(
            !status.success() && printed.contains("Read-only"),
            "{path}: {printed}"
        );
    }
    say(&session, &["write", "/etc/file", "HOST"]);
    session.close().unwrap();
    assert_eq!(fs::read_to_string(host.join("file")).unwrap(), "HOST's");
    assert_eq!(fs::read_to_string(place.root.join("etc/file")).unwrap(), "root's");
    assert!(!place.root.join("tmp/file").exists());
}

fn hostile_binds() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let host = place.dir.path().join("host");
    fs::write(&host, "").unwrap();
    symlink("/etc", place.root.join("way")).unwrap();
    symlink("/etc/hostname", place.root.join("etc/link")).unwrap();
    for target in ["/way/hostname", "/etc/link"] {
        let bind = Bind {
            source: host.clone(),
            target: target.into(),
            access: Access::ReadWrite,
        };
        let refused = place
            .enter_with(&warden, |spec| spec.binds.push(bind))
            .unwrap_err();
        assert!(
            matches!(
                refused,
                Error::MountPoint {
                    found: "a symbolic link",
                    ..
                }
            ),
            "{refused}"
        );
    }
    for (target, source) in [
        ("/etc/../etc", "/etc"),
        ("etc", "/etc"),
        ("/etc", "etc"),
        ("/etc", "/none"),
    ] {
        let bind = Bind {
            source: source.into(),
            target: target.into(),
            access: Access::ReadWrite,
        };
        let refused = place
            .enter_with(&warden, |spec| spec.binds.push(bind))
            .unwrap_err();
        assert!(matches!(refused, Error::Setup { .. }), "{refused}");
    }
}

fn hostname() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let name = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    let before = name();
    let one = place
        .enter_with(&warden, |spec| spec.hostname = Some("one".into()))
        .unwrap();
    let two = place
        .enter_with(&warden, |spec| spec.hostname = Some("two".into()))
        .unwrap();
    let plain = place.enter(&warden);
    assert!(say(&one, &["uname"]).starts_with("one "));
    assert!(say(&two, &["uname"]).starts_with("two "));
    assert!(say(&plain, &["uname"]).starts_with(&before));
    assert_eq!(name(), before);
    let refused = place
        .enter_with(&warden, |spec| spec.hostname = Some("x".repeat(65).into()))
        .unwrap_err();
    assert!(refused.to_string().contains("set the host name"), "{refused}");
}

fn machine() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let session = place
        .enter_with(&warden, |spec| spec.personality32 = true)
        .unwrap();
    let expected = if cfg!(target_arch = "x86_64") {
        " i686\n"
    } else {
        " armv8l\n"
    };
    assert!(say(&session, &["uname"]).ends_with(expected));
}

fn fsync() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let hook = place.dir.path().join("host/probe");
    put_probe(&hook);
    let plain = place.enter(&warden);
    assert_eq!(say(&plain, &["fsync"]), "false false\n");
    let quick = place.enter_with(&warden, |spec| spec.no_fsync = true).unwrap();
    assert_eq!(say(&quick, &["fsync"]), "true true\n");
    assert!(say(&quick, &["read", "/proc/self/status"]).contains("NoNewPrivs:\t0"));
    assert_eq!(
        run(&quick, &Program::on_host(&hook).arg("fsync")).unwrap().1,
        "false false\n"
    );
}

fn nested() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let outer = place.dir.path().join("outer");
    put_probe(&outer.join("bin/probe"));
    make_root(&outer.join("inner"));
    let hook = place.dir.path().join("host/probe");
    put_probe(&hook);
    let directory = File::open(&outer).unwrap();
    let mut spec = Spec::new(directory.as_fd(), &outer);
    spec.mounts = Mounts::None;
    let session = warden.enter(&spec).unwrap();
    // As systemd has it on most hosts: what is mounted by one is seen by all, unless one sees to it.
    assert!(
        run(&session, &Program::on_host(&hook).arg("share-mounts"))
            .unwrap()
            .0
            .success()
    );
    let info = || {
        run(
            &session,
            &Program::on_host(&hook).arg("read").arg("/proc/self/mountinfo"),
        )
        .unwrap()
        .1
    };
    let before = info();
    assert!(before.contains(" shared:"), "{before}");

    let mut inner = session.spawn(&probe(&["nested"])).unwrap();
    let mut stdout = inner.stdout.take().unwrap();
    let mut told = Vec::new();
    while !told.ends_with(b"ready\n") {
        let mut byte = [0];
        assert_eq!(
            stdout.read(&mut byte).unwrap(),
            1,
            "{}",
            String::from_utf8_lossy(&told)
        );
        told.push(byte[0]);
    }
    assert_eq!(
        String::from_utf8(told).unwrap(),
        "bareroot-init\n0\nbin\ndev\netc\nproc\nsys\ntmp\nready\n"
    );
    assert_eq!(info(), before);
    drop(inner.stdin.take());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "bin\ninner\n");
    assert!(inner.wait(&Cancel::default()).unwrap().success());
    assert_eq!(info(), before);
}

fn own_root() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let root = File::open("/").unwrap();
    let mounts = host_mounts();
    let session = warden.enter(&Spec::new(root.as_fd(), "/")).unwrap();
    let program = Program::in_root(place.root.join("bin/probe"))
        .arg("read")
        .arg("/proc/1/comm");
    assert_eq!(run(&session, &program).unwrap().1, "bareroot-init\n");
    session.close().unwrap();
    assert_eq!(host_mounts(), mounts);
}

fn moved() {
    let (warden, place) = (Warden::start().unwrap(), Place::new());
    let root = File::open(&place.root).unwrap();
    fs::rename(&place.root, place.dir.path().join("elsewhere")).unwrap();
    fs::create_dir(&place.root).unwrap();
    let session = warden.enter(&Spec::new(root.as_fd(), &place.root)).unwrap();
    assert_eq!(say(&session, &["read", "/proc/1/comm"]), "bareroot-init\n");
}
