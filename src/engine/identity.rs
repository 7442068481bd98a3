//! Identity keys: each compartment has its own, which turns a source's name of a record into
//! an entry's id. So whoever does not open a compartment cannot test a name against it.

use super::core::StateReader;
use super::transaction::Transaction;
use crate::codec::wire;
use crate::crypto::key::IdentityKey;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::payload::custody::IdentityKeyV1;
use crate::payload::secret::SecretV1;
use crate::tree::{RowClass, RowKey};

/// What a compartment's identity key is stored under.
const NAME: &str = "identity key";

/// The identity keys of the compartments that are open, drawn where there is none yet.
pub(crate) struct IdentityKeys(Vec<Held>);

struct Held {
    compartment: Compartment,
    key: IdentityKey,
    /// Whether there may be ids of it.
    is_stored: bool,
}

impl IdentityKeys {
    fn held(&self, compartment: Compartment) -> Option<&Held> {
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

impl Transaction<'_> {
    /// The identity keys of the compartments that are open.
    pub(crate) fn identity_keys(&mut self) -> Result<IdentityKeys, Error> {
        let mut keys = Vec::new();
        let is_open = |compartment: &Compartment| self.snapshot.place(*compartment).is_ok();
        let open: Vec<_> = Compartment::HOLDING_ENTRIES.into_iter().filter(is_open).collect();
        for compartment in open {
            let stored = self.reader().identity_key(compartment)?;
            let is_stored = stored.is_some();
            let key = match stored {
                Some(key) => key,
                None => IdentityKey::from_secret(self.work.random.secret()?),
            };
            keys.push(Held { compartment, key, is_stored });
        }
        Ok(IdentityKeys(keys))
    }

    /// Keeps the key of a compartment in which something gets an id of it.
    pub(crate) fn keep_identity_key(
        &mut self,
        keys: &IdentityKeys,
        compartment: Compartment,
    ) -> Result<(), Error> {
        let Some(held) = keys.held(compartment).filter(|held| !held.is_stored) else { return Ok(()) };
        if self.is_changed(compartment, &RowKey::named(NAME)) {
            return Ok(());
        }
        let content = wire::encode(&IdentityKeyV1 { key: SecretV1::of(held.key.secret()) })?;
        self.put_named(compartment, NAME, RowClass::IdentityKey, &content)
    }
}
