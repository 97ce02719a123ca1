//! One package, entry by entry.

use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bareroot_model::{Entry, Kind};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::Shared;
use super::content::Content;
use super::filter::excluded;
use super::owner::Owner;
use super::path::{CleanPath, judge_link_text};
use super::placed::{PathKind, PathRecord, Summary};
use super::settings::{Devices, Md5, Order, Ownership, Subject};
use super::spot::{Last, Spot};
use super::tree::{Dir, DirClaim, LeafKind, Moment, Name, State, lock};
use super::walk::Need;
use crate::error::{Error, Escape, lossy};
use crate::payload::Payload;
use crate::root::{Node, Stat, mtime};

/// What one package has placed, and what is left to do for it.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) ordinal: u32,
    pub(super) subject: Subject,
    pub(super) paths: Vec<PathRecord>,
    pub(super) md5: HashMap<Vec<u8>, [u8; 16]>,
    pub(super) bytes: u64,
    pub(super) links: Vec<Link>,
    pub(super) named: Vec<Named>,
}

impl Package {
    pub(super) fn summary(&self) -> Summary {
        Summary {
            bytes: self.bytes,
            entries: self.paths.len() as u64,
        }
    }
}

/// A symbolic link that is still to be made.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) dir: Arc<Dir>,
    pub(super) name: Box<[u8]>,
    pub(super) text: Vec<u8>,
    pub(super) owner: Owner,
    pub(super) mtime: i64,
    /// The path as the package lists it.
    pub(super) listed: Vec<u8>,
}

/// A file whose owner has a name that the root may know by another number.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) dir: Arc<Dir>,
    pub(super) name: Box<[u8]>,
    pub(super) owner: Owner,
    pub(super) mode: u32,
}

/// Owner, mode and time of an entry, after the administrator's overrides.
#[derive(Debug)]
struct Meta {
    owner: Owner,
    mode: u32,
    mtime: i64,
}

pub(super) struct Worker<'s, 'o> {
    pub(super) shared: &'s Shared,
    pub(super) order: &'o Order,
    pub(super) package: Package,
    pub(super) last: Option<Last>,
    /// Every directory that a path of the package goes through.
    pub(super) crossed: HashSet<Vec<u8>>,
    buffer: Vec<u8>,
}

impl<'s, 'o> Worker<'s, 'o> {
    pub(super) fn new(shared: &'s Shared, order: &'o Order, ordinal: u32) -> Self {
        let package = Package {
            ordinal,
            subject: order.subject.clone(),
            paths: Vec::new(),
            md5: HashMap::new(),
            bytes: 0,
            links: Vec::new(),
            named: Vec::new(),
        };
        let buffer = lock(&shared.buffers).pop().unwrap_or_default();
        Worker {
            shared,
            order,
            package,
            last: None,
            crossed: HashSet::new(),
            buffer,
        }
    }

    pub(super) fn run(mut self, mut payload: impl Payload) -> Result<Package, Error> {
        let broken = |source| Error::Payload {
            package: self.order.subject.name.clone(),
            source,
        };
        while let Some(entry) = payload.next_entry().map_err(broken)? {
            self.shared.settings.cancel.check()?;
            self.entry(&entry, &mut payload)?;
        }
        if let Some(link) = self
            .package
            .links
            .iter()
            .find(|link| self.crossed.contains(&link.listed))
        {
            return Err(self.escape(&link.listed, Escape::ThroughOwnLink));
        }
        lock(&self.shared.buffers).push(self.buffer);
        // It is kept until all packages are placed.
        self.package.paths.shrink_to_fit();
        self.package.links.shrink_to_fit();
        Ok(self.package)
    }

