//! The same entries for all: as a vault takes them, and as bytes for the others.

use subrosa::record::{Narrative, Note};
use subrosa::{Credential, Entry, NewVault, Provenance, RawKey, Vault, VaultOptions, measured};

pub fn credential() -> Credential {
    RawKey::from_bytes(&[7; 32]).into()
}

pub fn create(path: &std::path::Path) -> Vault {
    Vault::create(path, &NewVault::individual(&credential()), VaultOptions::default())
        .expect("a vault is made")
}

/// A note whose bytes, as they are encrypted, are exactly so many.
pub fn entry(bytes: usize, number: u64) -> Entry {
    let overhead = measured::encoded(&note(1, number)).len() - 1;
    note(bytes - overhead, number)
}

fn note(text: usize, number: u64) -> Entry {
    let mut letters = String::with_capacity(text + 16);
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while letters.len() < text {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters.extend(state.to_le_bytes().map(|byte| char::from(b'a' + byte % 26)));
    }
    letters.truncate(text);
    let mut record = Note::default();
    record.text = vec![Narrative::new(letters).expect("letters are a text")];
    Entry::new(record, Provenance::default())
}

pub fn entries(count: usize, bytes: usize) -> Vec<Entry> {
    (0..count as u64).map(|number| entry(bytes, number)).collect()
}

/// Fills a vault file; the ids come back in the order of the entries.
pub fn fill(vault: &Vault, entries: &[Entry]) -> Vec<subrosa::EntryId> {
    let mut ids = Vec::new();
    for part in entries.chunks(100_000) {
        ids.extend(
            vault.update(&subrosa::Actor::owner(), |tx| tx.add_all(part)).expect("the commit succeeds").value,
        );
    }
    ids
}
