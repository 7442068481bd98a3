//! What an input says that its source deleted, looked up in the vault.
//!
//! Each name costs one keyed digest for each scope that may have it, and there is a most of
//! those for one import: input chooses how much it says was deleted.

use std::collections::{BTreeSet, HashMap};

use super::judge::Judge;
use super::memory::ScopeId;
use super::names::name_of;
use super::remembered::kept;
use crate::error::Error;
use crate::id::EntryId;
use crate::interop::identity::is_global;
use crate::interop::imported::Imported;

/// Most names that are looked up in one import.
const MOST_NAMES: usize = 1_000_000;

/// What of it is in the vault.
#[derive(Default)]
pub(super) struct Deleted {
    /// The entries, but for those that are retracted already.
    pub(super) entries: Vec<EntryId>,
    /// How many deletions were not looked up.
    pub(super) beyond: usize,
}

impl Judge<'_, '_> {
    pub(super) fn deleted(&self, imported: &Imported) -> Result<Deleted, Error> {
        self.deleted_within(imported, MOST_NAMES)
    }

    fn deleted_within(&self, imported: &Imported, most: usize) -> Result<Deleted, Error> {
        let mut deleted = Deleted::default();
        let mut scopes: HashMap<Option<&str>, Vec<ScopeId>> = HashMap::new();
        let (mut seen, mut known) = (BTreeSet::new(), BTreeSet::new());
        let all: BTreeSet<ScopeId> = self.memory.scopes.iter().map(|scope| scope.id).collect();
        let mut tried = 0;
        for resource in &imported.deleted {
            let document = resource.document.as_deref();
            if !seen.insert((document, resource.identity.as_str())) {
                continue;
            }
            let of_document = scopes.entry(document).or_insert_with(|| {
                self.memory.scopes_of(kept(document).as_deref()).map(|scope| scope.id).collect()
            });
            // An address of a network of its own is known by it in other documents too: the input
            // says what was deleted there, and nothing is changed by it.
            let is_of_network = resource.identity.contains("://") && !is_global(&resource.identity);
            let others = all.iter().filter(|scope| is_of_network && !of_document.contains(scope));
            let others: Vec<ScopeId> = others.copied().collect();
            tried += of_document.len() + others.len() + 1;
            if tried > most {
                deleted.beyond += 1;
                continue;
            }
            let everywhere = is_global(&resource.identity).then_some(None);
            for scope in of_document.iter().chain(&others).map(|scope| Some(*scope)).chain(everywhere) {
                known.extend(self.with_name(&name_of(scope, &resource.identity))?);
            }
        }
        for id in known {
            if self.tx.current(id)?.is_some_and(|(_, entry)| !entry.marks.retracted) {
                deleted.entries.push(id);
            }
        }
        Ok(deleted)
    }

    /// The entries that have this name. One of another kind has it only where something had
    /// it before.
    fn with_name(&self, name: &str) -> Result<Vec<EntryId>, Error> {
        let mut known = Vec::new();
        for (compartment, first) in self.names.first_of(name) {
            if self.vaulted.has(first) {
                let others = self.names.of_other_kinds(compartment, name)?.into_iter();
                known.extend(others.chain([first]).filter(|id| self.vaulted.has(*id)));
            }
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::Names;
    use super::super::remembered::Remembered;
    use super::*;
    use crate::*;

    /// A history bundle that deletes this many resources of which the vault has none.
    fn history(deletions: usize) -> Imported {
        let entry = |n: usize| format!(r#"{{"request":{{"method":"DELETE","url":"Condition/d{n}"}}}}"#);
        let mut entries: Vec<String> = (0..deletions).map(entry).collect();
        entries.push(
            r#"{"resource":{"resourceType":"Patient","id":"p","name":[{"text":"Ada Example"}]}}"#.to_owned(),
        );
        let bundle = format!(
            r#"{{"resourceType":"Bundle","id":"h","type":"history","entry":[{}]}}"#,
            entries.join(",")
        );
        let mut import = Import::new(ImportOptions::default());
        import.read(Some("h.json"), bundle.as_bytes()).unwrap();
        import.finish().unwrap()
    }

    /// Names derived for the deletions alone, how many entries were found, how many not
    /// looked up.
    fn cost(vault: &Vault, deletions: usize, most: usize) -> (usize, usize, usize) {
        let imported = history(deletions);
        assert_eq!(imported.deleted.len(), deletions);
        let mut cost = (0, 0, 0);
        let _ = vault.update(&Actor::owner(), |tx| {
            let keys = tx.identity_keys()?;
            let before = Remembered::of(tx, &imported)?;
            let decisions = ImportDecisions::default();
            let judge = Judge::new(tx, Names(&keys), &before, &decisions, true)?;
            let before = crate::testing::derived_ids();
            let deleted = judge.deleted_within(&imported, most)?;
            cost = (crate::testing::derived_ids() - before, deleted.entries.len(), deleted.beyond);
            Ok(())
        });
        cost
    }

    #[test]
    fn a_deletion_costs_one_name_for_each_scope_and_there_is_a_most() {
        let key = Credential::from(RawKey::from_bytes(&[1; 32]));
        let new = NewVault::individual(&key);
        let vault = Vault::create_in_memory(&new, VaultOptions::default()).unwrap();
        assert_eq!(cost(&vault, 500, MOST_NAMES), (0, 0, 0), "a document that nobody knows has no names");
        vault.import(&Actor::owner(), &history(0)).unwrap();
        let (names, found, beyond) = cost(&vault, 500, MOST_NAMES);
        assert_eq!((found, beyond), (0, 0));
        assert_eq!(names, 500, "one for each");
        let (names, _, beyond) = cost(&vault, 500, 100);
        assert_eq!((names, beyond), (50, 450), "a deletion has two names to try: here and everywhere");
    }
}
