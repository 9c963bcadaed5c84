//! The client against scripted byte streams.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use super::head::{self, Body, Persistence};
use super::{Http1, MOST, chunked::Chunked, url};
use crate::error::Code;
use crate::io::{Request, RequestId, RequestKind};
use crate::limits::Limits;
use crate::mem::{Account, Text};
use crate::port::{Http, Progress, Security, Streams};
use crate::time::Instant;

const NOW: Instant = Instant(1_000_000);

/// What a server does on one connection: an answer to each request, then this.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Stay,
    Close,
    Reset,
}

struct Script {
    answers: VecDeque<Vec<u8>>,
    then: Then,
}

fn script(answers: &[&str], then: Then) -> Script {
    Script { answers: answers.iter().map(|a| a.as_bytes().to_vec()).collect(), then }
}

#[derive(Default)]
struct Record {
    host: String,
    port: u16,
    tls: bool,
    requests: Vec<String>,
    closed: bool,
}

type Records = Rc<RefCell<Vec<Record>>>;

/// Byte streams that play scripts, in pieces, with pauses.
struct Net {
    scripts: VecDeque<Script>,
    records: Records,
    piece: usize,
    pauses: usize,
    refuse: Option<Code>,
}

struct Wire {
    n: usize,
    records: Records,
    script: Script,
    heard: Vec<u8>,
    to_read: VecDeque<u8>,
    piece: usize,
    pauses: usize,
    calls: usize,
    connecting: usize,
    allowed: bool,
}

impl Wire {
    /// Not ready every so often; what was promised ready must then be used at once.
    fn turn(&mut self) -> bool {
        self.calls += 1;
        self.pauses == 0 || self.calls.is_multiple_of(self.pauses + 1)
    }

    fn over(&self) -> bool {
        self.to_read.is_empty() && self.script.answers.is_empty() && self.script.then != Then::Stay
    }
}

impl ErrorType for Wire {
    type Error = ErrorKind;
}

impl ReadReady for Wire {
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        let over = self.over();
        self.allowed = (!self.to_read.is_empty() || over) && self.turn();
        Ok(self.allowed)
    }
}

impl WriteReady for Wire {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        self.allowed = self.turn();
        Ok(self.allowed)
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorKind> {
        assert!(self.allowed, "read without being ready");
        self.allowed = false;
        if self.to_read.is_empty() && self.script.then == Then::Reset {
            return Err(ErrorKind::ConnectionReset);
        }
        let n = buf.len().min(self.piece).min(self.to_read.len());
        for b in &mut buf[..n] {
            *b = self.to_read.pop_front().unwrap();
        }
        Ok(n)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> Result<usize, ErrorKind> {
        assert!(self.allowed, "write without being ready");
        self.allowed = false;
        if self.over() {
            return Err(ErrorKind::BrokenPipe);
        }
        let n = buf.len().min(self.piece);
        self.heard.extend_from_slice(&buf[..n]);
        if self.heard.ends_with(b"\r\n\r\n") {
            let request = String::from_utf8(std::mem::take(&mut self.heard)).unwrap();
            self.records.borrow_mut()[self.n].requests.push(request);
            self.to_read.extend(self.script.answers.pop_front().unwrap_or_default());
        }
        Ok(n)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        panic!("flush may block");
    }
}

impl Streams for Net {
    type Stream = Wire;

    fn connect(&mut self, host: &str, port: u16, security: Security) -> Result<Wire, Code> {
        if let Some(code) = self.refuse {
            return Err(code);
        }
        let script = self.scripts.pop_front().expect("a connection too many");
        let n = self.records.borrow().len();
        let tls = security == Security::Tls;
        self.records.borrow_mut().push(Record { host: host.to_string(), port, tls, ..Record::default() });
        Ok(Wire {
            n,
            records: self.records.clone(),
            script,
            heard: Vec::new(),
            to_read: VecDeque::new(),
            piece: self.piece,
            pauses: self.pauses,
            calls: 0,
            connecting: self.pauses,
            allowed: false,
        })
    }

    fn connected(&mut self, wire: &mut Wire) -> Progress<()> {
        if wire.connecting == 0 {
            return Progress::Ready(());
        }
        wire.connecting -= 1;
        Progress::Pending
    }

