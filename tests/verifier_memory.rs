//! Verifying an excerpt and printing it takes memory in proportion to the excerpt, and
//! less than four times as much.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::time::SystemTime;

use peak_alloc::PeakAlloc;
use subrosa::record::{Observation, Quantity};
use subrosa::{
    Actor, Concept, Entry, Kind, NewVault, Policy, Provenance, RawKey, ReleaseRequest, Token, TrustedKeys,
    UnverifiedExcerpt, Vault, VaultOptions,
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The file of an excerpt with this many results.
fn excerpt(entries: usize) -> Vec<u8> {
    let token = |text: &str| Token::new(text).unwrap();
    let key = RawKey::from_bytes(&[1; 32]).into();
    let mut new = NewVault::individual(&key);
    new.holder_name = "Ada Example";
    let vault = Vault::create_in_memory(&new, VaultOptions::default()).unwrap();
    let result = |number: usize| {
        let mut quantity = Quantity::default();
        quantity.value = Some(token(&number.to_string()));
        quantity.unit = Some(token("mg/dL"));
        let mut coding = subrosa::record::Coding::default();
        coding.system = Some(token("http://loinc.org"));
        coding.code = Some(token("2339-0"));
        coding.display = Some(token("Glucose [Mass/volume] in Blood"));
        let mut result = Observation::default();
        result.code = Some(Concept::from_coding(coding));
        result.quantity = Some(quantity);
        result.start = Some("2024-05-03T10:15:00+02:00".parse().unwrap());
        result.status = Some(token("final"));
        Entry::new(result, Provenance::default())
    };
    let results: Vec<Entry> = (0..entries).map(result).collect();
    vault.update(&Actor::owner(), |tx| tx.add_all(&results)).unwrap();
    let request = ReleaseRequest::new("x", "y", Policy::everything_of([Kind::Observation])).unwrap();
    vault.release(&Actor::owner(), &request).unwrap().to_json().into_bytes()
}

/// The most that verifying and printing take, the file itself included, in parts of it.
fn most(file: &[u8]) -> f64 {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let verified =
        UnverifiedExcerpt::parse(file).unwrap().verify(&TrustedKeys::none(), SystemTime::now()).unwrap();
    let mut out = std::io::sink();
    for entry in verified.entries() {
        writeln!(out, "{} {}", entry.shown(), entry.fields_json()).unwrap();
    }
    let taken = MEMORY.peak_usage() - before;
    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    let parts = taken as f64 / file.len() as f64;
    1.0 + parts
}

#[test]
fn verifying_and_printing_take_less_than_four_times_the_excerpt() {
    let parts: Vec<(usize, f64)> = [250, 500, 1000, 2000]
        .into_iter()
        .map(|entries| {
            let file = excerpt(entries);
            (file.len(), most(&file))
        })
        .collect();
    eprintln!("{parts:?}");
    assert!(parts.iter().all(|(_, most)| *most < 4.0), "{parts:?}");
    // In proportion: twice the excerpt takes no more of its size.
    let (first, last) = (parts.first().unwrap().1, parts.last().unwrap().1);
    assert!(last < first * 1.25, "{parts:?}");
}
