//! What a policy judges: an entry, and what the vault knows of it besides.

use crate::classify::labels_of;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::record::{Coding, Entry};

/// An entry that a policy may let out, where it is kept and how it is labelled.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    pub(super) id: EntryId,
    pub(super) entry: &'a Entry,
    pub(super) compartment: Compartment,
    labels: &'a [Coding],
}

impl<'a> Candidate<'a> {
    /// An entry of this compartment, with the labels that its source gave it.
    #[must_use]
    pub fn new(id: EntryId, compartment: Compartment, entry: &'a Entry) -> Self {
        Self { id, entry, compartment, labels: labels_of(entry) }
    }

    /// The entry's id.
    #[must_use]
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The compartment that it is in.
    #[must_use]
    pub fn compartment(&self) -> Compartment {
        self.compartment
    }

    /// Its security labels (HL7 v3 Confidentiality and ActCode).
    #[must_use]
    pub fn labels(&self) -> &'a [Coding] {
        self.labels
    }
}

crate::secret::redacted_debug!(Candidate<'_>);
