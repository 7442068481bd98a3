//! What policies let out, and what they tell the owner.

use super::*;
use crate::crypto::content_digest::ContentDigest;
use crate::crypto::digest::Digest;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::record::{
    Attachment, Coding, Concept, Diagnosis, Encounter, Entry, FamilyHistory, FhirVersion, FieldName,
    HumanName, Immunization, Kind, Location, Narrative, Note, PartialDate, Party, Patient, Provenance,
    Record, Source, SourceFormat, Token,
};

const SNOMED: &str = "http://snomed.info/sct";
const ICD: &str = "http://hl7.org/fhir/sid/icd-10-cm";

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

fn date(text: &str) -> PartialDate {
    text.parse().unwrap()
}

fn concept(system: &str, code: &str) -> Concept {
    Concept::from_coding(Coding { system: Some(token(system)), code: Some(token(code)), ..Coding::default() })
}

fn diagnosis(system: &str, code: &str, onset: Option<&str>) -> Entry {
    let onset = onset.map(date);
    entry(Diagnosis {
        code: Some(concept(system, code)),
        abatement: onset.clone(),
        onset,
        ..Diagnosis::default()
    })
}

fn entry(record: impl Into<Record>) -> Entry {
    Entry::new(record, Provenance::default())
}

fn id(index: usize) -> EntryId {
    EntryId::from_bytes([u8::try_from(index).unwrap(); 16])
}

fn apply(policy: &Policy, entries: &[Entry]) -> View {
    let candidate = |(index, entry)| Candidate::new(id(index), Compartment::General, entry);
    policy.apply(&entries.iter().enumerate().map(candidate).collect::<Vec<_>>())
}

fn released(policy: &Policy, entries: &[Entry]) -> Vec<usize> {
    let view = apply(policy, entries);
    let place = |entry: &RedactedEntry| (0..entries.len()).find(|index| id(*index) == entry.id()).unwrap();
    view.released().iter().map(place).collect()
}

fn disclosed(view: &View) -> serde_json::Value {
    serde_json::from_str(&view.released()[0].disclosed_json()).unwrap()
}

#[test]
fn a_new_policy_releases_nothing_and_says_so() {
    let entries = [diagnosis(SNOMED, "1", None)];
    for policy in [Policy::nothing(), Policy::nothing().since(date("2019"))] {
        let view = apply(&policy, &entries);
        assert!(view.released().is_empty());
        assert!(view.notices().contains(&FilterNotice::NothingSelected));
    }
}

#[test]
fn kinds_codes_and_entries_select() {
    let entries = [
        diagnosis(ICD, "F33.1", None),
        diagnosis(ICD, "E11.9", None),
        entry(Note { code: Some(concept(ICD, "F33.1")), ..Note::default() }),
    ];
    let depression = || "http://hl7.org/fhir/sid/icd-10-cm|F33*".parse::<CodeFilter>().unwrap();
    assert_eq!(released(&Policy::everything_of([Kind::Diagnosis]), &entries), [0, 1]);
    assert_eq!(released(&Policy::everything_of([Kind::Diagnosis]).with_code(depression()), &entries), [0]);
    assert_eq!(released(&Policy::nothing().with_code(depression()), &entries), [0, 2]);
    assert_eq!(released(&Policy::only([id(1)]), &entries), [1]);
    let also = Policy::everything_of([Kind::Note]).and_entry(id(1)).since(date("2019"));
    assert_eq!(released(&also, &entries), [1]);
    let either = Policy::nothing().with_code(depression()).with_code(CodeFilter::exact(ICD, "E11.9"));
    assert_eq!(released(&either, &entries), [0, 1, 2]);
}

#[test]
fn code_filters_are_read_strictly() {
    let matches = |filter: &str, system: &str, code: &str| {
        let coding = Coding { system: Some(token(system)), code: Some(token(code)), ..Coding::default() };
        filter.parse::<CodeFilter>().unwrap().matches(&coding)
    };
    assert!(matches("F33*", ICD, "F33.1") && matches("F33.1", ICD, "F33.1"));
    assert!(!matches("F33", ICD, "F33.1") && !matches("f33*", ICD, "F33.1"));
    assert!(!matches(&format!("{SNOMED}|F33*"), ICD, "F33.1"));
    for text in ["", "*", "a|", "|a", "|", "a*b", "**", "a|*"] {
        assert_eq!(text.parse::<CodeFilter>(), Err(ParseCodeFilterError), "{text}");
    }
}

