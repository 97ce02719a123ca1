//! A repository's packages: small records of numbers over texts that are kept once.

use bareroot_rpm::{Evr, Sense};

use crate::error::Error;
use crate::strings::Strings;

/// The lists of relations of a package, in the order in which they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
pub enum RelationKind {
    /// What it can be called.
    Provides,
    /// What it cannot do without.
    Requires,
    /// What cannot be beside it.
    Conflicts,
    /// What it takes the place of.
    Obsoletes,
    /// What should come with it.
    Recommends,
    /// What may come with it.
    Suggests,
    /// With what it should come.
    Supplements,
    /// With what it may come.
    Enhances,
}

impl RelationKind {
    /// All of them.
    pub const ALL: [RelationKind; 8] = [
        RelationKind::Provides,
        RelationKind::Requires,
        RelationKind::Conflicts,
        RelationKind::Obsoletes,
        RelationKind::Recommends,
        RelationKind::Suggests,
        RelationKind::Supplements,
        RelationKind::Enhances,
    ];
}

/// What a path in the metadata is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum FileKind {
    /// A file or a link.
    File = 0,
    /// A directory.
    Directory = 1,
    /// Owned, and not in the payload.
    Ghost = 2,
}

/// The digest by which a repository knows a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum<'a> {
    /// `sha256`, `sha512`, `sha` for SHA-1, and so on.
    pub kind: &'a str,
    /// The digest in hexadecimal.
    pub digest: &'a str,
}

/// A package as a row of numbers. Texts are numbers of [`Strings`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Record {
    pub(crate) words: [u32; Record::WORDS],
}

/// The columns of a [`Record`].
#[derive(Clone, Copy)]
#[repr(usize)]
pub(crate) enum Column {
    Name,
    Arch,
    Epoch,
    Version,
    Release,
    ChecksumKind,
    Checksum,
    Location,
    Base,
    /// Two words, the lower first, as the next.
    Size,
    Installed = Column::Size as usize + 2,
    BuildTime = Column::Installed as usize + 2,
    SourceRpm,
    Vendor,
    HeaderStart,
    HeaderEnd,
    Files,
    FilesEnd,
    /// The first relation; nine words: where each kind begins, and where the last ends.
    Relations,
}

impl Record {
    pub(crate) const WORDS: usize = Column::Relations as usize + 9;

    pub(crate) fn get(&self, column: Column) -> u32 {
        self.words.get(column as usize).copied().unwrap_or_default()
    }

    pub(crate) fn set(&mut self, column: Column, value: u32) {
        if let Some(word) = self.words.get_mut(column as usize) {
            *word = value;
        }
    }

    pub(crate) fn set_wide(&mut self, low: Column, value: u64) {
        if let Some(words) = self.words.get_mut(low as usize..low as usize + 2) {
            words.copy_from_slice(&[value as u32, (value >> 32) as u32]);
        }
    }

    fn wide(&self, low: Column) -> u64 {
        let word =
            |offset: usize| u64::from(self.words.get(low as usize + offset).copied().unwrap_or_default());
        word(0) | word(1) << 32
    }
}

/// A relation as a row: name, flags, epoch, version, release. [`NO_EPOCH`] stands for none.
pub(crate) type Row = [u32; 5];

/// No epoch. A real one of that number is read as the one before.
pub(crate) const NO_EPOCH: u32 = u32::MAX;

/// The flag of a requirement that scriptlets have before the package's files are there.
pub(crate) const PRE: u32 = 1 << 31;

/// The flag of a version without release.
pub(crate) const NO_RELEASE: u32 = 1 << 30;

/// A repository's packages.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pub(crate) strings: Strings,
    pub(crate) packages: Vec<Record>,
    pub(crate) relations: Vec<Row>,
    /// Path and kind.
    pub(crate) files: Vec<[u32; 2]>,
    /// Paths that were asked for and that only the list of all files knows: package and path.
    pub(crate) more_files: Vec<(u32, String)>,
}

