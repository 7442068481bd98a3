//! A failing disk: at every call of every operation, once. The call returns a
//! typed error, a handle that cannot know its state refuses to write on, and
//! the file holds the last acknowledged state or the whole new one.

use super::basics::{diagnosis, note};
use super::crash::assert_copies_are_equal;
use super::disk::{CrashState, Fault, SimDisk, VAULT};
use super::workload::{new_image, owner, password};
use crate::format::header::geometry;
use crate::store::{Destination, StoreError};
use crate::*;

const OLD: &str = "old password";
const NEW: &str = "new password";

/// The memory that passwords of the vault cost, in KiB.
const SAME: u32 = 64;

/// What an operation does to an unlocked vault.
type Operation = fn(&Vault, &[EntryId]) -> Result<(), Error>;

fn add(vault: &Vault, _: &[EntryId]) -> Result<(), Error> {
    let entries = [diagnosis("J45", "x", "2020"), note("progress", &"slept badly ".repeat(4000))];
    vault.update(&Actor::owner(), |tx| entries.iter().try_for_each(|entry| tx.add(entry).map(|_| ())))?;
    Ok(())
}

fn expunge(vault: &Vault, ids: &[EntryId]) -> Result<(), Error> {
    vault.expunge(&Actor::owner(), &ids[..2], "order").map(|_| ())
}

fn change_password(vault: &Vault, _: &[EntryId]) -> Result<(), Error> {
    let words = |text: &str| Password::new(text.into()).unwrap();
    vault.change_password(&Actor::owner(), words(OLD), words(NEW))
}

/// A forgotten password goes and another comes.
fn recover(vault: &Vault, _: &[EntryId]) -> Result<(), Error> {
    let id = vault.access()?.into_iter().find(|access| access.name == "password").unwrap().id;
    let new = password(NEW);
    let change = AccessChange { revoke: vec![id], add: vec![Access::to_everything(&new, "password")] };
    vault.change_access(&Actor::owner(), &change).map(drop)
}

/// A vault at rest with a few entries.
fn resting() -> (Vec<u8>, Vec<EntryId>) {
    let disk = SimDisk::without_trace(new_image(OLD));
    let vault = disk.unlock(&owner()).unwrap();
    let entries: Vec<Entry> = (0..5).map(|n| diagnosis(&format!("F{n}"), "x", "2019")).collect();
    let ids = vault.update(&Actor::owner(), |tx| entries.iter().map(|e| tx.add(e)).collect()).unwrap().value;
    drop(vault.lock().unwrap());
    (disk.image(), ids)
}

/// What a vault holds, as far as these tests tell states apart.
#[derive(Debug, PartialEq, Eq)]
struct Observed {
    epoch: Epoch,
    ids: Vec<EntryId>,
    opens_with_new: bool,
}

fn observe(image: Vec<u8>) -> Observed {
    observe_disk(&SimDisk::without_trace(image))
}

fn observe_disk(disk: &SimDisk) -> Observed {
    let vault = disk.unlock(&owner()).unwrap();
    assert_copies_are_equal(&disk.image());
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    let mut ids: Vec<EntryId> = vault.list(&Filter::all()).unwrap().iter().map(|listed| listed.id).collect();
    ids.iter().for_each(|id| assert!(vault.entry(*id).is_ok()));
    ids.sort_unstable();
    let epoch = vault.epoch();
    drop(vault);
    let [old, new] = [OLD, NEW].map(|text| disk.unlock(&password(text)).is_ok());
    assert!(old != new, "exactly one password opens");
    Observed { epoch, ids, opens_with_new: new }
}

/// Whether the state of the file cannot be known after this call failed: it
/// was a sync, or a write of a fixed part, or came after the first root.
fn must_poison(call: (&str, u64), root_written: bool) -> bool {
    match call {
        ("sync" | "sync folder", _) => true,
        ("write", offset) => offset < geometry::APPEND || root_written,
        _ => false,
    }
}

/// Runs an operation with each of its calls failing in turn; new passwords cost
/// this much memory.
fn fail_every_call(operation: Operation, memory_kib: u32) -> usize {
    let (image, ids) = resting();
    let before = observe(image.clone());
    let mut poisoned = 0;
    for fault in Fault::ALL {
        for call in 0.. {
            let disk = SimDisk::new(image.clone());
            let mut vault = disk.unlock(&owner()).unwrap();
            vault.options.kdf_cost.memory_kib = memory_kib;
            let root =
                |disk: &SimDisk| disk.image()[usize::try_from(geometry::ROOT_A).unwrap()..][..64].to_vec();
            let unwritten = root(&disk);
            disk.fail_at(call, fault);
            let result = operation(&vault, &ids);
            let Some(failed) = disk.failed() else {
                result.unwrap();
                assert!(call > 10, "an operation makes more calls than that");
                break;
            };
            let context = format!("{fault:?} at call {call}, {failed:?}");
            if let Err(error) = &result {
                assert!(matches!(error, Error::Store(_)), "{context}: {error}");
            }
            if must_poison(failed, root(&disk) != unwritten) {
                assert!(result.is_err(), "{context}");
                let again = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "x", "2020")));
                assert!(matches!(again, Err(Error::Store(StoreError::Poisoned))), "{context}");
                poisoned += 1;
            }
            drop(vault);
            let survivors = [("the process dies", disk.image()), ("the power fails", disk.durable_image())];
            for (crash, survivor) in survivors {
                let found = observe(survivor);
                let is_new = found.epoch == before.epoch.next();
                assert!(is_new || found == before, "{context}, then {crash}: {found:?}");
                let reported = !is_new || failed.0 != "read" || result.is_ok();
                assert!(reported, "{context}: done, and reported as failed");
                assert!(is_new || result.is_err(), "{context}, then {crash}: an acknowledged commit is lost");
            }
        }
    }
    poisoned
}

