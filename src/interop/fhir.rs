//! FHIR R4 as JSON: bundles, single resources and NDJSON, read as one set.
//!
//! No resource is lost: each becomes an entry with its exact bytes, is a byte-identical
//! repetition, or belongs to a patient who was not asked for; all are counted.

mod about;
mod belonging;
mod bundle;
mod choice;
mod conserve;
mod element;
mod finding;
mod history;
mod identity;
mod import;
mod imported;
mod index;
mod input;
mod making;
mod map;
mod patients;
mod people;
mod reads;
mod subject;
mod version;
mod versions;

pub use finding::{Finding, FindingGroup, FindingReason};
pub(crate) use identity::{beside, is_global};
pub use import::{Import, ImportError, ImportLimits, ImportOptions};
pub use imported::{Document, Imported, ImportedEntry, LeftOut, PatientReferences, Piece};
pub(crate) use patients::are_of_two;
