//! Slots: made alike whether used or not.

use super::shortcut::{granted_context, shortcut_to};
use super::unlock::{OpenedSlot, is_taken, own_context, unlock_key};
use super::{Credential, Grant, Keyring, SlotKeys};
use crate::crypto::boxes::{committed_salt, encrypt_committed};
use crate::crypto::committed_len;
use crate::crypto::kdf::{KdfError, KdfParameters};
use crate::crypto::kem::{SlotPublic, SlotSeed};
use crate::crypto::key::{SELECTOR_LEN, ShortcutKey, UnlockKey};
use crate::crypto::random::{RandomError, Randomness};
use crate::format::area::{Area, GRANTED_LEN, OwnBox, SHORTCUT_LEN, SLOTS, Slot};
use crate::format::context::Scope;

/// A credential that a new area is to have.
pub(crate) struct NewSlot<'a> {
    pub(crate) credential: &'a Credential,
    pub(crate) grant: Grant,
}

/// What becomes of a slot when all are granted anew.
pub(crate) enum SlotPlan<'a> {
    /// Whoever opens it goes on to, whoever that is; `None` where nobody can.
    Kept(SlotPublic, Option<Grant>),
    /// Another slot takes its place, for this credential.
    New(NewSlot<'a>),
    /// Another slot takes its place, for a key that nobody has.
    Unused,
}

/// A new area, and what is known of each of its 16 slots.
pub(crate) struct AreaPlan {
    pub(crate) area: Area,
    pub(crate) publics: Vec<SlotPublic>,
    /// The keys of the slots that were made here for a credential.
    pub(crate) keys: Vec<Option<SlotKeys>>,
}

/// The keys of shortcuts that a writer knows, each with the position of its slot.
/// The shortcuts of the other slots that stay are random until their owners write.
pub(crate) type KnownShortcuts<'a> = [(usize, &'a ShortcutKey)];

/// Why slots could not be made.
pub(crate) enum SlotError {
    Random(RandomError),
    Kdf(KdfError),
    TooMany,
    /// Another slot opens with the same credential.
    Taken,
    /// No generation comes after the area's.
    LastGeneration,
}

impl From<RandomError> for SlotError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl From<KdfError> for SlotError {
    fn from(error: KdfError) -> Self {
        Self::Kdf(error)
    }
}

