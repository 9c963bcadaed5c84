//! What the oracle tests share: random bytes and the decoder under test.

use smoothcore::error::{Code, Error};
use smoothcore::inflate::{Encoding, Inflate};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;

/// A xorshift generator, so that a failure can be repeated.
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.word() % end
    }
}

/// Inputs from a list of fragments, through runs and words, to noise.
pub fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let mut random = Random(0x0123_4567_89AB_CDEF);
    let mut manifest = String::new();
    for i in 0..20_000u64 {
        let (n, t, d) = (i, i * 20_000_000 + random.below(9000), 20_000_000 + random.below(5000));
        manifest.push_str(&format!("<c n=\"{n}\" t=\"{t}\" d=\"{d}\"/>\r\n"));
    }
    let noise: Vec<u8> = (0..200_000).map(|_| random.word() as u8).collect();
    let few: Vec<u8> = (0..150_000).map(|_| b"0123abcd"[random.below(8) as usize]).collect();
    let skewed: Vec<u8> = (0..150_000).map(|_| random.word().trailing_zeros() as u8).collect();
    let mut runs = Vec::new();
    while runs.len() < 300_000 {
        let (byte, n) = (random.word() as u8, random.below(2000) as usize);
        runs.extend(std::iter::repeat_n(byte, n));
    }
    let mut words = noise[..40_000].to_vec();
    while words.len() < 300_000 {
        let back = 1 + random.below(32_768) as usize;
        let n = 3 + random.below(300) as usize;
        for _ in 0..n {
            words.push(words[words.len() - back]);
        }
    }
    vec![
        ("nothing", Vec::new()),
        ("one byte", vec![7]),
        ("manifest", manifest.into_bytes()),
        ("noise", noise),
        ("few symbols", few),
        ("skewed", skewed),
        ("runs", runs),
        ("repeats", words),
    ]
}

/// Limits that stop no honest or random input.
pub fn wide() -> Limits {
    Limits { inflate_ratio: 1032, manifest_bytes: 64 << 20, ..Limits::default() }
}

/// Everything that comes out of `input`, cut into pieces.
pub fn inflate(encoding: Encoding, input: &[u8], piece: usize) -> (Vec<u8>, Result<(), Error>) {
    let mut account = Account::new(40_000);
    let Ok(mut inflate) = Inflate::new(&mut account, encoding, &wide()) else {
        return (Vec::new(), Err(Code::Budget.into()));
    };
    let mut out = Vec::new();
    let mut outcome = Ok(());
    for part in input.chunks(piece.max(1)) {
        outcome = inflate.feed(part, &mut |run| {
            out.extend_from_slice(run);
            Ok(())
        });
        if outcome.is_err() {
            break;
        }
    }
    let outcome = outcome.and_then(|()| inflate.finish());
    inflate.free(&mut account);
    assert_eq!(account.held(), 0);
    (out, outcome)
}
