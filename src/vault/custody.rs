//! The vault's ways in: what the directory lists, and changing a password.

use super::audit::ReadKind;
use super::create::NewVault;
use super::ledger::{Action, Line};
use super::options::Actor;
use super::transaction::{Transaction, Work};
use super::{Vault, open};
use crate::codec::wire;
use crate::crypto::kdf::{KdfCost, KdfLimits, KdfParameters};
use crate::crypto::kem::SlotPublic;
use crate::crypto::random::Randomness;
use crate::error::Error;
use crate::format::area::Area;
use crate::format::place::Compartment;
use crate::keys::{Credential, Grant, Password, UnlockKeys, check_opening, open_area, replace_own_box};
use crate::payload::custody::{DirectorySlotV1, DirectoryV1};
use crate::store::proven_writer;
use crate::tree::RowKey;

use super::core::View;

/// What opens a way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessKind {
    /// A password.
    Password,
    /// A recovery key.
    RecoveryKey,
    /// A raw 32-byte key.
    RawKey,
}

impl AccessKind {
    fn number(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::RecoveryKey => 2,
            Self::RawKey => 3,
        }
    }

    fn from_number(number: u8) -> Option<Self> {
        [Self::Password, Self::RecoveryKey, Self::RawKey].into_iter().find(|kind| kind.number() == number)
    }
}

/// A way in, as the directory lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedAccess {
    /// What the owner calls it.
    pub name: String,
    /// What opens it.
    pub kind: AccessKind,
    /// The compartments that it opens.
    pub grant: Grant,
    /// Since when, in milliseconds since 1970-01-01T00:00:00Z.
    pub created: i64,
}

/// The directory of a new vault: all 16 slots, the first ones in use.
pub(super) fn new_directory(new: &NewVault<'_>, publics: &[SlotPublic], time: i64) -> DirectoryV1 {
    let mut access = new.access.iter();
    let slots = publics.iter().map(|public| {
        let public = public.as_bytes().to_vec();
        match access.next() {
            Some(access) => DirectorySlotV1 {
                public,
                kind: AccessKind::of(access.credential).number(),
                grant: access.grant.mask(),
                name: access.name.to_owned(),
                created: time,
            },
            None => DirectorySlotV1 { public, kind: 0, grant: 0, name: String::new(), created: 0 },
        }
    });
    DirectoryV1 { slots: slots.collect() }
}

impl View<'_> {
    fn directory(&self) -> Result<DirectoryV1, Error> {
        let row = self.row(Compartment::Custody, &RowKey::named("directory"))?;
        let row = row.ok_or(Error::Damaged { what: "directory" })?;
        Ok(wire::decode(&self.core.open_row(Compartment::Custody, &row)?)?)
    }

    /// Whether a slot other than this one is opened by a password; assumed so
    /// when the directory cannot be read.
    fn has_other_password(&self, index: usize) -> Result<bool, Error> {
        if self.core.keyring.compartment(Compartment::Custody).is_none() {
            return Ok(true);
        }
        let password = AccessKind::Password.number();
        let slots = self.directory()?.slots;
        Ok(slots.iter().enumerate().any(|(other, slot)| other != index && slot.kind == password))
    }
}

impl Vault {
    /// The ways into this vault.
    ///
    /// # Errors
    /// [`Error::NeedsCompartment`] without the custody compartment,
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn access(&self) -> Result<Vec<ListedAccess>, Error> {
        let directory = self.read(|view| view.directory())?;
        let listed = directory.slots.into_iter().filter_map(|slot| {
            Some(ListedAccess {
                kind: AccessKind::from_number(slot.kind)?,
                grant: Grant::from_mask(slot.grant)?,
                name: slot.name,
                created: slot.created,
            })
        });
        let listed: Vec<ListedAccess> = listed.collect();
        self.tell_count(ReadKind::AccessListed, None, Vec::new(), listed.len());
        Ok(listed)
    }

