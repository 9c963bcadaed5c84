//! Numbers to decimal digits, in messages and URLs.

use core::fmt;

/// The most digits a number may have; 2^64 - 1 has twenty.
pub const DIGITS: usize = 20;

/// A number to be written into a message. Core's own `Display` of `u64`, built for size, can panic.
pub struct Decimal(pub u64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(write_decimal(self.0, &mut [0; DIGITS]))
    }
}

/// `value` in decimal digits, written into `buffer`.
pub fn write_decimal(value: u64, buffer: &mut [u8; DIGITS]) -> &str {
    let mut rest = value;
    let mut free = DIGITS;
    for place in buffer.iter_mut().rev() {
        *place = b'0'.wrapping_add((rest % 10) as u8);
        rest /= 10;
        free = free.saturating_sub(1);
        if rest == 0 {
            break;
        }
    }
    let digits = buffer.get(free..).unwrap_or(&[]);
    core::str::from_utf8(digits).unwrap_or("")
}
