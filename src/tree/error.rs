//! What can go wrong with a trie.

use thiserror::Error;

use crate::codec::fixed::LayoutError;
use crate::codec::wire::WireError;
use crate::crypto::BoxError;
use crate::crypto::random::RandomError;
use crate::store::StoreError;

/// Why a trie or an object could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored object is not the one that its parent names, or does not open or decode.
    #[error("a part of the vault is damaged ({what})")]
    Damaged {
        /// What kind of object.
        what: &'static str,
    },
    /// A value is too large for the format.
    #[error(transparent)]
    Wire(WireError),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl From<WireError> for TreeError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::TooLarge { .. } => Self::Wire(error),
            WireError::Malformed { type_name }
            | WireError::TrailingBytes { type_name }
            | WireError::NotCanonical { type_name } => Self::Damaged { what: type_name },
        }
    }
}

impl From<LayoutError> for TreeError {
    fn from(error: LayoutError) -> Self {
        Self::Damaged { what: error.what }
    }
}

impl From<BoxError> for TreeError {
    fn from(_: BoxError) -> Self {
        Self::Damaged { what: "box" }
    }
}
