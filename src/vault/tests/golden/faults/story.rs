//! Stories of entries, and accounts of releases.

use super::super::forge::{CUSTODY, Fault, Forge, NOTES, row, set_u64};
use crate::Compartment;
use crate::id::Epoch;
use crate::tree::RowKey;

/// An act: epoch, action, revision.
type Act = (u64, u16, u64);

/// What the story of the golden vault tells, its reason aside.
const AMENDED: Act = (3, 4, 2);
const RELEASE: Act = (10, 7, 0);

fn story_of(acts: &[Act]) -> Vec<u8> {
    let mut story = (acts.len() as u64).to_le_bytes().to_vec();
    for (epoch, action, revision) in acts {
        story.extend_from_slice(&epoch.to_le_bytes());
        story.extend_from_slice(&action.to_le_bytes());
        story.extend_from_slice(&revision.to_le_bytes());
        story.push(0);
    }
    story
}

/// The first story with these acts.
fn tell(forge: &mut Forge, acts: &[Act]) {
    forge.change_content(NOTES, 11, |story| *story = story_of(acts));
}

/// The account that notes have, as one of another release and with another count.
fn add_account(forge: &mut Forge, compartment: Compartment, epoch: u64, entries: u64) {
    let rows = forge.rows(NOTES);
    let mut account = forge.content(NOTES, &rows[forge.position(NOTES, 12)]);
    set_u64(&mut account, 0, epoch);
    let end = account.len();
    set_u64(&mut account, end - 8, entries);
    let key = RowKey::accounting(forge.unlocked().core.scope.vault, Epoch::new(epoch));
    let mut row = forge.new_row(compartment, (12, key.as_bytes()), ([0; 16], 0), &account);
    set_u64(&mut row, row::EPOCH, epoch);
    forge.add_rows(compartment, [row]);
}

pub(super) const FAULTS: &[Fault] = &[
    (
        "story of another entry",
        |forge| {
            let rows = forge.rows(NOTES);
            let own = rows[forge.position(NOTES, 11)][row::ID..row::REVISION].to_vec();
            let other = rows.iter().find(|row| row[row::CLASS] == 1 && row[..16] != own[..]).unwrap();
            let other = other[..16].to_vec();
            let mut rows = rows.clone();
            let story = &mut rows[forge.position(NOTES, 11)];
            story[row::ID..row::REVISION].copy_from_slice(&other);
            forge.set_content(NOTES, story, &story_of(&[RELEASE]));
            forge.set_rows(NOTES, &rows);
        },
        "damaged",
        "a story's key is made of its entry's id",
    ),
    (
        "story encrypted again",
        |forge| forge.change_content(NOTES, 11, |_| {}),
        "ok",
        "what the other faults of stories change is nothing else",
    ),
    (
        "story of no act",
        |forge| tell(forge, &[]),
        "damaged",
        "an entry of which nothing is told has no story",
    ),
    (
        "story of no entry",
        |forge| {
            let mut rows = forge.rows(NOTES);
            let story = forge.position(NOTES, 11);
            let id = rows[story][row::ID..row::REVISION].to_vec();
            rows.retain(|row| row[row::CLASS] == 11 || row[row::ID..row::REVISION] != id);
            forge.set_rows(NOTES, &rows);
        },
        "damaged",
        "a story is that of an entry",
    ),
    (
        "account of another release",
        |forge| forge.change_content(NOTES, 12, |account| account[0] ^= 1),
        "damaged",
        "an account is of its row's epoch",
    ),
    (
        "account of more entries than tell of it",
        |forge| {
            forge.change_content(NOTES, 12, |account| {
                let end = account.len();
                account[end - 8] += 1;
            })
        },
        "damaged",
        "an account counts the entries of which stories tell of the release",
    ),
    (
        "story whose epochs descend",
        |forge| tell(forge, &[RELEASE, AMENDED]),
        "damaged",
        "no act has a lower epoch than the one before it",
    ),
    (
        "story with an act twice",
        |forge| tell(forge, &[AMENDED, RELEASE, RELEASE]),
        "damaged",
        "one act for each epoch, action and revision",
    ),
    (
        "story with an act of epoch 0",
        |forge| tell(forge, &[(0, 9, 0), AMENDED, RELEASE]),
        "damaged",
        "no commit did it",
    ),
    (
        "story with an act after the root's epoch",
        |forge| tell(forge, &[AMENDED, RELEASE, (12, 9, 0)]),
        "damaged",
        "no commit did it",
    ),
    (
        "story with an act of a revision that is not there",
        |forge| tell(forge, &[(3, 4, 7), RELEASE]),
        "damaged",
        "an act tells of a revision of its entry",
    ),
    (
        "story with an act of another epoch than its revision's",
        |forge| tell(forge, &[(4, 4, 2), RELEASE]),
        "damaged",
        "the commit that wrote the revision did it",
    ),
    (
        "story with a release that made a revision",
        |forge| {
            tell(forge, &[AMENDED, (3, 7, 2), RELEASE]);
            add_account(forge, NOTES, 3, 1);
        },
        "damaged",
        "a release makes no revision",
    ),
    (
        "story with an act that is not known",
        |forge| tell(forge, &[AMENDED, RELEASE, (11, 99, 0)]),
        "ok, other content",
        "acts that are not known are shown as such",
    ),
    ("account missing", |forge| forge.without(NOTES, &[12]), "damaged", "a story tells of the release"),
    (
        "account of a release of which no story tells",
        |forge| add_account(forge, NOTES, 9, 1),
        "damaged",
        "an account counts the entries of which stories tell of the release",
    ),
    (
        "account in custody",
        |forge| add_account(forge, CUSTODY, 9, 0),
        "ok, other content",
        "it is kept there for entries that are gone",
    ),
    (
        "account in custody that counts an entry",
        |forge| add_account(forge, CUSTODY, 9, 1),
        "damaged",
        "no entry is in custody",
    ),
];
