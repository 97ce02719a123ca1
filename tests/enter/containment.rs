//! Ways out of a root, each tried by a program inside that is root, and each shown to fail.

use std::ffi::CStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use bareroot_testkit::cases;
use bareroot_testkit::door::run;
use bareroot_testkit::harness::Case;
use nix::sched::CloneFlags;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use rustix::process::{Pid, chdir, chroot, test_kill_process};

use crate::place::Place;

pub const CASES: &[Case] = cases![
    Root: every_way_out_is_closed, every_way_out_is_closed_in_a_user_namespace, the_ways_are_open_to_whom_they_are_meant_for,
];

/// An ordinary user's id.
const NOBODY: u32 = 65_534;

/// What an attempt gets to know of the host: the process id of the test, the inode of the root, the host's namespaces.
type Attempt = fn(&[&str]) -> io::Result<()>;

/// Name, and the attempt: it succeeds when the program got out.
const WAYS: &[(&str, Attempt)] = &[
    // To see or signal a process of the host.
    ("see more processes than the session's", more_processes),
    ("signal a process of the host", |words| signal(words[0])),
    ("look into a process of the host", |words| {
        see(&format!("/proc/{}/environ", words[0]))
    }),
    ("see a timer's or a scheduler's list of processes", |_| {
        not_empty("/proc/timer_list").or_else(|_| not_empty("/proc/sched_debug"))
    }),
    ("be in a namespace of the host", |words| same_namespace(words[2])),
    ("read the environment of who entered", |_| {
        holds("/proc/1/environ", "PLACE=")
    }),
    ("read the command line of who entered", |_| {
        holds("/proc/1/cmdline", "enter")
    }),
    ("enter the first process' namespaces", |_| {
        let link = File::open("/proc/1/ns/mnt")?;
        Ok(nix::sched::setns(link, CloneFlags::CLONE_NEWNS)?)
    }),
    // To leave the root by a path.
    ("climb above `/`", |words| elsewhere("/../../..", words[1])),
    ("leave a second chroot", leave_chroot),
    ("go by the first process' root", |words| {
        elsewhere("/proc/1/root", words[1])
    }),
    ("go by the first process' directory", |words| {
        elsewhere("/proc/1/cwd/..", words[1])
    }),
    ("go by the first process' descriptors", |words| {
        by_descriptors(words[1])
    }),
    ("write to bareroot's own binary", |_| open_to_write("/proc/1/exe")),
    // /proc.
    ("set what runs on a crash", |_| {
        open_to_write("/proc/sys/kernel/core_pattern")
    }),
    ("set the host's name", |_| {
        open_to_write("/proc/sys/kernel/hostname")
    }),
    ("set how memory is given", |_| {
        open_to_write("/proc/sys/vm/overcommit_memory")
    }),
    ("press sysrq", |_| open_to_write("/proc/sysrq-trigger")),
    ("move interrupts", |_| {
        open_to_write("/proc/irq/default_smp_affinity")
    }),
    ("read the kernel's memory", |_| see("/proc/kcore")),
    ("list the host's keys", |_| not_empty("/proc/keys")),
    ("make /proc/sys writable", |_| remount("/proc/sys")),
    ("take the cover from /proc/sys", |_| {
        Ok(unmount("/proc/sys", UnmountFlags::DETACH)?)
    }),
    ("mount another /proc", |_| mounted("proc")),
    // /sys.
    ("write to /sys", |_| open_to_write("/sys/kernel/uevent_seqnum")),
    ("make a file in /sys", |_| {
        File::create("/sys/kernel/new").map(drop)
    }),
    ("make /sys writable", |_| remount("/sys")),
    ("mount another /sys", |_| mounted("sysfs")),
    ("mount control groups", |_| {
        mounted("cgroup2").or_else(|_| mounted("cgroup"))
    }),
    ("mount debugfs", |_| mounted("debugfs")),
    // /dev.
    ("find another device", another_device),
    ("mount the host's /dev", |_| mounted("devtmpfs")),
    ("make a disk in the root", |_| disk("/disk")),
    ("make a disk in /dev", |_| disk("/dev/disk")),
    ("make a disk in /run", |_| disk("/run/disk")),
    ("make a character device", |_| {
        node("/mem", FileType::CharacterDevice, 1)
    }),
    ("open a device that the root has", |_| see("/device")),
    ("open devices of the root again", |_| remount("/")),
    ("write to the host's console", |_| console()),
    // A bind.
    ("write through a bind that is read-only", |_| {
        open_to_write("/shown/file")
    }),
    ("make a file there", |_| File::create("/shown/new").map(drop)),
    ("remove a file there", |_| fs::remove_file("/shown/file")),
    ("change a mode there", |_| {
        let mut mode = fs::metadata("/shown/file")?.permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o777);
        fs::set_permissions("/shown/file", mode)
    }),
    ("write to a mount below it", |_| {
        File::create("/shown/below/new").map(drop)
    }),
    ("make it writable", |_| remount("/shown")),
    ("bind it elsewhere", |_| {
        Ok(rustix::mount::mount_bind("/shown", "/tmp")?)
    }),
    ("climb out of it", |words| elsewhere("/shown/..", words[1])),
    ("write to the host's resolv.conf", |_| {
        open_to_write("/etc/resolv.conf")
    }),
    ("write to the host's hosts", |_| open_to_write("/etc/hosts")),
    ("make it writable in a user namespace", |_| {
        in_user_namespace(|| remount("/shown"))
    }),
    ("mount the host's /dev in a user namespace", |_| {
        in_user_namespace(|| mounted("devtmpfs"))
    }),
    ("make /proc/sys writable in a user namespace", |_| {
        in_user_namespace(|| remount("/proc/sys"))
    }),
    ("uncover /proc/sys in a user namespace", |_| {
        in_user_namespace(|| Ok(unmount("/proc/sys", UnmountFlags::DETACH)?))
    }),
    // And what all of these come from.
    ("have a capability over the host", |_| capability()),
    ("raise one again", |_| {
        let all = rustix::thread::CapabilitySet::all();
        Ok(rustix::thread::set_capabilities(
            None,
            rustix::thread::CapabilitySets {
                effective: all,
                permitted: all,
                inheritable: all,
            },
        )?)
    }),
];

