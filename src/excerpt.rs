//! Signed, redacted excerpts that a third party verifies without the vault.
//!
//! Each entry is an SD-JWT (RFC 9901); one signed envelope binds them all as they
//! were presented. `docs/excerpt.md` specifies every byte.

mod attribution;
mod envelope;
mod error;
mod file;
mod jws;
mod key;
mod members;
mod render;
mod saved;
mod sd_jwt;
mod signer;
mod subject;
#[cfg(test)]
mod tests;
mod time;
mod trust;
mod verified;
mod verify;
#[cfg(feature = "serde")]
mod written;

use std::fmt;
use std::time::SystemTime;

use thiserror::Error;

pub(crate) use self::envelope::EnvelopeRequest;
pub use self::envelope::{IssuerRole, STATEMENT};
pub use self::error::VerifyError;
pub use self::jws::JwsError;
pub use self::key::{Fingerprint, KeyError, PublicKey};
pub use self::sd_jwt::SdJwtError;
pub(crate) use self::signer::ProvenSigner;
pub use self::signer::{Signer, SignerError};
pub use self::trust::{KeyFile, SignsAs, TrustedKeys};
pub use self::verified::{Compared, Outcome, VerifiedEntry, VerifiedExcerpt};
pub use self::verify::UnverifiedExcerpt;

use self::envelope::{Binding, ENTRY_TYPE, Envelope, MAX_ENTRIES};
use self::file::{MAX_FILE_BYTES, Parts};
use self::sd_jwt::issue::{IssueError, issue};
use self::subject::SaltedSubject;
use self::time::UnixTime;
use crate::codec::json::Json;
use crate::crypto::random::{RandomError, Randomness};
use crate::id::ExcerptId;
use crate::release::claims::{Claim, ClaimValue};
use crate::release::{Audience, Subject, SubjectFault, View};

/// What the policy alone tells the reader, whatever the vault holds.
const NOTICE_DEFAULTS: &str = "Free text, attachments, identifiers, contact details, references, what \
                               identifies relatives and original documents are left out unless they are \
                               listed as kept in full.";
/// What a third party does not get on top of that.
const NOTICE_THIRD_PARTY: &str = "For third parties, the date of birth and words beside codes are left out too, \
                                  unless they are listed as kept in full; so are records entered in error, and, \
                                  unless they were asked for, records that were not understood.";
const NOTICE_CODES: &str = "Codes were compared as written: the same condition coded in another system, or \
                            in words only, is not included.";
const NOTICE_DATES: &str = "Only entries that certainly lie in the date range are included; entries without \
                            a date are not.";

/// Why no excerpt was issued.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IssueExcerptError {
    /// No random numbers could be drawn.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The view holds more entries than an excerpt may.
    #[error("an excerpt holds at most {limit} entries; narrow the selection")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// The excerpt would be longer than verifiers accept.
    #[error("an excerpt is at most {limit} bytes; narrow the selection or leave attachments out")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// It would not say whom it is about.
    #[error(transparent)]
    Subject(#[from] SubjectFault),
    /// The time until which it would be valid is not in the future.
    #[error("the excerpt would have expired when it is issued: choose a later time")]
    Expired,
    /// The signer gave no signature that verifies.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// What was issued does not verify, so it was not handed out.
    #[error("the excerpt did not verify after it was issued: {0}")]
    DoesNotVerify(VerifyError),
}

impl From<VerifyError> for IssueExcerptError {
    fn from(reason: VerifyError) -> Self {
        Self::DoesNotVerify(reason)
    }
}

impl From<IssueError> for IssueExcerptError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Random(error) => Self::Random(error),
            IssueError::Signer(error) => Self::Signer(error),
            IssueError::ReservedName => {
                Self::DoesNotVerify(VerifyError::EnvelopeMalformed { what: "a reserved name" })
            }
        }
    }
}

/// An excerpt that this vault issued.
pub struct Excerpt {
    id: ExcerptId,
    issued: UnixTime,
    parts: Parts,
}

