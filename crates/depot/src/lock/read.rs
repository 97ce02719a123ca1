//! From a text to a lock.

use bareroot_model::{Digest, Reason};
use serde::Deserialize;

use super::write::digest;
use super::{
    Checksum, Deb, Environment, Family, Group, Lock, Meaning, Module, Package, Repository, Root, Rpm, Source,
    VERSION,
};
use crate::error::Error;
use crate::place;

/// Reads a lock; `path` is for messages. Its version is looked at first, then whether its content is what was written, then
/// whether it makes sense.
///
/// # Errors
/// [`Error::Version`], [`Error::Edited`], [`Error::Malformed`].
pub fn parse(path: &str, text: &str) -> Result<Lock, Error> {
    let malformed = |reason: String| Error::Malformed {
        path: path.to_owned(),
        reason,
    };
    let head = Head::of(text)
        .ok_or_else(|| malformed("it does not begin with its version and digest".to_owned()))?;
    if head.version != VERSION {
        return Err(Error::Version {
            path: path.to_owned(),
            found: head.version,
            expected: VERSION,
        });
    }
    let found = digest(head.content);
    if found != head.digest {
        return Err(Error::Edited {
            path: path.to_owned(),
            expected: head.digest.to_owned(),
            found,
        });
    }
    let file: File = toml::from_str(text).map_err(|error| {
        let line = place::line(text, error.span().map_or(0, |span| span.start));
        malformed(format!("line {line}: {}", error.message()))
    })?;
    file.lock().map_err(malformed)
}

/// The first lines: they are read by hand, because a lock of another version may be anything below them.
struct Head<'t> {
    version: i64,
    digest: &'t str,
    content: &'t str,
}

