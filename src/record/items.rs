//! How many values and items of lists an entry has: each takes memory whether it says
//! anything or not.

use super::entry::{Entry, Provenance};
use super::field::ValueRef;
use super::value::{Component, Concept, HumanName, Party, Scalar};

/// Most fields of an entry and items of the lists in it, all together.
pub(crate) const MOST_ITEMS: usize = 1 << 16;

impl Concept {
    fn items(&self) -> usize {
        self.codings.len()
    }
}

impl Party {
    fn items(&self) -> usize {
        self.identifiers.len() + self.contact.len()
    }
}

impl HumanName {
    fn items(&self) -> usize {
        self.given.len() + self.prefix.len() + self.suffix.len()
    }
}

impl Component {
    fn items(&self) -> usize {
        let answer = match &self.value {
            Some(Scalar::Concept(answer)) => answer.items(),
            _ => 0,
        };
        self.code.items() + answer
    }
}

impl ValueRef<'_> {
    /// How many items the lists in it have.
    pub(crate) fn items(&self) -> usize {
        match self {
            Self::Concept(value) => value.items(),
            Self::Party(value) => value.items(),
            Self::Name(value) => value.items(),
            Self::Address(value) => value.lines.len(),
            Self::Component(value) => value.items(),
            _ => 0,
        }
    }
}

impl Provenance {
    fn items(&self) -> usize {
        self.labels.len() + self.provider.as_ref().map_or(0, Party::items)
    }
}

impl Entry {
    /// How many items the lists beside its fields have.
    pub(crate) fn items_beside_fields(&self) -> usize {
        self.provenance.items()
            + self.not_understood.len()
            + self.source.as_ref().map_or(0, |source| source.files.len())
            + self.marks.legal_holds.len()
            + self.marks.disputes.len()
    }
}
