//! Golden vaults of format 1, and vectors with one fault each: this library and
//! an independent reader in Python must find the same in them.
//!
//! The files are written by the test of the same name in `src/vault/tests` and,
//! for the expected contents, by this one, when SUBROSA_WRITE_GOLDEN=1.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use subrosa::record::{Attachment, Narrative, Note};
use subrosa::vault::{Compartment, NewAttachment, Recovery};
use subrosa::{
    Actor, Credential, Entry, EntryId, LockedVault, NewVault, Policy, Provenance, RawKey, RecoveryKey,
    ReleaseRequest, Vault, VaultOptions,
};

#[path = "golden/dump.rs"]
mod dump;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn golden(name: &str) -> PathBuf {
    project().join("tests/golden").join(name)
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

/// The vectors by name, in their order.
struct Vectors(Vec<Json>);

impl Vectors {
    fn read() -> Self {
        let text = std::fs::read_to_string(golden("vectors.json")).expect("the golden vectors are committed");
        let Ok(Json::Array(vectors)) = serde_json::from_str(&text) else { panic!("a list of vectors") };
        Self(vectors)
    }

    fn named(&self, name: &str) -> &Json {
        self.0.iter().find(|vector| vector["name"] == name).unwrap_or_else(|| panic!("no vector {name}"))
    }

    /// The file that a vector describes.
    fn file(&self, vector: &Json) -> Vec<u8> {
        let mut file = match vector["on"].as_str() {
            Some(other) => self.file(self.named(other)),
            None => std::fs::read(golden(vector["file"].as_str().unwrap())).unwrap(),
        };
        if let Some(length) = vector["truncate"].as_u64() {
            file.truncate(usize::try_from(length).unwrap());
        }
        for patch in vector["patches"].as_array().unwrap() {
            let fresh = bytes(patch["bytes"].as_str().unwrap());
            for offset in patch["offsets"].as_array().unwrap() {
                let offset = usize::try_from(offset.as_u64().unwrap()).unwrap();
                file.resize(file.len().max(offset + fresh.len()), 0);
                file[offset..offset + fresh.len()].copy_from_slice(&fresh);
            }
        }
        file
    }
}

/// The credential of a vector that opens something.
fn credential(vector: &Json) -> Credential {
    given_credential(vector).expect("a credential")
}

/// The credential of a vector; none where the text is no recovery key.
fn given_credential(vector: &Json) -> Option<Credential> {
    let given = vector["credential"].as_object().unwrap();
    let (sort, secret) = given.iter().next().unwrap();
    let secret = secret.as_str().unwrap();
    Some(match sort.as_str() {
        "password" => Credential::password(secret).unwrap(),
        "recovery-key" => RecoveryKey::parse(secret).ok()?.into(),
        _ => RawKey::from_bytes(&bytes(secret).try_into().unwrap()).into(),
    })
}

/// What this library makes of a file: the outcome, and what it read.
fn outcome(file: &[u8], credential: &Credential) -> (String, Option<Json>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    std::fs::write(&path, file).unwrap();
    let opened =
        LockedVault::open(&path, VaultOptions::default()).and_then(|locked| locked.unlock(credential));
    let vault = match opened {
        Ok(vault) => vault,
        Err(error) => {
            assert!(std::fs::read(&path).unwrap() == file, "an opening that is refused writes nothing");
            return (error.code().to_owned(), None);
        }
    };
    match read_all(&vault) {
        Ok(content) => {
            let outcome = match vault.recovery() {
                Recovery::NotNeeded => "ok",
                Recovery::Recovered => "repaired",
                Recovery::Dropped { .. } => "dropped",
                other => panic!("{other:?} is no outcome of a vector"),
            };
            (outcome.to_owned(), Some(content))
        }
        Err(code) => (code, None),
    }
}

/// Everything that a vault holds, once every byte in reach was checked.
fn read_all(vault: &Vault) -> Result<Json, String> {
    let content = dump::vault(vault).map_err(|error| error.code().to_owned())?;
    let report = vault.check().map_err(|error| error.code().to_owned())?;
    if report.is_clean() { Ok(content) } else { Err("damaged".to_owned()) }
}

fn expected(name: &str) -> Json {
    let text = std::fs::read_to_string(golden(name)).unwrap_or_else(|_| panic!("{name} is committed"));
    serde_json::from_str(&text).unwrap()
}

/// What a reader finds in a vector that it should not, if anything.
fn mistake(vector: &Json, outcome: &str, content: Option<&Json>) -> Option<String> {
    let (name, expect, why) = (&vector["name"], vector["expect"].as_str().unwrap(), &vector["why"]);
    if outcome != expect {
        return Some(format!("{name}: {outcome} and not {expect}: {why}"));
    }
    let file = vector["content"].as_str()?;
    (content != Some(&expected(file))).then(|| format!("{name}: other content than {file}"))
}

fn assert_no_mistake(reader: &str, mistakes: &[String]) {
    assert!(mistakes.is_empty(), "{reader}:\n{}", mistakes.join("\n"));
}

/// Whether the expected contents are to be written, and so not to be compared yet.
fn is_writing() -> bool {
    std::env::var_os("SUBROSA_WRITE_GOLDEN").is_some()
}

fn write_expected(vectors: &Vectors) {
    let mut written = Vec::new();
    for vector in &vectors.0 {
        let Some(name) = vector["content"].as_str().filter(|name| !written.contains(name)) else { continue };
        let (_, content) = outcome(&vectors.file(vector), &credential(vector));
        let text = serde_json::to_string_pretty(&content.expect("the vector opens")).unwrap();
        std::fs::write(golden(name), text + "\n").unwrap();
        written.push(name);
    }
}

#[test]
fn the_library_finds_in_every_vector_what_it_should() {
    let vectors = Vectors::read();
    if is_writing() {
        write_expected(&vectors);
    }
    let found = vectors.0.iter().map(|vector| match given_credential(vector) {
        Some(credential) => (vector, outcome(&vectors.file(vector), &credential)),
        None => (vector, ("wrong-credential".to_owned(), None)),
    });
    let mistakes = found.filter_map(|(vector, (outcome, found))| mistake(vector, &outcome, found.as_ref()));
    assert_no_mistake("library", &mistakes.collect::<Vec<_>>());
    let refused = vectors.0.iter().filter(|vector| vector["content"].is_null()).count();
    assert!(refused >= 100, "{refused} of {} vectors are faults", vectors.0.len());
}

#[test]
fn an_interrupted_vault_is_repaired_once() {
    let vectors = Vectors::read();
    for vector in
        vectors.0.iter().filter(|vector| vector["expect"] == "repaired" || vector["expect"] == "dropped")
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        std::fs::write(&path, vectors.file(vector)).unwrap();
        let open = || LockedVault::open(&path, VaultOptions::default()).unwrap();
        let reader = open().unlock_read_only(&credential(vector)).unwrap();
        assert_eq!(reader.recovery(), Recovery::Needed, "{}", vector["name"]);
        drop(reader);
        let recovery = || open().unlock(&credential(vector)).unwrap().recovery();
        match recovery() {
            Recovery::Recovered => assert_eq!(vector["expect"], "repaired"),
            Recovery::Dropped { .. } => assert_eq!(vector["expect"], "dropped"),
            other => panic!("{}: {other:?}", vector["name"]),
        }
        assert_eq!(recovery(), Recovery::NotNeeded, "{}", vector["name"]);
    }
}

