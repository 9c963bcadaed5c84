//! Server manifests: with one small file behind every name, what they say becomes a client manifest that can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoothcore_fuzz::disk::{Disk, ENOUGH, look};
use smoothcore_fuzz::{tight_budget, watched};

/// A file of one track: `moov` and two fragments.
const FILM: &[u8] = include_bytes!("../film.ismv");

fuzz_target!(|data: &[u8]| watched(|account| {
    let files = [("a.ism", data), ("", FILM)];
    let quick = look(account, Disk { files: &files, piece: usize::MAX, slow: false }, ENOUGH, "a.ism");
    let slow = look(account, Disk { files: &files, piece: 61, slow: true }, ENOUGH, "a.ism");
    let _ = look(account, Disk { files: &files, piece: 61, slow: true }, tight_budget(data), "a.ism");
    assert_eq!(quick, slow, "what a source that dawdles leads to");
}));
