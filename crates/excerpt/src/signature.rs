//! Signatures and how they verify: ES256, that is ECDSA on P-256 with SHA-256 (FIPS 186-5, RFC 7518
//! section 3.4) and deterministic nonces (RFC 6979), and Ed25519 (RFC 8032).
//!
//! An algorithm belongs to its key: nothing chooses it anew at a signature.

use p256::ecdsa::signature::Verifier as _;
use thiserror::Error;

/// A signature or a key that does not verify or decode. Opaque on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature or key is not valid")]
pub struct SignatureError;

/// What excerpts are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// ECDSA on P-256 with SHA-256: every browser and health wallet verifies it.
    #[default]
    Es256,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

/// A public key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum VerifyingKey {
    /// ES256.
    Es256(p256::ecdsa::VerifyingKey),
    /// Ed25519.
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// The public bytes of a key, as JSON Web Keys have them.
pub enum PublicBytes {
    /// The affine coordinates of a point on P-256.
    Es256 {
        /// The x coordinate.
        x: [u8; 32],
        /// The y coordinate.
        y: [u8; 32],
    },
    /// The encoded point of edwards25519 (RFC 8032 section 5.1.2).
    Ed25519 {
        /// The encoded point.
        x: [u8; 32],
    },
}

impl VerifyingKey {
    /// The key of these bytes: a point on the curve, of Ed25519 one in its only
    /// encoding and of large order, so that nobody holds it for many messages at once.
    pub fn from_bytes(bytes: &PublicBytes) -> Result<Self, SignatureError> {
        match bytes {
            PublicBytes::Es256 { x, y } => {
                let mut point = [4; 65];
                for (to, from) in point.iter_mut().skip(1).zip(x.iter().chain(y)) {
                    *to = *from;
                }
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point);
                key.map(Self::Es256).map_err(|_| SignatureError)
            }
            PublicBytes::Ed25519 { x } => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(x).map_err(|_| SignatureError)?;
                let canonical = key.to_edwards().compress().as_bytes() == x;
                if canonical && !key.is_weak() { Ok(Self::Ed25519(key)) } else { Err(SignatureError) }
            }
        }
    }

    /// The bytes that [`VerifyingKey::from_bytes`] takes.
    pub fn to_bytes(self) -> PublicBytes {
        match self {
            Self::Es256(key) => {
                let (mut x, mut y) = ([0; 32], [0; 32]);
                let point = key.to_sec1_point(false);
                for (to, from) in x.iter_mut().chain(&mut y).zip(point.as_bytes().iter().skip(1)) {
                    *to = *from;
                }
                PublicBytes::Es256 { x, y }
            }
            Self::Ed25519(key) => PublicBytes::Ed25519 { x: key.to_bytes() },
        }
    }

    /// What the key signs with.
    pub fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Es256(_) => SignatureAlgorithm::Es256,
            Self::Ed25519(_) => SignatureAlgorithm::Ed25519,
        }
    }

    /// The signature in its only spelling: of the two that ECDSA has, r ‖ s and
    /// r ‖ (n - s), the one with the lower s. Ed25519 has one, which `verify` demands.
    pub fn normalize(self, signature: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Es256(_) => {
                let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
                Some(signature.normalize_s().to_bytes().to_vec())
            }
            Self::Ed25519(_) => Some(signature.to_vec()),
        }
    }

    /// Verifies 64 bytes over `message`. Of Ed25519 strictly: S in range, R in its
    /// only encoding and of large order, the equation without the cofactor.
    pub fn verify(self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match self {
            Self::Es256(key) => {
                let signature = p256::ecdsa::Signature::from_slice(signature).map_err(|_| SignatureError)?;
                key.verify(message, &signature).map_err(|_| SignatureError)
            }
            Self::Ed25519(key) => {
                let signature =
                    ed25519_dalek::Signature::from_slice(signature).map_err(|_| SignatureError)?;
                key.verify_strict(message, &signature).map_err(|_| SignatureError)
            }
        }
    }
}

