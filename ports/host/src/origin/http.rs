//! HTTP/1.1, the server's side: request heads in, response heads and bodies out.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, SystemTime};

use super::link::Link;

/// The longest request head, in bytes.
const LONGEST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;

/// A request head.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query as they came.
    pub target: String,
    pub keep_alive: bool,
    headers: Vec<(String, String)>,
}

impl Request {
    /// The value of a header field; the fields of one name, joined.
    pub fn header(&self, name: &str) -> Option<String> {
        let named = self.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.clone()).reduce(|all, next| format!("{all},{next}"))
    }
}

impl Request {
    /// The same without a header field.
    pub fn without(&self, name: &str) -> Self {
        let mut copy = self.clone();
        copy.headers.retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        copy
    }
}

/// What is wrong with a request head: the status that answers it.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused(pub u16);

/// What waits on a connection.
pub enum Incoming {
    Request(Request),
    Refused(Refused),
    /// The client closed, or said nothing for too long.
    Closed,
}

/// The body of a request, as it comes in.
pub struct Body<'a, 'b> {
    reader: &'b mut Reader<'a>,
    framing: Framing,
}

/// Where a body ends.
enum Framing {
    /// So many bytes are left.
    Counted(u64),
    /// So many bytes of this chunk are left (RFC 9112 7.1).
    Chunk(u64),
    /// A chunk has been read, but not what ends it.
    ChunkEnd,
    Done,
}

impl Read for Body<'_, '_> {
    /// Nothing more is the end of the body; an end of the connection before that is an error.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // Only now, for the sender may take its time before the next chunk.
        if matches!(self.framing, Framing::ChunkEnd) {
            self.line()?;
            self.chunk()?;
        }
        let left = match &mut self.framing {
            Framing::Done | Framing::ChunkEnd => return Ok(0),
            Framing::Counted(left) | Framing::Chunk(left) => left,
        };
        let most = usize::try_from(*left).map_or(out.len(), |left| left.min(out.len()));
        if most == 0 {
            return Ok(0);
        }
        let count = self.reader.some(&mut out[..most])?;
        *left -= count as u64;
        if *left == 0 {
            self.framing = match self.framing {
                Framing::Chunk(_) => Framing::ChunkEnd,
                _ => Framing::Done,
            };
        }
        Ok(count)
    }
}

impl Body<'_, '_> {
    /// Reads the size of the next chunk, and what follows the last one.
    fn chunk(&mut self) -> io::Result<()> {
        let line = self.line()?;
        let digits = line.split(';').next().unwrap_or("").trim();
        let size = u64::from_str_radix(digits, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        self.framing = Framing::Chunk(size);
        if size == 0 {
            while !self.line()?.is_empty() {}
            self.framing = Framing::Done;
        }
        Ok(())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            if line.len() >= LONGEST_HEAD {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut byte = [0];
            self.reader.some(&mut byte)?;
            line.push(byte[0]);
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }
}

/// Reads one request head after the other from a connection.
pub struct Reader<'a> {
    stream: &'a TcpStream,
    buffer: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub fn new(stream: &'a TcpStream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// The body that follows a request head.
    ///
    /// # Errors
    /// When what the head says of it cannot be understood, or the connection ends.
    pub fn body<'b>(&'b mut self, request: &Request) -> io::Result<Body<'a, 'b>> {
        if request.header("Expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            let mut stream = self.stream;
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let chunked =
            request.header("Transfer-Encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        let length = request.header("Content-Length").unwrap_or_default();
        let mut body = Body { reader: self, framing: Framing::Counted(length.trim().parse().unwrap_or(0)) };
        if chunked {
            body.chunk()?;
        }
        Ok(body)
    }

    /// At least one byte of what comes next.
    fn some(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.buffer.is_empty() {
                let count = self.buffer.len().min(out.len());
                out[..count].copy_from_slice(&self.buffer[..count]);
                self.buffer.drain(..count);
                return Ok(count);
            }
            match self.stream.read(out) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    /// Waits for the next request head.
    pub fn next(&mut self) -> Incoming {
        loop {
            match parse(&self.buffer) {
                Ok(Some((request, len))) => {
                    self.buffer.drain(..len);
                    return Incoming::Request(request);
                }
                Ok(None) if self.buffer.len() >= LONGEST_HEAD => return Incoming::Refused(Refused(431)),
                Ok(None) => {}
                Err(refused) => return Incoming::Refused(refused),
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece) {
                Ok(0) => return Incoming::Closed,
                Ok(count) => self.buffer.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Incoming::Closed,
            }
        }
    }
}

/// The request head at the start of `bytes` and its length, once it is complete.
fn parse(bytes: &[u8]) -> Result<Option<(Request, usize)>, Refused> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut fields);
    let len = match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refused(431)),
        Err(_) => return Err(Refused(400)),
    };
    let text = |header: &httparse::Header| {
        (header.name.to_owned(), String::from_utf8_lossy(header.value).trim().to_owned())
    };
    let mut request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        keep_alive: false,
        headers: head.headers.iter().map(text).collect(),
    };
    let connection = request.header("Connection").unwrap_or_default().to_ascii_lowercase();
    let says = |word: &str| connection.split(',').any(|token| token.trim() == word);
    request.keep_alive = if head.version == Some(1) { !says("close") } else { says("keep-alive") };
    // A request with a body is none of ours; where its body ends is not looked for.
    let length = request.header("Content-Length").is_some_and(|length| length != "0");
    if length || request.header("Transfer-Encoding").is_some() {
        request.keep_alive = false;
    }
    Ok(Some((request, len)))
}

