//! What the vault file needs of a disk: the seam at which tests put one that
//! loses power.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::Medium;

/// A file with positioned reads and writes and explicit durability.
pub(crate) trait Disk: Send + Sync {
    /// Fills `buffer` from `offset`; fewer bytes are an error.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`; not durable before [`Disk::sync`].
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes every write so far durable, the file's length included.
    fn sync(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Makes the file at least `length` bytes long, with space allocated where
    /// the system can.
    fn reserve(&self, length: u64) -> io::Result<()>;
    /// Takes the writer's lock if nobody has it.
    fn try_lock(&self) -> io::Result<bool>;
    /// Gives the writer's lock back.
    fn unlock(&self) -> io::Result<()>;
    /// Whether the path still names this file.
    fn is_current(&self) -> io::Result<bool>;
    /// What is known of the medium.
    fn medium(&self) -> Medium;
}

/// A real file.
pub(crate) struct FileDisk {
    file: File,
    path: PathBuf,
    writable: bool,
}

impl FileDisk {
    /// Opens an existing file, for writing too if the system lets it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (file, writable) = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => (file, true),
            Err(error) if refuses_writing(&error) => (File::open(path)?, false),
            Err(error) => return Err(error),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        // Absolute, so that it still names the file when the process changes its folder.
        Ok(Self { file, path: std::path::absolute(path)?, writable })
    }

    /// Creates `path` with `bytes` so that it is either absent or whole:
    /// written under a temporary name, made durable, linked without overwriting.
    pub(crate) fn create(path: &Path, unique: &str, bytes: &[u8]) -> io::Result<()> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let temporary = path.with_file_name(format!(".subrosa-{unique}"));
        let result = write_new(&temporary, bytes).and_then(|()| link_new(&temporary, path));
        let removed = std::fs::remove_file(&temporary);
        result?;
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        sync_folder(path)
    }

    fn write_permitted(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(io::ErrorKind::ReadOnlyFilesystem.into()) }
    }
}

fn refuses_writing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Gives the file its name without overwriting another; where the file system
/// has no hard links, by reserving the name first and renaming over it.
fn link_new(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::hard_link(from, to) {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) =>
        {
            OpenOptions::new().write(true).create_new(true).open(to)?;
            std::fs::rename(from, to)
        }
        result => result,
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

impl Disk for FileDisk {
    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    buffer = buffer.get_mut(count..).unwrap_or_default();
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    #[cfg(unix)]
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_permitted()?;
        std::os::unix::fs::FileExt::write_all_at(&self.file, bytes, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
        self.write_permitted()?;
        while !bytes.is_empty() {
            match std::os::windows::fs::FileExt::seek_write(&self.file, bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = bytes.get(count..).unwrap_or_default();
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        // fdatasync also makes a changed length durable (POSIX).
        self.file.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        self.write_permitted()?;
        if self.len()? >= length { Ok(()) } else { allocate(&self.file, length) }
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.write_permitted()?;
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }

    #[cfg(unix)]
    fn is_current(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt as _;
        let (ours, theirs) = (self.file.metadata()?, std::fs::metadata(&self.path)?);
        Ok(ours.dev() == theirs.dev() && ours.ino() == theirs.ino())
    }

    #[cfg(not(unix))]
    fn is_current(&self) -> io::Result<bool> {
        self.path.try_exists()
    }

    fn medium(&self) -> Medium {
        medium(&self.file)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn allocate(file: &File, length: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, length) {
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => file.set_len(length),
        result => result.map_err(io::Error::from),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn allocate(file: &File, length: u64) -> io::Result<()> {
    file.set_len(length)
}

#[cfg(target_os = "linux")]
fn medium(file: &File) -> Medium {
    // The magic numbers of statfs(2).
    let Ok(status) = rustix::fs::fstatfs(file) else { return Medium::InPlace { file_system: None } };
    match u32::try_from(status.f_type & 0xffff_ffff).unwrap_or_default() {
        0x9123_683e => Medium::CopyOnWrite { file_system: "btrfs" },
        0x2fc1_2fc1 => Medium::CopyOnWrite { file_system: "zfs" },
        0xf2f5_2010 => Medium::CopyOnWrite { file_system: "f2fs" },
        0xca45_1a4e => Medium::CopyOnWrite { file_system: "bcachefs" },
        0x0000_3434 => Medium::CopyOnWrite { file_system: "nilfs2" },
        0x794c_7630 => Medium::CopyOnWrite { file_system: "overlayfs" },
        0x0000_ef53 => Medium::InPlace { file_system: Some("ext4") },
        0x5846_5342 => Medium::InPlace { file_system: Some("xfs") },
        0x0102_1994 => Medium::InPlace { file_system: Some("tmpfs") },
        _ => Medium::InPlace { file_system: None },
    }
}

#[cfg(not(target_os = "linux"))]
fn medium(_file: &File) -> Medium {
    Medium::InPlace { file_system: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_names_the_same_file_from_another_folder() {
        // Not by changing the folder of the process, which all tests share.
        let folder = tempfile::tempdir_in(".").unwrap();
        let relative = Path::new(folder.path().file_name().unwrap()).join("a.vault");
        FileDisk::create(&relative, "u", b"vault").unwrap();
        let disk = FileDisk::open(&relative).unwrap();
        assert_eq!(disk.path, std::env::current_dir().unwrap().join(&relative));
        assert!(disk.is_current().unwrap());
    }
}
