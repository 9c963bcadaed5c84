//! The numbers of [`Code`](crate::error::Code) under the names C sees.
//!
//! Plain constants, because the header generator reads source and expands no macro. The test below fails when this
//! list and the core's table differ in a name, a number or their order.

/// The call did what it says.
pub const SMOOTHCORE_OK: i32 = 0;
/// Not now: call again after the next wake-up or deadline.
pub const SMOOTHCORE_WOULD_BLOCK: i32 = 1;
/// There is no more to come.
pub const SMOOTHCORE_END: i32 = 2;

/// An argument is out of range.
pub const SMOOTHCORE_E_ARGUMENT: i32 = -1;
/// Struct size or ABI version does not fit this library.
pub const SMOOTHCORE_E_ABI: i32 = -2;
/// The allocator has no memory.
pub const SMOOTHCORE_E_NO_MEMORY: i32 = -3;
/// Not possible in this state.
pub const SMOOTHCORE_E_STATE: i32 = -4;
/// Called from inside a callback of the same player.
pub const SMOOTHCORE_E_REENTRANT: i32 = -5;
/// The byte budget is too small.
pub const SMOOTHCORE_E_BUDGET: i32 = -6;
/// Not supported by this port or build.
pub const SMOOTHCORE_E_UNSUPPORTED: i32 = -7;
/// The file is not there.
pub const SMOOTHCORE_E_NO_FILE: i32 = -8;
/// Reading a file failed.
pub const SMOOTHCORE_E_FILE_IO: i32 = -9;

/// The manifest is not well-formed XML.
pub const SMOOTHCORE_E_MANIFEST_SYNTAX: i32 = -100;
/// The manifest's text encoding is broken.
pub const SMOOTHCORE_E_MANIFEST_ENCODING: i32 = -101;
/// The manifest has a DOCTYPE, which Smooth Streaming forbids.
pub const SMOOTHCORE_E_MANIFEST_DOCTYPE: i32 = -102;
/// The manifest uses an undefined or illegal entity.
pub const SMOOTHCORE_E_MANIFEST_ENTITY: i32 = -103;
/// Not a Smooth Streaming manifest.
pub const SMOOTHCORE_E_MANIFEST_NOT_SMOOTH: i32 = -104;
/// Unknown manifest version.
pub const SMOOTHCORE_E_MANIFEST_VERSION: i32 = -105;
/// A required attribute is missing or invalid.
pub const SMOOTHCORE_E_MANIFEST_ATTRIBUTE: i32 = -106;
/// The fragment list has impossible times.
pub const SMOOTHCORE_E_MANIFEST_TIMELINE: i32 = -107;
/// No stream of the manifest can be played.
pub const SMOOTHCORE_E_MANIFEST_NOTHING_PLAYABLE: i32 = -108;
/// The manifest ends too early.
pub const SMOOTHCORE_E_MANIFEST_TRUNCATED: i32 = -109;
/// A URL is malformed.
pub const SMOOTHCORE_E_URL_INVALID: i32 = -110;
/// A URL was refused: scheme, or a path above the manifest's.
pub const SMOOTHCORE_E_URL_REFUSED: i32 = -111;
/// The manifest deviates from the specification.
pub const SMOOTHCORE_E_MANIFEST_DEVIATION: i32 = -112;
/// The manifest is larger than the limit.
pub const SMOOTHCORE_E_LIMIT_MANIFEST_BYTES: i32 = -120;
/// The compressed manifest inflates beyond the limit.
pub const SMOOTHCORE_E_LIMIT_INFLATE_RATIO: i32 = -121;
/// XML elements are nested too deeply.
pub const SMOOTHCORE_E_LIMIT_XML_DEPTH: i32 = -122;
/// An XML element has too many attributes.
pub const SMOOTHCORE_E_LIMIT_XML_ATTRIBUTES: i32 = -123;
/// An XML name, attribute or text is too long.
pub const SMOOTHCORE_E_LIMIT_XML_TEXT: i32 = -124;
/// Too many streams.
pub const SMOOTHCORE_E_LIMIT_STREAMS: i32 = -125;
/// Too many quality levels in a stream.
pub const SMOOTHCORE_E_LIMIT_LEVELS: i32 = -126;
/// Too many custom attributes on a quality level.
pub const SMOOTHCORE_E_LIMIT_CUSTOM_ATTRIBUTES: i32 = -127;
/// Too many fragments listed.
pub const SMOOTHCORE_E_LIMIT_FRAGMENTS: i32 = -128;
/// A URL is too long.
pub const SMOOTHCORE_E_LIMIT_URL: i32 = -129;
/// The samples in the manifest are larger than the limit.
pub const SMOOTHCORE_E_LIMIT_PAYLOAD: i32 = -130;
/// Compressed data has a bad gzip or zlib header.
pub const SMOOTHCORE_E_INFLATE_HEADER: i32 = -140;
/// Compressed data is corrupt.
pub const SMOOTHCORE_E_INFLATE_DATA: i32 = -141;
/// The checksum of compressed data does not match.
pub const SMOOTHCORE_E_INFLATE_CHECKSUM: i32 = -142;
/// Compressed data ends too early.
pub const SMOOTHCORE_E_INFLATE_TRUNCATED: i32 = -143;

