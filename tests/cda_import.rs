//! C-CDA in: real documents come in once and whole, another person's are asked about, bad
//! ones do no harm.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic and print")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use subrosa::interop::{
    ExportForm, FindingReason, ForeignFormat, ImportError, ImportQuestion, Imported, XmlFault,
};
use subrosa::vault::{ChangedSource, ImportDecisions, SourceDocument};
use subrosa::{
    Actor, Credential, Entry, Filter, Import, ImportOptions, Kind, NewVault, RawKey, Vault, VaultOptions,
};

const SAMPLE: &str = include_str!("../examples/sample/summary.xml");
const FHIR_SAMPLE: &str = include_str!("../examples/sample/patient.json");

fn documents(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    let Ok(files) = fs::read_dir(&folder) else {
        println!("NOT RUN: there are no documents in {}", folder.display());
        return Vec::new();
    };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn import(texts: &[&[u8]]) -> Result<Imported, ImportError> {
    let mut import = Import::new(ImportOptions::default());
    for text in texts {
        import.read(Some("input"), *text)?;
    }
    import.finish()
}

fn sample() -> Imported {
    import(&[SAMPLE.as_bytes()]).unwrap()
}

fn vault() -> Vault {
    let key = Credential::from(RawKey::from_bytes(&[7; 32]));
    Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default()).unwrap()
}

#[test]
fn a_document_comes_in_once() {
    let vault = vault();
    let owner = Actor::owner();
    let imported = sample();
    let report = vault.import(&owner, &imported).unwrap();
    assert_eq!(report.added.len() + report.kept_raw.len(), imported.entries.len());
    let again = vault.import(&owner, &sample()).unwrap();
    assert_eq!(again.unchanged, imported.entries.len());
    assert!(again.added.is_empty() && again.amended.is_empty() && again.kept_raw.is_empty());
    for id in report.added {
        let entry = vault.entry(id).unwrap();
        let found = imported.entries.iter().find(|found| found.entry.source == entry.source);
        assert!(found.is_some_and(|found| found.entry.record == entry.record), "{:?}", entry.display());
    }
    assert!(vault.check().unwrap().is_clean());
}

#[test]
fn a_corrected_document_amends_what_it_corrects() {
    let vault = vault();
    let owner = Actor::owner();
    let series = |version: &str, when: &str, weight: &str| {
        let set =
            format!("<setId root=\"2.999.7.1\" extension=\"series\"/><versionNumber value=\"{version}\"/>");
        let text = SAMPLE
            .replace("<languageCode code=\"en-US\"/>", &format!("<languageCode code=\"en-US\"/>{set}"))
            .replacen("20240521093000", when, 1)
            .replace("64.0", weight);
        import(&[text.as_bytes()]).unwrap()
    };
    vault.import(&owner, &series("1", "20240521093000", "64.0")).unwrap();
    let second = series("2", "20240522093000", "46.0");
    let asked = vault.import(&owner, &second).unwrap_err();
    assert!(matches!(asked, subrosa::Error::ImportAsks { .. }), "it would change what is known");
    let mut decisions = ImportDecisions::default();
    decisions.changed_source = Some(ChangedSource::Accept);
    let report = vault.import_with(&owner, &second, &decisions, |_, _| {}).unwrap();
    let amended: Vec<Kind> = report.amended.iter().map(|id| vault.entry(*id).unwrap().kind()).collect();
    assert_eq!(amended, [Kind::Note, Kind::Observation], "the document itself, and the weight");
    assert!(report.added.is_empty() && report.kept_raw.is_empty());
    let older = vault.import(&owner, &series("1", "20240521093000", "64.0")).unwrap();
    assert!(older.amended.is_empty() && older.added.is_empty());
}

#[test]
fn a_document_and_a_bundle_of_one_person_go_together_and_of_two_do_not() {
    let owner = Actor::owner();
    let vault = vault();
    vault.import(&owner, &import(&[FHIR_SAMPLE.as_bytes()]).unwrap()).unwrap();
    vault.import(&owner, &sample()).unwrap();
    let other = SAMPLE.replace("Wren", "Robin").replace("19871103", "19790101");
    let asked = vault.import(&owner, &import(&[other.as_bytes()]).unwrap()).unwrap_err();
    match asked {
        subrosa::Error::ImportAsks { questions } => {
            assert!(matches!(questions.first(), Some(ImportQuestion::Patient { .. })));
        }
        other => panic!("{other:?}"),
    }
    let both = import(&[FHIR_SAMPLE.as_bytes(), SAMPLE.as_bytes()]).unwrap();
    assert_eq!(both.left_out.total(), 0);
    let refused = import(&[FHIR_SAMPLE.as_bytes(), other.as_bytes()]).unwrap_err();
    assert!(matches!(refused, ImportError::SeveralPatients { patients } if patients.len() == 2));
}