impl AreaPlan {
    /// An area for a new vault: the credentials given, the rest genuine slots
    /// for keys that nobody has.
    pub(crate) fn generate(
        random: &mut Randomness,
        scope: Scope,
        keyring: &Keyring,
        kdf: KdfParameters,
        slots: &[NewSlot<'_>],
    ) -> Result<Self, SlotError> {
        if slots.is_empty() || slots.len() > SLOTS {
            return Err(SlotError::TooMany);
        }
        let mut plan = Self::empty(Area { generation: 1, kdf: [kdf; 2], slots: Vec::new() });
        for new in slots {
            let unlock = unlock_key(new.credential, scope, &kdf)?;
            if is_taken(scope, &plan.area.slots, &unlock) {
                return Err(SlotError::Taken);
            }
            let plain = keyring.granted_plaintext(random, new.grant)?.ok_or(SlotError::TooMany)?;
            plan.push_used(random, scope, &unlock, &plain)?;
        }
        while plan.area.slots.len() < SLOTS {
            plan.push_unused(random, scope)?;
        }
        Ok(plan)
    }

    fn empty(area: Area) -> Self {
        Self { area, publics: Vec::new(), keys: Vec::new() }
    }

    /// `before` with every slot granted anew under `keyring`, used or not, to the
    /// public halves, so without anybody's password. New passwords take `run`.
    pub(crate) fn regrant(
        random: &mut Randomness,
        scope: Scope,
        keyring: &Keyring,
        before: &Area,
        run: &KdfParameters,
        slots: &[SlotPlan<'_>],
        known: &KnownShortcuts<'_>,
    ) -> Result<Self, SlotError> {
        let area = Area { generation: before.generation, kdf: before.kdf, slots: Vec::new() };
        let mut plan = Self::empty(area);
        let kept = || before.slots.iter().zip(slots).filter(|(_, p)| matches!(p, SlotPlan::Kept(..)));
        for (index, (slot, new)) in before.slots.iter().zip(slots).enumerate() {
            match new {
                SlotPlan::Kept(public, grant) => {
                    let plain = match grant {
                        Some(grant) => keyring.granted_plaintext(random, *grant)?,
                        None => Some(nobodys_plaintext(random)?),
                    };
                    let plain = plain.ok_or(SlotError::TooMany)?;
                    let shortcut = known.iter().find(|(known, _)| *known == index).map(|(_, key)| *key);
                    let own = (slot.selector, slot.own);
                    plan.area.slots.push(granted_slot(random, scope, own, public, &plain, shortcut)?);
                    plan.publics.push(public.clone());
                    plan.keys.push(None);
                }
                SlotPlan::New(new) => {
                    let unlock = unlock_key(new.credential, scope, run)?;
                    let others = kept().map(|(slot, _)| slot).chain(&plan.area.slots);
                    refuse_taken(scope, before, others, (new.credential, run, &unlock))?;
                    let plain = keyring.granted_plaintext(random, new.grant)?.ok_or(SlotError::TooMany)?;
                    plan.push_used(random, scope, &unlock, &plain)?;
                }
                SlotPlan::Unused => plan.push_unused(random, scope)?,
            }
        }
        Ok(plan)
    }

    fn push(
        &mut self,
        random: &mut Randomness,
        scope: Scope,
        unlock: &UnlockKey,
        granted: &[u8],
    ) -> Result<SlotKeys, RandomError> {
        let seed = SlotSeed::generate(random)?;
        let public = seed.public();
        let own = own_box(random, scope, unlock, &seed)?;
        let keys = SlotKeys::derive(&seed, scope.vault);
        self.area.slots.push(granted_slot(random, scope, own, &public, granted, Some(&keys.shortcut))?);
        self.publics.push(public);
        Ok(keys)
    }

    fn push_used(
        &mut self,
        random: &mut Randomness,
        scope: Scope,
        unlock: &UnlockKey,
        granted: &[u8],
    ) -> Result<(), RandomError> {
        let keys = self.push(random, scope, unlock, granted)?;
        self.keys.push(Some(keys));
        Ok(())
    }

    fn push_unused(&mut self, random: &mut Randomness, scope: Scope) -> Result<(), RandomError> {
        let unlock = UnlockKey::from_secret(random.secret()?);
        let plain = nobodys_plaintext(random)?;
        self.push(random, scope, &unlock, &plain)?;
        self.keys.push(None);
        Ok(())
    }
}

/// What a slot is granted that nobody can open.
fn nobodys_plaintext(random: &mut Randomness) -> Result<zeroize::Zeroizing<Vec<u8>>, RandomError> {
    let mut plain = zeroize::Zeroizing::new(vec![0; GRANTED_LEN]);
    random.fill(&mut plain)?;
    Ok(plain)
}

/// A slot with a fresh encapsulation to its public half, and a shortcut past it for
/// whoever has its seed: random bytes where the key of that is not known.
fn granted_slot(
    random: &mut Randomness,
    scope: Scope,
    (selector, own): ([u8; SELECTOR_LEN], OwnBox),
    public: &SlotPublic,
    plain: &[u8],
    shortcut: Option<&ShortcutKey>,
) -> Result<Slot, RandomError> {
    let (encapsulation, key) = public.encapsulate(random)?;
    let granted = encrypt_committed(random, &key, &granted_context(scope), plain)?;
    let granted = granted.try_into().map_err(|_| RandomError)?;
    let unknown = random.bytes::<{ committed_len(SHORTCUT_LEN) }>()?;
    let mut slot = Slot { selector, own, encapsulation, granted, shortcut: unknown };
    if let Some(shortcut) = shortcut {
        slot.shortcut = shortcut_to(random, scope, shortcut, &slot, &key)?;
    }
    Ok(slot)
}

/// An own box, and the selector by which its credential finds it.
fn own_box(
    random: &mut Randomness,
    scope: Scope,
    unlock: &UnlockKey,
    seed: &SlotSeed,
) -> Result<([u8; SELECTOR_LEN], OwnBox), RandomError> {
    let own = encrypt_committed(random, unlock, &own_context(scope), seed.secret().expose_secret())?;
    let own: OwnBox = own.try_into().map_err(|_| RandomError)?;
    let selector = unlock.derive_selector_key(scope.vault.as_bytes()).selectors()(committed_salt(&own));
    Ok((selector, own))
}

/// Refuses a credential that opens one of `others` already, under any run of the
/// area if it is a password.
fn refuse_taken<'s>(
    scope: Scope,
    area: &Area,
    others: impl Iterator<Item = &'s Slot> + Clone,
    (credential, run, unlock): (&Credential, &KdfParameters, &UnlockKey),
) -> Result<(), SlotError> {
    let mut taken = is_taken(scope, others.clone(), unlock);
    if matches!(credential, Credential::Password(_)) {
        for other in area.kdf_runs().iter().filter(|other| *other != run) {
            taken |= is_taken(scope, others.clone(), &unlock_key(credential, scope, other)?);
        }
    }
    if taken { Err(SlotError::Taken) } else { Ok(()) }
}

/// The area with one slot's own box under a new credential: a password change.
/// No other slot may open with it, under any run that the new area keeps.
pub(crate) fn replace_own_box(
    random: &mut Randomness,
    scope: Scope,
    area: &Area,
    opened: &OpenedSlot,
    new: (&Credential, &KdfParameters, [KdfParameters; 2]),
) -> Result<Area, SlotError> {
    let (credential, run, kdf) = new;
    let generation = area.generation.checked_add(1).ok_or(SlotError::LastGeneration)?;
    let mut area = Area { generation, kdf, slots: area.slots.clone() };
    let unlock = unlock_key(credential, scope, run)?;
    let others = area.slots.iter().enumerate().filter(|(i, _)| *i != opened.index).map(|(_, slot)| slot);
    refuse_taken(scope, &area, others, (credential, run, &unlock))?;
    if let Some(slot) = area.slots.get_mut(opened.index) {
        (slot.selector, slot.own) = own_box(random, scope, &unlock, &opened.seed)?;
        slot.shortcut = opened.restored.unwrap_or(slot.shortcut);
    }
    Ok(area)
}

#[cfg(test)]
mod tests {
    use super::super::{Tried, UnlockKeys};
    use super::*;
    use crate::crypto::kdf::{KdfCost, KdfLimits};
    use crate::format::area::StoredArea;
    use crate::format::header::Header;
    use crate::format::place::Compartment;
    use crate::id::VaultId;
    use crate::keys::RawKey;

