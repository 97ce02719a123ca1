//! A host that is not as it should be: its environment, its limits, its descriptors, its /etc.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bareroot_testkit::deb::{DebBuilder, Item};
use bareroot_testkit::door::{self, Going, Run, Signal, is_there};
use bareroot_testkit::harness::Case;
use bareroot_testkit::programs::script;
use bareroot_testkit::rpm::When;
use bareroot_testkit::tree::{Tree, TreeOptions, diff};
use bareroot_testkit::{cases, rpm_base};

use crate::{EXTRACT, Ground, SOON, evil, rpms};

pub const CASES: &[Case] = cases![
    Root: nothing_of_the_environment_gets_in, nothing_of_it_gets_into_scriptlets, search_paths_with_traps, homes_that_are_none, files_of_the_home_that_do_not_end,
        temporary_directories_that_are_none, variables_of_garbage, the_umask_is_not_the_roots, the_umask_of_an_ordinary_user, descriptors_are_not_handed_on, streams_that_are_closed,
        few_descriptors, small_files_only, small_stacks_and_little_memory, locales_that_are_none, a_working_directory_that_is_gone,
        a_working_directory_that_nobody_reads, an_etc_of_garbage, an_etc_of_loops, signals_that_are_ignored, a_signal_that_is_blocked_is_heard,
        a_hangup_that_is_ignored_stays_ignored, a_group_and_an_acl_of_the_parent;
];

pub const NOBODY: u32 = 65_534;

/// The command, started by a shell that says these before.
pub fn under(command: &Command, before: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(format!("{before}\nexec \"$@\""))
        .arg("sh")
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        shell.current_dir(directory);
    }
    shell
}

fn tree(root: &Path) -> Tree {
    Tree::read(root, &TreeOptions::default()).expect("the root can be read")
}

/// A package with files of several modes and a script.
fn bird() -> DebBuilder {
    evil()
        .item(Item::file("./usr/bin/evil", "x").mode(0o4755))
        .item(Item::file("./etc/evil", "x").mode(0o640))
        .item(Item::directory("./usr/share/evil/").mode(0o2775))
        .item(Item::fifo("./usr/share/evil/pipe").mode(0o622))
        .script("preinst", script("write /var/lib/evil-pre x"))
        .script("postinst", script("write /var/lib/evil x\nmkdir /var/lib/evil.d"))
}

const WHOLE: &[&str] = &["--include", "evil", "--no-host-files"];

/// What the root is when the host is as it should be.
fn honest(ground: &Ground) -> Tree {
    ground.bootstrap().succeeded();
    let honest = tree(&ground.door.target());
    fs::remove_dir_all(ground.door.target()).unwrap();
    honest
}

/// The run made the very same root; the root goes again.
#[track_caller]
fn assert_same(ground: &Ground, run: &Run, honest: &Tree) {
    assert_eq!(run.code, Some(0), "{run:?}");
    ground.assert_unharmed(run);
    let made = tree(&ground.door.target());
    let differences = diff(honest, &made, &|_| false);
    assert!(differences.is_empty(), "{differences:#?}");
    fs::remove_dir_all(ground.door.target()).unwrap();
}

/// What a hostile environment has: each value has the word `hostile`.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("LD_PRELOAD", "/hostile.so"),
    ("LD_LIBRARY_PATH", "/hostile"),
    ("LD_AUDIT", "/hostile.so"),
    ("IFS", "hostile"),
    ("ENV", "/hostile"),
    ("BASH_ENV", "/hostile"),
    ("BASH_FUNC_ls%%", "() { hostile; }"),
    ("SHELLOPTS", "hostile"),
    ("PS4", "hostile"),
    ("PERL5LIB", "/hostile"),
    ("PERL5OPT", "-Mhostile"),
    ("PYTHONPATH", "/hostile"),
    ("PYTHONSTARTUP", "/hostile"),
    ("TMPDIR", "/hostile"),
    ("DPKG_ROOT", "/hostile"),
    ("DPKG_ADMINDIR", "/hostile"),
    ("DPKG_FORCE", "hostile"),
    ("DPKG_MAINTSCRIPT_DEBUG", "hostile"),
    ("APT_CONFIG", "/hostile"),
    ("DEBIAN_FRONTEND", "hostile"),
    ("DEBCONF_DEBUG", "hostile"),
    ("DEB_BUILD_OPTIONS", "hostile"),
    ("RPM_CONFIGDIR", "/hostile"),
    ("RPM_INSTALL_PREFIX", "/hostile"),
    ("SYSTEMD_OFFLINE", "hostile"),
    ("MALLOC_PERTURB_", "hostile"),
    ("GCONV_PATH", "/hostile"),
    ("LOCPATH", "/hostile"),
    ("NLSPATH", "/hostile"),
    ("TZ", ":/hostile"),
    ("USER", "hostile"),
    ("SHELL", "/hostile"),
    ("TERM", "hostile"),
    ("EDITOR", "/hostile"),
    ("DBUS_SESSION_BUS_ADDRESS", "hostile"),
    ("SSH_AUTH_SOCK", "/hostile"),
    ("SUDO_COMMAND", "hostile"),
    ("A_TOKEN", "hostile"),
];

