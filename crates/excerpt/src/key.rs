//! Public keys of issuers as JSON Web Keys (RFC 7517), named by their
//! thumbprint (RFC 7638).
//!
//! A [`PublicKey`] is a point on the curve: what is not one never becomes one.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::signature::{PublicBytes, SignatureAlgorithm, VerifyingKey};
use subrosa_base::codec::base64url;
use subrosa_base::codec::json::{Json, JsonError, JsonLimits, Object};
use subrosa_base::digest::Digest;

pub(super) const JWK_LIMITS: JsonLimits = JsonLimits { bytes: 16 * 1024, depth: 8, values: 256 };

/// The public key that excerpts of one issuer are verified with: ES256, that
/// is ECDSA on P-256 (RFC 7518 section 3.4), or Ed25519 (RFC 8037).
///
/// ```
/// # use subrosa_excerpt::PublicKey;
///
/// let key = PublicKey::from_jwk(br#"{"kty":"EC","crv":"P-256",
///     "x":"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
///     "y":"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}"#)?;
/// println!("compare this with the issuer by telephone: {}", key.fingerprint());
/// # Ok::<(), subrosa_excerpt::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Why a text is not a public key that excerpts can be verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not a JSON object.
    #[error("the key is not a JSON Web Key: {0}")]
    Json(JsonError),
    /// The key is of another kind or for another use.
    #[error(
        "the key is neither an ES256 public key (kty EC, crv P-256) nor an Ed25519 one (kty OKP, crv Ed25519), for signatures: ask the issuer for that one"
    )]
    Unsupported,
    /// The key holds its private half.
    #[error("the key holds a private part: ask the issuer for the public key and tell them")]
    Private,
    /// A coordinate is missing or malformed, or the point is not on the curve or
    /// of small order.
    #[error("the key is not a sound point on its curve")]
    NotAPoint,
    /// The file says under which name or in which role the key signs, but in a way that is
    /// not known.
    #[error(
        "the key file says whose key it is in a way that this program does not know: ask its owner for another"
    )]
    SignsAs,
    /// The text is no fingerprint.
    #[error("a fingerprint has sixteen groups of four hexadecimal digits: copy it whole")]
    NotAFingerprint,
}

impl From<JsonError> for KeyError {
    fn from(reason: JsonError) -> Self {
        Self::Json(reason)
    }
}

impl PublicKey {
    /// Reads a JSON Web Key (RFC 7517).
    ///
    /// # Errors
    /// [`KeyError`] when the text is no such key, is of another kind, or holds
    /// a private key.
    pub fn from_jwk(text: &[u8]) -> Result<Self, KeyError> {
        Self::from_json(&Json::parse(text, JWK_LIMITS)?)
    }

    /// The key as a JSON Web Key, in one line.
    #[must_use]
    pub fn to_jwk(&self) -> String {
        self.to_json().to_text()
    }

    /// The thumbprint by which people compare keys.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        // RFC 7638 section 3.2: the required members in lexicographic order.
        let mut members = self.members();
        members.sort_unstable_by_key(|(name, _)| *name);
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
        Fingerprint(Digest::of(&[format!("{{{}}}", members.join(",")).as_bytes()]))
    }

    /// What the key signs with.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm()
    }

    /// The key that signatures verify with.
    #[doc(hidden)]
    #[must_use]
    pub fn of(key: VerifyingKey) -> Self {
        Self(key)
    }

    /// The key to verify signatures with.
    #[doc(hidden)]
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.0
    }

    pub(crate) fn from_json(json: &Json) -> Result<Self, KeyError> {
        let jwk = json.as_object().ok_or(KeyError::Unsupported)?;
        let text = |name: &str| jwk.member(name).and_then(Json::as_str);
        if jwk.member("d").is_some() {
            return Err(KeyError::Private);
        }
        let algorithm = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => SignatureAlgorithm::Es256,
            (Some("OKP"), Some("Ed25519")) => SignatureAlgorithm::Ed25519,
            _ => return Err(KeyError::Unsupported),
        };
        let is_one_of = |name: &str, values: &[&str]| text(name).is_some_and(|text| values.contains(&text));
        let fits = |name: &str, values: &[&str]| jwk.member(name).is_none() || is_one_of(name, values);
        if !fits("use", &["sig"]) || !fits("alg", algorithm_names(algorithm)) {
            return Err(KeyError::Unsupported);
        }
        let x = coordinate(jwk, "x")?;
        let bytes = match algorithm {
            SignatureAlgorithm::Es256 => PublicBytes::Es256 { x, y: coordinate(jwk, "y")? },
            SignatureAlgorithm::Ed25519 => PublicBytes::Ed25519 { x },
        };
        VerifyingKey::from_bytes(&bytes).map(Self).map_err(|_| KeyError::NotAPoint)
    }

    pub(crate) fn to_json(self) -> Json {
        let member = |(name, value): (&str, String)| (name.to_owned(), Json::string(value));
        Json::Object(Object::new(self.members().into_iter().map(member).collect()))
    }

    /// The members that every such key has (RFC 7638 section 3.2, RFC 8037 section 2).
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        let of = |kty: &str, crv: &str| vec![("kty", kty.to_owned()), ("crv", crv.to_owned())];
        let (mut members, coordinates) = match self.0.to_bytes() {
            PublicBytes::Es256 { x, y } => (of("EC", "P-256"), vec![("x", x), ("y", y)]),
            PublicBytes::Ed25519 { x } => (of("OKP", "Ed25519"), vec![("x", x)]),
        };
        members.extend(coordinates.into_iter().map(|(name, bytes)| (name, base64url::encode(&bytes))));
        members
    }
}