subrosa_base::redacted_debug!(VerifyingKey, PublicBytes);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{SigningKey, hex, wycheproof};

    /// The other signature of ES256 over the same message: r ‖ (n - s).
    fn malleated(signature: &[u8]) -> Vec<u8> {
        let (r, s) = p256::ecdsa::Signature::from_slice(signature).unwrap().split_scalars();
        p256::ecdsa::Signature::from_scalars(r, -s).unwrap().to_bytes().to_vec()
    }

    const BOTH: [SignatureAlgorithm; 2] = [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519];

    #[test]
    fn what_was_signed_verifies_and_nothing_else_does() {
        for algorithm in BOTH {
            let key = SigningKey::generate(algorithm);
            let signature = key.sign(b"message");
            let public = VerifyingKey::from_bytes(&key.verifying_key().to_bytes()).unwrap();
            assert_eq!(public.algorithm(), algorithm);
            assert_eq!(public.verify(b"message", &signature), Ok(()));
            assert_eq!(public.verify(b"massage", &signature), Err(SignatureError));
            assert_eq!(public.verify(b"message", &signature[..63]), Err(SignatureError));
            assert_eq!(public.verify(b"message", &[&signature[..], &[0]].concat()), Err(SignatureError));
        }
    }

    #[test]
    fn both_signatures_of_ecdsa_verify_and_one_of_them_is_normal() {
        let key = SigningKey::generate(SignatureAlgorithm::Es256);
        let public = key.verifying_key();
        for number in 0_u8..16 {
            let low = key.sign(&[number]);
            assert_eq!(public.normalize(&low), Some(low.to_vec()));
            let high = malleated(&low);
            assert!(high != low.to_vec());
            assert_eq!(public.verify(&[number], &high), Ok(()));
            assert_eq!(public.normalize(&high), Some(low.to_vec()));
        }
        assert_eq!(public.normalize(&[0; 64]), None);
    }

    #[test]
    fn a_point_that_is_not_on_p256_is_no_key() {
        let key = SigningKey::generate(SignatureAlgorithm::Es256);
        let PublicBytes::Es256 { x, y } = key.verifying_key().to_bytes() else { panic!("a P-256 key") };
        assert!(VerifyingKey::from_bytes(&PublicBytes::Es256 { x: y, y: x }).is_err());
    }

    /// The eight points of small order in all their encodings, canonical or not
    /// (Chalkias et al., "Taming the many EdDSAs", tables 1 and 2).
    #[test]
    fn an_ed25519_key_of_small_order_or_in_another_encoding_is_no_key() {
        let small = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0000000000000000000000000000000000000000000000000000000000000080",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        ];
        // y = 3 + p is on the curve, of large order, and has another encoding: y = 3.
        let other = ["f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"];
        for encoding in small.iter().chain(&other) {
            let x = hex(&serde_json::json!(encoding)).try_into().unwrap();
            assert!(VerifyingKey::from_bytes(&PublicBytes::Ed25519 { x }).is_err(), "{encoding}");
        }
        let mut canonical = [0; 32];
        canonical[0] = 3;
        assert!(VerifyingKey::from_bytes(&PublicBytes::Ed25519 { x: canonical }).is_ok());
    }

    #[test]
    fn wycheproof_signatures_are_judged_as_stated() {
        let Some(groups) = wycheproof("ecdsa_secp256r1_sha256_p1363_test.json") else { return };
        let judged = judge(&groups, |group| {
            let key = hex(&group["publicKey"]["uncompressed"]);
            PublicBytes::Es256 { x: key[1..33].try_into().unwrap(), y: key[33..].try_into().unwrap() }
        });
        assert!(judged > 200, "{judged}");
        let Some(groups) = wycheproof("ed25519_test.json") else { return };
        let key = |group: &serde_json::Value| hex(&group["publicKey"]["pk"]).try_into().unwrap();
        assert_eq!(judge(&groups, |group| PublicBytes::Ed25519 { x: key(group) }), 151);
    }

    fn judge(groups: &[serde_json::Value], key: impl Fn(&serde_json::Value) -> PublicBytes) -> usize {
        let mut judged = 0;
        for group in groups {
            let key = VerifyingKey::from_bytes(&key(group));
            for test in group["tests"].as_array().unwrap() {
                let verified = key.and_then(|key| key.verify(&hex(&test["msg"]), &hex(&test["sig"])));
                assert_eq!(verified.is_ok(), test["result"] == "valid", "{}", test["tcId"]);
                judged += 1;
            }
        }
        judged
    }
}
