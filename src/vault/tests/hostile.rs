//! Vaults whose keys are in hostile hands: every box opens, and the numbers
//! inside are chosen to mislead, to exhaust, or to be overwritten.

use super::basics::{diagnosis, note};
use super::disk::SimDisk;
use super::workload::{new_image, owner};
use crate::codec::{padding::pad, wire};
use crate::crypto::boxes::{encrypt_committed, encrypt_once};
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::random::Randomness;
use crate::engine::core::{Snapshot, StateReader};
use crate::engine::transaction::Transaction;
use crate::format::header::geometry;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::format::root::Root;
use crate::payload::catalogue::EraseListV1;
use crate::store::{FileImage, Segment};
use crate::tree::{ObjectWriter, Row, RowClass, RowKey, TreeError};
use crate::*;

pub(super) const ROOTS: [u64; 2] = [geometry::ROOT_A, geometry::ROOT_B];
/// Where the least reader version and a reserved byte of a root stand.
const LEAST_READER: usize = 96;
const RESERVED: usize = 4023;

/// A vault of three commits and its unlocked keys.
pub(super) struct Hostile {
    pub(super) image: Vec<u8>,
    pub(super) vault: Vault,
}

impl Hostile {
    pub(super) fn new() -> Self {
        let disk = SimDisk::without_trace(new_image("password"));
        let vault = disk.unlock(&owner()).unwrap();
        for entry in [diagnosis("F32", "Depression", "2019"), note("progress", "slept badly")] {
            vault.update(&Actor::owner(), |tx| tx.add(&entry)).unwrap();
        }
        drop(vault.lock().unwrap());
        let vault = disk.unlock(&owner()).unwrap();
        Self { image: disk.image(), vault }
    }

    /// A root like the current one.
    pub(super) fn root(&self) -> Root {
        Root::decode(&self.vault.unlocked().unwrap().snapshot.root.encode()).unwrap()
    }

    /// Puts a root's plaintext in place of these copies.
    pub(super) fn put(&mut self, copies: &[u64], plain: &[u8]) {
        let core = &self.vault.unlocked().unwrap().core;
        let (key, context) = (core.keyring.root_key(), core.root_context().bytes());
        let stored = encrypt_committed(&mut Randomness::from_system(), &key, &context, plain).unwrap();
        for copy in copies {
            let copy = usize::try_from(*copy).unwrap();
            self.image[copy..copy + stored.len()].copy_from_slice(&stored);
        }
    }

    /// A vault that differs in its root alone.
    fn with_root(change: impl FnOnce(&mut Root, u64)) -> Self {
        let mut hostile = Self::new();
        let mut root = hostile.root();
        change(&mut root, hostile.image.len() as u64);
        hostile.put(&ROOTS, &root.encode());
        hostile
    }

    /// Changes the plaintext of a place; gives its box.
    fn put_place(
        &mut self,
        compartment: Compartment,
        change: impl FnOnce(&mut [u8]),
    ) -> [u8; crate::format::place::PLACE_BOX_LEN] {
        let unlocked = self.vault.unlocked().unwrap();
        let core = &unlocked.core;
        let mut root = self.root();
        let (key, context) =
            (core.keyring.compartment(compartment).unwrap(), core.place_context(compartment));
        let mut plain = unlocked.snapshot.place(compartment).unwrap().encode();
        change(&mut plain);
        let stored =
            encrypt_committed(&mut Randomness::from_system(), key, &context.bytes(), &plain).unwrap();
        root.places[compartment.index()].0 = stored.try_into().unwrap();
        let stored = root.places[compartment.index()].0;
        self.put(&ROOTS, &root.encode());
        stored
    }

    /// Gives a place the list of what is to be erased.
    fn put_list(&mut self, compartment: Compartment, erase: &[ObjectRef]) {
        let objects = erase.iter().map(|object| (object.reference, object.length)).collect();
        let content = wire::encode(&EraseListV1 { objects }).unwrap();
        let context = self.vault.unlocked().unwrap().core.erase_context(compartment);
        let (key, stored) =
            encrypt_once(&mut Randomness::from_system(), &context.bytes(), pad(&content)).unwrap();
        let named = object(self.image.len() as u64, stored.len() as u64);
        let list = KeyedRef { key, object: named, digest: ObjectDigest::of(&stored) };
        self.image.extend_from_slice(&stored);
        self.image.resize(self.image.len().next_multiple_of(4096), 0);
        let mut root = self.root();
        root.segment.end = self.image.len() as u64;
        self.put(&ROOTS, &root.encode());
        let mut place = self.vault.unlocked().unwrap().snapshot.place(compartment).unwrap().duplicate();
        place.erase = Some(list);
        let named = place.encode();
        self.put_place(compartment, |plain| plain.copy_from_slice(&named));
    }

