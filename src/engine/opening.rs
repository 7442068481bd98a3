//! Which area and root belong together, and what an opening repairs (rule R4 of
//! `docs/format.md`).

use super::core::{Core, Demand, Snapshot, StateReader};
use super::trace;
use crate::crypto::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::format::READER_VERSION;
use crate::format::area::StoredArea;
use crate::format::context::Purpose;
use crate::format::object::ObjectRef;
use crate::format::root::{Root, RootHeading};
use crate::payload::catalogue::EraseListV1;
use crate::store::{Chosen, Heads, Repairs, Store, StoreError, StoreWriter};
use crate::tree::{Trie, open_object};

/// What opening a vault found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// Everything was as a vault at rest is.
    NotNeeded,
    /// A writer had been interrupted; its unfinished commit was rolled back, or
    /// its finished one completed. Nothing acknowledged was lost.
    Recovered,
    /// A writer was interrupted, and this opening may not write: what is read
    /// is the newest whole state.
    Needed,
    /// The list of what the last commit withdrew is damaged. The commit that wrote it
    /// erased all of that, unless it was interrupted: then some may still be in the
    /// file, where only somebody who kept its keys can read it, until a compaction.
    ListDamaged,
}

impl Recovery {
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

impl Candidate {
    /// The newest root that names this area.
    ///
    /// A root for a newer reader ends the opening: taken for a damaged one, it
    /// would be overwritten with the other copy.
    pub(crate) fn newest(
        core: &Core,
        heads: &Heads,
        (area, bytes): (&StoredArea, &[u8]),
    ) -> Result<Option<Self>, Error> {
        let key = core.keyring.root_key();
        let mut newest: Option<Self> = None;
        for stored in distinct(&heads.roots) {
            let Some(plain) = core.open_root(&key, stored) else { continue };
            let Some(root) = root_naming(area.digest(), &plain)? else { continue };
            if newest.as_ref().is_none_or(|other| root.epoch >= other.root.epoch) {
                newest = Some(Self { root, root_bytes: stored.clone(), area_bytes: bytes.to_vec() });
            }
        }
        Ok(newest)
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
        let places = core.open_places(&self.root)?;
        let Self { root, root_bytes, area_bytes } = self;
        Ok(Snapshot { root, root_bytes, area_bytes, places, settled: false })
    }

    /// Reads every trie root whose place opens, where all of them are demanded.
    pub(crate) fn check(self, core: &Core) -> Result<Snapshot, Error> {
        if !core.store.admits(self.root.append_end, &self.root.erase)? {
            return Err(Error::Damaged { what: "root" });
        }
        let snapshot = self.unchecked(core)?;
        if core.store.as_file().is_some() && !snapshot.fits() {
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
pub(crate) fn root_naming(area: &Digest, plain: &[u8]) -> Result<Option<Root>, Error> {
    let Some(heading) = RootHeading::decode(plain).ok().filter(|heading| heading.area_digest == *area) else {
        return Ok(None);
    };
    if heading.least_reader > READER_VERSION {
        return Err(Error::NewerReader { needed: heading.least_reader, supported: READER_VERSION });
    }
    Ok(Root::decode(plain).ok())
}

/// Steps 4 to 6. Tells what had to be repaired. A damaged erase list keeps nobody
/// from writing: the next commit's root drops it.
pub(crate) fn settle(
    core: &Core,
    snapshot: &mut Snapshot,
    writer: &mut dyn StoreWriter,
) -> Result<Recovery, Error> {
    let (erase, recovery) = match (StateReader { core, snapshot }).to_erase() {
        Err(error) if error.kind() == ErrorKind::Damaged => {
            (snapshot.root.erase.clone(), Recovery::ListDamaged)
        }
        erase => (erase?, Recovery::NotNeeded),
    };
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
    Ok(recovery.and(repairs.root || repairs.area))
}

impl StateReader<'_> {
    /// The objects to erase, those for which the root has no room included.
    pub(crate) fn to_erase(&self) -> Result<Vec<ObjectRef>, Error> {
        let root = &self.snapshot.root;
        let mut objects = root.erase.clone();
        let Some(list) = &root.erase_list else { return Ok(objects) };
        let context = self.core.scope.context(Purpose::EraseList);
        let content = open_object(&*self.core.store, list, &context)?;
        let list: EraseListV1 = crate::codec::wire::decode(&content)?;
        let object = |(reference, length)| ObjectRef { reference, length };
        objects.extend(list.objects.into_iter().map(object));
        let is_sound = self.core.store.admits(root.append_end, &objects)?;
        if is_sound { Ok(objects) } else { Err(Error::Damaged { what: "erase list" }) }
    }
}

/// The newest state that the keys of an unlocked vault open, for a reader.
pub(crate) fn current(core: &Core) -> Result<Snapshot, Error> {
    Ok(undisturbed(&*core.store, |heads| current_of(core, heads))?.1)
}

/// Reads what a writer may be changing: a fault counts only if root and area
/// were still the same after it.
pub(crate) fn undisturbed<T>(
    store: &dyn Store,
    read: impl Fn(&Heads) -> Result<T, Error>,
) -> Result<(Heads, T), Error> {
    const ATTEMPTS: usize = 16;
    let mut heads = store.heads()?;
    for _ in 0..ATTEMPTS {
        match read(&heads) {
            Ok(value) => return Ok((heads, value)),
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

pub(crate) fn current_of(core: &Core, heads: &Heads) -> Result<Snapshot, Error> {
    let key = core.keyring.area_mac_key();
    let (own, others): (Vec<_>, Vec<_>) =
        intact(&heads.areas).into_iter().partition(|(area, _)| area.verify(&key));
    let newest = |(area, bytes): &(StoredArea, &Vec<u8>)| Candidate::newest(core, heads, (area, bytes));
    let candidates = own.iter().filter_map(|area| newest(area).transpose());
    let candidates = candidates.collect::<Result<Vec<_>, _>>()?;
    match candidates.into_iter().max_by_key(|candidate| candidate.root.epoch) {
        Some(best) => best.check(core),
        // Without an area of other keys nobody changed them.
        None if others.is_empty() => Err(Error::Damaged { what: "roots or credential areas" }),
        None => Err(Error::AccessChanged),
    }
}
