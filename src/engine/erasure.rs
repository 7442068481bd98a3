//! What an expungement reached, and what it could not.

use std::collections::{BTreeMap, BTreeSet};

use super::accounting::{Accounting, HandedOut, SettledAccount};
use super::backups::Backup;
use super::core::StateReader;
use super::facts::Action;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::interop::identity::base_of;
use crate::record::{Entry, Provenance};
use crate::store::Medium;
use crate::tree::RowClass;

/// What a commit has withdrawn so far.
#[derive(Default)]
pub(crate) struct Erasure {
    pub(crate) entries: Vec<EntryId>,
    pub(crate) bytes: u64,
    /// The commit of the oldest part: of a revision, or of an attachment's bytes.
    pub(crate) since: Option<Epoch>,
    /// Where entries were that are destroyed, and since when.
    pub(crate) spans: Vec<(Compartment, Epoch)>,
    /// The releases that held them.
    pub(crate) handed_out: BTreeMap<Epoch, HandedOut>,
    /// Where stories could not be read that may have named releases, and since when.
    pub(crate) untold: Vec<(Compartment, Epoch)>,
    /// What became of the accounts of these releases.
    pub(crate) accounts: Vec<SettledAccount>,
    /// The commits that wrote what is destroyed.
    pub(crate) epochs: BTreeSet<Epoch>,
    /// What would bring it back.
    pub(crate) sources: BTreeSet<ErasedSource>,
    /// Whether each of the entries that something would bring back is to stay away.
    pub(crate) stay_away: Vec<bool>,
    pub(crate) has_reason: bool,
    /// How many source documents went with the entries.
    pub(crate) documents: u64,
}

impl Erasure {
    /// Notes an entry that is destroyed, and whether there is a tombstone of it.
    pub(crate) fn note(
        &mut self,
        id: EntryId,
        epochs: BTreeSet<Epoch>,
        sources: BTreeSet<ErasedSource>,
        stays_away: bool,
    ) {
        self.entries.push(id);
        self.epochs.extend(epochs);
        if !sources.is_empty() {
            self.stay_away.push(stays_away);
        }
        self.sources.extend(sources);
    }

    fn stays_away(&self) -> bool {
        !self.stay_away.is_empty() && self.stay_away.iter().all(|stays_away| *stays_away)
    }

    /// What is left of it, these releases among it.
    fn remains(&self, releases: Vec<Epoch>) -> Vec<Remains> {
        let commits = self.epochs.iter().copied().collect();
        let mut remains = vec![Remains::CommitTimes { commits }, Remains::PaddedSizes];
        remains.extend((!releases.is_empty()).then_some(Remains::Accounting { releases }));
        remains.extend(self.has_reason.then_some(Remains::Reason));
        remains.extend(self.stay_away.contains(&true).then_some(Remains::Tombstone));
        remains
    }
}

/// How far an erasure reaches in one respect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "coverage", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Coverage {
    /// The bytes were overwritten and every key to older copies of them in the
    /// file is gone. Nothing is said of other entries that tell of the same.
    Proven,
    /// The system was asked to overwrite the bytes. What its medium keeps is not known.
    BestEffort {
        /// Why it is not certain.
        because: &'static str,
    },
    /// Not reached.
    NotCovered {
        /// What to do about it.
        because: &'static str,
    },
    /// It depends on the store's operator.
    OperatorDependent,
}

/// What an expungement reached, and what it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ErasureReport {
    /// The entries that were destroyed.
    pub entries: Vec<EntryId>,
    /// Stored bytes of content that were overwritten.
    pub bytes: u64,
    /// The vault itself, free space included.
    pub vault: Coverage,
    /// The medium beneath it.
    pub medium: Coverage,
    /// Copies and backups of the file, and the files that were imported.
    pub copies: Coverage,
    /// Commits that released or exported one of the entries: excerpts and files
    /// that still contain it.
    pub released_in: Vec<Epoch>,
    /// The same with what the vault knew of them: it is here, and no longer in the vault once
    /// nothing of a release is left.
    pub handed_out: Vec<HandedOut>,
    /// What would bring the entries back, if it is imported again: delete it, or keep it away
    /// with [`Expungement::staying_away`](crate::vault::Expungement::staying_away). It is here,
    /// and no longer in the vault.
    pub sources: Vec<ErasedSource>,
    /// Whether imports by whoever opens `sealed` leave out all that these sources would bring
    /// back. Nobody else's do.
    pub stays_away: bool,
    /// All that the vault still holds of what was erased. It names none of it.
    pub remains: Vec<Remains>,
    /// How many documents, kept as they came, went along: with the first of the entries that
    /// were made of one, it goes. The other entries keep their own parts of it.
    pub documents: u64,
    /// The releases of which nothing is left, and what became of their accounting.
    pub accounts: Vec<SettledAccount>,
    /// Backups that were made while one of the entries was in the vault: each
    /// still holds it.
    pub backups: Vec<Backup>,
    /// Commits whose ledger lines are damaged. They may have released one of the entries. At
    /// most the first 65,536.
    pub unreadable: Vec<Epoch>,
}

