//! From a source to an archive.

use std::collections::HashMap;
use std::io::Write;
use std::os::fd::AsFd;

use bareroot_export::{Entry, EntryKind, Stream, StreamSettings};
use bareroot_model::InputProblem;
use bareroot_unpack::FileKind;
use rustix::io::Errno;

use crate::attributes::{Attributes, Subject, path_of};
use crate::copy::{Settings, Source};
use crate::error::Error;
use crate::look::{Id, Meta};
use crate::node::READ_FILE;
use crate::source::Reader;
use crate::tally::{Progress, Summary, Tally};
use crate::walk::{Item, Visitor, Walk};

/// Writes a source to `out` as an archive as [`bareroot_export`] makes them. Where it fails, a part of it may have been
/// written. A file that is shorter by the time it is read is filled up with zeros, for its header has gone before.
///
/// # Errors
/// [`Error::Export`] when the archive cannot be written; what cannot be read of the source is only told.
pub fn archive(
    source: &Source,
    out: impl Write,
    stream: &StreamSettings<'_>,
    settings: &Settings<'_>,
) -> Result<Summary, Error> {
    let reader = Reader::new(source);
    let tally = Tally::new(settings.observer, settings.is_verbose);
    bareroot_export::stream(out, stream, |stream| {
        let mut writer = Writer {
            reader: &reader,
            tally: &tally,
            progress: Progress::default(),
            names: HashMap::new(),
            stream,
        };
        Walk::new(&reader, settings, &tally).run(source, &mut writer)?;
        tally.tell(&mut writer.progress);
        Ok::<_, Error>(())
    })?;
    Ok(tally.summary())
}

struct Writer<'w, 's> {
    reader: &'w Reader<'w>,
    tally: &'w Tally<'w>,
    progress: Progress,
    /// The first name of every file that has several.
    names: HashMap<Id, Vec<u8>>,
    stream: &'w mut Stream<'s>,
}

impl Visitor for Writer<'_, '_> {
    fn visit(&mut self, item: Item<'_>) -> Result<(), Error> {
        let meta = item.meta;
        let name = name_of(&item);
        if meta.kind != FileKind::Directory && meta.links > 1 {
            if let Some(first) = self.names.get(&meta.id) {
                self.stream
                    .entry(&entry(meta, &name, EntryKind::Link, first, &Vec::new()))?;
                self.tally.linked();
                self.tally.made(&mut self.progress, 0);
                return Ok(());
            }
            // What a file is told by; where it is none by now, there is nothing to link to.
            if meta.kind == FileKind::File {
                return self.file(&item, &name);
            }
            self.names.insert(meta.id, name.clone());
        }
        match meta.kind {
            FileKind::File => self.file(&item, &name),
            kind => self.node(&item, &name, kind),
        }
    }
}

impl Writer<'_, '_> {
    fn file(&mut self, item: &Item<'_>, name: &[u8]) -> Result<(), Error> {
        let Some(parent) = item.parent else {
            return Ok(());
        };
        let opened = self
            .reader
            .open(parent.source.as_fd(), item.name, READ_FILE)
            .and_then(|fd| Meta::of(&fd).map(|meta| (fd, meta)));
        let (fd, meta) = match opened {
            Ok((fd, meta)) if meta.kind == FileKind::File => (fd, meta),
            Ok(_) => {
                self.tally.not_there(item.path, Errno::NOENT);
                return Ok(());
            }
            Err(error) => {
                self.tally.not_there(item.path, error);
                return Ok(());
            }
        };
        let meta = self.reader.meta(meta, parent, item.name, fd.as_fd());
        if meta.links > 1 {
            self.names.insert(meta.id, name.to_vec());
        }
        let attributes = self.attributes(item, Subject::File(fd.as_fd()));
        let mut entry = entry(&meta, name, EntryKind::File, b"", &attributes);
        if item.is_emptied {
            entry.size = 0;
        }
        self.stream.entry(&entry)?;
        let read = self.stream.content(fd.as_fd(), entry.size)?;
        let is_still = matches!(Meta::of(&fd), Ok(now) if meta.is_still(&now));
        match read.failed {
            Some(error) => self.tally.unreadable(item.path, error),
            None if !item.is_emptied && (!is_still || read.bytes < entry.size) => {
                self.tally.changed(item.path, InputProblem::Changed);
            }
            None => {}
        }
        self.tally.made(&mut self.progress, read.bytes);
        Ok(())
    }

    fn node(&mut self, item: &Item<'_>, name: &[u8], kind: FileKind) -> Result<(), Error> {
        let kind = match kind {
            FileKind::Directory => EntryKind::Directory,
            FileKind::Symlink => EntryKind::Symlink,
            FileKind::Char => EntryKind::Char,
            FileKind::Block => EntryKind::Block,
            _ => EntryKind::Fifo,
        };
        let mut text = Vec::new();
        if let (EntryKind::Symlink, Some(parent)) = (kind, item.parent) {
            match rustix::fs::readlinkat(&parent.source, item.name, Vec::new()) {
                Ok(found) => text = found.into_bytes(),
                Err(_) => {
                    self.tally.not_there(item.path, Errno::NOENT);
                    return Ok(());
                }
            }
        }
        let attributes = match (item.open, item.parent) {
            (Some(open), _) => self.attributes(item, Subject::File(open.as_fd())),
            (None, Some(parent)) => {
                let path = path_of(parent.source.as_fd(), item.name);
                Subject::Path(&path).read().unwrap_or_default()
            }
            (None, None) => Attributes::new(),
        };
        self.stream
            .entry(&entry(item.meta, name, kind, &text, &attributes))?;
        self.tally.made(&mut self.progress, 0);
        Ok(())
    }

    fn attributes(&self, item: &Item<'_>, subject: Subject<'_>) -> Attributes {
        subject.read().unwrap_or_else(|error| {
            self.tally.unreadable(item.path, error);
            Attributes::new()
        })
    }
}

/// `./usr/bin/sh`, `./usr/`.
fn name_of(item: &Item<'_>) -> Vec<u8> {
    let mut name = b"./".to_vec();
    name.extend_from_slice(item.path);
    if item.meta.kind == FileKind::Directory && !name.ends_with(b"/") {
        name.push(b'/');
    }
    name
}

fn entry<'e>(
    meta: &Meta,
    name: &'e [u8],
    kind: EntryKind,
    link: &'e [u8],
    xattrs: &'e Attributes,
) -> Entry<'e> {
    Entry {
        name,
        kind,
        mode: meta.mode,
        uid: meta.uid,
        gid: meta.gid,
        size: if kind == EntryKind::File { meta.size } else { 0 },
        mtime: meta.modified,
        link,
        device: matches!(kind, EntryKind::Char | EntryKind::Block).then_some(meta.rdev),
        xattrs,
    }
}
