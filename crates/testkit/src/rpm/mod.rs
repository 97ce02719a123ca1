//! RPM packages built on the spot, honest ones and hostile ones.
//!
//! ```
//! use bareroot_testkit::rpm::{Item, RpmBuilder, When};
//!
//! let rpm = RpmBuilder::new("hello", "1:1.0-1", "noarch")
//!     .requires("base >= 1")
//!     .item(Item::file("/usr/bin/hello", "not really a program").mode(0o755))
//!     .item(Item::file("/etc/hello.conf", "greeting = hello\n").config_noreplace())
//!     .script(When::Post, "/bin/sh", "true");
//! assert_eq!(rpm.file_name(), "hello-1.0-1.noarch.rpm");
//! assert!(rpm.build().starts_with(b"\xed\xab\xee\xdb"));
//! ```

mod cpio;
mod depend;
mod header;
mod item;
mod script;
mod sign;
mod tags;

use std::fmt;
use std::sync::Arc;

use sha2::Digest as _;

pub use crate::compress::Compression;
pub use cpio::{Form, Record};
pub use depend::{Kind, sense};
pub use header::{Entries, Value};
pub use item::Item;
pub use script::{On, When};
pub use sign::Signature;

use depend::Dependency;
use script::{Scriptlet, Trigger};

/// Changes something in the making.
type Change<T> = Option<Arc<dyn Fn(&mut T) + Send + Sync>>;

/// A package in the making. Paths are absolute. It is signed by [`crate::door::signer`] over its header, as rpmsign does
/// it, unless something else is said.
#[derive(Clone)]
pub struct RpmBuilder {
    name: String,
    epoch: Option<u32>,
    version: String,
    release: String,
    arch: String,
    build_time: u32,
    items: Vec<Item>,
    dependencies: Vec<Dependency>,
    scriptlets: Vec<Scriptlet>,
    triggers: Vec<Trigger>,
    compression: Compression,
    form: Form,
    file_digest: u32,
    signatures: Option<Vec<Signature>>,
    on_header: Change<Entries>,
    on_header_bytes: Change<Vec<u8>>,
    on_records: Change<Vec<Record>>,
    on_archive: Change<Vec<u8>>,
    on_payload: Change<Vec<u8>>,
    on_signature: Change<Entries>,
    on_file: Change<Vec<u8>>,
}

impl fmt::Debug for RpmBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RpmBuilder({})", self.file_name())
    }
}

/// A finished package, and what an index of it says.
#[derive(Clone, Debug)]
pub struct Built {
    /// The file.
    pub bytes: Vec<u8>,
    /// Where the header begins and ends.
    pub header: (usize, usize),
    /// Bytes of the decompressed payload.
    pub archive: usize,
}

impl RpmBuilder {
    /// When packages were built that were told nothing else: 2020-01-01.
    pub const BUILD_TIME: u32 = Item::MTIME;

    /// A package `[epoch:]version-release` without files, that provides itself.
    pub fn new(name: &str, evr: &str, arch: &str) -> Self {
        let (epoch, version, release) = depend::evr(evr);
        let package = RpmBuilder {
            name: name.into(),
            epoch: epoch.and_then(|epoch| epoch.parse().ok()),
            version: version.into(),
            release: release.unwrap_or("1").into(),
            arch: arch.into(),
            build_time: Self::BUILD_TIME,
            items: Vec::new(),
            dependencies: Vec::new(),
            scriptlets: Vec::new(),
            triggers: Vec::new(),
            compression: Compression::Gzip,
            form: Form::Newc,
            file_digest: 8,
            signatures: None,
            on_header: None,
            on_header_bytes: None,
            on_records: None,
            on_archive: None,
            on_payload: None,
            on_signature: None,
            on_file: None,
        };
        let own = format!("{name} = {evr}");
        package.dependency(Kind::Provides, &own, 0)
    }

    /// A dependency: `name`, `name >= evr`, or a boolean one in parentheses; with qualifiers of [`sense`].
    pub fn dependency(mut self, kind: Kind, text: &str, qualifiers: u32) -> Self {
        self.dependencies.push(Dependency::parse(kind, text, qualifiers));
        self
    }

    /// `Requires:`.
    pub fn requires(self, text: &str) -> Self {
        self.dependency(Kind::Requires, text, 0)
    }

    /// `Provides:`.
    pub fn provides(self, text: &str) -> Self {
        self.dependency(Kind::Provides, text, 0)
    }

    /// Adds a file.
    pub fn item(mut self, item: Item) -> Self {
        self.items.push(item);
        self
    }

