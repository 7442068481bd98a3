//! Every bit that a reader of a golden vault can reach, flipped; every pair of
//! its objects, slots, places, areas and roots swapped, and replayed from an
//! older state and from another vault of the same owner.
//!
//! Every flip is tried where every read of its part passes, and one in so many
//! on the vault as a whole besides; `SUBROSA_FLIP_STEP=1 cargo test flipped_bit`
//! tries every one on the whole of those vaults that a key opens.

use std::sync::atomic::{AtomicU64, Ordering};

use super::basics::diagnosis;
use super::disk::SimDisk;
use super::golden::{PASSWORD, RAW_KEY};
use super::workload::{new_image, owner, password};
use crate::crypto::boxes::encrypt_committed;
use crate::crypto::random::Randomness;
use crate::format::area::testing::{digest_anew, shortcut, shortcuts, slot};
use crate::format::area::{AREA_LEN, SLOTS, StoredArea};
use crate::format::context::Context;
use crate::format::header::{HEADER_LEN, Header, geometry};
use crate::format::object::KeyedRef;
use crate::format::root::{ROOT_LEN, Root};
use crate::keys::{Tried, UnlockKeys};
use crate::tree::{TreeError, open_object};
use crate::*;

/// Flips of the whole test, over all parts.
const LEAST_FLIPS: u64 = 500_000;
/// Of the flips in heads one in so many is tried on the whole vault: a prime, so
/// that each bit of a byte has its turn.
const HEAD_STEP: usize = 127;
/// The same of the flips in objects, which are read whole each time.
const OBJECT_STEP: usize = 1_999;
/// The same of a vault that opens with passwords only, each at its full cost.
const COSTLY_STEP: usize = 65_537;

pub(super) fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

/// Something that a reader reads: its kind, its name for its parent, its context.
pub(super) struct Part {
    pub(super) kind: &'static str,
    pub(super) encrypted: KeyedRef,
    pub(super) context: Context,
}

impl Part {
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        let start = at(u64::from_le_bytes(*self.encrypted.object.reference.first_chunk().unwrap()));
        start..start + at(self.encrypted.object.length)
    }
}

/// An unlocked vault on a simulated disk and all that its keys reach.
pub(super) struct Subject {
    disk: SimDisk,
    pub(super) image: Vec<u8>,
    pub(super) credential: Credential,
    pub(super) vault: Vault,
    pub(super) parts: Vec<Part>,
}

impl Subject {
    pub(super) fn open(image: Vec<u8>, credential: Credential) -> Self {
        let disk = SimDisk::without_trace(image);
        let vault = disk.unlock(&credential).unwrap();
        let image = disk.image();
        let parts = parts(&vault);
        Self { disk, image, credential, vault, parts }
    }

    /// A vault of the project's own files.
    fn kept(name: &str, credential: Credential) -> Self {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        Self::open(std::fs::read(path).unwrap(), credential)
    }

    fn golden() -> Self {
        Self::kept("whole.vault", RawKey::from_bytes(&RAW_KEY).into())
    }

    fn frozen() -> Self {
        Self::kept("frozen/format-1.vault", RawKey::from_bytes(&RAW_KEY).into())
    }

    fn migrating() -> Self {
        Self::kept("migrating.vault", password(PASSWORD))
    }

    fn small() -> Self {
        Self::open(owners_vault(&["F32.1", "F10.20"]), owner())
    }

    pub(super) fn part(&self, offset: u64, length: usize) -> &[u8] {
        &self.image[at(offset)..at(offset) + length]
    }

    /// Whether everything that a reader reads stands in an image as in this one.
    /// What the root wants erased is erased again by every opening.
    fn stands_in(&self, image: &[u8]) -> bool {
        let heads = 0..at(geometry::APPEND);
        let mut ranges = self.parts.iter().map(Part::range).chain([heads]);
        ranges.all(|range| image[range.clone()] == self.image[range])
    }

