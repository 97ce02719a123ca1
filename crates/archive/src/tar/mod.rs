//! tar, as dpkg reads it: v7, ustar and GNU's long names; no pax headers, no sparse files (dpkg's tarfn.c refuses them
//! too, so a package that has them could be installed by nobody).

mod fields;

use std::io::{self, Read};

use bareroot_model::{Entry, Kind};
use tar::{EntryType, Header};

use crate::Error;

const BLOCK: u64 = 512;

/// How large a tar archive and its parts may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TarLimits {
    /// Bytes of a path or a link's text. Linux takes 4095 of a path.
    pub name: usize,
    /// Entries.
    pub entries: u64,
    /// Bytes of one entry's content.
    pub size: u64,
}

impl Default for TarLimits {
    /// Linux's longest path, two million entries, and 16 GiB for one file.
    fn default() -> Self {
        TarLimits {
            name: 4095,
            entries: 2_000_000,
            size: 16 << 30,
        }
    }
}

/// Reads a tar archive entry by entry; as a [`Read`] it is the current entry's content.
pub struct TarReader<R> {
    input: R,
    limits: TarLimits,
    /// Bytes read so far, for messages.
    position: u64,
    /// Bytes of the current entry's content not yet read.
    left: u64,
    /// Bytes of padding after it.
    padding: u64,
    entries: u64,
    path: String,
    done: bool,
}

impl<R: Read> TarReader<R> {
    /// A reader of the plain (decompressed) archive.
    pub fn new(input: R, limits: TarLimits) -> Self {
        TarReader {
            input,
            limits,
            position: 0,
            left: 0,
            padding: 0,
            entries: 0,
            path: String::new(),
            done: false,
        }
    }

