//! Excerpts from the view to the verifier, and what a forger may try.

use std::time::{Duration, SystemTime};

use subrosa_excerpt::claims::{Claim, ClaimValue};
use subrosa_excerpt::envelope::{self, Binding, ENTRY_TYPE, ENVELOPE_TYPE, Envelope, MAX_ENTRIES};
use subrosa_excerpt::file::{self, MAX_FILE_BYTES, Parts};
use subrosa_excerpt::issue::subject_claim;
use subrosa_excerpt::sd_jwt::issue::issue as issue_token;
use subrosa_excerpt::{jws, sd_jwt, shown, subject, verify as verifier};

use super::*;
use crate::codec::base64url;
use crate::codec::json::{Json, JsonLimits, Object};
use crate::crypto::signature::{SignatureAlgorithm, SigningKey};
use crate::format::place::Compartment;
use crate::id::{EntryId, ExcerptId};
use crate::record::{
    Address, Coding, Component, Concept, Diagnosis, Entry, HumanName, Identifier, Narrative, Note,
    Observation, Party, Patient, Provenance, Quantity, Record, Scalar, Token,
};
use crate::release::{Candidate, Mask, NoFiles, Policy};
use crate::{FhirVersion, Kind, Source, SourceFormat};

const LIMITS: JsonLimits = JsonLimits { bytes: 1 << 26, depth: 64, values: 1 << 20 };

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_315_353)
}

fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}

fn concept(system: &str, code: &str, display: &str) -> Concept {
    Concept::from_coding(Coding {
        system: Some(token(system)),
        code: Some(token(code)),
        display: Some(token(display)),
        ..Coding::default()
    })
}

fn provenance() -> Provenance {
    let provider = Party {
        name: Some(token("Dr Rosa Falk")),
        reference: Some(token("Practitioner/SECRET-REFERENCE")),
        ..Party::default()
    };
    Provenance {
        provider: Some(provider),
        document: Some(token("SECRET-DOCUMENT")),
        identity: Some(token("Condition/SECRET-IDENTITY")),
        ..Provenance::default()
    }
}

fn entry(record: impl Into<Record>) -> Entry {
    let mut entry = Entry::new(record, provenance());
    entry.source =
        Some(Source::new(SourceFormat::FhirJson(FhirVersion::R4), br#"{"a":"SECRET-SOURCE"}"#.to_vec()));
    entry
}

fn patient() -> Patient {
    Patient {
        names: vec![HumanName {
            given: vec![token("Ada"), token("Mae")],
            family: Some(token("Byron")),
            ..HumanName::default()
        }],
        birth_date: "1987-12-10".parse().ok(),
        addresses: vec![Address { city: Some(token("SECRET-CITY")), ..Address::default() }],
        identifiers: vec![Identifier { value: Some(token("SECRET-MRN")), ..Identifier::default() }],
        ..Patient::default()
    }
}

fn diagnosis() -> Diagnosis {
    Diagnosis {
        code: Some(concept("http://snomed.info/sct", "44054006", "Diabetes mellitus type 2")),
        clinical_status: Some(token("active")),
        severity: Some(concept("http://snomed.info/sct", "255604002", "SECRET-MILD")),
        onset: "2019-03-04".parse().ok(),
        recorder: Some(Party { name: Some(token("Dr Rosa Falk")), ..Party::default() }),
        notes: vec![Narrative::new("SECRET-NOTE: spoke of the divorce").unwrap()],
        ..Diagnosis::default()
    }
}

fn observation() -> Observation {
    let quantity = Quantity {
        value: Some(token("6.1000")),
        unit: Some(token("mmol/L")),
        system: Some(token("http://unitsofmeasure.org")),
        code: Some(token("mmol/L")),
        ..Quantity::default()
    };
    let words = Component {
        code: Concept::from_text(token("Comment")),
        value: Some(Scalar::Text(Narrative::new("SECRET-ANSWER").unwrap())),
    };
    Observation {
        code: Some(concept("http://loinc.org", "14749-6", "Glucose")),
        start: "2021-05-06T10:00:00Z".parse().ok(),
        quantity: Some(quantity),
        components: vec![words],
        ..Observation::default()
    }
}

fn note() -> Note {
    Note {
        code: Some(concept("http://loinc.org", "11506-3", "Progress note")),
        date: "2021-05-06".parse().ok(),
        text: vec![Narrative::new("SECRET-TEXT").unwrap()],
        ..Note::default()
    }
}

fn sample() -> Vec<Entry> {
    vec![entry(patient()), entry(diagnosis()), entry(observation()), entry(note())]
}

fn policy() -> Policy {
    Policy::everything_of([Kind::Patient, Kind::Diagnosis, Kind::Observation, Kind::Note])
        .mask("onset", Mask::Year)
        .unwrap()
        .mask("severity", Mask::Withhold)
        .unwrap()
        .with_bars()
        .with_words_withheld()
}

fn request() -> EnvelopeRequest {
    EnvelopeRequest::new(
        token("Ada Byron"),
        IssuerRole::Patient,
        token("Superior Court, Essex County"),
        token("Petition for expungement"),
    )
}

fn key() -> SigningKey {
    SigningKey::generate(SignatureAlgorithm::Es256, &mut Randomness::from_system()).unwrap()
}

/// Entries as a vault gives them to a policy, numbered.
fn candidates(entries: &[Entry]) -> Vec<Candidate<'_>> {
    let candidate = |(index, entry)| Candidate::new(numbered(index), Compartment::General, entry);
    entries.iter().enumerate().map(candidate).collect()
}

fn numbered(index: usize) -> EntryId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&index.to_le_bytes());
    EntryId::from_bytes(bytes)
}

fn issue_of(entries: &[Entry], policy: &Policy, key: &SigningKey) -> Excerpt {
    let view = policy.apply_for(Some("Ada Byron"), &candidates(entries), &NoFiles);
    issue(&view, &request(), key, &mut Randomness::from_system(), now()).unwrap()
}

fn verify(file: &[u8], trusted: &TrustedKeys) -> Result<VerifiedExcerpt, VerifyError> {
    UnverifiedExcerpt::parse(file)?.verify(trusted, now())
}

fn fault(file: &str) -> Option<VerifyError> {
    verify(file.as_bytes(), &TrustedKeys::none()).err()
}

