//! Connections: made, kept for the next request to the same place, and closed.

use embedded_io::{Error as _, ErrorKind, Read, ReadReady, Write, WriteReady};

use super::url::Target;
use crate::decimal::Decimal;
use crate::error::Code;
use crate::mem::{Account, Text};
use crate::port::{Progress, Security, Streams};
use crate::time::{Instant, Micros};
use crate::trace;
use crate::trace::Plain;

/// Connections kept for the next request.
const IDLE: usize = 4;
/// How long one is kept: a server or router that forgets it silently costs a whole time limit.
const IDLE_FOR: Micros = Micros::from_secs(30);
/// Bytes charged for the host names of all connections.
pub(super) const MOST_BYTES: usize = 256 * (super::MOST + IDLE);

/// A byte stream that is touched only when ready.
pub(super) trait Wire: Read + Write + ReadReady + WriteReady {}

impl<T: Read + Write + ReadReady + WriteReady> Wire for T {}

/// Whether a connection has carried a request before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Past {
    Fresh,
    Reused,
}

/// One connection and where it leads.
pub(super) struct Connection<T> {
    stream: T,
    host: Text,
    port: u16,
    security: Security,
    pub past: Past,
    since: Instant,
}

/// The streams and what is kept of them.
pub(super) struct Connections<S: Streams> {
    streams: S,
    idle: [Option<Connection<S::Stream>>; IDLE],
}

impl<S: Streams> Connections<S> {
    pub const fn new(streams: S) -> Connections<S> {
        Connections { streams, idle: [const { None }; IDLE] }
    }

    pub const fn streams(&mut self) -> &mut S {
        &mut self.streams
    }

    /// Starts to connect.
    pub fn open(&mut self, account: &mut Account, to: &Target<'_>) -> Result<Connection<S::Stream>, Code> {
        let mut host = Text::from(account, to.host).map_err(|e| e.code)?;
        match self.streams.connect(to.host, to.port, to.security) {
            Ok(stream) => {
                log::debug!(target: trace::HTTP, "connect to {} port {}", Plain(to.host), Decimal(to.port.into()));
                let (port, security) = (to.port, to.security);
                Ok(Connection { stream, host, port, security, past: Past::Fresh, since: Instant(0) })
            }
            Err(code) => {
                host.free(account);
                Err(match (code, to.security) {
                    (Code::Unsupported, Security::Tls) => Code::Tls,
                    (code, _) => code,
                })
            }
        }
    }

    pub fn connected(&mut self, connection: &mut Connection<S::Stream>) -> Progress<()> {
        self.streams.connected(&mut connection.stream)
    }

    pub fn close(&mut self, account: &mut Account, connection: Connection<S::Stream>) {
        let Connection { stream, mut host, .. } = connection;
        host.free(account);
        self.streams.close(stream);
    }

    pub fn close_idle(&mut self, account: &mut Account) {
        while let Some(connection) = self.idle.iter_mut().find_map(Option::take) {
            self.close(account, connection);
        }
    }

    /// Keeps a connection on which nothing is under way; the oldest one gives way.
    pub fn keep(&mut self, account: &mut Account, at: Instant, connection: Connection<S::Stream>) {
        let connection = Connection { past: Past::Reused, since: at, ..connection };
        // An empty place sorts before every time.
        let place = self.idle.iter_mut().min_by_key(|kept| kept.as_ref().map(|c| c.since));
        if let Some(oldest) = place.and_then(|place| place.replace(connection)) {
            self.close(account, oldest);
        }
    }
}

impl<S: Streams> Connections<S>
where
    S::Stream: Wire,
{
    /// A kept connection to the same place, the youngest first. One with something to read has been closed by its
    /// peer, or carries what nobody asked for.
    pub fn take(
        &mut self,
        account: &mut Account,
        at: Instant,
        to: &Target<'_>,
    ) -> Option<Connection<S::Stream>> {
        // Ends: each round takes one away.
        while let Some(mut connection) = self.take_latest(to) {
            let silent = matches!(connection.stream.read_ready(), Ok(false));
            // A stream whose readiness is only known by trying says yes; then trying is the way.
            let silent = silent || matches!(connection.receive(&mut [0]), Ok(Received::NotReady));
            if silent && at.since(connection.since) <= IDLE_FOR {
                return Some(connection);
            }
            self.close(account, connection);
        }
        None
    }

    fn take_latest(&mut self, to: &Target<'_>) -> Option<Connection<S::Stream>> {
        let leading = self.idle.iter_mut().filter(|kept| kept.as_ref().is_some_and(|c| c.leads(to)));
        leading.max_by_key(|kept| kept.as_ref().map(|c| c.since))?.take()
    }
}

/// What came of reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Received {
    NotReady,
    Bytes(usize),
    Closed,
}

impl<T> Connection<T> {
    fn leads(&self, to: &Target<'_>) -> bool {
        self.port == to.port && self.security == to.security && self.host.eq_ignore_ascii_case(to.host)
    }
}

impl<T: Wire> Connection<T> {
    /// Reads into `buffer`, which is not empty.
    pub fn receive(&mut self, buffer: &mut [u8]) -> Result<Received, Code> {
        if !ready(self.stream.read_ready())? {
            return Ok(Received::NotReady);
        }
        let most = buffer.len();
        match self.stream.read(buffer) {
            Ok(0) => Ok(Received::Closed),
            Ok(n) if n <= most => Ok(Received::Bytes(n)),
            Ok(_) => Err(Code::PortContract),
            Err(e) if e.kind() == ErrorKind::Interrupted => Ok(Received::NotReady),
            Err(e) => Err(code_of(e.kind())),
        }
    }

    /// Writes the front of `bytes`: how many, 0 when not ready.
    pub fn send(&mut self, bytes: &[u8]) -> Result<usize, Code> {
        if !ready(self.stream.write_ready())? {
            return Ok(0);
        }
        match self.stream.write(bytes) {
            Ok(n) if n <= bytes.len() => Ok(n),
            Ok(_) => Err(Code::PortContract),
            Err(e) if e.kind() == ErrorKind::Interrupted => Ok(0),
            Err(e) => Err(code_of(e.kind())),
        }
    }
}

fn ready<E: embedded_io::Error>(answer: Result<bool, E>) -> Result<bool, Code> {
    match answer {
        Err(e) if e.kind() == ErrorKind::Interrupted => Ok(false),
        other => other.map_err(|e| code_of(e.kind())),
    }
}

const fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::ConnectionRefused => Code::Connect,
        ErrorKind::TimedOut => Code::IdleTimeout,
        // What a TLS layer says of a record it cannot accept.
        ErrorKind::InvalidData => Code::Tls,
        // What an adaptor says of a stream that moved more bytes than it was given.
        ErrorKind::InvalidInput => Code::PortContract,
        _ => Code::NetworkIo,
    }
}
