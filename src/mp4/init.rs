//! The start of a file, `ftyp` and `moov`, which Smooth Streaming leaves out and MP4 decoders want.
//!
//! One track, no samples: those come in fragments. ISO/IEC 14496-12 8.2 to 8.8 and 8.12, ISO/IEC 23001-7 4 and 8.

use crate::error::Result;
use crate::mem::{Account, Bytes};

/// What goes into the `moov`.
#[derive(Clone, Copy, Debug)]
pub struct Init<'a> {
    /// Ticks per second of every time in the fragments: the scale of the stream.
    pub timescale: u32,
    /// How long the presentation is, in those ticks; `None` while it is live, or when nobody knows.
    pub duration: Option<u64>,
    /// The `track_ID` that `tfhd` of the fragments has.
    pub track_id: u32,
    /// ISO 639-2 language, three small letters; `und` when unknown.
    pub language: [u8; 3],
    /// What the samples are.
    pub entry: Entry<'a>,
    /// How samples are encrypted, if some are.
    pub protection: Option<Protection<'a>>,
    /// Whole `pssh` boxes, one after another; may be empty.
    pub pssh: &'a [u8],
}

/// A sample entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its type: `avc1`, `mp4a`.
    pub name: [u8; 4],
    /// The type of the box around `config`: `avcC`, `esds`; `None` when `config` stands by itself.
    pub config_name: Option<[u8; 4]>,
    /// The set-up of the decoder.
    pub config: &'a [u8],
    /// The numbers that depend on what the samples carry.
    pub media: Media,
}

/// The numbers of a sample entry. 0 stands for unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Media {
    /// Pictures.
    Video {
        /// Coded width in pixels.
        width: u32,
        /// Coded height in pixels.
        height: u32,
        /// Width to show them with; pixels are not square when it has another ratio.
        display_width: u32,
        /// Height to show them with.
        display_height: u32,
    },
    /// Sound.
    Audio {
        /// Channels.
        channels: u16,
        /// Bits of one sample; 16 when 0.
        bits_per_sample: u16,
        /// Samples per second.
        sampling_rate: u32,
    },
    /// Timed text.
    Text,
}

/// How samples are encrypted, ISO/IEC 23001-7 8.2.
#[derive(Clone, Copy, Debug)]
pub struct Protection<'a> {
    /// `cenc`, `cbc1`, `cens` or `cbcs`.
    pub scheme: [u8; 4],
    /// Key identifier, big-endian.
    pub kid: [u8; 16],
    /// Bytes of the vector of each sample: 8, 16, or 0 with a constant one.
    pub iv_size: u8,
    /// The constant vector, 8 or 16 bytes; written when `iv_size` is 0.
    pub constant_iv: &'a [u8],
    /// Encrypted and skipped blocks of 16 bytes, in turn, each at most 15; zeros without a pattern.
    pub pattern: (u8, u8),
}

/// `iso6`, as what the fragments need: data offsets from the `moof`, times in `tfdt`.
const FTYP: &[u8] = b"\0\0\0\x1Cftypiso6\0\0\0\x01iso6isomdash";
/// Rate 1, volume 1, unity matrix.
const MVHD_TAIL: &[u8; 36 + 16] = b"\0\x01\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\
    \0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0";
/// The data is in this file.
const DINF: &[u8] = b"\0\0\0\x24dinf\0\0\0\x1Cdref\0\0\0\0\0\0\0\x01\0\0\0\x0Curl \0\0\0\x01";
/// No sample outside the fragments.
const NO_SAMPLES: &[u8] = b"\0\0\0\x10stts\0\0\0\0\0\0\0\0\0\0\0\x10stsc\0\0\0\0\0\0\0\0\
    \0\0\0\x14stsz\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10stco\0\0\0\0\0\0\0\0";
const VMHD: &[u8] = b"\0\0\0\x14vmhd\0\0\0\x01\0\0\0\0\0\0\0\0";
const SMHD: &[u8] = b"\0\0\0\x10smhd\0\0\0\0\0\0\0\0";
const STHD: &[u8] = b"\0\0\0\x0Csthd\0\0\0\0";

