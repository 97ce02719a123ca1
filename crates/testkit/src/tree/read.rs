use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use bareroot_model::Digest;
use rustix::fs::{lgetxattr, llistxattr};
use rustix::io::Errno;
use sha2::Digest as _;

use super::{Entry, Tree, TreeOptions, Type};

impl Tree {
    /// Lists what is below a directory, across mount points, following no link.
    ///
    /// # Errors
    ///
    /// The first path that cannot be read, by name.
    pub fn read(root: &Path, options: &TreeOptions) -> io::Result<Tree> {
        let mut tree = Tree::default();
        let mut inodes: HashMap<(u64, u64), PathBuf> = HashMap::new();
        let mut waiting = vec![PathBuf::new()];
        while let Some(path) = waiting.pop() {
            let full = root.join(&path);
            let wrong =
                |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", full.display()));
            let status = fs::symlink_metadata(&full).map_err(wrong)?;
            let entry = entry(&full, &status, options).map_err(wrong)?;
            if entry.kind == Type::Directory {
                for child in fs::read_dir(&full).map_err(wrong)? {
                    waiting.push(path.join(child.map_err(wrong)?.file_name()));
                }
            } else if status.nlink() > 1 {
                // The walk's order is not the tree's, so the group's name is settled below.
                let first = inodes
                    .entry((status.dev(), status.ino()))
                    .or_insert_with(|| path.clone());
                if path < *first {
                    first.clone_from(&path);
                }
            }
            tree.entries.insert(path, entry);
        }
        tree.group(root, &inodes)?;
        Ok(tree)
    }

    /// Names each group of hard links by its first path; a lone link to a file elsewhere is no group.
    fn group(&mut self, root: &Path, inodes: &HashMap<(u64, u64), PathBuf>) -> io::Result<()> {
        let mut groups: BTreeMap<&PathBuf, Vec<PathBuf>> = BTreeMap::new();
        for (path, entry) in self
            .entries
            .iter()
            .filter(|(_, entry)| entry.kind != Type::Directory)
        {
            let status = fs::symlink_metadata(root.join(path))?;
            if let Some(first) = inodes
                .get(&(status.dev(), status.ino()))
                .filter(|_| entry.kind != Type::Directory)
            {
                groups.entry(first).or_default().push(path.clone());
            }
        }
        for (first, paths) in groups.into_iter().filter(|(_, paths)| paths.len() > 1) {
            for path in paths {
                if let Some(entry) = self.entries.get_mut(&path) {
                    entry.hardlink = Some(first.clone());
                }
            }
        }
        Ok(())
    }
}

fn entry(full: &Path, status: &fs::Metadata, options: &TreeOptions) -> io::Result<Entry> {
    let kind = match status.file_type() {
        t if t.is_file() => Type::File,
        t if t.is_dir() => Type::Directory,
        t if t.is_symlink() => Type::Symlink,
        t if t.is_char_device() => Type::Char,
        t if t.is_block_device() => Type::Block,
        t if t.is_fifo() => Type::Fifo,
        _ => Type::Socket,
    };
    let is_device = matches!(kind, Type::Char | Type::Block);
    let device = (rustix::fs::major(status.rdev()), rustix::fs::minor(status.rdev()));
    Ok(Entry {
        kind,
        mode: status.mode() & 0o7777,
        uid: status.uid(),
        gid: status.gid(),
        size: if kind == Type::File { status.size() } else { 0 },
        link: (kind == Type::Symlink).then(|| fs::read_link(full)).transpose()?,
        hardlink: None,
        device: is_device.then_some(device),
        xattrs: if options.xattrs {
            xattrs(full)?
        } else {
            BTreeMap::new()
        },
        mtime: options.mtime.then(|| (status.mtime(), status.mtime_nsec())),
        content: (options.content && kind == Type::File)
            .then(|| digest(full))
            .transpose()?,
    })
}

fn digest(full: &Path) -> io::Result<Digest> {
    let mut hasher = sha2::Sha256::new();
    io::copy(&mut fs::File::open(full)?, &mut HashWriter(&mut hasher))?;
    Ok(Digest::new(hasher.finalize().into()))
}

/// `io::copy`'s way into a digest.
struct HashWriter<'h>(&'h mut sha2::Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The kernel's own bound on a list of names and on a value.
const XATTR_MAX: usize = 65_536;

/// Enough for the names of nearly every file.
const XATTR_FEW: usize = 1024;

fn xattrs(full: &Path) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut names = vec![0; XATTR_FEW];
    let mut found = llistxattr(full, &mut names);
    if found == Err(Errno::RANGE) {
        names.resize(XATTR_MAX, 0);
        found = llistxattr(full, &mut names);
    }
    let length = match found {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let mut all = BTreeMap::new();
    for name in names
        .get(..length)
        .unwrap_or_default()
        .split(|&b| b == 0)
        .filter(|name| !name.is_empty())
    {
        let mut value = vec![0; XATTR_MAX];
        let length = lgetxattr(full, name, &mut value)?;
        value.truncate(length);
        all.insert(name.to_vec(), value);
    }
    Ok(all)
}
