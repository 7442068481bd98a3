//! Which of several versions of a resource is the latest.
//!
//! Versions are compared within one server and id only. What is in no certain order
//! stays side by side.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::interop::fhir::found::identity_of;
use crate::interop::fhir::held::Held;
use crate::interop::fhir::index::Scope;

/// For each resource that is an earlier version, the position of the latest one, and how
/// early it is: the oldest comes first.
pub(super) struct Earlier {
    pub(super) latest: usize,
    pub(super) order: usize,
}

/// Finds earlier versions among the resources that are taken.
pub(super) fn earlier(resources: &[Held], taken: &[bool], now: Timestamp) -> HashMap<usize, Earlier> {
    let mut groups: HashMap<(String, Option<Scope>), Vec<usize>> = HashMap::new();
    for (position, held) in resources.iter().enumerate().filter(|(at, _)| taken.get(*at) == Some(&true)) {
        if held.found.id.is_some() {
            // Without a server, one input is one source.
            let scope = held.server.is_none().then_some(held.scope);
            groups.entry((identity_of(&held.found), scope)).or_default().push(position);
        }
    }
    let mut earlier = HashMap::new();
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let versions = without_repetitions(resources, &group);
        let Some(order) = in_order(resources, &versions, now) else { continue };
        let Some((&latest, older)) = order.split_last() else { continue };
        let digest = |position: &usize| resources.get(*position).map(|held| held.digest);
        let orders: HashMap<_, _> = older.iter().map(digest).zip(0..).collect();
        // Repetitions of an earlier version are earlier too.
        for position in group {
            if let Some(&order) = orders.get(&digest(&position)) {
                earlier.insert(position, Earlier { latest, order });
            }
        }
    }
    earlier
}

fn without_repetitions(resources: &[Held], group: &[usize]) -> Vec<usize> {
    let mut seen = HashSet::new();
    let is_new = |position: &&usize| resources.get(**position).is_some_and(|held| seen.insert(held.digest));
    group.iter().filter(is_new).copied().collect()
}

/// The versions, the oldest first, if all of them say so by one measure.
fn in_order(resources: &[Held], versions: &[usize], now: Timestamp) -> Option<Vec<usize>> {
    let held = |position: &usize| resources.get(*position);
    // A date in the future is a mistake, and decides nothing.
    let date = |position: &usize| -> Option<Timestamp> {
        held(position)?.last_updated.as_deref()?.parse().ok().filter(|date| *date <= now)
    };
    // Numbers count versions; other texts are in no order.
    let number = |position: &usize| -> Option<u64> {
        let text = held(position)?.version_id.as_deref()?;
        text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
    };
    sorted(versions, date).or_else(|| sorted(versions, number))
}

/// The versions in the order of a measure that all of them have, each another.
fn sorted<T: Ord>(versions: &[usize], measure: impl Fn(&usize) -> Option<T>) -> Option<Vec<usize>> {
    let measured = versions.iter().map(|position| Some((measure(position)?, *position)));
    let mut measured: Vec<_> = measured.collect::<Option<_>>()?;
    measured.sort_unstable();
    let are_apart = measured.is_sorted_by(|(one, _), (next, _)| one < next);
    are_apart.then(|| measured.into_iter().map(|(_, position)| position).collect())
}
