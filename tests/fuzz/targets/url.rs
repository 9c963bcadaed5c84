//! URL templates and redirects.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smoothcore::limits::Limits;
use smoothcore::manifest::url;
use smoothcore::mem::Text;
use smoothcore_fuzz::watched;

fuzz_target!(|data: &[u8]| watched(|account| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let template = lines.next().unwrap_or("");
    let base = lines.next().unwrap_or("http://example.com/film.ism/Manifest");
    let pair = (lines.next().unwrap_or("a"), lines.next().unwrap_or("b"));
    let limits = Limits::default();
    let mut out = Text::new();
    let custom = std::iter::once(pair);
    if url::fragment(account, &mut out, base, template, "300000", custom, u64::MAX, &limits).is_ok() {
        assert!(out.bytes().all(|b| (0x21..0x7f).contains(&b)));
        assert!(out.starts_with("http://") || out.starts_with("https://"));
        assert!(out.len() <= limits.url_bytes as usize);
    }
    if url::resolve(account, &mut out, base, template, &limits).is_ok() {
        assert!(url::split(&out).is_some(), "a URL that cannot be taken apart");
        // What is resolved stays as it is.
        let mut again = Text::new();
        url::resolve(account, &mut again, &out, &out, &limits)
            .expect("an absolute URL resolves against itself");
        assert_eq!(again.as_str(), out.as_str());
        again.free(account);
    }
    out.free(account);
}));
