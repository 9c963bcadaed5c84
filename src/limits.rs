//! Caps on everything that input controls.
//!
//! Each field has a default that real presentations never meet and a hard cap that a host cannot pass
//! ([`Limits::clamped`]). Exceeding one is an error of its own, never a truncation.

use crate::time::Micros;

/// Configured caps. Start from `Limits::default()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of an inflated manifest. Default 16 MiB, at most 64 MiB.
    pub manifest_bytes: u64,
    /// Inflated bytes per compressed byte (plus 64 KiB). Default 500: the list of a day of equal fragments reaches 380.
    /// At most 1,032, which is what deflate can do.
    pub inflate_ratio: u32,
    /// Nesting of XML elements. Default 16, at most 64.
    pub xml_depth: u32,
    /// Attributes of one XML element. Default 64, at most 256.
    pub xml_attributes: u32,
    /// Bytes of one attribute value. Default 64 KiB, at most 1 MiB.
    pub xml_attribute_bytes: u32,
    /// Bytes of one text node (protection headers, embedded samples). Default 512 KiB, at most 4 MiB.
    pub xml_text_bytes: u32,
    /// `StreamIndex` elements. Default 64, at most 256.
    pub streams: u32,
    /// `QualityLevel` elements of one stream. Default 64, at most 256.
    pub levels: u32,
    /// `CustomAttributes` of one level. Default 32, at most 256.
    pub custom_attributes: u32,
    /// `c` elements over the whole manifest. Default 524,288, at most 4,194,304.
    pub fragments: u32,
    /// The largest `r`. Default 2^24, at most 2^31.
    pub repeat: u32,
    /// Bytes of one URL. Default 4,096, at most 16,384.
    pub url_bytes: u32,
    /// Bytes of decoded CodecPrivateData. Default 8 KiB, at most 64 KiB.
    pub codec_config_bytes: u32,
    /// Protection headers. Default 8, at most 32.
    pub protection_headers: u32,
    /// Bytes of one decoded protection header. Default 64 KiB, at most 256 KiB.
    pub protection_bytes: u32,
    /// Deviations kept of one manifest; the rest is counted. Default 64, at most 1,024.
    pub deviations: u32,
    /// Bytes of all samples that stand in the manifest (`ManifestOutput`), decoded. Default 1 MiB, at most 16 MiB.
    pub payload_bytes: u32,
    /// Bytes of the root attributes kept as metadata, names included; one that does not fit is left out. Default 4 KiB,
    /// at most 64 KiB.
    pub metadata_bytes: u32,
    /// Bytes of one fragment. Default 32 MiB, at most 256 MiB.
    pub fragment_bytes: u64,
    /// Bytes of one `moof`. Default 256 KiB, at most 4 MiB.
    pub moof_bytes: u32,
    /// Nesting of boxes. Default 8, at most 16.
    pub box_depth: u32,
    /// Children of one box. Default 1,024, at most 65,536.
    pub box_children: u32,
    /// Samples of one fragment. Default 65,536, at most 1,048,576.
    pub samples: u32,
    /// Redirects of one request. Default 5, at most 20.
    pub redirects: u32,
    /// Bytes of an HTTP response head. Default 16 KiB, at most 64 KiB.
    pub http_head_bytes: u32,
    /// Time to connect. Default 10 s.
    pub connect_timeout: Micros,
    /// Time from the request to the first byte of the answer. Default 10 s.
    pub first_byte_timeout: Micros,
    /// Time without a byte. Default 10 s.
    pub idle_timeout: Micros,
    /// Tries of one request, the first included. Default 4, at most 16. While nothing at all comes, neither of another stream, a
    /// fragment is tried for as long as `tries` times `lost_in_a_row` of the longest wait: by default 96 s.
    pub tries: u32,
    /// Wait before the second try; doubles with each further one. Default 200 ms.
    pub retry_first: Micros,
    /// The longest wait between two tries. Default 3 s.
    pub retry_longest: Micros,
    /// Fragments in a row that a stream may lose before the session gives up. Default 8, at most 1,000.
    pub lost_in_a_row: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            manifest_bytes: 16 << 20,
            inflate_ratio: 500,
            xml_depth: 16,
            xml_attributes: 64,
            xml_attribute_bytes: 64 << 10,
            xml_text_bytes: 512 << 10,
            streams: 64,
            levels: 64,
            custom_attributes: 32,
            fragments: 524_288,
            repeat: 1 << 24,
            url_bytes: 4096,
            codec_config_bytes: 8 << 10,
            protection_headers: 8,
            protection_bytes: 64 << 10,
            deviations: 64,
            payload_bytes: 1 << 20,
            metadata_bytes: 4 << 10,
            fragment_bytes: 32 << 20,
            moof_bytes: 256 << 10,
            box_depth: 8,
            box_children: 1024,
            samples: 65_536,
            redirects: 5,
            http_head_bytes: 16 << 10,
            connect_timeout: Micros::from_secs(10),
            first_byte_timeout: Micros::from_secs(10),
            idle_timeout: Micros::from_secs(10),
            tries: 4,
            retry_first: Micros::from_millis(200),
            retry_longest: Micros::from_secs(3),
            lost_in_a_row: 8,
        }
    }
}

