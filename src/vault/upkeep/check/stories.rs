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
    entries: BTreeSet<EntryId>,
    stories: BTreeSet<EntryId>,
    /// How many entries each release held, as their stories tell.
    released: BTreeMap<Epoch, u64>,
    /// The same as the accounts tell.
    accounts: BTreeMap<Epoch, u64>,
}

impl Stories {
    /// Takes a row in; whether it can be read.
    pub(super) fn take(&mut self, reader: &StateReader<'_>, compartment: Compartment, row: &Row) -> bool {
        match row.class {
            RowClass::Entry => {
                self.entries.insert(row.id);
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
        for epoch in reader.story_in(compartment, row)?.releases() {
            let count = self.released.entry(epoch).or_default();
            *count = count.saturating_add(1);
        }
        Ok(())
    }

    /// Whether every story is an entry's, and every account is of as many entries as tell of it.
    /// An account in `custody` counts none.
    pub(super) fn fit(&self) -> bool {
        self.stories.is_subset(&self.entries)
            && self.accounts.values().filter(|count| **count > 0).count() == self.released.len()
            && self.released.iter().all(|(epoch, count)| self.accounts.get(epoch) == Some(count))
    }
}
