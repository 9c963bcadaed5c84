//! Classes of bytes, by table.

/// White space.
pub(super) const SPACE: u8 = 1;
/// What can begin a name.
pub(super) const NAME_START: u8 = 2;
/// What ends a name.
pub(super) const NOT_NAME: u8 = 4;
/// What ends plain text: markup, a reference, a carriage return, a forbidden character.
const TEXT: u8 = 8;
/// What ends the plain part of a value in double quotes.
const DOUBLE: u8 = 16;
/// What ends the plain part of a value in single quotes.
const SINGLE: u8 = 32;
/// `]`.
pub(super) const BRACKET: u8 = 64;

/// The classes of `byte`.
pub(super) fn of(byte: u8) -> u8 {
    TABLE.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Where plain characters stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// In text.
    Text,
    /// In a value between `"`.
    Double,
    /// In a value between `'`.
    Single,
}

impl Stop {
    /// The class of bytes to stop at.
    pub(super) const fn class(self) -> u8 {
        match self {
            Stop::Text => TEXT,
            Stop::Double => DOUBLE,
            Stop::Single => SINGLE,
        }
    }

    /// The character that ends a value.
    pub(super) const fn quote(self) -> u8 {
        match self {
            Stop::Text => b'<',
            Stop::Double => b'"',
            Stop::Single => b'\'',
        }
    }
}

static TABLE: [u8; 256] = table();

// Evaluated by the compiler: an index out of range would not build.
#[allow(clippy::indexing_slicing)]
const fn table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = classes(i as u8);
        i += 1;
    }
    table
}

const fn classes(byte: u8) -> u8 {
    match byte {
        b'\t' | b'\n' => SPACE | NOT_NAME | DOUBLE | SINGLE,
        b'\r' => SPACE | NOT_NAME | TEXT | DOUBLE | SINGLE,
        b' ' => SPACE | NOT_NAME,
        0..=0x1F | b'<' | b'&' => NOT_NAME | TEXT | DOUBLE | SINGLE,
        b'"' => NOT_NAME | DOUBLE,
        b'\'' => NOT_NAME | SINGLE,
        b']' => NOT_NAME | BRACKET,
        b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' | 0x80..=0xFF => NAME_START,
        b'0'..=b'9' | b'-' | b'.' => 0,
        _ => NOT_NAME,
    }
}
