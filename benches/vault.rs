//! What the vault costs beside the bare operations that it cannot do without,
//! measured in the same run: an append with fdatasync, AES-256-GCM with SHA-256.
//!
//! `cargo bench --bench vault`

use std::fs::OpenOptions;
use std::hint::black_box;
use std::os::unix::fs::FileExt as _;
use std::time::SystemTime;

use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sha2::{Digest as _, Sha256};
use subrosa::{
    Actor, Credential, Entry, Expunged, Filter, Import, ImportOptions, Kind, LockedVault, Narrative,
    NewVault, Note, Policy, Provenance, RawKey, ReleaseRequest, Token, TrustedKeys, UnverifiedExcerpt, Vault,
    VaultOptions,
};

const SAMPLE: &[u8] = include_bytes!("../examples/sample/patient.json");

fn key() -> Credential {
    RawKey::from_bytes(&[7; 32]).into()
}

fn note(length: usize) -> Entry {
    let text = Narrative::new("x".repeat(length)).expect("the text is within the limit");
    let mut record = Note::default();
    record.text = vec![text];
    Entry::new(record, Provenance::default())
}

/// One durable commit of a 1 KiB entry, beside an append of as many bytes with
/// one fdatasync in a file of the same length.
fn durable_commit(c: &mut Criterion) {
    let mut group = c.benchmark_group("durable commit of 1 KiB");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let vault =
        Vault::create(folder.path().join("a"), &NewVault::individual(&key()), VaultOptions::default())
            .expect("a vault can be made");
    let (entry, owner) = (note(1024), Actor::owner());
    group.bench_function("vault", |b| {
        b.iter(|| vault.update(&owner, |tx| tx.add(&entry)).expect("the commit succeeds"));
    });
    let file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .open(folder.path().join("b"))
        .expect("a file can be made");
    file.write_all_at(&vec![0; 64 << 20], 0).expect("the file can be filled");
    file.sync_all().expect("the file can be made durable");
    let mut offset = 0;
    group.bench_function("bare append and fdatasync", |b| {
        b.iter(|| {
            file.write_all_at(&[1; 1024], offset % (63 << 20)).expect("the write succeeds");
            file.sync_data().expect("the write becomes durable");
            offset += 1024;
        });
    });
    group.finish();
}

/// 10 000 entries of 1 KiB in one commit in memory, beside encrypting and
/// hashing the same bytes under fresh keys.
fn bulk(c: &mut Criterion) {
    const COUNT: usize = 10_000;
    let mut group = c.benchmark_group("10 000 entries of 1 KiB");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(COUNT as u64 * 1024));
    let (entry, owner) = (note(1024), Actor::owner());
    let new_vault = || {
        Vault::create_in_memory(&NewVault::individual(&key()), VaultOptions::default())
            .expect("a vault is made")
    };
    let fill = |vault: &Vault| {
        let all = |tx: &mut subrosa::Transaction<'_>| (0..COUNT).try_for_each(|_| tx.add(&entry).map(|_| ()));
        vault.update(&owner, all).expect("the commit succeeds");
    };
    group.bench_function("vault: add", |b| {
        b.iter_batched(new_vault, |vault| fill(&vault), BatchSize::PerIteration)
    });
    let vault = new_vault();
    fill(&vault);
    group.bench_function("vault: read all", |b| {
        b.iter(|| {
            for listed in vault.list(&Filter::all()).expect("the vault lists") {
                black_box(vault.entry(listed.id).expect("the entry opens"));
            }
        });
    });
    let plain = vec![5; 1200];
    group.bench_function("bare AES-256-GCM with fresh keys and SHA-256", |b| {
        b.iter(|| {
            for n in 0..COUNT {
                let mut key = [0; 32];
                key.iter_mut().zip(n.to_le_bytes()).for_each(|(to, from)| *to = from);
                let sealed = Aes256Gcm::new(&key.into())
                    .encrypt(&Nonce::from([0; 12]), plain.as_slice())
                    .expect("a short text encrypts");
                black_box(Sha256::digest(&sealed));
            }
        });
    });
    group.finish();
}

/// Opening with a raw key and reading one entry: what remains of an opening
/// beside its password work.
fn open(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("a");
    let vault = Vault::create(&path, &NewVault::individual(&key()), VaultOptions::default())
        .expect("a vault is made");
    let id = vault.update(&Actor::owner(), |tx| tx.add(&note(1024))).expect("the commit succeeds").value;
    drop(vault);
    c.bench_function("open with a raw key and read one entry", |b| {
        b.iter(|| {
            let locked = LockedVault::open(&path, VaultOptions::default()).expect("the file opens");
            let vault = locked.unlock_read_only(&key()).expect("the key is right");
            black_box(vault.entry(id).expect("the entry opens"));
        });
    });
}

/// Issuing and verifying an excerpt of the sample record.
fn excerpt(c: &mut Criterion) {
    let vault =
        Vault::create_in_memory(&NewVault::individual(&key()), VaultOptions::default()).expect("a vault");
    let mut import = Import::new(ImportOptions::default());
    import.read(None, SAMPLE).expect("the sample reads");
    let imported = import.finish().expect("the sample imports");
    vault.import(&Actor::owner(), &imported, Expunged::StayAway, |_, _| {}).expect("the sample is taken");
    let text = |text: &str| Token::new(text).expect("a short text");
    let policy = Policy::everything_of(Kind::all().iter().copied());
    let request = ReleaseRequest::new(text("x"), text("y"), policy);
    c.bench_function("release an excerpt of 12 entries", |b| {
        b.iter(|| vault.release(&Actor::owner(), &request).expect("the excerpt is released"));
    });
    let file = vault.release(&Actor::owner(), &request).expect("the excerpt is released").to_json();
    c.bench_function("verify an excerpt of 12 entries", |b| {
        b.iter(|| {
            let unverified = UnverifiedExcerpt::parse(file.as_bytes()).expect("the file parses");
            unverified.verify(&TrustedKeys::none(), SystemTime::now()).expect("the excerpt verifies")
        });
    });
}

criterion_group!(benches, durable_commit, bulk, open, excerpt);
criterion_main!(benches);
