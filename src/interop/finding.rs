//! What an import did not carry over, by path and never by value.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

/// Something in the input that a reader may rely on but that no field carries. The entry's
/// original bytes still have it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Finding {
    /// Where, as resource type and element names, such as `Condition.onsetDateTime`.
    pub path: String,
    /// What is the matter.
    pub reason: FindingReason,
    /// In how many places.
    pub count: usize,
}

/// How much a finding matters to a reader of the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum FindingGroup {
    /// The entry may say what its source does not, or less than it must; or it is not clear
    /// whose it is, or what it is at all.
    ChangesMeaning,
    /// Content that only the original shows.
    ContentNotShown,
    /// Addresses, numbers and generated text that no reader misses.
    Technical,
}

/// Names of elements that serve programs, at any depth.
const TECHNICAL: [&str; 27] = [
    "id",
    "identifier",
    "system",
    "version",
    "userSelected",
    "url",
    "linkId",
    "fullUrl",
    "versionId",
    "resourceType",
    // HL7 version 3
    "templateId",
    "typeId",
    "realmCode",
    "classCode",
    "typeCode",
    "moodCode",
    "determinerCode",
    "contextConductionInd",
    "contextControlCode",
    "inversionInd",
    "independentInd",
    "codeSystem",
    "codeSystemName",
    "codeSystemVersion",
    "assigningAuthorityName",
    "unsorted",
    "setId",
];

/// Elements of a resource that serve programs, or say whose it is, which the vault knows.
const TECHNICAL_OF_RESOURCE: [&str; 6] = ["meta", "text", "language", "subject", "patient", "link"];

impl Finding {
    /// How much it matters.
    #[must_use]
    pub fn group(&self) -> FindingGroup {
        use FindingReason as Reason;
        match self.reason {
            Reason::ModifierExtension
            | Reason::ImplicitRules
            | Reason::UnknownStatus
            | Reason::EnteredInError
            | Reason::NotUnderstood
            | Reason::Masked
            | Reason::Encrypted
            | Reason::WordsDiffer
            | Reason::NotJson
            | Reason::CutOff
            | Reason::LoneSurrogate
            | Reason::NotAResource
            | Reason::ResourceTooLarge
            | Reason::SubjectUnknown
            | Reason::SeveralSubjects
            | Reason::NamesNobody
            | Reason::SubjectDecided
            | Reason::KnownByReference
            | Reason::OtherSubject
            | Reason::Unreferenced
            | Reason::Deleted
            | Reason::MorePages
            | Reason::Refused
            | Reason::EmptyEntry
            | Reason::NotTaken
            | Reason::FileDamaged
            | Reason::FileDiffers
            | Reason::DeletionNotLookedUp
            | Reason::NamedOtherwise
            | Reason::NotBelieved
            | Reason::ClaimsNothing => FindingGroup::ChangesMeaning,
            Reason::Malformed if self.path == "Patient.birthDate" => FindingGroup::ChangesMeaning,
            Reason::SameTwice | Reason::NoResource | Reason::HeadingsOnly => FindingGroup::Technical,
            Reason::NotCarried if self.is_technical() => FindingGroup::Technical,
            _ => FindingGroup::ContentNotShown,
        }
    }

    fn is_technical(&self) -> bool {
        let mut names = self.path.split('.').skip(1);
        let of_resource = names.next().is_some_and(|name| TECHNICAL_OF_RESOURCE.contains(&name));
        let security = self.path.contains(".meta.security");
        let within = self.path.split('.').skip(1).any(|name| TECHNICAL.contains(&name));
        (of_resource || within) && !security && !self.path.ends_with(".text.additional")
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({} times)", self.path, self.reason, self.count)
    }
}

