//! Keys that are forgotten at once, whatever else is under way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::basics::{file, key, options};
use crate::store::StoreError;
use crate::*;

/// A vault in which a clinic does not open everything, so that closing it makes a commit.
fn shared(path: &std::path::Path, options: VaultOptions) -> Vault {
    let (owner, clinic) = (key(1), key(2));
    let mut new = NewVault::individual(&owner);
    new.access.push(Access::new(&clinic, "clinic", Grant::of(&[Compartment::General])));
    Vault::create(path, &new, options.with_renewal_at_close(true)).unwrap()
}

#[test]
fn keys_are_forgotten_without_waiting_for_another_writer() {
    let (_folder, path) = file();
    let wait = Duration::from_secs(40);
    let vault = shared(&path, options().with_lock_wait(wait));
    let other = LockedVault::open(&path, options()).unwrap().unlock(&key(1)).unwrap();
    let writer = other.session.store.as_file().unwrap().lock(Duration::ZERO).unwrap();
    let started = Instant::now();
    let result = vault.forget_keys();
    assert!(started.elapsed() < wait / 2, "{:?}", started.elapsed());
    assert!(matches!(result, Err(Error::Store(StoreError::Busy))), "{result:?}");
    assert!(vault.is_locked());
    drop(writer);
    assert_eq!(other.epoch().number(), 1);
}

#[test]
fn keys_are_forgotten_although_the_clock_panics() {
    let (_folder, path) = file();
    let is_broken = Arc::new(AtomicBool::new(false));
    let clock = {
        let is_broken = Arc::clone(&is_broken);
        move || {
            assert!(!is_broken.load(Ordering::Relaxed), "the clock stopped");
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
        }
    };
    let vault = shared(&path, options().with_clock(clock));
    is_broken.store(true, Ordering::Relaxed);
    let forgotten = catch_unwind(AssertUnwindSafe(|| vault.forget_keys()));
    assert!(forgotten.is_err());
    assert!(vault.is_locked() && matches!(vault.list(&Filter::all()), Err(Error::Locked)));
}
