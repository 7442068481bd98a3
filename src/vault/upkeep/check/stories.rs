//! Whether stories, accounts of releases and the entries of a compartment fit together.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::core::StateReader;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::tree::{Row, RowClass};

/// What a compartment tells of its entries.
#[derive(Default)]
pub(super) struct Stories {
    /// The commit that wrote each revision.
    revisions: BTreeMap<(EntryId, u64), Epoch>,
    stories: BTreeSet<EntryId>,
    /// Acts that tell of a revision, and of which commit they say that it wrote it.
    acts: Vec<((EntryId, u64), Epoch)>,
    /// How many entries each release held, as their stories tell.
    released: BTreeMap<Epoch, u64>,
    /// The same as the accounts tell.
    accounts: BTreeMap<Epoch, u64>,
}

impl Stories {
    /// Takes a row in; whether it can be read.
    pub(super) fn take(&mut self, reader: &StateReader<'_>, compartment: Compartment, row: &Row) -> bool {
        match row.class {
            RowClass::Entry | RowClass::Superseded => {
                self.revisions.insert((row.id, row.revision), row.epoch);
                true
            }
            RowClass::Story => self.take_story(reader, compartment, row).is_ok(),
            RowClass::Accounting => reader
                .account_in(compartment, row)
                .map(|account| self.accounts.insert(row.epoch, account.0.entries))
                .is_ok(),
            _ => true,
        }
    }

    fn take_story(
        &mut self,
        reader: &StateReader<'_>,
        compartment: Compartment,
        row: &Row,
    ) -> Result<(), Error> {
        self.stories.insert(row.id);
        let story = reader.story_in(compartment, row)?;
        for epoch in story.releases() {
            let count = self.released.entry(epoch).or_default();
            *count = count.saturating_add(1);
        }
        let of_revisions = story.acts.iter().filter(|act| act.revision > 0);
        self.acts.extend(of_revisions.map(|act| ((row.id, act.revision), Epoch::new(act.epoch))));
        Ok(())
    }

    /// Whether every story is an entry's, every act that tells of a revision is of the commit
    /// that wrote it, and every account is of as many entries as tell of it. An account in
    /// `custody` counts none.
    pub(super) fn fit(&self) -> bool {
        let is_entry = |id: &EntryId| self.revisions.range((*id, 0)..=(*id, u64::MAX)).next().is_some();
        self.stories.iter().all(is_entry)
            && self.acts.iter().all(|(revision, epoch)| self.revisions.get(revision) == Some(epoch))
            && self.accounts.values().filter(|count| **count > 0).count() == self.released.len()
            && self.released.iter().all(|(epoch, count)| self.accounts.get(epoch) == Some(count))
    }
}
