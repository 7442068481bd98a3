//! Compact JSON Web Signatures (RFC 7515), as strict as RFC 8725 advises.
//!
//! The algorithm and the key are the verifier's, never the token's; a payload
//! is decoded only after its signature verified.

use thiserror::Error;

use crate::key::{PublicKey, algorithm_names};
use crate::signer::{Signer, SignerError};
use subrosa_base::codec::base64url::{self, Base64UrlError};
use subrosa_base::codec::json::{Json, JsonError, JsonLimits, Object};

const HEADER_LIMITS: JsonLimits = JsonLimits { bytes: 8 * 1024, depth: 8, values: 256 };

/// Why a token is not signed by the expected key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JwsError {
    /// The token is not three base64url parts between full stops.
    #[error("the token is not a compact JWS of three parts")]
    Shape,
    /// A part is not strict base64url.
    #[error("a part of the token is not base64url: {0}")]
    Base64Url(Base64UrlError),
    /// The header or the payload is not strict JSON.
    #[error("a part of the token is not strict JSON: {0}")]
    Json(JsonError),
    /// The header names no algorithm, or another than that of the key, or `none`.
    #[error("the token's algorithm is not that of the issuer's key")]
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
    /// The header has a member beside `alg`, `typ` and `kid`.
    #[error("the token's header has a member that no excerpt has")]
    HeaderMember,
    /// The payload is not a JSON object.
    #[error("the token's payload is not an object")]
    Payload,
    /// The signature does not verify.
    #[error("the signature does not verify: the token was changed or signed with another key")]
    Signature,
    /// The signature verifies and is the other of the two that ECDSA has for it: who
    /// passes a token on could make it without the key.
    #[error("the signature is not in its only accepted form: the token was changed on its way")]
    MalleatedSignature,
}

impl From<Base64UrlError> for JwsError {
    fn from(reason: Base64UrlError) -> Self {
        Self::Base64Url(reason)
    }
}

impl From<JsonError> for JwsError {
    fn from(reason: JsonError) -> Self {
        Self::Json(reason)
    }
}

/// What a verifier demands of a token's header.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// The exact `typ`, if it must be a certain one.
    pub typ: Option<&'static str>,
    /// Whether the token must be as excerpts are: no header beside {alg, typ, kid}, `kid`
    /// the thumbprint of the key, the signature in its only spelling.
    pub exact: bool,
    /// What the payload may cost.
    pub payload: JsonLimits,
}

/// Signs `payload` with the header {alg, typ, kid}.
pub fn sign(typ: &str, payload: &Object, signer: &dyn Signer) -> Result<String, SignerError> {
    let key = signer.public_key();
    let algorithm = algorithm_names(key.algorithm()).first().copied().unwrap_or_default();
    let header = Json::Object(Object::new(vec![
        ("alg".to_owned(), Json::string(algorithm)),
        ("typ".to_owned(), Json::string(typ)),
        ("kid".to_owned(), Json::string(key.fingerprint().key_id())),
    ]));
    let payload = Json::Object(payload.clone()).to_text();
    let mut token = base64url::encode(header.to_text().as_bytes());
    token.push('.');
    token.push_str(&base64url::encode(payload.as_bytes()));
    let signature = signer.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&base64url::encode(&signature));
    Ok(token)
}

