//! The two boxes over one chunk layout: committed (C2SP chunked-encryption,
//! Cobblestone-256) for long-lived keys, and single-use for content.
//!
//! A single-use box draws its own key, so no key ever encrypts twice.

use aes_gcm::aead::{AeadInOut, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha512;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

use super::key::{CommittedKey, ContentKey};
use super::random::{RandomError, Randomness};
use crate::secret::wiping_its_stack;

/// Plaintext bytes of every chunk but the last, which is shorter.
pub(crate) const CHUNK_LEN: usize = 16 * 1024;
const TAG_LEN: usize = 16;
const NONCE_LEN: usize = 12;
const SALT_LEN: usize = 24;
const COMMITMENT_LEN: usize = 32;
/// Bytes that a committed box adds before its chunks.
const COMMITTED_HEAD: usize = SALT_LEN + COMMITMENT_LEN;
const INFO: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// The box does not open under this key and context. Opaque on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the box does not open")]
pub struct BoxError;

/// Length of a single-use box of `plaintext` bytes.
pub(crate) const fn chunked_len(plaintext: usize) -> usize {
    plaintext + (plaintext / CHUNK_LEN + 1) * TAG_LEN
}

/// Length of a committed box of `plaintext` bytes.
pub(crate) const fn committed_len(plaintext: usize) -> usize {
    COMMITTED_HEAD + chunked_len(plaintext)
}

/// Encrypts under a long-lived, password-derived or shared key, with a fresh salt.
pub(crate) fn encrypt_committed(
    random: &mut Randomness,
    key: &impl CommittedKey,
    context: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, RandomError> {
    wiping_its_stack(|| {
        let salt = random.bytes::<SALT_LEN>()?;
        let schedule = Schedule::derive(key.input_key().expose_secret(), &salt, context);
        let mut out = Vec::with_capacity(committed_len(plaintext.len()));
        out.extend_from_slice(&salt);
        out.extend_from_slice(&schedule.commitment);
        encrypt_chunks(&schedule.cipher, &schedule.base_nonce, &[], plaintext, &mut out);
        Ok(out)
    })
}

/// The salt of a committed box: fresh with each one.
pub(crate) fn committed_salt(encrypted: &[u8]) -> &[u8] {
    encrypted.get(..SALT_LEN).unwrap_or_default()
}

/// Whether the box commits to this key and context: constant time, no decryption.
pub(crate) fn commits_to(key: &impl CommittedKey, context: &[u8], encrypted: &[u8]) -> bool {
    wiping_its_stack(|| open_head(key.input_key().expose_secret(), context, encrypted).is_ok())
}

/// Decrypts a committed box; the commitment is compared before any chunk is decrypted.
pub(crate) fn decrypt_committed(
    key: &impl CommittedKey,
    context: &[u8],
    encrypted: &[u8],
) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    decrypt_committed_bytes(key.input_key().expose_secret(), context, encrypted)
}

fn decrypt_committed_bytes(
    key: &[u8; 32],
    context: &[u8],
    encrypted: &[u8],
) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    wiping_its_stack(|| {
        let (schedule, chunks) = open_head(key, context, encrypted)?;
        decrypt_chunks(&schedule.cipher, &schedule.base_nonce, &[], chunks)
    })
}

fn open_head<'a>(
    key: &[u8; 32],
    context: &[u8],
    encrypted: &'a [u8],
) -> Result<(Schedule, &'a [u8]), BoxError> {
    let (salt, rest) = encrypted.split_first_chunk::<SALT_LEN>().ok_or(BoxError)?;
    let (commitment, chunks) = rest.split_first_chunk::<COMMITMENT_LEN>().ok_or(BoxError)?;
    let schedule = Schedule::derive(key, salt, context);
    if bool::from(schedule.commitment.ct_eq(commitment)) { Ok((schedule, chunks)) } else { Err(BoxError) }
}

