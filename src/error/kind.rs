//! What to do about an error, and its stable code.

use super::variants::Error;
use crate::crypto::kdf::KdfError;
use crate::format::FormatError;
use crate::interop::options::ImportError;
use crate::store::StoreError;

/// What to do about an [`Error`](enum@Error).
///
/// The list is complete, so a `match` needs no other arm. Adding a kind is a breaking change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request cannot be granted as it is: change it as the message says.
    Refused,
    /// What was named is not there: a vault, an entry, a way in.
    NotFound,
    /// The name is taken: choose another one.
    Exists,
    /// The password or key is wrong: ask for it again.
    WrongCredential,
    /// This handle no longer has keys, because the vault locked itself, was locked, or got
    /// new keys from somebody else: unlock it again.
    Locked,
    /// Another handle or process is writing, or wrote first: try again.
    Busy,
    /// The vault is damaged, rolled back or forked: do not write to it, find a good copy.
    Damaged,
    /// A newer version of the software is needed.
    NewerVersion,
    /// The system around the vault failed: disk, memory, permissions, locks.
    Environment,
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongCredential => ErrorKind::WrongCredential,
            Self::AccessChanged | Self::Locked => ErrorKind::Locked,
            Self::Superseded => ErrorKind::Busy,
            Self::Damaged { .. } | Self::RolledBack | Self::Forked => ErrorKind::Damaged,
            Self::NewerReader { .. } | Self::NewerCompartment { .. } => ErrorKind::NewerVersion,
            Self::NoSuchEntry { .. }
            | Self::NoSuchRevision { .. }
            | Self::NoSuchAccess
            | Self::NoSuchImport { .. }
            | Self::NoSuchContent
            | Self::NoSuchAttachment { .. }
            | Self::NoSuchDocument { .. }
            | Self::NoSuchUpload { .. } => ErrorKind::NotFound,
            Self::Random(_)
            | Self::OtherProcess
            | Self::Source { .. }
            | Self::Destination { .. }
            | Self::Import(ImportError::Read(_))
            | Self::Kdf(KdfError::OutOfMemory { .. }) => ErrorKind::Environment,
            Self::Format(error) => format_kind(*error),
            Self::Store(error) => store_kind(error),
            Self::Credential(_)
            | Self::NeedsCompartment { .. }
            | Self::LastFullAccess
            | Self::NoFreeAccess
            | Self::LegalHold { .. }
            | Self::SameRecord { .. }
            | Self::DisputedElsewhere { .. }
            | Self::ImportAsks { .. }
            | Self::ChangedSinceImport { .. }
            | Self::NothingToRelease
            | Self::NotAsPreviewed
            | Self::DoubtfulClock { .. }
            | Self::Issue(_)
            | Self::SourceChanged
            | Self::Text(_)
            | Self::Date(_)
            | Self::Id(_)
            | Self::Field(_)
            | Self::Policy(_)
            | Self::CodeFilter(_)
            | Self::ViewDigest(_)
            | Self::Import(_)
            | Self::Key(_)
            | Self::Verify(_)
            | Self::Invalid { .. }
            | Self::TooLarge
            | Self::Kdf(_) => ErrorKind::Refused,
        }
    }

    /// A code that stays the same across versions, for logs and programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongCredential => "wrong-credential",
            Self::Credential(_) => "unusable-credential",
            Self::Format(FormatError::NotAVault | FormatError::Empty) => "not-a-vault",
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
            Self::SameRecord { .. } => "same-record",
            Self::DisputedElsewhere { .. } => "disputed-elsewhere",
            Self::ImportAsks { .. } => "import-asks",
            Self::NoSuchImport { .. } => "no-such-import",
            Self::ChangedSinceImport { .. } => "changed-since-import",
            Self::NothingToRelease => "nothing-to-release",
            Self::NotAsPreviewed => "not-as-previewed",
            Self::DoubtfulClock { .. } => "doubtful-clock",
            Self::Issue(_) => "not-issued",
            Self::NoSuchContent => "no-such-content",
            Self::NoSuchAttachment { .. } => "no-such-attachment",
            Self::NoSuchDocument { .. } => "no-such-document",
            Self::NoSuchUpload { .. } => "no-such-upload",
            Self::Source { .. } => "unreadable-source",
            Self::Destination { .. } => "unwritable-destination",
            Self::SourceChanged => "source-changed",
            Self::NewerCompartment { .. } => "newer-compartment",
            Self::Text(_) => "unusable-text",
            Self::Date(_) => "unusable-date",
            Self::Id(_) => "unusable-id",
            Self::Field(_) => "unusable-field",
            Self::Policy(_) => "unusable-policy",
            Self::CodeFilter(_) => "unusable-code-filter",
            Self::ViewDigest(_) => "unusable-view-digest",
            Self::Import(_) => "not-imported",
            Self::Key(_) => "unusable-key",
            Self::Verify(_) => "not-verified",
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

fn format_kind(error: FormatError) -> ErrorKind {
    match error {
        FormatError::NotAVault => ErrorKind::Refused,
        FormatError::NewerFormat { .. } => ErrorKind::NewerVersion,
        FormatError::DamagedHeader | FormatError::Empty | FormatError::CutOff => ErrorKind::Damaged,
    }
}

fn store_kind(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::NotFound | StoreError::NoFolder => ErrorKind::NotFound,
        StoreError::Exists | StoreError::InTheWay { .. } => ErrorKind::Exists,
        StoreError::Busy | StoreError::Conflict => ErrorKind::Busy,
        StoreError::Missing => ErrorKind::Damaged,
        StoreError::ReservedName | StoreError::SecondName | StoreError::NameTooLong => ErrorKind::Refused,
        StoreError::ReadOnly
        | StoreError::NoSpace
        | StoreError::Sync { .. }
        | StoreError::Poisoned
        | StoreError::Replaced
        | StoreError::NoLocks
        | StoreError::Unreliable { .. }
        | StoreError::AreaLost
        | StoreError::NotErased
        | StoreError::Unsupported
        | StoreError::ClosedFolder
        | StoreError::Io { .. } => ErrorKind::Environment,
    }
}
