//! What an import will do, judged before anything is written.

use std::collections::HashSet;

use super::deleted::Deleted;
use super::judge::Verdict;
use crate::crypto::key::IdentityKey;

/// What an import will do.
pub(super) struct Plan {
    pub(super) verdicts: Vec<Verdict>,
    /// How many of the unchanged ones have other names in the vault.
    pub(super) under_other_names: usize,
    /// What its source deleted and the vault has.
    pub(super) deleted: Deleted,
    /// Keyed digests of the documents whose names get a scope with this import.
    pub(super) sources: Vec<String>,
    pub(super) answers: Vec<String>,
    /// How the input's patient is remembered, where nothing describes them.
    pub(super) unnamed: Option<String>,
    /// The owner confirmed that another description is of the vault's patient.
    pub(super) same_person: bool,
    pub(super) key: IdentityKey,
    /// Keyed digests of contents that stay away.
    pub(super) away: HashSet<String>,
}
