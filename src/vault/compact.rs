//! Compaction: the vault file written anew without what nothing reaches, and
//! what an opening does with the traces of an interrupted one (rule R7 of
//! `docs/format.md`).

use super::core::{Core, Snapshot, View};
use super::ledger::{Action, Line, LineState};
use super::links::Links;
use super::open::{self, Candidate};
use super::options::Actor;
use super::space::space_of;
use super::transaction::{Transaction, Work};
use super::{Mode, Unlocked, Vault};
use crate::crypto::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::format::FIRST_READER;
use crate::format::area::Area;
use crate::format::place::{Compartment, PLACES, Place};
use crate::id::Epoch;
use crate::parallel::in_order;
use crate::store::{
    Beside, FileStore, FileWriter, Found, Heads, Store, StoreError, StoreWriter as _, has_unwritten_sector,
};
use crate::tree::{Changes, LeafRef, TreeError, TrieUpdate};
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
pub(super) type Watch<'a> = dyn FnMut(Progress) + 'a;

/// Counts towards a total and tells.
pub(super) struct Meter<'a> {
    watch: &'a mut Watch<'a>,
    progress: Progress,
}

impl<'a> Meter<'a> {
    pub(super) fn new(total: u64, watch: &'a mut Watch<'a>) -> Self {
        Self { watch, progress: Progress { done: 0, total } }
    }

    pub(super) fn advance(&mut self, bytes: u64) {
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
}

impl Vault {
    /// Writes the vault file anew without the bytes that nothing reaches: page
    /// images of earlier commits, what an interrupted writer left, what was
    /// erased. Everything in the vault stays, the ledger with a line more.
    ///
    /// The new file takes the old one's name only when it is whole, checked and
    /// durable; other handles and processes follow. What fails before leaves the
    /// vault as it was. It needs space for the new file beside the old one, and
    /// the names with `.compact` and `.old` added to the vault's.
    ///
    /// # Errors
    /// [`Error::NeedsCompartment`] when a compartment is not open;
    /// [`StoreError::Unsupported`] for a vault that is not in a file;
    /// [`StoreError::InTheWay`], [`StoreError::SecondName`],
    /// [`StoreError::NoSpace`], [`StoreError::Busy`]; [`Error::Damaged`] when
    /// something in the vault cannot be read, [`Error::Store`].
    pub fn compact(&self, actor: &Actor, mut progress: impl FnMut(Progress)) -> Result<CompactReport, Error> {
        self.may_write()?;
        let _call = self.begin()?;
        let file = self.store.as_file().ok_or(StoreError::Unsupported)?;
        let mut writer = file.lock(self.options.lock_wait)?;
        let current = open::current_for_writing(&self.unlocked()?, &mut writer)?;
        self.adopt(current.clone());
        self.compact_locked(&current, file, &mut writer, actor, &mut progress)
    }

    fn compact_locked(
        &self,
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
        let time = self.options.now();
        let mut transaction = Transaction { core, snapshot, actor, time, work: Work::new(&mut draft) };
        transaction.log(Compartment::Record, Line::about(Action::Compacted, actor, None, []));
        let rewritten = transaction.rewrite(&mut meter)?;
        let store = draft.store()?;
        let after = store.length()?;
        verify(&core.on(Arc::new(store)), &rewritten, &mut meter).map_err(|error| match error.kind() {
            // Everything was read of the vault itself before.
            ErrorKind::Damaged => Error::Damaged { what: "new file" },
            _ => error,
        })?;
        draft.replace(snapshot.root.append_end, &replacement_mark(&rewritten.root_bytes))?;
        core.cache.clear();
        let epoch = rewritten.root.epoch;
        self.adopt(current.with(rewritten));
        Ok(CompactReport { epoch, before, after })
    }

