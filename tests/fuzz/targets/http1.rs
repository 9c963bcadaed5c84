//! Answers of servers to the built-in HTTP/1.1 client: the same in pieces as whole, and always an end.
#![no_main]

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

/// Connections, each with what its server says before it closes; answers are divided by two zero bytes.
struct Net<'a> {
    rest: Option<&'a [u8]>,
    piece: usize,
    open: i32,
}

struct Wire<'a> {
    rest: &'a [u8],
    piece: usize,
    heard: bool,
}

impl ErrorType for Wire<'_> {
    type Error = ErrorKind;
}

impl ReadReady for Wire<'_> {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.heard)
    }
}

impl WriteReady for Wire<'_> {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        assert!(self.heard && !buffer.is_empty(), "a read that nobody was ready for");
        let count = buffer.len().min(self.piece).min(self.rest.len());
        let (now, rest) = self.rest.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.rest = rest;
        Ok(count)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        let count = bytes.len().min(self.piece);
        assert!(bytes.is_ascii(), "a request of other than ASCII");
        // A request is never divided so that its end is not seen at once but for pieces of one to three bytes.
        self.heard = count == bytes.len();
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
        let end = all.windows(2).position(|w| w == [0, 0]);
        self.rest = end.map(|at| &all[at + 2..]);
        self.open += 1;
        Ok(Wire { rest: &all[..end.unwrap_or(all.len())], piece: self.piece, heard: false })
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
    if let Err(code) = http.start(AT, &Request { id, url, kind: RequestKind::Manifest, stream: None, attempt: 1 }) {
        answer.broke = Some(code);
        return answer;
    }
    let mut buffer = [0; 1500];
    for turn in 0.. {
        assert!(turn < MANY, "no end");
        if answer.status == 0 {
            match http.response(AT, id) {
                Progress::Ready(head) => {
                    assert!(head.status >= 200, "an answer that is none yet");
                    answer.status = head.status;
                    answer.url = head.final_url.to_string();
                    answer.kind = head.content_type.to_string();
                    answer.length = head.content_length;
                }
                Progress::Pending => {}
                Progress::End => panic!("an answer without a head"),
                Progress::Failed(code) => {
                    answer.broke = Some(code);
                    break;
                }
            }
            continue;
        }
        match http.read(AT, id, &mut buffer) {
            Progress::Ready(count) => answer.body.extend_from_slice(&buffer[..count]),
            Progress::Pending => {}
            Progress::End => break,
            Progress::Failed(code) => {
                answer.broke = Some(code);
                break;
            }
        }
    }
    http.cancel(id);
    if answer.broke.is_none() {
        assert!(answer.length.is_none_or(|length| length == answer.body.len() as u64), "a body of another length");
    }
    answer
}

/// Two exchanges one after the other, so that connections are used again.
fn talk(data: &[u8], piece: usize) -> [Answer; 2] {
    let net = Net { rest: Some(data), piece, open: 0 };
    let mut http = Http1::new(net, &Limits::default()).expect("memory");
    let answers = [get(&mut http, 1), get(&mut http, 2)];
    http.close_idle();
    assert_eq!(http.streams().open, 0, "a connection left open");
    answers
}

fuzz_target!(|data: &[u8]| watched(|_| {
    let [whole, _] = talk(data, usize::MAX);
    let [parts, _] = talk(data, 7);
    assert_eq!(whole, parts);
}));