    fn entry(&mut self, entry: &Entry, payload: &mut impl Payload) -> Result<(), Error> {
        let path = CleanPath::parse(&entry.path).map_err(|why| self.escape(&entry.path, why))?;
        let directory = entry.kind == Kind::Directory;
        let kind = match entry.kind {
            Kind::File => PathKind::File,
            Kind::Directory => PathKind::Directory,
            Kind::Symlink(_) => PathKind::Symlink,
            Kind::Hardlink(_) => PathKind::Hardlink,
            Kind::Char(..) | Kind::Block(..) => PathKind::Device,
            Kind::Fifo => PathKind::Fifo,
        };
        let listed = path.listed();
        let settings = &self.shared.settings;
        let meta = match settings.overrides.get(&listed) {
            Some(by) => Meta {
                owner: Owner::overridden(by),
                mode: by.mode & 0o7777,
                mtime: entry.mtime,
            },
            None => Meta {
                owner: Owner::of(entry),
                mode: entry.mode & 0o7777,
                mtime: entry.mtime,
            },
        };
        if path.split().is_none() {
            if !directory {
                return Err(self.escape(&entry.path, Escape::Root));
            }
            self.package.paths.push(PathRecord {
                path: listed,
                kind,
                filtered: false,
            });
            claim(
                &mut self.shared.tree.state(),
                (self.package.ordinal, 0),
                meta,
                None,
            );
            return Ok(());
        }
        if kind == PathKind::Device && settings.devices == Devices::Refuse {
            return Err(self.escape(&entry.path, Escape::Device));
        }
        let may_stay = matches!(entry.kind, Kind::Directory | Kind::Symlink(_));
        let filtered = excluded(&settings.filters, path.as_bytes(), may_stay);
        self.package.paths.push(PathRecord {
            path: listed,
            kind,
            filtered,
        });
        if filtered {
            if !directory {
                lock(&self.shared.filtered)
                    .entry(path.as_bytes().to_vec())
                    .or_default()
                    .push(self.package.ordinal);
            }
            return Ok(());
        }
        let diverted = self.diverted(&path)?;
        let goes_to = diverted.as_ref().unwrap_or(&path);
        let place = u32::try_from(self.package.paths.len()).unwrap_or(u32::MAX);
        let need = Need {
            at: (self.package.ordinal, place),
            mtime: entry.mtime,
        };
        match &entry.kind {
            Kind::Directory => self.directory(goes_to, meta, need),
            Kind::File => self.file(&path, goes_to, meta, entry.size, need, payload),
            Kind::Symlink(text) => self.symlink(&path, goes_to, text, meta, need),
            Kind::Hardlink(target) => self.hardlink(&path, goes_to, target, need),
            Kind::Char(major, minor) => self.node(
                &path,
                goes_to,
                LeafKind::Device,
                Node::Char(*major, *minor),
                meta,
                need,
            ),
            Kind::Block(major, minor) => self.node(
                &path,
                goes_to,
                LeafKind::Device,
                Node::Block(*major, *minor),
                meta,
                need,
            ),
            Kind::Fifo => self.node(&path, goes_to, LeafKind::Fifo, Node::Fifo, meta, need),
        }
    }

    /// Where a diversion sends a path.
    fn diverted(&self, path: &CleanPath) -> Result<Option<CleanPath>, Error> {
        let diversions = &self.shared.settings.diversions;
        if let Some(diversion) = diversions.leading_to(path.as_bytes()) {
            return Err(Error::OverDiverted {
                package: self.order.subject.name.clone(),
                path: lossy(path.as_bytes()),
                from: lossy(&diversion.from),
                by: diversion
                    .package
                    .clone()
                    .unwrap_or_else(|| "the administrator".to_owned()),
            });
        }
        let target = diversions.target(path.as_bytes(), &self.order.subject.name);
        target
            .map(|to| CleanPath::parse_rooted(to).map_err(|why| self.escape(to, why)))
            .transpose()
    }

    fn directory(&mut self, path: &CleanPath, meta: Meta, need: Need) -> Result<(), Error> {
        let spot = self.spot(path, path, need)?;
        let dir = self.shared.child(&spot.dir, &spot.name)?;
        let spelling = (dir.path() != spot.listed).then(|| spot.listed.into());
        claim(&mut dir.state(), need.at, meta, spelling);
        Ok(())
    }

