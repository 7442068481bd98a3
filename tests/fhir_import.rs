//! FHIR R4 in: real files lose nothing, hostile ones do no harm.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use subrosa::interop::{Finding, FindingGroup, FindingReason, ImportError, Imported, ImportedEntry, Piece};
use subrosa::record::{DateRange, Location, Scalar};
use subrosa::{Entry, Import, ImportOptions, Kind, Record};

fn data(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    if !path.exists() {
        println!("SKIPPED: ../shared/data is absent");
        return None;
    }
    Some(path)
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let Some(folder) = data(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    assert!(!files.is_empty());
    files
}

fn import(texts: &[&[u8]], options: ImportOptions) -> Result<Imported, ImportError> {
    let mut import = Import::new(options);
    for text in texts {
        import.read(Some("input"), *text)?;
    }
    import.finish()
}

fn import_text(text: &str) -> Result<Imported, ImportError> {
    import(&[text.as_bytes()], ImportOptions::default())
}

fn source(entry: &Entry) -> &[u8] {
    &entry.source.as_ref().unwrap().bytes
}

/// Resources of a text as another JSON reader sees them, bundles opened.
fn independent(text: &[u8]) -> Vec<serde_json::Value> {
    fn open(value: serde_json::Value, out: &mut Vec<serde_json::Value>) {
        match value.get("entry").and_then(|entries| entries.as_array()) {
            Some(entries) if value["resourceType"] == "Bundle" => {
                for entry in entries {
                    if let Some(resource) = entry.get("resource") {
                        open(resource.clone(), out);
                    }
                }
            }
            _ => out.push(value),
        }
    }
    let mut out = Vec::new();
    for value in serde_json::Deserializer::from_slice(text).into_iter::<serde_json::Value>() {
        open(value.unwrap(), &mut out);
    }
    out
}

/// What holds for every import of one input.
fn check(text: &[u8], imported: &Imported, what: &str) {
    let expected = independent(text);
    assert_eq!(imported.resources, expected.len(), "{what}");
    assert_eq!(
        imported.resources,
        imported.entries.len()
            + imported.earlier
            + imported.files
            + imported.repetitions
            + imported.left_out.total(),
        "{what}"
    );
    let others = imported.entries.iter().filter(|entry| entry.entry.kind() == Kind::Other).count();
    assert_eq!(imported.kept_raw, others, "{what}");
    let document = imported.documents.first().unwrap_or_else(|| panic!("{what}: no document"));
    let mut rebuilt = Vec::new();
    let mut order = Vec::new();
    for piece in &document.pieces {
        match piece {
            Piece::Gap(bytes) => rebuilt.extend_from_slice(bytes),
            Piece::Resource(position) => {
                order.push(source(&imported.entries[*position].entry));
                rebuilt.extend_from_slice(source(&imported.entries[*position].entry));
            }
            Piece::File { entry, version: None, file } => {
                let source = imported.entries[*entry].entry.source.as_ref().unwrap();
                order.push(&source.files[*file].bytes);
                rebuilt.extend_from_slice(&source.files[*file].bytes);
            }
            _ => unreachable!(),
        }
    }
    assert!(rebuilt == text, "{what}: the input does not come back");
    assert_eq!(order.len(), expected.len(), "{what}");
    for (bytes, expected) in order.iter().zip(&expected) {
        let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        assert!(value == *expected, "{what}: a resource does not come back");
    }
    for entry in &imported.entries {
        assert_eq!(entry.entry.provenance.identity.as_ref().unwrap().as_str(), entry.identity);
    }
}

fn by_kind(imported: &Imported) -> BTreeMap<&'static str, usize> {
    let mut kinds = BTreeMap::new();
    for entry in &imported.entries {
        *kinds.entry(entry.entry.kind().name()).or_default() += 1;
    }
    kinds
}

