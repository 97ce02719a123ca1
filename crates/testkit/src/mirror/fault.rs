use std::time::Duration;

/// What goes wrong with one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, with a short text as its body.
    Status(u16),
    /// This status, and after how many seconds to come again.
    RetryAfter(u16, u32),
    /// The right length is announced; the connection closes after so many bytes of the body.
    Truncate(u64),
    /// So many bytes of the body, then nothing more, with the connection open.
    Stall(u64),
    /// The request is read and never answered.
    Silence,
    /// The connection closes without an answer.
    Hangup,
    /// The whole body under a length that is off by this.
    LieLength(i64),
    /// No length: the end of the connection ends the body, after so many bytes of it where a number is given.
    NoLength(Option<u64>),
    /// A body without a length that goes on for ever: the file, then zeros.
    Endless,
    /// A Range is ignored.
    NoRange,
    /// A Range is answered with this Content-Range, and the part that was asked for.
    LieRange(String),
    /// 302 to this.
    Redirect(String),
    /// Pieces of so many bytes with a pause after each.
    Slow(usize, Duration),
    /// Other content, with its own length.
    Replace(Vec<u8>),
    /// These bytes instead of an HTTP answer.
    Raw(Vec<u8>),
    /// The right answer with one more header.
    Header(String, String),
    /// In chunks, as RFC 9112 7.1 has it; the last one missing where `true`.
    Chunked(bool),
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) path: String,
    pub(super) left: usize,
    pub(super) fault: Fault,
}
