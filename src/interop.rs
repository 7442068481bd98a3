//! Other people's formats, read into entries.
//!
//! What is read is never rewritten: every entry carries its original bytes, and what
//! has no mapping is kept raw and reported.

pub(crate) mod fhir;
pub(crate) mod finding;
pub(crate) mod foreign;
pub(crate) mod identity;
pub(crate) mod imported;
pub(crate) mod options;

#[doc(inline)]
pub use crate::codec::json::JsonError;
pub use crate::record::ImportQuestion;
pub use fhir::Import;
pub use finding::{Finding, FindingGroup, FindingReason};
pub use foreign::ForeignFormat;
pub use imported::{Document, Imported, ImportedEntry, LeftOut, PatientReferences, Piece};
pub use options::{ImportError, ImportLimits, ImportOptions};
