//! The vault file on a folder and a disk that fail as a test says.

#![cfg(unix)]

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::disk::Disk;
use super::file::{AREAS, ROOTS, file_offset};
use super::folder::{Folder, Named, RealFolder, give_name, has_no_links};
use super::identity::{FileAccess, FileId};
use super::tail::FileImage;
use super::*;
use crate::crypto::digest::Digest;
use crate::format::area::AREA_LEN;
use crate::format::header::{HEADER_LEN, geometry};
use crate::format::root::ROOT_LEN;
use crate::format::segment::{HIDDEN_PART, LEAST, PROTECTED_PART, class};

const SECTOR: u64 = 4096;

/// What fails, by the name of the call, and which bytes cannot be read; what was
/// written where.
#[derive(Default)]
struct Faults {
    written: Mutex<Vec<u64>>,
    read: Mutex<Vec<(u64, usize)>>,
    calls: Mutex<HashMap<&'static str, io::ErrorKind>>,
    unreadable: Mutex<Vec<Range<u64>>>,
}

impl Faults {
    fn call(&self, name: &'static str) -> io::Result<()> {
        self.calls.lock().unwrap().get(name).map_or(Ok(()), |kind| Err((*kind).into()))
    }

    fn set(&self, name: &'static str, kind: io::ErrorKind) {
        self.calls.lock().unwrap().insert(name, kind);
    }

    fn clear(&self) {
        self.calls.lock().unwrap().clear();
    }
}

struct FailingFolder {
    folder: RealFolder,
    faults: Arc<Faults>,
}

struct FailingDisk {
    disk: Box<dyn Disk>,
    faults: Arc<Faults>,
}

impl FailingFolder {
    fn disk(&self, disk: Box<dyn Disk>) -> Box<dyn Disk> {
        Box::new(FailingDisk { disk, faults: Arc::clone(&self.faults) })
    }
}

impl Folder for FailingFolder {
    fn named(&self, name: &OsStr) -> io::Result<Named> {
        self.folder.named(name)
    }

    fn open(&self, name: &OsStr) -> io::Result<Box<dyn Disk>> {
        self.faults.call("open")?;
        Ok(self.disk(self.folder.open(name)?))
    }

    fn create(&self, name: &OsStr, access: &FileAccess) -> io::Result<Box<dyn Disk>> {
        Ok(self.disk(self.folder.create(name, access)?))
    }

    fn link(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        self.faults.call("link")?;
        self.folder.link(from, to)
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        self.folder.rename(from, to)
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        self.folder.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.faults.call("sync of the folder")?;
        self.folder.sync()
    }

    fn path(&self, name: &OsStr) -> PathBuf {
        self.folder.path(name)
    }
}

/// With the seam's own `reaches`.
impl Disk for FailingDisk {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset + buffer.len() as u64;
        let unreadable = self.faults.unreadable.lock().unwrap();
        if unreadable.iter().any(|range| range.start < end && offset < range.end) {
            return Err(io::Error::other("EIO"));
        }
        self.faults.read.lock().unwrap().push((offset, buffer.len()));
        self.disk.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.faults.written.lock().unwrap().push(offset);
        self.disk.write_at(offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.faults.call("sync")?;
        self.disk.sync()
    }

    fn len(&self) -> io::Result<u64> {
        self.disk.len()
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        self.disk.reserve(length)
    }

    fn try_lock(&self) -> io::Result<bool> {
        self.faults.call("lock")?;
        self.disk.try_lock()
    }

    fn unlock(&self) -> io::Result<()> {
        self.disk.unlock()
    }

    fn id(&self) -> io::Result<FileId> {
        self.disk.id()
    }

    fn names(&self) -> io::Result<u64> {
        self.disk.names()
    }

    fn access(&self) -> io::Result<FileAccess> {
        self.disk.access()
    }

    fn medium(&self) -> Medium {
        self.disk.medium()
    }
}

/// A vault file in a folder of its own, of these appended bytes.
struct Place {
    root: tempfile::TempDir,
    faults: Arc<Faults>,
    folder: Arc<FailingFolder>,
    store: FileStore,
}

