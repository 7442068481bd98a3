//! Values of fields as claims.
//!
//! A date is an object of the date and its year, so that either verifies alone.
//! A quantity is one claim: a number must not lose its unit or comparator.

use subrosa_excerpt::claims::{Claim, ClaimValue};

use super::words::{denies_in_text, has_published_code, has_short_name, repeats_short_name, says_more_than};
use crate::codec::json::{Json, Object};
use crate::record::{
    Address, Coding, Component, Concept, HumanName, Identifier, PartialDate, Party, Quantity, Scalar,
    Telecom, Token,
};

/// How much of a released value leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    /// All parts, because the field was asked for by name.
    pub(super) all: bool,
    /// Dates as years.
    pub(super) year: bool,
    /// Words beside codes, whatever they say.
    pub(super) words: bool,
    /// Codes of which words stay that say more than the words that leave.
    pub(super) bare: bool,
}

/// A value as a claim, and what of its words does not leave.
pub(super) struct Spoken {
    pub(super) claim: ClaimValue,
    /// Some words stay.
    pub(super) withheld: bool,
    /// Words stay that say more of the value than those that leave: they may deny it.
    pub(super) says_more: bool,
}

impl Spoken {
    fn whole(claim: ClaimValue) -> Self {
        Self { claim, withheld: false, says_more: false }
    }
}

/// The members of an object claim, leaving out what is absent.
#[derive(Default)]
pub(super) struct Members(Vec<(String, Claim)>);

impl Members {
    pub(super) fn with(mut self, name: &str, value: ClaimValue, released: bool) -> Self {
        self.0.push((name.to_owned(), Claim::disclosable(value, released)));
        self
    }

    pub(super) fn text(self, name: &str, text: Option<&Token>, released: bool) -> Self {
        match text {
            Some(text) => self.with(name, string(text.as_str()), released),
            None => self,
        }
    }

    pub(super) fn into_claim(self) -> ClaimValue {
        ClaimValue::Object(self.0)
    }
}

/// A text as a claim.
pub(super) fn string(text: &str) -> ClaimValue {
    ClaimValue::Whole(Json::string(text))
}

/// Items that leave one by one.
pub(super) fn array(items: impl IntoIterator<Item = ClaimValue>) -> ClaimValue {
    let disclosed = |item: ClaimValue| {
        let says = item.says_anything();
        Claim::disclosable(item, says)
    };
    ClaimValue::Array(items.into_iter().map(disclosed).collect())
}

/// A date: both forms are committed to, one leaves.
pub(super) fn date(date: &PartialDate, extent: Extent) -> ClaimValue {
    let year = format!("{:04}", date.year());
    Members::default()
        .with("date", string(date.as_str()), !extent.year)
        .with("year", string(&year), extent.year)
        .into_claim()
}

/// A coded value.
pub(super) fn concept(concept: &Concept, extent: Extent) -> Spoken {
    let mut members = Members::default();
    let is_named = |coding: &Coding| extent.words || has_short_name(coding);
    let text_leaves = extent.words || repeats_short_name(concept);
    // A code whose withheld words deny it would assert it.
    let denies = concept.text.as_ref().is_some_and(|text| !text_leaves && denies_in_text(text))
        || concept
            .codings
            .iter()
            .any(|one| !is_named(one) && one.display.as_ref().is_some_and(denies_in_text));
    let displays = |named: bool| {
        let of = concept.codings.iter().filter(move |coding| is_named(coding) == named);
        of.filter_map(|coding| coding.display.as_ref())
    };
    let staying: Vec<&Token> =
        displays(false).chain(concept.text.as_ref().filter(|_| !text_leaves)).collect();
    let leaving: Vec<&Token> = displays(true).collect();
    let says_more = staying.iter().any(|words| says_more_than(words, &leaving));
    if !concept.codings.is_empty() {
        let codings = concept.codings.iter().map(|one| coding(one, is_named(one)));
        members = members.with("codings", array(codings), !denies && (extent.bare || !says_more));
    }
    let claim = members.text("text", concept.text.as_ref(), text_leaves).into_claim();
    Spoken { claim, withheld: !staying.is_empty(), says_more }
}

/// A code from a code system, and its name if that leaves.
pub(super) fn coding(coding: &Coding, named: bool) -> ClaimValue {
    Members::default()
        .text("system", coding.system.as_ref(), true)
        .text("version", coding.version.as_ref(), true)
        .text("code", coding.code.as_ref(), true)
        .text("display", coding.display.as_ref(), named)
        .into_claim()
}

