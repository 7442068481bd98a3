//! Moments as text. One that no calendar has, from the year 10000 on, is said by its number:
//! it is in no date of another year.

use std::time::SystemTime;

use jiff::Timestamp;

/// A moment to the millisecond as RFC 3339 has it, in UTC; one that no calendar has as `@` and
/// the seconds since 1970.
#[must_use]
pub fn written(moment: SystemTime) -> String {
    calendar(moment).map_or_else(|| seconds(moment), |time| time.to_string())
}

/// The day of a moment in UTC, such as `2026-05-03`; or as [`written`].
#[must_use]
pub fn day(moment: SystemTime) -> String {
    calendar(moment).map_or_else(|| seconds(moment), |time| time.strftime("%Y-%m-%d").to_string())
}

fn calendar(moment: SystemTime) -> Option<Timestamp> {
    let exact = Timestamp::try_from(moment).ok()?;
    Timestamp::from_millisecond(exact.as_millisecond()).ok()
}

fn seconds(moment: SystemTime) -> String {
    match moment.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => format!("@{}", since.as_secs()),
        Err(before) => format!("@-{}", before.duration().as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_moment_that_no_calendar_has_is_not_said_to_be_in_1970() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(written(at(1_795_315_353)), "2026-11-22T02:42:33Z");
        assert_eq!((written(at(0)), day(at(0))), ("1970-01-01T00:00:00Z".into(), "1970-01-01".into()));
        assert_eq!(day(at(253_402_207_200)), "9999-12-30");
        for text in [written(at(300_000_000_000)), day(at(300_000_000_000))] {
            assert_eq!(text, "@300000000000");
        }
        assert_eq!(written(SystemTime::UNIX_EPOCH - Duration::from_secs(400_000_000_000)), "@-400000000000");
    }
}
