//! The redacted view: what a policy releases of entries, and what it tells their
//! owner about the rest.
//!
//! Only the disclosed claims, the subject and the policy's own words reach a
//! recipient; withheld lists and notices are for the owner.

use std::collections::{HashMap, HashSet};
use std::fmt;

use subrosa_excerpt::claims::{Claim, ClaimValue, Visibility, disclosed};
use subrosa_excerpt::shown::{ShownEntry, show_disclosed};
use subrosa_excerpt::{IssuerRole, Subject};
use thiserror::Error;

use crate::codec::json::{Json, Object};
use crate::id::EntryId;
use crate::record::{FieldName, Kind};

/// A preview: what a policy releases, and what it withholds.
///
/// Only these reach a recipient: [`released`](View::released), the subject, and what is said
/// around them ([`who_signs`](View::who_signs), [`selection`](View::selection),
/// [`notices_to_recipient`](View::notices_to_recipient)). The rest is for the owner.
#[derive(Clone)]
pub struct View {
    pub(super) released: Vec<RedactedEntry>,
    pub(super) withheld: Vec<Withheld>,
    pub(super) notices: Vec<FilterNotice>,
    pub(super) subject: Result<Subject, SubjectFault>,
    pub(super) summary: Object,
    pub(super) issuer: Option<Issuer>,
}

impl View {
    pub(super) fn new(subject: Result<Subject, SubjectFault>) -> Self {
        let (summary, issuer) = (Object::default(), None);
        Self { released: Vec::new(), withheld: Vec::new(), notices: Vec::new(), subject, summary, issuer }
    }

    /// Whether a recipient sees something of this field, or a bar in its place.
    pub(super) fn shows(&self, field: &str) -> bool {
        let subject = self.subject();
        match field {
            "names" if subject.is_some() => true,
            "birth_date" if subject.is_some_and(|subject| subject.born.is_some()) => true,
            _ => self.released.iter().any(|entry| entry.shows(field)),
        }
    }

    /// Whether one of these entries shows the field.
    pub(super) fn shows_in(&self, ids: &HashSet<EntryId>, field: &str) -> bool {
        self.released.iter().any(|entry| ids.contains(&entry.id) && entry.shows(field))
    }

    /// The entries that leave, by kind and date.
    #[must_use]
    pub fn released(&self) -> &[RedactedEntry] {
        &self.released
    }

    /// What was selected but does not leave. For the owner, never for a recipient.
    #[must_use]
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// Where a filter may not do what you expect. For the owner, never for a recipient.
    #[must_use]
    pub fn notices(&self) -> &[FilterNotice] {
        &self.notices
    }

    /// Whom the excerpt names as the patient.
    #[must_use]
    pub fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref().ok()
    }

    /// Why the excerpt would name no patient. If there is a reason, nothing is released.
    #[must_use]
    pub fn subject_fault(&self) -> Option<SubjectFault> {
        self.subject.as_ref().err().copied()
    }

    /// The same view, which names nobody for this reason, so that nothing is released.
    pub(crate) fn refused(mut self, fault: SubjectFault) -> Self {
        self.subject = Err(fault);
        self.notices.push(FilterNotice::NoSubject(fault));
        self
    }

    /// The same view, which says of these groups of entries that each may be one record.
    /// Only what leaves together is marked: a mark tells nothing of what stays.
    pub(crate) fn with_perhaps_same(mut self, groups: &[Vec<EntryId>]) -> Self {
        let group_of: HashMap<EntryId, usize> =
            groups.iter().enumerate().flat_map(|(at, ids)| ids.iter().map(move |id| (*id, at))).collect();
        let mut leaving: HashMap<usize, usize> = HashMap::new();
        for entry in &self.released {
            if let Some(group) = group_of.get(&entry.id) {
                *leaving.entry(*group).or_default() += 1;
            }
        }
        let (mut marks, mut together, mut alone) = (HashMap::new(), 0, 0);
        for entry in &mut self.released {
            let Some(group) = group_of.get(&entry.id) else { continue };
            if leaving.get(group).is_some_and(|leaving| *leaving > 1) {
                let next = marks.len() + 1;
                entry.perhaps_same = Some(*marks.entry(*group).or_insert(next));
                together += 1;
            } else {
                alone += 1;
            }
        }
        if together > 0 {
            self.notices.push(FilterNotice::PerhapsSame { entries: together });
        }
        if alone > 0 {
            self.notices.push(FilterNotice::PerhapsSameStays { entries: alone });
        }
        self
    }

    /// What was asked for, as JSON text.
    pub(crate) fn summary_text(&self) -> String {
        Json::Object(self.summary.clone()).to_text()
    }

    /// What was asked for, as recipients may read it.
    pub(crate) fn summary(&self) -> &Object {
        &self.summary
    }
}

