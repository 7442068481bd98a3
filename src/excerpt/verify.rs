//! Verifies excerpts without a vault.
//!
//! Three outcomes: signed by a trusted key, intact with an unknown signer, or
//! invalid, which yields nothing but the reason.

use std::time::SystemTime;

use thiserror::Error;

use super::envelope::{Binding, ENTRY_TYPE, ENVELOPE_PROFILE, Envelope, Malformed};
use super::file::{MAX_FILE_BYTES, Parts};
use super::jws::{self, JwsError};
use super::key::{KeyError, TrustedKeys};
use super::render;
use super::sd_jwt::SdJwtError;
use super::sd_jwt::verify::{Budget, Expected, verify as verify_sd_jwt};
use super::time::UnixTime;
use super::verified::{Contents, Outcome, VerifiedEntry, VerifiedExcerpt};
use crate::codec::json::{Json, JsonError, Object};
use crate::crypto::digest::Digest;
use crate::release::redacted_debug;

/// How far an issuer's clock may run ahead of the verifier's, in seconds.
pub(super) const CLOCK_LEEWAY: u64 = 3600;
/// Longest name of a kind or a field.
const MAX_NAME: usize = 64;

/// Why an excerpt is invalid. Nothing in it is to be believed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The file is longer than the limit.
    #[error("the file is longer than {limit} bytes, which no excerpt is")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The file is neither an excerpt's JSON nor its page.
    #[error("the file is no excerpt; ask for the HTML or JSON file as it was issued")]
    NotAnExcerpt,
    /// The file looks like an excerpt and is not strict JSON.
    #[error("the file is not strict JSON: {0}; ask for it again as it was issued")]
    Json(#[from] JsonError),
    /// The file is of another version of the format.
    #[error("the excerpt is of a version that this program does not know; use a newer program")]
    UnsupportedVersion,
    /// The page was made by another version of the renderer.
    #[error(
        "the page has a layout that this program does not know; use a newer program or ask for the JSON file"
    )]
    UnknownRenderer,
    /// The key in the file is not usable.
    #[error("the issuer's key in the file is not usable: {0}")]
    Key(#[from] KeyError),
    /// The envelope does not verify.
    #[error("the envelope is not genuine: {0}")]
    Envelope(JwsError),
    /// The envelope verifies and does not say what an envelope must.
    #[error("the envelope is malformed: {what}")]
    EnvelopeMalformed {
        /// The member that is wrong.
        what: &'static str,
    },
    /// Entries were added to or taken from the file.
    #[error("the envelope names {expected} entries and the file holds {found}")]
    EntryCount {
        /// How many the envelope names.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// An entry is not the one that was issued: changed, exchanged, or with more
    /// or fewer disclosures.
    #[error("entry {number} is not the one that was issued")]
    EntryDigest {
        /// The entry, from 1.
        number: usize,
    },
    /// An entry token is not valid.
    #[error("entry {number} is not valid: {source}")]
    Entry {
        /// The entry, from 1.
        number: usize,
        /// Why.
        source: SdJwtError,
    },
    /// An entry token is valid and does not say what an entry must.
    #[error("entry {number} is malformed")]
    EntryMalformed {
        /// The entry, from 1.
        number: usize,
    },
    /// The excerpt has expired.
    #[error("the excerpt has expired; ask for a new one")]
    Expired,
    /// The excerpt claims to be issued in the future.
    #[error("the excerpt was issued in the future; check this computer's clock")]
    IssuedInTheFuture,
    /// The visible page is not the one that the signed tokens give.
    #[error("the page was changed: it does not show what was signed")]
    PageDiffers,
}

impl From<Malformed> for VerifyError {
    fn from(Malformed(what): Malformed) -> Self {
        Self::EnvelopeMalformed { what }
    }
}

/// An excerpt that was taken apart and not verified. It tells nothing.
pub struct UnverifiedExcerpt {
    parts: Parts,
    page: Option<String>,
}

impl UnverifiedExcerpt {
    /// Takes an excerpt apart, from its JSON file or its HTML page.
    ///
    /// # Errors
    /// [`VerifyError`] when it is neither.
    pub fn parse(file: &[u8]) -> Result<Self, VerifyError> {
        if file.len() > MAX_FILE_BYTES {
            return Err(VerifyError::TooLong { limit: MAX_FILE_BYTES });
        }
        match file.trim_ascii_start().first() {
            Some(b'{') => Ok(Self { parts: Parts::from_json(file)?, page: None }),
            Some(b'<') => {
                let page = std::str::from_utf8(file).map_err(|_| VerifyError::NotAnExcerpt)?;
                Ok(Self { parts: Parts::from_html(page)?, page: Some(page.to_owned()) })
            }
            _ => Err(VerifyError::NotAnExcerpt),
        }
    }

    #[cfg(test)]
    pub(super) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Verifies every signature and digest, and a page against what it must show.
    ///
    /// # Errors
    /// [`VerifyError`] when the excerpt is invalid.
    pub fn verify(self, trusted: &TrustedKeys, now: SystemTime) -> Result<VerifiedExcerpt, VerifyError> {
        let contents = contents(&self.parts, now.into())?;
        if self.page.is_some_and(|page| page != render::page(&self.parts, &contents)) {
            return Err(VerifyError::PageDiffers);
        }
        let outcome = match trusted.contains(&self.parts.key) {
            true => Outcome::SignedByTrustedKey,
            false => Outcome::IntactUnknownSigner,
        };
        Ok(VerifiedExcerpt { outcome, key: self.parts.key, contents })
    }
}

redacted_debug!(UnverifiedExcerpt);

/// Checks all signatures and digests and reads the claims.
pub(crate) fn contents(parts: &Parts, now: UnixTime) -> Result<Contents, VerifyError> {
    let payload =
        jws::verify(&parts.envelope, &parts.key, ENVELOPE_PROFILE).map_err(VerifyError::Envelope)?;
    let envelope = Envelope::decode(&payload)?;
    check_time(&envelope, now)?;
    let (expected, found) = (envelope.entries.len(), parts.entries.len());
    if expected != found {
        return Err(VerifyError::EntryCount { expected, found });
    }
    let mut budget = Budget::document();
    let mut entries = Vec::new();
    for (index, (token, binding)) in parts.entries.iter().zip(&envelope.entries).enumerate() {
        entries.push(entry(index + 1, token, binding, parts, now, &mut budget)?);
    }
    Ok(Contents { envelope, entries })
}

fn check_time(envelope: &Envelope, now: UnixTime) -> Result<(), VerifyError> {
    if envelope.issued.as_seconds() > now.as_seconds().saturating_add(CLOCK_LEEWAY) {
        return Err(VerifyError::IssuedInTheFuture);
    }
    if envelope.expires.is_some_and(|expires| expires <= now) {
        return Err(VerifyError::Expired);
    }
    Ok(())
}

fn entry(
    number: usize,
    token: &str,
    binding: &Binding,
    parts: &Parts,
    now: UnixTime,
    budget: &mut Budget,
) -> Result<VerifiedEntry, VerifyError> {
    if !Digest::of(&[token.as_bytes()]).matches(&binding.digest) {
        return Err(VerifyError::EntryDigest { number });
    }
    let expected = Expected { key: &parts.key, typ: Some(ENTRY_TYPE), thumbprint: true, now };
    let verified = verify_sd_jwt(token, expected, budget);
    let claims = verified.map_err(|source| VerifyError::Entry { number, source })?.into_claims();
    read_entry(claims, binding).ok_or(VerifyError::EntryMalformed { number })
}

fn read_entry(claims: Object, binding: &Binding) -> Option<VerifiedEntry> {
    let (mut kind, mut fields, mut provenance) = (None, None, None);
    for claim in claims.into_members() {
        match claim {
            (name, Json::String(text)) if name == "kind" => kind = Some(text),
            (name, Json::Object(object)) if name == "fields" => fields = Some(object),
            (name, Json::Object(object)) if name == "provenance" => provenance = Some(object),
            _ => return None,
        }
    }
    let (kind, fields, provenance) = (kind?, fields?, provenance?);
    let names = fields.members().iter().chain(provenance.members()).map(|(name, _)| name);
    if !names.chain(&binding.withheld).chain([&kind]).all(|name| is_name(name)) {
        return None;
    }
    Some(VerifiedEntry { kind, fields, provenance, withheld: binding.withheld.clone() })
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}
