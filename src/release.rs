//! What may leave: a policy that denies by default, and the redacted view that
//! it makes of entries.
//!
//! Nothing is in a view's disclosed part that no rule let out by name or by type.

mod apply;
mod attachment;
mod audience;
mod beside;
pub(crate) mod claims;
mod policy;
mod redact;
mod select;
mod shown;
mod subject;
#[cfg(test)]
mod tests;
mod values;
mod view;
mod whole;
#[cfg(feature = "serde")]
mod written;

pub use audience::Audience;
pub use policy::{CodeFilter, Mask, ParseCodeFilterError, Policy, PolicyError};
pub(crate) use shown::{Claims, code_system, kind_label, label, show};
pub use shown::{ShownEntry, ShownLine};
pub(crate) use view::redacted_debug;
pub use view::{FilterNotice, RedactedEntry, Subject, SubjectFault, View, Withheld, WithheldReason};
