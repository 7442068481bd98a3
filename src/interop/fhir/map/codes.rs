//! Codes and words that the mapping knows.

use crate::record::{Coding, Token};

pub(super) const LOINC: &str = "http://loinc.org";
pub(super) const SNOMED: &str = "http://snomed.info/sct";

/// Whether one of the codings is in this table of codes.
pub(super) fn has_code<'a>(
    codings: impl IntoIterator<Item = &'a Coding>,
    system: &str,
    codes: &[&str],
) -> bool {
    codings.into_iter().any(|coding| {
        let code = coding.code.as_ref().map(Token::as_str);
        coding.system.as_ref().map(Token::as_str) == Some(system)
            && code.is_some_and(|code| codes.contains(&code))
    })
}

/// A token of a word in this program.
pub(super) fn word(text: &'static str) -> Option<Token> {
    Token::new(text).ok()
}
