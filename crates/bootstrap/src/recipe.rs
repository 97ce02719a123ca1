//! From a recipe to a request.
//!
//! Paths of a recipe are relative to the directory that it is in. Among wishes, hooks and options for apt and dpkg, where not
//! every word is a path, those count that begin with `./` or `../`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bareroot_depot::Recipe;
use bareroot_depot::recipe::{self, Filter as Path_};

use crate::bounded;
use crate::error::Error;
use crate::request::{CacheChoice, Filter, Hook, HookKind, LockUse, Request, Variant, Waivers};

/// Reads a recipe.
///
/// # Errors
/// When it cannot be read, or says something that means nothing.
pub fn read(path: &Path) -> Result<Recipe, Error> {
    let text = bounded::read_text(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(recipe::parse(&path.display().to_string(), &text)?)
}

/// The request of a recipe at `path`, with the lock beside it where that is fresh.
///
/// # Errors
/// When a value means nothing.
pub fn request_of(recipe: &Recipe, path: &Path) -> Result<Request, Error> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let wrong = |key, value: &str, reason: String| Error::RecipeValue {
        path: path.to_owned(),
        key,
        value: value.to_owned(),
        reason,
    };
    let variant = match recipe.variant.as_deref() {
        None => Variant::default(),
        Some(word) => Variant::named(word).ok_or_else(|| {
            let names: Vec<&str> = Variant::NAMES.iter().map(|(name, _)| *name).collect();
            wrong("variant", word, format!("there are {}", names.join(", ")))
        })?,
    };
    let jobs = recipe.make.jobs.map(usize::from);
    if let Some(jobs) = jobs.filter(|jobs| !(1..=256).contains(jobs)) {
        return Err(wrong("jobs", &jobs.to_string(), "there are 1 to 256".to_owned()));
    }
    if recipe.from.timeout == Some(0) {
        return Err(wrong("timeout", "0", "there is 1 and more".to_owned()));
    }
    let backend = recipe.make.rpmdb_backend.as_deref().map(|word| {
        let found = bareroot_rpm_db::Backend::of_word(word);
        found.ok_or_else(|| wrong("rpmdb-backend", word, "there are sqlite, ndb and bdb".to_owned()))
    });
    let snapshot = recipe.from.snapshot.as_deref().map(str::parse).transpose()?;
    let files = |paths: &[String]| {
        paths
            .iter()
            .map(|path| directory.join(path))
            .collect::<Vec<PathBuf>>()
    };
    let words = |words: &[String]| {
        words
            .iter()
            .map(|word| beside(word, directory))
            .collect::<Vec<String>>()
    };
    let from = &recipe.from;
    Ok(Request {
        spec: recipe.spec.clone(),
        variant,
        include: words(&recipe.packages.include),
        exclude: recipe.packages.exclude.clone(),
        recommends: recipe.packages.recommends,
        with_optional: recipe.packages.with_optional,
        langs: recipe.packages.langs.clone(),
        no_docs: recipe.packages.nodocs,
        components: from.components.clone(),
        mirrors: from.mirrors.clone(),
        // With a recipe it is the recipe that says what is read; a --mirror only says from where.
        updates: from
            .updates
            .or(recipe.spec.as_ref().map(|_| from.mirrors.is_empty())),
        sources: files(&from.sources),
        repos: files(&from.repos),
        releasever: from.releasever.clone(),
        snapshot: snapshot.clone(),
        meant_snapshot: snapshot,
        lock: LockUse::IfFresh(directory.join(bareroot_depot::lock::NAME)),
        recipe: Some(path.to_owned()),
        keyrings: files(&recipe.trust.keyrings),
        arch: recipe.arch.clone(),
        foreign: recipe.make.foreign,
        merged_usr: recipe.make.merged_usr,
        filters: recipe.filters.iter().map(filter).collect(),
        apt_options: words(&recipe.make.aptopts),
        dpkg_options: words(&recipe.make.dpkgopts),
        hostname: recipe.make.hostname.clone(),
        hooks: hooks(recipe, directory),
        waivers: Waivers {
            valid_until: recipe.trust.no_check_valid_until,
            signature: recipe.trust.allow_unauthenticated,
            weak_keys: recipe.trust.allow_weak_keys.clone(),
        },
        cache: match (&from.cache_dir, from.no_cache) {
            (_, true) => CacheChoice::None,
            (Some(path), _) => CacheChoice::Dir(directory.join(path)),
            _ => CacheChoice::Default,
        },
        cache_from: files(&from.cache_from),
        offline: from.offline,
        timeout: from.timeout.map(|seconds| Duration::from_secs(seconds.into())),
        jobs,
        rpmdb_backend: backend.transpose()?,
        no_host_files: recipe.make.no_host_files,
        no_standins: recipe.make.no_standins,
        ..Request::default()
    })
}

fn filter(filter: &Path_) -> Filter {
    let (include, glob) = match filter {
        Path_::Exclude(glob) => (false, glob),
        Path_::Include(glob) => (true, glob),
    };
    Filter {
        include,
        glob: glob.clone(),
    }
}

fn hooks(recipe: &Recipe, directory: &Path) -> Vec<Hook> {
    let kinds = [
        (HookKind::Setup, &recipe.hooks.setup),
        (HookKind::Extract, &recipe.hooks.extract),
        (HookKind::Essential, &recipe.hooks.essential),
        (HookKind::Customize, &recipe.hooks.customize),
    ];
    let of = |(kind, commands): &(HookKind, &Vec<String>)| {
        let kind = *kind;
        let commands: Vec<Hook> = commands
            .iter()
            .map(|command| Hook {
                kind,
                command: beside(command, directory),
            })
            .collect();
        commands
    };
    kinds.iter().flat_map(of).collect()
}

