//! Roots that are written in turn: which of two is the state, what a commit that was cut
//! leaves, how often a commit waits for the disk, and who finishes an erasure.

use super::basics::{diagnosis, note};
use super::disk::{Chance, Change, Event, Fault, SimDisk, crash_states};
use super::tamper::{Subject, at};
use super::workload::{clinic, new_image, owner};
use crate::format::header::geometry;
use crate::format::root::ROOT_LEN;
use crate::format::segment::Segment;
use crate::testing::shrink_slices;
use crate::*;

const ROOTS: [u64; 2] = [geometry::ROOT_A, geometry::ROOT_B];
const NOTES: Compartment = Compartment::PsychotherapyNotes;

fn add(vault: &Vault, code: &str) -> EntryId {
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis(code, "known", "2020"))).unwrap().value
}

fn root(image: &[u8], place: usize) -> &[u8] {
    &image[at(ROOTS[place])..at(ROOTS[place]) + ROOT_LEN]
}

fn put_root(image: &mut [u8], place: usize, root: &[u8]) {
    image[at(ROOTS[place])..at(ROOTS[place]) + ROOT_LEN].copy_from_slice(root);
}

fn segment(vault: &Vault) -> Segment {
    vault.unlocked().unwrap().snapshot.root.segment
}

/// A vault at rest with one entry.
fn resting() -> Vec<u8> {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    add(&vault, "F32");
    drop(vault.lock().unwrap());
    disk.image()
}

/// The barriers of an act.
fn barriers<T>(disk: &SimDisk, act: impl FnOnce() -> T) -> usize {
    let before = disk.trace().events.len();
    act();
    disk.trace().events[before..].iter().filter(|event| matches!(event, Event::Sync(Some(_)))).count()
}

#[test]
fn a_commit_waits_for_the_disk_once_a_withdrawal_twice_and_new_credentials_three_times() {
    let disk = SimDisk::new(resting());
    let vault = disk.unlock(&owner()).unwrap();
    let id = add(&vault, "J45");
    for _ in 0..3 {
        assert_eq!(barriers(&disk, || add(&vault, "J45")), 1);
    }
    assert_eq!(barriers(&disk, || drop(vault.expunge(&Actor::owner(), &[id], "order").unwrap())), 2);
    let words = |text: &str| Password::new(text.into()).unwrap();
    let change = || vault.change_password(&Actor::owner(), words("password"), words("new password"));
    assert_eq!(barriers(&disk, || change().unwrap()), 3);
    assert_eq!(barriers(&disk, || vault.checkpoint().unwrap()), 0, "what was acknowledged is durable");
    assert_eq!(barriers(&disk, || add(&vault, "J45")), 1);
    assert_eq!(barriers(&disk, || drop(vault.lock().unwrap())), 1, "the second copy");
    let vault = disk.unlock(&owner()).unwrap();
    assert_eq!(barriers(&disk, || drop(vault.lock().unwrap())), 0);
}

#[test]
fn roots_are_written_in_turn() {
    let disk = SimDisk::new(resting());
    let vault = disk.unlock(&owner()).unwrap();
    let mut before = disk.image();
    for number in 0..6 {
        add(&vault, "J45");
        let now = disk.image();
        let changed: Vec<usize> =
            (0..2).filter(|place| root(&now, *place) != root(&before, *place)).collect();
        assert_eq!(changed, [number % 2]);
        assert!(segment(&vault).start.is_multiple_of(4096) && segment(&vault).end.is_multiple_of(4096));
        before = now;
    }
}

