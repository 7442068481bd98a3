//! Making entries of the resources that are taken.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::versions::Earlier;
use crate::classify::codes::is_psychotherapy_note;
use crate::classify::compartment_of;
use crate::crypto::digest::Digest;
use crate::format::place::Compartment;
use crate::interop::fhir::claimed::Claimed;
use crate::interop::fhir::files::{self, FileRead, Neighbours, apart, is_file, kept_with, referred_to};
use crate::interop::fhir::held::{Held, HeldInput, path_of};
use crate::interop::fhir::index::{Index, Target};
use crate::interop::fhir::stored::version_of;
use crate::interop::fhir::{input, map};
use crate::interop::finding::{FindingReason, Findings};
use crate::interop::identity::{base_of, beside, is_global};
use crate::interop::imported::{Document, ImportedEntry, Piece};
use crate::interop::options::{ImportError, ImportLimits, RESOURCE_LIMIT};
use crate::record::{Entry, Kind, Token};

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
    files: usize,
}

/// What a resource became.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Made {
    Entry(usize),
    /// An earlier version of an entry: its number among them.
    Earlier(usize, usize),
    /// A file of an entry, or of an earlier version of it: its number among the files.
    File {
        entry: usize,
        version: Option<usize>,
        file: usize,
    },
}

impl Made {
    /// The entry that it is or is a part of.
    fn entry(self) -> usize {
        match self {
            Self::Entry(entry) | Self::Earlier(entry, _) | Self::File { entry, .. } => entry,
        }
    }
}

