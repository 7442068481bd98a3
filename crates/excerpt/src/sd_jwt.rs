//! Selective Disclosure for JSON Web Tokens (RFC 9901): issue, present, verify.
//!
//! Everything refused in section 7.1 of the RFC is refused here, and a token
//! that is refused yields nothing.

pub mod issue;
pub mod verify;

use thiserror::Error;

use crate::jws::JwsError;
use subrosa_base::codec::base64url::Base64UrlError;
use subrosa_base::codec::json::JsonError;

/// The only digest algorithm (RFC 9901 section 4.1.1).
const DIGEST_ALGORITHM: &str = "sha-256";
/// The member of an object that holds the digests of its hidden members.
const DIGESTS: &str = "_sd";
/// The only member of an object that stands for a hidden item of an array.
const ELLIPSIS: &str = "...";
/// The member of the payload that names the digest algorithm.
const ALGORITHM: &str = "_sd_alg";

/// Deepest nesting of a token's claims, disclosures put in.
pub const MAX_DEPTH: usize = 32;
/// Longest token in bytes, disclosures included.
pub const MAX_TOKEN_BYTES: usize = 32 << 20;
/// Longest payload of the signed part in bytes. It holds little but digests.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;
/// Most JSON values in the claims of a token, disclosures put in.
pub const MAX_TOKEN_VALUES: usize = 1 << 16;
/// Most JSON values in each text that a token is made of, its payload and every disclosure:
/// enough for an array of the most items, which two values stand for each.
pub const MAX_TEXT_VALUES: usize = 150_000;

/// One step from a claim to a part of it.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// To the member of this name.
    Member(String),
    /// To the item of this index, among the items that are disclosed.
    Item(usize),
}

/// A token that was issued or verified, with the place of each disclosure.
#[derive(Clone)]
pub struct SdJwt {
    jwt: String,
    disclosures: Vec<Disclosure>,
}

/// A disclosure and where its claim belongs.
#[derive(Clone)]
pub struct Disclosure {
    encoded: String,
    path: Vec<Step>,
    /// The disclosure that this one's digest stands in, if it is not the payload.
    parent: Option<usize>,
}

impl Disclosure {
    /// Where the disclosed claim belongs.
    pub fn path(&self) -> &[Step] {
        &self.path
    }
}

impl SdJwt {
    /// The compact form with the disclosures that `choose` takes and those they
    /// stand in (RFC 9901 section 4.2.6), in the order of issuing.
    pub fn present(&self, choose: impl Fn(&Disclosure) -> bool) -> String {
        let mut chosen: Vec<bool> = self.disclosures.iter().map(choose).collect();
        // A parent always stands before its children.
        for (index, disclosure) in self.disclosures.iter().enumerate().rev() {
            let parent = disclosure.parent.filter(|_| chosen.get(index) == Some(&true));
            if let Some(parent) = parent.and_then(|parent| chosen.get_mut(parent)) {
                *parent = true;
            }
        }
        self.compact(chosen)
    }

    fn compact(&self, chosen: impl IntoIterator<Item = bool>) -> String {
        let mut token = format!("{}~", self.jwt);
        for (disclosure, _) in self.disclosures.iter().zip(chosen).filter(|(_, chosen)| *chosen) {
            token.push_str(&disclosure.encoded);
            token.push('~');
        }
        token
    }
}

/// Why a token is not a valid SD-JWT. Names the fault, never a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SdJwtError {
    /// The token is longer than the limit.
    #[error("the token is longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// There are more disclosures, digests or values than the limit.
    #[error("the token holds more {what} than is accepted")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
    },
    /// Claims nest deeper than the limit.
    #[error("the token's claims nest deeper than {limit} levels")]
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// There is no tilde: this is a plain token.
    #[error("the token is no SD-JWT: there is no tilde behind the signed part")]
    NotAnSdJwt,
    /// Something follows the last tilde: a key binding (RFC 9901 section 4.3)
    /// or rubbish, neither of which is accepted here.
    #[error("the token has a key-binding part, which is not expected")]
    KeyBindingNotExpected,
    /// The signed part does not verify.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// `_sd_alg` names a digest algorithm other than SHA-256.
    #[error("the token's digest algorithm is not sha-256")]
    UnknownDigestAlgorithm,
    /// `_sd` is not an array of digests.
    #[error("an _sd claim is not an array of sha-256 digests")]
    MalformedDigests,
    /// `...` stands elsewhere than alone in an array's object with a digest.
    #[error("a claim named ... does not stand alone with a sha-256 digest")]
    MalformedEllipsis,
    /// `_sd_alg` stands elsewhere than at the top of the payload.
    #[error("an _sd_alg claim is not at the top of the payload")]
    MisplacedAlgorithm,
    /// A digest occurs twice.
    #[error("a digest occurs twice")]
    RepeatedDigest,
    /// A disclosure was sent twice.
    #[error("a disclosure occurs twice")]
    RepeatedDisclosure,
    /// No digest refers to a disclosure.
    #[error("no digest refers to a disclosure")]
    UnreferencedDisclosure,
    /// A disclosure is not strict base64url.
    #[error("a disclosure is not base64url: {0}")]
    DisclosureEncoding(Base64UrlError),
    /// A disclosure is not strict JSON.
    #[error("a disclosure is not strict JSON: {0}")]
    DisclosureJson(JsonError),
    /// A disclosure is neither salt, name and value nor salt and value, or
    /// stands in the wrong place for its form.
    #[error("a disclosure does not have the form that its place demands")]
    DisclosureForm,
    /// A disclosure's name is reserved.
    #[error("a disclosure's name is reserved")]
    ReservedName,
    /// A disclosure's name is taken at its level.
    #[error("a disclosure's name is already taken")]
    NameCollision,
    /// `exp` or `nbf` is not a time.
    #[error("a time claim of the token is not a number of seconds")]
    MalformedTime,
    /// The time `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// The time `nbf` is not yet reached.
    #[error("the token is not yet valid")]
    NotYetValid,
}

impl From<Base64UrlError> for SdJwtError {
    fn from(reason: Base64UrlError) -> Self {
        Self::DisclosureEncoding(reason)
    }
}

impl From<JsonError> for SdJwtError {
    fn from(reason: JsonError) -> Self {
        Self::DisclosureJson(reason)
    }
}

fn is_reserved(name: &str) -> bool {
    [DIGESTS, ELLIPSIS, ALGORITHM].contains(&name)
}

subrosa_base::redacted_debug!(Step, SdJwt, Disclosure);

#[cfg(test)]
mod tests;