fn coordinate(jwk: &Object, name: &str) -> Result<[u8; 32], KeyError> {
    let text = jwk.member(name).and_then(Json::as_str).ok_or(KeyError::NotAPoint)?;
    base64url::decode_32(text).map_err(|_| KeyError::NotAPoint)
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

/// The values of the `alg` header for a key of this algorithm; the first is
/// written. For Ed25519 that is what verifiers know (RFC 8037); the name that says
/// the curve too (RFC 9864) is accepted, since the key's curve is fixed anyway.
pub(crate) const fn algorithm_names(algorithm: SignatureAlgorithm) -> &'static [&'static str] {
    match algorithm {
        SignatureAlgorithm::Es256 => &["ES256"],
        SignatureAlgorithm::Ed25519 => &["EdDSA", "Ed25519"],
    }
}

/// The SHA-256 thumbprint of a public key (RFC 7638).
///
/// Prints as sixteen groups of four hexadecimal digits, so that two people can
/// compare it by telephone.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(Digest);

impl Fingerprint {
    /// The thumbprint in base64url, as the `kid` header of tokens holds it.
    #[must_use]
    pub fn key_id(&self) -> String {
        base64url::encode(self.0.as_bytes())
    }
}

impl FromStr for Fingerprint {
    type Err = KeyError;

    /// Reads what [`Display`](fmt::Display) prints; spaces, colons and hyphens may
    /// stand anywhere, and letters may be capitals.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        let mut digits = text.chars().filter(|character| !matches!(character, ' ' | ':' | '-'));
        let mut next = || digits.next()?.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        for byte in &mut bytes {
            let high = next().ok_or(KeyError::NotAFingerprint)?;
            *byte = high << 4 | next().ok_or(KeyError::NotAFingerprint)?;
        }
        match digits.next() {
            None => Ok(Self(Digest::from_bytes(bytes))),
            Some(_) => Err(KeyError::NotAFingerprint),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.0.as_bytes().chunks(2).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            pair.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::SigningKey;

    const JWK: &str = r#"{"kty":"EC","crv":"P-256","x":"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ","y":"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}"#;

    const OKP: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    #[test]
    fn a_key_comes_back_from_its_jwk() {
        for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::Ed25519] {
            let key = SigningKey::generate(algorithm);
            let key = key.public_key();
            assert_eq!(PublicKey::from_jwk(key.to_jwk().as_bytes()), Ok(key));
            assert_eq!(key.algorithm(), algorithm);
        }
        assert_eq!(PublicKey::from_jwk(JWK.as_bytes()).unwrap().to_jwk(), JWK);
    }

