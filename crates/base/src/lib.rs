//! The types that every part of [Subrosa] shares: kinds of record and their fields, texts
//! and dates as they were written, identifiers, digests, strict JSON, and the spelling of
//! invisible characters.
//!
//! Programs that keep a vault use the crate `subrosa`. Programs that only verify excerpts use
//! the crate `subrosa-excerpt`. Both re-export these types. Items that the documentation does
//! not list are for these crates only, and may change with any release.
//!
//! [Subrosa]: https://crates.io/crates/subrosa
//!
//! ```
//! use subrosa_base::{DateRange, Kind, PartialDate};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let onset: PartialDate = "1998-04".parse()?;
//! assert!(DateRange::at(onset).may_overlap(&DateRange::at("1998".parse()?)));
//! assert_eq!(Kind::Diagnosis.field("onset").map(|field| field.label), Some("Began"));
//! # Ok(())
//! # }
//! ```

// A library does not print.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[doc(hidden)]
pub mod codec;
#[doc(hidden)]
pub mod date;
#[doc(hidden)]
pub mod digest;
#[doc(hidden)]
pub mod id;
mod redacted;
#[doc(hidden)]
pub mod schema;
#[cfg(feature = "serde")]
#[doc(hidden)]
pub mod serial;
#[doc(hidden)]
pub mod text;

pub use codec::base64url::Base64UrlError;
pub use codec::block::{columns, spell_block};
pub use codec::json::JsonError;
pub use codec::spell::{spell, spell_json, spell_lines};
pub use date::{DateRange, Fit, ParseDateError, PartialDate, Precision};
pub use digest::Digest;
pub use id::{AccessId, CommitId, ContentId, DocumentId, EntryId, Epoch, ExcerptId, ParseIdError, VaultId};
pub use schema::{FieldName, FieldSchema, FieldType, Kind};
pub use text::{Narrative, TextError, Token};
