//! Entries move between compartments whole, under other ids and keys, and what is told of them
//! stays true; where they were is left what an expungement leaves.

use std::io::Read as _;

use super::basics::{diagnosis, note};
use super::disk::{Chance, SimDisk};
use super::workload::{clinic, new_image, owner};
use crate::format::object::ObjectRef;
use crate::record::LegalHold;
use crate::testing::shrink_slices;
use crate::tree::{Row, RowClass};
use crate::vault::{Accounting, Expungement, MoveReport, Remains};
use crate::*;

const GENERAL: Compartment = Compartment::General;
const SEALED: Compartment = Compartment::Sealed;
const PSYCHOTHERAPY: Compartment = Compartment::PsychotherapyNotes;
const SUBSTANCES: Compartment = Compartment::SubstanceUse;

fn vault() -> (SimDisk, Vault) {
    let disk = SimDisk::new(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    (disk, vault)
}

fn me() -> Actor {
    Actor::owner()
}

fn add(vault: &Vault, to: Compartment, entry: &Entry) -> EntryId {
    vault.update(&me(), |tx| tx.add_in(to, entry)).unwrap().value
}

fn asthma() -> Entry {
    diagnosis("J45", "Asthma", "2019")
}

/// Moves an entry and gives its id there.
fn move_to(vault: &Vault, id: EntryId, to: Compartment) -> EntryId {
    let report = vault.move_entries(&me(), &[id], to, Some("an order")).unwrap();
    assert_eq!((report.moved.len(), report.moved[0].from, report.epoch), (1, id, vault.epoch()));
    assert_clean(vault);
    assert!(matches!(vault.entry(id), Err(Error::NoSuchEntry { .. })));
    assert_eq!(compartment_of(vault, report.moved[0].to), to);
    report.moved[0].to
}

fn compartment_of(vault: &Vault, id: EntryId) -> Compartment {
    vault.unlocked().unwrap().reader().entry_row(id).unwrap().0
}

fn assert_clean(vault: &Vault) {
    let report = vault.check().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
}

fn release(vault: &Vault, ids: &[EntryId]) -> Epoch {
    let policy = Policy::only(ids.iter().copied());
    vault.release(&me(), &ReleaseRequest::new("An insurer", "a claim", policy).unwrap()).unwrap();
    vault.epoch()
}

fn export(vault: &Vault) -> Epoch {
    vault.export(&me()).unwrap();
    vault.epoch()
}

fn rows(vault: &Vault, compartment: Compartment, is_wanted: impl Fn(&Row) -> bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let unlocked = vault.unlocked().unwrap();
    let reader = unlocked.reader();
    let trie = reader.trie(compartment).unwrap();
    trie.scan(&mut |row| {
        rows.extend(is_wanted(row).then(|| row.duplicate()));
        Ok(())
    })
    .unwrap();
    rows
}

/// A revision, and all that is told of it.
type Told = (u64, Epoch, std::time::SystemTime, Option<Action>, Option<String>, Option<String>);

fn told(vault: &Vault, id: EntryId) -> Vec<Told> {
    let history = vault.history(id).unwrap().into_iter();
    history.map(|r| (r.revision, r.epoch, r.time, r.action, r.actor, r.reason)).collect()
}

/// A line: where, what, by whom and why.
type Said = (Compartment, Action, String, Option<String>);

/// What everybody, and each compartment, is told of the last commit.
fn lines(vault: &Vault) -> (Action, Vec<Said>) {
    let unlocked = vault.unlocked().unwrap();
    let reader = unlocked.reader();
    let link = reader.link(vault.epoch()).unwrap().unwrap();
    let lines = reader.ledger_lines(vault.epoch()).unwrap();
    let lines = lines.into_iter().map(|line| (line.compartment, line.action, line.actor, line.reason));
    (Action::from_number(link.action), lines.collect())
}

#[test]
fn an_entry_moves_with_its_revisions_its_history_and_its_attachments() {
    for (from, to) in [(GENERAL, SEALED), (SEALED, GENERAL), (GENERAL, SUBSTANCES), (PSYCHOTHERAPY, SEALED)] {
        let (disk, vault) = vault();
        let anna = Actor::new("Dr. Anna").unwrap();
        let (first, second) = match from {
            PSYCHOTHERAPY => (note("psychotherapy", "said"), note("psychotherapy", "said more")),
            _ => (asthma(), diagnosis("J45.1", "Asthma, mild", "2019-03")),
        };
        let id = vault.update(&anna, |tx| tx.add_in(from, &first)).unwrap().value;
        vault.update(&me(), |tx| tx.amend(id, &second, "better known")).unwrap();
        vault.update(&anna, |tx| tx.amend(id, &first, "")).unwrap();
        vault.update(&me(), |tx| tx.retract(id, "entered in error")).unwrap();
        let before = told(&vault, id);
        let revisions: Vec<Entry> = (1..=4).map(|n| vault.entry_revision(id, n).unwrap()).collect();
        let there = move_to(&vault, id, to);
        assert_ne!(id, there);
        assert_eq!(told(&vault, there), before, "{from} to {to}");
        for (number, entry) in (1..).zip(&revisions) {
            assert!(vault.entry_revision(there, number).unwrap() == *entry);
        }
        // Nothing in the compartment is its own any more.
        let is_of = |row: &Row| matches!(row.class, RowClass::Entry | RowClass::Superseded | RowClass::Story);
        assert_eq!(rows(&vault, from, is_of).len(), 0);
        // It is amended and expunged where it is.
        vault.update(&me(), |tx| tx.amend(there, &second, "again")).unwrap();
        let history = told(&vault, there);
        assert_eq!((history.len(), &history[..4]), (5, &before[..]));
        assert_eq!(history[4].5.as_deref(), Some("again"));
        drop(vault);
        let vault = disk.unlock(&owner()).unwrap();
        assert_clean(&vault);
        let report = vault.expunge(&me(), &[there], "wish").unwrap();
        let commits: Vec<Epoch> = [2, 3, 4, 5, 6, 7].map(Epoch::new).to_vec();
        assert!(report.remains.contains(&Remains::CommitTimes { commits }), "{:?}", report.remains);
        assert_clean(&vault);
    }
}

#[test]
fn an_attachment_moves_with_its_entry_and_stays_with_others() {
    shrink_slices(1016, 4);
    let (disk, vault) = vault();
    let bytes: Vec<u8> = (0..3 * 1016 + 5).map(|n: u32| u8::try_from(n % 251).unwrap()).collect();
    let title = Some(Token::new("letter").unwrap());
    let letter = || NewAttachment::new(Attachment { title: title.clone(), ..Attachment::default() });
    let attach = |new: &NewAttachment, bytes: &[u8]| vault.attach(&me(), new, &mut &bytes[..]).unwrap().value;
    let read = |vault: &Vault, id: EntryId| {
        let mut found = Vec::new();
        vault.attachment(id, 0).unwrap().read_to_end(&mut found).unwrap();
        found
    };
    let [one, two] = [(), ()].map(|()| attach(&letter(), &bytes));
    let slices = |place| rows(&vault, place, |row| row.class == RowClass::Slice).len();
    let first = move_to(&vault, one, SEALED);
    assert_eq!((slices(GENERAL), slices(SEALED)), (4, 4), "the other one uses them still");
    assert!(read(&vault, first) == bytes && read(&vault, two) == bytes);
    let second = move_to(&vault, two, SEALED);
    assert_eq!((slices(GENERAL), slices(SEALED)), (0, 4), "a compartment stores the same bytes once");
    vault.expunge(&me(), &[first], "wish").unwrap();
    assert!(read(&vault, second) == bytes);
    // Both at once.
    let third = attach(&letter().in_compartment(SEALED), &bytes);
    let report = vault.move_entries(&me(), &[second, third], GENERAL, None).unwrap();
    assert_eq!((slices(GENERAL), slices(SEALED)), (4, 0));
    for moved in report.moved {
        assert!(read(&vault, moved.to) == bytes);
    }
    assert_clean(&vault);
    // An earlier revision alone names it.
    let bare = Entry::new(AttachmentRecord::default(), Provenance::default());
    let amended = attach(&letter(), b"for a while");
    vault.update(&me(), |tx| tx.amend(amended, &bare, "taken out")).unwrap();
    let amended = move_to(&vault, amended, SEALED);
    assert!(vault.attachment_revision(amended, 1, 0).is_ok());
    // More than one commit stores: nothing is moved.
    let long: Vec<u8> = vec![7; 5 * 1016];
    let long_one = attach(&letter(), &long);
    let image = disk.image();
    let refused = vault.move_entries(&me(), &[long_one], SEALED, None);
    assert!(matches!(refused, Err(Error::TooLarge)), "{refused:?}");
    assert!(disk.image() == image && read(&vault, long_one) == long);
    let [a, b] = [3, 4].map(|byte| attach(&letter(), &[byte; 3 * 1016]));
    let refused = vault.move_entries(&me(), &[a, b], SEALED, None);
    assert!(matches!(refused, Err(Error::TooLarge)), "of both together");
    move_to(&vault, a, SEALED);
    move_to(&vault, b, SEALED);
}

#[test]
fn what_was_handed_out_is_told_as_it_was_however_often_an_entry_moves() {
    let (_, vault) = vault();
    let other = add(&vault, GENERAL, &diagnosis("M54", "Back pain", "2020"));
    // Hidden from the first export, in the second, hidden from the third, in the last.
    let id = add(&vault, SEALED, &asthma());
    let unseen = export(&vault);
    let id = move_to(&vault, id, GENERAL);
    let first = export(&vault);
    let released = release(&vault, &[id, other]);
    let id = move_to(&vault, id, SEALED);
    let hidden = export(&vault);
    let id = move_to(&vault, id, SUBSTANCES);
    let last = export(&vault);
    // The ledger names it in lines of its compartment, and nowhere else.
    let ledger = vault.ledger().unwrap();
    let of = |action: Action| -> Vec<(Compartment, Epoch, Vec<EntryId>)> {
        let of = ledger.iter().filter(|line| line.action == action && line.entries.contains(&id));
        of.map(|line| (line.compartment, line.epoch, line.entries.iter().copied().collect())).collect()
    };
    assert_eq!(of(Action::Exported), [first, last].map(|epoch| (SUBSTANCES, epoch, vec![id])));
    assert_eq!(of(Action::Released), [(SUBSTANCES, released, vec![id])]);
    assert_eq!(of(Action::Moved).len(), 1);
    assert_eq!(of(Action::Added), []);
    let told = ledger.iter().find(|line| line.action == Action::Released && line.compartment == SUBSTANCES);
    assert_eq!(told.unwrap().detail(Detail::Recipient), Some("An insurer"));
    assert!(ledger.is_sorted_by_key(|line| line.epoch));
    // A move says the same of the place that it leaves.
    let report = vault.move_entries(&me(), &[id], SEALED, None).unwrap();
    assert_eq!(report.erasure.released_in, [first, released, last]);
    let report = vault.expunge(&me(), &[report.moved[0].to], "wish").unwrap();
    assert_eq!(report.released_in, [first, released, last]);
    let report = vault.expunge(&me(), &[other], "wish").unwrap();
    assert_eq!(report.released_in, [unseen, first, released, hidden, last]);
    assert_clean(&vault);
}

#[test]
fn what_cannot_be_told_of_a_moved_entry_is_called_doubtful() {
    let (disk, vault) = vault();
    let id = add(&vault, GENERAL, &asthma());
    let exported = export(&vault);
    let released = release(&vault, &[id]);
    let id = move_to(&vault, id, SEALED);
    let story = rows(&vault, SEALED, |row| row.class == RowClass::Story).remove(0);
    disk.flip(offset_of(&story.object.unwrap().object) + 20, 1);
    let report = vault.expunge(&me(), &[id], "wish").unwrap();
    assert_eq!(report.unreadable, [exported, released]);
}

fn offset_of(object: &ObjectRef) -> usize {
    usize::try_from(u64::from_le_bytes(*object.reference.first_chunk().unwrap())).unwrap()
}

#[test]
fn the_accounts_of_releases_follow_what_they_are_of() {
    let (_, vault) = vault();
    let ids = [1, 2, 3].map(|n| add(&vault, GENERAL, &diagnosis(&format!("J{n}"), "Asthma", "2019")));
    let elsewhere = add(&vault, SUBSTANCES, &asthma());
    let epoch = release(&vault, &[ids[0], ids[1], elsewhere]);
    let accounts = |vault: &Vault| -> Vec<(Compartment, u64, bool)> {
        let unlocked = vault.unlocked().unwrap();
        let places = [Compartment::Custody, GENERAL, PSYCHOTHERAPY, SUBSTANCES, SEALED];
        let of = |place| {
            let stored = rows(vault, place, |row| row.class == RowClass::Accounting && row.epoch == epoch);
            stored.into_iter().map(move |row| (place, row)).collect::<Vec<_>>()
        };
        let all = places.into_iter().flat_map(of);
        all.map(|(place, row)| {
            let account = unlocked.reader().account_in(place, &row).unwrap().0;
            assert_eq!((account.recipient.as_str(), account.purpose.as_str()), ("An insurer", "a claim"));
            (place, account.entries, account.policy.is_some())
        })
        .collect()
    };
    assert_eq!(accounts(&vault), [(GENERAL, 2, true), (SUBSTANCES, 1, true)]);
    // The first one takes what was asked for away; where it comes, that stays as it is.
    let first = move_to(&vault, ids[0], SEALED);
    assert_eq!(accounts(&vault), [(GENERAL, 1, false), (SUBSTANCES, 1, true), (SEALED, 1, false)]);
    let first = move_to(&vault, first, SUBSTANCES);
    assert_eq!(accounts(&vault), [(GENERAL, 1, false), (SUBSTANCES, 2, true)]);
    let second = move_to(&vault, ids[1], SEALED);
    assert_eq!(accounts(&vault), [(SUBSTANCES, 2, true), (SEALED, 1, false)], "nothing in custody");
    // One goes where another one comes from, in one commit.
    let swapped = vault
        .update(&me(), |tx| Ok([tx.move_to(first, SEALED, None)?, tx.move_to(second, SUBSTANCES, None)?]));
    let [first, second] = swapped.unwrap().value;
    assert_eq!(accounts(&vault), [(SUBSTANCES, 2, false), (SEALED, 1, false)]);
    assert_clean(&vault);
    // One is destroyed and the other moves.
    vault
        .update(&me(), |tx| {
            tx.expunge(second, Expungement::new().with_accounting(Accounting::Keep))?;
            tx.move_to(first, GENERAL, None)
        })
        .unwrap();
    assert_eq!(accounts(&vault), [(GENERAL, 1, false), (SUBSTANCES, 1, false)]);
    assert_clean(&vault);
}

#[test]
fn lines_say_where_it_went_to_and_nothing_where_it_was() {
    let (disk, vault) = vault();
    let reason = Some("an order".to_owned());
    let moved = |place, by: &str| (place, Action::Moved, by.to_owned(), reason.clone());
    let id = add(&vault, GENERAL, &asthma());
    let id = move_to(&vault, id, SEALED);
    assert_eq!(lines(&vault), (Action::Changed, vec![moved(SEALED, "owner")]));
    let id = move_to(&vault, id, SUBSTANCES);
    assert_eq!(lines(&vault), (Action::Renewed, vec![moved(SUBSTANCES, "owner")]));
    let id = move_to(&vault, id, GENERAL);
    assert_eq!(lines(&vault), (Action::Changed, vec![moved(GENERAL, "owner")]));
    // Who does not see the ways in leaves what they leave of an expungement.
    let clinician = super::basics::key(3);
    let grant = Grant::of(&[GENERAL, SUBSTANCES]);
    let access = Access { credential: &clinician, name: "clinician", grant };
    vault.change_access(&me(), &AccessChange::default().adding(access)).unwrap();
    let (dr, theirs) = (Actor::new("Dr. Lee").unwrap(), disk.unlock(&clinician).unwrap());
    let report = theirs.move_entries(&dr, &[id], SUBSTANCES, Some("an order")).unwrap();
    let changed = (GENERAL, Action::Changed, "Dr. Lee".to_owned(), None);
    assert_eq!(lines(&theirs), (Action::Changed, vec![changed.clone(), moved(SUBSTANCES, "Dr. Lee")]));
    let id = report.moved[0].to;
    assert!(matches!(
        theirs.move_entries(&dr, &[id], SEALED, None),
        Err(Error::NeedsCompartment { compartment: SEALED })
    ));
    let other = theirs.update(&dr, |tx| tx.add(&asthma())).unwrap().value;
    theirs.expunge(&dr, &[other], "an order").unwrap();
    assert_eq!(lines(&theirs).1, [changed]);
}

#[test]
fn what_may_not_or_cannot_move_is_refused_and_nothing_is_written() {
    let (disk, vault) = vault();
    let id = add(&vault, GENERAL, &asthma());
    let secret = add(&vault, PSYCHOTHERAPY, &note("psychotherapy", "said"));
    let once = add(&vault, SEALED, &note("psychotherapy", "said"));
    vault.update(&me(), |tx| tx.amend(once, &note("progress", "slept badly"), "")).unwrap();
    let image = disk.image();
    let invalid = |result: Result<MoveReport, Error>, what: &str| match result {
        Err(Error::Invalid { what: said }) => assert!(said.contains(what), "{said}"),
        other => panic!("{other:?}"),
    };
    let to = |id, to| vault.move_entries(&me(), &[id], to, None);
    invalid(to(id, GENERAL), "in this compartment already");
    invalid(to(id, Compartment::Record), "does not hold entries");
    invalid(to(id, Compartment::Custody), "does not hold entries");
    invalid(to(secret, GENERAL), "everybody would read it");
    invalid(to(once, GENERAL), "everybody would read it");
    invalid(vault.move_entries(&me(), &[id, secret, id], SEALED, None), "twice");
    invalid(vault.move_entries(&me(), &[], SEALED, None), "at least one");
    let nobody = EntryId::from_bytes([9; 16]);
    assert!(matches!(to(nobody, SEALED), Err(Error::NoSuchEntry { .. })));
    let in_one = |change: &dyn Fn(&mut Transaction<'_>) -> Result<EntryId, Error>| {
        let refused = vault.update(&me(), |tx| change(tx)).unwrap_err();
        assert!(matches!(refused, Error::Invalid { .. } | Error::NoSuchEntry { .. }), "{refused}");
    };
    in_one(&|tx| {
        let new = tx.add(&asthma())?;
        tx.move_to(new, SEALED, None)
    });
    in_one(&|tx| {
        tx.amend(id, &asthma(), "better")?;
        tx.move_to(id, SEALED, None)
    });
    in_one(&|tx| {
        let there = tx.move_to(id, SEALED, None)?;
        tx.move_to(there, GENERAL, None)
    });
    in_one(&|tx| {
        tx.move_to(id, SEALED, None)?;
        tx.move_to(id, SUBSTANCES, None)
    });
    in_one(&|tx| {
        let there = tx.move_to(id, SEALED, None)?;
        tx.entry(there).map(|_| there)
    });
    in_one(&|tx| {
        let there = tx.move_to(id, SEALED, None)?;
        tx.expunge(there, "wish").map(|()| there)
    });
    in_one(&|tx| {
        let there = tx.move_to(id, SEALED, None)?;
        tx.retract(there, "wish").map(|()| there)
    });
    assert!(disk.image() == image);
    // A closure may go on after a refusal.
    let went_on = vault.update(&me(), |tx| {
        tx.move_to(secret, GENERAL, None).unwrap_err();
        tx.move_to(id, SEALED, None)
    });
    let there = went_on.unwrap().value;
    // A new revision beside a move is one of the moved entry.
    let both = vault.update(&me(), |tx| {
        let back = tx.move_to(there, GENERAL, None)?;
        tx.amend(back, &diagnosis("J45.1", "Asthma", "2019"), "better")?;
        Ok(back)
    });
    let history = vault.history(both.unwrap().value).unwrap();
    let told: Vec<_> = history.iter().map(|revision| (revision.revision, revision.action)).collect();
    assert_eq!(told, [(1, Some(Action::Added)), (2, Some(Action::Amended))]);
    assert_clean(&vault);
}

#[test]
fn what_is_under_a_legal_hold_moves_with_it() {
    let (_, vault) = vault();
    let mut held = asthma();
    held.marks.legal_holds = vec![LegalHold::new(Narrative::new("subpoena").unwrap(), None)];
    let id = add(&vault, GENERAL, &held);
    let there = move_to(&vault, id, SEALED);
    assert!(vault.entry(there).unwrap() == held);
    assert!(matches!(vault.expunge(&me(), &[there], "wish"), Err(Error::LegalHold { .. })));
}

#[test]
fn what_cannot_be_read_is_not_moved_and_stays_where_it_is() {
    for class in [
        RowClass::Entry,
        RowClass::Superseded,
        RowClass::Story,
        RowClass::Content,
        RowClass::Slice,
        RowClass::Accounting,
        RowClass::Ledger,
    ] {
        let (disk, vault) = vault();
        let title = Some(Token::new("letter").unwrap());
        let letter = NewAttachment::new(Attachment { title, ..Attachment::default() });
        let id = vault.attach(&me(), &letter, &mut &b"some bytes"[..]).unwrap().value;
        let entry = vault.entry(id).unwrap();
        vault.update(&me(), |tx| tx.amend(id, &entry, "looked at")).unwrap();
        export(&vault);
        if class == RowClass::Accounting {
            let other = add(&vault, GENERAL, &asthma());
            let epoch = release(&vault, &[other]);
            let row = rows(&vault, GENERAL, |row| row.class == class && row.epoch == epoch).remove(0);
            disk.flip(offset_of(&row.object.unwrap().object) + 20, 1);
            let refused = vault.move_entries(&me(), &[other], SEALED, None);
            assert!(matches!(refused, Err(Error::Damaged { .. })), "{class:?}: {refused:?}");
            continue;
        }
        for row in rows(&vault, GENERAL, |row| row.class == class) {
            disk.flip(offset_of(&row.object.unwrap().object) + 20, 1);
        }
        let epoch = vault.epoch();
        let refused = vault.move_entries(&me(), &[id], SEALED, None);
        assert!(matches!(refused, Err(Error::Damaged { .. })), "{class:?}: {refused:?}");
        assert_eq!((vault.epoch(), compartment_of(&vault, id)), (epoch, GENERAL));
    }
}

const A: &str = "9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8";
const B: &str = "5be0cd19-137e-4f83-a9ab-fb41bd6b1f2c";

/// Takes in lines of this kind, id, words and year in one document.
fn take(vault: &Vault, document: &str, lines: &[(&str, &str, &str, u8)]) -> ImportReport {
    let line = |(kind, id, text, version): &(&str, &str, &str, u8)| {
        let id = if id.is_empty() { String::new() } else { format!(r#""id":"{id}","#) };
        format!(
            r#"{{"resourceType":"{kind}",{id}"code":{{"text":"{text}"}},"meta":{{"lastUpdated":"20{version:02}-01-01T00:00:00Z"}}}}"#
        )
    };
    let text = lines.iter().map(line).collect::<Vec<_>>().join("\n");
    let mut import = Import::new(ImportOptions::default());
    import.read(Some(document), text.as_bytes()).unwrap();
    super::take_all(vault, &me(), &import.finish().unwrap()).unwrap()
}

/// A record with a name that is one everywhere, one within its document, and none.
const RECORDS: [&[(&str, &str, &str, u8)]; 3] = [
    &[("Condition", A, "asthma", 11)],
    &[("Condition", "17", "asthma", 11), ("Condition", "18", "gout", 11)],
    &[("Condition", "", "asthma", 11)],
];

#[test]
fn an_import_finds_what_was_moved_where_its_importer_opens_that_and_takes_it_as_new_elsewhere() {
    for records in RECORDS {
        let (disk, vault) = vault();
        let front = disk.unlock(&clinic()).unwrap();
        let id = take(&vault, "portal.ndjson", records).added[0];
        // There and back, and there again.
        let there = move_to(&vault, id, SEALED);
        let again = take(&vault, "portal.ndjson", records);
        assert_eq!((again.added.len(), again.unchanged), (0, records.len()), "{records:?}");
        let back = move_to(&vault, there, GENERAL);
        assert_eq!(back, id, "what the general compartment calls it");
        assert_eq!(take(&vault, "portal.ndjson", records).unchanged, records.len());
        assert_eq!(move_to(&vault, back, SEALED), there);
        // What its source changes is changed there.
        let mut newer = records.to_vec();
        newer[0].3 = 12;
        newer[0].2 = "asthma, mild";
        if records[0].1 == A {
            let report = take(&vault, "portal.ndjson", &newer);
            assert_eq!((report.added.len(), &report.amended[..]), (0, &[there][..]));
        }
        assert_clean(&vault);
        // Who does not open it knows of nothing.
        let report = take(&front, "portal.ndjson", records);
        assert_eq!((report.added.len(), report.unchanged), (1, records.len() - 1), "{records:?}");
        assert_clean(&vault);
        // The same record twice in one compartment is refused.
        match vault.move_entries(&me(), &report.added, SEALED, None) {
            Err(Error::SameRecord { id, there: known }) => assert_eq!((id, known), (report.added[0], there)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_has_a_name_only_beside_another_kind_keeps_a_name_where_it_goes() {
    let (_, vault) = vault();
    let records = [("Condition", A, "asthma", 11), ("Procedure", A, "spirometry", 11)];
    let bare = |lines: &[(&str, &str, &str, u8)]| {
        let report = take(&vault, "portal.ndjson", lines);
        (report.added, report.unchanged)
    };
    let (ids, _) = bare(&records);
    assert_eq!(ids.len(), 2);
    for order in [[0, 1], [1, 0]] {
        let moved: Vec<EntryId> = order.iter().map(|at| ids[*at]).collect();
        let report = vault.move_entries(&me(), &moved, SEALED, None).unwrap();
        assert_eq!(bare(&records), (vec![], 2), "{order:?}");
        for moved in report.moved {
            move_to(&vault, moved.to, GENERAL);
        }
        assert_eq!(bare(&records), (vec![], 2), "{order:?}");
    }
}

#[test]
fn what_is_remembered_of_an_import_goes_where_its_entries_go() {
    let (_, vault) = vault();
    let lines = [("Condition", "17", "asthma", 11), ("Condition", "18", "gout", 11)];
    let ids = take(&vault, "portal.ndjson", &lines).added;
    let epoch = vault.epoch();
    let imports = || {
        let unlocked = vault.unlocked().unwrap();
        let all = unlocked.reader().import_rows().unwrap();
        let counts = |import: &crate::payload::imports::ImportV1| {
            import.documents.iter().map(|document| (document.entries, document.scope)).collect::<Vec<_>>()
        };
        all.iter().map(|(place, _, import)| (*place, counts(import))).collect::<Vec<_>>()
    };
    let [(GENERAL, before)] = &imports()[..] else { panic!() };
    let scope = before[0].1;
    assert_eq!(before, &[(2, scope)]);
    let first = move_to(&vault, ids[0], SEALED);
    assert_eq!(imports(), [(GENERAL, vec![(1, scope)]), (SEALED, vec![(1, scope)])]);
    let second = move_to(&vault, ids[1], SEALED);
    assert_eq!(imports(), [(SEALED, vec![(2, scope)])]);
    let past = vault.imports().unwrap();
    let mut added = vec![first, second];
    added.sort_unstable();
    assert_eq!((past[0].number, &past[0].added), (epoch, &added));
    let history = vault.history(first).unwrap();
    assert_eq!((history[0].action, history[0].actor.as_deref()), (Some(Action::Imported), Some("owner")));
    // Undone, it is gone from there.
    let second = move_to(&vault, second, GENERAL);
    let exported = export(&vault);
    let third = move_to(&vault, second, SUBSTANCES);
    let undone = vault.undo_import(&me(), epoch).unwrap();
    let mut expected = vec![first, third];
    expected.sort_unstable();
    let mut destroyed = undone.destroyed.clone();
    destroyed.sort_unstable();
    assert_eq!((destroyed, undone.erasure.released_in), (expected, vec![exported]));
    assert_eq!(imports(), []);
    assert_clean(&vault);
}

#[test]
fn an_amendment_by_an_import_is_undone_where_the_entry_went_since() {
    let (_, vault) = vault();
    let id = take(&vault, "portal.ndjson", &[("Condition", A, "asthma", 11)]).added[0];
    take(&vault, "portal.ndjson", &[("Condition", A, "asthma, mild", 12), ("Condition", B, "gout", 11)]);
    let (number, before) = (vault.epoch(), told(&vault, id));
    export(&vault);
    let exported = vault.epoch();
    let there = move_to(&vault, id, SEALED);
    assert_eq!(told(&vault, there), before);
    assert_eq!(before[1].5.as_deref(), Some("changed in its source"));
    assert_eq!(vault.preview_undo(number).unwrap().restores, [there]);
    let undone = vault.undo_import(&me(), number).unwrap();
    assert_eq!((&undone.restored[..], undone.erasure.released_in), (&[there][..], vec![exported]));
    assert_eq!(told(&vault, there), before[..1]);
    assert_eq!(compartment_of(&vault, there), SEALED);
    assert_clean(&vault);
}

#[test]
fn what_nobody_confirmed_stays_unconfirmed_in_another_compartment() {
    let (_, vault) = vault();
    let line = format!(
        r#"{{"resourceType":"Condition","id":"{A}","subject":{{"reference":"urn:uuid:{B}"}},"code":{{"text":"asthma"}}}}"#
    );
    let mut import = Import::new(ImportOptions::default().with_unknown_subjects_as_the_patients());
    import.read(Some("portal.ndjson"), line.as_bytes()).unwrap();
    let report = super::take_all(&vault, &me(), &import.finish().unwrap()).unwrap();
    let confirmed = |vault: &Vault| vault.unlocked().unwrap().reader().imports_are_confirmed().unwrap();
    let id = report.added[0];
    let before = confirmed(&vault);
    let there = move_to(&vault, id, SEALED);
    assert_eq!(confirmed(&vault), before);
    move_to(&vault, there, GENERAL);
    assert_eq!(confirmed(&vault), before);
}

#[test]
fn an_entry_that_disputes_another_moves_with_it_or_neither_does() {
    let (_, vault) = vault();
    let statement = add(&vault, GENERAL, &note("statement", "I never said that"));
    let mut disputed = asthma();
    disputed.marks.disputes = vec![statement];
    let id = add(&vault, GENERAL, &disputed);
    let refused = vault.move_entries(&me(), &[id], SEALED, None);
    match refused {
        Err(Error::DisputedElsewhere { id: said, by, compartment: GENERAL }) => {
            assert_eq!((said, by), (id, statement));
        }
        other => panic!("{other:?}"),
    }
    // In any order, by one call.
    let report = vault.move_entries(&me(), &[id, statement], SEALED, None).unwrap();
    let [id, statement] = [report.moved[0].to, report.moved[1].to];
    assert_eq!(vault.entry(id).unwrap().marks.disputes, [statement]);
    // By one commit, what disputes first.
    let both = vault.update(&me(), |tx| {
        let statement = tx.move_to(statement, GENERAL, None)?;
        Ok((tx.move_to(id, GENERAL, None)?, statement))
    });
    let (id, statement) = both.unwrap().value;
    assert_eq!(vault.entry(id).unwrap().marks.disputes, [statement]);
    // What it is disputed by goes alone: that it is disputed stays, by an id that is none.
    let there = move_to(&vault, statement, SEALED);
    assert_eq!(vault.entry(id).unwrap().marks.disputes, [statement]);
    let id = move_to(&vault, id, SUBSTANCES);
    let kept = vault.entry(id).unwrap().marks.disputes;
    assert!(kept.len() == 1 && kept[0] != statement && kept[0] != there);
    assert!(vault.list(&Filter::all()).unwrap().iter().any(|l| l.id == id && l.card.flags.disputed));
    // So it is of a revision that was, whatever disputed that.
    vault.update(&me(), |tx| tx.amend(id, &asthma(), "settled")).unwrap();
    let id = move_to(&vault, id, GENERAL);
    let earlier = vault.entry_revision(id, 1).unwrap().marks.disputes;
    assert!(earlier.len() == 1 && !kept.contains(&earlier[0]));
}

#[test]
fn a_move_erases_what_it_withdraws_and_no_page_of_where_it_goes() {
    let (_, vault) = vault();
    for number in 0..40 {
        add(&vault, SEALED, &diagnosis(&format!("M{number}"), "Pain", "2020"));
    }
    let id = add(&vault, GENERAL, &asthma());
    vault.update(&me(), |tx| tx.amend(id, &asthma(), "looked at")).unwrap();
    let gone = rows(&vault, GENERAL, |row| row.id == id);
    assert_eq!(gone.len(), 3);
    let page = |place| {
        let unlocked = vault.unlocked().unwrap();
        unlocked.snapshot.place(place).unwrap().trie.as_ref().unwrap().object
    };
    let [general, sealed] = [GENERAL, SEALED].map(page);
    let report = vault.move_entries(&me(), &[id], SEALED, None).unwrap();
    let unlocked = vault.unlocked().unwrap();
    let reader = unlocked.reader();
    let lists: Vec<_> = reader.named_erase_lists().collect();
    let places: Vec<_> = lists.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [GENERAL]);
    let erased: Vec<ObjectRef> =
        unlocked.reader().erase_lists().into_iter().flat_map(Result::unwrap).collect();
    let is_erased = |object: &ObjectRef| erased.contains(object);
    assert!(gone.iter().all(|row| is_erased(&row.object.as_ref().unwrap().object)));
    assert!(is_erased(&general) && !is_erased(&sealed) && page(SEALED) != sealed);
    let bytes: u64 = gone.iter().map(Row::stored_bytes).sum();
    assert_eq!((report.erasure.bytes, &report.erasure.entries[..]), (bytes, &[id][..]));
    assert!(!report.shows_more);
}

#[test]
fn many_entries_move_at_once() {
    let (_, vault) = vault();
    let entries: Vec<Entry> = (0..300).map(|n| diagnosis(&format!("J{n}"), "Asthma", "2019")).collect();
    let ids = vault.update(&me(), |tx| tx.add_all(&entries)).unwrap().value;
    export(&vault);
    let report = vault.move_entries(&me(), &ids, SEALED, Some("an order")).unwrap();
    let there: Vec<EntryId> = report.moved.iter().map(|moved| moved.to).collect();
    assert!(there.iter().zip(&entries).all(|(id, entry)| vault.entry(*id).unwrap() == *entry));
    assert!(report.shows_more, "so many are more than a part takes");
    let line = vault.ledger().unwrap().pop().unwrap();
    assert_eq!(
        (line.action, line.entries.len(), line.reason.as_deref()),
        (Action::Moved, 300, Some("an order"))
    );
    assert_clean(&vault);
}

/// An entry, and what must be told of it.
struct Expected {
    id: EntryId,
    place: Compartment,
    handed_out: Vec<Epoch>,
    history: Vec<(Epoch, Action, Option<String>)>,
}

#[test]
fn whatever_is_done_in_whatever_order_the_same_is_told_of_a_moved_entry_as_of_one_that_stayed() {
    let places = [GENERAL, SUBSTANCES, SEALED];
    for seed in 0..12 {
        let (_, vault) = vault();
        let mut chance = Chance::new(seed);
        let mut entries: Vec<Expected> = Vec::new();
        for step in 0..40 {
            let (count, chosen) = (entries.len(), chance.below(entries.len().max(1)));
            match (chance.below(8), entries.get_mut(chosen)) {
                (0, _) | (_, None) => {
                    let place = places[chance.below(3)];
                    let id = add(&vault, place, &asthma());
                    let history = vec![(vault.epoch(), Action::Added, None)];
                    entries.push(Expected { id, place, handed_out: Vec::new(), history });
                }
                (1, Some(entry)) => {
                    let reason = if chance.one_in(2) { "better" } else { "" };
                    let amended = diagnosis(&format!("J{step}"), "Asthma", "2019");
                    vault.update(&me(), |tx| tx.amend(entry.id, &amended, reason)).unwrap();
                    let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
                    entry.history.push((vault.epoch(), Action::Amended, reason));
                }
                (2, _) => {
                    let epoch = export(&vault);
                    let seen = entries.iter_mut().filter(|entry| entry.place != SEALED);
                    seen.for_each(|entry| entry.handed_out.push(epoch));
                }
                (3, _) => {
                    let seen = entries.iter_mut().filter(|entry| entry.place != SEALED);
                    let mut chosen: Vec<_> = seen.filter(|_| chance.one_in(2)).collect();
                    if chosen.is_empty() {
                        continue;
                    }
                    let ids: Vec<EntryId> = chosen.iter().map(|entry| entry.id).collect();
                    let epoch = release(&vault, &ids);
                    chosen.iter_mut().for_each(|entry| entry.handed_out.push(epoch));
                }
                (4, _) if count > 3 => {
                    let gone = entries.swap_remove(chosen);
                    let report = vault.expunge(&me(), &[gone.id], "wish").unwrap();
                    assert_eq!(report.released_in, gone.handed_out, "seed {seed}, step {step}");
                }
                (_, Some(_)) => {
                    let to = places[chance.below(3)];
                    let all = chance.one_in(3);
                    let goes = |at: usize, entry: &Expected| entry.place != to && (all || at == chosen);
                    let going = entries.iter_mut().enumerate().filter(|(at, entry)| goes(*at, entry));
                    let mut going: Vec<&mut Expected> = going.map(|(_, entry)| entry).collect();
                    let ids: Vec<EntryId> = going.iter().map(|entry| entry.id).collect();
                    if ids.is_empty() {
                        continue;
                    }
                    let report = vault.move_entries(&me(), &ids, to, None).unwrap();
                    let all: std::collections::BTreeSet<Epoch> =
                        going.iter().flat_map(|entry| entry.handed_out.iter().copied()).collect();
                    assert!(report.erasure.released_in.iter().eq(&all), "seed {seed}, step {step}");
                    for (entry, moved) in going.iter_mut().zip(report.moved) {
                        (entry.id, entry.place) = (moved.to, to);
                    }
                }
            }
        }
        assert_clean(&vault);
        let ledger = vault.ledger().unwrap();
        for entry in entries {
            let history = told(&vault, entry.id);
            let history: Vec<_> = history.into_iter().map(|r| (r.1, r.3.unwrap(), r.5)).collect();
            assert_eq!(history, entry.history, "seed {seed}");
            let is_out = |line: &&LedgerLine| matches!(line.action, Action::Exported | Action::Released);
            let named = ledger.iter().filter(is_out).filter(|line| line.entries.contains(&entry.id));
            assert!(named.map(|line| line.epoch).eq(entry.handed_out), "seed {seed}");
        }
    }
}