/// Tries one way; 0 when it led out.
pub fn attempt(name: &str, words: &[&str]) -> io::Result<u8> {
    let (_, way) = WAYS
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a known way");
    match way(words) {
        Ok(()) => {
            println!("out");
            Ok(0)
        }
        Err(error) => {
            println!("refused: {error}");
            Ok(1)
        }
    }
}

/// "It did not lead out", where no system call says so.
fn kept() -> io::Result<()> {
    Err(io::Error::other("kept"))
}

fn out_if(out: bool) -> io::Result<()> {
    if out { Ok(()) } else { kept() }
}

fn more_processes(_: &[&str]) -> io::Result<()> {
    let names = fs::read_dir("/proc")?.flatten().map(|entry| entry.file_name());
    let count = names
        .filter(|name| name.to_string_lossy().parse::<u32>().is_ok())
        .count();
    out_if(count > 2)
}

fn signal(pid: &str) -> io::Result<()> {
    let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
    // Where this number is one of the session's own it is no process of the host.
    out_if(pid != rustix::process::getpid() && test_kill_process(pid).is_ok())
}

fn see(path: &str) -> io::Result<()> {
    File::open(path).map(drop)
}

fn holds(path: &str, words: &str) -> io::Result<()> {
    let text = fs::read(path)?;
    out_if(text.windows(words.len()).any(|window| window == words.as_bytes()))
}

fn not_empty(path: &str) -> io::Result<()> {
    out_if(!fs::read(path)?.is_empty())
}

fn same_namespace(host: &str) -> io::Result<()> {
    out_if(namespaces().split(' ').any(|own| host.contains(own)))
}

