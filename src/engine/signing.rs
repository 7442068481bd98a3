//! Which key signs: each way in has its own, and the directory lists its public half.

use super::core::StateReader;
use super::vault_record::signature_algorithm;
use crate::crypto::key::SigningSeed;
use crate::crypto::signature::{PublicBytes, SignatureAlgorithm, SigningKey, VerifyingKey};
use crate::error::Error;
use crate::excerpt::PublicKey;
use crate::payload::custody::{DirectorySlotV1, SigningV1, VaultRecordV1};

const DAMAGED: Error = Error::Damaged { what: "directory" };
const UNKNOWN: Error = Error::Damaged { what: "signature algorithm" };

/// The key that a way in signs this vault's excerpts with.
pub(crate) fn signing_key(seed: &SigningSeed, record: &VaultRecordV1) -> Result<SigningKey, Error> {
    derived(seed, signature_algorithm(record).ok_or(UNKNOWN)?)
}

fn derived(seed: &SigningSeed, algorithm: SignatureAlgorithm) -> Result<SigningKey, Error> {
    SigningKey::derive(seed, algorithm).map_err(|_| UNKNOWN)
}

/// What the directory lists of a slot's signing keys.
pub(crate) fn listed(seed: &SigningSeed) -> Result<SigningV1, Error> {
    let public = |algorithm| derived(seed, algorithm).map(|key| key.public_key().verifying_key().to_bytes());
    match (public(SignatureAlgorithm::Es256)?, public(SignatureAlgorithm::Ed25519)?) {
        (PublicBytes::Es256 { x, y }, PublicBytes::Ed25519 { x: ed25519 }) => {
            Ok(SigningV1 { es256_x: x, es256_y: y, ed25519 })
        }
        _ => Err(DAMAGED),
    }
}

impl StateReader<'_> {
    /// The key that verifies what a way in of this vault signs; none where this version
    /// does not know how the vault signs.
    pub(crate) fn key_of(&self, slot: &DirectorySlotV1) -> Result<Option<PublicKey>, Error> {
        let signing = slot.signing.as_ref().ok_or(DAMAGED)?;
        let SigningV1 { es256_x: x, es256_y: y, ed25519 } = *signing;
        let bytes = match signature_algorithm(&self.vault_record()?) {
            Some(SignatureAlgorithm::Es256) => PublicBytes::Es256 { x, y },
            Some(SignatureAlgorithm::Ed25519) => PublicBytes::Ed25519 { x: ed25519 },
            _ => return Ok(None),
        };
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| DAMAGED)?;
        Ok(Some(PublicKey::of(key)))
    }
}
