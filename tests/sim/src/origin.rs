//! The origin: answers to requests as of virtual time, with the faults of a script.

use smoothcore::io::RequestKind;

use crate::dice::Dice;
use crate::fault::{Fault, Kind, Script};
use crate::manifest;
use crate::media::{Around, body};
use crate::net::{Answer, Wire};
use crate::show::{Piece, Show, Then};

pub const URL: &str = "http://origin.test/channel.isml/Manifest";
const HOME: &str = "http://origin.test/channel.isml/";
const MIRROR: &str = "http://mirror.test/a/channel.isml/";

/// A request as the URL has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    Manifest,
    Fragment { stream: usize, bitrate: u32, time: u64 },
    Nonsense,
}

/// What an answer was about, for those who check.
#[derive(Clone, Debug)]
pub struct Given {
    pub asked: Asked,
    pub piece: Option<Piece>,
    /// 412: not yet served. 404: not any more, or never.
    pub status: u16,
    /// Times listed or announced that no fragment has.
    pub odd: Vec<(usize, u64)>,
    /// Its bytes are not those that were made.
    pub damaged: bool,
}

pub fn read(show: &Show, url: &str) -> Asked {
    let Some(path) = url.strip_prefix(HOME).or_else(|| url.strip_prefix(MIRROR)) else {
        return Asked::Nonsense;
    };
    if path == "Manifest" {
        return Asked::Manifest;
    }
    let parsed = || -> Option<Asked> {
        let (bitrate, rest) = path.strip_prefix("QualityLevels(")?.split_once(")/Fragments(")?;
        let (name, time) = rest.strip_suffix(')')?.split_once('=')?;
        let stream = show.stream(name)?;
        let bitrate: u32 = bitrate.parse().ok()?;
        show.streams[stream].bitrates.contains(&bitrate).then_some(())?;
        let digits = time.bytes().all(|b| b.is_ascii_digit());
        digits.then_some(Asked::Fragment { stream, bitrate, time: time.parse().ok()? })
    };
    parsed().unwrap_or(Asked::Nonsense)
}

fn plain(status: u16, body: Vec<u8>) -> Answer {
    let length = Some(body.len() as u64);
    Answer { status, body, length, final_url: String::new(), wire: Wire::Whole, faulted: false }
}

/// Answers a request that arrives at `wall`.
pub fn answer(
    show: &Show,
    script: &Script,
    wall: u64,
    url: &str,
    kind: RequestKind,
    dice: &mut Dice,
) -> (Answer, Given) {
    let asked = read(show, url);
    let mut given = Given { asked, piece: None, status: 200, odd: Vec::new(), damaged: false };
    let mut faults = Vec::new();
    for fault in script.active(wall) {
        let about = match asked {
            Asked::Fragment { stream, .. } => fault.stream.is_none_or(|s| s == stream),
            _ => fault.stream.is_none(),
        };
        if about && dice.one_in(fault.odds) {
            faults.push(*fault);
        }
    }
    let has = |kind: Kind| faults.iter().find(|f| f.kind == kind);
    let mut answer = match asked {
        Asked::Manifest if kind == RequestKind::Manifest => whole_manifest(show, wall, &has, &mut given),
        Asked::Fragment { stream, bitrate, time } => {
            let (stream, bitrate) = (stream, bitrate);
            fragment(show, wall, stream, bitrate, time, &has, &mut given)
        }
        _ => plain(400, Vec::new()),
    };
    for fault in &faults {
        spoil(fault, &mut answer, &mut given, dice);
    }
    given.status = answer.status;
    if dice.one_in(4) && answer.wire == Wire::Whole {
        answer.length = None;
    }
    (answer, given)
}

fn whole_manifest<'f>(
    show: &Show,
    wall: u64,
    has: &impl Fn(Kind) -> Option<&'f Fault>,
    given: &mut Given,
) -> Answer {
    if show.archived(wall) == Some(Then::Gone) {
        return plain(404, Vec::new());
    }
    let stale = has(Kind::StaleManifest).map_or(0, |f| 1_000_000 * (2 + f.amount % 20));
    let tail = has(Kind::OddTail).map_or(0, |f| 1 + f.amount % 70);
    let listed = manifest::write(show, wall.saturating_sub(stale), tail);
    given.odd = listed.odd;
    let mut answer = plain(200, listed.text.into_bytes());
    answer.faulted = stale > 0 || tail > 0;
    if let Some(fault) = has(Kind::NoManifest) {
        answer = plain(if fault.amount.is_multiple_of(4) { 503 } else { 404 }, Vec::new());
        answer.faulted = true;
    }
    answer
}

