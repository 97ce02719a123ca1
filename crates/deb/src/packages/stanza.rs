use std::borrow::Cow;
use std::fmt;

use bareroot_model::Digest;
use bareroot_trust::Expected;

use super::record::{self, Field, Record, Word};
use super::{Index, MultiArch, Priority};
use crate::{Error, paths, version};

/// One package of an index, as its stanza states it.
///
/// A field that is absent is the empty text. Relations are as written, folded lines included; [`crate::relation`]
/// reads them.
#[derive(Clone, Copy)]
pub struct Stanza<'a> {
    index: &'a Index,
    id: u32,
    record: Record<'a>,
}

impl<'a> Stanza<'a> {
    pub(super) fn new(index: &'a Index, id: u32, record: Record<'a>) -> Self {
        Stanza { index, id, record }
    }

    /// The stanza's number in its index.
    pub fn id(self) -> u32 {
        self.id
    }

    /// The index that it is from.
    pub fn index(self) -> &'a Index {
        self.index
    }

    pub(super) fn field(self, field: Field) -> &'a str {
        // Every range was checked when the index was built or loaded.
        self.index.text.get(self.record.range(field)).unwrap_or_default()
    }

    fn word(self, word: Word) -> &'a str {
        self.index
            .words
            .get(usize::from(self.record.word(word)))
            .map_or("", |word| word)
    }

    fn flag(self, flag: u8) -> bool {
        self.record.flags() & flag != 0
    }

    /// `Package`.
    pub fn name(self) -> &'a str {
        self.field(Field::Name)
    }

    /// `Version`.
    pub fn version(self) -> &'a str {
        self.field(Field::Version)
    }

    /// `Architecture`: of the package, or `all`.
    pub fn architecture(self) -> &'a str {
        self.word(Word::Architecture)
    }

    /// `Section`, with the component before it where it is not main (`non-free/net`).
    pub fn section(self) -> &'a str {
        self.word(Word::Section)
    }

    /// `Priority`.
    pub fn priority(self) -> Priority {
        Priority::ALL
            .get(usize::from(self.record.priority()))
            .copied()
            .unwrap_or(Priority::Unknown)
    }

    /// `Multi-Arch`.
    pub fn multi_arch(self) -> MultiArch {
        MultiArch::ALL
            .get(usize::from(self.record.multi_arch()))
            .copied()
            .unwrap_or(MultiArch::No)
    }

    /// `Essential: yes`.
    pub fn essential(self) -> bool {
        self.flag(record::ESSENTIAL)
    }

    /// `Important: yes`: apt asks before it is removed. It does not ask for installation.
    pub fn important(self) -> bool {
        self.flag(record::IMPORTANT)
    }

    /// `Protected: yes`: dpkg asks before it is removed. It does not ask for installation.
    pub fn protected(self) -> bool {
        self.flag(record::PROTECTED)
    }

    /// `Depends`.
    pub fn depends(self) -> &'a str {
        self.field(Field::Depends)
    }

    /// `Pre-Depends`.
    pub fn pre_depends(self) -> &'a str {
        self.field(Field::PreDepends)
    }

    /// `Recommends`.
    pub fn recommends(self) -> &'a str {
        self.field(Field::Recommends)
    }

    /// `Provides`.
    pub fn provides(self) -> &'a str {
        self.field(Field::Provides)
    }

    /// `Conflicts`.
    pub fn conflicts(self) -> &'a str {
        self.field(Field::Conflicts)
    }

    /// `Breaks`.
    pub fn breaks(self) -> &'a str {
        self.field(Field::Breaks)
    }

    /// `Replaces`.
    pub fn replaces(self) -> &'a str {
        self.field(Field::Replaces)
    }

    /// `Suggests`: nothing is installed for it, but apt keeps what it names.
    pub fn suggests(self) -> &'a str {
        self.field(Field::Suggests)
    }

    /// `Enhances`.
    pub fn enhances(self) -> &'a str {
        self.field(Field::Enhances)
    }

    /// The source package's name: from `Source`, or the package's own name.
    pub fn source_name(self) -> &'a str {
        source_name(self.field(Field::Source), self.name())
    }

    /// The source package's version: from `Source`, or the package's own version.
    pub fn source_version(self) -> &'a str {
        let source = self.field(Field::Source);
        let inside = source.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        inside.map_or_else(|| self.version(), |(version, _)| version.trim_ascii())
    }

    /// `Installed-Size` in KiB.
    pub fn installed_size(self) -> Option<u32> {
        self.record.installed_size()
    }

    /// `Phased-Update-Percentage`, from 0 to 100.
    pub fn phased(self) -> Option<u8> {
        self.record.phased()
    }

    /// `Size`: bytes of the archive.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`] when there is none, or when it is no number.
    pub fn size(self) -> Result<u64, Error> {
        self.record
            .size()
            .ok_or_else(|| self.wrong("it has no valid `Size`"))
    }

    /// `SHA256` of the archive.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`] when there is none, or when it is no such digest.
    pub fn sha256(self) -> Result<Digest, Error> {
        if self.flag(record::SHA256) {
            return Ok(Digest::new(self.record.sha256()));
        }
        let found = self.field(Field::Digest);
        if found.is_empty() || self.flag(record::SHA512) {
            return Err(self.wrong("it has no `SHA256`"));
        }
        let found: String = found.chars().take(80).collect();
        Err(self.wrong(format!(
            "its `SHA256` is `{found}`, which is not 64 hexadecimal digits"
        )))
    }

    /// `SHA512` of the archive, which is kept only where there is no `SHA256`.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`] when it is no such digest.
    pub fn sha512(self) -> Result<Option<[u8; 64]>, Error> {
        if !self.flag(record::SHA512) {
            return Ok(None);
        }
        match crate::hex::decode(self.field(Field::Digest).as_bytes()) {
            Some(digest) => Ok(Some(digest)),
            None => Err(self.wrong("its `SHA512` is not 128 hexadecimal digits")),
        }
    }

    /// Size and digest as what the archive is verified by: its SHA-256, or its SHA-512 where that is all there is.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`] when either is absent or malformed.
    pub fn expected(self) -> Result<Expected, Error> {
        let (sha256, sha512) = match self.sha512()? {
            None => (Some(self.sha256()?), None),
            sha512 => (None, sha512),
        };
        Expected::new(Some(self.size()?), sha256, sha512).map_err(|error| self.wrong(error.to_string()))
    }

    /// `Filename`: the archive's path below its repository, without `.` parts.
    ///
    /// # Errors
    ///
    /// [`Error::Stanza`] when there is none, or when it could lead out of the repository.
    pub fn filename(self) -> Result<Cow<'a, str>, Error> {
        let written = self.written_filename();
        match written {
            Cow::Borrowed(path) => paths::relative(path),
            Cow::Owned(path) => paths::relative(&path).map(|clean| Cow::Owned(clean.into_owned())),
        }
        .map_err(|reason| self.wrong(format!("its `Filename` {reason}")))
    }

    /// `Filename` as it stands in the index.
    fn written_filename(self) -> Cow<'a, str> {
        if !self.flag(record::POOLED) {
            return Cow::Borrowed(self.field(Field::Filename));
        }
        let pool = self.word(Word::Pool);
        let source = self.source_name();
        Cow::Owned(pooled(pool, source, self.name(), self.version(), self.architecture()).concat())
    }

    fn wrong(self, reason: impl Into<String>) -> Error {
        Error::Stanza {
            index: self.index.info.label.clone(),
            stanza: self.id as usize + 1,
            package: self.name().chars().take(200).collect(),
            reason: reason.into(),
        }
    }
}

