//! Compaction on real files: what it gives back, what it must not touch, and
//! what other handles see of it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::basics::{diagnosis, file, key, note, open, options};
use super::disk::{SimDisk, VAULT};
use super::repair::{Resting, objects_below_first_pages};
use super::workload::owner;
use crate::format::header::geometry;
use crate::store::StoreError;
use crate::*;

fn create(path: &Path) -> Vault {
    Vault::create(path, &NewVault::individual(&key(1)), options()).unwrap()
}

fn add(vault: &Vault, text: &str) -> EntryId {
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", text, "2020"))).unwrap().value
}

fn compact(vault: &Vault) -> Result<CompactReport, Error> {
    vault.compact(&Actor::owner())
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A copy of a vault of which no root opens any more.
fn with_damaged_roots(mut copy: Vec<u8>) -> Vec<u8> {
    for root in [geometry::ROOT_A, geometry::ROOT_B] {
        copy[usize::try_from(root).unwrap() + 300] ^= 1;
    }
    copy
}

fn names(path: &Path) -> Vec<String> {
    let folder = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<String> =
        folder.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn compaction_gives_dead_bytes_back_and_keeps_everything_else() {
    let (_folder, path) = file();
    let vault = create(&path);
    let ids: Vec<EntryId> = (0..60).map(|n| add(&vault, &format!("entry {n}"))).collect();
    vault.update(&Actor::owner(), |tx| tx.amend(ids[7], &diagnosis("J46", "other", "2021"), "why")).unwrap();
    vault.expunge(&Actor::owner(), &ids[..2], "order").unwrap();
    let (checkpoint, before) = (vault.checkpoint().unwrap(), vault.space().unwrap());
    let lines = vault.ledger().unwrap().len();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let mut seen = Vec::new();
    let report = vault.compact_with(&Actor::owner(), |progress| seen.push(progress)).unwrap();
    assert!(report.after < report.before && report.before == before.file);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), report.after);
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
    assert!(seen.len() > 1 && seen.windows(2).all(|pair| pair[0].done <= pair[1].done));
    assert!(seen.iter().all(|progress| progress.done <= progress.total));
    assert!(seen.last().is_some_and(|last| last.done == last.total));
    let after = vault.space().unwrap();
    assert_eq!(after.dead, Some(0), "the rest is the room that every compacted file has");
    assert!(before.dead.unwrap() > before.live && after.live.abs_diff(before.live) < 4096);
    assert_eq!(names(&path), ["a.vault"]);
    assert_eq!(vault.ledger().unwrap().len(), lines + 1);
    drop(vault);
    let locked = LockedVault::open(&path, options()).unwrap().expecting(checkpoint);
    let vault = locked.unlock(&key(1)).unwrap();
    assert_eq!(vault.recovery(), Recovery::NotNeeded);
    assert!(vault.check().unwrap().is_clean());
    assert_eq!(vault.list(&Filter::all()).unwrap().len(), 58);
    assert_eq!(vault.entry_revision(ids[7], 1).unwrap().display().as_deref(), Some("entry 7"));
    add(&vault, "later");
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn files_of_others_keep_compaction_away_and_stay_as_they_are() {
    for suffix in [".old", ".compact"] {
        let (folder, path) = file();
        let vault = create(&path);
        add(&vault, "x");
        let copy = std::fs::read(&path).unwrap();
        add(&vault, "y");
        let at = beside(&path, suffix);
        let damaged = with_damaged_roots(copy.clone());
        let foreign: [&dyn Fn(); 6] = [
            &|| std::fs::write(&at, &damaged).unwrap(),
            &|| std::fs::write(&at, b"a thesis").unwrap(),
            &|| std::fs::write(&at, &copy).unwrap(),
            &|| assert!(std::fs::copy(&path, &at).is_ok()),
            &|| std::os::unix::fs::symlink(folder.path().join("elsewhere"), &at).unwrap(),
            &|| std::fs::create_dir(&at).unwrap(),
        ];
        std::fs::write(folder.path().join("elsewhere"), b"mine").unwrap();
        for (number, make) in foreign.into_iter().enumerate() {
            make();
            let before = std::fs::read(&at).ok();
            let image = std::fs::read(&path).unwrap();
            match compact(&vault) {
                Err(Error::Store(StoreError::InTheWay { path })) => assert_eq!(path, at),
                other => panic!("{suffix} {number}: {other:?}"),
            }
            assert!(std::fs::read(&path).unwrap() == image, "the vault is as it was");
            drop(open(&path, &key(1)).unwrap());
            assert!(std::fs::read(&at).ok() == before, "{suffix} {number}");
            assert!(at.symlink_metadata().is_ok());
            if at.is_dir() { std::fs::remove_dir(&at).unwrap() } else { std::fs::remove_file(&at).unwrap() }
        }
        compact(&vault).unwrap();
    }
}

#[test]
fn a_copy_made_before_a_compaction_is_not_taken_for_the_old_file() {
    for suffix in [".old", ".compact"] {
        let (_folder, path) = file();
        let vault = create(&path);
        add(&vault, "x");
        let copy = std::fs::read(&path).unwrap();
        compact(&vault).unwrap();
        let compacted = std::fs::read(&path).unwrap();
        let at = beside(&path, suffix);
        std::fs::write(&at, &copy).unwrap();
        drop(open(&path, &key(1)).unwrap());
        assert!(std::fs::read(&at).unwrap() == copy, "{suffix}");
        // Nor is a compacted copy the draft of the vault that went on without it.
        std::fs::remove_file(&at).unwrap();
        drop(vault);
        std::fs::write(&path, &copy).unwrap();
        add(&open(&path, &key(1)).unwrap(), "y");
        std::fs::write(&at, &compacted).unwrap();
        drop(open(&path, &key(1)).unwrap());
        assert!(std::fs::read(&at).unwrap() == compacted, "{suffix}");
    }
}

#[test]
fn a_copy_by_another_name_is_not_destroyed() {
    let (folder, path) = file();
    let vault = create(&path);
    let id = add(&vault, "x");
    let second = folder.path().join("second name");
    std::fs::hard_link(&path, &second).unwrap();
    assert!(matches!(compact(&vault), Err(Error::Store(StoreError::SecondName))));
    std::fs::remove_file(&second).unwrap();
    std::fs::hard_link(&path, beside(&path, ".old")).unwrap();
    compact(&vault).unwrap();
    assert_eq!(names(&path), ["a.vault"], "a second name of the vault as an interrupted one leaves it");
    assert!(vault.entry(id).is_ok());
}

#[test]
fn a_vault_named_by_a_symbolic_link_is_compacted_where_it_is() {
    let (folder, path) = file();
    drop(create(&path));
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let vault = open(&link, &key(1)).unwrap();
    add(&vault, "x");
    compact(&vault).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(names(&path), ["a.vault"]);
    assert_eq!(names(&link), ["link"]);
    assert_eq!(open(&path, &key(1)).unwrap().epoch(), vault.epoch());
    drop(folder);
}

#[test]
fn compaction_needs_every_compartment_and_a_file() {
    let (_folder, path) = file();
    let (owner, clinic) = (key(1), key(2));
    let access = vec![
        Access::to_everything(&owner, "owner"),
        Access { credential: &clinic, name: "clinic", grant: Grant::of(&[Compartment::General]) },
    ];
    let new = NewVault { access, ..NewVault::individual(&owner) };
    drop(Vault::create(&path, &new, options()).unwrap());
    let vault = open(&path, &clinic).unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(compact(&vault), Err(Error::NeedsCompartment { .. })));
    assert!(std::fs::read(&path).unwrap() == before);
    assert_eq!(vault.space().unwrap().dead, None);
    let memory = Vault::create_in_memory(&NewVault::individual(&owner), options()).unwrap();
    assert!(matches!(compact(&memory), Err(Error::Store(StoreError::Unsupported))));
    assert!(matches!(memory.space(), Err(Error::Store(StoreError::Unsupported))));
    let read_only = LockedVault::open(&path, options()).unwrap().unlock_read_only(&owner).unwrap();
    assert!(matches!(compact(&read_only), Err(Error::Invalid { .. })));
}

