//! The deep check: every byte of the file, not only those that are in reach.

use super::check::{ATTEMPTS, CheckFinding, CheckReport, HeadPart, check};
use super::compact::{Meter, Progress, Watch};
use crate::engine::core::StateReader;
use crate::error::Error;
use crate::format::area::{Area, StoredArea};
use crate::format::header::geometry;
use crate::format::object::KeyedRef;
use crate::format::place::Compartment;
use crate::store::FileStore;
use crate::vault::session::handle::Session;
use crate::vault::session::state::Unlocked;

pub(crate) fn check_deep(
    session: &Session,
    mut progress: impl FnMut(Progress),
) -> Result<CheckReport, Error> {
    let _call = session.begin()?;
    let mut attempt = 1;
    loop {
        let (report, unlocked) = check_deep_once(session, &mut progress)?;
        // What a writer changed meanwhile is no damage.
        let newest = session.newest(&unlocked)?;
        let is_newest = newest.snapshot.root_bytes == unlocked.snapshot.root_bytes;
        if is_newest || report.is_clean() || attempt == ATTEMPTS {
            return Ok(report);
        }
        attempt += 1;
    }
}

fn check_deep_once(session: &Session, progress: &mut Watch<'_>) -> Result<(CheckReport, Unlocked), Error> {
    let mut report = check(session)?;
    let unlocked = session.unlocked()?;
    report
        .findings
        .retain(|finding| !matches!(finding, CheckFinding::CopiesDiffer | CheckFinding::CutCommit { .. }));
    let mut findings = unlocked.head_findings()?;
    if let Some(file) = session.store.as_file() {
        findings.extend(file_findings(file, progress)?);
        findings.extend(unlocked.reader().shared_bytes()?);
    }
    report.findings.splice(0..0, findings);
    Ok((report, unlocked))
}

impl Unlocked {
    /// Which copies are not those of this state.
    fn head_findings(&self) -> Result<Vec<CheckFinding>, Error> {
        let (core, snapshot) = (&*self.core, &*self.snapshot);
        let heads = core.store.heads()?;
        let (root_key, mac_key) = (core.keyring.root_key(), core.keyring.area_mac_key());
        let area = |bytes: &Vec<u8>| {
            (
                Area::is_same(bytes, &snapshot.area_bytes),
                StoredArea::parse(bytes).is_ok_and(|area| area.verify(&mac_key)),
            )
        };
        let root = |bytes: &Vec<u8>| {
            (snapshot.is_own_or_previous(bytes), core.open_root(&root_key, bytes).is_some())
        };
        // A store that swaps its root has one copy of each.
        let states = heads.areas.iter().map(area).zip(HeadPart::ALL);
        let roots = heads.roots.iter().map(root).zip(HeadPart::ALL.into_iter().skip(2));
        let cut = self.reader().cut_commit(&heads);
        let findings = states.chain(roots).filter_map(|((is_current, is_sound), part)| {
            let is_root = matches!(part, HeadPart::FirstRoot | HeadPart::SecondRoot);
            (!is_current).then_some(match (is_sound, cut) {
                (true, Some(epoch)) if is_root => CheckFinding::CutCommit { epoch },
                (true, _) => CheckFinding::OlderCopy { part },
                (false, _) => CheckFinding::DamagedCopy { part },
            })
        });
        Ok(findings.collect())
    }
}

fn file_findings(file: &FileStore, progress: &mut Watch<'_>) -> Result<Vec<CheckFinding>, Error> {
    let mut findings = Vec::new();
    if file.gap()?.iter().any(|byte| *byte != 0) {
        findings.push(CheckFinding::GapInUse);
    }
    let mut meter = Meter::new(file.length()?, progress);
    let bytes = file.unreadable(&mut |bytes| meter.advance(bytes))?;
    if bytes > 0 {
        findings.push(CheckFinding::UnreadableBytes { bytes });
    }
    Ok(findings)
}

impl StateReader<'_> {
    /// Compartments of which two objects claim the same bytes of a file.
    fn shared_bytes(&self) -> Result<Vec<CheckFinding>, Error> {
        let mut extents: Vec<(u64, u64, Compartment)> = Vec::new();
        for compartment in self.held_compartments() {
            let mut note = |object: &KeyedRef| {
                let [offset @ .., _, _, _, _, _, _, _, _] = object.object.reference;
                let start = u64::from_le_bytes(offset);
                extents.push((start, start.saturating_add(object.object.length), compartment));
            };
            self.trie(compartment)?.survey(&mut |visited| {
                // What cannot be read is among the other findings.
                let Ok((object, page)) = visited else { return };
                note(object);
                page.leaf_rows().iter().filter_map(|row| row.object.as_ref()).for_each(&mut note);
            });
        }
        extents.sort_unstable_by_key(|(start, ..)| *start);
        let mut end = geometry::APPEND;
        let mut shared: Vec<Compartment> = Vec::new();
        for (start, until, compartment) in extents {
            if start < end && !shared.contains(&compartment) {
                shared.push(compartment);
            }
            end = end.max(until);
        }
        Ok(shared.into_iter().map(|compartment| CheckFinding::SharedBytes { compartment }).collect())
    }
}