/// Everything that somebody can read out of a file: itself, and each of its
/// tokens' parts decoded.
fn readable(file: &str) -> String {
    let parts = UnverifiedExcerpt::parse(file.as_bytes()).unwrap();
    let json = Json::parse(parts.parts().to_json().as_bytes(), LIMITS).unwrap();
    let entries = json.member("entries").unwrap().as_array().unwrap();
    let tokens = entries.iter().chain([json.member("envelope").unwrap()]).map(|json| json.as_str().unwrap());
    let mut text = file.to_owned();
    for part in tokens.flat_map(|token| token.split(['~', '.'])) {
        let decoded = base64url::decode(part).unwrap();
        text.push_str(&String::from_utf8_lossy(&decoded));
        if let Ok(json) = Json::parse(&decoded, LIMITS) {
            strings(&json, &mut text);
        }
    }
    text
}

fn strings(json: &Json, out: &mut String) {
    match json {
        Json::String(text) => out.push_str(text),
        Json::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Json::Object(object) => object.members().iter().for_each(|(name, value)| {
            out.push_str(name);
            strings(value, out);
        }),
        _ => {}
    }
}

#[test]
fn an_excerpt_verifies_as_json_and_as_page() {
    let key = key();
    let public = key.public_key();
    let excerpt = issue_of(&sample(), &policy(), &key);
    for file in [excerpt.to_json(), excerpt.to_html().unwrap()] {
        let trusted =
            verify(file.as_bytes(), &TrustedKeys::none().and(public, SignsAs::patient("Ada Byron"))).unwrap();
        assert_eq!(trusted.outcome(), Outcome::SignedByTrustedKey);
        let unknown = verify(file.as_bytes(), &TrustedKeys::none()).unwrap();
        assert_eq!(unknown.outcome(), Outcome::IntactUnknownSigner);
        assert_eq!(unknown.fingerprint(), public.fingerprint());
        assert_eq!((unknown.issuer(), unknown.issuer_role()), ("Ada Byron", IssuerRole::Patient));
        assert_eq!(unknown.recipient(), "Superior Court, Essex County");
        assert_eq!(unknown.id(), excerpt.id());
        assert_eq!(unknown.issued(), now());
        assert_eq!(unknown.subject().unwrap().name, "Ada Mae Byron");
        assert_eq!(unknown.subject().unwrap().born, None);
    }
}

