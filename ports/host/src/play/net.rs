//! The HTTP port that `play` uses, and what wakes its loop.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use smoothcore::error::Code;
use smoothcore::io::{Request, RequestId, Response};
use smoothcore::port::{Http, Progress};
use smoothcore::time::Instant;

/// Lets the loop sleep until somebody has something for it.
#[derive(Default)]
pub struct Waker {
    woken: Mutex<bool>,
    change: Condvar,
}

impl Waker {
    /// Ends the present wait, or else the next one.
    pub fn wake(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.change.notify_one();
    }

    /// Returns after `most`, or as soon as it was woken.
    pub fn wait(&self, most: Duration) {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut woken, _) = self
            .change
            .wait_timeout_while(woken, most, |woken| !*woken)
            .unwrap_or_else(PoisonError::into_inner);
        *woken = false;
    }
}

enum Piece {
    Head(u16, Option<u64>),
    Body(Vec<u8>),
    End,
    Failed(Code),
}

pub struct Stack {
    waker: Arc<Waker>,
    open: HashMap<u32, (Receiver<Piece>, Vec<u8>)>,
}

pub fn stack(waker: &Arc<Waker>) -> Stack {
    Stack { waker: waker.clone(), open: HashMap::new() }
}

fn fetch(url: &str, send: &SyncSender<Piece>, waker: &Waker) -> std::io::Result<()> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut tcp = TcpStream::connect(host)?;
    write!(tcp, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut buffer = vec![0; 16 << 10];
    let mut head = Vec::new();
    let end = loop {
        let n = tcp.read(&mut buffer)?;
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&buffer[..n]);
        if let Some(at) = head.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let body = head.split_off(end);
    let text = String::from_utf8_lossy(&head).to_lowercase();
    let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    let length =
        text.lines().find_map(|l| l.strip_prefix("content-length: ")).and_then(|s| s.trim().parse().ok());
    let give = |piece| {
        let sent = send.send(piece).is_ok();
        waker.wake();
        sent
    };
    give(Piece::Head(status, length));
    let mut left = length.unwrap_or(u64::MAX).saturating_sub(body.len() as u64);
    give(Piece::Body(body));
    while left > 0 {
        let n = tcp.read(&mut buffer)?;
        if n == 0 {
            if length.is_some() {
                give(Piece::Failed(Code::BodyTruncated));
                return Ok(());
            }
            break;
        }
        left = left.saturating_sub(n as u64);
        if !give(Piece::Body(buffer[..n].to_vec())) {
            return Ok(());
        }
    }
    give(Piece::End);
    Ok(())
}

impl Http for Stack {
    fn start(&mut self, _at: Instant, request: &Request<'_>) -> Result<(), Code> {
        let (send, receive) = sync_channel(4);
        let (url, waker) = (request.url.to_owned(), self.waker.clone());
        self.open.insert(request.id.0, (receive, Vec::new()));
        thread::spawn(move || {
            if fetch(&url, &send, &waker).is_err() {
                let _ = send.send(Piece::Failed(Code::Connect));
                waker.wake();
            }
        });
        Ok(())
    }

    fn response(&mut self, _at: Instant, id: RequestId) -> Progress<Response<'_>> {
        let Some((receive, _)) = self.open.get_mut(&id.0) else { return Progress::End };
        match receive.try_recv() {
            Ok(Piece::Head(status, content_length)) => {
                Progress::Ready(Response { status, content_length, ..Response::default() })
            }
            Ok(Piece::Failed(code)) => Progress::Failed(code),
            Ok(_) => Progress::Failed(Code::HttpSyntax),
            Err(TryRecvError::Empty) => Progress::Pending,
            Err(TryRecvError::Disconnected) => Progress::Failed(Code::NetworkIo),
        }
    }

    fn read(&mut self, _at: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        let Some((receive, kept)) = self.open.get_mut(&id.0) else { return Progress::End };
        if kept.is_empty() {
            match receive.try_recv() {
                Ok(Piece::Body(bytes)) => *kept = bytes,
                Ok(Piece::End) => return Progress::End,
                Ok(Piece::Failed(code)) => return Progress::Failed(code),
                Ok(Piece::Head(..)) => return Progress::Failed(Code::HttpSyntax),
                Err(TryRecvError::Empty) => return Progress::Pending,
                Err(TryRecvError::Disconnected) => return Progress::Failed(Code::NetworkIo),
            }
        }
        let n = kept.len().min(buffer.len());
        buffer[..n].copy_from_slice(&kept[..n]);
        kept.drain(..n);
        if n == 0 { Progress::Pending } else { Progress::Ready(n) }
    }

    fn cancel(&mut self, id: RequestId) {
        self.open.remove(&id.0);
    }
}
