//! Every wire type: bytes that decode are the only ones of their value.

use std::collections::HashSet;

use proptest::prelude::*;

use super::catalogue::{ChildV1, EraseListV1, InlineV1, ObjectV1, PageV1, RowV1, decode_page};
use super::content::{ContentV1, UploadV1};
use super::custody::{DirectorySlotV1, DirectoryV1, IdentityKeyV1, SigningV1, VaultRecordV1};
use super::documents::{DocumentListV1, OriginalV1, RangeV1, SourceDocumentV1};
use super::history::{LINES_LIMIT, LeafV1, LedgerV1, LineV1, LinkV1, SegmentSpanV1, TEXT_LIMIT};
use super::imports::{AnswerV1, DocumentV1, ImportV1, TombstoneV1, UnnamedV1};
use super::mirror::BytesV1;
use super::secret::SecretV1;
use super::story::{AccountingV1, ActV1, StoryV1};
use super::{decode_card, decode_entry, encode_card, encode_entry};
use crate::codec::wire::Wire as _;
use crate::codec::wire::{self, WireRead};
use crate::crypto::key::ContentKey;
use crate::crypto::object_digest::ObjectDigest;
use crate::format::object::{KeyedRef, ObjectRef};
use crate::record::{Card, Entry, Narrative, Note, Provenance};
use crate::secret::{SecretBytes, SharedBytes};

/// A wire type: bytes of a value, and what decoding and encoding again makes of others.
struct Type {
    name: &'static str,
    bytes: Vec<u8>,
    again: fn(&[u8]) -> Option<Vec<u8>>,
}

fn of<T: WireRead>(value: &T) -> Type {
    fn again<T: WireRead>(bytes: &[u8]) -> Option<Vec<u8>> {
        wire::decode::<T>(bytes).ok().map(|value| wire::encode(&value).unwrap().to_vec())
    }
    Type { name: T::NAME, bytes: wire::encode(value).unwrap().to_vec(), again: again::<T> }
}

fn secret(byte: u8) -> SecretBytes {
    SecretBytes::filled(|out| *out = [byte; 32])
}

fn object(byte: u8) -> KeyedRef {
    KeyedRef {
        key: ContentKey::from_secret(&secret(byte)),
        object: ObjectRef { reference: [byte; 16], length: 1168 },
        digest: ObjectDigest::of(&[byte]),
    }
}

fn row(key: u8, inline: &[u8]) -> RowV1<'_> {
    let object = inline.is_empty().then(|| ObjectV1::Owned(object(key)));
    RowV1 {
        key: [key; 16],
        class: key,
        id: [2; 16],
        revision: 1,
        epoch: 9,
        object,
        inline: InlineV1::Lent(inline),
    }
}

fn line() -> LineV1 {
    let details = vec![(5, "who".to_owned()), (8, "why".to_owned())];
    let (actor, reason) = ("the owner".to_owned(), Some("as asked".to_owned()));
    LineV1 { action: 2, actor, reason, details }
}

fn slot(kind: u8) -> DirectorySlotV1 {
    let signing = SigningV1 { es256_x: [1; 32], es256_y: [2; 32], ed25519: [3; 32] };
    let (public, generation) = (vec![kind; crate::crypto::kem::PUBLIC_LEN], u8::from(kind == 1));
    let name = String::new();
    match kind {
        0 => DirectorySlotV1 { public, kind, generation, grant: 0, name, created: 0, signing: None },
        _ => DirectorySlotV1 {
            public,
            kind,
            generation,
            grant: 3,
            name: "phone".to_owned(),
            created: 5,
            signing: Some(signing),
        },
    }
}

fn entry() -> Entry {
    let text = vec![Narrative::new("a note, in words").unwrap()];
    let record = Note { text, ..Note::default() };
    Entry::new(record, Provenance::default())
}

