//! What a compartment remembers of imports, and of entries that are to stay away.

use serde::{Deserialize, Serialize};

use crate::codec::wire::Wire;

/// What one import brought into one compartment: it is there as long as any of that is.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct ImportV1 {
    /// What it consisted of, ascending by name, at least one.
    pub(crate) documents: Vec<DocumentV1>,
    /// What was answered to imports of these documents.
    pub(crate) answers: Vec<AnswerV1>,
    /// Whom it refers to and does not describe.
    pub(crate) unnamed: Option<UnnamedV1>,
}

/// A document, as one import brought it.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct DocumentV1 {
    /// The id of the bundle or the name of the input, as the entries have it.
    pub(crate) name: Option<String>,
    /// Random: what its names mean one thing within.
    pub(crate) scope: [u8; 16],
    /// How many entries of the compartment have a revision that the import made of it.
    pub(crate) entries: u64,
}

/// An answer to an import.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq)]
pub(crate) struct AnswerV1 {
    /// The commit of the import that it was given to.
    pub(crate) epoch: u64,
    /// Whether it is about a person, and not about two documents.
    pub(crate) is_of_person: bool,
    pub(crate) digest: [u8; 16],
}

/// Somebody whom an import refers to and does not describe, as digests.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct UnnamedV1 {
    /// By which an answer about them is kept.
    pub(crate) answer: [u8; 16],
    /// Of each reference that means the same everywhere.
    pub(crate) identities: Vec<[u8; 16]>,
}

/// Most references to one person that are remembered.
pub(crate) const IDENTITIES_LIMIT: usize = 16;

impl Wire for ImportV1 {
    const NAME: &'static str = "ImportV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        !self.documents.is_empty()
            && self.documents.is_sorted_by(|a, b| a.name < b.name)
            && self.documents.iter().all(|document| document.entries > 0)
            && self.unnamed.as_ref().is_none_or(|unnamed| unnamed.identities.len() <= IDENTITIES_LIMIT)
    }
}

/// What makes an expunged entry known again: in `sealed`.
#[derive(Serialize, Deserialize)]
pub(crate) struct TombstoneV1 {
    /// Digests of what its revisions said, and of names that mean one thing everywhere;
    /// ascending, at least one.
    pub(crate) digests: Vec<[u8; 16]>,
}

impl Wire for TombstoneV1 {
    const NAME: &'static str = "TombstoneV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        !self.digests.is_empty() && self.digests.is_sorted_by(|a, b| a < b)
    }
}
