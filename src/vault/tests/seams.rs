//! Where two features meet: each test is of a fault that was found between them.

use std::io::{self, Read};

use super::basics::{diagnosis, file, individual, key, note, open, options};
use super::disk::{Fault, SimDisk};
use super::workload::{new_image, owner};
use crate::engine::core::{Snapshot, StateReader};
use crate::engine::erasure::Erasure;
use crate::testing::shrink_slices;
use crate::*;

const SHORT: usize = 1016;

fn create(path: &std::path::Path) -> Vault {
    shrink_slices(SHORT, 4);
    Vault::create(path, &individual(&key(1)), options()).unwrap()
}

fn in_memory() -> Vault {
    shrink_slices(SHORT, 4);
    Vault::create_in_memory(&individual(&key(1)), options()).unwrap()
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from((n / 256 * 31 + n) % 256).unwrap()).collect()
}

fn scan() -> Attachment {
    Attachment {
        title: Some(Token::new("scan").unwrap()),
        content_type: Some(Token::new("image/png").unwrap()),
        ..Attachment::default()
    }
}

fn attach(vault: &Vault, bytes: &[u8]) -> EntryId {
    vault.attach(&Actor::owner(), &NewAttachment::new(scan()), &mut &bytes[..]).unwrap().value
}

fn add(vault: &Vault, text: &str) -> EntryId {
    vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", text, "2020"))).unwrap().value
}

fn expunge(vault: &Vault, id: EntryId) -> ErasureReport {
    vault.expunge(&Actor::owner(), &[id], "wish").unwrap()
}

/// An upload of which the first commit is made.
fn interrupted(vault: &Vault, new: &NewAttachment) -> Upload {
    struct Failing(usize);
    impl Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.min(buffer.len());
            let part = content(6 * SHORT);
            let at = 6 * SHORT - self.0;
            buffer[..count].copy_from_slice(&part[at..at + count]);
            self.0 -= count;
            if count == 0 { Err(io::Error::other("EIO")) } else { Ok(count) }
        }
    }
    assert!(vault.attach(&Actor::owner(), new, &mut Failing(6 * SHORT)).is_err());
    vault.uploads().unwrap().remove(0)
}

fn with_attachments(attachments: Vec<Attachment>) -> Entry {
    let record = AttachmentRecord { content: attachments, ..AttachmentRecord::default() };
    Entry::new(record, Provenance::default())
}

#[test]
fn a_handle_that_stayed_open_withdraws_also_from_what_an_interrupted_compaction_left() {
    for revoke in [false, true] {
        let (_folder, path) = file();
        let vault = create(&path);
        let id = add(&vault, "CANARY");
        let other = open(&path, &key(1)).unwrap();
        let before = std::fs::read(&path).unwrap();
        let mut replaced = std::fs::File::open(&path).unwrap();
        vault.compact(&Actor::owner()).unwrap();
        drop(vault);
        // The power went out between the renaming and the overwriting: all but the
        // heads is as the compaction left it.
        let mut left = Vec::new();
        replaced.read_to_end(&mut left).unwrap();
        let heads = ..usize::try_from(crate::format::header::geometry::APPEND).unwrap();
        left[heads].copy_from_slice(&before[heads]);
        let old = path.with_file_name(format!("{}.old", path.file_name().unwrap().to_str().unwrap()));
        std::fs::write(&old, left).unwrap();
        if revoke {
            let clinic = key(7);
            let add = vec![Access::to_everything(&clinic, "clinic")];
            other.change_access(&Actor::owner(), &AccessChange { revoke: vec![], add }).unwrap();
        } else {
            expunge(&other, id);
        }
        assert!(!old.exists(), "the old file still opens with the old keys");
    }
}

#[test]
fn what_is_expunged_while_a_backup_is_made_is_not_in_the_backup() {
    let (folder, path) = file();
    let vault = create(&path);
    let id = add(&vault, "CANARY");
    add(&vault, "stays");
    let other = open(&path, &key(1)).unwrap();
    let to = folder.path().join("backup");
    let mut report = None;
    let made = vault.backup_with(&Actor::owner(), &to, "drawer", |progress| {
        if progress.done == progress.total && report.is_none() {
            report = Some(expunge(&other, id));
        }
    });
    made.unwrap();
    assert!(report.unwrap().backups.is_empty());
    let copy = open(&to, &key(1)).unwrap();
    assert!(matches!(copy.entry(id), Err(Error::NoSuchEntry { .. })), "nobody was told of this backup");
}

#[test]
fn a_backup_made_during_an_upload_is_in_the_erasure_report() {
    let (folder, path) = file();
    let vault = create(&path);
    let new = NewAttachment::new(scan());
    let upload = interrupted(&vault, &new);
    vault.backup(&Actor::owner(), folder.path().join("backup"), "drawer").unwrap();
    let bytes = content(6 * SHORT);
    let id = vault.resume_upload(&Actor::owner(), upload.id, &new, &mut &bytes[..]).unwrap().value;
    let report = expunge(&vault, id);
    assert_eq!(report.backups.len(), 1, "it holds the first slices");
}

