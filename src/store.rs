//! Where a vault's bytes rest: the [`Store`] seam, the vault file and a store
//! in memory. Nothing here holds a key.

mod copy;
mod disk;
mod file;
mod folder;
mod hole;
mod identity;
mod left;
mod memory;
mod proof;
mod rewrite;
mod tail;
mod writer;

#[cfg(any(test, feature = "testing"))]
pub(crate) mod contract;
#[cfg(test)]
pub(crate) mod lying;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use thiserror::Error;

pub use crate::crypto::segment_digest::SegmentDigest;
pub use crate::format::object::ObjectRef;
pub use crate::format::segment::{Segment, Tier};
#[cfg(any(test, feature = "testing"))]
pub use contract::{Breach, OpenStore, check_creation, check_store};
pub(crate) use copy::{CopySource, FileCopy};
#[cfg(any(test, fuzzing))]
pub(crate) use disk::Disk;
pub use file::FileStore;
pub(crate) use folder::Destination;
#[cfg(any(test, fuzzing))]
pub(crate) use folder::{Folder, Named};
#[cfg(any(test, fuzzing))]
pub(crate) use identity::{FileAccess, FileId};
pub use memory::MemoryStore;
pub(crate) use proof::writer as proven_writer;
pub(crate) use rewrite::{Beside, Found, has_unwritten_sector};
pub(crate) use tail::{FileImage, with_room};
pub(crate) use writer::FileWriter;

/// Keeps one vault's header, credential areas, roots and objects.
///
/// All bytes are opaque to a store: it neither has nor needs a key. An implementation must
/// keep these promises:
///
/// - What [`StoreWriter::publish`] or [`StoreWriter::create`] acknowledged is
///   durable, and every handle on the same vault reads it from then on.
/// - A root is replaced only if the current one is the expected one, in one step. Of two
///   writers that start from the same root, one gets [`StoreError::Conflict`].
/// - An object comes back byte for byte, in the requested order, or not at all. One that is
///   not there in its full length is [`StoreError::Missing`].
/// - Readers never wait for a writer, and never see what was not published.
/// - One writer works at a time, across all handles and processes. Another one waits for the
///   time it is given and then gets [`StoreError::Busy`].
/// - What a withdrawal names in `erase` can never be read from the store again.
///
/// The feature `testing` tests these: `check_creation` and `check_store` name the broken
/// promise. The example `custom_store` is an implementation over SQLite.
///
/// A vault does not rely on these promises for its content: it authenticates everything that
/// it reads. It also reads back what was put, before a root names it, unless
/// [`Store::needs_proof`] says that this would prove nothing.
pub trait Store: Send + Sync {
    /// The immutable header.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no vault in the store yet,
    /// [`StoreError::Io`] when it cannot be read.
    fn header(&self) -> Result<Vec<u8>, StoreError>;

    /// Every copy of the credential area and of the root that the store keeps: two of each
    /// in a file, whose roots may be the newest and the one before it; one of each in a store
    /// that swaps roots atomically. If two calls in a row agree, what they return is from one
    /// commit.
    ///
    /// # Errors
    /// [`StoreError::Io`] when they cannot be read.
    fn heads(&self) -> Result<Heads, StoreError>;

