//! gzip, zlib and bare deflate: never more than the limits, the same in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoothcore::inflate::{Encoding, Inflate};
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore_fuzz::{pieces, watched};

/// Output that an input may have: five windows, and more than the allowance before the ratio counts.
const MOST: u64 = 160 << 10;

fn read<'a>(
    account: &mut Account,
    encoding: Encoding,
    parts: impl Iterator<Item = &'a [u8]>,
) -> (u64, u32, Option<i32>) {
    let limits = Limits { manifest_bytes: MOST, ..Limits::default() };
    let mut inflate = Inflate::new(account, encoding, &limits).expect("the budget is large enough");
    let (mut count, mut sum) = (0u64, 0u32);
    let mut result = Ok(());
    for part in parts {
        result = inflate.feed(part, &mut |bytes| {
            count += bytes.len() as u64;
            sum = bytes.iter().fold(sum, |s, b| s.rotate_left(5) ^ u32::from(*b));
            Ok(())
        });
        if result.is_err() {
            break;
        }
    }
    let result = result.and_then(|()| inflate.finish());
    inflate.free(account);
    assert!(count <= MOST, "more than the limit came out");
    (count, sum, result.err().map(|e| e.code.number()))
}

fuzz_target!(|data: &[u8]| watched(|account| {
    for encoding in [Encoding::Gzip, Encoding::Deflate] {
        let whole = read(account, encoding, std::iter::once(data));
        let parts = read(account, encoding, pieces(data));
        assert_eq!(whole.2, parts.2);
        if whole.2.is_none() {
            assert_eq!(whole, parts);
        }
    }
}));