impl Place {
    fn new(appended: &[u8]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a.vault");
        let mut image = vec![7; usize::try_from(geometry::APPEND).unwrap()];
        image.extend_from_slice(appended);
        std::fs::write(&path, image).unwrap();
        let (folder, name) = RealFolder::of_file(&path).unwrap();
        let faults = Arc::new(Faults::default());
        let folder = Arc::new(FailingFolder { folder, faults: Arc::clone(&faults) });
        let store = FileStore::on(Arc::clone(&folder) as Arc<dyn Folder>, name).unwrap();
        Self { root, faults, folder, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn names(&self) -> Vec<OsString> {
        let entries = std::fs::read_dir(self.root.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }
}

fn object(offset: u64, length: u64) -> ObjectRef {
    let mut reference = [0; 16];
    reference[..8].copy_from_slice(&offset.to_le_bytes());
    ObjectRef { reference, length }
}

#[test]
fn what_cannot_be_read_is_counted_by_sectors_wherever_it_is() {
    let place = Place::new(&vec![1; (2 << 20) + 5000]);
    let length = place.store.length().unwrap();
    assert_eq!(length, geometry::APPEND + (2 << 20) + 5000);
    let unreadable = |ranges: &[Range<u64>]| {
        *place.faults.unreadable.lock().unwrap() = ranges.to_vec();
        let mut advanced = 0;
        let lost = place.store.unreadable(&mut |step| advanced += step).unwrap();
        assert_eq!(advanced, length);
        lost
    };
    let one = |range: Range<u64>| unreadable(std::slice::from_ref(&range));
    assert_eq!(unreadable(&[]), 0);
    for sector in [0, 1, 2, 3, 100, 255, 256, 400, 511] {
        let start = sector * SECTOR;
        for byte in [start, start + 1, start + SECTOR - 1] {
            assert_eq!(one(byte..byte + 1), SECTOR, "byte {byte}");
        }
        assert_eq!(one(start..start + SECTOR), SECTOR);
        assert_eq!(one(start + SECTOR - 1..start + SECTOR + 1), 2 * SECTOR);
    }
    assert_eq!(unreadable(&[0..1, SECTOR..SECTOR + 1, 1 << 20..(1 << 20) + 1]), 3 * SECTOR);
    assert_eq!(one(length - 1..length), length % SECTOR, "the last sector is short");
    assert_eq!(one(0..length), length);
}

#[test]
fn an_object_beyond_the_end_is_missing_whatever_the_disk_would_read() {
    let place = Place::new(&[1; 100]);
    // Whoever reads there finds no end but a fault.
    place.faults.unreadable.lock().unwrap().push(geometry::APPEND + 100..u64::MAX);
    let objects = |offset, length| place.store.objects(&[object(offset, length)]);
    assert_eq!(objects(geometry::APPEND, 100).unwrap(), [vec![1; 100]]);
    assert!(matches!(objects(geometry::APPEND, 101), Err(StoreError::Missing)));
    assert!(matches!(objects(geometry::APPEND + 100, 1), Err(StoreError::Missing)));
}

#[test]
fn a_damaged_object_is_put_back_where_it_stands_and_nowhere_else() {
    let place = Place::new(&[1; 100]);
    let writer = place.store.lock(Duration::ZERO).unwrap();
    let start = geometry::APPEND;
    for (offset, length, bytes) in [
        (start, 100, vec![2; 99]),
        (start, 99, vec![2; 100]),
        (start + 1, 100, vec![2; 100]),
        (start + 100, 1, vec![2; 1]),
        (geometry::ROOT_A, 100, vec![2; 100]),
    ] {
        let put = writer.put_back(&object(offset, length), &bytes);
        assert!(matches!(put, Err(StoreError::Missing)), "{offset} {length}");
    }
    assert_eq!(place.store.objects(&[object(start, 100)]).unwrap(), [vec![1; 100]]);
    writer.put_back(&object(start + 10, 90), &[2; 90]).unwrap();
    assert_eq!(
        place.store.objects(&[object(start, 100)]).unwrap(),
        [[[1; 10].as_slice(), &[2; 90]].concat()]
    );
    assert_eq!(place.store.length().unwrap(), start + 100);
}

#[test]
fn a_lock_that_the_system_does_not_have_is_told_from_one_that_failed() {
    let place = Place::new(&[]);
    place.faults.set("lock", io::ErrorKind::Unsupported);
    assert!(matches!(place.store.writer(Duration::ZERO), Err(StoreError::NoLocks)));
    place.faults.set("lock", io::ErrorKind::Other);
    assert!(matches!(place.store.writer(Duration::ZERO), Err(StoreError::Io { .. })));
    place.faults.clear();
    assert!(place.store.writer(Duration::ZERO).is_ok(), "neither poisons the store");
}

#[test]
fn a_folder_that_cannot_be_made_durable_poisons_unless_it_may_not_be_read() {
    let place = Place::new(&[]);
    place.faults.set("sync of the folder", io::ErrorKind::PermissionDenied);
    assert!(place.store.writer(Duration::ZERO).is_ok());
    let place = Place::new(&[]);
    place.faults.set("sync of the folder", io::ErrorKind::Other);
    assert!(matches!(place.store.writer(Duration::ZERO), Err(StoreError::Sync { .. })));
    place.faults.clear();
    assert!(matches!(place.store.writer(Duration::ZERO), Err(StoreError::Poisoned)));
}

#[test]
fn the_file_behind_a_name_that_cannot_be_opened_is_another_one() {
    let place = Place::new(&[]);
    std::fs::copy(place.path("a.vault"), place.path("b")).unwrap();
    std::fs::rename(place.path("b"), place.path("a.vault")).unwrap();
    place.faults.set("open", io::ErrorKind::PermissionDenied);
    assert!(matches!(place.store.writer(Duration::ZERO), Err(StoreError::Replaced)));
    place.faults.set("open", io::ErrorKind::NotFound);
    assert!(matches!(place.store.writer(Duration::ZERO), Err(StoreError::NotFound)));
    assert!(place.store.heads().is_ok(), "what is open can still be read");
    place.faults.clear();
    assert!(place.store.writer(Duration::ZERO).is_ok());
}

#[test]
fn a_file_that_may_not_be_opened_beside_the_vault_is_somebody_elses() {
    let place = Place::new(&[]);
    std::fs::write(place.path("a.vault.old"), b"mine").unwrap();
    place.faults.set("open", io::ErrorKind::PermissionDenied);
    assert!(matches!(place.store.beside(Beside::Old), Ok(Found::Foreign)));
    place.faults.set("open", io::ErrorKind::Other);
    assert!(matches!(place.store.beside(Beside::Old), Err(StoreError::Io { .. })));
    place.faults.clear();
    assert!(matches!(place.store.beside(Beside::Old), Ok(Found::Foreign)));
    assert!(matches!(place.store.beside(Beside::Draft), Ok(Found::Nothing)));
}

#[test]
fn the_beginning_of_a_vault_is_known_sector_by_sector() {
    let place = Place::new(&[]);
    let found = |bytes: &[u8]| {
        std::fs::write(place.path("a.vault.compact"), bytes).unwrap();
        place.store.beside(Beside::Draft).unwrap()
    };
    assert!(matches!(found(b""), Found::Beginning));
    assert!(matches!(found(&[7; 10]), Found::Beginning), "a part of the first sector");
    let whole = vec![7; HEADER_LEN];
    let mut torn = whole.clone();
    torn[..512].fill(0);
    assert!(matches!(found(&torn), Found::Beginning), "a sector that was not written");
    assert!(matches!(found(&[torn.as_slice(), &[0]].concat()), Found::Foreign), "longer than a header");
    torn[511] = 1;
    assert!(matches!(found(&torn), Found::Foreign), "a sector that is neither");
    let Found::Vault(file) = found(&whole) else { panic!("a header alone is the vault's") };
    assert_eq!(file.length().unwrap(), HEADER_LEN as u64);
    std::fs::hard_link(place.path("a.vault.compact"), place.path("mine")).unwrap();
    assert!(matches!(place.store.beside(Beside::Draft), Ok(Found::Foreign)), "a second name");
    std::fs::hard_link(place.path("a.vault"), place.path("a.vault.old")).unwrap();
    assert!(matches!(place.store.beside(Beside::Old), Ok(Found::Itself)));
}

#[test]
fn a_name_is_given_by_renaming_where_there_are_no_links_and_only_there() {
    let place = Place::new(&[]);
    let give = |name: &str| give_name(&*place.folder, OsStr::new("new"), OsStr::new(name));
    for kind in [io::ErrorKind::Unsupported, io::ErrorKind::PermissionDenied] {
        std::fs::write(place.path("new"), b"whole").unwrap();
        place.faults.set("link", kind);
        give("b").unwrap();
        assert_eq!(place.names(), ["a.vault", "b"]);
        assert_eq!(std::fs::read(place.path("b")).unwrap(), b"whole");
        std::fs::write(place.path("new"), b"other").unwrap();
        assert_eq!(give("b").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(place.path("b")).unwrap(), b"whole");
        std::fs::remove_file(place.path("b")).unwrap();
    }
    place.faults.set("link", io::ErrorKind::Other);
    assert_eq!(give("c").unwrap_err().kind(), io::ErrorKind::Other);
    place.faults.clear();
    place.faults.set("sync of the folder", io::ErrorKind::Other);
    assert!(give("c").is_err());
    assert_eq!(place.names(), ["a.vault", "new"], "half a success is none");
    place.faults.clear();
    give("c").unwrap();
    assert_eq!(place.names(), ["a.vault", "c"]);
    assert!(!has_no_links(&io::ErrorKind::NotFound.into()));
}

#[test]
fn a_vault_that_is_put_together_in_memory_is_read_where_it_says() {
    let mut image = FileImage::new();
    assert_eq!(image.end(), geometry::APPEND);
    let references = image.put(&[b"one", b"", b"three"]).unwrap();
    assert_eq!(references.iter().map(|object| object.length).collect::<Vec<_>>(), [3, 0, 5]);
    assert_eq!(image.end(), geometry::APPEND + 8);
    let segment = image.end_segment().unwrap();
    assert_eq!((segment.start, segment.end), (geometry::APPEND, geometry::APPEND + LEAST));
    assert!(matches!(image.written(&references), Err(StoreError::Missing)), "there is no file to read yet");
    let (header, area, root) = (vec![1; HEADER_LEN], vec![2; AREA_LEN], vec![3; ROOT_LEN]);
    image.create(&Creation { header: &header, area: &area, root: &root }).unwrap();
    let bytes = image.finish(&header, &area);
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::create(&Destination::at(&folder.path().join("b")).unwrap(), "u", &bytes).unwrap();
    assert_eq!(store.header().unwrap(), header);
    assert!(store.heads().unwrap() == Heads { areas: vec![area; 2], roots: vec![root; 2] });
    assert_eq!(store.objects(&references).unwrap(), [b"one".to_vec(), vec![], b"three".to_vec()]);
    assert!(store.holds(&segment).unwrap());
    assert!(store.gap().unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn a_file_that_has_its_vault_founds_no_other() {
    let place = Place::new(&[]);
    let (header, area, root) = (vec![1; HEADER_LEN], vec![2; AREA_LEN], vec![3; ROOT_LEN]);
    let creation = Creation { header: &header, area: &area, root: &root };
    let mut writer = place.store.lock(Duration::ZERO).unwrap();
    assert!(matches!(writer.create(&creation), Err(StoreError::Exists)));
    let mut rewrite = writer.rewrite().unwrap();
    assert!(matches!(rewrite.create(&creation), Err(StoreError::Exists)));
    drop(rewrite);
    assert_eq!(place.names(), ["a.vault"]);
    assert!(std::fs::read(place.path("a.vault")).unwrap().iter().all(|byte| *byte == 7));
}

#[test]
fn a_rewritten_file_is_read_before_it_has_its_name_and_takes_it_whole() {
    let place = Place::new(&[9; 3000]);
    let mut writer = place.store.lock(Duration::ZERO).unwrap();
    let mut rewrite = writer.rewrite().unwrap();
    rewrite.start(0);
    let large = vec![6; 1 << 20];
    let references = rewrite.put(&[b"one", &large, b"three"]).unwrap();
    let objects = [b"one".to_vec(), large, b"three".to_vec()];
    assert_eq!(rewrite.written(&references).unwrap(), objects, "on the disk and before it is");
    place.faults.set("sync", io::ErrorKind::Other);
    assert!(matches!(StoreWriter::sync(&mut rewrite), Err(StoreError::Io { .. })));
    place.faults.clear();
    StoreWriter::sync(&mut rewrite).unwrap();
    let (area, root) = (vec![2; AREA_LEN], vec![3; ROOT_LEN]);
    let publication = plain(&[], &area, &root);
    rewrite.publish(&publication).unwrap();
    assert_eq!(place.names(), ["a.vault", "a.vault.compact", "a.vault.old"]);
    let old = std::fs::File::open(place.path("a.vault")).unwrap();
    let mark = Digest::of(&[b"the new root"]);
    rewrite.replace(geometry::APPEND + 3000, &mark).unwrap();
    drop(writer);
    assert_eq!(place.names(), ["a.vault"]);
    assert_eq!(place.store.objects(&references).unwrap(), objects);
    assert!(place.store.heads().unwrap() == Heads { areas: vec![area; 2], roots: vec![root; 2] });
    for (offset, length) in
        AREAS.map(|offset| (offset, AREA_LEN)).into_iter().chain(ROOTS.map(|o| (o, ROOT_LEN)))
    {
        let mut bytes = vec![0; length];
        std::os::unix::fs::FileExt::read_exact_at(&old, &mut bytes, offset).unwrap();
        assert!(bytes.chunks(64).all(|part| part != &[7; 64][..part.len()]), "the old file opens no more");
    }
    let mut marked = [0; 32];
    std::os::unix::fs::FileExt::read_exact_at(&old, &mut marked, geometry::APPEND + 3000).unwrap();
    assert_eq!(marked, *mark.as_bytes(), "by which it is known for the old file");
}

#[test]
fn nothing_is_rewritten_over_what_is_in_the_way_or_under_a_second_name() {
    let place = Place::new(&[]);
    for name in ["a.vault.compact", "a.vault.old"] {
        std::fs::write(place.path(name), b"mine").unwrap();
        let mut writer = place.store.lock(Duration::ZERO).unwrap();
        let Err(StoreError::InTheWay { path }) = writer.rewrite() else { panic!("{name} is in the way") };
        assert_eq!(path.file_name(), Path::new(name).file_name());
        assert_eq!(std::fs::read(place.path(name)).unwrap(), b"mine");
        std::fs::remove_file(place.path(name)).unwrap();
    }
    std::fs::hard_link(place.path("a.vault"), place.path("second")).unwrap();
    let mut writer = place.store.lock(Duration::ZERO).unwrap();
    assert!(matches!(writer.rewrite(), Err(StoreError::SecondName)));
}

#[test]
fn a_file_that_may_only_be_read_is_told_from_one_that_cannot_be_opened() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("folder")).unwrap();
    let (folder, _) = RealFolder::for_new_file(&root.path().join("x")).unwrap();
    let kind = |name: &str| folder.open(OsStr::new(name)).err().map(|error| error.kind());
    assert_eq!(kind("folder"), Some(io::ErrorKind::IsADirectory));
    assert_eq!(kind("nothing"), Some(io::ErrorKind::NotFound));
    assert!(matches!(folder.named(OsStr::new("folder")), Ok(Named::Other)));
    assert!(matches!(folder.named(OsStr::new("nothing")), Ok(Named::Nothing)));
    // A name that no file can have is neither free nor taken.
    assert!(folder.named(OsStr::new(&"x".repeat(300))).is_err());
    assert!(matches!(RealFolder::for_new_file(Path::new("/")), Err(StoreError::NoFolder)));
    let within = |folder: &str| RealFolder::for_new_file(&root.path().join(folder).join("a")).err();
    assert!(matches!(within("nothing"), Some(StoreError::NoFolder)));
    std::fs::write(root.path().join("file"), b"").unwrap();
    assert!(matches!(within("file"), Some(StoreError::NoFolder)));
    assert!(within("folder").is_none());
    assert!(matches!(within("file/folder"), Some(StoreError::Io { .. })), "not a folder that is not there");
}

#[test]
fn what_is_erased_is_overwritten_to_its_last_byte_and_no_further() {
    // The noise is written in steps; these lengths are around one and around two.
    for length in [1, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let place = Place::new(&vec![1; length + 64]);
        let mut writer = place.store.lock(Duration::ZERO).unwrap();
        let erase = [object(geometry::APPEND, length as u64)];
        let (area, root) = (vec![7; AREA_LEN], vec![7; ROOT_LEN]);
        place.faults.written.lock().unwrap().clear();
        let repairs = writer.settle(&Chosen { area: &area, root: &root, erase: &erase }).unwrap();
        assert_eq!(repairs, Repairs::default());
        assert_eq!(place.faults.written.lock().unwrap().len(), length.div_ceil(65_536), "in large steps");
        let bytes = std::fs::read(place.path("a.vault")).unwrap();
        let (fixed, appended) = bytes.split_at(usize::try_from(geometry::APPEND).unwrap());
        assert!(fixed.iter().all(|byte| *byte == 7));
        let (erased, kept) = appended.split_at(length);
        assert_eq!(kept, [1; 64]);
        // Sixteen random bytes are not sixteen ones.
        let left = erased.chunks_exact(16).filter(|part| **part == [1; 16]).count();
        assert_eq!(left, 0, "{length}");
    }
}

#[test]
fn a_copy_of_root_or_area_that_differs_is_written_from_the_chosen_one() {
    let chosen = (vec![2; AREA_LEN], vec![3; ROOT_LEN]);
    let settle = |place: &Place| {
        let mut writer = place.store.lock(Duration::ZERO).unwrap();
        let repairs = writer.settle(&Chosen { area: &chosen.0, root: &chosen.1, erase: &[] }).unwrap();
        let heads = place.store.heads().unwrap();
        assert!(heads == Heads { areas: vec![chosen.0.clone(); 2], roots: vec![chosen.1.clone(); 2] });
        repairs
    };
    let place = Place::new(&[]);
    assert_eq!(settle(&place), Repairs { root: true, area: true });
    assert_eq!(settle(&place), Repairs { root: false, area: false });
    let damage = |offset: u64| {
        let file = std::fs::OpenOptions::new().write(true).open(place.path("a.vault")).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &[9], offset).unwrap();
    };
    for offset in ROOTS {
        damage(offset);
        assert_eq!(settle(&place), Repairs { root: true, area: false });
    }
    for offset in AREAS {
        damage(offset + AREA_LEN as u64 - 1);
        assert_eq!(settle(&place), Repairs { root: false, area: true });
    }
}

#[test]
fn a_new_area_is_written_where_the_current_root_has_none_and_there_too_at_last() {
    let [area_a, area_b] = AREAS;
    let [root_a, root_b] = ROOTS;
    for (named, order) in [(1, [area_b, root_a, root_b, area_a]), (2, [area_a, root_a, root_b, area_b])] {
        let place = Place::new(&[]);
        let file = std::fs::OpenOptions::new().write(true).open(place.path("a.vault")).unwrap();
        for (area, offset) in [(1, area_a), (2, area_b)] {
            std::os::unix::fs::FileExt::write_all_at(&file, &vec![area; AREA_LEN], offset).unwrap();
        }
        let mut writer = place.store.lock(Duration::ZERO).unwrap();
        writer.start(geometry::APPEND);
        let (current, expected) = (vec![named; AREA_LEN], vec![7; ROOT_LEN]);
        let (area, root) = (vec![4; AREA_LEN], vec![5; ROOT_LEN]);
        let publication = Publication {
            expected: &expected,
            area: &current,
            root: &root,
            new_area: Some(&area),
            withdraws: false,
            erase: &[],
        };
        place.faults.written.lock().unwrap().clear();
        writer.publish(&publication).unwrap();
        let written = std::mem::take(&mut *place.faults.written.lock().unwrap());
        assert_eq!(written, [&[geometry::APPEND], &order[..]].concat());
        assert!(
            place.store.heads().unwrap()
                == Heads { areas: vec![area.clone(); 2], roots: vec![root.clone(); 2] }
        );
        let again = Publication { root: &expected, ..publication };
        assert!(matches!(writer.publish(&again), Err(StoreError::Conflict)), "the root is another one now");
    }
}

#[test]
fn a_segment_is_held_where_all_its_bytes_are_and_nowhere_else() {
    let place = Place::new(&[]);
    let mut writer = place.store.lock(Duration::ZERO).unwrap();
    writer.start(geometry::APPEND);
    let large = vec![5; (1 << 20) + 3000];
    let references = writer.put(&[b"one", &large]).unwrap();
    let segment = writer.end_segment().unwrap();
    assert_eq!(writer.end_segment().unwrap(), segment, "it ends once");
    assert_eq!((segment.start, segment.end), (geometry::APPEND, geometry::APPEND + class((1 << 20) + 3003)));
    let (same, root) = (vec![7; AREA_LEN], vec![8; ROOT_LEN]);
    let before = vec![7; ROOT_LEN];
    let publication = plain(&before, &same, &root);
    writer.publish(&publication).unwrap();
    drop(writer);
    let holds = |segment: &Segment| place.store.digest_of(segment).unwrap() == Some(segment.digest);
    assert!(holds(&segment));
    assert_eq!(place.store.objects(&references).unwrap(), [b"one".to_vec(), large]);
    for astray in [
        Segment { start: segment.start - 4096, ..segment },
        Segment { start: segment.start + 4096, ..segment },
        Segment { end: segment.end - 4096, ..segment },
        Segment { end: u64::MAX, ..segment },
        Segment { start: segment.end, end: segment.start, ..segment },
        Segment { digest: SegmentDigest::from_bytes([0; 32]), ..segment },
    ] {
        assert!(!holds(&astray), "{astray:?}");
    }
    let file = std::fs::OpenOptions::new().write(true).open(place.path("a.vault")).unwrap();
    for (offset, byte) in [(segment.start, b'o'), (segment.end - 1, 0), (segment.start + (1 << 20), 5)] {
        let mut stood = [0];
        let read = std::fs::File::open(place.path("a.vault")).unwrap();
        std::os::unix::fs::FileExt::read_exact_at(&read, &mut stood, offset).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &[stood[0] ^ 1], offset).unwrap();
        assert!(!holds(&segment), "byte {offset}");
        std::os::unix::fs::FileExt::write_all_at(&file, &stood, offset).unwrap();
        assert!(byte == stood[0] || offset == segment.end - 1, "the filler is random");
    }
    assert!(holds(&segment));
    // An opening does not read what is so long, and asks for room for it alone.
    let other = Segment { digest: SegmentDigest::from_bytes([0; 32]), ..segment };
    assert!(segment.is_long() && place.store.holds(&other).unwrap());
    assert!(!place.store.holds(&Segment { end: !4095, ..segment }).unwrap());
}

/// A commit that changes no credentials and withdraws nothing.
fn plain<'a>(expected: &'a [u8], area: &'a [u8], root: &'a [u8]) -> Publication<'a> {
    Publication { expected, area, root, new_area: None, withdraws: false, erase: &[] }
}

