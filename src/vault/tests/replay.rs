//! Parts of an older state of a vault, and of another vault of the same owner,
//! where the present ones stand: damage, a rollback that a checkpoint tells, or
//! the same content; and of a credential area never a way in.

use super::basics::diagnosis;
use super::disk::SimDisk;
use super::tamper::{Part, Subject, at, owners_vault, with_areas};
use super::workload::{owner, password};
use crate::crypto::boxes::encrypt_committed;
use crate::crypto::random::Randomness;
use crate::format::area::testing::slot;
use crate::format::area::{AREA_LEN, SLOTS};
use crate::format::context::Context;
use crate::format::header::geometry;
use crate::format::place::PLACES;
use crate::format::root::{ROOT_LEN, Root};
use crate::*;

/// A vault as it was before an amendment and a password change, and as it is.
struct Replay {
    older: Subject,
    newer: Subject,
    checkpoint: Checkpoint,
}

/// What a replay came to.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Damaged,
    /// Told by the checkpoint that the owner kept.
    ToldByCheckpoint,
    Equal,
}

impl Replay {
    fn new() -> Self {
        let older = owners_vault(&["F32.1", "F10.20"]);
        let disk = SimDisk::without_trace(older.clone());
        let vault = disk.unlock(&owner()).unwrap();
        let id = vault.list(&Filter::all()).unwrap()[0].id;
        let words = |text: &str| Password::new(text.into()).unwrap();
        let amended = diagnosis("J45", "known since", "2024");
        vault.update(&Actor::owner(), |tx| tx.amend(id, &amended, "better known")).unwrap();
        vault.change_password(&Actor::owner(), words("password"), words("new password")).unwrap();
        drop(vault.lock().unwrap());
        let newer = Subject::open(disk.image(), owner());
        let checkpoint = newer.vault.checkpoint().unwrap();
        Self { older: Subject::open(older, owner()), newer, checkpoint }
    }

    /// The newer vault with a change, opened by an owner who kept its checkpoint.
    fn outcome(&self, change: impl FnOnce(&mut [u8])) -> Outcome {
        let mut image = self.newer.image.clone();
        change(&mut image);
        let expecting = SimDisk::without_trace(image.clone()).open().unwrap().expecting(self.checkpoint);
        match expecting.unlock(&owner()) {
            Ok(_) => {}
            Err(Error::RolledBack | Error::Forked) => return Outcome::ToldByCheckpoint,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
                return Outcome::Damaged;
            }
        }
        match self.newer.outcome(image) {
            Ok(true) => Outcome::Equal,
            Ok(false) => Outcome::Damaged,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
                Outcome::Damaged
            }
        }
    }
}

/// Puts bytes in the place of a part, as many as it has.
fn put(image: &mut [u8], part: &Part, bytes: &[u8]) {
    let length = part.range().len().min(bytes.len());
    let start = part.range().start;
    image[start..start + length].copy_from_slice(&bytes[..length]);
}

#[test]
fn no_older_page_or_blob_stands_in_for_a_newer_one() {
    let replay = Replay::new();
    let (mut damaged, mut equal) = (0, 0);
    for newer in &replay.newer.parts {
        for older in replay.older.parts.iter().filter(|older| older.kind == newer.kind) {
            let bytes = &replay.older.image[older.range()];
            let same = replay.newer.image[newer.range()] == *bytes;
            let expected = if same { Outcome::Equal } else { Outcome::Damaged };
            assert_eq!(replay.outcome(|image| put(image, newer, bytes)), expected);
            *(if same { &mut equal } else { &mut damaged }) += 1;
        }
    }
    assert!(damaged > 50 && equal > 3, "{damaged} damaged, {equal} the same");
}

#[test]
fn everything_that_stood_where_a_newer_page_or_blob_stands_is_damage_or_the_same() {
    let replay = Replay::new();
    let (mut tried, length) = (0, replay.older.image.len());
    for newer in replay.newer.parts.iter().filter(|newer| newer.range().end <= length) {
        let bytes = &replay.older.image[newer.range()];
        let same = replay.newer.image[newer.range()] == *bytes;
        let expected = if same { Outcome::Equal } else { Outcome::Damaged };
        assert_eq!(replay.outcome(|image| put(image, newer, bytes)), expected);
        tried += 1;
    }
    assert!(tried > 5);
}