    fn scope() -> Scope {
        let vault = VaultId::from_bytes([5; 16]);
        Scope { header: Header::parse(&Header { vault }.encode()).unwrap().1, vault }
    }

    fn cheap(random: &mut Randomness) -> KdfParameters {
        KdfParameters::generate(random, KdfCost { memory_kib: 32, passes: 1, lanes: 1 }).unwrap()
    }

    fn any_cost() -> KdfLimits {
        KdfLimits { min_memory_kib: 0, min_passes: 0, ..KdfLimits::default() }
    }

    fn open(area: &Area, credential: &Credential) -> Option<OpenedSlot> {
        tried(area, credential).opened()
    }

    fn tried(area: &Area, credential: &Credential) -> Tried {
        let keys = UnlockKeys::derive(credential, scope(), area.kdf, &any_cost()).unwrap();
        keys.open(&mut Randomness::from_system(), scope(), area)
    }

    #[test]
    fn each_credential_opens_its_grant_and_no_other_opens_anything() {
        let mut random = Randomness::from_system();
        let keyring = Keyring::generate(&mut random, scope().vault).unwrap();
        let owner = Credential::password("owner").unwrap();
        let clinic = Credential::from(RawKey::from_bytes(&[1; 32]));
        let general = Grant::of(&[Compartment::General]);
        let slots = [
            NewSlot { credential: &owner, grant: Grant::ALL },
            NewSlot { credential: &clinic, grant: general },
        ];
        let kdf = cheap(&mut random);
        let plan = AreaPlan::generate(&mut random, scope(), &keyring, kdf, &slots).ok().unwrap();
        let bytes = plan.area.encode(&keyring.area_mac_key());
        let stored = StoredArea::parse(&bytes).unwrap();
        assert!(stored.verify(&keyring.area_mac_key()));
        assert!(*stored.digest() == Area::digest(&bytes));
        let area = stored.area;

        let opened = open(&area, &owner).unwrap();
        assert_eq!((opened.index, opened.keyring.grant()), (0, Grant::ALL));
        for compartment in Compartment::ALL {
            let key = |keyring: &Keyring| *keyring.compartment(compartment).unwrap().secret().expose_secret();
            assert_eq!(key(&opened.keyring), key(&keyring));
        }
        let opened = open(&area, &clinic).unwrap();
        assert_eq!((opened.index, opened.keyring.grant()), (1, general));
        assert!(open(&area, &Credential::password("Owner").unwrap()).is_none());
        assert!(open(&area, &RawKey::from_bytes(&[2; 32]).into()).is_none());
    }

    #[test]
    fn a_changed_password_opens_and_the_old_one_does_not() {
        let mut random = Randomness::from_system();
        let keyring = Keyring::generate(&mut random, scope().vault).unwrap();
        let (old, new) = (Credential::password("old").unwrap(), Credential::password("new").unwrap());
        let kdf = cheap(&mut random);
        let slots = [NewSlot { credential: &old, grant: Grant::ALL }];
        let area = AreaPlan::generate(&mut random, scope(), &keyring, kdf, &slots).ok().unwrap().area;
        let opened = open(&area, &old).unwrap();
        let second = cheap(&mut random);
        let changed = replace_own_box(&mut random, scope(), &area, &opened, (&new, &second, [kdf, second]))
            .ok()
            .unwrap();
        assert!(open(&changed, &old).is_none());
        assert_eq!(open(&changed, &new).unwrap().index, 0);
        assert_eq!(changed.generation, area.generation + 1);
    }

