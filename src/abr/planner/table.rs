//! The tables of the plan: what a state is worth, over buffer, last level and rate.
//!
//! Worth counts in [`UNIT`]s of the top level's utility. Times are in 1,024ths of a second, buffer bins in 256ths.

use super::logarithm::{ONE, exp, mul, narrow};
use super::tuning::Tuning;
use crate::error::Result;
use crate::mem::{Account, List};

/// The utility of the top level.
pub(super) const UNIT: i32 = 4096;
/// One second in the plan's unit of time.
pub(super) const SECOND: i32 = 1024;
/// The least that a state can be worth, and the most that one stall can cost: sums of both, 256 times, fit 32 bits.
const LEAST: i32 = -(1 << 22);
const DEAREST: i32 = 2_400_000;
/// What a level that may not be chosen is worth: less than any other, and a switch less still fits.
const CLOSED: i32 = -(1 << 29);
/// No download is thought to last longer, in seconds.
const LONGEST: i32 = 600;
/// Steps of the ln-rate: ln 1.35.
const STEP: i32 = 19_668;
/// The point that outages are taken from.
const CENTRE: i32 = -16_384;
/// The rate's points: distance in sigmas, in Q16, and weight, of 256.
const POINTS: [(i32, i32); 5] = [(-150_733, 15), (-68_813, 46), (CENTRE, 77), (29_491, 72), (78_643, 46)];

/// What the plan knows of a level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rung {
    pub bitrate: u32,
    /// Logarithm of the bitrate in bit/s.
    pub ln: i32,
    pub utility: i32,
    pub group: u16,
    pub open: bool,
    /// The most that the buffer holds when a fragment of it is asked for next, in bins.
    pub cap: i32,
}

/// What is the same for a whole sweep.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    /// Logarithm of a fragment's duration in seconds, plus that of real to nominal size.
    pub ln_size: i32,
    pub duration: i32,
    /// Before the first byte.
    pub wait: i32,
    pub sigma: i32,
    /// Chance of 256 that a download meets an outage, and what that lasts.
    pub outages: i32,
    pub outage: i32,
    /// Worth of a second's stall.
    pub mu: i32,
    /// Worth lost by crossing from one resolution group to another.
    pub crossing: i32,
    /// 1,024ths of the next state's worth that are lost.
    pub fade: i32,
}

/// Both tables, the row that is being made, and what their indices mean.
#[derive(Debug)]
pub(super) struct Tables {
    buffers: usize,
    rates: usize,
    levels: usize,
    /// ln-rate of the first rate.
    origin: i32,
    /// From one rate to the next: [`STEP`], or more where the ladder is wider than the axis would be.
    step: i32,
    /// Most buffer when a fragment is asked for, and one bin of it.
    top: i32,
    bin: i32,
    /// 256 bins in a time's unit, times 2^20: multiplying is cheaper than dividing.
    per_unit: i64,
    /// `[rate][level][buffer]`.
    now: List<i32>,
    next: List<i32>,
    /// The present worth as seen a step before: rates may change until then.
    seen: List<i32>,
}

/// Buffer bins and rate bins for so many levels: less of both for long ladders.
const fn shape(levels: usize) -> (usize, usize) {
    match levels {
        0..=10 => (24, 19),
        11..=16 => (20, 17),
        _ => (16, 14),
    }
}

impl Tables {
    /// Bytes that tables for so many levels take.
    pub const fn bytes(levels: usize) -> usize {
        let (buffers, rates) = shape(levels);
        3 * buffers * rates * levels * size_of::<i32>()
    }

    /// Tables of zeros.
    pub fn new(account: &mut Account, rungs: &[Rung], top: i32) -> Result<Tables> {
        let levels = rungs.len();
        let (buffers, rates) = shape(levels);
        let total = buffers.saturating_mul(rates).saturating_mul(levels);
        // 0.35 of the lowest bitrate.
        let origin = rungs.first().map_or(0, |r| r.ln).saturating_sub(68_800);
        // Twice the highest bitrate is on the axis, or the highest level would seem out of reach for good.
        let highest = rungs.last().map_or(0, |r| r.ln).saturating_add(45_426);
        let mut tables = Tables {
            buffers,
            rates,
            levels,
            origin,
            step: (highest.saturating_sub(origin) / narrow(rates as i64 - 1).max(1)).max(STEP),
            top: 1,
            bin: 1,
            per_unit: 0,
            now: List::new(),
            next: List::new(),
            seen: List::new(),
        };
        tables.set_top(top);
        if let Err(error) = tables.fill(account, total) {
            tables.free(account);
            return Err(error);
        }
        Ok(tables)
    }