/// Publishes a root of this byte, of a commit that appends so many bytes.
fn publish_root(writer: &mut dyn StoreWriter, (expected, root): (u8, u8), withdraws: bool, length: usize) {
    writer.start(geometry::APPEND);
    writer.put(&[&vec![1; length]]).unwrap();
    let (area, expected, root) = (vec![7; AREA_LEN], vec![expected; ROOT_LEN], vec![root; ROOT_LEN]);
    let publication =
        Publication { expected: &expected, area: &area, root: &root, new_area: None, withdraws, erase: &[] };
    writer.publish(&publication).unwrap();
}

#[test]
fn roots_are_written_in_turn_and_never_over_the_only_durable_copy() {
    let place = Place::new(&[]);
    let written = || {
        let written = std::mem::take(&mut *place.faults.written.lock().unwrap());
        written.into_iter().filter(|offset| *offset < geometry::APPEND).collect::<Vec<_>>()
    };
    let [a, b] = ROOTS;
    let commit = |roots, withdraws, length| {
        publish_root(&mut place.store.lock(Duration::ZERO).unwrap(), roots, withdraws, length);
        written()
    };
    assert_eq!(commit((7, 1), false, 10), [a]);
    assert_eq!(commit((1, 2), false, 10), [b]);
    assert_eq!(commit((2, 3), false, 10), [a]);
    assert_eq!(commit((3, 4), true, 10), [b, a], "a withdrawal replaces both");
    assert_eq!(commit((4, 5), false, 2 << 20), [a]);
    assert_eq!(commit((5, 6), false, 10), [b]);
    assert_eq!(commit((6, 7), false, 10), [a]);
    place.store.lock(Duration::ZERO).unwrap().rest().unwrap();
    assert_eq!(written(), [b]);
    place.store.lock(Duration::ZERO).unwrap().rest().unwrap();
    assert_eq!(written(), [0; 0]);
    assert!(!place.store.may_owe_a_copy());
    assert!(place.store.heads().unwrap().roots == vec![vec![7; ROOT_LEN]; 2]);
}

