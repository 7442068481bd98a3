//! The vault's ways in, as the directory lists them.

mod change;
mod generations;
mod password;
mod renewal;
use std::time::SystemTime;

use super::Vault;
use super::audit::ReadKind;
use super::core::View;
use super::create::NewVault;
use super::time::from_milliseconds;
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::crypto::kdf::KdfCost;
use crate::crypto::kem::SlotPublic;
use crate::error::Error;
use crate::format::area::Area;
use crate::format::place::Compartment;
use crate::id::AccessId;
use crate::keys::Grant;
use crate::payload::custody::{DirectorySlotV1, DirectoryV1};
use crate::tree::RowKey;
pub use change::AccessChange;

/// What opens a way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
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
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ListedAccess {
    /// Names it, for [`Vault::change_access`].
    pub id: AccessId,
    /// What the owner calls it.
    pub name: String,
    /// What opens it.
    pub kind: AccessKind,
    /// The compartments that it opens.
    pub grant: Grant,
    /// Since when.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serial::moment"))]
    pub created: SystemTime,
    /// What it costs to try a password; an older, lower cost where somebody
    /// changed it who could not write that down.
    pub password_cost: Option<KdfCost>,
    /// Whether this handle was opened with it.
    pub is_own: bool,
}

/// Without the name.
impl std::fmt::Debug for ListedAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, kind, grant, .. } = self;
        let mut listed = f.debug_struct("ListedAccess");
        listed.field("id", id).field("kind", kind).field("grant", grant).finish_non_exhaustive()
    }
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
                generation: u8::from(AccessKind::of(access.credential) == AccessKind::Password),
                grant: access.grant.mask(),
                name: access.name.to_owned(),
                created: time,
            },
            None => {
                DirectorySlotV1 { public, kind: 0, generation: 0, grant: 0, name: String::new(), created: 0 }
            }
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

    fn area(&self) -> Result<Area, Error> {
        Area::parse(&self.snapshot.area_bytes).map_err(|_| Error::Damaged { what: "credential area" })
    }
}

/// What names a slot of the directory: SHA-256("subrosa/v1 access" ‖ public half)[..16].
fn access_id(slot: &DirectorySlotV1) -> AccessId {
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
        *Digest::of(&[b"subrosa/v1 access", &slot.public]).as_bytes();
    AccessId::from_bytes(id)
}

/// The marks of all passwords but those of the slots that are left out.
fn password_marks(directory: &DirectoryV1, left_out: impl Fn(usize) -> bool) -> Vec<u8> {
    let slots = directory.slots.iter().enumerate().filter(|(index, _)| !left_out(*index));
    slots
        .filter(|(_, slot)| slot.kind == DirectorySlotV1::PASSWORD)
        .map(|(_, slot)| slot.generation)
        .collect()
}

impl Vault {
    /// The ways into this vault.
    ///
    /// # Errors
    /// [`Error::NeedsCompartment`] without the custody compartment,
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn access(&self) -> Result<Vec<ListedAccess>, Error> {
        let (directory, area) = self.read(|view| Ok((view.directory()?, view.area()?)))?;
        let own = self.unlocked()?.way_in.map(|way_in| way_in.slot);
        let [first, second] = area.kdf;
        let listed = directory.slots.into_iter().enumerate().filter_map(|(index, slot)| {
            Some(ListedAccess {
                id: access_id(&slot),
                kind: AccessKind::from_number(slot.kind)?,
                grant: Grant::from_mask(slot.grant)?,
                name: slot.name,
                created: from_milliseconds(slot.created),
                password_cost: match slot.generation {
                    0 => None,
                    1 => Some(first.cost),
                    _ => Some(second.cost),
                },
                is_own: own == Some(index),
            })
        });
        let listed: Vec<ListedAccess> = listed.collect();
        self.tell_count(ReadKind::AccessListed, None, Vec::new(), listed.len());
        Ok(listed)
    }
}
