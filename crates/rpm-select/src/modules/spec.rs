//! `@module:stream/profile`: what of it the user enables, and which packages that wishes.

use std::collections::{BTreeMap, BTreeSet};

use bareroot_rpm_repo::modules::Stream;

use super::{Activation, EnabledModule, Streams};
use crate::error::Error;
use crate::glob;

/// The parts of a module spec: name, stream, version, context, architecture, profile.
#[derive(Debug, Default, PartialEq, Eq)]
struct Spec<'w> {
    name: &'w str,
    stream: &'w str,
    version: &'w str,
    context: &'w str,
    arch: &'w str,
    profile: &'w str,
}

/// Packages that a module spec wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wished {
    /// `module:stream`.
    pub(crate) group: String,
    /// The package's name.
    pub(crate) package: String,
}

impl<'w> Spec<'w> {
    /// `None` for what can only be a group.
    fn parse(word: &'w str) -> Option<Spec<'w>> {
        let legal = |c: char| c.is_ascii_alphanumeric() || "+.~_-*?[]!".contains(c);
        let (rest, profile) = word.split_once('/').unwrap_or((word, ""));
        let (rest, arch) = rest.split_once("::").unwrap_or((rest, ""));
        let mut parts = rest.split(':');
        let mut next = || parts.next().unwrap_or_default();
        let mut spec = Spec {
            name: next(),
            stream: next(),
            version: next(),
            context: next(),
            arch,
            profile,
        };
        let last = next();
        if spec.arch.is_empty() {
            spec.arch = last;
        }
        let all = [
            spec.name,
            spec.stream,
            spec.version,
            spec.context,
            spec.arch,
            spec.profile,
        ];
        let fine =
            !spec.name.is_empty() && parts.next().is_none() && all.iter().all(|part| part.chars().all(legal));
        fine.then_some(spec)
    }

    fn means(&self, stream: &Stream) -> bool {
        let part = |pattern: &str, text: &str| pattern.is_empty() || glob::matches(pattern, text);
        part(self.name, &stream.module)
            && part(self.stream, &stream.stream)
            && part(self.version, &stream.version.to_string())
            && part(self.context, &stream.context)
            && part(self.arch, &stream.arch)
    }
}

/// The streams that words enable; words that mean no module are left for groups.
///
/// # Errors
/// [`Error::ManyStreams`] when a word, or two words, mean several streams of a module and none of them is the default.
pub(super) fn enabled(
    words: &[String],
    streams: &Streams<'_>,
) -> Result<BTreeMap<String, EnabledModule>, Error> {
    let mut enabled: BTreeMap<String, EnabledModule> = BTreeMap::new();
    for word in words.iter().filter_map(|word| word.strip_prefix('@')) {
        let Some(spec) = Spec::parse(word) else { continue };
        let mut meant: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (_, stream) in streams.all.iter().filter(|(_, stream)| spec.means(stream)) {
            meant.entry(&stream.module).or_default().insert(&stream.stream);
        }
        for (module, found) in meant {
            let many = |found: &BTreeSet<&str>| Error::ManyStreams {
                wish: format!("@{word}"),
                module: module.to_owned(),
                streams: found.iter().map(|stream| (*stream).to_owned()).collect(),
            };
            let known = enabled.get(module).map(|known| known.stream.clone());
            let known = known.as_deref();
            let stream = match found.len() {
                1 => found.first().copied(),
                _ => known.or_else(|| streams.defaults.get(module).copied()),
            };
            let Some(stream) = stream.filter(|stream| found.contains(stream)) else {
                return Err(many(&found));
            };
            if known.is_some_and(|known| known != stream) {
                return Err(many(&[stream].into_iter().chain(known).collect()));
            }
            enabled.entry(module.to_owned()).or_insert_with(|| EnabledModule {
                stream: stream.to_owned(),
                profiles: Vec::new(),
            });
        }
    }
    Ok(enabled)
}

/// Whether a word after `@` means a module; then which packages it wishes. The profiles are noted as installed.
///
/// # Errors
/// [`Error::NoProfile`] for a profile that the stream does not have, and where none is named and there is no default.
pub(crate) fn wished(word: &str, activation: &mut Activation<'_>) -> Result<Option<Vec<Wished>>, Error> {
    let Some(spec) = Spec::parse(word) else {
        return Ok(None);
    };
    let mut latest: BTreeMap<(&str, &str), &Stream> = BTreeMap::new();
    let mut meant = false;
    for (place, (_, stream)) in activation.streams.all.iter().enumerate() {
        if !spec.means(stream) {
            continue;
        }
        meant = true;
        let is_enabled =
            (activation.enabled.get(&stream.module)).is_some_and(|enabled| enabled.stream == stream.stream);
        if is_enabled && activation.is_active(place) {
            let newest = latest.entry((&stream.module, &stream.stream)).or_insert(stream);
            if stream.version > newest.version {
                *newest = stream;
            }
        }
    }
    if !meant {
        return Ok(None);
    }
    let mut wished = Vec::new();
    let mut installed: Vec<(String, String)> = Vec::new();
    for ((module, name), stream) in latest {
        let names: Vec<&String> = match spec.profile {
            "" => activation.streams.default_profiles(module, name).iter().collect(),
            pattern => {
                let known = stream.profiles.keys();
                known.filter(|profile| glob::matches(pattern, profile)).collect()
            }
        };
        if names.is_empty() || names.iter().any(|name| !stream.profiles.contains_key(*name)) {
            return Err(Error::NoProfile {
                wish: format!("@{word}"),
                stream: format!("{module}:{name}"),
                known: stream.profiles.keys().cloned().collect(),
            });
        }
        for profile in names {
            installed.push((module.to_owned(), profile.clone()));
            for package in stream.profiles.get(profile).into_iter().flatten() {
                wished.push(Wished {
                    group: format!("{module}:{name}"),
                    package: package.clone(),
                });
            }
        }
    }
    for (module, profile) in installed {
        if let Some(enabled) = activation.enabled.get_mut(&module)
            && let Err(place) = enabled.profiles.binary_search(&profile)
        {
            enabled.profiles.insert(place, profile);
        }
    }
    Ok(Some(wished))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_are_read_as_dnf_reads_them() {
        for (word, wanted) in [
            ("perl", Some(("perl", "", "", "", "", ""))),
            ("perl:5.26", Some(("perl", "5.26", "", "", "", ""))),
            ("perl/common", Some(("perl", "", "", "", "", "common"))),
            ("perl:5.26/common", Some(("perl", "5.26", "", "", "", "common"))),
            ("perl:5.26/", Some(("perl", "5.26", "", "", "", ""))),
            (
                "perl:5.26:8:abc:x86_64/m",
                Some(("perl", "5.26", "8", "abc", "x86_64", "m")),
            ),
            ("perl:5.26::x86_64", Some(("perl", "5.26", "", "", "x86_64", ""))),
            ("Minimal Install", None),
            (":5", None),
        ] {
            let found = Spec::parse(word);
            let parts = found.map(|s| (s.name, s.stream, s.version, s.context, s.arch, s.profile));
            assert_eq!(parts, wanted, "{word}");
        }
    }
}
