//! Attachments: heads, slices, uploads.

use super::super::forge::{Fault, Forge, SEALED, revision_of, row, set_u64, write_encrypted};
use crate::codec::wire;
use crate::crypto::content_digest::ContentDigest;
use crate::id::{ContentId, EntryId};
use crate::payload::content::{ContentV1, SLICE_LEN};
use crate::tree::RowKey;
use crate::{Kind, Record};

/// Where the fields of an encoded head of a content stand (`ContentV1`).
mod head {
    pub(super) const SIZE: usize = 16;
    pub(super) const DIGEST: usize = SIZE + 8;
    pub(super) const SLICES: usize = DIGEST + 32;
    pub(super) const USERS: usize = SLICES + 8;
}

/// An encoded head.
fn encode(head: &ContentV1) -> Vec<u8> {
    let mut bytes = [&head.content[..], &head.size.to_le_bytes(), &head.digest].concat();
    bytes.extend_from_slice(&head.slices.to_le_bytes());
    bytes.extend_from_slice(&(head.users.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&head.users.concat());
    bytes
}

fn head_of(forge: &Forge) -> ContentV1 {
    let rows = forge.rows(SEALED);
    wire::decode(&forge.content(SEALED, &rows[forge.position(SEALED, 9)])).unwrap()
}

fn set_head(forge: &mut Forge, change: impl Fn(&mut ContentV1)) {
    let mut head = head_of(forge);
    change(&mut head);
    forge.change_content(SEALED, 9, |content| *content = encode(&head));
}

/// The row of a slice.
fn slice(forge: &mut Forge, id: [u8; 16], index: u64, content: &[u8]) -> Vec<u8> {
    let key = RowKey::slice(ContentId::from_bytes(id), index);
    forge.new_row(SEALED, (8, key.as_bytes()), (id, index), content)
}

/// The row of a whole slice, and the slice.
fn whole_slice(forge: &mut Forge, id: [u8; 16], index: u64) -> (Vec<u8>, Vec<u8>) {
    let start = forge.file.len();
    let mut row = slice(forge, id, index, &[]);
    forge.file.truncate(start);
    let context = forge.row_context(SEALED, &row);
    let (named, content) = forge.encrypt_whole_slice(&context);
    write_encrypted(&mut row[row::OBJECT..], &named);
    (row, content)
}

/// The stored attachment with a slice before the one that it has.
fn lengthen(forge: &mut Forge) {
    let last = forge.content(SEALED, &forge.rows(SEALED)[forge.position(SEALED, 8)]);
    put_whole_before(forge, &last);
}

/// The stored attachment as a whole slice and another one.
fn put_whole_before(forge: &mut Forge, last: &[u8]) {
    let mut head = head_of(forge);
    let before = head.digest;
    let mut rows = forge.rows(SEALED);
    rows.retain(|row| !matches!(row[row::CLASS], 8 | 9));
    for row in rows.iter_mut().filter(|row| row[row::CLASS] == 1) {
        let mut entry = forge.content(SEALED, row);
        let at = entry.windows(32).position(|bytes| bytes == before);
        let (first, bytes) = (at.unwrap(), digest_of_two(forge, &head, last));
        entry[first..first + 32].copy_from_slice(&bytes);
        forge.set_content(SEALED, row, &entry);
    }
    head.digest = digest_of_two(forge, &head, last);
    (head.size, head.slices) = (SLICE_LEN as u64 + last.len() as u64, 2);
    let (first, _) = whole_slice(forge, head.content, 0);
    rows.push(first);
    rows.push(slice(forge, head.content, 1, last));
    let key = RowKey::content(&ContentDigest::from_bytes(head.digest));
    rows.push(forge.new_row(SEALED, (9, key.as_bytes()), (head.content, 0), &encode(&head)));
    rows.sort();
    forge.set_rows(SEALED, &rows);
}

/// The digest of the whole slice of this content and what follows it.
fn digest_of_two(forge: &mut Forge, head: &ContentV1, last: &[u8]) -> [u8; 32] {
    let start = forge.file.len();
    let (_, first) = whole_slice(forge, head.content, 0);
    forge.file.truncate(start);
    *blake3::hash(&[&first[..], last].concat()).as_bytes()
}

const UPLOAD: [u8; 16] = [5; 16];

/// An upload that claims so many slices, under a title, with the rows that it is given.
fn upload(forge: &mut Forge, id: [u8; 16], slices: u64, title: &str, rows: Vec<Vec<u8>>) {
    let mut content = [&id[..], &slices.to_le_bytes(), &(title.len() as u64).to_le_bytes()].concat();
    content.extend_from_slice(title.as_bytes());
    content.extend_from_slice(&1_790_000_000_000i64.to_le_bytes());
    let key = RowKey::upload(ContentId::from_bytes(id));
    let own = forge.new_row(SEALED, (10, key.as_bytes()), (id, 0), &content);
    forge.add_rows(SEALED, rows.into_iter().chain([own]));
}

/// A user of the content whose current revision does not name it any more.
fn amend_a_user(forge: &mut Forge) -> [u8; 16] {
    let mut rows = forge.rows(SEALED);
    let is_note = |row: &&mut Vec<u8>| row[row::CLASS] == 1 && forge.entry(SEALED, row).kind() == Kind::Note;
    let current = rows.iter_mut().find(is_note).unwrap();
    let id: [u8; 16] = current[..16].try_into().unwrap();
    let mut entry = forge.entry(SEALED, current);
    let Record::Note(note) = &mut entry.record else { panic!("a note") };
    note.attachments.clear();
    let mut earlier = current[..row::INLINE].to_vec();
    earlier.extend_from_slice(&[0; 8]);
    earlier[row::CLASS] = 2;
    earlier[..16].copy_from_slice(RowKey::revision(EntryId::from_bytes(id), 1).as_bytes());
    set_u64(current, row::REVISION, 2);
    let mut amended = std::mem::take(current);
    forge.set_entry(SEALED, &mut amended, &entry);
    rows.retain(|row| !row.is_empty());
    rows.extend([amended, earlier]);
    rows.sort();
    forge.set_rows(SEALED, &rows);
    id
}

pub(super) const FAULTS: &[Fault] = &[
    (
        "users of a content not sorted",
        |forge| forge.change_content(SEALED, 9, |content| content[head::USERS + 8..].rotate_left(16)),
        "damaged",
        "users ascend strictly",
    ),
    (
        "user of a content missing",
        |forge| {
            forge.change_content(SEALED, 9, |content| {
                set_u64(content, head::USERS, 1);
                content.truncate(head::USERS + 8 + 16);
            })
        },
        "damaged",
        "an entry names the content and is not among its users",
    ),
    (
        "user of a content too many",
        |forge| {
            forge.change_content(SEALED, 9, |content| {
                set_u64(content, head::USERS, 3);
                content.extend_from_slice(&[0xff; 16]);
            })
        },
        "damaged",
        "no entry of this id names the content",
    ),
    (
        "size of a content less by one",
        |forge| forge.change_content(SEALED, 9, |content| content[head::SIZE] -= 1),
        "damaged",
        "the last slice is longer",
    ),
    (
        "size of a content without end",
        |forge| forge.change_content(SEALED, 9, |content| set_u64(content, head::SIZE, u64::MAX)),
        "damaged",
        "it would have other slices",
    ),
    (
        "slices of a content one too many",
        |forge| forge.change_content(SEALED, 9, |content| content[head::SLICES] += 1),
        "damaged",
        "the size says how many there are",
    ),
    (
        "digest of a content flipped",
        |forge| forge.change_content(SEALED, 9, |content| content[head::DIGEST] ^= 1),
        "damaged",
        "the row's key is made of it",
    ),
    (
        "id of a content flipped",
        |forge| forge.change_content(SEALED, 9, |content| content[0] ^= 1),
        "damaged",
        "the row has the content's id",
    ),
    (
        "id of a content's row flipped",
        |forge| forge.change_row(SEALED, 9, |row| row[row::ID] ^= 1),
        "damaged",
        "the row has the content's id",
    ),
    (
        "key of a content's row flipped",
        |forge| {
            let mut rows = forge.rows(SEALED);
            let head = &mut rows[forge.position(SEALED, 9)];
            let content = forge.content(SEALED, head);
            head[0] ^= 1;
            forge.set_content(SEALED, head, &content);
            rows.sort();
            forge.set_rows(SEALED, &rows);
        },
        "damaged",
        "the row's key is made of the content's digest",
    ),
    (
        "content of a whole slice and an empty one",
        |forge| put_whole_before(forge, &[]),
        "damaged",
        "the size says how many slices there are",
    ),
    (
        "byte of a slice changed and encrypted",
        |forge| forge.change_content(SEALED, 8, |content| content[10] ^= 1),
        "damaged",
        "the digest of the whole content",
    ),
    (
        "index of a slice changed",
        |forge| forge.change_row(SEALED, 8, |row| set_u64(row, row::REVISION, 1)),
        "damaged",
        "the row's key is made of it",
    ),
    ("slice missing", |forge| forge.without(SEALED, &[8]), "damaged", "the head says that there is one"),
    ("content and its slices missing", |forge| forge.without(SEALED, &[8, 9]), "damaged", "entries name it"),
    (
        "content of two slices",
        lengthen,
        "ok, other content",
        "what the other faults of two slices change is nothing else",
    ),
    (
        "first slice of two missing",
        |forge| {
            lengthen(forge);
            let mut rows = forge.rows(SEALED);
            rows.retain(|row| row[row::CLASS] != 8 || revision_of(row) != 0);
            forge.set_rows(SEALED, &rows);
        },
        "damaged",
        "every slice is there",
    ),
    (
        "slice that no head and no upload names",
        |forge| {
            let row = slice(forge, UPLOAD, 0, b"nobody's");
            forge.add_rows(SEALED, [row]);
        },
        "damaged",
        "every slice is of one head or upload",
    ),
    (
        "slice behind the last one of a content",
        |forge| {
            let id = head_of(forge).content;
            let row = slice(forge, id, 1, b"more");
            forge.add_rows(SEALED, [row]);
        },
        "damaged",
        "every slice is of one head or upload",
    ),
    (
        "content without users",
        |forge| {
            forge.without(SEALED, &[1]);
            set_head(forge, |head| head.users.clear());
        },
        "damaged",
        "a content goes with its last user",
    ),
    (
        "user of a content twice",
        |forge| {
            set_head(forge, |head| {
                let last = head.users[1];
                head.users.push(last);
            })
        },
        "damaged",
        "users ascend strictly",
    ),
    (
        "content that an earlier revision alone names",
        |forge| {
            amend_a_user(forge);
        },
        "ok, other content",
        "an entry uses what any of its revisions names",
    ),
    (
        "content without the user of which an earlier revision names it",
        |forge| {
            let id = amend_a_user(forge);
            set_head(forge, |head| head.users.retain(|user| *user != id));
        },
        "damaged",
        "an entry uses what any of its revisions names",
    ),
    (
        "upload",
        |forge| {
            let (row, _) = whole_slice(forge, UPLOAD, 0);
            upload(forge, UPLOAD, 1, "", vec![row]);
        },
        "ok",
        "what the faults of uploads change is nothing else",
    ),
    (
        "upload of which a slice is missing",
        |forge| {
            let (row, _) = whole_slice(forge, UPLOAD, 0);
            upload(forge, UPLOAD, 2, "", vec![row]);
        },
        "damaged",
        "its first slices are stored",
    ),
    (
        "upload of no slice",
        |forge| upload(forge, UPLOAD, 0, "", Vec::new()),
        "damaged",
        "an upload has at least one",
    ),
    (
        "upload whose slice is not whole",
        |forge| {
            let row = slice(forge, UPLOAD, 0, b"a part");
            upload(forge, UPLOAD, 1, "", vec![row]);
        },
        "damaged",
        "the slices of an upload are whole",
    ),
    (
        "upload with a title of 1025 bytes",
        |forge| {
            let (row, _) = whole_slice(forge, UPLOAD, 0);
            upload(forge, UPLOAD, 1, &"x".repeat(1025), vec![row]);
        },
        "damaged",
        "at most 1024",
    ),
    (
        "upload of another content than its row says",
        |forge| {
            let (row, _) = whole_slice(forge, UPLOAD, 0);
            upload(forge, UPLOAD, 1, "", vec![row]);
            forge.change_content(SEALED, 10, |upload| upload[0] ^= 1);
        },
        "damaged",
        "the row has the content's id",
    ),
    (
        "upload of slices that a content has",
        |forge| {
            lengthen(forge);
            let id = head_of(forge).content;
            upload(forge, id, 1, "", Vec::new());
        },
        "damaged",
        "every slice is of one head or upload",
    ),
];
