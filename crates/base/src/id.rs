//! Identifiers: opaque random bytes, printed as hexadecimal.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A text that is not an identifier of 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an identifier is 32 hexadecimal digits")]
pub struct ParseIdError;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The identifier of these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The bytes of the identifier.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse_hex(text).map(Self)
            }
        }
    )+};
}

ids! {
    /// Names a vault. Random, drawn at creation, the same for ever.
    VaultId;
    /// Names an entry. Random, the same for all its revisions.
    EntryId;
    /// Names one commit. Random, drawn for each.
    CommitId;
    /// Names the stored content of an attachment, while it is being stored and
    /// after. Random, drawn for each.
    ContentId;
    /// Names a document of which entries were made. Random, drawn when it first comes.
    DocumentId;
    /// Names one issued excerpt. Random, drawn for each copy.
    ExcerptId;
    /// Names one way into a vault: a digest of its slot's public half, so that
    /// whatever takes the slot later has another.
    AccessId;
}

/// The number of a commit: 1 at creation, one more with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The epoch of the next commit; `None` after the last number that there is.
    #[doc(hidden)]
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn parse_hex(text: &str) -> Result<[u8; 16], ParseIdError> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return Err(ParseIdError);
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let text = std::str::from_utf8(pair).map_err(|_| ParseIdError)?;
        if !pair.iter().all(u8::is_ascii_hexdigit) {
            return Err(ParseIdError);
        }
        *byte = u8::from_str_radix(text, 16).map_err(|_| ParseIdError)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_parses_back() {
        let id = EntryId::from_bytes([0xab; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn what_is_not_an_identifier_is_refused() {
        for text in ["", "ab", "+babababababababababababababababab", "éééééééééééééééé", &"g".repeat(32)]
        {
            assert_eq!(text.parse::<EntryId>(), Err(ParseIdError), "{text}");
        }
    }
}
