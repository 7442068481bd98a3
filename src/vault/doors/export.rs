//! Leaving: everything in readable form, for the owner.
//!
//! The line in the ledger is durable before anything is handed out.

use std::collections::BTreeMap;

use crate::engine::actor::Actor;
use crate::engine::facts::Action;
use crate::engine::ledger::Line;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::record::Entry;
use crate::vault::session::audit::ReadKind;
use crate::vault::session::handle::Session;

pub(crate) fn export(session: &Session, actor: &Actor) -> Result<Vec<(EntryId, Entry)>, Error> {
    let committed = session.update(actor, |tx| {
        let entries = tx.reader().all_entries()?;
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
    session.tell(ReadKind::Exported, Some(actor), entries.iter().map(|(id, _)| *id).collect());
    Ok(entries)
}
