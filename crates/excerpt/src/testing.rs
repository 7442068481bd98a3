//! What this crate's own tests share: keys to sign with, salts, and the vectors beside the
//! project.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use p256::ecdsa::signature::Signer as _;
use serde_json::Value;
use subrosa_base::digest::Digest;

use crate::salts::{NoSalts, Salts};
use crate::signature::{SignatureAlgorithm, VerifyingKey};
use crate::{PublicKey, Signer, SignerError};

/// A private key, another each time.
pub(crate) enum SigningKey {
    Es256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

fn next_bytes() -> [u8; 32] {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    *Digest::of(&[b"tests", &DRAWN.fetch_add(1, Ordering::Relaxed).to_le_bytes()]).as_bytes()
}

impl SigningKey {
    pub(crate) fn generate(algorithm: SignatureAlgorithm) -> Self {
        match algorithm {
            SignatureAlgorithm::Es256 => {
                Self::Es256(p256::ecdsa::SigningKey::from_slice(&next_bytes()).unwrap())
            }
            SignatureAlgorithm::Ed25519 => {
                Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&next_bytes()))
            }
        }
    }

    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        match self {
            Self::Es256(key) => VerifyingKey::Es256(*key.verifying_key()),
            Self::Ed25519(key) => VerifyingKey::Ed25519(key.verifying_key()),
        }
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey::of(self.verifying_key())
    }

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

/// Salts that no test draws twice.
pub(crate) struct TestSalts;

impl Salts for TestSalts {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), NoSalts> {
        for chunk in out.chunks_mut(32) {
            chunk.copy_from_slice(&next_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A file of the shared test data, or a loud skip.
pub(crate) fn data(path: &str) -> Option<Vec<u8>> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(path);
    let bytes = std::fs::read(&file).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: ../shared/data/{path} is absent");
    }
    bytes
}

/// The test groups of a Wycheproof file.
pub(crate) fn wycheproof(name: &str) -> Option<Vec<Value>> {
    let bytes = data(&format!("crypto/wycheproof/{name}"))?;
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    Some(file["testGroups"].as_array().unwrap().clone())
}

/// The bytes that a JSON string gives in hexadecimal.
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    assert!(text.is_ascii() && text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}
