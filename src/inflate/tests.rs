use super::checksum::{adler32, crc32};
use super::*;
use std::vec::Vec;

/// What [`TEXT`] is as one block of the fixed codes, and what [`list`] is as one of its own codes.
const FIXED: &str = "b3092e294a4dccf5cc4b49ad5008a92c48b5552acb4c49cd575270ce28cdcb2eb6553252b2b349564801320c2040491f8b80\
                     3e923976bc5c00";
const DYNAMIC: &str = "5593eb6dc4300c83573964815a4f4ac0dd2dd38ed0fd51a7052a3aff1c429f45ca7a7e3ebe5fd7ba1e5faf4bd7df777d\
                       bc9fbfbfd1d2a418fe15934492049f22510849323cd1c472d27c88d26804693548adb88fa3e930ad6a19df17c38c9525\
                       dc660f335ddc0e77a7efc599e4303b4a9aeb968d075f66c6fea84f2b5bc591519fa1a24766c34409a0ec6f980a0d461\
                       628b28ae2387590918138ec0d725721d842d38812d1dca60dd35b15cc04314db15ba3c87298d5728cc1b94f3163eb35\
                       ccf6b6e43e659816a6cacca038a1bb90fd519cfb9181f3d4616674257b4f1afb760eba4f688552f6309969e47d5f7ef\
                       8c330530d7964d653176ec69a0f13f72e1e6f62989adacd6b24c32c9755c71a0dd32dee574e99d1dc1dc718f446fe00";
const TEXT: &[u8] =
    b"<StreamIndex Type=\"video\" Chunks=\"2\"><c d=\"20000000\"/><c d=\"20000000\"/></StreamIndex>\r\n";

fn list() -> Vec<u8> {
    let items = (0u64..40)
        .map(|i| std::format!("<c t=\"{}\" d=\"{}\"/>", i * i * 7919 % 1_000_003, 20_000_000 + i * 37 % 101));
    items.collect::<std::string::String>().into_bytes()
}

fn bytes(hex: &str) -> Vec<u8> {
    let (mut account, mut out) = (Account::new(1 << 20), Bytes::new());
    crate::digits::hex(hex, &mut account, 1 << 20, &mut out, Code::Argument).unwrap();
    out.to_vec()
}

fn gzip_head(flags: u8) -> Vec<u8> {
    [0x1F, 0x8B, 8, flags, 1, 2, 3, 4, 0, 255].to_vec()
}

fn gzip_of(deflated: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut all = gzip_head(0);
    all.extend_from_slice(deflated);
    all.extend_from_slice(&crc32(0, plain).to_le_bytes());
    all.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    all
}

fn zlib_of(deflated: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut all = [0x78, 0x9C].to_vec();
    all.extend_from_slice(deflated);
    all.extend_from_slice(&adler32(1, plain).to_be_bytes());
    all
}

fn inflate_with(
    limits: &Limits,
    encoding: Encoding,
    input: &[u8],
    piece: usize,
) -> core::result::Result<Vec<u8>, Error> {
    let mut account = Account::new(64 << 10);
    let mut inflate = Inflate::new(&mut account, encoding, limits).unwrap();
    let held = account.held();
    let mut out = Vec::new();
    let outcome = input.chunks(piece).try_for_each(|p| {
        inflate.feed(p, &mut |run| {
            assert!(!run.is_empty() && run.len() <= WINDOW);
            out.extend_from_slice(run);
            Ok(())
        })
    });
    let outcome = outcome.and_then(|()| inflate.finish());
    assert_eq!(account.held(), held);
    inflate.free(&mut account);
    assert_eq!(account.held(), 0);
    outcome.map(|()| out)
}

/// The same outcome, whatever the pieces.
fn inflate(encoding: Encoding, input: &[u8]) -> core::result::Result<Vec<u8>, Code> {
    let whole = inflate_with(&Limits::default(), encoding, input, input.len().max(1)).map_err(|e| e.code);
    for piece in [1, 2, 7, 100] {
        let pieces = inflate_with(&Limits::default(), encoding, input, piece).map_err(|e| e.code);
        assert_eq!(pieces, whole, "pieces of {piece}");
    }
    whole
}