    #[test]
    fn the_thumbprint_is_that_of_other_implementations() {
        // Computed with Python: base64url(sha256('{"crv":"P-256","kty":"EC","x":…,"y":…}')).
        let key = PublicKey::from_jwk(JWK.as_bytes()).unwrap();
        assert_eq!(key.fingerprint().key_id(), "Q5yTSREAbvZL131ynDBhalXJcF9fL0foJlMN8u6ldiY");
        assert_eq!(key.fingerprint().to_string().len(), 16 * 5 - 1);
        // RFC 8037 appendix A.3.
        let key = PublicKey::from_jwk(OKP.as_bytes()).unwrap();
        assert_eq!(key.fingerprint().key_id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(key.to_jwk(), OKP);
    }

    #[test]
    fn what_is_not_an_ed25519_public_key_is_refused() {
        let change = |from: &str, to: &str| PublicKey::from_jwk(OKP.replace(from, to).as_bytes()).err();
        assert_eq!(change("OKP", "EC"), Some(KeyError::Unsupported));
        assert_eq!(change("Ed25519", "Ed448"), Some(KeyError::Unsupported));
        assert_eq!(change("Ed25519", "X25519"), Some(KeyError::Unsupported));
        assert_eq!(change("{", r#"{"alg":"ES256","#), Some(KeyError::Unsupported));
        assert_eq!(change("{", r#"{"alg":"EdDSA","#), None);
        assert_eq!(change("{", r#"{"alg":"Ed25519","#), None);
        assert_eq!(change("{", r#"{"d":"AAAA","#), Some(KeyError::Private));
        assert_eq!(change(r#""x""#, r#""y""#), Some(KeyError::NotAPoint));
        let identity = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(
            change("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", identity),
            Some(KeyError::NotAPoint)
        );
    }

    #[test]
    fn what_is_not_a_p256_public_key_is_refused() {
        let change = |from: &str, to: &str| PublicKey::from_jwk(JWK.replace(from, to).as_bytes()).err();
        assert_eq!(change("\"EC\"", "\"OKP\""), Some(KeyError::Unsupported));
        assert_eq!(change("P-256", "P-384"), Some(KeyError::Unsupported));
        assert_eq!(change("{", r#"{"use":"enc","#), Some(KeyError::Unsupported));
        assert_eq!(change("{", r#"{"alg":"ES384","#), Some(KeyError::Unsupported));
        assert_eq!(change("{", r#"{"d":"AAAA","#), Some(KeyError::Private));
        assert_eq!(change("uNtQ", "uNtA"), Some(KeyError::NotAPoint));
        assert_eq!(change("uNtQ", "uNt"), Some(KeyError::NotAPoint));
        assert_eq!(change("uNtQ", "uNtR"), Some(KeyError::NotAPoint));
        assert!(matches!(change("}", ""), Some(KeyError::Json(_))));
        assert!(matches!(change("{", r#"{"x":"","#), Some(KeyError::Json(_))));
    }

    #[test]
    fn a_key_prints_as_its_fingerprint_and_a_fingerprint_as_groups() {
        let key = PublicKey::from_jwk(JWK.as_bytes()).unwrap();
        let text = key.fingerprint().to_string();
        let groups: Vec<&str> = text.split(' ').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [4; 16]);
        let bytes = base64url::decode(&key.fingerprint().key_id()).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(groups.concat(), hex);
        assert_eq!(format!("{key:?}"), format!("PublicKey({text})"));
        assert_eq!(format!("{:?}", key.fingerprint()), format!("Fingerprint({text})"));
    }

    #[test]
    fn a_fingerprint_is_read_as_people_copy_it_and_whole_or_not_at_all() {
        let fingerprint = PublicKey::from_jwk(JWK.as_bytes()).unwrap().fingerprint();
        let text = fingerprint.to_string();
        for copy in [text.clone(), text.replace(' ', ""), text.to_uppercase(), text.replace(' ', ":")] {
            assert_eq!(copy.parse(), Ok(fingerprint));
        }
        for wrong in [&text[1..], &format!("{text}0"), &text.replace('a', "g"), "", "key.jwk"] {
            assert_eq!(wrong.parse::<Fingerprint>(), Err(KeyError::NotAFingerprint), "{wrong}");
        }
    }

    #[test]
    fn a_text_is_a_key_up_to_a_limit_that_leaves_room_for_certificates() {
        let padded = |length: usize| {
            let text = JWK.replace('}', &format!(r#","x5c":"{}"}}"#, "A".repeat(length)));
            (text.len(), PublicKey::from_jwk(text.as_bytes()))
        };
        let (shortest, key) = padded(0);
        assert!(key.is_ok());
        assert!(padded(16 * 1024 - shortest).1.is_ok());
        let beyond = padded(16 * 1024 + 1 - shortest).1;
        assert_eq!(beyond, Err(KeyError::Json(JsonError::TooLong { limit: 16 * 1024 })));
        assert_eq!(PublicKey::from_jwk(b"[]"), Err(KeyError::Unsupported));
        assert_eq!(PublicKey::from_jwk(b"{}"), Err(KeyError::Unsupported));
        assert!(PublicKey::from_jwk(JWK.replace('{', r#"{"use":"sig","alg":"ES256","#).as_bytes()).is_ok());
    }
}
