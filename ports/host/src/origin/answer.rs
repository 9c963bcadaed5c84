//! From a request to its response: which manifest or fragment a URL names ([MS-SSTR] 2.2.1, 2.2.3, 2.2.5).

use std::fs;
use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use percent_encoding::percent_decode_str;

use super::Origin;
use super::catalog::{Publication, Tree};
use super::clock::Moment;
use super::http::{Request, Response};
use super::ingest::{Part, Point, Target};
use super::live::{self, Channel};
use crate::media::Kind;
use crate::media::boxes;
use crate::media::text::{self, Encoding};

const MANIFEST_CACHE: &str = "public, max-age=10";
const FRAGMENT_CACHE: &str = "public, max-age=86400";
const LIVE_MANIFEST_CACHE: &str = "public, max-age=1";
const LIVE_FRAGMENT_CACHE: &str = "public, max-age=600";
/// Where a manual clock is moved.
const CLOCK: &str = "/control/clock";

/// The response to a request.
pub fn answer(origin: &Origin, request: &Request) -> Response {
    if is_control(origin, request) {
        return clock(origin, request);
    }
    if request.method != "GET" && request.method != "HEAD" {
        return Response::error(405, "only GET and HEAD").header("Allow", "GET, HEAD");
    }
    let (path, query) = split(&request.target);
    let Ok(path) = percent_decode_str(path).decode_utf8() else {
        return Response::error(400, "the path is not UTF-8");
    };
    let below = |root: &str| path.strip_prefix(root)?.strip_prefix('/').map(str::to_owned);
    for channel in &origin.channels {
        if let Some(rest) = below(&channel.path) {
            return on_air(origin, request, channel, &rest, query);
        }
    }
    // What was published is there under its own name and, once it is over, under that of its archive.
    if let Some((point, rest)) = point(origin, &path) {
        return published_live(origin, request, &point, rest, query);
    }
    let named = |path: &str| origin.catalog.publications.iter().any(|known| known.path == path);
    let path = archived(&path, named).map_or(path.clone(), Into::into);
    let below = |root: &str| path.strip_prefix(root)?.strip_prefix('/').map(str::to_owned);
    for publication in &origin.catalog.publications {
        if let Some(rest) = below(&publication.path) {
            return published(origin, request, publication, &rest, query);
        }
    }
    for tree in &origin.catalog.trees {
        if let Some(response) = below(&tree.path).and_then(|rest| stored(origin, request, tree, &rest, query))
        {
            return response;
        }
    }
    Response::error(404, "no such presentation")
}

/// Whether a request is about the clock and not about a presentation.
pub fn is_control(origin: &Origin, request: &Request) -> bool {
    split(&request.target).0 == CLOCK && origin.clock.is_manual()
}

/// Channel and stream that a request publishes to, if it does.
pub fn target(request: &Request) -> Option<(String, String)> {
    let path = percent_decode_str(split(&request.target).0).decode_utf8().ok()?;
    Target::parse(&path).map(|target| (target.path.to_owned(), target.stream.to_owned()))
}

/// Path and query of a request target, which a proxy's client gives with scheme and host.
fn split(target: &str) -> (&str, &str) {
    let absolute = target.split_once("://").filter(|(scheme, _)| !scheme.contains('/'));
    let target = absolute.map_or(target, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    target.split_once('?').unwrap_or((target, ""))
}

fn published(
    origin: &Origin,
    request: &Request,
    publication: &Publication,
    rest: &str,
    query: &str,
) -> Response {
    if rest.eq_ignore_ascii_case("Manifest") {
        return manifest(origin, request, publication.manifest.clone(), MANIFEST_CACHE, query);
    }
    let Wanted { bitrate, attributes, noun, name, time } = match Wanted::read(rest) {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    let Some((level, fragment)) = publication.presentation.find(name, bitrate, &attributes, time) else {
        return Response::error(404, &format!("no fragment of {name} at bitrate {bitrate} and time {time}"));
    };
    let len = if noun == "Fragments" { fragment.len } else { fragment.moof };
    match level.file.bytes(fragment, len) {
        Ok(bytes) => Response::new(content_type(level.track().kind), FRAGMENT_CACHE, bytes),
        Err(error) => Response::error(500, &format!("{error:#}")),
    }
}

/// The point that a path is below of, and what comes after it.
fn point<'a>(origin: &Origin, path: &'a str) -> Option<(Arc<Point>, &'a str)> {
    let lower = path.to_ascii_lowercase();
    let at = [".isml/", ".ism/"].iter().find_map(|end| Some(lower.find(end)? + end.len() - 1))?;
    let (root, rest) = (path.get(..at)?, path.get(at + 1..)?);
    if let Some(point) = origin.points.get(root) {
        return Some((point, rest));
    }
    let point = origin.points.get(&format!("{root}l"))?;
    point.is_over().then_some((point, rest))
}

/// The path below the archive of a channel that is long over, for one below the channel.
fn archived(path: &str, named: impl Fn(&str) -> bool) -> Option<String> {
    let at = path.to_ascii_lowercase().find(".isml/")? + ".ism".len();
    let (archive, channel, rest) = (path.get(..at)?, path.get(..at + 1)?, path.get(at + 1..)?);
    (!named(channel) && named(archive)).then(|| format!("{archive}{rest}"))
}

/// What a publishing point answers now.
fn published_live(origin: &Origin, request: &Request, point: &Point, rest: &str, query: &str) -> Response {
    if rest.eq_ignore_ascii_case("Manifest") {
        return match point.manifest() {
            live::Answer::Found(bytes) => manifest(origin, request, bytes, LIVE_MANIFEST_CACHE, query),
            live::Answer::Not(status, why) => refusal(status, &why),
        };
    }
    let Wanted { bitrate, noun, name, time, .. } = match Wanted::read(rest) {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    let part = if noun == "FragmentInfo" { Part::Head } else { Part::Whole };
    match point.fragment(name, bitrate, time, part) {
        (kind, live::Answer::Found(bytes)) => {
            Response::new(kind.map_or("video/mp4", content_type), LIVE_FRAGMENT_CACHE, bytes)
        }
        (_, live::Answer::Not(status, why)) => refusal(status, &why),
    }
}

/// A response without a fragment.
fn refusal(status: u16, why: &str) -> Response {
    match status {
        412 => Response::empty(412),
        _ => Response::error(status, why),
    }
}

fn content_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Video => "video/mp4",
        Kind::Audio => "audio/mp4",
        Kind::Text => "application/mp4",
    }
}

