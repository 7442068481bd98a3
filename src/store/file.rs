//! The vault file: where its parts stand, how they are read, and who may write.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::disk::Disk;
use super::folder::{Destination, Folder, Named, RealFolder, give_name};
use super::hole::{READ_STEP, is_hole, read_written};
use super::identity::FileAccess;
use super::left::Left;
use super::{Heads, Medium, ObjectRef, Segment, Store, StoreError, StoreWriter};
use crate::codec::padding::padded_len;
use crate::codec::wire;
use crate::crypto::boxes::chunked_len;
use crate::crypto::segment_digest::{RunningSegmentDigest, SegmentDigest};
use crate::format::area::AREA_LEN;
use crate::format::header::{HEADER_LEN, geometry};
use crate::format::root::ROOT_LEN;

pub(super) const AREAS: [u64; 2] = [geometry::AREA_A, geometry::AREA_B];
pub(super) const ROOTS: [u64; 2] = [geometry::ROOT_A, geometry::ROOT_B];
/// Most bytes of neighbouring objects that are read at once.
const RUN_LIMIT: u64 = 1 << 20;
/// Most steps of zeros that are read where every byte of a file is: behind its last commit a
/// file has some, and a sparse one may have any number.
const MOST_HOLES: usize = 1024;
/// What a disk reads or loses at once.
const SECTOR: u64 = 4096;
/// Longest object that any content makes: more is a damaged reference, which
/// in a sparse file would cost memory and nothing else.
const OBJECT_LIMIT: u64 = chunked_len(padded_len(wire::LARGEST)) as u64;

/// A vault in one file.
pub struct FileStore {
    folder: Arc<dyn Folder>,
    name: OsString,
    /// The file that had the name when last looked.
    disk: RwLock<Arc<dyn Disk>>,
    /// The header as it was at opening: another file is the same vault only if
    /// it has the same.
    header: Vec<u8>,
    /// One writer in this process; the file lock keeps other processes out. What it
    /// guards is how the last one left the roots.
    pub(super) writing: Mutex<Option<Left>>,
    poisoned: AtomicBool,
    /// Whoever gave the file its name may have died before that was durable.
    name_is_durable: AtomicBool,
}

