//! Where smoothcore and another parser may differ, and why.

use crate::generate::Fragment;
use crate::shared::{self, Difference};
use crate::table::{CHOICES, REFUSED, TAKEN};
use crate::view::{Part, Reading, Sample, View};

/// A parser that smoothcore is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// mp4box: boxes, sample lists, times of `uuid` boxes.
    Mp4box,
    /// Shaka Player's parsers of single boxes: `tfhd`, `tfdt`, `trun`, `senc`.
    Shaka,
}

/// What a difference is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aspect {
    /// We read it, they do not.
    Refused,
    /// They read it, we do not.
    Taken,
    /// How many `moof` there are.
    Parts,
    Sequence,
    Track,
    Tfdt,
    Tfxd,
    Tfrf,
    /// How many samples there are.
    Count,
    Offset,
    Size,
    Duration,
    Composition,
    Flags,
    Encryption,
}

pub type Choice = shared::Choice<Peer, Aspect>;
type Found<'a> = shared::Found<'a, Peer, Aspect>;

/// Differences in single values, which are recognised where they are compared.
const ROUNDED: &str = "the parser counts in doubles, which lose ticks beyond 53 bits";
const UNSIGNED: &str = "composition offsets are signed here in version 0, too: encoders do not care";
const OUTSIDE: &str =
    "a run that would lie outside of its mdat is put where it fits here, for encoders get offsets wrong";
const LATER_RUNS: &str = "mp4box puts a later run behind the one before whatever its data offset says";
const NEGATIVE: &str = "a tfxd with a negative time is taken for none here";
const AUXILIARY: &str =
    "without a box for them, vectors are looked for where saiz and saio say; Shaka does not";
const FOLLOWING: &str = "of a tfrf at most 16 entries are kept here";

/// The differences between `ours` and `theirs` in `fragment`.
pub fn compare(peer: Peer, fragment: &Fragment, ours: &Reading, theirs: &Reading) -> Vec<Difference> {
    let mut found = Found::new(peer, &fragment.traits, CHOICES);
    match (ours, theirs) {
        (Ok(a), Ok(b)) => found.views(a, b, fragment.wrong),
        (Err(_), Err(_)) => {}
        (Ok(_), Err(e)) => {
            match REFUSED.iter().find(|r| r.0 == peer && e.text.starts_with(r.1) && fragment.wrong) {
                Some((.., why)) => found.chosen(why),
                None => found.add(Aspect::Refused, e.text.clone()),
            }
        }
        (Err(e), Ok(_)) => match TAKEN.iter().find(|t| t.0 == e.number && fragment.wrong) {
            Some((_, why)) => found.chosen(why),
            None => found.add(Aspect::Taken, format!("{} {}", e.number, e.text)),
        },
    }
    found.differences
}

