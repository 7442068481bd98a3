//! Policies: which entries leave, and which of their fields.
//!
//! A policy starts from nothing. Field names are checked when they are named, so
//! that a misspelt mask never means "not masked".

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use subrosa_excerpt::Audience;
use thiserror::Error;

use super::beside::belongs_to_a_result;
use super::view::WithheldReason;
use crate::codec::json::{Json, Object};
use crate::id::EntryId;
use crate::record::{Coding, DateRange, FieldName, FieldType, Kind, PartialDate, Token};

/// What a policy does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mask {
    /// Released, with all its parts.
    Keep,
    /// Withheld.
    Withhold,
    /// Released with the year of each date only.
    Year,
}

impl Mask {
    #[cfg(feature = "serde")]
    pub(super) const ALL: [Self; 3] = [Self::Keep, Self::Withhold, Self::Year];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Withhold => "withhold",
            Self::Year => "year",
        }
    }
}

/// Why a policy cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No kind of record has a field of this name.
    #[error("no kind of record has the field {field:?}; there are: {known}")]
    UnknownField {
        /// The name that was given.
        field: String,
        /// The names that there are.
        known: String,
    },
    /// The field holds no dates, so there is no year to keep.
    #[error("the field {field} holds no dates; withhold it instead")]
    NoYear {
        /// The field.
        field: &'static str,
    },
    /// The original bytes would show what a mask hides.
    #[error("the original document shows every field, so it cannot be released beside a mask")]
    SourceDefeatsMasks,
}

/// A code, or the beginning of codes, that entries must have.
///
/// ```
/// use subrosa::release::CodeFilter;
///
/// let depression: CodeFilter = "http://hl7.org/fhir/sid/icd-10-cm|F33*".parse()?;
/// assert_eq!(depression.to_string(), "http://hl7.org/fhir/sid/icd-10-cm|F33*");
/// # Ok::<(), subrosa::release::ParseCodeFilterError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CodeFilter {
    pub(super) system: Option<String>,
    pub(super) code: String,
    pub(super) is_prefix: bool,
}

/// A text that is not a code filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("write a code as CODE, PREFIX*, SYSTEM|CODE or SYSTEM|PREFIX*")]
pub struct ParseCodeFilterError;

impl CodeFilter {
    /// Exactly this code of this code system.
    #[must_use]
    pub fn exact(system: impl Into<String>, code: impl Into<String>) -> Self {
        Self { system: Some(system.into()), code: code.into(), is_prefix: false }
    }

    /// Codes of this code system that begin so. Prefixes know no hierarchy:
    /// they mean something in ICD-10, nothing in SNOMED CT.
    #[must_use]
    pub fn prefix(system: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self { system: Some(system.into()), code: prefix.into(), is_prefix: true }
    }

    /// Whether a coding passes.
    #[must_use]
    pub fn matches(&self, coding: &Coding) -> bool {
        let code = coding.code.as_ref().map(Token::as_str);
        let matches = |code: &str| match self.is_prefix {
            true => code.starts_with(&self.code),
            false => code == self.code,
        };
        self.can_judge(coding) && code.is_some_and(matches)
    }

    /// Whether a coding is of the system that the filter is about.
    pub(super) fn can_judge(&self, coding: &Coding) -> bool {
        let system = coding.system.as_ref().map(Token::as_str);
        self.system.is_none() || self.system.as_deref() == system
    }
}

impl FromStr for CodeFilter {
    type Err = ParseCodeFilterError;

    fn from_str(text: &str) -> Result<Self, ParseCodeFilterError> {
        let (system, code) = match text.rsplit_once('|') {
            Some((system, code)) => (Some(system.to_owned()), code),
            None => (None, text),
        };
        let (code, is_prefix) = match code.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (code, false),
        };
        if code.is_empty() || code.contains('*') || system.as_deref() == Some("") {
            return Err(ParseCodeFilterError);
        }
        Ok(Self { system, code: code.to_owned(), is_prefix })
    }
}

