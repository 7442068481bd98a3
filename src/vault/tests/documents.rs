//! A document comes back as it came while every entry is there that was made of it, and goes
//! with the first of them.

use super::disk::SimDisk;
use super::workload::{new_image, owner};
use crate::crypto::boxes::decrypt_unauthenticated;
use crate::format::context::{PURPOSE_AT, Purpose};
use crate::testing::{start_recording, take_recorded};
use crate::vault::SourceDocument;
use crate::*;

/// What stands between the records of the document, and tells of all of them.
const HEADING: &str = "Seen for asthma and for gout at Harbour Clinic";

fn document(lines: &[(&str, &str, u8)]) -> String {
    let line = |(id, text, year): &(&str, &str, u8)| {
        format!(
            r#"{{"resource":{{"resourceType":"Condition","id":"{id}","code":{{"text":"{text}"}},"meta":{{"lastUpdated":"20{year:02}-01-01T00:00:00Z"}}}}}}"#
        )
    };
    let lines = lines.iter().map(line).collect::<Vec<_>>().join(",\n");
    format!(
        r#"{{"resourceType":"Bundle","id":"letter","type":"collection","note":"{HEADING}","entry":[{lines}]}}"#
    )
}

const ASTHMA: &str = "9e3779b9-3c1d-4a7e-9b52-7f01c5a2d1e8";
const GOUT: &str = "5be0cd19-137e-4f83-a9ab-fb41bd6b1f2c";
const OTHER: &str = "1f83d9ab-fb41-4d6b-8f2c-9e3779b93c1d";

fn vault() -> (SimDisk, Vault) {
    let disk = SimDisk::new(new_image("password"));
    let vault = disk.unlock(&owner()).unwrap();
    (disk, vault)
}

fn me() -> Actor {
    Actor::owner()
}

/// An input whose documents are kept.
fn read(name: &str, text: &str) -> Imported {
    let mut import = Import::new(ImportOptions::default());
    import.read(Some(name), text.as_bytes()).unwrap();
    let mut imported = import.finish().unwrap();
    imported.documents.iter_mut().for_each(|document| document.is_kept = true);
    imported
}

fn take(vault: &Vault, text: &str) -> ImportReport {
    super::take_all(vault, &me(), &read("letter.json", text)).unwrap()
}

fn both() -> String {
    document(&[(ASTHMA, "asthma", 11), (GOUT, "gout", 11)])
}

fn only(vault: &Vault) -> SourceDocument {
    let documents = vault.source_documents().unwrap();
    assert_eq!(documents.len(), 1);
    assert_clean(vault);
    documents.into_iter().next().unwrap()
}

fn assert_clean(vault: &Vault) {
    let report = vault.check_deep().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
}

fn assert_none(vault: &Vault, id: crate::vault::DocumentId) {
    assert!(vault.source_documents().unwrap().is_empty());
    assert_eq!(vault.source_document(id).unwrap_err().code(), "no-such-document");
    let unlocked = vault.unlocked().unwrap();
    for compartment in Compartment::HOLDING_ENTRIES {
        assert!(unlocked.reader().documents_of(compartment).unwrap().is_empty());
    }
    assert_clean(vault);
}

#[test]
fn it_comes_back_byte_for_byte_and_once() {
    let (_, vault) = vault();
    let report = take(&vault, &both());
    let kept = only(&vault);
    assert_eq!((kept.name.as_deref(), kept.size), (Some("letter.json"), both().len() as u64));
    assert_eq!((kept.entries.len(), kept.imported), (2, report.number.unwrap()));
    assert!(*vault.source_document(kept.id).unwrap() == *both().as_bytes());
    let before = vault.epoch();
    assert_eq!(take(&vault, &both()).unchanged, 2);
    assert_eq!(vault.epoch(), before, "the same again writes nothing");

    // A later version of it takes its place, with what it says of records that stayed.
    let later = document(&[(ASTHMA, "asthma, mild", 12), (GOUT, "gout", 11), (OTHER, "migraine", 12)]);
    take(&vault, &later);
    let now = only(&vault);
    assert_eq!((now.id, now.entries.len()), (kept.id, 3));
    assert!(*vault.source_document(kept.id).unwrap() == *later.as_bytes());

    // What the owner corrects is an entry's next revision: the document stays as it came.
    let id = now.entries[0];
    let entry = vault.entry(id).unwrap();
    vault.update(&me(), |tx| tx.amend(id, &entry, "looked at it again")).unwrap();
    assert!(*vault.source_document(kept.id).unwrap() == *later.as_bytes());
    only(&vault);
}