    fn fill(&mut self, account: &mut Account, total: usize) -> Result<()> {
        self.now.reserve_exact(account, total)?;
        self.next.reserve_exact(account, total)?;
        self.now.resize(account, total, 0)?;
        self.seen.reserve_exact(account, total)?;
        self.next.resize(account, total, 0)?;
        self.seen.resize(account, total, 0)
    }

    pub fn free(&mut self, account: &mut Account) {
        self.now.free(account);
        self.next.free(account);
        self.seen.free(account);
    }

    /// Bytes held.
    pub fn charged(&self) -> usize {
        self.now.charged().saturating_add(self.next.charged()).saturating_add(self.seen.charged())
    }

    /// Another most buffer; the worth of the bins is kept.
    pub fn set_top(&mut self, top: i32) {
        let bins = narrow(self.buffers as i64 - 1).max(1);
        self.bin = (top.max(SECOND / 8) / bins).max(1);
        self.top = self.bin.saturating_mul(bins);
        self.per_unit = (256i64 << 20) / i64::from(self.bin);
    }

    pub const fn top(&self) -> i32 {
        self.top
    }

    /// A time in bins.
    pub fn bins(&self, time: i32) -> i32 {
        narrow((i64::from(time) * self.per_unit) >> 20)
    }

    /// The bin of the fullest buffer.
    pub fn last_bin(&self) -> i32 {
        narrow(self.buffers as i64 - 1).saturating_mul(256)
    }

    /// Nothing is worth anything: the end.
    pub fn clear(&mut self) {
        self.now.as_mut_slice().fill(0);
        self.seen.as_mut_slice().fill(0);
    }

    /// Where on the axis of rates an ln-rate lies: bin and 256ths, within the axis.
    fn place(&self, ln_rate: i32) -> (usize, i32) {
        let most = narrow(self.rates as i64 - 1) << 8;
        let at = (i64::from(ln_rate.saturating_sub(self.origin)) * 256 / i64::from(self.step.max(1)))
            // `clamp` would assert its bounds.
            .min(i64::from(most))
            .max(0);
        (at as usize >> 8, at as i32 & 255)
    }

    /// One step back in time, for the rates within `reach` bins of `ln_rate`.
    pub fn sweep(&mut self, rungs: &[Rung], world: &World, tuning: &Tuning, about: Option<(i32, usize)>) {
        let (buffers, levels, rates) = (self.buffers, self.levels, self.rates);
        let slab = buffers.saturating_mul(levels);
        let (from, to) = match about {
            None => (0, rates),
            Some((ln_rate, reach)) => {
                let (middle, _) = self.place(ln_rate);
                (middle.saturating_sub(reach), middle.saturating_add(reach).saturating_add(2).min(rates))
            }
        };
        let mut best = i32::MIN;
        for x in from..to {
            let ln_rate = self.origin.saturating_add(self.step.saturating_mul(x as i32));
            let start = x.saturating_mul(slab);
            // Taken out and put back, so that the other table can be read meanwhile.
            let mut next = core::mem::take(&mut self.next);
            if let Some(out) = next.get_mut(start..).and_then(|s| s.get_mut(..slab)) {
                for (a, (row, rung)) in out.chunks_exact_mut(buffers.max(1)).zip(rungs).enumerate() {
                    if rung.open {
                        self.row(row, (x, a), rung, ln_rate, world);
                    } else {
                        row.fill(CLOSED);
                    }
                }
                switch(out, buffers.max(1), rungs, world.crossing);
                best = out.iter().fold(best, |b, v| b.max(*v));
            }
            self.next = next;
        }
        for x in from..to {
            let start = x.saturating_mul(slab);
            if let Some(out) = self.next.get_mut(start..).and_then(|s| s.get_mut(..slab)) {
                out.iter_mut().for_each(|v| *v = (*v - best).max(LEAST));
            }
        }
        core::mem::swap(&mut self.now, &mut self.next);
        self.look_ahead(tuning, from, to);
    }