    /// The bytes of these objects, in this order.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when one is not there whole or is of another
    /// length, [`StoreError::Io`] when reading fails.
    fn objects(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Fills `into` with the bytes of these objects, in this order, one behind the other: it
    /// is as long as they are together. After an error what is there has no meaning.
    ///
    /// A store that has them in one piece spares a buffer for each by implementing this.
    ///
    /// # Errors
    /// As [`Store::objects`].
    fn read(&self, objects: &[ObjectRef], into: &mut [u8]) -> Result<(), StoreError> {
        let mut rest = into;
        for bytes in self.objects(objects)? {
            let (room, later) = rest.split_at_mut_checked(bytes.len()).ok_or(StoreError::Missing)?;
            room.copy_from_slice(&bytes);
            rest = later;
        }
        if rest.is_empty() { Ok(()) } else { Err(StoreError::Missing) }
    }

    /// Whether the positions that a root names can be right: nothing was appended
    /// beyond the end of the store, and what is to be erased was appended once.
    /// Whoever holds the keys wrote the root, so this is asked before anything
    /// is written. Where references are not positions, nothing speaks against them.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the size of the store cannot be read.
    fn admits(&self, append_end: u64, erase: &[ObjectRef]) -> Result<bool, StoreError> {
        let _ = (append_end, erase);
        Ok(true)
    }

    /// Whether the bytes of a segment are there and have its digest. Asked of the newer of
    /// two roots, whose commit a crash may have cut. Where references are not positions,
    /// there are no segments.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the bytes cannot be read.
    fn holds(&self, segment: &Segment) -> Result<bool, StoreError> {
        let _ = segment;
        Ok(true)
    }

    /// Starts writing: waits up to `wait` for another writer to finish.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when the wait was in vain, [`StoreError::Poisoned`]
    /// after an earlier failure to make bytes durable, [`StoreError::Replaced`],
    /// [`StoreError::ReadOnly`], [`StoreError::Io`].
    fn writer(&self, wait: Duration) -> Result<Box<dyn StoreWriter + '_>, StoreError>;

    /// What is known of the medium beneath, for the erasure report. If somebody else keeps
    /// copies, logs or backups of the bytes, it is [`Medium::OperatorDependent`].
    fn medium(&self) -> Medium;

    /// Whether the vault must read back what it put, before a root names it, and what it
    /// erased, afterwards. True unless reading back would only ask the memory that the bytes
    /// were just written to.
    fn needs_proof(&self) -> bool {
        true
    }

    /// The vault file, if this store keeps the vault in one. Only a file has bytes that
    /// nothing reaches, and can be copied as it is. For any other store compaction, backup
    /// and space are [`StoreError::Unsupported`]: its operator has other means.
    fn as_file(&self) -> Option<&FileStore> {
        None
    }
}

/// Longest wait for a lock: what a clock can surely count.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// When a wait that starts now is over.
fn deadline(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait.min(LONGEST_WAIT)).unwrap_or(now)
}

/// The one writer of a store. Dropping it without [`StoreWriter::publish`] or
/// [`StoreWriter::create`] leaves the store as it was.
///
/// A commit calls `sync` and `settle` if another writer changed the roots or left copies that
/// differ, then `start` and `set_apart`, `put` and `put_in` as often as it likes, `end_segment`, and `publish` last. A
/// creation calls `start`, `put`, `end_segment` and `create`.
///
/// Where [`Store::needs_proof`], a `publish` with a new area names nothing to erase;
/// another writer's `settle` erases it once area and root were read back.
pub trait StoreWriter {
    /// Makes everything written so far durable, also by a process that died.
    ///
    /// # Errors
    /// [`StoreError::Sync`], which poisons the store.
    fn sync(&mut self) -> Result<(), StoreError>;

    /// Writes once more what the commit of this root wrote, where the copies of the root
    /// differ, and makes it durable (rule R4, step 4): a barrier that failed may have left it
    /// in the system's memory alone, of which no later barrier tells. Where a store keeps
    /// what it acknowledged there is nothing to do.
    ///
    /// # Errors
    /// As [`StoreWriter::publish`].
    fn write_again(&mut self, segment: &Segment, root: &[u8]) -> Result<(), StoreError> {
        let _ = (segment, root);
        Ok(())
    }