/// Encrypts content under a key that is drawn here and used this once:
/// base nonce 0, `context` authenticated with every chunk. Content of one chunk
/// is encrypted where it stands.
pub(crate) fn encrypt_once(
    random: &mut Randomness,
    context: &[u8],
    mut plaintext: Zeroizing<Vec<u8>>,
) -> Result<(ContentKey, Vec<u8>), RandomError> {
    wiping_its_stack(|| {
        let secret = random.secret()?;
        #[cfg(test)]
        let secret = match crate::testing::sabotaged_key(context, secret.expose_secret()) {
            Some(key) => crate::secret::SecretBytes::filled(|out| *out = key),
            None => secret,
        };
        let key = ContentKey::from_secret(secret);
        let cipher = Aes256Gcm::new(key.secret().expose_secret().into());
        if plaintext.len() < CHUNK_LEN {
            let tag = encrypt_chunk(&cipher, &chunk_nonce(&[0; NONCE_LEN], 0), context, &mut plaintext);
            let mut encrypted = std::mem::take(&mut *plaintext);
            encrypted.extend_from_slice(&tag);
            return Ok((key, encrypted));
        }
        let mut out = Vec::with_capacity(chunked_len(plaintext.len()));
        encrypt_chunks(&cipher, &[0; NONCE_LEN], context, &plaintext, &mut out);
        Ok((key, out))
    })
}

/// Decrypts a single-use box, one of a single chunk where it stands.
pub(crate) fn decrypt_once(
    key: &ContentKey,
    context: &[u8],
    encrypted: Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    wiping_its_stack(|| {
        let cipher = Aes256Gcm::new(key.secret().expose_secret().into());
        if encrypted.len() >= CHUNK_LEN + TAG_LEN {
            return decrypt_chunks(&cipher, &[0; NONCE_LEN], context, &encrypted);
        }
        let mut out = Zeroizing::new(encrypted);
        let (body, tag) = out.split_last_chunk_mut::<TAG_LEN>().ok_or(BoxError)?;
        decrypt_chunk(&cipher, &chunk_nonce(&[0; NONCE_LEN], 0), context, body, tag)?;
        let length = body.len();
        out.truncate(length);
        Ok(out)
    })
}

/// What an adversary with a key of a single-use box reads of any bytes: every
/// chunk without asking context or tag.
#[cfg(test)]
pub(crate) fn decrypt_unauthenticated(key: &[u8; 32], encrypted: &[u8]) -> Vec<u8> {
    let cipher = Aes256Gcm::new(key.into());
    let mut out = Vec::with_capacity(encrypted.len());
    for (counter, chunk) in (0..).zip(encrypted.chunks(CHUNK_LEN + TAG_LEN)) {
        let start = out.len();
        out.extend_from_slice(&chunk[..chunk.len().saturating_sub(TAG_LEN)]);
        // Encrypting is adding the key stream, and so is decrypting.
        let nonce = chunk_nonce(&[0; NONCE_LEN], counter);
        cipher.encrypt_inout_detached(&nonce, &[], out[start..].as_mut().into()).unwrap();
    }
    out
}

/// key ‖ base nonce ‖ commitment = HKDF-Expand-SHA-512(input key, info ‖ salt ‖ context).
struct Schedule {
    cipher: Aes256Gcm,
    base_nonce: [u8; NONCE_LEN],
    commitment: [u8; COMMITMENT_LEN],
}

impl Schedule {
    fn derive(key: &[u8; 32], salt: &[u8; SALT_LEN], context: &[u8]) -> Self {
        let mut okm = Zeroizing::new([0; 32 + NONCE_LEN + COMMITMENT_LEN]);
        hkdf_sha512_expand(key, &[INFO, salt, context], okm.as_mut_slice());
        let (cipher_key, rest) = okm.split_first_chunk::<32>().expect("the output is 76 bytes");
        let (base_nonce, rest) = rest.split_first_chunk().expect("44 bytes are left");
        let commitment = rest.first_chunk().expect("32 bytes are left");
        Self { cipher: Aes256Gcm::new(cipher_key.into()), base_nonce: *base_nonce, commitment: *commitment }
    }
}

