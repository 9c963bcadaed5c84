//! A server on the loopback interface that says what a test tells it to, and the calls of a player.
#![allow(dead_code, reason = "each test uses a part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant as Clock};

use smoothcore::error::Code;
use smoothcore::io::{Request, RequestId, RequestKind};
use smoothcore::port::{Http, Progress};
use smoothcore::time::Instant;
use smoothcore_ureq::UreqHttp;

/// A connection as a handler sees it.
pub trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

/// Answers one request: its head, and where the answer goes. `false` closes the connection.
pub type Handler = dyn Fn(&str, &mut dyn Wire) -> bool + Send + Sync;
/// Puts something between socket and handler.
pub type Wrap = dyn Fn(TcpStream) -> Option<Box<dyn Wire>> + Send + Sync;

pub struct Server {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn new(handler: impl Fn(&str, &mut dyn Wire) -> bool + Send + Sync + 'static) -> Server {
        Server::wrapped(Box::new(|socket| Some(Box::new(socket))), handler)
    }

    pub fn wrapped(
        wrap: Box<Wrap>,
        handler: impl Fn(&str, &mut dyn Wire) -> bool + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, requests) = (server.connections.clone(), server.requests.clone());
        let (wrap, handler): (Arc<Wrap>, Arc<Handler>) = (wrap.into(), Arc::new(handler));
        thread::spawn(move || {
            for socket in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (wrap, handler, requests) = (wrap.clone(), handler.clone(), requests.clone());
                thread::spawn(move || {
                    if let Some(wire) = wrap(socket.unwrap()) {
                        serve(BufReader::new(wire), &*handler, &requests);
                    }
                });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Heads of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut wire: BufReader<Box<dyn Wire>>, handler: &Handler, requests: &Mutex<Vec<String>>) {
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            match wire.read_line(&mut head) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        requests.lock().unwrap().push(head.clone());
        if !handler(&head, wire.get_mut()) {
            return;
        }
    }
}

/// A server that gives each request the same answer.
pub fn server_of(answer: impl Into<Vec<u8>>) -> Server {
    let answer = answer.into();
    Server::new(move |_, wire| wire.write_all(&answer).is_ok())
}

/// As [`server_of`], but closes after the answer.
pub fn closing_server_of(answer: &'static str) -> Server {
    Server::new(move |_, wire| {
        wire.write_all(answer.as_bytes()).unwrap();
        false
    })
}

#[derive(Debug, Default, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub final_url: String,
    pub length: Option<u64>,
    pub kind: String,
    pub encoding: String,
    pub date: String,
    pub body: Vec<u8>,
    pub broke: Option<Code>,
}

pub const NOW: Instant = Instant(0);

pub fn request(id: u32, url: &str) -> Request<'_> {
    Request { id: RequestId(id), url, kind: RequestKind::Fragment, stream: None, attempt: 1 }
}

/// Waits for something, for 20 s at most.
pub fn wait<T>(mut what: impl FnMut() -> Option<T>) -> T {
    let start = Clock::now();
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "nothing happened");
        thread::sleep(Duration::from_millis(1));
    }
}

pub fn head(http: &mut UreqHttp, id: u32) -> Answer {
    wait(|| match http.response(NOW, RequestId(id)) {
        Progress::Ready(r) => Some(Answer {
            status: r.status,
            final_url: r.final_url.to_owned(),
            length: r.content_length,
            kind: r.content_type.to_owned(),
            encoding: r.content_encoding.to_owned(),
            date: r.date.to_owned(),
            ..Answer::default()
        }),
        Progress::Pending => None,
        Progress::End => panic!("an end before the head"),
        Progress::Failed(code) => Some(Answer { broke: Some(code), ..Answer::default() }),
    })
}

pub fn body(http: &mut UreqHttp, id: u32, answer: &mut Answer) {
    let mut buffer = [0; 1000];
    wait(|| {
        loop {
            match http.read(NOW, RequestId(id), &mut buffer) {
                Progress::Ready(n) => answer.body.extend_from_slice(&buffer[..n]),
                Progress::Pending => return None,
                Progress::End => return Some(()),
                Progress::Failed(code) => {
                    answer.broke = Some(code);
                    return Some(());
                }
            }
        }
    });
}

/// One whole exchange.
pub fn get(http: &mut UreqHttp, request: &Request<'_>) -> Answer {
    http.start(NOW, request).unwrap();
    let mut answer = head(http, request.id.0);
    if answer.broke.is_none() {
        body(http, request.id.0, &mut answer);
    }
    http.cancel(request.id);
    answer
}
