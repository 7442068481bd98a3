//! An entry that is to leave its compartment, read whole before anything is written, and what
//! is told of it there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry::{Occupied, Vacant};

use super::core::StateReader;
use super::facts::Action;
use super::story::Telling;
use super::transaction::Transaction;
use crate::classify::compartment_of;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::payload::story::{ActV1, StoryV1};
use crate::record::{Entry, Kind};
use crate::tree::{Row, RowKey};

/// An entry as it is where it leaves.
pub(super) struct Departing {
    pub(super) from: Compartment,
    pub(super) id: EntryId,
    /// Its revisions, the oldest first.
    pub(super) revisions: Vec<(Row, Entry)>,
    pub(super) story: StoryV1,
}

/// The lines that were read for the entries that one call moves.
#[derive(Default)]
pub(super) struct Lines {
    actions: BTreeMap<(Compartment, Epoch), Vec<Action>>,
    /// The commits that exported something, and since which one they were looked for.
    exports: Option<(Epoch, Vec<Epoch>)>,
}

impl Departing {
    pub(super) fn kind(&self) -> Kind {
        self.revisions.last().map_or(Kind::Other, |(_, entry)| entry.kind())
    }
}

impl Transaction<'_> {
    /// An entry and all its revisions, every one of which can be read and may go there.
    pub(super) fn departing(&self, id: EntryId, to: Compartment) -> Result<Departing, Error> {
        let (from, current) = self.entry_row(id)?;
        if from == to {
            return Err(Error::Invalid { what: "the entry is in this compartment already" });
        }
        let entry = self.stored_entry(id)?;
        let mut revisions = Vec::new();
        for revision in 1..current.revision {
            let row = self.row(from, &RowKey::revision(id, revision))?;
            let row = row.ok_or(Error::Damaged { what: "revision" })?;
            let entry = self.core.open_entry(from, &row)?;
            revisions.push((row, entry));
        }
        revisions.push((current, entry));
        let belongs_elsewhere = |(_, entry): &(Row, Entry)| compartment_of(entry) != Compartment::General;
        if to == Compartment::General && revisions.iter().any(belongs_elsewhere) {
            return Err(Error::Invalid {
                what: "a revision of this entry belongs to a compartment of its own: everybody would read it",
            });
        }
        Ok(Departing { from, id, revisions, story: self.reader().story(from, id)? })
    }

    /// What is told of an entry where it goes: all that its story and the lines of its
    /// compartment tell where it was, and that it was moved.
    pub(super) fn story_there(&self, departing: &Departing, lines: &mut Lines) -> Result<StoryV1, Error> {
        let Departing { from, revisions, story, .. } = departing;
        let (reader, now) = (self.reader(), self.epoch());
        let first = revisions.first().map_or(now, |(row, _)| row.epoch);
        let act = |epoch: Epoch, action: Action, revision, reason| ActV1 {
            epoch: epoch.number(),
            action: action.number(),
            revision,
            reason,
        };
        let mut acts = story.acts.clone();
        for (Row { revision, epoch, .. }, _) in revisions {
            let (revision, epoch) = (*revision, *epoch);
            if story.of_revision(revision).is_some() {
                continue;
            }
            let actions = lines.actions(&reader, *from, epoch)?;
            if let (Some(action), reason) = (Telling { revision, epoch, first, story, actions }).act() {
                acts.push(act(epoch, action, revision, reason));
            }
        }
        for epoch in lines.exports(&reader, story.since(first))? {
            if lines.actions(&reader, *from, epoch)?.contains(&Action::Exported) {
                acts.push(act(epoch, Action::Exported, 0, None));
            }
        }
        acts.push(act(now, Action::Moved, 0, None));
        acts.sort_by_key(|act| (act.epoch, act.revision));
        Ok(StoryV1 { acts })
    }
}

impl Lines {
    /// What a commit did in a compartment.
    fn actions(
        &mut self,
        reader: &StateReader<'_>,
        compartment: Compartment,
        epoch: Epoch,
    ) -> Result<&[Action], Error> {
        let at = (compartment, epoch);
        Ok(match self.actions.entry(at) {
            Occupied(known) => known.into_mut(),
            Vacant(unknown) => unknown.insert(reader.actions_in(compartment, epoch)?),
        })
    }

    /// The commits after this one that exported something.
    fn exports(&mut self, reader: &StateReader<'_>, since: Epoch) -> Result<Vec<Epoch>, Error> {
        let known = self.exports.as_ref().filter(|(from, _)| *from <= since);
        if known.is_none() {
            self.exports = Some((since, reader.exports_after(since)?));
        }
        let all = self.exports.iter().flat_map(|(_, epochs)| epochs.iter().copied());
        Ok(all.filter(|epoch| *epoch > since).collect())
    }
}

impl StateReader<'_> {
    /// The commits after this one that exported something from any compartment.
    fn exports_after(&self, since: Epoch) -> Result<Vec<Epoch>, Error> {
        let now = self.snapshot.root.epoch.number();
        let (upto, known) = {
            let told = self.core.told();
            (told.upto.min(now), told.telling.clone())
        };
        let known = known.into_iter().filter(|epoch| epoch.number() <= upto);
        let unread = (upto.max(since.number())..now).map(|number| Epoch::new(number + 1));
        let mut exports = Vec::new();
        for epoch in known.chain(unread).filter(|epoch| *epoch > since) {
            let link = self.link(epoch)?.ok_or(Error::Damaged { what: "history" })?;
            exports.extend((Action::from_number(link.action) == Action::Exported).then_some(epoch));
        }
        Ok(exports)
    }
}
