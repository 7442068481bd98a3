//! What the vault file needs of a disk: the seam at which tests put one that
//! loses power.

use std::fs::{File, TryLockError};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use super::Medium;
use super::identity::{FileAccess, FileId};

/// A file with positioned reads and writes and explicit durability.
pub(crate) trait Disk: Send + Sync {
    /// Fills `buffer` from `offset`; fewer bytes are an error.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`; not durable before [`Disk::sync`].
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes every write so far durable, the file's length included.
    fn sync(&self) -> io::Result<()>;
    /// Lets the system begin to make what is written durable, beside whoever writes on: the
    /// barrier at the end has less to wait for. A failure of it is one of the next
    /// [`Disk::sync`].
    fn start_sync(&self) {}
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
    /// Which file it is, which never changes.
    id: OnceLock<FileId>,
    /// What makes earlier writes durable while others are written.
    early: Mutex<Option<JoinHandle<io::Result<()>>>>,
    /// A barrier failed: what became of the writes before it, no later barrier says.
    failed: AtomicBool,
}

impl FileDisk {
    /// An open file.
    pub(super) fn new(file: File, writable: bool) -> Self {
        Self {
            file,
            writable,
            seen_length: AtomicU64::new(0),
            id: OnceLock::new(),
            early: Mutex::default(),
            failed: AtomicBool::new(false),
        }
    }

    fn early(&self) -> MutexGuard<'_, Option<JoinHandle<io::Result<()>>>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_permitted(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(io::ErrorKind::ReadOnlyFilesystem.into()) }
    }
}

