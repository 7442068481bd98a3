//! The deep check says what is wrong with every byte, and a backup gives back
//! what it has.

use std::sync::Arc;

use super::basics::{diagnosis, note};
use super::disk::SimDisk;
use super::workload::{clinic, new_image, owner};
use crate::format::header::geometry;
use crate::format::object::KeyedRef;
use crate::format::root::ROOT_LEN;
use crate::tree::{Page, RowKey};
use crate::*;

fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

/// A vault at rest, its entries, and the ranges of its objects below the roots
/// of the tries, without which nothing opens.
pub(super) struct Resting {
    pub(super) image: Vec<u8>,
    pub(super) entries: Vec<(EntryId, Entry)>,
    pub(super) objects: Vec<std::ops::Range<usize>>,
}

/// The ranges of a vault's objects below the roots of its tries.
pub(super) fn objects_below_first_pages(vault: &Vault) -> Vec<std::ops::Range<usize>> {
    let mut objects = Vec::new();
    let unlocked = vault.unlocked().unwrap();
    let view = unlocked.reader();
    for compartment in Compartment::ALL {
        let mut first = true;
        view.trie(compartment).unwrap().survey(&mut |visited| {
            let (page_object, page) = visited.unwrap();
            let rows = page.leaf_rows().iter().filter_map(|row| row.object.as_ref());
            let page_object = (!std::mem::take(&mut first)).then_some(page_object);
            objects.extend(rows.chain(page_object).map(range_of));
        });
    }
    objects
}

impl Resting {
    pub(super) fn new() -> Self {
        let disk = SimDisk::without_trace(new_image("password"));
        let vault = disk.unlock(&owner()).unwrap();
        let entries: Vec<Entry> = (0..60)
            .map(|n| diagnosis(&format!("F{n}"), "Depression", "2019"))
            .chain([note("progress", &"slept badly ".repeat(3000)), note("psychotherapy", "said")])
            .collect();
        let add = |tx: &mut Transaction<'_>| entries.iter().map(|entry| tx.add(entry)).collect();
        let ids: Vec<EntryId> = vault.update(&Actor::owner(), add).unwrap().value;
        vault.update(&Actor::owner(), |tx| tx.amend(ids[0], &entries[1], "better known")).unwrap();
        let objects = objects_below_first_pages(&vault);
        drop(vault.lock().unwrap());
        let mut entries: Vec<_> = ids.into_iter().zip(entries).collect();
        entries[0].1 = entries[1].1.clone();
        Self { image: disk.image(), entries, objects }
    }

    fn damaged(&self, bytes: &[usize]) -> SimDisk {
        let mut image = self.image.clone();
        bytes.iter().for_each(|byte| image[*byte] ^= 0x40);
        SimDisk::without_trace(image)
    }

    fn copy(&self) -> Arc<dyn Store> {
        Arc::new(SimDisk::without_trace(self.image.clone()).store())
    }
}

fn deep(vault: &Vault) -> Vec<CheckFinding> {
    vault.check_deep().unwrap().findings
}

fn read_only(disk: &SimDisk) -> Vault {
    disk.open().unwrap().unlock_read_only(&owner()).unwrap()
}

#[test]
fn a_deep_check_names_each_damaged_copy_and_writes_nothing() {
    let resting = Resting::new();
    let parts = [geometry::AREA_A, geometry::AREA_B, geometry::ROOT_A, geometry::ROOT_B];
    for (part, offset) in HeadPart::ALL.into_iter().zip(parts) {
        let disk = resting.damaged(&[at(offset) + 300]);
        let before = disk.image();
        assert_eq!(deep(&read_only(&disk)), [CheckFinding::DamagedCopy { part }]);
        assert!(disk.image() == before);
        assert_eq!(disk.unlock(&owner()).unwrap().recovery(), Recovery::Recovered);
        assert_eq!(deep(&disk.unlock(&owner()).unwrap()), []);
    }
}

#[test]
fn a_deep_check_tells_an_interrupted_writer_from_damage() {
    let resting = Resting::new();
    let disk = SimDisk::without_trace(resting.image.clone());
    let vault = disk.unlock(&owner()).unwrap();
    for number in [3, 4] {
        vault.update(&Actor::owner(), |tx| tx.retract(resting.entries[number].0, "no")).unwrap();
    }
    assert_eq!(deep(&vault), [], "a writer leaves the root before beside the newest");
    drop(vault);
    let disk = SimDisk::without_trace(disk.image());
    assert_eq!(deep(&read_only(&disk)), []);
    let mut image = disk.image();
    let first = at(geometry::ROOT_A)..at(geometry::ROOT_A) + ROOT_LEN;
    image[first.clone()].copy_from_slice(&resting.image[first]);
    let disk = SimDisk::without_trace(image);
    assert_eq!(deep(&read_only(&disk)), [CheckFinding::OlderCopy { part: HeadPart::FirstRoot }]);
}

