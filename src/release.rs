//! What may leave: a policy that denies by default, and the redacted view that
//! it makes of entries.
//!
//! Nothing is in a view's disclosed part that no rule let out by name or by type.

mod apply;
mod around;
mod attachment;
mod beside;
mod candidate;
mod digest;
mod policy;
#[cfg(feature = "serde")]
mod policy_json;
mod redact;
mod select;
mod subject;
#[cfg(test)]
mod tests;
mod values;
mod view;
mod whole;
mod words;
#[cfg(feature = "serde")]
mod written;

pub(crate) use attachment::Files;
#[cfg(test)]
pub(crate) use attachment::NoFiles;
pub use candidate::Candidate;
pub use digest::{ParseViewDigestError, ViewDigest};
pub use policy::{CodeFilter, Mask, ParseCodeFilterError, Policy, PolicyError};
#[doc(inline)]
pub use subrosa_excerpt::{Audience, ShownEntry, ShownLine, Subject};
pub use view::{FilterNotice, RedactedEntry, SubjectFault, View, Withheld, WithheldReason};

// Text for people: what cannot be seen is spelt.
#[doc(inline)]
pub use crate::codec::block::{columns, spell_block};
#[doc(inline)]
pub use crate::codec::spell::{spell, spell_json, spell_lines};