/// A writer of blocks in the fixed codes, for streams that no encoder makes.
struct Writer {
    out: Vec<u8>,
    bits: u32,
}

impl Writer {
    fn new() -> Writer {
        Writer { out: Vec::new(), bits: 0 }
    }

    fn put(&mut self, value: u32, count: u32) {
        for i in 0..count {
            if self.bits.is_multiple_of(8) {
                self.out.push(0);
            }
            *self.out.last_mut().unwrap() |=
                ((value.checked_shr(i).unwrap_or(0) & 1) as u8) << (self.bits % 8);
            self.bits += 1;
        }
    }

    fn code(&mut self, value: u32, count: u32) {
        self.put(value.reverse_bits() >> (32 - count), count);
    }

    fn symbol(&mut self, symbol: u32) {
        match symbol {
            0..=143 => self.code(0x30 + symbol, 8),
            144..=255 => self.code(0x190 + symbol - 144, 9),
            256..=279 => self.code(symbol - 256, 7),
            _ => self.code(0xC0 + symbol - 280, 8),
        }
    }

    fn block(&mut self, last: u32) -> &mut Writer {
        self.put(last, 1);
        self.put(1, 2);
        self
    }

    fn text(&mut self, text: &[u8]) -> &mut Writer {
        text.iter().for_each(|b| self.symbol(u32::from(*b)));
        self
    }

    /// A match of 258 bytes at the distance of code `code` with its extra bits.
    fn match_258(&mut self, code: u32, extra: u32, bits: u32) -> &mut Writer {
        self.symbol(285);
        self.code(code, 5);
        self.put(extra, bits);
        self
    }

    fn end(&mut self) -> Vec<u8> {
        self.symbol(256);
        core::mem::take(&mut self.out)
    }
}

#[test]
fn the_checksums_have_their_known_values() {
    assert_eq!(crc32(0, b"123456789"), 0xCBF4_3926);
    assert_eq!(adler32(1, b"123456789"), 0x091E_01DE);
    assert_eq!(crc32(crc32(0, b"1234"), b"56789"), 0xCBF4_3926);
    assert_eq!(adler32(1, &[0xFF; 100_000]), {
        let (mut low, mut high) = (1u64, 0u64);
        for _ in 0..100_000 {
            low = (low + 255) % 65_521;
            high = (high + low) % 65_521;
        }
        (high << 16 | low) as u32
    });
}

#[test]
fn every_framing_of_both_kinds_of_block() {
    for (deflated, plain) in [(bytes(FIXED), TEXT.to_vec()), (bytes(DYNAMIC), list())] {
        assert_eq!(inflate(Encoding::Gzip, &gzip_of(&deflated, &plain)), Ok(plain.clone()));
        assert_eq!(inflate(Encoding::Deflate, &zlib_of(&deflated, &plain)), Ok(plain.clone()));
        assert_eq!(inflate(Encoding::Deflate, &deflated), Ok(plain.clone()));
        assert_eq!(inflate(Encoding::Deflate, &gzip_of(&deflated, &plain)), Ok(plain));
    }
}

#[test]
fn stored_blocks_of_every_size() {
    let plain: Vec<u8> = (0..70_000u64).map(|i| ((i * i) >> 3) as u8).collect();
    let mut deflated = [0, 0, 0, 0xFF, 0xFF].to_vec();
    for (i, part) in plain.chunks(65_535).enumerate() {
        deflated.push(i as u8);
        deflated.extend_from_slice(&(part.len() as u16).to_le_bytes());
        deflated.extend_from_slice(&(!(part.len() as u16)).to_le_bytes());
        deflated.extend_from_slice(part);
    }
    assert_eq!(inflate(Encoding::Gzip, &gzip_of(&deflated, &plain)), Ok(plain.clone()));
    assert_eq!(inflate(Encoding::Deflate, &zlib_of(&deflated, &plain)), Ok(plain));
    assert_eq!(inflate(Encoding::Deflate, &[1, 1, 0, 0xFF, 0xFF, 7]), Err(Code::InflateData));
}