    /// Mixes the worth of neighbouring rates, of those in `from..to`: until the next decision the rate may have gone elsewhere.
    fn look_ahead(&mut self, t: &Tuning, from: usize, to: usize) {
        let slab = self.buffers.saturating_mul(self.levels);
        let stay = 256 - t.jump_down - t.walk_down - t.walk_up - t.jump_up;
        let last = to.saturating_sub(1);
        let now = &self.now;
        let row = |x: usize| {
            let start = x.min(last).max(from).saturating_mul(slab);
            now.get(start..).and_then(|s| s.get(..slab)).unwrap_or(&[])
        };
        for x in from..to {
            let (a, b, c) = (row(x.saturating_sub(3)), row(x.saturating_sub(1)), row(x));
            let (d, e) = (row(x + 1), row(x + 3));
            let start = x.saturating_mul(slab);
            let Some(out) = self.seen.as_mut_slice().get_mut(start..).and_then(|s| s.get_mut(..slab)) else {
                return;
            };
            for (((((o, a), b), c), d), e) in out.iter_mut().zip(a).zip(b).zip(c).zip(d).zip(e) {
                let sum = a * t.jump_down + b * t.walk_down + c * stay + d * t.walk_up + e * t.jump_up;
                *o = sum >> 8;
            }
        }
    }

    /// What choosing a level is worth at one rate, for every buffer.
    fn row(&self, row: &mut [i32], (x, a): (usize, usize), rung: &Rung, ln_rate: i32, world: &World) {
        row.fill(0);
        let base = world.ln_size.saturating_add(rung.ln).saturating_sub(ln_rate);
        let worth = self.slice(x, a);
        let given = self.bins(world.duration);
        let gain = Gain {
            worth,
            given,
            cap: rung.cap,
            empty: at(worth, given.min(rung.cap)),
            most: at(worth, rung.cap),
            // As many steps as there are bins are the dearest stall: their sum cannot overflow.
            step: self.cost(self.bin, world).min(DEAREST / 24),
        };
        for (distance, weight) in POINTS {
            let off = mul(distance, world.sigma);
            let time = duration_of(base.saturating_sub(off)).saturating_add(world.wait);
            let mut weight = weight;
            if distance == CENTRE && world.outages > 0 {
                let long = time.saturating_add(world.outage);
                gain.add(row, world.outages, self.bins(long), self.cost(long, world));
                weight -= world.outages;
            }
            gain.add(row, weight, self.bins(time), self.cost(time, world));
        }
        for v in row.iter_mut() {
            let worth = *v >> 8;
            *v = rung.utility + worth - (worth >> 10) * world.fade;
        }
    }

    /// The worth by buffer of having chosen `a`, at a rate between two bins.
    fn mix(&self, out: &mut [i32; 24], a: usize, ln_rate: i32) -> usize {
        let (x, part) = self.place(ln_rate);
        let low = self.slice(x, a);
        let high = if x + 1 < self.rates { self.slice(x + 1, a) } else { low };
        for ((o, l), h) in out.iter_mut().zip(low).zip(high) {
            *o = l + (((h - l) * part) >> 8);
        }
        low.len().min(out.len())
    }

    fn slice(&self, x: usize, a: usize) -> &[i32] {
        let at = x.saturating_mul(self.levels).saturating_add(a).saturating_mul(self.buffers);
        self.seen.get(at..).and_then(|s| s.get(..self.buffers)).unwrap_or(&[])
    }

    fn cost(&self, stall: i32, world: &World) -> i32 {
        ((i64::from(stall) * i64::from(world.mu)) >> 10).min(i64::from(DEAREST)) as i32
    }

    /// What it is worth to receive e^`ln_bits` bits of a fragment of level `a` from now on, with `buffer` in hand:
    /// what comes after less what stalls cost. Utility and switch are not in it.
    pub fn expect(&self, a: usize, rung: &Rung, fetch: &Fetch, world: &World) -> i32 {
        let mut mixed = [0i32; 24];
        let n = self.mix(&mut mixed, a, fetch.ln_rate);
        let mixed = mixed.get(..n).unwrap_or(&[]);
        let after = |time: i32| {
            let left = fetch.buffer.saturating_sub(time);
            let bins = self.bins(left.max(0).saturating_add(world.duration)).min(rung.cap);
            at(mixed, bins).saturating_sub(self.cost(left.min(0).saturating_neg(), world))
        };
        let mut sum = 0i64;
        for (distance, weight) in POINTS {
            let off = mul(distance, world.sigma);
            let time = duration_of(fetch.ln_bits.saturating_sub(fetch.ln_rate).saturating_sub(off))
                .saturating_add(fetch.wait);
            let mut weight = weight;
            if distance == CENTRE && world.outages > 0 {
                let long = time.saturating_add(world.outage);
                sum += i64::from(world.outages) * i64::from(after(long));
                weight -= world.outages;
            }
            sum += i64::from(weight) * i64::from(after(time));
        }
        narrow((sum >> 8) - (sum >> 18) * i64::from(world.fade))
    }

