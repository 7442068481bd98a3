//! Issuing: what a redacted view releases becomes a signed excerpt. What an excerpt is, and
//! how it verifies, stands in `crates/excerpt`, for those who have no vault.

#[cfg(test)]
mod tests;

use std::time::SystemTime;

use subrosa_excerpt::issue::{Draft, DraftEntry, SignError};
use thiserror::Error;

pub(crate) use subrosa_excerpt::ProvenSigner;
#[doc(inline)]
pub use subrosa_excerpt::{
    Compared, Excerpt, Fingerprint, IssuerRole, JwsError, KeyError, KeyFile, Outcome, PublicKey, STATEMENT,
    SdJwtError, Signer, SignerError, SignsAs, TrustedKeys, UnverifiedExcerpt, VerifiedEntry, VerifiedExcerpt,
    VerifyError,
};

use crate::crypto::random::{RandomError, Randomness};
use crate::record::Token;
use crate::release::{RedactedEntry, SubjectFault, View};

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

impl From<SignError> for IssueExcerptError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Salts(_) => Self::Random(RandomError),
            SignError::TooManyEntries { limit } => Self::TooManyEntries { limit },
            SignError::TooLong { limit } => Self::TooLong { limit },
            SignError::Expired => Self::Expired,
            SignError::Signer(error) => Self::Signer(error),
            SignError::DoesNotVerify(error) => Self::DoesNotVerify(error),
        }
    }
}

/// Who gives an excerpt to whom, and why. The recipient reads all of it.
#[derive(Clone)]
pub(crate) struct EnvelopeRequest {
    /// Who signs, by name.
    pub(crate) issuer: Token,
    /// In what role.
    pub(crate) role: IssuerRole,
    /// Who is to get it.
    pub(crate) recipient: Token,
    /// What for.
    pub(crate) purpose: Token,
    /// From when on it is no longer valid, if ever.
    pub(crate) expires: Option<SystemTime>,
}

impl EnvelopeRequest {
    /// An envelope that does not expire.
    pub(crate) fn new(issuer: Token, role: IssuerRole, recipient: Token, purpose: Token) -> Self {
        Self { issuer, role, recipient, purpose, expires: None }
    }
}

/// Signs a view for a recipient. Every salt, digest and id is fresh, so that recipients
/// cannot link their copies.
pub(crate) fn issue(
    view: &View,
    request: &EnvelopeRequest,
    signer: &dyn Signer,
    random: &mut Randomness,
    now: SystemTime,
) -> Result<Excerpt, IssueExcerptError> {
    if let Some(fault) = view.subject_fault() {
        return Err(IssueExcerptError::Subject(fault));
    }
    let draft = Draft {
        issuer: request.issuer.as_str().to_owned(),
        role: request.role,
        recipient: request.recipient.as_str().to_owned(),
        purpose: request.purpose.as_str().to_owned(),
        expires: request.expires,
        subject: view.subject().cloned(),
        policy: view.summary().clone(),
        notices: view.notices_to_recipient().into_iter().map(str::to_owned).collect(),
    };
    let released = view.released().iter().map(draft_entry);
    Ok(Excerpt::sign(&draft, released, signer, random, now)?)
}

fn draft_entry(entry: &RedactedEntry) -> DraftEntry<'_> {
    DraftEntry { claims: entry.claims(), bars: entry.withheld_fields(), perhaps_same: entry.perhaps_same() }
}