#[test]
fn the_recipient_reads_what_was_released_and_nothing_else() {
    let key = key();
    let excerpt = issue_of(&sample(), &policy(), &key);
    let verified = verify(excerpt.to_json().as_bytes(), &TrustedKeys::none()).unwrap();
    let kinds: Vec<&str> = verified.entries().iter().map(VerifiedEntry::kind).collect();
    assert_eq!(kinds, ["diagnosis", "note", "observation", "patient"]);
    let diagnosis = &verified.entries()[0];
    let fields: serde_json::Value = serde_json::from_str(&diagnosis.fields_json()).unwrap();
    assert_eq!(
        fields,
        serde_json::json!({
            "code": {"codings": [{
                "system": "http://snomed.info/sct", "code": "44054006", "display": "Diabetes mellitus type 2"
            }]},
            "clinical_status": "active",
            "onset": {"year": "2019"},
            "recorder": {"name": "Dr Rosa Falk"},
        })
    );
    assert_eq!(diagnosis.withheld_fields(), ["severity", "notes"]);
    assert!(diagnosis.provenance_json().contains("Dr Rosa Falk"));
    assert!(verified.entries()[2].fields_json().contains(r#""value":"6.1000""#));
    for file in [excerpt.to_json(), excerpt.to_html().unwrap()] {
        let text = readable(&file);
        assert!(text.contains("Diabetes mellitus type 2"), "the search itself must find what is there");
        assert!(!text.contains("SECRET"));
        assert!(!text.contains("2019-03-04") && !text.contains("255604002"));
        let id = EntryId::from_bytes([1; 16]);
        assert!(!text.contains(&id.to_string()) && !text.contains(&base64url::encode(id.as_bytes())));
    }
}

#[test]
fn a_holder_passes_on_less_that_still_verifies() {
    let key = key();
    let public = key.public_key();
    let excerpt = issue_of(&sample(), &policy(), &key);
    let verified = verify(excerpt.to_json().as_bytes(), &TrustedKeys::none()).unwrap();
    let less = verified.entries()[0].present_only(&["code", "severity"]);
    let expected =
        sd_jwt::verify::Expected { key: &public, typ: Some(ENTRY_TYPE), exact: true, now: now().into() };
    let budget = &mut sd_jwt::verify::Budget::document();
    let claims = sd_jwt::verify::verify_claims(&less, expected, budget).unwrap();
    let salted = verified.envelope().subject.as_ref().unwrap();
    assert_eq!(claims.member("subject").and_then(Json::as_str), Some(salted.claim().as_str()));
    assert_eq!(verified.subject_salt(), Some(base64url::encode(&salted.salt)));
    let claims = Json::Object(claims).to_text();
    assert!(claims.contains("44054006") && !claims.contains("active") && !claims.contains("Falk"));
}

#[test]
fn what_is_included_by_name_leaves() {
    let policy = Policy::everything_of([Kind::Note]).include("text").unwrap().include("source").unwrap();
    let text = readable(&issue_of(&sample(), &policy, &key()).to_json());
    assert!(text.contains("SECRET-TEXT") && text.contains("SECRET-SOURCE"));
    assert!(!text.contains("SECRET-IDENTITY"));
}

#[test]
fn two_copies_share_no_salt_digest_or_id() {
    let key = key();
    let (one, other) = (issue_of(&sample(), &policy(), &key), issue_of(&sample(), &policy(), &key));
    assert_ne!(one.id(), other.id());
    let pieces = |excerpt: &Excerpt| -> std::collections::HashSet<String> {
        let mut pieces = std::collections::HashSet::new();
        for part in excerpt.parts().entries.iter().flat_map(|token| token.split(['~', '.'])) {
            let Ok(json) = Json::parse(&base64url::decode(part).unwrap(), LIMITS) else { continue };
            random_texts(&json, &mut pieces);
        }
        pieces
    };
    let (one, other) = (pieces(&one), pieces(&other));
    assert!(one.len() > 50);
    // The key's thumbprint stands in every header.
    assert_eq!(one.intersection(&other).count(), 1);
}

/// Texts of the lengths of salts (22) and digests (43).
fn random_texts(json: &Json, out: &mut std::collections::HashSet<String>) {
    match json {
        Json::String(text) if [22, 43].contains(&text.len()) && base64url::decode(text).is_ok() => {
            out.insert(text.clone());
        }
        Json::Array(items) => items.iter().for_each(|item| random_texts(item, out)),
        Json::Object(object) => object.members().iter().for_each(|(_, value)| random_texts(value, out)),
        _ => {}
    }
}

#[test]
fn no_changed_byte_of_a_json_file_verifies() {
    let file = issue_of(&[entry(note())], &policy(), &key()).to_json();
    for index in 0..file.len() {
        let mut changed = file.clone().into_bytes();
        changed[index] ^= 1 << (index % 8);
        assert!(verify(&changed, &TrustedKeys::none()).is_err(), "byte {index}");
    }
}

#[test]
fn no_changed_byte_of_a_page_verifies() {
    let page = issue_of(&[entry(note())], &policy(), &key()).to_html().unwrap();
    for index in 0..page.len() {
        let mut changed = page.clone().into_bytes();
        changed[index] ^= 1 << (index % 7);
        assert!(verify(&changed, &TrustedKeys::none()).is_err(), "byte {index}");
    }
}

#[test]
fn a_page_that_shows_something_else_is_invalid() {
    let page = issue_of(&sample(), &policy(), &key()).to_html().unwrap();
    assert_eq!(fault(&page), None);
    assert_eq!(fault(&page.replacen("mmol/L", "mg/dL", 1)), Some(VerifyError::PageDiffers));
    assert_eq!(fault(&page.replace("</main>", "<p>and more</p></main>")), Some(VerifyError::PageDiffers));
    assert_eq!(fault(&format!("{page}\n")), Some(VerifyError::PageResaved));
    let newer = page.replace("renderer\" content=\"1\"", "renderer\" content=\"2\"");
    assert_eq!(fault(&newer), Some(VerifyError::UnknownRenderer));
}

fn forged(change: impl FnOnce(&mut Parts)) -> Option<VerifyError> {
    let mut parts = issue_of(&sample(), &policy(), &key()).parts().clone();
    change(&mut parts);
    fault(&parts.to_json())
}

#[test]
fn entries_and_disclosures_cannot_be_added_dropped_or_moved() {
    assert_eq!(forged(|_| ()), None);
    let dropped = forged(|parts| drop(parts.entries.pop()));
    assert_eq!(dropped, Some(VerifyError::EntryCount { expected: 4, found: 3 }));
    let added = forged(|parts| parts.entries.push(parts.entries[0].clone()));
    assert_eq!(added, Some(VerifyError::EntryCount { expected: 4, found: 5 }));
    let swapped = forged(|parts| parts.entries.swap(0, 1));
    assert_eq!(swapped, Some(VerifyError::EntryDigest { number: 1 }));
    let fewer = forged(|parts| {
        let kept = parts.entries[0].trim_end_matches('~').rsplit_once('~').unwrap().0;
        parts.entries[0] = format!("{kept}~").into();
    });
    assert_eq!(fewer, Some(VerifyError::EntryDigest { number: 1 }));
}

#[test]
fn an_entry_of_another_excerpt_does_not_fit() {
    let key = key();
    let other = issue_of(&sample(), &policy(), &key).parts().entries[0].clone();
    let mut parts = issue_of(&sample(), &policy(), &key).parts().clone();
    parts.entries[0] = other;
    assert_eq!(fault(&parts.to_json()), Some(VerifyError::EntryDigest { number: 1 }));
}

#[test]
fn another_key_beside_the_tokens_is_refused() {
    let other = key().public_key();
    assert_eq!(forged(|parts| parts.key = other), Some(VerifyError::Envelope(JwsError::KeyId)));
}

/// Signs an envelope of the forger's making over genuine-looking entries.
fn with_envelope(change: impl FnOnce(&mut Object)) -> Option<VerifyError> {
    let key = key();
    let mut parts = issue_of(&sample(), &policy(), &key).parts().clone();
    let mut payload = jws::verify(&parts.envelope, &parts.key, envelope::ENVELOPE_PROFILE).unwrap();
    change(&mut payload);
    parts.envelope = jws::sign(ENVELOPE_TYPE, &payload, &key).unwrap();
    fault(&parts.to_json())
}

fn set(payload: &mut Object, name: &str, value: Option<Json>) {
    let members = payload.clone().into_members().into_iter().filter(|(member, _)| member != name);
    *payload = Object::new(members.collect());
    if let Some(value) = value {
        payload.push(name, value);
    }
}

#[test]
fn marks_of_what_may_be_one_record_stand_at_several_entries_and_have_one_spelling() {
    let marked = |marks: [Option<&str>; 4]| {
        with_envelope(|payload| {
            let entries = payload.member("entries").and_then(Json::as_array).unwrap().iter().zip(marks);
            let entries = entries.map(|(entry, mark)| {
                let mut entry = entry.as_object().unwrap().clone();
                set(&mut entry, "perhaps_same", mark.map(|mark| Json::Number(mark.to_owned())));
                Json::Object(entry)
            });
            set(payload, "entries", Some(Json::Array(entries.collect())));
        })
    };
    let good = [
        [Some("1"), Some("1"), None, None],
        [Some("1"), Some("2"), Some("1"), Some("2")],
        [Some("1"), Some("1"), Some("1"), Some("1")],
    ];
    good.into_iter().for_each(|marks| assert_eq!(marked(marks), None));
    let bad = [
        [Some("1"), None, None, None],
        [Some("2"), Some("2"), None, None],
        [Some("2"), Some("2"), Some("1"), Some("1")],
        [Some("0"), Some("0"), None, None],
        [Some("1.0"), Some("1.0"), None, None],
        [Some("-1"), Some("-1"), None, None],
        [Some("1"), Some("1"), Some("99999999999999999999"), None],
        [Some("1"), Some("1"), Some("3"), Some("3")],
    ];
    let refused = Some(VerifyError::EnvelopeMalformed { what: "entries" });
    bad.into_iter().for_each(|marks| assert_eq!(marked(marks), refused, "{marks:?}"));
}

#[test]
fn an_envelope_that_does_not_say_what_it_must_is_refused() {
    assert_eq!(with_envelope(|_| ()), None);
    let required = [
        "version",
        "jti",
        "iat",
        "issuer",
        "recipient",
        "purpose",
        "statement",
        "policy",
        "notices",
        "entries",
    ];
    for name in required {
        let result = with_envelope(|payload| set(payload, name, None));
        assert_eq!(result, Some(VerifyError::EnvelopeMalformed { what: name }));
    }
    let unknown = with_envelope(|payload| payload.push("more", Json::Null));
    assert!(matches!(unknown, Some(VerifyError::EnvelopeMalformed { .. })));
    let sentence = Some(Json::string("This is everything."));
    let result = with_envelope(|payload| set(payload, "statement", sentence));
    assert_eq!(result, Some(VerifyError::EnvelopeMalformed { what: "statement" }));
}

#[test]
fn an_excerpt_has_its_time() {
    let seconds = |time: u64| Some(Json::Number(time.to_string()));
    let issued = 1_795_315_353;
    assert_eq!(with_envelope(|payload| set(payload, "exp", seconds(issued + 1))), None);
    assert_eq!(with_envelope(|payload| set(payload, "exp", seconds(issued))), Some(VerifyError::Expired));
    assert_eq!(with_envelope(|payload| set(payload, "iat", seconds(issued + 3600))), None);
    let future = with_envelope(|payload| set(payload, "iat", seconds(issued + 3601)));
    assert_eq!(future, Some(VerifyError::IssuedInTheFuture));
}

#[test]
fn an_envelope_is_no_entry_and_an_entry_is_no_envelope() {
    let as_envelope = forged(|parts| {
        parts.envelope = parts.entries[0].split('~').next().unwrap().to_owned();
    });
    assert_eq!(as_envelope, Some(VerifyError::Envelope(JwsError::Type)));
    let key = key();
    let mut parts = issue_of(&sample(), &policy(), &key).parts().clone();
    let entry = format!("{}~", parts.envelope);
    let payload = jws::verify(&parts.envelope, &parts.key, envelope::ENVELOPE_PROFILE).unwrap();
    let mut envelope = Envelope::decode(&payload).unwrap();
    envelope.entries = vec![Binding::of(&entry, &[])];
    parts.envelope = jws::sign(ENVELOPE_TYPE, &envelope.encode(), &key).unwrap();
    parts.entries = vec![entry.into()];
    let reason = SdJwtError::Jws(JwsError::Type);
    assert_eq!(fault(&parts.to_json()), Some(VerifyError::Entry { number: 1, reason }));
}

#[test]
fn an_entry_with_too_many_fields_is_refused() {
    let key = key();
    let whole = || ClaimValue::Whole(Json::Null);
    let entry = |count: usize| {
        let fields =
            (0..count).map(|index| (format!("f{index}"), Claim::disclosable(whole(), true))).collect();
        let claims = [
            ("kind".to_owned(), Claim::always(ClaimValue::Whole(Json::string("note")))),
            ("fields".to_owned(), Claim::always(ClaimValue::Object(fields))),
            ("provenance".to_owned(), Claim::always(ClaimValue::Object(Vec::new()))),
        ];
        fault_of_entry(&claims, &key)
    };
    assert_eq!(entry(envelope::MAX_FIELDS), None);
    assert_eq!(entry(envelope::MAX_FIELDS + 1), Some(VerifyError::EntryMalformed { number: 1 }));
}

#[test]
fn what_is_no_excerpt_is_refused() {
    for file in ["", " ", "hello", "{}", "<html></html>", "[]", "\u{feff}{}"] {
        assert_eq!(fault(file), Some(VerifyError::NotAnExcerpt), "{file:?}");
    }
    let file = issue_of(&[], &policy(), &key()).to_json();
    assert_eq!(fault(&file), None, "an empty excerpt is one");
    let newer = file.replace("\"subrosa_excerpt\":1", "\"subrosa_excerpt\":2");
    assert_eq!(fault(&newer), Some(VerifyError::UnsupportedVersion));
    let deep = "[".repeat(100_000).replacen('[', "{\"a\":", 1);
    for file in
        [file.replace("{\"sub", "{\"key\":1,\"sub"), deep, file.replace("{\"sub", "{\"more\":1,\"sub")]
    {
        assert_eq!(fault(&file), Some(VerifyError::NotAnExcerpt));
    }
    let long = vec![b'{'; MAX_FILE_BYTES + 1];
    assert_eq!(
        verify(&long, &TrustedKeys::none()).err(),
        Some(VerifyError::TooLong { limit: MAX_FILE_BYTES })
    );
}

#[test]
fn hostile_texts_are_inert_in_the_page() {
    let hostile = [
        "<script>alert(1)</script>",
        "</script><img src=x onerror=alert(1)>",
        "]]>--><!--",
        "<script type=\"application/json\" id=\"subrosa-excerpt\">{}</script>",
        "<meta name=\"subrosa-renderer\" content=\"9\">",
        "\u{202e}gnp.exe\u{0}\u{1b}[2J",
        "javascript:alert(1)",
    ];
    let mut entries = sample();
    for text in hostile {
        let code = concept(text, text, text);
        let notes = vec![Narrative::new(text).unwrap()];
        entries.push(entry(Diagnosis { code: Some(code), notes, ..Diagnosis::default() }));
    }
    let long = Narrative::new("A\u{2028}<".repeat(200_000)).unwrap();
    entries.push(entry(Diagnosis { notes: vec![long], ..Diagnosis::default() }));
    let policy = Policy::everything_of([Kind::Diagnosis]).include("notes").unwrap();
    let page = issue_of(&entries, &policy, &key()).to_html().unwrap();
    assert_eq!(fault(&page), None);
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("<meta").count(), 6);
    assert!(!page.contains("<img") && !page.contains("]]>") && !page.contains("<!--"));
    assert!(!page.contains(['\u{202e}', '\u{0}', '\u{1b}', '\u{2028}']));
    assert!(!page.contains(" href=\"") && !page.contains(" src=\""));
}

#[test]
fn bars_have_one_width_and_none_stands_for_a_withheld_entry() {
    let bars = |policy: &Policy| {
        let page = issue_of(&sample(), policy, &key()).to_html().unwrap();
        page.matches("class=\"bar\"").count()
    };
    // Severity, notes, note's text, an answer in words, the patient's addresses,
    // identifiers and date of birth, and one bar in the explanation.
    assert_eq!(bars(&policy()), 8);
    let nothing_withheld = Policy::everything_of([Kind::Note]).include("text").unwrap();
    assert_eq!(bars(&nothing_withheld), 0);
}

#[test]
fn an_envelope_tells_nothing_of_entries_that_do_not_leave() {
    let key = key();
    let policy = Policy::everything_of([Kind::Diagnosis]).since("2018".parse().unwrap());
    let claims = |entries: &[Entry]| {
        let parts = issue_of(entries, &policy, &key).parts().clone();
        let payload = jws::verify(&parts.envelope, &parts.key, envelope::ENVELOPE_PROFILE).unwrap();
        let mut envelope = Envelope::decode(&payload).unwrap();
        envelope.id = ExcerptId::from_bytes([0; 16]);
        if let Some(salted) = &mut envelope.subject {
            salted.salt = [0; 16];
        }
        envelope.entries.clear();
        Json::Object(envelope.encode()).to_text()
    };
    let mut undated = diagnosis();
    undated.onset = None;
    let mut retracted = entry(diagnosis());
    retracted.marks.retracted = true;
    let few = [entry(patient()), entry(diagnosis())];
    let many = [entry(patient()), entry(diagnosis()), entry(undated), retracted, entry(note())];
    assert_eq!(claims(&few), claims(&many));
}

#[test]
fn a_view_over_the_limit_is_not_issued() {
    let entries = vec![entry(Note::default()); MAX_ENTRIES + 1];
    let view =
        Policy::everything_of([Kind::Note]).apply_for(Some("Ada Byron"), &candidates(&entries), &NoFiles);
    let result = issue(&view, &request(), &key(), &mut Randomness::from_system(), now());
    assert_eq!(result.err(), Some(IssueExcerptError::TooManyEntries { limit: MAX_ENTRIES }));
}

/// The excerpt that `docs/excerpt.md` and verifiers in other languages work with.
/// `SUBROSA_BLESS=1` writes it anew after a deliberate change of the format.
#[test]
fn the_golden_excerpt_is_issued_byte_for_byte() {
    let secret = crate::secret::SecretBytes::filled(|bytes| bytes.fill(0x42));
    let key = SigningKey::from_secret(SignatureAlgorithm::Es256, &secret).unwrap();
    let entries = sample();
    let view = policy().apply(&candidates(&entries));
    let excerpt = issue(&view, &request(), &key, &mut Randomness::seeded(7), now()).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/");
    for (name, made) in [("excerpt.json", excerpt.to_json()), ("excerpt.html", excerpt.to_html().unwrap())] {
        let path = format!("{folder}{name}");
        if std::env::var_os("SUBROSA_BLESS").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        assert!(std::fs::read_to_string(&path).unwrap() == made, "{name} differs");
    }
}

#[test]
fn the_specification_says_what_the_code_does() {
    let specification = include_str!("../../docs/excerpt.md");
    let grouped = |number: usize| {
        let digits = number.to_string();
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
        groups.join(" ")
    };
    let budget = sd_jwt::verify::Budget::document();
    let envelope_limits = envelope::ENVELOPE_PROFILE.payload;
    for said in [
        format!("`{ENVELOPE_TYPE}`").replace('`', "\""),
        format!("\"{ENTRY_TYPE}\""),
        format!("exactly `{STATEMENT}`"),
        format!("at most {} bytes", grouped(MAX_FILE_BYTES)),
        format!("at most {}", grouped(MAX_ENTRIES)),
        format!("deeper than {}", sd_jwt::MAX_DEPTH),
        format!("more than {} disclosures", grouped(budget.disclosures)),
        format!("{} bytes of names", grouped(budget.paths)),
        format!("{} bytes together", grouped(file::MAX_TOKENS_BYTES)),
        format!("{} bytes and {}", grouped(envelope_limits.bytes), grouped(envelope_limits.values)),
        format!("at most {} sentences", grouped(envelope::MAX_NOTICES)),
        format!("at most {} kinds, codes and masks", grouped(envelope::MAX_NAMED)),
        format!("1 to {} characters", shown::MAX_NAME),
        format!("more than {} JSON values in the processed", grouped(sd_jwt::MAX_TOKEN_VALUES)),
        format!("{} in one payload or disclosure", grouped(sd_jwt::MAX_TEXT_VALUES)),
        format!("{} bytes in one payload", grouped(sd_jwt::MAX_PAYLOAD_BYTES)),
        format!("{} bytes more than all entry tokens", grouped(shown::room_for_words(0))),
        format!("at most {} fields", envelope::MAX_FIELDS),
        format!(
            "{} digests or {} JSON values in the entries",
            grouped(budget.digests),
            grouped(budget.values)
        ),
        format!("between `{}`", file::OPENING),
        format!("{}{}{}", file::RENDERER_MARK.0, file::RENDERER, file::RENDERER_MARK.1),
        format!("sha256(\"{}\" ‖ salt", subject::CONTEXT),
        format!("`iat` is more than {} seconds", verifier::CLOCK_LEEWAY),
    ] {
        assert!(specification.contains(&said), "the specification does not say: {said}");
    }
    // The example is that of the golden excerpt.
    let golden = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/excerpt.json")).unwrap();
    let golden = UnverifiedExcerpt::parse(&golden).unwrap();
    let first = &golden.parts().entries[0];
    let digest = base64url::encode(Binding::of(first, &[]).digest.as_bytes());
    let shown =
        [digest, golden.parts().key.fingerprint().key_id(), golden.parts().key.fingerprint().to_string()];
    assert!(shown.iter().all(|shown| specification.contains(shown)));
    let rows = specification.lines().filter(|line| line.starts_with("| `Wy"));
    let disclosures: Vec<&str> =
        rows.filter_map(|row| row.split('`').nth(1)).map(|cell| cell.trim_end_matches('…')).collect();
    assert_eq!(disclosures.len(), 3);
    assert!(disclosures.iter().all(|one| first.contains(&format!("~{one}"))));
}

/// Narratives and attachments are what must not leave; codes are what must.
#[test]
fn excerpts_of_real_records_verify_and_hold_nothing_that_is_withheld() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/");
    if !std::path::Path::new(folder).exists() {
        eprintln!("SKIPPED: ../shared/data is absent");
        return;
    }
    let files = [
        "fhir-bundles/synthea_Barrett_Douglas.json",
        "fhir-bundles/uscore_patient_85.json",
        "fhir-bundles/synthea_Omar_Abernathy.json",
    ];
    for name in files {
        let mut import = crate::Import::new(crate::ImportOptions::default());
        import.read(Some(name), std::fs::File::open(format!("{folder}{name}")).unwrap()).unwrap();
        let entries: Vec<Entry> =
            import.finish().unwrap().entries.into_iter().map(|imported| imported.entry).collect();
        let policy = Policy::everything_of(Kind::all().iter().copied());
        let view = policy.apply(&candidates(&entries));
        // What only words that stay would name does not leave: very few.
        let whole = view.withheld().iter().filter(|withheld| withheld.field.is_none());
        let stays: Vec<EntryId> = whole.map(|withheld| withheld.entry).collect();
        assert_eq!(view.released().len() + stays.len(), entries.len(), "{name}");
        assert!(stays.len() * 20 < entries.len(), "{name}");
        let key = key();
        let excerpt = issue(&view, &request(), &key, &mut Randomness::from_system(), now()).unwrap();
        let page = excerpt.to_html().unwrap();
        assert_eq!(fault(&page), None, "{name}");
        let text = readable(&excerpt.to_json()) + &page;
        let mut searched = 0;
        for (index, entry) in entries.iter().enumerate() {
            for secret in withheld_texts(entry) {
                assert!(!text.contains(&secret), "{name} leaks a {}", entry.kind());
                searched += 1;
            }
            let display = entry.code().and_then(|code| code.codings.first()?.display.clone());
            if let Some(display) = display.filter(|_| !stays.contains(&numbered(index))) {
                assert!(text.contains(display.as_str()), "{name}: a display is missing");
            }
        }
        assert!(searched > 10, "{name}: {searched} texts were looked for");
    }
}

