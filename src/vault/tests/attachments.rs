//! Attachments: stored whole or not at all, once per compartment, for as long
//! as an entry uses them; read by any range; resumed where they were interrupted.

use std::io::{self, Read, Seek as _, SeekFrom};

use proptest::prelude::*;

use super::basics::{diagnosis, note};
use super::disk::SimDisk;
use super::workload::{clinic, new_image, owner};
use crate::payload::content::SLICE_LEN;
use crate::testing::shrink_slices;
use crate::*;

/// Bytes of a slice in these tests, and slices of a commit.
const SHORT: usize = 1016;
const STEP: usize = 4;

fn vault() -> (SimDisk, Vault) {
    shrink_slices(SHORT, STEP as u64);
    let disk = SimDisk::new(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    (disk, vault)
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from((n / 256 * 31 + n) % 256).unwrap()).collect()
}

fn titled(title: &str) -> Attachment {
    Attachment { title: Some(Token::new(title).unwrap()), ..Attachment::default() }
}

fn letter() -> NewAttachment {
    NewAttachment::new(titled("letter"))
}

fn attach(vault: &Vault, new: &NewAttachment, bytes: &[u8]) -> Result<EntryId, Error> {
    vault.attach(&Actor::owner(), new, &mut &bytes[..]).map(|committed| committed.value)
}

fn read(vault: &Vault, id: EntryId) -> Vec<u8> {
    let mut bytes = Vec::new();
    vault.attachment(id, 0).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn assert_clean(vault: &Vault) {
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
}

/// Fails when so many bytes were read.
struct Failing<'a>(&'a [u8], usize);

impl Read for Failing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1 == 0 {
            return Err(io::Error::other("EIO"));
        }
        let most = buffer.len().min(self.1);
        let count = self.0.read(&mut buffer[..most])?;
        self.1 -= count;
        Ok(count)
    }
}

#[test]
fn a_slice_with_its_length_is_exactly_a_mebibyte() {
    assert_eq!(crate::codec::padding::padded_len(SLICE_LEN), 1 << 20);
}

#[test]
fn content_of_every_length_around_a_slice_and_a_commit_comes_back() {
    let (disk, vault) = vault();
    let lengths =
        [0, 1, SHORT - 1, SHORT, SHORT + 1, 3 * SHORT + 5, STEP * SHORT, STEP * SHORT + 1, 13 * SHORT];
    for length in lengths {
        let before = vault.epoch().number();
        let id = attach(&vault, &letter(), &content(length)).unwrap();
        let commits = length.div_ceil(STEP * SHORT).max(1) as u64;
        assert_eq!(vault.epoch().number() - before, commits, "{length}");
        assert!(read(&vault, id) == content(length), "{length}");
        let mut reader = vault.attachment(id, 0).unwrap();
        assert_eq!(reader.sha256().unwrap(), Digest::of(&[&content(length)]), "{length}");
        assert_eq!(
            (reader.size(), reader.content_digest()),
            (length as u64, ContentDigest::of(&content(length)))
        );
    }
    assert!(vault.uploads().unwrap().is_empty());
    assert_clean(&vault);
    drop(vault);
    assert_clean(&disk.unlock(&owner()).unwrap());
}

#[test]
fn equal_content_is_stored_once_in_a_compartment_and_never_across_compartments() {
    let (disk, vault) = vault();
    let bytes = content(20 * SHORT);
    let first = attach(&vault, &letter(), &bytes).unwrap();
    let size = disk.image().len();
    let rows_of = |compartment| vault.unlocked().unwrap().reader().trie(compartment).unwrap().rows;
    let rows = || rows_of(Compartment::General);
    let before = rows();
    let small = content(2 * SHORT);
    let one = attach(&vault, &letter(), &small).unwrap();
    let with_one = rows();
    let two = attach(&vault, &letter(), &small).unwrap();
    assert_eq!(rows() - with_one, 2, "an entry and a ledger row, no slice and no head");
    assert_eq!(with_one - before, 5);
    let again = attach(&vault, &letter(), &bytes).unwrap();
    assert!(disk.image().len() > size, "a long one is stored first and withdrawn then");
    let (general, others) = (rows(), rows_of(Compartment::Sealed));
    let sealed = attach(&vault, &letter().in_compartment(Compartment::Sealed), &small).unwrap();
    let grown = rows_of(Compartment::Sealed) - others;
    assert_eq!(grown, 5, "an entry, a head, two slices and a ledger row of its own");
    assert_eq!(rows(), general);
    assert_clean(&vault);
    vault.expunge(&Actor::owner(), &[one, first], "wish").unwrap();
    for (id, expected) in [(two, &small), (again, &bytes), (sealed, &small)] {
        assert!(read(&vault, id) == *expected);
    }
    vault.expunge(&Actor::owner(), &[two], "wish").unwrap();
    assert!(read(&vault, sealed) == small);
    assert_clean(&vault);
}

