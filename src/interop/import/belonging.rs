//! Which resources are taken: those that are shown to be about one patient, and what
//! names nobody where it is shown to belong to those.

use std::collections::HashSet;

use crate::interop::fhir::about::About;
use crate::interop::fhir::index::Index;
use crate::interop::fhir::subject::{is_shared, requires_subject};
use crate::interop::people::{Mention, People};

/// What becomes of a resource, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Taken,
    /// Taken, though it names nobody, because the input names nobody at all.
    TakenForNobody,
    /// Taken, though it cannot be told whose it is, because that was decided.
    TakenAsDecided,
    /// It is about another patient.
    OtherPatient,
    /// It is about several people.
    SeveralPatients,
    /// The element names somebody who cannot be told, or should and does not.
    Unknown(&'static str),
    /// The element names somebody or something else than a patient.
    OtherSubject(&'static str),
    /// It names nobody, and nothing that is taken refers to it.
    Unreferenced,
}

/// Whose a resource is, as far as it says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Of(Mention),
    OfSeveral,
    Unknown(&'static str),
    Other(&'static str),
    Nobody,
}

/// Whose each resource is.
pub(super) struct Belonging<'a> {
    abouts: &'a [About],
    index: &'a Index,
    standings: Vec<Standing>,
}

impl<'a> Belonging<'a> {
    pub(super) fn new(abouts: &'a [About], index: &'a Index, people: &People) -> Self {
        let first: Vec<_> = abouts.iter().map(|about| named_by(about, people)).collect();
        let mut standings = first.clone();
        for (standing, about) in standings.iter_mut().zip(abouts) {
            if *standing == Standing::Nobody {
                let followed = about.followed.iter().filter_map(|position| first.get(*position)).copied();
                *standing = common(followed);
            }
        }
        let mentions = |position: usize, about: &About| {
            let name = index.type_at(position);
            // A type that must name its subject is not about whom it mentions.
            let counts = name.is_none_or(|name| !is_shared(name) && !requires_subject(name));
            if counts { of_all(&about.mentioned, people) } else { Standing::Nobody }
        };
        for (position, (standing, about)) in standings.iter_mut().zip(abouts).enumerate() {
            if *standing == Standing::Nobody {
                *standing = mentions(position, about);
            }
        }
        Self { abouts, index, standings }
    }

    /// The people whom resources are about, each by the mention that stands for them:
    /// those who are named as subjects, else those who are mentioned.
    pub(super) fn people(&self, people: &People) -> HashSet<Mention> {
        let named = named(self.abouts, people);
        if !named.is_empty() {
            return named;
        }
        let of = |standing: &Standing| match standing {
            Standing::Of(person) => Some(*person),
            _ => None,
        };
        self.standings.iter().filter_map(of).collect()
    }

    /// What becomes of each resource, where the records of one person are taken.
    pub(super) fn verdicts(&self, person: Option<Mention>, rules: Rules) -> Vec<Verdict> {
        let is_of = |standing: &Standing| matches!(standing, Standing::Of(one) if Some(*one) == person);
        let own = self.reached(|standing| is_of(standing), true);
        let foreign = self.reached(|standing| *standing != Standing::Nobody && !is_of(standing), false);
        let nobody_else = person.is_none() && self.standings.iter().all(|s| *s == Standing::Nobody);
        (0..self.standings.len())
            .map(|position| {
                let (own, foreign) = (at(&own, position), at(&foreign, position));
                let verdict = match self.standings.get(position).copied().unwrap_or(Standing::Nobody) {
                    Standing::Of(one) if Some(one) == person => Verdict::Taken,
                    Standing::Of(_) => Verdict::OtherPatient,
                    Standing::OfSeveral => Verdict::SeveralPatients,
                    Standing::Unknown(path) => Verdict::Unknown(path),
                    Standing::Other(path) => Verdict::OtherSubject(path),
                    Standing::Nobody if nobody_else && !self.is_shared(position) => Verdict::TakenForNobody,
                    Standing::Nobody => self.of_nobody(position, own, foreign, rules),
                };
                decided(verdict, rules)
            })
            .collect()
    }

    fn of_nobody(&self, position: usize, own: bool, foreign: bool, rules: Rules) -> Verdict {
        if self.is_shared(position) {
            let taken = own || rules.takes_shared;
            return if taken { Verdict::Taken } else { Verdict::Unreferenced };
        }
        let requires = self.index.type_at(position).is_some_and(requires_subject);
        match (own, foreign) {
            (true, false) => Verdict::Taken,
            (_, true) => Verdict::Unknown(""),
            _ if requires => Verdict::Unknown(""),
            _ => Verdict::Unreferenced,
        }
    }

    fn is_shared(&self, position: usize) -> bool {
        self.index.type_at(position).is_some_and(is_shared)
    }

    /// What names nobody and is referred to, at any remove, by what has this standing.
    fn reached(&self, from: impl Fn(&Standing) -> bool, through_shared: bool) -> Vec<bool> {
        let mut reached = vec![false; self.standings.len()];
        let starts = self.standings.iter().enumerate().filter(|(_, standing)| from(standing));
        let mut open: Vec<usize> = starts.map(|(position, _)| position).collect();
        while let Some(position) = open.pop() {
            let linked = self.abouts.get(position).map(|about| about.linked.as_slice()).unwrap_or_default();
            for &next in linked {
                let is_nobodys = self.standings.get(next) == Some(&Standing::Nobody);
                let is_new = is_nobodys && !at(&reached, next) && (through_shared || !self.is_shared(next));
                if let (true, Some(mark)) = (is_new, reached.get_mut(next)) {
                    *mark = true;
                    open.push(next);
                }
            }
        }
        reached
    }
}

/// The people whom resources name as their subjects.
pub(super) fn named(abouts: &[About], people: &People) -> HashSet<Mention> {
    let named = abouts.iter().flat_map(|about| &about.named);
    named.map(|mention| people.root(*mention)).collect()
}

/// What the person who imports has decided.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// Whether what is nobody's by its nature is taken even if nothing refers to it.
    pub(super) takes_shared: bool,
    /// Whether what cannot be told is the patient's.
    pub(super) unknown_are_the_patients: bool,
}

fn decided(verdict: Verdict, rules: Rules) -> Verdict {
    match verdict {
        Verdict::Unknown(_) | Verdict::Unreferenced if rules.unknown_are_the_patients => {
            Verdict::TakenAsDecided
        }
        other => other,
    }
}

fn at(marks: &[bool], position: usize) -> bool {
    marks.get(position).copied().unwrap_or_default()
}

fn named_by(about: &About, people: &People) -> Standing {
    match (about.unknown, about.other) {
        (Some(path), _) => Standing::Unknown(path),
        (None, Some(_)) if !about.named.is_empty() => Standing::OfSeveral,
        (None, Some(path)) => Standing::Other(path),
        (None, None) => of_all(&about.named, people),
    }
}

fn of_all(mentions: &[Mention], people: &People) -> Standing {
    common(mentions.iter().map(|mention| Standing::Of(people.root(*mention))))
}

/// What all of these are; what names nobody does not count.
fn common(standings: impl Iterator<Item = Standing>) -> Standing {
    let mut all = standings.filter(|standing| *standing != Standing::Nobody);
    let Some(first) = all.next() else { return Standing::Nobody };
    if all.all(|other| other == first) { first } else { Standing::OfSeveral }
}
