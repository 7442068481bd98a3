//! Whether a record says that something is not so, was not done, or only may be so.
//!
//! What negates is part of what is negated: a title that leaves it out says the opposite.

use subrosa_base::schema::{ENTERED_IN_ERROR, denial};

use super::kinds::Record;
use super::text::Token;

/// That a record denies what its code names, or puts it off: "not given", "ruled out",
/// "entered in error".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Negation {
    /// Why, in words for people, the gravest first.
    pub words: Vec<&'static str>,
    /// The fields of the record that say so, in the order of the words.
    pub fields: Vec<&'static str>,
}

impl Negation {
    /// A title that cannot be read without the negation: `NOT GIVEN: Influenza vaccine`.
    #[must_use]
    pub fn entitle(&self, title: Option<&str>) -> String {
        let words = self.words.join(", ").to_uppercase();
        match title {
            Some(title) => format!("{words}: {title}"),
            None => words,
        }
    }
}

impl Record {
    /// How the record negates what it is about; `None` when it states it as so.
    #[must_use]
    pub fn negation(&self) -> Option<Negation> {
        let kind = self.kind();
        let mut found: Vec<(&str, &'static str)> = self
            .words_of_status()
            .into_iter()
            .filter_map(|(field, word)| Some((field, denial(kind, field, word?.as_str())?)))
            .collect();
        if let Some(flag) = self.negating_flag() {
            found.insert(0, flag);
        }
        found.extend(self.is_only_asked_for());
        found.sort_by_key(|(_, word)| *word != ENTERED_IN_ERROR);
        let words = found.iter().map(|(_, word)| *word).collect();
        let fields: Vec<_> = found.into_iter().map(|(field, _)| field).collect();
        (!fields.is_empty()).then_some(Negation { words, fields })
    }

    fn negating_flag(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Medication(item) if item.do_not_perform == Some(true) => {
                Some(("do_not_perform", "do not give"))
            }
            Self::Treatment(item) if item.do_not_perform == Some(true) => {
                Some(("do_not_perform", "do not do"))
            }
            Self::Other(item) if item.do_not_perform == Some(true) => Some(("do_not_perform", "do not do")),
            Self::Immunization(item) if item.subpotent == Some(true) => Some(("subpotent", "subpotent dose")),
            Self::Patient(item) if item.active == Some(false) => Some(("active", "record not in use")),
            Self::Provider(item) if item.active == Some(false) => Some(("active", "record not in use")),
            _ => None,
        }
    }

    /// What only the form or the type of the record says: that it asks for what it names.
    fn is_only_asked_for(&self) -> Option<(&'static str, &'static str)> {
        let is = |token: &Option<Token>, words: &[&str]| {
            token.as_ref().is_some_and(|token| words.contains(&token.as_str()))
        };
        match self {
            Self::Medication(item) if is(&item.form, &["dispense"]) && is(&item.status, &["in-progress"]) => {
                Some(("status", "not handed over"))
            }
            Self::Other(item) if is(&item.resource_type, &["Task"]) && is(&item.status, &["accepted"]) => {
                Some(("status", "not begun"))
            }
            Self::Other(item) if item.intent.is_none() && is(&item.resource_type, &REQUESTS) => {
                Some(("resource_type", "requested"))
            }
            _ => None,
        }
    }

    /// The fields whose word may negate the record.
    fn words_of_status(&self) -> Vec<(&'static str, Option<&Token>)> {
        let status = |word| vec![("status", word)];
        match self {
            Self::Diagnosis(item) => vec![("verification_status", item.verification_status.as_ref())],
            Self::Allergy(item) => vec![("verification_status", item.verification_status.as_ref())],
            Self::Medication(item) => {
                vec![("status", item.status.as_ref()), ("intent", item.intent.as_ref())]
            }
            Self::Treatment(item) => vec![("status", item.status.as_ref()), ("intent", item.intent.as_ref())],
            Self::Hospitalization(item) => status(item.status.as_ref()),
            Self::Encounter(item) => status(item.status.as_ref()),
            Self::Note(item) => status(item.status.as_ref()),
            Self::SubstanceUse(item) => status(item.status.as_ref()),
            Self::FamilyHistory(item) => status(item.status.as_ref()),
            Self::Assessment(item) => status(item.status.as_ref()),
            Self::Immunization(item) => status(item.status.as_ref()),
            Self::Observation(item) => status(item.status.as_ref()),
            Self::LegalDocument(item) => status(item.status.as_ref()),
            Self::AdvanceDirective(item) => status(item.status.as_ref()),
            Self::Other(item) => vec![
                ("decision", item.decision.as_ref()),
                ("status", item.status.as_ref()),
                ("intent", item.intent.as_ref()),
            ],
            Self::Statement(_) | Self::Patient(_) | Self::Provider(_) | Self::Attachment(_) => Vec::new(),
        }
    }
}

/// Resources that ask for something, of types that have no intent in some version of FHIR.
const REQUESTS: [&str; 14] = [
    "CommunicationRequest",
    "DeviceRequest",
    "DeviceUseRequest",
    "DiagnosticOrder",
    "MedicationOrder",
    "NutritionOrder",
    "Order",
    "ProcedureRequest",
    "ReferralRequest",
    "RequestGroup",
    "RequestOrchestration",
    "ServiceRequest",
    "SupplyRequest",
    "Task",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Diagnosis, Immunization, Medication, Other, SubstanceUse};

    fn word(text: &str) -> Option<Token> {
        Token::new(text).ok()
    }

    fn titled(record: impl Into<Record>) -> Option<String> {
        record.into().negation().map(|negation| negation.entitle(Some("it")))
    }

    #[test]
    fn what_is_denied_is_said_before_what_it_denies() {
        let status = |text| Immunization { status: word(text), ..Immunization::default() };
        assert_eq!(titled(status("not-done")).as_deref(), Some("NOT GIVEN: it"));
        assert_eq!(titled(status("Not Done")).as_deref(), Some("NOT GIVEN: it"));
        assert_eq!(titled(status("completed")), None);
        let forbidden =
            Medication { do_not_perform: Some(true), status: word("active"), ..Medication::default() };
        assert_eq!(titled(forbidden).as_deref(), Some("DO NOT GIVE: it"));
        let refuted = Diagnosis { verification_status: word("refuted"), ..Diagnosis::default() };
        assert_eq!(titled(refuted).as_deref(), Some("RULED OUT: it"));
        let never = SubstanceUse { status: word("never"), ..SubstanceUse::default() };
        assert_eq!(titled(never).as_deref(), Some("NEVER: it"));
        let mistake = Other { status: word("entered-in-error"), ..Other::default() };
        assert_eq!(titled(mistake).as_deref(), Some("ENTERED IN ERROR: it"));
    }

    #[test]
    fn every_field_that_negates_is_named() {
        let both = Medication {
            do_not_perform: Some(true),
            status: word("entered-in-error"),
            intent: word("proposal"),
            ..Medication::default()
        };
        let negation = Record::from(both).negation().unwrap();
        assert_eq!(negation.words, ["entered in error", "do not give", "proposed only"]);
        assert_eq!(negation.fields, ["status", "do_not_perform", "intent"]);
    }
}
