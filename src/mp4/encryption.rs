//! How each sample of a fragment is encrypted: initialisation vectors, subsamples, and keys by name.
//!
//! [MS-SSTR] 2.2.4.7 (the `uuid` box of PIFF), ISO/IEC 23001-7 7.2 (`senc`), 7.1 (`saiz`, `saio`) and 6 (sample group
//! `seig`). Nothing is decrypted here.

use super::boxes::{Child, Children, Fields};
use super::fragment::{Encryption, MoofInfo, Range, is_encryption_info};
use super::groups::{Groups, KeyGroup};
use super::sample::{SampleEntry, SampleTable};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::{Account, List};

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
/// `moof` is the whole box, `info` what `parse_moof` said of it. The size of the vectors, unless an override states it,
/// is the first of 8, 16 and 0 with which the table takes exactly the bytes of its box and every sample is as long as
/// its parts.
///
/// # Errors
/// [`Code::EncryptionTable`] when the table fits the samples with none of those, when it lies outside the `moof`, or
/// when a sample group is missing; [`Code::ProtectionUnsupported`] for an unknown cipher; [`Code::LimitSubsamples`]
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

/// Where the vectors and subsamples of a fragment stand.
struct Reader<'a> {
    /// The bytes that hold them, one sample after another.
    data: &'a [u8],
    /// Whether all of `data` must be taken.
    exact: Exact,
    /// How long the part of each sample is; `None`: by what stands in it.
    sizes: Option<Sizes<'a>>,
    subsamples: Subsamples,
    setting: Setting,
    groups: Groups<'a>,
    path: &'static str,
    offset: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Exact {
    Yes,
    No,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Subsamples {
    /// Every sample is encrypted from end to end.
    None,
    /// Every sample says how many it has.
    Counted,
}

/// Sizes of the parts of each sample, from `saiz`.
#[derive(Clone, Copy)]
struct Sizes<'a> {
    default: u8,
    each: &'a [u8],
}

impl Sizes<'_> {
    fn of(&self, sample: usize) -> Option<usize> {
        if self.default != 0 {
            Some(self.default.into())
        } else {
            self.each.get(sample).map(|n| usize::from(*n))
        }
    }
}

/// The boxes of a `traf` that matter here.
#[derive(Default)]
struct Found<'a> {
    saiz: Option<Child<'a>>,
    saio: Option<Child<'a>>,
}

impl<'a> Reader<'a> {
    fn read(
        moof: &'a [u8],
        info: &MoofInfo,
        table: &SampleTable,
        account: &mut Account,
        limits: &Limits,
        out: &mut EncryptionTable,
    ) -> Result<()> {
        let samples = table.latest(info.samples);
        let in_body = |offset: u32| table.moof_offset().saturating_add(offset.into());
        let traf = info.traf.of(moof);
        let mut groups = Groups::default();
        let mut found = Found::default();
        let mut children = Children::new(traf, in_body(info.traf.offset), "moof/traf", limits);
        // Bounded by the limit inside Children.
        while let Some(child) = children.next()? {
            match &child.kind {
                b"sgpd" | b"sbgp" => groups.note(&child),
                b"saiz" if found.saiz.is_none() && is_encryption_info(child.payload) => {
                    found.saiz = Some(child)
                }
                // The same flag and type stand at its start.
                b"saio" if found.saio.is_none() && is_encryption_info(child.payload) => {
                    found.saio = Some(child)
                }
                _ => {}
            }
        }
        let (path, place) = match info.encryption {
            Encryption::Clear => return clear(samples.len(), account, out),
            Encryption::Piff { offset, len } => ("moof/traf/uuid", Range { offset, len }),
            Encryption::Senc { offset, len } => ("moof/traf/senc", Range { offset, len }),
            Encryption::Auxiliary => ("moof/traf/saiz", Range { len: 0, ..info.traf }),
        };
        let offset = in_body(place.offset);
        let invalid = Error::at(Code::EncryptionTable, path, offset);
        let mut reader = Reader {
            data: &[],
            exact: Exact::Yes,
            sizes: None,
            subsamples: Subsamples::None,
            setting: Setting::default(),
            groups,
            path,
            offset,
        };
        let told = if info.encryption == Encryption::Auxiliary {
            reader.auxiliary(moof, &found).ok_or(invalid)?;
            None
        } else {
            let (count, told) = reader.header(place.of(moof)).ok_or(invalid)??;
            if count == 0 || told == Some(Told::Clear) {
                return clear(samples.len(), account, out);
            }
            if count as usize != samples.len() {
                return Err(invalid);
            }
            told
        };
        let sizes = match told {
            Some(Told::Size(8)) => &[8][..],
            Some(_) => &[16],
            None => &[8, 16, 0],
        };
        let mark = out.mark();
        let mut result = Err(invalid);
        for size in sizes {
            out.undo(mark);
            result = reader.entries(*size, samples, account, limits, out);
            match result {
                Err(e) if e.code == Code::EncryptionTable => {}
                done => return done,
            }
        }
        result
    }

