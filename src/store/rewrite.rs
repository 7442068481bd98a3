//! A vault file that takes the place of another one (compaction): every step in
//! the order that rule R7 of `docs/format.md` gives, and what an interrupted one
//! leaves.

use std::ffi::OsString;
use std::sync::Arc;

use super::disk::Disk;
use super::file::{AREAS, FileStore, ROOTS, read_header};
use super::folder::{Named, RealFolder, has_no_links};
use super::tail::{Tail, overwrite};
use super::writer::FileWriter;
use super::{Chosen, Creation, ObjectRef, Publication, Repairs, Segment, StoreError, StoreWriter, Tier};
use crate::crypto::digest::Digest;
use crate::format::area::AREA_LEN;
use crate::format::header::{HEADER_LEN, geometry};
use crate::format::root::ROOT_LEN;
use crate::format::segment::compacted;

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The names that a compaction uses beside the vault's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// `NAME.compact`: the new file before it has its name.
    Draft,
    /// `NAME.old`: the old file after it lost its name.
    Old,
}

/// What stands under such a name.
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// The vault file itself, by a second name.
    Itself,
    /// The beginning of a file of this vault.
    Beginning,
    /// A file with this vault's header.
    Vault(FileStore),
    /// Something else, which nobody may touch.
    Foreign,
}

impl FileStore {
    /// What stands under a name that compaction uses. Only the vault's writer
    /// can rely on the answer.
    pub(crate) fn beside(&self, which: Beside) -> Result<Found, StoreError> {
        let name = self.name_beside(which);
        match self.folder().named(&name)? {
            Named::Nothing => return Ok(Found::Nothing),
            Named::Other => return Ok(Found::Foreign),
            Named::File(id) if id == self.disk().id()? => return Ok(Found::Itself),
            Named::File(_) => {}
        }
        let disk = match self.folder().open(&name) {
            Ok(disk) => disk,
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(Found::Foreign),
            Err(error) => return Err(error.into()),
        };
        // Under a further name it would be somebody else's file.
        if disk.names()? != 1 {
            return Ok(Found::Foreign);
        }
        let header = read_header(&*disk)?;
        if header == self.header_bytes() {
            return Ok(Found::Vault(Self::on(Arc::clone(self.folder()), name)?));
        }
        match disk.len()? <= HEADER_LEN as u64 && self.begins_like(&header) {
            true => Ok(Found::Beginning),
            false => Ok(Found::Foreign),
        }
    }

    /// Whether this mark stands behind the append end.
    pub(crate) fn has_mark(&self, append_end: u64, mark: &Digest) -> Result<bool, StoreError> {
        let mut found = [0; 32];
        match self.disk().read_at(append_end, &mut found) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            read => Ok(read.map(|()| found == *mark.as_bytes())?),
        }
    }

    /// Whether these bytes are what a power cut may leave of this vault's header.
    fn begins_like(&self, bytes: &[u8]) -> bool {
        let sectors = bytes.chunks(SECTOR).zip(self.header_bytes().chunks(SECTOR));
        sectors
            .into_iter()
            .all(|(found, header)| found.iter().all(|byte| *byte == 0) || header.starts_with(found))
    }

    fn name_beside(&self, which: Beside) -> OsString {
        let mut name = self.name().to_owned();
        name.push(match which {
            Beside::Draft => ".compact",
            Beside::Old => ".old",
        });
        name
    }
}

impl FileWriter<'_> {
    /// Takes the name of a leftover away; what could be read is made unreadable
    /// before. Durable when it returns.
    pub(crate) fn discard(&self, which: Beside, found: &Found) -> Result<(), StoreError> {
        if let Found::Vault(file) = found {
            scrub(&*file.disk()).map_err(|error| self.store.poison(error))?;
        }
        let folder = self.store.folder();
        folder.remove(&self.store.name_beside(which))?;
        folder.sync().map_err(|error| self.store.poison(error))
    }

    /// Lets this writer withdraw nothing, as it could be read in the file of this name.
    pub(crate) fn refuse_withdrawals(&mut self, which: Beside) {
        self.in_the_way = Some(self.store.folder().path(&self.store.name_beside(which)));
    }

    /// Starts a new file that is to take this one's place.
    pub(crate) fn rewrite(&mut self) -> Result<Rewrite<'_>, StoreError> {
        if !RealFolder::TELLS_FILES_APART {
            return Err(StoreError::Unsupported);
        }
        if self.disk.names()? != 1 {
            return Err(StoreError::SecondName);
        }
        let (folder, name) = (self.store.folder(), self.store.name_beside(Beside::Draft));
        for which in [Beside::Draft, Beside::Old] {
            let name = self.store.name_beside(which);
            if folder.named(&name)? != Named::Nothing {
                return Err(StoreError::InTheWay { path: folder.path(&name) });
            }
        }
        // So that whatever is left of the old file later shows its newest root.
        self.rest()?;
        let disk: Arc<dyn Disk> = Arc::from(folder.create(&name, &self.disk.access()?)?);
        let mut rewrite = Rewrite {
            old: self,
            name,
            disk,
            tail: Tail::at(0),
            everyday: 0,
            is_linked: false,
            is_whole: false,
            is_named: false,
        };
        // Whoever comes when it has its name waits until the old file is gone.
        if !rewrite.disk.try_lock()? {
            return Err(StoreError::Busy);
        }
        // Where there are no links, nothing is copied in vain.
        rewrite.link_old()?;
        // So that a power cut leaves it under its name and not in free space.
        folder.sync()?;
        // First of all, so that a leftover is known for what it is.
        rewrite.disk.write_at(0, self.store.header_bytes())?;
        rewrite.disk.sync()?;
        Ok(rewrite)
    }
}