impl Limits {
    /// The same limits with every field brought within its hard cap, and at least 1.
    pub fn clamped(self) -> Limits {
        let mut all = self;
        // By table: a line of code a field is a kilobyte.
        for (field, (least, most)) in all.counts().into_iter().zip(CAPS) {
            *field = (*field).max(least).min(most);
        }
        for time in all.times() {
            time.0 = time.0.clamp(1_000, 600_000_000);
        }
        all.tries = all.tries.clamp(1, 16);
        all.manifest_bytes = all.manifest_bytes.clamp(1, 64 << 20);
        all.fragment_bytes = all.fragment_bytes.clamp(1, 256 << 20);
        all
    }

    /// The counts of 32 bits, in the order of [`CAPS`].
    pub(crate) const fn counts(&mut self) -> [&mut u32; 24] {
        [
            &mut self.inflate_ratio,
            &mut self.xml_depth,
            &mut self.xml_attributes,
            &mut self.xml_attribute_bytes,
            &mut self.xml_text_bytes,
            &mut self.streams,
            &mut self.levels,
            &mut self.custom_attributes,
            &mut self.fragments,
            &mut self.repeat,
            &mut self.url_bytes,
            &mut self.codec_config_bytes,
            &mut self.protection_headers,
            &mut self.protection_bytes,
            &mut self.deviations,
            &mut self.payload_bytes,
            &mut self.metadata_bytes,
            &mut self.moof_bytes,
            &mut self.box_depth,
            &mut self.box_children,
            &mut self.samples,
            &mut self.redirects,
            &mut self.http_head_bytes,
            &mut self.lost_in_a_row,
        ]
    }

    /// The times.
    pub(crate) const fn times(&mut self) -> [&mut Micros; 5] {
        [
            &mut self.connect_timeout,
            &mut self.first_byte_timeout,
            &mut self.idle_timeout,
            &mut self.retry_first,
            &mut self.retry_longest,
        ]
    }
}

/// The least and the most of [`Limits::counts`].
const CAPS: [(u32, u32); 24] = [
    (1, 1032),
    (1, 64),
    (1, 256),
    (1, 1 << 20),
    (1, 4 << 20),
    (1, 256),
    (1, 256),
    (1, 256),
    (1, 4_194_304),
    (1, 1 << 31),
    (64, 16_384),
    (1, 64 << 10),
    (1, 32),
    (1, 256 << 10),
    (1, 1024),
    (1, 16 << 20),
    (1, 64 << 10),
    (64, 4 << 20),
    (4, 16),
    (1, 65_536),
    (1, 1 << 20),
    (0, 20),
    (256, 64 << 10),
    (1, 1000),
];
