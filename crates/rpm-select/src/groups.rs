//! Groups and environments: what of them is wished, and what dnf records of them.

use std::collections::BTreeMap;

use bareroot_rpm_repo::comps::{Environment, Group, PackageType};

use crate::error::Error;
use crate::universe::Universe;

/// Groups and environments of a selection, for dnf's records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The groups, by id.
    pub groups: BTreeMap<String, InstalledGroup>,
    /// The environments, by id.
    pub environments: BTreeMap<String, InstalledEnvironment>,
}

/// A group that is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstalledGroup {
    /// Its name.
    pub name: String,
    /// Whether the user named it; else an environment did.
    pub by_user: bool,
    /// Its members.
    pub packages: Vec<GroupPackage>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupPackage {
    /// The package's name.
    pub name: String,
    /// How the group wants it.
    pub kind: PackageType,
    /// The package that makes a conditional one wanted.
    pub requires: Option<String>,
    /// Whether only packages of the root's own architecture are meant.
    pub basearch_only: bool,
    /// Whether it is part of the selection.
    pub installed: bool,
}

/// An environment that is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstalledEnvironment {
    /// Its name.
    pub name: String,
    /// Its groups' ids, and whether each is mandatory.
    pub groups: Vec<(String, bool)>,
}

/// Adds what a word after `@` means. A group of several repositories has the members of all.
///
/// # Errors
/// [`Error::NoGroup`].
pub(crate) fn add(word: &str, universe: &Universe<'_>, groups: &mut Groups) -> Result<(), Error> {
    let word = word.strip_prefix('^').unwrap_or(word);
    let environments: Vec<&Environment> = universe
        .comps
        .iter()
        .flat_map(|comps| &comps.environments)
        .filter(|environment| environment.is_called(word))
        .collect();
    let found: Vec<&Group> = universe
        .comps
        .iter()
        .flat_map(|comps| &comps.groups)
        .filter(|group| group.is_called(word))
        .collect();
    if environments.is_empty() && found.is_empty() {
        let ids = |comps: &&bareroot_rpm_repo::comps::Comps| {
            let groups = comps.groups.iter().map(|group| group.id.clone());
            let environments = comps
                .environments
                .iter()
                .map(|environment| environment.id.clone());
            groups.chain(environments).collect::<Vec<_>>()
        };
        let mut known: Vec<String> = universe.comps.iter().flat_map(ids).collect();
        known.sort_unstable();
        known.dedup();
        known.truncate(20);
        return Err(Error::NoGroup {
            wish: format!("@{word}"),
            known,
        });
    }
    for group in &found {
        add_group(group, true, groups);
    }
    // A group's name wins over an environment's of the same name, as in dnf.
    if !found.is_empty() {
        return Ok(());
    }
    for environment in environments {
        let installed = groups.environments.entry(environment.id.clone()).or_default();
        installed.name.clone_from(&environment.name);
        let mut ids: Vec<(String, bool)> = environment.groups.iter().map(|id| (id.clone(), true)).collect();
        ids.extend(
            environment
                .options
                .iter()
                .map(|option| (option.id.clone(), false)),
        );
        for pair in ids {
            if !installed.groups.contains(&pair) {
                installed.groups.push(pair);
            }
        }
        // dnf notes the groups that may come as well, and installs those that must.
        for (id, _) in installed
            .groups
            .clone()
            .into_iter()
            .filter(|(_, mandatory)| *mandatory)
        {
            for group in universe.comps.iter().filter_map(|comps| comps.group(&id)) {
                add_group(group, false, groups);
            }
        }
    }
    Ok(())
}

fn add_group(group: &Group, by_user: bool, groups: &mut Groups) {
    let installed = groups.groups.entry(group.id.clone()).or_default();
    installed.name.clone_from(&group.name);
    installed.by_user |= by_user;
    for member in &group.members {
        if !installed.packages.iter().any(|known| known.name == member.name) {
            installed.packages.push(GroupPackage {
                name: member.name.clone(),
                kind: member.kind,
                requires: member.requires.clone(),
                basearch_only: member.basearch_only,
                installed: false,
            });
        }
    }
}
