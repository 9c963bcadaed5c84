//! An HTTP/1.1 client for GET over plain byte streams, which never blocks.
//!
//! [`Http1`] is what a vendor with sockets but no HTTP stack puts between its [`Streams`] and the player. What it asks
//! of a stream beyond the `embedded-io` traits:
//!
//! * It is touched only when ready: `read` after `read_ready` said yes, `write` after `write_ready` did. Where
//!   readiness is only known by trying, say yes and fail with [`embedded_io::ErrorKind::Interrupted`]: that counts as
//!   not ready.
//! * `read` of 0 bytes is the peer's end. What `write` took is sent without a `flush`.
//! * Time limits are the session's: an exchange that takes too long is cancelled.
//!
//! Connections are kept and used again by requests to the same host, port and security. Redirects are followed up to
//! [`Limits::redirects`], never from `https` to `http`. No cookies, no credentials, no proxies, no ranges; user
//! information in a URL is refused.

mod chunked;
mod connection;
mod exchange;
mod head;
#[cfg(test)]
mod tests;
mod url;

use core::fmt;

use embedded_io::{Read, ReadReady, Write, WriteReady};

use crate::error::{Code, Result};
use crate::io::{Request, RequestId, Response};
use crate::limits::Limits;
use crate::mem::{Account, List};
use crate::port::{Http, Progress, Streams};
use crate::time::Instant;

use connection::Connections;
use exchange::Exchange;

/// Exchanges at once.
const MOST: usize = 32;
/// Exchanges whose heads and URLs may be as large as the limits allow, all at once.
const LARGE: usize = 8;

/// The client. It owns the streams.
pub struct Http1<S: Streams> {
    connections: Connections<S>,
    account: Account,
    exchanges: List<Exchange<S::Stream>>,
    caps: Caps,
}

/// What of the limits concerns HTTP.
#[derive(Clone, Copy, Debug)]
struct Caps {
    head_bytes: usize,
    url_bytes: usize,
    redirects: u32,
}

impl<S: Streams> Http1<S> {
    /// A client over `streams` under `limits`. It holds about 1 KiB for each exchange at once, which the next one uses
    /// again, and never more than eight heads and URLs of the largest allowed size: 256 KiB with the default limits.
    ///
    /// # Errors
    /// [`Code::NoMemory`].
    pub fn new(streams: S, limits: &Limits) -> Result<Http1<S>> {
        Http1::within(streams, limits, usize::MAX)
    }

    /// The same that never holds more than `most` bytes. An exchange for which nothing is left fails to start, or
    /// fails with the head that is too large for what is left.
    ///
    /// # Errors
    /// [`Code::NoMemory`]; [`Code::Budget`].
    pub fn within(streams: S, limits: &Limits, most: usize) -> Result<Http1<S>> {
        let limits = limits.clamped();
        let bytes = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let caps = Caps {
            head_bytes: bytes(limits.http_head_bytes),
            url_bytes: bytes(limits.url_bytes),
            redirects: limits.redirects,
        };
        // A URL, the one a redirect leads to, and the request made of it; a list that grows is held twice for a moment.
        let large = caps.head_bytes.saturating_add(caps.url_bytes.saturating_mul(3)).saturating_mul(LARGE);
        let slots = size_of::<Exchange<S::Stream>>().saturating_mul(MOST).saturating_mul(2);
        let all = large.saturating_add(slots).saturating_add(connection::MOST_BYTES);
        let mut account = Account::new(all.min(most));
        let mut exchanges = List::new();
        exchanges.reserve_exact(&mut account, 4)?;
        Ok(Http1 { connections: Connections::new(streams), account, exchanges, caps })
    }

    /// The streams underneath.
    pub const fn streams(&mut self) -> &mut S {
        self.connections.streams()
    }

    /// Bytes of memory held now, without what the streams hold.
    pub const fn held(&self) -> usize {
        self.account.held()
    }

    /// Closes the connections that are kept for the next request, as before standby.
    pub fn close_idle(&mut self) {
        self.connections.close_idle(&mut self.account);
    }

    fn exchange(&mut self, id: RequestId) -> Option<&mut Exchange<S::Stream>> {
        self.exchanges.iter_mut().find(|e| e.is(id))
    }
}

impl<S: Streams> Http for Http1<S>
where
    S::Stream: Read + Write + ReadReady + WriteReady,
{
    fn start(&mut self, at: Instant, request: &Request<'_>) -> core::result::Result<(), Code> {
        if self.exchange(request.id).is_some() {
            return Err(Code::State);
        }
        let Http1 { connections, account, exchanges, caps } = self;
        if !exchanges.iter().any(Exchange::is_free) {
            if exchanges.len() >= MOST {
                return Err(Code::NetworkIo);
            }
            exchanges.push(account, Exchange::new()).map_err(|e| e.code)?;
        }
        match exchanges.iter_mut().find(|e| e.is_free()) {
            Some(exchange) => exchange.start(connections, account, caps, at, request),
            None => Err(Code::NetworkIo),
        }
    }

    fn response(&mut self, at: Instant, id: RequestId) -> Progress<Response<'_>> {
        let Http1 { connections, account, exchanges, caps } = self;
        match exchanges.iter_mut().find(|e| e.is(id)) {
            Some(exchange) => exchange.response(connections, account, caps, at),
            None => Progress::Failed(Code::NetworkIo),
        }
    }

    fn read(&mut self, at: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        let Http1 { connections, account, exchanges, caps } = self;
        match exchanges.iter_mut().find(|e| e.is(id)) {
            Some(exchange) => exchange.read(connections, account, caps, at, buffer),
            None => Progress::Failed(Code::NetworkIo),
        }
    }

    fn cancel(&mut self, id: RequestId) {
        let Http1 { connections, account, exchanges, .. } = self;
        if let Some(exchange) = exchanges.iter_mut().find(|e| e.is(id)) {
            exchange.end(connections, account);
        }
    }
}

impl<S: Streams> Drop for Http1<S> {
    fn drop(&mut self) {
        for exchange in self.exchanges.iter_mut() {
            exchange.end(&mut self.connections, &mut self.account);
        }
        self.close_idle();
    }
}

impl<S: Streams> fmt::Debug for Http1<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http1").field("caps", &self.caps).field("held", &self.held()).finish_non_exhaustive()
    }
}
