//! What happened to entries, beside them: their stories, and to whom releases of them went.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::codec::wire::Wire;

/// What happened to one entry, beyond what its revisions and their commits tell.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct StoryV1 {
    /// In the order in which it happened, at least one, and none twice.
    pub(crate) acts: Vec<ActV1>,
}

/// One act on an entry.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct ActV1 {
    /// The commit.
    pub(crate) epoch: u64,
    pub(crate) action: u16,
    /// The revision that it made; 0 if none.
    pub(crate) revision: u64,
    pub(crate) reason: Option<String>,
}

impl Wire for StoryV1 {
    const NAME: &'static str = "StoryV1";
    const LIMIT: usize = 64 << 20;

    fn is_canonical(&self) -> bool {
        let mut before = HashSet::new();
        !self.acts.is_empty()
            && self.acts.is_sorted_by(|a, b| a.epoch <= b.epoch)
            && self.acts.iter().all(|act| before.insert((act.epoch, act.action, act.revision)))
    }
}

/// One release as one compartment accounts for it (45 CFR 164.528): to whom, for what.
#[derive(Serialize, Deserialize, Clone)]
pub(crate) struct AccountingV1 {
    /// The commit.
    pub(crate) epoch: u64,
    pub(crate) actor: String,
    pub(crate) recipient: String,
    pub(crate) purpose: String,
    /// What was selected and masked, as long as everything that it may name is here.
    pub(crate) policy: Option<String>,
    /// The id of the excerpt's copy, as its envelope has it.
    pub(crate) excerpt: String,
    /// The fingerprint of the key that signed the excerpt.
    pub(crate) signer: String,
    /// How many entries of the compartment the release held and are still in it.
    pub(crate) entries: u64,
}

impl Wire for AccountingV1 {
    const NAME: &'static str = "AccountingV1";
    const LIMIT: usize = 64 * 1024;
}
