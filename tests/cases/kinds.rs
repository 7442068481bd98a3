//! What resources of each type say, as fields.

use std::fs;

use serde_json::{Value, json};
use subrosa::interop::{FindingReason, Imported};
use subrosa::record::{Component, Concept, Location, Other, Party, Scalar};
use subrosa::{Entry, Import, ImportOptions, Record};

use crate::support::folder;

fn import(resources: &[Value]) -> Imported {
    let entries: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
    read(json!({"resourceType": "Bundle", "type": "collection", "entry": entries}).to_string().as_bytes())
}

fn read(text: &[u8]) -> Imported {
    let mut import = Import::new(ImportOptions::default());
    import.read(Some("input"), text).unwrap();
    import.finish().unwrap()
}

/// The entry of the last of these resources.
fn last(resources: &[Value]) -> Entry {
    import(resources).entries.pop().unwrap().entry
}

fn other(resources: &[Value]) -> Other {
    match last(resources).record {
        Record::Other(other) => *other,
        record => panic!("{record:?}"),
    }
}

/// An example of HL7, or `None`, said loudly, where the data is absent.
fn example(name: &str) -> Option<Other> {
    let path = folder().join("../fhir-r4-examples").join(name);
    let Ok(text) = fs::read(&path) else {
        eprintln!("SKIPPED: {} is absent, so this test proves nothing", path.display());
        return None;
    };
    match read(&text).entries.pop().unwrap().entry.record {
        Record::Other(other) => Some(*other),
        record => panic!("{record:?}"),
    }
}

fn titles(concepts: &[Concept]) -> Vec<&str> {
    concepts.iter().map(|concept| concept.title().unwrap()).collect()
}

fn names(parties: &[Party]) -> Vec<(Option<&str>, Option<&str>)> {
    parties
        .iter()
        .map(|party| {
            (party.role.as_ref().map(|role| role.as_str()), party.name.as_ref().map(|name| name.as_str()))
        })
        .collect()
}

fn answer(component: &Component) -> (String, String) {
    let said = match component.value.as_ref() {
        Some(Scalar::Concept(concept)) => concept.title().unwrap().to_owned(),
        Some(Scalar::Quantity(quantity)) => quantity.to_line().unwrap(),
        Some(Scalar::Date(date)) => date.as_str().to_owned(),
        Some(Scalar::Text(text)) => text.as_str().to_owned(),
        Some(Scalar::Boolean(flag)) => flag.to_string(),
        _ => String::new(),
    };
    (component.code.title().unwrap_or_default().to_owned(), said)
}

fn answers(components: &[Component]) -> Vec<(String, String)> {
    components.iter().map(answer).collect()
}

fn pair(one: &str, other: &str) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

fn text(words: &str) -> Value {
    json!({"text": words})
}

fn condition() -> Value {
    json!({"resourceType": "Condition", "id": "c", "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm",
        "code": "F11.20", "display": "Opioid dependence"}]}})
}

