//! The budget, divided: a reserve for each stream, the rest shared.
//!
//! No stream takes another's reserve, so a decoder that refuses video until it has audio, or the reverse, never
//! deadlocks.

use super::Session;
use crate::codec::Kind;
use crate::decimal::Decimal;
use crate::error::{Code, Error, Result};

/// Blocks below which a stream cannot move: one being filled, one being handed out, one for a sample across both.
const FEWEST: usize = 3;

/// What a sample table is taken for before any is known: 100 samples.
const SMALL_TABLE: usize = 2_000;

impl Session {
    /// Divides what the manifest has left between the played streams.
    ///
    /// # Errors
    /// [`Code::Budget`] when a stream would get fewer than three blocks.
    pub(super) fn divide_budget(&mut self) -> Result<()> {
        let media = self.feeds.iter().fold(0usize, |sum, f| sum.saturating_add(f.blocks()));
        let block = self.pool.block_bytes();
        let other = self.account.held().saturating_sub(self.pool.charged());

        // An eighth for sample tables, lists and copies.
        let total =
            self.config.budget.saturating_sub(other).saturating_sub(self.config.budget / 8) / block.max(1);
        let weight = |kind: Kind| if kind == Kind::Video { 4usize } else { 1 };
        let played = || self.feeds.iter().filter(|f| f.selected && f.leads());
        let weights = played().fold(0usize, |sum, f| sum.saturating_add(weight(f.kind)));
        if weights == 0 {
            return Ok(());
        }
        let least = played().count().saturating_mul(FEWEST);
        if total < least {
            return Err(Error::at(Code::Budget, "Config::budget", 0));
        }
        // Reading a manifest again has room kept for it, as far as media can spare it.
        let total = if self.is_growing() {
            let kept = self.refresh_reserve() / block.max(1);
            total.saturating_sub(kept.min(total.saturating_sub(least.saturating_mul(2))))
        } else {
            total
        };
        let texts = self.feeds.iter().filter(|f| f.selected && f.fetches_text()).count();
        let mut reserved = 0usize;
        // Text gets a share of its own and no more; half of the rest is reserved by weight, half goes to whoever needs
        // it. Where nothing can be spared, text goes without.
        let text = (total / 8 / texts.max(1)).max(FEWEST);
        let text = if text.saturating_mul(texts) <= total.saturating_sub(least) { text } else { 0 };
        let rest = total.saturating_sub(text.saturating_mul(texts));
        for f in self.feeds.iter_mut().filter(|f| f.selected) {
            let share = (rest / 2).saturating_mul(weight(f.kind)) / weights;
            f.reserve = match (f.leads(), f.fetches_text()) {
                (true, _) => share.max(FEWEST).min(rest),
                (false, true) => text,
                (false, false) => 0,
            };
            reserved = reserved.saturating_add(f.reserve);
        }
        self.shared_blocks = total.saturating_sub(reserved);
        self.media_blocks = total;
        log::debug!(
            target: crate::trace::SESSION,
            "{} blocks of {} bytes, {} reserved, {} in use",
            Decimal(total as u64), Decimal(block as u64), Decimal(reserved as u64), Decimal(media as u64)
        );
        for i in 0..self.feeds.len() {
            if text == 0 && self.feeds.get(i).is_some_and(|f| f.selected && f.fetches_text()) {
                self.drop_stream(i, Error::at(Code::Budget, "Config::budget", 0));
            }
        }
        Ok(())
    }

    /// Blocks that stream may still take.
    pub(super) fn blocks_open_to(&self, i: usize) -> usize {
        let Some(feed) = self.feeds.get(i) else { return 0 };
        let own = feed.reserve.saturating_sub(feed.blocks());
        if !feed.leads() {
            return own;
        }
        let over = |used: usize, reserve: usize| used.saturating_sub(reserve);
        let shared = self.feeds.iter().fold(0usize, |sum, f| sum.saturating_add(over(f.blocks(), f.reserve)));
        own.saturating_add(self.shared_blocks.saturating_sub(shared))
    }

    /// Whether another fragment's sample table has room beside the blocks that are still to be taken. Used fragments
    /// bring their table along.
    pub(super) fn table_fits(&self, i: usize) -> bool {
        let Some(feed) = self.feeds.get(i) else { return false };
        if !feed.spare.is_empty() {
            return true;
        }
        let largest = feed
            .queue
            .iter()
            .map(|f| f.table.charged().saturating_add(f.cipher.charged()))
            .max()
            .unwrap_or(0)
            .max(SMALL_TABLE);
        let to_come =
            self.media_blocks.saturating_mul(self.pool.block_bytes()).saturating_sub(self.pool.charged());
        // Twice: a table that grows is held twice for a moment.
        self.account.room() >= to_come.saturating_add(largest.saturating_mul(2))
    }

    /// Sees to it that `bytes` more can be charged, twice: a list that grows is held twice for a moment. Blocks that lie
    /// idle give way.
    pub(super) fn make_room(&mut self, bytes: usize) {
        self.pool.trim(&mut self.account, bytes.saturating_mul(2));
    }

    /// Bytes of the largest sample the stream is sure to have room for.
    pub(super) fn largest_sample(&self, i: usize) -> u64 {
        let reserve = self.feeds.get(i).map_or(0, |f| f.reserve);
        // Its first and last byte may each share a block with a neighbour.
        (reserve.saturating_sub(1) as u64).saturating_mul(self.pool.block_bytes() as u64)
    }
}
