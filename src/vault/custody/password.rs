//! Changing a password, or what it costs to try one.

use super::super::core::View;
use super::super::ledger::{Action, Line};
use super::super::options::Actor;
use super::super::transaction::{Transaction, Work};
use super::super::{Unlocked, Vault, WayIn, open};
use super::generations::Generations;
use super::password_marks;
use super::renewal::kept;
use crate::crypto::kdf::{KdfCost, KdfLimits};
use crate::crypto::random::Randomness;
use crate::error::Error;
use crate::format::area::Area;
use crate::format::place::Compartment;
use crate::keys::{Credential, Grant, OpenedSlot, Password, UnlockKeys, open_area, replace_own_box};
use crate::payload::custody::{DirectorySlotV1, DirectoryV1};
#[cfg(doc)]
use crate::store::StoreError;
use crate::store::StoreWriter;

impl Vault {
    /// Changes the password of one way in. The new one costs what the options
    /// say, never what the file says.
    ///
    /// At most two costs are in use at a time. When the cost changes and this
    /// handle opens everything, the vault gets new keys, as in
    /// [`Vault::change_access`], and drops a cost that nobody uses any more: other
    /// handles then answer [`Error::AccessChanged`]. Otherwise only this one slot
    /// is written anew, and the vault does not learn that an older cost is out of
    /// use.
    ///
    /// Whoever has an older copy of the file can still open that copy with the
    /// old password, and what they find there keeps opening this slot: to shut
    /// somebody out, revoke the way in and add another ([`Vault::change_access`]).
    ///
    /// # Errors
    /// [`Error::WrongCredential`] when `old` opens nothing, [`Error::Kdf`],
    /// [`Error::Invalid`] when another way in has the new password, when its cost
    /// would be the third in use, or when the old and the new cost together
    /// exceed the limits of one opening; [`Error::Store`]. Nothing is written then,
    /// unless it is [`StoreError::NotErased`]: the new password opens and the old one
    /// does not.
    pub fn change_password(&self, actor: &Actor, old: Password, new: Password) -> Result<(), Error> {
        self.replace_password(actor, &old.into(), &new.into())
    }

    /// Protects the same password at the cost that the options say: after
    /// [`Vault::outdated_password_cost`] told that it has a lower one. Opening
    /// never does that by itself.
    ///
    /// # Errors
    /// As [`Vault::change_password`].
    pub fn upgrade_password(&self, actor: &Actor, password: Password) -> Result<(), Error> {
        let password = password.into();
        self.replace_password(actor, &password, &password)
    }

    /// The cost of the password that this handle was opened with, if it is less
    /// work to try than one of the cost that the options say.
    #[must_use]
    pub fn outdated_password_cost(&self) -> Option<KdfCost> {
        let cost = self.unlocked().ok()?.way_in?.run?.cost;
        let work = |cost: KdfCost| u64::from(cost.memory_kib).saturating_mul(u64::from(cost.passes));
        (work(cost) < work(self.options.kdf_cost)).then_some(cost)
    }

    fn replace_password(&self, actor: &Actor, old: &Credential, new: &Credential) -> Result<(), Error> {
        let _call = self.begin()?;
        self.may_write()?;
        let cost = self.options.new_password_cost()?;
        let (mut writer, current) =
            open::start_writing(&*self.store, || self.unlocked(), self.options.lock_wait)?;
        let view = current.view();
        let mut change = view.open_for_change(old, new, &self.options.kdf_limits)?;
        match view.directory_to_renew()? {
            Some(directory) => {
                let others = |index| index == change.opened.index;
                let marks = password_marks(&directory, others);
                let limits = &self.options.kdf_limits;
                let generations =
                    Generations::renewed(&mut change.random, &change.area, &marks, Some(cost), limits)?;
                let mark = change.listed(&directory)?.generation;
                if generations.kdf == change.area.kdf && generations.mark(&generations.run) == mark {
                    return self.publish_own_box(&mut *writer, &current, actor, change, &generations);
                }
                self.publish_generations(&mut *writer, &current, actor, change, directory, &generations)
            }
            None => {
                let generations = change.beside_others(cost, &self.options.kdf_limits)?;
                self.publish_own_box(&mut *writer, &current, actor, change, &generations)
            }
        }
    }

