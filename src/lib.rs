//! Subrosa keeps a person's health records as encrypted entries under
//! password-derived keys and releases from them only redacted excerpts that a
//! third party can verify without seeing the rest.

mod codec;
mod crypto;
mod error;
mod excerpt;
mod format;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod id;
mod interop;
mod keys;
mod payload;
mod record;
mod release;
mod secret;
mod store;
#[cfg(test)]
mod testing;
mod tree;
mod vault;

// Import: other people's formats.
pub use codec::json::JsonError;
pub use interop::fhir::{
    Document, Finding, FindingReason, Import, ImportError, ImportLimits, ImportOptions, Imported,
    ImportedEntry, PatientReferences, Piece,
};

pub use payload::PayloadError;

// The record: entries and what they hold.
pub use record::{
    Address, AdvanceDirective, Allergy, Assessment, Attachment, AttachmentRecord, Card, CardFlags, Coding,
    Component, Concept, DateRange, Diagnosis, Encounter, Entry, FamilyHistory, Field, FieldError,
    FieldSchema, FieldType, Hospitalization, HumanName, Identifier, Immunization, Kind, LegalDocument,
    LegalHold, Location, Marks, Medication, Narrative, Note, Observation, Origin, Other, ParseDateError,
    PartialDate, Party, Patient, Precision, Provenance, Provider, Quantity, Record, Scalar, Source,
    SourceFormat, Statement, SubstanceUse, Telecom, TextError, Token, Treatment, Value,
};

// The vault: create, open, change, read.
pub use crypto::digest::Digest;
pub use crypto::kdf::{KdfCost, KdfError, KdfLimits};
pub use crypto::random::RandomError;
pub use error::{Error, ErrorKind};
pub use format::FormatError;
pub use format::place::Compartment;
pub use id::{CommitId, EntryId, Epoch, ExcerptId, ParseIdError, VaultId};
pub use keys::{Credential, CredentialError, Grant, Password, RawKey, RecoveryKey};
pub use secret::SecretText;
pub use vault::{
    Access, AccessKind, Action, Actor, CheckFinding, CheckReport, Checkpoint, Committed, Coverage, Detail,
    ErasureReport, Expunged, Filter, HolderRole, ImportReport, LedgerLine, LineState, Listed, ListedAccess,
    LockedVault, NewVault, ParseCheckpointError, Recovery, ReleaseRequest, Revision, Transaction, Vault,
    VaultOptions,
};

// Where the bytes rest.
#[cfg(any(test, feature = "testing"))]
pub use store::contract::check_store;
pub use store::{
    Chosen, FileStore, Heads, Medium, MemoryStore, ObjectRef, Publication, Repairs, Store, StoreError,
    StoreWriter,
};

// Releases: what may leave, and what it looks like.
pub use release::{
    CodeFilter, FilterNotice, Mask, ParseCodeFilterError, Policy, PolicyError, RedactedEntry, Subject, View,
    Withheld, WithheldReason,
};

// Excerpts: signed, redacted, verifiable without the vault.
pub use excerpt::{
    EnvelopeRequest, Excerpt, Fingerprint, IssueExcerptError, IssuerRole, JwsError, KeyError, Outcome,
    PublicKey, STATEMENT, SdJwtError, TrustedKeys, UnverifiedExcerpt, VerifiedEntry, VerifiedExcerpt,
    VerifyError,
};
