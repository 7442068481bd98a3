//! Pages, tries and rows.

use super::super::bytes::at;
use super::super::forge::{
    CUSTODY, Fault, Forge, GENERAL, NOTES, RECORD, SEALED, child, inner, leaf, read_encrypted, reference_to,
    revision_of, row, set_u64, split_children, split_rows, write_encrypted,
};
use crate::Compartment;
use crate::format::header::geometry;
use crate::id::EntryId;
use crate::tree::RowKey;

fn with_page(forge: &mut Forge, change: impl Fn(&mut Vec<u8>)) {
    let mut page = forge.root_page(NOTES);
    let rows = split_rows(&page).len();
    change(&mut page);
    forge.set_root_page(NOTES, &page, rows);
}

fn with_rows(forge: &mut Forge, change: impl Fn(&mut Vec<Vec<u8>>)) {
    let mut rows = forge.rows(NOTES);
    change(&mut rows);
    forge.set_rows(NOTES, &rows);
}

/// An entry, encrypted as it should be, among the rows of `custody`.
fn misplaced_entry(forge: &mut Forge) {
    let mut row = forge.rows(NOTES)[forge.position(NOTES, 1)].clone();
    let context = forge.row_context(NOTES, &row);
    let content = forge.object(&read_encrypted(&row[row::OBJECT..]), &context);
    let context = forge.row_context(CUSTODY, &row);
    write_encrypted(&mut row[row::OBJECT..], &forge.encrypt(&context, &content));
    let mut rows = forge.rows(CUSTODY);
    rows.push(row);
    rows.sort();
    forge.set_rows(CUSTODY, &rows);
}

/// Inline bytes, all zero, of a row with an object.
fn add_inline(row: &mut Vec<u8>, length: usize) {
    row.truncate(row::INLINE + 8);
    row.resize(row::INLINE + 8 + length, 0);
    set_u64(row, row::INLINE, length as u64);
}

fn id_of(row: &[u8]) -> &[u8; 16] {
    row[row::ID..row::REVISION].try_into().unwrap()
}

/// A row of a class that no row of this version has, with an object under its key.
fn add_row_of_class(forge: &mut Forge, class: u8) {
    let row = forge.new_row(NOTES, (class, &[0x77; 16]), ([0; 16], 0), b"what a later version keeps");
    forge.add_rows(NOTES, [row]);
}

/// The only row of its name, in another compartment too.
fn add_copy(forge: &mut Forge, (from, class): (Compartment, u8), to: Compartment, name: &str) {
    let row = forge.rows(from)[forge.position(from, class)].clone();
    let content = forge.content(from, &row);
    let copy = forge.new_row(to, (class, RowKey::named(name).as_bytes()), ([0; 16], 0), &content);
    forge.add_rows(to, [copy]);
}

/// Notes changed, without stories and accounts, so that these do not contradict.
fn without_story(forge: &mut Forge, change: impl Fn(&mut Vec<Vec<u8>>)) {
    let mut rows = forge.rows(NOTES);
    change(&mut rows);
    rows.retain(|row| !matches!(row[row::CLASS], 11 | 12));
    forge.set_rows(NOTES, &rows);
}

/// A tombstone of an entry of which nothing else is known.
pub(super) fn tombstone(forge: &mut Forge, compartment: Compartment, number: u8) -> Vec<u8> {
    let id = [number; 16];
    let key = RowKey::tombstone(EntryId::from_bytes(id));
    let content = [&1u64.to_le_bytes()[..], &[number; 16]].concat();
    forge.new_row(compartment, (16, key.as_bytes()), (id, 0), &content)
}

/// The rows of `sealed`, and as many tombstones as make 33.
fn many_rows(forge: &mut Forge) -> Vec<Vec<u8>> {
    let mut rows = forge.rows(SEALED);
    for number in 1..=33 - rows.len() {
        rows.push(tombstone(forge, SEALED, number.try_into().unwrap()));
    }
    rows.sort();
    rows
}

