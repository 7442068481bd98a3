//! Changing a password, or what it costs to try one.

use super::generations::Generations;
use super::renewal::{adopt_change, kept, publish_renewal};
use crate::crypto::kdf::{KdfCost, KdfLimits};
use crate::crypto::random::Randomness;
use crate::engine::actor::Actor;
use crate::engine::core::StateReader;
use crate::engine::directory::password_marks;
use crate::engine::facts::Action;
use crate::engine::ledger::Line;
use crate::engine::transaction::{Transaction, Work};
use crate::error::Error;
use crate::format::area::Area;
use crate::format::place::Compartment;
use crate::keys::{Credential, Grant, OpenedSlot, Password, UnlockKeys, replace_own_box};
use crate::payload::custody::{DirectorySlotV1, DirectoryV1};
#[cfg(doc)]
use crate::store::StoreError;
use crate::store::StoreWriter;
use crate::vault::session::handle::Session;
use crate::vault::session::state::{Unlocked, WayIn};
use crate::vault::session::writing::start_writing;

pub(crate) fn change_password(
    session: &Session,
    actor: &Actor,
    old: Password,
    new: Password,
) -> Result<(), Error> {
    replace_password(session, actor, &old.into(), &new.into())
}

pub(crate) fn upgrade_password(session: &Session, actor: &Actor, password: Password) -> Result<(), Error> {
    let password = password.into();
    replace_password(session, actor, &password, &password)
}

#[must_use]
pub(crate) fn outdated_password_cost(session: &Session) -> Option<KdfCost> {
    let cost = session.unlocked().ok()?.way_in?.run?.cost;
    let work = |cost: KdfCost| u64::from(cost.memory_kib).saturating_mul(u64::from(cost.passes));
    (work(cost) < work(session.options.kdf_cost)).then_some(cost)
}

fn replace_password(
    session: &Session,
    actor: &Actor,
    old: &Credential,
    new: &Credential,
) -> Result<(), Error> {
    let _call = session.begin()?;
    session.may_write()?;
    let cost = session.options.new_password_cost()?;
    let (mut writer, current) =
        start_writing(&*session.store, || session.unlocked(), session.options.lock_wait)?;
    let reader = current.reader();
    let mut change = reader.open_for_change(old, new, &session.options.kdf_limits)?;
    match reader.directory_to_renew()? {
        Some(directory) => {
            let others = |index| index == change.opened.index;
            let marks = password_marks(&directory, others);
            let limits = &session.options.kdf_limits;
            let generations =
                Generations::renewed(&mut change.random, &change.area, &marks, Some(cost), limits)?;
            let mark = change.listed(&directory)?.generation;
            if generations.kdf == change.area.kdf && generations.mark(&generations.run) == mark {
                return publish_own_box(session, &mut *writer, &current, actor, change, &generations);
            }
            publish_generations(session, &mut *writer, &current, actor, change, directory, &generations)
        }
        None => {
            let generations = change.beside_others(cost, &session.options.kdf_limits)?;
            publish_own_box(session, &mut *writer, &current, actor, change, &generations)
        }
    }
}

/// Publishes the slot's new own box and nothing else of the area.
fn publish_own_box(
    session: &Session,
    writer: &mut dyn StoreWriter,
    current: &Unlocked,
    actor: &Actor,
    mut change: PasswordChange<'_>,
    generations: &Generations,
) -> Result<(), Error> {
    let area = change.area_with_own_box(&current.reader(), generations)?;
    let bytes = area.encode(&current.core.keyring.area_mac_key());
    current.snapshot.start_segment(writer, false);
    let work = Work::withdrawing(writer);
    let time = session.options.now();
    let mut transaction = Transaction { core: &current.core, snapshot: &current.snapshot, actor, time, work };
    transaction.announce(Action::AccessChanged);
    transaction.log_in_custody(Line::of(Action::PasswordChanged, actor));
    let committed = transaction.commit(Some((area.generation, bytes)));
    let way_in = change.way_in(current, generations);
    adopt_change(session, Unlocked { way_in, ..current.clone() }, committed)
}

