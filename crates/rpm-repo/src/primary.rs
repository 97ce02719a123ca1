//! primary.xml: a repository's packages (createrepo_c's metadata, and rpm-metadata.git's schema).

use std::io::BufRead;

use bareroot_rpm::Sense;

use crate::error::Error;
use crate::index::{Column, Index, NO_EPOCH, NO_RELEASE, PRE, Record, RelationKind, Row};
use crate::strings::Interner;
use crate::xml::{Element, Item, Xml};

impl Index {
    /// Reads primary.xml. Packages that no root of architecture `arch` can hold are left out, source packages among
    /// them. `name` is for messages.
    ///
    /// # Errors
    /// [`Error::Malformed`], and what `input` says.
    pub fn read(name: &str, input: impl BufRead, arch: &str) -> Result<Index, Error> {
        let mut reader = Reader {
            xml: Xml::new(name, input),
            interner: Interner::default(),
            index: Index::default(),
        };
        reader.document(arch)?;
        reader.index.strings = reader.interner.finish();
        reader.index.packages.shrink_to_fit();
        reader.index.relations.shrink_to_fit();
        reader.index.files.shrink_to_fit();
        Ok(reader.index)
    }
}

struct Reader<'n, R> {
    xml: Xml<'n, R>,
    interner: Interner,
    index: Index,
}

/// What an element of a package is, as far as it matters.
#[derive(Clone, Copy)]
enum Part {
    Version,
    Checksum,
    Time,
    Size,
    Location,
    HeaderRange,
    Relations(RelationKind),
    File,
    Format,
    Text(Column),
    Other,
}

fn part(name: &str) -> Part {
    match name {
        "name" => Part::Text(Column::Name),
        "arch" => Part::Text(Column::Arch),
        "version" => Part::Version,
        "checksum" => Part::Checksum,
        "time" => Part::Time,
        "size" => Part::Size,
        "location" => Part::Location,
        "format" => Part::Format,
        "vendor" => Part::Text(Column::Vendor),
        "sourcerpm" => Part::Text(Column::SourceRpm),
        "header-range" => Part::HeaderRange,
        "provides" => Part::Relations(RelationKind::Provides),
        "requires" => Part::Relations(RelationKind::Requires),
        "conflicts" => Part::Relations(RelationKind::Conflicts),
        "obsoletes" => Part::Relations(RelationKind::Obsoletes),
        "recommends" => Part::Relations(RelationKind::Recommends),
        "suggests" => Part::Relations(RelationKind::Suggests),
        "supplements" => Part::Relations(RelationKind::Supplements),
        "enhances" => Part::Relations(RelationKind::Enhances),
        "file" => Part::File,
        _ => Part::Other,
    }
}

/// Attributes of an element that carries one value or several.
#[derive(Default)]
struct Values {
    all: Vec<(&'static str, String)>,
}

impl Values {
    fn of(element: &Element<'_>, wanted: &[&'static str]) -> Result<Values, String> {
        let mut values = Values::default();
        element.attributes(|name, value| {
            if let Some(name) = wanted.iter().find(|known| **known == name) {
                values.all.push((name, value.to_owned()));
            }
        })?;
        Ok(values)
    }

    fn get(&self, name: &str) -> &str {
        self.all
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    fn number(&self, name: &str) -> u64 {
        self.get(name).parse().unwrap_or_default()
    }
}

impl<R: BufRead> Reader<'_, R> {
    fn document(&mut self, arch: &str) -> Result<(), Error> {
        let mut root = false;
        loop {
            let is_package = match self.xml.next()? {
                Item::Start(element) => match element.name() {
                    "metadata" => {
                        root = true;
                        continue;
                    }
                    "package" if root => true,
                    _ if root => false,
                    other => {
                        let reason = format!("its first element is `{other}`; expected `metadata`");
                        return Err(self.xml.bad(reason));
                    }
                },
                Item::End => continue,
                Item::Eof if root => return Ok(()),
                Item::Eof => return Err(self.xml.bad("it has no element `metadata`")),
            };
            match is_package {
                true => self.package(arch)?,
                false => self.xml.skip()?,
            }
        }
    }

    fn package(&mut self, arch: &str) -> Result<(), Error> {
        let mut record = Record::default();
        let mut lists: [Vec<Row>; 8] = Default::default();
        let first_file = self.index.files.len();
        let outside = self.xml.depth() - 1;
        let mut checksum = String::new();
        let mut file_kind = 0;
        loop {
            let part = match self.xml.next()? {
                Item::Start(element) => {
                    let part = part(element.name());
                    let values = match part {
                        Part::Version => Values::of(&element, &["epoch", "ver", "rel"]),
                        Part::Checksum => Values::of(&element, &["type"]),
                        Part::Time => Values::of(&element, &["build"]),
                        Part::Size => Values::of(&element, &["package", "installed"]),
                        Part::Location => Values::of(&element, &["href", "base"]),
                        Part::HeaderRange => Values::of(&element, &["start", "end"]),
                        Part::File => Values::of(&element, &["type"]),
                        _ => Ok(Values::default()),
                    };
                    let values = values.map_err(|reason| self.xml.bad(reason))?;
                    match part {
                        Part::Version => {
                            record.set(Column::Epoch, values.number("epoch") as u32);
                            self.text(&mut record, Column::Version, values.get("ver"))?;
                            self.text(&mut record, Column::Release, values.get("rel"))?;
                        }
                        Part::Checksum => checksum = values.get("type").to_owned(),
                        Part::Time => record.set(Column::BuildTime, values.number("build") as u32),
                        Part::Size => {
                            record.set_wide(Column::Size, values.number("package"));
                            record.set_wide(Column::Installed, values.number("installed"));
                        }
                        Part::Location => {
                            self.text(&mut record, Column::Location, values.get("href"))?;
                            self.text(&mut record, Column::Base, values.get("base"))?;
                        }
                        Part::HeaderRange => {
                            record.set(Column::HeaderStart, values.number("start") as u32);
                            record.set(Column::HeaderEnd, values.number("end") as u32);
                        }
                        Part::File => {
                            file_kind = match values.get("type") {
                                "dir" => 1,
                                "ghost" => 2,
                                _ => 0,
                            };
                        }
                        _ => {}
                    }
                    part
                }
                Item::End => {
                    if self.xml.depth() == outside {
                        break;
                    }
                    self.ended(&mut record, &checksum, file_kind)?;
                    continue;
                }
                Item::Eof => return Err(self.xml.bad("it is cut off")),
            };
            match part {
                Part::Relations(kind) => {
                    let mut list = std::mem::take(&mut lists[kind as usize]);
                    self.relations(&mut list)?;
                    lists[kind as usize] = list;
                }
                // Descriptions are long, and of no use here.
                Part::Other => self.xml.skip()?,
                _ => {}
            }
        }
        self.keep(record, lists, first_file, arch)
    }

