//! A client manifest of what the files say, in pieces. [MS-SSTR] 2.2.2.

use super::Local;
use super::catalog::{NUMBERS, Track, kind_name};
use super::files::Got;
use super::index::Cursor;
use super::media::Header;
use crate::digits::write_decimal;
use crate::error::Result;
use crate::mem::{Account, List, Text};
use crate::mp4::index::IndexEntry;
use crate::port::Source;

/// What is written and not yet handed out, and what comes next.
#[derive(Default)]
pub(super) struct Writer {
    text: Text,
    sent: usize,
    next: Part,
}

#[derive(Clone, Copy, Default, Debug)]
enum Part {
    #[default]
    Root,
    /// The header of the nth protection system.
    Header(usize),
    /// The stream whose first level is the nth track.
    Stream(usize),
    /// The nth track of all, if it is a level of the stream of another.
    Level(usize, usize),
    /// Fragments of a stream: those behind the cursor, and the last one before it.
    Fragments(usize, Cursor, Option<IndexEntry>),
    End,
}

impl Writer {
    /// From the beginning.
    pub(super) fn begin(&mut self) {
        self.text.clear();
        (self.sent, self.next) = (0, Part::Root);
    }

    pub(super) fn free(&mut self, account: &mut Account) {
        self.text.free(account);
        self.begin();
    }
}

/// Text on its way out.
struct Out<'a> {
    text: &'a mut Text,
    account: &'a mut Account,
}

impl Out<'_> {
    fn raw(&mut self, text: &str) -> Result<()> {
        self.text.push(self.account, text)
    }

    fn number(&mut self, number: u64) -> Result<()> {
        self.raw(write_decimal(number, &mut [0; 20]))
    }

    /// ` name="`.
    fn open(&mut self, name: &str) -> Result<()> {
        self.raw(" ")?;
        self.raw(name)?;
        self.raw("=\"")
    }

    fn attribute(&mut self, name: &str, value: &str) -> Result<()> {
        self.open(name)?;
        self.escaped(value)?;
        self.raw("\"")
    }

    fn attribute_number(&mut self, name: &str, value: u64) -> Result<()> {
        self.open(name)?;
        self.number(value)?;
        self.raw("\"")
    }

    /// For the value of an attribute.
    fn escaped(&mut self, value: &str) -> Result<()> {
        for c in value.chars() {
            match c {
                '&' => self.raw("&amp;")?,
                '<' => self.raw("&lt;")?,
                '"' => self.raw("&quot;")?,
                c if c < ' ' => {}
                c => self.raw(c.encode_utf8(&mut [0; 4]))?,
            }
        }
        Ok(())
    }

    /// For a part of a URL: nothing that means anything there, in XML, or in a template.
    fn encoded(&mut self, value: &str) -> Result<()> {
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                self.raw(char::from(byte).encode_utf8(&mut [0; 4]))?;
            } else {
                self.raw("%")?;
                self.hex(byte)?;
            }
        }
        Ok(())
    }

    fn hex(&mut self, byte: u8) -> Result<()> {
        for digit in [byte >> 4, byte & 15] {
            let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase();
            self.raw(digit.encode_utf8(&mut [0; 4]))?;
        }
        Ok(())
    }

    /// RFC 4648, clause 4.
    fn base64(&mut self, bytes: &[u8]) -> Result<()> {
        const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for three in bytes.chunks(3) {
            let mut bits = 0u32;
            for n in 0..3 {
                bits = bits << 8 | u32::from(three.get(n).copied().unwrap_or(0));
            }
            for n in 0..4usize {
                let sextet = bits >> (18u32.wrapping_sub(6u32.wrapping_mul(n as u32)) & 31) & 63;
                let symbol = SYMBOLS.get(sextet as usize).filter(|_| n <= three.len()).unwrap_or(&b'=');
                self.raw(char::from(*symbol).encode_utf8(&mut [0; 4]))?;
            }
        }
        Ok(())
    }

    fn root(&mut self, headers: &[Header]) -> Result<()> {
        self.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"2\"")?;
        self.raw(if headers.is_empty() { ">" } else { "><Protection>" })
    }

    fn header(&mut self, header: &Header) -> Result<()> {
        self.raw("<ProtectionHeader SystemID=\"")?;
        for (n, byte) in header.system_id.iter().enumerate() {
            self.raw(if matches!(n, 4 | 6 | 8 | 10) { "-" } else { "" })?;
            self.hex(*byte)?;
        }
        self.raw("\">")?;
        self.base64(&header.data)?;
        self.raw("</ProtectionHeader>")
    }

    fn stream(&mut self, track: &Track, custom: bool) -> Result<()> {
        self.raw("<StreamIndex")?;
        self.attribute("Type", kind_name(track.kind))?;
        self.attribute("Name", &track.name)?;
        if !track.language.is_empty() {
            self.attribute("Language", &track.language)?;
        }
        self.attribute_number("TimeScale", track.codec.timescale)?;
        self.open("Url")?;
        self.raw(if custom {
            "QualityLevels({bitrate},{CustomAttributes})"
        } else {
            "QualityLevels({bitrate})"
        })?;
        self.raw("/Fragments(")?;
        self.encoded(&track.name)?;
        self.raw("={start time})\">")
    }

    fn level(&mut self, track: &Track, index: u64) -> Result<()> {
        self.raw("<QualityLevel")?;
        self.attribute_number("Index", index)?;
        self.attribute_number("Bitrate", u64::from(track.bitrate))?;
        if let Some(fourcc) = track.codec.fourcc
            && let Ok(name) = core::str::from_utf8(fourcc.0.trim_ascii_end())
        {
            self.attribute("FourCC", name)?;
        }
        for (name, number) in NUMBERS.iter().zip(track.codec.numbers) {
            if number != 0 {
                self.attribute_number(name, u64::from(number))?;
            }
        }
        self.open("CodecPrivateData")?;
        for byte in track.codec.private.iter() {
            self.hex(*byte)?;
        }
        if track.attributes.is_empty() {
            return self.raw("\"/>");
        }
        self.raw("\"><CustomAttributes>")?;
        for (name, value) in track.attributes.iter() {
            self.raw("<Attribute")?;
            self.attribute("Name", name)?;
            self.attribute("Value", value)?;
            self.raw("/>")?;
        }
        self.raw("</CustomAttributes></QualityLevel>")
    }

    fn fragment(&mut self, time: u64, duration: u64) -> Result<()> {
        self.raw("<c")?;
        self.attribute_number("t", time)?;
        self.attribute_number("d", duration)?;
        self.raw("/>")
    }
}

