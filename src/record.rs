//! The domain model: what a person's health record consists of, as plain data.
//!
//! No type here knows how it is stored, and none prints its content through `Debug`.

mod card;
mod date;
mod entry;
mod field;
mod fields;
mod fold;
mod kinds;
mod names;
mod negation;
mod original;
mod person;
mod question;
mod result;
mod search;
mod table;
mod text;
mod value;

pub(crate) use card::shorten;
pub use card::{Card, CardFlags};
pub use date::{DateRange, Fit, ParseDateError, PartialDate, Precision};
pub use entry::{Entry, FhirVersion, LegalHold, Marks, Origin, Provenance, Source, SourceFormat};
pub use field::{Field, FieldSchema};
pub(crate) use field::{FieldRef, ValueRef};
pub use fields::FieldError;
pub(crate) use fold::fold;
#[cfg(feature = "serde")]
pub(crate) use kinds::each_kind;
pub use kinds::{
    AdvanceDirective, Allergy, Assessment, AttachmentRecord, Diagnosis, Encounter, FamilyHistory,
    Hospitalization, Immunization, Kind, LegalDocument, Medication, Note, Observation, Other, Patient,
    Provider, Record, Statement, SubstanceUse, Treatment,
};
pub use names::FieldName;
pub(crate) use names::PROVENANCE;
pub use negation::Negation;
pub(crate) use negation::{denies, denies_by_flag};
pub use person::{Likeness, Person, PersonDetail};
pub use question::ImportQuestion;
pub use text::{Narrative, TextError, Token};
pub use value::{
    Address, Attachment, Coding, Component, Concept, FieldType, HumanName, Identifier, Location, Party,
    Quantity, Scalar, Telecom, Value,
};
