//! Whom an excerpt is about: exactly one person, by name, or nobody is released.

use subrosa_excerpt::Subject;

use super::candidate::Candidate;
use super::policy::{Policy, Rule};
use super::view::SubjectFault;
use crate::codec::spell::spell;
use crate::record::{Entry, FieldType, Kind, Likeness, Patient, Person, Record};

/// The person whom the entries are about: the one whom all patient records describe,
/// or, without any that has a name, the one whom the vault is named after.
pub(super) fn subject(
    policy: &Policy,
    candidates: &[Candidate<'_>],
    holder: Option<&str>,
) -> Result<Subject, SubjectFault> {
    if let Rule::Withhold(_) = policy.rule(Kind::Patient, "names", FieldType::Name) {
        return Err(SubjectFault::NameWithheld);
    }
    let patients: Vec<(&Entry, &Patient)> = candidates
        .iter()
        .map(|candidate| candidate.entry)
        .filter(|entry| !entry.marks.retracted)
        .filter_map(|entry| match &entry.record {
            Record::Patient(patient) => Some((entry, &**patient)),
            _ => None,
        })
        .collect();
    if !are_one(&patients) {
        return Err(SubjectFault::SeveralPatients);
    }
    let mut names = patients.iter().flat_map(|(_, patient)| &patient.names);
    let says_something = |name: &String| !name.trim().is_empty();
    let name = names.find_map(|name| name.to_line().filter(says_something));
    let name = name.or(holder.map(str::to_owned).filter(says_something));
    let born = patients.iter().filter_map(|(_, patient)| patient.birth_date.as_ref());
    // The most precise of those that agree.
    let born = born.max_by_key(|date| date.precision());
    let born = match policy.rule(Kind::Patient, "birth_date", FieldType::Date) {
        Rule::Withhold(_) => None,
        Rule::Year => born.map(|date| format!("{:04}", date.year())),
        Rule::Keep | Rule::Default => born.map(|date| date.as_str().to_owned()),
    };
    // An envelope's texts are of one line, without controls.
    name.map(|name| Subject::new(spell(&name), born)).ok_or(SubjectFault::NoPatient)
}

/// Whether each record is shown, or was confirmed, to be of the first's person.
fn are_one(patients: &[(&Entry, &Patient)]) -> bool {
    let Some(((_, first), others)) = patients.split_first() else { return true };
    let first = Person::of(first);
    let is_same = |patient: &Patient| first.compare(&Person::of(patient)) == Likeness::Same;
    others.iter().all(|(entry, patient)| entry.marks.same_person || is_same(patient))
}
