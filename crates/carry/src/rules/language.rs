//! Interpreters' own libraries.

use std::path::{Path, PathBuf};

use crate::collect::{Collector, Why};
use crate::error::Error;
use crate::path;
use crate::rule::Rule;

impl Collector<'_> {
    /// Python's library, by the name of its interpreter or shared library: `python3.11`, `libpython3.11.so.1.0`.
    pub(super) fn python(&mut self, object: &Path, why: &Why) -> Result<(), Error> {
        let Some(version) = version_in(path::name(object), "python") else {
            return Ok(());
        };
        if !self.first(Rule::Python, &version) {
            return Ok(());
        }
        let prefix = prefix(object);
        let major = version.split('.').next().unwrap_or_default();
        let library = format!("python{version}");
        let mut places: Vec<PathBuf> = Vec::new();
        for lib in ["lib", "lib64"] {
            places.push(prefix.join(lib).join(&library));
            places.push(
                prefix
                    .join(lib)
                    .join(format!("python{}.zip", version.replace('.', ""))),
            );
            places.push(Path::new("/usr/local").join(lib).join(&library));
        }
        // Debian's place for packages of every version.
        places.push(prefix.join("lib").join(format!("python{major}")));
        places.push(Path::new("/etc").join(&library));
        for place in places {
            // Tests of the library itself are a third of it.
            self.tree_but(&place, why, &|path| {
                path.ends_with(Path::new(&library).join("test"))
            })?;
        }
        Ok(())
    }

    /// Perl's library: the interpreter has @INC in itself.
    pub(super) fn perl(&mut self, object: &Path, why: &Why) -> Result<(), Error> {
        let Some(found) = self.source.find_file(object)? else {
            return Ok(());
        };
        if !self.first(Rule::Perl, &found.path) {
            return Ok(());
        }
        let text = self.source.root.read(&found.path)?;
        for place in super::named::paths(&text) {
            let is_library = memchr::memmem::find(&place, b"/perl").is_some();
            let place = path::path(&place);
            if is_library && place.components().count() > 2 && self.source.find_dir(&place)?.is_some() {
                self.tree(&place, why)?;
            }
        }
        Ok(())
    }

    /// Ruby's library, and its gems.
    pub(super) fn ruby(&mut self, object: &Path, why: &Why) -> Result<(), Error> {
        if !self.first(Rule::Ruby, "/") {
            return Ok(());
        }
        let mut places: Vec<PathBuf> = ["/usr/lib", "/usr/lib64", "/usr/share"]
            .map(|top| Path::new(top).join("ruby"))
            .to_vec();
        places.push(path::parent(object).join("ruby"));
        for place in [
            "/usr/share/gems",
            "/usr/share/rubygems",
            "/usr/share/rubygems-integration",
            "/var/lib/gems",
        ] {
            places.push(PathBuf::from(place));
        }
        for place in places {
            self.tree(&place, why)?;
        }
        Ok(())
    }
}

/// `3.11` of `libpython3.11.so.1.0`.
fn version_in(name: &str, stem: &str) -> Option<String> {
    let rest = &name[name.find(stem)? + stem.len()..];
    let end = rest
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(rest.len());
    let version = rest[..end].trim_end_matches('.');
    version.contains('.').then(|| version.to_owned())
}

/// The directory above the one that a program or library is in: `/usr` of `/usr/bin/python3` and `/usr/lib/x/libpython3.so`.
fn prefix(object: &Path) -> PathBuf {
    let mut upto = PathBuf::from("/");
    for part in path::parent(object).components().skip(1) {
        let part = part.as_os_str();
        if ["bin", "sbin", "lib", "lib64"].iter().any(|name| part == *name) {
            break;
        }
        upto.push(part);
    }
    // What a link of /lib leads to is in /usr.
    if upto == Path::new("/") {
        PathBuf::from("/usr")
    } else {
        upto
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_prefixes() {
        for (name, version) in [
            ("libpython3.11.so.1.0", Some("3.11")),
            ("python3.13", Some("3.13")),
            ("python3", None),
            ("libpython3.so", None),
            ("perl", None),
        ] {
            assert_eq!(version_in(name, "python").as_deref(), version, "{name}");
        }
        for (object, expected) in [
            ("/usr/bin/python3.11", "/usr"),
            ("/lib/x86_64-linux-gnu/libpython3.11.so.1.0", "/usr"),
            ("/opt/py/bin/python3.11", "/opt/py"),
            ("/usr/local/lib/libpython3.11.so", "/usr/local"),
        ] {
            assert_eq!(prefix(Path::new(object)), Path::new(expected), "{object}");
        }
    }
}
