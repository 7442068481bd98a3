//! An export takes memory for one entry at a time, and time by what it writes.

use std::io::Write;
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use subrosa::interop::ExportForm;
use subrosa::record::{Narrative, Value};
use subrosa::{
    Actor, Credential, Entry, Filter, Kind, NewVault, Provenance, RawKey, Record, Vault, VaultOptions,
};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

struct Counting(u64);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// How many bytes an export of so many notes has, beyond what memory it takes more than before,
/// and how long it takes.
fn measured(notes: usize, form: ExportForm) -> (u64, usize, Duration) {
    let folder = tempfile::tempdir().expect("a folder");
    let key = Credential::from(RawKey::from_bytes(&[7; 32]));
    let path = folder.path().join("my.vault");
    let vault = Vault::create(&path, &NewVault::individual(&key), VaultOptions::default()).expect("a vault");
    let note = |at: usize| {
        let text = Narrative::new(format!("{at} {}", "words ".repeat(2000))).expect("a text");
        let record = Record::from_fields(Kind::Note, [(10, 0, Value::Narrative(text))]).expect("a record");
        Entry::new(record, Provenance::default())
    };
    for start in (0..notes).step_by(500) {
        let entries: Vec<Entry> = (start..notes.min(start + 500)).map(note).collect();
        vault.update(&Actor::owner(), |tx| tx.add_all(&entries)).expect("they are added");
    }
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let (mut out, begun) = (Counting(0), Instant::now());
    let exported = vault.export_fhir(&Actor::owner(), &Filter::all(), form, &mut out).expect("it is written");
    let took = begun.elapsed();
    assert_eq!(exported.entries, notes);
    (out.0, MEMORY.peak_usage().saturating_sub(before), took)
}

#[test]
fn an_export_takes_no_memory_for_what_it_wrote_already() {
    for form in [ExportForm::Bundle, ExportForm::Ndjson] {
        let (_, _, few) = measured(250, form);
        let (bytes, memory, many) = measured(2000, form);
        assert!(bytes > 50 << 20, "{bytes}");
        assert!(memory < 16 << 20, "{memory}");
        // Eight times as much; twice that leaves room for a machine that does other things.
        assert!(many < few * 16 + Duration::from_secs(2), "{few:?} {many:?}");
    }
}