    /// Changes the password of one way in. The new one costs what the options
    /// say, never what the file says.
    ///
    /// At most two costs are in use at a time, and the vault does not say which
    /// password has which: while there is another password, a third cost is
    /// refused.
    ///
    /// Whoever has an older copy of the file can still open that copy with the
    /// old password.
    ///
    /// # Errors
    /// [`Error::WrongCredential`] when `old` opens nothing, [`Error::Kdf`],
    /// [`Error::Invalid`] when another way in has the new password, when its cost
    /// would be the third in use, or when the old and the new cost together
    /// exceed the limits of one opening; [`Error::Store`]. Nothing is written then.
    pub fn change_password(&self, actor: &Actor, old: Password, new: Password) -> Result<(), Error> {
        self.may_write()?;
        let _call = self.begin()?;
        let cost = self.options.new_password_cost()?;
        let mut writer = proven_writer(&*self.store, self.options.lock_wait)?;
        let current = open::current_for_writing(&self.unlocked()?, &mut *writer)?;
        let area =
            current.view().area_with_password(old.into(), new.into(), cost, &self.options.kdf_limits)?;
        let bytes = area.encode(&current.core.keyring.area_mac_key());

        writer.start(current.snapshot.root.append_end);
        let work = Work::withdrawing(&mut *writer);
        let time = self.options.now();
        let mut transaction =
            Transaction { core: &current.core, snapshot: &current.snapshot, actor, time, work };
        transaction.log(Compartment::Record, Line::about(Action::PasswordChanged, actor, None, []));
        if let Some(published) = transaction.commit(Some((area.generation, bytes)))? {
            drop(writer);
            self.adopt(current.with(published));
        }
        Ok(())
    }
}

impl View<'_> {
    /// The area in which `new` opens what `old` did.
    fn area_with_password(
        &self,
        old: Credential,
        new: Credential,
        cost: KdfCost,
        limits: &KdfLimits,
    ) -> Result<Area, Error> {
        let area =
            Area::parse(&self.snapshot.area_bytes).map_err(|_| Error::Damaged { what: "credential area" })?;
        let scope = self.core.scope;
        let keys = UnlockKeys::derive(&old, scope, std::slice::from_ref(&area), limits)?;
        let opened = open_area(scope, &area, &keys).ok_or(Error::WrongCredential)?;
        let mut random = Randomness::from_system();
        let others = self.has_other_password(opened.index)?;
        let (run, kdf) = next_generation(&mut random, &area, others, cost, limits)?;
        Ok(replace_own_box(&mut random, scope, &area, &opened, (&new, &run, kdf))?)
    }
}

/// The KDF run of a new password, and both generations of the new area.
///
/// A writer that is interrupted leaves the old area beside the new one, and an
/// opening derives the runs of both: together they must meet the limits.
fn next_generation(
    random: &mut Randomness,
    area: &Area,
    others: bool,
    cost: KdfCost,
    limits: &KdfLimits,
) -> Result<(KdfParameters, [KdfParameters; 2]), Error> {
    let [first, second] = area.kdf;
    let same = area.kdf.into_iter().find(|run| run.cost == cost);
    if others && let Some(same) = same {
        return Ok((same, area.kdf));
    }
    if others && first != second {
        return Err(Error::Invalid {
            what: "passwords of two costs are in use and a third is not possible: keep one of the two costs for new passwords, or move the entries to a new vault",
        });
    }
    let fresh = KdfParameters::generate(random, cost)?;
    if check_opening(&[first, second, fresh], limits).is_ok() {
        return Ok((fresh, [if others { first } else { fresh }, fresh]));
    }
    // Without a fresh salt it is the work that opening takes already.
    same.map(|same| (same, [same; 2])).ok_or(Error::Invalid {
        what: "the old and the new cost of passwords together exceed the limits of one opening: choose a lower cost for new passwords, or keep the present one",
    })
}
