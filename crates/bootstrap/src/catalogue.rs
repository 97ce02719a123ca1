//! The distributions that bareroot knows by name, as data: those of the Debian family here
//! (`data/distributions.toml`), those of the RPM family in [`rpm`].

pub mod rpm;

use std::sync::OnceLock;

use serde::Deserialize;

use crate::error::Error;

/// What the word before a SPEC's colon stands for.
#[derive(Clone, Copy, Debug)]
pub enum Entry {
    /// Debian or a derivative.
    Deb(&'static Distribution),
    /// A distribution of RPM packages.
    Rpm(&'static rpm::Distribution),
}

/// One distribution of the Debian family.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Distribution {
    /// The word before the colon of a SPEC.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The distribution that it is laid over: its releases of the same names come first among the sources.
    pub base: Option<String>,
    /// Official mirror.
    pub mirror: String,
    /// Official mirror of the security archive, where it is another one.
    pub security_mirror: Option<String>,
    /// Where its archive of the past is; `{date}` stands for the moment.
    pub snapshot: Option<String>,
    /// Where the past of its security archive is, where that is another one.
    pub security_snapshot: Option<String>,
    /// Mirror of the architectures that the main one does not carry.
    pub ports_mirror: Option<String>,
    /// The built-in keyring that signs it.
    pub keyring: String,
    /// The built-in keyring that signs the ports, where it is another one.
    pub ports_keyring: Option<String>,
    /// That keyring inside a root.
    pub ports_signed_by: Option<String>,
    /// Components used when none are named.
    pub components: Vec<String>,
    /// The release of a SPEC without a colon.
    pub default: String,
    /// Architectures that its releases carry.
    pub architectures: Vec<String>,
    /// Architectures on the main mirror; empty means all.
    #[serde(default)]
    pub main_architectures: Vec<String>,
    /// Its releases, oldest first.
    #[serde(rename = "release")]
    pub releases: Vec<Release>,
}

/// One release of a distribution.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Release {
    /// Its codename, which is its suite on the mirror.
    pub codename: String,
    /// Its version for people.
    pub version: Option<String>,
    /// Other suite names under which the mirror has it (`stable`).
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The distribution's keyring inside a root.
    pub signed_by: String,
    /// Whether there is a `-updates` suite that comes by default.
    #[serde(default)]
    pub updates: bool,
    /// The suite of the security archive that comes by default.
    pub security: Option<String>,
    /// Whether a new root has /bin, /sbin and /lib* as links into /usr.
    pub merged_usr: bool,
}

impl Distribution {
    /// The release of that codename, alias or version.
    pub fn release(&self, name: &str) -> Option<&Release> {
        self.releases.iter().find(|release| {
            release.codename == name
                || release.version.as_deref() == Some(name)
                || release.aliases.iter().any(|alias| alias == name)
        })
    }

    /// The official mirror for an architecture.
    pub fn mirror_for(&self, arch: &str) -> &str {
        match &self.ports_mirror {
            Some(ports) if self.is_port(arch) => ports,
            _ => &self.mirror,
        }
    }

    /// Whether the main mirror does not carry an architecture.
    fn is_port(&self, arch: &str) -> bool {
        !self.main_architectures.is_empty() && self.main_architectures.iter().all(|main| main != arch)
    }

    /// The built-in keyring that signs an architecture's archive.
    pub fn keyring_for(&self, arch: &str) -> &str {
        match &self.ports_keyring {
            Some(ports) if self.is_port(arch) => ports,
            _ => &self.keyring,
        }
    }

    /// That keyring inside a root of a release.
    pub fn signed_by_for<'a>(&'a self, release: &'a Release, arch: &str) -> &'a str {
        match &self.ports_signed_by {
            Some(ports) if self.is_port(arch) => ports,
            _ => &release.signed_by,
        }
    }

    /// The official security mirror for an architecture; the ports mirror carries its own security suites.
    pub fn security_mirror_for(&self, arch: &str) -> &str {
        let main = self.mirror_for(arch);
        if main == self.mirror {
            self.security_mirror.as_deref().unwrap_or(main)
        } else {
            main
        }
    }
}

impl Release {
    /// The suite name to ask the mirror for when the user called the release `asked`: an alias stays an alias, so that
    /// the root's own sources follow it; a version becomes the codename.
    pub fn suite<'a>(&'a self, asked: &'a str) -> &'a str {
        if self.version.as_deref() == Some(asked) {
            &self.codename
        } else {
            asked
        }
    }

