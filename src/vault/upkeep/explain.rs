//! What each finding of a check means, in words for people.

use super::check::CheckFinding;

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

/// What is said of a kind of finding. What stands in braces is the finding's own.
struct Said {
    wrong: &'static str,
    lost: &'static str,
    remedy: &'static str,
}

const NOTHING_LOST: &str = "Nothing is lost.";
const FROM_BACKUP: &str = "A backup that was made while it was whole can give it back.";

const INTERRUPTED: Said = Said {
    wrong: "The two copies by which the vault is opened are not of the same state: a program was interrupted \
            while it wrote, or is writing now.",
    lost: NOTHING_LOST,
    remedy: "Opening the vault for writing puts that right.",
};
const CUT_COMMIT: Said = Said {
    wrong: "The root of commit {epoch}, the last one, is there, and what the commit wrote is not whole: a \
            program was interrupted while it wrote, or the file was damaged since.",
    lost: "Commit {epoch}, if it had been finished. A checkpoint that you keep says whether it was.",
    remedy: "Look whether what you entered last is there. Opening the vault for writing drops the commit.",
};
const DAMAGED_COPY: Said = Said {
    wrong: "The {part} is damaged; its twin is whole and is what was read.",
    lost: "Nothing is lost. But if the twin is damaged too, the vault cannot be opened any more.",
    remedy: "Opening the vault for writing puts that right. Then look at the disk: it may be failing.",
};
const GAP_IN_USE: Said = Said {
    wrong: "Bytes that are zero in every vault are not: another program wrote into the file.",
    lost: NOTHING_LOST,
    remedy: "Compaction writes the file anew. Find out what wrote into it.",
};
const UNREADABLE_BYTES: Said = Said {
    wrong: "The disk cannot read {bytes} bytes of the file.",
    lost: "What the other findings name; nothing, if there are none: then only unused bytes are affected.",
    remedy: "The disk is failing. Copy the file to another one, or restore a backup there.",
};
const HOLE: Said = Said {
    wrong: "Bytes of the file that commit {epoch} is said to have appended are zeros, which no commit appends: \
            nobody wrote them, or they were lost.",
    lost: "What the other findings name; nothing, if there are none: then only unused bytes are affected.",
    remedy: "Compaction writes the file anew without them; until then it cannot be backed up. If the file came \
             from somebody else, ask who made it.",
};
const SHARED_BYTES: Said = Said {
    wrong: "Two parts of {compartment} claim the same bytes of the file, which no writer does.",
    lost: "What has been overwritten is among the other findings.",
    remedy: "Restore a backup, and ask who can write to the file.",
};
const DAMAGED_PLACE: Said = Said {
    wrong: "What the root says of {compartment} does not open.",
    lost: "Everything in {compartment}.",
    remedy: FROM_BACKUP,
};
const DAMAGED_PAGE: Said = Said {
    wrong: "A page of the catalogue of {compartment} cannot be read.",
    lost: "What is listed by that page and the pages below it is out of reach: {rows}, each of them an entry, an \
           earlier revision, a part of an attachment, or a part of the ledger. Nobody can tell here which ones. \
           All else is whole unless other findings name it.",
    remedy: FROM_BACKUP,
};
const DAMAGED_ENTRY: Said = Said {
    wrong: "Revision {revision} of entry {entry} in {compartment} cannot be read.",
    lost: "That revision. The entry's other revisions and all other entries are whole.",
    remedy: FROM_BACKUP,
};
const WRONG_CARD: Said = Said {
    wrong: "What lists show of entry {entry} in {compartment} is not what the entry says.",
    lost: "Nothing is lost. But lists and searches may have left the entry out, or shown it as what it is not.",
    remedy: "A repair writes anew what lists show. Ask who has the keys: no version of the program writes such a \
             card.",
};
const SECOND_OF_ID: Said = Said {
    wrong: "Entry {entry} in {compartment} has the id of an entry in another compartment.",
    lost: "Nothing is lost. But what is asked of that id is answered by one of them.",
    remedy: "If you expunge the id, all of them go that your access opens. Ask who has the keys: no version of the \
             program writes two entries of one id.",
};
const DAMAGED_ATTACHMENT: Said = Said {
    wrong: "An attachment in {compartment} is not whole.{owners}",
    lost: "The attachment's bytes, or a part of them; the entry itself is whole.",
    remedy: FROM_BACKUP,
};
const ORPHAN_SLICES: Said = Said {
    wrong: "{slices} parts of an attachment in {compartment} belong to no entry and no upload.",
    lost: NOTHING_LOST,
    remedy: "They only take space. Say so to whoever makes the program: no version writes such a session.",
};
const DAMAGED_PART: Said = Said {
    wrong: "A part of {compartment} that is no entry cannot be read: the ledger's lines of a commit, or the \
            vault's own record.",
    lost: "The lines of that commit, or the vault's own record, without which nothing can be released. All entries \
           are whole unless other findings name them.",
    remedy: FROM_BACKUP,
};
const BROKEN_HISTORY: Said = Said {
    wrong: "The chain of commits is broken at commit {epoch}.",
    lost: "The proof that nothing was changed unnoticed before that commit. No entry is lost by it.",
    remedy: FROM_BACKUP,
};
const WRONG_SIZE: Said = Said {
    wrong: "{compartment} says another number of bytes than it has.",
    lost: NOTHING_LOST,
    remedy: "Compaction counts anew where it says more. Where it says less, ask who has the keys: no version \
             writes such a session.",
};
const DAMAGED_ERASE_LIST: Said = Said {
    wrong: "The list of what the last commit was to erase cannot be read.",
    lost: "Nothing of the records. But if the program was interrupted right then, parts of what was expunged may \
           be left in the file, for whoever kept their keys.",
    remedy: "Compaction writes the file anew without them.",
};
const FOREIGN_LINE: Said = Said {
    wrong: "Lines of the ledger of {compartment} at commit {epoch} are not those that were written then.",
    lost: "The account of that commit cannot be trusted. No entry is lost by it.",
    remedy: "Compare with a backup, and ask who has the keys.",
};

