//! Bytes from the thread that lays out the archive to the one that compresses it, in pieces of one size.

use std::sync::mpsc;

use crate::error::Error;
use crate::out::{Out, Piece};

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
        piece: Piece::new(PIECE),
    };
    let receiver = Receiver {
        parts: parts_out,
        used,
    };
    (sender, receiver)
}

impl Out for Sender {
    fn piece(&mut self) -> &mut Piece {
        &mut self.piece
    }

    fn flush(&mut self) -> Result<(), Error> {
        let mut next = self.used.try_recv().unwrap_or_else(|_| Piece::new(PIECE));
        next.clear();
        let piece = std::mem::replace(&mut self.piece, next);
        self.parts.send(Part::Bytes(piece)).map_err(|_| Error::Closed)
    }
}

impl Sender {
    /// Sends what is left, and that it is all.
    ///
    /// # Errors
    /// [`Error::Closed`] when the other end is gone.
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