/// What is the matter with a part of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum FindingReason {
    /// Nothing maps this type of resource; it is kept raw.
    KeptRaw,
    /// The element is not of the JSON type or form that FHIR gives it.
    Malformed,
    /// The element is longer than a field may be, or repeats more often.
    TooLarge,
    /// An extension that changes the meaning of what holds it (FHIR `modifierExtension`).
    ModifierExtension,
    /// Rules that must be understood first (FHIR `implicitRules`).
    ImplicitRules,
    /// The element changes the meaning, and what it says here is not known.
    NotUnderstood,
    /// The source holds the value back (FHIR `data-absent-reason`, HL7 `nullFlavor`).
    Masked,
    /// The status word is not one that FHIR R4 has here.
    UnknownStatus,
    /// The resource says that it was entered in error.
    EnteredInError,
    /// The element is kept in the original bytes only.
    NotCarried,
    /// It stands beside the resources, is none, and is not in the vault.
    NotTaken,
    /// The bundle's entry holds no resource.
    NoResource,
    /// It is not JSON, and was left out.
    NotJson,
    /// It ends before it is complete, and was left out.
    CutOff,
    /// A string of it holds half of a character (a lone `\u` surrogate), and it was left out.
    LoneSurrogate,
    /// It is JSON but not a FHIR resource, and was left out.
    NotAResource,
    /// It is larger than an entry may be, and was left out.
    ResourceTooLarge,
    /// What should be a resource has no type.
    NoType,
    /// The same resource twice, byte for byte; it is taken once.
    SameTwice,
    /// Another resource, of this input or of another source, has the same identity;
    /// both are kept.
    SameIdentity,
    /// It is not clear whose it is; it was left out.
    SubjectUnknown,
    /// It is about somebody or something other than a patient; it was left out.
    OtherSubject,
    /// It is about several people; it was left out.
    SeveralSubjects,
    /// It names nobody, and nothing that was taken refers to it; it was left out.
    Unreferenced,
    /// It names nobody, and was taken because nobody is named in the whole input.
    NamesNobody,
    /// It is not clear whose it is; it was taken by decision.
    SubjectDecided,
    /// The input refers to its patient but does not hold one.
    KnownByReference,
    /// Its source deleted it; it was left out.
    Deleted,
    /// The bundle is only part of what its server has: there are more pages or matches.
    MorePages,
    /// The server refused to give what belongs here.
    Refused,
    /// The file here cannot be decoded, so the entry has no file.
    FileDamaged,
    /// The file does not have the length or the digest that the source gives for it.
    FileDiffers,
    /// The bundle's entry holds nothing at all.
    EmptyEntry,
    /// It was deleted in its source. The input names too many such resources to look each up.
    DeletionNotLookedUp,
    /// A reference to the patient shows somebody else's name.
    NamedOtherwise,
    /// An export of a vault claims more of this than a file can know, such as who entered it or
    /// what was decided about it. That was not taken
    /// ([`ImportOptions::own_export`](crate::ImportOptions::own_export)).
    NotBelieved,
    /// What an export of a vault says beside its resources cannot be read, or is about a
    /// resource that is not as it was exported.
    ClaimsNothing,
    /// It is encrypted in the document (XML Encryption), and kept as it came.
    Encrypted,
    /// The words for a code have none in common with the narrative to which its entry refers: one
    /// of the two is wrong.
    WordsDiffer,
    /// A section says no more than its entries, but for its headings, which are in none.
    HeadingsOnly,
    /// The document was not in UTF-8. The originals of its entries are.
    Recoded,
}

impl FindingReason {
    /// Whether what has this reason was read and is in no entry, by decision.
    #[must_use]
    pub fn is_left_out(self) -> bool {
        matches!(
            self,
            Self::SubjectUnknown
                | Self::OtherSubject
                | Self::SeveralSubjects
                | Self::Unreferenced
                | Self::Deleted
        )
    }

    /// Whether what has this reason could not be read, so that it is in no entry.
    #[must_use]
    pub fn is_unreadable(self) -> bool {
        matches!(
            self,
            Self::NotJson | Self::CutOff | Self::LoneSurrogate | Self::NotAResource | Self::ResourceTooLarge
        )
    }
}

