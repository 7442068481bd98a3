//! Adding ways in and taking them away.

use super::generations::Generations;
use super::renewal::{PlannedSlot, Renewal, kept, publish_renewal};
use crate::crypto::random::Randomness;
use crate::engine::actor::Actor;
use crate::engine::core::StateReader;
use crate::engine::directory::Access;
use crate::engine::directory::{access_id, listed_access, password_marks, unused_slot};
use crate::engine::facts::{Action, Detail};
use crate::engine::ledger::Line;
use crate::error::Error;
use crate::format::area::Area;
use crate::format::place::Compartment;
use crate::id::AccessId;
use crate::keys::{Credential, Grant, NewSlot, SlotPlan};
use crate::payload::custody::{DirectorySlotV1, DirectoryV1};
#[cfg(doc)]
use crate::store::StoreError;
use crate::vault::session::handle::Session;
use crate::vault::session::options::VaultOptions;
use crate::vault::session::state::WayIn;
use crate::vault::session::writing::start_writing;

/// Ways in to add and to revoke, all in one commit.
///
/// ```
/// use subrosa::vault::{AccessChange, Compartment};
/// use subrosa::{Access, Actor, Error, Grant, NewVault, RawKey, Vault, VaultOptions};
///
/// # fn main() -> Result<(), Error> {
/// let (owner, clinic) = (RawKey::generate()?.into(), RawKey::generate()?.into());
/// let vault = Vault::create_in_memory(&NewVault::individual(&owner), VaultOptions::default())?;
/// let grant = Grant::of(&[Compartment::General]);
/// let change = AccessChange::default().adding(Access::new(&clinic, "clinic", grant));
/// let added = vault.change_access(&Actor::owner(), &change)?;
/// assert_eq!(vault.access()?.len(), 2);
/// vault.change_access(&Actor::owner(), &AccessChange::default().revoking(added))?;
/// assert_eq!(vault.access()?.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[non_exhaustive]
pub struct AccessChange<'a> {
    /// What is taken away.
    pub revoke: Vec<AccessId>,
    /// What is added.
    pub add: Vec<Access<'a>>,
}

impl<'a> AccessChange<'a> {
    /// The same change, which also adds this way in.
    #[must_use]
    pub fn adding(mut self, access: Access<'a>) -> Self {
        self.add.push(access);
        self
    }

    /// The same change, which also revokes these ways in.
    #[must_use]
    pub fn revoking(mut self, ids: impl IntoIterator<Item = AccessId>) -> Self {
        self.revoke.extend(ids);
        self
    }
}

pub(crate) fn change_access(
    session: &Session,
    actor: &Actor,
    change: &AccessChange<'_>,
) -> Result<Vec<AccessId>, Error> {
    let _call = session.begin()?;
    session.may_write()?;
    change.add.iter().try_for_each(Access::check)?;
    if change.revoke.is_empty() && change.add.is_empty() {
        return Err(Error::Invalid { what: "name at least one way in to add or to take away" });
    }
    let (mut writer, current) =
        start_writing(&*session.store, || session.unlocked(), session.options.lock_wait)?;
    let prepared = current.reader().prepare(change, &session.options, current.way_in.clone())?;
    let lines = prepared.lines(actor);
    let added = prepared.added;
    publish_renewal(session, &mut *writer, &current, actor, prepared.renewal, prepared.way_in, lines)?;
    Ok(added)
}

/// A change of access that is ready to be published.
struct Prepared {
    renewal: Renewal,
    revoked: Vec<Named>,
    granted: Vec<Named>,
    added: Vec<AccessId>,
    way_in: Option<WayIn>,
}

/// A way in as the ledger names it: what the owner calls it, and the fingerprint of the key
/// that it signs with, if that is a key.
struct Named {
    name: String,
    signer: Option<String>,
}

impl Prepared {
    fn lines(&self, actor: &Actor) -> Vec<(Compartment, Line)> {
        let line = |action, named: &Named| {
            let line = Line::of(action, actor).with(Detail::Name, &named.name);
            let line = match &named.signer {
                Some(signer) => line.with(Detail::Signer, signer),
                None => line,
            };
            // Names of ways in are for those who may see the directory.
            (Compartment::Custody, line)
        };
        let revoked = self.revoked.iter().map(|named| line(Action::AccessRevoked, named));
        let granted = self.granted.iter().map(|named| line(Action::AccessGranted, named));
        revoked.chain(granted).collect()
    }
}