    fn open_part(&self, part: &Part) -> Result<(), TreeError> {
        let unlocked = self.vault.unlocked().unwrap();
        open_object(&*unlocked.core.store, &part.encrypted, &part.context).map(|_| ())
    }

    /// Opens another image of this vault and reads everything. Whatever it
    /// yields must be what this one holds.
    pub(super) fn outcome(&self, image: Vec<u8>) -> Result<bool, Error> {
        let vault = SimDisk::without_trace(image).unlock(&self.credential)?;
        let mut whole = true;
        for listed in self.vault.list(&Filter::all().with_retracted())? {
            for revision in 1..=listed.revision {
                let expected = self.vault.entry_revision(listed.id, revision)?;
                match vault.entry_revision(listed.id, revision) {
                    Ok(found) => assert!(found == expected, "other text"),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
                        whole = false;
                    }
                }
            }
        }
        let clean = vault.check()?.is_clean();
        assert!(whole || !clean, "the check overlooks damage");
        Ok(clean)
    }

    /// Whether the vault opens whole in spite of a change.
    pub(super) fn survives(&self, change: impl FnOnce(&mut [u8])) -> bool {
        let mut image = self.image.clone();
        change(&mut image);
        match self.outcome(image) {
            Ok(clean) => clean,
            Err(error) => {
                assert!(matches!(error.kind(), ErrorKind::Damaged | ErrorKind::WrongCredential), "{error}");
                false
            }
        }
    }
}

/// A vault of the owner's with these diagnoses, of which one has two revisions.
pub(super) fn owners_vault(codes: &[&str]) -> Vec<u8> {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    for code in codes {
        let (first, second) = (diagnosis(code, "first", "2019"), diagnosis(code, "second", "2020"));
        let id = vault.update(&Actor::owner(), |tx| tx.add(&first)).unwrap().value;
        vault.update(&Actor::owner(), |tx| tx.amend(id, &second, "better known")).unwrap();
    }
    drop(vault.lock().unwrap());
    disk.image()
}

fn parts(vault: &Vault) -> Vec<Part> {
    let unlocked = vault.unlocked().unwrap();
    let view = unlocked.reader();
    let mut parts = Vec::new();
    for compartment in Compartment::ALL {
        view.trie(compartment).unwrap().survey_contexts(&mut |encrypted, context, page| {
            parts.push(Part { kind: "page", encrypted: encrypted.duplicate(), context });
            for row in page.leaf_rows() {
                if let Some(encrypted) = &row.object {
                    let context = unlocked.core.row_context(compartment, row);
                    parts.push(Part { kind: "blob", encrypted: encrypted.duplicate(), context });
                }
            }
        });
    }
    for (compartment, list) in view.named_erase_lists() {
        let context = unlocked.core.erase_context(compartment);
        parts.push(Part { kind: "list", encrypted: list.duplicate(), context });
    }
    parts
}

/// Runs `each` over `all` on both cores.
fn on_both_cores<T: Sync>(all: &[T], each: impl Fn(&T) + Sync) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(item) = all.get(at(next.fetch_add(1, Ordering::Relaxed))) {
                    each(item);
                }
            });
        }
    });
}

/// Flips that were tried.
#[derive(Default)]
struct Flips {
    heads: AtomicU64,
    objects: AtomicU64,
    /// On the whole vault besides.
    whole_heads: AtomicU64,
    whole_objects: AtomicU64,
}

/// One flip in how many is tried on the whole vault.
#[derive(Clone, Copy)]
struct Steps {
    heads: usize,
    objects: usize,
}

impl Steps {
    const USUAL: Self = Self { heads: HEAD_STEP, objects: OBJECT_STEP };
    const COSTLY: Self = Self { heads: COSTLY_STEP, objects: COSTLY_STEP };