    /// Makes the copies of root and area equal to the chosen ones, then erases
    /// `erase`; durable when it returns (rule R4, steps 4 to 6).
    ///
    /// # Errors
    /// As [`StoreWriter::publish`].
    fn settle(&mut self, chosen: &Chosen<'_>) -> Result<Repairs, StoreError>;

    /// Says where appending starts: the append end of the current root.
    fn start(&mut self, append_end: u64);

    /// Says which tiers have a part of their own in what this writer appends, used or not,
    /// and whether keys change, which takes longer parts; called after `start`. Only where
    /// references are positions is there anything to hide.
    fn set_apart(&mut self, tiers: &[Tier], keys_change: bool) {
        let _ = (tiers, keys_change);
    }

    /// Adds objects as [`StoreWriter::put`], to the part of this tier while it has room.
    ///
    /// # Errors
    /// As [`StoreWriter::put`].
    fn put_in(&mut self, tier: Tier, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        let _ = tier;
        self.put(objects)
    }

    /// Whether a part had no room for something: then how much there is of its tier shows.
    fn is_beyond_parts(&self) -> bool {
        false
    }

    /// Adds objects; they need not be durable before [`StoreWriter::publish`].
    ///
    /// # Errors
    /// [`StoreError::NoSpace`] and [`StoreError::Io`]; the vault stays as it was.
    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError>;

    /// The bytes of objects that this writer put, from where they rest until they
    /// are published, in this order.
    ///
    /// # Errors
    /// As [`Store::objects`].
    fn written(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Ends what this writer appends: what the new root must say of it. None where
    /// references are not positions.
    ///
    /// # Errors
    /// As [`StoreWriter::put`].
    fn end_segment(&mut self) -> Result<Segment, StoreError> {
        Ok(Segment::NONE)
    }

    /// Makes the objects durable and founds the vault with its header, area and
    /// root, in one step.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is a vault in the store already;
    /// otherwise as [`StoreWriter::publish`]. No trace is left then.
    fn create(&mut self, creation: &Creation<'_>) -> Result<(), StoreError>;

    /// Makes the objects durable, replaces the root, and for a withdrawal
    /// erases; returns when all that is durable that the rules R2, R3 and R5 ask for.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the current root is not the expected one;
    /// [`StoreError::Sync`] and [`StoreError::Io`], which poison the store once
    /// a root may have been written.
    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError>;
}

/// The copies that a store keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct Heads {
    /// Copies of the credential area, as stored.
    pub areas: Vec<Vec<u8>>,
    /// Copies of the root, as stored.
    pub roots: Vec<Vec<u8>>,
}

/// The pair that an opening chose, and what its root wants erased.
pub struct Chosen<'a> {
    /// The credential area, as stored.
    pub area: &'a [u8],
    /// The root, as stored.
    pub root: &'a [u8],
    /// The objects to erase.
    pub erase: &'a [ObjectRef],
}

/// What [`StoreWriter::settle`] changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Repairs {
    /// A copy of the root was rewritten from the other.
    pub root: bool,
    /// A copy of the credential area was rewritten from the other.
    pub area: bool,
}

/// What a new vault begins with.
pub struct Creation<'a> {
    /// The header, which never changes.
    pub header: &'a [u8],
    /// The credential area.
    pub area: &'a [u8],
    /// The first root.
    pub root: &'a [u8],
}

/// A new root and what goes with it.
pub struct Publication<'a> {
    /// The current root, as stored: another one there is a conflict.
    pub expected: &'a [u8],
    /// The current credential area, as stored.
    pub area: &'a [u8],
    /// The new root.
    pub root: &'a [u8],
    /// A new credential area, when the commit changes credentials.
    pub new_area: Option<&'a [u8]>,
    /// Whether the commit withdraws something: then every copy of the root is
    /// replaced and durable, and `erase` is erased, before this returns. Otherwise a store
    /// of two copies keeps the root before in one of them.
    pub withdraws: bool,
    /// The objects to erase.
    pub erase: &'a [ObjectRef],
}

/// What is known of the medium beneath a store.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Medium {
    /// A file system that overwrites in place as far as the system tells.
    InPlace {
        /// The file system's name.
        file_system: &'static str,
    },
    /// A copy-on-write or log-structured file system: overwriting leaves old blocks behind.
    CopyOnWrite {
        /// The file system's name.
        file_system: &'static str,
    },
    /// Nothing is known of it: a file system that has no name here, or a system other than
    /// Linux, which is not asked.
    Unknown,
    /// Memory of this process.
    Memory,
    /// Somebody else operates the store.
    OperatorDependent,
}

