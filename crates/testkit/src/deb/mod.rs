//! Debian packages built on the spot, honest ones and hostile ones.
//!
//! ```
//! use bareroot_testkit::deb::DebBuilder;
//!
//! let deb = DebBuilder::new("hello", "1.0-1", "all")
//!     .field("Depends", "base (>= 1)")
//!     .executable("/usr/bin/hello", "not really a program")
//!     .conffile("/etc/hello.conf", "greeting = hello\n")
//!     .script("postinst", "#!/bin/sh\n");
//! assert_eq!(deb.file_name(), "hello_1.0-1_all.deb");
//! assert!(deb.build().starts_with(b"!<arch>\n"));
//! ```

mod ar;
mod item;

use std::collections::BTreeSet;

use md5::Digest;

pub use crate::compress::Compression;
pub use ar::{Member, ar};
pub use item::{Item, tar};

/// Changes the members of the finished archive.
type Rearrange = Box<dyn Fn(&mut Vec<Member>) + Send + Sync>;

/// A `.deb` in the making. Paths are absolute (`/usr/bin/x`) and written as dpkg-deb writes them (`./usr/bin/x`).
#[derive(Default)]
pub struct DebBuilder {
    fields: Vec<(String, String)>,
    control: Option<Vec<u8>>,
    info: Vec<Item>,
    items: Vec<Item>,
    conffiles: String,
    bare: bool,
    md5sums: bool,
    control_compression: Option<Compression>,
    data_compression: Option<Compression>,
    rearrange: Option<Rearrange>,
}

impl std::fmt::Debug for DebBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DebBuilder({})", self.file_name())
    }
}

impl DebBuilder {
    /// A package with a maintainer and a description, without files.
    pub fn new(package: &str, version: &str, architecture: &str) -> Self {
        DebBuilder::default()
            .field("Package", package)
            .field("Version", version)
            .field("Architecture", architecture)
            .field("Maintainer", "Nobody <nobody@example.org>")
            .field("Description", "a package for tests")
    }

    /// Sets a control field, in the place where it is already or at the end; the value may have continuation lines.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(have, _)| have == name) {
            Some((_, have)) => *have = value.into(),
            None => self.fields.push((name.into(), value.into())),
        }
        self
    }

    /// Leaves a control field out.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(have, _)| have != name);
        self
    }

    /// The control file as given, instead of one made from the fields; the fields still name the package.
    pub fn control(self, text: impl Into<Vec<u8>>) -> Self {
        DebBuilder {
            control: Some(text.into()),
            ..self
        }
    }

    /// A directory, mode 0755. Parents of whatever is added come by themselves.
    pub fn directory(self, path: &str) -> Self {
        self.item(Item::directory(&format!("{}/", inside(path))))
    }

    /// A regular file, mode 0644.
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.item(Item::file(&inside(path), content))
    }

    /// A regular file, mode 0755.
    pub fn executable(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.item(Item::file(&inside(path), content).mode(0o755))
    }

    /// A symbolic link.
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.item(Item::symlink(&inside(path), target))
    }

    /// A hard link to another path of the package.
    pub fn hardlink(self, path: &str, target: &str) -> Self {
        self.item(Item::hardlink(&inside(path), &inside(target)))
    }

    /// A file that is a conffile.
    pub fn conffile(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.conffiles.extend([path, "\n"]);
        self.file(path, content)
    }

    /// Any entry, as it is: nothing is put before its path.
    pub fn item(mut self, item: Item) -> Self {
        self.items.push(item);
        self
    }

    /// A maintainer script, mode 0755.
    pub fn script(self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.info_item(Item::file(&format!("./{name}"), content).mode(0o755))
    }

    /// Any other file of the control archive (`triggers`, `templates`, `shlibs`), mode 0644.
    pub fn info(self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.info_item(Item::file(&format!("./{name}"), content))
    }

    /// Any entry of the control archive, as it is.
    pub fn info_item(mut self, item: Item) -> Self {
        self.info.push(item);
        self
    }

    /// Adds `md5sums` of all files, as debhelper does.
    pub fn md5sums(self) -> Self {
        DebBuilder {
            md5sums: true,
            ..self
        }
    }

    /// Adds no parent directories.
    pub fn bare(self) -> Self {
        DebBuilder { bare: true, ..self }
    }

    /// How `data.tar` is compressed (xz by default).
    pub fn compression(self, compression: Compression) -> Self {
        DebBuilder {
            data_compression: Some(compression),
            ..self
        }
    }

    /// How `control.tar` is compressed (xz by default).
    pub fn control_compression(self, compression: Compression) -> Self {
        DebBuilder {
            control_compression: Some(compression),
            ..self
        }
    }

    /// Changes the finished members: their order, names, bytes and stated sizes.
    pub fn members(self, change: impl Fn(&mut Vec<Member>) + Send + Sync + 'static) -> Self {
        DebBuilder {
            rearrange: Some(Box::new(change)),
            ..self
        }
    }

    /// A control field's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// The control fields in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The name that Debian's archive gives the file: the version without its epoch.
    pub fn file_name(&self) -> String {
        let field = |name| self.get(name).unwrap_or_default();
        let version = field("Version")
            .split_once(':')
            .map_or(field("Version"), |(_, rest)| rest);
        format!("{}_{version}_{}.deb", field("Package"), field("Architecture"))
    }

    /// `data.tar`, plain.
    pub fn data_tar(&self) -> Vec<u8> {
        let parents = if self.bare { Vec::new() } else { self.parents() };
        tar(parents.iter().chain(&self.items))
    }

    /// `control.tar`, plain.
    pub fn control_tar(&self) -> Vec<u8> {
        let control = self.control.clone().unwrap_or_else(|| {
            let lines = self
                .fields
                .iter()
                .map(|(name, value)| format!("{name}: {value}\n"));
            lines.collect::<String>().into_bytes()
        });
        let mut items = vec![Item::directory("./"), Item::file("./control", control)];
        if !self.conffiles.is_empty() {
            items.push(Item::file("./conffiles", self.conffiles.as_str()));
        }
        if self.md5sums {
            items.push(Item::file("./md5sums", self.sums()));
        }
        tar(items.iter().chain(&self.info))
    }

    /// The archive.
    pub fn build(&self) -> Vec<u8> {
        let member = |name: &str, plain: Vec<u8>, compression: Option<Compression>| {
            let compression = compression.unwrap_or(Compression::Xz);
            Member::new(
                &format!("{name}{}", compression.extension()),
                compression.compress(&plain),
            )
        };
        let mut members = vec![
            Member::new("debian-binary", "2.0\n"),
            member("control.tar", self.control_tar(), self.control_compression),
            member("data.tar", self.data_tar(), self.data_compression),
        ];
        if let Some(rearrange) = &self.rearrange {
            rearrange(&mut members);
        }
        ar(&members)
    }

    /// The directories above the items that are not items themselves, with the root, parents first.
    fn parents(&self) -> Vec<Item> {
        let paths: Vec<_> = self
            .items
            .iter()
            .map(|item| String::from_utf8_lossy(item.path()).into_owned())
            .collect();
        let own: BTreeSet<&str> = paths.iter().map(|path| path.trim_end_matches('/')).collect();
        let mut parents = BTreeSet::from(["."]);
        for path in paths.iter().map(|path| path.trim_end_matches('/')) {
            parents.extend(path.match_indices('/').filter_map(|(at, _)| path.get(..at)));
        }
        let missing = parents
            .into_iter()
            .filter(|path| !path.is_empty() && !own.contains(path));
        missing.map(|path| Item::directory(&format!("{path}/"))).collect()
    }

    fn sums(&self) -> String {
        let line = |item: &Item| {
            let sum: String = md5::Md5::digest(item.content())
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!(
                "{sum}  {}\n",
                String::from_utf8_lossy(item.path()).trim_start_matches("./")
            )
        };
        self.items
            .iter()
            .filter(|item| item.is_file())
            .map(line)
            .collect()
    }
}