/// A Python that has the reader's packages.
fn python() -> Option<String> {
    let named = std::env::var("SUBROSA_PYTHON").ok();
    let local = project().join("target/reader/bin/python").display().to_string();
    let candidates = named.into_iter().chain([local, "python3".to_owned()]);
    let has_packages = |python: &String| {
        let program = "import argon2, blake3, mnemonic, cryptography.hazmat.primitives.asymmetric.mlkem";
        Command::new(python).args(["-c", program]).output().is_ok_and(|output| output.status.success())
    };
    let found = candidates.into_iter().find(has_packages);
    if found.is_none() {
        assert!(std::env::var_os("SUBROSA_REQUIRE_PYTHON").is_none(), "the independent reader is required");
        eprintln!("SKIPPED: no python3 with tests/reader/requirements.txt; set SUBROSA_PYTHON to one");
    }
    found
}

#[test]
fn the_independent_reader_finds_the_same() {
    if is_writing() {
        eprintln!("SKIPPED: run again without SUBROSA_WRITE_GOLDEN to compare");
        return;
    }
    let Some(python) = python() else { return };
    let run = Command::new(python)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(project().join("tests/reader/run_vectors.py"))
        .arg(golden(""))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let found: HashMap<String, Json> = serde_json::from_slice(&run.stdout).unwrap();
    let vectors = Vectors::read();
    assert_eq!(found.len(), vectors.0.len());
    let mistakes = vectors.0.iter().filter_map(|vector| {
        let found = &found[vector["name"].as_str().unwrap()];
        let content = Some(&found["content"]).filter(|content| !content.is_null());
        let rule = found["rule"].as_str().unwrap_or_default();
        let mistake = mistake(vector, found["outcome"].as_str().unwrap(), content);
        mistake.map(|mistake| format!("{mistake} ({rule})"))
    });
    assert_no_mistake("reader", &mistakes.collect::<Vec<_>>());
}

