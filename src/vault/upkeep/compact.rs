//! Compaction: the vault file written anew without what nothing reaches, and
//! what an opening does with the traces of an interrupted one (rule R7 of
//! `docs/format.md`).

use super::space::{space, space_of};
use crate::engine::actor::Actor;
use crate::engine::core::{Core, Snapshot, StateReader};
use crate::engine::facts::Action;
use crate::engine::ledger::Line;
use crate::engine::leftover::{replacement_mark, tidy};
use crate::engine::links::Links;
use crate::engine::transaction::{Transaction, Work};
use crate::error::{Error, ErrorKind};
use crate::format::place::{Compartment, PLACES, Place};
use crate::id::Epoch;
use crate::parallel::{Spare, in_order};
use crate::payload::history::SegmentSpanV1;
use crate::store::{FileStore, FileWriter, Heads, StoreError, StoreWriter as _, Tier};
use crate::tree::{LeafRef, Row, TakeOver, TreeError, Trie, TrieUpdate};
use crate::vault::session::handle::Session;
use crate::vault::session::state::{Mode, Unlocked};
use crate::vault::session::writing::current_for_writing;
use std::sync::Arc;

/// Leaves that one core reads back at a time.
const LEAVES_AT_A_TIME: usize = 8;

/// How far a long operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; an estimate until everything is done.
    pub total: u64,
}

/// Takes the progress of a long operation.
pub(crate) type Watch<'a> = dyn FnMut(Progress) + 'a;

/// Counts towards a total and tells.
pub(crate) struct Meter<'a> {
    watch: &'a mut Watch<'a>,
    progress: Progress,
}

impl<'a> Meter<'a> {
    pub(crate) fn new(total: u64, watch: &'a mut Watch<'a>) -> Self {
        Self { watch, progress: Progress { done: 0, total } }
    }

    pub(crate) fn advance(&mut self, bytes: u64) {
        self.progress.done = self.progress.done.saturating_add(bytes);
        self.progress.total = self.progress.total.max(self.progress.done);
        (self.watch)(self.progress);
    }
}

/// What a compaction gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CompactReport {
    /// The commit that recorded it.
    pub epoch: Epoch,
    /// Length of the file before.
    pub before: u64,
    /// Length of the file now.
    pub after: u64,
}

/// What closing a vault did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Closed {
    /// The compaction, if one was due and made.
    pub compacted: Option<CompactReport>,
    /// Why a compaction that was due was not made. The vault is whole and
    /// durable all the same.
    pub not_compacted: Option<Error>,
    /// Why the commit was not made by which a handle that wrote where others do not look is
    /// not told from one that did not. What was written before is durable all the same.
    pub not_renewed: Option<Error>,
}

pub(crate) fn compact(
    session: &Session,
    actor: &Actor,
    mut progress: impl FnMut(Progress),
) -> Result<CompactReport, Error> {
    session.may_write()?;
    let _call = session.begin()?;
    let file = session.store.as_file().ok_or(StoreError::Unsupported)?;
    let mut writer = file.lock(session.options.lock_wait)?;
    let current = current_for_writing(&session.unlocked()?, &mut writer)?;
    session.adopt(current.clone());
    compact_locked(session, &current, file, &mut writer, actor, &mut progress)
}

fn compact_locked(
    session: &Session,
    current: &Unlocked,
    file: &FileStore,
    writer: &mut FileWriter<'_>,
    actor: &Actor,
    progress: &mut Watch<'_>,
) -> Result<CompactReport, Error> {
    let (core, snapshot) = (&*current.core, &*current.snapshot);
    for compartment in Compartment::ALL {
        snapshot.place(compartment)?;
    }
    tidy(core, snapshot, file, writer)?;
    let before = file.length()?;
    // Written once, and read once more.
    let live = space_of(core, snapshot)?.live;
    let mut meter = Meter::new(live.saturating_mul(2), progress);
    let mut draft = writer.rewrite()?;
    draft.start(0);
    let time = session.options.now();
    let mut transaction = Transaction { core, snapshot, actor, time, work: Work::new(&mut draft) };
    transaction.announce(Action::Renewed);
    transaction.log(Compartment::Custody, Line::of(Action::Compacted, actor));
    let rewritten = transaction.rewrite(&mut meter)?;
    let store = draft.store()?;
    let after = store.length()?;
    verify(&core.on(Arc::new(store)), &rewritten, &mut meter).map_err(|error| match error.kind() {
        // Nothing was checked when it was copied: either file may be the damaged one.
        ErrorKind::Damaged => damage_of(core, snapshot).err().unwrap_or(Error::Damaged { what: "new file" }),
        _ => error,
    })?;
    draft.replace(snapshot.root.segment.end, &replacement_mark(&rewritten.root_bytes))?;
    core.cache.clear();
    let epoch = rewritten.root.epoch;
    session.adopt(current.with(rewritten));
    Ok(CompactReport { epoch, before, after })
}

pub(crate) fn close(session: &Session, mut progress: impl FnMut(Progress)) -> Result<Closed, Error> {
    settle_down(session, &mut progress)
}