/// What was made of all resources.
pub(super) struct All {
    pub(super) entries: Vec<ImportedEntry>,
    pub(super) documents: Vec<Document>,
    pub(super) kept_raw: usize,
    pub(super) repetitions: usize,
    pub(super) earlier: usize,
    pub(super) files: usize,
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
            files: 0,
        }
    }

    /// Makes the entries, then their earlier versions, the oldest first, then what their files
    /// become.
    pub(super) fn make(
        &mut self,
        resources: &[Held],
        taken: &[bool],
        earlier: &HashMap<usize, Earlier>,
        neighbours: &Neighbours,
    ) -> Result<(), ImportError> {
        // A file of which there are several versions is an entry, which has a history.
        let mut latest: HashMap<usize, Vec<usize>> = HashMap::new();
        for (position, earlier) in earlier {
            latest.entry(earlier.latest).or_default().push(*position);
        }
        let mut waiting = Vec::new();
        for (position, (held, taken)) in resources.iter().zip(taken).enumerate() {
            let is_made = *taken && !earlier.contains_key(&position);
            if let (true, Some(claimed)) = (*taken, held.believed()) {
                let made = self.believed(held, claimed)?;
                self.places.push(Some(made));
                continue;
            }
            let is_file = is_file(held.found.resource_type.as_deref());
            waiting.extend((is_made && is_file).then_some(position));
            let waits = is_file && !latest.contains_key(&position);
            let made = if is_made && !waits { Some(self.entry(held)?) } else { None };
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
        let users = self.users(resources);
        // What an entry is, with all its files, is known before any goes with it.
        for (file, users) in &users {
            let labels = resources.get(*file).filter(|_| taken.get(*file) == Some(&true));
            let labels = labels.map(|held| held.labels.as_slice()).unwrap_or_default();
            for (made, _) in users.iter().filter(|_| !labels.is_empty()) {
                self.made_mut(*made).into_iter().for_each(|entry| files::label(entry, labels));
                self.keep_with(*made, &[]);
            }
        }
        for position in waiting {
            let Some(held) = resources.get(position) else { continue };
            let versions = latest.get(&position).into_iter().flatten().copied();
            let beside =
                versions.chain([position]).flat_map(|at| neighbours.of(at)).filter_map(|at| self.place(at));
            let beside: Vec<Made> = beside.collect();
            let users = users.get(&position).map(Vec::as_slice).unwrap_or_default();
            let index = self.index;
            let is_it =
                |held: &Held, url: &Token| index.resolve(url.as_str(), held.place()) == Target::One(position);
            let made = match self.place(position) {
                Some(made) => made,
                None => match self.file(held, users, &beside, is_it) {
                    Some(made) => made,
                    None => self.entry(held)?,
                },
            };
            self.keep_with(made, &beside);
            if let Some(place) = self.places.get_mut(position) {
                *place = Some(made);
            }
        }
        self.apply_unbelieved(resources);
        Ok(())
    }

    fn place(&self, position: usize) -> Option<Made> {
        self.places.get(position).copied().flatten()
    }

    fn made(&self, made: Made) -> Option<&Entry> {
        match made {
            Made::Entry(entry) => self.entries.get(entry).map(|entry| &entry.entry),
            Made::Earlier(entry, version) => self.entries.get(entry)?.earlier.get(version),
            Made::File { .. } => None,
        }
    }

    fn made_mut(&mut self, made: Made) -> Option<&mut Entry> {
        match made {
            Made::Entry(entry) => self.entries.get_mut(entry).map(|entry| &mut entry.entry),
            Made::Earlier(entry, version) => self.entries.get_mut(entry)?.earlier.get_mut(version),
            Made::File { .. } => None,
        }
    }

    /// What refers to each resource as its file, once.
    fn users<'r>(&self, resources: &'r [Held]) -> BTreeMap<usize, Vec<(Made, &'r Held)>> {
        let mut users: BTreeMap<usize, Vec<(Made, &Held)>> = BTreeMap::new();
        let mut seen = HashSet::new();
        for (held, made) in resources.iter().zip(&self.places) {
            let Some((made, entry)) = made.and_then(|made| Some((made, self.made(made)?))) else { continue };
            // A repetition is what it repeats.
            if seen.insert(made) && held.believed().is_none() {
                for file in referred_to(entry, held, self.index).into_keys() {
                    users.entry(file).or_default().push((made, held));
                }
            }
        }
        users
    }

    /// Keeps an entry as much apart as those beside it.
    fn keep_with(&mut self, made: Made, beside: &[Made]) {
        let own = self.made(made).map(|own| kept_with(own, beside.iter().filter_map(|at| self.made(*at))));
        if let (Made::Entry(position), Some(compartment)) = (made, own)
            && let Some(entry) = self.entries.get_mut(position)
        {
            entry.compartment = compartment;
        }
    }

    /// Makes a file a part of those that refer to it, where one can take it in.
    fn file(
        &mut self,
        held: &Held,
        users: &[(Made, &Held)],
        beside: &[Made],
        is_it: impl Fn(&Held, &Token) -> bool,
    ) -> Option<Made> {
        let identity = held.identity();
        if let Some(made) = self.repeats(held, &identity) {
            return Some(made);
        }
        let read = match users {
            [] => None,
            _ => FileRead::of(&held.found.bytes, self.limits),
        }?;
        // What is no note cannot be marked as what the label of its file says.
        let own = is_psychotherapy_note(&[], &held.labels).then_some(Compartment::PsychotherapyNotes);
        let all = beside.iter().chain(users.iter().map(|(made, _)| made));
        let most = all.filter_map(|made| self.made(*made)).map(compartment_of).chain(own);
        let most = most.map(apart).max().unwrap_or_default();
        let findings = self.findings;
        let mut first = None;
        for (made, user) in users {
            let Some(entry) = self.made_mut(*made) else { continue };
            let takes = apart(compartment_of(entry)) == most;
            let size = entry.source.as_ref().map_or(0, |source| source.size());
            if !takes || size + held.found.bytes.len() > RESOURCE_LIMIT {
                continue;
            }
            read.attach(entry, held, |url| is_it(user, url), findings);
            let file = entry.source.as_ref().map_or(0, |source| source.files.len()).saturating_sub(1);
            let (entry, version) = match *made {
                Made::Earlier(entry, version) => (entry, Some(version)),
                Made::Entry(entry) | Made::File { entry, .. } => (entry, None),
            };
            first.get_or_insert(Made::File { entry, version, file });
        }
        let made = first?;
        self.seen.insert((identity, held.digest), made);
        self.files += 1;
        Some(made)
    }

    fn repeats(&mut self, held: &Held, identity: &str) -> Option<Made> {
        let made = self.seen.get(&(identity.to_owned(), held.digest)).copied()?;
        self.findings.add(path_of(held.resource_type()).to_owned(), FindingReason::SameTwice);
        self.repetitions += 1;
        Some(made)
    }

    fn entry(&mut self, held: &Held) -> Result<Made, ImportError> {
        let mut identity = held.identity();
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
        let claimed = held.claimed();
        let key = claimed.map(|claimed| claimed.claims.key.clone());
        self.entries.push(ImportedEntry {
            // Programs copy the ids of CDA documents from examples.
            is_global: (held.prepared().is_none() && is_global(&identity)) || key.as_ref() == Some(&identity),
            key,
            disputes: Vec::new(),
            contents: claimed.map(|claimed| claimed.contents.clone()).unwrap_or_default(),
            server: held.server.clone(),
            document: held.document.clone(),
            last_updated: held.last_updated.as_deref().and_then(|text| text.parse().ok()),
            version_id: held.version_id.clone(),
            earlier: Vec::new(),
            compartment: compartment_of(&mapped.entry),
            entry: mapped.entry,
            identity,
        });
        Ok(made)
    }

    /// The entry that an export claims, as it is believed.
    fn believed(&mut self, held: &Held, claimed: &Claimed) -> Result<Made, ImportError> {
        let Some(entry) = claimed.believed(&held.found.bytes) else { return self.entry(held) };
        let identity = claimed.identity();
        let made = Made::Entry(self.entries.len());
        let claims = &claimed.claims;
        let (last_updated, version_id) =
            entry.source.as_ref().map(|source| version_of(&source.bytes)).unwrap_or_default();
        self.kept_raw += usize::from(entry.kind() == Kind::Other);
        self.entries.push(ImportedEntry {
            is_global: is_global(&identity) || identity == claims.key,
            server: base_of(&identity).map(str::to_owned),
            document: entry.provenance.document.as_ref().map(|name| name.as_str().to_owned()),
            last_updated,
            version_id,
            earlier: Vec::new(),
            compartment: claimed.compartment(&entry),
            key: Some(claims.key.clone()),
            disputes: claims.disputes.clone(),
            contents: claimed.contents.clone(),
            entry,
            identity,
        });
        Ok(made)
    }

    /// Takes of what exports claim and nobody believes what a file may say of its records.
    fn apply_unbelieved(&mut self, resources: &[Held]) {
        for (held, made) in resources.iter().zip(&self.places) {
            let (Some(claimed), Some(Made::Entry(at))) = (held.claimed(), made) else { continue };
            let Some(imported) = self.entries.get_mut(*at).filter(|_| !claimed.is_believed) else { continue };
            claimed.apply_unbelieved(&mut imported.entry, path_of(held.resource_type()), self.findings);
            let compartment = compartment_of(&imported.entry);
            if apart(compartment) > apart(imported.compartment) {
                imported.compartment = compartment;
            }
        }
    }

    fn version(&mut self, held: &Held, latest: usize) -> Result<Option<Made>, ImportError> {
        let identity = held.identity();
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
        if let Some(prepared) = held.prepared() {
            for ((path, reason), count) in &prepared.findings {
                self.findings.add_times(path.clone(), *reason, *count);
            }
            let mut entry = prepared.entry.clone();
            entry.provenance.identity = Token::new(identity).ok();
            return Ok(map::Mapped { entry, kept_raw: prepared.kept_raw });
        }
        let bytes = held.claimed().and_then(Claimed::original).unwrap_or(&held.found.bytes);
        let json = input::parse(bytes, self.limits)?;
        Ok(map::entry(&json, bytes, held, identity, (self.index, self.findings)))
    }

    /// All that was made, and the inputs of which everything was taken.
    pub(super) fn finish(mut self, inputs: Vec<HeldInput>) -> All {
        self.put_in_order();
        let place = |piece| match piece {
            Piece::Resource(position) => match self.places.get(position).copied().flatten()? {
                Made::Entry(entry) => Some(Piece::Resource(entry)),
                Made::Earlier(entry, version) => Some(Piece::Earlier { entry, version }),
                Made::File { entry, version, file } => Some(Piece::File { entry, version, file }),
            },
            Piece::Part { entry, bytes } => match self.places.get(entry).copied().flatten()? {
                Made::Entry(entry) => Some(Piece::Part { entry, bytes }),
                Made::Earlier(..) | Made::File { .. } => None,
            },
            other => Some(other),
        };
        let document = |input: HeldInput| {
            let pieces = input.pieces.into_iter().map(place).collect::<Option<Vec<_>>>()?;
            Some(Document { name: input.name, pieces, is_kept: input.is_kept })
        };
        let documents = inputs.into_iter().filter_map(document).collect();
        let Self { entries, kept_raw, repetitions, earlier, files, .. } = self;
        All { entries, documents, kept_raw, repetitions, earlier, files }
    }

    /// Puts the entries in the order of the inputs: those of files were made last.
    fn put_in_order(&mut self) {
        let mut order: Vec<usize> = Vec::with_capacity(self.entries.len());
        let mut now = vec![0; self.entries.len()];
        for made in self.places.iter().flatten() {
            if let (Made::Entry(entry), Some(at)) = (made, now.get_mut(made.entry()))
                && *at == 0
            {
                order.push(*entry);
                // From 1, so that 0 is none yet.
                *at = order.len();
            }
        }
        let at = |entry: usize| now.get(entry).copied().unwrap_or_default().saturating_sub(1);
        let mut entries: Vec<_> = std::mem::take(&mut self.entries).into_iter().enumerate().collect();
        entries.sort_by_key(|(entry, _)| at(*entry));
        self.entries = entries.into_iter().map(|(_, entry)| entry).collect();
        for made in self.places.iter_mut().flatten() {
            match made {
                Made::Entry(entry) | Made::Earlier(entry, _) | Made::File { entry, .. } => {
                    *entry = at(*entry)
                }
            }
        }
    }
}
