//! References: the five predefined entities and numbered characters.

use heapless::String;

/// The character that `&word;` stands for; `None` when the entity is unknown or the character not allowed in XML 1.0.
pub(super) fn resolve(word: &[u8]) -> Option<String<4>> {
    let c = match word {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x', hex @ ..] => character(hex, 16)?,
        [b'#', decimal @ ..] => character(decimal, 10)?,
        _ => return None,
    };
    let mut text = String::new();
    text.push(c).ok()?;
    Some(text)
}

fn character(digits: &[u8], base: u32) -> Option<char> {
    if digits.is_empty() {
        return None;
    }
    let mut code = 0u32;
    for digit in digits {
        let value = char::from(*digit).to_digit(base)?;
        code = code.checked_mul(base)?.checked_add(value)?;
    }
    let allowed = match code {
        0x9 | 0xA | 0xD | 0x20..=0xFFFD => true,
        _ => code > 0xFFFF,
    };
    if allowed { char::from_u32(code) } else { None }
}
