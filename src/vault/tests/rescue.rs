//! What damage must not do: keep its owner from writing and expunging, pass
//! unseen, or be blamed on something else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::adversary::Adversary;
use super::basics::{diagnosis, key, note};
use super::disk::{Chance, Change, CrashState, Event, Fault, Files, SimDisk, crash_states, options};
use super::workload::{Workload, new_image, owner};
use crate::crypto::boxes::decrypt_once;
use crate::crypto::key::ContentKey;
use crate::format::context::{PURPOSE_AT, Purpose};
use crate::format::header::geometry;
use crate::format::object::ObjectRef;
use crate::secret::SecretBytes;
use crate::store::{Destination, StoreError};
use crate::testing::{Encrypted, shrink_slices, start_recording, take_recorded};
use crate::tree::{Row, RowClass};
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
    vault.compact(&Actor::owner()).unwrap();
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
    let fixed = usize::try_from(geometry::APPEND).unwrap();
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
    let list = vault
        .unlocked()
        .unwrap()
        .snapshot
        .place(Compartment::General)
        .unwrap()
        .erase
        .as_ref()
        .unwrap()
        .object;
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

/// Where the objects of these rows stand in the compartments that hold entries.
fn offsets(disk: &SimDisk, class: RowClass) -> Vec<usize> {
    let vault = disk.open().unwrap().unlock_read_only(&owner()).unwrap();
    let unlocked = vault.unlocked().unwrap();
    let mut offsets = Vec::new();
    for compartment in Compartment::HOLDING_ENTRIES {
        let mut note = |row: &Row| {
            offsets.extend(row.object.iter().filter(|_| row.class == class).map(|o| offset_of(&o.object)));
            Ok(())
        };
        unlocked.reader().trie(compartment).unwrap().scan(&mut note).unwrap();
    }
    offsets
}

#[test]
fn damaged_stories_entries_and_heads_keep_nothing_from_being_expunged() {
    for class in [RowClass::Story, RowClass::Entry, RowClass::Superseded, RowClass::Content] {
        let mut workload = Workload::new(21);
        workload.add(9);
        for _ in 0..4 {
            workload.attach();
            workload.amend();
        }
        let damaged = offsets(&workload.disk, class);
        assert!(damaged.len() > 1, "{class:?}");
        damaged.iter().for_each(|offset| workload.disk.flip(offset + 20, 1));
        workload.expunge(3);
        workload.expunge(100);
        let run = workload.finish();
        let mut adversary = Adversary::new(&run);
        for (epoch, file) in &run.erased {
            assert_eq!(adversary.leaks(file, &run.models[epoch]), [], "{class:?}");
        }
        let vault = run.disk.unlock(&owner()).unwrap();
        assert!(vault.list(&Filter::all().with_retracted()).unwrap().is_empty());
        let findings = vault.check().unwrap().findings;
        assert!(findings.is_empty(), "{class:?}");
    }
}

#[test]
fn no_backup_gives_back_a_story_that_was_damaged_when_its_entry_was_expunged() {
    let (disk, vault, _) = vault_with(3);
    let id = add(&vault).unwrap();
    vault.update(&Actor::owner(), |tx| tx.amend(id, &note("progress", "well"), "told by a friend")).unwrap();
    let release = ReleaseRequest::new("x", "y", Policy::only([id]).include("text").unwrap()).unwrap();
    vault.release(&Actor::owner(), &release).unwrap();
    let released = vault.epoch();
    let copy = disk.image();
    offsets(&disk, RowClass::Story).iter().for_each(|offset| disk.flip(offset + 20, 1));
    // Nobody can say any more which releases held it.
    assert_eq!(expunge(&vault, &[id]).unwrap().unreadable, [released]);
    vault.repair_from_store(Arc::new(SimDisk::without_trace(copy).store())).unwrap();
    assert!(vault.ledger().unwrap().iter().all(|line| !line.entries.contains(&id)));
    assert!(
        !vault.check().unwrap().is_clean(),
        "the account of that release counts an entry that told of it"
    );
}

#[test]
fn a_damaged_entry_under_a_legal_hold_is_not_expunged() {
    let (disk, vault, _) = vault_with(3);
    let mut held = diagnosis("F32", "Depression", "2019");
    held.marks.legal_holds = vec![LegalHold::new(Narrative::new("subpoena").unwrap(), None)];
    let id = vault.update(&Actor::owner(), |tx| tx.add(&held)).unwrap().value;
    offsets(&disk, RowClass::Entry).iter().for_each(|offset| disk.flip(offset + 20, 1));
    assert!(matches!(expunge(&vault, &[id]), Err(Error::LegalHold { .. })));
}