    /// A regular file, mode 0644.
    pub fn file(self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.item(Item::file(path, content))
    }

    /// A directory, mode 0755.
    pub fn directory(self, path: &str) -> Self {
        self.item(Item::directory(path))
    }

    /// A symbolic link.
    pub fn symlink(self, path: &str, text: &str) -> Self {
        self.item(Item::symlink(path, text))
    }

    /// A scriptlet, of the interpreter with its arguments; what it needs is required as rpmbuild requires it.
    pub fn script(mut self, when: When, program: &str, body: &str) -> Self {
        let words: Vec<String> = program.split_whitespace().map(str::to_owned).collect();
        let before = match when {
            When::Pre => sense::PRE,
            When::Post => sense::POST,
            _ => 0,
        };
        if let Some(interpreter) = words.first().filter(|word| word.starts_with('/')) {
            let interpreter = interpreter.clone();
            self = self.dependency(Kind::Requires, &interpreter, before | 1 << 8);
        }
        self.scriptlets.push(Scriptlet {
            when,
            program: words,
            body: Some(body.into()),
            flags: 0,
        });
        self
    }

    /// A scriptlet that is a program alone (`%post -p /sbin/ldconfig`).
    pub fn program(mut self, when: When, program: &str) -> Self {
        self = self.script(when, program, "");
        if let Some(last) = self.scriptlets.last_mut() {
            last.body = None;
        }
        self
    }

    /// What is done to the last scriptlet's body before it runs: 1 expands macros, 2 fills in the header's tags.
    pub fn script_flags(mut self, flags: u32) -> Self {
        if let Some(last) = self.scriptlets.last_mut() {
            last.flags = flags;
        }
        self
    }

    /// A trigger on packages or paths.
    pub fn trigger(mut self, on: On, names: &[&str], program: &str, body: &str) -> Self {
        self.triggers.push(Trigger {
            on,
            names: names.iter().map(|name| (*name).into()).collect(),
            priority: 1_000_000,
            program: program.into(),
            body: body.into(),
        });
        self
    }

    /// The last trigger's priority.
    pub fn priority(mut self, priority: u32) -> Self {
        if let Some(last) = self.triggers.last_mut() {
            last.priority = priority;
        }
        self
    }

    /// How the payload is compressed (gzip by default).
    pub fn compression(self, compression: Compression) -> Self {
        RpmBuilder { compression, ..self }
    }

    /// The form of the payload's records.
    pub fn form(self, form: Form) -> Self {
        RpmBuilder { form, ..self }
    }

    /// When it was built, in seconds since 1970.
    pub fn build_time(self, build_time: u32) -> Self {
        RpmBuilder { build_time, ..self }
    }

    /// Which digest the header has of its files, by OpenPGP's number: 1 MD5, 8 SHA-256 (the default).
    pub fn file_digest(self, file_digest: u32) -> Self {
        RpmBuilder { file_digest, ..self }
    }

    /// These signatures; none at all where there is none.
    pub fn signatures(self, signatures: Vec<Signature>) -> Self {
        RpmBuilder {
            signatures: Some(signatures),
            ..self
        }
    }

    /// Changes the header's tags, before anything is signed.
    pub fn on_header(self, change: impl Fn(&mut Entries) + Send + Sync + 'static) -> Self {
        RpmBuilder {
            on_header: Some(Arc::new(change)),
            ..self
        }
    }

