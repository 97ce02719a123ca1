//! Who replaces whom, who is in the root already, and what is diverted: what settles two packages' claims to a path.

use std::collections::HashMap;

use bareroot_deb::relation;
use bareroot_unpack::{Diversion, Diversions, Installed, Relations, Root, Subject};

use crate::deb::solve::Pick;
use crate::error::Error;

/// dpkg's list of diversions.
const DIVERSIONS: &str = "var/lib/dpkg/diversions";

/// The `Replaces` fields of the packages that are unpacked.
pub struct Replaces(HashMap<(String, String), String>);

impl Replaces {
    /// Of these packages.
    pub fn new(picks: &[&Pick]) -> Self {
        let field = |pick: &&Pick| {
            let package = &pick.package;
            (
                (package.name.clone(), package.architecture.clone()),
                pick.replaces.clone(),
            )
        };
        Replaces(
            picks
                .iter()
                .filter(|pick| !pick.replaces.is_empty())
                .map(field)
                .collect(),
        )
    }
}

impl Relations for Replaces {
    fn replaces(&self, package: &Subject, other: &Subject) -> bool {
        let key = (package.name.clone(), package.architecture.clone());
        let Some(field) = self.0.get(&key) else {
            return false;
        };
        relation::groups(field)
            .filter_map(|group| relation::parse(group.text()).ok())
            .any(|relation| {
                relation.name == other.name
                    && relation
                        .constraint
                        .is_none_or(|(op, version)| op.matches(&other.version, version))
            })
    }
}

/// Whose list has which path, for packages of an earlier pass.
pub struct Lists(HashMap<Vec<u8>, Vec<Subject>>);

impl Lists {
    /// Reads dpkg's lists. In a new root there are none.
    pub fn read(root: &Root) -> Result<Self, Error> {
        const INFO: &str = "var/lib/dpkg/info";
        let mut owners: HashMap<Vec<u8>, Vec<Subject>> = HashMap::new();
        let Some(status) = root
            .read_if_exists("var/lib/dpkg/status")?
            .filter(|status| !status.is_empty())
        else {
            return Ok(Lists(owners));
        };
        for paragraph in bareroot_deb::deb822::paragraphs("var/lib/dpkg/status", &status) {
            let paragraph = paragraph?;
            let field = |name: &str| {
                paragraph
                    .text(name)
                    .ok()
                    .flatten()
                    .map(|value| value.trim().to_owned())
                    .unwrap_or_default()
            };
            let subject = Subject {
                name: field("Package"),
                version: field("Version"),
                architecture: field("Architecture"),
                multi_arch_same: field("Multi-Arch") == "same",
            };
            let file = match subject.multi_arch_same {
                true => format!("{INFO}/{}:{}.list", subject.name, subject.architecture),
                false => format!("{INFO}/{}.list", subject.name),
            };
            let list = root.read_if_exists(file)?.unwrap_or_default();
            for path in list.split(|byte| *byte == b'\n').filter(|path| !path.is_empty()) {
                owners.entry(path.to_vec()).or_default().push(subject.clone());
            }
        }
        Ok(Lists(owners))
    }
}

impl Installed for Lists {
    fn owners(&self, path: &[u8]) -> Vec<Subject> {
        self.0.get(path).cloned().unwrap_or_default()
    }
}

/// Adds diversions to the root's, so that files stay where they were put when the preinsts ask for the same.
pub fn add_diversions(root: &Root, more: &[Diversion]) -> Result<(), Error> {
    if more.is_empty() {
        return Ok(());
    }
    let mut text = root.read_if_exists(DIVERSIONS)?.unwrap_or_default();
    for diversion in more {
        let package = diversion.package.as_deref().unwrap_or(":").as_bytes();
        for line in [&diversion.from, &diversion.to, package] {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
    }
    Ok(root.write(DIVERSIONS, 0o644, &text)?)
}

/// The root's diversions: three lines each, from, to, and the package (`:` for the administrator's own).
pub fn diversions(root: &Root) -> Result<Diversions, Error> {
    let text = root.read_if_exists(DIVERSIONS)?.unwrap_or_default();
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let all = lines.chunks_exact(3).map(|three| Diversion {
        from: three[0].to_vec(),
        to: three[1].to_vec(),
        package: (three[2] != b":").then(|| String::from_utf8_lossy(three[2]).into_owned()),
    });
    Ok(all.collect())
}
