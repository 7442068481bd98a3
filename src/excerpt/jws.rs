//! Compact JSON Web Signatures (RFC 7515), as strict as RFC 8725 advises.
//!
//! The algorithm and the key are the verifier's, never the token's; a payload
//! is decoded only after its signature verified.

use thiserror::Error;

use super::key::PublicKey;
use crate::codec::base64url::{self, Base64UrlError};
use crate::codec::json::{Json, JsonError, JsonLimits, Object};
use crate::crypto::signature::Es256SigningKey;

const HEADER_LIMITS: JsonLimits = JsonLimits { bytes: 8 * 1024, depth: 8, values: 256 };

/// The signature algorithms that are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
    Es256,
}

impl Algorithm {
    /// The value of the `alg` header.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
        }
    }
}

/// Why a token is not signed by the expected key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JwsError {
    /// The token is not three base64url parts between full stops.
    #[error("the token is not a compact JWS of three parts")]
    Shape,
    /// A part is not strict base64url.
    #[error("a part of the token is not base64url: {0}")]
    Base64Url(#[from] Base64UrlError),
    /// The header or the payload is not strict JSON.
    #[error("a part of the token is not strict JSON: {0}")]
    Json(#[from] JsonError),
    /// The header names no algorithm or one that is not accepted, `none` included.
    #[error("the token's algorithm is not ES256")]
    Algorithm,
    /// The header names extensions that must be understood and are not
    /// (RFC 7515 section 4.1.11).
    #[error("the token has critical header extensions, which are not understood")]
    CriticalHeader,
    /// The `typ` header is not the expected one (RFC 8725 section 3.11).
    #[error("the token is of another type")]
    Type,
    /// The `kid` header is not the thumbprint of the key.
    #[error("the token names another key than it was verified with")]
    KeyId,
    /// The payload is not a JSON object.
    #[error("the token's payload is not an object")]
    Payload,
    /// The signature does not verify.
    #[error("the signature does not verify: the token was changed or signed with another key")]
    Signature,
}

/// What a verifier demands of a token's header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Profile {
    /// The exact `typ`, if it must be a certain one.
    pub(crate) typ: Option<&'static str>,
    /// Whether `kid` must be the thumbprint of the key.
    pub(crate) thumbprint: bool,
    /// What the payload may cost.
    pub(crate) payload: JsonLimits,
}

/// Signs `payload` with the header {alg, typ, kid}.
pub(crate) fn sign(typ: &str, payload: &Object, key: &Es256SigningKey) -> String {
    let fingerprint = PublicKey::of(key).fingerprint();
    let header = Json::Object(Object::new(vec![
        ("alg".to_owned(), Json::string(Algorithm::Es256.name())),
        ("typ".to_owned(), Json::string(typ)),
        ("kid".to_owned(), Json::string(fingerprint.key_id())),
    ]));
    let payload = Json::Object(payload.clone()).to_text();
    let mut token = base64url::encode(header.to_text().as_bytes());
    token.push('.');
    token.push_str(&base64url::encode(payload.as_bytes()));
    let signature = key.sign(token.as_bytes());
    token.push('.');
    token.push_str(&base64url::encode(&signature));
    token
}

/// Verifies a token and yields its payload.
///
/// The header is read first, since it must name the expected algorithm; the
/// payload only once the signature verified.
pub(crate) fn verify(token: &str, key: &PublicKey, profile: Profile) -> Result<Object, JwsError> {
    let (message, signature) = token.rsplit_once('.').ok_or(JwsError::Shape)?;
    let (header, payload) = message.split_once('.').ok_or(JwsError::Shape)?;
    if payload.contains('.') {
        return Err(JwsError::Shape);
    }
    check_header(header, key, profile)?;
    let signature = base64url::decode(signature)?;
    key.verifying_key().verify(message.as_bytes(), &signature).map_err(|_| JwsError::Signature)?;
    match Json::parse(&base64url::decode(payload)?, profile.payload)? {
        Json::Object(payload) => Ok(payload),
        _ => Err(JwsError::Payload),
    }
}

