//! Frames over a stream socket: bytes with descriptors, and the few shapes that bytes take.
//!
//! Both ends are this same program, so the encoding needs no version. Lengths are checked all the same: a
//! defect must end as an error, not as an allocation of four gigabytes.

use std::ffi::{OsStr, OsString};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

/// The longest frame. Linux refuses a command line and environment above 6 MiB in any case (execve(2)).
pub(crate) const LIMIT: usize = 8 << 20;

/// The most descriptors in a frame; the kernel's own limit (SCM_MAX_FD) is 253.
pub(crate) const DESCRIPTORS: usize = 64;

const CONTROL: usize = rustix::cmsg_space!(ScmRights(DESCRIPTORS));

/// One message.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Sends one frame, whole.
pub(crate) fn send(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    if bytes.len() > LIMIT || fds.len() > DESCRIPTORS {
        return Err(io::ErrorKind::ArgumentListTooLong.into());
    }
    let mut frame = Vec::with_capacity(8 + bytes.len());
    frame.extend_from_slice(&(bytes.len() as u32).to_ne_bytes());
    frame.extend_from_slice(&(fds.len() as u32).to_ne_bytes());
    frame.extend_from_slice(bytes);

    let mut space = [MaybeUninit::uninit(); CONTROL];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::ErrorKind::ArgumentListTooLong.into());
    }
    let mut rest = frame.as_slice();
    while !rest.is_empty() {
        match rustix::net::sendmsg(&socket, &[IoSlice::new(rest)], &mut control, SendFlags::NOSIGNAL) {
            Ok(sent) => {
                rest = rest.get(sent..).unwrap_or_default();
                control.clear();
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Receives one frame; `None` when the other end is closed.
pub(crate) fn receive(socket: impl AsFd) -> io::Result<Option<Frame>> {
    let mut fds = Vec::new();
    let mut head = [0; 8];
    if !fill(&socket, &mut head, &mut fds)? {
        return Ok(None);
    }
    let [a, b, c, d, e, f, g, h] = head;
    let length = u32::from_ne_bytes([a, b, c, d]) as usize;
    let expected = u32::from_ne_bytes([e, f, g, h]) as usize;
    if length > LIMIT {
        return Err(wrong("a frame is too long"));
    }
    let mut bytes = vec![0; length];
    if !fill(&socket, &mut bytes, &mut fds)? {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if fds.len() != expected {
        return Err(wrong("a frame lacks descriptors"));
    }
    Ok(Some(Frame { bytes, fds }))
}

/// Fills `into`; `false` when the stream ends before its first byte.
fn fill(socket: impl AsFd, into: &mut [u8], fds: &mut Vec<OwnedFd>) -> io::Result<bool> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let mut space = [MaybeUninit::uninit(); CONTROL];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let got = match rustix::net::recvmsg(
            &socket,
            &mut [IoSliceMut::new(rest)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        ) {
            Ok(message) => message.bytes,
            Err(rustix::io::Errno::INTR) => continue,
            // What a socket says whose other end was closed with data unread.
            Err(rustix::io::Errno::CONNRESET) => 0,
            Err(error) => return Err(error.into()),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                fds.extend(received);
            }
        }
        match got {
            0 if filled == 0 => return Ok(false),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ => filled += got,
        }
    }
    Ok(true)
}

/// Builds the bytes of a frame.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn number(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_ne_bytes());
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.0.push(value.into());
    }

    /// A text of any bytes. One that is too long for a frame makes the frame too long, which [`send`] refuses.
    pub(crate) fn text(&mut self, value: impl AsRef<OsStr>) {
        let bytes = value.as_ref().as_bytes();
        self.number(bytes.len().min(u32::MAX as usize) as u32);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn list<T>(&mut self, values: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.number(values.len().min(u32::MAX as usize) as u32);
        values.iter().for_each(|value| each(self, value));
    }
}

/// Takes the bytes of a frame apart again.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    fn take(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| wrong("a frame is cut short"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn number(&mut self) -> io::Result<u32> {
        let bytes = self
            .take(4)?
            .try_into()
            .map_err(|_| wrong("a frame is cut short"))?;
        Ok(u32::from_ne_bytes(bytes))
    }

    pub(crate) fn flag(&mut self) -> io::Result<bool> {
        match self.take(1)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(wrong("a frame holds a flag that is neither yes nor no")),
        }
    }

    pub(crate) fn text(&mut self) -> io::Result<OsString> {
        let length = self.number()? as usize;
        Ok(OsString::from_vec(self.take(length)?.to_vec()))
    }

    pub(crate) fn path(&mut self) -> io::Result<PathBuf> {
        self.text().map(PathBuf::from)
    }

    pub(crate) fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> io::Result<T>) -> io::Result<Vec<T>> {
        // No capacity from the count: it is not yet known to be true.
        let count = self.number()?;
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(each(self)?);
        }
        Ok(values)
    }

    pub(crate) fn end(self) -> io::Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(wrong("a frame is longer than its message"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType};

    fn pair() -> (OwnedFd, OwnedFd) {
        rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )
        .unwrap()
    }

    #[test]
    fn frames_and_descriptors_arrive_in_order() {
        let (ours, theirs) = pair();
        let (pipe_out, pipe_in) = rustix::pipe::pipe().unwrap();
        send(&ours, b"one", &[pipe_in.as_fd()]).unwrap();
        send(&ours, b"", &[]).unwrap();
        drop((ours, pipe_in));

        let first = receive(&theirs).unwrap().unwrap();
        assert_eq!(first.bytes, b"one");
        rustix::io::write(&first.fds[0], b"through").unwrap();
        let mut through = [0; 7];
        rustix::io::read(&pipe_out, &mut through).unwrap();
        assert_eq!(&through, b"through");

        let second = receive(&theirs).unwrap().unwrap();
        assert!(second.bytes.is_empty() && second.fds.is_empty());
        assert!(receive(&theirs).unwrap().is_none());
    }

    #[test]
    fn a_long_frame_passes_and_a_longer_one_is_refused() {
        let (ours, theirs) = pair();
        let long = vec![7; 3 << 20];
        let copy = long.clone();
        let sender = std::thread::spawn(move || {
            let refused = send(&ours, &vec![0; LIMIT + 1], &[]);
            (send(&ours, &copy, &[]), refused)
        });
        assert_eq!(receive(&theirs).unwrap().unwrap().bytes, long);
        let (sent, refused) = sender.join().unwrap();
        sent.unwrap();
        assert!(refused.is_err());
    }

    #[test]
    fn a_frame_that_lies_is_an_error() {
        for bytes in [
            &[255, 255, 255, 255, 0, 0, 0, 0][..], // too long
            &[4, 0, 0, 0, 0, 0, 0, 0, 1],          // cut short
            &[0, 0, 0, 0, 1, 0, 0, 0],             // a descriptor is missing
            &[0, 0, 0],                            // a header that stops
        ] {
            let (ours, theirs) = pair();
            rustix::io::write(&ours, bytes).unwrap();
            drop(ours);
            assert!(receive(&theirs).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn shapes_and_back(
            number: u32, flag: bool, texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..9)
        ) {
            let texts: Vec<OsString> = texts.into_iter().map(OsString::from_vec).collect();
            let mut writer = Writer::default();
            writer.number(number);
            writer.list(&texts, |writer, text| writer.text(text));
            writer.flag(flag);
            let bytes = writer.finish();

            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.number().unwrap(), number);
            prop_assert_eq!(reader.list(Reader::text).unwrap(), texts);
            prop_assert_eq!(reader.flag().unwrap(), flag);
            reader.end().unwrap();
        }

        #[test]
        fn no_bytes_make_a_reader_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            let _ = reader.list(|reader| reader.list(Reader::text));
            let _ = reader.end();
        }
    }
}
