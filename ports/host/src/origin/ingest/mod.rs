//! Publishing points: an encoder posts a live stream that has no end, and it is on the air ([MS-SSTR] 1.3; the upload that
//! IIS Live Smooth Streaming took).

mod archive;
mod feed;
mod level;
mod point;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::live::spec::Spec;
pub use point::{Part, Point};

/// The help of ingest, for `--help`.
pub const HELP: &str = "Ingest:
  An encoder publishes with POST /NAME.isml/Streams(ID), or .../Events(E)/Streams(ID): fragmented
  MP4 in chunked transfer encoding. Nothing has to be set up:
      ffmpeg -re -i IN -c:v libx264 -g 50 -c:a aac -f ismv \\
          -movflags isml+frag_keyframe 'http://HOST/live.isml/Streams(a)'
  The channel is then at /live.isml/Manifest. Several streams of one channel, other bitrates say,
  come as Streams(a), Streams(b) and so on, with the same times. An encoder that lost its
  connection may come back and send again what it sent before. When the streams end (empty mfra,
  or end of the body), DIR has NAME.ism, NAME.ismc and a NAME_ID.ismv for each stream, and the
  URL goes on as a presentation on demand with the same times; so does /NAME.ism/Manifest.
  --ingest OPTION=VALUE,... takes lookahead, dvr [default: inf], grace, islive, tfxd, tfrf, tfdt,
  list, then, early and expired, as for --live.
  Whoever reaches the port can publish: --no-ingest forbids it.";

/// What publishing points do.
#[derive(Debug)]
pub struct Settings {
    pub dir: PathBuf,
    pub spec: Spec,
    /// How long a stream whose connection broke is waited for.
    pub reconnect: Duration,
}

/// Every publishing point there has been a request for.
#[derive(Debug)]
pub struct Points {
    settings: Option<Settings>,
    points: Mutex<HashMap<String, Arc<Point>>>,
}

/// What a request to publish names.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The path of the channel, up to and with `.isml`.
    pub path: &'a str,
    pub stream: &'a str,
}

impl Points {
    /// Points that write into `dir`; none at all without settings.
    pub fn new(settings: Option<Settings>) -> Self {
        Self { settings, points: Mutex::default() }
    }

    /// The point at a path, if anybody ever published there.
    pub fn get(&self, path: &str) -> Option<Arc<Point>> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner).get(&path.to_ascii_lowercase()).cloned()
    }

    /// The point at a path, made when there is none.
    ///
    /// # Errors
    /// When nobody may publish, or not there.
    pub fn open(&self, path: &str) -> Result<Arc<Point>> {
        let Some(settings) = &self.settings else { bail!("publishing is off (--no-ingest)") };
        if let Some(point) = self.get(path) {
            return Ok(point);
        }
        let (folder, name) = place(&settings.dir, path)?;
        let point = Arc::new(Point::new(path, folder, name, settings));
        let mut points = self.points.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(points.entry(path.to_ascii_lowercase()).or_insert(point).clone())
    }
}

/// Where a channel is archived: a directory that is there, and a name in it.
fn place(dir: &Path, path: &str) -> Result<(PathBuf, String)> {
    let mut folder = dir.to_owned();
    let mut parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let file = parts.pop().unwrap_or("");
    for part in parts {
        ensure!(is_plain(part), "{part:?} is no directory name");
        folder.push(part);
    }
    let (name, _) = file.rsplit_once('.').unwrap_or((file, ""));
    ensure!(is_plain(name), "{name:?} is no name for a channel");
    ensure!(
        folder.is_dir(),
        "the origin has no directory {}",
        path.rsplit_once('/').map_or("", |(up, _)| up)
    );
    Ok((folder, name.to_owned()))
}

/// Whether a name can stand for a file without surprises.
fn is_plain(name: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.chars().all(fine)
}

impl<'a> Target<'a> {
    /// Reads a decoded path: `NAME.isml/Streams(ID)` or `NAME.isml/Events(E)/Streams(ID)`.
    pub fn parse(path: &'a str) -> Option<Self> {
        let (rest, last) = path.rsplit_once('/')?;
        let stream = inside(last, "streams(")?;
        let rest = match rest.rsplit_once('/') {
            Some((up, event)) if inside(event, "events(").is_some() => up,
            _ => rest,
        };
        let lower = rest.to_ascii_lowercase();
        let known = lower.ends_with(".isml") && is_plain(stream);
        known.then_some(Self { path: rest, stream })
    }
}

fn inside<'a>(text: &'a str, noun: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(noun.len())?;
    head.eq_ignore_ascii_case(noun).then(|| rest.strip_suffix(')'))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        let target = |path| Target::parse(path).map(|target| (target.path, target.stream));
        assert_eq!(target("/live.isml/Streams(a)"), Some(("/live.isml", "a")));
        assert_eq!(target("/a/live.isml/events(1)/streams(b-2)"), Some(("/a/live.isml", "b-2")));
        for bad in [
            "/live.isml",
            "/live.ism/Streams(a)",
            "/live.isml/Streams()",
            "/live.isml/Streams(../a)",
            "/Streams(a)",
        ] {
            assert_eq!(target(bad), None, "{bad}");
        }
        assert!(place(Path::new("/"), "/../x.isml").is_err());
        assert!(place(Path::new("/"), "/.isml").is_err());
        assert_eq!(place(Path::new("/"), "/x.isml").unwrap(), (PathBuf::from("/"), "x".to_owned()));
    }
}
