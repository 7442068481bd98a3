//! Signing keys for ES256 and Ed25519. How a signature verifies is a matter of the excerpt
//! that carries it: `crates/excerpt`.
//!
//! An algorithm belongs to its key: nothing chooses it anew at a signature.

use p256::ecdsa::signature::Signer as _;
use subrosa_excerpt::{PublicKey, Signer, SignerError};

use super::key::SigningSeed;
#[cfg(any(test, feature = "testing"))]
use super::random::{RandomError, Randomness};
use crate::secret::SecretBytes;

pub use subrosa_excerpt::SignatureAlgorithm;
pub(crate) use subrosa_excerpt::signature::{PublicBytes, SignatureError, VerifyingKey};

/// A private key.
pub(crate) enum SigningKey {
    /// ES256.
    Es256(p256::ecdsa::SigningKey),
    /// Ed25519.
    Ed25519(ed25519_dalek::SigningKey),
}

impl SigningKey {
    /// The key of a slot for this algorithm: the first candidate that is one, as RFC 9180
    /// section 7.1.3 derives keys of P-256. Of 2^32 candidates for ES256 one is out of range.
    #[cfg_attr(test, track_caller)]
    pub(crate) fn derive(seed: &SigningSeed, algorithm: SignatureAlgorithm) -> Result<Self, SignatureError> {
        let label = match algorithm {
            SignatureAlgorithm::Es256 => "subrosa/v1 ES256",
            SignatureAlgorithm::Ed25519 => "subrosa/v1 Ed25519",
            _ => return Err(SignatureError),
        };
        Self::first_of(algorithm, |number| seed.derive_candidate(label, number))
    }

    /// The first candidate that is a key.
    fn first_of(
        algorithm: SignatureAlgorithm,
        candidate: impl Fn(u8) -> SecretBytes,
    ) -> Result<Self, SignatureError> {
        let mut keys = (0..=u8::MAX).map(|number| Self::from_secret(algorithm, &candidate(number)));
        keys.find_map(Result::ok).ok_or(SignatureError)
    }

    /// Draws a key, for tests and measurements: a vault's are derived.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn generate(
        algorithm: SignatureAlgorithm,
        random: &mut Randomness,
    ) -> Result<Self, RandomError> {
        loop {
            // An ES256 candidate is out of range with probability 2^-32.
            if let Ok(key) = Self::from_secret(algorithm, &random.secret()?) {
                return Ok(key);
            }
        }
    }

    /// The key of these bytes: a big-endian scalar (ES256), a seed (Ed25519).
    pub(crate) fn from_secret(
        algorithm: SignatureAlgorithm,
        secret: &SecretBytes,
    ) -> Result<Self, SignatureError> {
        let secret = secret.expose_secret();
        match algorithm {
            SignatureAlgorithm::Es256 => {
                p256::ecdsa::SigningKey::from_slice(secret).map(Self::Es256).map_err(|_| SignatureError)
            }
            SignatureAlgorithm::Ed25519 => Ok(Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(secret))),
            _ => Err(SignatureError),
        }
    }

    /// The public half.
    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey::of(match self {
            Self::Es256(key) => VerifyingKey::Es256(*key.verifying_key()),
            Self::Ed25519(key) => VerifyingKey::Ed25519(key.verifying_key()),
        })
    }

    /// Signs: 64 bytes, r ‖ s with the lower s (RFC 7518 section 3.4) or R ‖ S (RFC 8032 section 5.1.6).
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        match self {
            Self::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.normalize_s().to_bytes().into()
            }
            Self::Ed25519(key) => key.sign(message).to_bytes(),
        }
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> PublicKey {
        SigningKey::public_key(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(SigningKey::sign(self, message).to_vec())
    }
}

/// The other signature of ES256 over the same message: r ‖ (n - s).
#[cfg(test)]
pub(crate) fn malleated(signature: &[u8]) -> Vec<u8> {
    let signature = p256::ecdsa::Signature::from_slice(signature).expect("a signature of ES256");
    let (r, s) = signature.split_scalars();
    p256::ecdsa::Signature::from_scalars(r, -s).expect("two scalars").to_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::super::kem::SlotSeed;
    use super::*;

    fn secret(byte: u8) -> SecretBytes {
        SecretBytes::filled(|bytes| bytes.fill(byte))
    }

    #[test]
    fn a_slot_has_one_key_for_each_algorithm_and_vault() {
        let key = |seed: u8, vault: u8, algorithm| {
            let seed = SlotSeed::from_secret(secret(seed)).derive_signing_seed(&[vault; 16]);
            SigningKey::derive(&seed, algorithm).unwrap().public_key()
        };
        for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519] {
            let of = |seed, vault| key(seed, vault, algorithm);
            assert_eq!(of(1, 1).algorithm(), algorithm);
            assert!(of(1, 1) == of(1, 1));
            assert!(of(1, 1) != of(2, 1) && of(1, 1) != of(1, 2));
        }
    }

    #[test]
    fn a_candidate_that_is_no_scalar_of_the_curve_is_passed_over() {
        // Zero and all ones are out of range (FIPS 186-5 section 6.2.1).
        let candidate = |number| secret([0, 0xff, 3].get(usize::from(number)).copied().unwrap_or(4));
        let key = SigningKey::first_of(SignatureAlgorithm::Es256, candidate).unwrap();
        let third = SigningKey::from_secret(SignatureAlgorithm::Es256, &secret(3)).unwrap();
        assert!(key.public_key() == third.public_key());
        assert!(SigningKey::first_of(SignatureAlgorithm::Es256, |_| secret(0)).is_err());
    }

    #[test]
    fn what_was_signed_verifies_and_nothing_else_does() {
        for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519] {
            let key = SigningKey::generate(algorithm, &mut Randomness::from_system()).unwrap();
            let signature = SigningKey::sign(&key, b"message");
            let public = key.public_key().verifying_key();
            assert_eq!(public.algorithm(), algorithm);
            assert_eq!(public.verify(b"message", &signature), Ok(()));
            assert_eq!(public.verify(b"massage", &signature), Err(SignatureError));
            assert_eq!(public.normalize(&signature), Some(signature.to_vec()), "the lower s");
        }
    }
}