#[test]
fn matches_reach_back_over_the_whole_window_and_no_further() {
    let mut writer = Writer::new();
    writer.block(0).text(b"ab").match_258(1, 0, 0);
    // 127 further matches of 258 at distance 1 fill more than 32,768 bytes.
    for _ in 0..127 {
        writer.match_258(0, 0, 0);
    }
    let mut plain = [b"a".as_slice(), b"b"].concat();
    for _ in 0..129 {
        plain.extend_from_slice(b"ab");
    }
    plain.extend(core::iter::repeat_n(b'b', 127 * 258));
    let good = {
        // 33,026 bytes are out; distance 32,768 reaches the 258th and later.
        writer.match_258(29, 8191, 13);
        let from = plain.len() - 32_768;
        plain.extend_from_within(from..from + 258);
        writer.symbol(256);
        writer.block(1);
        writer.end()
    };
    assert_eq!(inflate(Encoding::Deflate, &good), Ok(plain));

    let mut early = Writer::new();
    early.block(1).text(b"ab").match_258(2, 0, 0);
    assert_eq!(inflate(Encoding::Deflate, &early.end()), Err(Code::InflateData));
    let mut invalid = Writer::new();
    invalid.block(1).text(b"abcd").match_258(30, 0, 0);
    assert_eq!(inflate(Encoding::Deflate, &invalid.end()), Err(Code::InflateData));
    let mut invalid = Writer::new();
    invalid.block(1).text(b"abcd").symbol(286);
    invalid.put(0, 20);
    assert_eq!(inflate(Encoding::Deflate, &invalid.end()), Err(Code::InflateData));
}

#[test]
fn a_second_member_does_not_see_the_first() {
    let mut first = Writer::new();
    first.block(1).text(b"aaa");
    for _ in 0..200 {
        first.match_258(0, 0, 0);
    }
    let first = first.end();
    let mut second = Writer::new();
    let second = second.block(1).text(b"d").match_258(1, 0, 0).end();
    let mut both = gzip_of(&first, &[b'a'; 3 + 200 * 258]);
    both.extend_from_slice(&gzip_of(&second, b"?"));
    assert_eq!(inflate(Encoding::Gzip, &both), Err(Code::InflateData));
}

#[test]
fn gzip_heads_with_everything() {
    let (deflated, plain) = (bytes(FIXED), TEXT);
    let tail = gzip_of(&deflated, plain).split_off(10);
    for flags in 0..32u8 {
        let mut all = gzip_head(flags);
        if flags & 4 != 0 {
            all.extend_from_slice(&[3, 0, 9, 9, 0]);
        }
        if flags & 8 != 0 {
            all.extend_from_slice(b"Manifest\0");
        }
        if flags & 16 != 0 {
            all.extend_from_slice(b"\0");
        }
        if flags & 2 != 0 {
            let crc = crc32(0, &all) as u16;
            let mut wrong = all.clone();
            wrong.extend_from_slice(&(crc ^ 1).to_le_bytes());
            wrong.extend_from_slice(&tail);
            assert_eq!(inflate(Encoding::Gzip, &wrong), Err(Code::InflateHeader));
            all.extend_from_slice(&crc.to_le_bytes());
        }
        all.extend_from_slice(&tail);
        assert_eq!(inflate(Encoding::Gzip, &all), Ok(plain.to_vec()), "flags {flags}");
    }
}

#[test]
fn heads_that_are_refused() {
    let good = gzip_of(&bytes(FIXED), TEXT);
    for (at, value) in [(0, 0x1E), (1, 0x8A), (2, 7), (3, 0x20), (3, 0x80)] {
        let mut bad = good.clone();
        bad[at] = value;
        assert_eq!(inflate(Encoding::Gzip, &bad), Err(Code::InflateHeader), "byte {at}");
    }
    assert_eq!(inflate(Encoding::Gzip, &zlib_of(&bytes(FIXED), TEXT)), Err(Code::InflateHeader));
    // A preset dictionary: bit 5 of the second byte, with the check bits to match.
    assert_eq!(inflate(Encoding::Deflate, &[0x78, 0xBB, 0, 0, 0, 1]), Err(Code::InflateHeader));
    let error = inflate_with(&Limits::default(), Encoding::Gzip, b"\x1f\x8b\x07", 1).unwrap_err();
    assert_eq!((error.place.at, error.place.offset), ("gzip", 3));
}

