//! Moments as the vault stores them and as callers see them.
//!
//! Stored are milliseconds; what was stored comes back as the same moment.

use std::time::{Duration, SystemTime};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) fn to_milliseconds(moment: SystemTime) -> i64 {
    match moment.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    }
}

/// From 1601, where some systems begin to count, to 1970.
const SINCE_1601: Duration = Duration::from_secs(11_644_473_600);
/// The first moment of the year 10000, which no calendar has.
const NO_CALENDAR: Duration = Duration::from_secs(253_402_300_800);

/// The moment that many milliseconds after 1970-01-01T00:00:00Z. Where this system cannot count
/// so far, it is one that no calendar has either, or, in the past, the year 1601.
pub(crate) fn from_milliseconds(milliseconds: i64) -> SystemTime {
    let since = Duration::from_millis(milliseconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let moment = match milliseconds < 0 {
        true => epoch.checked_sub(since).or_else(|| epoch.checked_sub(SINCE_1601)),
        false => epoch.checked_add(since).or_else(|| epoch.checked_add(NO_CALENDAR)),
    };
    moment.unwrap_or(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_moment_comes_back() {
        for milliseconds in [0, 1, -1, 1_795_315_353_000, -62_135_596_800_000, i64::MAX] {
            assert_eq!(to_milliseconds(from_milliseconds(milliseconds)), milliseconds);
        }
    }
}
