//! An HTTP port that hands a manifest it has fetched to a second session, so that the presentation is asked for once.

use smoothcore::error::Code;
use smoothcore::io::{Request, RequestId, RequestKind, Response};
use smoothcore::port::{Http, Progress};
use smoothcore::time::Instant;

/// A pinned level must be known by its bitrate before a session opens, and the bitrates stand in the manifest: a first
/// session reads that and ends, a second one reads it again from here.
pub struct Recall<H> {
    http: H,
    mode: Mode,
    head: Head,
    body: Vec<u8>,
    manifest: Option<RequestId>,
    failed: Failed,
}

/// Tries to get the manifest that came to nothing, which a second session does not know of.
#[derive(Clone, Copy, Default)]
pub struct Failed {
    pub tries: u32,
    /// Those that were answered with an error status.
    pub refused: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everything passes.
    Off,
    /// The manifest passes and is kept; no fragment is fetched.
    Keep,
    /// The manifest comes from here, from this byte on.
    Tell(usize),
}

#[derive(Default)]
struct Head {
    status: u16,
    final_url: String,
    content_type: String,
    content_encoding: String,
    date: String,
    content_length: Option<u64>,
}

impl<H> Recall<H> {
    /// A port that does nothing but pass on.
    pub fn off(http: H) -> Self {
        let (head, failed) = (Head::default(), Failed::default());
        Self { http, mode: Mode::Off, head, body: Vec::new(), manifest: None, failed }
    }

    /// A port that keeps the manifest and fetches nothing else.
    pub fn keeping(http: H) -> Self {
        Self { mode: Mode::Keep, ..Self::off(http) }
    }

    /// From now on the manifest that was kept is the answer to the first request for one.
    pub fn tell(self) -> Self {
        Self { mode: Mode::Tell(0), manifest: None, ..self }
    }

    /// What it took to get the manifest that was kept.
    pub const fn failed(&self) -> Failed {
        self.failed
    }

    const fn is_told(&self, id: RequestId) -> bool {
        matches!((self.mode, self.manifest), (Mode::Tell(_), Some(told)) if told.0 == id.0)
    }
}

impl<H: Http> Http for Recall<H> {
    fn start(&mut self, at: Instant, request: &Request<'_>) -> Result<(), Code> {
        match (self.mode, request.kind) {
            (Mode::Keep, RequestKind::Manifest) => {
                self.manifest = Some(request.id);
                self.body.clear();
                self.failed.tries = request.attempt.saturating_sub(1);
            }
            (Mode::Keep, RequestKind::Fragment) => return Err(Code::NetworkIo),
            (Mode::Tell(_), RequestKind::Manifest) if request.attempt == 1 => {
                self.manifest = Some(request.id);
                return Ok(());
            }
            _ => {}
        }
        self.http.start(at, request)
    }

    fn response(&mut self, at: Instant, id: RequestId) -> Progress<Response<'_>> {
        if self.is_told(id) {
            return Progress::Ready(self.head.as_response());
        }
        let answer = self.http.response(at, id);
        if let (Mode::Keep, Progress::Ready(head)) = (self.mode, &answer) {
            self.head = Head::of(head);
            self.failed.refused += u32::from(head.status >= 400);
        }
        answer
    }

    fn read(&mut self, at: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        if self.is_told(id)
            && let Mode::Tell(from) = &mut self.mode
        {
            let rest = &self.body[*from..];
            let count = rest.len().min(buffer.len());
            buffer[..count].copy_from_slice(&rest[..count]);
            *from += count;
            return if count == 0 { Progress::End } else { Progress::Ready(count) };
        }
        let got = self.http.read(at, id, buffer);
        if let (Mode::Keep, Progress::Ready(count)) = (self.mode, &got) {
            self.body.extend(buffer.iter().take(*count));
        }
        got
    }

    fn cancel(&mut self, id: RequestId) {
        if self.is_told(id) {
            self.mode = Mode::Off;
        } else {
            self.http.cancel(id);
        }
    }
}

impl Head {
    fn of(head: &Response<'_>) -> Self {
        Self {
            status: head.status,
            final_url: head.final_url.to_owned(),
            content_type: head.content_type.to_owned(),
            content_encoding: head.content_encoding.to_owned(),
            date: head.date.to_owned(),
            content_length: head.content_length,
        }
    }

    fn as_response(&self) -> Response<'_> {
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
