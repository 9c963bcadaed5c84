//! Known answers, and the modes of other crates.
#![allow(clippy::unwrap_used)]

use cbc::cipher::{BlockModeEncrypt, KeyIvInit, StreamCipher};
use smoothcore::protection::{self, Kid, Scheme, playready::Algorithm};
use smoothcore_clearkey::{
    How, Key, Keys, Named, Pattern, Refusal, Subsample, checksum, decrypt, encrypt, test_key,
};

/// Base64 of the seed that PlayReady's test server publishes.
const SEED: [u8; 30] = [
    0x5d, 0x50, 0x68, 0xbe, 0xc9, 0xb3, 0x84, 0xff, 0x60, 0x44, 0x86, 0x71, 0x59, 0xf1, 0x6d, 0x6b, 0x75,
    0x55, 0x44, 0xfc, 0xd5, 0x11, 0x69, 0x89, 0xb1, 0xac, 0xc4, 0x27, 0x8e, 0x88,
];
const KID: Kid = Kid([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const KEY: Key =
    Key([0x0a, 0xf8, 0x44, 0xa3, 0x5a, 0x0c, 0xdb, 0xcd, 0x46, 0x44, 0x47, 0xd8, 0xc2, 0xdf, 0x88, 0x6e]);

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 251) as u8).collect()
}

fn how<'a>(scheme: Scheme, iv: &'a [u8], subsamples: &'a [Subsample]) -> How<'a> {
    How { scheme, pattern: Pattern::TENTH, iv, subsamples }
}

#[test]
fn the_test_servers_key_and_its_checksum() {
    assert_eq!(test_key(&SEED, KID), KEY);
    assert_eq!(test_key(&[&SEED[..], b"more"].concat(), KID), KEY, "30 bytes count");
    assert_eq!(checksum(KEY, KID), [0xd6, 0x16, 0xba, 0xfe, 0xb4, 0x7d, 0x97, 0x83]);
}

#[test]
fn the_key_stream_of_an_8_byte_vector() {
    let mut zeros = [0; 32];
    decrypt(KEY, &how(Scheme::AesCtr, &[1, 2, 3, 4, 5, 6, 7, 8], &[]), &mut zeros).unwrap();
    let wanted = [
        0xa8, 0xe5, 0x55, 0x69, 0x5f, 0xc6, 0x59, 0xfc, 0xe9, 0xbb, 0x91, 0xd5, 0xba, 0x48, 0xc9, 0x83, 0xf7,
        0x38, 0x3f, 0x41, 0xbb, 0x16, 0x62, 0xf8, 0x37, 0x74, 0x63, 0xef, 0xdf, 0xfc, 0x72, 0x17,
    ];
    assert_eq!(zeros, wanted);
}

#[test]
fn counter_mode_is_that_of_the_ctr_crate_and_counts_in_the_lower_half() {
    for iv in [[9; 16], [0xff; 16], [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]] {
        let mut ours = bytes(1000);
        let mut theirs = ours.clone();
        encrypt(KEY, &how(Scheme::AesCtr, &iv, &[]), &mut ours).unwrap();
        ctr::Ctr64BE::<aes::Aes128>::new(&KEY.0.into(), &iv.into()).apply_keystream(&mut theirs);
        assert_eq!(ours, theirs);
        decrypt(KEY, &how(Scheme::AesCtr, &iv, &[]), &mut ours).unwrap();
        assert_eq!(ours, bytes(1000));
    }
}

#[test]
fn the_key_stream_runs_on_over_clear_bytes() {
    let subsamples = [(5, 20), (0, 3), (7, 0), (1, 64)];
    let subsamples = subsamples.map(|(clear, protected)| Subsample { clear, protected });
    let mut sample = vec![0; 100];
    encrypt(KEY, &how(Scheme::AesCtr, &[3; 8], &subsamples), &mut sample).unwrap();
    let mut stream = vec![0; 87];
    encrypt(KEY, &how(Scheme::AesCtr, &[3; 8], &[]), &mut stream).unwrap();
    assert_eq!(sample[..5], [0; 5]);
    assert_eq!(sample[5..28], stream[..23]);
    assert_eq!(sample[28..36], [0; 8]);
    assert_eq!(sample[36..], stream[23..]);
}

fn cbc_encrypt(iv: [u8; 16], blocks: &mut [u8]) {
    let mut mode = cbc::Encryptor::<aes::Aes128>::new(&KEY.0.into(), &iv.into());
    for place in blocks.as_chunks_mut::<16>().0 {
        let mut block = (*place).into();
        mode.encrypt_block(&mut block);
        *place = block.into();
    }
}

