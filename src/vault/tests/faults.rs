//! A failing disk: at every call of every operation, once. The call returns a
//! typed error, a handle that cannot know its state refuses to write on, and
//! the file holds the last acknowledged state or the whole new one.

use std::sync::Arc;

use super::basics::{diagnosis, note, options};
use super::crash::assert_copies_are_equal;
use super::disk::{CrashState, Fault, Files, SimDisk, VAULT};
use super::tamper::Subject;
use super::workload::{Broken, new_image, owner, password, with_three_ways_in};
use crate::format::header::geometry;
use crate::store::{Destination, StoreError};
use crate::testing::{make_worth_compacting, shrink_slices};
use crate::vault::session::create::in_new_file;
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

/// Bytes of a slice.
const SLICE: usize = 504;

fn attach_bytes(vault: &Vault, byte: u8) -> Result<EntryId, Error> {
    let new = NewAttachment::new(Attachment::default());
    let bytes = [byte; 3 * SLICE + 7];
    Ok(vault.attach(&Actor::owner(), &new, &mut &bytes[..])?.value)
}

fn attach(vault: &Vault, _: &[EntryId]) -> Result<(), Error> {
    attach_bytes(vault, 2).map(|_| ())
}

/// Four slices, two in a commit.
fn attach_in_two_commits(vault: &Vault, ids: &[EntryId]) -> Result<(), Error> {
    shrink_slices(SLICE, 2);
    attach(vault, ids)
}

fn resume(vault: &Vault, _: &[EntryId]) -> Result<(), Error> {
    let upload = vault.uploads()?.remove(0).id;
    let new = NewAttachment::new(Attachment::default());
    let bytes = [2; 3 * SLICE + 7];
    vault.resume_upload(&Actor::owner(), upload, &new, &mut &bytes[..]).map(|_| ())
}

fn discard(vault: &Vault, _: &[EntryId]) -> Result<(), Error> {
    let upload = vault.uploads()?.remove(0).id;
    vault.discard_upload(&Actor::owner(), upload)
}

fn import(vault: &Vault, _: &[EntryId]) -> Result<(), Error> {
    let bundle = br#"{"resourceType":"Bundle","type":"collection","entry":[
        {"resource":{"resourceType":"Condition","id":"a","subject":{"reference":"Patient/1"},"onsetDateTime":"2019"}},
        {"resource":{"resourceType":"Condition","id":"b","subject":{"reference":"Patient/1"},"onsetDateTime":"2020"}}]}"#;
    let mut import = Import::new(ImportOptions::default());
    import.read(None, &bundle[..]).unwrap();
    let imported = import.finish().unwrap();
    let report = super::take_all(vault, &Actor::owner(), &imported)?;
    assert_eq!(report.added.len(), 2);
    Ok(())
}

fn expunge_attachment(vault: &Vault, ids: &[EntryId]) -> Result<(), Error> {
    vault.expunge(&Actor::owner(), &ids[5..], "order").map(|_| ())
}

/// An entry and one with a file.
fn move_two(vault: &Vault, ids: &[EntryId]) -> Result<(), Error> {
    let to = Compartment::SubstanceUse;
    vault.move_entries(&Actor::owner(), &[ids[0], ids[5]], to, Some("order")).map(|_| ())
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
    shrink_slices(SLICE, 8);
    let disk = SimDisk::without_trace(new_image(OLD));
    let vault = disk.unlock(&owner()).unwrap();
    let entries: Vec<Entry> = (0..5).map(|n| diagnosis(&format!("F{n}"), "x", "2019")).collect();
    let ids: Vec<EntryId> =
        vault.update(&Actor::owner(), |tx| entries.iter().map(|e| tx.add(e)).collect()).unwrap().value;
    let ids = [ids, vec![attach_bytes(&vault, 1).unwrap()]].concat();
    drop(vault.lock().unwrap());
    (disk.image(), ids)
}

/// The same with an upload of which two slices are stored.
fn resting_with_upload() -> (Vec<u8>, Vec<EntryId>) {
    let (image, ids) = resting();
    shrink_slices(SLICE, 2);
    let disk = SimDisk::without_trace(image);
    let vault = disk.unlock(&owner()).unwrap();
    let new = NewAttachment::new(Attachment::default());
    // A commit's slices are stored once there is one more.
    let mut source = std::io::Read::chain(&[2; 3 * SLICE][..], Broken);
    vault.attach(&Actor::owner(), &new, &mut source).unwrap_err();
    assert_eq!(vault.uploads().unwrap().len(), 1);
    drop(vault.lock().unwrap());
    shrink_slices(SLICE, 8);
    (disk.image(), ids)
}

