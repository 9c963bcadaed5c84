//! Boxes written: sample entries of a manifest's codecs, and the `moov` of a fragmented or a plain file
//! (ISO/IEC 14496-12 8, ISO/IEC 14496-14 5.6, ISO/IEC 14496-15 5.3, ISO/IEC 23001-7 8 and 9).

use anyhow::{Context, Result};
use smoothcore::codec::{Codec, CodecConfig, EntryNames, Kind, sample_entry};
use smoothcore::error::Code;
use smoothcore::mem::{Account, Bytes};
use smoothcore::mp4::uuid;

use super::boxes::Boxes;
use super::movie::{MovieTrack, TrackProtection};
use super::samples::SampleEncryption;

/// The unity matrix of `mvhd` and `tkhd`.
const MATRIX: [u32; 9] = [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000];

/// Writes a box around what `content` writes.
pub fn boxed<T>(out: &mut Vec<u8>, kind: &[u8; 4], content: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(kind);
    let done = content(out);
    let size = u32::try_from(out.len() - at).expect("an index is less than 4 GiB");
    out[at..at + 4].copy_from_slice(&size.to_be_bytes());
    done
}

/// Writes a box with version and flags.
pub fn full<T>(
    out: &mut Vec<u8>,
    kind: &[u8; 4],
    version: u8,
    flags: u32,
    content: impl FnOnce(&mut Vec<u8>) -> T,
) -> T {
    boxed(out, kind, |out| {
        u32s(out, &[u32::from(version) << 24 | flags]);
        content(out)
    })
}

pub fn u16s(out: &mut Vec<u8>, values: &[u16]) {
    out.extend(values.iter().flat_map(|value| value.to_be_bytes()));
}

pub fn u32s(out: &mut Vec<u8>, values: &[u32]) {
    out.extend(values.iter().flat_map(|value| value.to_be_bytes()));
}

pub fn u64s(out: &mut Vec<u8>, values: &[u64]) {
    out.extend(values.iter().flat_map(|value| value.to_be_bytes()));
}

/// The `ftyp` box.
pub fn file_type(out: &mut Vec<u8>, major: &[u8; 4], minor: u32, compatible: &[&[u8; 4]]) {
    boxed(out, b"ftyp", |out| {
        out.extend_from_slice(major);
        u32s(out, &[minor]);
        for brand in compatible {
            out.extend_from_slice(*brand);
        }
    });
}

/// One track of a file to be written.
#[derive(Clone, Debug)]
pub struct Track {
    pub id: u32,
    /// `vide`, `soun` or `subt`.
    pub handler: [u8; 4],
    pub timescale: u32,
    /// Ticks.
    pub duration: u64,
    /// Three letters.
    pub language: String,
    /// Pixels, as 16.16.
    pub display: (u32, u32),
    /// The sample entry, header included.
    pub entry: Vec<u8>,
    /// Edits: ticks of the movie, and start in ticks of the track or -1 for nothing.
    pub edits: Vec<(u64, i64)>,
    pub tables: Tables,
}

/// The samples of a track in a plain file; empty in a fragmented one.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub sizes: Vec<u32>,
    pub durations: Vec<u32>,
    pub compositions: Vec<i32>,
    /// Places of the samples where decoding can start; `None` when that is everywhere.
    pub syncs: Option<Vec<u32>>,
    /// Samples of each chunk, and where it starts, counted from the start of the media data.
    pub chunks: Vec<(u32, u64)>,
    /// One a sample; `None` for a clear one. Empty when all are clear.
    pub encryption: Vec<Option<SampleEncryption>>,
}

/// What a `moov` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Samples follow in fragments.
    Fragmented,
    /// Samples lie in one `mdat` whose media data starts at this place of the file; the `moov` at the other.
    Plain { moov: u64, data: u64 },
}

/// Writes a `moov`. `duration` counts in `timescale`; 0 is unknown in a fragmented file.
pub fn moov(
    out: &mut Vec<u8>,
    purpose: Purpose,
    timescale: u32,
    duration: u64,
    tracks: &[Track],
    protection: &[([u8; 16], Vec<u8>)],
) {
    let start = out.len();
    boxed(out, b"moov", |out| {
        full(out, b"mvhd", 1, 0, |out| {
            u64s(out, &[0, 0]);
            u32s(out, &[timescale]);
            u64s(out, &[duration]);
            u32s(out, &[0x0001_0000]);
            u16s(out, &[0x0100, 0]);
            u32s(out, &[0, 0]);
            u32s(out, &MATRIX);
            u32s(out, &[0; 6]);
            u32s(out, &[tracks.iter().map(|track| track.id).max().unwrap_or(0).saturating_add(1)]);
        });
        for track in tracks {
            boxed(out, b"trak", |out| trak(out, track, purpose, start, timescale, duration));
        }
        if purpose == Purpose::Fragmented {
            boxed(out, b"mvex", |out| {
                full(out, b"mehd", 1, 0, |out| u64s(out, &[duration]));
                for track in tracks {
                    full(out, b"trex", 0, 0, |out| u32s(out, &[track.id, 1, 0, 0, 0]));
                }
            });
        }
        for (system, data) in protection {
            full(out, b"pssh", 0, 0, |out| {
                out.extend_from_slice(system);
                u32s(out, &[data.len() as u32]);
                out.extend_from_slice(data);
            });
        }
    });
}