    /// Publishes the slot's new own box and nothing else of the area.
    fn publish_own_box(
        &self,
        writer: &mut dyn StoreWriter,
        current: &Unlocked,
        actor: &Actor,
        mut change: PasswordChange<'_>,
        generations: &Generations,
    ) -> Result<(), Error> {
        let area = change.area_with_own_box(&current.view(), generations)?;
        let bytes = area.encode(&current.core.keyring.area_mac_key());
        writer.start(current.snapshot.root.append_end);
        let work = Work::withdrawing(writer);
        let time = self.options.now();
        let mut transaction =
            Transaction { core: &current.core, snapshot: &current.snapshot, actor, time, work };
        transaction.log(Compartment::Record, Line::about(Action::PasswordChanged, actor, None, []));
        let committed = transaction.commit(Some((area.generation, bytes)));
        let way_in = change.way_in(current, generations);
        self.adopt_change(Unlocked { way_in, ..current.clone() }, committed)
    }

    /// Publishes the slot's new own box, the marks of all passwords, and new keys.
    fn publish_generations(
        &self,
        writer: &mut dyn StoreWriter,
        current: &Unlocked,
        actor: &Actor,
        mut change: PasswordChange<'_>,
        directory: DirectoryV1,
        generations: &Generations,
    ) -> Result<(), Error> {
        let view = current.view();
        let area = change.area_with_own_box(&view, generations)?;
        let mut slots = Vec::with_capacity(directory.slots.len());
        for (index, slot) in directory.slots.into_iter().enumerate() {
            let (mut listed, plan) = kept(slot, &change.area, generations)?;
            if index == change.opened.index {
                listed.generation = generations.mark(&generations.run);
            }
            slots.push((listed, plan));
        }
        let nothing_lost = Grant::of(&[]);
        let renewal = view.renew(&mut change.random, &area, generations, slots, nothing_lost)?;
        let lines = vec![(Compartment::Record, Line::about(Action::PasswordChanged, actor, None, []))];
        let way_in = change.way_in(current, generations);
        self.publish_renewal(writer, current, actor, renewal, way_in, lines)
    }
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

    fn area_with_own_box(&mut self, view: &View<'_>, generations: &Generations) -> Result<Area, Error> {
        let new = (self.new, &generations.run, generations.kdf);
        Ok(replace_own_box(&mut self.random, view.core.scope, &self.area, &self.opened, new)?)
    }

    /// The handle's way in, whose run is another one if this is its password.
    fn way_in(&self, current: &Unlocked, generations: &Generations) -> Option<WayIn> {
        let way_in = current.way_in?;
        let is_own = way_in.slot == self.opened.index;
        Some(if is_own { WayIn { run: Some(generations.run), ..way_in } } else { way_in })
    }
}

impl View<'_> {
    fn open_for_change<'a>(
        &self,
        old: &Credential,
        new: &'a Credential,
        limits: &KdfLimits,
    ) -> Result<PasswordChange<'a>, Error> {
        let area = self.area()?;
        let keys = UnlockKeys::derive(old, self.core.scope, std::slice::from_ref(&area), limits)?;
        let opened = open_area(self.core.scope, &area, &keys).ok_or(Error::WrongCredential)?;
        Ok(PasswordChange { area, opened, new, random: Randomness::from_system() })
    }

    /// The directory, for somebody who can grant every way in anew.
    fn directory_to_renew(&self) -> Result<Option<DirectoryV1>, Error> {
        if self.core.keyring.grant() != Grant::ALL {
            return Ok(None);
        }
        self.directory().map(Some)
    }
}
