//! One exchange: request out, head in, body through.

use super::chunked::Chunked;
use super::connection::{Connection, Connections, Past, Received, Wire};
use super::head::{Body, Head, Persistence};
use super::{Caps, url};
use crate::digits::write_decimal;
use crate::error::{Code, Result};
use crate::io::{Request, RequestId, RequestKind, Response};
use crate::mem::{Account, Bytes, Text};
use crate::port::{Progress, Streams};
use crate::time::Instant;
use crate::trace;
use crate::trace::Plain;

mod answer;

/// Bytes read at a time while the head is awaited.
const PIECE: usize = 512;
/// Buffers up to this size are kept for the next exchange.
const KEPT: usize = 2 << 10;
/// Answers before the answer that are put up with.
const INTERIM: u8 = 8;
/// From this try on, caches on the way are passed over.
const PAST_CACHES: u32 = 3;

/// One exchange, or room for one.
pub(super) struct Exchange<T> {
    id: RequestId,
    kind: RequestKind,
    attempt: u32,
    phase: Phase,
    connection: Option<Connection<T>>,
    url: Text,
    /// The request, then the head and what of the body came with it.
    buffer: Bytes,
    /// How far `buffer` has been sent, searched or handed out.
    at: usize,
    head: Head,
    /// Bytes of a body of known length not yet handed out.
    left: u64,
    chunks: Chunked,
    redirects: u32,
    interim: u8,
    again: Again,
}

/// Whether a lost connection may be replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Again {
    Once,
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Free,
    Connecting,
    Sending,
    Head,
    Body,
    Done,
    Failed(Code),
}

/// What a step came to.
enum Step {
    /// Another one may follow at once.
    Go,
    /// The stream is not ready.
    Wait,
}

impl<T> Exchange<T> {
    pub fn new() -> Exchange<T> {
        Exchange {
            id: RequestId(0),
            kind: RequestKind::Fragment,
            attempt: 0,
            phase: Phase::Free,
            connection: None,
            url: Text::new(),
            buffer: Bytes::new(),
            at: 0,
            head: Head::default(),
            left: 0,
            chunks: Chunked::default(),
            redirects: 0,
            interim: 0,
            again: Again::Once,
        }
    }

    pub fn is_free(&self) -> bool {
        self.phase == Phase::Free
    }

    pub fn is(&self, id: RequestId) -> bool {
        self.id == id && !self.is_free()
    }

    /// Makes room for another exchange. A connection that is still here has more to say, and is closed.
    pub fn end<S: Streams<Stream = T>>(&mut self, connections: &mut Connections<S>, account: &mut Account) {
        self.close(connections, account);
        self.phase = Phase::Free;
        self.url.clear();
        self.buffer.clear();
        if self.buffer.capacity() > KEPT {
            self.buffer.free(account);
        }
    }

    fn close<S: Streams<Stream = T>>(&mut self, connections: &mut Connections<S>, account: &mut Account) {
        if let Some(connection) = self.connection.take() {
            connections.close(account, connection);
        }
    }
}

