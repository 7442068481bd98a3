//! Digests of stored objects: SHA-256 (FIPS 180-4) of short ones, BLAKE3 of the others.
//!
//! The length that a parent names beside the digest says which of the two it is.

use subtle::ConstantTimeEq as _;

use super::digest::Digest;

/// Stored bytes from which the digest is BLAKE3.
///
/// With SHA instructions SHA-256 is faster below it; here BLAKE3, which hashes chunks
/// of 1024 bytes side by side, draws level. Without them BLAKE3 always is.
const BLAKE3_FROM: usize = 4096;

/// The digest of an object's stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ObjectDigest([u8; 32]);

impl ObjectDigest {
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// SHA-256 of fewer than 4096 bytes, else BLAKE3.
    pub(crate) fn of(stored: &[u8]) -> Self {
        match stored.len() < BLAKE3_FROM {
            true => Self(*Digest::of(&[stored]).as_bytes()),
            false => Self(*blake3::hash(stored).as_bytes()),
        }
    }

    /// Compares in constant time.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// The object digest of 4096 bytes and more that come in parts.
#[derive(Default)]
pub(crate) struct RunningLongDigest(blake3::Hasher);

impl RunningLongDigest {
    pub(crate) fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The digest of what came so far.
    pub(crate) fn digest(&self) -> ObjectDigest {
        debug_assert!(self.0.count() >= BLAKE3_FROM as u64, "a shorter object has another digest");
        ObjectDigest(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(digest: ObjectDigest) -> String {
        Digest::from_bytes(*digest.as_bytes()).to_string()
    }

    /// The input of BLAKE3's test vectors.
    fn input(length: usize) -> Vec<u8> {
        (0..=250).cycle().take(length).collect()
    }

    #[test]
    fn long_objects_have_the_digests_of_blake3s_test_vectors() {
        // BLAKE3-team/BLAKE3, test_vectors/test_vectors.json, the first 32 bytes of `hash`.
        for (length, expected) in [
            (4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969"),
            (4097, "9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995"),
            (5120, "9cadc15fed8b5d854562b26a9536d9707cadeda9b143978f319ab34230535833"),
            (6145, "f1323a8631446cc50536a9f705ee5cb619424d46887f3c376c695b70e0f0507f"),
            (7169, "a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817"),
        ] {
            assert_eq!(hex(ObjectDigest::of(&input(length))), expected, "{length}");
        }
    }

    #[test]
    fn short_objects_have_a_sha_256_up_to_4095_bytes() {
        for length in [0, 1, 272, 1024, 4095] {
            let bytes = input(length);
            assert_eq!(hex(ObjectDigest::of(&bytes)), Digest::of(&[&bytes]).to_string(), "{length}");
        }
        let bytes = input(4096);
        assert!(hex(ObjectDigest::of(&bytes)) != Digest::of(&[&bytes]).to_string());
    }

    #[test]
    fn a_digest_of_parts_is_that_of_the_whole_at_every_part() {
        let bytes = input(30_000);
        let mut running = RunningLongDigest::default();
        running.update(&bytes[..4096]);
        assert!(running.digest() == ObjectDigest::of(&bytes[..4096]));
        for (start, end) in [(4096, 4097), (4097, 26_944), (26_944, 30_000)] {
            running.update(&bytes[start..end]);
            assert!(running.digest() == ObjectDigest::of(&bytes[..end]), "{end}");
        }
    }

    #[test]
    fn a_digest_matches_itself_and_no_other() {
        let digest = ObjectDigest::of(&input(5000));
        assert!(digest.matches(&ObjectDigest::from_bytes(*digest.as_bytes())));
        for bit in 0..256 {
            let mut bytes = *digest.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!digest.matches(&ObjectDigest::from_bytes(bytes)));
        }
    }
}
