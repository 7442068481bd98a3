//! The outer bytes of a vault: header, contexts, credential areas, roots and
//! places. `docs/format.md` specifies them; nothing here reads content.

pub(crate) mod area;
pub(crate) mod context;
pub(crate) mod header;
pub(crate) mod object;
pub(crate) mod place;
pub(crate) mod root;
pub(crate) mod segment;

use thiserror::Error;

/// Suite 1: Argon2id, AES-256-GCM, SHA-2, X-Wing.
pub(crate) const SUITE: u16 = 1;
/// The format version that this library reads and writes.
pub(crate) const FORMAT_VERSION: u16 = 1;
/// The reader version of this library; a root, or a place, may ask for a newer one.
pub(crate) const READER_VERSION: u16 = 1;

/// Why outer bytes are not a vault that this library reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The file does not begin as a vault does.
    #[error("this is not a Subrosa vault")]
    NotAVault,
    /// There is nothing in the file, or nothing but zeros where a vault begins.
    #[error(
        "the file is empty, as after a copy that failed or on a full disk: there is nothing in it to open; look \
         for a backup, or for the file that it was copied from"
    )]
    Empty,
    /// The file ends within the first part of a vault.
    #[error(
        "the file was a vault and is cut off in its first 4 KiB, as after a copy that failed: look for a backup, \
         or for the file that it was copied from"
    )]
    CutOff,
    /// A vault of a newer format.
    #[error(
        "the vault has format {found}, this version reads up to {supported}: use a newer version of the software"
    )]
    NewerFormat {
        /// The file's format version.
        found: u16,
        /// The newest version read here.
        supported: u16,
    },
    /// The header is damaged.
    #[error("the vault's header is damaged: repair it from a backup, which has the same, or restore one")]
    DamagedHeader,
}