#[test]
fn every_diagnosis_service_and_date_of_a_claim_is_a_field() {
    let request = json!({"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order",
        "medicationCodeableConcept": text("Buprenorphine")});
    let claim = json!({"resourceType": "Claim", "id": "x", "status": "active", "use": "claim",
        "type": text("professional"), "subType": text("outpatient"), "created": "2024-03-09",
        "billablePeriod": {"start": "2024-03-01", "end": "2024-03-08"},
        "provider": {"display": "Dr. Bird"}, "insurer": {"display": "Acme"},
        "careTeam": [{"sequence": 1, "provider": {"display": "Ann Fox"}, "role": text("assist")}],
        "prescription": {"reference": "MedicationRequest/m"},
        "diagnosis": [{"sequence": 1, "diagnosisReference": {"reference": "Condition/c"},
                "packageCode": text("DRG 897")},
            {"sequence": 2, "diagnosisCodeableConcept": text("Anxiety")}],
        "procedure": [{"sequence": 1, "procedureCodeableConcept": text("Group therapy"), "date": "2024-03-02"}],
        "supportingInfo": [{"sequence": 1, "category": text("info"), "valueString": "seen twice"}],
        "item": [{"sequence": 1, "productOrService": text("Counselling"), "servicedDate": "2024-03-02",
            "modifier": [text("HF")], "locationCodeableConcept": text("Detox unit"),
            "net": {"value": 80, "currency": "USD"}, "encounter": [{"reference": "Encounter/e"}],
            "detail": [{"sequence": 1, "revenue": text("Room"), "productOrService": text("Bed"),
                "subDetail": [{"sequence": 1, "productOrService": text("Linen")}]}]}]});
    let imported = import(&[condition(), request, claim]);
    let Record::Other(claim) = &imported.entries[2].entry.record else { panic!() };
    assert_eq!(titles(&claim.diagnoses), ["Opioid dependence", "Anxiety"]);
    assert_eq!(claim.diagnoses[0].codings[0].code.as_ref().unwrap().as_str(), "F11.20");
    assert_eq!(titles(&claim.services), ["Group therapy", "DRG 897", "Buprenorphine"]);
    assert_eq!(titles(&claim.categories), ["outpatient"]);
    let expected = [
        pair("Counselling", "2024-03-02"),
        pair("Counselling", "HF"),
        pair("Counselling", "Detox unit"),
        pair("Bed", "Room"),
        pair("Linen", ""),
        pair("info", "seen twice"),
    ];
    assert_eq!(answers(&claim.details), expected);
    assert_eq!(names(&claim.parties), [(Some("insurer"), Some("Acme")), (Some("assist"), Some("Ann Fox"))]);
    assert_eq!(claim.author.as_ref().unwrap().name.as_ref().unwrap().as_str(), "Dr. Bird");
    let dates = [&claim.start, &claim.end, &claim.recorded].map(|date| date.as_ref().unwrap().as_str());
    assert_eq!(dates, ["2024-03-01", "2024-03-08", "2024-03-09"]);
    assert_eq!(claim.encounter.as_ref().unwrap().as_str(), "Encounter/e");
    let unread: Vec<&str> = imported.findings.iter().map(|finding| finding.path.as_str()).collect();
    assert!(unread.contains(&"Claim.item.net.value") && unread.contains(&"Claim.procedure.date"));
    assert!(imported.findings.iter().all(|finding| finding.reason != FindingReason::KeptRaw));
}

#[test]
fn claims_of_other_versions_say_the_same() {
    let old = json!({"resourceType": "Claim", "id": "x", "type": "institutional",
        "diagnosis": [{"sequence": 1, "diagnosis": {"system": "http://hl7.org/fhir/sid/icd-10", "code": "F32.1"}}],
        "item": [{"sequence": 1, "type": {"code": "service"}, "service": {"code": "90837"}, "serviceDate": "2015-05-05"}]});
    let claim = other(&[old]);
    assert_eq!(titles(&claim.diagnoses), ["F32.1"]);
    assert_eq!(answers(&claim.details), [pair("90837", "2015-05-05"), pair("90837", "service")]);
    let bill = json!({"resourceType": "ExplanationOfBenefit", "id": "x", "status": "active",
        "outcome": "complete", "disposition": "Paid in full", "information": [{"category": text("onset"),
        "timingDate": "2018-01-02"}], "addItem": [{"productOrService": text("Naloxone")}],
        "item": [{"service": text("Visit"), "servicedPeriod": {"start": "2018-01-02", "end": "2018-01-03"}}]});
    let bill = other(&[bill]);
    assert_eq!(
        answers(&bill.details),
        [
            pair("Visit", "2018-01-02"),
            pair("Visit", "2018-01-03"),
            pair("Naloxone", ""),
            pair("onset", "2018-01-02")
        ]
    );
    assert_eq!((bill.outcome.unwrap().title(), bill.notes[0].as_str()), (Some("complete"), "Paid in full"));
}

#[test]
fn what_is_denied_elsewhere_is_marked_on_a_claim() {
    let mut refuted = condition();
    refuted["verificationStatus"] = json!({"coding": [{"code": "refuted"}]});
    let claim = json!({"resourceType": "Claim", "id": "x", "status": "active",
        "diagnosis": [{"diagnosisReference": {"reference": "Condition/c"}}]});
    let entry = last(&[refuted, claim]);
    assert_eq!(entry.not_understood[0].as_str(), "Claim.diagnosis.diagnosisReference");
}

