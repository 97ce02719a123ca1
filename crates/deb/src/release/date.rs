use std::time::{Duration, SystemTime};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// 1970 began on a Thursday.
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// Reads a date as `Release` files have it: `Sat, 21 Nov 2026 09:15:44 UTC`.
///
/// The weekday may be absent and is not compared with the date; day and hour may have one digit. As for apt, the
/// zone has to be UTC by one of its names. `None` for all else, and for times before 1970.
pub fn parse(text: &str) -> Option<SystemTime> {
    let mut words = text.split_ascii_whitespace().peekable();
    if let Some(day) = words.peek().and_then(|word| word.strip_suffix(',')) {
        if !DAYS.iter().any(|known| known.eq_ignore_ascii_case(day)) {
            return None;
        }
        words.next();
    }
    let day = number(words.next()?, 1, 2)?;
    let month = words.next()?;
    let month = MONTHS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(month))? as u64
        + 1;
    let year = number(words.next()?, 4, 4)?;
    let mut clock = words.next()?.split(':');
    let hour = number(clock.next()?, 1, 2)?;
    let minute = number(clock.next()?, 2, 2)?;
    let second = number(clock.next()?, 2, 2)?;
    let zone = words.next()?;
    let universal = ["UTC", "GMT", "UT", "Z", "+0000", "-0000"].contains(&zone);
    // A 60 is a leap second; it counts as the next minute's first one.
    let proper = day >= 1 && day <= length(year, month) && hour < 24 && minute < 60 && second <= 60;
    if !universal || !proper || year < 1970 || words.next().is_some() || clock.next().is_some() {
        return None;
    }
    let days: u64 = (1970..year).map(year_length).sum::<u64>()
        + (1..month).map(|earlier| length(year, earlier)).sum::<u64>()
        + (day - 1);
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(
        ((days * 24 + hour) * 60 + minute) * 60 + second,
    ))
}

/// A time as [`parse`] reads it; the start of 1970 for what is before.
pub fn format(time: SystemTime) -> String {
    let seconds = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let (days, clock) = (seconds / 86400, seconds % 86400);
    let weekday = DAYS.get((days % 7) as usize).copied().unwrap_or_default();
    // 400 years have a fixed number of days, so that a far time needs no long loop.
    let (mut year, mut day) = (1970 + days / 146_097 * 400, days % 146_097);
    while day >= year_length(year) {
        day -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while day >= length(year, month) {
        day -= length(year, month);
        month += 1;
    }
    let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!(
        "{weekday}, {:02} {name} {year} {hour:02}:{minute:02}:{second:02} UTC",
        day + 1
    )
}

fn number(text: &str, least: usize, most: usize) -> Option<u64> {
    let right = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if right { text.parse().ok() } else { None }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn year_length(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn length(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn dates() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 UTC", 0),
            ("Sat, 11 Jul 2026 10:16:37 UTC", 1_783_764_997),
            ("Tue, 29 Feb 2000 23:59:59 UTC", 951_868_799),
            ("Fri, 31 Dec 9999 23:59:59 UTC", 253_402_300_799),
        ] {
            assert_eq!(parse(text), Some(at(seconds)), "{text}");
            assert_eq!(format(at(seconds)), text);
        }
    }

    #[test]
    fn other_spellings() {
        for text in [
            "Sat,  1 Aug 2026  5:06:07 UTC",
            "1 aug 2026 05:06:07 GMT",
            "sat, 01 Aug 2026 05:06:07 +0000",
            "Mon, 1 Aug 2026 05:06:07 Z",
        ] {
            assert_eq!(
                parse(text).map(format).as_deref(),
                Some("Sat, 01 Aug 2026 05:06:07 UTC"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "yesterday",
            "Sat, 11 Jul 2026 10:16:37",
            "Sat, 11 Jul 2026 10:16:37 CET",
            "Sat, 11 Jul 2026 10:16:37 +0200",
            "Sat, 11 Jul 2026 10:16:37 UTC more",
            "Xyz, 11 Jul 2026 10:16:37 UTC",
            "Sat, 31 Jun 2026 10:16:37 UTC",
            "Sat, 29 Feb 2100 10:16:37 UTC",
            "Sat, 00 Jul 2026 10:16:37 UTC",
            "Sat, 11 Jul 26 10:16:37 UTC",
            "Sat, 11 Jul 1969 10:16:37 UTC",
            "Sat, 11 Jul 2026 24:16:37 UTC",
            "Sat, 11 Jul 2026 10:60:37 UTC",
            "Sat, 11 Jul 2026 10:16:61 UTC",
            "Sat, 11 Jul 2026 10:16:37:1 UTC",
            "Sat, 11 Jul 2026 +1:16:37 UTC",
            "2026-07-11T10:16:37Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn round_trip(seconds in 0..253_402_300_800u64) {
            proptest::prop_assert_eq!(parse(&format(at(seconds))), Some(at(seconds)));
        }

        #[test]
        fn any_time_has_a_text(seconds in 0..i64::MAX as u64 / 2) {
            format(SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(SystemTime::UNIX_EPOCH));
        }
    }
}
