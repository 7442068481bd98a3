//! The directory of ways in, the vault record, and identity keys.

use super::super::bytes::at;
use super::super::folder;
use super::super::forge::{CUSTODY, Fault, Forge, GENERAL, RECORD, row, set_u64};
use super::super::sample::RAW_KEY;
use crate::vault::AccessChange;
use crate::{Access, Actor, Credential, Error, LockedVault, RawKey, VaultOptions};

/// Where the first slots of an encoded directory stand (`DirectoryV1`).
mod directory {
    pub(super) const FIRST: usize = 8;
    pub(super) const KIND: usize = FIRST + 8 + 1216;
    pub(super) const GENERATION: usize = KIND + 1;
    pub(super) const GRANT: usize = GENERATION + 1;
    /// Of the first slot, which is called "kitchen table", behind the mark that they are there.
    pub(super) const SIGNING: usize = GENERATION + 1 + 1 + 8 + 13 + 8 + 1;
    /// Behind the first slot.
    pub(super) const SECOND: usize = SIGNING + 3 * 32;
    /// The third slot, which the raw key opens, behind "paper in the drawer".
    pub(super) const OWN: usize = SECOND + (SECOND - FIRST - 13 + 19);
    pub(super) const OWN_SIGNING: usize = OWN + (SIGNING - FIRST - 13 + 7);
    /// Behind it: it is called "keyring".
    pub(super) const FOURTH: usize = OWN_SIGNING + 3 * 32;
}

/// Changes the directory.
fn change_directory(forge: &mut Forge, change: impl Fn(&mut Vec<u8>)) {
    forge.change_content(CUSTODY, 6, change);
}

/// The directory of a vault whose third slot is the last one, and the last one the third.
pub(super) fn swap_own_and_last(slots: &mut Vec<u8>) {
    let unused = 8 + 1216 + 1 + 1 + 1 + 8 + 8 + 1;
    let last = slots.split_off(slots.len() - unused);
    let own: Vec<u8> = slots.splice(directory::OWN..directory::FOURTH, last).collect();
    slots.extend_from_slice(&own);
}

