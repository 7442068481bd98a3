//! Stories: what happened to an entry beyond its revisions, in a row beside it that goes where
//! the entry goes, and with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::accounting::Account;
use super::concerned::LedgerEntries;
use super::core::StateReader;
use super::facts::{Action, Detail};
use super::ledger::LedgerLine;
use super::time::from_milliseconds;
use crate::codec::wire;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::payload::story::{ActV1, StoryV1};
use crate::tree::{Row, RowClass, RowKey};

/// Why an entry that changed in its source has a new revision.
const CHANGED: &str = "changed in its source";

impl StateReader<'_> {
    /// The story in a row. One that tells of commits that there are not, or of a release that
    /// made a revision, is damaged: no part of it is believed.
    pub(crate) fn story_in(&self, compartment: Compartment, row: &Row) -> Result<StoryV1, Error> {
        let story: StoryV1 = wire::decode(&self.core.open_row(compartment, row)?)?;
        let past = Epoch::new(1)..=self.snapshot.root.epoch;
        let may_be =
            |act: &ActV1| past.contains(&Epoch::new(act.epoch)) && (act.revision == 0 || !act.is_release());
        match story.acts.iter().all(may_be) {
            true => Ok(story),
            false => Err(Error::Damaged { what: "story" }),
        }
    }

    /// The story of an entry; one without acts where there is none.
    pub(crate) fn story(&self, compartment: Compartment, id: EntryId) -> Result<StoryV1, Error> {
        let row = self.row(compartment, &RowKey::story(id))?.filter(|row| row.class == RowClass::Story);
        row.map_or_else(|| Ok(StoryV1::default()), |row| self.story_in(compartment, &row))
    }
}

impl StoryV1 {
    /// What made a revision, and why, if the story tells.
    pub(super) fn of_revision(&self, revision: u64) -> Option<&ActV1> {
        self.acts.iter().find(|act| act.revision == revision)
    }

    fn epochs_of(&self, action: Action) -> impl DoubleEndedIterator<Item = Epoch> {
        let is_of = move |act: &&ActV1| Action::from_number(act.action) == action;
        self.acts.iter().filter(is_of).map(|act| Epoch::new(act.epoch))
    }

    /// The commits that released the entry.
    pub(crate) fn releases(&self) -> impl Iterator<Item = Epoch> {
        self.epochs_of(Action::Released)
    }

    /// The commits that exported the entry before it came to its compartment.
    pub(crate) fn exports(&self) -> impl Iterator<Item = Epoch> {
        self.epochs_of(Action::Exported)
    }

    /// The commits that moved the entry.
    pub(crate) fn moves(&self) -> impl Iterator<Item = Epoch> {
        self.epochs_of(Action::Moved)
    }

    /// The commit that moved the entry to its compartment, if one did: what was before, its
    /// lines do not tell.
    pub(crate) fn moved(&self) -> Option<Epoch> {
        self.epochs_of(Action::Moved).next_back()
    }

    /// Since when the entry is in its compartment; `first` is the commit of its oldest revision.
    pub(crate) fn since(&self, first: Epoch) -> Epoch {
        self.moved().unwrap_or(first)
    }
}

impl ActV1 {
    /// Whether it tells of a release.
    fn is_release(&self) -> bool {
        Action::from_number(self.action) == Action::Released
    }
}

/// A revision, and what tells of it.
pub(super) struct Telling<'a> {
    pub(super) revision: u64,
    pub(super) epoch: Epoch,
    /// The commit that brought the entry.
    pub(super) first: Epoch,
    pub(super) story: &'a StoryV1,
    /// What was done in the compartment by the revision's commit.
    pub(super) actions: &'a [Action],
}

