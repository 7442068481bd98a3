//! Whether an input is about the vault's patient.

use super::memory::{Memory, Statement, statement};
use crate::engine::core::StateReader;
use crate::engine::list;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::interop::fhir::person_of;
use crate::interop::identity::is_global;
use crate::interop::imported::{Imported, ImportedEntry};
use crate::payload::imports::{IDENTITIES_LIMIT, UnnamedV1};
use crate::record::{Entry, ImportQuestion, Kind, Likeness, Patient, Person, PersonDetail, Record};
use crate::tree::{Row, RowClass, RowKey};
use subrosa_excerpt::attribution::is_one_name;

/// The vault's patient as its entries say, in each of their revisions.
#[derive(Default)]
pub(super) struct Patients {
    people: Vec<Person>,
    identities: Vec<String>,
    records: Vec<Record>,
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
    pub(super) fn of(reader: &StateReader<'_>) -> Result<Self, Error> {
        let mut patients = Self::default();
        let mut disowned = Self::default();
        for (compartment, current) in rows(reader)? {
            let earlier = (1..current.revision).map(|number| RowKey::revision(current.id, number));
            let mut revisions = Vec::new();
            for key in earlier.chain([current.key]) {
                let row = reader.row(compartment, &key)?.ok_or(Error::Damaged { what: "revision" })?;
                revisions.push(reader.core.open_entry(compartment, &row)?);
            }
            patients.learn(revisions, &mut disowned);
        }
        // Whoever alone is in the vault is its patient.
        Ok(if patients.people.is_empty() { disowned } else { patients })
    }

    /// Takes in what the revisions of an entry say. What rests on an answer that was
    /// taken back is disowned.
    fn learn(&mut self, revisions: Vec<Entry>, disowned: &mut Self) {
        let is_confirmed = revisions.last().is_some_and(|current| current.marks.same_person);
        let of = |entry: &Entry| match &entry.record {
            Record::Patient(patient) => Some(described(patient, entry)),
            _ => None,
        };
        let first = revisions.iter().position(|entry| !is_confirmed && entry.marks.same_person);
        let (own, later) = revisions.split_at(first.unwrap_or(revisions.len()));
        let own_people: Vec<Person> = own.iter().filter_map(of).collect();
        let confirmed = later.iter().filter(|entry| entry.marks.same_person).filter_map(of);
        let taken_back: Vec<Person> = confirmed.filter(|person| !own_people.contains(person)).collect();
        for entry in &revisions {
            let Some(person) = of(entry) else { continue };
            let side = if taken_back.contains(&person) { &mut *disowned } else { &mut *self };
            side.people.push(person);
            side.records.push(entry.record.clone());
            let identity = entry.provenance.identity.as_ref();
            side.identities.extend(identity.map(|identity| identity.as_str().to_owned()));
        }
    }

    /// Whether an own export describes its patient in no other words than the vault.
    fn is_again(&self, imported: &Imported) -> bool {
        let patients = || imported.entries.iter().filter(|entry| entry.entry.kind() == Kind::Patient);
        let is_known =
            |entry: &ImportedEntry| entry.key.is_some() && self.records.contains(&entry.entry.record);
        imported.own_export && patients().next().is_some() && patients().all(is_known)
    }