impl FileStore {
    /// Opens a vault file; read-only if the system does not let it be written.
    /// A symbolic link is resolved once and for all.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let (folder, name) = RealFolder::of_file(path)?;
        Self::on(Arc::new(folder), name)
    }

    /// The same, with the header of a copy in the place of its own, which is damaged: nothing
    /// of the file tells yet that both are one vault. [`FileWriter::put_header_back`] writes it.
    ///
    /// [`FileWriter::put_header_back`]: super::writer::FileWriter::put_header_back
    pub(crate) fn open_with_header_of(path: &Path, copy: &Path) -> Result<Self, StoreError> {
        let header = Self::open(copy)?.header;
        Ok(Self { header, ..Self::open(path)? })
    }

    /// Creates a vault file whole, never over another file.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::NoSpace`] and [`StoreError::Io`].
    /// Nothing has the name then.
    pub(crate) fn create(to: &Destination, unique: &str, image: &[u8]) -> Result<Self, StoreError> {
        let Destination { folder, name } = to;
        let temporary = OsString::from(format!(".subrosa-{unique}"));
        let disk = folder.create(&temporary, &FileAccess::PRIVATE)?;
        let written = disk.write_at(0, image).and_then(|()| disk.sync());
        if let Err(error) = written.and_then(|()| give_name(&**folder, &temporary, name)) {
            // What cannot be removed is an encrypted vault that nobody uses.
            let _ = folder.remove(&temporary);
            return Err(error.into());
        }
        let header = image.get(..HEADER_LEN).unwrap_or(image).to_vec();
        let mut created = Self::of(Arc::clone(folder), name.clone(), Arc::from(disk), header);
        created.writing = Mutex::new(Left::of_image(image));
        Ok(created)
    }

    /// A store on a file of any folder.
    pub(crate) fn on(folder: Arc<dyn Folder>, name: OsString) -> Result<Self, StoreError> {
        let disk: Arc<dyn Disk> = Arc::from(folder.open(&name)?);
        let header = read_header(&*disk)?;
        Ok(Self::of(folder, name, disk, header))
    }

    fn of(folder: Arc<dyn Folder>, name: OsString, disk: Arc<dyn Disk>, header: Vec<u8>) -> Self {
        Self {
            folder,
            name,
            disk: RwLock::new(disk),
            header,
            writing: Mutex::new(None),
            poisoned: AtomicBool::new(false),
            name_is_durable: AtomicBool::new(false),
        }
    }

    /// The same file by a handle of its own.
    pub(crate) fn again(&self) -> Result<Self, StoreError> {
        Self::on(Arc::clone(&self.folder), self.name.clone())
    }

    /// Length of the file in bytes.
    pub(crate) fn length(&self) -> Result<u64, StoreError> {
        Ok(self.disk().len()?)
    }

    /// The bytes between the roots, which are zero in every vault.
    pub(crate) fn gap(&self) -> Result<Vec<u8>, StoreError> {
        let start = geometry::ROOT_A + ROOT_LEN as u64;
        let length = usize::try_from(geometry::ROOT_B - start).map_err(|_| StoreError::Missing)?;
        read(&*self.disk(), start, length)
    }

    /// Reads the whole file; gives how many bytes the system cannot read, in
    /// blocks of a sector. Of a file that is mostly holes, no more than a GiB of them is read.
    pub(crate) fn unreadable(&self, advance: &mut dyn FnMut(u64)) -> Result<u64, StoreError> {
        let disk = self.disk();
        let length = disk.len()?;
        let mut buffer = vec![0; READ_STEP];
        let (mut offset, mut lost, mut holes) = (0, 0, 0);
        while offset < length && holes < MOST_HOLES {
            let step = (length - offset).min(READ_STEP as u64);
            let lost_here = unreadable_in(&*disk, offset..offset + step, &mut buffer);
            lost += lost_here;
            holes += usize::from(lost_here == 0 && step == READ_STEP as u64 && is_hole(&buffer));
            advance(step);
            offset += step;
        }
        Ok(lost)
    }

    fn has_room_for(&self, segment: &Segment) -> Result<bool, StoreError> {
        Ok(segment.start >= geometry::APPEND && segment.is_sound() && self.disk().reaches(segment.end)?)
    }

    /// The digest of the bytes where a segment is to be, read a step at a time; none where there
    /// can be no segment.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where nobody wrote a part of it.
    pub(crate) fn digest_of(&self, segment: &Segment) -> Result<Option<SegmentDigest>, StoreError> {
        if !self.has_room_for(segment)? {
            return Ok(None);
        }
        let disk = self.disk();
        let mut running = RunningSegmentDigest::default();
        let mut buffer = vec![0; READ_STEP.min(usize::try_from(segment.length()).unwrap_or(READ_STEP))];
        for range in segment.digested() {
            let mut offset = range.start;
            while offset < range.end {
                let step = usize::try_from(range.end - offset).map_or(READ_STEP, |left| left.min(READ_STEP));
                let read = buffer.get_mut(..step).unwrap_or_default();
                read_written(&*disk, offset, read)?;
                running.update(read);
                offset += step as u64;
            }
        }
        Ok(Some(running.digest()))
    }

    pub(super) fn folder(&self) -> &Arc<dyn Folder> {
        &self.folder
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    pub(super) fn header_bytes(&self) -> &[u8] {
        &self.header
    }

    pub(super) fn disk(&self) -> Arc<dyn Disk> {
        Arc::clone(&self.disk.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn adopt(&self, disk: Arc<dyn Disk>) {
        *self.disk.write().unwrap_or_else(PoisonError::into_inner) = disk;
    }

    /// The file that has the name now: another one after a compaction, by
    /// whomever. What was read of the one before stays readable through its own
    /// handle until that is dropped.
    pub(super) fn follow(&self) -> Result<Arc<dyn Disk>, StoreError> {
        let disk = self.disk();
        if self.is_named(&*disk)? {
            return Ok(disk);
        }
        let next: Arc<dyn Disk> = match self.folder.open(&self.name) {
            Ok(next) => Arc::from(next),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(StoreError::NotFound),
            Err(_) => return Err(StoreError::Replaced),
        };
        if read_header(&*next)? != self.header {
            return Err(StoreError::Replaced);
        }
        self.name_is_durable.store(false, Ordering::SeqCst);
        self.adopt(Arc::clone(&next));
        Ok(next)
    }

    pub(super) fn is_named(&self, disk: &dyn Disk) -> Result<bool, StoreError> {
        Ok(self.folder.named(&self.name)? == Named::File(disk.id()?))
    }

    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::SeqCst)
    }

    /// Whether a writer of this handle left only one durable copy of the root, or cannot
    /// say.
    pub(crate) fn may_owe_a_copy(&self) -> bool {
        let owes = |left: &Option<Left>| left.as_ref().is_some_and(Left::owes_a_copy);
        self.is_poisoned() || self.writing.try_lock().map_or(true, |left| owes(&left))
    }

    /// Makes durable what stands in the file, whoever wrote it.
    pub(crate) fn make_durable(&self) -> Result<(), StoreError> {
        Ok(self.disk().sync()?)
    }

    /// Makes it durable that the name stands for this file, before anything is
    /// acknowledged that only this file has.
    pub(super) fn settle_name(&self) -> Result<(), StoreError> {
        if self.name_is_durable.load(Ordering::SeqCst) {
            return Ok(());
        }
        match self.folder.sync() {
            // A folder that may not be read cannot be made durable either.
            Err(error) if error.kind() != std::io::ErrorKind::PermissionDenied => {
                return Err(self.poison(error));
            }
            _ => {}
        }
        self.name_is_durable.store(true, Ordering::SeqCst);
        Ok(())
    }

    pub(super) fn read_object(disk: &dyn Disk, object: &ObjectRef) -> Result<Vec<u8>, StoreError> {
        let (offset, length) = Self::locate(disk, std::slice::from_ref(object))?;
        let mut bytes = vec![0; length];
        read_written(disk, offset, &mut bytes)?;
        Ok(bytes)
    }

    /// Where objects stand that are one behind the other, and how long they are together:
    /// no more than a file has.
    fn locate(disk: &dyn Disk, run: &[ObjectRef]) -> Result<(u64, usize), StoreError> {
        let first = run.first().ok_or(StoreError::Missing)?;
        let length = run.iter().try_fold(0u64, |sum, object| sum.checked_add(object.length));
        let length = length.filter(|length| *length <= OBJECT_LIMIT).ok_or(StoreError::Missing)?;
        let offset = file_offset(first).ok_or(StoreError::Missing)?;
        let end = offset.checked_add(length).ok_or(StoreError::Missing)?;
        if !disk.reaches(end)? {
            return Err(StoreError::Missing);
        }
        Ok((offset, usize::try_from(length).map_err(|_| StoreError::Missing)?))
    }

    pub(super) fn poison(&self, source: std::io::Error) -> StoreError {
        self.poisoned.store(true, Ordering::SeqCst);
        StoreError::Sync { source }
    }
}