impl<S: Source> Local<S> {
    /// The next bytes of the manifest into `buffer`; 0 behind the last.
    pub(super) fn written(&mut self, buffer: &mut [u8]) -> Got<usize> {
        // Each round writes one element.
        while self.writer.sent >= self.writer.text.len() {
            self.writer.text.clear();
            self.writer.sent = 0;
            let Some(next) = self.write(self.writer.next)? else { return Ok(0) };
            self.writer.next = next;
        }
        let rest = self.writer.text.as_bytes().get(self.writer.sent..).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.writer.sent = self.writer.sent.saturating_add(count);
        Ok(count)
    }

    /// Writes one part; `None` when there is none.
    fn write(&mut self, part: Part) -> Got<Option<Part>> {
        let Local { files, account, catalog, indexes, headers, writer, .. } = self;
        let tracks = &catalog.tracks;
        let mut out = Out { text: &mut writer.text, account: &mut *account };
        Ok(Some(match part {
            Part::Root => {
                out.root(headers)?;
                if headers.is_empty() { Part::Stream(0) } else { Part::Header(0) }
            }
            Part::Header(n) => match headers.get(n) {
                Some(header) => {
                    out.header(header)?;
                    Part::Header(n.saturating_add(1))
                }
                None => {
                    out.raw("</Protection>")?;
                    Part::Stream(0)
                }
            },
            Part::Stream(n) => match tracks.get(n) {
                Some(track) if is_first(tracks, n) => {
                    let custom = levels(tracks, track).any(|(_, level)| !level.attributes.is_empty());
                    out.stream(track, custom)?;
                    Part::Level(n, n)
                }
                Some(_) => Part::Stream(n.saturating_add(1)),
                None => {
                    out.raw("</SmoothStreamingMedia>\n")?;
                    Part::End
                }
            },
            Part::Level(first, n) => match (tracks.get(first), tracks.get(n)) {
                (Some(stream), Some(track)) => {
                    if let Some(index) = levels(tracks, stream).position(|(at, _)| at == n) {
                        out.level(track, index as u64)?;
                    }
                    Part::Level(first, n.saturating_add(1))
                }
                _ => Part::Fragments(first, Cursor::default(), None),
            },
            Part::Fragments(n, mut cursor, before) => {
                let Some(track) = tracks.get(n) else { return Ok(None) };
                let index = indexes.iter().find(|index| Some(index.file) == track.file);
                let entry = match index {
                    Some(index) => index.next(files, out.account, track.track_id, &mut cursor)?,
                    None => None,
                };
                match (before, entry) {
                    (Some(before), Some(entry)) => {
                        out.fragment(before.time, entry.time.saturating_sub(before.time))?;
                    }
                    (Some(before), None) => out.fragment(before.time, track.last_duration)?,
                    _ => {}
                }
                match entry {
                    Some(_) => Part::Fragments(n, cursor, entry),
                    None => {
                        out.raw("</StreamIndex>")?;
                        Part::Stream(n.saturating_add(1))
                    }
                }
            }
            Part::End => return Ok(None),
        }))
    }
}

/// The levels of the stream that `stream` belongs to, with their places. One that counts time otherwise is none.
fn levels<'a>(tracks: &'a List<Track>, stream: &'a Track) -> impl Iterator<Item = (usize, &'a Track)> {
    let usable = |track: &Track| track.fault.is_none() && track.codec.timescale == stream.codec.timescale;
    tracks.iter().enumerate().filter(move |(_, track)| usable(track) && track.is_beside(stream))
}

/// Whether the nth track is the first one of its stream that can be used.
fn is_first(tracks: &List<Track>, n: usize) -> bool {
    let Some(own) = tracks.get(n).filter(|track| track.fault.is_none()) else { return false };
    !tracks.iter().take(n).any(|other| other.fault.is_none() && other.is_beside(own))
}