#[test]
fn members_follow_each_other_and_garbage_is_ignored() {
    let (one, two) = (gzip_of(&bytes(FIXED), TEXT), gzip_of(&bytes(DYNAMIC), &list()));
    let empty = gzip_of(&[3, 0], b"");
    let all = [one.as_slice(), &empty, &two].concat();
    let plain = [TEXT, &list()].concat();
    assert_eq!(inflate(Encoding::Gzip, &all), Ok(plain.clone()));
    for garbage in [b"\0".as_slice(), b"\x1f", b"\0\0\0\0\0\0", b"\x1f\x8aabc", b"HTTP/1.1"] {
        assert_eq!(inflate(Encoding::Gzip, &[all.as_slice(), garbage].concat()), Ok(plain.clone()));
    }
    let torn = [all.as_slice(), &one[..one.len() - 1]].concat();
    assert_eq!(inflate(Encoding::Gzip, &torn), Err(Code::InflateTruncated));
    let zlib = [zlib_of(&bytes(FIXED), TEXT), one].concat();
    assert_eq!(inflate(Encoding::Deflate, &zlib), Ok(TEXT.to_vec()));
}

#[test]
fn every_truncation_is_noticed() {
    for whole in [gzip_of(&bytes(DYNAMIC), &list()), zlib_of(&bytes(DYNAMIC), &list()), bytes(DYNAMIC)] {
        let encoding = sniff(&whole).unwrap_or(Encoding::Deflate);
        for end in 0..whole.len() {
            assert_eq!(inflate(encoding, &whole[..end]), Err(Code::InflateTruncated), "{end}");
        }
    }
}

#[test]
fn checksums_and_lengths_are_compared() {
    let good = gzip_of(&bytes(FIXED), TEXT);
    for at in good.len() - 8..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert_eq!(inflate(Encoding::Gzip, &bad), Err(Code::InflateChecksum), "{at}");
    }
    let mut bad = zlib_of(&bytes(FIXED), TEXT);
    *bad.last_mut().unwrap() ^= 1;
    let error = inflate_with(&Limits::default(), Encoding::Deflate, &bad, 9).unwrap_err();
    assert_eq!(error, Error::at(Code::InflateChecksum, "deflate", bad.len() as u64));
}

#[test]
fn codes_that_cannot_be_are_refused() {
    // Block type 3; 287 literal codes.
    let mut streams = [[7, 0].to_vec(), [0xF5, 0, 0, 0].to_vec()].to_vec();
    // Lengths of the codes for 16, 17, 18, 0 and 8, then the bits of the first of them: too many codes; a code of
    // which half is unused; no end of block; 257 codes of length 8; a repeat before any length.
    let codes = [([1, 1, 1, 0, 0], 0), ([0, 0, 0, 1, 0], 0), ([0, 0, 0, 1, 1], 0), ([1, 0, 0, 0, 1], 0)];
    for (lengths, bits) in codes.into_iter().chain([([1, 0, 0, 1, 0], 1)]) {
        let mut w = Writer::new();
        w.put(0b101, 3);
        w.put(0, 5);
        w.put(0, 5);
        w.put(1, 4);
        lengths.iter().for_each(|l| w.put(*l, 3));
        w.put(bits, 400);
        streams.push(w.out);
    }
    for (i, stream) in streams.iter().enumerate() {
        assert_eq!(inflate(Encoding::Deflate, stream), Err(Code::InflateData), "stream {i}");
    }
}

