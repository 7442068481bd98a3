//! What one commit appends to the file.

use super::basics::{diagnosis, note, options};
use super::disk::SimDisk;
use super::workload::{clinic, new_image, owner};
use crate::format::segment::{HIDDEN_PART, PROTECTED_PART, class};
use crate::vault::session::create::file_image;
use crate::*;

/// Commits of each kind that are measured.
const COMMITS: u64 = 24;

fn appended(vault: &Vault, change: impl FnOnce(&Vault)) -> u64 {
    let end = |vault: &Vault| vault.unlocked().unwrap().snapshot.root.segment.end;
    let before = end(vault);
    change(vault);
    end(vault) - before
}

fn add(vault: &Vault, count: usize) -> Vec<EntryId> {
    let entries: Vec<Entry> =
        (0..count).map(|n| diagnosis(&format!("F{n}"), "an entry", "2019-03")).collect();
    vault.update(&Actor::owner(), |tx| entries.iter().map(|entry| tx.add(entry)).collect()).unwrap().value
}

/// Bytes appended by an addition, an amendment and an expungement, the mean of as
/// many of each: how full the pages are on the way is chance.
fn at(count: usize) -> [u64; 3] {
    let vault = SimDisk::without_trace(new_image("password")).unlock(&owner()).unwrap();
    if count > 0 {
        add(&vault, count);
    }
    // Commits of a vault that is in use: its history is in the catalogue too.
    for _ in 0..40 {
        add(&vault, 1);
    }
    let ids: Vec<EntryId> = (0..COMMITS).map(|_| add(&vault, 1)[0]).collect();
    let entry = diagnosis("F99", "amended", "2020");
    let mut sums = [0; 3];
    for id in ids {
        sums[0] += appended(&vault, |vault| drop(add(vault, 1)));
        sums[1] += appended(&vault, |vault| {
            vault.update(&Actor::owner(), |tx| tx.amend(id, &entry, "why")).map(drop).unwrap()
        });
        sums[2] += appended(&vault, |vault| drop(vault.expunge(&Actor::owner(), &[id], "order").unwrap()));
    }
    sums.map(|sum| sum / COMMITS)
}

#[test]
fn a_commit_appends_a_bounded_number_of_bytes() {
    let vault = SimDisk::without_trace(new_image("password")).unlock(&owner()).unwrap();
    let first = appended(&vault, |vault| drop(add(vault, 1)));
    eprintln!("bytes appended by the first entry: {first}");
    let least = class(PROTECTED_PART + HIDDEN_PART + 1);
    assert_eq!(first, least);
    // With the parts that everybody who may write hidden compartments sets apart.
    for (count, bounds) in [
        (40, [least + 16_000, least + 18_000, least + 24_000]),
        (1_000, [least + 22_000, least + 26_000, least + 34_000]),
        (10_000, [least + 24_000, least + 32_000, least + 44_000]),
    ] {
        let bytes = at(count - 40);
        eprintln!("bytes appended at {count} entries, adding, amending, expunging one: {bytes:?}");
        assert!(bytes.iter().zip(bounds).all(|(bytes, bound)| *bytes <= bound), "{count}: {bytes:?}");
    }
}

#[test]
fn a_vault_of_thirty_entries_is_at_most_192_kib_longer_than_they_are() {
    for (who, new) in [("one way in", None), ("three ways in", Some(new_image("password")))] {
        let image = new.unwrap_or_else(|| file_image(&NewVault::individual(&owner()), &options()));
        let disk = SimDisk::without_trace(image);
        let vault = disk.unlock(&owner()).unwrap();
        let entries: Vec<Entry> = (0..30).map(|_| note("progress", &"slept badly ".repeat(85))).collect();
        vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap();
        vault.close().unwrap();
        let over = disk.image().len() - 30 * 12 * 85;
        eprintln!("{who}: 30 entries of 1 KiB, the file is {} KiB longer", over >> 10);
        assert!(over <= 192 << 10, "{who}: {over}");
    }
}

/// Lengths of a vault file after a thousand commits of one small entry each by whoever has
/// this credential, and after a compaction.
fn after_a_thousand_commits(by: &Credential) -> [u64; 2] {
    let disk = SimDisk::without_trace(new_image("password"));
    let vault = disk.unlock(by).unwrap();
    for _ in 0..1000 {
        add(&vault, 1);
    }
    drop(vault);
    let vault = disk.unlock(&owner()).unwrap();
    let before = vault.space().unwrap().file;
    vault.compact(&Actor::owner()).unwrap();
    [before, vault.space().unwrap().file]
}

#[test]
fn what_a_clinics_vault_takes_before_and_after_a_compaction_is_what_readme_says() {
    for (who, by, said) in
        [("everyday", clinic(), [40 << 20, 2 << 20]), ("all", owner(), [90 << 20, 2 << 20])]
    {
        let measured = after_a_thousand_commits(&by);
        eprintln!("{who}: {measured:?} bytes");
        assert!(measured.iter().zip(said).all(|(bytes, bound)| *bytes <= bound), "{who}: {measured:?}");
    }
}

#[test]
fn what_an_interrupted_act_left_behind_the_last_commit_is_counted_and_given_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault");
    std::fs::write(&path, new_image("password")).unwrap();
    let open = || LockedVault::open(&path, options()).unwrap().unlock(&owner()).unwrap();
    let vault = open();
    add(&vault, 1);
    let before = vault.space().unwrap();
    vault.close().unwrap();
    let left = 20 << 20;
    let length = std::fs::metadata(&path).unwrap().len() + left;
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
    let vault = open();
    let space = vault.space().unwrap();
    assert_eq!((space.file, space.dead), (length, before.dead.map(|dead| dead + left)));
    assert!(space.is_compaction_due());
    assert!(vault.close_with(|_| {}).unwrap().compacted.is_some());
    assert!(std::fs::metadata(&path).unwrap().len() < left);
}