/// Names of a listing's lines that nobody documented.
fn unknown(text: &str, known: &[&str]) -> Vec<String> {
    let names = text.lines().map(|line| line.split('=').next().unwrap_or(line));
    names
        .filter(|name| !known.contains(name))
        .map(str::to_owned)
        .collect()
}

fn nothing_of_the_environment_gets_in() {
    let deb = evil()
        .script("preinst", script("env /seen-pre"))
        .script("postinst", script("env /seen-post"));
    let ground = Ground::with(&deb);
    let mut command = ground.door.bootstrap_command(WHOLE);
    command.envs(ENVIRONMENT.iter().copied());
    let run = door::run(command).succeeded();
    ground.assert_unharmed(&run);
    for seen in ["seen-pre", "seen-post"] {
        let text = fs::read_to_string(ground.door.target().join(seen)).unwrap();
        assert!(!text.contains("hostile"), "{text}");
        let known = [
            "PATH",
            "HOME",
            "DEBIAN_FRONTEND",
            "DEBCONF_NONINTERACTIVE_SEEN",
            "LC_ALL",
            "LANGUAGE",
            "LANG",
            "DPKG_ROOT",
            "DPKG_ADMINDIR",
            "DPKG_FORCE",
            "DPKG_MAINTSCRIPT_PACKAGE",
            "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT",
            "DPKG_MAINTSCRIPT_ARCH",
            "DPKG_MAINTSCRIPT_NAME",
            "DPKG_MAINTSCRIPT_DEBUG",
            "DPKG_RUNNING_VERSION",
        ];
        assert_eq!(unknown(&text, &known), Vec::<String>::new(), "{text}");
    }
}

fn nothing_of_it_gets_into_scriptlets() {
    let rpm = rpm_base::scripted("evil", "1-1")
        .script(When::Pre, "/bin/sh", "env /seen-pre")
        .script(When::Post, "/bin/sh", "env /seen-post");
    let ground = rpms::with(&[rpm]);
    let mut command = ground.rpm_command(&["--include", "@core,evil", "--no-host-files"]);
    command.envs(ENVIRONMENT.iter().copied());
    let run = door::run(command).succeeded();
    ground.assert_unharmed(&run);
    for seen in ["seen-pre", "seen-post"] {
        let text = fs::read_to_string(ground.door.target().join(seen)).unwrap();
        assert!(!text.contains("hostile"), "{text}");
        assert!(text.contains("PATH="), "{text}");
    }
}

