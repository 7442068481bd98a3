//! Subrosa keeps a person's health records as encrypted entries under
//! password-derived keys and releases from them only redacted excerpts that a
//! third party can verify without seeing the rest.

mod codec;
mod crypto;
mod id;
mod interop;
mod payload;
mod record;
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
