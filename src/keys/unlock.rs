//! Unlocking: one selector of each slot is compared, and only the box of a slot
//! that it names is tried.

use super::shortcut::{follow, granted_context, shortcut_to};
use super::{Credential, Keyring, SlotKeys};
use crate::crypto::boxes::{commits_to, committed_salt, decrypt_committed};
use crate::crypto::kdf::{KdfError, KdfLimits, KdfParameters, derive_unlock_key};
use crate::crypto::kem::{SlotPublic, SlotSeed};
use crate::crypto::key::{SelectorKey, UnlockKey, selects};
use crate::crypto::random::Randomness;
use crate::format::area::{Area, ShortcutBox, Slot};
use crate::format::context::{CONTEXT_LEN, Purpose, Scope};
use crate::secret::SecretBytes;

/// What a credential opened.
pub(crate) struct OpenedSlot {
    /// Position of the slot in the area.
    pub(crate) index: usize,
    pub(crate) keyring: Keyring,
    /// The run of the password that opened it.
    pub(crate) run: Option<KdfParameters>,
    /// What its seed gives a handle.
    pub(crate) keys: SlotKeys,
    /// The shortcut that the slot should have, where the one that it has leads nowhere.
    pub(crate) restored: Option<ShortcutBox>,
    pub(super) seed: SlotSeed,
}

impl OpenedSlot {
    /// The public half of the slot.
    pub(crate) fn public(&self) -> SlotPublic {
        self.seed.public()
    }
}

/// What trying a credential on an area comes to.
pub(crate) enum Tried {
    Opened(Box<OpenedSlot>),
    /// A slot commits to the credential, and is damaged.
    Damaged,
    /// No slot commits to it.
    Refused,
}

impl Tried {
    /// What was opened.
    pub(crate) fn opened(self) -> Option<OpenedSlot> {
        match self {
            Self::Opened(slot) => Some(*slot),
            Self::Damaged | Self::Refused => None,
        }
    }
}

/// A key to try, and the run that it comes from.
struct TriedKey {
    run: KdfParameters,
    unlock: UnlockKey,
    selector: SelectorKey,
}

/// The unlock keys to try on an area: one per distinct KDF run for a password.
pub(crate) struct UnlockKeys {
    keys: Vec<TriedKey>,
    is_password: bool,
}

impl UnlockKeys {
    /// Derives what areas of these runs need for this credential, each distinct run
    /// once, after all of them together have met the limits.
    pub(crate) fn derive(
        credential: &Credential,
        scope: Scope,
        runs: impl IntoIterator<Item = KdfParameters>,
        limits: &KdfLimits,
    ) -> Result<Self, KdfError> {
        let mut runs = distinct_runs(runs);
        let is_password = matches!(credential, Credential::Password(_));
        if is_password {
            check_opening(&runs, limits)?;
        } else {
            runs.truncate(1);
        }
        let key = |run| {
            let unlock = unlock_key(credential, scope, &run)?;
            let selector = unlock.derive_selector_key(scope.vault.as_bytes());
            Ok(TriedKey { run, unlock, selector })
        };
        let keys = runs.into_iter().map(key).collect::<Result<_, KdfError>>()?;
        Ok(Self { keys, is_password })
    }

    fn for_area(&self, area: &Area) -> impl Iterator<Item = &TriedKey> {
        let runs = area.kdf_runs();
        self.keys.iter().filter(move |key| !self.is_password || runs.contains(&key.run))
    }

    /// Tries the keys on every slot of an area; all selectors are compared whichever
    /// matches, and of the slots that they name the first one counts that commits.
    ///
    /// A shortcut that leads nowhere is made anew for whoever may write it back.
    pub(crate) fn open(&self, random: &mut Randomness, scope: Scope, area: &Area) -> Tried {
        let context = own_context(scope);
        for key in self.for_area(area) {
            for (index, slot) in selected(&key.selector, &area.slots) {
                let seed = match decrypt_committed(&key.unlock, &context, &slot.own) {
                    Ok(seed) => seed,
                    Err(_) if commits_to(&key.unlock, &context, &slot.own) => return Tried::Damaged,
                    Err(_) => continue,
                };
                let run = self.is_password.then_some(key.run);
                let opened = OpenedSlot::open(random, scope, (index, slot), &seed, run);
                return opened.map_or(Tried::Damaged, |opened| Tried::Opened(Box::new(opened)));
            }
        }
        Tried::Refused
    }
}

impl OpenedSlot {
    fn open(
        random: &mut Randomness,
        scope: Scope,
        (index, slot): (usize, &Slot),
        seed: &[u8],
        run: Option<KdfParameters>,
    ) -> Option<Self> {
        let seed = seed.first_chunk::<32>()?;
        let seed = SlotSeed::from_secret(SecretBytes::filled(|out| *out = *seed));
        let keys = SlotKeys::derive(&seed, scope.vault);
        let (plain, restored) = match follow(scope, &keys.shortcut, slot) {
            Some(plain) => (plain, None),
            None => {
                let grant = seed.decapsulate(&slot.encapsulation);
                let plain = decrypt_committed(&grant, &granted_context(scope), &slot.granted).ok()?;
                (plain, shortcut_to(random, scope, &keys.shortcut, slot, &grant).ok())
            }
        };
        let keyring = Keyring::from_granted_plaintext(scope.vault, &plain)?;
        Some(Self { index, keyring, run, keys, restored, seed })
    }
}

pub(super) fn own_context(scope: Scope) -> [u8; CONTEXT_LEN] {
    scope.context(Purpose::OwnBox).bytes()
}

pub(super) fn unlock_key(
    credential: &Credential,
    scope: Scope,
    kdf: &KdfParameters,
) -> Result<UnlockKey, KdfError> {
    let vault = scope.vault.as_bytes();
    match credential {
        Credential::Password(password) => derive_unlock_key(password.text(), kdf),
        Credential::RecoveryKey(key) => Ok(UnlockKey::derive(key.secret(), vault, "subrosa/v1 recovery key")),
        Credential::RawKey(key) => Ok(UnlockKey::derive(key.secret(), vault, "subrosa/v1 raw key")),
    }
}

/// The slots that a key's selector names, with their positions.
fn selected<'s>(key: &SelectorKey, slots: &'s [Slot]) -> Vec<(usize, &'s Slot)> {
    let selector = key.selectors();
    let named = |slot: &Slot| selects(&selector(committed_salt(&slot.own)), &slot.selector);
    slots.iter().enumerate().filter(|(_, slot)| named(slot)).collect()
}

/// Whether one of the slots opens with this key already. Only one of two such
/// slots would ever be found, perhaps the one that grants less.
pub(super) fn is_taken<'s>(
    scope: Scope,
    slots: impl IntoIterator<Item = &'s Slot>,
    unlock: &UnlockKey,
) -> bool {
    let context = own_context(scope);
    slots.into_iter().any(|slot| commits_to(unlock, &context, &slot.own))
}

pub(super) fn distinct_runs(runs: impl IntoIterator<Item = KdfParameters>) -> Vec<KdfParameters> {
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
