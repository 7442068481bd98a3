//! What every [`Store`] owes its vault, as checks that any implementer can run:
//! each broken promise has a name.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::{Chosen, Creation, Heads, ObjectRef, Publication, Store, StoreError, StoreWriter};
use crate::format::area::AREA_LEN;
use crate::format::header::HEADER_LEN;
use crate::format::root::ROOT_LEN;

/// A promise of [`Store`] that a store breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Breach {
    /// A call failed that must succeed.
    #[error("{call} failed: {error}")]
    Failed {
        /// What was asked.
        call: &'static str,
        /// What the store answered.
        error: String,
    },
    /// A store without a vault does not say [`StoreError::NotFound`] for its header.
    #[error("a store without a vault answers with a header")]
    HeaderOfNothing,
    /// A writer that was dropped before `create` or `publish` left something behind.
    #[error("an abandoned writer left something behind")]
    AbandonedWriteShows,
    /// A second creation was not refused as [`StoreError::Exists`].
    #[error("a vault was created over another")]
    CreatedOverAnother,
    /// What was created is not what is read.
    #[error("the created vault does not read back")]
    CreationNotKept,
    /// The header changed.
    #[error("the header changed")]
    HeaderChanged,
    /// There is no area or no root, or the copies of a vault at rest differ, or of a vault in
    /// use more than the newest root and the one before it are there.
    #[error("a vault at rest has copies that differ, or none")]
    CopiesDiffer,
    /// An object that was put is not what the writer itself reads back before publishing.
    #[error("the writer does not read back what it put")]
    NotWritten,
    /// An object that was put and published cannot be read.
    #[error("an object that was put and published is lost")]
    LostPut,
    /// An object comes back with other bytes.
    #[error("an object comes back changed")]
    ChangedObject,
    /// Objects come back in another order than they were asked for in.
    #[error("objects come back in another order")]
    OutOfOrder,
    /// An object of another length than the reference says was answered.
    #[error("an object of another length is not missing")]
    LengthIgnored,
    /// An object that was never put was answered, or not as [`StoreError::Missing`].
    #[error("an object that was never put is not missing")]
    MissingNotReported,
    /// A root that was published is not what is read afterwards, by this handle or another.
    #[error("a read after a publication gives the root before it")]
    StaleRead,
    /// The root was replaced although another than the expected one stood there.
    #[error("a root was replaced that is not the expected one")]
    ExpectedIgnored,
    /// Of several writers that start from one root, not exactly one succeeded.
    #[error("of the writers that started from one root, {winners} succeeded")]
    NotOneWinner {
        /// How many did.
        winners: usize,
    },
    /// What two reads in a row agree on is of two commits.
    #[error("area and root are read of two commits")]
    TornHeads,
    /// Two writers were at work at once.
    #[error("a second writer is let in while the first is at work")]
    WriterNotExclusive,
    /// A dropped writer still keeps others out.
    #[error("a dropped writer still keeps others out")]
    WriterNotReleased,
    /// A writer was told `Busy` before its wait was over.
    #[error("a writer does not wait as long as it was told")]
    WaitNotHonoured,
    /// An erased object is still to be had.
    #[error("an erased object can still be read")]
    EraseLeavesBytes,
    /// Settling a vault at rest reports repairs or changes something.
    #[error("settling a vault at rest changes it")]
    SettleChanges,
}

/// Opens a further handle on the store under test: another connection, as
/// another process would have it.
pub type OpenStore<'a> = dyn Fn() -> Arc<dyn Store> + Sync + 'a;

/// Long enough for any store to do what it is asked.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a writer must wait in vain, at the least.
const VAIN_WAIT: Duration = Duration::from_millis(200);
const RACERS: usize = 4;
const RACES: usize = 8;
const TEARS: u8 = 40;

