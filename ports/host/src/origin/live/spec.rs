//! What `--live` says of a channel: `NAME[,OPTION=VALUE...]`.

use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

use crate::media::ismc::Timeline;
use crate::media::stamp::Width;
use crate::origin::clock::Moment;

/// The help of all options, for `--help`.
pub const HELP: &str = "Live channels:
  --live NAME[,OPTION=VALUE...] makes an endless channel of a presentation in DIR, at
  /NAME.isml/Manifest. Its fragments come one after the other by the clock, and from the end
  it starts again while time goes on.
      --live news                            from the only presentation in DIR
      --live news,from=testcard/testcard.ism,dvr=60,lookahead=2
      --live @channels.txt                   from a file with a line for each, blanks or commas
                                             between the options, and # comments

  from=PATH         the presentation, as the origin names it without --live
  lookahead=N       fragments that each fragment announces (tfrf) and the manifest holds back
                    [default: 2]
  dvr=SECONDS|inf   how far back the manifest lists fragments [default: 120]
  history=SECONDS   how long the channel has been on the air when the origin starts
                    [default: enough to fill dvr, or 120]
  grace=SECONDS     how long a fragment can be had after it has left the manifest [default: 10]
  base=TICKS        time of the first fragment in 100 ns [default: 0]; utc1970 and utc1601
                    count from those years
  islive=TEXT       the value of IsLive [default: TRUE]
  tfxd=v1|v0|none   with 64 or 32 bits (64 where 32 do not do), or left away [default: v1]
  tfrf=v1|v0|none   likewise
  tfdt=yes          adds the decode time of the ISO standard
  list=td|d|r       t and d in each c; t only where it does not follow; runs with r
                    [default: td]
  timescale=N       ticks a second of every stream [default: as in the file]
  stretch=A/B       slower or faster: 1001/1200 makes 29.97 pictures a second of 25; times stop
                    being round
  merge=MIN-MAX     so many fragments of the file become one, by chance: uneven durations; in
                    the clear only
  wrong-d=TICKS     durations in manifest and tfrf are wrong by up to so much; times are right
  seed=N            of what is by chance [default: 1]
  gap=[STREAM@]AT+LEN
                    nothing is there for LEN seconds from second AT of the clock on
  splice=AT+SHIFT   another encoder takes over, its times later by SHIFT seconds; AT-SHIFT:
                    earlier
  restart=AT+DOWN   the encoder starts again DOWN seconds later, and with it all times
  end=AT            the event ends
  then=vod          after that: IsLive is off at this URL (default); stall: it keeps saying that
                    it is live; gone: it answers 404
  announce=yes      gives the duration beforehand
  early=STATUS      for a fragment that is not there yet [default: 412]
  expired=STATUS    for one that is not there any more [default: 404]
  gap, splice and restart can be given more than once.";

/// What a channel does.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The path of its URL, up to and with `.isml`.
    pub path: String,
    pub from: Option<String>,
    pub look_ahead: u8,
    /// Microseconds; `None` keeps everything.
    pub window: Option<u64>,
    pub history: Option<u64>,
    pub grace: u64,
    pub base: Base,
    pub spelling: String,
    pub tfxd: Option<Width>,
    pub tfrf: Option<Width>,
    pub decode_time: bool,
    pub list: Timeline,
    pub timescale: Option<u64>,
    pub stretch: (u64, u64),
    pub merge: (u64, u64),
    pub wrong: u64,
    pub seed: u64,
    pub gaps: Vec<Gap>,
    /// When, and by how much, in microseconds.
    pub splices: Vec<(u64, i64)>,
    /// When, and for how long, in microseconds.
    pub restarts: Vec<(u64, u64)>,
    pub end: Option<u64>,
    pub then: Then,
    pub announce: bool,
    pub early: u16,
    pub expired: u16,
}

/// Where times start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Units of 100 ns.
    Ticks(u64),
    Since1970,
    Since1601,
}

/// A while without anything, in microseconds of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Every stream when not given.
    pub stream: Option<String>,
    pub at: u64,
    pub len: u64,
}

/// What becomes of the URL after the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Vod,
    Stall,
    Gone,
}

