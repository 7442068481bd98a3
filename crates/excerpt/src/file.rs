//! The two files that an excerpt travels in: JSON, and an HTML page with the same
//! JSON inside.
//!
//! Reading one only takes it apart; nothing here says that it is true. The JSON has
//! one spelling, so that no reader, browser or editor finds anything else in it.

use std::sync::Arc;

use crate::envelope::{MAX_ENTRIES, VERSION};
use crate::error::VerifyError;
use crate::key::PublicKey;
use crate::saved::ReceivedPage;

/// Longest file in bytes.
pub const MAX_FILE_BYTES: usize = 64 << 20;
/// Most bytes of all entry tokens: half, since a page shows what it embeds.
pub const MAX_TOKENS_BYTES: usize = MAX_FILE_BYTES / 2;
/// The version of the page's layout: the same tokens always give the same page.
pub const RENDERER: &str = "1";

/// What stands before the embedded JSON in a page.
pub const OPENING: &str = r#"<script type="application/json" id="subrosa-excerpt">"#;
/// What stands behind it.
pub const CLOSING: &str = "</script>";
/// What stands around the renderer's version in a page.
pub const RENDERER_MARK: (&str, &str) = (r#"<meta name="subrosa-renderer" content=""#, "\">");

/// What stands between the parts of the JSON file.
pub const PIECES: [&str; 5] =
    [r#"{"subrosa_excerpt":"#, r#","key":"#, r#","envelope":""#, r#"","entries":["#, "]}"];

/// Longest text of a key.
const MAX_KEY: usize = 1024;

/// The parts of an excerpt: the issuer's key and the signed tokens.
#[derive(Clone)]
pub struct Parts {
    pub key: PublicKey,
    pub envelope: String,
    pub entries: Vec<Arc<str>>,
}

/// What shows the excerpt to people, if anything does.
#[derive(Clone, Copy)]
pub(crate) enum Shown {
    /// Nothing: the file is the JSON alone.
    Nothing,
    /// A page of the layout that this program knows.
    Page(ReceivedPage),
    /// A page of another layout.
    UnknownLayout,
}

impl Parts {
    /// The JSON file, in one line.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    /// Writes the JSON file. The tokens are letters, digits and `-_.~`, so nothing in
    /// it needs an escape, and nothing in it is markup.
    pub fn write_json(&self, out: &mut String) {
        let [opening, key, envelope, entries, closing] = PIECES;
        let tokens: usize = self.entries.iter().map(|token| token.len() + 3).sum();
        out.reserve(tokens + self.envelope.len() + MAX_KEY);
        for piece in [opening, VERSION, key, &self.key.to_jwk(), envelope, &self.envelope, entries] {
            out.push_str(piece);
        }
        for (index, token) in self.entries.iter().enumerate() {
            out.push_str(if index == 0 { "\"" } else { ",\"" });
            out.push_str(token);
            out.push('"');
        }
        out.push_str(closing);
    }

    /// Takes a JSON file apart. It has to be what [`Parts::to_json`] writes, byte for byte.
    pub fn from_json(text: &str) -> Result<Self, VerifyError> {
        let [opening, key, envelope, entries, closing] = PIECES;
        let text = text.strip_prefix(opening).ok_or(VerifyError::NotAnExcerpt)?;
        let (version, text) = text.split_once(key).ok_or(VerifyError::NotAsIssued)?;
        if version != VERSION {
            return Err(other_version(version));
        }
        let (jwk, text) = text.split_once(envelope).ok_or(VerifyError::NotAsIssued)?;
        let key = exact_key(jwk)?;
        let (envelope, text) = text.split_once(entries).ok_or(VerifyError::NotAsIssued)?;
        let tokens = text.strip_suffix(closing).ok_or(VerifyError::NotAsIssued)?;
        if !is_token(envelope) {
            return Err(VerifyError::NotAsIssued);
        }
        Ok(Self { key, envelope: envelope.to_owned(), entries: exact_tokens(tokens)? })
    }

    /// Takes a page apart. What it shows is compared later, once the tokens verified.
    pub(crate) fn from_html(page: &str) -> Result<(Self, Shown), VerifyError> {
        let renderer = only_between(page, RENDERER_MARK.0, RENDERER_MARK.1)?;
        let parts = Self::from_json(only_between(page, OPENING, CLOSING)?)?;
        let shown = match renderer {
            RENDERER => Shown::Page(ReceivedPage::of(page)),
            _ => Shown::UnknownLayout,
        };
        Ok((parts, shown))
    }
}

fn other_version(version: &str) -> VerifyError {
    let is_number = (1..=9).contains(&version.len()) && version.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { VerifyError::UnsupportedVersion } else { VerifyError::NotAsIssued }
}

/// A key of exactly its required members in their one order.
fn exact_key(jwk: &str) -> Result<PublicKey, VerifyError> {
    if jwk.len() > MAX_KEY {
        return Err(VerifyError::NotAsIssued);
    }
    let key = PublicKey::from_jwk(jwk.as_bytes())?;
    if key.to_jwk() == jwk { Ok(key) } else { Err(VerifyError::NotAsIssued) }
}

fn exact_tokens(text: &str) -> Result<Vec<Arc<str>>, VerifyError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let (mut tokens, mut bytes) = (Vec::new(), 0_usize);
    for token in text.split(',') {
        let token = token.strip_prefix('"').and_then(|token| token.strip_suffix('"'));
        let token = token.filter(|token| is_token(token)).ok_or(VerifyError::NotAsIssued)?;
        if tokens.len() == MAX_ENTRIES {
            return Err(VerifyError::TooManyEntries { limit: MAX_ENTRIES });
        }
        bytes = bytes.saturating_add(token.len());
        if bytes > MAX_TOKENS_BYTES {
            return Err(VerifyError::TooLong { limit: MAX_TOKENS_BYTES });
        }
        tokens.push(Arc::from(token));
    }
    Ok(tokens)
}

fn is_token(text: &str) -> bool {
    let is_right = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_right)
}

/// What stands between these marks, which a page has once: with two, nobody could
/// say which one counts.
fn only_between<'a>(page: &'a str, opening: &str, closing: &str) -> Result<&'a str, VerifyError> {
    let (_, rest) = page.split_once(opening).ok_or(VerifyError::NotAnExcerpt)?;
    let (inside, rest) = rest.split_once(closing).ok_or(VerifyError::NotAnExcerpt)?;
    if rest.contains(opening) { Err(VerifyError::NotAsIssued) } else { Ok(inside) }
}

subrosa_base::redacted_debug!(Parts);
