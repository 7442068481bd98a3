//! Links and ledger rows.

use super::super::forge::{CUSTODY, Fault, LAST, NOTES, RECORD, link, row, set_u64};

/// Where the fields of a ledger row stand.
mod ledger {
    pub(super) const ACTION: usize = 32;
}

/// A number of a link, changed by so much.
fn add(link: &mut [u8], offset: usize, more: i64) {
    let before = u64::from_le_bytes(*link[offset..].first_chunk().unwrap());
    set_u64(link, offset, before.checked_add_signed(more).unwrap());
}

/// A line *amended* without a reason.
fn line(actor: &str, details: &[(u16, &str)]) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut line = [&4u16.to_le_bytes()[..], &text(actor), &[0]].concat();
    line.extend_from_slice(&(details.len() as u64).to_le_bytes());
    for (number, said) in details {
        line.extend_from_slice(&[&number.to_le_bytes()[..], &text(said)].concat());
    }
    line
}

/// A leaf with one line more.
fn add_line(leaf: &mut Vec<u8>, line: &[u8]) {
    let lines = u64::from_le_bytes(*leaf[16..].first_chunk().unwrap());
    set_u64(leaf, 16, lines + 1);
    leaf.extend_from_slice(line);
}

pub(super) const FAULTS: &[Fault] = &[
    (
        "link encrypted again",
        |forge| forge.change_link(2, |_| {}),
        "ok",
        "what the other faults of links change is nothing else",
    ),
    (
        "link missing",
        |forge| {
            let mut rows = forge.rows(RECORD);
            rows.retain(|row| !(row[row::CLASS] == 3 && row[row::EPOCH] == 3));
            forge.set_rows(RECORD, &rows);
        },
        "damaged",
        "every commit has a link",
    ),
    (
        "previous link flipped",
        |forge| forge.change_link(LAST, |link| link[link::PREVIOUS_LINK] ^= 1),
        "damaged",
        "the chain is broken",
    ),
    (
        "time of a link changed",
        |forge| forge.change_link(3, |link| link[link::TIME] ^= 1),
        "damaged",
        "the next link has the digest of this one",
    ),
    (
        "first link with a link before it",
        |forge| forge.change_link(1, |link| link[link::PREVIOUS_LINK] = 1),
        "damaged",
        "zeros in the first link",
    ),
    (
        "previous root of the last link flipped",
        |forge| forge.change_link(LAST, |link| link[link::PREVIOUS_ROOT] ^= 1),
        "damaged",
        "it is the previous root that the root names",
    ),
    (
        "leaves of the last link flipped",
        |forge| forge.change_link(LAST, |link| link[link::LEAVES] ^= 1),
        "damaged",
        "the ledger lines of the commit are not in it",
    ),
    (
        "action of a ledger line changed",
        |forge| forge.change_content(NOTES, 4, |ledger| ledger[ledger::ACTION] = 3),
        "damaged",
        "the leaf is not in the commit's tree",
    ),
    (
        "path of a ledger line flipped",
        |forge| {
            forge.change_content(NOTES, 4, |ledger| {
                let end = ledger.len();
                ledger[end - 96] ^= 1;
            })
        },
        "damaged",
        "the path does not lead to the tree's root",
    ),
    (
        "what everybody is told of a commit changed",
        |forge| forge.change_link(3, |link| link[link::ACTION] ^= 1),
        "damaged",
        "the next link has the digest of this one",
    ),
    ("vault record missing", |forge| forge.without(RECORD, &[5]), "damaged", "there is one vault record"),
    ("directory missing", |forge| forge.without(CUSTODY, &[6]), "damaged", "there is one directory"),
    (
        "head of the record flipped",
        |forge| forge.set_place_plain(RECORD, |place| place[113] ^= 1),
        "damaged",
        "the head of record is the last link",
    ),
    (
        "links made anew",
        |forge| forge.change_links(|_, _| {}),
        "ok",
        "what the other faults of links that follow one another change is nothing else",
    ),
    (
        "link of an act that is not known",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 3 {
                    link[link::ACTION] = 99
                }
            })
        },
        "ok",
        "acts that are not known are shown as such",
    ),
    (
        "link of a role that is not known",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 3 {
                    link[link::ROLE] = 99
                }
            })
        },
        "ok",
        "roles that are not known are shown as such",
    ),
    (
        "link that names another epoch",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 5 {
                    link[0] ^= 1
                }
            })
        },
        "damaged",
        "there is one link for each epoch",
    ),
    (
        "first link with a root before it",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 1 {
                    link[link::PREVIOUS_ROOT] = 1
                }
            })
        },
        "damaged",
        "zeros in the first link",
    ),
    (
        "first link with a segment before it",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 1 {
                    set_u64(link, link::SPAN, 81_920);
                    set_u64(link, link::SPAN + 8, 81_920);
                }
            })
        },
        "damaged",
        "there is no commit before the first",
    ),
    (
        "segment of a link that ends behind the next one's start",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 5 {
                    add(link, link::SPAN + 8, 4096)
                }
            })
        },
        "damaged",
        "each ends where the one after it starts",
    ),
    (
        "segment of the last link that ends before the root's",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == LAST {
                    add(link, link::SPAN + 8, -4096)
                }
            })
        },
        "damaged",
        "each ends where the one after it starts",
    ),
    (
        "first segment that starts before the append area",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 2 {
                    add(link, link::SPAN, -4096)
                }
            })
        },
        "damaged",
        "the first starts at 81920",
    ),
    (
        "segments of links that meet inside a block",
        |forge| {
            forge.change_links(|epoch, link| match epoch {
                5 => add(link, link::SPAN + 8, 1),
                6 => add(link, link::SPAN, 1),
                _ => {}
            })
        },
        "damaged",
        "segments go from block to block",
    ),
    (
        "segment of a link whose parts are longer",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 5 {
                    add(link, link::SPAN + 16, 1 << 30)
                }
            })
        },
        "damaged",
        "the parts are the beginning of the segment",
    ),
    (
        "link in the middle without a segment",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 6 {
                    link[link::SPAN..].fill(0)
                }
            })
        },
        "damaged",
        "a file that begins there begins at 81920",
    ),
    (
        "segment of a link that has another digest",
        |forge| {
            forge.change_links(|epoch, link| {
                if epoch == 5 {
                    link[link::SPAN + 24] ^= 1
                }
            })
        },
        "ok",
        "erasures change bytes, and no digest is brought up to date",
    ),
    (
        "leaf of two lines",
        |forge| forge.change_leaf(|leaf| add_line(leaf, &line("somebody", &[(5, "a name"), (8, "5")]))),
        "ok, other content",
        "what the other faults of leaves change is nothing else",
    ),
    (
        "ledger line that is there twice",
        |forge| {
            forge.change_leaf(|leaf| {
                let first = leaf[24..].to_vec();
                add_line(leaf, &first);
            })
        },
        "damaged",
        "no two lines are the same",
    ),
    (
        "leaf without lines",
        |forge| {
            forge.change_leaf(|leaf| {
                leaf.truncate(16);
                leaf.extend_from_slice(&[0; 8]);
            })
        },
        "damaged",
        "a leaf has at least one",
    ),
    (
        "line with details out of order",
        |forge| forge.change_leaf(|leaf| add_line(leaf, &line("somebody", &[(8, "5"), (5, "a name")]))),
        "damaged",
        "details ascend strictly",
    ),
    (
        "line with a detail twice",
        |forge| forge.change_leaf(|leaf| add_line(leaf, &line("somebody", &[(5, "a name"), (5, "b")]))),
        "damaged",
        "details ascend strictly",
    ),
    (
        "line with a detail of an account",
        |forge| forge.change_leaf(|leaf| add_line(leaf, &line("somebody", &[(4, "an excerpt")]))),
        "damaged",
        "no line has the details 1 to 4",
    ),
    (
        "line with a text of 16385 bytes",
        |forge| forge.change_leaf(|leaf| add_line(leaf, &line(&"x".repeat(16_385), &[]))),
        "damaged",
        "at most 16384",
    ),
    (
        "ledger row that names another epoch",
        |forge| forge.change_content(NOTES, 4, |ledger| ledger[0] ^= 1),
        "damaged",
        "a ledger row is of its row's epoch",
    ),
];
