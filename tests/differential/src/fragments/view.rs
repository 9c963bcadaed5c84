//! What a player reads in a fragment, in one form for all.

use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::encryption::{self, EncryptionTable};
use smoothcore::mp4::{Body, BodyEnd, BoxWalk, Encryption, Found, SampleTable, parse_moof};

/// What was read, or why nothing was.
pub type Reading = Result<View, Refusal>;

/// Why a parser does not read a fragment: what it says, and the number of our errors.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Refusal {
    pub number: i32,
    pub text: String,
}

impl From<smoothcore::error::Error> for Refusal {
    fn from(e: smoothcore::error::Error) -> Refusal {
        Refusal { number: e.code.number(), text: e.to_string() }
    }
}

#[derive(Default, Debug)]
pub struct View {
    /// One for each `moof`.
    pub parts: Vec<Part>,
}

/// What one `moof` says. A number that a player does not look at is `None`.
#[derive(Default, Debug)]
pub struct Part {
    pub sequence: Option<i64>,
    pub track: Option<i64>,
    pub tfdt: Option<i64>,
    pub tfxd: Option<(i64, i64)>,
    pub tfrf: Vec<(i64, i64)>,
    pub samples: Vec<Sample>,
    /// Vector and subsamples of each sample; empty when all are clear, or nobody looked.
    pub encryption: Vec<Cipher>,
    /// Start and end of the payload of its `mdat`; of ours only.
    pub payload: (i64, i64),
}

#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Sample {
    pub offset: Option<i64>,
    pub size: i64,
    pub duration: i64,
    pub composition: i64,
    pub flags: Option<i64>,
}

/// A vector, in hexadecimal, and pairs of clear and protected bytes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Cipher {
    pub iv: String,
    pub parts: Vec<(i64, i64)>,
}

/// What smoothcore reads.
pub fn ours(bytes: &[u8]) -> Reading {
    let limits = Limits::default();
    let mut account = Account::new(16 << 20);
    let (mut table, mut ciphers) = (SampleTable::new(), EncryptionTable::new());
    let mut walk = BoxWalk::new();
    let mut view = View::default();
    let (mut samples, mut done) = (0, 0);
    let body = Body { source: bytes, end: BodyEnd::Reached, content_length: Some(bytes.len() as u64) };
    loop {
        match walk.advance(&body, &limits)? {
            Found::Moof { offset, size } => {
                let moof = &bytes[offset as usize..][..size as usize];
                let info = parse_moof(moof, offset, &mut account, &limits, &mut table)?;
                let number = |n: u64| n as i64;
                let mut part = Part {
                    sequence: Some(info.sequence.into()),
                    track: Some(info.track_id.into()),
                    tfdt: info.tfdt.map(number),
                    tfxd: info.tfxd.map(|s| (number(s.time), number(s.duration))),
                    tfrf: info.tfrf.iter().map(|s| (number(s.time), number(s.duration))).collect(),
                    ..Part::default()
                };
                samples = info.samples as usize;
                if info.encryption != Encryption::Clear {
                    ciphers.clear();
                    // A table may lie behind its moof.
                    let rest = &bytes[offset as usize..];
                    encryption::parse(rest, &info, &table, &mut account, &limits, &mut ciphers)?;
                    for n in 0..ciphers.len() {
                        part.encryption.push(ciphers.sample(n).map_or_else(Cipher::default, |s| Cipher {
                            iv: s.iv.iter().map(|b| format!("{b:02x}")).collect(),
                            parts:
                                s.subsamples.iter().map(|p| (p.clear.into(), p.protected.into())).collect(),
                        }));
                    }
                }
                view.parts.push(part);
            }
            Found::Mdat { payload_offset, payload_size } => {
                table.place(payload_offset, payload_size)?;
                let part = view.parts.last_mut().expect("a moof first");
                part.payload = (payload_offset as i64, (payload_offset + payload_size) as i64);
                part.samples = table.samples()[done..].iter().map(sample).collect();
                assert_eq!(part.samples.len(), samples, "samples of its moof");
                done = table.samples().len();
            }
            Found::NeedMore { .. } => panic!("waits for more after the end"),
            Found::End => break,
        }
    }
    table.finish()?;
    Ok(view)
}

fn sample(entry: &smoothcore::mp4::SampleEntry) -> Sample {
    Sample {
        offset: Some(entry.offset.into()),
        size: entry.size.into(),
        duration: entry.duration.into(),
        composition: entry.composition.into(),
        flags: Some(entry.flags.into()),
    }
}

/// What another player wrote about it; see `fragments.js`.
pub fn theirs(lines: &[String]) -> Reading {
    let mut view = View::default();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |n: usize| words.get(n).and_then(|w| w.parse::<f64>().ok()).map(|n| n as i64);
        let part = match words[0] {
            "E" => return Err(Refusal { number: 0, text: words[1..].join(" ") }),
            "M" => {
                view.parts.push(Part { sequence: number(1), ..Part::default() });
                continue;
            }
            _ => view.parts.last_mut().expect("a moof first"),
        };
        match words[0] {
            "T" => (part.track, part.tfdt) = (number(1), number(2)),
            "X" => part.tfxd = number(1).zip(number(2)),
            "R" => part.tfrf.extend(number(1).zip(number(2))),
            "S" => part.samples.push(Sample {
                offset: number(1),
                size: number(2).expect("a size"),
                duration: number(3).expect("a duration"),
                composition: number(4).expect("an offset"),
                flags: number(5),
            }),
            "C" => {
                let pair =
                    |p: &str| p.split_once(',').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                let parts = words[2..].iter().filter_map(|p| pair(p)).collect();
                part.encryption.push(Cipher { iv: words[1].to_string(), parts });
            }
            other => panic!("{other}"),
        }
    }
    Ok(view)
}
