//! The macros that the root's own rpm would have.

use bareroot_rpm_script::macros::{Files, Macros, Nowhere};
use bareroot_unpack::{FileKind, Root};

/// The macros of a root of that architecture. What would run code, in a definition or where one is expanded, is refused: the
/// root is not to be trusted here, outside of it.
pub fn of(root: &Root, arch: &str) -> Macros {
    Macros::load(&OfRoot(root), arch, &Nowhere)
}

/// Files of a root; one that cannot be read is none, as for rpm.
struct OfRoot<'a>(&'a Root);

impl Files for OfRoot<'_> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.0.read_if_exists(path.trim_start_matches('/')).ok().flatten()
    }

    fn list(&self, directory: &str) -> Vec<String> {
        let directory = directory.trim_start_matches('/');
        let is_there = self
            .0
            .stat(directory)
            .is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == FileKind::Directory));
        if !is_there {
            return Vec::new();
        }
        let entries = self.0.read_dir(directory).unwrap_or_default();
        entries
            .into_iter()
            .filter_map(|entry| String::from_utf8(entry.name).ok())
            .collect()
    }
}
