//! An entry as a FHIR R4 resource: each field where R4 has a place for it.
//!
//! What R4 demands and an entry does not say is said to be unknown. What R4 has no place for
//! stands in words in the resource's text, and exactly in the claims beside it.

mod care;
mod documents;
mod findings;
mod medication;
mod people;

use super::written::Written;
use crate::codec::json::Json;
use crate::record::Record;

/// The resource, valid by R4.
pub(super) fn resource(written: &Written<'_>) -> Json {
    match &written.entry.record {
        Record::Diagnosis(record) => care::diagnosis(written, record),
        Record::Treatment(record) => care::treatment(written, record),
        Record::Medication(record) => medication::medication(written, record),
        Record::Hospitalization(record) => care::hospitalization(written, record),
        Record::Encounter(record) => care::encounter(written, record),
        Record::Allergy(record) => care::allergy(written, record),
        Record::Immunization(record) => care::immunization(written, record),
        Record::SubstanceUse(record) => findings::substance_use(written, record),
        Record::FamilyHistory(record) => findings::family_history(written, record),
        Record::Assessment(record) => findings::assessment(written, record),
        Record::Observation(record) => findings::observation(written, record),
        Record::Note(record) => documents::note(written, record),
        Record::LegalDocument(record) => documents::legal_document(written, record),
        Record::AdvanceDirective(record) => documents::advance_directive(written, record),
        Record::Statement(record) => documents::statement(written, record),
        Record::Attachment(record) => documents::attachment(written, record),
        Record::Other(record) => documents::other(written, record),
        Record::Patient(record) => people::patient(written, record),
        Record::Provider(record) => people::provider(written, record),
    }
}
