//! The domain model: what a person's health record consists of, as plain data.
//!
//! No type here knows how it is stored, and none prints its content through `Debug`.

mod called;
use subrosa_base::{date, text};

mod card;
mod entry;
mod field;
mod fields;
mod fold;
mod items;
mod kinds;
mod negation;
mod original;
mod person;
mod question;
mod result;
mod search;
mod table;
mod value;

pub(crate) use card::shorten;
pub use card::{Card, CardFlags};
#[doc(inline)]
pub use date::{DateRange, Fit, ParseDateError, PartialDate, Precision};
pub use entry::{Entry, FhirVersion, LegalHold, Marks, Origin, Provenance, Source, SourceFile, SourceFormat};
pub use field::Field;
pub(crate) use field::{FieldRef, ValueRef};
pub use fields::FieldError;
pub(crate) use fold::fold;
pub(crate) use items::MOST_ITEMS;
#[cfg(feature = "serde")]
pub(crate) use kinds::each_kind;
pub use kinds::{
    AdvanceDirective, Allergy, Assessment, AttachmentRecord, Diagnosis, Encounter, FamilyHistory,
    Hospitalization, Immunization, LegalDocument, Medication, Note, Observation, Other, Patient, Provider,
    Record, Statement, SubstanceUse, Treatment,
};
pub use negation::Negation;
pub use person::{Likeness, Person, PersonDetail};
pub use question::ImportQuestion;
#[doc(inline)]
pub use subrosa_base::schema::{FieldName, FieldSchema, FieldType, Kind};
pub(crate) use subrosa_base::schema::{PROVENANCE, denies};
pub(crate) use text::one_line;
#[doc(inline)]
pub use text::{Narrative, TextError, Token};
pub use value::{
    Address, Attachment, Coding, Component, Concept, HumanName, Identifier, Location, Party, Quantity,
    Scalar, Telecom, Value,
};
