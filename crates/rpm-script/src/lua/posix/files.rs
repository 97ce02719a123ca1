//! What `posix` does with files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use mlua::Value;
use nix::unistd::PathconfVar;
use rustix::fs::{Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, Timespec, Timestamps};
use rustix::fs::{Gid, Uid};

use super::people::{self, Key};
use super::{mode, process};
use crate::lua::args::{Answer, Args, Raise, large, number};
use crate::lua::host::Host;

fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// 0, or the failure of a call on a path.
fn settled(host: &Host, args: &Args<'_>, result: rustix::io::Result<()>, info: Option<&[u8]>) -> Answer {
    match result {
        Ok(()) => Ok(vec![number(0)]),
        Err(error) => host.failed(args, info, error.raw_os_error()),
    }
}

pub(super) fn access(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    let mut wanted = Access::EXISTS;
    for letter in args.text_or(2, "f")? {
        wanted |= match letter {
            b'r' => Access::READ_OK,
            b'w' => Access::WRITE_OK,
            b'x' => Access::EXEC_OK,
            b' ' | b'f' => Access::EXISTS,
            other => return Err(process::bad_option(args, "mode", other)),
        };
    }
    settled(host, args, rustix::fs::access(path(&name), wanted), Some(&name))
}

pub(super) fn chmod(host: &Host, args: &Args<'_>) -> Answer {
    let (name, change) = (args.string(1)?, args.string(2)?);
    let stat = match rustix::fs::stat(path(&name)) {
        Ok(stat) => stat,
        Err(error) => return host.failed(args, Some(&name), error.raw_os_error()),
    };
    let changed = mode::changed(stat.st_mode, &change).ok_or_else(|| args.bad(2, "bad mode"))?;
    let mode = Mode::from_raw_mode(changed & 0o7777);
    settled(host, args, rustix::fs::chmod(path(&name), mode), Some(&name))
}

/// An id as a number or by name; names that nobody has, and none, leave it as it is.
fn id_of(
    args: &Args<'_>,
    place: usize,
    by_name: impl Fn(&Key<'_>) -> Option<u32>,
) -> Result<Option<u32>, Raise> {
    if args.is_none(place) {
        return Ok(None);
    }
    if let Some(id) = args.number(place) {
        // As C converts: -1 is none.
        return Ok(Some(id as i64 as u32).filter(|id| *id != u32::MAX));
    }
    match args.get(place) {
        Some(Value::String(name)) => Ok(by_name(&Key::Name(&name.as_bytes()))),
        _ => Err(args.wrong_type(place, "string or number")),
    }
}

pub(super) fn uid_of(args: &Args<'_>, place: usize) -> Result<Option<u32>, Raise> {
    id_of(args, place, |key| people::user(key).map(|user| user.uid))
}

pub(super) fn gid_of(args: &Args<'_>, place: usize) -> Result<Option<u32>, Raise> {
    id_of(args, place, |key| people::group(key).map(|group| group.gid))
}

pub(super) fn chown(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    let (uid, gid) = (uid_of(args, 2)?, gid_of(args, 3)?);
    let done = rustix::fs::chown(path(&name), uid.map(Uid::from_raw), gid.map(Gid::from_raw));
    settled(host, args, done, Some(&name))
}

/// Names of a directory, as it has them: the table of `dir`, which the prelude makes the iterator of `files` from too.
pub(super) fn dir(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.text_or(1, ".")?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let names = rustix::fs::open(path(&name), flags, Mode::empty())
        .and_then(Dir::read_from)
        .and_then(|entries| {
            entries
                .map(|entry| entry.map(|entry| entry.file_name().to_bytes().to_vec()))
                .collect::<Result<Vec<_>, _>>()
        });
    match names {
        Ok(names) => {
            let table = args.lua.create_table()?;
            for name in names {
                table.raw_push(args.text(name)?)?;
            }
            Ok(vec![Value::Table(table)])
        }
        Err(error) => host.failed(args, Some(&name), error.raw_os_error()),
    }
}

pub(super) fn link(host: &Host, args: &Args<'_>) -> Answer {
    let (old, new) = (args.string(1)?, args.string(2)?);
    settled(host, args, rustix::fs::link(path(&old), path(&new)), None)
}

pub(super) fn symlink(host: &Host, args: &Args<'_>) -> Answer {
    let (text, name) = (args.string(1)?, args.string(2)?);
    settled(host, args, rustix::fs::symlink(path(&text), path(&name)), None)
}

pub(super) fn readlink(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    match rustix::fs::readlink(path(&name), Vec::new()) {
        Ok(text) => Ok(vec![args.text(text.to_bytes())?]),
        Err(error) => host.failed(args, Some(&name), error.raw_os_error()),
    }
}

pub(super) fn mkdir(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    let mode = Mode::from_raw_mode(0o777);
    settled(host, args, rustix::fs::mkdir(path(&name), mode), Some(&name))
}

pub(super) fn rmdir(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    settled(host, args, rustix::fs::rmdir(path(&name)), Some(&name))
}

pub(super) fn unlink(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    settled(host, args, rustix::fs::unlink(path(&name)), Some(&name))
}

pub(super) fn mkfifo(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    let mode = Mode::from_raw_mode(0o777);
    let made = rustix::fs::mknodat(CWD, path(&name), FileType::Fifo, mode, 0);
    settled(host, args, made, Some(&name))
}

/// The path of a new file. The prelude opens it, and answers the open file and the path.
pub(super) fn mkstemp(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    match nix::unistd::mkstemp(path(&name)) {
        Ok((_file, made)) => Ok(vec![args.text(made.as_os_str().as_bytes())?]),
        Err(errno) => host.failed(args, None, errno as i32),
    }
}

pub(super) fn utime(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime).tv_sec;
    let time = |place: usize| match (args.is_none_or_nil(place), args.number(place)) {
        (true, _) => Ok(now),
        (false, Some(seconds)) => Ok(seconds as i64),
        (false, None) => Err(args.wrong_type(place, "number")),
    };
    let stamp = |tv_sec| Timespec { tv_sec, tv_nsec: 0 };
    let (modified, accessed) = (time(2)?, time(3)?);
    let times = Timestamps {
        last_access: stamp(accessed),
        last_modification: stamp(modified),
    };
    let done = rustix::fs::utimensat(CWD, path(&name), &times, AtFlags::empty());
    settled(host, args, done, Some(&name))
}