impl fmt::Display for CodeFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(system) = &self.system {
            write!(f, "{system}|")?;
        }
        f.write_str(&self.code)?;
        f.write_str(if self.is_prefix { "*" } else { "" })
    }
}

/// What leaves the vault: a selection of entries and masks over their fields.
///
/// A policy denies by default. A new one releases nothing, and an entry that it selects
/// gives only its coded and short fields. Free text, attachments, identifiers, ways to
/// reach people, references into the source and the original document leave only if
/// [`Policy::include`] names them. The excerpt names the patient, so that the recipient
/// knows whom it is about. It gives the date of birth if `birth_date` is included, or if
/// the [`Audience`] is not a third party. Masks over `names` and `birth_date` apply here
/// too.
///
/// A third party gets the codes of a coded value, and the short names that published code
/// systems give them. Any other words beside a code are free text. An entry stays if its
/// meaning was not understood, or if its source calls it entered in error. A result stays
/// if words stay beside it that may take it back. The patient, and those who treat the
/// patient, get those words with the result.
///
/// ```
/// use subrosa::{Kind, Mask, Policy};
///
/// let policy = Policy::everything_of([Kind::Diagnosis, Kind::Medication])
///     .since("2019".parse()?)
///     .mask("onset", Mask::Year)?
///     .mask("body_sites", Mask::Withhold)?;
/// # let _ = policy;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Policy {
    pub(super) kinds: BTreeSet<Kind>,
    pub(super) entries: BTreeSet<EntryId>,
    pub(super) codes: Vec<CodeFilter>,
    pub(super) since: Option<PartialDate>,
    pub(super) until: Option<PartialDate>,
    pub(super) masks: BTreeMap<&'static str, Mask>,
    pub(super) audience: Audience,
    pub(super) bars: bool,
    pub(super) not_understood: bool,
    pub(super) not_understood_of: BTreeSet<EntryId>,
    pub(super) without_words: bool,
    pub(super) without_words_of: BTreeSet<EntryId>,
    pub(super) years: bool,
}

