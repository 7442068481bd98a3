//! Whose signatures a verifier takes for what they say.
//!
//! A key is trusted for names and a role, never for whatever it claims to be: a
//! clinic's key that signs as another clinic, or as the patient, is not trusted.

use unicode_normalization::UnicodeNormalization as _;

use crate::envelope::IssuerRole;
use crate::key::{Fingerprint, JWK_LIMITS, KeyError, PublicKey};
use crate::members::is_text;
use subrosa_base::codec::json::Json;
use subrosa_base::redacted_debug;

/// The members of a key file that say what its key may sign as.
const NAME: &str = "subrosa_name";
const ROLE: &str = "subrosa_role";

/// Under which names, and in which role, a trusted key may sign.
///
/// Names are compared in Unicode NFC, in lower case, each run of white space as one
/// space, and otherwise exactly.
///
/// ```
/// # use subrosa_excerpt::SignsAs;
///
/// let clinic = SignsAs::provider("Riverside Clinic").or_name("Riverside Clinic Laboratory");
/// # let _ = clinic;
/// ```
#[derive(Clone)]
pub struct SignsAs(Option<Pinned>);

#[derive(Clone)]
struct Pinned {
    role: IssuerRole,
    names: Vec<String>,
}

impl SignsAs {
    /// As the patient of this name.
    #[must_use]
    pub fn patient(name: &str) -> Self {
        Self::of(IssuerRole::Patient, name)
    }

    /// As the clinic or other provider of this name.
    #[must_use]
    pub fn provider(name: &str) -> Self {
        Self::of(IssuerRole::Provider, name)
    }

    /// In this role under this name.
    #[must_use]
    pub fn of(role: IssuerRole, name: &str) -> Self {
        Self(Some(Pinned { role, names: vec![comparable(name)] }))
    }

    /// In the same role under this name too.
    #[must_use]
    pub fn or_name(mut self, name: &str) -> Self {
        if let Some(pinned) = &mut self.0 {
            pinned.names.push(comparable(name));
        }
        self
    }

    /// As anybody: the key's holder may call themselves by any name and role, and
    /// the verifier believes it. Only for a key that decides who is who by itself.
    #[must_use]
    pub fn any_name_and_role() -> Self {
        Self(None)
    }

    fn trust(&self, role: IssuerRole, name: &str) -> Trust {
        let Some(pinned) = &self.0 else { return Trust::AnyName };
        match (!pinned.names.contains(&comparable(name)), pinned.role != role) {
            (false, false) => Trust::Trusted,
            (name, role) => Trust::Differs { name, role },
        }
    }
}

/// A key as its owner hands it over: a JWK, with the name and the role that it signs
/// under. A JWK may have such further members (RFC 7517 section 4).
///
/// ```
/// # use subrosa_excerpt::{KeyFile, TrustedKeys};
///
/// let file = KeyFile::parse(br#"{"kty":"EC","crv":"P-256",
///     "x":"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
///     "y":"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8",
///     "subrosa_name":"Ada Byron","subrosa_role":"patient"}"#)?;
/// if let Some(signs_as) = file.signs_as() {
///     let trusted = TrustedKeys::none().and(*file.key(), signs_as.clone());
///     assert!(trusted.contains(file.key()));
/// }
/// # Ok::<(), subrosa_excerpt::KeyError>(())
/// ```
pub struct KeyFile {
    key: PublicKey,
    signs_as: Option<SignsAs>,
}

impl KeyFile {
    /// Reads a key file, or a bare JWK. It accepts a byte order mark before the JSON.
    ///
    /// # Errors
    /// [`KeyError`] when it holds no key that excerpts are verified with, or says whose it is
    /// in a way that is not known.
    pub fn parse(file: &[u8]) -> Result<Self, KeyError> {
        let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
        let json = Json::parse(file, JWK_LIMITS)?;
        let key = PublicKey::from_json(&json)?;
        // What is there and not understood is not passed over: it may be a limit.
        let member = |name: &str| json.member(name).map(|json| json.as_str().ok_or(KeyError::SignsAs));
        let role = member(ROLE).transpose()?.map(|role| IssuerRole::from_name(role).ok_or(KeyError::SignsAs));
        let name = member(NAME).transpose()?;
        if name.is_some_and(|name| !is_text(name)) {
            return Err(KeyError::SignsAs);
        }
        let role = role.transpose()?.unwrap_or(IssuerRole::Provider);
        Ok(Self { key, signs_as: name.map(|name| SignsAs::of(role, name)) })
    }

