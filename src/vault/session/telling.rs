//! Telling the embedder's hook of a read, with nothing locked and before the caller
//! gets what was read.

use std::cell::Cell;

use super::audit::{AuditEvent, ReadKind};
use super::handle::Session;
use crate::engine::actor::Actor;
use crate::engine::time::from_milliseconds;
use crate::id::EntryId;

thread_local! {
    /// Whether this thread is in a hook, whose own reads are not told to it.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Ends the telling, also when the hook panics.
struct Telling;

impl Drop for Telling {
    fn drop(&mut self) {
        TELLING.set(false);
    }
}

impl Session {
    /// Tells the hook, if there is one, of what was read.
    pub(crate) fn tell(&self, kind: ReadKind, actor: Option<&Actor>, entries: Vec<EntryId>) {
        let count = entries.len();
        self.tell_count(kind, actor, entries, count);
    }

    /// Tells the hook of items that are not all entries.
    pub(crate) fn tell_count(
        &self,
        kind: ReadKind,
        actor: Option<&Actor>,
        entries: Vec<EntryId>,
        count: usize,
    ) {
        let Some(hook) = &self.options.audit else { return };
        if TELLING.replace(true) {
            return;
        }
        let _telling = Telling;
        let (vault, time, epoch) = (self.id, from_milliseconds(self.options.now()), self.epoch());
        hook(&AuditEvent { vault, time, epoch, kind, actor: actor.cloned(), entries, count });
    }
}