#[test]
fn a_handle_that_did_not_write_last_publishes_nothing_until_it_settled() {
    let place = Place::new(&[]);
    let other = FileStore::on(Arc::clone(&place.folder) as Arc<dyn Folder>, "a.vault".into()).unwrap();
    publish_root(&mut place.store.lock(Duration::ZERO).unwrap(), (7, 1), false, 10);
    let (area, root) = (vec![7; AREA_LEN], vec![1; ROOT_LEN]);
    let next = vec![2; ROOT_LEN];
    let publication = plain(&root, &area, &next);
    let mut writer = other.lock(Duration::ZERO).unwrap();
    assert!(!writer.left_last(&root).unwrap());
    writer.start(geometry::APPEND);
    assert!(
        matches!(writer.publish(&publication), Err(StoreError::Conflict)),
        "it cannot know which is newer"
    );
    StoreWriter::sync(&mut writer).unwrap();
    assert!(writer.settle(&Chosen { area: &area, root: &root, erase: &[] }).unwrap().root);
    writer.publish(&publication).unwrap();
    drop(writer);
    let mut writer = place.store.lock(Duration::ZERO).unwrap();
    assert!(!writer.left_last(&root).unwrap(), "another handle wrote");
    assert!(matches!(writer.publish(&publication), Err(StoreError::Conflict)));
}

