//! What is remembered of imports, and tombstones.

use super::super::forge::{Fault, Forge, GENERAL, SEALED, row};
use crate::Token;
use crate::codec::wire;
use crate::payload::imports::{DocumentV1, ImportV1, UnnamedV1};

/// An encoded row of an import that has no answers.
fn encode(import: &ImportV1) -> Vec<u8> {
    assert!(import.answers.is_empty());
    let mut bytes = (import.documents.len() as u64).to_le_bytes().to_vec();
    for DocumentV1 { name, scope, entries } in &import.documents {
        bytes.push(u8::from(name.is_some()));
        if let Some(name) = name {
            bytes.extend_from_slice(&(name.len() as u64).to_le_bytes());
            bytes.extend_from_slice(name.as_bytes());
        }
        bytes.extend_from_slice(scope);
        bytes.extend_from_slice(&entries.to_le_bytes());
    }
    bytes.extend_from_slice(&0u64.to_le_bytes());
    bytes.push(u8::from(import.unnamed.is_some()));
    if let Some(UnnamedV1 { answer, identities }) = &import.unnamed {
        bytes.extend_from_slice(answer);
        bytes.extend_from_slice(&(identities.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&identities.concat());
    }
    bytes
}

/// Changes what is remembered of the import.
fn remember(forge: &mut Forge, change: impl Fn(&mut ImportV1)) {
    let is_import = |row: &[u8]| row[row::CLASS] == 14;
    forge.change_content_of(GENERAL, is_import, |content| {
        let mut import: ImportV1 = wire::decode(content).unwrap();
        change(&mut import);
        *content = encode(&import);
    });
}

/// One of the imported entries is of a document without a name.
fn take_a_name(forge: &mut Forge) {
    let mut rows = forge.rows(GENERAL);
    let epoch = rows.iter().find(|row| row[row::CLASS] == 14).unwrap()[row::EPOCH..row::PRESENT].to_vec();
    let brought = |row: &&mut Vec<u8>| row[row::CLASS] == 1 && row[row::EPOCH..row::PRESENT] == epoch[..];
    let row = rows.iter_mut().find(brought).unwrap();
    let mut entry = forge.entry(GENERAL, row);
    assert_eq!(entry.provenance.document, Token::new("portal.ndjson").ok());
    entry.provenance.document = None;
    let mut changed = std::mem::take(row);
    forge.set_entry(GENERAL, &mut changed, &entry);
    *rows.iter_mut().find(|row| row.is_empty()).unwrap() = changed;
    forge.set_rows(GENERAL, &rows);
}

/// Of two documents, one without a name.
fn two_documents(forge: &mut Forge, change: impl Fn(&mut ImportV1)) {
    take_a_name(forge);
    remember(forge, |import| {
        import.documents[0].entries -= 1;
        import.documents.insert(0, DocumentV1 { name: None, scope: [4; 16], entries: 1 });
        change(import);
    });
}

fn unnamed(count: usize) -> Option<UnnamedV1> {
    Some(UnnamedV1 { answer: [8; 16], identities: vec![[9; 16]; count] })
}

/// The first tombstone with these digests.
fn bury(forge: &mut Forge, digests: &[[u8; 16]]) {
    forge.change_content(SEALED, 16, |content| {
        *content = [&(digests.len() as u64).to_le_bytes()[..], &digests.concat()].concat();
    });
}

pub(super) const FAULTS: &[Fault] = &[
    (
        "import encrypted again",
        |forge| remember(forge, |_| {}),
        "ok",
        "what the other faults of imports change is nothing else",
    ),
    (
        "import that counts an entry too many",
        |forge| remember(forge, |import| import.documents[0].entries += 1),
        "damaged",
        "the counts are true",
    ),
    (
        "import of no document",
        |forge| remember(forge, |import| import.documents.clear()),
        "damaged",
        "with the last document the row goes",
    ),
    (
        "import with a document of no entry",
        |forge| {
            remember(forge, |import| {
                import.documents.insert(0, DocumentV1 { name: None, scope: [4; 16], entries: 0 });
            })
        },
        "damaged",
        "a document of which nothing is left is not there",
    ),
    (
        "import without a document that an entry names",
        take_a_name,
        "damaged",
        "the documents are those that the revisions name",
    ),
    (
        "import of two documents",
        |forge| two_documents(forge, |_| {}),
        "ok, other content",
        "what the next fault changes is nothing else",
    ),
    (
        "import of two documents out of order",
        |forge| two_documents(forge, |import| import.documents.reverse()),
        "damaged",
        "documents ascend, one without a name first",
    ),
    (
        "import with 16 references to somebody",
        |forge| remember(forge, |import| import.unnamed = unnamed(16)),
        "ok",
        "at most 16",
    ),
    (
        "import with 17 references to somebody",
        |forge| remember(forge, |import| import.unnamed = unnamed(17)),
        "damaged",
        "at most 16",
    ),
    ("tombstone of no digest", |forge| bury(forge, &[]), "damaged", "at least one"),
    (
        "tombstone whose digests descend",
        |forge| bury(forge, &[[2; 16], [1; 16]]),
        "damaged",
        "digests ascend",
    ),
    (
        "tombstone with a digest twice",
        |forge| bury(forge, &[[1; 16], [1; 16]]),
        "damaged",
        "digests ascend strictly",
    ),
];
