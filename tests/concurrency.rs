//! Readers and contending writers in threads: no update is lost, no reader sees
//! half a commit, in memory, in a file and in a database.

#[path = "../examples/custom_store/sqlite.rs"]
mod sqlite;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sqlite::Database;
use subrosa::record::{Coding, Diagnosis};
use subrosa::{
    Actor, Concept, Credential, Entry, EntryId, Filter, LockedVault, NewVault, Provenance, RawKey, Record,
    Token, Vault, VaultOptions,
};

const WRITERS: usize = 3;
const COMMITS: usize = 8;
const READERS: usize = 2;

fn key() -> Credential {
    RawKey::from_bytes(&[7; 32]).into()
}

fn options() -> VaultOptions {
    VaultOptions::default().with_lock_wait(Duration::from_secs(120))
}

/// A diagnosis whose code is a number.
fn numbered(number: usize) -> Entry {
    let mut coding = Coding::default();
    coding.code = Some(Token::new(number.to_string()).expect("a number is a token"));
    let mut diagnosis = Diagnosis::default();
    diagnosis.code = Some(Concept::from_coding(coding));
    Entry::new(diagnosis, Provenance::default())
}

fn number(coding: &Coding) -> usize {
    coding.code.as_ref().expect("a code").as_str().parse().expect("a number")
}

fn number_of(entry: &Entry) -> usize {
    let Record::Diagnosis(diagnosis) = &entry.record else { panic!("a diagnosis") };
    number(diagnosis.code.as_ref().expect("a concept").codings.first().expect("a coding"))
}

/// Counts one up and adds one entry, in one commit.
fn count_up(vault: &Vault, counter: EntryId) {
    let commit = vault.update(&Actor::owner(), |tx| {
        let next = number_of(&tx.entry(counter)?) + 1;
        tx.amend(counter, &numbered(next), "counted")?;
        tx.add(&numbered(1_000_000 + next))
    });
    commit.expect("the writer gets its turn");
}

/// What the counter says and how many entries are beside it, in one state.
fn observe(vault: &Vault, counter: EntryId) -> (usize, usize) {
    let listed = vault.list(&Filter::all()).expect("the vault lists");
    let count = listed.iter().find(|listed| listed.id == counter).expect("the counter is listed");
    (number(&count.card.coding), listed.len() - 1)
}

/// Handles for every thread: `open` gives one more on the same vault.
fn readers_and_writers(first: Arc<Vault>, open: &(dyn Fn() -> Arc<Vault> + Sync)) {
    let counter = first.update(&Actor::owner(), |tx| tx.add(&numbered(0))).expect("a counter").value;
    let before = first.epoch().number();
    let (finished, observations) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| {
                    let vault = open();
                    (0..COMMITS).for_each(|_| count_up(&vault, counter));
                })
            })
            .collect();
        for _ in 0..READERS {
            scope.spawn(|| {
                let (vault, mut last) = (open(), 0);
                loop {
                    let is_last = finished.load(Ordering::SeqCst);
                    vault.refresh().expect("a reader is never refused");
                    let (count, beside) = observe(&vault, counter);
                    assert_eq!(count, beside, "a reader saw half a commit");
                    assert!(count >= last, "a reader went back in time");
                    last = count;
                    observations.fetch_add(1, Ordering::SeqCst);
                    if is_last {
                        return assert_eq!(last, WRITERS * COMMITS);
                    }
                }
            });
        }
        let results: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        finished.store(true, Ordering::SeqCst);
        assert!(results.iter().all(Result::is_ok), "a writer failed");
    });
    assert!(observations.load(Ordering::SeqCst) >= READERS);
    let vault = open();
    vault.refresh().expect("the vault is readable");
    assert_eq!(observe(&vault, counter), (WRITERS * COMMITS, WRITERS * COMMITS), "no update is lost");
    assert_eq!(vault.history(counter).expect("its history").len(), 1 + WRITERS * COMMITS);
    assert_eq!(vault.epoch().number(), before + (WRITERS * COMMITS) as u64);
    assert!(vault.check().expect("the vault is readable").is_clean());
}

#[test]
fn threads_share_a_vault_in_memory() {
    let key = key();
    let vault = Vault::create_in_memory(&NewVault::individual(&key), options()).expect("a vault");
    let vault = Arc::new(vault);
    readers_and_writers(Arc::clone(&vault), &|| Arc::clone(&vault));
}

#[test]
fn several_handles_share_a_vault_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, path) = (key(), folder.path().join("a.vault"));
    let first = Vault::create(&path, &NewVault::individual(&key), options()).expect("a vault");
    readers_and_writers(Arc::new(first), &|| {
        let locked = LockedVault::open(&path, options()).expect("a vault");
        Arc::new(locked.unlock(&self::key()).expect("it opens"))
    });
}

#[test]
fn several_connections_share_a_vault_in_a_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, path) = (key(), folder.path().join("ehr.sqlite"));
    let database = Database::open(&path).expect("the database opens");
    let first = Vault::create_in(database.store(1), &NewVault::individual(&key), options()).expect("a vault");
    readers_and_writers(Arc::new(first), &|| {
        let database = Database::open(&path).expect("the database opens");
        let locked = LockedVault::of(database.store(1), options()).expect("a vault");
        Arc::new(locked.unlock(&self::key()).expect("it opens"))
    });
}
