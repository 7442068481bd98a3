//! Stored objects: references, digests, contexts, padding.

use super::super::bytes::at;
use super::super::forge::{Fault, NOTES, row, set_u64};
use super::entry::lengthened;
use crate::codec::padding::pad;
use crate::crypto::digest::Digest;
use crate::crypto::object_digest::ObjectDigest;

pub(super) const FAULTS: &[Fault] = &[
    (
        "stored byte of an entry flipped",
        |forge| {
            let row = forge.rows(NOTES)[forge.position(NOTES, 1)].clone();
            let start = at(u64::from_le_bytes(row[row::REFERENCE..row::REFERENCE + 8].try_into().unwrap()));
            forge.file[start] ^= 1;
        },
        "damaged",
        "the digest of the stored bytes",
    ),
    (
        "digest of an entry flipped",
        |forge| forge.change_row(NOTES, 1, |row| row[row::DIGEST] ^= 1),
        "damaged",
        "the digest is compared before anything is decrypted",
    ),
    (
        "key of an entry flipped",
        |forge| forge.change_row(NOTES, 1, |row| row[row::OBJECT] ^= 1),
        "damaged",
        "the box does not open",
    ),
    (
        "length of an entry less by one",
        |forge| forge.change_row(NOTES, 1, |row| row[row::LENGTH] -= 1),
        "damaged",
        "the digest is that of the whole box",
    ),
    (
        "reference into the header",
        |forge| forge.change_row(NOTES, 1, |row| set_u64(row, row::REFERENCE, 0)),
        "damaged",
        "objects stand in the append area",
    ),
    (
        "reference past the end of the file",
        |forge| forge.change_row(NOTES, 1, |row| set_u64(row, row::REFERENCE, u64::MAX - 8)),
        "damaged",
        "offset and length must not overflow",
    ),
    (
        "reserved byte of a reference set",
        |forge| forge.change_row(NOTES, 1, |row| row[row::REFERENCE + 15] = 1),
        "damaged",
        "reserved bytes are zero",
    ),
    (
        "entry encrypted for another id",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                forge.encrypt(&context.object([9; 16], 1), content)
            })
        },
        "damaged",
        "the context names the entry",
    ),
    (
        "entry encrypted for another revision",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let row = forge.rows(NOTES)[forge.position(NOTES, 1)].clone();
                forge.encrypt(&context.object(row[row::ID..row::REVISION].try_into().unwrap(), 7), content)
            })
        },
        "damaged",
        "the context names the revision",
    ),
    (
        "entry padded with a one",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let mut plain = pad(content).to_vec();
                *plain.last_mut().unwrap() = 1;
                assert!(plain.len() > 8 + content.len());
                forge.encrypt_plain(context, &plain)
            })
        },
        "damaged",
        "the padding is zero",
    ),
    (
        "entry padded to a size of its own",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let plain = [&pad(content)[..], &[0; 16]].concat();
                forge.encrypt_plain(context, &plain)
            })
        },
        "damaged",
        "the size is that of Padmé",
    ),
    (
        "entry of one whole chunk",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                forge.encrypt(context, &lengthened(content, 16_376 - content.len()))
            })
        },
        "ok, other content",
        "its last chunk is empty",
    ),
    (
        "entry without its last chunk",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let mut encrypted = forge.encrypt(context, &lengthened(content, 16_376 - content.len()));
                assert_eq!(encrypted.object.length, 16_384 + 16 + 16);
                let end = forge.file.len() - 16;
                forge.file.truncate(end);
                encrypted.object.length -= 16;
                encrypted.digest = ObjectDigest::of(&forge.file[end - 16_400..]);
                encrypted
            })
        },
        "damaged",
        "the last chunk is shorter than the others",
    ),
    (
        "short entry with a BLAKE3 digest",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let mut encrypted = forge.encrypt(context, content);
                encrypted.digest =
                    ObjectDigest::from_bytes(*blake3::hash(forge.stored(&encrypted)).as_bytes());
                encrypted
            })
        },
        "damaged",
        "the digest of fewer than 4096 bytes is SHA-256",
    ),
    (
        "long entry with a SHA-256 digest",
        |forge| {
            forge.encrypt_note_anew(|forge, context, content| {
                let mut encrypted = forge.encrypt(context, &lengthened(content, 4096));
                let digest = Digest::of(&[forge.stored(&encrypted)]);
                encrypted.digest = ObjectDigest::from_bytes(*digest.as_bytes());
                encrypted
            })
        },
        "damaged",
        "the digest of 4096 bytes and more is BLAKE3",
    ),
];
