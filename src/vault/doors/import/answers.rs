//! Taking back what was answered to imports: an answer that was taken back counts no more.

use super::memory::Memory;
use super::person;
use crate::engine::actor::Actor;
use crate::engine::facts::{Action, Detail};
use crate::engine::ledger::Line;
use crate::engine::transaction::Transaction;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::Epoch;
use crate::record::{Entry, Person, Record};
use crate::tree::{Row, RowKey};
use crate::vault::session::handle::Session;

pub(crate) fn forget_import_answers(
    session: &Session,
    actor: &Actor,
    number: Option<Epoch>,
) -> Result<usize, Error> {
    let committed = session.update(actor, |tx| tx.forget_answers(number))?;
    Ok(committed.value)
}

impl Transaction<'_> {
    fn forget_answers(&mut self, number: Option<Epoch>) -> Result<usize, Error> {
        let mut memory = Memory::of(&self.reader())?;
        let forgotten = memory.forget(number);
        if forgotten == 0 && number.is_some() {
            return Ok(0);
        }
        // What another answer confirms, or one before, stays confirmed.
        let stays = |entry: &Entry, since: Epoch| match (&entry.record, number) {
            (Record::Patient(patient), Some(number)) => {
                since < number || memory.says(&person::answer_about(&Person::of(patient)))
            }
            _ => false,
        };
        let mut is_cleared = false;
        for (compartment, current) in person::rows(&self.reader())? {
            let mut entry = self.core.open_entry(compartment, &current)?;
            if entry.marks.same_person && !stays(&entry, self.confirmed_since(compartment, &current)?) {
                entry.marks.same_person = false;
                self.amend(current.id, &entry, "the answer was taken back")?;
                is_cleared = true;
            }
        }
        self.drop_answers(|given| number.is_none_or(|number| number == given))?;
        if forgotten > 0 || is_cleared {
            let line = Line::of(Action::AnswersForgotten, self.actor);
            let line = match number {
                Some(number) => line.with(Detail::Import, &number.to_string()),
                None => line,
            };
            self.log(Compartment::General, line);
        }
        Ok(forgotten)
    }

    /// The commit since which an entry has the mark that it is of the same person.
    fn confirmed_since(&self, compartment: Compartment, current: &Row) -> Result<Epoch, Error> {
        let mut since = current.epoch;
        for revision in (1..current.revision).rev() {
            let row = self.row(compartment, &RowKey::revision(current.id, revision))?;
            let row = row.ok_or(Error::Damaged { what: "revision" })?;
            if !self.core.open_entry(compartment, &row)?.marks.same_person {
                break;
            }
            since = row.epoch;
        }
        Ok(since)
    }
}
