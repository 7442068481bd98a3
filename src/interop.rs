//! Other people's formats, read into entries; and entries out, as FHIR.
//!
//! What is read is never rewritten: every entry carries its original bytes, and what
//! has no mapping is kept raw and reported.

pub(crate) mod carried;
pub(crate) mod cda;
pub(crate) mod claims;
pub(crate) mod export;
pub(crate) mod fhir;
pub(crate) mod finding;
pub(crate) mod fitting;
pub(crate) mod foreign;
pub(crate) mod identity;
pub(crate) mod import;
pub(crate) mod imported;
pub(crate) mod options;
pub(crate) mod people;
pub(crate) mod prepared;

#[doc(inline)]
pub use crate::codec::json::JsonError;
#[doc(inline)]
pub use crate::codec::xml::{XmlError, XmlFault};
pub use crate::record::ImportQuestion;
pub use export::ExportForm;
pub use finding::{Finding, FindingGroup, FindingReason};
pub use foreign::ForeignFormat;
pub use import::Import;
pub use imported::{Document, Imported, ImportedEntry, LeftOut, PatientReferences, Piece};
pub use options::{ImportError, ImportLimits, ImportOptions};
