//! The one writer of a vault file: every write in the order that rules R2 to R5 of
//! `docs/format.md` give, and no other.
//!
//! A commit is durable after one barrier: its root stands in the place that is not the
//! only durable copy of the root before, and holds the digest of the commit's segment.

use std::path::PathBuf;
use std::sync::{Arc, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use super::disk::Disk;
use super::file::{AREAS, FileStore, ROOTS, file_offset, lie_below, read, read_header};
use super::left::{Left, Roots, other};
use super::tail::{Tail, overwrite};
use super::{
    Chosen, Creation, ObjectRef, Publication, Repairs, Segment, StoreError, StoreWriter, Tier, deadline,
};
use crate::format::area::{AREA_LEN, Area};
use crate::format::root::ROOT_LEN;
use crate::format::segment::Parts;

const LOCK_POLL: Duration = Duration::from_millis(5);

impl FileStore {
    /// Starts writing, as [`Store::writer`].
    pub(crate) fn lock(&self, wait: Duration) -> Result<FileWriter<'_>, StoreError> {
        if self.is_poisoned() {
            return Err(StoreError::Poisoned);
        }
        let deadline = deadline(wait);
        let mut left = self.lock_in_process(deadline)?;
        let (mut disk, mut is_followed) = (self.disk(), false);
        loop {
            lock_file(&*disk, deadline)?;
            // Whoever had the lock before may have replaced the file.
            match self.is_named(&*disk) {
                Ok(true) => break,
                Ok(false) => disk.unlock()?,
                Err(error) => {
                    // A lock that cannot be given back goes with the file descriptor.
                    let _ = disk.unlock();
                    return Err(error);
                }
            }
            if is_followed && Instant::now() >= deadline {
                return Err(StoreError::Busy);
            }
            (disk, is_followed, *left) = (self.follow()?, true, None);
        }
        let writer = FileWriter::new(self, disk, left);
        writer.settle_name()?;
        Ok(writer)
    }

    fn lock_in_process(&self, deadline: Instant) -> Result<MutexGuard<'_, Option<Left>>, StoreError> {
        loop {
            match self.writing.try_lock() {
                Ok(guard) => return Ok(guard),
                Err(TryLockError::Poisoned(guard)) => return Ok(guard.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => return Err(StoreError::Busy),
            }
        }
    }
}

