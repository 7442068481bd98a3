//! The directory of the ways in: what each is called and opens.

use super::core::StateReader;
use super::signing::listed;
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::crypto::kem::SlotPublic;
use crate::error::Error;
use crate::format::area::Area;
use crate::format::place::Compartment;
use crate::id::AccessId;
use crate::keys::{Credential, Grant, SlotKeys};
use crate::payload::custody::{DirectorySlotV1, DirectoryV1};
use crate::tree::RowKey;

/// One way into a vault.
#[non_exhaustive]
pub struct Access<'a> {
    /// What opens it.
    pub credential: &'a Credential,
    /// What the owner calls it, at most 256 bytes.
    pub name: &'a str,
    /// The compartments that it opens: every one, or any without `custody`.
    pub grant: Grant,
}

impl<'a> Access<'a> {
    /// Access to some compartments, or to everything.
    #[must_use]
    pub fn new(credential: &'a Credential, name: &'a str, grant: Grant) -> Self {
        Self { credential, name, grant }
    }

    /// Access to everything.
    #[must_use]
    pub fn to_everything(credential: &'a Credential, name: &'a str) -> Self {
        Self::new(credential, name, Grant::ALL)
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.name.len() > 256 {
            return Err(Error::Invalid { what: "the name of a way in has at most 256 bytes" });
        }
        // Whoever writes the directory says what the next change of access grants to whom.
        if self.grant.includes(Compartment::Custody) && self.grant != Grant::ALL {
            return Err(Error::Invalid {
                what: "whoever opens custody could grant themselves everything: grant every compartment, or \
                       leave custody out",
            });
        }
        Ok(())
    }
}

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
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::RecoveryKey => 2,
            Self::RawKey => 3,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Password, Self::RecoveryKey, Self::RawKey].into_iter().find(|kind| kind.number() == number)
    }
}

impl AccessKind {
    pub(crate) fn of(credential: &Credential) -> Self {
        match credential {
            Credential::Password(_) => Self::Password,
            Credential::RecoveryKey(_) => Self::RecoveryKey,
            Credential::RawKey(_) => Self::RawKey,
        }
    }
}

/// The directory of a new vault: all 16 slots, the first ones in use.
pub(crate) fn new_directory(
    access: &[Access<'_>],
    publics: &[SlotPublic],
    keys: &[Option<SlotKeys>],
    time: i64,
) -> Result<DirectoryV1, Error> {
    let mut access = access.iter();
    let slots = publics.iter().zip(keys).map(|(public, keys)| {
        let slot = match access.next() {
            Some(access) => listed_access(access, u8::from(is_password(access)), time),
            None => unused_slot(),
        };
        slot.made(public, keys.as_ref())
    });
    Ok(DirectoryV1 { slots: slots.collect::<Result<_, Error>>()? })
}

fn is_password(access: &Access<'_>) -> bool {
    AccessKind::of(access.credential) == AccessKind::Password
}

/// What the directory says of a way in whose slot is still to be made; `generation` is
/// that of a password.
pub(crate) fn listed_access(access: &Access<'_>, generation: u8, time: i64) -> DirectorySlotV1 {
    DirectorySlotV1 {
        public: Vec::new(),
        kind: AccessKind::of(access.credential).number(),
        generation: if is_password(access) { generation } else { 0 },
        grant: access.grant.mask(),
        name: access.name.to_owned(),
        created: time,
        signing: None,
    }
}

/// What the directory says of a slot for a key that nobody has.
pub(crate) fn unused_slot() -> DirectorySlotV1 {
    let (public, name) = (Vec::new(), String::new());
    DirectorySlotV1 { public, kind: 0, generation: 0, grant: 0, name, created: 0, signing: None }
}

impl DirectorySlotV1 {
    /// The same of the slot as it was made: its public halves. One that stays, whose keys
    /// are not known here, keeps those that are listed.
    pub(crate) fn made(self, public: &SlotPublic, keys: Option<&SlotKeys>) -> Result<Self, Error> {
        let signing = match keys {
            Some(keys) => Some(listed(&keys.signing)?),
            None => self.signing,
        };
        Ok(Self { public: public.as_bytes().to_vec(), signing, ..self })
    }
}

impl StateReader<'_> {
    pub(crate) fn directory(&self) -> Result<DirectoryV1, Error> {
        let row = self.row(Compartment::Custody, &RowKey::named("directory"))?;
        let row = row.ok_or(Error::Damaged { what: "directory" })?;
        Ok(wire::decode(&self.core.open_row(Compartment::Custody, &row)?)?)
    }

    pub(crate) fn area(&self) -> Result<Area, Error> {
        Area::parse(&self.snapshot.area_bytes).map_err(|_| Error::Damaged { what: "credential area" })
    }
}

/// What names a slot of the directory: SHA-256("subrosa/v1 access" ‖ public half)[..16].
pub(crate) fn access_id(slot: &DirectorySlotV1) -> AccessId {
    let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
        *Digest::of(&[b"subrosa/v1 access", &slot.public]).as_bytes();
    AccessId::from_bytes(id)
}

/// The marks of all passwords but those of the slots that are left out.
pub(crate) fn password_marks(directory: &DirectoryV1, left_out: impl Fn(usize) -> bool) -> Vec<u8> {
    let slots = directory.slots.iter().enumerate().filter(|(index, _)| !left_out(*index));
    slots
        .filter(|(_, slot)| slot.kind == DirectorySlotV1::PASSWORD)
        .map(|(_, slot)| slot.generation)
        .collect()
}

crate::secret::redacted_debug!(Access<'_>);
