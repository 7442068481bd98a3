//! What has to be decided by a person before an import may write anything.

use std::fmt;
use std::time::SystemTime;

use super::person::{Person, PersonDetail};
use crate::id::Epoch;

/// What has to be decided before an import. `Debug` prints no name.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportQuestion {
    /// Is the input about the vault's patient?
    /// [`crate::vault::ImportDecisions::patient_is_same`] says yes.
    Patient {
        /// Whom it is about as it says; `None` where it only refers to somebody.
        found: Option<Box<Person>>,
        /// The vault's patient.
        known: Box<Person>,
        /// What differs; nothing where the input does not show it.
        differs: Vec<PersonDetail>,
    },
    /// References to the patient show names that are none of theirs: are those records the
    /// patient's all the same? [`crate::vault::ImportDecisions::patient_is_same`] says yes.
    OtherNames {
        /// The patient to whom they refer.
        known: Box<Person>,
        /// The names that they show, at most a few.
        shown: Vec<String>,
    },
    /// Does a document continue what an earlier import brought?
    /// [`crate::vault::ImportDecisions::changed_source`] answers.
    ChangedSource {
        /// The document: a bundle's id, or the name of a file.
        document: Option<String>,
        /// The earlier import's number.
        since: Epoch,
        /// When that was.
        time: SystemTime,
        /// How many entries of the document the vault knows, by name or by what they say.
        known: usize,
        /// How many of these say the same.
        same: usize,
        /// How many of these are about another thing now: no code and no words in common
        /// with what the vault has.
        about_others: usize,
    },
}

impl fmt::Debug for ImportQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Patient { differs, .. } => f.debug_struct("Patient").field("differs", differs).finish(),
            Self::OtherNames { shown, .. } => {
                f.debug_struct("OtherNames").field("shown", &shown.len()).finish()
            }
            Self::ChangedSource { since, known, same, about_others, .. } => f
                .debug_struct("ChangedSource")
                .field("since", since)
                .field("known", known)
                .field("same", same)
                .field("about_others", about_others)
                .finish(),
        }
    }
}
