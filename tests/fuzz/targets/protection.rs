//! Protection headers: PlayReady objects and bare headers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoothcore::limits::Limits;
use smoothcore::mem::Bytes;
use smoothcore::protection::{self, playready};
use smoothcore_fuzz::{heap, tight, watched};

fuzz_target!(|data: &[u8]| watched(|account| {
    let limits = Limits::default();
    let before = heap();
    if let Ok(mut header) = playready::read(data, account, &limits) {
        assert_eq!(account.held(), heap() - before, "what is charged, and what is held");
        header.scheme();
        header.free(account);
    }
    tight(data, |account| {
        if let Ok(mut header) = playready::read(data, account, &limits) {
            header.free(account);
        }
    });
    let mut out = Bytes::new();
    if protection::pssh([7; 16], data, account, &mut out).is_ok() {
        assert_eq!(out.len(), data.len() + 32);
    }
    out.free(account);
    if let Ok(text) = std::str::from_utf8(data) {
        protection::system_id(text);
    }
}));