/// A word that is a path by its first characters and names a file, as seen from here.
fn beside(word: &str, directory: &Path) -> String {
    let path = directory.join(word);
    let is_path = word.starts_with("./") || word.starts_with("../");
    match path.to_str() {
        // A path that stands for a file keeps its dot: by that apt tells it from a package's name.
        Some(text) if is_path && path.is_file() => match path.is_absolute() || text.starts_with('.') {
            true => text.to_owned(),
            false => format!("./{text}"),
        },
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_reaches_the_request() {
        let scratch = tempfile::tempdir().unwrap();
        std::fs::write(scratch.path().join("own.deb"), "").unwrap();
        let path = scratch.path().join("root.toml");
        let text = "spec = \"debian:trixie\"\nvariant = \"buildd\"\narch = \"i386\"\n\
            filters = [{ exclude = \"/a\" }, { include = \"/b\" }]\n\
            [packages]\ninclude = [\"vim\", \"./own.deb\", \"./none.deb\"]\nexclude = [\"nano\"]\nrecommends = true\n\
            with-optional = true\nlangs = [\"de\"]\nnodocs = true\n\
            [from]\nmirrors = [\"http://m\"]\ncomponents = [\"main\"]\nsources = [\"a.sources\"]\nrepos = [\"/b.repo\"]\n\
            releasever = \"9\"\nsnapshot = \"2026-01-31\"\ntimeout = 5\noffline = true\ncache-dir = \"cache\"\ncache-from = [\"shared\"]\n\
            [trust]\nkeyrings = [\"k.pgp\"]\nno-check-valid-until = true\nallow-weak-keys = [\"AB\"]\n\
            allow-unauthenticated = true\n\
            [make]\njobs = 3\nforeign = true\nmerged-usr = true\naptopts = [\"x\"]\ndpkgopts = [\"y\"]\nhostname = \"h\"\n\
            no-host-files = true\nrpmdb-backend = \"ndb\"\nno-standins = true\n\
            [hooks]\nsetup = [\"s\"]\nextract = [\"e\"]\nessential = [\"n\"]\ncustomize = [\"./own.deb\"]\n";
        std::fs::write(&path, text).unwrap();
        let request = request_of(&read(&path).unwrap(), &path).unwrap();
        let beside = |name: &str| scratch.path().join(name);
        let own = scratch.path().join("./own.deb").display().to_string();
        let wanted = Request {
            spec: Some("debian:trixie".into()),
            variant: Variant::Buildd,
            include: vec!["vim".into(), own.clone(), "./none.deb".into()],
            exclude: vec!["nano".into()],
            recommends: Some(true),
            with_optional: true,
            langs: Some(vec!["de".into()]),
            no_docs: true,
            components: vec!["main".into()],
            mirrors: vec!["http://m".into()],
            updates: Some(false),
            sources: vec![beside("a.sources")],
            repos: vec!["/b.repo".into()],
            releasever: Some("9".into()),
            snapshot: Some("20260131T000000Z".parse().unwrap()),
            meant_snapshot: Some("20260131T000000Z".parse().unwrap()),
            lock: LockUse::IfFresh(beside("bareroot.lock")),
            recipe: Some(path.clone()),
            keyrings: vec![beside("k.pgp")],
            arch: Some("i386".into()),
            foreign: true,
            merged_usr: true,
            filters: [("/a", false), ("/b", true)]
                .map(|(glob, include)| Filter {
                    include,
                    glob: glob.into(),
                })
                .into(),
            apt_options: vec!["x".into()],
            dpkg_options: vec!["y".into()],
            hostname: Some("h".into()),
            hooks: [
                (HookKind::Setup, "s"),
                (HookKind::Extract, "e"),
                (HookKind::Essential, "n"),
                (HookKind::Customize, own.as_str()),
            ]
            .map(|(kind, command)| Hook {
                kind,
                command: command.into(),
            })
            .into(),
            waivers: Waivers {
                valid_until: true,
                signature: true,
                weak_keys: vec!["AB".into()],
            },
            cache: CacheChoice::Dir(beside("cache")),
            cache_from: vec![beside("shared")],
            offline: true,
            timeout: Some(Duration::from_secs(5)),
            jobs: Some(3),
            rpmdb_backend: Some(bareroot_rpm_db::Backend::Ndb),
            no_host_files: true,
            no_standins: true,
            ..Request::default()
        };
        assert_eq!(format!("{request:#?}"), format!("{wanted:#?}"));
    }

    #[test]
    fn values_that_mean_nothing() {
        for (text, words) in [
            ("variant = \"tiny\"", "`variant` is `tiny`"),
            ("[make]\njobs = 0", "`jobs` is `0`"),
            ("[make]\nrpmdb-backend = \"x\"", "`rpmdb-backend` is `x`"),
            ("[from]\ntimeout = 0", "`timeout` is `0`"),
            ("[from]\nsnapshot = \"now\"", "`now` is no moment"),
        ] {
            let recipe = recipe::parse("root.toml", text).unwrap();
            match request_of(&recipe, Path::new("root.toml")) {
                Err(error) => assert!(error.to_string().contains(words), "{error}"),
                Ok(_) => panic!("{text}"),
            }
        }
    }
}
