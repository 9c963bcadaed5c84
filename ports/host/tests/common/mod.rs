//! What the tests share: the test card, scratch directories, a running origin, a plain HTTP client.
#![allow(dead_code)] // Each test file uses its part.

pub mod ismv;
pub mod live;
pub mod made;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The committed test presentation.
pub fn testcard() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/media/testcard")
        .canonicalize()
        .expect("tests/media")
}

/// The six media files of the test card.
pub fn media() -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(testcard()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| matches!(path.extension().and_then(|ext| ext.to_str()), Some("ismv" | "isma")));
    files.sort();
    assert_eq!(files.len(), 6);
    files
}

/// An empty directory of that name.
pub fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Runs the command to its end.
pub fn smoothcore(args: &[&str], files: &[PathBuf]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_smoothcore")).args(args).args(files).output().unwrap()
}

/// The top-level boxes of a file: type, and where it lies.
pub fn boxes(file: &[u8]) -> Vec<([u8; 4], std::ops::Range<usize>)> {
    let (mut at, mut found) = (0, Vec::new());
    while at < file.len() {
        let size = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        found.push((file[at + 4..at + 8].try_into().unwrap(), at..at + size));
        at += size;
    }
    found
}

/// The fragments of a file in its order: where the `moof` lies, and where `moof` and `mdat` together.
pub fn fragments(file: &[u8]) -> Vec<(std::ops::Range<usize>, std::ops::Range<usize>)> {
    let pair = |pair: &[([u8; 4], std::ops::Range<usize>)]| {
        (&pair[0].0 == b"moof").then(|| {
            assert_eq!(&pair[1].0, b"mdat");
            (pair[0].1.clone(), pair[0].1.start..pair[1].1.end)
        })
    };
    boxes(file).windows(2).filter_map(pair).collect()
}

/// A running `smoothcore origin`; killed when dropped.
pub struct Origin {
    pub child: Child,
    pub address: String,
    /// URL paths of the manifests it announced.
    pub manifests: Vec<String>,
}

impl Origin {
    pub fn start(dir: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smoothcore"));
        let mut child = command
            .arg("origin")
            .arg(dir)
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut words = line.trim_end().strip_prefix("listening on ").expect("the first line").split(' ');
        let root = words.next().unwrap().strip_suffix('/').unwrap().to_owned();
        let manifests = words.map(|url| url.strip_prefix(&root).unwrap().to_owned()).collect();
        let address = root.strip_prefix("http://").unwrap().to_owned();
        Self { child, address, manifests }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"))
    }

    pub fn get_with(&self, path: &str, field: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: test\r\n{field}\r\nConnection: close\r\n\r\n"))
    }

    /// Sends one request that makes the origin close the connection, and reads the response.
    pub fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::parse(&bytes)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response, all of it.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head") + 4;
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}