    /// Makes everything durable and ends: the keys of this handle are wiped. If
    /// more of the file is dead than live, and more than 16 MiB, it is compacted
    /// first, unless the options say otherwise or a compartment is not open.
    ///
    /// # Errors
    /// [`Error::Store`] when the last write cannot be made durable. A compaction
    /// that was due and could not be made is in the report instead.
    pub fn close(self, mut progress: impl FnMut(Progress)) -> Result<Closed, Error> {
        self.settle_down(&mut progress)
    }

    /// Makes everything durable and compacts by rule.
    pub(super) fn settle_down(&self, progress: &mut Watch<'_>) -> Result<Closed, Error> {
        self.flush()?;
        let due = self.options.compact_at_close
            && self.mode == Mode::Writing
            && self.space().is_ok_and(|space| space.is_compaction_due());
        if !due {
            return Ok(Closed { compacted: None, not_compacted: None });
        }
        match self.compact(&Actor::software(), progress) {
            Ok(report) => Ok(Closed { compacted: Some(report), not_compacted: None }),
            Err(error @ Error::Store(StoreError::Sync { .. } | StoreError::Poisoned)) => Err(error),
            Err(error) => Ok(Closed { compacted: None, not_compacted: Some(error) }),
        }
    }
}

impl Transaction<'_> {
    /// Writes all tries anew and publishes them: this commit's writer appends to
    /// an empty file.
    fn rewrite(mut self, meter: &mut Meter<'_>) -> Result<Snapshot, Error> {
        let epoch = self.epoch();
        let links: Links = self.write_history(epoch)?;
        let changes = std::mem::replace(&mut self.work.changes, std::array::from_fn(|_| Changes::new()));
        let mut places = [const { None }; PLACES];
        let mut least_reader = FIRST_READER;
        let known = View { core: self.core, snapshot: self.snapshot };
        for ((compartment, changes), place) in Compartment::ALL.into_iter().zip(changes).zip(&mut places) {
            let current = self.snapshot.place(compartment)?;
            let additions = changes.into_iter().filter_map(|(key, row)| Some((key, row?))).collect();
            let trie = known.trie(compartment)?;
            let mut copied = |bytes| meter.advance(bytes);
            let (update, needed) = trie.rewrite(additions, &mut self.work.objects(), &mut copied)?;
            let TrieUpdate { root: trie, rows, live, .. } = update;
            least_reader = least_reader.max(needed);
            if trie.is_some() {
                *place = Some(Place { epoch, trie, rows, ledger: current.ledger, live });
            }
        }
        links.set_heads(epoch, &mut places);
        self.publish(epoch, least_reader, places, None)
    }
}

/// What stands behind the append end of a file that the file with this root takes
/// the place of: no copy that was made before has it, and no backup.
fn replacement_mark(root: &[u8]) -> Digest {
    Digest::of(&[b"subrosa/v1 replaced by".as_slice(), root])
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
    let view = View { core, snapshot };
    for compartment in Compartment::ALL {
        let trie = view.trie(compartment)?;
        let leaves = trie.leaves().into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut read = 0;
        let batches: Vec<_> = leaves.chunks(LEAVES_AT_A_TIME).collect();
        let check = |leaves: &&[LeafRef]| leaves.iter().map(|leaf| trie.check_leaf(leaf)).sum();
        in_order(&batches, check, |bytes: u64| {
            read += bytes;
            meter.advance(bytes);
            Ok::<_, TreeError>(())
        })?;
        // The inner pages, which were read to find the leaves.
        meter.advance(trie.live.saturating_sub(read));
    }
    Ok(())
}

/// What a file beside the vault is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A compaction left it.
    Leftover,
    /// Somebody put it there, or nothing is there.
    Foreign,
    /// It follows upon the vault's root, and is too damaged to say what it is.
    Unclear,
}

impl Origin {
    fn leftover_if(is_leftover: bool) -> Self {
        if is_leftover { Self::Leftover } else { Self::Foreign }
    }
}

