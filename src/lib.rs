//! Subrosa keeps a person's health records as encrypted entries under
//! password-derived keys and releases from them only redacted excerpts that a
//! third party can verify without seeing the rest.

mod codec;
mod crypto;
mod excerpt;
mod id;
mod interop;
mod payload;
mod record;
mod release;
mod secret;

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