/// Verifies a token and yields its payload.
///
/// The header is read first, since it must name the expected algorithm; the
/// payload only once the signature verified.
pub fn verify(token: &str, key: &PublicKey, profile: Profile) -> Result<Object, JwsError> {
    let (message, signature) = token.rsplit_once('.').ok_or(JwsError::Shape)?;
    let (header, payload) = message.split_once('.').ok_or(JwsError::Shape)?;
    if payload.contains('.') {
        return Err(JwsError::Shape);
    }
    check_header(header, key, profile)?;
    let signature = base64url::decode(signature)?;
    key.verifying_key().verify(message.as_bytes(), &signature).map_err(|_| JwsError::Signature)?;
    if profile.exact && key.verifying_key().normalize(&signature) != Some(signature) {
        return Err(JwsError::MalleatedSignature);
    }
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
    // The key says which algorithm; the token only has to agree (RFC 8725 section 3.1).
    if !text("alg").is_some_and(|alg| algorithm_names(key.algorithm()).contains(&alg)) {
        return Err(JwsError::Algorithm);
    }
    if header.member("crit").is_some() {
        return Err(JwsError::CriticalHeader);
    }
    if profile.typ.is_some_and(|typ| text("typ") != Some(typ)) {
        return Err(JwsError::Type);
    }
    let is_known = |name: &str| ["alg", "typ", "kid"].contains(&name);
    let members = header.as_object().map(Object::members).unwrap_or_default();
    if profile.exact && !members.iter().all(|(name, _)| is_known(name)) {
        return Err(JwsError::HeaderMember);
    }
    if profile.exact && text("kid") != Some(key.fingerprint().key_id().as_str()) {
        return Err(JwsError::KeyId);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::signature::SignatureAlgorithm;
    use crate::testing::SigningKey;

    const PROFILE: Profile = Profile {
        typ: Some("test+jwt"),
        exact: true,
        payload: JsonLimits { bytes: 4096, depth: 8, values: 64 },
    };

    fn key() -> SigningKey {
        key_of(SignatureAlgorithm::Es256)
    }

    fn key_of(algorithm: SignatureAlgorithm) -> SigningKey {
        SigningKey::generate(algorithm)
    }

    fn signed(header: &str, payload: &str, key: &SigningKey) -> String {
        let message =
            format!("{}.{}", base64url::encode(header.as_bytes()), base64url::encode(payload.as_bytes()));
        let signature = base64url::encode(&key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn with_header(header: &str) -> Option<JwsError> {
        with_header_of(&key(), header)
    }

    fn with_header_of(key: &SigningKey, header: &str) -> Option<JwsError> {
        let header = header.replace("KID", &key.public_key().fingerprint().key_id());
        verify(&signed(&header, "{}", key), &key.public_key(), PROFILE).err()
    }

    #[test]
    fn what_was_signed_verifies_with_that_key_only() {
        let key = key();
        let payload = Object::new(vec![("a".to_owned(), Json::Number("6.1000".to_owned()))]);
        let token = sign("test+jwt", &payload, &key).unwrap();
        assert!(verify(&token, &key.public_key(), PROFILE).unwrap() == payload);
        let other = self::key().public_key();
        assert_eq!(verify(&token, &other, PROFILE).err(), Some(JwsError::KeyId));
        let any = Profile { exact: false, ..PROFILE };
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
    fn the_algorithm_is_that_of_the_key_whatever_the_token_says() {
        let (ecdsa, eddsa) = (key(), key_of(SignatureAlgorithm::Ed25519));
        let named = |key: &SigningKey, alg: &str| {
            with_header_of(key, &format!(r#"{{"alg":"{alg}","typ":"test+jwt","kid":"KID"}}"#))
        };
        assert_eq!(named(&eddsa, "EdDSA"), None);
        assert_eq!(named(&eddsa, "Ed25519"), None);
        for alg in ["ES256", "none", "HS256", "Ed448", "eddsa", ""] {
            assert_eq!(named(&eddsa, alg), Some(JwsError::Algorithm), "{alg}");
        }
        for alg in ["EdDSA", "Ed25519"] {
            assert_eq!(named(&ecdsa, alg), Some(JwsError::Algorithm), "{alg}");
        }
        // A true token of one key against the other, the name made to agree or not.
        let any = Profile { typ: None, exact: false, ..PROFILE };
        let algorithms = [(&ecdsa, &eddsa, "ES256", "EdDSA"), (&eddsa, &ecdsa, "EdDSA", "ES256")];
        for (signer, other, own, foreign) in algorithms {
            let token = |alg: &str| signed(&format!(r#"{{"alg":"{alg}"}}"#), "{}", signer);
            let check = |token: &str| verify(token, &other.public_key(), any).err();
            assert_eq!(check(&token(own)), Some(JwsError::Algorithm));
            assert_eq!(check(&token(foreign)), Some(JwsError::Signature));
            assert!(verify(&token(own), &signer.public_key(), any).is_ok());
        }
    }

    #[test]
    fn the_example_of_rfc_8037_verifies() {
        // RFC 8037 appendix A.4; its payload is no object, which is found out last.
        let key = PublicKey::from_jwk(
            br#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        );
        let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                     hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt\
                     9g7sVvpAr_MuM0KAg";
        let any = Profile { typ: None, exact: false, ..PROFILE };
        assert!(matches!(verify(token, &key.unwrap(), any), Err(JwsError::Json(_))));
        let changed = token.replace("hgyY", "hgyZ");
        assert_eq!(verify(&changed, &key.unwrap(), any).err(), Some(JwsError::Signature));
    }

    #[test]
    fn a_token_of_another_shape_is_refused() {
        let key = key();
        let token = sign("test+jwt", &Object::default(), &key).unwrap();
        let public = key.public_key();
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
        let public = key.public_key();
        let any = Profile { typ: None, exact: false, ..PROFILE };
        let check = |payload: &str| verify(&signed(r#"{"alg":"ES256"}"#, payload, &key), &public, any).err();
        assert_eq!(check("{}"), None);
        assert_eq!(check("[]"), Some(JwsError::Payload));
        assert!(matches!(check(r#"{"a":1,"a":2}"#), Some(JwsError::Json(JsonError::DuplicateName { .. }))));
        assert!(matches!(check("{} {}"), Some(JwsError::Json(_))));
    }

    #[test]
    fn a_long_header_is_refused_before_it_is_decoded() {
        let key = key().public_key();
        let fault = |length: usize| check_header(&"=".repeat(length), &key, PROFILE).err();
        let most = HEADER_LIMITS.bytes * 2;
        assert_eq!(fault(most), Some(JwsError::Base64Url(Base64UrlError)));
        let too_long = JwsError::Json(JsonError::TooLong { limit: HEADER_LIMITS.bytes });
        assert_eq!(fault(most + 1), Some(too_long));
        let spaces = base64url::encode(&vec![b' '; HEADER_LIMITS.bytes + 1]);
        assert_eq!(check_header(&spaces, &key, PROFILE).err(), Some(too_long));
    }
}
