//! The relations of one version, as apt's cache has them.

use std::rc::Rc;

use super::arena::{Atom, Ver};
use super::pool::Pool;
use crate::packages::{MultiArch, Stanza};
use crate::{Error, relation};

/// What a relation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    PreDepends,
    Depends,
    Conflicts,
    Breaks,
    Recommends,
    Suggests,
}

impl Kind {
    /// Whether it speaks of what must not be there.
    pub(super) fn is_negative(self) -> bool {
        matches!(self, Kind::Conflicts | Kind::Breaks)
    }

    /// Whether it has to be met by another package.
    pub(super) fn is_firm(self) -> bool {
        matches!(self, Kind::PreDepends | Kind::Depends)
    }

    /// Whether nothing can be installed that violates it.
    pub(super) fn is_critical(self) -> bool {
        !matches!(self, Kind::Recommends | Kind::Suggests)
    }

    /// The field's name.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::PreDepends => "Pre-Depends",
            Kind::Depends => "Depends",
            Kind::Conflicts => "Conflicts",
            Kind::Breaks => "Breaks",
            Kind::Recommends => "Recommends",
            Kind::Suggests => "Suggests",
        }
    }
}

/// One group of alternatives. Of a negative relation each alternative is a group of its own.
#[derive(Clone, Debug)]
pub(super) struct Dep<'a> {
    pub(super) kind: Kind,
    pub(super) atoms: Rc<[Atom]>,
    /// As written, without the space around it; empty for what multiarch implies.
    pub(super) text: &'a str,
    /// Between packages of one name for several architectures; stands in no field.
    pub(super) implicit: bool,
}

/// The fields in apt's order.
fn fields<'a>(stanza: Stanza<'a>) -> [(Kind, &'a str); 6] {
    [
        (Kind::PreDepends, stanza.pre_depends()),
        (Kind::Depends, stanza.depends()),
        (Kind::Conflicts, stanza.conflicts()),
        (Kind::Breaks, stanza.breaks()),
        (Kind::Recommends, stanza.recommends()),
        (Kind::Suggests, stanza.suggests()),
    ]
}

/// Reads a version's relations. One that cannot be read is kept as the pool's trouble and left out.
pub(super) fn read<'a>(pool: &mut Pool<'a>, ver: Ver) -> Vec<Dep<'a>> {
    let stanza = pool.vers[ver].stanza;
    let own = pool.pkgs[pool.vers[ver].pkg].arch;
    let mut deps = Vec::new();
    for (kind, field) in fields(stanza) {
        for group in relation::groups(field) {
            let mut atoms = Vec::new();
            for alternative in group.alternatives() {
                match alternative {
                    Ok(relation) => atoms.push(pool.atom(&relation, own, kind)),
                    Err(error) => {
                        pool.trouble.get_or_insert_with(|| Error::Stanza {
                            index: stanza.index().info().label.clone(),
                            stanza: stanza.id() as usize + 1,
                            package: stanza.name().to_owned(),
                            reason: format!("in its `{}`, {error}", kind.word()),
                        });
                    }
                }
            }
            let dep = |atoms: &[Atom]| Dep {
                kind,
                atoms: atoms.into(),
                text: group.text(),
                implicit: false,
            };
            if kind.is_negative() {
                deps.extend(atoms.iter().map(|atom| dep(std::slice::from_ref(atom))));
            } else if !atoms.is_empty() {
                deps.push(dep(&atoms));
            }
        }
    }
    deps.extend(siblings(pool, ver));
    deps
}

/// What multiarch implies between packages of one name: `Multi-Arch: same` ones stand side by side in one version
/// only, all others not at all.
fn siblings<'a>(pool: &mut Pool<'a>, ver: Ver) -> Vec<Dep<'a>> {
    let pkg = pool.vers[ver].pkg;
    let group = pool.pkgs[pkg].group;
    let stanza = pool.vers[ver].stanza;
    let others: Vec<_> = pool.groups[group]
        .pkgs
        .iter()
        .copied()
        .filter(|&other| other != pkg)
        .collect();
    let same = stanza.multi_arch() == MultiArch::Same && stanza.architecture() != "all";
    let mut deps = Vec::new();
    for other in others {
        let versions = pool.pkgs[other].versions.iter().copied();
        let unequal = |&other: &Ver| !same || pool.vers[other].stanza.version() != stanza.version();
        let versions: Vec<Ver> = versions.filter(unequal).collect();
        let atom = pool.sibling_atom(group, pool.pkgs[other].arch, versions);
        let kind = if same { Kind::Breaks } else { Kind::Conflicts };
        deps.push(Dep {
            kind,
            atoms: [atom].into(),
            text: "",
            implicit: true,
        });
    }
    deps
}

/// Whether two stanzas of one name, architecture and version are the same package to apt, so that it does not matter
/// from which index it is taken.
pub(super) fn same(a: Stanza<'_>, b: Stanza<'_>) -> bool {
    // Spaces and `=` do not count: dpkg rewrites them in its own file.
    let plain = |text: &str| -> Vec<u8> {
        text.bytes()
            .filter(|b| !b.is_ascii_whitespace() && *b != b'=')
            .map(|b| b.to_ascii_lowercase())
            .collect()
    };
    let texts = [
        (a.depends(), b.depends()),
        (a.pre_depends(), b.pre_depends()),
        (a.conflicts(), b.conflicts()),
        (a.breaks(), b.breaks()),
        (a.replaces(), b.replaces()),
    ];
    let size_differs = matches!((a.size(), b.size()), (Ok(a), Ok(b)) if a != b);
    a.installed_size() == b.installed_size()
        && !size_differs
        && a.multi_arch() == b.multi_arch()
        && texts.into_iter().all(|(a, b)| a == b || plain(a) == plain(b))
}
