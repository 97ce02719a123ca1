//! What was made from a file of a known digest: a content, a table of the BLAKE3 of each of its pieces, and a trailer.
//!
//! The trailer is a magic number, the content's length (little endian) and the BLAKE3 of the key, the kind, the length
//! and the table. Pieces are there so that a large content is checked on several cores;
//! BLAKE3 guards against damage here, several times as fast as the SHA-256 of what comes from a mirror.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bareroot_model::Digest;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::{Cache, Held, Shelf, owner, part};
use crate::Error;

const MAGIC: &[u8; 8] = b"barerooB";
const PIECE: u64 = 1 << 20;
const TRAILER: u64 = 8 + 8 + 32;
const DIGEST: u64 = 32;

/// A derived content that was found whole: it reads from the start.
#[derive(Debug)]
pub struct Derived {
    file: File,
    length: u64,
    position: u64,
}

impl Derived {
    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn into_bytes(self) -> io::Result<Vec<u8>> {
        // The file is as long as its trailer says: this was checked.
        let mut bytes = vec![0; usize::try_from(self.length).map_err(|_| ErrorKind::FileTooLarge)?];
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }
}

impl Read for Derived {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length - self.position).unwrap_or(usize::MAX);
        let wanted = left.min(buffer.len());
        let got = self
            .file
            .read_at(buffer.get_mut(..wanted).unwrap_or_default(), self.position)?;
        self.position += got as u64;
        Ok(got)
    }
}

impl Cache {
    /// What was derived as `kind` from the file of this digest, if it is there and undamaged. `kind` is a plain word with
    /// the version of its format (`packages-1`).
    pub fn derived(&self, digest: &Digest, kind: &str) -> Option<Vec<u8>> {
        let found = self.find(Shelf::Parsed, digest, kind)?;
        // What it was made from is needed again where this is lost: it counts as used too.
        if let Some(held) = self.held(Shelf::Indexes, digest, "").next() {
            self.used(&held);
        }
        found.into_bytes().ok()
    }

    /// Keeps something that was derived. Failing to keep it costs time in the next run, and nothing else; `false` says so.
    pub fn keep_derived(&self, digest: &Digest, kind: &str, content: &[u8]) -> bool {
        self.keep(Shelf::Parsed, digest, kind, |writer| writer.write_all(content))
            .is_ok_and(|length| length.is_some())
    }

    /// Like [`derived`](Cache::derived), for an unpacked payload, which is not read into memory.
    pub fn payload(&self, digest: &Digest, kind: &str) -> Option<Derived> {
        self.find(Shelf::Payloads, digest, kind)
    }

