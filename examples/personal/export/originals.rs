//! Originals, byte for byte: as resources of the bundle where they are some, else beside it.

use serde_json::{Map, Value as Json, json};
use subrosa::record::{Source, SourceFile};

use crate::values;

/// An original as a resource of a bundle, if it is one: a JSON object, whole and nothing behind
/// it. Whoever has the keys can put other bytes there, which would end the resource and begin
/// another one, or leave a file that nothing can read.
pub(super) fn as_resource(bytes: &[u8]) -> Option<&[u8]> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_object = text.trim_start().starts_with('{');
    (is_object && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()).then_some(bytes)
}

/// What of an original is no resource of the bundle.
pub(super) fn beside_bundle(source: &Source) -> Map<String, Json> {
    let mut members = Map::new();
    if as_resource(&source.bytes).is_none() {
        members.insert("original_base64".to_owned(), json!(values::base64(&source.bytes)));
    }
    let files: Vec<&SourceFile> =
        source.files.iter().filter(|file| as_resource(&file.bytes).is_none()).collect();
    if !files.is_empty() {
        let file = |file: &&SourceFile| json!({ "address": file.address.as_str(), "original_base64": values::base64(&file.bytes) });
        members.insert("files".to_owned(), files.iter().map(file).collect());
    }
    members
}

/// All of an original that the bundle does not hold: that of an earlier version.
pub(super) fn earlier(source: &Source) -> Map<String, Json> {
    let mut members = text(&source.bytes);
    if !source.files.is_empty() {
        let file = |file: &SourceFile| {
            let mut members = text(&file.bytes);
            members.insert("address".to_owned(), json!(file.address.as_str()));
            Json::Object(members)
        };
        members.insert("files".to_owned(), source.files.iter().map(file).collect());
    }
    members
}

/// Bytes as text if they are some, else in base64.
fn text(bytes: &[u8]) -> Map<String, Json> {
    let (name, text) = match std::str::from_utf8(bytes) {
        Ok(text) => ("original", text.to_owned()),
        Err(_) => ("original_base64", values::base64(bytes)),
    };
    Map::from_iter([(name.to_owned(), json!(text))])
}