/// The same with more dead than alive.
fn resting_with_dead_bytes() -> (Vec<u8>, Vec<EntryId>) {
    let (image, ids) = resting();
    let disk = SimDisk::without_trace(image);
    let vault = disk.unlock(&owner()).unwrap();
    for number in 0..40 {
        let entry = diagnosis("F0", &format!("amended {number}"), "2020");
        vault.update(&Actor::owner(), |tx| tx.amend(ids[0], &entry, "better known")).unwrap();
    }
    let space = vault.space().unwrap();
    assert!(space.dead.is_some_and(|dead| dead > space.live), "{space:?}");
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

/// Runs an operation of one commit on a vault at rest with each of its calls
/// failing in turn; new passwords cost this much memory.
fn fail_every_call(operation: Operation, memory_kib: u32) -> usize {
    fail_every_call_from(resting(), operation, memory_kib, 1)
}

/// The same on this vault, of so many commits; those before the last one change
/// nothing that is listed.
fn fail_every_call_from(
    (image, ids): (Vec<u8>, Vec<EntryId>),
    operation: Operation,
    memory_kib: u32,
    commits: u64,
) -> usize {
    let before = observe(image.clone());
    let mut poisoned = 0;
    for fault in Fault::ALL {
        for call in 0.. {
            let disk = SimDisk::new(image.clone());
            let mut vault = disk.unlock(&owner()).unwrap();
            vault.session.options.kdf_cost.memory_kib = memory_kib;
            let root =
                |disk: &SimDisk| disk.image()[usize::try_from(geometry::ROOT_A).unwrap()..][..64].to_vec();
            let unwritten = root(&disk);
            disk.fail_at(call, fault);
            let result = operation(&vault, &ids);
            let Some(failed) = disk.failed() else {
                result.unwrap();
                assert!(call > 10, "an operation makes more calls than that");
                assert_eq!(vault.epoch().number(), before.epoch.number() + commits);
                break;
            };
            let context = format!("{fault:?} at call {call}, {failed:?}");
            if let Err(error) = &result {
                assert!(matches!(error, Error::Store(_)), "{context}: {error}");
            }
            // Of several commits the first one's root says nothing of the others.
            if must_poison(failed, commits == 1 && root(&disk) != unwritten) {
                assert!(result.is_err(), "{context}");
                let again = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "x", "2020")));
                assert!(matches!(again, Err(Error::Store(StoreError::Poisoned))), "{context}");
                poisoned += 1;
            }
            drop(vault);
            let survivors = [("the process dies", disk.image()), ("the power fails", disk.durable_image())];
            for (crash, survivor) in survivors {
                let found = observe(survivor);
                let made = found.epoch.number() - before.epoch.number();
                let is_new = made == commits;
                assert!(made <= commits, "{context}, then {crash}: {found:?}");
                let is_old = found.ids == before.ids && found.opens_with_new == before.opens_with_new;
                assert!(is_new || is_old, "{context}, then {crash}: {found:?}");
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

#[test]
fn a_fault_at_any_call_of_attaching_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call(attach, SAME) > 3);
}

#[test]
fn a_fault_at_any_call_of_expunging_an_attachment_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call(expunge_attachment, SAME) > 5);
}

#[test]
fn a_fault_at_any_call_of_moving_entries_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call(move_two, SAME) > 5);
}

#[test]
fn a_fault_at_any_call_of_attaching_in_two_commits_leaves_nothing_an_upload_or_the_attachment() {
    assert!(fail_every_call_from(resting(), attach_in_two_commits, SAME, 2) > 5);
}

#[test]
fn a_fault_at_any_call_of_resuming_leaves_the_upload_or_the_attachment() {
    assert!(fail_every_call_from(resting_with_upload(), resume, SAME, 1) > 3);
}

#[test]
fn a_fault_at_any_call_of_discarding_leaves_the_upload_or_nothing_of_it() {
    assert!(fail_every_call_from(resting_with_upload(), discard, SAME, 1) > 5);
}

#[test]
fn a_fault_at_any_call_of_an_import_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call(import, SAME) > 3);
}

/// The same after an import that added and amended.
fn resting_with_import() -> (Vec<u8>, Vec<EntryId>) {
    let (image, ids) = resting();
    let disk = SimDisk::without_trace(image);
    let vault = disk.unlock(&owner()).unwrap();
    import_lines(&vault, &[("9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8", "asthma", 1)]);
    import_lines(
        &vault,
        &[
            ("9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8", "asthma, mild", 2),
            ("5be0cd19-137e-4f83-a9ab-fb41bd6b1f2c", "gout", 1),
        ],
    );
    drop(vault.lock().unwrap());
    (disk.image(), ids)
}

