//! X-Wing (draft-connolly-cfrg-xwing-kem-06): ML-KEM-768 (FIPS 203) with X25519
//! (RFC 7748), so that a grant outlives a quantum computer.
//!
//! Composed here of its two halves, so that a decapsulation expands the seed
//! once; the crate `x-wing` is the oracle of the tests.

use ml_kem::kem::{Decapsulate as _, KeyExport as _, TryKeyInit as _};
use ml_kem::{B32, DecapsulationKey, EncapsulationKey, MlKem768};
use sha3::{Digest as _, Sha3_256};
use shake::{ExtendableOutput as _, Shake256, Update as _, XofReader as _};
use x25519_dalek::{PublicKey, SharedSecret, StaticSecret};
use zeroize::{Zeroize as _, Zeroizing};

use super::key::{GrantKey, ShortcutKey, SigningSeed};
use super::random::{RandomError, Randomness};
use crate::secret::SecretBytes;

const ML_KEM_PUBLIC_LEN: usize = 1184;
const ML_KEM_CIPHERTEXT_LEN: usize = 1088;
const X25519_LEN: usize = 32;
/// Bytes of a slot's public half.
pub(crate) const PUBLIC_LEN: usize = ML_KEM_PUBLIC_LEN + X25519_LEN;
/// Bytes of an encapsulation.
pub(crate) const ENCAPSULATION_LEN: usize = ML_KEM_CIPHERTEXT_LEN + X25519_LEN;
/// Random bytes that an encapsulation takes: 32 for each half.
const COINS_LEN: usize = 64;
/// XWingLabel.
const LABEL: &[u8; 6] = br"\.//^\";

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
        let Expanded { ml_kem, x25519 } = Expanded::of(&self.0);
        let mut public = Vec::with_capacity(PUBLIC_LEN);
        public.extend_from_slice(&ml_kem.encapsulation_key().to_bytes());
        public.extend_from_slice(PublicKey::from(&x25519).as_bytes());
        SlotPublic(public)
    }

    /// The key of the slot's shortcut.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn derive_shortcut_key(&self, vault: &[u8; 16]) -> ShortcutKey {
        ShortcutKey::derive(&self.0, vault)
    }

    /// What the slot's signing keys are derived from.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn derive_signing_seed(&self, vault: &[u8; 16]) -> SigningSeed {
        SigningSeed::derive(&self.0, vault)
    }

    /// Decapsulate(seed, encapsulation) → shared secret. Wrong bytes give a
    /// wrong secret, which the granted box's commitment then tells.
    pub(crate) fn decapsulate(&self, encapsulation: &[u8; ENCAPSULATION_LEN]) -> GrantKey {
        let Expanded { ml_kem, x25519 } = Expanded::of(&self.0);
        let (ml_kem_part, x25519_part) = halves(encapsulation);
        let first = ml_kem_decapsulate(&ml_kem, ml_kem_part);
        let second = x25519_shared(&x25519, x25519_part);
        combine(&first, &second, x25519_part, PublicKey::from(&x25519).as_bytes())
    }
}

impl SlotPublic {
    /// The public half of these bytes, if they are one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        ml_kem_public(bytes)?;
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
        let mut coins = random.bytes::<COINS_LEN>()?;
        let encapsulated = self.encapsulate_with(&coins).ok_or(RandomError);
        coins.zeroize();
        encapsulated
    }

    /// EncapsulateDerand(public half, coins).
    fn encapsulate_with(&self, coins: &[u8; COINS_LEN]) -> Option<([u8; ENCAPSULATION_LEN], GrantKey)> {
        let (ml_kem, x25519) = ml_kem_public(&self.0)?;
        let (first_coins, second_coins) = coins.split_first_chunk::<32>()?;
        let (ml_kem_part, first) = ml_kem.encapsulate_deterministic(&B32::from(*first_coins));
        let first = Zeroizing::new(<[u8; 32]>::from(first));
        let ephemeral = StaticSecret::from(*second_coins.first_chunk::<32>()?);
        let x25519_part = PublicKey::from(&ephemeral).to_bytes();
        let second = x25519_shared(&ephemeral, &x25519);
        let mut encapsulation = [0; ENCAPSULATION_LEN];
        let parts = ml_kem_part.iter().chain(&x25519_part);
        encapsulation.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        Some((encapsulation, combine(&first, &second, &x25519_part, &x25519)))
    }
}

/// A seed as expandDecapsulationKey gives it: SHAKE256(seed, 96 bytes), of which
/// 64 are the seed of ML-KEM-768 and 32 the secret of X25519.
struct Expanded {
    ml_kem: DecapsulationKey<MlKem768>,
    x25519: StaticSecret,
}

impl Expanded {
    fn of(seed: &SecretBytes) -> Self {
        let mut reader = Shake256::default().chain(seed.expose_secret()).finalize_xof();
        let (mut ml_kem, mut x25519) = (Zeroizing::new([0; 64]), Zeroizing::new([0; X25519_LEN]));
        reader.read(&mut *ml_kem);
        reader.read(&mut *x25519);
        Self { ml_kem: ml_kem_key(&ml_kem), x25519: StaticSecret::from(*x25519) }
    }
}

/// ML-KEM.KeyGen_internal(d, z) (FIPS 203 algorithm 16).
fn ml_kem_key(seed: &[u8; 64]) -> DecapsulationKey<MlKem768> {
    DecapsulationKey::from_seed((*seed).into())
}

