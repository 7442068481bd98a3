//! The record as serde writes and reads it: the feature `serde`.
//!
//! What is written reads back the same. What is read is held to the types' own limits,
//! a member that is not known is refused, and no error repeats what it read. The form is
//! described in `docs/json.md`; it is not how a vault stores anything.

mod entry;
mod person;
mod record;
mod value;
mod words;

pub(crate) use subrosa_base::serial::moment;
pub(crate) use subrosa_base::{text_only, written_as};
