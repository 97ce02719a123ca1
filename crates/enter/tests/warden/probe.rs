//! The program in the root: does what its first argument says, and prints what it sees.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::process::{Command, ExitCode};

use bareroot_enter::{Program, Spec, Warden, inside};
use bareroot_model::{Cancel, Classified};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{Signal, getpid, kill_process};

pub fn main(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match act(&words) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            println!("{words:?}: {error}");
            ExitCode::from(99)
        }
    }
}

/// The same without being a program of the root.
pub fn builtin(words: Vec<std::ffi::OsString>) -> u8 {
    let words: Vec<String> = words
        .into_iter()
        .map(|word| word.into_string().unwrap())
        .collect();
    match act(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(code) => code,
        Err(error) => {
            println!("{words:?}: {error}");
            99
        }
    }
}

fn act(words: &[&str]) -> io::Result<u8> {
    match words {
        ["emulated-single", root, emulator] => crate::emulated::single(root, emulator),
        ["give", path, uid, gid] => {
            std::os::unix::fs::chown(path, Some(uid.parse().unwrap()), Some(gid.parse().unwrap()))?
        }
        ["args", rest @ ..] => println!("{rest:?}"),
        ["exit", code] => return Ok(code.parse().unwrap()),
        ["raise", number] => {
            let signal = Signal::from_named_raw(number.parse().unwrap()).unwrap();
            kill_process(getpid(), signal)?;
        }
        ["kill-init"] => kill_process(rustix::process::Pid::INIT, Signal::KILL)?,
        ["env"] => std::env::vars().for_each(|(name, value)| println!("{name}={value}")),
        ["cwd"] => println!("{}", std::env::current_dir()?.display()),
        ["panic"] => panic!("as asked"),
        ["fork"] => match inside::fork()? {
            None => {
                print!("child ");
                inside::exit(7)
            }
            Some(pid) => {
                let pid = rustix::process::Pid::from_raw(pid);
                let status = rustix::process::waitpid(pid, rustix::process::WaitOptions::empty())?;
                println!("{:?}", status.and_then(|(_, status)| status.exit_status()));
            }
        },
        ["variables"] => {
            inside::set_variable("ADDED".as_ref(), Some("1".as_ref()))?;
            inside::set_variable("GIVEN".as_ref(), None)?;
            for wrong in ["", "A=B", "A\0"] {
                assert!(inside::set_variable(wrong.as_ref(), Some("1".as_ref())).is_err());
            }
            return act(&["env"]);
        }
        ["redirect"] => {
            let null = OpenOptions::new().write(true).open("/dev/null")?;
            assert!(inside::redirect(&null, 9).is_err());
            println!("heard");
            io::stdout().flush()?;
            inside::redirect(&null, 1)?;
            println!("not heard");
        }
        ["umask"] => println!(
            "{:o}",
            rustix::process::umask(rustix::fs::Mode::empty()).as_raw_mode()
        ),
        ["fds"] => {
            for entry in fs::read_dir("/proc/self/fd")? {
                let entry = entry?;
                let target = fs::read_link(entry.path())?;
                if !target.ends_with("fd") {
                    println!("{}", entry.file_name().display());
                }
            }
        }
        ["stdin"] => {
            let mut text = String::new();
            io::stdin().read_to_string(&mut text)?;
            println!("{}", text.len());
        }
        ["interleave", count] => {
            for number in 0..count.parse().unwrap() {
                writeln!(io::stdout(), "out {number}")?;
                io::stdout().flush()?;
                writeln!(io::stderr(), "err {number}")?;
            }
        }
        ["flood", bytes] => io::copy(
            &mut io::repeat(b'x').take(bytes.parse().unwrap()),
            &mut io::stdout(),
        )
        .map(drop)?,
        ["echo"] => {
            for line in io::stdin().lock().lines() {
                println!("got {}", line?);
                io::stdout().flush()?;
            }
        }
        ["say-then-read", path] => {
            print!("first ");
            io::stdout().flush()?;
            print!("{}", fs::read_to_string(path)?);
        }
        ["write", path, text] => OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(text.as_bytes())?,
        ["create", path] => File::create(path).map(drop)?,
        ["read", path] => print!("{}", fs::read_to_string(path)?),
        ["list", path] => {
            let mut names: Vec<_> = fs::read_dir(path)?
                .map(|entry| entry.unwrap().file_name())
                .collect();
            names.sort();
            names.iter().for_each(|name| println!("{}", name.display()));
        }
        ["sleep"] => loop {
            rustix::event::pause();
        },
        ["say-and-sleep"] => {
            println!("ready");
            io::stdout().flush()?;
            return act(&["sleep"]);
        }
        ["daemon"] => {
            // It keeps all descriptors, and so the output's pipe.
            let child = Command::new("/bin/probe").arg("sleep").spawn()?;
            println!("left {}", child.id());
        }
        ["chatter"] => loop {
            println!("and on and on");
        },
        ["daemon-that-chatters"] => {
            Command::new("/bin/probe").arg("chatter").spawn()?;
            println!("left");
        }
        ["session"] => {
            let own = |pid| pid == getpid();
            let terminal = OpenOptions::new()
                .read(true)
                .open("/dev/tty")
                .err()
                .and_then(|error| error.raw_os_error());
            println!(
                "{} {} {:?}",
                own(rustix::process::getsid(None)?),
                own(rustix::process::getpgrp()),
                terminal == Some(rustix::io::Errno::NXIO.raw_os_error())
            );
        }
        ["ids"] => println!(
            "{} {} {:?}",
            rustix::process::getuid().as_raw(),
            rustix::process::getgid().as_raw(),
            rustix::process::getgroups()?
                .iter()
                .map(|group| group.as_raw())
                .collect::<Vec<_>>()
        ),
        ["uname"] => {
            let uname = rustix::system::uname();
            println!(
                "{} {}",
                uname.nodename().to_string_lossy(),
                uname.machine().to_string_lossy()
            );
        }
        // A pipe cannot be synced (fsync(2): EINVAL), unless nothing is.
        ["fsync"] => println!(
            "{} {}",
            rustix::fs::fsync(io::stdout()).is_ok(),
            rustix::fs::fdatasync(io::stdout()).is_ok()
        ),
        ["share-mounts"] => mount_change("/", MountPropagationFlags::SHARED | MountPropagationFlags::REC)?,
        ["devices"] => devices()?,
        ["terminal"] => terminal()?,
        ["nested"] => nested(Path::new("/inner"))?,
        ["refused", root] => refused(Path::new(root))?,
        ["without-mknod", root] => without_mknod(Path::new(root))?,
        ["victim", root, line] => victim(Path::new(root), line)?,
        _ => {
            println!("unknown: {words:?}");
            return Ok(98);
        }
    }
    Ok(0)
}

