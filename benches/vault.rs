//! What the vault's own operations cost, for a quick look while working on them.
//! `benches/peers` measures the library beside others; nothing is measured twice.
//!
//! `cargo bench --bench vault`

use std::hint::black_box;
use std::time::SystemTime;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use subrosa::interop::Imported;
use subrosa::record::{Narrative, Note, Observation, Quantity};
use subrosa::{
    Actor, Concept, Credential, Entry, Filter, Import, ImportOptions, Kind, NewVault, Policy, Provenance,
    RawKey, ReleaseRequest, Token, TrustedKeys, UnverifiedExcerpt, Vault, VaultOptions,
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
    let policy = Policy::everything_of(Kind::all().iter().copied());
    let request = ReleaseRequest::new("x", "y", policy).expect("texts of one line");
    c.bench_function("release an excerpt of 12 entries", |b| {
        b.iter(|| vault.release(&Actor::owner(), &request).expect("the excerpt is released"));
    });
}

/// An excerpt of this many results, each of which discloses some eight claims.
fn excerpt_of(results: usize) -> Vec<u8> {
    let text = |text: &str| Token::new(text).expect("a short text");
    let result = |number: usize| {
        let mut quantity = Quantity::default();
        quantity.value = Some(text(&number.to_string()));
        quantity.unit = Some(text("mg/dL"));
        let mut coding = subrosa::record::Coding::default();
        coding.system = Some(text("http://loinc.org"));
        coding.code = Some(text("2339-0"));
        let mut result = Observation::default();
        result.code = Some(Concept::from_coding(coding));
        result.quantity = Some(quantity);
        Entry::new(result, Provenance::default())
    };
    let results: Vec<Entry> = (0..results).map(result).collect();
    let key: Credential = RawKey::from_bytes(&[7; 32]).into();
    let mut new = NewVault::individual(&key);
    new.holder_name = "Ada Example";
    let vault = Vault::create_in_memory(&new, VaultOptions::default()).expect("a vault is made");
    vault.update(&Actor::owner(), |tx| tx.add_all(&results)).expect("the commit succeeds");
    let request =
        ReleaseRequest::new("x", "y", Policy::everything_of([Kind::Observation])).expect("texts of one line");
    let excerpt = vault.release(&Actor::owner(), &request).expect("the excerpt is released");
    excerpt.to_json().into_bytes()
}

/// Verifying an excerpt and putting every entry into words: the time of one claim is the
/// same however many there are.
fn verify(c: &mut Criterion) {
    let mut group = c.benchmark_group("verify and print, by claims");
    group.sample_size(10);
    for results in [1250, 2500, 5000, 10_000] {
        let file = excerpt_of(results);
        // In a token every disclosure ends so (RFC 9901 section 4).
        let claims = file.iter().filter(|byte| **byte == b'~').count() as u64 - results as u64;
        group.throughput(Throughput::Elements(claims));
        group.bench_with_input(BenchmarkId::from_parameter(claims), &file, |b, file| {
            b.iter(|| {
                let excerpt = UnverifiedExcerpt::parse(file).expect("it is an excerpt");
                let excerpt = excerpt.verify(&TrustedKeys::none(), SystemTime::now());
                let excerpt = excerpt.expect("it verifies");
                excerpt.entries().iter().map(|entry| entry.shown().to_string().len()).sum::<usize>()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, list, import, release, verify);
criterion_main!(benches);
