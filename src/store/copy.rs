//! A copy of a vault file (backup and restore) that has its name only when it
//! is whole and durable.

use std::ffi::OsString;
use std::sync::Arc;

use super::StoreError;
use super::disk::Disk;
use super::file::{AREAS, FileStore, ROOTS};
use super::folder::{Destination, Folder, give_name};
use super::hole::{READ_STEP, read_written};
use super::identity::FileAccess;
use super::rewrite::scrub;
use crate::crypto::random::Randomness;
use crate::format::header::geometry;

/// A vault file as one root names it: the bytes below the root's append end
/// stay what they are, but for those that a later commit withdraws.
pub(crate) struct CopySource {
    disk: Arc<dyn Disk>,
    header: Vec<u8>,
}

impl FileStore {
    /// The present file, whatever takes its name later.
    pub(crate) fn copy_source(&self) -> CopySource {
        CopySource { disk: self.disk(), header: self.header_bytes().to_vec() }
    }
}

impl CopySource {
    /// Copies the file with this area and this root in both their copies;
    /// `copied` is told how many bytes were.
    ///
    /// # Errors
    /// [`StoreError::Missing`] at the first hole, which a copy would fill a disk with.
    pub(crate) fn copy(
        &self,
        to: &Destination,
        (area, root): (&[u8], &[u8]),
        append_end: u64,
        copied: &mut dyn FnMut(u64),
    ) -> Result<FileCopy, StoreError> {
        let mut random = Randomness::from_system();
        let unique: [u8; 16] =
            random.bytes().map_err(|error| StoreError::from(std::io::Error::other(error)))?;
        let temporary = OsString::from(format!(".subrosa-{:032x}", u128::from_be_bytes(unique)));
        let disk: Arc<dyn Disk> = Arc::from(to.folder.create(&temporary, &FileAccess::PRIVATE)?);
        let (folder, name) = (Arc::clone(&to.folder), to.name.clone());
        let copy = FileCopy { folder, disk: Arc::clone(&disk), temporary: Some(temporary), name };
        // So that a power cut leaves it under a name and not in free space.
        to.folder.sync()?;
        disk.write_at(0, &self.header)?;
        for offset in AREAS {
            disk.write_at(offset, area)?;
        }
        for offset in ROOTS {
            disk.write_at(offset, root)?;
        }
        copied(geometry::APPEND.min(append_end));
        let mut buffer = vec![0; READ_STEP];
        let mut offset = geometry::APPEND;
        while offset < append_end {
            let step = usize::try_from(append_end - offset).map_or(READ_STEP, |left| left.min(READ_STEP));
            let bytes = buffer.get_mut(..step).unwrap_or_default();
            read_written(&*self.disk, offset, bytes)?;
            disk.write_at(offset, bytes)?;
            offset += step as u64;
            copied(step as u64);
        }
        disk.sync()?;
        Ok(copy)
    }
}

/// A copy that has no name yet. Dropped before it gets one, it leaves nothing.
pub(crate) struct FileCopy {
    folder: Arc<dyn Folder>,
    disk: Arc<dyn Disk>,
    temporary: Option<OsString>,
    name: OsString,
}

impl FileCopy {
    /// The copy, to be read.
    pub(crate) fn store(&self) -> Result<FileStore, StoreError> {
        let name = self.temporary.as_ref().unwrap_or(&self.name);
        FileStore::on(Arc::clone(&self.folder), name.clone())
    }

    /// Gives the copy its name, never over another file.
    pub(crate) fn finish(mut self) -> Result<(), StoreError> {
        if let Some(temporary) = self.temporary.take() {
            let named = give_name(&*self.folder, &temporary, &self.name);
            if named.is_err() {
                // Not made unreadable: a power cut may leave it its name.
                let _ = self.folder.remove(&temporary);
            }
            named?;
        }
        Ok(())
    }
}

impl Drop for FileCopy {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // What cannot be removed is an encrypted vault under a hidden name.
            let _ = scrub(&*self.disk);
            let _ = self.folder.remove(temporary);
        }
    }
}
