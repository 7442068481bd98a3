//! Vaults of a key holder in sparse files: a small file that says it has any number of bytes.

use std::path::Path;
use std::time::{Duration, Instant};

use super::basics::{file, options};
use super::disk::SimDisk;
use super::hostile::{Hostile, ROOTS, object};
use super::workload::{new_image, owner};
use crate::crypto::key::ContentKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::crypto::random::Randomness;
use crate::format::object::KeyedRef;
use crate::store::{Segment, SegmentDigest};
use crate::tree::{Row, RowClass, RowKey};
use crate::*;

/// More than a hole of this many bytes can be read in.
const SOON: Duration = Duration::from_secs(30);
const LENGTH: u64 = 400 << 30;

/// The vault in a file of this length, most of which is a hole.
fn stretched(image: &[u8], path: &Path, length: u64) -> LockedVault {
    std::fs::write(path, image).unwrap();
    std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
    LockedVault::open(path, options()).unwrap()
}

/// What a check finds of a vault, and what becomes of a backup of it, both soon.
fn looked_at(locked: LockedVault, path: &Path) -> (CheckReport, Error) {
    let started = Instant::now();
    let vault = locked.unlock(&owner()).unwrap();
    let report = vault.check_deep().unwrap();
    let copy = path.with_extension("copy");
    let error = vault.backup(&Actor::owner(), &copy, "copy").expect_err("it is not backed up");
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    let names = std::fs::read_dir(path.parent().unwrap()).unwrap();
    assert!(names.count() == 1, "a part of the copy was left");
    (report, error)
}

#[test]
fn a_check_and_a_backup_do_not_read_on_in_a_hole_that_a_root_calls_its_segment() {
    let mut hostile = Hostile::new();
    let mut root = hostile.root();
    let digest = SegmentDigest::from_bytes([7; 32]);
    root.segment = Segment { end: LENGTH, digest, ..root.segment };
    hostile.put(&ROOTS, &root.encode());
    let (_folder, path) = file();
    let (report, error) = looked_at(stretched(&hostile.image, &path, LENGTH), &path);
    assert!(report.findings.contains(&CheckFinding::Hole { epoch: root.epoch }), "{:?}", report.findings);
    assert!(matches!(error, Error::Damaged { what: "bytes of the file that nobody wrote" }), "{error}");
    assert_eq!(report.entries, 2, "what is there is read");
}

#[test]
fn a_check_does_not_read_on_in_holes_that_rows_call_their_objects() {
    const EACH: u64 = 64 << 20;
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    let put = |tx: &mut crate::engine::transaction::Transaction<'_>| {
        for number in 0..500_u16 {
            let mut id = [7; 16];
            id[..2].copy_from_slice(&number.to_le_bytes());
            let id = EntryId::from_bytes(id);
            let key = ContentKey::from_secret(&Randomness::seeded(1).secret().unwrap());
            let named = object((1 << 30) + u64::from(number) * EACH, EACH);
            let object = Some(KeyedRef { key, object: named, digest: ObjectDigest::of(&[]) });
            let (key, epoch) = (RowKey::entry(id), tx.epoch());
            let row =
                Row { key, class: RowClass::Entry, id, revision: 1, epoch, object, inline: vec![1].into() };
            tx.put_row(Compartment::General, row)?;
        }
        Ok(())
    };
    vault.update(&Actor::owner(), put).unwrap();
    let mut hostile = Hostile { image: disk.image(), vault };
    let mut root = hostile.root();
    root.segment.end = LENGTH;
    hostile.put(&ROOTS, &root.encode());
    let (_folder, path) = file();
    let (report, _) = looked_at(stretched(&hostile.image, &path, LENGTH), &path);
    let damaged = |finding: &&CheckFinding| matches!(finding, CheckFinding::DamagedEntry { .. });
    assert_eq!(report.findings.iter().filter(damaged).count(), 500);
}

/// The hole would take minutes to read.
#[cfg(target_os = "linux")]
#[test]
fn a_root_that_names_a_hole_of_a_sparse_file_as_its_segment_costs_an_opening_nothing() {
    let hole = |length: u64| {
        let mut hostile = Hostile::new();
        let known = hostile.root().epoch;
        let mut root = hostile.root();
        let digest = SegmentDigest::from_bytes([7; 32]);
        root.previous = hostile.vault.unlocked().unwrap().snapshot.root_digest();
        root.epoch = known.next().unwrap();
        root.segment = Segment { start: root.segment.end, end: root.segment.end + length, parts: 0, digest };
        hostile.put(&ROOTS[..1], &root.encode());
        let (_folder, path) = file();
        std::fs::write(&path, &hostile.image).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(root.segment.end).unwrap();
        let started = std::time::Instant::now();
        let locked = LockedVault::open(&path, options()).unwrap();
        let reader = locked.unlock_read_only(&owner()).unwrap();
        assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
        (Some(reader.epoch()) == known.next(), reader.list(&Filter::all()).unwrap().len())
    };
    assert_eq!(hole(200 << 30), (true, 2), "nobody reads what is so long");
    assert_eq!(hole((1 << 20) + 4096), (true, 2));
    assert_eq!(hole(1 << 20), (false, 2), "what is compared is not what its digest says");
}
