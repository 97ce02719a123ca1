//! What rpmbuild writes into a header.

use md5::Digest as _;

use super::depend::{self, Dependency, Kind};
use super::header::{Entries, Value};
use super::{Compression, Item, RpmBuilder, hex, inodes, script, sha256};

impl RpmBuilder {
    /// The tags of the header.
    pub(super) fn entries(&self, items: &[Item], payload: &[u8], archive: &[u8]) -> Entries {
        let translated = |text: &str| Value::Translated(text.into());
        let size = items.iter().map(|item| item.content.len() as u32).sum::<u32>();
        let mut entries = Entries::from([
            (100, ["C"].iter().collect()),
            (1000, self.name.as_str().into()),
            (1001, self.version.as_str().into()),
            (1002, self.release.as_str().into()),
            (1004, translated("a package for tests")),
            (1005, translated("A package for tests.")),
            (1006, self.build_time.into()),
            (1007, "localhost".into()),
            (1009, size.into()),
            (1014, "MIT".into()),
            (1016, translated("Unspecified")),
            (1021, "linux".into()),
            (1022, self.arch.as_str().into()),
            (1044, self.source().as_str().into()),
            (1064, "4.18.0".into()),
            (1124, "cpio".into()),
            (1126, "9".into()),
            (1132, format!("{}-linux", self.arch).as_str().into()),
            (5062, "utf-8".into()),
            (5092, [sha256(payload)].iter().collect()),
            (5093, 8.into()),
            (5097, [sha256(archive)].iter().collect()),
        ]);
        if let Some(epoch) = self.epoch {
            entries.insert(1003, epoch.into());
        }
        if let Some(compressor) = compressor(self.compression) {
            entries.insert(1125, compressor.into());
        }
        depend::put(&self.all_dependencies(), &mut entries);
        self.scriptlets
            .iter()
            .for_each(|scriptlet| scriptlet.put(&mut entries));
        script::put(&self.triggers, &mut entries);
        if !items.is_empty() {
            files(items, self.file_digest, &mut entries);
        }
        entries
    }

    /// The dependencies, with the features that rpm must have.
    pub(super) fn all_dependencies(&self) -> Vec<Dependency> {
        let mut all = self.dependencies.clone();
        let mut feature = |name, version| all.push(Dependency::feature(name, version));
        if !self.items.is_empty() {
            feature("CompressedFileNames", "3.0.4-1");
            feature("PayloadFilesHavePrefix", "4.0-1");
            if self.file_digest != 1 {
                feature("FileDigests", "4.6.0-1");
            }
        }
        if self.items.iter().any(|item| !item.caps.is_empty()) {
            feature("FileCaps", "4.6.1-1");
        }
        if self
            .dependencies
            .iter()
            .any(|dependency| dependency.name.starts_with('('))
        {
            feature("RichDependencies", "4.12.0-1");
        }
        match self.compression {
            Compression::Xz => feature("PayloadIsXz", "5.2-1"),
            Compression::Zstd => feature("PayloadIsZstd", "5.4.18-1"),
            Compression::Bzip2 => feature("PayloadIsBzip2", "3.0.5-1"),
            Compression::Lzma => feature("PayloadIsLzma", "4.4.2-1"),
            Compression::None | Compression::Gzip => {}
        }
        all
    }
}

/// What the header calls a compression.
fn compressor(compression: Compression) -> Option<&'static str> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some("gzip"),
        Compression::Xz => Some("xz"),
        Compression::Zstd => Some("zstd"),
        Compression::Bzip2 => Some("bzip2"),
        Compression::Lzma => Some("lzma"),
    }
}