fn lock_file(disk: &dyn Disk, deadline: Instant) -> Result<(), StoreError> {
    loop {
        match disk.try_lock() {
            Ok(true) => return Ok(()),
            Ok(false) if Instant::now() < deadline => std::thread::sleep(LOCK_POLL),
            Ok(false) => return Err(StoreError::Busy),
            Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                return Err(StoreError::NoLocks);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The one writer of a vault file; holds both locks until it is dropped.
pub(crate) struct FileWriter<'a> {
    pub(super) store: &'a FileStore,
    pub(super) disk: Arc<dyn Disk>,
    /// A file in which what is withdrawn might still be read.
    pub(super) in_the_way: Option<PathBuf>,
    tail: Tail,
    /// The roots as they stand in the file, once they were read under the lock.
    roots: Option<Roots>,
    left: MutexGuard<'a, Option<Left>>,
}

impl Drop for FileWriter<'_> {
    fn drop(&mut self) {
        // A lock that cannot be given back goes with the file descriptor.
        let _ = self.disk.unlock();
    }
}

impl<'a> FileWriter<'a> {
    pub(super) fn new(store: &'a FileStore, disk: Arc<dyn Disk>, left: MutexGuard<'a, Option<Left>>) -> Self {
        Self { store, disk, in_the_way: None, tail: Tail::default(), roots: None, left }
    }

    /// Whether both roots are as a writer of this handle left them, and this is the newest:
    /// then it is durable, and nobody else has written since.
    pub(crate) fn left_last(&mut self, root: &[u8]) -> Result<bool, StoreError> {
        self.read_roots()?;
        Ok(self.known().is_some_and(|left| left.newest() == root))
    }

    /// Makes the second copy of the newest root durable, if a writer of this handle owes it.
    pub(crate) fn rest(&mut self) -> Result<(), StoreError> {
        self.read_roots()?;
        let Some(left) = self.known().filter(|left| left.owes_a_copy()) else { return Ok(()) };
        let (root, place) = (left.newest().to_vec(), other(left.newest));
        if !left.copies_are_equal() {
            self.write_root(place, &root)?;
        }
        self.barrier()?;
        *self.left = Some(Left::settled(&root));
        Ok(())
    }

    /// Writes an object again where it stands: bytes that were found damaged.
    pub(crate) fn put_back(&self, object: &ObjectRef, bytes: &[u8]) -> Result<(), StoreError> {
        let offset = file_offset(object).ok_or(StoreError::Missing)?;
        if bytes.len() as u64 != object.length || !lie_below(self.disk.len()?, &[*object]) {
            return Err(StoreError::Missing);
        }
        self.write(offset, bytes)
    }

    /// Writes the header that the file was opened with, where another stands; whether one did.
    pub(crate) fn put_header_back(&mut self) -> Result<bool, StoreError> {
        let is_damaged = read_header(&*self.disk)? != self.store.header_bytes();
        if is_damaged {
            self.write(0, self.store.header_bytes())?;
            self.barrier()?;
        }
        Ok(is_damaged)
    }

    pub(super) fn settle_name(&self) -> Result<(), StoreError> {
        self.store.settle_name()
    }

    /// The roots as they stand in the file: nobody else writes them while this writer is
    /// there.
    fn read_roots(&mut self) -> Result<&Roots, StoreError> {
        if self.roots.is_none() {
            let [a, b] = ROOTS.map(|offset| read(&*self.disk, offset, ROOT_LEN));
            self.roots = Some([a?, b?]);
        }
        self.roots.as_ref().ok_or(StoreError::Missing)
    }

    /// How the roots were left, if they still stand so.
    fn known(&self) -> Option<&Left> {
        self.left.as_ref().filter(|left| self.roots.as_ref() == Some(&left.roots))
    }

    /// A write whose failure leaves the state unknown.
    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.disk.write_at(offset, bytes).map_err(|error| self.store.poison(error))
    }

    /// Writes a root into a place.
    fn write_root(&mut self, place: usize, root: &[u8]) -> Result<(), StoreError> {
        let offset = ROOTS.get(place).copied().ok_or(StoreError::Missing)?;
        self.write(offset, root)?;
        if let Some(stands) = self.roots.as_mut().and_then(|roots| roots.get_mut(place)) {
            stands.clear();
            stands.extend_from_slice(root);
        }
        Ok(())
    }

    fn barrier(&self) -> Result<(), StoreError> {
        self.disk.sync().map_err(|error| self.store.poison(error))
    }

    /// Overwrites with random bytes, so that what was erased does not show.
    fn erase(&self, objects: &[ObjectRef]) -> Result<(), StoreError> {
        let length = self.disk.len().map_err(|error| self.store.poison(error))?;
        for object in objects {
            let offset = file_offset(object).ok_or(StoreError::Missing)?;
            let end = offset.saturating_add(object.length).min(length);
            overwrite(&*self.disk, offset..end).map_err(|error| self.store.poison(error))?;
        }
        Ok(())
    }

    /// The place for the root that follows the expected one.
    ///
    /// A file does not say which of two roots is the newer one. So the expected one is the
    /// newest that this handle left, or stands in both places.
    fn place_after(&mut self, expected: &[u8]) -> Result<usize, StoreError> {
        let stand_equal = self.read_roots()?.iter().all(|root| root == expected);
        #[cfg(test)]
        if crate::testing::sabotaged_place() {
            return Ok(0);
        }
        match self.known() {
            Some(left) if left.newest() == expected => Ok(left.free()),
            None if stand_equal => {
                // Whoever wrote them may not have made both durable.
                self.barrier()?;
                Ok(0)
            }
            _ => Err(StoreError::Conflict),
        }
    }

    /// The copy of the area that the current root does not name; where both are
    /// the named one, the second.
    fn other_area(&self, named: &[u8]) -> Result<(u64, u64), StoreError> {
        let [first, second] = AREAS;
        if Area::is_same(&read(&*self.disk, first, AREA_LEN)?, named) {
            Ok((second, first))
        } else {
            Ok((first, second))
        }
    }

    /// The second half of a withdrawal, or of a change of credentials. The newest root is
    /// durable: an opening takes it, whatever becomes of the other place and of what is
    /// erased. Only where the keys change somebody may open the other root alone: it must be
    /// gone, durably, before what it names is.
    fn withdraw(
        &mut self,
        place: usize,
        publication: &Publication<'_>,
        named_area: Option<u64>,
    ) -> Result<(), StoreError> {
        #[cfg(test)]
        let place = crate::testing::sabotaged_root(other(place), place);
        self.write_root(place, publication.root)?;
        if publication.new_area.is_some() {
            self.barrier()?;
        }
        self.erase(publication.erase)?;
        if let Some((area, offset)) = publication.new_area.zip(named_area) {
            self.write(offset, area)?;
        }
        self.barrier()?;
        *self.left = Some(Left::settled(publication.root));
        Ok(())
    }
}

