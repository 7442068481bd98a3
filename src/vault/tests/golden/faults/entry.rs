//! Entries: fields, texts, dates.

use super::super::bytes::at;
use super::super::forge::{Fault, Forge, NOTES, set_u64};

/// Where the fields of the first note's entry stand: form, date, text.
mod note {
    pub(super) const FIRST: usize = 10;
    pub(super) const SECOND: usize = FIRST + 29;
    pub(super) const THIRD: usize = SECOND + 26;
    /// From the end: the marks and what stands before them, all absent.
    pub(super) const RETRACTED: usize = 19;
    pub(super) const LABELS: usize = RETRACTED + 1 + 8 + 8;
    pub(super) const ORIGIN: usize = LABELS + 1 + 1 + 4;
    pub(super) const RECORDED: usize = ORIGIN + 1;
    pub(super) const DOCUMENT: usize = RECORDED + 1;
}

/// The note, of which the text is longer by so many bytes.
pub(super) fn lengthened(content: &[u8], more: usize) -> Vec<u8> {
    let (length, text) = (note::THIRD + 8, note::THIRD + 16);
    let before = u64::from_le_bytes(*content[length..].first_chunk().unwrap());
    let end = text + at(before);
    let mut longer = content[..end].to_vec();
    set_u64(&mut longer, length, before + more as u64);
    longer.resize(end + more, b'a');
    longer.extend_from_slice(&content[end..]);
    longer
}

/// The note with a text in the place of the one at an offset.
fn with_text(forge: &mut Forge, offset: usize, text: &str) {
    with_note(forge, |entry| {
        let length = at(u64::from_le_bytes(*entry[offset..].first_chunk().unwrap()));
        let fresh = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        entry.splice(offset..offset + 8 + length, fresh);
    });
}

