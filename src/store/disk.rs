//! What the vault file needs of a disk: the seam at which tests put one that
//! loses power.

use std::fs::{File, TryLockError};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Medium;
use super::folder::{FileAccess, FileId};

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
    /// Whether the file is this long, or was when somebody looked: nothing of a
    /// vault makes its file shorter.
    fn reaches(&self, length: u64) -> io::Result<bool> {
        Ok(self.len()? >= length)
    }
    /// Makes the file at least `length` bytes long, the new ones zero and written,
    /// so that the system changes nothing but bytes when they are written again:
    /// a barrier is dearer after a change of what the file consists of.
    fn reserve(&self, length: u64) -> io::Result<()>;
    /// Takes the writer's lock if nobody has it.
    fn try_lock(&self) -> io::Result<bool>;
    /// Gives the writer's lock back.
    fn unlock(&self) -> io::Result<()>;
    /// Which file this is, whatever its names.
    fn id(&self) -> io::Result<FileId>;
    /// How many names the file has.
    fn names(&self) -> io::Result<u64>;
    /// Who may read and write it.
    fn access(&self) -> io::Result<FileAccess>;
    /// What is known of the medium.
    fn medium(&self) -> Medium;
}

/// What a file grows by at a time.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// A real file.
pub(super) struct FileDisk {
    file: File,
    writable: bool,
    /// Its length when somebody last looked.
    seen_length: AtomicU64,
}

impl FileDisk {
    /// An open file.
    pub(super) fn new(file: File, writable: bool) -> Self {
        Self { file, writable, seen_length: AtomicU64::new(0) }
    }

    fn write_permitted(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(io::ErrorKind::ReadOnlyFilesystem.into()) }
    }
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
        let length = self.file.metadata()?.len();
        self.seen_length.store(length, Ordering::Relaxed);
        Ok(length)
    }

    fn reaches(&self, length: u64) -> io::Result<bool> {
        Ok(self.seen_length.load(Ordering::Relaxed) >= length || self.len()? >= length)
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        let mut end = self.len()?;
        while end < length {
            let step = (length - end).min(ZEROS.len() as u64);
            let zeros = ZEROS.get(..usize::try_from(step).unwrap_or_default()).unwrap_or_default();
            self.write_at(end, zeros)?;
            end += step;
        }
        Ok(())
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

    fn id(&self) -> io::Result<FileId> {
        Ok(FileId::of(&self.file.metadata()?))
    }

    #[cfg(unix)]
    fn names(&self) -> io::Result<u64> {
        Ok(std::os::unix::fs::MetadataExt::nlink(&self.file.metadata()?))
    }

    #[cfg(not(unix))]
    fn names(&self) -> io::Result<u64> {
        Ok(1)
    }

    fn access(&self) -> io::Result<FileAccess> {
        Ok(FileAccess::of(&self.file.metadata()?))
    }

    fn medium(&self) -> Medium {
        medium(&self.file)
    }
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
