//! A moment as JWTs write it: whole seconds since 1970 (RFC 7519 §2, `NumericDate`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Seconds since the Unix epoch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(u64);

impl UnixTime {
    /// From whole seconds since the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Whole seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This moment and `duration` more; saturates instead of overflowing.
    #[must_use]
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// In the form of RFC 3339, in UTC.
    pub fn to_rfc3339(self) -> String {
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = date(i64::try_from(days).unwrap_or(i64::MAX));
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

/// Year, month and day, so many days after 1970-01-01, in the Gregorian calendar. Years are counted from March: the leap
/// day is then the last of its year, and the lengths of the months follow one rule.
pub(crate) const fn date(days: i64) -> (i64, i64, i64) {
    const FROM_MARCH_OF_YEAR_0: i64 = 719_468;
    const IN_400_YEARS: i64 = 146_097;
    let days = days.saturating_add(FROM_MARCH_OF_YEAR_0);
    let (era, day) = (days.div_euclid(IN_400_YEARS), days.rem_euclid(IN_400_YEARS));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let end = UnixTime::from_secs(u64::MAX);
        assert_eq!(end.plus(Duration::from_secs(1)), end);
        assert_eq!(UnixTime::from_secs(1).since(end), Duration::ZERO);
        assert_eq!(end.since(UnixTime::from_secs(u64::MAX - 5)).as_secs(), 5);
    }

    /// The expected texts are those of `date --utc --iso-8601=seconds --date=@…`.
    #[test]
    fn moments_are_written_as_rfc_3339_wants_them() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (59, "1970-01-01T00:00:59Z"),
            (68_169_600, "1972-02-29T00:00:00Z"),
            (68_255_999, "1972-02-29T23:59:59Z"),
            (68_256_000, "1972-03-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (978_307_199, "2000-12-31T23:59:59Z"),
            (1_795_243_365, "2026-11-21T06:42:45Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(UnixTime::from_secs(seconds).to_rfc3339(), text);
        }
        assert!(UnixTime::from_secs(u64::MAX).to_rfc3339().ends_with(":15Z"));
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut expected = (1970, 1, 1);
        for days in 0..146_097 {
            assert_eq!(date(days), expected);
            let (year, month, day) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                _ if day == length => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
    }
}
