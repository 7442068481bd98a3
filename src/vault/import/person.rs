//! Whether an input is about the vault's patient.

use super::super::core::View;
use super::super::list;
use super::names::Names;
use crate::error::Error;
use crate::interop::fhir::{Imported, is_global};
use crate::record::{ImportQuestion, Kind, Likeness, Person, PersonDetail, Record};
use crate::tree::{RowClass, RowKey};

/// The vault's patient as its entries say, in each of their revisions.
pub(super) struct Patients {
    people: Vec<Person>,
    identities: Vec<String>,
}

/// What the comparison of an input with the vault's patient gave.
pub(super) enum Whose {
    /// It is theirs, or nothing says whose the vault is.
    Theirs {
        /// Name and birth date, or an identifier, show it.
        is_shown: bool,
    },
    /// It is not, or nothing shows it.
    Asks(ImportQuestion),
}

impl Patients {
    pub(super) fn of(view: &View<'_>) -> Result<Self, Error> {
        let mut patients = Self { people: Vec::new(), identities: Vec::new() };
        for compartment in view.open_compartments() {
            let mut found = Vec::new();
            let mut fault = None;
            view.trie(compartment)?.scan(&mut |row| {
                if row.class == RowClass::Entry {
                    match list::card_of(row) {
                        Ok(card) if card.kind == Kind::Patient => found.push(row.duplicate()),
                        Ok(_) => {}
                        Err(error) => fault = Some(error),
                    }
                }
                Ok(())
            })?;
            if let Some(error) = fault {
                return Err(error);
            }
            for current in found {
                let earlier = (1..current.revision).map(|number| RowKey::revision(current.id, number));
                for key in earlier.chain([current.key]) {
                    let row = view.row(compartment, &key)?.ok_or(Error::Damaged { what: "revision" })?;
                    let entry = view.core.open_entry(compartment, &row)?;
                    if let Record::Patient(patient) = &entry.record {
                        patients.people.push(Person::of(patient));
                    }
                    let identity = entry.provenance.identity.map(|identity| identity.as_str().to_owned());
                    patients.identities.extend(identity);
                }
            }
        }
        Ok(patients)
    }

    pub(super) fn compare(&self, imported: &Imported) -> Whose {
        let Some(latest) = self.people.last() else { return Whose::Theirs { is_shown: false } };
        let found = imported.person.as_ref().filter(|person| !person.is_nameless());
        let is_known = |identity: &String| is_global(identity) && self.identities.contains(identity);
        let refers_to_them = imported.person_identities.iter().any(is_known);
        let Some(found) = found else {
            if refers_to_them || imported.person_identities.is_empty() {
                return Whose::Theirs { is_shown: refers_to_them };
            }
            let known = Box::new(latest.clone());
            return Whose::Asks(ImportQuestion::Patient { found: None, known, differs: Vec::new() });
        };
        let likenesses: Vec<Likeness> = self.people.iter().map(|known| known.compare(found)).collect();
        if likenesses.contains(&Likeness::Same) {
            return Whose::Theirs { is_shown: true };
        }
        let may_be = self.people.iter().zip(&likenesses).any(|(known, likeness)| {
            let are_named = !known.names().is_empty() && !found.names().is_empty();
            *likeness == Likeness::Unknown && (are_named || refers_to_them)
        });
        if may_be {
            return Whose::Theirs { is_shown: refers_to_them };
        }
        let (found, known) = (Box::new(found.clone()), Box::new(latest.clone()));
        let differs = differences(likenesses.last());
        Whose::Asks(ImportQuestion::Patient { found: Some(found), known, differs })
    }
}

fn differences(likeness: Option<&Likeness>) -> Vec<PersonDetail> {
    match likeness {
        Some(Likeness::Different { what }) => what.clone(),
        _ => Vec::new(),
    }
}

/// What the answer about this person is remembered by.
pub(super) fn answer(names: &Names<'_>, imported: &Imported) -> String {
    let mut parts = match &imported.person {
        Some(person) if !person.is_nameless() => {
            let mut parts = person.names();
            parts.push(person.birth_date().map_or("", |date| date.as_str()).to_owned());
            parts.push(person.gender().unwrap_or_default().to_owned());
            parts
        }
        _ => imported.person_identities.clone(),
    };
    parts.sort_unstable();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    names.digest("same person", &parts)
}
