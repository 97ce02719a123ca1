//! `bareroot-mirror.toml`: which address's files are where in a mirror.

use serde::{Deserialize, Serialize};

use super::paths;

/// The name of the file at the top of a mirror.
pub const FILE: &str = "bareroot-mirror.toml";

/// The version of the format.
const VERSION: u32 = 1;

/// What a mirror holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// The version of the format: 1.
    version: u32,
    /// The archives and repositories, in the order in which they came in; the first one's distribution has the top.
    #[serde(default, rename = "archive")]
    pub archives: Vec<Archive>,
}

impl Default for Map {
    fn default() -> Self {
        Map {
            version: VERSION,
            archives: Vec::new(),
        }
    }
}

/// One archive of Debian's kind, or one RPM repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Where it is below the mirror; `.` is the mirror itself.
    pub place: String,
    /// The distribution that it was mirrored for.
    pub distribution: String,
    /// Its suites (Debian).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<String>,
    /// Its id (RPM).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The addresses that it is known by, without credentials: base addresses, and for RPM also those of metalinks and
    /// lists of mirrors.
    pub addresses: Vec<String>,
}

/// What comes into a mirror.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The distribution.
    pub distribution: String,
    /// The addresses that it is known by.
    pub addresses: Vec<String>,
    /// What it is.
    pub kind: Kind,
}

/// A suite or a repository.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A suite of an archive.
    Suite(String),
    /// A repository: its id, and what tells it from another release's or architecture's of the same id.
    Repository(String, String),
}

