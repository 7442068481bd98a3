//! RFC 9901's own examples, other implementations' cases, and hostile tokens.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::issue::{Issued, digest, issue};
use super::verify::{Budget, Expected, verify_and_take_apart, verify_claims};
use super::{MAX_DEPTH, MAX_TEXT_VALUES, MAX_TOKEN_BYTES, MAX_TOKEN_VALUES, SdJwt, SdJwtError, Step};
use crate::claims::{Claim, ClaimValue};
use crate::jws::JwsError;
use crate::key::PublicKey;
use crate::signature::SignatureAlgorithm;
use crate::testing::SigningKey;
use crate::testing::TestSalts;
use crate::time::UnixTime;
use subrosa_base::codec::base64url;
use subrosa_base::codec::json::{Json, JsonLimits, Object};

const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);
const LIMITS: JsonLimits = JsonLimits { bytes: 1 << 24, depth: 64, values: 1 << 20 };

fn signing_key() -> SigningKey {
    SigningKey::generate(SignatureAlgorithm::Es256)
}

/// The claims of a token and the token taken apart.
struct Verified(Object, SdJwt);

impl Verified {
    fn claims(&self) -> &Object {
        &self.0
    }

    fn token(&self) -> &SdJwt {
        &self.1
    }
}

fn check(token: &str, key: &PublicKey) -> Result<Verified, SdJwtError> {
    let expected = Expected { key, typ: None, exact: false, now: NOW };
    let claims = verify_claims(token, expected, &mut Budget::document());
    let (again, token) = verify_and_take_apart(token, expected, &mut Budget::document())?;
    assert!(claims == Ok(again.clone()), "both ways find the same");
    Ok(Verified(again, token))
}

fn to_value(json: &Json) -> Value {
    serde_json::from_str(&json.to_text()).unwrap()
}

fn claims_of(verified: &Verified) -> Value {
    to_value(&Json::Object(verified.claims().clone()))
}

/// A disclosure of these parts, and its digest.
fn disclosure(parts: Value) -> (String, String) {
    let encoded = base64url::encode(parts.to_string().as_bytes());
    let digest = digest(&encoded);
    (encoded, digest)
}

/// Signs `payload` as it is and verifies the token with these disclosures.
fn hostile(payload: &Value, disclosures: &[&str]) -> Result<Value, SdJwtError> {
    hostile_text(&payload.to_string(), disclosures)
}

