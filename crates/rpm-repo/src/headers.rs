//! An index of package files themselves, by their headers: what dnf calls its command line's repository.

use bareroot_rpm::{DependencyKind, Evr, FileFlags, Header, Tag};

use crate::error::Error;
use crate::index::{Column, Index, NO_EPOCH, NO_RELEASE, PRE, Record, RelationKind, Row};
use crate::strings::Interner;

/// A package file that is at hand.
#[derive(Clone, Copy, Debug)]
pub struct LocalPackage<'p> {
    /// Its header.
    pub header: &'p Header,
    /// Its name, for messages, and as the location in the index.
    pub name: &'p str,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: &'p str,
}

/// The requirements that scriptlets have: as createrepo_c marks them in primary.xml.
const PRE_FLAGS: u32 = bareroot_rpm::Sense::PREREQ.0
    | bareroot_rpm::Sense::SCRIPT_PRE.0
    | bareroot_rpm::Sense::SCRIPT_POST.0
    | bareroot_rpm::Sense::PRETRANS.0
    | bareroot_rpm::Sense::POSTTRANS.0;

impl Index {
    /// The index of package files, in their order. Unlike primary.xml, headers have every path.
    ///
    /// # Errors
    /// [`Error::Malformed`] for more texts than an index can hold.
    pub fn of_headers(packages: &[LocalPackage<'_>]) -> Result<Index, Error> {
        let mut writer = Writer {
            interner: Interner::default(),
            index: Index::default(),
        };
        for package in packages {
            writer.add(package).ok_or_else(|| Error::Malformed {
                name: package.name.to_owned(),
                position: 0,
                reason: "it has too many texts".to_owned(),
            })?;
        }
        writer.index.strings = writer.interner.finish();
        Ok(writer.index)
    }
}

struct Writer {
    interner: Interner,
    index: Index,
}

impl Writer {
    /// `None` when there is no room for more.
    fn add(&mut self, package: &LocalPackage<'_>) -> Option<()> {
        let header = package.header;
        let nevra = header.nevra();
        let mut record = Record::default();
        let source = header.text(Tag::SOURCERPM).unwrap_or_default();
        let vendor = header.text(Tag::VENDOR).unwrap_or_default();
        for (column, text) in [
            (Column::Name, nevra.name.as_str()),
            (Column::Arch, &nevra.arch),
            (Column::Version, &nevra.version),
            (Column::Release, &nevra.release),
            (Column::ChecksumKind, "sha256"),
            (Column::Checksum, package.sha256),
            (Column::Location, package.name),
            (Column::SourceRpm, source),
            (Column::Vendor, vendor),
        ] {
            record.set(column, self.interner.add(text)?);
        }
        record.set(Column::Epoch, nevra.epoch.unwrap_or_default());
        record.set_wide(Column::Size, package.size);
        let sizes = [Tag::LONGSIZE, Tag::SIZE];
        record.set_wide(
            Column::Installed,
            sizes
                .iter()
                .find_map(|tag| header.number(*tag))
                .unwrap_or_default(),
        );
        let built = header.number(Tag::BUILDTIME).unwrap_or_default();
        record.set(Column::BuildTime, u32::try_from(built).unwrap_or_default());
        record.set(Column::Files, u32::try_from(self.index.files.len()).ok()?);
        for file in header.files().iter() {
            // What is no UTF-8 can be no dependency either.
            let Ok(path) = String::from_utf8(file.path()) else {
                continue;
            };
            let kind = match (file.flags.has(FileFlags::GHOST), file.is_directory()) {
                (true, _) => 2,
                (_, true) => 1,
                _ => 0,
            };
            self.index.files.push([self.interner.add(&path)?, kind]);
        }
        record.set(Column::FilesEnd, u32::try_from(self.index.files.len()).ok()?);
        let mut bounds = [0; 9];
        for (place, kind) in RelationKind::ALL.into_iter().enumerate() {
            if let Some(bound) = bounds.get_mut(place) {
                *bound = u32::try_from(self.index.relations.len()).ok()?;
            }
            self.relations(header, kind)?;
        }
        if let Some(end) = bounds.last_mut() {
            *end = u32::try_from(self.index.relations.len()).ok()?;
        }
        if let Some(words) = record.words.get_mut(Column::Relations as usize..) {
            words.copy_from_slice(&bounds);
        }
        self.index.packages.push(record);
        Some(())
    }

    fn relations(&mut self, header: &Header, kind: RelationKind) -> Option<()> {
        for dependency in header.dependencies(of_header(kind)) {
            // rpm's own features are no package's.
            if dependency.name.starts_with("rpmlib(") {
                continue;
            }
            let mut row: Row = [self.interner.add(dependency.name)?, NO_RELEASE, NO_EPOCH, 0, 0];
            if dependency.sense.0 & PRE_FLAGS != 0 && kind == RelationKind::Requires {
                row[1] |= PRE;
            }
            if !dependency.evr.is_empty() {
                let evr = Evr::parse(dependency.evr);
                row[1] |= dependency.sense.comparison().0;
                // createrepo_c writes the epoch 0 where there is none.
                row[2] = evr.epoch.unwrap_or_default();
                row[3] = self.interner.add(evr.version)?;
                if let Some(release) = evr.release {
                    row[1] &= !NO_RELEASE;
                    row[4] = self.interner.add(release)?;
                }
            }
            self.index.relations.push(row);
        }
        Some(())
    }
}

fn of_header(kind: RelationKind) -> DependencyKind {
    match kind {
        RelationKind::Provides => DependencyKind::Provides,
        RelationKind::Requires => DependencyKind::Requires,
        RelationKind::Conflicts => DependencyKind::Conflicts,
        RelationKind::Obsoletes => DependencyKind::Obsoletes,
        RelationKind::Recommends => DependencyKind::Recommends,
        RelationKind::Suggests => DependencyKind::Suggests,
        RelationKind::Supplements => DependencyKind::Supplements,
        RelationKind::Enhances => DependencyKind::Enhances,
    }
}
