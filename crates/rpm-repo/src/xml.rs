//! XML as a stream of elements: quick-xml with bounds, and with names and texts that are easy to use.

use std::io::{self, BufRead, Read};

use bareroot_archive::Error as ArchiveError;
use quick_xml::events::{BytesStart, Event};

use crate::error::Error;

/// A text that anybody looks at is not longer: the largest are group descriptions.
const LONGEST_TEXT: usize = 1 << 20;

/// A tag with its attributes is not longer.
const LONGEST_TAG: usize = 1 << 20;

/// Elements inside elements; repodata has eight levels at most.
const DEEPEST: usize = 64;

/// Between two events not more than this is read: quick-xml keeps a whole event in memory.
const LONGEST_EVENT: usize = 4 << 20;

/// The input, with a limit on what may be read until the next event.
struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), available.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("an element or a text has more than {LONGEST_EVENT} bytes"),
            ));
        }
        let left = self.left;
        let available = self.inner.fill_buf()?;
        Ok(available.get(..left).unwrap_or(available))
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.inner.consume(count);
    }
}

/// What comes next.
pub(crate) enum Item<'x> {
    /// An element begins; an empty one ends at once, with an [`Item::End`].
    Start(Element<'x>),
    /// An element ends; [`Xml::name`] and [`Xml::text`] say which and with what text.
    End,
    /// The document has ended.
    Eof,
}

/// The beginning of an element.
pub(crate) struct Element<'x>(BytesStart<'x>);

impl Element<'_> {
    /// Its name without a namespace prefix.
    pub(crate) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// Calls `each` with every attribute's name, without prefix, and its value.
    pub(crate) fn attributes(&self, mut each: impl FnMut(&str, &str)) -> Result<(), String> {
        for attribute in self.0.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let name = attribute.key.local_name().into_inner();
            if attribute.value.contains('&') {
                let value =
                    quick_xml::escape::unescape(&attribute.value).map_err(|error| error.to_string())?;
                each(name, &value);
            } else {
                each(name, &attribute.value);
            }
        }
        Ok(())
    }

    /// The value of an attribute.
    pub(crate) fn attribute(&self, wanted: &str) -> Result<Option<String>, String> {
        let mut found = None;
        self.attributes(|name, value| {
            if name == wanted {
                found = Some(value.to_owned());
            }
        })?;
        Ok(found)
    }
}

/// A document that is being read.
pub(crate) struct Xml<'n, R> {
    document: &'n str,
    reader: quick_xml::Reader<Bounded<R>>,
    buffer: Vec<u8>,
    text: String,
    name: String,
    depth: usize,
    /// An empty element whose end is still to be told.
    empty: bool,
}

impl<'n, R: BufRead> Xml<'n, R> {
    /// `document` is for messages.
    pub(crate) fn new(document: &'n str, input: R) -> Self {
        let mut reader = quick_xml::Reader::from_reader(Bounded {
            inner: input,
            left: LONGEST_EVENT,
        });
        reader.config_mut().check_end_names = true;
        Xml {
            document,
            reader,
            buffer: Vec::new(),
            text: String::new(),
            name: String::new(),
            depth: 0,
            empty: false,
        }
    }

    /// The text of the element that just ended, surrounding space included.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The name of the element that just ended.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How many elements are open.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// An error at this place.
    pub(crate) fn bad(&self, reason: impl Into<String>) -> Error {
        Error::Malformed {
            name: self.document.to_owned(),
            position: self.reader.buffer_position(),
            reason: reason.into(),
        }
    }

    /// The next beginning or end.
    pub(crate) fn next(&mut self) -> Result<Item<'_>, Error> {
        if self.empty {
            self.empty = false;
            self.depth -= 1;
            return Ok(Item::End);
        }
        loop {
            self.buffer.clear();
            self.reader.get_mut().left = LONGEST_EVENT;
            // The borrow of an event that is returned must not outlive the loop: only its kind is looked at here.
            let what = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => match event {
                    Event::Start(_) => What::Start,
                    Event::Empty(_) => What::Empty,
                    Event::End(end) => {
                        self.name.clear();
                        self.name.push_str(end.local_name().into_inner());
                        What::End
                    }
                    Event::Text(text) => {
                        self.text.push_str(&text.into_inner());
                        What::Text
                    }
                    Event::CData(text) => {
                        self.text.push_str(&text.into_inner());
                        What::Text
                    }
                    Event::GeneralRef(entity) => {
                        let resolved = match entity.resolve_char_ref() {
                            Ok(Some(character)) => Some(character),
                            Ok(None) => match entity.into_inner().as_ref() {
                                "lt" => Some('<'),
                                "gt" => Some('>'),
                                "amp" => Some('&'),
                                "quot" => Some('"'),
                                "apos" => Some('\''),
                                _ => None,
                            },
                            Err(_) => None,
                        };
                        match resolved {
                            Some(character) => {
                                self.text.push(character);
                                What::Text
                            }
                            None => What::BadEntity,
                        }
                    }
                    Event::DocType(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => What::Nothing,
                    Event::Eof => What::Eof,
                },
                Err(quick_xml::Error::Io(error))
                    if error.kind() == io::ErrorKind::InvalidData
                        && error.get_ref().is_some_and(|inner| !inner.is::<ArchiveError>()) =>
                {
                    return Err(self.bad(error.to_string()));
                }
                Err(quick_xml::Error::Io(error)) => {
                    let error = std::sync::Arc::try_unwrap(error)
                        .unwrap_or_else(|error| std::io::Error::new(error.kind(), error.to_string()));
                    return Err(Error::Read {
                        name: self.document.to_owned(),
                        source: ArchiveError::from_io(error),
                    });
                }
                Err(error) => return Err(self.bad(error.to_string())),
            };
            match what {
                What::Start | What::Empty => {
                    if self.depth >= DEEPEST {
                        return Err(self.bad("its elements are too deep"));
                    }
                    self.depth += 1;
                    self.text.clear();
                    let content = std::str::from_utf8(&self.buffer).unwrap_or_default();
                    if content.len() > LONGEST_TAG {
                        return Err(self.bad("a tag is too long"));
                    }
                    self.empty = matches!(what, What::Empty);
                    let start = start_of(content);
                    if self.empty {
                        self.name.clear();
                        self.name.push_str(start.local_name().into_inner());
                    }
                    return Ok(Item::Start(Element(start)));
                }
                What::End => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Item::End);
                }
                What::Text if self.text.len() > LONGEST_TEXT => return Err(self.bad("a text is too long")),
                What::BadEntity => return Err(self.bad("an entity is not known")),
                What::Text | What::Nothing => {}
                What::Eof if self.depth > 0 => return Err(self.bad("it is cut off")),
                What::Eof => return Ok(Item::Eof),
            }
        }
    }

    /// Skips an element that just began, whatever is in it.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if let Item::Eof = self.next()? {
                return Ok(());
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum What {
    Start,
    Empty,
    End,
    Text,
    BadEntity,
    Nothing,
    Eof,
}

/// The beginning of an element from what stands between its angle brackets.
fn start_of(content: &str) -> BytesStart<'_> {
    let content = content.strip_prefix('<').unwrap_or(content);
    let content = content.strip_suffix('>').unwrap_or(content);
    let content = content.strip_suffix('/').unwrap_or(content);
    let end = content
        .find(|character: char| character.is_ascii_whitespace())
        .unwrap_or(content.len());
    BytesStart::from_content(content, end)
}
