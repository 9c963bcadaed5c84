//! Live channels of `smoothcore origin`, on a clock that the test moves: what is listed, announced, handed out and refused at
//! every moment, by a reading of its own.

mod common;

use common::live::{Told, channels, of_file};
use common::{Origin, smoothcore, testcard};

const SECOND: u64 = 10_000_000;
const VIDEO: u64 = 64_852;
const ENGLISH: u64 = 22_924;
const FRENCH: u64 = 26_030;

#[test]
fn the_manifest_grows_by_the_clock_and_holds_back_what_fragments_announce() {
    let ahead = [0_u64, 1, 2, 5];
    let specs: Vec<String> = ahead.iter().map(|n| format!("a{n},lookahead={n},dvr=inf,history=0")).collect();
    let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
    let origin = channels(&specs, &[]);
    assert_eq!(origin.get("/a0.isml/Manifest").status, 412, "nothing yet");
    for half in 1..=40_u64 {
        origin.at(half as f64 / 2.0);
        for n in ahead {
            // Of fragments of 2 s, so many are complete.
            let there = half / 4;
            let expected: Vec<u64> = (0..there.saturating_sub(n)).map(|at| at * 2 * SECOND).collect();
            let answer = origin.get(&format!("/a{n}.isml/Manifest"));
            // Sound comes 5 ms later than pictures, so a manifest may list them alone.
            if expected.is_empty() {
                assert!(answer.status == 412 && answer.body.is_empty(), "{half} {n}: {}", answer.status);
                continue;
            }
            let listed = common::live::Listed::read(&answer.body);
            assert_eq!(listed.times("video"), expected, "{half} {n}");
            assert_eq!(listed.attribute("LookAheadFragmentCount"), Some(n.to_string().as_str()));
            assert_eq!((listed.attribute("IsLive"), listed.attribute("Duration")), (Some("TRUE"), Some("0")));
            assert_eq!(listed.attribute("DVRWindowLength"), Some("0"));
        }
    }
}

#[test]
fn fragments_are_the_files_with_their_time_and_that_of_those_that_follow() {
    let origin = channels(&["a,lookahead=2,dvr=inf,history=0"], &[]);
    let file = of_file("testcard_64.ismv");
    origin.at(20.0);
    for (at, own) in file.iter().enumerate().take(8) {
        let time = at as u64 * 2 * SECOND;
        let told = origin.told("a", VIDEO, "video", time);
        assert_eq!(told.tfxd, Some((1, time, 2 * SECOND)));
        assert_eq!(
            told.tfrf,
            Some((1, vec![(time + 2 * SECOND, 2 * SECOND), (time + 4 * SECOND, 2 * SECOND)]))
        );
        assert_eq!(told.samples, own.samples, "fragment {at}");
        assert_eq!((told.tfdt, told.sequence), (None, at as u64 + 1));
    }
    // The ninth and tenth are there, but not what follows them; the eleventh is not made yet.
    for time in [16, 18, 20, 3_600] {
        let path = format!("/a.isml/QualityLevels({VIDEO})/Fragments(video={})", time * SECOND);
        let answer = origin.get(&path);
        assert!(answer.status == 412 && answer.body.is_empty(), "{time}: {}", answer.status);
        assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
    }
    // Ticks that nobody announced.
    for time in [1, 2 * SECOND - 1, 2 * SECOND + 1, 15 * SECOND, 17 * SECOND] {
        assert_eq!(origin.status("a", VIDEO, "video", time), 404, "{time}");
    }
    assert_eq!(origin.status("a", VIDEO + 1, "video", 0), 404);
    assert_eq!(origin.status("a", VIDEO, "audio_eng", 0), 404);
    origin.at(22.0);
    assert_eq!(origin.status("a", VIDEO, "video", 16 * SECOND), 200);
    let whole = origin.get(&format!("/a.isml/QualityLevels({VIDEO})/Fragments(video=0)"));
    let info = origin.get(&format!("/a.isml/QualityLevels({VIDEO})/FragmentInfo(video=0)"));
    let moof = u32::from_be_bytes(whole.body[..4].try_into().unwrap()) as usize;
    assert!(info.status == 200 && info.body == whole.body[..moof]);
    assert_eq!(whole.header("Content-Type"), Some("video/mp4"));
}

