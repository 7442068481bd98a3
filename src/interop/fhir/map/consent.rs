//! Consent: whether it permits or denies, and to whom.
//!
//! A denial never reads as a permission, and neither does a permission as a wider one than it
//! is: rules within the rule are marked.

use super::super::element::Element;
use super::clinical::period_in_words;
use super::other::{common, part, parts};
use super::words::word;
use crate::record::{Component, Other, Party, Record, Scalar, Token};

pub(super) fn consent(root: &Element<'_>) -> Record {
    let decision = decision(root);
    let common = common(root);
    // STU3 has at the top what later versions have in a rule.
    let rule = root.child("provision").filter(|_| !root.has("decision"));
    if rule.as_ref().is_some_and(|rule| rule.has("provision")) {
        root.not_understood("provision.provision");
    }
    let whole = rule.as_ref().unwrap_or(root);
    let mut parties = whole.participants("actor", &["reference"], &["role"]);
    let roles = [
        ("organization", "organization"),
        ("consentingParty", "consenting party"),
        ("performer", "performer"),
        ("grantor", "grantor"),
        ("grantee", "grantee"),
        ("manager", "manager"),
        ("controller", "controller"),
    ];
    parties.extend(roles.into_iter().flat_map(|(name, role)| root.parties_as(name, role)));
    let mut categories = common.categories;
    categories.extend(root.concepts("scope"));
    let mut details = limits(whole, rule.is_some());
    details.extend(parts(root, "policyRule", "policy rule"));
    details.extend(parts(root, "regulatoryBasis", "regulatory basis"));
    Other {
        categories,
        decision,
        details,
        parties: distinct(parties),
        attachments: root.attachments("sourceAttachment"),
        ..common
    }
    .into()
}

fn distinct(parties: Vec<Party>) -> Vec<Party> {
    let mut all: Vec<Party> = Vec::new();
    for party in parties {
        if !all.contains(&party) {
            all.push(party);
        }
    }
    all
}

/// What a rule is limited to.
fn limits(rule: &Element<'_>, is_rule: bool) -> Vec<Component> {
    const CODED: [(&str, &str); 6] = [
        ("action", "action"),
        ("purpose", "purpose"),
        ("class", "class"),
        ("documentType", "type of document"),
        ("resourceType", "type of record"),
        ("securityLabel", "security label"),
    ];
    let mut found: Vec<Component> = CODED
        .into_iter()
        .filter(|(element, _)| is_rule || *element != "resourceType")
        .flat_map(|(element, name)| parts(rule, element, name))
        .collect();
    if is_rule {
        found.extend(parts(rule, "code", "code"));
        found.extend(period(rule, "period", "valid"));
    }
    found.extend(period(rule, "dataPeriod", "records of"));
    found
}

fn period(rule: &Element<'_>, element: &str, name: &'static str) -> Option<Component> {
    let (start, end) = rule.period(element);
    period_in_words(start.as_ref(), end.as_ref()).map(|words| part(name, Scalar::Text(words)))
}

/// Whether a consent permits or denies: by a word of its own (R5), by its rule (R4), or by
/// the policy that it names (R4, STU3). What limits a denial may end it, so it is marked.
fn decision(root: &Element<'_>) -> Option<Token> {
    let rule = root.child("provision");
    let stated = root.said_status("decision").or_else(|| rule.as_ref()?.token("type"));
    let is_known = |decision: &Token| matches!(decision.as_str(), "permit" | "deny");
    if stated.as_ref().is_some_and(|decision| !is_known(decision)) {
        root.not_understood(if root.has("decision") { "decision" } else { "provision" });
    }
    let decision = stated.or_else(|| if opts_out(root) { word("deny") } else { None });
    let is_denied = decision.as_ref().is_some_and(|decision| decision.as_str() == "deny");
    // In R5 each rule is an exception to the decision.
    let limits =
        if root.has("decision") { rule.is_some() } else { is_denied && rule.is_some_and(has_limits) };
    if limits {
        root.not_understood("provision");
    }
    decision
}

fn has_limits(rule: Element<'_>) -> bool {
    !rule.is_only("type")
}

/// Whether the policy is to opt out. One with exceptions or restrictions is marked.
fn opts_out(root: &Element<'_>) -> bool {
    let of_address = |address: &str| address.ends_with("opt-out").then(|| "OPTOUT".to_owned());
    let address = root.plain("policyRule").and_then(of_address);
    let rule = if root.plain("policyRule").is_some() { None } else { root.child("policyRule") };
    let codings = rule.iter().flat_map(|rule| rule.elements("coding")).collect::<Vec<_>>();
    let codes = codings.iter().filter_map(|coding| coding.plain("code").map(str::to_owned));
    let codes: Vec<String> = codes.chain(address).collect();
    if codes.iter().any(|code| matches!(code.as_str(), "OPTOUTE" | "OPTINR")) {
        root.not_understood("policyRule");
    }
    codes.iter().any(|code| code.starts_with("OPTOUT"))
}
