#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program of the root"
)]

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use super::INTERPRETER;

/// Runs a script: its path and arguments. Ends at the first command that fails, as `sh -e` does.
pub fn main(words: &[String]) -> ExitCode {
    let Some((path, arguments)) = words.split_first() else {
        return ExitCode::from(2);
    };
    if path == "--linger" {
        thread::sleep(Duration::from_secs(600));
        return ExitCode::SUCCESS;
    }
    if path == "--flip" {
        return flip(arguments);
    }
    if path == "--rewrite" {
        return rewrite(arguments);
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::from(127);
        }
    };
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match run(line, arguments) {
            Ok(None) => {}
            Ok(Some(code)) => return ExitCode::from(code),
            Err(error) => {
                eprintln!("{path}: {line}: {error}");
                return ExitCode::from(1);
            }
        }
    }
    ExitCode::SUCCESS
}

/// Runs one command; a number ends the script.
fn run(line: &str, arguments: &[String]) -> io::Result<Option<u8>> {
    let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
    let words: Vec<&str> = rest.split_whitespace().collect();
    match (command, words.as_slice()) {
        // Text, arguments and environment.
        ("echo", _) => {
            println!("{rest}");
            io::stdout().flush()?;
        }
        ("note", [path, ..]) => {
            let words = [&[after(rest, path).to_owned()], arguments].concat();
            append(path, &format!("{}\n", words.join(" ")))?;
        }
        ("stdin", [path]) => append(path, &io::read_to_string(io::stdin())?)?,
        ("args", [path]) => append(path, &format!("{}\n", arguments.join(" ")))?,
        ("env", [path]) => {
            let lines: Vec<String> = std::env::vars()
                .map(|(name, value)| format!("{name}={value}\n"))
                .collect();
            append(path, &lines.concat())?;
        }
        // Files.
        ("write", [path, ..]) => fs::write(path, format!("{}\n", after(rest, path)))?,
        ("append", [path, ..]) => append(path, &format!("{}\n", after(rest, path)))?,
        ("touch", [path]) => append(path, "")?,
        ("mkdir", [path]) => fs::create_dir_all(path)?,
        ("copy", [from, to]) => drop(fs::copy(from, to)?),
        ("remove", [path]) => fs::remove_file(path)?,
        ("chown", [path, uid, gid]) => chown(path, Some(number(uid)?), Some(number(gid)?))?,
        ("chmod", [path, mode]) => {
            let mode = u32::from_str_radix(mode, 8).map_err(io::Error::other)?;
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
        ("fill", [path]) => fill(path)?,
        // What a directory has, and where its links lead.
        ("list", [directory, path]) => {
            for entry in fs::read_dir(directory)? {
                let entry = entry?;
                let link = fs::read_link(entry.path()).unwrap_or_default();
                let line = format!("{} {}\n", entry.file_name().to_string_lossy(), link.display());
                append(path, &line)?;
            }
        }
        // Conditions.
        ("exists", [path]) if !Path::new(path).exists() => return failed(&format!("{path} does not exist")),
        ("absent", [path]) if Path::new(path).symlink_metadata().is_ok() => {
            return failed(&format!("{path} exists"));
        }
        ("link", [path]) if fs::read_link(path).is_err() => return failed(&format!("{path} is not a link")),
        ("exists" | "absent" | "link", [_]) => {}
        // How scripts end, and fail to.
        ("exit", [code]) => return Ok(Some(number(code)?.min(255) as u8)),
        ("sleep", [seconds]) => thread::sleep(Duration::from_secs(number(seconds)?.into())),
        // A link of that text takes the place of a directory, which stays beside it.
        ("swap", [path, text]) => {
            fs::rename(path, format!("{path}.swap"))?;
            std::os::unix::fs::symlink(text, path)?;
        }
        // In the background: a directory is exchanged with a link of that text for so many milliseconds.
        ("flip", [_, _, _]) => drop(Command::new(INTERPRETER).arg("--flip").args(&words).spawn()?),
        // In the background: a file is written again and again for so many milliseconds.
        ("rewrite", [_, _]) => drop(Command::new(INTERPRETER).arg("--rewrite").args(&words).spawn()?),
        ("daemon", []) => drop(Command::new(INTERPRETER).arg("--linger").spawn()?),
        ("kill-self", []) => {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)?;
        }
        _ => return Err(io::Error::other("no such command")),
    }
    Ok(None)
}

/// Exchanges a directory with a link beside it until the time is over.
fn flip(words: &[String]) -> ExitCode {
    let [path, text, time] = words else {
        return ExitCode::from(2);
    };
    let aside = format!("{path}.swap");
    // It may be there from the last time.
    let _ = std::os::unix::fs::symlink(text, &aside);
    let begin = std::time::Instant::now();
    let time = Duration::from_millis(time.parse().unwrap_or_default());
    while begin.elapsed() < time {
        let exchange = rustix::fs::RenameFlags::EXCHANGE;
        let _ = rustix::fs::renameat_with(rustix::fs::CWD, path, rustix::fs::CWD, &aside, exchange);
    }
    ExitCode::SUCCESS
}

/// Writes a file again and again until the time is over.
fn rewrite(words: &[String]) -> ExitCode {
    let [path, time] = words else {
        return ExitCode::from(2);
    };
    let begin = std::time::Instant::now();
    let time = Duration::from_millis(time.parse().unwrap_or_default());
    while begin.elapsed() < time {
        let _ = fs::write(path, "still here");
    }
    ExitCode::SUCCESS
}

fn failed(words: &str) -> io::Result<Option<u8>> {
    eprintln!("{words}");
    Ok(Some(1))
}

fn number(word: &str) -> io::Result<u32> {
    word.parse().map_err(io::Error::other)
}

/// What follows a command's first word.
fn after<'t>(rest: &'t str, word: &str) -> &'t str {
    rest.trim_start()
        .strip_prefix(word)
        .unwrap_or_default()
        .trim_start()
}

fn append(path: &str, text: &str) -> io::Result<()> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(text.as_bytes())
}

/// Writes until the disk is full.
fn fill(path: &str) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    loop {
        file.write_all(&[b'x'; 1 << 16])?;
    }
}
