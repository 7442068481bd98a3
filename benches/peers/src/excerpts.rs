//! Issuing and verifying excerpts beside hashing and signing the same bytes, and
//! beside sd-jwt-payload.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sd_jwt_payload::{JsonObject, JwsSigner, SdJwt, SdJwtBuilder, Sha256Hasher};
use sha2::{Digest as _, Sha256};
use subrosa::record::Observation;
use subrosa::release::Candidate;
use subrosa::vault::Compartment;
use subrosa::{Concept, Entry, EntryId, Kind, Policy, Provenance, Token, TrustedKeys, UnverifiedExcerpt, measured};

use crate::measure::{Bench, Target};

/// Fields of one entry that are disclosed one by one.
const FIELDS: usize = 5;

fn token(text: &str) -> Token {
    Token::new(text).expect("a short text")
}

fn observation(number: usize) -> Entry {
    let mut record = Observation::default();
    record.code = Some(Concept::from_text(token(&format!("measurement {number}"))));
    record.status = Some(token("final"));
    record.start = Some("2026-03-14".parse().expect("a date"));
    record.boolean = Some(true);
    record.method = Some(Concept::from_text(token("by hand")));
    Entry::new(record, Provenance::default())
}

pub fn all(bench: &mut Bench) {
    for fields in [10, 100, 1000] {
        one_size(bench, fields);
    }
}

fn one_size(bench: &mut Bench, fields: usize) {
    let count = fields / FIELDS;
    let entries: Vec<Entry> = (0..count).map(observation).collect();
    let ids = (0u128..).map(|id| EntryId::from_bytes(id.to_le_bytes()));
    let given = ids.zip(&entries).map(|(id, entry)| Candidate::new(id, Compartment::General, entry));
    let given: Vec<Candidate<'_>> = given.collect();
    let policy = Policy::everything_of([Kind::Observation]).include("code").expect("a field");
    let view = policy.apply(&given);
    let key = measured::SigningKey::generate();
    // The clock of an excerpt stands; verifying a little later.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let issue = bench.time("issue", &format!("ours {fields}"), |b| {
        b.iter(|| measured::issue(black_box(&view), &key, now).to_json());
    });
    let file = measured::issue(&view, &key, now).to_json();
    let verify = bench.time("verify", &format!("ours {fields}"), |b| {
        b.iter(|| {
            let unverified = UnverifiedExcerpt::parse(black_box(file.as_bytes())).expect("it parses");
            unverified.verify(&TrustedKeys::none(), now).expect("it verifies")
        });
    });

    // Every token's signed part and every disclosure, as they stand in the file.
    let tokens = tokens(&file);
    assert_eq!(tokens.len(), count + 1);
    let bare_key = SigningKey::from_slice(&[7; 32]).expect("a scalar");
    let bare_issue = bench.time("issue", &format!("bare {fields}"), |b| {
        b.iter(|| {
            for (signed, disclosures) in &tokens {
                for text in disclosures {
                    black_box(Sha256::digest(text));
                }
                let signature: Signature = bare_key.sign(signed.as_bytes());
                black_box(signature);
            }
        });
    });
    let verifying = VerifyingKey::from(&bare_key);
    let signatures: Vec<Signature> =
        tokens.iter().map(|(signed, _)| bare_key.sign(signed.as_bytes())).collect();
    let bare_verify = bench.time("verify", &format!("bare {fields}"), |b| {
        b.iter(|| {
            for ((signed, disclosures), signature) in tokens.iter().zip(&signatures) {
                for text in disclosures {
                    black_box(Sha256::digest(text));
                }
                verifying.verify(signed.as_bytes(), signature).expect("it was just signed");
            }
        });
    });

    let signer = Signing(bare_key);
    let peer_issue = bench.time("issue", &format!("sd-jwt-payload {fields}"), |b| {
        b.iter(|| {
            let tokens: Vec<String> =
                view.released().iter().map(|entry| issue_by_peer(entry, &signer)).collect();
            black_box((tokens, signer.sign_bytes(file.as_bytes())))
        });
    });
    let peer_tokens: Vec<String> =
        view.released().iter().map(|entry| issue_by_peer(entry, &signer)).collect();
    let peer_verify = bench.time("verify", &format!("sd-jwt-payload {fields}"), |b| {
        b.iter(|| {
            for text in &peer_tokens {
                let (signed, signature) = signed_and_signature(text);
                verifying.verify(signed.as_bytes(), &signature).expect("it was signed so");
                let disclosed =
                    SdJwt::parse(text).expect("it parses").into_disclosed_object(&Sha256Hasher::new());
                black_box(disclosed.expect("it is whole"));
            }
            verifying.verify(tokens[0].0.as_bytes(), &signatures[0]).expect("it was signed so");
        });
    });
    let what = format!("excerpt of {fields} fields in {count} entries");
    let bare = "SHA-256 + ES256";
    bench.cost(&format!("issue an {what}"), issue, bare, bare_issue, Target::AtMost(2.0));
    bench.cost(&format!("verify an {what}"), verify, bare, bare_verify, Target::AtMost(2.0));
    bench.speed(&format!("issue {what}"), issue, "sd-jwt-payload", peer_issue, Target::None);
    bench.speed(&format!("verify {what}"), verify, "sd-jwt-payload", peer_verify, Target::None);
    let per_field =
        format!("issue {}, verify {}", issue.part_of(fields), verify.part_of(fields));
    bench.row(&format!("{fields} fields: cost of one"), &per_field, "", f64::NAN, Target::None);
}

