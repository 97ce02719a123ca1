//! From what was typed to a [`Request`].

use std::time::Duration;

use bareroot_bootstrap::{CacheChoice, Filter, Hook, HookKind, LockUse, Request, Snapshot, Target, Variant};
use bareroot_enter::mode::Choice;
use clap::ArgMatches;

use crate::args::{self, Bootstrap, PlanOptions};
use crate::base::Base;

/// A command line that clap accepts and that still makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum Misuse {
    #[error("no variant is called `{0}`; there are {1}")]
    Variant(String, String),
    #[error(
        "`{0}` is given, but neither what to make (SPEC, for example debian:trixie) nor --sources or --repo"
    )]
    NoSpec(String),
    #[error(
        "there is no cache directory: neither XDG_CACHE_HOME nor HOME names one, and --cache-dir is not given"
    )]
    NoCacheDir,
    #[error("no target directory is given after `{0}`")]
    NoTarget(String),
    #[error("neither what to make (SPEC, for example debian:trixie) nor --sources or --repo is given")]
    NothingToInit,
    #[error("{path}: `{key}` in it means nothing: {reason}")]
    Recipe {
        path: String,
        key: &'static str,
        reason: String,
    },
    #[error("--second-stage takes a root only, and is given `{0}` before it")]
    SecondStage(String),
    #[error("the archive and the events of --json cannot both go to standard output")]
    JsonOnStdout,
    #[error(transparent)]
    Work(#[from] bareroot_bootstrap::Error),
}

impl Misuse {
    /// A word that is no variant.
    pub fn variant(word: &str) -> Misuse {
        let names: Vec<&str> = Variant::NAMES.iter().map(|(name, _)| *name).collect();
        Misuse::Variant(word.to_owned(), names.join(", "))
    }
}

impl PlanOptions {
    /// The part of the request that every verb has: the options over what a SPEC, a recipe or a lock means. Lists of packages
    /// are added to; everything else takes the place of what is there (docs/recipe.md).
    pub fn over(&self, base: &Base) -> Result<Request, Misuse> {
        let mut request = base.request()?;
        if let Some(word) = &self.variant {
            request.variant = Variant::named(word).ok_or_else(|| Misuse::variant(word))?;
        }
        request.include.extend(words(&self.include));
        request.exclude.extend(words(&self.exclude));
        match (self.recommends, self.no_recommends) {
            (true, _) => request.recommends = Some(true),
            (_, true) => request.recommends = Some(false),
            _ => {}
        }
        match (self.updates, self.no_updates) {
            (true, _) => request.updates = Some(true),
            (_, true) => request.updates = Some(false),
            _ => {}
        }
        request.with_optional |= self.with_optional;
        request.no_docs |= self.nodocs;
        if let Some(langs) = &self.langs {
            request.langs = Some(words(langs));
        }
        replace(&mut request.components, words(&self.components));
        replace_mirrors(&mut request.mirrors, &self.mirrors);
        replace(&mut request.sources, self.sources.clone());
        replace(&mut request.repos, self.repos.clone());
        replace(&mut request.keyrings, self.keyrings.clone());
        request.releasever = self.releasever.clone().or(request.releasever);
        request.arch = self.arch.clone().or(request.arch);
        if let Some(snapshot) = &self.snapshot {
            let snapshot: Snapshot = snapshot.parse()?;
            if matches!(base, Base::Spec(_)) {
                request.meant_snapshot = Some(snapshot.clone());
            }
            request.snapshot = Some(snapshot);
        }
        request.waivers.valid_until |= self.no_check_valid_until;
        request.waivers.signature |= self.allow_unauthenticated;
        replace(&mut request.waivers.weak_keys, self.weak_keys.clone());
        match (&self.cache_dir, self.no_cache) {
            (_, true) => request.cache = CacheChoice::None,
            (Some(dir), _) => request.cache = CacheChoice::Dir(dir.clone()),
            _ => {}
        }
        replace(&mut request.cache_from, self.cache_from.clone());
        let own = base
            .recipe()
            .and_then(|recipe| recipe.from.payload_limit.as_deref());
        let own =
            own.map(|word| args::units::size(word).map_err(|reason| base.wrong("payload-limit", reason)));
        request.payload_limit = self.payload_limit.or(own.transpose()?);
        request.offline |= self.offline;
        let timeout = self.timeout.map(|seconds| Duration::from_secs(seconds.into()));
        request.timeout = timeout.or(request.timeout);
        request.jobs = self.jobs.map(usize::from).or(request.jobs);
        Ok(request)
    }
}

