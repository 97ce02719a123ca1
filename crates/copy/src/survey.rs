//! What a copy would take, without taking it.

use std::collections::HashSet;

use bareroot_unpack::FileKind;

use crate::copy::{Settings, Source};
use crate::error::Error;
use crate::look::Id;
use crate::source::Reader;
use crate::tally::{Progress, Summary, Tally};
use crate::walk::{Item, Visitor, Walk};

/// Says what a copy of the source would be: its entries and bytes, and what would be passed over.
///
/// # Errors
/// [`Error::Source`], and when the run is stopped.
pub fn survey(source: &Source, settings: &Settings<'_>) -> Result<Summary, Error> {
    let reader = Reader::new(source);
    let tally = Tally::new(settings.observer, settings.is_verbose);
    let mut count = Count {
        tally: &tally,
        progress: Progress::default(),
        seen: HashSet::new(),
    };
    Walk::new(&reader, settings, &tally).run(source, &mut count)?;
    tally.tell(&mut count.progress);
    Ok(tally.summary())
}

struct Count<'c> {
    tally: &'c Tally<'c>,
    progress: Progress,
    seen: HashSet<Id>,
}

impl Visitor for Count<'_> {
    fn visit(&mut self, item: Item<'_>) -> Result<(), Error> {
        let meta = item.meta;
        let mut bytes = match meta.kind {
            FileKind::File if !item.is_emptied => meta.size,
            _ => 0,
        };
        if meta.kind != FileKind::Directory && meta.links > 1 && !self.seen.insert(meta.id) {
            bytes = 0;
            self.tally.linked();
        }
        self.tally.made(&mut self.progress, bytes);
        Ok(())
    }
}