/// An object that stands behind the append end, named by a page before it.
fn object_behind_the_end(forge: &mut Forge) {
    let mut rows = forge.rows(NOTES);
    let position = forge.position(NOTES, 4);
    let content = forge.content(NOTES, &rows[position]);
    let start = forge.file.len();
    forge.set_content(NOTES, &mut rows[position], &content);
    let stored = forge.file.split_off(start);
    let behind = start.next_multiple_of(4096) + 16384;
    rows[position][row::REFERENCE..row::LENGTH].copy_from_slice(&reference_to(behind as u64));
    forge.set_rows(NOTES, &rows);
    assert!(forge.file.len() < behind);
    forge.file.resize(behind, 0);
    forge.file.extend_from_slice(&stored);
}

pub(super) const FAULTS: &[Fault] = &[
    (
        "page encrypted again",
        |forge| with_page(forge, |_| {}),
        "ok",
        "what the other faults of pages change is nothing else",
    ),
    (
        "page with a byte left over",
        |forge| with_page(forge, |page| page.push(0)),
        "damaged",
        "nothing may be left over",
    ),
    (
        "page of an unknown variant",
        |forge| with_page(forge, |page| page[0] = 2),
        "damaged",
        "a page is a leaf or an inner page",
    ),
    (
        "page that claims 2^60 rows",
        |forge| with_page(forge, |page| page[11] = 0x10),
        "damaged",
        "a count is no reason to allocate",
    ),
    (
        "empty leaf",
        |forge| {
            with_page(forge, |page| {
                page.truncate(12);
                page[4] = 0;
            })
        },
        "damaged",
        "an empty trie has no page",
    ),
    (
        "rows out of order",
        |forge| with_rows(forge, |rows| rows.swap(0, 1)),
        "damaged",
        "keys ascend strictly",
    ),
    (
        "row twice",
        |forge| {
            let line = forge.position(NOTES, 4);
            with_rows(forge, |rows| rows.insert(line, rows[line].clone()));
        },
        "damaged",
        "keys ascend strictly",
    ),
    ("row of class 0", |forge| add_row_of_class(forge, 0), "damaged", "a class that is not known is refused"),
    ("row of class 7 under another key", |forge| add_row_of_class(forge, 7), "damaged", "key of a row"),
    (
        "row of class 15",
        |forge| add_row_of_class(forge, 15),
        "damaged",
        "a class that is not known is refused",
    ),
    (
        "row of class 17",
        |forge| add_row_of_class(forge, 17),
        "damaged",
        "a class that is not known is refused",
    ),
    (
        "revision of a row that has none",
        |forge| forge.change_row(NOTES, 4, |row| row[row::REVISION] = 1),
        "damaged",
        "the revision of a ledger row is zero",
    ),
    (
        "id of a row that has none",
        |forge| forge.change_row(NOTES, 4, |row| row[row::ID] = 1),
        "damaged",
        "the id of a ledger row is zero",
    ),
    (
        "inline bytes of an earlier revision",
        |forge| forge.change_row(NOTES, 2, |row| add_inline(row, 1)),
        "damaged",
        "only current entries and links have inline bytes",
    ),
    (
        "link with an object",
        |forge| {
            let object = forge.rows(RECORD)[forge.position(RECORD, 5)][row::PRESENT..row::INLINE].to_vec();
            forge.change_row(RECORD, 3, |row| drop(row.splice(row::PRESENT..row::OBJECT, object.clone())));
        },
        "damaged",
        "a link is inline",
    ),
    (
        "vault record in another compartment",
        |forge| add_copy(forge, (RECORD, 5), NOTES, "vault record"),
        "damaged",
        "there is one vault record, in record",
    ),
    (
        "directory in another compartment",
        |forge| add_copy(forge, (CUSTODY, 6), SEALED, "directory"),
        "damaged",
        "there is one directory, in custody",
    ),
    (
        "tombstone in another compartment",
        |forge| {
            let row = tombstone(forge, NOTES, 1);
            forge.add_rows(NOTES, [row]);
        },
        "damaged",
        "tombstones stand in sealed",
    ),
    (
        "epoch 0 of a row",
        |forge| forge.change_row(SEALED, 16, |row| row[row::EPOCH] = 0),
        "damaged",
        "no commit put it",
    ),
    (
        "epoch of a row after the root's",
        |forge| forge.change_row(SEALED, 16, |row| row[row::EPOCH] = 12),
        "damaged",
        "no commit put it",
    ),
    (
        "epoch of an entry after the root's",
        |forge| forge.change_row(SEALED, 1, |row| row[row::EPOCH] = 12),
        "damaged",
        "no commit wrote it",
    ),
    (
        "earlier revision missing",
        |forge| without_story(forge, |rows| rows.retain(|row| row[row::CLASS] != 2)),
        "damaged",
        "all revisions before the current one are there",
    ),
    (
        "earlier revision of no entry",
        |forge| {
            let id = forge.rows(NOTES)[forge.position(NOTES, 2)][row::ID..row::REVISION].to_vec();
            without_story(forge, |rows| rows.retain(|row| row[..16] != id[..]));
        },
        "damaged",
        "an entry has a current revision",
    ),
    (
        "earlier revision behind the current one",
        |forge| {
            let mut rows = forge.rows(NOTES);
            let mut more = rows[forge.position(NOTES, 2)].clone();
            let content = forge.content(NOTES, &more);
            let current = rows.iter().find(|row| row[row::CLASS] == 1 && row[..16] == *id_of(&more)).unwrap();
            set_u64(&mut more, row::REVISION, revision_of(current) + 1);
            let key = RowKey::revision(EntryId::from_bytes(*id_of(&more)), revision_of(&more));
            more[..16].copy_from_slice(key.as_bytes());
            forge.set_content(NOTES, &mut more, &content);
            rows.push(more);
            rows.sort();
            forge.set_rows(NOTES, &rows);
        },
        "damaged",
        "the current revision is the last",
    ),
    (
        "revision 0 of an entry",
        |forge| {
            let mut rows = forge.rows(NOTES);
            let is_alone = |row: &&mut Vec<u8>| row[row::CLASS] == 1 && revision_of(row) == 1;
            let row = rows.iter_mut().find(is_alone).unwrap();
            let content = forge.content(NOTES, row);
            row[row::REVISION] = 0;
            forge.set_content(NOTES, row, &content);
            forge.set_rows(NOTES, &rows);
        },
        "damaged",
        "revisions are counted from 1",
    ),
    (
        "earlier revision whose content breaks a rule",
        |forge| forge.change_content(NOTES, 2, |entry| entry[0] = 99),
        "damaged",
        "every revision is an entry",
    ),
    ("object behind the append end", object_behind_the_end, "damaged", "the next commit would overwrite it"),
    (
        "object in the gap",
        |forge| {
            let mut rows = forge.rows(NOTES);
            let position = forge.position(NOTES, 4);
            let content = forge.content(NOTES, &rows[position]);
            let before = forge.file.len();
            forge.set_content(NOTES, &mut rows[position], &content);
            let stored = forge.file.split_off(before);
            let gap = geometry::ROOT_A + 4096;
            forge.put(gap, &stored);
            rows[position][row::REFERENCE..row::LENGTH].copy_from_slice(&reference_to(gap));
            forge.set_rows(NOTES, &rows);
        },
        "damaged",
        "objects stand in the append area",
    ),
    (
        "row whose key is not the entry's id",
        |forge| forge.change_row(NOTES, 1, |row| row[15] ^= 1),
        "damaged",
        "a row's key follows from its class",
    ),
    (
        "option tag 2 in a row",
        |forge| forge.change_row(NOTES, 1, |row| row[row::PRESENT] = 2),
        "damaged",
        "an option is 0 or 1",
    ),
    (
        "row without its object",
        |forge| {
            forge.change_row(NOTES, 1, |row| {
                row[row::PRESENT] = 0;
                row.drain(row::OBJECT..row::INLINE);
            })
        },
        "damaged",
        "an entry has an object",
    ),
    (
        "301 inline bytes",
        |forge| {
            forge.change_row(NOTES, 1, |row| {
                row.resize(row::INLINE + 8 + 301, 0);
                set_u64(row, row::INLINE, 301);
            })
        },
        "damaged",
        "at most 300",
    ),
    ("entry in custody", misplaced_entry, "damaged", "entries stand in the compartments that hold them"),
    (
        "inline bytes in a directory row",
        |forge| forge.change_row(CUSTODY, 6, |row| add_inline(row, 1)),
        "damaged",
        "only current entries and links have inline bytes",
    ),
];