fn hostile_text(payload: &str, disclosures: &[&str]) -> Result<Value, SdJwtError> {
    let key = signing_key();
    let message =
        format!("{}.{}", base64url::encode(br#"{"alg":"ES256"}"#), base64url::encode(payload.as_bytes()));
    let signature = base64url::encode(&key.sign(message.as_bytes()));
    let mut token = format!("{message}.{signature}~");
    disclosures.iter().for_each(|disclosure| {
        token.push_str(disclosure);
        token.push('~');
    });
    check(&token, &key.public_key()).map(|verified| claims_of(&verified))
}

fn data(path: &str) -> Option<Vec<u8>> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/crypto/");
    let found = std::fs::read(format!("{root}{path}"));
    if found.is_err() {
        eprintln!("SKIPPED: ../shared/data is absent");
    }
    found.ok()
}

/// The "Processed SD-JWT Payload" that the text shows behind a line.
fn processed_payload(text: &str, line: usize) -> Value {
    let lines = text.lines().skip(line).skip_while(|line| !line.contains("Processed"));
    let mut block = String::new();
    for line in lines.skip_while(|line| line.trim() != "{") {
        block.push_str(line.trim());
        if line == "   }" {
            break;
        }
    }
    serde_json::from_str(&block).unwrap()
}

#[test]
fn the_examples_of_rfc_9901_verify_to_the_payloads_it_prints() {
    let Some(examples) = data("sd-jwt/rfc9901_examples.json") else { return };
    let text = data("sd-jwt/draft-ietf-oauth-selective-disclosure-jwt-22.txt").unwrap();
    let text = String::from_utf8(text).unwrap();
    let examples: Value = serde_json::from_slice(&examples).unwrap();
    let key = PublicKey::from_jwk(examples["keys"]["issuer_jwk"].to_string().as_bytes()).unwrap();
    let mut compared = 0;
    for example in examples["examples"].as_array().unwrap() {
        let serialized = example["serialized"].as_str().unwrap();
        let (section, line) = (example["section"].as_str().unwrap(), example["line"].as_u64().unwrap());
        let token = match example["kind"].as_str().unwrap() {
            "jwt" => format!("{serialized}~"),
            "sd-jwt+kb" => {
                let refused = check(serialized, &key).err();
                assert_eq!(refused, Some(SdJwtError::KeyBindingNotExpected), "{section}");
                serialized.rsplit_once('~').unwrap().0.to_owned() + "~"
            }
            _ => serialized.to_owned(),
        };
        let verified = check(&token, &key).unwrap_or_else(|error| panic!("{section}: {error}"));
        assert_eq!(verified.token().present(|_| true).len(), token.len(), "{section}");
        if !section.starts_with("5.1") {
            let printed = processed_payload(&text, usize::try_from(line).unwrap());
            // A.3 shows the issued token and then what the holder presents of it.
            let presented = verified.token().present(|one| find(one.path(), &printed).is_some());
            let verified = check(&presented, &key).unwrap();
            assert_eq!(claims_of(&verified), printed, "{section}");
            compared += 1;
        }
    }
    assert_eq!(compared, 4);
}

/// Claims with the marks of an sd-jwt-js disclosure frame.
fn framed(claims: &Value, frame: &Value) -> ClaimValue {
    let hidden = |step: &str| {
        let index = |mark: &Value| mark.as_u64().map(|index| index.to_string());
        let named = |mark: &Value| mark.as_str() == Some(step) || index(mark).as_deref() == Some(step);
        frame["_sd"].as_array().is_some_and(|marks| marks.iter().any(named))
    };
    let claim = |step: &str, value: &Value| {
        let inner = framed(value, &frame[step]);
        if hidden(step) { Claim::disclosable(inner, true) } else { Claim::always(inner) }
    };
    match claims {
        Value::Object(members) => ClaimValue::Object(
            members.iter().map(|(name, value)| (name.clone(), claim(name, value))).collect(),
        ),
        Value::Array(items) => ClaimValue::Array(
            items.iter().enumerate().map(|(index, value)| claim(&index.to_string(), value)).collect(),
        ),
        scalar => ClaimValue::Whole(Json::parse(scalar.to_string().as_bytes(), LIMITS).unwrap()),
    }
}

fn find<'a>(path: &[Step], value: &'a Value) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Member(name) => value.get(name),
        Step::Item(index) => value.get(index).or_else(|| value.get(index.to_string())),
    })
}

fn issued(claims: ClaimValue, key: &SigningKey) -> Issued {
    let ClaimValue::Object(members) = claims else { panic!("claims are an object") };
    issue("test+sd-jwt", &members, key, &mut TestSalts).unwrap()
}

#[test]
fn the_cases_of_another_implementation_are_issued_presented_and_verified() {
    let names = [
        "array_data_types",
        "array_full_sd",
        "array_in_sd",
        "array_none_disclosed",
        "array_of_nulls",
        "array_of_objects",
        "array_of_scalars",
        "array_recursive_sd",
        "complex",
        "json_serialization",
        "key_binding",
    ];
    let key = signing_key();
    for name in names {
        let Some(case) = data(&format!("sd-jwt/sd-jwt-js/{name}.json")) else { return };
        let case: Value = serde_json::from_slice(&case).unwrap();
        let issued = issued(framed(&case["claims"], &case["disclosureFrame"]), &key);
        let held = check(&issued.present_released(), &key.public_key()).unwrap();
        assert_eq!(claims_of(&held), case["claims"], "{name}");
        // The holder presents from what it verified, not from what the issuer kept.
        let presented = held
            .token()
            .present(|one| find(one.path(), &case["presentationFrames"]) == Some(&Value::Bool(true)));
        let verified = check(&presented, &key.public_key()).unwrap();
        // It leaves out an object that became empty, which RFC 9901 section 7.1 keeps as {}.
        let expected = match name {
            "array_none_disclosed" => &json!({"is_over": {}}),
            _ => &case["presentedClaims"],
        };
        assert_eq!(&claims_of(&verified), expected, "{name}");
    }
}

