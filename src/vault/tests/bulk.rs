//! Many entries at once, written and read on every core.

use std::collections::BTreeMap;

use super::basics::{diagnosis, file, key, note, open, options};
use crate::*;

/// Enough for many leaves.
const COUNT: usize = 3000;

fn entries() -> Vec<Entry> {
    (0..COUNT)
        .map(|number| match number % 3 {
            0 => note("psychotherapy", &format!("session {number}")),
            1 => diagnosis("J45", &format!("asthma {number}"), "1998"),
            _ => note("letter", &"x".repeat(number * 10)),
        })
        .collect()
}

fn read_all(vault: &Vault) -> BTreeMap<EntryId, Entry> {
    let mut read = BTreeMap::new();
    let visit = |id, entry| {
        assert!(read.insert(id, entry).is_none(), "an entry comes twice");
        Ok(())
    };
    vault.for_each_entry(visit).unwrap();
    read
}

#[test]
fn entries_added_together_are_those_that_were_given_each_under_its_id() {
    let (_folder, path) = file();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let entries = entries();
    let ids = vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap().value;
    drop(vault);
    let vault = open(&path, &key(1)).unwrap();
    assert!(vault.check().unwrap().is_clean());
    assert_eq!(vault.check().unwrap().entries, COUNT as u64);
    let read = read_all(&vault);
    assert_eq!(read.len(), COUNT);
    for (id, entry) in ids.iter().zip(&entries) {
        assert!(read.get(id) == Some(entry) && vault.entry(*id).unwrap() == *entry);
    }
    // The ids of each compartment are spread over all that there are: they tell nothing of
    // how many another one has.
    let of_one: BTreeMap<_, Vec<_>> =
        ids.iter().zip(&entries).fold(BTreeMap::new(), |mut ids, (id, entry)| {
            ids.entry(crate::classify::compartment_of(entry)).or_insert_with(Vec::new).push(id.as_bytes()[0]);
            ids
        });
    assert_eq!(of_one.len(), 2);
    for (compartment, first_bytes) in of_one {
        assert!(first_bytes.is_sorted(), "{compartment:?}: in the order in which they were given");
        let middle = first_bytes[first_bytes.len() / 2];
        assert!((64..192).contains(&middle), "{compartment:?}: {middle}");
    }
    let added = vault.ledger().unwrap().into_iter().filter(|line| line.action == Action::Added);
    // One line for each compartment.
    assert_eq!(added.map(|line| line.compartment).collect::<Vec<_>>().len(), 2);
}

#[test]
fn a_reader_whose_state_is_withdrawn_is_told_so_and_can_start_again() {
    let (_folder, path) = file();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let entries: Vec<Entry> =
        (0..1500 * cores).map(|number| diagnosis("J45", &format!("asthma {number}"), "1998")).collect();
    let friend = key(2);
    let ids = vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap().value;
    let changes: [&dyn Fn(); 3] = [
        &|| {
            vault.compact(&Actor::owner()).unwrap();
        },
        &|| drop(vault.expunge(&Actor::owner(), &ids[..ids.len() / 2], "order").unwrap()),
        &|| {
            let add = vec![Access { credential: &friend, name: "friend", grant: Grant::ALL }];
            let change = AccessChange { add, ..AccessChange::default() };
            vault.change_access(&Actor::owner(), &change).unwrap();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut visited = 0;
        let read = vault.for_each_entry(|_, _| {
            visited += 1;
            if visited == 1 {
                change();
            }
            Ok(())
        });
        match read {
            Err(error @ Error::Superseded) => assert!(error.is_retryable() && error.code() == "superseded"),
            Err(error) => panic!("{number}: {error}"),
            // A change of access withdraws nothing that was not read already.
            Ok(()) => assert_eq!(number, 2),
        }
        read_all(&vault);
    }
    // What the visitor says is no sign of that.
    let refused = vault.for_each_entry(|_, _| {
        vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "x", "1999"))).unwrap();
        Err(Error::Damaged { what: "the visitor's own" })
    });
    assert!(matches!(refused, Err(Error::Damaged { what: "the visitor's own" })));
}

#[test]
fn entries_of_a_compartment_that_is_not_open_are_neither_added_nor_read() {
    let (_folder, path) = file();
    let (owner, guest) = (key(1), key(2));
    let mut new = NewVault::individual(&owner);
    new.access.push(Access { credential: &guest, name: "guest", grant: Grant::of(&[Compartment::General]) });
    let vault = Vault::create(&path, &new, options()).unwrap();
    let entries = entries();
    vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap();
    drop(vault);
    let vault = open(&path, &guest).unwrap();
    let epoch = vault.epoch();
    assert_eq!(read_all(&vault).len(), COUNT - COUNT / 3);
    let refused = vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap_err();
    assert!(matches!(refused, Error::NeedsCompartment { .. }));
    assert_eq!(vault.epoch(), epoch);
}

#[test]
fn a_visitor_that_fails_ends_the_reading_with_its_error() {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let entries = entries();
    vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap();
    let mut seen = 0;
    let ended = vault.for_each_entry(|_, _| {
        seen += 1;
        if seen == 100 { Err(Error::TooLarge) } else { Ok(()) }
    });
    assert!(matches!(ended, Err(Error::TooLarge)) && seen == 100);
}

#[test]
fn a_damaged_entry_ends_the_reading_of_all_and_a_check_names_it_alone() {
    let (_folder, path) = file();
    let vault = Vault::create(&path, &NewVault::individual(&key(1)), options()).unwrap();
    let before = std::fs::metadata(&path).unwrap().len();
    let entries = entries();
    vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).unwrap();
    drop(vault);
    let mut bytes = std::fs::read(&path).unwrap();
    // Entries come first in what a commit appends.
    let place = usize::try_from(before).unwrap() + 100_000;
    bytes[place] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let vault = open(&path, &key(1)).unwrap();
    assert!(matches!(vault.for_each_entry(|_, _| Ok(())), Err(Error::Damaged { .. })));
    let report = vault.check().unwrap();
    assert!(
        matches!(report.findings.as_slice(), [CheckFinding::DamagedEntry { .. }]),
        "{:?}",
        report.findings
    );
}
