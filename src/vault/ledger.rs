//! The ledger: every act on the vault, hash-chained by one link per commit.
//!
//! A link commits to the salted leaves of all compartments, padded with
//! decoys; the lines themselves are rows in the compartments that they concern.

use super::Vault;
use super::core::View;
use super::options::Actor;
use super::transaction::Transaction;
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::crypto::random::{RandomError, Randomness};
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::{EntryId, Epoch};
use crate::payload::history::{LeafBodyV1, LeafV1, LedgerV1, LineV1, LinkV1};
use crate::tree::{RowClass, RowKey};

/// Fewest leaves of a commit, decoys included.
const LEAST_LEAVES: usize = 8;
/// Levels between the leaves and the root of the least tree.
const LEAST_HEIGHT: usize = LEAST_LEAVES.ilog2() as usize;
/// Longest reason or detail in bytes.
pub(super) const TEXT_LIMIT: usize = 16 * 1024;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// The vault was created.
    Created,
    /// An entry was added.
    Added,
    /// Entries were imported.
    Imported,
    /// An entry got a new revision.
    Amended,
    /// An entry was withdrawn.
    Retracted,
    /// An entry was destroyed.
    Expunged,
    /// An excerpt was released.
    Released,
    /// A password was changed.
    PasswordChanged,
    /// Everything was exported in readable form.
    Exported,
    /// An act that this version does not know.
    Unknown(u16),
}

const ACTIONS: [(Action, &str); 9] = [
    (Action::Created, "created"),
    (Action::Added, "added"),
    (Action::Imported, "imported"),
    (Action::Amended, "amended"),
    (Action::Retracted, "retracted"),
    (Action::Expunged, "expunged"),
    (Action::Released, "released"),
    (Action::PasswordChanged, "password changed"),
    (Action::Exported, "exported"),
];

impl Action {
    /// The action in a word or two.
    #[must_use]
    pub fn name(self) -> &'static str {
        ACTIONS.iter().find(|(action, _)| *action == self).map_or("unknown", |(_, name)| name)
    }

    fn number(self) -> u16 {
        match self {
            Self::Unknown(number) => number,
            known => {
                (1..).zip(ACTIONS).find(|(_, (action, _))| *action == known).map_or(0, |(number, _)| number)
            }
        }
    }

    fn from_number(number: u16) -> Self {
        let known = usize::from(number).checked_sub(1).and_then(|index| ACTIONS.get(index));
        known.map_or(Self::Unknown(number), |(action, _)| *action)
    }
}

/// A further fact in a ledger line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Detail {
    /// Who received an excerpt.
    Recipient,
    /// What for.
    Purpose,
    /// What was selected and masked.
    Policy,
    /// SHA-256 of the excerpt's envelope.
    Excerpt,
    /// A fact that this version does not know.
    Unknown(u16),
}

const DETAILS: [(Detail, &str); 4] = [
    (Detail::Recipient, "recipient"),
    (Detail::Purpose, "purpose"),
    (Detail::Policy, "policy"),
    (Detail::Excerpt, "excerpt"),
];

impl Detail {
    /// The fact's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        DETAILS.iter().find(|(detail, _)| *detail == self).map_or("unknown", |(_, name)| name)
    }

    fn number(self) -> u16 {
        match self {
            Self::Unknown(number) => number,
            known => {
                (1..).zip(DETAILS).find(|(_, (detail, _))| *detail == known).map_or(0, |(number, _)| number)
            }
        }
    }

    fn from_number(number: u16) -> Self {
        let known = usize::from(number).checked_sub(1).and_then(|index| DETAILS.get(index));
        known.map_or(Self::Unknown(number), |(detail, _)| *detail)
    }
}

/// One line of the ledger.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LedgerLine {
    /// The commit.
    pub epoch: Epoch,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub time: i64,
    /// The compartment that the line is about.
    pub compartment: Compartment,
    /// What the line says, unless it was destroyed with its entry.
    pub state: LineState,
}

/// What is left of a ledger line.
#[derive(Clone, PartialEq, Eq)]
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

/// A line to be written.
pub(super) struct Line(LineV1);

