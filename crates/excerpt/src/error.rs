//! Why an excerpt is invalid.
//!
//! Each reason says what is wrong with the file and holds nothing of its content.

use thiserror::Error;

use crate::jws::JwsError;
use crate::key::KeyError;
use crate::members::Malformed;
use crate::sd_jwt::SdJwtError;
use crate::shown::Unsound;

/// Why an excerpt is invalid. Nothing in it is to be believed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The file is longer than the limit, or the signed entries in it are.
    #[error("the file holds more than {limit} bytes, which no excerpt does")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The file is neither an excerpt's JSON nor its page.
    #[error("the file is no excerpt; ask for the HTML or JSON file as it was issued")]
    NotAnExcerpt,
    /// The file is not written as every excerpt is, byte for byte: something was
    /// added, changed or moved, if only a space.
    #[error("the file was changed after it was issued; ask for it again as it was issued")]
    NotAsIssued,
    /// The file holds more entries than an excerpt may.
    #[error("the file holds more than {limit} entries, which no excerpt does")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
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
    Key(KeyError),
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
    #[error("entry {number} is not valid: {reason}")]
    Entry {
        /// The entry, from 1.
        number: usize,
        /// Why.
        reason: SdJwtError,
    },
    /// An entry token is about somebody else than the envelope says, or belongs to
    /// another excerpt.
    #[error("entry {number} is about another person than the excerpt says, or is of another excerpt")]
    EntrySubject {
        /// The entry, from 1.
        number: usize,
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
    /// The visible page is not the one that the signed tokens give. What was signed is
    /// had with [`UnverifiedExcerpt::verify_claims_only`](crate::UnverifiedExcerpt::verify_claims_only).
    #[error("the page was changed: it does not show what was signed, so do not read it")]
    PageDiffers,
    /// A program saved the page again: beside that it is the one that the signed tokens
    /// give. What was signed is had with
    /// [`UnverifiedExcerpt::verify_claims_only`](crate::UnverifiedExcerpt::verify_claims_only).
    #[error(
        "the page was saved again by a program, so it is not the file that was issued: read what was signed instead, or ask for the file as it was issued"
    )]
    PageResaved,
}

impl VerifyError {
    /// What an entry is that cannot be shown.
    pub(crate) fn unsound(number: usize, fault: Unsound) -> Self {
        match fault {
            Unsound::Malformed => Self::EntryMalformed { number },
            Unsound::TooMuch => {
                Self::Entry { number, reason: SdJwtError::TooMany { what: "bytes of words to show" } }
            }
        }
    }
}

impl From<KeyError> for VerifyError {
    fn from(reason: KeyError) -> Self {
        Self::Key(reason)
    }
}

impl From<Malformed> for VerifyError {
    fn from(Malformed(what): Malformed) -> Self {
        Self::EnvelopeMalformed { what }
    }
}