fn kind(mode: u32) -> &'static str {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile => "regular",
        FileType::Symlink => "link",
        FileType::Directory => "directory",
        FileType::CharacterDevice => "character device",
        FileType::BlockDevice => "block device",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::Unknown => "?",
    }
}

/// lstat(2), in spite of its name.
pub(super) fn stat(host: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    let stat = match rustix::fs::lstat(path(&name)) {
        Ok(stat) => stat,
        Err(error) => return host.failed(args, Some(&name), error.raw_os_error()),
    };
    args.selection(
        2,
        vec![
            ("mode", args.text(mode::words(stat.st_mode))?),
            ("ino", large(stat.st_ino)),
            ("dev", large(stat.st_dev)),
            ("nlink", large(stat.st_nlink)),
            ("uid", number(stat.st_uid)),
            ("gid", number(stat.st_gid)),
            ("size", large(stat.st_size)),
            ("atime", large(stat.st_atime)),
            ("mtime", large(stat.st_mtime)),
            ("ctime", large(stat.st_ctime)),
            ("type", args.text(kind(stat.st_mode))?),
            ("_mode", number(stat.st_mode)),
        ],
    )
}

pub(super) fn pathconf(_: &Host, args: &Args<'_>) -> Answer {
    let name = args.string(1)?;
    let value = |variable| {
        let found = nix::unistd::pathconf(path(&name), variable).ok().flatten();
        large(found.unwrap_or(-1))
    };
    args.selection(
        2,
        vec![
            ("link_max", value(PathconfVar::LINK_MAX)),
            ("max_canon", value(PathconfVar::MAX_CANON)),
            ("max_input", value(PathconfVar::MAX_INPUT)),
            ("name_max", value(PathconfVar::NAME_MAX)),
            ("path_max", value(PathconfVar::PATH_MAX)),
            ("pipe_buf", value(PathconfVar::PIPE_BUF)),
            ("chown_restricted", value(PathconfVar::_POSIX_CHOWN_RESTRICTED)),
            ("no_trunc", value(PathconfVar::_POSIX_NO_TRUNC)),
            ("vdisable", value(PathconfVar::_POSIX_VDISABLE)),
        ],
    )
}
