use Aspect::{Fragments, Kind, Levels, Outcome, Scale, Streams, Systems};

/// Differences that what is wrong with a document explains.
const CHOICES: &[Choice] = &[
    Choice {
        peer: None,
        aspects: &[Outcome],
        of: &["no XML"],
        why: "the player's XML parser repairs what is no XML; here that is an error",
    },
    Choice {
        peer: Some(Peer::Dash),
        aspects: &[Outcome],
        of: &["attribute twice"],
        why: "an attribute that stands twice is no XML; here the last one counts, and it is a deviation",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Streams],
        of: &["times reversed"],
        why: "a time before the one it follows costs the stream here, for no order of playing is right",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Streams],
        of: &["r of", "gap", "overlap"],
        why: "a fragment at the time of another one costs the stream here, for its URL is not its own",
    },
    Choice {
        peer: Some(Peer::Rx),
        aspects: &[Fragments],
        of: &["r of 0", "r of -1"],
        why: "rx-player has no fragment for a count below one; here there is always one",
    },
    Choice {
        peer: None,
        aspects: &[Fragments],
        of: &["overlap", "r of", "gap"],
        why: "time that overlaps is taken from the earlier fragment here, or media would play twice",
    },
    Choice {
        peer: None,
        aspects: &[Fragments],
        of: &["duration of 0"],
        why: "an element of no duration is no fragment here: live packagers write such",
    },
    Choice {
        peer: Some(Peer::Dash),
        aspects: &[Kind],
        of: &["type"],
        why: "a type is known in any case here",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Streams],
        of: &["type", "without StreamIndex@Type", "bad StreamIndex@Type"],
        why: "a stream of unknown type is left out here; the players give up or read it as something",
    },
    Choice {
        peer: Some(Peer::Rx),
        aspects: &[Outcome],
        of: &["without SmoothStreamingMedia@M", "bad SmoothStreamingMedia@M"],
        why: "rx-player insists on a version it knows; here only the major one decides",
    },
];