/// Waits for what makes earlier writes durable, if there is any.
fn ended(early: Option<JoinHandle<io::Result<()>>>) -> io::Result<()> {
    let ended = early.map_or(Ok(Ok(())), JoinHandle::join);
    ended.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
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

    fn start_sync(&self) {
        let mut early = self.early();
        if early.as_ref().is_some_and(|early| !early.is_finished()) {
            return;
        }
        if ended(early.take()).is_err() {
            self.failed.store(true, Ordering::SeqCst);
        } else if let Ok(file) = self.file.try_clone() {
            // Where no thread can be had the barrier does it all.
            *early = thread::Builder::new().spawn(move || file.sync_data()).ok();
        }
    }

    fn sync(&self) -> io::Result<()> {
        let early = ended(self.early().take());
        // fdatasync also makes a changed length durable (POSIX).
        let synced = early.and_then(|()| self.file.sync_data());
        // The system tells once of a write that failed, to whoever asked first: the writer
        // may not have been the one.
        if self.failed.fetch_or(synced.is_err(), Ordering::SeqCst) && synced.is_ok() {
            return Err(io::Error::other("an earlier barrier failed"));
        }
        synced
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
        self.write_permitted()?;
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
        if let Some(id) = self.id.get() {
            return Ok(*id);
        }
        let id = FileId::of(&self.file.metadata()?);
        Ok(*self.id.get_or_init(|| id))
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
    rustix::fs::fstatfs(file).map_or(Medium::Unknown, |status| file_system(status.f_type))
}

/// What is known of a file system by the magic number of statfs(2), which some
/// machines extend by its sign.
#[cfg(target_os = "linux")]
fn file_system(magic: i64) -> Medium {
    match u32::try_from(magic & 0xffff_ffff).unwrap_or_default() {
        0x9123_683e => Medium::CopyOnWrite { file_system: "btrfs" },
        0x2fc1_2fc1 => Medium::CopyOnWrite { file_system: "zfs" },
        0xf2f5_2010 => Medium::CopyOnWrite { file_system: "f2fs" },
        0xca45_1a4e => Medium::CopyOnWrite { file_system: "bcachefs" },
        0x0000_3434 => Medium::CopyOnWrite { file_system: "nilfs2" },
        0x794c_7630 => Medium::CopyOnWrite { file_system: "overlayfs" },
        0x0000_ef53 => Medium::InPlace { file_system: "ext4" },
        0x5846_5342 => Medium::InPlace { file_system: "xfs" },
        0x0102_1994 => Medium::InPlace { file_system: "tmpfs" },
        _ => Medium::Unknown,
    }
}

#[cfg(not(target_os = "linux"))]
fn medium(_file: &File) -> Medium {
    Medium::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_was_not_seen_is_asked_for_and_never_taken_for_granted() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        std::fs::write(&path, [1; 100]).unwrap();
        let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let disk = FileDisk::new(file, true);
        assert!(disk.reaches(100).unwrap());
        assert!(!disk.reaches(101).unwrap());
        disk.write_at(100, &[2; 10]).unwrap();
        assert!(disk.reaches(110).unwrap() && !disk.reaches(111).unwrap());
        assert_eq!(disk.len().unwrap(), 110);
        disk.reserve(50).unwrap();
        assert_eq!(disk.len().unwrap(), 110, "nothing gets shorter");
        disk.reserve(4000).unwrap();
        assert_eq!(disk.len().unwrap(), 4000);
        let mut bytes = [9; 20];
        disk.read_at(95, &mut bytes).unwrap();
        assert_eq!(bytes, [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0]);
        assert_eq!(disk.read_at(3999, &mut bytes).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_file_that_may_only_be_read_is_not_written_reserved_or_locked() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        std::fs::write(&path, [1; 100]).unwrap();
        let disk = FileDisk::new(File::open(&path).unwrap(), false);
        let kind = |result: io::Result<()>| result.err().map(|error| error.kind());
        let refused = Some(io::ErrorKind::ReadOnlyFilesystem);
        assert_eq!(kind(disk.write_at(0, &[2])), refused);
        assert_eq!(kind(disk.reserve(1)), refused);
        assert_eq!(kind(disk.try_lock().map(|_| ())), refused);
        assert_eq!(std::fs::read(&path).unwrap(), [1; 100]);
        let mut bytes = [0; 3];
        disk.read_at(0, &mut bytes).unwrap();
        assert_eq!(bytes, [1; 3]);
    }

    #[test]
    fn a_lock_is_held_until_it_is_given_back() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        std::fs::write(&path, []).unwrap();
        let open = || {
            let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
            FileDisk::new(file, true)
        };
        let (one, other) = (open(), open());
        assert!(one.try_lock().unwrap());
        assert!(!other.try_lock().unwrap());
        one.unlock().unwrap();
        assert!(other.try_lock().unwrap());
    }

    #[test]
    fn two_names_of_a_file_are_one_file_and_two_files_are_two() {
        let root = tempfile::tempdir().unwrap();
        let [a, b, c] = ["a", "b", "c"].map(|name| root.path().join(name));
        std::fs::write(&a, []).unwrap();
        std::fs::write(&b, []).unwrap();
        let disk = |path| FileDisk::new(File::open(path).unwrap(), false);
        assert_eq!(disk(&a).names().unwrap(), 1);
        std::fs::hard_link(&a, &c).unwrap();
        assert_eq!(disk(&a).names().unwrap(), 2);
        assert_eq!(disk(&a).id().unwrap(), disk(&c).id().unwrap());
        assert_ne!(disk(&a).id().unwrap(), disk(&b).id().unwrap());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_system_is_known_by_its_magic_number_however_wide_that_came() {
        let copies = |magic: i64| match file_system(magic) {
            Medium::CopyOnWrite { file_system } => Some(file_system),
            _ => None,
        };
        assert_eq!(copies(0x9123_683e), Some("btrfs"));
        assert_eq!(copies(i64::from(0x9123_683e_u32.cast_signed())), Some("btrfs"), "sign-extended");
        assert_eq!(copies(0x2fc1_2fc1), Some("zfs"));
        assert_eq!(copies(0xf2f5_2010), Some("f2fs"));
        assert_eq!(copies(0xca45_1a4e), Some("bcachefs"));
        assert_eq!(copies(0x3434), Some("nilfs2"));
        assert_eq!(copies(0x794c_7630), Some("overlayfs"));
        for (magic, name) in [
            (0xef53, Some("ext4")),
            (0x5846_5342, Some("xfs")),
            (0x0102_1994, Some("tmpfs")),
            (0x6969, None),
            (0, None),
        ] {
            let medium = name.map_or(Medium::Unknown, |file_system| Medium::InPlace { file_system });
            assert_eq!(file_system(magic), medium);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_cannot_be_made_durable_says_so() {
        let disk = |path: &str| FileDisk::new(File::open(path).unwrap(), true);
        assert!(disk("Cargo.toml").sync().is_ok());
        assert!(disk("/dev/null").sync().is_err());
    }

    #[test]
    fn a_write_that_failed_beside_others_fails_every_barrier_after_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let disk = FileDisk::new(file.reopen().unwrap(), true);
        disk.write_at(0, &[1; 100]).unwrap();
        disk.start_sync();
        disk.start_sync();
        disk.sync().unwrap();
        assert!(disk.early().is_none(), "waited for");
        let fails = || thread::spawn(|| Err(io::ErrorKind::StorageFull.into()));
        *disk.early() = Some(fails());
        while disk.early().as_ref().is_some_and(|early| !early.is_finished()) {
            thread::yield_now();
        }
        disk.start_sync();
        assert!(disk.sync().is_err(), "what failed before another began is not forgotten");

        let disk = FileDisk::new(file.reopen().unwrap(), true);
        *disk.early() = Some(fails());
        assert_eq!(disk.sync().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(disk.sync().is_err(), "nor does a later one prove anything");
    }
}
