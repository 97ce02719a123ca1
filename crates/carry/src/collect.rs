//! What goes in, collected.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use bareroot_unpack::FileKind;

use crate::elf::Machine;
use crate::error::Error;
use crate::item::{Item, What};
use crate::link::Context;
use crate::path;
use crate::rule::Rule;
use crate::source::{Found, Source, is_denied};

/// Why something goes in.
#[derive(Clone, Debug)]
pub(crate) struct Why {
    pub(crate) rule: Rule,
    /// A path, or a word of the command line.
    pub(crate) by: Rc<str>,
}

impl Why {
    pub(crate) fn new(rule: Rule, by: impl AsRef<Path>) -> Self {
        Why {
            rule,
            by: by.as_ref().display().to_string().into(),
        }
    }

    /// Whether what it brings cannot be left out.
    fn is_required(&self) -> bool {
        matches!(
            self.rule,
            Rule::Program | Rule::File | Rule::Script | Rule::Loader | Rule::Library
        )
    }
}

/// What waits to be looked at.
pub(crate) enum Pending {
    /// A program that must be there.
    Program(String, Why),
    /// One that may be missing, or be no program at all.
    Optional(String, Why),
    /// A file with an object in it, which is there already.
    Object(PathBuf, Why),
    /// A rule, who asked for it, and what it is about.
    Rule(Rule, PathBuf, PathBuf),
}

pub(crate) struct Collector<'s> {
    pub(crate) source: &'s Source,
    pub(crate) items: BTreeMap<PathBuf, Item>,
    pub(crate) warnings: Vec<String>,
    /// Whether rules about data apply.
    pub(crate) data: bool,
    /// Terminals whose descriptions go in, beside the usual ones.
    pub(crate) terminals: Vec<String>,
    /// What never goes in: the target, where it is in the source.
    pub(crate) skip: Option<PathBuf>,
    pub(crate) pending: VecDeque<Pending>,
    /// What has been done already, by rule and what it was about.
    done: HashSet<(Rule, PathBuf)>,
    /// The process in which libraries that are loaded later find themselves: the first program's of each machine.
    pub(crate) contexts: HashMap<Machine, Context>,
    /// dpkg's database in the source, where it was needed.
    pub(crate) database: Option<crate::rules::Database>,
    /// The program that is being looked at.
    pub(crate) program: PathBuf,
}

/// Places of the kernel, of the session, and of secrets.
const NEVER: [&str; 5] = ["/proc", "/sys", "/dev", "/run", "/var/run"];

impl<'s> Collector<'s> {
    pub(crate) fn new(source: &'s Source, data: bool) -> Self {
        Collector {
            source,
            items: BTreeMap::new(),
            warnings: Vec::new(),
            data,
            terminals: Vec::new(),
            skip: None,
            pending: VecDeque::new(),
            done: HashSet::new(),
            contexts: HashMap::new(),
            database: None,
            program: PathBuf::new(),
        }
    }

    /// Whether this is the first time.
    pub(crate) fn first(&mut self, rule: Rule, about: impl AsRef<Path>) -> bool {
        self.done.insert((rule, about.as_ref().to_path_buf()))
    }

