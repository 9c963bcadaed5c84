//! The language of fault scripts.

use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::Fault;
use super::rule::{Kind, Rule};
use crate::media::text::Encoding;
use crate::origin::clock::Moment;

/// The seed and rules of a script.
///
/// # Errors
/// When a line cannot be understood.
pub fn script(text: &str) -> Result<(u64, Vec<Rule>)> {
    let (mut seed, mut rules) = (1, Vec::new());
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let read = || -> Result<Option<Rule>> {
            if let Some(number) = line.strip_prefix("seed ") {
                seed = number.trim().parse().context("seed")?;
                return Ok(None);
            }
            let (conditions, fault) = line.split_once(" : ").context("CONDITION... : FAULT")?;
            let mut rule = Rule::new(fault_of(fault)?);
            for word in conditions.split_whitespace() {
                condition(&mut rule, word).with_context(|| word.to_owned())?;
            }
            Ok(Some(rule))
        };
        rules.extend({ read }().with_context(|| format!("line {}: {line}", at + 1))?);
    }
    Ok((seed, rules))
}

fn condition(rule: &mut Rule, word: &str) -> Result<()> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    match (name, value) {
        ("any", "") => rule.kind = None,
        ("manifest", "") => rule.kind = Some(Kind::Manifest),
        ("fragment", "") => rule.kind = Some(Kind::Fragment),
        ("info", "") => rule.kind = Some(Kind::Info),
        ("stream", name) => rule.stream = Some(name.to_owned()),
        ("level", bitrate) => rule.level = Some(bitrate.parse()?),
        ("path", text) => rule.path = Some(text.to_owned()),
        ("time", range) => {
            let (range, again) = match range.split_once('/') {
                Some((range, again)) => (range, Some(Moment::parse(again)?)),
                None => (range, None),
            };
            let (from, until) = range.split_once("..").context("time=A..B")?;
            let until = if until.is_empty() { u64::MAX } else { Moment::parse(until)? };
            rule.time = Some((Moment::parse(from)?, until, again));
        }
        ("nth", range) => rule.nth = Some(numbers(range)?),
        ("try", range) => rule.tries = Some(numbers(range)?),
        ("every", count) => {
            rule.every = count.parse()?;
            ensure!(rule.every > 0, "every=0");
        }
        ("p", chance) => {
            let chance: f64 = chance.parse()?;
            ensure!((0.0..=1.0).contains(&chance), "a probability is 0 to 1");
            rule.chance = (chance * (1_u64 << 32) as f64) as u64;
        }
        ("times", count) => rule.times = count.parse()?,
        _ => bail!("no such condition"),
    }
    Ok(())
}

fn numbers(range: &str) -> Result<RangeInclusive<u64>> {
    Ok(match range.split_once("..") {
        Some((from, "")) => from.parse()?..=u64::MAX,
        Some((from, until)) => from.parse()?..=until.parse()?,
        None => {
            let one = range.parse()?;
            one..=one
        }
    })
}