#[test]
fn who_follows_the_announcements_never_asks_in_vain() {
    let origin = channels(&["a,dvr=60"], &[]);
    let mut next: Vec<(u64, &str, u64)> = [(VIDEO, "video"), (ENGLISH, "audio_eng"), (FRENCH, "audio_fra")]
        .into_iter()
        .map(|(level, name)| (level, name, *origin.listed("a").times(name).last().unwrap()))
        .collect();
    let mut last: Vec<Option<Told>> = vec![None, None, None];
    for step in 1..=200 {
        origin.at(f64::from(step));
        for (slot, (level, name, time)) in next.iter_mut().enumerate() {
            let status = origin.status("a", *level, name, *time);
            if status == 412 {
                continue;
            }
            let told = origin.told("a", *level, name, *time);
            assert_eq!(told.time(), *time, "{name}");
            if let Some(before) = &last[slot] {
                assert_eq!(before.time() + before.duration(), *time, "{name}: no hole, no overlap");
                assert_eq!(before.following()[0], (*time, told.duration()));
                assert_eq!(before.following()[1], told.following()[0]);
            }
            assert_eq!(told.following().len(), 2);
            *time = told.following()[0].0;
            last[slot] = Some(told);
        }
    }
    let ends: Vec<u64> = last.iter().map(|told| told.as_ref().unwrap().time()).collect();
    assert!(ends.iter().all(|end| *end > 280 * SECOND), "{ends:?}");
}

#[test]
fn rounds_are_seamless_and_streams_stay_together() {
    let origin = channels(&["a,dvr=inf,history=200"], &[]);
    let listed = origin.listed("a");
    let (unit, round) = (213_334, 48 * SECOND);
    let pictures = of_file("testcard_64.ismv");
    for (at, time) in listed.times("video").into_iter().enumerate() {
        assert_eq!(time, at as u64 * 2 * SECOND);
        assert_eq!(origin.told("a", VIDEO, "video", time).samples, pictures[at % 24].samples);
    }
    for (name, level, file) in
        [("audio_eng", ENGLISH, "testcard_eng.isma"), ("audio_fra", FRENCH, "testcard_fra.isma")]
    {
        let units: Vec<Vec<u8>> = of_file(file).iter().flat_map(Told::media).collect();
        let (mut clock, mut at) = (0, 0);
        for (time, duration) in listed.stream(name) {
            assert_eq!(time, clock, "{name} goes on without a hole");
            let told = origin.told("a", level, name, time);
            assert_eq!(told.duration(), duration);
            assert!(told.sum().abs_diff(duration) <= 1, "{} and {duration}", told.sum());
            clock += duration;
            for sample in told.media() {
                // A round ends with the pictures; whatever is left of the sound is not sent.
                if sample != units[at] {
                    assert!(at + 8 >= units.len() && sample == units[0], "{name}: unit {at}");
                    at = 0;
                }
                at = (at + 1) % units.len();
            }
            // Where a round begins, the sound is within half an access unit of the pictures.
            if time > 0 && told.media()[0] == units[0] {
                let rounds = (time + round / 2) / round;
                assert!(time.abs_diff(rounds * round) <= unit / 2 + 1, "{name}: {time} in round {rounds}");
            }
        }
        assert!(clock > 190 * SECOND);
    }
}

#[test]
fn the_window_slides_and_what_left_it_is_gone_after_a_while() {
    let origin = channels(&["a,dvr=20,grace=4,history=100", "b,dvr=20,grace=0,history=100,expired=410"], &[]);
    for now in [100_u64, 101, 102, 150] {
        origin.at((now - 100) as f64);
        let times = origin.listed("a").times("video");
        // Newest listed fragment: the third to last of those complete.
        let newest = (now / 2 - 3) * 2;
        let expected: Vec<u64> = (newest - 18..=newest).step_by(2).map(|time| time * SECOND).collect();
        assert_eq!(times, expected, "{now}");
        assert_eq!(origin.listed("a").attribute("DVRWindowLength"), Some("200000000"));
    }
    // At 150 s the list starts at 126 s. A fragment can be had until 20 + 4 s after it was complete.
    for (time, status) in [(126, 200), (124, 200), (122, 404), (100, 404)] {
        assert_eq!(origin.status("a", VIDEO, "video", time * SECOND), status, "{time}");
    }
    assert_eq!(origin.status("b", VIDEO, "video", 100 * SECOND), 410);
    assert_eq!(origin.status("b", VIDEO, "video", 1), 410);
}

