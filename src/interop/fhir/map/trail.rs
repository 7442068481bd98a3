//! Provenance and AuditEvent: who did what with records, as the source reports it.

use super::super::element::Element;
use super::other::{coded, common, concept_or_code, part};
use super::words::word;
use crate::record::{Coding, Component, Concept, Other, Party, Record, Scalar, Token};

pub(super) fn provenance(root: &Element<'_>) -> Record {
    let common = common(root);
    let (start, end) = root.period("occurredPeriod");
    let occurred = root.date("occurredDateTime").or(start);
    let mut parties = agents(root);
    parties.extend(root.parties_as("location", "location"));
    let mut reasons = common.reasons;
    reasons.extend(root.codeable_references("authorization"));
    Other {
        code: coded(root, "activity").or(common.code),
        recorded: root.date("recorded").filter(|_| occurred.is_some()),
        start: occurred.or(common.start),
        end: end.or(common.end),
        author: common.author.or_else(|| root.author_among_agents()),
        parties,
        reasons,
        targets: targets(root, "target"),
        ..common
    }
    .into()
}

fn agents(root: &Element<'_>) -> Vec<Party> {
    let mut found = Vec::new();
    for item in root.elements("agent") {
        found.extend(agent(&item));
        for name in ["onBehalfOf", "onBehalfOfReference"] {
            found.extend(item.parties_as(name, "on behalf of"));
        }
    }
    found
}

fn targets(root: &Element<'_>, name: &str) -> Vec<Token> {
    root.elements(name).iter().filter_map(|target| target.token("reference")).collect()
}

/// A disclosure or another event that the source reports. The vault's own ledger has nothing
/// of it.
pub(super) fn audit_event(root: &Element<'_>) -> Record {
    let common = common(root);
    let (start, end) = root.period("occurredPeriod");
    let occurred = root.date("occurredDateTime").or(start);
    let agents = root.elements("agent");
    let mut reasons = common.reasons;
    reasons.extend(root.concepts("purposeOfEvent"));
    reasons.extend(root.concepts("authorization"));
    for agent in &agents {
        for name in ["purposeOfUse", "authorization"] {
            reasons.extend(agent.concepts(name));
        }
    }
    let observers = root.elements("source");
    let observer = observers.iter().find_map(|source| source.party("observer"));
    let entities = root.elements("entity");
    let mut categories = common.categories;
    categories.extend(root.concepts("subtype"));
    let (outcome, has_failed) = outcome(root);
    Other {
        title: word("reported by source"),
        code: common.code.or_else(|| coded(root, "code")),
        status: if has_failed { word("failed") } else { common.status },
        recorded: root.date("recorded").filter(|_| occurred.is_some()),
        start: occurred.or(common.start),
        end: end.or(common.end),
        categories,
        author: common.author.or(observer),
        parties: agents.iter().filter_map(agent).collect(),
        reasons,
        outcome,
        notes: root.said_beside("outcomeDesc").into_iter().chain(common.notes).collect(),
        targets: entities.iter().flat_map(|entity| targets(entity, "what")).collect(),
        details: entities.iter().flat_map(labels).collect(),
        ..common
    }
    .into()
}

fn agent(agent: &Element<'_>) -> Option<Party> {
    let called = || agent.token("name").map(|name| Party { name: Some(name), ..Party::default() });
    let mut party = agent.who().or_else(called)?;
    if party.name.is_none() {
        party.name = agent.token("name");
    }
    let concepts = ["type", "role"].into_iter().filter(|name| agent.plain(name).is_none());
    let concepts = concepts.flat_map(|name| agent.concepts(name)).collect::<Vec<_>>();
    party.role = concepts.into_iter().find_map(|role| Token::new(role.title()?).ok());
    Some(party)
}

/// The labels of what was disclosed.
fn labels(entity: &Element<'_>) -> Vec<Component> {
    let concepts = entity.concepts("securityLabel").into_iter();
    concepts.map(|label| part("security label", Scalar::Concept(label))).collect()
}

/// What came of it, and whether it failed: what failed was not disclosed.
fn outcome(root: &Element<'_>) -> (Option<Concept>, bool) {
    let Some(code) = root.plain("outcome") else {
        let outcome = root.child("outcome");
        let concept = outcome.as_ref().and_then(|outcome| outcome.concept("code"));
        let is_failure = |coding: &Coding| {
            coding.code.as_ref().is_some_and(|code| matches!(code.as_str(), "fatal" | "error"))
        };
        let has_failed = concept.iter().flat_map(|concept| &concept.codings).any(is_failure);
        return (concept, has_failed);
    };
    let system = "http://terminology.hl7.org/CodeSystem/audit-event-outcome";
    (concept_or_code(root, "outcome", system), code != "0")
}
