//! Text as a block of lines on a terminal: no line is as wide as the terminal, so that none
//! goes on at its edge, where a program's own lines begin.

use std::fmt::{self, Write};

use super::spell::spell;

/// Fewest columns of a text beside its beginning.
const BESIDE: usize = 24;
/// Fewest columns of a text.
const NARROWEST: usize = 16;

/// Columns that a text takes at most on a terminal: one for each character of Latin, Greek
/// and Cyrillic and the signs used with them, two for anything that may be wide.
///
/// ```
/// # use subrosa_base::columns;
/// assert_eq!((columns("Asthma"), columns("\u{231a}喘息")), (6, 6));
/// ```
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(character: char) -> usize {
    match character {
        '\0'..'\u{1100}' => 1,
        // Emoji among the signs, which some terminals draw in two columns.
        '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{21aa}' => 2,
        // Punctuation, letters and numbers of special forms, arrows, mathematics; boxes.
        '\u{2000}'..'\u{2300}' | '\u{2500}'..'\u{25a0}' => 1,
        _ => 2,
    }
}

/// Writes a text of others behind a beginning, broken between words so that no line takes
/// more than `width` columns; further lines begin below its start. What cannot be seen is
/// spelt, as [`spell`] does. There is no line break at the end.
///
/// Where the beginning leaves fewer than 24 columns, the text begins below it.
///
/// ```
/// # use subrosa_base::spell_block;
/// let mut out = String::new();
/// spell_block(&mut out, "  Note: ", "one two three four five six\nseven", 32)?;
/// assert_eq!(out, "  Note: one two three four five\n        six\n        seven");
/// # Ok::<(), std::fmt::Error>(())
/// ```
///
/// # Errors
/// What `out` gives.
pub fn spell_block(out: &mut dyn Write, beginning: &str, text: &str, width: usize) -> fmt::Result {
    let margin = columns(beginning);
    if margin + BESIDE > width && !beginning.trim().is_empty() {
        let indent = beginning.chars().take_while(|character| *character == ' ').count().min(width / 4);
        write_lines(out, &" ".repeat(indent), beginning.trim(), width)?;
        out.write_char('\n')?;
        return write_lines(out, &" ".repeat(indent + 4), text, width);
    }
    write_lines(out, beginning, text, width)
}

fn write_lines(out: &mut dyn Write, beginning: &str, text: &str, width: usize) -> fmt::Result {
    let margin = columns(beginning);
    let room = width.saturating_sub(margin).max(NARROWEST);
    let mut block = Block { out, beginning, margin, is_begun: false };
    for line in text.lines() {
        broken(&spell(line), room, &mut |part| block.line(part))?;
    }
    if block.is_begun { Ok(()) } else { block.line("") }
}

struct Block<'a> {
    out: &'a mut dyn Write,
    beginning: &'a str,
    margin: usize,
    is_begun: bool,
}

impl Block<'_> {
    fn line(&mut self, part: &str) -> fmt::Result {
        let part = part.trim_end();
        if self.is_begun {
            self.out.write_char('\n')?;
        }
        match (self.is_begun, part.is_empty()) {
            (false, true) => self.out.write_str(self.beginning.trim_end())?,
            (false, false) => self.out.write_str(self.beginning)?,
            (true, true) => {}
            (true, false) => write!(self.out, "{:1$}", "", self.margin)?,
        }
        self.is_begun = true;
        self.out.write_str(part)
    }
}

/// The line in parts of no more than this many columns.
fn broken(line: &str, room: usize, give: &mut dyn FnMut(&str) -> fmt::Result) -> fmt::Result {
    let (mut part, mut used) = (String::new(), 0);
    for word in line.split_inclusive(' ') {
        if used > 0 && used + columns(word.trim_end()) > room {
            give(&part)?;
            part.clear();
            used = 0;
        }
        for character in word.chars() {
            let width = width(character);
            if used + width > room {
                give(&part)?;
                part.clear();
                used = 0;
            }
            part.push(character);
            used += width;
        }
    }
    give(&part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(beginning: &str, text: &str, width: usize) -> String {
        let mut out = String::new();
        spell_block(&mut out, beginning, text, width).unwrap();
        out
    }

    #[test]
    fn what_is_wide_anywhere_is_counted_as_wide() {
        // East Asian Wide below U+2C00 (Unicode 16, EastAsianWidth.txt).
        let wide = [
            0x1100..=0x115f,
            0x231a..=0x231b,
            0x2329..=0x232a,
            0x23e9..=0x23ec,
            0x23f0..=0x23f0,
            0x23f3..=0x23f3,
            0x25fd..=0x25fe,
            0x2614..=0x2615,
            0x2630..=0x2637,
            0x2648..=0x2653,
            0x267f..=0x267f,
            0x268a..=0x268f,
            0x2693..=0x2693,
            0x26a1..=0x26a1,
            0x26aa..=0x26ab,
            0x26bd..=0x26be,
            0x26c4..=0x26c5,
            0x26ce..=0x26ce,
            0x26d4..=0x26d4,
            0x26ea..=0x26ea,
            0x26f2..=0x26f5,
            0x26fa..=0x26fa,
            0x26fd..=0x26fd,
            0x2705..=0x2705,
            0x270a..=0x270b,
            0x2728..=0x2728,
            0x274c..=0x274e,
            0x2753..=0x2757,
            0x2795..=0x2797,
            0x27b0..=0x27bf,
            0x2b1b..=0x2b1c,
            0x2b50..=0x2b55,
        ];
        for code in wide.into_iter().flatten().chain(0x2e80..0x3400) {
            let character = char::from_u32(code).unwrap();
            assert_eq!(width(character), 2, "U+{code:04X}");
        }
        assert_eq!(columns("Größe 5 µmol/L ≤ 6 — “ok” ███ ×"), 31);
    }

    #[test]
    fn no_line_is_wider_than_it_may_be_and_none_begins_at_the_edge() {
        let texts = [
            "\u{231a}".repeat(200),
            "x".repeat(200),
            "GENUINE: unchanged ".repeat(20),
            "one\n\n\u{2614}\u{fe0f} two\r\nthree\u{7f}".repeat(9),
        ];
        for (text, width) in texts.iter().flat_map(|text| [20, 40, 78].map(|width| (text, width))) {
            for beginning in
                ["  ", "    Label: ", "    A label that is longer than half of a line (1 of 2): "]
            {
                let block = block(beginning, text, width);
                for line in block.lines() {
                    assert!(columns(line) <= width.max(beginning.len() + NARROWEST), "{line:?}");
                    assert!(line.starts_with("  ") || line.is_empty(), "{line:?}");
                    assert_eq!(line.trim_end(), line);
                }
            }
        }
        assert_eq!(block("  A: ", "", 40), "  A:");
        assert_eq!(block(&" ".repeat(12), "a", 30), format!("{}a", " ".repeat(12)));
        assert_eq!(block("", "a\n\nb", 40), "a\n\nb");
        assert_eq!(block("    A long label: ", "text", 20), "    A long label:\n        text");
    }
}