fn trak(out: &mut Vec<u8>, track: &Track, purpose: Purpose, start: usize, timescale: u32, duration: u64) {
    let shown = match track.edits.as_slice() {
        [] => scaled(track.duration, track.timescale, timescale),
        edits => edits.iter().map(|(length, _)| *length).sum(),
    };
    let shown = if purpose == Purpose::Fragmented { duration } else { shown };
    full(out, b"tkhd", 1, 7, |out| {
        u64s(out, &[0, 0]);
        u32s(out, &[track.id, 0]);
        u64s(out, &[shown]);
        u32s(out, &[0, 0]);
        u16s(out, &[0, 0, if &track.handler == b"soun" { 0x0100 } else { 0 }, 0]);
        u32s(out, &MATRIX);
        u32s(out, &[track.display.0, track.display.1]);
    });
    if !track.edits.is_empty() {
        boxed(out, b"edts", |out| {
            full(out, b"elst", 1, 0, |out| {
                u32s(out, &[track.edits.len() as u32]);
                for (length, from) in &track.edits {
                    u64s(out, &[*length, from.cast_unsigned()]);
                    u16s(out, &[1, 0]);
                }
            });
        });
    }
    boxed(out, b"mdia", |out| {
        full(out, b"mdhd", 1, 0, |out| {
            u64s(out, &[0, 0]);
            u32s(out, &[track.timescale]);
            u64s(out, &[track.duration]);
            u16s(out, &[language(&track.language), 0]);
        });
        full(out, b"hdlr", 0, 0, |out| {
            u32s(out, &[0]);
            out.extend_from_slice(&track.handler);
            u32s(out, &[0, 0, 0]);
            out.extend_from_slice(b"SmoothCore\0");
        });
        boxed(out, b"minf", |out| {
            match &track.handler {
                b"vide" => full(out, b"vmhd", 0, 1, |out| u16s(out, &[0; 4])),
                b"soun" => full(out, b"smhd", 0, 0, |out| u16s(out, &[0; 2])),
                b"subt" => full(out, b"sthd", 0, 0, |_| ()),
                _ => full(out, b"nmhd", 0, 0, |_| ()),
            }
            boxed(out, b"dinf", |out| {
                full(out, b"dref", 0, 0, |out| {
                    u32s(out, &[1]);
                    full(out, b"url ", 0, 1, |_| ());
                });
            });
            boxed(out, b"stbl", |out| {
                full(out, b"stsd", 0, 0, |out| {
                    u32s(out, &[1]);
                    out.extend_from_slice(&track.entry);
                });
                tables(out, &track.tables, purpose, start);
            });
        });
    });
}

/// Values that repeat, as counts and values.
fn runs<T: Copy + PartialEq>(values: &[T]) -> Vec<(u32, T)> {
    values.chunk_by(PartialEq::eq).map(|run| (run.len() as u32, run[0])).collect()
}

fn tables(out: &mut Vec<u8>, tables: &Tables, purpose: Purpose, start: usize) {
    full(out, b"stts", 0, 0, |out| {
        let runs = runs(&tables.durations);
        u32s(out, &[runs.len() as u32]);
        runs.iter().for_each(|(count, duration)| u32s(out, &[*count, *duration]));
    });
    if tables.compositions.iter().any(|offset| *offset != 0) {
        let version = u8::from(tables.compositions.iter().any(|offset| *offset < 0));
        full(out, b"ctts", version, 0, |out| {
            let runs = runs(&tables.compositions);
            u32s(out, &[runs.len() as u32]);
            runs.iter().for_each(|(count, offset)| u32s(out, &[*count, offset.cast_unsigned()]));
        });
    }
    if let Some(syncs) = &tables.syncs {
        full(out, b"stss", 0, 0, |out| {
            u32s(out, &[syncs.len() as u32]);
            syncs.iter().for_each(|sample| u32s(out, &[sample + 1]));
        });
    }
    full(out, b"stsc", 0, 0, |out| {
        let counts: Vec<u32> = tables.chunks.iter().map(|(count, _)| *count).collect();
        let runs = runs(&counts);
        u32s(out, &[runs.len() as u32]);
        let mut first = 1;
        for (chunks, samples) in runs {
            u32s(out, &[first, samples, 1]);
            first += chunks;
        }
    });
    full(out, b"stsz", 0, 0, |out| {
        u32s(out, &[0, tables.sizes.len() as u32]);
        u32s(out, &tables.sizes);
    });
    let data = if let Purpose::Plain { data, .. } = purpose { data } else { 0 };
    let last = tables.chunks.last().map_or(0, |(_, offset)| data + offset);
    if last > u64::from(u32::MAX) {
        full(out, b"co64", 0, 0, |out| {
            u32s(out, &[tables.chunks.len() as u32]);
            tables.chunks.iter().for_each(|(_, offset)| u64s(out, &[data + offset]));
        });
    } else {
        full(out, b"stco", 0, 0, |out| {
            u32s(out, &[tables.chunks.len() as u32]);
            tables.chunks.iter().for_each(|(_, offset)| u32s(out, &[(data + offset) as u32]));
        });
    }
    if tables.encryption.iter().any(Option::is_some) {
        let base = if let Purpose::Plain { moov, .. } = purpose { moov } else { 0 };
        encryption(out, &tables.encryption, |at| base + (at - start) as u64);
        clear_groups(out, tables);
    }
}

