//! The samples of a body, by the core's own parser: where they lie, when they are due, how they are encrypted.

use smoothcore::error::{Code, Error, Result};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::{
    Body, BodyEnd, BoxWalk, Encryption, Found, MoofInfo, SampleEntry, SampleTable, parse_moof,
};

/// Memory for the tables of one body: more than any within the limits.
const MEMORY: usize = 256 << 20;

/// One `moof` and its `mdat`.
#[derive(Clone, Debug)]
pub struct Piece {
    pub info: MoofInfo,
    /// Where the `moof` lies in the body, and its bytes.
    pub moof: (u64, u32),
    /// Offsets count from the start of the body.
    pub samples: Vec<SampleEntry>,
    /// `None` when the samples are clear.
    pub encryption: Option<EncryptionTable>,
}

impl Piece {
    /// Start in ticks, by `tfxd` or else `tfdt`.
    pub fn time(&self) -> Option<u64> {
        self.info.tfxd.map(|span| span.time).or(self.info.tfdt)
    }
}

/// How the samples of one `moof` are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptionTable {
    /// The key, where the fragment itself names it.
    pub kid: Option<[u8; 16]>,
    /// Bytes of an initialization vector: 8 or 16; 0 where it is constant.
    pub iv_size: u8,
    /// 1 AES-CTR, 2 AES-CBC, where the fragment itself names it.
    pub algorithm: Option<u32>,
    pub samples: Vec<SampleEncryption>,
}

/// How one sample is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleEncryption {
    pub iv: Vec<u8>,
    /// Clear bytes, then encrypted ones; empty: all of it is encrypted.
    pub subsamples: Vec<(u16, u32)>,
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
                pieces.push(Piece { info, moof: (offset, size), samples: Vec::new(), encryption: None });
            }
            Found::Mdat { payload_offset, payload_size } => {
                let Some(piece) = pieces.last_mut() else { continue };
                place(piece, &mut table, bytes, defaults, payload_offset, payload_size)?;
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
    bytes: &[u8],
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
    let moof = slice(bytes, piece.moof.0, piece.moof.1.into())?;
    piece.encryption = match piece.info.encryption {
        Encryption::Clear => None,
        Encryption::Piff { offset, len } | Encryption::Senc { offset, len } => {
            let content = slice(moof, offset.into(), len.into())?;
            let piff = matches!(piece.info.encryption, Encryption::Piff { .. });
            let place = Error::at(Code::BoxInvalid, "moof/traf/senc", piece.moof.0 + u64::from(offset));
            let table = encryption(content, piff, piece.samples.len()).ok_or(place)?;
            (!table.samples.is_empty()).then_some(table)
        }
    };
    Ok(())
}

/// Reads the content of a sample encryption box: of PIFF, which may name algorithm and key, or of ISO/IEC 23001-7 7.2.
fn encryption(content: &[u8], piff: bool, count: usize) -> Option<EncryptionTable> {
    let (head, mut rest) = content.split_first_chunk::<4>()?;
    let flags = u32::from_be_bytes(*head) & 0x00ff_ffff;
    let mut table = EncryptionTable::default();
    let mut sizes: &[u8] = &[8, 16, 0];
    let given;
    if piff && flags & 1 != 0 {
        let (algorithm, after) = rest.split_first_chunk::<4>()?;
        let (kid, after) = after.split_first_chunk::<16>()?;
        table.algorithm = Some(u32::from_be_bytes(*algorithm) >> 8);
        table.kid = Some(*kid);
        given = [algorithm[3]];
        sizes = &given;
        rest = after;
    }
    let (listed, rest) = rest.split_first_chunk::<4>()?;
    let listed = u32::from_be_bytes(*listed) as usize;
    if listed == 0 {
        return Some(table);
    }
    if listed != count {
        return None;
    }
    // The size stands in another file: only the right one uses the box up.
    for size in sizes {
        if let Some(samples) = vectors(rest, usize::from(*size), flags & 2 != 0, count) {
            table.iv_size = *size;
            table.samples = samples;
            return Some(table);
        }
    }
    None
}

fn vectors(mut rest: &[u8], iv_size: usize, subsamples: bool, count: usize) -> Option<Vec<SampleEncryption>> {
    let mut samples = Vec::with_capacity(count);
    for _ in 0..count {
        let (iv, after) = rest.split_at_checked(iv_size)?;
        rest = after;
        let mut sample = SampleEncryption { iv: iv.to_vec(), subsamples: Vec::new() };
        if subsamples {
            let (entries, after) = rest.split_first_chunk::<2>()?;
            rest = after;
            for _ in 0..u16::from_be_bytes(*entries) {
                let (entry, after) = rest.split_first_chunk::<6>()?;
                rest = after;
                let [a, b, c, d, e, f] = *entry;
                sample.subsamples.push((u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])));
            }
        }
        samples.push(sample);
    }
    rest.is_empty().then_some(samples)
}