#[test]
fn a_code_filter_that_cannot_apply_says_so() {
    let entries = [diagnosis(SNOMED, "310496002", None), diagnosis(ICD, "F33.1", None)];
    let policy = Policy::everything_of([Kind::Diagnosis]).with_code(CodeFilter::prefix(ICD, "F33"));
    let view = apply(&policy, &entries);
    assert!(view.notices().contains(&FilterNotice::CodeCannotApply {
        filter: format!("{ICD}|F33*"),
        entries: 1,
        systems: vec![SNOMED.to_owned()],
    }));
    let withheld = Withheld { entry: id(0), field: None, reason: WithheldReason::NotInCodeSystem };
    assert!(view.withheld().contains(&withheld));
}

#[test]
fn only_what_certainly_lies_in_the_range_is_released() {
    let entries = [
        diagnosis(SNOMED, "1", Some("2019-06")),
        diagnosis(SNOMED, "2", Some("2019")),
        diagnosis(SNOMED, "3", Some("2018")),
        diagnosis(SNOMED, "4", None),
    ];
    let policy = Policy::everything_of([Kind::Diagnosis]).since(date("2019-03")).until(date("2020"));
    assert_eq!(released(&policy, &entries), [0]);
    let view = apply(&policy, &entries);
    assert!(view.notices().contains(&FilterNotice::NotCertainlyInRange { entries: 1 }));
    assert!(view.notices().contains(&FilterNotice::Undated { entries: 1 }));
}

#[test]
fn a_retracted_entry_is_never_released() {
    let mut entries = [diagnosis(SNOMED, "1", None)];
    entries[0].marks.retracted = true;
    for policy in [Policy::everything_of([Kind::Diagnosis]), Policy::only([id(0)])] {
        let view = apply(&policy, &entries);
        assert!(view.released().is_empty());
        assert!(view.notices().contains(&FilterNotice::Retracted { entries: 1 }));
    }
}

#[test]
fn entries_leave_by_kind_and_date_whatever_their_order() {
    let entries = [
        entry(Note { date: Some(date("2018")), ..Note::default() }),
        diagnosis(SNOMED, "1", Some("2021")),
        diagnosis(SNOMED, "2", Some("2019")),
    ];
    assert_eq!(released(&Policy::everything_of([Kind::Note, Kind::Diagnosis]), &entries), [2, 1, 0]);
}

#[test]
fn masks_name_known_fields_and_years_need_dates() {
    let error = Policy::nothing().mask("onsett", Mask::Year).unwrap_err();
    assert!(
        matches!(&error, PolicyError::UnknownField { field, known } if field == "onsett" && known.contains("onset (Began), "))
    );
    assert_eq!(Policy::nothing().mask("code", Mask::Year).err(), Some(PolicyError::NoYear { field: "code" }));
    assert!(Policy::nothing().mask("recorded", Mask::Year).is_ok());
    for field in FieldName::all() {
        let by_label = Policy::nothing().mask(&field.label.to_uppercase(), Mask::Withhold).unwrap();
        assert_eq!(by_label.masks.keys().copied().collect::<Vec<_>>(), [field.name]);
    }
    let both = Policy::nothing().include("source").unwrap().mask("onset", Mask::Year);
    assert_eq!(both.err(), Some(PolicyError::SourceDefeatsMasks));
    let both = Policy::nothing().mask("notes", Mask::Withhold).unwrap().include("source");
    assert_eq!(both.err(), Some(PolicyError::SourceDefeatsMasks));
}

#[test]
fn a_mask_over_a_field_that_no_released_kind_has_says_so() {
    let entries = [diagnosis(SNOMED, "1", None)];
    let policy = Policy::everything_of([Kind::Diagnosis]).mask("admission", Mask::Year).unwrap();
    let notice = FilterNotice::MaskWithoutField { field: "admission" };
    assert!(apply(&policy, &entries).notices().contains(&notice));
}

#[test]
fn a_year_leaves_alone_and_a_date_leaves_alone() {
    let entries = [diagnosis(SNOMED, "1", Some("2019-06-01"))];
    let kept = apply(&Policy::everything_of([Kind::Diagnosis]), &entries);
    assert_eq!(disclosed(&kept)["fields"]["onset"], serde_json::json!({"date": "2019-06-01"}));
    let policy = Policy::everything_of([Kind::Diagnosis]).mask("onset", Mask::Year).unwrap();
    let masked = apply(&policy, &entries);
    assert_eq!(disclosed(&masked)["fields"]["onset"], serde_json::json!({"year": "2019"}));
    assert!(masked.withheld().iter().any(|withheld| withheld.reason == WithheldReason::YearOnly));
}

