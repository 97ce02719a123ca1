//! tar, as dpkg reads it: v7, ustar and GNU's long names; no pax headers, no sparse files (dpkg's tarfn.c refuses them
//! too, so a package that has them could be installed by nobody).

mod fields;

use std::io::{self, BufRead, ErrorKind, Read};

use bareroot_model::{Entry, Kind};
use tar::Header;

use crate::Error;
use crate::error::shown;

const BLOCK: usize = 512;

/// How large a tar archive and its parts may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TarLimits {
    /// Bytes of a path or a link's text. Linux takes 4095 of a path.
    pub name: usize,
    /// Headers: one an entry, and one for each long name.
    pub entries: u64,
    /// Bytes of one entry's content. The whole archive is bounded by its decoder.
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
///
/// Content goes straight from the input into the caller's buffer; where the input is a [`BufRead`], the reader is one
/// too, and the content is not copied at all. Only long names are kept, and those up to [`TarLimits::name`]. Headers
/// are read one by one: an input for which every read is a system call wants a buffer around it.
pub struct TarReader<R> {
    input: R,
    limits: TarLimits,
    state: State,
    /// Bytes read so far.
    position: u64,
    /// Bytes of the current entry's content not yet read.
    left: u64,
    /// Bytes of padding after it; less than a block.
    padding: usize,
    headers: u64,
    /// The current entry's path, for messages.
    path: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// At the end of the archive.
    Ended,
    /// After an error, when nobody knows where the next header is.
    Failed,
}

impl<R: Read> TarReader<R> {
    /// A reader of the plain (decompressed) archive.
    pub fn new(input: R, limits: TarLimits) -> Self {
        TarReader {
            input,
            limits,
            state: State::Open,
            position: 0,
            left: 0,
            padding: 0,
            headers: 0,
            path: Vec::new(),
        }
    }

