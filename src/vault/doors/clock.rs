//! Whether the clock can be right, as far as the vault itself knows: what is signed is
//! dated by it.

use std::time::{Duration, SystemTime};

use crate::engine::core::StateReader;
use crate::engine::time::from_milliseconds;
use crate::error::Error;

/// How far the clocks of two computers may be apart.
const APART: Duration = Duration::from_secs(5 * 60);
/// A vault that nobody wrote to for longer is rarer than a clock that is ahead: five years.
const UNWRITTEN: Duration = Duration::from_secs(5 * 366 * 24 * 60 * 60);
/// The start of 2023, in seconds: no vault is older.
const FIRST: Duration = Duration::from_secs(1_672_531_200);

/// Refuses a clock that is behind the vault's last commit, before there were vaults, or far
/// ahead of that commit.
pub(super) fn expect_likely(reader: &StateReader<'_>, now: SystemTime) -> Result<(), Error> {
    let link = reader.link(reader.snapshot.root.epoch)?;
    let last = link.map_or(SystemTime::UNIX_EPOCH + FIRST, |link| from_milliseconds(link.time));
    if is_likely(now, last) { Ok(()) } else { Err(Error::DoubtfulClock { now, last }) }
}

fn is_likely(now: SystemTime, last: SystemTime) -> bool {
    let after = |moment: SystemTime, by: Duration| moment.checked_add(by).unwrap_or(moment);
    let is_behind = after(now, APART) < last || now < SystemTime::UNIX_EPOCH + FIRST;
    !is_behind && now <= after(last, UNWRITTEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_held_against_the_last_commit() {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let last = 1_795_000_000;
        for likely in [last, last - 299, last + 1, last + 4 * 366 * 86_400] {
            assert!(is_likely(at(likely), at(last)), "{likely}");
        }
        for doubtful in [0, 946_684_800, last - 301, last - 86_400, last + 6 * 366 * 86_400] {
            assert!(!is_likely(at(doubtful), at(last)), "{doubtful}");
        }
        // A vault that was made under a wrong clock does not make that one right.
        assert!(!is_likely(at(10), at(5)));
        assert!(!is_likely(SystemTime::UNIX_EPOCH - Duration::from_secs(1), at(last)));
    }
}