#[test]
fn free_text_and_links_leave_by_name_only() {
    let mut entries = [entry(Diagnosis {
        notes: vec![Narrative::new("HIDDEN").unwrap()],
        encounter: Some(token("Encounter/HIDDEN")),
        recorder: Some(Party {
            name: Some(token("Dr Falk")),
            reference: Some(token("Practitioner/HIDDEN")),
            ..Party::default()
        }),
        ..Diagnosis::default()
    })];
    entries[0].provenance.identity = Some(token("Condition/HIDDEN"));
    entries[0].provenance.document = Some(token("HIDDEN"));
    let policy = Policy::everything_of([Kind::Diagnosis]);
    let view = apply(&policy, &entries);
    assert!(!view.released()[0].disclosed_json().contains("HIDDEN"));
    assert_eq!(view.released()[0].withheld_fields(), [""; 0], "no bar tells of notes");
    let barred = apply(&policy.clone().with_bars(), &entries);
    assert_eq!(barred.released()[0].withheld_fields(), ["notes"]);
    for field in ["notes", "encounter", "recorder", "identity", "document"] {
        let view = apply(&policy.clone().include(field).unwrap(), &entries);
        assert_eq!(view.released()[0].disclosed_json().matches("HIDDEN").count(), 1, "{field}");
    }
}

#[test]
fn attachments_leave_by_name_with_their_bytes() {
    let mut entries = [entry(Note {
        attachments: vec![
            Attachment {
                title: Some(token("Scan")),
                location: Some(Location::Inline(b"bytes".to_vec())),
                ..Attachment::default()
            },
            Attachment { location: Some(Location::InSource(token("/a~1b/0/data"))), ..Attachment::default() },
            Attachment { location: Some(Location::InSource(token("/missing"))), ..Attachment::default() },
        ],
        ..Note::default()
    })];
    let json = br#"{"a/b":[{"data":"SU4tU09VUkNF"}]}"#.to_vec();
    entries[0].source = Some(Source::new(SourceFormat::FhirJson(FhirVersion::R4), json));
    let policy = Policy::everything_of([Kind::Note]);
    let closed = apply(&policy, &entries);
    assert!(disclosed(&closed)["fields"].get("attachments").is_none());
    let open = apply(&policy.include("attachments").unwrap(), &entries);
    let attachments = &disclosed(&open)["fields"]["attachments"];
    assert_eq!(attachments[0], serde_json::json!({"title": "Scan", "data": "Ynl0ZXM="}));
    assert_eq!(attachments[1], serde_json::json!({"data": "SU4tU09VUkNF"}));
    assert!(open.notices().contains(&FilterNotice::AttachmentWithoutBytes { attachments: 1 }));
}

/// Says that it has every file, and panics where it may not be asked.
struct Asked(bool);

impl Files for Asked {
    fn sha256(&self, entry: EntryId, digest: &ContentDigest) -> Option<Digest> {
        assert!(self.0, "a file that stays is read");
        Some(Digest::of(&[entry.as_bytes(), digest.as_bytes()]))
    }
}

#[test]
fn a_stored_file_is_named_by_its_sha_256_where_it_leaves_and_not_read_where_it_stays() {
    let digest = ContentDigest::of(b"bytes");
    let stored = Attachment {
        title: Some(token("Scan")),
        location: Some(Location::Stored(digest)),
        ..Attachment::default()
    };
    let entries = [entry(Note { attachments: vec![stored], ..Note::default() })];
    let given = [Candidate::new(id(0), Compartment::General, &entries[0])];
    let closed = Policy::everything_of([Kind::Note]);
    let open = closed.clone().include("attachments").unwrap();
    closed.apply_for(None, &given, &Asked(false));
    assert!(!entries[0].shown().to_string().contains("SHA-256"));
    let view = open.apply_for(None, &given, &Asked(true));
    let sha256 = Digest::of(&[id(0).as_bytes(), digest.as_bytes()]).to_string();
    let named = serde_json::json!([{"title": "Scan", "sha256": sha256}]);
    assert_eq!(disclosed(&view)["fields"]["attachments"], named);
    assert!(!view.notices().contains(&FilterNotice::AttachmentWithoutBytes { attachments: 1 }));
    let view = open.apply(&given);
    assert_eq!(disclosed(&view)["fields"]["attachments"], serde_json::json!([{"title": "Scan"}]));
    assert!(view.notices().contains(&FilterNotice::AttachmentWithoutBytes { attachments: 1 }));
}

#[test]
fn a_name_of_white_space_names_nobody() {
    let called = |texts: &[&str]| {
        let name = |text: &&str| HumanName { text: Some(token(text)), ..HumanName::default() };
        entry(Patient { names: texts.iter().map(name).collect(), ..Patient::default() })
    };
    let subject = |entry: Entry| {
        let view = apply(&Policy::everything_of([Kind::Diagnosis]), &[entry]);
        (view.subject().map(|subject| subject.name.clone()), view.notices().to_vec())
    };
    assert_eq!(subject(called(&[" ", "Ada Byron"])).0.as_deref(), Some("Ada Byron"));
    let (name, notices) = subject(called(&[" ", "\u{a0}"]));
    assert!(name.is_none() && notices.contains(&FilterNotice::NoSubject(SubjectFault::NoPatient)));
}

