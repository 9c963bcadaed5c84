//! How each sample of a fragment is encrypted: initialisation vectors, subsamples, and keys by name.
//!
//! [MS-SSTR] 2.2.4.7 (the `uuid` box of PIFF), ISO/IEC 23001-7 7.2 (`senc`), 7.1 (`saiz`, `saio`) and 6 (sample group
//! `seig`). Nothing is decrypted here.

use super::fragment::{Encryption, MoofInfo};
use super::sample::SampleTable;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, List};

mod read;

use read::Reader;

/// Bytes of the longest initialisation vector.
pub const LONGEST_IV: usize = 16;

/// A part of a sample: first clear bytes, then encrypted ones.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C)]
pub struct Subsample {
    /// Bytes that are clear.
    pub clear: u32,
    /// Bytes after them that are encrypted.
    pub protected: u32,
}

/// A cipher, as a PIFF box names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// AES-128 in counter mode, AlgorithmID 1.
    AesCtr,
    /// AES-128 in cipher block chaining mode, AlgorithmID 2.
    AesCbc,
}

/// An initialisation vector of up to sixteen bytes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Iv {
    bytes: [u8; LONGEST_IV],
    len: u8,
}

impl Iv {
    /// The first sixteen of `bytes`.
    pub fn new(bytes: &[u8]) -> Iv {
        let mut iv = Iv::default();
        for (to, from) in iv.bytes.iter_mut().zip(bytes) {
            *to = *from;
            iv.len = iv.len.wrapping_add(1);
        }
        iv
    }

    /// Its 0, 8 or 16 bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// What is the same for many samples. What the fragment does not say is `None`: the manifest, or the `moov` of a file,
/// says it then.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Setting {
    /// The cipher; only the override of a PIFF box names it.
    pub algorithm: Option<Algorithm>,
    /// Key identifier, big-endian as in `tenc`.
    pub kid: Option<[u8; 16]>,
    /// Encrypted and skipped blocks of 16 bytes, in turn, of a sample group; zeros without a pattern.
    pub pattern: (u8, u8),
    /// The vector of samples that have none of their own; empty without any.
    pub constant_iv: Iv,
}

/// How one sample is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SampleEncryption<'a> {
    /// Cipher and key.
    pub setting: &'a Setting,
    /// The initialisation vector, 8 or 16 bytes; empty when it is a constant that only manifest or `moov` know.
    pub iv: &'a [u8],
    /// The parts; all of them together are as long as the sample. None: all of the sample is encrypted.
    pub subsamples: &'a [Subsample],
}

/// The encryption of every sample of a body, in the order of its [`SampleTable`]. Reusable:
/// [`EncryptionTable::clear`] keeps the room.
#[derive(Debug, Default)]
pub struct EncryptionTable {
    settings: List<Setting>,
    samples: List<Entry>,
    subsamples: List<Subsample>,
}

/// One sample. Its subsamples start where those of the sample before end.
#[derive(Clone, Copy, Debug)]
struct Entry {
    iv: [u8; LONGEST_IV],
    iv_len: u8,
    /// Which setting, counted from one; 0: the sample is clear.
    setting: u16,
    subsamples_end: u32,
}

impl EncryptionTable {
    /// An empty table, which holds nothing.
    pub const fn new() -> EncryptionTable {
        EncryptionTable { settings: List::new(), samples: List::new(), subsamples: List::new() }
    }

