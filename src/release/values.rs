//! Values of fields as claims.
//!
//! A date is an object of the date and its year, so that either verifies alone.
//! A quantity is one claim: a number must not lose its unit or comparator.

use super::claims::{Claim, ClaimValue};
use crate::codec::json::{Json, Object};
use crate::record::{
    Address, Coding, Component, Concept, HumanName, Identifier, PartialDate, Party, Quantity, Scalar,
    Telecom, Token,
};

/// How much of a released value leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detail {
    /// All parts, because the field was asked for by name.
    pub(super) all: bool,
    /// Dates as years.
    pub(super) year: bool,
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
    ClaimValue::Array(items.into_iter().map(|item| Claim::disclosable(item, true)).collect())
}

/// A date: both forms are committed to, one leaves.
pub(super) fn date(date: &PartialDate, detail: Detail) -> ClaimValue {
    let year = format!("{:04}", date.year());
    Members::default()
        .with("date", string(date.as_str()), !detail.year)
        .with("year", string(&year), detail.year)
        .into_claim()
}

/// A coded value.
pub(super) fn concept(concept: &Concept) -> ClaimValue {
    let mut members = Members::default();
    if !concept.codings.is_empty() {
        members = members.with("codings", array(concept.codings.iter().map(coding)), true);
    }
    members.text("text", concept.text.as_ref(), true).into_claim()
}

/// A code from a code system.
pub(super) fn coding(coding: &Coding) -> ClaimValue {
    Members::default()
        .text("system", coding.system.as_ref(), true)
        .text("version", coding.version.as_ref(), true)
        .text("code", coding.code.as_ref(), true)
        .text("display", coding.display.as_ref(), true)
        .into_claim()
}

/// A party: by default its name and role.
pub(super) fn party(party: &Party, detail: Detail) -> ClaimValue {
    let mut members = Members::default()
        .text("name", party.name.as_ref(), true)
        .text("role", party.role.as_ref(), true)
        .text("reference", party.reference.as_ref(), detail.all);
    if !party.identifiers.is_empty() {
        members = members.with("identifiers", array(party.identifiers.iter().map(identifier)), detail.all);
    }
    if !party.contact.is_empty() {
        members = members.with("contact", array(party.contact.iter().map(telecom)), detail.all);
    }
    members.into_claim()
}

/// A part of a result, and whether its answer is free text that does not leave.
pub(super) fn component(component: &Component, detail: Detail) -> (ClaimValue, bool) {
    let is_text = matches!(component.value, Some(Scalar::Text(_)));
    let members = Members::default().with("code", concept(&component.code), true);
    let members = match &component.value {
        Some(value) => members.with("value", scalar(value, detail), detail.all || !is_text),
        None => members,
    };
    (members.into_claim(), is_text && !detail.all)
}

fn scalar(value: &Scalar, detail: Detail) -> ClaimValue {
    match value {
        Scalar::Concept(value) => concept(value),
        Scalar::Quantity(value) => quantity(value),
        Scalar::Date(value) => date(value, detail),
        Scalar::Text(value) => string(value.as_str()),
        Scalar::Boolean(value) => ClaimValue::Whole(Json::Bool(*value)),
    }
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
