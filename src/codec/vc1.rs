//! VC-1 Advanced Profile: sequence header and entry point, and the configuration record of MP4.
//!
//! SMPTE ST 421 6.1 (sequence header), 6.2 (entry point), annex E (start codes); SMPTE RP 2025 (`dvc1`). Whatever goes
//! before the sequence header in the private bytes is left out; all of it stays when there is none.

use super::bits::{Bits, Packer};
use super::{CodecConfig, Description, copy};
use crate::error::Result;
use crate::mem::{Account, Bytes};

/// What starts a frame in a byte stream.
pub const FRAME_START: [u8; 4] = [0, 0, 1, 0x0D];
/// What starts a sequence header.
pub const SEQUENCE_START: [u8; 4] = [0, 0, 1, 0x0F];

/// FourCCs that mean the advanced profile, in any case.
pub(super) const NAMES: &[&str] = &["WVC1", "VC-1", "OVC1", "VC1"];

/// Reads the private bytes.
pub(super) fn configure(config: &mut CodecConfig, account: &mut Account, d: &Description<'_>) -> Result<()> {
    let start = d.private.windows(4).position(|w| w == SEQUENCE_START).unwrap_or(0);
    copy(&mut config.private, account, d.private.get(start..).unwrap_or(&[]))?;
    if let Some(header) = Sequence::parse(&config.private)
        && (config.width == 0 || config.height == 0)
    {
        (config.width, config.height) = (header.width, header.height);
    }
    Ok(())
}

/// Appends the payload of `dvc1`: seven bytes of structure, then the headers.
///
/// # Errors
/// [`crate::error::Code::Budget`] or [`crate::error::Code::NoMemory`].
pub fn dvc1(config: &CodecConfig, account: &mut Account, out: &mut Bytes) -> Result<()> {
    let header = Sequence::parse(&config.private);
    let (level, progressive) = header.map_or((4, 0), |h| (h.level, h.interlace ^ 1));
    let mut bits = Packer::default();
    bits.put(12, 4);
    bits.put(level, 3);
    bits.put(0, 1);
    // Again the level; rate not constant as far as is known.
    bits.put(level, 3);
    bits.put(0, 7);
    bits.put(progressive, 1);
    // Several sequences, entry points, slices and B pictures may come; the frame rate is not known.
    bits.put(0, 5);
    bits.put(u32::MAX, 32);
    out.extend(account, &bits.finish())?;
    out.extend(account, &config.private)
}

/// What is wanted of a sequence header of the advanced profile.
struct Sequence {
    level: u32,
    width: u32,
    height: u32,
    interlace: u32,
}

impl Sequence {
    fn parse(bytes: &[u8]) -> Option<Sequence> {
        let mut bits = Bits::of_nal(bytes.strip_prefix(&SEQUENCE_START)?);
        if bits.bits(2)? != 3 {
            return None;
        }
        let level = bits.bits(3)?;
        // Colour format, rates for post-processing and whether there is any.
        bits.skip(2 + 3 + 5 + 1)?;
        let side = |n: u32| n.wrapping_add(1).wrapping_mul(2);
        let (width, height) = (side(bits.bits(12)?), side(bits.bits(12)?));
        bits.skip(1)?;
        Some(Sequence { level, width, height, interlace: bits.bit()? })
    }
}