#[test]
fn chained_blocks_are_those_of_the_cbc_crate_and_the_rest_is_clear() {
    for len in [0, 1, 15, 16, 17, 32, 100] {
        let mut ours = bytes(len);
        let mut theirs = ours.clone();
        encrypt(KEY, &how(Scheme::AesCbc, &[5; 16], &[]), &mut ours).unwrap();
        cbc_encrypt([5; 16], &mut theirs);
        assert_eq!(ours, theirs, "{len}");
        assert_eq!(ours[len / 16 * 16..], bytes(len)[len / 16 * 16..]);
        decrypt(KEY, &how(Scheme::AesCbc, &[5; 16], &[]), &mut ours).unwrap();
        assert_eq!(ours, bytes(len));
    }
}

#[test]
fn the_chain_runs_on_over_clear_bytes() {
    let subsamples = [(3, 32), (10, 48)].map(|(clear, protected)| Subsample { clear, protected });
    let mut sample = bytes(93);
    encrypt(KEY, &how(Scheme::AesCbc, &[5; 16], &subsamples), &mut sample).unwrap();
    let mut chain = [&bytes(93)[3..35], &bytes(93)[45..]].concat();
    cbc_encrypt([5; 16], &mut chain);
    assert_eq!(sample, [&bytes(93)[..3], &chain[..32], &bytes(93)[35..45], &chain[32..]].concat());
    decrypt(KEY, &how(Scheme::AesCbc, &[5; 16], &subsamples), &mut sample).unwrap();
    assert_eq!(sample, bytes(93));
}

#[test]
fn a_pattern_takes_one_block_in_ten_and_begins_anew_with_each_subsample() {
    let subsamples = [(6, 16 * 21 + 5), (4, 16 * 2)].map(|(clear, protected)| Subsample { clear, protected });
    let len = 6 + 16 * 21 + 5 + 4 + 32;
    let mut sample = bytes(len);
    encrypt(KEY, &how(Scheme::Cbcs, &[5; 16], &subsamples), &mut sample).unwrap();
    let mut wanted = bytes(len);
    // Blocks 0, 10 and 20 of the first range are one chain, block 0 of the second another.
    let mut chain = Vec::new();
    for at in [6, 166, 326] {
        chain.extend_from_slice(&wanted[at..at + 16]);
    }
    cbc_encrypt([5; 16], &mut chain);
    for (at, block) in [6, 166, 326].into_iter().zip(chain.chunks(16)) {
        wanted[at..at + 16].copy_from_slice(block);
    }
    let second = 6 + 16 * 21 + 5 + 4;
    cbc_encrypt([5; 16], &mut wanted[second..second + 16]);
    assert_eq!(sample, wanted);
    decrypt(KEY, &how(Scheme::Cbcs, &[5; 16], &subsamples), &mut sample).unwrap();
    assert_eq!(sample, bytes(len));

    // Audio has no pattern.
    let mut ours = bytes(100);
    let all = How { scheme: Scheme::Cbcs, pattern: Pattern::ALL, iv: &[5; 16], subsamples: &[] };
    encrypt(KEY, &all, &mut ours).unwrap();
    let mut theirs = bytes(100);
    cbc_encrypt([5; 16], &mut theirs);
    assert_eq!(ours, theirs);
}

#[test]
fn what_does_not_fit_is_refused_and_left_alone() {
    let mut sample = bytes(10);
    for iv in [&[][..], &[0; 7], &[0; 12], &[0; 17]] {
        assert_eq!(decrypt(KEY, &how(Scheme::AesCtr, iv, &[]), &mut sample), Err(Refusal::Iv));
    }
    for (clear, protected) in [(5, 4), (5, 6), (u32::MAX, u32::MAX), (0, 0)] {
        let subsamples = [Subsample { clear, protected }];
        let refused = decrypt(KEY, &how(Scheme::AesCtr, &[0; 8], &subsamples), &mut sample);
        assert_eq!(refused, Err(Refusal::Subsamples));
    }
    assert_eq!(sample, bytes(10));
}

#[test]
fn keys_are_named_found_and_checked() {
    let text = "01020304-0506-0708-090a-0B0C0D0E0F10:0AF844A35A0CDBCD464447D8C2DF886E";
    assert_eq!(text.parse::<Named>(), Ok(Named { kid: KID, key: KEY }));
    for text in ["", ":", "01:02", &text[..60], "0102030405060708090A0B0C0D0E0F10"] {
        assert!(text.parse::<Named>().is_err(), "{text}");
    }
    assert!(!format!("{:?}", text.parse::<Named>()).contains("248"), "keys are not printed");

    let mut keys = Keys::default();
    assert!(keys.is_empty());
    keys.add(KID, Key([0; 16]));
    assert_eq!(keys.find(KID), Some(Key([0; 16])));
    let named = |checksum| protection::Key { kid: KID, algorithm: Some(Algorithm::AesCtr), checksum };
    let right = named(Some(checksum(KEY, KID)));
    assert_eq!(keys.wrong(&[named(None), right]), Some(KID));
    keys.add(KID, KEY);
    assert_eq!((keys.only(), keys.wrong(&[right])), (Some(KEY), None));
    keys.add(Kid([7; 16]), KEY);
    assert_eq!((keys.only(), keys.find(Kid([8; 16]))), (None, None));
}
