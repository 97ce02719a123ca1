//! From what was typed to a [`Request`].

use std::time::Duration;

use bareroot_bootstrap::{CacheChoice, Filter, Hook, HookKind, Request, Target, Variant, Waivers};
use clap::ArgMatches;

use crate::args::{Bootstrap, PlanOptions};

/// A command line that clap accepts and that still makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum Misuse {
    #[error("no variant is called `{0}`; there are {1}")]
    Variant(String, String),
    #[error(
        "`{0}` is given, but neither what to make (SPEC, for example debian:trixie) nor --sources or --repo"
    )]
    NoSpec(String),
    #[error("no target directory is given after `{0}`")]
    NoTarget(String),
    #[error("--second-stage takes a root only, and is given `{0}` before it")]
    SecondStage(String),
    #[error("the archive and the events of --json cannot both go to standard output")]
    JsonOnStdout,
    #[error(transparent)]
    Target(#[from] bareroot_bootstrap::Error),
}

impl PlanOptions {
    /// The part of the request that every verb has.
    pub fn request(&self, spec: Option<String>) -> Result<Request, Misuse> {
        let variant = Variant::named(&self.variant).ok_or_else(|| {
            let names: Vec<&str> = Variant::NAMES.iter().map(|(name, _)| *name).collect();
            Misuse::Variant(self.variant.clone(), names.join(", "))
        })?;
        Ok(Request {
            spec,
            variant,
            include: words(&self.include),
            exclude: words(&self.exclude),
            recommends: match (self.recommends, self.no_recommends) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            with_optional: self.with_optional,
            langs: self.langs.as_ref().map(|langs| words(langs)),
            no_docs: self.nodocs,
            components: words(&self.components),
            mirrors: self.mirrors.clone(),
            updates: match (self.updates, self.no_updates) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            sources: self.sources.clone(),
            repos: self.repos.clone(),
            releasever: self.releasever.clone(),
            keyrings: self.keyrings.clone(),
            arch: self.arch.clone(),
            waivers: Waivers {
                valid_until: self.no_check_valid_until,
                signature: self.allow_unauthenticated,
                weak_keys: self.weak_keys.clone(),
            },
            cache: match (&self.cache_dir, self.no_cache) {
                (_, true) => CacheChoice::None,
                (Some(dir), _) => CacheChoice::Dir(dir.clone()),
                _ => CacheChoice::Default,
            },
            offline: self.offline,
            timeout: self.timeout.map(|seconds| Duration::from_secs(seconds.into())),
            jobs: self.jobs.map(usize::from),
            ..Request::default()
        })
    }
}

impl Bootstrap {
    /// The whole request and the target. `matches` are the verb's own, for the order of options of several names.
    pub fn request(&self, matches: &ArgMatches) -> Result<(Request, Target), Misuse> {
        let (spec, target) = match self.words.as_slice() {
            [target] if self.make.second_stage => (None, target),
            [spec, _] if self.make.second_stage => return Err(Misuse::SecondStage(spec.clone())),
            [spec, target] => (Some(spec.clone()), target),
            [word] if !self.plan.sources.is_empty() || !self.plan.repos.is_empty() => (None, word),
            [word] if word.contains(':') && !word.contains('/') => {
                return Err(Misuse::NoTarget(word.clone()));
            }
            [word] => return Err(Misuse::NoSpec(word.clone())),
            _ => return Err(Misuse::NoTarget(String::new())),
        };
        let make = &self.make;
        let target = Target::new(target, make.format)?;
        if target.is_stdout() && self.talk.json {
            return Err(Misuse::JsonOnStdout);
        }
        let mut request = self.plan.request(spec)?;
        request.merged_usr = make.merged_usr;
        request.apt_options = make.apt_options.clone();
        request.dpkg_options = make.dpkg_options.clone();
        request.foreign = make.foreign;
        request.hostname = make.hostname.clone();
        request.no_host_files = make.no_host_files;
        request.rpmdb_backend = make.rpmdb_backend;
        request.no_standins = make.no_standins;
        request.filters = in_order(
            matches,
            &[
                ("path_exclude", &make.path_exclude, false),
                ("path_include", &make.path_include, true),
            ],
            |glob, include| Filter { include, glob },
        );
        request.hooks = in_order(
            matches,
            &[
                ("setup_hook", &make.setup_hook, HookKind::Setup),
                ("extract_hook", &make.extract_hook, HookKind::Extract),
                ("essential_hook", &make.essential_hook, HookKind::Essential),
                ("customize_hook", &make.customize_hook, HookKind::Customize),
            ],
            |command, kind| Hook { kind, command },
        );
        Ok((request, target))
    }
}

