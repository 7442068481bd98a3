//! X-Wing (draft-connolly-cfrg-xwing-kem): ML-KEM-768 with X25519, so that a
//! grant outlives a quantum computer.

use x_wing::{
    Decapsulate as _, DecapsulationKey, Decapsulator as _, EncapsulationKey, KeyExport as _, TryKeyInit as _,
};
use zeroize::Zeroize as _;

use super::key::GrantKey;
use super::random::{RandomError, Randomness};
use crate::secret::SecretBytes;

/// Bytes of a slot's public half.
pub(crate) const PUBLIC_LEN: usize = x_wing::ENCAPSULATION_KEY_SIZE;
/// Bytes of an encapsulation.
pub(crate) const ENCAPSULATION_LEN: usize = x_wing::CIPHERTEXT_SIZE;

/// The private half of a slot: the 32-byte X-Wing seed.
pub(crate) struct SlotSeed(SecretBytes);

/// The public half of a slot.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SlotPublic(Vec<u8>);

impl SlotSeed {
    /// Draws a seed.
    pub(crate) fn generate(random: &mut Randomness) -> Result<Self, RandomError> {
        random.secret().map(Self)
    }

    /// Takes over a seed that was decrypted from an own box.
    pub(crate) fn from_secret(secret: SecretBytes) -> Self {
        Self(secret)
    }

    /// The seed, to be wrapped.
    pub(crate) fn secret(&self) -> &SecretBytes {
        &self.0
    }

    /// The public half.
    pub(crate) fn public(&self) -> SlotPublic {
        let key = DecapsulationKey::from(*self.0.expose_secret());
        SlotPublic(key.encapsulation_key().to_bytes().to_vec())
    }

    /// Decapsulate(seed, encapsulation) → shared secret. Wrong bytes give a
    /// wrong secret, which the granted box's commitment then tells.
    pub(crate) fn decapsulate(&self, encapsulation: &[u8; ENCAPSULATION_LEN]) -> GrantKey {
        let key = DecapsulationKey::from(*self.0.expose_secret());
        let mut shared = key.decapsulate(&(*encapsulation).into());
        let grant = GrantKey::from_secret(SecretBytes::filled(|out| out.copy_from_slice(&shared)));
        shared.zeroize();
        grant
    }
}

impl SlotPublic {
    /// The public half of these bytes, if they are one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        EncapsulationKey::new_from_slice(bytes).ok()?;
        Some(Self(bytes.to_vec()))
    }

    /// The bytes of the public half.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Encapsulate(public half) → (encapsulation, shared secret).
    pub(crate) fn encapsulate(
        &self,
        random: &mut Randomness,
    ) -> Result<([u8; ENCAPSULATION_LEN], GrantKey), RandomError> {
        let key = EncapsulationKey::new_from_slice(&self.0).map_err(|_| RandomError)?;
        let mut coins = random.bytes::<{ x_wing::ENCAPSULATION_RANDOMNESS_SIZE }>()?;
        let (encapsulation, mut shared) = key.encapsulate_deterministic(&coins.into());
        let grant = GrantKey::from_secret(SecretBytes::filled(|out| out.copy_from_slice(&shared)));
        coins.zeroize();
        shared.zeroize();
        Ok((encapsulation.into(), grant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::CommittedKey as _;

    fn same(one: &GrantKey, other: &GrantKey) -> bool {
        one.input_key().expose_secret() == other.input_key().expose_secret()
    }

    #[test]
    fn both_sides_agree_and_a_changed_encapsulation_does_not() {
        let mut random = Randomness::from_system();
        let seed = SlotSeed::generate(&mut random).unwrap();
        let (mut encapsulation, ours) = seed.public().encapsulate(&mut random).unwrap();
        let theirs = seed.decapsulate(&encapsulation);
        assert!(same(&ours, &theirs));
        encapsulation[5] ^= 1;
        let other = seed.decapsulate(&encapsulation);
        assert!(!same(&ours, &other));
    }
}