impl Telling<'_> {
    /// What made the revision, if anything still tells, and why.
    pub(super) fn act(&self) -> (Option<Action>, Option<String>) {
        if let Some(act) = self.story.of_revision(self.revision) {
            return (Some(Action::from_number(act.action)), act.reason.clone());
        }
        if self.story.moved().is_some_and(|moved| self.epoch < moved) {
            // It was made in another compartment.
            return (None, None);
        }
        let is_there = |action: &Action| self.actions.contains(action);
        if self.epoch == self.first {
            let brought = [Action::Imported, Action::Added].into_iter().find(is_there);
            return (brought, None);
        }
        let amended = [Action::Amended, Action::Retracted].into_iter().find(is_there);
        let is_from_source = amended == Some(Action::Amended) && is_there(&Action::Imported);
        (amended, is_from_source.then(|| CHANGED.to_owned()))
    }
}

/// The entries of a compartment, in the order in which they came there, and how many of them an
/// export held.
type Exported = (Arc<[EntryId]>, usize);

/// The entries that each act was about, by compartment and commit.
#[derive(Default)]
struct Concerned {
    named: BTreeMap<(Compartment, Epoch, Action), BTreeSet<EntryId>>,
    exported: BTreeMap<(Compartment, Epoch), Exported>,
}

impl Concerned {
    fn name(&mut self, compartment: Compartment, epoch: Epoch, action: Action, id: EntryId) {
        self.named.entry((compartment, epoch, action)).or_default().insert(id);
    }

    /// Takes out what an act was about.
    fn take(&mut self, compartment: Compartment, epoch: Epoch, action: Action) -> LedgerEntries {
        let named = self.named.remove(&(compartment, epoch, action));
        let named = named.into_iter().flatten().collect();
        let is_export = action == Action::Exported;
        match is_export.then(|| self.exported.remove(&(compartment, epoch))).flatten() {
            Some((all, held)) => LedgerEntries::first_of(&all, held, named),
            None => named.into(),
        }
    }
}

/// What a compartment's rows tell.
#[derive(Default)]
struct Told {
    revisions: BTreeMap<EntryId, Vec<(u64, Epoch)>>,
    stories: BTreeMap<EntryId, StoryV1>,
    accounts: BTreeMap<Epoch, Account>,
}

impl StateReader<'_> {
    /// The ledger as its reader sees it: every line in the compartments that are open with the
    /// entries that it is about and, of a release, to whom it went.
    pub(crate) fn told_ledger(&self) -> Result<Vec<LedgerLine>, Error> {
        let mut lines = self.all_ledger_lines()?;
        let mut actions: BTreeMap<(Compartment, Epoch), Vec<Action>> = BTreeMap::new();
        for line in &lines {
            actions.entry((line.compartment, line.epoch)).or_default().push(line.action);
        }
        let mut concerned = Concerned::default();
        let mut accounts = BTreeMap::new();
        for compartment in self.held_compartments() {
            let told = self.told_in(compartment)?;
            told.concerned(compartment, &actions, &mut concerned);
            accounts
                .extend(told.accounts.into_iter().map(|(epoch, account)| ((compartment, epoch), account)));
        }
        for line in &mut lines {
            let key = (line.compartment, line.epoch);
            line.entries = concerned.take(line.compartment, line.epoch, line.action);
            if line.action == Action::Released {
                line.details.extend(accounts.remove(&key).map(Account::details).unwrap_or_default());
            }
        }
        self.tell_of_left(&mut lines, accounts, concerned)?;
        Ok(lines)
    }

    /// Adds lines of what no line of a compartment tells: of releases of which a part was expunged,
    /// and of releases and exports of what was moved to it later.
    fn tell_of_left(
        &self,
        lines: &mut Vec<LedgerLine>,
        accounts: BTreeMap<(Compartment, Epoch), Account>,
        mut concerned: Concerned,
    ) -> Result<(), Error> {
        let mut left = Vec::new();
        for ((compartment, epoch), account) in accounts {
            let Some(link) = self.link(epoch)? else { continue };
            let mut line = account.line(epoch, from_milliseconds(link.time), compartment);
            line.entries = concerned.take(compartment, epoch, Action::Released);
            left.push(line);
        }
        for ((compartment, epoch, action), entries) in concerned.named {
            if action == Action::Exported
                && let Some(link) = self.link(epoch)?
            {
                let entries = entries.into_iter().collect::<Vec<_>>().into();
                left.push(LedgerLine { compartment, entries, ..LedgerLine::common(&link) });
            }
        }
        lines.extend(left);
        lines.sort_by_key(|line| line.epoch);
        Ok(())
    }

    fn told_in(&self, compartment: Compartment) -> Result<Told, Error> {
        let mut told = Told::default();
        let mut rows = Vec::new();
        self.trie(compartment)?.scan(&mut |row| {
            match row.class {
                RowClass::Entry | RowClass::Superseded => {
                    told.revisions.entry(row.id).or_default().push((row.revision, row.epoch));
                }
                RowClass::Story | RowClass::Accounting => rows.push(row.duplicate()),
                _ => {}
            }
            Ok(())
        })?;
        for row in rows {
            if row.class == RowClass::Story {
                told.stories.insert(row.id, self.story_in(compartment, &row)?);
            } else {
                told.accounts.insert(row.epoch, self.account_in(compartment, &row)?);
            }
        }
        Ok(told)
    }
}