/// Checks that a vault can be created in a store that has none, once and whole.
/// Leaves a vault of nonsense there, on which [`check_store`] runs.
///
/// # Errors
/// The first promise that the store breaks.
pub fn check_creation(open: &OpenStore<'_>) -> Result<(), Breach> {
    let store = open();
    let is_empty = || matches!(open().header(), Err(StoreError::NotFound));
    if !is_empty() {
        return Err(Breach::HeaderOfNothing);
    }
    let (header, area, root) = (vec![1; HEADER_LEN], vec![2; AREA_LEN], vec![3; ROOT_LEN]);
    let creation = Creation { header: &header, area: &area, root: &root };
    let mut writer = done("writer", store.writer(PATIENCE))?;
    writer.start(0);
    done("put", writer.put(&[b"abandoned"]))?;
    drop(writer);
    if !is_empty() {
        return Err(Breach::AbandonedWriteShows);
    }
    let mut writer = done("writer", store.writer(PATIENCE))?;
    writer.start(0);
    let references = done("put", writer.put(&[b"first"]))?;
    done("create", writer.create(&creation))?;
    drop(writer);
    for handle in [store, open()] {
        let heads = done("heads", handle.heads())?;
        let kept = handle.header().is_ok_and(|read| read == header)
            && heads == Heads { areas: vec![area.clone()], roots: vec![root.clone()] };
        if !kept {
            return Err(Breach::CreationNotKept);
        }
        if handle.objects(&references).map_err(|_| Breach::LostPut)? != [b"first"] {
            return Err(Breach::ChangedObject);
        }
        let mut writer = done("writer", handle.writer(PATIENCE))?;
        writer.start(0);
        let other = Creation { root: &area, ..creation };
        if !matches!(writer.create(&other), Err(StoreError::Exists)) {
            return Err(Breach::CreatedOverAnother);
        }
        drop(writer);
        if handle.heads().ok() != Some(heads) {
            return Err(Breach::CreatedOverAnother);
        }
    }
    Ok(())
}

/// Checks a store that holds a vault: a new one, or what [`check_creation`] left.
/// The vault is nonsense afterwards.
///
/// ```no_run
/// # #[cfg(feature = "testing")] {
/// # fn connect() -> std::sync::Arc<dyn subrosa::store::Store> { unimplemented!() }
/// subrosa::store::check_creation(&connect).expect("the store creates as it must");
/// subrosa::store::check_store(&connect).expect("the store keeps its promises");
/// # }
/// ```
///
/// # Errors
/// The first promise that the store breaks.
pub fn check_store(open: &OpenStore<'_>) -> Result<(), Breach> {
    let store = open();
    let (area, root) = at_rest(&*store)?;
    let before = RefCell::new(root.clone());
    let (append_end, count, is_own) = (Cell::new(0), Cell::new(0), Cell::new(false));
    let newest = RefCell::new((area, root));
    let check = Check { open, store, append_end, count, newest, before, is_own };
    let header = done("header", check.store.header())?;
    check.one_writer_at_a_time()?;
    check.a_writer_waits()?;
    check.what_is_not_published_leaves_no_trace()?;
    check.objects_come_back_as_they_went_in()?;
    check.what_is_not_there_is_missing()?;
    check.every_handle_reads_what_was_published()?;
    check.a_stale_root_is_a_conflict()?;
    check.one_of_many_writers_wins()?;
    check.heads_are_of_one_commit()?;
    check.what_is_withdrawn_is_gone()?;
    check.settling_what_is_at_rest_changes_nothing()?;
    if done("header", open().header())? == header { Ok(()) } else { Err(Breach::HeaderChanged) }
}

struct Check<'a> {
    open: &'a OpenStore<'a>,
    store: Arc<dyn Store>,
    /// Where the last published writer said that the next one appends.
    append_end: Cell<u64>,
    count: Cell<u64>,
    /// The area and the root that were published last, and the root before.
    newest: RefCell<(Vec<u8>, Vec<u8>)>,
    before: RefCell<Vec<u8>>,
    /// Whether `store` itself published them: any other handle settles first.
    is_own: Cell<bool>,
}

/// What a publication of the checks is to do.
#[derive(Default, Clone, Copy)]
struct Act<'a> {
    objects: &'a [&'a [u8]],
    erase: &'a [ObjectRef],
    new_area: Option<&'a [u8]>,
}

