//! Repair of damaged bytes from a backup: an object is put back only if it is,
//! byte for byte, the one that the vault names.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::check::CheckReport;
use super::core::{Core, Demand, View};
use super::open::{self, Candidate};
use super::{Mode, Unlocked, Vault, trace};
use crate::error::Error;
use crate::format::header::Header;
use crate::format::object::{ObjectRef, SealedObject};
use crate::store::{FileStore, Store, StoreError, StoreWriter as _};
use crate::tree::read_checked;

/// What a repair gave.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RepairReport {
    /// Damaged parts that were put back.
    pub restored: u64,
    /// Their bytes.
    pub bytes: u64,
    /// A check of the vault as it is now.
    pub check: CheckReport,
}

impl Vault {
    /// Puts damaged pages, entries and attachments back from a backup of this
    /// vault, or from any other copy of its file.
    ///
    /// The copy need not be of the same state: what both have in common can be
    /// put back, and each part is compared with the digest that this vault has of
    /// it. A copy that was made before the last compaction gives entries and
    /// attachments, and pages only of compartments that have not changed since.
    ///
    /// A vault that does not open for the damage is unlocked with
    /// [`LockedVault::unlock_for_diagnosis`](crate::LockedVault::unlock_for_diagnosis).
    ///
    /// # Errors
    /// [`Error::Invalid`] when the file is of another vault, [`Error::Format`] when
    /// it is none; [`StoreError::Unsupported`] for a vault that is not in a file;
    /// [`Error::Store`].
    pub fn repair_from(&self, backup: impl AsRef<Path>) -> Result<RepairReport, Error> {
        let copy = FileStore::open(backup.as_ref())?;
        self.repair_from_store(Arc::new(copy))
    }

    pub(super) fn repair_from_store(&self, copy: Arc<dyn Store>) -> Result<RepairReport, Error> {
        self.may_repair()?;
        let _call = self.begin()?;
        trace::operation("repair", self.id, || {
            let (restored, bytes) = self.put_back(copy)?;
            trace::event!("repaired", restored = restored, bytes = bytes);
            Ok(RepairReport { restored, bytes, check: self.check()? })
        })
    }

    fn put_back(&self, copy: Arc<dyn Store>) -> Result<(u64, u64), Error> {
        let file = self.store.as_file().ok_or(StoreError::Unsupported)?;
        let mut writer = file.lock(self.options.lock_wait)?;
        let known = self.unlocked()?;
        let current = match self.mode {
            Mode::Diagnosing => open::current_for_repair(&known, &mut writer)?,
            _ => open::current_for_writing(&known, &mut writer)?,
        };
        let (_, digest) = Header::parse(&copy.header()?)?;
        if digest != current.core.scope.header {
            return Err(Error::Invalid { what: "this is not a copy of this vault but of another one" });
        }
        let source = Source::new(&current.core, copy);
        let (mut restored, mut bytes) = (0, 0);
        // Rows that claim the same bytes would damage each other for ever.
        let mut known = HashSet::new();
        // A page that was put back shows what is damaged below it.
        loop {
            let found: Vec<_> = current
                .damaged()?
                .iter()
                .filter(|object| known.insert((object.object.reference, object.object.length)))
                .filter_map(|object| Some((object.object, source.find(object)?)))
                .collect();
            if found.is_empty() {
                break;
            }
            for (object, stored) in &found {
                writer.put_back(object, stored)?;
                restored += 1;
                bytes += object.length;
            }
            writer.sync()?;
        }
        current.core.cache.clear();
        self.adopt(current);
        Ok((restored, bytes))
    }
}

impl Unlocked {
    /// Every object that is not what its parent names, as far as pages can be read.
    fn damaged(&self) -> Result<Vec<SealedObject>, Error> {
        self.core.cache.clear();
        let mut damaged = Vec::new();
        let view = self.view();
        if view.to_erase().is_err() {
            damaged.extend(view.snapshot.root.erase_list.as_ref().map(SealedObject::duplicate));
        }
        for compartment in view.held_compartments() {
            view.trie(compartment)?.survey_damage(&mut |object| damaged.push(object.duplicate()));
        }
        Ok(damaged)
    }
}

/// Another copy of the vault's file.
struct Source {
    copy: Arc<dyn Store>,
    /// Where it has which bytes, if the present keys open it.
    known: HashMap<[u8; 32], ObjectRef>,
}

impl Source {
    fn new(core: &Core, copy: Arc<dyn Store>) -> Self {
        // A copy may be damaged too, elsewhere.
        let elsewhere = core.on(Arc::clone(&copy)).demanding(Demand::Parts);
        let known = known_objects(&elsewhere).unwrap_or_default();
        Self { copy, known }
    }

    /// The bytes that an object ought to have.
    fn find(&self, object: &SealedObject) -> Option<Vec<u8>> {
        let elsewhere = self.known.get(object.digest.as_bytes()).map(|found| {
            let mut there = object.duplicate();
            there.object = *found;
            there
        });
        let places = [Some(object.duplicate()), elsewhere];
        places.into_iter().flatten().find_map(|place| read_checked(&*self.copy, &place).ok())
    }
}

/// What a copy says of its objects.
fn known_objects(core: &Core) -> Result<HashMap<[u8; 32], ObjectRef>, Error> {
    let heads = core.store.heads()?;
    let candidate = Candidate::newest_of_any(core, &heads.roots).ok_or(Error::Damaged { what: "roots" })?;
    let snapshot = candidate.check(core)?;
    let view = View { core, snapshot: &snapshot };
    let mut known = HashMap::new();
    let mut note = |object: &SealedObject| {
        known.insert(*object.digest.as_bytes(), object.object);
    };
    for compartment in view.held_compartments() {
        view.trie(compartment)?.survey(&mut |visited| {
            // What cannot be read of the copy it cannot give.
            let Ok((object, page)) = visited else { return };
            note(object);
            page.leaf_rows().iter().filter_map(|row| row.object.as_deref()).for_each(&mut note);
        });
    }
    Ok(known)
}
