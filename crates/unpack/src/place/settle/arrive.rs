//! A package's turn at a contested name. The cases are those of dpkg's `tarobject()`.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::super::settings::{Conffiles, Ownership};
use super::super::tree::{At, Dir, Leaf, LeafKind};
use super::super::worker::Link;
use super::Replay;
use super::contest::{Contest, Occupant};
use super::ledger::{Owner, Who, conflict};
use crate::error::{Error, Escape, lossy};
use crate::root::{FileKind, Stat, mtime, rename_noreplace};

const DIRECTORY: &str = "a directory";

impl Replay<'_> {
    /// The package has, or needs, a directory at the name.
    pub(super) fn directory_arrives(&mut self, contest: &mut Contest, ordinal: u32) -> Result<(), Error> {
        let Some(node) = contest.node.clone() else {
            return Ok(());
        };
        let (listed, at) = {
            let state = node.state();
            let claim = state.claims.iter().find(|claim| claim.at.0 == ordinal);
            let implied = state.implied.map(|(at, _)| at).filter(|at| at.0 == ordinal);
            let listed = claim.map(|claim| claim.spelling.as_deref().unwrap_or(&contest.path).to_vec());
            (
                listed,
                claim.map(|claim| claim.at).into_iter().chain(implied).min(),
            )
        };
        let Some(at) = at else { return Ok(()) };
        let mut stays = contest.occupant == Occupant::Directory;
        if contest.occupant.is_link() {
            let (dir, fd) = contest.open(self.shared)?;
            let text = self.read_link(&dir, &fd, &contest.name)?;
            // dpkg: a link to a directory stays, and what the package has below it goes where it leads.
            if let Some(target) = self.follow(&dir, &text, at)? {
                if let Some(number) = contest.aside.take() {
                    self.merge(contest, &node, number, &target)?;
                }
                stays = true;
            }
        }
        if !stays {
            let path = listed.as_ref().unwrap_or(&contest.path).clone();
            let verdict = self.ledger.judge(&contest.owners, ordinal, &path, DIRECTORY)?;
            if verdict.yields && !node.has_below(ordinal) {
                if let Some(path) = listed {
                    self.ledger.lose(ordinal, path);
                }
                return Ok(());
            }
            // Nothing can be placed below a file that stays.
            if verdict.yields || verdict.shares {
                let first = contest
                    .owners
                    .first()
                    .map_or_else(String::new, |owner| self.owner_words(owner));
                let (kind, second) = (contest.occupant.words(), self.ledger.words(ordinal));
                return Err(conflict(&path, first, kind, second, DIRECTORY));
            }
            self.put_back(contest, ordinal, &node)?;
            self.ledger.take(&mut contest.owners, &verdict, ordinal);
            contest.occupant = Occupant::Directory;
        }
        if let Some(path) = listed {
            contest.owners.push(Owner {
                who: Who::Placed(ordinal),
                path,
                kind: DIRECTORY,
            });
        }
        Ok(())
    }

    /// The package has a file or a node at the name; it is parked.
    pub(super) fn leaf_arrives(&mut self, contest: &mut Contest, leaf: &Leaf) -> Result<(), Error> {
        let At::Parked(number) = leaf.at else {
            return Ok(());
        };
        let path = contest.spelling(leaf);
        let kind = leaf.kind.words();
        if let Some(name) = self.elsewhere(contest, leaf.ordinal, &path) {
            let (dir, fd) = contest.open(self.shared)?;
            let made = rename_noreplace(&*self.shared.parked()?, number.to_string().as_bytes(), &fd, &name);
            return made.map_err(|e| self.in_the_way(&dir, &name, leaf.ordinal, &path, e));
        }
        let verdict = self.ledger.judge(&contest.owners, leaf.ordinal, &path, kind)?;
        if verdict.yields {
            self.ledger.lose(leaf.ordinal, path);
            return Ok(());
        }
        let (dir, fd) = contest.open(self.shared)?;
        let parked = self.shared.parked()?;
        let parked_name = number.to_string();
        let existing = matches!(contest.occupant, Occupant::Existing(_));
        let shared = verdict.shares && contest.occupant != Occupant::Nothing;
        if shared {
            let same = self.same_content((&fd, &contest.name), (&parked, parked_name.as_bytes()));
            if !same.map_err(|e| self.shared.io("compare", &dir, &contest.name, e))? {
                return Err(self.differs(contest, leaf.ordinal, &path));
            }
        }
        let kept = existing
            && leaf.conffile
            && contest.owners.is_empty()
            && self.shared.settings.conffiles == Conffiles::Keep;
        if !shared && !kept {
            self.clear_directory(contest, leaf.ordinal, &path, kind)?;
            let parked_name = parked_name.as_bytes();
            let made = match contest.occupant {
                Occupant::Nothing => rename_noreplace(&parked, parked_name, &fd, &contest.name),
                _ => rustix::fs::renameat(&parked, parked_name, &fd, &*contest.name),
            };
            made.map_err(|e| self.in_the_way(&dir, &contest.name, leaf.ordinal, &path, e))?;
            self.ledger.take(&mut contest.owners, &verdict, leaf.ordinal);
            contest.occupant = Occupant::Leaf(leaf.kind);
        }
        contest.owners.push(Owner {
            who: Who::Placed(leaf.ordinal),
            path,
            kind,
        });
        Ok(())
    }

    /// Whether what is at the name stays when a package has a symbolic link there, and there is no conflict either: a
    /// directory, or a link to the same directory.
    pub(super) fn stays(&self, contest: &Contest, ordinal: u32, link: &Link) -> Result<bool, Error> {
        if !contest.occupant.is_link() {
            return Ok(contest.occupant == Occupant::Directory);
        }
        let (dir, fd) = contest.open(self.shared)?;
        let text = self.read_link(&dir, &fd, &contest.name)?;
        let at = (ordinal, u32::MAX);
        let (there, wanted) = (self.follow(&dir, &text, at)?, self.follow(&dir, &link.text, at)?);
        let stays = matches!((there, wanted), (Some(there), Some(wanted)) if Arc::ptr_eq(&there, &wanted));
        // What was placed through the link is where it led.
        if contest.occupant == Occupant::Alias && !stays {
            let (package, path) = (self.ledger.words(ordinal), lossy(&link.listed));
            return Err(Error::Escape {
                package,
                path,
                escape: Escape::MergeLink,
            });
        }
        Ok(stays)
    }

    /// The package has a symbolic link at the name.
    pub(super) fn link_arrives(
        &mut self,
        contest: &mut Contest,
        ordinal: u32,
        link: &Link,
        stays: bool,
    ) -> Result<(), Error> {
        let kind = LeafKind::Symlink.words();
        let path = link.listed.clone();
        let owner = Owner {
            who: Who::Placed(ordinal),
            path: path.clone(),
            kind,
        };
        let (dir, fd) = contest.open(self.shared)?;
        if let Some(name) = self.elsewhere(contest, ordinal, &path) {
            return match self.make_link(&dir, link, &name)? {
                true => Ok(()),
                false => Err(self.in_the_way(&dir, &name, ordinal, &path, Errno::EXIST)),
            };
        }
        if !stays {
            let verdict = self.ledger.judge(&contest.owners, ordinal, &path, kind)?;
            if verdict.yields {
                self.ledger.lose(ordinal, path);
                return Ok(());
            }
            if verdict.shares && contest.occupant != Occupant::Nothing {
                let same =
                    contest.occupant.is_link() && self.read_link(&dir, &fd, &contest.name)? == link.text;
                if !same {
                    return Err(self.differs(contest, ordinal, &path));
                }
            } else {
                self.replace_by_link(contest, &dir, &fd, ordinal, link)?;
                self.ledger.take(&mut contest.owners, &verdict, ordinal);
            }
        }
        contest.owners.push(owner);
        Ok(())
    }

    fn replace_by_link(
        &self,
        contest: &mut Contest,
        dir: &Arc<Dir>,
        fd: &OwnedFd,
        ordinal: u32,
        link: &Link,
    ) -> Result<(), Error> {
        if contest.occupant != Occupant::Nothing {
            rustix::fs::unlinkat(fd, &*contest.name, AtFlags::empty())
                .map_err(|e| self.shared.io("remove", dir, &contest.name, e))?;
        }
        if !self.make_link(dir, link, &link.name)? {
            return Err(self.in_the_way(dir, &link.name, ordinal, &link.listed, Errno::EXIST));
        }
        contest.occupant = Occupant::Leaf(LeafKind::Symlink);
        Ok(())
    }

    /// Makes a link of that name; `false` when it is taken.
    pub(super) fn make_link(&self, dir: &Arc<Dir>, link: &Link, name: &[u8]) -> Result<bool, Error> {
        let fail = |action, e: Errno| self.shared.io(action, dir, name, e);
        let fd = self.shared.fds.get(dir)?;
        match rustix::fs::symlinkat(link.text.as_slice(), &fd, name) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(false),
            Err(error) => return Err(fail("create", error)),
        }
        if self.shared.settings.ownership == Ownership::Apply {
            let (uid, gid) = link.owner.resolve(self.names);
            // A link that was just made is ours, which is root's in nearly every root.
            if !(self.shared.owners.kept().is_some() && (uid, gid) == (0, 0)) {
                self.shared
                    .owners
                    .set_at(&fd, name, uid, gid)
                    .map_err(|e| self.shared.io("set the owner of", dir, name, e))?;
            }
        }
        rustix::fs::utimensat(&fd, name, &mtime(link.mtime), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|e| fail("set the time of", e))?;
        Ok(true)
    }

    /// Puts the parked directory at its path, in place of what is there.
    fn put_back(&self, contest: &mut Contest, ordinal: u32, node: &Arc<Dir>) -> Result<(), Error> {
        let (dir, fd) = contest.open(self.shared)?;
        let Some(number) = contest.aside.take() else {
            // At its path; or merged into another directory in an earlier package's turn, where it stays.
            return match contest.occupant {
                Occupant::Nothing => Ok(()),
                _ => Err(self.in_the_way(&dir, &contest.name, ordinal, &contest.path, Errno::EXIST)),
            };
        };
        if contest.occupant != Occupant::Nothing {
            rustix::fs::unlinkat(&fd, &*contest.name, AtFlags::empty())
                .map_err(|e| self.shared.io("remove", &dir, &contest.name, e))?;
        }
        let parked = self.shared.parked()?;
        rename_noreplace(&parked, number.to_string().as_bytes(), &fd, &contest.name)
            .map_err(|e| self.in_the_way(&dir, &contest.name, ordinal, &contest.path, e))?;
        dir.state().slots.entry(contest.name.clone()).or_default().dir = Some(Arc::clone(node));
        node.reseat(&dir, &contest.name);
        Ok(())
    }

    /// A file can take the place of a directory only where no package has or needs that directory and it is empty. dpkg
    /// would let a package that replaces the directory's owners do it, and lose what is in the directory.
    fn clear_directory(
        &self,
        contest: &mut Contest,
        ordinal: u32,
        path: &[u8],
        kind: &'static str,
    ) -> Result<(), Error> {
        if !matches!(contest.occupant, Occupant::Directory | Occupant::Alias) {
            return Ok(());
        }
        let package = self.ledger.words(ordinal);
        if let Some((owner, _)) = contest.node.as_ref().and_then(|node| node.first_use()) {
            return Err(conflict(path, self.ledger.words(owner), DIRECTORY, package, kind));
        }
        let (_, fd) = contest.open(self.shared)?;
        let empty = contest.occupant == Occupant::Directory
            && rustix::fs::unlinkat(&fd, &*contest.name, AtFlags::REMOVEDIR).is_ok();
        match empty {
            true => Ok(()),
            false => Err(Error::Obstructed {
                package,
                path: lossy(path),
                found: contest.occupant.words(),
            }),
        }
    }

    /// The error for a name that cannot be made because the content of a directory that a link replaced has come there.
    pub(super) fn in_the_way(
        &self,
        dir: &Arc<Dir>,
        name: &[u8],
        ordinal: u32,
        path: &[u8],
        error: Errno,
    ) -> Error {
        let found = match (error, self.kind_of(dir, name)) {
            (Errno::ISDIR | Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR, Ok(Some(kind))) => kind.words(),
            _ => return self.shared.io("create", dir, name, error),
        };
        Error::Obstructed {
            package: self.ledger.words(ordinal),
            path: lossy(path),
            found,
        }
    }

    fn read_link(&self, dir: &Dir, fd: &OwnedFd, name: &[u8]) -> Result<Vec<u8>, Error> {
        let text = rustix::fs::readlinkat(fd, name, Vec::new());
        Ok(text
            .map_err(|e| self.shared.io("read", dir, name, e))?
            .into_bytes())
    }

    fn differs(&self, contest: &Contest, ordinal: u32, path: &[u8]) -> Error {
        let first = contest.owners.iter().rev().find(|owner| owner.path == path);
        Error::SharedDiffers {
            path: lossy(path),
            first: first.map_or_else(String::new, |owner| self.owner_words(owner)),
            second: self.ledger.words(ordinal),
        }
    }

    fn owner_words(&self, owner: &Owner) -> String {
        match &owner.who {
            Who::Installed(subject) => subject.to_string(),
            Who::Placed(ordinal) => self.ledger.words(*ordinal),
        }
    }

    /// Whether two names are the same kind of thing with the same content; links are compared by text elsewhere.
    fn same_content(&self, a: (&OwnedFd, &[u8]), b: (&OwnedFd, &[u8])) -> rustix::io::Result<bool> {
        let look = |(dir, name): (&OwnedFd, &[u8])| {
            rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Stat::of(&stat))
        };
        let (first, second) = (look(a)?, look(b)?);
        if first.kind != second.kind {
            return Ok(false);
        }
        match first.kind {
            FileKind::File if first.size == second.size => equal_files(&open(a)?, &open(b)?),
            FileKind::Char | FileKind::Block => Ok(first.rdev == second.rdev),
            FileKind::Fifo => Ok(true),
            _ => Ok(false),
        }
    }
}

fn open((dir, name): (&OwnedFd, &[u8])) -> rustix::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(dir, name, flags, Mode::empty())?))
}

fn equal_files(a: &File, b: &File) -> rustix::io::Result<bool> {
    let errno = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
    let (mut left, mut right) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut at = 0;
    loop {
        let got = a.read_at(&mut left, at).map_err(errno)?;
        let (ours, theirs) = (
            left.get(..got).unwrap_or_default(),
            right.get_mut(..got).unwrap_or_default(),
        );
        if got == 0 {
            return Ok(true);
        }
        match b.read_exact_at(theirs, at) {
            Ok(()) if ours == &*theirs => at += got as u64,
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(errno(error)),
        }
    }
}