#[test]
fn a_consent_says_to_whom_and_for_what_and_never_permits_what_is_denied() {
    let consent = json!({"resourceType": "Consent", "id": "x", "status": "active", "scope": text("privacy"),
        "dateTime": "2024-01-02", "performer": [{"display": "Ann"}], "organization": [{"display": "Clinic"}],
        "sourceAttachment": {"title": "form", "data": "SGVsbG8=", "contentType": "text/plain"},
        "policyRule": text("opt in"),
        "provision": {"type": "permit", "period": {"start": "2024", "end": "2025"},
            "actor": [{"role": text("recipient"), "reference": {"display": "Dr. Bird"}}],
            "action": [text("disclose")], "purpose": [{"code": "TREAT"}]}});
    let permitted = other(std::slice::from_ref(&consent));
    assert_eq!(permitted.decision.as_ref().unwrap().as_str(), "permit");
    let expected = [
        (Some("recipient"), Some("Dr. Bird")),
        (Some("organization"), Some("Clinic")),
        (Some("performer"), Some("Ann")),
    ];
    assert_eq!(names(&permitted.parties), expected);
    let expected = [
        pair("action", "disclose"),
        pair("purpose", "TREAT"),
        pair("valid", "2024 – 2025"),
        pair("policy rule", "opt in"),
    ];
    assert_eq!(answers(&permitted.details), expected);
    assert!(matches!(permitted.attachments[0].location, Some(Location::InSource(_))));
    let mut nested = consent.clone();
    nested["provision"]["provision"] = json!([{"type": "deny"}]);
    assert!(!last(&[nested.clone()]).not_understood.is_empty());
    nested["provision"]["provision"] = json!([{"purpose": [{"code": "HMARKT"}]}]);
    assert!(!last(&[nested]).not_understood.is_empty(), "an exception of whatever sort");
    let mut denied = consent;
    denied["provision"] = json!({"type": "deny"});
    assert_eq!(other(&[denied]).decision.unwrap().as_str(), "deny");
}

#[test]
fn who_made_a_record_and_who_saw_it_is_said_as_its_source_reports_it() {
    let Some(made) = example("Provenance-example.json") else { return };
    assert_eq!(titles(&made.reasons), ["Referral"]);
    assert_eq!(
        (made.start.unwrap().as_str(), made.recorded.unwrap().as_str()),
        ("2015-06-27", "2015-06-27T08:39:24+10:00")
    );
    assert_eq!(made.targets[0].as_str(), "Procedure/example/_history/1");
    assert_eq!(made.author.unwrap().reference.unwrap().as_str(), "Practitioner/xcda-author");
    assert_eq!(made.parties.len(), 3);
    let Some(seen) = example("AuditEvent-example-disclosure.json") else { return };
    assert_eq!(seen.title.unwrap().as_str(), "reported by source");
    assert_eq!((titles(&seen.categories), seen.status), (vec!["HIPAA disclosure"], None));
    assert_eq!(titles(&seen.reasons), ["healthcare marketing", "healthcare marketing"]);
    assert_eq!(seen.parties[0].name.as_ref().unwrap().as_str(), "That guy everyone wishes would be caught");
    assert!(answers(&seen.details).contains(&pair("security label", "very restricted")));
    let failed = json!({"resourceType": "AuditEvent", "id": "x", "recorded": "2024", "outcome": "8",
        "type": {"code": "rest", "display": "RESTful Operation"}});
    assert_eq!(last(&[failed]).record.negation().unwrap().words, ["failed"]);
}

#[test]
fn what_a_clinician_considers_is_read_with_its_likelihood() {
    let Some(impression) = example("ClinicalImpression-example.json") else { return };
    assert_eq!(impression.diagnoses[0].codings[0].code.as_ref().unwrap().as_str(), "850.0");
    assert!(impression.notes[1].as_str().starts_with("provisional diagnoses"));
    assert_eq!(answers(&impression.details)[3], pair("Initial Examination", "restless"));
    assert_eq!((titles(&impression.reasons), impression.start.is_some()), (vec!["MVA"], true));
    let Some(risk) = example("RiskAssessment-riskexample.json") else { return };
    assert_eq!(
        answers(&risk.predictions),
        [pair("Breast Cancer", "0.000368"), pair("Breast Cancer", "54 – 57 years (a)")]
    );
    let unsaid = json!({"resourceType": "RiskAssessment", "id": "x", "status": "final",
        "prediction": [{"outcome": text("Suicide")}]});
    assert!(other(&[unsaid]).predictions.is_empty(), "without a likelihood it would read as come");
    let ruled_out = json!({"resourceType": "ClinicalImpression", "id": "x", "status": "completed",
        "ruledOut": [{"item": text("Psychosis")}], "finding": [{"item": text("Panic")}]});
    assert_eq!(titles(&other(&[ruled_out]).diagnoses), ["Panic"]);
}

