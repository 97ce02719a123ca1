//! `cargo xtask rpm-distro`: a complete RPM distribution, signed, built from Debian's packages and the recipe's own.

mod build;
mod changes;
mod convert;
mod debs;
mod index;
mod recipe;
mod relations;
mod sign;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use sha2::{Digest as _, Sha256};

use crate::machine::{self, Need};
use build::{Builder, Compression, Job};
use convert::Converter;
use debs::Repo;
use recipe::Recipe;
use relations::Names;
use sign::Key;

/// How many packages the distribution has at least.
const ENOUGH: usize = 300;

/// What says that a directory is whole, and by which recipe it was built.
const STAMP: &str = "stamp";

/// `cargo xtask rpm-distro`.
#[derive(clap::Args)]
pub struct Args {
    /// Where the distribution is made; one that the same recipe made is left as it is
    dir: PathBuf,
    /// How many packages are built at a time
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Leave the trees and spec files where they are
    #[arg(long)]
    keep: bool,
}

/// Builds the distribution.
///
/// # Errors
/// When this machine cannot, or a program fails.
pub fn run(args: &Args) -> Result<()> {
    machine::prepare(Need::Rpm)?;
    ensure_built(&args.dir, args.jobs, args.keep)
}

/// The text of a .repo file for the distribution's two repositories, served below a URL.
pub fn repo_file(url: &str) -> String {
    let url = url.trim_end_matches('/');
    Repo::ALL
        .map(|repo| {
            let id = repo.word();
            format!(
                "[{id}]\nname=testos $releasever - {id}\nbaseurl={url}/{id}/\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n\
                 gpgkey={url}/{}\n",
                sign::KEY_FILE
            )
        })
        .join("\n")
}

/// The distribution in a directory, built unless the same recipe has built it there already.
///
/// # Errors
/// When a program fails.
pub fn ensure_built(dir: &Path, jobs: usize, keep: bool) -> Result<()> {
    let dir = std::path::absolute(dir)?;
    let recipe = Recipe::read()?;
    let stamp = stamp(&recipe)?;
    if fs::read_to_string(dir.join(STAMP)).is_ok_and(|there| there == stamp) {
        println!("note `{}` is there already", dir.display());
        return Ok(());
    }
    let parent = dir.parent().context("a distribution cannot be made in /")?;
    fs::create_dir_all(parent)?;
    // Renamed when whole: whoever reads the old one meanwhile sees all of it.
    let new = tempfile::Builder::new()
        .prefix(".rpm-distro-")
        .tempdir_in(parent)?;
    fs::set_permissions(new.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    build(&recipe, new.path(), jobs, keep)?;
    fs::write(
        new.path().join("distro.repo"),
        repo_file(&format!("file://{}", dir.display())),
    )?;
    fs::write(new.path().join(STAMP), stamp)?;
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    fs::rename(new.keep(), &dir)?;
    Ok(())
}

fn build(recipe: &Recipe, dir: &Path, jobs: usize, keep: bool) -> Result<()> {
    let start = Instant::now();
    let said = |what: &str| println!("note {:5.1} s {what}", start.elapsed().as_secs_f32());
    let cache = machine::target().join("rpm-distro");
    let work = tempfile::Builder::new().prefix("build-").tempdir_in({
        fs::create_dir_all(&cache)?;
        &cache
    })?;
    let home = work.path();
    let debs = debs::fetch(&cache, recipe)?;
    said(&format!("{} packages of Debian's fetched", debs.len()));
    let key = Key::make(&home.join("gnupg"), dir)?;
    let names = Names::of(&debs, &recipe.without)?;
    let directories = recipe
        .list("filesystem.dirs")?
        .into_iter()
        .collect::<BTreeSet<_>>();
    let no_requires = recipe.list("no-requires.list")?.into_iter().collect();
    let converter = Converter {
        recipe: &recipe.home,
        names: &names,
        directories: &directories,
        no_requires: &no_requires,
    };
    let builder = Builder {
        recipe: &recipe.home,
        home,
        dir,
    };
    builder.prepare()?;
    let own = recipe.specs()?.into_iter().enumerate().map(|(number, spec)| {
        let extra = spec
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("extra-"));
        Job {
            spec,
            repo: if extra { Repo::Extra } else { Repo::Base },
            compression: Compression::of(number, 0),
        }
    });
    build::each(own.collect(), jobs, |job| builder.build(&job))?;
    said("the recipe's own packages built");
    build::each(debs.iter().enumerate().collect(), jobs, |(number, deb)| {
        let source = converter.convert(deb, home)?;
        builder.build(&Job {
            spec: source.spec,
            repo: deb.repo,
            compression: Compression::of(number, source.size),
        })
    })?;
    let mut count = 0;
    for repo in Repo::ALL {
        let packages = packages(&dir.join(repo.word()))?;
        count += packages.len();
        key.sign_packages(&packages, jobs)?;
        said(&format!(
            "{}: {} packages built and signed",
            repo.word(),
            packages.len()
        ));
    }
    ensure!(count >= ENOUGH, "only {count} packages");
    for repo in Repo::ALL {
        index::index(&recipe.home, dir, repo, &key)?;
    }
    said("indexed");
    if keep {
        println!("note the trees and spec files are in {}", work.keep().display());
    }
    Ok(())
}

/// The packages of a repository, below its directories by architecture.
fn packages(repository: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for directory in fs::read_dir(repository)? {
        for package in fs::read_dir(directory?.path())? {
            found.push(package?.path());
        }
    }
    found.sort();
    Ok(found)
}

/// A digest of everything that shapes the distribution, but for Debian's packages.
fn stamp(recipe: &Recipe) -> Result<String> {
    let mut files = Vec::new();
    let code = machine::workspace().join("xtask/src/rpm_distro");
    let mut directories = vec![recipe.home.clone(), code];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let bytes = fs::read(&file).with_context(|| file.display().to_string())?;
        digest.update(file.file_name().unwrap_or_default().as_encoded_bytes());
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    }
    Ok(hex(&digest.finalize()) + "\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