impl Policy {
    /// Releases nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Releases the entries of these kinds.
    #[must_use]
    pub fn everything_of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self { kinds: kinds.into_iter().collect(), ..Self::default() }
    }

    /// Releases these entries.
    #[must_use]
    pub fn only(entries: impl IntoIterator<Item = EntryId>) -> Self {
        Self { entries: entries.into_iter().collect(), ..Self::default() }
    }

    /// Releases only the year of every date, in any field. A mask over a field takes
    /// precedence. The subject's date of birth is not affected.
    #[must_use]
    pub fn dates_as_years(mut self) -> Self {
        self.years = true;
        self
    }

    /// Releases entries with this code, of the kinds that are named or, if none is, of any
    /// kind. Call it again to add another code.
    #[must_use]
    pub fn with_code(mut self, code: CodeFilter) -> Self {
        self.codes.push(code);
        self
    }

    /// Releases this entry too, whatever its kind, code and date.
    #[must_use]
    pub fn and_entry(mut self, entry: EntryId) -> Self {
        self.entries.insert(entry);
        self
    }

    /// Narrows the kinds and codes to entries that are certainly on or after this date.
    #[must_use]
    pub fn since(mut self, date: PartialDate) -> Self {
        self.since = Some(date);
        self
    }

    /// Narrows the kinds and codes to entries that are certainly on or before this date.
    #[must_use]
    pub fn until(mut self, date: PartialDate) -> Self {
        self.until = Some(date);
        self
    }

    /// Masks a field in every kind of record that has it. Besides the fields of
    /// [`Kind::schema`], every entry has these: `origin`, `provider`,
    /// `recorded`, `document`, `identity`, `labels` and `source`, the original bytes.
    /// A field is named by its name or its label, in whatever case ([`FieldName::find`]).
    ///
    /// # Errors
    /// [`PolicyError`] if no kind has the field, if a mask of years meets a field without
    /// dates, or if the original document would show what a mask hides.
    pub fn mask(mut self, field: &str, mask: Mask) -> Result<Self, PolicyError> {
        let field = known_field(field)?;
        if mask == Mask::Year && !has_dates(field) {
            return Err(PolicyError::NoYear { field });
        }
        self.masks.insert(field, mask);
        let hides = self.masks.iter().any(|(field, mask)| *field != SOURCE && *mask != Mask::Keep);
        if hides && self.masks.get(SOURCE) == Some(&Mask::Keep) {
            return Err(PolicyError::SourceDefeatsMasks);
        }
        Ok(self)
    }

    /// Releases a field that would be withheld: the same as [`Mask::Keep`].
    ///
    /// # Errors
    /// As [`Policy::mask`].
    pub fn include(self, field: &str) -> Result<Self, PolicyError> {
        self.mask(field, Mask::Keep)
    }

    /// Sets whom the release is for. The default is [`Audience::ThirdParty`].
    #[must_use]
    pub fn for_audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }

    /// Shows a black bar for each withheld field of a released entry. Without bars, a
    /// recipient does not learn that the entry has the field.
    #[must_use]
    pub fn with_bars(mut self) -> Self {
        self.bars = true;
        self
    }

    /// Also releases selected entries to third parties if a part that changes the meaning was
    /// not understood. They are marked so.
    #[must_use]
    pub fn with_not_understood(mut self) -> Self {
        self.not_understood = true;
        self
    }

    /// Also releases this entry to third parties, if it is selected, although a part that
    /// changes its meaning was not understood. It is marked so.
    #[must_use]
    pub fn with_not_understood_of(mut self, entry: EntryId) -> Self {
        self.not_understood_of.insert(entry);
        self
    }

    /// Whether an entry may leave although a part of it was not understood.
    pub(super) fn releases_not_understood(&self, entry: EntryId) -> bool {
        let is_decided = self.not_understood || self.not_understood_of.contains(&entry);
        self.audience != Audience::ThirdParty || is_decided
    }

    /// Also releases selected entries to third parties without the words beside their
    /// results, which may take the results back. They are marked so. To release the words
    /// too, [`Policy::include`] their fields.
    #[must_use]
    pub fn with_words_withheld(mut self) -> Self {
        self.without_words = true;
        self
    }

    /// Also releases this entry to third parties, if it is selected, without the words beside
    /// its result, which may take the result back. It is marked so.
    #[must_use]
    pub fn with_words_withheld_of(mut self, entry: EntryId) -> Self {
        self.without_words_of.insert(entry);
        self
    }

    /// Whether an entry may leave although words beside its result stay.
    pub(super) fn releases_without_words(&self, entry: EntryId) -> bool {
        self.without_words || self.without_words_of.contains(&entry)
    }

    /// Whether the words beside codes leave.
    pub(super) fn releases_words(&self) -> bool {
        self.audience != Audience::ThirdParty
    }

    pub(super) fn range(&self) -> DateRange {
        DateRange::new(self.since.clone(), self.until.clone())
    }

    /// What happens to a field, and why.
    pub(super) fn rule(&self, kind: Kind, field: &str, field_type: FieldType) -> Rule {
        match self.masks.get(field) {
            Some(Mask::Keep) => Rule::Keep,
            Some(Mask::Withhold) => Rule::Withhold(WithheldReason::Masked),
            Some(Mask::Year) => Rule::Year,
            None if self.years && is_date(kind, field) => Rule::Year,
            None => by_default(self.audience, kind, field, field_type),
        }
    }

    /// What was asked for, as recipients may read it: single entries are not named,
    /// nor masks over fields of which the recipient sees nothing.
    pub(super) fn summary(&self, is_seen: impl Fn(&str) -> bool) -> Object {
        let texts = |texts: Vec<String>| Json::Array(texts.into_iter().map(Json::String).collect());
        let mut summary = Object::default();
        summary.push("audience", Json::string(self.audience.name()));
        summary.push("kinds", texts(self.kinds.iter().map(|kind| kind.name().to_owned()).collect()));
        summary.push("codes", texts(self.codes.iter().map(CodeFilter::to_string).collect()));
        for (name, date) in [("since", &self.since), ("until", &self.until)] {
            if let Some(date) = date {
                summary.push(name, Json::string(date.as_str()));
            }
        }
        let masks = self.masks.iter().filter(|(field, _)| is_seen(field));
        let masks = masks.map(|(field, mask)| (*field, mask.name()));
        let kinds = Kind::all().iter().filter(|_| self.years);
        let dates = kinds.flat_map(|kind| kind.schema().iter().map(|field| (*kind, field.name)));
        let dates = dates.filter(|(kind, field)| is_date(*kind, field) && is_seen(field));
        // A mask that was asked for by name goes before.
        let dates = dates.map(|(_, field)| (field, Mask::Year.name()));
        let masks: BTreeMap<&str, &str> = dates.chain(masks).collect();
        let masks = masks.into_iter().map(|(field, mask)| (field.to_owned(), Json::string(mask)));
        summary.push("masks", Json::Object(Object::new(masks.collect())));
        summary.push("single_entries", Json::Bool(!self.entries.is_empty()));
        summary
    }
}