/// One of each.
fn types() -> Vec<Type> {
    let child = |nibble, rows| ChildV1 { nibble, rows, object: ObjectV1::Owned(object(nibble)) };
    let leaf = || LeafV1 { salt: [6; 16], lines: vec![line(), LineV1 { action: 3, ..line() }] };
    let again_entry = |bytes: &[u8]| decode_entry(bytes).ok().map(|e| encode_entry(&e).unwrap().to_vec());
    let again_card = |bytes: &[u8]| decode_card(bytes).ok().map(|c| encode_card(&c).unwrap().to_vec());
    vec![
        of(&PageV1::Leaf(vec![row(1, b""), row(2, b"inline"), row(3, b"")])),
        of(&PageV1::Inner(vec![child(0, 30), child(5, 1), child(15, 400)])),
        of(&EraseListV1 { objects: vec![([1; 16], 300), ([2; 16], 16)] }),
        of(&LinkV1 {
            epoch: 4,
            time: -1,
            action: 16,
            role: 1,
            previous_link: [1; 32],
            previous_root: [2; 32],
            leaves: [3; 32],
            segment: SegmentSpanV1 { start: 81920, end: 86016, parts: 4096, digest: [4; 32] },
        }),
        of(&leaf()),
        of(&LedgerV1 { epoch: 4, leaf: leaf(), path: [[7; 32]; 3] }),
        of(&StoryV1 {
            acts: vec![
                ActV1 { epoch: 4, action: 4, revision: 2, reason: Some("as asked".to_owned()) },
                ActV1 { epoch: 5, action: 7, revision: 0, reason: None },
            ],
        }),
        of(&AccountingV1 {
            epoch: 5,
            actor: "owner".to_owned(),
            recipient: "a school".to_owned(),
            purpose: "admission".to_owned(),
            policy: Some("{}".to_owned()),
            excerpt: "0102".to_owned(),
            signer: "0123".to_owned(),
            entries: 2,
        }),
        of(&ContentV1 { content: [1; 16], size: 100, digest: [2; 32], slices: 1, users: vec![[3; 16]] }),
        of(&UploadV1 { content: [1; 16], slices: 2, title: "a scan".to_owned(), started: 7 }),
        of(&VaultRecordV1 {
            created: 1,
            holder_role: 2,
            holder_name: "a holder".to_owned(),
            jurisdiction: "US-NJ".to_owned(),
            signing_algorithm: 1,
        }),
        of(&IdentityKeyV1 { key: SecretV1::of(&secret(2)) }),
        of(&ImportV1 {
            documents: vec![
                DocumentV1 { name: None, scope: [4; 16], entries: 1 },
                DocumentV1 { name: Some("a file".to_owned()), scope: [5; 16], entries: 3 },
            ],
            answers: vec![AnswerV1 { epoch: 3, is_of_person: true, digest: [6; 16] }],
            unnamed: Some(UnnamedV1 { answer: [7; 16], identities: vec![[8; 16]] }),
        }),
        of(&SourceDocumentV1 {
            name: Some("a file".to_owned()),
            size: 12,
            entries: vec![[1; 16], [2; 16]],
            ranges: vec![
                RangeV1::Here(BytesV1(b"head"[..].into())),
                RangeV1::Original(OriginalV1 { entry: [2; 16], revision: 3, start: 5, length: 4 }),
                RangeV1::Here(BytesV1(b"foot"[..].into())),
            ],
        }),
        of(&DocumentListV1 { scopes: vec![[1; 16], [2; 16]] }),
        of(&TombstoneV1 { digests: vec![[1; 16], [2; 16]] }),
        of(&DirectoryV1 { slots: (0..16).map(|number| slot(number % 4)).collect() }),
        Type { name: "EntryV1", bytes: encode_entry(&entry()).unwrap().to_vec(), again: again_entry },
        Type { name: "CardV1", bytes: encode_card(&Card::of(&entry())).unwrap().to_vec(), again: again_card },
    ]
}

/// Every place of an encoding; of a long one its beginning and some more.
fn places(bytes: &[u8]) -> impl Iterator<Item = usize> {
    (0..bytes.len()).filter(|at| *at < 128 || at % 997 == 0)
}

