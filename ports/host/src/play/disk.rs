//! Presentations on disk: the core's files, and the one HTTP port that serves either kind.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use smoothcore::error::{Code, Error};
use smoothcore::io::{Request, RequestId, Response};
use smoothcore::limits::Limits;
use smoothcore::local::{Local, URL, is_local};
use smoothcore::port::{Http, Progress, Source};
use smoothcore::time::Instant;
use smoothcore_ureq::UreqHttp;

use super::net::{Waker, stack};

/// Most bytes that the files of one presentation may take: the index of hours without one, and room to spare.
const BUDGET: usize = 4 << 20;

/// Files by their paths.
pub struct Disk;

impl Source for Disk {
    type File = File;

    fn open(&mut self, name: &str) -> Progress<File> {
        match File::open(name) {
            Ok(file) if file.metadata().is_ok_and(|about| about.is_file()) => Progress::Ready(file),
            Ok(_) => Progress::Failed(Code::FileIo),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Progress::End
            }
            Err(_) => Progress::Failed(Code::FileIo),
        }
    }

    fn size(&mut self, file: &mut File) -> Result<u64, Code> {
        file.metadata().map(|about| about.len()).map_err(|_| Code::FileIo)
    }

    fn read_at(&mut self, file: &mut File, offset: u64, buffer: &mut [u8]) -> Progress<usize> {
        loop {
            match FileExt::read_at(file, buffer, offset) {
                Ok(0) => return Progress::End,
                Ok(count) => return Progress::Ready(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Progress::Failed(Code::FileIo),
            }
        }
    }

    fn close(&mut self, _: File) {}
}

/// Where a presentation comes from.
pub enum Origin {
    Server(UreqHttp),
    Disk(Box<Local<Disk>>),
}

impl Origin {
    /// What `name`, a URL or a path, comes from, and the URL to play.
    ///
    /// # Errors
    /// As [`Local::open`], or when there can be no HTTP stack.
    pub fn of<'a>(name: &'a str, waker: &Arc<Waker>) -> Result<(Self, &'a str), Error> {
        if !is_local(name) {
            return Ok((Self::Server(stack(waker)?), name));
        }
        let mut local = Local::new(Disk, &Limits::default(), BUDGET);
        local.open(name)?;
        Ok((Self::Disk(Box::new(local)), URL))
    }

    fn http(&mut self) -> &mut dyn Http {
        match self {
            Self::Server(http) => http,
            Self::Disk(local) => &mut **local,
        }
    }
}

impl Http for Origin {
    fn start(&mut self, at: Instant, request: &Request<'_>) -> Result<(), Code> {
        self.http().start(at, request)
    }

    fn response(&mut self, at: Instant, id: RequestId) -> Progress<Response<'_>> {
        self.http().response(at, id)
    }

    fn read(&mut self, at: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        self.http().read(at, id, buffer)
    }

    fn cancel(&mut self, id: RequestId) {
        self.http().cancel(id);
    }
}
