//! Inner wire structs: what an entry and its card are in bytes.
//!
//! A version that was released is frozen: newer versions upgrade it. The encoding is
//! injective, so that one entry has one byte string and one byte string one entry.

mod arrays;
mod card;
pub(crate) mod catalogue;
pub(crate) mod content;
pub(crate) mod custody;
pub(crate) mod documents;
mod entry;
pub(crate) mod history;
pub(crate) mod imports;
pub(crate) mod mirror;
pub(crate) mod secret;
pub(crate) mod story;
#[cfg(test)]
mod tests;
mod value;

use thiserror::Error;

use crate::codec::wire::WireError;
use crate::record::FieldError;

pub(crate) use card::{decode_card, encode_card};
#[cfg(any(test, fuzzing, feature = "testing"))]
pub(crate) use entry::encode_entry;
pub(crate) use entry::{decode_entry, entry_content};

/// Why an entry or card does not encode, or bytes do not decode as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum PayloadError {
    /// The wire encoding is broken or over its limit.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The fields do not make a record.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The kind is not known. A newer version may have written the entry.
    #[error("a record of kind {number} is not known; a newer version may have written it")]
    UnknownKind {
        /// The kind's number.
        number: u16,
    },
    /// A text or date breaks the rules of its type.
    #[error("a text or date breaks the rules of its type")]
    Malformed,
    /// The entry has more fields and items of lists than it may have.
    #[error("an entry has at most 65,536 values and items of lists")]
    TooManyItems,
}