/// Programs of the working directory, each of which leaves a mark where it is run.
fn traps(ground: &Ground) -> PathBuf {
    let directory = ground.door.path("traps");
    fs::create_dir(&directory).unwrap();
    for name in [
        "sh",
        "bash",
        "dpkg",
        "apt",
        "tar",
        "gzip",
        "xz",
        "zstd",
        "gpg",
        "gpgv",
        "mount",
        "umount",
        "chroot",
        "unshare",
        "newuidmap",
        "newgidmap",
        "env",
        "sed",
        "cp",
        "mv",
        "rm",
        "id",
        "getent",
        "uname",
        "rpm",
        "dnf",
        "qemu-aarch64-static",
    ] {
        let path = directory.join(name);
        fs::write(
            &path,
            format!("#!/bin/sh\n: > {}/trapped\n", ground.door.path("home").display()),
        )
        .unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

fn search_paths_with_traps() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    let directory = traps(&ground);
    for path in ["", ".", ":", "::", ".:/usr/bin", "traps", "/nowhere"] {
        let mut command = ground.door.bootstrap_command(WHOLE);
        command.env("PATH", path).current_dir(&directory);
        assert_same(&ground, &door::run(command), &honest);
    }
    own_by_nobody(&ground);
    for path in ["", ".", ":", "../traps"] {
        let mut command = as_nobody(ground.door.bootstrap_command(EXTRACT));
        command.env("PATH", path).current_dir(&directory);
        let run = door::run(command);
        assert!(matches!(run.code, Some(0 | 6)), "{run:?}");
        assert!(!is_there(&ground.door.path("home/trapped")), "{path}");
        let _ = fs::remove_dir_all(ground.door.target());
    }
    // Where nobody has subordinate ids, newuidmap(1) is wanted.
    let fill = |etc: &Path| {
        for name in ["subuid", "subgid"] {
            fs::write(etc.join(name), format!("{NOBODY}:200000:65536\n")).unwrap();
        }
    };
    for path in ["", ".", ":", "../traps"] {
        let run = with_etc(&ground, fill, || {
            let command = ground
                .door
                .bootstrap_command(&[EXTRACT, &["--mode", "unshare"]].concat());
            let mut command = as_nobody(command);
            command.env("PATH", path).current_dir(&directory);
            door::run(command)
        });
        assert!(!is_there(&ground.door.path("home/trapped")), "{path}");
        run.failed(6, &[]);
    }
}

/// The scratch directory is nobody's.
pub fn own_by_nobody(ground: &Ground) {
    for name in [".", "out", "home", "xdg", "tmp", "cache"] {
        let path = ground.door.path(name);
        if path.is_dir() {
            chown_all(&path, name != ".");
        }
    }
}

fn chown_all(path: &Path, below: bool) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if below {
        for entry in fs::read_dir(path).unwrap().flatten() {
            if entry.file_name() == "canary" {
                continue;
            }
            match entry.file_type().unwrap().is_dir() {
                true => chown_all(&entry.path(), true),
                false => std::os::unix::fs::lchown(entry.path(), Some(NOBODY), Some(NOBODY)).unwrap(),
            }
        }
    }
}

pub fn as_nobody(mut command: Command) -> Command {
    command.uid(NOBODY).gid(NOBODY);
    command
}

fn homes_that_are_none() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    let house = ground.door.path("house");
    fs::create_dir(&house).unwrap();
    symlink("house", ground.door.path("link")).unwrap();
    symlink("ring", ground.door.path("ring")).unwrap();
    let command = || {
        let mut command = ground.door.command(["bootstrap", "debian:tiny", "--keyring"]);
        command
            .arg(ground.door.keyring())
            .args(["--mirror", &ground.door.mirror.url()])
            .args(WHOLE)
            .arg(ground.door.target())
            .env_remove("XDG_CACHE_HOME")
            .env_remove("HOME");
        command
    };
    assert_same(&ground, &door::run(command()), &honest);
    for (variable, value) in [
        ("HOME", ""),
        ("HOME", "relative/home"),
        ("XDG_CACHE_HOME", "relative"),
    ] {
        let mut command = command();
        command.env(variable, value);
        assert_same(&ground, &door::run(command), &honest);
        assert!(!is_there(&ground.door.path("relative")), "{variable}={value}");
    }
    let mut linked = command();
    linked.env("HOME", ground.door.path("link"));
    assert_same(&ground, &door::run(linked), &honest);
    let mut no_directory = command();
    no_directory.env("HOME", ground.door.path("keyring.pgp"));
    assert_same(&ground, &door::run(no_directory), &honest);
    let mut ring = command();
    ring.env("HOME", ground.door.path("ring"));
    let run = door::run(ring);
    ground.assert_unharmed(&run);
    // It is the .netrc in there that is asked for.
    run.failed(4, &["ring/.netrc"]);
}