/// The server answered with an error status.
pub const SMOOTHCORE_E_HTTP_STATUS: i32 = -200;
/// No connection to the server.
pub const SMOOTHCORE_E_CONNECT: i32 = -201;
/// The connection took too long.
pub const SMOOTHCORE_E_CONNECT_TIMEOUT: i32 = -202;
/// The server did not answer in time.
pub const SMOOTHCORE_E_FIRST_BYTE_TIMEOUT: i32 = -203;
/// The server stopped sending.
pub const SMOOTHCORE_E_IDLE_TIMEOUT: i32 = -204;
/// The response ended before its declared length.
pub const SMOOTHCORE_E_BODY_TRUNCATED: i32 = -205;
/// The HTTP response is malformed.
pub const SMOOTHCORE_E_HTTP_SYNTAX: i32 = -206;
/// Too many redirects, or one that is not allowed.
pub const SMOOTHCORE_E_TOO_MANY_REDIRECTS: i32 = -207;
/// Unknown Content-Encoding.
pub const SMOOTHCORE_E_CONTENT_ENCODING: i32 = -208;
/// The connection failed.
pub const SMOOTHCORE_E_NETWORK_IO: i32 = -209;
/// The server's name could not be resolved.
pub const SMOOTHCORE_E_NAME_RESOLUTION: i32 = -210;
/// The secure connection failed.
pub const SMOOTHCORE_E_TLS: i32 = -211;
/// The HTTP response head is larger than the limit.
pub const SMOOTHCORE_E_LIMIT_HTTP_HEAD: i32 = -220;

/// The response is not a media fragment.
pub const SMOOTHCORE_E_FRAGMENT_NOT_MP4: i32 = -300;
/// A box has an impossible size.
pub const SMOOTHCORE_E_BOX_INVALID: i32 = -301;
/// The sample table does not fit the media data.
pub const SMOOTHCORE_E_SAMPLES_OUTSIDE: i32 = -302;
/// The fragment ends too early.
pub const SMOOTHCORE_E_FRAGMENT_TRUNCATED: i32 = -303;
/// The fragment changed between two requests.
pub const SMOOTHCORE_E_FRAGMENT_CHANGED: i32 = -304;
/// A NAL unit length exceeds its sample.
pub const SMOOTHCORE_E_NAL_INVALID: i32 = -305;
/// The codec private data cannot be used.
pub const SMOOTHCORE_E_CODEC_CONFIG: i32 = -306;
/// The codec is not supported.
pub const SMOOTHCORE_E_CODEC_UNSUPPORTED: i32 = -307;
/// The fragment does not start with a key frame.
pub const SMOOTHCORE_E_NO_KEY_FRAME: i32 = -308;
/// The fragment could not be fetched and was skipped.
pub const SMOOTHCORE_E_FRAGMENT_LOST: i32 = -309;
/// The sample encryption table does not fit the samples.
pub const SMOOTHCORE_E_ENCRYPTION_TABLE: i32 = -310;
/// The live window has passed what is played.
pub const SMOOTHCORE_E_BEHIND_WINDOW: i32 = -311;
/// Too many boxes, or nested too deeply.
pub const SMOOTHCORE_E_LIMIT_BOXES: i32 = -320;
/// Too many samples in a fragment.
pub const SMOOTHCORE_E_LIMIT_SAMPLES: i32 = -321;
/// The fragment is larger than the limit.
pub const SMOOTHCORE_E_LIMIT_FRAGMENT_BYTES: i32 = -322;
/// A sample is larger than its share of the budget.
pub const SMOOTHCORE_E_LIMIT_SAMPLE_BYTES: i32 = -323;
/// The codec private data is larger than the limit.
pub const SMOOTHCORE_E_LIMIT_CODEC_CONFIG: i32 = -324;
/// The movie fragment header is larger than the limit.
pub const SMOOTHCORE_E_LIMIT_MOOF_BYTES: i32 = -325;
/// Too many subsamples in a fragment.
pub const SMOOTHCORE_E_LIMIT_SUBSAMPLES: i32 = -326;