#[test]
fn an_amended_or_retracted_entry_keeps_its_content_until_it_is_expunged() {
    let (_, vault) = vault();
    let owner = Actor::owner();
    let bytes = content(3 * SHORT);
    let id = attach(&vault, &letter(), &bytes).unwrap();
    let rows = || vault.unlocked().unwrap().reader().trie(Compartment::General).unwrap().rows;
    let entry = vault.entry(id).unwrap();
    vault.update(&owner, |tx| tx.retract(id, "wrong patient")).unwrap();
    assert!(read(&vault, id) == bytes);
    let bare = Entry::new(AttachmentRecord::default(), Provenance::default());
    vault.update(&owner, |tx| tx.amend(id, &bare, "taken out")).unwrap();
    assert!(matches!(vault.attachment(id, 0), Err(Error::NoSuchAttachment { number: 0, .. })));
    assert_clean(&vault);
    let other = vault.update(&owner, |tx| tx.add(&entry)).unwrap().value;
    assert!(read(&vault, other) == bytes, "an earlier revision kept it");
    vault.expunge(&owner, &[id], "wish").unwrap();
    assert!(read(&vault, other) == bytes);
    let before = rows();
    let report = vault.expunge(&owner, &[other], "wish").unwrap();
    assert!(report.bytes > 3 * SHORT as u64);
    assert_eq!(before - rows(), 1 + 1 + 3, "entry, head and slices go; the line about it is in `custody`");
    assert_clean(&vault);
    assert!(matches!(vault.update(&owner, |tx| tx.add(&entry)), Err(Error::NoSuchContent)));
}

#[test]
fn an_attachment_joins_other_entries_by_one_commit() {
    let (_, vault) = vault();
    let owner = Actor::owner();
    let id = vault.update(&owner, |tx| tx.add(&note("progress", "see the letter"))).unwrap().value;
    let bytes = content(2 * SHORT);
    assert_eq!(attach(&vault, &letter().to_entry(id, "the letter came"), &bytes).unwrap(), id);
    assert_eq!(vault.history(id).unwrap().len(), 2);
    let new = letter().with_entry(note("psychotherapy", "said"));
    let secret = attach(&vault, &new, &bytes).unwrap();
    let listed = vault.list(&Filter::all()).unwrap();
    let secret_card = listed.iter().find(|listed| listed.id == secret).unwrap();
    assert_eq!(secret_card.compartment, Compartment::PsychotherapyNotes);
    assert!(secret_card.card.flags.attachment);
    let id = vault
        .update(&owner, |tx| {
            let mut attachment = tx.store(Compartment::General, &mut &bytes[..])?;
            attachment.title = titled("scan").title;
            let mut entry = note("letter", "two sides");
            let Record::Note(note) = &mut entry.record else { unreachable!() };
            note.attachments = vec![attachment, titled("elsewhere")];
            tx.add(&entry)
        })
        .unwrap()
        .value;
    assert!(read(&vault, id) == bytes);
    let without = vault.update(&owner, |tx| tx.store(Compartment::General, &mut &content(9)[..])).unwrap();
    assert_eq!(without.epoch, vault.epoch(), "what no entry uses is not kept");
    assert_clean(&vault);
}

#[test]
fn what_cannot_be_attached_is_refused_before_anything_is_read_or_written() {
    let (disk, vault) = vault();
    let id = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "Asthma", "2020"))).unwrap().value;
    let image = disk.image();
    let refuse = |new: NewAttachment| {
        let mut never = Failing(&[], 0);
        vault.attach(&Actor::owner(), &new, &mut never).err().unwrap()
    };
    assert!(matches!(refuse(letter().to_entry(id, "")), Error::Invalid { .. }));
    assert!(matches!(refuse(letter().with_entry(diagnosis("J45", "x", "2020"))), Error::Invalid { .. }));
    let missing = EntryId::from_bytes([9; 16]);
    assert!(matches!(refuse(letter().to_entry(missing, "")), Error::NoSuchEntry { .. }));
    let foreign = attach(&vault, &letter().in_compartment(Compartment::Custody), b"x");
    assert!(matches!(foreign, Err(Error::Invalid { .. })));
    let stranger = ContentDigest::of(b"never stored");
    let mut entry = Entry::new(AttachmentRecord::default(), Provenance::default());
    let Record::Attachment(record) = &mut entry.record else { unreachable!() };
    record.content = vec![Attachment { location: Some(Location::Stored(stranger)), ..titled("x") }];
    let refused = vault.update(&Actor::owner(), |tx| tx.add(&entry));
    assert!(matches!(refused, Err(Error::NoSuchContent)));
    assert!(disk.image() == image);
    drop(vault);
    let clinic = disk.unlock(&clinic()).unwrap();
    let sealed = attach(&clinic, &letter().in_compartment(Compartment::Sealed), b"x");
    assert!(matches!(sealed, Err(Error::NeedsCompartment { .. })));
}

