//! Hostile password costs and slots are refused by their numbers alone: before
//! memory is allocated and before Argon2id is run, which would take at least the
//! 19 MiB that are the least accepted cost.

// The lint configuration exempts test functions only; what they call is test code too.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr, reason = "test code")]

use std::path::Path;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use subrosa::vault::KdfError;
use subrosa::{Credential, Error, LockedVault, NewVault, RawKey, Vault, VaultOptions};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The most memory that a refusal may take.
const MOST_BYTES: usize = 8 << 20;
/// The longest that a refusal may take: less than any run of Argon2id.
const MOST_TIME: Duration = Duration::from_millis(10);
/// Tries of which the least counts: other programs take their time too.
const TRIES: usize = 5;

/// Offsets of docs/format.md, section 5.
const AREAS: [usize; 2] = [4096, 32768];
const AREA_LEN: usize = 28672;
const DIGESTED: usize = 26976;
const GENERATIONS: [usize; 2] = [8, 52];
const SLOTS: usize = 96;
const SLOT_LEN: usize = 1569;

/// Changes areas, and makes their digests right again.
fn with_areas(vault: &[u8], which: &[usize], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut vault = vault.to_vec();
    for start in which {
        let area = &mut vault[*start..*start + AREA_LEN];
        change(area);
        let digest = blake3::hash(&area[..DIGESTED]);
        area[DIGESTED..DIGESTED + 32].copy_from_slice(digest.as_bytes());
    }
    vault
}

fn set_cost(area: &mut [u8], generation: usize, cost: [u32; 3]) {
    for (field, value) in cost.into_iter().enumerate() {
        area[generation + 4 * field..][..4].copy_from_slice(&value.to_le_bytes());
    }
}

/// Opens a file with bounded memory and time, and says how it was refused.
fn refused(path: &Path, file: &[u8], credential: &Credential, what: &str) -> Error {
    std::fs::write(path, file).unwrap();
    let tries = (0..TRIES).map(|_| refused_once(path, credential, what));
    let (took, error) = tries.min_by_key(|(took, _)| *took).unwrap();
    eprintln!("{what}: {} in {took:?}", error.code());
    assert!(took < MOST_TIME, "{what}: {took:?}");
    assert!(std::fs::read(path).unwrap() == file, "{what}: something was written");
    error
}

fn refused_once(path: &Path, credential: &Credential, what: &str) -> (Duration, Error) {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let started = Instant::now();
    let locked = LockedVault::open(path, VaultOptions::default()).unwrap();
    let error = locked.unlock(credential).expect_err("the file is refused");
    let (took, peak) = (started.elapsed(), ALLOCATOR.peak_usage() - before);
    assert!(peak < MOST_BYTES, "{what}: {peak} bytes");
    (took, error)
}

/// Every extreme of every field, beside fields that would be accepted.
fn hostile_costs() -> Vec<[u32; 3]> {
    let mut costs = Vec::new();
    for memory in [0, 1, 7, 19 * 1024 - 1, (1 << 20) + 1, 1 << 30, u32::MAX] {
        costs.push([memory, 3, 4]);
    }
    for passes in [0, 1, 17, 1 << 16, u32::MAX] {
        costs.push([65536, passes, 4]);
    }
    for lanes in [0, 17, 1 << 24, u32::MAX] {
        costs.push([65536, 3, lanes]);
    }
    costs.extend([[0; 3], [u32::MAX; 3], [1 << 20, 16, 16], [u32::MAX, 0, 0], [8, u32::MAX, 1]]);
    costs
}

// One test, so that nothing else allocates while it measures.
#[test]
fn hostile_parameters_and_slots_are_refused_without_memory_or_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    let key = Credential::from(RawKey::from_bytes(&[1; 32]));
    drop(Vault::create(&path, &NewVault::individual(&key), VaultOptions::default()).unwrap());
    let vault = std::fs::read(&path).unwrap();
    let hostile = folder.path().join("hostile.vault");
    let password = Credential::password("a password of nobody").unwrap();

    let mut cases = 0;
    for cost in hostile_costs() {
        for areas in [&AREAS[..1], &AREAS[1..], &AREAS] {
            for generations in [&GENERATIONS[..1], &GENERATIONS[1..], &GENERATIONS] {
                let file = with_areas(&vault, areas, |area| {
                    generations.iter().for_each(|generation| set_cost(area, *generation, cost));
                });
                let what = format!("{cost:?} at {generations:?} of {areas:?}");
                let error = refused(&hostile, &file, &password, &what);
                let by_cost = matches!(
                    error,
                    Error::Kdf(KdfError::TooCostly { .. } | KdfError::TooWeak { .. } | KdfError::Invalid)
                );
                assert!(by_cost, "{what}: {error}");
                cases += 1;
            }
        }
    }

    // Each run alone would be accepted; together they would take hours.
    let many = with_areas(&vault, &AREAS[..1], |area| {
        set_cost(area, GENERATIONS[0], [1 << 20, 3, 4]);
        set_cost(area, GENERATIONS[1], [1 << 19, 4, 4]);
    });
    let error = refused(&hostile, &many, &password, "two runs that are accepted alone");
    assert!(matches!(error, Error::Kdf(KdfError::TooCostly { .. })), "{error}");

    // Slots that are damaged are tried like any others, and the costs beside them
    // do not concern a key that needs no run.
    for fill in [0, 0xff, 0x5a] {
        let file = with_areas(&vault, &AREAS, |area| {
            area[SLOTS..SLOTS + 16 * SLOT_LEN].fill(fill);
            GENERATIONS.iter().for_each(|generation| set_cost(area, *generation, [u32::MAX; 3]));
        });
        let error = refused(&hostile, &file, &key, &format!("slots of {fill:#x}, a key"));
        assert!(matches!(error, Error::WrongCredential), "{error}");
        let error = refused(&hostile, &file, &password, &format!("slots of {fill:#x}, a password"));
        assert!(matches!(error, Error::Kdf(KdfError::TooCostly { .. })), "{error}");
    }
    for part in [16, 120, 1240] {
        let file = with_areas(&vault, &AREAS, |area| area[SLOTS + part + 80] ^= 1);
        let error = refused(&hostile, &file, &key, &format!("own slot damaged at {part}"));
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }
    assert!(cases > 150);
}
