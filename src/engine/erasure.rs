//! What an expungement reached, and what it could not.

use super::backups::Backup;
use super::core::StateReader;
use super::facts::Action;
use super::ledger::LineState;
use crate::crypto::digest::Digest;
use crate::crypto::key::IdentityKey;
use crate::id::{EntryId, Epoch};
use crate::interop::fhir::Nameless;
use crate::record::{Card, Entry};
use crate::store::Medium;

/// What a commit has withdrawn so far.
#[derive(Default)]
pub(crate) struct Erasure {
    pub(crate) entries: Vec<EntryId>,
    pub(crate) bytes: u64,
    /// The commit of the oldest part: of a revision, or of an attachment's bytes.
    pub(crate) since: Option<Epoch>,
}

/// How far an erasure reaches in one respect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "coverage", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Coverage {
    /// The bytes were overwritten and every key to older copies of them in the
    /// file is gone.
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

/// The keyed digest by which what was imported and expunged is known again, under
/// whatever name it comes and however it is written: of what its source says, what it is
/// about and when. Names of others count where nothing else says what it is about, and
/// where they are addresses of files.
pub(crate) fn expunged_content(key: &IdentityKey, entry: &Entry) -> Option<String> {
    let source = &entry.source.as_ref()?.bytes;
    let said = Nameless::of(source);
    let content = said.as_ref().map_or_else(|| Digest::of(&[source]), |said| said.content);
    let card = Card::of(entry);
    let code = card.code_words();
    let names = said.map(|said| said.references).unwrap_or_default();
    let is_about = |name: &String| {
        code.is_empty() || card.flags.attachment || card.flags.elsewhere || name.contains("://")
    };
    let names = names.iter().filter(|name| is_about(name)).map(String::as_str);
    let start = card.dates.start().map_or("", |date| date.as_str());
    let content = content.to_string();
    let parts: Vec<String> = [content.as_str(), &code, start]
        .into_iter()
        .chain(names)
        .map(|part| format!("{}:{part}", part.len()))
        .collect();
    let name = format!("expunged\0{}", Digest::of(&[parts.concat().as_bytes()]));
    Some(EntryId::from_bytes(key.derive_id(name.as_bytes())).to_string())
}

impl StateReader<'_> {
    /// The report of an erasure that is about to be committed.
    pub(crate) fn erasure_report(&self, erasure: Erasure) -> ErasureReport {
        let (vault, medium) = Coverage::on(&self.core.store.medium());
        let Traces { released_in, backups, unreadable } = self.traces(&erasure);
        ErasureReport {
            entries: erasure.entries,
            bytes: erasure.bytes,
            vault,
            medium,
            copies: Coverage::NotCovered { because: COPIES },
            released_in,
            backups,
            unreadable,
        }
    }

    /// What the ledger tells of copies of the entries: damage elsewhere must not
    /// keep anybody from expunging.
    fn traces(&self, erasure: &Erasure) -> Traces {
        let mut told = self.core.told();
        let mut traces = Traces::default();
        let since = erasure.since.unwrap_or(Epoch::new(0));
        let now = self.snapshot.root.epoch;
        let known = told.telling.iter().copied().filter(|epoch| *epoch <= now);
        let unread = (told.upto + 1..=now.number()).map(Epoch::new);
        let mut telling = Vec::new();
        for epoch in known.chain(unread) {
            let Ok(lines) = self.ledger_lines(epoch) else {
                telling.push(epoch);
                traces.unreadable.push(epoch);
                if traces.unreadable.len() == UNREADABLE_LIMIT {
                    // The epoch is a claim of the root: the walk must end.
                    return traces;
                }
                continue;
            };
            if lines.iter().any(|line| hands_out(&line.state, &erasure.entries)) {
                traces.released_in.push(epoch);
            }
            if lines.iter().any(|line| tells_of_copies(&line.state)) {
                telling.push(epoch);
            }
            let backups = lines.iter().filter_map(|line| Backup::of(epoch, line.time, &line.state));
            traces.backups.extend(backups.filter(|backup| backup.checkpoint.epoch() >= since));
        }
        if now.number() >= told.upto {
            told.upto = now.number();
            told.telling = telling;
        }
        traces
    }
}

/// What the ledger tells of copies.
#[derive(Default)]
struct Traces {
    released_in: Vec<Epoch>,
    backups: Vec<Backup>,
    unreadable: Vec<Epoch>,
}

fn tells_of_copies(state: &LineState) -> bool {
    matches!(state, LineState::Whole { action: Action::Released | Action::Exported | Action::BackedUp, .. })
}

fn hands_out(state: &LineState, entries: &[EntryId]) -> bool {
    matches!(state, LineState::Whole { action: Action::Released | Action::Exported, subjects, .. }
        if subjects.iter().any(|subject| entries.contains(subject)))
}