impl Excerpt {
    /// Signs a view for a recipient. Every salt, digest and id is fresh, so that
    /// recipients cannot link their copies.
    pub(crate) fn issue(
        view: &View,
        request: &EnvelopeRequest,
        signer: &dyn Signer,
        random: &mut Randomness,
        now: SystemTime,
    ) -> Result<Self, IssueExcerptError> {
        if request.expires.is_some_and(|expires| UnixTime::from(expires) <= now.into()) {
            return Err(IssueExcerptError::Expired);
        }
        if let Some(fault) = view.subject_fault() {
            return Err(IssueExcerptError::Subject(fault));
        }
        if view.released().len() > MAX_ENTRIES {
            return Err(IssueExcerptError::TooManyEntries { limit: MAX_ENTRIES });
        }
        let subject = match view.subject() {
            Some(subject) => Some(SaltedSubject { subject: one_line(subject), salt: random.bytes()? }),
            None => None,
        };
        let (mut entries, mut bindings, mut length) = (Vec::new(), Vec::new(), 0_usize);
        for (index, entry) in view.released().iter().enumerate() {
            if !entry.shown_soundly().1 {
                return Err(VerifyError::EntryMalformed { number: index + 1 }.into());
            }
            let mut claims = entry.claims().to_vec();
            claims.extend(subject.as_ref().map(subject_claim));
            let token = issue(ENTRY_TYPE, &claims, signer, random)?.present_released();
            length = length.saturating_add(token.len());
            if length > MAX_FILE_BYTES / 2 {
                // Half, since a page shows what it embeds.
                return Err(IssueExcerptError::TooLong { limit: MAX_FILE_BYTES / 2 });
            }
            bindings.push(Binding::of(&token, entry.withheld_fields()));
            entries.push(token.into());
        }
        let envelope = envelope(view, request, subject, bindings, random, now)?;
        let payload = envelope.encode();
        // What a verifier would refuse is not handed out.
        Envelope::decode(&payload).map_err(VerifyError::from)?;
        let token = jws::sign(envelope::ENVELOPE_TYPE, &payload, signer)?;
        let parts = Parts { key: signer.public_key(), envelope: token, entries };
        Ok(Self { id: envelope.id, issued: envelope.issued, parts })
    }

    /// The id of this copy, by which a leaked one can be told.
    #[must_use]
    pub fn id(&self) -> ExcerptId {
        self.id
    }

    /// The JSON file: for machines.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.parts.to_json()
    }

    /// The page: for people, to read and print, with the signed tokens inside so
    /// that a verifier takes it too.
    ///
    /// # Errors
    /// [`VerifyError`] when the excerpt does not verify: a page shows nothing else.
    pub fn to_html(&self) -> Result<String, VerifyError> {
        let contents = verify::contents(&self.parts, self.issued)?;
        let page = render::page(&self.parts, &contents);
        // Texts grow when they are escaped; what verifiers refuse is not handed out.
        if page.len() > MAX_FILE_BYTES {
            return Err(VerifyError::TooLong { limit: MAX_FILE_BYTES });
        }
        Ok(page)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Excerpt({})", self.id)
    }
}

fn subject_claim(subject: &SaltedSubject) -> (String, Claim) {
    ("subject".to_owned(), Claim::always(ClaimValue::Whole(Json::string(subject.claim()))))
}

/// The name in one line, as envelopes hold texts.
fn one_line(subject: &Subject) -> Subject {
    let name = subject.name.split_whitespace().collect::<Vec<_>>().join(" ");
    Subject::new(name, subject.born.clone())
}

fn envelope(
    view: &View,
    request: &EnvelopeRequest,
    subject: Option<SaltedSubject>,
    entries: Vec<Binding>,
    random: &mut Randomness,
    now: SystemTime,
) -> Result<Envelope, RandomError> {
    Ok(Envelope {
        id: ExcerptId::from_bytes(random.bytes()?),
        issued: now.into(),
        expires: request.expires.map(Into::into),
        issuer: request.issuer.as_str().to_owned(),
        role: request.role,
        recipient: request.recipient.as_str().to_owned(),
        purpose: request.purpose.as_str().to_owned(),
        subject,
        policy: view.summary().clone(),
        notices: notices(view),
        entries,
    })
}

fn notices(view: &View) -> Vec<String> {
    let has = |name: &str| view.summary().member(name).is_some();
    let has_codes = view.summary().member("codes").and_then(|codes| codes.as_array());
    let audience = view.summary().member("audience").and_then(Json::as_str);
    let mut notices = vec![NOTICE_DEFAULTS.to_owned()];
    if audience == Some(Audience::ThirdParty.name()) {
        notices.push(NOTICE_THIRD_PARTY.to_owned());
    }
    if has_codes.is_some_and(|codes| !codes.is_empty()) {
        notices.push(NOTICE_CODES.to_owned());
    }
    if has("since") || has("until") {
        notices.push(NOTICE_DATES.to_owned());
    }
    notices
}