pub(super) fn read(disk: &dyn Disk, offset: u64, length: usize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![0; length];
    disk.read_at(offset, &mut bytes)?;
    Ok(bytes)
}

/// The header, or what there is of it.
pub(super) fn read_header(disk: &dyn Disk) -> Result<Vec<u8>, StoreError> {
    let length = disk.len()?.min(HEADER_LEN as u64);
    read(disk, 0, usize::try_from(length).map_err(|_| StoreError::Missing)?)
}

impl Store for FileStore {
    fn header(&self) -> Result<Vec<u8>, StoreError> {
        Ok(self.header.clone())
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        let disk = match self.follow() {
            // A file that lost its name can still be read.
            Err(StoreError::NotFound) => self.disk(),
            disk => disk?,
        };
        let areas = AREAS.iter().map(|offset| read(&*disk, *offset, AREA_LEN)).collect::<Result<_, _>>()?;
        let roots = ROOTS.iter().map(|offset| read(&*disk, *offset, ROOT_LEN)).collect::<Result<_, _>>()?;
        Ok(Heads { areas, roots })
    }

    fn objects(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        let disk = self.disk();
        let mut found = Vec::with_capacity(objects.len());
        let mut rest = objects;
        while let Some((run, later)) =
            rest.split_at_checked(neighbours(rest)).filter(|(run, _)| !run.is_empty())
        {
            let (offset, length) = Self::locate(&*disk, run)?;
            let mut bytes = vec![0; length];
            read_written(&*disk, offset, &mut bytes)?;
            match run {
                [_] => found.push(bytes),
                run => cut(&bytes, run, &mut found)?,
            }
            rest = later;
        }
        Ok(found)
    }