/// The source package's name that a `Source` field (`glibc (2.41-12)`) gives to a binary package.
pub(super) fn source_name<'a>(source: &'a str, package: &'a str) -> &'a str {
    match source.split('(').next().unwrap_or_default().trim_ascii() {
        "" => package,
        name => name,
    }
}

/// The path that Debian's archive gives to nearly every package: `pool/main/g/glibc/libc6_2.41-12_amd64.deb`.
fn pooled<'a>(
    pool: &'a str,
    source: &'a str,
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
) -> [&'a str; 12] {
    let version = version::without_epoch(version);
    [
        pool,
        "/",
        shelf(source),
        "/",
        source,
        "/",
        name,
        "_",
        version,
        "_",
        architecture,
        ".deb",
    ]
}

/// Whether a file name is spelled by [`pooled`].
pub(super) fn is_pooled(
    filename: &str,
    pool: &str,
    source: &str,
    name: &str,
    version: &str,
    architecture: &str,
) -> bool {
    let parts = pooled(pool, source, name, version, architecture);
    parts
        .iter()
        .try_fold(filename, |rest, part| rest.strip_prefix(part))
        .is_some_and(str::is_empty)
}

/// The directory of the pool in which a source package stands: its first letter, or `lib` and the next one.
fn shelf(source: &str) -> &str {
    let length = if source.starts_with("lib") { 4 } else { 1 };
    source.get(..length).unwrap_or(source)
}

impl fmt::Debug for Stanza<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} {}", self.name(), self.architecture(), self.version())
    }
}