/// Most commits without readable lines that a report names.
const UNREADABLE_LIMIT: usize = 1 << 16;
const COPIES: &str = "older copies and backups of the vault file, snapshots and cloud versions still hold the \
    entry for whoever has a password: delete them. The files that it was imported from are not touched";
const OVERWRITTEN: &str =
    "overwritten in place; a solid-state drive may keep old blocks until it reuses them";
const UNKNOWN: &str = "overwritten, but it is not known whether this file system does that in place, and a \
    solid-state drive may keep old blocks until it reuses them";
const NOT_IN_PLACE: &str = "this file system does not overwrite in place: old blocks and snapshots may remain \
    until it reuses or removes them";

impl Coverage {
    /// Of the vault itself and of the medium beneath it.
    pub(crate) fn on(medium: &Medium) -> (Self, Self) {
        let best_effort = |because| (Self::Proven, Self::BestEffort { because });
        match medium {
            Medium::InPlace { .. } => best_effort(OVERWRITTEN),
            Medium::Unknown => best_effort(UNKNOWN),
            Medium::CopyOnWrite { .. } => best_effort(NOT_IN_PLACE),
            Medium::Memory => (Self::Proven, Self::Proven),
            Medium::OperatorDependent => (Self::OperatorDependent, Self::OperatorDependent),
        }
    }
}

/// Where an erased entry came from: whoever imports that again brings the entry back.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ErasedSource {
    /// The document: a bundle's id, or the name of a file.
    pub document: Option<String>,
    /// The base of the server that its address names.
    pub server: Option<String>,
}

crate::secret::redacted_debug!(ErasedSource);

impl ErasedSource {
    /// Of what a source brought; none of what was entered here.
    pub(crate) fn of(entry: &Entry) -> Option<Self> {
        let Provenance { document, identity, address, origin, .. } = &entry.provenance;
        let named = [identity, address].into_iter().flatten();
        let server = named.filter_map(|name| base_of(name.as_str())).map(str::to_owned).next();
        let document = document.as_ref().map(|document| document.as_str().to_owned());
        (entry.source.is_some() || origin.is_imported()).then_some(Self { document, server })
    }

    pub(crate) fn document(name: Option<String>) -> Self {
        Self { document: name, server: None }
    }
}

/// What is left in the vault of what was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "remains", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Remains {
    /// That commits were made, and when. They do not say what of.
    CommitTimes {
        /// Those that wrote a revision of it.
        commits: Vec<Epoch>,
    },
    /// How long those commits are in the file, in size classes; a compaction takes that away.
    PaddedSizes,
    /// To whom releases went and for what.
    Accounting {
        /// The releases.
        releases: Vec<Epoch>,
    },
    /// The reason that was given, in `custody`.
    Reason,
    /// Digests by which it is known again, in `sealed`.
    Tombstone,
}