/// Writes `senc`, `saiz` and `saio`; `place` turns a place in `out` into what `saio` counts.
fn encryption(out: &mut Vec<u8>, samples: &[Option<SampleEncryption>], place: impl Fn(usize) -> u64) {
    let subsamples = samples.iter().flatten().any(|sample| !sample.subsamples.is_empty());
    let mut sizes = Vec::new();
    let first = full(out, b"senc", 0, if subsamples { 2 } else { 0 }, |out| {
        u32s(out, &[samples.len() as u32]);
        let first = out.len();
        for sample in samples {
            let begin = out.len();
            if let Some(sample) = sample {
                out.extend_from_slice(&sample.iv);
                if subsamples {
                    u16s(out, &[sample.subsamples.len() as u16]);
                    for part in &sample.subsamples {
                        u16s(out, &[part.clear as u16]);
                        u32s(out, &[part.protected]);
                    }
                }
            }
            sizes.push(u8::try_from(out.len() - begin).unwrap_or(u8::MAX));
        }
        first
    });
    let same = sizes.windows(2).all(|pair| pair[0] == pair[1]);
    full(out, b"saiz", 0, 0, |out| {
        out.push(if same { sizes.first().copied().unwrap_or(0) } else { 0 });
        u32s(out, &[sizes.len() as u32]);
        if !same {
            out.extend_from_slice(&sizes);
        }
    });
    full(out, b"saio", 1, 0, |out| {
        u32s(out, &[1]);
        u64s(out, &[place(first)]);
    });
}

/// Tells clear samples among encrypted ones (ISO/IEC 23001-7 6).
fn clear_groups(out: &mut Vec<u8>, tables: &Tables) {
    if tables.encryption.iter().all(Option::is_some) {
        return;
    }
    full(out, b"sgpd", 1, 0, |out| {
        out.extend_from_slice(b"seig");
        u32s(out, &[20, 1]);
        out.extend_from_slice(&[0; 20]);
    });
    full(out, b"sbgp", 0, 0, |out| {
        let clear: Vec<bool> = tables.encryption.iter().map(Option::is_none).collect();
        let runs = runs(&clear);
        out.extend_from_slice(b"seig");
        u32s(out, &[runs.len() as u32]);
        runs.iter().for_each(|(count, clear)| u32s(out, &[*count, u32::from(*clear)]));
    });
}

/// `ticks` of one scale in another, to the nearest.
pub fn scaled(ticks: u64, from: u32, to: u32) -> u64 {
    let from = u128::from(from.max(1));
    u64::try_from((u128::from(ticks) * u128::from(to) + from / 2) / from).unwrap_or(u64::MAX)
}

/// A language of three letters as `mdhd` packs it; `und` for any other.
fn language(text: &str) -> u16 {
    let letters = <[u8; 3]>::try_from(text.to_ascii_lowercase().as_bytes()).ok();
    let letters = letters.filter(|letters| letters.iter().all(u8::is_ascii_lowercase)).unwrap_or(*b"und");
    letters.iter().fold(0, |packed, letter| packed << 5 | u16::from(letter - b'`'))
}