impl CheckFinding {
    /// What is wrong, what is lost and what can be done, without a word of the
    /// records themselves.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let (said, facts) = self.said();
        let filled = |text: &str| {
            facts
                .iter()
                .fold(text.to_owned(), |text, (name, fact)| text.replace(&format!("{{{name}}}"), fact))
        };
        Explanation { wrong: filled(said.wrong), lost: filled(said.lost), remedy: filled(said.remedy) }
    }

    /// What is said of this kind, and the finding's own facts by name.
    fn said(&self) -> (Said, Vec<(&'static str, String)>) {
        let of = |fact: &dyn ToString| ("compartment", fact.to_string());
        match self {
            Self::CopiesDiffer | Self::OlderCopy { .. } => (INTERRUPTED, vec![]),
            Self::CutCommit { epoch } => (CUT_COMMIT, vec![("epoch", epoch.to_string())]),
            Self::DamagedCopy { part } => (DAMAGED_COPY, vec![("part", part.name().to_owned())]),
            Self::GapInUse => (GAP_IN_USE, vec![]),
            Self::UnreadableBytes { bytes } => (UNREADABLE_BYTES, vec![("bytes", bytes.to_string())]),
            Self::Hole { epoch } => (HOLE, vec![("epoch", epoch.to_string())]),
            Self::SharedBytes { compartment } => (SHARED_BYTES, vec![of(compartment)]),
            Self::DamagedPlace { compartment } => (DAMAGED_PLACE, vec![of(compartment)]),
            Self::DamagedPage { compartment, rows } => {
                (DAMAGED_PAGE, vec![of(compartment), ("rows", counted(*rows))])
            }
            Self::DamagedEntry { compartment, id, revision } => {
                let facts = [("entry", id.to_string()), ("revision", revision.to_string())];
                (DAMAGED_ENTRY, [of(compartment)].into_iter().chain(facts).collect())
            }
            Self::WrongCard { compartment, id } => {
                (WRONG_CARD, vec![of(compartment), ("entry", id.to_string())])
            }
            Self::SecondOfId { compartment, id } => {
                (SECOND_OF_ID, vec![of(compartment), ("entry", id.to_string())])
            }
            Self::DamagedAttachment { compartment, entries } => {
                let owners = entries.iter().map(|id| format!(" It belongs to entry {id}.")).collect();
                (DAMAGED_ATTACHMENT, vec![of(compartment), ("owners", owners)])
            }
            Self::OrphanSlices { compartment, slices } => {
                (ORPHAN_SLICES, vec![of(compartment), ("slices", slices.to_string())])
            }
            Self::DamagedPart { compartment } => (DAMAGED_PART, vec![of(compartment)]),
            Self::BrokenHistory { epoch } => (BROKEN_HISTORY, vec![("epoch", epoch.to_string())]),
            Self::WrongSize { compartment } => (WRONG_SIZE, vec![of(compartment)]),
            Self::DamagedEraseList => (DAMAGED_ERASE_LIST, vec![]),
            Self::ForeignLine { compartment, epoch } => {
                (FOREIGN_LINE, vec![of(compartment), ("epoch", epoch.to_string())])
            }
        }
    }
}

fn counted(rows: u64) -> String {
    match rows {
        1 => "1 row".to_owned(),
        _ => format!("{rows} rows"),
    }
}
