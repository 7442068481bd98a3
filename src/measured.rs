//! Single steps of a vault's work, for `benches/peers` to measure beside the bare
//! operations. Feature `testing`; no part of the interface.

use std::time::SystemTime;

use crate::crypto::random::Randomness;
use crate::crypto::signature::{self, SignatureAlgorithm};
use crate::excerpt::{self, EnvelopeRequest, Excerpt, IssuerRole};
use crate::format::context::{Context, Purpose, Scope};
use crate::format::header::Header;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::id::VaultId;
use crate::payload::encode_entry;
use crate::record::{Entry, Token};
use crate::release::View;
use crate::tree::{Run, open_stored};

/// The bytes of an entry as they are encrypted, before padding.
///
/// # Panics
/// When the entry is too large.
#[must_use]
pub fn encoded(entry: &Entry) -> Vec<u8> {
    encode_entry(entry).expect("the entry is small").to_vec()
}

/// Encrypts and decrypts contents as a vault does.
pub struct Encrypter {
    random: Randomness,
    context: Context,
}

/// An encrypted content and what a page holds of it.
pub struct EncryptedContent {
    object: KeyedRef,
    stored: Vec<u8>,
}

impl Default for Encrypter {
    fn default() -> Self {
        let header = Header { vault: VaultId::from_bytes([2; 16]) };
        let (header, digest) = Header::parse(&header.encode()).expect("it was just encoded");
        let scope = Scope { header: digest, vault: header.vault };
        Self { random: Randomness::from_system(), context: scope.context(Purpose::Entry) }
    }
}

impl Encrypter {
    /// Pads, encrypts under a fresh key, digests.
    ///
    /// # Panics
    /// When the system has no random bytes.
    pub fn encrypt(&mut self, content: &[u8]) -> EncryptedContent {
        let mut run = Run::default();
        run.push(&self.context, content).expect("the content is small");
        let run = run.encrypt(&mut self.random).expect("there are random bytes");
        let (key, stored, digest) = run.into_parts().expect("there is one object");
        let object = ObjectRef { reference: [0; 16], length: stored.len() as u64 };
        EncryptedContent { object: KeyedRef { key, object, digest }, stored }
    }

    /// Checks the digest, decrypts, unpads; gives the content's length.
    ///
    /// # Panics
    /// When it is not what was encrypted.
    #[must_use]
    pub fn open(&self, encrypted: &EncryptedContent) -> usize {
        // A store hands out bytes of its own.
        let stored = encrypted.stored.clone();
        open_stored(&encrypted.object, &self.context, stored).expect("it is what was encrypted").len()
    }
}

/// Signs a view as an excerpt, without vault and ledger.
///
/// # Panics
/// When the excerpt cannot be issued.
#[must_use]
pub fn issue(view: &View, key: &SigningKey, now: SystemTime) -> Excerpt {
    let text = |text| Token::new(text).expect("a short text");
    let request =
        EnvelopeRequest::new(text("issuer"), IssuerRole::Patient, text("recipient"), text("purpose"));
    excerpt::issue(view, &request, &key.0, &mut Randomness::from_system(), now).expect("it is issued")
}

/// A key to sign with.
pub struct SigningKey(signature::SigningKey);

impl SigningKey {
    /// A fresh key.
    ///
    /// # Panics
    /// When the system has no random bytes.
    #[must_use]
    pub fn generate() -> Self {
        let key = signature::SigningKey::generate(SignatureAlgorithm::Es256, &mut Randomness::from_system());
        Self(key.expect("there are random bytes"))
    }
}

crate::secret::redacted_debug!(Encrypter, EncryptedContent, SigningKey);