/// Texts that are long enough to be nothing but what was withheld.
fn withheld_texts(entry: &Entry) -> Vec<String> {
    let identity = entry.provenance.identity.iter().map(|identity| identity.as_str().to_owned());
    let narratives = entry.record.fields().into_iter().filter_map(|field| match field.value {
        crate::Value::Narrative(text) if text.as_str().len() > 40 => Some(text.as_str().to_owned()),
        crate::Value::Identifier(identifier) => identifier.value.map(|value| value.as_str().to_owned()),
        crate::Value::Telecom(telecom) => telecom.value.map(|value| value.as_str().to_owned()),
        _ => None,
    });
    narratives.chain(identity).filter(|text| text.len() > 8).collect()
}

#[test]
fn a_verified_excerpt_tells_every_claim_that_was_signed() {
    let key = key();
    let public = key.public_key();
    let (issued, mut request) = (sample(), request());
    let expires = now() + Duration::from_secs(7 * 24 * 3600);
    request.expires = Some(expires);
    let view = policy().apply(&candidates(&issued));
    let excerpt = issue(&view, &request, &key, &mut Randomness::from_system(), now()).unwrap();
    let verified =
        verify(excerpt.to_json().as_bytes(), &TrustedKeys::none().and(public, SignsAs::patient("Ada Byron")))
            .unwrap();
    assert_eq!(verified.key(), &public);
    assert_eq!(verified.purpose(), "Petition for expungement");
    assert_eq!(verified.expires(), Some(expires));
    let report: serde_json::Value = serde_json::from_str(&verified.to_json()).unwrap();
    assert_eq!(report["outcome"], "signed-by-trusted-key");
    assert_eq!(report["fingerprint"], public.fingerprint().to_string());
    let members: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(members.iter().filter(|name| ***name == "entries").count(), 1);
    let mut claims = verified.envelope().encode().into_members();
    claims.retain(|(name, _)| name != "entries");
    assert!(claims.len() >= 8);
    for (name, value) in claims {
        let value: serde_json::Value = serde_json::from_str(&value.to_text()).unwrap();
        assert_eq!(report[&name], value, "{name}");
    }
    assert_eq!(report["entries"].as_array().unwrap().len(), 4);
    let diagnosis = &report["entries"][0];
    assert_eq!(diagnosis["kind"], "diagnosis");
    assert_eq!(diagnosis["withheld"], serde_json::json!(["severity", "notes"]));
    assert_eq!(diagnosis["fields"]["clinical_status"], "active");
    assert_eq!(diagnosis["provenance"]["provider"]["name"], "Dr Rosa Falk");
    assert_eq!(verified.notices(), verified.envelope().notices);
    assert!(!format!("{verified:?}").contains("Rosa"));
}