    /// As asked for, or these.
    fn or_as_asked(self) -> Self {
        let asked = std::env::var("SUBROSA_FLIP_STEP").ok().map(|text| text.parse().unwrap());
        asked.map_or(self, |step| Self { heads: step, objects: step })
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Every bit of `length` bytes from `offset`, by its place in the file.
fn bits(offset: usize, length: usize) -> std::ops::Range<usize> {
    offset * 8..(offset + length) * 8
}

fn flip(bytes: &mut [u8], bit: usize) {
    bytes[bit / 8] ^= 1 << (bit % 8);
}

impl Flips {
    fn of(&self) -> [u64; 4] {
        [&self.heads, &self.objects, &self.whole_heads, &self.whole_objects]
            .map(|counter| counter.load(Ordering::Relaxed))
    }

    /// Everything of a vault.
    fn flip(&self, subject: &Subject, steps: Steps) {
        self.flip_header(subject);
        self.flip_areas(subject);
        self.flip_roots(subject);
        self.flip_objects(subject);
        self.flip_twins(subject, steps.heads);
        self.flip_whole_objects(subject, steps.objects);
    }

    /// Every bit of the header: refused, by name where it is another version's.
    fn flip_header(&self, subject: &Subject) {
        let mut header = subject.part(0, HEADER_LEN).to_vec();
        for bit in bits(0, HEADER_LEN) {
            flip(&mut header, bit);
            assert!(Header::parse(&header).is_err(), "bit {bit} of the header");
            flip(&mut header, bit);
            count(&self.heads);
        }
    }

    /// Every bit of the area: not intact, before anything in it is used. A flipped
    /// shortcut leaves it intact, and is passed over.
    fn flip_areas(&self, subject: &Subject) {
        let area = subject.part(geometry::AREA_A, AREA_LEN);
        assert!(area == subject.part(geometry::AREA_B, AREA_LEN));
        let unlocked = subject.vault.unlocked().unwrap();
        let (scope, own) = (unlocked.core.scope, shortcut(unlocked.way_in.clone().unwrap().slot));
        let keys = UnlockKeys::derive(
            &subject.credential,
            scope,
            StoredArea::parse(area).unwrap().area.kdf,
            &KdfLimits { min_memory_kib: 0, min_passes: 0, ..KdfLimits::default() },
        );
        let keys = keys.unwrap();
        let opens = |stored: &StoredArea| {
            let tried = keys.open(&mut Randomness::from_system(), scope, &stored.area);
            let Tried::Opened(opened) = tried else { return false };
            opened.restored.is_some() && stored.verify(&opened.keyring.area_mac_key())
        };
        let all: Vec<usize> = bits(0, AREA_LEN).collect();
        on_both_cores(&all.chunks(4096).collect::<Vec<_>>(), |bits| {
            let mut area = area.to_vec();
            for bit in *bits {
                flip(&mut area, *bit);
                match StoredArea::parse(&area) {
                    Ok(area) => {
                        assert!(shortcuts().contains(&(bit / 8)), "bit {bit} of an area");
                        let is_own = own.contains(&(bit / 8));
                        assert!(!is_own || opens(&area), "bit {bit} of the slot's shortcut");
                    }
                    Err(_) => assert!(!shortcuts().contains(&(bit / 8)), "bit {bit} of an area"),
                }
                flip(&mut area, *bit);
                count(&self.heads);
            }
        });
    }

    /// Every bit of the root: it does not open.
    fn flip_roots(&self, subject: &Subject) {
        let core = &subject.vault.unlocked().unwrap().core;
        let mut root = subject.part(geometry::ROOT_A, ROOT_LEN).to_vec();
        assert!(root == subject.part(geometry::ROOT_B, ROOT_LEN));
        let key = core.keyring.root_key();
        for bit in bits(0, ROOT_LEN) {
            flip(&mut root, bit);
            assert!(core.open_root(&key, &root).is_none(), "bit {bit} of a root");
            flip(&mut root, bit);
            count(&self.heads);
        }
    }

    /// Every bit of every page and blob: damage, before anything is decrypted.
    fn flip_objects(&self, subject: &Subject) {
        for part in &subject.parts {
            for bit in bits(part.range().start, part.range().len()) {
                subject.disk.flip(bit / 8, 1 << (bit % 8));
                let error = subject.open_part(part).expect_err("a flipped bit");
                assert!(matches!(error, TreeError::Damaged { .. }), "{error}");
                subject.disk.flip(bit / 8, 1 << (bit % 8));
                count(&self.objects);
            }
            subject.open_part(part).unwrap();
        }
    }

    /// A bit of one copy of an area or a root: an opening puts back from the
    /// other what stood there, so that everything in the vault is as it was. Of
    /// shortcuts, which nothing but their owner's seed proves, it only makes both
    /// copies the same.
    fn flip_twins(&self, subject: &Subject, step: usize) {
        let copies = [
            (geometry::AREA_A, AREA_LEN),
            (geometry::AREA_B, AREA_LEN),
            (geometry::ROOT_A, ROOT_LEN),
            (geometry::ROOT_B, ROOT_LEN),
        ];
        let all: Vec<usize> =
            copies.into_iter().flat_map(|(offset, length)| bits(at(offset), length)).step_by(step).collect();
        on_both_cores(&all, |bit| {
            let mut image = subject.image.clone();
            flip(&mut image, *bit);
            let disk = SimDisk::without_trace(image);
            let vault = disk.unlock(&subject.credential).unwrap();
            assert_eq!(vault.recovery(), Recovery::Recovered, "bit {bit}");
            let mut image = disk.image();
            let of_both = [geometry::AREA_A, geometry::AREA_B]
                .map(|area| at(area) + shortcuts().start..at(area) + shortcuts().end);
            if of_both.iter().any(|range| range.contains(&(bit / 8))) {
                assert!(image[of_both[0].clone()] == image[of_both[1].clone()], "bit {bit}");
                assert!(vault.check().unwrap().is_clean(), "bit {bit}");
                of_both
                    .into_iter()
                    .for_each(|range| image[range.clone()].copy_from_slice(&subject.image[range]));
            }
            assert!(subject.stands_in(&image), "bit {bit}");
            count(&self.whole_heads);
        });
    }

    /// A bit of an object: the vault is refused, or read but for what it held.
    fn flip_whole_objects(&self, subject: &Subject, step: usize) {
        let ranges = subject.parts.iter().map(Part::range);
        let all: Vec<usize> = ranges.flat_map(|range| bits(range.start, range.len())).step_by(step).collect();
        on_both_cores(&all, |bit| {
            assert!(!subject.survives(|image| flip(image, *bit)), "bit {bit}");
            count(&self.whole_objects);
        });
    }
}

#[test]
fn every_flipped_bit_that_a_reader_can_reach_is_an_error_or_repaired_from_the_twin() {
    let subjects = [
        (Subject::golden(), Steps::USUAL.or_as_asked()),
        (Subject::frozen(), Steps::USUAL.or_as_asked()),
        (Subject::migrating(), Steps::COSTLY),
    ];
    let total = Flips::default();
    for (subject, steps) in &subjects {
        let live: usize = subject.parts.iter().map(|part| part.range().len()).sum();
        assert!(live <= 256 * 1024, "small enough to flip every bit of it");
        total.flip(subject, *steps);
    }
    let [heads, objects, whole_heads, whole_objects] = total.of();
    eprintln!("{heads} bits of heads and {objects} of objects flipped");
    eprintln!("on the whole vault {whole_heads} of heads and {whole_objects} of objects");
    let every_head = (HEADER_LEN + AREA_LEN + ROOT_LEN) as u64 * 8;
    assert_eq!(heads, subjects.len() as u64 * every_head);
    let parts = subjects.iter().flat_map(|(subject, _)| &subject.parts);
    let every_object: usize = parts.map(|part| part.range().len()).sum();
    assert_eq!(objects, every_object as u64 * 8);
    assert!(objects > heads && heads + objects >= LEAST_FLIPS);
    assert!(whole_heads * HEAD_STEP as u64 > every_head && whole_objects * OBJECT_STEP as u64 > objects / 2);
}

#[test]
fn a_repair_from_the_twin_is_reported() {
    let subject = Subject::golden();
    for offset in [geometry::AREA_A, geometry::AREA_B, geometry::ROOT_A, geometry::ROOT_B] {
        let mut image = subject.image.clone();
        image[at(offset) + 100] ^= 1;
        let disk = SimDisk::without_trace(image);
        assert_eq!(disk.unlock(&subject.credential).unwrap().recovery(), Recovery::Recovered);
        assert!(subject.stands_in(&disk.image()));
    }
}

#[test]
fn both_copies_damaged_are_refused_as_damage_and_nothing_is_written() {
    let subject = Subject::golden();
    for (first, second) in [(geometry::AREA_A, geometry::AREA_B), (geometry::ROOT_A, geometry::ROOT_B)] {
        let mut image = subject.image.clone();
        image[at(first) + 100] ^= 1;
        image[at(second) + 200] ^= 4;
        let disk = SimDisk::without_trace(image.clone());
        let error = disk.unlock(&subject.credential).expect_err("both copies are damaged");
        assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
        assert!(disk.image() == image);
    }
}

#[test]
fn a_file_cut_at_any_length_is_refused_before_an_object_is_read_or_is_whole() {
    let subject = Subject::golden();
    let root = &subject.vault.unlocked().unwrap().snapshot.root;
    let disk = SimDisk::without_trace(subject.image.clone());
    let (mut no_vault, mut no_heads, mut short, mut whole) = (0, 0, 0, 0);
    for length in (0..subject.image.len()).rev() {
        disk.cut(length);
        let store = disk.store();
        if length < HEADER_LEN {
            assert!(matches!(disk.open().err(), Some(Error::Format(_))), "cut to {length}");
            no_vault += 1;
        } else if length < at(geometry::APPEND) {
            assert!(disk.open().is_ok() && store.heads().is_err(), "cut to {length}");
            no_heads += 1;
        } else if store.admits(root.segment.end, &[]).unwrap() {
            assert!(length >= at(root.segment.end), "cut to {length}");
            whole += 1;
        } else {
            short += 1;
        }
    }
    let [header, append, end] = [HEADER_LEN as u64, geometry::APPEND, root.segment.end];
    assert_eq!((no_vault, no_heads, short), (header, append - header, end - append));
    assert_eq!(whole, subject.image.len() as u64 - end);
}

#[test]
fn a_vault_cut_at_many_lengths_is_refused_or_read_whole() {
    let subject = Subject::golden();
    let end = at(subject.vault.unlocked().unwrap().snapshot.root.segment.end);
    let near = |edge: usize| edge.saturating_sub(40)..edge + 40;
    let edges = subject.parts.iter().flat_map(|part| near(part.range().end));
    let fixed = [geometry::AREA_A, geometry::AREA_B, geometry::ROOT_A, geometry::ROOT_B, geometry::APPEND];
    let mut lengths: Vec<usize> = (0..subject.image.len())
        .step_by(256)
        .chain(fixed.into_iter().flat_map(|edge| near(at(edge))))
        .chain(edges)
        .filter(|length| *length < subject.image.len())
        .collect();
    lengths.sort_unstable();
    lengths.dedup();
    on_both_cores(&lengths, |length| match subject.outcome(subject.image[..*length].to_vec()) {
        Ok(clean) => assert!(clean && *length >= end, "cut to {length}"),
        Err(Error::Format(_)) => assert!(*length < HEADER_LEN),
        Err(Error::Store(_)) => assert!(*length < at(geometry::APPEND)),
        Err(error) => {
            assert!(error.kind() == ErrorKind::Damaged && *length < end, "cut to {length}: {error}");
        }
    });
}

#[test]
fn bytes_behind_the_end_change_nothing() {
    let subject = Subject::golden();
    for extension in [vec![0; 1], vec![0xff; 4096], subject.image.clone()] {
        let longer = [&subject.image[..], &extension].concat();
        assert!(subject.outcome(longer).unwrap());
    }
}

#[test]
fn a_zeroed_sector_or_block_is_an_error_or_repaired_from_the_twin() {
    let subject = Subject::golden();
    let blocks: Vec<(usize, usize)> = [512, 4096]
        .into_iter()
        .flat_map(|size| (0..subject.image.len()).step_by(size).map(move |start| (start, size)))
        .collect();
    on_both_cores(&blocks, |(start, size)| {
        let mut image = subject.image.clone();
        let end = (start + size).min(image.len());
        let untouched = image[*start..end].iter().all(|byte| *byte == 0);
        image[*start..end].fill(0);
        let live = subject.parts.iter().any(|part| part.range().start < end && part.range().end > *start);
        match subject.outcome(image) {
            Ok(clean) => assert_eq!(clean, !live || untouched, "{size} bytes at {start}"),
            Err(Error::Format(_)) => assert!(*start < HEADER_LEN),
            Err(error) => assert!(error.kind() == ErrorKind::Damaged && live, "{error}"),
        }
    });
}

#[test]
fn no_page_or_blob_stands_in_for_another() {
    let subject = Subject::golden();
    let (mut pairs, mut kinds) = (0, std::collections::BTreeSet::new());
    for part in &subject.parts {
        for other in subject.parts.iter().filter(|other| other.range() != part.range()) {
            let mut image = subject.image.clone();
            let bytes = &subject.image[other.range()];
            let start = part.range().start;
            let length = part.range().len().min(bytes.len());
            image[start..start + length].copy_from_slice(&bytes[..length]);
            // What the shorter one leaves of the longer one is not what was written either.
            subject.disk.replace(image);
            assert!(matches!(subject.open_part(part), Err(TreeError::Damaged { .. })));
            pairs += 1;
            kinds.insert((part.kind, other.kind));
        }
    }
    subject.disk.replace(subject.image.clone());
    assert!(pairs > 100 && kinds.len() >= 4, "{pairs} pairs of {kinds:?}");
}

#[test]
fn a_holder_of_the_root_key_cannot_swap_two_places() {
    let subject = Subject::small();
    let core = &subject.vault.unlocked().unwrap().core;
    let root = || Root::decode(&subject.vault.unlocked().unwrap().snapshot.root.encode()).unwrap();
    for first in 0..8 {
        for second in 0..first {
            let mut root = root();
            root.places.swap(first, second);
            let context = core.root_context().bytes();
            let random = &mut Randomness::from_system();
            let stored =
                encrypt_committed(random, &core.keyring.root_key(), &context, &root.encode()).unwrap();
            let whole = subject.survives(|image| {
                for offset in [geometry::ROOT_A, geometry::ROOT_B] {
                    image[at(offset)..at(offset) + ROOT_LEN].copy_from_slice(&stored);
                }
            });
            assert!(!whole, "places {first} and {second}");
        }
    }
}

/// Changes both areas the way somebody without a key can: under a right SHA-256.
pub(super) fn with_areas(subject: &Subject, change: impl Fn(&mut [u8])) -> bool {
    subject.survives(|image| {
        for offset in [geometry::AREA_A, geometry::AREA_B] {
            let area = &mut image[at(offset)..at(offset) + AREA_LEN];
            change(area);
            digest_anew(area);
        }
    })
}

#[test]
fn no_slot_is_moved_or_brought_from_another_vault() {
    let subject = Subject::small();
    let other = Subject::open(owners_vault(&["J45"]), owner());
    let foreign = other.part(geometry::AREA_A, AREA_LEN).to_vec();
    for first in 0..SLOTS {
        for second in 0..first {
            let swapped = with_areas(&subject, |area| {
                let (a, b) = (area[slot(first)].to_vec(), area[slot(second)].to_vec());
                area[slot(first)].copy_from_slice(&b);
                area[slot(second)].copy_from_slice(&a);
            });
            assert!(!swapped, "slots {first} and {second}");
        }
        let brought = with_areas(&subject, |area| area[slot(first)].copy_from_slice(&foreign[slot(first)]));
        assert!(!brought, "slot {first} of another vault");
    }
}

#[test]
fn parts_of_an_older_state_are_repaired_told_as_damage_or_as_a_rollback() {
    let older = owners_vault(&["F32.1"]);
    let disk = SimDisk::without_trace(older.clone());
    let vault = disk.unlock(&owner()).unwrap();
    let words = |text: &str| Password::new(text.into()).unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "later", "2024"))).unwrap();
    vault.change_password(&Actor::owner(), words("password"), words("new password")).unwrap();
    drop(vault.lock().unwrap());
    let subject = Subject::open(disk.image(), owner());
    let checkpoint = subject.vault.checkpoint().unwrap();
    let heads = [
        (geometry::AREA_A, AREA_LEN),
        (geometry::AREA_B, AREA_LEN),
        (geometry::ROOT_A, ROOT_LEN),
        (geometry::ROOT_B, ROOT_LEN),
    ];
    // Every subset of the four heads is put back.
    for mask in 1..16u32 {
        let mut image = subject.image.clone();
        for (index, (offset, length)) in (0..).zip(heads) {
            if mask & (1 << index) != 0 {
                let range = at(offset)..at(offset) + length;
                image[range.clone()].copy_from_slice(&older[range]);
            }
        }
        let disk = SimDisk::without_trace(image);
        match disk.open().unwrap().expecting(checkpoint).unlock(&owner()) {
            Ok(vault) => {
                assert_eq!(vault.checkpoint().unwrap(), checkpoint, "heads {mask:04b}");
                assert!(vault.check().unwrap().is_clean());
                assert!(matches!(disk.unlock(&password("password")), Err(Error::WrongCredential)));
            }
            // Either no new area or no new root is left.
            Err(Error::RolledBack) => {
                assert!(mask & 0b0011 == 0b0011 || mask & 0b1100 == 0b1100, "heads {mask:04b}");
            }
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::Damaged | ErrorKind::WrongCredential),
                "heads {mask:04b}: {error}"
            ),
        }
    }
}

