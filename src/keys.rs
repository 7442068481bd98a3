//! Credentials, slots, and the keys that a slot grants.
//!
//! A credential area is read here before anything is authenticated, so its
//! costs are checked before any work and all slots are tried alike.

mod credential;
mod shortcut;
mod slot;
mod unlock;

pub use credential::{Credential, CredentialError, Password, RawKey, RecoveryKey};
pub(crate) use slot::{AreaPlan, KnownShortcuts, NewSlot, SlotError, SlotPlan, replace_own_box};
pub(crate) use unlock::{OpenedSlot, Tried, UnlockKeys, check_opening};

use crate::crypto::kem::SlotSeed;
use crate::crypto::key::{AreaMacKey, CompartmentKey, RootKey, ShortcutKey, SigningSeed, VaultRootKey};
use crate::crypto::random::{RandomError, Randomness};
use crate::format::area::GRANTED_LEN;
use crate::format::place::{Compartment, PLACES};
use crate::id::VaultId;
use crate::secret::SecretBytes;

/// What a handle keeps of its slot's seed: enough to sign and to write the shortcut anew,
/// and not what opens the slot.
pub(crate) struct SlotKeys {
    /// The key of the slot's shortcut.
    pub(crate) shortcut: ShortcutKey,
    /// What the slot's signing keys are derived from.
    pub(crate) signing: SigningSeed,
}

impl SlotKeys {
    #[cfg_attr(test, track_caller)]
    fn derive(seed: &SlotSeed, vault: VaultId) -> Self {
        let vault = vault.as_bytes();
        Self { shortcut: seed.derive_shortcut_key(vault), signing: seed.derive_signing_seed(vault) }
    }
}

/// The compartments that a credential opens. `record` is always among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant(u8);

#[cfg(feature = "serde")]
crate::serial::written_as!(Grant, |grant| {
    let all = Compartment::ALL.into_iter();
    all.filter(|compartment| grant.includes(*compartment)).collect::<Vec<_>>()
});

impl Grant {
    /// Every compartment: the owner's grant.
    pub const ALL: Self = Self(0xff);

    /// These compartments and `record`.
    #[must_use]
    pub fn of(compartments: &[Compartment]) -> Self {
        Self(compartments.iter().fold(1, |mask, compartment| mask | 1 << compartment.place()))
    }

    /// Whether the compartment is among them.
    #[must_use]
    pub fn includes(self, compartment: Compartment) -> bool {
        self.0 & (1 << compartment.place()) != 0
    }

    /// What either grants.
    pub(crate) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The grant as a bit per place.
    pub(crate) fn mask(self) -> u8 {
        self.0
    }

    /// The grant of such a mask.
    pub(crate) fn from_mask(mask: u8) -> Option<Self> {
        (mask & 1 == 1).then_some(Self(mask))
    }
}

/// The keys that one unlocked credential gives.
pub(crate) struct Keyring {
    vault: VaultId,
    vault_root: VaultRootKey,
    compartments: [Option<CompartmentKey>; PLACES],
}

impl Keyring {
    /// Fresh keys for everything: of a new vault.
    pub(crate) fn generate(random: &mut Randomness, vault: VaultId) -> Result<Self, RandomError> {
        let vault_root = VaultRootKey::generate(random)?;
        let mut compartments = [const { None }; PLACES];
        for (key, compartment) in compartments.iter_mut().zip(Compartment::ALL) {
            *key = Some(match compartment {
                Compartment::Record => vault_root.derive_record_key(vault.as_bytes()),
                _ => CompartmentKey::generate(random)?,
            });
        }
        Ok(Self { vault, vault_root, compartments })
    }

    /// These keys with a new vault root key, and new keys of these compartments
    /// where one is held.
    pub(crate) fn renewed(&self, random: &mut Randomness, compartments: Grant) -> Result<Self, RandomError> {
        let mut renewed = Self::generate(random, self.vault)?;
        for ((key, known), compartment) in
            renewed.compartments.iter_mut().zip(&self.compartments).zip(Compartment::ALL)
        {
            match known {
                None => *key = None,
                Some(known) if !compartments.includes(compartment) => *key = Some(known.duplicate()),
                Some(_) => {}
            }
        }
        Ok(renewed)
    }

    /// The compartments that these keys open.
    pub(crate) fn grant(&self) -> Grant {
        let held: Vec<_> = Compartment::ALL.into_iter().filter(|c| self.compartment(*c).is_some()).collect();
        Grant::of(&held)
    }

    /// The key of a compartment, if it is held.
    pub(crate) fn compartment(&self, compartment: Compartment) -> Option<&CompartmentKey> {
        self.compartments.get(compartment.index()).and_then(Option::as_ref)
    }

    #[cfg(test)]
    pub(crate) fn vault_root(&self) -> &VaultRootKey {
        &self.vault_root
    }

    /// The key of the roots.
    pub(crate) fn root_key(&self) -> RootKey {
        self.vault_root.derive_root_key(self.vault.as_bytes())
    }

    /// The key of the areas' MACs.
    pub(crate) fn area_mac_key(&self) -> AreaMacKey {
        self.vault_root.derive_area_mac_key(self.vault.as_bytes())
    }

    /// vault root key ‖ grant mask ‖ 7 compartment keys, random where not granted.
    ///
    /// Returns `None` when a key to be granted is not held.
    fn granted_plaintext(
        &self,
        random: &mut Randomness,
        grant: Grant,
    ) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, RandomError> {
        let mut plain = zeroize::Zeroizing::new(Vec::with_capacity(GRANTED_LEN));
        plain.extend_from_slice(self.vault_root.secret().expose_secret());
        plain.push(grant.mask());
        for compartment in Compartment::ALL.into_iter().skip(1) {
            match (grant.includes(compartment), self.compartment(compartment)) {
                (true, Some(key)) => plain.extend_from_slice(key.secret().expose_secret()),
                (true, None) => return Ok(None),
                (false, _) => plain.extend_from_slice(random.secret()?.expose_secret()),
            }
        }
        Ok(Some(plain))
    }

    fn from_granted_plaintext(vault: VaultId, plain: &[u8]) -> Option<Self> {
        let (vault_root, rest) = plain.split_first_chunk::<32>()?;
        let (mask, keys) = rest.split_first()?;
        let grant = Grant::from_mask(*mask)?;
        let vault_root = VaultRootKey::from_secret(SecretBytes::filled(|out| *out = *vault_root));
        let mut compartments = [const { None }; PLACES];
        let mut stored = keys.chunks_exact(32);
        for (key, compartment) in compartments.iter_mut().zip(Compartment::ALL) {
            if compartment == Compartment::Record {
                *key = Some(vault_root.derive_record_key(vault.as_bytes()));
                continue;
            }
            let bytes = stored.next()?.first_chunk::<32>()?;
            if grant.includes(compartment) {
                *key = Some(CompartmentKey::from_secret(SecretBytes::filled(|out| *out = *bytes)));
            }
        }
        (plain.len() == GRANTED_LEN).then_some(Self { vault, vault_root, compartments })
    }
}
