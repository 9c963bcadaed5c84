//! The checksums of gzip and zlib.

/// CRC-32 of each half byte, for the reflected polynomial of RFC 1952 8: the usual table of whole bytes takes a
/// kilobyte of the firmware, for one manifest a presentation.
static CRC_TABLE: [u32; 16] = crc_table();

/// Bytes that two sums starting below 65,521 can take before the larger could pass 32 bits.
const ADLER_RUN: usize = 5552;
const ADLER_BASE: u32 = 65_521;

/// `crc` carried on over `bytes`. Starts at 0.
pub(super) fn crc32(crc: u32, bytes: &[u8]) -> u32 {
    let mut register = !crc;
    for byte in bytes {
        register ^= u32::from(*byte);
        for _ in 0..2 {
            let entry = CRC_TABLE.get((register & 15) as usize);
            register = entry.copied().unwrap_or(0) ^ register >> 4;
        }
    }
    !register
}

/// `adler` carried on over `bytes`. Starts at 1. RFC 1950 8.2.
pub(super) fn adler32(adler: u32, bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (adler & 0xFFFF, adler >> 16);
    for run in bytes.chunks(ADLER_RUN) {
        for byte in run {
            low = low.wrapping_add(u32::from(*byte));
            high = high.wrapping_add(low);
        }
        (low, high) = (low % ADLER_BASE, high % ADLER_BASE);
    }
    high << 16 | low
}

// Runs in the compiler, which refuses an index out of bounds.
#[allow(clippy::indexing_slicing)]
const fn crc_table() -> [u32; 16] {
    let mut table = [0u32; 16];
    let mut i = 0;
    while i < 16 {
        let mut value = i as u32;
        let mut bit = 0;
        while bit < 4 {
            value = if value & 1 == 1 { value >> 1 ^ 0xEDB8_8320 } else { value >> 1 };
            bit += 1;
        }
        table[i] = value;
        i += 1;
    }
    table
}