impl fmt::Display for FindingReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeptRaw => "no kind of its own; kept as it came",
            Self::Malformed => "not what FHIR R4 has here; kept in the original only",
            Self::TooLarge => "too long or repeated too often for a field; kept in the original only",
            Self::ModifierExtension => "changes the meaning of what holds it; read the original",
            Self::ImplicitRules => "asks for rules that are not known here; read the original",
            Self::NotUnderstood => "changes the meaning and is not understood; read the original",
            Self::Masked => "masked or missing in the source; the original says why",
            Self::UnknownStatus => "not a status that FHIR R4 has here",
            Self::EnteredInError => "was entered in error",
            Self::NotCarried => "kept in the original only",
            Self::NotTaken => "not read, because it is no resource; NOT in the vault",
            Self::NoResource => "an entry of the bundle without a resource",
            Self::NotJson => "not JSON; left out",
            Self::CutOff => "seems to be cut off; left out; fetch it again",
            Self::LoneSurrogate => "holds half of a character (a \\u escape without its pair); left out",
            Self::NotAResource => "no FHIR resource (it has no resourceType); left out",
            Self::ResourceTooLarge => "larger than 48 MiB, more than an entry may be; left out",
            Self::NoType => "what should be a resource has no type; kept as it came",
            Self::SameTwice => "the same resource twice; taken once",
            Self::SameIdentity => "another resource has the same identity; both are kept",
            Self::SubjectUnknown => "it is not clear whose this is; left out",
            Self::OtherSubject => "about somebody or something other than the patient; left out",
            Self::SeveralSubjects => "about several people; left out",
            Self::Unreferenced => "names nobody, and nothing that was taken refers to it; left out",
            Self::NamesNobody => "names nobody; taken, because nobody else is named",
            Self::SubjectDecided => "it is not clear whose this is; taken, as you decided",
            Self::KnownByReference => "the patient is only referred to: no name, no birth date",
            Self::Deleted => "was deleted in its source; left out",
            Self::MorePages => {
                "the file is one part of a larger export: ask for the other parts and import them too"
            }
            Self::Refused => "its server refused to give this: ask for it again",
            Self::DeletionNotLookedUp => {
                "deleted in its source; too many deletions to look each up: import fewer at a time"
            }
            Self::NamedOtherwise => "shows another name than the patient's: perhaps somebody else's record",
            Self::Encrypted => "encrypted in the document; kept as it came, and not read",
            Self::WordsDiffer => {
                "the words for its code are not those of the text that belongs to it: one of them is wrong; ask the \
                 sender"
            }
            Self::HeadingsOnly => "says no more than its entries; its headings are NOT in the vault",
            Self::Recoded => "was not in UTF-8; its originals are kept in UTF-8",
            Self::FileDamaged => {
                "the file cannot be decoded, and is in the original only: ask the sender again"
            }
            Self::FileDiffers => "not that of the file here, which may be damaged or another: ask the sender",
            Self::NotBelieved => {
                "an export of a vault says more of this than a file can know; that was not taken: only who \
                 exported it can say that it is their own"
            }
            Self::ClaimsNothing => {
                "what an export of a vault says beside a record fits none here: the file was changed since; that \
                 was not taken"
            }
            Self::EmptyEntry => "an empty entry, where a record may be missing: ask the sender",
        })
    }
}

/// Gathers findings, one per path and reason.
#[derive(Default)]
pub(crate) struct Findings(RefCell<BTreeMap<(String, FindingReason), usize>>);

impl Findings {
    /// Different paths that are told apart; input chooses names, so they are bounded.
    const LIMIT: usize = 10_000;

    pub(crate) fn add(&self, path: String, reason: FindingReason) {
        self.add_times(path, reason, 1);
    }

    pub(crate) fn add_times(&self, path: String, reason: FindingReason, times: usize) {
        let mut found = self.0.borrow_mut();
        let full = found.len() >= Self::LIMIT;
        match found.get_mut(&(path.clone(), reason)) {
            Some(count) => *count += times,
            None if full => *found.entry(("…".to_owned(), reason)).or_default() += times,
            None => {
                found.insert((path, reason), times);
            }
        }
    }

    pub(crate) fn into_list(self) -> Vec<Finding> {
        let found = self.0.into_inner().into_iter();
        found.map(|((path, reason), count)| Finding { path, reason, count }).collect()
    }
}