fn patient(given: &str) -> Entry {
    let name = HumanName { given: vec![token(given)], family: Some(token("Byron")), ..HumanName::default() };
    let marital_status = Some(concept(SNOMED, "HIDDEN"));
    entry(Patient {
        names: vec![name],
        birth_date: Some(date("1987-12-10")),
        marital_status,
        ..Patient::default()
    })
}

#[test]
fn the_excerpt_names_the_patient_as_far_as_the_masks_allow() {
    let entries = [patient("Ada"), diagnosis(SNOMED, "1", None)];
    let policy = Policy::everything_of([Kind::Diagnosis]);
    let subject = |policy: &Policy| apply(policy, &entries).subject().cloned();
    let named = |born: Option<&str>| Some(Subject::new("Ada Byron".to_owned(), born.map(str::to_owned)));
    assert!(subject(&policy) == named(None));
    for asked in
        [policy.clone().include("birth_date").unwrap(), policy.clone().for_audience(Audience::Treatment)]
    {
        assert!(subject(&asked) == named(Some("1987-12-10")));
    }
    assert!(subject(&policy.clone().mask("birth_date", Mask::Year).unwrap()) == named(Some("1987")));
    assert!(subject(&policy.clone().mask("birth_date", Mask::Withhold).unwrap()) == named(None));
    assert!(subject(&policy.clone().mask("names", Mask::Withhold).unwrap()).is_none());
    let two = apply(&policy, &[patient("Ada"), patient("Eve")]);
    assert!(
        two.subject().is_none()
            && two.notices().contains(&FilterNotice::NoSubject(SubjectFault::SeveralPatients))
    );
}

#[test]
fn personal_data_beyond_the_name_leaves_by_name_only() {
    let relative = FamilyHistory { name: Some(token("HIDDEN")), ..FamilyHistory::default() };
    let entries = [entry(relative), patient("Ada")];
    let view = apply(&Policy::everything_of([Kind::Patient, Kind::FamilyHistory]), &entries);
    assert!(view.released().iter().all(|entry| !entry.disclosed_json().contains("HIDDEN")));
    assert_eq!(disclosed(&view)["kind"], "family-history");
}

#[test]
fn an_encounter_without_anything_is_released_as_its_kind_alone() {
    let view = apply(&Policy::everything_of([Kind::Encounter]), &[entry(Encounter::default())]);
    let expected =
        serde_json::json!({"kind": "encounter", "fields": {}, "provenance": {"origin": "entered-by-owner"}});
    assert_eq!(disclosed(&view), expected);
}

#[test]
fn debug_prints_no_content() {
    let view = apply(&Policy::everything_of([Kind::Patient]), &[patient("Ada")]);
    let printed = format!("{view:?} {:?} {:?}", view.subject(), view.released());
    assert!(!printed.contains("Byron"));
}

#[test]
fn two_records_of_one_person_are_one_patient() {
    let policy = Policy::everything_of([Kind::Patient]);
    let same = apply(&policy, &[patient("Ada"), patient("Ada")]);
    assert_eq!(same.subject().unwrap().name, "Ada Byron");
    let mut married = patient("Eve");
    assert_eq!(
        apply(&policy, &[patient("Ada"), married.clone()]).subject_fault(),
        Some(SubjectFault::SeveralPatients)
    );
    married.marks.same_person = true;
    assert_eq!(apply(&policy, &[patient("Ada"), married]).subject().unwrap().name, "Ada Byron");
}

#[test]
fn without_a_patient_record_the_vaults_name_is_the_patients_or_nobodys() {
    let entry = diagnosis(SNOMED, "1", None);
    let policy = Policy::everything_of([Kind::Diagnosis]);
    let given = [Candidate::new(id(0), Compartment::General, &entry)];
    assert_eq!(policy.apply_for(Some("Ada Byron"), &given, &NoFiles).subject().unwrap().name, "Ada Byron");
    let nobody = policy.apply(&given);
    assert_eq!(nobody.subject_fault(), Some(SubjectFault::NoPatient));
    let hidden = policy.mask("names", Mask::Withhold).unwrap().apply_for(Some("Ada Byron"), &given, &NoFiles);
    assert_eq!(hidden.subject_fault(), Some(SubjectFault::NameWithheld));
}

fn in_words(system: &str, display: Option<&str>, text: Option<&str>) -> Entry {
    let coding = Coding {
        system: Some(token(system)),
        code: Some(token("1")),
        display: display.map(token),
        ..Coding::default()
    };
    let code = Concept { codings: vec![coding], text: text.map(token) };
    entry(Diagnosis { code: Some(code), ..Diagnosis::default() })
}

