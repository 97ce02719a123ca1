use std::collections::{BTreeMap, BTreeSet};

use super::triggers::{Triggers, directives};
use super::{Owner, Record, RecordError, Unpacked, conffiles, info, status};
use crate::archive::stanza::{self, Stanza};

/// dpkg's database of a root, while packages are added to it.
///
/// Packages are added in the solution's order; the order decides about the lines in `triggers/File` alone, for
/// `status` is sorted by name as dpkg sorts it.
///
/// A second stage starts from what the root has: [`Database::read`].
#[derive(Clone, Debug, Default)]
pub struct Database {
    /// Stanzas by name, then architecture; the architecture is empty for what cannot be installed twice.
    stanzas: BTreeMap<(String, String), Vec<u8>>,
    /// Packages, as `triggers/` names them, whose triggers can be activated.
    configured: BTreeSet<String>,
    triggers: Triggers,
}

impl Database {
    /// The database of a root without packages.
    pub fn new() -> Self {
        Self::default()
    }

    /// The database that a root has: its `status`, and the files in its `triggers` by their names.
    ///
    /// # Errors
    ///
    /// [`RecordError::Database`] when one cannot be read.
    pub fn read(status: &[u8], triggers: &BTreeMap<String, Vec<u8>>) -> Result<Self, RecordError> {
        let mut database = Database {
            triggers: Triggers::read(triggers)?,
            ..Database::default()
        };
        let wrong = |reason| RecordError::database("status", reason);
        let mut rest = status;
        while let Some(stanza) = stanza::next(&mut rest).map_err(wrong)? {
            let package =
                text(&stanza, "Package").ok_or_else(|| wrong("a stanza has no `Package`".into()))?;
            let state = text(&stanza, "Status").and_then(|status| status.split_ascii_whitespace().nth(2));
            let same = text(&stanza, "Multi-Arch") == Some("same");
            let arch = if same {
                text(&stanza, "Architecture").unwrap_or_default()
            } else {
                ""
            };
            if matches!(state, Some("installed" | "triggers-pending" | "triggers-awaited")) {
                let name = if same {
                    format!("{package}:{arch}")
                } else {
                    package.to_owned()
                };
                database.configured.insert(name);
            }
            if state != Some("not-installed") {
                database
                    .stanzas
                    .insert((package.into(), arch.into()), stanza.text.to_vec());
            }
        }
        Ok(database)
    }

    /// Adds a package whose payload is in the root, in the state `install ok unpacked`. What comes back is its own, in
    /// `info/`: to be written at once, for that of thousands of packages takes much memory.
    ///
    /// # Errors
    ///
    /// [`RecordError::Package`] when the package says something that dpkg would refuse; [`RecordError::Installed`] when
    /// the root has it already.
    pub fn add(&mut self, unpacked: &Unpacked<'_>) -> Result<Vec<Record>, RecordError> {
        let control = unpacked.control;
        let name = control.record_name();
        let same = control.is_multi_arch_same();
        let key = (
            control.package().to_owned(),
            if same {
                control.architecture().to_owned()
            } else {
                String::new()
            },
        );
        if self.stanzas.contains_key(&key) {
            return Err(RecordError::Installed { package: name });
        }
        let stanza = status::stanza(control, &conffiles::field(unpacked)?)?;
        let records = info::files(unpacked)?;
        if let Some(file) = unpacked.info.iter().find(|file| file.name == "triggers") {
            let wrong = |reason| RecordError::package(&name, format!("`triggers` cannot be read: {reason}"));
            self.triggers.add(&name, &directives(&file.bytes).map_err(wrong)?);
        }
        let configured = &self.configured;
        let paths = unpacked.paths.iter().map(|listed| listed.path);
        self.triggers
            .activate(&name, paths, &|package| configured.contains(package));
        self.stanzas.insert(key, stanza);
        Ok(records)
    }

    /// Takes paths away from a package of an earlier stage, because one of this stage replaces them.
    ///
    /// `package` is named as in `info/` (`libc6:amd64`), `list` is its list there, `owner` says what is still its own. What
    /// comes back is its new list.
    ///
    /// # Errors
    ///
    /// [`RecordError::Database`] when the root does not have the package.
    pub fn hand_over(
        &mut self,
        package: &str,
        list: &[u8],
        owner: &dyn Fn(&[u8]) -> Owner,
    ) -> Result<Record, RecordError> {
        let (name, arch) = package.split_once(':').unwrap_or((package, ""));
        let missing = || RecordError::database("status", format!("it does not have `{package}`"));
        let stanza = self
            .stanzas
            .get_mut(&(name.to_owned(), arch.to_owned()))
            .ok_or_else(missing)?;
        *stanza = conffiles::obsolete(stanza, &|path| owner(path) == Owner::OtherConffile);
        let kept = list.split_inclusive(|&b| b == b'\n');
        let kept = kept.filter(|line| owner(line.strip_suffix(b"\n").unwrap_or(line)) == Owner::This);
        let path = format!("var/lib/dpkg/info/{package}.list");
        Ok(Record::new(path, kept.flatten().copied().collect()))
    }

    /// The names of the packages that the root had configured before this stage, as `triggers/` names them.
    pub fn configured(&self) -> impl Iterator<Item = &str> {
        self.configured.iter().map(String::as_str)
    }

    /// What all packages have in common, to be written below the root, when [`DIRECTORIES`](super::DIRECTORIES) are there.
    ///
    /// `diversions` is not among it: the first `dpkg-divert` makes it, and a root where none runs has none.
    pub fn records(self) -> Vec<Record> {
        // "Multi-Arch: same" names in info/; dpkg converts a database without this file, by guessing.
        let mut records = vec![Record::new("var/lib/dpkg/info/format", b"1\n".to_vec())];
        records.extend(self.triggers.records());
        let status = self
            .stanzas
            .into_values()
            .flat_map(|stanza| stanza.into_iter().chain([b'\n']))
            .collect();
        records.push(Record::new("var/lib/dpkg/status", status));
        records
    }
}

fn text<'a>(stanza: &Stanza<'a>, name: &str) -> Option<&'a str> {
    stanza.get(name).and_then(|value| std::str::from_utf8(value).ok())
}