fn patients(error: &ImportError) -> Vec<String> {
    match error {
        ImportError::SeveralPatients { patients } => patients.iter().map(str::to_owned).collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn single_patient_files_lose_nothing() {
    for folder in [
        "fhir-bundles",
        "fhir-ips",
        "fhir-security-labels",
        "fhir-us-behavioral-health/json",
        "fhir-r4-examples",
    ] {
        for file in files(folder, "json") {
            let text = fs::read(&file).unwrap();
            let name = file.display().to_string();
            match import(&[&text], ImportOptions::default()) {
                Ok(imported) => check(&text, &imported, &name),
                Err(error) => each_patient(&text, &error, &name),
            }
        }
    }
}

/// One import per patient: together they take every resource that names a patient.
fn each_patient(text: &[u8], error: &ImportError, name: &str) {
    let total = independent(text).len();
    let mut taken = std::collections::HashSet::new();
    let patients = patients(error);
    for patient in &patients {
        let imported = import(&[text], ImportOptions::for_patient(patient)).unwrap();
        assert_eq!(imported.resources, total, "{name} {patient}");
        assert_eq!(
            imported.resources,
            imported.entries.len()
                + imported.earlier
                + imported.files
                + imported.repetitions
                + imported.left_out.total()
        );
        assert!(imported.left_out.other_patients > 0, "{name} {patient}");
        let versions = |entry: ImportedEntry| entry.earlier.into_iter().chain([entry.entry]);
        taken.extend(imported.entries.into_iter().flat_map(versions).map(|entry| source(&entry).to_owned()));
    }
    println!("{name}: {} patients, {} of {total} taken", patients.len(), taken.len());
    assert_eq!(taken.len(), total, "{name}");
}

#[test]
fn ndjson_of_one_patient_loses_nothing() {
    for file in files("fhir-us-behavioral-health", "ndjson") {
        let text = fs::read(&file).unwrap();
        let imported = import(&[&text], ImportOptions::default()).unwrap();
        check(&text, &imported, "all.ndjson");
        let kinds = by_kind(&imported);
        assert_eq!(kinds["assessment"], 5);
        assert_eq!(kinds["diagnosis"], 4);
        assert_eq!(kinds["medication"], 5);
        assert_eq!(kinds["patient"], 1);
    }
}

#[test]
fn a_bulk_export_is_imported_per_patient_and_no_resource_is_anothers() {
    let files: Vec<_> =
        files("fhir-bulk", "ndjson").into_iter().filter(|file| !file.ends_with("log.ndjson")).collect();
    if files.is_empty() {
        return;
    }
    let texts: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    let total: usize = texts.iter().map(|text| independent(text).len()).sum();
    let error = import(&texts, ImportOptions::default()).unwrap_err();
    let patients = patients(&error);
    assert_eq!(patients.len(), 7);
    let mut taken = std::collections::HashSet::new();
    for patient in &patients {
        let imported = import(&texts, ImportOptions::for_patient(patient)).unwrap();
        assert_eq!(imported.resources, total);
        assert_eq!(
            total,
            imported.entries.len()
                + imported.earlier
                + imported.files
                + imported.repetitions
                + imported.left_out.total()
        );
        for entry in imported.entries {
            let text = std::str::from_utf8(source(&entry.entry)).unwrap();
            let foreign =
                patients.iter().any(|other| other != patient && text.contains(&format!("\"{other}\"")));
            assert!(!foreign, "{} is taken for {patient}", entry.identity);
            taken.insert(text.to_owned());
        }
    }
    // What is not taken for anybody is what nobody's record refers to.
    let all = texts.iter().flat_map(|text| independent(text));
    let types = ["Location", "Organization", "Practitioner", "PractitionerRole"];
    let shared = all.filter(|resource| types.contains(&resource["resourceType"].as_str().unwrap())).count();
    let taken_shared = taken.iter().filter(|text| {
        let resource: serde_json::Value = serde_json::from_str(text).unwrap();
        types.contains(&resource["resourceType"].as_str().unwrap())
    });
    let taken_shared = taken_shared.count();
    assert!(taken_shared > shared / 4, "{taken_shared} of {shared}");
    assert_eq!(taken.len() - taken_shared, total - shared);
}

#[test]
fn a_log_that_is_not_fhir_is_refused() {
    let Some(folder) = data("fhir-bulk") else { return };
    let text = fs::read(folder.join("log.ndjson")).unwrap();
    assert!(matches!(import(&[&text], ImportOptions::default()), Err(ImportError::NotFhir)));
}

#[test]
fn xml_that_is_neither_fhir_nor_c_cda_is_refused_by_name() {
    for text in ["\u{feff}  <note><to>Ada</to></note>", "<Patient xmlns=\"http://example.org/fhir\"/>"] {
        assert!(matches!(import(&[text.as_bytes()], ImportOptions::default()), Err(ImportError::FhirXml)));
    }
}

#[test]
fn known_patients_have_what_their_files_say() {
    let Some(folder) = data("fhir-bundles") else { return };
    let read = |name: &str| {
        let text = fs::read(folder.join(name)).unwrap();
        import(&[&text], ImportOptions::default()).unwrap()
    };
    let kinds = by_kind(&read("synthea_Barrett_Douglas.json"));
    assert_eq!((kinds["diagnosis"], kinds["hospitalization"], kinds["encounter"]), (15, 6, 69));
    assert_eq!((kinds["treatment"], kinds["medication"], kinds["immunization"]), (25 + 13, 11, 11));
    assert_eq!(kinds["other"], 86 + 75 + 8 + 5);
    assert_eq!(kinds["substance-use"], 10);
    let trenton = read("synthea_Trenton_Turner.json");
    let stays: Vec<_> =
        trenton.entries.iter().filter(|entry| entry.entry.kind() == Kind::Hospitalization).collect();
    assert_eq!(stays.len(), 5);
    for stay in stays {
        let Record::Hospitalization(record) = &stay.entry.record else { unreachable!() };
        assert!(record.admission.is_some() && record.discharge.is_some());
        assert!(record.facility.as_ref().and_then(|facility| facility.name.as_ref()).is_some());
        assert!(stay.entry.provider_name().is_some() && stay.entry.display().is_some());
    }
    for imported in [&trenton, &read("uscore_patient_85.json")] {
        assert!(imported.findings.iter().all(|finding| finding.reason != FindingReason::Malformed));
        for entry in &imported.entries {
            let expected = !matches!(entry.entry.kind(), Kind::Patient | Kind::Provider | Kind::Other);
            assert!(!expected || entry.entry.dates().is_some(), "{} is undated", entry.identity);
            assert!(!expected || entry.entry.display().is_some(), "{} has no title", entry.identity);
        }
    }
}

#[test]
fn a_medicine_is_found_by_reference() {
    let Some(folder) = data("fhir-ips") else { return };
    let text = fs::read(folder.join("IPS-bundle-01.json")).unwrap();
    let imported = import(&[&text], ImportOptions::default()).unwrap();
    let medicines: Vec<_> =
        imported.entries.iter().filter(|entry| entry.entry.kind() == Kind::Medication).collect();
    assert_eq!(medicines.len(), 2);
    assert!(medicines.iter().all(|entry| entry.entry.code().is_some_and(|code| !code.codings.is_empty())));
}

#[test]
fn answers_of_a_questionnaire_become_items() {
    let Some(folder) = data("fhir-us-behavioral-health/json") else { return };
    let text = fs::read(folder.join("phq-9-example-1.json")).unwrap();
    let imported = import(&[&text], ImportOptions::default()).unwrap();
    let Record::Assessment(record) = &imported.entries[0].entry.record else { panic!() };
    assert!(record.items.len() >= 9);
    assert_eq!(record.items[0].code.codings[0].code.as_ref().unwrap().as_str(), "44250-9");
    assert!(matches!(&record.items[0].value, Some(Scalar::Concept(_))));
    assert!(record.score.is_some());
}

#[test]
fn decimals_and_partial_dates_stay_as_written() {
    let text = r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"resource":{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},
          "effectiveDateTime":"2019","valueQuantity":{"value":6.1000,"unit":"mmol/L"}}},
        {"resource":{"resourceType":"Condition","id":"b","onsetDateTime":"2018-04"}}]}"#;
    let imported = import_text(text).unwrap();
    check(text.as_bytes(), &imported, "text");
    let Record::Observation(record) = &imported.entries[0].entry.record else { panic!() };
    assert_eq!(record.quantity.as_ref().unwrap().value.as_ref().unwrap().as_str(), "6.1000");
    assert_eq!(imported.entries[0].entry.dates().unwrap(), DateRange::at("2019".parse().unwrap()));
    assert_eq!(imported.entries[1].entry.dates().unwrap().start().unwrap().as_str(), "2018-04");
}

