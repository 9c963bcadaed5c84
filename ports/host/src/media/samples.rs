//! The samples of a body, by the core's own parser: where they lie, when they are due, how they are encrypted.

use smoothcore::error::{Code, Error, Result};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::encryption::{self, Algorithm, EncryptionTable, Subsample};
use smoothcore::mp4::{Body, BodyEnd, BoxWalk, Found, MoofInfo, SampleEntry, SampleTable, parse_moof};

/// Memory for the tables of one body: more than any within the limits.
const MEMORY: usize = 256 << 20;

/// One `moof` and its `mdat`.
#[derive(Clone, Debug)]
pub struct Piece {
    pub info: MoofInfo,
    /// Offsets count from the start of the body.
    pub samples: Vec<SampleEntry>,
    /// `None` when the samples are clear.
    pub encryption: Option<Encrypted>,
}

impl Piece {
    /// Start in ticks, by `tfxd` or else `tfdt`.
    pub fn time(&self) -> Option<u64> {
        self.info.tfxd.map(|span| span.time).or(self.info.tfdt)
    }
}

/// How the samples of one `moof` are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encrypted {
    /// The key, where the fragment itself names it.
    pub kid: Option<[u8; 16]>,
    /// Bytes of an initialization vector: 8 or 16; 0 where it is constant.
    pub iv_size: u8,
    /// Where the fragment itself names it.
    pub algorithm: Option<Algorithm>,
    /// One a sample; `None` for a clear one.
    pub samples: Vec<Option<SampleEncryption>>,
}

/// How one sample is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleEncryption {
    /// Empty where it is constant.
    pub iv: Vec<u8>,
    /// Clear bytes, then encrypted ones; empty: all of it is encrypted.
    pub subsamples: Vec<Subsample>,
}

/// Every piece of a whole body. `defaults` are duration, size and flags of a sample where the body names none.
///
/// # Errors
/// Those of the parser: what is here is no complete fragment.
pub fn read(bytes: &[u8], defaults: [u32; 3]) -> Result<Vec<Piece>> {
    let limits = Limits { fragment_bytes: u64::from(u32::MAX), ..Limits::default() };
    let mut account = Account::new(MEMORY);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut walk = BoxWalk::new();
    let body = Body { source: bytes, end: BodyEnd::Reached, content_length: Some(bytes.len() as u64) };
    let mut table = SampleTable::new();
    loop {
        match walk.advance(&body, &limits)? {
            Found::Moof { offset, size } => {
                let moof = slice(bytes, offset, size.into())?;
                table.clear();
                let info = parse_moof(moof, offset, &mut account, &limits, &mut table)?;
                // A table of encryption may lie behind it.
                let rest = slice(bytes, offset, (bytes.len() as u64).saturating_sub(offset))?;
                let encryption = encrypted(rest, &info, &table, &mut account, &limits)?;
                pieces.push(Piece { info, samples: Vec::new(), encryption });
            }
            Found::Mdat { payload_offset, payload_size } => {
                let Some(piece) = pieces.last_mut() else { continue };
                place(piece, &mut table, defaults, payload_offset, payload_size)?;
            }
            Found::NeedMore { .. } => {
                return Err(Error::at(Code::FragmentTruncated, "", bytes.len() as u64));
            }
            Found::End => break,
        }
    }
    table.finish()?;
    table.free(&mut account);
    Ok(pieces)
}

fn slice(bytes: &[u8], at: u64, len: u64) -> Result<&[u8]> {
    let found = usize::try_from(at).ok().and_then(|at| bytes.get(at..)?.get(..len as usize));
    found.ok_or(Error::at(Code::FragmentTruncated, "moof", at))
}

fn place(
    piece: &mut Piece,
    table: &mut SampleTable,
    [duration, _, flags]: [u32; 3],
    payload_offset: u64,
    payload_size: u64,
) -> Result<()> {
    table.place(payload_offset, payload_size)?;
    if duration == 0 {
        let whole = piece.info.tfxd.map_or(0, |span| span.duration);
        table.spread(whole);
    }
    piece.samples = table.samples().to_vec();
    if duration != 0 && piece.samples.iter().all(|sample| sample.duration == 0) {
        for sample in &mut piece.samples {
            sample.duration = duration;
        }
    }
    if flags != 0 && piece.samples.iter().all(|sample| sample.flags == 0) {
        for sample in &mut piece.samples {
            sample.flags = flags;
        }
    }
    piece.info.duration = piece.samples.iter().map(|sample| u64::from(sample.duration)).sum();
    Ok(())
}

/// How the samples of the last `moof`, with which the bytes start, are encrypted; `None` when all are clear.
fn encrypted(
    moof: &[u8],
    info: &MoofInfo,
    samples: &SampleTable,
    account: &mut Account,
    limits: &Limits,
) -> Result<Option<Encrypted>> {
    let mut table = EncryptionTable::new();
    encryption::parse(moof, info, samples, account, limits, &mut table)?;
    let mut found = Encrypted { kid: table.kid(), ..Encrypted::default() };
    for at in 0..table.len() {
        let sample = table.sample(at).map(|sample| {
            let constant = sample.iv.is_empty() || sample.iv == sample.setting.constant_iv.as_slice();
            let iv = if constant { Vec::new() } else { sample.iv.to_vec() };
            found.iv_size = iv.len() as u8;
            found.algorithm = found.algorithm.or(sample.setting.algorithm);
            SampleEncryption { iv, subsamples: sample.subsamples.to_vec() }
        });
        found.samples.push(sample);
    }
    table.free(account);
    Ok(found.samples.iter().any(Option::is_some).then_some(found))
}
