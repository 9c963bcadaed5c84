//! A channel for a month: one manifest, and nothing else than what fragments announce.

use std::rc::Rc;

use smoothcore::session::{AudioChoice, Config, LiveConfig};

use crate::dice::Dice;
use crate::fault::Script;
use crate::net::{Net, Trace};
use crate::screen::Screen;
use crate::show::{Holds, Listing, Live, Run, SECOND, Show, Stream};
use crate::world::{Habits, World, run};

/// What is played.
#[derive(Clone, Copy, Debug)]
pub struct Month {
    pub days: u64,
    pub seed: u64,
    /// By how many millionths the box's clock runs faster than that of the channel.
    pub drift: i64,
}

/// Figures of one day.
#[derive(Clone, Copy, Debug, Default)]
pub struct Day {
    pub manifests: u64,
    pub fragments: u64,
    pub early: u64,
    pub missing: u64,
    pub stalls: u64,
    pub gaps: u64,
    /// The most bytes held at a look, of which there is one a minute.
    pub held: usize,
    pub samples: u64,
    /// Behind the newest media at the encoder, in milliseconds.
    pub latency: u64,
}

/// Three streams; both languages in frames of 1,024 samples, which are no whole number of ticks.
pub fn channel() -> Show {
    let streams = vec![
        Stream::video(10_000_000, &[200_000, 400_000, 800_000], 10, (2, 1)),
        Stream::audio("audio_eng", 10_000_000, 48_000, 6, (87 * 1024, 44_100)),
        Stream::audio("audio_fra", 10_000_000, 48_000, 6, (94 * 1024, 48_000)),
    ];
    let mut show = Show::vod(streams, 1, 0);
    // 100 ns since 1601, beyond 2^53; on the air for ten minutes.
    let origin = 133_500_000_000_000_123;
    show.runs = vec![Run { wall: -600 * SECOND as i64, origin, until: None, continues: false }];
    show.listing = Listing::Times;
    show.thin = 100;
    show.live = Some(Live {
        spelling: "TRUE",
        dvr: 60 * SECOND,
        look_ahead: 2,
        holds: Holds::Served,
        delay: 300_000,
        jitter: 60_000,
        grace: 10 * SECOND,
        end: None,
        version: 1,
        announces: true,
        most: 16,
    });
    show
}

/// Plays; `tell` sees every day. What broke, if anything.
pub fn play(month: Month, mut tell: impl FnMut(u64, &Day, &World)) -> Result<World, String> {
    let show = Rc::new(channel());
    let steady = month.drift == 0;
    // A box that runs ahead of the channel must go back to its delay from time to time.
    let live = LiveConfig { rate: if steady { 0 } else { 20 }, ..LiveConfig::default() };
    let config =
        Config { seed: month.seed, audio: AudioChoice::All, budget: 1 << 20, live, ..Config::default() };
    let mut screen = Screen::new(show.streams.len(), 4 * SECOND);
    screen.drift = month.drift;
    let mut dice = Dice::new(month.seed);
    let mut net = Net::new(Trace::constant(8_000_000), 30_000, &[]);
    let mut world = World::new(show, Rc::new(Script::default()), config, screen, dice.split());
    world.drift = month.drift;
    // A box that is busy with other things, too.
    world.habits = Habits { grain: 250_000, ..Habits::default() };
    world.open(&mut net, 0);
    let mut before = Day::default();
    let mut held_first = 0;
    for day in 1..=month.days {
        let mut today = Day::default();
        for minute in 1..=24 * 60 {
            run(&mut world, &mut net, (day - 1) * 86_400 * SECOND + minute * 60 * SECOND);
            today.held = today.held.max(world.session.stats().held);
        }
        world.close();
        if let Some(breach) = &world.breach {
            return Err(format!("day {day}: {breach}"));
        }
        let counts = world.rules.counts;
        let total = Day {
            manifests: counts.manifests,
            fragments: counts.fragments,
            early: counts.early,
            missing: counts.missing,
            stalls: counts.stalls,
            gaps: counts.gaps,
            samples: counts.samples,
            ..today
        };
        let shown = world.screen.position.ok_or("nothing is shown")?;
        let newest = world.show.runs[0].origin as i64 + (world.now as i64 - world.show.runs[0].wall) * 10;
        today = Day {
            manifests: total.manifests - before.manifests,
            fragments: total.fragments - before.fragments,
            early: total.early - before.early,
            missing: total.missing - before.missing,
            stalls: total.stalls - before.stalls,
            gaps: total.gaps - before.gaps,
            samples: total.samples - before.samples,
            latency: (newest - shown) as u64 / 10_000,
            held: today.held,
        };
        before = total;
        tell(day, &today, &world);
        if day == 1 {
            held_first = today.held;
        }
        let flat = today.held <= held_first + held_first / 50;
        let first = u64::from(day == 1);
        let wanted = [
            (today.manifests == first, "the manifest was asked for again"),
            (today.missing == 0, "404"),
            // A fast clock asks a little earlier each time; once that is too early, it is put right for all that follow.
            (
                today.early <= if steady { 0 } else { 100 } || counts.early_at < 30 * SECOND,
                "412 after the start",
            ),
            (today.stalls == 0, "it stalled"),
            (today.gaps == 0, "a gap"),
            (flat, "it holds more bytes than on the first day"),
            (world.screen.held == 0, "the clock was held"),
        ];
        if let Some((_, what)) = wanted.iter().find(|w| !w.0) {
            return Err(format!("day {day}: {what}: {today:?}"));
        }
    }
    Ok(world)
}
