//! Signed, redacted excerpts of health records, for those who receive one: a court, an
//! employer, another clinic. You need no vault, and this crate contains none.
//!
//! Each entry is an SD-JWT (RFC 9901). One signed envelope binds them as they were presented.
//! `docs/excerpt.md` of [Subrosa] specifies every byte.
//!
//! - [`UnverifiedExcerpt`] parses a file and verifies it.
//! - [`TrustedKeys`] says whose signatures count, and under which names. [`KeyFile`] is the
//!   file in which an issuer hands over a key.
//! - [`VerifiedExcerpt`] alone holds the claims. [`VerifiedEntry::shown`] gives them in words
//!   for people.
//!
//! The crate `subrosa` keeps the records and issues excerpts. It re-exports all of this. Items
//! that the documentation does not list are for `subrosa` only, and may change with any
//! release.
//!
//! [Subrosa]: https://crates.io/crates/subrosa
//!
//! ```
//! use std::time::SystemTime;
//! use subrosa_excerpt::{KeyFile, Outcome, TrustedKeys, UnverifiedExcerpt};
//!
//! fn check(file: &[u8], clinic: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//!     let clinic = KeyFile::parse(clinic)?;
//!     let signs_as = clinic.signs_as().ok_or("the key file names nobody")?;
//!     let trusted = TrustedKeys::none().and(*clinic.key(), signs_as.clone());
//!     let excerpt = UnverifiedExcerpt::parse(file)?.verify(&trusted, SystemTime::now())?;
//!     if excerpt.outcome() != Outcome::SignedByTrustedKey {
//!         return Err("not signed by the clinic".into());
//!     }
//!     for entry in excerpt.entries() {
//!         println!("{}", entry.shown());
//!     }
//!     Ok(())
//! }
//! ```

// A library does not print; examples and tests may.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[doc(hidden)]
pub mod attribution;
mod audience;
#[doc(hidden)]
pub mod claims;
#[doc(hidden)]
pub mod envelope;
mod error;
#[doc(hidden)]
pub mod file;
#[doc(hidden)]
pub mod issue;
#[doc(hidden)]
pub mod jws;
mod key;
#[doc(hidden)]
pub mod members;
mod render;
#[doc(hidden)]
pub mod salts;
mod saved;
#[doc(hidden)]
pub mod sd_jwt;
#[doc(hidden)]
pub mod selection;
#[doc(hidden)]
pub mod shown;
#[doc(hidden)]
pub mod signature;
mod signer;
#[doc(hidden)]
pub mod subject;
#[cfg(test)]
mod testing;
#[doc(hidden)]
pub mod time;
mod trust;
mod verified;
#[doc(hidden)]
pub mod verify;
#[cfg(feature = "serde")]
mod written;

// Verifying.
pub use error::VerifyError;
pub use jws::JwsError;
pub use sd_jwt::SdJwtError;
pub use shown::{ShownEntry, ShownLine};
pub use subject::Subject;
pub use verified::{Compared, Outcome, VerifiedEntry, VerifiedExcerpt};
pub use verify::UnverifiedExcerpt;

// Keys, and what they are trusted for.
pub use key::{Fingerprint, KeyError, PublicKey};
pub use signature::SignatureAlgorithm;
pub use trust::{KeyFile, SignsAs, TrustedKeys};

// What an excerpt says.
pub use audience::Audience;
pub use envelope::{IssuerRole, STATEMENT};
pub use issue::Excerpt;
#[doc(hidden)]
pub use signer::ProvenSigner;
pub use signer::{Signer, SignerError};

// What it is made of.
pub use subrosa_base::{Base64UrlError, Digest, ExcerptId, JsonError};

// Text for people: what cannot be seen is spelt.
pub use subrosa_base::{columns, spell, spell_block, spell_json, spell_lines};