/// An absolute path as dpkg-deb spells it in an archive.
fn inside(path: &str) -> String {
    format!(".{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn entries_can_be_read_back() {
        let long = format!("/usr/{}", "long/".repeat(40));
        let deb = DebBuilder::new("a", "1:2-3", "amd64")
            .file("/usr/bin/a", "content")
            .symlink("/usr/bin/b", &long)
            .hardlink("/usr/bin/c", "/usr/bin/a")
            .item(
                Item::character("./dev/null", 1, 3)
                    .mode(0o666)
                    .owner(0, 5)
                    .names("root", "tty")
                    .mtime(7),
            )
            .file(&format!("{long}file"), "deep");
        assert_eq!(deb.file_name(), "a_2-3_amd64.deb");
        let bytes = deb.data_tar();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            let link = entry
                .link_name_bytes()
                .map(|link| String::from_utf8(link.into_owned()).unwrap());
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            seen.push((path, link, content));
        }
        let has = |path: &str, link: Option<&str>, content: &str| {
            assert!(
                seen.contains(&(path.into(), link.map(Into::into), content.into())),
                "{path} in {seen:?}"
            );
        };
        has("./", None, "");
        has("./usr/bin/", None, "");
        has("./usr/bin/a", None, "content");
        has("./usr/bin/b", Some(&long), "");
        has("./usr/bin/c", Some("./usr/bin/a"), "");
        has(&format!(".{long}file"), None, "deep");
        let order = |path: &str| seen.iter().position(|(have, ..)| have == path).unwrap();
        assert!(order("./") < order("./usr/") && order("./usr/") < order("./usr/bin/"));
    }

    #[test]
    fn an_archive_has_its_members() {
        for compression in Compression::ALL {
            let deb = DebBuilder::new("a", "1", "all")
                .compression(compression)
                .control_compression(Compression::Gzip);
            let bytes = deb.build();
            let mut archive = ::ar::Archive::new(bytes.as_slice());
            let mut names = Vec::new();
            while let Some(entry) = archive.next_entry() {
                names.push(String::from_utf8(entry.unwrap().header().identifier().to_vec()).unwrap());
            }
            assert_eq!(
                names,
                [
                    "debian-binary",
                    "control.tar.gz",
                    &format!("data.tar{}", compression.extension())
                ]
            );
        }
    }

    #[test]
    fn hostile_archives_can_be_made() {
        let deb = DebBuilder::new("a", "1", "all").members(|members| {
            members.swap(1, 2);
            members[0].size = Some("99".into());
        });
        let bytes = deb.build();
        assert_eq!(&bytes[8 + 48..8 + 58], b"99        ");
        let lying = Item::file("../../etc/passwd", "x")
            .tamper(|header| header.set_size(1 << 40))
            .keep_checksum();
        assert!(tar([&lying]).starts_with(b"../../etc/passwd\0"));
    }
}