    /// Why it is refused, once nothing was written.
    fn refusal(&self) -> Error {
        let disk = SimDisk::without_trace(self.image.clone());
        let error = disk.unlock(&owner()).expect_err("the vault is refused");
        assert!(disk.image() == self.image, "something was written");
        assert!(disk.open().unwrap().unlock_read_only(&owner()).is_err());
        error
    }
}

/// A vault of the owner's of which a place is for a newer reader.
pub(super) fn with_newer_place(image: Vec<u8>, compartment: Compartment) -> Vec<u8> {
    let vault = SimDisk::without_trace(image.clone()).unlock(&owner()).unwrap();
    let mut hostile = Hostile { image, vault };
    hostile.put_place(compartment, |plain| plain[153] = 2);
    hostile.image
}

pub(super) fn object(offset: u64, length: u64) -> ObjectRef {
    let mut reference = [0; 16];
    reference[..8].copy_from_slice(&offset.to_le_bytes());
    ObjectRef { reference, length }
}

#[test]
fn a_root_that_claims_2_to_the_60_commits_does_not_keep_the_check_busy() {
    let hostile = Hostile::with_root(|root, _| root.epoch = Epoch::new(1 << 60));
    let vault = SimDisk::without_trace(hostile.image).unlock(&owner()).unwrap();
    let report = vault.check().unwrap();
    assert_eq!(report.commits, 3);
    let broken = |epoch| CheckFinding::BrokenHistory { epoch: Epoch::new(epoch) };
    assert_eq!(report.findings, [broken(4), broken(1 << 60)]);
}

#[test]
fn a_root_whose_append_end_is_not_in_the_file_is_damaged_and_nothing_is_written() {
    let ends: [fn(u64) -> u64; 7] = [
        |_| 0,
        |_| geometry::APPEND - 1,
        |_| geometry::APPEND - 4096,
        |length| length + 1,
        |length| length.next_multiple_of(4096) + 4096,
        |_| u64::MAX,
        |_| u64::MAX - 4095,
    ];
    for end in ends {
        let hostile = Hostile::with_root(|root, length| root.segment.end = end(length));
        assert!(matches!(hostile.refusal(), Error::Damaged { what: "root" | "roots" }));
    }
    let hostile = Hostile::with_root(|root, _| root.segment.start = root.segment.end + 4096);
    assert!(matches!(hostile.refusal(), Error::Damaged { what: "roots" }));
}

#[test]
fn a_list_that_wants_the_fixed_parts_or_too_much_erased_is_damaged_and_nothing_is_erased() {
    let erased: [fn(Segment) -> Vec<ObjectRef>; 6] = [
        |_| vec![object(0, 4096)],
        |_| vec![object(geometry::APPEND - 1, 2)],
        |own| vec![object(own.end, 1)],
        // A commit withdraws nothing that it put itself.
        |own| vec![object(own.start - 1, 2)],
        |_| vec![object(geometry::APPEND, u64::MAX)],
        |own| vec![object(geometry::APPEND, own.start - geometry::APPEND); 80],
    ];
    for erase in erased {
        let mut hostile = Hostile::new();
        let own = hostile.root().segment;
        assert!(own.start > geometry::APPEND);
        hostile.put_list(Compartment::General, &erase(own));
        let disk = SimDisk::without_trace(hostile.image.clone());
        let vault = disk.unlock(&owner()).unwrap();
        assert_eq!(vault.recovery(), Recovery::ListDamaged);
        assert_eq!(vault.check().unwrap().findings, [CheckFinding::DamagedEraseList]);
        assert!(disk.image() == hostile.image, "something was erased");
        vault.update(&Actor::owner(), |tx| tx.add(&note("progress", "slept"))).unwrap();
        assert!(vault.check().unwrap().is_clean(), "the next commit drops the list");
    }
}