#[test]
fn any_other_byte_is_refused_or_is_another_value() {
    for Type { name, bytes, again } in types() {
        assert_eq!(again(&bytes).as_ref(), Some(&bytes), "{name}");
        for at in places(&bytes) {
            for byte in [0, 1, 2, 3, 4, 5, 16, 0x7f, 0x80, 0xc3, 0xff, bytes[at] ^ 1, bytes[at] ^ 0x80] {
                let mut changed = bytes.clone();
                changed[at] = byte;
                if let Some(again) = again(&changed) {
                    assert_eq!(again, changed, "{name}: byte {at} made {byte}");
                }
            }
        }
    }
}

#[test]
fn pages_are_read_field_by_field_as_they_are_decoded() {
    let pages = types().into_iter().filter(|one| one.name == "PageV1");
    for Type { bytes, again, .. } in pages {
        let quick = |bytes: &[u8]| {
            decode_page(&SharedBytes::copy_of(bytes)).ok().map(|page| wire::encode(&page).unwrap().to_vec())
        };
        for at in 0..bytes.len() {
            for byte in [0, 1, 2, 3, 16, 32, 33, 0x7f, 0xff, bytes[at], bytes[at] ^ 1, bytes[at] ^ 0x80] {
                let mut changed = bytes.clone();
                changed[at] = byte;
                assert_eq!(quick(&changed), again(&changed), "byte {at} made {byte}");
            }
            assert_eq!(quick(&bytes[..at]), None);
        }
        assert_eq!(quick(&[&bytes[..], &[0]].concat()), None);
    }
}

