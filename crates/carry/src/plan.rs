//! From a wish to a list of what goes in.

use std::path::{Path, PathBuf};

use bareroot_unpack::Root;

use crate::cache;
use crate::collect::{Collector, Pending, Why};
use crate::elf::Machine;
use crate::error::Error;
use crate::item::{Item, Made, What};
use crate::path;
use crate::rule::Rule;
use crate::source::Source;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The root that everything is taken from.
    pub from: PathBuf,
    /// Programs: paths in the source, or names in the usual PATH there.
    pub programs: Vec<String>,
    /// Further files and directories of the source.
    pub files: Vec<PathBuf>,
    /// Whether what programs load and read by name goes in too.
    pub data: bool,
    /// Terminals whose descriptions go in, beside the usual ones.
    pub terminals: Vec<String>,
    /// Where it will go: left out where it is in the source.
    pub target: PathBuf,
}

/// What goes in, and why.
pub struct Plan {
    pub(crate) source: Source,
    items: Vec<Item>,
    warnings: Vec<String>,
}

/// Directories that are made where the source lacks them: name and mode.
const DIRECTORIES: [(&str, u32); 8] = [
    ("/dev", 0o755),
    ("/etc", 0o755),
    ("/proc", 0o555),
    ("/root", 0o700),
    ("/run", 0o755),
    ("/sys", 0o555),
    ("/tmp", 0o1777),
    ("/var/tmp", 0o1777),
];

/// Links into /usr, where the source has them.
const MERGED: [&str; 6] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

impl Plan {
    /// Finds out what goes in. Nothing is written, and nothing of the source is run.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn make(request: &Request) -> Result<Plan, Error> {
        let source = Source::new(Root::open(&request.from)?.with_own_ledger()?);
        let mut collector = Collector::new(&source, request.data);
        collector.terminals.clone_from(&request.terminals);
        collector.skip = within(&request.from, &request.target);
        for program in &request.programs {
            let why = Why {
                rule: Rule::Program,
                by: program.as_str().into(),
            };
            collector
                .pending
                .push_back(Pending::Program(program.clone(), why));
            collector.run()?;
        }
        for file in &request.files {
            collector.take_file(file)?;
            collector.run()?;
        }
        directories(&mut collector)?;
        if request.data {
            collector.accounts()?;
        }
        loader_cache(&mut collector)?;
        let (items, warnings) = (collector.items, collector.warnings);
        Ok(Plan {
            items: items.into_values().collect(),
            warnings,
            source,
        })
    }

    /// Everything that goes in, directories before what is in them.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What was left out, in sentences.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Bytes of all files; one with several names counts once.
    pub fn bytes(&self) -> u64 {
        let mut seen = std::collections::HashSet::new();
        let first = |item: &&Item| match &item.what {
            What::File(stat) => seen.insert((stat.dev, stat.ino)),
            _ => true,
        };
        self.items.iter().filter(first).map(Item::size).sum()
    }
}

/// Where a directory of the host is in the source, when it is in there.
fn within(from: &Path, target: &Path) -> Option<PathBuf> {
    let from = from.canonicalize().ok()?;
    let absolute = std::path::absolute(target).ok()?;
    let target = absolute.canonicalize().unwrap_or_else(|_| {
        let parent = absolute.parent().and_then(|parent| parent.canonicalize().ok());
        match (parent, absolute.file_name()) {
            (Some(parent), Some(name)) => parent.join(name),
            _ => absolute.clone(),
        }
    });
    let inside = target.strip_prefix(&from).ok()?;
    (!inside.as_os_str().is_empty()).then(|| Path::new("/").join(inside))
}

/// What every program may expect of a root.
fn directories(collector: &mut Collector<'_>) -> Result<(), Error> {
    let why = Why {
        rule: Rule::Directories,
        by: "any program".into(),
    };
    for (directory, mode) in DIRECTORIES {
        let added = collector.add(directory, &why)?;
        if added.is_none() {
            collector.make(Item {
                path: PathBuf::from(directory),
                what: What::Directory,
                mode,
                uid: 0,
                gid: 0,
                mtime: None,
                rule: Rule::Directories,
                by: why.by.clone(),
            })?;
        }
    }
    // A merged /usr: programs name /bin/sh, and the loader may name /lib.
    for link in MERGED {
        if collector.source.root.read_link(link)?.is_some() {
            collector.add(link, &why)?;
        }
    }
    // Links to places that are filled as a system runs.
    for link in ["/var/run", "/var/lock"] {
        if collector.source.root.read_link(link)?.is_some() {
            collector.put_link(Path::new(link), &why)?;
        }
    }
    Ok(())
}

/// A cache of the libraries that the loader would not find by itself.
fn loader_cache(collector: &mut Collector<'_>) -> Result<(), Error> {
    let mut entries = Vec::new();
    let mut big_endian = false;
    for (name, library, machine) in collector.outside() {
        match flags(machine) {
            Some(flags) => entries.push(cache::Entry {
                name,
                path: path::bytes(&library).to_vec(),
                flags,
            }),
            None => collector.warn(format!(
                "`{}` is only found after ldconfig has run in the root",
                library.display()
            )),
        }
        big_endian = machine.big_endian;
    }
    if entries.is_empty() {
        return Ok(());
    }
    collector.make(Item {
        path: PathBuf::from("/etc/ld.so.cache"),
        what: What::Made(Made::Whole(cache::write(&entries, big_endian))),
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: None,
        rule: Rule::LoaderCache,
        by: String::from_utf8_lossy(
            &entries
                .first()
                .map(|entry| entry.path.clone())
                .unwrap_or_default(),
        )
        .into_owned()
        .into(),
    })
}

/// FLAG_ELF_LIBC6 with the machine's own (glibc's sysdeps/generic/ldconfig.h).
fn flags(machine: Machine) -> Option<i32> {
    let required = match (machine.number, machine.bits, machine.big_endian) {
        (3, 32, _) => 0x0000,
        (62, 64, _) => 0x0300,
        (62, 32, _) => 0x0800,
        (22, 64, _) => 0x0400,
        (21, 64, _) => 0x0500,
        (40, 32, _) => 0x0900,
        (183, 64, _) => 0x0a00,
        (243, 64, _) => 0x1000,
        (258, 64, _) => 0x1200,
        _ => return None,
    };
    Some(required | 3)
}
