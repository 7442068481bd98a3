//! Digests of the contents of attachments: BLAKE3 of all their bytes.

use std::fmt;

use blake3::Hasher;
use subrosa_base::digest::{Digest, NotADigest};
use zeroize::Zeroize as _;

/// What a stored file is known by in its vault: BLAKE3 of its bytes, as `b3sum` prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentDigest([u8; 32]);

impl ContentDigest {
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

    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest that prints so, in whatever case.
    ///
    /// # Errors
    /// [`NotADigest`] when the text is anything but 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, NotADigest> {
        Digest::parse(text).map(|digest| Self(*digest.as_bytes()))
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Digest::from_bytes(self.0).fmt(f)
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentDigest({self})")
    }
}

/// The digest of a content that comes in parts. What it keeps of the bytes is wiped.
pub struct RunningContentDigest(Box<Hasher>);

impl Default for RunningContentDigest {
    fn default() -> Self {
        Self(Box::new(Hasher::new()))
    }
}

impl RunningContentDigest {
    /// Takes the next part.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The digest of all parts together.
    #[must_use]
    pub fn finish(self) -> ContentDigest {
        ContentDigest(*self.0.finalize().as_bytes())
    }
}

impl Drop for RunningContentDigest {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

crate::secret::redacted_debug!(RunningContentDigest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_blake3_of_the_parts_together_and_prints_in_hexadecimal() {
        // BLAKE3-team/BLAKE3, test_vectors/test_vectors.json, the first 32 bytes of `hash`.
        for (length, expected) in [
            (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
            (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
            (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
            (5121, "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff"),
        ] {
            let input: Vec<u8> = (0..=250).cycle().take(length).collect();
            let digest = ContentDigest::of(&input);
            assert_eq!(digest.to_string(), expected, "{length}");
            assert_eq!(format!("{digest:?}"), format!("ContentDigest({expected})"));
            assert_eq!(ContentDigest::parse(&expected.to_uppercase()), Ok(digest));
            for step in [1, 100, 1024, 6000] {
                let mut running = RunningContentDigest::default();
                input.chunks(step).for_each(|part| running.update(part));
                assert_eq!(running.finish(), digest, "{length} by {step}");
            }
        }
        assert_eq!(ContentDigest::parse("af13"), Err(NotADigest));
    }
}