impl StoreWriter for FileWriter<'_> {
    fn sync(&mut self) -> Result<(), StoreError> {
        self.barrier()
    }

    fn write_again(&mut self, segment: &Segment, root: &[u8]) -> Result<(), StoreError> {
        let stand = self.read_roots()?.clone();
        if stand.iter().all(|copy| copy == root) {
            return Ok(());
        }
        // A long one was made durable by a barrier of its own, before its root was written.
        if !segment.is_long() {
            let length = usize::try_from(segment.length()).map_err(|_| StoreError::Missing)?;
            let bytes = read(&*self.disk, segment.start, length)?;
            self.write(segment.start, &bytes)?;
        }
        for place in (0..stand.len()).filter(|place| stand.get(*place).is_some_and(|copy| copy == root)) {
            self.write_root(place, root)?;
        }
        self.barrier()
    }

    fn settle(&mut self, chosen: &Chosen<'_>) -> Result<Repairs, StoreError> {
        if !lie_below(self.disk.len()?, chosen.erase) {
            return Err(StoreError::Missing);
        }
        let mut repairs = Repairs::default();
        let stand = self.read_roots()?.clone();
        for (place, root) in stand.iter().enumerate() {
            if root != chosen.root {
                self.write_root(place, chosen.root)?;
                repairs.root = true;
            }
        }
        if repairs.root {
            self.barrier()?;
        }
        for offset in AREAS {
            if read(&*self.disk, offset, AREA_LEN)? != chosen.area {
                self.write(offset, chosen.area)?;
                // One after the other: a shortcut changes both.
                self.barrier()?;
                repairs.area = true;
            }
        }
        if !chosen.erase.is_empty() {
            self.erase(chosen.erase)?;
            self.barrier()?;
        }
        *self.left = Some(Left::settled(chosen.root));
        Ok(repairs)
    }

    fn start(&mut self, append_end: u64) {
        self.tail = Tail::at(append_end);
    }

    fn set_apart(&mut self, tiers: &[Tier], keys_change: bool) {
        self.tail.set_apart(Parts::of(tiers.iter().copied(), keys_change));
    }

    fn put_in(&mut self, tier: Tier, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        match tier {
            Tier::Everyday => self.put(objects),
            tier => objects.iter().map(|bytes| self.tail.put_in(&*self.disk, tier, bytes)).collect(),
        }
    }

    fn is_beyond_parts(&self) -> bool {
        self.tail.is_beyond_parts()
    }

    fn put(&mut self, objects: &[&[u8]]) -> Result<Vec<ObjectRef>, StoreError> {
        self.tail.put(&*self.disk, objects)
    }

    fn written(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.tail.written(&*self.disk, objects)
    }

    fn end_segment(&mut self) -> Result<Segment, StoreError> {
        self.tail.end_segment(&*self.disk)
    }

    /// A vault file is made whole before it gets its name: this one has its vault.
    fn create(&mut self, _creation: &Creation<'_>) -> Result<(), StoreError> {
        Err(StoreError::Exists)
    }

    fn publish(&mut self, publication: &Publication<'_>) -> Result<(), StoreError> {
        if !self.store.is_named(&*self.disk)? {
            return Err(StoreError::Replaced);
        }
        if !lie_below(self.tail.end(), publication.erase) {
            return Err(StoreError::Missing);
        }
        let withdraws = publication.withdraws || publication.new_area.is_some();
        if let Some(path) = self.in_the_way.as_ref().filter(|_| withdraws) {
            return Err(StoreError::InTheWay { path: path.clone() });
        }
        let place = self.place_after(publication.expected)?;
        let change = match publication.new_area {
            Some(area) => Some((area, self.other_area(publication.area)?)),
            None => None,
        };
        let segment = self.tail.finish(&*self.disk)?;
        let waits = segment.is_long();
        #[cfg(test)]
        let waits = waits && !crate::testing::sabotaged_long_segment();
        if waits {
            // Whoever opens the vault next does not read it.
            self.barrier()?;
        }
        // Else a crash in the erasure would make this commit look like one that was cut.
        let is_older = |object: &ObjectRef| file_offset(object).is_some_and(|at| at < segment.start);
        if !publication.erase.iter().all(is_older) {
            return Err(StoreError::Missing);
        }
        if let Some((area, (other, _))) = change {
            self.write(other, area)?;
        }
        self.write_root(place, publication.root)?;
        #[cfg(test)]
        if crate::testing::sabotaged_first_barrier() && withdraws {
            return self.withdraw(other(place), publication, change.map(|(_, (_, named))| named));
        }
        self.barrier()?;
        *self.left = self.roots.clone().map(|roots| Left { roots, newest: place });
        if withdraws {
            return self.withdraw(other(place), publication, change.map(|(_, (_, named))| named));
        }
        Ok(())
    }
}