#[test]
fn plans_teams_lists_and_messages_say_what_belongs_to_them() {
    let goal = json!({"resourceType": "Goal", "id": "g", "lifecycleStatus": "active",
        "achievementStatus": text("improving"), "description": text("Abstinence"),
        "addresses": [{"reference": "Condition/c"}], "expressedBy": {"display": "Ann"},
        "target": [{"measure": text("Drinks"), "detailQuantity": {"value": 0}, "dueDate": "2025-01"}]});
    let read = other(&[condition(), goal.clone()]);
    assert_eq!(
        (titles(&read.reasons), read.outcome.unwrap().title()),
        (vec!["Opioid dependence"], Some("improving"))
    );
    assert_eq!(answers(&read.details), [pair("Drinks", "0"), pair("Drinks", "2025-01")]);
    let order = json!({"resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order",
        "code": text("Detox"), "authoredOn": "2024-01-02", "occurrenceDateTime": "2024-02-01",
        "reasonReference": [{"reference": "Condition/c"}], "orderDetail": [text("inpatient")],
        "performer": [{"display": "Clinic"}], "requester": {"display": "Dr. Bird"}, "note": [{"text": "soon"}]});
    let read = other(&[condition(), order]);
    assert_eq!(
        (read.start.as_ref().unwrap().as_str(), answers(&read.details)),
        ("2024-01-02", vec![pair("planned for", "2024-02-01")])
    );
    assert_eq!(
        (titles(&read.reasons), titles(&read.services)),
        (vec!["Opioid dependence"], vec!["inpatient"])
    );
    assert_eq!(
        (read.notes[0].as_str(), names(&read.parties)),
        ("soon", vec![(Some("performer"), Some("Clinic"))])
    );
    let team = json!({"resourceType": "CareTeam", "id": "t", "status": "active", "name": "Team",
        "participant": [{"role": [text("Sponsor")], "member": {"display": "Bill"}}], "reasonCode": [text("Alcoholism")]});
    let read = other(&[team]);
    assert_eq!(
        (names(&read.parties), titles(&read.reasons)),
        (vec![(Some("Sponsor"), Some("Bill"))], vec!["Alcoholism"])
    );
    let list = json!({"resourceType": "List", "id": "l", "status": "current", "mode": "working",
        "entry": [{"item": {"reference": "Condition/c"}, "date": "2024"}, {"item": {"reference": "Observation/o"}},
            {"item": {"display": "gone"}, "deleted": true}]});
    let entry = last(&[condition(), list]);
    let Record::Other(read) = &entry.record else { panic!() };
    assert_eq!(
        (answers(&read.details), read.targets[0].as_str()),
        (vec![pair("Opioid dependence", "2024")], "Observation/o")
    );
    assert!(!entry.not_understood.is_empty(), "one was taken out of the list");
    let message = json!({"resourceType": "Communication", "id": "m", "status": "completed", "sent": "2024-05",
        "sender": {"display": "Ann"}, "recipient": [{"display": "Bill"}], "topic": text("Relapse"),
        "payload": [{"contentString": "Call me"}, {"contentAttachment": {"data": "SGk=", "contentType": "text/plain"}}]});
    let read = other(std::slice::from_ref(&message));
    assert_eq!(
        (read.text[0].as_str(), read.attachments.len(), read.code.unwrap().title()),
        ("Call me", 1, Some("Relapse"))
    );
    assert_eq!(read.author.unwrap().name.unwrap().as_str(), "Ann");
    let mut unsent = message;
    unsent["notDone"] = json!(true);
    assert_eq!(last(&[unsent]).record.negation().unwrap().words, ["not done"]);
}

fn assessment(resources: &[Value]) -> subrosa::record::Assessment {
    match last(resources).record {
        Record::Assessment(assessment) => *assessment,
        record => panic!("{record:?}"),
    }
}

