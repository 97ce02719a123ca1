//! Where paths really are: links of the packages, and those that are in the root already, followed (rpm's lib/fprint.c).

use std::collections::{BTreeSet, HashMap};
use std::os::unix::ffi::OsStrExt as _;

use bareroot_rpm::{File, FileFlags};
use bareroot_unpack::{FileKind, Root, Walk};

use super::inside;
use crate::error::Error;

/// How many links one path may go through, as the kernel has it.
const MOST: usize = 40;

/// The links of all packages.
#[derive(Default)]
pub struct Links {
    links: HashMap<Vec<u8>, Link>,
    /// What was found in the root.
    on_disk: HashMap<Vec<u8>, Option<Vec<u8>>>,
    /// Links that directories of packages go through and that packages bring.
    used: BTreeSet<Vec<u8>>,
    /// Links that are there before their packages: made here, or by a scriptlet.
    early: BTreeSet<Vec<u8>>,
    /// Directories as they really are, by the packages' names for them.
    known: HashMap<(Vec<u8>, Follow), Vec<u8>>,
}

/// A link by its texts.
#[derive(Default)]
struct Link {
    /// The first package's.
    owned: Vec<u8>,
    /// That of the first package that makes it, with its time; one that is only owned is made by a scriptlet.
    made: Option<(Vec<u8>, u32)>,
}

/// Which links of packages are followed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Follow {
    /// All, as rpm does to see what packages share.
    Owned,
    /// Those that packages bring: where things will be.
    Made,
}

impl Links {
    /// Adds a link that a package makes, or only owns.
    pub fn add(&mut self, path: Vec<u8>, file: &File<'_>) {
        let text = file.link;
        if text.is_empty() {
            return;
        }
        let link = self.links.entry(path).or_default();
        if link.owned.is_empty() {
            link.owned = text.to_vec();
        }
        if !file.flags.has(FileFlags::GHOST) {
            link.made.get_or_insert_with(|| (text.to_vec(), file.mtime));
        }
    }

    /// A directory as it really is, without a slash at its end; the root is empty.
    pub fn real(&mut self, directory: &[u8], follow: Follow, root: &Root) -> Result<Vec<u8>, Error> {
        let key = (directory.to_vec(), follow);
        if let Some(known) = self.known.get(&key) {
            return Ok(known.clone());
        }
        let real = self.walk(directory, root, follow)?;
        self.known.insert(key, real.clone());
        Ok(real)
    }

    /// Goes along a path.
    fn walk(&mut self, path: &[u8], root: &Root, follow: Follow) -> Result<Vec<u8>, Error> {
        let mut done: Vec<u8> = Vec::new();
        let mut rest: Vec<Vec<u8>> = parts(path);
        let mut followed = 0;
        while let Some(part) = rest.pop() {
            match part.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    done.truncate(done.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let before = done.len();
            done.push(b'/');
            done.extend_from_slice(&part);
            if let Some(text) = self.text(&done, root, follow)?
                && followed < MOST
            {
                followed += 1;
                done.truncate(if text.starts_with(b"/") { 0 } else { before });
                rest.extend(parts(&text));
            }
        }
        Ok(done)
    }

    /// The text of the link at a path, none of whose parents is one.
    fn text(&mut self, path: &[u8], root: &Root, follow: Follow) -> Result<Option<Vec<u8>>, Error> {
        if let Some(link) = self.links.get(path) {
            if link.made.is_some() && follow == Follow::Made {
                self.used.insert(path.to_vec());
            }
            let text = match follow {
                Follow::Owned => Some(&link.owned),
                Follow::Made => link.made.as_ref().map(|(text, _)| text),
            };
            if let Some(text) = text {
                return Ok(Some(text.clone()));
            }
        }
        if let Some(known) = self.on_disk.get(path) {
            return Ok(known.clone());
        }
        let text = root.read_link(inside(path))?;
        self.on_disk.insert(path.to_vec(), text.clone());
        Ok(text)
    }

    fn made(&self, path: &[u8]) -> Option<(Vec<u8>, u32)> {
        self.links.get(path)?.made.clone()
    }

    /// Gives the links that were there early their packages' times, when everything is there.
    pub fn settle_times(&self, root: &Root) -> Result<(), Error> {
        for path in &self.early {
            let is_link = root.read_link(inside(path))?.is_some();
            if let Some((_, time)) = self.made(path).filter(|_| is_link) {
                root.set_mtime(inside(path), i64::from(time))?;
            }
        }
        Ok(())
    }

    /// Makes the links that directories go through, and the directories that they lead to. The package that ships such a
    /// link finds it there and leaves it. No path that is made goes through a link, so that order is of no matter.
    pub fn make(&mut self, root: &Root) -> Result<(), Error> {
        for (path, _) in self.links.iter().filter(|(_, link)| link.made.is_some()) {
            if self.used.contains(path) || root.read_link(inside(path))?.is_some() {
                self.early.insert(path.clone());
            }
        }
        for path in self.used.clone() {
            let Some((text, _)) = self.made(&path) else {
                continue;
            };
            let parent = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            let parent = path.get(..parent).unwrap_or_default();
            root.create_dir_all(inside(parent), 0o755)?;
            if root.lstat(inside(&path))?.is_none() {
                root.symlink(text_of(&text), inside(&path))?;
            }
            let target = match text.starts_with(b"/") {
                true => text,
                false => [parent, b"/", &text].concat(),
            };
            let target = self.walk(&target, root, Follow::Made)?;
            root.create_dir_all(inside(&target), 0o755)?;
        }
        self.find_standing(root)
    }

    /// Finds links of packages that are there before the packages are, made by a %pretrans: they too get their times when
    /// everything is there, as rpm gives them.
    fn find_standing(&mut self, root: &Root) -> Result<(), Error> {
        let (links, used) = (&self.links, &mut self.used);
        root.walk(|entry| {
            let path = entry.path().as_os_str().as_bytes();
            if entry.stat().kind == FileKind::Symlink
                && let Some((text, _)) = links.get(path).and_then(|link| link.made.as_ref())
                && entry.read_link()? == *text
            {
                used.insert(path.to_vec());
            }
            Ok(Walk::On)
        })?;
        Ok(())
    }
}

/// The parts of a path, the first one last.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.rsplit(|byte| *byte == b'/').map(<[u8]>::to_vec).collect()
}