    pub(crate) fn warn(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Looks at everything that waits.
    pub(crate) fn run(&mut self) -> Result<(), Error> {
        while let Some(pending) = self.pending.pop_front() {
            match pending {
                Pending::Program(word, why) => self.take_program(&word, &why)?,
                Pending::Optional(word, why) => self.take_optional(&word, &why)?,
                Pending::Object(file, why) => self.link_object(&file, &why)?,
                Pending::Rule(rule, by, about) => self.take_rule(rule, &by, &about)?,
            }
        }
        Ok(())
    }

    /// A program of a rule, where it is there.
    pub(crate) fn want_program(&mut self, word: &str, why: &Why) -> Result<bool, Error> {
        let there = self.source.find_program(word)?.is_some();
        if there {
            self.pending
                .push_back(Pending::Optional(word.to_owned(), why.clone()));
        }
        Ok(there)
    }

    /// Takes a path with the links on the way; a directory without what is in it. `None` where it is not there.
    pub(crate) fn add(&mut self, wanted: impl AsRef<Path>, why: &Why) -> Result<Option<Found>, Error> {
        let Some(found) = self.source.find(wanted.as_ref())? else {
            return Ok(None);
        };
        for link in &found.links {
            self.put_link(link, why)?;
        }
        Ok(self.put(&found, why)?.then_some(found))
    }

    /// Takes a file, and what the object in it needs.
    pub(crate) fn add_file(&mut self, wanted: impl AsRef<Path>, why: &Why) -> Result<bool, Error> {
        let found = self.add(wanted, why)?;
        if let Some(found) = found.as_ref().filter(|found| found.is_file()) {
            self.look_into(&found.path, why)?;
        }
        Ok(found.is_some())
    }

    /// Takes everything below a directory, and what links in it lead to.
    pub(crate) fn tree(&mut self, wanted: impl AsRef<Path>, why: &Why) -> Result<bool, Error> {
        self.tree_but(wanted, why, &|_| false)
    }

    /// The same without the paths that `leave_out` names.
    pub(crate) fn tree_but(
        &mut self,
        wanted: impl AsRef<Path>,
        why: &Why,
        leave_out: &dyn Fn(&Path) -> bool,
    ) -> Result<bool, Error> {
        let Some(top) = self.add(wanted, why)? else {
            return Ok(false);
        };
        if !top.is_dir() {
            self.look_into(&top.path, why)?;
            return Ok(true);
        }
        let mut left = vec![top.path];
        while let Some(directory) = left.pop() {
            if !self.first(Rule::Directories, &directory) {
                continue;
            }
            for name in self.source.names(&directory)? {
                let path = directory.join(path::path(&name));
                if leave_out(&path) {
                    continue;
                }
                let kind = self.source.root.lstat(&path)?.map(|stat| stat.kind);
                match kind {
                    Some(FileKind::Directory) => left.extend(self.add(&path, why)?.map(|_| path)),
                    Some(FileKind::File) => {
                        self.add_file(&path, why)?;
                    }
                    Some(FileKind::Symlink) => {
                        if let Some(target) = self.add_link(&path, why)?
                            && target.is_dir()
                            && leads_on(&target.path)
                        {
                            left.push(target.path);
                        }
                    }
                    // Devices, pipes and sockets are no data.
                    _ => {}
                }
            }
        }
        Ok(true)
    }

    /// Takes a link of a tree, and what it leads to, where that is there.
    fn add_link(&mut self, link: &Path, why: &Why) -> Result<Option<Found>, Error> {
        let found = match self.source.find(link) {
            // A link that leads in a circle is as good as one that leads nowhere.
            Err(Error::Loop { .. }) => None,
            result => result?,
        };
        let Some(found) = found else {
            self.put_link(link, why)?;
            return Ok(None);
        };
        for link in &found.links {
            self.put_link(link, why)?;
        }
        if found.is_file() && self.put(&found, why)? {
            self.look_into(&found.path, why)?;
        } else if found.is_dir() {
            self.put(&found, why)?;
        }
        Ok(Some(found))
    }

    /// Takes something that is made.
    pub(crate) fn make(&mut self, item: Item) -> Result<(), Error> {
        let why = Why {
            rule: Rule::Directories,
            by: Rc::clone(&item.by),
        };
        self.put_parents(&item.path, &why)?;
        self.items.insert(item.path.clone(), item);
        Ok(())
    }

    /// Takes what was found; whether it may go in.
    fn put(&mut self, found: &Found, why: &Why) -> Result<bool, Error> {
        if self.is_never(&found.path, why.rule) {
            return Ok(false);
        }
        if self.items.contains_key(&found.path) {
            return Ok(true);
        }
        let what = match found.stat.kind {
            FileKind::Directory => What::Directory,
            FileKind::File => What::File(found.stat),
            _ => return Ok(false),
        };
        if found.is_file() && found.stat.mode & 0o444 != 0o444 && !why.is_required() {
            match self.source.root.open_file(&found.path) {
                Err(error) if is_denied(&error) => {
                    self.warn(format!(
                        "`{}` is left out: this user may not read it",
                        found.path.display()
                    ));
                    return Ok(false);
                }
                result => drop(result?),
            }
        }
        self.put_parents(&found.path, why)?;
        let stat = &found.stat;
        let item = Item {
            path: found.path.clone(),
            what,
            mode: stat.mode,
            uid: stat.uid,
            gid: stat.gid,
            mtime: Some((stat.mtime, stat.mtime_nsec)),
            rule: why.rule,
            by: Rc::clone(&why.by),
        };
        self.items.insert(found.path.clone(), item);
        Ok(true)
    }

    pub(crate) fn put_link(&mut self, link: &Path, why: &Why) -> Result<(), Error> {
        if self.items.contains_key(link) || self.is_never(link, why.rule) {
            return Ok(());
        }
        let (Some(stat), Some(text)) = (self.source.root.lstat(link)?, self.source.root.read_link(link)?)
        else {
            return Ok(());
        };
        self.put_parents(link, why)?;
        let item = Item {
            path: link.to_path_buf(),
            what: What::Link(text),
            mode: 0o777,
            uid: stat.uid,
            gid: stat.gid,
            mtime: Some((stat.mtime, stat.mtime_nsec)),
            rule: if why.rule == Rule::Program {
                Rule::Links
            } else {
                why.rule
            },
            by: Rc::clone(&why.by),
        };
        self.items.insert(link.to_path_buf(), item);
        Ok(())
    }

    /// The directories above a path that no link is on the way of.
    fn put_parents(&mut self, path: &Path, why: &Why) -> Result<(), Error> {
        for directory in path.ancestors().skip(1) {
            if directory == Path::new("/") || self.items.contains_key(directory) {
                break;
            }
            // The source may lack what is above something that is made.
            let stat = self.source.root.lstat(directory)?;
            let item = Item {
                path: directory.to_path_buf(),
                what: What::Directory,
                mode: stat.map_or(0o755, |stat| stat.mode),
                uid: stat.map_or(0, |stat| stat.uid),
                gid: stat.map_or(0, |stat| stat.gid),
                mtime: stat.map(|stat| (stat.mtime, stat.mtime_nsec)),
                rule: why.rule,
                by: Rc::clone(&why.by),
            };
            self.items.insert(directory.to_path_buf(), item);
        }
        Ok(())
    }

    /// Whether a path stays out, whatever a rule says.
    fn is_never(&self, path: &Path, rule: Rule) -> bool {
        if self.skip.as_ref().is_some_and(|target| path.starts_with(target)) {
            return true;
        }
        let of_kernel = NEVER
            .iter()
            .any(|top| path.starts_with(top) && path != Path::new(top));
        match rule {
            Rule::File | Rule::Program | Rule::Script => of_kernel && !path.starts_with("/run"),
            Rule::Directories => false,
            // What a resolver writes lives in /run.
            Rule::Network => of_kernel && !path.starts_with("/run"),
            Rule::Named => of_kernel && !path.starts_with("/run") || is_secret(path),
            _ => of_kernel || is_secret(path),
        }
    }

    /// Whether there is an object in a file that went in; it is linked later.
    fn look_into(&mut self, file: &Path, why: &Why) -> Result<(), Error> {
        if self.first(Rule::Library, file) && self.source.head(file, 4)? == b"\x7fELF" {
            self.pending
                .push_back(Pending::Object(file.to_path_buf(), why.clone()));
        }
        Ok(())
    }
}

/// Whether a directory that a link leads to is read on: one that everybody uses would bring the whole system.
fn leads_on(directory: &Path) -> bool {
    let depth = directory.components().count();
    let shared = [
        "/usr/share/doc",
        "/usr/share/man",
        "/usr/share/info",
        "/var/log",
        "/var/cache",
    ];
    let least = if directory.starts_with("/etc") { 3 } else { 4 };
    depth >= least && !shared.iter().any(|top| directory.starts_with(top))
}

/// Keys and passwords: a copy of them would not be noticed as one.
fn is_secret(path: &Path) -> bool {
    let name = path::name(path);
    let is_host_key =
        path.starts_with("/etc/ssh") && name.starts_with("ssh_host_") && !name.ends_with(".pub");
    let files = [
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/machine-id",
        "/etc/security/opasswd",
    ];
    let directories = [
        "/etc/ssl/private",
        "/etc/pki/tls/private",
        "/root",
        "/home",
        "/etc/NetworkManager",
    ];
    is_host_key
        || files
            .iter()
            .any(|file| path::bytes(path).starts_with(file.as_bytes()))
        || directories.iter().any(|directory| path.starts_with(directory))
}
