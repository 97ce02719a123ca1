//! What `posix` does with processes, their environment, and the people that they run as.

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use bareroot_enter::inside;
use mlua::Value;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, SysconfVar};
use rustix::fs::Mode;

use super::files::{gid_of, uid_of};
use super::mode;
use super::people::{self, Key};
use crate::lua::args::{Answer, Args, Raise, large, number, words_of};
use crate::lua::host::Host;

pub(super) fn bad_option(args: &Args<'_>, what: &str, letter: u8) -> Raise {
    args.bad(2, &format!("unknown {what} option `{}'", char::from(letter)))
}

fn os(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}

fn errno_of(error: &std::io::Error) -> i32 {
    error.raw_os_error().unwrap_or(nix::libc::EINVAL)
}

pub(super) fn errno(host: &Host, args: &Args<'_>) -> Answer {
    let errno = host.errno.get();
    let words = match errno {
        0 => "Success".to_owned(),
        _ => words_of(errno),
    };
    Ok(vec![args.text(words)?, number(errno)])
}

pub(super) fn chdir(host: &Host, args: &Args<'_>) -> Answer {
    let path = args.string(1)?;
    match rustix::process::chdir(OsStr::from_bytes(&path)) {
        Ok(()) => Ok(vec![number(0)]),
        Err(error) => host.failed(args, Some(&path), error.raw_os_error()),
    }
}

pub(super) fn getcwd(host: &Host, args: &Args<'_>) -> Answer {
    match rustix::process::getcwd(Vec::new()) {
        Ok(path) => Ok(vec![args.text(path.to_bytes())?]),
        Err(error) => host.failed(args, Some(b"."), error.raw_os_error()),
    }
}

pub(super) fn ctermid(_: &Host, args: &Args<'_>) -> Answer {
    Ok(vec![args.text("/dev/tty")?])
}

/// Nobody is logged in where scriptlets run.
pub(super) fn getlogin(_: &Host, _: &Args<'_>) -> Answer {
    Ok(vec![Value::Nil])
}

/// Scriptlets have no terminal.
pub(super) fn ttyname(_: &Host, args: &Args<'_>) -> Answer {
    args.integer_or(1, 0)?;
    Ok(vec![Value::Nil])
}

pub(super) fn exec(host: &Host, args: &Args<'_>) -> Answer {
    host.check_deprecated("posix.exec")?;
    let path = args.string(1)?;
    host.only_forked("exec")?;
    let mut command = Command::new(OsStr::from_bytes(&path));
    for place in 2..=args.len() {
        command.arg(os(args.string(place)?));
    }
    let error = command.exec();
    host.failed(args, Some(&path), errno_of(&error))
}

pub(super) fn fork(host: &Host, args: &Args<'_>) -> Answer {
    host.check_deprecated("posix.fork")?;
    match inside::fork() {
        Ok(Some(pid)) => Ok(vec![number(pid)]),
        Ok(None) => {
            host.forked.set(true);
            Ok(vec![number(0)])
        }
        Err(error) => host.failed(args, None, errno_of(&error)),
    }
}

pub(super) fn wait(host: &Host, args: &Args<'_>) -> Answer {
    host.check_deprecated("posix.wait")?;
    let pid = Pid::from_raw(args.integer_or(1, -1)? as i32);
    match nix::sys::wait::waitpid(pid, None) {
        Ok(status) => Ok(vec![number(status.pid().map_or(0, Pid::as_raw))]),
        Err(errno) => host.failed(args, None, errno as i32),
    }
}

pub(super) fn redirect2null(host: &Host, args: &Args<'_>) -> Answer {
    host.check_deprecated("posix.redirect2null")?;
    host.only_forked("redirect2null")?;
    let target = args.integer(1)? as i32;
    let done = OpenOptions::new()
        .write(true)
        .open("/dev/null")
        .and_then(|null| inside::redirect(null, target));
    match done {
        Ok(()) => Ok(vec![number(target)]),
        Err(error) => host.failed(args, None, errno_of(&error)),
    }
}

pub(super) fn kill(host: &Host, args: &Args<'_>) -> Answer {
    let pid = Pid::from_raw(args.integer(1)? as i32);
    let signal = match args.integer_or(2, Signal::SIGTERM as i64)? {
        0 => Ok(None),
        other => i32::try_from(other)
            .map_err(|_| nix::errno::Errno::EINVAL)
            .and_then(Signal::try_from)
            .map(Some),
    };
    match signal.and_then(|signal| nix::sys::signal::kill(pid, signal)) {
        Ok(()) => Ok(vec![number(0)]),
        Err(errno) => host.failed(args, None, errno as i32),
    }
}