fn with_children(forge: &mut Forge, change: impl Fn(&mut Vec<Vec<u8>>)) {
    let mut children = split_children(&forge.root_page(GENERAL));
    let rows = at(forge.place(GENERAL).rows);
    change(&mut children);
    forge.set_root_page(GENERAL, &inner(&children), rows);
}

/// A leaf below the root of `general` with a row that belongs beside it.
fn stray_row(forge: &mut Forge) {
    let page = split_children(&forge.root_page(GENERAL));
    let rows = at(forge.place(GENERAL).rows);
    let all = forge.rows(GENERAL);
    let (first, last) = (page[0][0], page[page.len() - 1][0]);
    let stray = all.last().unwrap().clone();
    let own = |nibble: u8| all.iter().filter(move |row| row[0] >> 4 == nibble).cloned();
    let longer: Vec<_> = own(first).chain([stray]).collect();
    let mut shorter: Vec<_> = own(last).collect();
    shorter.pop();
    let mut children = page;
    let context = forge.child_context(GENERAL, first);
    children[0] = child(first, longer.len(), &forge.encrypt(&context, &leaf(&longer)));
    let context = forge.child_context(GENERAL, last);
    let end = children.len() - 1;
    children[end] = child(last, shorter.len(), &forge.encrypt(&context, &leaf(&shorter)));
    children.retain(|child| child[1..9] != [0; 8]);
    forge.set_root_page(GENERAL, &inner(&children), rows);
}