    /// Changes the header's bytes, from its magic on, before they are signed.
    pub fn on_header_bytes(self, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Self {
        RpmBuilder {
            on_header_bytes: Some(Arc::new(change)),
            ..self
        }
    }

    /// Changes what the payload holds; the header does not know.
    pub fn on_records(self, change: impl Fn(&mut Vec<Record>) + Send + Sync + 'static) -> Self {
        RpmBuilder {
            on_records: Some(Arc::new(change)),
            ..self
        }
    }

    /// Changes the payload's plain bytes; the digests are of what they become.
    pub fn on_archive(self, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Self {
        RpmBuilder {
            on_archive: Some(Arc::new(change)),
            ..self
        }
    }

    /// Changes the compressed payload; the digests are of what it becomes.
    pub fn on_payload(self, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Self {
        RpmBuilder {
            on_payload: Some(Arc::new(change)),
            ..self
        }
    }

    /// Changes the tags of digests and signatures.
    pub fn on_signature(self, change: impl Fn(&mut Entries) + Send + Sync + 'static) -> Self {
        RpmBuilder {
            on_signature: Some(Arc::new(change)),
            ..self
        }
    }

    /// Changes the finished file.
    pub fn on_file(self, change: impl Fn(&mut Vec<u8>) + Send + Sync + 'static) -> Self {
        RpmBuilder {
            on_file: Some(Arc::new(change)),
            ..self
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name that repositories give the file.
    pub fn file_name(&self) -> String {
        let RpmBuilder {
            name,
            version,
            release,
            arch,
            ..
        } = self;
        format!("{name}-{version}-{release}.{arch}.rpm")
    }

    /// The file.
    pub fn build(&self) -> Vec<u8> {
        self.built().bytes
    }

    /// The file, and what an index of it says.
    pub fn built(&self) -> Built {
        let items = self.sorted();
        let mut records = records(&items);
        changed(&self.on_records, &mut records);
        let mut archive = cpio::archive(&records, self.form);
        changed(&self.on_archive, &mut archive);
        let mut payload = self.compression.compress(&archive);
        changed(&self.on_payload, &mut payload);
        let mut entries = self.entries(&items, &payload, &archive);
        changed(&self.on_header, &mut entries);
        let mut header = header::header(header::IMMUTABLE, &entries);
        changed(&self.on_header_bytes, &mut header);
        let mut signature = sign::entries(&header, &payload, archive.len(), self.signatures.as_deref());
        changed(&self.on_signature, &mut signature);
        let mut bytes = self.lead();
        bytes.extend(header::header(header::SIGNATURES, &signature));
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let begin = bytes.len();
        bytes.extend(header);
        let end = bytes.len();
        bytes.extend(payload);
        changed(&self.on_file, &mut bytes);
        Built {
            bytes,
            header: (begin, end),
            archive: archive.len(),
        }
    }

    /// 96 bytes of which rpm looks at the first four.
    fn lead(&self) -> Vec<u8> {
        let mut lead = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1];
        let nevr = format!("{}-{}-{}", self.name, self.version, self.release);
        lead.extend(nevr.bytes().take(65));
        lead.resize(76, 0);
        // Linux; signatures in a header of their own.
        lead.extend([0, 1, 0, 5]);
        lead.resize(96, 0);
        lead
    }

    /// The files in the order of rpmbuild: by path.
    fn sorted(&self) -> Vec<Item> {
        let mut items = self.items.clone();
        items.sort_by(|a, b| a.path.cmp(&b.path));
        // A hard link is what its target is.
        let originals = items.clone();
        for item in &mut items {
            if let Some(twin) = &item.twin
                && let Some(original) = originals.iter().find(|original| original.path == *twin)
            {
                *item = Item {
                    path: item.path.clone(),
                    twin: item.twin.clone(),
                    ..original.clone()
                };
            }
        }
        items
    }
}

fn changed<T>(change: &Change<T>, thing: &mut T) {
    if let Some(change) = change {
        change(thing);
    }
}

/// The inode of each file, and how many names it has: names of one file share it.
fn inodes(items: &[Item]) -> Vec<(u32, u32)> {
    let original = |item: &Item| item.twin.clone().unwrap_or_else(|| item.path.clone());
    let originals: Vec<Vec<u8>> = items.iter().map(original).collect();
    let number = |path: &Vec<u8>| originals.iter().position(|other| other == path).unwrap_or(0) as u32 + 1;
    let names = |path: &Vec<u8>| originals.iter().filter(|other| *other == path).count() as u32;
    originals.iter().map(|path| (number(path), names(path))).collect()
}

/// The payload's records: of several names of one file only the last has the content.
fn records(items: &[Item]) -> Vec<Record> {
    let inodes = inodes(items);
    let last_of = |inode: u32| {
        let all = items.iter().zip(&inodes);
        all.map(|(_, (other, _))| *other)
            .collect::<Vec<_>>()
            .iter()
            .rposition(|other| *other == inode)
    };
    let record = |(number, (item, (inode, links))): (usize, (&Item, &(u32, u32)))| Record {
        number: number as u32,
        name: [b".", item.path.as_slice()].concat(),
        mode: item.mode,
        inode: *inode,
        links: *links,
        mtime: item.mtime,
        device: item.device,
        size: None,
        content: match item.mode & 0o170_000 {
            0o120_000 => item.link.clone(),
            _ if last_of(*inode) == Some(number) => item.content.clone(),
            _ => Vec::new(),
        },
    };
    let all = items.iter().zip(&inodes).enumerate();
    all.filter(|(_, (item, _))| !item.is_ghost())
        .map(record)
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(&sha2::Sha256::digest(bytes))
}

#[cfg(test)]
mod tests;