fn devices() -> io::Result<()> {
    for (name, major, minor) in [
        ("null", 1, 3),
        ("zero", 1, 5),
        ("full", 1, 7),
        ("random", 1, 8),
        ("urandom", 1, 9),
        ("tty", 5, 0),
    ] {
        let stat = fs::metadata(format!("/dev/{name}"))?;
        assert!(stat.file_type().is_char_device(), "{name}");
        assert_eq!(stat.rdev(), rustix::fs::makedev(major, minor), "{name}");
        assert_eq!(stat.mode() & 0o7777, 0o666, "{name}");
    }
    let mut bytes = [1; 8];
    File::open("/dev/zero")?.read_exact(&mut bytes)?;
    assert_eq!(bytes, [0; 8]);
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    assert_eq!(File::open("/dev/null")?.read(&mut bytes)?, 0);
    let full = OpenOptions::new()
        .write(true)
        .open("/dev/full")?
        .write(b"x")
        .unwrap_err();
    assert_eq!(full.raw_os_error(), Some(rustix::io::Errno::NOSPC.raw_os_error()));
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        assert_eq!(fs::read_link(format!("/dev/{name}"))?, Path::new(target));
    }
    assert_eq!(fs::metadata("/dev/shm")?.mode() & 0o7777, 0o1777);
    assert_eq!(fs::metadata("/dev")?.mode() & 0o7777, 0o755);
    fs::write("/dev/shm/shared", vec![0; 8 << 20])?;
    Ok(())
}