#[test]
fn other_handles_follow_and_their_snapshots_are_read_or_redone() {
    let (_folder, path) = file();
    let vault = create(&path);
    let ids: Vec<EntryId> = (0..50).map(|n| add(&vault, &format!("entry {n}"))).collect();
    let writer = open(&path, &key(1)).unwrap();
    let reader = LockedVault::open(&path, options()).unwrap().unlock_read_only(&key(1)).unwrap();
    compact(&vault).unwrap();
    vault.expunge(&Actor::owner(), &ids[..1], "order").unwrap();
    // The old state stays readable until the handle moves on.
    for handle in [&reader, &writer] {
        assert!(ids[1..].iter().all(|id| handle.entry(*id).is_ok()));
        handle.refresh().unwrap();
        assert_eq!(handle.epoch(), vault.epoch());
        assert!(matches!(handle.entry(ids[0]), Err(Error::NoSuchEntry { .. })));
        assert!(handle.check().unwrap().is_clean());
    }
    compact(&vault).unwrap();
    let id = add(&writer, "by the other handle");
    vault.refresh().unwrap();
    assert!(vault.entry(id).is_ok() && vault.check().unwrap().is_clean());
}

#[test]
fn a_handle_whose_file_was_swapped_beneath_a_read_reads_the_new_one() {
    let (_folder, path) = file();
    let vault = create(&path);
    let ids: Vec<EntryId> = (0..50).map(|n| add(&vault, &format!("entry {n}"))).collect();
    let old = vault.unlocked().unwrap();
    compact(&vault).unwrap();
    // A read that began before: its snapshot points into the old file.
    *vault.session.state.write().unwrap() = crate::vault::session::state::State::Unlocked(old);
    assert!(ids.iter().all(|id| vault.entry(*id).is_ok()));
}

