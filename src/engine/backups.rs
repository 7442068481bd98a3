//! Backups, as the ledger tells of them.

use std::time::SystemTime;

use super::facts::{Action, Detail};
use super::history::Checkpoint;
use super::ledger::LedgerLine;
use crate::id::Epoch;

/// A backup as the ledger lists it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Backup {
    /// The commit that recorded it.
    pub epoch: Epoch,
    /// When.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serial::moment"))]
    pub time: SystemTime,
    /// What its maker called it.
    pub name: String,
    /// The state that it holds.
    pub checkpoint: Checkpoint,
}

/// Without the name.
impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { epoch, checkpoint, .. } = self;
        f.debug_struct("Backup").field("epoch", epoch).field("checkpoint", checkpoint).finish_non_exhaustive()
    }
}

impl Backup {
    /// The backup that a line of the ledger tells of.
    pub(crate) fn of(line: &LedgerLine) -> Option<Self> {
        let checkpoint = line.detail(Detail::Checkpoint)?.parse().ok()?;
        let name = line.detail(Detail::Name)?.to_owned();
        let LedgerLine { epoch, time, action, .. } = *line;
        (action == Action::BackedUp).then_some(Self { epoch, time, name, checkpoint })
    }
}
