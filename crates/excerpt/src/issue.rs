//! Issues an excerpt of what a redacted view releases: signs each entry, and the envelope
//! that binds them. What a verifier would refuse is not handed out.

use std::fmt;
use std::time::SystemTime;

use subrosa_base::codec::json::{Json, Object};
use subrosa_base::id::ExcerptId;
use thiserror::Error;

use crate::claims::{Claim, ClaimValue, disclosed};
use crate::envelope::{Binding, ENTRY_TYPE, ENVELOPE_TYPE, Envelope, IssuerRole, MAX_ENTRIES};
use crate::error::VerifyError;
use crate::file::{MAX_FILE_BYTES, MAX_TOKENS_BYTES, Parts};
use crate::salts::{NoSalts, Salts, drawn};
use crate::sd_jwt::issue::{IssueError, issue};
use crate::sd_jwt::verify::Budget;
use crate::sd_jwt::{MAX_TOKEN_VALUES, SdJwtError};
use crate::shown::{Unsound, room_for_words, show_disclosed};
use crate::signer::{Signer, SignerError};
use crate::subject::{SaltedSubject, Subject};
use crate::time::UnixTime;
use crate::{jws, render, verify};

/// What an excerpt says beside its entries: who gives it to whom, why, and what of.
#[derive(Clone)]
pub struct Draft {
    /// Who signs, by name.
    pub issuer: String,
    /// In what role.
    pub role: IssuerRole,
    /// Who is to get it.
    pub recipient: String,
    /// What for.
    pub purpose: String,
    /// From when on it is no longer valid, if ever.
    pub expires: Option<SystemTime>,
    /// Whom it is about.
    pub subject: Option<Subject>,
    /// What was asked for, as recipients may read it.
    pub policy: Object,
    /// What the reader must know about how the selection was made.
    pub notices: Vec<String>,
}

/// An entry that is to leave: its claims, and the fields that a black bar stands for.
#[derive(Clone, Copy)]
pub struct DraftEntry<'a> {
    /// All claims, each with its visibility.
    pub claims: &'a [(String, Claim)],
    /// The fields that are withheld behind a bar.
    pub bars: &'a [&'static str],
    /// The mark that all bear which may be one record.
    pub perhaps_same: Option<usize>,
}

/// Why no excerpt was signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SignError {
    /// No salt could be drawn.
    #[error(transparent)]
    Salts(#[from] NoSalts),
    /// There are more entries than an excerpt may hold.
    #[error("an excerpt holds at most {limit} entries")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// The excerpt would be longer than verifiers accept.
    #[error("an excerpt is at most {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// It would have expired when it is issued.
    #[error("the excerpt would have expired when it is issued")]
    Expired,
    /// The signer gave no signature that verifies.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// What was issued does not verify.
    #[error(transparent)]
    DoesNotVerify(#[from] VerifyError),
}

impl From<IssueError> for SignError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Salts(error) => Self::Salts(error),
            IssueError::Signer(error) => Self::Signer(error),
            IssueError::ReservedName => {
                Self::DoesNotVerify(VerifyError::EnvelopeMalformed { what: "a reserved name" })
            }
        }
    }
}

/// A signed excerpt, ready to hand out as a page or as JSON.
pub struct Excerpt {
    id: ExcerptId,
    issued: UnixTime,
    parts: Parts,
}

