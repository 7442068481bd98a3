//! Attachments as claims, with their bytes found where the entry keeps them.
//!
//! Bytes that do not leave are not copied or read: an attachment commits to its
//! description, and to its bytes only when it was asked for. A stored file that leaves is
//! named by its SHA-256, for which it is read.

use subrosa_excerpt::claims::ClaimValue;

use super::values::{Extent, Members, date, string};
use crate::codec::base64url;
use crate::codec::json::Json;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::id::EntryId;
use crate::record::{Attachment, Location, Source};

/// What is known of the files that entries keep beside them.
pub(crate) trait Files {
    /// SHA-256 of a stored file of this entry, if its bytes are there whole.
    fn sha256(&self, entry: EntryId, digest: &ContentDigest) -> Option<Digest>;
}

/// Nothing is known of any file.
pub(crate) struct NoFiles;

impl Files for NoFiles {
    fn sha256(&self, _: EntryId, _: &ContentDigest) -> Option<Digest> {
        None
    }
}

/// The claim of an attachment, and whether its bytes were asked for and not found.
/// `sha256` has the digest of a stored file that is to be named by it.
pub(super) fn attachment(
    attachment: &Attachment,
    source: Option<&Source>,
    sha256: impl FnOnce(&ContentDigest) -> Option<Option<Digest>>,
    extent: Extent,
) -> (ClaimValue, bool) {
    let mut members = Members::default().text("content_type", attachment.content_type.as_ref(), true).text(
        "title",
        attachment.title.as_ref(),
        true,
    );
    if let Some(created) = &attachment.created {
        members = members.with("created", date(created, extent), true);
    }
    if let Some(size) = attachment.size {
        members = members.with("size", ClaimValue::Whole(Json::Number(size.to_string())), true);
    }
    if let Some(Location::External(url)) = &attachment.location {
        members = members.text("url", Some(url), true);
        return (members.into_claim(), false);
    }
    if let Some(Location::Stored(digest)) = &attachment.location {
        return match sha256(digest) {
            Some(Some(sha256)) => {
                (members.with("sha256", string(&sha256.to_string()), true).into_claim(), false)
            }
            Some(None) => (members.into_claim(), true),
            None => (members.into_claim(), false),
        };
    }
    let data = attachment.location.as_ref().filter(|_| extent.all).map(|place| data(place, source));
    match data {
        Some(Some(data)) => (members.with("data", string(&data), true).into_claim(), false),
        Some(None) => (members.into_claim(), true),
        None => (members.into_claim(), false),
    }
}

/// The bytes in base64 (RFC 4648 section 4).
fn data(location: &Location, source: Option<&Source>) -> Option<String> {
    match location {
        Location::Inline(bytes) => Some(base64url::encode_padded(bytes)),
        // In one spelling.
        Location::InSource(place) => Some(base64url::encode_padded(&source?.file_at(place)?)),
        _ => None,
    }
}
