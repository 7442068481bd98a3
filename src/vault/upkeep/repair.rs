//! Repair of damaged bytes from a backup: an object is put back only if it is,
//! byte for byte, the one that the vault names.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::check::{CheckReport, check};
use crate::engine::actor::Actor;
use crate::engine::core::{Core, Demand, StateReader};
use crate::engine::facts::Action;
use crate::engine::ledger::Line;
use crate::engine::list::inline_card;
use crate::engine::opening::Candidate;
use crate::engine::trace;
use crate::error::Error;
use crate::format::header::{HEADER_LEN, Header};
use crate::format::object::{KeyedRef, ObjectRef};
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::store::{FileStore, Store, StoreError, StoreWriter as _};
use crate::tree::{Row, RowClass, read_checked};
use crate::vault::session::handle::Session;
use crate::vault::session::state::{Mode, Unlocked};
use crate::vault::session::writing::{current_for_repair, current_for_writing};

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

pub(crate) fn repair_from(session: &Session, backup: impl AsRef<Path>) -> Result<RepairReport, Error> {
    let copy = FileStore::open(backup.as_ref())?;
    repair_from_store(session, Arc::new(copy))
}

pub(crate) fn repair_from_store(session: &Session, copy: Arc<dyn Store>) -> Result<RepairReport, Error> {
    session.may_repair()?;
    let _call = session.begin()?;
    trace::operation("repair", session.id, || {
        let (restored, bytes) = put_back(session, copy)?;
        trace::event!("repaired", restored = restored, bytes = bytes);
        Ok(RepairReport { restored, bytes, check: check(session)? })
    })
}

fn put_back(session: &Session, copy: Arc<dyn Store>) -> Result<(u64, u64), Error> {
    let file = session.store.as_file().ok_or(StoreError::Unsupported)?;
    let mut writer = file.lock(session.options.lock_wait)?;
    let known = session.unlocked()?;
    let current = match session.mode {
        Mode::Diagnosing => current_for_repair(&known, &mut writer)?,
        _ => current_for_writing(&known, &mut writer)?,
    };
    let (_, digest) = Header::parse(&copy.header()?)?;
    if digest != current.core.scope.header {
        return Err(Error::Invalid { what: "this is not a copy of this vault but of another one" });
    }
    let source = Source::new(&current.core, copy);
    let (mut restored, mut bytes) = (0, 0);
    // The vault opened under it: it is the vault's.
    if writer.put_header_back()? {
        (restored, bytes) = (1, HEADER_LEN as u64);
    }
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
    session.adopt(current);
    Ok((restored, bytes))
}

/// Writes the cards of entries anew that are not those of their entries.
pub(crate) fn mend_cards(session: &Session, actor: &Actor) -> Result<Vec<EntryId>, Error> {
    let mended = session.update(actor, |tx| {
        let mut mended = Vec::new();
        let compartments: Vec<Compartment> = tx.reader().open_compartments_and_sealed().collect();
        for compartment in compartments {
            for row in tx.reader().wrong_cards(compartment)? {
                mended.push(row.id);
                tx.put_row(compartment, row)?;
                tx.log(compartment, Line::of(Action::Changed, actor));
            }
        }
        Ok(mended)
    })?;
    Ok(mended.value)
}

impl StateReader<'_> {
    /// The rows of a compartment's entries whose cards are not theirs, with the right ones.
    fn wrong_cards(&self, compartment: Compartment) -> Result<Vec<Row>, Error> {
        let (mut wrong, mut fault) = (Vec::new(), None);
        self.trie(compartment)?.scan(&mut |row| {
            if row.class != RowClass::Entry {
                return Ok(());
            }
            // An entry that is damaged has no other card than this.
            let Ok(entry) = self.core.open_entry(compartment, row) else { return Ok(()) };
            match inline_card(&entry) {
                Ok(card) if **card == *row.inline => {}
                Ok(card) => wrong.push(Row { inline: card.into(), ..row.duplicate() }),
                Err(error) => fault = Some(error),
            }
            Ok(())
        })?;
        fault.map_or(Ok(wrong), Err)
    }
}

impl Unlocked {
    /// Every object that is not what its parent names, as far as pages can be read.
    fn damaged(&self) -> Result<Vec<KeyedRef>, Error> {
        self.core.cache.clear();
        let mut damaged = Vec::new();
        let reader = self.reader();
        let lists = reader.named_erase_lists().zip(reader.erase_lists());
        damaged.extend(lists.filter(|(_, list)| list.is_err()).map(|((_, list), _)| list.duplicate()));
        for compartment in reader.held_compartments() {
            reader.trie(compartment)?.survey_damage(&mut |object| damaged.push(object.duplicate()));
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
    fn find(&self, object: &KeyedRef) -> Option<Vec<u8>> {
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
    let reader = StateReader { core, snapshot: &snapshot };
    let mut known = HashMap::new();
    let mut note = |object: &KeyedRef| {
        known.insert(*object.digest.as_bytes(), object.object);
    };
    for compartment in reader.held_compartments() {
        reader.trie(compartment)?.survey(&mut |visited| {
            // What cannot be read of the copy it cannot give.
            let Ok((object, page)) = visited else { return };
            note(object);
            page.leaf_rows().iter().filter_map(|row| row.object.as_ref()).for_each(&mut note);
        });
    }
    Ok(known)
}