#[test]
fn a_source_that_fails_or_shrinks_leaves_the_vault_as_it_was() {
    let (_, vault) = vault();
    let before = vault.checkpoint().unwrap();
    let bytes = content(STEP * SHORT);
    for until in [0, 1, SHORT, 2 * SHORT + 7, STEP * SHORT] {
        let mut source = Failing(&bytes, until);
        let failed = vault.attach(&Actor::owner(), &letter(), &mut source);
        assert!(matches!(failed, Err(Error::Source { .. })), "{until}");
    }
    let shrunk = attach(&vault, &letter().expecting_size(bytes.len() as u64 + 1), &bytes);
    assert!(matches!(shrunk, Err(Error::SourceChanged)));
    let passed_over = vault.update(&Actor::owner(), |tx| {
        let _ = tx.store(Compartment::General, &mut Failing(&bytes, SHORT + 1));
        tx.add(&note("progress", "x"))
    });
    assert!(passed_over.is_err(), "an operation that failed half-way is not committed");
    let long = vault.update(&Actor::owner(), |tx| {
        tx.store(Compartment::General, &mut &content(STEP * SHORT + 1)[..]).map(|_| ())
    });
    assert!(matches!(long, Err(Error::TooLarge)));
    assert_eq!(vault.checkpoint().unwrap(), before);
}

#[test]
fn a_source_that_shrinks_after_a_commit_leaves_the_entries_and_one_upload() {
    for length in [STEP * SHORT + 1, 6 * SHORT, 2 * STEP * SHORT] {
        let (_, vault) = vault();
        let id = vault.update(&Actor::owner(), |tx| tx.add(&note("progress", "x"))).unwrap().value;
        for new in [letter(), letter().to_entry(id, "the letter")] {
            let longer = new.expecting_size(length as u64 + 1);
            let shrunk = attach(&vault, &longer, &content(length));
            assert!(matches!(shrunk, Err(Error::SourceChanged)), "{length}: {shrunk:?}");
            let uploads = vault.uploads().unwrap();
            assert_eq!(uploads.len(), 1, "{length}");
            assert_eq!(uploads[0].bytes, ((length - 1) / (STEP * SHORT) * STEP * SHORT) as u64);
            assert_eq!(vault.list(&Filter::all()).unwrap().len(), 1);
            assert_eq!(vault.history(id).unwrap().len(), 1);
            assert_clean(&vault);
            vault.discard_upload(&Actor::owner(), uploads[0].id).unwrap();
        }
    }
}

#[test]
fn an_upload_is_resumed_after_a_failure_at_every_slice() {
    let bytes = content(11 * SHORT + 300);
    for slice in 0..=11 {
        let (disk, vault) = vault();
        let mut source = Failing(&bytes, slice * SHORT + 10);
        let failed = vault.attach(&Actor::owner(), &letter(), &mut source);
        assert!(matches!(failed, Err(Error::Source { .. })));
        assert_clean(&vault);
        drop(vault);
        let vault = disk.unlock(&owner()).unwrap();
        let uploads = vault.uploads().unwrap();
        // A commit is made when more than it takes was read.
        let stored = slice.saturating_sub(1) / STEP * STEP;
        let Some(upload) = uploads.first() else {
            assert_eq!(stored, 0);
            continue;
        };
        assert_eq!((upload.bytes, upload.title.as_deref()), ((stored * SHORT) as u64, Some("letter")));
        // Somebody else writes in between.
        vault.update(&Actor::owner(), |tx| tx.add(&note("progress", "x"))).unwrap();
        let mut last = 0;
        let resumed =
            vault.resume_upload_with(&Actor::owner(), upload.id, &letter(), &mut &bytes[..], |read| {
                last = read
            });
        assert!(read(&vault, resumed.unwrap().value) == bytes);
        assert_eq!(last, bytes.len() as u64);
        assert!(vault.uploads().unwrap().is_empty());
        assert_clean(&vault);
    }
}