/// This process' namespaces of the kinds that a session has of its own.
fn namespaces() -> String {
    let of = |kind: &&str| fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
    let all = ["mnt", "pid", "ipc", "uts"]
        .iter()
        .map(|kind| of(kind).display().to_string());
    all.collect::<Vec<_>>().join(" ")
}

fn elsewhere(path: &str, root: &str) -> io::Result<()> {
    out_if(fs::metadata(path)?.ino().to_string() != root)
}

fn leave_chroot(words: &[&str]) -> io::Result<()> {
    fs::create_dir_all("/tmp/inner")?;
    chroot("/tmp/inner")?;
    for _ in 0..64 {
        chdir("..")?;
    }
    elsewhere(".", words[1])
}

fn by_descriptors(root: &str) -> io::Result<()> {
    for entry in fs::read_dir("/proc/1/fd")?.flatten() {
        let up = entry.path().join("..");
        if entry.path().is_dir() && fs::metadata(up)?.ino().to_string() != root {
            return Ok(());
        }
    }
    kept()
}

fn open_to_write(path: &str) -> io::Result<()> {
    // Opened and no more: where it succeeds, this host must not suffer.
    OpenOptions::new().write(true).open(path).map(drop)
}

fn remount(path: &str) -> io::Result<()> {
    Ok(mount_remount(path, MountFlags::BIND, "")?)
}

fn mounted(kind: &str) -> io::Result<()> {
    let none: Option<&CStr> = None;
    Ok(mount(kind, "/tmp", kind, MountFlags::empty(), none)?)
}

fn another_device(_: &[&str]) -> io::Result<()> {
    // The first is a directory of bareroot's own programs, where owners are recorded.
    let known = [
        ".bareroot",
        "console",
        "fd",
        "full",
        "null",
        "ptmx",
        "pts",
        "random",
        "shm",
        "stderr",
        "stdin",
        "stdout",
        "tty",
        "urandom",
        "zero",
    ];
    let mut names = fs::read_dir("/dev")?.flatten().map(|entry| entry.file_name());
    out_if(names.any(|name| !known.contains(&&*name.to_string_lossy())))
}

fn node(path: &str, kind: FileType, major: u32) -> io::Result<()> {
    mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), makedev(major, 3))?;
    let made = OpenOptions::new().write(true).open(path)?;
    // Where devices are only recorded this is a file. Of a device there is nothing to cut (ftruncate(2)).
    out_if(rustix::fs::ftruncate(made, 0).is_err())
}

fn disk(path: &str) -> io::Result<()> {
    node(path, FileType::BlockDevice, 8)
}

fn console() -> io::Result<()> {
    out_if(fs::metadata("/dev/console")?.rdev() == makedev(5, 1))
}

fn in_user_namespace(way: impl Fn() -> io::Result<()>) -> io::Result<()> {
    nix::sched::unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    way()
}

fn capability() -> io::Result<()> {
    // CAP_DAC_READ_SEARCH, NET_ADMIN, SYS_MODULE, SYS_RAWIO, SYS_ADMIN, SYS_BOOT, SYS_TIME, MKNOD, AUDIT_CONTROL,
    // MAC_OVERRIDE and all from MAC_ADMIN on, among them SYSLOG and BPF (linux/capability.h).
    const OVER_THE_HOST: [u32; 10] = [2, 12, 16, 17, 21, 22, 25, 27, 30, 32];
    let forbidden = OVER_THE_HOST
        .iter()
        .fold(u64::MAX << 33, |all, bit| all | 1 << bit);
    let status = fs::read_to_string("/proc/self/status")?;
    let sets = status
        .lines()
        .filter_map(|line| line.strip_prefix("Cap")?.split_once(":\t"));
    let mut numbers = sets.map(|(_, set)| u64::from_str_radix(set, 16).unwrap());
    out_if(numbers.any(|set| set & forbidden != 0))
}