/// The note with a text where its provenance has none, counted from the end.
fn with_provenance(forge: &mut Forge, offset: usize, text: &str) {
    with_note(forge, |entry| {
        let at = entry.len() - offset;
        assert_eq!(entry[at], 0);
        let fresh = [&[1][..], &(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
        entry.splice(at..=at, fresh);
    });
}

/// The note, recorded then.
fn recorded(forge: &mut Forge, date: &str) {
    with_provenance(forge, note::RECORDED, date);
}

fn with_note(forge: &mut Forge, change: impl Fn(&mut Vec<u8>)) {
    forge.change_content(NOTES, 1, change);
}

pub(super) const FAULTS: &[Fault] = &[
    (
        "entry with a byte left over",
        |forge| with_note(forge, |entry| entry.push(0)),
        "damaged",
        "nothing may be left over",
    ),
    (
        "entry cut by a byte",
        |forge| {
            with_note(forge, |entry| {
                entry.pop();
            })
        },
        "damaged",
        "a value is missing",
    ),
    (
        "entry of an unknown kind",
        |forge| with_note(forge, |entry| entry[0] = 99),
        "damaged",
        "reader version 1 knows the kinds of the appendix",
    ),
    (
        "field of another type",
        |forge| with_note(forge, |entry| entry[note::FIRST + 4] = 3),
        "damaged",
        "the appendix gives a field's type",
    ),
    (
        "field of an unknown tag",
        |forge| with_note(forge, |entry| entry[note::THIRD] = 99),
        "damaged",
        "the appendix lists the tags",
    ),
    (
        "fields out of order",
        |forge| with_note(forge, |entry| entry[note::FIRST] = 9),
        "damaged",
        "fields ascend strictly",
    ),
    (
        "second value of a field without a first",
        |forge| with_note(forge, |entry| entry[note::THIRD + 2] = 1),
        "damaged",
        "values are indexed from 0",
    ),
    (
        "text that is not UTF-8",
        |forge| with_note(forge, |entry| entry[note::FIRST + 16] = 0xff),
        "damaged",
        "text is UTF-8",
    ),
    (
        "text that claims 2^40 bytes",
        |forge| with_note(forge, |entry| entry[note::FIRST + 8 + 5] = 1),
        "damaged",
        "a length is no reason to allocate",
    ),
    (
        "empty text",
        |forge| {
            with_note(forge, |entry| {
                entry.drain(note::FIRST + 16..note::SECOND);
                entry[note::FIRST + 8] = 0;
            })
        },
        "damaged",
        "a text that exists is not empty",
    ),
    (
        "date in a thirteenth month",
        |forge| with_note(forge, |entry| entry[note::SECOND + 16 + 6] = b'3'),
        "damaged",
        "a date is one of the calendar",
    ),
    (
        "boolean 2",
        |forge| {
            with_note(forge, |entry| {
                let at = entry.len() - note::RETRACTED;
                entry[at] = 2;
            })
        },
        "damaged",
        "a boolean is 0 or 1",
    ),
    (
        "unknown origin",
        |forge| {
            with_note(forge, |entry| {
                let at = entry.len() - note::ORIGIN;
                entry[at] = 7;
            })
        },
        "damaged",
        "there are four origins",
    ),
    (
        "labels that claim 2^64 - 1 items",
        |forge| {
            with_note(forge, |entry| {
                let at = entry.len() - note::LABELS;
                set_u64(entry, at, u64::MAX);
            })
        },
        "damaged",
        "a count is no reason to allocate",
    ),
    (
        "date 2016-12-31T23:59:60Z",
        |forge| recorded(forge, "2016-12-31T23:59:60Z"),
        "ok, other content",
        "FHIR has such dates",
    ),
    ("date 0001-01-01", |forge| recorded(forge, "0001-01-01"), "ok, other content", "FHIR has such dates"),
    (
        "date 2024-02-29T00:00",
        |forge| recorded(forge, "2024-02-29T00:00"),
        "ok, other content",
        "FHIR has such dates",
    ),
    (
        "date 2023-11-05T10:00:00.123456789+14:00",
        |forge| recorded(forge, "2023-11-05T10:00:00.123456789+14:00"),
        "ok, other content",
        "FHIR has such dates",
    ),
    (
        "date 2023-11-05T10:00:00.12345678901234-13:59",
        |forge| recorded(forge, "2023-11-05T10:00:00.12345678901234-13:59"),
        "ok, other content",
        "FHIR has such dates",
    ),
    ("date 2023-02-29", |forge| recorded(forge, "2023-02-29"), "damaged", "a day of the calendar"),
    ("date 0000-01-01", |forge| recorded(forge, "0000-01-01"), "damaged", "years are counted from 1"),
    ("date 2023-11-05T24:00", |forge| recorded(forge, "2023-11-05T24:00"), "damaged", "hours are 0 to 23"),
    ("date 2023-11-05T10:60", |forge| recorded(forge, "2023-11-05T10:60"), "damaged", "minutes are 0 to 59"),
    (
        "date 2023-11-05T10:00:61",
        |forge| recorded(forge, "2023-11-05T10:00:61"),
        "damaged",
        "seconds are 0 to 60",
    ),
    (
        "date 2023-11-05T10:00:00+14:01",
        |forge| recorded(forge, "2023-11-05T10:00:00+14:01"),
        "damaged",
        "an offset is at most 14 hours",
    ),
    (
        "date 2023-11-05T10:00:00+10:60",
        |forge| recorded(forge, "2023-11-05T10:00:00+10:60"),
        "damaged",
        "minutes of an offset are 0 to 59",
    ),
    ("date 2023-11-05T10", |forge| recorded(forge, "2023-11-05T10"), "damaged", "a time has minutes"),
    (
        "date 2023-11-05T10:00:00.Z",
        |forge| recorded(forge, "2023-11-05T10:00:00.Z"),
        "damaged",
        "a fraction has digits",
    ),
    ("date 2023-11Z", |forge| recorded(forge, "2023-11Z"), "damaged", "an offset follows a time"),
    ("date 2023-11-00", |forge| recorded(forge, "2023-11-00"), "damaged", "days are counted from 1"),
    ("date 2023-1-05", |forge| recorded(forge, "2023-1-05"), "damaged", "a month has two digits"),
    ("date 20231105", |forge| recorded(forge, "20231105"), "damaged", "the parts are divided by hyphens"),
    (
        "date 2023-11-05T10:00:00.12345678901234567890Z",
        |forge| recorded(forge, "2023-11-05T10:00:00.12345678901234567890Z"),
        "damaged",
        "a date has at most 40 bytes",
    ),
    (
        "date 2023-11-05 10:00",
        |forge| recorded(forge, "2023-11-05 10:00"),
        "damaged",
        "a T divides date and time",
    ),
    (
        "date 2023-11-05T10:00z",
        |forge| recorded(forge, "2023-11-05T10:00z"),
        "damaged",
        "a Z is a capital letter",
    ),
    (
        "date of a field that is none",
        |forge| with_text(forge, note::SECOND + 8, "yesterday"),
        "damaged",
        "a value of the type Date is a date",
    ),
    (
        "token of 1025 bytes",
        |forge| with_provenance(forge, note::DOCUMENT, &"x".repeat(1025)),
        "damaged",
        "at most 1024",
    ),
    (
        "token of 1024 bytes",
        |forge| with_provenance(forge, note::DOCUMENT, &"ä".repeat(512)),
        "ok, other content",
        "bytes are counted, and not characters",
    ),
    (
        "second value of a field that does not repeat",
        |forge| {
            with_note(forge, |entry| {
                let mut again = entry[note::FIRST..note::SECOND].to_vec();
                again[2] = 1;
                entry.splice(note::SECOND..note::SECOND, again);
                entry[2] += 1;
            })
        },
        "damaged",
        "the appendix marks fields that repeat",
    ),
    (
        "third value of a field without a second",
        |forge| {
            with_note(forge, |entry| {
                let length = at(u64::from_le_bytes(*entry[note::THIRD + 8..].first_chunk().unwrap()));
                let end = note::THIRD + 16 + length;
                let mut again = entry[note::THIRD..end].to_vec();
                again[2] = 2;
                entry.splice(end..end, again);
                entry[2] += 1;
            })
        },
        "damaged",
        "there is no gap in the indexes",
    ),
];