/// A new vault file that has its name only when it is whole. Dropped before, it
/// leaves nothing.
pub(crate) struct Rewrite<'a> {
    old: &'a FileWriter<'a>,
    name: OsString,
    disk: Arc<dyn Disk>,
    tail: Tail,
    /// Bytes of the objects of everyday compartments.
    everyday: u64,
    /// The old file has its further name.
    is_linked: bool,
    /// It has what opens it.
    is_whole: bool,
    /// It has the vault's name.
    is_named: bool,
}

impl Rewrite<'_> {
    /// The new file, to be read.
    pub(crate) fn store(&self) -> Result<FileStore, StoreError> {
        FileStore::on(Arc::clone(self.old.store.folder()), self.name.clone())
    }

    /// Gives the old file the name that it is to have when it loses its own.
    fn link_old(&mut self) -> Result<(), StoreError> {
        let store = self.old.store;
        let linked = store.folder().link(store.name(), &store.name_beside(Beside::Old));
        linked.map_err(|error| match has_no_links(&error) {
            true => StoreError::Unsupported,
            false => error.into(),
        })?;
        self.is_linked = true;
        Ok(())
    }

    /// Gives the new file the vault's name and makes the old one unreadable.
    ///
    /// Until the new file has the name, nothing has changed for anybody; a
    /// failure after that poisons the store, and the next opening finishes. By the
    /// mark, which stands where the old file's next commit would, it knows the old
    /// file from somebody's copy.
    pub(crate) fn replace(mut self, append_end: u64, mark: &Digest) -> Result<(), StoreError> {
        let store = self.old.store;
        let folder = store.folder();
        if !store.is_named(&*self.old.disk)? {
            return Err(StoreError::Replaced);
        }
        self.old.disk.write_at(append_end, mark.as_bytes())?;
        self.old.disk.sync().map_err(|error| store.poison(error))?;
        self.is_named = true;
        let poison = |error| store.poison(error);
        folder.rename(&self.name, store.name()).map_err(poison)?;
        folder.sync().map_err(poison)?;
        store.adopt(Arc::clone(&self.disk));
        scrub(&*self.old.disk).map_err(poison)?;
        folder.remove(&store.name_beside(Beside::Old)).map_err(poison)?;
        folder.sync().map_err(poison)
    }
}

impl Drop for Rewrite<'_> {
    fn drop(&mut self) {
        if !self.is_named {
            // What cannot be removed now goes at the next opening.
            let folder = self.old.store.folder();
            if self.is_whole {
                let _ = scrub(&*self.disk);
            }
            let _ = folder.remove(&self.name);
            if self.is_linked {
                let _ = folder.remove(&self.old.store.name_beside(Beside::Old));
            }
            let _ = folder.sync();
        }
        let _ = self.disk.unlock();
    }
}

/// Whether a part of a new file was never written, or only in part.
pub(crate) fn has_unwritten_sector(part: &[u8]) -> bool {
    part.chunks(SECTOR).any(|sector| sector.iter().all(|byte| *byte == 0))
}

/// Overwrites what opens a vault file. The first root goes last: by it an
/// interrupted scrubbing is told from somebody's copy.
pub(super) fn scrub(disk: &dyn Disk) -> std::io::Result<()> {
    let [first, second] = ROOTS;
    #[cfg(test)]
    if crate::testing::sabotaged_scrubbing() {
        return disk.sync();
    }
    let length = disk.len()?;
    let part = |offset: u64, bytes: usize| offset.min(length)..(offset + bytes as u64).min(length);
    for area in AREAS {
        overwrite(disk, part(area, AREA_LEN))?;
    }
    overwrite(disk, part(second, ROOT_LEN))?;
    disk.sync()?;
    overwrite(disk, part(first, ROOT_LEN))?;
    disk.sync()
}

impl StoreWriter for Rewrite<'_> {
    fn sync(&mut self) -> Result<(), StoreError> {
        Ok(self.disk.sync()?)
    }

    fn settle(&mut self, _chosen: &Chosen<'_>) -> Result<Repairs, StoreError> {
        Ok(Repairs::default())
    }

    fn start(&mut self, _append_end: u64) {
        self.tail = Tail::at(geometry::APPEND);
    }

    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        self.put_in(Tier::Everyday, objects)
    }

    fn put_in(&mut self, tier: Tier, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        if tier == Tier::Everyday {
            self.everyday += objects.iter().map(|object| object.len() as u64).sum::<u64>();
        }
        self.tail.put(&*self.disk, objects)
    }

    fn written(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.tail.written(&*self.disk, objects)
    }

    fn end_segment(&mut self) -> Result<Segment, StoreError> {
        let everyday = self.everyday;
        self.tail.end_with(&*self.disk, |objects| compacted(everyday, objects.saturating_sub(everyday)))
    }

    /// The file has its header from the vault that it is to replace.
    fn create(&mut self, _creation: &Creation<'_>) -> Result<(), StoreError> {
        Err(StoreError::Exists)
    }

    /// Writes what opens the file, once everything else in it is durable.
    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError> {
        self.tail.finish(&*self.disk)?;
        self.disk.sync()?;
        self.is_whole = true;
        for offset in AREAS {
            self.disk.write_at(offset, publication.area)?;
        }
        for offset in ROOTS {
            self.disk.write_at(offset, publication.root)?;
        }
        Ok(self.disk.sync()?)
    }
}