#[test]
fn a_root_whose_segment_is_not_there_is_dropped_for_the_one_that_it_names() {
    let disk = SimDisk::without_trace(resting());
    let vault = disk.unlock(&owner()).unwrap();
    let (first, second) = (add(&vault, "J45"), add(&vault, "J46"));
    let (cut, checkpoint) = (segment(&vault), vault.checkpoint().unwrap());
    let (epoch, image) = (vault.epoch(), disk.image());
    drop(vault);
    let flipped = |offset: u64| {
        let mut image = image.clone();
        image[at(offset)] ^= 1;
        image
    };
    // In an object, in the filler, and a file that is too short.
    let cases = [flipped(cut.start + 20), flipped(cut.end - 1), image[..at(cut.end) - 1].to_vec()];
    for case in cases {
        let disk = SimDisk::without_trace(case.clone());
        let reader = disk.open().unwrap().unlock_read_only(&owner()).unwrap();
        assert_eq!((reader.epoch().next(), reader.recovery()), (Some(epoch), Recovery::Needed));
        assert_eq!(reader.check_deep().unwrap().findings, [CheckFinding::CutCommit { epoch }]);
        assert_eq!(reader.check().unwrap().findings, [CheckFinding::CutCommit { epoch }]);
        assert!(disk.image() == case, "a reader wrote");
        // The owner's checkpoint tells that the commit was acknowledged: it is taken, and what
        // is damaged of it is damage; where it is not there, nothing is written.
        let told = SimDisk::without_trace(case.clone());
        match told.open().unwrap().expecting(checkpoint).unlock(&owner()) {
            Ok(vault) => {
                assert_eq!(vault.epoch(), epoch);
                assert!(vault.entry(first).is_ok() && case.len() == image.len());
            }
            Err(error) => {
                assert!(matches!(error, Error::Damaged { .. }) && case.len() < image.len());
                assert!(told.image() == case, "nothing is written");
            }
        }
        let vault = disk.unlock(&owner()).unwrap();
        assert_eq!(vault.recovery(), Recovery::Dropped { epoch });
        assert!(vault.entry(first).is_ok());
        assert!(matches!(vault.entry(second), Err(Error::NoSuchEntry { .. })));
        super::crash::assert_copies_are_equal(&disk.image());
        let later = add(&vault, "J47");
        assert_eq!(vault.epoch(), epoch, "its number is given again");
        drop(vault);
        let vault = disk.unlock(&owner()).unwrap();
        assert_eq!(vault.recovery(), Recovery::NotNeeded);
        assert!(vault.entry(later).is_ok() && vault.check().unwrap().is_clean());
    }
}

/// As Linux has it: after a write that failed the system's memory keeps the new bytes and
/// takes them for written, and only whoever waited then was told.
#[test]
fn what_a_failed_barrier_left_in_memory_is_written_again_before_anything_rests_on_it() {
    let disk = SimDisk::new(resting());
    let vault = disk.unlock(&owner()).unwrap();
    let first = add(&vault, "J45");
    disk.fail_at(0, Fault::Unwritten);
    let told = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J46", "status asthmaticus", "2001")));
    assert!(told.is_err());
    drop(vault);
    let vault = disk.unlock(&owner()).unwrap();
    let after_power_cut = SimDisk::new(disk.durable_image());
    assert_eq!(vault.list(&Filter::all()).unwrap().len(), 3, "it is there after all");
    drop(vault);
    let (vault, durable) = (disk.unlock(&owner()).unwrap(), after_power_cut.unlock(&owner()).unwrap());
    assert_eq!(durable.epoch(), vault.epoch(), "what an opening decides stays decided");
    assert!(durable.entry(first).is_ok() && durable.check_deep().unwrap().is_clean());
    let second = add(&vault, "J47");
    let durable = SimDisk::new(disk.durable_image()).unlock(&owner()).unwrap();
    assert!(durable.entry(second).is_ok() && durable.check_deep().unwrap().is_clean());
}

