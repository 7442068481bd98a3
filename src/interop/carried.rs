//! What an entry carries: every text in its fields, to hold against the original.

use std::collections::HashMap;

use crate::record::{Concept, Entry, Location, Party, Quantity, Scalar, ValueRef};

/// A yes or no by the word that mappings write for it.
pub(crate) fn in_words(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}
/// The texts of an entry, and those that several parts were put together in.
#[derive(Default)]
pub(crate) struct Carried {
    texts: HashMap<String, usize>,
    wordings: Vec<String>,
}

impl Carried {
    /// The texts of the record and of where it came from.
    pub(crate) fn of(entry: &Entry) -> Self {
        let mut held = Self::default();
        for field in entry.record.values() {
            held.value(&field.value);
        }
        let from = &entry.provenance;
        from.provider.iter().for_each(|party| held.party(party));
        from.recorded.iter().for_each(|date| held.text(date.as_str()));
        for label in &from.labels {
            held.concept(&Concept::from_coding(label.clone()));
        }
        held
    }

    /// How often it holds this text.
    pub(crate) fn times(&self, text: &str) -> usize {
        self.texts.get(text).copied().unwrap_or_default()
    }

    /// Whether the text is a part of words that were put together.
    pub(crate) fn is_worded(&self, text: &str) -> bool {
        self.wordings.iter().any(|wording| wording != text && wording.contains(text))
    }

    fn text(&mut self, text: &str) {
        *self.texts.entry(text.to_owned()).or_default() += 1;
    }

    fn wording(&mut self, text: &str) {
        self.text(text);
        self.wordings.push(text.to_owned());
    }

    fn concept(&mut self, concept: &Concept) {
        for coding in &concept.codings {
            let parts = [&coding.system, &coding.version, &coding.code, &coding.display];
            parts.into_iter().flatten().for_each(|part| self.text(part.as_str()));
        }
        concept.text.iter().for_each(|text| self.text(text.as_str()));
    }

    fn quantity(&mut self, quantity: &Quantity) {
        let Quantity { value, comparator, unit, system, code } = quantity;
        [value, comparator, unit, system, code]
            .into_iter()
            .flatten()
            .for_each(|part| self.text(part.as_str()));
    }

    fn party(&mut self, party: &Party) {
        [&party.name, &party.role].into_iter().flatten().for_each(|part| self.wording(part.as_str()));
        party.reference.iter().for_each(|part| self.text(part.as_str()));
        for identifier in &party.identifiers {
            let parts = [&identifier.system, &identifier.value, &identifier.sort];
            parts.into_iter().flatten().for_each(|part| self.text(part.as_str()));
        }
        for telecom in &party.contact {
            let parts = [&telecom.system, &telecom.value, &telecom.purpose];
            parts.into_iter().flatten().for_each(|part| self.text(part.as_str()));
        }
    }

    fn value(&mut self, value: &ValueRef<'_>) {
        match value {
            ValueRef::Concept(concept) => self.concept(concept),
            ValueRef::Date(date) => self.text(date.as_str()),
            ValueRef::Token(token) => self.text(token.as_str()),
            ValueRef::Narrative(text) => self.wording(text.as_str()),
            ValueRef::Quantity(quantity) => self.quantity(quantity),
            ValueRef::Boolean(flag) => self.text(in_words(**flag)),
            ValueRef::Party(party) => self.party(party),
            ValueRef::Name(name) => {
                let one = [&name.purpose, &name.text, &name.family].into_iter().flatten();
                let many = name.given.iter().chain(&name.prefix).chain(&name.suffix);
                one.chain(many).for_each(|part| self.text(part.as_str()));
            }
            ValueRef::Address(place) => {
                let one = [&place.purpose, &place.text, &place.city, &place.district, &place.state];
                let rest = [&place.postal_code, &place.country];
                let parts = one.into_iter().chain(rest).flatten().chain(&place.lines);
                parts.for_each(|part| self.text(part.as_str()));
            }
            ValueRef::Telecom(telecom) => {
                let parts = [&telecom.system, &telecom.value, &telecom.purpose];
                parts.into_iter().flatten().for_each(|part| self.text(part.as_str()));
            }
            ValueRef::Identifier(identifier) => {
                let parts = [&identifier.system, &identifier.value, &identifier.sort];
                parts.into_iter().flatten().for_each(|part| self.text(part.as_str()));
            }
            ValueRef::Attachment(attachment) => {
                let parts = [&attachment.content_type, &attachment.title];
                parts.into_iter().flatten().for_each(|part| self.text(part.as_str()));
                attachment.created.iter().for_each(|date| self.text(date.as_str()));
                attachment.size.iter().for_each(|size| self.text(&size.to_string()));
                if let Some(Location::External(address)) = &attachment.location {
                    self.text(address.as_str());
                }
            }
            ValueRef::Component(component) => {
                self.concept(&component.code);
                match &component.value {
                    Some(Scalar::Concept(concept)) => self.concept(concept),
                    Some(Scalar::Quantity(quantity)) => self.quantity(quantity),
                    Some(Scalar::Date(date)) => self.text(date.as_str()),
                    Some(Scalar::Text(text)) => self.wording(text.as_str()),
                    Some(Scalar::Boolean(flag)) => self.text(in_words(*flag)),
                    None => {}
                }
            }
        }
    }
}