/// A response, before it is written.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// A response that carries something.
    pub fn new(content_type: &str, cache: &str, body: Vec<u8>) -> Self {
        let headers = vec![("Content-Type", content_type.to_owned()), ("Cache-Control", cache.to_owned())];
        Self { status: 200, headers, body }
    }

    /// A response that says in one sentence why there is nothing.
    pub fn error(status: u16, why: &str) -> Self {
        Self { status, ..Self::new("text/plain; charset=utf-8", "no-cache", format!("{why}\n").into_bytes()) }
    }

    /// A status without a body, as IIS answers for a fragment that is not there yet.
    pub fn empty(status: u16) -> Self {
        let headers = vec![("Cache-Control", "no-cache".to_owned())];
        Self { status, headers, body: Vec::new() }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The value of a header field.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn head(&self, keep_alive: bool, date: SystemTime, length: bool) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let mut field = |name: &str, value: &str| {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
        };
        field("Server", concat!("smoothcore-origin/", env!("CARGO_PKG_VERSION")));
        field("Date", &httpdate::fmt_http_date(date));
        field("Access-Control-Allow-Origin", "*");
        for (name, value) in &self.headers {
            field(name, value);
        }
        if length {
            field("Content-Length", &self.body.len().to_string());
        }
        if !keep_alive {
            field("Connection", "close");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        404 => "Not Found",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        410 => "Gone",
        409 => "Conflict",
        412 => "Precondition Failed",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        500 => "Internal Server Error",
        _ => "Other",
    }
}

/// What of a response to write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    Head,
}

/// How a response goes out where something is wrong with its way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivery {
    /// Nothing is sent at all.
    pub refuse: bool,
    /// Before the first byte.
    pub delay: Duration,
    /// After this share of the body, for so long.
    pub stall: Option<(f64, Duration)>,
    /// Bytes a second.
    pub drip: Option<u64>,
    /// After this share of the body the connection ends; with an error where it says so.
    pub cut: Option<(f64, bool)>,
    /// The length is not said.
    pub no_length: bool,
}

/// How a response is to be written.
#[derive(Clone, Copy)]
pub struct Manner<'a> {
    pub link: Option<&'a Link>,
    pub part: Part,
    pub keep_alive: bool,
    pub date: SystemTime,
    pub delivery: Delivery,
}

/// Writes a response; returns how many bytes of its body were sent, and whether all were.
pub fn write(stream: &TcpStream, response: &Response, manner: &Manner) -> (u64, io::Result<()>) {
    let Manner { link, part, keep_alive, date, delivery } = *manner;
    let whole = if part == Part::Whole { response.body.as_slice() } else { &[] };
    let place = |share: f64| (whole.len() as f64 * share) as usize;
    let end = delivery.cut.map_or(whole.len(), |(share, _)| place(share).min(whole.len().saturating_sub(1)));
    let body = &whole[..end];
    let mut stall = delivery.stall.map(|(share, time)| (place(share).min(end), time));
    let head = response.head(keep_alive && !delivery.no_length, date, !delivery.no_length);
    thread::sleep(delivery.delay);
    let broken = || match delivery.cut {
        Some(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        None if delivery.no_length => Err(io::ErrorKind::NotConnected.into()),
        None => Ok(()),
    };
    if link.is_none() && delivery.drip.is_none() && stall.is_none() {
        // Head and a small body in one segment.
        let (sent, done) = send(stream, &[head.as_slice(), body].concat());
        return ((sent as u64).saturating_sub(head.len() as u64), done.and_then(|()| broken()));
    }
    let mut sent = 0;
    for (bytes, is_body) in [(head.as_slice(), false), (body, true)] {
        let mut rest = bytes;
        while !rest.is_empty() {
            let mut most = rest.len();
            if is_body {
                let at = bytes.len() - rest.len();
                match stall {
                    Some((place, time)) if at >= place => {
                        stall = None;
                        thread::sleep(time);
                    }
                    Some((place, _)) => most = most.min(place - at),
                    None => {}
                }
                if let Some(rate) = delivery.drip {
                    most = most.min((rate / 20).max(1) as usize);
                }
            }
            let (piece, _) = rest.split_at(link.map_or(most, |link| link.pass(most)));
            if let Some(rate) = delivery.drip.filter(|_| is_body) {
                thread::sleep(Duration::from_secs_f64(piece.len() as f64 / rate as f64));
            }
            let (count, done) = send(stream, piece);
            if is_body {
                sent += count as u64;
            }
            if done.is_err() {
                return (sent, done);
            }
            rest = &rest[piece.len()..];
        }
    }
    if let Some((_, time)) = stall {
        thread::sleep(time);
    }
    (sent, broken())
}

/// Writes all of `bytes`, and counts.
fn send(mut stream: &TcpStream, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(0) => return (sent, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => sent += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (sent, Err(error)),
        }
    }
    (sent, Ok(()))
}
