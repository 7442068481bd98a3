//! Which area and root belong together, which of two roots is the state, and what an opening
//! repairs (rule R4 of `docs/format.md`).

use super::core::{Core, Demand, Snapshot, StateReader};
use super::history::Checkpoint;
use super::trace;
use crate::crypto::digest::Digest;
use crate::crypto::object_digest::ObjectDigest;
use crate::error::{Error, ErrorKind};
use crate::format::READER_VERSION;
use crate::format::area::StoredArea;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::format::place::Compartment;
use crate::format::root::{Root, RootHeading};
use crate::id::Epoch;
use crate::payload::catalogue::EraseListV1;
use crate::store::{Chosen, Heads, Repairs, Store, StoreError, StoreWriter};
use crate::tree::{Trie, open_object};

/// How often a segment is read before a commit is passed over.
const READS: usize = 3;

/// What opening a vault found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Everything was as a vault at rest is, or as a writer leaves it that did not close.
    NotNeeded,
    /// A writer had been interrupted; its unfinished commit was rolled back, or
    /// its finished one completed. Nothing acknowledged was lost.
    Recovered,
    /// The bytes of this commit, the last one, were not whole, and it was dropped. A writer
    /// was interrupted before it acknowledged the commit; or it had acknowledged it and did
    /// not close, and the file was damaged since. An owner's checkpoint says which.
    Dropped {
        /// The number of the commit.
        epoch: Epoch,
    },
    /// A writer was interrupted, and this opening may not write: what is read
    /// is the newest whole state.
    Needed,
    /// A list of what a commit withdrew is damaged. The commit that wrote it
    /// erased all of that, unless it was interrupted: then some may still be in the
    /// file, where only somebody who kept its keys can read it, until a compaction.
    ListDamaged,
}

impl Recovery {
    /// What an opening for writing found: which commit it dropped, whether a list was
    /// damaged, and whether the copies were as a writer leaves them.
    pub(crate) fn of(dropped: Option<Epoch>, list: Lists, at_rest: bool) -> Self {
        match (dropped, list) {
            (Some(epoch), _) => Self::Dropped { epoch },
            (None, Lists::Damaged) => Self::ListDamaged,
            (None, Lists::Whole) if at_rest => Self::NotNeeded,
            (None, Lists::Whole) => Self::Recovered,
        }
    }

    /// This, where something else was repaired too.
    pub(crate) fn and(self, repaired: bool) -> Self {
        if repaired && self == Self::NotNeeded { Self::Recovered } else { self }
    }
}

/// The copies that differ: at rest all are equal, and what holds of one holds of all.
pub(crate) fn distinct(copies: &[Vec<u8>]) -> Vec<&Vec<u8>> {
    let mut distinct: Vec<&Vec<u8>> = Vec::with_capacity(copies.len());
    for copy in copies {
        if !distinct.contains(&copy) {
            distinct.push(copy);
        }
    }
    distinct
}

/// The areas whose digest is right, each with a copy of its bytes. Copies that differ
/// in shortcuts alone are one area.
pub(crate) fn intact(copies: &[Vec<u8>]) -> Vec<(StoredArea, &Vec<u8>)> {
    let mut intact: Vec<(StoredArea, &Vec<u8>)> = Vec::with_capacity(copies.len());
    for bytes in distinct(copies) {
        if let Ok(area) = StoredArea::parse(bytes)
            && intact.iter().all(|(other, _)| other.digest() != area.digest())
        {
            intact.push((area, bytes));
        }
    }
    intact
}

/// A root that opens under an area's key and names that area.
pub(crate) struct Candidate {
    pub(crate) root: Root,
    pub(crate) root_bytes: Vec<u8>,
    area_bytes: Vec<u8>,
}

/// What is taken of several candidates.
pub(crate) struct Taken<T> {
    pub(crate) value: T,
    /// The commit that was not whole and was passed over.
    pub(crate) dropped: Option<Epoch>,
}

impl<T> Taken<T> {
    /// The same with another value.
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> Result<U, Error>) -> Result<Taken<U>, Error> {
        Ok(Taken { value: change(self.value)?, dropped: self.dropped })
    }
}

/// The state among the roots that open, each with the means to read it (steps 3 and 4).
///
/// Equal copies are the state: the second is written only when the first is durable with its
/// segment. Of two that differ, the newer one is if its segment is there; else the one that
/// it names as the one before it, which was durable before the newer commit began. A state
/// that a handle or the owner knows was whole when it was told: what is damaged since is
/// damage of it.
pub(crate) fn newest<K>(
    store: &dyn Store,
    heads: &Heads,
    mut candidates: Vec<(K, Candidate)>,
    is_known: impl Fn(&Candidate) -> bool,
) -> Result<Option<Taken<(K, Candidate)>>, Error> {
    candidates.sort_by_key(|(_, candidate)| std::cmp::Reverse(candidate.root.epoch));
    let mut candidates = candidates.into_iter();
    let Some(first) = candidates.next() else { return Ok(None) };
    let second = candidates.next();
    if second.as_ref().is_some_and(|(_, second)| second.root.epoch == first.1.root.epoch) {
        return Err(Error::Forked);
    }
    let is_settled = distinct(&heads.roots).len() == 1;
    if is_settled || is_known(&first.1) || holds_segment(store, &first.1.root)? {
        return Ok(Some(Taken { value: first, dropped: None }));
    }
    let Some(second) = second else { return Ok(None) };
    if Digest::of(&[&second.1.root_bytes]) != first.1.root.previous {
        return Err(Error::Damaged { what: "roots" });
    }
    Ok(Some(Taken { value: second, dropped: Some(first.1.root.epoch) }))
}