/// The protection system is not supported.
pub const SMOOTHCORE_E_PROTECTION_UNSUPPORTED: i32 = -400;
/// The protection header is malformed.
pub const SMOOTHCORE_E_PROTECTION_HEADER: i32 = -401;
/// The key of an encrypted stream was refused.
pub const SMOOTHCORE_E_KEY_REFUSED: i32 = -402;
/// The key of an encrypted stream did not come in time.
pub const SMOOTHCORE_E_KEY_TIMEOUT: i32 = -403;
/// A sample could not be decrypted.
pub const SMOOTHCORE_E_DECRYPT_FAILED: i32 = -404;
/// Output restrictions forbid this quality level.
pub const SMOOTHCORE_E_OUTPUT_RESTRICTED: i32 = -405;
/// A stream is encrypted, and there is neither a protection mode nor a protection port.
pub const SMOOTHCORE_E_PROTECTION_MISSING: i32 = -406;
/// Too many or too large protection headers.
pub const SMOOTHCORE_E_LIMIT_PROTECTION: i32 = -420;

/// A port callback broke its contract.
pub const SMOOTHCORE_E_PORT_CONTRACT: i32 = -500;
/// The decoder port failed.
pub const SMOOTHCORE_E_DECODER_FAILED: i32 = -501;
/// The HTTP port failed.
pub const SMOOTHCORE_E_HTTP_PORT_FAILED: i32 = -502;
/// The decoder refused every quality level of a stream.
pub const SMOOTHCORE_E_DECODER_REFUSED: i32 = -503;
/// The decoder cannot play this quality level.
pub const SMOOTHCORE_E_NOT_CAPABLE: i32 = -504;

#[cfg(test)]
mod tests {
    use std::string::{String, ToString};
    use std::vec::Vec;

    use crate::error::Code;

    /// The C name of a code: `LimitXmlDepth` is `SMOOTHCORE_E_LIMIT_XML_DEPTH`.
    fn c_name(code: Code) -> String {
        let mut name = String::from("SMOOTHCORE_E");
        for c in std::format!("{code:?}").chars() {
            if c.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(c.to_ascii_uppercase());
        }
        name
    }

    #[test]
    fn the_list_is_the_core_s_table() {
        let listed: Vec<(String, i32)> = include_str!("codes.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("pub const SMOOTHCORE_E_"))
            .map(|rest| {
                let (name, number) = rest.split_once(": i32 = ").unwrap();
                let number = number.trim_end_matches(';').parse().unwrap();
                ("SMOOTHCORE_E_".to_string() + name, number)
            })
            .collect();
        let core: Vec<(String, i32)> = Code::ALL.iter().map(|c| (c_name(*c), c.number())).collect();
        assert_eq!(listed, core);
    }

    #[test]
    fn success_is_not_negative() {
        assert_eq!(super::SMOOTHCORE_OK, 0);
        const { assert!(super::SMOOTHCORE_WOULD_BLOCK > 0 && super::SMOOTHCORE_END > 0) };
        assert!(Code::ALL.iter().all(|c| c.number() < 0));
    }
}
