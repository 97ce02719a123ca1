//! Module streams: which are active, and which packages that hides (libdnf's module filtering).
//!
//! Active are the streams that the user enabled, those that are their modules' defaults, and what these depend on.
//! Packages of any other stream are not seen, nor are packages of no stream that an active one's packages are called
//! like, whether by their name or by a provision.

mod active;
mod filter;
mod spec;
mod state;

use std::collections::BTreeMap;

use bareroot_rpm_repo::modules::{Modules, Stream};

pub(crate) use active::Activation;
pub(crate) use filter::hidden;
pub(crate) use spec::wished;

/// A module whose stream is enabled in the root: the contents of `/etc/dnf/modules.d/NAME.module`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnabledModule {
    /// The stream.
    pub stream: String,
    /// The profiles that are installed, sorted.
    pub profiles: Vec<String>,
}

/// All streams of all repositories, and what they default to.
#[derive(Clone)]
pub(crate) struct Streams<'m> {
    /// The streams with the number of their repository. Those of a fixed context come first, as libdnf adds them.
    pub(crate) all: Vec<(usize, &'m Stream)>,
    /// The default stream of each module; modules for which repositories disagree have none.
    pub(crate) defaults: BTreeMap<&'m str, &'m str>,
    /// The default profiles, by module and stream.
    profiles: BTreeMap<(&'m str, &'m str), &'m [String]>,
}

impl<'m> Streams<'m> {
    /// Merges what the repositories say; each list belongs to the repository of that number.
    pub(crate) fn new(modules: &[(usize, &'m Modules)]) -> Streams<'m> {
        let streams = |fixed: bool| {
            modules.iter().flat_map(move |(repository, modules)| {
                modules
                    .streams
                    .iter()
                    .filter(move |stream| stream.static_context == fixed)
                    .map(|stream| (*repository, stream))
            })
        };
        let mut defaults: BTreeMap<&str, (u64, Option<&str>)> = BTreeMap::new();
        let mut profiles: BTreeMap<(&str, &str), (u64, &[String])> = BTreeMap::new();
        for one in modules.iter().flat_map(|(_, modules)| &modules.defaults) {
            let stream = one.stream.as_deref();
            defaults
                .entry(&one.module)
                .and_modify(|known| {
                    if one.modified > known.0 {
                        *known = (one.modified, stream);
                    } else if one.modified == known.0 && stream.is_some() && known.1 != stream {
                        // Equally new and not equal: there is no default.
                        known.1 = None;
                    }
                })
                .or_insert((one.modified, stream));
            for (stream, names) in &one.profiles {
                let entry = profiles
                    .entry((&one.module, stream))
                    .or_insert((one.modified, names));
                if one.modified > entry.0 {
                    *entry = (one.modified, names);
                }
            }
        }
        Streams {
            all: streams(true).chain(streams(false)).collect(),
            defaults: defaults
                .into_iter()
                .filter_map(|(module, (_, stream))| Some((module, stream?)))
                .collect(),
            profiles: profiles
                .into_iter()
                .map(|(key, (_, names))| (key, names))
                .collect(),
        }
    }

    /// The profiles of a stream that are installed where none is named.
    pub(crate) fn default_profiles(&self, module: &str, stream: &str) -> &'m [String] {
        self.profiles.get(&(module, stream)).copied().unwrap_or_default()
    }
}

/// Builds that replace each other: of one stream, and built with the same needs (libdnf's name of a module's solvable).
/// The platform is left out of the needs, as each release has its own.
pub(crate) fn kin(stream: &Stream) -> (String, String, String) {
    if stream.static_context {
        return (
            stream.module.clone(),
            stream.stream.clone(),
            stream.context.clone(),
        );
    }
    let mut needs: Vec<String> = stream
        .requires
        .iter()
        .filter(|(module, _)| module != "platform")
        .map(|(module, streams)| {
            let mut streams = streams.clone();
            streams.sort_unstable();
            format!("{module}:[{}]", streams.join(","))
        })
        .collect();
    needs.sort_unstable();
    (stream.module.clone(), stream.stream.clone(), needs.join(";"))
}
