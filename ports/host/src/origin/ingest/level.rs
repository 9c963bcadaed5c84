//! One level of a channel that is published: what has come, what is held back, what is out.

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use anyhow::Result;

use super::archive::MediaWriter;
use super::feed::{Announced, Fragment};
use crate::media::Kind;
use crate::media::ismc::Rendition;
use crate::media::stamp::{self, Stamp};
use crate::media::track::Track;
use crate::origin::live::spec::Spec;

/// Where a fragment lies that is out.
#[derive(Clone, Copy, Debug)]
pub struct Out {
    pub time: u64,
    pub duration: u64,
    pub offset: u64,
    pub len: usize,
    /// Bytes of its `moof`.
    pub moof: usize,
}

/// One level.
pub struct Level {
    pub kind: Kind,
    /// The name of its stream.
    pub stream: String,
    pub language: String,
    pub bitrate: u64,
    pub track: Track,
    /// The stream of the encoder it came with, and so its file.
    pub feed: usize,
    held: VecDeque<Fragment>,
    pub out: Vec<Out>,
    sequence: u32,
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    New,
    /// It was there already.
    Again,
}

impl Level {
    pub fn new(announced: &Announced, stream: String, language: String, bitrate: u64, feed: usize) -> Self {
        Self {
            kind: announced.track.kind,
            stream,
            language,
            bitrate,
            track: announced.track.clone(),
            feed,
            held: VecDeque::new(),
            out: Vec::new(),
            sequence: 0,
        }
    }

    /// The time of the newest fragment, held back or not.
    pub fn newest(&self) -> Option<u64> {
        self.held.back().map(|held| held.time).or(self.out.last().map(|out| out.time))
    }

    /// Whether a fragment of that time is held back.
    pub fn holds(&self, time: u64) -> bool {
        self.held.iter().any(|held| held.time == time)
    }

    /// Takes what came, and lets out what is followed by enough others.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn take(&mut self, fragment: Fragment, spec: &Spec, file: &mut MediaWriter) -> Result<Taken> {
        if self.newest().is_some_and(|newest| fragment.time <= newest) {
            return Ok(Taken::Again);
        }
        if let Some(before) = self.held.back_mut() {
            let until = fragment.time - before.time;
            // Durations are rounded on their own; a hole is none of that.
            if until.abs_diff(before.duration) < before.duration / 2 {
                before.duration = until;
            }
        }
        self.held.push_back(fragment);
        while self.held.len() > usize::from(spec.look_ahead) {
            self.let_out(spec, file)?;
        }
        Ok(Taken::New)
    }

    /// Lets out all that was held back: nothing follows.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(&mut self, spec: &Spec, file: &mut MediaWriter) -> Result<()> {
        while !self.held.is_empty() {
            self.let_out(spec, file)?;
        }
        Ok(())
    }

    fn let_out(&mut self, spec: &Spec, file: &mut MediaWriter) -> Result<()> {
        let Some(fragment) = self.held.pop_front() else { return Ok(()) };
        let following: Vec<_> =
            self.held.iter().take(spec.look_ahead.into()).map(|next| (next.time, next.duration)).collect();
        self.sequence += 1;
        let stamp = Stamp {
            time: fragment.time,
            duration: fragment.duration,
            following: &following,
            tfxd: spec.tfxd,
            tfrf: spec.tfrf.filter(|_| !following.is_empty()),
            decode_time: spec.decode_time,
            sequence: self.sequence,
            track: Some(self.track.id),
            defaults: self.track.defaults,
            scale: None,
        };
        let bytes = stamp::stamp(&fragment.bytes, &stamp)?;
        let moof = crate::media::boxes::head(&bytes, bytes.len() as u64)?.size as usize;
        let offset = file.put(&bytes)?;
        let Fragment { time, duration, .. } = fragment;
        self.out.push(Out { time, duration, offset, len: bytes.len(), moof });
        Ok(())
    }

    /// What is out at exactly a time.
    pub fn find(&self, time: u64) -> Option<Out> {
        let at = self.out.binary_search_by_key(&time, |out| out.time).ok()?;
        self.out.get(at).copied()
    }

    pub fn rendition(&self) -> Rendition<'_> {
        Rendition { bitrate: self.bitrate, attributes: &[], track: &self.track }
    }
}

/// Reads `len` bytes of a fragment that is out.
///
/// # Errors
/// When the file cannot be read.
pub fn read(file: &Arc<File>, out: Out, len: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, out.offset)?;
    Ok(bytes)
}