fn fragment<'f>(
    show: &Show,
    wall: u64,
    s: usize,
    mut bitrate: u32,
    time: u64,
    has: &impl Fn(Kind) -> Option<&'f Fault>,
    given: &mut Given,
) -> Answer {
    let Some(mut piece) = show.find(s, time) else { return plain(404, Vec::new()) };
    given.piece = Some(piece);
    let grace = show.live.map_or(0, |l| l.grace);
    if show.served_at(s, piece) > wall as i64 {
        return plain(412, Vec::new());
    }
    if piece.n < show.window_start(s, piece.run, wall, grace) {
        return plain(404, Vec::new());
    }
    let mut faulted = false;
    if let Some(fault) = has(Kind::OtherLevel) {
        let levels = &show.streams[s].bitrates;
        bitrate = levels[(fault.amount % levels.len() as u64) as usize];
        faulted = true;
    }
    if has(Kind::OtherTime).is_some() && piece.n > 0 {
        let before = Piece { n: piece.n - 1, ..piece };
        if show.exists(s, before) {
            (piece, faulted) = (before, true);
        }
    }
    let around = around(show, s, piece, wall, has, given);
    let mut answer = plain(200, body(show, s, bitrate, piece, &around));
    answer.faulted = faulted;
    answer
}

fn around<'f>(
    show: &Show,
    s: usize,
    piece: Piece,
    wall: u64,
    has: &impl Fn(Kind) -> Option<&'f Fault>,
    given: &mut Given,
) -> Around {
    let Some(live) = show.live else { return Around::default() };
    let span = |p: Piece| (show.start(s, p), show.stop(s, p) - show.start(s, p));
    let mut followers: Vec<_> = show.followers(s, piece, wall).into_iter().map(span).collect();
    if let Some(fault) = has(Kind::FewFollowers) {
        followers.truncate((fault.amount % 2) as usize);
    }
    if let Some(fault) = has(Kind::OddFollowers) {
        for (time, duration) in &mut followers {
            *time += 1 + fault.amount % 3;
            *duration -= fault.amount % 5;
            given.odd.push((s, *time));
        }
    }
    if has(Kind::Again).is_some() {
        let mut again = vec![span(piece)];
        if piece.n > 0 && show.exists(s, Piece { n: piece.n - 1, ..piece }) {
            again.insert(0, span(Piece { n: piece.n - 1, ..piece }));
        }
        again.append(&mut followers);
        followers = again;
    }
    let announces = live.announces && has(Kind::NoFollowers).is_none();
    Around {
        version: Some(live.version),
        // Durations are rounded on their own, as everywhere.
        off: (piece.n % 3) as i64 - 1,
        followers: (announces && live.look_ahead > 0).then_some(followers),
    }
}

/// Faults that do not ask what is answered.
fn spoil(fault: &Fault, answer: &mut Answer, given: &mut Given, dice: &mut Dice) {
    let size = answer.body.len();
    let at = |dice: &mut Dice| dice.below(size as u64 + 1) as usize;
    let fragment = matches!(given.asked, Asked::Fragment { .. });
    fn replace(answer: &mut Answer, status: u16, body: &[u8]) {
        answer.status = status;
        answer.body = body.to_vec();
        answer.length = Some(body.len() as u64);
        answer.wire = Wire::Whole;
    }
    match fault.kind {
        Kind::Refuse => answer.wire = Wire::Refuse,
        Kind::Reset => answer.wire = Wire::Cut(at(dice)),
        Kind::Stall => answer.wire = Wire::Stall(at(dice)),
        Kind::Silence => answer.wire = Wire::Silence,
        Kind::Drip => answer.wire = Wire::Drip(20 + fault.amount % 3000, fault.until),
        Kind::Truncate => {
            // With a length the stack tells; without one nobody does.
            answer.wire = Wire::Short(at(dice));
            if dice.one_in(2) {
                answer.length = None;
            }
        }
        Kind::CorruptHeader if fragment && answer.status == 200 && size > 64 => {
            // Sizes and names of the outer boxes.
            let bytes = answer.body.len().min(16);
            answer.body[dice.below(bytes as u64) as usize] ^= 0x80 | (fault.amount as u8 & 0x7F);
        }
        Kind::CorruptData if fragment && answer.status == 200 && size > 300 => {
            let third = size / 3;
            let from = size - third + dice.below(third as u64) as usize;
            answer.body[from] ^= 0x5A;
            given.damaged = true;
        }
        Kind::Junk if fragment && answer.status == 200 => {
            answer.body.extend((0..fault.amount % 30_000).map(|n| n as u8 | 1));
            answer.length = Some(answer.body.len() as u64);
        }
        Kind::Html => replace(answer, 200, b"<html><body>please pay for your stay</body></html>"),
        Kind::Empty => replace(answer, 200, b""),
        Kind::Forbidden => replace(answer, 403, b"no"),
        Kind::NotFound => replace(answer, 404, b""),
        Kind::Gone => replace(answer, 410, b""),
        Kind::TooEarly => replace(answer, 412, b""),
        Kind::TooMany => replace(answer, 429, b""),
        Kind::Broken => replace(answer, 500, b"oh"),
        Kind::Busy => replace(answer, 503, b""),
        Kind::Redirect if given.asked == Asked::Manifest => answer.final_url = format!("{MIRROR}Manifest"),
        Kind::GarbledManifest if given.asked == Asked::Manifest && answer.status == 200 && size > 64 => {
            if dice.one_in(2) {
                answer.body.truncate(dice.below(size as u64) as usize);
            } else {
                let from = dice.below(size as u64 / 2) as usize;
                answer.body[from..from + size / 4].fill(b'<');
            }
            answer.length = Some(answer.body.len() as u64);
        }
        _ => return,
    }
    answer.faulted = true;
}
