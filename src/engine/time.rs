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

/// The moment that many milliseconds after 1970-01-01T00:00:00Z; one that this system
/// cannot count to is taken for 1970.
pub(crate) fn from_milliseconds(milliseconds: i64) -> SystemTime {
    let since = Duration::from_millis(milliseconds.unsigned_abs());
    let moment = match milliseconds < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(since),
        false => SystemTime::UNIX_EPOCH.checked_add(since),
    };
    moment.unwrap_or(SystemTime::UNIX_EPOCH)
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
