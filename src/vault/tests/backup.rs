//! Backup and restore on real files, and on a disk that does not keep what was written.

use super::basics::{diagnosis, file, key, open, options};
use super::disk::{SimDisk, VAULT};
use super::repair::Resting;
use super::workload::owner;
use crate::format::header::geometry;
use crate::store::{Destination, StoreError};
use crate::*;

fn add(vault: &Vault, count: usize) -> Vec<EntryId> {
    let entries: Vec<Entry> = (0..count).map(|n| diagnosis("J45", &format!("entry {n}"), "2020")).collect();
    vault.update(&Actor::owner(), |tx| entries.iter().map(|entry| tx.add(entry)).collect()).unwrap().value
}

fn vault_with(count: usize) -> (tempfile::TempDir, std::path::PathBuf, Vault, Vec<EntryId>) {
    let (folder, path) = file();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let ids = add(&vault, count);
    (folder, path, vault, ids)
}

fn back_up(vault: &Vault, to: &std::path::Path) -> Result<BackupReport, Error> {
    vault.backup(&Actor::owner(), to, "in the drawer")
}

fn files(folder: &tempfile::TempDir) -> usize {
    std::fs::read_dir(folder.path()).unwrap().count()
}

#[test]
fn a_backup_restores_to_the_same_checkpoint() {
    let (folder, path, vault, ids) = vault_with(40);
    let checkpoint = vault.checkpoint().unwrap();
    let backup = folder.path().join("backup");
    let report = back_up(&vault, &backup).unwrap();
    assert_eq!((report.checkpoint, report.entries), (checkpoint, 40));
    assert_eq!(std::fs::metadata(&backup).unwrap().len(), report.bytes);
    let listed = vault.backups().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].checkpoint, listed[0].name.as_str()), (checkpoint, "in the drawer"));
    assert_eq!(listed[0].epoch, vault.epoch());
    vault.expunge(&Actor::owner(), &ids[..1], "order").unwrap();
    drop(vault);
    std::fs::remove_file(&path).unwrap();

    let before = std::fs::read(&backup).unwrap();
    let locked = LockedVault::open(&backup, options()).unwrap().expecting(checkpoint);
    let restored = locked.restore(&key(1), &path).unwrap();
    assert_eq!(restored, report);
    let vault = LockedVault::open(&path, options()).unwrap().expecting(checkpoint).unlock(&key(1)).unwrap();
    assert_eq!((vault.checkpoint().unwrap(), vault.recovery()), (checkpoint, Recovery::NotNeeded));
    assert!(ids.iter().all(|id| vault.entry(*id).is_ok()) && vault.check().unwrap().is_clean());
    assert!(std::fs::read(&backup).unwrap() == before, "a restoration reads only");
    assert_eq!(files(&folder), 2);
    for to in [&path, &backup] {
        let again = LockedVault::open(&backup, options()).unwrap().restore(&key(1), to);
        assert!(matches!(again, Err(Error::Store(StoreError::Exists))));
    }
    let wrong = LockedVault::open(&backup, options()).unwrap();
    let wrong = wrong.restore(&key(9), folder.path().join("never"));
    assert!(matches!(wrong, Err(Error::WrongCredential)));
    assert_eq!(files(&folder), 2);
}

#[test]
fn a_backup_goes_over_nothing_and_leaves_nothing_when_it_fails() {
    let (folder, path, vault, _) = vault_with(3);
    let other = folder.path().join("other");
    std::fs::write(&other, b"mine").unwrap();
    let image = std::fs::read(&path).unwrap();
    for to in [&path, &other] {
        assert!(matches!(back_up(&vault, to), Err(Error::Store(StoreError::Exists))));
    }
    let missing = folder.path().join("no folder").join("backup");
    assert!(matches!(back_up(&vault, &missing), Err(Error::Store(StoreError::NoFolder))));
    let to = folder.path().join("backup");
    assert!(matches!(vault.backup(&Actor::owner(), &to, "  "), Err(Error::Invalid { .. })));
    assert_eq!(std::fs::read(&other).unwrap(), b"mine");
    assert!(std::fs::read(&path).unwrap() == image);
    // Somebody takes the name while the copy is made.
    let result =
        vault.backup_with(&Actor::owner(), &to, "drawer", |_| std::fs::write(&to, b"mine too").unwrap());
    assert!(matches!(result, Err(Error::Store(StoreError::Exists))));
    assert_eq!(std::fs::read(&to).unwrap(), b"mine too");
    assert_eq!(files(&folder), 3);
    let memory = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let to = folder.path().join("memory");
    assert!(matches!(back_up(&memory, &to), Err(Error::Store(StoreError::Unsupported))));
}

