//! Points in time as tokens write them (RFC 7519 section 2, NumericDate).

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use subrosa_base::codec::json::Json;

/// Whole seconds since 1970-01-01T00:00:00Z; earlier times count as that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime(u64);

/// A day before the year 10000, after which calendars run out of digits.
const LATEST: u64 = 253_402_207_200;

impl UnixTime {
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(if seconds < LATEST { seconds } else { LATEST })
    }

    /// The time that a JSON number of whole seconds says.
    pub fn from_json(json: &Json) -> Option<Self> {
        let seconds = json.as_number()?.parse().ok()?;
        (seconds <= LATEST).then_some(Self(seconds))
    }

    pub fn to_json(self) -> Json {
        Json::Number(self.0.to_string())
    }

    /// Until when something is valid that ends at this time: the last day, or, if it
    /// does not end with a day in UTC, the moment.
    pub fn last_valid(self) -> String {
        match self.0.checked_sub(1).filter(|_| self.0.is_multiple_of(24 * 3600)) {
            Some(last) => Self(last).day(),
            None => self.to_string(),
        }
    }

    /// The day, in UTC.
    pub fn day(self) -> String {
        self.to_string().split(',').next().unwrap_or_default().to_owned()
    }

    pub const fn as_seconds(self) -> u64 {
        self.0
    }
}

impl From<SystemTime> for UnixTime {
    fn from(time: SystemTime) -> Self {
        Self::from_seconds(time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
    }
}

impl From<UnixTime> for SystemTime {
    fn from(time: UnixTime) -> Self {
        UNIX_EPOCH + Duration::from_secs(time.0)
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        let time = Timestamp::from_second(seconds).map_err(|_| fmt::Error)?;
        write!(f, "{}", time.strftime("%-d %B %Y, %H:%M UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_for_people() {
        assert_eq!(UnixTime::from_seconds(1_795_315_353).to_string(), "22 November 2026, 02:42 UTC");
        assert_eq!(UnixTime::from_seconds(0).to_string(), "1 January 1970, 00:00 UTC");
        assert_eq!(UnixTime::from_seconds(u64::MAX).to_string(), "30 December 9999, 22:00 UTC");
    }

    #[test]
    fn an_end_at_midnight_reads_as_the_day_that_was_typed() {
        // 2027-01-31 was typed; from 2027-02-01T00:00:00Z on it is no longer valid.
        assert_eq!(UnixTime::from_seconds(1_801_440_000).last_valid(), "31 January 2027");
        assert_eq!(UnixTime::from_seconds(1_801_440_001).last_valid(), "1 February 2027, 00:00 UTC");
        assert_eq!(UnixTime::from_seconds(0).last_valid(), "1 January 1970, 00:00 UTC");
    }

    #[test]
    fn only_whole_seconds_of_four_digit_years_are_times() {
        let read = |text: &str| UnixTime::from_json(&Json::Number(text.to_owned()));
        assert_eq!(read("1795315353"), Some(UnixTime::from_seconds(1_795_315_353)));
        for text in ["-1", "1.5", "1e9", "253402207201", "99999999999999999999"] {
            assert_eq!(read(text), None, "accepted {text}");
        }
        assert_eq!(UnixTime::from_json(&Json::string("1")), None);
    }
}