    /// The security suite for a suite name as [`Release::suite`] gives it.
    pub fn security_suite(&self, suite: &str) -> Option<String> {
        let security = self.security.as_ref()?;
        Some(security.replacen(&self.codename, suite, 1))
    }
}

/// All distributions of the Debian family.
pub fn all() -> &'static [Distribution] {
    #[derive(Deserialize)]
    struct File {
        distribution: Vec<Distribution>,
    }
    static CATALOGUE: OnceLock<Vec<Distribution>> = OnceLock::new();
    CATALOGUE.get_or_init(|| {
        // The text is part of the program and a test parses it: it cannot fail in a build that passed.
        toml::from_str::<File>(include_str!("../data/distributions.toml"))
            .map(|file| file.distribution)
            .unwrap_or_default()
    })
}

/// The distribution of that id, whichever its family.
pub fn find(id: &str) -> Option<Entry> {
    let deb = deb_of(id).map(Entry::Deb);
    deb.or_else(|| rpm::find(id).map(Entry::Rpm))
}

/// Whether a SPEC can be a release: its distribution must be known, and in the RPM family the release too.
///
/// # Errors
/// [`Error::Distribution`], [`Error::NoRelease`].
pub fn check(spec: &str) -> Result<(), Error> {
    let id = spec.split_once(':').map_or(spec, |(id, _)| id);
    match find(id) {
        None => Err(Error::Distribution(id.to_owned())),
        Some(Entry::Deb(_)) => Ok(()),
        Some(Entry::Rpm(_)) => crate::rpm::check_spec(spec),
    }
}

/// The distribution of the Debian family of that id.
pub fn deb_of(id: &str) -> Option<&'static Distribution> {
    all().iter().find(|distribution| distribution.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_parses_and_is_consistent() {
        assert!(all().len() >= 2);
        for distribution in all() {
            assert!(
                distribution.release(&distribution.default).is_some(),
                "{}",
                distribution.id
            );
            assert!(
                bareroot_trust::Keyring::builtin(&distribution.keyring).is_some(),
                "{}",
                distribution.keyring
            );
            let ports = distribution.ports_keyring.as_deref();
            assert!(ports.is_none_or(|ports| bareroot_trust::Keyring::builtin(ports).is_some()));
            let mut names: Vec<&str> = Vec::new();
            for release in &distribution.releases {
                names.push(&release.codename);
                names.extend(release.aliases.iter().map(String::as_str));
                names.extend(release.version.as_deref());
            }
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(
                names.len(),
                count,
                "{}: a name stands for two releases",
                distribution.id
            );
        }
    }

    #[test]
    fn suites_follow_the_name_that_was_asked_for() {
        let debian = deb_of("debian").unwrap();
        let stable = debian.release("stable").unwrap();
        assert_eq!(stable.suite("stable"), "stable");
        assert_eq!(stable.suite("13"), "trixie");
        assert_eq!(
            stable.security_suite("stable").as_deref(),
            Some("stable-security")
        );
        assert_eq!(debian.release("sid").unwrap().security_suite("sid"), None);
    }

    #[test]
    fn ports_have_their_own_mirror() {
        let ubuntu = deb_of("ubuntu").unwrap();
        assert_eq!(ubuntu.mirror_for("amd64"), ubuntu.mirror);
        assert_eq!(
            ubuntu.mirror_for("riscv64"),
            "http://ports.ubuntu.com/ubuntu-ports"
        );
        assert_eq!(
            ubuntu.security_mirror_for("riscv64"),
            "http://ports.ubuntu.com/ubuntu-ports"
        );
        assert_eq!(
            ubuntu.security_mirror_for("i386"),
            "http://security.ubuntu.com/ubuntu"
        );
        assert_eq!(ubuntu.keyring_for("riscv64"), "ubuntu");
        let debian = deb_of("debian").unwrap();
        assert_eq!(debian.mirror_for("riscv64"), debian.mirror);
        assert_eq!(
            debian.mirror_for("alpha"),
            "http://ftp.ports.debian.org/debian-ports"
        );
        assert_eq!(
            (debian.keyring_for("arm64"), debian.keyring_for("alpha")),
            ("debian", "debian-ports")
        );
        let sid = debian.release("sid").unwrap();
        assert!(debian.signed_by_for(sid, "m68k").contains("debian-ports"));
        assert_eq!(debian.signed_by_for(sid, "arm64"), sid.signed_by);
    }
}
