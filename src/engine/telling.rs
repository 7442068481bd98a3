//! Telling the stories of entries: what a commit adds to them, and takes away with their entries.

use super::facts::Action;
use super::ledger::said;
use super::transaction::Transaction;
use crate::codec::wire;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::payload::story::{ActV1, StoryV1};
use crate::tree::{Row, RowClass, RowKey};

impl Transaction<'_> {
    /// Adds an act to an entry's story.
    pub(crate) fn tell(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        action: Action,
        revision: u64,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let act =
            ActV1 { epoch: self.epoch().number(), action: action.number(), revision, reason: said(reason) };
        self.change_story(compartment, id, |story| story.acts.push(act))
    }

    /// Changes an entry's story; the row is put with the commit.
    pub(crate) fn change_story(
        &mut self,
        compartment: Compartment,
        id: EntryId,
        change: impl FnOnce(&mut StoryV1),
    ) -> Result<(), Error> {
        let mut story = match self.work.stories.remove(&(compartment, id)) {
            Some(story) => story,
            None => self.reader().story(compartment, id)?,
        };
        change(&mut story);
        self.work.stories.insert((compartment, id), story);
        Ok(())
    }

    /// Removes an entry's story, and gives it. One that is damaged goes too.
    pub(crate) fn remove_story(
        &mut self,
        compartment: Compartment,
        id: EntryId,
    ) -> Result<Result<StoryV1, Error>, Error> {
        let pending = self.work.stories.remove(&(compartment, id));
        let row = self.reader().row(compartment, &RowKey::story(id))?;
        let story = match (pending, &row) {
            (Some(story), _) => Ok(story),
            (None, Some(row)) => self.reader().story_in(compartment, row),
            (None, None) => Ok(StoryV1::default()),
        };
        if let Some(row) = row {
            self.remove_row(compartment, &row)?;
        }
        Ok(story)
    }

    /// Puts the stories that this commit changed.
    pub(crate) fn write_stories(&mut self) -> Result<(), Error> {
        for ((compartment, id), story) in std::mem::take(&mut self.work.stories) {
            let mut row = Row::unnamed(RowKey::story(id), RowClass::Story, self.epoch());
            row.id = id;
            match story.acts.is_empty() {
                true => self.take_away(compartment, &row.key)?,
                false => self.put_anew(compartment, row, &wire::encode(&story)?)?,
            }
        }
        Ok(())
    }
}
