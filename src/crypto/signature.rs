//! ES256: ECDSA on P-256 with SHA-256 (FIPS 186-5, RFC 7518 section 3.4),
//! deterministic nonces (RFC 6979).

use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use thiserror::Error;

use super::random::{RandomError, Randomness};
use crate::secret::SecretBytes;

/// A signature or a key that does not verify or decode. Opaque on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature or key is not valid")]
pub(crate) struct SignatureError;

/// A private ES256 key.
pub(crate) struct Es256SigningKey(SigningKey);

impl Es256SigningKey {
    /// Draws a key.
    pub(crate) fn generate(random: &mut Randomness) -> Result<Self, RandomError> {
        loop {
            // A candidate is out of range with probability 2^-32.
            if let Ok(key) = Self::from_secret(&random.secret()?) {
                return Ok(key);
            }
        }
    }

    /// The key with this big-endian scalar.
    pub(crate) fn from_secret(scalar: &SecretBytes) -> Result<Self, SignatureError> {
        SigningKey::from_slice(scalar.expose_secret()).map(Self).map_err(|_| SignatureError)
    }

    /// The big-endian scalar.
    pub(crate) fn to_secret(&self) -> SecretBytes {
        SecretBytes::filled(|bytes| bytes.copy_from_slice(&self.0.to_bytes()))
    }

    /// The public half.
    pub(crate) fn verifying_key(&self) -> Es256VerifyingKey {
        Es256VerifyingKey(*self.0.verifying_key())
    }

    /// Signs: r ‖ s, 64 bytes (RFC 7518 section 3.4).
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature: Signature = self.0.sign(message);
        signature.to_bytes().into()
    }
}

/// A public ES256 key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Es256VerifyingKey(VerifyingKey);

impl Es256VerifyingKey {
    /// The key with these affine coordinates, checked to be on the curve.
    pub(crate) fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Result<Self, SignatureError> {
        let mut point = [4; 65];
        for (to, from) in point.iter_mut().skip(1).zip(x.iter().chain(y)) {
            *to = *from;
        }
        VerifyingKey::from_sec1_bytes(&point).map(Self).map_err(|_| SignatureError)
    }

    /// The affine coordinates, x and y.
    pub(crate) fn coordinates(&self) -> ([u8; 32], [u8; 32]) {
        let (mut x, mut y) = ([0; 32], [0; 32]);
        let point = self.0.to_sec1_point(false);
        for (to, from) in x.iter_mut().chain(&mut y).zip(point.as_bytes().iter().skip(1)) {
            *to = *from;
        }
        (x, y)
    }

    /// Verifies r ‖ s over `message`.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature = Signature::from_slice(signature).map_err(|_| SignatureError)?;
        self.0.verify(message, &signature).map_err(|_| SignatureError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_verifies_and_nothing_else_does() {
        let key = Es256SigningKey::generate(&mut Randomness::from_system()).unwrap();
        let again = Es256SigningKey::from_secret(&key.to_secret()).unwrap();
        let signature = again.sign(b"message");
        let (x, y) = key.verifying_key().coordinates();
        let public = Es256VerifyingKey::from_coordinates(&x, &y).unwrap();
        assert_eq!(public.verify(b"message", &signature), Ok(()));
        assert_eq!(public.verify(b"massage", &signature), Err(SignatureError));
        assert_eq!(public.verify(b"message", &signature[..63]), Err(SignatureError));
        assert!(Es256VerifyingKey::from_coordinates(&y, &x).is_err());
    }

    #[test]
    fn wycheproof_signatures_are_judged_as_stated() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../shared/data/crypto/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json"
        );
        let Ok(text) = std::fs::read(path) else {
            eprintln!("SKIPPED: ../shared/data is absent");
            return;
        };
        let vectors: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let mut judged = 0;
        for group in vectors["testGroups"].as_array().unwrap() {
            let key = hex(&group["publicKey"]["uncompressed"]);
            let (x, y) = (key[1..33].try_into().unwrap(), key[33..].try_into().unwrap());
            let key = Es256VerifyingKey::from_coordinates(x, y).unwrap();
            for test in group["tests"].as_array().unwrap() {
                let valid = key.verify(&hex(&test["msg"]), &hex(&test["sig"])).is_ok();
                assert_eq!(valid, test["result"] == "valid", "{}", test["tcId"]);
                judged += 1;
            }
        }
        assert_eq!(judged, vectors["numberOfTests"].as_u64().unwrap());
    }

    fn hex(text: &serde_json::Value) -> Vec<u8> {
        let digits = text.as_str().unwrap().as_bytes();
        let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(pair).collect()
    }
}
