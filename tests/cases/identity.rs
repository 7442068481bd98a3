//! Whose record it is.

use std::fs;

use serde_json::{Value, json};
use subrosa::interop::{Finding, FindingReason, ImportError, Imported, ImportedEntry, Piece};
use subrosa::record::{Likeness, Person};
use subrosa::{Import, ImportOptions};

use crate::support::{case, folder};

fn import_all(texts: &[&[u8]], options: ImportOptions) -> Result<Imported, ImportError> {
    let mut import = Import::new(options);
    for text in texts {
        import.read(Some("input"), *text)?;
    }
    let imported = import.finish()?;
    let made = imported.entries.len() + imported.earlier + imported.repetitions;
    assert_eq!(imported.resources, made + imported.left_out.total(), "each resource is accounted for");
    let earlier: usize = imported.entries.iter().map(|entry| entry.earlier.len()).sum();
    assert_eq!(imported.earlier, earlier);
    Ok(imported)
}

fn import(text: &[u8], patient: Option<&str>) -> Result<Imported, ImportError> {
    import_all(&[text], patient.map(ImportOptions::for_patient).unwrap_or_default())
}

fn bundle(resources: &[Value]) -> Vec<u8> {
    let entries: Vec<_> = resources.iter().map(|resource| json!({ "resource": resource })).collect();
    json!({ "resourceType": "Bundle", "type": "collection", "entry": entries }).to_string().into_bytes()
}

fn identities(imported: &Imported) -> Vec<&str> {
    imported.entries.iter().map(|entry| entry.identity.as_str()).collect()
}

fn original(entry: &ImportedEntry) -> &[u8] {
    &entry.entry.source.as_ref().unwrap().bytes
}

fn has(imported: &Imported, path: &str, reason: FindingReason) -> bool {
    let is_it = |finding: &Finding| finding.path == path && finding.reason == reason;
    imported.findings.iter().any(is_it)
}

/// How many people the input is about.
fn people(text: &[u8]) -> usize {
    match import(text, None) {
        Err(ImportError::SeveralPatients { patients }) => patients.len(),
        Ok(imported) => usize::from(!imported.person_identities.is_empty() || imported.person.is_some()),
        Err(error) => panic!("{error}"),
    }
}

fn ada() -> Value {
    json!({ "resourceType": "Patient", "id": "p1", "birthDate": "1970-02-03",
        "name": [{ "family": "Example", "given": ["Ada"] }],
        "identifier": [{ "system": "urn:x:mrn", "value": "77" }] })
}

fn eve() -> Value {
    json!({ "resourceType": "Patient", "id": "p2", "birthDate": "2001-01-01", "name": [{ "family": "Other" }] })
}

fn observation(id: &str, subject: Value) -> Value {
    json!({ "resourceType": "Observation", "id": id, "status": "final", "code": { "text": "x" }, "subject": subject })
}

#[test]
fn a_urn_names_the_patient_of_that_id() {
    let Some(text) = case("urn-in-ndjson.ndjson") else { return };
    for (letter, own) in [("a", "o1"), ("b", "o2")] {
        let id = format!("{}-0000-4000-8000-00000000000{letter}", letter.repeat(8));
        let imported = import(&text, Some(&format!("Patient/{id}"))).unwrap();
        assert_eq!(identities(&imported), [format!("Patient/{id}"), format!("Observation/{own}")]);
        assert_eq!(imported.left_out.other_patients, 2);
    }
}

#[test]
fn odd_ways_to_write_a_subject_are_resolved_or_left_out_and_never_anothers() {
    let Some(text) = case("odd-subject.ndjson") else { return };
    let ada = import(&text, Some("Patient/p1")).unwrap();
    assert_eq!(identities(&ada), ["Patient/p1"]);
    let other = import(&text, Some("p2")).unwrap();
    let all = ["o1", "o2", "o3", "o4"].map(|id| format!("Observation/{id}"));
    let all =
        [&["Patient/p2".to_owned()], &all[..], &["Condition/c9".to_owned(), "Immunization/i9".to_owned()]];
    assert_eq!(identities(&other), all.concat());
    for imported in [&ada, &other] {
        assert_eq!(imported.left_out.unknown_subject, 2);
        assert!(has(imported, "Observation.subject", FindingReason::SubjectUnknown));
    }
}

#[test]
fn contained_patients_of_equal_content_are_one_person() {
    let Some(text) = case("contained-patient.json") else { return };
    let imported = import(&text, None).unwrap();
    assert_eq!((imported.entries.len(), imported.left_out.total()), (3, 0));
    let person = imported.person.unwrap();
    assert_eq!(person.names(), ["Example"]);
    assert_eq!(person.identifiers(), ["urn:x:mrn|77"]);
}

