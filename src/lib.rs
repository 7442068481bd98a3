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
//! - A recipient starts with [`UnverifiedExcerpt`], and needs no vault.
//!
//! It is not a server, not an EHR, not audited, and not legal advice: the person who
//! releases decides on the policy. `SECURITY.md` says what encryption, expungement and
//! redaction cannot do.
//!
//! Every call is synchronous; async programs call it on a blocking thread. Threads can
//! share a [`Vault`].
//!
//! ```
//! use subrosa::record::Diagnosis;
//! use subrosa::{Actor, Concept, Credential, Entry, LockedVault, NewVault, Provenance, RawKey, Token, Vault, VaultOptions};
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
pub mod interop;
mod keys;
#[cfg(feature = "testing")]
#[doc(hidden)]
pub mod measured;
mod parallel;
mod payload;
pub mod record;
pub mod release;
#[cfg(any(test, fuzzing))]
mod seams;
mod secret;
#[cfg(feature = "serde")]
mod serial;
pub mod store;
#[cfg(test)]
mod testing;
mod tree;
pub mod vault;

use subrosa_base::id;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// What every program needs. The rest is in the modules, each under its subject.
#[doc(inline)]
pub use excerpt::{Excerpt, TrustedKeys, UnverifiedExcerpt};
#[doc(inline)]
pub use interop::{Import, ImportOptions};
#[doc(inline)]
pub use record::{Concept, Entry, Kind, PartialDate, Provenance, Record, Token};
#[doc(inline)]
pub use release::{Mask, Policy};
#[doc(inline)]
pub use vault::{
    Access, Actor, Credential, EntryId, Error, ErrorKind, Filter, Grant, LockedVault, NewVault, Password,
    RawKey, RecoveryKey, ReleaseRequest, Vault, VaultId, VaultOptions,
};

// The rest by its bare name, for the library's own tests and fuzz targets.
#[cfg(any(test, fuzzing))]
#[allow(unused_imports, reason = "for tests and fuzz targets")]
pub(crate) use excerpt::{
    Compared, Fingerprint, IssueExcerptError, IssuerRole, JwsError, KeyError, KeyFile, Outcome, PublicKey,
    STATEMENT, SdJwtError, Signer, SignerError, SignsAs, VerifiedEntry, VerifiedExcerpt, VerifyError,
};
#[cfg(any(test, fuzzing))]
#[allow(unused_imports, reason = "for tests and fuzz targets")]
pub(crate) use interop::{
    Document, Finding, FindingGroup, FindingReason, ForeignFormat, ImportError, ImportLimits, ImportQuestion,
    Imported, ImportedEntry, JsonError, LeftOut, PatientReferences, Piece,
};
#[cfg(any(test, fuzzing))]
#[allow(unused_imports, reason = "for tests and fuzz targets")]
pub(crate) use record::{
    Address, AdvanceDirective, Allergy, Assessment, Attachment, AttachmentRecord, Card, CardFlags, Coding,
    Component, DateRange, Diagnosis, Encounter, FamilyHistory, FhirVersion, Field, FieldError, FieldName,
    FieldSchema, FieldType, Fit, Hospitalization, HumanName, Identifier, Immunization, LegalDocument,
    LegalHold, Likeness, Location, Marks, Medication, Narrative, Negation, Note, Observation, Origin, Other,
    ParseDateError, Party, Patient, Person, PersonDetail, Precision, Provider, Quantity, Scalar, Source,
    SourceFile, SourceFormat, Statement, SubstanceUse, Telecom, TextError, Treatment, Value,
};
#[cfg(any(test, fuzzing))]
#[allow(unused_imports, reason = "for tests and fuzz targets")]
pub(crate) use release::{
    Audience, Candidate, CodeFilter, FilterNotice, ParseCodeFilterError, ParseViewDigestError, PolicyError,
    RedactedEntry, ShownEntry, ShownLine, Subject, SubjectFault, View, ViewDigest, Withheld, WithheldReason,
    columns, spell, spell_block, spell_json, spell_lines,
};
#[cfg(test)]
#[allow(unused_imports, reason = "for tests")]
pub(crate) use store::{Breach, OpenStore, check_creation, check_store};
#[cfg(any(test, fuzzing))]
#[allow(unused_imports, reason = "for tests and fuzz targets")]
pub(crate) use store::{
    Chosen, Creation, FileStore, Heads, Medium, MemoryStore, ObjectRef, Publication, Repairs, Store,
    StoreError, StoreWriter,
};
#[cfg(any(test, fuzzing))]
#[allow(unused_imports, reason = "for tests and fuzz targets")]
pub(crate) use vault::{
    AccessChange, AccessId, AccessKind, Accounting, Action, AttachmentReader, AuditEvent, Backup,
    BackupReport, ChangedSource, CheckFinding, CheckReport, Checkpoint, Closed, CommitId, Committed,
    CompactReport, Compartment, ContentDigest, ContentId, Coverage, CredentialError, Detail, Digest, Epoch,
    ErasureReport, ExcerptId, Explanation, Expunged, FormatError, HeadPart, HolderRole, ImportDecisions,
    ImportReport, KdfCost, KdfError, KdfLimits, LedgerLine, Listed, ListedAccess, NewAttachment,
    ParseCheckpointError, ParseIdError, PastImport, Progress, RandomError, ReadKind, Readable, Recovery,
    RepairReport, Revision, SecretText, SegmentsReport, SignatureAlgorithm, SpaceReport, Transaction,
    UndoPreview, UndoReport, Upload,
};