#[test]
fn what_others_use_of_a_damaged_head_stays_when_one_user_is_expunged() {
    shrink_slices(504, 3);
    let (disk, vault, _) = vault_with(3);
    let bytes: Vec<u8> = (0..1300u32).map(|n| n.to_le_bytes()[0]).collect();
    let attach = || {
        let new = NewAttachment::new(Attachment::default());
        vault.attach(&Actor::owner(), &new, &mut bytes.as_slice()).unwrap().value
    };
    let ids = [attach(), attach()];
    offsets(&disk, RowClass::Content).iter().for_each(|offset| disk.flip(offset + 20, 1));
    assert!(!vault.check().unwrap().is_clean());
    expunge(&vault, &ids[..1]).unwrap();
    assert!(vault.check().unwrap().is_clean());
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut vault.attachment(ids[1], 0).unwrap(), &mut read).unwrap();
    assert!(read == bytes);
    expunge(&vault, &ids[1..]).unwrap();
    assert!(offsets(&disk, RowClass::Slice).is_empty());
}

#[test]
fn an_open_handle_tells_damaged_copies_from_changed_access() {
    let twins = [(geometry::AREA_A, geometry::AREA_B), (geometry::ROOT_A, geometry::ROOT_B)];
    for (first, second) in twins {
        let (disk, vault, _) = vault_with(1);
        for offset in [first, second] {
            disk.flip(usize::try_from(offset).unwrap() + 300, 1);
        }
        assert!(matches!(vault.refresh(), Err(Error::Damaged { .. })));
        assert!(matches!(vault.check(), Err(Error::Damaged { .. })));
        // Who wrote last does not read the areas again.
        assert_eq!(add(&vault).is_ok(), first == geometry::AREA_A);
    }
    let (disk, vault, _) = vault_with(1);
    let other = disk.unlock(&owner()).unwrap();
    let new = key(9);
    let change = AccessChange { revoke: Vec::new(), add: vec![Access::to_everything(&new, "other")] };
    other.change_access(&Actor::owner(), &change).unwrap();
    disk.flip(usize::try_from(geometry::AREA_A).unwrap() + 300, 1);
    assert!(matches!(vault.refresh(), Err(Error::AccessChanged)));
}

#[test]
fn a_page_that_is_whole_in_memory_alone_does_not_make_a_backup_blame_its_disk() {
    let (disk, vault, _) = vault_with(60);
    vault.list(&Filter::all()).unwrap();
    assert!(vault.check().unwrap().is_clean());
    let unlocked = vault.unlocked().unwrap();
    let mut pages = Vec::new();
    unlocked.reader().trie(Compartment::General).unwrap().survey(&mut |page| {
        pages.push(offset_of(&page.unwrap().0.object));
    });
    disk.flip(pages.last().unwrap() + 20, 1);
    let to = Destination::on(disk.folder(), "backup".into()).unwrap();
    let result = vault.backup_to(&Actor::owner(), &to, "drawer", &mut |_| {});
    assert!(matches!(result, Err(Error::Damaged { .. })), "{result:?}");
    assert!(disk.files().image("backup").is_none());
}

#[test]
fn an_erasure_says_when_nothing_is_known_of_the_file_system() {
    let on = |file_system: Option<&'static str>| {
        Coverage::on(&file_system.map_or(Medium::Unknown, |file_system| Medium::InPlace { file_system }))
    };
    assert_ne!(on(None), on(Some("ext4")));
    assert!(matches!(on(None).1, Coverage::BestEffort { because } if because.contains("not known")));
}

#[test]
fn where_there_are_no_hard_links_nothing_is_copied_for_a_compaction() {
    let (disk, vault, _) = vault_with(60);
    disk.refuse_links();
    let before = disk.trace().events.len();
    let compacted = vault.compact(&Actor::owner());
    assert!(matches!(compacted, Err(Error::Store(StoreError::Unsupported))));
    let events = &disk.trace().events[before..];
    let copies = |event: &Event| matches!(event, Event::Change(Change::Write { offset, .. }) if *offset as u64 != geometry::ROOT_B);
    assert!(!events.iter().any(copies), "nothing but the second root is written");
    assert_eq!(disk.files().named().count(), 1);
    assert_eq!(disk.files().freed().map(Vec::len).collect::<Vec<_>>(), [0]);
    add(&vault).unwrap();
}

#[test]
fn a_backup_that_cannot_be_renamed_leaves_no_empty_file_under_its_name() {
    let mut failed_renames = 0;
    for call in 0.. {
        let (disk, vault, _) = vault_with(1);
        disk.refuse_links();
        let to = Destination::on(disk.folder(), "backup".into()).unwrap();
        disk.fail_at(call, Fault::Io);
        let result = vault.backup_to(&Actor::owner(), &to, "drawer", &mut |_| {});
        let Some((failed, _)) = disk.failed() else {
            result.unwrap();
            break;
        };
        failed_renames += usize::from(failed == "rename");
        assert!(failed != "rename" || disk.files().image("backup").is_none());
    }
    assert_eq!(failed_renames, 1);
}