impl Check<'_> {
    /// The area and the root that were published last, if every handle reads them.
    fn current(&self) -> Result<(Vec<u8>, Vec<u8>), Breach> {
        self.stands(&*self.store)?;
        Ok(self.newest.borrow().clone())
    }

    /// Whether a handle reads what was published last, and besides at most the root before.
    fn stands(&self, handle: &dyn Store) -> Result<(), Breach> {
        let Heads { areas, roots } = done("heads", handle.heads())?;
        let (area, root) = &*self.newest.borrow();
        if areas.is_empty() || areas.iter().any(|found| found != area) || !roots.contains(root) {
            return Err(Breach::StaleRead);
        }
        let before = self.before.borrow();
        match roots.iter().all(|found| found == root || *found == *before) {
            true => Ok(()),
            false => Err(Breach::CopiesDiffer),
        }
    }

    fn published(&self, area: Vec<u8>, root: Vec<u8>) {
        let (_, before) = self.newest.replace((area, root));
        self.before.replace(before);
    }

    /// A writer; of a handle that did not publish last, one that makes all copies equal.
    fn writer<'s>(&self, handle: &'s dyn Store, is_own: bool) -> Result<Box<dyn StoreWriter + 's>, Breach> {
        let mut writer = done("writer", handle.writer(PATIENCE))?;
        if !is_own {
            let (area, root) = &*self.newest.borrow();
            done("sync", writer.sync())?;
            done("settle", writer.settle(&Chosen { area, root, erase: &[] }))?;
        }
        writer.start(self.append_end.get());
        Ok(writer)
    }

    /// Makes all copies equal.
    fn settle(&self) -> Result<(), Breach> {
        drop(self.writer(&*self.store, false)?);
        self.is_own.set(true);
        Ok(())
    }

    /// Bytes of this length that no call before had.
    fn fresh(&self, length: usize) -> Vec<u8> {
        self.count.set(self.count.get() + 1);
        let number = self.count.get().to_le_bytes();
        number.iter().copied().chain(std::iter::repeat(0x5a)).take(length).collect()
    }

    fn publish(&self, act: Act<'_>) -> Result<Vec<ObjectRef>, Breach> {
        let (area, root) = self.current()?;
        let next = self.fresh(root.len());
        let mut writer = self.writer(&*self.store, self.is_own.get())?;
        let references = done("put", writer.put(act.objects))?;
        let segment = done("end_segment", writer.end_segment())?;
        let publication = Publication {
            expected: &root,
            area: &area,
            root: &next,
            new_area: act.new_area,
            withdraws: !act.erase.is_empty(),
            erase: act.erase,
        };
        done("publish", writer.publish(&publication))?;
        self.append_end.set(segment.end);
        drop(writer);
        self.published(act.new_area.map_or(area, <[u8]>::to_vec), next);
        self.is_own.set(true);
        for handle in [Arc::clone(&self.store), (self.open)()] {
            self.stands(&*handle)?;
            if !done("holds", handle.holds(&segment))? {
                return Err(Breach::LostPut);
            }
        }
        Ok(references)
    }

    fn one_writer_at_a_time(&self) -> Result<(), Breach> {
        let other = (self.open)();
        let writer = done("writer", self.store.writer(PATIENCE))?;
        for handle in [&self.store, &other] {
            match handle.writer(Duration::ZERO) {
                Err(StoreError::Busy) => {}
                Ok(_) => return Err(Breach::WriterNotExclusive),
                Err(error) => return Err(failed("a second writer", &error)),
            }
        }
        drop(writer);
        let free = |store: &Arc<dyn Store>| store.writer(Duration::ZERO).is_ok();
        if free(&other) && free(&self.store) { Ok(()) } else { Err(Breach::WriterNotReleased) }
    }

    fn a_writer_waits(&self) -> Result<(), Breach> {
        let other = (self.open)();
        let writer = done("writer", self.store.writer(PATIENCE))?;
        let start = Instant::now();
        let refused = other.writer(VAIN_WAIT).is_err();
        // Half of it: how exactly a store counts is its own affair.
        if !refused || start.elapsed() < VAIN_WAIT / 2 {
            return Err(if refused { Breach::WaitNotHonoured } else { Breach::WriterNotExclusive });
        }
        let (starting, started) = mpsc::channel();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(move || {
                let _ = starting.send(());
                other.writer(PATIENCE).map(drop)
            });
            let _ = started.recv();
            drop(writer);
            match waiter.join() {
                Ok(Ok(())) => Ok(()),
                _ => Err(Breach::WaitNotHonoured),
            }
        })
    }

    fn what_is_not_published_leaves_no_trace(&self) -> Result<(), Breach> {
        self.current()?;
        let mut writer = self.writer(&*self.store, self.is_own.get())?;
        done("put", writer.put(&[b"never published"]))?;
        done("end_segment", writer.end_segment())?;
        drop(writer);
        if self.stands(&*self.store).is_err() || self.stands(&*(self.open)()).is_err() {
            return Err(Breach::AbandonedWriteShows);
        }
        // Where references are positions, the next writer takes the abandoned ones.
        let kept = self.publish(Act { objects: &[b"published now!!"], ..Act::default() })?;
        match (self.open)().objects(&kept) {
            Ok(bytes) if bytes == [b"published now!!"] => Ok(()),
            _ => Err(Breach::LostPut),
        }
    }

    fn objects_come_back_as_they_went_in(&self) -> Result<(), Breach> {
        let large: Vec<u8> = (0_u8..=250).cycle().take(3 << 20).collect();
        let objects: [&[u8]; 4] = [b"one", b"", &large, b"two"];
        self.a_writer_reads_back_what_it_put(&objects)?;
        let references = self.publish(Act { objects: &objects, ..Act::default() })?;
        if references.len() != objects.len() {
            return Err(Breach::LostPut);
        }
        for handle in [Arc::clone(&self.store), (self.open)()] {
            for (reference, bytes) in references.iter().zip(objects) {
                match handle.objects(&[*reference]) {
                    Ok(read) if read == [bytes] => {}
                    Ok(_) => return Err(Breach::ChangedObject),
                    Err(StoreError::Missing) => return Err(Breach::LostPut),
                    Err(error) => return Err(failed("objects", &error)),
                }
            }
            let backwards: Vec<ObjectRef> = references.iter().rev().copied().collect();
            for order in [&references, &backwards] {
                let asked =
                    if *order == references { objects.to_vec() } else { objects.into_iter().rev().collect() };
                if done("objects", handle.objects(order))? != asked {
                    return Err(Breach::OutOfOrder);
                }
                let asked = asked.concat();
                let mut read = vec![0; asked.len()];
                done("read", handle.read(order, &mut read))?;
                if read != asked {
                    return Err(Breach::OutOfOrder);
                }
            }
            if !done("objects", handle.objects(&[]))?.is_empty() {
                return Err(Breach::MissingNotReported);
            }
        }
        Ok(())
    }

    fn a_writer_reads_back_what_it_put(&self, objects: &[&[u8]]) -> Result<(), Breach> {
        let mut writer = done("writer", self.store.writer(PATIENCE))?;
        writer.start(self.append_end.get());
        let references = done("put", writer.put(objects))?;
        match writer.written(&references) {
            Ok(read) if read == objects => Ok(()),
            _ => Err(Breach::NotWritten),
        }
    }

    fn what_is_not_there_is_missing(&self) -> Result<(), Breach> {
        let references = self.publish(Act { objects: &[b"four", b"nine"], ..Act::default() })?;
        let [four, nine] = references.as_slice() else { return Err(Breach::LostPut) };
        let is_missing =
            |objects: &[ObjectRef]| matches!(self.store.objects(objects), Err(StoreError::Missing));
        let never = ObjectRef { reference: [0xee; 16], length: 4 };
        if !is_missing(&[never]) || !is_missing(&[*nine, never, *four]) {
            return Err(Breach::MissingNotReported);
        }
        // A longer object than there is. Where references are positions, a
        // shorter one is a part of it, and its digest tells.
        let shorter = self.store.objects(&[ObjectRef { length: 2, ..*four }]);
        let cut = shorter.is_err() || shorter.is_ok_and(|read| read.iter().all(|bytes| bytes.len() == 2));
        if cut && is_missing(&[ObjectRef { length: u64::MAX, ..*four }]) {
            Ok(())
        } else {
            Err(Breach::LengthIgnored)
        }
    }

    fn every_handle_reads_what_was_published(&self) -> Result<(), Breach> {
        let other = (self.open)();
        for _ in 0..3 {
            let references = self.publish(Act { objects: &[b"new"], ..Act::default() })?;
            self.stands(&*other)?;
            match other.objects(&references) {
                Ok(read) if read == [b"new"] => {}
                _ => return Err(Breach::StaleRead),
            }
        }
        Ok(())
    }

    fn a_stale_root_is_a_conflict(&self) -> Result<(), Breach> {
        let (area, stale) = self.current()?;
        self.publish(Act::default())?;
        let root = self.fresh(stale.len());
        // A store of two copies has the stale one too: a handle that did not write it cannot know.
        let has_two = done("heads", self.store.heads())?.roots.len() > 1;
        for handle in [Some(Arc::clone(&self.store)), has_two.then(|| (self.open)())].into_iter().flatten() {
            let mut writer = done("writer", handle.writer(PATIENCE))?;
            writer.start(self.append_end.get());
            let answer = writer.publish(&ordinary(&area, &stale, &root));
            drop(writer);
            if self.stands(&*handle).is_err() {
                return Err(Breach::ExpectedIgnored);
            }
            match answer {
                Err(StoreError::Conflict) => {}
                Ok(()) => return Err(Breach::ExpectedIgnored),
                Err(error) => return Err(failed("a publication on a stale root", &error)),
            }
        }
        Ok(())
    }

    fn one_of_many_writers_wins(&self) -> Result<(), Breach> {
        for _ in 0..RACES {
            self.settle()?;
            let (area, root) = self.current()?;
            let mine: Vec<Vec<u8>> = (0..RACERS).map(|_| self.fresh(root.len())).collect();
            let (barrier, append_end) = (Barrier::new(RACERS), self.append_end.get());
            let race = |mine: &[u8]| {
                let handle = (self.open)();
                barrier.wait();
                let mut writer = handle.writer(PATIENCE)?;
                writer.start(append_end);
                writer.publish(&ordinary(&area, &root, mine))
            };
            let answers = std::thread::scope(|scope| {
                let racers: Vec<_> = mine.iter().map(|mine| scope.spawn(|| race(mine))).collect();
                racers.into_iter().map(|racer| racer.join().unwrap_or(Err(StoreError::Poisoned))).collect()
            });
            let answers: Vec<Result<(), StoreError>> = answers;
            let winners = answers.iter().filter(|answer| answer.is_ok()).count();
            let winner = answers.iter().zip(mine).find_map(|(answer, mine)| answer.is_ok().then_some(mine));
            let Some(winner) = winner.filter(|_| winners == 1) else {
                return Err(Breach::NotOneWinner { winners });
            };
            self.published(area, winner);
            self.is_own.set(false);
            if self.current().is_err() {
                return Err(Breach::NotOneWinner { winners });
            }
        }
        Ok(())
    }

    /// Readers that see two equal reads see a pair of one commit: its area and
    /// its root have the same mark here.
    fn heads_are_of_one_commit(&self) -> Result<(), Breach> {
        self.settle()?;
        let first = self.current()?;
        let (area, root) = &first;
        let marked = |mark: u8| (vec![mark; area.len()], vec![mark; root.len()]);
        let finished = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let handle = (self.open)();
                let mut last = None;
                loop {
                    // One more read after the last publication.
                    let is_last = finished.load(Ordering::SeqCst);
                    let heads = done("heads", handle.heads())?;
                    if last.as_ref() == Some(&heads) && !has_pair(&heads, &first) {
                        return Err(Breach::TornHeads);
                    }
                    if is_last && last.is_some() {
                        return Ok(());
                    }
                    last = Some(heads);
                }
            });
            let written = (1..=TEARS).try_for_each(|mark| {
                let ((old_area, old_root), (area, root)) = (self.current()?, marked(mark));
                let mut writer = self.writer(&*self.store, true)?;
                let publication = Publication {
                    new_area: Some(&area),
                    withdraws: true,
                    ..ordinary(&old_area, &old_root, &root)
                };
                done("publish", writer.publish(&publication))?;
                drop(writer);
                self.published(area, root);
                self.current().map(drop).map_err(|_| Breach::TornHeads)
            });
            finished.store(true, Ordering::SeqCst);
            let read = reader.join().unwrap_or(Err(Breach::TornHeads));
            written.and(read)
        })
    }

    fn what_is_withdrawn_is_gone(&self) -> Result<(), Breach> {
        let (one, two) = (b"to be withdrawn".as_slice(), b"with an area".as_slice());
        let references = self.publish(Act { objects: &[one, two, b"to stay"], ..Act::default() })?;
        let [first, second, stays] = references.as_slice() else { return Err(Breach::LostPut) };
        self.publish(Act { erase: &[*first], ..Act::default() })?;
        let (area, _) = self.current()?;
        let area = self.fresh(area.len());
        self.publish(Act { erase: &[*second], new_area: Some(&area), ..Act::default() })?;
        for handle in [Arc::clone(&self.store), (self.open)()] {
            for (object, bytes) in [(first, one), (second, two)] {
                if handle.objects(&[*object]).is_ok_and(|read| read == [bytes]) {
                    return Err(Breach::EraseLeavesBytes);
                }
            }
            if handle.objects(&[*stays]).map_err(|_| Breach::LostPut)? != [b"to stay"] {
                return Err(Breach::ChangedObject);
            }
        }
        Ok(())
    }

    fn settling_what_is_at_rest_changes_nothing(&self) -> Result<(), Breach> {
        let references = self.publish(Act { objects: &[b"left to erase"], ..Act::default() })?;
        self.settle()?;
        let (area, root) = self.current()?;
        for _ in 0..2 {
            let mut writer = done("writer", self.store.writer(PATIENCE))?;
            done("sync", writer.sync())?;
            let chosen = Chosen { area: &area, root: &root, erase: &references };
            let repairs = done("settle", writer.settle(&chosen))?;
            drop(writer);
            if repairs.root || repairs.area || at_rest(&*self.store)? != (area.clone(), root.clone()) {
                return Err(Breach::SettleChanges);
            }
            if self.store.objects(&references).is_ok_and(|read| read == [b"left to erase"]) {
                return Err(Breach::EraseLeavesBytes);
            }
        }
        Ok(())
    }
}

