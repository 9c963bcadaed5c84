//! What live tests share: a reading of fragments and live manifests of its own, and the clock of an origin.

use super::Origin;

const TFXD: &str = "6d1d9b0542d544e680e2141daff757b2";
const TFRF: &str = "d4807ef2ca3946958e5426cb9e46a79f";

/// What one fragment says, and its media.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    pub sequence: u64,
    pub track: u64,
    /// Version, time, duration.
    pub tfxd: Option<(u64, u64, u64)>,
    /// Version, then times and durations.
    pub tfrf: Option<(u64, Vec<(u64, u64)>)>,
    pub tfdt: Option<u64>,
    /// Duration, flags, composition offset, bytes.
    pub samples: Vec<(u64, u64, i64, Vec<u8>)>,
    /// Types of the boxes in `traf`, in order.
    pub order: Vec<String>,
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn children(bytes: &[u8]) -> Vec<(String, usize, &[u8])> {
    let (mut at, mut found) = (0, Vec::new());
    while at + 8 <= bytes.len() {
        let size = number(&bytes[at..at + 4]) as usize;
        assert!(size >= 8 && at + size <= bytes.len(), "box of {size} at {at} of {}", bytes.len());
        let kind = String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned();
        found.push((kind, at, &bytes[at + 8..at + size]));
        at += size;
    }
    assert_eq!(at, bytes.len(), "bytes behind the last box");
    found
}

