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
        let mut coins = random.bytes::<{ x_wing::ENCAPSULATION_RANDOMNESS_SIZE }>()?;
        let encapsulated = self.encapsulate_with(&coins).ok_or(RandomError);
        coins.zeroize();
        encapsulated
    }

    /// EncapsulateDerand(public half, coins).
    fn encapsulate_with(
        &self,
        coins: &[u8; x_wing::ENCAPSULATION_RANDOMNESS_SIZE],
    ) -> Option<([u8; ENCAPSULATION_LEN], GrantKey)> {
        let key = EncapsulationKey::new_from_slice(&self.0).ok()?;
        let (encapsulation, mut shared) = key.encapsulate_deterministic(&(*coins).into());
        let grant = GrantKey::from_secret(SecretBytes::filled(|out| out.copy_from_slice(&shared)));
        shared.zeroize();
        Some((encapsulation.into(), grant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::digest::Digest;
    use crate::crypto::key::CommittedKey as _;
    use crate::testing::{hex, wycheproof};

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

    /// draft-connolly-cfrg-xwing-kem appendix C: seed, the coins in two halves, the
    /// shared secret, and SHA-256 of the public half and of the encapsulation.
    #[test]
    fn the_vectors_of_the_draft_hold() {
        let vectors = [
            (
                "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
                "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2",
                "35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
                "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
                "2e816deebcd76c5c80d0cd2d174478871658e8e2ff42bc9d4a6e486372e856bb",
                "17cd532d657e44c897ca6583e548a5424fc70bf54f99515a4d2bcf99e3469f33",
            ),
            (
                "badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea",
                "17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdef",
                "aee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d",
                "f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150",
                "c42ba5f8430d7d2c83739338203819f090e8303ce9c8b02107c272bfa5376916",
                "1661ea86d608a1924ba30840cb0a65f13ae051e3aec9cf0f064efc0bc92f2154",
            ),
            (
                "ef58538b8d23f87732ea63b02b4fa0f4873360e2841928cd60dd4cee8cc0d4c9",
                "22a96188d032675c8ac850933c7aff1533b94c834adbb69c6115bad4692d8619",
                "f90b0cdf8a7b9c264029ac185b70b83f2801f2f4b3f70c593ea3aeeb613a7f1b",
                "953f7f4e8c5b5049bdc771d1dffada0dd961477d1a2ae0988baa7ea6898d893f",
                "6b080d6b84f095342092fa7a22423e58bd681397ad0ef00eac92bd254db4fa95",
                "d3ca5578500344b5896cffc4fd740c9311946b82951df155e6fd86a7966b43c6",
            ),
        ];
        for (seed, first, second, shared, public, encapsulation) in vectors {
            let bytes = |text: &str| -> [u8; 32] { hex(&serde_json::json!(text)).try_into().unwrap() };
            let seed = SlotSeed::from_secret(SecretBytes::filled(|out| *out = bytes(seed)));
            let coins = [bytes(first), bytes(second)].concat().try_into().unwrap();
            let (made, ours) = seed.public().encapsulate_with(&coins).unwrap();
            assert_eq!(Digest::of(&[seed.public().as_bytes()]), Digest::from_bytes(bytes(public)));
            assert_eq!(Digest::of(&[&made]), Digest::from_bytes(bytes(encapsulation)));
            assert_eq!(*ours.input_key().expose_secret(), bytes(shared));
            assert!(same(&ours, &seed.decapsulate(&made)));
        }
    }

    // X-Wing hashes its two halves together, so that neither is to be had from
    // outside. These are the crates and versions that it is built from.

    #[test]
    fn wycheproof_x25519_as_x_wing_has_it() {
        let Some(groups) = wycheproof("x25519_test.json") else { return };
        let mut judged = 0;
        for test in groups.iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let bytes = |name: &str| -> [u8; 32] { hex(&test[name]).try_into().unwrap() };
            let shared = x25519_dalek::x25519(bytes("private"), bytes("public"));
            assert_eq!(shared, bytes("shared"), "tcId {}", test["tcId"]);
            judged += 1;
        }
        assert_eq!(judged, 518);
    }

    #[test]
    fn wycheproof_ml_kem_768_as_x_wing_has_it() {
        let Some(groups) = wycheproof("mlkem_768_test.json") else { return };
        let (mut valid, mut invalid) = (0, 0);
        for test in groups.iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let is_valid = ml_kem_768(&hex(&test["seed"]), &hex(&test["c"]))
                .is_some_and(|(public, shared)| public == hex(&test["ek"]) && shared == hex(&test["K"]));
            assert_eq!(is_valid, test["result"] == "valid", "tcId {}", test["tcId"]);
            if is_valid { valid += 1 } else { invalid += 1 }
        }
        assert_eq!(valid + invalid, 193);
        assert!(valid > 0 && invalid > 0);
    }

    /// The public half of a seed, and what decapsulation gives; `None` for bytes of
    /// another length.
    fn ml_kem_768(seed: &[u8], ciphertext: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        use ml_kem::kem::{Decapsulate as _, KeyExport as _};
        let key = ml_kem::DecapsulationKey::<ml_kem::MlKem768>::from_seed(seed.try_into().ok()?);
        let shared = key.decapsulate(&ciphertext.try_into().ok()?);
        Some((key.encapsulation_key().to_bytes().to_vec(), shared.to_vec()))
    }
}