/// Reads the values of `--live`, and the files they name.
///
/// # Errors
/// When one cannot be understood.
pub fn read(values: &[String]) -> Result<Vec<Spec>> {
    let mut specs: Vec<Spec> = Vec::new();
    for value in values {
        match value.strip_prefix('@') {
            None => specs.push(value.parse().with_context(|| format!("--live {value}"))?),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| path.to_owned())?;
                for (at, line) in text.lines().enumerate() {
                    let line = line.split('#').next().unwrap_or("").trim();
                    if !line.is_empty() {
                        specs.push(line.parse().with_context(|| format!("{path}, line {}", at + 1))?);
                    }
                }
            }
        }
    }
    for (at, spec) in specs.iter().enumerate() {
        let twice = specs.iter().take(at).any(|other| other.path == spec.path);
        ensure!(!twice, "two channels at {}", spec.path);
    }
    Ok(specs)
}

impl FromStr for Spec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut words = text.split([',', ' ', '\t']).filter(|word| !word.is_empty());
        let name = words.next().context("a channel needs a name")?.trim_start_matches('/');
        ensure!(!name.contains('='), "a channel's name comes first: NAME,{name}");
        let known = [".isml", ".ism"].iter().any(|extension| name.to_ascii_lowercase().ends_with(extension));
        let mut spec = Self {
            path: if known { format!("/{name}") } else { format!("/{name}.isml") },
            from: None,
            look_ahead: 2,
            window: Some(120_000_000),
            history: None,
            grace: 10_000_000,
            base: Base::Ticks(0),
            spelling: "TRUE".to_owned(),
            tfxd: Some(Width::Long),
            tfrf: Some(Width::Long),
            decode_time: false,
            list: Timeline::Singles,
            timescale: None,
            stretch: (1, 1),
            merge: (1, 1),
            wrong: 0,
            seed: 1,
            gaps: Vec::new(),
            splices: Vec::new(),
            restarts: Vec::new(),
            end: None,
            then: Then::Vod,
            announce: false,
            early: 412,
            expired: 404,
        };
        for word in words {
            let (name, value) = word.split_once('=').with_context(|| format!("{word}: not OPTION=VALUE"))?;
            spec.option(name, value).with_context(|| word.to_owned())?;
        }
        spec.splices.sort_unstable();
        spec.restarts.sort_unstable();
        let overlap = spec.restarts.windows(2).any(|two| two[0].0 + two[0].1 >= two[1].0);
        ensure!(!overlap, "a restart within a restart");
        Ok(spec)
    }
}

impl Spec {
    /// What publishing points do: those options that concern what is there, not what is made.
    ///
    /// # Errors
    /// When an option is of another kind.
    pub fn of_ingest(options: Option<&str>) -> Result<Self> {
        let mut spec: Self = format!("ingest,dvr=inf,{}", options.unwrap_or("")).parse()?;
        let plain: Self = "ingest".parse()?;
        let shown = Self {
            look_ahead: plain.look_ahead,
            window: plain.window,
            grace: plain.grace,
            spelling: plain.spelling.clone(),
            tfxd: plain.tfxd,
            tfrf: plain.tfrf,
            decode_time: plain.decode_time,
            list: plain.list,
            then: plain.then,
            early: plain.early,
            expired: plain.expired,
            ..spec.clone()
        };
        ensure!(shown == plain, "an option that only --live knows");
        spec.path.clear();
        Ok(spec)
    }

