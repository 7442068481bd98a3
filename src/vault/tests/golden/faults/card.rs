//! Cards: what a list shows of an entry.

use super::super::forge::{Fault, Forge, NOTES, row, set_u64};

/// Where the fields of a card stand (`CardV1`).
const FLAGS: usize = 2;
const START: usize = 5;
/// Of the note's: behind its start and its end, which is the same.
const SYSTEM: usize = START + 1 + 8 + 10 + 4;

/// The first note's row with its card changed.
fn with_card(forge: &mut Forge, change: impl Fn(&mut Vec<u8>)) {
    forge.change_row(NOTES, 1, |row| {
        let mut card = row.split_off(row::INLINE + 8);
        change(&mut card);
        set_u64(row, row::INLINE, card.len() as u64);
        row.extend_from_slice(&card);
    });
}

/// The note's card with a system, which it lacks.
fn set_system(forge: &mut Forge, system: &[u8]) {
    with_card(forge, |card| {
        assert_eq!(card[SYSTEM..SYSTEM + 4], [0; 4]);
        card.splice(SYSTEM..SYSTEM + 4, system.iter().copied());
    });
}

/// The first note retracted, with its card or with the one before.
fn retracted(forge: &mut Forge, do_tell: bool) {
    let mut rows = forge.rows(NOTES);
    let position = forge.position(NOTES, 1);
    let mut entry = forge.entry(NOTES, &rows[position]);
    entry.marks.retracted = true;
    let card = rows[position][row::INLINE..].to_vec();
    let mut row = std::mem::take(&mut rows[position]);
    forge.set_entry(NOTES, &mut row, &entry);
    if !do_tell {
        row.truncate(row::INLINE);
        row.extend_from_slice(&card);
    }
    rows[position] = row;
    forge.set_rows(NOTES, &rows);
}

pub(super) const FAULTS: &[Fault] = &[
    (
        "card with a byte left over",
        |forge| {
            forge.change_row(NOTES, 1, |row| {
                row.push(0);
                let length = row.len() - row::INLINE - 8;
                set_u64(row, row::INLINE, length as u64);
            })
        },
        "damaged",
        "nothing may be left over",
    ),
    (
        "card of another kind",
        |forge| forge.change_row(NOTES, 1, |row| row[row::INLINE + 8] = 1),
        "damaged",
        "the card is that of the entry",
    ),
    (
        "card that is retracted, of an entry that is not",
        |forge| with_card(forge, |card| card[FLAGS] ^= 1),
        "damaged",
        "a list shows what the card says",
    ),
    (
        "card with the flag legal hold, of an entry without",
        |forge| with_card(forge, |card| card[FLAGS] ^= 2),
        "damaged",
        "a list shows what the card says",
    ),
    (
        "card that is disputed, of an entry that is not",
        |forge| with_card(forge, |card| card[FLAGS] ^= 4),
        "damaged",
        "a list shows what the card says",
    ),
    (
        "card with the flag attachment, of an entry without",
        |forge| with_card(forge, |card| card[FLAGS] ^= 8),
        "damaged",
        "a list shows what the card says",
    ),
    (
        "card with the flag expires, of an entry without",
        |forge| with_card(forge, |card| card[FLAGS] ^= 32),
        "damaged",
        "a list shows what the card says",
    ),
    (
        "card that is not understood, of an entry that is not",
        |forge| with_card(forge, |card| card[FLAGS] ^= 64),
        "damaged",
        "a list shows what the card says",
    ),
    (
        "card with the flag refers to a file elsewhere, of an entry without",
        |forge| with_card(forge, |card| card[FLAGS] ^= 128),
        "damaged",
        "a list shows what the card says",
    ),
    (
        "card that is changed after its import, of an entry that is not",
        |forge| with_card(forge, |card| card[FLAGS + 1] ^= 1),
        "damaged",
        "a list shows what the card says",
    ),
    (
        "card that hides a retraction",
        |forge| retracted(forge, false),
        "damaged",
        "a list would show the entry as one that stands",
    ),
    (
        "card of a retracted entry",
        |forge| retracted(forge, true),
        "ok, other content",
        "what the hidden retraction changes is the card alone",
    ),
    (
        "card with a flag that is not known",
        |forge| with_card(forge, |card| card[FLAGS + 1] ^= 2),
        "damaged",
        "there are nine flags",
    ),
    (
        "card with a system that is not known",
        |forge| set_system(forge, &[1, 0, 0, 0, 17, 0]),
        "damaged",
        "the table has sixteen",
    ),
    (
        "card that spells a known system",
        |forge| {
            let uri = b"http://loinc.org";
            set_system(forge, &[&[2, 0, 0, 0][..], &16u64.to_le_bytes(), uri].concat());
        },
        "damaged",
        "a known system has one encoding",
    ),
    (
        "card that ends when it starts, in words",
        |forge| {
            with_card(forge, |card| {
                let start = card[START + 1..START + 1 + 8 + 10].to_vec();
                let end = START + 1 + 8 + 10;
                card.splice(end..end + 4, [&[2, 0, 0, 0][..], &start].concat());
            })
        },
        "damaged",
        "the same end has one encoding",
    ),
    (
        "card that ends when it starts, and does not start",
        |forge| {
            with_card(forge, |card| {
                card[START] = 0;
                card.drain(START + 1..START + 1 + 8 + 10);
            })
        },
        "damaged",
        "an end that is the start has one",
    ),
    (
        "card with a start that is no date",
        |forge| with_card(forge, |card| card[START + 1 + 8] = b'x'),
        "damaged",
        "texts and dates are as in an entry",
    ),
];