/// A package of an index.
#[derive(Clone, Copy)]
pub struct Package<'a> {
    index: &'a Index,
    record: &'a Record,
    number: usize,
}

/// A relation of a package. A boolean one has its whole text as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relation<'a> {
    /// The name.
    pub name: &'a str,
    /// LESS, GREATER and EQUAL; none without a version.
    pub sense: Sense,
    /// The version; meaningless without a sense.
    pub evr: Evr<'a>,
    /// Whether scriptlets need it before the package's files are there.
    pub pre: bool,
}

impl std::fmt::Display for Relation<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)?;
        match self.sense.operator() {
            "" => Ok(()),
            operator => {
                let evr = Evr {
                    epoch: self.evr.epoch.filter(|epoch| *epoch != 0),
                    ..self.evr
                };
                write!(f, " {operator} {evr}")
            }
        }
    }
}

impl Index {
    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.packages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// A package by its number.
    pub fn package(&self, number: usize) -> Option<Package<'_>> {
        self.packages.get(number).map(|record| Package {
            index: self,
            record,
            number,
        })
    }

    /// All packages, in the order of the metadata.
    pub fn packages(&self) -> impl Iterator<Item = Package<'_>> + '_ {
        (0..self.len()).filter_map(|number| self.package(number))
    }

    /// Adds paths that the list of all files knows: the digest of each one's package, and the path.
    pub fn add_files<'f>(&mut self, files: impl IntoIterator<Item = (&'f str, &'f str)>) {
        let mut by_digest: std::collections::HashMap<&str, Vec<&str>> = std::collections::HashMap::new();
        for (digest, path) in files {
            by_digest.entry(digest).or_default().push(path);
        }
        let mut found = Vec::new();
        for (number, record) in self.packages.iter().enumerate() {
            if let Some(paths) = by_digest.get(self.strings.get(record.get(Column::Checksum))) {
                found.extend(paths.iter().map(|path| (number as u32, (*path).to_owned())));
            }
        }
        self.more_files.extend(found);
    }

    /// The form in the cache.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (text, ends) = self.strings.parts();
        let words = 4
            + ends.len()
            + self.packages.len() * Record::WORDS
            + self.relations.len() * 5
            + self.files.len() * 2;
        let mut bytes = Vec::with_capacity(words * 4 + 8 + text.len());
        let mut word = |word: u32| bytes.extend_from_slice(&word.to_le_bytes());
        for count in [
            ends.len(),
            self.packages.len(),
            self.relations.len(),
            self.files.len(),
        ] {
            word(count as u32);
        }
        ends.iter().for_each(|end| word(*end));
        self.packages
            .iter()
            .flat_map(|record| record.words)
            .for_each(&mut word);
        self.relations.iter().flatten().for_each(|number| word(*number));
        self.files.iter().flatten().for_each(|number| word(*number));
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    /// From [`Index::to_bytes`].
    ///
    /// # Errors
    /// [`Error::Damaged`] for what that cannot have made.
    pub fn from_bytes(bytes: &[u8]) -> Result<Index, Error> {
        let mut words = Words { bytes };
        let short = Error::Damaged("it is cut off");
        let mut counts = [0usize; 4];
        for count in &mut counts {
            *count = words
                .take(1)
                .and_then(|mut one| one.next())
                .ok_or(Error::Damaged("it is cut off"))? as usize;
        }
        let [ends, packages, relations, files] = counts;
        let ends: Vec<u32> = words.take(ends).ok_or(short)?.collect();
        let mut index = Index::default();
        let mut numbers = words.rows(packages, Record::WORDS)?;
        index.packages.reserve_exact(packages);
        for _ in 0..packages {
            let mut record = Record::default();
            record
                .words
                .iter_mut()
                .for_each(|word| *word = numbers.next().unwrap_or_default());
            index.packages.push(record);
        }
        let mut numbers = words.rows(relations, 5)?;
        index.relations.reserve_exact(relations);
        for _ in 0..relations {
            let mut row = [0; 5];
            row.iter_mut()
                .for_each(|word| *word = numbers.next().unwrap_or_default());
            index.relations.push(row);
        }
        let mut numbers = words.rows(files, 2)?;
        index.files.reserve_exact(files);
        for _ in 0..files {
            let mut row = [0; 2];
            row.iter_mut()
                .for_each(|word| *word = numbers.next().unwrap_or_default());
            index.files.push(row);
        }
        let text =
            String::from_utf8(words.bytes.to_vec()).map_err(|_| Error::Damaged("its text is no UTF-8"))?;
        index.strings = Strings::from_parts(text, ends).ok_or(Error::Damaged("its texts do not fit"))?;
        match index.is_sound() {
            true => Ok(index),
            false => Err(Error::Damaged("a number points nowhere")),
        }
    }

    /// Whether every number points at something: reading is safe without, and an index that gives empty answers would
    /// be worse than none.
    fn is_sound(&self) -> bool {
        let strings = self.strings.len() as u32;
        let texts = [
            Column::Name,
            Column::Arch,
            Column::Version,
            Column::Release,
            Column::ChecksumKind,
            Column::Checksum,
            Column::Location,
            Column::Base,
            Column::SourceRpm,
            Column::Vendor,
        ];
        self.packages.iter().all(|record| {
            texts.iter().all(|column| record.get(*column) < strings)
                && record.get(Column::Files) <= record.get(Column::FilesEnd)
                && record.get(Column::FilesEnd) as usize <= self.files.len()
                && record
                    .words
                    .get(Column::Relations as usize..)
                    .is_some_and(|bounds| {
                        bounds.is_sorted()
                            && bounds
                                .last()
                                .is_some_and(|end| *end as usize <= self.relations.len())
                    })
        }) && self
            .relations
            .iter()
            .all(|[name, _, _, version, release]| *name < strings && *version < strings && *release < strings)
            && self
                .files
                .iter()
                .all(|[path, kind]| *path < strings && *kind <= 2)
    }
}

