//! What the vault remembers of earlier imports: within what names mean one thing, what was
//! answered, and whom imports only referred to.
//!
//! It stands in the compartments of the entries that the imports brought, and goes with them.

use std::collections::HashSet;

use crate::crypto::digest::Digest;
use crate::engine::core::StateReader;
use crate::engine::facts::Action;
use crate::engine::ledger::named_import;
use crate::error::Error;
use crate::id::Epoch;
use crate::payload::imports::{AnswerV1, UnnamedV1};

/// Names the scope of a document's names. Random.
pub(super) type ScopeId = [u8; 16];

/// Within what a local name means one thing: a document as imports brought it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) id: ScopeId,
    /// The first import that brought something of it that is there.
    pub(super) number: Epoch,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub(super) time: i64,
    /// What the document was called; a scope has several names where a file was renamed.
    pub(super) document: Option<String>,
}

/// What an answer is remembered by.
pub(super) type Statement = [u8; 16];

/// A digest of what was said about somebody or something.
pub(super) fn statement(what: &str, parts: &[&[u8]]) -> Statement {
    let parts = || [what.as_bytes()].into_iter().chain(parts.iter().copied());
    let lengths: Vec<[u8; 8]> = parts().map(|part| (part.len() as u64).to_le_bytes()).collect();
    let mut all: Vec<&[u8]> = vec![b"subrosa/v1 answer"];
    for (length, part) in lengths.iter().zip(parts()) {
        all.extend([&length[..], part]);
    }
    let [statement @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *Digest::of(&all).as_bytes();
    statement
}

/// What was answered about two documents, of which the first was known.
pub(super) fn statement_on_pair(word: &str, known: &ScopeId, found: &ScopeId) -> Statement {
    statement(word, &[known, found])
}

#[derive(Default)]
pub(super) struct Memory {
    pub(super) scopes: Vec<Scope>,
    answers: HashSet<(Epoch, Statement)>,
    /// The people whom imports only referred to.
    unnamed: Vec<UnnamedV1>,
}

impl Memory {
    pub(super) fn of(reader: &StateReader<'_>) -> Result<Self, Error> {
        let mut memory = Self::default();
        for (_, number, import) in reader.import_rows()? {
            for document in import.documents {
                let is_known = |scope: &&Scope| scope.id == document.scope && scope.document == document.name;
                if !memory.scopes.iter().any(|scope| is_known(&scope)) {
                    let time = reader.link(number)?.map_or(0, |link| link.time);
                    let (id, document) = (document.scope, document.name);
                    memory.scopes.push(Scope { id, number, time, document });
                }
            }
            let answers = import.answers.into_iter();
            memory.answers.extend(answers.map(|AnswerV1 { epoch, digest, .. }| (Epoch::new(epoch), digest)));
            memory.unnamed.extend(import.unnamed);
        }
        if !memory.answers.is_empty() {
            memory.forget_what_was_taken_back(reader)?;
        }
        Ok(memory)
    }

    fn forget_what_was_taken_back(&mut self, reader: &StateReader<'_>) -> Result<(), Error> {
        for line in reader.all_ledger_lines()? {
            let number = named_import(&line.details);
            match line.action {
                Action::AnswersForgotten => self.answers.retain(|(given, _)| match number {
                    Some(number) => *given != number,
                    None => *given > line.epoch,
                }),
                Action::ImportUndone => self.answers.retain(|(given, _)| Some(*given) != number),
                _ => {}
            }
        }
        Ok(())
    }

    /// The scopes that a document of this name has.
    pub(super) fn scopes_of(&self, document: Option<&str>) -> impl Iterator<Item = &Scope> {
        self.scopes.iter().filter(move |scope| scope.document.as_deref() == document)
    }

    /// Whether this was answered before.
    pub(super) fn says(&self, answer: &Statement) -> bool {
        self.answers.iter().any(|(_, known)| known == answer)
    }

    /// Whether this was answered before about documents of these scopes, the known one's first.
    pub(super) fn says_of(&self, word: &str, known: &[ScopeId], found: Option<&str>) -> bool {
        let says = |known: &ScopeId| {
            self.scopes_of(found).any(|found| self.says(&statement_on_pair(word, known, &found.id)))
        };
        known.iter().any(says)
    }

    /// Those to whom earlier imports only referred.
    pub(super) fn unnamed(&self) -> impl Iterator<Item = &UnnamedV1> {
        self.unnamed.iter()
    }

    /// The people whom imports only referred to, and of whom nobody said that they are the
    /// vault's patient.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = &UnnamedV1> {
        self.unnamed.iter().filter(|unnamed| !self.says(&unnamed.answer))
    }

    /// Forgets the answers that were given to one import, or to all. Gives their number.
    pub(super) fn forget(&mut self, number: Option<Epoch>) -> usize {
        let before = self.answers.len();
        self.answers.retain(|(given, _)| number.is_some_and(|number| number != *given));
        before - self.answers.len()
    }
}