fn diagnosis(released: bool) -> ClaimValue {
    let text = |text: &str| ClaimValue::Whole(Json::string(text));
    let coding = ClaimValue::Object(vec![
        ("system".to_owned(), Claim::disclosable(text("http://snomed.info/sct"), true)),
        ("code".to_owned(), Claim::disclosable(text("44054006"), released)),
    ]);
    let code = ClaimValue::Array(vec![Claim::disclosable(coding, true)]);
    ClaimValue::Object(vec![
        ("kind".to_owned(), Claim::always(text("diagnosis"))),
        ("code".to_owned(), Claim::disclosable(code, true)),
        ("note".to_owned(), Claim::disclosable(text("SECRET-NOTE"), false)),
    ])
}

#[test]
fn what_is_withheld_is_not_in_the_token_and_not_in_the_claims() {
    let key = signing_key();
    let token = issued(diagnosis(false), &key).present_released();
    let decoded: Vec<u8> =
        token.split(['~', '.']).flat_map(|part| base64url::decode(part).unwrap()).collect();
    let decoded = String::from_utf8_lossy(&decoded).into_owned();
    assert!(!decoded.contains("SECRET-NOTE") && !decoded.contains("44054006"));
    let claims = claims_of(&check(&token, &key.public_key()).unwrap());
    assert_eq!(claims, json!({"kind": "diagnosis", "code": [{"system": "http://snomed.info/sct"}]}));
}

#[test]
fn a_claim_inside_a_withheld_one_stays_withheld() {
    let inner = Claim::disclosable(ClaimValue::Whole(Json::string("INNER")), true);
    let outer = ClaimValue::Object(vec![("inner".to_owned(), inner)]);
    let claims = ClaimValue::Object(vec![("outer".to_owned(), Claim::disclosable(outer, false))]);
    let key = signing_key();
    let token = issued(claims, &key).present_released();
    assert_eq!(claims_of(&check(&token, &key.public_key()).unwrap()), json!({}));
}