pub(super) const FAULTS: &[Fault] = &[
    (
        "directory of 15 slots",
        |forge| {
            forge.change_content(CUSTODY, 6, |directory| {
                let at = directory.len() - (8 + 1216 + 1 + 1 + 1 + 8 + 8 + 1);
                directory.truncate(at);
                directory[0] = 15;
            })
        },
        "damaged",
        "the directory lists all 16 slots",
    ),
    (
        "directory with a password of generation 3",
        |forge| forge.change_content(CUSTODY, 6, |slots| slots[directory::GENERATION] = 3),
        "damaged",
        "an area has two generations",
    ),
    (
        "directory with a password of no generation",
        |forge| forge.change_content(CUSTODY, 6, |slots| slots[directory::GENERATION] = 0),
        "damaged",
        "a password uses one of the two generations",
    ),
    (
        "directory with a recovery key of a generation",
        |forge| {
            forge.change_content(CUSTODY, 6, |slots| {
                slots[directory::SECOND + directory::GENERATION - directory::FIRST] = 1;
            })
        },
        "damaged",
        "only passwords have a generation",
    ),
    (
        "directory with its password marked for the second generation",
        |forge| forge.change_content(CUSTODY, 6, |slots| slots[directory::GENERATION] = 2),
        "ok",
        "a mark in range is not for a reader to judge",
    ),
    (
        "directory with another signing key for the slot that opened",
        |forge| forge.change_content(CUSTODY, 6, |slots| slots[directory::OWN_SIGNING] ^= 1),
        "damaged",
        "the slot's seed gives the signing keys",
    ),
    (
        "directory with a password that has no signing keys",
        |forge| {
            forge.change_content(CUSTODY, 6, |slots| {
                drop(slots.splice(directory::SIGNING - 1..directory::SIGNING + 3 * 32, [0]));
            })
        },
        "damaged",
        "every slot in use has them",
    ),
    (
        "directory with signing keys for a slot that nobody uses",
        |forge| {
            forge.change_content(CUSTODY, 6, |slots| {
                *slots.last_mut().unwrap() = 1;
                slots.extend_from_slice(&[7; 3 * 32]);
            })
        },
        "damaged",
        "nobody has its seed",
    ),
    (
        "directory with a public half that is too short",
        |forge| {
            change_directory(forge, |slots| {
                slots.remove(directory::FIRST + 8);
                set_u64(slots, directory::FIRST, 1215);
            })
        },
        "damaged",
        "a public half has 1216 bytes",
    ),
    (
        "directory with a way in of an unknown kind",
        |forge| {
            change_directory(forge, |slots| {
                slots[directory::KIND] = 4;
                slots[directory::GENERATION] = 0;
            })
        },
        "damaged",
        "it would be in no list",
    ),
    (
        "directory with a way in that is not granted record",
        |forge| change_directory(forge, |slots| slots[directory::GRANT] ^= 1),
        "damaged",
        "everybody opens record",
    ),
    (
        "directory with a name of 257 bytes",
        |forge| {
            change_directory(forge, |slots| {
                let name = directory::GRANT + 1;
                slots.splice(name + 8..name + 8 + 13, vec![b'x'; 257]);
                set_u64(slots, name, 257);
            })
        },
        "damaged",
        "at most 256",
    ),
    (
        "directory with a grant for a slot that nobody uses",
        |forge| {
            change_directory(forge, |slots| {
                let grant = slots.len() - 1 - 8 - 8 - 1;
                slots[grant] = 2;
            })
        },
        "damaged",
        "an unused slot has no grant",
    ),
    (
        "directory with another public half for the slot that opened",
        |forge| change_directory(forge, |slots| slots[directory::OWN + 8 + 700] ^= 1),
        "damaged",
        "whoever has it would be granted what the next change of access grants to the slot",
    ),
    (
        "directory with another grant for the slot that opened",
        |forge| {
            change_directory(forge, |slots| {
                slots[directory::OWN + directory::GRANT - directory::FIRST] ^= 8;
            })
        },
        "damaged",
        "the slot has what it was granted",
    ),
    (
        "holder of no role",
        |forge| forge.change_content(RECORD, 5, |record| record[8] = 0),
        "damaged",
        "the rules that apply are chosen by the role",
    ),
    (
        "holder of an unknown role",
        |forge| forge.change_content(RECORD, 5, |record| record[8] = 7),
        "damaged",
        "the rules that apply are chosen by the role",
    ),
    (
        "vault record of more than 16384 bytes",
        |forge| {
            forge.change_content(RECORD, 5, |record| {
                let length = u64::from_le_bytes(*record[10..].first_chunk().unwrap());
                let fresh = vec![b'x'; 16_384];
                set_u64(record, 10, fresh.len() as u64);
                record.splice(18..18 + at(length), fresh);
            })
        },
        "damaged",
        "content over its type's limit",
    ),
    (
        "identity key of 33 bytes",
        |forge| {
            let key = forge.rows(GENERAL).into_iter().find(|row| row[row::CLASS] == 13).unwrap();
            forge.change_content_of(GENERAL, |row| row[..16] == key[..16], |key| key.push(1));
        },
        "damaged",
        "nothing may be left over",
    ),
];

/// A member who listed a public half of their own for somebody else's slot would be granted
/// the new keys by the change that revokes them.
#[test]
fn nobody_is_granted_anew_by_a_directory_that_lists_another_public_half_for_the_own_slot() {
    let whole = std::fs::read(folder().join("whole.vault")).unwrap();
    for (offset, is_refused) in [(directory::OWN + 8 + 1200, true), (directory::SECOND + 8 + 1200, false)] {
        let mut forge = Forge::open(&whole, None);
        change_directory(&mut forge, |slots| slots[offset] ^= 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        std::fs::write(&path, &forge.file).unwrap();
        let locked = LockedVault::open(&path, VaultOptions::default()).unwrap();
        let vault = locked.unlock(&RawKey::from_bytes(&RAW_KEY).into()).unwrap();
        assert_eq!(vault.check().unwrap().is_clean(), !is_refused);
        let key: Credential = RawKey::from_bytes(&[5; 32]).into();
        let change = AccessChange::default().adding(Access::to_everything(&key, "another"));
        let changed = vault.change_access(&Actor::owner(), &change);
        let refused = matches!(changed, Err(Error::Damaged { what: "directory" }));
        assert_eq!(refused, is_refused, "{changed:?}");
    }
}