/// Why a store did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another writer is at work.
    #[error("another program is writing to this vault: try again when it has finished")]
    Busy,
    /// The root changed since it was read.
    #[error("the vault was changed by somebody else meanwhile: nothing was written; try again")]
    Conflict,
    /// The file may not be written.
    #[error("the vault file is read-only: make it writable, or open it for reading only")]
    ReadOnly,
    /// The medium is full.
    #[error("the disk is full: nothing was changed; free some space and try again")]
    NoSpace,
    /// An object is not there whole.
    #[error("a part of the vault is missing, as where a file was cut short: restore a backup")]
    Missing,
    /// Bytes could not be made durable; what is on the medium is not known.
    #[error("the disk did not confirm a write: close the vault and open it again to see its true state")]
    Sync {
        /// What the system said.
        source: io::Error,
    },
    /// An earlier [`StoreError::Sync`] made this handle unusable for writing.
    #[error("an earlier write was not confirmed: close the vault and open it again")]
    Poisoned,
    /// The file at this path is not the one that was opened.
    #[error("the vault file was replaced while it was open: close it and open it again")]
    Replaced,
    /// There is a file of this name, or a vault in this store, already.
    #[error("a file or vault of this name exists already: choose another name")]
    Exists,
    /// Compaction of a file beside it would need the name.
    #[error("names that end in .compact or .old are those that compaction gives: choose another name")]
    ReservedName,
    /// There is no file of this name, or no vault in this store.
    #[error("there is no vault at this path: check the path, or create a vault")]
    NotFound,
    /// The file system has no locks, so two writers could not be kept apart.
    #[error("this file system has no working locks: keep the vault on a local disk")]
    NoLocks,
    /// The store did not do what [`Store`] demands; the state is the one before the call.
    #[error(
        "the storage beneath the vault is not reliable ({what}): nothing was changed; do not use it before \
         its contract tests pass"
    )]
    Unreliable {
        /// What it did not do.
        what: &'static str,
    },
    /// The store replaced the root, lost the credential area that goes with it, and
    /// did not take the ones before back.
    #[error(
        "the storage lost the vault's credential area and nothing opens the vault as it stands there: have \
         its operator bring back its last state, or restore a backup"
    )]
    AreaLost,
    /// The change is made, and the store still answers with what it was to erase.
    #[error(
        "the change was made and is durable, but the storage still holds bytes that it was told to erase: \
         have its operator erase them"
    )]
    NotErased,
    /// The store keeps no file that could be compacted or copied, or the system
    /// lacks what that takes.
    #[error("this storage does not support it: a vault file on a local disk does")]
    Unsupported,
    /// A file that is not part of the vault, or is not known to be, has a name that
    /// compaction needs.
    #[error(
        "a file that is not known for a leftover of this vault has the name that compaction needs, which is the vault's name with .compact or .old: move it elsewhere"
    )]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// The vault file has a second name, under which it would be destroyed.
    #[error("the vault file has a second name (a hard link): remove that one before compaction")]
    SecondName,
    /// A name is longer than the file system takes: the file's own, or one that compaction
    /// gives beside it, which is up to 8 bytes longer.
    #[error(
        "the file's name is too long, or leaves no room for the names beside it, which are 8 bytes longer: \
         choose a shorter one"
    )]
    NameTooLong,
    /// The folder for the new file may not be listed, or nothing may be made in it.
    #[error(
        "the folder for the new file cannot be read and written: check its permissions, or choose another folder"
    )]
    ClosedFolder,
    /// There is no folder for the new file.
    #[error("the folder for the new file does not exist: create it first")]
    NoFolder,
    /// Reading or writing failed.
    #[error("the system could not read or write the vault: check the disk and the file's permissions")]
    Io {
        /// What the system said.
        source: io::Error,
    },
}

impl From<io::Error> for StoreError {
    fn from(source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            io::ErrorKind::UnexpectedEof => Self::Missing,
            io::ErrorKind::InvalidFilename => Self::NameTooLong,
            _ => Self::Io { source },
        }
    }
}

crate::secret::redacted_debug!(Heads, Chosen<'_>, Creation<'_>, Publication<'_>);
