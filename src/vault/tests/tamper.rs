//! Flipped bits, truncations and zeroed blocks of a small vault file: a typed
//! error, the twin's content, or the same content; never a panic or other text.

use super::basics::{diagnosis, note};
use super::disk::{Chance, SimDisk};
use super::workload::{new_image, owner};
use crate::format::area::AREA_LEN;
use crate::format::header::{HEADER_LEN, geometry};
use crate::format::root::ROOT_LEN;
use crate::testing::{Sealed, start_recording, take_recorded};
use crate::*;

/// A vault at rest, what it holds, and where its objects stand.
struct Golden {
    image: Vec<u8>,
    entries: Vec<(EntryId, Entry)>,
    objects: Vec<Sealed>,
}

/// What became of a file that was tampered with.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// It does not open; the code of the typed error.
    Refused(&'static str),
    /// It opens, everything is there, and this much had to be repaired.
    Whole(Recovery),
    /// It opens, some parts answer `Damaged`, and `check` says so.
    Damaged,
}

impl Golden {
    fn new() -> Self {
        start_recording();
        let disk = SimDisk::without_trace(new_image("password"));
        let vault = disk.unlock(&owner()).unwrap();
        let entries: Vec<Entry> = (0..40)
            .map(|n| diagnosis(&format!("F{n}"), "Depression", "2019"))
            .chain([note("progress", &"slept badly ".repeat(3000)), note("psychotherapy", "said")])
            .collect();
        let add = |tx: &mut Transaction<'_>| entries.iter().map(|entry| tx.add(entry)).collect();
        let ids: Vec<EntryId> = vault.update(&Actor::owner(), add).unwrap().value;
        vault.expunge(&Actor::owner(), &ids[..1], "order").unwrap();
        drop(vault.lock().unwrap());
        let entries = ids.into_iter().zip(entries).skip(1).collect();
        Self { image: disk.image(), entries, objects: take_recorded() }
    }

    /// Opens a changed file and compares whatever it yields.
    fn outcome(&self, image: Vec<u8>) -> Outcome {
        let vault = match SimDisk::without_trace(image).unlock(&owner()) {
            Ok(vault) => vault,
            Err(error) => return Outcome::Refused(error.code()),
        };
        let mut damaged = 0;
        for (id, entry) in &self.entries {
            match vault.entry(*id) {
                Ok(found) => assert!(found == *entry, "other text"),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
                    damaged += 1;
                }
            }
        }
        let clean = vault.check().unwrap().is_clean();
        assert!(damaged == 0 || !clean, "the check overlooks damage");
        if clean { Outcome::Whole(vault.recovery()) } else { Outcome::Damaged }
    }

    fn flipped(&self, bit: usize) -> Outcome {
        let mut image = self.image.clone();
        image[bit / 8] ^= 1 << (bit % 8);
        self.outcome(image)
    }

    /// The bytes that live objects occupy.
    fn live(&self) -> Vec<(usize, usize)> {
        let range = |sealed: &Sealed| {
            let start = u64::from_le_bytes(*sealed.object.reference.first_chunk().unwrap());
            (usize::try_from(start).unwrap(), usize::try_from(sealed.object.length).unwrap())
        };
        self.objects.iter().map(range).collect()
    }
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

#[test]
fn any_flipped_bit_of_the_header_is_refused() {
    let golden = Golden::new();
    for bit in 0..HEADER_LEN * 8 {
        let mut image = golden.image.clone();
        image[bit / 8] ^= 1 << (bit % 8);
        let error = SimDisk::without_trace(image).open().err().expect("the header is damaged");
        assert!(matches!(error, Error::Format(_)), "bit {bit}: {error}");
    }
}

#[test]
fn a_flipped_bit_of_an_area_or_a_root_is_repaired_from_the_twin() {
    let golden = Golden::new();
    let mut chance = Chance::new(1);
    let parts = [
        (geometry::AREA_A, AREA_LEN),
        (geometry::AREA_B, AREA_LEN),
        (geometry::ROOT_A, ROOT_LEN),
        (geometry::ROOT_B, ROOT_LEN),
    ];
    for (offset, length) in parts {
        for _ in 0..150 {
            let bit = at(offset) * 8 + chance.below(length * 8);
            assert_eq!(golden.flipped(bit), Outcome::Whole(Recovery::Recovered), "bit {bit}");
        }
    }
}

#[test]
fn both_copies_damaged_are_refused_as_damage_and_nothing_is_written() {
    let golden = Golden::new();
    for (first, second) in [(geometry::AREA_A, geometry::AREA_B), (geometry::ROOT_A, geometry::ROOT_B)] {
        let mut image = golden.image.clone();
        image[at(first) + 100] ^= 1;
        image[at(second) + 200] ^= 4;
        let disk = SimDisk::without_trace(image.clone());
        let error = disk.unlock(&owner()).err().expect("both copies are damaged");
        assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
        assert!(disk.image() == image);
    }
}

#[test]
fn a_flipped_bit_of_an_object_is_damage_and_never_other_text() {
    let golden = Golden::new();
    let mut chance = Chance::new(2);
    let mut damaged = 0;
    for (start, length) in golden.live() {
        for _ in 0..8 {
            match golden.flipped(start * 8 + chance.below(length * 8)) {
                Outcome::Damaged | Outcome::Refused("damaged") => damaged += 1,
                // What was superseded is not read any more.
                Outcome::Whole(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(damaged > 200, "{damaged}");
}

#[test]
fn a_file_cut_anywhere_is_refused_or_whole() {
    let golden = Golden::new();
    let end = golden.live().into_iter().map(|(start, length)| start + length).max().unwrap();
    for length in (0..golden.image.len()).step_by(512) {
        match golden.outcome(golden.image[..length].to_vec()) {
            Outcome::Refused(_) | Outcome::Damaged => assert!(length < end),
            // Only the room for later commits is cut off, or what was withdrawn.
            Outcome::Whole(_) => assert!(length >= at(geometry::APPEND)),
        }
    }
}

#[test]
fn a_zeroed_block_is_an_error_or_repaired() {
    let golden = Golden::new();
    for start in (0..golden.image.len()).step_by(4096) {
        let mut image = golden.image.clone();
        let end = (start + 4096).min(image.len());
        image[start..end].fill(0);
        let outcome = golden.outcome(image);
        let twin = start >= HEADER_LEN && start < at(geometry::APPEND);
        assert!(!twin || matches!(outcome, Outcome::Whole(_)), "block at {start}: {outcome:?}");
        assert!(start > 0 || matches!(outcome, Outcome::Refused("not-a-vault")));
    }
}
