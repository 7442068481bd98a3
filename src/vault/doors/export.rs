//! Leaving: everything in readable form, for the owner.
//!
//! The line in the ledger is durable before anything is handed out.

use crate::engine::actor::Actor;
use crate::engine::facts::Action;
use crate::engine::ledger::Line;
use crate::error::Error;
use crate::id::EntryId;
use crate::record::Entry;
use crate::vault::session::audit::ReadKind;
use crate::vault::session::handle::Session;

pub(crate) fn export(session: &Session, actor: &Actor) -> Result<Vec<(EntryId, Entry)>, Error> {
    let committed = session.update(actor, |tx| {
        let entries = tx.reader().all_entries()?;
        for (compartment, ..) in &entries {
            tx.log(*compartment, Line::of(Action::Exported, actor));
        }
        tx.announce(Action::Exported);
        Ok(entries)
    })?;
    let entries: Vec<(EntryId, Entry)> =
        committed.value.into_iter().map(|(_, id, entry)| (id, entry)).collect();
    session.tell(ReadKind::Exported, Some(actor), entries.iter().map(|(id, _)| *id).collect());
    Ok(entries)
}