/// A root of this vault with some places of another, encrypted anew by a holder of
/// the root key.
fn encrypted_anew(subject: &Subject, change: impl FnOnce(&mut Root)) -> Vec<u8> {
    let unlocked = subject.vault.unlocked().unwrap();
    let core = &unlocked.core;
    let mut root = Root::decode(&unlocked.snapshot.root.encode()).unwrap();
    change(&mut root);
    let context: Context = core.root_context();
    let random = &mut Randomness::from_system();
    encrypt_committed(random, &core.keyring.root_key(), &context.bytes(), &root.encode()).unwrap()
}

fn root_of(subject: &Subject) -> Root {
    Root::decode(&subject.vault.unlocked().unwrap().snapshot.root.encode()).unwrap()
}

fn put_roots(image: &mut [u8], root: &[u8]) {
    for offset in [geometry::ROOT_A, geometry::ROOT_B] {
        image[at(offset)..at(offset) + ROOT_LEN].copy_from_slice(root);
    }
}

#[test]
fn an_older_place_that_a_holder_of_the_root_key_put_back_is_told_by_a_checkpoint() {
    let replay = Replay::new();
    let mut told = 0;
    for mask in 1..1u32 << PLACES {
        let root = encrypted_anew(&replay.newer, |root| {
            let older = root_of(&replay.older).places;
            for (index, place) in older.into_iter().enumerate().filter(|(index, _)| mask & (1 << index) != 0)
            {
                root.places[index] = place;
            }
        });
        match replay.outcome(|image| put_roots(image, &root)) {
            Outcome::Equal => panic!("places {mask:08b}: nobody tells"),
            Outcome::ToldByCheckpoint => told += 1,
            Outcome::Damaged => {}
        }
    }
    assert!(told > 0);
}

#[test]
fn no_older_slot_opens_or_stands_in_for_a_newer_one() {
    let replay = Replay::new();
    let areas = [&replay.older, &replay.newer].map(|subject| subject.part(geometry::AREA_A, AREA_LEN));
    let [older, newer] = areas.map(<[u8]>::to_vec);
    let mut changed = 0;
    for index in 0..SLOTS {
        let same = older[slot(index)] == newer[slot(index)];
        let put_back = |area: &mut [u8]| area[slot(index)].copy_from_slice(&older[slot(index)]);
        assert_eq!(with_areas(&replay.newer, put_back), same, "slot {index}");
        changed += usize::from(!same);
    }
    assert_eq!(changed, 1, "a password change writes one slot");
    let disk = SimDisk::without_trace(replay.newer.image.clone());
    assert!(matches!(disk.unlock(&password("password")), Err(Error::WrongCredential)));
}

#[test]
fn no_slot_of_another_vault_stands_in_for_any() {
    let subject = Subject::open(owners_vault(&["F32.1"]), owner());
    let other = Subject::open(owners_vault(&["J45"]), owner());
    let foreign = other.part(geometry::AREA_A, AREA_LEN);
    for to in 0..SLOTS {
        for from in 0..SLOTS {
            let bring = |area: &mut [u8]| area[slot(to)].copy_from_slice(&foreign[slot(from)]);
            assert!(!with_areas(&subject, bring), "slot {from} of another vault as {to}");
        }
    }
}

#[test]
fn no_place_of_another_vault_stands_in_for_any_in_a_root_encrypted_anew() {
    let subject = Subject::open(owners_vault(&["F32.1"]), owner());
    let other = Subject::open(owners_vault(&["J45"]), owner());
    for to in 0..PLACES {
        for from in 0..PLACES {
            let root = encrypted_anew(&subject, |root| {
                root.places[to] = root_of(&other).places.into_iter().nth(from).unwrap();
            });
            assert!(!subject.survives(|image| put_roots(image, &root)), "place {from} as {to}");
        }
    }
}

#[test]
fn a_root_that_is_encrypted_anew_without_a_change_is_told_by_a_checkpoint_alone() {
    let replay = Replay::new();
    let root = encrypted_anew(&replay.newer, |_| {});
    assert_eq!(replay.outcome(|image| put_roots(image, &root)), Outcome::ToldByCheckpoint);
    assert!(replay.newer.survives(|image| put_roots(image, &root)));
}