#[test]
fn damage_to_a_segment_of_a_vault_at_rest_is_damage_of_what_stands_there() {
    let disk = SimDisk::without_trace(resting());
    let vault = disk.unlock(&owner()).unwrap();
    let id = add(&vault, "J45");
    let object = vault.unlocked().unwrap().reader().entry_row(id).unwrap().1.object.unwrap().object;
    let (object, end) = (u64::from_le_bytes(*object.reference.first_chunk().unwrap()), segment(&vault).end);
    drop(vault.lock().unwrap());
    let damaged = CheckFinding::DamagedEntry { compartment: Compartment::General, id, revision: 1 };
    for (offset, findings) in [(object + 20, vec![damaged]), (end - 1, vec![])] {
        let disk = SimDisk::without_trace(disk.image());
        disk.flip(at(offset), 1);
        let vault = disk.unlock(&owner()).unwrap();
        assert_eq!(vault.recovery(), Recovery::NotNeeded);
        assert_eq!(vault.check().unwrap().findings, findings);
    }
}

#[test]
fn an_open_handle_finds_damage_of_what_it_wrote_and_no_rollback() {
    let disk = SimDisk::without_trace(resting());
    let vault = disk.unlock(&owner()).unwrap();
    let id = add(&vault, "J45");
    let object = vault.unlocked().unwrap().reader().entry_row(id).unwrap().1.object.unwrap().object;
    disk.flip(at(u64::from_le_bytes(*object.reference.first_chunk().unwrap())) + 20, 1);
    let damaged = CheckFinding::DamagedEntry { compartment: Compartment::General, id, revision: 1 };
    assert_eq!(vault.check().unwrap().findings, [damaged]);
    vault.refresh().unwrap();
    add(&vault, "J46");
}

/// The roots of two commits that were both made on this image, each in place A.
fn twins(image: &[u8]) -> [Vec<u8>; 2] {
    ["J45", "J46"].map(|code| {
        let disk = SimDisk::without_trace(image.to_vec());
        add(&disk.unlock(&owner()).unwrap(), code);
        disk.image()
    })
}

#[test]
fn two_roots_of_one_epoch_are_a_fork_and_nothing_is_written() {
    let [one, other] = twins(&resting());
    let handle = SimDisk::without_trace(one.clone());
    let known = handle.unlock(&owner()).unwrap();
    let mut image = one.clone();
    put_root(&mut image, 1, root(&other, 0));
    let disk = SimDisk::without_trace(image.clone());
    let open: [fn(LockedVault) -> Result<Vault, Error>; 3] = [
        |locked| locked.unlock(&owner()),
        |locked| locked.unlock_read_only(&owner()),
        |locked| locked.unlock_for_diagnosis(&owner()),
    ];
    for open in open {
        assert!(matches!(open(disk.open().unwrap()), Err(Error::Forked)));
    }
    assert!(disk.image() == image);
    handle.replace(image.clone());
    assert!(matches!(known.refresh(), Err(Error::Forked)));
    let refused = known.update(&Actor::owner(), |tx| tx.add(&note("progress", "slept")));
    assert!(matches!(refused, Err(Error::Forked)));
    assert!(handle.image() == image);
}

#[test]
fn an_older_root_in_one_place_is_replaced_and_never_taken() {
    let disk = SimDisk::without_trace(resting());
    let vault = disk.unlock(&owner()).unwrap();
    add(&vault, "J45");
    let older = root(&disk.image(), 0).to_vec();
    add(&vault, "J46");
    let id = add(&vault, "J47");
    let (segment, epoch) = (segment(&vault), vault.epoch());
    drop(vault);
    let mut image = disk.image();
    put_root(&mut image, 1, &older);
    let disk = SimDisk::without_trace(image.clone());
    let reader = disk.open().unwrap().unlock_read_only(&owner()).unwrap();
    assert_eq!(reader.recovery(), Recovery::Needed);
    let vault = disk.unlock(&owner()).unwrap();
    assert_eq!((vault.epoch(), vault.recovery()), (epoch, Recovery::Recovered));
    assert!(vault.entry(id).is_ok() && vault.check().unwrap().is_clean());
    drop(vault);
    // The newest root is cut, and the other one is not the one before it.
    image[at(segment.end) - 1] ^= 1;
    let disk = SimDisk::without_trace(image.clone());
    assert!(matches!(disk.unlock(&owner()), Err(Error::Damaged { what: "roots" })));
    assert!(matches!(disk.open().unwrap().unlock_read_only(&owner()), Err(Error::Damaged { what: "roots" })));
    assert!(disk.image() == image);
}

