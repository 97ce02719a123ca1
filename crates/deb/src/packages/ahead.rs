//! A reader on a thread of its own.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

/// Bytes of a block that goes from thread to thread.
const BLOCK: usize = 256 << 10;
/// Blocks under way: the sum of both is what reading ahead costs in memory.
const BLOCKS: usize = 4;

/// Calls `work` with a reader that gives what `reader` gives, which is read meanwhile on another thread; on this one where
/// the host has no room for another.
pub(super) fn with<T>(reader: impl Read + Send, work: impl FnOnce(&mut dyn Read) -> T) -> T {
    let (full, blocks) = sync_channel(BLOCKS);
    let (spent, empty) = sync_channel(BLOCKS + 2);
    let reader = Mutex::new(Some(reader));
    let take = || reader.lock().unwrap_or_else(PoisonError::into_inner).take();
    std::thread::scope(|scope| {
        let started = std::thread::Builder::new().spawn_scoped(scope, move || {
            if let Some(mut reader) = take() {
                pump(&mut reader, &full, &empty);
            }
        });
        if started.is_err()
            && let Some(mut reader) = take()
        {
            return work(&mut reader);
        }
        // Dropped when `work` is done: the other thread's next send fails and it ends.
        let mut ahead = Ahead {
            blocks,
            spent,
            block: Vec::new(),
            at: 0,
        };
        let result = work(&mut ahead);
        drop(ahead);
        result
    })
}

fn pump(reader: &mut impl Read, full: &SyncSender<io::Result<Vec<u8>>>, empty: &Receiver<Vec<u8>>) {
    loop {
        let mut block = empty.try_recv().unwrap_or_default();
        block.clear();
        let result = reader.by_ref().take(BLOCK as u64).read_to_end(&mut block);
        let end = !matches!(result, Ok(count) if count > 0);
        if (!block.is_empty() && full.send(Ok(block)).is_err()) || end {
            if let Err(error) = result {
                // Nobody is left to be told when this fails.
                let _ = full.send(Err(error));
            }
            return;
        }
    }
}

/// The reading end.
pub(super) struct Ahead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    spent: SyncSender<Vec<u8>>,
    block: Vec<u8>,
    at: usize,
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.block.len() {
            match self.blocks.recv() {
                Ok(block) => {
                    let old = std::mem::replace(&mut self.block, block?);
                    let _ = self.spent.try_send(old);
                    self.at = 0;
                }
                Err(_) => return Ok(0),
            }
        }
        let count = self.block.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += count;
        Ok(count)
    }
}