/// What is typed takes the place of what is there.
fn replace<T>(there: &mut Vec<T>, typed: Vec<T>) {
    if !typed.is_empty() {
        *there = typed;
    }
}

/// Addresses take the place of addresses, and one-line entries, which say what is read and not only from where, that of
/// entries.
fn replace_mirrors(there: &mut Vec<String>, typed: &[String]) {
    for kind in [true, false] {
        if typed.iter().any(|mirror| Request::is_entry(mirror) == kind) {
            there.retain(|mirror| Request::is_entry(mirror) != kind);
        }
    }
    there.extend_from_slice(typed);
}

/// `--locked`.
pub trait Insist {
    /// With `locked` the lock of a base is used, and nothing else.
    fn insist(&mut self, locked: bool, base: &Base);
}

impl Insist for Request {
    fn insist(&mut self, locked: bool, base: &Base) {
        if locked {
            self.lock = LockUse::Only(base.lock());
        }
    }
}

impl Bootstrap {
    /// SPEC and TARGET, as they were typed.
    fn spec_and_target(&self) -> Result<(Option<&str>, Option<&str>), Misuse> {
        match self.words.as_slice() {
            [target] if self.make.second_stage => Ok((None, Some(target))),
            [spec, _] if self.make.second_stage => Err(Misuse::SecondStage(spec.clone())),
            [spec, target] => Ok((Some(spec), Some(target))),
            // It may name its target itself.
            [word] if word.ends_with(".toml") => Ok((Some(word), None)),
            [word] if !self.plan.sources.is_empty() || !self.plan.repos.is_empty() => Ok((None, Some(word))),
            [word] if word.contains(':') && !word.contains('/') || word.ends_with(".lock") => {
                Err(Misuse::NoTarget(word.clone()))
            }
            [word] => Err(Misuse::NoSpec(word.clone())),
            _ => Err(Misuse::NoTarget(String::new())),
        }
    }

    /// How the run comes by root's rights: by the option, else by the recipe. What cannot be read is told when the request is
    /// made.
    pub fn mode(&self) -> Choice {
        let recipe = || {
            let (spec, _) = self.spec_and_target().ok()?;
            let base = Base::of(spec).ok()?;
            args::mode(base.recipe()?.make.mode.as_deref()?).ok()
        };
        self.make.mode.or_else(recipe).unwrap_or(Choice::Auto)
    }