    fn option(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "from" => {
                self.from = Some(format!("/{}", value.trim_start_matches('/').trim_end_matches("/Manifest")))
            }
            "lookahead" => self.look_ahead = number(value, 0, 100)? as u8,
            "dvr" => self.window = if value == "inf" { None } else { Some(Moment::parse(value)?) },
            "history" => self.history = Some(Moment::parse(value)?),
            "grace" => self.grace = Moment::parse(value)?,
            "base" => {
                self.base = match value {
                    "utc1970" => Base::Since1970,
                    "utc1601" => Base::Since1601,
                    ticks => Base::Ticks(number(ticks, 0, 1 << 62)?),
                }
            }
            "islive" => value.clone_into(&mut self.spelling),
            "tfxd" => self.tfxd = width(value)?,
            "tfrf" => self.tfrf = width(value)?,
            "tfdt" => self.decode_time = yes(value)?,
            "list" => {
                self.list = match value {
                    "r" => Timeline::Runs,
                    "td" => Timeline::Singles,
                    "d" => Timeline::Durations,
                    _ => bail!("is td, d or r"),
                }
            }
            "timescale" => self.timescale = Some(number(value, 1, u32::MAX.into())?),
            "stretch" => {
                let (times, over) = value.split_once('/').unwrap_or((value, "1"));
                self.stretch = (number(times, 1, 1_000_000)?, number(over, 1, 1_000_000)?);
            }
            "merge" => {
                let (least, most) = value.split_once('-').unwrap_or((value, value));
                self.merge = (number(least, 1, 100)?, number(most, 1, 100)?);
                ensure!(self.merge.0 <= self.merge.1, "the first number is the smaller one");
            }
            "wrong-d" => self.wrong = number(value, 0, 10_000_000)?,
            "seed" => self.seed = number(value, 0, u64::MAX)?,
            "gap" => {
                let (stream, rest) = match value.rsplit_once('@') {
                    Some((stream, rest)) => (Some(stream.to_owned()), rest),
                    None => (None, value),
                };
                let (at, len) = pair(rest, '+')?;
                self.gaps.push(Gap { stream, at, len });
            }
            "splice" => {
                let sign = if value.contains('-') { '-' } else { '+' };
                let (at, by) = pair(value, sign)?;
                let by = i64::try_from(by)?;
                self.splices.push((at, if sign == '-' { -by } else { by }));
            }
            "restart" => self.restarts.push(pair(value, '+')?),
            "end" => self.end = Some(Moment::parse(value)?),
            "then" => {
                self.then = match value {
                    "vod" => Then::Vod,
                    "stall" => Then::Stall,
                    "gone" => Then::Gone,
                    _ => bail!("is vod, stall or gone"),
                }
            }
            "announce" => self.announce = yes(value)?,
            "early" => self.early = number(value, 400, 599)? as u16,
            "expired" => self.expired = number(value, 400, 599)? as u16,
            _ => bail!("no such option; smoothcore origin --help lists them"),
        }
        Ok(())
    }
}

fn number(text: &str, least: u64, most: u64) -> Result<u64> {
    let value: u64 = text.parse().with_context(|| format!("{text:?} is no whole number"))?;
    ensure!((least..=most).contains(&value), "is {least} to {most}");
    Ok(value)
}

fn pair(text: &str, between: char) -> Result<(u64, u64)> {
    let (at, len) =
        text.split_once(between).with_context(|| format!("two numbers with a {between} between"))?;
    Ok((Moment::parse(at)?, Moment::parse(len)?))
}

fn yes(text: &str) -> Result<bool> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => bail!("is yes or no"),
    }
}

fn width(text: &str) -> Result<Option<Width>> {
    match text {
        "v1" => Ok(Some(Width::Long)),
        "v0" => Ok(Some(Width::Short)),
        "none" => Ok(None),
        _ => bail!("is v1, v0 or none"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let spec: Spec = "a/news dvr=inf,lookahead=0, gap=video@30+4 gap=50+1.5 splice=9-0.3 restart=70+5"
            .parse()
            .unwrap();
        assert_eq!((spec.path.as_str(), spec.window, spec.look_ahead), ("/a/news.isml", None, 0));
        let video = Gap { stream: Some("video".into()), at: 30_000_000, len: 4_000_000 };
        assert_eq!(spec.gaps, [video, Gap { stream: None, at: 50_000_000, len: 1_500_000 }]);
        assert_eq!(
            (spec.splices, spec.restarts),
            (vec![(9_000_000, -300_000)], vec![(70_000_000, 5_000_000)])
        );
        for bad in [
            "",
            "dvr=3",
            "a,dvr",
            "a,dvr=x",
            "a,dvr=-1",
            "a,gap=3",
            "a,stretch=0/1",
            "a,merge=3-2",
            "a,what=1",
        ] {
            assert!(bad.parse::<Spec>().is_err(), "{bad}");
        }
        assert_eq!("Live.ISML".parse::<Spec>().unwrap().path, "/Live.ISML");
    }
}
