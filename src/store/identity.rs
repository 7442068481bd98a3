//! Which file it is, and who may read and write it.

use std::fs::{File, Metadata};
use std::io;

/// Which file it is, as the system tells files apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl FileId {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Without inodes every file is taken for the same: nothing is ever replaced
    /// there, see `RealFolder::TELLS_FILES_APART`.
    #[cfg(not(unix))]
    pub(super) fn of(_metadata: &Metadata) -> Self {
        Self { device: 0, inode: 0 }
    }
}

/// Who may read and write a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileAccess {
    /// Permission bits, as on Unix.
    pub(crate) mode: u32,
    /// Owner and group; `None` is whoever creates it.
    pub(crate) owner: Option<(u32, u32)>,
}

impl FileAccess {
    /// Only whoever creates it.
    pub(crate) const PRIVATE: Self = Self { mode: 0o600, owner: None };

    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { mode: metadata.mode() & 0o777, owner: Some((metadata.uid(), metadata.gid())) }
    }

    #[cfg(not(unix))]
    pub(super) fn of(_metadata: &Metadata) -> Self {
        Self::PRIVATE
    }

    #[cfg(unix)]
    pub(super) fn give(&self, file: &File) -> io::Result<()> {
        use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
        let metadata = file.metadata()?;
        if let Some((user, group)) = self.owner
            && (metadata.uid(), metadata.gid()) != (user, group)
        {
            std::os::unix::fs::fchown(file, Some(user), Some(group))?;
        }
        file.set_permissions(std::fs::Permissions::from_mode(self.mode))
    }

    #[cfg(not(unix))]
    pub(super) fn give(&self, _file: &File) -> io::Result<()> {
        Ok(())
    }
}
