//! gzip by blocks that are deflated at the same time, each with the end of the one before it as its dictionary, and end
//! at a byte: together they are one deflate stream, in one member.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::num::NonZero;
use std::sync::{Arc, mpsc};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// As pigz has it: small enough for many threads, large enough that the four bytes at its end do not count.
const BLOCK: usize = 128 * 1024;
/// What deflate looks back at.
const WINDOW: usize = 32 * 1024;
/// gzip's own default.
const LEVEL: u32 = 6;
/// RFC 1952: deflate, no flags, no time, no extra flags, an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// A block when it is done.
struct Deflated {
    bytes: Vec<u8>,
    crc: Crc,
}

pub(crate) struct Gzip<W: Write> {
    out: W,
    pool: ThreadPool,
    /// Blocks that are being deflated, in order.
    waiting: VecDeque<mpsc::Receiver<io::Result<Deflated>>>,
    most_waiting: usize,
    block: Vec<u8>,
    before: Arc<Vec<u8>>,
    crc: Crc,
}

impl<W: Write> Gzip<W> {
    pub(crate) fn new(mut out: W, threads: NonZero<usize>) -> io::Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .thread_name(|_| "gzip".to_owned())
            .build()
            .map_err(io::Error::other)?;
        out.write_all(&HEADER)?;
        Ok(Gzip {
            out,
            pool,
            waiting: VecDeque::new(),
            most_waiting: threads.get() * 4,
            block: Vec::with_capacity(BLOCK),
            before: Arc::default(),
            crc: Crc::new(),
        })
    }

    pub(crate) fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.block.len() == BLOCK {
                self.start(FlushCompress::Sync)?;
            }
            let (now, later) = bytes.split_at((BLOCK - self.block.len()).min(bytes.len()));
            self.block.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.start(FlushCompress::Finish)?;
        while self.take()? {}
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.out)
    }

    /// Hands the block to a thread.
    fn start(&mut self, flush: FlushCompress) -> io::Result<()> {
        if self.waiting.len() == self.most_waiting {
            self.take()?;
        }
        let block = Arc::new(std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK)));
        let before = std::mem::replace(&mut self.before, Arc::clone(&block));
        let (done, receiver) = mpsc::sync_channel(1);
        self.pool.spawn(move || {
            // Whoever waited for it may have failed meanwhile.
            let _ = done.send(deflate(&before, &block, flush));
        });
        self.waiting.push_back(receiver);
        Ok(())
    }

    /// Writes the first of the blocks; whether there was one.
    fn take(&mut self) -> io::Result<bool> {
        let Some(receiver) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let died = |_| io::Error::other("a thread that compresses ended without a result");
        let deflated = receiver.recv().map_err(died)??;
        self.crc.combine(&deflated.crc);
        self.out.write_all(&deflated.bytes)?;
        Ok(true)
    }
}

/// Deflates a block that comes after another.
fn deflate(before: &[u8], block: &[u8], flush: FlushCompress) -> io::Result<Deflated> {
    let mut compress = Compress::new(Compression::new(LEVEL), false);
    let window = before
        .get(before.len().saturating_sub(WINDOW)..)
        .unwrap_or_default();
    if !window.is_empty() {
        compress.set_dictionary(window).map_err(io::Error::other)?;
    }
    let mut bytes = Vec::with_capacity(block.len() / 2 + 1024);
    loop {
        let done = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
        let left = block.get(done..).unwrap_or_default();
        let status = compress
            .compress_vec(left, &mut bytes, flush)
            .map_err(io::Error::other)?;
        let all_in = compress.total_in() == block.len() as u64;
        match (status, flush) {
            (Status::StreamEnd, _) => break,
            // A flush is done when there is room left after it.
            (_, FlushCompress::Sync) if all_in && bytes.len() < bytes.capacity() => break,
            _ => bytes.reserve(bytes.capacity().max(1024)),
        }
    }
    let mut crc = Crc::new();
    crc.update(block);
    Ok(Deflated { bytes, crc })
}