fn text_of(text: &[u8]) -> &std::path::Path {
    use std::os::unix::ffi::OsStrExt as _;
    std::path::Path::new(std::ffi::OsStr::from_bytes(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(text: &str, flags: u32) -> File<'_> {
        File {
            link: text.as_bytes(),
            flags: FileFlags(flags),
            mtime: 1_000_000,
            ..File::default()
        }
    }

    fn links(list: &[(&str, &str)]) -> Links {
        let mut links = Links::default();
        for (path, text) in list {
            links.add(path.as_bytes().to_vec(), &link(text, 0));
        }
        links
    }

    #[test]
    fn directories_are_where_links_lead() {
        let temp = tempfile::tempdir().unwrap();
        let root = Root::open(temp.path()).unwrap();
        std::os::unix::fs::symlink("usr/lib64", temp.path().join("lib64")).unwrap();
        let mut links = links(&[
            ("/bin", "usr/bin"),
            ("/usr/sbin", "bin"),
            ("/sbin", "/usr/sbin"),
            ("/out", "../../../etc"),
            ("/loop", "loop"),
            ("/opt/a", "../srv/b"),
            ("/srv/b", "./c//"),
        ]);
        for (directory, real) in [
            ("/bin/", "/usr/bin"),
            ("/sbin/x/", "/usr/bin/x"),
            ("/usr/sbin/../lib/", "/usr/lib"),
            ("/lib64/", "/usr/lib64"),
            ("/out/x/", "/etc/x"),
            ("/opt/a/d/", "/srv/c/d"),
            ("/", ""),
            ("relative/", "/relative"),
        ] {
            let found = links.real(directory.as_bytes(), Follow::Owned, &root).unwrap();
            assert_eq!(String::from_utf8_lossy(&found), real, "{directory}");
        }
        assert!(links.real(b"/loop/x/", Follow::Made, &root).is_ok());
    }

    #[test]
    fn links_are_made_inside_the_root_with_what_they_lead_to() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("root");
        std::fs::create_dir(&path).unwrap();
        let root = Root::open(&path).unwrap();
        let mut links = links(&[
            ("/bin", "usr/bin"),
            ("/usr/sbin", "bin"),
            ("/sbin", "usr/sbin"),
            ("/out", "../../../outside"),
            ("/unused", "usr"),
        ]);
        links.add(b"/ghost".to_vec(), &link("usr", FileFlags::GHOST));
        for directory in ["/sbin/", "/bin/", "/out/x/", "/ghost/x/"] {
            links.real(directory.as_bytes(), Follow::Made, &root).unwrap();
        }
        std::os::unix::fs::symlink("usr", path.join("unused")).unwrap();
        let mut ghost = |follow| links.real(b"/ghost/x/", follow, &root).unwrap();
        assert_eq!(
            [Follow::Owned, Follow::Made].map(&mut ghost),
            [b"/usr/x".to_vec(), b"/ghost/x".to_vec()]
        );
        links.make(&root).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["bin", "out", "outside", "sbin", "unused", "usr"]);
        assert_eq!(
            std::fs::read_link(path.join("usr/sbin")).unwrap().to_str(),
            Some("bin")
        );
        assert!(path.join("sbin/.").is_dir() && path.join("bin/.").is_dir());
        assert!(!temp.path().join("outside").exists());
        links.settle_times(&root).unwrap();
        for name in ["bin", "unused"] {
            let made = std::fs::symlink_metadata(path.join(name)).unwrap();
            assert_eq!(std::os::unix::fs::MetadataExt::mtime(&made), 1_000_000, "{name}");
        }
        // What is there stays.
        links.make(&root).unwrap();
    }

    #[test]
    fn links_that_a_scriptlet_made_get_their_package_s_times() {
        let temp = tempfile::tempdir().unwrap();
        let root = Root::open(temp.path()).unwrap();
        for (path, text) in [("bin", "usr/bin"), ("sbin", "elsewhere"), ("nobody", "usr")] {
            std::os::unix::fs::symlink(text, temp.path().join(path)).unwrap();
        }
        let mut links = links(&[("/bin", "usr/bin"), ("/sbin", "usr/sbin")]);
        links.make(&root).unwrap();
        links.settle_times(&root).unwrap();
        let time = |path: &str| {
            let stat = std::fs::symlink_metadata(temp.path().join(path)).unwrap();
            std::os::unix::fs::MetadataExt::mtime(&stat)
        };
        assert_eq!(time("bin"), 1_000_000);
        assert!(time("sbin") > 1_000_000 && time("nobody") > 1_000_000);
    }
}