#[test]
fn no_part_of_another_vault_of_the_same_owner_is_taken() {
    let subject = Subject::open(owners_vault(&["F32.1", "F10.20"]), owner());
    let other = Subject::open(owners_vault(&["F33.1", "F11.20"]), owner());
    let heads = [
        (0, HEADER_LEN),
        (geometry::AREA_A, AREA_LEN),
        (geometry::AREA_B, AREA_LEN),
        (geometry::ROOT_A, ROOT_LEN),
        (geometry::ROOT_B, ROOT_LEN),
    ];
    for mask in 1..31u32 {
        let mut image = subject.image.clone();
        for (index, (offset, length)) in (0..).zip(heads) {
            if mask & (1 << index) != 0 {
                image[at(offset)..at(offset) + length].copy_from_slice(other.part(offset, length));
            }
        }
        // One copy of each from the other vault is repaired; anything else does not open.
        let twins = mask & 1 == 0 && mask & 0b110 != 0b110 && mask & 0b11000 != 0b11000;
        match subject.outcome(image) {
            Ok(clean) => assert!(clean && twins, "heads {mask:05b}"),
            Err(error) => assert!(!twins, "heads {mask:05b}: {error}"),
        }
    }
    for part in &subject.parts {
        for foreign in &other.parts {
            let mut image = subject.image.clone();
            let length = part.range().len().min(foreign.range().len());
            let start = part.range().start;
            image[start..start + length].copy_from_slice(&other.image[foreign.range()][..length]);
            subject.disk.replace(image);
            assert!(matches!(subject.open_part(part), Err(TreeError::Damaged { .. })));
        }
    }
}