#[test]
fn with_the_first_of_its_entries_it_is_destroyed() {
    let (disk, vault) = vault();
    start_recording();
    let report = take(&vault, &both());
    let boxes = take_recorded();
    let kept = only(&vault);
    let reads_heading = || {
        let image = disk.image();
        boxes.iter().filter(|one| one.context[PURPOSE_AT] == Purpose::Document as u8).any(|one| {
            let start = u64::from_le_bytes(*one.object.reference.first_chunk().unwrap());
            let (start, length) =
                (usize::try_from(start).unwrap(), usize::try_from(one.object.length).unwrap());
            let plain = decrypt_unauthenticated(&one.key, &image[start..start + length]);
            plain.windows(HEADING.len()).any(|window| window == HEADING.as_bytes())
        })
    };
    assert!(reads_heading());
    let erasure = vault.expunge(&me(), &[report.added[0]], "as asked").unwrap();
    assert_eq!(erasure.documents, 1);
    assert_none(&vault, kept.id);
    // The other record keeps its own part of it, and nobody reads the heading any more.
    assert!(vault.entry(report.added[1]).unwrap().source.is_some());
    assert!(!reads_heading());
    assert!(vault.expunge(&me(), &[report.added[1]], "as asked").unwrap().documents == 0);
}

#[test]
fn it_tells_of_records_that_another_document_brought_first() {
    let (_, vault) = vault();
    let first = take(&vault, &both());
    let other = document(&[(ASTHMA, "asthma", 11), (OTHER, "migraine", 11)]).replace("letter", "summary");
    super::take_all(&vault, &me(), &read("summary.json", &other)).unwrap();
    assert_eq!(vault.source_documents().unwrap().len(), 2);
    assert_clean(&vault);
    let asthma = vault.source_documents().unwrap().into_iter().find(|document| {
        let is_first = document.imported == first.number.unwrap();
        !is_first && document.entries.iter().any(|id| first.added.contains(id))
    });
    let shared = asthma.unwrap().entries.into_iter().find(|id| first.added.contains(id)).unwrap();
    let erasure = vault.expunge(&me(), &[shared], "as asked").unwrap();
    assert_eq!(erasure.documents, 2);
    assert!(vault.source_documents().unwrap().is_empty());
    assert_clean(&vault);
}

#[test]
fn a_move_an_undone_import_and_damage_take_it_along() {
    let (_, vault) = vault();
    let report = take(&vault, &both());
    let kept = only(&vault);
    vault.move_entries(&me(), &[report.added[0]], Compartment::Sealed, None).unwrap();
    assert_none(&vault, kept.id);

    let (_, vault) = self::vault();
    let first = take(&vault, &both());
    let later = take(&vault, &document(&[(ASTHMA, "asthma, mild", 12), (GOUT, "gout", 11)]));
    let kept = only(&vault);
    vault.undo_import(&me(), later.number.unwrap()).unwrap();
    assert_none(&vault, kept.id);
    vault.undo_import(&me(), first.number.unwrap()).unwrap();
    assert_none(&vault, kept.id);
}

#[test]
fn one_whose_entries_are_kept_apart_or_stay_away_is_not_kept() {
    let (_, vault) = vault();
    let first = take(&vault, &document(&[(ASTHMA, "asthma", 11)]));
    let kept = only(&vault);
    vault.move_entries(&me(), &first.added, Compartment::SubstanceUse, None).unwrap();
    take(&vault, &both());
    assert_none(&vault, kept.id);

    let (_, vault) = self::vault();
    let first = take(&vault, &both());
    let how = crate::vault::Expungement::new().staying_away();
    vault.expunge(&me(), &[first.added[0]], how).unwrap();
    let kept = first.number;
    take(&vault, &document(&[(ASTHMA, "asthma", 11), (GOUT, "gout", 11), (OTHER, "migraine", 12)]));
    assert!(vault.source_documents().unwrap().is_empty() && kept.is_some());
    assert_clean(&vault);
}
