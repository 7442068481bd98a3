//! The table of kinds: the one place where a kind or a field is added.
//!
//! Numbers and tags are stored in vaults. A new kind or field takes the next free
//! one; none is reused or changes its type or meaning. This crate makes the schema of
//! it, and the crate `subrosa` the structs.

/// Hands the table to a macro. Each kind reads
///
/// ```text
/// /// What it is.
/// NUMBER "name" "Label" Variant Struct (code: [members], start: [members], end: [members], span, title: [members]) {
///     /// What the field means.
///     TAG member "Label": Option<T> or Vec<T>;
/// }
/// ```
///
/// `code`, `start`, `end` and `title` list the members that listing looks at, in
/// order; `span` is `open` when a missing end means "still so, or not known", and
/// `point` when it means "the same moment".
#[doc(hidden)]
#[macro_export]
macro_rules! each_kind {
    ($then:ident) => {
        $then! {
        /// A diagnosis or a problem on the problem list (FHIR `Condition`).
        1 "diagnosis" "Diagnosis" Diagnosis Diagnosis (
            code: [code], start: [onset recorded], end: [abatement], open,
            provider: [asserter recorder], title: []
        ) {
            /// What was diagnosed.
            1 code "Coded as": Option<Concept>;
            /// `active`, `recurrence`, `relapse`, `inactive`, `remission` or `resolved`.
            2 clinical_status "Clinical status": Option<Token>;
            /// `confirmed`, `provisional`, `differential`, `refuted`, `entered-in-error`, …
            3 verification_status "Verification status": Option<Token>;
            /// Problem list item, encounter diagnosis, …
            4 categories "Categories": Vec<Concept>;
            /// How severe it is.
            5 severity "Severity": Option<Concept>;
            /// Where in the body.
            6 body_sites "Body sites": Vec<Concept>;
            /// When it began.
            7 onset "Began": Option<PartialDate>;
            /// The latest moment at which it may have begun, where the source gives a period.
            8 onset_latest "Began at the latest": Option<PartialDate>;
            /// When it began, in words or as an age.
            9 onset_text "Began, in words": Option<Narrative>;
            /// When it ended.
            10 abatement "Ended": Option<PartialDate>;
            /// How or when it ended, in words or as an age.
            11 abatement_text "Ended, in words": Option<Narrative>;
            /// When it was recorded.
            12 recorded "Recorded": Option<PartialDate>;
            /// Who recorded it.
            13 recorder "Recorder": Option<Party>;
            /// Who says so.
            14 asserter "Asserter": Option<Party>;
            /// Clinical stages or grades.
            15 stages "Stages": Vec<Concept>;
            /// Findings that support it.
            16 evidence "Evidence": Vec<Concept>;
            /// The encounter it was made in, as the source refers to it.
            17 encounter "Encounter": Option<Token>;
            /// Notes about it.
            18 notes "Notes": Vec<Narrative>;
        }

        /// A treatment: a procedure, a therapy session or a care plan (FHIR `Procedure`, `CarePlan`).
        2 "treatment" "Treatment" Treatment Treatment (
            code: [code categories], start: [start], end: [end], point,
            provider: [performers location], title: [title]
        ) {
            /// `procedure`, `therapy-session` or `care-plan`.
            1 form "Form": Option<Token>;
            /// What was done or is planned.
            2 code "Coded as": Option<Concept>;
            /// `completed`, `in-progress`, `active`, `not-done`, …
            3 status "Status": Option<Token>;
            /// Sorts of treatment.
            4 categories "Categories": Vec<Concept>;
            /// When it was done or began.
            5 start "Start": Option<PartialDate>;
            /// When it ended or is to end.
            6 end "End": Option<PartialDate>;
            /// When it was done, in words or as an age.
            7 time_text "Time text": Option<Narrative>;
            /// Who did it or is to do it.
            8 performers "Performers": Vec<Party>;
            /// Where it was done.
            9 location "Location": Option<Party>;
            /// Why it was done.
            10 reasons "Reasons": Vec<Concept>;
            /// Where in the body.
            11 body_sites "Body sites": Vec<Concept>;
            /// What came of it.
            12 outcome "Outcome": Option<Concept>;
            /// A title, mostly of a care plan.
            13 title "Title": Option<Token>;
            /// What it is about.
            14 description "Description": Option<Narrative>;
            /// `plan`, `order`, `proposal`, …
            15 intent "Intent": Option<Token>;
            /// What it is to reach.
            16 goals "Goals": Vec<Narrative>;
            /// What it consists of.
            17 activities "Activities": Vec<Concept>;
            /// What went wrong.
            18 complications "Complications": Vec<Concept>;
            /// What is to be done after it.
            19 follow_up "Follow up": Vec<Concept>;
            /// Why it stands as it does.
            20 status_reason "Status reason": Option<Concept>;
            /// When it was written down.
            21 created "Created": Option<PartialDate>;
            /// Who wrote it down.
            22 recorder "Recorder": Option<Party>;
            /// The encounter it was part of, as the source refers to it.
            23 encounter "Encounter": Option<Token>;
            /// Notes about it.
            24 notes "Notes": Vec<Narrative>;
            /// Whether it is an order not to do it.
            25 do_not_perform "Do not perform": Option<bool>;
        }

        /// A medication: prescribed, dispensed, given or taken (FHIR `MedicationRequest`, `MedicationStatement`, `MedicationDispense`, `MedicationAdministration`).
        3 "medication" "Medication" Medication Medication (
            code: [code], start: [start authored], end: [end], open,
            provider: [prescriber performers], title: []
        ) {
            /// The medicine.
            1 code "Coded as": Option<Concept>;
            /// `request`, `statement`, `dispense` or `administration`.
            2 form "Form": Option<Token>;
            /// `active`, `completed`, `stopped`, …
            3 status "Status": Option<Token>;
            /// `order`, `plan`, …
            4 intent "Intent": Option<Token>;
            /// Inpatient, outpatient, community, …
            5 categories "Categories": Vec<Concept>;
            /// When it was prescribed or reported.
            6 authored "Authored": Option<PartialDate>;
            /// When it was or is first taken.
            7 start "Start": Option<PartialDate>;
            /// When it was or is last taken.
            8 end "End": Option<PartialDate>;
            /// How to take it, in words.
            9 dosages "Dosages": Vec<Narrative>;
            /// How much at a time.
            10 doses "Doses": Vec<Quantity>;
            /// By what route.
            11 routes "Routes": Vec<Concept>;
            /// Whether it is taken only when needed.
            12 as_needed "As needed": Option<bool>;
            /// Who prescribed it.
            13 prescriber "Prescriber": Option<Party>;
            /// Who dispensed or gave it.
            14 performers "Performers": Vec<Party>;
            /// Why it is taken.
            15 reasons "Reasons": Vec<Concept>;
            /// How much was dispensed or is to be.
            16 quantity "Quantity": Option<Quantity>;
            /// How many refills are allowed.
            17 refills "Refills": Option<Token>;
            /// Why it stands as it does.
            18 status_reasons "Status reasons": Vec<Concept>;
            /// The encounter it was ordered in, as the source refers to it.
            19 encounter "Encounter": Option<Token>;
            /// Notes about it.
            20 notes "Notes": Vec<Narrative>;
            /// Its ingredients.
            21 components "Components": Vec<Concept>;
            /// Whether it is an order not to give it.
            22 do_not_perform "Do not perform": Option<bool>;
        }

        /// A stay in a hospital (FHIR `Encounter` of an inpatient class).
        4 "hospitalization" "Hospital stay" Hospitalization Hospitalization (
            code: [types reasons class], start: [admission], end: [discharge], open,
            provider: [facility participants], title: []
        ) {
            /// When it began.
            1 admission "Admission": Option<PartialDate>;
            /// When it ended.
            2 discharge "Discharge": Option<PartialDate>;
            /// `voluntary` or `involuntary`, or the word that the law uses.
            3 legal_status "Legal status": Option<Token>;
            /// The hospital.
            4 facility "Facility": Option<Party>;
            /// Why the patient was admitted.
            5 reasons "Reasons": Vec<Concept>;
            /// Where the patient went.
            6 discharge_disposition "Discharge disposition": Option<Concept>;
            /// `finished`, `in-progress`, …
            7 status "Status": Option<Token>;
            /// Inpatient, acute, …
            8 class "Class": Option<Concept>;
            /// What sort of stay.
            9 types "Types": Vec<Concept>;
            /// What service.
            10 service_type "Service type": Option<Concept>;
            /// From where the patient came.
            11 admit_source "Admit source": Option<Concept>;
            /// Whether it is a readmission.
            12 readmission "Readmission": Option<Concept>;
            /// Who took part in the care.
            13 participants "Participants": Vec<Party>;
            /// Wards, rooms and the like.
            14 locations "Locations": Vec<Party>;
            /// Diagnoses of the stay.
            15 diagnoses "Diagnoses": Vec<Concept>;
            /// How urgent it was.
            16 priority "Priority": Option<Concept>;
            /// What the legal status rests on: order, certificate, consent.
            17 legal_basis "Legal basis": Option<Narrative>;
            /// Notes about it.
            18 notes "Notes": Vec<Narrative>;
        }

        /// A visit, a call or another contact with a provider (FHIR `Encounter`).
        5 "encounter" "Visit" Encounter Encounter (
            code: [types reasons class], start: [start], end: [end], open,
            provider: [facility participants], title: []
        ) {
            /// When it began.
            1 start "Start": Option<PartialDate>;
            /// When it ended.
            2 end "End": Option<PartialDate>;
            /// What sort of contact.
            3 types "Types": Vec<Concept>;
            /// Ambulatory, emergency, virtual, …
            4 class "Class": Option<Concept>;
            /// `finished`, `in-progress`, …
            5 status "Status": Option<Token>;
            /// Why it took place.
            6 reasons "Reasons": Vec<Concept>;
            /// The organization.
            7 facility "Facility": Option<Party>;
            /// Who took part.
            8 participants "Participants": Vec<Party>;
            /// Where it took place.
            9 locations "Locations": Vec<Party>;
            /// What service.
            10 service_type "Service type": Option<Concept>;
            /// Diagnoses of the contact.
            11 diagnoses "Diagnoses": Vec<Concept>;
            /// How urgent it was.
            12 priority "Priority": Option<Concept>;
            /// Notes about it.
            13 notes "Notes": Vec<Narrative>;
            /// Where the patient went.
            14 discharge_disposition "Discharge disposition": Option<Concept>;
        }

        /// A clinical note or report (FHIR `DocumentReference`, `DiagnosticReport`, `Composition`).
        6 "note" "Note" Note Note (
            code: [code categories], start: [start date], end: [end], point,
            provider: [authors custodian], title: [title]
        ) {
            /// `progress`, `psychotherapy`, `discharge-summary` or `other`.
            1 form "Form": Option<Token>;
            /// What sort of document.
            2 code "Coded as": Option<Concept>;
            /// `current`, `final`, `superseded`, …
            3 status "Status": Option<Token>;
            /// When it was written.
            4 date "Date": Option<PartialDate>;
            /// When what it describes began.
            5 start "Start": Option<PartialDate>;
            /// When what it describes ended.
            6 end "End": Option<PartialDate>;
            /// Who wrote it.
            7 authors "Authors": Vec<Party>;
            /// Who keeps the original.
            8 custodian "Custodian": Option<Party>;
            /// A title.
            9 title "Title": Option<Token>;
            /// The text.
            10 text "Text": Vec<Narrative>;
            /// The document itself.
            11 attachments "Attachments": Vec<Attachment>;
            /// Sorts of document.
            12 categories "Categories": Vec<Concept>;
            /// Coded conclusions.
            13 conclusions "Conclusions": Vec<Concept>;
            /// The encounter it is about, as the source refers to it.
            14 encounter "Encounter": Option<Token>;
            /// Where it was written.
            15 facility "Facility": Option<Party>;
        }

        /// Use of alcohol, tobacco or drugs, as a history says it.
        7 "substance-use" "Alcohol, tobacco, drugs" SubstanceUse SubstanceUse (
            code: [code], start: [start], end: [end], point,
            provider: [performers], title: []
        ) {
            /// The substance, or what was asked.
            1 code "Coded as": Option<Concept>;
            /// `current`, `former`, `never`, or the source's word.
            2 status "Status": Option<Token>;
            /// What was found, coded.
            3 finding "Finding": Option<Concept>;
            /// How much.
            4 amount "Amount": Option<Quantity>;
            /// How often, in words.
            5 frequency "Frequency": Option<Narrative>;
            /// When it began or was found.
            6 start "Start": Option<PartialDate>;
            /// When it ended.
            7 end "End": Option<PartialDate>;
            /// When it was recorded.
            8 recorded "Recorded": Option<PartialDate>;
            /// Who found it.
            9 performers "Performers": Vec<Party>;
            /// Further questions and answers.
            10 details "Details": Vec<Component>;
            /// What was found, in words.
            11 text "Text": Option<Narrative>;
            /// The encounter it was found in, as the source refers to it.
            12 encounter "Encounter": Option<Token>;
            /// Notes about it.
            13 notes "Notes": Vec<Narrative>;
            /// Sorts of finding.
            14 categories "Categories": Vec<Concept>;
        }

        /// What a relative had (FHIR `FamilyMemberHistory`).
        8 "family-history" "Family history" FamilyHistory FamilyHistory (
            code: [conditions], start: [date], end: [], point,
            provider: [], title: [relationship]
        ) {
            /// How the relative is related.
            1 relationship "Relationship": Option<Concept>;
            /// The relative's name.
            2 name "Name": Option<Token>;
            /// The relative's sex.
            3 sex "Sex": Option<Concept>;
            /// What the relative had.
            4 conditions "Conditions": Vec<Concept>;
            /// Onset and outcome of a condition: its code and the answer.
            5 details "Details": Vec<Component>;
            /// When it was recorded.
            6 date "Date": Option<PartialDate>;
            /// `completed`, `partial`, …
            7 status "Status": Option<Token>;
            /// When the relative was born.
            8 born "Born": Option<PartialDate>;
            /// Whether the relative has died.
            9 deceased "Deceased": Option<bool>;
            /// When the relative died.
            10 deceased_date "Deceased date": Option<PartialDate>;
            /// The relative's age, in words.
            11 age "Age": Option<Narrative>;
            /// Why it was recorded.
            12 reasons "Reasons": Vec<Concept>;
            /// Notes about it.
            13 notes "Notes": Vec<Narrative>;
        }

        /// An assessment with an instrument and its score (PHQ-9, GAD-7, AUDIT-C, …).
        9 "assessment" "Questionnaire" Assessment Assessment (
            code: [instrument], start: [date], end: [end], point,
            provider: [performers], title: [title]
        ) {
            /// The instrument.
            1 instrument "Instrument": Option<Concept>;
            /// `final`, `completed`, …
            2 status "Status": Option<Token>;
            /// When it was taken.
            3 date "Date": Option<PartialDate>;
            /// When it ended, where it took a period.
            4 end "End": Option<PartialDate>;
            /// The score.
            5 score "Score": Option<Quantity>;
            /// The score, in words.
            6 score_text "Score text": Option<Narrative>;
            /// What the score means.
            7 interpretations "Interpretations": Vec<Concept>;
            /// The questions and answers.
            8 items "Items": Vec<Component>;
            /// Who assessed.
            9 performers "Performers": Vec<Party>;
            /// Sorts of assessment.
            10 categories "Categories": Vec<Concept>;
            /// The encounter it was part of, as the source refers to it.
            11 encounter "Encounter": Option<Token>;
            /// Notes about it.
            12 notes "Notes": Vec<Narrative>;
            /// A title, such as the address of the questionnaire.
            13 title "Title": Option<Token>;
            /// When it was made available.
            14 recorded "Recorded": Option<PartialDate>;
        }

        /// An allergy or intolerance (FHIR `AllergyIntolerance`).
        10 "allergy" "Allergy" Allergy Allergy (
            code: [code], start: [onset recorded], end: [], open,
            provider: [asserter recorder], title: []
        ) {
            /// What the patient reacts to.
            1 code "Coded as": Option<Concept>;
            /// `active`, `inactive` or `resolved`.
            2 clinical_status "Clinical status": Option<Token>;
            /// `confirmed`, `unconfirmed`, `refuted`, …
            3 verification_status "Verification status": Option<Token>;
            /// `allergy` or `intolerance`.
            4 sort "Sort": Option<Token>;
            /// `food`, `medication`, `environment` or `biologic`.
            5 categories "Categories": Vec<Token>;
            /// `low`, `high` or `unable-to-assess`.
            6 criticality "Criticality": Option<Token>;
            /// When it began.
            7 onset "Began": Option<PartialDate>;
            /// When it began, in words or as an age.
            8 onset_text "Began, in words": Option<Narrative>;
            /// When it was recorded.
            9 recorded "Recorded": Option<PartialDate>;
            /// When the patient last reacted.
            10 last_occurrence "Last occurrence": Option<PartialDate>;
            /// What the patient reacted to in particular.
            11 substances "Substances": Vec<Concept>;
            /// How the patient reacted.
            12 manifestations "Manifestations": Vec<Concept>;
            /// How severely the patient reacted.
            13 severities "Severities": Vec<Token>;
            /// Who recorded it.
            14 recorder "Recorder": Option<Party>;
            /// Who says so.
            15 asserter "Asserter": Option<Party>;
            /// The encounter it was found in, as the source refers to it.
            16 encounter "Encounter": Option<Token>;
            /// Notes about it.
            17 notes "Notes": Vec<Narrative>;
        }

        /// An immunization, given or not (FHIR `Immunization`).
        11 "immunization" "Immunization" Immunization Immunization (
            code: [code], start: [occurrence], end: [], point,
            provider: [performers location], title: []
        ) {
            /// The vaccine.
            1 code "Coded as": Option<Concept>;
            /// `completed`, `not-done` or `entered-in-error`.
            2 status "Status": Option<Token>;
            /// Why it was not done.
            3 status_reason "Status reason": Option<Concept>;
            /// When it was given.
            4 occurrence "Occurrence": Option<PartialDate>;
            /// When it was given, in words.
            5 occurrence_text "Occurrence text": Option<Narrative>;
            /// When it was recorded.
            6 recorded "Recorded": Option<PartialDate>;
            /// Who gave it.
            7 performers "Performers": Vec<Party>;
            /// Where it was given.
            8 location "Location": Option<Party>;
            /// Who made it.
            9 manufacturer "Manufacturer": Option<Party>;
            /// The lot number.
            10 lot "Lot": Option<Token>;
            /// When the vaccine expires.
            11 expires "Expires": Option<PartialDate>;
            /// Where in the body.
            12 site "Site": Option<Concept>;
            /// By what route.
            13 route "Route": Option<Concept>;
            /// How much.
            14 dose "Dose": Option<Quantity>;
            /// Why it was given.
            15 reasons "Reasons": Vec<Concept>;
            /// Whether who reports it gave it.
            16 primary_source "Primary source": Option<bool>;
            /// Against what.
            17 target_diseases "Target diseases": Vec<Concept>;
            /// Which dose of a series.
            18 dose_number "Dose number": Option<Token>;
            /// The encounter it was part of, as the source refers to it.
            19 encounter "Encounter": Option<Token>;
            /// Notes about it.
            20 notes "Notes": Vec<Narrative>;
            /// Whether less was given than is needed to protect.
            21 subpotent "Subpotent": Option<bool>;
        }

        /// A measurement or finding (FHIR `Observation`, `DiagnosticReport`).
        12 "observation" "Result" Observation Observation (
            code: [code], start: [start issued], end: [end], point,
            provider: [performers], title: []
        ) {
            /// What was measured or looked for.
            1 code "Coded as": Option<Concept>;
            /// `final`, `amended`, `preliminary`, …
            2 status "Status": Option<Token>;
            /// Vital signs, laboratory, …
            3 categories "Categories": Vec<Concept>;
            /// When it was so, or began.
            4 start "Start": Option<PartialDate>;
            /// When it ended.
            5 end "End": Option<PartialDate>;
            /// When the result was made available.
            6 issued "Issued": Option<PartialDate>;
            /// The result as an amount.
            7 quantity "Quantity": Option<Quantity>;
            /// The result as a code.
            8 concept "Concept": Option<Concept>;
            /// The result in words.
            9 text "Text": Option<Narrative>;
            /// The result as a date.
            10 date "Date": Option<PartialDate>;
            /// The result as yes or no.
            11 boolean "Boolean": Option<bool>;
            /// The parts of the result.
            12 components "Components": Vec<Component>;
            /// High, low, normal, …
            13 interpretations "Interpretations": Vec<Concept>;
            /// What is usual, in words.
            14 reference_ranges "Reference ranges": Vec<Narrative>;
            /// Who found it.
            15 performers "Performers": Vec<Party>;
            /// How it was found.
            16 method "Method": Option<Concept>;
            /// Where in the body.
            17 body_site "Body site": Option<Concept>;
            /// Why there is no result.
            18 absent_reason "Absent reason": Option<Concept>;
            /// The encounter it was part of, as the source refers to it.
            19 encounter "Encounter": Option<Token>;
            /// The report itself.
            20 attachments "Attachments": Vec<Attachment>;
            /// Coded conclusions.
            21 conclusions "Conclusions": Vec<Concept>;
            /// Notes about it.
            22 notes "Notes": Vec<Narrative>;
        }

        /// A document of the law: court order, petition, certificate.
        13 "legal-document" "Legal document" LegalDocument LegalDocument (
            code: [code], start: [issued effective], end: [], point,
            provider: [court], title: [title form]
        ) {
            /// `court-order`, `petition`, `certificate` or `other`.
            1 form "Form": Option<Token>;
            /// What sort of document.
            2 code "Coded as": Option<Concept>;
            /// A title.
            3 title "Title": Option<Token>;
            /// The court or authority.
            4 court "Court": Option<Party>;
            /// The docket or case number.
            5 docket "Docket": Option<Token>;
            /// Who signed it.
            6 judge "Judge": Option<Party>;
            /// When it was issued.
            7 issued "Issued": Option<PartialDate>;
            /// When its effect begins.
            8 effective "Effective": Option<PartialDate>;
            /// When its effect ends.
            9 expires "Expires": Option<PartialDate>;
            /// What it covers.
            10 scope "Scope": Option<Narrative>;
            /// Who it names.
            11 parties "Parties": Vec<Party>;
            /// `in-force`, `expired`, `vacated`, …
            12 status "Status": Option<Token>;
            /// The document itself.
            13 attachments "Attachments": Vec<Attachment>;
            /// Notes about it.
            14 notes "Notes": Vec<Narrative>;
        }

        /// An advance directive or a crisis plan.
        14 "advance-directive" "Advance directive" AdvanceDirective AdvanceDirective (
            code: [code], start: [signed effective], end: [expires], open,
            provider: [], title: [title form]
        ) {
            /// `advance-directive` or `crisis-plan`.
            1 form "Form": Option<Token>;
            /// What sort of directive.
            2 code "Coded as": Option<Concept>;
            /// `active`, `revoked`, …
            3 status "Status": Option<Token>;
            /// A title.
            4 title "Title": Option<Token>;
            /// When it was signed.
            5 signed "Signed": Option<PartialDate>;
            /// When its effect begins.
            6 effective "Effective": Option<PartialDate>;
            /// When its effect ends.
            7 expires "Expires": Option<PartialDate>;
            /// Who is to decide or to be called.
            8 agents "Agents": Vec<Party>;
            /// The wishes.
            9 text "Text": Vec<Narrative>;
            /// The document itself.
            10 attachments "Attachments": Vec<Attachment>;
            /// Notes about it.
            11 notes "Notes": Vec<Narrative>;
        }

        /// A clinician's statement: a letter that says no more than what it is asked for.
        15 "statement" "Statement" Statement Statement (
            code: [code], start: [date], end: [], point,
            provider: [author], title: [title]
        ) {
            /// Who states it.
            1 author "Author": Option<Party>;
            /// When it was written.
            2 date "Date": Option<PartialDate>;
            /// A title.
            3 title "Title": Option<Token>;
            /// The text.
            4 text "Text": Vec<Narrative>;
            /// What sort of statement.
            5 code "Coded as": Option<Concept>;
            /// To whom it is written.
            6 recipient "Recipient": Option<Party>;
            /// The letter itself.
            7 attachments "Attachments": Vec<Attachment>;
            /// Until when it holds.
            8 expires "Expires": Option<PartialDate>;
        }

        /// The patient (FHIR `Patient`).
        16 "patient" "Patient" Patient Patient (
            code: [], start: [], end: [], point,
            provider: [general_practitioners managing_organization], title: [names]
        ) {
            /// Names.
            1 names "Full name": Vec<HumanName>;
            /// Record numbers and the like.
            2 identifiers "Identifiers": Vec<Identifier>;
            /// Date of birth.
            3 birth_date "Date of birth": Option<PartialDate>;
            /// Administrative gender.
            4 gender "Gender": Option<Token>;
            /// Sex as recorded at birth.
            5 birth_sex "Birth sex": Option<Token>;
            /// Addresses.
            6 addresses "Addresses": Vec<Address>;
            /// Ways to reach the patient.
            7 telecoms "Telephone, e-mail": Vec<Telecom>;
            /// Marital status.
            8 marital_status "Marital status": Option<Concept>;
            /// Languages, the preferred first.
            9 languages "Languages": Vec<Concept>;
            /// Whether the patient has died.
            10 deceased "Deceased": Option<bool>;
            /// When the patient died.
            11 deceased_date "Deceased date": Option<PartialDate>;
            /// Race, as US Core records it.
            12 races "Races": Vec<Concept>;
            /// Ethnicity, as US Core records it.
            13 ethnicities "Ethnicities": Vec<Concept>;
            /// Whom to call.
            14 contacts "Contacts": Vec<Party>;
            /// Who cares for the patient.
            15 general_practitioners "General practitioners": Vec<Party>;
            /// Who keeps the record.
            16 managing_organization "Managing organization": Option<Party>;
            /// Whether the record is in use.
            17 active "Active": Option<bool>;
            /// Pictures.
            18 photos "Photos": Vec<Attachment>;
            /// Gender identity.
            19 gender_identity "Gender identity": Option<Concept>;
            /// Place of birth.
            20 birth_place "Birth place": Option<Address>;
        }

        /// A person or organization that provides care (FHIR `Practitioner`, `Organization`).
        17 "provider" "Provider" Provider Provider (
            code: [types specialties], start: [], end: [], point,
            provider: [], title: [name names]
        ) {
            /// `practitioner`, `organization`, `practitioner-role` or `location`.
            1 form "Form": Option<Token>;
            /// The name of an organization or place.
            2 name "Name": Option<Token>;
            /// The names of a person.
            3 names "Full name": Vec<HumanName>;
            /// NPI and other numbers.
            4 identifiers "Identifiers": Vec<Identifier>;
            /// Ways to reach the provider.
            5 telecoms "Telephone, e-mail": Vec<Telecom>;
            /// Addresses.
            6 addresses "Addresses": Vec<Address>;
            /// What sort of organization.
            7 types "Types": Vec<Concept>;
            /// What the provider is qualified or specialised in.
            8 specialties "Specialties": Vec<Concept>;
            /// Whether the record is in use.
            9 active "Active": Option<bool>;
            /// The organization that it belongs to.
            10 part_of "Part of": Option<Party>;
            /// Administrative gender.
            11 gender "Gender": Option<Token>;
            /// Date of birth.
            12 birth_date "Date of birth": Option<PartialDate>;
            /// Whom to call.
            13 contacts "Contacts": Vec<Party>;
            /// Languages.
            14 languages "Languages": Vec<Concept>;
        }

        /// A document of its own: a scan, a picture, a file.
        18 "attachment" "Attachment" Attachment AttachmentRecord (
            code: [code], start: [date], end: [], point,
            provider: [author], title: [title content]
        ) {
            /// A title.
            1 title "Title": Option<Token>;
            /// The bytes.
            2 content "Content": Vec<Attachment>;
            /// What sort of document.
            3 code "Coded as": Option<Concept>;
            /// When it was made.
            4 date "Date": Option<PartialDate>;
            /// Who made it.
            5 author "Author": Option<Party>;
            /// Notes about it.
            6 notes "Notes": Vec<Narrative>;
        }

        /// What has no kind of its own, kept as it came.
        19 "other" "Other record" Other Other (
            code: [code categories], start: [start], end: [end], point,
            provider: [author], title: [title resource_type]
        ) {
            /// What the source calls it, such as `Claim`.
            1 resource_type "Resource type": Option<Token>;
            /// What it is about.
            2 code "Coded as": Option<Concept>;
            /// The source's status word.
            3 status "Status": Option<Token>;
            /// When it was so, or began.
            4 start "Start": Option<PartialDate>;
            /// When it ended.
            5 end "End": Option<PartialDate>;
            /// A title.
            6 title "Title": Option<Token>;
            /// Sorts of it.
            7 categories "Categories": Vec<Concept>;
            /// Who wrote it or acted.
            8 author "Author": Option<Party>;
            /// What it says, in words.
            9 text "Text": Vec<Narrative>;
            /// How far it goes: `proposal`, `plan`, `order`; of a claim, what it is for.
            10 intent "Intent": Option<Token>;
            /// Whether it is asked not to be done.
            11 do_not_perform "Do not perform": Option<bool>;
            /// Whether it permits or denies, of a consent: `permit` or `deny`.
            12 decision "Decision": Option<Token>;
            /// Why it was so, or is to be.
            13 reasons "Reasons": Vec<Concept>;
            /// Diagnoses that it names: those of a claim, those that a clinician considered.
            14 diagnoses "Diagnoses": Vec<Concept>;
            /// What was done or is asked for, besides its code: procedures of a claim, medicines.
            15 services "Services": Vec<Concept>;
            /// Its parts, such as the lines of a claim: a code, and what is said of it.
            16 details "Details": Vec<Component>;
            /// Who takes part, and whom it concerns besides the patient.
            17 parties "Parties": Vec<Party>;
            /// Where in the body.
            18 body_sites "Body sites": Vec<Concept>;
            /// What came of it.
            19 outcome "Outcome": Option<Concept>;
            /// Why it stands as it does.
            20 status_reasons "Status reasons": Vec<Concept>;
            /// When it was written down, where that is not when it was so.
            21 recorded "Recorded": Option<PartialDate>;
            /// The encounter it was part of, as the source refers to it.
            22 encounter "Encounter": Option<Token>;
            /// The records that it is about, as the source refers to them.
            23 targets "Targets": Vec<Token>;
            /// What goes with it: a letter, a picture, a signed form.
            24 attachments "Attachments": Vec<Attachment>;
            /// Notes about it.
            25 notes "Notes": Vec<Narrative>;
            /// What may come, and how likely it is.
            26 predictions "Predictions": Vec<Component>;
        }
        }
    };
}