/// Little-endian words at the front of some bytes.
struct Words<'b> {
    bytes: &'b [u8],
}

impl<'b> Words<'b> {
    fn take(&mut self, count: usize) -> Option<impl Iterator<Item = u32> + 'b> {
        let (words, rest) = self.bytes.split_at_checked(count.checked_mul(4)?)?;
        self.bytes = rest;
        Some(
            words
                .chunks_exact(4)
                .map(|word| u32::from_le_bytes(word.try_into().unwrap_or_default())),
        )
    }

    fn rows(&mut self, rows: usize, width: usize) -> Result<impl Iterator<Item = u32> + 'b, Error> {
        rows.checked_mul(width)
            .and_then(|words| self.take(words))
            .ok_or(Error::Damaged("it is cut off"))
    }
}

impl<'a> Package<'a> {
    fn text(&self, column: Column) -> &'a str {
        self.index.strings.get(self.record.get(column))
    }

    /// Its number in the index.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The name.
    pub fn name(&self) -> &'a str {
        self.text(Column::Name)
    }

    /// The architecture.
    pub fn arch(&self) -> &'a str {
        self.text(Column::Arch)
    }

    /// The epoch; 0 where there is none.
    pub fn epoch(&self) -> u32 {
        self.record.get(Column::Epoch)
    }

    /// The version.
    pub fn version(&self) -> &'a str {
        self.text(Column::Version)
    }

    /// The release.
    pub fn release(&self) -> &'a str {
        self.text(Column::Release)
    }

    /// Epoch, version and release.
    pub fn evr(&self) -> Evr<'a> {
        Evr {
            epoch: Some(self.epoch()),
            version: self.version(),
            release: Some(self.release()),
        }
    }

    /// `[epoch:]version-release`; an epoch of 0 is not written.
    pub fn evr_text(&self) -> String {
        match self.epoch() {
            0 => format!("{}-{}", self.version(), self.release()),
            epoch => format!("{epoch}:{}-{}", self.version(), self.release()),
        }
    }

    /// `name-[epoch:]version-release.arch`.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name(), self.evr_text(), self.arch())
    }

    /// `name-epoch:version-release.arch`, the epoch even where it is 0: how modules call packages.
    pub fn nevra_with_epoch(&self) -> String {
        let (name, epoch, arch) = (self.name(), self.epoch(), self.arch());
        format!("{name}-{epoch}:{}-{}.{arch}", self.version(), self.release())
    }

    /// The digest of the whole file.
    pub fn checksum(&self) -> Checksum<'a> {
        Checksum {
            kind: self.text(Column::ChecksumKind),
            digest: self.text(Column::Checksum),
        }
    }

    /// The path below the repository.
    pub fn location(&self) -> &'a str {
        self.text(Column::Location)
    }

    /// Another base URL than the repository's.
    pub fn base(&self) -> Option<&'a str> {
        Some(self.text(Column::Base)).filter(|base| !base.is_empty())
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.record.wide(Column::Size)
    }

    /// Bytes when installed.
    pub fn installed_size(&self) -> u64 {
        self.record.wide(Column::Installed)
    }

    /// When it was built, in seconds since 1970.
    pub fn build_time(&self) -> u32 {
        self.record.get(Column::BuildTime)
    }

    /// The source package's file name.
    pub fn source_rpm(&self) -> &'a str {
        self.text(Column::SourceRpm)
    }

    /// Who made it.
    pub fn vendor(&self) -> &'a str {
        self.text(Column::Vendor)
    }

    /// Where its header begins and ends in the file.
    pub fn header_range(&self) -> (u32, u32) {
        (
            self.record.get(Column::HeaderStart),
            self.record.get(Column::HeaderEnd),
        )
    }

    /// Its relations of a kind.
    pub fn relations(&self, kind: RelationKind) -> impl Iterator<Item = Relation<'a>> + use<'a> {
        let bound = |offset: usize| {
            let place = Column::Relations as usize + kind as usize + offset;
            self.record.words.get(place).copied().unwrap_or_default() as usize
        };
        let rows = self.index.relations.get(bound(0)..bound(1)).unwrap_or_default();
        let strings = &self.index.strings;
        rows.iter()
            .map(move |[name, flags, epoch, version, release]| Relation {
                name: strings.get(*name),
                sense: Sense(flags & Sense::SENSE_MASK.0),
                evr: Evr {
                    epoch: (*epoch != NO_EPOCH).then_some(*epoch),
                    version: strings.get(*version),
                    release: (flags & NO_RELEASE == 0).then(|| strings.get(*release)),
                },
                pre: flags & PRE != 0,
            })
    }

    /// Its paths, as far as the metadata that was read has them.
    pub fn files(&self) -> impl Iterator<Item = (&'a str, FileKind)> + use<'a> {
        let rows = (self.record.get(Column::Files) as usize)..(self.record.get(Column::FilesEnd) as usize);
        let index = self.index;
        let number = self.number as u32;
        index
            .files
            .get(rows)
            .unwrap_or_default()
            .iter()
            .map(move |[path, kind]| {
                let kind = match kind {
                    1 => FileKind::Directory,
                    2 => FileKind::Ghost,
                    _ => FileKind::File,
                };
                (index.strings.get(*path), kind)
            })
            .chain(
                index
                    .more_files
                    .iter()
                    .filter(move |(package, _)| *package == number)
                    .map(|(_, path)| (path.as_str(), FileKind::File)),
            )
    }
}

impl std::fmt::Debug for Package<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.nevra())
    }
}
