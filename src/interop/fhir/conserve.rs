//! What an entry does not carry of its resource: every leaf that was not read, or was
//! read and is not found in the entry.
//!
//! Nothing here knows a resource's schema, so an element that nobody thought of is found.

use std::collections::HashMap;

use super::modifiers::{harmless_values, is_negating};
use super::reads::Reads;
use crate::codec::json::Json;
use crate::interop::finding::{FindingReason, Findings};
use crate::record::{Concept, Entry, Party, Quantity, Scalar, ValueRef};

/// Longest name of an element in a path; input chooses names.
const NAME_LIMIT: usize = 64;

/// Reports every leaf that the entry does not carry.
pub(super) fn report(resource: &Json, root: &str, entry: &Entry, reads: &Reads, findings: &Findings) {
    let mut counted = Leaves::of(entry, reads);
    counted.count(resource);
    let mut path = vec![root];
    Walk { leaves: &counted, findings }.value(resource, &mut path, None);
}

/// How often each text is in the entry, and how often it was read.
struct Leaves<'a> {
    reads: &'a Reads,
    held: HashMap<String, usize>,
    wordings: Vec<String>,
    read: HashMap<&'a str, usize>,
}

impl<'a> Leaves<'a> {
    fn of(entry: &Entry, reads: &'a Reads) -> Self {
        let mut held = Held::default();
        for field in entry.record.values() {
            held.value(&field.value);
        }
        let from = &entry.provenance;
        from.provider.iter().for_each(|party| held.party(party));
        from.recorded.iter().for_each(|date| held.text(date.as_str()));
        for label in &from.labels {
            held.concept(&Concept::from_coding(label.clone()));
        }
        Self { reads, held: held.texts, wordings: held.wordings, read: HashMap::new() }
    }

    fn count(&mut self, value: &'a Json) {
        match value {
            Json::Object(object) => object.members().iter().for_each(|(_, value)| self.count(value)),
            Json::Array(items) => items.iter().for_each(|value| self.count(value)),
            leaf => {
                if let (true, Some(text)) = (self.reads.is_read(leaf), text_of(leaf).or(flag_of(leaf))) {
                    *self.read.entry(text).or_default() += 1;
                }
            }
        }
    }

    /// Whether the entry holds a leaf as often as it was read: a text, also within words
    /// that were put together, or a yes or no, also in words.
    fn carries(&self, leaf: &Json) -> bool {
        if self.reads.is_settled(leaf) {
            return true;
        }
        if !self.reads.is_read(leaf) {
            return false;
        }
        let Some(text) = text_of(leaf).or(flag_of(leaf)) else {
            return false;
        };
        let (held, read) = (self.held.get(text).copied(), self.read.get(text).copied());
        held.unwrap_or_default() >= read.unwrap_or_default()
            || self.wordings.iter().any(|wording| wording != text && wording.contains(text))
    }
}

fn text_of(leaf: &Json) -> Option<&str> {
    leaf.as_str().or(leaf.as_number())
}

/// A yes or no by the word that mappings write for it.
fn flag_of(leaf: &Json) -> Option<&'static str> {
    leaf.as_bool().map(in_words)
}

fn in_words(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// The texts of an entry, and those that several parts were put together in.
#[derive(Default)]
struct Held {
    texts: HashMap<String, usize>,
    wordings: Vec<String>,
}

impl Held {
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
                if let Some(crate::record::Location::External(address)) = &attachment.location {
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

struct Walk<'a> {
    leaves: &'a Leaves<'a>,
    findings: &'a Findings,
}

impl<'a> Walk<'a> {
    /// Looks at a value and what is in it. `modifier` is the reason to give for leaves
    /// within an element that changes the meaning.
    fn value(&self, value: &'a Json, path: &mut Vec<&'a str>, modifier: Option<FindingReason>) {
        match value {
            Json::Object(object) if !object.members().is_empty() => {
                self.masked(value, path);
                for (name, member) in object.members() {
                    path.push(short(name));
                    let reason = self.modifier(name, member, path).or(modifier);
                    self.value(member, path, reason);
                    path.pop();
                }
            }
            Json::Array(items) if !items.is_empty() => {
                items.iter().for_each(|item| self.value(item, path, modifier));
            }
            leaf => self.leaf(leaf, path, modifier),
        }
    }

    fn leaf(&self, leaf: &Json, path: &[&str], modifier: Option<FindingReason>) {
        let is_type = path.len() == 2 && path.last() == Some(&"resourceType");
        if is_type || self.leaves.carries(leaf) {
            return;
        }
        let joined = path.join(".");
        let word = text_of(leaf).or(leaf.as_bool().map(|flag| if flag { "true" } else { "false" }));
        let negates = modifier.is_some() || is_negating(word, path);
        if negates {
            self.leaves.reads.not_understood(joined.clone());
        }
        let reason = if negates { FindingReason::NotUnderstood } else { FindingReason::NotCarried };
        self.findings.add(joined, modifier.unwrap_or(reason));
    }

    /// Why a member changes the meaning, if it does and the mapping did not understand it.
    fn modifier(&self, name: &str, value: &Json, path: &[&str]) -> Option<FindingReason> {
        let harmless = harmless_values(name)?;
        let says = |leaf: &Json| match (leaf.as_bool(), text_of(leaf)) {
            (Some(flag), _) => harmless.contains(&if flag { "true" } else { "false" }),
            (None, Some(text)) => harmless.contains(&text),
            (None, None) => false,
        };
        // Carried is not understood: only a mapping that acted on it settles it.
        if says(value) || self.leaves.reads.is_settled(value) {
            return None;
        }
        let reason = match name {
            "modifierExtension" => FindingReason::ModifierExtension,
            "implicitRules" => FindingReason::ImplicitRules,
            _ => FindingReason::NotUnderstood,
        };
        let joined = path.join(".");
        self.leaves.reads.not_understood(joined.clone());
        self.findings.add(joined, reason);
        Some(reason)
    }

    /// A value that its source holds back: an extension says so in its place.
    fn masked(&self, value: &Json, path: &[&str]) {
        let extensions = value.member("extension").and_then(Json::as_array).unwrap_or_default();
        let urls = extensions.iter().filter_map(|extension| extension.member("url")?.as_str());
        let mut urls = urls.filter(|url| url.ends_with("data-absent-reason") || url.ends_with("nullFlavor"));
        if urls.next().is_none() {
            return;
        }
        let mut shown: Vec<&str> = path.to_vec();
        if let Some(last) = shown.last_mut() {
            *last = last.strip_prefix('_').unwrap_or(last);
        }
        self.findings.add(shown.join("."), FindingReason::Masked);
    }
}

fn short(name: &str) -> &str {
    if name.len() <= NAME_LIMIT { name } else { "…" }
}