impl<'t> Head<'t> {
    fn of(text: &'t str) -> Option<Head<'t>> {
        let mut rest = text;
        let mut value = |wanted: &str| loop {
            let (line, after) = rest.split_once('\n')?;
            rest = after;
            match line.trim_end_matches('\r').split_once(" = ") {
                Some((name, value)) if name == wanted => return Some(value),
                None if line.starts_with('#') => {}
                _ => return None,
            }
        };
        let version = value("version")?.parse().ok()?;
        // Another version may end its head here.
        let digest = value("content").unwrap_or_default().trim_matches('"');
        Some(Head {
            version,
            digest,
            content: rest,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: i64,
    #[serde(rename = "content")]
    _content: String,
    recipe: Option<String>,
    meaning: String,
    made_from: Meaning,
    #[serde(default)]
    root: Vec<RawRoot>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawRoot {
    arch: String,
    epoch: Option<i64>,
    packages: Vec<RawPackage>,
    deb: Option<RawDeb>,
    rpm: Option<RawRpm>,
    #[serde(default)]
    source: Vec<RawSource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawDeb {
    #[serde(default)]
    foreign: Vec<String>,
    merged_usr: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawRpm {
    releasever: Option<String>,
    wishes: Vec<String>,
    #[serde(default)]
    local: Vec<String>,
    #[serde(default)]
    modules: Vec<RawModule>,
    #[serde(default)]
    groups: Vec<RawGroup>,
    #[serde(default)]
    environments: Vec<RawEnvironment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawModule {
    name: String,
    stream: String,
    profiles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawGroup {
    id: String,
    name: String,
    by_user: bool,
    members: Vec<(String, String, bool)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEnvironment {
    id: String,
    name: String,
    groups: Vec<(String, bool)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawSource {
    id: Option<String>,
    uris: Vec<String>,
    index: String,
    sha256: Option<String>,
    date: Option<String>,
    unsigned: Option<String>,
    apt: Option<String>,
    priority: Option<i32>,
    cost: Option<i32>,
    gpgcheck: Option<bool>,
    #[serde(default)]
    of_release: bool,
    #[serde(default)]
    keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPackage {
    name: String,
    version: String,
    arch: String,
    source: Option<usize>,
    path: String,
    base: Option<String>,
    size: u64,
    sha256: Option<String>,
    sha512: Option<String>,
    sha1: Option<String>,
    #[serde(default)]
    stage: usize,
    #[serde(default)]
    auto: bool,
    #[serde(default)]
    same: bool,
    #[serde(default)]
    replaces: String,
    why: Vec<String>,
}

impl File {
    fn lock(self) -> Result<Lock, String> {
        if self.made_from.digest().to_string() != self.meaning {
            return Err("`meaning` is not the digest of [made-from]".to_owned());
        }
        let roots: Vec<Root> = self
            .root
            .into_iter()
            .map(RawRoot::root)
            .collect::<Result<_, _>>()?;
        for (place, root) in roots.iter().enumerate() {
            if roots.iter().skip(place + 1).any(|other| other.arch == root.arch) {
                return Err(format!("it has {} twice", root.arch));
            }
        }
        Ok(Lock {
            made_from: self.made_from,
            recipe: self.recipe,
            roots,
        })
    }
}

impl RawRoot {
    fn root(self) -> Result<Root, String> {
        let family = match (self.deb, self.rpm) {
            (Some(deb), None) => Family::Deb(Deb {
                foreign: deb.foreign,
                merged_usr: deb.merged_usr,
            }),
            (None, Some(rpm)) => Family::Rpm(rpm.own()),
            _ => {
                return Err(format!(
                    "{} must have either a table deb or a table rpm",
                    self.arch
                ));
            }
        };
        let sources: Vec<Source> = self
            .source
            .into_iter()
            .map(RawSource::source)
            .collect::<Result<_, _>>()?;
        for source in &sources {
            let fits = match family {
                Family::Deb(_) => source.apt.is_some() && source.repository.is_none(),
                Family::Rpm(_) => source.apt.is_none() && source.repository.is_some(),
            };
            if !fits {
                return Err(format!("a source of {} is not of its family", self.arch));
            }
        }
        let packages: Vec<Package> = self
            .packages
            .into_iter()
            .map(RawPackage::package)
            .collect::<Result<_, _>>()?;
        if let Some(package) = packages
            .iter()
            .find(|package| package.source.is_some_and(|source| source >= sources.len()))
        {
            return Err(format!("{} has a source that there is not", package.name));
        }
        Ok(Root {
            arch: self.arch,
            epoch: self.epoch,
            family,
            sources,
            packages,
        })
    }
}

impl RawRpm {
    fn own(self) -> Rpm {
        let modules = self.modules.into_iter().map(|module| Module {
            name: module.name,
            stream: module.stream,
            profiles: module.profiles,
        });
        let groups = self.groups.into_iter().map(|group| Group {
            id: group.id,
            name: group.name,
            by_user: group.by_user,
            members: group.members,
        });
        let environments = self.environments.into_iter().map(|environment| Environment {
            id: environment.id,
            name: environment.name,
            groups: environment.groups,
        });
        Rpm {
            releasever: self.releasever,
            wishes: self.wishes,
            local: self.local,
            modules: modules.collect(),
            groups: groups.collect(),
            environments: environments.collect(),
        }
    }
}

impl RawSource {
    fn source(self) -> Result<Source, String> {
        let sha256 = self.sha256.as_deref().map(str::parse::<Digest>).transpose();
        let repository = match (self.id, self.priority, self.cost, self.gpgcheck) {
            (Some(id), Some(priority), Some(cost), Some(gpgcheck)) => Some(Repository {
                id,
                priority,
                cost,
                gpgcheck,
                of_release: self.of_release,
                keys: self.keys,
            }),
            (None, None, None, None) => None,
            _ => return Err("a repository needs id, priority, cost and gpgcheck".to_owned()),
        };
        Ok(Source {
            uris: self.uris,
            index: self.index,
            sha256: sha256.map_err(|error| error.to_string())?,
            date: self.date,
            unsigned: self.unsigned,
            apt: self.apt,
            repository,
        })
    }
}

impl RawPackage {
    fn package(self) -> Result<Package, String> {
        let name = &self.name;
        let hex = |digest: String, length: usize| match digest.len() == length
            && digest
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            true => Ok(digest),
            false => Err(format!("{name} has a digest that is none: `{digest}`")),
        };
        let digest = match (self.sha256, self.sha512, self.sha1) {
            (Some(digest), None, None) => {
                let parsed = digest
                    .parse::<Digest>()
                    .map_err(|error| format!("{name}: {error}"))?;
                Checksum::Sha256(parsed)
            }
            (None, Some(digest), None) => Checksum::Sha512(hex(digest, 128)?),
            (None, None, Some(digest)) => Checksum::Sha1(hex(digest, 40)?),
            _ => return Err(format!("{name} must have one digest")),
        };
        let words: Vec<&str> = self.why.iter().map(String::as_str).collect();
        let reason = match words.as_slice() {
            ["wished"] => Reason::Wished,
            ["variant", rule] => Reason::Variant {
                rule: (*rule).to_owned(),
            },
            [kind, of, relation] => Reason::Dependency {
                of: (*of).to_owned(),
                kind: (*kind).to_owned(),
                relation: (*relation).to_owned(),
            },
            _ => return Err(format!("{name} has no reason that can be read: {words:?}")),
        };
        if self.stage > 1 {
            return Err(format!("{name} is of stage {}; there are 0 and 1", self.stage));
        }
        Ok(Package {
            name: self.name,
            version: self.version,
            arch: self.arch,
            source: self.source,
            path: self.path,
            base: self.base,
            size: self.size,
            digest,
            stage: self.stage,
            automatic: self.auto,
            multi_arch_same: self.same,
            replaces: self.replaces,
            reason,
        })
    }
}
