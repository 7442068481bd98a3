//! The engine: rows, contents, ledger and commits of one unlocked vault, over any store.
//!
//! It knows no session, no import and no release.

pub(crate) mod accounting;
pub(crate) mod actor;
mod alike;
pub(crate) mod backups;
pub(crate) mod changes;
pub(crate) mod commit;
pub(crate) mod concerned;
pub(crate) mod content;
pub(crate) mod core;
mod departing;
pub(crate) mod destruction;
pub(crate) mod directory;
pub(crate) mod documents;
pub(crate) mod erasure;
pub(crate) mod facts;
pub(crate) mod history;
pub(crate) mod identity;
pub(crate) mod imports;
pub(crate) mod ledger;
pub(crate) mod leftover;
pub(crate) mod links;
pub(crate) mod list;
pub(crate) mod moving;
mod naming;
pub(crate) mod opening;
pub(crate) mod readable;
pub(crate) mod related;
pub(crate) mod settling;
pub(crate) mod signing;
pub(crate) mod slices;
pub(crate) mod story;
pub(crate) mod telling;
pub(crate) mod time;
pub(crate) mod told;
pub(crate) mod tombstone;
pub(crate) mod trace;
pub(crate) mod transaction;
pub(crate) mod vault_record;