#[test]
fn a_document_about_two_people_is_taken_for_neither() {
    let target = SAMPLE.split("<recordTarget>").nth(1).unwrap().split("</recordTarget>").next().unwrap();
    let second = target.replace("Wren", "Robin").replace("19871103", "19790101").replace("20871", "20872");
    let text =
        SAMPLE.replacen("<recordTarget>", &format!("<recordTarget>{second}</recordTarget><recordTarget>"), 1);
    let Err(ImportError::SeveralPatients { patients }) = import(&[text.as_bytes()]) else { panic!() };
    let chosen = patients.iter().next().unwrap().to_owned();
    let mut import = Import::new(ImportOptions::for_patient(chosen));
    import.read(None, text.as_bytes()).unwrap();
    let imported = import.finish().unwrap();
    let kinds: Vec<Kind> = imported.entries.iter().map(|entry| entry.entry.kind()).collect();
    assert_eq!(kinds, [Kind::Patient]);
    assert!(imported.findings.iter().any(|finding| finding.reason == FindingReason::SeveralSubjects));
}

#[test]
fn real_documents_come_in_whole_and_once() {
    for path in documents("ccda") {
        let text = fs::read(&path).unwrap();
        let imported = import(&[&text]).unwrap();
        assert_eq!(imported.left_out.total(), 0, "{path:?}");
        assert_eq!(imported.resources, imported.entries.len() + imported.repetitions, "{path:?}");
        assert!(imported.person.is_some(), "{path:?}");
        let vault = vault();
        let report = vault.import(&Actor::owner(), &imported).unwrap();
        assert_eq!(report.added.len() + report.kept_raw.len(), imported.entries.len(), "{path:?}");
        let again = vault.import(&Actor::owner(), &import(&[&text]).unwrap()).unwrap();
        assert_eq!(again.unchanged, imported.entries.len(), "{path:?}");
        assert_eq!(vault.list(&Filter::default()).unwrap().len(), imported.entries.len(), "{path:?}");
    }
}

/// Imports a document and gives the vault with the document that it keeps, if all its entries are
/// in one compartment.
fn kept(text: &[u8]) -> (Vault, Option<SourceDocument>) {
    let vault = vault();
    vault.import(&Actor::owner(), &import(&[text]).unwrap()).unwrap();
    let listed = vault.list(&Filter::default()).unwrap();
    let places: BTreeSet<&str> = listed.iter().map(|entry| entry.compartment.name()).collect();
    let mut documents = vault.source_documents().unwrap();
    assert_eq!(documents.len(), usize::from(places.len() == 1));
    let document = documents.pop();
    if let Some(document) = &document {
        assert_eq!(document.entries.len(), listed.len());
        assert!(*vault.source_document(document.id).unwrap() == text);
    }
    assert!(vault.check_deep().unwrap().is_clean());
    (vault, document)
}

#[test]
fn a_real_document_of_one_compartment_is_kept_byte_for_byte_and_goes_with_any_of_its_entries() {
    let mut count = 0;
    let documents = documents("ccda");
    for path in &documents {
        let (vault, document) = kept(&fs::read(path).unwrap());
        let Some(document) = document else { continue };
        let gone = document.entries[document.entries.len() / 2];
        let report = vault.expunge(&Actor::owner(), &[gone], "as asked").unwrap();
        assert_eq!(report.documents, 1, "{path:?}");
        assert!(vault.source_documents().unwrap().is_empty(), "{path:?}");
        assert!(vault.check_deep().unwrap().is_clean(), "{path:?}");
        count += 1;
    }
    assert!(documents.is_empty() || count >= 5, "{count}");
}

#[test]
fn words_for_a_code_that_its_narrative_contradicts_are_marked() {
    for path in
        documents("ccda").iter().filter(|path| path.ends_with("c2s_Sample_Summary_Pebbles_Flintstone.xml"))
    {
        // One program wrote "Alcohol or drug dependence" beside every code, migraine among them.
        let imported = import(&[&fs::read(path).unwrap()]).unwrap();
        let is_marked = |code: &str| {
            let of_code = |entry: &&Entry| {
                let codings = entry.code().map(|code| code.codings.as_slice()).unwrap_or_default();
                codings.iter().any(|coding| coding.code.as_ref().is_some_and(|found| found.as_str() == code))
            };
            let entry = imported.entries.iter().map(|entry| &entry.entry).find(of_code).unwrap();
            entry.not_understood.iter().any(|path| path.as_str() == "problems.code")
        };
        assert!(is_marked("346.90") && is_marked("558.9"));
        assert!(!is_marked("303.90"), "alcohol dependence is what both say");
        let finding = imported.findings.iter().find(|found| found.reason == FindingReason::WordsDiffer);
        assert!(finding.is_some());
    }
}

#[test]
fn a_document_in_another_encoding_is_kept_as_it_came() {
    for path in documents("ccda").iter().filter(|path| path.ends_with("c2s_testOriginal_C32.xml")) {
        let text = fs::read_to_string(path).unwrap();
        let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).unwrap_or(b'-')).collect();
        let head = text.split_once("?>").unwrap().0;
        let latin =
            [b"<?xml version='1.0' encoding='ISO-8859-1'?>", &latin[head.chars().count() + 2..]].concat();
        assert!(kept(&latin).1.is_some());
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(kept(&[&b"\xff\xfe"[..], &wide].concat()).1.is_some());
    }
}

