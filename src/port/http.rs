//! The HTTP seams: a whole stack, or byte streams under the built-in client.

use crate::error::Code;
use crate::io::{Request, RequestId, Response};
use crate::time::Instant;

/// How far a non-blocking operation got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress<T> {
    /// Here it is.
    Ready(T),
    /// Not yet; ask again.
    Pending,
    /// There is no more.
    End,
    /// It failed; a -2xx code says how.
    Failed(Code),
}

/// A whole HTTP stack.
pub trait Http {
    /// Starts an exchange; `request` is valid during the call only.
    ///
    /// # Errors
    /// A -2xx code when the exchange cannot even start. It counts as one failed try.
    fn start(&mut self, at: Instant, request: &Request<'_>) -> Result<(), Code>;

    /// The response head, once. `Pending` until it is there.
    fn response(&mut self, at: Instant, id: RequestId) -> Progress<Response<'_>>;

    /// Reads body bytes into `buffer` (never empty): how many, at most its length. `End` after the last.
    fn read(&mut self, at: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize>;

    /// Ends an exchange, finished or not; its resources go. Called exactly once for each started exchange.
    fn cancel(&mut self, id: RequestId);
}

/// Whether a connection must be encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Security {
    /// Plain TCP.
    Plain,
    /// TLS, with the host name verified.
    Tls,
}

/// Byte streams: what a vendor with sockets but no HTTP stack supplies. The built-in HTTP/1.1 client runs on it and
/// reads and writes through the `embedded-io` traits of [`Streams::Stream`], only when ready.
pub trait Streams {
    /// One connection.
    type Stream;

    /// Resolves `host` and starts to connect, without waiting where the platform allows it.
    ///
    /// # Errors
    /// [`Code::Unsupported`] for TLS without TLS, or a -2xx code.
    fn connect(&mut self, host: &str, port: u16, security: Security) -> Result<Self::Stream, Code>;

    /// Whether the connection stands by now.
    fn connected(&mut self, stream: &mut Self::Stream) -> Progress<()>;

    /// Closes and frees.
    fn close(&mut self, stream: Self::Stream);
}
