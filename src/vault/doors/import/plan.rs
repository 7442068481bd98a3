//! What an import will do, judged before anything is written.

use std::collections::HashMap;

use super::deleted::Deleted;
use super::judge::Verdict;
use super::memory::{Memory, ScopeId};
use crate::engine::identity::IdentityKeys;
use crate::engine::tombstone::Tombstones;
use crate::payload::imports::{AnswerV1, UnnamedV1};

/// What an import will do.
pub(super) struct Plan {
    pub(super) verdicts: Vec<Verdict>,
    /// How many of the unchanged ones have other names in the vault.
    pub(super) under_other_names: usize,
    /// What its source deleted and the vault has.
    pub(super) deleted: Deleted,
    /// The scope of each document.
    pub(super) scopes: HashMap<Option<String>, ScopeId>,
    /// What is known before, by what its entries are remembered.
    pub(super) memory: Memory,
    pub(super) answers: Vec<AnswerV1>,
    /// How the input's patient is remembered, where nothing describes them.
    pub(super) unnamed: Option<UnnamedV1>,
    /// The vault's name, where it is none of the input's person.
    pub(super) other_holder: Option<String>,
    /// The owner confirmed that another description is of the vault's patient.
    pub(super) same_person: bool,
    pub(super) keys: IdentityKeys,
    pub(super) tombstones: Tombstones,
}
