//! A whole entry in the words of a preview, a page and a verifier, for its owner's eyes.

use super::redact::whole;
use super::shown::{ShownEntry, show_disclosed};
use super::view::disclosed_members;
use crate::record::Entry;

impl Entry {
    /// The entry as its owner reads it: every field, in the words and under the names in
    /// which an excerpt would show it. Files are described, and the original is left out.
    #[must_use]
    pub fn shown(&self) -> ShownEntry {
        show_disclosed(&disclosed_members(&whole(self)), &[]).unwrap_or_default().0
    }
}