impl fmt::Debug for CodeFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeFilter")
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Policy")
    }
}

fn is_date(kind: Kind, field: &str) -> bool {
    kind != Kind::Patient && kind.field(field).is_some_and(|field| field.field_type == FieldType::Date)
}

/// What happens to a field of a released entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Released with all its parts: it was asked for by name.
    Keep,
    /// Released with the parts that leave by default.
    Default,
    /// Released, dates as years.
    Year,
    /// Withheld.
    Withhold(WithheldReason),
}

/// The original bytes.
pub(super) const SOURCE: &str = "source";

/// The fields of a patient that say whom an entry is about, and no more.
const PATIENT_BY_DEFAULT: [&str; 3] = ["names", "birth_date", "gender"];

fn by_default(audience: Audience, kind: Kind, field: &str, field_type: FieldType) -> Rule {
    use WithheldReason::{Attachment, FreeText, Identity, SourceReference};
    let reason = match (kind, field, field_type) {
        (kind, field, FieldType::Narrative) if audience != Audience::ThirdParty => {
            // Whoever relies on a result has to see what its author wrote beside it.
            if belongs_to_a_result(kind, field) {
                return Rule::Default;
            }
            FreeText
        }
        (_, _, FieldType::Narrative) => FreeText,
        (_, _, FieldType::Attachment) => Attachment,
        (_, _, FieldType::Address | FieldType::Telecom | FieldType::Identifier) => Identity,
        (_, "contacts", _) | (Kind::FamilyHistory, "name" | "born", _) => Identity,
        (Kind::Provider, "birth_date" | "gender", _) => Identity,
        (Kind::Patient, "birth_date", _) if audience == Audience::ThirdParty => Identity,
        (Kind::Patient, field, _) if !PATIENT_BY_DEFAULT.contains(&field) => Identity,
        (_, "encounter" | "targets", _) => SourceReference,
        _ => return Rule::Default,
    };
    Rule::Withhold(reason)
}

fn schemas(field: &str) -> impl Iterator<Item = FieldType> {
    Kind::all().iter().filter_map(move |kind| kind.field(field)).map(|schema| schema.field_type)
}

fn has_dates(field: &str) -> bool {
    field == "recorded"
        || schemas(field).any(|field_type| {
            matches!(field_type, FieldType::Date | FieldType::Component | FieldType::Attachment)
        })
}

fn known_field(field: &str) -> Result<&'static str, PolicyError> {
    FieldName::find(field).map(|found| found.name).ok_or_else(|| PolicyError::UnknownField {
        field: field.chars().take(64).collect(),
        known: FieldName::all().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    })
}