#[test]
fn a_bomb_is_stopped_by_its_ratio() {
    let mut bomb = Writer::new();
    bomb.block(1).text(b"0");
    for _ in 0..20_000 {
        bomb.match_258(0, 0, 0);
    }
    let bomb = bomb.end();
    let limits = Limits { inflate_ratio: 100, ..Limits::default() };
    for piece in [1, 1460, bomb.len()] {
        let mut account = Account::new(64 << 10);
        let mut inflate = Inflate::new(&mut account, Encoding::Deflate, &limits).unwrap();
        let (mut out, mut fed) = (0u64, 0u64);
        let outcome = bomb.chunks(piece).try_for_each(|p| {
            fed += p.len() as u64;
            inflate.feed(p, &mut |run| {
                out += run.len() as u64;
                Ok(())
            })
        });
        assert_eq!(outcome.map_err(|e| e.code), Err(Code::LimitInflateRatio));
        assert!(out <= 100 * fed + (64 << 10), "{out} of {fed}");
        assert_eq!(inflate.finish().map_err(|e| e.code), Err(Code::LimitInflateRatio));
        assert_eq!(inflate.feed(b"x", &mut |_| Ok(())).map_err(|e| e.code), Err(Code::LimitInflateRatio));
    }
    let patient = Limits { inflate_ratio: 1032, ..limits };
    assert_eq!(inflate_with(&patient, Encoding::Deflate, &bomb, 7).map(|b| b.len()), Ok(1 + 20_000 * 258));
    let small = Limits { inflate_ratio: 1032, manifest_bytes: 1_000_000, ..limits };
    let error = inflate_with(&small, Encoding::Deflate, &bomb, 1460).unwrap_err();
    assert_eq!(error.code, Code::LimitManifestBytes);
    let exact = Limits { inflate_ratio: 1032, manifest_bytes: 1 + 20_000 * 258, ..limits };
    assert!(inflate_with(&exact, Encoding::Deflate, &bomb, 1460).is_ok());
}

#[test]
fn a_refusing_sink_ends_it() {
    let mut account = Account::new(64 << 10);
    let mut inflate = Inflate::new(&mut account, Encoding::Deflate, &Limits::default()).unwrap();
    let refused = inflate.feed(&bytes(FIXED), &mut |_| Err(Code::ManifestSyntax.into()));
    assert_eq!(refused, Err(Code::ManifestSyntax.into()));
    assert_eq!(inflate.finish(), Err(Code::ManifestSyntax.into()));
}

#[test]
fn what_is_good_before_a_fault_goes_out_first() {
    // A stored block, then one of a type that does not exist.
    let input = [&[0, 3, 0, 0xFC, 0xFF][..], b"abc", &[7]].concat();
    for piece in [1, input.len()] {
        let mut account = Account::new(64 << 10);
        let mut out = Vec::new();
        let mut inflate = Inflate::new(&mut account, Encoding::Deflate, &Limits::default()).unwrap();
        let outcome = input.chunks(piece).try_for_each(|p| {
            inflate.feed(p, &mut |run| {
                out.extend_from_slice(run);
                Ok(())
            })
        });
        assert_eq!(outcome.map_err(|e| e.code), Err(Code::InflateData), "in pieces of {piece}");
        assert_eq!(out, b"abc", "in pieces of {piece}");
        inflate.free(&mut account);
        // And a sink that takes none of it is heard, and asked once.
        let mut asked = 0;
        let mut inflate = Inflate::new(&mut account, Encoding::Deflate, &Limits::default()).unwrap();
        let outcome = input.chunks(piece).try_for_each(|p| {
            inflate.feed(p, &mut |_| {
                asked += 1;
                Err(Code::ManifestSyntax.into())
            })
        });
        assert_eq!((outcome, asked), (Err(Code::ManifestSyntax.into()), 1), "in pieces of {piece}");
    }
}

#[test]
fn too_small_a_budget_leaves_nothing_charged() {
    for cap in [0, 1000, 20_000, 34_047] {
        let mut account = Account::new(cap);
        let refused = Inflate::new(&mut account, Encoding::Gzip, &Limits::default());
        assert_eq!(refused.map(|_| ()).map_err(|e| e.code), Err(Code::Budget));
        assert_eq!(account.held(), 0);
    }
    assert!(Inflate::new(&mut Account::new(34_048), Encoding::Gzip, &Limits::default()).is_ok());
    assert!(size_of::<Inflate>() <= 1400, "{}", size_of::<Inflate>());
}

#[test]
fn only_gzip_is_guessed() {
    assert_eq!(sniff(&[0x1F, 0x8B, 8]), Some(Encoding::Gzip));
    assert_eq!(sniff(&[0x1F]), None);
    assert_eq!(sniff(&[0x78, 0x9C]), None);
    assert_eq!(sniff(b"<?xml"), None);
}
