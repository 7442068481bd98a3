//! The vault's ways in, as the directory lists them.

pub(crate) mod change;
mod generations;
pub(crate) mod password;
mod renewal;
use std::time::SystemTime;

use crate::crypto::kdf::KdfCost;
use crate::engine::directory::{AccessKind, access_id};
use crate::engine::time::from_milliseconds;
use crate::error::Error;
use crate::excerpt::PublicKey;
use crate::id::AccessId;
use crate::keys::Grant;
use crate::vault::session::audit::ReadKind;
use crate::vault::session::handle::Session;
use crate::vault::session::state::Unlocked;

/// A way in, as the directory lists it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ListedAccess {
    /// Names it, for [`Vault::change_access`](crate::Vault::change_access).
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
    /// The key that verifies the excerpts it signs; `None` where this version does not know
    /// how the vault signs.
    pub public_key: Option<PublicKey>,
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

pub(crate) fn access(session: &Session) -> Result<Vec<ListedAccess>, Error> {
    let (directory, keys, area) = session.read(|reader| {
        let directory = reader.directory()?;
        let keys = directory.slots.iter().map(|slot| match slot.kind {
            0 => Ok(None),
            _ => reader.key_of(slot),
        });
        let keys = keys.collect::<Result<Vec<_>, Error>>()?;
        Ok((directory, keys, reader.area()?))
    })?;
    let Unlocked { core, way_in, .. } = session.unlocked()?;
    let grant = core.keyring.grant();
    let own = way_in.as_ref().map(|way_in| way_in.slot);
    if let Some(way_in) = &way_in {
        way_in.expect_listed(&directory, grant)?;
    }
    let [first, second] = area.kdf;
    let listed =
        directory.slots.into_iter().zip(keys).enumerate().filter_map(|(index, (slot, public_key))| {
            Some(ListedAccess {
                public_key,
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
    session.tell_count(ReadKind::AccessListed, None, Vec::new(), listed.len());
    Ok(listed)
}