#[test]
fn words_beside_a_code_leave_by_name_or_for_treatment() {
    let policy = || Policy::everything_of([Kind::Diagnosis]);
    let cases = [
        (in_words(SNOMED, Some("Asthma"), Some("ASTHMA")), true),
        (in_words(SNOMED, Some("Asthma"), Some("asthma since the divorce")), false),
        (in_words("urn:oid:1.2.3", Some("asthma since the divorce"), None), false),
    ];
    for (entry, leaves) in cases {
        let entries = [entry];
        let told = |policy: Policy| {
            let view = apply(&policy, &entries);
            view.released().iter().map(RedactedEntry::disclosed_json).collect::<String>()
        };
        assert!(!told(policy()).contains("divorce"));
        assert_eq!(told(policy()).contains("ASTHMA"), leaves);
        for open in [policy().include("code").unwrap(), policy().for_audience(Audience::Patient)] {
            assert!(told(open.clone()).contains("divorce") != leaves);
        }
        let reasons = apply(&policy(), &entries).withheld().to_vec();
        assert_eq!(reasons.iter().any(|one| one.reason == WithheldReason::Words), !leaves);
    }
    let local =
        [in_words("urn:oid:1.2.3", Some("words"), None), in_words("urn:oid:1.2.3", None, Some("words"))];
    let notice = FilterNotice::WithoutWords { entries: 2, field: "code" };
    assert!(apply(&policy(), &local).notices().contains(&notice));
}

fn not_given() -> Entry {
    entry(Immunization {
        status: Some(token("not-done")),
        code: Some(concept(SNOMED, "1")),
        ..Immunization::default()
    })
}

#[test]
fn a_negation_is_never_separated_from_what_it_negates() {
    let entries = [not_given()];
    let policy = Policy::everything_of([Kind::Immunization]);
    let view = apply(&policy, &entries);
    assert_eq!(disclosed(&view)["negation"], "not given");
    let (_, fields) = view.released()[0].claims().iter().find(|(name, _)| name == "fields").unwrap();
    let subrosa_excerpt::claims::ClaimValue::Object(fields) = &fields.value else { panic!("an object") };
    let (_, status) = fields.iter().find(|(name, _)| name == "status").unwrap();
    assert_eq!(status.visibility, subrosa_excerpt::claims::Visibility::Always);
    let masked = apply(&policy.mask("status", Mask::Withhold).unwrap(), &entries);
    assert!(masked.released().is_empty());
    assert_eq!(masked.withheld()[0].reason, WithheldReason::NegationMasked);
    assert!(masked.notices().contains(&FilterNotice::NegationMasked { entries: 1 }));
}

