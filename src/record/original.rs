//! Reading texts out of originals: what no field carries is found all the same.

use super::entry::Source;
use super::search::Needle;
use crate::codec::base64url;
use crate::codec::json::{Json, JsonLimits, Object};

/// Members of originals that hold addresses, or say of whom everything is.
const NOT_SEARCHED: [&str; 8] =
    ["subject", "patient", "reference", "system", "url", "fullUrl", "profile", "resourceType"];

/// Most of an original that is searched.
const LIMITS: JsonLimits = JsonLimits { bytes: 64 << 20, depth: 128, values: 4_000_000 };

impl Source {
    /// Whether a text is found in an original: in any text of it, and in files of words
    /// that it holds (`data` beside a `contentType` of `text/…`).
    pub(super) fn matches(&self, needle: &Needle) -> bool {
        let Ok(json) = Json::parse(&self.bytes, LIMITS) else {
            return needle.is_in(&String::from_utf8_lossy(&self.bytes));
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
}

/// The words of an attachment that is plain text, HTML or the like.
fn file_of_words(object: &Object) -> Option<String> {
    let sort = object.member("contentType")?.as_str()?;
    let is_words = sort.trim_start().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"));
    let data = object.member("data").filter(|_| is_words)?.as_str()?;
    let bytes = base64url::decode_padded(data.trim()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