fn files(items: &[Item], algorithm: u32, entries: &mut Entries) {
    let mut directories: Vec<&[u8]> = items.iter().map(|item| item.split().0).collect();
    directories.sort_unstable();
    directories.dedup();
    let directory_of = |item: &Item| {
        let own = item.split().0;
        directories
            .iter()
            .position(|directory| *directory == own)
            .unwrap_or(0) as u32
    };
    let numbers = |number: &dyn Fn(&Item) -> u32| Value::Int32(items.iter().map(number).collect());
    let digest = |item: &Item| match (item.is_regular() && !item.is_ghost(), algorithm) {
        (false, _) => String::new(),
        (true, 1) => hex(&md5::Md5::digest(&item.content)),
        (true, _) => sha256(&item.content),
    };
    let size = |item: &Item| match item.is_directory() {
        true => 4096,
        false => item.content.len().max(item.link.len()) as u32,
    };
    entries.extend([
        (1028, numbers(&size)),
        (
            1030,
            Value::Int16(items.iter().map(|item| item.mode as u16).collect()),
        ),
        (1033, Value::Int16(items.iter().map(Item::rdev).collect())),
        (1034, numbers(&|item| item.mtime)),
        (1035, items.iter().map(digest).collect()),
        (1036, items.iter().map(|item| &item.link).collect()),
        (1037, numbers(&|item| item.flags)),
        (1039, items.iter().map(|item| &item.user).collect()),
        (1040, items.iter().map(|item| &item.group).collect()),
        (1045, numbers(&|_| u32::MAX)),
        (1095, numbers(&|_| 1)),
        (
            1096,
            Value::Int32(inodes(items).iter().map(|(inode, _)| *inode).collect()),
        ),
        (1097, items.iter().map(|item| &item.lang).collect()),
        (1116, numbers(&directory_of)),
        (1117, items.iter().map(|item| item.split().1).collect()),
        (1118, directories.iter().collect()),
        (1140, numbers(&|item| item.color)),
        (5011, algorithm.into()),
    ]);
    if items.iter().any(|item| !item.caps.is_empty()) {
        entries.insert(5010, items.iter().map(|item| &item.caps).collect());
    }
}

impl RpmBuilder {
    /// The dependencies that primary.xml lists, by its names of the lists.
    pub(crate) fn listed(&self) -> Vec<(&'static str, Vec<String>)> {
        let all = self.all_dependencies();
        let list = |(kind, name): &(Kind, &'static str)| {
            let own = all
                .iter()
                .filter(|dependency| dependency.kind == *kind && !dependency.name.starts_with("rpmlib("));
            (*name, own.map(entry).collect())
        };
        Kind::IN_PRIMARY.iter().map(list).collect()
    }
}

/// A dependency as primary.xml has it.
fn entry(dependency: &Dependency) -> String {
    use crate::rpm_repo::escaped;
    let mut text = format!("<rpm:entry name=\"{}\"", escaped(&dependency.name));
    if let Some(comparison) = dependency.comparison() {
        let (epoch, version, release) = depend::evr(&dependency.evr);
        text += &format!(
            " flags=\"{comparison}\" epoch=\"{}\" ver=\"{version}\"",
            epoch.unwrap_or("0")
        );
        if let Some(release) = release {
            text += &format!(" rel=\"{release}\"");
        }
    }
    if dependency.sense & (depend::sense::PRE | depend::sense::POST | 1 << 6) != 0 {
        text += " pre=\"1\"";
    }
    text + "/>"
}

impl RpmBuilder {
    /// The source package that it was built from.
    pub(crate) fn source(&self) -> String {
        format!("{}-{}-{}.src.rpm", self.name, self.version, self.release)
    }

    /// How indexes write its version and architecture.
    pub(crate) fn index_words(&self) -> [String; 2] {
        use crate::rpm_repo::escaped;
        let version = format!(
            "<version epoch=\"{}\" ver=\"{}\" rel=\"{}\"/>",
            self.epoch.unwrap_or(0),
            escaped(&self.version),
            escaped(&self.release)
        );
        [version, escaped(&self.arch)]
    }

    /// Its files' elements in indexes, with their paths.
    pub(crate) fn file_elements(&self) -> Vec<(String, String)> {
        use crate::rpm_repo::escaped;
        let element = |item: &Item| {
            let path = String::from_utf8_lossy(&item.path).into_owned();
            let kind = match (item.is_ghost(), item.is_directory()) {
                (true, _) => " type=\"ghost\"",
                (_, true) => " type=\"dir\"",
                _ => "",
            };
            let element = format!("    <file{kind}>{}</file>\n", escaped(&path));
            (path, element)
        };
        self.sorted().iter().map(element).collect()
    }
}
