//! The two boxes over one chunk layout: committed (C2SP chunked-encryption,
//! Cobblestone-256) for long-lived keys, and single-use for content.
//!
//! A single-use box draws its own key, so no key ever encrypts twice.

use hkdf::Hkdf;
use sha2::Sha512;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::gcm::{BoxError, Gcm, NONCE_LEN, Reference, SingleUse, TAG_LEN};
use super::key::{CommittedKey, ContentKey};
use super::random::{RandomError, Randomness};
use crate::secret::{SharedBytes, wiping_its_stack};

/// Plaintext bytes of every chunk but the last, which is shorter.
pub(crate) const CHUNK_LEN: usize = 16 * 1024;
const SALT_LEN: usize = 24;
const COMMITMENT_LEN: usize = 32;
/// Bytes that a committed box adds before its chunks.
const COMMITTED_HEAD: usize = SALT_LEN + COMMITMENT_LEN;
const INFO: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

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
        let mut out = Zeroizing::new(Vec::with_capacity(committed_len(plaintext.len())));
        out.extend_from_slice(&salt);
        out.extend_from_slice(&schedule.commitment);
        out.extend_from_slice(plaintext);
        out.resize(committed_len(plaintext.len()), 0);
        let room = out.get_mut(COMMITTED_HEAD..).expect("the head was just written");
        encrypt_chunks(&schedule.cipher, &schedule.base_nonce, &[], room, plaintext.len());
        Ok(std::mem::take(&mut *out))
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
        let mut out = Zeroizing::new(chunks.to_vec());
        let length = decrypt_chunks(&schedule.cipher, &schedule.base_nonce, &[], &mut out)?;
        out.truncate(length);
        Ok(out)
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

/// Encrypts one plaintext as [`encrypt_run`] does.
#[cfg(any(test, fuzzing))]
pub(crate) fn encrypt_once(
    random: &mut Randomness,
    context: &[u8],
    mut plaintext: Zeroizing<Vec<u8>>,
) -> Result<(ContentKey, Vec<u8>), RandomError> {
    let length = plaintext.len();
    // A buffer that grew would leave the plaintext behind.
    let mut room = if plaintext.capacity() < chunked_len(length) {
        let mut room = Zeroizing::new(Vec::with_capacity(chunked_len(length)));
        room.extend_from_slice(&plaintext);
        room
    } else {
        Zeroizing::new(std::mem::take(&mut *plaintext))
    };
    room.resize(chunked_len(length), 0);
    let mut keys = encrypt_run(random, [(context, room.as_mut_slice(), length)])?;
    let key = keys.pop().ok_or(RandomError)?;
    Ok((key, std::mem::take(&mut *room)))
}

/// Encrypts plaintexts, each under a key that is drawn here and used this once: base
/// nonce 0, its context authenticated with every chunk. Each is encrypted where it
/// stands, at the start of the room that its box takes. Wipes the stack once, after the
/// last of them.
pub(crate) fn encrypt_run<'r, Context: AsRef<[u8]>>(
    random: &mut Randomness,
    run: impl IntoIterator<Item = (Context, &'r mut [u8], usize)>,
) -> Result<Vec<ContentKey>, RandomError> {
    let run: Vec<_> = run.into_iter().collect();
    let keys = draw_content_keys(random, run.iter().map(|(context, ..)| context.as_ref()))?;
    wiping_its_stack(|| {
        for ((context, room, plaintext), key) in run.into_iter().zip(&keys) {
            let cipher = SingleUse::new(key.expose_secret());
            encrypt_chunks(&cipher, &[0; NONCE_LEN], context.as_ref(), room, plaintext);
        }
    });
    Ok(keys)
}

