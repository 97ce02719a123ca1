//! `bareroot init`: a recipe to begin with.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bareroot_bootstrap::Variant;
use bareroot_depot::recipe::{self, Recipe};

use crate::args::{Init, PlanOptions};
use crate::exit::Failure;
use crate::request::Misuse;
use crate::text;

/// Writes a recipe of what was typed, and never over a file that is there.
pub fn run(verb: &Init) -> Result<(), Failure> {
    if verb.spec.is_none() && verb.plan.sources.is_empty() && verb.plan.repos.is_empty() {
        return Err(Misuse::NothingToInit.into());
    }
    if let Some(variant) = verb
        .plan
        .variant
        .as_deref()
        .filter(|word| Variant::named(word).is_none())
    {
        return Err(Misuse::variant(variant).into());
    }
    if let Some(snapshot) = &verb.plan.snapshot {
        snapshot.parse::<bareroot_bootstrap::Snapshot>()?;
    }
    if let Some(spec) = &verb.spec {
        bareroot_bootstrap::catalogue::check(spec)?;
    }
    let recipe = recipe_of(&verb.plan, verb.spec.clone(), &verb.file);
    let output = |source| Failure::Output {
        path: verb.file.display().to_string(),
        source,
    };
    let mut file = File::create_new(&verb.file).map_err(output)?;
    file.write_all(recipe::render(&recipe).as_bytes())
        .map_err(output)?;
    text::to_stdout(&text::visible(&format!("{} is written\n", verb.file.display())));
    Ok(())
}

/// Options as a recipe at `file`, whose paths are relative to where it is.
fn recipe_of(plan: &PlanOptions, spec: Option<String>, file: &Path) -> Recipe {
    let here = file.parent().is_none_or(|parent| parent.as_os_str().is_empty());
    let path = |path: &PathBuf| {
        let path = match here {
            true => path.clone(),
            false => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
        };
        path.to_string_lossy().into_owned()
    };
    let paths = |all: &[PathBuf]| all.iter().map(path).collect::<Vec<_>>();
    let wish = |wish: &String| {
        let is_path = (wish.starts_with("./") || wish.starts_with("../")) && Path::new(wish).is_file();
        if is_path {
            path(&PathBuf::from(wish))
        } else {
            wish.clone()
        }
    };
    let either = |yes: bool, no: bool| match (yes, no) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    Recipe {
        spec,
        variant: plan.variant.clone(),
        arch: plan.arch.clone(),
        packages: recipe::Packages {
            include: plan.include.iter().map(wish).collect(),
            exclude: plan.exclude.clone(),
            recommends: either(plan.recommends, plan.no_recommends),
            with_optional: plan.with_optional,
            langs: plan.langs.clone(),
            nodocs: plan.nodocs,
        },
        from: recipe::From {
            mirrors: plan.mirrors.clone(),
            components: plan.components.clone(),
            updates: either(plan.updates, plan.no_updates),
            sources: paths(&plan.sources),
            repos: paths(&plan.repos),
            releasever: plan.releasever.clone(),
            snapshot: plan.snapshot.clone(),
            timeout: plan.timeout,
            offline: plan.offline,
            cache_dir: plan.cache_dir.as_ref().map(path),
            cache_from: paths(&plan.cache_from),
            payload_limit: plan.payload_limit.map(|bytes| bytes.to_string()),
            no_cache: plan.no_cache,
        },
        trust: recipe::Trust {
            keyrings: paths(&plan.keyrings),
            no_check_valid_until: plan.no_check_valid_until,
            allow_weak_keys: plan.weak_keys.clone(),
            allow_unauthenticated: plan.allow_unauthenticated,
        },
        make: recipe::Make {
            jobs: plan.jobs,
            ..recipe::Make::default()
        },
        ..Recipe::default()
    }
}
