//! Whom an excerpt is about: named in the envelope, and in each entry token as a
//! salted digest, so that entries of two patients, or of two excerpts, cannot be mixed.
//!
//! The salt is fresh for each excerpt: two copies share no digest.

use crate::members::{Malformed, bounded, only_members, text};
use subrosa_base::codec::base64url;
use subrosa_base::codec::json::{Json, Object};
use subrosa_base::date::PartialDate;
use subrosa_base::digest::Digest;

/// The person whom an excerpt is about, as far as the policy names them.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Subject {
    /// The name in one line.
    pub name: String,
    /// The date or year of birth as written.
    pub born: Option<String>,
}

impl Subject {
    #[doc(hidden)]
    #[must_use]
    pub fn new(name: String, born: Option<String>) -> Self {
        Self { name, born }
    }

    /// The date or year of birth as people write it, such as `27 April 1980`.
    #[must_use]
    pub fn born_in_words(&self) -> Option<String> {
        let born = self.born.as_deref()?;
        Some(born.parse::<PartialDate>().map_or_else(|_| born.to_owned(), |date| date.in_words()))
    }

    /// The same, with what cannot be seen spelt.
    #[cfg(feature = "serde")]
    #[doc(hidden)]
    #[must_use]
    pub fn spelt(&self) -> Self {
        Self::new(subrosa_base::spell(&self.name), self.born.as_deref().map(subrosa_base::spell))
    }
}

subrosa_base::redacted_debug!(Subject, SaltedSubject);

/// What the digest is of, so that it is a digest of nothing else.
pub const CONTEXT: &str = "subrosa/v1 subject";

/// The subject of an excerpt and the salt of its digest.
#[derive(Clone)]
pub struct SaltedSubject {
    pub subject: Subject,
    pub salt: [u8; 16],
}

impl SaltedSubject {
    /// What every entry token of the excerpt says of its subject: a digest over
    /// exactly what the envelope discloses, each text behind its length.
    pub fn claim(&self) -> String {
        let name = self.subject.name.as_bytes();
        let born = self.subject.born.as_deref().unwrap_or_default().as_bytes();
        let length = |text: &[u8]| u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes();
        let digest = Digest::of(&[CONTEXT.as_bytes(), &self.salt, &length(name), name, &length(born), born]);
        base64url::encode(digest.as_bytes())
    }

    pub(crate) fn encode(&self) -> Json {
        let mut subject = Object::default();
        subject.push("name", Json::string(self.subject.name.as_str()));
        if let Some(born) = &self.subject.born {
            subject.push("born", Json::string(born.as_str()));
        }
        subject.push("salt", Json::string(base64url::encode(&self.salt)));
        Json::Object(subject)
    }

    pub(crate) fn decode(json: &Json) -> Result<Self, Malformed> {
        let malformed = Malformed("subject");
        let object = json.as_object().ok_or(malformed)?;
        only_members(object, &["name", "born", "salt"], "subject")?;
        let name = text(object, "name").map_err(|_| malformed)?;
        let born = object.member("born").map(|born| bounded(Some(born)).ok_or(malformed)).transpose()?;
        let salt = object.member("salt").and_then(Json::as_str).ok_or(malformed)?;
        let salt = base64url::decode(salt).map_err(|_| malformed)?;
        let salt = salt.try_into().map_err(|_| malformed)?;
        Ok(Self { subject: Subject::new(name, born), salt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(name: &str, born: Option<&str>, salt: u8) -> String {
        let subject = Subject::new(name.to_owned(), born.map(str::to_owned));
        SaltedSubject { subject, salt: [salt; 16] }.claim()
    }

    #[test]
    fn the_digest_is_that_of_another_implementation() {
        // Python: base64url(sha256(b"subrosa/v1 subject" + b"\1" * 16 +
        //     (3).to_bytes(8, "little") + b"Ada" + (4).to_bytes(8, "little") + b"1987")).
        assert_eq!(claim("Ada", Some("1987"), 1), "o59ll2Dqb_Nbt37FAdQB_Y3bo4WGF2k2AFOUd1u_SnQ");
    }

    #[test]
    fn every_part_of_the_subject_is_in_the_digest_and_none_runs_into_another() {
        let claims = [
            claim("Ada", Some("1987"), 1),
            claim("Ada", Some("1987"), 2),
            claim("Ada", Some("1988"), 1),
            claim("Ada", None, 1),
            claim("Ada1", Some("987"), 1),
            claim("Ada1987", None, 1),
            claim("Bea", Some("1987"), 1),
        ];
        let different: std::collections::BTreeSet<_> = claims.iter().collect();
        assert_eq!(different.len(), claims.len());
    }
}