    /// The file's text, in one line.
    #[must_use]
    pub fn write(key: &PublicKey, role: IssuerRole, name: &str) -> String {
        let mut file = key.to_json();
        if let Json::Object(members) = &mut file {
            members.push(NAME, Json::string(name));
            members.push(ROLE, Json::string(role.name()));
        }
        file.to_text()
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What the file says that the key signs as; `None` where it does not say it.
    #[must_use]
    pub fn signs_as(&self) -> Option<&SignsAs> {
        self.signs_as.as_ref()
    }
}

redacted_debug!(SignsAs, KeyFile);

/// The name as it is compared.
pub(super) fn comparable(name: &str) -> String {
    // Lower case may leave NFC, so it comes first.
    let name: String = name.to_lowercase().nfc().collect();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The keys that a verifier trusts, each for a name and a role.
///
/// ```
/// # use subrosa_excerpt::{PublicKey, SignsAs, TrustedKeys};
///
/// # let jwk = br#"{"kty":"EC","crv":"P-256",
/// #     "x":"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
/// #     "y":"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}"#;
/// let key = PublicKey::from_jwk(jwk)?;
/// let trusted = TrustedKeys::none().and(key, SignsAs::provider("Riverside Clinic"));
/// assert!(trusted.contains(&key));
/// # Ok::<(), subrosa_excerpt::KeyError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TrustedKeys(Vec<(Fingerprint, SignsAs)>);

/// What a verifier's trust makes of a signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The key is trusted for this name and role.
    Trusted,
    /// The key is trusted for every name and role.
    AnyName,
    /// The key is trusted, for another name or role or both.
    Differs {
        /// The name is another.
        name: bool,
        /// The role is another.
        role: bool,
    },
    /// No key was given.
    Unknown,
    /// Keys were given, and it is none of them.
    NoneOfTheGiven,
}

impl Trust {
    /// The better of what two lines for one key say. Of two that differ the one in which
    /// less does.
    fn better(self, other: Self) -> Self {
        let rank = |trust: Self| match trust {
            Self::Trusted => 0,
            Self::AnyName => 1,
            Self::Differs { name: true, role: true } => 3,
            _ => 2,
        };
        if rank(other) < rank(self) { other } else { self }
    }
}

impl TrustedKeys {
    /// Trusts nobody.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Also trusts this key, if it signs under these names in this role.
    #[must_use]
    pub fn and(self, key: PublicKey, signs_as: SignsAs) -> Self {
        self.and_fingerprint(key.fingerprint(), signs_as)
    }

    /// Also trusts the key with this fingerprint, if it signs under these names in this
    /// role: for somebody who has compared only the fingerprint.
    #[must_use]
    pub fn and_fingerprint(mut self, fingerprint: Fingerprint, signs_as: SignsAs) -> Self {
        self.0.push((fingerprint, signs_as));
        self
    }

    /// Whether this key is known, for any name.
    #[must_use]
    pub fn contains(&self, key: &PublicKey) -> bool {
        let key = key.fingerprint();
        self.0.iter().any(|(known, _)| *known == key)
    }