/// Appends `ftyp` and `moov` to `out`.
///
/// Numbers that do not fit their field become 0, which readers take for unknown.
///
/// # Errors
/// [`crate::error::Code::Budget`] or [`crate::error::Code::NoMemory`]; `out` is as before then.
pub fn write(init: &Init<'_>, account: &mut Account, out: &mut Bytes) -> Result<()> {
    let before = out.len();
    let mut w = Writer { account, out, done: Ok(()) };
    // Boxes of known size take less than this, so the list grows once.
    let room = init.entry.config.len().saturating_add(init.pssh.len()).saturating_add(1024);
    w.done = w.out.reserve(w.account, room);
    w.bytes(FTYP);
    let moov = w.open(b"moov");
    w.mvhd(init);
    let trak = w.open(b"trak");
    w.tkhd(init);
    let mdia = w.open(b"mdia");
    w.mdhd(init);
    w.hdlr(init);
    let minf = w.open(b"minf");
    w.bytes(match init.entry.media {
        Media::Video { .. } => VMHD,
        Media::Audio { .. } => SMHD,
        Media::Text => STHD,
    });
    w.bytes(DINF);
    let stbl = w.open(b"stbl");
    let stsd = w.open_full(b"stsd", 0, 0);
    w.u32(1);
    w.entry(init);
    w.close(stsd);
    w.bytes(NO_SAMPLES);
    w.close(stbl);
    w.close(minf);
    w.close(mdia);
    w.close(trak);
    let mvex = w.open(b"mvex");
    let trex = w.open_full(b"trex", 0, 0);
    w.u32(init.track_id);
    // The first sample entry; no defaults.
    w.u32(1);
    w.zeros(12);
    w.close(trex);
    w.close(mvex);
    w.bytes(init.pssh);
    w.close(moov);
    let done = w.done;
    if done.is_err() {
        out.truncate(before);
    }
    done
}

