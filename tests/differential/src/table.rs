//! The differences that what is wrong with a document explains.

use crate::choices::Aspect::{Fragments, Kind, Levels, Live, Outcome, Scale, Streams, Systems};
use crate::choices::{Choice, Peer};

/// The first one that applies is the reason.
pub const CHOICES: &[Choice] = &[
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
    Choice {
        peer: None,
        aspects: &[Outcome, Streams, Fragments],
        of: &["bad c@"],
        why: "a time that is no number costs the stream here; the players read its beginning, or take it for missing",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Streams, Fragments],
        of: &["without c@"],
        why: "a time that nothing tells costs the stream here; the players count on with no number, or give up",
    },
    Choice {
        peer: Some(Peer::Dash),
        aspects: &[Outcome],
        of: &["without SmoothStreamingMedia@MajorVersion", "bad SmoothStreamingMedia@MajorVersion"],
        why: "dash.js looks at no version; here the major one must be known",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Levels, Streams],
        of: &["without QualityLevel@CodecPrivateData"],
        why: "the players need private data; here AAC has its made, and parameter sets may come in band",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Levels, Streams],
        of: &["bad QualityLevel@CodecPrivateData"],
        why: "private data that is not hexadecimal costs the level here; the players pass it on",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Levels, Streams],
        of: &["bad QualityLevel@FourCC", "without QualityLevel@FourCC"],
        why: "who has no name or an unknown one is known otherwise, or not at all, by each in its way",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Levels, Streams],
        of: &["bad QualityLevel@Bitrate", "without QualityLevel@Bitrate"],
        why: "a bitrate that is no number costs the level here, for its URL cannot be made",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Streams],
        of: &["without StreamIndex@Url"],
        why: "a stream without a URL cannot be fetched and is none here",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Streams, Scale],
        of: &["bad SmoothStreamingMedia@TimeScale", "bad StreamIndex@TimeScale"],
        why: "a time scale that is no number leaves no times here; the players take another one",
    },
    Choice {
        peer: Some(Peer::Dash),
        aspects: &[Outcome],
        of: &["without SmoothStreamingMedia@xmlns", "bad SmoothStreamingMedia@xmlns"],
        why: "a prefix without a namespace is an error to a browser; here it is skipped like any other",
    },
    Choice {
        peer: None,
        aspects: &[Levels],
        of: &["type"],
        why: "under the wrong type private data is what that type has, or nothing",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Systems],
        of: &["without ProtectionHeader@SystemID", "bad ProtectionHeader@SystemID"],
        why: "a header that names no system is left out here; dash.js takes every one for PlayReady, rx-player gives up",
    },
    Choice {
        peer: Some(Peer::Dash),
        aspects: &[Levels],
        of: &["without QualityLevel@S", "without QualityLevel@C", "bad QualityLevel@S", "bad QualityLevel@C"],
        why: "without numbers to make the configuration of AAC from, dash.js counts with none; here there are defaults",
    },
    Choice {
        peer: Some(Peer::Dash),
        aspects: &[Live],
        of: &["bad SmoothStreamingMedia@Duration"],
        why: "dash.js reads the beginning of a duration that is no number, and a live one with a duration has ended",
    },
    Choice {
        peer: None,
        aspects: &[Outcome, Streams],
        of: &["duration of 0"],
        why: "a stream that lists no fragment but such of no duration has none here",
    },
    Choice {
        peer: Some(Peer::Rx),
        aspects: &[Outcome],
        of: &["open end"],
        why: "rx-player cannot read a live stream whose only fragment is still open",
    },
    Choice {
        peer: Some(Peer::Rx),
        aspects: &[Fragments],
        of: &["bad SmoothStreamingMedia@DVRWindowLength"],
        why: "rx-player drops fragments before a window that is no number but begins with one; here all stay listed",
    },
];