#[test]
fn a_note_points_to_its_bytes() {
    let text = r#"{"resourceType":"DocumentReference","id":"a","status":"current",
        "type":{"coding":[{"system":"http://loinc.org","code":"18842-5"}]},
        "content":[{"attachment":{"contentType":"text/plain","data":"SGVsbG8="}}]}"#;
    let imported = import_text(text).unwrap();
    let Record::Note(note) = &imported.entries[0].entry.record else { panic!() };
    assert_eq!(note.form.as_ref().unwrap().as_str(), "discharge-summary");
    let Some(Location::InSource(pointer)) = &note.attachments[0].location else { panic!() };
    let value: serde_json::Value = serde_json::from_slice(source(&imported.entries[0].entry)).unwrap();
    assert_eq!(value.pointer(pointer.as_str()).unwrap(), "SGVsbG8=");
    assert_eq!(note.attachments[0].size, Some(5));
}

#[test]
fn malformed_elements_are_left_out_and_reported_by_path_without_values() {
    let text = r#"{"resourceType":"Condition","id":"a","onsetDateTime":"secret-date","code":"secret-code",
        "clinicalStatus":{"coding":[{"code":"secret-status"}]},"modifierExtension":[{"url":"x"}],
        "note":[{"text":7},{"text":""},null,"x"],"bodySite":{"text":"arm"}}"#;
    let imported = import_text(text).unwrap();
    check(text.as_bytes(), &imported, "text");
    let has = |path: &str, reason| {
        imported.findings.iter().any(|finding| finding.path == path && finding.reason == reason)
    };
    assert!(has("Condition.onsetDateTime", FindingReason::Malformed));
    assert!(has("Condition.code", FindingReason::Malformed));
    assert!(has("Condition.clinicalStatus", FindingReason::UnknownStatus));
    assert!(has("Condition.modifierExtension", FindingReason::ModifierExtension));
    assert!(has("Condition.note.text", FindingReason::Malformed));
    assert!(!format!("{:?}", imported.findings).contains("secret"));
    let Record::Diagnosis(record) = &imported.entries[0].entry.record else { panic!() };
    assert_eq!(record.body_sites.len(), 1);
    assert!(record.onset.is_none());
}

