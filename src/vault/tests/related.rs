//! A fact is not a row: what else tells of it is found before it is destroyed.

use super::basics::{key, options};
use crate::vault::Shared;
use crate::*;

fn vault_of(lines: &[&str]) -> (Vault, Vec<EntryId>) {
    let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
    let mut ids = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let mut import = Import::new(ImportOptions::default());
        import.read(Some(&format!("{number}.json")), line.as_bytes()).unwrap();
        let report = super::take_all(&vault, &Actor::owner(), &import.finish().unwrap()).unwrap();
        ids.extend(report.added.into_iter().chain(report.kept_raw));
    }
    assert_eq!(ids.len(), lines.len());
    (vault, ids)
}

fn related(vault: &Vault, id: EntryId) -> Vec<(EntryId, Vec<Shared>)> {
    vault.related(id).unwrap().into_iter().map(|related| (related.id, related.shares)).collect()
}

fn sorted(mut related: Vec<(EntryId, Vec<Shared>)>) -> Vec<(EntryId, Vec<Shared>)> {
    related.sort_by_key(|(id, _)| *id);
    related
}

#[test]
fn a_claim_a_note_and_a_visit_that_tell_of_a_diagnosis_are_found_and_nothing_else() {
    let diagnosis = r#"{"resourceType":"Condition","id":"1","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"F33.1"}],"text":"Recurrent melancholia"}}"#;
    let claim = r#"{"resourceType":"Claim","id":"2","status":"active","diagnosis":[{"sequence":1,"diagnosisCodeableConcept":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"F33.1"}]}}]}"#;
    let note = r#"{"resourceType":"DocumentReference","id":"3","status":"current","description":"Seen for RECURRENT melancholia in May","content":[{"attachment":{"title":"letter"}}]}"#;
    let visit = r#"{"resourceType":"Encounter","id":"4","status":"finished","class":{"code":"AMB"},"reasonCode":[{"text":"recurrent melancholia"}]}"#;
    let other = r#"{"resourceType":"Condition","id":"5","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"J45.909"}],"text":"Asthma"}}"#;
    let (vault, ids) = vault_of(&[diagnosis, claim, note, visit, other]);
    let expected =
        vec![(ids[1], vec![Shared::Code]), (ids[2], vec![Shared::Words]), (ids[3], vec![Shared::Words])];
    assert_eq!(sorted(related(&vault, ids[0])), sorted(expected));
    assert_eq!(related(&vault, ids[4]), []);
}

#[test]
fn a_drug_is_found_by_its_name_without_strength_and_form() {
    let drug = r#"{"resourceType":"MedicationRequest","id":"1","status":"active","intent":"order","medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"1049221","display":"24 HR Naltrexone 50 MG Oral Tablet"}]}}"#;
    let bill = r#"{"resourceType":"ExplanationOfBenefit","id":"2","status":"active","item":[{"sequence":1,"productOrService":{"text":"naltrexone, 30 pills"}}]}"#;
    let tablet = r#"{"resourceType":"MedicationRequest","id":"3","status":"active","intent":"order","medicationCodeableConcept":{"text":"Lisinopril 10 MG Oral Tablet"}}"#;
    let (vault, ids) = vault_of(&[drug, bill, tablet]);
    assert_eq!(related(&vault, ids[0]), [(ids[1], vec![Shared::Drug])]);
    assert_eq!(related(&vault, ids[2]), []);
    assert_eq!(vault.related(EntryId::from_bytes([9; 16])).err().unwrap().code(), "no-such-entry");
}

#[test]
fn what_refers_to_an_entry_comes_first_in_both_directions_and_within_its_source() {
    let bundle = |base: &str| {
        let visit = r#"{"resourceType":"Encounter","id":"1","status":"finished","class":{"code":"AMB"},"type":[{"text":"Visit"}]}"#;
        let diagnosis = r#"{"resourceType":"Condition","id":"1","code":{"text":"Melancholia"},"encounter":{"reference":"Encounter/1"}}"#;
        let claim = r#"{"resourceType":"Claim","id":"1","status":"active","diagnosis":[{"diagnosisReference":{"reference":"Condition/1/_history/2"}}]}"#;
        let letter = r#"{"resourceType":"DocumentReference","id":"1","status":"current","description":"Letter","content":[{"attachment":{"url":"Binary/1"}}]}"#;
        let file = r#"{"resourceType":"Binary","id":"1","contentType":"text/plain","data":"%"}"#;
        let entries: Vec<String> = [visit, diagnosis, claim, letter, file]
            .iter()
            .map(|resource| {
                let name = resource.split('"').nth(3).unwrap();
                match base {
                    "" => format!(r#"{{"resource":{resource}}}"#),
                    base => format!(r#"{{"fullUrl":"{base}{name}/1","resource":{resource}}}"#),
                }
            })
            .collect();
        format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{}]}}"#, entries.join(","))
    };
    for base in ["", "https://e.org/fhir/", "https://other.org/"] {
        let vault = Vault::create_in_memory(&NewVault::individual(&key(1)), options()).unwrap();
        let mut ids = Vec::new();
        // Another source has the same names for others.
        for (file, base) in [("a.json", "https://third.org/"), ("b.json", base)] {
            let mut import = Import::new(ImportOptions::default());
            let text = bundle(base).replace("Melancholia", &format!("Melancholia of {file}"));
            import.read(Some(file), text.as_bytes()).unwrap();
            let report = super::take_all(&vault, &Actor::owner(), &import.finish().unwrap()).unwrap();
            ids = report.added.into_iter().chain(report.kept_raw).collect();
            assert_eq!(ids.len(), 5);
        }
        let [visit, diagnosis, letter, claim, file] = ids[..] else { panic!() };
        let by_reference = |id: EntryId| {
            let of = |(other, shares): (EntryId, Vec<Shared>)| {
                shares.contains(&Shared::Reference).then_some(other)
            };
            related(&vault, id).into_iter().map_while(of).collect::<Vec<_>>()
        };
        assert_eq!(by_reference(diagnosis), [claim], "{base}: not the visit, which is where it was");
        assert_eq!(by_reference(claim), [diagnosis], "{base}");
        assert_eq!((by_reference(letter), by_reference(file)), (vec![file], vec![letter]), "{base}");
        assert_eq!(by_reference(visit), [], "{base}");
    }
}