/// ML-KEM.Decaps (FIPS 203 algorithm 21).
fn ml_kem_decapsulate(
    key: &DecapsulationKey<MlKem768>,
    ciphertext: &[u8; ML_KEM_CIPHERTEXT_LEN],
) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(key.decapsulate(&(*ciphertext).into()).into())
}

/// X25519 (RFC 7748 section 5). A point of small order gives zeros, as the draft
/// allows: nobody but the owner of the grant would be harmed.
fn x25519_shared(secret: &StaticSecret, public: &[u8; X25519_LEN]) -> SharedSecret {
    secret.diffie_hellman(&PublicKey::from(*public))
}

/// The two public halves, checked as FIPS 203 section 7.2 demands.
fn ml_kem_public(bytes: &[u8]) -> Option<(EncapsulationKey<MlKem768>, [u8; X25519_LEN])> {
    let (ml_kem, x25519) = bytes.split_first_chunk::<ML_KEM_PUBLIC_LEN>()?;
    Some((EncapsulationKey::new_from_slice(ml_kem).ok()?, x25519.try_into().ok()?))
}

fn halves(encapsulation: &[u8; ENCAPSULATION_LEN]) -> (&[u8; ML_KEM_CIPHERTEXT_LEN], &[u8; X25519_LEN]) {
    let (ml_kem, x25519) =
        encapsulation.split_first_chunk().expect("an encapsulation is longer than its first half");
    (ml_kem, x25519.first_chunk().expect("its second half is the rest"))
}

/// SHA3-256(ss_M ‖ ss_X ‖ ct_X ‖ pk_X ‖ XWingLabel).
fn combine(
    ml_kem: &[u8; 32],
    x25519: &SharedSecret,
    ciphertext: &[u8; X25519_LEN],
    public: &[u8; X25519_LEN],
) -> GrantKey {
    let mut hasher = Sha3_256::new();
    for part in [ml_kem, x25519.as_bytes(), ciphertext, public] {
        sha3::Digest::update(&mut hasher, part);
    }
    sha3::Digest::update(&mut hasher, LABEL);
    GrantKey::from_secret(SecretBytes::filled(|out| hasher.finalize_into(out.into())))
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

    /// The crate of the draft's authors' test vectors, from the same coins.
    #[test]
    fn the_crate_x_wing_gives_the_same() {
        use x_wing::{Decapsulate as _, Decapsulator as _, KeyExport as _};
        let mut random = Randomness::from_system();
        for _ in 0..8 {
            let seed = SlotSeed::generate(&mut random).unwrap();
            let oracle = x_wing::DecapsulationKey::from(*seed.secret().expose_secret());
            let public = seed.public();
            assert_eq!(oracle.encapsulation_key().to_bytes().to_vec(), public.as_bytes());
            let coins = random.bytes().unwrap();
            let (encapsulation, ours) = public.encapsulate_with(&coins).unwrap();
            let (theirs, shared) = oracle.encapsulation_key().encapsulate_deterministic(&coins.into());
            assert_eq!(theirs.to_vec(), encapsulation);
            assert_eq!(shared.to_vec(), ours.input_key().expose_secret());
            let mut changed = encapsulation;
            changed[random.bytes::<1>().unwrap()[0] as usize] ^= 1;
            let rejected = oracle.decapsulate(&changed.into());
            assert_eq!(rejected.to_vec(), seed.decapsulate(&changed).input_key().expose_secret());
        }
    }

    #[test]
    fn a_public_half_of_another_length_or_out_of_range_is_refused() {
        let public = SlotSeed::generate(&mut Randomness::from_system()).unwrap().public();
        let bytes = public.as_bytes();
        assert!(SlotPublic::from_bytes(bytes).is_some());
        assert!(SlotPublic::from_bytes(&bytes[1..]).is_none());
        assert!(SlotPublic::from_bytes(&[bytes, &[0]].concat()).is_none());
        // Coefficients of 4095 are no residues of 3329.
        let out_of_range = [&[0xff; 3], &bytes[3..]].concat();
        assert!(SlotPublic::from_bytes(&out_of_range).is_none());
    }

    #[test]
    fn wycheproof_x25519() {
        let Some(groups) = wycheproof("x25519_test.json") else { return };
        let mut judged = 0;
        for test in groups.iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let bytes = |name: &str| -> [u8; 32] { hex(&test[name]).try_into().unwrap() };
            let shared = x25519_shared(&StaticSecret::from(bytes("private")), &bytes("public"));
            assert_eq!(*shared.as_bytes(), bytes("shared"), "tcId {}", test["tcId"]);
            judged += 1;
        }
        assert_eq!(judged, 518);
    }

    #[test]
    fn wycheproof_ml_kem_768() {
        let Some(groups) = wycheproof("mlkem_768_test.json") else { return };
        let (mut valid, mut invalid) = (0, 0);
        for test in groups.iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let decapsulated = || {
                let key = ml_kem_key(hex(&test["seed"]).as_slice().try_into().ok()?);
                let shared = ml_kem_decapsulate(&key, hex(&test["c"]).as_slice().try_into().ok()?);
                Some((key.encapsulation_key().to_bytes().to_vec(), shared.to_vec()))
            };
            let is_valid = decapsulated()
                .is_some_and(|(public, shared)| public == hex(&test["ek"]) && shared == hex(&test["K"]));
            assert_eq!(is_valid, test["result"] == "valid", "tcId {}", test["tcId"]);
            if is_valid { valid += 1 } else { invalid += 1 }
        }
        assert_eq!(valid + invalid, 193);
        assert!(valid > 0 && invalid > 0);
    }
}
