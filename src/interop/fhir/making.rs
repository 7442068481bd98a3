//! Making entries of the resources that are taken.

use std::collections::{HashMap, HashSet};

use super::found::identity_of;
use super::held::{Held, HeldInput, path_of};
use super::index::Index;
use super::versions::Earlier;
use super::{input, map};
use crate::crypto::digest::Digest;
use crate::interop::finding::{FindingReason, Findings};
use crate::interop::identity::{beside, is_global};
use crate::interop::imported::{Document, ImportedEntry, Piece};
use crate::interop::options::{ImportError, ImportLimits};

/// Entries being made.
pub(super) struct Making<'a> {
    limits: ImportLimits,
    index: &'a Index,
    findings: &'a Findings,
    entries: Vec<ImportedEntry>,
    /// Where each content of each identity went.
    seen: HashMap<(String, Digest), Made>,
    identities: HashSet<String>,
    places: Vec<Option<Made>>,
    kept_raw: usize,
    repetitions: usize,
    earlier: usize,
}

/// What a resource became.
#[derive(Clone, Copy)]
enum Made {
    Entry(usize),
    /// An earlier version of an entry: its number among them.
    Earlier(usize, usize),
}

/// What was made of all resources.
pub(super) struct All {
    pub(super) entries: Vec<ImportedEntry>,
    pub(super) documents: Vec<Document>,
    pub(super) kept_raw: usize,
    pub(super) repetitions: usize,
    pub(super) earlier: usize,
}

impl<'a> Making<'a> {
    pub(super) fn new(limits: ImportLimits, index: &'a Index, findings: &'a Findings) -> Self {
        Self {
            limits,
            index,
            findings,
            entries: Vec::new(),
            seen: HashMap::new(),
            identities: HashSet::new(),
            places: Vec::new(),
            kept_raw: 0,
            repetitions: 0,
            earlier: 0,
        }
    }

    /// Makes the entries, then their earlier versions, the oldest first.
    pub(super) fn make(
        &mut self,
        resources: &[Held],
        taken: &[bool],
        earlier: &HashMap<usize, Earlier>,
    ) -> Result<(), ImportError> {
        for (position, (held, taken)) in resources.iter().zip(taken).enumerate() {
            let is_made = *taken && !earlier.contains_key(&position);
            let made = if is_made { Some(self.entry(held)?) } else { None };
            self.places.push(made);
        }
        let mut older: Vec<_> = earlier.iter().collect();
        older.sort_unstable_by_key(|(position, earlier)| (earlier.latest, earlier.order, **position));
        for (&position, earlier) in older {
            if let Some(held) = resources.get(position) {
                let made = self.version(held, earlier.latest)?;
                if let Some(place) = self.places.get_mut(position) {
                    *place = made;
                }
            }
        }
        Ok(())
    }

    fn repeats(&mut self, held: &Held, identity: &str) -> Option<Made> {
        let made = self.seen.get(&(identity.to_owned(), held.digest)).copied()?;
        self.findings.add(path_of(held.resource_type()).to_owned(), FindingReason::SameTwice);
        self.repetitions += 1;
        Some(made)
    }

    fn entry(&mut self, held: &Held) -> Result<Made, ImportError> {
        let mut identity = identity_of(&held.found);
        if let Some(made) = self.repeats(held, &identity) {
            return Ok(made);
        }
        let made = Made::Entry(self.entries.len());
        self.seen.insert((identity.clone(), held.digest), made);
        if !self.identities.insert(identity.clone()) {
            self.findings.add(path_of(held.resource_type()).to_owned(), FindingReason::SameIdentity);
            identity = beside(&identity, &held.digest);
            self.identities.insert(identity.clone());
        }
        let mapped = self.map(held, &identity)?;
        self.kept_raw += usize::from(mapped.kept_raw);
        self.entries.push(ImportedEntry {
            is_global: is_global(&identity),
            server: held.server.clone(),
            document: held.document.clone(),
            last_updated: held.last_updated.as_deref().and_then(|text| text.parse().ok()),
            version_id: held.version_id.clone(),
            earlier: Vec::new(),
            entry: mapped.entry,
            identity,
        });
        Ok(made)
    }

    fn version(&mut self, held: &Held, latest: usize) -> Result<Option<Made>, ImportError> {
        let identity = identity_of(&held.found);
        if let Some(made) = self.repeats(held, &identity) {
            return Ok(Some(made));
        }
        let Some(Some(Made::Entry(latest))) = self.places.get(latest).copied() else { return Ok(None) };
        let Some(name) = self.entries.get(latest).map(|entry| entry.identity.clone()) else {
            return Ok(None);
        };
        let mapped = self.map(held, &name)?;
        let Some(entry) = self.entries.get_mut(latest) else { return Ok(None) };
        let made = Made::Earlier(latest, entry.earlier.len());
        entry.earlier.push(mapped.entry);
        self.seen.insert((identity, held.digest), made);
        self.earlier += 1;
        Ok(Some(made))
    }

    fn map(&self, held: &Held, identity: &str) -> Result<map::Mapped, ImportError> {
        let json = input::parse(&held.found.bytes, self.limits)?;
        Ok(map::entry(&json, held, identity, self.index, self.findings))
    }

    /// All that was made, and the inputs of which everything was taken.
    pub(super) fn finish(self, inputs: Vec<HeldInput>) -> All {
        let place = |piece| match piece {
            Piece::Resource(position) => match self.places.get(position).copied().flatten()? {
                Made::Entry(entry) => Some(Piece::Resource(entry)),
                Made::Earlier(entry, version) => Some(Piece::Earlier { entry, version }),
            },
            other => Some(other),
        };
        let document = |input: HeldInput| {
            let pieces = input.pieces.into_iter().map(place).collect::<Option<Vec<_>>>()?;
            Some(Document { name: input.name, pieces })
        };
        let documents = inputs.into_iter().filter_map(document).collect();
        let Self { entries, kept_raw, repetitions, earlier, .. } = self;
        All { entries, documents, kept_raw, repetitions, earlier }
    }
}
