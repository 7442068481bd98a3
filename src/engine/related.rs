//! Entries that tell of the same as another one: a claim for it, a note that names it, the
//! report of a stay. Whoever destroys a row has not destroyed the fact.

use std::collections::BTreeSet;

use super::core::StateReader;
use crate::error::Error;
use crate::id::EntryId;
use crate::record::{Concept, Entry, Record};

/// What an entry has in common with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Shared {
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

impl StateReader<'_> {
    /// The other entries that tell of the same as this one.
    pub(crate) fn related(&self, id: EntryId) -> Result<Vec<Related>, Error> {
        let (_, entry) = self.entry(id)?;
        let terms = Terms::of(&entry);
        let mut related = Vec::new();
        if terms.0.is_empty() {
            return Ok(related);
        }
        self.for_each_batch(|_, entries| {
            for (other, entry) in entries.iter().filter(|(other, _)| *other != id) {
                let shares = terms.shared_with(entry);
                related.extend((!shares.is_empty()).then_some(Related { id: *other, shares }));
            }
            Ok(())
        })?;
        related.sort_unstable_by_key(|related| related.id);
        Ok(related)
    }
}
