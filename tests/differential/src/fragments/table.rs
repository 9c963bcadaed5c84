//! The differences that what is wrong with a fragment explains.

use crate::choices::Aspect::{Count, Refused, Taken, Tfdt, Tfrf, Tfxd, Track};
use crate::choices::{Choice, Peer};

/// The first one that applies is the reason.
pub const CHOICES: &[Choice] = &[
    Choice {
        peer: Some(Peer::Shaka),
        aspects: &[Refused],
        of: &["time beyond 53 bits"],
        why: "Shaka refuses numbers beyond 53 bits",
    },
    Choice {
        peer: Some(Peer::Mp4box),
        aspects: &[Refused],
        of: &["empty run"],
        why: "mp4box finds no place for a run behind an empty one",
    },
    Choice { peer: None, aspects: &[Taken], of: &["data offset wrong"], why: SAMPLES_OUTSIDE },
    Choice {
        peer: Some(Peer::Shaka),
        aspects: &[Track, Tfdt, Count],
        of: &["moof size", "bytes changed", "moof bytes", "bytes inserted", "traf renamed"],
        why: "Shaka takes a traf wherever it stands; here it stands in a moof",
    },
    Choice {
        peer: Some(Peer::Mp4box),
        aspects: &[Tfxd, Tfrf],
        of: &["uuid twice"],
        why: "of two tfxd or tfrf the first one counts here; mp4box has both",
    },
    Choice {
        peer: None,
        aspects: &[Tfdt, Tfxd, Tfrf],
        of: &[
            "bytes changed",
            "uuid bytes",
            "uuid flags",
            "tfdt bytes",
            "tfdt flags",
            "traf bytes",
            "moof bytes",
        ],
        why: "times of an unknown version have 64 bits here, as in the last known one; the parser takes 32",
    },
];

/// Numbers of our errors about damaged fragments that another parser takes, and why.
pub const TAKEN: &[(i32, &str)] = &[
    (-300, "what has no fragment in it is refused here; the parser finds boxes somewhere"),
    (-301, "a box that does not fit into its parent is a fault here; the parser makes do with what there is"),
    (-302, SAMPLES_OUTSIDE),
    (
        -303,
        "a fragment that breaks off is refused here, to be fetched again; the parser does not look at the mdat",
    ),
    (-310, "a table of vectors that does not fit the samples is a fault here; the parser does not check it"),
    (-322, "a box larger than any fragment is a fault here; the parser waits, or stops without a word"),
    (-325, "a moof larger than any fragment has is a fault here; the parser waits, or stops without a word"),
    (-321, "more samples than the limit are refused here"),
    (-400, "an unknown cipher is refused here; the parser does not look at it"),
];

/// How another parser's errors about damaged fragments begin that are read here, and why.
pub const REFUSED: &[(Peer, &str, &str)] = &[
    (Peer::Mp4box, "Invalid box type", BEHIND),
    (Peer::Mp4box, "Box of type", BEHIND),
    (
        Peer::Mp4box,
        "Unlimited box size",
        "mp4box wants an end of every box but mdat; here that of the body will do",
    ),
    (Peer::Mp4box, "Parsing of box", UNNEEDED),
    (Peer::Mp4box, "Invalid typed array", UNNEEDED),
    (Peer::Mp4box, "Offset is outside", UNNEEDED),
    (Peer::Mp4box, "out of memory", "mp4box believes any count and runs out of memory"),
    (Peer::Mp4box, "numbers missing", UNNEEDED),
    (Peer::Shaka, "Shaka Error 3000", BEHIND),
    (Peer::Shaka, "Shaka Error 3001", "Shaka refuses numbers beyond 53 bits"),
];

const SAMPLES_OUTSIDE: &str =
    "samples that their mdat cannot hold are refused here; the parser does not look at the mdat";
const BEHIND: &str =
    "what stands behind a complete pair, or in a box that nobody needs, does not matter here";
const UNNEEDED: &str = "a box too short for its fields does not matter here unless the samples need it";
