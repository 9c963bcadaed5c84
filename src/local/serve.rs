//! Requests and what answers them.

use super::files::{FileId, Stop};
use super::index::{Search, extent};
use super::{ClientManifest, Local, MOST};
use crate::error::{Code, Error};
use crate::io::{Request, RequestId, RequestKind, Response};
use crate::port::{Http, Progress, Source};
use crate::time::Instant;

/// One request and how far its answer is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange {
    id: RequestId,
    stage: Stage,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The client manifest is wanted.
    Manifest,
    /// The fragment of a track that starts at this time is wanted.
    Fragment { track: usize, time: u64, search: Search },
    /// Its end is wanted: where it starts, how far is known, boxes passed.
    Extent { file: FileId, from: u64, at: u64, passed: u32 },
    /// There is none.
    NotFound,
    /// These bytes of a file are the rest of the answer.
    Bytes { file: FileId, at: u64, end: u64, kind: &'static str },
    /// The answer is being written.
    Written,
}

impl<S: Source> Http for Local<S> {
    fn start(&mut self, _: Instant, request: &Request<'_>) -> Result<(), Code> {
        if self.exchanges.iter().any(|e| e.id == request.id) {
            return Err(Code::State);
        }
        let stage = match request.kind {
            RequestKind::Manifest => Stage::Manifest,
            _ => match self.catalog.look_up(request.url) {
                Some((track, time)) => Stage::Fragment { track, time, search: Search::default() },
                None => Stage::NotFound,
            },
        };
        if self.exchanges.len() >= MOST {
            return Err(Code::NetworkIo);
        }
        let exchange = Exchange { id: request.id, stage };
        self.exchanges.push(&mut self.account, exchange).map_err(|error| error.code)
    }

    fn response(&mut self, _: Instant, id: RequestId) -> Progress<Response<'_>> {
        let stage = match self.exclusively(id, Local::advance) {
            Ok(stage) => stage,
            Err(Stop::Pending) => return Progress::Pending,
            Err(Stop::Failed(error)) => return Progress::Failed(error.code),
        };
        let head = |status, content_length, content_type| {
            Progress::Ready(Response { status, content_length, content_type, ..Response::default() })
        };
        match stage {
            Stage::Bytes { at, end, kind, .. } => head(200, Some(end.saturating_sub(at)), kind),
            Stage::Written => head(200, None, "text/xml"),
            _ => head(404, Some(0), ""),
        }
    }

    fn read(&mut self, _: Instant, id: RequestId, buffer: &mut [u8]) -> Progress<usize> {
        let Local { files, exchanges, .. } = self;
        let Some(exchange) = exchanges.iter_mut().find(|e| e.id == id) else {
            return Progress::Failed(Code::NetworkIo);
        };
        match &mut exchange.stage {
            Stage::Bytes { file, at, end, .. } => {
                let left = usize::try_from(end.saturating_sub(*at)).unwrap_or(usize::MAX);
                let most = left.min(buffer.len());
                if most == 0 {
                    return Progress::End;
                }
                let got = files.read(*file, *at, buffer.get_mut(..most).unwrap_or(&mut []));
                if let Progress::Ready(count) = got {
                    *at = at.saturating_add(count as u64);
                }
                // The size was known: the file has shrunk since.
                if got == Progress::End { Progress::Failed(Code::BodyTruncated) } else { got }
            }
            Stage::Written => match self.exclusively(id, |local, _| local.written(buffer)) {
                Ok(0) => Progress::End,
                Ok(count) => Progress::Ready(count),
                Err(Stop::Pending) => Progress::Pending,
                Err(Stop::Failed(error)) => Progress::Failed(error.code),
            },
            _ => Progress::End,
        }
    }

    fn cancel(&mut self, id: RequestId) {
        if let Some(n) = self.exchanges.iter().position(|e| e.id == id) {
            self.exchanges.remove(n);
        }
        if self.busy == Some(id) {
            self.busy = None;
        }
        if self.exchanges.is_empty() {
            self.writer.free(&mut self.account);
            self.files.shrink(&mut self.account);
        }
    }
}

