//! What resources come wrapped in, and lines that are damaged: what can be read comes
//! in, what cannot is named.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use subrosa::interop::{FindingGroup, FindingReason, ImportError, Imported, Piece};
use subrosa::{Import, ImportOptions};

use crate::support::{case, folder};

fn import(text: &[u8]) -> Result<Imported, ImportError> {
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("input"), text)?;
    import.finish()
}

/// The original bytes of the entries, in order.
fn originals(imported: &Imported) -> Vec<&[u8]> {
    imported.entries.iter().map(|entry| entry.entry.source.as_ref().unwrap().bytes.as_slice()).collect()
}

/// The input, from its pieces.
fn rebuilt(imported: &Imported) -> Vec<u8> {
    let originals = originals(imported);
    let pieces = imported.documents.iter().flat_map(|document| &document.pieces);
    pieces
        .flat_map(|piece| match piece {
            Piece::Gap(bytes) => bytes.clone(),
            Piece::Resource(position) => originals[*position].to_vec(),
            Piece::File { entry, version: None, file } => {
                imported.entries[*entry].entry.source.as_ref().unwrap().files[*file].bytes.clone()
            }
            _ => unreachable!(),
        })
        .collect()
}

/// The findings about places in the text, not about elements.
fn unread(imported: &Imported) -> Vec<(String, FindingReason)> {
    let findings = imported.findings.iter().filter(|finding| finding.reason.is_unreadable());
    let findings = findings.filter(|finding| finding.path != "item");
    findings.map(|finding| (finding.path.clone(), finding.reason)).collect()
}

/// Files of `../shared/data` with this ending; none, said loudly, where it is absent.
fn real(folders: &[&str], extension: &str) -> Vec<PathBuf> {
    let data = folder().join("..");
    let mut found = Vec::new();
    for name in folders {
        let Ok(files) = fs::read_dir(data.join(name)) else {
            eprintln!("SKIPPED: {name} is absent, so this test proves nothing");
            continue;
        };
        let files = files.map(|file| file.unwrap().path());
        found.extend(files.filter(|file| file.extension().is_some_and(|found| found == extension)));
    }
    found.sort();
    found
}

#[test]
fn parameters_hand_over_the_bundle_in_them() {
    let Some(text) = case("parameters.json") else { return };
    let imported = import(&text).unwrap();
    let types: Vec<_> = imported.entries.iter().map(|entry| entry.entry.kind().name()).collect();
    assert_eq!(types, ["patient", "observation"]);
    assert_eq!(rebuilt(&imported), text);
}

#[test]
fn a_line_with_half_a_character_is_named_and_the_others_come_in() {
    let Some(text) = case("lone-surrogate.ndjson") else { return };
    let imported = import(&text).unwrap();
    assert_eq!((imported.entries.len(), imported.left_out.unreadable), (2, 1));
    assert_eq!(unread(&imported), [("line 3".to_owned(), FindingReason::LoneSurrogate)]);
    assert_eq!(rebuilt(&imported), text);
}

#[test]
fn half_a_character_in_the_only_document_is_named_with_its_byte() {
    let text = br#"{"resourceType":"Basic","id":"a\ud83d"}"#;
    let error = import(text).unwrap_err().to_string();
    assert!(error.contains("byte 31") && error.contains("half of a character"), "{error}");
}

#[test]
fn a_line_without_a_type_is_named_and_the_others_come_in() {
    let Some(text) = case("line-without-type.ndjson") else { return };
    let imported = import(&text).unwrap();
    assert_eq!((imported.entries.len(), imported.left_out.unreadable), (41, 1));
    assert_eq!(unread(&imported), [("line 31".to_owned(), FindingReason::NotAResource)]);
    assert_eq!(rebuilt(&imported), text);
}

#[test]
fn a_byte_order_mark_in_the_middle_is_no_damage() {
    let Some(text) = case("bom-twice.ndjson") else { return };
    let imported = import(&text).unwrap();
    assert_eq!((imported.entries.len(), unread(&imported)), (2, vec![]));
    assert_eq!(rebuilt(&imported), text);
}

