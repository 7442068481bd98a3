//! Which originals go out as they are, and under which addresses.

use crate::codec::json::{Json, JsonLimits};
use crate::interop::options::RESOURCE_LIMIT;
use crate::record::{Entry, FhirVersion, Source, SourceFile, SourceFormat};

/// What a resource may cost to read again: it is nested deeper in a bundle.
const LIMITS: JsonLimits = JsonLimits { bytes: RESOURCE_LIMIT, depth: 120, values: 9_000_000 };

/// An original that is a resource of R4.
pub(super) struct Resource<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) resource_type: String,
    pub(super) id: Option<String>,
}

/// The original of an entry, if it can stand in an R4 file as it is.
pub(super) fn verbatim(source: Option<&Source>) -> Option<Resource<'_>> {
    let source = source?;
    let is_r4 = source.format == SourceFormat::FhirJson(FhirVersion::R4);
    as_resource(&source.bytes).filter(|_| is_r4)
}

/// Bytes as a resource, if they are one: a JSON object of a type that R4 has, whole and nothing
/// behind it. Whoever has the keys of a vault can put other bytes there.
pub(super) fn as_resource(bytes: &[u8]) -> Option<Resource<'_>> {
    let trimmed = bytes.trim_ascii();
    let json = Json::parse(trimmed, LIMITS).ok()?;
    let text = |name: &str| json.member(name).and_then(Json::as_str);
    let resource_type = text("resourceType").filter(|name| TYPES.split(' ').any(|known| known == *name))?;
    let id = text("id").filter(|id| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
    });
    Some(Resource { resource_type: resource_type.to_owned(), id: id.map(str::to_owned), bytes: trimmed })
}

/// The address by which other resources refer to this one: its own where it has no id; where
/// the id is a UUID, the one that bundles make of it.
pub(super) fn full_url(entry: &Entry) -> Option<String> {
    if let Some(address) = &entry.provenance.address {
        return Some(address.as_str().to_owned());
    }
    // What stands beside another of its name has a digest behind it.
    let identity = entry.provenance.identity.as_ref()?.as_str();
    let identity = identity.split_once('#').map_or(identity, |(name, _)| name);
    if identity.starts_with("urn:") || identity.contains("://") {
        return Some(identity.to_owned());
    }
    let (_, id) = identity.split_once('/')?;
    is_uuid(id).then(|| format!("urn:uuid:{id}"))
}

/// The address of a file in a resource of its own, by which the entry refers to it: below that
/// of the entry's server, where it says none itself.
pub(super) fn file_url(entry: Option<&str>, file: &SourceFile) -> Option<String> {
    let address = file.address.as_str();
    if address.contains(':') {
        return Some(address.to_owned());
    }
    let mut slashes = entry?.rmatch_indices('/').map(|(at, _)| at);
    let base = entry?.get(..=slashes.nth(1)?)?;
    base.contains("://").then(|| format!("{base}{address}"))
}

/// Whether a text has the form of a UUID (RFC 9562 section 4).
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The types of resource of FHIR R4 (4.0.1).
const TYPES: &str = "Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment \
    AppointmentResponse AuditEvent Basic Binary BiologicallyDerivedProduct BodyStructure Bundle \
    CapabilityStatement CarePlan CareTeam CatalogEntry ChargeItem ChargeItemDefinition Claim ClaimResponse \
    ClinicalImpression CodeSystem Communication CommunicationRequest CompartmentDefinition Composition \
    ConceptMap Condition Consent Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse \
    DetectedIssue Device DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport \
    DocumentManifest DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest \
    EnrollmentResponse EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario \
    ExplanationOfBenefit FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse \
    HealthcareService ImagingStudy Immunization ImmunizationEvaluation ImmunizationRecommendation \
    ImplementationGuide InsurancePlan Invoice Library Linkage List Location Measure MeasureReport Media \
    Medication MedicationAdministration MedicationDispense MedicationKnowledge MedicationRequest \
    MedicationStatement MedicinalProduct MedicinalProductAuthorization MedicinalProductContraindication \
    MedicinalProductIndication MedicinalProductIngredient MedicinalProductInteraction \
    MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical \
    MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem \
    NutritionOrder Observation ObservationDefinition OperationDefinition OperationOutcome Organization \
    OrganizationAffiliation Parameters Patient PaymentNotice PaymentReconciliation Person PlanDefinition \
    Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson \
    RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment \
    RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen SpecimenDefinition \
    StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer \
    SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification \
    SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript ValueSet \
    VerificationResult VisionPrescription";