#[test]
fn a_copy_is_every_byte_below_the_append_end_and_has_its_name_last() {
    let appended: Vec<u8> =
        (0..(2 << 20) + 77_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[2]).collect();
    let place = Place::new(&appended);
    let end = geometry::APPEND + appended.len() as u64 - 7;
    let (area, root) = (vec![2; AREA_LEN], vec![3; ROOT_LEN]);
    let destination = || Destination::at(&place.path("b"));
    let mut told = Vec::new();
    let copy = |told: &mut Vec<u64>| {
        let to = destination().unwrap();
        place.store.copy_source().copy(&to, (&area, &root), end, &mut |step| told.push(step)).unwrap()
    };
    let made = copy(&mut told);
    assert_eq!(told, [geometry::APPEND, 1 << 20, 1 << 20, 70]);
    assert!(
        made.store().unwrap().heads().unwrap()
            == Heads { areas: vec![area.clone(); 2], roots: vec![root.clone(); 2] }
    );
    assert!(!place.path("b").exists());
    made.finish().unwrap();
    assert_eq!(place.names(), ["a.vault", "b"]);
    let bytes = std::fs::read(place.path("b")).unwrap();
    assert_eq!(bytes.len() as u64, end);
    assert!(bytes[usize::try_from(geometry::APPEND).unwrap()..] == appended[..appended.len() - 7]);
    assert!(matches!(destination(), Err(StoreError::Exists)));
    std::fs::remove_file(place.path("b")).unwrap();
    // One that is given up leaves nothing, and neither does one that comes too late.
    drop(copy(&mut told));
    assert_eq!(place.names(), ["a.vault"]);
    let late = copy(&mut told);
    std::fs::write(place.path("b"), b"mine").unwrap();
    assert!(matches!(late.finish(), Err(StoreError::Exists)));
    assert_eq!(place.names(), ["a.vault", "b"]);
    assert_eq!(std::fs::read(place.path("b")).unwrap(), b"mine");
}

