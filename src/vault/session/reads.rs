//! Reading: entries, lists, histories and the ledger, each on one state.

use super::audit::ReadKind;
use super::handle::Session;
use super::update::OwnError;
use crate::engine::history::Checkpoint;
use crate::engine::ledger::LedgerLine;
use crate::engine::list::{Filter, Listed, Revision};
use crate::error::{Error, ErrorKind};
use crate::id::EntryId;
use crate::record::Entry;

pub(crate) fn entry(session: &Session, id: EntryId) -> Result<Entry, Error> {
    let entry = session.read(|reader| Ok(reader.entry(id)?.1))?;
    session.tell(ReadKind::Opened, None, vec![id]);
    Ok(entry)
}

pub(crate) fn list(session: &Session, filter: &Filter) -> Result<Vec<Listed>, Error> {
    let listed = session.read(|reader| {
        let mut listed = Vec::new();
        for compartment in reader.open_compartments_and_sealed().filter(|c| filter.includes(*c)) {
            reader.list_in(compartment, filter, &mut listed)?;
        }
        listed.sort_by_cached_key(|entry| {
            let start = entry.card.dates.start().or(entry.card.dates.end());
            (std::cmp::Reverse(start.map(|date| date.as_str().to_owned())), entry.id)
        });
        Ok(listed)
    })?;
    session.tell(ReadKind::Listed, None, listed.iter().map(|entry| entry.id).collect());
    Ok(listed)
}

pub(crate) fn perhaps_same(session: &Session) -> Result<Vec<Vec<EntryId>>, Error> {
    let groups = session.read(|reader| reader.perhaps_same())?;
    session.tell(ReadKind::Listed, None, groups.iter().flatten().copied().collect());
    Ok(groups)
}

pub(crate) fn for_each_entry(
    session: &Session,
    mut visit: impl FnMut(EntryId, Entry) -> Result<(), Error>,
) -> Result<(), Error> {
    let _call = session.begin()?;
    let known = session.unlocked()?;
    let mut is_refused = false;
    let read = known.reader().for_each_batch(|_, entries| {
        session.tell(ReadKind::Opened, None, entries.iter().map(|(id, _)| *id).collect());
        let visited = entries.into_iter().try_for_each(|(id, entry)| visit(id, entry));
        is_refused = visited.is_err();
        visited
    });
    match read {
        Err(fault) if fault.kind() == ErrorKind::Damaged && !is_refused => {
            session.successor(&known, fault)?;
            Err(Error::Superseded)
        }
        read => read,
    }
}

pub(crate) fn try_for_each_entry<E: From<Error>>(
    session: &Session,
    mut visit: impl FnMut(EntryId, Entry) -> Result<(), E>,
) -> Result<(), E> {
    let mut own = OwnError::default();
    let result = for_each_entry(session, |id, entry| own.keep(visit(id, entry)));
    own.give(result)
}

pub(crate) fn history(session: &Session, id: EntryId) -> Result<Vec<Revision>, Error> {
    let revisions = session.read(|reader| reader.revisions(id))?;
    session.tell_count(ReadKind::HistoryRead, None, vec![id], revisions.len());
    Ok(revisions)
}

pub(crate) fn entry_revision(session: &Session, id: EntryId, revision: u64) -> Result<Entry, Error> {
    let entry = session.read(|reader| Ok(reader.entry_at(id, Some(revision))?.1))?;
    session.tell(ReadKind::RevisionOpened, None, vec![id]);
    Ok(entry)
}

pub(crate) fn ledger(session: &Session) -> Result<Vec<LedgerLine>, Error> {
    let lines = session.read(|reader| reader.told_ledger())?;
    session.tell_count(ReadKind::LedgerRead, None, Vec::new(), lines.len());
    Ok(lines)
}

pub(crate) fn checkpoint(session: &Session) -> Result<Checkpoint, Error> {
    session.durable_checkpoint()
}

pub(crate) fn expect(session: &Session, checkpoint: &Checkpoint) -> Result<(), Error> {
    session.read(|reader| reader.expect_checkpoint(checkpoint))
}
