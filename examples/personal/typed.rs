//! Passwords and recovery keys that are typed: a slip is named and asked about again.

use bip39::Language;
use subrosa::RecoveryKey;
use zeroize::Zeroizing;

use crate::arguments::Common;
use crate::failure::{Exit, Failure};
use crate::near;
use crate::output::note;
use crate::prompt;

/// How often a password, a word or a whole key may be typed.
const ATTEMPTS: usize = 3;
/// Words of a recovery key.
const WORDS: usize = 24;

/// Opens with a password that is typed; a wrong one may be typed again.
pub(crate) fn again<T>(
    common: &Common,
    mut attempt: impl FnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let is_typed =
        common.password_file.is_none() && common.recovery_key_file.is_none() && !common.recovery_key;
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(Failure::Told { exit: Exit::WrongCredential, .. }) if is_typed => {
                note("That is not the password. Once more (Caps Lock? keyboard layout?):");
            }
            result => return result,
        }
    }
    attempt()
}

/// The recovery key, which is asked for.
pub(crate) fn recovery_key() -> Result<RecoveryKey, Failure> {
    for _ in 1..ATTEMPTS {
        let text = prompt::hidden("Recovery key (24 words, or 8 groups of 7): ")?;
        if let Ok(key) = RecoveryKey::parse(&text) {
            return Ok(key);
        }
        let mut words: Vec<Zeroizing<String>> =
            text.split_whitespace().map(|word| Zeroizing::new(word.to_lowercase())).collect();
        if words.len() != WORDS {
            note(&format!(
                "That was {}; a recovery key has 24, or 8 groups of letters and digits. Once more:",
                number(words.len())
            ));
            continue;
        }
        for (position, word) in (1..).zip(words.iter_mut()) {
            correct(position, word)?;
        }
        let corrected: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
        match RecoveryKey::parse(&Zeroizing::new(corrected.join(" "))) {
            Ok(key) => return Ok(key),
            Err(_) => note(
                "Each of these is a word of recovery keys, but together they are none: a word stands for another, \
                 or two have changed places. Compare with the paper, once more:",
            ),
        }
    }
    let text = prompt::hidden("Recovery key (24 words, or 8 groups of 7): ")?;
    RecoveryKey::parse(&text).map_err(|error| Failure::refused(error.to_string()))
}

fn number(words: usize) -> String {
    if words == 1 { "1 word".to_owned() } else { format!("{words} words") }
}

/// Asks for one word again, while it is none of those that recovery keys are made of.
fn correct(position: usize, word: &mut Zeroizing<String>) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let Some(said) = slip(position, word) else { return Ok(()) };
        note(&said);
        let typed = prompt::hidden(&format!("Word {position} again: "))?;
        *word = Zeroizing::new(typed.trim().to_lowercase());
    }
    Ok(())
}

/// What is wrong with a word, if it is none that recovery keys are made of.
fn slip(position: usize, word: &str) -> Option<String> {
    let known = Language::English.word_list();
    if known.contains(&word) {
        return None;
    }
    let meant = near::nearest(word, known.iter().copied());
    let meant = meant.map(|meant| format!(" Did you mean {meant}?")).unwrap_or_default();
    Some(format!("Word {position} is no word of recovery keys.{meant}"))
}

/// Which words of a key in a file are wrong, by their positions.
pub(crate) fn slips(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let known = Language::English.word_list();
    let is_wrong = |word: &str| !known.contains(&word.to_lowercase().as_str());
    let wrong: Vec<String> = (1..)
        .zip(&words)
        .filter(|(_, word)| is_wrong(word))
        .map(|(position, _): (usize, _)| position.to_string())
        .collect();
    match (words.len(), wrong.as_slice()) {
        (WORDS, []) => Some("each is a word of recovery keys, but together they are none".to_owned()),
        (WORDS, [one]) => Some(format!("word {one} is no word of recovery keys")),
        (WORDS, several) => Some(format!("words {} are no words of recovery keys", several.join(", "))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{slip, slips};

    #[test]
    fn a_wrong_word_is_named_by_its_position_with_what_was_meant() {
        assert_eq!(slip(7, "bulet").unwrap(), "Word 7 is no word of recovery keys. Did you mean bullet?");
        assert_eq!(slip(7, "bullet"), None);
        let mut words = vec!["abandon"; 24];
        assert!(slips(&words.join(" ")).unwrap().contains("together they are none"));
        words[4] = "bulet";
        assert_eq!(slips(&words.join(" ")).unwrap(), "word 5 is no word of recovery keys");
        words.pop();
        assert_eq!(slips(&words.join(" ")), None);
    }
}