/// The sample entry of a codec in the clear, header included.
///
/// # Errors
/// When the configuration cannot be used.
pub fn entry(config: &CodecConfig, kind: Kind, bitrate: u32) -> Result<Vec<u8>> {
    let mut content = Bytes::new();
    let mut account = Account::new(1 << 20);
    let names = match sample_entry(config, bitrate, &mut account, &mut content) {
        // All parameter sets are among the samples: no set, but how long the lengths before NAL units are.
        Err(error) if error.code == Code::CodecConfig && config.private.is_empty() => {
            let lengths = 0xfc | (config.nal_length.clamp(1, 4) - 1);
            let (entry, name, sets): (_, _, Vec<u8>) = match config.codec {
                Codec::H264 => (*b"avc3", *b"avcC", vec![1, 0x4d, 0x40, 0x1e, lengths, 0xe0, 0]),
                Codec::H265 => {
                    let mut sets = vec![0; 23];
                    (sets[0], sets[1], sets[5], sets[21]) = (1, 1, 0x60, lengths & 3 | 0x0c);
                    for (at, reserved) in [(13, 0xf0), (15, 0xfc), (16, 0xfd), (17, 0xf8), (18, 0xf8)] {
                        sets[at] = reserved;
                    }
                    (*b"hev1", *b"hvcC", sets)
                }
                _ => return Err(error.into()),
            };
            content.extend(&mut account, &sets)?;
            EntryNames { entry, config: Some(name) }
        }
        named => named?,
    };
    let mut out = Vec::new();
    boxed(&mut out, &names.entry, |out| {
        u16s(out, &[0, 0, 0, 1]);
        if kind == Kind::Video {
            u32s(out, &[0; 4]);
            u16s(out, &[config.width as u16, config.height as u16]);
            u32s(out, &[0x0048_0000, 0x0048_0000, 0]);
            u16s(out, &[1]);
            out.extend_from_slice(&[0; 32]);
            u16s(out, &[0x0018, 0xffff]);
        } else if kind == Kind::Audio {
            u32s(out, &[0, 0]);
            let bits = if config.bits_per_sample == 0 { 16 } else { config.bits_per_sample };
            u16s(out, &[config.channels, bits, 0, 0]);
            // A rate beyond 16 bits does not fit; the configuration has it.
            u32s(out, &[u16::try_from(config.sampling_rate).map_or(0, |rate| u32::from(rate) << 16)]);
        }
        match names.config {
            Some(name) => boxed(out, &name, |out| out.extend_from_slice(&content)),
            None => out.extend_from_slice(&content),
        }
    });
    Ok(out)
}

/// The sample entry of a track as it would be in the clear.
///
/// # Errors
/// When the entry is broken.
pub fn unprotected(track: &MovieTrack) -> Result<Vec<u8>> {
    let children = track.configuration()?;
    let fixed = track.entry.len() - children.len();
    let mut out = Vec::new();
    boxed(&mut out, &track.format, |out| {
        out.extend_from_slice(&track.entry[8..fixed]);
        for child in Boxes::new(children) {
            let (kind, content) = child?;
            if &kind != b"sinf" {
                boxed(out, &kind, |out| out.extend_from_slice(content));
            }
        }
        Ok(())
    })
    .map(|()| out)
}

/// The sample entry of a codec in the clear, made one of encrypted samples.
///
/// # Errors
/// When the entry is broken.
pub fn protect(entry: &[u8], video: bool, protection: TrackProtection) -> Result<Vec<u8>> {
    let format = entry.get(4..8).context("sample entry cut short")?.try_into()?;
    let mut out = Vec::new();
    boxed(&mut out, if video { b"encv" } else { b"enca" }, |out| {
        out.extend_from_slice(&entry[8..]);
        protected(out, format, protection);
    });
    Ok(out)
}

fn protected(out: &mut Vec<u8>, format: [u8; 4], protection: TrackProtection) {
    boxed(out, b"sinf", |out| {
        boxed(out, b"frma", |out| out.extend_from_slice(&format));
        full(out, b"schm", 0, 0, |out| {
            out.extend_from_slice(&protection.scheme);
            u32s(out, &[if &protection.scheme == b"piff" { 0x0001_0001 } else { 0x0001_0000 }]);
        });
        boxed(out, b"schi", |out| {
            if &protection.scheme == b"piff" {
                boxed(out, b"uuid", |out| {
                    out.extend_from_slice(&uuid::TRACK_ENCRYPTION);
                    u32s(out, &[0]);
                    u32s(out, &[u32::from(protection.algorithm) << 8 | u32::from(protection.iv_size)]);
                    out.extend_from_slice(&protection.kid);
                });
            } else {
                let (crypt, skip) = protection.pattern;
                let patterned = (crypt, skip) != (0, 0);
                full(out, b"tenc", u8::from(patterned), 0, |out| {
                    out.extend_from_slice(&[0, crypt << 4 | skip & 15, 1, protection.iv_size]);
                    out.extend_from_slice(&protection.kid);
                    let constant = protection.constant_iv.as_slice();
                    if protection.iv_size == 0 {
                        out.push(constant.len() as u8);
                        out.extend_from_slice(constant);
                    }
                });
            }
        });
    });
}
