//! Words that the mapping knows.

use crate::record::Token;

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
