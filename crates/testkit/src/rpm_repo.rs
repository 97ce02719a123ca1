//! RPM repositories built on the spot, honest ones and broken ones, as createrepo_c makes them.
//!
//! ```
//! use bareroot_testkit::rpm::RpmBuilder;
//! use bareroot_testkit::rpm_repo::RpmRepo;
//!
//! let repo = RpmRepo::new().package(&RpmBuilder::new("hello", "1.0-1", "noarch"));
//! let files = repo.files("", None);
//! assert!(files.contains_key("Packages/hello-1.0-1.noarch.rpm"));
//! assert!(files.contains_key("repodata/repomd.xml"));
//! ```

use std::collections::BTreeMap;

use sha2::Digest as _;

use crate::compress::Compression;
use crate::rpm::RpmBuilder;
use crate::sign::Signer;

/// A repository in the making.
#[derive(Clone, Debug)]
pub struct RpmRepo {
    packages: Vec<Listed>,
    compression: Compression,
    primary: Option<Vec<u8>>,
    filelists: bool,
    others: Vec<Data>,
    extra: BTreeMap<String, Vec<u8>>,
}

/// A package in a repository.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The file's path from the repository's root.
    pub path: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its element in primary.xml. Change it to make the index lie.
    pub primary: String,
    /// Its element in filelists.xml.
    pub filelists: String,
}

/// A file of the metadata, compressed already.
#[derive(Clone, Debug)]
struct Data {
    kind: String,
    name: String,
    plain: Option<Vec<u8>>,
    bytes: Vec<u8>,
}

impl Default for RpmRepo {
    fn default() -> Self {
        Self::new()
    }
}

impl RpmRepo {
    /// An empty repository, whose metadata is compressed by gzip.
    pub fn new() -> Self {
        RpmRepo {
            packages: Vec::new(),
            compression: Compression::Gzip,
            primary: None,
            filelists: true,
            others: Vec::new(),
            extra: BTreeMap::new(),
        }
    }

    /// Adds a package.
    pub fn package(self, rpm: &RpmBuilder) -> Self {
        self.listed(Listed::of(rpm))
    }

    /// Adds a package that was listed before, here or elsewhere.
    pub fn listed(mut self, package: Listed) -> Self {
        self.packages.push(package);
        self
    }

    /// The packages, in the order in which they were added.
    pub fn packages(&self) -> &[Listed] {
        &self.packages
    }

    /// The packages, to be changed.
    pub fn packages_mut(&mut self) -> &mut [Listed] {
        &mut self.packages
    }

    /// How the metadata is compressed.
    pub fn compression(self, compression: Compression) -> Self {
        RpmRepo { compression, ..self }
    }

    /// Groups and environments, as [`comps`] makes them.
    pub fn groups(self, text: &str) -> Self {
        let compression = self.compression;
        self.data("group", "comps.xml", text.as_bytes(), compression)
    }

    /// Documents of modules.
    pub fn modules(self, text: &str) -> Self {
        let compression = self.compression;
        self.data("modules", "modules.yaml", text.as_bytes(), compression)
    }

    /// Another file of the metadata, of that type.
    pub fn data(mut self, kind: &str, name: &str, plain: &[u8], compression: Compression) -> Self {
        self.others.push(Data {
            kind: kind.into(),
            name: format!("{name}{}", compression.extension()),
            plain: Some(plain.to_vec()),
            bytes: compression.compress(plain),
        });
        self
    }

    /// A file of the metadata whose bytes are as given, whatever its name says.
    pub fn raw_data(mut self, kind: &str, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.others.push(Data {
            kind: kind.into(),
            name: name.into(),
            plain: None,
            bytes: bytes.into(),
        });
        self
    }

    /// Another text in place of the primary.xml of the packages.
    pub fn primary(self, text: impl Into<Vec<u8>>) -> Self {
        RpmRepo {
            primary: Some(text.into()),
            ..self
        }
    }

    /// No primary.xml: [`RpmRepo::raw_data`] brings one.
    pub fn without_primary(self) -> Self {
        self.primary(Vec::new())
    }

    /// No lists of all files.
    pub fn without_filelists(self) -> Self {
        RpmRepo {
            filelists: false,
            ..self
        }
    }

