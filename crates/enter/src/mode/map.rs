//! Writing the id maps of a user namespace.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::wait::waitpid;
use nix::unistd::{Gid, Pid, Uid};
use rustix::pipe::PipeFlags;

use super::subordinate::{Ids, Range};
use crate::{Error, sys};

/// Whether a uid_map(5) has the id.
pub(super) fn covers(map: &str, id: u64) -> bool {
    map.lines().any(|line| {
        let mut numbers = line.split_whitespace().map(|word| word.parse::<u64>().unwrap_or(0));
        let (first, _, count) = (numbers.next(), numbers.next(), numbers.next());
        matches!((first, count), (Some(first), Some(count)) if (first..first.saturating_add(count)).contains(&id))
    })
}

/// A process that stays outside of the new namespace, where newuidmap(1) and newgidmap(1) have to be run.
pub(super) struct Helper {
    pid: Pid,
    /// Closed when the namespace is there.
    go: OwnedFd,
    /// What went wrong; its end without a word is success.
    said: OwnedFd,
}

impl Helper {
    /// Finds the two programs and forks. The caller must be the only thread.
    pub(super) fn start(ids: &Ids) -> Result<Helper, Error> {
        let programs = [
            ("newuidmap", ids.uid, &ids.uids),
            ("newgidmap", ids.gid, &ids.gids),
        ];
        let found = programs
            .iter()
            .map(|(name, ..)| on_path(name))
            .collect::<Result<Vec<_>, _>>()?;
        let fail = |source: io::Error| Error::UserNamespace {
            doing: "start a helper process",
            source,
        };
        let pipe = || rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|error| fail(error.into()));
        let ((waits, go), (said, says)) = (pipe()?, pipe()?);
        let parent = rustix::process::getpid().as_raw_nonzero().get();
        match sys::fork().map_err(fail)? {
            sys::Side::Parent(pid) => Ok(Helper { pid, go, said }),
            sys::Side::Child => {
                drop((go, said));
                // One byte says that the namespace is there; none, that it will not be.
                let asked = std::fs::File::from(waits)
                    .read(&mut [0])
                    .is_ok_and(|got| got == 1);
                let outcome = found.iter().zip(&programs).filter(|_| asked);
                let failed = outcome
                    .map(|(program, (_, own, ranges))| run(program, parent, *own, ranges))
                    .find_map(Result::err);
                if let Some(words) = failed {
                    let _ = std::fs::File::from(says).write_all(words.as_bytes());
                }
                sys::exit(0)
            }
        }
    }

    /// Has the maps written, this process being in the new namespace.
    pub(super) fn map(self) -> Result<(), Error> {
        let mut words = String::new();
        let told = std::fs::File::from(self.go)
            .write_all(b"\n")
            .and_then(|()| std::fs::File::from(self.said).read_to_string(&mut words));
        let _ = waitpid(self.pid, None);
        told.map_err(|source| Error::UserNamespace {
            doing: "follow newuidmap",
            source,
        })?;
        match words.is_empty() {
            true => Ok(()),
            false => Err(Error::IdMap { words }),
        }
    }
}

/// Own id 0, then the subordinate ids from 1 on.
fn arguments(parent: i32, own: u32, ranges: &[Range]) -> Vec<String> {
    let mut arguments = vec![
        parent.to_string(),
        "0".to_owned(),
        own.to_string(),
        "1".to_owned(),
    ];
    let mut next = 1_u64;
    for range in ranges {
        arguments.extend([next.to_string(), range.first.to_string(), range.count.to_string()]);
        next += u64::from(range.count);
    }
    arguments
}

fn run(program: &Path, parent: i32, own: u32, ranges: &[Range]) -> Result<(), String> {
    let name = program.display();
    let output = Command::new(program)
        .args(arguments(parent, own, ranges))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{name} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
    Err(format!("{name}: {words} ({})", output.status))
}

/// A program of the host, in the directories of `PATH` or where distributions have it.
fn on_path(name: &'static str) -> Result<PathBuf, Error> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from_vec(b"/usr/bin:/bin".to_vec()));
    let found = std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .find_map(|directory| {
            let file = directory.join(name);
            nix::unistd::access(&file, nix::unistd::AccessFlags::X_OK)
                .ok()
                .map(|()| file)
        });
    found.ok_or_else(|| Error::IdMap {
        words: format!("{name} is not on PATH"),
    })
}

/// Maps the one id that every user may map: its own (user_namespaces(7)).
pub(super) fn map_alone(user: u32, group: u32) -> Result<(), Error> {
    let write = |file: &str, text: &str| match std::fs::write(file, text) {
        // Before Linux 3.19.
        Err(error) if file.ends_with("setgroups") && error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    };
    write("/proc/self/setgroups", "deny")
        .and_then(|()| write("/proc/self/uid_map", &format!("0 {user} 1")))
        .and_then(|()| write("/proc/self/gid_map", &format!("0 {group} 1")))
        .map_err(|source| Error::UserNamespace {
            doing: "map this user into a user namespace",
            source,
        })
}

/// Takes up the id 0 of the namespace.
pub(super) fn become_root(may_set_groups: bool) -> Result<(), Error> {
    let (user, group) = (Uid::from_raw(0), Gid::from_raw(0));
    let mut result =
        nix::unistd::setresgid(group, group, group).and_then(|()| nix::unistd::setresuid(user, user, user));
    if may_set_groups {
        result = result.and_then(|()| nix::unistd::setgroups(&[]));
    }
    // Or else this process' own /proc/self would belong to the host's root.
    result
        .and_then(|()| nix::sys::prctl::set_dumpable(true))
        .map_err(|error| Error::UserNamespace {
            doing: "become root of a user namespace",
            source: error.into(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_say_whom_they_have() {
        let everyone = "         0          0 4294967295\n";
        let one = "0 1000 1\n";
        let many = "0 1000 1\n1 100000 65536\n";
        assert!(covers(everyone, 65_534));
        assert!(!covers(one, 65_534));
        assert!(covers(one, 0));
        assert!(covers(many, 65_534));
        assert!(!covers(many, 65_537));
        assert!(!covers("", 0));
        assert!(!covers("x y z", 5));
    }

    #[test]
    fn the_invoking_user_is_root_and_the_others_follow() {
        let range = |first, count| Range { first, count };
        let words = arguments(7, 1000, &[range(100_000, 65_536), range(300_000, 10)]);
        assert_eq!(words.join(" "), "7 0 1000 1 1 100000 65536 65537 300000 10");
    }
}
