//! Client manifests: the same in pieces as whole, every listed fragment found again, every URL made or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoothcore::codec::codec_string;
use smoothcore::limits::Limits;
use smoothcore::manifest::{Manifest, ManifestParser, url};
use smoothcore::mem::{Account, Text};
use smoothcore_fuzz::{heap, pieces, tight, watched};

fn read<'a>(account: &mut Account, parts: impl Iterator<Item = &'a [u8]>) -> Result<Manifest, i32> {
    let mut parser = ManifestParser::new(&Limits::default());
    let mut result = Ok(());
    for part in parts {
        result = parser.feed(account, part);
        if result.is_err() {
            break;
        }
    }
    let manifest = result.and_then(|()| parser.finish());
    parser.free(account);
    manifest.map_err(|e| e.code.number())
}

fn look(account: &mut Account, manifest: &Manifest) {
    let limits = Limits::default();
    for stream in manifest.streams.iter() {
        let mut before = None;
        for fragment in stream.timeline.iter().take(64) {
            assert!(before.is_none_or(|b| b < fragment.start), "times that do not rise");
            assert_eq!(stream.timeline.at_or_before(fragment.start).map(|f| f.start), Some(fragment.start));
            before = Some(fragment.start);
        }
        for level in stream.levels.iter() {
            codec_string(&level.config);
            if level.unusable.is_none()
                && let Some(first) = stream.timeline.first()
            {
                let mut out = Text::new();
                let custom = level.custom.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                let made = url::fragment(
                    account,
                    &mut out,
                    "http://example.com/a/b.ism/Manifest",
                    stream.template(level),
                    &level.bitrate_text,
                    custom,
                    first.start,
                    &limits,
                );
                if made.is_ok() {
                    assert!(
                        out.bytes().all(|b| (0x21..0x7f).contains(&b)),
                        "a URL with bytes that none may have"
                    );
                }
                out.free(account);
            }
        }
    }
    manifest.length();
}

fuzz_target!(|data: &[u8]| watched(|account| {
    let before = heap();
    let whole = read(account, std::iter::once(data));
    assert_eq!(account.held(), heap() - before, "what is charged, and what is held");
    let parts = read(account, pieces(data));
    tight(data, |account| {
        if let Ok(mut manifest) = read(account, pieces(data)) {
            manifest.free(account);
        }
    });
    match (whole, parts) {
        (Ok(mut a), Ok(mut b)) => {
            look(account, &a);
            assert_eq!(a.streams.len(), b.streams.len());
            assert_eq!(a.duration, b.duration);
            for (x, y) in a.streams.iter().zip(b.streams.iter()) {
                assert_eq!(x.timeline.len(), y.timeline.len());
                assert_eq!(x.timeline.end(), y.timeline.end());
                assert_eq!(x.levels.len(), y.levels.len());
            }
            a.free(account);
            b.free(account);
        }
        (a, b) => assert_eq!(a.err(), b.err()),
    }
}));