impl Told {
    fn concerned(
        &self,
        compartment: Compartment,
        actions: &BTreeMap<(Compartment, Epoch), Vec<Action>>,
        concerned: &mut Concerned,
    ) {
        let (nothing, mut came) = (StoryV1::default(), Vec::with_capacity(self.revisions.len()));
        let exports: Vec<Epoch> = actions
            .iter()
            .filter(|((place, _), actions)| *place == compartment && actions.contains(&Action::Exported))
            .map(|((_, epoch), _)| *epoch)
            .collect();
        for (id, revisions) in &self.revisions {
            let first = revisions.iter().map(|(_, epoch)| *epoch).min().unwrap_or(Epoch::new(0));
            let story = self.stories.get(id).unwrap_or(&nothing);
            let since = story.since(first);
            for (revision, epoch) in revisions.iter().filter(|(_, epoch)| *epoch >= since) {
                let actions = actions.get(&(compartment, *epoch)).map(Vec::as_slice).unwrap_or_default();
                let telling = Telling { revision: *revision, epoch: *epoch, first, story, actions };
                if let (Some(action), _) = telling.act() {
                    concerned.name(compartment, *epoch, action, *id);
                }
            }
            came.push((since, *id));
            let exported = story.exports().map(|epoch| (epoch, Action::Exported));
            let released = story.releases().map(|epoch| (epoch, Action::Released));
            let moved = story.moved().map(|epoch| (epoch, Action::Moved));
            for (epoch, action) in exported.chain(released).chain(moved) {
                concerned.name(compartment, epoch, action, *id);
            }
        }
        came.sort_unstable();
        let all: Arc<[EntryId]> = came.iter().map(|(_, id)| *id).collect();
        for epoch in exports {
            let held = came.partition_point(|(since, _)| *since < epoch);
            concerned.exported.insert((compartment, epoch), (Arc::clone(&all), held));
        }
    }
}

impl Account {
    /// The line of a release whose compartment's own no longer says to whom it went.
    fn line(self, epoch: Epoch, time: std::time::SystemTime, compartment: Compartment) -> LedgerLine {
        LedgerLine {
            epoch,
            time,
            compartment,
            action: Action::Released,
            actor: self.0.actor.clone(),
            reason: None,
            entries: LedgerEntries::default(),
            details: self.details(),
        }
    }

    fn details(self) -> Vec<(Detail, String)> {
        let said = self.0;
        let details = [
            (Detail::Recipient, Some(said.recipient)),
            (Detail::Purpose, Some(said.purpose)),
            (Detail::Policy, said.policy),
            (Detail::Excerpt, Some(said.excerpt)),
            (Detail::Signer, Some(said.signer)),
        ];
        details.into_iter().filter_map(|(detail, text)| Some((detail, text?))).collect()
    }
}
