//! Entries that tell of the same as another one: a claim for it, a note that names it, the
//! report of a stay. Whoever destroys a row has not destroyed the fact.
//!
//! First come those of which one refers to the other in its source.

use std::collections::BTreeSet;

use super::core::StateReader;
use crate::error::Error;
use crate::id::EntryId;
use crate::interop::fhir::Nameless;
use crate::interop::identity::{base_of, without_version};
use crate::record::{Concept, Entry, Provenance, Record};

/// What an entry has in common with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Shared {
    /// A reference: one of the two names the other in its source, other than as whose it is,
    /// who made it and where.
    Reference,
    /// A code.
    Code,
    /// The words for it.
    Words,
    /// The name of a drug.
    Drug,
}

/// An entry that tells of the same as another one, in its fields or in its original.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Related {
    /// The entry.
    pub id: EntryId,
    /// What it has in common, at least one.
    pub shares: Vec<Shared>,
}

/// Shorter texts are in too much: a code of three digits, an abbreviation.
const SHORTEST: usize = 4;

/// What drugs' names say besides the drug.
const FORMS: [&str; 24] = [
    "tablet",
    "tablets",
    "capsule",
    "capsules",
    "injection",
    "injectable",
    "solution",
    "suspension",
    "extended",
    "release",
    "delayed",
    "topical",
    "cream",
    "ointment",
    "spray",
    "inhaler",
    "inhalation",
    "actuation",
    "syringe",
    "prefilled",
    "patch",
    "system",
    "chewable",
    "product",
];

/// What tells of an entry elsewhere.
#[derive(Default)]
struct Terms(BTreeSet<(Shared, String)>);

impl Terms {
    fn of(entry: &Entry) -> Self {
        let mut terms = Self::default();
        if let Some(code) = entry.code() {
            terms.add(code);
        }
        if let Record::Other(other) = &entry.record {
            // A claim tells of a fact on each of its lines.
            let details = other.details.iter().chain(&other.predictions).map(|detail| &detail.code);
            let details = details.filter(|code| !code.codings.is_empty());
            let all = other.diagnoses.iter().chain(&other.services).chain(details);
            all.for_each(|concept| terms.add(concept));
        }
        if let Record::Medication(medication) = &entry.record {
            medication.components.iter().for_each(|component| terms.add(component));
            let all = medication.code.iter().chain(&medication.components);
            let drugs: Vec<String> = all.filter_map(Concept::title).filter_map(drug_in).collect();
            drugs.iter().for_each(|drug| terms.add_text(Shared::Drug, drug));
        }
        terms
    }

    fn add(&mut self, concept: &Concept) {
        for coding in &concept.codings {
            coding.code.iter().for_each(|code| self.add_text(Shared::Code, code.as_str()));
            coding.display.iter().for_each(|display| self.add_text(Shared::Words, display.as_str()));
        }
        concept.text.iter().for_each(|text| self.add_text(Shared::Words, text.as_str()));
    }

    fn add_text(&mut self, shared: Shared, text: &str) {
        if text.chars().count() >= SHORTEST {
            self.0.insert((shared, text.to_owned()));
        }
    }

    fn shared_with(&self, entry: &Entry) -> Vec<Shared> {
        let matching = self.0.iter().filter(|(_, text)| entry.text_matches_anywhere(text));
        let shared: BTreeSet<Shared> = matching.map(|(shared, _)| *shared).collect();
        shared.into_iter().collect()
    }
}

/// The drug that a product is named after: the first word that is no form and no strength.
fn drug_in(name: &str) -> Option<String> {
    let mut words = name.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
    words.find(|word| word.chars().count() > SHORTEST && !FORMS.contains(&word.as_str()))
}

/// What an entry is called in its source, and what it refers to there.
struct Names {
    document: Option<String>,
    base: Option<String>,
    /// Its address or its name in its source, absolute where a server is known.
    own: BTreeSet<String>,
    /// `Type/id`.
    local: Option<String>,
}

impl Names {
    fn of(entry: &Entry) -> Self {
        let Provenance { document, identity, address, .. } = &entry.provenance;
        let names = [identity, address].into_iter().flatten();
        let own: BTreeSet<String> = names.map(|name| name.as_str().to_owned()).collect();
        let base = own.iter().find_map(|name| base_of(name)).map(str::to_owned);
        let local = identity.as_ref().map(|identity| {
            let identity = identity.as_str();
            let start = base_of(identity).map_or(0, str::len);
            identity.get(start..).unwrap_or_default().to_owned()
        });
        let document = document.as_ref().map(|document| document.as_str().to_owned());
        Self { document, base, own, local: local.filter(|local| local.contains('/')) }
    }

    /// Whether a reference of another entry, of the same source or not, names this one.
    fn are_named_by(&self, reference: &str, by: &Self) -> bool {
        let reference = without_version(reference);
        let is_absolute = reference.contains(':');
        if is_absolute && self.own.contains(reference) {
            return true;
        }
        let Some(local) = &self.local else { return false };
        let base = if is_absolute { base_of(reference) } else { by.base.as_deref() };
        let name = reference.get(base.filter(|_| is_absolute).map_or(0, str::len)..).unwrap_or_default();
        let is_of_source = match (base, self.base.as_deref()) {
            (Some(one), Some(other)) => one == other,
            // A file has no other use than to be referred to, and may come in a document of its own.
            (None, None) => self.document == by.document || local.starts_with("Binary/"),
            _ => self.document == by.document,
        };
        name == local && is_of_source
    }

    /// By what a text that refers to this entry can be told quickly.
    fn tails(&self) -> impl Iterator<Item = &str> {
        let all = self.own.iter().chain(&self.local);
        all.map(|name| name.rsplit(['/', ':']).next().unwrap_or(name)).filter(|tail| !tail.is_empty())
    }
}

/// What an entry's source refers to.
fn references_of(entry: &Entry) -> Vec<String> {
    let said = entry.source.as_ref().and_then(|source| Nameless::of(&source.bytes));
    said.map(|said| said.references).unwrap_or_default()
}

/// Whether the source of an entry refers to another one.
fn refers_to(entry: &Entry, names: &Names, other: &Names) -> bool {
    let Some(source) = &entry.source else { return false };
    let text = String::from_utf8_lossy(&source.bytes);
    other.tails().any(|tail| text.contains(tail))
        && references_of(entry).iter().any(|reference| other.are_named_by(reference, names))
}

impl StateReader<'_> {
    /// The other entries that tell of the same as this one; first those of which one refers to
    /// the other.
    pub(crate) fn related(&self, id: EntryId) -> Result<Vec<Related>, Error> {
        let (_, entry) = self.entry(id)?;
        let (terms, names, references) = (Terms::of(&entry), Names::of(&entry), references_of(&entry));
        let mut related = Vec::new();
        self.for_each_batch(|_, entries| {
            for (other, entry) in entries.iter().filter(|(other, _)| *other != id) {
                let others = Names::of(entry);
                let refers = references.iter().any(|reference| others.are_named_by(reference, &names))
                    || refers_to(entry, &others, &names);
                let shares = refers.then_some(Shared::Reference).into_iter();
                let shares: Vec<Shared> = shares.chain(terms.shared_with(entry)).collect();
                related.extend((!shares.is_empty()).then_some(Related { id: *other, shares }));
            }
            Ok(())
        })?;
        let refers = |related: &Related| related.shares.contains(&Shared::Reference);
        related.sort_unstable_by_key(|related| (!refers(related), related.id));
        Ok(related)
    }
}
