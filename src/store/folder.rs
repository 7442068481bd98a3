//! What the vault file needs of its folder: names that are given, taken and
//! made durable. With [`Disk`] the seam at which tests put one that loses power.

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StoreError;
use super::disk::{Disk, FileDisk};
use super::identity::{FileAccess, FileId};

/// Names of files in one folder. A change is not durable before [`Folder::sync`].
pub(crate) trait Folder: Send + Sync {
    /// What a name stands for.
    fn named(&self, name: &OsStr) -> io::Result<Named>;
    /// Opens a file, for writing too if the system lets it.
    fn open(&self, name: &OsStr) -> io::Result<Box<dyn Disk>>;
    /// Creates an empty file under a name that is free.
    fn create(&self, name: &OsStr, access: &FileAccess) -> io::Result<Box<dyn Disk>>;
    /// Gives a file a further name, if that is free.
    fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()>;
    /// Gives a file another name, which another file may lose by it.
    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()>;
    /// Takes a name away.
    fn remove(&self, name: &OsStr) -> io::Result<()>;
    /// Makes every change of names so far durable.
    fn sync(&self) -> io::Result<()>;
    /// The path of a name, for people.
    fn path(&self, name: &OsStr) -> PathBuf;
}

/// What a name stands for; a symbolic link is never followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// Nothing.
    Nothing,
    /// An ordinary file.
    File(FileId),
    /// A folder, a symbolic link, a device.
    Other,
}

/// A real folder.
pub(super) struct RealFolder(PathBuf);

impl RealFolder {
    /// Whether files can be told apart, which replacing one takes.
    pub(super) const TELLS_FILES_APART: bool = cfg!(unix);

