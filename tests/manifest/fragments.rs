//! Every form of the `c` element.

use crate::support::*;
use smoothcore::time::{MediaTime, Micros};

fn listed(root: &str, c: &str) -> Vec<(u64, u64)> {
    times(&parse(&fragments(root, c)))
}

#[test]
fn durations_alone() {
    assert_eq!(listed("", "<c n='0' d='20'/><c n='1' d='21'/><c d='5'/>"), [(0, 20), (20, 21), (41, 5)]);
}

#[test]
fn times_and_durations_in_either_order_and_quotes() {
    assert_eq!(listed("", "<c t=\"100\" d='20'/><c d='20' t=\"120\" />"), [(100, 20), (120, 20)]);
}

#[test]
fn times_alone() {
    assert_eq!(listed("Duration='60'", "<c t='0'/><c t='20'/><c t='45'/>"), [(0, 20), (20, 25), (45, 15)]);
    assert_eq!(listed("", "<c t='0'/><c t='20'/>"), [(0, 20), (20, 20)], "the last lasts as the one before");
    assert_eq!(listed("IsLive='TRUE'", "<c t='7'/><c t='27'/>"), [(7, 20), (27, 0)], "live: not known yet");
}

#[test]
fn a_missing_time_follows_the_fragment_before() {
    assert_eq!(
        listed("", "<c t='5' d='10'/><c d='10'/><c t='30' d='1'/><c d='2'/>"),
        [(5, 10), (15, 10), (30, 1), (31, 2)]
    );
}

#[test]
fn repeats_count_from_one() {
    assert_eq!(listed("", "<c d='10' r='3'/><c d='4'/>"), [(0, 10), (10, 10), (20, 10), (30, 4)]);
    assert_eq!(listed("", "<c t='2' d='10' r='1'/><c d='10' r='0'/>"), [(2, 10), (12, 10)]);
    assert_eq!(listed("", "<c t='0' r='2'/><c t='20' d='5'/>"), [(0, 10), (10, 10), (20, 5)], "shared out");
}

#[test]
fn a_time_of_zero_is_a_time() {
    let m = parse(&fragments("", "<c t='0' d='10'/>"));
    assert_eq!((m.first_time(), m.end_time()), (Some(MediaTime(0)), Some(MediaTime(10))));
}

#[test]
fn times_beyond_53_bits_are_exact() {
    let m = parse(&fragments("IsLive='true'", "<c t='17472959488675333' d='20000001'/><c d='20000001'/>"));
    assert_eq!(times(&m), [(17_472_959_488_675_333, 20_000_001), (17_472_959_508_675_334, 20_000_001)]);
}

#[test]
fn impossible_times_cost_the_stream() {
    for c in [
        "<c t='20' d='5'/><c t='10' d='5'/>",
        "<c t='18446744073709551615' d='5'/>",
        "<c t='18446744073709551616' d='5'/>",
        "<c t='-1' d='5'/>",
        "<c t='0x10' d='5'/>",
        "<c d='1e3'/>",
        "<c t='5'/><c d='5'/>",
        "<c d='18446744073709551615' r='2'/>",
        "<c d='1' r='16777217'/>",
    ] {
        let bad = video("", &(level("Bitrate='1'") + c));
        let m = parse(&smooth("", &(bad + VIDEO)));
        assert_eq!((stream_fault(&m, 0), stream_fault(&m, 1)), (-107, 0), "{c}");
    }
}

#[test]
fn a_repeat_that_is_no_number_is_one() {
    assert_eq!(listed("", "<c d='10' r='-1'/><c d='10' r='x'/>"), [(0, 10), (10, 10)]);
}

#[test]
fn lengths_and_windows() {
    let live = |dvr: &str| {
        let m = parse(&fragments(&format!("IsLive='true' {dvr}"), "<c t='1000000000' d='20000000' r='30'/>"));
        (m.first_time(), m.end_time(), m.length())
    };
    let (end, length) = (Some(MediaTime(1_600_000_000)), Micros::from_secs(60));
    assert_eq!(live(""), (Some(MediaTime(1_000_000_000)), end, length));
    assert_eq!(live("DVRWindowLength='100000000'"), (Some(MediaTime(1_500_000_000)), end, length));
    assert_eq!(live("DVRWindowLength='9000000000'"), (Some(MediaTime(1_000_000_000)), end, length));
}
