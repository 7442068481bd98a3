//! What an entry is, as a rule tells it, and where it belongs. Nothing here reads a vault.

pub(crate) mod codes;

use crate::format::place::Compartment;
use crate::record::{Coding, Entry, Record};

/// The security labels of an entry: those that its source gave it.
pub(crate) fn labels_of(entry: &Entry) -> &[Coding] {
    &entry.provenance.labels
}

/// The compartment that an entry's kind belongs to.
pub(crate) fn compartment_of(entry: &Entry) -> Compartment {
    match &entry.record {
        Record::Note(note) if note.form.as_ref().is_some_and(|form| form.as_str() == "psychotherapy") => {
            Compartment::PsychotherapyNotes
        }
        Record::SubstanceUse(_) => Compartment::SubstanceUse,
        // Of no kind, such as a file: its label is all that says it.
        Record::Other(_) if codes::is_psychotherapy_note(&[], labels_of(entry)) => {
            Compartment::PsychotherapyNotes
        }
        _ => Compartment::General,
    }
}