    /// What a buffer is worth after a fragment of level `a`, at an ln-rate.
    pub fn worth(&self, a: usize, buffer: i32, ln_rate: i32) -> i32 {
        let mut mixed = [0i32; 24];
        let n = self.mix(&mut mixed, a, ln_rate);
        at(mixed.get(..n).unwrap_or(&[]), self.bins(buffer.max(0)).min(self.last_bin()))
    }
}

/// What the downloads of one level at one rate have in common.
struct Gain<'a> {
    /// By buffer, after one.
    worth: &'a [i32],
    /// Bins that a fragment adds, and the most there can be.
    given: i32,
    cap: i32,
    /// Worth after a stall, and of the fullest buffer.
    empty: i32,
    most: i32,
    /// What a stall of one bin costs.
    step: i32,
}

impl Gain<'_> {
    /// Adds, for every buffer, the worth after a download of `taken` bins, less what a stall of all of it costs.
    fn add(&self, out: &mut [i32], weight: i32, taken: i32, cost: i32) {
        let bins = out.len();
        // The first bin that does not stall, and the first that ends full.
        let stalling = (taken.saturating_add(255) >> 8).max(0) as usize;
        let stalling = stalling.min(bins);
        let filling =
            (self.cap.saturating_sub(self.given).saturating_add(taken).saturating_add(255) >> 8).max(0);
        let filling = (filling as usize).min(bins).max(stalling);
        let Some((stalled, rest)) = out.split_at_mut_checked(stalling) else { return };
        let Some((between, full)) = rest.split_at_mut_checked(filling.saturating_sub(stalling)) else {
            return;
        };
        let highest = weight * self.empty;
        let (mut value, step) = (highest - weight * cost, weight * self.step);
        for o in stalled {
            *o += value.min(highest);
            value += step;
        }
        let shift = self.given - taken;
        let from = (stalling as i32 + (shift >> 8)).max(0) as usize;
        let part = shift & 255;
        let low = self.worth.get(from..).unwrap_or(&[]);
        let high = low.get(1..).unwrap_or(&[]);
        for ((o, low), high) in between.iter_mut().zip(low).zip(high) {
            *o += weight * (low + (((high - low) * part) >> 8));
        }
        let most = weight * self.most;
        for o in full {
            *o += most;
        }
    }
}

/// A download that the plan looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fetch {
    pub ln_bits: i32,
    pub ln_rate: i32,
    /// Before its bytes.
    pub wait: i32,
    pub buffer: i32,
}

/// e^`ln` seconds in the plan's unit.
fn duration_of(ln: i32) -> i32 {
    // ln 600 and no more.
    (exp(ln.min(7 * ONE)) >> 6).min(LONGEST as u64 * SECOND as u64) as i32
}

/// Between two bins.
fn at(worth: &[i32], bins: i32) -> i32 {
    let index = (bins.max(0) >> 8) as usize;
    let low = worth.get(index).or(worth.last()).copied().unwrap_or(0);
    let high = worth.get(index + 1).copied().unwrap_or(low);
    low + (((high - low) * (bins & 255)) >> 8)
}

/// Turns the worth of choosing each level into that of having played each before: the best choice, its switch paid.
/// In two passes, for what lies between two levels is paid on the way.
fn switch(rows: &mut [i32], buffers: usize, rungs: &[Rung], crossing: i32) {
    let pass = |from: &mut [i32], to: &mut [i32], a: &Rung, b: &Rung| {
        let price = (a.utility - b.utility).abs() + if a.group == b.group { 0 } else { crossing };
        for (f, t) in from.iter().zip(to) {
            *t = (*t).max(f - price);
        }
    };
    for (i, pair) in rungs.windows(2).enumerate() {
        if let (Some((low, high)), [a, b]) = (two(rows, i, buffers), pair) {
            pass(low, high, a, b);
        }
    }
    for (i, pair) in rungs.windows(2).enumerate().rev() {
        if let (Some((low, high)), [a, b]) = (two(rows, i, buffers), pair) {
            pass(high, low, b, a);
        }
    }
}

/// Row `i` and the next.
fn two(rows: &mut [i32], i: usize, buffers: usize) -> Option<(&mut [i32], &mut [i32])> {
    let pair = rows.get_mut(i.saturating_mul(buffers)..)?.get_mut(..buffers.saturating_mul(2))?;
    pair.split_at_mut_checked(buffers)
}