#[test]
fn a_source_that_changed_is_stored_as_it_is_now() {
    for (at, length) in
        [(0, 11 * SHORT), (5 * SHORT, 11 * SHORT), (7 * SHORT, 6 * SHORT), (0, 0), (9, 8 * SHORT)]
    {
        let (_, vault) = vault();
        let bytes = content(11 * SHORT);
        vault.attach(&Actor::owner(), &letter(), &mut Failing(&bytes, 10 * SHORT)).unwrap_err();
        let upload = vault.uploads().unwrap().remove(0);
        assert_eq!(upload.bytes, 8 * SHORT as u64);
        let mut changed = bytes[..length].to_vec();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 1;
        }
        let id = vault.resume_upload(&Actor::owner(), upload.id, &letter(), &mut &changed[..]).unwrap().value;
        assert!(read(&vault, id) == changed);
        assert_clean(&vault);
    }
}

#[test]
fn an_upload_is_discarded_whole_and_only_once() {
    let (_, vault) = vault();
    let owner = Actor::owner();
    let bytes = content(11 * SHORT);
    let rows = || vault.unlocked().unwrap().reader().trie(Compartment::General).unwrap().rows;
    vault.attach(&owner, &letter(), &mut Failing(&bytes, 10 * SHORT)).unwrap_err();
    let upload = vault.uploads().unwrap().remove(0);
    assert_eq!(rows(), 9);
    let elsewhere = letter().in_compartment(Compartment::Sealed);
    let wrong = vault.resume_upload(&owner, upload.id, &elsewhere, &mut &bytes[..]);
    assert!(matches!(wrong, Err(Error::Invalid { .. })));
    vault.discard_upload(&owner, upload.id).unwrap();
    assert_eq!(rows(), 0);
    assert!(matches!(vault.discard_upload(&owner, upload.id), Err(Error::NoSuchUpload { .. })));
    let gone = vault.resume_upload(&owner, upload.id, &letter(), &mut &bytes[..]);
    assert!(matches!(gone, Err(Error::NoSuchUpload { .. })));
    assert_clean(&vault);
}

#[test]
fn a_reader_outlives_commits_and_ends_with_its_entry() {
    let (disk, vault) = vault();
    let other = disk.unlock(&owner()).unwrap();
    let bytes = content(3 * SHORT);
    let id = attach(&vault, &letter(), &bytes).unwrap();
    let mut reader = vault.attachment(id, 0).unwrap();
    let mut buffer = [0; 100];
    reader.read_exact(&mut buffer).unwrap();
    let gone = attach(&other, &letter(), &content(SHORT)).unwrap();
    other.expunge(&Actor::owner(), &[gone], "wish").unwrap();
    reader.seek(SeekFrom::End(-100)).unwrap();
    reader.read_exact(&mut buffer).unwrap();
    assert_eq!(buffer, bytes[3 * SHORT - 100..]);
    assert_eq!(reader.read(&mut buffer).unwrap(), 0);
    other.expunge(&Actor::owner(), &[id], "wish").unwrap();
    vault.refresh().unwrap();
    for offset in [0, 2 * SHORT as u64 + 50] {
        assert!(matches!(reader.read_at(offset, &mut buffer), Err(Error::NoSuchEntry { .. })));
    }
    reader.rewind().unwrap();
    let error = reader.read(&mut buffer).unwrap_err();
    assert!(error.get_ref().unwrap().is::<Error>());

    let id = attach(&vault, &letter(), &bytes).unwrap();
    let mut reader = vault.attachment(id, 0).unwrap();
    reader.read_exact(&mut buffer).unwrap();
    vault.forget_keys().unwrap();
    assert!(matches!(reader.read_at(0, &mut buffer), Err(Error::Locked)));
}

