//! Which streams are active together.

use std::collections::{BTreeMap, BTreeSet};

use bareroot_solve::{Candidate, Name, Need, Packages, Problem, solve};

use bareroot_rpm_repo::modules::Modules;

use super::{EnabledModule, Streams, kin, spec};
use crate::error::Error;

/// The streams, as the user and the defaults make them.
#[derive(Clone)]
pub(crate) struct Activation<'m> {
    pub(crate) streams: Streams<'m>,
    /// Whether each stream is active.
    active: Vec<bool>,
    /// What is enabled in the root.
    pub(crate) enabled: BTreeMap<String, EnabledModule>,
}

/// Builds of modules for the solver, each by its place among the streams.
struct Pool<'s, 'm> {
    streams: &'s Streams<'m>,
    names: Vec<u32>,
    /// Builds of a module, newer ones before older ones that they replace.
    members: Vec<Vec<Candidate>>,
    platform: Option<&'s str>,
}

impl<'s, 'm> Pool<'s, 'm> {
    fn new(streams: &'s Streams<'m>, platform: Option<&'s str>) -> Self {
        let mut by_module: BTreeMap<&str, u32> = BTreeMap::new();
        let mut pool = Pool {
            streams,
            names: Vec::new(),
            members: Vec::new(),
            platform,
        };
        let mut kins: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        let mut order = Vec::new();
        for (place, (_, stream)) in streams.all.iter().enumerate() {
            let next = by_module.len() as u32;
            let name = *by_module.entry(&stream.module).or_insert(next);
            if name == next {
                pool.members.push(Vec::new());
            }
            pool.names.push(name);
            let first = *kins.entry(kin(stream)).or_insert(place);
            order.push((first, std::cmp::Reverse(stream.version), place));
        }
        // The newest of each kin comes before all that are not.
        let mut rank: BTreeMap<usize, usize> = BTreeMap::new();
        order.sort_unstable();
        let mut ranked: Vec<(usize, usize, usize)> = order
            .iter()
            .map(|(first, _, place)| {
                let behind = rank.entry(*first).or_default();
                *behind += 1;
                (*behind, *first, *place)
            })
            .collect();
        ranked.sort_unstable();
        for (_, _, place) in ranked {
            let name = pool.names.get(place).copied().unwrap_or_default();
            if let Some(members) = pool.members.get_mut(name as usize) {
                members.push(Candidate(place as u32));
            }
        }
        pool
    }

    /// The builds of a module of which the stream is wanted, the preferred one first.
    fn builds(&self, module: &str, wanted: impl Fn(&str) -> bool) -> Vec<Candidate> {
        let stream = |candidate: &Candidate| self.streams.all.get(candidate.0 as usize);
        self.members
            .iter()
            .find(|members| {
                let first = members.first().and_then(stream);
                first.is_some_and(|(_, stream)| stream.module == module)
            })
            .into_iter()
            .flatten()
            .filter(|candidate| stream(candidate).is_some_and(|(_, stream)| wanted(&stream.stream)))
            .copied()
            .collect()
    }
}

impl Packages for Pool<'_, '_> {
    fn name(&self, candidate: Candidate) -> Name {
        Name(self.names.get(candidate.0 as usize).copied().unwrap_or_default())
    }

    fn candidates(&self, name: Name) -> Vec<Candidate> {
        self.members.get(name.0 as usize).cloned().unwrap_or_default()
    }

    fn needs(&self, candidate: Candidate) -> Vec<Need> {
        let Some((_, stream)) = self.streams.all.get(candidate.0 as usize) else {
            return Vec::new();
        };
        let need = |(module, streams): &(String, Vec<String>)| {
            let wanted = |stream: &str| accepts(streams, stream);
            if module == "platform" {
                // The platform is there already, or never.
                return match self.platform.is_some_and(wanted) {
                    true => None,
                    false => Some(Need::default()),
                };
            }
            Some(Need::any(self.builds(module, wanted)))
        };
        stream.requires.iter().filter_map(need).collect()
    }