    /// The encryption of the sample at `index`; `None` when it is clear or not there.
    pub fn sample(&self, index: usize) -> Option<SampleEncryption<'_>> {
        let entry = self.samples.get(index)?;
        let setting = self.settings.get(usize::from(entry.setting).checked_sub(1)?)?;
        let before = index.checked_sub(1).and_then(|i| self.samples.get(i));
        let start = before.map_or(0, |e| e.subsamples_end) as usize;
        let iv = match entry.iv_len {
            0 => setting.constant_iv.as_slice(),
            len => entry.iv.get(..usize::from(len))?,
        };
        Some(SampleEncryption {
            setting,
            iv,
            subsamples: self.subsamples.get(start..entry.subsamples_end as usize)?,
        })
    }

    /// Samples in the table, clear ones included.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether the table has no sample.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The key of the first encrypted sample that names one.
    pub fn kid(&self) -> Option<[u8; 16]> {
        self.settings.iter().find_map(|s| s.kid)
    }

    /// Removes every sample; the room stays.
    pub fn clear(&mut self) {
        self.undo((0, 0, 0));
    }

    /// Frees everything and takes it off the account.
    pub fn free(&mut self, account: &mut Account) {
        self.settings.free(account);
        self.samples.free(account);
        self.subsamples.free(account);
    }

    /// Bytes charged for the table.
    pub fn charged(&self) -> usize {
        let lists = self.samples.charged().saturating_add(self.subsamples.charged());
        lists.saturating_add(self.settings.charged())
    }

    fn mark(&self) -> (usize, usize, usize) {
        (self.settings.len(), self.samples.len(), self.subsamples.len())
    }

    fn undo(&mut self, (settings, samples, subsamples): (usize, usize, usize)) {
        self.settings.truncate(settings);
        self.samples.truncate(samples);
        self.subsamples.truncate(subsamples);
    }

    /// The number of `setting`, counted from one.
    fn setting(&mut self, account: &mut Account, setting: Setting) -> Result<u16> {
        let known = self.settings.iter().position(|s| *s == setting);
        let at = match known {
            Some(at) => at,
            None => {
                self.settings.push(account, setting)?;
                self.settings.len().saturating_sub(1)
            }
        };
        u16::try_from(at.saturating_add(1)).map_err(|_| Error::at(Code::LimitSamples, "moof/traf/sgpd", 0))
    }

    fn push(&mut self, account: &mut Account, iv: &[u8], setting: u16) -> Result<()> {
        let Iv { bytes, len } = Iv::new(iv);
        let subsamples_end = self.subsamples.len() as u32;
        self.samples.push(account, Entry { iv: bytes, iv_len: len, setting, subsamples_end })
    }
}

/// Appends to `out` how the samples of `moof` are encrypted: one entry for each sample that [`super::parse_moof`] has
/// just appended to `table`, whether it has its place or not, clear ones included.
///
/// `moof` is the whole box, with what follows it as far as [`reach`] says; more does no harm. `info` is what `parse_moof`
/// said of it. The size of the vectors, unless an override states it, is the first of 8, 16 and 0 with which the table
/// takes exactly the bytes of its box and every sample is as long as its parts.
///
/// # Errors
/// [`Code::EncryptionTable`] when the table fits the samples with none of those, when it does not lie in `moof` in
/// one piece, or when a sample group is missing; [`Code::ProtectionUnsupported`] for an unknown cipher; [`Code::LimitSubsamples`]
/// above [`Limits::samples`]; [`Code::BoxInvalid`], [`Code::LimitBoxes`]; [`Code::Budget`] or [`Code::NoMemory`].
/// `out` is as before then.
pub fn parse(
    moof: &[u8],
    info: &MoofInfo,
    table: &SampleTable,
    account: &mut Account,
    limits: &Limits,
    out: &mut EncryptionTable,
) -> Result<()> {
    let mark = out.mark();
    let samples = table.latest(info.samples);
    // Before anything is read: however small the table, each sample has an entry.
    let parsed = out
        .samples
        .reserve(account, samples.len())
        .and_then(|()| Reader::read(moof, info, table, account, limits, out));
    if parsed.is_err() {
        out.undo(mark);
    }
    parsed
}

/// How many bytes from the start of `moof` on [`parse`] needs: those of the box, or more where the table that `saiz` and
/// `saio` speak of lies behind it, among the media data (ISO/IEC 14496-12 8.7.9).
pub fn reach(moof: &[u8], info: &MoofInfo, limits: &Limits) -> u64 {
    let end = match info.encryption {
        Encryption::Auxiliary => read::auxiliary_end(moof, info, limits),
        _ => None,
    };
    end.map_or(moof.len(), |end| end.max(moof.len())) as u64
}