/// What is found in an excerpt whose issuer signed one entry of these claims.
fn fault_of_entry(claims: &[(String, Claim)], key: &SigningKey) -> Option<VerifyError> {
    let mut parts = issue_of(&[], &policy(), key).parts().clone();
    let payload = jws::verify(&parts.envelope, &parts.key, envelope::ENVELOPE_PROFILE).unwrap();
    let mut envelope = Envelope::decode(&payload).unwrap();
    let mut claims = claims.to_vec();
    claims.push(subject_claim(envelope.subject.as_ref().unwrap()));
    let token =
        issue_token(ENTRY_TYPE, &claims, key, &mut Randomness::from_system()).unwrap().present_released();
    envelope.entries = vec![Binding::of(&token, &[])];
    parts.envelope = jws::sign(ENVELOPE_TYPE, &envelope.encode(), key).unwrap();
    parts.entries = vec![token.into()];
    fault(&parts.to_json())
}

#[test]
fn an_entry_of_other_claims_than_it_must_have_is_refused() {
    let key = key();
    let text = |text: &str| ClaimValue::Whole(Json::string(text));
    let object = || ClaimValue::Object(Vec::new());
    let check = |claims: Vec<(&str, ClaimValue)>| {
        let claims: Vec<_> =
            claims.into_iter().map(|(name, value)| (name.to_owned(), Claim::always(value))).collect();
        fault_of_entry(&claims, &key)
    };
    let sound = || vec![("kind", text("note")), ("fields", object()), ("provenance", object())];
    assert_eq!(check(sound()), None);
    let malformed = Some(VerifyError::EntryMalformed { number: 1 });
    for missing in 0..3 {
        let mut claims = sound();
        claims.remove(missing);
        assert_eq!(check(claims), malformed, "without the claim {missing}");
    }
    for (name, value) in [("more", text("x")), ("more", object()), ("more", ClaimValue::Whole(Json::Null))] {
        assert_eq!(check([sound(), vec![(name, value)]].concat()), malformed);
    }
    for (name, value) in [("kind", object()), ("fields", text("x")), ("provenance", text("x"))] {
        let mut claims = sound();
        claims.retain(|(claim, _)| *claim != name);
        claims.push((name, value));
        assert_eq!(check(claims), malformed, "{name} of another form");
    }
    for kind in ["", "Note", "a b"] {
        let claims = vec![("kind", text(kind)), ("fields", object()), ("provenance", object())];
        assert_eq!(check(claims), malformed, "{kind:?}");
    }
    for name in ["Fields", "<b>", ""] {
        let fields = ClaimValue::Object(vec![(name.to_owned(), Claim::always(text("x")))]);
        let claims = vec![("kind", text("note")), ("fields", fields), ("provenance", object())];
        assert_eq!(check(claims), malformed, "{name:?}");
    }
}

