//! A commit under new keys: every way in that stays is granted them anew, to the
//! public halves that the directory lists, without anybody's password.

use std::sync::{Arc, PoisonError};

use super::generations::Generations;
use crate::codec::wire;
use crate::crypto::kem::SlotPublic;
use crate::crypto::random::Randomness;
use crate::engine::actor::Actor;
use crate::engine::core::{Core, Snapshot, StateReader};
use crate::engine::facts::Action;
use crate::engine::ledger::Line;
use crate::engine::opening::current;
use crate::engine::transaction::{Transaction, Work};
use crate::error::Error;
use crate::format::area::Area;
use crate::format::place::Compartment;
use crate::keys::{AreaPlan, Grant, KnownShortcuts, SlotPlan};
use crate::payload::custody::{DirectorySlotV1, DirectoryV1};
use crate::store::{StoreError, StoreWriter};
use crate::tree::{RowClass, RowKey};
use crate::vault::session::handle::Session;
use crate::vault::session::state::{Unlocked, WayIn};

/// What a commit under new keys publishes.
pub(crate) struct Renewal {
    core: Core,
    area: Area,
    pub(crate) directory: DirectoryV1,
    /// The compartments whose keys are new.
    compartments: Grant,
}

/// What the directory is to say of a slot, and how its slot is made.
pub(crate) type PlannedSlot<'a> = (DirectorySlotV1, SlotPlan<'a>);

impl StateReader<'_> {
    /// Puts new keys and the new area together. `area` is the one before, with
    /// its new generation and KDF parameters; `compartments` get new keys, as
    /// `record` and `custody` always do.
    ///
    /// A key that is not held is never replaced: then nothing is done.
    pub(crate) fn renew(
        &self,
        random: &mut Randomness,
        area: &Area,
        generations: &Generations,
        (slots, known): (Vec<PlannedSlot<'_>>, &KnownShortcuts<'_>),
        compartments: Grant,
    ) -> Result<Renewal, Error> {
        let compartments = compartments.union(Grant::of(&[Compartment::Custody]));
        let granted = slots.iter().filter_map(|(listed, _)| Grant::from_mask(listed.grant));
        self.holds(granted.fold(compartments, Grant::union))?;
        let keyring = self.core.keyring.renewed(random, compartments)?;
        let (listed, plans): (Vec<_>, Vec<_>) = slots.into_iter().unzip();
        let run = &generations.run;
        let plan = AreaPlan::regrant(random, self.core.scope, &keyring, area, run, &plans, known)?;
        let slots = listed.into_iter().zip(plan.publics.iter().zip(&plan.keys));
        let slots = slots.map(|(slot, (public, keys))| slot.made(public, keys.as_ref()));
        let directory = DirectoryV1 { slots: slots.collect::<Result<_, Error>>()? };
        let store = Arc::clone(&self.core.store);
        let core = Core::new(store, self.core.scope, Arc::new(keyring));
        Ok(Renewal { core, area: plan.area, directory, compartments })
    }

    /// Refuses unless the keys of all these compartments are held.
    pub(crate) fn holds(&self, compartments: Grant) -> Result<(), Error> {
        let held = self.core.keyring.grant();
        let mut missing = Compartment::ALL.into_iter().filter(|c| compartments.includes(*c));
        match missing.find(|compartment| !held.includes(*compartment)) {
            Some(compartment) => Err(Error::NeedsCompartment { compartment }),
            None => Ok(()),
        }
    }
}

/// A slot that stays as the directory lists it, but for the mark of its password.
pub(crate) fn kept<'a>(
    slot: DirectorySlotV1,
    before: &Area,
    generations: &Generations,
) -> Result<PlannedSlot<'a>, Error> {
    let damaged = Error::Damaged { what: "directory" };
    let Some(public) = SlotPublic::from_bytes(&slot.public) else { return Err(damaged) };
    let grant = match slot.kind {
        0 => None,
        _ => Some(Grant::from_mask(slot.grant).ok_or(damaged)?),
    };
    let [first, second] = &before.kdf;
    let generation = match slot.generation {
        0 => 0,
        1 => generations.mark(first),
        _ => generations.mark(second),
    };
    Ok((DirectorySlotV1 { generation, ..slot }, SlotPlan::Kept(public, grant)))
}

/// Publishes under the new keys and goes on with them; every other handle
/// finds its own to be old.
pub(crate) fn publish_renewal(
    session: &Session,
    writer: &mut dyn StoreWriter,
    current: &Unlocked,
    actor: &Actor,
    renewal: Renewal,
    way_in: Option<WayIn>,
    lines: Vec<(Compartment, Line)>,
) -> Result<(), Error> {
    let Renewal { core, area, directory, compartments } = renewal;
    let bytes = area.encode(&core.keyring.area_mac_key());
    // Reads that meet what this commit erases wait for the new keys.
    let _renewing = session.renewing.lock().unwrap_or_else(PoisonError::into_inner);
    current.snapshot.start_segment(writer, true);
    let mut work = Work::withdrawing(writer);
    work.renewed = Some(compartments);
    let time = session.options.now();
    let mut transaction = Transaction { core: &core, snapshot: &current.snapshot, actor, time, work };
    transaction.replace_directory(&directory)?;
    transaction.announce(Action::AccessChanged);
    lines.into_iter().for_each(|(compartment, line)| transaction.log(compartment, line));
    let committed = transaction.commit(Some((area.generation, bytes)));
    adopt_change(session, Unlocked { core: Arc::new(core), way_in, ..current.clone() }, committed)
}

/// Goes on with what a change of credentials made, also where the store still
/// holds what it was told to erase: the change is made, and the keys before open
/// nothing of it.
pub(crate) fn adopt_change(
    session: &Session,
    changed: Unlocked,
    committed: Result<Option<Snapshot>, Error>,
) -> Result<(), Error> {
    let (snapshot, told) = match committed {
        Ok(None) => return Ok(()),
        Ok(Some(snapshot)) => (snapshot, Ok(())),
        Err(error @ Error::Store(StoreError::NotErased)) => (current(&changed.core, None)?, Err(error)),
        Err(error) => return Err(error),
    };
    session.adopt(changed.with(snapshot));
    told
}

impl Transaction<'_> {
    fn replace_directory(&mut self, directory: &DirectoryV1) -> Result<(), Error> {
        let before = self.row(Compartment::Custody, &RowKey::named("directory"))?;
        if let Some(object) = before.as_ref().and_then(|row| row.object.as_ref()) {
            self.erase(Compartment::Custody, object);
        }
        let content = wire::encode(directory)?;
        self.put_named(Compartment::Custody, "directory", RowClass::Directory, &content)
    }
}