    /// The fields before the entries: how many entries, and what an override tells.
    fn header(&mut self, payload: &'a [u8]) -> Option<Result<(u32, Option<Told>)>> {
        let (_, flags, mut fields) = Fields::full(payload)?;
        let mut told = None;
        if flags & 1 != 0 {
            let word = fields.u32()?;
            let kid = *fields.id()?;
            self.setting.kid = Some(kid);
            told = Some(match (word >> 8, word & 0xFF) {
                (0, _) => Told::Clear,
                (algorithm @ (1 | 2), size @ (8 | 16)) => {
                    self.setting.algorithm =
                        Some(if algorithm == 1 { Algorithm::AesCtr } else { Algorithm::AesCbc });
                    // The size is known, so surplus bytes cannot mislead.
                    self.exact = Exact::No;
                    Told::Size(size as u8)
                }
                (1 | 2, _) => return None,
                _ => return Some(Err(Error::at(Code::ProtectionUnsupported, self.path, self.offset))),
            });
        }
        if flags & 2 != 0 {
            self.subsamples = Subsamples::Counted;
        }
        let count = fields.u32()?;
        self.data = fields.0;
        Some(Ok((count, told)))
    }

    /// Finds the entries where `saio` says: in one piece, inside the `moof`.
    fn auxiliary(&mut self, moof: &'a [u8], found: &Found<'a>) -> Option<()> {
        let typed = |child: &Option<Child<'a>>| {
            let (version, flags, mut fields) = Fields::full(child.as_ref()?.payload)?;
            if flags & 1 != 0 {
                fields.u64()?;
            }
            Some((version, fields))
        };
        let (_, mut sizes) = typed(&found.saiz)?;
        let default = sizes.u8()?;
        sizes.u32()?;
        let (version, mut offsets) = typed(&found.saio)?;
        if offsets.u32()? != 1 {
            return None;
        }
        let at = usize::try_from(offsets.time(version)?).ok()?;
        self.data = moof.get(at..)?;
        self.exact = Exact::No;
        self.sizes = Some(Sizes { default, each: sizes.0 });
        Some(())
    }

    /// Reads every entry with vectors of `iv_size` bytes.
    fn entries(
        &self,
        iv_size: u8,
        samples: &[SampleEntry],
        account: &mut Account,
        limits: &Limits,
        out: &mut EncryptionTable,
    ) -> Result<()> {
        let invalid = Error::at(Code::EncryptionTable, self.path, self.offset);
        let iv_size = usize::from(iv_size);
        let mut data = Fields(self.data);
        let mut groups = self.groups;
        let base = out.setting(account, self.setting)?;
        for (i, sample) in samples.iter().enumerate() {
            let mut own = data;
            let mut counted = self.subsamples;
            if let Some(sizes) = &self.sizes {
                let size = sizes.of(i).ok_or(invalid)?;
                own = Fields(data.take(size).ok_or(invalid)?);
                if size == 0 {
                    out.push(account, &[], 0)?;
                    continue;
                }
                if size != iv_size {
                    counted = Subsamples::Counted;
                }
            }
            let setting = match groups.next().ok_or(invalid)? {
                None => base,
                Some(KeyGroup::Clear) => 0,
                Some(KeyGroup::Key { kid, pattern, constant_iv }) => out.setting(
                    account,
                    Setting {
                        kid: Some(kid),
                        pattern,
                        constant_iv: Iv::new(constant_iv),
                        algorithm: self.setting.algorithm,
                    },
                )?,
            };
            let iv = own.take(iv_size).ok_or(invalid)?;
            if counted == Subsamples::Counted {
                subsamples(&mut own, sample, account, limits, out, invalid)?;
            }
            out.push(account, iv, setting)?;
            if self.sizes.is_none() {
                data = own;
            } else if !own.0.is_empty() {
                return Err(invalid);
            }
        }
        if self.exact == Exact::Yes && !data.0.is_empty() {
            return Err(invalid);
        }
        Ok(())
    }
}

/// What an override tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Nothing is encrypted.
    Clear,
    /// Bytes of a vector.
    Size(u8),
}

/// Every sample is clear.
fn clear(count: usize, account: &mut Account, out: &mut EncryptionTable) -> Result<()> {
    for _ in 0..count {
        out.push(account, &[], 0)?;
    }
    Ok(())
}

/// The parts of one sample. With none, all of it is encrypted.
fn subsamples(
    own: &mut Fields<'_>,
    sample: &SampleEntry,
    account: &mut Account,
    limits: &Limits,
    out: &mut EncryptionTable,
    invalid: Error,
) -> Result<()> {
    let count = own.u16().ok_or(invalid)?;
    let parts = own.take(usize::from(count).saturating_mul(6)).ok_or(invalid)?;
    if out.subsamples.len().saturating_add(usize::from(count)) > limits.samples as usize {
        return Err(Error { code: Code::LimitSubsamples, ..invalid });
    }
    out.subsamples.reserve(account, count.into())?;
    let mut sum = 0u64;
    let mut parts = Fields(parts);
    for _ in 0..count {
        let clear = u32::from(parts.u16().ok_or(invalid)?);
        let protected = parts.u32().ok_or(invalid)?;
        sum = sum.saturating_add(u64::from(clear)).saturating_add(u64::from(protected));
        out.subsamples.push(account, Subsample { clear, protected })?;
    }
    if count != 0 && sum != u64::from(sample.size) { Err(invalid) } else { Ok(()) }
}
