//! Text as it is shown to people: what cannot be seen is spelt, as in `[U+202E]`.
//!
//! Every terminal, page and preview shows texts through these functions, so that no
//! record can move the cursor, turn the direction of writing, hide a part of itself
//! or paint over what stands beside it. Nothing is taken away.

use unicode_normalization::char::is_combining_mark;

/// Most combining marks on one character; more paint over the lines around.
const MOST_MARKS: usize = 4;

/// The text in one line, with every character spelt that is not seen or that changes
/// how others are shown: controls, bidirectional and zero-width formats, tags,
/// variation selectors away from emoji, fillers, private and non-characters, and
/// marks without end. Line breaks and tabs become spaces.
///
/// ```
/// # use subrosa_base::{spell, spell_json, spell_lines};
/// assert_eq!(spell("two\nlines"), "two lines");
/// assert_eq!(spell("gnp.\u{202e}exe\u{1b}[2J"), "gnp.[U+202E]exe[U+001B][2J");
/// ```
#[must_use]
pub fn spell(text: &str) -> String {
    spelt(text, ' ', usize::MAX).unwrap_or_default()
}

/// The same, if that is no longer than this many bytes: a character may take eight times
/// the bytes that it had.
#[doc(hidden)]
#[must_use]
pub fn spell_within(text: &str, limit: usize) -> Option<String> {
    spelt(text, ' ', limit)
}

/// The same for a text of several lines, which are kept. A line ends with a line
/// feed, or with a carriage return and a line feed.
///
/// ```
/// # use subrosa_base::{spell, spell_json, spell_lines};
/// assert_eq!(spell_lines("one\r\ntwo\u{7}"), "one\ntwo[U+0007]");
/// ```
#[must_use]
pub fn spell_lines(text: &str) -> String {
    spelt(text, '\n', usize::MAX).unwrap_or_default()
}

/// The same, if that is no longer than this many bytes.
#[doc(hidden)]
#[must_use]
pub fn spell_lines_within(text: &str, limit: usize) -> Option<String> {
    spelt(text, '\n', limit)
}

/// JSON text in which every character that [`spell`] may spell is escaped as `\uXXXX`,
/// so that a terminal shows it and a program reads the same value. Line feeds between
/// values stay.
///
/// ```
/// # use subrosa_base::{spell, spell_json, spell_lines};
/// assert_eq!(spell_json("{\"a\": \"\u{9b}2J\"}"), r#"{"a": "\u009b2J"}"#);
/// ```
#[must_use]
pub fn spell_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && (is_hidden(character) || is_combining_mark(character)) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    out
}

fn spelt(text: &str, line_break: char, limit: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len().min(limit));
    let (mut before, mut marks) = (None, 0);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let is_mark = is_combining_mark(character) && !is_selector(character);
        marks = if is_mark { marks + 1 } else { 0 };
        match character {
            '\r' if characters.peek() == Some(&'\n') => continue,
            '\n' => out.push(line_break),
            '\t' => out.push(' '),
            // Asks for the coloured form of the emoji before it.
            '\u{fe0e}' | '\u{fe0f}' if before.is_some_and(is_emoji) => out.push(character),
            mark if is_mark && (before.is_none() || marks > MOST_MARKS) => out.push_str(&name(mark)),
            hidden if is_hidden(hidden) => out.push_str(&name(hidden)),
            plain => out.push(plain),
        }
        if out.len() > limit {
            return None;
        }
        before = (character != '\n').then_some(character);
    }
    Some(out)
}

fn name(character: char) -> String {
    format!("[U+{:04X}]", u32::from(character))
}

/// Whether a character cannot be seen, or changes how others are shown.
fn is_hidden(character: char) -> bool {
    character.is_control() || is_selector(character) || is_format(character) || has_no_meaning(character)
}

fn is_selector(character: char) -> bool {
    matches!(character, '\u{fe00}'..='\u{fe0f}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Formats and fillers: Unicode's `Cf` and `Default_Ignorable_Code_Point`, the line and
/// the paragraph separator, and letters without a form.
fn is_format(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1345f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Characters that mean something else, or nothing, to every reader: private use and
/// non-characters, and the planes in which nothing is assigned.
fn has_no_meaning(character: char) -> bool {
    let code = u32::from(character);
    matches!(code, 0xe000..=0xf8ff | 0xfdd0..=0xfdef | 0x4_0000..=0xd_ffff | 0xf_0000..)
        || code & 0xfffe == 0xfffe
}

fn is_emoji(character: char) -> bool {
    matches!(
        character,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{21aa}'
            | '\u{231a}'..='\u{23ff}' | '\u{24c2}' | '\u{25aa}'..='\u{27bf}' | '\u{2934}'..='\u{2935}'
            | '\u{2b05}'..='\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_spelt() {
        let hidden = "\0\u{7}\u{8}\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{9f}\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{180e}\
                      \u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\
                      \u{2069}\u{206f}\u{2800}\u{3164}\u{fe00}\u{fe0f}\u{feff}\u{ffa0}\u{fff9}\u{fffb}\u{fffe}\
                      \u{ffff}\u{fdd0}\u{1fffe}\u{e000}\u{50000}\u{e0001}\u{e0041}\u{e0100}\u{f0000}\u{10ffff}";
        for character in hidden.chars() {
            let named = format!("a[U+{:04X}]b", u32::from(character));
            assert_eq!(spell(&format!("a{character}b")), named);
            assert_eq!(spell_lines(&format!("a{character}b")), named);
            let escaped = spell_json(&serde_json::json!(format!("a{character}b")).to_string());
            assert!(escaped.is_ascii(), "{named}");
            assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), format!("a{character}b"));
        }
        assert_eq!(spell("a\rb"), "a[U+000D]b");
        assert_eq!(spell_lines("a\r"), "a[U+000D]");
    }

    #[test]
    fn what_people_write_stays() {
        for text in [
            "Größe 5,4 µmol/L ≤ 6 — ok",
            "عربى",
            "עברית",
            "हिन्दी",
            "ไทย",
            "漢字",
            "é e\u{301}",
            "☀\u{fe0f} 🩺",
            "[U+202E]",
        ] {
            assert_eq!(spell(text), text);
            assert_eq!(spell_lines(text), text);
        }
    }

    #[test]
    fn lines_break_where_they_may() {
        assert_eq!(spell("a\r\nb\tc\nd"), "a b c d");
        assert_eq!(spell_lines("a\r\nb\tc\n\nd\n"), "a\nb c\n\nd\n");
        assert_eq!(spell_json("{\n\"a\": \"\\n\"}"), "{\n\"a\": \"\\n\"}");
    }

    #[test]
    fn a_text_that_gets_too_long_is_not_spelt() {
        for (text, bytes) in [("", 0), ("ab", 2), ("\u{7f}", 8), ("a\u{e0041}", 10), ("e\u{301}", 3)] {
            assert_eq!(spell_within(text, bytes), Some(spell(text)));
            assert_eq!(spell_lines_within(text, bytes), Some(spell_lines(text)));
            let short = bytes.checked_sub(1).and_then(|short| spell_within(text, short));
            assert_eq!(short, None, "{text:?}");
        }
    }

    #[test]
    fn marks_cannot_pile_up_or_fall_on_what_stands_before() {
        assert_eq!(spell("\u{301}a"), "[U+0301]a");
        assert_eq!(spell_lines("a\n\u{301}"), "a\n[U+0301]");
        let piled = format!("a{}", "\u{301}".repeat(6));
        assert_eq!(spell(&piled), "a\u{301}\u{301}\u{301}\u{301}[U+0301][U+0301]");
    }
}
