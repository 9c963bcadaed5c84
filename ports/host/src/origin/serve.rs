//! Connections: one thread each, one request after the other.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Origin;
use super::answer;
use super::faults::Outcome;
use super::http::{self, Delivery, Incoming, Manner, Part, Reader, Refused, Response};

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(75);
/// How long a connection that is about to close may wait for the client to close it too.
const LINGER: Duration = Duration::from_secs(1);
const MOST_LINGERING_READS: usize = 256;

/// Serves connections until the process ends.
pub fn run(listener: &TcpListener, origin: &Arc<Origin>) -> Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, most likely: some will come back.
                eprintln!("warning: accept: {error}");
                thread::sleep(Duration::from_millis(50));
                continue;
            }
        };
        // A clock that is moved by requests must stay within reach.
        if !origin.clock.is_manual() && origin.faults.refuses(origin.clock.now()) {
            reset(&stream);
            continue;
        }
        let origin = origin.clone();
        let started = thread::Builder::new().spawn(move || connection(&stream, &origin));
        if let Err(error) = started {
            eprintln!("warning: connection refused: {error}");
        }
    }
}

fn connection(stream: &TcpStream, origin: &Origin) {
    let ready = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(IDLE)));
    if ready.is_err() {
        return;
    }
    let mut reader = Reader::new(stream);
    loop {
        match reader.next() {
            Incoming::Closed => return,
            Incoming::Refused(Refused(status)) => {
                let response = Response::error(status, "not a request this server understands");
                return last(stream, origin, ("-", "-"), &response, Instant::now());
            }
            Incoming::Request(request) => {
                let start = Instant::now();
                if matches!(request.method.as_str(), "POST" | "PUT")
                    && let Some((path, id)) = answer::target(&request)
                {
                    let response = publish(origin, &mut reader, &request, &path, &id);
                    let line = (request.method.as_str(), request.target.as_str());
                    return last(stream, origin, line, &response, start);
                }
                let Outcome { response, delivery, names } = origin.faults.answer(origin, &request);
                let part = if request.method == "HEAD" { Part::Head } else { Part::Whole };
                let line = (request.method.as_str(), request.target.as_str());
                if delivery.refuse {
                    origin.log.line(line.0, line.1, 0, 0, start.elapsed(), &names);
                    return reset(stream);
                }
                if let Some(link) = &origin.link {
                    thread::sleep(link.request());
                }
                let manner = Manner {
                    link: origin.link.as_ref(),
                    part,
                    keep_alive: request.keep_alive,
                    date: origin.clock.date(),
                    delivery,
                };
                let (sent, done) = http::write(stream, &response, &manner);
                origin.log.line(line.0, line.1, response.status, sent, start.elapsed(), &names);
                match delivery.cut {
                    Some((_, true)) => return reset(stream),
                    _ if done.is_err() => return,
                    _ => {}
                }
                if !request.keep_alive {
                    return linger(stream);
                }
            }
        }
    }
}

/// Takes what an encoder sends until it ends.
fn publish(origin: &Origin, reader: &mut Reader, request: &http::Request, path: &str, id: &str) -> Response {
    let point = match origin.points.open(path) {
        Ok(point) => point,
        Err(error) => return Response::error(403, &format!("{error:#}")),
    };
    let body = match reader.body(request) {
        Ok(body) => body,
        Err(error) => return Response::error(400, &error.to_string()),
    };
    match point.publish(id, body) {
        Ok(()) => Response::empty(200),
        Err(error) => Response::error(400, &format!("{error:#}")),
    }
}

/// Ends a connection: a close with input unread would take the response from the client again.
fn linger(mut stream: &TcpStream) {
    let ready = stream.shutdown(Shutdown::Write).and_then(|()| stream.set_read_timeout(Some(LINGER)));
    let mut rest = [0; 4096];
    let mut reads = 0..MOST_LINGERING_READS;
    while ready.is_ok() && reads.next().is_some() && stream.read(&mut rest).is_ok_and(|count| count > 0) {}
}

/// Writes a response and its log line, and ends the connection; `start` is when its request had come.
fn last(
    stream: &TcpStream,
    origin: &Origin,
    (method, target): (&str, &str),
    response: &Response,
    start: Instant,
) {
    let link = origin.link.as_ref();
    let manner = Manner {
        link,
        part: Part::Whole,
        keep_alive: false,
        date: origin.clock.date(),
        delivery: Delivery::default(),
    };
    let (sent, _) = http::write(stream, response, &manner);
    origin.log.line(method, target, response.status, sent, start.elapsed(), &[]);
    linger(stream);
}

/// Ends a connection with an error for the client.
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
