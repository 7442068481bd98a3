//! What a verifier learns of an excerpt that is not invalid.
//!
//! Made by `verify` alone: claims that did not verify never become these types.

use std::sync::Arc;
use std::time::SystemTime;

use crate::envelope::{Envelope, IssuerRole};
use crate::key::{Fingerprint, PublicKey};
use crate::sd_jwt::verify::{Budget, Expected, verify_and_take_apart};
use crate::sd_jwt::{Disclosure, Step};
use crate::shown::{Claims, Shown, ShownEntry, show};
use crate::subject::Subject;
use crate::time::UnixTime;
use crate::trust::Trust;
use subrosa_base::codec::base64url;
use subrosa_base::codec::json::{Json, Object};
use subrosa_base::id::ExcerptId;
use subrosa_base::redacted_debug;

/// What is known of an excerpt that is not invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Signed by a key that the verifier trusts.
    SignedByTrustedKey,
    /// Unchanged since it was signed, with a key that the verifier does not know.
    /// Compare the fingerprint before you believe it.
    IntactUnknownSigner,
    /// Unchanged since it was signed. The verifier knows the key, but does not trust it for
    /// the name or the role that it signed under.
    KnownKeyOtherName,
}

impl Outcome {
    /// A stable name for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedByTrustedKey => "signed-by-trusted-key",
            Self::IntactUnknownSigner => "intact-unknown-signer",
            Self::KnownKeyOtherName => "known-key-other-name",
        }
    }
}

/// What was compared with what was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compared {
    /// The page, byte for byte: it shows what was signed and nothing else.
    Page,
    /// The tokens alone: the file is the JSON, which shows nothing by itself.
    Tokens,
    /// The page, which a program saved again: line ends, a byte order mark, white space
    /// at the end, or the comment of a browser that saves. Nobody vouches for its bytes.
    ResavedPage,
    /// The page, which shows something else than what was signed: it must not be read.
    DifferentPage,
    /// The tokens alone: the page has a layout that this program does not know, so
    /// nobody vouches for what it shows.
    UnknownPage,
}

impl Compared {
    /// A stable name for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Tokens => "tokens",
            Self::ResavedPage => "resaved-page",
            Self::DifferentPage => "different-page",
            Self::UnknownPage => "unknown-page",
        }
    }
}

/// An excerpt whose signatures hold. Only through it can you read the claims.
///
/// Look at [`outcome`](VerifiedExcerpt::outcome) first: the signer may be unknown.
pub struct VerifiedExcerpt {
    pub(super) trust: Trust,
    pub(super) compared: Compared,
    pub(super) key: PublicKey,
    pub(super) contents: Contents,
}

/// The claims of an excerpt whose signatures hold.
pub(crate) struct Contents {
    pub(crate) envelope: Envelope,
    pub(crate) entries: Vec<VerifiedEntry>,
}

/// A released entry as its recipient reads it.
pub struct VerifiedEntry {
    pub(super) kind: String,
    pub(super) fields: Object,
    pub(super) provenance: Object,
    pub(super) negation: Option<String>,
    pub(super) not_understood: Vec<String>,
    pub(super) is_changed: bool,
    pub(super) words_withheld: bool,
    pub(super) withheld: Vec<String>,
    pub(super) perhaps_same: Option<usize>,
    pub(super) token: Arc<str>,
    pub(super) key: PublicKey,
}

impl VerifiedEntry {
    /// The kind of record, such as `diagnosis`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The disclosed fields as a JSON object.
    #[must_use]
    pub fn fields_json(&self) -> String {
        self.fields.to_text()
    }

    /// What is disclosed of where the entry came from, as a JSON object.
    #[must_use]
    pub fn provenance_json(&self) -> String {
        self.provenance.to_text()
    }

    /// The words for people to read, the same as on a page.
    #[must_use]
    pub fn shown(&self) -> ShownEntry {
        self.shown_within(usize::MAX).entry
    }