    fn close(&mut self, wire: Wire) {
        let record = &mut self.records.borrow_mut()[wire.n];
        assert!(!record.closed);
        record.closed = true;
    }
}

/// A client and what its connections have seen.
struct Rig {
    http: Http1<Net>,
    records: Records,
    next: u32,
    buffer: usize,
}

#[derive(Debug, PartialEq, Clone, Default)]
struct Answer {
    status: u16,
    final_url: String,
    length: Option<u64>,
    kind: String,
    encoding: String,
    date: String,
    body: Vec<u8>,
    /// The code it broke with.
    broke: Option<Code>,
}

fn rig_of(scripts: Vec<Script>, piece: usize, pauses: usize, limits: &Limits) -> Rig {
    let records = Records::default();
    let net = Net { scripts: scripts.into(), records: records.clone(), piece, pauses, refuse: None };
    Rig { http: Http1::new(net, limits).unwrap(), records, next: 1, buffer: 4096 }
}

fn rig(scripts: Vec<Script>) -> Rig {
    rig_of(scripts, usize::MAX, 0, &Limits::default())
}

impl Rig {
    fn start(&mut self, url: &str) -> RequestId {
        let id = RequestId(self.next);
        self.next += 1;
        let request = Request { id, url, kind: RequestKind::Fragment, stream: None, attempt: 1 };
        self.http.start(NOW, &request).unwrap();
        id
    }

    fn head(&mut self, id: RequestId) -> Answer {
        for _ in 0..200_000 {
            match self.http.response(NOW, id) {
                Progress::Ready(r) => {
                    return Answer {
                        status: r.status,
                        final_url: r.final_url.to_string(),
                        length: r.content_length,
                        kind: r.content_type.to_string(),
                        encoding: r.content_encoding.to_string(),
                        date: r.date.to_string(),
                        ..Answer::default()
                    };
                }
                Progress::Pending => {}
                Progress::End => panic!("an answer without a head"),
                Progress::Failed(code) => return Answer { broke: Some(code), ..Answer::default() },
            }
        }
        panic!("no answer")
    }

    fn body(&mut self, id: RequestId, answer: &mut Answer) {
        let mut buffer = vec![0xa5; self.buffer];
        for _ in 0..200_000 {
            match self.http.read(NOW, id, &mut buffer) {
                Progress::Ready(n) => {
                    assert!(n > 0);
                    answer.body.extend_from_slice(&buffer[..n]);
                }
                Progress::Pending => {}
                Progress::End => return,
                Progress::Failed(code) => {
                    answer.broke = Some(code);
                    return;
                }
            }
        }
        panic!("a body without end")
    }

    fn get(&mut self, url: &str) -> Answer {
        let id = self.start(url);
        let mut answer = self.head(id);
        if answer.broke.is_none() {
            self.body(id, &mut answer);
        }
        self.http.cancel(id);
        answer
    }

    fn requests(&self, n: usize) -> Vec<String> {
        self.records.borrow()[n].requests.clone()
    }

    fn closed(&self) -> Vec<bool> {
        self.records.borrow().iter().map(|r| r.closed).collect()
    }
}

/// The first line of a request.
fn line(request: &str) -> &str {
    request.split("\r\n").next().unwrap()
}

const URL: &str = "http://origin.example/a/b.ism/Manifest";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/xml\r\n\r\nhello";

#[test]
fn asks_as_it_should() {
    let mut r = rig(vec![script(&[OK, OK], Then::Stay)]);
    assert_eq!(r.get("http://origin.example:8080/a/b.ism/QualityLevels(1)/F(v=0)?t=1#x").body, b"hello");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        r.requests(0)[0],
        format!(
            "GET /a/b.ism/QualityLevels(1)/F(v=0)?t=1 HTTP/1.1\r\nHost: origin.example:8080\r\n\
             User-Agent: SmoothCore/{version}\r\nConnection: keep-alive\r\n\r\n"
        )
    );
    let id = RequestId(77);
    let request = Request {
        id,
        url: "http://origin.example:8080?q",
        kind: RequestKind::Manifest,
        stream: None,
        attempt: 3,
    };
    r.http.start(NOW, &request).unwrap();
    assert_eq!(r.head(id).status, 200);
    let sent = r.requests(0)[1].clone();
    assert_eq!(line(&sent), "GET /?q HTTP/1.1");
    assert!(sent.contains("\r\nAccept-Encoding: gzip, deflate\r\n"), "{sent}");
    assert!(sent.contains("\r\nCache-Control: no-cache\r\n"), "{sent}");
}

