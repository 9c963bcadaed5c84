//! CEA-608 and CEA-708 captions inside the SEI NAL units of H.264 and H.265.
//!
//! ITU-T H.264 and H.265 D.2.6 (`user_data_registered_itu_t_t35`), ATSC A/53 part 4 6.2.3 (`GA94`, `cc_data`).

use super::Codec;
use super::nal::{Role, role};

/// Country United States, provider ATSC, `GA94`, closed captions.
const HEAD: [u8; 8] = [0xB5, 0x00, 0x31, b'G', b'A', b'9', b'4', 0x03];
/// `user_data_registered_itu_t_t35`.
const REGISTERED: usize = 4;

/// The caption payloads of one SEI NAL unit, one after another. Each starts with the byte that holds the count of
/// caption triplets, `cc_data()` of A/53.
#[derive(Clone, Debug)]
pub struct Captions<'a> {
    rest: &'a [u8],
}

/// The captions of a NAL unit without length or start code. Emulation prevention is removed in place, so that what
/// comes out are slices of it. Empty when the unit is no SEI of `codec`.
pub fn captions(codec: Codec, nal: &mut [u8]) -> Captions<'_> {
    let header = match codec {
        Codec::H264 => 1,
        Codec::H265 => 2,
        _ => return Captions { rest: &[] },
    };
    if nal.first().is_none_or(|b| role(codec, *b) != Role::Sei) {
        return Captions { rest: &[] };
    }
    let len = unescape(nal);
    Captions { rest: nal.get(header..len).unwrap_or(&[]) }
}

impl<'a> Iterator for Captions<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        // Each turn takes at least two bytes off the rest.
        loop {
            let (kind, rest) = number(self.rest)?;
            let (size, rest) = number(rest)?;
            let (payload, rest) = rest.split_at_checked(size)?;
            self.rest = rest;
            if kind == REGISTERED
                && let Some(data) = payload.strip_prefix(&HEAD)
            {
                return Some(data);
            }
        }
    }
}

/// A payload type or size: as many 255 as fit, and the rest. ITU-T H.264 7.3.2.3.1.
fn number(mut bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut sum = 0usize;
    loop {
        let (byte, rest) = bytes.split_first()?;
        sum = sum.saturating_add(usize::from(*byte));
        bytes = rest;
        if *byte != 255 {
            return Some((sum, bytes));
        }
    }
}

/// Removes the third byte of every `00 00 03`; how many bytes are left.
fn unescape(nal: &mut [u8]) -> usize {
    let (mut to, mut zeros) = (0usize, 0u32);
    for from in 0..nal.len() {
        let Some(byte) = nal.get(from).copied() else { break };
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros.wrapping_add(1) } else { 0 };
        if let Some(place) = nal.get_mut(to) {
            *place = byte;
        }
        to = to.wrapping_add(1);
    }
    to
}
