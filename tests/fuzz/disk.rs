//! A presentation on a disk that is a few slices.

use smoothcore::error::{Code, Result};
use smoothcore::io::{Request, RequestId, RequestKind};
use smoothcore::limits::Limits;
use smoothcore::local::{Local, URL};
use smoothcore::manifest::ManifestParser;
use smoothcore::mem::Account;
use smoothcore::port::{Http, Progress, Source};
use smoothcore::time::Instant;

/// What a presentation on disk may hold.
pub const ENOUGH: usize = 256 << 10;

/// Names and contents; the empty name stands for every name that ends in `.ismv`.
pub struct Disk<'a> {
    /// The files.
    pub files: &'a [(&'a str, &'a [u8])],
    /// Bytes of one read at most.
    pub piece: usize,
    /// Says "later" whenever it did not do so the time before.
    pub slow: bool,
}

/// The disk with its memory of what it said.
struct Head<'a> {
    disk: Disk<'a>,
    said: bool,
    open: i32,
}

impl Head<'_> {
    fn later(&mut self) -> bool {
        self.said = self.disk.slow && !self.said;
        self.said
    }
}

impl<'a> Source for Head<'a> {
    type File = &'a [u8];

    fn open(&mut self, name: &str) -> Progress<&'a [u8]> {
        if self.later() {
            return Progress::Pending;
        }
        let is = |known: &str| known == name || known.is_empty() && name.ends_with(".ismv");
        match self.disk.files.iter().find(|(known, _)| is(known)) {
            Some((_, bytes)) => {
                self.open += 1;
                Progress::Ready(bytes)
            }
            None => Progress::End,
        }
    }

    fn size(&mut self, file: &mut &'a [u8]) -> core::result::Result<u64, Code> {
        Ok(file.len() as u64)
    }

    fn read_at(&mut self, file: &mut &'a [u8], offset: u64, buffer: &mut [u8]) -> Progress<usize> {
        assert!(!buffer.is_empty(), "a read of nothing");
        if self.later() {
            return Progress::Pending;
        }
        let rest = usize::try_from(offset).ok().and_then(|at| file.get(at..)).filter(|rest| !rest.is_empty());
        let Some(rest) = rest else { return Progress::End };
        let count = rest.len().min(buffer.len()).min(self.disk.piece);
        buffer[..count].copy_from_slice(&rest[..count]);
        Progress::Ready(count)
    }

    fn close(&mut self, _: &'a [u8]) {
        self.open -= 1;
    }
}

/// Opens `name` on `disk` under a `budget` and reads its client manifest and the first fragment of each stream: status and body of each
/// answer, or the number of the error.
pub fn look(
    account: &mut Account,
    disk: Disk<'_>,
    budget: usize,
    name: &str,
) -> std::result::Result<Vec<(u16, Vec<u8>)>, i32> {
    let before = crate::heap();
    let mut local = Local::new(Head { disk, said: false, open: 0 }, &Limits::default(), budget);
    let opened = local.open(name);
    assert_eq!(local.held(), crate::heap() - before, "what it says it holds, and what it does");
    opened.map_err(|e| e.code.number())?;
    let answers = answers(account, &mut local);
    assert!(local.peak() <= budget, "more than the presentation may hold");
    answers
}

fn answers(
    account: &mut Account,
    local: &mut Local<Head<'_>>,
) -> std::result::Result<Vec<(u16, Vec<u8>)>, i32> {
    let (status, text) = get(local, URL)?;
    let written = text.starts_with(b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<SmoothStreamingMedia ");
    let mut all = vec![(status, text)];
    let mut urls = Vec::new();
    let mut parser = ManifestParser::new(&Limits::default());
    let fed: Result<()> = parser.feed(account, &all[0].1);
    match fed.and_then(|()| parser.finish()) {
        Ok(mut manifest) => {
            for stream in manifest.streams.iter() {
                if let (Some(level), Some(first)) = (stream.levels.first(), stream.timeline.first()) {
                    urls.push(format!(
                        "http://local/presentation.ism/QualityLevels({})/Fragments({}={})",
                        level.bitrate,
                        stream.name.as_str(),
                        first.start
                    ));
                }
            }
            manifest.free(account);
        }
        // What is made here is well-formed; whether anything in it can be played is up to the file.
        Err(e) => assert!(!written || e.code == Code::ManifestNothingPlayable || is_limit(e.code), "{e}"),
    }
    parser.free(account);
    for url in urls.iter().take(8) {
        all.push(get(local, url).unwrap_or_else(|number| (0, number.to_string().into_bytes())));
    }
    Ok(all)
}

/// Whether what was written is only too much.
fn is_limit(code: Code) -> bool {
    matches!(code.number(), -130..=-120 | -324 | -420)
}

fn get(local: &mut Local<Head<'_>>, url: &str) -> std::result::Result<(u16, Vec<u8>), i32> {
    let kind = if url == URL { RequestKind::Manifest } else { RequestKind::Fragment };
    let (at, id) = (Instant(0), RequestId(1));
    local.start(at, &Request { id, url, kind, stream: None, attempt: 1 }).map_err(|code| code.number())?;
    let (mut status, mut body, mut buffer) = (0, Vec::new(), [0; 1000]);
    let mut turns = 0;
    let outcome = loop {
        turns += 1;
        assert!(turns < 1_000_000, "no end");
        if status == 0 {
            match local.response(at, id) {
                Progress::Ready(head) => status = head.status,
                Progress::Failed(code) => break Err(code.number()),
                Progress::Pending => {}
                Progress::End => panic!("an answer without a head"),
            }
            continue;
        }
        match local.read(at, id, &mut buffer) {
            Progress::Ready(count) => body.extend_from_slice(&buffer[..count]),
            Progress::End => break Ok((status, body)),
            Progress::Failed(code) => break Err(code.number()),
            Progress::Pending => {}
        }
    };
    local.cancel(id);
    outcome
}