#[test]
fn names_hosts_as_the_port_and_the_server_want_them() {
    let mut r = rig(vec![script(&[OK], Then::Stay), script(&[OK], Then::Stay), script(&[OK], Then::Stay)]);
    assert_eq!(r.get("http://[2001:db8::1]:81/x").status, 200);
    assert_eq!(r.get("HTTPS://Secure.example/x").status, 200);
    assert_eq!(r.get("http://origin.example:80/a b\u{e4}").status, 200);
    let records = r.records.borrow();
    assert_eq!((records[0].host.as_str(), records[0].port, records[0].tls), ("2001:db8::1", 81, false));
    assert!(records[0].requests[0].contains("\r\nHost: [2001:db8::1]:81\r\n"));
    assert_eq!((records[1].host.as_str(), records[1].port, records[1].tls), ("Secure.example", 443, true));
    assert!(records[1].requests[0].contains("\r\nHost: Secure.example\r\n"));
    assert!(records[2].requests[0].contains("\r\nHost: origin.example\r\n"));
    assert_eq!(line(&records[2].requests[0]), "GET /a%20b%C3%A4 HTTP/1.1");
}

#[test]
fn a_line_break_in_a_url_never_reaches_the_wire() {
    let mut r = rig(vec![script(&[OK], Then::Stay)]);
    assert_eq!(r.get("http://origin.example/x\r\nEvil: 1").status, 200);
    assert_eq!(line(&r.requests(0)[0]), "GET /x%0D%0AEvil:%201 HTTP/1.1");
    let request =
        |url| Request { id: RequestId(9), url, kind: RequestKind::Fragment, stream: None, attempt: 1 };
    for bad in [
        "ftp://h/x",
        "http:/h",
        "http://",
        "http://u:p@h/",
        "http://h:0/",
        "http://h:99999/",
        "http://h\r\n/",
    ] {
        assert_eq!(r.http.start(NOW, &request(bad)), Err(Code::UrlInvalid), "{bad}");
    }
    let long = format!("http://h/{}", "x".repeat(5000));
    assert_eq!(r.http.start(NOW, &request(&long)), Err(Code::LimitUrl));
}

/// Every way to deliver, with every size of the caller's buffer.
fn every_way(scripts: impl Fn() -> Vec<Script>, check: impl Fn(&mut Rig)) {
    for piece in [1, 7, 600, usize::MAX] {
        for pauses in [0, 1, 2] {
            for buffer in [1, 3, 4096] {
                let mut r = rig_of(scripts(), piece, pauses, &Limits::default());
                r.buffer = buffer;
                check(&mut r);
            }
        }
    }
}

#[test]
fn reads_a_body_of_known_length() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\ncontent-TYPE:  video/mp4 \t\r\n\
                  Content-Encoding: gzip\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nhello world";
    every_way(
        || vec![script(&[answer, answer], Then::Stay)],
        |r| {
            for _ in 0..2 {
                let a = r.get(URL);
                assert_eq!((a.status, a.length, a.broke), (200, Some(11), None));
                assert_eq!((a.kind.as_str(), a.encoding.as_str()), ("video/mp4", "gzip"));
                assert_eq!(a.date, "Thu, 01 Jan 2026 00:00:00 GMT");
                assert_eq!((a.body.as_slice(), a.final_url.as_str()), (&b"hello world"[..], ""));
            }
            assert_eq!(r.requests(0).len(), 2, "one connection carries both");
        },
    );
}

