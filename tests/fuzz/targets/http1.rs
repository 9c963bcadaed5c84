//! Answers of servers to the built-in HTTP/1.1 client: the same in pieces as whole, and always an end.
#![no_main]

use std::cell::RefCell;

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use libfuzzer_sys::fuzz_target;
use smoothcore::error::Code;
use smoothcore::http1::Http1;
use smoothcore::io::{Request, RequestId, RequestKind};
use smoothcore::limits::Limits;
use smoothcore::port::{Http, Progress, Security, Streams};
use smoothcore::time::Instant;
use smoothcore_fuzz::watched;

const AT: Instant = Instant(1_000_000);
/// Turns that no answer of this size needs.
const MANY: u32 = 200_000;
/// Turns without anything after which a session would have given up.
const PATIENCE: u32 = 100;

/// Connections, divided by two zero bytes. Each server says its answers, divided by a zero and a one, and then closes.
struct Net<'a> {
    rest: Option<&'a [u8]>,
    piece: usize,
    open: i32,
    made: u32,
    /// The connections that requests went out on.
    asked: &'a RefCell<Vec<u32>>,
}

struct Wire<'a> {
    /// What is left of the present answer.
    now: &'a [u8],
    /// The answers behind it.
    rest: Option<&'a [u8]>,
    piece: usize,
    number: u32,
    asked: &'a RefCell<Vec<u32>>,
    heard: Vec<u8>,
}

/// What stands before and behind the first `mark`.
fn cut(bytes: &[u8], mark: [u8; 2]) -> (&[u8], Option<&[u8]>) {
    match bytes.windows(2).position(|w| w == mark) {
        Some(at) => (&bytes[..at], Some(&bytes[at + 2..])),
        None => (bytes, None),
    }
}

impl ErrorType for Wire<'_> {
    type Error = ErrorKind;
}

impl ReadReady for Wire<'_> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.now.is_empty() || self.rest.is_none())
    }
}

impl WriteReady for Wire<'_> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        assert!(self.read_ready() == Ok(true) && !buffer.is_empty(), "a read that nobody was ready for");
        let count = buffer.len().min(self.piece).min(self.now.len());
        let (read, rest) = self.now.split_at(count);
        buffer[..count].copy_from_slice(read);
        self.now = rest;
        Ok(count)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let count = bytes.len().min(self.piece);
        self.heard.extend_from_slice(&bytes[..count]);
        if self.heard.ends_with(b"\r\n\r\n") {
            assert!(self.heard.starts_with(b"GET /") && self.heard.is_ascii(), "a request that is none");
            assert_eq!(self.heard.windows(4).filter(|w| w == b"\r\n\r\n").count(), 1, "two requests in one");
            self.heard.clear();
            self.asked.borrow_mut().push(self.number);
            if let Some(rest) = self.rest {
                (self.now, self.rest) = cut(rest, [0, 1]);
            }
        }
        Ok(count)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        panic!("flush may block");
    }
}

impl<'a> Streams for Net<'a> {
    type Stream = Wire<'a>;

    fn connect(&mut self, host: &str, _: u16, _: Security) -> Result<Wire<'a>, Code> {
        assert!(!host.is_empty(), "a connection to nowhere");
        let all = self.rest.take().ok_or(Code::NetworkIo)?;
        let (answers, rest) = cut(all, [0, 0]);
        self.rest = rest;
        self.open += 1;
        self.made += 1;
        Ok(Wire {
            now: &[],
            rest: Some(answers),
            piece: self.piece,
            number: self.made,
            asked: self.asked,
            heard: Vec::new(),
        })
    }

    fn connected(&mut self, _: &mut Wire<'a>) -> Progress<()> {
        Progress::Ready(())
    }

    fn close(&mut self, _: Wire<'a>) {
        self.open -= 1;
    }
}

/// What one exchange came to.
#[derive(Debug, PartialEq, Default)]
struct Answer {
    status: u16,
    url: String,
    kind: String,
    length: Option<u64>,
    body: Vec<u8>,
    broke: Option<Code>,
}

fn get(http: &mut Http1<Net<'_>>, id: u32) -> Answer {
    let mut answer = Answer::default();
    let id = RequestId(id);
    let url = "http://origin.example/a/b.ism/Manifest";
    if let Err(code) =
        http.start(AT, &Request { id, url, kind: RequestKind::Manifest, stream: None, attempt: 1 })
    {
        answer.broke = Some(code);
        return answer;
    }
    let mut buffer = [0; 1500];
    let mut idle = 0;
    for turn in 0.. {
        assert!(turn < MANY, "no end");
        if idle > PATIENCE {
            answer.broke = Some(Code::IdleTimeout);
            break;
        }
        if answer.status == 0 {
            match http.response(AT, id) {
                Progress::Ready(head) => {
                    assert!(head.status >= 200, "an answer that is none yet");
                    answer.status = head.status;
                    answer.url = head.final_url.to_string();
                    answer.kind = head.content_type.to_string();
                    answer.length = head.content_length;
                }
                Progress::Pending => idle += 1,
                Progress::End => panic!("an answer without a head"),
                Progress::Failed(code) => {
                    answer.broke = Some(code);
                    break;
                }
            }
            continue;
        }
        match http.read(AT, id, &mut buffer) {
            Progress::Ready(count) => {
                idle = 0;
                answer.body.extend_from_slice(&buffer[..count]);
            }
            Progress::Pending => idle += 1,
            Progress::End => break,
            Progress::Failed(code) => {
                answer.broke = Some(code);
                break;
            }
        }
    }
    http.cancel(id);
    if answer.broke.is_none() {
        assert!(
            answer.length.is_none_or(|length| length == answer.body.len() as u64),
            "a body of another length"
        );
    }
    answer
}

/// Two exchanges one after the other, so that connections are used again: what the first one came to, and the
/// connections it used.
fn talk(data: &[u8], piece: usize) -> (Answer, Vec<u32>) {
    let asked = RefCell::new(Vec::new());
    let net = Net { rest: Some(data), piece, open: 0, made: 0, asked: &asked };
    let mut http = Http1::new(net, &Limits::default()).expect("memory");
    let answer = get(&mut http, 1);
    let connections = asked.borrow().clone();
    get(&mut http, 2);
    http.close_idle();
    assert_eq!(http.streams().open, 0, "a connection left open");
    (answer, connections)
}

fuzz_target!(|data: &[u8]| watched(|_| {
    let whole = talk(data, usize::MAX);
    let parts = talk(data, 7);
    if whole.1 != parts.1 {
        // A redirect whose body had not come yet gave its connection up.
        return;
    }
    // Where an answer breaks off, pieces may have let more of it through.
    let broken = whole.0.broke.is_some();
    let common = if broken { whole.0.body.len().min(parts.0.body.len()) } else { usize::MAX };
    let told = |mut answer: Answer| {
        answer.body.truncate(common);
        answer
    };
    assert_eq!(told(whole.0), told(parts.0));
}));