#[test]
fn the_names_that_compaction_needs_are_refused_for_copies() {
    let (folder, path, vault, _) = vault_with(3);
    let backup = folder.path().join("backup");
    back_up(&vault, &backup).unwrap();
    for beside in [&path, &backup] {
        for suffix in [".old", ".compact"] {
            let mut to = beside.clone().into_os_string();
            to.push(suffix);
            let to = std::path::PathBuf::from(to);
            assert!(matches!(back_up(&vault, &to), Err(Error::Store(StoreError::ReservedName))));
            let restored = LockedVault::open(&backup, options()).unwrap().restore(&key(1), &to);
            assert!(matches!(restored, Err(Error::Store(StoreError::ReservedName))));
        }
    }
    assert_eq!(files(&folder), 2);
    // Of no file that is there, which may come.
    let to = folder.path().join("last.OLD");
    assert!(matches!(back_up(&vault, &to), Err(Error::Store(StoreError::ReservedName))));
}

#[test]
fn a_damaged_vault_is_not_backed_up_as_if_it_were_whole() {
    let (folder, path, vault, _) = vault_with(3);
    drop(vault);
    let mut image = std::fs::read(&path).unwrap();
    let at = usize::try_from(crate::format::header::geometry::APPEND).unwrap();
    let entries = open(&path, &key(1)).unwrap();
    let end = usize::try_from(entries.unlocked().unwrap().snapshot.root.segment.end).unwrap();
    drop(entries);
    image[at..end].iter_mut().step_by(64).for_each(|byte| *byte ^= 1);
    let broken = folder.path().join("broken");
    std::fs::write(&broken, &image).unwrap();
    let opened = LockedVault::open(&broken, options()).unwrap();
    let restored = opened.restore(&key(1), folder.path().join("copy"));
    assert_eq!(restored.unwrap_err().kind(), ErrorKind::Damaged);
    assert_eq!(files(&folder), 2);
}

#[test]
fn others_may_commit_expunge_and_compact_while_a_backup_is_made() {
    type Meanwhile = fn(&Vault, &[EntryId]);
    let meanwhile: [Meanwhile; 3] = [
        |vault, _| drop(add(vault, 1)),
        |vault, ids| drop(vault.expunge(&Actor::owner(), &ids[..1], "order").unwrap()),
        |vault, _| assert!(vault.compact(&Actor::owner()).is_ok()),
    ];
    for disturb in meanwhile {
        let (folder, path, vault, ids) = vault_with(40);
        let other = open(&path, &key(1)).unwrap();
        let backup = folder.path().join("backup");
        let mut is_first = true;
        let report = vault.backup_with(&Actor::owner(), &backup, "drawer", |_| {
            if std::mem::take(&mut is_first) {
                disturb(&other, &ids);
            }
        });
        let report = report.unwrap();
        let copy = open(&backup, &key(1)).unwrap();
        assert_eq!(copy.checkpoint().unwrap(), report.checkpoint);
        assert!(copy.check().unwrap().is_clean());
        vault.expect(&report.checkpoint).unwrap();
        assert_eq!(files(&folder), 2);
    }
}

#[test]
fn a_backup_is_made_in_the_end_however_much_is_expunged_meanwhile() {
    let (folder, path, vault, ids) = vault_with(40);
    let other = open(&path, &key(1)).unwrap();
    let mut left = ids.into_iter();
    let mut expunged = 0;
    let backup = folder.path().join("backup");
    let mut disturb = |progress: Progress| {
        let is_start = progress.done == crate::format::header::geometry::APPEND;
        if is_start && let Some(id) = left.next() {
            // The last copy keeps others out.
            expunged += usize::from(other.expunge(&Actor::owner(), &[id], "order").is_ok());
        }
    };
    let report = vault.backup_with(&Actor::owner(), &backup, "drawer", &mut disturb).unwrap();
    assert!((1..=3).contains(&expunged));
    assert_eq!(report.entries, 40 - expunged as u64);
    assert_eq!(files(&folder), 2);
}

#[test]
fn the_report_of_an_erasure_lists_the_backups_that_still_hold_the_entry() {
    let (folder, _, vault, ids) = vault_with(2);
    back_up(&vault, &folder.path().join("first")).unwrap();
    let late = add(&vault, 1);
    back_up(&vault, &folder.path().join("second")).unwrap();
    let report = vault.expunge(&Actor::owner(), &late, "order").unwrap();
    assert_eq!(report.backups, vault.backups().unwrap()[1..]);
    let report = vault.expunge(&Actor::owner(), &ids[..1], "order").unwrap();
    assert_eq!(report.backups, vault.backups().unwrap());
}