#[test]
fn a_deep_check_sees_bytes_that_no_reader_looks_at() {
    let resting = Resting::new();
    let disk = resting.damaged(&[at(geometry::ROOT_A) + ROOT_LEN + 5]);
    assert!(read_only(&disk).check().unwrap().is_clean());
    assert_eq!(deep(&read_only(&disk)), [CheckFinding::GapInUse]);
}

#[test]
fn every_damaged_object_comes_back_from_a_copy_byte_for_byte() {
    let resting = Resting::new();
    assert!(resting.objects.len() > 60);
    let all: Vec<usize> = resting.objects.iter().map(|object| object.start + 20).collect();
    // Each by itself, then all at once.
    for damage in all.chunks(1).chain([all.as_slice()]) {
        let disk = resting.damaged(damage);
        let vault = disk.unlock(&owner()).unwrap();
        assert!(!vault.check().unwrap().is_clean());
        let report = vault.repair_from_store(resting.copy()).unwrap();
        assert_eq!(report.restored, damage.len() as u64);
        assert!(report.check.is_clean(), "{:?}", report.check.findings);
        assert!(disk.image() == resting.image);
    }
}

#[test]
fn an_entry_comes_back_from_a_backup_that_is_older_than_a_compaction() {
    let resting = Resting::new();
    let disk = SimDisk::without_trace(resting.image.clone());
    let vault = disk.unlock(&owner()).unwrap();
    vault.compact(&Actor::owner()).unwrap();
    let (id, entry) = &resting.entries[7];
    let row = vault.unlocked().unwrap().reader().entry_row(*id).unwrap().1;
    let start = u64::from_le_bytes(*row.object.as_ref().unwrap().object.reference.first_chunk().unwrap());
    disk.flip(at(start), 1);
    assert_eq!(vault.entry(*id).err().map(|error| error.kind()), Some(ErrorKind::Damaged));
    let report = vault.repair_from_store(resting.copy()).unwrap();
    assert_eq!(report.restored, 1);
    assert!(report.check.is_clean() && vault.entry(*id).unwrap() == *entry);
}

#[test]
fn a_copy_of_another_vault_or_a_damaged_one_gives_nothing() {
    let resting = Resting::new();
    let disk = resting.damaged(&[resting.objects[0].start + 20]);
    let vault = disk.unlock(&owner()).unwrap();
    let foreign: Arc<dyn Store> = Arc::new(SimDisk::without_trace(new_image("password")).store());
    assert!(matches!(vault.repair_from_store(foreign), Err(Error::Invalid { .. })));
    let before = disk.image();
    let as_damaged: Arc<dyn Store> = Arc::new(SimDisk::without_trace(before.clone()).store());
    let report = vault.repair_from_store(as_damaged).unwrap();
    assert_eq!(report.restored, 0);
    assert!(!report.check.is_clean() && disk.image() == before);
}

/// The bytes of an object in the file.
fn range_of(object: &KeyedRef) -> std::ops::Range<usize> {
    let start = at(u64::from_le_bytes(*object.object.reference.first_chunk().unwrap()));
    start..start + at(object.object.length)
}

/// Every page of a compartment, the root page first, and how many rows it stands for.
fn pages(vault: &Vault, compartment: Compartment) -> Vec<(std::ops::Range<usize>, bool, u64)> {
    let mut pages = Vec::new();
    vault.unlocked().unwrap().reader().trie(compartment).unwrap().survey(&mut |visited| {
        let (object, page) = visited.unwrap();
        pages.push((range_of(object), matches!(page, Page::Inner(_)), page.rows().unwrap()));
    });
    pages
}

