//! Verifies excerpts without a vault.
//!
//! Three outcomes: signed by a trusted key, intact with an unknown signer, or
//! invalid, which yields nothing but the reason.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use crate::claims::{CHANGED, NEGATION, NOT_UNDERSTOOD, WORDS_WITHHELD};
use crate::envelope::{Binding, ENVELOPE_PROFILE, Envelope, MAX_FIELDS};
use crate::error::VerifyError;
use crate::file::{MAX_FILE_BYTES, Parts, Shown};
use crate::jws;
use crate::render;
use crate::sd_jwt::verify::{Budget, Expected, verify_claims};
use crate::shown::{is_name, room_for_words};
use crate::subject::SaltedSubject;
use crate::time::UnixTime;
use crate::trust::TrustedKeys;
use crate::verified::{Compared, Contents, VerifiedEntry, VerifiedExcerpt};
use subrosa_base::codec::json::{Json, Object};
use subrosa_base::digest::Digest;
use subrosa_base::redacted_debug;

/// How far an issuer's clock may run ahead of the verifier's, in seconds.
pub const CLOCK_LEEWAY: u64 = 3600;

/// An excerpt that is not verified yet. It gives no access to its claims:
/// [`verify`](UnverifiedExcerpt::verify) does.
///
/// ```
/// use std::time::SystemTime;
/// # use subrosa_excerpt::{Outcome, TrustedKeys, UnverifiedExcerpt};
///
/// # let file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/excerpt.json"));
/// # let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_795_315_353);
/// let excerpt = UnverifiedExcerpt::parse(file)?.verify(&TrustedKeys::none(), now)?;
/// assert_eq!(excerpt.outcome(), Outcome::IntactUnknownSigner);
/// println!("compare: {}", excerpt.fingerprint());
/// # Ok::<(), subrosa_excerpt::VerifyError>(())
/// ```
pub struct UnverifiedExcerpt {
    parts: Parts,
    shown: Shown,
}

impl UnverifiedExcerpt {
    /// Parses an excerpt, from its JSON file or its HTML page. A file that a browser would
    /// show as a page is read as a page or refused.
    ///
    /// Editors add a byte order mark before the JSON and a line end after it; one of each is
    /// accepted. Any other byte that was not issued is refused.
    ///
    /// # Errors
    /// [`VerifyError`] if it is neither.
    pub fn parse(file: &[u8]) -> Result<Self, VerifyError> {
        if file.len() > MAX_FILE_BYTES {
            return Err(VerifyError::TooLong { limit: MAX_FILE_BYTES });
        }
        let file = std::str::from_utf8(file).map_err(|_| VerifyError::NotAnExcerpt)?;
        let text = file.strip_prefix('\u{feff}').unwrap_or(file);
        match text.trim_ascii_start().bytes().next() {
            Some(b'{') => {
                let parts = Parts::from_json(without_line_end(text))?;
                Ok(Self { parts, shown: Shown::Nothing })
            }
            Some(b'<') => Parts::from_html(file).map(|(parts, shown)| Self { parts, shown }),
            _ => Err(VerifyError::NotAnExcerpt),
        }
    }

    /// The parts that it was taken apart into.
    #[doc(hidden)]
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Verifies every signature and digest, and a page against what it must show.
    ///
    /// An untrusted signer is not an error: what was signed is still unchanged.
    /// [`VerifiedExcerpt::outcome`] says whose signature it is. Rely only on
    /// [`Outcome::SignedByTrustedKey`](crate::Outcome::SignedByTrustedKey).
    ///
    /// # Errors
    /// [`VerifyError`] if the excerpt is invalid, or if it is a page that does not show,
    /// byte for byte, what was signed.
    pub fn verify(self, trusted: &TrustedKeys, now: SystemTime) -> Result<VerifiedExcerpt, VerifyError> {
        let excerpt = self.verify_claims_only(trusted, now)?;
        match excerpt.compared {
            Compared::Page | Compared::Tokens => Ok(excerpt),
            Compared::ResavedPage => Err(VerifyError::PageResaved),
            Compared::DifferentPage => Err(VerifyError::PageDiffers),
            Compared::UnknownPage => Err(VerifyError::UnknownRenderer),
        }
    }

    /// Verifies what was signed, no matter what the page around it shows. Use it only if you
    /// show the claims yourself, and say what [`VerifiedExcerpt::compared`] says of the
    /// page.
    ///
    /// # Errors
    /// [`VerifyError`] when what was signed is invalid.
    pub fn verify_claims_only(
        self,
        trusted: &TrustedKeys,
        now: SystemTime,
    ) -> Result<VerifiedExcerpt, VerifyError> {
        let contents = contents(&self.parts, now.into())?;
        let compared = match self.shown {
            Shown::Nothing => Compared::Tokens,
            Shown::UnknownLayout => Compared::UnknownPage,
            Shown::Page(page) => render::page(&self.parts, &contents, page.longest_issued())
                .map_or(Compared::DifferentPage, |rendered| page.compared_with(&rendered)),
        };
        let envelope = &contents.envelope;
        let trust = trusted.trust(&self.parts.key, envelope.role, &envelope.issuer);
        Ok(VerifiedExcerpt { trust, compared, key: self.parts.key, contents })
    }
}

fn without_line_end(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text)
}

redacted_debug!(UnverifiedExcerpt);