/// HKDF-Expand (RFC 5869 section 2.3) with SHA-512.
///
/// The crate wants a whole 64-byte output as its key; HMAC pads a shorter key
/// with zeros (RFC 2104 section 2), so padding it here changes nothing.
fn hkdf_sha512_expand(key: &[u8; 32], info: &[&[u8]], out: &mut [u8]) {
    let mut padded = Zeroizing::new([0; 64]);
    padded.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    Hkdf::<Sha512>::from_prk(padded.as_slice())
        .expect("64 bytes are a whole SHA-512 output")
        .expand_multi_info(info, out)
        .expect("an output of at most 255 blocks is allowed");
}

fn chunk_nonce(base: &[u8; NONCE_LEN], counter: u64) -> ChunkNonce {
    let mut nonce = *base;
    for (byte, count) in nonce.iter_mut().rev().zip(counter.to_le_bytes()) {
        *byte ^= count;
    }
    nonce.into()
}

type ChunkNonce = Nonce<aes_gcm::aead::consts::U12>;

fn encrypt_chunk(cipher: &Aes256Gcm, nonce: &ChunkNonce, context: &[u8], chunk: &mut [u8]) -> Tag {
    cipher
        .encrypt_inout_detached(nonce, context, chunk.into())
        .expect("a chunk is far below the limit of AES-GCM")
}

fn decrypt_chunk(
    cipher: &Aes256Gcm,
    nonce: &ChunkNonce,
    context: &[u8],
    chunk: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), BoxError> {
    cipher.decrypt_inout_detached(nonce, context, chunk.into(), &Tag::from(*tag)).map_err(|_| BoxError)
}

fn encrypt_chunks(
    cipher: &Aes256Gcm,
    base_nonce: &[u8; NONCE_LEN],
    context: &[u8],
    plaintext: &[u8],
    out: &mut Vec<u8>,
) {
    let chunks = plaintext.chunks_exact(CHUNK_LEN);
    let last = chunks.remainder();
    for (counter, chunk) in (0..).zip(chunks.chain([last])) {
        let start = out.len();
        out.extend_from_slice(chunk);
        let buffer = out.get_mut(start..).expect("the chunk was just appended");
        let tag = encrypt_chunk(cipher, &chunk_nonce(base_nonce, counter), context, buffer);
        out.extend_from_slice(&tag);
    }
}