#[test]
fn bundles_in_bundles_and_entries_without_resource_are_accounted_for() {
    let text = r#"{"resourceType":"Bundle","entry":[{"request":{"method":"DELETE","url":"Patient/1"}},
        {"resource":{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic","id":"1"}}]}},
        {"resource":{"id":"typeless"}},{"resource":{"resourceType":"Bundle","id":"empty"}}]}"#;
    let imported = import_text(text).unwrap();
    check(text.as_bytes(), &imported, "text");
    assert_eq!((imported.entries.len(), imported.kept_raw), (3, 3));
    assert_eq!(imported.entries[0].identity, "Basic/1");
    let reasons: Vec<_> = imported.findings.iter().map(|finding| finding.reason).collect();
    assert!(reasons.contains(&FindingReason::NoResource) && reasons.contains(&FindingReason::NoType));
}

#[test]
fn the_same_identity_twice_is_taken_once_if_equal_and_twice_if_not() {
    let first = r#"{"resourceType":"Basic","id":"1"}"#;
    let other = r#"{"resourceType":"Basic","id":"1","language":"en"}"#;
    let text = format!("{first}\r\n\r\n{first}\n{other}");
    let imported = import_text(&text).unwrap();
    check(text.as_bytes(), &imported, "text");
    assert_eq!((imported.entries.len(), imported.repetitions), (2, 1));
    assert!(imported.entries[1].identity.starts_with("Basic/1#"));
    let reasons: Vec<_> = imported.findings.iter().map(|finding| finding.reason).collect();
    assert!(reasons.contains(&FindingReason::SameTwice) && reasons.contains(&FindingReason::SameIdentity));
}

