//! The large vault: import, scan, opening, size, expunging, memory.

use std::cell::Cell;
use std::hint::black_box;
use std::path::Path;

use criterion::BatchSize;
use subrosa::{Actor, EntryId, LockedVault, Vault, VaultOptions};

use crate::measure::{Bench, Target};
use crate::sqlite::{self, Peer};
use crate::{counting, records};

pub fn all(bench: &mut Bench, folder: &Path) {
    import(bench, folder);
    scan(bench, folder);
    for count in [10_000, bench.sizes.entries] {
        open_and_read(bench, folder, count);
        if bench.sizes.entries == 10_000 {
            break;
        }
    }
    sizes(bench, folder);
    expunge(bench, folder);
    memory(bench, folder);
    compact(bench, folder);
}

/// Keeps this thread, and those that it starts, on one core.
fn on_one_core<T>(work: impl FnOnce() -> T) -> T {
    let before = rustix::thread::sched_getaffinity(None).expect("the cores are known");
    let mut one = rustix::thread::CpuSet::new();
    let last = (0..rustix::thread::CpuSet::MAX_CPU).rev().find(|core| before.is_set(*core));
    one.set(last.expect("there is a core"));
    rustix::thread::sched_setaffinity(None, &one).expect("a core can be chosen");
    let result = work();
    rustix::thread::sched_setaffinity(None, &before).expect("the cores can be given back");
    result
}

fn peer_rows(ids: &[EntryId], entries: &[subrosa::Entry]) -> Vec<(EntryId, Vec<u8>)> {
    ids.iter().zip(entries).map(|(id, entry)| (*id, subrosa::measured::encoded(entry))).collect()
}

fn fresh_path(folder: &Path, name: &str) -> std::path::PathBuf {
    thread_local!(static NUMBER: Cell<u64> = const { Cell::new(0) });
    NUMBER.with(|number| number.set(number.get() + 1));
    folder.join(format!("{name}-{}", NUMBER.with(Cell::get)))
}

/// All entries in one durable transaction, into a new file.
fn import(bench: &mut Bench, folder: &Path) {
    let count = bench.sizes.entries;
    let entries = records::entries(count, 1024);
    let vault_time = |bench: &mut Bench, name: &str| {
        let old = Cell::new(None);
        bench.time("import", name, |b| {
            b.iter_batched(
                || {
                    remove(old.take());
                    let path = fresh_path(folder, "import");
                    old.set(Some(path.clone()));
                    records::create(&path)
                },
                |vault| {
                    vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).expect("the commit succeeds");
                    vault
                },
                BatchSize::PerIteration,
            );
            remove(old.take());
        })
    };
    let one = on_one_core(|| vault_time(bench, "vault one core"));
    let ours = vault_time(bench, "vault");
    let ids: Vec<EntryId> = (0..count as u128)
        .map(|number| {
            EntryId::from_bytes(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_le_bytes())
        })
        .collect();
    let rows = peer_rows(&ids, &entries);
    for peer in
        [Peer { journal: "DELETE", ..Peer::CIPHER }, Peer::CIPHER, Peer { journal: "DELETE", ..Peer::PLAIN }]
    {
        let old = Cell::new(None);
        let theirs = bench.time("import", &peer.name(), |b| {
            b.iter_batched(
                || {
                    remove(old.take());
                    let path = fresh_path(folder, "import");
                    old.set(Some(path.clone()));
                    peer.create(&path)
                },
                |mut connection| {
                    sqlite::insert_all(&mut connection, &rows);
                    connection
                },
                BatchSize::PerIteration,
            );
            remove(old.take());
        });
        let (target, alone) = match peer.key {
            true => (Target::AtLeastOr { wanted: 4.0, must: 3.0 }, Target::AtLeast(2.0)),
            false => (Target::AtLeast(1.5), Target::None),
        };
        bench.speed(&format!("import {count} entries of 1 KiB"), ours, &peer.name(), theirs, target);
        bench.speed(&format!("import {count} entries, one core"), one, &peer.name(), theirs, alone);
    }
}

fn remove(path: Option<std::path::PathBuf>) {
    if let Some(path) = path {
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    }
}

struct Filled {
    path: std::path::PathBuf,
    peer: std::path::PathBuf,
    ids: Vec<EntryId>,
}

