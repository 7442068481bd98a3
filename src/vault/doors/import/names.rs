//! What an imported entry is called in the vault.
//!
//! A name is as wide as its source: an address or a random UUID names one thing
//! everywhere; `Type/id` names one thing within its document as one import brought it;
//! a placeholder of a bundle names nothing, and its content stands for it.

use crate::crypto::digest::Digest;
use crate::crypto::key::IdentityKey;
pub(super) use crate::engine::identity::name_of;
use crate::engine::identity::{self, IdentityKeys, id_beside, id_of, id_of_kind};
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::interop::identity::beside;
use crate::interop::imported::ImportedEntry;
use crate::record::{Entry, Kind};

/// How far a name reaches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    Everywhere,
    Document,
    Nowhere,
}

impl Width {
    pub(super) fn of(imported: &ImportedEntry) -> Self {
        let identity = &imported.identity;
        let is_type = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_uppercase())
                && text.bytes().all(|byte| byte.is_ascii_alphabetic())
        };
        let is_named = identity.split_once('/').is_some_and(|(resource, _)| is_type(resource));
        let is_address = identity.starts_with("http://") || identity.starts_with("https://");
        match imported.is_global {
            true => Self::Everywhere,
            false if is_named || is_address => Self::Document,
            false => Self::Nowhere,
        }
    }
}

pub(super) fn source_of(entry: &Entry) -> &[u8] {
    entry.source.as_ref().map_or(&[], |source| &source.bytes)
}

/// The ids that names make under the key of each compartment.
pub(super) struct Names<'a>(pub(super) &'a IdentityKeys);

/// The id of a name, and the one for where something of another kind has that.
fn both(key: &IdentityKey, name: &str, kind: Kind) -> [EntryId; 2] {
    [id_of(key, name), id_of_kind(key, name, kind)]
}

impl Names<'_> {
    /// The ids that a name makes in a compartment: for what has it first there, and for a
    /// thing of another kind.
    pub(super) fn ids(
        &self,
        compartment: Compartment,
        name: &str,
        kind: Kind,
    ) -> Result<[EntryId; 2], Error> {
        Ok(both(self.0.of(compartment)?, name, kind))
    }

    /// The same in each compartment where something has an id of a name.
    pub(super) fn anywhere(
        &self,
        name: &str,
        kind: Kind,
    ) -> impl Iterator<Item = (Compartment, [EntryId; 2])> {
        self.0.in_use().map(move |(compartment, key)| (compartment, both(key, name, kind)))
    }

    /// The id that a name makes in each of these compartments for whatever has it first.
    pub(super) fn first_of(&self, name: &str) -> impl Iterator<Item = (Compartment, EntryId)> {
        self.0.in_use().map(move |(compartment, key)| (compartment, id_of(key, name)))
    }

    /// The ids that it makes for things of other kinds than what has it first.
    pub(super) fn of_other_kinds(&self, compartment: Compartment, name: &str) -> Result<Vec<EntryId>, Error> {
        let key = self.0.of(compartment)?;
        Ok(Kind::all().iter().map(|kind| id_of_kind(key, name, *kind)).collect())
    }

    /// The id of a content where others have both of its names.
    pub(super) fn beside(
        &self,
        compartment: Compartment,
        ids: [EntryId; 2],
        found: &ImportedEntry,
    ) -> Result<EntryId, Error> {
        let [first, _] = ids;
        Ok(id_beside(self.0.of(compartment)?, first, &Digest::of(&[source_of(&found.entry)])))
    }
}

/// The name of a content that has none.
pub(super) fn name_of_content(entry: &Entry) -> String {
    identity::name_of_content(&Digest::of(&[source_of(entry)]))
}

/// The identity of an entry, alone and beside another resource of one import.
pub(super) fn spellings(found: &ImportedEntry) -> [String; 2] {
    let digest = Digest::of(&[source_of(&found.entry)]);
    let identity = found.identity.as_str();
    let alone = identity.strip_suffix(&beside("", &digest)).unwrap_or(identity);
    [alone.to_owned(), beside(alone, &digest)]
}