impl Map {
    /// Reads a map; the error says what is wrong, as the end of a sentence.
    ///
    /// # Errors
    /// When it is no such file, of another version, or names a place that is not below the mirror.
    pub fn parse(text: &str) -> Result<Map, String> {
        let map: Map = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if map.version != VERSION {
            return Err(format!("its version is {}; expected {VERSION}", map.version));
        }
        for archive in &map.archives {
            if archive.place != "."
                && let Err(reason) = paths::check(&archive.place)
            {
                return Err(format!("its place `{}` {reason}", archive.place));
            }
        }
        Ok(map)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// When the serializer refuses, which no map makes it do.
    pub fn render(&self) -> Result<String, toml::ser::Error> {
        let body = toml::to_string(self)?;
        Ok(format!(
            "# Which address's files are where in this mirror: `bareroot --mirror` with this directory goes by it.\n{body}"
        ))
    }

    /// Where a suite of any of these addresses is.
    pub fn suite(&self, addresses: &[String], suite: &str) -> Option<&Archive> {
        self.find(addresses, |archive| {
            archive.suites.iter().any(|known| known == suite)
        })
    }

    /// Where the repository of any of these addresses is.
    pub fn repository(&self, addresses: &[String], id: &str) -> Option<&Archive> {
        self.find(addresses, |archive| archive.repository.as_deref() == Some(id))
    }

    fn find(&self, addresses: &[String], is: impl Fn(&Archive) -> bool) -> Option<&Archive> {
        let addresses: Vec<String> = addresses.iter().map(|address| normal(address)).collect();
        let known = |archive: &&Archive| archive.addresses.iter().any(|known| addresses.contains(known));
        self.archives.iter().filter(known).find(|archive| is(archive))
    }

    /// The number of the archive that something belongs to, which is made where there is none.
    pub fn place(&mut self, origin: &Origin) -> usize {
        let addresses: Vec<String> = origin.addresses.iter().map(|address| normal(address)).collect();
        let known = self.archives.iter().position(|archive| {
            let same = match &origin.kind {
                Kind::Suite(_) => archive.repository.is_none(),
                Kind::Repository(id, _) => archive.repository.as_ref() == Some(id),
            };
            same && addresses
                .iter()
                .any(|address| archive.addresses.contains(address))
        });
        let number = known.unwrap_or_else(|| {
            let archive = Archive {
                place: self.free(origin),
                distribution: origin.distribution.clone(),
                repository: match &origin.kind {
                    Kind::Suite(_) => None,
                    Kind::Repository(id, _) => Some(id.clone()),
                },
                ..Archive::default()
            };
            self.archives.push(archive);
            self.archives.len() - 1
        });
        let archive = &mut self.archives[number];
        for address in addresses {
            if !archive.addresses.contains(&address) {
                archive.addresses.push(address);
            }
        }
        if let Kind::Suite(suite) = &origin.kind
            && !archive.suites.contains(suite)
        {
            archive.suites.push(suite.clone());
        }
        number
    }

    /// A place that nothing has yet: the top for the first distribution, a directory of its own for any other.
    fn free(&self, origin: &Origin) -> String {
        let top = match self.archives.first() {
            Some(first) if first.distribution != origin.distribution => name(&origin.distribution),
            _ => ".".to_owned(),
        };
        let taken = |place: &str| self.archives.iter().any(|archive| archive.place == place);
        let wishes: Vec<String> = match &origin.kind {
            Kind::Suite(suite) => {
                let security = suite.ends_with("-security") || suite.ends_with("/updates");
                let own = origin.addresses.first().map_or("", String::as_str);
                let own = own.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
                let beside = match security {
                    true => "security".to_owned(),
                    false => name(own),
                };
                vec![top.clone(), paths::below(&top, &beside)]
            }
            Kind::Repository(id, release) => vec![
                paths::below(&top, &name(id)),
                paths::below(&top, &format!("{}-{}", name(id), name(release))),
            ],
        };
        let last = wishes.last().cloned().unwrap_or_default();
        let more = (2..).map(|number| format!("{last}-{number}"));
        let mut places = wishes.into_iter().chain(more);
        places.find(|place| !taken(place)).unwrap_or(last)
    }
}

/// An address as a map has it: without credentials and the slash at its end.
pub fn normal(address: &str) -> String {
    bareroot_fetch::without_credentials(address)
        .trim_end_matches('/')
        .to_owned()
}

/// A word as the name of a directory that is none of a repository's own.
fn name(word: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || "._-+".contains(c) {
        true => c,
        false => '_',
    };
    let name: String = word.chars().map(plain).collect();
    match name.as_str() {
        "" | "dists" | "pool" | "repodata" => format!("{name}archive"),
        name if name.starts_with('.') => format!("_{name}"),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(distribution: &str, address: &str, suite: &str) -> Origin {
        Origin {
            distribution: distribution.to_owned(),
            addresses: vec![address.to_owned()],
            kind: Kind::Suite(suite.to_owned()),
        }
    }

    fn repository(distribution: &str, address: &str, id: &str, release: &str) -> Origin {
        Origin {
            distribution: distribution.to_owned(),
            addresses: vec![address.to_owned()],
            kind: Kind::Repository(id.to_owned(), release.to_owned()),
        }
    }

    #[test]
    fn the_first_distribution_has_the_top() {
        let mut map = Map::default();
        for (origin, wanted) in [
            (suite("debian", "http://u:p@m/debian/", "trixie"), "."),
            (suite("debian", "http://m/debian", "trixie-updates"), "."),
            (
                suite("debian", "http://s/debian-security", "trixie-security"),
                "security",
            ),
            (
                suite("debian", "http://s/debian-security", "bookworm-security"),
                "security",
            ),
            (suite("debian", "http://x/more", "trixie"), "more"),
            (suite("debian", "http://y/more", "trixie"), "more-2"),
            (suite("debian", "http://z/pool", "trixie"), "poolarchive"),
            (suite("ubuntu", "http://m/ubuntu", "noble"), "ubuntu"),
            (
                suite("ubuntu", "http://s/ubuntu", "noble-security"),
                "ubuntu/security",
            ),
            (
                repository("fedora", "http://f/43", "fedora", "43-x86_64"),
                "fedora/fedora",
            ),
            (
                repository("fedora", "http://f/44", "fedora", "44-x86_64"),
                "fedora/fedora-44-x86_64",
            ),
            (
                repository("fedora", "http://f/43/", "fedora", "43-x86_64"),
                "fedora/fedora",
            ),
            (
                repository("fedora", "http://e/../x", "../x", "43"),
                "fedora/_.._x",
            ),
        ] {
            let number = map.place(&origin);
            assert_eq!(map.archives[number].place, wanted, "{origin:?}");
        }
        let text = map.render().unwrap();
        assert!(!text.contains("u:p"), "{text}");
        assert_eq!(Map::parse(&text), Ok(map.clone()));
        let found = map
            .suite(&["http://m/debian".to_owned()], "trixie-updates")
            .unwrap();
        assert_eq!(found.place, ".");
        assert!(map.suite(&["http://m/debian".to_owned()], "sid").is_none());
        assert!(map.repository(&["http://f/44".to_owned()], "updates").is_none());
    }

    #[test]
    fn a_map_that_leads_elsewhere_is_refused() {
        for (text, wanted) in [
            ("version = 2", "its version is 2"),
            ("", "missing field"),
            (
                "version = 1\n[[archive]]\nplace = \"../x\"\ndistribution = \"\"\naddresses = []",
                "leads out of the mirror",
            ),
            (
                "version = 1\n[[archive]]\nplace = \"/etc\"\ndistribution = \"\"\naddresses = []",
                "is absolute",
            ),
        ] {
            let error = Map::parse(text).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
