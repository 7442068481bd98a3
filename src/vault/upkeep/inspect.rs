//! The deep check: every byte of the file, not only those that are in reach,
//! and what each finding means.

use super::check::{ATTEMPTS, CheckFinding, CheckReport, HeadPart, check};
use super::compact::{Meter, Progress, Watch};
use crate::engine::core::StateReader;
use crate::error::Error;
use crate::format::area::Area;
use crate::format::header::geometry;
use crate::format::object::KeyedRef;
use crate::format::place::Compartment;
use crate::store::FileStore;
use crate::vault::session::handle::Session;
use crate::vault::session::state::Unlocked;

/// What a finding means, in words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Explanation {
    /// What is wrong.
    pub wrong: String,
    /// What is lost by it.
    pub lost: String,
    /// What can be done.
    pub remedy: String,
}

const FROM_BACKUP: &str = "A backup that was made while it was whole can give it back.";
const BY_OPENING: &str = "Opening the vault for writing puts that right.";
const NOTHING_LOST: &str = "Nothing is lost.";

impl CheckFinding {
    /// What is wrong, what is lost and what can be done, without a word of the
    /// records themselves.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let (wrong, lost, remedy) = match self {
            Self::CopiesDiffer | Self::OlderCopy { .. } => (
                "The two copies by which the vault is opened are not of the same state: a program was \
                 interrupted while it wrote, or is writing now."
                    .to_owned(),
                NOTHING_LOST.to_owned(),
                BY_OPENING,
            ),
            Self::DamagedCopy { part } => (
                format!("The {} is damaged; its twin is whole and is what was read.", part.name()),
                format!("{NOTHING_LOST} But if the twin is damaged too, the vault cannot be opened any more."),
                "Opening the vault for writing puts that right. Then look at the disk: it may be failing.",
            ),
            Self::GapInUse => (
                "Bytes that are zero in every vault are not: another program wrote into the file.".to_owned(),
                NOTHING_LOST.to_owned(),
                "Compaction writes the file anew. Find out what wrote into it.",
            ),
            Self::UnreadableBytes { bytes } => (
                format!("The disk cannot read {bytes} bytes of the file."),
                "What the other findings name; nothing, if there are none: then only unused bytes are affected."
                    .to_owned(),
                "The disk is failing. Copy the file to another one, or restore a backup there.",
            ),
            Self::SharedBytes { compartment } => (
                format!("Two parts of {compartment} claim the same bytes of the file, which no writer does."),
                "What has been overwritten is among the other findings.".to_owned(),
                "Restore a backup, and ask who can write to the file.",
            ),
            Self::DamagedPlace { compartment } => (
                format!("What the root says of {compartment} does not open."),
                format!("Everything in {compartment}."),
                FROM_BACKUP,
            ),
            Self::DamagedPage { compartment, rows } => (
                format!("A page of the catalogue of {compartment} cannot be read."),
                format!(
                    "What is listed by that page and the pages below it is out of reach: {}, each of them an entry, \
                     an earlier revision, a part of an attachment, or a part of the ledger. Nobody can tell here \
                     which ones. All else is whole unless other findings name it.",
                    counted(*rows)
                ),
                FROM_BACKUP,
            ),
            Self::DamagedEntry { compartment, id, revision } => (
                format!("Revision {revision} of entry {id} in {compartment} cannot be read."),
                "That revision. The entry's other revisions and all other entries are whole.".to_owned(),
                FROM_BACKUP,
            ),
            Self::DamagedAttachment { compartment, entries } => {
                let owners: Vec<String> = entries.iter().map(|id| format!(" It belongs to entry {id}.")).collect();
                let wrong = format!("An attachment in {compartment} is not whole.{}", owners.concat());
                let lost = "The attachment's bytes, or a part of them; the entry itself is whole.";
                (wrong, lost.to_owned(), FROM_BACKUP)
            }
            Self::OrphanSegments { compartment, segments } => (
                format!("{segments} parts of an attachment in {compartment} belong to no entry and no upload."),
                NOTHING_LOST.to_owned(),
                "They only take space. Say so to whoever makes the program: no version writes such a session.",
            ),
            Self::DamagedPart { compartment } => (
                format!("A part of {compartment} that is no entry cannot be read: the ledger's lines of a commit, or the vault's own record."),
                "The lines of that commit, or the vault's own record, without which nothing can be released. All \
                 entries are whole unless other findings name them."
                    .to_owned(),
                FROM_BACKUP,
            ),
            Self::BrokenHistory { epoch } => (
                format!("The chain of commits is broken at commit {epoch}."),
                "The proof that nothing was changed unnoticed before that commit. No entry is lost by it."
                    .to_owned(),
                FROM_BACKUP,
            ),
            Self::WrongSize { compartment } => (
                format!("{compartment} says another number of bytes than it has."),
                NOTHING_LOST.to_owned(),
                "Compaction counts anew where it says more. Where it says less, ask who has the keys: no version \
                 writes such a session.",
            ),
            Self::DamagedEraseList => (
                "The list of what the last commit was to erase cannot be read.".to_owned(),
                "Nothing of the records. But if the program was interrupted right then, parts of what was \
                 expunged may be left in the file, for whoever kept their keys."
                    .to_owned(),
                "Compaction writes the file anew without them.",
            ),
            Self::ForeignLine { compartment, epoch } => (
                format!("Lines of the ledger of {compartment} at commit {epoch} are not those that were written then."),
                "The account of that commit cannot be trusted. No entry is lost by it.".to_owned(),
                "Compare with a backup, and ask who has the keys.",
            ),
        };
        Explanation { wrong, lost, remedy: remedy.to_owned() }
    }
}

fn counted(rows: u64) -> String {
    match rows {
        1 => "1 row".to_owned(),
        _ => format!("{rows} rows"),
    }
}

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
    report.findings.retain(|finding| *finding != CheckFinding::CopiesDiffer);
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
            (*bytes == snapshot.area_bytes, Area::parse(bytes).is_ok() && Area::verify(bytes, &mac_key))
        };
        let root =
            |bytes: &Vec<u8>| (*bytes == snapshot.root_bytes, core.open_root(&root_key, bytes).is_some());
        // A store that swaps its root has one copy of each.
        let states = heads.areas.iter().map(area).zip(HeadPart::ALL);
        let roots = heads.roots.iter().map(root).zip(HeadPart::ALL.into_iter().skip(2));
        let findings = states.chain(roots).filter_map(|((is_current, is_sound), part)| {
            (!is_current).then_some(match is_sound {
                true => CheckFinding::OlderCopy { part },
                false => CheckFinding::DamagedCopy { part },
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
                page.leaf_rows().iter().filter_map(|row| row.object.as_deref()).for_each(&mut note);
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