#[test]
fn another_vault_in_its_place_is_told() {
    let (folder, path) = file();
    let vault = create(&path);
    let id = add(&vault, "x");
    let other = folder.path().join("other");
    drop(create(&other));
    std::fs::rename(&other, &path).unwrap();
    assert!(matches!(compact(&vault), Err(Error::Store(StoreError::Replaced))));
    assert!(matches!(vault.refresh(), Err(Error::Store(StoreError::Replaced))));
    assert!(vault.entry(id).is_ok(), "what is open can still be read");
}

#[test]
fn an_older_copy_in_its_place_is_a_rollback_and_not_damage() {
    let (_folder, path) = file();
    let vault = create(&path);
    let copy = std::fs::read(&path).unwrap();
    let id = add(&vault, "x");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, &copy).unwrap();
    assert!(matches!(vault.refresh(), Err(Error::RolledBack)));
    vault.unlocked().unwrap().core.cache.clear();
    assert!(matches!(vault.entry(id), Err(Error::RolledBack)));
    assert!(matches!(
        vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "y", "2020"))),
        Err(Error::RolledBack)
    ));
    assert!(std::fs::read(&path).unwrap() == copy);
}

#[test]
fn racing_commits_and_compactions_lose_nothing() {
    let (_folder, path) = file();
    drop(create(&path));
    let wait = options().with_lock_wait(std::time::Duration::from_secs(60));
    let handle = || LockedVault::open(&path, wait.clone()).unwrap().unlock(&key(1)).unwrap();
    let ids = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let vault = handle();
                    (0..25).map(|n| add(&vault, &format!("entry {n}"))).collect::<Vec<_>>()
                })
            })
            .collect();
        let compactor = scope.spawn(|| {
            let vault = handle();
            (0..12).for_each(|_| assert!(compact(&vault).is_ok()));
        });
        let reader = scope.spawn(|| {
            let vault = LockedVault::open(&path, wait.clone()).unwrap().unlock_read_only(&key(1)).unwrap();
            for _ in 0..40 {
                vault.refresh().unwrap();
                let listed = vault.list(&Filter::all()).unwrap();
                listed.iter().for_each(|listed| assert!(vault.entry(listed.id).is_ok()));
            }
        });
        compactor.join().unwrap();
        reader.join().unwrap();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    let vault = handle();
    assert_eq!(vault.list(&Filter::all()).unwrap().len(), 50);
    assert!(ids.iter().all(|id| vault.entry(*id).is_ok()));
    assert!(vault.check().unwrap().is_clean());
    assert_eq!(names(&path), ["a.vault"]);
}