/// Who signs what a vault releases.
#[derive(Clone)]
pub(super) struct Issuer {
    pub(super) name: String,
    pub(super) role: IssuerRole,
}

/// Why an excerpt would not say whom it is about. Nothing is released then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum SubjectFault {
    /// There is no patient record with a name, and the vault has no name of its own.
    #[error("the excerpt would not say whom it is about: add or import the patient's record with a name")]
    NoPatient,
    /// There are patient records that are not shown to be of one person.
    #[error(
        "the excerpt could be about more than one person: several patient records are not shown to be of the \
         same person; confirm that they are, or retract those of others"
    )]
    SeveralPatients,
    /// Records were imported that only refer to their patient, and nobody confirmed whose
    /// they are.
    #[error(
        "the excerpt could be about more than one person: imported records do not say whose they are; import \
         their file again and confirm that it is about the patient, or undo that import"
    )]
    Unnamed,
    /// A mask withholds the name.
    #[error("the excerpt would not say whom it is about: release without the mask over the names")]
    NameWithheld,
}

/// A released entry: all its claims, and which of them leave.
#[derive(Clone)]
pub struct RedactedEntry {
    pub(super) id: EntryId,
    pub(super) kind: Kind,
    pub(super) claims: Vec<(String, Claim)>,
    pub(super) bars: Vec<&'static str>,
    pub(super) perhaps_same: Option<usize>,
}

impl RedactedEntry {
    /// The entry in the vault. Recipients never see it: it would link excerpts.
    #[must_use]
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The kind of record.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The withheld fields, in whole or in part, that the recipient sees as black bars. Empty
    /// without [`Policy::with_bars`](crate::Policy::with_bars). [`View::withheld`] lists
    /// everything that stays.
    #[must_use]
    pub fn withheld_fields(&self) -> &[&'static str] {
        &self.bars
    }

    /// The mark that this and other released entries bear which may be one record
    /// ([`Vault::perhaps_same`](crate::Vault::perhaps_same)).
    #[must_use]
    pub fn perhaps_same(&self) -> Option<usize> {
        self.perhaps_same
    }

    /// What the recipient will read, as JSON.
    #[must_use]
    pub fn disclosed_json(&self) -> String {
        Json::Object(disclosed(&self.claims)).to_text()
    }

    /// The words that the recipient will read.
    #[must_use]
    pub fn shown(&self) -> ShownEntry {
        let shown = show_disclosed(&disclosed(&self.claims), &self.bars, self.perhaps_same);
        shown.map(|shown| shown.entry).unwrap_or_default()
    }

    fn shows(&self, field: &str) -> bool {
        let is_seen =
            |(name, claim): &(String, Claim)| name == field && claim.visibility != Visibility::Withheld;
        let parts = self.claims.iter().filter_map(|(_, claim)| match &claim.value {
            ClaimValue::Object(members) => Some(members),
            _ => None,
        });
        self.bars.contains(&field) || parts.flatten().any(is_seen)
    }

    /// All claims, with their visibility.
    pub(crate) fn claims(&self) -> &[(String, Claim)] {
        &self.claims
    }
}

/// An entry or a field that was selected but does not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Withheld {
    /// The entry.
    pub entry: EntryId,
    /// The field; `None` for the whole entry.
    pub field: Option<&'static str>,
    /// Why.
    pub reason: WithheldReason,
}