    fn read(&self, objects: &[ObjectRef], into: &mut [u8]) -> Result<(), StoreError> {
        let disk = self.disk();
        let (mut rest, mut room) = (objects, into);
        while let Some((run, later)) =
            rest.split_at_checked(neighbours(rest)).filter(|(run, _)| !run.is_empty())
        {
            let (offset, length) = Self::locate(&*disk, run)?;
            let (here, behind) = room.split_at_mut_checked(length).ok_or(StoreError::Missing)?;
            read_written(&*disk, offset, here)?;
            (rest, room) = (later, behind);
        }
        if room.is_empty() { Ok(()) } else { Err(StoreError::Missing) }
    }

    fn admits(&self, append_end: u64, erase: &[ObjectRef]) -> Result<bool, StoreError> {
        let is_there = append_end >= geometry::APPEND && self.disk().reaches(append_end)?;
        Ok(is_there && lie_below(append_end, erase))
    }

    fn holds(&self, segment: &Segment) -> Result<bool, StoreError> {
        if segment.is_long() {
            return self.has_room_for(segment);
        }
        let digest = match self.digest_of(segment) {
            Err(StoreError::Missing) => return Ok(false),
            digest => digest?,
        };
        Ok(digest.is_some_and(|digest| digest.matches(&segment.digest)))
    }

    fn writer(&self, wait: Duration) -> Result<Box<dyn StoreWriter + '_>, StoreError> {
        Ok(Box::new(self.lock(wait)?))
    }

    fn medium(&self) -> Medium {
        self.disk().medium()
    }

    fn as_file(&self) -> Option<&FileStore> {
        Some(self)
    }

    /// The system would answer from the memory that the bytes are still in.
    fn needs_proof(&self) -> bool {
        false
    }
}

/// The bytes of a range that cannot be read, found by halving it.
fn unreadable_in(disk: &dyn Disk, range: std::ops::Range<u64>, buffer: &mut [u8]) -> u64 {
    let length = range.end - range.start;
    let part = usize::try_from(length).ok().and_then(|length| buffer.get_mut(..length));
    if part.is_some_and(|part| disk.read_at(range.start, part).is_ok()) {
        return 0;
    }
    if length <= SECTOR {
        return length;
    }
    let middle = range.start + (length / 2).next_multiple_of(SECTOR);
    unreadable_in(disk, range.start..middle, buffer) + unreadable_in(disk, middle..range.end, buffer)
}

/// How many of these objects stand one behind the other and are read at once: none
/// of none, else at least one.
fn neighbours(objects: &[ObjectRef]) -> usize {
    let Some((first, rest)) = objects.split_first() else { return 0 };
    let mut end = file_offset(first).and_then(|offset| offset.checked_add(first.length));
    let mut total = first.length;
    let joins = rest.iter().take_while(|object| {
        let joins = end.is_some() && file_offset(object) == end;
        end = end.and_then(|end| end.checked_add(object.length));
        total = total.saturating_add(object.length);
        joins && total <= RUN_LIMIT
    });
    1 + joins.count()
}

