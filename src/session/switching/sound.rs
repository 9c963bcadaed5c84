//! Sound gets a small share of the link, and changes seldom.

use super::super::Session;
use super::rung_of;
use crate::io::{Decided, Why};
use crate::time::Micros;

/// Between two changes.
const SELDOM: Micros = Micros::from_secs(30);

impl Session {
    /// The rung for sound: the highest of at most a tenth of the rate that three of four fragments get.
    pub(super) fn share_for_sound(&mut self, i: usize, start: u64, ahead: Micros) -> Option<u16> {
        let rate = self.planned_rate();
        let sigma = u64::from(self.switching.sigma.min(1_200));
        let now = self.now;
        let feed = self.feeds.get_mut(i)?;
        let lowest = feed.rungs.iter().position(|r| r.is_open())?;
        let present = feed.rung.map(usize::from).filter(|n| feed.rungs.get(*n).is_some_and(|r| r.is_open()));
        // e to the 0.6745 sigma, by the first terms of its series.
        let off = sigma.saturating_mul(6_745) / 10_000;
        let square = off.saturating_mul(off);
        let factor = 1_000u64
            .saturating_add(off)
            .saturating_add(square / 2_000)
            .saturating_add(square.saturating_mul(off) / 6_000_000);
        let sure = rate.map_or(0, |r| r.saturating_mul(1_000) / factor.max(1));
        let within =
            |share: u64| feed.rungs.iter().rposition(|r| r.is_open() && u64::from(r.bitrate) <= share);
        let wanted = within(sure / 10).unwrap_or(lowest);
        let rung = match present {
            None => wanted,
            Some(present) => {
                let recent = self.switching.sound_changed.is_some_and(|at| now.since(at) < SELDOM);
                let bitrate = feed.rungs.get(present).map_or(0, |r| u64::from(r.bitrate));
                let dear = rate.is_some() && bitrate > sure / 5;
                // Upwards only with something to spare.
                let up = within(sure / 12).unwrap_or(lowest);
                match () {
                    () if dear && wanted < present => wanted,
                    () if recent => present,
                    () if up > present => up,
                    () => present,
                }
            }
        };
        let changed = present != Some(rung);
        let known = rung_of(feed, feed.rungs.get(rung)?.level)?;
        let bitrate = feed.rungs.get(rung)?.bitrate;
        // A fragment for which there is no room yet is decided about again and again.
        let decision = Some((start, bitrate));
        if changed && feed.told != decision {
            feed.told = decision;
            let (id, time) = (feed.id, feed.scale.media_time(start));
            let why = if rate.is_some() { Why::Share } else { Why::Start };
            let told = Decided::new(bitrate, ahead, why, rate);
            // The first choice without knowledge is soon mended.
            if present.is_some() || rate.is_some() {
                self.switching.sound_changed = Some(now);
            }
            self.tell_decision(id, time, told);
        }
        u16::try_from(known).ok()
    }
}
