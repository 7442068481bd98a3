//! What an imported entry is called in the vault.
//!
//! A name is as wide as its source: an address or a random UUID names one thing
//! everywhere; `Type/id` names one thing within its document as one import brought it;
//! a placeholder of a bundle names nothing, and its content stands for it.

use std::collections::HashSet;

use super::memory::Scope;
use crate::crypto::digest::Digest;
use crate::crypto::key::IdentityKey;
use crate::engine::erasure::expunged_content;
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

/// What expunged entries were imported from: it stays away under every name.
pub(super) struct Away<'a> {
    pub(super) key: &'a IdentityKey,
    pub(super) contents: &'a HashSet<String>,
}

impl Away<'_> {
    pub(super) fn holds(&self, entry: &Entry) -> bool {
        !self.contents.is_empty()
            && expunged_content(self.key, entry).is_some_and(|content| self.contents.contains(&content))
    }
}

#[cfg(test)]
thread_local! {
    /// How many ids were derived on this thread.
    pub(super) static DERIVED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The ids that names make under the vault's key.
pub(super) struct Names<'a>(pub(super) &'a IdentityKey);

impl Names<'_> {
    fn id(&self, name: &str) -> EntryId {
        #[cfg(test)]
        DERIVED.with(|derived| derived.set(derived.get() + 1));
        EntryId::from_bytes(self.0.derive_id(name.as_bytes()))
    }

    /// A keyed digest, as the ledger keeps it.
    pub(super) fn digest(&self, what: &str, parts: &[&str]) -> String {
        self.id(&format!("{what}\0{}", parts.join("\0"))).to_string()
    }

    pub(super) fn source(&self, document: Option<&str>) -> String {
        self.digest("source", &[document.unwrap_or_default()])
    }

    /// The id of a name that reaches everywhere, and the one for where something of
    /// another kind has that.
    pub(super) fn everywhere(&self, identity: &str, kind: Kind) -> [EntryId; 2] {
        self.both(&Self::name(None, identity), kind)
    }

    fn both(&self, name: &str, kind: Kind) -> [EntryId; 2] {
        [self.id(name), self.id(&format!("{} {name}", kind.name()))]
    }

    /// The same for a name within a document.
    pub(super) fn within(&self, scope: &Scope, identity: &str, kind: Kind) -> [EntryId; 2] {
        self.both(&Self::name(Some(scope), identity), kind)
    }

    /// The id that a name, within a scope or everywhere, makes for whatever has it first.
    pub(super) fn first(&self, scope: Option<&Scope>, identity: &str) -> EntryId {
        self.id(&Self::name(scope, identity))
    }

    /// The ids that it makes for things of other kinds than what has it first.
    pub(super) fn of_other_kinds(&self, scope: Option<&Scope>, identity: &str) -> Vec<EntryId> {
        let name = Self::name(scope, identity);
        Kind::all().iter().map(|kind| self.id(&format!("{} {name}", kind.name()))).collect()
    }

    fn name(scope: Option<&Scope>, identity: &str) -> String {
        match scope {
            Some(scope) => format!("{}\0{}\0{identity}", scope.number, scope.source),
            None => identity.to_owned(),
        }
    }

    /// The identity of an entry, alone and beside another resource of one import.
    pub(super) fn spellings(&self, found: &ImportedEntry) -> [String; 2] {
        let digest = Digest::of(&[source_of(&found.entry)]);
        let identity = found.identity.as_str();
        let alone = identity.strip_suffix(&beside("", &digest)).unwrap_or(identity);
        [alone.to_owned(), beside(alone, &digest)]
    }

    /// The id of a content where others have both of its names.
    pub(super) fn beside(&self, ids: [EntryId; 2], found: &ImportedEntry) -> EntryId {
        let [first, _] = ids;
        self.id(&format!("{first}\0{}", Digest::of(&[source_of(&found.entry)])))
    }

    /// The id of a content that has no name.
    pub(super) fn content(&self, entry: &Entry) -> [EntryId; 2] {
        self.everywhere(&format!("sha256:{}", Digest::of(&[source_of(entry)])), entry.kind())
    }
}
