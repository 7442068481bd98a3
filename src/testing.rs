//! What this crate's own tests share: the vectors and records beside the project.

use std::path::PathBuf;

use serde_json::Value;

/// A file of the shared test data, or a loud skip.
pub(crate) fn data(path: &str) -> Option<Vec<u8>> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(path);
    let bytes = std::fs::read(&file).ok();
    if bytes.is_none() {
        eprintln!("SKIPPED: ../shared/data/{path} is absent");
    }
    bytes
}

/// The test groups of a Wycheproof file.
pub(crate) fn wycheproof(name: &str) -> Option<Vec<Value>> {
    let bytes = data(&format!("crypto/wycheproof/{name}"))?;
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    Some(file["testGroups"].as_array().unwrap().clone())
}

/// The bytes that a JSON string gives in hexadecimal.
pub(crate) fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    assert!(text.is_ascii() && text.len().is_multiple_of(2));
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// Inflates what the vectors compressed (RFC 1950).
pub(crate) fn inflate(zlib: &[u8]) -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec_zlib(zlib).unwrap()
}