#[test]
fn a_root_that_was_cut_and_names_another_one_before_it_is_damage_and_nothing_is_written() {
    let image = resting();
    let disk = SimDisk::without_trace(image.clone());
    let vault = disk.unlock(&owner()).unwrap();
    add(&vault, "J45");
    drop(vault.lock().unwrap());
    let vault = disk.unlock(&owner()).unwrap();
    add(&vault, "J46");
    let cut = segment(&vault);
    drop(vault);
    let [twin, _] = twins(&image);
    let mut image = disk.image();
    assert!(root(&image, 1) != root(&twin, 0), "of one epoch, and another commit");
    put_root(&mut image, 1, root(&twin, 0));
    image[at(cut.start) + 20] ^= 1;
    let disk = SimDisk::without_trace(image.clone());
    assert!(matches!(disk.unlock(&owner()), Err(Error::Damaged { what: "roots" })));
    assert!(disk.image() == image);
}

#[test]
fn a_filler_that_looks_like_data_is_never_looked_at() {
    let disk = SimDisk::without_trace(resting());
    let vault = disk.unlock(&owner()).unwrap();
    let id = add(&vault, "J45");
    let (end, before) = (segment(&vault).end, disk.image());
    drop(vault.lock().unwrap());
    let subject = Subject::open(disk.image(), owner());
    let used = subject.parts.iter().map(|part| part.range().end).max().unwrap();
    let filler = used..at(end);
    assert!(filler.len() > 64, "{filler:?}");
    let looks = subject.parts.iter().map(|part| subject.image[part.range()].to_vec());
    let looks = looks.chain([root(&subject.image, 0).to_vec(), vec![0; 4096], b"canary-000001".repeat(300)]);
    for data in looks {
        let length = filler.len().min(data.len());
        let mut image = subject.image.clone();
        image[filler.clone()][..length].copy_from_slice(&data[..length]);
        let disk = SimDisk::without_trace(image);
        let vault = disk.unlock(&owner()).unwrap();
        assert_eq!(vault.recovery(), Recovery::NotNeeded);
        assert_eq!(vault.check_deep().unwrap().findings, []);
        add(&vault, "J46");
        vault.expunge(&Actor::owner(), &[id], "order").unwrap();
        assert!(vault.check().unwrap().is_clean());
    }
    // Of a commit that is not settled the digest says that it is not what was written.
    let mut image = before;
    image[filler].fill(0);
    let vault = SimDisk::without_trace(image).unlock(&owner()).unwrap();
    assert!(matches!(vault.recovery(), Recovery::Dropped { .. }));
}

/// An expungement from psychotherapy notes that a crash cut when its root was durable and
/// the bytes were still there: the file, where they are, and the bytes.
fn cut_expungement() -> (Vec<u8>, std::ops::Range<usize>, Vec<u8>) {
    let disk = SimDisk::without_trace(resting());
    let vault = disk.unlock(&owner()).unwrap();
    let id = vault.update(&Actor::owner(), |tx| tx.add(&note("psychotherapy", "said"))).unwrap().value;
    let object = vault.unlocked().unwrap().reader().entry_row(id).unwrap().1.object.unwrap().object;
    let start = at(u64::from_le_bytes(*object.reference.first_chunk().unwrap()));
    let range = start..start + at(object.length);
    drop(vault.lock().unwrap());
    let bytes = disk.image()[range.clone()].to_vec();
    let disk = SimDisk::new(disk.image());
    let vault = disk.unlock(&owner()).unwrap();
    let before = vault.epoch();
    vault.expunge(&Actor::owner(), &[id], "order").unwrap();
    let mut found = None;
    crash_states(&disk.trace(), &mut Chance::new(3), &mut |state| {
        let image = state.durable.vault();
        if found.is_some() || !state.pending.is_empty() || image[range.clone()] != bytes {
            return;
        }
        let vault = SimDisk::without_trace(image.clone()).open().unwrap().unlock_read_only(&owner()).unwrap();
        if vault.epoch() > before {
            found = Some(image.clone());
        }
    });
    (found.expect("there is a moment with the new root and the old bytes"), range, bytes)
}