#[test]
fn a_writer_of_this_process_is_waited_for() {
    let place = Place::new(&[]);
    let writer = place.store.lock(Duration::ZERO).unwrap();
    assert!(matches!(place.store.lock(Duration::from_millis(20)), Err(StoreError::Busy)));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| place.store.lock(Duration::from_secs(60)).map(|_| ()));
        std::thread::sleep(Duration::from_millis(50));
        drop(writer);
        assert!(waiting.join().unwrap().is_ok());
    });
}

#[test]
fn the_longest_object_is_read_and_none_is_read_back_from_the_memory_of_the_system() {
    let place = Place::new(&[]);
    assert!(!place.store.needs_proof());
    let longest = (66 << 20) + (66 * 64 + 1) * 16;
    let file = std::fs::OpenOptions::new().write(true).open(place.path("a.vault")).unwrap();
    file.set_len(geometry::APPEND + longest + 1).unwrap();
    let nothing = place.store.objects(&[object(geometry::APPEND, longest)]);
    assert!(matches!(nothing, Err(StoreError::Missing)), "nobody wrote it");
    for step in 0..=longest >> 20 {
        file.write_at(&[1], geometry::APPEND + (step << 20)).unwrap();
    }
    let read = place.store.objects(&[object(geometry::APPEND, longest)]).unwrap();
    assert_eq!(read[0].len() as u64, longest);
    let longer = place.store.objects(&[object(geometry::APPEND, longest + 1)]);
    assert!(matches!(longer, Err(StoreError::Missing)));
}

