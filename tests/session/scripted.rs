//! The scripts of `tests/c/rig.c`, played in Rust: the same log in every mode, and in a file for the C rig to match.

use std::path::PathBuf;

use crate::common::origin::TESTCARD;
use crate::common::sealed::{PLAYREADY, playready};
use crate::common::{
    Agent, Cover, Fate, Fault, Form, Link, Mode, Origin, Played, Recorder, Seal, play_sealed,
};
use smoothcore::io::{EventKind, Kid};
use smoothcore::port::Decryption;
use smoothcore::session::{AudioChoice, Config, State, SwitchingConfig, SwitchingRule};
use smoothcore::time::{Instant, MediaTime};

const EVERY: &[Mode] = &[Mode::SansIo, Mode::EventLoop, Mode::Blocking];

struct Script {
    name: &'static str,
    rates: &'static [u64],
    cuts: &'static [(&'static str, u32, usize)],
    fixed_bitrate: u32,
    start_at: Option<i64>,
    /// Virtual time in microseconds, and where to.
    seek: Option<(u64, i64)>,
    /// Who decrypts, when anybody must, and when the two keys are ready.
    sealed: Option<(Decryption, [u64; 2])>,
    rule: SwitchingRule,
}

const PLAIN: Script = Script {
    name: "plain",
    rates: &[60, 12, 90, 8],
    cuts: &[],
    fixed_bitrate: 0,
    start_at: None,
    seek: None,
    sealed: None,
    rule: SwitchingRule::Throughput,
};

/// The only one in which the planner chooses: the small archive has none.
const PLANNED: Script = Script { name: "planned", rule: SwitchingRule::Planner, ..PLAIN };

const CUTS: Script = Script {
    name: "cuts",
    rates: &[40, 25],
    cuts: &[
        ("Manifest", 1, 700),
        ("QualityLevels(101261)/Fragments(video=0)", 1, 9000),
        ("QualityLevels(101261)/Fragments(video=100000000)", 1, 17),
        ("QualityLevels(101261)/Fragments(video=100000000)", 2, 20_000),
        ("QualityLevels(22924)/Fragments(audio_eng=100266667)", 1, 3000),
        ("QualityLevels(26030)/Fragments(audio_fra=0)", 1, 0),
        ("QualityLevels(26030)/Fragments(audio_fra=461226667)", 1, 5000),
    ],
    fixed_bitrate: 101_261,
    ..PLAIN
};

const SEEK: Script = Script {
    name: "seek",
    cuts: &[("QualityLevels(22924)/Fragments(audio_eng=280746667)", 1, 2500)],
    seek: Some((10_000_000, 300_000_000)),
    ..PLAIN
};

const START: Script = Script { name: "start", rates: &[60, 30], start_at: Some(310_000_000), ..PLAIN };

const SEALED: Script =
    Script { name: "sealed", sealed: Some((Decryption::Decoder, [3_000_000, 40_000_000])), ..PLAIN };
const OPENED: Script =
    Script { name: "opened", sealed: Some((Decryption::Port, [3_000_000, 40_000_000])), ..PLAIN };

const KIDS: [Kid; 2] = [Kid(*b"A key for openin"), Kid(*b"B key for the en")];

/// The test card, encrypted, with another key from 24 s on.
fn sealed_testcard() -> Origin {
    let origin = Origin::testcard().sealed(|name, _, time| {
        let kid = KIDS[usize::from(time >= 240_000_000)];
        let cover = if name == "video" { Cover::Nals } else { Cover::Whole };
        Some(Seal { form: Form::Override, cover, ..Seal::new(kid) })
    });
    origin.with_headers(&[(PLAYREADY, playready(&KIDS[..1], "https://licence.test/"))])
}

fn agent(script: &Script) -> Agent {
    let Some((decryption, at)) = script.sealed else { return Agent::none() };
    let keys: Vec<_> =
        KIDS.iter().enumerate().map(|(n, kid)| (Some(*kid), Fate::At(at[n], 11 + n as u64))).collect();
    Agent { busy_every: 7, ..Agent::new(decryption, &keys) }
}

fn run(script: &Script, mode: Mode) -> Played {
    let config = Config {
        audio: AudioChoice::All,
        seed: 7,
        budget: 4 << 20,
        fixed_bitrate: script.fixed_bitrate,
        start_at: script.start_at.map(MediaTime),
        switching: SwitchingConfig { rule: script.rule, ..SwitchingConfig::default() },
        ..Config::default()
    };
    let origin = if script.sealed.is_some() { sealed_testcard() } else { Origin::testcard() };
    let link = Link::new(origin, script.rates);
    let link = script.cuts.iter().fold(link, |link, (path, nth, at)| link.fault(path, *nth, Fault::Cut(*at)));
    let mut seek = script.seek;
    play_sealed(mode, config, link, Recorder::new(), agent(script), move |now, session| {
        if let Some((at, to)) = seek
            && now >= at
        {
            session.seek(Instant(now), MediaTime(to)).unwrap();
            seek = None;
        }
    })
}

