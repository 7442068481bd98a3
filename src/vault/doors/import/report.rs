//! What became of an import.

use crate::id::{EntryId, Epoch};
use crate::interop::finding::Finding;
use crate::interop::imported::LeftOut;
use crate::record::Person;

/// What became of an import.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ImportReport {
    /// The import's number, by which it can be undone; `None` where nothing was written.
    pub number: Option<Epoch>,
    /// Whom the input is about, as it says.
    pub person: Option<Person>,
    /// The documents that it consists of, in order: bundles' ids or names of files.
    pub sources: Vec<String>,
    /// Entries that were added with a kind of their own.
    pub added: Vec<EntryId>,
    /// Entries that were added as they came, because nothing maps them.
    pub kept_raw: Vec<EntryId>,
    /// Entries that changed in their source and got a new revision.
    pub amended: Vec<EntryId>,
    /// How many were there already, byte for byte.
    pub unchanged: usize,
    /// Entries of which the input has an older version than the vault: it was not taken.
    pub older: Vec<EntryId>,
    /// Entries of which the input has another version, and nothing says which is the
    /// newer one: the vault's stays. [`ChangedSource::Accept`](crate::ChangedSource::Accept) takes the input's.
    pub undecided: Vec<EntryId>,
    /// Entries that were added beside one that another source gave the same name: the
    /// earlier one first. Perhaps they are the same.
    pub perhaps_same: Vec<(EntryId, EntryId)>,
    /// How many were expunged from this vault before and were not taken again.
    pub expunged_before: usize,
    /// Entries that are in the vault and that their source deleted, as the input says.
    /// They stay: retract or expunge them, or ask the source why.
    pub deleted_at_source: Vec<EntryId>,
    /// How many repeat another of the same import byte for byte.
    pub repetitions: usize,
    /// How many are about other patients than the chosen one.
    pub other_patients: usize,
    /// How many resources were left out, by reason.
    pub left_out: LeftOut,
    /// How many questions about this import were decided now.
    pub decided: usize,
    /// What a reader may rely on and no field carries.
    pub findings: Vec<Finding>,
}

/// The counts, without names.
impl std::fmt::Debug for ImportReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut report = f.debug_struct("ImportReport");
        report.field("number", &self.number).field("added", &self.added.len());
        report.field("kept_raw", &self.kept_raw.len()).field("amended", &self.amended.len());
        report.field("unchanged", &self.unchanged).field("left_out", &self.left_out);
        report.field("findings", &self.findings.len()).finish_non_exhaustive()
    }
}