    /// Keeps an unpacked payload, which `write` writes, unless the limit of such payloads would be exceeded by what is in
    /// use; of the others those that were not used for longest make room.
    ///
    /// # Errors
    /// That of `write`, or [`Error::Write`]; nothing is kept then.
    pub fn keep_payload(
        &self,
        digest: &Digest,
        kind: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Error> {
        if self.has_room_for_payloads()
            && let Some(length) = self.keep(Shelf::Payloads, digest, kind, write)?
        {
            self.payload_was_kept(digest, kind, length);
        }
        Ok(())
    }

    pub(crate) fn find(&self, shelf: Shelf, digest: &Digest, kind: &str) -> Option<Derived> {
        for held in self.held(shelf, digest, &format!(".{kind}")) {
            // A Release file's own signature is judged afterwards.
            if shelf != Shelf::Releases && !owner::is_ours(&held.file) {
                self.not_believed(&held);
                continue;
            }
            match checked(&held.file, digest, kind) {
                Ok(Some(length)) => {
                    self.used(&held);
                    return Some(Derived {
                        file: held.file,
                        length,
                        position: 0,
                    });
                }
                Ok(None) => self.damaged(&held, "it is not what it was when it was sealed"),
                Err(error) => self.damaged(&held, &error.to_string()),
            }
        }
        None
    }

    /// Says once for each directory why its derived contents are not used.
    fn not_believed(&self, held: &Held) {
        let root = held.path.ancestors().nth(4).unwrap_or(&held.path);
        self.note_once(root, || {
            format!(
                "`{}` is not used, nor what was derived like it: somebody else owns it or may write it",
                held.path.display()
            )
        });
    }

    /// Keeps what `write` writes, and gives the length of its file; `None` where nothing can be kept, or another process
    /// writes the same.
    pub(crate) fn keep(
        &self,
        shelf: Shelf,
        digest: &Digest,
        kind: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Option<u64>, Error> {
        let Some(whole) = self.path_to_write(shelf, digest, &format!(".{kind}"))? else {
            return Ok(None);
        };
        let Some((file, part)) = self.draft(&whole)? else {
            return Ok(None);
        };
        let written = file.set_len(0).and_then(|()| {
            let mut sealer = Sealer::new(BufWriter::with_capacity(256 << 10, &file));
            write(&mut sealer)?;
            sealer.seal(digest, kind)
        });
        let kept = written.and_then(|()| {
            let length = file.metadata()?.len();
            std::fs::rename(&part, &whole).map(|()| length)
        });
        match kept {
            Ok(length) => Ok(Some(length)),
            Err(source) => {
                // What is left behind is overwritten by the next one.
                let _ = std::fs::remove_file(&part);
                if source.raw_os_error().is_some() {
                    self.warn_once(Path::new(shelf.name()), || {
                        format!(
                            "not everything can be kept: cannot write `{}`: {source}",
                            whole.display()
                        )
                    });
                }
                Err(Error::Write { path: part, source })
            }
        }
    }

    /// The file to write before it gets its name; `None` where another process has it.
    fn draft(&self, whole: &Path) -> Result<Option<(File, PathBuf)>, Error> {
        let mut part = whole.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let wrong = |source| Error::Write {
            path: part.clone(),
            source,
        };
        let file = part::open(&part).map_err(wrong)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            // Another process may just have published it under its final name: it is not to be written any more then.
            Ok(()) if part::same(&file, &part) && owner::may_write(&file) => Ok(Some((file, part))),
            Ok(()) if part::same(&file, &part) => part::unlocked(whole).map(Some).map_err(wrong),
            Ok(()) | Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) if part::are_no_locks(error) => {
                self.note_no_locks(&part);
                part::discard_empty(&file, &part);
                part::unlocked(whole).map(Some).map_err(wrong)
            }
            Err(error) => Err(wrong(error.into())),
        }
    }
}

struct Sealer<W> {
    to: W,
    piece: blake3::Hasher,
    in_piece: u64,
    length: u64,
    table: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    fn new(to: W) -> Self {
        Sealer {
            to,
            piece: blake3::Hasher::new(),
            in_piece: 0,
            length: 0,
            table: Vec::new(),
        }
    }

    fn end_piece(&mut self) {
        if self.in_piece > 0 {
            self.table.extend_from_slice(self.piece.finalize().as_bytes());
            self.piece.reset();
            self.in_piece = 0;
        }
    }

