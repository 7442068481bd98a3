//! Reading files and texts out of originals: what no field carries is found all the same.

use super::entry::Source;
use super::search::Needle;
use super::text::Token;
use crate::codec::base64url;
use crate::codec::json::{Json, JsonLimits, Object};

/// Members of originals that hold addresses, or say of whom everything is.
const NOT_SEARCHED: [&str; 8] =
    ["subject", "patient", "reference", "system", "url", "fullUrl", "profile", "resourceType"];

/// Most of an original that is searched.
const LIMITS: JsonLimits = JsonLimits { bytes: 64 << 20, depth: 128, values: 4_000_000 };

impl Source {
    /// The bytes of the file at a place of the original ([`Location::InSource`]), if it is
    /// there in base64.
    ///
    /// [`Location::InSource`]: super::Location::InSource
    pub(crate) fn file_at(&self, place: &Token) -> Option<Vec<u8>> {
        let (number, pointer) = place.as_str().split_once('/')?;
        let bytes = match number {
            "" => &self.bytes,
            number => &self.files.get(number.parse::<usize>().ok()?)?.bytes,
        };
        let json = Json::parse(bytes, LIMITS).ok()?;
        // In any spelling: sources break it into lines.
        base64url::decode_foreign(find(&json, pointer)?.as_str()?).ok()
    }

    /// Whether a text is found in an original: in any text of it, and in files of words
    /// that it holds (`data` beside a `contentType` of `text/…`).
    pub(super) fn matches(&self, needle: &Needle) -> bool {
        let mut all = [&self.bytes].into_iter().chain(self.files.iter().map(|file| &file.bytes));
        all.any(|bytes| is_in(bytes, needle))
    }
}

fn is_in(bytes: &[u8], needle: &Needle) -> bool {
    let Ok(json) = Json::parse(bytes, LIMITS) else {
        return needle.is_in(&String::from_utf8_lossy(bytes));
    };
    // Without recursion: input chooses the depth.
    let mut open = vec![&json];
    while let Some(json) = open.pop() {
        match json {
            Json::String(text) if needle.is_in(text) => return true,
            Json::Array(items) => open.extend(items),
            Json::Object(object) => {
                if file_of_words(object).is_some_and(|text| needle.is_in(&text)) {
                    return true;
                }
                let members = object.members().iter();
                let searched = members.filter(|(name, _)| !NOT_SEARCHED.contains(&name.as_str()));
                open.extend(searched.map(|(_, value)| value));
            }
            _ => {}
        }
    }
    false
}

/// The value at the steps of a JSON Pointer (RFC 6901).
fn find<'a>(json: &'a Json, steps: &str) -> Option<&'a Json> {
    steps.split('/').try_fold(json, |json, step| match json {
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => json.member(&step.replace("~1", "/").replace("~0", "~")),
    })
}

/// The words of an attachment that is plain text, HTML or the like.
fn file_of_words(object: &Object) -> Option<String> {
    let sort = object.member("contentType")?.as_str()?;
    let is_words = sort.trim_start().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"));
    let data = object.member("data").filter(|_| is_words)?.as_str()?;
    let bytes = base64url::decode_foreign(data).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