#[test]
fn no_value_has_a_shorter_or_a_longer_encoding() {
    for Type { name, bytes, again } in types() {
        for at in places(&bytes) {
            assert_eq!(again(&bytes[..at]), None, "{name} cut to {at}");
        }
        assert_eq!(again(&[&bytes[..], &[0]].concat()), None, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_decodes_encodes_to_the_bytes_that_it_came_from(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        moved in any::<(prop::sample::Index, prop::sample::Index)>(),
        spliced in prop::collection::vec(any::<u8>(), 0..12),
    ) {
        let types = types();
        let Type { name, bytes, again } = which.get(&types);
        let mut changed = bytes.clone();
        for (at, byte) in changes {
            let at = at.index(changed.len());
            changed[at] = byte;
        }
        let at = moved.0.index(changed.len());
        let end = at + moved.1.index(changed.len() - at).min(12);
        for other in [changed.clone(), { changed.splice(at..end, spliced); changed }] {
            if let Some(again) = again(&other) {
                prop_assert_eq!(again, other, "{}", name);
            }
        }
    }
}

#[test]
fn no_line_of_a_ledger_row_is_there_twice_and_no_text_of_one_is_too_long() {
    let is_canonical = |lines: Vec<LineV1>| LeafV1 { salt: [6; 16], lines }.is_canonical();
    let of = |length: usize| LineV1 { reason: Some("x".repeat(length)), ..line() };
    assert!(is_canonical(vec![of(1), of(2), of(TEXT_LIMIT)]));
    assert!(!is_canonical(vec![of(1), of(2), of(1)]));
    assert!(!is_canonical(vec![of(TEXT_LIMIT + 1)]));
    let detail = |length: usize| LineV1 { details: vec![(5, "x".repeat(length))], ..line() };
    assert!(is_canonical(vec![detail(TEXT_LIMIT)]) && !is_canonical(vec![detail(TEXT_LIMIT + 1)]));
    let numbered = |count: usize| (0..count).map(|number| LineV1 { actor: number.to_string(), ..line() });
    assert!(is_canonical(numbered(LINES_LIMIT).collect()));
    assert!(!is_canonical(numbered(LINES_LIMIT + 1).collect()));
}

#[test]
fn no_line_of_a_ledger_row_says_what_an_account_says() {
    let canonical: Vec<u16> = (0..10)
        .filter(|number| {
            let lines = vec![LineV1 { details: vec![(*number, "x".to_owned())], ..line() }];
            LeafV1 { salt: [6; 16], lines }.is_canonical()
        })
        .collect();
    assert_eq!(canonical, [0, 5, 6, 7, 8, 9]);
}

#[test]
fn the_acts_of_a_story_ascend_and_none_is_there_twice() {
    let act = |epoch, action, revision| ActV1 { epoch, action, revision, reason: None };
    let is_canonical = |acts| StoryV1 { acts }.is_canonical();
    assert!(is_canonical(vec![act(4, 4, 2), act(4, 5, 2), act(4, 5, 3), act(5, 7, 0)]));
    assert!(!is_canonical(vec![]));
    assert!(!is_canonical(vec![act(5, 7, 0), act(4, 4, 2)]));
    assert!(!is_canonical(vec![act(5, 7, 0), act(5, 7, 0)]));
}

/// A way in of a kind or a grant that nobody knows would open the vault and be in no list.
#[test]
fn every_slot_that_the_directory_lists_is_of_a_known_kind_and_has_what_its_kind_has() {
    let is_canonical = |changed: DirectorySlotV1| {
        let slots = (0..15).map(|number| slot(number % 4)).chain([changed]).collect();
        DirectoryV1 { slots }.is_canonical()
    };
    let signing = || slot(1).signing;
    assert!((0..4).all(|kind| is_canonical(slot(kind))));
    assert!(!is_canonical(DirectorySlotV1 { kind: 4, ..slot(3) }));
    assert!((1..4).all(|kind| !is_canonical(DirectorySlotV1 { grant: 2, ..slot(kind) })));
    assert!((1..4).all(|kind| !is_canonical(DirectorySlotV1 { signing: None, ..slot(kind) })));
    assert!((1..4).all(|kind| !is_canonical(DirectorySlotV1 { generation: 3, ..slot(kind) })));
    assert!((1..4).all(|kind| !is_canonical(DirectorySlotV1 { name: "x".repeat(257), ..slot(kind) })));
    assert!((0..4).all(|kind| !is_canonical(DirectorySlotV1 { public: vec![1; 1215], ..slot(kind) })));
    for changed in [
        DirectorySlotV1 { grant: 1, ..slot(0) },
        DirectorySlotV1 { name: "phone".to_owned(), ..slot(0) },
        DirectorySlotV1 { created: 1, ..slot(0) },
        DirectorySlotV1 { signing: signing(), ..slot(0) },
    ] {
        assert!(!is_canonical(changed));
    }
}

#[test]
fn a_holder_whose_role_nobody_knows_has_no_vault_record() {
    let known: Vec<u16> = (0..10)
        .filter(|holder_role| {
            let record = VaultRecordV1 {
                created: 1,
                holder_role: *holder_role,
                holder_name: String::new(),
                jurisdiction: String::new(),
                signing_algorithm: 9,
            };
            record.is_canonical()
        })
        .collect();
    assert_eq!(known, (1..=6).collect::<Vec<u16>>());
}

/// Eight times as many lines cost eight times as much, not sixty-four times, even if they
/// differ in their last byte alone.
#[test]
fn whether_a_line_is_there_twice_is_found_out_in_one_pass() {
    let cost = |count: usize| {
        let text = "x".repeat(TEXT_LIMIT - 4);
        let of = |number: usize| LineV1 { reason: Some(format!("{text}{number:04}")), ..line() };
        let leaf = LeafV1 { salt: [6; 16], lines: (0..count).map(of).collect() };
        let once = || {
            let started = std::time::Instant::now();
            assert!(leaf.is_canonical());
            started.elapsed()
        };
        (0..3).map(|_| once()).min().unwrap()
    };
    let (few, many) = (cost(LINES_LIMIT / 8), cost(LINES_LIMIT));
    assert!(many < few * 24, "{few:?} and {many:?}");
}

#[test]
fn every_wire_type_is_here() {
    let here: HashSet<&str> = types().iter().map(|one| one.name).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/payload");
    let mut there = HashSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let named = code.split("impl Wire for ").skip(1).filter_map(|rest| rest.split_once(['<', ' ']));
        there.extend(named.map(|(name, _)| name.to_owned()));
    }
    assert!(there.contains("EntryV1"));
    assert!(there.iter().all(|name| here.contains(name.as_str())), "{there:?}");
}
