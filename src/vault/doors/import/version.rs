//! Which of two versions of a resource is the newer one, as far as they say.

use super::names::source_of;
use crate::interop::fhir::version_of;
use crate::record::{Entry, PartialDate};

/// What a resource says about its version.
pub(super) struct Version {
    pub(super) last_updated: Option<PartialDate>,
    pub(super) version_id: Option<String>,
}

/// How a version that comes stands to the one that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Newer,
    Older,
    /// One of them says nothing.
    Unstated,
    /// Both say something that decides nothing.
    Undecided,
}

impl Version {
    /// What an entry's source says, or said beside it when it was imported.
    pub(super) fn of(entry: &Entry) -> Self {
        let (last_updated, version_id) = version_of(source_of(entry));
        let last_updated = last_updated.or_else(|| entry.provenance.recorded.clone());
        Self { last_updated, version_id }
    }

    fn says_something(&self) -> bool {
        self.last_updated.is_some() || self.version_id.is_some()
    }

    /// Numbers count up; other texts are in no order.
    fn number(&self) -> Option<u64> {
        let text = self.version_id.as_deref()?;
        text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The date, unless it is later than `now` in milliseconds: that is a mistake, and
    /// decides nothing.
    fn date(&self, now: i64) -> Option<&PartialDate> {
        self.last_updated.as_ref().filter(|date| !date.starts_after(now))
    }

    /// How this version stands to a known one of the same server and id.
    pub(super) fn against(&self, known: &Self, now: i64) -> Order {
        if !self.says_something() || !known.says_something() {
            return Order::Unstated;
        }
        if let (Some(found), Some(known)) = (self.date(now), known.date(now)) {
            if known.ends_before(found) {
                return Order::Newer;
            }
            if found.ends_before(known) {
                return Order::Older;
            }
        }
        match (self.number(), known.number()) {
            (Some(found), Some(known)) if found > known => Order::Newer,
            (Some(found), Some(known)) if found < known => Order::Older,
            _ => Order::Undecided,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn version(date: &str, id: &str) -> Version {
        let version_id = Some(id.to_owned()).filter(|id| !id.is_empty());
        Version { last_updated: date.parse().ok(), version_id }
    }

    #[test]
    fn dates_decide_before_numbers_and_what_is_opaque_or_in_the_future_decides_nothing() {
        let cases = [
            (("2023-06-02T10:00:00Z", "1"), ("2019-01-02T10:00:00Z", "2"), Order::Newer),
            (("2023-06-02T10:00:00+02:00", ""), ("2023-06-02T09:00:00Z", ""), Order::Older),
            (("2023", "3"), ("2023-06-02T10:00:00Z", "2"), Order::Newer),
            (("", "10"), ("", "9"), Order::Newer),
            (("", "a10"), ("", "9"), Order::Undecided),
            (("2199-01-01T00:00:00Z", ""), ("2019-01-02T10:00:00Z", ""), Order::Undecided),
            (("2199-01-01T00:00:00Z", "1"), ("2019-01-02T10:00:00Z", "2"), Order::Older),
            (("", ""), ("2019-01-02T10:00:00Z", "2"), Order::Unstated),
        ];
        for ((date, id), (known_date, known_id), order) in cases {
            let (found, known) = (version(date, id), version(known_date, known_id));
            assert_eq!(found.against(&known, NOW), order, "{date} {id}");
            let opposite = match order {
                Order::Newer => Order::Older,
                Order::Older => Order::Newer,
                other => other,
            };
            assert_eq!(known.against(&found, NOW), opposite, "{date} {id}");
        }
    }
}
