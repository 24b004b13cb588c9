//! Moments and durations in whole seconds: their texts (RFC 3339 §5.6, Go's form of durations) and their calendar.

use crate::domain::time::date;

/// `2026-07-28T09:30:00Z` or with an offset, as seconds since 1970. Fractions of a second are dropped.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let (year, month, day) = (digits(date, 0, 4)?, digits(date, 5, 2)?, digits(date, 8, 2)?);
    let (separator, rest) = rest.split_at_checked(1)?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let (hour, minute, second) = (digits(clock, 0, 2)?, digits(clock, 3, 2)?, digits(clock, 6, 2)?);
    let fraction = rest.strip_prefix('.').map_or(0, |rest| 1 + rest.bytes().take_while(u8::is_ascii_digit).count());
    let offset = parse_offset(rest.get(fraction..)?)?;
    let marks = [date.get(4..5)?, date.get(7..8)?, clock.get(2..3)?, clock.get(5..6)?, separator];
    let sound = marks == ["-", "-", ":", ":", "T"]
        && fraction != 1
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    sound.then(|| days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

/// `Z`, `UTC`, `+02:00`, `-05:30`, as seconds east of Greenwich.
pub(super) fn parse_offset(text: &str) -> Option<i64> {
    if text == "Z" || text == "UTC" {
        return Some(0);
    }
    let (sign, clock) = text.split_at_checked(1)?;
    let (hours, minutes) = (digits(clock, 0, 2)?, digits(clock, 3, 2)?);
    let sound = clock.len() == 5 && clock.get(2..3) == Some(":") && hours < 24 && minutes < 60;
    let seconds = hours * 3600 + minutes * 60;
    match sign {
        "+" if sound => Some(seconds),
        "-" if sound => Some(-seconds),
        _ => None,
    }
}

/// `90s`, `1h30m`, `-15m`, in whole seconds.
pub(super) fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut total = 0_i64;
    while !rest.is_empty() {
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = rest.split_at_checked(length)?;
        let seconds = match unit.chars().next()? {
            'h' => 3600,
            'm' if !unit.starts_with("ms") => 60,
            's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(seconds)?)?;
        rest = unit.get(1..)?;
    }
    (text.len() > usize::from(sign < 0)).then_some(sign * total)
}

fn digits(text: &str, from: usize, length: usize) -> Option<i64> {
    let digits = text.get(from..from + length)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01; years are counted from March, as in [`crate::domain::time`].
const fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// A part of a moment's calendar, as CEL counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Year,
    /// From 0.
    Month,
    /// From 1.
    Date,
    /// From 0.
    DayOfMonth,
    /// From 0 for Sunday.
    DayOfWeek,
    /// From 0.
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
}

/// The part of the moment `seconds`, `offset` seconds east of Greenwich.
pub(super) fn part_of(part: Part, seconds: i64, offset: i64) -> i64 {
    let local = seconds.saturating_add(offset);
    let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let (year, month, day) = date(days);
    match part {
        Part::Year => year,
        Part::Month => month - 1,
        Part::Date => day,
        Part::DayOfMonth => day - 1,
        Part::DayOfWeek => (days + 4).rem_euclid(7),
        Part::DayOfYear => days - days_before(year, 1, 1),
        Part::Hours => second / 3600,
        Part::Minutes => second / 60 % 60,
        Part::Seconds => second % 60,
    }
}

/// The same part of a duration: all of it, in that unit.
pub(super) const fn total_of(part: Part, seconds: i64) -> Option<i64> {
    match part {
        Part::Hours => Some(seconds / 3600),
        Part::Minutes => Some(seconds / 60),
        Part::Seconds => Some(seconds),
        Part::Year | Part::Month | Part::Date | Part::DayOfMonth | Part::DayOfWeek | Part::DayOfYear => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_rfc_3339_writes_them() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T00:00:00Z", Some(951_782_400)),
            ("2026-07-28T11:30:00+02:00", Some(1_785_231_000)),
            ("2026-07-28T09:30:00.999Z", Some(1_785_231_000)),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800)),
            ("2026-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-07-28T24:00:00Z", None),
            ("2026-07-28 09:30:00Z", None),
            ("2026-07-28T09:30:00", None),
            ("2026-07-28T09:30:00.Z", None),
            ("2026-07-28", None),
            ("ü026-07-28T09:30:00Z", None),
            ("", None),
        ] {
            assert_eq!(parse_time(text), seconds, "{text}");
        }
    }

    #[test]
    fn the_calendar_agrees_with_the_texts_of_every_day() {
        let mut moment = parse_time("1896-01-01T12:34:56Z").unwrap();
        let mut weekday = 3; // a Wednesday
        while moment < parse_time("2104-03-02T00:00:00Z").unwrap() {
            let part = |part| part_of(part, moment, 0);
            let text =
                format!("{:04}-{:02}-{:02}T12:34:56Z", part(Part::Year), part(Part::Month) + 1, part(Part::Date));
            assert_eq!((parse_time(&text), part(Part::DayOfWeek)), (Some(moment), weekday), "{text}");
            (moment, weekday) = (moment + 86_400, (weekday + 1) % 7);
        }
        assert_eq!(part_of(Part::Hours, 0, -3600), 23);
        assert_eq!(part_of(Part::DayOfYear, parse_time("2024-12-31T23:59:59Z").unwrap(), 0), 365);
        let _ = [i64::MIN, i64::MAX].map(|moment| part_of(Part::DayOfYear, moment, 86_399));
    }

    #[test]
    fn durations_are_whole_seconds() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("1h30m", Some(5400)),
            ("-15m", Some(-900)),
            ("0s", Some(0)),
            ("100ms", None),
            ("1.5h", None),
            ("15", None),
            ("", None),
            ("-", None),
            ("h", None),
            ("99999999999999999h", None),
        ] {
            assert_eq!(parse_duration(text), seconds, "{text}");
        }
    }
}