fn terminal() -> io::Result<()> {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&main)?;
    unlockpt(&main)?;
    let name = ptsname(&main, Vec::new())?;
    // Or else, as the leader of a session, it would be killed when that terminal's other end is closed.
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
    let side = rustix::fs::open(name.as_c_str(), flags, rustix::fs::Mode::empty())?;
    println!("{} {}", name.to_str().unwrap(), rustix::termios::isatty(side));
    Ok(())
}

/// Enters a root from within a root that has no `/proc` and no `/dev`. Says `ready`, and goes on at the end
/// of its input.
fn nested(root: &Path) -> io::Result<()> {
    assert!(!Path::new("/proc/self").exists() && !Path::new("/dev/null").exists());
    let warden = Warden::start().unwrap();
    let directory = File::open(root)?;
    let session = warden.enter(&Spec::new(directory.as_fd(), root)).unwrap();
    assert_eq!(session.notes(), [] as [String; 0]);
    for words in [
        ["read", "/proc/1/comm"].as_slice(),
        &["devices"],
        &["stdin"],
        &["list", "/"],
    ] {
        let program = words
            .iter()
            .fold(Program::in_root("/bin/probe"), |program, word| program.arg(*word));
        let mut print = |piece: &[u8]| io::stdout().write_all(piece).unwrap();
        let status = session.run(&program, &Cancel::default(), &mut print).unwrap();
        assert!(status.success(), "{status}");
    }
    println!("ready");
    io::stdout().flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    // Host programs keep the root that we have, and no more.
    let mut print = |piece: &[u8]| io::stdout().write_all(piece).unwrap();
    session
        .run(
            &Program::on_host("/bin/probe").arg("list").arg("/"),
            &Cancel::default(),
            &mut print,
        )
        .unwrap();
    session.close().unwrap();
    drop(warden);
    assert_eq!(fs::read_dir(root.join("dev"))?.count(), 0);
    Ok(())
}

/// Starts a session with a program that holds the life line, and waits to be killed.
fn victim(root: &Path, line: &str) -> io::Result<()> {
    let warden = Warden::start().unwrap();
    let directory = File::open(root)?;
    let session = warden.enter(&Spec::new(directory.as_fd(), root)).unwrap();
    let mut program = Program::in_root("/bin/probe").arg("daemon");
    program
        .fds
        .push((9, OpenOptions::new().write(true).open(line)?.into()));
    session.run(&program, &Cancel::default(), &mut |_| {}).unwrap();
    let mut second = Program::in_root("/bin/probe").arg("say-and-sleep");
    second.fds = program.fds;
    let on_output = &mut |piece: &[u8]| {
        io::stdout().write_all(piece).unwrap();
        io::stdout().flush().unwrap();
    };
    session.run(&second, &Cancel::default(), on_output).unwrap();
    Ok(())
}

/// Tries to enter a root as nobody in particular.
fn refused(root: &Path) -> io::Result<()> {
    let warden = Warden::start().unwrap();
    let directory = File::open(root)?;
    let error = warden.enter(&Spec::new(directory.as_fd(), root)).unwrap_err();
    println!(
        "{error}\n{:?} {}",
        error.class(),
        error.hint().unwrap_or_default()
    );
    Ok(())
}

/// Enters a root without the right to make devices, as in a container.
fn without_mknod(root: &Path) -> io::Result<()> {
    let mut sets = rustix::thread::capabilities(None)?;
    sets.effective.remove(rustix::thread::CapabilitySet::MKNOD);
    sets.permitted.remove(rustix::thread::CapabilitySet::MKNOD);
    rustix::thread::set_capabilities(None, sets)?;
    let warden = Warden::start().unwrap();
    let directory = File::open(root)?;
    let session = warden.enter(&Spec::new(directory.as_fd(), root)).unwrap();
    for words in [["devices"].as_slice(), &["read", "/proc/self/mountinfo"]] {
        let program = words
            .iter()
            .fold(Program::in_root("/bin/probe"), |program, word| program.arg(*word));
        let mut print = |piece: &[u8]| io::stdout().write_all(piece).unwrap();
        let status = session.run(&program, &Cancel::default(), &mut print).unwrap();
        assert!(status.success(), "{status}");
    }
    Ok(())
}
