//! Faults of every kind, singly and in mixtures of three, over many seeds.

use std::collections::BTreeMap;
use std::rc::Rc;

use smoothcore::io::{DecoderTraits, Framing};
use smoothcore::limits::Limits;
use smoothcore::session::{AudioChoice, BehindPolicy, Config, LiveConfig, LiveStart, State, WindowChoice};
use smoothcore::time::Micros;

use crate::dice::Dice;
use crate::fault::{Kind, On, Script};
use crate::net::{Net, Trace};
use crate::screen::{Screen, Taste};
use crate::show::{Holds, Listing, Live, Run, SECOND, Show, Stream};
use crate::world::{Habits, World, run};

/// What is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    Vod,
    Live,
}

/// What became of a run.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fate {
    Played,
    Failed(String),
    Broken(String),
}

/// The kinds of a seed: every second one a single kind in turn, the others three.
pub fn kinds(seed: u64, which: Which, only: Option<Kind>) -> Vec<Kind> {
    let fits = |k: &&Kind| match k.on() {
        On::Both => true,
        On::Live => which == Which::Live,
        On::Vod => which == Which::Vod,
    };
    let all: Vec<Kind> = Kind::ALL.iter().filter(fits).copied().collect();
    if let Some(only) = only {
        return vec![only];
    }
    let mut dice = Dice::new(seed ^ 0x6B69_6E64);
    if seed.is_multiple_of(2) {
        return vec![all[(seed / 2) as usize % all.len()]];
    }
    let mut three = Vec::new();
    while three.len() < 3 {
        let kind = dice.pick(&all);
        if !three.contains(&kind) {
            three.push(kind);
        }
    }
    three
}

fn streams(dice: &mut Dice) -> Vec<Stream> {
    let ladders: [&[u32]; 3] =
        [&[64_000, 128_000, 256_000], &[90_000, 150_000, 300_000, 600_000], &[200_000]];
    // 2 s; 60 pictures of 29.97 a second; 4 s; 1 s.
    let video = match dice.below(4) {
        0 => Stream::video(10_000_000, dice.pick(&ladders), 12, (60 * 1001, 30_000)),
        1 => Stream::video(90_000, dice.pick(&ladders), 16, (60 * 1001, 30_000)),
        2 => Stream::video(10_000_000, dice.pick(&ladders), 16, (dice.pick(&[1, 4]), 1)),
        _ => Stream::video(10_000_000, dice.pick(&ladders), 10, (2, 1)),
    };
    // Frames of 1,024 at 44.1 and 48 kHz: no whole number of ticks.
    let near = |rate: u64| (video.micros(1) * rate / 1024 / SECOND).max(1);
    let rate = dice.pick(&[44_100, 48_000]);
    let frames = near(rate) + dice.below(3);
    let scale = dice.pick(&[10_000_000, 10_000_000, rate]);
    let first = Stream::audio("audio_eng", scale, 32_000, 10, (frames * 1024, rate));
    let second = Stream::audio("audio_fra", scale, 24_000, 6, (frames * 1024, rate));
    vec![video, first, second]
}

fn show(which: Which, dice: &mut Dice) -> Show {
    let streams = streams(dice);
    // Also as of 1970 and of 1601, beyond 2^53.
    let origin = dice.pick(&[0, 0, 36_000_000_000, 17_472_959_488_675_333, 133_500_000_000_000_123]);
    let mut show = Show::vod(streams, dice.within(70, 110), origin);
    show.listing = dice.pick(&[Listing::Times, Listing::Rounded(70), Listing::Durations, Listing::Repeats]);
    if which == Which::Live {
        let dvr = dice.pick(&[0, 60, 120, 600]) * SECOND;
        show.runs = vec![Run {
            wall: -((dice.within(20, 400) * SECOND + dice.below(SECOND)) as i64),
            origin,
            until: None,
            continues: false,
        }];
        show.live = Some(Live {
            spelling: dice.pick(&["TRUE", "true", "True", "1"]),
            dvr,
            look_ahead: dice.pick(&[2, 2, 2, 1, 3, 5]),
            holds: dice.pick(&[Holds::Served, Holds::Listed]),
            delay: dice.within(50, 900) * 1000,
            jitter: dice.pick(&[0, 40_000, 400_000]),
            grace: 10 * SECOND,
            end: None,
            version: if origin < 1 << 31 { dice.pick(&[0, 1]) } else { 1 },
            announces: true,
            most: 16,
        });
    }
    show
}