fn check_header(header: &str, key: &PublicKey, profile: Profile) -> Result<(), JwsError> {
    if header.len() > HEADER_LIMITS.bytes.saturating_mul(2) {
        return Err(JwsError::Json(JsonError::TooLong { limit: HEADER_LIMITS.bytes }));
    }
    let header = Json::parse(&base64url::decode(header)?, HEADER_LIMITS)?;
    let text = |name: &str| header.member(name).and_then(Json::as_str);
    if text("alg") != Some(Algorithm::Es256.name()) {
        return Err(JwsError::Algorithm);
    }
    if header.member("crit").is_some() {
        return Err(JwsError::CriticalHeader);
    }
    if profile.typ.is_some_and(|typ| text("typ") != Some(typ)) {
        return Err(JwsError::Type);
    }
    if profile.thumbprint && text("kid") != Some(key.fingerprint().key_id().as_str()) {
        return Err(JwsError::KeyId);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::random::Randomness;

    const PROFILE: Profile = Profile {
        typ: Some("test+jwt"),
        thumbprint: true,
        payload: JsonLimits { bytes: 4096, depth: 8, values: 64 },
    };

    fn key() -> Es256SigningKey {
        Es256SigningKey::generate(&mut Randomness::from_system()).unwrap()
    }

    fn signed(header: &str, payload: &str, key: &Es256SigningKey) -> String {
        let message =
            format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()));
        let signature = base64url::encode(&key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn with_header(header: &str) -> Option<JwsError> {
        let key = key();
        let kid = PublicKey::of(&key).fingerprint().key_id();
        let header = header.replace("KID", &kid);
        verify(&signed(&header, "{}", &key), &PublicKey::of(&key), PROFILE).err()
    }

    #[test]
    fn what_was_signed_verifies_with_that_key_only() {
        let key = key();
        let payload = Object::new(vec![("a".to_owned(), Json::Number("6.1000".to_owned()))]);
        let token = sign("test+jwt", &payload, &key);
        assert!(verify(&token, &PublicKey::of(&key), PROFILE).unwrap() == payload);
        let other = PublicKey::of(&self::key());
        assert_eq!(verify(&token, &other, PROFILE).err(), Some(JwsError::KeyId));
        let any = Profile { thumbprint: false, ..PROFILE };
        assert_eq!(verify(&token, &other, any).err(), Some(JwsError::Signature));
    }

    #[test]
    fn a_header_that_is_not_exactly_right_is_refused() {
        assert_eq!(with_header(r#"{"alg":"ES256","typ":"test+jwt","kid":"KID"}"#), None);
        for alg in ["none", "None", "HS256", "ES384", "es256", ""] {
            let header = format!(r#"{{"alg":"{alg}","typ":"test+jwt","kid":"KID"}}"#);
            assert_eq!(with_header(&header), Some(JwsError::Algorithm), "{alg}");
        }
        assert_eq!(with_header(r#"{"typ":"test+jwt","kid":"KID"}"#), Some(JwsError::Algorithm));
        assert_eq!(
            with_header(r#"{"alg":["ES256"],"typ":"test+jwt","kid":"KID"}"#),
            Some(JwsError::Algorithm)
        );
        let crit = r#"{"alg":"ES256","typ":"test+jwt","kid":"KID","crit":["exp"],"exp":1}"#;
        assert_eq!(with_header(crit), Some(JwsError::CriticalHeader));
        assert_eq!(with_header(r#"{"alg":"ES256","kid":"KID"}"#), Some(JwsError::Type));
        assert_eq!(with_header(r#"{"alg":"ES256","typ":"jwt","kid":"KID"}"#), Some(JwsError::Type));
        assert_eq!(with_header(r#"{"alg":"ES256","typ":"test+jwt"}"#), Some(JwsError::KeyId));
        assert_eq!(with_header(r#"{"alg":"ES256","typ":"test+jwt","kid":"x"}"#), Some(JwsError::KeyId));
        let twice = r#"{"alg":"none","alg":"ES256","typ":"test+jwt","kid":"KID"}"#;
        assert!(matches!(with_header(twice), Some(JwsError::Json(_))));
    }

    #[test]
    fn a_token_of_another_shape_is_refused() {
        let key = key();
        let token = sign("test+jwt", &Object::default(), &key);
        let public = PublicKey::of(&key);
        let check = |token: &str| verify(token, &public, PROFILE).err();
        assert_eq!(check(""), Some(JwsError::Shape));
        assert_eq!(check(token.rsplit_once('.').unwrap().0), Some(JwsError::Shape));
        assert_eq!(check(&format!("{token}.")), Some(JwsError::Shape));
        assert_eq!(check(&format!("{token}=")), Some(JwsError::Base64Url(Base64UrlError)));
        assert_eq!(check(&format!("{token} ")), Some(JwsError::Base64Url(Base64UrlError)));
        let (message, _) = token.rsplit_once('.').unwrap();
        assert_eq!(check(&format!("{message}.")), Some(JwsError::Signature));
    }

    #[test]
    fn a_payload_is_an_object_of_distinct_names() {
        let key = key();
        let public = PublicKey::of(&key);
        let any = Profile { typ: None, thumbprint: false, ..PROFILE };
        let check = |payload: &str| verify(&signed(r#"{"alg":"ES256"}"#, payload, &key), &public, any).err();
        assert_eq!(check("{}"), None);
        assert_eq!(check("[]"), Some(JwsError::Payload));
        assert!(matches!(check(r#"{"a":1,"a":2}"#), Some(JwsError::Json(JsonError::DuplicateName { .. }))));
        assert!(matches!(check("{} {}"), Some(JwsError::Json(_))));
    }
}
