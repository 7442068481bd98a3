//! Text in HTML: what a record says can neither act nor lie about its direction.

use subrosa_base::codec::spell::spell_lines;

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