pub(super) const TRIE: &[Fault] = &[
    (
        "inner page encrypted again",
        |forge| with_children(forge, |_| {}),
        "ok",
        "what the other faults of inner pages change is nothing else",
    ),
    (
        "33 rows",
        |forge| {
            let rows = many_rows(forge);
            forge.set_rows(SEALED, &rows);
        },
        "ok",
        "what the leaf of 33 rows changes is that it is one",
    ),
    (
        "inner page with an empty leaf",
        |forge| {
            let own = forge.rows(SEALED);
            let unused = (0..16).find(|nibble| own.iter().all(|row| row[0] >> 4 != *nibble)).unwrap();
            let mut rows = own;
            let mut numbers = 1..;
            while rows.len() < 33 {
                let row = tombstone(forge, SEALED, numbers.next().unwrap());
                rows.extend(Some(row).filter(|row| row[0] >> 4 != unused));
            }
            rows.sort();
            let mut children = forge.children(SEALED, &rows);
            let context = forge.child_context(SEALED, unused);
            children.push(child(unused, 0, &forge.encrypt(&context, &leaf(&[]))));
            children.sort();
            forge.set_root_page(SEALED, &inner(&children), rows.len());
        },
        "damaged",
        "a leaf has at least one row",
    ),
    (
        "leaf of 33 rows",
        |forge| {
            let rows = many_rows(forge);
            forge.set_root_page(SEALED, &leaf(&rows), rows.len());
        },
        "damaged",
        "a leaf has at most 32 rows",
    ),
    (
        "inner page for rows that fit a leaf",
        |forge| {
            let rows = forge.rows(NOTES);
            let children = forge.children(NOTES, &rows);
            forge.set_root_page(NOTES, &inner(&children), rows.len());
        },
        "damaged",
        "an inner page stands for more than 32 rows",
    ),
    (
        "children out of order",
        |forge| with_children(forge, |children| children.swap(0, 1)),
        "damaged",
        "nibbles ascend strictly",
    ),
    (
        "nibble 16",
        |forge| {
            with_children(forge, |children| {
                let last = children.len() - 1;
                children[last][0] = 16;
            })
        },
        "damaged",
        "a nibble is less than 16",
    ),
    (
        "child with a row too many",
        |forge| {
            with_children(forge, |children| {
                children[0][1] += 1;
                children[1][1] -= 1;
            })
        },
        "damaged",
        "a child has the rows that its parent says",
    ),
    (
        "two children name one page",
        |forge| {
            with_children(forge, |children| {
                let (first, second) = children.split_at_mut(1);
                second[0][1..].copy_from_slice(&first[0][1..]);
            })
        },
        "damaged",
        "the context of a page names its prefix",
    ),
    ("row under another prefix", stray_row, "damaged", "the rows of a leaf have its prefix"),
];
