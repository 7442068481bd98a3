//! The size that clinics really have: a vault of 30 entries.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use subrosa::store::{FileStore, Heads, Medium, ObjectRef, Store, StoreError, StoreWriter};
use subrosa::{LockedVault, Vault, VaultOptions};

use crate::measure::Bench;
use crate::{counting, records};

const ENTRIES: usize = 30;

/// Counts what a store far away would be asked.
struct Counting {
    store: FileStore,
    trips: AtomicUsize,
}

impl Counting {
    fn trip(&self) -> &FileStore {
        self.trips.fetch_add(1, Ordering::Relaxed);
        &self.store
    }
}

impl Store for Counting {
    fn header(&self) -> Result<Vec<u8>, StoreError> {
        self.trip().header()
    }

    fn heads(&self) -> Result<Heads, StoreError> {
        self.trip().heads()
    }

    fn objects(&self, objects: &[ObjectRef]) -> Result<Vec<Vec<u8>>, StoreError> {
        self.trip().objects(objects)
    }

    fn writer(&self, wait: Duration) -> Result<Box<dyn StoreWriter + '_>, StoreError> {
        self.trip().writer(wait)
    }

    fn medium(&self) -> Medium {
        self.store.medium()
    }
}

fn open(path: &Path) -> Vault {
    let locked = LockedVault::open(path, VaultOptions::default()).expect("the file opens");
    locked.unlock_read_only(&records::credential()).expect("the key is right")
}

pub fn all(bench: &mut Bench, folder: &Path) {
    let path = folder.join("small");
    let vault = records::create(&path);
    records::fill(&vault, &records::entries(ENTRIES, 1024));
    drop(vault);
    let length = std::fs::metadata(&path).expect("the file is there").len();
    let over = length - (ENTRIES * 1024) as u64;
    let kibibytes = |bytes: f64| format!("{:.1} KiB", bytes / 1024.0);
    bench.limit("30 entries: file over its payload", kibibytes(over as f64), over <= 192 << 10, "≤ 192 KiB");
    let time = bench.time("small", "open", |b| b.iter(|| open(&path)));
    bench.limit("30 entries: open with a raw key", time.to_string(), time.least <= 1e-3, "≤ 1 ms");
    let store = Arc::new(Counting {
        store: FileStore::open(&path).expect("the file opens"),
        trips: AtomicUsize::new(0),
    });
    let locked = LockedVault::of(store.clone(), VaultOptions::default()).expect("the header is read");
    let vault = locked.unlock_read_only(&records::credential()).expect("the key is right");
    let trips = store.trips.load(Ordering::Relaxed);
    drop(vault);
    bench.limit("30 entries: round trips of an opening to its store", trips.to_string(), trips <= 3, "≤ 3");
    let (vault, held) = counting::held(|| open(&path));
    drop(vault);
    bench.limit("30 entries: memory of an idle handle", kibibytes(held as f64), held <= 64 << 10, "≤ 64 KiB");
}
