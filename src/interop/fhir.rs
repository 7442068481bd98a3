//! FHIR R4 as JSON: bundles, single resources and NDJSON, read as one set.
//!
//! No resource is lost: each becomes an entry with its exact bytes, an earlier version or
//! a file of one, is a byte-identical repetition, or is left out for a reason; all are counted.
//! Nothing is taken but what is shown to be about one patient (`about`, `people`), and
//! what names nobody and belongs to that (`belonging`).

pub(crate) mod about;
mod agents;
mod attachment;
mod bundle;
pub(crate) mod claimed;
mod conserve;
mod denial;
mod element;
pub(crate) mod files;
mod form;
pub(crate) mod found;
pub(crate) mod held;
mod history;
pub(crate) mod identifier;
pub(crate) mod index;
pub(crate) mod input;
pub(crate) mod linking;
pub(crate) mod map;
mod modifiers;
mod reads;
mod reference;
pub(crate) mod stored;
pub(crate) mod subject;
pub(crate) mod summary;
mod version;

pub(crate) use stored::{Nameless, are_of_two, content_of, person_of, share_identifier, version_of};
