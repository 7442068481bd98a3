//! Members of the envelope, read strictly.

use subrosa_base::codec::json::{Json, Object};
use subrosa_base::text::is_one_line;

/// Longest text in an envelope.
pub(super) const MAX_TEXT: usize = 4096;

/// The member of an envelope that is missing or malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[doc(hidden)]
pub struct Malformed(pub &'static str);

pub(super) fn only_members(object: &Object, known: &[&str], what: &'static str) -> Result<(), Malformed> {
    let is_known = |name: &String| known.contains(&name.as_str());
    if object.members().iter().all(|(name, _)| is_known(name)) { Ok(()) } else { Err(Malformed(what)) }
}

pub(super) fn text(payload: &Object, name: &'static str) -> Result<String, Malformed> {
    bounded(payload.member(name)).ok_or(Malformed(name))
}

pub(super) fn bounded(json: Option<&Json>) -> Option<String> {
    json?.as_str().filter(|text| is_text(text)).map(str::to_owned)
}

/// One line of bounded length, without characters that move the cursor or the line.
pub(super) fn is_text(text: &str) -> bool {
    (1..=MAX_TEXT).contains(&text.len()) && is_one_line(text)
}
