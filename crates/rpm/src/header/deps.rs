//! What a header depends on and provides.

use super::Header;
use crate::dependency::{Dependency, Sense};
use crate::tag::Tag;

/// Which of a header's lists of dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DependencyKind {
    /// What it can be called.
    Provides,
    /// What it cannot do without.
    Requires,
    /// What cannot be beside it.
    Conflicts,
    /// What it takes the place of.
    Obsoletes,
    /// What should come with it.
    Recommends,
    /// What may come with it.
    Suggests,
    /// With what it should come.
    Supplements,
    /// With what it may come.
    Enhances,
    /// What comes before it, if it comes at all.
    Orders,
}

impl DependencyKind {
    /// The tags of names, flags and versions.
    pub fn tags(self) -> [Tag; 3] {
        match self {
            DependencyKind::Provides => [Tag::PROVIDENAME, Tag::PROVIDEFLAGS, Tag::PROVIDEVERSION],
            DependencyKind::Requires => [Tag::REQUIRENAME, Tag::REQUIREFLAGS, Tag::REQUIREVERSION],
            DependencyKind::Conflicts => [Tag::CONFLICTNAME, Tag::CONFLICTFLAGS, Tag::CONFLICTVERSION],
            DependencyKind::Obsoletes => [Tag::OBSOLETENAME, Tag::OBSOLETEFLAGS, Tag::OBSOLETEVERSION],
            DependencyKind::Recommends => [Tag::RECOMMENDNAME, Tag::RECOMMENDFLAGS, Tag::RECOMMENDVERSION],
            DependencyKind::Suggests => [Tag::SUGGESTNAME, Tag::SUGGESTFLAGS, Tag::SUGGESTVERSION],
            DependencyKind::Supplements => {
                [Tag::SUPPLEMENTNAME, Tag::SUPPLEMENTFLAGS, Tag::SUPPLEMENTVERSION]
            }
            DependencyKind::Enhances => [Tag::ENHANCENAME, Tag::ENHANCEFLAGS, Tag::ENHANCEVERSION],
            DependencyKind::Orders => [Tag::ORDERNAME, Tag::ORDERFLAGS, Tag::ORDERVERSION],
        }
    }
}

/// Features of rpm that a package may require, with the version that rpm gives each (rpmds.c).
const FEATURES: &[(&str, &str)] = &[
    ("VersionedDependencies", "3.0.3-1"),
    ("CompressedFileNames", "3.0.4-1"),
    ("PayloadIsBzip2", "3.0.5-1"),
    ("PayloadIsXz", "5.2-1"),
    ("PayloadIsLzma", "4.4.2-1"),
    ("PayloadIsZstd", "5.4.18-1"),
    ("PayloadFilesHavePrefix", "4.0-1"),
    ("ExplicitPackageProvide", "4.0-1"),
    ("HeaderLoadSortsTags", "4.0.1-1"),
    ("ScriptletInterpreterArgs", "4.0.3-1"),
    ("PartialHardlinkSets", "4.0.4-1"),
    ("ConcurrentAccess", "4.1-1"),
    ("BuiltinLuaScripts", "4.2.2-1"),
    ("FileDigests", "4.6.0-1"),
    ("FileCaps", "4.6.1-1"),
    ("ScriptletExpansion", "4.9.0-1"),
    ("TildeInVersions", "4.10.0-1"),
    ("CaretInVersions", "4.15.0-1"),
    ("LargeFiles", "4.12.0-1"),
    ("RichDependencies", "4.12.0-1"),
    ("DynamicBuildRequires", "4.15.0-1"),
];

impl Header {
    /// The dependencies of a kind, in the header's order; what is no UTF-8 is left out.
    pub fn dependencies(&self, kind: DependencyKind) -> Vec<Dependency<'_>> {
        let [names, flags, versions] = kind.tags();
        self.triples(names, flags, versions)
    }

    /// Names, flags and versions, side by side. Missing flags and versions are none.
    pub(crate) fn triples(&self, names: Tag, flags: Tag, versions: Tag) -> Vec<Dependency<'_>> {
        let flags = self.u32s(flags);
        let versions = self.texts(versions);
        self.texts(names)
            .into_iter()
            .enumerate()
            .filter(|(_, name)| !name.is_empty())
            .map(|(place, name)| Dependency {
                name,
                sense: Sense(flags.get(place).copied().unwrap_or_default()),
                evr: versions.get(place).copied().unwrap_or_default(),
            })
            .collect()
    }

    /// The first `rpmlib()` requirement that bareroot does not meet.
    pub fn unknown_feature(&self) -> Option<Dependency<'_>> {
        self.dependencies(DependencyKind::Requires)
            .into_iter()
            .find(|required| {
                let feature = required
                    .name
                    .strip_prefix("rpmlib(")
                    .and_then(|name| name.strip_suffix(')'));
                feature.is_some_and(|feature| {
                    !FEATURES.iter().any(|(name, version)| {
                        *name == feature
                            && crate::overlap(Sense::EQUAL, version, required.sense, required.evr)
                    })
                })
            })
    }
}
