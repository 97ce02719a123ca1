//! Which packages active and inactive streams hide.

use std::collections::{HashMap, HashSet};

use bareroot_rpm_repo::{Package, RelationKind};

use super::Activation;

/// What a stream calls a package: name, epoch, version, release, architecture.
type Nevra<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

/// Splits `name-epoch:version-release.arch`; an epoch that is missing is 0.
fn split(artifact: &str) -> Option<Nevra<'_>> {
    let (rest, arch) = artifact.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let (epoch, version) = version.split_once(':').unwrap_or(("0", version));
    Some((name, epoch, version, release, arch))
}

/// The sets of packages that decide.
struct Lists<'a> {
    /// Artifacts of active streams.
    included: HashMap<&'a str, HashSet<Nevra<'a>>>,
    /// Artifacts of the others.
    excluded: HashMap<&'a str, HashSet<Nevra<'a>>>,
    /// Names that belong to active streams.
    names: HashSet<&'a str>,
}

impl<'a> Lists<'a> {
    fn new(activation: &'a Activation<'_>) -> Lists<'a> {
        let mut lists = Lists {
            included: HashMap::new(),
            excluded: HashMap::new(),
            names: HashSet::new(),
        };
        let mut latest: HashMap<_, (u64, &[String])> = HashMap::new();
        let all = &activation.streams.all;
        for (place, (_, stream)) in all.iter().enumerate() {
            if activation.is_active(place) {
                let key = (&stream.module, &stream.stream, &stream.arch);
                let entry = latest
                    .entry(key)
                    .or_insert((stream.version, &stream.demodularized));
                if stream.version > entry.0 {
                    *entry = (stream.version, &stream.demodularized);
                }
            }
        }
        for (place, (_, stream)) in all.iter().enumerate() {
            let active = activation.is_active(place);
            let demodularized = latest
                .get(&(&stream.module, &stream.stream, &stream.arch))
                .map_or(&[][..], |(_, names)| names);
            for nevra in stream.artifacts.iter().filter_map(|artifact| split(artifact)) {
                let list = match active {
                    true => &mut lists.included,
                    false => &mut lists.excluded,
                };
                list.entry(nevra.0).or_default().insert(nevra);
                let source = matches!(nevra.4, "src" | "nosrc");
                if active && !source && !demodularized.iter().any(|name| name == nevra.0) {
                    lists.names.insert(nevra.0);
                }
            }
        }
        lists
    }

    fn hides(&self, package: &Package<'_>) -> bool {
        let epoch = package.epoch().to_string();
        let nevra = (
            package.name(),
            epoch.as_str(),
            package.version(),
            package.release(),
            package.arch(),
        );
        let has = |list: &HashMap<&str, HashSet<Nevra<'_>>>| {
            list.get(package.name()).is_some_and(|set| set.contains(&nevra))
        };
        if has(&self.included) {
            return false;
        }
        has(&self.excluded)
            || self.names.contains(package.name())
            || package
                .relations(RelationKind::Provides)
                .any(|provided| self.names.contains(provided.name))
    }
}

/// Which of the packages modules hide.
pub(crate) fn hidden<'a, K>(
    packages: impl Iterator<Item = (K, Package<'a>)>,
    activation: &Activation<'_>,
) -> Vec<K> {
    let lists = Lists::new(activation);
    packages
        .filter(|(_, package)| lists.hides(package))
        .map(|(key, _)| key)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_are_nevras() {
        let perl = Some(("perl-libs", "4", "5.26.3", "1.module+el8", "x86_64"));
        assert_eq!(split("perl-libs-4:5.26.3-1.module+el8.x86_64"), perl);
        assert_eq!(split("a-1-2.noarch"), Some(("a", "0", "1", "2", "noarch")));
        assert_eq!(split("nothing"), None);
    }
}
