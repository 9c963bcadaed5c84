//! The tokenizer: a document in pieces says the same as the document whole.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoothcore::error::Result;
use smoothcore::limits::Limits;
use smoothcore::mem::Account;
use smoothcore::xml::{Handler, Parser};
use smoothcore_fuzz::{pieces, tight, watched};

struct Listener<'a> {
    account: &'a mut Account,
    heard: Vec<u8>,
}

impl Listener<'_> {
    fn note(&mut self, mark: u8, bytes: &[u8]) {
        self.heard.push(mark);
        self.heard.extend_from_slice(bytes);
    }
}

impl Handler for Listener<'_> {
    fn account(&mut self) -> &mut Account {
        self.account
    }
    fn start(&mut self, name: &[u8], _: u64) -> Result<()> {
        self.note(b'<', name);
        Ok(())
    }
    fn attribute(&mut self, name: &[u8], value: &str, _: u64) -> Result<()> {
        self.note(b'@', name);
        self.note(b'=', value.as_bytes());
        Ok(())
    }
    fn attributes_done(&mut self) -> Result<()> {
        self.note(b'>', b"");
        Ok(())
    }
    fn text(&mut self, text: &str) -> Result<()> {
        // How a text is divided is nobody's business.
        self.heard.extend_from_slice(text.as_bytes());
        Ok(())
    }
    fn end(&mut self, name: &[u8], _: u64) -> Result<()> {
        self.note(b'/', name);
        Ok(())
    }
}

fn read<'a>(account: &mut Account, parts: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, Option<i32>) {
    let mut parser = Parser::new(&Limits::default());
    let mut listener = Listener { account, heard: Vec::new() };
    let mut result = Ok(());
    for part in parts {
        result = parser.feed(part, &mut listener);
        if result.is_err() {
            break;
        }
    }
    let result = result.and_then(|()| parser.finish());
    let heard = listener.heard;
    parser.free(account);
    (heard, result.err().map(|e| e.code.number()))
}

fuzz_target!(|data: &[u8]| watched(|account| {
    let whole = read(account, std::iter::once(data));
    let parts = read(account, pieces(data));
    tight(data, |account| {
        read(account, pieces(data));
    });
    // Where a document breaks off, the last text may have been handed on or not.
    assert_eq!(whole.1, parts.1);
    if whole.1.is_none() {
        assert_eq!(whole.0, parts.0);
    }
}));