#[test]
fn a_history_bundle_is_one_entry_and_its_past() {
    let Some(text) = case("history.json") else { return };
    let imported = import(&text, None).unwrap();
    assert_eq!((imported.entries.len(), imported.earlier), (1, 1));
    let entry = &imported.entries[0];
    let says = |bytes: &[u8], word: &str| String::from_utf8_lossy(bytes).contains(word);
    assert!(says(original(entry), "resolved") && !says(original(entry), "active"));
    assert!(says(&entry.earlier[0].source.as_ref().unwrap().bytes, "active"));
    assert_eq!(entry.server.as_deref(), Some("https://e.org/fhir/"));
    assert_eq!(entry.version_id.as_deref(), Some("2"));
    assert!(entry.is_global && imported.person.is_none());
    assert_eq!(imported.person_identities, ["https://e.org/fhir/Patient/p1"]);
    assert!(has(&imported, "Patient", FindingReason::KnownByReference));
    let pieces = imported.documents[0].pieces.iter();
    let rebuilt: Vec<u8> = pieces
        .flat_map(|piece| match piece {
            Piece::Gap(bytes) => bytes.clone(),
            Piece::Resource(at) => original(&imported.entries[*at]).to_owned(),
            Piece::Earlier { entry, version } => {
                imported.entries[*entry].earlier[*version].source.as_ref().unwrap().bytes.clone()
            }
            _ => unreachable!(),
        })
        .collect();
    assert!(rebuilt == text);
}

/// Ways to name a subject that nothing in an input of one patient resolves.
fn unresolvable() -> Vec<Value> {
    vec![
        json!({ "reference": "urn:uuid:5c1c9d9e-6f0a-4f1e-9a5b-3f6f2f1d7e80" }),
        json!({ "reference": "urn:oid:2.16.840.1.113883.19.5" }),
        json!({ "reference": "somebody" }),
        json!({ "reference": "patient/somebody" }),
        json!({ "reference": "/Patient/somebody" }),
        json!({ "reference": "PATIENT/somebody" }),
        json!({ "reference": "Patient/" }),
        json!({ "reference": "Patient/some body" }),
        json!({ "reference": "Patient?identifier=urn:none|1" }),
        json!({ "reference": "Patient?name=Example" }),
        json!({ "reference": "https://e.org/people/1" }),
        json!({ "reference": "#nobody" }),
        json!({ "reference": "#" }),
        json!({ "reference": "" }),
        json!({ "reference": 7 }),
        json!({ "display": "Ada Example" }),
        json!({ "type": "Patient" }),
        json!({ "type": "Patient", "display": "Ada Example" }),
        json!({ "identifier": { "system": "urn:none", "value": "1" } }),
        json!({ "identifier": { "value": "77" } }),
        json!({ "reference": "Group/1" }),
        json!({ "type": "Group", "display": "family" }),
        json!({ "extension": [{ "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason" }] }),
        json!("Patient/p1"),
    ]
}

/// The resources of the real bundles and single files.
fn real() -> Vec<(String, Vec<Value>)> {
    let mut found = Vec::new();
    for name in
        ["fhir-bundles", "fhir-ips", "fhir-r4-examples", "fhir-us-behavioral-health/json", "fhir-bulk"]
    {
        let path = folder().join("..").join(name);
        let Ok(files) = fs::read_dir(&path) else {
            eprintln!("SKIPPED: {} is absent, so this test proves nothing", path.display());
            continue;
        };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.to_string_lossy().ends_with("json")) {
            let text = fs::read(file).unwrap();
            let values = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
            let resources: Vec<_> = values.flat_map(|value| resources(value.unwrap())).collect();
            found.push((file.display().to_string(), resources));
        }
    }
    found
}

fn resources(value: Value) -> Vec<Value> {
    let Some(entries) = value["entry"].as_array().filter(|_| value["resourceType"] == "Bundle") else {
        return vec![value].into_iter().filter(|value| value["resourceType"].is_string()).collect();
    };
    entries.iter().map(|entry| entry["resource"].clone()).filter(Value::is_object).collect()
}

const SUBJECTS: [&str; 5] = ["subject", "patient", "beneficiary", "for", "individual"];