    /// Adds or replaces any file, by its path from the root.
    pub fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.extra.insert(path.into(), bytes.into());
        self
    }

    /// Every file by its path, with `directory` (empty, or ending in a slash) before it. Without a signer there is no
    /// repomd.xml.asc.
    pub fn files(&self, directory: &str, signer: Option<&dyn Signer>) -> BTreeMap<String, Vec<u8>> {
        let mut all: Vec<Data> = Vec::new();
        let compressed = |kind: &str, text: Vec<u8>| Data {
            kind: kind.into(),
            name: format!("{kind}.xml{}", self.compression.extension()),
            bytes: self.compression.compress(&text),
            plain: Some(text),
        };
        match &self.primary {
            None => all.push(compressed("primary", self.primary_text().into_bytes())),
            Some(text) if text.is_empty() => {}
            Some(text) => all.push(compressed("primary", text.clone())),
        }
        if self.filelists {
            all.push(compressed("filelists", self.filelists_text().into_bytes()));
        }
        all.extend(self.others.clone());
        let mut files = BTreeMap::new();
        for data in &all {
            files.insert(data.path(), data.bytes.clone());
        }
        for package in &self.packages {
            files.insert(package.path.clone(), package.bytes.clone());
        }
        let repomd = self
            .extra
            .get("repodata/repomd.xml")
            .cloned()
            .unwrap_or_else(|| repomd(&all).into_bytes());
        if let Some(signer) = signer {
            files.insert("repodata/repomd.xml.asc".into(), signer.detach_sign(&repomd));
        }
        files.insert("repodata/repomd.xml".into(), repomd);
        files.extend(self.extra.clone());
        let placed = files.into_iter();
        placed
            .map(|(path, bytes)| (format!("{directory}{path}"), bytes))
            .collect()
    }

    /// The primary.xml of the packages.
    pub fn primary_text(&self) -> String {
        let count = self.packages.len();
        let elements: String = self
            .packages
            .iter()
            .map(|package| package.primary.as_str())
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
             xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"{count}\">\n{elements}</metadata>\n"
        )
    }

    fn filelists_text(&self) -> String {
        let count = self.packages.len();
        let elements: String = self
            .packages
            .iter()
            .map(|package| package.filelists.as_str())
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" \
             packages=\"{count}\">\n{elements}</filelists>\n"
        )
    }
}

impl Data {
    fn path(&self) -> String {
        format!("repodata/{}-{}", sha256(&self.bytes), self.name)
    }
}

/// The repomd.xml of these files.
fn repomd(all: &[Data]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n  <revision>1577836800</revision>\n",
    );
    for data in all {
        let open = data.plain.as_ref().map_or(String::new(), |plain| {
            format!(
                "    <open-checksum type=\"sha256\">{}</open-checksum>\n    <open-size>{}</open-size>\n",
                sha256(plain),
                plain.len()
            )
        });
        text += &format!(
            "  <data type=\"{}\">\n    <checksum type=\"sha256\">{}</checksum>\n{open}    <location href=\"{}\"/>\n    \
             <timestamp>1577836800</timestamp>\n    <size>{}</size>\n  </data>\n",
            data.kind,
            sha256(&data.bytes),
            data.path(),
            data.bytes.len()
        );
    }
    text + "</repomd>\n"
}