    /// The whole request and the target. `matches` are the verb's own, for the order of options of several names.
    pub fn request(&self, matches: &ArgMatches) -> Result<(Request, Target), Misuse> {
        let (spec, typed) = self.spec_and_target()?;
        let base = Base::of(spec)?;
        let recipe = base.recipe();
        let target = match (typed, recipe.and_then(|recipe| recipe.output.target.as_deref())) {
            (Some(typed), _) => typed.to_owned(),
            (None, Some(own)) => base.beside(own),
            (None, None) => return Err(Misuse::NoTarget(spec.unwrap_or_default().to_owned())),
        };
        let make = &self.make;
        let mut format = make.format;
        if let Some(recipe) = recipe {
            if let Some(word) = recipe.output.format.as_deref() {
                let own = args::format(word).map_err(|reason| base.wrong("format", reason))?;
                format = format.or(Some(own));
            }
            if let Some(word) = recipe.make.mode.as_deref() {
                args::mode(word).map_err(|reason| base.wrong("mode", reason))?;
            }
        }
        let target = Target::new(&target, format)?;
        if target.is_stdout() && self.talk.json {
            return Err(Misuse::JsonOnStdout);
        }
        let mut request = self.plan.over(&base)?;
        request.insist(self.locked, &base);
        request.merged_usr |= make.merged_usr;
        request.apt_options.extend(make.apt_options.iter().cloned());
        request.dpkg_options.extend(make.dpkg_options.iter().cloned());
        request.hostname = make.hostname.clone().or(request.hostname);
        request.foreign |= make.foreign;
        request.no_host_files |= make.no_host_files;
        request.no_standins |= make.no_standins;
        request.rpmdb_backend = make.rpmdb_backend.or(request.rpmdb_backend);
        request.filters.extend(in_order(
            matches,
            &[
                ("path_exclude", &make.path_exclude, false),
                ("path_include", &make.path_include, true),
            ],
            |glob, include| Filter { include, glob },
        ));
        request.hooks.extend(in_order(
            matches,
            &[
                ("setup_hook", &make.setup_hook, HookKind::Setup),
                ("extract_hook", &make.extract_hook, HookKind::Extract),
                ("essential_hook", &make.essential_hook, HookKind::Essential),
                ("customize_hook", &make.customize_hook, HookKind::Customize),
            ],
            |command, kind| Hook { kind, command },
        ));
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

    /// Options of the command line that a recipe does not have: they say how a run is told, or which lock it uses.
    const NOT_IN_A_RECIPE: &[&str] = &[
        "quiet",
        "verbose",
        "json",
        "trace",
        "locked",
        "second-stage",
        "help",
        "version",
    ];

    #[test]
    fn a_recipe_can_say_everything() {
        let command = Cli::command();
        let bootstrap = command.find_subcommand("bootstrap").unwrap();
        let keys: Vec<&str> = bareroot_depot::recipe::KEYS
            .iter()
            .flat_map(|key| key.option.split(", "))
            .collect();
        for argument in bootstrap.get_arguments() {
            let Some(long) = argument.get_long() else { continue };
            let known = keys.contains(&format!("--{long}").as_str());
            assert_ne!(known, NOT_IN_A_RECIPE.contains(&long), "--{long}");
        }
        for option in keys.iter().filter_map(|key| key.strip_prefix("--")) {
            let is = |argument: &clap::Arg| argument.get_long() == Some(option);
            assert!(bootstrap.get_arguments().any(is), "--{option}");
        }
    }

    #[test]
    fn options_over_a_recipe() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("root.toml");
        let recipe = "spec = \"debian:trixie\"\nvariant = \"apt\"\n[packages]\ninclude = [\"vim\"]\nrecommends = true\n\
            [from]\nmirrors = [\"http://a\", \"deb http://e x main\"]\nsnapshot = \"2026-01-31\"\n\
            [hooks]\ncustomize = [\"a\"]\n[output]\ntarget = \"out.tar\"\n";
        std::fs::write(&path, recipe).unwrap();
        let recipe = path.to_str().unwrap();
        let (request, target) = parse(&["bareroot", "bootstrap", recipe]).unwrap();
        assert_eq!(request.variant, Variant::Apt);
        assert_eq!(
            request.lock,
            LockUse::IfFresh(scratch.path().join("bareroot.lock"))
        );
        assert_eq!(
            target,
            Target::new(scratch.path().join("out.tar").to_str().unwrap(), None).unwrap()
        );
        let (request, target) = parse(&[
            "bareroot",
            "bootstrap",
            recipe,
            "./t",
            "--variant",
            "custom",
            "--include",
            "nano",
            "--no-recommends",
            "--mirror",
            "http://b",
            "--snapshot",
            "20260201",
            "--customize-hook",
            "b",
            "--locked",
            "--mode",
            "single",
        ])
        .unwrap();
        assert_eq!(request.variant, Variant::Custom);
        assert_eq!(request.include, ["vim", "nano"]);
        assert_eq!(request.recommends, Some(false));
        assert_eq!(request.mirrors, ["deb http://e x main", "http://b"]);
        assert_eq!(request.updates, Some(false), "as the recipe has a mirror");
        assert_eq!(
            request.snapshot.map(|at| at.to_string()).as_deref(),
            Some("20260201T000000Z")
        );
        assert_eq!(
            request.meant_snapshot.map(|at| at.to_string()).as_deref(),
            Some("20260131T000000Z")
        );
        assert_eq!(request.hooks.len(), 2);
        assert_eq!(request.lock, LockUse::Only(scratch.path().join("bareroot.lock")));
        assert_eq!(target, Target::Directory("./t".into()));
        for (wrong, words) in [
            ("[output]\nformat = \"zip\"", "`format`"),
            ("[make]\nmode = \"x\"", "`mode`"),
        ] {
            std::fs::write(&path, wrong).unwrap();
            match parse(&["bareroot", "bootstrap", recipe, "./t"]) {
                Err(error) => assert!(error.to_string().contains(words), "{error}"),
                Ok(_) => panic!("{wrong}"),
            }
        }
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
            Err(Misuse::Work(_))
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
