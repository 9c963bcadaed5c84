//! What a manifest does otherwise than the specification says, and what becomes of it.
//!
//! A client that refused every such manifest would play few. So it is read as it is meant, and each departure is
//! kept as a [`Deviation`] for whoever makes or tests manifests; or the first one is an error, under
//! [`Strictness::Strict`].

use log::warn;

use crate::decimal::Decimal;
use crate::digits::split_once;
use crate::error::{Code, Error};
use crate::limits::Limits;
use crate::mem::{Account, List};
use crate::trace::{MANIFEST, Plain};

/// Of one rule at one place, so many are kept: a stream of an hour would crowd out all others.
const ALIKE: usize = 4;

/// One departure from [MS-SSTR] or XML 1.0. Names of attributes and elements that IIS itself writes are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deviation {
    /// The rule that is broken, as a name that stays the same from release to release, `stream-name-duplicate` for
    /// one.
    pub rule: &'static str,
    /// The element or attribute, such as `QualityLevel@FourCC`.
    pub place: &'static str,
    /// Byte offset in the inflated manifest.
    pub offset: u64,
}

/// What deviations lead to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Strictness {
    /// They are kept in a list.
    #[default]
    Lenient,
    /// The first one is the error [`Code::ManifestDeviation`] with its place.
    Strict,
}

/// The deviations seen so far.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) strictness: Strictness,
    pub(super) kept: List<Deviation>,
    /// How many found no room.
    pub(super) lost: u32,
    /// The first one of a strict parse.
    pub(super) refused: Option<Error>,
}

/// What every step of the parse has at hand.
pub(super) struct Reading<'a> {
    pub(super) account: &'a mut Account,
    pub(super) limits: &'a Limits,
    pub(super) notes: &'a mut Notes,
}

impl Reading<'_> {
    /// Notes that `rule` is broken by `place` at a byte offset. Never fails: one that finds no memory is counted.
    #[cold]
    #[cfg_attr(feature = "details", inline(never))]
    #[cfg_attr(not(feature = "details"), inline(always))]
    pub(super) fn note(&mut self, rule: &'static str, place: &'static str, offset: u64) {
        if !cfg!(feature = "details") {
            return;
        }
        let notes = &mut *self.notes;
        if notes.strictness == Strictness::Strict && notes.refused.is_none() {
            notes.refused = Some(Error::at(Code::ManifestDeviation, place, offset));
        }
        let alike = notes.kept.iter().filter(|d| d.rule == rule && d.place == place).count();
        let room = alike < ALIKE && notes.kept.len() < self.limits.deviations as usize;
        if room && notes.kept.push(self.account, Deviation { rule, place, offset }).is_ok() {
            warn!(target: MANIFEST, "{}: {} at byte {}", Plain(rule), Plain(place), Decimal(offset));
        } else {
            notes.lost = notes.lost.saturating_add(1);
        }
    }

    /// Takes an attribute called `name`, which stands at `offset`, off a `table` of `Element@Name`; `seen` has a bit for
    /// each that came before. What is no attribute of the element is noted.
    pub(super) fn tally(
        &mut self,
        seen: &mut u32,
        table: &[&'static str],
        name: &[u8],
        offset: u64,
    ) -> Tally {
        let mut bit = 1u32;
        for (index, place) in table.iter().enumerate() {
            let (_, known) = split_once(place, b'@').unwrap_or(("", place));
            if known.as_bytes() == name {
                if cfg!(feature = "details") && *seen & bit != 0 {
                    self.note("attribute-twice", place, offset);
                }
                *seen |= bit;
                return Tally::Known(index);
            }
            bit = bit.wrapping_shl(1);
        }
        if name.contains(&b':') || name == b"xmlns" {
            return Tally::Foreign;
        }
        if !cfg!(feature = "details") {
            return Tally::Unknown;
        }
        let same = |place: &&&'static str| {
            split_once(place, b'@').is_some_and(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name))
        };
        match table.iter().find(same) {
            Some(place) => self.note("attribute-case", place, offset),
            None => {
                let element = table.first().and_then(|place| split_once(place, b'@'));
                self.note("attribute-unknown", element.map_or("", |(element, _)| element), offset);
            }
        }
        Tally::Unknown
    }

    /// Notes every attribute of `table` that `needed` has a bit for and `seen` has not.
    pub(super) fn missing(&mut self, seen: u32, needed: u32, table: &[&'static str], offset: u64) {
        if !cfg!(feature = "details") {
            return;
        }
        let mut left = needed & !seen;
        for place in table {
            if left & 1 != 0 {
                self.note("attribute-missing", place, offset);
            }
            left >>= 1;
        }
    }
}

/// What an attribute is to its element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tally {
    /// One of those the table names, at this place.
    Known(usize),
    /// In a namespace of its own, where it may be.
    Foreign,
    /// Neither.
    Unknown,
}
