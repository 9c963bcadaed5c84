use super::*;
use std::vec::Vec;

fn account() -> Account {
    Account::new(1 << 20)
}

fn hexed(text: &str) -> core::result::Result<Vec<u8>, Code> {
    let (mut account, mut out) = (account(), Bytes::new());
    match hex(text, &mut account, 16, &mut out, Code::CodecConfig) {
        Ok(()) => Ok(out.to_vec()),
        Err(e) => {
            assert!(out.is_empty());
            Err(e.code)
        }
    }
}

fn based(text: &str) -> core::result::Result<Vec<u8>, Code> {
    let (mut account, mut out) = (account(), Bytes::new());
    match base64(text, &mut account, 16, &mut out, Code::ProtectionHeader) {
        Ok(()) => Ok(out.to_vec()),
        Err(e) => {
            assert!(out.is_empty());
            Err(e.code)
        }
    }
}

#[test]
fn decimal_takes_digits_only_and_never_wraps() {
    assert_eq!(decimal("0"), Some(0));
    assert_eq!(decimal("00000000000000000007"), Some(7));
    assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
    assert_eq!(decimal("17472959488675333"), Some(17_472_959_488_675_333));
    for bad in [
        "",
        "18446744073709551616",
        "99999999999999999999",
        "000000000000000000001",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1.0",
        "0x10",
        "１",
    ] {
        assert_eq!(decimal(bad), None, "{bad:?}");
    }
    assert_eq!(decimal_u32("4294967295"), Some(u32::MAX));
    assert_eq!(decimal_u32("4294967296"), None);
}

#[test]
fn a_number_written_reads_back() {
    let mut buffer = [0xFF; 20];
    for value in [0, 7, 10, 99, 100, 1 << 32, 17_472_959_488_675_333, u64::MAX] {
        let text = write_decimal(value, &mut buffer);
        assert_eq!(text, std::format!("{value}"));
        assert_eq!(decimal(text), Some(value));
    }
}

#[test]
fn booleans_in_any_case() {
    for yes in ["true", "TRUE", "True", "tRuE", "1"] {
        assert_eq!(boolean(yes), Some(true), "{yes}");
    }
    for no in ["false", "FALSE", "False", "0"] {
        assert_eq!(boolean(no), Some(false), "{no}");
    }
    for bad in ["", "yes", "2", "01", "truee", " true"] {
        assert_eq!(boolean(bad), None, "{bad:?}");
    }
}

#[test]
fn hexadecimal() {
    assert_eq!(hexed(""), Ok(Vec::new()));
    assert_eq!(hexed("  \r\n"), Ok(Vec::new()));
    assert_eq!(hexed("00000001674D"), Ok([0, 0, 0, 1, 0x67, 0x4D].to_vec()));
    assert_eq!(hexed("\n 1210aBfF\t"), Ok([0x12, 0x10, 0xAB, 0xFF].to_vec()));
    for bad in ["1", "121", "12 10", "1G", "0x12", "é0", "12\u{a0}"] {
        assert_eq!(hexed(bad), Err(Code::CodecConfig), "{bad:?}");
    }
    assert_eq!(hexed("00112233445566778899aabbccddeeff").map(|b| b.len()), Ok(16));
    assert_eq!(hexed("00112233445566778899aabbccddeeff00"), Err(Code::LimitCodecConfig));
}

#[test]
fn base64_by_its_own_definition() {
    assert_eq!(based(""), Ok(Vec::new()));
    assert_eq!(based("TQ=="), Ok(b"M".to_vec()));
    assert_eq!(based("TWE="), Ok(b"Ma".to_vec()));
    assert_eq!(based("TWFu"), Ok(b"Man".to_vec()));
    assert_eq!(based("TWFuTQ"), Ok(b"ManM".to_vec()));
    assert_eq!(based("+/+/"), Ok([0xFB, 0xFF, 0xBF].to_vec()));
    assert_eq!(based(" T\r\nW\tFu T Q = = \n"), Ok(b"ManM".to_vec()));
    for bad in ["T", "TWFuT", "T===", "TWFu=", "TQ===", "TWE==", "TQ==TQ==", "=", "TW-_", "TW\0Fu", "TWFü"] {
        assert_eq!(based(bad), Err(Code::ProtectionHeader), "{bad:?}");
    }
}

#[test]
fn sizes_are_checked_before_memory_is_asked_for() {
    assert_eq!(based("AAAAAAAAAAAAAAAAAAAAAA").map(|b| b.len()), Ok(16));
    assert_eq!(based("AAAAAAAAAAAAAAAAAAAAAAA"), Err(Code::LimitProtection));
    let (mut account, mut out) = (Account::new(3), Bytes::new());
    assert!(base64("AAAA", &mut account, 64, &mut out, Code::CodecConfig).is_ok());
    assert_eq!(account.held(), 3);
    let refused = base64("AAAA", &mut account, 64, &mut out, Code::CodecConfig);
    assert_eq!(refused.map_err(|e| e.code), Err(Code::Budget));
    assert_eq!(&out[..], [0, 0, 0]);
    out.free(&mut account);
    assert_eq!((account.held(), account.peak()), (0, 3));
}

#[test]
fn decoding_appends() {
    let (mut account, mut out) = (account(), Bytes::new());
    hex("0A", &mut account, 4, &mut out, Code::CodecConfig).unwrap();
    base64("Cw", &mut account, 4, &mut out, Code::CodecConfig).unwrap();
    assert_eq!(&out[..], [10, 11]);
}
