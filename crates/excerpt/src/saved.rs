//! Pages that a program saved again: the closed list of changes that such programs
//! make and that a browser does not show.
//!
//! A page is held as two digests, so that it is compared without being kept: of its
//! bytes, and of what is left when these changes are undone.

use std::borrow::Cow;

use crate::verified::Compared;
use subrosa_base::digest::Digest;

/// How every page begins.
const DOCTYPE: &str = "<!DOCTYPE html>";
/// How the comment begins that Chromium puts behind it, and how it ends.
const SAVED_FROM: (&str, &str) = ("<!-- saved from url=(", " -->");
/// Longest address in that comment.
const MAX_ADDRESS: usize = 2048;

/// A page as it was received.
#[derive(Clone, Copy)]
pub(crate) struct ReceivedPage {
    as_received: Digest,
    undone: Digest,
    length: usize,
}

impl ReceivedPage {
    /// The page of these bytes.
    pub(crate) fn of(page: &str) -> Self {
        Self { as_received: Digest::of(&[page.as_bytes()]), undone: undone(page), length: page.len() }
    }

    /// Bytes that a page has at most of which this may be what a program saved: white space
    /// at its end may be gone.
    pub(crate) fn longest_issued(&self) -> usize {
        self.length.saturating_add(1)
    }

    /// What it is beside the page that the tokens give.
    pub(crate) fn compared_with(&self, rendered: &str) -> Compared {
        if self.as_received.matches(&Digest::of(&[rendered.as_bytes()])) {
            Compared::Page
        } else if self.undone.matches(&Digest::of(&[rendered.trim_end_matches(is_space).as_bytes()])) {
            Compared::ResavedPage
        } else {
            Compared::DifferentPage
        }
    }
}

/// The digest of the page without a byte order mark, with LF for CR LF, without the
/// comment of Chromium and without white space at its end.
fn undone(page: &str) -> Digest {
    let page = page.strip_prefix('\u{feff}').unwrap_or(page).trim_end_matches(is_space);
    let page = match page.contains("\r\n") {
        true => Cow::Owned(page.replace("\r\n", "\n")),
        false => Cow::Borrowed(page),
    };
    match page.strip_prefix(DOCTYPE).and_then(without_comment) {
        Some(rest) => Digest::of(&[DOCTYPE.as_bytes(), rest.as_bytes()]),
        None => Digest::of(&[page.as_bytes()]),
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// What follows the comment that Chromium adds: an optional line end, the comment
/// with an address of exactly the length that it says.
fn without_comment(text: &str) -> Option<&str> {
    let text = text.strip_prefix('\n').unwrap_or(text).strip_prefix(SAVED_FROM.0)?;
    let (length, text) = text.split_once(')')?;
    let is_length = length.len() == 4 && length.bytes().all(|byte| byte.is_ascii_digit());
    let length: usize = length.parse().ok().filter(|length| is_length && *length <= MAX_ADDRESS)?;
    let (address, text) = text.split_at_checked(length)?;
    is_address(address).then(|| text.strip_prefix(SAVED_FROM.1)).flatten()
}

/// The characters of RFC 3986, a per cent sign only before two hexadecimal digits,
/// nothing that ends a comment: no other format begins in such an address.
fn is_address(address: &str) -> bool {
    let bytes = address.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let is_right = |(at, byte): (usize, &u8)| match byte {
        b'%' => is_hex(at + 1) && is_hex(at + 2),
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(byte),
    };
    bytes.iter().enumerate().all(is_right) && !address.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<!DOCTYPE html>\n<html>\n<p>a\nb</p>\n</html>\n";

    fn compared(page: &str) -> Compared {
        ReceivedPage::of(page).compared_with(PAGE)
    }

    fn with_comment(comment: &str) -> Compared {
        compared(&PAGE.replacen("html>\n", &format!("html>\n{comment}\n"), 1))
    }

    #[test]
    fn the_changes_of_saving_again_are_undone_and_said() {
        assert_eq!(compared(PAGE), Compared::Page);
        let crlf = PAGE.replace('\n', "\r\n");
        let comment = "<!-- saved from url=(0014)about:internet -->";
        let chromium = PAGE.replacen("html>\n", &format!("html>\n{comment}\n"), 1);
        for page in [
            crlf.clone(),
            format!("\u{feff}{PAGE}"),
            format!("{PAGE}\n \t"),
            PAGE.trim_end().to_owned(),
            chromium.clone(),
            chromium.replacen("html>\n", "html>", 1),
            format!("\u{feff}{}\r\n", chromium.replace('\n', "\r\n")),
        ] {
            assert_eq!(compared(&page), Compared::ResavedPage, "{page:?}");
        }
    }

    #[test]
    fn every_other_change_makes_another_page() {
        for page in [
            format!("\u{feff}\u{feff}{PAGE}"),
            format!(" {PAGE}"),
            format!("{PAGE}\u{a0}"),
            format!("{PAGE}\0"),
            format!("{PAGE}<!-- -->"),
            PAGE.replace('\n', "\r"),
            PAGE.replace('\n', ""),
            PAGE.replace("a\nb", "a \nb"),
            PAGE.replace("a\nb", "a b"),
            PAGE.replace("DOCTYPE", "doctype"),
            PAGE.replace("<p>", "<!-- saved from url=(0014)about:internet -->\n<p>"),
            format!("<!-- saved from url=(0014)about:internet -->\n{PAGE}"),
        ] {
            assert_eq!(compared(&page), Compared::DifferentPage, "{page:?}");
        }
    }

    #[test]
    fn the_comment_has_one_exact_form() {
        assert_eq!(
            with_comment("<!-- saved from url=(0022)https://example.org/a -->"),
            Compared::DifferentPage
        );
        assert_eq!(
            with_comment("<!-- saved from url=(0021)https://example.org/a -->"),
            Compared::ResavedPage
        );
        let address =
            |text: &str| with_comment(&format!("<!-- saved from url=({:04}){text} -->", text.len()));
        assert_eq!(address("file:///C:/a%20b.html"), Compared::ResavedPage);
        assert_eq!(address(&"a".repeat(MAX_ADDRESS)), Compared::ResavedPage);
        assert_eq!(address(&"a".repeat(MAX_ADDRESS + 1)), Compared::DifferentPage);
        for text in ["a--b", "a b", "a>b", "a<b", "%PDF-1.7", "a%2", "é", "a\"b", "a\nb", "a\0", "a\\b"] {
            assert_eq!(address(text), Compared::DifferentPage, "{text:?}");
        }
        for comment in [
            "<!-- saved from url=(14)about:internet -->",
            "<!-- saved from url=(+014)about:internet -->",
            "<!-- saved from url=(0014)about:internet-->",
            "<!-- saved from url=(0014)about:internet --><p>more</p>",
            "<!-- SAVED from url=(0014)about:internet -->",
            "<!-- saved from url=(0014)about:internet -->\n<!-- saved from url=(0014)about:internet -->",
            "<!-- anything -->",
        ] {
            assert_eq!(with_comment(comment), Compared::DifferentPage, "{comment:?}");
        }
    }
}