    /// The folder and the name of an existing file, symbolic links resolved, so
    /// that both stay right when the process changes its folder.
    pub(super) fn of_file(path: &Path) -> io::Result<(Self, OsString)> {
        let path = std::fs::canonicalize(path)?;
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => Ok((Self(folder.to_owned()), name.to_owned())),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// The folder and the name of a file that is to be made.
    pub(super) fn for_new_file(path: &Path) -> Result<(Self, OsString), StoreError> {
        let name = path.file_name().ok_or(StoreError::NoFolder)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        match std::fs::canonicalize(folder.unwrap_or(Path::new("."))) {
            Ok(folder) if folder.is_dir() => {
                let folder = Self(folder);
                folder.admits_files()?;
                Ok((folder, name.to_owned()))
            }
            Ok(_) => Err(StoreError::NoFolder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(StoreError::NoFolder),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(StoreError::ClosedFolder),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether files can be made in the folder and their names made durable, which takes
    /// both writing and reading it.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "macos"))]
    fn admits_files(&self) -> Result<(), StoreError> {
        use rustix::fs::Access;
        match rustix::fs::access(&self.0, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => Err(StoreError::ClosedFolder),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos")))]
    fn admits_files(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Folder for RealFolder {
    fn named(&self, name: &OsStr) -> io::Result<Named> {
        match self.path(name).symlink_metadata() {
            Ok(metadata) if metadata.is_file() => Ok(Named::File(FileId::of(&metadata))),
            Ok(_) => Ok(Named::Other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Named::Nothing),
            Err(error) => Err(error),
        }
    }

    fn open(&self, name: &OsStr) -> io::Result<Box<dyn Disk>> {
        let path = self.path(name);
        let (file, writable) = match options().write(true).open(&path) {
            Ok(file) => (file, true),
            Err(error) if refuses_writing(&error) => (options().open(&path)?, false),
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Box::new(FileDisk::new(file, writable)))
    }

    fn create(&self, name: &OsStr, access: &FileAccess) -> io::Result<Box<dyn Disk>> {
        let path = self.path(name);
        let mut options = options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        if let Err(error) = access.give(&file) {
            // Empty and ours: what cannot be removed says nothing.
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        Ok(Box::new(FileDisk::new(file, true)))
    }

    fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        std::fs::hard_link(self.path(from), self.path(to))
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        std::fs::remove_file(self.path(name))
    }

    #[cfg(unix)]
    fn sync(&self) -> io::Result<()> {
        std::fs::File::open(&self.0)?.sync_all()
    }

    #[cfg(not(unix))]
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn path(&self, name: &OsStr) -> PathBuf {
        self.0.join(name)
    }
}

/// Where a new file is to be, under a name that is free.
pub(crate) struct Destination {
    pub(super) folder: Arc<dyn Folder>,
    pub(super) name: OsString,
}

impl Destination {
    /// A new file at a path.
    pub(crate) fn at(path: &Path) -> Result<Self, StoreError> {
        let (folder, name) = RealFolder::for_new_file(path)?;
        Self::on(Arc::new(folder), name)
    }

    /// A new file in any folder, under no name that is in use, that compaction needs, or
    /// that leaves no room for the names that compaction gives beside it.
    pub(crate) fn on(folder: Arc<dyn Folder>, name: OsString) -> Result<Self, StoreError> {
        match folder.named(&name)? {
            Named::Nothing if is_reserved(&name) => Err(StoreError::ReservedName),
            Named::Nothing => {
                for suffix in BESIDE {
                    let mut beside = name.clone();
                    beside.push(suffix);
                    folder.named(&beside)?;
                }
                Ok(Self { folder, name })
            }
            _ => Err(StoreError::Exists),
        }
    }
}

/// What compaction adds to a file's name.
const BESIDE: [&str; 2] = [".compact", ".old"];

/// Whether a compaction of a file beside it would need the name, whatever its case.
fn is_reserved(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let ends_in = |suffix: &str| {
        name.len()
            .checked_sub(suffix.len())
            .and_then(|start| name.get(start..))
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
    };
    BESIDE.into_iter().any(ends_in)
}

/// Opens for reading, and never through a symbolic link.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "macos"))]
    {
        let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    options
}

fn refuses_writing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Whether the file system has no hard links.
pub(super) fn has_no_links(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied)
}

/// Gives a whole and durable file its name without overwriting another: by a
/// link, or where there are none by reserving the name first and renaming over
/// it. The temporary name is gone when this returns `Ok`.
pub(super) fn give_name(folder: &dyn Folder, temporary: &OsStr, name: &OsStr) -> io::Result<()> {
    match folder.link(temporary, name) {
        Err(error) if has_no_links(&error) => {
            folder.create(name, &FileAccess::PRIVATE)?;
            if let Err(error) = folder.rename(temporary, name) {
                // An empty file is no success either.
                let _ = folder.remove(name);
                return Err(error);
            }
        }
        result => {
            result?;
            // One name at a time: never is there a moment without any.
            let moved = folder.sync().and_then(|()| folder.remove(temporary)).and_then(|()| folder.sync());
            if let Err(error) = moved {
                // Half a success is none: the name is free again.
                let _ = folder.remove(name);
                return Err(error);
            }
            return Ok(());
        }
    }
    folder.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_names_the_same_file_from_another_folder() {
        // Not by changing the folder of the process, which all tests share.
        let folder = tempfile::tempdir_in(".").unwrap();
        let relative = Path::new(folder.path().file_name().unwrap()).join("a.vault");
        std::fs::write(&relative, b"vault").unwrap();
        let (found, name) = RealFolder::of_file(&relative).unwrap();
        let whole = std::fs::canonicalize(std::env::current_dir().unwrap()).unwrap().join(&relative);
        assert_eq!(found.path(&name), whole);
    }

    #[test]
    #[cfg(unix)]
    fn what_the_system_does_not_let_be_written_is_opened_to_be_read() {
        use std::os::unix::fs::PermissionsExt as _;
        for (kind, refuses) in [
            (io::ErrorKind::PermissionDenied, true),
            (io::ErrorKind::ReadOnlyFilesystem, true),
            (io::ErrorKind::NotFound, false),
            (io::ErrorKind::IsADirectory, false),
        ] {
            assert_eq!(refuses_writing(&kind.into()), refuses, "{kind}");
        }
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("a");
        std::fs::write(&own, b"1").unwrap();
        std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o400)).unwrap();
        // The second is refused even to root.
        for path in [&own, Path::new("/sys/kernel/uevent_seqnum")] {
            let Err(error) = OpenOptions::new().write(true).open(path) else { continue };
            if error.kind() == io::ErrorKind::PermissionDenied {
                let (folder, name) = RealFolder::of_file(path).unwrap();
                let disk = folder.open(&name).unwrap();
                disk.read_at(0, &mut [0]).unwrap();
                assert_eq!(disk.write_at(0, b"2").unwrap_err().kind(), io::ErrorKind::ReadOnlyFilesystem);
            }
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_is_gone_is_not_made_durable() {
        let folder = tempfile::tempdir().unwrap();
        let (real, _) = RealFolder::for_new_file(&folder.path().join("a")).unwrap();
        real.sync().unwrap();
        drop(folder);
        assert!(real.sync().is_err());
    }
}
