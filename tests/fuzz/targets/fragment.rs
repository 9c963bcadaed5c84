//! Fragments: no sample outside the media data, tables of encryption and parts that fit, the same in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::mp4::encryption::{self, EncryptionTable};
use smoothcore::mp4::subs::{self, PartTable};
use smoothcore::mp4::{Body, BodyEnd, BoxWalk, Encryption, Found, SampleTable, parse_moof};
use smoothcore_fuzz::{tight, watched};

/// Walks a body that arrives in steps of `step` bytes; the samples or the error's number.
fn walk(account: &mut Account, data: &[u8], step: usize) -> Result<Vec<(u32, u32)>, i32> {
    let limits = Limits::default();
    let mut table = SampleTable::new();
    let mut walk = BoxWalk::new();
    let mut arrived = step.min(data.len());
    let done = loop {
        let end = if arrived == data.len() { BodyEnd::Reached } else { BodyEnd::Open };
        let body = Body { source: &data[..arrived], end, content_length: None };
        match walk.advance(&body, &limits) {
            Ok(Found::Moof { offset, size }) => {
                let moof = &data[offset as usize..offset as usize + size as usize];
                match parse_moof(moof, offset, account, &limits, &mut table) {
                    Ok(info) => {
                        if step == data.len().max(1) {
                            tables(account, &data[offset as usize..], moof.len(), &info, &table);
                        }
                    }
                    Err(e) => break Err(e),
                }
            }
            Ok(Found::Mdat { payload_offset, payload_size }) => {
                if let Err(e) = table.place(payload_offset, payload_size) {
                    break Err(e);
                }
                let end = payload_offset + payload_size;
                let inside =
                    |s: &smoothcore::mp4::SampleEntry| u64::from(s.offset) + u64::from(s.size) <= end;
                assert!(table.samples().iter().all(inside), "a sample outside its data");
            }
            Ok(Found::NeedMore { until }) => {
                assert!(until > arrived as u64, "waits for what is there");
                assert!(end == BodyEnd::Open, "waits for more after the end");
                arrived = (arrived + step).min(data.len());
            }
            Ok(Found::End) => break table.finish(),
            Err(e) => break Err(e),
        }
    };
    let samples = table.samples().iter().map(|s| (s.offset, s.size)).collect();
    table.spread(20_000_000);
    table.free(account);
    done.map(|()| samples).map_err(|e| e.code.number())
}

/// What is read in the `moof` of `size` bytes at the start of `rest`.
fn tables(
    account: &mut Account,
    rest: &[u8],
    size: usize,
    info: &smoothcore::mp4::MoofInfo,
    table: &SampleTable,
) {
    let limits = Limits::default();
    let moof = &rest[..size];
    info.following(0).count();
    if info.encryption != Encryption::Clear {
        let mut out = EncryptionTable::default();
        let whole = encryption::parse(rest, info, table, account, &limits, &mut out).is_ok();
        for n in 0..out.len() {
            out.sample(n);
        }
        out.clear();
        // As far as it reaches is as good as all of it.
        let reach = encryption::reach(moof, info, &limits);
        assert!(reach >= size as u64, "reaches less far than its moof");
        let enough = usize::try_from(reach).ok().and_then(|reach| rest.get(..reach));
        let read = |part| encryption::parse(part, info, table, account, &limits, &mut out).is_ok();
        assert_eq!(enough.is_some_and(read), whole, "a table that lies elsewhere");
        out.free(account);
    }
    let mut parts = PartTable::new();
    let _ = subs::parse(moof, info, table, account, &limits, &mut parts);
    parts.sample(0);
    parts.free(account);
}

fuzz_target!(|data: &[u8]| watched(|account| {
    let whole = walk(account, data, data.len().max(1));
    let parts = walk(account, data, 7);
    tight(data, |account| {
        let _ = walk(account, data, data.len().max(1));
    });
    match (whole, parts) {
        (Ok(a), Ok(b)) => assert_eq!(a, b),
        // Where two things are wrong, pieces may meet the other one first.
        (a, b) => assert_eq!(a.is_err(), b.is_err()),
    }
}));
