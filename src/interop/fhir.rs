//! FHIR R4 as JSON: bundles, single resources and NDJSON, read as one set.
//!
//! No resource is lost: each becomes an entry with its exact bytes, an earlier version or
//! a file of one, is a byte-identical repetition, or is left out for a reason; all are counted.
//! Nothing is taken but what is shown to be about one patient (`about`, `people`), and
//! what names nobody and belongs to that (`belonging`).

mod about;
mod attachment;
mod belonging;
mod bundle;
mod choice;
mod conserve;
mod denial;
mod element;
mod files;
mod found;
mod held;
mod history;
mod identifier;
mod import;
mod index;
mod input;
mod making;
mod map;
mod modifiers;
mod people;
mod reads;
mod reference;
mod shown;
mod stored;
mod subject;
mod summary;
mod version;
mod versions;

pub use import::Import;
pub(crate) use stored::{Nameless, are_of_two, content_of, person_of, share_identifier, version_of};