fn decrypt_chunks(
    cipher: &Aes256Gcm,
    base_nonce: &[u8; NONCE_LEN],
    context: &[u8],
    encrypted: &[u8],
) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    let mut chunks = encrypted.chunks_exact(CHUNK_LEN + TAG_LEN);
    let last = chunks.remainder();
    let mut out = Zeroizing::new(Vec::with_capacity(encrypted.len()));
    for (counter, chunk) in (0..).zip(chunks.by_ref().chain([last])) {
        let (body, tag) = chunk.split_last_chunk::<TAG_LEN>().ok_or(BoxError)?;
        let start = out.len();
        out.extend_from_slice(body);
        let buffer = out.get_mut(start..).expect("the chunk was just appended");
        decrypt_chunk(cipher, &chunk_nonce(base_nonce, counter), context, buffer, tag)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::UnlockKey;
    use crate::secret::SecretBytes;
    use crate::testing::{hex, inflate, wycheproof};

    fn secret(bytes: &[u8]) -> SecretBytes {
        SecretBytes::filled(|out| out.copy_from_slice(bytes))
    }

    #[test]
    fn wycheproof_chunked_encryption() {
        let Some(groups) = wycheproof("c2sp_chunked_encryption_aes_256_gcm_test.json") else { return };
        let mut valid = 0;
        for test in groups.iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let key = hex(&test["key"]);
            let opened = if let Ok(key) = <&[u8; 32]>::try_from(key.as_slice()) {
                decrypt_committed_bytes(key, &hex(&test["ctx"]), &inflate(&hex(&test["ct"])))
            } else {
                Err(BoxError)
            };
            assert_eq!(
                opened.is_ok(),
                test["result"] == "valid",
                "tcId {} {}",
                test["tcId"],
                test["comment"]
            );
            if let Ok(message) = opened {
                assert_eq!(message.len() as u64, test["msgLength"].as_u64().unwrap());
                use sha2::Digest as _;
                assert_eq!(
                    Sha512::digest(&message).to_vec(),
                    hex(&test["msgSha512"]),
                    "tcId {}",
                    test["tcId"]
                );
                valid += 1;
            }
        }
        assert!(valid > 5);
    }

    #[test]
    fn wycheproof_aes_256_gcm_through_the_chunk_functions() {
        let Some(groups) = wycheproof("aes_gcm_test.json") else { return };
        let mut run = 0;
        for group in groups.iter().filter(|g| g["keySize"] == 256 && g["ivSize"] == 96 && g["tagSize"] == 128)
        {
            for test in group["tests"].as_array().unwrap() {
                let message = hex(&test["msg"]);
                let cipher = Aes256Gcm::new(secret(&hex(&test["key"])).expose_secret().into());
                let nonce = hex(&test["iv"]).try_into().unwrap();
                let aad = hex(&test["aad"]);
                let encrypted = [hex(&test["ct"]), hex(&test["tag"])].concat();
                let opened = decrypt_chunks(&cipher, &nonce, &aad, &encrypted);
                assert_eq!(opened.is_ok(), test["result"] == "valid", "tcId {}", test["tcId"]);
                if let Ok(opened) = opened {
                    assert_eq!(*opened, message);
                    let mut again = Vec::new();
                    encrypt_chunks(&cipher, &nonce, &aad, &message, &mut again);
                    assert_eq!(again, encrypted);
                }
                run += 1;
            }
        }
        assert!(run > 50);
    }

    #[test]
    fn both_boxes_open_at_every_length_around_a_chunk_and_nowhere_else() {
        let mut random = Randomness::from_system();
        let key = UnlockKey::from_secret(random.secret().unwrap());
        for length in [0, 1, CHUNK_LEN - 1, CHUNK_LEN, CHUNK_LEN + 1, 2 * CHUNK_LEN, 2 * CHUNK_LEN + 7] {
            let plaintext = vec![7; length];
            let encrypted = encrypt_committed(&mut random, &key, b"context", &plaintext).unwrap();
            assert_eq!(encrypted.len(), committed_len(length));
            assert_eq!(*decrypt_committed(&key, b"context", &encrypted).unwrap(), plaintext);
            assert!(decrypt_committed(&key, b"contexts", &encrypted).is_err());
            assert!(commits_to(&key, b"context", &encrypted));

            let (once, encrypted) =
                encrypt_once(&mut random, b"context", Zeroizing::new(plaintext.clone())).unwrap();
            assert_eq!(encrypted.len(), chunked_len(length));
            assert_eq!(*decrypt_once(&once, b"context", encrypted.clone()).unwrap(), plaintext);
            assert!(decrypt_once(&once, b"contexts", encrypted.clone()).is_err());
            for cut in [0, 1, TAG_LEN, encrypted.len() / 2, encrypted.len() - 1] {
                if cut < encrypted.len() {
                    assert!(
                        decrypt_once(&once, b"context", encrypted[..cut].to_vec()).is_err(),
                        "{length} cut to {cut}"
                    );
                }
            }
            let longer = [&encrypted[..], &encrypted[..]].concat();
            assert!(decrypt_once(&once, b"context", longer).is_err());
        }
    }

    #[test]
    fn any_flipped_bit_fails_and_releases_no_plaintext() {
        let mut random = Randomness::from_system();
        let (key, encrypted) =
            encrypt_once(&mut random, b"context", Zeroizing::new(b"plaintext".to_vec())).unwrap();
        for bit in 0..encrypted.len() * 8 {
            let mut flipped = encrypted.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decrypt_once(&key, b"context", flipped), Err(BoxError));
        }
    }
}
