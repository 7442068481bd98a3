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

/// One line of bounded length that says something, without characters that move the cursor
/// or the line.
pub(super) fn is_text(text: &str) -> bool {
    text.len() <= MAX_TEXT && is_one_line(text) && !text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_line_that_says_something() {
        for text in ["a", " a ", "\u{202e}", &"a".repeat(MAX_TEXT)] {
            assert!(is_text(text), "{text:?}");
        }
        for text in ["", " ", "\u{a0}\u{3000}", "a\nb", "a\u{2028}", &"a".repeat(MAX_TEXT + 1)] {
            assert!(!is_text(text), "{text:?}");
        }
    }
}
