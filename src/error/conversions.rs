//! What the layers below say, as the one error of the vault.

use super::variants::Error;
use crate::codec::wire::WireError;
use crate::payload::PayloadError;
use crate::tree::TreeError;

impl From<TreeError> for Error {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Store(error) => Self::Store(error),
            TreeError::Damaged { what } => Self::Damaged { what },
            TreeError::Wire(_) => Self::TooLarge,
            TreeError::Random(error) => Self::Random(error),
        }
    }
}

impl From<PayloadError> for Error {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::Wire(error) => error.into(),
            PayloadError::TooManyItems => Self::TooLarge,
            _ => Self::Damaged { what: "entry" },
        }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        TreeError::from(error).into()
    }
}
