//! C-CDA and C32: an HL7 CDA R2 document as XML, read into entries.
//!
//! Each clinical statement becomes an entry with its own bytes, and with those of the narrative
//! that tell the same fact. What narrative alone tells becomes a note of its section. What is
//! not read is named by path; what may change the meaning marks the entry.

mod conserve;
mod context;
mod header;
mod map;
mod narrative;
mod part;
mod read;
mod section;
mod sharing;
mod statement;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use part::Role;
pub(crate) use read::read;