/// The area and the root of a vault at rest.
fn at_rest(store: &dyn Store) -> Result<(Vec<u8>, Vec<u8>), Breach> {
    let Heads { areas, roots } = done("heads", store.heads())?;
    let same = |copies: &[Vec<u8>]| copies.windows(2).all(|pair| pair.first() == pair.last());
    match (areas.first(), roots.first()) {
        (Some(area), Some(root)) if same(&areas) && same(&roots) => Ok((area.clone(), root.clone())),
        _ => Err(Breach::CopiesDiffer),
    }
}

/// Whether some area and some root are of one commit: the first one, or one
/// that is marked.
fn has_pair(heads: &Heads, first: &(Vec<u8>, Vec<u8>)) -> bool {
    let Heads { areas, roots } = heads;
    let mark = |bytes: &[u8]| bytes.first().copied();
    let marked = areas.iter().any(|area| roots.iter().any(|root| mark(area) == mark(root)));
    marked || (areas.contains(&first.0) && roots.contains(&first.1))
}

/// A publication that neither withdraws nor changes credentials.
fn ordinary<'a>(area: &'a [u8], expected: &'a [u8], root: &'a [u8]) -> Publication<'a> {
    Publication { expected, area, root, new_area: None, withdraws: false, erase: &[] }
}

fn done<T>(call: &'static str, answer: Result<T, StoreError>) -> Result<T, Breach> {
    answer.map_err(|error| failed(call, &error))
}

fn failed(call: &'static str, error: &StoreError) -> Breach {
    Breach::Failed { call, error: error.to_string() }
}