#[test]
fn reads_chunks_extensions_and_trailers() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                  5;name=\"v;1\"\r\nhello\r\n1 \r\n \r\n00B\nwonderful w\n4\r\norld\r\n0;last\r\nTrailer: 1\r\nX: 2\r\n\r\n";
    every_way(
        || vec![script(&[answer, answer], Then::Stay)],
        |r| {
            for _ in 0..2 {
                let a = r.get(URL);
                assert_eq!((a.status, a.length, a.broke), (200, None, None));
                assert_eq!(String::from_utf8(a.body).unwrap(), "hello wonderful world");
            }
            assert_eq!(r.requests(0).len(), 2, "one connection carries both");
        },
    );
}

#[test]
fn reads_until_the_end_of_the_connection() {
    for version in ["HTTP/1.0", "HTTP/1.1"] {
        let answer = format!("{version} 200 OK\nServer: old\n\nall of it");
        every_way(
            || vec![script(&[&answer], Then::Close), script(&[OK], Then::Stay)],
            |r| {
                let a = r.get(URL);
                assert_eq!((a.status, a.length, a.broke), (200, None, None));
                assert_eq!(a.body, b"all of it");
                assert_eq!(r.closed(), [true]);
                assert_eq!(r.get(URL).body, b"hello");
            },
        );
    }
    let answer = "HTTP/1.1 200 OK\r\n\r\nhalf";
    let a = rig(vec![script(&[answer], Then::Reset)]).get(URL);
    assert_eq!((a.body.as_slice(), a.broke), (&b"half"[..], Some(Code::NetworkIo)), "a reset is no end");
}

#[test]
fn a_body_that_ends_early_is_an_error() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        every_way(
            || vec![script(&[answer], Then::Close)],
            |r| {
                let a = r.get(URL);
                assert_eq!(
                    (a.body.as_slice(), a.broke),
                    (&b"hello"[..], Some(Code::BodyTruncated)),
                    "{answer}"
                );
                assert_eq!(r.closed(), [true]);
            },
        );
    }
}

#[test]
fn some_answers_have_no_body() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    let answers = [
        format!("{interim}HTTP/1.1 204 No Content\r\n\r\n"),
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n".to_string(),
        "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n".to_string(),
        "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_string(),
    ];
    let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
    every_way(
        || vec![script(&answers, Then::Stay)],
        |r| {
            for status in [204, 304, 404, 302] {
                let a = r.get(URL);
                assert_eq!((a.status, a.length, a.broke), (status, Some(0), None));
                assert!(a.body.is_empty());
            }
        },
    );
    // What follows at once, and is no answer, ends it at once.
    every_way(
        || vec![script(&["HTTP/1.1 100 Continue\r\n\r\nhello"], Then::Stay)],
        |r| assert_eq!(r.get(URL).broke, Some(Code::HttpSyntax)),
    );
    let endless = "HTTP/1.1 100 Continue\r\n\r\n".repeat(9);
    let a = rig(vec![script(&[&endless], Then::Stay)]).get(URL);
    assert_eq!(a.broke, Some(Code::HttpSyntax));
}

#[test]
fn a_connection_that_may_not_be_kept_is_closed() {
    for answer in [
        "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        every_way(
            || vec![script(&[answer], Then::Stay), script(&[OK], Then::Stay)],
            |r| {
                let a = r.get(URL);
                assert_eq!((a.body.as_slice(), a.broke), (&b"hello"[..], None), "{answer}");
                assert_eq!(r.get(URL).body, b"hello");
                assert_eq!(r.closed(), [true, false], "{answer}");
            },
        );
    }
    let old = "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello";
    let mut r = rig(vec![script(&[old, old], Then::Stay)]);
    assert_eq!(r.get(URL).body, b"hello");
    assert_eq!(r.get(URL).body, b"hello");
}

#[test]
fn a_kept_connection_serves_its_own_place_only() {
    let mut r = rig((0..4).map(|_| script(&[OK, OK], Then::Stay)).collect());
    for url in
        ["http://a/1", "http://b/1", "http://a:81/1", "https://a/1", "http://A:80/2", "https://a:443/2"]
    {
        assert_eq!(r.get(url).body, b"hello", "{url}");
    }
    let served: Vec<usize> = r.records.borrow().iter().map(|record| record.requests.len()).collect();
    assert_eq!(served, [2, 1, 1, 2]);
    r.http.close_idle();
    assert_eq!(r.closed(), [true; 4]);
}