#[test]
fn a_leftover_is_made_unreadable_as_far_as_it_goes_before_its_name_is_taken() {
    let place = Place::new(&[]);
    let parts: Vec<(u64, u64)> = AREAS
        .map(|offset| (offset, AREA_LEN as u64))
        .into_iter()
        .chain(ROOTS.map(|offset| (offset, ROOT_LEN as u64)))
        .collect();
    let inner = parts.iter().flat_map(|(offset, length)| [*offset, offset + 100, offset + length]);
    for length in inner.chain([HEADER_LEN as u64, geometry::APPEND]).collect::<Vec<_>>() {
        let size = usize::try_from(length).unwrap();
        std::fs::write(place.path("a.vault.old"), vec![7; size]).unwrap();
        let left = std::fs::File::open(place.path("a.vault.old")).unwrap();
        let writer = place.store.lock(Duration::ZERO).unwrap();
        let found = place.store.beside(Beside::Old).unwrap();
        assert!(matches!(found, Found::Vault(_)), "{length}");
        writer.discard(Beside::Old, &found).unwrap();
        assert_eq!(place.names(), ["a.vault"]);
        assert_eq!(left.metadata().unwrap().len(), length, "nothing is written behind its end");
        let mut bytes = vec![0; size];
        std::os::unix::fs::FileExt::read_exact_at(&left, &mut bytes, 0).unwrap();
        for (index, part) in bytes.chunks_exact(16).enumerate() {
            let (start, end) = (index as u64 * 16, index as u64 * 16 + 16);
            let within = parts.iter().any(|(offset, length)| *offset <= start && end <= offset + length);
            let outside = parts.iter().all(|(offset, length)| end <= *offset || offset + length <= start);
            assert!(!within || part != [7; 16], "{start} of {length} is still there");
            assert!(!outside || part == [7; 16], "{start} of {length} was overwritten");
        }
    }
}

#[test]
fn a_new_file_is_for_whom_it_was_asked_and_at_first_for_nobody_else() {
    let place = Place::new(&[]);
    let owner = place.store.disk().access().unwrap().owner;
    assert!(owner.is_some());
    for mode in [0o600, 0o640, 0o604, 0o400] {
        let access = FileAccess { mode, owner };
        let disk = place.folder.create(OsStr::new("b"), &access).unwrap();
        assert_eq!(disk.access().unwrap(), access);
        assert!(place.folder.create(OsStr::new("b"), &access).is_err(), "the name is taken");
        std::fs::remove_file(place.path("b")).unwrap();
    }
    let disk = place.folder.create(OsStr::new("b"), &FileAccess::PRIVATE).unwrap();
    assert_eq!(disk.access().unwrap(), FileAccess { mode: 0o600, owner });
    if owner == Some((0, 0)) {
        let access = FileAccess { mode: 0o600, owner: Some((1, 2)) };
        assert_eq!(place.folder.create(OsStr::new("c"), &access).unwrap().access().unwrap(), access);
    }
}

#[test]
fn neighbours_are_read_at_once_up_to_a_limit() {
    let place = Place::new(&vec![1; 4 << 20]);
    let start = geometry::APPEND;
    let reads = |objects: &[(u64, u64)]| {
        let objects: Vec<_> =
            objects.iter().map(|(offset, length)| object(start + offset, *length)).collect();
        place.faults.read.lock().unwrap().clear();
        let found = place.store.objects(&objects).unwrap();
        assert!(found.iter().map(Vec::len).eq(objects.iter().map(|o| usize::try_from(o.length).unwrap())));
        let reads = place.faults.read.lock().unwrap().clone();
        reads.into_iter().map(|(offset, length)| (offset - start, length)).collect::<Vec<_>>()
    };
    assert_eq!(reads(&[(0, 10), (10, 20), (30, 5)]), [(0, 35)]);
    assert_eq!(reads(&[(0, 10), (11, 20), (31, 5)]), [(0, 10), (11, 25)]);
    assert_eq!(reads(&[(10, 10), (0, 10)]), [(10, 10), (0, 10)]);
    let (half, whole) = (1 << 19, 1 << 20);
    assert_eq!(reads(&[(0, half), (half, half), (whole, 1)]), [(0, 1 << 20), (whole, 1)]);
    assert_eq!(reads(&[(0, half), (half, half + 1)]), [(0, 1 << 19), (half, (1 << 19) + 1)]);
    assert_eq!(reads(&[(0, (2 << 20) - 1), (2 << 20, 1)]), [(0, (2 << 20) - 1), (2 << 20, 1)]);
    assert_eq!(reads(&[(0, 2 << 20), (2 << 20, 1)]), [(0, 1 << 20), (whole, 1 << 20), (2 << 20, 1)]);
}