    pub(super) fn compare(&self, imported: &Imported, before: &Before<'_>) -> Whose {
        let Some(latest) = self.people.last() else { return before.compare(imported) };
        if self.is_again(imported) {
            return Whose::Theirs { is_shown: true };
        }
        let found = imported.person.as_ref().filter(|person| !person.is_nameless());
        let is_known = |identity: &String| is_global(identity) && self.identities.contains(identity);
        let refers_to_them = imported.person_identities.iter().any(is_known);
        // Of whom no name is described, references may show one.
        let is_unnamed = found.is_none_or(|found| found.names().is_empty());
        if found.is_some() && is_unnamed && differs_from(imported, latest) {
            return asks(imported, latest);
        }
        let Some(found) = found else {
            if (refers_to_them || imported.person_identities.is_empty()) && !differs_from(imported, latest) {
                return Whose::Theirs { is_shown: refers_to_them };
            }
            return asks(imported, latest);
        };
        let likenesses: Vec<Likeness> = self.people.iter().map(|known| known.compare(found)).collect();
        if likenesses.contains(&Likeness::Same) {
            return Whose::Theirs { is_shown: true };
        }
        // A name alone, or a year of birth, may be a relative's: a patient of the same name
        // under the same identity is who was here before.
        let names = found.names();
        let is_called_so = |known: &Person| known.names().iter().any(|name| names.contains(name));
        // A birth date that could not be read may be another's.
        let is_read =
            !found.has_unreadable_birth_date() || self.people.iter().any(Person::has_unreadable_birth_date);
        let is_again = is_read
            && self.people.iter().any(is_called_so)
            && imported.person_identities.iter().any(|identity| self.identities.contains(identity));
        let may_be = likenesses.contains(&Likeness::Unknown) && (is_again || refers_to_them);
        if may_be {
            return Whose::Theirs { is_shown: refers_to_them };
        }
        let (found, known) = (Box::new(found.clone()), Box::new(latest.clone()));
        let differs = differences(likenesses.last());
        Whose::Asks(ImportQuestion::Patient { found: Some(found), known, differs })
    }
}

/// What is known of the vault's patient where no entry describes them.
pub(super) struct Before<'a> {
    pub(super) memory: &'a Memory,
    /// Whom the vault is named after, if it is an individual's.
    pub(super) holder: Option<&'a str>,
}

impl Before<'_> {
    /// An input is held against whom earlier ones referred to, and against the vault's name
    /// where the input does not describe its patient.
    fn compare(&self, imported: &Imported) -> Whose {
        let holder = Person::new(self.holder, None);
        let is_described = imported.person.as_ref().is_some_and(|person| !person.is_nameless());
        let is_stranger = !is_described && differs_from(imported, &holder);
        // Whoever was confirmed says nothing for the next one.
        let mut known = self.memory.unnamed().peekable();
        let joins = known.peek().is_some() && (is_described || !imported.person_identities.is_empty());
        let is_known = known.any(|unnamed| {
            let identities = identities(imported);
            (!is_described && unnamed.answer == answer(imported))
                || unnamed.identities.iter().any(|known| identities.contains(known))
        });
        match is_stranger || (joins && !is_known) {
            true => asks(imported, &holder),
            false => Whose::Theirs { is_shown: false },
        }
    }
}

/// Whether the person of an input has names and none of them is this one.
pub(super) fn is_called_otherwise(imported: &Imported, holder: &str) -> bool {
    let names = imported.person.as_ref().or(imported.person_shown.as_ref()).map(Person::names);
    let mut names = names.unwrap_or_default().into_iter().peekable();
    names.peek().is_some() && !names.any(|name| is_one_name(&name, holder))
}

/// Whether the references to whom an input is about show somebody else's name.
fn differs_from(imported: &Imported, known: &Person) -> bool {
    let shown = imported.person_shown.iter().flat_map(Person::names);
    shown.into_iter().any(|name| !known.may_be_called(&name))
}

/// The patient as the record and its original say.
fn described(patient: &Patient, entry: &Entry) -> Person {
    let said = entry.source.as_ref().and_then(|source| person_of(&source.bytes));
    Person::of(patient).with_unreadable_birth_date(said.is_some_and(|said| said.has_unreadable_birth_date()))
}

/// What references show that is no name of the patient, and what each answer about that is
/// remembered by.
pub(super) struct OtherNames {
    pub(super) question: ImportQuestion,
    pub(super) answers: Vec<Statement>,
}

