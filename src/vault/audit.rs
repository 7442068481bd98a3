//! Telling the embedder of every read, for an access log of their own.
//!
//! The hook is called when nothing is locked any more and before the caller gets
//! what was read.

use std::cell::Cell;
use std::time::SystemTime;

use super::Vault;
use super::options::Actor;
use super::time::from_milliseconds;
use crate::id::{EntryId, Epoch, VaultId};

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum ReadKind {
    /// Cards of entries were listed.
    Listed,
    /// Entries were opened.
    Opened,
    /// An attachment of an entry was opened, to be read.
    AttachmentOpened,
    /// An earlier revision of an entry was opened.
    RevisionOpened,
    /// The list of an entry's revisions was read.
    HistoryRead,
    /// What a policy would release was shown.
    Previewed,
    /// Entries were released as an excerpt.
    Released,
    /// Entries were exported in readable form.
    Exported,
    /// The ledger was read.
    LedgerRead,
    /// The ways into the vault were listed.
    AccessListed,
    /// The titles of unfinished attachments were listed.
    UploadsListed,
}

/// A read, as [`VaultOptions::with_audit`](crate::VaultOptions::with_audit) tells of it: ids and
/// counts, nothing of the content.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AuditEvent {
    /// The vault.
    pub vault: VaultId,
    /// When, by the vault's clock.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serial::moment"))]
    pub time: SystemTime,
    /// The last commit that the handle had seen.
    pub epoch: Epoch,
    /// What was read.
    pub kind: ReadKind,
    /// Who read, where the call says so.
    pub actor: Option<Actor>,
    /// The entries whose content or card was given to the caller.
    pub entries: Vec<EntryId>,
    /// How many items were given: entries, revisions, ledger lines, ways in.
    pub count: usize,
}

thread_local! {
    /// Whether this thread is in a hook, whose own reads are not told to it.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Ends the telling, also when the hook panics.
struct Telling;

impl Drop for Telling {
    fn drop(&mut self) {
        TELLING.set(false);
    }
}

impl Vault {
    /// Tells the hook, if there is one, of what was read.
    pub(super) fn tell(&self, kind: ReadKind, actor: Option<&Actor>, entries: Vec<EntryId>) {
        let count = entries.len();
        self.tell_count(kind, actor, entries, count);
    }

    /// Tells the hook of items that are not all entries.
    pub(super) fn tell_count(
        &self,
        kind: ReadKind,
        actor: Option<&Actor>,
        entries: Vec<EntryId>,
        count: usize,
    ) {
        let Some(hook) = &self.options.audit else { return };
        if TELLING.replace(true) {
            return;
        }
        let _telling = Telling;
        let (vault, time, epoch) = (self.id, from_milliseconds(self.options.now()), self.epoch());
        hook(&AuditEvent { vault, time, epoch, kind, actor: actor.cloned(), entries, count });
    }
}
