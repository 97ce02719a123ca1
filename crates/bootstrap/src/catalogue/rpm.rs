//! The RPM distributions, as data (`data/rpm-distributions.toml`).

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub use bareroot_rpm_db::Backend;
use bareroot_rpm_repo::variables::Variables;
use bareroot_trust::Keyring;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// One distribution of the catalogue.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Distribution {
    /// The word before the colon of a SPEC.
    pub id: String,
    /// Other such words.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its name for people.
    pub name: String,
    /// The `ID` of its os-release(5).
    pub os_release: Vec<String>,
    /// The official address below which its layout lies; `None` where only lists of mirrors know where that is.
    pub mirror: Option<String>,
    /// The built-in keyring that has its keys.
    pub keyring: String,
    /// The release of a SPEC without a colon.
    pub default: String,
    /// Architectures of its releases, in rpm's words.
    pub architectures: Vec<String>,
    /// Variables of its .repo files, beside dnf's own.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Its repositories, in the order of preference.
    #[serde(rename = "repository")]
    pub repositories: Vec<Repository>,
    /// Its releases, oldest first.
    #[serde(rename = "release")]
    pub releases: Vec<Release>,
}

/// A repository that releases of a distribution have. Its packages are signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Repository {
    /// Its section in the distribution's own .repo files; may have variables, as all texts here.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Where it lies below a mirror; empty where the mirror is the repository.
    pub path: String,
    /// The official metalink.
    pub metalink: Option<String>,
    /// The official list of mirrors.
    pub mirrorlist: Option<String>,
    /// Whether repomd.xml is signed.
    #[serde(default)]
    pub repo_gpgcheck: bool,
    /// Whether it only has updates for the others.
    #[serde(default)]
    pub updates: bool,
    /// The only releases that have it; empty means all.
    #[serde(default)]
    pub releases: Vec<String>,
}

/// One release of a distribution.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Release {
    /// The word after the colon of a SPEC.
    pub name: String,
    /// Other such words.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What `$releasever` stands for; `None` means the name.
    releasever: Option<String>,
    /// What a bare SPEC installs, with what it requires.
    pub packages: Vec<String>,
    /// Fingerprints of the primary keys that sign it.
    pub keys: Vec<String>,
    /// rpm's database.
    pub database: Database,
    /// The platform that its module streams run on.
    pub platform: Option<String>,
    /// Variables beside the distribution's.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// Variables that only some architectures have.
    #[serde(default)]
    pub variables_of: BTreeMap<String, BTreeMap<String, String>>,
    /// Where an archived release is; its lists of mirrors are gone.
    mirror: Option<String>,
    /// Architectures, where it has others than the distribution's other releases.
    architectures: Option<Vec<String>>,
    /// The last day of updates, `YYYY-MM-DD`, where it is past or announced.
    pub end_of_life: Option<String>,
}

/// rpm's database in a release.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Database {
    /// Its kind.
    #[serde(deserialize_with = "backend")]
    pub backend: Backend,
    /// Its directory.
    pub path: String,
}

/// rpm's word for a backend.
fn backend<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Backend, D::Error> {
    let word = String::deserialize(deserializer)?;
    Backend::of_word(&word).ok_or_else(|| D::Error::custom(format!("no backend is called `{word}`")))
}

impl Distribution {
    /// The release of that name or alias.
    pub fn release(&self, name: &str) -> Option<&Release> {
        self.releases
            .iter()
            .find(|release| release.name == name || release.aliases.iter().any(|alias| alias == name))
    }

    /// The architectures of a release.
    pub fn architectures_of<'a>(&'a self, release: &'a Release) -> &'a [String] {
        release.architectures.as_deref().unwrap_or(&self.architectures)
    }

    /// The repositories of a release.
    pub fn repositories_of<'a>(&'a self, release: &'a Release) -> impl Iterator<Item = &'a Repository> {
        self.repositories.iter().filter(|repository| {
            repository.releases.is_empty() || repository.releases.contains(&release.name)
        })
    }

    /// The official address below which a release lies.
    pub fn mirror_of<'a>(&'a self, release: &'a Release) -> Option<&'a str> {
        release.mirror.as_deref().or(self.mirror.as_deref())
    }

    /// Where a repository of a release officially is.
    pub fn address<'a>(&'a self, release: &'a Release, repository: &'a Repository) -> Address<'a> {
        match (&release.mirror, &repository.metalink, &repository.mirrorlist) {
            (None, Some(metalink), _) => Address::Metalink(metalink),
            (None, None, Some(list)) => Address::Mirrorlist(list),
            _ => Address::Mirror(self.mirror_of(release).unwrap_or_default()),
        }
    }

    /// The variables of a release's .repo files.
    pub fn variables(&self, release: &Release, arch: &str, releasever: &str) -> Variables {
        let mut variables = Variables::new(arch, Some(releasever));
        let of_arch = release.variables_of.get(arch);
        let all = self.variables.iter().chain(&release.variables);
        for (name, value) in all.chain(of_arch.into_iter().flatten()) {
            variables.set(name, value);
        }
        variables
    }

    /// The keys that sign a release, as one keyring; `None` when they are not built in.
    pub fn keyring(&self, release: &Release) -> Option<Keyring> {
        Keyring::builtin(&self.keyring)?.restrict(&release.keys).ok()
    }
}

/// Where a repository is, variables not yet replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address<'a> {
    /// Where its metalink says.
    Metalink(&'a str),
    /// Where its list of mirrors says.
    Mirrorlist(&'a str),
    /// At its path below this address.
    Mirror(&'a str),
}

impl Repository {
    /// Its base URL below a mirror, variables not yet replaced.
    pub fn below(&self, mirror: &str) -> String {
        let mirror = mirror.trim_end_matches('/');
        match self.path.is_empty() {
            true => mirror.to_owned(),
            false => format!("{mirror}/{}", self.path),
        }
    }
}

impl Release {
    /// What `$releasever` stands for.
    pub fn releasever(&self) -> &str {
        self.releasever.as_deref().unwrap_or(&self.name)
    }

    /// Whether it has moved to an archive, where it does not change any more.
    pub fn is_archived(&self) -> bool {
        self.mirror.is_some()
    }
}

/// All RPM distributions.
pub fn all() -> &'static [Distribution] {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        distribution: Vec<Distribution>,
    }
    static CATALOGUE: OnceLock<Vec<Distribution>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        // The text is part of the program and a test parses it: it cannot fail in a build that passed.
        toml::from_str::<File>(include_str!("../../data/rpm-distributions.toml"))
            .map(|file| file.distribution)
            .unwrap_or_default()
    })
}

/// The distribution of that id or alias.
pub fn find(id: &str) -> Option<&'static Distribution> {
    all()
        .iter()
        .find(|distribution| distribution.id == id || distribution.aliases.iter().any(|alias| alias == id))
}

#[cfg(test)]
mod tests;