    fn symlink(
        &mut self,
        path: &CleanPath,
        goes_to: &CleanPath,
        text: &[u8],
        meta: Meta,
        need: Need,
    ) -> Result<(), Error> {
        judge_link_text(text).map_err(|why| self.escape(path.as_bytes(), why))?;
        let spot = self.spot(path, goes_to, need)?;
        let listed = path.as_bytes().to_vec();
        // The one that is shipped last counts.
        self.package
            .links
            .retain(|link| !(Arc::ptr_eq(&link.dir, &spot.dir) && link.name == spot.name));
        self.forget_name(&spot);
        let leaf = self.leaf(path, LeafKind::Symlink, &spot);
        let mut state = spot.dir.state();
        let slot = state.slots.entry(spot.name.clone()).or_default();
        if let Some(own) = slot.leaves.iter().position(|own| own.ordinal == leaf.ordinal) {
            let own = slot.leaves.swap_remove(own);
            self.unlink(&spot, own.at)?;
        }
        if self.is_wanted(slot, &spot) {
            self.shared.contest(&spot.dir, &spot.name, slot);
        }
        slot.leaves.push(leaf);
        drop(state);
        let Spot { dir, name, .. } = spot;
        self.package.links.push(Link {
            dir,
            name,
            text: text.to_vec(),
            owner: meta.owner,
            mtime: meta.mtime,
            listed,
        });
        Ok(())
    }

    fn file(
        &mut self,
        path: &CleanPath,
        goes_to: &CleanPath,
        meta: Meta,
        size: u64,
        need: Need,
        payload: &mut impl Payload,
    ) -> Result<(), Error> {
        let spot = self.spot(path, goes_to, need)?;
        let mode = Mode::from_raw_mode(meta.mode & 0o777);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let leaf = self.leaf(path, LeafKind::File, &spot);
        let Some(fd) = self.put(&spot, leaf, |dir, name| {
            Ok(rustix::fs::openat(dir, name, flags, mode)?)
        })?
        else {
            return Ok(());
        };
        let conffile = self.order.conffiles.contains(path.as_bytes());
        let hash = self.order.md5 == Md5::All || conffile;
        let shared = self.shared;
        let content = Content {
            shared,
            package: &self.order.subject.name,
            path,
            goes_to,
        };
        let md5 = content.write(fd.as_fd(), size, hash, &mut self.buffer, payload)?;
        if let Some(md5) = md5 {
            self.package.md5.insert(path.as_bytes().to_vec(), md5);
        }
        self.package.bytes = self.package.bytes.saturating_add(size);
        self.dress(&fd, &spot, &meta)?;
        self.remember_name(spot, meta);
        Ok(())
    }

    /// Owner, mode and time of an open file. Asking what it has costs less than setting what it has already, and sees the
    /// umask, a set-group-id parent and default ACLs alike.
    fn dress(&self, fd: &OwnedFd, spot: &Spot, meta: &Meta) -> Result<(), Error> {
        let fail = |action, e: Errno| self.shared.io(action, &spot.dir, &spot.name, e);
        let is = Stat::of(&rustix::fs::fstat(fd).map_err(|e| fail("look at", e))?);
        let mut mode = is.mode;
        if self.shared.settings.ownership == Ownership::Apply
            && (is.uid, is.gid) != (meta.owner.uid, meta.owner.gid)
        {
            self.shared
                .owners
                .set(fd, meta.owner.uid, meta.owner.gid)
                .map_err(|e| self.shared.io("set the owner of", &spot.dir, &spot.name, e))?;
            // chown(2) takes setuid and setgid away, and may leave the rest.
            mode &= 0o1777;
        }
        if mode != meta.mode {
            rustix::fs::fchmod(fd, Mode::from_raw_mode(meta.mode)).map_err(|e| fail("set the mode of", e))?;
        }
        rustix::fs::futimens(fd, &mtime(meta.mtime)).map_err(|e| fail("set the time of", e))
    }

    fn node(
        &mut self,
        path: &CleanPath,
        goes_to: &CleanPath,
        kind: LeafKind,
        node: Node,
        meta: Meta,
        need: Need,
    ) -> Result<(), Error> {
        let spot = self.spot(path, goes_to, need)?;
        let leaf = self.leaf(path, kind, &spot);
        let own = self.shared.settings.ownership == Ownership::Apply;
        let owners = &self.shared.owners;
        let made = self.put(&spot, leaf, |dir, name| {
            owners.node(dir.as_fd(), name, node, meta.mode)?;
            if own {
                owners.set_at(dir, name, meta.owner.uid, meta.owner.gid)?;
                crate::sys::chmod_nofollow(dir.as_fd(), name, meta.mode)?;
            }
            Ok(rustix::fs::utimensat(
                dir,
                name,
                &mtime(meta.mtime),
                AtFlags::SYMLINK_NOFOLLOW,
            )?)
        })?;
        if made.is_some() {
            self.remember_name(spot, meta);
        }
        Ok(())
    }