    #[test]
    fn after_the_last_generation_nothing_is_changed() {
        let mut random = Randomness::from_system();
        let keyring = Keyring::generate(&mut random, scope().vault).unwrap();
        let owner = Credential::password("owner").unwrap();
        let kdf = cheap(&mut random);
        let slots = [NewSlot { credential: &owner, grant: Grant::ALL }];
        let mut area = AreaPlan::generate(&mut random, scope(), &keyring, kdf, &slots).ok().unwrap().area;
        area.generation = u64::MAX;
        let opened = open(&area, &owner).unwrap();
        let changed = replace_own_box(&mut random, scope(), &area, &opened, (&owner, &kdf, [kdf; 2]));
        assert!(matches!(changed, Err(SlotError::LastGeneration)));
    }

    #[test]
    fn an_area_has_a_credential_and_no_more_than_it_has_slots() {
        let mut random = Randomness::from_system();
        let keyring = Keyring::generate(&mut random, scope().vault).unwrap();
        let kdf = cheap(&mut random);
        let keys: Vec<Credential> =
            (0..=SLOTS).map(|n| RawKey::from_bytes(&[u8::try_from(n).unwrap(); 32]).into()).collect();
        let mut generate = |count: usize| {
            let slots: Vec<_> =
                keys.iter().take(count).map(|credential| NewSlot { credential, grant: Grant::ALL }).collect();
            AreaPlan::generate(&mut random, scope(), &keyring, kdf, &slots)
        };
        assert!(matches!(generate(0), Err(SlotError::TooMany)));
        assert!(matches!(generate(SLOTS + 1), Err(SlotError::TooMany)));
        for count in [1, SLOTS] {
            let plan = generate(count).ok().unwrap();
            assert_eq!((plan.area.slots.len(), plan.publics.len()), (SLOTS, SLOTS), "used or not");
            let opens = keys.iter().filter(|key| open(&plan.area, key).is_some());
            assert_eq!(opens.count(), count);
        }
    }

    #[test]
    fn renewed_keys_are_new_where_asked_for_and_the_same_elsewhere() {
        let mut random = Randomness::from_system();
        let keyring = Keyring::generate(&mut random, scope().vault).unwrap();
        let bytes = |keyring: &Keyring, compartment| {
            keyring.compartment(compartment).map(|key| *key.secret().expose_secret())
        };
        let general = Grant::of(&[Compartment::General]);
        let renewed = keyring.renewed(&mut random, general).unwrap();
        for compartment in Compartment::ALL {
            let same = bytes(&keyring, compartment) == bytes(&renewed, compartment);
            assert_eq!(same, !general.includes(compartment), "{compartment:?}");
        }
        assert_ne!(
            keyring.vault_root().secret().expose_secret(),
            renewed.vault_root().secret().expose_secret()
        );
        let plain = keyring.granted_plaintext(&mut random, general).unwrap().unwrap();
        let partial = Keyring::from_granted_plaintext(scope().vault, &plain).unwrap();
        let renewed = partial.renewed(&mut random, Grant::ALL).unwrap();
        assert!(renewed.grant() == general, "none is held that was not");
        assert!(partial.granted_plaintext(&mut random, Grant::ALL).unwrap().is_none());
        for length in [0, 31, 32, plain.len() - 1] {
            assert!(Keyring::from_granted_plaintext(scope().vault, &plain[..length]).is_none(), "{length}");
        }
        let longer = [&plain[..], &[0]].concat();
        assert!(Keyring::from_granted_plaintext(scope().vault, &longer).is_none());
    }

    #[test]
    fn a_damaged_slot_is_told_from_a_wrong_credential() {
        let mut random = Randomness::from_system();
        let keyring = Keyring::generate(&mut random, scope().vault).unwrap();
        let [owner, other] = [1, 2].map(|byte| Credential::from(RawKey::from_bytes(&[byte; 32])));
        let kdf = cheap(&mut random);
        let slots = [NewSlot { credential: &owner, grant: Grant::ALL }];
        let mut area = AreaPlan::generate(&mut random, scope(), &keyring, kdf, &slots).ok().unwrap().area;
        assert!(matches!(tried(&area, &owner), Tried::Opened(_)));
        assert!(matches!(tried(&area, &other), Tried::Refused));
        let last = area.slots[0].granted.len() - 1;
        area.slots[0].granted[last] ^= 1;
        assert!(matches!(tried(&area, &owner), Tried::Damaged));
        assert!(matches!(tried(&area, &other), Tried::Refused));
    }
}