/// A .netrc that is a pipe, endless, or a directory.
fn files_of_the_home_that_do_not_end() {
    let ground = Ground::with(&bird());
    let house = ground.door.path("house");
    fs::create_dir(&house).unwrap();
    let netrc = house.join(".netrc");
    let make: [&dyn Fn(); 4] = [
        &|| {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(rustix::fs::CWD, &netrc, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        },
        &|| symlink("/dev/zero", &netrc).unwrap(),
        &|| symlink(".netrc", &netrc).unwrap(),
        &|| {
            fs::write(
                &netrc,
                [b"machine \0\xff ".as_slice(), &vec![b'x'; 10 << 20]].concat(),
            )
            .unwrap()
        },
    ];
    for make in make {
        make();
        let begin = Instant::now();
        let mut command = ground.door.bootstrap_command(EXTRACT);
        command.env("HOME", &house);
        let run = Going::start(command).end();
        assert!(begin.elapsed() < SOON, "{run:?}");
        ground.assert_unharmed(&run);
        assert!(matches!(run.code, Some(0 | 2 | 4)), "{run:?}");
        let _ = fs::remove_dir_all(ground.door.target());
        fs::remove_file(&netrc).unwrap();
    }
}

fn temporary_directories_that_are_none() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    symlink("ring", ground.door.path("ring")).unwrap();
    for directory in ["/nowhere", "relative", "", "/dev/null", "keyring.pgp", "ring"] {
        let mut command = ground.door.bootstrap_command(&[WHOLE, &["--no-cache"]].concat());
        command.env("TMPDIR", directory);
        let run = door::run(command);
        if run.code == Some(0) {
            assert_same(&ground, &run, &honest);
        } else {
            ground.assert_unharmed(&run);
            run.failed(6, &[]);
        }
    }
}

fn variables_of_garbage() {
    let ground = Ground::with(&evil());
    let run = |name: &str, value: &str| {
        let mut command = ground.door.bootstrap_command(EXTRACT);
        command.env(name, value);
        let run = door::run(command);
        ground.assert_unharmed(&run);
        let _ = fs::remove_dir_all(ground.door.target());
        run
    };
    for epoch in ["soon", "-", "1e9", "99999999999999999999", "1\n2", "0x10", " 1"] {
        run("SOURCE_DATE_EPOCH", epoch).failed(2, &["SOURCE_DATE_EPOCH"]);
    }
    for proxy in [
        "ftp://user:secret@proxy:1",
        "http://user:secret@",
        "http://user:secret@proxy:port",
        "gopher://user:secret@x",
    ] {
        let run = run("http_proxy", proxy);
        assert!(!run.stderr.contains("secret"), "{run:?}");
        run.failed(2, &["proxy"]);
    }
    // In a CGI a stranger's header.
    run("HTTP_PROXY", "http://user:secret@proxy:1").succeeded();
    for (name, value) in [
        ("no_proxy", ",,*,,"),
        ("TERM", "\u{1b}[2J"),
        ("COLUMNS", "-1"),
        ("NO_COLOR", "\u{1b}"),
        ("RUST_LOG", "trace,\u{1b}=x"),
        ("RUST_BACKTRACE", "full"),
        ("RAYON_NUM_THREADS", "1000000"),
    ] {
        let run = run(name, value).succeeded();
        assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
    }
}

fn the_umask_is_not_the_roots() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    for umask in ["0777", "0000", "0027", "0111"] {
        let command = ground.door.bootstrap_command(WHOLE);
        let run = door::run(under(&command, &format!("umask {umask}")));
        assert_same(&ground, &run, &honest);
        // With a cache that was made by it, too.
        let command = ground
            .door
            .bootstrap_command(&[WHOLE, &["--cache-dir", "masked"]].concat());
        let run = door::run(under(&command, &format!("umask {umask}")));
        assert_same(&ground, &run, &honest);
        let _ = fs::remove_dir_all(ground.door.path("masked"));
    }
}

fn the_umask_of_an_ordinary_user() {
    let ground = Ground::with(&bird());
    let make = |umask: &str| {
        own_by_nobody(&ground);
        let command = ground
            .door
            .bootstrap_command(&[EXTRACT, &["--mode", "single"]].concat());
        let run = door::run(as_nobody(under(&command, &format!("umask {umask}"))));
        let made = (run.code == Some(0)).then(|| tree(&ground.door.target()));
        let _ = fs::remove_dir_all(ground.door.target());
        (run, made)
    };
    let (run, honest) = make("0022");
    let honest = honest.unwrap_or_else(|| panic!("{run:?}"));
    for umask in ["0777", "0000", "0077", "0277"] {
        let _ = fs::remove_dir_all(ground.door.path("cache"));
        let (run, made) = make(umask);
        let made = made.unwrap_or_else(|| panic!("{umask}: {run:?}"));
        let differences = diff(&honest, &made, &|_| false);
        assert!(differences.is_empty(), "{umask}: {differences:#?}");
    }
}

