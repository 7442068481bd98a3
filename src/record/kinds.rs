//! The table of kinds: the one place where a kind or a field is added.
//!
//! Numbers and tags are stored in vaults. A new kind or field takes the next free
//! one; none is reused or changes its type or meaning.

use std::fmt;

use super::date::PartialDate;
use super::field::{Field, FieldRef, FieldSchema, Member, Refusal};
use super::search::Needle;
use super::table::{Span, kinds};
use super::text::{Narrative, Token};
use super::value::{
    Address, Attachment, Component, Concept, HumanName, Identifier, Party, Quantity, Telecom, Value,
    redacted_debug,
};

kinds! {
    /// A diagnosis or a problem on the problem list (FHIR `Condition`).
    1 "diagnosis" Diagnosis Diagnosis (
        code: [code], start: [onset recorded], end: [abatement], open,
        provider: [asserter recorder], title: []
    ) {
        /// What was diagnosed.
        1 code: Option<Concept>;
        /// `active`, `recurrence`, `relapse`, `inactive`, `remission` or `resolved`.
        2 clinical_status: Option<Token>;
        /// `confirmed`, `provisional`, `differential`, `refuted`, `entered-in-error`, …
        3 verification_status: Option<Token>;
        /// Problem list item, encounter diagnosis, …
        4 categories: Vec<Concept>;
        /// How severe it is.
        5 severity: Option<Concept>;
        /// Where in the body.
        6 body_sites: Vec<Concept>;
        /// When it began.
        7 onset: Option<PartialDate>;
        /// The latest moment at which it may have begun, where the source gives a period.
        8 onset_latest: Option<PartialDate>;
        /// When it began, in words or as an age.
        9 onset_text: Option<Narrative>;
        /// When it ended.
        10 abatement: Option<PartialDate>;
        /// How or when it ended, in words or as an age.
        11 abatement_text: Option<Narrative>;
        /// When it was recorded.
        12 recorded: Option<PartialDate>;
        /// Who recorded it.
        13 recorder: Option<Party>;
        /// Who says so.
        14 asserter: Option<Party>;
        /// Clinical stages or grades.
        15 stages: Vec<Concept>;
        /// Findings that support it.
        16 evidence: Vec<Concept>;
        /// The encounter it was made in, as the source refers to it.
        17 encounter: Option<Token>;
        /// Notes about it.
        18 notes: Vec<Narrative>;
    }

    /// A treatment: a procedure, a therapy session or a care plan (FHIR `Procedure`, `CarePlan`).
    2 "treatment" Treatment Treatment (
        code: [code categories], start: [start], end: [end], point,
        provider: [performers location], title: [title]
    ) {
        /// `procedure`, `therapy-session` or `care-plan`.
        1 form: Option<Token>;
        /// What was done or is planned.
        2 code: Option<Concept>;
        /// `completed`, `in-progress`, `active`, `not-done`, …
        3 status: Option<Token>;
        /// Sorts of treatment.
        4 categories: Vec<Concept>;
        /// When it was done or began.
        5 start: Option<PartialDate>;
        /// When it ended or is to end.
        6 end: Option<PartialDate>;
        /// When it was done, in words or as an age.
        7 time_text: Option<Narrative>;
        /// Who did it or is to do it.
        8 performers: Vec<Party>;
        /// Where it was done.
        9 location: Option<Party>;
        /// Why it was done.
        10 reasons: Vec<Concept>;
        /// Where in the body.
        11 body_sites: Vec<Concept>;
        /// What came of it.
        12 outcome: Option<Concept>;
        /// A title, mostly of a care plan.
        13 title: Option<Token>;
        /// What it is about.
        14 description: Option<Narrative>;
        /// `plan`, `order`, `proposal`, …
        15 intent: Option<Token>;
        /// What it is to reach.
        16 goals: Vec<Narrative>;
        /// What it consists of.
        17 activities: Vec<Concept>;
        /// What went wrong.
        18 complications: Vec<Concept>;
        /// What is to be done after it.
        19 follow_up: Vec<Concept>;
        /// Why it stands as it does.
        20 status_reason: Option<Concept>;
        /// When it was written down.
        21 created: Option<PartialDate>;
        /// Who wrote it down.
        22 recorder: Option<Party>;
        /// The encounter it was part of, as the source refers to it.
        23 encounter: Option<Token>;
        /// Notes about it.
        24 notes: Vec<Narrative>;
        /// Whether it is an order not to do it.
        25 do_not_perform: Option<bool>;
    }

    /// A medication: prescribed, dispensed, given or taken (FHIR `MedicationRequest`, `MedicationStatement`, `MedicationDispense`, `MedicationAdministration`).
    3 "medication" Medication Medication (
        code: [code], start: [start authored], end: [end], open,
        provider: [prescriber performers], title: []
    ) {
        /// The medicine.
        1 code: Option<Concept>;
        /// `request`, `statement`, `dispense` or `administration`.
        2 form: Option<Token>;
        /// `active`, `completed`, `stopped`, …
        3 status: Option<Token>;
        /// `order`, `plan`, …
        4 intent: Option<Token>;
        /// Inpatient, outpatient, community, …
        5 categories: Vec<Concept>;
        /// When it was prescribed or reported.
        6 authored: Option<PartialDate>;
        /// When it was or is first taken.
        7 start: Option<PartialDate>;
        /// When it was or is last taken.
        8 end: Option<PartialDate>;
        /// How to take it, in words.
        9 dosages: Vec<Narrative>;
        /// How much at a time.
        10 doses: Vec<Quantity>;
        /// By what route.
        11 routes: Vec<Concept>;
        /// Whether it is taken only when needed.
        12 as_needed: Option<bool>;
        /// Who prescribed it.
        13 prescriber: Option<Party>;
        /// Who dispensed or gave it.
        14 performers: Vec<Party>;
        /// Why it is taken.
        15 reasons: Vec<Concept>;
        /// How much was dispensed or is to be.
        16 quantity: Option<Quantity>;
        /// How many refills are allowed.
        17 refills: Option<Token>;
        /// Why it stands as it does.
        18 status_reasons: Vec<Concept>;
        /// The encounter it was ordered in, as the source refers to it.
        19 encounter: Option<Token>;
        /// Notes about it.
        20 notes: Vec<Narrative>;
        /// Its ingredients.
        21 components: Vec<Concept>;
        /// Whether it is an order not to give it.
        22 do_not_perform: Option<bool>;
    }

    /// A stay in a hospital (FHIR `Encounter` of an inpatient class).
    4 "hospitalization" Hospitalization Hospitalization (
        code: [types reasons class], start: [admission], end: [discharge], open,
        provider: [facility participants], title: []
    ) {
        /// When it began.
        1 admission: Option<PartialDate>;
        /// When it ended.
        2 discharge: Option<PartialDate>;
        /// `voluntary` or `involuntary`, or the word that the law uses.
        3 legal_status: Option<Token>;
        /// The hospital.
        4 facility: Option<Party>;
        /// Why the patient was admitted.
        5 reasons: Vec<Concept>;
        /// Where the patient went.
        6 discharge_disposition: Option<Concept>;
        /// `finished`, `in-progress`, …
        7 status: Option<Token>;
        /// Inpatient, acute, …
        8 class: Option<Concept>;
        /// What sort of stay.
        9 types: Vec<Concept>;
        /// What service.
        10 service_type: Option<Concept>;
        /// From where the patient came.
        11 admit_source: Option<Concept>;
        /// Whether it is a readmission.
        12 readmission: Option<Concept>;
        /// Who took part in the care.
        13 participants: Vec<Party>;
        /// Wards, rooms and the like.
        14 locations: Vec<Party>;
        /// Diagnoses of the stay.
        15 diagnoses: Vec<Concept>;
        /// How urgent it was.
        16 priority: Option<Concept>;
        /// What the legal status rests on: order, certificate, consent.
        17 legal_basis: Option<Narrative>;
        /// Notes about it.
        18 notes: Vec<Narrative>;
    }

    /// A visit, a call or another contact with a provider (FHIR `Encounter`).
    5 "encounter" Encounter Encounter (
        code: [types reasons class], start: [start], end: [end], open,
        provider: [facility participants], title: []
    ) {
        /// When it began.
        1 start: Option<PartialDate>;
        /// When it ended.
        2 end: Option<PartialDate>;
        /// What sort of contact.
        3 types: Vec<Concept>;
        /// Ambulatory, emergency, virtual, …
        4 class: Option<Concept>;
        /// `finished`, `in-progress`, …
        5 status: Option<Token>;
        /// Why it took place.
        6 reasons: Vec<Concept>;
        /// The organization.
        7 facility: Option<Party>;
        /// Who took part.
        8 participants: Vec<Party>;
        /// Where it took place.
        9 locations: Vec<Party>;
        /// What service.
        10 service_type: Option<Concept>;
        /// Diagnoses of the contact.
        11 diagnoses: Vec<Concept>;
        /// How urgent it was.
        12 priority: Option<Concept>;
        /// Notes about it.
        13 notes: Vec<Narrative>;
        /// Where the patient went.
        14 discharge_disposition: Option<Concept>;
    }

    /// A clinical note or report (FHIR `DocumentReference`, `DiagnosticReport`, `Composition`).
    6 "note" Note Note (
        code: [code categories], start: [start date], end: [end], point,
        provider: [authors custodian], title: [title]
    ) {
        /// `progress`, `psychotherapy`, `discharge-summary` or `other`.
        1 form: Option<Token>;
        /// What sort of document.
        2 code: Option<Concept>;
        /// `current`, `final`, `superseded`, …
        3 status: Option<Token>;
        /// When it was written.
        4 date: Option<PartialDate>;
        /// When what it describes began.
        5 start: Option<PartialDate>;
        /// When what it describes ended.
        6 end: Option<PartialDate>;
        /// Who wrote it.
        7 authors: Vec<Party>;
        /// Who keeps the original.
        8 custodian: Option<Party>;
        /// A title.
        9 title: Option<Token>;
        /// The text.
        10 text: Vec<Narrative>;
        /// The document itself.
        11 attachments: Vec<Attachment>;
        /// Sorts of document.
        12 categories: Vec<Concept>;
        /// Coded conclusions.
        13 conclusions: Vec<Concept>;
        /// The encounter it is about, as the source refers to it.
        14 encounter: Option<Token>;
        /// Where it was written.
        15 facility: Option<Party>;
    }

    /// Use of alcohol, tobacco or drugs, as a history says it.
    7 "substance-use" SubstanceUse SubstanceUse (
        code: [code], start: [start], end: [end], point,
        provider: [performers], title: []
    ) {
        /// The substance, or what was asked.
        1 code: Option<Concept>;
        /// `current`, `former`, `never`, or the source's word.
        2 status: Option<Token>;
        /// What was found, coded.
        3 finding: Option<Concept>;
        /// How much.
        4 amount: Option<Quantity>;
        /// How often, in words.
        5 frequency: Option<Narrative>;
        /// When it began or was found.
        6 start: Option<PartialDate>;
        /// When it ended.
        7 end: Option<PartialDate>;
        /// When it was recorded.
        8 recorded: Option<PartialDate>;
        /// Who found it.
        9 performers: Vec<Party>;
        /// Further questions and answers.
        10 details: Vec<Component>;
        /// What was found, in words.
        11 text: Option<Narrative>;
        /// The encounter it was found in, as the source refers to it.
        12 encounter: Option<Token>;
        /// Notes about it.
        13 notes: Vec<Narrative>;
        /// Sorts of finding.
        14 categories: Vec<Concept>;
    }

    /// What a relative had (FHIR `FamilyMemberHistory`).
    8 "family-history" FamilyHistory FamilyHistory (
        code: [conditions], start: [date], end: [], point,
        provider: [], title: [relationship]
    ) {
        /// How the relative is related.
        1 relationship: Option<Concept>;
        /// The relative's name.
        2 name: Option<Token>;
        /// The relative's sex.
        3 sex: Option<Concept>;
        /// What the relative had.
        4 conditions: Vec<Concept>;
        /// Onset and outcome of a condition: its code and the answer.
        5 details: Vec<Component>;
        /// When it was recorded.
        6 date: Option<PartialDate>;
        /// `completed`, `partial`, …
        7 status: Option<Token>;
        /// When the relative was born.
        8 born: Option<PartialDate>;
        /// Whether the relative has died.
        9 deceased: Option<bool>;
        /// When the relative died.
        10 deceased_date: Option<PartialDate>;
        /// The relative's age, in words.
        11 age: Option<Narrative>;
        /// Why it was recorded.
        12 reasons: Vec<Concept>;
        /// Notes about it.
        13 notes: Vec<Narrative>;
    }

    /// An assessment with an instrument and its score (PHQ-9, GAD-7, AUDIT-C, …).
    9 "assessment" Assessment Assessment (
        code: [instrument], start: [date], end: [end], point,
        provider: [performers], title: [title]
    ) {
        /// The instrument.
        1 instrument: Option<Concept>;
        /// `final`, `completed`, …
        2 status: Option<Token>;
        /// When it was taken.
        3 date: Option<PartialDate>;
        /// When it ended, where it took a period.
        4 end: Option<PartialDate>;
        /// The score.
        5 score: Option<Quantity>;
        /// The score, in words.
        6 score_text: Option<Narrative>;
        /// What the score means.
        7 interpretations: Vec<Concept>;
        /// The questions and answers.
        8 items: Vec<Component>;
        /// Who assessed.
        9 performers: Vec<Party>;
        /// Sorts of assessment.
        10 categories: Vec<Concept>;
        /// The encounter it was part of, as the source refers to it.
        11 encounter: Option<Token>;
        /// Notes about it.
        12 notes: Vec<Narrative>;
        /// A title, such as the address of the questionnaire.
        13 title: Option<Token>;
        /// When it was made available.
        14 recorded: Option<PartialDate>;
    }

    /// An allergy or intolerance (FHIR `AllergyIntolerance`).
    10 "allergy" Allergy Allergy (
        code: [code], start: [onset recorded], end: [], open,
        provider: [asserter recorder], title: []
    ) {
        /// What the patient reacts to.
        1 code: Option<Concept>;
        /// `active`, `inactive` or `resolved`.
        2 clinical_status: Option<Token>;
        /// `confirmed`, `unconfirmed`, `refuted`, …
        3 verification_status: Option<Token>;
        /// `allergy` or `intolerance`.
        4 sort: Option<Token>;
        /// `food`, `medication`, `environment` or `biologic`.
        5 categories: Vec<Token>;
        /// `low`, `high` or `unable-to-assess`.
        6 criticality: Option<Token>;
        /// When it began.
        7 onset: Option<PartialDate>;
        /// When it began, in words or as an age.
        8 onset_text: Option<Narrative>;
        /// When it was recorded.
        9 recorded: Option<PartialDate>;
        /// When the patient last reacted.
        10 last_occurrence: Option<PartialDate>;
        /// What the patient reacted to in particular.
        11 substances: Vec<Concept>;
        /// How the patient reacted.
        12 manifestations: Vec<Concept>;
        /// How severely the patient reacted.
        13 severities: Vec<Token>;
        /// Who recorded it.
        14 recorder: Option<Party>;
        /// Who says so.
        15 asserter: Option<Party>;
        /// The encounter it was found in, as the source refers to it.
        16 encounter: Option<Token>;
        /// Notes about it.
        17 notes: Vec<Narrative>;
    }

    /// An immunization, given or not (FHIR `Immunization`).
    11 "immunization" Immunization Immunization (
        code: [code], start: [occurrence], end: [], point,
        provider: [performers location], title: []
    ) {
        /// The vaccine.
        1 code: Option<Concept>;
        /// `completed`, `not-done` or `entered-in-error`.
        2 status: Option<Token>;
        /// Why it was not done.
        3 status_reason: Option<Concept>;
        /// When it was given.
        4 occurrence: Option<PartialDate>;
        /// When it was given, in words.
        5 occurrence_text: Option<Narrative>;
        /// When it was recorded.
        6 recorded: Option<PartialDate>;
        /// Who gave it.
        7 performers: Vec<Party>;
        /// Where it was given.
        8 location: Option<Party>;
        /// Who made it.
        9 manufacturer: Option<Party>;
        /// The lot number.
        10 lot: Option<Token>;
        /// When the vaccine expires.
        11 expires: Option<PartialDate>;
        /// Where in the body.
        12 site: Option<Concept>;
        /// By what route.
        13 route: Option<Concept>;
        /// How much.
        14 dose: Option<Quantity>;
        /// Why it was given.
        15 reasons: Vec<Concept>;
        /// Whether who reports it gave it.
        16 primary_source: Option<bool>;
        /// Against what.
        17 target_diseases: Vec<Concept>;
        /// Which dose of a series.
        18 dose_number: Option<Token>;
        /// The encounter it was part of, as the source refers to it.
        19 encounter: Option<Token>;
        /// Notes about it.
        20 notes: Vec<Narrative>;
        /// Whether less was given than is needed to protect.
        21 subpotent: Option<bool>;
    }

    /// A measurement or finding (FHIR `Observation`, `DiagnosticReport`).
    12 "observation" Observation Observation (
        code: [code], start: [start issued], end: [end], point,
        provider: [performers], title: []
    ) {
        /// What was measured or looked for.
        1 code: Option<Concept>;
        /// `final`, `amended`, `preliminary`, …
        2 status: Option<Token>;
        /// Vital signs, laboratory, …
        3 categories: Vec<Concept>;
        /// When it was so, or began.
        4 start: Option<PartialDate>;
        /// When it ended.
        5 end: Option<PartialDate>;
        /// When the result was made available.
        6 issued: Option<PartialDate>;
        /// The result as an amount.
        7 quantity: Option<Quantity>;
        /// The result as a code.
        8 concept: Option<Concept>;
        /// The result in words.
        9 text: Option<Narrative>;
        /// The result as a date.
        10 date: Option<PartialDate>;
        /// The result as yes or no.
        11 boolean: Option<bool>;
        /// The parts of the result.
        12 components: Vec<Component>;
        /// High, low, normal, …
        13 interpretations: Vec<Concept>;
        /// What is usual, in words.
        14 reference_ranges: Vec<Narrative>;
        /// Who found it.
        15 performers: Vec<Party>;
        /// How it was found.
        16 method: Option<Concept>;
        /// Where in the body.
        17 body_site: Option<Concept>;
        /// Why there is no result.
        18 absent_reason: Option<Concept>;
        /// The encounter it was part of, as the source refers to it.
        19 encounter: Option<Token>;
        /// The report itself.
        20 attachments: Vec<Attachment>;
        /// Coded conclusions.
        21 conclusions: Vec<Concept>;
        /// Notes about it.
        22 notes: Vec<Narrative>;
    }

    /// A document of the law: court order, petition, certificate.
    13 "legal-document" LegalDocument LegalDocument (
        code: [code], start: [issued effective], end: [], point,
        provider: [court], title: [title form]
    ) {
        /// `court-order`, `petition`, `certificate` or `other`.
        1 form: Option<Token>;
        /// What sort of document.
        2 code: Option<Concept>;
        /// A title.
        3 title: Option<Token>;
        /// The court or authority.
        4 court: Option<Party>;
        /// The docket or case number.
        5 docket: Option<Token>;
        /// Who signed it.
        6 judge: Option<Party>;
        /// When it was issued.
        7 issued: Option<PartialDate>;
        /// When its effect begins.
        8 effective: Option<PartialDate>;
        /// When its effect ends.
        9 expires: Option<PartialDate>;
        /// What it covers.
        10 scope: Option<Narrative>;
        /// Who it names.
        11 parties: Vec<Party>;
        /// `in-force`, `expired`, `vacated`, …
        12 status: Option<Token>;
        /// The document itself.
        13 attachments: Vec<Attachment>;
        /// Notes about it.
        14 notes: Vec<Narrative>;
    }

    /// An advance directive or a crisis plan.
    14 "advance-directive" AdvanceDirective AdvanceDirective (
        code: [code], start: [signed effective], end: [expires], open,
        provider: [], title: [title form]
    ) {
        /// `advance-directive` or `crisis-plan`.
        1 form: Option<Token>;
        /// What sort of directive.
        2 code: Option<Concept>;
        /// `active`, `revoked`, …
        3 status: Option<Token>;
        /// A title.
        4 title: Option<Token>;
        /// When it was signed.
        5 signed: Option<PartialDate>;
        /// When its effect begins.
        6 effective: Option<PartialDate>;
        /// When its effect ends.
        7 expires: Option<PartialDate>;
        /// Who is to decide or to be called.
        8 agents: Vec<Party>;
        /// The wishes.
        9 text: Vec<Narrative>;
        /// The document itself.
        10 attachments: Vec<Attachment>;
        /// Notes about it.
        11 notes: Vec<Narrative>;
    }

    /// A clinician's statement: a letter that says no more than what it is asked for.
    15 "statement" Statement Statement (
        code: [code], start: [date], end: [], point,
        provider: [author], title: [title]
    ) {
        /// Who states it.
        1 author: Option<Party>;
        /// When it was written.
        2 date: Option<PartialDate>;
        /// A title.
        3 title: Option<Token>;
        /// The text.
        4 text: Vec<Narrative>;
        /// What sort of statement.
        5 code: Option<Concept>;
        /// To whom it is written.
        6 recipient: Option<Party>;
        /// The letter itself.
        7 attachments: Vec<Attachment>;
        /// Until when it holds.
        8 expires: Option<PartialDate>;
    }

    /// The patient (FHIR `Patient`).
    16 "patient" Patient Patient (
        code: [], start: [], end: [], point,
        provider: [general_practitioners managing_organization], title: [names]
    ) {
        /// Names.
        1 names: Vec<HumanName>;
        /// Record numbers and the like.
        2 identifiers: Vec<Identifier>;
        /// Date of birth.
        3 birth_date: Option<PartialDate>;
        /// Administrative gender.
        4 gender: Option<Token>;
        /// Sex as recorded at birth.
        5 birth_sex: Option<Token>;
        /// Addresses.
        6 addresses: Vec<Address>;
        /// Ways to reach the patient.
        7 telecoms: Vec<Telecom>;
        /// Marital status.
        8 marital_status: Option<Concept>;
        /// Languages, the preferred first.
        9 languages: Vec<Concept>;
        /// Whether the patient has died.
        10 deceased: Option<bool>;
        /// When the patient died.
        11 deceased_date: Option<PartialDate>;
        /// Race, as US Core records it.
        12 races: Vec<Concept>;
        /// Ethnicity, as US Core records it.
        13 ethnicities: Vec<Concept>;
        /// Whom to call.
        14 contacts: Vec<Party>;
        /// Who cares for the patient.
        15 general_practitioners: Vec<Party>;
        /// Who keeps the record.
        16 managing_organization: Option<Party>;
        /// Whether the record is in use.
        17 active: Option<bool>;
        /// Pictures.
        18 photos: Vec<Attachment>;
        /// Gender identity.
        19 gender_identity: Option<Concept>;
        /// Place of birth.
        20 birth_place: Option<Address>;
    }

    /// A person or organization that provides care (FHIR `Practitioner`, `Organization`).
    17 "provider" Provider Provider (
        code: [types specialties], start: [], end: [], point,
        provider: [], title: [name names]
    ) {
        /// `practitioner`, `organization`, `practitioner-role` or `location`.
        1 form: Option<Token>;
        /// The name of an organization or place.
        2 name: Option<Token>;
        /// The names of a person.
        3 names: Vec<HumanName>;
        /// NPI and other numbers.
        4 identifiers: Vec<Identifier>;
        /// Ways to reach the provider.
        5 telecoms: Vec<Telecom>;
        /// Addresses.
        6 addresses: Vec<Address>;
        /// What sort of organization.
        7 types: Vec<Concept>;
        /// What the provider is qualified or specialised in.
        8 specialties: Vec<Concept>;
        /// Whether the record is in use.
        9 active: Option<bool>;
        /// The organization that it belongs to.
        10 part_of: Option<Party>;
        /// Administrative gender.
        11 gender: Option<Token>;
        /// Date of birth.
        12 birth_date: Option<PartialDate>;
        /// Whom to call.
        13 contacts: Vec<Party>;
        /// Languages.
        14 languages: Vec<Concept>;
    }

    /// A document of its own: a scan, a picture, a file.
    18 "attachment" Attachment AttachmentRecord (
        code: [code], start: [date], end: [], point,
        provider: [author], title: [title content]
    ) {
        /// A title.
        1 title: Option<Token>;
        /// The bytes.
        2 content: Vec<Attachment>;
        /// What sort of document.
        3 code: Option<Concept>;
        /// When it was made.
        4 date: Option<PartialDate>;
        /// Who made it.
        5 author: Option<Party>;
        /// Notes about it.
        6 notes: Vec<Narrative>;
    }

    /// What has no kind of its own, kept as it came.
    19 "other" Other Other (
        code: [code categories], start: [start], end: [end], point,
        provider: [author], title: [title resource_type]
    ) {
        /// What the source calls it, such as `Claim`.
        1 resource_type: Option<Token>;
        /// What it is about.
        2 code: Option<Concept>;
        /// The source's status word.
        3 status: Option<Token>;
        /// When it was so, or began.
        4 start: Option<PartialDate>;
        /// When it ended.
        5 end: Option<PartialDate>;
        /// A title.
        6 title: Option<Token>;
        /// Sorts of it.
        7 categories: Vec<Concept>;
        /// Who wrote it or acted.
        8 author: Option<Party>;
        /// What it says, in words.
        9 text: Vec<Narrative>;
        /// How far it goes: `proposal`, `plan`, `order`; of a claim, what it is for.
        10 intent: Option<Token>;
        /// Whether it is asked not to be done.
        11 do_not_perform: Option<bool>;
        /// Whether it permits or denies, of a consent: `permit` or `deny`.
        12 decision: Option<Token>;
    }
}