#[test]
fn digests_are_padded_and_sorted_and_nothing_recurs_between_copies() {
    let key = signing_key();
    let parts = |token: &str| {
        let payload: Value =
            serde_json::from_slice(&base64url::decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap();
        payload["_sd"].as_array().unwrap().iter().map(|d| d.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = issued(diagnosis(true), &key).present_released();
    let second = issued(diagnosis(true), &key).present_released();
    let (a, b) = (parts(&first), parts(&second));
    assert_eq!((a.len(), b.len()), (4, 4));
    assert!(a.is_sorted() && b.is_sorted());
    assert!(a.iter().all(|digest| !b.contains(digest)));
    let disclosures: Vec<&str> = first.split('~').skip(1).filter(|part| !part.is_empty()).collect();
    assert!(disclosures.len() == 4 && disclosures.iter().all(|disclosure| !second.contains(disclosure)));
    let salt = |encoded: &str| {
        let parts: Value = serde_json::from_slice(&base64url::decode(encoded).unwrap()).unwrap();
        base64url::decode(parts[0].as_str().unwrap()).unwrap()
    };
    assert!(disclosures.iter().all(|disclosure| salt(disclosure).len() == 16));
}

/// Where the decoys are in an array of this many items.
fn places_of_decoys(items: usize, key: &SigningKey) -> Vec<usize> {
    let item = |number: usize| Claim::disclosable(ClaimValue::Whole(Json::string(number.to_string())), true);
    let array = ClaimValue::Array((0..items).map(item).collect());
    let claims = ClaimValue::Object(vec![("array".to_owned(), Claim::always(array))]);
    let token = issued(claims, key).present_released();
    let found = claims_of(&check(&token, &key.public_key()).unwrap());
    let expected: Vec<String> = (0..items).map(|number| number.to_string()).collect();
    assert_eq!(found, json!({ "array": expected }), "the items keep their order");
    let (jwt, disclosures) = token.split_once('~').unwrap();
    let sent: HashSet<String> = disclosures.split_terminator('~').map(digest).collect();
    let payload = base64url::decode(jwt.split('.').nth(1).unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let digests = payload["array"].as_array().unwrap().iter().map(|item| item["..."].as_str().unwrap());
    digests.enumerate().filter(|(_, digest)| !sent.contains(*digest)).map(|(place, _)| place).collect()
}

#[test]
fn every_choice_of_places_for_decoys_is_as_likely_as_any_other() {
    let key = signing_key();
    assert!(places_of_decoys(4, &key).is_empty(), "a full array needs none");
    let mut times = HashMap::<Vec<usize>, usize>::new();
    (0..1200).for_each(|_| *times.entry(places_of_decoys(2, &key)).or_default() += 1);
    // Two of four places: six choices, 200 times each, give or take seven deviations.
    assert_eq!(times.len(), 6);
    assert!(times.values().all(|times| (110..290).contains(times)), "{times:?}");
}

#[test]
fn a_large_array_is_padded_to_a_power_of_two() {
    assert_eq!(places_of_decoys(5_000, &signing_key()).len(), 8_192 - 5_000);
}

#[test]
fn a_digest_that_occurs_twice_is_refused_even_if_undisclosed() {
    let (_, one) = disclosure(json!(["salt", "a", 1]));
    assert_eq!(hostile(&json!({"_sd": [one, one]}), &[]).err(), Some(SdJwtError::RepeatedDigest));
    let apart = json!({"_sd": [one], "x": [{"...": one}]});
    assert_eq!(hostile(&apart, &[]).err(), Some(SdJwtError::RepeatedDigest));
    let (outer, digest) = disclosure(json!(["salt", "b", {"_sd": [one]}]));
    let nested = json!({"_sd": [digest, one]});
    assert_eq!(hostile(&nested, &[&outer]).err(), Some(SdJwtError::RepeatedDigest));
}

#[test]
fn a_disclosure_of_a_reserved_name_is_refused() {
    for name in ["_sd", "...", "_sd_alg"] {
        let (encoded, digest) = disclosure(json!(["salt", name, []]));
        assert_eq!(hostile(&json!({"_sd": [digest]}), &[&encoded]).err(), Some(SdJwtError::ReservedName));
    }
}

#[test]
fn a_disclosure_whose_name_is_taken_is_refused() {
    let (encoded, digest) = disclosure(json!(["salt", "a", 1]));
    let plain = json!({"a": 2, "_sd": [digest]});
    assert_eq!(hostile(&plain, &[&encoded]).err(), Some(SdJwtError::NameCollision));
    let (second, other) = disclosure(json!(["tlas", "a", 1]));
    let both = json!({"_sd": [digest, other]});
    assert_eq!(hostile(&both, &[&encoded, &second]).err(), Some(SdJwtError::NameCollision));
}

#[test]
fn a_disclosure_without_a_digest_is_refused() {
    let (encoded, _) = disclosure(json!(["salt", "a", 1]));
    assert_eq!(hostile(&json!({}), &[&encoded]).err(), Some(SdJwtError::UnreferencedDisclosure));
    let (_, parent) = disclosure(json!(["salt", "p", {"_sd": [digest(&encoded)]}]));
    let orphan = json!({"_sd": [parent]});
    assert_eq!(hostile(&orphan, &[&encoded]).err(), Some(SdJwtError::UnreferencedDisclosure));
}

#[test]
fn a_disclosure_sent_twice_is_refused() {
    let (encoded, digest) = disclosure(json!(["salt", "a", 1]));
    let result = hostile(&json!({"_sd": [digest]}), &[&encoded, &encoded]);
    assert_eq!(result.err(), Some(SdJwtError::RepeatedDisclosure));
}

#[test]
fn an_unknown_digest_algorithm_is_refused_and_a_missing_one_is_sha_256() {
    let (encoded, digest) = disclosure(json!(["salt", "a", 1]));
    for algorithm in [json!("sha-512"), json!("SHA-256"), json!(null), json!(["sha-256"])] {
        let payload = json!({"_sd": [digest], "_sd_alg": algorithm});
        assert_eq!(hostile(&payload, &[&encoded]).err(), Some(SdJwtError::UnknownDigestAlgorithm));
    }
    assert_eq!(hostile(&json!({"_sd": [digest]}), &[&encoded]), Ok(json!({"a": 1})));
    let nested = json!({"x": {"_sd_alg": "sha-256"}});
    assert_eq!(hostile(&nested, &[]).err(), Some(SdJwtError::MisplacedAlgorithm));
}

#[test]
fn a_disclosure_of_the_wrong_form_for_its_place_is_refused() {
    let (member, digest) = disclosure(json!(["salt", "a", 1]));
    let in_array = json!({"x": [{"...": digest}]});
    assert_eq!(hostile(&in_array, &[&member]).err(), Some(SdJwtError::DisclosureForm));
    let (item, digest) = disclosure(json!(["salt", 1]));
    assert_eq!(hostile(&json!({"_sd": [digest]}), &[&item]).err(), Some(SdJwtError::DisclosureForm));
    for parts in [
        json!([]),
        json!(["salt"]),
        json!(["salt", "a", 1, 2]),
        json!([1, "a", 1]),
        json!([1, "a"]),
        json!([null, 1]),
        json!(["salt", 1, 1]),
        json!({"salt": 1}),
        json!("salt"),
    ] {
        let (encoded, digest) = disclosure(parts.clone());
        for payload in [json!({"_sd": [digest]}), json!({"x": [{"...": digest}]})] {
            assert_eq!(hostile(&payload, &[&encoded]).err(), Some(SdJwtError::DisclosureForm), "{parts}");
        }
    }
}

#[test]
fn digests_in_the_wrong_shape_are_refused() {
    let (_, digest) = disclosure(json!(["salt", "a", 1]));
    for digests in [json!(digest), json!([1]), json!({"a": digest}), json!(["short"]), json!([[digest]])] {
        assert_eq!(hostile(&json!({"_sd": digests}), &[]).err(), Some(SdJwtError::MalformedDigests));
    }
    for item in [json!({"...": digest, "a": 1}), json!({"...": 1}), json!({"...": "short"})] {
        assert_eq!(hostile(&json!({"x": [item]}), &[]).err(), Some(SdJwtError::MalformedEllipsis));
    }
    let outside = json!({"x": {"...": digest}});
    assert_eq!(hostile(&outside, &[]).err(), Some(SdJwtError::MalformedEllipsis));
}

#[test]
fn undisclosed_digests_leave_no_trace() {
    let (_, digest) = disclosure(json!(["salt", "a", 1]));
    let (_, other) = disclosure(json!(["salt", 1]));
    let payload = json!({"x": {"_sd": [digest]}, "y": [1, {"...": other}, 2], "_sd_alg": "sha-256"});
    assert_eq!(hostile(&payload, &[]), Ok(json!({"x": {}, "y": [1, 2]})));
}

#[test]
fn duplicate_names_are_refused_everywhere() {
    let result = hostile_text(r#"{"a":1,"a":1}"#, &[]).err();
    assert!(matches!(result, Some(SdJwtError::Jws(JwsError::Json(_)))));
    let encoded = base64url::encode(br#"["salt","a",{"b":1,"b":2}]"#);
    let payload = json!({"_sd": [digest(&encoded)]});
    assert!(matches!(hostile(&payload, &[&encoded]).err(), Some(SdJwtError::DisclosureJson(_))));
}

#[test]
fn disclosures_that_are_not_strict_text_are_refused() {
    for encoded in ["", "WyJhIiwxXQ==", "WyJhIiwxXR", "Wy JhIiwxXQ", "WyJhIiwxXQ\n"] {
        let payload = json!({"_sd": [digest(encoded)]});
        let result = hostile(&payload, &[encoded]).err();
        assert!(
            matches!(result, Some(SdJwtError::DisclosureEncoding(_) | SdJwtError::DisclosureJson(_))),
            "{encoded:?}: {result:?}"
        );
    }
    let trailing = base64url::encode(br#"["salt","a",1] x"#);
    let payload = json!({"_sd": [digest(&trailing)]});
    assert!(matches!(hostile(&payload, &[&trailing]).err(), Some(SdJwtError::DisclosureJson(_))));
}

#[test]
fn a_chain_of_twenty_thousand_disclosures_is_refused() {
    let mut disclosures = vec![disclosure(json!(["salt", "x", 1]))];
    for _ in 0..20_000 {
        let digest = &disclosures.last().unwrap().1;
        disclosures.push(disclosure(json!(["salt", "x", {"_sd": [digest]}])));
    }
    let payload = json!({"_sd": [disclosures.last().unwrap().1]});
    let sent: Vec<&str> = disclosures.iter().map(|(encoded, _)| encoded.as_str()).collect();
    assert_eq!(hostile(&payload, &sent).err(), Some(SdJwtError::TooDeep { limit: MAX_DEPTH }));
}

#[test]
fn counts_are_bounded() {
    let key = signing_key();
    let token = issued(diagnosis(true), &key).present_released();
    let public = key.public_key();
    let with = |change: fn(&mut Budget)| {
        let mut budget = Budget::document();
        change(&mut budget);
        let expected = Expected { key: &public, typ: None, exact: true, now: NOW };
        verify_claims(&token, expected, &mut budget).err()
    };
    assert_eq!(with(|_| ()), None);
    assert_eq!(with(|budget| budget.disclosures = 3), Some(SdJwtError::TooMany { what: "disclosures" }));
    assert_eq!(with(|budget| budget.digests = 4), Some(SdJwtError::TooMany { what: "digests" }));
    assert!(with(|budget| budget.values = 4).is_some());
    let paths = SdJwtError::TooMany { what: "bytes of claim names" };
    assert_eq!(with(|budget| budget.paths = 8), Some(paths));
}

#[test]
fn long_names_above_many_disclosures_do_not_fill_the_memory() {
    let name = "n".repeat(500 << 10);
    let (encoded, digests): (Vec<String>, Vec<String>) =
        (0..200).map(|index| disclosure(json!([index.to_string(), 1]))).unzip();
    let items: Vec<Value> = digests.iter().map(|digest| json!({"...": digest})).collect();
    let sent: Vec<&str> = encoded.iter().map(String::as_str).collect();
    let paths = SdJwtError::TooMany { what: "bytes of claim names" };
    assert_eq!(hostile(&json!({name: items}), &sent).err(), Some(paths));
}

#[test]
fn time_claims_are_held_against_the_clock() {
    let now = NOW.as_seconds();
    assert!(hostile(&json!({"exp": now + 1, "nbf": now}), &[]).is_ok());
    assert_eq!(hostile(&json!({"exp": now}), &[]).err(), Some(SdJwtError::Expired));
    assert_eq!(hostile(&json!({"nbf": now + 1}), &[]).err(), Some(SdJwtError::NotYetValid));
    let (hidden, digest) = disclosure(json!(["salt", "exp", now - 1]));
    assert_eq!(hostile(&json!({"_sd": [digest]}), &[&hidden]).err(), Some(SdJwtError::Expired));
    for time in [json!("1"), json!(null), json!([1])] {
        assert_eq!(hostile(&json!({"exp": time}), &[]).err(), Some(SdJwtError::MalformedTime));
    }
    assert_eq!(hostile_text(r#"{"exp":1e400}"#, &[]).err(), Some(SdJwtError::MalformedTime));
}

#[test]
fn a_token_that_is_cut_or_extended_is_refused() {
    let key = signing_key();
    let public = key.public_key();
    let token = issued(diagnosis(true), &key).present_released();
    let check = |token: &str| check(token, &public).err();
    assert_eq!(check(&token), None);
    assert_eq!(check(token.trim_end_matches('~')), Some(SdJwtError::KeyBindingNotExpected));
    assert_eq!(check(&format!("{token}a.b.c")), Some(SdJwtError::KeyBindingNotExpected));
    assert_eq!(check(&format!("{token} ")), Some(SdJwtError::KeyBindingNotExpected));
    assert!(check(&format!("{token}~")).is_some());
    assert_eq!(check(token.split('~').next().unwrap()), Some(SdJwtError::NotAnSdJwt));
    assert_eq!(check(""), Some(SdJwtError::NotAnSdJwt));
    assert_eq!(check("~"), Some(SdJwtError::Jws(JwsError::Shape)));
}

#[test]
fn no_changed_byte_of_a_token_verifies() {
    let key = signing_key();
    let public = key.public_key();
    let token = issued(diagnosis(false), &key).present_released();
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] ^= 1 << (index % 7);
        let Ok(changed) = String::from_utf8(changed) else { continue };
        assert!(check(&changed, &public).is_err(), "byte {index}");
    }
}

#[test]
fn what_is_not_the_text_of_a_digest_is_refused_as_one() {
    let sound = base64url::encode(&[7; 32]);
    assert_eq!(sound.len(), 43);
    assert!(hostile(&json!({"_sd": [sound]}), &[]).is_ok());
    assert!(hostile(&json!({"a": [{"...": sound}]}), &[]).is_ok());
    // The last character of 43 stands for two bits that must be zero.
    let beyond = format!("{}{}", &sound[..42], "d");
    for text in ["", "!".repeat(43).as_str(), &sound[..42], &beyond, &base64url::encode(&[7; 33])] {
        assert_eq!(hostile(&json!({"_sd": [text]}), &[]), Err(SdJwtError::MalformedDigests), "{text}");
        let item = json!({"a": [{"...": text}]});
        assert_eq!(hostile(&item, &[]), Err(SdJwtError::MalformedEllipsis), "{text}");
    }
    assert_eq!(hostile(&json!({"_sd": [7]}), &[]), Err(SdJwtError::MalformedDigests));
    assert_eq!(hostile(&json!({"_sd": sound}), &[]), Err(SdJwtError::MalformedDigests));
}

#[test]
fn a_token_is_refused_by_its_length_before_anything_in_it_is_read() {
    let key = signing_key().public_key();
    let fault = |length: usize| check(&"a".repeat(length), &key).err();
    assert_eq!(fault(MAX_TOKEN_BYTES), Some(SdJwtError::NotAnSdJwt));
    assert_eq!(fault(MAX_TOKEN_BYTES + 1), Some(SdJwtError::TooLong { limit: MAX_TOKEN_BYTES }));
}

#[test]
fn every_value_of_the_claims_is_paid_for() {
    let key = signing_key();
    let (encoded, digest) = disclosure(json!(["salt", "hidden", [1, {"x": null}]]));
    let payload = json!({"_sd": [digest], "a": [1, {"b": 2}], "c": {}}).to_string();
    let message =
        format!("{}.{}", base64url::encode(br#"{"alg":"ES256"}"#), base64url::encode(payload.as_bytes()));
    let token = format!("{message}.{}~{encoded}~", base64url::encode(&key.sign(message.as_bytes())));
    let public = key.public_key();
    let check = |values: usize| {
        let expected = Expected { key: &public, typ: None, exact: false, now: NOW };
        let mut budget = Budget { values, ..Budget::document() };
        verify_claims(&token, expected, &mut budget).map(|_| budget.values)
    };
    // `a` and its three, `c`; `hidden` and its three.
    let cost = 5 + 4;
    assert_eq!(check(100).ok(), Some(100 - cost));
    assert_eq!(check(cost).ok(), Some(0));
    assert_eq!(check(cost - 1).err(), Some(SdJwtError::TooMany { what: "values" }));
}

#[test]
fn a_token_has_no_more_values_than_can_be_held_whether_disclosed_or_not() {
    let too_many = Some(SdJwtError::TooMany { what: "values" });
    // In one disclosure: its array is one of them.
    let hidden = |items: usize| {
        let (encoded, digest) = disclosure(json!(["salt", "hidden", vec![1; items]]));
        hostile(&json!({"_sd": [digest]}), &[&encoded]).err()
    };
    assert_eq!(hidden(MAX_TOKEN_VALUES - 1), None);
    assert_eq!(hidden(MAX_TOKEN_VALUES), too_many);
    assert!(matches!(hidden(MAX_TEXT_VALUES), Some(SdJwtError::DisclosureJson(_))));
    // In several.
    let half = vec![1; MAX_TOKEN_VALUES / 2];
    let (encoded, digest) = disclosure(json!(["salt", "hidden", half]));
    assert_eq!(hostile(&json!({"_sd": [digest], "a": half}), &[&encoded]).err(), too_many);
    // A payload holds little but digests.
    let digits = "1".repeat(super::MAX_PAYLOAD_BYTES);
    let too_long = hostile_text(&format!("{{\"a\":{digits}}}"), &[]).err();
    assert!(matches!(too_long, Some(SdJwtError::Jws(_))), "{too_long:?}");
}
