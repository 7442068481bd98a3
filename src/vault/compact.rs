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
use crate::format::object::SealedObject;
use crate::format::place::{Compartment, PLACES, Place};
use crate::id::Epoch;
use crate::parallel::in_order;
use crate::store::{Beside, FileStore, FileWriter, Found, Heads, Store, StoreError, StoreWriter as _};
use crate::tree::{Changes, Page, TreeError, TrieUpdate, for_each_checked};
use std::sync::Arc;

/// Stored bytes of objects that are read back together, and how many objects a
/// core takes at a time.
const BYTES_AT_A_TIME: u64 = 8 << 20;
const OBJECTS_AT_A_TIME: usize = 256;

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
        self.compact_locked(&current, file, &writer, actor, &mut progress)
    }

    fn compact_locked(
        &self,
        current: &Unlocked,
        file: &FileStore,
        writer: &FileWriter<'_>,
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
        draft.replace()?;
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

/// Reads back every page and every object of a new file.
fn verify(core: &Core, snapshot: &Snapshot, meter: &mut Meter<'_>) -> Result<(), Error> {
    let damaged = || Error::Damaged { what: "new file" };
    let Heads { areas, roots } = core.store.heads()?;
    let whole = roots.iter().all(|root| *root == snapshot.root_bytes)
        && areas.iter().all(|area| *area == snapshot.area_bytes);
    if !whole {
        return Err(damaged());
    }
    let view = View { core, snapshot };
    for compartment in Compartment::ALL {
        let mut waiting = Waiting::default();
        let mut result = Ok(());
        view.trie(compartment)?.survey(&mut |visited| {
            if result.is_ok() {
                result = visited.map_err(|lost| lost.error).and_then(|(object, page)| {
                    meter.advance(object.object.length);
                    waiting.take(page);
                    if waiting.bytes >= BYTES_AT_A_TIME { waiting.read_back(core, meter) } else { Ok(()) }
                });
            }
        });
        result?;
        waiting.read_back(core, meter)?;
    }
    Ok(())
}

/// Objects of a new file that are to be read back, on every core.
#[derive(Default)]
struct Waiting {
    objects: Vec<SealedObject>,
    bytes: u64,
}

impl Waiting {
    fn take(&mut self, page: &Page) {
        let objects = page.leaf_rows().iter().filter_map(|row| row.object.as_deref());
        for object in objects {
            self.bytes = self.bytes.saturating_add(object.object.length);
            self.objects.push(object.duplicate());
        }
    }

    fn read_back(&mut self, core: &Core, meter: &mut Meter<'_>) -> Result<(), TreeError> {
        let objects: Vec<&SealedObject> = self.objects.iter().collect();
        let parts: Vec<&[&SealedObject]> = objects.chunks(OBJECTS_AT_A_TIME).collect();
        let read = |part: &&[&SealedObject]| {
            let mut bytes = 0;
            for_each_checked(&*core.store, part, |object, _| {
                bytes += object.object.length;
                Ok(())
            })?;
            Ok::<_, TreeError>(bytes)
        };
        in_order(&parts, read, |bytes| {
            meter.advance(bytes);
            Ok(())
        })?;
        *self = Self::default();
        Ok(())
    }
}

/// Finishes or undoes an interrupted compaction, once the vault itself is known
/// to be whole. Tells whether there was one. What is no leftover stays.
pub(super) fn tidy(
    core: &Core,
    snapshot: &Snapshot,
    file: &FileStore,
    writer: &FileWriter<'_>,
) -> Result<bool, Error> {
    let mut tidied = false;
    let known = View { core, snapshot };
    for which in [Beside::Draft, Beside::Old] {
        let found = file.beside(which)?;
        let is_leftover = match &found {
            Found::Nothing | Found::Foreign => false,
            Found::Itself => which == Beside::Old,
            Found::Beginning => which == Beside::Draft,
            Found::Vault(store) => known.is_leftover(which, store)?,
        };
        if is_leftover {
            writer.discard(which, &found)?;
            tidied = true;
        }
    }
    Ok(tidied)
}

impl View<'_> {
    /// Whether a file of this vault is what a compaction leaves, so that nobody
    /// can miss it; a copy that somebody made is not.
    fn is_leftover(&self, which: Beside, store: &FileStore) -> Result<bool, Error> {
        let heads = match store.heads() {
            Err(StoreError::Missing) => return Ok(true),
            heads => heads?,
        };
        let Some(candidate) = Candidate::newest_of_any(self.core, &heads.roots) else {
            // Nobody can read anything in it, unless by an area of other keys.
            return Ok(heads.areas.iter().all(|area| Area::parse(area).is_err() || self.has_area(area)));
        };
        let (epoch, digest) = (candidate.root.epoch, Digest::of(&[&candidate.root_bytes]));
        match which {
            Beside::Old => {
                let next = epoch.next();
                let is_past = epoch < self.snapshot.root.epoch && self.root_digest_at(epoch)? == Some(digest);
                Ok(is_past && self.compacts(next)?)
            }
            Beside::Draft => {
                if self.root_digest_at(epoch)? == Some(digest) {
                    return Ok(false);
                }
                Ok(self.is_draft(store, epoch).unwrap_or(false))
            }
        }
    }

    fn has_area(&self, area: &[u8]) -> bool {
        area == self.snapshot.area_bytes
    }

    /// The digest of the root that a commit of this history published.
    fn root_digest_at(&self, epoch: Epoch) -> Result<Option<Digest>, Error> {
        match epoch.cmp(&self.snapshot.root.epoch) {
            std::cmp::Ordering::Greater => Ok(None),
            std::cmp::Ordering::Equal => Ok(Some(self.snapshot.root_digest())),
            std::cmp::Ordering::Less => {
                Ok(self.link(epoch.next())?.map(|link| Digest::from_bytes(link.previous_root)))
            }
        }
    }

    fn is_draft(&self, store: &FileStore, epoch: Epoch) -> Result<bool, Error> {
        let heads = store.heads()?;
        let core = self.core.on(Arc::new(store.again()?));
        let Some(candidate) = Candidate::newest_of_any(&core, &heads.roots) else { return Ok(true) };
        let snapshot = candidate.check(&core)?;
        View { core: &core, snapshot: &snapshot }.compacts(epoch)
    }

    /// Whether a commit is a compaction.
    fn compacts(&self, epoch: Epoch) -> Result<bool, Error> {
        let lines = self.ledger_lines(epoch)?;
        Ok(lines.iter().any(|line| matches!(line.state, LineState::Whole { action: Action::Compacted, .. })))
    }
}