#[test]
fn a_root_that_leaves_catalogues_behind_its_append_end_is_damaged_and_nothing_is_written() {
    // As the next commit would write over them.
    let hostile = Hostile::with_root(|root, _| {
        root.segment.end = root.segment.start + 4096;
        root.segment.parts = 0;
    });
    assert!(matches!(hostile.refusal(), Error::Damaged { what: "root" }));
}

#[test]
fn a_place_for_a_newer_reader_is_refused_by_name_and_carried_over_as_it_is() {
    const NOTES: Compartment = Compartment::PsychotherapyNotes;
    let mut hostile = Hostile::new();
    let (id, secret) = {
        let disk = SimDisk::without_trace(hostile.image.clone());
        let vault = disk.unlock(&owner()).unwrap();
        let secret =
            vault.update(&Actor::owner(), |tx| tx.add(&note("psychotherapy", "said"))).unwrap().value;
        let id = vault.list(&Filter::all()).unwrap()[0].id;
        drop(vault.lock().unwrap());
        hostile = Hostile { image: disk.image(), vault: disk.unlock(&owner()).unwrap() };
        (id, secret)
    };
    // A field that this version does not know.
    let newer = hostile.put_place(NOTES, |plain| (plain[153], plain[287]) = (2, 1));
    let disk = SimDisk::without_trace(hostile.image.clone());
    let is_newer = |error: Error| {
        let is_named =
            matches!(error, Error::NewerCompartment { compartment: NOTES, needed: 2, supported: 1 });
        assert!(is_named && error.kind() == ErrorKind::NewerVersion, "{error}");
    };
    type Opening = fn(&SimDisk) -> Result<Vault, Error>;
    let open: [Opening; 3] = [
        |disk| disk.unlock(&owner()),
        |disk| disk.open()?.unlock_read_only(&owner()),
        |disk| disk.open()?.unlock_for_diagnosis(&owner()),
    ];
    for open in open {
        let vault = open(&disk).unwrap();
        assert_eq!(vault.recovery(), Recovery::NotNeeded);
        assert!(vault.entry(id).is_ok());
        is_newer(vault.entry(secret).unwrap_err());
        is_newer(vault.list(&Filter::all()).unwrap_err());
        assert!(!vault.list(&Filter::all().compartment(Compartment::General)).unwrap().is_empty());
        let report = vault.check().unwrap();
        assert!(report.is_clean() && report.not_checked == [NOTES], "{:?}", report.findings);
    }
    let vault = disk.unlock(&owner()).unwrap();
    for _ in 0..3 {
        vault.update(&Actor::owner(), |tx| tx.add(&note("progress", "slept"))).unwrap();
    }
    vault.expunge(&Actor::owner(), &[id], "order").unwrap();
    is_newer(vault.update(&Actor::owner(), |tx| tx.add(&note("psychotherapy", "said"))).unwrap_err());
    is_newer(vault.compact(&Actor::owner()).unwrap_err());
    let kept = &vault.unlocked().unwrap().snapshot.root.places[NOTES.index()].0;
    assert!(*kept == newer, "the place is as the newer version left it");
}

#[test]
fn a_root_for_a_newer_reader_is_refused_by_name_and_never_overwritten_with_the_older_copy() {
    for copies in [&ROOTS[..1], &ROOTS[1..], &ROOTS[..]] {
        let mut hostile = Hostile::new();
        let mut plain = hostile.root().encode();
        // A field that this version does not know.
        (plain[LEAST_READER], plain[RESERVED]) = (2, 1);
        hostile.put(copies, &plain);
        assert!(matches!(hostile.refusal(), Error::NewerReader { needed: 2, supported: 1 }));
    }
}

#[test]
fn a_newer_root_that_names_no_intact_area_is_repaired_from_the_other_copy() {
    let mut hostile = Hostile::new();
    let mut plain = hostile.root().encode();
    (plain[LEAST_READER], plain[LEAST_READER - 1]) = (2, plain[LEAST_READER - 1] ^ 1);
    hostile.put(&ROOTS[..1], &plain);
    let vault = SimDisk::without_trace(hostile.image).unlock(&owner()).unwrap();
    assert_eq!(vault.recovery(), Recovery::Recovered);
}