impl Kind {
    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().iter().copied().find(|kind| kind.name() == name)
    }

    /// The kind of this number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Self> {
        Self::all().iter().copied().find(|kind| kind.number() == number)
    }

    /// The field of this name.
    #[must_use]
    pub fn field(self, name: &str) -> Option<&'static FieldSchema> {
        self.schema().iter().find(|field| field.name == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record::{:?}", self.kind())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::record::FieldError;

    fn token(text: &str) -> Token {
        Token::new(text).unwrap()
    }

    #[test]
    fn names_numbers_and_tags_are_unique_and_sorted() {
        let mut numbers = HashSet::new();
        for &kind in Kind::all() {
            assert!(numbers.insert(kind.number()));
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
            assert_eq!(Kind::from_number(kind.number()), Some(kind));
            assert!(kind.schema().windows(2).all(|pair| pair[0].tag < pair[1].tag), "{kind}");
            let names: HashSet<_> = kind.schema().iter().map(|field| field.name).collect();
            assert_eq!(names.len(), kind.schema().len(), "{kind}");
            assert!(!kind.doc().is_empty() && kind.schema().iter().all(|field| !field.doc.is_empty()));
        }
        assert_eq!(Kind::from_number(0), None);
        assert_eq!(Kind::from_name("Diagnosis"), None);
    }

    #[test]
    fn fields_give_the_record_back() {
        let diagnosis = Diagnosis {
            code: Some(Concept::from_text(token("asthma"))),
            onset: Some("2019".parse().unwrap()),
            categories: vec![Concept::from_text(token("a")), Concept::from_text(token("b"))],
            ..Diagnosis::default()
        };
        let record = Record::from(diagnosis);
        let fields = record.fields();
        let keys: Vec<_> = fields.iter().map(|field| (field.tag, field.name, field.index)).collect();
        assert_eq!(keys, [(1, "code", 0), (4, "categories", 0), (4, "categories", 1), (7, "onset", 0)]);
        let triples = fields.into_iter().map(|field| (field.tag, field.index, field.value));
        assert_eq!(Record::from_fields(Kind::Diagnosis, triples), Ok(record));
    }

    #[test]
    fn fields_that_do_not_fit_are_refused() {
        let kind = Kind::Diagnosis;
        let concept = || Value::Concept(Concept::default());
        let read = |fields: Vec<(u16, u16, Value)>| Record::from_fields(kind, fields).err();
        assert_eq!(read(vec![(999, 0, concept())]), Some(FieldError::Unknown { kind, tag: 999 }));
        assert_eq!(read(vec![(1, 0, Value::Boolean(true))]), Some(FieldError::WrongType { kind, tag: 1 }));
        let twice = vec![(1, 0, concept()), (1, 0, concept())];
        assert_eq!(read(twice), Some(FieldError::OutOfOrder { kind, tag: 1, index: 0 }));
        assert_eq!(read(vec![(1, 1, concept())]), Some(FieldError::OutOfOrder { kind, tag: 1, index: 1 }));
        assert_eq!(read(vec![(4, 1, concept())]), Some(FieldError::OutOfOrder { kind, tag: 4, index: 1 }));
    }

    #[test]
    fn debug_prints_no_content() {
        let record = Record::from(Note { title: Some(token("secret")), ..Note::default() });
        assert_eq!(format!("{record:?}"), "Record::Note");
        assert!(!format!("{:?}", record.fields()).contains("secret"));
    }
}