#[test]
fn four_connections_are_kept_and_not_for_long() {
    let mut r = rig((0..7).map(|_| script(&[OK, OK], Then::Stay)).collect());
    for host in ["a", "b", "c", "d", "e"] {
        assert_eq!(r.get(&format!("http://{host}/")).status, 200);
    }
    assert_eq!(r.closed(), [true, false, false, false, false]);
    let id = RequestId(50);
    let request = Request { id, url: "http://e/", kind: RequestKind::Fragment, stream: None, attempt: 1 };
    r.http.start(Instant(NOW.0 + 30_000_001), &request).unwrap();
    assert_eq!(r.head(id).status, 200);
    assert_eq!(r.closed(), [true, false, false, false, true, false]);
}

#[test]
fn a_kept_connection_that_died_is_replaced_unseen() {
    // Known to be closed before the request.
    let mut r = rig(vec![script(&[OK], Then::Close), script(&[OK], Then::Stay)]);
    assert_eq!(r.get(URL).body, b"hello");
    assert_eq!(r.get(URL).body, b"hello");
    assert_eq!(r.closed(), [true, false]);
    // Found out by writing, or by reading nothing: an empty answer and then the end.
    for then in [Then::Close, Then::Reset] {
        let mut r = rig(vec![script(&[OK, ""], then), script(&[OK], Then::Stay)]);
        assert_eq!(r.get(URL).body, b"hello");
        let a = r.get(URL);
        assert_eq!((a.body.as_slice(), a.broke), (&b"hello"[..], None));
        assert_eq!(r.closed(), [true, false]);
        assert_eq!(r.requests(1).len(), 1);
    }
}

#[test]
fn a_replacement_is_tried_once_and_a_fresh_connection_never() {
    let mut r = rig(vec![script(&[OK, ""], Then::Close), script(&[""], Then::Close)]);
    assert_eq!(r.get(URL).body, b"hello");
    assert_eq!(r.get(URL).broke, Some(Code::NetworkIo));
    assert_eq!(r.closed(), [true, true]);
    // Half an answer is no silent death.
    let mut r = rig(vec![script(&[OK, "HTTP/1.1 2"], Then::Close)]);
    assert_eq!(r.get(URL).body, b"hello");
    assert_eq!(r.get(URL).broke, Some(Code::NetworkIo));
}

#[test]
fn bytes_that_nobody_asked_for_end_a_connection() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbad",
        "HTTP/1.1 304 Not Modified\r\n\r\nhello",
    ] {
        for piece in [1, 7, 52, 600] {
            for buffer in [1, 7, 4096] {
                let scripts = vec![script(&[answer], Then::Stay), script(&[OK], Then::Stay)];
                let mut r = rig_of(scripts, piece, 0, &Limits::default());
                r.buffer = buffer;
                assert_eq!(r.get(URL).broke, None, "{answer}");
                assert_eq!(r.get(URL).body, b"hello", "{answer}");
                assert_eq!(r.closed(), [true, false], "{answer}");
            }
        }
    }
}

fn moved(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 8\r\n\r\nthither!")
}

#[test]
fn follows_redirects() {
    let hops = [
        moved(301, "/x/../y/./z?q=1"),
        moved(302, "w"),
        moved(303, "?only=query"),
        moved(307, "//other.example:81/deep/er/"),
    ];
    let last = moved(308, "HTTPS://cdn.example/final .ism#fragment");
    every_way(Vec::new, |r| {
        let net = r.http.streams();
        if net.piece > 512 {
            let hops: Vec<&str> = hops.iter().map(String::as_str).collect();
            net.scripts.push_back(script(&hops, Then::Stay));
        } else {
            net.scripts.extend(hops.iter().map(|hop| script(&[hop], Then::Stay)));
        }
        net.scripts.extend([script(&[&last], Then::Stay), script(&[OK], Then::Stay)]);
        let a = r.get(URL);
        assert_eq!((a.status, a.body.as_slice(), a.broke), (200, &b"hello"[..], None));
        assert_eq!(a.final_url, "HTTPS://cdn.example/final%20.ism");
        let records = r.records.clone();
        let records = records.borrow();
        let lines: Vec<&str> = records.iter().flat_map(|c| c.requests.iter().map(|q| line(q))).collect();
        let expected = [
            "GET /a/b.ism/Manifest HTTP/1.1",
            "GET /y/z?q=1 HTTP/1.1",
            "GET /y/w HTTP/1.1",
            "GET /y/w?only=query HTTP/1.1",
            "GET /deep/er/ HTTP/1.1",
            "GET /final%20.ism HTTP/1.1",
        ];
        assert_eq!(lines, expected);
        assert!(records.last().unwrap().tls);
        // The body of a redirect is passed over where it came along, and not awaited where it did not.
        let kept = records[0].requests.len() > 1;
        assert_eq!(kept, r.http.streams().piece > 512);
    });
}