/// A party: by default its name and role.
pub(super) fn party(party: &Party, extent: Extent) -> ClaimValue {
    let mut members = Members::default()
        .text("name", party.name.as_ref(), true)
        .text("role", party.role.as_ref(), true)
        .text("reference", party.reference.as_ref(), extent.all);
    if !party.identifiers.is_empty() {
        members = members.with("identifiers", array(party.identifiers.iter().map(identifier)), extent.all);
    }
    if !party.contact.is_empty() {
        members = members.with("contact", array(party.contact.iter().map(telecom)), extent.all);
    }
    members.into_claim()
}

/// A part of a result. Its words say more where its answer, or some of it, stays.
pub(super) fn component(component: &Component, extent: Extent) -> Spoken {
    let is_text = matches!(component.value, Some(Scalar::Text(_)));
    let question = concept(&component.code, Extent { bare: true, ..extent });
    // An answer without its question could be of any.
    let is_asked = question.claim.says_anything() && (extent.words || has_published_code(&component.code));
    let leaves = extent.all || is_asked && (!is_text || extent.words);
    let mut members = Members::default().with("code", question.claim, true);
    let (mut withheld, mut says_more) = (question.withheld, false);
    if let Some(value) = &component.value {
        let answer = scalar(value, extent);
        says_more = answer.says_more || !leaves;
        withheld |= answer.withheld || !leaves;
        members = members.with("value", answer.claim, leaves);
    }
    Spoken { claim: members.into_claim(), withheld, says_more }
}

fn scalar(value: &Scalar, extent: Extent) -> Spoken {
    let value = match value {
        Scalar::Concept(value) => return concept(value, extent),
        Scalar::Quantity(value) => quantity(value),
        Scalar::Date(value) => date(value, extent),
        Scalar::Text(value) => string(value.as_str()),
        Scalar::Boolean(value) => ClaimValue::Whole(Json::Bool(*value)),
    };
    Spoken::whole(value)
}

/// A measured amount, whole.
pub(super) fn quantity(quantity: &Quantity) -> ClaimValue {
    whole(&[
        ("value", quantity.value.as_ref()),
        ("comparator", quantity.comparator.as_ref()),
        ("unit", quantity.unit.as_ref()),
        ("system", quantity.system.as_ref()),
        ("code", quantity.code.as_ref()),
    ])
}

/// A person's name, whole.
pub(super) fn name(name: &HumanName) -> ClaimValue {
    with_lists(
        &[("purpose", name.purpose.as_ref()), ("text", name.text.as_ref()), ("family", name.family.as_ref())],
        &[("given", &name.given), ("prefix", &name.prefix), ("suffix", &name.suffix)],
    )
}

/// A postal address, whole.
pub(super) fn address(address: &Address) -> ClaimValue {
    with_lists(
        &[
            ("purpose", address.purpose.as_ref()),
            ("text", address.text.as_ref()),
            ("city", address.city.as_ref()),
            ("district", address.district.as_ref()),
            ("state", address.state.as_ref()),
            ("postal_code", address.postal_code.as_ref()),
            ("country", address.country.as_ref()),
        ],
        &[("lines", &address.lines)],
    )
}

/// A way to reach somebody, whole.
pub(super) fn telecom(telecom: &Telecom) -> ClaimValue {
    whole(&[
        ("system", telecom.system.as_ref()),
        ("value", telecom.value.as_ref()),
        ("purpose", telecom.purpose.as_ref()),
    ])
}

/// A number that somebody gave, whole.
pub(super) fn identifier(identifier: &Identifier) -> ClaimValue {
    whole(&[
        ("system", identifier.system.as_ref()),
        ("value", identifier.value.as_ref()),
        ("sort", identifier.sort.as_ref()),
    ])
}

fn whole(parts: &[(&str, Option<&Token>)]) -> ClaimValue {
    with_lists(parts, &[])
}

fn with_lists(parts: &[(&str, Option<&Token>)], lists: &[(&str, &Vec<Token>)]) -> ClaimValue {
    let text = |token: &Token| Json::string(token.as_str());
    let parts = parts.iter().filter_map(|(name, part)| Some(((*name).to_owned(), text((*part)?))));
    let lists = lists.iter().filter(|(_, list)| !list.is_empty());
    let lists = lists.map(|(name, list)| ((*name).to_owned(), Json::Array(list.iter().map(text).collect())));
    ClaimValue::Whole(Json::Object(Object::new(parts.chain(lists).collect())))
}