#[test]
fn a_bad_document_is_refused_with_its_place_and_without_its_words() {
    let refused = |text: &[u8]| import(&[text]).unwrap_err();
    let fault = |text: &[u8]| match refused(text) {
        ImportError::Xml(error) => {
            assert!(error.line > 0);
            error.fault
        }
        other => panic!("{other:?}"),
    };
    let half = &SAMPLE.as_bytes()[..SAMPLE.len() / 2];
    assert_eq!(fault(half), XmlFault::CutOff);
    assert_eq!(fault(SAMPLE.replacen("</patient>", "</patent>", 1).as_bytes()), XmlFault::NotWellFormed);
    let bomb = "<!DOCTYPE ClinicalDocument [<!ENTITY a \"b\">]>\n<ClinicalDocument xmlns=\"urn:hl7-org:v3\">&a;</ClinicalDocument>";
    assert_eq!(fault(bomb.as_bytes()), XmlFault::DocumentType);
    let deep = format!("<ClinicalDocument xmlns=\"urn:hl7-org:v3\">{}", "<a>".repeat(200_000));
    assert_eq!(fault(deep.as_bytes()), XmlFault::TooDeep);
    let wide: String = (0..100_000).map(|at| format!(" a{at}='1'")).collect();
    let wide = format!("<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><a{wide}/></ClinicalDocument>");
    assert_eq!(fault(wide.as_bytes()), XmlFault::TooManyAttributes);
    let mixed = [SAMPLE.as_bytes(), b"\xff"].concat();
    assert_eq!(fault(&mixed), XmlFault::NotInItsEncoding);
    let message = refused(SAMPLE.replacen("</patient>", "</patent>", 1).as_bytes()).to_string();
    assert!(message.contains("line 21, byte ") && !message.contains("patent"), "{message}");
    let query = b"<QUPC_IN043200UV01 xmlns=\"urn:hl7-org:v3\"/>";
    assert!(matches!(refused(query), ImportError::Foreign { format: ForeignFormat::Cda }));
    for path in documents("ccda-bad") {
        let read = import(&[&fs::read(&path).unwrap()]);
        match path.file_name().unwrap().to_str().unwrap() {
            "c2s_testEncrypted_C32.xml" => assert!(matches!(read, Err(ImportError::Encrypted))),
            _ => {
                let paths: Vec<String> =
                    read.unwrap().findings.into_iter().map(|finding| finding.path).collect();
                assert!(paths.contains(&"ClinicalDocument.noSuchElement".to_owned()), "{paths:?}");
            }
        }
    }
}

#[test]
fn a_document_in_another_encoding_says_the_same() {
    let titles = |imported: &Imported| -> Vec<_> {
        imported.entries.iter().map(|entry| entry.entry.display()).collect()
    };
    let known = titles(&sample());
    let utf_16: Vec<u8> = ['\u{feff}'; 1]
        .into_iter()
        .chain(SAMPLE.chars())
        .collect::<String>()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let with_mark = ["\u{feff}", SAMPLE].concat().into_bytes();
    let latin = SAMPLE.replace("encoding=\"UTF-8\"", "encoding=\"ISO-8859-1\"").into_bytes();
    for (text, is_recoded) in [(utf_16, true), (with_mark, false), (latin, true)] {
        let imported = import(&[&text]).unwrap();
        assert_eq!(titles(&imported), known);
        let says_so = imported.findings.iter().any(|finding| finding.reason == FindingReason::Recoded);
        assert_eq!(says_so, is_recoded);
    }
}

#[test]
fn what_came_from_a_document_goes_out_as_fhir_and_comes_in_again_as_it_was() {
    let owner = Actor::owner();
    let first = vault();
    first.import(&owner, &sample()).unwrap();
    let mut out = Vec::new();
    first.export_fhir(&owner, &Filter::all(), ExportForm::Bundle, &mut out).unwrap();
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("export"), out.as_slice()).unwrap();
    assert!(import.holds_export());
    import.as_own_export();
    let second = vault();
    second.import(&owner, &import.finish().unwrap()).unwrap();
    let entries = |vault: &Vault| {
        let listed = vault.list(&Filter::all()).unwrap();
        let mut entries: Vec<Entry> = listed.iter().map(|listed| vault.entry(listed.id).unwrap()).collect();
        entries.sort_by_key(|entry| entry.provenance.identity.clone());
        entries
    };
    let (before, after) = (entries(&first), entries(&second));
    assert_eq!(before.len(), after.len());
    for (one, other) in before.iter().zip(&after) {
        assert!(one == other, "{:?} {:?}", one.display(), other.display());
    }
    // The document itself is known again, too.
    assert_eq!(second.import(&owner, &sample()).unwrap().unchanged, before.len());
}
