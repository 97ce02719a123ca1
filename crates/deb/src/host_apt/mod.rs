//! What this host's apt is set up with: its sources, and the few settings that say how they are judged.
//!
//! Files are read as apt reads them (sources.list(5), apt.conf(5)); nothing is executed, and `APT_CONFIG`, `Dir`
//! settings and `#include` are not followed. What cannot be read is told and left out: the host's configuration is a
//! help, never a reason to stop.

mod config;
mod files;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Error;
use crate::sources::{self, Source};

pub use config::Config;

/// A host's configuration of apt.
#[derive(Debug, Default)]
pub struct HostApt {
    /// The enabled sources, in apt's order, each with the file that it is from.
    pub sources: Vec<(PathBuf, Source)>,
    /// The settings.
    pub config: Config,
    /// What could not be read.
    pub problems: Vec<Error>,
}

/// Reads the configuration below `root`, which is `/` but in tests. A host without apt has an empty one.
pub fn read(root: &Path) -> HostApt {
    let etc = root.join("etc/apt");
    let mut host = HostApt::default();

    let mut paths = vec![etc.join("sources.list")];
    paths.extend(host.note(files::parts(&etc.join("sources.list.d"), &["list", "sources"])));
    for path in paths {
        let Some(text) = host.note(files::read(&path)) else {
            continue;
        };
        let name = path.display().to_string();
        let parsed = if path.extension().is_some_and(|extension| extension == "sources") {
            sources::parse_deb822(&name, &text)
        } else {
            sources::parse_one_line(&name, &text)
        };
        let parsed = host.note(parsed);
        host.sources
            .extend(parsed.into_iter().map(|source| (path.clone(), source)));
    }

    let mut paths: Vec<PathBuf> = host.note(files::parts(&etc.join("apt.conf.d"), &["", "conf"]));
    paths.push(etc.join("apt.conf"));
    for path in paths {
        let Some(text) = host.note(files::read(&path)) else {
            continue;
        };
        let result = host
            .config
            .parse(&text)
            .map_err(|(line, reason)| Error::HostConfig { path, line, reason });
        host.note(result);
    }
    host
}

impl HostApt {
    fn note<T: Default>(&mut self, result: Result<T, Error>) -> T {
        result.unwrap_or_else(|problem| {
            self.problems.push(problem);
            T::default()
        })
    }

    /// `Acquire::Check-Valid-Until`, which `Acquire::Check-Date` turns off too: whether an expired suite is refused.
    pub fn check_valid_until(&self) -> bool {
        self.check_date() && self.config.bool("Acquire::Check-Valid-Until").unwrap_or(true)
    }

    /// `Acquire::Check-Date`: whether dates are judged at all.
    pub fn check_date(&self) -> bool {
        self.config.bool("Acquire::Check-Date").unwrap_or(true)
    }

    /// `Acquire::Max-FutureTime` for suites with this label.
    pub fn max_future(&self, label: &str) -> Option<Duration> {
        self.labelled("Acquire::Max-FutureTime", label)
    }

    /// `Acquire::Max-ValidTime` for suites with this label; 0 means for ever.
    pub fn max_age(&self, label: &str) -> Option<Duration> {
        self.labelled("Acquire::Max-ValidTime", label)
            .filter(|age| !age.is_zero())
    }

    /// `Acquire::Min-ValidTime` for suites with this label.
    pub fn min_age(&self, label: &str) -> Option<Duration> {
        self.labelled("Acquire::Min-ValidTime", label)
            .filter(|age| !age.is_zero())
    }

    fn labelled(&self, name: &str, label: &str) -> Option<Duration> {
        let own = if label.is_empty() {
            None
        } else {
            self.config.get(&format!("{name}::{label}"))
        };
        own.or_else(|| self.config.get(name))?
            .parse()
            .ok()
            .map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests;
