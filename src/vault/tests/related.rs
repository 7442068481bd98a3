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
