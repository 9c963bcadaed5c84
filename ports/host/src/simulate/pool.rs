//! Many sessions on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::{Context, Result};

use crate::progress::Progress;

use super::controllers::Controller;
use super::data::Content;
use super::engine::{self, Known, Outcome};
use super::metrics::Metrics;
use super::shipped::Options;

/// What is to be played.
pub struct Job<'a> {
    pub content: &'a Content,
    /// Seconds.
    pub buffer: f64,
    pub controller: Controller,
    pub options: &'a Options,
}

impl Job<'_> {
    /// One session.
    pub fn session(&self, index: usize) -> Result<Outcome> {
        let movie = &self.content.movie;
        let known = Known {
            bitrates_kbps: movie.bitrates_kbps.clone(),
            duration: movie.duration(),
            segments: movie.segments(),
            buffer: self.buffer * 1000.0,
        };
        let mut rule = self.controller.make(&known, self.options);
        let trace = &self.content.traces[index];
        engine::run(&trace.periods, movie, known.buffer, rule.as_mut())
            .with_context(|| format!("trace \"{}\", {}", trace.name, self.controller.name()))
    }

    /// Every trace, in the order of the content.
    pub fn run(&self, what: &str) -> Result<Vec<Metrics>> {
        let count = self.content.traces.len();
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(count);
        let mut all = vec![Metrics::default(); count];
        let mut progress = Progress::new(what);
        std::thread::scope(|scope| {
            let (send, receive) = mpsc::channel();
            for _ in 0..threads {
                let (send, next) = (send.clone(), &next);
                scope.spawn(move || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= count {
                            return;
                        }
                        let metrics = self.session(index).map(|out| Metrics::of(&self.content.movie, &out));
                        if metrics.is_err() {
                            next.store(count, Ordering::Relaxed);
                        }
                        if send.send((index, metrics)).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(send);
            // Of several, the failure of the first trace: which that is does not depend on the threads.
            let mut failed: Option<(usize, anyhow::Error)> = None;
            for (done, (index, metrics)) in receive.iter().enumerate() {
                match metrics {
                    Ok(metrics) => all[index] = metrics,
                    Err(error) if failed.as_ref().is_none_or(|f| index < f.0) => {
                        failed = Some((index, error))
                    }
                    Err(_) => {}
                }
                progress.count(done + 1, count);
            }
            failed.map_or(Ok(()), |f| Err(f.1))
        })?;
        Ok(all)
    }
}
