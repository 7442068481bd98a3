//! Identity keys in a commit: drawn where a compartment has none, kept where something is named
//! under one; and what an entry is called in another compartment.

use std::collections::{BTreeMap, BTreeSet};

use super::departing::Departing;
use super::identity::{Held, IdentityKeys, NAME, id_beside, id_of, id_of_kind, name_of, name_of_content};
use super::imports::document_of;
use super::list::card_of;
use super::transaction::Transaction;
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::crypto::key::IdentityKey;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::EntryId;
use crate::payload::custody::IdentityKeyV1;
use crate::payload::secret::SecretV1;
use crate::record::Kind;
use crate::tree::{RowClass, RowKey};

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

    /// The id of an entry in the compartment that it goes to, of the name that an import gave
    /// it; none where no name made the one that it has.
    pub(super) fn named_id(
        &self,
        keys: &IdentityKeys,
        departing: &Departing,
        to: Compartment,
        planned: &BTreeMap<EntryId, Kind>,
    ) -> Result<Option<EntryId>, Error> {
        let named = keys.in_use().find(|(compartment, _)| *compartment == departing.from);
        let Some((_, key)) = named else { return Ok(None) };
        let Some(name) = self.name_under(key, departing)? else { return Ok(None) };
        let (key, id, kind) = (keys.of(to)?, departing.id, departing.kind());
        let first = id_of(key, &name.name);
        let beside = name.beside.map(|content| id_beside(key, first, &content));
        for new in [first, id_of_kind(key, &name.name, kind)].into_iter().chain(beside) {
            match self.kind_of(to, new, planned)? {
                None => return Ok(Some(new)),
                // Another record of the same name, beside which this one is.
                Some(other) if other != kind || beside.is_some_and(|beside| beside != new) => {}
                Some(_) => return Err(Error::SameRecord { id, there: new }),
            }
        }
        Ok(None)
    }

    /// The kind of what has an id in a compartment, or is about to.
    fn kind_of(
        &self,
        compartment: Compartment,
        id: EntryId,
        planned: &BTreeMap<EntryId, Kind>,
    ) -> Result<Option<Kind>, Error> {
        if let Some(kind) = planned.get(&id) {
            return Ok(Some(*kind));
        }
        let row = self.row(compartment, &RowKey::entry(id))?;
        row.map(|row| Ok(card_of(&row)?.kind)).transpose()
    }

    /// The name that makes an entry's id under the key of its compartment, if one does.
    fn name_under(&self, key: &IdentityKey, departing: &Departing) -> Result<Option<Name>, Error> {
        let Departing { from, id, revisions, .. } = departing;
        let mut scopes = BTreeSet::new();
        for (row, entry) in revisions {
            let document = document_of(entry).map(str::to_owned);
            let import = self.import_left(*from, row.epoch)?;
            scopes.extend(import.and_then(|import| import.scope_of(&document)));
        }
        let contents: BTreeSet<Digest> = revisions
            .iter()
            .filter_map(|(_, entry)| Some(Digest::of(&[&entry.source.as_ref()?.bytes])))
            .collect();
        let kinds: BTreeSet<Kind> = revisions.iter().map(|(_, entry)| entry.kind()).collect();
        let identities = revisions.iter().filter_map(|(_, entry)| entry.provenance.identity.as_ref());
        let mut names: BTreeSet<String> = contents.iter().map(name_of_content).collect();
        for identity in identities {
            let within = scopes.iter().copied().map(Some).chain([None]);
            names.extend(within.map(|scope| name_of(scope, identity.as_str())));
        }
        for name in names {
            let first = id_of(key, &name);
            if first == *id || kinds.iter().any(|kind| id_of_kind(key, &name, *kind) == *id) {
                return Ok(Some(Name { name, beside: None }));
            }
            let beside = contents.iter().copied().find(|content| id_beside(key, first, content) == *id);
            if beside.is_some() {
                return Ok(Some(Name { name, beside }));
            }
        }
        Ok(None)
    }
}

/// What an import calls an entry.
struct Name {
    name: String,
    /// The digest of its content, where others had the name before.
    beside: Option<Digest>,
}