impl OtherNames {
    /// Of those that nobody answered yet.
    pub(super) fn of(imported: &Imported, patients: &Patients, memory: &Memory) -> Option<Self> {
        let person = imported.person.as_ref().or(imported.person_shown.as_ref());
        let person = person.cloned().unwrap_or_default();
        let is_known = |shown: &str| {
            patients.people.iter().any(|known| !known.names().is_empty() && known.may_be_called(shown))
        };
        let open = imported.named_otherwise.iter().filter(|shown| !is_known(shown));
        let about = answer_about(&person);
        let open = open.map(|shown| (shown, statement("other name", &[&about, shown.as_bytes()])));
        let open: Vec<_> = open.filter(|(_, answer)| !memory.says(answer)).collect();
        let shown = open.iter().map(|(shown, _)| (*shown).clone()).collect();
        let answers = open.into_iter().map(|(_, answer)| answer).collect::<Vec<_>>();
        let question = ImportQuestion::OtherNames { known: Box::new(person), shown };
        (!answers.is_empty()).then_some(Self { question, answers })
    }
}

fn asks(imported: &Imported, known: &Person) -> Whose {
    let described = imported.person.as_ref().filter(|person| !person.names().is_empty());
    let described = described.or(imported.person.as_ref().filter(|_| imported.person_shown.is_none()));
    let described = described.filter(|person| !person.is_nameless());
    let found = described.or(imported.person_shown.as_ref());
    let differs = differences(found.map(|found| known.compare(found)).as_ref());
    let (found, known) = (found.cloned().map(Box::new), Box::new(known.clone()));
    Whose::Asks(ImportQuestion::Patient { found, known, differs })
}

/// Digests of the references to an input's person that mean the same everywhere.
fn identities(imported: &Imported) -> Vec<Statement> {
    let everywhere = imported.person_identities.iter().filter(|identity| is_global(identity));
    everywhere.take(IDENTITIES_LIMIT).map(|identity| statement("person", &[identity.as_bytes()])).collect()
}

/// The answers about those whom earlier imports referred to and this input describes.
pub(super) fn recognized(imported: &Imported, memory: &Memory) -> Vec<Statement> {
    let identities = identities(imported);
    let is_described = |known: &Statement| identities.contains(known);
    let described = memory.unconfirmed().filter(|unnamed| unnamed.identities.iter().any(is_described));
    described.map(|unnamed| unnamed.answer).collect()
}

/// How an input whose patient nothing describes is remembered.
pub(super) fn unnamed(imported: &Imported) -> UnnamedV1 {
    UnnamedV1 { answer: answer(imported), identities: identities(imported) }
}

/// The current rows of the patient entries.
pub(super) fn rows(reader: &StateReader<'_>) -> Result<Vec<(Compartment, Row)>, Error> {
    let mut found = Vec::new();
    for compartment in reader.open_compartments() {
        let mut fault = None;
        reader.trie(compartment)?.scan(&mut |row| {
            if row.class == RowClass::Entry {
                match list::card_of(row) {
                    Ok(card) if card.kind == Kind::Patient => found.push((compartment, row.duplicate())),
                    Ok(_) => {}
                    Err(error) => fault = Some(error),
                }
            }
            Ok(())
        })?;
        if let Some(error) = fault {
            return Err(error);
        }
    }
    Ok(found)
}

fn differences(likeness: Option<&Likeness>) -> Vec<PersonDetail> {
    match likeness {
        Some(Likeness::Different { what }) => what.clone(),
        _ => Vec::new(),
    }
}

/// What the answer about an input's person is remembered by.
pub(super) fn answer(imported: &Imported) -> Statement {
    match &imported.person {
        Some(person) if !person.is_nameless() => answer_about(person),
        _ => same_person(imported.person_identities.clone()),
    }
}

/// What the answer about a person who is described is remembered by.
pub(super) fn answer_about(person: &Person) -> Statement {
    let mut parts = person.names();
    parts.push(person.birth_date().map_or("", |date| date.as_str()).to_owned());
    parts.push(person.gender().unwrap_or_default().to_owned());
    same_person(parts)
}

fn same_person(mut parts: Vec<String>) -> Statement {
    parts.sort_unstable();
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    statement("same person", &parts)
}