#[test]
fn a_damaged_inner_page_is_said_to_lose_every_row_below_it() {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    let entries: Vec<Entry> = (0..1000).map(|n| diagnosis(&format!("F{n}"), "Depression", "2019")).collect();
    let ids = vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap().value;
    let general = Compartment::General;
    let mut keys: Vec<RowKey> = Vec::new();
    let note_key = &mut |row: &crate::tree::Row| {
        keys.push(row.key);
        Ok(())
    };
    vault.unlocked().unwrap().reader().trie(general).unwrap().scan(note_key).unwrap();
    let inner = pages(&vault, general).into_iter().skip(1).find(|(_, is_inner, _)| *is_inner);
    let (bytes, _, said) = inner.expect("a thousand entries take inner pages below the root page");
    drop(vault.lock().unwrap());
    disk.flip(bytes.start + 20, 1);

    let vault = read_only(&disk);
    let findings = deep(&vault);
    assert_eq!(findings, [CheckFinding::DamagedPage { compartment: general, rows: said }]);
    let unlocked = vault.unlocked().unwrap();
    let view = unlocked.reader();
    let lost = keys.iter().filter(|key| view.row(general, key).is_err()).count() as u64;
    let entries_lost = ids.iter().filter(|id| vault.entry(**id).is_err()).count() as u64;
    assert_eq!(lost, said);
    assert!(entries_lost > 32 && entries_lost <= said);
    assert!(findings[0].explain().lost.contains(&format!("{said} rows")));
}

#[test]
fn a_vault_whose_first_pages_are_damaged_is_diagnosed_and_restored_from_a_copy() {
    let resting = Resting::new();
    let whole = read_only(&SimDisk::without_trace(resting.image.clone()));
    let held =
        [Compartment::Record, Compartment::Custody, Compartment::General, Compartment::PsychotherapyNotes];
    let roots = held.map(|compartment| (compartment, pages(&whole, compartment).remove(0)));
    // Each by itself, then all at once.
    for damage in roots.chunks(1).chain([roots.as_slice()]) {
        let bytes: Vec<usize> = damage.iter().map(|(_, (bytes, ..))| bytes.start + 20).collect();
        let disk = resting.damaged(&bytes);
        let before = disk.image();
        for error in [disk.unlock(&owner()).err(), disk.open().unwrap().unlock_read_only(&owner()).err()] {
            assert_eq!(error.expect("it does not open").kind(), ErrorKind::Damaged);
        }
        let vault = disk.open().unwrap().unlock_for_diagnosis(&owner()).unwrap();
        let found = deep(&vault);
        for (compartment, (_, _, rows)) in damage {
            let page = CheckFinding::DamagedPage { compartment: *compartment, rows: *rows };
            assert!(found.contains(&page), "{found:?}");
        }
        assert!(
            !found.iter().any(|finding| matches!(finding, CheckFinding::ForeignLine { .. })),
            "{found:?}"
        );
        let refused = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("F1", "x", "2020")));
        assert!(matches!(refused, Err(Error::Invalid { .. })));
        assert!(disk.image() == before, "nothing is written before the repair");
        let report = vault.repair_from_store(resting.copy()).unwrap();
        assert_eq!(report.restored, damage.len() as u64);
        assert!(report.check.is_clean(), "{:?}", report.check.findings);
        assert!(disk.image() == resting.image);
        let vault = disk.unlock(&owner()).unwrap();
        assert!(resting.entries.iter().all(|(id, entry)| vault.entry(*id).unwrap() == *entry));
    }
}

#[test]
fn a_diagnosis_of_a_whole_vault_finds_nothing_and_writes_nothing() {
    let resting = Resting::new();
    for credential in [owner(), clinic()] {
        let disk = SimDisk::without_trace(resting.image.clone());
        let vault = disk.open().unwrap().unlock_for_diagnosis(&credential).unwrap();
        assert_eq!((deep(&vault), vault.recovery()), (Vec::new(), Recovery::NotNeeded));
        vault.close().unwrap();
        assert!(disk.image() == resting.image);
    }
}

#[test]
fn a_place_that_does_not_open_is_a_finding_and_its_entries_are_not_said_to_be_missing() {
    let resting = Resting::new();
    let disk = SimDisk::without_trace(resting.image.clone());
    let vault = disk.unlock(&owner()).unwrap();
    let core = Arc::clone(&vault.unlocked().unwrap().core);
    let mut root =
        crate::format::root::Root::decode(&vault.unlocked().unwrap().snapshot.root.encode()).unwrap();
    root.places[Compartment::General.index()].0[100] ^= 1;
    let mut random = crate::crypto::random::Randomness::from_system();
    let (key, context) = (core.keyring.root_key(), core.root_context().bytes());
    let stored =
        crate::crypto::boxes::encrypt_committed(&mut random, &key, &context, &root.encode()).unwrap();
    drop(vault);
    let mut image = disk.image();
    for copy in [geometry::ROOT_A, geometry::ROOT_B] {
        image[at(copy)..at(copy) + stored.len()].copy_from_slice(&stored);
    }
    let disk = SimDisk::without_trace(image);
    assert!(matches!(disk.unlock(&owner()).err(), Some(Error::Damaged { what: "place" })));
    let vault = disk.open().unwrap().unlock_for_diagnosis(&owner()).unwrap();
    assert_eq!(deep(&vault), [CheckFinding::DamagedPlace { compartment: Compartment::General }]);
    assert_eq!(vault.entry(resting.entries[3].0).err().unwrap().kind(), ErrorKind::Damaged);
    assert_eq!(vault.space().unwrap().dead, None);
}

