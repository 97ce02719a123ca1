//! Chapter seven: the package database is written.

use std::collections::{BTreeMap, HashSet};

use bareroot_deb::archive::Deb;
use bareroot_deb::record::{self, Database, Listed, Owner, Record};
use bareroot_unpack::{FileKind, PathKind, Root, Taken};

use crate::deb::plan::Plan;
use crate::deb::solve::Pick;
use crate::deb::unpack::{InRoot, Unpacked};
use crate::error::Error;

const STATUS: &str = "var/lib/dpkg/status";
const TRIGGERS: &str = "var/lib/dpkg/triggers";
const EXTENDED_STATES: &str = "var/lib/apt/extended_states";

/// Records packages as `install ok unpacked`, beside what the root had already. What comes back are their control archives,
/// in the order of `unpacked`: what was placed is of no use any more, and much.
///
/// # Errors
/// When a package says something that dpkg would refuse.
pub fn record(root: &Root, mut database: Database, unpacked: Unpacked) -> Result<Vec<Deb>, Error> {
    for (directory, mode) in record::DIRECTORIES {
        root.create_dir_all(directory, mode)?;
    }
    hand_over(root, &mut database, &unpacked.taken)?;
    let mut debs = Vec::with_capacity(unpacked.packages.len());
    for package in unpacked.packages {
        for record in add(&mut database, &package)? {
            write(root, &record)?;
        }
        debs.push(package.deb);
    }
    for record in database.records() {
        write(root, &record)?;
    }
    Ok(debs)
}

fn write(root: &Root, record: &Record) -> Result<(), Error> {
    root.write(&record.path, record.mode, &record.bytes)?;
    if let Some(mtime) = record.mtime {
        root.set_mtime(&record.path, mtime)?;
    }
    Ok(())
}

/// Adds one package; what comes back is its own.
fn add(database: &mut Database, package: &InRoot) -> Result<Vec<Record>, Error> {
    let lost = lost_conffiles(package)?;
    let mut paths: Vec<Listed<'_>> = (package.placed.paths.iter())
        .map(|path| Listed {
            path: match path.path.as_slice() {
                b"/." => b"/",
                path => path,
            },
            symlink: path.kind == PathKind::Symlink,
            owner: Owner::This,
            md5: package.placed.md5.get(&path.path).copied(),
        })
        .collect();
    paths.extend(lost.iter().map(|path| Listed {
        path,
        symlink: false,
        owner: Owner::OtherConffile,
        md5: None,
    }));
    Ok(database.add(&record::Unpacked {
        control: &package.deb.control,
        info: &package.deb.info,
        paths: &paths,
    })?)
}

/// Conffiles of a package that another package's file took the place of.
fn lost_conffiles(package: &InRoot) -> Result<Vec<Vec<u8>>, Error> {
    let conffiles = package.deb.conffiles()?;
    if conffiles.is_empty() {
        return Ok(Vec::new());
    }
    let owned: HashSet<&[u8]> = package
        .placed
        .paths
        .iter()
        .map(|path| path.path.as_slice())
        .collect();
    let lost = conffiles
        .into_iter()
        .filter(|file| !file.remove_on_upgrade && !owned.contains(file.path.as_slice()));
    Ok(lost.map(|file| file.path).collect())
}

/// Takes from installed packages what packages of this pass replaced.
fn hand_over(root: &Root, database: &mut Database, taken: &[Taken]) -> Result<(), Error> {
    let mut by_package: BTreeMap<String, HashSet<&[u8]>> = BTreeMap::new();
    for taken in taken {
        let name = match taken.from.multi_arch_same {
            true => format!("{}:{}", taken.from.name, taken.from.architecture),
            false => taken.from.name.clone(),
        };
        by_package.entry(name).or_default().insert(&taken.path);
    }
    for (package, paths) in by_package {
        let list = root
            .read_if_exists(format!("var/lib/dpkg/info/{package}.list"))?
            .unwrap_or_default();
        let owner = |path: &[u8]| {
            if paths.contains(path) {
                Owner::OtherConffile
            } else {
                Owner::This
            }
        };
        write(root, &database.hand_over(&package, &list, &owner)?)?;
    }
    Ok(())
}

/// The database that the root has; a new one at first.
///
/// # Errors
/// When the root's own database cannot be read.
pub fn existing(root: &Root) -> Result<Database, Error> {
    let Some(status) = root.read_if_exists(STATUS)?.filter(|status| !status.is_empty()) else {
        return Ok(Database::new());
    };
    let mut triggers = BTreeMap::new();
    for entry in root.read_dir(TRIGGERS)? {
        let name = String::from_utf8_lossy(&entry.name).into_owned();
        if entry.kind == FileKind::File && name != "Lock" {
            triggers.insert(name.clone(), root.read(format!("{TRIGGERS}/{name}"))?);
        }
    }
    Ok(Database::read(&status, &triggers)?)
}

/// apt's marks of what was installed automatically, as mmdebstrap leaves them.
///
/// # Errors
/// When the root's own file cannot be read.
pub fn mark_automatic(root: &Root, plan: &Plan, picks: &[&Pick]) -> Result<(), Error> {
    // The first stage is dpkg's alone in mmdebstrap, and dpkg marks nothing.
    let automatic: Vec<(&str, &str)> = (picks.iter().filter(|pick| pick.automatic && pick.stage > 0))
        .map(|pick| (pick.package.name.as_str(), pick.package.architecture.as_str()))
        .collect();
    let existing = root.read_if_exists(EXTENDED_STATES)?.unwrap_or_default();
    if automatic.is_empty() && existing.is_empty() {
        return Ok(());
    }
    let states = record::extended_states(&existing, automatic, &plan.arch)?;
    root.create_dir_all("var/lib/apt", 0o755)?;
    Ok(root.write(&states.path, states.mode, &states.bytes)?)
}