fn import_lines(vault: &Vault, lines: &[(&str, &str, u8)]) {
    let line = |(id, text, version): &(&str, &str, u8)| {
        format!(
            r#"{{"resourceType":"Condition","id":"{id}","code":{{"text":"{text}"}},"meta":{{"versionId":"{version}"}}}}"#
        )
    };
    let text = lines.iter().map(line).collect::<Vec<_>>().join("\n");
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("portal.ndjson"), text.as_bytes()).unwrap();
    super::take_all(vault, &Actor::owner(), &import.finish().unwrap()).unwrap();
}

fn undo(vault: &Vault, _: &[EntryId]) -> Result<(), Error> {
    let number = vault.imports()?.last().unwrap().number;
    vault.undo_import(&Actor::owner(), number).map(|_| ())
}

#[test]
fn a_fault_at_any_call_of_undoing_an_import_leaves_the_old_or_the_new_state() {
    assert!(fail_every_call_from(resting_with_import(), undo, SAME, 1) > 5);
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
    for operation in [add as Operation, expunge, change_password, recover, attach, expunge_attachment] {
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
    vault.compact(&Actor::owner()).map(|_| ())
}

/// Closing, of which a compaction that was due and failed is an error here.
fn close(vault: &Vault, _: &SimDisk) -> Result<(), Error> {
    make_worth_compacting(1);
    let closed = vault.settle_down(&mut |_| {})?;
    closed.not_compacted.map_or(Ok(()), Err)
}

fn back_up(vault: &Vault, disk: &SimDisk) -> Result<(), Error> {
    let to = Destination::on(disk.folder(), "backup".into())?;
    vault.backup_to(&Actor::owner(), &to, "drawer", &mut |_| {}).map(|_| ())
}

/// A fault at each call of an operation that makes files: the vault is as it
/// was or has the operation's commit, and nothing is left after an opening.
fn fail_every_call_with_files(
    (image, ids): (Vec<u8>, Vec<EntryId>),
    operation: fn(&Vault, &SimDisk) -> Result<(), Error>,
) -> usize {
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
            let needs_space = matches!(failed.0, "create" | "reserve" | "write");
            if fault == Fault::Full && needs_space && result.is_err() && !poisoned {
                assert!(matches!(result, Err(Error::Store(StoreError::NoSpace))), "{context}");
            }
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
    assert!(fail_every_call_with_files(resting(), compact) > 50);
}

#[test]
fn a_fault_at_any_call_of_closing_leaves_the_vault_as_it_was_or_compacted() {
    assert!(fail_every_call_with_files(resting_with_dead_bytes(), close) > 50);
}

#[test]
fn a_fault_at_any_call_of_a_backup_leaves_the_vault_whole_and_no_half_backup() {
    assert!(fail_every_call_with_files(resting(), back_up) > 50);
}

/// Whether a new file is whole where it has its name, and no other name is taken
/// for longer than a failure takes.
fn assert_whole_or_absent(files: &Files, name: &str, before: &Observed, failed: bool, context: &str) {
    match files.image(name) {
        Some(image) => assert_eq!(&observe(image.clone()), before, "{context}"),
        None => assert!(failed, "{context}: what was done is lost"),
    }
    for (other, _) in files.named().filter(|(other, _)| ![VAULT, name].contains(other)) {
        assert!(failed && other.starts_with(".subrosa-"), "{context}: {other} is left");
    }
}

#[test]
fn a_fault_at_any_call_of_restoring_leaves_the_backup_as_it_was_and_a_whole_vault_or_none() {
    let (image, _) = resting();
    let before = observe(image.clone());
    let mut refused = 0;
    for fault in Fault::ALL {
        for call in 0.. {
            let disk = SimDisk::new(image.clone());
            let locked = disk.open().unwrap();
            disk.fail_at(call, fault);
            let to = Destination::on(disk.folder(), "restored".into()).map_err(Error::from);
            let result = to.and_then(|to| locked.restore_to(&owner(), &to, &mut |_| {}));
            let Some(failed) = disk.failed() else {
                result.unwrap();
                assert!(call > 30, "a restoration makes more calls than that");
                break;
            };
            let context = format!("{fault:?} at call {call}, {failed:?}: {result:?}");
            refused += usize::from(result.is_err());
            assert!(matches!(result, Ok(_) | Err(Error::Store(_))), "{context}");
            assert!(disk.image() == image && disk.durable_image() == image, "{context}: the backup changed");
            let gone = disk.files().image("restored").is_none();
            assert!(gone || result.is_ok() || failed.0 == "remove", "{context}: half a success");
            for files in [disk.files(), disk.durable_files()] {
                assert_whole_or_absent(&files, "restored", &before, result.is_err(), &context);
            }
        }
    }
    assert!(refused > 30);
}

/// Creates a vault on a disk with an empty folder.
fn create(disk: &SimDisk) -> Result<Vault, Error> {
    let to = Destination::on(disk.folder(), VAULT.into())?;
    with_three_ways_in(OLD, |new| in_new_file(&to, new, options()).map(Vault::of))
}

#[test]
fn a_fault_at_any_call_of_creation_leaves_a_whole_vault_or_none() {
    let mut refused = 0;
    for fault in Fault::ALL {
        for call in 0.. {
            let disk = SimDisk::empty();
            disk.fail_at(call, fault);
            let result = create(&disk);
            let Some(failed) = disk.failed() else {
                result.unwrap();
                assert!(call > 5, "a creation makes more calls than that");
                break;
            };
            let context = format!("{fault:?} at call {call}, {failed:?}");
            let error = result.as_ref().err();
            refused += usize::from(error.is_some());
            assert!(error.is_none_or(|error| matches!(error, Error::Store(_))), "{context}: {error:?}");
            if fault == Fault::Full {
                assert!(matches!(error, Some(Error::Store(StoreError::NoSpace))), "{context}: {error:?}");
            }
            assert!(error.is_none() || disk.files().image(VAULT).is_none(), "{context}: half a success");
            for files in [disk.files(), disk.durable_files()] {
                assert!(error.is_some() || files.image(VAULT).is_some(), "{context}: a vault is lost");
                for (name, image) in files.named() {
                    assert!(name == VAULT || error.is_some() && name.starts_with(".subrosa-"), "{context}");
                    if name == VAULT {
                        assert_eq!(observe(image.clone()).epoch, Epoch::new(1), "{context}");
                    }
                }
            }
            // The name is free for another attempt, or taken by a whole vault.
            disk.mend();
            let again = create(&disk);
            let taken = matches!(again, Err(Error::Store(StoreError::Exists)));
            assert!(taken == error.is_none() && (taken || again.is_ok()), "{context}");
        }
    }
    assert!(refused >= 4 * 5);
}

#[test]
fn a_power_cut_at_any_moment_of_creation_leaves_a_whole_vault_or_none() {
    let disk = SimDisk::empty();
    create(&disk).unwrap();
    disk.acknowledge(Epoch::new(1));
    let (mut whole, mut absent) = (0, 0);
    let mut chance = super::disk::Chance::new(1);
    super::disk::crash_states(&disk.trace(), &mut chance, &mut |state: CrashState| {
        let after = SimDisk::after(&state);
        let files = after.files();
        match files.image(VAULT) {
            Some(_) => {
                assert_eq!(observe_disk(&after).epoch, Epoch::new(1), "{}", state.label);
                whole += 1;
            }
            None => {
                assert!(state.acknowledged.is_none(), "{}: an acknowledged vault is lost", state.label);
                absent += 1;
            }
        }
    });
    assert!(whole > 5 && absent > 5, "{whole} whole, {absent} absent");
}

/// A vault of which some blobs are damaged, and the same as it was.
fn damaged() -> (Vec<u8>, Vec<u8>) {
    let (image, _) = resting();
    let whole = Subject::open(image, owner());
    let mut damaged = whole.image.clone();
    let blobs = whole.parts.iter().filter(|part| part.kind == "blob");
    blobs.step_by(3).for_each(|part| damaged[part.range().start + 20] ^= 1);
    assert!(damaged != whole.image);
    (damaged, whole.image)
}

#[test]
fn a_fault_at_any_call_of_a_repair_leaves_damage_that_the_next_repair_mends() {
    let (damaged, whole) = damaged();
    let copy = || Arc::new(SimDisk::without_trace(whole.clone()).store());
    let mut refused = 0;
    for fault in Fault::ALL {
        for call in 0.. {
            let disk = SimDisk::new(damaged.clone());
            let vault = disk.unlock(&owner()).unwrap();
            disk.fail_at(call, fault);
            let result = vault.repair_from_store(copy());
            let Some(failed) = disk.failed() else {
                assert!(result.unwrap().check.is_clean() && call > 10);
                assert!(disk.durable_image() == whole);
                break;
            };
            let context = format!("{fault:?} at call {call}, {failed:?}: {result:?}");
            refused += usize::from(result.is_err());
            assert!(matches!(result, Ok(_) | Err(Error::Store(_))), "{context}");
            drop(vault);
            for survivor in [disk.image(), disk.durable_image()] {
                assert!(result.is_err() || survivor == whole, "{context}: what was put back is lost");
                let is_one =
                    |(found, (damaged, whole)): (&u8, (&u8, &u8))| found == damaged || found == whole;
                assert!(survivor.iter().zip(damaged.iter().zip(&whole)).all(is_one), "{context}");
                let disk = SimDisk::without_trace(survivor);
                let vault = disk.unlock(&owner()).unwrap();
                assert!(vault.repair_from_store(copy()).unwrap().check.is_clean(), "{context}");
                assert!(disk.image() == whole, "{context}");
            }
        }
    }
    assert!(refused > 10);
}
