//! Files in memory, and ways to play them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use smoothcore::error::{Code, Error};
use smoothcore::io::{Event, Request, RequestId, RequestKind};
use smoothcore::limits::Limits;
use smoothcore::local::{Local, URL};
use smoothcore::player::Player;
use smoothcore::port::{Http, Progress, Source};
use smoothcore::session::{AudioChoice, Config, State};
use smoothcore::time::Instant;

use crate::common::{Recorder, origin};

/// Files in memory.
#[derive(Clone, Default)]
pub struct Memory {
    pub files: BTreeMap<String, Rc<Vec<u8>>>,
    /// Bytes of one read at most.
    pub piece: usize,
    /// The first asking for a place comes to nothing.
    pub slow: bool,
    pub tally: Rc<Tally>,
    pub asked: BTreeSet<(String, u64)>,
}

/// What was done.
#[derive(Default)]
pub struct Tally {
    pub open: Cell<i32>,
    pub opened: Cell<u32>,
    pub bytes: Cell<u64>,
    pub reads: Cell<u32>,
}

pub struct File {
    name: String,
    bytes: Rc<Vec<u8>>,
}

impl Memory {
    /// The test card.
    pub fn testcard() -> Memory {
        let mut memory = Memory { piece: usize::MAX, ..Memory::default() };
        for entry in std::fs::read_dir(origin::media()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            memory.put(&name, std::fs::read(path).unwrap());
        }
        memory
    }

    pub fn put(&mut self, name: &str, bytes: Vec<u8>) {
        self.files.insert(name.to_owned(), Rc::new(bytes));
    }

    pub fn with(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Memory {
        self.put(name, bytes.into());
        self
    }

    pub fn without(mut self, name: &str) -> Memory {
        assert!(self.files.remove(name).is_some(), "{name}");
        self
    }

    pub fn get(&self, name: &str) -> Vec<u8> {
        self.files[name].to_vec()
    }

    /// Whether a slow answer to the question is begun only now.
    fn is_new(&mut self, name: &str, at: u64) -> bool {
        let question = (name.to_owned(), at);
        self.slow && !self.asked.remove(&question) && self.asked.insert(question)
    }
}

impl Source for Memory {
    type File = File;

    fn open(&mut self, name: &str) -> Progress<File> {
        if self.is_new(name, u64::MAX) {
            return Progress::Pending;
        }
        let Some(bytes) = self.files.get(name) else { return Progress::End };
        self.tally.open.set(self.tally.open.get() + 1);
        self.tally.opened.set(self.tally.opened.get() + 1);
        Progress::Ready(File { name: name.to_owned(), bytes: bytes.clone() })
    }

    fn size(&mut self, file: &mut File) -> Result<u64, Code> {
        Ok(file.bytes.len() as u64)
    }

    fn read_at(&mut self, file: &mut File, offset: u64, buffer: &mut [u8]) -> Progress<usize> {
        assert!(!buffer.is_empty());
        if self.is_new(&file.name.clone(), offset) {
            return Progress::Pending;
        }
        let Some(rest) = file.bytes.get(offset as usize..).filter(|rest| !rest.is_empty()) else {
            return Progress::End;
        };
        let count = rest.len().min(buffer.len()).min(self.piece);
        buffer[..count].copy_from_slice(&rest[..count]);
        self.tally.bytes.set(self.tally.bytes.get() + count as u64);
        self.tally.reads.set(self.tally.reads.get() + 1);
        Progress::Ready(count)
    }

    fn close(&mut self, _: File) {
        self.tally.open.set(self.tally.open.get() - 1);
    }
}

pub const BUDGET: usize = 64 << 10;

pub fn local(memory: Memory) -> Local<Memory> {
    Local::new(memory, &Limits::default(), BUDGET)
}

/// What a play left.
pub struct Played {
    pub state: State,
    pub events: Vec<Event>,
    pub decoder: Recorder,
    pub held: usize,
}

pub fn config() -> Config {
    Config { audio: AudioChoice::All, seed: 7, ..Config::default() }
}

/// Plays `name` to the end, or to a fatal error.
pub fn play(memory: Memory, name: &str, config: Config) -> Result<Played, Error> {
    let tally = memory.tally.clone();
    let mut local = local(memory);
    local.open(name)?;
    let mut player = Player::new(config, local, Recorder::unpaced())?;
    player.open(Instant(0), URL)?;
    let mut events = Vec::new();
    for tick in 0..200_000 {
        let turn = player.step(Instant(tick * 1000), &mut |e| events.push(*e));
        if matches!(turn.state, State::Failed(_)) || turn.state == State::Ended && player.is_played_out() {
            break;
        }
    }
    let (state, held, peak) = (player.session().state(), player.http().held(), player.http().peak());
    assert!(peak <= BUDGET);
    let (local, decoder) = player.into_ports();
    drop(local);
    assert_eq!(tally.open.get(), 0, "every file is closed");
    Ok(Played { state, events, decoder, held })
}

/// What is answered to one request: status and body.
pub fn get(local: &mut Local<Memory>, url: &str) -> Result<(u16, Vec<u8>), Code> {
    let kind = if url == URL { RequestKind::Manifest } else { RequestKind::Fragment };
    let (at, id) = (Instant(0), RequestId(1));
    local.start(at, &Request { id, url, kind, stream: None, attempt: 1 })?;
    let (mut status, mut length, mut body) = (0, None, Vec::new());
    let mut buffer = [0; 1000];
    let outcome = loop {
        if status == 0 {
            match local.response(at, id) {
                Progress::Ready(head) => (status, length) = (head.status, head.content_length),
                Progress::Failed(code) => break Err(code),
                Progress::Pending => {}
                Progress::End => panic!("no head"),
            }
            continue;
        }
        match local.read(at, id, &mut buffer) {
            Progress::Ready(count) => body.extend_from_slice(&buffer[..count]),
            Progress::End => break Ok(()),
            Progress::Failed(code) => break Err(code),
            Progress::Pending => {}
        }
    };
    local.cancel(id);
    outcome.map(|()| {
        assert!(length.is_none_or(|length| length == body.len() as u64));
        (status, body)
    })
}

/// The URL of a fragment.
pub fn fragment(bitrate: u32, name: &str, time: u64) -> String {
    format!("http://local/presentation.ism/QualityLevels({bitrate})/Fragments({name}={time})")
}
