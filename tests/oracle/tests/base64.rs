//! The base64 decoder against the base64 crate.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use smoothcore::digits;
use smoothcore::error::Code;
use smoothcore::mem::{Account, Bytes};
use smoothcore_oracle::Random;

const ORACLE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn ours(text: &str) -> Option<Vec<u8>> {
    let (mut account, mut out) = (Account::new(1 << 16), Bytes::new());
    digits::base64(text, &mut account, 1 << 15, &mut out, Code::CodecConfig).ok().map(|()| out.to_vec())
}

#[test]
fn encoded_bytes_come_back_through_white_space() {
    let mut random = Random(5);
    for n in 0..300 {
        let data: Vec<u8> = (0..n).map(|_| random.word() as u8).collect();
        let text = ORACLE.encode(&data);
        assert_eq!(ours(&text).as_deref(), Some(&data[..]));
        assert_eq!(ours(text.trim_end_matches('=')).as_deref(), Some(&data[..]));
        let mut spaced = String::new();
        for c in text.chars() {
            spaced.push(c);
            if random.below(3) == 0 {
                spaced.push_str([" ", "\r\n", "\t"][random.below(3) as usize]);
            }
        }
        assert_eq!(ours(&spaced).as_deref(), Some(&data[..]));
    }
}

#[test]
fn the_same_verdict_on_random_text() {
    let mut random = Random(11);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..200_000 {
        let n = random.below(10) as usize;
        let letters = b"AZaz09+/=-_.BC";
        let mut text: String = (0..n)
            .map(|_| {
                let few = if random.below(8) == 0 { letters.len() } else { 8 };
                letters[random.below(few as u64) as usize] as char
            })
            .collect();
        for _ in 0..random.below(3) {
            text.push('=');
        }
        let theirs = ORACLE.decode(&text).ok();
        assert_eq!(ours(&text), theirs, "{text:?}");
        if theirs.is_some() { good += 1 } else { bad += 1 }
    }
    assert!(good > 10_000 && bad > 10_000, "{good} good, {bad} bad");
}