pub(super) fn sleep(_: &Host, args: &Args<'_>) -> Answer {
    let seconds = args.integer(1)? as u32;
    std::thread::sleep(std::time::Duration::from_secs(seconds.into()));
    Ok(vec![number(0)])
}

fn set(host: &Host, args: &Args<'_>, name: &[u8], value: Option<&[u8]>) -> Answer {
    let value = value.map(OsStr::from_bytes);
    match inside::set_variable(OsStr::from_bytes(name), value) {
        Ok(()) => Ok(vec![number(0)]),
        Err(error) => host.failed(args, Some(name), errno_of(&error)),
    }
}

pub(super) fn putenv(host: &Host, args: &Args<'_>) -> Answer {
    let text = args.string(1)?;
    match text.iter().position(|byte| *byte == b'=') {
        Some(at) => set(host, args, text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        // As the C library does: a name alone takes the variable away.
        None => set(host, args, &text, None),
    }
}

pub(super) fn setenv(host: &Host, args: &Args<'_>) -> Answer {
    let (name, value) = (args.string(1)?, args.string(2)?);
    let keep = matches!(args.get(3), Some(Value::Boolean(false)));
    if keep && std::env::var_os(OsStr::from_bytes(&name)).is_some() {
        return Ok(vec![number(0)]);
    }
    set(host, args, &name, Some(&value))
}

pub(super) fn unsetenv(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    set(host, args, &name, None)?;
    Ok(Vec::new())
}

pub(super) fn getenv(_: &Host, args: &Args<'_>) -> Answer {
    if args.is_none(1) {
        let table = args.lua.create_table()?;
        for (name, value) in std::env::vars_os() {
            table.raw_set(args.text(name.as_bytes())?, args.text(value.as_bytes())?)?;
        }
        return Ok(vec![Value::Table(table)]);
    }
    let name = args.string(1)?;
    let value = std::env::var_os(OsStr::from_bytes(&name));
    Ok(vec![match value {
        Some(value) => args.text(value.as_bytes())?,
        None => Value::Nil,
    }])
}

pub(super) fn umask(_: &Host, args: &Args<'_>) -> Answer {
    let old = rustix::process::umask(Mode::empty());
    rustix::process::umask(old);
    let mut mode = !old.as_raw_mode() & 0o777;
    if !args.is_none(1) {
        match mode::changed(mode, &args.string(1)?) {
            None => return Ok(vec![Value::Nil]),
            Some(changed) => mode = changed & 0o777,
        }
        rustix::process::umask(Mode::from_raw_mode(!mode & 0o777));
    }
    Ok(vec![args.text(mode::words(mode))?])
}

pub(super) fn getprocessid(_: &Host, args: &Args<'_>) -> Answer {
    use nix::unistd::{getegid, geteuid, getgid, getpgrp, getpid, getppid, getuid};
    args.selection(
        1,
        vec![
            ("egid", number(getegid().as_raw())),
            ("euid", number(geteuid().as_raw())),
            ("gid", number(getgid().as_raw())),
            ("uid", number(getuid().as_raw())),
            ("pgrp", number(getpgrp().as_raw())),
            ("pid", number(getpid().as_raw())),
            ("ppid", number(getppid().as_raw())),
        ],
    )
}

/// Whom the first argument means: an id, or a name.
fn asked<T>(args: &Args<'_>, find: impl Fn(&Key<'_>) -> Option<T>) -> Result<Option<T>, Raise> {
    if let Some(id) = args.number(1) {
        return Ok(find(&Key::Id(id as i64 as u32)));
    }
    match args.get(1) {
        Some(Value::String(name)) => Ok(find(&Key::Name(&name.as_bytes()))),
        _ => Err(args.wrong_type(1, "string or number")),
    }
}

pub(super) fn getpasswd(_: &Host, args: &Args<'_>) -> Answer {
    let found = match args.is_none_or_nil(1) {
        true => people::user(&Key::Id(nix::unistd::geteuid().as_raw())),
        false => asked(args, people::user)?,
    };
    let Some(user) = found else {
        return Ok(vec![Value::Nil]);
    };
    args.selection(
        2,
        vec![
            ("name", args.text(user.name)?),
            ("uid", number(user.uid)),
            ("gid", number(user.gid)),
            ("dir", args.text(user.dir)?),
            ("shell", args.text(user.shell)?),
            ("gecos", args.text(user.gecos)?),
            ("passwd", args.text(user.passwd)?),
        ],
    )
}