#[test]
fn a_reader_does_not_open_slices_that_it_was_not_asked_for() {
    let (disk, vault) = vault();
    let id = attach(&vault, &letter(), &content(STEP * SHORT)).unwrap();
    let view = vault.unlocked().unwrap();
    let mut image = disk.image();
    let (_, head) = {
        let digest = vault.attachment(id, 0).unwrap().content_digest();
        view.reader().content(Compartment::General, &digest).unwrap().unwrap()
    };
    let key = crate::tree::RowKey::slice(ContentId::from_bytes(head.content), 2);
    let row = view.reader().row(Compartment::General, &key).unwrap().unwrap();
    let at = row.object.as_ref().unwrap().object.reference;
    let at = usize::try_from(u64::from_le_bytes(*at.first_chunk().unwrap())).unwrap();
    image[at + 100] ^= 1;
    disk.replace(image);
    let mut reader = vault.attachment(id, 0).unwrap();
    let mut buffer = [0; 10];
    for (offset, whole) in [(0, true), (SHORT, true), (2 * SHORT, false), (3 * SHORT, true)] {
        let result = reader.read_at(offset as u64, &mut buffer);
        assert_eq!(result.is_ok(), whole, "{offset}");
    }
    assert_eq!(vault.list(&Filter::all()).unwrap().len(), 1);
    let expected = CheckFinding::DamagedAttachment { compartment: Compartment::General, entries: vec![id] };
    assert_eq!(vault.check().unwrap().findings, [expected]);
}

/// Where the stored bytes of a slice of the entry's file are.
fn slice_at(vault: &Vault, id: EntryId, index: u64) -> std::ops::Range<usize> {
    let digest = vault.attachment(id, 0).unwrap().content_digest();
    let view = vault.unlocked().unwrap();
    let (_, head) = view.reader().content(Compartment::General, &digest).unwrap().unwrap();
    let key = crate::tree::RowKey::slice(ContentId::from_bytes(head.content), index);
    let object = view.reader().row(Compartment::General, &key).unwrap().unwrap().object.unwrap().object;
    let at = usize::try_from(u64::from_le_bytes(*object.reference.first_chunk().unwrap())).unwrap();
    at..at + usize::try_from(object.length).unwrap()
}

#[test]
fn a_file_of_which_slices_of_equal_length_were_swapped_is_damaged_and_leaves_without_a_sha_256() {
    let (disk, vault) = vault();
    let id = attach(&vault, &letter(), &content(3 * SHORT)).unwrap();
    let mut image = disk.image();
    let [first, second] = [0, 1].map(|index| slice_at(&vault, id, index));
    assert_eq!(first.len(), second.len());
    let one = image[first.clone()].to_vec();
    image.copy_within(second.clone(), first.start);
    image[second].copy_from_slice(&one);
    disk.replace(image);
    let mut reader = vault.attachment(id, 0).unwrap();
    assert!(matches!(reader.read_at(0, &mut [0; 10]), Err(Error::Damaged { .. })));
    assert!(matches!(reader.sha256(), Err(Error::Damaged { .. })));
    let policy = Policy::everything_of([Kind::Attachment]).include("content").unwrap();
    let view = vault.preview(&policy).unwrap();
    assert!(view.notices().contains(&FilterNotice::AttachmentWithoutBytes { attachments: 1 }));
    let expected = CheckFinding::DamagedAttachment { compartment: Compartment::General, entries: vec![id] };
    assert_eq!(vault.check().unwrap().findings, [expected]);
}

#[test]
fn a_key_holder_who_names_slices_in_another_order_makes_another_content() {
    use crate::tree::RowKey;
    let (_, vault) = vault();
    let id = attach(&vault, &letter(), &content(3 * SHORT)).unwrap();
    let digest = vault.attachment(id, 0).unwrap().content_digest();
    vault
        .update(&Actor::owner(), |tx| {
            let (_, head) = tx.reader().content(Compartment::General, &digest)?.unwrap();
            let id = ContentId::from_bytes(head.content);
            let slice = |tx: &Transaction<'_>, index| {
                tx.reader().slice(Compartment::General, id, index).map(Option::unwrap)
            };
            let [first, second] = [slice(tx, 0)?, slice(tx, 1)?];
            for (index, bytes) in [(0, &second), (1, &first)] {
                let row = tx.row(Compartment::General, &RowKey::slice(id, index))?.unwrap();
                tx.put_encrypted(Compartment::General, row, bytes)?;
            }
            Ok(())
        })
        .unwrap();
    let mut reader = vault.attachment(id, 0).unwrap();
    assert!(matches!(reader.sha256(), Err(Error::Damaged { what: "attachment" })));
    let expected = CheckFinding::DamagedAttachment { compartment: Compartment::General, entries: vec![id] };
    assert_eq!(vault.check().unwrap().findings, [expected]);
}

