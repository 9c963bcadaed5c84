//! A decryptor with keys given in the clear: for laboratories and tests, where no DRM agent is at hand.
//!
//! It knows what protected Smooth Streaming fragments are made with ([MS-SSTR] 2.2.4.5.1, PIFF 1.1, ISO/IEC 23001-7):
//! AES-128 in counter mode, in chained blocks, and in chained blocks by a pattern. Keys lie in memory as they are; a
//! product has an agent that keeps them.

mod agent;
mod keys;

pub use smoothcore::protection::{Kid, Scheme};

pub use agent::{Agent, Trouble};
pub use keys::{Keys, Named, NotNamed, checksum, test_key};

use std::fmt;

use aes::Aes128;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

/// A content key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(pub [u8; 16]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Part of a sample: so many bytes in the clear, then so many that are protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Subsample {
    pub clear: u32,
    pub protected: u32,
}

/// Of every `crypt` + `skip` blocks, the first `crypt` are encrypted; 0 and 0: all of them. ISO/IEC 23001-7 9.6.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pattern {
    pub crypt: u8,
    pub skip: u8,
}

impl Pattern {
    /// Every block: audio.
    pub const ALL: Pattern = Pattern { crypt: 0, skip: 0 };
    /// One block in ten: video.
    pub const TENTH: Pattern = Pattern { crypt: 1, skip: 9 };
}

/// How one sample is encrypted.
#[derive(Clone, Copy, Debug)]
pub struct How<'a> {
    pub scheme: Scheme,
    /// For [`Scheme::Cbcs`]; others ignore it.
    pub pattern: Pattern,
    /// 8 or 16 bytes. In counter mode 8 bytes are followed by a block counter from 0; elsewhere by zeros.
    pub iv: &'a [u8],
    /// In the order of the sample; none: all of it is protected.
    pub subsamples: &'a [Subsample],
}

/// Why a sample was left as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The initialisation vector is neither 8 nor 16 bytes long.
    Iv,
    /// The subsamples are not as long as the sample.
    Subsamples,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Iv => "the initialisation vector is neither 8 nor 16 bytes long",
            Refusal::Subsamples => "the subsamples are not as long as the sample",
        })
    }
}

impl std::error::Error for Refusal {}

/// Decrypts `sample` in place.
///
/// # Errors
/// [`Refusal`]; the sample is unchanged then.
pub fn decrypt(key: Key, how: &How<'_>, sample: &mut [u8]) -> Result<(), Refusal> {
    run(key, how, sample, Direction::Decrypt)
}

/// Encrypts `sample` in place.
///
/// # Errors
/// [`Refusal`]; the sample is unchanged then.
pub fn encrypt(key: Key, how: &How<'_>, sample: &mut [u8]) -> Result<(), Refusal> {
    run(key, how, sample, Direction::Encrypt)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Encrypt,
    Decrypt,
}

fn run(key: Key, how: &How<'_>, sample: &mut [u8], direction: Direction) -> Result<(), Refusal> {
    let mut iv = [0; 16];
    if !matches!(how.iv.len(), 8 | 16) {
        return Err(Refusal::Iv);
    }
    iv[..how.iv.len()].copy_from_slice(how.iv);
    let whole =
        [Subsample { clear: 0, protected: u32::try_from(sample.len()).map_err(|_| Refusal::Subsamples)? }];
    let subsamples = if how.subsamples.is_empty() { &whole[..] } else { how.subsamples };
    let sum: u64 = subsamples.iter().map(|s| u64::from(s.clear) + u64::from(s.protected)).sum();
    if sum != sample.len() as u64 {
        return Err(Refusal::Subsamples);
    }

    let aes = Aes128::new(&key.0.into());
    let mut stream = KeyStream { counter: iv, block: [0; 16], used: 16 };
    let mut chain = iv;
    let mut rest = sample;
    for subsample in subsamples {
        let (_, behind) = rest.split_at_mut(subsample.clear as usize);
        let (range, behind) = behind.split_at_mut(subsample.protected as usize);
        rest = behind;
        match how.scheme {
            Scheme::AesCtr => stream.apply(&aes, range),
            Scheme::AesCbc => chained(&aes, &mut chain, Pattern::ALL, range, direction),
            Scheme::Cbcs => chained(&aes, &mut iv.clone(), how.pattern, range, direction),
        }
    }
    Ok(())
}

/// The key stream of counter mode, which runs on from one protected range of a sample to the next.
struct KeyStream {
    counter: [u8; 16],
    block: [u8; 16],
    /// Bytes of `block` that are used up.
    used: usize,
}

impl KeyStream {
    fn apply(&mut self, aes: &Aes128, range: &mut [u8]) {
        for byte in range {
            if self.used == self.block.len() {
                self.block = block(aes, self.counter, Direction::Encrypt);
                self.used = 0;
                // Only the lower half counts.
                let counter = u128::from_be_bytes(self.counter);
                let low = (counter as u64).wrapping_add(1);
                self.counter = (counter >> 64 << 64 | u128::from(low)).to_be_bytes();
            }
            *byte ^= self.block[self.used];
            self.used += 1;
        }
    }
}

/// Chained blocks by a pattern; what is less than a block at the end stays clear.
fn chained(aes: &Aes128, chain: &mut [u8; 16], pattern: Pattern, range: &mut [u8], direction: Direction) {
    let (crypt, skip) = (usize::from(pattern.crypt), usize::from(pattern.skip));
    let (blocks, _) = range.as_chunks_mut::<16>();
    for (at, place) in blocks.iter_mut().enumerate() {
        if crypt != 0 && at % (crypt + skip) >= crypt {
            continue;
        }
        match direction {
            Direction::Encrypt => {
                *place = block(aes, xor(*place, *chain), direction);
                *chain = *place;
            }
            Direction::Decrypt => {
                let cipher = std::mem::replace(place, xor(block(aes, *place, direction), *chain));
                *chain = cipher;
            }
        }
    }
}

fn xor(a: [u8; 16], b: [u8; 16]) -> [u8; 16] {
    std::array::from_fn(|at| a[at] ^ b[at])
}

fn block(aes: &Aes128, bytes: [u8; 16], direction: Direction) -> [u8; 16] {
    let mut block = bytes.into();
    match direction {
        Direction::Encrypt => aes.encrypt_block(&mut block),
        Direction::Decrypt => aes.decrypt_block(&mut block),
    }
    block.into()
}
