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
    #[error("the text is empty; leave the field out instead")]
    Empty,
    /// The text is longer than its type allows.
    #[error("the text is longer than {limit} bytes; keep it as an attachment instead")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
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