fn descriptors_are_not_handed_on() {
    let lists = script("list /proc/self/fd /fds");
    let deb = evil().script("preinst", lists.clone()).script("postinst", lists);
    let ground = Ground::with(&deb);
    let seen = ground.door.path("hook");
    let hook = format!("ls -l /proc/self/fd | cat > {}", seen.display());
    ground.door.file("secret", "wild");
    let command = ground
        .door
        .bootstrap_command(&[WHOLE, &["--customize-hook", &hook]].concat());
    // Of a file, of a directory of the host, of a socket's or pipe's end; high and low.
    let opened = "exec 3<secret 4</ 7<. 8<>secret 9</proc";
    let run = door::run(under(&command, opened)).succeeded();
    let fds = fs::read_to_string(ground.door.target().join("fds")).unwrap();
    let hook = fs::read_to_string(&seen).unwrap();
    fs::remove_file(seen).unwrap();
    ground.assert_unharmed(&run);
    for text in [&fds, &hook] {
        assert!(!text.contains("secret"), "{text}");
    }
    for line in fds.lines() {
        // Its streams, dpkg's own pipe, and what lists them.
        let (_, link) = line.split_once(' ').unwrap();
        let known = link == "/dev/null" || link.starts_with("pipe:") || link.starts_with("/proc/");
        assert!(known, "{fds}");
    }
}

fn streams_that_are_closed() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"] {
        let command = ground.door.bootstrap_command(&[WHOLE, &["--verbose"]].concat());
        let run = door::run(under(&command, &format!("exec {closed}")));
        assert_same(&ground, &run, &honest);
    }
    let json = ground.door.bootstrap_command(&[WHOLE, &["--json"]].concat());
    let run = door::run(under(&json, "exec >&- 2>&-"));
    ground.assert_unharmed(&run);
    assert!(matches!(run.code, Some(0 | 6)), "{run:?}");
}

fn few_descriptors() {
    let deb = (0..400).fold(bird(), |deb, number| deb.file(&format!("/d{number}/a/b/c"), "x"));
    let ground = Ground::with(&deb);
    let honest = honest(&ground);
    for limit in [256, 128, 64] {
        let command = ground.door.bootstrap_command(WHOLE);
        let run = door::run(under(&command, &format!("ulimit -n {limit}")));
        assert_same(&ground, &run, &honest);
    }
    for limit in [32, 24, 16, 10, 6] {
        let command = ground.door.bootstrap_command(WHOLE);
        let run = door::run(under(&command, &format!("ulimit -n {limit}")));
        ground.assert_unharmed(&run);
        if run.code == Some(0) {
            assert_same(&ground, &run, &honest);
        } else {
            assert!(matches!(run.code, Some(4 | 6 | 7)), "{limit}: {run:?}");
        }
    }
}

/// The signal for a file that grows too large would end a run that leaves its staging directory.
fn small_files_only() {
    let ground = Ground::with(&evil().file("/usr/large", vec![b'x'; 3 << 20]));
    for blocks in [1, 100, 2000] {
        for more in [&[][..], &["--no-cache"]] {
            let command = ground.door.bootstrap_command(&[EXTRACT, more].concat());
            let run = door::run(under(&command, &format!("ulimit -f {blocks}")));
            ground.assert_unharmed(&run);
            run.failed(6, &[]);
        }
    }
}

fn small_stacks_and_little_memory() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    for limits in [
        "ulimit -s 512",
        "ulimit -c 0",
        "ulimit -s unlimited",
        "ulimit -l 0",
    ] {
        let command = ground.door.bootstrap_command(WHOLE);
        let run = door::run(under(&command, limits));
        assert_same(&ground, &run, &honest);
    }
}

fn locales_that_are_none() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    for locale in [
        "tr_TR.UTF-8",
        "../../canary",
        "\u{1b}[2J",
        "C",
        "de_DE@euro",
        "x".repeat(5000).as_str(),
    ] {
        let mut command = ground.door.bootstrap_command(WHOLE);
        command
            .env("LC_ALL", locale)
            .env("LANG", locale)
            .env("LANGUAGE", locale);
        let run = door::run(command);
        assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
        assert_same(&ground, &run, &honest);
    }
}

