//! The ledger: every act on the vault, hash-chained by one link per commit.
//!
//! The lines are rows in the compartments that they concern. None names an entry: which ones
//! an act was about is told by their revisions and stories, and goes with them.

use std::fmt;
use std::time::SystemTime;

use super::actor::Actor;
use super::concerned::LedgerEntries;
use super::core::StateReader;
use super::facts::{Action, Detail, Role};
use super::time::from_milliseconds;
use crate::codec::wire;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::Epoch;
use crate::payload::history::{LedgerV1, LineV1, LinkV1, TEXT_LIMIT};
use crate::tree::{Row, RowClass, RowKey};

/// The import that a line names.
pub(crate) fn named_import(details: &[(Detail, String)]) -> Option<Epoch> {
    let (_, number) = details.iter().find(|(detail, _)| *detail == Detail::Import)?;
    number.parse().ok().map(Epoch::new)
}

/// One line of the ledger.
///
/// Lines name no entries. [`LedgerLine::entries`] is put together when the ledger is read, from
/// what the entries tell that are in the vault: nothing is left of one that was expunged. In
/// lines of a compartment are entries of that compartment.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LedgerLine {
    /// The commit.
    pub epoch: Epoch,
    /// When.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::serial::moment"))]
    pub time: SystemTime,
    /// The compartment that the line is about.
    pub compartment: Compartment,
    /// What was done.
    pub action: Action,
    /// Who did it. In `record`, which every credential opens, a role: `owner`, `member` or
    /// `subrosa`.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// The entries concerned that are in the compartment still. What was moved since is told of
    /// by its own history ([`Vault::history`](crate::Vault::history)), and its releases and
    /// exports by lines of the compartment where it is.
    pub entries: LedgerEntries,
    /// Further facts.
    pub details: Vec<(Detail, String)>,
}

/// The commit and the act, without names, reasons and facts.
impl fmt::Debug for LedgerLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, compartment, .. } = self;
        let mut line = f.debug_struct("LedgerLine");
        line.field("epoch", epoch).field("compartment", compartment).field("action", &self.action);
        line.finish_non_exhaustive()
    }
}

impl LedgerLine {
    /// A further fact, if the line has it.
    ///
    /// ```
    /// use subrosa::vault::Detail;
    /// use subrosa::{Credential, NewVault, RawKey, Vault, VaultOptions};
    /// # let key: Credential = RawKey::generate()?.into();
    /// # let vault = Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default())?;
    /// for line in vault.ledger()? {
    ///     println!("{} by {}, for {:?}", line.action.name(), line.actor, line.detail(Detail::Recipient));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn detail(&self, wanted: Detail) -> Option<&str> {
        self.details.iter().find(|(detail, _)| *detail == wanted).map(|(_, text)| text.as_str())
    }
}

/// A line to be written.
#[derive(PartialEq, Eq)]
pub(crate) struct Line(pub(crate) LineV1);

impl Line {
    /// A line about an act.
    pub(crate) fn of(action: Action, actor: &Actor) -> Self {
        Self(LineV1 {
            action: action.number(),
            actor: actor.name().to_owned(),
            reason: None,
            details: Vec::new(),
        })
    }

    /// The line as everybody who opens the vault may read it.
    pub(crate) fn by_role(mut self, actor: &Actor) -> Self {
        self.0.actor = actor.role().name().to_owned();
        self
    }

    /// The line with a reason.
    pub(crate) fn because(mut self, reason: Option<&str>) -> Self {
        self.0.reason = said(reason);
        self
    }

    /// The line with a further fact.
    pub(crate) fn with(mut self, detail: Detail, text: &str) -> Self {
        let detail = (detail.number(), truncated(text));
        let at = self.0.details.partition_point(|(number, _)| *number < detail.0);
        self.0.details.insert(at, detail);
        self
    }
}

/// A reason as it is kept: none if it says nothing.
pub(super) fn said(reason: Option<&str>) -> Option<String> {
    reason.filter(|reason| !reason.is_empty()).map(truncated)
}

