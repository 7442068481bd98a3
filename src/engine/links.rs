//! Links of the history: each commits to the leaves of all eight compartments, random where
//! one has no lines, so that a compartment's lines can be checked and tell nothing of the
//! others.

use super::facts::{Action, Role};
use super::ledger::Line;
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::crypto::random::{RandomError, Randomness};
use crate::error::Error;
use crate::format::place::{Compartment, PLACES};
use crate::id::Epoch;
use crate::payload::history::{HEIGHT, LeafV1, LedgerV1, LineV1, LinkV1, SegmentSpanV1};

const _: () = assert!(1 << HEIGHT == PLACES);

/// What a commit follows upon, and what everybody is told of it.
pub(crate) struct Telling {
    pub(crate) epoch: Epoch,
    pub(crate) time: i64,
    pub(crate) action: Action,
    pub(crate) role: Role,
    pub(crate) previous_link: Digest,
    pub(crate) previous_root: Digest,
    pub(crate) segment: SegmentSpanV1,
}

/// The history of one commit: its link, and the ledger rows by compartment.
pub(crate) struct Links {
    pub(crate) link: LinkV1,
    pub(crate) digest: Digest,
    pub(crate) ledgers: Vec<(Compartment, LedgerV1)>,
}

impl Links {
    pub(crate) fn build(
        random: &mut Randomness,
        telling: &Telling,
        lines: Vec<(Compartment, Line)>,
    ) -> Result<Self, Error> {
        let mut digests: Vec<Digest> = (0..PLACES)
            .map(|_| Ok(Digest::from_bytes(random.bytes()?)))
            .collect::<Result<_, RandomError>>()?;
        let mut leaves = Vec::new();
        for (compartment, lines) in by_compartment(lines) {
            let leaf = LeafV1 { salt: random.bytes()?, lines };
            if let Some(digest) = digests.get_mut(compartment.index()) {
                *digest = leaf_digest(&leaf)?;
            }
            leaves.push((compartment, leaf));
        }
        let levels = merkle_levels(digests);
        let epoch = telling.epoch.number();
        let ledger = |(compartment, leaf)| {
            let path = merkle_path(&levels, compartment);
            (compartment, LedgerV1 { epoch, leaf, path })
        };
        let ledgers = leaves.into_iter().map(ledger).collect();
        let top = levels.last().and_then(|level| level.first()).ok_or(Error::TooLarge)?;
        let link = LinkV1 {
            epoch,
            time: telling.time,
            action: telling.action.number(),
            role: telling.role.number(),
            previous_link: *telling.previous_link.as_bytes(),
            previous_root: *telling.previous_root.as_bytes(),
            leaves: *top.as_bytes(),
            segment: telling.segment,
        };
        let digest = link_digest(&link)?;
        Ok(Self { link, digest, ledgers })
    }
}

/// The lines of each compartment that has any, in the order in which they were logged.
fn by_compartment(mut lines: Vec<(Compartment, Line)>) -> Vec<(Compartment, Vec<LineV1>)> {
    lines.sort_by_key(|(compartment, _)| *compartment);
    let mut grouped: Vec<(Compartment, Vec<LineV1>)> = Vec::new();
    for (compartment, Line(line)) in lines {
        match grouped.last_mut() {
            Some((last, lines)) if *last == compartment => lines.push(line),
            _ => grouped.push((compartment, vec![line])),
        }
    }
    grouped
}

/// SHA-256("subrosa/v1 link" ‖ encoded link).
pub(crate) fn link_digest(link: &LinkV1) -> Result<Digest, Error> {
    Ok(Digest::of(&[b"subrosa/v1 link", &wire::encode(link)?]))
}

/// SHA-256("subrosa/v1 leaf" ‖ encoded leaf).
fn leaf_digest(leaf: &LeafV1) -> Result<Digest, Error> {
    Ok(Digest::of(&[b"subrosa/v1 leaf", &wire::encode(leaf)?]))
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

fn merkle_path(levels: &[Vec<Digest>], compartment: Compartment) -> [[u8; 32]; HEIGHT] {
    let mut path = [[0; 32]; HEIGHT];
    for (height, (sibling, level)) in path.iter_mut().zip(levels).enumerate() {
        if let Some(digest) = level.get((compartment.index() >> height) ^ 1) {
            *sibling = *digest.as_bytes();
        }
    }
    path
}

/// Whether a compartment's ledger row belongs to a link.
pub(crate) fn is_linked(compartment: Compartment, ledger: &LedgerV1, link: &LinkV1) -> Result<bool, Error> {
    let mut digest = leaf_digest(&ledger.leaf)?;
    for (height, sibling) in ledger.path.iter().enumerate() {
        let sibling = Digest::from_bytes(*sibling);
        digest = match (compartment.index() >> height) & 1 {
            0 => node_digest(&digest, &sibling),
            _ => node_digest(&sibling, &digest),
        };
    }
    Ok(digest.as_bytes() == &link.leaves)
}

#[cfg(test)]
mod tests {
    use super::super::actor::Actor;
    use super::*;

    #[test]
    fn every_ledger_row_of_a_commit_is_linked_at_its_place_alone_and_a_changed_one_is_not() {
        let mut random = Randomness::from_system();
        let zero = Digest::from_bytes([0; 32]);
        for count in 0..=PLACES {
            let lines: Vec<_> = Compartment::ALL
                .into_iter()
                .take(count)
                .flat_map(|compartment| {
                    let line = |action| (compartment, Line::of(action, &Actor::owner()));
                    [line(Action::Added), line(Action::Retracted)]
                })
                .collect();
            let telling = Telling {
                epoch: Epoch::new(3),
                time: 5,
                action: Action::Changed,
                role: Role::Owner,
                previous_link: zero,
                previous_root: zero,
                segment: SegmentSpanV1::default(),
            };
            let links = Links::build(&mut random, &telling, lines).unwrap();
            assert_eq!(links.ledgers.len(), count);
            for (compartment, mut ledger) in links.ledgers {
                let at = |place, ledger: &LedgerV1| is_linked(place, ledger, &links.link).unwrap();
                let places: Vec<_> =
                    Compartment::ALL.into_iter().filter(|place| at(*place, &ledger)).collect();
                assert_eq!(places, [compartment]);
                let line = ledger.leaf.lines.pop().unwrap();
                assert!(!at(compartment, &ledger));
                ledger.leaf.lines.push(LineV1 { actor: "somebody else".into(), ..line });
                assert!(!at(compartment, &ledger));
            }
        }
    }
}
