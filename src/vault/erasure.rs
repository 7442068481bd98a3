//! What an expungement reached, and what it could not.

use super::core::View;
use super::ledger::{Action, LineState};
use crate::id::{EntryId, Epoch};
use crate::store::Medium;

/// What a commit has withdrawn so far.
#[derive(Default)]
pub(super) struct Erasure {
    pub(super) entries: Vec<EntryId>,
    pub(super) bytes: u64,
}

/// How far an erasure reaches in one respect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Coverage {
    /// The bytes were overwritten and every key to older copies of them in the
    /// file is gone.
    Proven,
    /// The system was told to overwrite; what its medium keeps is not known.
    BestEffort {
        /// Why it is not certain.
        because: &'static str,
    },
    /// Not reached.
    NotCovered {
        /// What to do about it.
        because: &'static str,
    },
    /// Depends on whoever operates the store.
    OperatorDependent,
}

/// What an expungement reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErasureReport {
    /// The entries that were destroyed.
    pub entries: Vec<EntryId>,
    /// Stored bytes of content that were overwritten.
    pub bytes: u64,
    /// The vault itself, free space included.
    pub vault: Coverage,
    /// The medium beneath it.
    pub medium: Coverage,
    /// Copies and backups of the file, and the files that were imported.
    pub copies: Coverage,
    /// Commits that released or exported one of the entries: excerpts and files
    /// that still contain it.
    pub released_in: Vec<Epoch>,
    /// Commits whose ledger lines are damaged: whether they released one of the
    /// entries is not known.
    pub unreadable: Vec<Epoch>,
}

const COPIES: &str = "older copies and backups of the vault file, snapshots and cloud versions still hold the \
    entry for whoever has a password: delete them. The files that it was imported from are not touched";
const EARLIER_IMAGES: &str =
    "overwritten in place; a solid-state drive may keep old blocks until it reuses them";

impl View<'_> {
    /// The report of an erasure that is about to be committed.
    pub(super) fn erasure_report(&self, erasure: Erasure) -> ErasureReport {
        let (vault, medium) = match self.core.store.medium() {
            Medium::InPlace { .. } => (Coverage::Proven, Coverage::BestEffort { because: EARLIER_IMAGES }),
            Medium::CopyOnWrite { .. } => (
                Coverage::Proven,
                Coverage::BestEffort {
                    because: "this file system does not overwrite in place: old blocks and snapshots may \
                              remain until it reuses or removes them",
                },
            ),
            Medium::Memory => (Coverage::Proven, Coverage::Proven),
            Medium::OperatorDependent => (Coverage::OperatorDependent, Coverage::OperatorDependent),
        };
        let (released_in, unreadable) = self.released_in(&erasure.entries);
        ErasureReport {
            entries: erasure.entries,
            bytes: erasure.bytes,
            vault,
            medium,
            copies: Coverage::NotCovered { because: COPIES },
            released_in,
            unreadable,
        }
    }

    /// The commits that released or exported one of the entries, and those that
    /// cannot be read: damage elsewhere must not keep anybody from expunging.
    fn released_in(&self, entries: &[EntryId]) -> (Vec<Epoch>, Vec<Epoch>) {
        let (mut released, mut unreadable) = (Vec::new(), Vec::new());
        for epoch in (1..=self.snapshot.root.epoch.number()).map(Epoch::new) {
            match self.ledger_lines(epoch) {
                Ok(lines) if lines.iter().any(|line| hands_out(&line.state, entries)) => released.push(epoch),
                Ok(_) => {}
                Err(_) => unreadable.push(epoch),
            }
        }
        (released, unreadable)
    }
}

fn hands_out(state: &LineState, entries: &[EntryId]) -> bool {
    matches!(state, LineState::Whole { action: Action::Released | Action::Exported, subjects, .. }
        if subjects.iter().any(|subject| entries.contains(subject)))
}
