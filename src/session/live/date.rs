//! The `Date` of a response. RFC 9110, 5.6.7.

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// Seconds since 1970 of a date like `Sun, 06 Nov 1994 08:49:37 GMT`; `None` for any other form.
pub(super) fn seconds(date: &str) -> Option<u64> {
    let mut words = date.as_bytes().split(|b| *b == b' ').filter(|w| !w.is_empty());
    let _weekday = words.next()?;
    let day = number(words.next()?, 2)?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|m| m.as_slice() == name)? as u64;
    let year = number(words.next()?, 4)?;
    let mut time = words.next()?.split(|b| *b == b':');
    let hour = number(time.next()?, 2)?;
    let minute = number(time.next()?, 2)?;
    let second = number(time.next()?, 2)?;
    let fits = (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61 && year >= 1970;
    if !fits || words.next()? != b"GMT" {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let from_march = (month + 10) % 12;
    let years = if month < 2 { year - 1 } else { year };
    let leaps = years / 4 - years / 100 + years / 400;
    let days = years * 365 + leaps + (from_march * 153 + 2) / 5 + day - 1;
    let since = days.checked_sub(719_468)?;
    Some(since * 86_400 + hour * 3_600 + minute * 60 + second)
}

fn number(text: &[u8], most: usize) -> Option<u64> {
    if text.len() > most { None } else { crate::digits::decimal(core::str::from_utf8(text).ok()?) }
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn dates_as_servers_write_them() {
        for (date, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ] {
            assert_eq!(seconds(date), Some(expected), "{date}");
        }
    }

    #[test]
    fn other_forms_say_nothing() {
        for date in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999 08:49:37 GMT",
        ] {
            assert_eq!(seconds(date), None, "{date}");
        }
    }
}
