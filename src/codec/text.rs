//! Timed text: TTML under its names, and the sample entry it has in MP4.
//!
//! ISO/IEC 14496-30 (`stpp`), W3C TTML. Samples are whole documents and pass as they are.

/// FourCCs that mean TTML, in any case.
pub(super) const NAMES: &[&str] = &["TTML", "DFXP", "STPP"];

/// What the sample entry holds: name space, no schema, no auxiliary types, each ended by a zero.
pub(super) const ENTRY: &[u8] = b"http://www.w3.org/ns/ttml\0\0\0";
