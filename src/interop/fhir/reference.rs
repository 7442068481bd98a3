//! References, read as what they mean: whoever or whatever the input has under them.

use super::element::Element;
use super::index::{Summary, contained};
use super::summary::summarize_within;
use crate::record::{Concept, Party, Token};

impl<'a> Element<'a> {
    pub(super) fn parties(&self, name: &str) -> Vec<Party> {
        self.elements(name).iter().filter_map(Element::as_party).collect()
    }

    pub(super) fn party(&self, name: &str) -> Option<Party> {
        self.child(name).and_then(|element| element.as_party())
    }

    /// A `Reference` to somebody, with the name that the input has for it.
    pub(super) fn as_party(&self) -> Option<Party> {
        let resolved = || self.resolved().and_then(|summary| summary.name);
        let party = Party {
            name: self.token("display").or_else(resolved),
            role: None,
            reference: self.token("reference"),
            identifiers: self.identifiers("identifier"),
            contact: Vec::new(),
        };
        (party != Party::default()).then_some(party)
    }

    /// What a `Reference` to a condition, medicine or the like means.
    pub(super) fn as_referenced_concept(&self) -> Option<Concept> {
        let resolved = self.resolved();
        if resolved.as_ref().is_some_and(|resolved| resolved.is_denied) {
            // Told without the denial, it would be asserted here.
            self.not_understood("");
        }
        let resolved = resolved.and_then(|resolved| resolved.concept);
        resolved.or_else(|| self.token("display").map(Concept::from_text))
    }

    /// What a `Reference` means, where what it names does not deny it.
    pub(super) fn asserted_concept(&self) -> Option<Concept> {
        self.resolved().filter(|resolved| !resolved.is_denied)?.concept
    }

    /// Whether what a `Reference` names denies what it is about.
    pub(super) fn is_denied(&self) -> bool {
        self.resolved().is_some_and(|resolved| resolved.is_denied)
    }

    pub(super) fn referenced_concepts(&self, name: &str) -> Vec<Concept> {
        self.elements(name).iter().filter_map(Element::as_referenced_concept).collect()
    }

    /// Every way to say why: coded and by reference, in FHIR R5 either in one element,
    /// in STU3 and DSTU2 by names of their own.
    pub(super) fn reasons(&self) -> Vec<Concept> {
        let mut reasons = self.concepts("reasonCode");
        reasons.extend(self.referenced_concepts("reasonReference"));
        reasons.extend(self.codeable_references("reason"));
        reasons.extend(self.concepts("reasonCodeableConcept"));
        reasons.extend(self.concepts("reasonForUseCodeableConcept"));
        reasons.extend(self.referenced_concepts("reasonForUseReference"));
        reasons
    }

    /// Concepts, references to what means one, or FHIR R5's `CodeableReference`s, which are
    /// either or both.
    pub(super) fn codeable_references(&self, name: &str) -> Vec<Concept> {
        let objects = self.values(name).into_iter().filter(|(_, value)| value.as_object().is_some());
        let items = objects.filter_map(|(position, value)| self.element(name, position, value));
        items.flat_map(|item| item.meanings()).collect()
    }

    /// What a concept, a reference to one, or FHIR R5's `CodeableReference` means.
    pub(super) fn meanings(&self) -> Vec<Concept> {
        let is_concept = ["coding", "code", "text"].into_iter().any(|name| self.has(name));
        if self.plain("reference").is_some() || self.has("display") && !is_concept {
            return self.as_referenced_concept().into_iter().collect();
        }
        if !self.has("concept") && !self.has("reference") {
            return self.as_concept().into_iter().collect();
        }
        let reference = self.child("reference").and_then(|reference| reference.as_referenced_concept());
        self.concept("concept").into_iter().chain(reference).collect()
    }

    /// The first of [`codeable_references`](Self::codeable_references).
    pub(super) fn codeable_reference(&self, name: &str) -> Option<Concept> {
        self.codeable_references(name).into_iter().next()
    }

    /// The encounter, for which STU3 has an element that may name an episode of care too.
    pub(super) fn encounter(&self) -> Option<Token> {
        let of_episode = |context: &Element<'_>| {
            context.plain("reference").is_some_and(|reference| reference.contains("EpisodeOfCare"))
        };
        let context = || self.child("context").filter(|context| !of_episode(context));
        self.reference("encounter").or_else(|| context()?.token("reference"))
    }

    /// Somebody in a role that the element's name says.
    pub(super) fn parties_as(&self, name: &str, role: &str) -> Vec<Party> {
        let role = Token::new(role).ok();
        self.parties(name).into_iter().map(|party| Party { role: role.clone(), ..party }).collect()
    }

    /// Those who take part: of each item whoever it refers to by one of these names, in the
    /// role that it gives by one of the others.
    pub(super) fn participants(&self, name: &str, who: &[&str], roles: &[&str]) -> Vec<Party> {
        let read = |item: &Element<'_>| {
            let party =
                who.iter().filter(|name| item.plain(name).is_none()).find_map(|name| item.party(name))?;
            let concepts =
                roles.iter().filter(|name| item.plain(name).is_none()).flat_map(|name| item.concepts(name));
            let role = concepts.into_iter().find_map(|role| Token::new(role.title()?).ok());
            Some(Party { role, ..party })
        };
        self.elements(name).iter().filter_map(read).collect()
    }

    /// The text of a reference.
    pub(super) fn reference(&self, name: &str) -> Option<Token> {
        self.child(name).and_then(|reference| reference.token("reference"))
    }

    /// The first object of this name, where it is no plain text.
    pub(super) fn child_unless_plain(&self, name: &str) -> Option<Element<'a>> {
        if self.plain(name).is_some() { None } else { self.child(name) }
    }

    fn resolved(&self) -> Option<Resolved> {
        let reference = self.plain("reference")?;
        if reference.starts_with('#') {
            let object = contained(self.context.resource, reference)?;
            let summary = summarize_within(object, self.context.reads);
            let Summary { name, concept, is_denied, .. } = summary;
            return Some(Resolved { name, concept, is_denied });
        }
        let summary = self.context.index.summary_of(reference, self.context.from)?;
        let (name, concept) = (summary.name.clone(), summary.concept.clone());
        Some(Resolved { name, concept, is_denied: summary.is_denied })
    }
}

struct Resolved {
    name: Option<Token>,
    concept: Option<Concept>,
    is_denied: bool,
}