/// What a channel answers now.
fn on_air(origin: &Origin, request: &Request, channel: &Channel, rest: &str, query: &str) -> Response {
    let now = origin.clock.now();
    if rest.eq_ignore_ascii_case("Manifest") {
        return match channel.manifest(now) {
            live::Answer::Found(bytes) => manifest(origin, request, bytes, LIVE_MANIFEST_CACHE, query),
            live::Answer::Not(status, why) => refusal(status, &why),
        };
    }
    let Wanted { bitrate, attributes, noun, name, time } = match Wanted::read(rest) {
        Ok(wanted) => wanted,
        Err(response) => return response,
    };
    let Some(level) = channel.level(name, bitrate, &attributes) else {
        return Response::error(404, &format!("no level of {name} at bitrate {bitrate}"));
    };
    match channel.fragment(name, level, time, now) {
        live::Answer::Found(mut bytes) => {
            if noun == "FragmentInfo" {
                let head = boxes::head(&bytes, bytes.len() as u64);
                bytes.truncate(head.map_or(0, |head| head.size as usize));
            }
            Response::new(content_type(level.track().kind), LIVE_FRAGMENT_CACHE, bytes)
        }
        live::Answer::Not(status, why) => refusal(status, &why),
    }
}

/// Shows the clock; `?advance=SECONDS` and `?set=SECONDS` move it.
fn clock(origin: &Origin, request: &Request) -> Response {
    let (_, query) = split(&request.target);
    let moved = if query.is_empty() {
        Ok(origin.clock.now())
    } else {
        let seconds = |name: &str| query.strip_prefix(name).map(Moment::parse);
        match (seconds("advance="), seconds("set=")) {
            (Some(by), _) => by.and_then(|by| origin.clock.set(|now| now.saturating_add(by))),
            (_, Some(to)) => to.and_then(|to| origin.clock.set(|_| to)),
            _ => Err(anyhow::anyhow!("ask with advance=SECONDS or set=SECONDS")),
        }
    };
    match moved {
        Ok(Moment(now)) => {
            let text = format!("{}.{:06}\n", now / 1_000_000, now % 1_000_000);
            Response::new("text/plain; charset=utf-8", "no-store", text.into_bytes())
        }
        Err(error) => Response::error(400, &format!("{error:#}")),
    }
}

/// What a fragment's URL names.
#[derive(Debug, PartialEq, Eq)]
struct Wanted<'a> {
    bitrate: u64,
    attributes: Vec<(&'a str, &'a str)>,
    noun: &'a str,
    name: &'a str,
    time: u64,
}

impl<'a> Wanted<'a> {
    /// A fragment or its head, or the response that says why it is none.
    fn read(path: &'a str) -> Result<Self, Response> {
        let Some(wanted) = Self::parse(path) else {
            return Err(if path.starts_with("QualityLevels(") {
                Response::error(400, "not QualityLevels(BITRATE)/Fragments(NAME=TIME)")
            } else {
                Response::error(
                    404,
                    "a presentation has Manifest and QualityLevels(BITRATE)/Fragments(NAME=TIME)",
                )
            });
        };
        match wanted.noun {
            "Fragments" | "FragmentInfo" => Ok(wanted),
            noun => Err(Response::error(400, &format!("{noun} is not served here"))),
        }
    }

    fn parse(path: &'a str) -> Option<Self> {
        let (level, fragment) = path.split_once('/')?;
        let mut predicates = level.strip_prefix("QualityLevels(")?.strip_suffix(')')?.split(',');
        let bitrate = number(predicates.next()?)?;
        let attributes = predicates.map(|predicate| predicate.split_once('=')).collect::<Option<_>>()?;
        let (noun, predicate) = fragment.strip_suffix(')')?.split_once('(')?;
        let (name, time) = predicate.split_once('=')?;
        Some(Self { bitrate, attributes, noun, name, time: number(time)? })
    }
}

