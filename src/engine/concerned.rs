//! The entries that a line of the ledger is about.

use std::fmt;
use std::sync::Arc;

use crate::id::EntryId;

/// The entries that a line of the ledger is about, each once, in no order that means anything.
///
/// An export is about everything that its compartment held. So that a ledger of many exports
/// takes no more room than the vault has entries, they all share one list.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(into = "Vec<EntryId>"))]
pub struct LedgerEntries {
    named: Vec<EntryId>,
    /// The compartment's entries, in the order in which they came there.
    all: Arc<[EntryId]>,
    /// How many of these were there.
    held: usize,
}

impl LedgerEntries {
    /// The first of a compartment's entries, and those named beside.
    pub(super) fn first_of(all: &Arc<[EntryId]>, held: usize, named: Vec<EntryId>) -> Self {
        Self { named, all: Arc::clone(all), held: held.min(all.len()) }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.named.len() + self.held
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an entry is among them. Looks at each of them.
    #[must_use]
    pub fn contains(&self, id: &EntryId) -> bool {
        self.iter().any(|other| other == id)
    }

    /// Whether both are parts of one list in memory.
    #[cfg(test)]
    pub(crate) fn share_a_list(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.all, &other.all)
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &EntryId> {
        self.all.iter().take(self.held).chain(&self.named)
    }
}

impl From<Vec<EntryId>> for LedgerEntries {
    fn from(named: Vec<EntryId>) -> Self {
        Self { named, ..Self::default() }
    }
}

impl From<LedgerEntries> for Vec<EntryId> {
    fn from(entries: LedgerEntries) -> Self {
        entries.iter().copied().collect()
    }
}

impl PartialEq for LedgerEntries {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for LedgerEntries {}

/// How many.
impl fmt::Debug for LedgerEntries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerEntries({})", self.len())
    }
}