impl Found<'_> {
    fn views(&mut self, a: &View, b: &View, wrong: bool) {
        if a.parts.len() != b.parts.len() {
            return self.add(Aspect::Parts, format!("ours {}, theirs {}", a.parts.len(), b.parts.len()));
        }
        for (x, y) in a.parts.iter().zip(&b.parts) {
            self.parts(x, y, wrong);
        }
    }

    fn parts(&mut self, a: &Part, b: &Part, wrong: bool) {
        self.numbers(Aspect::Sequence, a.sequence, b.sequence);
        self.numbers(Aspect::Track, a.track, b.track);
        if self.peer == Peer::Mp4box {
            self.times(Aspect::Tfdt, a.tfdt.into_iter().collect(), b.tfdt.into_iter().collect());
            if a.tfxd.is_none() && b.tfxd.is_some_and(|(time, _)| time == i64::MAX) {
                self.chosen(NEGATIVE);
            } else {
                let flat = |t: Option<(i64, i64)>| t.into_iter().flat_map(|(t, d)| [t, d]).collect();
                self.times(Aspect::Tfxd, flat(a.tfxd), flat(b.tfxd));
            }
            let flat = |t: &[(i64, i64)]| t.iter().flat_map(|(t, d)| [*t, *d]).collect();
            let mut most = b.tfrf.as_slice();
            if a.tfrf.len() == 16 && most.len() > 16 {
                most = &most[..16];
                self.chosen(FOLLOWING);
            }
            self.times(Aspect::Tfrf, flat(&a.tfrf), flat(most));
        } else {
            self.times(Aspect::Tfdt, a.tfdt.into_iter().collect(), b.tfdt.into_iter().collect());
            self.encryption(a, b, wrong);
        }
        if a.samples.len() != b.samples.len() {
            return self.add(Aspect::Count, format!("ours {}, theirs {}", a.samples.len(), b.samples.len()));
        }
        for (x, y) in a.samples.iter().zip(&b.samples) {
            self.samples(a, x, y);
        }
        self.offsets(a, b);
    }

    fn samples(&mut self, part: &Part, a: &Sample, b: &Sample) {
        self.numbers(Aspect::Size, Some(a.size), Some(b.size));
        self.numbers(Aspect::Duration, Some(a.duration), Some(b.duration));
        if a.composition != b.composition && a.composition < 0 && b.composition == a.composition + (1 << 32) {
            self.chosen(UNSIGNED);
        } else if part.tfdt.is_some_and(|t| t as u64 > 1 << 53)
            && a.composition.abs_diff(b.composition) <= 4096
        {
            self.chosen(ROUNDED);
        } else {
            self.numbers(Aspect::Composition, Some(a.composition), Some(b.composition));
        }
        // Without the bits of padding.
        self.numbers(Aspect::Flags, a.flags.map(|f| f & 0x0FF1_FFFF), b.flags);
    }

    /// Where the samples lie, run by run: samples moved by the same distance are one difference.
    fn offsets(&mut self, a: &Part, b: &Part) {
        let away = |n: usize| match (a.samples.get(n)?.offset, b.samples.get(n)?.offset) {
            (Some(x), Some(y)) => Some(y - x),
            _ => None,
        };
        let mut n = 0;
        while n < a.samples.len() {
            let Some(distance) = away(n).filter(|d| *d != 0) else {
                n += 1;
                continue;
            };
            let end = (n..a.samples.len()).find(|m| away(*m) != Some(distance)).unwrap_or(a.samples.len());
            let moved = &b.samples[n..end];
            let inside =
                |s: &Sample| s.offset.is_some_and(|at| at >= a.payload.0 && at + s.size <= a.payload.1);
            let follows =
                n > 0 && b.samples[n - 1].offset.map(|at| at + b.samples[n - 1].size) == moved[0].offset;
            if !moved.iter().all(inside) {
                self.chosen(OUTSIDE);
            } else if self.peer == Peer::Mp4box && follows {
                self.chosen(LATER_RUNS);
            } else {
                self.add(
                    Aspect::Offset,
                    format!("from {n} to {end} theirs are {distance} bytes behind ours"),
                );
            }
            n = end;
        }
    }

    fn encryption(&mut self, a: &Part, b: &Part, wrong: bool) {
        // Vectors of eight bytes are shown with eight zeros behind them.
        let same = a.encryption.len() == b.encryption.len()
            && a.encryption
                .iter()
                .zip(&b.encryption)
                .all(|(x, y)| format!("{:0<32}", x.iv) == y.iv && x.parts == y.parts);
        if !same && b.encryption.is_empty() && wrong {
            self.chosen(AUXILIARY);
        } else if !same {
            self.add(Aspect::Encryption, format!("ours {:?}, theirs {:?}", a.encryption, b.encryption));
        }
    }

    /// A number that they look at.
    fn numbers(&mut self, aspect: Aspect, a: Option<i64>, b: Option<i64>) {
        if b.is_some() && a != b {
            self.add(aspect, format!("ours {a:?}, theirs {b:?}"));
        }
    }

    fn times(&mut self, aspect: Aspect, a: Vec<i64>, b: Vec<i64>) {
        if a == b {
            return;
        }
        let near = |(x, y): (&i64, &i64)| {
            // As numbers without sign.
            let (x, y) = (*x as u64, *y as u64);
            x == y || x > 1 << 53 && (x.abs_diff(y) <= 2048 || x > i64::MAX as u64 && y >= i64::MAX as u64)
        };
        if a.len() == b.len() && a.iter().zip(&b).all(near) {
            self.chosen(ROUNDED);
        } else {
            self.add(aspect, format!("ours {a:?}, theirs {b:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::fragment;
    use crate::view::{Cipher, ours};

    /// An encrypted fragment with nothing special, and twice what smoothcore reads in it.
    fn twice() -> (Fragment, View, View) {
        let good = |f: &Fragment| f.traits == ["encrypted"] && !f.wrong;
        let fragment = (0..).map(|n| fragment(7, n)).find(good).expect("one");
        let (a, b) = (ours(&fragment.bytes), ours(&fragment.bytes));
        let mut b = b.expect("good");
        for cipher in &mut b.parts[0].encryption {
            cipher.iv = format!("{:0<32}", cipher.iv);
        }
        (fragment, a.expect("good"), b)
    }

    fn unexplained(peer: Peer, fragment: &Fragment, a: View, b: View) -> usize {
        compare(peer, fragment, &Ok(a), &Ok(b)).iter().filter(|d| d.choice.is_none()).count()
    }

    #[test]
    fn the_same_is_no_difference() {
        for peer in [Peer::Mp4box, Peer::Shaka] {
            let (fragment, a, b) = twice();
            assert_eq!(unexplained(peer, &fragment, a, b), 0);
        }
    }

    #[test]
    fn a_difference_in_a_good_fragment_has_no_excuse() {
        let changes: [fn(&mut Part); 12] = [
            |p| p.sequence = p.sequence.map(|n| n + 1),
            |p| p.track = Some(77),
            |p| p.tfdt = Some(p.tfdt.unwrap_or(0) + 1),
            |p| p.tfxd = Some((5, 6)),
            |p| p.tfrf.push((7, 8)),
            |p| p.samples.truncate(p.samples.len() - 1),
            |p| p.samples[0].size += 1,
            |p| p.samples[0].duration += 1,
            |p| p.samples[0].composition += 1,
            |p| p.samples[0].flags = p.samples[0].flags.map(|f| f ^ 0x1_0000),
            |p| p.encryption[0].iv.replace_range(0..1, "x"),
            |p| p.encryption.push(Cipher::default()),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let (fragment, a, mut b) = twice();
            change(&mut b.parts[0]);
            let peer = if n < 10 { Peer::Mp4box } else { Peer::Shaka };
            assert!(unexplained(peer, &fragment, a, b) > 0, "change {n}");
        }
        let (fragment, a, mut b) = twice();
        let last = b.parts[0].samples.len() - 1;
        b.parts[0].samples[last].offset = Some(a.parts[0].payload.0);
        assert!(last == 0 || unexplained(Peer::Shaka, &fragment, a, b) > 0, "an offset");
    }

    #[test]
    fn a_good_fragment_must_be_read_by_all() {
        let (fragment, a, b) = twice();
        let no = || Err(crate::view::Refusal { number: -302, text: "Shaka Error 3000".into() });
        for differences in
            [compare(Peer::Shaka, &fragment, &Ok(a), &no()), compare(Peer::Shaka, &fragment, &no(), &Ok(b))]
        {
            assert!(differences.iter().any(|d| d.choice.is_none()));
        }
    }

    #[test]
    fn fragments_come_again_from_their_seed() {
        assert_eq!(fragment(3, 5).bytes, fragment(3, 5).bytes);
        assert_ne!(fragment(3, 5).bytes, fragment(3, 6).bytes);
    }
}
