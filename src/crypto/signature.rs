//! Signing keys for ES256 and Ed25519. How a signature verifies is a matter of the excerpt
//! that carries it: `crates/excerpt`.
//!
//! An algorithm belongs to its key: nothing chooses it anew at a signature.

use p256::ecdsa::signature::Signer as _;
use subrosa_excerpt::signature::{SignatureError, VerifyingKey};
use subrosa_excerpt::{PublicKey, Signer, SignerError};

use super::random::{RandomError, Randomness};
use crate::secret::SecretBytes;

pub use subrosa_excerpt::SignatureAlgorithm;

/// A private key.
pub(crate) enum SigningKey {
    /// ES256.
    Es256(p256::ecdsa::SigningKey),
    /// Ed25519.
    Ed25519(ed25519_dalek::SigningKey),
}

impl SigningKey {
    /// Draws a key.
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

    /// The bytes that [`SigningKey::from_secret`] takes.
    pub(crate) fn to_secret(&self) -> SecretBytes {
        SecretBytes::filled(|bytes| match self {
            Self::Es256(key) => bytes.copy_from_slice(&key.to_bytes()),
            Self::Ed25519(key) => *bytes = *key.as_bytes(),
        })
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
    use super::*;

    #[test]
    fn what_was_signed_verifies_and_nothing_else_does() {
        for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519] {
            let key = SigningKey::generate(algorithm, &mut Randomness::from_system()).unwrap();
            let again = SigningKey::from_secret(algorithm, &key.to_secret()).unwrap();
            let signature = SigningKey::sign(&again, b"message");
            let public = key.public_key().verifying_key();
            assert_eq!(public.algorithm(), algorithm);
            assert_eq!(public.verify(b"message", &signature), Ok(()));
            assert_eq!(public.verify(b"massage", &signature), Err(SignatureError));
            assert_eq!(public.normalize(&signature), Some(signature.to_vec()), "the lower s");
        }
    }
}