fn fault_of(text: &str) -> Result<Fault> {
    let mut words = text.split_whitespace();
    let name = words.next().context("no fault")?;
    let (named, plain): (Vec<&str>, Vec<&str>) =
        words.partition(|word| word.contains('=') && !word.contains("://"));
    let mut plain = plain.into_iter();
    let mut first = || plain.next().with_context(|| format!("{name} needs a value"));
    let option = |wanted: &str| {
        named
            .iter()
            .find_map(|word| word.split_once('=').filter(|(name, _)| *name == wanted))
            .map(|(_, value)| value)
    };
    let fault = match name {
        "refuse" => Fault::Refuse,
        "delay" => Fault::Delay(Duration::from_millis(first()?.parse()?)),
        "stall" => {
            let time = Duration::from_micros(Moment::parse(first()?)?);
            Fault::Stall(time, share(first().ok())?)
        }
        "drip" => {
            let rate = first()?.parse()?;
            ensure!(rate > 0, "drip needs at least a byte a second");
            Fault::Drip(rate)
        }
        "reset" => Fault::Reset(share(first().ok())?),
        "close" => Fault::Close(share(first().ok())?),
        "no-length" => Fault::NoLength,
        "status" => {
            let status = first()?.parse()?;
            ensure!((200..600).contains(&status), "status {status}");
            Fault::Status(status, option("retry-after").map(str::parse).transpose()?)
        }
        "html" => Fault::Html,
        "empty" => Fault::Empty,
        "redirect" => {
            let to = first()?.to_owned();
            let status = option("code").map_or(Ok(302), str::parse)?;
            ensure!(matches!(status, 301 | 302 | 303 | 307 | 308), "code={status} is no redirect");
            Fault::Redirect(to, status)
        }
        "wrong" => match first()? {
            "before" => Fault::WrongBefore,
            "other" => Fault::WrongOther,
            _ => bail!("wrong before, or wrong other"),
        },
        "stale" => Fault::Stale(first()?.parse()?),
        "durations" => Fault::Durations(first()?.parse()?),
        "last-without-d" => Fault::LastWithoutD,
        "list" => match first()? {
            "td" => Fault::Singles,
            _ => bail!("list td"),
        },
        "names-twice" => Fault::NamesTwice,
        "no-fourcc" => Fault::NoFourCc,
        "utf16" => match first()? {
            "le" => Fault::Utf16(Encoding::Utf16Le),
            "be" => Fault::Utf16(Encoding::Utf16Be),
            _ => bail!("utf16 le, or utf16 be"),
        },
        "gzip-bomb" => {
            let size = first()?.parse()?;
            ensure!((1..=4096).contains(&size), "1 to 4096 MB");
            Fault::GzipBomb(size)
        }
        "truncate" => Fault::Truncate(share(first().ok())?),
        "corrupt" => Fault::Corrupt(first()?.parse()?),
        "data-offset" => Fault::DataOffset(first()?.parse()?),
        "no-durations" => Fault::NoDurations,
        "tfrf-first" => Fault::TfrfFirst,
        "no-tfrf" => Fault::NoTfrf,
        _ => bail!("no fault {name}; smoothcore origin --help lists them"),
    };
    ensure!(plain.next().is_none(), "too many values for {name}");
    Ok(fault)
}

/// A percentage as a share; half of it when not given.
fn share(text: Option<&str>) -> Result<f64> {
    let Some(text) = text else { return Ok(0.5) };
    let number: f64 = text.strip_suffix('%').with_context(|| format!("{text} is no percentage"))?.parse()?;
    ensure!((0.0..=100.0).contains(&number), "{text}: 0% to 100%");
    Ok(number / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_the_help_is_understood() {
        let script = "seed 9\n\
            time=30..90 : status 503 retry-after=5 # away\n\
            manifest p=0.5 : stale 20\n\
            stream=video level=1 nth=5 : truncate 60%\n\
            fragment try=1 every=10 : reset\n\
            stream=audio time=100..120/300 times=3 : drip 2000\n\
            any path=x.ism nth=2.. : redirect http://host:1/a code=307\n\
            any : refuse\ninfo : delay 20\nany : stall 2 10%\nany : close 0%\nany : no-length\nany : html\nany : empty\n\
            any : wrong before\nany : wrong other\nany : durations 70\nany : last-without-d\nany : list td\n\
            any : names-twice\nany : no-fourcc\nany : utf16 le\nany : utf16 be\nany : gzip-bomb 10\nany : corrupt 3\n\
            any : data-offset -8\nany : no-durations\nany : tfrf-first\nany : no-tfrf\n";
        let (seed, rules) = super::script(script).unwrap();
        assert_eq!((seed, rules.len()), (9, 28));
        assert_eq!(rules[0].fault, Fault::Status(503, Some(5)));
        assert_eq!(rules[4].time, Some((100_000_000, 120_000_000, Some(300_000_000))));
        assert_eq!(rules[5].fault, Fault::Redirect("http://host:1/a".into(), 307));
        for bad in [
            "refuse",
            "any : explode",
            "any : delay",
            "any : delay 1 2",
            "when=3 : html",
            "p=2 : html",
            "any : truncate 3",
        ] {
            assert!(super::script(bad).is_err(), "{bad}");
        }
    }
}
