//! Who made a record, as a FHIR `Provenance` says.

use super::element::Element;
use crate::record::Party;

/// Elements that say who acted: R4 and R5 `who`, STU3 `whoReference`, DSTU2 `actor`.
const WHO: [&str; 4] = ["who", "whoReference", "actor", "reference"];

/// Codes by which an agent is the author (HL7 v3 ParticipationType, FHIR's and US Core's types).
const AUTHOR: [&str; 2] = ["AUT", "author"];

impl Element<'_> {
    /// Of an agent, who it is.
    pub(super) fn who(&self) -> Option<Party> {
        WHO.into_iter().filter(|name| self.plain(name).is_none()).find_map(|name| self.party(name))
    }

    /// The one agent that is called the author; `None` where there are several or none.
    pub(super) fn author_among_agents(&self) -> Option<Party> {
        let agents: Vec<_> = self.elements("agent").into_iter().filter(Element::is_author).collect();
        match agents.as_slice() {
            [agent] => agent.who(),
            _ => None,
        }
    }

    fn is_author(&self) -> bool {
        let concepts = ["type", "role"].into_iter().filter(|name| self.plain(name).is_none());
        let mut codings = concepts.flat_map(|name| self.concepts(name)).flat_map(|concept| concept.codings);
        codings.any(|coding| coding.code.is_some_and(|code| AUTHOR.contains(&code.as_str())))
    }
}