    /// Bytes of the archive read so far; after [`next_entry`](Self::next_entry), where the entry's content begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next entry; what was not read of the one before is skipped. `None` at the end of the archive, which is two
    /// blocks of zeros, or one, or the end of the input at a header's place (dpkg and GNU tar take all three). The input
    /// is then read to its end, as dpkg does, so that damage after the last entry shows.
    ///
    /// # Errors
    /// What is wrong with the archive, by its entry; the decoder's errors; [`Error::Read`]. There is no going on after
    /// one.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        match self.state {
            State::Open => {}
            State::Ended => return Ok(None),
            State::Failed => return Err(self.wrong(self.position, "reading went on after an error")),
        }
        self.state = State::Failed;
        let entry = self.advance()?;
        self.state = if entry.is_some() {
            State::Open
        } else {
            State::Ended
        };
        Ok(entry)
    }

    fn advance(&mut self) -> Result<Option<Entry>, Error> {
        self.skip_content()?;
        let (mut name, mut link) = (None, None);
        loop {
            let Some((header, offset)) = self.header()? else {
                if name.is_some() || link.is_some() {
                    return Err(Error::Truncated {
                        within: "a long name without its entry".to_owned(),
                    });
                }
                self.position += io::copy(&mut self.input, &mut io::sink()).map_err(Error::from_io)?;
                return Ok(None);
            };
            match header.as_old().linkflag[0] {
                b'L' => name = Some(self.long(&header, offset, "a name")?),
                b'K' => link = Some(self.long(&header, offset, "a link")?),
                _ => return self.entry(&header, offset, name, link).map(Some),
            }
        }
    }

    /// The next header and where it is; `None` at the end. Padding before it is read with it, in one go.
    fn header(&mut self) -> Result<Option<(Header, u64)>, Error> {
        let mut bytes = [0; 2 * BLOCK];
        let padding = std::mem::take(&mut self.padding);
        let wanted = padding + BLOCK;
        let mut filled = 0;
        while filled < wanted {
            match self.input.read(&mut bytes[filled..wanted]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::from_io(error)),
            }
        }
        let offset = self.position + padding as u64;
        self.position += filled as u64;
        if filled < padding {
            return Err(self.truncated());
        }
        self.path.clear();
        match filled - padding {
            0 => return Ok(None),
            BLOCK => {}
            _ => {
                return Err(Error::Truncated {
                    within: format!("the tar header at byte {offset}"),
                });
            }
        }
        let mut header = Header::new_old();
        header.as_mut_bytes().copy_from_slice(&bytes[padding..wanted]);
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        self.headers += 1;
        if self.headers > self.limits.entries {
            return Err(self.over("a number of entries", self.limits.entries));
        }
        fields::settle(&mut header).map_err(|reason| self.wrong(offset, reason))?;
        Ok(Some((header, offset)))
    }

    /// The content of a long name's header: the name, and mostly a NUL.
    fn long(&mut self, header: &Header, offset: u64, what: &'static str) -> Result<Vec<u8>, Error> {
        let size = fields::size(header).map_err(|reason| self.wrong(offset, reason))?;
        if size > self.limits.name as u64 + 1 {
            return Err(self.over(what, self.limits.name as u64));
        }
        self.path = b"././@LongLink".to_vec();
        self.hold(size);
        let mut name = vec![0; size as usize];
        self.read_exact(&mut name).map_err(Error::from_io)?;
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    fn entry(
        &mut self,
        header: &Header,
        offset: u64,
        name: Option<Vec<u8>>,
        link: Option<Vec<u8>>,
    ) -> Result<Entry, Error> {
        let path = name.unwrap_or_else(|| header.path_bytes().into_owned());
        self.path.clone_from(&path);
        let wrong = |reason: String| self.wrong(offset, reason);
        self.name(&path, "a name", offset)?;
        if path.contains(&b'\n') {
            // dpkg's database is made of lines.
            return Err(self.wrong(offset, "its name has a line end"));
        }
        let link = || {
            let link = link.unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
            self.name(&link, "a link", offset).map(|()| link)
        };
        let size = fields::size(header).map_err(wrong)?;
        let device = || fields::device(header).map_err(wrong);
        let kind = match header.as_old().linkflag[0] {
            // v7 has no type for directories: the slash says it.
            0 | b'0' if path.ends_with(b"/") => Kind::Directory,
            0 | b'0' => Kind::File,
            b'1' => Kind::Hardlink(link()?),
            b'2' => Kind::Symlink(link()?),
            b'3' => device().map(|(major, minor)| Kind::Char(major, minor))?,
            b'4' => device().map(|(major, minor)| Kind::Block(major, minor))?,
            b'5' => Kind::Directory,
            b'6' => Kind::Fifo,
            other => {
                return Err(Error::EntryType {
                    path: shown(&path),
                    kind: fields::type_words(other),
                });
            }
        };
        // Only files have content. dpkg takes a size on anything else for an older writer's habit: no data follows.
        let size = if kind == Kind::File { size } else { 0 };
        if size > self.limits.size {
            return Err(self.over("a file", self.limits.size));
        }
        let entry = Entry {
            kind,
            mode: fields::mode(header).map_err(wrong)?,
            uid: fields::uid(header).map_err(wrong)?,
            gid: fields::gid(header).map_err(wrong)?,
            user: fields::owner_name(header.username_bytes()),
            group: fields::owner_name(header.groupname_bytes()),
            mtime: fields::mtime(header).map_err(wrong)?,
            size,
            xattrs: Vec::new(),
            path,
        };
        self.hold(size);
        Ok(entry)
    }

    /// What holds for paths and for links.
    fn name(&self, name: &[u8], what: &'static str, offset: u64) -> Result<(), Error> {
        if name.len() > self.limits.name {
            return Err(self.over(what, self.limits.name as u64));
        }
        match (name.is_empty(), what) {
            (true, "a link") => Err(self.wrong(offset, "its link leads nowhere: the text is empty")),
            (true, _) => Err(self.wrong(offset, "its name is empty")),
            _ if name.contains(&0) => Err(self.wrong(offset, "its name, or its link, has a NUL")),
            _ => Ok(()),
        }
    }

    /// Content of `size` bytes comes next.
    fn hold(&mut self, size: u64) {
        self.left = size;
        self.padding = (size.wrapping_neg() % BLOCK as u64) as usize;
    }

    fn skip_content(&mut self) -> Result<(), Error> {
        if self.left == 0 {
            return Ok(());
        }
        let count =
            io::copy(&mut (&mut self.input).take(self.left), &mut io::sink()).map_err(Error::from_io)?;
        self.took(count);
        if self.left > 0 {
            Err(self.truncated())
        } else {
            Ok(())
        }
    }
}

impl<R> TarReader<R> {
    fn took(&mut self, count: u64) {
        self.left -= count;
        self.position += count;
    }

    fn truncated(&self) -> Error {
        Error::Truncated {
            within: format!("the content of `{}`", shown(&self.path)),
        }
    }

    fn wrong(&self, offset: u64, reason: impl Into<String>) -> Error {
        Error::Header {
            offset,
            path: shown(&self.path),
            reason: reason.into(),
        }
    }

    fn over(&self, what: &'static str, limit: u64) -> Error {
        Error::Limit {
            what,
            limit,
            path: shown(&self.path),
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
        self.took(count as u64);
        Ok(count)
    }
}

/// The current entry's content where it lies in the input's buffer.
impl<R: BufRead> BufRead for TarReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Ok(&[]);
        }
        if self.input.fill_buf()?.is_empty() {
            return Err(self.truncated().into());
        }
        let buffer = self.input.fill_buf()?;
        let room = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        Ok(&buffer[..room])
    }

    fn consume(&mut self, amount: usize) {
        let amount = usize::try_from(self.left).unwrap_or(usize::MAX).min(amount);
        self.input.consume(amount);
        self.took(amount as u64);
    }
}

#[cfg(test)]
mod tests;
