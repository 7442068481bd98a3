//! The ledger: every act on the vault, hash-chained by one link per commit.
//!
//! The lines are rows in the compartments that they concern.

use std::fmt;
use std::time::SystemTime;

use super::actor::Actor;
use super::core::StateReader;
use super::facts::{Action, Detail};
use super::time::from_milliseconds;
use crate::codec::wire;
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::payload::history::{LeafBodyV1, LedgerV1, LineV1, LinkV1};
use crate::tree::{Row, RowClass, RowKey};

/// Longest reason or detail in bytes.
pub(crate) const TEXT_LIMIT: usize = 16 * 1024;

/// Most keyed digests in a detail: each has 32 digits and a space.
pub(crate) const DIGESTS_IN_A_LINE: usize = 256;

/// The import that a line names.
pub(crate) fn named_import(details: &[(Detail, String)]) -> Option<Epoch> {
    let (_, number) = details.iter().find(|(detail, _)| *detail == Detail::Import)?;
    number.parse().ok().map(Epoch::new)
}

/// One line of the ledger.
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
    /// What the line says, unless it was destroyed with its entry.
    pub state: LineState,
}

/// What is left of a ledger line.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "state", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum LineState {
    /// The line as it was written.
    Whole {
        /// What was done.
        action: Action,
        /// Who did it.
        actor: String,
        /// Why.
        reason: Option<String>,
        /// The entries concerned.
        subjects: Vec<EntryId>,
        /// Further facts.
        details: Vec<(Detail, String)>,
    },
    /// The line was destroyed when its entry was expunged; its digest remains.
    Destroyed,
}

/// The commit and the act, without names, reasons and facts.
impl fmt::Debug for LedgerLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, compartment, .. } = self;
        let mut line = f.debug_struct("LedgerLine");
        line.field("epoch", epoch).field("compartment", compartment).field("action", &self.action());
        line.finish_non_exhaustive()
    }
}

/// The act, without names, reasons and facts.
impl fmt::Debug for LineState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole { action, .. } => write!(f, "Whole({})", action.name()),
            Self::Destroyed => f.write_str("Destroyed"),
        }
    }
}

impl LedgerLine {
    /// What was done; `None` where the line was destroyed with its entry.
    #[must_use]
    pub fn action(&self) -> Option<Action> {
        match self.state {
            LineState::Whole { action, .. } => Some(action),
            LineState::Destroyed => None,
        }
    }

    /// Who did it, if the line still says.
    #[must_use]
    pub fn actor(&self) -> Option<&str> {
        match &self.state {
            LineState::Whole { actor, .. } => Some(actor),
            LineState::Destroyed => None,
        }
    }

    /// Why, if the line says.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.state {
            LineState::Whole { reason, .. } => reason.as_deref(),
            LineState::Destroyed => None,
        }
    }

    /// The entries concerned; none where the line was destroyed.
    #[must_use]
    pub fn subjects(&self) -> &[EntryId] {
        match &self.state {
            LineState::Whole { subjects, .. } => subjects,
            LineState::Destroyed => &[],
        }
    }

    /// A further fact, if the line has it.
    ///
    /// ```
    /// use subrosa::vault::{Action, Detail};
    /// use subrosa::{Credential, NewVault, RawKey, Vault, VaultOptions};
    /// # let key: Credential = RawKey::generate()?.into();
    /// # let vault = Vault::create_in_memory(&NewVault::individual(&key), VaultOptions::default())?;
    /// for line in vault.ledger()? {
    ///     let what = line.action().map_or("destroyed with its entry", Action::name);
    ///     println!("{what} by {:?}, for {:?}", line.actor(), line.detail(Detail::Recipient));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn detail(&self, wanted: Detail) -> Option<&str> {
        let LineState::Whole { details, .. } = &self.state else { return None };
        details.iter().find(|(detail, _)| *detail == wanted).map(|(_, text)| text.as_str())
    }

    /// Whether the line was destroyed when its entry was expunged.
    #[must_use]
    pub fn is_destroyed(&self) -> bool {
        self.state == LineState::Destroyed
    }
}

/// A line to be written.
pub(crate) struct Line(pub(crate) LineV1);

impl Line {
    /// A line about these entries.
    pub(crate) fn about(
        action: Action,
        actor: &Actor,
        reason: Option<&str>,
        subjects: impl IntoIterator<Item = EntryId>,
    ) -> Self {
        let mut subjects: Vec<[u8; 16]> = subjects.into_iter().map(|id| *id.as_bytes()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let reason = reason.filter(|reason| !reason.is_empty()).map(truncated);
        let actor = actor.name().to_owned();
        Self(LineV1 { action: action.number(), actor, reason, subjects, details: Vec::new() })
    }

    /// The line with a further fact.
    pub(crate) fn with(mut self, detail: Detail, text: &str) -> Self {
        let detail = (detail.number(), truncated(text));
        let at = self.0.details.partition_point(|(number, _)| *number < detail.0);
        self.0.details.insert(at, detail);
        self
    }
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

    pub(crate) fn ledger_of(&self, compartment: Compartment, row: &Row) -> Result<LedgerV1, Error> {
        Ok(wire::decode(&self.core.open_row(compartment, row)?)?)
    }

    /// Every line of a commit in the compartments that are open.
    pub(crate) fn ledger_lines(&self, epoch: Epoch) -> Result<Vec<LedgerLine>, Error> {
        let link = self.link(epoch)?.ok_or(Error::Damaged { what: "history" })?;
        let mut lines = Vec::new();
        for compartment in Compartment::ALL {
            if self.core.keyring.compartment(compartment).is_none() {
                continue;
            }
            let states = self.line_states(compartment, epoch)?;
            let line = |state| LedgerLine { epoch, time: from_milliseconds(link.time), compartment, state };
            lines.extend(states.into_iter().map(line));
        }
        Ok(lines)
    }

    /// What the lines of a commit in one compartment say.
    pub(crate) fn line_states(
        &self,
        compartment: Compartment,
        epoch: Epoch,
    ) -> Result<Vec<LineState>, Error> {
        let leaves = self.ledger(compartment, epoch)?.map(|ledger| ledger.leaves).unwrap_or_default();
        Ok(leaves.into_iter().map(|leaf| LineState::from_wire(leaf.body)).collect())
    }
}

impl StateReader<'_> {
    /// Every line in the compartments that are open, oldest first.
    pub(crate) fn all_ledger_lines(&self) -> Result<Vec<LedgerLine>, Error> {
        let mut lines = Vec::new();
        for epoch in 1..=self.snapshot.root.epoch.number() {
            lines.extend(self.ledger_lines(Epoch::new(epoch))?);
        }
        Ok(lines)
    }
}

impl LineState {
    fn from_wire(body: LeafBodyV1) -> Self {
        match body {
            LeafBodyV1::Destroyed(_) => Self::Destroyed,
            LeafBodyV1::Line(_, line) => Self::Whole {
                action: Action::from_number(line.action),
                actor: line.actor,
                reason: line.reason,
                subjects: line.subjects.into_iter().map(EntryId::from_bytes).collect(),
                details: line.details.into_iter().map(|(n, text)| (Detail::from_number(n), text)).collect(),
            },
        }
    }
}
