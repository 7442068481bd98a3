//! Slots: made alike whether used or not, tried alike whether right or not.

use super::{Credential, Grant, Keyring};
use crate::crypto::boxes::{commits_to, decrypt_committed, encrypt_committed};
use crate::crypto::kdf::{KdfError, KdfLimits, KdfParameters, derive_unlock_key};
use crate::crypto::kem::{SlotPublic, SlotSeed};
use crate::crypto::key::UnlockKey;
use crate::crypto::random::{RandomError, Randomness};
use crate::format::area::{Area, GRANTED_LEN, OwnBox, SLOTS, Slot};
use crate::format::context::{Purpose, Scope};
use crate::secret::SecretBytes;

/// What a credential opened.
pub(crate) struct OpenedSlot {
    /// Position of the slot in the area.
    pub(crate) index: usize,
    pub(crate) keyring: Keyring,
    /// The run of the password that opened it.
    pub(crate) run: Option<KdfParameters>,
    seed: SlotSeed,
}

impl OpenedSlot {
    /// The public half of the slot.
    pub(crate) fn public(&self) -> SlotPublic {
        self.seed.public()
    }
}

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

/// A new area and the public halves of its 16 slots.
pub(crate) struct AreaPlan {
    pub(crate) area: Area,
    pub(crate) publics: Vec<SlotPublic>,
}

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
        let mut plan =
            Self { area: Area { generation: 1, kdf: [kdf; 2], slots: Vec::new() }, publics: Vec::new() };
        for new in slots {
            let unlock = unlock_key(new.credential, scope, &kdf)?;
            if is_taken(scope, &plan.area.slots, &unlock) {
                return Err(SlotError::Taken);
            }
            let plain = keyring.granted_plaintext(random, new.grant)?.ok_or(SlotError::TooMany)?;
            plan.push(random, scope, &unlock, &plain)?;
        }
        while plan.area.slots.len() < SLOTS {
            plan.push_unused(random, scope)?;
        }
        Ok(plan)
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
    ) -> Result<Self, SlotError> {
        let area = Area { generation: before.generation, kdf: before.kdf, slots: Vec::new() };
        let mut plan = Self { area, publics: Vec::new() };
        let kept = || before.slots.iter().zip(slots).filter(|(_, p)| matches!(p, SlotPlan::Kept(..)));
        for (slot, new) in before.slots.iter().zip(slots) {
            match new {
                SlotPlan::Kept(public, grant) => {
                    let plain = match grant {
                        Some(grant) => keyring.granted_plaintext(random, *grant)?,
                        None => Some(nobodys_plaintext(random)?),
                    };
                    let plain = plain.ok_or(SlotError::TooMany)?;
                    plan.area.slots.push(granted_slot(random, scope, slot.own, public, &plain)?);
                    plan.publics.push(public.clone());
                }
                SlotPlan::New(new) => {
                    let unlock = unlock_key(new.credential, scope, run)?;
                    let others = kept().map(|(slot, _)| slot).chain(&plan.area.slots);
                    refuse_taken(scope, before, others, (new.credential, run, &unlock))?;
                    let plain = keyring.granted_plaintext(random, new.grant)?.ok_or(SlotError::TooMany)?;
                    plan.push(random, scope, &unlock, &plain)?;
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
    ) -> Result<(), RandomError> {
        let seed = SlotSeed::generate(random)?;
        let public = seed.public();
        let own = own_box(random, scope, unlock, &seed)?;
        self.area.slots.push(granted_slot(random, scope, own, &public, granted)?);
        self.publics.push(public);
        Ok(())
    }

    fn push_unused(&mut self, random: &mut Randomness, scope: Scope) -> Result<(), RandomError> {
        let unlock = UnlockKey::from_secret(random.secret()?);
        let plain = nobodys_plaintext(random)?;
        self.push(random, scope, &unlock, &plain)
    }
}

/// What a slot is granted that nobody can open.
fn nobodys_plaintext(random: &mut Randomness) -> Result<zeroize::Zeroizing<Vec<u8>>, RandomError> {
    let mut plain = zeroize::Zeroizing::new(vec![0; GRANTED_LEN]);
    random.fill(&mut plain)?;
    Ok(plain)
}

/// A slot with a fresh encapsulation to its public half.
fn granted_slot(
    random: &mut Randomness,
    scope: Scope,
    own: OwnBox,
    public: &SlotPublic,
    plain: &[u8],
) -> Result<Slot, RandomError> {
    let (encapsulation, key) = public.encapsulate(random)?;
    let context = scope.context(Purpose::GrantedBox).bytes();
    let granted = encrypt_committed(random, &key, &context, plain)?;
    Ok(Slot { own, encapsulation, granted: granted.try_into().map_err(|_| RandomError)? })
}

fn own_box(
    random: &mut Randomness,
    scope: Scope,
    unlock: &UnlockKey,
    seed: &SlotSeed,
) -> Result<OwnBox, RandomError> {
    let context = scope.context(Purpose::OwnBox).bytes();
    let own = encrypt_committed(random, unlock, &context, seed.secret().expose_secret())?;
    own.try_into().map_err(|_| RandomError)
}

fn unlock_key(credential: &Credential, scope: Scope, kdf: &KdfParameters) -> Result<UnlockKey, KdfError> {
    let vault = scope.vault.as_bytes();
    match credential {
        Credential::Password(password) => derive_unlock_key(password.text(), kdf),
        Credential::RecoveryKey(key) => Ok(UnlockKey::derive(key.secret(), vault, "subrosa/v1 recovery key")),
        Credential::RawKey(key) => Ok(UnlockKey::derive(key.secret(), vault, "subrosa/v1 raw key")),
    }
}

/// Whether one of the slots opens with this key already. Only one of two such
/// slots would ever be found, perhaps the one that grants less.
fn is_taken<'s>(scope: Scope, slots: impl IntoIterator<Item = &'s Slot>, unlock: &UnlockKey) -> bool {
    let context = scope.context(Purpose::OwnBox).bytes();
    slots.into_iter().any(|slot| commits_to(unlock, &context, &slot.own))
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

fn distinct_runs(runs: impl IntoIterator<Item = KdfParameters>) -> Vec<KdfParameters> {
    let mut distinct = Vec::new();
    for run in runs {
        if !distinct.contains(&run) {
            distinct.push(run);
        }
    }
    distinct
}

/// Checks the runs of one opening, of all stored areas, against the limits:
/// each distinct run once and all together.
pub(crate) fn check_opening(runs: &[KdfParameters], limits: &KdfLimits) -> Result<(), KdfError> {
    let costs: Vec<_> = distinct_runs(runs.iter().copied()).into_iter().map(|run| run.cost).collect();
    limits.check(&costs)
}

/// The unlock keys to try on an area: one per distinct KDF run for a password.
pub(crate) struct UnlockKeys(Vec<(KdfParameters, UnlockKey)>, bool);

impl UnlockKeys {
    /// Derives what `areas` need for this credential, each distinct run once,
    /// after all of them together have met the limits.
    pub(crate) fn derive(
        credential: &Credential,
        scope: Scope,
        areas: &[Area],
        limits: &KdfLimits,
    ) -> Result<Self, KdfError> {
        let mut runs = distinct_runs(areas.iter().flat_map(|area| area.kdf));
        let is_password = matches!(credential, Credential::Password(_));
        if is_password {
            check_opening(&runs, limits)?;
        } else {
            runs.truncate(1);
        }
        let keys = runs.into_iter().map(|run| Ok((run, unlock_key(credential, scope, &run)?)));
        Ok(Self(keys.collect::<Result<_, KdfError>>()?, is_password))
    }

    fn for_area(&self, area: &Area) -> impl Iterator<Item = &(KdfParameters, UnlockKey)> {
        let runs = area.kdf_runs();
        let any = !self.1;
        self.0.iter().filter(move |(run, _)| any || runs.contains(run))
    }
}

/// Whether a slot of the area commits to one of the keys; where [`open_area`]
/// gives nothing all the same, the slot is damaged.
pub(crate) fn commits_area(scope: Scope, area: &Area, keys: &UnlockKeys) -> bool {
    find_slot(scope, area, keys).is_some()
}

/// Tries the keys on every slot of an area; all commitments are compared
/// whichever matches.
fn find_slot<'k>(
    scope: Scope,
    area: &Area,
    keys: &'k UnlockKeys,
) -> Option<(usize, &'k (KdfParameters, UnlockKey))> {
    let context = scope.context(Purpose::OwnBox).bytes();
    let mut found = None;
    for key in keys.for_area(area) {
        for (index, slot) in area.slots.iter().enumerate() {
            if commits_to(&key.1, &context, &slot.own) {
                found = Some((index, key));
            }
        }
    }
    found
}

/// What one of the keys opens in an area.
pub(crate) fn open_area(scope: Scope, area: &Area, keys: &UnlockKeys) -> Option<OpenedSlot> {
    let context = scope.context(Purpose::OwnBox).bytes();
    let (index, (run, key)) = find_slot(scope, area, keys)?;
    let slot = area.slots.get(index)?;
    let seed = decrypt_committed(key, &context, &slot.own).ok()?;
    let seed = seed.first_chunk::<32>()?;
    let seed = SlotSeed::from_secret(SecretBytes::filled(|out| *out = *seed));
    let grant = seed.decapsulate(&slot.encapsulation);
    let plain = decrypt_committed(&grant, &scope.context(Purpose::GrantedBox).bytes(), &slot.granted).ok()?;
    let keyring = Keyring::from_granted_plaintext(scope.vault, &plain)?;
    Some(OpenedSlot { index, keyring, run: keys.1.then_some(*run), seed })
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
        slot.own = own_box(random, scope, &unlock, &opened.seed)?;
    }
    Ok(area)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::kdf::KdfCost;
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
        let keys = UnlockKeys::derive(credential, scope(), std::slice::from_ref(area), &any_cost()).unwrap();
        open_area(scope(), area, &keys)
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
        let area = Area::parse(&bytes).unwrap();
        assert!(Area::verify(&bytes, &keyring.area_mac_key()));

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
        let commits = |area: &Area, credential: &Credential| {
            let areas = std::slice::from_ref(area);
            let keys = UnlockKeys::derive(credential, scope(), areas, &any_cost()).unwrap();
            (commits_area(scope(), area, &keys), open_area(scope(), area, &keys).is_some())
        };
        assert_eq!(commits(&area, &owner), (true, true));
        assert_eq!(commits(&area, &other), (false, false));
        let last = area.slots[0].granted.len() - 1;
        area.slots[0].granted[last] ^= 1;
        assert_eq!(commits(&area, &owner), (true, false));
        assert_eq!(commits(&area, &other), (false, false));
    }
}