    fn hardlink(
        &mut self,
        path: &CleanPath,
        goes_to: &CleanPath,
        target: &[u8],
        need: Need,
    ) -> Result<(), Error> {
        let order = self.order;
        let wrong = |reason| Error::Hardlink {
            package: order.subject.name.clone(),
            path: lossy(path.as_bytes()),
            target: lossy(target),
            reason,
        };
        let clean = CleanPath::parse(target).map_err(|_| wrong("is no path inside the root"))?;
        let goes = self.diverted(&clean)?;
        let source = self.target_of_link(goes.as_ref().unwrap_or(&clean), need)?;
        let spot = self.spot(path, goes_to, need)?;
        let mut tries = 0;
        loop {
            let Some(own) = source.as_ref().and_then(|(dir, name)| self.own(dir, name)) else {
                let filtered = self
                    .package
                    .paths
                    .iter()
                    .any(|r| r.filtered && r.path == clean.as_bytes());
                return Err(wrong(if filtered {
                    "a filter keeps out"
                } else {
                    "is no file before it in the package"
                }));
            };
            if own.kind == LeafKind::Symlink {
                return Err(wrong("is a symbolic link"));
            }
            let Some((dir, name)) = &source else {
                return Err(wrong("is no file before it in the package"));
            };
            let (fd, name) = self.whereabouts(dir, name, own.at)?;
            let leaf = self.leaf(path, own.kind, &spot);
            let made = self.put(&spot, leaf, |to, new| {
                Ok(rustix::fs::linkat(&fd, &*name, to, new, AtFlags::empty())?)
            });
            match made {
                // Another thread moved the target aside between the look and the link.
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) && tries < 16 => tries += 1,
                result => {
                    result?;
                    break;
                }
            }
        }
        if let Some(md5) = self.package.md5.get(clean.as_bytes()).copied()
            && (self.order.md5 == Md5::All || self.order.conffiles.contains(path.as_bytes()))
        {
            self.package.md5.insert(path.as_bytes().to_vec(), md5);
        }
        Ok(())
    }

    /// Directory and name of a hard link's target; `None` for the root.
    fn target_of_link(&self, target: &CleanPath, need: Need) -> Result<Option<Name>, Error> {
        let Some((parent, name)) = target.split() else {
            return Ok(None);
        };
        Ok(Some((self.shared.directory(parent, need)?, name.into())))
    }

    /// Remembers a file whose owner the root may know by another number.
    fn remember_name(&mut self, spot: Spot, meta: Meta) {
        self.forget_name(&spot);
        if meta.owner.is_named() && self.shared.settings.ownership == Ownership::Apply {
            let Spot { dir, name, .. } = spot;
            self.package.named.push(Named {
                dir,
                name,
                owner: meta.owner,
                mode: meta.mode,
            });
        }
    }

    fn forget_name(&mut self, spot: &Spot) {
        self.package
            .named
            .retain(|named| !(Arc::ptr_eq(&named.dir, &spot.dir) && named.name == spot.name));
    }

    pub(super) fn escape(&self, path: &[u8], escape: Escape) -> Error {
        Error::Escape {
            package: self.order.subject.name.clone(),
            path: lossy(path),
            escape,
        }
    }
}

/// dpkg leaves a directory alone that is there: of several entries in one package the first counts.
fn claim(state: &mut State, at: Moment, meta: Meta, spelling: Option<Box<[u8]>>) {
    if !state.claims.iter().any(|own| own.at.0 == at.0) {
        let Meta { owner, mode, mtime } = meta;
        state.claims.push(DirClaim {
            at,
            owner,
            mode,
            mtime,
            spelling,
        });
    }
}
