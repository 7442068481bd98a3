//! The one public error: what went wrong, as a kind to act on and a stable code.
//!
//! No message holds a secret or a health value.

use thiserror::Error;

use crate::codec::wire::WireError;
use crate::crypto::kdf::KdfError;
use crate::crypto::random::RandomError;
use crate::excerpt::IssueExcerptError;
use crate::format::FormatError;
use crate::format::place::Compartment;
use crate::id::{ContentId, EntryId, Epoch};
use crate::keys::CredentialError;
use crate::payload::PayloadError;
use crate::record::ImportQuestion;
use crate::store::StoreError;
use crate::tree::TreeError;

/// Why the vault did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No slot opens with this credential.
    #[error("wrong password or key: nothing opens with it")]
    WrongCredential,
    /// A credential's text is not usable.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The bytes are not a vault that this version reads.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The vault needs a newer reader.
    #[error(
        "the vault was written by a newer version (it needs reader {needed}, this is {supported}): use a newer version of the software"
    )]
    NewerReader {
        /// Reader version that the vault asks for.
        needed: u16,
        /// Reader version of this library.
        supported: u16,
    },
    /// A stored part is not what its parent says it is.
    #[error(
        "the vault is damaged ({what}): nothing was changed; make a copy of the file as it is, then restore a backup"
    )]
    Damaged {
        /// What kind of part.
        what: &'static str,
    },
    /// The vault is older than the checkpoint.
    #[error("this is an older state of the vault than the checkpoint: the file was rolled back")]
    RolledBack,
    /// The vault's history does not contain the checkpoint.
    #[error("the vault's history differs from the checkpoint: it was forked")]
    Forked,
    /// A key is needed that this credential does not grant.
    #[error("this access does not open the compartment {compartment}")]
    NeedsCompartment {
        /// The compartment.
        compartment: Compartment,
    },
    /// There is no entry with this id in the compartments that are open.
    #[error("there is no entry {id}")]
    NoSuchEntry {
        /// The id that was asked for.
        id: EntryId,
    },
    /// There is no revision with this number.
    #[error("entry {id} has no revision {revision}")]
    NoSuchRevision {
        /// The entry.
        id: EntryId,
        /// The revision that was asked for.
        revision: u64,
    },
    /// There is no such way in, or it was replaced meanwhile.
    #[error("there is no such way into the vault any more: list them again")]
    NoSuchAccess,
    /// No way in would be left that opens everything.
    #[error(
        "at least one way into the vault must open everything, or nobody could ever change the others: add another one first"
    )]
    LastFullAccess,
    /// All 16 slots are in use.
    #[error("all 16 ways into the vault are in use: take one away first")]
    NoFreeAccess,
    /// A legal hold blocks an expungement.
    #[error("entry {id} is under a legal hold: lift the hold first")]
    LegalHold {
        /// The entry.
        id: EntryId,
    },
    /// An import needs decisions first.
    #[error(
        "this import needs {} first: nothing was imported; answer the questions that this error lists",
        match questions.len() { 1 => "a decision", _ => "decisions" }
    )]
    ImportAsks {
        /// What has to be decided.
        questions: Vec<ImportQuestion>,
    },
    /// There is no import of this number.
    #[error("there is no import {number}: list the imports")]
    NoSuchImport {
        /// The number that was asked for.
        number: Epoch,
    },
    /// Entries were changed after the import that brought them.
    #[error(
        "{} of this import changed since: nothing was undone; undo the later imports first, or expunge single entries",
        match ids.len() { 1 => "1 entry".to_owned(), several => format!("{several} entries") }
    )]
    ChangedSinceImport {
        /// The entries.
        ids: Vec<EntryId>,
    },
    /// The policy lets nothing out.
    #[error("nothing would be released: the preview says what was withheld and why")]
    NothingToRelease,
    /// The vault was changed since the preview that a release was tied to.
    #[error("what would be released is not what was previewed: look at the preview again")]
    NotAsPreviewed,
    /// The excerpt could not be made.
    #[error(transparent)]
    Issue(#[from] IssueExcerptError),
    /// An entry names content that its compartment does not hold.
    #[error("the attachment's content is not stored in the entry's compartment: attach it first")]
    NoSuchContent,
    /// An entry has no attachment of this number.
    #[error("entry {id} has no attachment {number}")]
    NoSuchAttachment {
        /// The entry.
        id: EntryId,
        /// The number that was asked for, from 0.
        number: usize,
    },
    /// There is no unfinished upload of this name in the compartments that are open.
    #[error("there is no unfinished attachment {id}: it was finished or discarded; attach it anew")]
    NoSuchUpload {
        /// The upload that was asked for.
        id: ContentId,
    },
    /// The source of an attachment could not be read.
    #[error("the attachment could not be read to its end: {source}; mend that, then attach it again")]
    Source {
        /// What reading it said.
        source: std::io::Error,
    },
    /// The source of an attachment is not what it was said to be.
    #[error("the attachment changed while it was read: attach it again when nothing writes to it")]
    SourceChanged,
    /// What is asked for needs a newer reader than this writer may ask for.
    #[error(
        "this needs reader {needed}, and this program is set to write for reader {pinned}: change that setting when every program that opens the vault is new enough"
    )]
    NeedsNewerReader {
        /// Reader version that the vault would ask for.
        needed: u16,
        /// Reader version that the writer is pinned to.
        pinned: u16,
    },
    /// A value is not usable.
    #[error("{what}")]
    Invalid {
        /// What is wrong and what would be right.
        what: &'static str,
    },
    /// A value is too large for the format.
    #[error("the entry is too large for a vault")]
    TooLarge,
    /// Password derivation was refused or failed.
    #[error(transparent)]
    Kdf(#[from] KdfError),
    /// The operating system gave no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The handle was taken into another process, where its randomness could repeat.
    #[error("the vault was opened by another process: open it in this one")]
    OtherProcess,
    /// Credentials were changed by another handle since this one was unlocked.
    #[error("the vault's access was changed meanwhile: unlock it again")]
    AccessChanged,
    /// A writer withdrew parts of the state that was being read through.
    #[error("the vault was changed while it was read: start reading it again")]
    Superseded,
    /// The vault locked itself, or was locked: its keys are gone from memory.
    #[error("the vault is locked: unlock it again")]
    Locked,
}