#[test]
fn the_independent_reader_gives_the_same_answers_to_every_rule() {
    if is_writing() {
        eprintln!("SKIPPED: run again without SUBROSA_WRITE_GOLDEN to compare");
        return;
    }
    let Some(python) = python() else { return };
    let run = Command::new(python)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(project().join("tests/reader/run_values.py"))
        .arg(golden(""))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let found: Vec<Json> = serde_json::from_slice(&run.stdout).unwrap();
    let values: Vec<Json> =
        serde_json::from_str(&std::fs::read_to_string(golden("values.json")).unwrap()).unwrap();
    assert_eq!(found.len(), values.len());
    for (found, value) in found.iter().zip(&values) {
        assert_eq!(*found, value["out"], "{} of {}", value["rule"], value["in"]);
    }
}

#[test]
fn the_independent_readers_program_answers_with_its_exit_codes() {
    let Some(python) = python() else { return };
    let vectors = Vectors::read();
    let codes = json!({
        "raw key": 0, "another raw key": 3, "both roots damaged": 4, "format version 2": 6,
        "magic flipped": 7, "KDF passes 2^32 - 1": 8,
    });
    for (name, code) in codes.as_object().unwrap() {
        let vector = vectors.named(name);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vault");
        std::fs::write(&path, vectors.file(vector)).unwrap();
        let (sort, secret) = vector["credential"].as_object().unwrap().iter().next().unwrap();
        let run = Command::new(&python)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("VAULT_CREDENTIAL", secret.as_str().unwrap())
            .arg(project().join("tests/reader/subrosa_reader.py"))
            .arg(&path)
            .args([format!("--{sort}"), "--credential-variable".into(), "VAULT_CREDENTIAL".into()])
            .output()
            .unwrap();
        assert_eq!(run.status.code(), code.as_i64().map(|code| i32::try_from(code).unwrap()), "{name}");
    }
}

const FROZEN_PASSWORD: &str = "Grüße aus der Rosenstraße 7";
const FROZEN_WORDS: &str = "doctor anxiety move mass federal casual cancel citizen ensure give fatal pact agree powder essence \
                            melt film river bind regret remind concert just welcome";
const FROZEN_KEY: &[u8; 32] = b"a raw key of the golden vault 01";

/// The credentials of a frozen vault.
fn frozen_credentials() -> [Credential; 3] {
    [
        Credential::password(FROZEN_PASSWORD).unwrap(),
        RecoveryKey::parse(FROZEN_WORDS).unwrap().into(),
        RawKey::from_bytes(FROZEN_KEY).into(),
    ]
}

/// A frozen file, which is the one that was frozen.
fn frozen(name: &str, sha256: &str) -> Vec<u8> {
    let bytes = std::fs::read(golden("frozen").join(name)).expect("format 1 is frozen");
    let digest = Sha256::digest(&bytes);
    let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, sha256, "{name} is frozen and was changed");
    bytes
}

fn frozen_vault() -> Vec<u8> {
    frozen("format-1.vault", "be39b1de151407c8bf8140c50623009c2f46d681d5ec4b2b90b1a88f3be428e0")
}

fn frozen_transcript() -> Json {
    let text = frozen("format-1.json", "cc1380d5a7557fb481db33be8656c7b71c417b5be7689e6e0833eb6387be1f68");
    serde_json::from_slice(&text).unwrap()
}

/// Writes what a new frozen vault holds, once.
#[test]
#[ignore = "writes what a frozen vault holds, once per format"]
fn freeze_what_the_vault_holds() {
    assert!(std::env::var_os("SUBROSA_FREEZE").is_some(), "set SUBROSA_FREEZE=1 to freeze this format");
    let transcript = golden("frozen/format-1.json");
    assert!(!transcript.exists(), "this format is frozen");
    let (_, content) = outcome(&frozen_vault(), &frozen_credentials()[2]);
    std::fs::write(&transcript, serde_json::to_string_pretty(&content.unwrap()).unwrap() + "\n").unwrap();
}

#[test]
fn a_frozen_vault_opens_with_every_credential_and_holds_what_it_held() {
    let (vault, transcript) = (frozen_vault(), frozen_transcript());
    for credential in frozen_credentials() {
        let (outcome, content) = outcome(&vault, &credential);
        assert_eq!(outcome, "ok");
        assert!(content.as_ref() == Some(&transcript), "a frozen vault reads as it did");
    }
}

#[test]
fn the_independent_reader_finds_the_same_in_a_frozen_vault() {
    let (vault, transcript) = (frozen_vault(), frozen_transcript());
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    std::fs::write(&path, vault).unwrap();
    for (sort, secret) in [
        ("password", FROZEN_PASSWORD.to_owned()),
        ("recovery-key", FROZEN_WORDS.to_owned()),
        ("raw-key-hex", FROZEN_KEY.iter().map(|byte| format!("{byte:02x}")).collect()),
    ] {
        let run = Command::new(&python)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("VAULT_CREDENTIAL", secret)
            .arg(project().join("tests/reader/subrosa_reader.py"))
            .arg(&path)
            .args([format!("--{sort}"), "--credential-variable".into(), "VAULT_CREDENTIAL".into()])
            .output()
            .unwrap();
        assert!(run.status.success(), "{sort}: {}", String::from_utf8_lossy(&run.stderr));
        let mut found: Json = serde_json::from_slice(&run.stdout).unwrap();
        for told in ["needs_recovery", "dropped"] {
            assert_eq!(found.as_object_mut().unwrap().shift_remove(told), Some(json!(false)));
        }
        assert!(found == transcript, "{sort}: the reader finds something else than was frozen");
    }
}

