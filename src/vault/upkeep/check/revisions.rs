//! Whether the revisions of entries are all there.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::EntryId;
use crate::tree::{Row, RowClass};

/// The revisions of a compartment's entries: where there is a third, there are two
/// earlier ones.
#[derive(Default)]
pub(super) struct Revisions {
    /// Entries that were amended, and their current revision.
    current: BTreeMap<EntryId, u64>,
    earlier: BTreeMap<EntryId, BTreeSet<u64>>,
}

impl Revisions {
    /// Takes a row in.
    pub(super) fn count(&mut self, row: &Row) {
        match row.class {
            RowClass::Entry if row.revision > 1 => {
                self.current.insert(row.id, row.revision);
            }
            RowClass::Superseded => {
                self.earlier.entry(row.id).or_default().insert(row.revision);
            }
            _ => {}
        }
    }

    /// Of each entry one revision that is missing, or that is there and belongs to none.
    pub(super) fn astray(mut self) -> Vec<(EntryId, u64)> {
        let mut astray = Vec::new();
        for (id, current) in self.current {
            let there = self.earlier.remove(&id).unwrap_or_default();
            let missing = (1..current).find(|revision| !there.contains(revision));
            let later = there.last().copied().filter(|last| *last >= current);
            astray.extend(missing.or(later).map(|revision| (id, revision)));
        }
        let orphans = self.earlier.into_iter();
        astray.extend(orphans.filter_map(|(id, revisions)| Some((id, *revisions.first()?))));
        astray
    }
}