#[test]
fn bytes_that_the_disk_cannot_read_are_counted_in_use_or_not() {
    let resting = Resting::new();
    let vault = read_only(&SimDisk::without_trace(resting.image.clone()));
    let (id, _) = &resting.entries[7];
    let row = vault.unlocked().unwrap().reader().entry_row(*id).unwrap().1;
    let in_use = range_of(row.object.as_ref().unwrap()).start as u64 + 10;
    drop(vault);
    // A block is what is tried last.
    let unreadable = CheckFinding::UnreadableBytes { bytes: 4096 };
    let unused = (resting.image.len() as u64).next_multiple_of(4096);
    let disk = SimDisk::without_trace([resting.image.clone(), vec![0; 12288]].concat());
    disk.lose(unused + 10..unused + 20);
    assert_eq!(deep(&read_only(&disk)), std::slice::from_ref(&unreadable));
    let disk = SimDisk::without_trace(resting.image.clone());
    disk.lose(in_use..in_use + 1);
    let damaged = CheckFinding::DamagedEntry { compartment: Compartment::General, id: *id, revision: 1 };
    assert_eq!(deep(&read_only(&disk)), [unreadable, damaged]);
}

#[test]
fn a_forged_row_that_claims_the_bytes_of_another_shares_them() {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    let id =
        vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("F32", "Depression", "2019"))).unwrap().value;
    let twin = EntryId::from_bytes([9; 16]);
    let forge = |tx: &mut Transaction<'_>| {
        let (compartment, row) = tx.reader().entry_row(id)?;
        let mut row = row.duplicate();
        (row.key, row.id) = (RowKey::entry(twin), twin);
        tx.put_row(compartment, row)
    };
    vault.update(&Actor::owner(), forge).unwrap();
    let compartment = Compartment::General;
    let shared = CheckFinding::SharedBytes { compartment };
    let damaged = CheckFinding::DamagedEntry { compartment, id: twin, revision: 1 };
    let found = deep(&vault);
    assert!(found.contains(&shared) && found.contains(&damaged), "{found:?}");
}

#[test]
fn every_finding_is_explained() {
    let compartment = Compartment::General;
    let (id, epoch) = (EntryId::from_bytes([7; 16]), Epoch::new(4));
    let findings = [
        CheckFinding::CopiesDiffer,
        CheckFinding::CutCommit { epoch },
        CheckFinding::DamagedCopy { part: HeadPart::FirstRoot },
        CheckFinding::OlderCopy { part: HeadPart::SecondArea },
        CheckFinding::GapInUse,
        CheckFinding::UnreadableBytes { bytes: 4096 },
        CheckFinding::SharedBytes { compartment },
        CheckFinding::DamagedPlace { compartment },
        CheckFinding::DamagedPage { compartment, rows: 17 },
        CheckFinding::DamagedEntry { compartment, id, revision: 2 },
        CheckFinding::DamagedAttachment { compartment, entries: vec![id] },
        CheckFinding::OrphanSlices { compartment, slices: 3 },
        CheckFinding::DamagedPart { compartment },
        CheckFinding::BrokenHistory { epoch },
        CheckFinding::WrongSize { compartment },
        CheckFinding::DamagedEraseList,
        CheckFinding::ForeignLine { compartment, epoch },
    ];
    let explained: std::collections::BTreeSet<String> = findings
        .iter()
        .map(|finding| {
            let Explanation { wrong, lost, remedy } = finding.explain();
            let is_said =
                |text: &String| text.ends_with('.') && text.len() > 10 && !text.contains(['{', '}']);
            assert!([&wrong, &lost, &remedy].into_iter().all(is_said));
            format!("{wrong} {lost} {remedy}")
        })
        .collect();
    assert_eq!(explained.len(), findings.len() - 1, "only the two of differing copies say the same");
}
