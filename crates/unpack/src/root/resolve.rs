//! Looking a path up inside a root, whatever symbolic links are in it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// As many links as the kernel follows in one lookup (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// From how many bytes on the kernel refuses a path (limits.h counts the zero at its end).
const PATH_MAX: usize = libc::PATH_MAX as usize;

/// How often a lookup that lost a race against a rename is tried again; `openat2` gives EAGAIN for it.
const MOST_RACES: usize = 128;

/// Who looks paths up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolver {
    /// `openat2(2)` with `RESOLVE_IN_ROOT` (Linux 5.6).
    Kernel,
    /// Component by component, with the same outcome.
    Walk,
}

impl Resolver {
    /// The kernel, where it (and the seccomp filter that a container may have) knows `openat2`.
    pub(crate) fn choose(root: BorrowedFd<'_>) -> Self {
        match kernel(root, b".", OFlags::PATH | OFlags::DIRECTORY, Mode::empty()) {
            Ok(_) => Resolver::Kernel,
            Err(_) => Resolver::Walk,
        }
    }

    /// Opens `path` inside `root`. Absolute links and `..` stay inside; `flags` decide, as for `openat`, whether a link
    /// in the last place is followed.
    pub(crate) fn open(
        self,
        root: BorrowedFd<'_>,
        path: &[u8],
        flags: OFlags,
        mode: Mode,
    ) -> rustix::io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC;
        let path = if path.is_empty() { b"." } else { path };
        match self {
            Resolver::Kernel if path.len() < PATH_MAX => kernel(root, path, flags, mode),
            Resolver::Kernel => long(root, path, flags, mode),
            Resolver::Walk => walk(root, path, flags, mode),
        }
    }
}

/// A path that no system call takes at once: piece by piece, as long as what comes after the first piece has neither links nor
/// `..` in it; else component by component.
fn long(root: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let climbs = path.split(|&b| b == b'/').any(|name| name == b"..");
    match climbs {
        true => walk(root, path, flags, mode),
        false => match by_pieces(root, path, flags, mode) {
            // A link on the way, or a rename meanwhile.
            Err(Errno::LOOP | Errno::XDEV | Errno::AGAIN | Errno::INTR) => walk(root, path, flags, mode),
            result => result,
        },
    }
}

fn by_pieces(root: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let plain = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let open = |above: &Option<OwnedFd>, piece: &[u8], flags: OFlags, mode: Mode| match above {
        None => kernel(root, piece, flags, mode),
        Some(above) => rustix::fs::openat2(above, piece, flags, mode, plain),
    };
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut above = None;
    let mut rest = path;
    while rest.len() >= PATH_MAX {
        // The last slash that leaves a piece short enough.
        let cut = rest.iter().take(PATH_MAX).rposition(|&b| b == b'/');
        let (piece, below) = cut
            .filter(|cut| *cut > 0)
            .and_then(|cut| rest.split_at_checked(cut))
            .ok_or(Errno::NAMETOOLONG)?;
        above = Some(open(&above, piece, directory, Mode::empty())?);
        let slashes = below.iter().take_while(|&&b| b == b'/').count();
        rest = below.get(slashes..).unwrap_or_default();
    }
    let rest = if rest.is_empty() { b"." } else { rest };
    open(&above, rest, flags, mode)
}

fn kernel(root: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let mut races = 0;
    loop {
        match rustix::fs::openat2(root, path, flags, mode, how) {
            Err(Errno::AGAIN | Errno::INTR) if races < MOST_RACES => races += 1,
            result => return result,
        }
    }
}

/// `openat2`'s lookup in user space: every component is opened without following it, a link's text is put in front of
/// what is left, and `..` goes back to a descriptor that we hold, so that it cannot climb out even while directories are
/// being renamed.
fn walk(root: BorrowedFd<'_>, path: &[u8], flags: OFlags, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let mut above: Vec<OwnedFd> = Vec::new();
    let mut left: Vec<Vec<u8>> = Vec::new();
    let mut links = 0;
    put_in_front(&mut left, path);
    while let Some(name) = left.pop() {
        match name.as_slice() {
            b"." => continue,
            b".." => {
                above.pop();
                continue;
            }
            _ => {}
        }
        let here = above.last().map_or(root, |fd| fd.as_fd());
        let last = left.is_empty();
        // O_EXCL never follows; O_NOFOLLOW in the last place leaves the link to the caller.
        if last && (flags.contains(OFlags::NOFOLLOW) || flags.contains(OFlags::CREATE | OFlags::EXCL)) {
            return rustix::fs::openat(here, &name, flags | OFlags::NOFOLLOW, mode);
        }
        let found = match rustix::fs::openat(here, &name, peek(), Mode::empty()) {
            Err(Errno::NOENT) if last && flags.contains(OFlags::CREATE) => {
                return rustix::fs::openat(here, &name, flags | OFlags::NOFOLLOW, mode);
            }
            result => result?,
        };
        match FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode) {
            FileType::Symlink => {
                links += 1;
                if links > MOST_LINKS || is_magic(&found)? {
                    return Err(Errno::LOOP);
                }
                let text = rustix::fs::readlinkat(&found, "", Vec::new())?.into_bytes();
                match text.first() {
                    None => return Err(Errno::NOENT),
                    Some(b'/') => above.clear(),
                    Some(_) => {}
                }
                put_in_front(&mut left, &text);
            }
            _ if last => return rustix::fs::openat(here, &name, flags | OFlags::NOFOLLOW, mode),
            FileType::Directory => above.push(found),
            _ => return Err(Errno::NOTDIR),
        }
    }
    // The path was `/`, or ended in `.`, `..` or a slash: a directory, which cannot be created.
    if flags.contains(OFlags::CREATE) {
        return Err(if flags.contains(OFlags::EXCL) {
            Errno::EXIST
        } else {
            Errno::ISDIR
        });
    }
    rustix::fs::openat(
        above.last().map_or(root, |fd| fd.as_fd()),
        ".",
        flags,
        Mode::empty(),
    )
}

fn peek() -> OFlags {
    OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// Puts the components of `path` in front of what is `left` (which is kept last first). A final slash counts as `.`, so
/// that what comes before it must be a directory.
fn put_in_front(left: &mut Vec<Vec<u8>>, path: &[u8]) {
    if path.ends_with(b"/") {
        left.push(b".".to_vec());
    }
    left.extend(
        path.split(|&b| b == b'/')
            .rev()
            .filter(|c| !c.is_empty())
            .map(<[u8]>::to_vec),
    );
}

/// Links of procfs jump instead of being looked up. The kernel tells those that do from those that do not; from outside
/// they look alike, so the walker follows none of them.
fn is_magic(link: &OwnedFd) -> rustix::io::Result<bool> {
    Ok(rustix::fs::fstatfs(link)?.f_type == rustix::fs::PROC_SUPER_MAGIC)
}
