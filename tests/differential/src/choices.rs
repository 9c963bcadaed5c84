//! Where smoothcore and another player may differ, and why.

use crate::shared::{self, Difference};
use crate::table::CHOICES;
use crate::view::{Reading, Stream, View};

/// A player that smoothcore is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// dash.js with its own model of the manifest on top of an XML parser.
    Dash,
    /// rx-player with its own XML parser.
    Rx,
}

/// What a difference is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aspect {
    /// Whether there is anything to play.
    Outcome,
    Live,
    /// Which streams there are.
    Streams,
    Kind,
    Scale,
    /// Bitrates and codec private data.
    Levels,
    Fragments,
    Systems,
}

pub type Choice = shared::Choice<Peer, Aspect>;
type Found<'a> = shared::Found<'a, Peer, Aspect>;

/// Differences in single values, which are recognised where they are compared.
const LAST_OPEN: &str =
    "rx-player leaves out a last fragment without duration; here it is kept, for its URL is known";
const LAST_UNKNOWN: &str =
    "dash.js gives a last fragment without duration none; here it is the rest or the one before";
const OTHER_CODECS: &str = "the player knows fewer codecs and leaves out levels; here the decoder decides";
const MADE_DATA: &str =
    "the player makes or leaves out the configuration of AAC without private data otherwise";
const ROOT_SCALE: &str = "rx-player looks for Timescale and so misses TimeScale";
const ROUNDED: &str = "the player counts in doubles, which lose ticks beyond 53 bits";
const START_OVER: &str = "dash.js takes a live presentation with a duration for one that has ended";
const FIRST_SYSTEM: &str = "the player reads the first protection header alone";

/// The differences between `ours` and `theirs` in a document with these traits.
pub fn compare(peer: Peer, traits: &[String], ours: &Reading, theirs: &Reading) -> Vec<Difference> {
    let mut found = Found::new(peer, traits, CHOICES);
    match (ours, theirs) {
        (Ok(a), Ok(b)) => found.views(a, b),
        (Err(_), Err(_)) => {}
        (Ok(_), Err(e)) => found.add(Aspect::Outcome, format!("we read it, they do not: {e}")),
        (Err(e), Ok(_)) => found.add(Aspect::Outcome, format!("they read it, we do not: {e}")),
    }
    found.differences
}

impl Found<'_> {
    fn views(&mut self, a: &View, b: &View) {
        if a.live != b.live {
            if self.peer == Peer::Dash && a.live && a.duration > 0 {
                self.chosen(START_OVER);
            } else {
                self.add(Aspect::Live, format!("ours {}, theirs {}", a.live, b.live));
            }
        }
        let same = |s: &Stream, all: &[Stream]| all.iter().position(|t| t.ordinal == s.ordinal);
        for ours in &a.streams {
            match same(ours, &b.streams).and_then(|n| b.streams.get(n)) {
                Some(theirs) => self.streams(ours, theirs),
                None => {
                    self.add(Aspect::Streams, format!("they lack stream {} ({})", ours.ordinal, ours.kind))
                }
            }
        }
        for more in b.streams.iter().filter(|s| same(s, &a.streams).is_none()) {
            self.add(Aspect::Streams, format!("we lack stream {} ({})", more.ordinal, more.kind));
        }
        // Both spell what stands in the manifest; the first one is all that they look at.
        if a.systems.first() != b.systems.first() {
            self.add(Aspect::Systems, format!("ours {:?}, theirs {:?}", a.systems, b.systems));
        } else if a.systems.len() > 1 {
            self.chosen(FIRST_SYSTEM);
        }
    }

    fn streams(&mut self, a: &Stream, b: &Stream) {
        if a.kind != b.kind {
            self.add(Aspect::Kind, format!("ours {}, theirs {}", a.kind, b.kind));
        }
        if a.scale != b.scale {
            match self.peer {
                Peer::Rx if b.scale == "10000000" => self.chosen(ROOT_SCALE),
                _ => self.add(Aspect::Scale, format!("ours {}, theirs {}", a.scale, b.scale)),
            }
        }
        self.levels(a, b);
        self.fragments(a, b);
    }

    fn levels(&mut self, a: &Stream, b: &Stream) {
        let known = |fourcc: &str| match self.peer {
            Peer::Dash => ["AAC", "AACL", "AACH", "AACP", "AVC1", "H264", "TTML", "DFXP"].contains(&fourcc),
            Peer::Rx => ["AACL", "AVC1", "H264", "TTML", "DFXP"].contains(&fourcc),
        };
        let ours: Vec<_> = a.levels.iter().filter(|l| known(&l.fourcc)).collect();
        if ours.len() < a.levels.len() {
            self.chosen(OTHER_CODECS);
        }
        if ours.len() != b.levels.len() {
            return self.add(Aspect::Levels, format!("ours {}, theirs {}", ours.len(), b.levels.len()));
        }
        for (x, y) in ours.iter().zip(&b.levels) {
            if x.bitrate != y.bitrate {
                self.add(Aspect::Levels, format!("bitrate: ours {}, theirs {}", x.bitrate, y.bitrate));
            }
            let made = a.kind == "audio" && (y.data.is_empty() || x.fourcc != "AACL");
            if x.data != y.data {
                if made {
                    self.chosen(MADE_DATA);
                } else {
                    self.add(Aspect::Levels, format!("private data: ours {}, theirs {}", x.data, y.data));
                }
            }
        }
    }

    fn fragments(&mut self, a: &Stream, b: &Stream) {
        let mut ours = a.fragments.as_slice();
        let open = self.traits.iter().any(|t| t == "open end" || t == "without c@d");
        if self.peer == Peer::Rx && open && ours.len() == b.fragments.len() + 1 {
            ours = &ours[..b.fragments.len()];
            self.chosen(LAST_OPEN);
        }
        if ours.len() != b.fragments.len() {
            return self.add(Aspect::Fragments, format!("ours {}, theirs {}", ours.len(), b.fragments.len()));
        }
        for (n, (x, y)) in ours.iter().zip(&b.fragments).enumerate() {
            if x == y {
                continue;
            }
            if n + 1 == ours.len() && x.0 == y.0 && y.1 == "NaN" {
                self.chosen(LAST_UNKNOWN);
            } else if near(&x.0, &y.0) && near(&x.1, &y.1) && beyond(&x.0) {
                self.chosen(ROUNDED);
            } else {
                return self.add(Aspect::Fragments, format!("number {n}: ours {x:?}, theirs {y:?}"));
            }
        }
    }
}

