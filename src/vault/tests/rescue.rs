//! What damage must not do: keep its owner from writing and expunging, pass
//! unseen, or be blamed on something else.

use std::sync::Arc;

use super::basics::{diagnosis, note};
use super::disk::{Chance, CrashState, Files, SimDisk, crash_states};
use super::workload::{new_image, owner};
use crate::format::object::ObjectRef;
use crate::store::StoreError;
use crate::tree::RowKey;
use crate::*;

const DRAFT: &str = "vault.compact";

fn offset_of(object: &ObjectRef) -> usize {
    usize::try_from(u64::from_le_bytes(*object.reference.first_chunk().unwrap())).unwrap()
}

/// A vault with entries that is open, and its disk.
fn vault_with(count: usize) -> (SimDisk, Vault, Vec<EntryId>) {
    let disk = SimDisk::new(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    let entries: Vec<Entry> = (0..count).map(|n| diagnosis("F32", &format!("entry {n}"), "2019")).collect();
    let ids = vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap().value;
    (disk, vault, ids)
}

fn expunge(vault: &Vault, ids: &[EntryId]) -> Result<ErasureReport, Error> {
    vault.expunge(&Actor::owner(), ids, "order")
}

fn add(vault: &Vault) -> Result<EntryId, Error> {
    Ok(vault.update(&Actor::owner(), |tx| tx.add(&note("progress", "slept badly")))?.value)
}

/// What a compaction leaves that is interrupted when its draft is whole.
fn interrupted_compaction(disk: &SimDisk, vault: &Vault) -> Files {
    vault.compact(&Actor::owner(), |_| {}).unwrap();
    let is_whole = |image: &Vec<u8>| {
        let opened = SimDisk::without_trace(image.clone()).open();
        opened.and_then(|locked| locked.unlock_read_only(&owner())).is_ok()
    };
    let mut found = None;
    crash_states(&disk.trace(), &mut Chance::new(1), &mut |state: CrashState| {
        if found.is_none() && state.pending.is_empty() && state.durable.image(DRAFT).is_some_and(is_whole) {
            found = Some(state.durable);
        }
    });
    found.expect("there is a moment with a whole draft")
}

/// Where the draft has the root page of a compartment.
fn root_page_of_draft(files: &Files, compartment: Compartment) -> usize {
    let draft = SimDisk::without_trace(files.image(DRAFT).unwrap().clone());
    let vault = draft.open().unwrap().unlock_read_only(&owner()).unwrap();
    let unlocked = vault.unlocked().unwrap();
    let place = unlocked.snapshot.place(compartment).unwrap();
    offset_of(&place.trie.as_ref().unwrap().object)
}

#[test]
fn a_draft_with_damaged_entries_is_known_for_a_leftover_and_goes() {
    let (disk, vault, ids) = vault_with(3);
    let files = interrupted_compaction(&disk, &vault);
    let page = root_page_of_draft(&files, Compartment::General);
    let mut draft = files.image(DRAFT).unwrap().clone();
    draft[page + 20] ^= 1;
    let disk = SimDisk::of_files(files);
    disk.put(DRAFT, draft);
    expunge(&disk.unlock(&owner()).unwrap(), &ids[..1]).unwrap();
    assert!(disk.files().image(DRAFT).is_none());
}

#[test]
fn beside_a_draft_that_does_not_say_what_it_is_nothing_is_withdrawn() {
    let (disk, vault, ids) = vault_with(3);
    let files = interrupted_compaction(&disk, &vault);
    let page = root_page_of_draft(&files, Compartment::Record);
    let mut draft = files.image(DRAFT).unwrap().clone();
    draft[page + 20] ^= 1;
    let disk = SimDisk::of_files(files);
    disk.put(DRAFT, draft.clone());
    let vault = disk.unlock(&owner()).unwrap();
    let before = disk.image();
    match expunge(&vault, &ids[..1]) {
        Err(Error::Store(StoreError::InTheWay { path })) => assert_eq!(path.to_str(), Some(DRAFT)),
        other => panic!("{other:?}"),
    }
    let words = |text: &str| Password::new(text.into()).unwrap();
    let changed = vault.change_password(&Actor::owner(), words("password"), words("another password"));
    assert!(matches!(changed, Err(Error::Store(StoreError::InTheWay { .. }))));
    let fixed = usize::try_from(crate::format::header::geometry::APPEND).unwrap();
    assert!(disk.image()[..fixed] == before[..fixed]);
    assert!(disk.files().image(DRAFT) == Some(&draft), "it may be somebody's");
    let id = vault.update(&Actor::owner(), |tx| tx.retract(ids[0], "no")).map(|_| ids[0]).unwrap();
    assert!(vault.entry(id).is_ok());
}

#[test]
fn a_damaged_erase_list_is_found_given_back_and_keeps_nobody_from_writing() {
    let (disk, vault, ids) = vault_with(90);
    expunge(&vault, &ids[1..]).unwrap();
    let whole = disk.image();
    let list = vault.unlocked().unwrap().snapshot.root.erase_list.as_ref().unwrap().object;
    drop(vault);
    disk.flip(offset_of(&list) + 20, 1);
    let reader = disk.open().unwrap().unlock_read_only(&owner()).unwrap();
    assert_eq!(reader.check().unwrap().findings, [CheckFinding::DamagedEraseList]);
    let vault = disk.unlock(&owner()).unwrap();
    assert_eq!(vault.recovery(), Recovery::ListDamaged);
    let copy = Arc::new(SimDisk::without_trace(whole.clone()).store());
    assert_eq!(vault.repair_from_store(copy).unwrap().restored, 1);
    assert!(vault.check().unwrap().is_clean());

    disk.flip(offset_of(&list) + 20, 1);
    let vault = disk.unlock(&owner()).unwrap();
    add(&vault).unwrap();
    expunge(&vault, &ids[..1]).unwrap();
    assert!(vault.check().unwrap().is_clean(), "the next commit drops the list");
    assert_eq!(disk.unlock(&owner()).unwrap().recovery(), Recovery::NotNeeded);
}