pub(super) fn getgroup(_: &Host, args: &Args<'_>) -> Answer {
    let Some(group) = asked(args, people::group)? else {
        return Ok(vec![Value::Nil]);
    };
    let table = args.lua.create_table()?;
    table.raw_set("name", args.text(group.name)?)?;
    table.raw_set("gid", number(group.gid))?;
    for member in group.members {
        table.raw_push(args.text(member)?)?;
    }
    Ok(vec![Value::Table(table)])
}

pub(super) fn setuid(host: &Host, args: &Args<'_>) -> Answer {
    let uid = uid_of(args, 1)?.unwrap_or(u32::MAX);
    match nix::unistd::setuid(nix::unistd::Uid::from_raw(uid)) {
        Ok(()) => Ok(vec![number(0)]),
        Err(errno) => host.failed(args, None, errno as i32),
    }
}

pub(super) fn setgid(host: &Host, args: &Args<'_>) -> Answer {
    let gid = gid_of(args, 1)?.unwrap_or(u32::MAX);
    match nix::unistd::setgid(nix::unistd::Gid::from_raw(gid)) {
        Ok(()) => Ok(vec![number(0)]),
        Err(errno) => host.failed(args, None, errno as i32),
    }
}

/// Clock ticks, divided as rpm divides them.
pub(super) fn times(_: &Host, args: &Args<'_>) -> Answer {
    const TICKS: i64 = 100;
    const CLOCKS_PER_SEC: f64 = 1_000_000.0;
    let ticks = |seconds: i64, micros: i64| {
        let ticks = seconds
            .saturating_mul(TICKS)
            .saturating_add(micros / (1_000_000 / TICKS));
        Value::Number(ticks as f64 / CLOCKS_PER_SEC)
    };
    let used = |who| {
        let usage = getrusage(who).ok();
        let of = |time: Option<nix::sys::time::TimeVal>| {
            time.map_or(number(0), |time| ticks(time.tv_sec(), time.tv_usec()))
        };
        (
            of(usage.map(|usage| usage.user_time())),
            of(usage.map(|usage| usage.system_time())),
        )
    };
    let (utime, stime) = used(UsageWho::RUSAGE_SELF);
    let (cutime, cstime) = used(UsageWho::RUSAGE_CHILDREN);
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    args.selection(
        1,
        vec![
            ("utime", utime),
            ("stime", stime),
            ("cutime", cutime),
            ("cstime", cstime),
            ("elapsed", ticks(since.tv_sec, since.tv_nsec / 1000)),
        ],
    )
}

pub(super) fn uname(_: &Host, args: &Args<'_>) -> Answer {
    let uname = rustix::system::uname();
    let mut text = Vec::new();
    let mut format = args.text_or(1, "%s %n %r %v %m")?.into_iter();
    while let Some(byte) = format.next() {
        if byte != b'%' {
            text.push(byte);
            continue;
        }
        let word = match format.next().unwrap_or_default() {
            b'%' => c"%",
            b'm' => uname.machine(),
            b'n' => uname.nodename(),
            b'r' => uname.release(),
            b's' => uname.sysname(),
            b'v' => uname.version(),
            other => return Err(bad_option(args, "format", other)),
        };
        text.extend_from_slice(word.to_bytes());
    }
    Ok(vec![args.text(text)?])
}

pub(super) fn sysconf(_: &Host, args: &Args<'_>) -> Answer {
    let value = |variable| {
        let found = nix::unistd::sysconf(variable).ok().flatten();
        large(found.unwrap_or(-1))
    };
    args.selection(
        1,
        vec![
            ("arg_max", value(SysconfVar::ARG_MAX)),
            ("child_max", value(SysconfVar::CHILD_MAX)),
            ("clk_tck", value(SysconfVar::CLK_TCK)),
            ("ngroups_max", value(SysconfVar::NGROUPS_MAX)),
            ("stream_max", value(SysconfVar::STREAM_MAX)),
            ("tzname_max", value(SysconfVar::TZNAME_MAX)),
            ("open_max", value(SysconfVar::OPEN_MAX)),
            ("job_control", value(SysconfVar::_POSIX_JOB_CONTROL)),
            ("saved_ids", value(SysconfVar::_POSIX_SAVED_IDS)),
            ("version", value(SysconfVar::_POSIX_VERSION)),
        ],
    )
}
