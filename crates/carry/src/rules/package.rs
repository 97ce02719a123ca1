//! The data of a program's own package, where the source has the database of dpkg (dpkg(1), /var/lib/dpkg) or of rpm.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::collect::{Collector, Why};
use crate::error::Error;
use crate::path;
use crate::rule::Rule;

const INFO: &str = "/var/lib/dpkg/info";
const STATUS: &str = "/var/lib/dpkg/status";

/// What a database knows of a package.
#[derive(Debug, Default)]
pub(super) struct Package {
    /// The source that it was built from.
    pub(super) source: String,
    /// Names in its `Depends` and `Pre-Depends`, or that it requires.
    pub(super) depends: Vec<String>,
}

/// The database of packages, as far as a rule needs it.
#[derive(Debug, Default)]
pub(crate) struct Database {
    packages: HashMap<String, Package>,
    /// Each package's list of files, by the package's name, or that with a colon and an architecture.
    lists: HashMap<String, Vec<u8>>,
}

impl Collector<'_> {
    /// Takes the data of the package that a program is of, and of those that it depends on and that were built from the same
    /// source.
    pub(super) fn package(&mut self, program: &Path, why: &Why) -> Result<(), Error> {
        if self.database.is_none() {
            self.database = Some(self.read_database()?);
        }
        let Some(database) = self.database.take() else {
            return Ok(());
        };
        let result = self.package_in(&database, program, why);
        self.database = Some(database);
        result
    }

    fn package_in(&mut self, database: &Database, program: &Path, why: &Why) -> Result<(), Error> {
        let Some(owner) = database.owner(program) else {
            return Ok(());
        };
        for package in database.same_source(owner) {
            if !self.first(Rule::Package, &package) {
                continue;
            }
            for (list, text) in &database.lists {
                if list.split(':').next() == Some(package.as_str()) {
                    self.files(text, why)?;
                }
            }
        }
        Ok(())
    }

    fn files(&mut self, list: &[u8], why: &Why) -> Result<(), Error> {
        for line in list.split(|byte| *byte == b'\n').filter(|line| line.len() > 4) {
            let listed = path::path(line);
            // Before everything was below /usr, packages had /lib.
            let usual = match listed.strip_prefix("/lib") {
                Ok(rest) => Path::new("/usr/lib").join(rest),
                Err(_) => listed.clone(),
            };
            let is_state = ["/var/lib", "/var/log", "/var/cache", "/var/spool"]
                .iter()
                .any(|top| usual.starts_with(top) && usual != Path::new(top));
            if !is_state && !super::named::is_own(&usual) {
                continue;
            }
            match self.source.find(&listed)? {
                Some(found) if found.is_dir() => {
                    self.add(&listed, why)?;
                }
                Some(_) if !is_state => {
                    self.tree(&listed, why)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_database(&self) -> Result<Database, Error> {
        let mut database = Database::default();
        let Some(status) = self.source.text(Path::new(STATUS))? else {
            return self.read_rpm();
        };
        database.packages = packages(&String::from_utf8_lossy(&status));
        for name in self.source.names(Path::new(INFO))? {
            let Some(list) = std::str::from_utf8(&name)
                .ok()
                .and_then(|name| name.strip_suffix(".list"))
            else {
                continue;
            };
            if let Some(text) = self.source.text(&Path::new(INFO).join(path::path(&name)))? {
                database.lists.insert(list.to_owned(), text);
            }
        }
        Ok(database)
    }
}

impl Database {
    /// Adds a package, with its list of files under a name: paths, each with the end of a line before and after it.
    pub(super) fn add(&mut self, name: &str, package: Package, list: String, files: Vec<u8>) {
        self.packages.insert(name.to_owned(), package);
        self.lists.insert(list, files);
    }

    /// The package that has a file.
    fn owner(&self, file: &Path) -> Option<&str> {
        let mut names: Vec<PathBuf> = vec![file.to_path_buf()];
        // The same file where /bin is a link to /usr/bin, and the package does not know it.
        match file.strip_prefix("/usr") {
            Ok(rest) => names.push(Path::new("/").join(rest)),
            Err(_) => names.push(Path::new("/usr").join(crate::source::relative(file))),
        }
        let lines: Vec<Vec<u8>> = names
            .iter()
            .map(|name| [b"\n", path::bytes(name), b"\n"].concat())
            .collect();
        let mut owners: Vec<&str> = self
            .lists
            .iter()
            .filter(|(_, text)| {
                lines
                    .iter()
                    .any(|line| memchr::memmem::find(text, line).is_some())
            })
            .filter_map(|(list, _)| list.split(':').next())
            .collect();
        owners.sort_unstable();
        owners.first().copied()
    }

    /// A package, and those that it depends on and that have its source.
    fn same_source(&self, package: &str) -> Vec<String> {
        let source = self.packages.get(package).map(|package| package.source.as_str());
        let mut seen: HashSet<&str> = HashSet::from([package]);
        let mut left = VecDeque::from([package]);
        let mut all = Vec::new();
        while let Some(name) = left.pop_front() {
            all.push(name.to_owned());
            for depends in self
                .packages
                .get(name)
                .into_iter()
                .flat_map(|package| &package.depends)
            {
                let theirs = self.packages.get(depends).map(|package| package.source.as_str());
                if source.is_some() && theirs == source && seen.insert(depends) {
                    left.push_back(depends);
                }
            }
        }
        all
    }
}

fn packages(status: &str) -> HashMap<String, Package> {
    let mut packages = HashMap::new();
    for stanza in status.split("\n\n") {
        let mut name = None;
        let mut package = Package::default();
        for line in stanza.lines() {
            match line.split_once(": ") {
                Some(("Package", value)) => name = Some(value.trim().to_owned()),
                Some(("Source", value)) => {
                    package.source = value.split_whitespace().next().unwrap_or_default().to_owned();
                }
                Some(("Depends" | "Pre-Depends", value)) => package.depends.extend(
                    value
                        .split([',', '|'])
                        .filter_map(|one| one.split_whitespace().next())
                        .filter_map(|one| one.split(':').next())
                        .map(str::to_owned),
                ),
                _ => {}
            }
        }
        if let Some(name) = name {
            if package.source.is_empty() {
                package.source.clone_from(&name);
            }
            packages.insert(name, package);
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_one_source() {
        let status = "Package: nginx-light\nSource: nginx (1.2)\nDepends: nginx-common (= 1.2), libc6 (>= 2) | x:any\n\n\
            Package: nginx-common\nSource: nginx\nDepends: lsb-base\n\nPackage: libc6\nDepends: nginx-light\n";
        let mut database = Database {
            packages: packages(status),
            ..Database::default()
        };
        assert_eq!(
            database.same_source("nginx-light"),
            ["nginx-light", "nginx-common"]
        );
        assert_eq!(database.same_source("libc6"), ["libc6"]);
        assert_eq!(database.same_source("unknown"), ["unknown"]);
        database
            .lists
            .insert("libc6:amd64".to_owned(), b"/.\n/bin/x\n/usr/bin/y\n".to_vec());
        assert_eq!(database.owner(Path::new("/usr/bin/x")), Some("libc6"));
        assert_eq!(database.owner(Path::new("/bin/y")), Some("libc6"));
        assert_eq!(database.owner(Path::new("/bin/z")), None);
    }
}