#[test]
fn one_compartments_holder_backs_up_the_whole_vault() {
    let (folder, path) = file();
    let (owner, clinic) = (key(1), key(2));
    let access = vec![
        Access::to_everything(&owner, "owner"),
        Access { credential: &clinic, name: "clinic", grant: Grant::of(&[Compartment::General]) },
    ];
    let new = NewVault { access, ..NewVault::individual(&owner) };
    let whole = Vault::create(&path, &new, options()).unwrap();
    let hidden = super::basics::note("psychotherapy", "said nothing");
    let id = whole.update(&Actor::owner(), |tx| tx.add(&hidden)).unwrap().value;
    let part = open(&path, &clinic).unwrap();
    let backup = folder.path().join("backup");
    // A commit meanwhile may have withdrawn what this access cannot check.
    let mut is_first = true;
    let report = part.backup_with(&Actor::owner(), &backup, "drawer", |_| {
        if std::mem::take(&mut is_first) {
            add(&whole, 1);
        }
    });
    assert!(report.unwrap().not_checked.contains(&Compartment::PsychotherapyNotes));
    let copy = open(&backup, &owner).unwrap();
    assert_eq!(copy.list(&Filter::all()).unwrap().len(), 2, "the copy was made anew");
    assert!(copy.entry(id).is_ok());
}

/// The one file beside the vault.
fn temporary(disk: &SimDisk) -> String {
    let files = disk.files();
    let names: Vec<&str> = files.named().map(|(name, _)| name).filter(|name| *name != VAULT).collect();
    assert!(names.len() == 1 && names[0].starts_with(".subrosa-"), "{names:?}");
    names[0].to_owned()
}

/// Backs a vault up, doing this when all is written and nothing is read back.
fn back_up_disturbed(
    disk: &SimDisk,
    vault: &Vault,
    disturb: &mut dyn FnMut(&str),
) -> Result<BackupReport, Error> {
    let to = Destination::on(disk.folder(), "backup".into()).unwrap();
    vault.backup_to(&Actor::owner(), &to, "drawer", &mut |progress| {
        if progress.done == progress.total {
            disturb(&temporary(disk));
        }
    })
}

fn assert_nothing_left(disk: &SimDisk, image: &[u8]) {
    let files = disk.files();
    assert_eq!(files.named().map(|(name, _)| name).collect::<Vec<_>>(), [VAULT]);
    assert!(disk.image() == image, "the vault is as it was, its ledger included");
}

#[test]
fn a_backup_that_does_not_read_back_as_it_was_written_gets_no_name_and_no_line() {
    let resting = Resting::new();
    let heads = [geometry::AREA_A, geometry::AREA_B, geometry::ROOT_A, geometry::ROOT_B];
    let heads = heads.map(|offset| usize::try_from(offset).unwrap() + 300);
    let objects = resting.objects.iter().step_by(6).map(|object| object.start + 20);
    for byte in objects.chain(heads) {
        let disk = SimDisk::without_trace(resting.image.clone());
        let vault = disk.unlock(&owner()).unwrap();
        let error = back_up_disturbed(&disk, &vault, &mut |name| disk.flip_in(name, byte, 1)).err();
        let Some(Error::Store(StoreError::Io { source })) = error else { panic!("{byte}: {error:?}") };
        assert!(source.to_string().contains("does not read back"), "{byte}: {source}");
        assert_nothing_left(&disk, &resting.image);
        assert!(back_up_disturbed(&disk, &vault, &mut |_| {}).is_ok());
    }
}

#[test]
fn a_vault_with_one_damaged_object_is_not_backed_up_whatever_is_in_memory() {
    let resting = Resting::new();
    for object in resting.objects.iter().step_by(6) {
        let disk = SimDisk::without_trace(resting.image.clone());
        let vault = disk.unlock(&owner()).unwrap();
        assert!(vault.check().unwrap().is_clean(), "every page is in memory");
        disk.flip(object.start + 20, 1);
        let damaged = disk.image();
        let error = back_up_disturbed(&disk, &vault, &mut |_| {}).err();
        assert!(matches!(error, Some(Error::Damaged { what: "what was to be copied" })), "{error:?}");
        assert_nothing_left(&disk, &damaged);
    }
}
