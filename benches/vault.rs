//! What the vault's own operations cost, for a quick look while working on them.
//! `benches/peers` measures the library beside others; nothing is measured twice.
//!
//! `cargo bench --bench vault`

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use subrosa::{
    Actor, Credential, Entry, Filter, Import, ImportOptions, Imported, Kind, Narrative, NewVault, Note,
    Policy, Provenance, RawKey, ReleaseRequest, Token, Vault, VaultOptions,
};

const SAMPLE: &[u8] = include_bytes!("../examples/sample/patient.json");

fn vault() -> Vault {
    let key: Credential = RawKey::from_bytes(&[7; 32]).into();
    Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default()).expect("a vault is made")
}

fn note() -> Entry {
    let mut record = Note::default();
    record.text = vec![Narrative::new("x".repeat(1024)).expect("the text is within the limit")];
    Entry::new(record, Provenance::default())
}

/// Listing 10 000 entries from their cards.
fn list(c: &mut Criterion) {
    let (vault, entries) = (vault(), vec![note(); 10_000]);
    vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).expect("the commit succeeds");
    c.bench_function("list 10 000 entries", |b| {
        b.iter(|| black_box(vault.list(&Filter::all()).expect("the vault lists")));
    });
}

fn imported() -> Imported {
    let mut import = Import::new(ImportOptions::default());
    import.read(None, SAMPLE).expect("the sample reads");
    import.finish().expect("the sample imports")
}

/// Reading the sample record and taking it into a vault.
fn import(c: &mut Criterion) {
    let take = |vault: Vault| {
        vault.import(&Actor::owner(), &imported()).expect("the sample is taken");
        vault
    };
    c.bench_function("import the sample record", |b| b.iter_batched(vault, take, BatchSize::PerIteration));
}

/// Releasing an excerpt, the line in the ledger included.
fn release(c: &mut Criterion) {
    let vault = vault();
    vault.import(&Actor::owner(), &imported()).expect("the sample is taken");
    let text = |text: &str| Token::new(text).expect("a short text");
    let policy = Policy::everything_of(Kind::all().iter().copied());
    let request = ReleaseRequest::new(text("x"), text("y"), policy);
    c.bench_function("release an excerpt of 12 entries", |b| {
        b.iter(|| vault.release(&Actor::owner(), &request).expect("the excerpt is released"));
    });
}

criterion_group!(benches, list, import, release);
criterion_main!(benches);