fn holds_segment(store: &dyn Store, root: &Root) -> Result<bool, Error> {
    #[cfg(test)]
    if crate::testing::sabotaged_segment() {
        return Ok(true);
    }
    // What is passed over may be overwritten next: one wrong read is not enough.
    for _ in 0..READS {
        if store.holds(&root.segment)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Candidate {
    /// Whether it is the state of this checkpoint, which was durable when it was given.
    pub(crate) fn is_of(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.is_of(self.root.epoch, &Digest::of(&[&self.root_bytes]))
    }

    /// The roots that name this area.
    ///
    /// A root for a newer reader ends the opening: taken for a damaged one, it
    /// would be overwritten with the other copy.
    pub(crate) fn naming(
        core: &Core,
        heads: &Heads,
        (area, bytes): (&StoredArea, &[u8]),
    ) -> Result<Vec<Self>, Error> {
        let key = core.keyring.root_key();
        let mut candidates = Vec::new();
        for stored in distinct(&heads.roots) {
            let Some(plain) = core.open_root(&key, stored) else { continue };
            let root = root_naming(area.digest(), &plain)?;
            let Some(root) = root.filter(|root| root.area_generation == area.area.generation) else {
                continue;
            };
            candidates.push(Self { root, root_bytes: stored.clone(), area_bytes: bytes.to_vec() });
        }
        Ok(candidates)
    }

    /// The newest root that opens, whatever area it names.
    pub(crate) fn newest_of_any(core: &Core, roots: &[Vec<u8>]) -> Option<Self> {
        let key = core.keyring.root_key();
        let opened = roots.iter().filter_map(|stored| {
            let root = Root::decode(&core.open_root(&key, stored)?).ok()?;
            Some(Self { root, root_bytes: stored.clone(), area_bytes: Vec::new() })
        });
        opened.max_by_key(|candidate| candidate.root.epoch)
    }

    /// The state of this root, of which nothing was read yet.
    pub(crate) fn unchecked(self, core: &Core) -> Result<Snapshot, Error> {
        let (places, newer) = core.open_places(&self.root)?;
        let Self { root, root_bytes, area_bytes } = self;
        Ok(Snapshot { root, root_bytes, area_bytes, places, newer, settled: false })
    }

    /// Reads every trie root whose place opens, where all of them are demanded.
    pub(crate) fn check(self, core: &Core) -> Result<Snapshot, Error> {
        if !core.store.admits(self.root.segment.end, &[])? {
            return Err(Error::Damaged { what: "root" });
        }
        let snapshot = self.unchecked(core)?;
        if core.store.as_file().is_some() && !snapshot.fits() {
            return Err(Error::Damaged { what: "root" });
        }
        // What stands behind the append end would be overwritten by the next commit.
        let tries = snapshot.places.iter().flatten().filter_map(|place| place.trie.as_ref());
        let tries: Vec<_> = tries.map(|trie| trie.object).collect();
        if !core.store.admits(snapshot.root.segment.end, &tries)? {
            return Err(Error::Damaged { what: "root" });
        }
        if core.demand == Demand::Whole {
            let reader = StateReader { core, snapshot: &snapshot };
            let tries = reader.held_compartments().map(|compartment| reader.trie(compartment));
            Trie::check_roots(&tries.collect::<Result<Vec<_>, _>>()?)?;
        }
        Ok(snapshot)
    }
}

/// The root of a plaintext, if it names the area of this digest and keeps the rules.
pub(crate) fn root_naming(area: &ObjectDigest, plain: &[u8]) -> Result<Option<Root>, Error> {
    let Some(heading) = RootHeading::decode(plain).ok().filter(|heading| heading.area_digest == *area) else {
        return Ok(None);
    };
    if heading.least_reader > READER_VERSION {
        return Err(Error::NewerReader { needed: heading.least_reader, supported: READER_VERSION });
    }
    Ok(Root::decode(plain).ok())
}

/// The erase lists of the places that open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    Whole,
    /// One of them cannot be read, or names what none may.
    Damaged,
}

/// Makes all copies equal and erases what the places that open want erased (step 7). A
/// damaged list keeps nobody from writing: the next commit drops it.
pub(crate) fn settle(
    core: &Core,
    snapshot: &mut Snapshot,
    writer: &mut dyn StoreWriter,
) -> Result<Lists, Error> {
    let (mut erase, mut lists) = (Vec::new(), Lists::Whole);
    for listed in (StateReader { core, snapshot }).erase_lists() {
        match listed {
            Err(error) if error.kind() == ErrorKind::Damaged => lists = Lists::Damaged,
            listed => erase.extend(listed?),
        }
    }
    writer.write_again(&snapshot.root.segment, &snapshot.root_bytes)?;
    let chosen = Chosen { area: &snapshot.area_bytes, root: &snapshot.root_bytes, erase: &erase };
    let repairs = writer.settle(&chosen)?;
    snapshot.settled = true;
    if repairs != Repairs::default() || !erase.is_empty() {
        let (root, area) = (repairs.root, repairs.area);
        trace::event!(
            "recovered",
            epoch = snapshot.root.epoch,
            root = root,
            area = area,
            erased = erase.len()
        );
    }
    Ok(lists)
}

impl StateReader<'_> {
    /// The number of a commit after this one whose root is there: it was passed over because
    /// its bytes are not whole.
    pub(crate) fn cut_commit(&self, heads: &Heads) -> Option<Epoch> {
        let newest = Candidate::newest_of_any(self.core, &heads.roots)?.root.epoch;
        (newest > self.snapshot.root.epoch).then_some(newest)
    }

    /// What each place that opens wants erased.
    pub(crate) fn erase_lists(&self) -> Vec<Result<Vec<ObjectRef>, Error>> {
        self.named_erase_lists().map(|(compartment, list)| self.erase_list(compartment, list)).collect()
    }

    /// The names of the erase lists that the places have which open.
    pub(crate) fn named_erase_lists(&self) -> impl Iterator<Item = (Compartment, &KeyedRef)> {
        let places = Compartment::ALL.into_iter().zip(&self.snapshot.places);
        places.filter_map(|(compartment, place)| Some((compartment, place.as_ref()?.erase.as_ref()?)))
    }

    fn erase_list(&self, compartment: Compartment, list: &KeyedRef) -> Result<Vec<ObjectRef>, Error> {
        if !self.core.store.admits(self.snapshot.root.segment.end, &[list.object])? {
            return Err(Error::Damaged { what: "erase list" });
        }
        let content = open_object(&*self.core.store, list, &self.core.erase_context(compartment))?;
        let list: EraseListV1 = crate::codec::wire::decode(&content)?;
        let object = |(reference, length)| ObjectRef { reference, length };
        let objects: Vec<_> = list.objects.into_iter().map(object).collect();
        // A commit withdraws what commits before it put, and never what it put itself.
        let is_sound = self.core.store.admits(self.snapshot.root.segment.start, &objects)?;
        if is_sound { Ok(objects) } else { Err(Error::Damaged { what: "erase list" }) }
    }
}

