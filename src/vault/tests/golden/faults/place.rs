//! Places, and the erase lists that they name.

use super::super::bytes::at;
use super::super::forge::{CUSTODY, Fault, LAST, NOTES, RECORD, reference_to, set_u64};
use super::root::field;
use crate::Compartment;

/// Where the fields of an encoded place stand.
const HEAD: usize = 105;
const LIVE: usize = 145;
const LEAST_READER: usize = 153;

pub(super) const FAULTS: &[Fault] = &[
    (
        "place box flipped",
        |forge| forge.change_root(|root| root[field::PLACES + 3 * 360 + 100] ^= 1),
        "damaged",
        "the place of a granted compartment must open",
    ),
    (
        "reserved byte of a place set",
        |forge| forge.set_place_plain(NOTES, |place| place[287] = 1),
        "damaged",
        "reserved bytes are zero",
    ),
    (
        "place for reader 2 and a field that is not known",
        |forge| forge.set_place_plain(NOTES, |place| (place[153], place[287]) = (2, 1)),
        "newer-compartment",
        "the compartment is refused by name, before the rest is looked at",
    ),
    (
        "place flag 2",
        |forge| forge.set_place_plain(NOTES, |place| place[8] = 2),
        "damaged",
        "the flag is 0 or 1",
    ),
    (
        "place with a page and no rows",
        |forge| forge.set_place_plain(NOTES, |place| set_u64(place, 97, 0)),
        "damaged",
        "an empty trie has no page",
    ),
    (
        "place with a row too many",
        |forge| forge.set_place_plain(NOTES, |place| set_u64(place, 97, 4)),
        "damaged",
        "the number of rows is that of the trie",
    ),
    (
        "place with a live byte too many",
        |forge| {
            let live = forge.place(NOTES).live;
            forge.set_place_plain(NOTES, |place| set_u64(place, 145, live + 1));
        },
        "damaged",
        "the live bytes are those of the pages and of the objects that rows name",
    ),
    (
        "place names the page of another compartment",
        |forge| {
            let page = forge.place(Compartment::SubstanceUse);
            forge.set_root_object(NOTES, page.trie.unwrap(), at(page.rows));
        },
        "damaged",
        "the context of a page names its place",
    ),
    (
        "ledger head of a compartment flipped",
        |forge| forge.set_place_plain(NOTES, |place| place[113] ^= 1),
        "damaged",
        "the head is the digest of a link",
    ),
    (
        "place of record for reader 2",
        |forge| forge.set_place_plain(RECORD, |place| place[LEAST_READER] = 2),
        "newer-compartment",
        "the compartment is refused by name",
    ),
    (
        "epoch of a place after the root's",
        |forge| forge.set_place_plain(NOTES, |place| set_u64(place, 0, LAST + 1)),
        "damaged",
        "no commit changed the compartment then",
    ),
    (
        "ledger head of a compartment at a commit before the last that has a line there",
        |forge| {
            let earlier = forge.place(CUSTODY).ledger;
            let at_last = forge.place(NOTES).ledger;
            assert!(earlier.epoch < at_last.epoch);
            let head = |place: &mut [u8]| {
                set_u64(place, HEAD, earlier.epoch.number());
                place[HEAD + 8..LIVE].copy_from_slice(earlier.link.as_bytes());
            };
            forge.set_place_plain(NOTES, head);
        },
        "damaged",
        "the head is the last link with a leaf of the compartment",
    ),
    (
        "ledger head of a compartment after the root's epoch",
        |forge| forge.set_place_plain(NOTES, |place| set_u64(place, HEAD, LAST + 1)),
        "damaged",
        "there is no such link",
    ),
    (
        "empty place with a ledger head",
        |forge| forge.set_place_plain(Compartment::SpareA, |place| place[HEAD + 8] = 1),
        "damaged",
        "a head at no commit is zeros",
    ),
    (
        "empty place with live bytes",
        |forge| forge.set_place_plain(Compartment::SpareA, |place| place[LIVE] = 1),
        "damaged",
        "an empty trie has none",
    ),
    (
        "place flag 0 over a page",
        |forge| forge.set_place_plain(NOTES, |place| place[8] = 0),
        "damaged",
        "the flag says that there are rows",
    ),
    (
        "empty place with flag 1",
        |forge| forge.set_place_plain(Compartment::SpareA, |place| place[8] = 1),
        "damaged",
        "the flag says that there are rows",
    ),
    (
        "empty place with a page",
        |forge| forge.set_place_plain(Compartment::SpareA, |place| place[9] = 1),
        "damaged",
        "an empty trie has no page",
    ),
];

/// Lists of what was to be erased.
pub(super) const ERASE: &[Fault] = &[
    (
        "erase list",
        |forge| {
            let dead = forge.dead_object();
            forge.set_erase_list(vec![dead], |_| {});
        },
        "ok",
        "an opening erases again what the list names",
    ),
    (
        "erase list with bytes left over",
        |forge| {
            let dead = forge.dead_object();
            forge.set_erase_list(vec![dead], |list| list.push(0));
        },
        "damaged",
        "nothing may be left over",
    ),
    (
        "erase list names the header",
        |forge| forge.set_erase_list(vec![([0; 16], 4096)], |_| {}),
        "damaged",
        "objects stand in the append area",
    ),
    (
        "object to erase of the last commit",
        |forge| {
            let start = forge.root.segment.start;
            forge.set_erase_list(vec![(reference_to(start), 64)], |_| {});
        },
        "damaged",
        "a commit withdraws what commits before it put",
    ),
    (
        "object to erase that ends in the last commit",
        |forge| {
            let (reference, length) = forge.dead_object();
            forge.set_erase_list(vec![(reference, length + 1)], |_| {});
        },
        "damaged",
        "a commit withdraws what commits before it put",
    ),
    (
        "objects to erase longer than what there was",
        |forge| {
            let everything = forge.root.segment.start - 81_920;
            forge.set_erase_list(vec![(reference_to(81_920), everything); 2], |_| {});
        },
        "damaged",
        "each was appended once",
    ),
    (
        "reserved byte of a reference to erase set",
        |forge| {
            let (mut reference, length) = forge.dead_object();
            reference[15] = 1;
            forge.set_erase_list(vec![(reference, length)], |_| {});
        },
        "damaged",
        "reserved bytes are zero",
    ),
];