fn a_working_directory_that_is_gone() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    let gone = "mkdir gone && cd gone && rmdir ../gone";
    let run = door::run(under(&ground.door.bootstrap_command(WHOLE), gone));
    assert_same(&ground, &run, &honest);
    let mut command = ground
        .door
        .command(["bootstrap", "debian:tiny", "root", "--keyring"]);
    command
        .arg(ground.door.keyring())
        .args(["--mirror", &ground.door.mirror.url(), "--no-cache"])
        .args(EXTRACT);
    let run = door::run(under(&command, gone));
    ground.assert_unharmed(&run);
    run.failed(6, &["root"]);
}

fn a_working_directory_that_nobody_reads() {
    let ground = Ground::with(&bird());
    own_by_nobody(&ground);
    let command = ground
        .door
        .bootstrap_command(&[EXTRACT, &["--mode", "single"]].concat());
    let before = "mkdir closed && cd closed && chmod 0 .";
    let run = door::run(as_nobody(under(&command, before)));
    assert_eq!(run.code, Some(0), "{run:?}");
    ground.door.assert_no_mount_and_no_process();
    assert!(is_there(&ground.door.target().join("usr/bin/evil")));
}

/// Runs in a mount namespace of its own, with another /etc, that `fill` fills.
fn with_etc<T: Send>(ground: &Ground, fill: impl Fn(&Path) + Sync, run: impl Fn() -> T + Sync) -> T {
    use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
    let etc = ground.door.path("etc");
    fs::create_dir_all(&etc).unwrap();
    fill(&etc);
    let one = || {
        // Of this thread alone.
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).expect("a mount namespace");
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).expect("a private /");
        mount(&etc, "/etc", "", MountFlags::BIND, None).expect("another /etc");
        run()
    };
    let result = std::thread::scope(|scope| scope.spawn(one).join().expect("it does not panic"));
    fs::remove_dir_all(etc).unwrap();
    result
}

fn an_etc_of_garbage() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    let garbage = [
        b"\0\xff\xfe:::\nroot\nroot:x:-1:99999999999999999999:\n+::::\n#\n".as_slice(),
        &[b'x'; 10 << 20],
    ]
    .concat();
    let fill = |etc: &Path| {
        for name in [
            "passwd",
            "group",
            "shadow",
            "subuid",
            "subgid",
            "nsswitch.conf",
            "resolv.conf",
            "hosts",
            "hostname",
            "host.conf",
            "os-release",
            "localtime",
            "machine-id",
            "services",
            "ld.so.preload",
            "ld.so.conf",
            "gai.conf",
            "netrc",
        ] {
            fs::write(etc.join(name), &garbage).unwrap();
        }
    };
    let run = with_etc(&ground, fill, || door::run(ground.door.bootstrap_command(WHOLE)));
    assert_same(&ground, &run, &honest);
    // And with the host's files shown.
    let options = ["--include", "evil"];
    let run = with_etc(&ground, fill, || {
        door::run(ground.door.bootstrap_command(&options))
    });
    ground.assert_unharmed(&run);
    assert!(matches!(run.code, Some(0 | 6)), "{run:?}");
}

/// Links that lead around, to endless files, to the birds; pipes that nobody writes to; directories.
fn an_etc_of_loops() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    let bird = ground.door.path("canary/bird");
    let fill = |etc: &Path| {
        for name in ["passwd", "os-release", "gai.conf", "localtime"] {
            symlink(name, etc.join(name)).unwrap();
        }
        for name in ["group", "subuid", "hosts"] {
            symlink("/dev/zero", etc.join(name)).unwrap();
        }
        for name in ["resolv.conf", "hostname"] {
            symlink(&bird, etc.join(name)).unwrap();
        }
        for name in ["nsswitch.conf", "machine-id"] {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(
                rustix::fs::CWD,
                etc.join(name),
                rustix::fs::FileType::Fifo,
                mode,
                0,
            )
            .unwrap();
        }
        for name in ["shadow", "subgid", "apt", "dpkg", "dnf", "yum.repos.d"] {
            fs::create_dir(etc.join(name)).unwrap();
        }
        symlink("/dev/zero", etc.join("apt/sources.list")).unwrap();
    };
    let run = with_etc(&ground, fill, || {
        Going::start(ground.door.bootstrap_command(WHOLE)).end()
    });
    assert_same(&ground, &run, &honest);
    let run = with_etc(&ground, fill, || {
        Going::start(ground.door.bootstrap_command(&["--include", "evil"])).end()
    });
    ground.assert_unharmed(&run);
    assert!(matches!(run.code, Some(0 | 6)), "{run:?}");
}

