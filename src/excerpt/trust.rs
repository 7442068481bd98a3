//! Whose signatures a verifier takes for what they say.
//!
//! A key is trusted for names and a role, never for whatever it claims to be: a
//! clinic's key that signs as another clinic, or as the patient, is not trusted.

use unicode_normalization::UnicodeNormalization as _;

use super::envelope::IssuerRole;
use super::key::PublicKey;
use crate::release::redacted_debug;

/// Under which names, and in which role, a trusted key may sign.
///
/// Names are compared in Unicode NFC, in lower case, each run of white space as one
/// space, and otherwise exactly.
///
/// ```
/// use subrosa::SignsAs;
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

    fn allows(&self, role: IssuerRole, name: &str) -> bool {
        self.0.as_ref().is_none_or(|pinned| pinned.role == role && pinned.names.contains(&comparable(name)))
    }
}

redacted_debug!(SignsAs);

fn comparable(name: &str) -> String {
    // Lower case may leave NFC, so it comes first.
    let name: String = name.to_lowercase().nfc().collect();
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The issuers whose signature a verifier takes for what it says.
///
/// ```
/// use subrosa::{PublicKey, SignsAs, TrustedKeys};
///
/// # let jwk = br#"{"kty":"EC","crv":"P-256",
/// #     "x":"b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
/// #     "y":"Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8"}"#;
/// let key = PublicKey::from_jwk(jwk)?;
/// let trusted = TrustedKeys::none().and(key, SignsAs::provider("Riverside Clinic"));
/// assert!(trusted.contains(&key));
/// # Ok::<(), subrosa::KeyError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TrustedKeys(Vec<(PublicKey, SignsAs)>);

/// What a verifier's trust makes of a signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The key is trusted for this name and role.
    Trusted,
    /// The key is trusted, for another name or role.
    OtherName,
    /// The key is not known.
    Unknown,
}

impl TrustedKeys {
    /// Trusts nobody.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Trusts this key too, when it signs under these names in this role.
    #[must_use]
    pub fn and(mut self, key: PublicKey, signs_as: SignsAs) -> Self {
        self.0.push((key, signs_as));
        self
    }

    /// Whether this key is known, for whatever name.
    #[must_use]
    pub fn contains(&self, key: &PublicKey) -> bool {
        self.0.iter().any(|(known, _)| known == key)
    }

    pub(crate) fn trust(&self, key: &PublicKey, role: IssuerRole, name: &str) -> Trust {
        let mut trust = Trust::Unknown;
        for (_, signs_as) in self.0.iter().filter(|(known, _)| known == key) {
            if signs_as.allows(role, name) {
                return Trust::Trusted;
            }
            trust = Trust::OtherName;
        }
        trust
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
        assert_eq!(trusted.trust(&other, IssuerRole::Patient, "Ada"), Trust::Unknown);
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
            assert_eq!(as_provider(name), Trust::OtherName, "{name}");
        }
        assert_eq!(trusted.trust(&one, IssuerRole::Patient, "Riverside Clinic"), Trust::OtherName);
        assert_eq!(trusted.trust(&other, IssuerRole::Patient, "Anybody"), Trust::Trusted);
        // A second line for the same key adds a role.
        let both = trusted.and(one, SignsAs::patient("Ada Byron"));
        assert_eq!(both.trust(&one, IssuerRole::Patient, "Ada Byron"), Trust::Trusted);
        assert_eq!(both.trust(&one, IssuerRole::Provider, "Ada Byron"), Trust::OtherName);
    }
}
