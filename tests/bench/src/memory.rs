//! What a manifest costs on the heap, beside its text.

use crate::{counting, manifest, parse};

pub fn measure() {
    println!("memory: most bytes on the heap while a manifest arrives in pieces of 1460 bytes");
    let irregular = manifest::day(|n| 20_000_000 + n.wrapping_mul(2_654_435_761) % 399_989);
    let regular = manifest::day(|_| 20_000_000);
    for (what, document, bound) in [
        ("24 h, 10 streams, irregular", irregular, Some(4 << 20)),
        ("24 h, 10 streams, regular", regular, Some(256 << 10)),
        ("24 h window, 2 streams", manifest::dvr(), None),
        ("2 h, 4 streams", manifest::vod(), None),
    ] {
        let (peak, fragments) = counting::peak_of(|| parse::parse(document.as_bytes(), 1460));
        let bound = bound.map_or(String::new(), |bound: usize| format!(", bound {bound}"));
        println!(
            "  {what:<28} {peak:>8} bytes for {fragments} fragments{bound}; reference: the text, {} bytes",
            document.len()
        );
    }
}