/// Whether this host's env(1) can block signals (coreutils 8.31); one line says where it cannot.
#[allow(clippy::print_stderr, reason = "a test says what it skips")]
fn can_block(test: &str) -> bool {
    let status = Command::new("env")
        .args(["--block-signal=TERM", "true"])
        .stderr(Stdio::null())
        .status();
    let can = status.is_ok_and(|status| status.success());
    if !can {
        eprintln!("skipped: {test} needs an env(1) that can block signals");
    }
    can
}

fn signals_that_are_ignored() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    let command = ground.door.bootstrap_command(WHOLE);
    let run = door::run(under(&command, "trap '' CHLD PIPE TERM INT HUP USR1 ALRM QUIT"));
    assert_same(&ground, &run, &honest);
    if can_block("signals_that_are_ignored") {
        // No shell lets SIGCHLD be ignored.
        for option in ["--block-signal", "--ignore-signal", "--ignore-signal=CHLD"] {
            let run = door::run(under(&command, &format!("set -- env {option} \"$@\"")));
            assert_same(&ground, &run, &honest);
        }
    }
}

/// A run that sits in a hook, as the signal comes.
fn signalled(ground: &Ground, before: &str, signal: Signal) -> Run {
    let held = ground.door.path("home/held");
    let hook = format!(
        "touch {0}; n=0; while test -e {0} && test $n -lt 400; do sleep 0.05; n=$((n+1)); done",
        held.display()
    );
    let command = ground
        .door
        .bootstrap_command(&[WHOLE, &["--customize-hook", &hook]].concat());
    let mut going = Going::start(under(&command, before));
    going.until_so("the hook", || is_there(&held));
    going.signal(signal);
    std::thread::sleep(Duration::from_millis(300));
    let _ = fs::remove_file(&held);
    going.end()
}

fn a_signal_that_is_blocked_is_heard() {
    if !can_block("a_signal_that_is_blocked_is_heard") {
        return;
    }
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let ground = Ground::with(&evil());
        let run = signalled(&ground, "set -- env --block-signal \"$@\"", signal);
        fs::remove_file(ground.door.path("home/held")).unwrap_or_default();
        assert_eq!(run.code, Some(130), "{signal:?}: {run:?}");
        ground.door.assert_beside_is(&["canary"]);
        ground.door.assert_no_mount_and_no_process();
    }
}

/// As nohup(1) has it, and a shell for what it runs in the background.
fn a_hangup_that_is_ignored_stays_ignored() {
    for (name, signal, code) in [
        ("HUP", Signal::HUP, 0),
        ("INT", Signal::INT, 0),
        ("TERM", Signal::TERM, 130),
    ] {
        let ground = Ground::with(&evil());
        let run = signalled(&ground, &format!("trap '' {name}"), signal);
        assert_eq!(run.code, Some(code), "{signal:?}: {run:?}");
        ground.door.assert_no_mount_and_no_process();
    }
}

/// What is made in a directory with a set-group-id bit and a default ACL has the packages' own groups and modes, and no ACL.
fn a_group_and_an_acl_of_the_parent() {
    let ground = Ground::with(&bird());
    let honest = honest(&ground);
    let out = ground.door.path("out");
    chown(&out, None, Some(12_345)).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o2775)).unwrap();
    let run = door::run(ground.door.bootstrap_command(WHOLE));
    assert_same(&ground, &run, &honest);
    // acl(5): version 2, then for each entry tag, permissions and id.
    let mut acl = 2u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in [
        (0x01u16, 7u16, u32::MAX),
        (0x02, 7, NOBODY),
        (0x04, 7, u32::MAX),
        (0x10, 7, u32::MAX),
        (0x20, 7, u32::MAX),
    ] {
        acl.extend(tag.to_le_bytes());
        acl.extend(permissions.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    let set = rustix::fs::setxattr(
        &out,
        "system.posix_acl_default",
        &acl,
        rustix::fs::XattrFlags::empty(),
    );
    if set.is_ok() {
        let run = door::run(ground.door.bootstrap_command(WHOLE));
        assert_same(&ground, &run, &honest);
    }
}
