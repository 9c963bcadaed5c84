//! The thread of one exchange.

use std::io::Read;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError, RwLock};

use smoothcore::error::Code;
use smoothcore::io::{Request, RequestKind, Response};
use ureq::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, DATE};
use ureq::http::{HeaderMap, HeaderName, Uri};
use ureq::{Agent, ResponseExt};

use crate::Wake;
use crate::codes::{Stage, code_of};

/// Messages that wait for the player, at most.
pub(crate) const QUEUE: usize = 4;
/// Bytes of one piece of a body, at most.
const PIECE: usize = 32 << 10;
/// From this try on, caches on the way are passed over.
const PAST_CACHES: u32 = 3;

/// What a thread says.
pub(crate) enum Sent {
    More(Message),
    /// Nothing follows.
    Over(Result<(), Code>),
}

pub(crate) enum Message {
    Head(Box<Head>),
    /// Bytes of the body, at least one.
    Piece(Vec<u8>),
}

/// A response head, kept.
#[derive(Debug)]
pub(crate) struct Head {
    status: u16,
    final_url: String,
    content_length: Option<u64>,
    content_type: String,
    content_encoding: String,
    date: String,
}

impl Head {
    pub fn told(&self) -> Response<'_> {
        Response {
            status: self.status,
            final_url: &self.final_url,
            content_length: self.content_length,
            content_type: &self.content_type,
            content_encoding: &self.content_encoding,
            date: &self.date,
        }
    }
}

/// What a thread has to do.
pub(crate) struct Job {
    agent: Agent,
    uri: Uri,
    kind: RequestKind,
    attempt: u32,
    to_player: SyncSender<Sent>,
    wake: Arc<RwLock<Option<Wake>>>,
}

impl Job {
    /// # Errors
    /// [`Code::UrlInvalid`].
    pub fn new(
        agent: &Agent,
        request: &Request<'_>,
        to_player: SyncSender<Sent>,
        wake: &Arc<RwLock<Option<Wake>>>,
    ) -> Result<Job, Code> {
        let uri: Uri = request.url.parse().map_err(|_| Code::UrlInvalid)?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
            return Err(Code::UrlInvalid);
        }
        let (kind, attempt) = (request.kind, request.attempt);
        Ok(Job { agent: agent.clone(), uri, kind, attempt, to_player, wake: wake.clone() })
    }

    pub fn run(self) {
        let over = self.fetch();
        if let Err(code) = over {
            log::debug!(target: "smoothcore::http", "{}: {}", self.uri.path(), code.text());
        }
        // Nobody hears this when the exchange was cancelled.
        let _ = self.send(Sent::Over(over));
    }

    fn fetch(&self) -> Result<(), Code> {
        let mut request = self.agent.get(&self.uri);
        if self.kind == RequestKind::Manifest {
            request = request.header(ACCEPT_ENCODING, "gzip, deflate");
        }
        if self.attempt >= PAST_CACHES {
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        // A presentation that began encrypted does not continue in the clear.
        let secure = self.uri.scheme_str() == Some("https");
        let request = request.config().https_only(secure).build();
        let response = request.call().map_err(|e| code_of(&e, Stage::Head))?;
        let head = self.head(&response);
        self.send(Sent::More(Message::Head(Box::new(head))))?;
        let mut body = response.into_body().into_reader();
        loop {
            let mut piece = vec![0; PIECE];
            let count = body.read(&mut piece).map_err(|e| code_of(&e.into(), Stage::Body))?;
            if count == 0 {
                return Ok(());
            }
            piece.truncate(count);
            self.send(Sent::More(Message::Piece(piece)))?;
        }
    }

    fn head(&self, response: &ureq::http::Response<ureq::Body>) -> Head {
        let field = |name: HeaderName| text_of(response.headers(), &name);
        let uri = response.get_uri();
        Head {
            status: response.status().as_u16(),
            final_url: if *uri == self.uri { String::new() } else { uri.to_string() },
            content_length: response.body().content_length(),
            content_type: field(CONTENT_TYPE),
            content_encoding: field(CONTENT_ENCODING),
            date: field(DATE),
        }
    }

    /// Waits while the queue is full.
    ///
    /// # Errors
    /// Any code, when the exchange was cancelled.
    fn send(&self, sent: Sent) -> Result<(), Code> {
        self.to_player.send(sent).map_err(|_| Code::NetworkIo)?;
        if let Some(wake) = &*self.wake.read().unwrap_or_else(PoisonError::into_inner) {
            wake();
        }
        Ok(())
    }
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("").to_owned()
}
