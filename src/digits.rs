//! Text to numbers and bytes, and numbers to text.
//!
//! Manifests carry numbers as decimal digits, codec data as hexadecimal or base64. Nothing here accepts a sign, an
//! overflow or a foreign character, and nothing allocates before the size is known and allowed.

use crate::decimal::DIGITS;
pub use crate::decimal::write_decimal;
use crate::error::{Code, Result};
use crate::mem::{Account, Bytes};

#[cfg(test)]
mod tests;

/// The number that `text` spells: 1 to 20 ASCII digits and nothing else; `None` also on overflow.
///
/// [MS-SSTR] 2.2.2: unsigned integers of 32 and 64 bits.
pub fn decimal(text: &str) -> Option<u64> {
    let digits = text.as_bytes();
    if digits.is_empty() || digits.len() > DIGITS {
        return None;
    }
    let mut value = 0u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

/// As [`decimal`], for numbers below 2^32.
pub fn decimal_u32(text: &str) -> Option<u32> {
    u32::try_from(decimal(text)?).ok()
}

/// `true`, `false`, `1` or `0`, in any case; `None` for anything else.
///
/// [MS-SSTR] 2.2.2 writes them in capitals, the field in every way.
pub fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") || text == "1" {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") || text == "0" {
        Some(false)
    } else {
        None
    }
}

/// `text` before and after the first `separator`, an ASCII character; `None` without one. Core's own keeps a panic path
/// where code is built for the least size.
pub(crate) fn split_once(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|b| b == separator)?;
    Some((text.get(..at)?, text.get(at.saturating_add(1)..)?))
}

/// Appends to `out` the bytes that `text` spells in hexadecimal, in either case. White space around it is ignored.
///
/// # Errors
/// `code` for an odd number of digits or another character; the limit code that belongs to `code` for more than
/// `limit` bytes; [`Code::Budget`] or [`Code::NoMemory`]. The error names no place. `out` is unchanged then.
pub fn hex(text: &str, account: &mut Account, limit: usize, out: &mut Bytes, code: Code) -> Result<()> {
    let digits = text.trim_ascii().as_bytes();
    if !digits.len().is_multiple_of(2) || digits.iter().any(|d| nibble(*d).is_none()) {
        return Err(code.into());
    }
    let target = append(account, digits.len() / 2, limit, out, code)?;
    for (byte, pair) in target.iter_mut().zip(digits.chunks_exact(2)) {
        if let [high, low] = pair {
            *byte = nibble(*high).unwrap_or(0) << 4 | nibble(*low).unwrap_or(0);
        }
    }
    Ok(())
}

/// Appends to `out` the bytes that `text` spells in base64 (RFC 4648, clause 4). White space is skipped wherever it
/// stands, the padding may be missing, and unused bits of the last character may be anything.
///
/// # Errors
/// `code` for another character, one left over, or padding that is not at the end; the limit code that belongs to
/// `code` for more than `limit` bytes; [`Code::Budget`] or [`Code::NoMemory`]. The error names no place. `out` is
/// unchanged then.
pub fn base64(text: &str, account: &mut Account, limit: usize, out: &mut Bytes, code: Code) -> Result<()> {
    let (mut symbols, mut padding) = (0usize, 0usize);
    for byte in text.bytes() {
        if byte == b'=' {
            padding = padding.saturating_add(1);
        } else if sextet(byte).is_some() && padding == 0 {
            symbols = symbols.saturating_add(1);
        } else if !byte.is_ascii_whitespace() {
            return Err(code.into());
        }
    }
    let (most_padding, extra) = match symbols % 4 {
        0 => (0, 0),
        2 => (2, 1),
        3 => (1, 2),
        _ => return Err(code.into()),
    };
    if padding > most_padding {
        return Err(code.into());
    }
    let size = (symbols / 4).saturating_mul(3).saturating_add(extra);
    let target = append(account, size, limit, out, code)?;

    let mut places = target.iter_mut();
    let (mut bits, mut have) = (0u32, 0u32);
    for value in text.bytes().filter_map(sextet) {
        bits = bits << 6 | u32::from(value);
        have = have.wrapping_add(6);
        if have >= 8 {
            have = have.wrapping_sub(8);
            if let Some(place) = places.next() {
                *place = (bits >> (have & 7)) as u8;
            }
        }
    }
    Ok(())
}

/// Lengthens `out` by `size` zeros, if that is within `limit`, and returns them.
fn append<'a>(
    account: &mut Account,
    size: usize,
    limit: usize,
    out: &'a mut Bytes,
    code: Code,
) -> Result<&'a mut [u8]> {
    if size > limit {
        return Err(over_limit(code).into());
    }
    let before = out.len();
    let total = before.saturating_add(size);
    out.reserve_exact(account, total)?;
    out.resize(account, total, 0)?;
    Ok(out.get_mut(before..).unwrap_or(&mut []))
}

/// The limit that input of too many bytes breaks, when `code` stands for the same input being malformed.
const fn over_limit(code: Code) -> Code {
    match code {
        Code::CodecConfig => Code::LimitCodecConfig,
        Code::ProtectionHeader => Code::LimitProtection,
        Code::ManifestAttribute | Code::ManifestSyntax => Code::LimitXmlText,
        other => other,
    }
}

fn nibble(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(byte.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(byte.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0').wrapping_add(52)),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}
