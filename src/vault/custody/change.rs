//! Adding ways in and taking them away.

use super::generations::Generations;
use super::renewal::{PlannedSlot, Renewal, kept, publish_renewal};
use crate::crypto::random::Randomness;
use crate::engine::actor::Actor;
use crate::engine::core::StateReader;
use crate::engine::directory::Access;
use crate::engine::directory::{AccessKind, access_id, password_marks};
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
    let lines = prepared.lines(actor, change);
    let added = prepared.added;
    publish_renewal(session, &mut *writer, &current, actor, prepared.renewal, prepared.way_in, lines)?;
    Ok(added)
}

/// A change of access that is ready to be published.
struct Prepared {
    renewal: Renewal,
    /// The names of what is taken away.
    revoked: Vec<String>,
    added: Vec<AccessId>,
    way_in: Option<WayIn>,
}

impl Prepared {
    fn lines(&self, actor: &Actor, change: &AccessChange<'_>) -> Vec<(Compartment, Line)> {
        let line = |action, name: &str| {
            // Names of ways in are for those who may see the directory.
            (Compartment::Custody, Line::of(action, actor).with(Detail::Name, name))
        };
        let revoked = self.revoked.iter().map(|name| line(Action::AccessRevoked, name));
        revoked.chain(change.add.iter().map(|access| line(Action::AccessGranted, access.name))).collect()
    }
}

impl StateReader<'_> {
    fn prepare(
        &self,
        change: &AccessChange<'_>,
        options: &VaultOptions,
        way_in: Option<WayIn>,
    ) -> Result<Prepared, Error> {
        let directory = self.directory()?;
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
                revoked.push(slot.name);
                planned.push((unused(), SlotPlan::Unused));
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
        let added = added.into_iter().filter_map(|slot| renewal.access_id(slot)).collect();
        Ok(Prepared { renewal, revoked, added, way_in })
    }
}

impl Renewal {
    fn access_id(&self, slot: usize) -> Option<AccessId> {
        self.directory.slots.get(slot).map(access_id)
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
        let kind = AccessKind::of(access.credential);
        *slot = (
            DirectorySlotV1 {
                public: Vec::new(),
                kind: kind.number(),
                generation: if kind == AccessKind::Password { generations.mark(&generations.run) } else { 0 },
                grant: access.grant.mask(),
                name: access.name.to_owned(),
                created: time,
            },
            SlotPlan::New(NewSlot { credential: access.credential, grant: access.grant }),
        );
        taken.push(index);
    }
    Ok(taken)
}

/// What the directory says of a slot for a key that nobody has.
fn unused() -> DirectorySlotV1 {
    DirectorySlotV1 { public: Vec::new(), kind: 0, generation: 0, grant: 0, name: String::new(), created: 0 }
}

crate::secret::redacted_debug!(AccessChange<'_>);
