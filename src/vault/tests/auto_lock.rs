//! A vault that locks itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::basics::{diagnosis, key, options};
use crate::vault::session::state::State;
use crate::*;

const HOUR: u64 = 3600;

/// A clock that only a test moves, and a vault that locks itself after an hour of it.
fn vault_and_clock() -> (Vault, Arc<AtomicU64>) {
    let seconds = Arc::new(AtomicU64::new(1_700_000_000));
    let clock = Arc::clone(&seconds);
    let options = options()
        .with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst)))
        .with_auto_lock(Duration::from_secs(HOUR));
    (Vault::create_in_memory(&NewVault::individual(&key(1)), options).unwrap(), seconds)
}

fn pass(clock: &AtomicU64, seconds: u64) {
    clock.fetch_add(seconds, Ordering::SeqCst);
}

fn keys(vault: &Vault) -> std::sync::Weak<crate::engine::core::Core> {
    match &*vault.session.state.read().unwrap() {
        State::Unlocked(unlocked) => Arc::downgrade(&unlocked.core),
        State::Locked { .. } => panic!("the vault is unlocked"),
    }
}

#[test]
fn a_call_that_comes_too_late_finds_the_vault_locked_and_the_keys_gone() {
    let (vault, clock) = vault_and_clock();
    let id = vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("J45", "x", "2020"))).unwrap().value;
    let (keys, epoch) = (keys(&vault), vault.epoch());
    pass(&clock, HOUR);
    assert!(matches!(vault.entry(id), Err(Error::Locked)));
    assert!(keys.upgrade().is_none(), "nothing holds keys or pages any more");
    assert!(vault.is_locked());
    assert!(matches!(vault.list(&Filter::all()), Err(Error::Locked)));
    assert!(matches!(
        vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("B", "x", "2020"))),
        Err(Error::Locked)
    ));
    assert!(matches!(vault.check(), Err(Error::Locked)));
    assert!(matches!(vault.refresh(), Err(Error::Locked)));
    assert!(matches!(vault.public_key(), Err(Error::Locked)));
    assert_eq!(vault.epoch(), epoch);
    let again = vault.lock().unwrap().unlock(&key(1)).unwrap();
    assert!(again.entry(id).is_ok());
}

#[test]
fn every_call_starts_the_time_anew_and_a_call_under_way_stops_it() {
    let (vault, clock) = vault_and_clock();
    for _ in 0..5 {
        pass(&clock, HOUR - 1);
        vault.list(&Filter::all()).unwrap();
    }
    vault
        .update(&Actor::owner(), |tx| {
            pass(&clock, 5 * HOUR);
            tx.add(&diagnosis("J45", "x", "2020"))
        })
        .unwrap();
    pass(&clock, HOUR - 1);
    assert_eq!(vault.list(&Filter::all()).unwrap().len(), 1);
    clock.fetch_sub(10 * HOUR, Ordering::SeqCst);
    assert!(vault.list(&Filter::all()).is_ok(), "a clock that is set back starts anew");
    pass(&clock, HOUR);
    assert!(matches!(vault.list(&Filter::all()), Err(Error::Locked)));
}

#[test]
fn the_keys_go_without_any_call() {
    let options = options().with_clock(SystemTime::now).with_auto_lock(Duration::from_millis(2));
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options).unwrap();
    while !vault.is_locked() {
        std::thread::yield_now();
    }
    assert!(matches!(vault.list(&Filter::all()), Err(Error::Locked)));
}

#[test]
fn the_watching_thread_ends_with_its_vault() {
    let (vault, _clock) = vault_and_clock();
    let watch = vault.session.auto_lock.as_ref().unwrap().watch();
    let keys = keys(&vault);
    assert!(watch.upgrade().is_some());
    drop(vault);
    assert!(watch.upgrade().is_none() && keys.upgrade().is_none());
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    assert!(vault.session.auto_lock.is_none(), "there is none where none was asked for");
}
