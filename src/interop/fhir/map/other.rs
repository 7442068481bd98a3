//! What has no kind of its own: what can be said of any resource, and whether it happened.

use super::super::element::Element;
use super::provider::provider;
use super::words::word;
use crate::record::{Concept, Other, Record, Token};

/// How far a request goes (FHIR's request intent), and what a claim is for, in any version.
const INTENT: [&str; 16] = [
    "proposal",
    "plan",
    "directive",
    "order",
    "original-order",
    "reflex-order",
    "filler-order",
    "instance-order",
    "option",
    "unknown",
    "claim",
    "complete",
    "preauthorization",
    "predetermination",
    "proposed",
    "exploratory",
];

pub(super) fn other(root: &Element<'_>) -> Record {
    let (start, end) = root.period(if root.has("period") { "period" } else { "billablePeriod" });
    let dated = [
        "date",
        "authoredOn",
        "created",
        "recorded",
        "issued",
        "dateTime",
        "occurrenceDateTime",
        "startDate",
    ];
    let date = dated.into_iter().find(|name| root.plain(name).is_some()).and_then(|name| root.date(name));
    let is_consent = root.path() == "Consent";
    Other {
        resource_type: root.token("resourceType"),
        code: ["code", "type", "description", "event"].into_iter().find_map(|name| coded(root, name)),
        status: status(root),
        start: start.or(date),
        end,
        title: ["title", "name"]
            .into_iter()
            .find(|name| root.plain(name).is_some())
            .and_then(|name| root.token(name)),
        categories: categories(root, is_consent),
        author: provider(root),
        text: Vec::new(),
        intent: intent(root),
        do_not_perform: root.acted_on("doNotPerform"),
        decision: if is_consent { decision(root) } else { None },
    }
    .into()
}

/// A concept, where the type of the element is not known: not reported when it is none.
fn coded(root: &Element<'_>, name: &str) -> Option<Concept> {
    if root.plain(name).is_some() { None } else { root.concept(name) }
}

/// The status word, or that the record is not in use where that is said by a flag.
fn status(root: &Element<'_>) -> Option<Token> {
    let name = if root.has("status") { "status" } else { "lifecycleStatus" };
    root.said_status(name).or_else(|| match root.boolean("active") {
        Some(false) => {
            root.settle("active");
            word("inactive")
        }
        _ => None,
    })
}

fn categories(root: &Element<'_>, is_consent: bool) -> Vec<Concept> {
    let mut found = if coded(root, "category").is_some() { root.concepts("category") } else { Vec::new() };
    if is_consent {
        found.extend(root.concepts("scope"));
    }
    found
}

fn intent(root: &Element<'_>) -> Option<Token> {
    let is_claim = matches!(root.path(), "Claim" | "ClaimResponse" | "ExplanationOfBenefit");
    let name = if is_claim { "use" } else { "intent" };
    let intent = root.said_status(name)?;
    if !INTENT.contains(&intent.as_str()) {
        root.not_understood(name);
    }
    Some(intent)
}

/// Whether a consent permits or denies: by a word of its own (R5), by its rule (R4), or by
/// the policy that it names (R4, STU3). What limits a denial is not carried, so it is marked.
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
