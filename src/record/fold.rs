//! Texts as a search compares them: letters that people take for the same are the same,
//! however a program wrote them.

use unicode_normalization::UnicodeNormalization as _;

/// The dot that a lower-case `i` keeps of the Turkish capital İ.
const DOT_ABOVE: char = '\u{307}';

/// A text in which case, Unicode normalization form, width and invisible characters make
/// no difference; accents do.
///
/// NFKD, lower, upper and again lower case, which folds ß, ẞ and SS, ς and σ, ı and i
/// alike, and NFKC (Unicode Standard section 3.13, close to its identifier caseless matching).
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut before = ' ';
    text.nfkd()
        .filter(|c| !is_invisible(*c))
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .filter(|c| {
            let keeps = !(*c == DOT_ABOVE && before == 'i');
            before = *c;
            keeps
        })
        .nfkc()
        .collect()
}

/// Whether nobody sees the character: soft hyphen, joiners, marks of direction, variation
/// selectors, the byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_take_for_the_same_is_the_same() {
        for (one, other) in [
            ("Müller", "MU\u{308}LLER"),
            ("Straße", "STRASSE"),
            ("Stra\u{1e9e}e", "strasse"),
            ("İstanbul", "istanbul"),
            ("Diyarbakır", "DIYARBAKIR"),
            ("ΑΣΚΛΗΠΙΟΣ", "ασκληπιος"),
            ("\u{fb01}brosis", "fibrosis"),
            ("Ａｄａ", "ada"),
            ("가", "\u{1100}\u{1161}"),
            ("5\u{a0}µg", "5 μg"),
            ("car\u{ad}cinoma", "carcinoma"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
    }

    #[test]
    fn accents_make_a_difference() {
        assert_ne!(fold("Müller"), fold("Muller"));
        assert!(!fold("e\u{301}").contains(&fold("e")));
    }

    proptest! {
        #[test]
        fn no_normalization_form_changes_what_is_found(text in "\\PC{0,40}") {
            let forms: [String; 4] =
                [text.nfc().collect(), text.nfd().collect(), text.nfkc().collect(), text.nfkd().collect()];
            for form in forms {
                prop_assert_eq!(fold(&form), fold(&text));
            }
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