/// (signed part, disclosures) of every token in an excerpt's file.
fn tokens(file: &str) -> Vec<(String, Vec<String>)> {
    let json: serde_json::Value = serde_json::from_str(file).expect("the file is JSON");
    let mut texts = Vec::new();
    collect(&json, &mut texts);
    let tokens = texts.iter().filter(|text| text.starts_with("ey") && text.matches('.').count() == 2);
    tokens
        .map(|text| {
            let mut parts = text.split('~');
            let signed = parts.next().and_then(|jws| jws.rsplit_once('.')).expect("a signed part").0;
            (signed.to_owned(), parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())
        })
        .collect()
}

fn collect(json: &serde_json::Value, texts: &mut Vec<String>) {
    match json {
        serde_json::Value::String(text) => texts.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        serde_json::Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
        _ => {}
    }
}

struct Signing(SigningKey);

impl Signing {
    fn sign_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        let signature: Signature = self.0.sign(bytes);
        signature.to_bytes().to_vec()
    }
}

#[async_trait]
impl JwsSigner for Signing {
    type Error = String;

    async fn sign(&self, header: &JsonObject, payload: &JsonObject) -> Result<Vec<u8>, String> {
        let encode = |object| base64url(&serde_json::to_vec(object).expect("an object is JSON"));
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = base64url(&self.sign_bytes(signed.as_bytes()));
        Ok(format!("{signed}.{signature}").into_bytes())
    }
}

/// The same claims, each of the fields hidden, all of them presented.
fn issue_by_peer(entry: &subrosa::release::RedactedEntry, signer: &Signing) -> String {
    let claims: serde_json::Value = serde_json::from_str(&entry.disclosed_json()).expect("the entry is JSON");
    let fields: Vec<String> = claims["fields"]
        .as_object()
        .expect("there are fields")
        .keys()
        .map(|name| format!("/fields/{name}"))
        .collect();
    let mut builder = SdJwtBuilder::new(claims).expect("an object");
    for field in &fields {
        builder = builder.make_concealable(field).expect("the field is there");
    }
    let mut finish = pin!(builder.finish(signer, "ES256"));
    match finish.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(token) => token.expect("it is signed").presentation(),
        Poll::Pending => unreachable!("the signer never waits"),
    }
}

fn signed_and_signature(token: &str) -> (&str, Signature) {
    let jws = token.split('~').next().expect("there is a first part");
    let (signed, signature) = jws.rsplit_once('.').expect("a signed part");
    (signed, Signature::from_slice(&from_base64url(signature)).expect("a signature"))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

fn from_base64url(text: &str) -> Vec<u8> {
    let values: Vec<u32> = text
        .bytes()
        .map(|letter| ALPHABET.iter().position(|known| *known == letter).expect("base64url") as u32)
        .collect();
    let chunks = values.chunks(4).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, value| bits << 6 | value) << (6 * (4 - chunk.len()));
        bits.to_be_bytes()[1..chunk.len()].to_vec()
    });
    chunks.collect()
}