/// The bytes of each object of a run that was read at once.
fn cut(bytes: &[u8], run: &[ObjectRef], found: &mut Vec<Vec<u8>>) -> Result<(), StoreError> {
    let mut rest = bytes;
    for object in run {
        let length = usize::try_from(object.length).map_err(|_| StoreError::Missing)?;
        let (object, later) = rest.split_at_checked(length).ok_or(StoreError::Missing)?;
        found.push(object.to_vec());
        rest = later;
    }
    Ok(())
}

pub(super) fn file_offset(object: &ObjectRef) -> Option<u64> {
    let (offset, rest) = object.reference.split_first_chunk::<8>()?;
    let offset = u64::from_le_bytes(*offset);
    (rest == [0; 8] && offset >= geometry::APPEND).then_some(offset)
}

/// Whether all objects lie between the fixed parts and `end`, and are together
/// no more than could be there: else erasing them would go astray, or not end.
pub(super) fn lie_below(end: u64, objects: &[ObjectRef]) -> bool {
    let (mut total, room) = (0u64, end.saturating_sub(geometry::APPEND));
    objects.iter().all(|object| {
        total = total.saturating_add(object.length);
        let last = file_offset(object).and_then(|offset| offset.checked_add(object.length));
        total <= room && last.is_some_and(|last| last <= end)
    })
}

pub(super) fn file_reference(offset: u64, length: usize) -> ObjectRef {
    let mut reference = [0; 16];
    reference.iter_mut().zip(offset.to_le_bytes()).for_each(|(to, from)| *to = from);
    ObjectRef { reference, length: length as u64 }
}