/// Makes everything durable and compacts by rule.
pub(crate) fn settle_down(session: &Session, progress: &mut Watch<'_>) -> Result<Closed, Error> {
    let not_renewed = session.renew_at_close(session.options.lock_wait).err();
    session.rest()?;
    let not_renewed = match not_renewed {
        Some(error @ Error::Store(StoreError::Sync { .. } | StoreError::Poisoned)) => return Err(error),
        not_renewed => not_renewed,
    };
    let due = session.options.compact_at_close
        && session.mode == Mode::Writing
        && space(session).is_ok_and(|space| space.is_compaction_due());
    if !due {
        return Ok(Closed { compacted: None, not_compacted: None, not_renewed });
    }
    match compact(session, &Actor::software(), progress) {
        Ok(report) => Ok(Closed { compacted: Some(report), not_compacted: None, not_renewed }),
        Err(error @ Error::Store(StoreError::Sync { .. } | StoreError::Poisoned)) => Err(error),
        Err(error) => Ok(Closed { compacted: None, not_compacted: Some(error), not_renewed }),
    }
}

impl Transaction<'_> {
    /// Writes all tries anew and publishes them: this commit's writer appends to
    /// an empty file. Everyday compartments come first, byte for byte; what is in the others
    /// is encrypted anew, as copied bytes would tell who has both files how much there is.
    fn rewrite(mut self, meter: &mut Meter<'_>) -> Result<Snapshot, Error> {
        let epoch = self.epoch();
        let links: Links = self.write_link(epoch, SegmentSpanV1::default())?;
        let mut places = [const { None }; PLACES];
        let known = StateReader { core: self.core, snapshot: self.snapshot };
        let mut tries: Vec<_> = Compartment::ALL.into_iter().zip(&mut places).collect();
        tries.sort_by_key(|(compartment, _)| compartment.tier());
        for (compartment, place) in tries {
            self.write_ledger(&links, compartment)?;
            let changes =
                self.work.changes.get_mut(compartment.index()).map(std::mem::take).unwrap_or_default();
            let current = self.snapshot.place(compartment)?;
            let additions = changes.into_iter().filter_map(|(key, row)| Some((key, row?))).collect();
            let context = |row: &Row| self.core.row_context(compartment, row);
            let take_over = match compartment.tier() {
                Tier::Everyday => TakeOver::Copy,
                Tier::Protected | Tier::Hidden => TakeOver::Renew(&context),
            };
            let mut copied = |bytes| meter.advance(bytes);
            let mut out = self.work.objects();
            let update = known.trie(compartment)?.rewrite(additions, take_over, &mut out, &mut copied)?;
            let TrieUpdate { root: trie, rows, live, .. } = update;
            let (ledger, least_reader) = (current.ledger, current.least_reader);
            if trie.is_some() {
                *place = Some(Place { epoch, trie, rows, ledger, live, least_reader, erase: None });
            }
        }
        links.set_heads(epoch, &mut places);
        self.publish(epoch, places, None)
    }
}

/// Reads every page and every object of the vault itself.
fn damage_of(core: &Core, snapshot: &Snapshot) -> Result<(), Error> {
    let reader = StateReader { core, snapshot };
    for compartment in Compartment::ALL {
        check_trie(&reader.trie(compartment)?, &mut |_| ())?;
    }
    Ok(())
}

/// Reads back every page and every object of a new file.
fn verify(core: &Core, snapshot: &Snapshot, meter: &mut Meter<'_>) -> Result<(), Error> {
    let damaged = || Error::Damaged { what: "new file" };
    let Heads { areas, roots } = core.store.heads()?;
    let whole = roots.iter().all(|root| *root == snapshot.root_bytes)
        && areas.iter().all(|area| *area == snapshot.area_bytes);
    if !whole {
        return Err(damaged());
    }
    // The file is whole and nothing of it was read back yet.
    meter.advance(0);
    let reader = StateReader { core, snapshot };
    for compartment in Compartment::ALL {
        let trie = reader.trie(compartment)?;
        let mut read = 0;
        check_trie(&trie, &mut |bytes| {
            read += bytes;
            meter.advance(bytes);
        })?;
        // The inner pages, which were read to find the leaves.
        meter.advance(trie.live.saturating_sub(read));
    }
    Ok(())
}

/// Reads every page and every object of a trie, on every core; `read` is told how many
/// bytes of leaves and objects.
fn check_trie(trie: &Trie<'_>, read: &mut dyn FnMut(u64)) -> Result<(), TreeError> {
    let leaves = trie.leaves().into_iter().collect::<Result<Vec<_>, _>>()?;
    let batches: Vec<_> = leaves.chunks(LEAVES_AT_A_TIME).collect();
    let buffers = Spare::default();
    let check = |leaves: &&[LeafRef]| {
        let mut buffer = buffers.take();
        let bytes = trie.check_leaves(leaves, &mut buffer);
        buffers.give(buffer);
        bytes
    };
    in_order(&batches, check, |bytes: u64| {
        read(bytes);
        Ok(())
    })
}