    pub(crate) fn trust(&self, key: &PublicKey, role: IssuerRole, name: &str) -> Trust {
        let key = key.fingerprint();
        let all = self.0.iter().filter(|(known, _)| *known == key);
        let all = all.map(|(_, signs_as)| signs_as.trust(role, name));
        let unknown = if self.0.is_empty() { Trust::Unknown } else { Trust::NoneOfTheGiven };
        all.reduce(Trust::better).unwrap_or(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 2] = [
        r#"{"kty":"EC","crv":"P-256","x":"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ","y":"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}"#,
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    ];

    fn keys() -> [PublicKey; 2] {
        KEYS.map(|jwk| PublicKey::from_jwk(jwk.as_bytes()).unwrap())
    }

    #[test]
    fn exactly_the_keys_that_were_given_are_known() {
        let [one, other] = keys();
        let trusted = TrustedKeys::none().and(one, SignsAs::patient("Ada"));
        assert!(trusted.contains(&one) && !trusted.contains(&other));
        assert!(!TrustedKeys::none().contains(&one));
        assert_eq!(trusted.trust(&other, IssuerRole::Patient, "Ada"), Trust::NoneOfTheGiven);
        assert_eq!(TrustedKeys::none().trust(&other, IssuerRole::Patient, "Ada"), Trust::Unknown);
        let by_fingerprint = TrustedKeys::none().and_fingerprint(one.fingerprint(), SignsAs::patient("Ada"));
        assert!(by_fingerprint.contains(&one) && !by_fingerprint.contains(&other));
        assert_eq!(by_fingerprint.trust(&one, IssuerRole::Patient, "Ada"), Trust::Trusted);
    }

    #[test]
    fn a_key_is_trusted_for_its_names_and_role_alone() {
        let [one, other] = keys();
        let trusted = TrustedKeys::none()
            .and(one, SignsAs::provider("Riverside Clinic").or_name("Zoe\u{308}'s Practice"))
            .and(other, SignsAs::any_name_and_role());
        let as_provider = |name: &str| trusted.trust(&one, IssuerRole::Provider, name);
        for name in ["Riverside Clinic", "RIVERSIDE  clinic ", "zo\u{eb}'s\u{a0}practice"] {
            assert_eq!(as_provider(name), Trust::Trusted, "{name}");
        }
        for name in ["Riverside", "Riverside Clinic 2", "RiversideClinic", "Zoe's Practice", ""] {
            assert_eq!(as_provider(name), Trust::Differs { name: true, role: false }, "{name}");
        }
        let as_patient = |name: &str| trusted.trust(&one, IssuerRole::Patient, name);
        assert_eq!(as_patient("Riverside Clinic"), Trust::Differs { name: false, role: true });
        assert_eq!(as_patient("Riverside"), Trust::Differs { name: true, role: true });
        assert_eq!(trusted.trust(&other, IssuerRole::Patient, "Anybody"), Trust::AnyName);
        // A second line for the same key adds a role.
        let both = trusted.and(one, SignsAs::patient("Ada Byron"));
        assert_eq!(both.trust(&one, IssuerRole::Patient, "Ada Byron"), Trust::Trusted);
        let provider = both.trust(&one, IssuerRole::Provider, "Ada Byron");
        assert!(matches!(provider, Trust::Differs { .. }), "{provider:?}");
    }

    #[test]
    fn a_key_file_says_whose_it_is_or_nothing() {
        let [one, _] = keys();
        let written = KeyFile::write(&one, IssuerRole::Patient, "Ada \"Byron\"");
        let read = KeyFile::parse(format!("\u{feff}{written}").as_bytes()).unwrap();
        assert_eq!(read.key(), &one);
        let signs_as = read.signs_as().unwrap();
        assert_eq!(signs_as.trust(IssuerRole::Patient, "Ada \"Byron\""), Trust::Trusted);
        let by_role = |from: &str, to: &str| {
            let file = KeyFile::parse(written.replace(from, to).as_bytes()).unwrap();
            file.signs_as().map(|signs_as| signs_as.trust(IssuerRole::Provider, "Ada \"Byron\""))
        };
        assert_eq!(by_role(",\"subrosa_role\":\"patient\"", ""), Some(Trust::Trusted));
        assert_eq!(by_role("subrosa_name", "name"), None);
        assert!(KeyFile::parse(one.to_jwk().as_bytes()).unwrap().signs_as().is_none());
        for (from, to) in [
            ("\"patient\"", "\"king\""),
            ("\"patient\"", "5"),
            ("\"patient\"", "null"),
            ("\"patient\"", "[\"patient\"]"),
            ("\"Ada \\\"Byron\\\"\"", "\"\""),
            ("\"Ada \\\"Byron\\\"\"", "\" \""),
            ("\"Ada \\\"Byron\\\"\"", "[\"Ada\"]"),
            ("\"Ada \\\"Byron\\\"\"", "null"),
            ("\"Ada \\\"Byron\\\"\"", "\"a\\nb\""),
        ] {
            assert!(written.contains(from), "{written}");
            let fault = KeyFile::parse(written.replace(from, to).as_bytes()).err();
            assert_eq!(fault, Some(KeyError::SignsAs), "{to}");
        }
    }
}