/// Appends to a list and remembers the first failure, so that only the end need ask.
struct Writer<'a> {
    account: &'a mut Account,
    out: &'a mut Bytes,
    done: Result<()>,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        if self.done.is_ok() {
            self.done = self.out.extend(self.account, bytes);
        }
    }

    fn u8(&mut self, n: u8) {
        self.bytes(&[n]);
    }

    fn u16(&mut self, n: u16) {
        self.bytes(&n.to_be_bytes());
    }

    fn u32(&mut self, n: u32) {
        self.bytes(&n.to_be_bytes());
    }

    fn u64(&mut self, n: u64) {
        self.bytes(&n.to_be_bytes());
    }

    /// At most sixteen zeros.
    fn zeros(&mut self, count: usize) {
        self.bytes([0u8; 16].get(..count).unwrap_or(&[]));
    }

    /// A number in 16.16 fixed point.
    fn fixed(&mut self, n: u32) {
        self.u32(fitting(n) << 16);
    }

    /// Starts a box; [`Writer::close`] takes what this returns.
    fn open(&mut self, kind: &[u8; 4]) -> usize {
        let start = self.out.len();
        self.u32(0);
        self.bytes(kind);
        start
    }

    fn open_full(&mut self, kind: &[u8; 4], version: u8, flags: u32) -> usize {
        let start = self.open(kind);
        self.u32(u32::from(version) << 24 | flags);
        start
    }

    /// Ends a box: writes its size.
    fn close(&mut self, start: usize) {
        let size = self.out.len().saturating_sub(start) as u32;
        if let Some(field) = self.out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            *field = size.to_be_bytes();
        }
    }

    fn mvhd(&mut self, init: &Init<'_>) {
        let mvhd = self.open_full(b"mvhd", 1, 0);
        self.zeros(16);
        self.u32(init.timescale);
        self.u64(init.duration.unwrap_or(u64::MAX));
        self.bytes(MVHD_TAIL);
        self.zeros(16);
        self.zeros(8);
        self.u32(init.track_id.saturating_add(1));
        self.close(mvhd);
    }

    fn tkhd(&mut self, init: &Init<'_>) {
        // Enabled, in the movie, in the preview.
        let tkhd = self.open_full(b"tkhd", 1, 7);
        self.zeros(16);
        self.u32(init.track_id);
        self.zeros(4);
        self.u64(init.duration.unwrap_or(u64::MAX));
        self.zeros(12);
        self.u16(if matches!(init.entry.media, Media::Audio { .. }) { 0x0100 } else { 0 });
        self.zeros(2);
        // The unity matrix ends that of the movie.
        self.bytes(MVHD_TAIL.last_chunk::<36>().map_or(&[], |m| m.as_slice()));
        let (width, height) = match init.entry.media {
            Media::Video { display_width, display_height, .. }
                if display_width != 0 && display_height != 0 =>
            {
                (display_width, display_height)
            }
            Media::Video { width, height, .. } => (width, height),
            _ => (0, 0),
        };
        self.fixed(width);
        self.fixed(height);
        self.close(tkhd);
    }

    fn mdhd(&mut self, init: &Init<'_>) {
        let mdhd = self.open_full(b"mdhd", 1, 0);
        self.zeros(16);
        self.u32(init.timescale);
        self.u64(init.duration.unwrap_or(u64::MAX));
        self.u16(packed_language(init.language));
        self.zeros(2);
        self.close(mdhd);
    }

    fn hdlr(&mut self, init: &Init<'_>) {
        let hdlr = self.open_full(b"hdlr", 0, 0);
        self.zeros(4);
        self.bytes(match init.entry.media {
            Media::Video { .. } => b"vide",
            Media::Audio { .. } => b"soun",
            Media::Text => b"subt",
        });
        // Reserved, and an empty name.
        self.zeros(13);
        self.close(hdlr);
    }

    fn entry(&mut self, init: &Init<'_>) {
        let entry = &init.entry;
        let name = match (init.protection.is_some(), entry.media) {
            (false, _) => &entry.name,
            (true, Media::Video { .. }) => b"encv",
            (true, Media::Audio { .. }) => b"enca",
            (true, Media::Text) => b"enct",
        };
        let start = self.open(name);
        // Reserved, and the first data reference.
        self.zeros(7);
        self.u8(1);
        match entry.media {
            Media::Video { width, height, .. } => {
                self.zeros(16);
                self.u16(fitting(width) as u16);
                self.u16(fitting(height) as u16);
                // 72 dots per inch both ways, and one picture a sample.
                self.bytes(&[0, 0x48, 0, 0, 0, 0x48, 0, 0, 0, 0, 0, 0, 0, 1]);
                self.zeros(16);
                self.zeros(16);
                self.bytes(&[0, 0x18, 0xFF, 0xFF]);
            }
            Media::Audio { channels, bits_per_sample, sampling_rate } => {
                self.zeros(8);
                self.u16(channels);
                self.u16(if bits_per_sample == 0 { 16 } else { bits_per_sample });
                self.zeros(4);
                self.fixed(sampling_rate);
            }
            Media::Text => {}
        }
        match entry.config_name {
            Some(kind) => {
                let config = self.open(&kind);
                self.bytes(entry.config);
                self.close(config);
            }
            None => self.bytes(entry.config),
        }
        if let Some((across, down)) = pixel_ratio(entry.media) {
            let pasp = self.open(b"pasp");
            self.u32(across);
            self.u32(down);
            self.close(pasp);
        }
        if let Some(protection) = &init.protection {
            self.sinf(entry.name, protection);
        }
        self.close(start);
    }

    fn sinf(&mut self, original: [u8; 4], protection: &Protection<'_>) {
        let sinf = self.open(b"sinf");
        let frma = self.open(b"frma");
        self.bytes(&original);
        self.close(frma);
        let schm = self.open_full(b"schm", 0, 0);
        self.bytes(&protection.scheme);
        self.u32(0x0001_0000);
        self.close(schm);
        let schi = self.open(b"schi");
        let (crypt, skip) = protection.pattern;
        // Only the later version has room for a pattern.
        let version = u8::from(matches!(&protection.scheme, b"cbcs" | b"cens"));
        let tenc = self.open_full(b"tenc", version, 0);
        self.u8(0);
        self.u8(if version == 0 { 0 } else { crypt << 4 | skip & 15 });
        self.u8(1);
        self.u8(protection.iv_size);
        self.bytes(&protection.kid);
        if protection.iv_size == 0 {
            self.u8(protection.constant_iv.len() as u8);
            self.bytes(protection.constant_iv);
        }
        self.close(tenc);
        self.close(schi);
        self.close(sinf);
    }
}

/// A number that fits into 16 bits, or 0.
const fn fitting(n: u32) -> u32 {
    if n > 0xFFFF { 0 } else { n }
}

/// Three letters in fifteen bits, ISO/IEC 14496-12 8.4.2.3.
fn packed_language(language: [u8; 3]) -> u16 {
    let language = if language.iter().all(u8::is_ascii_lowercase) { language } else { *b"und" };
    language.iter().fold(0, |packed, letter| packed << 5 | u16::from(letter & 0x1F))
}

/// Width and height of a pixel, in lowest terms; `None` when it is square or not known.
fn pixel_ratio(media: Media) -> Option<(u32, u32)> {
    let Media::Video { width, height, display_width, display_height } = media else { return None };
    let across = u64::from(display_width).checked_mul(height.into())?;
    let down = u64::from(display_height).checked_mul(width.into())?;
    if across == 0 || down == 0 || across == down {
        return None;
    }
    let (mut a, mut b) = (across, down);
    // Euclid's algorithm: fewer turns than twice the bits.
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    Some((u32::try_from(across.checked_div(a)?).ok()?, u32::try_from(down.checked_div(a)?).ok()?))
}