/// A key for each of these contexts.
fn draw_content_keys<'c>(
    random: &mut Randomness,
    contexts: impl ExactSizeIterator<Item = &'c [u8]>,
) -> Result<Vec<ContentKey>, RandomError> {
    let drawn = SharedBytes::from(random.secrets(contexts.len())?);
    let key = |(at, context): (usize, &[u8])| {
        let start = at * ContentKey::LEN;
        let key = drawn.part(start..start + ContentKey::LEN).and_then(ContentKey::shared);
        let key = key.ok_or(RandomError)?;
        #[cfg(test)]
        let key = match crate::testing::sabotaged_key(context, key.expose_secret()) {
            Some(key) => ContentKey::from_secret(&crate::secret::SecretBytes::filled(|out| *out = key)),
            None => key,
        };
        #[cfg(not(test))]
        let _ = context;
        Ok(key)
    };
    contexts.enumerate().map(key).collect()
}

/// Decrypts a single-use box where it stands.
pub(crate) fn decrypt_once(
    key: &ContentKey,
    context: &[u8],
    encrypted: Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, BoxError> {
    let mut out = Zeroizing::new(encrypted);
    let opened = decrypt_run([(key, context, out.as_mut_slice())]);
    let length = opened.into_iter().next().ok_or(BoxError)??;
    out.truncate(length);
    Ok(out)
}

/// Decrypts single-use boxes, each where it stands, and gives the lengths of their
/// plaintexts. Wipes the stack once, after the last of them. A box that does not open
/// is wiped itself.
pub(crate) fn decrypt_run<'r, Context: AsRef<[u8]>>(
    run: impl IntoIterator<Item = (&'r ContentKey, Context, &'r mut [u8])>,
) -> Vec<Result<usize, BoxError>> {
    let decrypt = |(key, context, encrypted): (&ContentKey, Context, &mut [u8])| {
        let cipher = SingleUse::new(key.expose_secret());
        decrypt_chunks(&cipher, &[0; NONCE_LEN], context.as_ref(), encrypted)
    };
    wiping_its_stack(|| run.into_iter().map(decrypt).collect())
}

/// What an adversary with a key of a single-use box reads of any bytes: every
/// chunk without asking context or tag.
#[cfg(test)]
pub(crate) fn decrypt_unauthenticated(key: &[u8; 32], encrypted: &[u8]) -> Vec<u8> {
    let cipher = Reference::new(key);
    let mut out = Vec::with_capacity(encrypted.len());
    for (counter, chunk) in (0..).zip(encrypted.chunks(CHUNK_LEN + TAG_LEN)) {
        let start = out.len();
        out.extend_from_slice(&chunk[..chunk.len().saturating_sub(TAG_LEN)]);
        // Encrypting is adding the key stream, and so is decrypting.
        cipher.encrypt(&chunk_nonce(&[0; NONCE_LEN], counter), &[], &mut out[start..]);
    }
    out
}