/// The first entry of one excerpt, under an envelope that is otherwise of another.
fn with_entry_of(other: &[Entry]) -> Option<VerifyError> {
    let key = key();
    let foreign = issue_of(other, &policy(), &key).parts().entries[0].clone();
    let mut parts = issue_of(&sample(), &policy(), &key).parts().clone();
    let payload = jws::verify(&parts.envelope, &parts.key, envelope::ENVELOPE_PROFILE).unwrap();
    let mut envelope = Envelope::decode(&payload).unwrap();
    envelope.entries[1] = Binding::of(&foreign, &[]);
    parts.entries[1] = foreign;
    parts.envelope = jws::sign(ENVELOPE_TYPE, &envelope.encode(), &key).unwrap();
    fault(&parts.to_json())
}

#[test]
fn entries_of_two_patients_or_of_two_excerpts_are_not_mixed_even_by_their_issuer() {
    let other = HumanName { family: Some(token("Lovelace")), ..HumanName::default() };
    let other = Patient { names: vec![other], ..patient() };
    let mixed = Some(VerifyError::EntrySubject { number: 2 });
    assert_eq!(with_entry_of(&[entry(other), entry(diagnosis())]), mixed);
    assert_eq!(with_entry_of(&sample()), mixed, "the same patient in another excerpt");
}