    fn excludes(&self, _: Candidate) -> Vec<Candidate> {
        Vec::new()
    }
}

/// Whether a list of streams, some perhaps negated, means a stream.
fn accepts(streams: &[String], stream: &str) -> bool {
    let negated = |word: &String| word.strip_prefix('-').is_some_and(|word| word == stream);
    let plain = |word: &&String| !word.starts_with('-');
    !streams.iter().any(negated)
        && (streams.iter().any(|word| word == stream) || !streams.iter().any(|word| plain(&word)))
}

impl<'m> Activation<'m> {
    /// Activates what words enable, the defaults, and what they depend on.
    ///
    /// # Errors
    /// [`Error::ManyStreams`], [`Error::Modules`].
    pub(crate) fn of_words(
        words: &[String],
        modules: &[(usize, &'m Modules)],
        platform: Option<&str>,
    ) -> Result<Activation<'m>, Error> {
        let streams = Streams::new(modules);
        let enabled = spec::enabled(words, &streams)?;
        Activation::new(streams, platform, enabled)
    }

    /// Activates the streams that are enabled, then as many defaults as fit.
    ///
    /// # Errors
    /// [`Error::Modules`] when what is enabled does not fit together, or not on this platform.
    fn new(
        streams: Streams<'m>,
        platform: Option<&str>,
        enabled: BTreeMap<String, EnabledModule>,
    ) -> Result<Activation<'m>, Error> {
        let pool = Pool::new(&streams, platform);
        let need = |module: &str, stream: &str| Need::any(pool.builds(module, |other| other == stream));
        let mut problem = Problem {
            needs: enabled
                .iter()
                .map(|(module, state)| need(module, &state.stream))
                .collect(),
            ..Problem::default()
        };
        let mut chosen = solve(&pool, &problem).map_err(|_| Error::Modules {
            streams: enabled
                .iter()
                .map(|(module, state)| format!("{module}:{}", state.stream))
                .collect(),
            platform: platform.map(str::to_owned),
        })?;
        for (module, stream) in &streams.defaults {
            let more = need(module, stream);
            if enabled.contains_key(*module) || more.options.is_empty() {
                continue;
            }
            problem.needs.push(more);
            match solve(&pool, &problem) {
                Ok(with) => chosen = with,
                Err(_) => {
                    problem.needs.pop();
                }
            }
        }
        let kins: BTreeSet<_> = chosen
            .iter()
            .filter_map(|candidate| streams.all.get(candidate.0 as usize))
            .map(|(_, stream)| kin(stream))
            .collect();
        let active = streams
            .all
            .iter()
            .map(|(_, stream)| kins.contains(&kin(stream)))
            .collect();
        Ok(Activation {
            streams,
            active,
            enabled,
        })
    }

    /// Whether the stream of a place is active.
    pub(crate) fn is_active(&self, place: usize) -> bool {
        self.active.get(place).copied().unwrap_or_default()
    }