/// The values of several options in the order in which they were typed: the last match of a filter wins.
fn in_order<K: Copy, T>(
    matches: &ArgMatches,
    options: &[(&str, &Vec<String>, K)],
    make: impl Fn(String, K) -> T,
) -> Vec<T> {
    let mut found: Vec<(usize, T)> = Vec::new();
    for (id, values, kind) in options {
        let places = matches.indices_of(id).into_iter().flatten();
        found.extend(
            places
                .zip(values.iter())
                .map(|(place, value)| (place, make(value.clone(), *kind))),
        );
    }
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, value)| value).collect()
}

/// The non-empty words: `--include a,,b` and a trailing comma are harmless.
fn words(values: &[String]) -> Vec<String> {
    values
        .iter()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::args::{Cli, Verb};

    fn parse(words: &[&str]) -> Result<(Request, Target), Misuse> {
        let matches = Cli::command().get_matches_from(words);
        let cli = Cli::from_arg_matches(&matches).unwrap();
        let Verb::Bootstrap(verb) = cli.verb else {
            panic!("not bootstrap")
        };
        verb.request(matches.subcommand().unwrap().1)
    }

    #[test]
    fn filters_keep_their_order() {
        let (request, target) = parse(&[
            "bareroot",
            "bootstrap",
            "debian:trixie",
            "./t",
            "--path-exclude=/a/*",
            "--path-include=/a/b",
            "--path-exclude=/c",
            "--include",
            "vim,,nano,",
        ])
        .unwrap();
        let globs: Vec<_> = request
            .filters
            .iter()
            .map(|f| (f.glob.as_str(), f.include))
            .collect();
        assert_eq!(globs, [("/a/*", false), ("/a/b", true), ("/c", false)]);
        assert_eq!(request.include, ["vim", "nano"]);
        assert_eq!(target, Target::Directory("./t".into()));
    }

    #[test]
    fn a_single_word_needs_sources() {
        assert!(matches!(
            parse(&["bareroot", "bootstrap", "./t"]),
            Err(Misuse::NoSpec(_))
        ));
        assert!(matches!(
            parse(&["bareroot", "bootstrap", "debian:sid"]),
            Err(Misuse::NoTarget(_))
        ));
        let (request, target) = parse(&["bareroot", "bootstrap", "./t", "--sources", "x.sources"]).unwrap();
        assert_eq!((request.spec, target), (None, Target::Directory("./t".into())));
    }

    #[test]
    fn an_archive_by_name_or_format() {
        let target = |words: &[&str]| {
            let all = [&["bareroot", "bootstrap", "debian:sid"], words].concat();
            parse(&all).map(|(_, target)| target)
        };
        assert!(matches!(target(&["t.tar.zst"]).unwrap(), Target::Archive(..)));
        assert!(target(&["-", "--format", "tar.xz"]).unwrap().is_stdout());
        assert!(matches!(
            target(&["t.tar", "--format", "directory"]).unwrap(),
            Target::Directory(_)
        ));
        assert!(matches!(target(&["-", "--json"]), Err(Misuse::JsonOnStdout)));
        assert!(matches!(
            target(&["-", "--format", "directory"]),
            Err(Misuse::Target(_))
        ));
    }

    #[test]
    fn debootstrap_calls_its_default_variant_a_dash() {
        let (request, _) = parse(&["bareroot", "bootstrap", "debian:sid", "t", "--variant", "-"]).unwrap();
        assert_eq!(request.variant, Variant::Important);
        assert!(matches!(
            parse(&["bareroot", "bootstrap", "debian:sid", "t", "--variant", "tiny"]),
            Err(Misuse::Variant(..))
        ));
    }
}