/// A number as manifests write it: digits, without a sign or leading zeros.
fn number(digits: &str) -> Option<u64> {
    let value: u64 = digits.parse().ok()?;
    (value.to_string() == digits).then_some(value)
}

/// What a plain tree holds under a path: only what players ask for, never another file.
fn stored(origin: &Origin, request: &Request, tree: &Tree, rest: &str, query: &str) -> Option<Response> {
    if rest.eq_ignore_ascii_case("Manifest") {
        return Some(match fs::read(tree.dir.join("Manifest")) {
            Ok(bytes) => manifest(origin, request, bytes, MANIFEST_CACHE, query),
            Err(error) => Response::error(500, &error.to_string()),
        });
    }
    Wanted::parse(rest)?;
    let plain = !rest.contains(['\\', '\0']) && rest.matches('/').count() == 1;
    let bytes = plain.then(|| fs::read(tree.dir.join(rest)).ok()).flatten();
    Some(match bytes {
        Some(bytes) => Response::new("video/mp4", FRAGMENT_CACHE, bytes),
        None => Response::error(404, "no such fragment"),
    })
}

/// A client manifest in the encoding and compression that were asked for.
fn manifest(origin: &Origin, request: &Request, bytes: Vec<u8>, cache: &str, query: &str) -> Response {
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("encoding="));
    let encoding = match asked.map(str::to_ascii_lowercase).as_deref() {
        None => origin.encoding,
        Some("utf-8") => Some(Encoding::Utf8),
        Some("utf-16le") => Some(Encoding::Utf16Le),
        Some("utf-16be") => Some(Encoding::Utf16Be),
        Some(_) => return Response::error(400, "encoding is utf-8, utf-16le or utf-16be"),
    };
    let bytes = match encoding {
        None => bytes,
        Some(encoding) => match text::decode(&bytes) {
            Ok(xml) => text::encode(&xml, encoding),
            Err(error) => return Response::error(500, &format!("{error:#}")),
        },
    };
    let response = |bytes| Response::new("text/xml", cache, bytes).header("Vary", "Accept-Encoding");
    let accepted = request.header("Accept-Encoding").unwrap_or_default();
    match compression(&accepted).and_then(|coding| Some((coding, compress(&bytes, coding)?))) {
        Some((Coding::Gzip, bytes)) => response(bytes).header("Content-Encoding", "gzip"),
        Some((Coding::Deflate, bytes)) => response(bytes).header("Content-Encoding", "deflate"),
        None => response(bytes),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

/// The coding to use by an Accept-Encoding field: gzip before deflate, neither when refused by `q=0`.
fn compression(accepted: &str) -> Option<Coding> {
    let accepts = |coding: &str| {
        accepted.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
            let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            named && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
        })
    };
    [("gzip", Coding::Gzip), ("deflate", Coding::Deflate)]
        .into_iter()
        .find_map(|(name, coding)| accepts(name).then_some(coding))
}

fn compress(bytes: &[u8], coding: Coding) -> Option<Vec<u8>> {
    let level = Compression::default();
    match coding {
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).ok()?;
            encoder.finish().ok()
        }
        // What HTTP calls deflate is the zlib format (RFC 9110 8.4.1.2).
        Coding::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(bytes).ok()?;
            encoder.finish().ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragment_urls() {
        let wanted = Wanted::parse("QualityLevels(64000,a=b,c=d)/Fragments(audio_eng=20053333)").unwrap();
        assert_eq!(
            (wanted.bitrate, wanted.noun, wanted.name, wanted.time),
            (64_000, "Fragments", "audio_eng", 20_053_333)
        );
        assert_eq!(wanted.attributes, [("a", "b"), ("c", "d")]);
        for bad in [
            "QualityLevels(64000)",
            "QualityLevels(64000)/Fragments(video)",
            "QualityLevels(64000)/Fragments(video=+1)",
            "QualityLevels(064000)/Fragments(video=1)",
            "QualityLevels(64000,a)/Fragments(video=1)",
            "QualityLevels(64000/Fragments(video=1)",
            "QualityLevels()/Fragments(video=1)",
            "Fragments(video=1)",
        ] {
            assert_eq!(Wanted::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn targets() {
        assert_eq!(split("/a.ism/Manifest?x=1?2"), ("/a.ism/Manifest", "x=1?2"));
        assert_eq!(split("http://host:80/a?b"), ("/a", "b"));
        assert_eq!(split("http://host"), ("/", ""));
        assert_eq!(split("/a?u=http://b/c"), ("/a", "u=http://b/c"));
    }

    #[test]
    fn codings() {
        assert_eq!(compression("gzip, deflate"), Some(Coding::Gzip));
        assert_eq!(compression("deflate;q=1, gzip;q=0"), Some(Coding::Deflate));
        assert_eq!(compression("GZIP; q=0.5"), Some(Coding::Gzip));
        assert_eq!(compression("br, identity"), None);
        assert_eq!(compression(""), None);
    }
}