#[test]
fn the_independent_reader_streams_an_attachment_of_several_slices() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    let key = RawKey::from_bytes(&[7; 32]).into();
    let vault = Vault::create(&path, &NewVault::individual(&key), VaultOptions::default()).unwrap();
    let bytes: Vec<u8> = (0..2_200_000u32).map(|n| (n % 251).to_le_bytes()[0]).collect();
    let mut id = None;
    for length in [bytes.len(), 0, 1_048_568] {
        let new = NewAttachment::new(Attachment::default());
        let added = vault.attach(&Actor::owner(), &new, &mut &bytes[..length]).unwrap();
        id.get_or_insert(added.value);
    }
    let digest = vault.attachment(id.unwrap(), 0).unwrap().content_digest();
    let content = dump::vault(&vault).unwrap();
    vault.lock().unwrap();
    let read = |more: &[String]| {
        let run = Command::new(&python)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("VAULT_CREDENTIAL", "07".repeat(32))
            .arg(project().join("tests/reader/subrosa_reader.py"))
            .arg(&path)
            .args(["--raw-key-hex", "--credential-variable", "VAULT_CREDENTIAL"])
            .args(more)
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    };
    let found: Json = serde_json::from_slice(&read(&[])).unwrap();
    assert!(found["entries"] == content["entries"]);
    assert!(read(&["--attachment".into(), digest.to_string()]) == bytes);
}

#[test]
fn the_independent_reader_tells_of_what_was_moved_what_the_library_tells() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vault");
    let key = RawKey::from_bytes(&[7; 32]).into();
    let new = NewVault::individual(&key).named("Rosalind Thornbury");
    let vault = Vault::create(&path, &new, VaultOptions::default()).unwrap();
    let owner = Actor::owner();
    let (general, sealed, substances) =
        (Compartment::General, Compartment::Sealed, Compartment::SubstanceUse);
    let note = |text: &str| {
        let mut note = Note::default();
        note.text = vec![Narrative::new(text).unwrap()];
        Entry::new(note, Provenance::default())
    };
    let add = |to, text: &str| vault.update(&owner, |tx| tx.add_in(to, &note(text))).unwrap().value;
    let release = |ids: &[EntryId]| {
        let policy = Policy::only(ids.iter().copied());
        vault.release(&owner, &ReleaseRequest::new("Dr. Lind", "an opinion", policy).unwrap()).unwrap();
    };
    let to = |id, to| vault.move_entries(&owner, &[id], to, Some("an order")).unwrap().moved[0].to;
    // Exported and released where it was first; hidden from an export of where it comes to last.
    let (one, other, hidden) = (add(general, "one"), add(general, "other"), add(sealed, "hidden"));
    let stays = add(substances, "stays");
    vault.update(&owner, |tx| tx.amend(one, &note("one, amended"), "better")).unwrap();
    vault.update(&owner, |tx| tx.amend(one, &note("one, amended again"), "")).unwrap();
    vault.export(&owner).unwrap();
    release(&[one, other, stays]);
    let hidden = to(hidden, substances);
    let one = to(one, sealed);
    vault.export(&owner).unwrap();
    let one = to(to(one, general), substances);
    vault.export(&owner).unwrap();
    release(&[one, hidden]);
    to(other, sealed);
    vault
        .update(&owner, |tx| {
            let back = tx.move_to(one, general, None)?;
            tx.amend(back, &note("one, at home"), "")
        })
        .unwrap();
    let content = dump::vault(&vault).unwrap();
    assert!(vault.check().unwrap().is_clean());
    vault.lock().unwrap();
    let run = Command::new(&python)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("VAULT_CREDENTIAL", "07".repeat(32))
        .arg(project().join("tests/reader/subrosa_reader.py"))
        .arg(&path)
        .args(["--raw-key-hex", "--credential-variable", "VAULT_CREDENTIAL"])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let found: Json = serde_json::from_slice(&run.stdout).unwrap();
    assert!(found["entries"] == content["entries"]);
    let (found, known) = (found["ledger"].as_array().unwrap(), content["ledger"].as_array().unwrap());
    for (found, known) in found.iter().zip(known) {
        assert_eq!(found, known);
    }
    assert_eq!(found.len(), known.len());
}