#[test]
fn what_was_not_understood_or_entered_in_error_stays_from_third_parties() {
    let mut unclear = diagnosis(SNOMED, "1", None);
    unclear.not_understood = vec![token("Condition.modifierExtension")];
    let mut error = diagnosis(SNOMED, "2", None);
    if let Record::Diagnosis(diagnosis) = &mut error.record {
        diagnosis.verification_status = Some(token("entered-in-error"));
    }
    let entries = [unclear, error];
    let policy = Policy::everything_of([Kind::Diagnosis]);
    let view = apply(&policy, &entries);
    assert!(view.released().is_empty());
    assert!(view.notices().contains(&FilterNotice::NotUnderstood { entries: 1 }));
    assert!(view.notices().contains(&FilterNotice::EnteredInError { entries: 1 }));
    assert_eq!(released(&policy.clone().with_not_understood(), &entries), [0]);
    assert_eq!(released(&policy.clone().with_not_understood_of(id(0)), &entries), [0]);
    assert!(released(&policy.clone().with_not_understood_of(id(1)), &entries).is_empty());
    assert!(released(&Policy::nothing().with_not_understood_of(id(0)), &entries).is_empty());
    for audience in [Audience::Treatment, Audience::Patient] {
        let view = apply(&policy.clone().for_audience(audience), &entries);
        let told: Vec<String> = view.released().iter().map(RedactedEntry::disclosed_json).collect();
        assert!(told[0].contains(r#""not_understood":["Condition.modifierExtension"]"#));
        assert!(told[1].contains(r#""negation":"entered in error""#));
    }
}

#[test]
fn an_excerpt_names_no_mask_over_what_its_reader_does_not_see() {
    let entries = [diagnosis(SNOMED, "1", Some("2019-03-04"))];
    let policy = Policy::everything_of([Kind::Diagnosis])
        .mask("onset", Mask::Year)
        .and_then(|policy| policy.mask("abatement", Mask::Withhold))
        .and_then(|policy| policy.mask("admission", Mask::Year))
        .unwrap();
    assert!(apply(&policy, &entries).summary_text().contains(r#""masks":{"onset":"year"}"#));
    let barred = apply(&policy.with_bars(), &entries).summary_text();
    assert!(barred.contains(r#""masks":{"abatement":"withhold","onset":"year"}"#));
}

#[test]
fn what_the_holder_changed_says_so_whatever_is_masked() {
    let mut entry = diagnosis(SNOMED, "1", Some("2018"));
    entry.provenance.origin = crate::record::Origin::ImportedAndChanged;
    let policy = Policy::everything_of([Kind::Diagnosis]);
    for policy in [policy.clone(), policy.mask("origin", Mask::Withhold).unwrap()] {
        let view = apply(&policy, &[entry.clone()]);
        let released = &view.released()[0];
        let (_, changed) = released.claims().iter().find(|(name, _)| name == "changed").unwrap();
        assert_eq!(changed.visibility, subrosa_excerpt::claims::Visibility::Always);
        assert!(released.shown().warnings[0].contains("changed it after it was imported"));
    }
    entry.provenance.origin = crate::record::Origin::Imported;
    let view = apply(&Policy::everything_of([Kind::Diagnosis]), &[entry]);
    assert!(view.released()[0].shown().warnings.is_empty());
}

#[test]
fn a_mask_over_what_no_selected_entry_has_is_said() {
    let entries = [diagnosis(SNOMED, "1", Some("2018"))];
    let notices = |field: &str| {
        let policy = Policy::everything_of([Kind::Diagnosis]).mask(field, Mask::Withhold).unwrap();
        apply(&policy, &entries).notices().to_vec()
    };
    let unused = |field| FilterNotice::MaskWithoutField { field };
    assert!(notices("body_sites").contains(&unused("body_sites")), "the kind has it, the entry does not");
    assert!(notices("quantity").contains(&unused("quantity")));
    assert!(!notices("onset").contains(&unused("onset")));
}

#[test]
fn dates_as_years_leave_no_day_in_any_field_but_where_one_is_asked_for() {
    use crate::record::{Component, FieldType, Scalar, Value};
    let kinds = || Kind::all().iter().copied().filter(|kind| *kind != Kind::Patient);
    let day = || Value::Date(date("2019-06-01"));
    let part = Component { code: concept(SNOMED, "1"), value: Some(Scalar::Date(date("2019-06-01"))) };
    let entries: Vec<Entry> = kinds()
        .map(|kind| {
            let fields = kind.schema().iter().filter_map(|field| match field.field_type {
                FieldType::Date => Some((field.tag, 0, day())),
                FieldType::Component => Some((field.tag, 0, Value::Component(part.clone()))),
                _ => None,
            });
            entry(Record::from_fields(kind, fields).unwrap())
        })
        .collect();
    let told = |policy: &Policy| {
        let view = apply(policy, &entries);
        (view.released().iter().map(RedactedEntry::disclosed_json).collect::<String>(), view.summary_text())
    };
    let policy = Policy::everything_of(kinds()).dates_as_years();
    let (text, summary) = told(&policy);
    assert!(text.contains(r#"{"year":"2019"}"#) && !text.contains("2019-06"), "{text}");
    assert!(summary.contains(r#""onset":"year""#) && summary.contains(r#""recorded":"year""#), "{summary}");
    let (text, summary) = told(&policy.include("onset").unwrap());
    assert!(text.contains(r#""onset":{"date":"2019-06-01"}"#) && summary.contains(r#""onset":"keep""#));
}

#[test]
fn a_code_whose_withheld_words_deny_it_does_not_leave_in_any_field() {
    let reason = Concept { text: Some(token("Rule out diabetes")), ..concept(SNOMED, "44054006") };
    let visit = Encounter {
        types: vec![concept(SNOMED, "185349003")],
        reasons: vec![reason],
        ..Encounter::default()
    };
    let entries = [entry(visit)];
    let told = |policy: Policy| apply(&policy, &entries).released()[0].disclosed_json();
    let policy = || Policy::everything_of([Kind::Encounter]);
    assert!(!told(policy()).contains("44054006") && told(policy()).contains("185349003"));
    let asked = told(policy().include("reasons").unwrap());
    assert!(asked.contains("44054006") && asked.contains("Rule out diabetes"));
}

#[test]
fn each_shown_line_says_which_field_a_mask_over_it_names() {
    let view = apply(
        &Policy::everything_of([Kind::Diagnosis]),
        &[patient("Ada"), diagnosis(ICD, "F33.1", Some("2019-04-02"))],
    );
    let lines = view.released()[0].shown().lines;
    for line in &lines {
        assert!(Policy::nothing().mask(&line.field, Mask::Withhold).is_ok(), "{}", line.field);
    }
    let label_of =
        |field: &str| lines.iter().find(|line| line.field == field).map(|line| line.label.as_str());
    assert_eq!((label_of("onset"), label_of("origin")), (Some("Began"), Some("Origin")));
}

fn positive_with_a_note() -> Entry {
    let value = Coding { display: Some(token("Positive")), ..concept(SNOMED, "10828004").codings.remove(0) };
    entry(crate::record::Observation {
        code: Some(concept("http://loinc.org", "94500-6")),
        concept: Some(Concept::from_coding(value)),
        notes: vec![Narrative::new("invalid, repeat").unwrap()],
        ..crate::record::Observation::default()
    })
}

#[test]
fn a_result_leaves_with_the_words_beside_it_or_marked_or_not_at_all() {
    let entries = [positive_with_a_note()];
    let policy = || Policy::everything_of([Kind::Observation]);
    let text = |view: &View| view.released().iter().map(RedactedEntry::disclosed_json).collect::<String>();
    for kept in [policy(), policy().mask("notes", Mask::Withhold).unwrap(), policy().with_bars()] {
        let view = apply(&kept, &entries);
        assert!(view.released().is_empty());
        let whole = Withheld { entry: id(0), field: None, reason: WithheldReason::WordsBeside };
        assert!(view.withheld().contains(&whole));
        assert!(view.notices().contains(&FilterNotice::WordsBeside { entries: 1 }));
    }
    let both = policy().include("notes").unwrap();
    for open in [both, policy().for_audience(Audience::Treatment), policy().for_audience(Audience::Patient)] {
        let view = apply(&open, &entries);
        assert!(text(&view).contains("Positive") && text(&view).contains("invalid, repeat"));
        assert!(view.released()[0].shown().warnings.is_empty());
    }
    let masked = policy().for_audience(Audience::Treatment).mask("notes", Mask::Withhold).unwrap();
    for marked in [policy().with_words_withheld(), policy().with_words_withheld_of(id(0)), masked] {
        let view = apply(&marked, &entries);
        assert!(text(&view).contains("Positive") && !text(&view).contains("invalid"));
        assert!(view.released()[0].shown().warnings[0].contains("left out"));
        let claims = view.released()[0].claims();
        let (_, mark) = claims.iter().find(|(name, _)| name == "words_withheld").unwrap();
        assert_eq!(mark.visibility, subrosa_excerpt::claims::Visibility::Always);
    }
    assert!(released(&policy().with_words_withheld_of(id(1)), &entries).is_empty());
}

#[test]
fn a_note_that_takes_a_diagnosis_back_keeps_it_and_an_ordinary_one_does_not() {
    let noted = |text: &str| {
        let notes = vec![Narrative::new(text).unwrap()];
        let mut one = diagnosis(SNOMED, "1", None);
        if let Record::Diagnosis(record) = &mut one.record {
            record.notes = notes;
        }
        [one]
    };
    let policy = || Policy::everything_of([Kind::Diagnosis]);
    assert_eq!(released(&policy(), &noted("spoke of the divorce")), [0]);
    let taking_back = [
        "Entered in error",
        "entered in\nerror.",
        "ruled\u{a0}out",
        "ruled out by MRI",
        "belongs to another patient",
        "Entered by mistake, belongs to her sister.",
    ];
    for text in taking_back {
        assert!(released(&policy(), &noted(text)).is_empty(), "{text}");
        assert_eq!(released(&policy().include("notes").unwrap(), &noted(text)), [0], "{text}");
        let treated = apply(&policy().for_audience(Audience::Treatment), &noted(text));
        assert!(treated.released()[0].shown().warnings[0].contains("left out"), "{text}");
    }
}

/// Every concept of a result, its question and its category included: words of it that take
/// the result back keep it, and ordinary ones do not.
#[test]
fn words_of_any_field_of_a_result_may_take_it_back() {
    use crate::record::{FieldType, Value};
    let kind = Kind::Observation;
    let result = (kind.field("boolean").unwrap().tag, 0, Value::Boolean(true));
    let code = |text: Option<&str>| {
        let coding = Coding { display: Some(token("Glucose")), ..concept(SNOMED, "1").codings.remove(0) };
        Concept { codings: vec![coding], text: text.map(token) }
    };
    for field in kind.schema().iter().filter(|field| field.field_type == FieldType::Concept) {
        let told = |text: &str| {
            let mut fields = vec![result.clone(), (field.tag, 0, Value::Concept(code(Some(text))))];
            if field.name != "code" {
                fields.push((kind.field("code").unwrap().tag, 0, Value::Concept(code(None))));
            }
            fields.sort_by_key(|(tag, index, _)| (*tag, *index));
            let one = entry(Record::from_fields(kind, fields).unwrap());
            !released(&Policy::everything_of([kind]), &[one]).is_empty()
        };
        assert!(!told("cancelled: wrong tube"), "{}", field.name);
        assert!(told("glucose"), "{}", field.name);
    }
}

/// Every concept of every kind: words of it that say more than what leaves keep its code.
#[test]
fn no_field_lets_out_a_code_whose_words_stay_and_say_more() {
    use crate::record::{FieldType, Value};
    let coding = Coding { display: Some(token("Positive")), ..concept(SNOMED, "10828004").codings.remove(0) };
    let said = |text: &str| Concept { codings: vec![coding.clone()], text: Some(token(text)) };
    for &kind in Kind::all() {
        for field in kind.schema().iter().filter(|field| field.field_type == FieldType::Concept) {
            let told = |text: &str| {
                let fields = [(field.tag, 0, Value::Concept(said(text)))];
                let one = entry(Record::from_fields(kind, fields).unwrap());
                let is_main = one.code().is_some();
                let view = apply(&Policy::everything_of([kind]), &[one]);
                (is_main, view.released().iter().map(RedactedEntry::disclosed_json).collect::<String>())
            };
            let (is_main, text) = told("perhaps positive, repeat");
            assert!(is_main || !text.contains("10828004"), "{kind}.{}", field.name);
            let (_, text) = told("positive");
            assert!(text.contains("10828004") || kind == Kind::Patient, "{kind}.{}", field.name);
        }
    }
}

#[test]
fn the_part_of_a_policy_that_matches_nothing_is_named() {
    let entries = [patient("Ada"), diagnosis(ICD, "F33.1", Some("2019-04-02"))];
    let filter = |text: &str| text.parse::<CodeFilter>().unwrap();
    let is_about_codes = |notice: &FilterNotice| matches!(notice, FilterNotice::WithoutWords { .. });
    let notices = |policy: Policy| -> Vec<FilterNotice> {
        let view = apply(&policy, &entries);
        view.notices().iter().filter(|notice| !is_about_codes(notice)).cloned().collect()
    };
    let diagnoses = || Policy::everything_of([Kind::Diagnosis]);
    assert_eq!(notices(diagnoses()), []);
    let kinds = vec![Kind::Treatment, Kind::Note];
    let of_kinds = Policy::everything_of([Kind::Diagnosis, Kind::Note, Kind::Treatment]);
    assert_eq!(notices(of_kinds), [FilterNotice::NoEntryOfKind { kinds }]);
    let other = format!("{ICD}|J45*");
    let of_codes = diagnoses().with_code(filter(&format!("{ICD}|F33*"))).with_code(filter(&other));
    assert_eq!(notices(of_codes), [FilterNotice::NoEntryWithCode { filters: vec![other.clone()] }]);
    // Codes alone look at every kind.
    let alone = notices(Policy::nothing().with_code(filter(&other)));
    assert!(alone.contains(&FilterNotice::NoEntryWithCode { filters: vec![other] }), "{alone:?}");
    let range = notices(diagnoses().since(date("2020")));
    assert_eq!(range, [FilterNotice::NoEntryInRange { entries: 1 }]);
    assert!(range[0].to_string().starts_with("1 entry lies outside"), "{}", range[0]);
    assert_eq!(notices(diagnoses().since(date("2019-04-02"))), []);
    let named = notices(Policy::only([id(0), id(9)]));
    assert_eq!(named, [FilterNotice::EntryNotFound { ids: vec![id(9)] }]);
}

#[test]
fn a_preview_has_one_digest_wherever_it_is_made_and_another_one_for_whatever_else_would_leave() {
    let policy = || Policy::everything_of([Kind::Diagnosis]);
    let entries = [patient("Ada"), diagnosis(ICD, "F33.1", Some("2019-04-02"))];
    let digest = apply(&policy(), &entries).digest();
    assert_eq!(digest.to_string().parse(), Ok(digest));
    assert_eq!(apply(&policy(), &entries).digest(), digest);
    let others = [
        apply(&policy().with_bars(), &[patient("Ada"), diagnosis(ICD, "F33.2", Some("2019-04-02"))]).digest(),
        apply(&policy().mask("onset", Mask::Year).unwrap(), &entries).digest(),
        apply(&policy().for_audience(Audience::Patient), &entries).digest(),
        apply(&policy(), &[patient("Eve"), diagnosis(ICD, "F33.1", Some("2019-04-02"))]).digest(),
        apply(&policy(), &entries[..1]).digest(),
    ];
    assert!(!others.contains(&digest));
    for text in ["", "abc", &"g".repeat(64), &"0".repeat(65)] {
        assert_eq!(text.parse::<ViewDigest>(), Err(ParseViewDigestError), "{text}");
    }
}