#[test]
fn closing_compacts_when_more_is_dead_than_live_and_worth_it() {
    for wanted in [true, false] {
        let (_folder, path) = file();
        drop(create(&path));
        let options = options().with_compaction_at_close(wanted);
        let vault = LockedVault::open(&path, options).unwrap().unlock(&key(1)).unwrap();
        let large = note("progress", &"slept badly ".repeat(600_000));
        let three = [&large, &large, &large];
        let add = |tx: &mut Transaction<'_>| three.into_iter().map(|entry| tx.add(entry)).collect();
        let ids: Vec<EntryId> = vault.update(&Actor::owner(), add).unwrap().value;
        assert!(!vault.space().unwrap().is_compaction_due());
        vault.expunge(&Actor::owner(), &ids, "order").unwrap();
        assert!(vault.space().unwrap().is_compaction_due());
        let closed = vault.close().unwrap();
        assert_eq!(closed.compacted.is_some(), wanted);
        assert!(closed.not_compacted.is_none());
        assert_eq!(std::fs::metadata(&path).unwrap().len() < 1 << 20, wanted);
        if !wanted {
            // What is in the way keeps nobody from closing.
            std::fs::write(beside(&path, ".old"), b"mine").unwrap();
            let closed = open(&path, &key(1)).unwrap().close().unwrap();
            assert!(matches!(closed.not_compacted, Some(Error::Store(StoreError::InTheWay { .. }))));
        }
    }
}

#[test]
fn a_new_file_that_does_not_read_back_as_it_was_written_does_not_become_the_vault() {
    let resting = Resting::new();
    let disk = SimDisk::without_trace(resting.image.clone());
    let vault = disk.unlock(&owner()).unwrap();
    compact(&vault).unwrap();
    // Only sizes decide where an object comes to stand.
    let objects = objects_below_first_pages(&vault);
    for object in objects.iter().step_by(6) {
        let disk = SimDisk::without_trace(resting.image.clone());
        let vault = disk.unlock(&owner()).unwrap();
        let mut flipped = false;
        let result = vault.compact_with(&Actor::owner(), |_| {
            let files = disk.files();
            let draft = files.image("vault.compact").expect("the new file has its name");
            let root = usize::try_from(crate::format::header::geometry::ROOT_B).unwrap();
            let is_whole = draft.get(root..root + 64).is_some_and(|root| root.iter().any(|byte| *byte != 0));
            if is_whole && !std::mem::replace(&mut flipped, true) {
                disk.flip_in("vault.compact", object.start + 20, 1);
            }
        });
        assert!(
            flipped && matches!(result, Err(Error::Damaged { what: "new file" })),
            "{object:?}: {result:?}"
        );
        let files = disk.files();
        assert_eq!(files.named().map(|(name, _)| name).collect::<Vec<_>>(), [VAULT]);
        assert!(disk.image() == resting.image && vault.check().unwrap().is_clean());
        assert!(compact(&vault).is_ok());
    }
}

/// The longest name of an actor makes a longer line in `custody`, and moves nothing before it.
#[test]
fn everyday_objects_stand_first_whoever_compacts() {
    let disk = SimDisk::without_trace(super::workload::new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    for number in 0..40 {
        add(&vault, &format!("entry {number}"));
    }
    vault.close().unwrap();
    let compacted_by = |name: String| {
        let disk = SimDisk::without_trace(disk.image());
        let vault = disk.unlock(&owner()).unwrap();
        vault.compact(&Actor::new(name).unwrap()).unwrap();
        let unlocked = vault.unlocked().unwrap();
        let reader = unlocked.reader();
        let mut ends = Vec::new();
        for tier in [crate::store::Tier::Everyday, crate::store::Tier::Hidden] {
            let mut places = Vec::new();
            for compartment in Compartment::ALL.into_iter().filter(|place| place.tier() == tier) {
                let root = unlocked.snapshot.place(compartment).unwrap().trie.as_ref();
                places.extend(root.map(|root| (root.object.reference, root.object.length)));
                let mut visit = |row: &crate::tree::Row| {
                    let object = row.object.as_ref();
                    places.extend(object.map(|object| (object.object.reference, object.object.length)));
                    Ok(())
                };
                reader.trie(compartment).unwrap().scan(&mut visit).unwrap();
            }
            ends.push(places);
        }
        ends
    };
    let [short, long] = [1, Actor::LIMIT].map(|length| compacted_by("x".repeat(length)));
    assert_eq!(short[0], long[0]);
    assert_ne!(short[1], long[1], "a line is longer");
    let at = |places: &[([u8; 16], u64)]| -> Vec<u64> {
        places.iter().map(|(reference, _)| u64::from_le_bytes(*reference.first_chunk().unwrap())).collect()
    };
    assert!(at(&short[0]).iter().max() < at(&short[1]).iter().min());
}