/// A vault and a SQLCipher database of the same entries.
fn filled(folder: &Path, count: usize, bytes: usize) -> Filled {
    let path = folder.join(format!("vault-{count}-{bytes}"));
    let peer = folder.join(format!("cipher-{count}-{bytes}"));
    let entries = records::entries(count, bytes);
    let ids_path = folder.join(format!("ids-{count}-{bytes}"));
    if let Ok(known) = std::fs::read(&ids_path) {
        let ids = known.chunks_exact(16).map(|id| EntryId::from_bytes(id.try_into().expect("16 bytes")));
        return Filled { path, peer, ids: ids.collect() };
    }
    let vault = records::create(&path);
    let ids = records::fill(&vault, &entries);
    let mut connection = Peer { journal: "DELETE", ..Peer::CIPHER }.create(&peer);
    sqlite::insert_all(&mut connection, &peer_rows(&ids, &entries));
    let known: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
    std::fs::write(ids_path, known).expect("the ids are written");
    Filled { path, peer, ids }
}

fn open(path: &Path) -> Vault {
    let locked = LockedVault::open(path, VaultOptions::default()).expect("the file opens");
    locked.unlock_read_only(&records::credential()).expect("the key is right")
}

/// Everything read, checked and decrypted, from a newly opened file.
fn scan(bench: &mut Bench, folder: &Path) {
    let count = bench.sizes.entries;
    let Filled { path, peer, .. } = filled(folder, count, 1024);
    let read_all = |bench: &mut Bench, name: &str| {
        bench.time("scan", name, |b| {
            b.iter(|| {
                let mut read = 0;
                open(&path)
                    .for_each_entry(|_, entry| {
                        black_box(entry);
                        read += 1;
                        Ok(())
                    })
                    .expect("every entry opens");
                assert_eq!(read, count);
            });
        })
    };
    let one = on_one_core(|| read_all(bench, "vault one core"));
    let both = read_all(bench, "vault");
    let check = bench.time("scan", "check", |b| {
        b.iter(|| assert!(open(&path).check().expect("the vault is read").is_clean()));
    });
    let theirs = bench.time("scan", "cipher", |b| b.iter(|| sqlite::scan(&Peer::CIPHER.open(&peer))));
    let integrity = bench.time("scan", "integrity", |b| {
        b.iter(|| {
            let connection = Peer::CIPHER.open(&peer);
            let answer: Option<String> =
                connection.query_row("PRAGMA cipher_integrity_check", [], |row| row.get(0)).ok();
            assert_eq!(answer, None);
        });
    });
    let what = format!("read, check and decode {count} entries");
    bench.speed(&format!("{what}, one core"), one, "SQLCipher", theirs, Target::AtLeastOr { wanted: 1.8, must: 1.2 });
    bench.speed(&format!("{what}, all cores"), both, "SQLCipher", theirs, Target::AtLeast(3.0));
    bench.speed("check everything, history too", check, "cipher_integrity_check", integrity, Target::AtLeast(1.3));
}

/// A newly opened file, one entry read.
fn open_and_read(bench: &mut Bench, folder: &Path, count: usize) {
    let Filled { path, peer, ids } = filled(folder, count, 1024);
    let mut at = 0;
    let mut next = || {
        at = (at + 7919) % ids.len();
        ids[at]
    };
    let ours = bench.time("open", &format!("vault {count}"), |b| {
        b.iter(|| open(&path).entry(next()).expect("the entry opens"));
    });
    let theirs = bench.time("open", &format!("cipher {count}"), |b| {
        b.iter(|| sqlite::read_one(&Peer::CIPHER.open(&peer), &next()));
    });
    bench.cost(&format!("open {count} entries, read one"), ours, "SQLCipher", theirs, Target::AtMost(1.2));
    let vault = open(&path);
    let ours = bench.time("read", &format!("vault {count}"), |b| {
        b.iter(|| vault.entry(next()).expect("the entry opens"));
    });
    let connection = Peer::CIPHER.open(&peer);
    let theirs = bench.time("read", &format!("cipher {count}"), |b| {
        b.iter(|| sqlite::read_one(&connection, &next()));
    });
    bench.cost(&format!("read one of {count}, opened"), ours, "SQLCipher", theirs, Target::AtMost(0.8));
}