/// Whether two numbers are what rounding to multiples of four, time and again, makes of one.
fn near(a: &str, b: &str) -> bool {
    let number = |text: &str| text.parse::<u64>().ok();
    matches!((number(a), number(b)), (Some(a), Some(b)) if a.abs_diff(b) <= 256)
}

fn beyond(time: &str) -> bool {
    time.parse::<u64>().is_ok_and(|t| t > 1 << 53)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::document;
    use crate::view::ours;

    /// What smoothcore reads in a document with nothing wrong, and the same once more to be changed.
    fn twice() -> (View, View) {
        let known = |text: &str| !["WVC1", "HVC1", "EC-3"].iter().any(|name| text.contains(name));
        let good = |d: &crate::generate::Document| d.traits.is_empty() && known(&d.text);
        let text = (0..).map(|n| document(7, n)).find(good).expect("one").text;
        (ours(&text).expect("good"), ours(&text).expect("good"))
    }

    fn unexplained(a: View, b: View, traits: &[String]) -> usize {
        compare(Peer::Dash, traits, &Ok(a), &Ok(b)).iter().filter(|d| d.choice.is_none()).count()
    }

    #[test]
    fn the_same_is_no_difference() {
        let (a, b) = twice();
        assert_eq!(unexplained(a, b, &[]), 0);
    }

    #[test]
    fn a_difference_in_a_good_document_has_no_excuse() {
        let changes: [fn(&mut View); 8] = [
            |v| v.live = !v.live,
            |v| drop(v.streams.pop()),
            |v| v.streams[0].kind = "audio".into(),
            |v| v.streams[0].scale = "7".into(),
            |v| v.streams[0].levels[0].bitrate += "0",
            |v| v.streams[0].levels[0].data += "00",
            |v| v.streams[0].fragments[0].0 += "1",
            |v| v.systems.push("9a04f07998404286ab92e65be0885f95".into()),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            let (a, mut b) = twice();
            if n == 7 && !a.systems.is_empty() {
                b.systems.clear();
            } else {
                change(&mut b);
            }
            assert!(unexplained(a, b, &[]) > 0, "change {n}");
        }
    }

    #[test]
    fn an_excuse_covers_its_own_matter_alone() {
        let (a, mut b) = twice();
        b.streams[0].levels[0].bitrate += "0";
        assert!(unexplained(a, b, &["overlap".into()]) > 0);
    }

    #[test]
    fn documents_come_again_from_their_seed() {
        assert_eq!(document(3, 5).text, document(3, 5).text);
        assert_ne!(document(3, 5).text, document(3, 6).text);
    }
}