/// Checks all signatures and digests and reads the claims.
pub(crate) fn contents(parts: &Parts, now: UnixTime) -> Result<Contents, VerifyError> {
    let payload =
        jws::verify(&parts.envelope, &parts.key, ENVELOPE_PROFILE).map_err(VerifyError::Envelope)?;
    let envelope = Envelope::decode(&payload)?;
    drop(payload);
    check_time(&envelope, now)?;
    let (expected, found) = (envelope.entries.len(), parts.entries.len());
    if expected != found {
        return Err(VerifyError::EntryCount { expected, found });
    }
    let mut budget = Budget::document();
    let mut room = room_for_words(parts.entries.iter().map(|token| token.len()).sum());
    let subject = envelope.subject.as_ref().map(SaltedSubject::claim);
    let mut entries = Vec::with_capacity(found);
    for (index, (token, binding)) in parts.entries.iter().zip(&envelope.entries).enumerate() {
        let number = index + 1;
        let claims = entry_claims(number, token, binding, parts, now, &mut budget)?;
        let (entry, about) =
            read_entry(claims, token, binding, parts).ok_or(VerifyError::EntryMalformed { number })?;
        if about != subject {
            return Err(VerifyError::EntrySubject { number });
        }
        // What could not be shown in full is not believed.
        let words = entry.shown_within(room).bytes;
        room = room.saturating_sub(words.map_err(|fault| VerifyError::unsound(number, fault))?);
        entries.push(entry);
    }
    check_masks(&envelope, &entries)?;
    Ok(Contents { envelope, entries })
}

/// A mask over a field of which nothing is seen would tell of what was not released.
fn check_masks(envelope: &Envelope, entries: &[VerifiedEntry]) -> Result<(), VerifyError> {
    let masks = envelope.policy.member("masks").and_then(Json::as_object).map(Object::members);
    let seen: BTreeSet<&str> = entries.iter().flat_map(VerifiedEntry::seen_fields).collect();
    let subject = envelope.subject.as_ref().map(|salted| &salted.subject);
    let is_of_subject = |field: &str| match field {
        "names" => subject.is_some(),
        "birth_date" => subject.is_some_and(|subject| subject.born.is_some()),
        _ => false,
    };
    let is_seen = |field: &str| seen.contains(field) || is_of_subject(field);
    match masks.unwrap_or_default().iter().all(|(field, _)| is_seen(field)) {
        true => Ok(()),
        false => Err(VerifyError::EnvelopeMalformed { what: "policy" }),
    }
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

fn entry_claims(
    number: usize,
    token: &str,
    binding: &Binding,
    parts: &Parts,
    now: UnixTime,
    budget: &mut Budget,
) -> Result<Object, VerifyError> {
    if !Digest::of(&[token.as_bytes()]).matches(&binding.digest) {
        return Err(VerifyError::EntryDigest { number });
    }
    let claims = verify_claims(token, Expected::entry(&parts.key, now), budget);
    claims.map_err(|reason| VerifyError::Entry { number, reason })
}

/// The entry, and the digest of whom it is about. A member beside these, such as a
/// time of its own, makes a token no entry: what expires is the excerpt.
fn read_entry(
    claims: Object,
    token: &Arc<str>,
    binding: &Binding,
    parts: &Parts,
) -> Option<(VerifiedEntry, Option<String>)> {
    let (mut kind, mut fields, mut provenance, mut subject) = (None, None, None, None);
    let (mut negation, mut not_understood) = (None, Vec::new());
    let (mut is_changed, mut words_withheld) = (false, false);
    for claim in claims.into_members() {
        match claim {
            (name, Json::String(text)) if name == "kind" => kind = Some(text),
            (name, Json::String(text)) if name == "subject" => subject = Some(text),
            (name, Json::Object(object)) if name == "fields" => fields = Some(object),
            (name, Json::Object(object)) if name == "provenance" => provenance = Some(object),
            (name, Json::Bool(true)) if name == CHANGED => is_changed = true,
            (name, Json::Bool(true)) if name == WORDS_WITHHELD => words_withheld = true,
            (name, Json::String(text)) if name == NEGATION && !text.is_empty() => negation = Some(text),
            (name, Json::Array(paths)) if name == NOT_UNDERSTOOD && !paths.is_empty() => {
                let paths: Option<_> = paths.iter().map(|path| path.as_str().map(str::to_owned)).collect();
                not_understood = paths?;
            }
            _ => return None,
        }
    }
    let (kind, fields, provenance) = (kind?, fields?, provenance?);
    if fields.members().len().max(provenance.members().len()) > MAX_FIELDS {
        return None;
    }
    let names = fields.members().iter().chain(provenance.members()).map(|(name, _)| name);
    if !names.chain(&binding.withheld).chain([&kind]).all(|name| is_name(name)) {
        return None;
    }
    let (withheld, perhaps_same) = (binding.withheld.clone(), binding.perhaps_same);
    let (token, key) = (token.clone(), parts.key);
    let entry = VerifiedEntry {
        kind,
        fields,
        provenance,
        negation,
        not_understood,
        is_changed,
        words_withheld,
        withheld,
        perhaps_same,
        token,
        key,
    };
    Some((entry, subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_a_file_nor_a_page_is_no_excerpt() {
        let fault = |file: &[u8]| UnverifiedExcerpt::parse(file).err();
        assert_eq!(fault(b""), Some(VerifyError::NotAnExcerpt));
        assert_eq!(fault(b" \n"), Some(VerifyError::NotAnExcerpt));
        assert_eq!(fault(b"%PDF-1.7"), Some(VerifyError::NotAnExcerpt));
        assert_eq!(fault(b"<p>\xff</p>"), Some(VerifyError::NotAnExcerpt));
        let most = vec![b' '; MAX_FILE_BYTES];
        assert_eq!(fault(&most), Some(VerifyError::NotAnExcerpt));
        let too_long = VerifyError::TooLong { limit: MAX_FILE_BYTES };
        assert_eq!(fault(&[&most[..], b" "].concat()), Some(too_long));
    }
}
