//! What the ledger remembers of earlier imports: which documents got a scope for their
//! names, what was answered, what was expunged.
//!
//! No name of a file or a person is kept there: documents and answers are keyed digests.

use std::collections::HashSet;

use crate::engine::core::StateReader;
use crate::engine::facts::{Action, Detail};
use crate::engine::ledger::named_import;
use crate::engine::time::to_milliseconds;
use crate::error::Error;
use crate::id::{EntryId, Epoch};

/// Within what a local name means one thing: a document as one import brought it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) number: Epoch,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub(super) time: i64,
    /// The keyed digest of the document's name.
    pub(super) source: String,
}

#[derive(Default)]
pub(super) struct Memory {
    pub(super) expunged: HashSet<EntryId>,
    /// Keyed digests of what expunged entries were imported from.
    pub(super) expunged_contents: HashSet<String>,
    pub(super) scopes: Vec<Scope>,
    answers: HashSet<(Epoch, String)>,
    /// The people whom imports only referred to.
    unnamed: Vec<Unnamed>,
}

/// Somebody whom an import refers to and does not describe, by keyed digests.
#[derive(Clone)]
pub(super) struct Unnamed {
    number: Epoch,
    /// Of the references together, as an answer about them is remembered.
    pub(super) answer: String,
    /// Of each reference that means the same everywhere.
    pub(super) identities: Vec<String>,
}

impl Memory {
    pub(super) fn of(reader: &StateReader<'_>) -> Result<Self, Error> {
        let mut memory = Self::default();
        for line in reader.all_ledger_lines()? {
            let (number, time) = (line.epoch, to_milliseconds(line.time));
            let details = line.details;
            match line.action {
                Action::Imported | Action::Changed => memory.recall(number, time, &details),
                Action::AnswersForgotten => {
                    memory.forget(named_import(&details));
                }
                Action::ImportUndone => {
                    let undone = named_import(&details);
                    memory.scopes.retain(|scope| Some(scope.number) != undone);
                    memory.answers.retain(|(number, _)| Some(*number) != undone);
                    memory.unnamed.retain(|unnamed| Some(unnamed.number) != undone);
                }
                _ => {}
            }
        }
        Ok(memory)
    }

    fn recall(&mut self, number: Epoch, time: i64, details: &[(Detail, String)]) {
        for (detail, text) in details {
            let digests = text.split_whitespace().map(str::to_owned);
            match detail {
                Detail::Source => {
                    self.scopes.extend(digests.map(|source| Scope { number, time, source }));
                }
                Detail::Answer => self.answers.extend(digests.map(|answer| (number, answer))),
                Detail::Unnamed => {
                    let mut digests = digests;
                    let answer = digests.next().unwrap_or_default();
                    self.unnamed.push(Unnamed { number, answer, identities: digests.collect() });
                }
                Detail::Content => self.expunged_contents.extend(digests),
                _ => {}
            }
        }
    }

    /// Whether this was answered before.
    pub(super) fn says(&self, answer: &str) -> bool {
        self.answers.iter().any(|(_, known)| known == answer)
    }

    /// Those to whom earlier imports only referred.
    pub(super) fn unnamed(&self) -> impl Iterator<Item = &Unnamed> {
        self.unnamed.iter()
    }

    /// The people whom imports only referred to, and of whom nobody said that they are the
    /// vault's patient.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = &Unnamed> {
        self.unnamed.iter().filter(|unnamed| !self.says(&unnamed.answer))
    }

    /// Forgets the answers that were given to one import, or to all. Gives their number.
    pub(super) fn forget(&mut self, number: Option<Epoch>) -> usize {
        let before = self.answers.len();
        self.answers.retain(|(given, _)| number.is_some_and(|number| number != *given));
        before - self.answers.len()
    }
}
