//! A whole presentation through the built-in HTTP/1.1 client: the samples are those that any other HTTP stack gives, over
//! connections that deliver in pieces, in chunks, and die between two requests.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use crate::common::{Link, Mode, Origin, Recorder, play};
use embedded_io::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use smoothcore::error::Code;
use smoothcore::http1::Http1;
use smoothcore::io::EventKind;
use smoothcore::limits::Limits;
use smoothcore::player::Player;
use smoothcore::port::{Progress, Security, Streams};
use smoothcore::session::{AudioChoice, Config, State};
use smoothcore::time::Instant;

/// What happened on the network.
#[derive(Default)]
struct Tally {
    connections: Cell<u32>,
    open: Cell<i32>,
    requests: Cell<u32>,
}

struct Net {
    origin: Rc<Origin>,
    tally: Rc<Tally>,
    /// Bytes of one read.
    piece: usize,
    /// Requests that one connection serves before it dies unseen.
    patience: u32,
}

struct Wire {
    origin: Rc<Origin>,
    tally: Rc<Tally>,
    piece: usize,
    patience: u32,
    heard: Vec<u8>,
    to_read: RefCell<VecDeque<u8>>,
    looks: u32,
}

impl Streams for Net {
    type Stream = Wire;

    fn connect(&mut self, host: &str, port: u16, security: Security) -> Result<Wire, Code> {
        assert_eq!((host, port, security), ("origin.test", 80, Security::Plain));
        self.tally.connections.set(self.tally.connections.get() + 1);
        self.tally.open.set(self.tally.open.get() + 1);
        Ok(Wire {
            origin: self.origin.clone(),
            tally: self.tally.clone(),
            piece: self.piece,
            patience: self.patience,
            heard: Vec::new(),
            to_read: RefCell::default(),
            looks: 0,
        })
    }

    fn connected(&mut self, _: &mut Wire) -> Progress<()> {
        Progress::Ready(())
    }

    fn close(&mut self, wire: Wire) {
        wire.tally.open.set(wire.tally.open.get() - 1);
    }
}

impl Wire {
    fn answer(&mut self) {
        let request = String::from_utf8(std::mem::take(&mut self.heard)).unwrap();
        let path = request.split(' ').nth(1).unwrap();
        let nth = self.tally.requests.get();
        self.tally.requests.set(nth + 1);
        let mut out = self.to_read.borrow_mut();
        let Some(body) = self.origin.get(path) else {
            out.extend(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            return;
        };
        match nth % 3 {
            0 => {
                out.extend(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).bytes());
                out.extend(body);
            }
            1 => {
                out.extend(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(777) {
                    out.extend(format!("{:x};n={nth}\r\n", chunk.len()).bytes());
                    out.extend(chunk);
                    out.extend(b"\r\n");
                }
                out.extend(b"0\r\n\r\n");
            }
            _ => {
                let moved = format!("HTTP/1.1 302 Found\r\nLocation: {path}\r\nContent-Length: 0\r\n\r\n");
                out.extend(moved.bytes());
            }
        }
    }
}

impl ErrorType for Wire {
    type Error = ErrorKind;
}

impl ReadReady for Wire {
    /// A dead connection keeps silent until it has been written to.
    fn read_ready(&mut self) -> Result<bool, ErrorKind> {
        self.looks += 1;
        Ok(!self.to_read.borrow().is_empty() && !self.looks.is_multiple_of(3))
    }
}

impl WriteReady for Wire {
    fn write_ready(&mut self) -> Result<bool, ErrorKind> {
        Ok(true)
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ErrorKind> {
        let mut waiting = self.to_read.borrow_mut();
        let n = buf.len().min(self.piece).min(waiting.len());
        for (to, from) in buf.iter_mut().zip(waiting.drain(..n)) {
            *to = from;
        }
        Ok(n)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> Result<usize, ErrorKind> {
        if self.patience == 0 {
            return Err(ErrorKind::BrokenPipe);
        }
        let n = buf.len().min(self.piece);
        self.heard.extend_from_slice(&buf[..n]);
        if self.heard.ends_with(b"\r\n\r\n") {
            self.patience -= 1;
            self.answer();
        }
        Ok(n)
    }

    fn flush(&mut self) -> Result<(), ErrorKind> {
        panic!("flush may block");
    }
}

fn config() -> Config {
    Config { audio: AudioChoice::All, seed: 7, fixed_bitrate: 150_000, ..Config::default() }
}

#[test]
fn the_samples_are_those_of_any_other_stack() {
    let origin = Rc::new(Origin::testcard());
    let direct =
        play(Mode::EventLoop, config(), Link::new((*origin).clone(), &[100_000]), Recorder::unpaced());
    assert_eq!(direct.state, State::Ended);
    for (piece, patience) in [(100_000, u32::MAX), (1_000, 4), (37, 7)] {
        let tally = Rc::new(Tally::default());
        let net = Net { origin: origin.clone(), tally: tally.clone(), piece, patience };
        let http = Http1::new(net, &Limits::default()).unwrap();
        let mut player = Player::new(config(), http, Recorder::unpaced()).unwrap();
        player.open(Instant(0), crate::common::drive::URL).unwrap();
        let mut events = Vec::new();
        let mut held = 0;
        for tick in 0.. {
            let turn = player.step(Instant(tick * 100), &mut |e| events.push(e.kind));
            held = held.max(player.http().held());
            if turn.state == State::Ended && player.is_played_out() {
                break;
            }
            assert!(tick < 1_000_000 && !matches!(turn.state, State::Failed(_)), "{turn:?}");
        }
        assert!(!events.contains(&EventKind::Retry), "what died between requests is nobody's business");
        let of = |recorder: &Recorder, stream: u16| {
            recorder.samples.iter().filter(|s| s.stream == stream).cloned().collect::<Vec<_>>()
        };
        for stream in 0..3 {
            let samples = of(player.decoder(), stream);
            assert!(samples.len() > 1000, "{}", samples.len());
            assert!(samples == of(&direct.decoder, stream), "stream {stream} in pieces of {piece}");
        }
        assert!(held < 16 << 10, "{held} bytes");
        let (requests, connections) = (tally.requests.get(), tally.connections.get());
        assert!(requests > 100, "{requests}");
        if patience == u32::MAX {
            assert!(connections <= 4, "{connections} connections for {requests} requests");
        } else {
            assert!(connections >= requests / patience, "{connections}");
        }
        drop(player);
        assert_eq!(tally.open.get(), 0);
    }
}
