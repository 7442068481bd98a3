//! What an entry is, as a rule tells it, and where it belongs. Nothing here reads a vault.

use crate::format::place::Compartment;
use crate::record::{Entry, Record};

/// The compartment that an entry's kind belongs to.
pub(crate) fn compartment_of(entry: &Entry) -> Compartment {
    match &entry.record {
        Record::Note(note) if note.form.as_ref().is_some_and(|form| form.as_str() == "psychotherapy") => {
            Compartment::PsychotherapyNotes
        }
        Record::SubstanceUse(_) => Compartment::SubstanceUse,
        _ => Compartment::General,
    }
}
