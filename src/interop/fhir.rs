//! FHIR R4 as JSON: bundles, single resources and NDJSON, read as one set.
//!
//! No resource is lost: each becomes an entry with its exact bytes or an earlier version
//! of one, is a byte-identical repetition, or is left out for a reason; all are counted.
//! Nothing is taken but what is shown to be about one patient (`about`, `people`), and
//! what names nobody and belongs to that (`belonging`).

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
mod options;
mod patients;
mod people;
mod reads;
mod subject;
mod version;
mod versions;

pub use finding::{Finding, FindingGroup, FindingReason};
pub(crate) use identity::{beside, is_global, version_of};
pub use import::Import;
pub use imported::{Document, Imported, ImportedEntry, LeftOut, PatientReferences, Piece};
pub use options::{ImportError, ImportLimits, ImportOptions};
pub(crate) use patients::are_of_two;
