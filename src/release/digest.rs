//! The digest of a preview: what ties a release to it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::view::View;
use crate::codec::json::Json;
use crate::crypto::digest::Digest;

/// What a recipient would read by a preview, and of which entries it is, as one digest.
///
/// It prints and parses as a short text, so that it can go to a browser and come back:
///
/// ```
/// # use subrosa::release::ViewDigest;
/// # use subrosa::Policy;
/// let shown = Policy::nothing().apply(&[]);
/// let text = shown.digest().to_string();
/// let returned: ViewDigest = text.parse()?;
/// assert_eq!(returned, shown.digest());
/// # Ok::<(), subrosa::release::ParseViewDigestError>(())
/// ```
///
/// The ids of the entries are part of it. Whoever does not know them, which are random,
/// learns nothing about the content from the digest. It says nothing about who may release:
/// that is for the program to check when it comes back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewDigest(Digest);

/// A text that is not the digest of a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the digest of a preview is 64 hexadecimal digits: take it from the preview again")]
pub struct ParseViewDigestError;

impl View {
    /// What a recipient would read, as a digest that
    /// [`ReleaseRequest::as_previewed`](crate::ReleaseRequest::as_previewed) takes, in this
    /// process or in another one.
    #[must_use]
    pub fn digest(&self) -> ViewDigest {
        let mut texts = vec![self.summary_text()];
        texts
            .extend(self.subject().iter().flat_map(|s| [s.name.clone(), s.born.clone().unwrap_or_default()]));
        for entry in &self.released {
            texts.extend([entry.id.to_string(), entry.kind.name().to_owned(), entry.disclosed_json()]);
            texts.extend(entry.bars.iter().map(|bar| (*bar).to_owned()));
            texts.push(entry.perhaps_same.map(|mark| mark.to_string()).unwrap_or_default());
        }
        // As a list of strings: where one ends is part of it.
        let list = Json::Array(texts.into_iter().map(Json::String).collect()).to_text();
        ViewDigest(Digest::of(&[list.as_bytes()]))
    }
}

impl From<&View> for ViewDigest {
    fn from(view: &View) -> Self {
        view.digest()
    }
}

impl fmt::Display for ViewDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for ViewDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ViewDigest({})", self.0)
    }
}

impl FromStr for ViewDigest {
    type Err = ParseViewDigestError;

    fn from_str(text: &str) -> Result<Self, ParseViewDigestError> {
        Digest::parse(text.trim()).map(Self).map_err(|_| ParseViewDigestError)
    }
}

#[cfg(feature = "serde")]
crate::serial::text_only!(ViewDigest);
