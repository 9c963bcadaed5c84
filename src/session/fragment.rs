//! One fragment on its way: its bytes as they come, its samples as they are found.

use super::protect::Cipher;
use crate::mem::{Account, Chain, Pool};
use crate::mp4::subs::PartTable;
use crate::mp4::{BoxWalk, SampleTable};

/// What the bytes of a fragment are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Boxes.
    Boxes,
    /// Of a text stream, and not yet known.
    Unknown,
    /// A bare document: the whole body is the sample.
    Document,
    /// This payload of the manifest is the sample; there is no body.
    Payload(u32),
}

/// One fragment being fetched or handed out.
#[derive(Debug)]
pub(super) struct Fragment {
    /// As it stood in the URL, in stream ticks.
    pub start: u64,
    pub duration: u64,
    /// Position of its level in the manifest's list.
    pub level: u16,
    pub bitrate: u32,
    pub form: Form,
    pub body: Chain,
    pub walk: BoxWalk,
    pub table: SampleTable,
    pub cipher: Cipher,
    /// Of text: where the parts of samples begin.
    pub parts: PartTable,
    /// Samples whose place in the body is known and checked.
    pub placed: usize,
    pub complete: bool,
    /// Index of the next sample to hand out.
    pub next: usize,
    /// Decoding time of that sample, in stream ticks.
    pub dts: u64,
    /// The sample whose bytes are in the decoder's form.
    pub prepared: Option<usize>,
    /// Fetched again after samples have left: the new table must equal the old one.
    pub again: bool,
    /// Samples leave in the order of their bytes, so blocks behind them can go.
    pub in_order: bool,
    /// The fragment before it was lost.
    pub after_hole: bool,
    /// Samples before this are in the fragment before it, too; in stream ticks.
    pub lead_in: u64,
    /// Its first sample is a picture at which decoding cannot start.
    pub no_key: bool,
    /// Samples in which parameter sets have been looked for.
    pub searched: usize,
}

impl Fragment {
    pub fn new() -> Fragment {
        Fragment {
            start: 0,
            duration: 0,
            level: 0,
            bitrate: 0,
            form: Form::Boxes,
            body: Chain::new(),
            walk: BoxWalk::new(),
            table: SampleTable::new(),
            cipher: Cipher::new(),
            parts: PartTable::new(),
            placed: 0,
            complete: false,
            next: 0,
            dts: 0,
            prepared: None,
            again: false,
            in_order: true,
            after_hole: false,
            lead_in: 0,
            no_key: false,
            searched: 0,
        }
    }

    /// A sample of it has been accepted, or may have been: it can no longer be replaced.
    pub const fn committed(&self) -> bool {
        self.next > 0 || self.again
    }

    /// Makes it ready for a body from byte 0.
    pub fn restart(&mut self, pool: &mut Pool, account: &mut Account) {
        self.body.clear(pool, account);
        self.walk = BoxWalk::new();
        self.complete = false;
        self.cipher.clear();
        self.prepared = None;
        self.searched = 0;
        self.placed = 0;
        self.parts.clear();
        if self.committed() {
            self.again = true;
        } else {
            self.again = false;
            self.table.clear();
            self.dts = self.start;
            self.in_order = true;
        }
    }

    /// Ticks of it that have not been handed out.
    pub fn left(&self) -> u64 {
        self.left_from(0)
    }

    /// The same without what is not shown because it lies before `unseen`.
    pub fn left_from(&self, unseen: u64) -> u64 {
        let from = self.dts.max(unseen).max(self.lead_in);
        self.duration.saturating_sub(from.saturating_sub(self.start))
    }

    /// Ticks of the sample handed out next that are shown.
    pub fn shown_of(&self, ticks: u64, unseen: u64) -> u64 {
        self.dts.saturating_add(ticks).saturating_sub(self.dts.max(unseen).max(self.lead_in)).min(ticks)
    }

    /// Ticks that are shown of the samples that are here, of a fragment that is still arriving.
    pub fn here(&self, unseen: u64) -> u64 {
        let here = self.body.len();
        let samples = self.table.samples().get(..self.placed).unwrap_or_default().iter().skip(self.next);
        let whole = samples.take_while(|s| u64::from(s.offset).saturating_add(u64::from(s.size)) <= here);
        let ticks = whole.fold(0u64, |sum, s| sum.saturating_add(u64::from(s.duration)));
        self.shown_of(ticks, unseen)
    }
}
