//! Attachments as claims, with their bytes found where the entry keeps them.
//!
//! Bytes that do not leave are not copied: an attachment commits to its
//! description, and to its bytes only when it was asked for.

use subrosa_excerpt::claims::ClaimValue;

use super::values::{Extent, Members, date, string};
use crate::codec::base64url;
use crate::codec::json::{Json, JsonLimits};
use crate::record::{Attachment, Location, Source, Token};

const SOURCE_LIMITS: JsonLimits = JsonLimits { bytes: 64 << 20, depth: 128, values: 4_000_000 };

/// The claim of an attachment, and whether its bytes were asked for and not found.
pub(super) fn attachment(
    attachment: &Attachment,
    source: Option<&Source>,
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
        members = members.with("sha256", string(&digest.to_string()), true);
        return (members.into_claim(), false);
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
        Location::InSource(pointer) => {
            let json = Json::parse(&source?.bytes, SOURCE_LIMITS).ok()?;
            // In one spelling: sources break it into lines.
            let bytes = base64url::decode_foreign(find(&json, pointer)?.as_str()?).ok()?;
            Some(base64url::encode_padded(&bytes))
        }
        _ => None,
    }
}

/// The value at a JSON Pointer (RFC 6901).
fn find<'a>(json: &'a Json, pointer: &Token) -> Option<&'a Json> {
    pointer.as_str().split('/').skip(1).try_fold(json, |json, step| match json {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => json.member(&step.replace("~1", "/").replace("~0", "~")),
    })
}
