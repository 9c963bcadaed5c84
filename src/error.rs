//! Errors with stable numbers and a place.
//!
//! A [`Code`] never changes its number; a retired number stays as a comment. Malformed input, unsupported input, a
//! limit, lack of memory and I/O are different codes. The hundreds say the domain: general, manifest (-1xx),
//! network (-2xx), media (-3xx), protection (-4xx), port (-5xx).

use core::ffi::CStr;
use core::fmt;

use crate::decimal::Decimal;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $text:literal;)+) => {
        /// What went wrong, as a stable negative number.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(i32)]
        pub enum Code { $($(#[doc = $doc])+ $name = $number,)+ }

        impl Code {
            /// Every code, in the order of declaration.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The stable number.
            pub const fn number(self) -> i32 {
                self as i32
            }

            /// One line for a person.
            pub fn text(self) -> &'static str {
                self.c_text().to_str().unwrap_or_default()
            }

            /// The same line with a NUL at its end, for C; both share one copy in memory.
            pub fn c_text(self) -> &'static CStr {
                let before = Code::ALL.iter().position(|code| *code == self).unwrap_or(0);
                let mut rest = TEXTS;
                // Library iterators over parts keep a panic path where code is built for the least size.
                for _ in 0..before {
                    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
                    rest = rest.get(end.wrapping_add(1)..).unwrap_or(&[]);
                }
                CStr::from_bytes_until_nul(rest).unwrap_or_default()
            }

            /// The code of a number; `None` when no code has it.
            pub fn from_number(number: i32) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.number() == number)
            }
        }

        /// The line of every code in the order of declaration, each with a NUL: one block is smaller than a reference
        /// to each line, and needs no relocation.
        const TEXTS: &[u8] = concat!($($text, "\0",)+).as_bytes();
    };
}

codes! {
    /// An argument is out of its range.
    Argument = -1, "argument is out of range";
    /// A struct or version does not fit this library.
    Abi = -2, "struct size or ABI version does not fit";
    /// The allocator refused.
    NoMemory = -3, "allocator has no memory";
    /// The call does not fit the state.
    State = -4, "not possible in this state";
    /// A function was called from inside a callback.
    Reentrant = -5, "called from a callback of the same player";
    /// The byte budget cannot hold what is needed.
    Budget = -6, "byte budget is too small";
    /// A port function that is not there.
    Unsupported = -7, "not supported by this port or build";
    /// A file that is not there.
    NoFile = -8, "file is not there";
    /// A file that cannot be read.
    FileIo = -9, "reading a file failed";

    /// XML syntax.
    ManifestSyntax = -100, "manifest is not well-formed XML";
    /// Text encoding.
    ManifestEncoding = -101, "manifest's text encoding is broken";
    /// A document type declaration.
    ManifestDoctype = -102, "manifest has a DOCTYPE, which is forbidden";
    /// An entity that is not predefined.
    ManifestEntity = -103, "manifest uses an undefined or illegal entity";
    /// Another root element.
    ManifestNotSmooth = -104, "not a Smooth Streaming manifest";
    /// MajorVersion.
    ManifestVersion = -105, "unknown manifest version";
    /// A required attribute.
    ManifestAttribute = -106, "required attribute is missing or invalid";
    /// Times that cannot be.
    ManifestTimeline = -107, "fragment list has impossible times";
    /// Nothing left to play.
    ManifestNothingPlayable = -108, "no stream of the manifest can be played";
    /// End of input inside the document.
    ManifestTruncated = -109, "manifest ends too early";
    /// Template or result of a fragment URL.
    UrlInvalid = -110, "URL is malformed";
    /// A URL that policy forbids.
    UrlRefused = -111, "URL refused: scheme, or path above the manifest's";
    /// A deviation in a strict parse.
    ManifestDeviation = -112, "manifest deviates from the specification";
    /// Manifest size.
    LimitManifestBytes = -120, "manifest is too large";
    /// Compression ratio.
    LimitInflateRatio = -121, "manifest inflates beyond the limit";
    /// Element depth.
    LimitXmlDepth = -122, "XML elements are nested too deeply";
    /// Attributes of one element.
    LimitXmlAttributes = -123, "XML element has too many attributes";
    /// Bytes of a name, an attribute or a text.
    LimitXmlText = -124, "XML name, attribute or text is too long";
    /// StreamIndex elements.
    LimitStreams = -125, "too many streams";
    /// QualityLevel elements of a stream.
    LimitLevels = -126, "too many quality levels in a stream";
    /// CustomAttributes of a level.
    LimitCustomAttributes = -127, "too many custom attributes on a level";
    /// `c` elements.
    LimitFragments = -128, "too many fragments listed";
    /// Bytes of a URL.
    LimitUrl = -129, "URL is too long";
    /// Bytes of embedded samples.
    LimitPayload = -130, "samples in the manifest are too large";
    /// Header of compressed data.
    InflateHeader = -140, "bad gzip or zlib header";
    /// Compressed data.
    InflateData = -141, "compressed data is corrupt";
    /// Checksum or length after compressed data.
    InflateChecksum = -142, "checksum of compressed data does not match";
    /// End of input inside compressed data.
    InflateTruncated = -143, "compressed data ends too early";

    /// An HTTP status that is no success.
    HttpStatus = -200, "server answered with an error status";
    /// No connection.
    Connect = -201, "no connection to the server";
    /// No connection in time.
    ConnectTimeout = -202, "connection took too long";
    /// No first byte in time.
    FirstByteTimeout = -203, "server did not answer in time";
    /// No further byte in time.
    IdleTimeout = -204, "server stopped sending";
    /// Closed before the end of the body.
    BodyTruncated = -205, "response ended before its declared length";
    /// Malformed HTTP.
    HttpSyntax = -206, "HTTP response is malformed";
    /// Redirects.
    TooManyRedirects = -207, "too many redirects, or a forbidden one";
    /// Content-Encoding.
    ContentEncoding = -208, "unknown Content-Encoding";
    /// Any other failure of the connection.
    NetworkIo = -209, "connection failed";
    /// Name resolution.
    NameResolution = -210, "server's name could not be resolved";
    /// Transport security.
    Tls = -211, "secure connection failed";
    /// HTTP head or chunk header size.
    LimitHttpHead = -220, "HTTP response head is too large";

    /// A body without `moof`.
    FragmentNotMp4 = -300, "response is not a media fragment";
    /// Box size or place.
    BoxInvalid = -301, "box has an impossible size";
    /// Samples outside `mdat`.
    SamplesOutside = -302, "sample table does not fit the media data";
    /// Fewer bytes than the boxes say.
    FragmentTruncated = -303, "fragment ends too early";
    /// The body changed on retry.
    FragmentChanged = -304, "fragment changed between two requests";
    /// NAL unit lengths.
    NalInvalid = -305, "NAL unit length exceeds its sample";
    /// CodecPrivateData.
    CodecConfig = -306, "codec private data cannot be used";
    /// An unknown or refused codec.
    CodecUnsupported = -307, "codec is not supported";
    /// No key frame first.
    NoKeyFrame = -308, "fragment does not start with a key frame";
    /// Retries ended: the fragment is lost.
    FragmentLost = -309, "fragment was lost and skipped";
    /// Sample encryption box, or sample groups with keys.
    EncryptionTable = -310, "sample encryption table does not fit the samples";
    /// The window of a live presentation has passed.
    BehindWindow = -311, "live window has passed what is played";
    /// Depth or number of boxes.
    LimitBoxes = -320, "too many boxes, or nested too deeply";
    /// Samples of a fragment.
    LimitSamples = -321, "too many samples in a fragment";
    /// Bytes of a fragment.
    LimitFragmentBytes = -322, "fragment is too large";
    /// Bytes of a sample.
    LimitSampleBytes = -323, "sample is larger than its share of the budget";
    /// Bytes of codec private data.
    LimitCodecConfig = -324, "codec private data is too large";
    /// Bytes of a `moof`.
    LimitMoofBytes = -325, "movie fragment header is too large";
    /// Ranges inside the samples of a fragment.
    LimitSubsamples = -326, "too many subsamples in a fragment";

    /// A protection system that is not known.
    ProtectionUnsupported = -400, "protection system is not supported";
    /// A protection header that cannot be read.
    ProtectionHeader = -401, "protection header is malformed";
    /// No licence.
    KeyRefused = -402, "key was refused";
    /// No licence yet.
    KeyTimeout = -403, "key did not come in time";
    /// A sample that could not be decrypted.
    DecryptFailed = -404, "sample could not be decrypted";
    /// A level that output protection forbids.
    OutputRestricted = -405, "output restrictions forbid this level";
    /// Encrypted samples, and nobody named who has their keys: neither a protection mode nor a protection port.
    ProtectionMissing = -406, "encrypted, and there is no protection port";
    /// Protection header size or number.
    LimitProtection = -420, "too many or too large protection headers";

    /// A port broke its contract.
    PortContract = -500, "port callback broke its contract";
    /// The decoder failed for good.
    DecoderFailed = -501, "decoder port failed";
    /// The HTTP port failed for good.
    HttpPortFailed = -502, "HTTP port failed";
    /// The decoder refused every level.
    DecoderRefused = -503, "decoder refused every level of a stream";
    /// The answer to a capability question.
    NotCapable = -504, "decoder cannot play this level";
}

