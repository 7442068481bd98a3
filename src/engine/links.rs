//! Links of the history: each commits to the salted leaves of all compartments,
//! padded with decoys, so that a compartment's lines can be checked without
//! telling of the others.

use super::ledger::Line;
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::crypto::random::{RandomError, Randomness};
use crate::error::Error;
use crate::format::place::Compartment;
use crate::id::Epoch;
use crate::payload::history::{LeafBodyV1, LeafV1, LedgerV1, LineV1, LinkV1};

/// Fewest leaves of a commit, decoys included.
const LEAST_LEAVES: usize = 8;
/// Levels between the leaves and the root of the least tree.
const LEAST_HEIGHT: usize = LEAST_LEAVES.ilog2() as usize;

/// The history of one commit: its link, and the ledger rows by compartment.
pub(crate) struct Links {
    pub(crate) link: LinkV1,
    pub(crate) digest: Digest,
    pub(crate) ledgers: Vec<(Compartment, LedgerV1)>,
}

impl Links {
    pub(crate) fn build(
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
pub(crate) fn link_digest(link: &LinkV1) -> Result<Digest, Error> {
    Ok(Digest::of(&[b"subrosa/v1 link", &wire::encode(link)?]))
}

/// SHA-256("subrosa/v1 leaf" ‖ salt ‖ encoded line).
pub(crate) fn leaf_digest(salt: &[u8; 16], line: &LineV1) -> Result<Digest, Error> {
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
pub(crate) fn leaf_is_linked(leaf: &LeafV1, link: &LinkV1) -> Result<bool, Error> {
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

#[cfg(test)]
mod tests {
    use super::super::actor::Actor;
    use super::super::facts::Action;
    use super::*;
    use crate::id::EntryId;

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
