//! `bareroot distros`: the catalogue.

use std::fmt::Write as _;

use bareroot_bootstrap::catalogue;
use bareroot_bootstrap::catalogue::rpm::{Address, Distribution, Release, Repository};
use serde_json::{Value, json};

use crate::args::Distros;
use crate::exit::Failure;
use crate::text;

/// Lists what can be named in a SPEC.
pub fn run(verb: &Distros) -> Result<(), Failure> {
    let words = match verb.json {
        true => {
            let releases: Vec<Value> = deb_documents().chain(rpm_documents()).collect();
            format!("{}\n", json!({ "releases": releases }))
        }
        false => table(),
    };
    text::to_stdout(&words);
    Ok(())
}

/// One line a release: the SPEC, its other names, the database, where it comes from, and what is particular about it.
fn table() -> String {
    let mut lines = String::new();
    let mut line = |spec: String, others: &str, database: &str, from: &str, notes: Vec<String>| {
        let notes = match notes.is_empty() {
            true => String::new(),
            false => format!("  ({})", notes.join("; ")),
        };
        let _ = writeln!(lines, "{spec:<27} {others:<33} {database:<7} {from}{notes}");
    };
    for distribution in catalogue::all() {
        for release in &distribution.releases {
            let default = release.codename == distribution.default;
            line(
                format!("{}:{}", distribution.id, release.codename),
                &names(release.version.iter().chain(&release.aliases)),
                "dpkg",
                &distribution.mirror,
                default.then(|| "default".to_owned()).into_iter().collect(),
            );
        }
    }
    for (distribution, release) in rpm_releases() {
        let backend = release.database.backend;
        let mut notes = Vec::new();
        if release.name == distribution.default {
            notes.push("default".to_owned());
        }
        if let Some(day) = &release.end_of_life {
            notes.push(format!("updates until {day}"));
        }
        let mut repositories = distribution.repositories_of(release);
        let list = || {
            repositories
                .next()
                .map(|repository| address(distribution, release, repository).1)
        };
        let from = distribution.mirror_of(release).or_else(list).unwrap_or_default();
        line(
            format!("{}:{}", distribution.id, release.name),
            &names(
                distribution
                    .aliases
                    .iter()
                    .map(|alias| format!("{alias}:"))
                    .chain(release.aliases.iter().cloned()),
            ),
            backend.word(),
            from,
            notes,
        );
    }
    lines
}

fn names(words: impl Iterator<Item = impl AsRef<str>>) -> String {
    words
        .map(|word| word.as_ref().to_owned())
        .collect::<Vec<_>>()
        .join(", ")
}

fn deb_documents() -> impl Iterator<Item = Value> {
    let of = |distribution: &'static catalogue::Distribution| {
        distribution.releases.iter().map(move |release| {
            json!({
                "spec": format!("{}:{}", distribution.id, release.codename),
                "family": "deb",
                "distribution": distribution.name,
                "default": release.codename == distribution.default,
                "aliases": release.aliases,
                "architectures": distribution.architectures,
                "mirror": distribution.mirror,
                "keyring": distribution.keyring,
                "version": release.version,
                "components": distribution.components,
            })
        })
    };
    catalogue::all().iter().flat_map(of)
}

fn rpm_releases() -> impl Iterator<Item = (&'static Distribution, &'static Release)> {
    let of = |distribution: &'static Distribution| {
        let releases = distribution.releases.iter();
        releases.map(move |release| (distribution, release))
    };
    catalogue::rpm::all().iter().flat_map(of)
}

fn rpm_documents() -> impl Iterator<Item = Value> {
    rpm_releases().map(|(distribution, release)| {
        let repositories: Vec<Value> = distribution
            .repositories_of(release)
            .map(|repository| {
                let (kind, url) = address(distribution, release, repository);
                json!({
                    "id": repository.id,
                    "name": repository.name,
                    "path": repository.path,
                    "address": kind,
                    "url": url,
                    "gpgcheck": true,
                    "repo_gpgcheck": repository.repo_gpgcheck,
                    "updates": repository.updates,
                })
            })
            .collect();
        json!({
            "spec": format!("{}:{}", distribution.id, release.name),
            "family": "rpm",
            "distribution": distribution.name,
            "default": release.name == distribution.default,
            "aliases": release.aliases,
            "architectures": distribution.architectures_of(release),
            "mirror": distribution.mirror_of(release),
            "keyring": distribution.keyring,
            "distribution_aliases": distribution.aliases,
            "keys": release.keys,
            "packages": release.packages,
            "releasever": release.releasever(),
            "repositories": repositories,
            "database": release.database.backend.word(),
            "database_path": release.database.path,
            "buildable": true,
            "platform": release.platform,
            "end_of_life": release.end_of_life,
        })
    })
}

/// What kind of address a repository officially has, and the address.
fn address<'a>(
    distribution: &'a Distribution,
    release: &'a Release,
    repository: &'a Repository,
) -> (&'static str, &'a str) {
    match distribution.address(release, repository) {
        Address::Metalink(url) => ("metalink", url),
        Address::Mirrorlist(url) => ("mirrorlist", url),
        Address::Mirror(url) => ("mirror", url),
    }
}
