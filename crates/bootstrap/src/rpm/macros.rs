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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn macros_are_read_inside_the_root() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("root");
        fs::create_dir_all(path.join("usr/lib/rpm/macros.d")).unwrap();
        fs::create_dir_all(path.join("etc/rpm")).unwrap();
        fs::create_dir_all(path.join("data")).unwrap();
        fs::write(temp.path().join("secret"), "%_secret host\n").unwrap();
        fs::write(
            path.join("data/macros"),
            "%_dbpath %{_usr}/lib/sysimage/rpm\n%_code %(id)\n",
        )
        .unwrap();
        // An absolute link means the root's own file; one that climbs gets no further than the root.
        symlink("/data/macros", path.join("usr/lib/rpm/macros")).unwrap();
        symlink("../../../secret", path.join("etc/rpm/macros.secret")).unwrap();
        fs::write(
            path.join("usr/lib/rpm/macros.d/macros.a"),
            "%_own %{_dbpath}/%{_arch}\n",
        )
        .unwrap();
        let macros = of(&Root::open(&path).unwrap(), "x86_64");
        let expanded = |text: &str| macros.expand(text.as_bytes(), &Nowhere);
        assert_eq!(expanded("%{_dbpath}").unwrap(), b"/usr/lib/sysimage/rpm");
        assert_eq!(expanded("%{_own}").unwrap(), b"/usr/lib/sysimage/rpm/x86_64");
        assert_eq!(expanded("%{?_secret}").unwrap(), b"");
        assert!(expanded("%{_code}").is_err());
    }

    #[test]
    fn a_root_without_rpm_has_the_usual_directories() {
        let temp = tempfile::tempdir().unwrap();
        let macros = of(&Root::open(temp.path()).unwrap(), "noarch");
        assert_eq!(
            macros.expand(b"%{_bindir} %{?_dbpath}", &Nowhere).unwrap(),
            b"/usr/bin "
        );
    }
}