impl StateReader<'_> {
    /// The report of an erasure that is about to be committed.
    pub(crate) fn erasure_report(&self, erasure: Erasure) -> ErasureReport {
        let (vault, medium) = Coverage::on(&self.core.store.medium());
        let Traces { handed_out, backups, unreadable } = self.traces(&erasure);
        let is_gone = |epoch: &Epoch| {
            let is_destroyed =
                |it: &SettledAccount| it.epoch == *epoch && it.accounting == Accounting::Destroy;
            erasure.accounts.iter().any(is_destroyed)
        };
        let released = handed_out.values().filter(|copy| copy.action == Action::Released);
        let released = released.map(|copy| copy.epoch).filter(|epoch| !is_gone(epoch)).collect();
        let remains = erasure.remains(released);
        let stays_away = erasure.stays_away();
        ErasureReport {
            entries: erasure.entries,
            bytes: erasure.bytes,
            vault,
            medium,
            copies: Coverage::NotCovered { because: COPIES },
            released_in: handed_out.keys().copied().collect(),
            handed_out: handed_out.into_values().collect(),
            sources: erasure.sources.into_iter().collect(),
            stays_away,
            documents: erasure.documents,
            remains,
            accounts: erasure.accounts,
            backups,
            unreadable,
        }
    }

    /// What the history tells of copies of the entries: damage elsewhere must not
    /// keep anybody from expunging.
    fn traces(&self, erasure: &Erasure) -> Traces {
        let mut told = self.core.told();
        let mut traces = Traces { handed_out: erasure.handed_out.clone(), ..Traces::default() };
        // What was moved may have been handed out where it was before.
        let anywhere =
            erasure.untold.iter().filter(|(compartment, since)| self.may_have_come(*compartment, *since));
        let anywhere = anywhere.map(|(_, since)| *since).min();
        let now = self.snapshot.root.epoch;
        // Where a story could not be read, any release may have held its entry.
        let known: Vec<Epoch> = match erasure.untold.is_empty() {
            true => told.telling.iter().copied().filter(|epoch| *epoch <= now).collect(),
            false => (1..=told.upto.min(now.number())).map(Epoch::new).collect(),
        };
        let unread = (told.upto + 1..=now.number()).map(Epoch::new);
        let mut telling = Vec::new();
        for epoch in known.into_iter().chain(unread) {
            match self.trace(epoch, erasure, anywhere, &mut traces) {
                Ok(false) => {}
                Ok(true) => telling.push(epoch),
                Err(_) => {
                    telling.push(epoch);
                    traces.unreadable.push(epoch);
                    if traces.unreadable.len() == UNREADABLE_LIMIT {
                        // The epoch is a claim of the root: the walk must end.
                        return traces;
                    }
                }
            }
        }
        if now.number() >= told.upto {
            told.upto = now.number();
            told.telling = telling;
        }
        traces
    }

    /// Whether an entry of this compartment whose story cannot be read may have been moved to it.
    fn may_have_come(&self, compartment: Compartment, since: Epoch) -> bool {
        let mut commits = Vec::new();
        let scanned = self.trie(compartment).and_then(|trie| {
            Ok(trie.scan(&mut |row| {
                commits.extend((row.class == RowClass::Ledger && row.epoch > since).then_some(row.epoch));
                Ok(())
            })?)
        });
        let may_tell = |epoch: &Epoch| {
            self.actions_in(compartment, *epoch).map_or(true, |actions| actions.contains(&Action::Moved))
        };
        scanned.is_err() || commits.iter().any(may_tell)
    }

    /// What one commit tells of copies; whether it tells of any. After `anywhere`, any release
    /// and any export may have held one of the entries.
    fn trace(
        &self,
        epoch: Epoch,
        erasure: &Erasure,
        anywhere: Option<Epoch>,
        traces: &mut Traces,
    ) -> Result<bool, Error> {
        let link = self.link(epoch)?.ok_or(Error::Damaged { what: "history" })?;
        let done_in =
            |place: &Compartment, action| Ok::<_, Error>(self.actions_in(*place, epoch)?.contains(&action));
        let action = Action::from_number(link.action);
        let hands_out = matches!(action, Action::Released | Action::Exported);
        let mut is_doubtful = hands_out && anywhere.is_some_and(|since| since < epoch);
        match action {
            Action::Exported => {
                for (compartment, first) in &earliest(&erasure.spans) {
                    if *first < epoch && done_in(compartment, Action::Exported)? {
                        let handed_out = || HandedOut::new(epoch, link.time, Action::Exported);
                        traces.handed_out.entry(epoch).or_insert_with(handed_out);
                    }
                }
            }
            Action::BackedUp => {
                let since = erasure.since.unwrap_or(Epoch::new(0));
                let lines = self.ledger_lines(epoch)?;
                let backups = lines.iter().filter_map(Backup::of);
                traces.backups.extend(backups.filter(|backup| backup.checkpoint.epoch() >= since));
            }
            _ => {
                for (compartment, first) in &earliest(&erasure.untold) {
                    is_doubtful |= *first < epoch && done_in(compartment, Action::Released)?;
                }
            }
        }
        if is_doubtful && !traces.handed_out.contains_key(&epoch) {
            traces.unreadable.push(epoch);
        }
        Ok(matches!(action, Action::Exported | Action::BackedUp))
    }
}

/// The earliest of each compartment: what was after one of them was after that.
fn earliest(spans: &[(Compartment, Epoch)]) -> BTreeMap<Compartment, Epoch> {
    let mut earliest = BTreeMap::new();
    for (compartment, first) in spans {
        let known = earliest.entry(*compartment).or_insert(*first);
        *known = (*known).min(*first);
    }
    earliest
}

/// What the history tells of copies.
#[derive(Default)]
struct Traces {
    handed_out: BTreeMap<Epoch, HandedOut>,
    backups: Vec<Backup>,
    unreadable: Vec<Epoch>,
}
