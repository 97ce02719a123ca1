//! Bytes from the thread that lays out the archive to the one that compresses it, in pieces of one size.

use std::sync::mpsc;

use crate::error::Error;

/// Large enough that handing a piece over costs nothing beside its bytes.
const PIECE: usize = 256 * 1024;
/// How far the reader may be ahead.
const AHEAD: usize = 16;

/// What comes through.
pub(crate) enum Part {
    /// The next bytes.
    Bytes(Piece),
    /// There are no more, and none is missing.
    End,
}

/// Memory of one size, and how much of it counts: it goes back and forth without being filled anew.
pub(crate) struct Piece {
    memory: Box<[u8]>,
    length: usize,
}

impl Piece {
    fn new() -> Self {
        Piece {
            memory: vec![0; PIECE].into_boxed_slice(),
            length: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.length == PIECE
    }

    fn free(&mut self) -> &mut [u8] {
        self.memory.get_mut(self.length..).unwrap_or_default()
    }
}

impl std::ops::Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }
}

/// The end that bytes are put into.
pub(crate) struct Sender {
    parts: mpsc::SyncSender<Part>,
    used: mpsc::Receiver<Piece>,
    piece: Piece,
}

/// The end that they come out of.
pub(crate) struct Receiver {
    parts: mpsc::Receiver<Part>,
    used: mpsc::Sender<Piece>,
}

/// Two ends.
pub(crate) fn pipe() -> (Sender, Receiver) {
    let (parts, parts_out) = mpsc::sync_channel(AHEAD);
    let (used, used_out) = mpsc::channel();
    let sender = Sender {
        parts,
        used: used_out,
        piece: Piece::new(),
    };
    let receiver = Receiver {
        parts: parts_out,
        used,
    };
    (sender, receiver)
}

impl Sender {
    /// Room for up to `most` of the next bytes, at least one; [`Sender::advance`] says how many were put there.
    ///
    /// # Errors
    /// [`Error::Closed`] when the other end is gone.
    pub(crate) fn room(&mut self, most: u64) -> Result<&mut [u8], Error> {
        if self.piece.is_full() {
            self.flush()?;
        }
        let free = self.piece.free();
        let room = usize::try_from(most).map_or(free.len(), |most| most.min(free.len()));
        Ok(free.get_mut(..room).unwrap_or_default())
    }

    /// Takes so many bytes of the room for sent.
    pub(crate) fn advance(&mut self, count: usize) {
        self.piece.length = (self.piece.length + count).min(PIECE);
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// As [`Sender::room`].
    pub(crate) fn send(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
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
    /// As [`Sender::send`].
    pub(crate) fn send_zeros(&mut self, mut count: u64) -> Result<(), Error> {
        const ZEROS: [u8; 4096] = [0; 4096];
        while count > 0 {
            let now = count.min(ZEROS.len() as u64);
            self.send(ZEROS.get(..now as usize).unwrap_or_default())?;
            count -= now;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let mut next = self.used.try_recv().unwrap_or_else(|_| Piece::new());
        next.length = 0;
        let piece = std::mem::replace(&mut self.piece, next);
        self.parts.send(Part::Bytes(piece)).map_err(|_| Error::Closed)
    }

    /// Sends what is left, and that it is all.
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.flush()?;
        self.parts.send(Part::End).map_err(|_| Error::Closed)
    }
}

impl Receiver {
    /// The next part; none when the sender ended before [`Part::End`].
    pub(crate) fn next(&self) -> Option<Part> {
        self.parts.recv().ok()
    }

    /// Gives the memory of a part back.
    pub(crate) fn give_back(&self, piece: Piece) {
        // A sender that is done needs none.
        let _ = self.used.send(piece);
    }
}
