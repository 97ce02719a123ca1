//! The program in the root: does what its first argument says, and prints what it sees.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitCode;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use signal_hook::iterator::Signals;

use crate::containment;

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

/// A shell: each line of its input is words for [`act`], and `exit` ends it.
pub fn shell(words: &[String]) -> ExitCode {
    println!(
        "shell {words:?} in {}",
        std::env::current_dir().unwrap().display()
    );
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["exit", code] = words.as_slice() {
            return ExitCode::from(code.parse::<u8>().unwrap());
        }
        if let Err(error) = act(&words) {
            println!("{words:?}: {error}");
        }
    }
    ExitCode::SUCCESS
}

fn act(words: &[&str]) -> io::Result<u8> {
    match words {
        ["say", rest @ ..] => println!("{}", rest.join(" ")),
        ["complain", rest @ ..] => eprintln!("{}", rest.join(" ")),
        ["exit", code] => return Ok(code.parse().unwrap()),
        ["raise", number] => {
            let signal = Signal::from_named_raw(number.parse().unwrap()).unwrap();
            kill_process(getpid(), signal)?;
        }
        ["args", rest @ ..] => println!("{rest:?}"),
        ["env"] => {
            let mut all: Vec<_> = std::env::vars().collect();
            all.sort();
            all.iter().for_each(|(name, value)| println!("{name}={value}"));
        }
        ["cwd"] => println!("{}", std::env::current_dir()?.display()),
        ["ids"] => {
            let groups = rustix::process::getgroups()?;
            let groups: Vec<u32> = groups.iter().map(|group| group.as_raw()).collect();
            println!(
                "{} {} {groups:?}",
                rustix::process::getuid().as_raw(),
                rustix::process::getgid().as_raw()
            );
        }
        ["processes"] => {
            for entry in fs::read_dir("/proc")?.flatten() {
                let name = entry.file_name();
                if name.to_string_lossy().parse::<u32>().is_ok() {
                    print!("{}", fs::read_to_string(entry.path().join("comm"))?);
                }
            }
        }
        ["mounts"] => {
            for line in fs::read_to_string("/proc/self/mountinfo")?.lines() {
                let fields: Vec<&str> = line.split(' ').collect();
                println!(
                    "{} {}",
                    fields[4],
                    fields[5].split(',').next().unwrap_or_default()
                );
            }
        }
        ["inode", path] => println!("{}", fs::metadata(path)?.ino()),
        ["uname"] => {
            let uname = rustix::system::uname();
            let (node, machine) = (uname.nodename(), uname.machine());
            println!("{} {}", node.to_string_lossy(), machine.to_string_lossy());
        }
        ["read", path] => io::stdout().write_all(&fs::read(path)?)?,
        ["write", path, text] => fs::write(path, text)?,
        ["append", path, text] => {
            OpenOptions::new()
                .append(true)
                .open(path)?
                .write_all(text.as_bytes())?;
        }
        ["list", path] => {
            let mut names: Vec<_> = fs::read_dir(path)?
                .map(|entry| entry.unwrap().file_name())
                .collect();
            names.sort();
            names.iter().for_each(|name| println!("{}", name.display()));
        }
        ["count"] => println!("{}", io::copy(&mut io::stdin(), &mut io::sink())?),
        ["flood", bytes] => {
            io::copy(
                &mut io::repeat(b'x').take(bytes.parse().unwrap()),
                &mut io::stdout(),
            )?;
        }
        ["echo"] => {
            for line in io::stdin().lock().lines() {
                println!("got {}", line?);
            }
        }
        ["sleep"] => loop {
            std::thread::sleep(Duration::from_secs(60));
        },
        ["ready-and-sleep"] => {
            println!("ready");
            return act(&["sleep"]);
        }
        ["tick"] => loop {
            println!("tick");
            std::thread::sleep(Duration::from_millis(5));
        },
        ["leave-behind"] => {
            std::process::Command::new("/bin/probe").arg("sleep").spawn()?;
            println!("left");
        }
        ["orphans", count] => {
            for _ in 0..count.parse::<u32>().unwrap() {
                std::process::Command::new("/bin/probe").arg("orphan").status()?;
            }
            std::thread::sleep(Duration::from_millis(200));
            let dead = fs::read_dir("/proc")?.flatten().filter(|entry| {
                fs::read_to_string(entry.path().join("stat")).is_ok_and(|stat| stat.contains(") Z "))
            });
            println!("{} zombies", dead.count());
        }
        ["orphan"] => drop(
            std::process::Command::new("/bin/probe")
                .args(["exit", "0"])
                .spawn()?,
        ),
        // Says which signals come, and ends with the third.
        ["trap"] => {
            let all = [1, 2, 3, 10, 12, 14, 15, 28];
            let mut signals = Signals::new(all)?;
            println!("ready");
            for signal in signals.forever() {
                println!("got {signal}");
                if signal == 15 {
                    return Ok(15);
                }
            }
        }
        ["terminal"] => terminal()?,
        ["size-on-change"] => {
            let mut signals = Signals::new([28])?;
            println!("ready");
            if signals.forever().next().is_some() {
                let size = rustix::termios::tcgetwinsize(io::stdin())?;
                println!("size {} {}", size.ws_row, size.ws_col);
            }
        }
        ["open-terminal"] => {
            use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
            let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
            grantpt(&main)?;
            unlockpt(&main)?;
            let name = ptsname(&main, Vec::new())?;
            let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
            let side = rustix::fs::open(name.as_c_str(), flags, rustix::fs::Mode::empty())?;
            println!("{} {}", name.to_string_lossy(), rustix::termios::isatty(side));
        }
        ["interfaces"] => {
            let text = fs::read_to_string("/proc/net/dev")?;
            let names = text.lines().skip(2).filter_map(|line| line.split(':').next());
            names.for_each(|name| println!("{}", name.trim()));
            println!(
                "{}",
                std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| {
                    std::net::TcpStream::connect(listener.local_addr()?).map(|_| "connected")
                })?
            );
        }
        ["try", name, rest @ ..] => return containment::attempt(name, rest),
        _ => {
            println!("unknown: {words:?}");
            return Ok(98);
        }
    }
    Ok(0)
}

fn terminal() -> io::Result<()> {
    let name = rustix::termios::ttyname(io::stdin(), Vec::new())?;
    let size = rustix::termios::tcgetwinsize(io::stdin())?;
    let tty = fs::metadata("/dev/tty").and_then(|_| OpenOptions::new().write(true).open("/dev/tty"));
    println!(
        "{} {}x{} {} own {}",
        name.to_string_lossy(),
        size.ws_row,
        size.ws_col,
        fs::metadata(name.to_string_lossy().as_ref())?.uid(),
        tty.is_ok()
    );
    println!(
        "console {}",
        fs::metadata("/dev/console")?.rdev() == fs::metadata("/dev/pts/0")?.rdev()
    );
    Ok(())
}
