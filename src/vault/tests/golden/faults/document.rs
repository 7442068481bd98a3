//! Source documents and the list of them.

use super::super::forge::{Fault, Forge, GENERAL, row};
use crate::codec::wire;
use crate::payload::documents::{OriginalV1, RangeV1, SourceDocumentV1};
use crate::payload::mirror::BytesV1;
use crate::tree::RowKey;

const SCOPE: [u8; 16] = [0x51; 16];

/// Ids of current entries, ascending.
fn ids(forge: &Forge) -> Vec<[u8; 16]> {
    let rows = forge.rows(GENERAL);
    let current = rows.iter().filter(|row| row[row::CLASS] == 1);
    current.map(|row| row[row::ID..row::ID + 16].try_into().unwrap()).collect()
}

/// A document of the first two entries, as bytes without any check.
struct Plain {
    size: u64,
    entries: Vec<[u8; 16]>,
    ranges: Vec<RangeV1<'static>>,
}

fn here(bytes: &'static [u8]) -> RangeV1<'static> {
    RangeV1::Here(BytesV1(bytes.into()))
}

fn original(entry: [u8; 16], revision: u64) -> RangeV1<'static> {
    RangeV1::Original(OriginalV1 { entry, revision, start: 0, length: 7 })
}

/// The same encoding as `SourceDocumentV1` has, of what it may not hold too.
fn encode(document: &Plain) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend_from_slice(&document.size.to_le_bytes());
    bytes.extend_from_slice(&(document.entries.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&document.entries.concat());
    bytes.extend_from_slice(&(document.ranges.len() as u64).to_le_bytes());
    for range in &document.ranges {
        match range {
            RangeV1::Here(here) => {
                bytes.extend_from_slice(&0u32.to_le_bytes());
                bytes.extend_from_slice(&(here.0.len() as u64).to_le_bytes());
                bytes.extend_from_slice(&here.0);
            }
            RangeV1::Original(OriginalV1 { entry, revision, start, length }) => {
                bytes.extend_from_slice(&1u32.to_le_bytes());
                bytes.extend_from_slice(entry);
                for number in [revision, start, length] {
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
            }
        }
    }
    bytes
}

/// Adds a document and the list that names these.
fn put(forge: &mut Forge, listed: &[[u8; 16]], change: impl Fn(&mut Plain)) {
    let ids = ids(forge);
    let mut document = Plain {
        size: 4_000,
        entries: vec![ids[0], ids[1]],
        ranges: vec![here(b"<head/>"), original(ids[0], 1), here(b"<foot/>")],
    };
    let sound = encode(&document);
    assert!(wire::decode::<SourceDocumentV1<'_>>(&sound).is_ok());
    change(&mut document);
    let key = *RowKey::document(SCOPE).as_bytes();
    let document = forge.new_row(GENERAL, (7, &key), (SCOPE, 0), &encode(&document));
    let list = [&(listed.len() as u64).to_le_bytes()[..], &listed.concat()].concat();
    let key = *RowKey::named("documents").as_bytes();
    let list = forge.new_row(GENERAL, (15, &key), ([0; 16], 0), &list);
    forge.add_rows(GENERAL, [document, list]);
}

fn put_one(forge: &mut Forge, change: impl Fn(&mut Plain)) {
    put(forge, &[SCOPE], change);
}

pub(super) const FAULTS: &[Fault] = &[
    ("source document", |forge| put_one(forge, |_| {}), "ok", "what the next faults change is nothing else"),
    (
        "source document of no entry",
        |forge| {
            put_one(forge, |document| {
                document.entries.clear();
                document.ranges.retain(|range| matches!(range, RangeV1::Here(_)));
                document.ranges.truncate(1);
            })
        },
        "damaged",
        "it would go with nothing",
    ),
    (
        "source document whose entries do not ascend",
        |forge| put_one(forge, |document| document.entries.reverse()),
        "damaged",
        "the entries of a document ascend",
    ),
    (
        "source document of an entry that is not there",
        |forge| put_one(forge, |document| document.entries.push([0xff; 16])),
        "damaged",
        "it goes with the first of them",
    ),
    (
        "source document with an original of an entry that is not among its entries",
        |forge| {
            put_one(forge, |document| {
                document.entries.remove(0);
            })
        },
        "damaged",
        "the entries are all that were made of it",
    ),
    (
        "source document with a revision that is not there",
        |forge| {
            put_one(forge, |document| {
                let entry = document.entries[0];
                document.ranges[1] = original(entry, 900);
            })
        },
        "damaged",
        "a revision that is taken back takes the document along",
    ),
    (
        "source document with revision 0",
        |forge| {
            put_one(forge, |document| {
                let entry = document.entries[0];
                document.ranges[1] = original(entry, 0);
            })
        },
        "damaged",
        "revisions are counted from 1",
    ),
    (
        "source document with no byte of an original",
        |forge| {
            put_one(forge, |document| {
                let (entry, revision) = (document.entries[0], 1);
                document.ranges[1] = RangeV1::Original(OriginalV1 { entry, revision, start: 0, length: 0 });
            })
        },
        "damaged",
        "a document has one encoding",
    ),
    (
        "source document with an empty range",
        |forge| put_one(forge, |document| document.ranges[0] = here(b"")),
        "damaged",
        "a document has one encoding",
    ),
    (
        "source document with two ranges side by side",
        |forge| put_one(forge, |document| document.ranges.insert(0, here(b"x"))),
        "damaged",
        "a document has one encoding",
    ),
    (
        "source document with more bytes than it has",
        |forge| put_one(forge, |document| document.size = 13),
        "damaged",
        "size is that of all ranges",
    ),
    (
        "source document that no list names",
        |forge| put(forge, &[[0x50; 16]], |_| {}),
        "damaged",
        "an expungement finds documents by the list",
    ),
    (
        "empty list of source documents",
        |forge| put(forge, &[], |_| {}),
        "damaged",
        "without documents there is no list",
    ),
    (
        "list of source documents that names one twice",
        |forge| put(forge, &[SCOPE, SCOPE], |_| {}),
        "damaged",
        "scopes ascend",
    ),
];