impl<S: Source> Local<S> {
    /// Lets one exchange look into the files, unless another one is about to.
    fn exclusively<T>(
        &mut self,
        id: RequestId,
        act: impl FnOnce(&mut Self, RequestId) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        if self.busy.is_some_and(|other| other != id) {
            return Err(Stop::Pending);
        }
        let done = act(self, id);
        self.busy = matches!(done, Err(Stop::Pending)).then_some(id);
        done
    }

    /// Brings an exchange to where its answer is known.
    fn advance(&mut self, id: RequestId) -> Result<Stage, Stop> {
        for _ in 0..MOST {
            let Some(n) = self.exchanges.iter().position(|e| e.id == id) else { break };
            let Some(mut stage) = self.exchanges.get(n).map(|e| e.stage) else { break };
            let next = self.step(&mut stage);
            let next = match next {
                Ok(next) => next,
                Err(stop) => {
                    self.store(n, stage);
                    return Err(stop);
                }
            };
            self.store(n, next.unwrap_or(stage));
            if next.is_none() {
                return Ok(stage);
            }
        }
        Err(Error::from(Code::NetworkIo).into())
    }

    fn store(&mut self, n: usize, stage: Stage) {
        if let Some(exchange) = self.exchanges.get_mut(n) {
            exchange.stage = stage;
        }
    }

    /// The next stage; `None` when the answer is known.
    fn step(&mut self, stage: &mut Stage) -> Result<Option<Stage>, Stop> {
        match stage {
            Stage::Manifest => match self.load()? {
                ClientManifest::File(file) => {
                    let end = self.files.open(file)?;
                    Ok(Some(Stage::Bytes { file, at: 0, end, kind: "text/xml" }))
                }
                ClientManifest::Written => {
                    self.writer.begin();
                    Ok(Some(Stage::Written))
                }
            },
            Stage::Fragment { track, time, search } => self.find(*track, *time, search).map(Some),
            Stage::Extent { file, from, at, passed } => {
                let Local { files, account, .. } = self;
                let (file, from) = (*file, *from);
                match extent(files, account, file, at, passed) {
                    Ok(end) if end.saturating_sub(from) > self.limits.fragment_bytes => {
                        Err(Error::at(Code::LimitFragmentBytes, "file", from).into())
                    }
                    Ok(end) => Ok(Some(Stage::Bytes { file, at: from, end, kind: "video/mp4" })),
                    // The index points to where no fragment is.
                    Err(Stop::Failed(Error { code: Code::BoxInvalid | Code::FragmentTruncated, .. })) => {
                        log::warn!(target: crate::trace::LOCAL, "an index points to what is no fragment");
                        Ok(Some(Stage::NotFound))
                    }
                    Err(stop) => Err(stop),
                }
            }
            Stage::NotFound | Stage::Bytes { .. } | Stage::Written => Ok(None),
        }
    }

    /// The place of a fragment.
    fn find(&mut self, track: usize, time: u64, search: &mut Search) -> Result<Stage, Stop> {
        let Local { files, account, limits, catalog, indexes, .. } = self;
        let Some(track) = catalog.tracks.get(track) else { return Ok(Stage::NotFound) };
        let Some(file) = track.file else { return Ok(Stage::NotFound) };
        match files.open(file) {
            Err(Stop::Failed(error)) if error.code == Code::NoFile => return Ok(Stage::NotFound),
            other => other?,
        };
        let at = Self::index_of(indexes, account, file)?;
        let Some(index) = indexes.get_mut(at) else { return Ok(Stage::NotFound) };
        index.prepare(files, account, limits, track.track_id)?;
        Ok(match index.find(files, account, track.track_id, time, search)? {
            Some(from) => Stage::Extent { file, from, at: from, passed: 0 },
            None => Stage::NotFound,
        })
    }
}