impl Excerpt {
    /// Signs what a draft says of these entries. Every salt, digest and id is fresh, so
    /// that recipients cannot link their copies.
    #[doc(hidden)]
    pub fn sign<'a>(
        draft: &Draft,
        released: impl ExactSizeIterator<Item = DraftEntry<'a>>,
        signer: &dyn Signer,
        salts: &mut dyn Salts,
        now: SystemTime,
    ) -> Result<Self, SignError> {
        if draft.expires.is_some_and(|expires| UnixTime::from(expires) <= now.into()) {
            return Err(SignError::Expired);
        }
        if released.len() > MAX_ENTRIES {
            return Err(SignError::TooManyEntries { limit: MAX_ENTRIES });
        }
        let subject = match &draft.subject {
            Some(subject) => Some(SaltedSubject { subject: one_line(subject), salt: drawn(salts)? }),
            None => None,
        };
        let (mut entries, mut bindings, mut length) = (Vec::new(), Vec::new(), 0_usize);
        let mut costs = Costs::default();
        for (index, entry) in released.enumerate() {
            costs.add(index + 1, entry)?;
            let token = sign_entry(entry, subject.as_ref(), signer, salts)?;
            length = length.saturating_add(token.len());
            if length > MAX_TOKENS_BYTES {
                return Err(SignError::TooLong { limit: MAX_TOKENS_BYTES });
            }
            bindings.push(Binding { perhaps_same: entry.perhaps_same, ..Binding::of(&token, entry.bars) });
            entries.push(token.into());
        }
        costs.fit(length)?;
        let id = ExcerptId::from_bytes(drawn(salts)?);
        let envelope = draft.envelope(id, now.into(), subject, bindings);
        let payload = envelope.encode();
        // What a verifier would refuse is not handed out.
        Envelope::decode(&payload).map_err(VerifyError::from)?;
        let token = jws::sign(ENVELOPE_TYPE, &payload, signer)?;
        let parts = Parts { key: signer.public_key(), envelope: token, entries };
        Ok(Self { id, issued: envelope.issued, parts })
    }

    /// The id of this copy. It identifies the release if the copy leaks.
    #[must_use]
    pub fn id(&self) -> ExcerptId {
        self.id
    }

    /// The JSON file: for machines.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.parts.to_json()
    }

    /// The page, for people to read and print. It holds the signed tokens, so a verifier
    /// accepts it too.
    ///
    /// # Errors
    /// [`VerifyError`] if the excerpt does not verify: a page shows only what verifies.
    pub fn to_html(&self) -> Result<String, VerifyError> {
        let contents = verify::contents(&self.parts, self.issued)?;
        // Texts grow when they are escaped; what verifiers refuse is not handed out.
        let page = render::page(&self.parts, &contents, MAX_FILE_BYTES);
        page.ok_or(VerifyError::TooLong { limit: MAX_FILE_BYTES })
    }

    /// The key and the signed tokens.
    #[doc(hidden)]
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Excerpt({})", self.id)
    }
}

/// What the entries cost their verifier, as it counts.
#[derive(Default)]
struct Costs {
    values: usize,
    /// Bytes of the words of each.
    words: Vec<usize>,
}

impl Costs {
    fn add(&mut self, number: usize, entry: DraftEntry<'_>) -> Result<(), VerifyError> {
        let disclosed = disclosed(entry.claims);
        let shown = show_disclosed(&disclosed, entry.bars, entry.perhaps_same);
        let words = shown.map_or(Err(Unsound::Malformed), |shown| shown.bytes);
        self.words.push(words.map_err(|fault| VerifyError::unsound(number, fault))?);
        // Beside them the token says of whom it is.
        let values = disclosed.members().iter().map(|(_, value)| values(value)).sum::<usize>() + 1;
        self.values = self.values.saturating_add(values);
        if values > MAX_TOKEN_VALUES || self.values > Budget::document().values {
            return Err(VerifyError::Entry { number, reason: SdJwtError::TooMany { what: "values" } });
        }
        Ok(())
    }

    /// Whether there is room for the words of entries whose tokens have so many bytes.
    fn fit(self, tokens: usize) -> Result<(), VerifyError> {
        let mut room = room_for_words(tokens);
        for (index, words) in self.words.into_iter().enumerate() {
            let left = room.checked_sub(words);
            room = left.ok_or_else(|| VerifyError::unsound(index + 1, Unsound::TooMuch))?;
        }
        Ok(())
    }
}

fn values(json: &Json) -> usize {
    1 + match json {
        Json::Array(items) => items.iter().map(values).sum(),
        Json::Object(object) => object.members().iter().map(|(_, value)| values(value)).sum(),
        _ => 0,
    }
}

fn sign_entry(
    entry: DraftEntry<'_>,
    subject: Option<&SaltedSubject>,
    signer: &dyn Signer,
    salts: &mut dyn Salts,
) -> Result<String, SignError> {
    let mut claims = entry.claims.to_vec();
    claims.extend(subject.map(subject_claim));
    Ok(issue(ENTRY_TYPE, &claims, signer, salts)?.present_released())
}

