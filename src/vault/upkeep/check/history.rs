//! Whether the links, the ledger rows and the ledger heads of the places fit together.

use super::{CheckFinding, CheckReport};
use crate::codec::wire;
use crate::crypto::digest::Digest;
use crate::engine::core::StateReader;
use crate::engine::links::{is_linked, link_digest};
use crate::format::place::{Compartment, LedgerHead};
use crate::id::Epoch;
use crate::payload::history::{LedgerV1, LinkV1};
use crate::tree::Row;

impl StateReader<'_> {
    /// Whether a compartment's ledger head is at the last commit of which it has a ledger row.
    /// That of `record` is at the last link.
    pub(super) fn names_its_last_line(&self, compartment: Compartment, last: Epoch) -> bool {
        let head = self.snapshot.place(compartment).map(|place| place.ledger.epoch);
        compartment == Compartment::Record || head.is_ok_and(|head| head == last)
    }

    /// Whether what a commit did in a compartment is what its link commits to.
    pub(super) fn check_ledger(&self, compartment: Compartment, row: &Row, report: &mut CheckReport) {
        report.count_bytes(row.stored_bytes());
        let ledger =
            self.core.open_row(compartment, row).and_then(|content| Ok(wire::decode::<LedgerV1>(&content)?));
        let Ok(ledger) = ledger else {
            report.findings.push(CheckFinding::DamagedPart { compartment });
            return;
        };
        let epoch = row.epoch;
        let linked = match self.link(epoch) {
            Ok(link) => link.is_some_and(|link| is_linked(compartment, &ledger, &link).unwrap_or(false)),
            // Cannot be compared; the link is a finding of its own.
            Err(_) => true,
        };
        if !linked || ledger.epoch != epoch.number() {
            report.findings.push(CheckFinding::ForeignLine { compartment, epoch });
        }
    }

    /// Whether the links follow from one another, and every ledger head is at its link.
    pub(super) fn check_history(&self, report: &mut CheckReport) {
        let current = self.snapshot.root.epoch.number();
        let mut previous = Digest::from_bytes([0; 32]);
        for number in 1..=current {
            let epoch = Epoch::new(number);
            let link = self.link(epoch).ok().flatten();
            if !link.as_ref().is_some_and(|link| self.link_follows(link, epoch, &previous)) {
                report.findings.push(CheckFinding::BrokenHistory { epoch });
            }
            // The epoch is a claim of the root: only links that are there are
            // counted, so that the walk ends however high the claim is.
            let Some(digest) = link.and_then(|link| link_digest(&link).ok()) else { break };
            previous = digest;
            report.commits += 1;
        }
        for compartment in Compartment::ALL {
            if !self.head_is_sound(compartment) {
                report.findings.push(CheckFinding::BrokenHistory { epoch: self.snapshot.root.epoch });
            }
        }
    }

    /// Whether a link is that of its commit and names the link before it; of
    /// the last commit, also the root before it, and of the first that there is none.
    fn link_follows(&self, link: &LinkV1, epoch: Epoch, previous: &Digest) -> bool {
        let root = &self.snapshot.root;
        link.epoch == epoch.number()
            && link.previous_link == *previous.as_bytes()
            && (epoch != root.epoch || link.previous_root == *root.previous.as_bytes())
            && (epoch.number() > 1 || link.previous_root == [0; 32])
    }

    /// Whether a compartment's ledger head is the digest of the link that it names.
    fn head_is_sound(&self, compartment: Compartment) -> bool {
        let Ok(place) = self.snapshot.place(compartment) else { return true };
        let LedgerHead { epoch, link } = place.ledger;
        let due = match compartment {
            Compartment::Record => self.snapshot.root.epoch,
            _ => epoch,
        };
        let digest = match epoch.number() {
            0 => Ok(Some(Digest::from_bytes([0; 32]))),
            _ => self.link(epoch).map(|link| link.and_then(|link| link_digest(&link).ok())),
        };
        // A link that cannot be read is a finding of its own.
        epoch == due && digest.map_or(true, |digest| digest == Some(link))
    }
}
