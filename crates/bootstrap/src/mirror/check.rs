//! Every byte of a mirror against its signed files, without a network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bareroot_fetch::Fetcher;
use bareroot_model::{Event, Phase};
use bareroot_trust::{Expected, Trusted};

use super::client::Partial;
use super::closure::{self, Indexes, Wanted};
use super::dir::{Dir, Fault};
use super::record::Record;
use super::{MirrorReport, deb, packages, paths, unit};
use crate::context::Context;
use crate::error::Error;
use crate::request::{CacheChoice, Request};
use crate::tools;

/// Checks a mirror: the signatures of its Release files and repomd.xml, every index by them, and every package of every
/// closure by the indexes; with RPM also the packages' own signatures. Each file that is wrong is told in a warning.
///
/// # Errors
/// [`Error::MirrorBroken`] when any is.
pub fn check_mirror(how: &Request, path: &Path, context: &Context) -> Result<MirrorReport, Error> {
    tools::raise_file_limit();
    let dir = Dir::open(path, context.cancel())?;
    let (mut map, record) = dir.records()?;
    if record.closures.is_empty() {
        return Err(Error::NoMirrorHere {
            path: path.to_owned(),
        });
    }
    // Nothing but the mirror is read: neither the network nor a cache that may know better.
    let how = Request {
        offline: true,
        cache: CacheChoice::None,
        ..how.clone()
    };
    let fetcher = tools::fetcher(&how, context)?;
    let mut wanted = Vec::new();
    context.phase(Phase::Plan, || -> Result<(), Error> {
        for closure in &record.closures {
            let mut request = closure.asked.request(&how)?;
            request.partial = Partial::unasked(&request.mirrors);
            let plans = closure::plans(&request, context)?;
            wanted.push(Wanted::new(closure.asked.clone(), plans, &mut map));
        }
        Ok(())
    })?;
    let checking = Checking {
        dir: &dir,
        record: &record,
        fetcher: &fetcher,
        context,
    };
    let mut faults = BTreeMap::new();
    let mut broken = BTreeSet::new();
    context.phase(Phase::Index, || -> Result<(), Error> {
        for (directory, indexes) in closure::merged(&wanted) {
            let found = checking.indexes(&directory, &indexes)?;
            if !found.is_empty() {
                broken.insert(directory);
            }
            faults.extend(found);
        }
        Ok(())
    })?;
    let mut needs = packages::Needs::default();
    for wanted in &wanted {
        // What indexes say is worth nothing where one of them is broken.
        if wanted
            .directories()
            .iter()
            .any(|directory| broken.contains(directory))
        {
            continue;
        }
        match packages::closure(wanted, &dir, ".", &BTreeMap::new(), &fetcher, context) {
            Ok(closure) => needs.add(closure),
            Err(error @ Error::Cancelled(_)) => return Err(error),
            Err(error) => {
                faults.insert(
                    wanted.asked.title(),
                    Fault::Wrong(format!("cannot be made: {error}")),
                );
            }
        }
    }
    let wrong = context.phase(Phase::Fetch, || needs.judge(&dir, tools::threads(&how), context))?;
    faults.extend(wrong.into_iter().map(|(need, fault)| (need.path.clone(), fault)));
    let words: Vec<String> = faults
        .iter()
        .map(|(path, fault)| match fault {
            Fault::Missing => format!("{path} is missing"),
            Fault::Wrong(reason) => format!("{path}: {reason}"),
        })
        .collect();
    words.iter().for_each(|words| context.warn(words.clone()));
    if let Some(first) = words.first() {
        return Err(Error::MirrorBroken {
            path: path.to_owned(),
            count: words.len(),
            first: first.clone(),
        });
    }
    let report = MirrorReport {
        packages: needs.len(),
        bytes: needs.bytes(),
        ..MirrorReport::default()
    };
    context.tell(Event::Done {
        packages: report.packages,
        bytes: report.bytes,
        seconds: context.seconds(),
    });
    Ok(report)
}

struct Checking<'a> {
    dir: &'a Dir,
    record: &'a Record,
    fetcher: &'a Fetcher,
    context: &'a Context,
}

/// What a file of a directory of indexes must be.
type Promise = Box<dyn Fn(&str) -> Option<Trusted<Expected>>>;

type Faults = BTreeMap<String, Fault>;

impl Checking<'_> {
    /// The files of a directory of indexes.
    fn indexes(&self, directory: &str, indexes: &Indexes) -> Result<Faults, Error> {
        let Some(files) = self.record.indexes.get(directory) else {
            return Ok([(directory.to_owned(), Fault::Missing)].into());
        };
        let mut faults = Faults::new();
        for file in files {
            let path = paths::below(directory, file);
            if let Some(seals) = self.record.seals.get(&path) {
                let fault = match self.dir.root().read_if_exists(&path) {
                    Ok(Some(bytes)) if seals.contains(&unit::seal(&bytes)) => None,
                    Ok(Some(_)) => Some(Fault::Wrong("is not what was mirrored".to_owned())),
                    Ok(None) => Some(Fault::Missing),
                    Err(error) => Some(Fault::Wrong(error.to_string())),
                };
                faults.extend(fault.map(|fault| (path, fault)));
            }
        }
        // What is signed; a file that is not what was mirrored has been named.
        let (name, promised) = match indexes {
            Indexes::Suite(suite) => {
                let mut source = suite.at(self.dir, ".");
                source.valid_until = crate::deb::plan::Check::Waived;
                let signed = ["InRelease", "Release"]
                    .into_iter()
                    .find(|file| files.contains(*file));
                let release = crate::deb::index::release(&source, self.fetcher, self.context);
                let promised = release.map(|release| {
                    let promise = move |file: &str| deb::promised(&release, file);
                    Box::new(promise) as Promise
                });
                (signed.unwrap_or("InRelease"), promised)
            }
            Indexes::Repository(repository) => {
                let repomd = repository.repomd(self.dir, ".", self.fetcher, self.context);
                let promised = repomd.map(|metadata| {
                    let promise = move |file: &str| {
                        let path = format!("repodata/{file}");
                        let data = metadata
                            .files()
                            .find(|data| paths::plain(&data.location) == path)?;
                        metadata.expected(data).ok()
                    };
                    Box::new(promise) as Promise
                });
                ("repomd.xml", promised)
            }
        };
        let promised = match promised {
            Ok(promised) => promised,
            Err(error @ Error::Cancelled(_)) => return Err(error),
            Err(error) => {
                faults
                    .entry(paths::below(directory, name))
                    .or_insert(Fault::Wrong(error.to_string()));
                return Ok(faults);
            }
        };
        for file in files {
            let path = paths::below(directory, file);
            if self.record.seals.contains_key(&path) {
                continue;
            }
            let fault = match promised(file) {
                Some(expected) => self.dir.judge(&path, &expected)?.err(),
                // One that a run which was stopped had meant to put here, or to replace.
                None if self.dir.root().lstat(&path)?.is_none() => None,
                None => Some(Fault::Wrong(format!("is not in {name}"))),
            };
            faults.extend(fault.map(|fault| (path, fault)));
        }
        Ok(faults)
    }
}