/// Where logs go; nobody reads them unless a directory is named.
fn directory() -> PathBuf {
    std::env::var_os("SMOOTHCORE_LOG_DIR").map_or(env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from)
}

/// Plays in every mode; the first one's run, when all logs are the same.
fn in_modes(script: &Script, modes: &[Mode]) -> Played {
    let mut runs: Vec<Played> = modes.iter().map(|mode| run(script, *mode)).collect();
    for (played, mode) in runs.iter().zip(modes) {
        assert_eq!(played.state, State::Ended, "{mode:?}");
        assert_eq!(played.link.balance, 0, "{mode:?}");
        assert_eq!(played.count(EventKind::Gap), 0, "{mode:?}");
        assert_eq!(played.count(EventKind::Retry), script.cuts.len(), "{mode:?}: every cut was met");
        assert!(played.decoder.log == runs[0].decoder.log, "{mode:?} differs");
    }
    let directory = directory();
    for (played, mode) in runs.iter().zip(modes) {
        let mode = match mode {
            Mode::SansIo => "sans-io",
            Mode::EventLoop => "event-loop",
            Mode::Blocking => "blocking",
        };
        std::fs::write(directory.join(format!("{}.{mode}.log", script.name)), &played.decoder.log).unwrap();
    }
    runs.swap_remove(0)
}

#[test]
fn plain() {
    let played = in_modes(&PLAIN, EVERY);
    assert_eq!(played.decoder.samples.len(), 1200 + 2 * 2252);
    assert!(played.stats.switches_up > 0 && played.stats.switches_down > 0);
}

#[test]
fn planned() {
    let played = in_modes(&PLANNED, EVERY);
    assert_eq!(played.decoder.samples.len(), 1200 + 2 * 2252);
    assert!(played.stats.switches_up > 0 && played.stats.switches_down > 0);
}

#[test]
fn cuts() {
    let played = in_modes(&CUTS, EVERY);
    assert_eq!(played.decoder.samples.len(), 1200 + 2 * 2252);
}

#[test]
fn seek() {
    let played = in_modes(&SEEK, EVERY);
    let flushed = played.decoder.log.lines().filter(|l| l.starts_with("flush ")).count();
    assert_eq!(flushed, 3, "each stream once");
    let skipped = played.decoder.samples.iter().any(|s| s.stream == 0 && s.dts == 290_000_000);
    assert!(!skipped, "what lies between is not played");
}

#[test]
fn start() {
    let played = in_modes(&START, EVERY);
    let first = played.decoder.samples.iter().find(|s| s.stream == 0).unwrap();
    assert_eq!((first.dts, first.flags & 8), (300_000_000, 8), "preroll from the fragment that covers 31 s");
    assert!(played.decoder.samples.iter().all(|s| (s.pts < 310_000_000) == (s.flags & 8 != 0)));
}

#[test]
fn sealed_and_opened() {
    leave_files();
    for script in [&SEALED, &OPENED] {
        let played = in_modes(script, EVERY);
        assert_eq!(played.decoder.samples.len(), 1200 + 2 * 2252);
        assert_eq!(played.stats.stalls, 1, "the second key is late");
    }
}

/// The encrypted test card as files, for the rig in C.
fn leave_files() {
    let origin = sealed_testcard();
    let directory = directory().join("sealed");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("testcard.ismc"), &origin.responses["Manifest"]).unwrap();
    for (bitrate, name, file) in TESTCARD {
        let prefix = format!("QualityLevels({bitrate})/Fragments({name}=");
        let mut fragments: Vec<(u64, &[u8])> = origin
            .responses
            .iter()
            .filter_map(|(path, body)| Some((path.strip_prefix(&prefix)?.strip_suffix(')')?, body)))
            .map(|(time, body)| (time.parse().unwrap(), &body[..]))
            .collect();
        fragments.sort_unstable();
        let (mut bytes, mut entries) = (Vec::new(), Vec::new());
        for (time, body) in &fragments {
            entries.extend_from_slice(&time.to_be_bytes());
            entries.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            entries.extend_from_slice(&[1, 1, 1]);
            bytes.extend_from_slice(body);
        }
        let boxed = |kind: &[u8], payload: &[&[u8]]| {
            let payload = payload.concat();
            [&(payload.len() as u32 + 8).to_be_bytes()[..], kind, &payload].concat()
        };
        let count = (fragments.len() as u32).to_be_bytes();
        let tfra = boxed(b"tfra", &[&[1, 0, 0, 0], &1u32.to_be_bytes(), &[0; 4], &count, &entries]);
        let size = (8 + tfra.len() as u32 + 16).to_be_bytes();
        let mfro = boxed(b"mfro", &[&[0; 4], &size]);
        bytes.extend_from_slice(&boxed(b"mfra", &[&tfra, &mfro]));
        std::fs::write(directory.join(file), bytes).unwrap();
    }
}
