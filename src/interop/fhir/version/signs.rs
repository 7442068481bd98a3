//! Elements and resource types that not every version of FHIR has.
//!
//! Held against the definitions of 1.0.2, 3.0.2, 4.0.1, 4.3.0 and 5.0.0. R4 and R4B have the
//! same elements of these types, so they are one here.

/// Versions, one bit each.
pub(super) const DSTU2: u8 = 1;
pub(super) const STU3: u8 = 2;
pub(super) const R4: u8 = 4;
pub(super) const R5: u8 = 8;
pub(super) const ANY: u8 = DSTU2 | STU3 | R4 | R5;

/// The versions that have a resource type, of those that not all have.
pub(super) fn of_type(resource_type: &str) -> u8 {
    let is_of = |(_, names): &&(u8, &str)| has(names, resource_type);
    TYPES.iter().find(is_of).map_or(ANY, |(versions, _)| *versions)
}

/// The versions that have an element of a resource type, of those that not all have.
pub(super) fn of_element(resource_type: &str, name: &str) -> u8 {
    let is_of = |(of, _, names): &&(&str, u8, &str)| *of == resource_type && has(names, name);
    ELEMENTS.iter().find(is_of).map_or(ANY, |(_, versions, _)| *versions)
}

fn has(names: &str, name: &str) -> bool {
    names.split(' ').any(|one| one == name)
}

const TYPES: [(u8, &str); 7] = [
    (
        DSTU2,
        "Conformance DeviceUseRequest DiagnosticOrder ImagingObjectSelection MedicationOrder Order \
         OrderResponse",
    ),
    (
        DSTU2 | STU3,
        "BodySite DataElement DeviceComponent EligibilityRequest EligibilityResponse ProcedureRequest \
         ProcessRequest ProcessResponse ReferralRequest",
    ),
    (STU3, "ExpansionProfile ImagingManifest Sequence ServiceDefinition"),
    (DSTU2 | STU3 | R4, "DeviceUseStatement DocumentManifest"),
    (STU3 | R4, "Media RequestGroup"),
    (
        R4 | R5,
        "BiologicallyDerivedProduct BodyStructure CoverageEligibilityRequest \
         CoverageEligibilityResponse ImmunizationEvaluation InsurancePlan Invoice MedicationKnowledge \
         MolecularSequence ServiceRequest VerificationResult",
    ),
    (
        R5,
        "BiologicallyDerivedProductDispense DeviceAssociation DeviceDispense DeviceUsage \
         EncounterHistory GenomicStudy ImagingSelection InventoryItem InventoryReport NutritionIntake \
         Permission RequestOrchestration Transport",
    ),
];