/// The claim by which an entry says of whom it is.
#[must_use]
pub fn subject_claim(subject: &SaltedSubject) -> (String, Claim) {
    ("subject".to_owned(), Claim::always(ClaimValue::Whole(Json::string(subject.claim()))))
}

/// The name in one line, as envelopes hold texts.
fn one_line(subject: &Subject) -> Subject {
    let name = subject.name.split_whitespace().collect::<Vec<_>>().join(" ");
    Subject::new(name, subject.born.clone())
}

impl Draft {
    fn envelope(
        &self,
        id: ExcerptId,
        issued: UnixTime,
        subject: Option<SaltedSubject>,
        entries: Vec<Binding>,
    ) -> Envelope {
        Envelope {
            id,
            issued,
            expires: self.expires.map(Into::into),
            issuer: self.issuer.clone(),
            role: self.role,
            recipient: self.recipient.clone(),
            purpose: self.purpose.clone(),
            subject,
            policy: self.policy.clone(),
            notices: self.notices.clone(),
            entries,
        }
    }
}

subrosa_base::redacted_debug!(Draft, DraftEntry<'_>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signature::SignatureAlgorithm;
    use crate::testing::{SigningKey, TestSalts};
    use crate::trust::TrustedKeys;

    fn draft() -> Draft {
        Draft {
            issuer: "Clinic".to_owned(),
            role: IssuerRole::Provider,
            recipient: "Court".to_owned(),
            purpose: "hearing".to_owned(),
            expires: None,
            subject: Some(Subject::new("Ada Byron".to_owned(), None)),
            policy: Object::default(),
            notices: Vec::new(),
        }
    }

    /// A file of that many entries which disclose these texts, or why there is none.
    fn signed(texts: &[&str], entries: usize) -> Result<String, SignError> {
        let whole = |text: &str| ClaimValue::Whole(Json::string(text));
        let items = texts.iter().map(|text| Claim::disclosable(whole(text), true)).collect();
        let notes = ("notes".to_owned(), Claim::disclosable(ClaimValue::Array(items), true));
        let claims = [
            ("kind".to_owned(), Claim::always(whole("diagnosis"))),
            ("fields".to_owned(), Claim::always(ClaimValue::Object(vec![notes]))),
            ("provenance".to_owned(), Claim::always(ClaimValue::Object(Vec::new()))),
        ];
        let entry = DraftEntry { claims: &claims, bars: &[], perhaps_same: None };
        let key = SigningKey::generate(SignatureAlgorithm::Ed25519);
        let released = std::iter::repeat_n(entry, entries);
        let signed = Excerpt::sign(&draft(), released, &key, &mut TestSalts, SystemTime::now())?;
        Ok(signed.to_json())
    }

    #[test]
    fn what_costs_a_verifier_too_much_is_not_signed_and_all_else_verifies() {
        let too_many = |what| {
            let reason = SdJwtError::TooMany { what };
            Some(SignError::DoesNotVerify(VerifyError::Entry { number: 1, reason }))
        };
        let hidden = "\u{7f}".repeat(60_000);
        for (texts, entries) in [(vec!["a"; 9_000], 1), (vec![hidden.as_str(); 1], 2), (vec![], 9)] {
            let file = signed(&texts, entries).unwrap();
            let excerpt = crate::UnverifiedExcerpt::parse(file.as_bytes()).unwrap();
            assert!(excerpt.verify(&TrustedKeys::none(), SystemTime::now()).is_ok());
        }
        assert_eq!(signed(&vec!["a"; MAX_TOKEN_VALUES], 1).err(), too_many("values"));
        assert_eq!(signed(&[&"\u{7f}".repeat(1 << 18)], 1).err(), too_many("bytes of words to show"));
        let of_last = signed(&[&hidden], 4).err();
        assert!(
            matches!(of_last, Some(SignError::DoesNotVerify(VerifyError::Entry { number: 3, .. }))),
            "{of_last:?}"
        );
    }
}