#[test]
fn a_newer_writer_beside_an_open_vault_is_not_overwritten_either() {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    let mut hostile = Hostile { image: disk.image(), vault };
    let mut plain = hostile.root().encode();
    (plain[LEAST_READER], plain[RESERVED]) = (2, 1);
    hostile.put(&ROOTS[..1], &plain);
    disk.replace(hostile.image.clone());
    let error = hostile.vault.update(&Actor::owner(), |tx| tx.add(&note("progress", "slept"))).err();
    assert!(matches!(error, Some(Error::NewerReader { needed: 2, .. })));
    assert!(disk.image() == hostile.image);
}

/// What a check finds in a vault to which this was done.
fn findings_after(change: impl Fn(&mut Transaction<'_>) -> Result<(), Error>) -> Vec<CheckFinding> {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("F32", "Depression", "2019"))).unwrap();
    vault.update(&Actor::owner(), change).unwrap();
    vault.check().unwrap().findings
}

#[test]
fn a_ledger_row_with_the_lines_of_another_commit_is_foreign() {
    let copied = |from: u64, to: u64| {
        findings_after(move |tx| {
            let key = |epoch| RowKey::ledger(tx.core.scope.vault, Epoch::new(epoch));
            let (from, to_key) = (tx.row(Compartment::General, &key(from))?.unwrap(), key(to));
            let content = tx.core.open_row(Compartment::General, &from)?;
            let row = Row::unnamed(to_key, RowClass::Ledger, Epoch::new(to));
            tx.put_encrypted(Compartment::General, row, &content)
        })
    };
    assert_eq!(copied(2, 2), []);
    let foreign = CheckFinding::ForeignLine { compartment: Compartment::General, epoch: Epoch::new(1) };
    assert_eq!(copied(2, 1), [foreign]);
}

#[test]
fn a_missing_revision_an_orphaned_one_and_one_of_a_later_commit_are_found() {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    let entry = diagnosis("F32", "Depression", "2019");
    let add = |tx: &mut Transaction<'_>| tx.add(&entry);
    let ids: Vec<_> = (0..3).map(|_| vault.update(&Actor::owner(), add).unwrap().value).collect();
    for id in ids.iter().flat_map(|id| [id; 2]) {
        vault.update(&Actor::owner(), |tx| tx.amend(*id, &entry, "")).unwrap();
    }
    assert!(vault.check().unwrap().is_clean());
    let change = |tx: &mut Transaction<'_>| {
        tx.change(Compartment::General, RowKey::revision(ids[0], 2), None)?;
        tx.change(Compartment::General, RowKey::entry(ids[1]), None)?;
        let mut row = tx.row(Compartment::General, &RowKey::revision(ids[2], 1))?.unwrap();
        row.epoch = Epoch::new(1 << 40);
        tx.put_row(Compartment::General, row)
    };
    vault.update(&Actor::owner(), change).unwrap();
    let mut found: Vec<_> = vault.check().unwrap().findings;
    let damaged =
        |id, revision| CheckFinding::DamagedEntry { compartment: Compartment::General, id, revision };
    for (id, revision) in [(ids[0], 2), (ids[1], 1), (ids[2], 1)] {
        let at = found.iter().position(|finding| *finding == damaged(id, revision)).expect("it is found");
        found.remove(at);
    }
    // The bytes of what was taken out of the catalogue are still counted.
    assert!(found.iter().all(|finding| matches!(finding, CheckFinding::WrongSize { .. })), "{found:?}");
}

/// Rows of as many entries that all name this object.
fn put_rows(tx: &mut Transaction<'_>, count: u16, object: &KeyedRef) -> Result<(), Error> {
    for number in 0..count {
        let mut id = [7; 16];
        id[..2].copy_from_slice(&number.to_le_bytes());
        let id = EntryId::from_bytes(id);
        let (key, epoch) = (RowKey::entry(id), tx.epoch());
        let object = Some(object.duplicate());
        let row = Row { key, class: RowClass::Entry, id, revision: 1, epoch, object, inline: vec![1].into() };
        tx.put_row(Compartment::General, row)?;
    }
    Ok(())
}

#[test]
fn rows_whose_lengths_add_up_to_more_than_the_file_has_are_refused_and_nothing_is_written() {
    let named = KeyedRef {
        key: crypto::key::ContentKey::from_secret(&Randomness::seeded(1).secret().unwrap()),
        object: object(geometry::APPEND, u64::MAX),
        digest: crypto::object_digest::ObjectDigest::of(&[]),
    };
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    vault.update(&Actor::owner(), |tx| put_rows(tx, 3, &named)).unwrap();
    assert!(matches!(vault.check(), Err(Error::Damaged { what: "root" })));
    let hostile = Hostile { image: disk.image(), vault };
    assert!(matches!(hostile.refusal(), Error::Damaged { what: "root" }));
}