#[test]
fn an_entry_that_is_refused_for_one_attachment_uses_none_of_the_others() {
    let vault = in_memory();
    let there = attach(&vault, &content(9));
    let mut both = vault.entry(there).unwrap().attachments().into_iter().collect::<Vec<_>>();
    let missing = Location::Stored(ContentDigest::of(b"never stored"));
    both.push(Attachment { location: Some(missing), ..scan() });
    let entry = with_attachments(both);
    vault
        .update(&Actor::owner(), |tx| {
            assert!(matches!(tx.add(&entry), Err(Error::NoSuchContent)));
            tx.add(&diagnosis("J45", "goes on", "2020"))
        })
        .unwrap();
    assert_eq!(vault.check().unwrap().findings, []);
}

#[test]
fn a_psychotherapy_note_does_not_follow_an_upload_into_the_general_compartment() {
    let vault = in_memory();
    let upload = interrupted(&vault, &NewAttachment::new(scan()));
    let new = NewAttachment::new(scan()).with_entry(note("psychotherapy", "said"));
    let bytes = content(6 * SHORT);
    let refused = vault.resume_upload(&Actor::owner(), upload.id, &new, &mut &bytes[..]);
    assert!(matches!(refused, Err(Error::Invalid { .. })));
    let sealed = NewAttachment::new(scan()).in_compartment(Compartment::Sealed);
    vault.discard_upload(&Actor::owner(), upload.id).unwrap();
    let upload = interrupted(&vault, &sealed);
    let new = NewAttachment::new(scan()).with_entry(note("progress", "said"));
    let entry = vault.resume_upload(&Actor::owner(), upload.id, &new, &mut &bytes[..]).unwrap().value;
    assert!(vault.entry(entry).is_ok() && vault.list(&Filter::all().with_retracted()).unwrap().is_empty());
}

#[test]
fn what_is_sealed_is_not_listed_released_exported_or_counted() {
    let vault = in_memory();
    let owner = Actor::owner();
    let (open, hidden) = (note("progress", "walks well"), note("progress", "hears voices"));
    let [shown, sealed] = vault
        .update(&owner, |tx| Ok([tx.add(&open)?, tx.add_in(Compartment::Sealed, &hidden)?]))
        .unwrap()
        .value;
    let others = vault
        .update(&owner, |tx| {
            Ok([tx.add_in(Compartment::Sealed, &hidden)?, tx.add_in(Compartment::Sealed, &hidden)?])
        })
        .unwrap();
    let listed: Vec<EntryId> =
        vault.list(&Filter::all().with_retracted()).unwrap().iter().map(|listed| listed.id).collect();
    assert_eq!(listed, [shown]);
    assert!(vault.list(&Filter::all().text_anywhere("voices")).unwrap().is_empty());
    let mut visited = Vec::new();
    vault
        .for_each_entry(|id, _| {
            visited.push(id);
            Ok(())
        })
        .unwrap();
    assert_eq!(visited, [shown]);
    let policy = Policy::everything_of([Kind::Note]).and_entry(sealed).include("text").unwrap();
    let view = vault.preview(&policy).unwrap();
    assert_eq!(view.released().iter().map(|entry| entry.id()).collect::<Vec<_>>(), [shown]);
    assert!(view.withheld().iter().all(|withheld| withheld.entry == shown));
    assert_eq!(vault.export(&owner).unwrap().entries.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [shown]);
    assert!(vault.perhaps_same().unwrap().is_empty());
    // Who asks for it by name gets it, and a check passes over nothing.
    assert_eq!(vault.list(&Filter::all().with_sealed()).unwrap().len(), 4);
    assert!(vault.entry(others.value[0]).is_ok());
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn a_reader_of_inline_bytes_ends_with_its_entry_and_with_the_keys() {
    let vault = in_memory();
    let inline = Attachment { location: Some(Location::Inline(content(100))), ..scan() };
    let id =
        vault.update(&Actor::owner(), |tx| tx.add(&with_attachments(vec![inline.clone()]))).unwrap().value;
    let mut reader = vault.attachment(id, 0).unwrap();
    let mut buffer = [0; 10];
    add(&vault, "another commit");
    assert_eq!(reader.read_at(90, &mut buffer).unwrap(), 10);
    expunge(&vault, id);
    for _ in 0..2 {
        assert!(matches!(reader.read_at(0, &mut buffer), Err(Error::NoSuchEntry { .. })));
    }
    let id =
        vault.update(&Actor::owner(), |tx| tx.add(&with_attachments(vec![inline.clone()]))).unwrap().value;
    let mut reader = vault.attachment(id, 0).unwrap();
    vault.forget_keys().unwrap();
    assert!(matches!(reader.read_at(0, &mut buffer), Err(Error::Locked)));
}

#[test]
fn a_source_that_grows_without_end_is_left_at_its_expected_size() {
    let vault = in_memory();
    let new = NewAttachment::new(scan()).expecting_size(2 * SHORT as u64);
    let before = vault.epoch();
    let result = vault.attach(&Actor::owner(), &new, &mut io::repeat(7));
    assert!(matches!(result, Err(Error::SourceChanged)));
    assert_eq!(vault.epoch(), before, "nothing was stored");
}

#[test]
fn a_slice_belongs_to_one_content() {
    use crate::codec::wire;
    use crate::payload::content::UploadV1;
    use crate::tree::{Row, RowClass, RowKey};
    let vault = in_memory();
    let id = attach(&vault, &content(3 * SHORT));
    let digest = vault.attachment(id, 0).unwrap().content_digest();
    vault
        .update(&Actor::owner(), |tx| {
            let (_, head) = tx.reader().content(Compartment::General, &digest)?.unwrap();
            let content = ContentId::from_bytes(head.content);
            let claim = UploadV1 { content: head.content, slices: 2, title: String::new(), started: 0 };
            let mut row = Row::unnamed(RowKey::upload(content), RowClass::Upload, tx.epoch());
            row.id = EntryId::from_bytes(head.content);
            tx.put_encrypted(Compartment::General, row, &wire::encode(&claim)?)
        })
        .unwrap();
    let claimed_twice = CheckFinding::DamagedPart { compartment: Compartment::General };
    assert_eq!(vault.check().unwrap().findings, [claimed_twice]);
}

#[test]
fn a_released_stored_attachment_is_named_by_its_digest_and_its_bytes_stay() {
    let vault = in_memory();
    let bytes = content(2 * SHORT);
    attach(&vault, &bytes);
    let policy = Policy::everything_of([Kind::Attachment]).include("content").unwrap();
    let request = ReleaseRequest::new("An insurer", "a claim", policy).unwrap();
    let excerpt = vault.release(&Actor::owner(), &request).unwrap();
    let json = excerpt.to_json();
    let now = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_001);
    let trusted = TrustedKeys::none().and(vault.public_key().unwrap(), crate::SignsAs::any_name_and_role());
    let verified = UnverifiedExcerpt::parse(json.as_bytes()).unwrap().verify(&trusted, now).unwrap();
    let fields = verified.entries()[0].fields_json();
    let digest = Digest::of(&[&bytes]).to_string();
    for told in ["image/png", "scan", "2032", digest.as_str()] {
        assert!(fields.contains(told), "{told} in {fields}");
    }
    assert!(!fields.contains("\"data\"") && json.len() < bytes.len() * 4);
}

