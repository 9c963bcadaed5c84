//! Reads the table: finds the bytes, then goes from sample to sample.

use super::{Algorithm, EncryptionTable, Iv, Setting, Subsample};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::mem::Account;
use crate::mp4::boxes::{Child, Children, Fields};
use crate::mp4::fragment::{Encryption, MoofInfo, Range, is_encryption_info};
use crate::mp4::groups::{Groups, KeyGroup};
use crate::mp4::sample::{SampleEntry, SampleTable};

/// Where the vectors and subsamples of a fragment stand.
pub(super) struct Reader<'a> {
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

impl<'a> Found<'a> {
    /// Among the children of `traf`, which lies at `offset`. Sample groups go to `groups`.
    fn within(traf: &'a [u8], offset: u64, limits: &Limits, groups: &mut Groups<'a>) -> Result<Found<'a>> {
        let mut found = Found::default();
        let mut children = Children::new(traf, offset, "moof/traf", limits);
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
        Ok(found)
    }

    /// Where the entries start, counted from the `moof`, and how long they are. `None` when they are not in one piece.
    fn place(&self) -> Option<(usize, Sizes<'a>)> {
        let typed = |child: &Option<Child<'a>>| {
            let (version, flags, mut fields) = Fields::full(child.as_ref()?.payload)?;
            if flags & 1 != 0 {
                fields.u64()?;
            }
            Some((version, fields))
        };
        let (_, mut sizes) = typed(&self.saiz)?;
        let default = sizes.u8()?;
        sizes.u32()?;
        let (version, mut offsets) = typed(&self.saio)?;
        if offsets.u32()? != 1 {
            return None;
        }
        let at = usize::try_from(offsets.time(version)?).ok()?;
        Some((at, Sizes { default, each: sizes.0 }))
    }
}

/// Where the entries that `saiz` and `saio` speak of end, counted from the `moof`; `None` when they are not in one piece.
pub(super) fn auxiliary_end(moof: &[u8], info: &MoofInfo, limits: &Limits) -> Option<usize> {
    let traf = info.traf.of(moof);
    let found = Found::within(traf, 0, limits, &mut Groups::default()).ok()?;
    let (at, sizes) = found.place()?;
    // No more samples than the limit of a table.
    (0..info.samples as usize).try_fold(at, |end, sample| end.checked_add(sizes.of(sample)?))
}

impl<'a> Reader<'a> {
    pub(super) fn read(
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
        let found = Found::within(traf, in_body(info.traf.offset), limits, &mut groups)?;
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
            let (at, sizes) = found.place().ok_or(invalid)?;
            reader.data = moof.get(at..).ok_or(invalid)?;
            reader.exact = Exact::No;
            reader.sizes = Some(sizes);
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
