//! Text in HTML: what a record says can neither act nor lie about its direction.

use subrosa_base::codec::spell::spell_lines;

/// A page as far as it is written, which ends where it gets too long.
pub(super) struct Page {
    text: String,
    limit: usize,
}

impl Page {
    /// No longer than this many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { text: String::new(), limit }
    }

    /// Writes markup.
    pub(super) fn push_str(&mut self, markup: &str) {
        self.write(|text| text.push_str(markup));
    }

    /// Writes a text as [`escape`] does, without holding it twice.
    pub(super) fn push_escaped(&mut self, text: &str) {
        self.push_str("<bdi>");
        let spelt = spell_lines(text);
        for character in spelt.chars() {
            self.write(|text| push(text, character));
        }
        self.push_str("</bdi>");
    }

    /// Writes something, unless there is too much already.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut String)) {
        if self.text.len() <= self.limit {
            write(&mut self.text);
        }
    }

    /// The page, if it is all there.
    pub(super) fn finish(self) -> Option<String> {
        (self.text.len() <= self.limit).then_some(self.text)
    }
}

/// The text as inert HTML in its own direction.
///
/// Markup characters are escaped, and characters that change how others are shown
/// or cannot be seen are replaced by their names.
pub(super) fn escape(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape_plain(text))
}

/// The same without an element around it, where none may stand.
pub(super) fn escape_plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    spell_lines(text).chars().for_each(|character| push(&mut out, character));
    out
}

fn push(out: &mut String, character: char) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        plain => out.push(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_where_it_gets_too_long() {
        let text = "a & 'b'\n\u{202e}";
        let page = |limit: usize| {
            let mut page = Page::new(limit);
            page.push_str("<p>");
            page.push_escaped(text);
            page.finish()
        };
        let whole = format!("<p>{}", escape(text));
        assert_eq!(page(whole.len()), Some(whole.clone()));
        assert_eq!(page(whole.len() - 1), None);
        assert_eq!(page(3), None);
    }

    #[test]
    fn hostile_texts_are_inert() {
        assert_eq!(
            escape("<script>alert('x')</script>"),
            "<bdi>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</bdi>"
        );
        assert_eq!(escape("a\" onload=\"b & ]]>"), "<bdi>a&quot; onload=&quot;b &amp; ]]&gt;</bdi>");
        assert_eq!(
            escape("gnp\u{202e}exe\0\u{7f}\u{85}"),
            "<bdi>gnp[U+202E]exe[U+0000][U+007F][U+0085]</bdi>"
        );
        assert_eq!(escape("two\nlines, é 港"), "<bdi>two\nlines, é 港</bdi>");
        assert_eq!(escape("a\r\u{200d}"), "<bdi>a[U+000D][U+200D]</bdi>");
    }
}
