//! Where bareroot's tree may differ from a peer's, and why. What is not here is a failure.

use std::fs;
use std::path::Path;

use bareroot_testkit::tree::Difference;

/// Which difference is excused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Only the peer's tree has the path.
    OnlyPeer,
    /// Only bareroot's tree has it.
    OnlyBareroot,
    /// Both have it, and only this aspect differs.
    Aspect(&'static str),
    /// Both have it, with the same lines in another order.
    Order,
    /// Any of these.
    Any,
}

/// One excused difference.
#[derive(Debug)]
pub struct Exception {
    /// The path from the root; a `*` at the start or the end stands for anything.
    pub path: &'static str,
    /// The suites in which it is excused; all, where there is none.
    pub suites: &'static [&'static str],
    /// Which difference.
    pub which: Which,
    /// Why it is no fault.
    pub reason: &'static str,
}

/// The table of Debian's roots, whose peer is mmdebstrap.
pub const TABLE: &[Exception] = &[
    Exception {
        path: "var/lib/dpkg/*-old",
        suites: &[],
        which: Which::Any,
        reason: "dpkg's copy of the database before its last change; mmdebstrap changes it more often",
    },
    Exception {
        path: "var/cache/debconf/*-old",
        suites: &[],
        which: Which::Any,
        reason: "debconf's copy of its database before its last change",
    },
    Exception {
        path: "etc/apt/sources.list",
        suites: &[],
        which: Which::OnlyPeer,
        reason: "bareroot writes its sources in deb822 format",
    },
    Exception {
        path: "etc/apt/sources.list.d/0000bareroot.sources",
        suites: &[],
        which: Which::OnlyBareroot,
        reason: "bareroot writes its sources in deb822 format",
    },
    Exception {
        path: "usr/bin/gunzip",
        suites: &["bookworm"],
        which: Which::Aspect("hard link to"),
        reason: USRMERGE_COPIES,
    },
    Exception {
        path: "usr/bin/uncompress",
        suites: &["bookworm"],
        which: Which::Aspect("hard link to"),
        reason: USRMERGE_COPIES,
    },
    Exception {
        path: "etc/shells",
        suites: &["bookworm"],
        which: Which::Order,
        reason: "debianutils lists /bin and /usr/bin together where the root is merged from the start; in mmdebstrap's \
                 it is not yet when debianutils is configured",
    },
];

/// bookworm's base-files has no links at the top: mmdebstrap leaves them to usrmerge's postinst, bareroot makes them first.
const USRMERGE_COPIES: &str = "one file in the package too; in mmdebstrap's root usrmerge moves /bin to /usr/bin by \
                               copying each name";

/// Two roots of one suite: the peer's and bareroot's.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// The suite.
    pub suite: &'a str,
    /// The peer's root.
    pub peer: &'a Path,
    /// bareroot's root.
    pub ours: &'a Path,
}

impl Exception {
    fn excuses(&self, difference: &Difference, pair: &Pair<'_>) -> bool {
        let path = difference.path();
        if !matches(self.path, path) || !(self.suites.is_empty() || self.suites.contains(&pair.suite)) {
            return false;
        }
        match (difference, self.which) {
            (_, Which::Any) | (Difference::OnlyFirst(..), Which::OnlyPeer) => true,
            (Difference::OnlySecond(..), Which::OnlyBareroot) => true,
            (Difference::Changed { what, .. }, Which::Aspect(aspect)) => only(what, aspect),
            (Difference::Changed { what, .. }, Which::Order) => {
                only(what, "content") && same_lines(&pair.peer.join(path), &pair.ours.join(path))
            }
            _ => false,
        }
    }
}

fn only(what: &[(&'static str, String, String)], aspect: &str) -> bool {
    what.iter().all(|(differs, ..)| *differs == aspect)
}

fn same_lines(first: &Path, second: &Path) -> bool {
    let sorted = |path: &Path| {
        let text = fs::read_to_string(path).ok()?;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        Some(lines)
    };
    sorted(first).is_some_and(|first| Some(first) == sorted(second))
}

/// The exception of a table for a difference between the peer's tree (first) and bareroot's (second).
pub fn for_difference(
    table: &'static [Exception],
    difference: &Difference,
    pair: &Pair<'_>,
) -> Option<&'static Exception> {
    table.iter().find(|exception| exception.excuses(difference, pair))
}

/// Whether a path is what the pattern says: equal, but for one `*`, which stands for anything without `/`.
fn matches(pattern: &str, path: &Path) -> bool {
    let Some(path) = path.to_str() else { return false };
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, end)) => path
            .strip_prefix(start)
            .and_then(|rest| rest.strip_suffix(end))
            .is_some_and(|middle| !middle.contains('/')),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use bareroot_testkit::tree::Type;

    use super::*;

    #[test]
    fn only_the_listed_difference_is_excused() {
        let excused = |difference: &Difference, suite: &str| {
            let pair = Pair {
                suite,
                peer: Path::new("/none"),
                ours: Path::new("/none"),
            };
            for_difference(TABLE, difference, &pair).is_some()
        };
        let only_peer = |path: &str| Difference::OnlyFirst(PathBuf::from(path), Type::File);
        assert!(excused(&only_peer("etc/apt/sources.list"), "trixie"));
        let ours = Difference::OnlySecond(PathBuf::from("etc/apt/sources.list"), Type::File);
        assert!(!excused(&ours, "trixie"));
        assert!(excused(&only_peer("var/lib/dpkg/status-old"), "trixie"));
        assert!(!excused(&only_peer("var/lib/dpkg/info/x-old"), "trixie"));
        assert!(!excused(&only_peer("var/lib/dpkg/status"), "trixie"));
        let changed = |aspects: &[&'static str]| Difference::Changed {
            path: PathBuf::from("usr/bin/gunzip"),
            what: aspects
                .iter()
                .map(|aspect| (*aspect, "1".to_owned(), "2".to_owned()))
                .collect(),
        };
        assert!(excused(&changed(&["hard link to"]), "bookworm"));
        assert!(!excused(&changed(&["hard link to"]), "trixie"));
        assert!(!excused(&changed(&["hard link to", "mode"]), "bookworm"));
    }

    #[test]
    fn another_order_is_not_another_content() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::write(path("a"), "1\n2\n").unwrap();
        fs::write(path("b"), "2\n1\n").unwrap();
        fs::write(path("c"), "2\n3\n").unwrap();
        assert!(same_lines(&path("a"), &path("b")));
        assert!(!same_lines(&path("a"), &path("c")));
        assert!(!same_lines(&path("none"), &path("none")));
    }
}
