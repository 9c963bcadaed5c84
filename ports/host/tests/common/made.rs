//! Hand-made boxes, fragments and servers.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub const TFXD: [u8; 16] =
    [0x6d, 0x1d, 0x9b, 0x05, 0x42, 0xd5, 0x44, 0xe6, 0x80, 0xe2, 0x14, 0x1d, 0xaf, 0xf7, 0x57, 0xb2];
pub const TFRF: [u8; 16] =
    [0xd4, 0x80, 0x7e, 0xf2, 0xca, 0x39, 0x46, 0x95, 0x8e, 0x54, 0x26, 0xcb, 0x9e, 0x46, 0xa7, 0x9f];
pub const PIFF: [u8; 16] =
    [0xa2, 0x39, 0x4f, 0x52, 0x5a, 0x9b, 0x4f, 0x14, 0xa2, 0x44, 0x6c, 0x42, 0x7c, 0x64, 0x8d, 0xf4];

/// A box around `parts`.
pub fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    [&(content.len() as u32 + 8).to_be_bytes()[..], kind, &content].concat()
}

pub fn tfxd(time: u64, duration: u64) -> Vec<u8> {
    boxed(b"uuid", &[&TFXD, &[1, 0, 0, 0], &time.to_be_bytes(), &duration.to_be_bytes()])
}

pub fn tfrf(following: &[(u64, u64)]) -> Vec<u8> {
    let list: Vec<u8> =
        following.iter().flat_map(|(t, d)| [t.to_be_bytes(), d.to_be_bytes()]).flatten().collect();
    boxed(b"uuid", &[&TFRF, &[1, 0, 0, 0, following.len() as u8], &list])
}

/// The sample encryption box of PIFF with vectors of 8 bytes; with a key, it overrides what a track would say.
pub fn piff(kid: Option<[u8; 16]>, vectors: &[u64]) -> Vec<u8> {
    let list: Vec<u8> = vectors.iter().flat_map(|iv| iv.to_be_bytes()).collect();
    let count = (vectors.len() as u32).to_be_bytes();
    match kid {
        Some(kid) => boxed(b"uuid", &[&PIFF, &[0, 0, 0, 1], &[0, 0, 1, 8], &kid, &count, &list]),
        None => boxed(b"uuid", &[&PIFF, &[0, 0, 0, 0], &count, &list]),
    }
}

/// One sample: its bytes, duration, flags and composition offset.
pub type Made<'a> = (&'a [u8], u32, u32, i32);

/// A fragment; `extra` are boxes of the `traf`.
pub fn fragment(track: u32, extra: &[&[u8]], samples: &[Made<'_>]) -> Vec<u8> {
    let media: Vec<u8> = samples.iter().flat_map(|sample| sample.0.to_vec()).collect();
    let build = |offset: u32| {
        let table: Vec<u8> = samples
            .iter()
            .flat_map(|(bytes, duration, flags, composition)| {
                [*duration, bytes.len() as u32, *flags, composition.cast_unsigned()].map(u32::to_be_bytes)
            })
            .flatten()
            .collect();
        let count = (samples.len() as u32).to_be_bytes();
        let trun = boxed(b"trun", &[&[0, 0, 0xf, 1], &count, &offset.to_be_bytes(), &table]);
        let tfhd = boxed(b"tfhd", &[&[0; 4], &track.to_be_bytes()]);
        let traf = boxed(b"traf", &[&tfhd, &trun, &extra.concat()]);
        boxed(b"moof", &[&boxed(b"mfhd", &[&[0; 4], &1u32.to_be_bytes()]), &traf])
    };
    let offset = build(0).len() as u32 + 8;
    [build(offset), boxed(b"mdat", &[&media])].concat()
}

/// A server of fixed answers by path; a body of nothing is 404. Counts what it is asked.
pub struct Server {
    pub address: String,
    pub answers: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    pub asked: Arc<AtomicUsize>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answers: Arc<Mutex<HashMap<String, Vec<u8>>>> = Arc::default();
        let asked: Arc<AtomicUsize> = Arc::default();
        let (there, count) = (answers.clone(), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let Some(Ok(line)) = lines.next() else { continue };
                while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
                count.fetch_add(1, Ordering::SeqCst);
                let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                let body = there.lock().unwrap().get(&path).cloned();
                let (status, body) = body.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            }
        });
        Self { address, answers, asked }
    }

    pub fn put(&self, path: &str, body: &[u8]) {
        self.answers.lock().unwrap().insert(path.to_owned(), body.to_vec());
    }

    pub fn take(&self, path: &str) {
        self.answers.lock().unwrap().remove(path);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