#[test]
fn what_is_appended_is_held_back_and_the_file_grows_in_steps() {
    let publish = |place: &Place, length: usize| {
        let mut writer = place.store.lock(Duration::ZERO).unwrap();
        writer.start(geometry::APPEND);
        place.faults.written.lock().unwrap().clear();
        writer.put(&[&vec![1; length]]).unwrap();
        let held = place.faults.written.lock().unwrap().is_empty();
        let (same, root) = (vec![7; AREA_LEN], vec![7; ROOT_LEN]);
        let publication = plain(&root, &same, &root);
        writer.publish(&publication).unwrap();
        (held, place.store.length().unwrap())
    };
    let place = Place::new(&[]);
    let end = geometry::APPEND + LEAST;
    assert_eq!(publish(&place, 5), (true, end.next_multiple_of(16 * 1024)));
    let end = geometry::APPEND + (1 << 20);
    assert_eq!(publish(&place, (1 << 20) - 1), (true, end.next_multiple_of(128 * 1024)));
    let end = geometry::APPEND + (4 << 20);
    assert_eq!(publish(&place, 4 << 20), (false, end.next_multiple_of(512 * 1024)));
}

#[test]
fn most_commits_change_no_length_however_long_the_file_is() {
    let place = Place::new(&vec![1; 4 << 20]);
    let mut end = geometry::APPEND + (4 << 20);
    let mut lengths = std::collections::BTreeSet::new();
    for number in 0..64u8 {
        let mut writer = place.store.lock(Duration::ZERO).unwrap();
        writer.start(end);
        writer.put(&[&[number; 5]]).unwrap();
        let (same, root) = (vec![7; AREA_LEN], vec![7; ROOT_LEN]);
        writer.publish(&plain(&root, &same, &root)).unwrap();
        end += LEAST;
        lengths.insert(place.store.length().unwrap());
    }
    assert!(lengths.len() <= 5, "{lengths:?}");
}

#[test]
fn what_a_part_has_room_for_stands_there_and_more_shows() {
    let parts = PROTECTED_PART + HIDDEN_PART;
    let put = |place: &Place, tier: Tier, lengths: &[usize]| {
        let mut writer = place.store.lock(Duration::ZERO).unwrap();
        writer.start(geometry::APPEND);
        writer.set_apart(&[Tier::Everyday, Tier::Protected, Tier::Hidden], false);
        writer.put(&[&[9; 1000]]).unwrap();
        let objects: Vec<Vec<u8>> = lengths.iter().map(|length| vec![3; *length]).collect();
        let objects: Vec<&[u8]> = objects.iter().map(Vec::as_slice).collect();
        let references = writer.put_in(tier, &objects).unwrap();
        assert!(writer.written(&references).unwrap() == objects, "they are read before they are written");
        let segment = writer.end_segment().unwrap();
        let (shows, end) = (writer.is_beyond_parts(), segment.end);
        let (same, root) = (vec![7; AREA_LEN], vec![7; ROOT_LEN]);
        let publication = plain(&root, &same, &root);
        writer.publish(&publication).unwrap();
        drop(writer);
        assert_eq!((segment.parts, segment.start), (parts, geometry::APPEND));
        assert!(place.store.holds(&segment).unwrap());
        assert!(place.store.objects(&references).unwrap() == objects);
        let offsets: Vec<u64> = references.iter().map(|object| file_offset(object).unwrap()).collect();
        (offsets, shows, end)
    };
    let place = Place::new(&[]);
    let start = geometry::APPEND;
    let (hidden, everyday) = (start + PROTECTED_PART, start + parts);
    let whole = usize::try_from(HIDDEN_PART).unwrap();
    let nothing = put(&place, Tier::Hidden, &[]);
    assert_eq!(nothing, (vec![], false, start + class(parts + 1000)));
    assert_eq!(put(&place, Tier::Protected, &[5, 7]), (vec![start, start + 5], false, nothing.2));
    assert_eq!(put(&place, Tier::Hidden, &[whole]), (vec![hidden], false, nothing.2));
    let (offsets, shows, end) = put(&place, Tier::Hidden, &[1, whole]);
    assert_eq!((offsets, shows), (vec![hidden, everyday + 1000], true), "one byte more than the part");
    assert!(end > nothing.2);
    // Where more than is held back was written already, the parts come last.
    let (offsets, ..) = put(&place, Tier::Everyday, &[3 << 20, 4]);
    assert_eq!(offsets, [everyday + 1000, everyday + 1000 + (3 << 20)]);
}

#[test]
fn a_writer_that_cannot_make_durable_poisons_the_store() {
    let place = Place::new(&[]);
    let mut writer = place.store.lock(Duration::ZERO).unwrap();
    StoreWriter::sync(&mut writer).unwrap();
    place.faults.set("sync", io::ErrorKind::Other);
    assert!(matches!(StoreWriter::sync(&mut writer), Err(StoreError::Sync { .. })));
    drop(writer);
    place.faults.clear();
    assert!(matches!(place.store.lock(Duration::ZERO), Err(StoreError::Poisoned)));
}