#[test]
fn what_expires_is_the_excerpt_and_never_an_entry() {
    let key = key();
    let text = |text: &str| ClaimValue::Whole(Json::string(text));
    for name in ["exp", "nbf", "iat"] {
        let time = |seconds: u64| ClaimValue::Whole(Json::Number(seconds.to_string()));
        let claims: Vec<_> = [
            ("kind", text("note")),
            ("fields", ClaimValue::Object(Vec::new())),
            ("provenance", ClaimValue::Object(Vec::new())),
            (name, time(if name == "exp" { 4_000_000_000 } else { 1 })),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Claim::always(value)))
        .collect();
        assert_eq!(fault_of_entry(&claims, &key), Some(VerifyError::EntryMalformed { number: 1 }), "{name}");
    }
}

#[test]
fn a_text_of_the_envelope_is_one_line_without_control_characters() {
    for text in
        ["two\nlines", "a\rb", "a\tb", "\u{1b}[2J", "a\u{7f}", "\u{9b}2J", "a\u{2028}b", "a\u{2029}b", "\0"]
    {
        for name in ["recipient", "purpose"] {
            let result = with_envelope(|payload| set(payload, name, Some(Json::string(text))));
            assert_eq!(result, Some(VerifyError::EnvelopeMalformed { what: name }), "{text:?}");
        }
        let notice = Some(Json::Array(vec![Json::string(text)]));
        let result = with_envelope(|payload| set(payload, "notices", notice));
        assert_eq!(result, Some(VerifyError::EnvelopeMalformed { what: "notices" }), "{text:?}");
    }
    let masks = |mask: &str| {
        let masks = Object::new(vec![("onset".to_owned(), Json::string(mask))]);
        let policy = Json::Object(Object::new(vec![("masks".to_owned(), Json::Object(masks))]));
        with_envelope(|payload| set(payload, "policy", Some(policy)))
    };
    assert_eq!(masks("year"), None);
    assert_eq!(masks("blur"), Some(VerifyError::EnvelopeMalformed { what: "policy" }));
}

/// The token with the other of the two signatures that ECDSA has for it.
fn with_other_signature(token: &str) -> String {
    let (jwt, disclosures) = token.split_once('~').unwrap_or((token, ""));
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    let other = crate::crypto::signature::malleated(&base64url::decode(signature).unwrap());
    let tilde = if token.contains('~') { "~" } else { "" };
    format!("{message}.{}{tilde}{disclosures}", base64url::encode(&other))
}

#[test]
fn a_signature_that_was_respelt_on_the_way_is_refused() {
    let envelope = forged(|parts| parts.envelope = with_other_signature(&parts.envelope));
    assert_eq!(envelope, Some(VerifyError::Envelope(JwsError::MalleatedSignature)));
    // The envelope binds the token whole, so only its issuer could bind such a one.
    let entry = forged(|parts| parts.entries[0] = with_other_signature(&parts.entries[0]).into());
    assert_eq!(entry, Some(VerifyError::EntryDigest { number: 1 }));
}

/// A card that gives whichever of ECDSA's two signatures has the higher s.
struct HighCard(SigningKey);

impl Signer for HighCard {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(crate::crypto::signature::malleated(&self.0.sign(message)))
    }
}

#[test]
fn a_card_may_give_either_signature() {
    let card = HighCard(key());
    let entries = sample();
    let view = policy().apply(&candidates(&entries));
    let random = &mut Randomness::from_system();
    let excerpt = issue(&view, &request(), &ProvenSigner::of(&card), random, now()).unwrap();
    assert_eq!(fault(&excerpt.to_json()), None);
}