#[test]
fn a_subject_that_cannot_be_resolved_never_comes_in_silently() {
    let mut tried = 0;
    for (file, resources) in real() {
        // One of each type is enough of a file.
        let mut seen = std::collections::HashSet::new();
        for resource in resources {
            let name = resource["resourceType"].as_str().unwrap().to_owned();
            let Some(element) = SUBJECTS.iter().find(|element| resource.get(**element).is_some()) else {
                continue;
            };
            if !seen.insert(name.clone()) {
                continue;
            }
            for subject in unresolvable() {
                let mut changed = resource.clone();
                changed[*element] = subject.clone();
                let alone = bundle(&[changed.clone()]);
                let beside = bundle(&[ada(), changed]);
                for (text, patient) in [(&alone, None), (&beside, None), (&beside, Some("p1"))] {
                    let imported = match import(text, patient) {
                        Ok(imported) => imported,
                        Err(ImportError::SeveralPatients { .. }) => continue,
                        Err(error) => panic!("{file}: {error}"),
                    };
                    let taken = imported.entries.iter().any(|entry| !entry.identity.ends_with("Patient/p1"));
                    assert!(!taken, "{file}: {name} with {subject} came in");
                    let path = format!("{name}.{element}");
                    let reasons = [FindingReason::SubjectUnknown, FindingReason::OtherSubject];
                    let said = reasons.into_iter().any(|reason| has(&imported, &path, reason));
                    assert!(said || imported.left_out.other_patients > 0, "{file}: {name} with {subject}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried == 0 || tried > 1000, "{tried}");
}

#[test]
fn what_cannot_be_told_is_taken_only_where_that_was_decided_and_said() {
    let mut options = ImportOptions::default();
    options.unknown_subjects_are_the_patients = true;
    for subject in unresolvable() {
        let text = bundle(&[ada(), observation("o", subject.clone())]);
        let imported = import_all(&[&text], options.clone()).unwrap();
        let taken = has(&imported, "Observation", FindingReason::SubjectDecided);
        let of_others = has(&imported, "Observation.subject", FindingReason::OtherSubject);
        assert!(taken != of_others, "{subject}");
        assert_eq!(imported.entries.len(), if taken { 2 } else { 1 });
        // With a second person, it may be theirs.
        let text = bundle(&[ada(), eve(), observation("o", subject)]);
        let mut chosen = options.clone();
        chosen.patient = Some("p1".to_owned());
        assert_eq!(import_all(&[&text], chosen).unwrap().entries.len(), 1);
    }
}

#[test]
fn of_two_real_patients_in_one_bundle_each_gets_their_own_whole_record() {
    let path = folder().join("../fhir-bundles");
    let Ok(files) = fs::read_dir(path) else {
        eprintln!("SKIPPED: fhir-bundles is absent, so this test proves nothing");
        return;
    };
    let mut texts: Vec<Value> =
        files.map(|file| serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap()).collect();
    // The smaller ones, as they would take long together.
    texts.sort_by_key(|bundle| bundle["entry"].as_array().unwrap().len());
    let patient = |bundle: &Value| {
        let is_patient = |entry: &&Value| entry["resource"]["resourceType"] == "Patient";
        let entry = bundle["entry"].as_array().unwrap().iter().find(is_patient).unwrap();
        entry["fullUrl"].as_str().unwrap().to_owned()
    };
    for pair in texts[..5].windows(2) {
        let mut both = pair[0].clone();
        both["entry"].as_array_mut().unwrap().extend(pair[1]["entry"].as_array().unwrap().clone());
        let both = both.to_string().into_bytes();
        assert_eq!(people(&both), 2);
        for (own, other) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
            let imported = import(&both, Some(&patient(own))).unwrap();
            let foreign = patient(other);
            let foreign = foreign.trim_start_matches("urn:uuid:");
            let names_other =
                |entry: &ImportedEntry| String::from_utf8_lossy(original(entry)).contains(foreign);
            assert!(!imported.entries.iter().any(names_other));
            let alone = own["entry"].as_array().unwrap().len();
            let unreferenced = imported.left_out.unreferenced;
            assert!(imported.entries.len() + imported.repetitions + unreferenced >= alone);
            assert_eq!(imported.left_out.unknown_subject, 0);
        }
    }
}

#[test]
fn one_person_under_several_names_is_not_several() {
    let refer = |reference: &str| observation("o", json!({ "reference": reference }));
    let mut numbered = ada();
    numbered["id"] = json!(7);
    let mut unnamed = ada();
    unnamed.as_object_mut().unwrap().remove("id");
    let contained = json!({ "resourceType": "Observation", "id": "c", "status": "final", "code": { "text": "x" },
        "contained": [ada()], "subject": { "reference": "#p1" } });
    let again = json!({ "resourceType": "Patient", "id": "q", "birthDate": "1970-02-03",
        "name": [{ "text": "EXAMPLE, ADA" }] });
    for resources in [
        vec![numbered, refer("Patient/7")],
        vec![unnamed, refer("Patient/whoever")],
        vec![ada(), refer("Patient?identifier=urn:x:mrn|77")],
        vec![ada(), refer("Patient?identifier=urn%3Ax%3Amrn%7C77")],
        vec![ada(), observation("o", json!({ "identifier": { "system": "urn:x:mrn", "value": "77" } }))],
        vec![ada(), refer("https://e.org/fhir/Patient/p1"), refer("Patient/p1")],
        vec![ada(), refer("Patient/p1/_history/3"), refer(" Patient/p1 "), refer("p1")],
        vec![ada(), contained.clone(), contained],
        vec![ada(), again, refer("Patient/q")],
        vec![refer("https://e.org/fhir/Patient/p1"), refer("Patient/p1")],
        vec![ada(), ada(), refer("Patient/p1")],
        vec![json!({ "resourceType": "Basic", "id": "b", "author": { "reference": "Patient/p1" } })],
    ] {
        let text = bundle(&resources);
        assert_eq!(people(&text), 1, "{}", String::from_utf8_lossy(&text));
        let imported = import(&text, None).unwrap();
        assert_eq!(imported.left_out.total(), 0, "{}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn several_people_are_never_one() {
    let refer = |reference: &str| observation("o", json!({ "reference": reference }));
    let twin = json!({ "resourceType": "Patient", "id": "t", "birthDate": "1970-02-03",
        "name": [{ "family": "Example", "given": ["Eve"] }] });
    let namesake =
        json!({ "resourceType": "Patient", "id": "n", "name": [{ "family": "Example", "given": ["Ada"] }] });
    for resources in [
        vec![ada(), eve()],
        vec![ada(), twin],
        vec![ada(), namesake],
        vec![ada(), refer("Patient/p3")],
        vec![ada(), refer("https://a.org/Patient/p1"), refer("https://b.org/Patient/p1")],
        vec![
            ada(),
            json!({ "resourceType": "Appointment", "id": "a", "status": "booked", "participant": [
            { "actor": { "reference": "Patient/p1" } }, { "actor": { "reference": "Patient/p9" } }] }),
        ],
    ] {
        let text = bundle(&resources);
        assert!(people(&text) > 1, "{}", String::from_utf8_lossy(&text));
    }
}

#[test]
fn relatives_and_newborns_stay_about_themselves() {
    let mut of_the_child = observation("focus", json!({ "reference": "Patient/p1" }));
    of_the_child["focus"] = json!([{ "reference": "Patient/p2" }]);
    let mut of_the_fetus = observation("fetus", json!({ "reference": "Patient/p1" }));
    of_the_fetus["focus"] = json!([{ "display": "fetus" }]);
    let mut by_the_child = observation("performer", json!({ "reference": "Patient/p1" }));
    by_the_child["performer"] = json!([{ "reference": "Patient/p2" }]);
    let mut child = eve();
    child["link"] = json!([{ "type": "seealso", "other": { "reference": "Patient/p1" } }]);
    let relative =
        json!({ "resourceType": "RelatedPerson", "id": "r", "patient": { "reference": "Patient/p1" } });
    let of_the_relative = observation("relative", json!({ "reference": "RelatedPerson/r" }));
    let of_both = json!({ "resourceType": "Account", "id": "a", "status": "active",
        "subject": [{ "reference": "Patient/p1" }, { "reference": "Patient/p2" }] });
    let of_a_group = json!({ "resourceType": "Condition", "id": "g", "subject": { "reference": "Group/g" } });
    let group = json!({ "resourceType": "Group", "id": "g", "type": "person", "actual": true,
        "member": [{ "entity": { "reference": "Patient/p1" } }, { "entity": { "reference": "Patient/p2" } }] });
    let text = bundle(&[
        ada(),
        child,
        relative,
        of_the_child,
        of_the_fetus,
        by_the_child,
        of_the_relative,
        of_both,
        of_a_group,
        group,
    ]);
    let ada = import(&text, Some("p1")).unwrap();
    assert_eq!(identities(&ada), ["Patient/p1", "RelatedPerson/r", "Observation/performer"]);
    assert!(has(&ada, "Observation.focus", FindingReason::SubjectUnknown));
    assert!(has(&ada, "Observation.subject", FindingReason::OtherSubject));
    assert!(has(&ada, "Condition.subject", FindingReason::OtherSubject));
    assert!(has(&ada, "Account", FindingReason::SeveralSubjects));
    assert_eq!(identities(&import(&text, Some("p2")).unwrap()), ["Patient/p2"]);
}

#[test]
fn orphans_are_left_out_and_what_is_referred_to_comes_along() {
    let mut observed = observation("o", json!({ "reference": "Patient/p1" }));
    observed["performer"] = json!([{ "reference": "Practitioner/used" }]);
    observed["hasMember"] = json!([{ "reference": "Observation/part" }]);
    let part =
        json!({ "resourceType": "Observation", "id": "part", "status": "final", "code": { "text": "x" } });
    let orphan =
        json!({ "resourceType": "Observation", "id": "orphan", "status": "final", "code": { "text": "x" } });
    let practitioner = |id: &str| json!({ "resourceType": "Practitioner", "id": id });
    let binary = |id: &str| json!({ "resourceType": "Binary", "id": id, "contentType": "text/plain" });
    let letter = json!({ "resourceType": "DocumentReference", "id": "d", "status": "current",
        "subject": { "reference": "Patient/p1" }, "content": [{ "attachment": { "url": "Binary/used" } }] });
    let visited =
        json!({ "resourceType": "Procedure", "id": "visited", "encounter": { "reference": "Encounter/e" } });
    let visit = json!({ "resourceType": "Encounter", "id": "e", "subject": { "reference": "Patient/p1" } });
    let provenance =
        json!({ "resourceType": "Provenance", "id": "v", "target": [{ "reference": "Observation/none" }] });
    let text = bundle(&[
        ada(),
        observed,
        part,
        orphan,
        practitioner("used"),
        practitioner("unused"),
        binary("used"),
        binary("unused"),
        letter,
        visited,
        visit,
        provenance,
    ]);
    let mut expected = vec![
        "Patient/p1",
        "Observation/o",
        "Observation/part",
        "Practitioner/used",
        "Binary/used",
        "DocumentReference/d",
        "Procedure/visited",
        "Encounter/e",
    ];
    let chosen = import(&text, Some("p1")).unwrap();
    assert_eq!(identities(&chosen), expected);
    assert_eq!((chosen.left_out.unreferenced, chosen.left_out.unknown_subject), (3, 1));
    for path in ["Practitioner", "Binary", "Provenance"] {
        assert!(has(&chosen, path, FindingReason::Unreferenced), "{path}");
    }
    // Without a choice, what is nobody's by its nature is taken as it stands there.
    expected.insert(4, "Practitioner/unused");
    assert_eq!(identities(&import(&text, None).unwrap()), expected);
}

#[test]
fn names_of_one_bundle_mean_nothing_in_another() {
    let card = |given: &str, born: &str, medicine: &str| {
        json!({ "resourceType": "Bundle", "type": "collection", "entry": [
            { "fullUrl": "resource:0", "resource": { "resourceType": "Patient", "birthDate": born,
                "name": [{ "family": "Example", "given": [given] }] } },
            { "fullUrl": "urn:uuid:med", "resource": { "resourceType": "Medication", "code": { "text": medicine } } },
            { "fullUrl": "resource:2", "resource": { "resourceType": "MedicationStatement", "status": "active",
                "subject": { "reference": "resource:0" }, "medicationReference": { "reference": "urn:uuid:med" } } }] })
        .to_string()
    };
    let [one, other] = [card("Ada", "1970-02-03", "Aspirin"), card("Eve", "2001-01-01", "Methadone")];
    let lines = format!("{one}\n{other}");
    for texts in [vec![one.as_bytes(), other.as_bytes()], vec![lines.as_bytes()]] {
        let Err(ImportError::SeveralPatients { patients }) = import_all(&texts, ImportOptions::default())
        else {
            panic!("two people");
        };
        let names: Vec<_> = patients.iter().collect();
        assert_eq!(names.len(), 2);
        for (patient, own) in names.iter().zip(["Aspirin", "Methadone"]) {
            let imported = import_all(&texts, ImportOptions::for_patient(*patient)).unwrap();
            assert_eq!(imported.entries.len(), 3);
            let titles = imported.entries.iter().filter_map(|entry| entry.entry.display());
            assert!(titles.into_iter().any(|title| title.contains(own)));
            assert!(imported.entries.iter().all(|entry| !entry.is_global));
        }
    }
}

#[test]
fn only_random_uuids_and_addresses_are_names_everywhere() {
    let is_global = |id: &str, url: Option<&str>| {
        let mut entry = json!({ "resource": { "resourceType": "Basic", "id": id } });
        if let Some(url) = url {
            entry["fullUrl"] = json!(url);
        }
        let text = json!({ "resourceType": "Bundle", "entry": [entry] }).to_string();
        import(text.as_bytes(), None).unwrap().entries[0].is_global
    };
    assert!(is_global("0b0e1a5c-9f1a-4a0e-8f53-0d5a6d1c2b3a", None));
    assert!(is_global("1", Some("https://e.org/fhir/Basic/1")));
    for id in [
        "1",
        "00000000-0000-0000-0000-000000000000",
        "00000000-0000-4000-8000-000000000001",
        "aaaaaaaa-0000-4000-8000-00000000000a",
        "11111111-1111-4111-8111-111111111111",
        "12345678-1234-4234-8234-123456789abc",
        "0b0e1a5c-9f1a-1a0e-8f53-0d5a6d1c2b3a",
        "0b0e1a5c-9f1a-4a0e-cf53-0d5a6d1c2b3a",
        "0b0e1a5c9f1a4a0e8f530d5a6d1c2b3a",
    ] {
        assert!(!is_global(id, None), "{id}");
    }
    for url in [
        "urn:uuid:patient",
        "resource:0",
        "http://localhost/Basic/1",
        "http://10.0.0.1/fhir/Basic/1",
        "http://fhir:8080/fhir/Basic/1",
        "https://fhir.lan/Basic/1",
        "https://a.home.arpa/Basic/1",
        "http://example.org/fhir/Basic/1",
    ] {
        assert!(!is_global("1", Some(url)), "{url}");
    }
}

/// Versions of one resource of one server, as (lastUpdated, versionId) and a mark.
fn versions(of: &[(&str, &str)]) -> Vec<u8> {
    let entry = |(number, (updated, version)): (usize, &(&str, &str))| {
        let mut meta = json!({});
        for (name, value) in [("lastUpdated", updated), ("versionId", version)] {
            if !value.is_empty() {
                meta[name] = json!(value);
            }
        }
        json!({ "fullUrl": "https://e.org/Condition/c", "resource": { "resourceType": "Condition", "id": "c",
            "meta": meta, "code": { "text": number.to_string() }, "subject": { "reference": "Patient/p1" } } })
    };
    let entries: Vec<_> = of.iter().enumerate().map(entry).collect();
    json!({ "resourceType": "Bundle", "type": "history", "entry": entries }).to_string().into_bytes()
}

#[test]
fn the_newest_version_is_current_whatever_its_place() {
    let day = |day: u32| format!("2024-01-{day:02}T00:00:00Z");
    let (one, two, three) = (day(1), day(2), day(3));
    /// Dates and numbers of versions, which is current, and how many are one entry.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, usize);
    let cases: [Case<'_>; 8] = [
        (&[(&one, "1"), (&two, "2"), (&three, "3")], "2", 2),
        (&[(&three, ""), (&one, ""), (&two, "")], "0", 2),
        (&[("", "9"), ("", "10")], "1", 1),
        // Offsets are of moments, not of texts.
        (&[("2024-01-01T23:00:00-05:00", ""), ("2024-01-02T01:00:00Z", "")], "0", 1),
        // Opaque versions, dates in the future, and ties decide nothing.
        (&[("", "b7"), ("", "a9")], "", 0),
        (&[("2999-01-01T00:00:00Z", ""), (&one, "")], "", 0),
        (&[("2999-01-01T00:00:00Z", "1"), (&one, "2")], "1", 1),
        (&[(&one, ""), (&one, "")], "", 0),
    ];
    for (given, current, earlier) in cases {
        let imported = import(&versions(given), None).unwrap();
        assert_eq!(imported.earlier, earlier, "{given:?}");
        if current.is_empty() {
            assert_eq!(imported.entries.len(), given.len(), "{given:?}");
            assert!(has(&imported, "Condition", FindingReason::SameIdentity));
        } else {
            let title = imported.entries[0].entry.display();
            assert_eq!((imported.entries.len(), title.as_deref()), (1, Some(current)), "{given:?}");
        }
    }
}

#[test]
fn what_its_source_deleted_is_not_current() {
    let put = |version: &str| {
        json!({ "fullUrl": "https://e.org/Condition/c", "request": { "method": "PUT", "url": "Condition/c" },
            "resource": { "resourceType": "Condition", "id": "c", "meta": { "versionId": version },
                "code": { "text": version }, "subject": { "reference": "Patient/p1" } } })
    };
    let delete = json!({ "fullUrl": "https://e.org/Condition/c", "request": { "method": "DELETE", "url": "Condition/c" } });
    let text = |entries: Vec<Value>| {
        json!({ "resourceType": "Bundle", "type": "history", "entry": entries }).to_string().into_bytes()
    };
    let gone = import(&text(vec![delete.clone(), put("1")]), None).unwrap();
    assert_eq!((gone.entries.len(), gone.left_out.deleted), (0, 1));
    assert!(has(&gone, "Condition", FindingReason::Deleted));
    // A deletion that gives no address is of the one server that is spoken of.
    let bare = json!({ "request": { "method": "DELETE", "url": "Condition/c" } });
    assert_eq!(import(&text(vec![bare, put("1")]), None).unwrap().left_out.deleted, 1);
    let back = import(&text(vec![put("3"), delete, put("1")]), None).unwrap();
    assert_eq!((back.entries.len(), back.earlier, back.left_out.deleted), (1, 1, 0));
}

#[test]
fn versions_of_two_servers_or_two_inputs_are_not_compared() {
    let of = |base: &str, updated: &str| {
        let url = if base.is_empty() { json!(null) } else { json!(format!("{base}Condition/c")) };
        json!({ "resourceType": "Bundle", "entry": [{ "fullUrl": url, "resource": { "resourceType": "Condition",
            "id": "c", "meta": { "lastUpdated": updated }, "code": { "text": updated },
            "subject": { "reference": "urn:p" } } },
            { "fullUrl": "urn:p", "resource": ada() }] })
        .to_string()
    };
    for [one, other] in [["https://a.org/", "https://b.org/"], ["", ""]] {
        let (one, other) = (of(one, "2020-01-01T00:00:00Z"), of(other, "2024-01-01T00:00:00Z"));
        let imported = import_all(&[one.as_bytes(), other.as_bytes()], ImportOptions::default()).unwrap();
        let conditions = imported.entries.iter().filter(|entry| entry.identity.contains("Condition"));
        assert_eq!((conditions.count(), imported.earlier), (2, 0));
    }
}

#[test]
fn an_import_says_whom_it_found() {
    let imported =
        import(&bundle(&[ada(), observation("o", json!({ "reference": "Patient/p1" }))]), None).unwrap();
    let person = imported.person.unwrap();
    assert_eq!(imported.person_identities, ["Patient/p1"]);
    assert_eq!(person.names(), ["Ada Example"]);
    let same = Person::new(["ada example"], "1970-02-03".parse().ok());
    assert_eq!(person.compare(&same), Likeness::Same);
    assert_eq!(format!("{person:?}"), "Person");
    let imported = import(&bundle(&[ada()]), Some("Patient/p1")).unwrap();
    let printed = format!("{imported:?} {:?}", ImportOptions::for_patient("Patient/p1"));
    assert!(!printed.contains("p1") && !printed.contains("Ada"), "{printed}");
}

#[test]
fn the_same_files_twice_are_one_set() {
    let texts = [
        bundle(&[json!({ "resourceType": "Patient", "id": "a" })]),
        bundle(&[observation("o", json!({ "reference": "Patient/a" }))]),
    ];
    let twice = [&texts[0][..], &texts[1], &texts[0], &texts[1]];
    let imported = import_all(&twice, ImportOptions::default()).unwrap();
    assert_eq!((imported.entries.len(), imported.repetitions, imported.left_out.total()), (2, 2, 0));
}

#[test]
fn a_hundred_thousand_resources_and_people_take_linear_time() {
    let mut lines = String::new();
    for number in 0..50_000 {
        // All born on one day, with one name of the family, each referring to the next.
        lines += &format!(
            "{{\"resourceType\":\"Patient\",\"id\":\"{number}\",\"birthDate\":\"1970-02-03\",\
             \"name\":[{{\"family\":\"Example\",\"given\":[\"Ada{number}\"]}}]}}\n\
             {{\"resourceType\":\"Basic\",\"id\":\"{number}\",\"x\":{{\"reference\":\"Basic/{}\"}}}}\n",
            number + 1
        );
    }
    let start = std::time::Instant::now();
    assert_eq!(people(lines.as_bytes()), 50_000);
    let imported = import(lines.as_bytes(), Some("49999")).unwrap();
    assert_eq!(imported.entries.len(), 1);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

#[test]
fn what_is_really_about_somebody_else_is_left_out_of_every_type() {
    let people = [
        json!({ "resourceType": "Patient", "id": "mom", "name": [{ "text": "Ada Example" }] }),
        json!({ "resourceType": "Patient", "id": "baby", "name": [{ "text": "Baby Example" }] }),
    ];
    let about = |resource_type: &str, element: &str| {
        let mut resource = json!({ "resourceType": resource_type, "id": "x", "status": "completed",
            "subject": { "reference": "Patient/mom" }, "code": { "text": "Phototherapy of newborn" } });
        let other = json!({ "reference": "Patient/baby" });
        match element.split_once('.') {
            Some((outer, inner)) => resource[outer] = json!({ inner: other }),
            None => resource[element] = json!([other]),
        }
        resource
    };
    for (resource_type, element) in [
        ("Procedure", "focus"),
        ("ServiceRequest", "focus"),
        ("Communication", "about"),
        ("DocumentReference", "context.sourcePatientInfo"),
    ] {
        let theirs = about(resource_type, element);
        let lines = people.iter().chain([&theirs]).map(Value::to_string);
        let text = lines.collect::<Vec<_>>().join("\n");
        let imported = import(text.as_bytes(), Some("Patient/mom")).unwrap();
        assert_eq!(imported.entries.len(), 1, "{resource_type}.{element}");
    }
}

/// A condition of `p1` whose reference shows this.
fn shown(id: &str, display: &str) -> Value {
    json!({ "resourceType": "Condition", "id": id, "code": { "text": "Gout" },
        "subject": { "reference": "Patient/p1", "display": display } })
}

#[test]
fn a_reference_that_shows_another_name_is_found_and_another_spelling_is_not() {
    for other in ["John Other", "Bob Example", "Ada Other", "Baby Example", "Mother of Ada Example"] {
        let imported = import(&bundle(&[ada(), shown("a", "Ada Example"), shown("b", other)]), None).unwrap();
        assert_eq!(imported.named_otherwise, [other]);
        let path = "Condition.subject.display";
        let found = imported
            .findings
            .iter()
            .find(|finding| finding.path == path && finding.reason == FindingReason::NamedOtherwise);
        assert_eq!(found.unwrap().group(), subrosa::interop::FindingGroup::ChangesMeaning, "{other}");
    }
    for same in
        ["EXAMPLE, Ada", "Mrs. Ada Maria Example", "A. Example", "Ädä Éxample", "Patient", "Ada", "p1 77"]
    {
        let imported = import(&bundle(&[ada(), shown("a", same)]), None).unwrap();
        assert!(imported.named_otherwise.is_empty(), "{same}");
        assert!(!has(&imported, "Condition.subject.display", FindingReason::NamedOtherwise), "{same}");
    }
    // Of whom nothing else is known, the references are held against each other.
    let imported = import(&bundle(&[shown("a", "Ada Example"), shown("b", "John Other")]), None).unwrap();
    assert_eq!(imported.named_otherwise, ["John Other"]);
    // What refers to something else than the patient shows that thing's name.
    let device = json!({ "resourceType": "Device", "id": "d" });
    let of_device = json!({ "resourceType": "Observation", "id": "o", "status": "final", "code": { "text": "x" },
        "subject": { "reference": "Device/d", "display": "Thermometer" } });
    let imported = import(&bundle(&[ada(), shown("a", "Ada"), device, of_device]), None).unwrap();
    assert!(imported.named_otherwise.is_empty());
}

/// Each real file whose references show names: as it is none is another's, and with one
/// reference that shows another name it is found.
#[test]
fn real_references_show_the_patients_own_name() {
    let mut tried = 0;
    for name in ["fhir-bundles", "fhir-ips", "fhir-us-behavioral-health"] {
        let Ok(files) = fs::read_dir(folder().join("..").join(name)) else {
            eprintln!("SKIPPED: ../shared/data/{name} is absent");
            continue;
        };
        for file in files.map(|file| file.unwrap().path()) {
            let Ok(text) = fs::read(&file) else { continue };
            let Ok(imported) = import(&text, None) else { continue };
            assert!(
                imported.named_otherwise.is_empty(),
                "{}: {:?}",
                file.display(),
                imported.named_otherwise
            );
            let Ok(mut json) = serde_json::from_slice::<Value>(&text) else { continue };
            let is_named = imported.person.as_ref().is_some_and(|person| !person.names().is_empty());
            let Some(entries) = json["entry"].as_array_mut().filter(|_| is_named) else { continue };
            let conditions = entries.iter_mut().map(|entry| &mut entry["resource"]);
            let Some(condition) = conditions
                .filter(|one| one["resourceType"] == "Condition")
                .find(|one| one["subject"].is_object())
            else {
                continue;
            };
            condition["subject"]["display"] = json!("Quentin Quux-Otherperson");
            let changed = import(json.to_string().as_bytes(), None).unwrap();
            assert_eq!(changed.named_otherwise, ["Quentin Quux-Otherperson"], "{}", file.display());
            tried += 1;
        }
    }
    assert!(tried > 0 || !folder().exists(), "no real bundle was tried");
}

#[test]
fn a_birth_date_that_cannot_be_read_is_said() {
    for born in [json!("12/03/1980"), json!("unknown"), json!(1980), json!({ "text": "x" })] {
        let mut patient = ada();
        patient["birthDate"] = born.clone();
        let imported = import(&bundle(&[patient]), None).unwrap();
        assert!(imported.person.as_ref().unwrap().has_unreadable_birth_date(), "{born}");
        let finding = imported.findings.iter().find(|finding| finding.path == "Patient.birthDate").unwrap();
        assert_eq!(finding.group(), subrosa::interop::FindingGroup::ChangesMeaning, "{born}");
    }
    for born in [json!("1980-03-12"), json!("1980"), Value::Null] {
        let mut patient = ada();
        patient["birthDate"] = born.clone();
        let imported = import(&bundle(&[patient]), None).unwrap();
        assert!(!imported.person.unwrap().has_unreadable_birth_date(), "{born}");
    }
}