crate::secret::redacted_debug!(FileStore);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::contract::check_store;
    use crate::store::{Chosen, Publication};

    fn image() -> Vec<u8> {
        vec![7; usize::try_from(geometry::APPEND).unwrap()]
    }

    fn create(path: &Path, unique: &str, image: &[u8]) -> Result<FileStore, StoreError> {
        FileStore::create(&Destination::at(path)?, unique, image)
    }

    #[test]
    fn a_vault_file_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        create(&path, "u", &image()).unwrap();
        assert_eq!(check_store(&|| Arc::new(FileStore::open(&path).unwrap())), Ok(()));
    }

    #[test]
    fn creating_never_overwrites_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        create(&path, "u", &image()).unwrap();
        std::fs::write(folder.path().join("b"), b"mine").unwrap();
        assert!(matches!(create(&path, "u", &[]), Err(StoreError::Exists)));
        assert!(matches!(create(&folder.path().join("b"), "u", &image()), Err(StoreError::Exists)));
        assert_eq!(std::fs::read(folder.path().join("b")).unwrap(), b"mine");
        assert_eq!(std::fs::read(&path).unwrap(), image());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_second_process_and_a_replaced_file_are_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        let store = create(&path, "u", &image()).unwrap();
        let other = FileStore::open(&path).unwrap();
        let writer = store.writer(Duration::ZERO).unwrap();
        assert!(matches!(other.writer(Duration::from_millis(10)), Err(StoreError::Busy)));
        drop(writer);
        drop(other.writer(Duration::ZERO).unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(store.writer(Duration::ZERO), Err(StoreError::NotFound)));
        assert!(store.heads().is_ok(), "what is open can still be read");
        std::fs::write(&path, vec![8; image().len()]).unwrap();
        assert!(matches!(store.writer(Duration::ZERO), Err(StoreError::Replaced)));
        assert!(matches!(store.heads(), Err(StoreError::Replaced)));
    }

    #[test]
    fn a_file_of_the_same_vault_under_the_same_name_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        let store = create(&path, "u", &image()).unwrap();
        let old = store.heads().unwrap();
        let mut other = image();
        other[HEADER_LEN..].fill(9);
        std::fs::write(folder.path().join("b"), other).unwrap();
        std::fs::rename(folder.path().join("b"), &path).unwrap();
        assert!(store.heads().unwrap() != old);
        let writer = store.writer(Duration::ZERO).unwrap();
        assert!(matches!(FileStore::open(&path).unwrap().writer(Duration::ZERO), Err(StoreError::Busy)));
        drop(writer);
    }

    #[test]
    fn a_reference_into_the_fixed_parts_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let store = create(&folder.path().join("a.vault"), "u", &image()).unwrap();
        for offset in [0, geometry::ROOT_A, geometry::APPEND - 1, geometry::APPEND, u64::MAX] {
            assert!(matches!(store.objects(&[file_reference(offset, 16)]), Err(StoreError::Missing)));
        }
    }

    #[test]
    fn an_object_longer_than_any_content_is_missing_in_a_sparse_file_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        let store = create(&path, "u", &image()).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 32).unwrap();
        let object = |length| ObjectRef { length, ..file_reference(geometry::APPEND, 0) };
        assert_eq!(store.objects(&[object((1 << 20) - 1)]).unwrap()[0].len(), (1 << 20) - 1);
        // Nobody wrote that, and an object is no zeros.
        assert!(matches!(store.objects(&[object(1 << 20)]), Err(StoreError::Missing)));
        assert!(matches!(store.read(&[object(1 << 20)], &mut vec![1; 1 << 20]), Err(StoreError::Missing)));
        assert!(matches!(store.objects(&[object(OBJECT_LIMIT + 1)]), Err(StoreError::Missing)));
        assert_eq!(OBJECT_LIMIT, (66 << 20) + (66 * 64 + 1) * 16);
    }

    #[test]
    fn a_root_that_points_astray_is_not_admitted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        let store = create(&path, "u", &[&image()[..], &[1; 100]].concat()).unwrap();
        let (start, end) = (geometry::APPEND, geometry::APPEND + 100);
        let object = |offset, length| ObjectRef { length, ..file_reference(offset, 0) };
        for append_end in [start, end] {
            assert!(store.admits(append_end, &[]).unwrap(), "{append_end}");
        }
        for append_end in [0, start - 1, end + 1, u64::MAX] {
            assert!(!store.admits(append_end, &[]).unwrap(), "{append_end}");
        }
        assert!(store.admits(end, &[object(start, 60), object(start + 60, 40)]).unwrap());
        let astray = [(0, 16), (start - 1, 16), (end, 1), (start, 101), (start, u64::MAX), (u64::MAX, 2)];
        for (offset, length) in astray {
            assert!(!store.admits(end, &[object(offset, length)]).unwrap(), "{offset} {length}");
        }
        let again = vec![object(start, 100); 1000];
        assert!(!store.admits(end, &again).unwrap(), "more than the file holds");
    }

    #[test]
    fn what_cannot_be_erased_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        let store = create(&path, "u", &image()).unwrap();
        let mut writer = store.writer(Duration::ZERO).unwrap();
        let erase = [file_reference(geometry::AREA_A, 16)];
        let (area, root) = (vec![1; AREA_LEN], vec![2; ROOT_LEN]);
        let chosen = Chosen { area: &area, root: &root, erase: &erase };
        assert!(matches!(writer.settle(&chosen), Err(StoreError::Missing)));
        writer.start(geometry::APPEND);
        let publication = Publication {
            expected: &vec![7; ROOT_LEN],
            area: &area,
            root: &root,
            new_area: None,
            withdraws: true,
            erase: &erase,
        };
        assert!(matches!(writer.publish(&publication), Err(StoreError::Missing)));
        assert!(std::fs::read(&path).unwrap() == image());
    }

    #[test]
    fn a_wait_without_end_is_a_long_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = create(&folder.path().join("a.vault"), "u", &image()).unwrap();
        drop(store.writer(Duration::MAX).unwrap());
        drop(crate::store::MemoryStore::create(vec![], vec![], vec![]).writer(Duration::MAX).unwrap());
    }
}
