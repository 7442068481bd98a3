//! AES-256-GCM (NIST SP 800-38D) of one chunk, where it stands.
//!
//! Two implementations of one function: their bytes are the same.

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use thiserror::Error;

pub(super) const TAG_LEN: usize = 16;
pub(super) const NONCE_LEN: usize = 12;

/// The box does not open under this key and context. Opaque on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the box does not open")]
pub struct BoxError;

/// What encrypts the chunks of single-use boxes.
#[cfg(not(feature = "ring"))]
pub(super) use Reference as SingleUse;
#[cfg(feature = "ring")]
pub(super) use in_ring::Ring as SingleUse;

/// AES-256-GCM under one key.
pub(super) trait Gcm {
    /// The cipher under this key.
    fn new(key: &[u8; 32]) -> Self;

    /// Encrypts a chunk; gives its tag.
    fn encrypt(&self, nonce: &[u8; NONCE_LEN], context: &[u8], chunk: &mut [u8]) -> [u8; TAG_LEN];

    /// Decrypts a chunk that has this tag. What stands there after a failure is no plaintext.
    fn decrypt(
        &self,
        nonce: &[u8; NONCE_LEN],
        context: &[u8],
        chunk: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), BoxError>;
}

/// The crate `aes-gcm`: the default, and what every other is held against.
pub(super) struct Reference(Aes256Gcm);

impl Gcm for Reference {
    fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    fn encrypt(&self, nonce: &[u8; NONCE_LEN], context: &[u8], chunk: &mut [u8]) -> [u8; TAG_LEN] {
        let tag = self.0.encrypt_inout_detached(&Nonce::from(*nonce), context, chunk.into());
        tag.expect("a chunk is far below the limit of AES-GCM").into()
    }

    fn decrypt(
        &self,
        nonce: &[u8; NONCE_LEN],
        context: &[u8],
        chunk: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), BoxError> {
        let (nonce, tag) = (Nonce::from(*nonce), Tag::from(*tag));
        self.0.decrypt_inout_detached(&nonce, context, chunk.into(), &tag).map_err(|_| BoxError)
    }
}

#[cfg(feature = "ring")]
mod in_ring {
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

    use super::{BoxError, Gcm, NONCE_LEN, TAG_LEN};

    /// The crate `ring`. It does not wipe its key schedule, which lies on the stack
    /// that whoever makes a box wipes.
    pub(in super::super) struct Ring(LessSafeKey);

    impl Gcm for Ring {
        fn new(key: &[u8; 32]) -> Self {
            let key = UnboundKey::new(&AES_256_GCM, key).expect("32 bytes are an AES-256 key");
            Self(LessSafeKey::new(key))
        }

        fn encrypt(&self, nonce: &[u8; NONCE_LEN], context: &[u8], chunk: &mut [u8]) -> [u8; TAG_LEN] {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(context), chunk);
            let tag = tag.expect("a chunk is far below the limit of AES-GCM");
            *tag.as_ref().first_chunk().expect("a tag has 16 bytes")
        }

        fn decrypt(
            &self,
            nonce: &[u8; NONCE_LEN],
            context: &[u8],
            chunk: &mut [u8],
            tag: &[u8; TAG_LEN],
        ) -> Result<(), BoxError> {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            let opened =
                self.0.open_in_place_separate_tag(nonce, Aad::from(context), Tag::from(*tag), chunk, 0..);
            opened.map(|_| ()).map_err(|_| BoxError)
        }
    }
}

#[cfg(all(test, feature = "ring"))]
mod tests {
    use super::*;
    use crate::crypto::random::Randomness;

    #[test]
    fn both_implementations_make_the_same_bytes_and_refuse_the_same() {
        let mut random = Randomness::from_system();
        let drawn = (0..200).map(|_| usize::from(u16::from_le_bytes(random.bytes().unwrap())));
        let lengths: Vec<usize> =
            [0, 1, 15, 16, 17, 16_383, 16_384, 16_385].into_iter().chain(drawn).collect();
        for length in lengths {
            let (key, nonce) = (random.bytes().unwrap(), random.bytes().unwrap());
            let mut context = vec![0; length % 97];
            random.fill(&mut context).unwrap();
            let mut plaintext = vec![0; length];
            random.fill(&mut plaintext).unwrap();
            let (reference, ring) = (Reference::new(&key), SingleUse::new(&key));
            let (mut one, mut other) = (plaintext.clone(), plaintext.clone());
            let tag = reference.encrypt(&nonce, &context, &mut one);
            assert_eq!(ring.encrypt(&nonce, &context, &mut other), tag, "{length}");
            assert_eq!(one, other, "{length}");
            let mut wrong = tag;
            wrong[length % 16] ^= 1 << (length % 8);
            assert!(reference.decrypt(&nonce, &context, &mut one.clone(), &wrong).is_err(), "{length}");
            assert!(ring.decrypt(&nonce, &context, &mut other.clone(), &wrong).is_err(), "{length}");
            assert!(ring.decrypt(&nonce, b"another context", &mut other.clone(), &tag).is_err(), "{length}");
            assert!(ring.decrypt(&nonce, &context, &mut one, &tag).is_ok(), "{length}");
            assert!(reference.decrypt(&nonce, &context, &mut other, &tag).is_ok(), "{length}");
            assert!(one == plaintext && other == plaintext, "{length}");
        }
    }
}