/// A place with what the ways need: a bind with a mount below it, a device in the root.
fn prepare() -> (Place, Below) {
    let place = Place::new();
    let host = place.beside("host");
    fs::create_dir_all(host.join("below")).unwrap();
    fs::write(host.join("file"), "host's").unwrap();
    fs::create_dir(place.root().join("shown")).unwrap();
    let device = place.root().join("device");
    mknodat(
        CWD,
        &device,
        FileType::CharacterDevice,
        Mode::from_raw_mode(0o666),
        makedev(1, 3),
    )
    .unwrap();
    let below = Below(host.join("below"));
    mount("tmpfs", &below.0, "tmpfs", MountFlags::empty(), None).unwrap();
    (place, below)
}

/// A mount, taken away in the end.
struct Below(std::path::PathBuf);

impl Drop for Below {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).unwrap();
    }
}

fn facts(place: &Place) -> [String; 3] {
    [
        std::process::id().to_string(),
        fs::metadata(place.root()).unwrap().ino().to_string(),
        namespaces(),
    ]
}

fn every_way_out_is_closed() {
    let (place, _below) = prepare();
    assert_closed(&place, &|words| {
        place.command(&["--bind", "host:/shown:ro"], words)
    });
}

/// The user's own files are the host's as well.
fn every_way_out_is_closed_in_a_user_namespace() {
    let (place, _below) = prepare();
    for path in ["host", "host/file", "root", "root/tmp", "root/etc"] {
        chown(place.beside(path), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let command = |words: &[&str]| {
        let mut command = place.command(&["--mode", "single", "--bind", "host:/shown:ro"], words);
        command.uid(NOBODY).gid(NOBODY);
        command
    };
    let first = run(command(&["/bin/probe", "ids"]));
    if first.code == Some(125) && first.stderr.contains("user namespace") {
        eprintln!("skipped: containment in a user namespace: {}", first.stderr);
        return;
    }
    assert_eq!(first.succeeded().stdout, "0 0 []\n");
    assert_closed(&place, &command);
}

/// Tries each way in the root; `command` makes the run of words.
fn assert_closed(place: &Place, command: &dyn Fn(&[&str]) -> Command) {
    let facts = facts(place);
    let hosts = fs::read("/etc/hosts").ok();
    let mut open = Vec::new();
    for (name, _) in WAYS {
        let words: Vec<&str> = ["/bin/probe", "try", name]
            .into_iter()
            .chain(facts.iter().map(String::as_str))
            .collect();
        let run = run(command(&words));
        if run.code != Some(1) || !run.stdout.starts_with("refused: ") {
            open.push(format!("{name}: {:?} {}{}", run.code, run.stdout, run.stderr));
        }
    }
    assert_eq!(open, Vec::<String>::new());
    assert_eq!(fs::read_to_string(place.beside("host/file")).unwrap(), "host's");
    assert_eq!(fs::read("/etc/hosts").ok(), hosts);
}

/// The attempts can succeed: with all rights some of them do, in the session alone. Or else the table would prove nothing.
fn the_ways_are_open_to_whom_they_are_meant_for() {
    let (place, _below) = prepare();
    let facts = facts(&place);
    for name in [
        "open a device that the root has",
        "mount another /proc",
        "make it writable",
        "bind it elsewhere",
        "have a capability over the host",
        "set how memory is given",
        "make a character device",
    ] {
        assert!(WAYS.iter().any(|(known, _)| *known == name), "{name}");
        let words: Vec<&str> = ["try", name]
            .into_iter()
            .chain(facts.iter().map(String::as_str))
            .collect();
        let run = place.probe(&["--privileged", "--bind", "host:/shown:ro"], &words);
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), "out\n"), "{name}");
    }
    // And outside, where these are the host's.
    for (name, argument) in [
        ("be in a namespace of the host", &facts[2]),
        ("signal a process of the host", &facts[0]),
    ] {
        let (_, way) = WAYS.iter().find(|(known, _)| *known == name).unwrap();
        let own = rustix::process::getppid().unwrap().as_raw_nonzero().to_string();
        let words = if argument == &facts[0] {
            [own.as_str(), "", ""]
        } else {
            ["", "", argument.as_str()]
        };
        assert!(way(&words).is_ok(), "{name}");
    }
    assert!(Path::new("/proc/self/ns/mnt").exists());
}