impl Listed {
    /// A package below `Packages/`, as an honest repository lists it.
    pub fn of(rpm: &RpmBuilder) -> Self {
        let built = rpm.built();
        let path = format!("Packages/{}", rpm.file_name());
        let digest = sha256(&built.bytes);
        let [version, arch] = rpm.index_words();
        let lists: String = rpm
            .listed()
            .iter()
            .filter(|(_, entries)| !entries.is_empty())
            .map(|(name, entries)| format!("    <rpm:{name}>{}</rpm:{name}>\n", entries.concat()))
            .collect();
        let (begin, end) = built.header;
        let name = escaped(rpm.name());
        let files = rpm.file_elements();
        let few: String = files
            .iter()
            .filter(|(path, _)| path.starts_with("/etc/") || path.contains("bin/"))
            .map(|(_, element)| element.as_str())
            .collect();
        let primary = format!(
            "<package type=\"rpm\">\n  <name>{name}</name>\n  <arch>{arch}</arch>\n  {version}\n  \
             <checksum type=\"sha256\" pkgid=\"YES\">{digest}</checksum>\n  <summary>a package for tests</summary>\n  \
             <description>A package for tests.</description>\n  <packager></packager>\n  <url></url>\n  \
             <time file=\"1577836800\" build=\"{}\"/>\n  <size package=\"{}\" installed=\"0\" archive=\"{}\"/>\n  \
             <location href=\"{}\"/>\n  <format>\n    <rpm:license>MIT</rpm:license>\n    \
             <rpm:sourcerpm>{}</rpm:sourcerpm>\n    \
             <rpm:header-range start=\"{begin}\" end=\"{end}\"/>\n{lists}{few}  </format>\n</package>\n",
            RpmBuilder::BUILD_TIME,
            built.bytes.len(),
            built.archive,
            escaped(&path),
            escaped(&rpm.source()),
        );
        let all: String = files.iter().map(|(_, element)| element.as_str()).collect();
        let filelists = format!(
            "<package pkgid=\"{digest}\" name=\"{name}\" arch=\"{arch}\">\n  {version}\n{all}</package>\n"
        );
        Listed {
            name: rpm.name().into(),
            path,
            bytes: built.bytes,
            primary,
            filelists,
        }
    }
}

/// A group: its packages, each with its type (`mandatory`, `default`, `optional`).
pub fn group(id: &str, name: &str, packages: &[(&str, &str)]) -> String {
    let list: String = packages
        .iter()
        .map(|(name, kind)| format!("      <packagereq type=\"{kind}\">{name}</packagereq>\n"))
        .collect();
    format!(
        "  <group>\n    <id>{id}</id>\n    <name>{name}</name>\n    <description/>\n    <default>false</default>\n    \
         <uservisible>true</uservisible>\n    <packagelist>\n{list}    </packagelist>\n  </group>\n"
    )
}

/// An environment: its groups, and those that it may have as well.
pub fn environment(id: &str, name: &str, groups: &[&str], optional: &[&str]) -> String {
    let list = |ids: &[&str]| -> String {
        ids.iter()
            .map(|id| format!("      <groupid>{id}</groupid>\n"))
            .collect()
    };
    format!(
        "  <environment>\n    <id>{id}</id>\n    <name>{name}</name>\n    <description/>\n    \
         <display_order>1</display_order>\n    <grouplist>\n{}    </grouplist>\n    <optionlist>\n{}    \
         </optionlist>\n  </environment>\n",
        list(groups),
        list(optional)
    )
}

/// A comps.xml of groups and environments.
pub fn comps(parts: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \
         \"comps.dtd\">\n<comps>\n{}</comps>\n",
        parts.concat()
    )
}

/// A metalink: the base URLs of mirrors, the preferred one first; then the repomd.xml files that count, the current one
/// first.
pub fn metalink(mirrors: &[String], repomd: &[&[u8]]) -> String {
    let state = |bytes: &[u8]| {
        format!(
            "<mm0:timestamp>1577836800</mm0:timestamp><size>{}</size><verification><hash type=\"sha256\">{}</hash>\
             <hash type=\"sha512\">{}</hash></verification>",
            bytes.len(),
            sha256(bytes),
            hex(&sha2::Sha512::digest(bytes))
        )
    };
    let (current, before) = repomd
        .split_first()
        .map_or((String::new(), String::new()), |(first, rest)| {
            let alternates: String = rest
                .iter()
                .map(|bytes| format!("<mm0:alternate>{}</mm0:alternate>", state(bytes)))
                .collect();
            (state(first), alternates)
        });
    let alternates = match before.is_empty() {
        true => String::new(),
        false => format!("<mm0:alternates>{before}</mm0:alternates>"),
    };
    let urls: String = mirrors
        .iter()
        .zip((1..=100).rev())
        .map(|(url, preference)| {
            format!(
                "<url protocol=\"http\" type=\"http\" location=\"DE\" preference=\"{preference}\">{}/repodata/repomd.xml</url>",
                escaped(url)
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\" \
         xmlns:mm0=\"http://fedorahosted.org/mirrormanager\"><files><file name=\"repomd.xml\">{current}{alternates}\
         <resources maxconnections=\"1\">{urls}</resources></file></files></metalink>\n"
    )
}

/// A text as XML has it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn sha256(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
