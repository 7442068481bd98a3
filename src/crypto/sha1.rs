//! SHA-1 (FIPS 180-4), to hold a file against the digest that FHIR keeps of it
//! (`Attachment.hash`). It protects nothing: collisions can be made.

use sha1::{Digest as _, Sha1};

/// SHA-1 of these bytes.
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_digest_is_that_of_the_standard() {
        assert_eq!(super::sha1(b"abc")[..4], [0xa9, 0x99, 0x3e, 0x36]);
    }
}