/// Of an issuer that does not keep to the rules, so that its verifier must.
#[test]
fn a_mask_over_a_field_of_which_nothing_is_seen_is_refused() {
    let key = key();
    let with_mask = |field: &str, entries: &[Entry], policy: &Policy| {
        let mut parts = issue_of(entries, policy, &key).parts().clone();
        let payload = jws::verify(&parts.envelope, &parts.key, envelope::ENVELOPE_PROFILE).unwrap();
        let mut envelope = Envelope::decode(&payload).unwrap();
        let mut masks = Object::default();
        masks.push(field, Json::string("withhold"));
        envelope.policy = Object::new(vec![("masks".to_owned(), Json::Object(masks))]);
        parts.envelope = jws::sign(ENVELOPE_TYPE, &envelope.encode(), &key).unwrap();
        fault(&parts.to_json())
    };
    let unseen = Some(VerifyError::EnvelopeMalformed { what: "policy" });
    let diagnoses = Policy::everything_of([Kind::Diagnosis]);
    for (field, entries) in [("abatement", sample()), ("admission", sample()), ("onset", vec![entry(note())])]
    {
        assert_eq!(with_mask(field, &entries, &diagnoses), unseen, "{field}");
    }
    // Seen, behind a bar, and about the subject.
    assert_eq!(with_mask("onset", &sample(), &diagnoses), None);
    let barred = diagnoses.mask("severity", Mask::Withhold).unwrap();
    assert_eq!(with_mask("severity", &sample(), &barred), unseen);
    let barred_diagnoses = barred.with_bars();
    assert_eq!(with_mask("severity", &sample(), &barred_diagnoses), None);
    assert_eq!(with_mask("names", &sample(), &barred_diagnoses), None);
    assert_eq!(with_mask("birth_date", &sample(), &barred_diagnoses), unseen, "no date of birth is said");
}

#[test]
fn a_known_key_under_another_name_or_role_is_not_trusted() {
    let key = key();
    let file = issue_of(&sample(), &policy(), &key).to_json();
    let outcome = |signs_as: SignsAs| {
        let trusted = TrustedKeys::none().and(key.public_key(), signs_as);
        verify(file.as_bytes(), &trusted).unwrap().outcome()
    };
    assert_eq!(outcome(SignsAs::patient("ada  BYRON")), Outcome::SignedByTrustedKey);
    assert_eq!(outcome(SignsAs::provider("Ada Byron")), Outcome::KnownKeyOtherName);
    assert_eq!(outcome(SignsAs::patient("Ada Lovelace")), Outcome::KnownKeyOtherName);
    assert_eq!(outcome(SignsAs::any_name_and_role()), Outcome::SignedByTrustedKey);
}

#[test]
fn a_claim_that_no_screen_can_show_in_full_is_refused() {
    let key = key();
    let check = |field: &str, value: serde_json::Value| {
        let fields = format!("{{\"{field}\":{value}}}");
        let claims = [
            ("kind".to_owned(), ClaimValue::Whole(Json::string("diagnosis"))),
            ("fields".to_owned(), ClaimValue::Whole(Json::parse(fields.as_bytes(), LIMITS).unwrap())),
            ("provenance".to_owned(), ClaimValue::Object(Vec::new())),
        ];
        fault_of_entry(&claims.map(|(name, value)| (name, Claim::always(value))), &key)
    };
    let malformed = Some(VerifyError::EntryMalformed { number: 1 });
    for (field, value) in [
        ("onset", serde_json::json!({"date": "2019-03-04", "year": "1999"})),
        ("onset", serde_json::json!({"date": "2019-02-30"})),
        ("onset", serde_json::json!({"date": "never"})),
        ("onset", serde_json::json!({"year": "19"})),
        ("onset", serde_json::json!({"year": "2019", "note": "x"})),
        ("onset", serde_json::json!("2019")),
        ("onset", serde_json::json!([{"year": "2019"}])),
        ("code", serde_json::json!({"codings": [{"code": "1", "negated": "yes"}]})),
        ("code", serde_json::json!({"code": "1"})),
        ("code", serde_json::json!({"text": ["a", "b"]})),
        ("clinical_status", serde_json::json!({"text": "active"})),
        ("notes", serde_json::json!("not a list")),
        ("recorder", serde_json::json!({"name": "x", "more": "y"})),
    ] {
        assert_eq!(check(field, value.clone()), malformed, "{field} {value}");
    }
    for (field, value) in [
        ("onset", serde_json::json!({"date": "2019-03-04"})),
        ("onset", serde_json::json!({})),
        ("a-field-of-the-future", serde_json::json!({"date": "never", "year": [1, null]})),
    ] {
        assert_eq!(check(field, value.clone()), None, "{field} {value}");
    }
}

#[test]
fn preview_verifier_and_page_say_the_same_words() {
    let mut entries = sample();
    entries.push(entry(crate::Immunization {
        status: Some(token("not-done")),
        code: Some(concept("http://hl7.org/fhir/sid/cvx", "141", "Influenza\u{202e} <b>vaccine</b>")),
        ..crate::Immunization::default()
    }));
    entries[4].not_understood = vec![token("Immunization.modifierExtension")];
    let policy = Policy::everything_of(Kind::all().iter().copied());
    let policy = policy.with_bars().with_not_understood().with_words_withheld();
    let view = policy.apply(&candidates(&entries));
    let excerpt = issue(&view, &request(), &key(), &mut Randomness::from_system(), now()).unwrap();
    let page = excerpt.to_html().unwrap();
    let verified = verify(page.as_bytes(), &TrustedKeys::none()).unwrap();
    assert_eq!(view.released().len(), 5);
    for (previewed, verified) in view.released().iter().zip(verified.entries()) {
        let shown = verified.shown();
        assert!(previewed.shown() == shown);
        let escaped = |text: &str| text.replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&#39;");
        let texts = shown.lines.iter().flat_map(|line| [&line.label, &line.text]);
        for text in texts.chain(&shown.warnings).chain([&shown.heading]) {
            assert!(page.contains(&escaped(text)), "the page lacks {text}");
        }
    }
    let denied = verified.entries().iter().find(|entry| entry.kind() == "immunization").unwrap();
    assert_eq!(denied.negation(), Some("not given"));
    let commented = verified.entries().iter().find(|entry| entry.kind() == "observation").unwrap();
    assert!(commented.words_withheld() && !denied.words_withheld());
    assert!(commented.shown().warnings[0].contains("left out") && page.contains("left out"));
    assert!(
        commented
            .present_only(&["code"])
            .split('.')
            .nth(1)
            .map(|part| base64url::decode(part).unwrap())
            .is_some_and(|payload| String::from_utf8(payload).unwrap().contains(r#""words_withheld":true"#))
    );
    let shown = denied.shown();
    assert_eq!(shown.heading, "Immunization: NOT GIVEN: Influenza[U+202E] <b>vaccine</b>");
    assert!(shown.warnings[0].contains("Immunization.modifierExtension"));
    let less = denied.present_only(&["code"]);
    let payload = less.split('.').nth(1).map(|part| base64url::decode(part).unwrap()).unwrap();
    let payload = String::from_utf8(payload).unwrap();
    assert!(payload.contains(r#""negation":"not given""#) && payload.contains(r#""status":"not-done""#));
}
