//! The digest of a segment: BLAKE3 of all bytes that one commit appends.

use subtle::ConstantTimeEq as _;

/// BLAKE3, with 32 bytes of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentDigest([u8; 32]);

impl SegmentDigest {
    /// The digest with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares in constant time.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// The digest of bytes that come in parts.
#[derive(Default)]
pub(crate) struct RunningSegmentDigest(blake3::Hasher);

impl RunningSegmentDigest {
    pub(crate) fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The digest of what came so far.
    pub(crate) fn digest(&self) -> SegmentDigest {
        SegmentDigest(*self.0.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::digest::Digest;

    #[test]
    fn the_digest_is_that_of_blake3s_test_vectors_however_the_bytes_come() {
        // BLAKE3-team/BLAKE3, test_vectors/test_vectors.json, the first 32 bytes of `hash`.
        for (length, expected) in [
            (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
            (4096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969"),
            (6145, "f1323a8631446cc50536a9f705ee5cb619424d46887f3c376c695b70e0f0507f"),
        ] {
            let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
            for step in [1, 64, 1000, 8192] {
                let mut running = RunningSegmentDigest::default();
                bytes.chunks(step).for_each(|part| running.update(part));
                let hex = Digest::from_bytes(*running.digest().as_bytes()).to_string();
                assert_eq!(hex, expected, "{length} bytes by {step}");
            }
        }
        let digest = RunningSegmentDigest::default().digest();
        let mut other = *digest.as_bytes();
        other[31] ^= 1;
        assert!(digest.matches(&digest) && !digest.matches(&SegmentDigest::from_bytes(other)));
    }
}