/// The world of a seed.
pub fn world(seed: u64, which: Which, only: Option<Kind>) -> (World, Net) {
    let mut dice = Dice::new(seed);
    let mut show = show(which, &mut dice.split());
    let kinds = kinds(seed, which, only);
    let script = Script::write(&kinds, &mut show, &mut dice.split());
    let most = u64::from(*show.streams[0].bitrates.last().expect("a level"));
    let least = u64::from(show.streams[0].bitrates[0]) + 60_000;
    let rate = match dice.below(3) {
        0 => least * 3,
        1 => (most + 60_000) * 3,
        _ => 20_000_000,
    };
    let rtt = dice.pick(&[2_000, 20_000, 80_000, 150_000]);
    let mut net = Net::new(Trace::constant(rate), rtt, &script.outages);
    net.piece = dice.pick(&[1400, 4096, 16 << 10]);
    let budget = match script.tiny {
        true => dice.within(64, 256) << 10,
        false => dice.pick(&[1, 2, 4, 8]) << 20,
    };
    let framing = dice.pick(&[Framing::ElementaryStream, Framing::LengthPrefixed]);
    let flags = dice.pick(&[0, 0, DecoderTraits::CONTIGUOUS, DecoderTraits::NEEDS_AUD]);
    let config = Config {
        limits: Limits { idle_timeout: Micros::from_secs(dice.within(2, 10)), ..Limits::default() },
        budget: budget as usize,
        seed,
        audio: dice.pick(&[AudioChoice::All, AudioChoice::First]),
        decoder: DecoderTraits { framing, flags },
        start_bitrate: dice.pick(&[0, 130_000]),
        live: LiveConfig {
            start: dice.pick(&[
                LiveStart::Edge,
                LiveStart::Edge,
                LiveStart::Beginning,
                LiveStart::AlwaysEdge,
            ]),
            behind: dice.pick(&[BehindPolicy::WindowStart, BehindPolicy::WindowStart, BehindPolicy::Edge]),
            window: dice.pick(&[WindowChoice::Origin, WindowChoice::Origin, WindowChoice::Unlimited]),
            rate: dice.pick(&[0, 0, 50]),
            ..LiveConfig::default()
        },
        ..Config::default()
    };
    let mut screen = Screen::new(show.streams.len(), dice.within(500, 4000) * 1000);
    if script.fickle {
        screen.taste = dice.pick(&[Taste::Fickle, Taste::Needs(0, 1), Taste::Needs(1, 0)]);
    }
    // Quartz is no better than that.
    let drift = dice.pick(&[0, 0, 200, -200]);
    screen.drift = drift;
    let slow = script.slow;
    let mut world = World::new(Rc::new(show), Rc::new(script), config, screen, dice.split());
    world.drift = drift;
    world.habits = Habits {
        grain: if slow { dice.within(20, 300) * 1000 } else { 0 },
        early: dice.pick(&[0, 3, 20]),
        slow: if slow { dice.within(1, 60) * 1000 } else { 0 },
        gated: dice.one_in(2),
    };
    (world, net)
}

/// Runs one seed; with a log where one is wanted.
pub fn one(seed: u64, which: Which, only: Option<Kind>, log: bool) -> (Fate, World) {
    let (mut world, mut net) = world(seed, which, only);
    if log {
        world.log = Some(String::new());
    }
    world.open(&mut net, 0);
    let until = match which {
        Which::Vod => 5 * 3600 * SECOND,
        // Recovery, and half a minute in which nothing is amiss.
        Which::Live => world.script.last + 90 * SECOND,
    };
    run(&mut world, &mut net, until);
    world.close();
    let fate = match (&world.breach, world.session.state()) {
        (Some(text), _) => Fate::Broken(text.clone()),
        (None, State::Failed(e)) => Fate::Failed(e.to_string()),
        _ => Fate::Played,
    };
    (fate, world)
}

/// Counts by kind.
#[derive(Default)]
pub struct Table {
    /// Runs, of which ended in a fatal error.
    pub by_kind: BTreeMap<Kind, (u64, u64)>,
    pub runs: u64,
    pub failed: BTreeMap<String, u64>,
    pub broken: Vec<(u64, Which, String)>,
    pub samples: u64,
    pub seconds: u64,
}

impl Table {
    pub fn add(&mut self, seed: u64, which: Which, kinds: &[Kind], fate: Fate) {
        self.runs += 1;
        for kind in kinds {
            let row = self.by_kind.entry(*kind).or_default();
            row.0 += 1;
            row.1 += u64::from(matches!(fate, Fate::Failed(_)));
        }
        match fate {
            Fate::Played => {}
            Fate::Failed(why) => *self.failed.entry(why).or_default() += 1,
            Fate::Broken(why) => self.broken.push((seed, which, why)),
        }
    }
}

/// Runs seeds; panics of the core count as broken rules.
pub fn many(from: u64, to: u64, which: &[Which], only: Option<Kind>, mut tell: impl FnMut(&Table)) -> Table {
    let mut table = Table::default();
    for seed in from..to {
        let which = which[(seed / 2) as usize % which.len()];
        let done = std::panic::catch_unwind(|| {
            let (fate, world) = one(seed, which, only, false);
            (fate, world.script.kinds.clone(), world.rules.counts.samples, world.now / SECOND)
        });
        match done {
            Ok((fate, kinds, samples, seconds)) => {
                table.samples += samples;
                table.seconds += seconds;
                table.add(seed, which, &kinds, fate);
            }
            Err(_) => table.add(seed, which, &kinds(seed, which, only), Fate::Broken("panic".into())),
        }
        tell(&table);
    }
    table
}