#[test]
fn answers_have_the_questions_and_codes_of_their_form_and_no_score_is_computed() {
    let form = json!({"resourceType": "Questionnaire", "id": "q", "url": "http://x.org/phq", "version": "2",
        "status": "active", "title": "PHQ-9", "code": [{"system": "http://loinc.org", "code": "44249-1"}],
        "item": [{"linkId": "1", "text": "Little interest", "code": [{"system": "http://loinc.org", "code": "44250-9"}]},
            {"linkId": "g", "item": [{"linkId": "2", "text": "Feeling down"}]}, {"linkId": "t", "text": "Sum",
            "code": [{"system": "http://loinc.org", "code": "44261-6"}]}]});
    let points = json!([{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 3}]);
    let response = json!({"resourceType": "QuestionnaireResponse", "id": "r", "status": "completed",
        "questionnaire": "http://x.org/phq|2", "authored": "2024-01-02",
        "item": [{"linkId": "1", "answer": [{"valueCoding": {"display": "Nearly every day", "extension": points}}]},
            {"linkId": "2", "text": "Down?", "answer": [{"valueInteger": 2}]}]});
    let read = assessment(&[form.clone(), response.clone()]);
    let instrument = read.instrument.unwrap();
    assert_eq!(
        (instrument.codings[0].code.as_ref().unwrap().as_str(), instrument.text.unwrap().as_str()),
        ("44249-1", "PHQ-9")
    );
    let expected =
        [pair("Little interest", "Nearly every day"), pair("Little interest", "3"), pair("Down?", "2")];
    assert_eq!(answers(&read.items), expected);
    assert_eq!(read.items[0].code.codings[0].code.as_ref().unwrap().as_str(), "44250-9");
    assert!(read.score.is_none(), "nothing says a total");
    let mut scored = response.clone();
    scored["item"].as_array_mut().unwrap().push(json!({"linkId": "t", "answer": [{"valueInteger": 17}]}));
    assert_eq!(assessment(&[form.clone(), scored]).score.unwrap().to_line().unwrap(), "17");
    let mut of_another = response.clone();
    of_another["questionnaire"] = json!("http://x.org/phq|3");
    assert_eq!(
        assessment(&[form.clone(), of_another]).items[0].code.title(),
        None,
        "another version may ask otherwise"
    );
    let mut contained = response;
    contained["questionnaire"] = json!("#q");
    contained["contained"] = json!([form]);
    assert_eq!(assessment(&[contained]).items[0].code.title(), Some("Little interest"));
}

#[test]
fn responses_of_older_versions_are_read() {
    let dstu2 = json!({"resourceType": "QuestionnaireResponse", "id": "r", "status": "completed",
        "questionnaire": {"reference": "Questionnaire/audit"}, "group": {"title": "AUDIT", "group": [{"question": [
            {"linkId": "1", "text": "How often?", "answer": [{"valueString": "weekly"}]}]}]}});
    let read = assessment(&[dstu2]);
    assert_eq!(answers(&read.items), [pair("How often?", "weekly")]);
    assert_eq!(read.title.unwrap().as_str(), "Questionnaire/audit");
    let risk = json!({"resourceType": "Observation", "id": "o", "status": "final", "code": {"coding": [
        {"system": "http://loinc.org", "code": "93374-7"}]}, "valueCodeableConcept": text("High risk")});
    assert_eq!(titles(&assessment(&[risk]).interpretations), ["High risk"]);
}

#[test]
fn who_made_a_record_is_told_where_it_is_plain() {
    let made_by = |id: &str, who: &str| {
        json!({"resourceType": "Provenance", "id": id, "recorded": "2024-01-02T00:00:00Z",
            "target": [{"reference": "Condition/c"}], "agent": [
            {"type": {"coding": [{"code": "transmitter"}]}, "who": {"display": "Hub"}},
            {"type": {"coding": [{"code": "author"}]}, "who": {"reference": who}}]})
    };
    let bird = json!({"resourceType": "Practitioner", "id": "b", "name": [{"text": "Dr. Bird"}]});
    let provider = |resources: &[Value]| {
        let entries = import(resources).entries;
        entries[0].entry.provider_name()
    };
    assert_eq!(
        provider(&[condition(), bird.clone(), made_by("1", "Practitioner/b")]).as_deref(),
        Some("Dr. Bird")
    );
    let two = [condition(), bird.clone(), made_by("1", "Practitioner/b"), made_by("2", "Practitioner/other")];
    assert_eq!(provider(&two), None, "two are named");
    let mut own = condition();
    own["asserter"] = json!({"display": "Dr. Fox"});
    assert_eq!(provider(&[own, bird, made_by("1", "Practitioner/b")]).as_deref(), Some("Dr. Fox"));
}