fn sizes(bench: &mut Bench, folder: &Path) {
    for (bytes, limit) in [(1024, 1.36), (4096, 1.15)] {
        let count = if bytes == 1024 { bench.sizes.entries } else { bench.sizes.entries / 4 };
        let Filled { path, peer, .. } = filled(folder, count, bytes);
        let length = |path: &Path| std::fs::metadata(path).expect("the file is there").len() as f64;
        let payload = (count * bytes) as f64;
        let mebibytes = |bytes: f64| format!("{:.1} MiB", bytes / f64::from(1 << 20));
        let ours = length(&path);
        let what = format!("file of {count} entries of {} KiB, to its payload", bytes / 1024);
        let beside = format!("SQLCipher: {:.2}×", length(&peer) / payload);
        bench.row(&what, &mebibytes(ours), &beside, ours / payload, Target::AtMost(limit));
    }
}

/// One entry of many expunged, beside a durable commit to the same vault.
fn expunge(bench: &mut Bench, folder: &Path) {
    let count = bench.sizes.entries;
    let path = folder.join("expunge");
    let vault = records::create(&path);
    let ids = records::fill(&vault, &records::entries(count, 1024));
    let (entry, owner) = (records::entry(1024, 1), Actor::owner());
    let mut rest = ids.iter();
    let expunge = bench.time("expunge", "expunge", |b| {
        b.iter(|| {
            let id = *rest.next().expect("there are more");
            vault.expunge(&owner, &[id], "").expect("the entry is expunged")
        });
    });
    let commit = bench.time("expunge", "commit", |b| {
        b.iter(|| vault.update(&owner, |tx| tx.add(&entry)).expect("the commit succeeds"));
    });
    let what = format!("expunge one of {count} entries");
    bench.cost(&what, expunge, "durable commit", commit, Target::AtMost(2.5));
    bench.limit(&format!("{what}, alone"), expunge.to_string(), expunge.least <= 0.8e-3, "≤ 0.8 ms");
}

/// What an open vault holds in memory when much of it was read.
fn memory(bench: &mut Bench, folder: &Path) {
    let Filled { path, ids, .. } = filled(folder, bench.sizes.entries, 1024);
    let (vault, held) = counting::held(|| {
        let vault = open(&path);
        for id in ids.iter().step_by(7) {
            black_box(vault.entry(*id).expect("the entry opens"));
        }
        vault
    });
    let what = format!("memory of an open vault of {} entries, much read", bench.sizes.entries);
    bench.limit(&what, format!("{:.1} MiB", held as f64 / f64::from(1 << 20)), held <= 40 << 20, "≤ 40 MiB");
    drop(vault);
}

/// Compaction, to the last barrier, beside a durable copy of as many bytes.
fn compact(bench: &mut Bench, folder: &Path) {
    let count = bench.sizes.entries;
    let path = folder.join("compact");
    let vault = records::create(&path);
    records::fill(&vault, &records::entries(count, 1024));
    let ours = bench.time("compact", "vault", |b| {
        b.iter(|| vault.compact(&Actor::owner()).expect("the vault is compacted"));
    });
    drop(vault);
    let copy = folder.join("copy");
    let bare = bench.time("compact", "copy", |b| {
        b.iter(|| {
            std::fs::copy(&path, &copy).expect("the file is copied");
            std::fs::File::open(&copy).and_then(|file| file.sync_all()).expect("the copy is durable");
        });
    });
    let what = format!("compact a vault of {count} entries");
    bench.speed(&what, ours, "copy + fsync", bare, Target::AtLeast(0.5));
    remove(Some(path));
}

/// A commit to a vault of 10 000 entries and one of many more.
pub fn cost_per_commit(bench: &mut Bench, folder: &Path) {
    let (entry, owner) = (records::entry(1024, 1), Actor::owner());
    let (few, many) = (10_000, bench.sizes.many);
    let mut times = Vec::new();
    for count in [few, many] {
        let path = folder.join(format!("grow-{count}"));
        let vault = records::create(&path);
        for first in (0..count).step_by(100_000) {
            let part: Vec<_> = (first..count.min(first + 100_000))
                .map(|number| records::entry(1024, number as u64))
                .collect();
            records::fill(&vault, &part);
        }
        times.push(bench.time("growth", &count.to_string(), |b| {
            b.iter(|| vault.update(&owner, |tx| tx.add(&entry)).expect("the commit succeeds"));
        }));
        drop(vault);
        remove(Some(path));
    }
    let what = format!("commit to a vault of {many} entries");
    bench.cost(&what, times[1], &format!("one of {few}"), times[0], Target::AtMost(1.3));
}
