//! Who signs: the vault's own key, or one that is kept elsewhere.
//!
//! A foreign signer's word is not taken: every signature is verified before it
//! becomes part of anything.

use thiserror::Error;

use crate::key::PublicKey;

/// Signs with a key that is kept elsewhere: on a smart card, in a hardware
/// security module, with a key management service.
///
/// An excerpt takes one signature for its envelope and one for each entry.
///
/// ```
/// # use subrosa_excerpt::{PublicKey, Signer, SignerError};
///
/// struct Card { key: PublicKey }
///
/// impl Signer for Card {
///     fn public_key(&self) -> PublicKey {
///         self.key
///     }
///
///     fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, SignerError> {
///         Err(SignerError::Failed { reason: "the card was pulled out".into() })
///     }
/// }
/// ```
pub trait Signer {
    /// The key that the signatures verify with: from [`PublicKey::from_jwk`]. Its
    /// kind is the algorithm.
    fn public_key(&self) -> PublicKey;

    /// The signature over these bytes, which are not hashed yet: 64 bytes, r ‖ s for
    /// ES256 (RFC 7518 section 3.4; hardware that answers in DER has to be converted),
    /// R ‖ S for Ed25519 (RFC 8032). Of the two signatures that ECDSA has, either will do.
    ///
    /// # Errors
    /// [`SignerError::Failed`] with the reason in plain words.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError>;
}

/// Why a signer gave no signature.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The signer did not sign.
    #[error("the signer did not sign: {reason}")]
    Failed {
        /// The signer's own words, which hold no secret.
        reason: String,
    },
    /// What the signer gave does not verify with its public key.
    #[error("the signer's signature does not verify with its public key: check that they belong together")]
    WrongSignature,
}

/// A signer whose signatures are verified one by one.
#[doc(hidden)]
pub struct ProvenSigner<'a> {
    signer: &'a dyn Signer,
    /// Asked for once: all signatures are by this key.
    key: PublicKey,
}

impl<'a> ProvenSigner<'a> {
    /// Trusts nothing that this signer gives.
    #[must_use]
    pub fn of(signer: &'a dyn Signer) -> Self {
        Self { signer, key: signer.public_key() }
    }
}

impl Signer for ProvenSigner<'_> {
    fn public_key(&self) -> PublicKey {
        self.key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature = self.signer.sign(message)?;
        let verified = self.key.verifying_key().verify(message, &signature);
        verified.map_err(|_| SignerError::WrongSignature)?;
        // Hardware gives either of ECDSA's two; verifiers take one.
        self.key.verifying_key().normalize(&signature).ok_or(SignerError::WrongSignature)
    }
}

subrosa_base::redacted_debug!(ProvenSigner<'_>);
