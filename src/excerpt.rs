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

use crate::codec::json::Json;
use crate::crypto::random::{RandomError, Randomness};
use crate::record::Token;
use crate::release::{Audience, RedactedEntry, SubjectFault, View};

/// What the policy alone tells the reader, whatever the vault holds.
const NOTICE_WITH_WORDS: &str = "Free text other than the words that stand beside a result, attachments, identifiers, \
                                 contact details, references, what identifies relatives and original documents \
                                 are left out unless they are listed as kept in full.";
/// The same for third parties, who get no free text at all.
const NOTICE_DEFAULTS: &str = "Free text, attachments, identifiers, contact details, references, what \
                               identifies relatives and original documents are left out unless they are \
                               listed as kept in full.";
/// What a third party does not get on top of that.
const NOTICE_THIRD_PARTY: &str = "For third parties, the date of birth and words beside codes are left out too, \
                                  unless they are listed as kept in full; so are records entered in error, and, \
                                  unless they were asked for, records that were not understood and results \
                                  beside which words are left out.";
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
        notices: notices(view),
    };
    let released = view.released().iter().map(draft_entry);
    Ok(Excerpt::sign(&draft, released, signer, random, now)?)
}

fn draft_entry(entry: &RedactedEntry) -> DraftEntry<'_> {
    DraftEntry { claims: entry.claims(), bars: entry.withheld_fields(), perhaps_same: entry.perhaps_same() }
}

fn notices(view: &View) -> Vec<String> {
    let has = |name: &str| view.summary().member(name).is_some();
    let has_codes = view.summary().member("codes").and_then(|codes| codes.as_array());
    let audience = view.summary().member("audience").and_then(Json::as_str);
    let mut notices: Vec<String> = match audience == Some(Audience::ThirdParty.name()) {
        true => vec![NOTICE_DEFAULTS.to_owned(), NOTICE_THIRD_PARTY.to_owned()],
        false => vec![NOTICE_WITH_WORDS.to_owned()],
    };
    if has_codes.is_some_and(|codes| !codes.is_empty()) {
        notices.push(NOTICE_CODES.to_owned());
    }
    if has("since") || has("until") {
        notices.push(NOTICE_DATES.to_owned());
    }
    notices
}
