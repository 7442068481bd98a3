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
use crate::file::{MAX_FILE_BYTES, Parts};
use crate::salts::{NoSalts, Salts, drawn};
use crate::sd_jwt::issue::{IssueError, issue};
use crate::shown::show_disclosed;
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
        for (index, entry) in released.enumerate() {
            let token = sign_entry(index + 1, entry, subject.as_ref(), signer, salts)?;
            length = length.saturating_add(token.len());
            if length > MAX_FILE_BYTES / 2 {
                // Half, since a page shows what it embeds.
                return Err(SignError::TooLong { limit: MAX_FILE_BYTES / 2 });
            }
            bindings.push(Binding { perhaps_same: entry.perhaps_same, ..Binding::of(&token, entry.bars) });
            entries.push(token.into());
        }
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
        let page = render::page(&self.parts, &contents);
        // Texts grow when they are escaped; what verifiers refuse is not handed out.
        if page.len() > MAX_FILE_BYTES {
            return Err(VerifyError::TooLong { limit: MAX_FILE_BYTES });
        }
        Ok(page)
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

fn sign_entry(
    number: usize,
    entry: DraftEntry<'_>,
    subject: Option<&SaltedSubject>,
    signer: &dyn Signer,
    salts: &mut dyn Salts,
) -> Result<String, SignError> {
    let shown = show_disclosed(&disclosed(entry.claims), entry.bars, entry.perhaps_same);
    if !shown.is_some_and(|(_, is_sound)| is_sound) {
        return Err(VerifyError::EntryMalformed { number }.into());
    }
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