#[test]
fn a_line_may_be_as_long_as_the_input_and_its_resource_as_large_as_an_entry() {
    let line = |id: &str, length: usize| {
        format!(r#"{{"resourceType":"Basic","id":"{id}","x":"{}"}}"#, "A".repeat(length)) + "\n"
    };
    let text = line("a", 1) + &line("b", 49 << 20) + &line("c", 1);
    let imported = import(text.as_bytes()).unwrap();
    assert_eq!((imported.entries.len(), imported.resources), (2, 3));
    assert_eq!(unread(&imported), [("Basic".to_owned(), FindingReason::ResourceTooLarge)]);
    assert_eq!(rebuilt(&imported), text.as_bytes());
}

/// Wraps a bundle in each way that is known.
fn wrappings(bundle: &Value) -> Vec<(&'static str, Value)> {
    let inside_out = |entry: &Value| {
        let mut resource = entry["resource"].clone();
        if let Some(url) = entry.get("fullUrl") {
            resource["fullUrl"] = url.clone();
        }
        resource
    };
    let entries = bundle["entry"].as_array().unwrap();
    let mut turned = bundle.clone();
    turned["entry"] = entries.iter().map(inside_out).collect();
    let parameter = json!({"name": "return", "resource": bundle});
    let nested = json!({"name": "outer", "part": [{"name": "inner", "part": [parameter]}]});
    vec![
        ("an entry of a bundle", json!({"resourceType": "Bundle", "entry": [{"resource": bundle}]})),
        ("entry as an object", json!({"resourceType": "Bundle", "entry": {"resource": bundle}})),
        ("a bundle that is the entry", json!({"resourceType": "Bundle", "entry": [bundle]})),
        ("Parameters", json!({"resourceType": "Parameters", "parameter": [parameter]})),
        ("Parameters with an object", json!({"resourceType": "Parameters", "parameter": parameter})),
        ("nested parts", json!({"resourceType": "Parameters", "parameter": [nested]})),
        ("an array", json!([bundle])),
        ("an entry by itself", json!({"resource": bundle})),
        ("a health card's payload", json!({"vc": {"credentialSubject": {"fhirBundle": bundle}}})),
        ("fhirBundle", json!({"fhirBundle": bundle})),
        ("resources as entries", turned),
    ]
}

#[test]
fn a_wrapper_changes_no_entry() {
    for file in real(&["fhir-bundles", "fhir-ips", "fhir-r4-examples"], "json") {
        let bundle: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        if bundle["resourceType"] != "Bundle" || !bundle["entry"].is_array() {
            continue;
        }
        let Ok(plain) = import(bundle.to_string().as_bytes()) else { continue };
        let facts = |imported: &Imported| -> Vec<_> {
            let entries = imported.entries.iter();
            entries.map(|it| (it.identity.clone(), it.document.clone(), it.entry.kind())).collect()
        };
        for (what, wrapped) in wrappings(&bundle) {
            let text = wrapped.to_string();
            let imported = import(text.as_bytes()).unwrap_or_else(|error| panic!("{what}: {error}"));
            if what != "resources as entries" {
                assert!(originals(&imported) == originals(&plain), "{what}: {}", file.display());
            }
            assert!(facts(&imported) == facts(&plain), "{what}: {}", file.display());
            assert!(rebuilt(&imported) == text.as_bytes(), "{what}: {}", file.display());
        }
    }
}

#[test]
fn what_a_wrapper_holds_beside_resources_is_said() {
    let text = json!({"resourceType": "Parameters", "parameter": [
        {"name": "a", "resource": {"resourceType": "Basic"}},
        {"name": "b", "valueString": "x"},
        {"name": "c", "part": [{"name": "d", "valueBoolean": true}]},
    ]});
    let imported = import(text.to_string().as_bytes()).unwrap();
    let not_taken = |imported: &Imported| {
        let found = imported.findings.iter().filter(|finding| finding.reason == FindingReason::NotTaken);
        found.map(|finding| (finding.path.clone(), finding.count)).collect::<Vec<_>>()
    };
    let path = |path: &str| (path.to_owned(), 1);
    let parameter = |name: &str| path(&format!("Parameters.parameter.{name}"));
    assert_eq!(not_taken(&imported), [parameter("valueBoolean"), parameter("valueString")]);
    // No member of a wrapper that nobody read is passed over in silence.
    let entry = json!({"fullUrl": "urn:uuid:1", "more": "words", "search": {"mode": "match"},
        "resource": {"resourceType": "Basic"}});
    let bundle = json!({"resourceType": "Bundle", "id": "b", "_id": {"x": 1}, "type": "collection", "extra": {"a": "b"},
        "none": null, "empty": [], "entry": [entry]});
    let members = [path("Bundle.entry.more"), path("Bundle.extra")];
    assert_eq!(not_taken(&import(bundle.to_string().as_bytes()).unwrap()), members);
    assert_eq!(not_taken(&import(entry.to_string().as_bytes()).unwrap()), members[..1]);
    let groups = import(bundle.to_string().as_bytes()).unwrap().findings;
    let group = groups.iter().find(|finding| finding.reason == FindingReason::NotTaken).unwrap().group();
    assert_eq!(group, FindingGroup::ChangesMeaning);
    let text = json!({"resourceType": "Bundle", "entry": [
        {"fullUrl": "urn:uuid:1"}, {"resource": {"resourceType": "Basic"}}, {}, null,
    ]});
    let imported = import(text.to_string().as_bytes()).unwrap();
    let of = |reason| {
        let found = imported.findings.iter().filter(|finding| finding.reason == reason);
        found.map(|finding| (finding.path.as_str(), finding.count)).collect::<Vec<_>>()
    };
    assert_eq!(of(FindingReason::NoResource), [("Bundle.entry", 1)]);
    assert_eq!(of(FindingReason::EmptyEntry), [("Bundle.entry", 2)]);
    let imported = import(br#"[{"resourceType":"Basic"},{"id":"x"},7]"#).unwrap();
    let items = imported.findings.iter().find(|finding| finding.path == "item").unwrap();
    assert_eq!((items.reason, items.count), (FindingReason::NotAResource, 2));
}

#[test]
fn a_signed_health_card_is_refused_by_its_name() {
    let error = import(br#"{"verifiableCredential":["eyJ6aXAiOiJERUYi"]}"#).unwrap_err();
    assert!(matches!(error, ImportError::HealthCard));
}

/// The lines of a file about one patient, few enough to damage each in turn.
fn lines_of_one_person(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.iter().any(|line| !line.contains("\"resourceType\"")) {
        return Vec::new();
    }
    let mut all = Import::new(ImportOptions::default());
    all.read(Some("input"), text.as_bytes()).unwrap();
    if let Err(ImportError::SeveralPatients { patients }) = all.finish() {
        let id = patients.iter().next().unwrap().rsplit('/').next().unwrap().to_owned();
        lines.retain(|line| line.contains(&id));
    }
    lines.truncate(6);
    lines
}

/// How a line is damaged, and what is said of it then.
fn damages(line: &str) -> Vec<(String, FindingReason)> {
    let end = line.char_indices().nth(line.chars().count() / 2).unwrap().0;
    let surrogate = line.replacen("\"resourceType\"", "\"x\":\"\\ud83d\",\"resourceType\"", 1);
    vec![
        (line[..end].to_owned(), FindingReason::CutOff),
        (surrogate, FindingReason::LoneSurrogate),
        (line.replacen("\"resourceType\"", "\"resourcetype\"", 1), FindingReason::NotAResource),
        ("x".to_owned(), FindingReason::NotJson),
        (format!("{line},"), FindingReason::NotJson),
    ]
}

#[test]
fn a_damaged_line_costs_that_line_only_and_is_named() {
    for file in real(&["fhir-bulk"], "ndjson") {
        let lines = lines_of_one_person(&file);
        if lines.len() < 2 {
            continue;
        }
        for at in 0..lines.len() {
            for (damaged, reason) in damages(&lines[at]) {
                let mut text: Vec<&str> = lines.iter().map(String::as_str).collect();
                text[at] = &damaged;
                // The first line, when it is not an object, says what the others are.
                if at == 0 && damaged == "x" {
                    continue;
                }
                let ends = ["\n", "\r\n", "\n\n"];
                for end in ends {
                    let whole = text.join(end);
                    let what = format!("{} line {at} {reason:?}", file.display());
                    let imported = import(whole.as_bytes()).unwrap_or_else(|error| panic!("{what}: {error}"));
                    let number = 1 + at * if end == "\n\n" { 2 } else { 1 };
                    assert_eq!(unread(&imported), [(format!("line {number}"), reason)], "{what}");
                    assert_eq!(imported.entries.len(), lines.len() - 1, "{what}");
                    assert!(rebuilt(&imported) == whole.as_bytes(), "{what}");
                }
            }
        }
    }
}

#[test]
fn a_file_that_is_empty_or_cut_off_is_refused_as_that() {
    for blank in ["", "\n", " \r\n\t", "\u{feff}\n"] {
        assert!(matches!(import(blank.as_bytes()), Err(ImportError::Empty)), "{blank:?}");
    }
    for file in real(&["fhir-bundles"], "json") {
        let text = fs::read(&file).unwrap();
        for end in [1, text.len() / 3, text.len() / 2, text.trim_ascii_end().len() - 1] {
            let refused = import(&text[..end]).unwrap_err();
            assert!(matches!(refused, ImportError::CutOff { .. }), "{} at {end}: {refused}", file.display());
        }
    }
}

#[test]
fn byte_order_marks_anywhere_between_resources_cost_nothing() {
    for file in real(&["fhir-bulk"], "ndjson") {
        let lines = lines_of_one_person(&file);
        if lines.len() < 2 {
            continue;
        }
        for text in [
            lines.join("\n\u{feff}"),
            lines.join("\u{feff}"),
            lines.join(""),
            format!("\u{feff}\u{feff}{}\u{feff}", lines.join("\r\n \u{feff} ")),
        ] {
            let imported = import(text.as_bytes()).unwrap();
            assert_eq!((imported.entries.len(), unread(&imported)), (lines.len(), vec![]));
            assert!(rebuilt(&imported) == text.as_bytes());
        }
    }
}

#[test]
fn bundles_one_after_another_all_come_in() {
    let bundle = |id: &str| {
        let resource = json!({"resourceType": "Basic", "id": id});
        json!({"resourceType": "Bundle", "entry": [{"resource": resource}]})
    };
    let lines = format!("{}\n{}\n", bundle("a"), bundle("b"));
    let joined = format!("{:#}\n\u{feff}{:#}", bundle("a"), bundle("b"));
    for text in [lines, joined] {
        let imported = import(text.as_bytes()).unwrap();
        assert_eq!((imported.entries.len(), unread(&imported)), (2, vec![]));
        assert!(rebuilt(&imported) == text.as_bytes());
    }
    // The second of two files was cut off: it begins on line 11 of both.
    let first = format!("{:#}\n", bundle("a"));
    let number = first.lines().count() + 1;
    let imported = import(format!("{first}{{\"resourceType\":\n\"Bundle\"").as_bytes()).unwrap();
    assert_eq!(unread(&imported), [(format!("line {number}"), FindingReason::CutOff)]);
}

#[test]
fn lines_of_several_inputs_are_named_with_their_input() {
    let mut import = Import::new(ImportOptions::default());
    import.read(None, b"{\"resourceType\":\"Basic\"}\n{\n".as_slice()).unwrap();
    import.read(None, b"{\"resourceType\":\"Flag\"}\n\n{}\n".as_slice()).unwrap();
    let imported = import.finish().unwrap();
    let expected = [
        ("input 1, line 2".to_owned(), FindingReason::CutOff),
        ("input 2, line 3".to_owned(), FindingReason::NotAResource),
    ];
    assert_eq!(unread(&imported), expected);
}

#[test]
fn a_bundle_that_is_a_part_says_so_first() {
    let basic = json!({"resource": {"resourceType": "Basic"}});
    let found = |bundle: Value| {
        let imported = import(bundle.to_string().as_bytes()).unwrap();
        let grave =
            imported.findings.iter().filter(|finding| finding.group() == FindingGroup::ChangesMeaning);
        grave.map(|finding| (finding.path.clone(), finding.reason)).collect::<Vec<_>>()
    };
    let bundle = |more: Value| {
        let mut bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": [basic]});
        let members = more.as_object().unwrap().clone();
        bundle.as_object_mut().unwrap().extend(members);
        bundle
    };
    let nobody = ("Basic".to_owned(), FindingReason::NamesNobody);
    let said = |path: &str, reason| vec![nobody.clone(), (path.to_owned(), reason)];
    let pages = FindingReason::MorePages;
    let next = json!({"link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]});
    let in_order = |mut found: Vec<(String, FindingReason)>| {
        found.sort();
        found
    };
    let cases = [
        (next, said("Bundle.link", pages)),
        (json!({"link": {"relation": "next", "url": "y"}}), said("Bundle.link", pages)),
        (json!({"total": 2}), said("Bundle.total", pages)),
        (json!({"total": 1, "link": [{"relation": "self", "url": "x"}]}), vec![nobody.clone()]),
        (
            json!({"entry": [basic, {"response": {"status": "404 Not Found"}}]}),
            said("Bundle.entry.response", FindingReason::Refused),
        ),
        (json!({"entry": [basic, {"response": {"status": "204"}}]}), vec![nobody.clone()]),
        (
            json!({"entry": [basic, {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}}]}),
            said("OperationOutcome", FindingReason::Refused),
        ),
    ];
    for (more, expected) in cases {
        assert_eq!(in_order(found(bundle(more.clone()))), in_order(expected), "{more}");
    }
}
