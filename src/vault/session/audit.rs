//! What the embedder is told of every read, for an access log of their own.
//!
//! The hook is called when nothing is locked any more and before the caller gets
//! what was read.

use std::time::SystemTime;

use crate::engine::actor::Actor;
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
    /// The names of source documents were listed.
    DocumentsListed,
    /// A source document was read, with the originals of its entries.
    DocumentOpened,
}

/// A read, as [`VaultOptions::with_audit`](crate::VaultOptions::with_audit) reports it: ids and
/// counts, but no content.
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