const TWO_PATIENTS: &str = r#"{"resourceType":"Patient","id":"a"}
{"resourceType":"Patient","id":"b"}
{"resourceType":"Condition","id":"1","subject":{"reference":"Patient/a"}}
{"resourceType":"Condition","id":"2","subject":{"reference":"Patient/b"}}
{"resourceType":"Practitioner","id":"p"}
{"resourceType":"Provenance","id":"of2","target":[{"reference":"Condition/2"}]}
{"resourceType":"Binary","id":"of2"}
"#;

#[test]
fn only_the_chosen_patients_resources_are_taken() {
    let document = r#"{"resourceType":"Media","id":"d2","subject":{"reference":"Patient/b"},"basedOn":[{"reference":"Binary/of2"}]}"#;
    let lines: Vec<_> = TWO_PATIENTS.lines().take(7).chain([document]).collect();
    let text = lines.join("\n");
    assert_eq!(patients(&import_text(&text).unwrap_err()), ["Patient/a", "Patient/b"]);
    let identities = |patient: &str| {
        let imported = import(&[text.as_bytes()], ImportOptions::for_patient(patient)).unwrap();
        assert!(imported.documents.is_empty());
        imported.entries.into_iter().map(|entry| entry.identity).collect::<Vec<_>>()
    };
    // Nothing of either refers to the practitioner.
    assert_eq!(identities("a"), ["Patient/a", "Condition/1"]);
    let all_of_b = ["Patient/b", "Condition/2", "Provenance/of2", "Binary/of2", "Media/d2"];
    assert_eq!(identities("Patient/b"), all_of_b);
    let error = import(&[text.as_bytes()], ImportOptions::for_patient("c")).unwrap_err();
    assert!(matches!(error, ImportError::NoSuchPatient { count: 2 }));
}

#[test]
fn patients_of_two_servers_are_told_apart() {
    let Some(folder) = data("fhir-r4-examples") else { return };
    let text = fs::read(folder.join("Bundle-bundle-references.json")).unwrap();
    let patients = patients(&import(&[&text], ImportOptions::default()).unwrap_err());
    let expected = [
        "Patient/23",
        "urn:uuid:04121321-4af5-424c-a0e1-ed3aab1c349d",
        "Patient/45",
        "http://example.org/fhir-2/Patient/1",
        "http://example.org/fhir-2/Patient/23",
    ];
    assert_eq!(patients, expected);
    let imported = import(&[&text], ImportOptions::for_patient("Patient/23")).unwrap();
    let identities: Vec<_> = imported.entries.iter().map(|entry| entry.identity.as_str()).collect();
    // The last one names the patient by an identifier.
    let expected = ["Patient/23", "Observation/123", "Observation/124", "Observation/48"];
    assert_eq!(identities, expected.map(|local| format!("http://example.org/fhir/{local}")));
}

#[test]
fn a_byte_order_mark_and_blank_lines_are_kept_and_skipped() {
    for text in
        ["{\"resourceType\":\"Basic\"}", "{\"resourceType\":\"Basic\"}\n{\"resourceType\":\"Flag\"}\n"]
    {
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let imported = import(&[&marked], ImportOptions::default()).unwrap();
        let rebuilt: Vec<u8> = imported.documents[0]
            .pieces
            .iter()
            .flat_map(|piece| match piece {
                Piece::Gap(bytes) => bytes.clone(),
                Piece::Resource(position) => source(&imported.entries[*position].entry).to_owned(),
                _ => unreachable!(),
            })
            .collect();
        assert_eq!(rebuilt, marked);
        assert!(imported.entries[0].identity.starts_with("sha256:"));
    }
}

