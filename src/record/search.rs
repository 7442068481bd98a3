//! Reading texts out of values: what a search looks at.
//!
//! A search sees every word that a person sees, codes included, but not the URIs
//! of code systems, which would make every entry match `http`.

use super::fold::fold;
use super::text::{Narrative, Token};
use super::value::{
    Address, Attachment, Component, Concept, HumanName, Identifier, Location, Party, Quantity, Scalar,
    Telecom,
};

/// A text to look for, however it is written ([`fold`]).
pub(crate) struct Needle(String);

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        Self(fold(text))
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        fold(text).contains(&self.0)
    }
}

/// Something with texts that a search looks at.
pub(crate) trait Searchable {
    /// Whether the needle is in one of the texts.
    fn matches(&self, needle: &Needle) -> bool;
}

impl Searchable for Token {
    fn matches(&self, needle: &Needle) -> bool {
        needle.is_in(self.as_str())
    }
}

impl Searchable for Narrative {
    fn matches(&self, needle: &Needle) -> bool {
        needle.is_in(self.as_str())
    }
}

impl Searchable for bool {
    fn matches(&self, _: &Needle) -> bool {
        false
    }
}

impl Searchable for super::date::PartialDate {
    fn matches(&self, needle: &Needle) -> bool {
        needle.is_in(self.as_str())
    }
}

impl<T: Searchable> Searchable for Option<T> {
    fn matches(&self, needle: &Needle) -> bool {
        self.as_ref().is_some_and(|item| item.matches(needle))
    }
}

impl<T: Searchable> Searchable for Vec<T> {
    fn matches(&self, needle: &Needle) -> bool {
        self.iter().any(|item| item.matches(needle))
    }
}

impl Searchable for Concept {
    fn matches(&self, needle: &Needle) -> bool {
        self.text.matches(needle)
            || self.codings.iter().any(|coding| coding.display.matches(needle) || coding.code.matches(needle))
    }
}

impl Searchable for Quantity {
    fn matches(&self, needle: &Needle) -> bool {
        self.value.matches(needle) || self.unit.matches(needle) || self.code.matches(needle)
    }
}

impl Searchable for Party {
    fn matches(&self, needle: &Needle) -> bool {
        self.name.matches(needle)
            || self.role.matches(needle)
            || self.identifiers.matches(needle)
            || self.contact.matches(needle)
    }
}

impl Searchable for HumanName {
    fn matches(&self, needle: &Needle) -> bool {
        self.text.matches(needle)
            || self.family.matches(needle)
            || [&self.given, &self.prefix, &self.suffix].into_iter().any(|part| part.matches(needle))
            || self.to_line().is_some_and(|line| needle.is_in(&line))
    }
}

impl Searchable for Address {
    fn matches(&self, needle: &Needle) -> bool {
        let parts = [&self.text, &self.city, &self.district, &self.state, &self.postal_code, &self.country];
        self.lines.matches(needle) || parts.into_iter().any(|part| part.matches(needle))
    }
}

impl Searchable for Telecom {
    fn matches(&self, needle: &Needle) -> bool {
        self.value.matches(needle)
    }
}

impl Searchable for Identifier {
    fn matches(&self, needle: &Needle) -> bool {
        self.value.matches(needle)
    }
}

impl Searchable for Attachment {
    fn matches(&self, needle: &Needle) -> bool {
        let text = |location: &Location| match location {
            Location::Inline(bytes) => std::str::from_utf8(bytes).is_ok_and(|text| needle.is_in(text)),
            Location::InSource(_) | Location::Stored(_) => false,
            Location::External(address) => address.matches(needle),
        };
        self.title.matches(needle) || self.location.as_ref().is_some_and(text)
    }
}

impl Searchable for Component {
    fn matches(&self, needle: &Needle) -> bool {
        self.code.matches(needle) || self.value.matches(needle)
    }
}

impl Searchable for Scalar {
    fn matches(&self, needle: &Needle) -> bool {
        match self {
            Self::Concept(concept) => concept.matches(needle),
            Self::Quantity(quantity) => quantity.matches(needle),
            Self::Date(date) => date.matches(needle),
            Self::Text(text) => text.matches(needle),
            Self::Boolean(_) => false,
        }
    }
}
