//! The two files that an excerpt travels in: JSON, and an HTML page with the same
//! JSON inside.
//!
//! Reading one only takes it apart; nothing here says that it is true.

use super::envelope::{MAX_ENTRIES, VERSION};
use super::error::VerifyError;
use super::key::PublicKey;
use crate::codec::json::{Json, JsonLimits, Object};

/// Longest file in bytes.
pub(crate) const MAX_FILE_BYTES: usize = 64 << 20;
/// The version of the page's layout: the same tokens always give the same page.
pub(crate) const RENDERER: &str = "1";

const LIMITS: JsonLimits = JsonLimits { bytes: MAX_FILE_BYTES, depth: 4, values: MAX_ENTRIES + 32 };
/// What stands before the embedded JSON in a page.
pub(crate) const OPENING: &str = r#"<script type="application/json" id="subrosa-excerpt">"#;
/// What stands behind it.
pub(crate) const CLOSING: &str = "</script>";
/// What stands around the renderer's version in a page.
pub(crate) const RENDERER_MARK: (&str, &str) = (r#"<meta name="subrosa-renderer" content=""#, "\">");

/// The parts of an excerpt: the issuer's key and the signed tokens.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) key: PublicKey,
    pub(crate) envelope: String,
    pub(crate) entries: Vec<String>,
}

impl Parts {
    /// The JSON file, in one line.
    pub(crate) fn to_json(&self) -> String {
        let entries = self.entries.iter().map(|entry| Json::string(entry.as_str())).collect();
        Json::Object(Object::new(vec![
            ("subrosa_excerpt".to_owned(), Json::Number(VERSION.to_owned())),
            ("key".to_owned(), self.key.to_json()),
            ("envelope".to_owned(), Json::string(self.envelope.as_str())),
            ("entries".to_owned(), Json::Array(entries)),
        ]))
        .to_text()
    }

    /// Takes a JSON file apart.
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, VerifyError> {
        let Json::Object(file) = Json::parse(text, LIMITS)? else { return Err(VerifyError::NotAnExcerpt) };
        match file.member("subrosa_excerpt").and_then(Json::as_number) {
            Some(VERSION) => {}
            Some(_) => return Err(VerifyError::UnsupportedVersion),
            None => return Err(VerifyError::NotAnExcerpt),
        }
        let is_known =
            |name: &String| ["subrosa_excerpt", "key", "envelope", "entries"].contains(&name.as_str());
        if !file.members().iter().all(|(name, _)| is_known(name)) {
            return Err(VerifyError::NotAnExcerpt);
        }
        let key = PublicKey::from_json(file.member("key").ok_or(VerifyError::NotAnExcerpt)?)?;
        let text = |json: &Json| json.as_str().map(str::to_owned).ok_or(VerifyError::NotAnExcerpt);
        let envelope = file.member("envelope").ok_or(VerifyError::NotAnExcerpt).and_then(text)?;
        let entries = file.member("entries").and_then(Json::as_array).ok_or(VerifyError::NotAnExcerpt)?;
        Ok(Self { key, envelope, entries: entries.iter().map(text).collect::<Result<_, _>>()? })
    }

    /// Takes a page apart, if this program knows its layout.
    pub(crate) fn from_html(page: &str) -> Result<Self, VerifyError> {
        let renderer = between(page, RENDERER_MARK.0, RENDERER_MARK.1).ok_or(VerifyError::NotAnExcerpt)?;
        let json = between(page, OPENING, CLOSING).ok_or(VerifyError::NotAnExcerpt)?;
        let parts = Self::from_json(json.as_bytes())?;
        if renderer == RENDERER { Ok(parts) } else { Err(VerifyError::UnknownRenderer) }
    }
}

fn between<'a>(text: &'a str, opening: &str, closing: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(opening)?;
    rest.split_once(closing).map(|(inside, _)| inside)
}

/// JSON that cannot end or change the script element that it stands in.
pub(crate) fn embeddable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => out.push(other),
        }
    }
    out
}