    /// The fields that the reader sees, in part or as a bar.
    pub(super) fn seen_fields(&self) -> impl Iterator<Item = &str> {
        let members = self.fields.members().iter().chain(self.provenance.members());
        members.map(|(name, _)| name.as_str()).chain(self.withheld.iter().map(String::as_str))
    }

    /// The words, and whether every claim has the shape of its type and all fits.
    pub(super) fn shown_within(&self, room: usize) -> Shown {
        let bars: Vec<&str> = self.withheld.iter().map(String::as_str).collect();
        let claims = Claims {
            kind: &self.kind,
            fields: &self.fields,
            provenance: &self.provenance,
            negation: self.negation.as_deref(),
            not_understood: &self.not_understood,
            is_changed: self.is_changed,
            words_withheld: self.words_withheld,
            bars: &bars,
            perhaps_same: self.perhaps_same,
        };
        show(&claims, room)
    }

    /// How the record denies what it names, such as "not given"; `None` when it does not.
    #[must_use]
    pub fn negation(&self) -> Option<&str> {
        self.negation.as_deref()
    }

    /// The parts of the source that change the meaning and that the issuer's program did
    /// not understand, by path. If there are any, do not rely on the rest.
    #[must_use]
    pub fn not_understood(&self) -> &[String] {
        &self.not_understood
    }

    /// Whether the keeper of the record changed it after it was imported. Then it is not what
    /// its source says.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Whether words beside the disclosed facts were withheld that may limit them or take
    /// them back. Then ask for the words before you rely on the entry.
    #[must_use]
    pub fn words_withheld(&self) -> bool {
        self.words_withheld
    }

    /// The mark that this entry and others of the excerpt bear which may be one record, as
    /// the issuer's program saw: they are about the same at the same time, and came from
    /// different sources.
    #[must_use]
    pub fn perhaps_same(&self) -> Option<usize> {
        self.perhaps_same
    }

    /// The withheld fields, in whole or in part, that a page shows as black bars. Empty
    /// unless the release has bars; then nobody can tell whether there are others.
    #[must_use]
    pub fn withheld_fields(&self) -> &[String] {
        &self.withheld
    }

    /// The signed token of this entry with only these fields disclosed. It is an SD-JWT
    /// (RFC 9901) that verifies on its own with the issuer's key, so the holder can pass on
    /// less of the entry.
    #[must_use]
    pub fn present_only(&self, fields: &[&str]) -> String {
        let is_of_them = |disclosure: &Disclosure| match disclosure.path() {
            [Step::Member(part), Step::Member(field), ..] => {
                part == "fields" && fields.contains(&field.as_str())
            }
            _ => false,
        };
        // It verified once, so it does again.
        let expected = Expected::entry(&self.key, UnixTime::from_seconds(0));
        let verified = verify_and_take_apart(&self.token, expected, &mut Budget::document());
        verified.map(|(_, token)| token.present(is_of_them)).unwrap_or_default()
    }

    fn to_json(&self) -> Json {
        let withheld = self.withheld.iter().map(|field| Json::string(field.as_str())).collect();
        Json::Object(Object::new(vec![
            ("kind".to_owned(), Json::string(self.kind.as_str())),
            ("fields".to_owned(), Json::Object(self.fields.clone())),
            ("provenance".to_owned(), Json::Object(self.provenance.clone())),
            ("negation".to_owned(), self.negation.as_deref().map_or(Json::Null, Json::string)),
            (
                "not_understood".to_owned(),
                Json::Array(self.not_understood.iter().map(|path| Json::string(path.as_str())).collect()),
            ),
            ("changed".to_owned(), Json::Bool(self.is_changed)),
            ("words_withheld".to_owned(), Json::Bool(self.words_withheld)),
            (
                "perhaps_same".to_owned(),
                self.perhaps_same.map_or(Json::Null, |mark| Json::Number(mark.to_string())),
            ),
            ("withheld".to_owned(), Json::Array(withheld)),
        ]))
    }
}

