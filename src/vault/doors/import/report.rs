//! What became of an import.

use crate::id::{EntryId, Epoch};
use crate::interop::finding::Finding;
use crate::interop::imported::LeftOut;
use crate::record::Person;

/// What an import changed, and what it did not take.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ImportReport {
    /// The import's number, for undoing it. `None` if nothing was written.
    pub number: Option<Epoch>,
    /// Whom the input says it is about.
    pub person: Option<Person>,
    /// The name that the vault was created for, where the input's person has names and this
    /// is none of them: excerpts of their records say that the names differ. Titles and case
    /// do not count.
    pub other_holder: Option<String>,
    /// The documents it consists of, in order, by bundle id or file name.
    pub sources: Vec<String>,
    /// Entries that were added with a kind of their own, such as a diagnosis.
    pub added: Vec<EntryId>,
    /// Entries that were added as kind `other`, because no kind fits them.
    pub kept_raw: Vec<EntryId>,
    /// Entries that got a new revision, because they changed in their source.
    pub amended: Vec<EntryId>,
    /// How many were already there: they say the same.
    pub unchanged: usize,
    /// How many of these have other names in the vault: the input is another export of the
    /// same records.
    pub under_other_names: usize,
    /// Entries for which the input has an older version than the vault. It was not taken.
    pub older: Vec<EntryId>,
    /// Entries for which the input has another version, and nothing says which is newer.
    /// The vault's stays. [`ChangedSource::Accept`](crate::vault::ChangedSource::Accept) takes the input's.
    pub undecided: Vec<EntryId>,
    /// Pairs of entries that may be the same: the new one has the name that another source
    /// gave the earlier one. The earlier one comes first.
    pub perhaps_same: Vec<(EntryId, EntryId)>,
    /// How many were not taken because they were expunged from this vault before.
    pub expunged_before: usize,
    /// Entries in the vault that their source has deleted, according to the input. They
    /// stay: retract or expunge them, or ask the source why.
    pub deleted_at_source: Vec<EntryId>,
    /// How many repeat another of the same import byte for byte.
    pub repetitions: usize,
    /// How many are about other patients than the chosen one.
    pub other_patients: usize,
    /// How many resources were left out, by reason.
    pub left_out: LeftOut,
    /// How many questions about this import were answered with it.
    pub decided: usize,
    /// What the source says and no field carries, by path.
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