#[test]
fn a_repair_of_rows_that_claim_the_same_bytes_ends() {
    let (disk, vault, ids) = vault_with(1);
    let large = note("progress", &"slept badly ".repeat(300));
    let large = vault.update(&Actor::owner(), |tx| tx.add(&large)).unwrap().value;
    let copy = Arc::new(SimDisk::without_trace(disk.image()).store());
    let row = |id| vault.unlocked().unwrap().reader().entry_row(id).unwrap().1;
    let (first, mut second) = (row(large), row(ids[0]));
    let overlapping = offset_of(&first.object.as_ref().unwrap().object) as u64 + 100;
    second.object.as_mut().unwrap().object.reference[..8].copy_from_slice(&overlapping.to_le_bytes());
    vault.update(&Actor::owner(), |tx| tx.put_row(Compartment::General, second.duplicate())).unwrap();
    let report = vault.repair_from_store(copy).unwrap();
    assert_eq!(report.restored, 2);
    assert!(!report.check.is_clean());
}

/// Whether a box that was made still stands whole in a file.
fn stands(encrypted: &Encrypted, file: &[u8]) -> bool {
    let key = ContentKey::from_secret(&SecretBytes::filled(|key| *key = encrypted.key));
    let crate::testing::Stored { reference, length } = encrypted.object;
    let start = offset_of(&crate::store::ObjectRef { reference, length });
    let stored = file.get(start..start + usize::try_from(encrypted.object.length).unwrap());
    stored.is_some_and(|stored| decrypt_once(&key, &encrypted.context, stored.to_vec()).is_ok())
}

#[test]
fn whoever_kept_every_key_finds_nothing_of_an_expunged_attachment_but_pages() {
    start_recording();
    shrink_slices(504, 3);
    let (disk, vault, _) = vault_with(3);
    let title = Some(Token::new("letter").unwrap());
    let new = NewAttachment::new(Attachment { title, ..Attachment::default() });
    let bytes = [7; 504 * 8];
    let attach = || vault.attach(&Actor::owner(), &new, &mut bytes.as_slice()).unwrap().value;
    let ids = [attach(), attach()];
    expunge(&vault, &ids).unwrap();
    let (file, encrypted) = (disk.image(), take_recorded());
    let made =
        |purpose: Purpose| encrypted.iter().filter(move |box_| box_.context[PURPOSE_AT] == purpose as u8);
    assert!(made(Purpose::Page).any(|encrypted| stands(encrypted, &file)));
    for purpose in [Purpose::Content, Purpose::Upload] {
        assert!(made(purpose).count() > 1);
        assert_eq!(
            made(purpose).filter(|encrypted| stands(encrypted, &file)).count(),
            0,
            "purpose {}",
            purpose as u8
        );
    }
}

/// Another handle's commit.
type Commit = Box<dyn FnOnce() + Send>;

/// A store beside which another handle commits when the heads are read.
struct Overtaken {
    store: FileStore,
    /// Reads of the heads until then, and what is done.
    overtake: Mutex<Option<(usize, Commit)>>,
}

impl Store for Overtaken {
    fn header(&self) -> Result<Vec<u8>, StoreError> {
        self.store.header()
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        let mut overtake = self.overtake.lock().unwrap();
        match overtake.take() {
            Some((0, commit)) => commit(),
            other => *overtake = other.map(|(left, commit)| (left - 1, commit)),
        }
        self.store.heads()
    }

    fn objects(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.store.objects(objects)
    }

    fn writer(&self, wait: Duration) -> Result<Box<dyn StoreWriter + '_>, StoreError> {
        self.store.writer(wait)
    }

    fn medium(&self) -> Medium {
        self.store.medium()
    }

    fn needs_proof(&self) -> bool {
        false
    }
}

#[test]
fn a_deep_check_that_a_writer_overtakes_finds_no_damage() {
    for read in 0..6 {
        let (disk, vault, ids) = vault_with(3);
        let store = Arc::new(Overtaken { store: disk.store(), overtake: Mutex::new(None) });
        let locked = LockedVault::of(store.clone(), options()).unwrap();
        let reader = locked.unlock_read_only(&owner()).unwrap();
        let commit = Box::new(move || drop(expunge(&vault, &ids[..1]).unwrap()));
        *store.overtake.lock().unwrap() = Some((read, commit));
        assert_eq!(reader.check_deep().unwrap().findings, [], "at read {read}");
    }
}