#[test]
fn times_start_where_they_are_told_to() {
    let specs =
        ["a,base=utc1970", "b,base=utc1601", "c,base=36028797018963971", "d,base=25000000,timescale=48000"];
    let specs: Vec<String> = specs.iter().map(|spec| format!("{spec},history=60,dvr=inf")).collect();
    let origin = channels(&specs.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    // 1,700,000,000 s after 1970 less a minute; 11,644,473,600 s lie between 1601 and 1970.
    let since_1970 = (1_700_000_000 - 60) * SECOND;
    for (name, first) in
        [("a", since_1970), ("b", since_1970 + 11_644_473_600 * SECOND), ("c", 36_028_797_018_963_971)]
    {
        let listed = origin.listed(name);
        assert_eq!(listed.times("video")[..3], [first, first + 2 * SECOND, first + 4 * SECOND], "{name}");
        let second = listed.times("audio_eng")[1];
        assert_eq!(second, first + 20_053_333);
        assert_eq!(origin.told(name, ENGLISH, "audio_eng", second).time(), second);
        assert_eq!(origin.status(name, ENGLISH, "audio_eng", second - 1), 404);
    }
    let listed = origin.listed("d");
    assert_eq!(listed.stream("video")[..2], [(120_000, 96_000), (216_000, 96_000)]);
    assert!(listed.text.contains("Name=\"video\" TimeScale=\"48000\""), "{}", listed.text);
    // 94 access units of 1,024 samples.
    assert_eq!(listed.stream("audio_eng")[..2], [(120_000, 96_256), (216_256, 96_256)]);
    let told = origin.told("d", ENGLISH, "audio_eng", 216_256);
    assert!(told.samples.iter().all(|sample| sample.0.abs_diff(1_024) <= 1) && told.sum() == 96_256);
}

#[test]
fn boxes_come_in_every_version_and_place() {
    let specs = [
        "v0,tfxd=v0,tfrf=v0,timescale=1000",
        "big,tfxd=v0,tfrf=v0,base=utc1970",
        "none,tfrf=none",
        "bare,tfxd=none,tfrf=none,tfdt=yes",
        "zero,lookahead=0",
    ];
    let origin = channels(&specs, &[]);
    let told = |name: &str| {
        let time = origin.listed(name).times("video")[0];
        origin.told(name, VIDEO, "video", time)
    };
    let short = told("v0");
    assert_eq!(short.tfxd.unwrap().0, 0);
    assert_eq!(short.tfrf.as_ref().unwrap().0, 0);
    assert_eq!(short.following()[0], (short.time() + 2_000, 2_000));
    // 64 bits where 32 do not do.
    assert_eq!((told("big").tfxd.unwrap().0, told("big").tfrf.unwrap().0), (1, 1));
    assert!(told("none").tfrf.is_none() && told("none").tfxd.is_some());
    assert!(told("zero").tfrf.is_none());
    let bare = told("bare");
    assert!(bare.tfxd.is_none() && bare.tfrf.is_none());
    assert_eq!(bare.tfdt, Some(origin.listed("bare").times("video")[0]));
}

#[test]
fn durations_can_be_uneven_and_rates_odd() {
    let origin =
        channels(&["a,merge=1-4,history=300,dvr=inf", "b,stretch=1001/1200,history=100,dvr=inf"], &[]);
    let units: Vec<Vec<u8>> = of_file("testcard_64.ismv").iter().flat_map(Told::media).collect();
    let mut at = 0;
    let mut counts = std::collections::BTreeSet::new();
    for (time, duration) in origin.listed("a").stream("video") {
        let told = origin.told("a", VIDEO, "video", time);
        assert_eq!((told.time(), told.duration(), told.sum()), (time, duration, duration));
        assert_eq!(time, at as u64 * 400_000);
        for sample in told.media() {
            assert!(sample == units[at % units.len()], "picture {at}");
            at += 1;
        }
        counts.insert(told.samples.len());
    }
    assert!(counts.len() > 2, "{counts:?}");
    // 50 pictures at 30000/1001 a second: 1.6683333... s. Times are rounded once, and never drift.
    let listed = origin.listed("b").stream("video");
    assert!(listed.len() > 50);
    for (at, (time, duration)) in listed.iter().enumerate() {
        let exact = |at: usize| (at as f64 * 50.0 * 1001.0 / 30_000.0 * 1e7).round() as u64;
        assert_eq!((*time, *duration), (exact(at), exact(at + 1) - exact(at)));
    }
    let (time, duration) = listed[7];
    let told = origin.told("b", VIDEO, "video", time);
    assert!(told.sum().abs_diff(duration) <= 1, "{} {duration}", told.sum());
    assert!(told.samples.iter().all(|sample| matches!(sample.0, 333_666 | 333_667)));
}

#[test]
fn lists_may_say_wrong_durations_and_come_in_every_form() {
    let specs = ["a,wrong-d=70", "td", "r,list=r", "d,list=d", "d2,list=d,gap=video@10+6"];
    let origin = channels(&specs, &[]);
    origin.at(40.0);
    let wrong: Vec<u64> =
        origin.listed("a").stream("video").iter().map(|(_, d)| d.abs_diff(2 * SECOND)).collect();
    assert!(
        wrong.iter().all(|off| *off <= 70) && wrong.iter().filter(|off| **off > 0).count() > 10,
        "{wrong:?}"
    );
    let times = origin.listed("a").times("video");
    assert!(times.windows(2).all(|two| two[1] - two[0] == 2 * SECOND), "{times:?}");
    let told = origin.told("a", VIDEO, "video", times[3]);
    assert_eq!((told.duration(), told.following()[0].0), (2 * SECOND, times[4]));
    let text = origin.listed("td").text;
    assert!(!text.contains(" r=") && text.matches("<c t=").count() > 100);
    assert!(
        origin.listed("r").text.contains(" r=") && origin.listed("r").streams == origin.listed("td").streams
    );
    let text = origin.listed("d").text;
    assert_eq!(text.matches("<c t=").count(), 3, "one for each stream: {text}");
    assert!(!text.contains(" r="));
    assert_eq!(origin.listed("d").stream("video"), origin.listed("td").stream("video"));
    assert_eq!(origin.listed("d2").text.matches("<c t=").count(), 4, "and one after the gap");
}

#[test]
fn gaps_splices_and_restarts() {
    let specs = [
        "gap,gap=video@20+7,history=0,dvr=inf",
        "later,splice=20+0.5,history=0,dvr=inf",
        "earlier,splice=20-0.5,history=0,dvr=inf",
        "again,restart=21+10,history=0,dvr=inf",
    ];
    let origin = channels(&specs, &[]);
    origin.at(16.0);
    // A manifest before, and what is announced across it.
    assert_eq!(origin.status("gap", VIDEO, "video", 18 * SECOND), 412);
    origin.at(60.0);
    let gap = origin.listed("gap").times("video");
    assert!(gap.windows(2).any(|two| two == [18 * SECOND, 28 * SECOND]), "{gap:?}");
    assert_eq!(origin.told("gap", VIDEO, "video", 18 * SECOND).following()[0], (28 * SECOND, 2 * SECOND));
    assert_eq!(origin.status("gap", VIDEO, "video", 20 * SECOND), 404);
    let sound = origin.listed("gap").stream("audio_eng");
    assert!(sound.windows(2).all(|two| two[0].0 + two[0].1 == two[1].0), "only the pictures have a gap");

    let half = SECOND / 2;
    for (name, times) in [("later", 20 * SECOND + half), ("earlier", 20 * SECOND - half)] {
        assert!(origin.listed(name).times("video").contains(&times), "{name}");
        let before = origin.told(name, VIDEO, "video", 18 * SECOND);
        assert_eq!((before.duration(), before.following()[0].0), (2 * SECOND, times));
    }

    // The encoder stopped at 21 s and was back at 31 s; the third fragment of the new list is announced at 37 s.
    let again = channels(&["again,restart=21+10,history=0,dvr=inf"], &[]);
    again.at(30.0);
    let old = again.listed("again").times("video");
    assert_eq!((old.len(), old[9]), (10, 18 * SECOND), "all that was sent is out");
    assert!(again.told("again", VIDEO, "video", 18 * SECOND).tfrf.is_none());
    again.at(39.0);
    assert_eq!(again.listed("again").times("video"), [0, 2 * SECOND]);
    assert_eq!(origin.listed("again").times("video")[0], 0);
}

#[test]
fn an_event_ends_in_each_way() {
    let specs = ["vod", "stall,then=stall", "gone,then=gone", "told,announce=yes"];
    let specs: Vec<String> =
        specs.iter().map(|spec| format!("{spec},end=41,history=100,dvr=60,base=70000000")).collect();
    let origin = channels(&specs.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    assert_eq!(origin.listed("told").attribute("Duration"), Some("1410000000"));
    origin.at(40.9);
    assert_eq!(origin.listed("vod").attribute("IsLive"), Some("TRUE"));
    let last = *origin.listed("vod").times("video").last().unwrap();
    assert_eq!(last, 7 * SECOND + 134 * SECOND);
    origin.at(41.0);
    let over = origin.listed("vod");
    assert_eq!((over.attribute("IsLive"), over.attribute("DVRWindowLength")), (None, None));
    let times = over.times("video");
    assert_eq!(*times.last().unwrap(), last + 4 * SECOND, "what was held back, and no more");
    let (from, to) = (over.stream("video")[0].0, last + 6 * SECOND);
    let first = from.min(over.times("audio_eng")[0]).min(over.times("audio_fra")[0]);
    let end = over.stream("audio_eng").last().map(|(time, duration)| time + duration).unwrap().max(to);
    assert_eq!(over.attribute("Duration"), Some((end - first).to_string().as_str()));
    for (time, count) in [(last, 2), (last + 2 * SECOND, 1), (last + 4 * SECOND, 0)] {
        assert_eq!(origin.told("vod", VIDEO, "video", time).following().len(), count);
    }
    assert_eq!(origin.status("vod", VIDEO, "video", last + 6 * SECOND), 404);
    assert_eq!(origin.listed("stall").attribute("IsLive"), Some("TRUE"));
    assert_eq!(origin.get("/gone.isml/Manifest").status, 404);
    origin.at(4_000.0);
    assert_eq!(origin.listed("stall").times("video"), times);
    assert_eq!(origin.listed("vod").times("video"), times);
    assert_eq!(origin.status("vod", VIDEO, "video", times[0]), 200, "an archive does not expire");
}

#[test]
fn the_clock_and_the_date_go_together() {
    let origin = channels(&["a,islive=tRuE,early=404", "sub/b"], &[]);
    assert_eq!(origin.manifests, ["/testcard.ism/Manifest", "/a.isml/Manifest", "/sub/b.isml/Manifest"]);
    assert_eq!(origin.get("/a.isml/Manifest").header("Date"), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
    assert_eq!(origin.listed("a").attribute("IsLive"), Some("tRuE"));
    assert_eq!(origin.status("a", VIDEO, "video", 9_000 * SECOND), 404);
    assert_eq!(origin.get("/control/clock?advance=1.5").body, b"1.500000\n");
    assert_eq!(origin.get("/control/clock?advance=70").body, b"71.500000\n");
    assert_eq!(origin.get("/control/clock").body, b"71.500000\n");
    assert_eq!(origin.get("/a.isml/Manifest").header("Date"), Some("Tue, 14 Nov 2023 22:14:31 GMT"));
    for bad in ["set=3", "advance=-1", "advance=x", "back=1"] {
        assert_eq!(origin.get(&format!("/control/clock?{bad}")).status, 400, "{bad}");
    }
    let wall = Origin::start(&testcard(), &["--live", "a"]);
    assert_eq!(wall.get("/control/clock").status, 404);
    let before = wall.listed("a").times("video");
    let fast = Origin::start(&testcard(), &["--live", "a", "--clock", "5000x"]);
    let first = fast.listed("a").times("video");
    while fast.listed("a").times("video")[0] < first[0] + 600 * SECOND {}
    assert!(wall.listed("a").times("video")[0] < before[0] + 600 * SECOND);
}

#[test]
fn what_is_wrong_is_said() {
    let fails = |args: &[&str]| {
        let output = smoothcore(&[&["origin"], args].concat(), &[testcard()]);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(fails(&["--live", "a,dvr=x"]).contains("dvr=x"));
    assert!(fails(&["--live", "a,what=1"]).contains("--help lists them"));
    assert!(fails(&["--live", "a,from=b.ism"]).contains("testcard.ism"), "says what there is");
    assert!(fails(&["--live", "a", "--live", "a"]).contains("two channels"));
    assert!(fails(&["--live", "@/nowhere"]).contains("/nowhere"));
    assert!(fails(&["--ingest", "merge=2"]).contains("only --live knows"));
    let dir = common::scratch("live-file");
    let file = dir.join("channels");
    std::fs::write(&file, "# two\nfirst dvr=30\n\nsecond, lookahead=1 dvr=inf # endless\n").unwrap();
    let origin = channels(&[&format!("@{}", file.display())], &[]);
    assert_eq!(origin.listed("second").attribute("LookAheadFragmentCount"), Some("1"));
    assert_eq!(origin.listed("first").attribute("DVRWindowLength"), Some("300000000"));
}