/// Finishes or undoes an interrupted compaction, once the vault itself is known
/// to be whole. Tells whether there was one. What is no leftover stays; beside what
/// may be one, the writer withdraws nothing.
pub(super) fn tidy(
    core: &Core,
    snapshot: &Snapshot,
    file: &FileStore,
    writer: &mut FileWriter<'_>,
) -> Result<bool, Error> {
    let mut tidied = false;
    let known = View { core, snapshot };
    for which in [Beside::Draft, Beside::Old] {
        let found = file.beside(which)?;
        let origin = match &found {
            Found::Nothing | Found::Foreign => Origin::Foreign,
            Found::Itself => Origin::leftover_if(which == Beside::Old),
            Found::Beginning => Origin::leftover_if(which == Beside::Draft),
            Found::Vault(store) => known.origin(which, store)?,
        };
        match origin {
            Origin::Leftover => {
                writer.discard(which, &found)?;
                tidied = true;
            }
            Origin::Foreign => {}
            Origin::Unclear => writer.refuse_withdrawals(which),
        }
    }
    Ok(tidied)
}

impl View<'_> {
    /// Whether a file of this vault is what a compaction leaves, so that nobody
    /// can miss it; a copy that somebody made is not.
    fn origin(&self, which: Beside, store: &FileStore) -> Result<Origin, Error> {
        let heads = match store.heads() {
            // A draft may end before its heads, an old file was whole.
            Err(StoreError::Missing) => return Ok(Origin::leftover_if(which == Beside::Draft)),
            heads => heads?,
        };
        let Some(candidate) = Candidate::newest_of_any(self.core, &heads.roots) else {
            return Ok(Origin::leftover_if(self.is_unfinished(which, &heads)));
        };
        match which {
            Beside::Old => Ok(Origin::leftover_if(self.was_replaced(&candidate, store)?)),
            Beside::Draft => self.origin_of_draft(candidate, store),
        }
    }

    /// Whether a file of which no root opens is what writing a draft's heads, or
    /// overwriting them, leaves when it is interrupted. Somebody's copy whose roots
    /// are damaged still has its areas, and roots without a gap.
    fn is_unfinished(&self, which: Beside, heads: &Heads) -> bool {
        let mut intact = heads.areas.iter().filter(|area| Area::parse(area).is_ok()).peekable();
        match which {
            _ if intact.peek().is_none() => true,
            Beside::Old => false,
            Beside::Draft => {
                let is_torn = heads.roots.first().is_some_and(|root| has_unwritten_sector(root));
                is_torn && intact.all(|area| *area == self.snapshot.area_bytes)
            }
        }
    }

    /// Whether the vault's file took the place of this one.
    fn was_replaced(&self, old: &Candidate, store: &FileStore) -> Result<bool, Error> {
        let is_previous = self.snapshot.root.previous == Digest::of(&[&old.root_bytes]);
        let mark = replacement_mark(&self.snapshot.root_bytes);
        Ok(is_previous && store.has_mark(old.root.append_end, &mark)?)
    }

    /// A draft is gone before the vault's next commit, so that it follows upon the
    /// present root. `record` alone says what it is: damage in other compartments
    /// must not make a stranger's file of it.
    fn origin_of_draft(&self, candidate: Candidate, store: &FileStore) -> Result<Origin, Error> {
        if candidate.root.previous != self.snapshot.root_digest() {
            return Ok(Origin::Foreign);
        }
        let core = self.core.on(Arc::new(store.again()?));
        match candidate.compacts(&core) {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(Origin::Unclear),
            compacts => Ok(Origin::leftover_if(compacts?)),
        }
    }
}

impl Candidate {
    /// Whether this root's commit is a compaction.
    fn compacts(self, core: &Core) -> Result<bool, Error> {
        let epoch = self.root.epoch;
        let snapshot = self.unchecked(core)?;
        let lines = View { core, snapshot: &snapshot }.line_states(Compartment::Record, epoch)?;
        Ok(lines.iter().any(|line| matches!(line, LineState::Whole { action: Action::Compacted, .. })))
    }
}
