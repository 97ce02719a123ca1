//! Starting a program under limits, or traced by the thread that started it, without code between fork(2) and exec(2): a
//! test binary starts itself under the name [`NAME`], and that process limits itself and becomes the program.
#![allow(clippy::print_stderr, reason = "it is a program of its own")]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, setrlimit};

/// The name under which a binary calls [`main`].
pub const NAME: &str = "launch";

/// What a program may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of address space (RLIMIT_AS).
    pub address_space: Option<u64>,
    /// Descriptors (RLIMIT_NOFILE).
    pub descriptors: Option<u64>,
    /// The directory of a control group that it is put into, of either version.
    pub group: Option<PathBuf>,
    /// Whether the thread that starts it traces it.
    pub traced: bool,
}

/// The command that does what this one does, under limits. Its environment is what this one sets, and nothing else.
pub fn wrap(command: &Command, limits: &Limits) -> Command {
    let mut wrapped = Command::new("/proc/self/exe");
    let number = |limit: Option<u64>| limit.map_or("-".into(), |limit| limit.to_string());
    let group = limits.group.clone().unwrap_or_else(|| "-".into());
    wrapped
        .arg0(NAME)
        .args([number(limits.address_space), number(limits.descriptors)])
        .arg(group)
        .arg(if limits.traced { "traced" } else { "-" })
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    if let Some(directory) = command.get_current_dir() {
        wrapped.current_dir(directory);
    }
    wrapped
}

/// Becomes the program, if this process was started by [`wrap`].
pub fn main() -> Option<ExitCode> {
    let mut words = std::env::args_os();
    if words.next()? != NAME {
        return None;
    }
    let error = become_it(&words.collect::<Vec<_>>()).err()?;
    eprintln!("launch: {error}");
    Some(ExitCode::from(FAILED))
}

/// The exit code of a program that could not be started: bareroot has none like it.
pub const FAILED: u8 = 99;

fn become_it(words: &[OsString]) -> io::Result<()> {
    let [space, descriptors, group, traced, program, arguments @ ..] = words else {
        return Err(io::Error::other("too few words"));
    };
    if group != "-" {
        // 0 is the process that writes (cgroups(7)).
        fs::write(PathBuf::from(group).join("cgroup.procs"), "0")?;
    }
    for (resource, value) in [(Resource::Nofile, descriptors), (Resource::As, space)] {
        if value != "-" {
            let value = value.to_str().and_then(|value| value.parse().ok());
            let limit = Rlimit {
                current: value,
                maximum: value,
            };
            setrlimit(resource, limit)?;
        }
    }
    if traced == "traced" {
        trace_me()?;
    }
    Err(Command::new(program).args(arguments).exec())
}

#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
fn trace_me() -> io::Result<()> {
    Ok(nix::sys::ptrace::traceme()?)
}

#[cfg(not(all(target_arch = "x86_64", target_env = "gnu")))]
fn trace_me() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