    /// Bytes of the archive read so far.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next entry; what was not read of the one before is skipped. `None` at the end of the archive, which is two
    /// blocks of zeros, or one, or the end of the input at a header's place (dpkg and GNU tar take all three).
    ///
    /// # Errors
    /// What is wrong with the archive, by its entry; [`Error::Read`] and the decoder's errors.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        if self.done {
            return Ok(None);
        }
        self.skip()?;
        let (mut long_name, mut long_link) = (None, None);
        loop {
            let offset = self.position;
            let Some(header) = self.header(offset)? else {
                if long_name.is_some() || long_link.is_some() {
                    return Err(Error::Truncated {
                        within: "a long name without its entry".to_owned(),
                    });
                }
                self.done = true;
                return Ok(None);
            };
            match header.entry_type() {
                EntryType::GNULongName => long_name = Some(self.long(&header, offset, "name")?),
                EntryType::GNULongLink => long_link = Some(self.long(&header, offset, "link")?),
                _ => return self.entry(&header, offset, long_name, long_link).map(Some),
            }
        }
    }

    /// A header block; `None` at the end.
    fn header(&mut self, offset: u64) -> Result<Option<Header>, Error> {
        let mut header = Header::new_old();
        let block = header.as_mut_bytes();
        let mut filled = 0;
        while filled < block.len() {
            match self.input.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => {
                    return Err(Error::Truncated {
                        within: format!("the tar header at byte {offset}"),
                    });
                }
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::from_io(error)),
            }
        }
        self.position += BLOCK;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(self.over("a number of entries", self.limits.entries));
        }
        fields::checksum(&header).map_err(|reason| self.wrong(offset, reason))?;
        Ok(Some(header))
    }

    /// The content of a long name's header: the name and a NUL.
    fn long(&mut self, header: &Header, offset: u64, what: &'static str) -> Result<Vec<u8>, Error> {
        let size = fields::size(header).map_err(|reason| self.wrong(offset, reason))?;
        // The NUL at its end is no part of the name.
        if size > self.limits.name as u64 + 1 {
            return Err(self.over(
                if what == "name" { "a name" } else { "a link" },
                self.limits.name as u64,
            ));
        }
        let mut name = vec![0; size as usize];
        self.left = size;
        self.padding = padding(size);
        self.read_exact(&mut name).map_err(Error::from_io)?;
        self.skip()?;
        name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
        Ok(name)
    }

    fn entry(
        &mut self,
        header: &Header,
        offset: u64,
        long_name: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
    ) -> Result<Entry, Error> {
        let path = long_name.unwrap_or_else(|| header.path_bytes().into_owned());
        self.path = path.escape_ascii().to_string();
        let link = || long_link.unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
        fields::name(&path).map_err(|reason| self.wrong(offset, reason))?;
        let size = fields::size(header).map_err(|reason| self.wrong(offset, reason))?;
        let kind = match header.as_bytes()[156] {
            // v7 has no type for directories: the slash says it.
            0 | b'0' | b'7' if path.ends_with(b"/") => Kind::Directory,
            0 | b'0' | b'7' => Kind::File,
            b'1' => Kind::Hardlink(self.target(link(), offset)?),
            b'2' => Kind::Symlink(self.target(link(), offset)?),
            b'3' | b'4' => {
                let (major, minor) = fields::device(header).map_err(|reason| self.wrong(offset, reason))?;
                if header.as_bytes()[156] == b'3' {
                    Kind::Char(major, minor)
                } else {
                    Kind::Block(major, minor)
                }
            }
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            other => {
                return Err(Error::EntryType {
                    path: self.path.clone(),
                    kind: fields::type_words(other),
                });
            }
        };
        // Only files have content; a size on anything else is an older writer's habit, and no data follows.
        let content = if kind == Kind::File { size } else { 0 };
        if content > self.limits.size {
            return Err(self.over("a file", self.limits.size));
        }
        self.left = content;
        self.padding = padding(content);
        let wrong = |reason| self.wrong(offset, reason);
        Ok(Entry {
            kind,
            mode: fields::mode(header).map_err(wrong)?,
            uid: fields::uid(header).map_err(wrong)?,
            gid: fields::gid(header).map_err(wrong)?,
            user: fields::owner_name(header.username_bytes()),
            group: fields::owner_name(header.groupname_bytes()),
            mtime: fields::mtime(header).map_err(wrong)?,
            size: content,
            path,
        })
    }

    fn target(&self, link: Vec<u8>, offset: u64) -> Result<Vec<u8>, Error> {
        if link.is_empty() {
            return Err(self.wrong(offset, "the link leads nowhere: its text is empty".to_owned()));
        }
        fields::name(&link).map_err(|reason| self.wrong(offset, reason))?;
        Ok(link)
    }

    /// Reads to the next header.
    fn skip(&mut self) -> Result<(), Error> {
        let mut sink = [0; 16 << 10];
        while self.left > 0 {
            self.read(&mut sink).map_err(Error::from_io)?;
        }
        let mut padding = [0; BLOCK as usize];
        let count = std::mem::take(&mut self.padding);
        match self.input.read_exact(&mut padding[..count as usize]) {
            Ok(()) => self.position += count,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(self.truncated()),
            Err(error) => return Err(Error::from_io(error)),
        }
        Ok(())
    }

    fn truncated(&self) -> Error {
        Error::Truncated {
            within: format!("the content of `{}`", self.path),
        }
    }

    fn wrong(&self, offset: u64, reason: String) -> Error {
        Error::Header {
            offset,
            path: self.path.clone(),
            reason,
        }
    }

    fn over(&self, what: &'static str, limit: u64) -> Error {
        Error::Limit {
            what,
            limit,
            path: self.path.clone(),
        }
    }
}

impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if room == 0 {
            return Ok(0);
        }
        let count = self.input.read(&mut buffer[..room])?;
        if count == 0 {
            return Err(self.truncated().into());
        }
        self.left -= count as u64;
        self.position += count as u64;
        Ok(count)
    }
}

fn padding(size: u64) -> u64 {
    (BLOCK - size % BLOCK) % BLOCK
}

#[cfg(test)]
mod tests;