impl VerifiedExcerpt {
    /// Whether the signer is trusted.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.trust {
            Trust::Trusted | Trust::AnyName => Outcome::SignedByTrustedKey,
            Trust::Differs { .. } => Outcome::KnownKeyOtherName,
            Trust::Unknown | Trust::NoneOfTheGiven => Outcome::IntactUnknownSigner,
        }
    }

    /// The envelope that binds it.
    #[doc(hidden)]
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.contents.envelope
    }

    /// Whether the page that people see was compared, or only the tokens.
    /// [`UnverifiedExcerpt::verify`](crate::UnverifiedExcerpt::verify) gives nothing but
    /// [`Compared::Page`] and [`Compared::Tokens`].
    #[must_use]
    pub fn compared(&self) -> Compared {
        self.compared
    }

    /// The signer's key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The signer's fingerprint, to compare with one that reached you another way.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.key.fingerprint()
    }

    /// The id of this copy.
    #[must_use]
    pub fn id(&self) -> ExcerptId {
        self.contents.envelope.id
    }

    /// The name that the issuer gives themselves.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.contents.envelope.issuer
    }

    /// The role that the issuer gives themselves.
    #[must_use]
    pub fn issuer_role(&self) -> IssuerRole {
        self.contents.envelope.role
    }

    /// Whom it was issued for.
    #[must_use]
    pub fn recipient(&self) -> &str {
        &self.contents.envelope.recipient
    }

    /// What it was issued for.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.contents.envelope.purpose
    }

    /// The patient, if they are named.
    #[must_use]
    pub fn subject(&self) -> Option<&Subject> {
        self.contents.envelope.subject.as_ref().map(|salted| &salted.subject)
    }

    /// The salt of the digest that each entry token holds of the subject: who passes on
    /// a single entry gives it along, so that its reader can tell whom it is about.
    #[must_use]
    pub fn subject_salt(&self) -> Option<String> {
        self.contents.envelope.subject.as_ref().map(|salted| base64url::encode(&salted.salt))
    }

    /// When it was issued.
    #[must_use]
    pub fn issued(&self) -> SystemTime {
        self.contents.envelope.issued.into()
    }

    /// When it stops being valid, if ever.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        self.contents.envelope.expires.map(Into::into)
    }

    /// Until when it is valid, for people: the last day in UTC, such as `2027-01-31`, or
    /// the moment if it does not end with a day.
    #[must_use]
    pub fn valid_through(&self) -> Option<String> {
        self.contents.envelope.expires.map(UnixTime::last_valid)
    }

    /// What the reader must know about how the selection was made.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.contents.envelope.notices
    }

    /// The released entries.
    #[must_use]
    pub fn entries(&self) -> &[VerifiedEntry] {
        &self.contents.entries
    }

    /// The outcome and every claim, as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let envelope = self.contents.envelope.encode();
        let claims = envelope.into_members().into_iter().filter(|(name, _)| name != "entries");
        let mut report = Object::default();
        report.push("outcome", Json::string(self.outcome().name()));
        report.push("compared", Json::string(self.compared.name()));
        report.push("fingerprint", Json::string(self.fingerprint().to_string()));
        report.push("names_differ", Json::Bool(self.names_differ()));
        claims.for_each(|(name, value)| report.push(name, value));
        let mut text = Json::Object(report).to_text();
        // One entry after the other: all claims at once would be held twice.
        text.truncate(text.len().saturating_sub(1));
        text.push_str(",\"entries\":[");
        for (index, entry) in self.contents.entries.iter().enumerate() {
            text.push_str(if index == 0 { "" } else { "," });
            text.push_str(&entry.to_json().to_text());
        }
        text.push_str("]}");
        text
    }
}

redacted_debug!(VerifiedExcerpt, VerifiedEntry);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcomes_have_stable_names() {
        assert_eq!(Outcome::SignedByTrustedKey.name(), "signed-by-trusted-key");
        assert_eq!(Outcome::IntactUnknownSigner.name(), "intact-unknown-signer");
        assert_eq!(Outcome::KnownKeyOtherName.name(), "known-key-other-name");
    }
}