#[test]
fn an_erase_list_is_carried_over_by_whoever_lacks_the_key_and_finished_by_who_has_it() {
    let (image, range, bytes) = cut_expungement();
    let place = |vault: &Vault| vault.unlocked().unwrap().snapshot.root.places[NOTES.index()].0;
    let disk = SimDisk::without_trace(image);
    let reader = disk.open().unwrap().unlock_read_only(&clinic()).unwrap();
    let carried = place(&reader);
    for number in 0..3 {
        let vault = disk.unlock(&clinic()).unwrap();
        vault.update(&Actor::owner(), |tx| tx.add(&note("progress", "slept"))).unwrap();
        assert!(place(&vault) == carried, "commit {number}: the place is carried over as it is");
        if number > 0 {
            drop(vault.lock().unwrap());
        }
    }
    assert!(disk.image()[range.clone()] == bytes, "nobody could tell them what to erase");
    let vault = disk.unlock(&owner()).unwrap();
    let erased = disk.image()[range.clone()].to_vec();
    assert!(erased.chunks(16).zip(bytes.chunks(16)).all(|(now, then)| now != then));
    let list = |vault: &Vault| vault.unlocked().unwrap().snapshot.place(NOTES).unwrap().erase.is_some();
    assert!(list(&vault) && place(&vault) == carried, "the list stays until the place is renewed");
    add(&vault, "J46");
    assert!(!list(&vault) && place(&vault) != carried);
    assert!(vault.check().unwrap().is_clean());
    drop(vault);
    let erased = disk.image()[range.clone()].to_vec();
    assert_eq!(disk.unlock(&owner()).unwrap().recovery(), Recovery::NotNeeded);
    assert!(disk.image()[range] == erased, "and is not erased again");
}

#[test]
fn an_open_handle_finishes_the_erasure_that_another_one_began() {
    let (image, range, bytes) = cut_expungement();
    let disk = SimDisk::without_trace(resting_like(&image));
    let vault = disk.unlock(&owner()).unwrap();
    disk.replace(image);
    add(&vault, "J46");
    assert!(disk.image()[range] != bytes);
}

/// The file as it was before its last commit began: the root before in both places.
fn resting_like(image: &[u8]) -> Vec<u8> {
    let disk = SimDisk::without_trace(image.to_vec());
    let reader = disk.open().unwrap().unlock_read_only(&owner()).unwrap();
    let newest = reader.unlocked().unwrap().snapshot.root_bytes.clone();
    let older = (0..2).find(|place| root(image, *place) != newest).expect("the root before is still there");
    let (mut before, older) = (image.to_vec(), root(image, older).to_vec());
    (0..2).for_each(|place| put_root(&mut before, place, &older));
    before
}