    fn seal(mut self, digest: &Digest, kind: &str) -> io::Result<()> {
        self.end_piece();
        self.to.write_all(&self.table)?;
        self.to.write_all(MAGIC)?;
        self.to.write_all(&self.length.to_le_bytes())?;
        self.to
            .write_all(&seal_of(digest, kind, self.length, &self.table))?;
        self.to.flush()
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = usize::try_from(PIECE - self.in_piece)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let written = self.to.write(bytes.get(..room).unwrap_or_default())?;
        self.piece.update(bytes.get(..written).unwrap_or_default());
        self.in_piece += written as u64;
        self.length += written as u64;
        if self.in_piece == PIECE {
            self.end_piece();
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn seal_of(digest: &Digest, kind: &str, length: u64, table: &[u8]) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    hash.update(digest.as_bytes());
    hash.update(&(kind.len() as u64).to_le_bytes());
    hash.update(kind.as_bytes());
    hash.update(&length.to_le_bytes());
    hash.update(table);
    hash.finalize().into()
}

/// The content's length where everything is as it was sealed.
pub(super) fn checked(file: &File, digest: &Digest, kind: &str) -> io::Result<Option<u64>> {
    let total = file.metadata()?.len();
    let Some(before) = total.checked_sub(TRAILER) else {
        return Ok(None);
    };
    let mut trailer = [0; TRAILER as usize];
    file.read_exact_at(&mut trailer, before)?;
    let Some((magic, rest)) = trailer.split_first_chunk::<8>() else {
        return Ok(None);
    };
    let Some((length, seal)) = rest.split_first_chunk::<8>() else {
        return Ok(None);
    };
    let length = u64::from_le_bytes(*length);
    // The lengths must add up to the file's own: no declared size is believed.
    let pieces = length.div_ceil(PIECE);
    let table_length = before
        .checked_sub(length)
        .filter(|&left| pieces.checked_mul(DIGEST) == Some(left));
    let (Some(table_length), true) = (table_length, magic == MAGIC) else {
        return Ok(None);
    };
    let mut table = vec![0; usize::try_from(table_length).map_err(|_| ErrorKind::FileTooLarge)?];
    file.read_exact_at(&mut table, length)?;
    if seal_of(digest, kind, length, &table) != *seal {
        return Ok(None);
    }
    let whole = AtomicBool::new(true);
    let next = AtomicU64::new(0);
    let work = || {
        let mut buffer = vec![0; 256 << 10];
        while whole.load(Ordering::Relaxed) {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                break;
            }
            if !piece_is_whole(file, piece, length, &table, &mut buffer) {
                whole.store(false, Ordering::Relaxed);
            }
        }
    };
    let helpers = (pieces / 4)
        .min(std::thread::available_parallelism().map_or(1, |count| count.get() as u64))
        .min(8);
    std::thread::scope(|scope| {
        for _ in 1..helpers {
            // Fewer threads do the same work.
            let _ = std::thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    Ok(whole.into_inner().then_some(length))
}

fn piece_is_whole(file: &File, piece: u64, length: u64, table: &[u8], buffer: &mut [u8]) -> bool {
    let mut hash = blake3::Hasher::new();
    let mut at = piece * PIECE;
    let end = at.saturating_add(PIECE).min(length);
    while at < end {
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        match file.read_at(buffer.get_mut(..wanted).unwrap_or_default(), at) {
            Ok(0) => return false,
            Ok(got) => {
                hash.update(buffer.get(..got).unwrap_or_default());
                at += got as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    let stated = usize::try_from(piece * DIGEST)
        .ok()
        .and_then(|start| table.get(start..)?.get(..DIGEST as usize));
    stated == Some(hash.finalize().as_bytes().as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Digest = Digest::new([7; 32]);

    #[test]
    fn what_is_kept_is_found_and_what_is_damaged_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        let large: Vec<u8> = (0..5 * PIECE as u32 + 17)
            .map(|number| (number % 251) as u8)
            .collect();
        for content in [&b""[..], b"small", &large[..PIECE as usize], &large] {
            assert!(cache.keep_derived(&KEY, "packages-1", content));
            assert_eq!(cache.derived(&KEY, "packages-1").as_deref(), Some(content));
            assert!(cache.derived(&KEY, "packages-2").is_none());
            let path = cache
                .path_to_write(Shelf::Parsed, &KEY, ".packages-1")
                .unwrap()
                .unwrap();
            let sealed = std::fs::read(&path).unwrap();
            for at in [
                0,
                content.len() / 2,
                content.len(),
                sealed.len() - 1,
                sealed.len() - 40,
            ] {
                let mut damaged = sealed.clone();
                damaged[at] ^= 1;
                std::fs::write(&path, damaged).unwrap();
                assert!(
                    cache.derived(&KEY, "packages-1").is_none(),
                    "{} {at}",
                    content.len()
                );
            }
            std::fs::write(&path, &sealed[..sealed.len() - 1]).unwrap();
            assert!(cache.derived(&KEY, "packages-1").is_none());
            // Sealed for another file.
            std::fs::write(
                cache
                    .path_to_write(Shelf::Parsed, &Digest::new([8; 32]), ".packages-1")
                    .unwrap()
                    .unwrap(),
                &sealed,
            )
            .unwrap();
            assert!(cache.derived(&Digest::new([8; 32]), "packages-1").is_none());
        }
    }

    #[test]
    fn a_payload_reads_as_it_was_written_and_a_failed_one_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(directory.path()).unwrap();
        cache
            .keep_payload(&KEY, "tar-1", |writer| {
                (0..100).try_for_each(|_| writer.write_all(&[5; 33_333]))
            })
            .unwrap();
        let mut found = cache.payload(&KEY, "tar-1").unwrap();
        assert_eq!(found.length(), 3_333_300);
        let mut content = Vec::new();
        found.read_to_end(&mut content).unwrap();
        assert!(content.len() == 3_333_300 && content.iter().all(|&byte| byte == 5));
        let failed = cache.keep_payload(&KEY, "tar-2", |writer| {
            writer.write_all(b"half")?;
            Err(ErrorKind::InvalidData.into())
        });
        assert!(failed.is_err() && cache.payload(&KEY, "tar-2").is_none());
        let part = cache.path_to_write(Shelf::Payloads, &KEY, ".tar-2.part");
        assert!(!part.unwrap().unwrap().exists());
    }
}
