//! A whole entry in the words of a preview, a page and a verifier, for its owner's eyes.

use subrosa_excerpt::claims::disclosed;
use subrosa_excerpt::shown::{ShownEntry, show_disclosed};

use super::redact::whole;
use crate::record::Entry;

impl Entry {
    /// The entry as its owner reads it: every field, in the words and under the names in
    /// which an excerpt would show it. Files are described, and the original is left out.
    #[must_use]
    pub fn shown(&self) -> ShownEntry {
        show_disclosed(&disclosed(&whole(self)), &[], None).map(|shown| shown.entry).unwrap_or_default()
    }
}