fn truncated(text: &str) -> String {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

impl StateReader<'_> {
    /// The link of a commit.
    pub(crate) fn link(&self, epoch: Epoch) -> Result<Option<LinkV1>, Error> {
        let row = self.row(Compartment::Record, &RowKey::link(self.core.scope.vault, epoch))?;
        let Some(row) = row.filter(|row| row.class == RowClass::Link) else { return Ok(None) };
        Ok(Some(wire::decode(&row.inline)?))
    }

    /// The ledger row of a commit in one compartment.
    pub(crate) fn ledger(&self, compartment: Compartment, epoch: Epoch) -> Result<Option<LedgerV1>, Error> {
        let row = self.row(compartment, &RowKey::ledger(self.core.scope.vault, epoch))?;
        let Some(row) = row.filter(|row| row.class == RowClass::Ledger) else { return Ok(None) };
        let ledger = self.ledger_of(compartment, &row)?;
        if ledger.epoch == epoch.number() { Ok(Some(ledger)) } else { Err(Error::Damaged { what: "ledger" }) }
    }

    fn ledger_of(&self, compartment: Compartment, row: &Row) -> Result<LedgerV1, Error> {
        Ok(wire::decode(&self.core.open_row(compartment, row)?)?)
    }

    /// Every line of a commit in the compartments that are open; where there is none, what
    /// everybody is told of it. They name no entries yet.
    pub(crate) fn ledger_lines(&self, epoch: Epoch) -> Result<Vec<LedgerLine>, Error> {
        let link = self.link(epoch)?.ok_or(Error::Damaged { what: "history" })?;
        let mut lines = Vec::new();
        for compartment in Compartment::ALL {
            if self.core.keyring.compartment(compartment).is_some() {
                lines.extend(self.lines_in(compartment, epoch, link.time)?);
            }
        }
        if lines.is_empty() {
            lines.push(LedgerLine::common(&link));
        }
        Ok(lines)
    }

    /// The lines of a commit in one compartment.
    fn lines_in(
        &self,
        compartment: Compartment,
        epoch: Epoch,
        time: i64,
    ) -> Result<impl Iterator<Item = LedgerLine>, Error> {
        let lines = self.ledger(compartment, epoch)?.map(|ledger| ledger.leaf.lines).unwrap_or_default();
        let time = from_milliseconds(time);
        Ok(lines.into_iter().map(move |line| LedgerLine::of(epoch, time, compartment, line)))
    }

    /// What was done in one compartment by a commit.
    pub(crate) fn actions_in(&self, compartment: Compartment, epoch: Epoch) -> Result<Vec<Action>, Error> {
        Ok(self.lines_in(compartment, epoch, 0)?.map(|line| line.action).collect())
    }

    /// Every line in the compartments that are open, oldest first. They name no entries yet.
    pub(crate) fn all_ledger_lines(&self) -> Result<Vec<LedgerLine>, Error> {
        let mut lines = Vec::new();
        for epoch in 1..=self.snapshot.root.epoch.number() {
            lines.extend(self.ledger_lines(Epoch::new(epoch))?);
        }
        Ok(lines)
    }
}

impl LedgerLine {
    fn of(epoch: Epoch, time: SystemTime, compartment: Compartment, line: LineV1) -> Self {
        let details = line.details.into_iter().map(|(number, text)| (Detail::from_number(number), text));
        Self {
            epoch,
            time,
            compartment,
            action: Action::from_number(line.action),
            actor: line.actor,
            reason: line.reason,
            entries: LedgerEntries::default(),
            details: details.collect(),
        }
    }

    /// What every credential is told of a commit.
    pub(super) fn common(link: &LinkV1) -> Self {
        Self {
            epoch: Epoch::new(link.epoch),
            time: from_milliseconds(link.time),
            compartment: Compartment::Record,
            action: Action::from_number(link.action),
            actor: Role::from_number(link.role).name().to_owned(),
            reason: None,
            entries: LedgerEntries::default(),
            details: Vec::new(),
        }
    }
}
