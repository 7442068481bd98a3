//! Excerpts of somebody who signs whatever they like, with a key of their own.

#![allow(dead_code, reason = "each test uses some of it")]

use std::time::SystemTime;

use ed25519_dalek::Signer as _;
use subrosa::excerpt::{IssuerRole, KeyFile, PublicKey, Signer, SignerError};
use subrosa_base::codec::base64url;
use subrosa_base::codec::json::{Json, JsonLimits, Object};
use subrosa_base::{Digest, ExcerptId};
use subrosa_excerpt::envelope::{Binding, ENTRY_TYPE, ENVELOPE_TYPE, Envelope};
use subrosa_excerpt::file::Parts;
use subrosa_excerpt::subject::SaltedSubject;
use subrosa_excerpt::{Subject, jws};

const LIMITS: JsonLimits = JsonLimits { bytes: 1 << 30, depth: 200, values: usize::MAX };

/// Whoever has this key.
pub(crate) struct Forger(ed25519_dalek::SigningKey);

impl Signer for Forger {
    fn public_key(&self) -> PublicKey {
        let x = base64url::encode(self.0.verifying_key().as_bytes());
        PublicKey::from_jwk(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#).as_bytes()).unwrap()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(message).to_bytes().to_vec())
    }
}

fn subject() -> SaltedSubject {
    SaltedSubject { subject: Subject::new("Ada Byron".to_owned(), None), salt: [1; 16] }
}

fn object(text: &str) -> Object {
    let Json::Object(object) = Json::parse(text.as_bytes(), LIMITS).unwrap() else { panic!("an object") };
    object
}

impl Forger {
    pub(crate) fn new(number: u8) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&[number; 32]))
    }

    /// The key as its owner hands it over.
    pub(crate) fn key_file(&self, name: &str) -> String {
        KeyFile::write(&self.public_key(), IssuerRole::Provider, name)
    }

    /// An entry token with these objects, all of them in its payload.
    pub(crate) fn entry(&self, kind: &str, fields: &str, provenance: &str) -> String {
        self.entry_with(kind, fields, provenance, &[])
    }

    /// The same with these disclosures, of which the objects hold the digests.
    pub(crate) fn entry_with(
        &self,
        kind: &str,
        fields: &str,
        provenance: &str,
        disclosures: &[String],
    ) -> String {
        let about = subject().claim();
        let payload =
            format!(r#"{{"kind":"{kind}","fields":{fields},"provenance":{provenance},"subject":"{about}"}}"#);
        let mut token = jws::sign(ENTRY_TYPE, &object(&payload), self).unwrap() + "~";
        disclosures.iter().for_each(|disclosure| token.push_str(&format!("{disclosure}~")));
        token
    }

    /// The JSON file with these entries.
    pub(crate) fn excerpt(&self, issuer: &str, entries: &[String]) -> Vec<u8> {
        self.excerpt_with(issuer, entries, |_| ())
    }

    /// The same with a changed envelope.
    pub(crate) fn excerpt_with(
        &self,
        issuer: &str,
        entries: &[String],
        change: impl FnOnce(&mut Envelope),
    ) -> Vec<u8> {
        let mut envelope = Envelope {
            id: ExcerptId::from_bytes([3; 16]),
            issued: SystemTime::now().into(),
            expires: None,
            issuer: issuer.to_owned(),
            role: IssuerRole::Provider,
            recipient: "Court".to_owned(),
            purpose: "hearing".to_owned(),
            subject: Some(subject()),
            policy: Object::default(),
            notices: Vec::new(),
            entries: entries.iter().map(|token| Binding::of(token, &[])).collect(),
        };
        change(&mut envelope);
        let token = jws::sign(ENVELOPE_TYPE, &envelope.encode(), self).unwrap();
        let entries = entries.iter().map(|token| token.as_str().into()).collect();
        Parts { key: self.public_key(), envelope: token, entries }.to_json().into_bytes()
    }
}

/// A disclosure of this member, and its digest. The value is JSON.
pub(crate) fn disclosure(name: &str, value: &str) -> (String, String) {
    let encoded = base64url::encode(format!(r#"["c2FsdA","{name}",{value}]"#).as_bytes());
    let digest = base64url::encode(Digest::of(&[encoded.as_bytes()]).as_bytes());
    (encoded, digest)
}
