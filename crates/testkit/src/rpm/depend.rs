//! Dependencies.

use super::header::{Entries, Value};

/// Which list of dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Provides:`.
    Provides,
    /// `Requires:`.
    Requires,
    /// `Conflicts:`.
    Conflicts,
    /// `Obsoletes:`.
    Obsoletes,
    /// `Recommends:`.
    Recommends,
    /// `Suggests:`.
    Suggests,
    /// `Supplements:`.
    Supplements,
    /// `Enhances:`.
    Enhances,
    /// `OrderWithRequires:`.
    Orders,
}

impl Kind {
    /// Those that primary.xml has, by the names of their elements.
    pub(super) const IN_PRIMARY: [(Kind, &'static str); 8] = [
        (Kind::Provides, "provides"),
        (Kind::Requires, "requires"),
        (Kind::Conflicts, "conflicts"),
        (Kind::Obsoletes, "obsoletes"),
        (Kind::Recommends, "recommends"),
        (Kind::Suggests, "suggests"),
        (Kind::Supplements, "supplements"),
        (Kind::Enhances, "enhances"),
    ];

    /// The tags of names, flags and versions.
    fn tags(self) -> [u32; 3] {
        match self {
            Kind::Provides => [1047, 1112, 1113],
            Kind::Requires => [1049, 1048, 1050],
            Kind::Conflicts => [1054, 1053, 1055],
            Kind::Obsoletes => [1090, 1114, 1115],
            Kind::Recommends => [5046, 5048, 5047],
            Kind::Suggests => [5049, 5051, 5050],
            Kind::Supplements => [5052, 5054, 5053],
            Kind::Enhances => [5055, 5057, 5056],
            Kind::Orders => [5035, 5037, 5036],
        }
    }
}

/// Qualifiers of a dependency (rpmds.h: rpmsenseFlags).
pub mod sense {
    /// Lower versions.
    pub const LESS: u32 = 2;
    /// Higher versions.
    pub const GREATER: u32 = 4;
    /// The same version.
    pub const EQUAL: u32 = 8;
    /// `Requires(pre)`.
    pub const PRE: u32 = 1 << 9;
    /// `Requires(post)`.
    pub const POST: u32 = 1 << 10;
    /// A feature of rpm.
    pub const RPMLIB: u32 = 1 << 24;
}

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) sense: u32,
    pub(super) evr: String,
}

impl Dependency {
    /// `name`, `name >= 1:2-3`, or a boolean dependency in parentheses.
    pub(super) fn parse(kind: Kind, text: &str, qualifiers: u32) -> Self {
        let (name, sense, evr) = match text.split_whitespace().collect::<Vec<_>>()[..] {
            [name, operator, evr] if !text.starts_with('(') => {
                let sense = match operator {
                    "<" => sense::LESS,
                    "<=" => sense::LESS | sense::EQUAL,
                    ">=" => sense::GREATER | sense::EQUAL,
                    ">" => sense::GREATER,
                    _ => sense::EQUAL,
                };
                (name, sense, evr)
            }
            _ => (text, 0, ""),
        };
        Dependency {
            kind,
            name: name.into(),
            sense: sense | qualifiers,
            evr: evr.into(),
        }
    }

    /// A feature that rpm must have, as rpmbuild requires it.
    pub(super) fn feature(name: &str, version: &str) -> Self {
        Dependency {
            kind: Kind::Requires,
            name: format!("rpmlib({name})"),
            sense: sense::LESS | sense::EQUAL | sense::RPMLIB,
            evr: version.into(),
        }
    }

    /// How primary.xml calls the comparison.
    pub(super) fn comparison(&self) -> Option<&'static str> {
        Some(match self.sense & (sense::LESS | sense::GREATER | sense::EQUAL) {
            2 => "LT",
            4 => "GT",
            8 => "EQ",
            10 => "LE",
            12 => "GE",
            _ => return None,
        })
    }
}

/// Puts dependencies into a header.
pub(super) fn put(all: &[Dependency], entries: &mut Entries) {
    let kinds = Kind::IN_PRIMARY
        .iter()
        .map(|(kind, _)| *kind)
        .chain([Kind::Orders]);
    for kind in kinds {
        let own = || all.iter().filter(|dependency| dependency.kind == kind);
        if own().next().is_none() {
            continue;
        }
        let [names, flags, versions] = kind.tags();
        entries.insert(names, own().map(|dependency| &dependency.name).collect());
        entries.insert(
            flags,
            Value::Int32(own().map(|dependency| dependency.sense).collect()),
        );
        entries.insert(versions, own().map(|dependency| &dependency.evr).collect());
    }
}

/// An EVR in its three parts: epoch, version, release.
pub(super) fn evr(text: &str) -> (Option<&str>, &str, Option<&str>) {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (Some(epoch), rest),
        None => (None, text),
    };
    match rest.rsplit_once('-') {
        Some((version, release)) => (epoch, version, Some(release)),
        None => (epoch, rest, None),
    }
}
