//! What this host's own apt says about mirrors of a distribution.

use std::path::{Path, PathBuf};

use bareroot_deb::host_apt;
use bareroot_deb::sources::Source;

use crate::catalogue::Distribution;

/// Addresses that this host's apt uses for a distribution.
#[derive(Debug, Default)]
pub struct HostMirrors {
    /// Of the distribution's archive, as the source in which it stands.
    pub main: Option<HostMirror>,
    /// Of its security archive.
    pub security: Option<HostMirror>,
    /// Whether this host's apt takes expired indexes.
    pub takes_expired: bool,
}

/// A source of this host's apt.
#[derive(Debug)]
pub struct HostMirror {
    /// The source.
    pub source: Source,
    /// The file that it stands in.
    pub file: PathBuf,
}

/// Reads apt's configuration below `root` (`/`, but in tests); a host without apt has no mirrors.
pub fn mirrors(root: &Path, distribution: &Distribution, arch: &str) -> HostMirrors {
    let apt = host_apt::read(root);
    let mut found = HostMirrors {
        takes_expired: !apt.check_valid_until(),
        ..HostMirrors::default()
    };
    let main_tail = tail(distribution.mirror_for(arch));
    let security_tail = distribution.security_mirror.as_deref().map(tail);
    for (file, source) in apt.sources {
        let Some(uri) = source.uris.first().map(String::as_str) else {
            continue;
        };
        if !is_readable(uri)
            || !(source.architectures.is_empty() || source.architectures.iter().any(|a| a == arch))
        {
            continue;
        }
        let Some(base) = base_suite(distribution, &source.suite) else {
            continue;
        };
        let is_security = source.suite.len() > base && source.suite.ends_with("-security");
        // Other publishers name their suites after the distribution's too; its own archive has its own last directory.
        let is_main = tail(uri) == main_tail;
        let slot = match is_security {
            false if is_main => &mut found.main,
            true if is_main || Some(tail(uri)) == security_tail => &mut found.security,
            _ => continue,
        };
        slot.get_or_insert(HostMirror { source, file });
    }
    found
}

/// Whether bareroot speaks the address's protocol (apt has methods for tor, CDs and more).
fn is_readable(uri: &str) -> bool {
    ["http://", "https://", "file:", "copy:"]
        .iter()
        .any(|scheme| uri.starts_with(scheme))
}

/// The last directory of an address.
fn tail(uri: &str) -> &str {
    uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// The length of the distribution's codename or alias that a suite name begins with.
fn base_suite(distribution: &Distribution, suite: &str) -> Option<usize> {
    let base = [
        "-security",
        "-updates",
        "-backports",
        "-proposed-updates",
        "-proposed",
    ]
    .iter()
    .find_map(|suffix| suite.strip_suffix(suffix))
    .unwrap_or(suite);
    distribution.release(base).map(|_| base.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn host(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn another_release_of_the_same_distribution_tells_the_mirror() {
        let root = host(&[
            (
                "etc/apt/sources.list.d/debian.sources",
                "Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm bookworm-updates\nComponents: main\n\n\
                 Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\n",
            ),
            (
                "etc/apt/sources.list.d/other.list",
                "deb https://other.example/product bookworm main\n",
            ),
            (
                "etc/apt/apt.conf.d/90valid",
                "Acquire::Check-Valid-Until \"false\";\n",
            ),
        ]);
        let found = mirrors(root.path(), catalogue::deb_of("debian").unwrap(), "amd64");
        assert_eq!(found.main.unwrap().source.uris, ["http://mirror.example/debian/"]);
        assert_eq!(
            found.security.unwrap().source.uris,
            ["http://mirror.example/debian-security"]
        );
        assert!(found.takes_expired);
    }

    #[test]
    fn another_publisher_is_no_mirror() {
        let root = host(&[(
            "etc/apt/sources.list",
            "deb https://other.example/product bookworm main\n",
        )]);
        let found = mirrors(root.path(), catalogue::deb_of("debian").unwrap(), "amd64");
        assert!(found.main.is_none() && found.security.is_none());
        assert!(
            mirrors(root.path(), catalogue::deb_of("ubuntu").unwrap(), "amd64")
                .main
                .is_none()
        );
    }
}
