//! The inflater against zlib and miniz: the same bytes from good streams, the same verdict as zlib on broken ones.

use std::io::{Read, Write};

use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compression, Decompress, FlushDecompress, Status};
use smoothcore::inflate::Encoding;
use smoothcore_oracle::{Random, inflate, inputs};

fn zlib(data: &[u8], level: u32) -> Vec<u8> {
    let mut e = ZlibEncoder::new(Vec::new(), Compression::new(level));
    e.write_all(data).unwrap();
    e.finish().unwrap()
}

fn raw(data: &[u8], level: u32) -> Vec<u8> {
    let mut e = DeflateEncoder::new(Vec::new(), Compression::new(level));
    e.write_all(data).unwrap();
    e.finish().unwrap()
}

fn gzip(data: &[u8], level: u32) -> Vec<u8> {
    let mut e = GzEncoder::new(Vec::new(), Compression::new(level));
    e.write_all(data).unwrap();
    e.finish().unwrap()
}

/// What zlib makes of a whole stream: the bytes, and whether it saw the end.
fn oracle(data: &[u8], zlib: bool) -> (Vec<u8>, bool) {
    let mut d = Decompress::new(zlib);
    let mut out = vec![0; 1 << 16];
    loop {
        let (from, to) = (d.total_in() as usize, d.total_out() as usize);
        if out.len() - to < 1 << 15 {
            out.resize(out.len() * 2, 0);
        }
        let status = d.decompress(&data[from..], &mut out[to..], FlushDecompress::None);
        let stuck = d.total_in() as usize == from && d.total_out() as usize == to;
        match status {
            Ok(Status::StreamEnd) => {
                out.truncate(d.total_out() as usize);
                return (out, true);
            }
            Ok(_) if !stuck => {}
            _ => {
                out.truncate(d.total_out() as usize);
                return (out, false);
            }
        }
    }
}

#[test]
fn the_same_bytes_at_every_level_in_every_piece() {
    for (name, data) in inputs() {
        for level in 0..=9 {
            for (encoding, packed) in [
                (Encoding::Gzip, gzip(&data, level)),
                (Encoding::Deflate, zlib(&data, level)),
                (Encoding::Deflate, raw(&data, level)),
            ] {
                for piece in [1, 7, 1460, packed.len()] {
                    let (out, outcome) = inflate(encoding, &packed, piece);
                    assert_eq!(outcome, Ok(()), "{name} {level} {encoding:?} {piece}");
                    assert!(out == data, "{name} {level} {encoding:?} {piece}");
                }
            }
        }
    }
}

#[test]
fn what_miniz_packs() {
    for (name, data) in inputs() {
        for level in 0..=10 {
            let packed = miniz_oxide::deflate::compress_to_vec_zlib(&data, level);
            let (out, outcome) = inflate(Encoding::Deflate, &packed, 1460);
            assert_eq!(outcome, Ok(()), "{name} {level}");
            assert!(out == data, "{name} {level}");
        }
    }
}

#[test]
fn the_same_verdict_on_broken_streams() {
    let mut random = Random(0xD1B5_4A32_D192_ED03);
    let (mut good, mut bad) = (0, 0);
    for (name, data) in inputs() {
        let data = &data[..data.len().min(6000)];
        for round in 0..600 {
            let (level, is_zlib) = (random.below(10) as u32, round % 2 == 0);
            let mut packed = if is_zlib { zlib(data, level) } else { raw(data, level) };
            // The two bytes that tell zlib from raw stay: which is which is not the question here.
            for _ in 0..1 + random.below(3) {
                let at = 2 + random.below(packed.len() as u64 - 1) as usize;
                if let Some(byte) = packed.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            let (expected, ended) = oracle(&packed, is_zlib);
            let piece = 1 + random.below(packed.len() as u64) as usize;
            let (out, outcome) = inflate(Encoding::Deflate, &packed, piece);
            assert_eq!(
                outcome.is_ok(),
                ended,
                "{name} level {level} zlib {is_zlib} round {round}: {outcome:?}"
            );
            if ended {
                assert!(out == expected, "{name} round {round}");
                good += 1;
            } else {
                let common = out.len().min(expected.len());
                assert!(out[..common] == expected[..common], "{name} round {round}");
                bad += 1;
            }
        }
    }
    assert!(good > 300 && bad > 1000, "{good} good, {bad} bad");
}

#[test]
fn noise_never_panics_and_gets_the_same_verdict() {
    let mut random = Random(99);
    for _ in 0..20_000 {
        let n = 2 + random.below(60) as usize;
        let mut noise: Vec<u8> = (0..n).map(|_| random.word() as u8).collect();
        // Mostly dynamic blocks: there is most to get wrong.
        noise[0] = noise[0] & !7 | if random.below(4) == 0 { 3 } else { 5 };
        let (expected, ended) = oracle(&noise, false);
        let (out, outcome) = inflate(Encoding::Deflate, &noise, 1 + random.below(60) as usize);
        assert_eq!(outcome.is_ok(), ended, "{noise:02x?} {outcome:?}");
        if ended {
            assert_eq!(out, expected);
        }
    }
}

#[test]
fn broken_gzip_never_yields_other_bytes() {
    let mut random = Random(7);
    for (name, data) in inputs() {
        let data = &data[..data.len().min(3000)];
        for _ in 0..300 {
            let mut packed = gzip(data, 6);
            let at = random.below(packed.len() as u64) as usize;
            packed[at] ^= 1 << random.below(8);
            let (out, outcome) = inflate(Encoding::Gzip, &packed, 97);
            let mut theirs = Vec::new();
            let theirs_ok = flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut theirs).is_ok();
            if outcome.is_ok() {
                assert!(out == data, "{name} byte {at}");
                assert!(theirs_ok, "{name} byte {at}: accepted here only");
            }
        }
    }
}
