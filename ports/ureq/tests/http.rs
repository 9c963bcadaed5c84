//! The port against servers on the loopback interface.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{NOW, Server, body, closing_server_of, get, head, request, server_of, wait};
use smoothcore::error::Code;
use smoothcore::io::{Request, RequestId, RequestKind};
use smoothcore::limits::Limits;
use smoothcore::port::{Http, Progress};
use smoothcore::time::Micros;
use smoothcore_ureq::{Settings, UreqHttp};

fn port() -> UreqHttp {
    UreqHttp::new(&Settings::default()).unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/xml\r\n\
                  Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nhello";

#[test]
fn hands_over_head_and_body_and_keeps_the_connection() {
    let server = server_of(OK);
    let mut http = port();
    for id in 1..=3 {
        let a = get(&mut http, &request(id, &server.url("/a.ism/Manifest?t=1")));
        assert_eq!((a.status, a.length, a.broke), (200, Some(5), None));
        assert_eq!((a.kind.as_str(), a.date.as_str()), ("text/xml", "Thu, 01 Jan 2026 00:00:00 GMT"));
        assert_eq!((a.body.as_slice(), a.final_url.as_str(), a.encoding.as_str()), (&b"hello"[..], "", ""));
    }
    assert_eq!(server.connections(), 1);
    let sent = server.requests()[0].to_ascii_lowercase();
    assert!(sent.starts_with("get /a.ism/manifest?t=1 http/1.1\r\n"), "{sent}");
    assert!(sent.contains("\r\nuser-agent: smoothcore/"), "{sent}");
    assert!(!sent.contains("accept-encoding") && !sent.contains("cache-control"), "{sent}");
}

#[test]
fn chunks_come_without_their_frame() {
    let server =
        server_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x\r\nlo\r\n0\r\n\r\n");
    let a = get(&mut port(), &request(1, &server.url("/")));
    assert_eq!((a.length, a.body.as_slice(), a.broke), (None, &b"hello"[..], None));
}

#[test]
fn compressed_manifests_come_as_they_are() {
    let gzip = b"\x1f\x8b\x08\x00 what follows is not even deflate";
    let mut answer =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", gzip.len())
            .into_bytes();
    answer.extend_from_slice(gzip);
    let server = server_of(answer);
    let url = server.url("/Manifest");
    let ask = Request { kind: RequestKind::Manifest, attempt: 3, ..request(1, &url) };
    let a = get(&mut port(), &ask);
    assert_eq!(
        (a.encoding.as_str(), a.length, a.body.as_slice()),
        ("gzip", Some(gzip.len() as u64), &gzip[..])
    );
    let sent = server.requests()[0].to_ascii_lowercase();
    assert!(sent.contains("\r\naccept-encoding: gzip, deflate\r\n"), "{sent}");
    assert!(sent.contains("\r\ncache-control: no-cache\r\n"), "{sent}");
}

#[test]
fn an_error_status_is_an_answer() {
    for status in [404, 503] {
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 4\r\n\r\nsigh");
        let a = get(&mut port(), &request(1, &server_of(answer).url("/")));
        assert_eq!((a.status, a.body.as_slice(), a.broke), (status, &b"sigh"[..], None));
    }
}

#[test]
fn follows_redirects_up_to_the_limit() {
    let server = Server::new(|head, wire| {
        let answer = if head.starts_with("GET /there/b ") {
            OK
        } else {
            "HTTP/1.1 302 Found\r\nLocation: ../there/b\r\nContent-Length: 0\r\n\r\n"
        };
        wire.write_all(answer.as_bytes()).is_ok()
    });
    let a = get(&mut port(), &request(1, &server.url("/here/a")));
    assert_eq!((a.status, a.final_url, a.body.as_slice()), (200, server.url("/there/b"), &b"hello"[..]));
    let round = server_of("HTTP/1.1 307 Again\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
    let a = get(&mut port(), &request(1, &round.url("/")));
    assert_eq!(a.broke, Some(Code::TooManyRedirects));
    assert_eq!(round.requests().len(), 6, "five redirects are followed");
    let strange = server_of("HTTP/1.1 302 Found\r\nLocation: ftp://h/\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(get(&mut port(), &request(1, &strange.url("/"))).broke, Some(Code::TooManyRedirects));
}

#[test]
fn failures_have_codes() {
    let mut http = port();
    let mut broke = |url: &str| {
        let answer = get(&mut http, &request(1, url));
        (answer.body.len(), answer.broke)
    };
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(broke(&format!("http://127.0.0.1:{unused}/")), (0, Some(Code::Connect)));
    assert_eq!(broke("http://no-such-host.invalid/"), (0, Some(Code::NameResolution)));
    let closing = |answer| closing_server_of(answer).url("/");
    assert_eq!(broke(&closing("not HTTP at all\r\n\r\n")), (0, Some(Code::HttpSyntax)));
    assert_eq!(broke(&closing("")), (0, Some(Code::NetworkIo)));
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello";
    assert_eq!(broke(&closing(short)), (5, Some(Code::BodyTruncated)));
    let short = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello";
    assert_eq!(broke(&closing(short)), (5, Some(Code::BodyTruncated)));
    let bad = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n";
    assert_eq!(broke(&closing(bad)), (0, Some(Code::HttpSyntax)));
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(broke(&server_of(long).url("/")), (0, Some(Code::LimitHttpHead)));
}

#[test]
fn what_cannot_start_says_so() {
    let mut http = port();
    for url in ["", "/only/a/path", "ftp://h/", "http://", "http://a b/"] {
        assert_eq!(http.start(NOW, &request(1, url)), Err(Code::UrlInvalid), "{url}");
    }
    let server = Server::new(|_, _| {
        thread::sleep(Duration::from_secs(60));
        false
    });
    http.start(NOW, &request(1, &server.url("/"))).unwrap();
    assert_eq!(http.start(NOW, &request(1, &server.url("/"))), Err(Code::State));
    for id in 2..=64 {
        http.start(NOW, &request(id, &server.url("/"))).unwrap();
    }
    assert_eq!(http.start(NOW, &request(65, &server.url("/"))), Err(Code::NetworkIo));
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let limits = Limits { first_byte_timeout: Micros(1000), idle_timeout: Micros(1000), ..Limits::default() };
    let http = move || UreqHttp::new(&Settings { limits, ..Settings::default() }).unwrap();
    let silent = Server::new(|_, _| {
        thread::sleep(Duration::from_secs(60));
        false
    });
    let halting = Server::new(|_, wire| {
        wire.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello").unwrap();
        thread::sleep(Duration::from_secs(60));
        false
    });
    let waiting = thread::spawn(move || get(&mut http(), &request(1, &silent.url("/"))));
    let a = get(&mut http(), &request(1, &halting.url("/")));
    assert_eq!((a.body.len(), a.broke), (5, Some(Code::IdleTimeout)));
    assert_eq!(waiting.join().unwrap().broke, Some(Code::FirstByteTimeout));
}

/// Sends without end; counts what the network took, and connections that were closed on it.
fn endless() -> (Server, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (sent, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (sent.clone(), closed.clone());
    let server = Server::new(move |_, wire| {
        wire.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").unwrap();
        while wire.write_all(&[7; 1 << 16]).is_ok() {
            sent.fetch_add(1 << 16, Ordering::SeqCst);
        }
        closed.fetch_add(1, Ordering::SeqCst);
        false
    });
    (server, counters.0, counters.1)
}

#[test]
fn a_player_that_does_not_read_slows_the_sender() {
    let (server, sent, closed) = endless();
    let mut http = port();
    http.start(NOW, &request(1, &server.url("/"))).unwrap();
    assert_eq!(head(&mut http, 1).length, Some(99_999_999_999));
    let mut before = usize::MAX;
    let stalled = wait(|| {
        thread::sleep(Duration::from_millis(300));
        let now = sent.load(Ordering::SeqCst);
        (std::mem::replace(&mut before, now) == now).then_some(now)
    });
    assert!(stalled > 0 && stalled < 64 << 20, "{stalled}");
    let mut buffer = vec![0; 1 << 16];
    let mut read = 0;
    wait(|| {
        match http.read(NOW, RequestId(1), &mut buffer) {
            Progress::Ready(n) => read += n,
            Progress::Pending => {}
            other => panic!("{other:?}"),
        }
        (read > stalled + (1 << 20)).then_some(())
    });
    assert!(sent.load(Ordering::SeqCst) > stalled);
    http.cancel(RequestId(1));
    wait(|| (closed.load(Ordering::SeqCst) == 1).then_some(()));
    assert!(matches!(http.read(NOW, RequestId(1), &mut buffer), Progress::Failed(_)));
    wait(|| format!("{http:?}").contains("threads: 0").then_some(()));
}

#[test]
fn several_exchanges_run_at_once() {
    let (endless, ..) = endless();
    let server = server_of(OK);
    let mut http = port();
    http.start(NOW, &request(1, &endless.url("/"))).unwrap();
    for id in 2..10 {
        http.start(NOW, &request(id, &server.url("/"))).unwrap();
    }
    for id in 2..10 {
        let mut a = head(&mut http, id);
        body(&mut http, id, &mut a);
        assert_eq!(a.body, b"hello");
    }
    assert_eq!(head(&mut http, 1).status, 200);
}

#[test]
fn the_player_is_woken() {
    let server = server_of(OK);
    let mut http = port();
    let woken = Arc::new(AtomicUsize::new(0));
    let count = woken.clone();
    http.set_wake(Some(Box::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    })));
    http.start(NOW, &request(1, &server.url("/"))).unwrap();
    // Head, body and end.
    wait(|| (woken.load(Ordering::SeqCst) == 3).then_some(()));
    http.set_wake(None);
    assert_eq!(get(&mut http, &request(2, &server.url("/"))).body, b"hello");
    assert_eq!(woken.load(Ordering::SeqCst), 3);
}

#[test]
fn dropping_the_port_hangs_up() {
    let (server, sent, closed) = endless();
    let mut http = port();
    http.start(NOW, &request(1, &server.url("/"))).unwrap();
    assert_eq!(head(&mut http, 1).status, 200);
    wait(|| (sent.load(Ordering::SeqCst) > 0).then_some(()));
    drop(http);
    wait(|| (closed.load(Ordering::SeqCst) == 1).then_some(()));
}
