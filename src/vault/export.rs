//! Leaving: everything in readable form, for the owner.
//!
//! The line in the ledger is durable before anything is handed out.

use std::collections::BTreeMap;

use super::Vault;
use super::audit::ReadKind;
use super::ledger::{Action, Line};
use super::options::Actor;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::record::Entry;

impl Vault {
    /// Every current entry of the compartments that are open, retracted ones
    /// included, to be written down in readable form. When this returns, the
    /// ledger says so durably.
    ///
    /// Earlier revisions are read with [`Vault::history`] and
    /// [`Vault::entry_revision`]. An erasure report names later what was
    /// exported as it names what was released.
    ///
    /// # Errors
    /// As [`Vault::update`].
    pub fn export(&self, actor: &Actor) -> Result<Vec<(EntryId, Entry)>, Error> {
        let committed = self.update(actor, |tx| {
            let entries = tx.view().all_entries()?;
            let mut subjects: BTreeMap<Compartment, Vec<EntryId>> = BTreeMap::new();
            for (compartment, id, _) in &entries {
                subjects.entry(*compartment).or_default().push(*id);
            }
            if subjects.is_empty() {
                tx.log(Compartment::Record, Line::about(Action::Exported, actor, None, []));
            }
            for (compartment, ids) in subjects {
                tx.log(compartment, Line::about(Action::Exported, actor, None, ids));
            }
            Ok(entries)
        })?;
        let entries: Vec<(EntryId, Entry)> =
            committed.value.into_iter().map(|(_, id, entry)| (id, entry)).collect();
        self.tell(ReadKind::Exported, Some(actor), entries.iter().map(|(id, _)| *id).collect());
        Ok(entries)
    }
}