#[test]
fn a_check_finds_heads_slices_and_users_that_do_not_fit() {
    use crate::codec::wire;
    use crate::payload::content::ContentV1;
    use crate::tree::{Row, RowClass, RowKey};
    type Change = fn(&mut ContentV1);
    let changes: [(&str, Change); 4] = [
        ("another user", |head| head.users.push([0xff; 16])),
        ("a user less and another more", |head| head.users = vec![[7; 16]]),
        ("size", |head| head.size -= 1),
        ("digest of another content", |head| head.digest[0] ^= 1),
    ];
    for (name, change) in changes {
        let (_, vault) = vault();
        let id = attach(&vault, &letter(), &content(3 * SHORT)).unwrap();
        let digest = vault.attachment(id, 0).unwrap().content_digest();
        vault
            .update(&Actor::owner(), |tx| {
                let (row, mut head) = tx.reader().content(Compartment::General, &digest)?.unwrap();
                change(&mut head);
                tx.put_encrypted(Compartment::General, row, &wire::encode(&head)?)
            })
            .unwrap();
        assert!(!vault.check().unwrap().is_clean(), "{name}");
    }
    let unsorted =
        ContentV1 { content: [1; 16], size: 1, digest: [2; 32], slices: 1, users: vec![[3; 16], [2; 16]] };
    assert!(wire::encode(&unsorted).is_err());
    for broken in [
        ContentV1 { users: vec![], ..unsorted.clone() },
        ContentV1 { users: vec![[3; 16], [3; 16]], ..unsorted.clone() },
        ContentV1 { users: vec![[3; 16]], slices: 2, ..unsorted.clone() },
        ContentV1 { users: vec![[3; 16]], size: u64::MAX, ..unsorted },
    ] {
        assert!(wire::encode(&broken).is_err());
    }
    let (_, vault) = vault();
    attach(&vault, &letter(), &content(3 * SHORT)).unwrap();
    vault
        .update(&Actor::owner(), |tx| {
            let content = ContentId::from_bytes([5; 16]);
            let mut row = Row::unnamed(RowKey::slice(content, 7), RowClass::Slice, tx.epoch());
            (row.id, row.revision) = (EntryId::from_bytes([5; 16]), 7);
            tx.put_encrypted(Compartment::General, row, &b"orphan"[..])
        })
        .unwrap();
    let orphan = CheckFinding::OrphanSlices { compartment: Compartment::General, slices: 1 };
    assert_eq!(vault.check().unwrap().findings, [orphan]);
}

#[test]
fn stored_attachments_ask_for_no_newer_reader() {
    let (_, vault) = vault();
    attach(&vault, &letter(), b"x").unwrap();
    let unlocked = vault.unlocked().unwrap();
    assert_eq!(unlocked.snapshot.root.least_reader, 1);
    for compartment in Compartment::ALL {
        assert_eq!(unlocked.snapshot.place(compartment).unwrap().least_reader, 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_range_is_what_a_vector_has(
        length in 0..6 * SHORT,
        ranges in prop::collection::vec((0..7 * SHORT, 0..3 * SHORT), 1..20),
    ) {
        let (_, vault) = vault();
        let bytes = content(length);
        let id = attach(&vault, &letter(), &bytes).unwrap();
        let mut reader = vault.attachment(id, 0).unwrap();
        for (start, count) in ranges {
            let mut found = Vec::new();
            reader.seek(SeekFrom::Start(start as u64)).unwrap();
            (&mut reader).take(count as u64).read_to_end(&mut found).unwrap();
            let expected = &bytes[start.min(length)..(start + count).min(length)];
            prop_assert_eq!(&found[..], expected);
        }
    }
}

#[test]
fn entries_added_at_once_keep_what_they_are_attached_to() {
    let (disk, vault) = vault();
    let bytes = content(2 * SHORT);
    let id = attach(&vault, &letter(), &bytes).unwrap();
    let entry = vault.entry(id).unwrap();
    let others =
        vault.update(&Actor::owner(), |tx| tx.add_all(&[entry.clone(), entry.clone()])).unwrap().value;
    assert_clean(&vault);
    vault.expunge(&Actor::owner(), &[id], "wish").unwrap();
    others.iter().for_each(|other| assert!(read(&vault, *other) == bytes));
    vault.expunge(&Actor::owner(), &others, "wish").unwrap();
    let missing = vault.update(&Actor::owner(), |tx| tx.add_all(std::slice::from_ref(&entry)));
    assert!(missing.is_err(), "there is no such content any more");
    assert_clean(&vault);
    drop(vault);
    assert_clean(&disk.unlock(&owner()).unwrap());
}