/// The newest state that the keys of an unlocked vault open, for a reader.
pub(crate) fn current(core: &Core, known: Option<&Snapshot>) -> Result<Snapshot, Error> {
    Ok(undisturbed(&*core.store, |heads| current_of(core, heads, known))?.1.value)
}

/// Reads what a writer may be changing: a fault counts only if root and area
/// were still the same after it, and a commit is passed over only if it is still not whole
/// when it was read several times.
pub(crate) fn undisturbed<T>(
    store: &dyn Store,
    read: impl Fn(&Heads) -> Result<Taken<T>, Error>,
) -> Result<(Heads, Taken<T>), Error> {
    const ATTEMPTS: usize = 16;
    const TIMES_NOT_WHOLE: usize = 3;
    let mut heads = store.heads()?;
    let mut not_whole = 0;
    for _ in 0..ATTEMPTS {
        match read(&heads) {
            Ok(taken) => {
                not_whole += 1;
                if taken.dropped.is_none() || not_whole == TIMES_NOT_WHOLE {
                    return Ok((heads, taken));
                }
                heads = store.heads()?;
            }
            Err(error) => {
                let now = store.heads()?;
                if now == heads {
                    return Err(error);
                }
                heads = now;
            }
        }
    }
    Err(StoreError::Busy.into())
}

/// Refuses a state that does not follow from the one this handle knows.
pub(crate) fn expect_successor(core: &Core, known: &Snapshot, newer: &Snapshot) -> Result<(), Error> {
    StateReader { core, snapshot: newer }.expect_checkpoint(&known.checkpoint())
}

pub(crate) fn current_of(
    core: &Core,
    heads: &Heads,
    known: Option<&Snapshot>,
) -> Result<Taken<Snapshot>, Error> {
    let key = core.keyring.area_mac_key();
    let (own, others): (Vec<_>, Vec<_>) =
        intact(&heads.areas).into_iter().partition(|(area, _)| area.verify(&key));
    let mut candidates = Vec::new();
    for (area, bytes) in &own {
        let found = Candidate::naming(core, heads, (area, bytes))?;
        candidates.extend(found.into_iter().map(|found| ((), found)));
    }
    let is_known =
        |candidate: &Candidate| known.is_some_and(|known| known.root_bytes == candidate.root_bytes);
    match newest(&*core.store, heads, candidates, is_known)? {
        Some(taken) => taken.map(|((), candidate)| candidate.check(core)),
        // Without an area of other keys nobody changed them.
        None if others.is_empty() => Err(Error::Damaged { what: "roots or credential areas" }),
        None => Err(Error::AccessChanged),
    }
}