/// A vault of which 1,000 rows name one object of 64 KiB.
fn with_1000_rows_on_one_object() -> Hostile {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    let large = note("progress", &"slept badly ".repeat(5000));
    let id = vault.update(&Actor::owner(), |tx| tx.add(&large)).unwrap().value;
    let named = vault.unlocked().unwrap().reader().entry_row(id).unwrap().1.object.unwrap();
    vault.update(&Actor::owner(), |tx| put_rows(tx, 1000, &named)).unwrap();
    Hostile { image: disk.image(), vault }
}

#[test]
fn a_thousand_rows_on_one_object_are_damage_and_nothing_is_written() {
    let hostile = with_1000_rows_on_one_object();
    assert!(matches!(hostile.refusal(), Error::Damaged { what: "root" }));
}

#[test]
fn no_walk_reads_more_than_the_place_says_is_live() {
    const CLAIM: u64 = 1 << 20;
    let hostile = with_1000_rows_on_one_object();
    let unlocked = hostile.vault.unlocked().unwrap();
    let (mut places, newer) = unlocked.core.open_places(&unlocked.snapshot.root).unwrap();
    let general = places[Compartment::General.index()].as_mut().unwrap();
    assert!(general.live > 32 * CLAIM);
    general.live = CLAIM;
    let root = hostile.root();
    let snapshot =
        Snapshot { root, root_bytes: Vec::new(), area_bytes: Vec::new(), places, newer, settled: false };
    let reader = StateReader { core: &unlocked.core, snapshot: &snapshot };
    let report = reader.check_everything().unwrap();
    assert!(report.findings.contains(&CheckFinding::WrongSize { compartment: Compartment::General }));
    assert!(report.bytes < 2 * CLAIM);

    let trie = reader.trie(Compartment::General).unwrap();
    let (mut image, mut random) = (FileImage::new(), Randomness::from_system());
    let mut out = ObjectWriter { writer: &mut image, random: &mut random };
    let rewritten =
        trie.rewrite(std::collections::BTreeMap::new(), crate::tree::TakeOver::Copy, &mut out, &mut |_| {});
    assert!(matches!(rewritten, Err(TreeError::Damaged { what: "live bytes" })));
    assert!(image.end() < geometry::APPEND + 2 * CLAIM);
    let mut damaged = 0;
    trie.survey_damage(&mut |_| damaged += 1);
    assert_eq!(damaged, 0);
}

/// No commit follows upon it, and none is made that would be taken for another history.
#[test]
fn a_root_of_the_last_number_is_read_and_refused_to_whoever_would_write() {
    let at = |number: u64| {
        let mut hostile = Hostile::new();
        let mut root = hostile.root();
        root.epoch = Epoch::new(number);
        hostile.put(&ROOTS, &root.encode());
        SimDisk::without_trace(hostile.image)
    };
    let add = |vault: &Vault| {
        vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "Asthma", "2019"))).map(|made| made.epoch)
    };
    let disk = at(u64::MAX - 1);
    assert_eq!(add(&disk.unlock(&owner()).unwrap()).unwrap(), Epoch::new(u64::MAX));
    for disk in [disk, at(u64::MAX)] {
        let vault = disk.unlock(&owner()).unwrap();
        let image = disk.image();
        assert!(matches!(add(&vault), Err(Error::Damaged { what: "root" })));
        let compacted = vault.compact(&Actor::owner());
        assert!(matches!(compacted, Err(Error::Damaged { what: "root" })));
        let change = AccessChange::default();
        let changed = vault.change_access(&Actor::owner(), &change.revoking([vault.access().unwrap()[1].id]));
        assert!(matches!(changed, Err(Error::Damaged { what: "root" })));
        assert!(vault.list(&Filter::all()).unwrap().len() >= 2);
        drop(vault);
        let again = disk.unlock(&owner()).unwrap();
        assert_eq!((again.epoch(), again.recovery()), (Epoch::new(u64::MAX), Recovery::NotNeeded));
        let roots = usize::try_from(geometry::ROOT_A).unwrap()..usize::try_from(geometry::APPEND).unwrap();
        assert!(disk.image()[roots.clone()] == image[roots], "a root was written");
    }
}