impl Told {
    /// Reads `moof` and `mdat`; every sample must lie in the `mdat`, one after the other, to its end.
    pub fn read(bytes: &[u8]) -> Self {
        let mut told = Self::default();
        let top = children(bytes);
        let [(moof, 0, content), (mdat, at, media)] = top.as_slice() else { panic!("not moof and mdat") };
        assert_eq!((moof.as_str(), mdat.as_str()), ("moof", "mdat"));
        let mut data = 0;
        let mut rows = Vec::new();
        for (kind, _, content) in children(content) {
            match kind.as_str() {
                "mfhd" => told.sequence = number(&content[4..8]),
                "traf" => {
                    let (mut default, mut flags) = (0, 0);
                    for (kind, _, content) in children(content) {
                        let body = &content[4.min(content.len())..];
                        told.order.push(kind.clone());
                        match kind.as_str() {
                            "tfhd" => {
                                let bits = number(&content[1..4]);
                                told.track = number(&body[..4]);
                                let mut at = 4;
                                for (bit, size) in [(1, 8), (2, 4), (8, 4), (16, 4), (32, 4)] {
                                    if bits & bit != 0 {
                                        assert_ne!(bit, 1, "a place in a file, in a response");
                                        match bit {
                                            8 => default = number(&body[at..at + 4]),
                                            32 => flags = number(&body[at..at + 4]),
                                            _ => {}
                                        }
                                        at += size;
                                    }
                                }
                            }
                            "tfdt" => told.tfdt = Some(number(&body[..if content[0] == 1 { 8 } else { 4 }])),
                            "trun" => {
                                let bits = number(&content[1..4]);
                                let count = number(&body[..4]);
                                let mut at = 4;
                                let mut next = || {
                                    at += 4;
                                    number(&body[at - 4..at])
                                };
                                assert_ne!(bits & 1, 0, "data_offset");
                                data = next() as usize;
                                let mut first = (bits & 4 != 0).then(&mut next);
                                for _ in 0..count {
                                    let mut field = |bit, other| if bits & bit != 0 { next() } else { other };
                                    let duration = field(0x100, default);
                                    let size = field(0x200, 0) as usize;
                                    let own = field(0x400, first.take().unwrap_or(flags));
                                    let composition = i64::from(field(0x800, 0) as u32 as i32);
                                    rows.push((duration, size, own, composition));
                                }
                            }
                            "uuid" => {
                                let name: String =
                                    content[..16].iter().map(|byte| format!("{byte:02x}")).collect();
                                let (version, body) = (u64::from(content[16]), &content[20..]);
                                let width = if version == 1 { 8 } else { 4 };
                                let spans = |body: &[u8]| -> Vec<(u64, u64)> {
                                    body.chunks(2 * width)
                                        .map(|two| (number(&two[..width]), number(&two[width..])))
                                        .collect()
                                };
                                if name == TFXD {
                                    let (time, duration) = spans(body)[0];
                                    assert!(
                                        told.tfxd.replace((version, time, duration)).is_none(),
                                        "two tfxd"
                                    );
                                } else if name == TFRF {
                                    let list = spans(&body[1..]);
                                    assert_eq!(list.len(), usize::from(body[0]));
                                    assert!(told.tfrf.replace((version, list)).is_none(), "two tfrf");
                                }
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        assert_eq!(data, at + 8, "the data starts with the mdat");
        let mut from = 0;
        for (duration, size, flags, composition) in rows {
            told.samples.push((duration, flags, composition, media[from..from + size].to_vec()));
            from += size;
        }
        assert_eq!(from, media.len(), "all of the mdat is samples");
        told
    }

    pub fn time(&self) -> u64 {
        self.tfxd.expect("a tfxd").1
    }

    pub fn duration(&self) -> u64 {
        self.tfxd.expect("a tfxd").2
    }

    pub fn following(&self) -> Vec<(u64, u64)> {
        self.tfrf.clone().map_or(Vec::new(), |(_, list)| list)
    }

    /// The sum of its samples' durations.
    pub fn sum(&self) -> u64 {
        self.samples.iter().map(|sample| sample.0).sum()
    }

    pub fn media(&self) -> Vec<Vec<u8>> {
        self.samples.iter().map(|sample| sample.3.clone()).collect()
    }
}

/// A client manifest: attributes of the root, and of each stream its name and fragments.
#[derive(Debug)]
pub struct Listed {
    pub root: Vec<(String, String)>,
    pub streams: Vec<(String, Vec<(u64, u64)>)>,
    pub text: String,
}

impl Listed {
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        let attributes = |node: roxmltree::Node| {
            node.attributes().map(|a| (a.name().to_owned(), a.value().to_owned())).collect::<Vec<_>>()
        };
        let mut streams = Vec::new();
        for stream in root.children().filter(|node| node.has_tag_name("StreamIndex")) {
            let mut list: Vec<(u64, u64)> = Vec::new();
            for c in stream.children().filter(|node| node.has_tag_name("c")) {
                let field = |name| c.attribute(name).map(|value| value.parse::<u64>().unwrap());
                let mut time = field("t").or(list.last().map(|last| last.0 + last.1)).unwrap_or(0);
                for _ in 0..field("r").unwrap_or(1) {
                    list.push((time, field("d").unwrap_or(0)));
                    time += field("d").unwrap_or(0);
                }
            }
            let chunks: usize = stream.attribute("Chunks").unwrap().parse().unwrap();
            assert_eq!(chunks, list.len());
            streams.push((stream.attribute("Name").unwrap().to_owned(), list));
        }
        let root = attributes(root);
        Self { root, streams, text: text.clone() }
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.root.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn stream(&self, name: &str) -> Vec<(u64, u64)> {
        self.streams.iter().find(|(found, _)| found == name).map_or(Vec::new(), |(_, list)| list.clone())
    }

    pub fn times(&self, name: &str) -> Vec<u64> {
        self.stream(name).into_iter().map(|(time, _)| time).collect()
    }
}

/// An origin of the test card with channels on a clock that only the test moves; it starts 2023-11-14 22:13:20.
pub fn channels(live: &[&str], more: &[&str]) -> Origin {
    let mut args = vec!["--clock", "manual", "--date", "1700000000"];
    for spec in live {
        args.extend(["--live", spec]);
    }
    args.extend(more);
    Origin::start(&super::testcard(), &args)
}

impl Origin {
    /// Sets the clock.
    pub fn at(&self, seconds: f64) {
        let answer = self.get(&format!("/control/clock?set={seconds}"));
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    }

    pub fn listed(&self, channel: &str) -> Listed {
        let answer = self.get(&format!("/{channel}.isml/Manifest"));
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        Listed::read(&answer.body)
    }

    pub fn told(&self, channel: &str, level: u64, stream: &str, time: u64) -> Told {
        let path = format!("/{channel}.isml/QualityLevels({level})/Fragments({stream}={time})");
        let answer = self.get(&path);
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        Told::read(&answer.body)
    }

    pub fn status(&self, channel: &str, level: u64, stream: &str, time: u64) -> u16 {
        self.get(&format!("/{channel}.isml/QualityLevels({level})/Fragments({stream}={time})")).status
    }
}

/// The fragments of a file, without what it says about time.
pub fn of_file(name: &str) -> Vec<Told> {
    let file = std::fs::read(super::testcard().join(name)).unwrap();
    super::fragments(&file).into_iter().map(|(_, whole)| Told::read(&file[whole])).collect()
}
