//! Identity keys: each compartment has its own, which turns a source's name of a record into
//! an entry's id. So whoever does not open a compartment cannot test a name against it.

use super::core::StateReader;
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::crypto::key::IdentityKey;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::payload::custody::IdentityKeyV1;
use crate::record::Kind;
use crate::tree::RowKey;

/// What a compartment's identity key is stored under.
pub(super) const NAME: &str = "identity key";

/// The id that a name makes under a key.
pub(crate) fn id_of(key: &IdentityKey, name: &str) -> EntryId {
    #[cfg(test)]
    crate::testing::count_derived_id();
    EntryId::from_bytes(key.derive_id(name.as_bytes()))
}

/// The id of a name for a thing of this kind, where something of another kind has the name.
pub(crate) fn id_of_kind(key: &IdentityKey, name: &str, kind: Kind) -> EntryId {
    id_of(key, &format!("{} {name}", kind.name()))
}

/// The id of a content where others have the names; `first` is the id of the plain one.
pub(crate) fn id_beside(key: &IdentityKey, first: EntryId, content: &Digest) -> EntryId {
    id_of(key, &format!("{first}\0{content}"))
}

/// The name of an identity, within a document's scope or everywhere.
pub(crate) fn name_of(scope: Option<[u8; 16]>, identity: &str) -> String {
    match scope {
        Some(scope) => format!("{}\0{identity}", EntryId::from_bytes(scope)),
        None => identity.to_owned(),
    }
}

/// The name of a content that has none.
pub(crate) fn name_of_content(content: &Digest) -> String {
    format!("sha256:{content}")
}

/// The identity keys of the compartments that are open, drawn where there is none yet.
pub(crate) struct IdentityKeys(pub(super) Vec<Held>);

/// The identity key of a compartment.
pub(super) struct Held {
    pub(super) compartment: Compartment,
    pub(super) key: IdentityKey,
    /// Whether there may be ids of it.
    pub(super) is_stored: bool,
}

impl IdentityKeys {
    pub(super) fn held(&self, compartment: Compartment) -> Option<&Held> {
        self.0.iter().find(|held| held.compartment == compartment)
    }

    /// The key of a compartment.
    pub(crate) fn of(&self, compartment: Compartment) -> Result<&IdentityKey, Error> {
        self.held(compartment).map(|held| &held.key).ok_or(Error::NeedsCompartment { compartment })
    }

    /// The keys of which there may be ids.
    pub(crate) fn in_use(&self) -> impl Iterator<Item = (Compartment, &IdentityKey)> {
        self.0.iter().filter(|held| held.is_stored).map(|held| (held.compartment, &held.key))
    }
}

impl StateReader<'_> {
    /// The identity key of a compartment, if it has one.
    pub(crate) fn identity_key(&self, compartment: Compartment) -> Result<Option<IdentityKey>, Error> {
        let Some(row) = self.row(compartment, &RowKey::named(NAME))? else { return Ok(None) };
        let stored: IdentityKeyV1 = wire::decode(&self.core.open_row(compartment, &row)?)?;
        Ok(Some(IdentityKey::from_secret(stored.key.into_secret())))
    }
}
