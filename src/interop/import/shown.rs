//! Whom references show: the texts beside references to subjects, held against the person
//! to whom they refer.

use std::collections::{BTreeSet, HashMap};

use crate::interop::fhir::about::Shown;
use crate::interop::fhir::held::{Held, path_of};
use crate::interop::finding::{FindingReason, Findings};
use crate::interop::people::{Mention, People};
use crate::record::Person;

/// Names that are kept of those that references to one person show.
const MOST_SHOWN: usize = 8;

/// What references to one person read.
#[derive(Default)]
pub(super) struct NamesShown {
    /// The person as they read.
    pub(super) person: Option<Person>,
    /// Names among them that are none of the person's.
    pub(super) otherwise: Vec<String>,
}

impl NamesShown {
    /// What the references in taken resources read. The person is who is described, else
    /// whom the first reference shows.
    pub(super) fn of(
        shown: &[Vec<Shown>],
        taken: &[bool],
        resources: &[Held],
        (people, person): (&People, Option<Mention>),
        findings: &Findings,
    ) -> Self {
        let mut known = person.map(|person| people.person(person).clone());
        let is_named = |known: &Option<Person>| known.as_ref().is_some_and(|known| !known.names().is_empty());
        let (mut alike, mut otherwise) = (BTreeSet::new(), BTreeSet::new());
        let mut judged: HashMap<&str, bool> = HashMap::new();
        let all = shown.iter().zip(taken).zip(resources).filter(|((_, taken), _)| **taken);
        for (one, held) in all.flat_map(|((shown, _), held)| shown.iter().map(move |one| (one, held))) {
            if one.mention.is_some_and(|mention| Some(people.root(mention)) != person) {
                continue;
            }
            if !is_named(&known) && Person::new([one.text.as_str()], None).is_called_something() {
                known = Some(Person::new([one.text.as_str()], None));
            }
            let known = known.as_ref();
            let may_be = *judged
                .entry(one.text.as_str())
                .or_insert_with(|| known.is_none_or(|known| known.may_be_called(&one.text)));
            let names = if may_be { &mut alike } else { &mut otherwise };
            if names.len() < MOST_SHOWN {
                names.insert(one.text.clone());
            }
            if !may_be {
                let path = format!("{}.{}.display", path_of(held.resource_type()), one.path);
                findings.add(path, FindingReason::NamedOtherwise);
            }
        }
        let person = Person::new(alike.iter().map(String::as_str), None);
        Self {
            person: Some(person).filter(|person| !person.is_nameless()),
            otherwise: otherwise.into_iter().collect(),
        }
    }
}