impl Line {
    /// A line about these entries.
    pub(super) fn about(
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
    pub(super) fn with(mut self, detail: Detail, text: &str) -> Self {
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

/// The history of one commit: its link, and the ledger rows by compartment.
pub(super) struct Links {
    pub(super) link: LinkV1,
    pub(super) digest: Digest,
    pub(super) ledgers: Vec<(Compartment, LedgerV1)>,
}

impl Links {
    pub(super) fn build(
        random: &mut Randomness,
        epoch: Epoch,
        time: i64,
        previous_link: Digest,
        previous_root: Digest,
        lines: Vec<(Compartment, Line)>,
    ) -> Result<Self, Error> {
        let size = lines.len().next_power_of_two().max(LEAST_LEAVES);
        let mut leaves: Vec<Digest> =
            (0..size).map(|_| Ok(Digest::from_bytes(random.bytes()?))).collect::<Result<_, RandomError>>()?;
        let mut placed = Vec::with_capacity(lines.len());
        for ((compartment, line), index) in lines.into_iter().zip(shuffled(random, size)?) {
            let salt = random.bytes()?;
            if let Some(leaf) = leaves.get_mut(index) {
                *leaf = leaf_digest(&salt, &line.0)?;
            }
            placed.push((compartment, index, LeafBodyV1::Line(salt, line.0)));
        }
        let levels = merkle_levels(leaves);
        let ledgers = ledgers(epoch, placed, &levels);
        let top = levels.last().and_then(|level| level.first()).ok_or(Error::TooLarge)?;
        let link = LinkV1 {
            epoch: epoch.number(),
            time,
            previous_link: *previous_link.as_bytes(),
            previous_root: *previous_root.as_bytes(),
            leaves: *top.as_bytes(),
        };
        let digest = link_digest(&link)?;
        Ok(Self { link, digest, ledgers })
    }
}

fn ledgers(
    epoch: Epoch,
    mut placed: Vec<(Compartment, usize, LeafBodyV1)>,
    levels: &[Vec<Digest>],
) -> Vec<(Compartment, LedgerV1)> {
    placed.sort_by_key(|(compartment, index, _)| (*compartment, *index));
    let mut ledgers: Vec<(Compartment, LedgerV1)> = Vec::new();
    for (compartment, index, body) in placed {
        let leaf = LeafV1 {
            index: u32::try_from(index).unwrap_or(u32::MAX),
            path: merkle_path(levels, index),
            body,
        };
        match ledgers.last_mut() {
            Some((last, ledger)) if *last == compartment => ledger.leaves.push(leaf),
            _ => ledgers.push((compartment, LedgerV1 { epoch: epoch.number(), leaves: vec![leaf] })),
        }
    }
    ledgers
}

/// A random order of the leaves' positions (Fisher and Yates), so that a
/// position does not tell how many leaves other compartments have.
fn shuffled(random: &mut Randomness, size: usize) -> Result<Vec<usize>, RandomError> {
    let mut order: Vec<usize> = (0..size).collect();
    for last in (1..size).rev() {
        let drawn = u64::from_le_bytes(random.bytes()?) % (last as u64 + 1);
        order.swap(last, usize::try_from(drawn).unwrap_or(last));
    }
    Ok(order)
}

/// SHA-256("subrosa/v1 link" ‖ encoded link).
pub(super) fn link_digest(link: &LinkV1) -> Result<Digest, Error> {
    Ok(Digest::of(&[b"subrosa/v1 link", &wire::encode(link)?]))
}

/// SHA-256("subrosa/v1 leaf" ‖ salt ‖ encoded line).
fn leaf_digest(salt: &[u8; 16], line: &LineV1) -> Result<Digest, Error> {
    Ok(Digest::of(&[b"subrosa/v1 leaf", salt, &wire::encode(line)?]))
}

/// SHA-256("subrosa/v1 node" ‖ left ‖ right).
fn node_digest(left: &Digest, right: &Digest) -> Digest {
    Digest::of(&[b"subrosa/v1 node", left.as_bytes(), right.as_bytes()])
}

fn merkle_levels(leaves: Vec<Digest>) -> Vec<Vec<Digest>> {
    let mut levels = vec![leaves];
    while let Some(level) = levels.last().filter(|level| level.len() > 1) {
        let next =
            level.chunks(2).filter_map(|pair| Some(node_digest(pair.first()?, pair.last()?))).collect();
        levels.push(next);
    }
    levels
}

fn merkle_path(levels: &[Vec<Digest>], index: usize) -> Vec<[u8; 32]> {
    let siblings = levels.iter().enumerate().map(|(height, level)| level.get((index >> height) ^ 1));
    siblings.flatten().map(|digest| *digest.as_bytes()).collect()
}

/// Whether a leaf of a ledger row belongs to a link.
pub(super) fn leaf_is_linked(leaf: &LeafV1, link: &LinkV1) -> Result<bool, Error> {
    let mut digest = match &leaf.body {
        LeafBodyV1::Line(salt, line) => leaf_digest(salt, line)?,
        LeafBodyV1::Destroyed(digest) => Digest::from_bytes(*digest),
    };
    let mut index = leaf.index;
    for sibling in &leaf.path {
        let sibling = Digest::from_bytes(*sibling);
        digest = if index & 1 == 0 { node_digest(&digest, &sibling) } else { node_digest(&sibling, &digest) };
        index >>= 1;
    }
    let whole = leaf.path.len() >= LEAST_HEIGHT && index == 0;
    Ok(whole && digest.as_bytes() == &link.leaves)
}

impl Transaction<'_> {
    /// Destroys the lines of a commit that tell of this entry alone; the
    /// leaves' digests stay, so that the chain still verifies.
    pub(super) fn destroy_lines(
        &mut self,
        compartment: Compartment,
        epoch: Epoch,
        id: EntryId,
    ) -> Result<(), Error> {
        let key = RowKey::ledger(self.core.scope.vault, epoch);
        let Some(row) = self.row(compartment, &key)? else { return Ok(()) };
        // What this commit itself destroyed in the row before is not stored yet.
        let pending = self.work.redacted.remove(&(compartment, epoch));
        let is_first = pending.is_none();
        let mut ledger = match pending {
            Some(ledger) => ledger,
            None => wire::decode::<LedgerV1>(&self.core.open_row(compartment, &row)?)?,
        };
        let mut destroyed = false;
        for leaf in &mut ledger.leaves {
            if let LeafBodyV1::Line(salt, line) = &leaf.body
                && line.subjects == [*id.as_bytes()]
            {
                leaf.body = LeafBodyV1::Destroyed(*leaf_digest(salt, line)?.as_bytes());
                destroyed = true;
            }
        }
        if let Some(object) = row.object.as_ref().filter(|_| is_first && destroyed) {
            self.erase(object);
        }
        if destroyed || !is_first {
            self.work.redacted.insert((compartment, epoch), ledger);
        }
        Ok(())
    }

    /// Puts the ledger rows of which lines were destroyed.
    pub(super) fn write_redacted(&mut self) -> Result<(), Error> {
        for ((compartment, epoch), ledger) in std::mem::take(&mut self.work.redacted) {
            let key = RowKey::ledger(self.core.scope.vault, epoch);
            if let Some(row) = self.row(compartment, &key)? {
                self.put_sealed(compartment, row, &wire::encode(&ledger)?)?;
            }
        }
        Ok(())
    }
}

impl View<'_> {
    /// The link of a commit.
    pub(super) fn link(&self, epoch: Epoch) -> Result<Option<LinkV1>, Error> {
        let row = self.row(Compartment::Record, &RowKey::link(self.core.scope.vault, epoch))?;
        let Some(row) = row.filter(|row| row.class == RowClass::Link) else { return Ok(None) };
        Ok(Some(wire::decode(&row.inline)?))
    }

    /// The ledger row of a commit in one compartment.
    pub(super) fn ledger(&self, compartment: Compartment, epoch: Epoch) -> Result<Option<LedgerV1>, Error> {
        let row = self.row(compartment, &RowKey::ledger(self.core.scope.vault, epoch))?;
        let Some(row) = row.filter(|row| row.class == RowClass::Ledger) else { return Ok(None) };
        Ok(Some(wire::decode(&self.core.open_row(compartment, &row)?)?))
    }

    pub(super) fn ledger_lines(&self, epoch: Epoch) -> Result<Vec<LedgerLine>, Error> {
        let link = self.link(epoch)?.ok_or(Error::Damaged { what: "history" })?;
        let mut lines = Vec::new();
        for compartment in Compartment::ALL {
            if self.core.keyring.compartment(compartment).is_none() {
                continue;
            }
            let leaves = self.ledger(compartment, epoch)?.map(|ledger| ledger.leaves).unwrap_or_default();
            lines.extend(leaves.into_iter().map(|leaf| LedgerLine {
                epoch,
                time: link.time,
                compartment,
                state: LineState::from_wire(leaf.body),
            }));
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

impl Vault {
    /// Every line of the ledger in the compartments that are open, oldest first.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::Store`].
    pub fn ledger(&self) -> Result<Vec<LedgerLine>, Error> {
        self.read(|view| {
            let mut lines = Vec::new();
            for epoch in 1..=view.snapshot.root.epoch.number() {
                lines.extend(view.ledger_lines(Epoch::new(epoch))?);
            }
            Ok(lines)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_of_a_commit_is_linked_and_a_changed_one_is_not() {
        let mut random = Randomness::from_system();
        for count in [0, 1, 7, 8, 9, 40] {
            let lines = (0..count).map(|n| {
                let compartment = if n % 3 == 0 { Compartment::Record } else { Compartment::General };
                let id = EntryId::from_bytes([n; 16]);
                (compartment, Line::about(Action::Added, &Actor::owner(), Some("why"), [id]))
            });
            let zero = Digest::from_bytes([0; 32]);
            let links = Links::build(&mut random, Epoch::new(3), 5, zero, zero, lines.collect()).unwrap();
            let leaves: Vec<&LeafV1> = links.ledgers.iter().flat_map(|(_, ledger)| &ledger.leaves).collect();
            assert_eq!(leaves.len(), usize::from(count));
            for (_, ledger) in &links.ledgers {
                for leaf in &ledger.leaves {
                    assert!(leaf_is_linked(leaf, &links.link).unwrap());
                    let LeafBodyV1::Line(salt, line) = &leaf.body else { panic!() };
                    let destroyed = LeafBodyV1::Destroyed(*leaf_digest(salt, line).unwrap().as_bytes());
                    let changed = LineV1 { actor: "somebody else".into(), ..line.clone() };
                    let leaf = |body| LeafV1 { index: leaf.index, path: leaf.path.clone(), body };
                    assert!(leaf_is_linked(&leaf(destroyed), &links.link).unwrap());
                    assert!(!leaf_is_linked(&leaf(LeafBodyV1::Line(*salt, changed)), &links.link).unwrap());
                }
            }
        }
    }
}