#[test]
fn what_is_still_to_be_erased_is_erased_by_a_handle_that_only_refreshed() {
    let mut interruptions = 0;
    for call in 0.. {
        let disk = SimDisk::without_trace(new_image("password"));
        let (vault, other) = (disk.unlock(&owner()).unwrap(), disk.unlock(&owner()).unwrap());
        let id = add(&vault, "CANARY");
        let row = vault.unlocked().unwrap().reader().entry_row(id).unwrap().1;
        let object = row.object.as_ref().unwrap().object;
        let at = usize::try_from(u64::from_le_bytes(*object.reference.first_chunk().unwrap())).unwrap();
        let range = at..at + usize::try_from(object.length).unwrap();
        let stored = disk.image()[range.clone()].to_vec();
        disk.fail_at(call, Fault::Io);
        let result = vault.expunge(&Actor::owner(), &[id], "wish");
        if disk.failed().is_none() {
            result.unwrap();
            break;
        }
        disk.fail_at(usize::MAX, Fault::Io);
        other.refresh().unwrap();
        add(&other, "later");
        if matches!(other.entry(id), Err(Error::NoSuchEntry { .. })) {
            assert!(disk.image()[range] != stored, "call {call}: the root forgot what was to be erased");
            interruptions += usize::from(result.is_err());
        }
    }
    assert!(interruptions > 2);
}

#[test]
fn an_erasure_report_ends_however_many_commits_the_root_claims() {
    let vault = in_memory();
    let unlocked = vault.unlocked().unwrap();
    let known = &unlocked.snapshot;
    let mut root = crate::format::root::Root::decode(&known.root.encode()).unwrap();
    root.epoch = Epoch::new(1 << 60);
    let (places, newer) = unlocked.core.open_places(&root).unwrap();
    let (root_bytes, area_bytes) = (known.root_bytes.clone(), known.area_bytes.clone());
    let snapshot = Snapshot { root, root_bytes, area_bytes, places, newer, settled: true };
    let reader = StateReader { core: &unlocked.core, snapshot: &snapshot };
    assert_eq!(reader.erasure_report(Erasure::default()).unreadable.len(), 1 << 16);
}

#[test]
fn listing_uploads_and_backups_is_told_to_the_audit_hook() {
    use std::sync::{Arc, Mutex};
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let options = options().with_audit(move |event: &AuditEvent| sink.lock().unwrap().push(event.kind));
    let vault = Vault::create_in_memory(&individual(&key(1)), options).unwrap();
    vault.uploads().unwrap();
    vault.backups().unwrap();
    assert_eq!(*told.lock().unwrap(), [ReadKind::UploadsListed, ReadKind::LedgerRead]);
}