#[test]
fn hostile_inputs_are_typed_errors() {
    let json = |text: &[u8]| import(&[text], ImportOptions::default()).map(|_| ()).unwrap_err();
    assert!(matches!(json(b""), ImportError::Empty));
    assert!(matches!(json(b"[1]"), ImportError::NotFhir));
    assert!(matches!(json(b"{}"), ImportError::NotFhir));
    assert!(matches!(json(b"{\"resourceType\":5}"), ImportError::NotFhir));
    assert!(matches!(json(b"\xff\xfe{\0"), ImportError::Utf16));
    assert!(matches!(json(b"{\0\"\0"), ImportError::Utf16));
    assert!(matches!(json(b"{\"resourceType\":\"\xff\"}"), ImportError::Json(_)));
    assert!(matches!(json(b"{\"resourceType\":\"A\",\"resourceType\":\"B\"}"), ImportError::Json(_)));
    let nested =
        |depth: usize| format!("{{\"resourceType\":\"A\",\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(matches!(json(nested(1_000_000).as_bytes()), ImportError::Json(_)));
    let lines = b"{\"a\":1}\n{\"resourceType\":\"B\"\n";
    assert!(matches!(json(lines), ImportError::NotFhir));
    let mut bundle = "{\"resourceType\":\"A\"}".to_owned();
    for _ in 0..20 {
        bundle = format!("{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":{bundle}}}]}}");
    }
    assert!(matches!(json(bundle.as_bytes()), ImportError::BundlesTooDeep { .. }));
}

#[test]
fn an_endless_input_is_read_no_further_than_its_limit() {
    let mut options = ImportOptions::default();
    options.limits.input_bytes = 1 << 20;
    for byte in [b' ', b'\n', b'{', b'['] {
        let mut import = Import::new(options.clone());
        let error = import.read(None, std::io::repeat(byte)).unwrap_err();
        assert!(matches!(error, ImportError::TooLarge { limit: 1_048_576 }), "{error}");
    }
    let mut import = Import::new(options);
    let endless = b"{\"resourceType\":\"A\"}\n".as_slice().chain(std::io::repeat(b'\n'));
    assert!(matches!(import.read(None, endless), Err(ImportError::TooLarge { .. })));
}

/// Prints what is reported for real files, and shows that no value is among it.
#[test]
fn findings_of_real_files_are_short_and_hold_no_value() {
    for file in files("fhir-bundles", "json") {
        let text = fs::read(&file).unwrap();
        let imported = import(&[&text], ImportOptions::default()).unwrap();
        let changes = |finding: &&Finding| finding.group() == FindingGroup::ChangesMeaning;
        assert!(imported.findings.iter().filter(changes).count() < 10, "{}", file.display());
        for finding in &imported.findings {
            println!("{finding}");
            assert!(
                finding
                    .path
                    .split('.')
                    .all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
            );
        }
    }
}

#[test]
fn lists_within_lists_are_carried_up_to_a_limit_and_reported() {
    let answers = vec![r#"{"valueBoolean":true}"#; 100].join(",");
    let items = vec![format!("{{\"linkId\":\"1\",\"answer\":[{answers}]}}"); 1000].join(",");
    let text = format!("{{\"resourceType\":\"QuestionnaireResponse\",\"id\":\"a\",\"item\":[{items}]}}");
    let imported = import_text(&text).unwrap();
    let Record::Assessment(record) = &imported.entries[0].entry.record else { panic!() };
    assert_eq!(record.items.len(), 4096);
    let large = imported.findings.iter().find(|finding| finding.reason == FindingReason::TooLarge).unwrap();
    assert_eq!((large.path.as_str(), large.count), ("QuestionnaireResponse.items", 100_000 - 4096));
}

#[test]
fn many_repetitions_and_references_take_linear_time() {
    let patient = "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n".repeat(30_000);
    let condition = r#"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/a"}}"#;
    let text = patient + &format!("{condition}\n").repeat(30_000);
    let imported = import_text(&text).unwrap();
    assert_eq!((imported.entries.len(), imported.repetitions), (2, 59_998));
}
