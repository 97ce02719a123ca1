//! Where the bytes of an archive are laid out: into memory that is written when it is full, in pieces of one size.

use std::io::Write;

use crate::error::Error;

/// What takes the bytes.
pub(crate) trait Out {
    /// The memory that is being filled.
    fn piece(&mut self) -> &mut Piece;

    /// Sends what is in it, so that it is empty.
    ///
    /// # Errors
    /// [`Error::Write`], or [`Error::Closed`] when whoever writes is gone.
    fn flush(&mut self) -> Result<(), Error>;

    /// Room for up to `most` of the next bytes, at least one; [`Out::advance`] says how many were put there.
    ///
    /// # Errors
    /// As [`Out::flush`].
    fn room(&mut self, most: u64) -> Result<&mut [u8], Error> {
        if self.piece().is_full() {
            self.flush()?;
        }
        Ok(self.piece().free(most))
    }

    /// Takes so many bytes of the room for sent.
    fn advance(&mut self, count: usize) {
        self.piece().advance(count);
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// As [`Out::room`].
    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            let room = self.room(bytes.len() as u64)?;
            let count = room.len();
            let (now, later) = bytes.split_at(count);
            room.copy_from_slice(now);
            self.advance(count);
            bytes = later;
        }
        Ok(())
    }

    /// Sends so many zeros.
    ///
    /// # Errors
    /// As [`Out::room`].
    fn send_zeros(&mut self, mut count: u64) -> Result<(), Error> {
        while count > 0 {
            let room = self.room(count)?;
            room.fill(0);
            let now = room.len();
            self.advance(now);
            count -= now as u64;
        }
        Ok(())
    }
}

/// Memory of one size, and how much of it counts: it is used again and again without being cleared.
pub(crate) struct Piece {
    memory: Box<[u8]>,
    length: usize,
}

impl Piece {
    pub(crate) fn new(size: usize) -> Self {
        Piece {
            memory: vec![0; size].into_boxed_slice(),
            length: 0,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.length == self.memory.len()
    }

    /// Up to `most` bytes that do not count yet.
    pub(crate) fn free(&mut self, most: u64) -> &mut [u8] {
        let free = self.memory.get_mut(self.length..).unwrap_or_default();
        let room = usize::try_from(most).map_or(free.len(), |most| most.min(free.len()));
        free.get_mut(..room).unwrap_or_default()
    }

    /// So many more of them count.
    pub(crate) fn advance(&mut self, count: usize) {
        self.length = (self.length + count).min(self.memory.len());
    }

    /// None of them counts.
    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }
}

impl std::ops::Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }
}

/// Bytes that go out as they are, by the thread that reads them: handed to another they would leave the caches of this one's
/// processor, and the kernel would copy them from memory (five times as long a copy).
pub(crate) struct Direct<W> {
    out: W,
    piece: Piece,
}

impl<W: Write> Direct<W> {
    /// Small enough to stay in the nearest caches from read(2) to write(2), and to be no large folio of the page cache, for which
    /// the kernel has to look further; large enough that calls cost little.
    const PIECE: usize = 32 * 1024;

    pub(crate) fn new(out: W) -> Self {
        Direct {
            out,
            piece: Piece::new(Self::PIECE),
        }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.flush()?;
        self.out.flush().map_err(Error::Write)
    }
}

impl<W: Write> Out for Direct<W> {
    fn piece(&mut self) -> &mut Piece {
        &mut self.piece
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.out.write_all(&self.piece).map_err(Error::Write)?;
        self.piece.clear();
        Ok(())
    }
}
