//! Roots: which of two is the state, and what one may say.

use super::super::bytes::{ROOTS, at};
use super::super::forge::{Fault, NO_DIGEST, set_u64};
use crate::crypto::digest::Digest;

/// Where the fields of an encoded root stand.
pub(super) mod field {
    pub(in super::super) const PREVIOUS: usize = 24;
    pub(in super::super) const AREA_DIGEST: usize = 64;
    pub(in super::super) const GENERATION: usize = 56;
    pub(in super::super) const LEAST_READER: usize = 96;
    pub(in super::super) const SEGMENT: usize = 98;
    pub(in super::super) const APPEND_END: usize = 106;
    pub(in super::super) const PARTS: usize = 114;
    pub(in super::super) const PLACES: usize = 154;
    pub(in super::super) const RESERVED: usize = 4023;
}

pub(super) const FAULTS: &[Fault] = &[
    (
        "roots encrypted again",
        |forge| forge.publish(),
        "ok",
        "what the other faults of roots change is nothing else",
    ),
    (
        "least reader 2",
        |forge| forge.change_root(|root| root[field::LEAST_READER] = 2),
        "newer-version",
        "the vault asks for a newer reader",
    ),
    (
        "root names another area",
        |forge| forge.change_root(|root| root[field::AREA_DIGEST] ^= 1),
        "damaged",
        "no intact area has the digest",
    ),
    (
        "reserved byte of the root set",
        |forge| forge.change_root(|root| root[field::RESERVED] = 1),
        "damaged",
        "reserved bytes are zero",
    ),
    (
        "append end inside a block",
        |forge| {
            let end = forge.root.segment.end - 1;
            forge.change_root(|root| set_u64(root, field::APPEND_END, end));
        },
        "damaged",
        "segments go from block to block",
    ),
    (
        "segment that starts behind its end",
        |forge| {
            let end = forge.root.segment.end;
            forge.change_root(|root| set_u64(root, field::SEGMENT, end + 4096));
        },
        "damaged",
        "a segment starts before it ends",
    ),
    (
        "newer root whose segment is not there",
        |forge| forge.begin_commit(4096, b"another", NO_DIGEST),
        "dropped",
        "the commit was cut; the root that it names as the one before is the state",
    ),
    (
        "newer root whose segment is not there and that names another root before it",
        |forge| forge.begin_commit(4096, b"another", Digest::from_bytes([7; 32])),
        "damaged",
        "what stands in the other place is not the state before",
    ),
    (
        "two roots of one epoch",
        |forge| {
            forge.publish();
            let first = forge.stored_root();
            let plain = forge.root.encode();
            forge.encrypt_root(2, &plain);
            forge.put(ROOTS[1], &first);
        },
        "forked",
        "nobody says which one is the state",
    ),
    (
        "previous root of the root flipped",
        |forge| forge.change_root(|root| root[field::PREVIOUS] ^= 1),
        "damaged",
        "the last link names the previous root",
    ),
    (
        "places of two compartments swapped",
        |forge| {
            forge.root.places.swap(3, 4);
            forge.publish();
        },
        "damaged",
        "a place is under its own key and context",
    ),
    (
        "least reader 2 and a field that is not known",
        |forge| {
            forge.change_root(|root| {
                root[field::LEAST_READER] = 2;
                root[field::RESERVED] = 1;
            })
        },
        "newer-version",
        "the version is looked at before the rest",
    ),
    (
        "append end behind the file",
        |forge| {
            let end = forge.file.len() as u64 + 4096;
            forge.change_root(|root| set_u64(root, field::APPEND_END, end));
        },
        "damaged",
        "nothing was appended there",
    ),
    (
        "append end in the fixed parts",
        |forge| forge.change_root(|root| set_u64(root, field::APPEND_END, 77_824)),
        "damaged",
        "nothing is appended there",
    ),
    (
        "least reader 2 in root A alone",
        |forge| forge.change_one_root(0, |root| root[field::LEAST_READER] = 2),
        "newer-version",
        "any root that names an intact area speaks",
    ),
    (
        "least reader 2 in root B alone",
        |forge| forge.change_one_root(1, |root| root[field::LEAST_READER] = 2),
        "newer-version",
        "any root that names an intact area speaks",
    ),
    (
        "least reader 2 in root B, which names another area",
        |forge| {
            forge.change_one_root(1, |root| {
                root[field::LEAST_READER] = 2;
                root[field::AREA_DIGEST] ^= 1;
            })
        },
        "repaired",
        "a root that names no intact area does not speak",
    ),
    (
        "generation of the root is another one than the area's",
        |forge| forge.change_root(|root| root[field::GENERATION] ^= 1),
        "damaged",
        "the root names the area by digest and generation",
    ),
    (
        "segment that starts inside a block",
        |forge| {
            let start = forge.root.segment.start - 1;
            forge.change_root(|root| set_u64(root, field::SEGMENT, start));
        },
        "damaged",
        "segments go from block to block",
    ),
    (
        "parts that end inside a block",
        |forge| {
            let parts = forge.root.segment.parts + 1;
            forge.change_root(|root| set_u64(root, field::PARTS, parts));
        },
        "damaged",
        "parts go from block to block",
    ),
    (
        "parts that end behind the segment",
        |forge| {
            let length = forge.root.segment.end - forge.root.segment.start;
            forge.change_root(|root| set_u64(root, field::PARTS, length + 4096));
        },
        "damaged",
        "the parts are the beginning of the segment",
    ),
    (
        "newer root whose segment is of 1 MiB and not there",
        |forge| forge.begin_commit(1 << 20, b"another", NO_DIGEST),
        "dropped",
        "a segment of 1048576 bytes is compared",
    ),
    (
        "newer root whose segment ends behind the file",
        |forge| {
            let end = forge.file.len().next_multiple_of(4096);
            forge.begin_commit((1 << 20) + 4096, b"another", NO_DIGEST);
            forge.file.truncate(end);
        },
        "dropped",
        "a long segment is not read, but it must be there",
    ),
    (
        "newer root of a long segment that has another digest",
        |forge| {
            let length = forge.file.len() + (1 << 20);
            forge.file.resize(length, 0);
            *forge.file.last_mut().unwrap() = 1;
            forge.publish();
            let before = forge.before.clone();
            forge.put(ROOTS[1], &before);
        },
        "ok",
        "a segment of more than 1048576 bytes was durable before its root and is not read",
    ),
    (
        "newer root whose segment is not there, and the other root damaged",
        |forge| {
            forge.begin_commit(4096, b"another", NO_DIGEST);
            forge.file[at(ROOTS[1]) + 2000] ^= 1;
        },
        "damaged",
        "no state is left",
    ),
    (
        "commitment of a place flipped",
        |forge| forge.change_root(|root| root[field::PLACES + 3 * 360 + 24] ^= 1),
        "damaged",
        "the commitment is compared, although the box would open",
    ),
];