    /// An element with a text has ended.
    fn ended(&mut self, record: &mut Record, checksum: &str, file_kind: u32) -> Result<(), Error> {
        let part = part(self.xml.name());
        let text = self.xml.text().trim();
        let full = |number: Option<u32>| number.ok_or(());
        let result = match part {
            Part::Text(column) => full(self.interner.add(text)).map(|number| record.set(column, number)),
            Part::Checksum => full(self.interner.add(text)).and_then(|number| {
                record.set(Column::Checksum, number);
                full(self.interner.add(checksum)).map(|kind| record.set(Column::ChecksumKind, kind))
            }),
            Part::File => full(self.interner.add(text)).map(|path| self.index.files.push([path, file_kind])),
            _ => Ok(()),
        };
        result.map_err(|()| self.xml.bad("it has too many texts"))
    }

    fn text(&mut self, record: &mut Record, column: Column, text: &str) -> Result<(), Error> {
        match self.interner.add(text) {
            Some(number) => {
                record.set(column, number);
                Ok(())
            }
            None => Err(self.xml.bad("it has too many texts")),
        }
    }

    /// The entries of a list of relations.
    fn relations(&mut self, list: &mut Vec<Row>) -> Result<(), Error> {
        let outside = self.xml.depth() - 1;
        loop {
            let interner = &mut self.interner;
            let mut row: Row = [0, NO_RELEASE, NO_EPOCH, 0, 0];
            let mut full = false;
            let result = match self.xml.next()? {
                Item::Start(element) if element.name() == "entry" => element.attributes(|name, value| {
                    let mut text = |text: &str| {
                        interner.add(text).unwrap_or_else(|| {
                            full = true;
                            0
                        })
                    };
                    match name {
                        // What rpm itself must be able to do stands in the package's header; old createrepo has it here too.
                        "name" if value.starts_with("rpmlib(") => {}
                        "name" => row[0] = text(value),
                        "flags" => {
                            row[1] |= match value {
                                "LT" => Sense::LESS.0,
                                "LE" => Sense::LESS.0 | Sense::EQUAL.0,
                                "EQ" => Sense::EQUAL.0,
                                "GE" => Sense::GREATER.0 | Sense::EQUAL.0,
                                "GT" => Sense::GREATER.0,
                                _ => 0,
                            }
                        }
                        "epoch" => row[2] = value.parse().unwrap_or(NO_EPOCH),
                        "ver" => row[3] = text(value),
                        "rel" => {
                            row[1] &= !NO_RELEASE;
                            row[4] = text(value);
                        }
                        "pre" if value == "1" => row[1] |= PRE,
                        _ => {}
                    }
                }),
                Item::Start(_) => Ok(()),
                Item::End => {
                    if self.xml.depth() == outside {
                        return Ok(());
                    }
                    continue;
                }
                Item::Eof => return Err(self.xml.bad("it is cut off")),
            };
            result.map_err(|reason| self.xml.bad(reason))?;
            if full {
                return Err(self.xml.bad("it has too many texts"));
            }
            if row[0] != 0 {
                list.push(row);
            }
        }
    }

    /// Keeps a package, unless no root of the architecture can hold it.
    fn keep(
        &mut self,
        mut record: Record,
        lists: [Vec<Row>; 8],
        first_file: usize,
        arch: &str,
    ) -> Result<(), Error> {
        for (column, what) in [
            (Column::Name, "name"),
            (Column::Arch, "arch"),
            (Column::Version, "version"),
            (Column::Location, "location"),
        ] {
            if record.get(column) == 0 {
                return Err(self.xml.bad(format!("a package has no {what}")));
            }
        }
        if !crate::arch::is_compatible(self.interner.get(record.get(Column::Arch)), arch) {
            self.index.files.truncate(first_file);
            return Ok(());
        }
        let limit = |count: usize| u32::try_from(count).ok();
        let mut bounds = [0; 9];
        for (place, bound) in bounds.iter_mut().enumerate() {
            if let Some(list) = place.checked_sub(1).and_then(|before| lists.get(before)) {
                self.index.relations.extend_from_slice(list);
            }
            *bound =
                limit(self.index.relations.len()).ok_or_else(|| self.xml.bad("it has too many relations"))?;
        }
        if let Some(words) = record.words.get_mut(Column::Relations as usize..) {
            words.copy_from_slice(&bounds);
        }
        let (Some(first), Some(end)) = (limit(first_file), limit(self.index.files.len())) else {
            return Err(self.xml.bad("it has too many files"));
        };
        record.set(Column::Files, first);
        record.set(Column::FilesEnd, end);
        self.index.packages.push(record);
        Ok(())
    }
}