/// What to do about an [`Error`](enum@Error).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request cannot be granted as it is.
    Refused,
    /// The credential is wrong.
    WrongCredential,
    /// The vault is damaged, rolled back or forked.
    Damaged,
    /// The system around the vault failed: disk, memory, locks.
    Environment,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongCredential | Self::AccessChanged | Self::Locked => ErrorKind::WrongCredential,
            Self::Damaged { .. }
            | Self::RolledBack
            | Self::Forked
            | Self::Format(FormatError::DamagedHeader)
            | Self::Store(StoreError::Missing) => ErrorKind::Damaged,
            Self::Random(_)
            | Self::Store(_)
            | Self::OtherProcess
            | Self::Superseded
            | Self::Source { .. }
            | Self::Kdf(KdfError::OutOfMemory { .. }) => ErrorKind::Environment,
            _ => ErrorKind::Refused,
        }
    }

    /// A code that stays the same across versions, for logs and programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongCredential => "wrong-credential",
            Self::Credential(_) => "unusable-credential",
            Self::Format(FormatError::NotAVault) => "not-a-vault",
            Self::Format(FormatError::NewerFormat { .. }) | Self::NewerReader { .. } => "newer-version",
            Self::Format(_) | Self::Damaged { .. } => "damaged",
            Self::RolledBack => "rolled-back",
            Self::Forked => "forked",
            Self::NeedsCompartment { .. } => "needs-compartment",
            Self::NoSuchEntry { .. } => "no-such-entry",
            Self::NoSuchRevision { .. } => "no-such-revision",
            Self::NoSuchAccess => "no-such-access",
            Self::LastFullAccess => "last-full-access",
            Self::NoFreeAccess => "no-free-access",
            Self::LegalHold { .. } => "legal-hold",
            Self::ImportAsks { .. } => "import-asks",
            Self::NoSuchImport { .. } => "no-such-import",
            Self::ChangedSinceImport { .. } => "changed-since-import",
            Self::NothingToRelease => "nothing-to-release",
            Self::NotAsPreviewed => "not-as-previewed",
            Self::Issue(_) => "not-issued",
            Self::NoSuchContent => "no-such-content",
            Self::NoSuchAttachment { .. } => "no-such-attachment",
            Self::NoSuchUpload { .. } => "no-such-upload",
            Self::Source { .. } => "unreadable-source",
            Self::SourceChanged => "source-changed",
            Self::NeedsNewerReader { .. } => "needs-newer-reader",
            Self::Invalid { .. } => "invalid",
            Self::TooLarge => "too-large",
            Self::Kdf(KdfError::TooWeak { .. }) => "weak-kdf",
            Self::Kdf(KdfError::TooCostly { .. }) => "costly-kdf",
            Self::Kdf(_) => "kdf",
            Self::Random(_) => "no-randomness",
            Self::Store(error) => store_code(error),
            Self::OtherProcess => "other-process",
            Self::AccessChanged => "access-changed",
            Self::Superseded => "superseded",
            Self::Locked => "locked",
        }
    }

    /// Whether the same call may succeed later without anything being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Busy | StoreError::Conflict) | Self::Random(_) | Self::Superseded
        )
    }
}

fn store_code(error: &StoreError) -> &'static str {
    match error {
        StoreError::Busy => "busy",
        StoreError::Conflict => "conflict",
        StoreError::ReadOnly => "read-only",
        StoreError::NoSpace => "no-space",
        StoreError::Missing => "damaged",
        StoreError::Sync { .. } | StoreError::Poisoned => "not-durable",
        StoreError::Replaced => "replaced",
        StoreError::Exists => "exists",
        StoreError::ReservedName => "reserved-name",
        StoreError::NotFound => "not-found",
        StoreError::NoLocks => "no-locks",
        StoreError::Unreliable { .. } => "unreliable-store",
        StoreError::NotErased => "not-erased",
        StoreError::AreaLost => "area-lost",
        StoreError::Unsupported => "unsupported",
        StoreError::InTheWay { .. } => "in-the-way",
        StoreError::SecondName => "second-name",
        StoreError::NoFolder => "no-folder",
        StoreError::NameTooLong => "name-too-long",
        StoreError::ClosedFolder => "closed-folder",
        StoreError::Io { .. } => "io",
    }
}

impl From<TreeError> for Error {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Store(error) => Self::Store(error),
            TreeError::Damaged { what } => Self::Damaged { what },
            TreeError::Wire(_) => Self::TooLarge,
            TreeError::Random(error) => Self::Random(error),
        }
    }
}

impl From<PayloadError> for Error {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::Wire(error) => error.into(),
            PayloadError::TooManyValues { .. } => Self::TooLarge,
            _ => Self::Damaged { what: "entry" },
        }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        TreeError::from(error).into()
    }
}