#[test]
fn what_other_versions_call_otherwise_is_read() {
    let visit = |members: Value| {
        let mut resource = members;
        resource["resourceType"] = json!("Encounter");
        resource["id"] = json!("e");
        match last(&[condition(), resource]).record {
            Record::Encounter(visit) => *visit,
            record => panic!("{record:?}"),
        }
    };
    let dstu2 = visit(json!({"status": "finished", "class": "outpatient", "reason": [text("Craving")],
        "indication": [{"reference": "Condition/c"}]}));
    assert_eq!(titles(&dstu2.reasons), ["Craving", "Opioid dependence"]);
    let r5 = visit(json!({"status": "completed", "class": [{"coding": [{"code": "AMB"}]}],
        "actualPeriod": {"start": "2024"}, "serviceType": [{"concept": text("Addiction")}],
        "reason": [{"use": [text("RV")], "value": [{"concept": text("Craving")}, {"reference": {"reference": "Condition/c"}}]}],
        "diagnosis": [{"condition": [{"concept": text("Anxiety")}, {"reference": {"reference": "Condition/c"}}]}]}));
    assert_eq!(
        (titles(&r5.reasons), titles(&r5.diagnoses)),
        (vec!["Craving", "Opioid dependence"], vec!["Anxiety", "Opioid dependence"])
    );
    assert_eq!(r5.service_type.unwrap().title(), Some("Addiction"));
    let Record::Medication(order) =
        last(&[json!({"resourceType": "MedicationOrder", "id": "m", "status": "active",
        "dateWritten": "2015-01-02", "dateEnded": "2015-02-02", "prescriber": {"display": "Dr. Bird"},
        "medicationCodeableConcept": text("Methadone"), "reasonCodeableConcept": text("OUD")})])
        .record
    else {
        panic!()
    };
    assert_eq!((order.authored.unwrap().as_str(), order.end.unwrap().as_str()), ("2015-01-02", "2015-02-02"));
    assert_eq!(
        (order.prescriber.unwrap().name.unwrap().as_str(), titles(&order.reasons)),
        ("Dr. Bird", vec!["OUD"])
    );
    let Record::Medication(given) = last(&[json!({"resourceType": "MedicationAdministration", "id": "m",
        "status": "completed", "effectiveTimePeriod": {"start": "2015-01-02", "end": "2015-01-03"},
        "practitioner": {"display": "Nurse"}, "reasonGiven": [text("OUD")], "medicationCodeableConcept": text("x")})]).record
        else { panic!() };
    assert_eq!(
        (given.start.unwrap().as_str(), given.performers.len(), given.reasons.len()),
        ("2015-01-02", 1, 1)
    );
    let Record::Note(note) = last(&[json!({"resourceType": "DocumentReference", "id": "d", "status": "current",
        "context": [{"reference": "Encounter/e"}], "period": {"start": "2024"}, "indexed": "2024-03-04T00:00:00Z"})]).record
        else { panic!() };
    assert_eq!(
        (note.encounter.unwrap().as_str(), note.start.unwrap().as_str(), note.date.is_some()),
        ("Encounter/e", "2024", true)
    );
    let goal = |id: &str, status: &str| json!({"resourceType": "Goal", "id": id, "lifecycleStatus": status, "description": text(id)});
    let Record::Treatment(plan) = last(&[goal("kept", "active"), goal("dropped", "cancelled"),
        json!({"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "medicationCodeableConcept": text("Naltrexone")}),
        json!({"resourceType": "CarePlan", "id": "p", "status": "active", "intent": "plan",
        "goal": [{"reference": "Goal/kept"}, {"reference": "Goal/dropped"}],
        "activity": [{"reference": {"reference": "MedicationRequest/m"}, "progress": [{"text": "well"}]},
            {"performedActivity": [{"concept": text("Counselling")}]}]})]).record else { panic!() };
    assert_eq!(plan.goals.iter().map(|goal| goal.as_str()).collect::<Vec<_>>(), ["kept"]);
    assert_eq!(
        (titles(&plan.activities), plan.notes[0].as_str()),
        (vec!["Naltrexone", "Counselling"], "well")
    );
    let Record::Diagnosis(ill) = last(&[json!({"resourceType": "Condition", "id": "x", "code": text("x"),
        "evidence": [{"concept": text("tremor")}], "context": {"reference": "Encounter/e"}})])
    .record
    else {
        panic!()
    };
    assert_eq!((titles(&ill.evidence), ill.encounter.unwrap().as_str()), (vec!["tremor"], "Encounter/e"));
    let Record::Observation(report) =
        last(&[json!({"resourceType": "DiagnosticReport", "id": "x", "status": "final",
        "result": [{"reference": "Observation/o"}], "codedDiagnosis": [text("Cirrhosis")]})])
        .record
    else {
        panic!()
    };
    assert_eq!(titles(&report.conclusions), ["Cirrhosis"]);
}
