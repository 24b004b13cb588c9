//! Days and ages as people read them. All in UTC: without scripts nobody knows where the reader is.

use time::OffsetDateTime;

use crate::domain::UnixTime;

/// "3 June 2026"
pub(super) fn day(moment: UnixTime) -> String {
    let date = date_time(moment).date();
    format!("{} {} {}", date.day(), date.month(), date.year())
}

/// "2026-06-03T08:05:09Z", for machines.
pub(super) fn exact(moment: UnixTime) -> String {
    let (year, month, day) = date_time(moment).to_calendar_date();
    let (hour, minute, second) = date_time(moment).to_hms();
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", u8::from(month))
}

/// "just now", "5 minutes ago", and the day for what is long ago.
pub(super) fn age(moment: UnixTime, now: UnixTime) -> String {
    let seconds = now.since(moment).as_secs();
    let ago = |count: u64, unit: &str| format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
    match seconds {
        0..60 => "just now".to_owned(),
        60..3_600 => ago(seconds / 60, "minute"),
        3_600..86_400 => ago(seconds / 3_600, "hour"),
        86_400..1_209_600 => ago(seconds / 86_400, "day"),
        _ => day(moment),
    }
}

/// Moments beyond the year 9999 are none that anybody has to read.
fn date_time(moment: UnixTime) -> OffsetDateTime {
    let seconds = i64::try_from(moment.as_secs()).ok();
    let known = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    known.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_for_people_and_for_machines() {
        let moment = UnixTime::from_secs(1_780_473_909);
        assert_eq!((day(moment), exact(moment)), ("3 June 2026".to_owned(), "2026-06-03T08:05:09Z".to_owned()));
        assert_eq!(day(UnixTime::from_secs(u64::MAX)), "1 January 1970");
    }

    #[test]
    fn ages_get_coarser() {
        let moment = UnixTime::from_secs(1_780_473_909);
        let cases = [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (1_209_599, "13 days ago"),
            (1_209_600, "3 June 2026"),
        ];
        for (seconds, shown) in cases {
            assert_eq!(age(moment, UnixTime::from_secs(1_780_473_909 + seconds)), shown);
        }
        assert_eq!(age(moment, UnixTime::from_secs(0)), "just now");
    }
}
