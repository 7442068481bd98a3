//! Stories that somebody with the keys wrote.

use super::basics::diagnosis;
use super::disk::SimDisk;
use super::workload::{new_image, owner};
use crate::payload::story::ActV1;
use crate::*;

/// The number of the act `released` in the format.
const RELEASED: u16 = 7;

/// A vault, and an entry whose story tells this beside what was done.
fn telling(act: ActV1) -> (Vault, EntryId) {
    let vault = SimDisk::without_trace(new_image("password")).unlock(&owner()).unwrap();
    let id =
        vault.update(&Actor::owner(), |tx| tx.add(&diagnosis("F32", "Depression", "2019"))).unwrap().value;
    vault
        .update(&Actor::owner(), |tx| {
            tx.change_story(Compartment::General, id, |story| story.acts.push(act.clone()))
        })
        .unwrap();
    (vault, id)
}

#[test]
fn nobody_believes_a_story_of_commits_that_there_are_not() {
    let act = |epoch, revision| ActV1 { epoch, action: RELEASED, revision, reason: None };
    for act in [act(0, 0), act(1 << 40, 0), act(u64::MAX, 0), act(2, 1)] {
        let (vault, id) = telling(act.clone());
        let findings = vault.check().unwrap().findings;
        assert!(findings.contains(&CheckFinding::DamagedPart { compartment: Compartment::General }));
        assert!(matches!(vault.history(id), Err(Error::Damaged { what: "story" })));
        let report = vault.expunge(&Actor::owner(), &[id], "order").unwrap();
        let epoch = Epoch::new(act.epoch);
        assert!(
            !report.released_in.contains(&epoch) && report.handed_out.is_empty(),
            "{:?}",
            report.released_in
        );
        assert!(vault.check().unwrap().is_clean(), "the story went with its entry");
    }
}