    /// The active streams that satisfy a need of a stream.
    pub(super) fn satisfying(&self, module: &str, streams: &[String]) -> impl Iterator<Item = usize> {
        self.streams
            .all
            .iter()
            .enumerate()
            .filter(move |(place, (_, stream))| {
                self.is_active(*place) && stream.module == module && accepts(streams, &stream.stream)
            })
            .map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bareroot_rpm_repo::modules::{Defaults, Stream};

    fn stream(module: &str, stream: &str, version: u64, requires: &[(&str, &str)]) -> Stream {
        Stream {
            module: module.to_owned(),
            stream: stream.to_owned(),
            version,
            requires: requires
                .iter()
                .map(|(module, streams)| {
                    let streams = streams.split_whitespace().map(str::to_owned).collect();
                    ((*module).to_owned(), streams)
                })
                .collect(),
            ..Stream::default()
        }
    }

    fn default(module: &str, stream: &str) -> Defaults {
        Defaults {
            module: module.to_owned(),
            stream: Some(stream.to_owned()),
            ..Defaults::default()
        }
    }

    fn active(modules: &Modules, platform: Option<&str>, enabled: &[(&str, &str)]) -> Result<String, Error> {
        let enabled = enabled
            .iter()
            .map(|(module, stream)| {
                let state = EnabledModule {
                    stream: (*stream).to_owned(),
                    profiles: Vec::new(),
                };
                ((*module).to_owned(), state)
            })
            .collect();
        let activation = Activation::new(Streams::new(&[(0, modules)]), platform, enabled)?;
        let mut found: Vec<String> = (0..modules.streams.len())
            .filter(|place| activation.is_active(*place))
            .map(|place| activation.streams.all[place].1)
            .map(|stream| format!("{}:{}:{}", stream.module, stream.stream, stream.version))
            .collect();
        found.sort();
        Ok(found.join(" "))
    }

    #[test]
    fn enabled_defaults_and_their_dependencies() {
        let modules = Modules {
            streams: vec![
                stream("perl", "5.26", 1, &[("platform", "el8")]),
                stream("perl", "5.26", 2, &[("platform", "el8")]),
                stream("perl", "5.30", 1, &[("platform", "el8")]),
                stream("dbi", "1", 1, &[("platform", "el8"), ("perl", "5.26")]),
                stream("dbi", "1", 1, &[("platform", "el8"), ("perl", "5.30")]),
                stream("idle", "1", 1, &[]),
                stream("other", "1", 1, &[("platform", "f30")]),
                stream("not", "1", 1, &[("perl", "-5.26")]),
            ],
            defaults: vec![default("perl", "5.26"), default("other", "1")],
            skipped: Vec::new(),
        };
        let el8 = Some("el8");
        // All builds of an active stream are active.
        assert_eq!(active(&modules, el8, &[]).unwrap(), "perl:5.26:1 perl:5.26:2");
        assert_eq!(active(&modules, None, &[]).unwrap(), "");
        assert_eq!(active(&modules, el8, &[("perl", "5.30")]).unwrap(), "perl:5.30:1");
        // The context that fits the default is taken, unless another stream is enabled.
        assert_eq!(
            active(&modules, el8, &[("dbi", "1")]).unwrap(),
            "dbi:1:1 perl:5.26:1 perl:5.26:2"
        );
        assert_eq!(
            active(&modules, el8, &[("dbi", "1"), ("perl", "5.30")]).unwrap(),
            "dbi:1:1 perl:5.30:1"
        );
        assert_eq!(
            active(&modules, el8, &[("not", "1")]).unwrap(),
            "not:1:1 perl:5.30:1"
        );
        assert!(matches!(
            active(&modules, el8, &[("not", "1"), ("perl", "5.26")]),
            Err(Error::Modules { .. })
        ));
        assert!(matches!(
            active(&modules, el8, &[("other", "1")]),
            Err(Error::Modules { .. })
        ));
    }

    #[test]
    fn the_newer_default_counts() {
        let defaults = |modified, stream: &str| Modules {
            defaults: vec![Defaults {
                modified,
                ..default("perl", stream)
            }],
            ..Modules::default()
        };
        let (old, new, other) = (defaults(1, "a"), defaults(2, "b"), defaults(2, "c"));
        let merged = |all: &[&Modules]| {
            let all: Vec<(usize, &Modules)> = all.iter().map(|modules| (0, *modules)).collect();
            Streams::new(&all)
                .defaults
                .get("perl")
                .map(|stream| (*stream).to_owned())
        };
        assert_eq!(merged(&[&old, &new]).as_deref(), Some("b"));
        assert_eq!(merged(&[&new, &old]).as_deref(), Some("b"));
        assert_eq!(merged(&[&new, &other]), None);
        assert_eq!(merged(&[&new, &new]).as_deref(), Some("b"));
    }
}