/// key ‖ base nonce ‖ commitment = HKDF-Expand-SHA-512(input key, info ‖ salt ‖ context).
struct Schedule {
    cipher: Reference,
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
        Self { cipher: Reference::new(cipher_key), base_nonce: *base_nonce, commitment: *commitment }
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

fn chunk_nonce(base: &[u8; NONCE_LEN], counter: u64) -> [u8; NONCE_LEN] {
    let mut nonce = *base;
    for (byte, count) in nonce.iter_mut().rev().zip(counter.to_le_bytes()) {
        *byte ^= count;
    }
    nonce
}

/// Encrypts the plaintext at the start of its room, which is as long as its box: chunks
/// of [`CHUNK_LEN`] bytes, the last one shorter, each with its tag behind it.
fn encrypt_chunks(
    cipher: &impl Gcm,
    base_nonce: &[u8; NONCE_LEN],
    context: &[u8],
    room: &mut [u8],
    plaintext: usize,
) {
    debug_assert_eq!(room.len(), chunked_len(plaintext));
    // From the last on, so that none is overwritten before it has moved.
    for counter in (1..=plaintext / CHUNK_LEN).rev() {
        let start = counter * CHUNK_LEN;
        let end = plaintext.min(start + CHUNK_LEN);
        room.copy_within(start..end, counter * (CHUNK_LEN + TAG_LEN));
    }
    for (counter, chunk) in (0..).zip(room.chunks_mut(CHUNK_LEN + TAG_LEN)) {
        let (body, tag) = chunk.split_last_chunk_mut().expect("the room has place for every tag");
        *tag = cipher.encrypt(&chunk_nonce(base_nonce, counter), context, body);
    }
}

/// Decrypts chunks where they stand and moves them together; gives the length of the
/// plaintext. After a failure none of it is left.
fn decrypt_chunks(
    cipher: &impl Gcm,
    base_nonce: &[u8; NONCE_LEN],
    context: &[u8],
    encrypted: &mut [u8],
) -> Result<usize, BoxError> {
    let length = try_decrypt_chunks(cipher, base_nonce, context, encrypted);
    if length.is_err() {
        encrypted.zeroize();
    }
    length
}

fn try_decrypt_chunks(
    cipher: &impl Gcm,
    base_nonce: &[u8; NONCE_LEN],
    context: &[u8],
    encrypted: &mut [u8],
) -> Result<usize, BoxError> {
    let mut length = 0;
    // A last chunk that is as long as the others has an empty one behind it.
    for (counter, start) in (0..).zip((0..=encrypted.len()).step_by(CHUNK_LEN + TAG_LEN)) {
        let end = encrypted.len().min(start + CHUNK_LEN + TAG_LEN);
        let chunk = encrypted.get_mut(start..end).ok_or(BoxError)?;
        let (body, tag) = chunk.split_last_chunk_mut().ok_or(BoxError)?;
        cipher.decrypt(&chunk_nonce(base_nonce, counter), context, body, tag)?;
        let plaintext = start..start + body.len();
        let next = length + plaintext.len();
        if plaintext.start != length {
            encrypted.copy_within(plaintext, length);
        }
        length = next;
    }
    Ok(length)
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
                let cipher = SingleUse::new(secret(&hex(&test["key"])).expose_secret());
                let nonce = hex(&test["iv"]).try_into().unwrap();
                let aad = hex(&test["aad"]);
                let encrypted = [hex(&test["ct"]), hex(&test["tag"])].concat();
                let mut opened = encrypted.clone();
                let length = decrypt_chunks(&cipher, &nonce, &aad, &mut opened);
                assert_eq!(length.is_ok(), test["result"] == "valid", "tcId {}", test["tcId"]);
                if let Ok(length) = length {
                    assert_eq!(opened[..length], message);
                    let mut again = message.clone();
                    again.resize(chunked_len(message.len()), 0);
                    encrypt_chunks(&cipher, &nonce, &aad, &mut again, message.len());
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
    fn boxes_of_a_run_are_those_of_one_and_a_damaged_one_harms_no_other() {
        let mut random = Randomness::from_system();
        let lengths = [5, CHUNK_LEN + 1, 0, 3 * CHUNK_LEN];
        let mut rooms: Vec<Vec<u8>> = lengths.iter().map(|length| vec![7; chunked_len(*length)]).collect();
        let contexts: Vec<Vec<u8>> = lengths.iter().map(|length| length.to_le_bytes().to_vec()).collect();
        let run = contexts.iter().zip(&mut rooms).zip(lengths);
        let keys =
            encrypt_run(&mut random, run.map(|((context, room), length)| (context, &mut room[..], length)));
        let keys = keys.unwrap();
        for (((key, context), room), length) in keys.iter().zip(&contexts).zip(&rooms).zip(lengths) {
            assert_eq!(*decrypt_once(key, context, room.clone()).unwrap(), vec![7; length]);
        }
        // In the last chunk, so that those before it are plaintext already.
        *rooms[3].last_mut().unwrap() ^= 1;
        let run = keys.iter().zip(&contexts).zip(&mut rooms);
        let opened = decrypt_run(run.map(|((key, context), room)| (key, context, &mut room[..])));
        assert_eq!(opened, [Ok(5), Ok(CHUNK_LEN + 1), Ok(0), Err(BoxError)]);
        assert_eq!(rooms[1][..CHUNK_LEN + 1], vec![7; CHUNK_LEN + 1]);
        assert!(rooms[3].iter().all(|byte| *byte == 0), "none of the damaged one is left");
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
