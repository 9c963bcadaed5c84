//! Manifests of real size.

use std::fmt::Write;

const H264: &str = "00000001674D401F9A6602802DD80B501010140000030004000003019C60C6580000000168EE3C80";
/// Bitrate, width, height.
const VIDEO: [(u32, u32, u32); 8] = [
    (300_000, 416, 234),
    (500_000, 480, 270),
    (800_000, 640, 360),
    (1_300_000, 768, 432),
    (2_000_000, 960, 540),
    (3_000_000, 1280, 720),
    (4_500_000, 1600, 900),
    (7_000_000, 1920, 1080),
];
/// Audio fragments hold whole access units, so their durations take turns.
const AUDIO: [u32; 4] = [20_053_333, 20_053_334, 20_053_333, 19_840_000];

fn video(text: &mut String) {
    for (index, (bitrate, width, height)) in VIDEO.into_iter().enumerate() {
        writeln!(
            text,
            "    <QualityLevel Index=\"{index}\" Bitrate=\"{bitrate}\" FourCC=\"H264\" MaxWidth=\"{width}\" \
             MaxHeight=\"{height}\" CodecPrivateData=\"{H264}\"/>"
        )
        .unwrap();
    }
}

fn audio(text: &mut String) {
    *text += "    <QualityLevel Index=\"0\" Bitrate=\"128000\" FourCC=\"AACL\" SamplingRate=\"48000\" Channels=\"2\" \
              BitsPerSample=\"16\" PacketSize=\"4\" AudioTag=\"255\" CodecPrivateData=\"1190\"/>\n";
}

/// One stream: `head` is its attributes, `levels` writes its levels, `c` the attributes of the n-th fragment.
fn stream(
    text: &mut String,
    count: u32,
    kind: &str,
    name: &str,
    levels: fn(&mut String),
    c: impl Fn(u32) -> String,
) {
    writeln!(
        text,
        "  <StreamIndex Type=\"{kind}\" Name=\"{name}\" Chunks=\"{count}\" TimeScale=\"10000000\" \
         Url=\"QualityLevels({{bitrate}})/Fragments({name}={{start time}})\">"
    )
    .unwrap();
    levels(text);
    for n in 0..count {
        writeln!(text, "    <c {}/>", c(n)).unwrap();
    }
    *text += "  </StreamIndex>\n";
}

/// Two hours on demand: video of 8 levels, three audio streams, 3,600 fragments each, about 460 kB.
pub fn vod() -> String {
    let count = 3600;
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"{}\">\n",
        u64::from(count) * 20_000_000
    );
    stream(&mut text, count, "video", "video", video, |n| format!("n=\"{n}\" d=\"20000000\""));
    for name in ["audio_eng", "audio_fra", "audio_deu"] {
        stream(&mut text, count, "audio", name, audio, |n| {
            format!("n=\"{n}\" d=\"{}\"", AUDIO[n as usize & 3])
        });
    }
    text + "</SmoothStreamingMedia>\n"
}

/// A live window of 24 hours: video of 8 levels with a time on each fragment, and audio: 86,400 fragments, about 2.9 MB.
pub fn dvr() -> String {
    let (count, first) = (43_200, 17_912_880_000_000_000u64);
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" \
         Duration=\"0\" IsLive=\"TRUE\" LookAheadFragmentCount=\"2\" DVRWindowLength=\"864000000000\">\n",
    );
    stream(&mut text, count, "video", "video", video, |n| {
        format!("t=\"{}\" d=\"20000000\"", first + u64::from(n) * 20_000_000)
    });
    stream(&mut text, count, "audio", "audio", audio, |n| match n {
        0 => format!("t=\"{first}\" d=\"{}\"", AUDIO[0]),
        _ => format!("d=\"{}\"", AUDIO[n as usize & 3]),
    });
    text + "</SmoothStreamingMedia>\n"
}

/// A day of ten streams whose fragments have the durations that `duration` gives.
pub fn day(duration: impl Fn(u32) -> u32) -> String {
    let mut text =
        String::from("<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"0\">\n");
    for n in 0..10 {
        stream(&mut text, 43_200, "audio", &format!("audio_{n}"), audio, |n| {
            format!("d=\"{}\"", duration(n))
        });
    }
    text + "</SmoothStreamingMedia>\n"
}
