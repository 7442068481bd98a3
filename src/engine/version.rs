//! Which readers a commit writes for.

use crate::format::{CONTENT_READER, FIRST_READER};

/// Which readers a writer writes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WriterVersion {
    /// Everything but attachments that are stored beside their entries.
    V1,
    /// The same with stored attachments.
    V2,
}

impl WriterVersion {
    /// The newest version that this library writes.
    pub const LATEST: Self = Self::V2;

    /// The reader version that a vault asks for at most.
    #[must_use]
    pub fn reader(self) -> u16 {
        match self {
            Self::V1 => FIRST_READER,
            Self::V2 => CONTENT_READER,
        }
    }
}
