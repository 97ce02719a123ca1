use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::{Entry, Tree, Type};

/// How two trees differ in one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Only the first tree has it.
    OnlyFirst(PathBuf, Type),
    /// Only the second tree has it.
    OnlySecond(PathBuf, Type),
    /// Both have it, and something about it differs.
    Changed {
        /// The path.
        path: PathBuf,
        /// What differs (`mode`, `content`...), with the first and the second tree's value.
        what: Vec<(&'static str, String, String)>,
    },
}

impl Difference {
    /// The path, relative to the trees' roots.
    pub fn path(&self) -> &Path {
        match self {
            Difference::OnlyFirst(path, _)
            | Difference::OnlySecond(path, _)
            | Difference::Changed { path, .. } => path,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::OnlyFirst(path, kind) => write!(f, "- /{} ({kind:?})", path.display()),
            Difference::OnlySecond(path, kind) => write!(f, "+ /{} ({kind:?})", path.display()),
            Difference::Changed { path, what } => {
                write!(f, "! /{}", path.display())?;
                what.iter()
                    .try_for_each(|(name, first, second)| write!(f, " {name}: {first} | {second}"))
            }
        }
    }
}

/// All differences of two trees in the order of paths, but for those that `ignore` picks by path.
pub fn diff(first: &Tree, second: &Tree, ignore: &dyn Fn(&Path) -> bool) -> Vec<Difference> {
    let mut all: BTreeMap<&Path, Difference> = BTreeMap::new();
    for (path, entry) in first.entries.iter().filter(|(path, _)| !ignore(path)) {
        let Some(other) = second.entries.get(path) else {
            all.insert(path, Difference::OnlyFirst(path.clone(), entry.kind));
            continue;
        };
        let what = changes(entry, other);
        if !what.is_empty() {
            all.insert(
                path,
                Difference::Changed {
                    path: path.clone(),
                    what,
                },
            );
        }
    }
    for (path, entry) in second.entries.iter().filter(|(path, _)| !ignore(path)) {
        if !first.entries.contains_key(path) {
            all.insert(path, Difference::OnlySecond(path.clone(), entry.kind));
        }
    }
    all.into_values().collect()
}

fn changes(first: &Entry, second: &Entry) -> Vec<(&'static str, String, String)> {
    let mut what = Vec::new();
    let mut note = |name, first: String, second: String| {
        if first != second {
            what.push((name, first, second));
        }
    };
    let text = |path: &Option<PathBuf>| {
        path.as_ref()
            .map_or("none".into(), |path| path.display().to_string())
    };
    note("type", format!("{:?}", first.kind), format!("{:?}", second.kind));
    note(
        "mode",
        format!("{:04o}", first.mode),
        format!("{:04o}", second.mode),
    );
    note(
        "owner",
        format!("{}:{}", first.uid, first.gid),
        format!("{}:{}", second.uid, second.gid),
    );
    note("size", first.size.to_string(), second.size.to_string());
    note("link", text(&first.link), text(&second.link));
    note("hard link to", text(&first.hardlink), text(&second.hardlink));
    note(
        "device",
        format!("{:?}", first.device),
        format!("{:?}", second.device),
    );
    note(
        "mtime",
        format!("{:?}", first.mtime),
        format!("{:?}", second.mtime),
    );
    let digest = |entry: &Entry| entry.content.map_or("none".into(), |digest| digest.to_string());
    note("content", digest(first), digest(second));
    let attributes = |entry: &Entry| {
        let one =
            |(name, value): (&Vec<u8>, &Vec<u8>)| format!("{}={value:02x?}", String::from_utf8_lossy(name));
        entry.xattrs.iter().map(one).collect::<Vec<_>>().join(",")
    };
    note("xattrs", attributes(first), attributes(second));
    what
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::TreeOptions;
    use super::*;

    fn sample(root: &Path) {
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        fs::write(root.join("usr/bin/b"), "content").unwrap();
        fs::hard_link(root.join("usr/bin/b"), root.join("usr/bin/a")).unwrap();
        symlink("usr/bin", root.join("bin")).unwrap();
    }

    fn pair() -> (tempfile::TempDir, tempfile::TempDir) {
        let pair = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        sample(pair.0.path());
        sample(pair.1.path());
        pair
    }

    fn lines(first: &Path, second: &Path, ignore: &dyn Fn(&Path) -> bool) -> Vec<String> {
        let read = |root| Tree::read(root, &TreeOptions::default()).unwrap();
        diff(&read(first), &read(second), ignore)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn equal_trees_have_no_differences() {
        let (first, second) = pair();
        assert_eq!(
            lines(first.path(), second.path(), &|_| false),
            Vec::<String>::new()
        );
        let tree = Tree::read(first.path(), &TreeOptions::default()).unwrap();
        let group = |path: &str| tree.entries[Path::new(path)].hardlink.clone();
        assert_eq!(group("usr/bin/b"), Some(PathBuf::from("usr/bin/a")));
        assert_eq!(group("bin"), None);
        assert!(tree.entries.contains_key(Path::new("")));
    }

    #[test]
    fn each_difference_is_named() {
        let (first, second) = pair();
        fs::write(second.path().join("new"), "").unwrap();
        fs::write(first.path().join("old"), "").unwrap();
        fs::set_permissions(second.path().join("usr"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::remove_file(second.path().join("bin")).unwrap();
        symlink("/usr/bin", second.path().join("bin")).unwrap();
        fs::remove_file(second.path().join("usr/bin/b")).unwrap();
        fs::write(second.path().join("usr/bin/b"), "Content").unwrap();
        let got = lines(first.path(), second.path(), &|path| {
            path == Path::new("usr/bin/a")
        });
        assert_eq!(
            got[..4],
            [
                "! /bin link: usr/bin | /usr/bin",
                "+ /new (File)",
                "- /old (File)",
                "! /usr mode: 0755 | 0700"
            ]
        );
        assert!(
            got[4].starts_with("! /usr/bin/b hard link to: usr/bin/a | none content: "),
            "{}",
            got[4]
        );
        assert_eq!(got.len(), 5);
    }
}