impl<T: Wire> Exchange<T> {
    pub fn start<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        caps: &Caps,
        at: Instant,
        request: &Request<'_>,
    ) -> core::result::Result<(), Code> {
        (self.id, self.kind, self.attempt) = (request.id, request.kind, request.attempt);
        (self.redirects, self.again) = (0, Again::Once);
        let started = if request.url.len() > caps.url_bytes {
            Err(Code::LimitUrl)
        } else {
            url::push_escaped(account, &mut self.url, request.url)
                .map_err(|e| e.code)
                .and_then(|()| self.connect(connections, account, at))
        };
        if started.is_err() {
            self.end(connections, account);
        }
        started
    }

    pub fn response<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        caps: &Caps,
        at: Instant,
    ) -> Progress<Response<'_>> {
        // Ends: each round sends or takes bytes of a request or head that is limited, or moves on to the next of a
        // limited number of redirects, interim answers and connections.
        loop {
            let step = match self.phase {
                Phase::Connecting => self.await_connection(connections, account),
                Phase::Sending => self.send(connections, account, at),
                Phase::Head => self.receive_head(connections, account, caps, at),
                Phase::Body | Phase::Done => return Progress::Ready(self.told()),
                Phase::Failed(code) => Err(code),
                Phase::Free => Err(Code::NetworkIo),
            };
            match step {
                Ok(Step::Go) => {}
                Ok(Step::Wait) => return Progress::Pending,
                Err(code) => return Progress::Failed(self.fail(connections, account, code)),
            }
        }
    }

    pub fn read<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        caps: &Caps,
        at: Instant,
        buffer: &mut [u8],
    ) -> Progress<usize> {
        // Ends: each round without data takes bytes between chunks, whose number is limited.
        loop {
            match self.phase {
                Phase::Body => {}
                Phase::Done => return Progress::End,
                Phase::Failed(code) => return Progress::Failed(code),
                _ => return Progress::Pending,
            }
            match self.read_some(caps, buffer) {
                Ok(Received::NotReady) => return Progress::Pending,
                Ok(Received::Bytes(count)) => {
                    self.settle(connections, account, at);
                    if count > 0 {
                        return Progress::Ready(count);
                    }
                }
                Ok(Received::Closed) if self.head.body == Body::UntilClose => {
                    self.phase = Phase::Done;
                    self.close(connections, account);
                }
                Ok(Received::Closed) => {
                    return Progress::Failed(self.fail(connections, account, Code::BodyTruncated));
                }
                Err(code) => return Progress::Failed(self.fail(connections, account, code)),
            }
        }
    }

    /// What the head said.
    fn told(&self) -> Response<'_> {
        let head = &self.head;
        Response {
            status: head.status,
            final_url: if self.redirects > 0 { self.url.as_str() } else { "" },
            content_length: match head.body {
                Body::None => Some(0),
                Body::Length(length) => Some(length),
                Body::Chunked | Body::UntilClose => None,
            },
            content_type: head.content_type.text(&self.buffer),
            content_encoding: head.content_encoding.text(&self.buffer),
            date: head.date.text(&self.buffer),
        }
    }

    fn fail<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        code: Code,
    ) -> Code {
        log::debug!(target: trace::HTTP, "{}: {}", Plain(trace::redacted(&self.url)), Plain(code.text()));
        self.close(connections, account);
        self.phase = Phase::Failed(code);
        code
    }

    /// Takes a kept connection to where the URL leads, or makes one.
    fn connect<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        at: Instant,
    ) -> core::result::Result<(), Code> {
        let to = url::split(&self.url).ok_or(Code::UrlInvalid)?;
        self.connection = match self.again {
            Again::Once => connections.take(account, at, &to),
            // The others may be as dead as the one just lost.
            Again::Never => None,
        };
        self.interim = 0;
        if self.connection.is_some() {
            self.compose(account).map_err(|e| e.code)?;
        } else {
            self.connection = Some(connections.open(account, &to)?);
            self.phase = Phase::Connecting;
        }
        Ok(())
    }

    fn await_connection<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
    ) -> core::result::Result<Step, Code> {
        let Some(connection) = &mut self.connection else { return Err(Code::Connect) };
        match connections.connected(connection) {
            Progress::Ready(()) => {
                self.compose(account).map_err(|e| e.code)?;
                Ok(Step::Go)
            }
            Progress::Pending => Ok(Step::Wait),
            Progress::End => Err(Code::Connect),
            Progress::Failed(code) => Err(code),
        }
    }

    /// Writes the request into the buffer.
    fn compose(&mut self, account: &mut Account) -> Result<()> {
        let to = url::split(&self.url).ok_or(Code::UrlInvalid)?;
        let out = &mut self.buffer;
        out.clear();
        out.reserve(account, to.path.len().saturating_add(to.host.len()).saturating_add(160))?;
        out.extend(account, b"GET ")?;
        if !to.path.starts_with('/') {
            out.extend(account, b"/")?;
        }
        out.extend(account, to.path.as_bytes())?;
        out.extend(account, b" HTTP/1.1\r\nHost: ")?;
        let (open, close): (&[u8], &[u8]) = if to.is_ipv6() { (b"[", b"]") } else { (b"", b"") };
        out.extend(account, open)?;
        out.extend(account, to.host.as_bytes())?;
        out.extend(account, close)?;
        if !to.has_default_port() {
            out.extend(account, b":")?;
            out.extend(account, write_decimal(u64::from(to.port), &mut [0; 20]).as_bytes())?;
        }
        if self.kind == RequestKind::Manifest {
            out.extend(account, b"\r\nAccept-Encoding: gzip, deflate")?;
        }
        if self.attempt >= PAST_CACHES {
            out.extend(account, b"\r\nCache-Control: no-cache")?;
        }
        const TAIL: &str = concat!(
            "\r\nUser-Agent: SmoothCore/",
            env!("CARGO_PKG_VERSION"),
            "\r\nConnection: keep-alive\r\n\r\n"
        );
        out.extend(account, TAIL.as_bytes())?;
        self.phase = Phase::Sending;
        self.at = 0;
        Ok(())
    }

    fn send<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        at: Instant,
    ) -> core::result::Result<Step, Code> {
        let Some(connection) = &mut self.connection else { return Err(Code::NetworkIo) };
        let unsent = self.buffer.get(self.at..).unwrap_or(&[]);
        if unsent.is_empty() {
            self.buffer.clear();
            self.at = 0;
            self.phase = Phase::Head;
            return Ok(Step::Go);
        }
        match connection.send(unsent) {
            Ok(0) => Ok(Step::Wait),
            Ok(count) => {
                self.at = self.at.saturating_add(count);
                Ok(Step::Go)
            }
            Err(code) => self.replace(connections, account, at, code),
        }
    }

    /// After the connection was lost before the first byte of an answer: a kept one may have died unseen, so the
    /// request goes out once more on a fresh one.
    fn replace<S: Streams<Stream = T>>(
        &mut self,
        connections: &mut Connections<S>,
        account: &mut Account,
        at: Instant,
        code: Code,
    ) -> core::result::Result<Step, Code> {
        let reused = self.connection.as_ref().is_some_and(|c| c.past == Past::Reused);
        if !reused || self.again == Again::Never {
            return Err(code);
        }
        self.again = Again::Never;
        self.close(connections, account);
        self.connect(connections, account, at)?;
        Ok(Step::Go)
    }

    /// Moves body bytes into `buffer`; 0 of them when all that came lay between chunks.
    fn read_some(&mut self, caps: &Caps, buffer: &mut [u8]) -> core::result::Result<Received, Code> {
        let room = match self.head.body {
            Body::Length(_) => usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len()),
            _ => buffer.len(),
        };
        let space = buffer.get_mut(..room).unwrap_or(&mut []);
        if space.is_empty() {
            return Ok(Received::NotReady);
        }
        let carried = self.buffer.get(self.at..).unwrap_or(&[]);
        let received = if carried.is_empty() {
            let Some(connection) = &mut self.connection else { return Err(Code::NetworkIo) };
            connection.receive(space)?
        } else {
            let count = carried.len().min(space.len());
            for (to, from) in space.iter_mut().zip(carried) {
                *to = *from;
            }
            self.at = self.at.saturating_add(count);
            Received::Bytes(count)
        };
        let Received::Bytes(count) = received else { return Ok(received) };
        self.left = self.left.saturating_sub(count as u64);
        if self.head.body != Body::Chunked {
            return Ok(received);
        }
        let decoded = self.chunks.decode(space.get_mut(..count).unwrap_or(&mut []), caps.head_bytes)?;
        if decoded.surplus > 0 || (self.chunks.is_done() && self.at < self.buffer.len()) {
            self.head.persistence = Persistence::Close;
        }
        Ok(Received::Bytes(decoded.data))
    }
}
