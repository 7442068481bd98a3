//! The record as serde writes and reads it: the feature `serde`.
//!
//! What is written reads back the same. What is read is held to the types' own limits,
//! a member that is not known is refused, and no error repeats what it read. The form is
//! described in `docs/json.md`; it is not how a vault stores anything.

mod entry;
mod error;
mod node;
mod person;
mod record;
mod shape;
mod text;
mod value;

pub(crate) use shape::{moment, text_only, written_as};
pub(crate) use text::parse;
