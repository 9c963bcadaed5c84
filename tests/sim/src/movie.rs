//! A movie as a presentation on demand, and what a network trace consists of.

use std::fmt::Write;

/// Private data of levels: real ones, of small pictures and of sound.
pub const AVC: &str = "00000001674D400CF30202760220000003002000000641E28523400000000168E97B2C80";
pub const AAC: &str = "119056E500";

/// One stretch of a network trace.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    pub micros: u64,
    /// Bit/s.
    pub rate: f64,
    /// Request to first byte.
    pub latency: u64,
}

/// Bodies of a stream: bytes of each fragment at each level.
#[derive(Clone, Debug)]
pub struct Track {
    pub bitrates: Vec<u32>,
    pub sizes: Vec<Vec<u64>>,
}

#[derive(Clone, Debug)]
pub struct Movie {
    /// Of a fragment, in milliseconds.
    pub millis: u64,
    pub video: Track,
    pub audio: Option<Track>,
    /// Samples of a fragment.
    pub samples: u32,
    /// Width and height of each level; those missing are 256 by 144.
    pub pictures: Vec<(u32, u32)>,
}

impl Movie {
    /// A movie of constant sizes.
    pub fn even(bitrates: &[u32], millis: u64, count: usize) -> Movie {
        let row: Vec<u64> = bitrates.iter().map(|b| u64::from(*b) * millis / 8000).collect();
        Movie {
            millis,
            video: Track { bitrates: bitrates.to_vec(), sizes: vec![row; count] },
            audio: None,
            samples: 10,
            pictures: Vec::new(),
        }
    }

    /// With sound of one level and constant size.
    pub fn with_audio(mut self, bitrate: u32) -> Movie {
        let size = u64::from(bitrate) * self.millis / 8000;
        self.audio = Some(Track { bitrates: vec![bitrate], sizes: vec![vec![size]; self.video.sizes.len()] });
        self
    }

    pub fn count(&self) -> usize {
        self.video.sizes.len()
    }

    pub fn tracks(&self) -> impl Iterator<Item = (&'static str, &Track)> {
        [("video", &self.video)].into_iter().chain(self.audio.iter().map(|a| ("audio", a)))
    }

    pub fn manifest(&self) -> String {
        let each = self.millis * 10_000;
        let mut out = format!(
            "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"{}\">\n",
            each * self.count() as u64
        );
        for (name, track) in self.tracks() {
            writeln!(
                out,
                "<StreamIndex Type=\"{name}\" Name=\"{name}\" Chunks=\"{}\" QualityLevels=\"{}\" \
                 Url=\"Q({{bitrate}})/F({name}={{start time}})\">",
                self.count(),
                track.bitrates.len()
            )
            .expect("text");
            for (n, bitrate) in track.bitrates.iter().enumerate() {
                let rest = match name {
                    "video" => {
                        let (width, height) = self.pictures.get(n).unwrap_or(&(256, 144));
                        format!(
                            "FourCC=\"H264\" MaxWidth=\"{width}\" MaxHeight=\"{height}\" CodecPrivateData=\"{AVC}\""
                        )
                    }
                    _ => format!(
                        "FourCC=\"AACL\" SamplingRate=\"48000\" Channels=\"2\" BitsPerSample=\"16\" PacketSize=\"4\" \
                         AudioTag=\"255\" CodecPrivateData=\"{AAC}\""
                    ),
                };
                writeln!(out, "<QualityLevel Index=\"{n}\" Bitrate=\"{bitrate}\" {rest}/>").expect("text");
            }
            writeln!(out, "<c t=\"0\" d=\"{each}\" r=\"{}\"/></StreamIndex>", self.count()).expect("text");
        }
        out.push_str("</SmoothStreamingMedia>\n");
        out
    }

    /// What the URL asks for: the bytes that matter, and how many there are in all.
    pub fn fragment(&self, url: &str) -> Option<(Vec<u8>, u64)> {
        let (_, rest) = url.rsplit_once("Q(")?;
        let (bitrate, rest) = rest.split_once(")/F(")?;
        let (name, time) = rest.strip_suffix(')')?.split_once('=')?;
        let (bitrate, time): (u32, u64) = (bitrate.parse().ok()?, time.parse().ok()?);
        let track = self.tracks().find(|(n, _)| *n == name)?.1;
        let level = track.bitrates.iter().position(|b| *b == bitrate)?;
        let size = *track.sizes.get((time / (self.millis * 10_000)) as usize)?.get(level)?;
        Some((self.head(size, name == "video"), size))
    }

    /// A `moof` and the head of its `mdat`; the samples behind it have the size that is left. Their bytes do not matter.
    fn head(&self, size: u64, pictures: bool) -> Vec<u8> {
        let count = self.samples;
        let trun = 8 + 12 + 8 * count;
        let traf = 8 + 16 + trun;
        let moof = 8 + 16 + traf;
        let payload = size.saturating_sub(u64::from(moof) + 8).max(u64::from(count) * 64) as u32;
        let mut out = Vec::new();
        let word = |out: &mut Vec<u8>, n: u32| out.extend_from_slice(&n.to_be_bytes());
        let head = |out: &mut Vec<u8>, size: u32, name: &[u8; 4]| {
            out.extend_from_slice(&size.to_be_bytes());
            out.extend_from_slice(name);
        };
        head(&mut out, moof, b"moof");
        head(&mut out, 16, b"mfhd");
        word(&mut out, 0);
        word(&mut out, 1);
        head(&mut out, traf, b"traf");
        head(&mut out, 16, b"tfhd");
        word(&mut out, 0);
        word(&mut out, 1);
        head(&mut out, trun, b"trun");
        word(&mut out, 0x301);
        word(&mut out, count);
        word(&mut out, moof + 8);
        let ticks = (self.millis * 10_000) as u32;
        let mut starts = Vec::new();
        for k in 0..count {
            let bytes = payload / count + u32::from(k < payload % count);
            word(&mut out, ticks / count + u32::from(k < ticks % count));
            word(&mut out, bytes);
            starts.push(bytes);
        }
        head(&mut out, payload + 8, b"mdat");
        // One unit a sample, its length before it: the session turns those into start codes.
        if pictures {
            word(&mut out, starts[0] - 4);
            out.push(0x65);
        }
        out
    }
}