/// Why something does not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum WithheldReason {
    /// A mask of the policy withholds it.
    Masked,
    /// A mask of the policy keeps only the year.
    YearOnly,
    /// Free text leaves only if the policy names it.
    FreeText,
    /// Words beside a code, other than the short name of a published code system, go to
    /// third parties only if the policy names them.
    Words,
    /// Attachments leave only if the policy names them.
    Attachment,
    /// Identifiers, ways to reach people and further personal data leave only if the
    /// policy names them.
    Identity,
    /// References into the source would link excerpts. They leave only if the policy names
    /// them.
    SourceReference,
    /// The original document leaves only if the policy names it.
    Original,
    /// The entry was retracted.
    Retracted,
    /// The entry was entered in error, as its source says: third parties do not get it.
    EnteredInError,
    /// A part that changes the entry's meaning was not understood. Third parties get the
    /// entry only by an explicit decision.
    NotUnderstood,
    /// A mask withholds the field that says that something is not so: without it the
    /// entry would say the opposite.
    NegationMasked,
    /// Only words that do not leave say what the entry is about, that it is not so, or that it
    /// is over. Without them the entry would say something else.
    WithoutWords,
    /// Words beside a result, such as a note, stay and may take the result back. Third
    /// parties get the entry only by an explicit decision: with the words, or marked.
    WordsBeside,
    /// The entry has no date, and the policy has a date range.
    Undated,
    /// The entry may lie outside the policy's date range.
    NotCertainlyInRange,
    /// The entry has no code in the code system of the policy's filter.
    NotInCodeSystem,
}

impl fmt::Display for WithheldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Masked => "withheld by a mask",
            Self::YearOnly => "the year only, by a mask",
            Self::Words => "words beside the code are withheld unless included by name",
            Self::FreeText => "free text is withheld unless included by name",
            Self::Attachment => "attachments are withheld unless included by name",
            Self::Identity => "personal data is withheld unless included by name",
            Self::SourceReference => "references into the source are withheld unless included by name",
            Self::Original => "the original document is withheld unless included by name",
            Self::Retracted => "the entry was retracted",
            Self::EnteredInError => "the entry was entered in error",
            Self::NotUnderstood => "a part of the entry changes its meaning and was not understood",
            Self::NegationMasked => "a mask withholds what says that it is not so",
            Self::WithoutWords => {
                "what it is about, that it is not so, or that it is over stands only in words that do not leave: \
                 include the field to release it"
            }
            Self::WordsBeside => {
                "words that do not leave stand beside what it says and could take it back: include their \
                 fields, or release it marked"
            }
            Self::Undated => "the entry has no date to hold against the range",
            Self::NotCertainlyInRange => "the entry does not certainly lie in the range",
            Self::NotInCodeSystem => "the entry has no code in the filter's code system",
        })
    }
}

/// A filter that may not do what its author expects.
///
/// This is for the owner, because some notices are about entries that do not leave.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "notice", rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum FilterNotice {
    /// The policy names no kind, no code and no entry.
    NothingSelected,
    /// A code filter could not be held against entries without a code in its system.
    CodeCannotApply {
        /// The filter.
        filter: String,
        /// How many entries it could not judge.
        entries: usize,
        /// The code systems that these entries are coded in.
        systems: Vec<String>,
    },
    /// Entries without a date are not released when there is a date range.
    Undated {
        /// How many.
        entries: usize,
    },
    /// Entries that may or may not lie in the date range are not released.
    NotCertainlyInRange {
        /// How many.
        entries: usize,
    },
    /// Retracted entries are not released.
    Retracted {
        /// How many.
        entries: usize,
    },
    /// Entries that were entered in error are not released to third parties.
    EnteredInError {
        /// How many.
        entries: usize,
    },
    /// Entries of which a part changes the meaning and was not understood are not
    /// released to third parties.
    NotUnderstood {
        /// How many.
        entries: usize,
    },
    /// Entries that a mask would turn into their opposite are not released.
    NegationMasked {
        /// How many.
        entries: usize,
    },
    /// A mask names a field that none of the selected entries has: it changes nothing.
    MaskWithoutField {
        /// The field.
        field: &'static str,
    },
    /// The policy names entries that were not given.
    EntryNotFound {
        /// The ids that were named.
        ids: Vec<EntryId>,
    },
    /// The policy names kinds of which there is no entry at all.
    NoEntryOfKind {
        /// The kinds.
        kinds: Vec<Kind>,
    },
    /// The policy names codes that no entry of its kinds has.
    NoEntryWithCode {
        /// The filters.
        filters: Vec<String>,
    },
    /// There are entries of the policy's kinds and codes, and none in its date range.
    NoEntryInRange {
        /// How many there are outside.
        entries: usize,
    },
    /// Nothing can be released, since the excerpt would not say whom it is about.
    NoSubject(SubjectFault),
    /// Entries say what they are about in words only, which stay, or in codes of systems
    /// whose names are not published: their readers would see no words.
    WithoutWords {
        /// How many.
        entries: usize,
        /// The field that has the words.
        field: &'static str,
    },
    /// Entries stay because words that do not leave could take back what they say.
    WordsBeside {
        /// How many.
        entries: usize,
    },
    /// Entries that leave together may be one record from several sources.
    PerhapsSame {
        /// How many.
        entries: usize,
    },
    /// Entries that leave may be the same record as others that stay.
    PerhapsSameStays {
        /// How many leave.
        entries: usize,
    },
    /// An attachment's bytes could not be found, so only its description is released.
    AttachmentWithoutBytes {
        /// How many.
        attachments: usize,
    },
}