const ELEMENTS: [(&str, u8, &str); 181] = [
    ("Patient", DSTU2, "careProvider"),
    ("Patient", DSTU2 | STU3, "animal"),
    ("Patient", STU3 | R4 | R5, "generalPractitioner"),
    ("Practitioner", DSTU2, "practitionerRole"),
    ("Practitioner", R5, "deceasedBoolean deceasedDateTime"),
    ("PractitionerRole", STU3 | R4, "availabilityExceptions availableTime notAvailable telecom"),
    ("PractitionerRole", R5, "availability characteristic communication contact"),
    ("Organization", DSTU2 | STU3 | R4, "address telecom"),
    ("Organization", STU3 | R4 | R5, "alias endpoint"),
    ("Organization", R5, "description qualification"),
    ("Location", DSTU2 | STU3 | R4, "physicalType telecom"),
    ("Location", STU3 | R4 | R5, "alias endpoint operationalStatus"),
    ("Location", R4, "availabilityExceptions"),
    ("Location", R4 | R5, "hoursOfOperation"),
    ("Location", R5, "characteristic contact form virtualService"),
    ("Condition", DSTU2, "abatementQuantity dateRecorded notes onsetQuantity patient"),
    ("Condition", DSTU2 | STU3, "abatementBoolean"),
    ("Condition", DSTU2 | STU3 | R4, "asserter"),
    ("Condition", DSTU2 | R4 | R5, "encounter"),
    ("Condition", STU3, "assertedDate context"),
    ("Condition", STU3 | R4 | R5, "abatementAge note onsetAge subject"),
    ("Condition", R4, "recorder"),
    ("Condition", R4 | R5, "recordedDate"),
    ("Condition", R5, "participant"),
    ("AllergyIntolerance", DSTU2, "onset reporter status substance"),
    ("AllergyIntolerance", DSTU2 | STU3 | R4, "recorder"),
    ("AllergyIntolerance", DSTU2 | R4 | R5, "recordedDate"),
    ("AllergyIntolerance", STU3, "assertedDate"),
    ("AllergyIntolerance", STU3 | R4, "asserter"),
    (
        "AllergyIntolerance",
        STU3 | R4 | R5,
        "clinicalStatus code onsetAge onsetDateTime onsetPeriod onsetRange onsetString \
         verificationStatus",
    ),
    ("AllergyIntolerance", R4 | R5, "encounter"),
    ("AllergyIntolerance", R5, "participant"),
    ("Immunization", DSTU2, "reported requester wasNotGiven"),
    ("Immunization", DSTU2 | STU3, "date explanation vaccinationProtocol"),
    ("Immunization", DSTU2 | R4 | R5, "performer"),
    ("Immunization", STU3, "notGiven practitioner"),
    ("Immunization", STU3 | R4, "reportOrigin"),
    ("Immunization", STU3 | R4 | R5, "primarySource"),
    ("Immunization", R4, "education reasonCode reasonReference recorded"),
    (
        "Immunization",
        R4 | R5,
        "fundingSource isSubpotent occurrenceDateTime occurrenceString programEligibility \
         protocolApplied statusReason subpotentReason",
    ),
    ("Immunization", R5, "administeredProduct basedOn informationSource reason supportingInformation"),
    ("FamilyMemberHistory", DSTU2, "ageQuantity deceasedQuantity"),
    ("FamilyMemberHistory", DSTU2 | STU3, "gender"),
    ("FamilyMemberHistory", STU3, "definition notDone notDoneReason"),
    ("FamilyMemberHistory", STU3 | R4, "reasonCode reasonReference"),
    ("FamilyMemberHistory", STU3 | R4 | R5, "ageAge deceasedAge estimatedAge"),
    ("FamilyMemberHistory", R4 | R5, "dataAbsentReason instantiatesCanonical instantiatesUri sex"),
    ("FamilyMemberHistory", R5, "participant procedure reason"),
    ("Procedure", DSTU2, "notPerformed notes reasonCodeableConcept reasonNotPerformed request"),
    ("Procedure", DSTU2 | STU3 | R4, "performedDateTime performedPeriod reasonReference"),
    ("Procedure", DSTU2 | R4 | R5, "encounter"),
    ("Procedure", DSTU2 | R5, "used"),
    ("Procedure", STU3, "context definition notDone notDoneReason"),
    ("Procedure", STU3 | R4, "complicationDetail reasonCode usedCode usedReference"),
    ("Procedure", STU3 | R4 | R5, "basedOn note partOf"),
    ("Procedure", R4, "asserter performedAge performedRange performedString"),
    ("Procedure", R4 | R5, "instantiatesCanonical instantiatesUri recorder statusReason"),
    (
        "Procedure",
        R5,
        "focus occurrenceAge occurrenceDateTime occurrencePeriod occurrenceRange occurrenceString \
         occurrenceTiming reason recorded reportedBoolean reportedReference supportingInfo",
    ),
    ("CarePlan", DSTU2, "modified participant relatedPlan support"),
    ("CarePlan", DSTU2 | STU3, "context"),
    ("CarePlan", DSTU2 | STU3 | R4, "author"),
    ("CarePlan", STU3, "definition"),
    ("CarePlan", STU3 | R4 | R5, "basedOn careTeam intent partOf replaces supportingInfo title"),
    ("CarePlan", R4 | R5, "contributor created encounter instantiatesCanonical instantiatesUri"),
    ("CarePlan", R5, "custodian"),
    ("MedicationRequest", STU3, "context definition"),
    (
        "MedicationRequest",
        STU3 | R4,
        "detectedIssue medicationCodeableConcept medicationReference reasonCode reasonReference",
    ),
    ("MedicationRequest", R4, "instantiatesCanonical instantiatesUri reportedBoolean reportedReference"),
    (
        "MedicationRequest",
        R4 | R5,
        "courseOfTherapyType doNotPerform encounter insurance performer performerType statusReason",
    ),
    (
        "MedicationRequest",
        R5,
        "device effectiveDosePeriod informationSource medication reason renderedDosageInstruction \
         reported statusChanged",
    ),
    (
        "MedicationStatement",
        DSTU2,
        "patient reasonForUseCodeableConcept reasonForUseReference supportingInformation wasNotTaken",
    ),
    ("MedicationStatement", DSTU2 | STU3, "reasonNotTaken"),
    ("MedicationStatement", DSTU2 | STU3 | R4, "medicationCodeableConcept medicationReference"),
    ("MedicationStatement", STU3, "taken"),
    ("MedicationStatement", STU3 | R4, "basedOn context reasonCode reasonReference"),
    ("MedicationStatement", STU3 | R4 | R5, "category derivedFrom partOf subject"),
    ("MedicationStatement", R4, "statusReason"),
    (
        "MedicationStatement",
        R5,
        "adherence effectiveTiming encounter medication reason relatedClinicalInformation \
         renderedDosageInstruction",
    ),
    ("MedicationDispense", DSTU2, "dispenser patient"),
    ("MedicationDispense", DSTU2 | STU3 | R4, "medicationCodeableConcept medicationReference"),
    ("MedicationDispense", STU3, "notDone notDoneReasonCodeableConcept notDoneReasonReference"),
    ("MedicationDispense", STU3 | R4, "context detectedIssue"),
    (
        "MedicationDispense",
        STU3 | R4 | R5,
        "category eventHistory partOf performer subject supportingInformation",
    ),
    ("MedicationDispense", R4, "statusReasonCodeableConcept statusReasonReference"),
    ("MedicationDispense", R4 | R5, "location"),
    (
        "MedicationDispense",
        R5,
        "basedOn encounter medication notPerformedReason recorded renderedDosageInstruction \
         statusChanged",
    ),
    (
        "MedicationAdministration",
        DSTU2,
        "effectiveTimeDateTime effectiveTimePeriod patient practitioner reasonGiven wasNotGiven",
    ),
    ("MedicationAdministration", DSTU2 | STU3, "prescription reasonNotGiven"),
    ("MedicationAdministration", DSTU2 | STU3 | R4, "medicationCodeableConcept medicationReference"),
    ("MedicationAdministration", DSTU2 | R5, "encounter"),
    ("MedicationAdministration", STU3, "definition notGiven"),
    (
        "MedicationAdministration",
        STU3 | R4,
        "context effectiveDateTime effectivePeriod reasonCode reasonReference",
    ),
    (
        "MedicationAdministration",
        STU3 | R4 | R5,
        "category eventHistory partOf performer subject supportingInformation",
    ),
    ("MedicationAdministration", R4, "instantiates"),
    ("MedicationAdministration", R4 | R5, "request statusReason"),
    (
        "MedicationAdministration",
        R5,
        "basedOn isSubPotent medication occurenceDateTime occurencePeriod occurenceTiming reason \
         recorded subPotentReason",
    ),
    ("Encounter", DSTU2, "indication patient"),
    ("Encounter", DSTU2 | STU3, "incomingReferral"),
    ("Encounter", DSTU2 | STU3 | R4, "hospitalization period statusHistory"),
    ("Encounter", DSTU2 | STU3 | R5, "reason"),
    ("Encounter", STU3 | R4, "classHistory"),
    ("Encounter", STU3 | R4 | R5, "account diagnosis subject"),
    ("Encounter", R4, "reasonCode reasonReference"),
    ("Encounter", R4 | R5, "basedOn serviceType"),
    (
        "Encounter",
        R5,
        "actualPeriod admission careTeam dietPreference plannedEndDate plannedStartDate \
         specialArrangement specialCourtesy subjectStatus virtualService",
    ),
    ("Observation", DSTU2, "comments"),
    ("Observation", DSTU2 | STU3, "related"),
    ("Observation", DSTU2 | STU3 | R5, "valueAttachment"),
    ("Observation", DSTU2 | R4 | R5, "encounter"),
    ("Observation", STU3, "comment context"),
    ("Observation", STU3 | R4 | R5, "basedOn valueBoolean"),
    (
        "Observation",
        R4 | R5,
        "derivedFrom effectiveInstant effectiveTiming focus hasMember note partOf valueInteger",
    ),
    (
        "Observation",
        R5,
        "bodyStructure instantiatesCanonical instantiatesReference triggeredBy valueReference",
    ),
    ("QuestionnaireResponse", DSTU2, "group"),
    ("QuestionnaireResponse", DSTU2 | R4 | R5, "encounter"),
    ("QuestionnaireResponse", STU3, "context parent"),
    ("QuestionnaireResponse", STU3 | R4 | R5, "basedOn item"),
    ("QuestionnaireResponse", R4 | R5, "partOf"),
    ("DiagnosticReport", DSTU2, "request"),
    ("DiagnosticReport", DSTU2 | STU3, "codedDiagnosis image"),
    ("DiagnosticReport", DSTU2 | STU3 | R4, "imagingStudy"),
    ("DiagnosticReport", DSTU2 | R4 | R5, "encounter"),
    ("DiagnosticReport", STU3, "context"),
    ("DiagnosticReport", STU3 | R4 | R5, "basedOn"),
    ("DiagnosticReport", R4 | R5, "conclusionCode media resultsInterpreter"),
    ("DiagnosticReport", R5, "composition note study supportingInfo"),
    ("DocumentReference", DSTU2 | STU3, "created indexed"),
    ("DocumentReference", DSTU2 | STU3 | R4, "authenticator masterIdentifier"),
    ("DocumentReference", R4 | R5, "category date"),
    (
        "DocumentReference",
        R5,
        "attester basedOn bodySite event facilityType modality period practiceSetting version",
    ),
    ("Composition", DSTU2 | STU3 | R4, "confidentiality"),
    ("Composition", STU3 | R4 | R5, "relatesTo"),
    ("Composition", R4 | R5, "category"),
    ("Composition", R5, "name note url useContext version"),
    (
        "ProcedureRequest",
        DSTU2,
        "encounter notes orderedOn orderer reasonCodeableConcept scheduledDateTime scheduledPeriod \
         scheduledTiming",
    ),
    (
        "ProcedureRequest",
        STU3,
        "authoredOn basedOn category context definition doNotPerform intent note occurrenceDateTime \
         occurrencePeriod occurrenceTiming performerType reasonCode relevantHistory replaces \
         requester requisition specimen supportingInfo",
    ),
    ("ProcessRequest", DSTU2, "originalRuleset ruleset"),
    ("ProcessRequest", STU3, "status"),
    (
        "ReferralRequest",
        DSTU2,
        "date dateSent encounter fulfillmentTime patient reason supportingInformation",
    ),
    (
        "ReferralRequest",
        STU3,
        "authoredOn basedOn context definition groupIdentifier intent note occurrenceDateTime \
         occurrencePeriod reasonCode reasonReference relevantHistory replaces subject supportingInfo",
    ),
    ("ServiceRequest", R4, "locationCode locationReference reasonCode reasonReference"),
    ("ServiceRequest", R5, "bodyStructure focus location reason"),
    ("Goal", DSTU2, "author targetDate targetQuantity"),
    ("Goal", DSTU2 | STU3, "status"),
    ("Goal", DSTU2 | R5, "outcome"),
    ("Goal", STU3 | R4, "expressedBy outcomeCode outcomeReference"),
    ("Goal", STU3 | R4 | R5, "target"),
    ("Goal", R4 | R5, "achievementStatus lifecycleStatus"),
    ("Goal", R5, "continuous source"),
    (
        "Consent",
        STU3,
        "action actor consentingParty data dataPeriod except purpose securityLabel sourceIdentifier",
    ),
    ("Consent", STU3 | R4, "dateTime organization patient policy policyRule"),
    ("Consent", STU3 | R5, "period"),
    ("Consent", R4, "performer scope"),
    ("Consent", R4 | R5, "provision verification"),
    (
        "Consent",
        R5,
        "controller date decision grantee grantor manager policyBasis policyText regulatoryBasis \
         subject",
    ),
    (
        "Claim",
        DSTU2,
        "accidentType additionalMaterials condition coverage exception interventionException \
         missingTeeth originalRuleset ruleset school target",
    ),
    ("Claim", DSTU2 | STU3, "organization"),
    ("Claim", STU3, "employmentImpacted hospitalization information"),
    (
        "Claim",
        STU3 | R4 | R5,
        "billablePeriod careTeam insurance insurer procedure related status subType total",
    ),
    ("Claim", R4 | R5, "supportingInfo"),
    ("Claim", R5, "diagnosisRelatedGroup encounter event patientPaid traceNumber"),
    ("ExplanationOfBenefit", DSTU2, "originalRuleset request requestOrganization requestProvider ruleset"),
    ("ExplanationOfBenefit", DSTU2 | STU3, "organization"),
    (
        "ExplanationOfBenefit",
        STU3,
        "employmentImpacted hospitalization information totalBenefit totalCost unallocDeductable",
    ),
    (
        "ExplanationOfBenefit",
        STU3 | R4 | R5,
        "accident addItem benefitBalance billablePeriod careTeam claim claimResponse diagnosis \
         enterer facility form insurance insurer item originalPrescription patient payee payment \
         precedence prescription procedure processNote provider referral related status subType type",
    ),
    (
        "ExplanationOfBenefit",
        R4 | R5,
        "adjudication benefitPeriod formCode fundsReserve fundsReserveRequested preAuthRef \
         preAuthRefPeriod priority supportingInfo total use",
    ),
    ("ExplanationOfBenefit", R5, "decision diagnosisRelatedGroup encounter event patientPaid traceNumber"),
    ("AdverseEvent", STU3, "description eventParticipant reaction type"),
    ("AdverseEvent", STU3 | R4, "date referenceDocument subjectMedicalHistory"),
    ("AdverseEvent", R4, "contributor event resultingCondition severity"),
    ("AdverseEvent", R4 | R5, "actuality detected encounter recordedDate"),
    (
        "AdverseEvent",
        R5,
        "code contributingFactor expectedInResearchStudy mitigatingAction note occurrenceDateTime \
         occurrencePeriod occurrenceTiming participant preventiveAction resultingEffect status \
         supportingInfo",
    ),
    ("Medication", DSTU2, "product"),
    ("Medication", DSTU2 | STU3, "isBrand package"),
    ("Medication", DSTU2 | STU3 | R4, "manufacturer"),
    ("Medication", STU3, "image isOverTheCounter"),
    ("Medication", STU3 | R4, "form"),
    ("Medication", STU3 | R4 | R5, "ingredient status"),
    ("Medication", R4, "amount"),
    ("Medication", R4 | R5, "batch identifier"),
    ("Medication", R5, "definition doseForm marketingAuthorizationHolder totalVolume"),
];
