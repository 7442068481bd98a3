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

/// Whether these are the last words of a title, in any case: what says more after them
/// may say the opposite.
pub(super) fn is_titled(text: &Token, title: &[&str]) -> bool {
    let lower = text.as_str().to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let denies = |word: &&str| ["no", "not", "without", "missing", "lacking"].contains(word);
    words.ends_with(title) && !words.iter().any(denies)
}

/// A token of a word in this program.
pub(super) fn word(text: &'static str) -> Option<Token> {
    Token::new(text).ok()
}
