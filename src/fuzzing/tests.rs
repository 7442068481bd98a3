//! The committed corpora: every input keeps its target's promise in the ordinary
//! tests too, so that what once was found stays found.
//!
//! `SUBROSA_WRITE_SEEDS=FOLDER cargo test seeds` writes what the corpora grew
//! from: one input for each structure of the golden vault.

use std::ops::Add as _;
use std::path::{Path, PathBuf};

use super::forge::Forge;
use super::vault_file::{RAW_KEY, TEMPLATE};
use crate::crypto::random::Randomness;
use crate::crypto::signature::SigningKey;
use crate::format::area::AREA_LEN;
use crate::format::header::geometry;
use crate::*;

/// Bytes of all corpora together.
const MOST_BYTES: u64 = 600 * 1024;
const MOST_INPUTS: usize = 48;

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let inputs = std::fs::read_dir(&folder).expect("every target has a corpus");
    let inputs = inputs.map(|input| input.unwrap());
    // A run of the fuzzer leaves what it found beside them.
    let kept = inputs.filter(|input| input.file_name().to_string_lossy().starts_with("kept-"));
    kept.map(|input| input.path()).collect()
}

fn replay(name: &str, target: fn(&[u8])) {
    let inputs = corpus(name);
    assert!((5..=MOST_INPUTS).contains(&inputs.len()), "{name} has {} inputs", inputs.len());
    for input in inputs {
        let bytes = std::fs::read(&input).unwrap();
        if let Err(panic) = std::panic::catch_unwind(|| target(&bytes)) {
            eprintln!("input {}", input.display());
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn kept_headers_and_areas_are_parsed_or_refused() {
    replay("header_and_area", super::header_and_area);
}

#[test]
fn kept_roots_and_places_are_parsed_or_refused() {
    replay("root_and_place", super::root_and_place);
}

#[test]
fn kept_pages_are_parsed_or_refused() {
    replay("page", super::page);
}

#[test]
fn kept_wire_structs_are_parsed_or_refused() {
    replay("wire_structs", super::wire_structs);
}

#[test]
fn kept_fhir_documents_are_read_or_refused() {
    replay("fhir", super::fhir);
}

#[test]
fn kept_cda_documents_are_read_or_refused() {
    replay("cda", super::cda);
}

#[test]
fn kept_texts_are_read_or_refused() {
    replay("texts", super::texts);
}

#[test]
fn kept_excerpts_are_verified_or_refused() {
    replay("excerpt", super::excerpt);
}

#[test]
fn kept_changed_vaults_are_opened_or_refused() {
    replay("vault_file", super::vault_file);
}

#[test]
fn kept_sequences_on_failing_disks_lose_nothing() {
    replay("operations", super::operations);
}

#[test]
fn every_fuzz_target_has_a_small_corpus() {
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut bytes = 0;
    let mut count = 0;
    for target in std::fs::read_dir(targets).unwrap() {
        let name = target.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        bytes += corpus(&name).iter().map(|input| input.metadata().unwrap().len()).sum::<u64>();
        count += 1;
    }
    assert!(count == 10, "a new target needs a test here that replays its corpus");
    assert!(bytes < MOST_BYTES, "{bytes} bytes");
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let at = |offset: u64| usize::try_from(offset).unwrap();
    let mut seeds = vec![
        ("header_and_area", TEMPLATE[..4096].to_vec()),
        ("header_and_area", TEMPLATE[at(geometry::AREA_A)..][..AREA_LEN].to_vec()),
    ];
    seeds.extend(texts().into_iter().map(|text| ("texts", text.into_bytes())));
    let forge = Forge::new(TEMPLATE, &RawKey::from_bytes(&RAW_KEY).into());
    seeds.extend(forge.plaintexts());
    // Every kind of change of a file: at the beginning of something, and in its middle.
    for which in 0..12 {
        for compartment in [0, 1, 2, 3] {
            for (offset, rest) in [(0, [1, 4, 255, 255, 255, 255]), (41, [0, 3, 0, 0, 0, 0])] {
                let head = [which << 3 | compartment << 1, which, compartment, compartment, 0];
                let change = [&head[..], &[offset, 0, 0, 0], &rest].concat();
                seeds.push(("vault_file", change));
            }
        }
    }
    seeds.push(("vault_file", vec![126]));
    // Every operation after some entries, whole and with every fault.
    for which in (0..20).chain([240, 241, 242, 243]) {
        for fault in [7, 0, 1, 2, 3, 4] {
            let before = [0, 0, 0, 3, 7, 8, 0, 8, 100, 7, 0, 13, 0, 7, 0];
            let mut sequence = before.to_vec();
            sequence.extend([which, 1, fault]);
            if fault < 5 {
                sequence.extend([11 + which % 60 * 3, 0]);
            }
            sequence.extend([which, 0, 5, 7, 0, 16, 0, 7, 0]);
            seeds.push(("operations", sequence));
        }
    }
    seeds
}

fn texts() -> Vec<String> {
    let key = RecoveryKey::parse(&["abandon "; 23].concat().add("art")).unwrap();
    let mut texts = vec![
        key.to_words().expose_secret().to_owned(),
        key.to_groups().expose_secret().to_owned(),
        format!("12:{}", "0a".repeat(32)),
        "http://hl7.org/fhir/sid/icd-10-cm|F33*".to_owned(),
        "F33.1".to_owned(),
        "0a".repeat(16),
        "e\u{301}\u{1100}\u{1161} a sentence".to_owned(),
    ];
    for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519] {
        let key = SigningKey::generate(algorithm, &mut Randomness::seeded(3)).unwrap();
        texts.push(key.public_key().to_jwk());
    }
    texts
}

#[test]
fn seeds_are_taken_from_every_structure() {
    let seeds = seeds();
    let counts =
        ["header_and_area", "root_and_place", "page", "wire_structs", "texts", "vault_file", "operations"]
            .map(|target| seeds.iter().filter(|(name, _)| *name == target).count());
    assert!(counts.iter().all(|count| *count > 1), "{counts:?}");
    let Some(folder) = std::env::var_os("SUBROSA_WRITE_SEEDS") else { return };
    for (number, (target, seed)) in seeds.iter().enumerate() {
        let folder = Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("seed-{number:03}")), seed).unwrap();
    }
}
