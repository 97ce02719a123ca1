use std::io::{self, BufRead, Read};

use liblzma::stream::{Action, Error as Code, MtStreamBuilder, Status, Stream};

use crate::Error;

/// The two containers of LZMA data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The .xz format: any number of streams, each followed by padding (xz-file-format.txt 2.2).
    Xz {
        /// How many blocks may be decoded at once.
        threads: u32,
    },
    /// The older .lzma: one stream.
    Alone,
}

/// Reads .xz and .lzma.
///
/// The binding's own reader cannot be used for this: its threaded decoder ends with the first stream, and its errors
/// are texts.
pub struct Lzma<R> {
    input: R,
    format: Format,
    memory: u64,
    stream: Stream,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Stream,
    /// Behind a stream.
    Between,
    End,
}

impl<R: BufRead> Lzma<R> {
    /// A reader whose decoder takes `memory` bytes at most.
    pub fn new(input: R, format: Format, memory: u64) -> Result<Self, Error> {
        Ok(Lzma {
            input,
            format,
            memory,
            stream: stream(format, memory)?,
            at: At::Stream,
        })
    }

    /// More of the current stream; `None` at its end.
    fn decode(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let mut stuck = false;
        loop {
            let input = self.input.fill_buf()?;
            let ended = input.is_empty();
            let action = if ended { Action::Finish } else { Action::Run };
            let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
            let result = self.stream.process(input, buffer, action);
            let taken = (self.stream.total_in() - before_in) as usize;
            let made = (self.stream.total_out() - before_out) as usize;
            self.input.consume(taken);
            match result {
                Ok(Status::StreamEnd) => {
                    self.at = At::Between;
                    return Ok((made > 0).then_some(made));
                }
                Ok(_) if made > 0 => return Ok(Some(made)),
                // liblzma lets one call without progress pass.
                Ok(_) if taken == 0 && stuck => {
                    let within = format!("its {} data", word(self.format));
                    return Err(if ended {
                        Error::Truncated { within }.into()
                    } else {
                        damaged(self.format, "the decoder does not go on")
                    });
                }
                Ok(_) => stuck = taken == 0,
                Err(code) => return Err(named(code, self.format, self.memory).into()),
            }
        }
    }

    /// Passes over the zeros between two streams.
    fn between(&mut self) -> io::Result<()> {
        let mut zeros = 0u64;
        loop {
            let input = self.input.fill_buf()?;
            if input.is_empty() {
                self.at = At::End;
            } else if self.format == Format::Alone {
                return Err(damaged(self.format, "something follows its end"));
            } else if let count @ 1.. = input.iter().take_while(|byte| **byte == 0).count() {
                self.input.consume(count);
                zeros += count as u64;
                continue;
            } else {
                self.stream = stream(self.format, self.memory)?;
                self.at = At::Stream;
            }
            return if zeros.is_multiple_of(4) {
                Ok(())
            } else {
                Err(damaged(
                    self.format,
                    "the padding behind a stream is no multiple of four bytes",
                ))
            };
        }
    }
}

impl<R: BufRead> Read for Lzma<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.at {
                At::Stream => {
                    if let Some(count) = self.decode(buffer)? {
                        return Ok(count);
                    }
                }
                At::Between => self.between()?,
                At::End => return Ok(0),
            }
        }
    }
}

fn stream(format: Format, memory: u64) -> Result<Stream, Error> {
    let stream = match format {
        Format::Alone => Stream::new_lzma_decoder(memory),
        Format::Xz { threads: 0 | 1 } => Stream::new_stream_decoder(memory, 0),
        Format::Xz { threads } => MtStreamBuilder::new()
            .threads(threads)
            .memlimit_threading(memory)
            .memlimit_stop(memory)
            .decoder(),
    };
    stream.map_err(|code| named(code, format, memory))
}

fn named(code: Code, format: Format, memory: u64) -> Error {
    let format = word(format);
    let reason = match code {
        Code::MemLimit => {
            return Error::Memory {
                format,
                limit: memory,
            };
        }
        Code::Data => "a checksum or the coding is wrong",
        Code::Format => "it does not begin as such data does",
        Code::Options => "it uses filters or options that are not known",
        Code::Mem => "there is not enough memory to decode it",
        _ => {
            return Error::Decode {
                format,
                reason: code.to_string(),
            };
        }
    };
    Error::Decode {
        format,
        reason: reason.to_owned(),
    }
}

fn damaged(format: Format, reason: &str) -> io::Error {
    Error::Decode {
        format: word(format),
        reason: reason.to_owned(),
    }
    .into()
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Xz { .. } => "xz",
        Format::Alone => "lzma",
    }
}
