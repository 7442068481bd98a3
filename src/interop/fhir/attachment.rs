//! Attachments: their bytes stay in the source, and what the source says of them is held
//! against them.
//!
//! An entry never describes a file that its source does not hold: what cannot be decoded
//! is no file, and a length or digest that is not that of the bytes is reported.

use super::element::Element;
use crate::codec::base64url;
use crate::codec::json::Json;
use crate::crypto::digest::Digest;
use crate::crypto::sha1::sha1;
use crate::interop::finding::FindingReason;
use crate::record::{Attachment, Location, Token};

impl Element<'_> {
    pub(super) fn attachments(&self, name: &str) -> Vec<Attachment> {
        self.elements(name).iter().map(Element::as_attachment).collect()
    }

    fn as_attachment(&self) -> Attachment {
        let (size, location) = match self.member("data") {
            Some(data) => match data.as_str().and_then(|text| base64url::decode_foreign(text).ok()) {
                Some(bytes) => self.held(&bytes),
                None => {
                    self.report("data", FindingReason::FileDamaged);
                    (None, None)
                }
            },
            None => (self.said_size(), self.token("url").map(Location::External)),
        };
        Attachment {
            content_type: self.token("contentType"),
            title: self.token("title"),
            created: self.date("creation"),
            size,
            location,
        }
    }

    /// A file whose bytes the source holds.
    fn held(&self, bytes: &[u8]) -> (Option<u64>, Option<Location>) {
        let length = u64::try_from(bytes.len()).ok();
        if self.has("size") && self.said_size() != length {
            self.report("size", FindingReason::FileDiffers);
        }
        if self.member("hash").and_then(Json::as_str).is_some_and(|hash| !may_be_hash(hash, bytes)) {
            self.report("hash", FindingReason::FileDiffers);
        }
        self.settle("data");
        (length, Token::new(self.pointer_to_member("data")).ok().map(Location::InSource))
    }

    fn said_size(&self) -> Option<u64> {
        self.number("size").and_then(|size| size.as_str().parse().ok())
    }
}

/// Whether this is the SHA-1 of the bytes in base64, as FHIR wants it, or what programs
/// write instead: SHA-256, or hexadecimal.
pub(super) fn may_be_hash(hash: &str, bytes: &[u8]) -> bool {
    let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hash: String = hash.split_ascii_whitespace().collect();
    let digests = [sha1(bytes).to_vec(), Digest::of(&[bytes]).as_bytes().to_vec()];
    digests
        .iter()
        .any(|digest| hash == base64url::encode_padded(digest) || hash.to_lowercase() == hex(digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_fhir_and_as_programs_write_it() {
        // FIPS 180-4: SHA-1 and SHA-256 of "abc".
        for hash in [
            "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
        ] {
            assert!(may_be_hash(hash, b"abc"), "{hash}");
            assert!(!may_be_hash(hash, b"abd"), "{hash}");
        }
        assert!(!may_be_hash("", b"abc") && !may_be_hash("%", b""));
    }
}
