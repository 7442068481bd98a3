//! Bounded text: short words and free text are different types.
//!
//! A text that exists is not empty and is within its limit. That free text has
//! a type of its own lets a release withhold all of it without knowing fields.

use std::fmt;

use thiserror::Error;

/// Why a text cannot be kept in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The text has no characters. Leave the field out instead.
    #[error("the text is empty; write something, or leave the field out")]
    Empty,
    /// The text is longer than its type allows.
    #[error("the text is longer than {limit} bytes; keep it as an attachment instead")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The text has a line break or another control character, where one line is expected.
    #[error("the text has a line break or a control character; write it as one line")]
    NotOneLine,
}

/// Whether a text is one line, without characters that move the cursor or the line.
#[must_use]
pub fn is_one_line(text: &str) -> bool {
    !text.chars().any(|character| character.is_control() || ['\u{2028}', '\u{2029}'].contains(&character))
}

/// A text of one line that says something, as the reader of an excerpt sees it.
///
/// # Errors
/// [`TextError`] when it is empty, too long or not one line.
pub fn one_line(text: &str) -> Result<Token, TextError> {
    match text.trim() {
        "" => Err(TextError::Empty),
        text if !is_one_line(text) => Err(TextError::NotOneLine),
        text => Token::new(text),
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $limit:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Longest text in bytes.
            pub const LIMIT: usize = $limit;

            /// The text as a value of this type.
            ///
            /// # Errors
            /// [`TextError`] when the text is empty or longer than [`Self::LIMIT`].
            pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
                let text = text.into();
                if text.is_empty() {
                    return Err(TextError::Empty);
                }
                if text.len() > Self::LIMIT {
                    return Err(TextError::TooLong { limit: Self::LIMIT });
                }
                Ok(Self(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, owned.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        /// The text itself. To show it to people, spell what cannot be seen:
        /// [`spell`](crate::spell).
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = TextError;

            fn from_str(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = TextError;

            fn try_from(text: &str) -> Result<Self, TextError> {
                Self::new(text)
            }
        }
    )+};
}

texts! {
    /// A short text: a status word, a code, a display, a name, an identifier.
    Token, 1024;
    /// Free text that a person wrote or may have written. Releases withhold it
    /// as a whole unless it was asked for by name.
    Narrative, 8 << 20;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_long_texts_are_refused() {
        assert_eq!(Token::new(""), Err(TextError::Empty));
        assert!(Token::new("a".repeat(1024)).is_ok());
        assert_eq!(Token::new("a".repeat(1025)), Err(TextError::TooLong { limit: 1024 }));
        assert!(Narrative::new("a".repeat(1025)).is_ok());
    }

    #[test]
    fn a_line_has_no_break_and_says_something() {
        for text in ["Dr. Lee\nof the clinic", "a\rb", "a\u{2028}b", "a\u{85}b", "a\u{1b}[2Jb", "a\tb"] {
            assert_eq!(one_line(text), Err(TextError::NotOneLine), "{text:?}");
        }
        assert_eq!((one_line(""), one_line(" \n ")), (Err(TextError::Empty), Err(TextError::Empty)));
        assert_eq!(one_line(" Dr. Lee "), Token::new("Dr. Lee"));
    }

    #[test]
    fn a_text_prints_and_parses_as_itself() {
        let text: Token = " Asthma\u{202e}".parse().unwrap();
        assert_eq!((text.to_string(), text.as_ref()), (" Asthma\u{202e}".to_owned(), text.as_str()));
        assert_eq!(format!("[{:>4}]", Token::new("a").unwrap()), "[   a]");
        assert_eq!("".parse::<Narrative>(), Err(TextError::Empty));
    }

    #[test]
    fn debug_prints_no_content() {
        assert_eq!(format!("{:?}", Narrative::new("secret").unwrap()), "Narrative");
    }
}