impl StateReader<'_> {
    /// A key that cannot be read keeps nobody from being revoked.
    fn named(&self, slot: &DirectorySlotV1) -> Named {
        let signer = self.key_of(slot).ok().flatten().map(|key| key.fingerprint().to_string());
        Named { name: slot.name.clone(), signer }
    }

    fn prepare(
        &self,
        change: &AccessChange<'_>,
        options: &VaultOptions,
        way_in: Option<WayIn>,
    ) -> Result<Prepared, Error> {
        let directory = self.directory()?;
        if let Some(way_in) = &way_in {
            way_in.expect_listed(&directory, self.core.keyring.grant())?;
        }
        let slots = slots_to_revoke(&directory, &change.revoke)?;
        let is_revoked = |slot: usize| slots.contains(&slot);
        let before = self.area()?;
        let adds_password = change.add.iter().any(|a| matches!(a.credential, Credential::Password(_)));
        let cost = if adds_password { Some(options.new_password_cost()?) } else { None };
        let marks = password_marks(&directory, is_revoked);
        let mut random = Randomness::from_system();
        let generations = Generations::renewed(&mut random, &before, &marks, cost, &options.kdf_limits)?;
        let generation = before.generation.checked_add(1);
        let generation = generation.ok_or(Error::Damaged { what: "generation of the credential area" })?;

        let mut lost = Grant::of(&[]);
        let mut revoked = Vec::new();
        let mut planned = Vec::with_capacity(directory.slots.len());
        for (index, slot) in directory.slots.into_iter().enumerate() {
            if is_revoked(index) {
                lost = lost.union(Grant::from_mask(slot.grant).ok_or(Error::Damaged { what: "directory" })?);
                revoked.push(self.named(&slot));
                planned.push((unused_slot(), SlotPlan::Unused));
            } else {
                planned.push(kept(slot, &before, &generations)?);
            }
        }
        let added = place_added(&mut planned, &change.add, &generations, options.now())?;
        if !planned.iter().any(|(listed, _)| listed.grant == Grant::ALL.mask()) {
            return Err(Error::LastFullAccess);
        }
        let area = Area { generation, kdf: generations.kdf, slots: before.slots };
        let way_in = way_in.filter(|way_in| !is_revoked(way_in.slot));
        let known: Vec<_> = way_in.iter().filter_map(WayIn::known_shortcut).collect();
        let renewal = self.renew(&mut random, &area, &generations, (planned, &known), lost)?;
        let slots: Vec<_> = added.into_iter().filter_map(|slot| renewal.directory.slots.get(slot)).collect();
        let granted = slots.iter().map(|slot| self.named(slot)).collect();
        let added = slots.into_iter().map(access_id).collect();
        Ok(Prepared { renewal, revoked, granted, added, way_in })
    }
}

fn slots_to_revoke(directory: &DirectoryV1, ids: &[AccessId]) -> Result<Vec<usize>, Error> {
    let find =
        |id: &AccessId| directory.slots.iter().position(|slot| slot.kind != 0 && access_id(slot) == *id);
    ids.iter().map(|id| find(id).ok_or(Error::NoSuchAccess)).collect()
}

/// Puts new ways in over unused slots; returns which.
fn place_added<'a>(
    planned: &mut [PlannedSlot<'a>],
    add: &[Access<'a>],
    generations: &Generations,
    time: i64,
) -> Result<Vec<usize>, Error> {
    let mut taken = Vec::with_capacity(add.len());
    let mut free = planned.iter_mut().enumerate().filter(|(_, (listed, _))| listed.kind == 0);
    for access in add {
        let (index, slot) = free.next().ok_or(Error::NoFreeAccess)?;
        *slot = (
            listed_access(access, generations.mark(&generations.run), time),
            SlotPlan::New(NewSlot { credential: access.credential, grant: access.grant }),
        );
        taken.push(index);
    }
    Ok(taken)
}

crate::secret::redacted_debug!(AccessChange<'_>);
