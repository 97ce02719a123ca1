use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::time::Duration;

use super::request::{Connection, Request};
use super::{Fault, Shared};

pub(super) enum Body {
    Bytes(Arc<[u8]>),
    File(File, u64),
}

impl Body {
    fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, length) => *length,
        }
    }

    /// A tag that changes with the content, as far as a test can tell.
    fn tag(&self) -> String {
        match self {
            Body::Bytes(bytes) => {
                let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
                });
                format!("\"{hash:x}-{}\"", bytes.len())
            }
            Body::File(_, length) => format!("\"f-{length}\""),
        }
    }

    fn send(&mut self, stream: &mut impl Write, from: u64, length: u64, shared: &Shared) -> io::Result<()> {
        let first = shared.trip.room(length);
        self.piece(stream, from, first)?;
        stream.flush()?;
        shared.trip.sent(first);
        if first < length {
            self.piece(stream, from + first, length - first)?;
            shared.trip.sent(length - first);
        }
        Ok(())
    }

    fn piece(&mut self, stream: &mut impl Write, from: u64, length: u64) -> io::Result<()> {
        match self {
            Body::Bytes(bytes) => {
                let start = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                let end = start
                    .saturating_add(usize::try_from(length).unwrap_or(usize::MAX))
                    .min(bytes.len());
                stream.write_all(&bytes[start..end])
            }
            Body::File(file, _) => {
                file.seek(SeekFrom::Start(from))?;
                io::copy(&mut file.take(length), stream).map(drop)
            }
        }
    }
}

pub(super) fn status<S: Read + Write>(
    connection: &mut Connection<S>,
    status: u16,
    headers: &[(&str, String)],
) -> io::Result<()> {
    let text = format!("{status} as told\n");
    let mut head = format!(
        "HTTP/1.1 {status} {}\r\nContent-Length: {}\r\n",
        reason(status),
        text.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    connection
        .stream()
        .write_all(format!("{head}\r\n{text}").as_bytes())?;
    connection.stream().flush()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        404 => "Not Found",
        416 => "Range Not Satisfiable",
        _ => "Told",
    }
}

/// Writes the answer; `false` when the connection must close after it.
pub(super) fn answer<S: Read + Write>(
    connection: &mut Connection<S>,
    request: &Request,
    body: Option<Body>,
    fault: Option<Fault>,
    shared: &Shared,
) -> io::Result<bool> {
    let mut body = match (&fault, body) {
        (Some(Fault::Status(code)), _) => return status(connection, *code, &[]).map(|()| true),
        (Some(Fault::RetryAfter(code, seconds)), _) => {
            return status(connection, *code, &[("Retry-After", seconds.to_string())]).map(|()| true);
        }
        (Some(Fault::Redirect(to)), _) => {
            return status(connection, 302, &[("Location", to.clone())]).map(|()| true);
        }
        (Some(Fault::Raw(bytes)), _) => return connection.stream().write_all(bytes).map(|()| false),
        (Some(Fault::Hangup), _) => return Ok(false),
        (Some(Fault::Silence), _) => return wait_for_the_end(connection, shared),
        (Some(Fault::Replace(bytes)), _) => Body::Bytes(bytes.clone().into()),
        (_, Some(body)) => body,
        (_, None) => return status(connection, 404, &[]).map(|()| true),
    };
    let total = body.len();
    let tag = body.tag();
    let current = request.header("if-range").is_none_or(|wanted| wanted == tag);
    let range = request
        .range()
        .filter(|_| current && fault != Some(Fault::NoRange));
    let (from, length) = match range {
        Some((start, _)) if start >= total => {
            return status(connection, 416, &[("Content-Range", format!("bytes */{total}"))]).map(|()| true);
        }
        Some((start, end)) => (
            start,
            end.map_or(total, |end| end.saturating_add(1).min(total))
                .saturating_sub(start),
        ),
        None => (0, total),
    };
    let code = if range.is_some() { 206 } else { 200 };
    let mut head = format!("HTTP/1.1 {code} {}\r\nETag: {tag}\r\n", reason(code));
    if range.is_some() {
        let stated = match &fault {
            Some(Fault::LieRange(text)) => text.clone(),
            _ => format!("bytes {from}-{}/{total}", from + length.saturating_sub(1)),
        };
        head.push_str(&format!("Content-Range: {stated}\r\n"));
    }
    match &fault {
        Some(Fault::NoLength(_) | Fault::Endless) => head.push_str("Connection: close\r\n"),
        Some(Fault::Chunked(_)) => head.push_str("Transfer-Encoding: chunked\r\n"),
        Some(Fault::LieLength(by)) => {
            head.push_str(&format!(
                "Content-Length: {}\r\n",
                length.saturating_add_signed(*by)
            ));
        }
        _ => head.push_str(&format!("Content-Length: {length}\r\n")),
    }
    if let Some(Fault::Header(name, value)) = &fault {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("Accept-Ranges: bytes\r\n\r\n");
    let stream = connection.stream();
    stream.write_all(head.as_bytes())?;
    if request.method == "HEAD" {
        stream.flush()?;
        return Ok(true);
    }
    match fault {
        Some(Fault::Truncate(bytes) | Fault::NoLength(Some(bytes))) => {
            body.send(stream, from, length.min(bytes), shared)?;
            stream.flush()?;
            Ok(false)
        }
        Some(Fault::Stall(bytes)) => {
            body.send(stream, from, length.min(bytes), shared)?;
            stream.flush()?;
            wait_for_the_end(connection, shared)
        }
        Some(Fault::Slow(piece, pause)) => {
            let (mut at, end) = (from, from + length);
            while at < end && !shared.stopping() {
                let now = (end - at).min(piece.max(1) as u64);
                body.send(stream, at, now, shared)?;
                stream.flush()?;
                at += now;
                std::thread::sleep(pause);
            }
            Ok(at == end)
        }
        Some(Fault::Endless) => {
            body.send(stream, from, length, shared)?;
            while !shared.stopping() {
                stream.write_all(&[0; 16 << 10])?;
            }
            Ok(false)
        }
        Some(Fault::Chunked(cut)) => {
            let half = length / 2;
            for (at, length) in [(from, half), (from + half, length - half)] {
                if length > 0 {
                    stream.write_all(format!("{length:x}\r\n").as_bytes())?;
                    body.send(stream, at, length, shared)?;
                    stream.write_all(b"\r\n")?;
                }
            }
            if !cut {
                stream.write_all(b"0\r\n\r\n")?;
            }
            stream.flush()?;
            Ok(!cut)
        }
        Some(Fault::LieLength(_) | Fault::NoLength(None)) => {
            body.send(stream, from, length, shared)?;
            stream.flush()?;
            Ok(false)
        }
        _ => {
            body.send(stream, from, length, shared)?;
            stream.flush()?;
            Ok(true)
        }
    }
}

/// Says nothing until the client goes away or the mirror stops.
fn wait_for_the_end<S: Read + Write>(connection: &mut Connection<S>, shared: &Shared) -> io::Result<bool> {
    let mut byte = [0; 64];
    while !shared.stopping() {
        match connection.stream().read(&mut byte) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(_) => break,
        }
    }
    Ok(false)
}