/// Where in the input an error lies.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Place {
    /// Byte offset in the (inflated) input, 0 when unknown.
    pub offset: u64,
    /// Element, attribute, box path or header field; empty when unknown.
    pub at: &'static str,
}

/// A [`Code`] and its [`Place`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error {
    /// What went wrong.
    pub code: Code,
    /// Where.
    pub place: Place,
}

/// The result of everything that can fail in the core.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// `code` at a named element or box and a byte offset.
    pub const fn at(code: Code, at: &'static str, offset: u64) -> Error {
        Error { code, place: Place { offset, at } }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Error {
        Error { code, place: Place { offset: 0, at: "" } }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.text())?;
        write!(f, " (-{})", Decimal(self.code.number().unsigned_abs().into()))?;
        if !self.place.at.is_empty() {
            f.write_str(" at ")?;
            f.write_str(self.place.at)?;
        }
        if self.place.offset != 0 {
            write!(f, ", byte {}", Decimal(self.place.offset))?;
        }
        Ok(())
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_come_back() {
        for (i, a) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::from_number(a.number()), Some(*a));
            assert!(a.number() < 0);
            assert!(Code::ALL[..i].iter().all(|b| b.number() != a.number()), "{a:?}");
        }
        assert_eq!(Code::from_number(0), None);
    }

    #[test]
    fn rust_and_c_read_the_same_line() {
        for code in Code::ALL {
            assert!(code.text().len() > 10, "{code:?}");
            assert_eq!(code.c_text().to_bytes(), code.text().as_bytes());
        }
    }

    #[test]
    fn an_error_reads_like_a_sentence() {
        let e = Error::at(Code::ManifestAttribute, "StreamIndex@Type", 812);
        assert_eq!(
            std::format!("{e}"),
            "required attribute is missing or invalid (-106) at StreamIndex@Type, byte 812"
        );
    }
}