#[test]
fn a_long_commit_is_durable_before_its_root_is_written() {
    let disk = SimDisk::new(resting());
    let vault = disk.unlock(&owner()).unwrap();
    let long = note("progress", &"slept badly ".repeat(120_000));
    let commit = || vault.update(&Actor::owner(), |tx| tx.add(&long)).unwrap();
    let before = disk.trace().events.len();
    assert_eq!(barriers(&disk, commit), 2);
    let written = segment(&vault);
    assert!(written.is_long() && written.length() > 1 << 20);
    let events = disk.trace().events.split_off(before);
    let barrier = events.iter().position(|event| matches!(event, Event::Sync(Some(_)))).unwrap();
    let is_root = |event: &Event| {
        let offset = if let Event::Change(Change::Write { offset, .. }) = event { *offset } else { 0 };
        ROOTS.map(at).contains(&offset)
    };
    assert!(!events[..barrier].iter().any(is_root) && events[barrier..].iter().any(is_root));
    // Nobody reads what is so long: what stands there is found when it is read.
    let mut image = disk.image();
    image[at(written.end) - 1] ^= 1;
    let opened = SimDisk::without_trace(image).unlock(&owner()).unwrap();
    assert_eq!((opened.recovery(), opened.epoch()), (Recovery::NotNeeded, vault.epoch()));
    assert_eq!(opened.check().unwrap().segments.changed_in, [vault.epoch()]);
    assert_eq!(barriers(&disk, || vault.expunge(&Actor::owner(), &[add(&vault, "J45")], "order")), 3);
}

#[test]
fn a_reader_gives_the_newest_checkpoint_of_a_vault_at_rest_and_else_the_one_before() {
    let disk = SimDisk::without_trace(resting());
    let vault = disk.unlock(&owner()).unwrap();
    add(&vault, "J45");
    let before = vault.checkpoint().unwrap();
    add(&vault, "J46");
    let newest = vault.checkpoint().unwrap();
    let reader = || disk.open().unwrap().unlock_read_only(&owner()).unwrap();
    assert_eq!(reader().epoch(), newest.epoch());
    assert_eq!(reader().checkpoint().unwrap(), before, "nobody told it that the newest is durable");
    assert!(reader().expect(&before).is_ok() && reader().expect(&newest).is_ok());
    drop(vault.lock().unwrap());
    assert_eq!(reader().checkpoint().unwrap(), newest);
    // A handle that saw another one's commit makes it durable before it tells.
    let (one, other) = (disk.unlock(&owner()).unwrap(), disk.unlock(&owner()).unwrap());
    add(&one, "J47");
    other.refresh().unwrap();
    assert_eq!(other.checkpoint().unwrap(), one.checkpoint().unwrap());
    assert_eq!(Some(other.checkpoint().unwrap().epoch()), newest.epoch().next());
}

/// What a commit puts and takes back stands in its own segment. Overwritten before the second
/// root is durable, it would make an opening take the newest root for a commit that was cut.
#[test]
fn a_commit_that_takes_back_what_it_put_is_never_taken_for_one_that_was_cut() {
    shrink_slices(504, 3);
    let bytes: Vec<u8> = (0..5 * 504_u32).map(|n| n.to_le_bytes()[0]).collect();
    let attach = |vault: &Vault| {
        let new = NewAttachment::new(Attachment::default());
        vault.attach(&Actor::owner(), &new, &mut &bytes[..]).unwrap().value
    };
    let first = SimDisk::without_trace(resting());
    let vault = first.unlock(&owner()).unwrap();
    let kept = attach(&vault);
    drop(vault.lock().unwrap());
    // The compartment holds these bytes already: those of the second upload are withdrawn.
    let disk = SimDisk::new(first.image());
    let vault = disk.unlock(&owner()).unwrap();
    let before = vault.epoch();
    disk.acknowledge(before);
    let second = attach(&vault);
    disk.acknowledge(vault.epoch());
    drop(vault);
    let mut states = 0;
    for seed in 0..4 {
        crash_states(&disk.trace(), &mut Chance::new(seed), &mut |state| {
            let vault = SimDisk::after(&state).unlock(&owner()).unwrap_or_else(|error| {
                panic!("{}: {error}", state.label);
            });
            let has = |id| vault.entry(id).is_ok();
            let is_acknowledged = state.acknowledged.is_some_and(|epoch| epoch > before);
            assert!(has(kept) && (has(second) || !is_acknowledged), "{}", state.label);
            assert!(vault.check().unwrap().is_clean(), "{}", state.label);
            states += 1;
        });
    }
    assert!(states > 100, "{states}");
}
