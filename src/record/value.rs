//! The closed set of values that a record's fields hold, after FHIR R4's data types.
//!
//! Nothing here prints its content through `Debug`, and nothing nests deeper than
//! a component's scalar.

use std::fmt;

use subrosa_base::schema::FieldType;

use super::date::PartialDate;
use super::fold::fold;
use super::text::{Narrative, Token};
use crate::crypto::content_digest::ContentDigest;

pub(crate) use crate::secret::redacted_debug;

/// One value of a record's field.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A coded value.
    Concept(Concept),
    /// A date as precise as it was written.
    Date(PartialDate),
    /// A short text.
    Token(Token),
    /// Free text.
    Narrative(Narrative),
    /// A measured amount.
    Quantity(Quantity),
    /// Yes or no.
    Boolean(bool),
    /// A person or organization that acts in the record.
    Party(Party),
    /// A person's name.
    Name(HumanName),
    /// A postal address.
    Address(Address),
    /// A telephone number, mail address or the like.
    Telecom(Telecom),
    /// A number that somebody gave: medical record number, licence.
    Identifier(Identifier),
    /// A document or picture.
    Attachment(Attachment),
    /// A part of a result: a question and its answer.
    Component(Component),
}

/// A code from a code system (FHIR `Coding`).
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Coding {
    /// The code system's URI, such as `http://snomed.info/sct`.
    pub system: Option<Token>,
    /// The version of the code system.
    pub version: Option<Token>,
    /// The code.
    pub code: Option<Token>,
    /// What the code means, in words.
    pub display: Option<Token>,
}

/// A meaning as codes, words or both (FHIR `CodeableConcept`).
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Concept {
    /// The same meaning in one or more code systems.
    pub codings: Vec<Coding>,
    /// The meaning in words, as the author wrote or chose it.
    pub text: Option<Token>,
}

impl Concept {
    /// A concept in words only.
    #[must_use]
    pub fn from_text(text: Token) -> Self {
        Self { codings: Vec::new(), text: Some(text) }
    }

    /// A concept of one coding.
    #[must_use]
    pub fn from_coding(coding: Coding) -> Self {
        Self { codings: vec![coding], text: None }
    }

    /// Whether two concepts may be the same: they have a coding or words in common. What
    /// has neither codes nor words says nothing against it.
    #[must_use]
    pub fn may_mean(&self, other: &Self) -> bool {
        let codes = |concept: &Self| {
            let codings = concept.codings.iter().filter(|coding| coding.code.is_some());
            codings.map(|coding| (coding.system.clone(), coding.code.clone())).collect::<Vec<_>>()
        };
        let words = |concept: &Self| {
            let displays = concept.codings.iter().filter_map(|coding| coding.display.as_ref());
            let words = displays.chain(concept.text.as_ref());
            words.map(|words| fold(words.as_str().trim())).collect::<Vec<_>>()
        };
        let ((codes, words), (others, other_words)) =
            ((codes(self), words(self)), (codes(other), words(other)));
        let says_nothing = |codes: &[_], words: &[String]| codes.is_empty() && words.is_empty();
        says_nothing(&codes, &words)
            || says_nothing(&others, &other_words)
            || codes.iter().any(|code| others.contains(code))
            || words.iter().any(|words| other_words.contains(words))
    }

    /// A title for people: the first display, else the text, else the first code.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        let display = self.codings.iter().find_map(|coding| coding.display.as_ref());
        let code = || self.codings.iter().find_map(|coding| coding.code.as_ref());
        display.or(self.text.as_ref()).or_else(code).map(Token::as_str)
    }
}

/// A measured amount (FHIR `Quantity`). The number keeps the text it was written
/// with: `6.1000` claims another precision than `6.1`.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Quantity {
    /// The decimal number as written.
    pub value: Option<Token>,
    /// `<`, `<=`, `>=` or `>`, if the value is a bound.
    pub comparator: Option<Token>,
    /// The unit in words.
    pub unit: Option<Token>,
    /// The system of the unit's code, mostly UCUM.
    pub system: Option<Token>,
    /// The unit's code.
    pub code: Option<Token>,
}

/// A person or organization that acts in the record: provider, facility, author.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Party {
    /// The name.
    pub name: Option<Token>,
    /// In what role the party acted.
    pub role: Option<Token>,
    /// Where the source keeps the party, such as `Practitioner/12`.
    pub reference: Option<Token>,
    /// Numbers that the party goes by.
    pub identifiers: Vec<Identifier>,
    /// Ways to reach the party.
    pub contact: Vec<Telecom>,
}

