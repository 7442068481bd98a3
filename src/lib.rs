//! Subrosa keeps one person's health records in an encrypted vault. What leaves the
//! vault is a signed, redacted excerpt, which a third party can verify without seeing
//! the rest of the record.
//!
//! - [`Vault::create`] makes a vault and [`LockedVault::open`] opens one. Each person has
//!   one file, in a published format.
//! - [`Vault::update`] adds, amends, retracts and expunges entries, in one durable commit.
//! - [`Vault::list`] and [`Vault::entry`] read. [`Vault::check`] authenticates everything.
//! - [`Import`] reads FHIR R4. The bytes of every resource are kept exactly.
//! - [`Policy`] says what may leave, and denies by default. [`Vault::preview`] shows what would
//!   leave. [`Vault::release`] records the release in the ledger, then returns the signed
//!   [`Excerpt`].
//! - [`UnverifiedExcerpt`] is where a recipient starts, who needs no vault.
//!
//! It is not a server, not an EHR, not audited, and not legal advice: the person who
//! releases decides on the policy. `SECURITY.md` says what encryption, expungement and
//! redaction cannot do.
//!
//! Every call is synchronous; async programs call it on a blocking thread. Threads can
//! share a [`Vault`].
//!
//! ```
//! use subrosa::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A raw key opens fast. A person has a password:
//! // Credential::password("a long sentence that nobody else says")?
//! let key = Credential::from(RawKey::generate()?);
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("record.vault");
//! let vault = Vault::create(&path, &NewVault::individual(&key), VaultOptions::default())?;
//!
//! let mut asthma = Diagnosis::default();
//! asthma.code = Some(Concept::from_text(Token::new("Asthma")?));
//! asthma.onset = Some("1998-04".parse()?);
//! let entry = Entry::new(asthma, Provenance::default());
//! let id = vault.update(&Actor::owner(), |tx| tx.add(&entry))?.value;
//! drop(vault);
//!
//! let vault = LockedVault::open(&path, VaultOptions::default())?.unlock(&key)?;
//! assert_eq!(vault.entry(id)?.display().as_deref(), Some("Asthma"));
//! # Ok(())
//! # }
//! ```

// A library does not print; examples and tests may.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod classify;
mod codec;
mod crypto;
mod engine;
mod error;
pub mod excerpt;
mod format;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "in tests and fuzz targets only"
)]
pub mod fuzzing;
mod interop;
mod keys;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod measured;
mod parallel;
mod payload;
mod record;
mod release;
#[cfg(any(test, fuzzing))]
mod seams;
mod secret;
#[cfg(feature = "serde")]
mod serial;
mod store;
#[cfg(test)]
mod testing;
mod tree;
mod vault;

use subrosa_base::id;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// The vault: create, open, change, read.
#[doc(inline)]
pub use crypto::digest::Digest;
pub use crypto::kdf::{KdfCost, KdfError, KdfLimits};
pub use crypto::random::RandomError;
#[doc(inline)]
pub use crypto::signature::SignatureAlgorithm;
pub use error::{Error, ErrorKind};
pub use format::FormatError;
pub use format::place::Compartment;
#[doc(inline)]
pub use id::{AccessId, CommitId, ContentId, EntryId, Epoch, ExcerptId, ParseIdError, VaultId};
pub use keys::{Credential, CredentialError, Grant, Password, RawKey, RecoveryKey};
pub use secret::SecretText;
pub use vault::{
    Access, AccessChange, AccessKind, Action, Actor, AttachmentReader, AuditEvent, Backup, BackupReport,
    ChangedSource, CheckFinding, CheckReport, Checkpoint, Closed, Committed, CompactReport, Coverage, Detail,
    ErasureReport, Explanation, Expunged, Filter, HeadPart, HolderRole, ImportDecisions, ImportReport,
    LedgerLine, LineState, Listed, ListedAccess, LockedVault, NewAttachment, NewVault, ParseCheckpointError,
    PastImport, Progress, ReadKind, Recovery, ReleaseRequest, RepairReport, Revision, SpaceReport,
    Transaction, UndoPreview, UndoReport, Upload, Vault, VaultOptions, WriterVersion,
};

// The record: entries and what they hold.
#[doc(inline)]
pub use record::{
    Address, AdvanceDirective, Allergy, Assessment, Attachment, AttachmentRecord, Card, CardFlags, Coding,
    Component, Concept, DateRange, Diagnosis, Encounter, Entry, FamilyHistory, FhirVersion, Field,
    FieldError, FieldName, FieldSchema, FieldType, Fit, Hospitalization, HumanName, Identifier, Immunization,
    Kind, LegalDocument, LegalHold, Likeness, Location, Marks, Medication, Narrative, Negation, Note,
    Observation, Origin, Other, ParseDateError, PartialDate, Party, Patient, Person, PersonDetail, Precision,
    Provenance, Provider, Quantity, Record, Scalar, Source, SourceFormat, Statement, SubstanceUse, Telecom,
    TextError, Token, Treatment, Value,
};

// Import: other people's formats.
#[doc(inline)]
pub use codec::json::JsonError;
pub use interop::fhir::Import;
pub use interop::finding::{Finding, FindingGroup, FindingReason};
pub use interop::foreign::ForeignFormat;
pub use interop::imported::{Document, Imported, ImportedEntry, LeftOut, PatientReferences, Piece};
pub use interop::options::{ImportError, ImportLimits, ImportOptions};
pub use record::ImportQuestion;

// Releases: what may leave, and what it looks like.
#[doc(inline)]
pub use release::{
    Audience, Candidate, CodeFilter, FilterNotice, Mask, ParseCodeFilterError, ParseViewDigestError, Policy,
    PolicyError, RedactedEntry, ShownEntry, ShownLine, Subject, SubjectFault, View, ViewDigest, Withheld,
    WithheldReason,
};

// Text for people: what cannot be seen is spelt.
#[doc(inline)]
pub use codec::spell::{spell, spell_json, spell_lines};

// Excerpts: signed, redacted, verifiable without the vault.
#[doc(inline)]
pub use excerpt::{
    Compared, Excerpt, Fingerprint, IssueExcerptError, IssuerRole, JwsError, KeyError, KeyFile, Outcome,
    PublicKey, STATEMENT, SdJwtError, Signer, SignerError, SignsAs, TrustedKeys, UnverifiedExcerpt,
    VerifiedEntry, VerifiedExcerpt, VerifyError,
};

// Where the bytes rest.
#[cfg(any(test, feature = "testing"))]
pub use store::contract::{Breach, OpenStore, check_creation, check_store};
pub use store::{
    Chosen, Creation, FileStore, Heads, Medium, MemoryStore, ObjectRef, Publication, Repairs, Store,
    StoreError, StoreWriter,
};
