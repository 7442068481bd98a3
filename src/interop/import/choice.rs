//! Choosing one patient of several by name.

use std::collections::{HashMap, HashSet};

use crate::interop::fhir::found::{identity_of, local_reference};
use crate::interop::fhir::held::Held;
use crate::interop::identity::beside;
use crate::interop::imported::PatientReferences;
use crate::interop::options::ImportError;
use crate::interop::people::{Known, Mention, People};

/// The people whom an input is about.
pub(super) struct Choice<'a> {
    pub(super) people: &'a People,
    pub(super) resources: &'a [Held],
    /// Each by the mention that stands for them.
    pub(super) named: &'a HashSet<Mention>,
}

/// A person, and what they are called.
struct Candidate {
    person: Mention,
    names: Vec<String>,
    /// A name that nobody else has.
    reference: String,
}

impl Choice<'_> {
    /// The person whose records are taken; `None` if the input is about nobody.
    pub(super) fn choose(&self, chosen: Option<&str>) -> Result<Option<Mention>, ImportError> {
        let Some(chosen) = chosen else {
            return match self.named.len() {
                0 => Ok(None),
                1 => Ok(self.named.iter().next().copied()),
                _ => Err(self.several(&self.candidates())),
            };
        };
        let mut called = self.candidates();
        called.retain(|candidate| candidate.is_called(chosen));
        if let Some(exactly) = called.iter().find(|candidate| candidate.reference == chosen) {
            return Ok(Some(exactly.person));
        }
        match called.as_slice() {
            [] => Err(ImportError::NoSuchPatient { count: self.named.len() }),
            [one] => Ok(Some(one.person)),
            several_of_them => Err(self.several(several_of_them)),
        }
    }

    /// The people in the order in which they were met.
    fn candidates(&self) -> Vec<Candidate> {
        let mut candidates: Vec<Candidate> = Vec::new();
        let mut places: HashMap<Mention, usize> = HashMap::new();
        for (mention, known) in self.people.mentions() {
            let person = self.people.root(mention);
            if !self.named.contains(&person) {
                continue;
            }
            let place = *places.entry(person).or_insert_with(|| {
                candidates.push(Candidate { person, names: Vec::new(), reference: String::new() });
                candidates.len() - 1
            });
            if let Some(candidate) = candidates.get_mut(place).filter(|found| found.names.len() < MOST_NAMES)
            {
                candidate.names.extend(self.names(known));
            }
        }
        give_references(&mut candidates);
        candidates
    }

    fn several(&self, candidates: &[Candidate]) -> ImportError {
        let people = candidates
            .iter()
            .map(|candidate| (candidate.reference.clone(), self.people.person(candidate.person).clone()));
        ImportError::SeveralPatients { patients: PatientReferences::new(people) }
    }

    fn names(&self, known: &Known) -> Vec<String> {
        let position = match known {
            Known::Reference(name) | Known::Contained(name) => return vec![name.clone()],
            Known::Resource(position) => position,
        };
        let Some(held) = self.resources.get(*position) else { return Vec::new() };
        let local = local_reference(&held.found).into_iter();
        let mut names: Vec<_> = local.chain(held.found.full_url.clone()).collect();
        names.push(beside(&identity_of(&held.found), &held.digest));
        names
    }
}

/// Names of one person by which they can be chosen.
const MOST_NAMES: usize = 32;

impl Candidate {
    fn is_called(&self, chosen: &str) -> bool {
        self.names.iter().any(|name| name == chosen || name.strip_prefix("Patient/") == Some(chosen))
    }
}

fn give_references(candidates: &mut [Candidate]) {
    let mut owners: HashMap<String, Option<Mention>> = HashMap::new();
    for candidate in candidates.iter() {
        for name in &candidate.names {
            let owner = owners.entry(name.clone()).or_insert(Some(candidate.person));
            if *owner != Some(candidate.person) {
                *owner = None;
            }
        }
    }
    for candidate in candidates {
        let is_unique = |name: &&String| owners.get(*name).copied().flatten() == Some(candidate.person);
        let name = candidate.names.iter().find(is_unique).or(candidate.names.first());
        candidate.reference = name.cloned().unwrap_or_default();
    }
}