#[test]
fn a_redirect_that_may_not_be_followed_is_an_error() {
    let refused = |url: &str, location: &str| {
        let a = rig(vec![script(&[&moved(302, location)], Then::Stay)]).get(url);
        assert_eq!(a.broke, Some(Code::TooManyRedirects), "{url} to {location}");
    };
    refused("https://a/x", "http://a/x");
    refused("http://a/x", "ftp://a/x");
    refused("http://a/x", "data:text/plain,x");
    refused("http://a/x", "http://user@b/x");
    refused("http://a/x", &format!("/{}", "y".repeat(4096)));
}

#[test]
fn redirects_end_at_the_limit() {
    let again = moved(302, URL);
    let six: Vec<&str> = (0..6).map(|_| again.as_str()).collect();
    let mut r = rig(vec![script(&six, Then::Stay)]);
    assert_eq!(r.get(URL).broke, Some(Code::TooManyRedirects));
    assert_eq!(r.requests(0).len(), 6, "five redirects are followed");
    let none = Limits { redirects: 0, ..Limits::default() };
    let mut r = rig_of(vec![script(&[&again], Then::Stay)], usize::MAX, 0, &none);
    assert_eq!(r.get(URL).broke, Some(Code::TooManyRedirects));
}

#[test]
fn relative_locations() {
    let resolve = |base: &str, location: &str| {
        let mut account = Account::new(1 << 20);
        let mut out = Text::new();
        url::resolve(&mut account, &mut out, base, location, 4096).map(|()| out.as_str().to_string())
    };
    // RFC 3986, clause 5.4, where it speaks of http.
    let base = "http://a/b/c/d;p?q";
    for (location, expected) in [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("g?y#s", "http://a/b/c/g?y"),
        (";x", "http://a/b/c/;x"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("g/./h", "http://a/b/c/g/h"),
        ("g/../h", "http://a/b/c/h"),
        ("g?y/../x", "http://a/b/c/g?y/../x"),
        ("HTTP://B:80/./g", "HTTP://B:80/./g"),
    ] {
        assert_eq!(resolve(base, location).as_deref(), Ok(expected), "{location}");
    }
    assert_eq!(resolve("http://a", "g").as_deref(), Ok("http://a/g"));
    assert_eq!(resolve("http://a?q", "../g").as_deref(), Ok("http://a/g"));
    assert_eq!(resolve("https://a:1/x", "//b/y").as_deref(), Ok("https://b/y"));
}

#[test]
fn a_head_has_a_limit() {
    let limits = Limits { http_head_bytes: 256, ..Limits::default() };
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: ";
    let exact = format!("{head}{}\r\n\r\nhello", "x".repeat(256 - head.len() - 4));
    let over = format!("{head}{}\r\n\r\nhello", "x".repeat(257 - head.len() - 4));
    for piece in [1, 7, usize::MAX] {
        let mut r =
            rig_of(vec![script(&[&exact], Then::Stay), script(&[&over], Then::Stay)], piece, 0, &limits);
        assert_eq!(r.get(URL).body, b"hello");
        assert_eq!(r.get("http://other/").broke, Some(Code::LimitHttpHead), "pieces of {piece}");
    }
    let chunk = |extension: usize| {
        let e = "e".repeat(extension);
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;{e}\r\nhello\r\n0\r\n\r\n")
    };
    let get = |answer: &str| rig_of(vec![script(&[answer], Then::Stay)], 50, 0, &limits).get(URL);
    assert_eq!(get(&chunk(250)).body, b"hello");
    assert_eq!(get(&chunk(260)).broke, Some(Code::LimitHttpHead));
    let trailers = format!("{}{}", chunk(1).trim_end(), "\r\nX: y".repeat(50));
    assert_eq!(get(&trailers).broke, Some(Code::LimitHttpHead));
}

#[test]
fn malformed_answers_are_errors() {
    for bad in [
        "ICY 200 OK\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 200OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "<html>\n\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded: first\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    ] {
        for piece in [1, usize::MAX] {
            let mut r = rig_of(vec![script(&[bad], Then::Stay)], piece, 0, &Limits::default());
            assert_eq!(r.get(URL).broke, Some(Code::HttpSyntax), "{bad:?} in pieces of {piece}");
            assert_eq!(r.closed(), [true], "{bad:?}");
        }
    }
    let coding = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
    assert_eq!(rig(vec![script(&[coding], Then::Stay)]).get(URL).broke, Some(Code::ContentEncoding));
}

#[test]
fn odd_but_harmless_answers_are_taken() {
    for odd in [
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 \r\nX: a\r\n folded\r\n\tmore\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200\nX:\ncontent-length:5\n\nhello",
        "HTTP/1.9 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 Gr\u{fc}n\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        let a = rig(vec![script(&[odd], Then::Stay)]).get(URL);
        assert_eq!((a.status, a.length, a.body.as_slice()), (200, Some(5), &b"hello"[..]), "{odd:?}");
    }
}

#[test]
fn a_cancelled_exchange_closes_its_connection() {
    let mut r = rig((0..4).map(|_| script(&[OK, OK], Then::Stay)).collect());
    r.buffer = 2;
    let early = r.start(URL);
    r.http.cancel(early);
    assert_eq!(r.closed(), [true]);
    let mid = r.start(URL);
    assert_eq!(r.head(mid).status, 200);
    let mut two = [0; 2];
    assert_eq!(r.http.read(NOW, mid, &mut two), Progress::Ready(2));
    r.http.cancel(mid);
    assert_eq!(r.closed(), [true, true]);
    assert_eq!(r.http.read(NOW, mid, &mut two), Progress::Failed(Code::NetworkIo));
    assert!(matches!(r.http.response(NOW, mid), Progress::Failed(Code::NetworkIo)));
    r.http.cancel(mid);
    // One that was read to its end leaves its connection to the next.
    assert_eq!(r.get(URL).body, b"hello");
    assert_eq!(r.get(URL).body, b"hello");
    assert_eq!(r.closed(), [true, true, false]);
}

#[test]
fn many_at_once_up_to_the_bound() {
    let mut r = rig((0..MOST).map(|_| script(&[OK], Then::Stay)).collect());
    let ids: Vec<RequestId> = (0..MOST).map(|n| r.start(&format!("http://h{n}/"))).collect();
    let request = |id| Request { id, url: URL, kind: RequestKind::Fragment, stream: None, attempt: 1 };
    assert_eq!(r.http.start(NOW, &request(RequestId(99))), Err(Code::NetworkIo));
    assert_eq!(r.http.start(NOW, &request(ids[0])), Err(Code::State));
    for id in ids.iter().rev() {
        assert_eq!(r.head(*id).status, 200);
    }
    for id in &ids {
        let mut a = Answer::default();
        r.body(*id, &mut a);
        assert_eq!(a.body, b"hello");
        r.http.cancel(*id);
    }
    let held = r.http.held();
    assert!(held < 64 << 10, "{held}");
}

#[test]
fn steady_use_allocates_nothing_new() {
    let answers = vec![OK; 200];
    let mut r = rig(vec![script(&answers, Then::Stay)]);
    assert_eq!(r.get(URL).body, b"hello");
    let held = r.http.held();
    assert!(held < 8 << 10, "{held}");
    for _ in 0..150 {
        assert_eq!(r.get(URL).body, b"hello");
        assert_eq!(r.http.held(), held);
    }
}

#[test]
fn what_the_streams_say_is_passed_on() {
    let request = Request {
        id: RequestId(1),
        url: "https://h/",
        kind: RequestKind::Fragment,
        stream: None,
        attempt: 1,
    };
    for (said, heard) in [(Code::NameResolution, Code::NameResolution), (Code::Unsupported, Code::Tls)] {
        let mut r = rig(vec![]);
        r.http.streams().refuse = Some(said);
        assert_eq!(r.http.start(NOW, &request), Err(heard));
        let before = r.http.held();
        assert_eq!(r.http.start(NOW, &request), Err(heard));
        assert_eq!(r.http.held(), before);
    }
}

#[test]
fn dropping_the_client_closes_everything() {
    let mut r = rig(vec![script(&[OK], Then::Stay), script(&[OK], Then::Stay)]);
    assert_eq!(r.get(URL).status, 200);
    r.start("http://other/");
    let records = r.records.clone();
    drop(r);
    assert!(records.borrow().iter().all(|c| c.closed) && records.borrow().len() == 2);
}

/// A small generator of numbers that look random.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

#[test]
fn mutated_answers_never_panic_or_hang() {
    let seeds = [
        OK.to_string(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nX: y\r\n z\r\n\r\n\
         5;x\r\nhello\r\n0\r\nT: 1\r\n\r\n"
            .to_string(),
        format!("HTTP/1.1 100 Continue\r\n\r\n{}", moved(302, "../x/./y?z")),
        "HTTP/1.0 206 Partial\nDate: x\nContent-Encoding: deflate\n\nbody".to_string(),
    ];
    let telling = b"\r\n :;,0159aAfF/?#.%\0\xff\x80[]@";
    let mut rng = Rng(0x9e37_79b9_7f4a_7c15);
    let (mut fine, mut broken) = (0, 0);
    for round in 0..20_000 {
        let mut answer = seeds[rng.below(seeds.len())].clone().into_bytes();
        for _ in 0..=rng.below(3) {
            let at = rng.below(answer.len());
            match rng.below(4) {
                0 => answer[at] = telling[rng.below(telling.len())],
                1 => answer.insert(at, telling[rng.below(telling.len())]),
                2 => {
                    answer.remove(at);
                }
                _ => answer[at] = rng.below(256) as u8,
            }
        }
        let scripts =
            (0..8).map(|_| Script { answers: vec![answer.clone()].into(), then: Then::Close }).collect();
        let piece = [1, 7, usize::MAX][round % 3];
        let mut r = rig_of(scripts, piece, 0, &Limits::default());
        r.buffer = [1, 16, 4096][rng.below(3)];
        match r.get(URL).broke {
            None => fine += 1,
            Some(code) => {
                assert!((-299..=-200).contains(&code.number()), "{code:?}");
                broken += 1;
            }
        }
    }
    assert!(fine > 1000 && broken > 1000, "{fine} {broken}");
}

#[test]
fn heads_are_understood() {
    let parse = |text: &str| head::parse(text.as_bytes()).unwrap();
    let h = parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nConnection: x, Close\r\n\r\n");
    assert_eq!((h.body, h.persistence), (Body::Chunked, Persistence::Close));
    let h = parse("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n");
    assert_eq!((h.body, h.persistence), (Body::Length(u64::MAX), Persistence::Keep));
    assert_eq!(head::end(b"a\r\n\r\nb", 0), Some(5));
    assert_eq!(head::end(b"a\n\nb", 0), Some(3));
    assert_eq!(head::end(b"a\r\n\r", 0), None);
    for from in 0..=4 {
        assert_eq!(head::end(b"a\r\n\r\n", from), Some(5), "searched {from}");
    }
}

#[test]
fn chunks_are_the_same_however_they_are_cut() {
    let body = b"3\r\nabc\r\n10;ext\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\nsurplus";
    for first in 0..body.len() {
        for second in first..body.len() {
            let mut chunks = Chunked::default();
            let (mut out, mut surplus) = (Vec::new(), 0);
            for part in [&body[..first], &body[first..second], &body[second..]] {
                let mut part = part.to_vec();
                let decoded = chunks.decode(&mut part, 100).unwrap();
                out.extend_from_slice(&part[..decoded.data]);
                surplus += decoded.surplus;
            }
            assert!(chunks.is_done());
            assert_eq!((out.as_slice(), surplus), (&b"abc0123456789abcdef"[..], 7));
        }
    }
}