/// Publishes the slot's new own box, the marks of all passwords, and new keys.
fn publish_generations(
    session: &Session,
    writer: &mut dyn StoreWriter,
    current: &Unlocked,
    actor: &Actor,
    mut change: PasswordChange<'_>,
    directory: DirectoryV1,
    generations: &Generations,
) -> Result<(), Error> {
    let reader = current.reader();
    let area = change.area_with_own_box(&reader, generations)?;
    let mut slots = Vec::with_capacity(directory.slots.len());
    for (index, slot) in directory.slots.into_iter().enumerate() {
        let (mut listed, plan) = kept(slot, &change.area, generations)?;
        if index == change.opened.index {
            listed.generation = generations.mark(&generations.run);
        }
        slots.push((listed, plan));
    }
    let nothing_lost = Grant::of(&[]);
    let own = current.way_in.as_ref().and_then(WayIn::known_shortcut);
    let known: Vec<_> =
        own.into_iter().chain([(change.opened.index, &change.opened.keys.shortcut)]).collect();
    let renewal = reader.renew(&mut change.random, &area, generations, (slots, &known), nothing_lost)?;
    let lines = vec![(Compartment::Custody, Line::of(Action::PasswordChanged, actor))];
    let way_in = change.way_in(current, generations);
    publish_renewal(session, writer, current, actor, renewal, way_in, lines)
}

/// A slot whose password is about to be another one.
struct PasswordChange<'a> {
    area: Area,
    opened: OpenedSlot,
    new: &'a Credential,
    random: Randomness,
}

impl PasswordChange<'_> {
    /// What the directory says of the slot.
    fn listed<'d>(&self, directory: &'d DirectoryV1) -> Result<&'d DirectorySlotV1, Error> {
        let listed = directory.slots.get(self.opened.index).filter(|slot| {
            slot.kind == DirectorySlotV1::PASSWORD && slot.public == self.opened.public().as_bytes()
        });
        listed.ok_or(Error::Damaged { what: "directory" })
    }

    fn beside_others(&mut self, cost: KdfCost, limits: &KdfLimits) -> Result<Generations, Error> {
        let own = self.opened.run.ok_or(Error::WrongCredential)?;
        Generations::beside_others(&mut self.random, &self.area, &own, cost, limits)
    }

    fn area_with_own_box(
        &mut self,
        reader: &StateReader<'_>,
        generations: &Generations,
    ) -> Result<Area, Error> {
        let new = (self.new, &generations.run, generations.kdf);
        Ok(replace_own_box(&mut self.random, reader.core.scope, &self.area, &self.opened, new)?)
    }

    /// The handle's way in, whose run is another one if this is its password.
    fn way_in(&self, current: &Unlocked, generations: &Generations) -> Option<WayIn> {
        let way_in = current.way_in.clone()?;
        let is_own = way_in.slot == self.opened.index;
        Some(if is_own { WayIn { run: Some(generations.run), ..way_in } } else { way_in })
    }
}

impl StateReader<'_> {
    fn open_for_change<'a>(
        &self,
        old: &Credential,
        new: &'a Credential,
        limits: &KdfLimits,
    ) -> Result<PasswordChange<'a>, Error> {
        let area = self.area()?;
        let keys = UnlockKeys::derive(old, self.core.scope, area.kdf, limits)?;
        let mut random = Randomness::from_system();
        let opened = keys.open(&mut random, self.core.scope, &area).opened().ok_or(Error::WrongCredential)?;
        Ok(PasswordChange { area, opened, new, random })
    }

    /// The directory, for somebody who can grant every way in anew.
    fn directory_to_renew(&self) -> Result<Option<DirectoryV1>, Error> {
        if self.core.keyring.grant() != Grant::ALL {
            return Ok(None);
        }
        self.directory().map(Some)
    }
}