impl fmt::Display for FilterNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingSelected => {
                f.write_str("nothing is selected: name a kind, a code or an entry; a date range only narrows")
            }
            Self::CodeCannotApply { filter, entries, systems } => {
                write!(f, "the code {filter} cannot apply to {}, ", number(*entries, "", "").trim_end())?;
                match systems.as_slice() {
                    [] => f.write_str("which have no code"),
                    systems => write!(f, "which are coded in {} only", systems.join(", ")),
                }
            }
            Self::Undated { entries } => {
                write!(f, "{} no date and stay out of a date range", number(*entries, "has", "have"))
            }
            Self::NotCertainlyInRange { entries } => {
                write!(f, "{} not certainly lie in the date range and stay", number(*entries, "does", "do"))
            }
            Self::Retracted { entries } => {
                write!(f, "{} retracted and stay", number(*entries, "was", "were"))
            }
            Self::EnteredInError { entries } => {
                write!(f, "{} entered in error and stay", number(*entries, "was", "were"))
            }
            Self::NotUnderstood { entries } => write!(
                f,
                "{} a part that changes the meaning and was not understood, and stay; read them, and release \
                 them by an explicit decision if you must",
                number(*entries, "has", "have")
            ),
            Self::NegationMasked { entries } => write!(
                f,
                "{} the opposite if what a mask withholds were left out, and stay",
                number(*entries, "would say", "would say")
            ),
            Self::MaskWithoutField { field } => {
                write!(
                    f,
                    "the mask over {} has no effect: no released entry is of a kind with that field",
                    both_names(field)
                )
            }
            Self::EntryNotFound { ids } => match ids.as_slice() {
                [id] => write!(f, "there is no entry {id}"),
                ids => write!(f, "{} of the named entries were not found", ids.len()),
            },
            Self::NoEntryOfKind { kinds } => {
                let kinds: Vec<&str> = kinds.iter().map(|kind| kind.label()).collect();
                write!(f, "there are no entries of the kind {}", kinds.join(" or "))
            }
            Self::NoEntryWithCode { filters } => {
                write!(f, "no entry of the kinds asked for has the code {}", filters.join(" or "))
            }
            Self::NoEntryInRange { entries } => write!(
                f,
                "{} outside the date range, and no other of the kinds and codes asked for is inside",
                number(*entries, "lies", "lie")
            ),
            Self::NoSubject(fault) => write!(f, "nothing can be released: {fault}"),
            Self::WithoutWords { entries, field } => write!(
                f,
                "{} no words that leave for what is meant; include the field {} to release the words",
                number(*entries, "has", "have"),
                both_names(field)
            ),
            Self::WordsBeside { entries } => write!(
                f,
                "{} words that do not leave beside what {} and could take it back, and stay; \
                 read them, then include their fields or release them marked by an explicit decision",
                number(*entries, "has", "have"),
                if *entries == 1 { "it says" } else { "they say" }
            ),
            Self::PerhapsSame { entries } => write!(
                f,
                "{} in two sources as it seems, and may contradict each other: they leave together, and the \
                 excerpt says so of each; retract what is superseded, or release single entries",
                number(*entries, "stands", "stand")
            ),
            Self::PerhapsSameStays { entries } => write!(
                f,
                "{} to be the same record as another one that stays, from another source: see which of them is right",
                number(*entries, "seems", "seem")
            ),
            Self::AttachmentWithoutBytes { attachments } => {
                write!(f, "the bytes of {attachments} attachments were not found; they are described only")
            }
        }
    }
}

/// A field as masks name it, and as it is shown.
fn both_names(field: &str) -> String {
    FieldName::find(field).map_or_else(|| field.to_owned(), |field| field.to_string())
}

/// `1 entry has`, `2 entries have`.
fn number(entries: usize, one: &str, many: &str) -> String {
    match entries {
        1 => format!("1 entry {one}"),
        entries => format!("{entries} entries {many}"),
    }
}

crate::secret::redacted_debug!(View, RedactedEntry, FilterNotice);