#[test]
fn a_fault_at_any_call_of_adding_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call(add, SAME) > 3);
}

#[test]
fn a_fault_at_any_call_of_expunging_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call(expunge, SAME) > 5);
}

#[test]
fn a_fault_at_any_call_of_a_password_change_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call(change_password, SAME) > 5);
}

#[test]
fn a_fault_at_any_call_of_a_change_of_access_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call(recover, SAME) > 5);
}

#[test]
fn a_fault_at_any_call_of_moving_to_another_cost_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call(change_password, 2 * SAME) > 5);
}

/// The state in which an expungement's root is durable once and nothing else is.
fn interrupted(operation: Operation) -> Vec<u8> {
    let (image, ids) = resting();
    let disk = SimDisk::new(image);
    let vault = disk.unlock(&owner()).unwrap();
    operation(&vault, &ids).unwrap();
    let mut found = None;
    let mut chance = super::disk::Chance::new(1);
    super::disk::crash_states(&disk.trace(), &mut chance, &mut |state: CrashState| {
        let part = |offset: u64| &state.durable.vault()[usize::try_from(offset).unwrap()..][..64];
        if part(geometry::ROOT_A) != part(geometry::ROOT_B) && state.pending.is_empty() && found.is_none() {
            found = Some(state.durable.vault().clone());
        }
    });
    found.unwrap()
}

#[test]
fn a_fault_at_any_call_of_a_recovery_is_an_error_and_the_next_recovery_succeeds() {
    for operation in [add as Operation, expunge, change_password, recover] {
        let image = interrupted(operation);
        let expected = observe(image.clone());
        for fault in Fault::ALL {
            for call in 0.. {
                let disk = SimDisk::new(image.clone());
                let locked = disk.open().unwrap();
                disk.fail_at(call, fault);
                let result = locked.unlock(&owner());
                let Some(failed) = disk.failed() else {
                    assert!(result.is_ok() && call > 10);
                    break;
                };
                if let Err(error) = &result {
                    assert!(matches!(error, Error::Store(_)), "{failed:?}: {error}");
                }
                assert!(result.is_err() || !matches!(failed.0, "write" | "sync" | "read"), "{failed:?}");
                for survivor in [disk.image(), disk.durable_image()] {
                    assert_eq!(observe(survivor), expected, "{fault:?} at call {call}, {failed:?}");
                }
            }
        }
    }
}

fn compact(vault: &Vault, _: &SimDisk) -> Result<(), Error> {
    vault.compact(&Actor::owner(), |_| {}).map(|_| ())
}

fn back_up(vault: &Vault, disk: &SimDisk) -> Result<(), Error> {
    let to = Destination::on(disk.folder(), "backup".into())?;
    vault.backup_to(&Actor::owner(), &to, "drawer", &mut |_| {}).map(|_| ())
}

/// A fault at each call of an operation that makes files: the vault is as it
/// was or has the operation's commit, and nothing is left after an opening.
fn fail_every_call_with_files(operation: fn(&Vault, &SimDisk) -> Result<(), Error>) -> usize {
    let (image, ids) = resting();
    let before = observe(image.clone());
    let mut refused = 0;
    for fault in Fault::ALL {
        for call in 0.. {
            let disk = SimDisk::new(image.clone());
            let vault = disk.unlock(&owner()).unwrap();
            disk.fail_at(call, fault);
            let result = operation(&vault, &disk);
            let Some(failed) = disk.failed() else {
                result.unwrap();
                assert!(call > 50, "such an operation makes more calls than that");
                break;
            };
            let context = format!("{fault:?} at call {call}, {failed:?}: {result:?}");
            refused += usize::from(result.is_err());
            assert!(matches!(result, Ok(()) | Err(Error::Store(_))), "{context}");
            // What is unlocked can still be read, and writes or says why not.
            ids.iter().for_each(|id| assert!(vault.entry(*id).is_ok(), "{context}"));
            let again = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "x", "2020")));
            let poisoned = matches!(again, Err(Error::Store(StoreError::Poisoned)));
            assert!(again.is_ok() || poisoned, "{context}, then {again:?}");
            let mut left = 0;
            disk.files().named().for_each(|(name, _)| left += usize::from(name != VAULT && name != "backup"));
            assert!(left == 0 || poisoned || failed.0 == "remove", "{context}: something is left");
            let commits = 1 + u64::from(again.is_ok());
            drop(vault);
            for (crash, files) in
                [("the process dies", disk.files()), ("the power fails", disk.durable_files())]
            {
                let survivor = SimDisk::of_files(files);
                let found = observe_disk(&survivor);
                let late = found.epoch.number() - before.epoch.number();
                assert!(late <= commits, "{context}, then {crash}");
                assert!(late > 0 || result.is_err(), "{context}, then {crash}: what was done is lost");
                let files = survivor.files();
                for (name, image) in files.named() {
                    match name {
                        VAULT => {}
                        "backup" => drop(observe(image.clone())),
                        name => {
                            assert!(name.starts_with(".subrosa-") && result.is_err(), "{context}: {name}")
                        }
                    }
                }
            }
        }
    }
    refused
}

#[test]
fn a_fault_at_any_call_of_compaction_leaves_the_vault_as_it_was_or_compacted() {
    assert!(fail_every_call_with_files(compact) > 50);
}

#[test]
fn a_fault_at_any_call_of_a_backup_leaves_the_vault_whole_and_no_half_backup() {
    assert!(fail_every_call_with_files(back_up) > 50);
}
