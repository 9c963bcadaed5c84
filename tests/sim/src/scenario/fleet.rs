//! A fleet on one origin that fails for a minute: how hard it knocks when the origin is back.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write;
use std::rc::Rc;

use smoothcore::session::{AudioChoice, Config, State};

use super::month::channel;
use crate::dice::Dice;
use crate::fault::{Fault, Kind, Script};
use crate::net::{Net, Trace};
use crate::screen::Screen;
use crate::show::SECOND;
use crate::world::{Habits, World};

/// What is run.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    pub sessions: u32,
    pub seed: u64,
    /// How the origin fails.
    pub how: Kind,
}

/// Sessions come within this time, in seconds.
const COMING: u64 = 60;
/// The steady rate is that of the half minute before the outage.
const STEADY: (u64, u64) = (120, 150);
pub const OUTAGE: (u64, u64) = (150, 210);
pub const END: u64 = 360;

/// What came of it.
#[derive(Clone, Debug)]
pub struct Knocks {
    /// Requests of each second.
    pub seconds: Vec<u32>,
    /// Requests a second before the outage: mean and most.
    pub steady: f64,
    pub steady_most: u32,
    /// The most in a second after it, and which.
    pub most: u32,
    pub most_at: u64,
    pub failed: u64,
    pub stalled: u64,
    /// Sessions that play at the end.
    pub playing: u64,
    pub breaches: Vec<(u64, String)>,
}

pub fn run(fleet: Fleet) -> Knocks {
    let mut show = channel();
    show.live.as_mut().expect("live").dvr = 600 * SECOND;
    let show = Rc::new(show);
    let fault = Fault {
        kind: fleet.how,
        from: OUTAGE.0 * SECOND,
        until: OUTAGE.1 * SECOND,
        odds: 1,
        stream: None,
        amount: 0,
    };
    let script = Rc::new(Script { faults: vec![fault], last: OUTAGE.1 * SECOND, ..Script::default() });
    let mut dice = Dice::new(fleet.seed);
    let mut worlds = Vec::new();
    let mut queue = BinaryHeap::new();
    for n in 0..fleet.sessions {
        let config =
            Config { seed: dice.roll(), audio: AudioChoice::First, budget: 1 << 20, ..Config::default() };
        let screen = Screen::new(show.streams.len(), 4 * SECOND);
        let mut world = World::new(show.clone(), script.clone(), config, screen, dice.split());
        world.habits = Habits { grain: 250_000, ..Habits::default() };
        world.asked = Some(Vec::new());
        let net = Net::new(Trace::constant(dice.within(3, 30) * 1_000_000), dice.within(5, 80) * 1000, &[]);
        queue.push(Reverse((dice.below(COMING * SECOND), n)));
        worlds.push((world, net, false));
    }
    while let Some(Reverse((now, n))) = queue.pop() {
        if now >= END * SECOND {
            continue;
        }
        let (world, net, opened) = &mut worlds[n as usize];
        if *opened {
            world.run_to(net, now);
        } else {
            *opened = true;
            world.open(net, now);
        }
        if !world.over() {
            let next = world.next_time().min(net.next_time().unwrap_or(u64::MAX));
            queue.push(Reverse((next.max(now), n)));
        }
    }
    let mut seconds = vec![0u32; END as usize];
    let (mut failed, mut stalled, mut playing, mut breaches) = (0, 0, 0, Vec::new());
    for (n, (world, _, _)) in worlds.iter_mut().enumerate() {
        for at in world.asked.take().unwrap_or_default() {
            seconds[(at / SECOND) as usize] += 1;
        }
        world.close();
        if let Some(breach) = &world.breach {
            breaches.push((n as u64, breach.clone()));
        }
        failed += u64::from(matches!(world.session.state(), State::Failed(_)));
        stalled += u64::from(world.rules.counts.stalls > 0);
        playing += u64::from(world.screen.running() && END * SECOND - world.screen.moved < SECOND);
    }
    let before = &seconds[STEADY.0 as usize..STEADY.1 as usize];
    let steady = before.iter().map(|n| f64::from(*n)).sum::<f64>() / before.len() as f64;
    let steady_most = before.iter().copied().max().unwrap_or(0);
    let after = seconds[OUTAGE.1 as usize..END as usize].iter().copied().enumerate();
    let (most_at, most) = after.max_by_key(|s| s.1).map_or((0, 0), |(at, n)| (at as u64 + OUTAGE.1, n));
    Knocks { seconds, steady, steady_most, most, most_at, failed, stalled, playing, breaches }
}

/// Requests over time as a picture.
pub fn picture(fleet: Fleet, knocks: &Knocks) -> String {
    let (left, top, width, height) = (60.0, 40.0, END as f64 * 2.0, 220.0);
    let highest = f64::from(knocks.seconds.iter().copied().max().unwrap_or(1)).max(knocks.steady * 1.6);
    let x = |second: u64| left + second as f64 * 2.0;
    let y = |n: f64| top + height - n / highest * height;
    let mut svg = String::new();
    let mut line = |text: String| writeln!(svg, "{text}").expect("text");
    line(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"11\">",
        left + width + 90.0,
        top + height + 40.0
    ));
    line(format!(
        "<title>{} sessions, an origin that fails for {} s: requests a second</title>",
        fleet.sessions,
        OUTAGE.1 - OUTAGE.0
    ));
    line(format!(
        "<text x=\"{left}\" y=\"20\" font-size=\"13\">Requests a second of {} sessions; the origin fails from {} s to {} s</text>",
        fleet.sessions, OUTAGE.0, OUTAGE.1
    ));
    line(format!(
        "<rect x=\"{}\" y=\"{top}\" width=\"{}\" height=\"{height}\" fill=\"#f4d9d6\"/>",
        x(OUTAGE.0),
        (OUTAGE.1 - OUTAGE.0) as f64 * 2.0
    ));
    let mut bars = String::new();
    for (second, n) in knocks.seconds.iter().enumerate() {
        let at = y(f64::from(*n));
        write!(bars, "M{:.1} {:.1}V{at:.1}h1.6V{:.1}z", x(second as u64), top + height, top + height)
            .expect("text");
    }
    line(format!("<path d=\"{bars}\" fill=\"#31688e\"/>"));
    for (factor, name) in [(1.0, "steady"), (1.5, "1.5 × steady")] {
        let at = y(knocks.steady * factor);
        line(format!(
            "<path d=\"M{left} {at:.1}H{:.1}\" stroke=\"#b5462f\" stroke-dasharray=\"5 3\"/>",
            left + width
        ));
        line(format!("<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>", left + width + 5.0, at + 4.0));
    }
    for second in (0..=END).step_by(30) {
        line(format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{second}</text>",
            x(second),
            top + height + 16.0
        ));
    }
    line(format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">seconds</text>",
        left + width / 2.0,
        top + height + 32.0
    ));
    line(format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.0}</text>",
        left - 5.0,
        y(knocks.steady) + 4.0,
        knocks.steady
    ));
    line(format!("<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">0</text>", left - 5.0, top + height));
    line("</svg>".into());
    svg
}