/// A person's name (FHIR `HumanName`).
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HumanName {
    /// `official`, `usual`, `maiden`, …
    pub purpose: Option<Token>,
    /// The whole name as it is to be shown.
    pub text: Option<Token>,
    /// Family name.
    pub family: Option<Token>,
    /// Given names, in order.
    pub given: Vec<Token>,
    /// What stands before the name.
    pub prefix: Vec<Token>,
    /// What stands behind the name.
    pub suffix: Vec<Token>,
}

impl HumanName {
    /// The whole name in one line.
    #[must_use]
    pub fn to_line(&self) -> Option<String> {
        if let Some(text) = &self.text {
            return Some(text.as_str().to_owned());
        }
        let parts = self.prefix.iter().chain(&self.given).chain(&self.family).chain(&self.suffix);
        let line = parts.map(Token::as_str).collect::<Vec<_>>().join(" ");
        (!line.is_empty()).then_some(line)
    }
}

/// A postal address (FHIR `Address`).
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Address {
    /// `home`, `work`, `old`, …
    pub purpose: Option<Token>,
    /// The whole address as it is to be shown.
    pub text: Option<Token>,
    /// Street, number and the like, in order.
    pub lines: Vec<Token>,
    /// City or town.
    pub city: Option<Token>,
    /// District or county.
    pub district: Option<Token>,
    /// State or province.
    pub state: Option<Token>,
    /// Postal code.
    pub postal_code: Option<Token>,
    /// Country.
    pub country: Option<Token>,
}

/// A way to reach somebody (FHIR `ContactPoint`).
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Telecom {
    /// `phone`, `email`, …
    pub system: Option<Token>,
    /// The number or address.
    pub value: Option<Token>,
    /// `home`, `work`, `mobile`, …
    pub purpose: Option<Token>,
}

/// A number that somebody gave (FHIR `Identifier`).
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Identifier {
    /// Who gives such numbers, as a URI.
    pub system: Option<Token>,
    /// The number.
    pub value: Option<Token>,
    /// What sort of number, such as `MR`.
    pub sort: Option<Token>,
}

/// A document or picture (FHIR `Attachment`).
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Attachment {
    /// The media type (RFC 6838).
    pub content_type: Option<Token>,
    /// A title.
    pub title: Option<Token>,
    /// When it was made.
    pub created: Option<PartialDate>,
    /// How many bytes it has.
    pub size: Option<u64>,
    /// Where its bytes are.
    pub location: Option<Location>,
}

/// Where the bytes of an attachment are.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// Here.
    Inline(Vec<u8>),
    /// In the entry's source: the JSON Pointer (RFC 6901) of a base64 string. The number of one
    /// of the source's files, from 0, goes before it where it points into that, as in `0/data`.
    InSource(Token),
    /// Outside the vault, at this address.
    External(Token),
    /// In the vault, in the compartment of the entry: what the bytes are known by.
    Stored(ContentDigest),
}

/// A part of a result: what was asked or measured, and the answer.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Component {
    /// What was asked or measured.
    pub code: Concept,
    /// The answer, if there is one.
    pub value: Option<Scalar>,
}

/// The value of a component.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scalar {
    /// A coded answer.
    Concept(Concept),
    /// A measured amount.
    Quantity(Quantity),
    /// A date.
    Date(PartialDate),
    /// Words.
    Text(Narrative),
    /// Yes or no.
    Boolean(bool),
}

redacted_debug!(
    Coding, Concept, Quantity, Party, HumanName, Address, Telecom, Identifier, Attachment, Location,
    Component, Scalar,
);

impl Value {
    /// The type of the value.
    #[must_use]
    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Concept(_) => FieldType::Concept,
            Self::Date(_) => FieldType::Date,
            Self::Token(_) => FieldType::Token,
            Self::Narrative(_) => FieldType::Narrative,
            Self::Quantity(_) => FieldType::Quantity,
            Self::Boolean(_) => FieldType::Boolean,
            Self::Party(_) => FieldType::Party,
            Self::Name(_) => FieldType::Name,
            Self::Address(_) => FieldType::Address,
            Self::Telecom(_) => FieldType::Telecom,
            Self::Identifier(_) => FieldType::Identifier,
            Self::Attachment(_) => FieldType::Attachment,
            Self::Component(_) => FieldType::Component,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value::{:?}", self.field_type())
    }
}
