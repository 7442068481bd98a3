"""The catalogue of types (sections 9.1 to 9.8), their limits, and the appendix of kinds."""

import re

from codec import decode, parse_catalogue

TYPES = parse_catalogue("""
PageV1 = Leaf(Vec<RowV1>) | Inner(Vec<ChildV1>)
RowV1 = key: [u8; 16], class: u8, id: [u8; 16], revision: u64, epoch: u64,
        object: Option<ObjectV1>, inline: Vec<u8>
ChildV1 = nibble: u8, rows: u64, object: ObjectV1
ObjectV1 = key: [u8; 32], reference: [u8; 16], length: u64, digest: [u8; 32]
EraseListV1 = objects: Vec<([u8; 16], u64)>
LinkV1 = epoch: u64, time: i64, action: u16, role: u16, previous_link: [u8; 32],
         previous_root: [u8; 32], leaves: [u8; 32], segment: SegmentSpanV1
SegmentSpanV1 = start: u64, end: u64, parts: u64, digest: [u8; 32]
LedgerV1 = epoch: u64, leaf: LeafV1, path: [[u8; 32]; 3]
LeafV1 = salt: [u8; 16], lines: Vec<LineV1>
LineV1 = action: u16, actor: String, reason: Option<String>, details: Vec<(u16, String)>
StoryV1 = acts: Vec<ActV1>
ActV1 = epoch: u64, action: u16, revision: u64, reason: Option<String>
AccountingV1 = epoch: u64, actor: String, recipient: String, purpose: String,
               policy: Option<String>, excerpt: String, signer: String, entries: u64
VaultRecordV1 = created: i64, holder_role: u16, holder_name: String, jurisdiction: String,
                signing_algorithm: u16
IdentityKeyV1 = key: [u8; 32]
DirectoryV1 = slots: Vec<DirectorySlotV1>
DirectorySlotV1 = public: Vec<u8>, kind: u8, generation: u8, grant: u8, name: String,
                  created: i64, signing: Option<SigningV1>
SigningV1 = es256_x: [u8; 32], es256_y: [u8; 32], ed25519: [u8; 32]
EntryV1 = kind: u16, fields: Vec<FieldV1>, provenance: ProvenanceV1,
          not_understood: Vec<String>, source: Option<SourceV1>, marks: MarksV1
FieldV1 = tag: u16, index: u16, value: ValueV1
ValueV1 = Concept(ConceptV1) | Date(String) | Token(String) | Narrative(String)
        | Quantity(QuantityV1) | Boolean(bool) | Party(PartyV1) | Name(NameV1)
        | Address(AddressV1) | Telecom(TelecomV1) | Identifier(IdentifierV1)
        | Attachment(AttachmentV1) | Component(ComponentV1)
ConceptV1 = codings: Vec<CodingV1>, text: Option<String>
CodingV1 = system, version, code, display: Option<String> each
QuantityV1 = value, comparator, unit, system, code: Option<String> each
PartyV1 = name, role, reference: Option<String> each,
          identifiers: Vec<IdentifierV1>, contact: Vec<TelecomV1>
NameV1 = purpose, text, family: Option<String> each, given, prefix, suffix: Vec<String> each
AddressV1 = purpose, text: Option<String> each, lines: Vec<String>,
            city, district, state, postal_code, country: Option<String> each
TelecomV1 = system, value, purpose: Option<String> each
IdentifierV1 = system, value, sort: Option<String> each
AttachmentV1 = content_type, title, created: Option<String> each, size: Option<u64>,
               location: Option<LocationV1>
LocationV1 = Inline(Bytes) | InSource(String) | External(String) | Stored([u8; 32])
ComponentV1 = code: ConceptV1, value: Option<ScalarV1>
ScalarV1 = Concept(ConceptV1) | Quantity(QuantityV1) | Date(String) | Text(String) | Boolean(bool)
ProvenanceV1 = provider: Option<PartyV1>, document: Option<String>, recorded: Option<String>,
               origin: OriginV1, identity, address: Option<String> each, labels: Vec<CodingV1>
OriginV1 = Imported | EnteredByOwner | EnteredByProvider | ImportedAndChanged
SourceV1 = format: SourceFormatV1, bytes: Bytes
SourceFormatV1 = FhirJson(FhirVersionV1) | FhirJsonWithFiles(WithFilesV1) | CdaXml(Vec<SourceFileV1>) | FhirXml(WithFilesV1)
WithFilesV1 = version: FhirVersionV1, files: Vec<SourceFileV1>
SourceFileV1 = address: String, bytes: Bytes
FhirVersionV1 = Dstu2 | Stu3 | R4 | R4B | R5
MarksV1 = retracted: bool, expires: Option<String>, legal_holds: Vec<LegalHoldV1>,
          disputes: Vec<[u8; 16]>, same_person: bool
LegalHoldV1 = reason: String, until: Option<String>
CardV1 = kind: u16, flags: u16, complete: bool, start: Option<String>, end: EndV1,
         system: SystemV1, code: Option<String>, display: Option<String>, provider: Option<String>
EndV1 = Open | SameAsStart | At(String)
SystemV1 = Absent | Known(u16) | Named(String)
ContentV1 = content: [u8; 16], size: u64, digest: [u8; 32], slices: u64, users: Vec<[u8; 16]>
UploadV1 = content: [u8; 16], slices: u64, title: String, started: i64
ImportV1 = documents: Vec<DocumentV1>, answers: Vec<AnswerV1>, unnamed: Option<UnnamedV1>
DocumentV1 = name: Option<String>, scope: [u8; 16], entries: u64
AnswerV1 = epoch: u64, is_of_person: bool, digest: [u8; 16]
UnnamedV1 = answer: [u8; 16], identities: Vec<[u8; 16]>
TombstoneV1 = digests: Vec<[u8; 16]>
SourceDocumentV1 = name: Option<String>, size: u64, entries: Vec<[u8; 16]>,
                   ranges: Vec<RangeV1>
RangeV1 = Here(Bytes) | Original(OriginalV1)
OriginalV1 = entry: [u8; 16], revision: u64, start: u64, length: u64
DocumentListV1 = scopes: Vec<[u8; 16]>
""")

LIMITS = {"PageV1": 15360, "LinkV1": 172, "AccountingV1": 65536, "VaultRecordV1": 16384, "IdentityKeyV1": 32,
          "DirectoryV1": 32768, "CardV1": 300, "UploadV1": 2048, "DocumentListV1": 16777216}
LIMITS.update(dict.fromkeys(("EraseListV1", "LedgerV1", "StoryV1", "EntryV1", "ContentV1", "ImportV1",
                             "TombstoneV1", "SourceDocumentV1"), 67108864))


def read(name, data):
    """Decode content of a catalogued type within its limit."""
    return decode(TYPES, name, data, LIMITS[name])


APPENDIX = """
**1 `diagnosis`**:
1 `code` Concept · 2 `clinical_status` Token · 3 `verification_status` Token · 4 `categories` Concept* · 5 `severity` Concept · 6 `body_sites` Concept* · 7 `onset` Date · 8 `onset_latest` Date · 9 `onset_text` Narrative · 10 `abatement` Date · 11 `abatement_text` Narrative · 12 `recorded` Date · 13 `recorder` Party · 14 `asserter` Party · 15 `stages` Concept* · 16 `evidence` Concept* · 17 `encounter` Token · 18 `notes` Narrative*.

**2 `treatment`**:
1 `form` Token · 2 `code` Concept · 3 `status` Token · 4 `categories` Concept* · 5 `start` Date · 6 `end` Date · 7 `time_text` Narrative · 8 `performers` Party* · 9 `location` Party · 10 `reasons` Concept* · 11 `body_sites` Concept* · 12 `outcome` Concept · 13 `title` Token · 14 `description` Narrative · 15 `intent` Token · 16 `goals` Narrative* · 17 `activities` Concept* · 18 `complications` Concept* · 19 `follow_up` Concept* · 20 `status_reason` Concept · 21 `created` Date · 22 `recorder` Party · 23 `encounter` Token · 24 `notes` Narrative* · 25 `do_not_perform` Boolean.

**3 `medication`**:
1 `code` Concept · 2 `form` Token · 3 `status` Token · 4 `intent` Token · 5 `categories` Concept* · 6 `authored` Date · 7 `start` Date · 8 `end` Date · 9 `dosages` Narrative* · 10 `doses` Quantity* · 11 `routes` Concept* · 12 `as_needed` Boolean · 13 `prescriber` Party · 14 `performers` Party* · 15 `reasons` Concept* · 16 `quantity` Quantity · 17 `refills` Token · 18 `status_reasons` Concept* · 19 `encounter` Token · 20 `notes` Narrative* · 21 `components` Concept* · 22 `do_not_perform` Boolean.

**4 `hospitalization`**:
1 `admission` Date · 2 `discharge` Date · 3 `legal_status` Token · 4 `facility` Party · 5 `reasons` Concept* · 6 `discharge_disposition` Concept · 7 `status` Token · 8 `class` Concept · 9 `types` Concept* · 10 `service_type` Concept · 11 `admit_source` Concept · 12 `readmission` Concept · 13 `participants` Party* · 14 `locations` Party* · 15 `diagnoses` Concept* · 16 `priority` Concept · 17 `legal_basis` Narrative · 18 `notes` Narrative*.

**5 `encounter`**:
1 `start` Date · 2 `end` Date · 3 `types` Concept* · 4 `class` Concept · 5 `status` Token · 6 `reasons` Concept* · 7 `facility` Party · 8 `participants` Party* · 9 `locations` Party* · 10 `service_type` Concept · 11 `diagnoses` Concept* · 12 `priority` Concept · 13 `notes` Narrative* · 14 `discharge_disposition` Concept.

**6 `note`**:
1 `form` Token · 2 `code` Concept · 3 `status` Token · 4 `date` Date · 5 `start` Date · 6 `end` Date · 7 `authors` Party* · 8 `custodian` Party · 9 `title` Token · 10 `text` Narrative* · 11 `attachments` Attachment* · 12 `categories` Concept* · 13 `conclusions` Concept* · 14 `encounter` Token · 15 `facility` Party.

**7 `substance-use`**:
1 `code` Concept · 2 `status` Token · 3 `finding` Concept · 4 `amount` Quantity · 5 `frequency` Narrative · 6 `start` Date · 7 `end` Date · 8 `recorded` Date · 9 `performers` Party* · 10 `details` Component* · 11 `text` Narrative · 12 `encounter` Token · 13 `notes` Narrative* · 14 `categories` Concept*.

**8 `family-history`**:
1 `relationship` Concept · 2 `name` Token · 3 `sex` Concept · 4 `conditions` Concept* · 5 `details` Component* · 6 `date` Date · 7 `status` Token · 8 `born` Date · 9 `deceased` Boolean · 10 `deceased_date` Date · 11 `age` Narrative · 12 `reasons` Concept* · 13 `notes` Narrative*.

**9 `assessment`**:
1 `instrument` Concept · 2 `status` Token · 3 `date` Date · 4 `end` Date · 5 `score` Quantity · 6 `score_text` Narrative · 7 `interpretations` Concept* · 8 `items` Component* · 9 `performers` Party* · 10 `categories` Concept* · 11 `encounter` Token · 12 `notes` Narrative* · 13 `title` Token · 14 `recorded` Date.

**10 `allergy`**:
1 `code` Concept · 2 `clinical_status` Token · 3 `verification_status` Token · 4 `sort` Token · 5 `categories` Token* · 6 `criticality` Token · 7 `onset` Date · 8 `onset_text` Narrative · 9 `recorded` Date · 10 `last_occurrence` Date · 11 `substances` Concept* · 12 `manifestations` Concept* · 13 `severities` Token* · 14 `recorder` Party · 15 `asserter` Party · 16 `encounter` Token · 17 `notes` Narrative*.

**11 `immunization`**:
1 `code` Concept · 2 `status` Token · 3 `status_reason` Concept · 4 `occurrence` Date · 5 `occurrence_text` Narrative · 6 `recorded` Date · 7 `performers` Party* · 8 `location` Party · 9 `manufacturer` Party · 10 `lot` Token · 11 `expires` Date · 12 `site` Concept · 13 `route` Concept · 14 `dose` Quantity · 15 `reasons` Concept* · 16 `primary_source` Boolean · 17 `target_diseases` Concept* · 18 `dose_number` Token · 19 `encounter` Token · 20 `notes` Narrative* · 21 `subpotent` Boolean.

**12 `observation`**:
1 `code` Concept · 2 `status` Token · 3 `categories` Concept* · 4 `start` Date · 5 `end` Date · 6 `issued` Date · 7 `quantity` Quantity · 8 `concept` Concept · 9 `text` Narrative · 10 `date` Date · 11 `boolean` Boolean · 12 `components` Component* · 13 `interpretations` Concept* · 14 `reference_ranges` Narrative* · 15 `performers` Party* · 16 `method` Concept · 17 `body_site` Concept · 18 `absent_reason` Concept · 19 `encounter` Token · 20 `attachments` Attachment* · 21 `conclusions` Concept* · 22 `notes` Narrative*.

**13 `legal-document`**:
1 `form` Token · 2 `code` Concept · 3 `title` Token · 4 `court` Party · 5 `docket` Token · 6 `judge` Party · 7 `issued` Date · 8 `effective` Date · 9 `expires` Date · 10 `scope` Narrative · 11 `parties` Party* · 12 `status` Token · 13 `attachments` Attachment* · 14 `notes` Narrative*.

**14 `advance-directive`**:
1 `form` Token · 2 `code` Concept · 3 `status` Token · 4 `title` Token · 5 `signed` Date · 6 `effective` Date · 7 `expires` Date · 8 `agents` Party* · 9 `text` Narrative* · 10 `attachments` Attachment* · 11 `notes` Narrative*.

**15 `statement`**:
1 `author` Party · 2 `date` Date · 3 `title` Token · 4 `text` Narrative* · 5 `code` Concept · 6 `recipient` Party · 7 `attachments` Attachment* · 8 `expires` Date.

**16 `patient`**:
1 `names` Name* · 2 `identifiers` Identifier* · 3 `birth_date` Date · 4 `gender` Token · 5 `birth_sex` Token · 6 `addresses` Address* · 7 `telecoms` Telecom* · 8 `marital_status` Concept · 9 `languages` Concept* · 10 `deceased` Boolean · 11 `deceased_date` Date · 12 `races` Concept* · 13 `ethnicities` Concept* · 14 `contacts` Party* · 15 `general_practitioners` Party* · 16 `managing_organization` Party · 17 `active` Boolean · 18 `photos` Attachment* · 19 `gender_identity` Concept · 20 `birth_place` Address.

**17 `provider`**:
1 `form` Token · 2 `name` Token · 3 `names` Name* · 4 `identifiers` Identifier* · 5 `telecoms` Telecom* · 6 `addresses` Address* · 7 `types` Concept* · 8 `specialties` Concept* · 9 `active` Boolean · 10 `part_of` Party · 11 `gender` Token · 12 `birth_date` Date · 13 `contacts` Party* · 14 `languages` Concept*.

**18 `attachment`**:
1 `title` Token · 2 `content` Attachment* · 3 `code` Concept · 4 `date` Date · 5 `author` Party · 6 `notes` Narrative*.

**19 `other`**:
1 `resource_type` Token · 2 `code` Concept · 3 `status` Token · 4 `start` Date · 5 `end` Date · 6 `title` Token · 7 `categories` Concept* · 8 `author` Party · 9 `text` Narrative* · 10 `intent` Token · 11 `do_not_perform` Boolean · 12 `decision` Token · 13 `reasons` Concept* · 14 `diagnoses` Concept* · 15 `services` Concept* · 16 `details` Component* · 17 `parties` Party* · 18 `body_sites` Concept* · 19 `outcome` Concept · 20 `status_reasons` Concept* · 21 `recorded` Date · 22 `encounter` Token · 23 `targets` Token* · 24 `attachments` Attachment* · 25 `notes` Narrative* · 26 `predictions` Component*.
"""


def _kinds():
    """{kind: (name, {tag: (type, repeats)})}"""
    kinds = {}
    for number, name, fields in re.findall(r"\*\*(\d+) `([\w-]+)`\*\*:\n(.*)", APPENDIX):
        found = re.findall(r"(\d+) `\w+` (\w+)(\*?)", fields)
        kinds[int(number)] = name, {int(tag): (kind, star == "*") for tag, kind, star in found}
    return kinds


KINDS = _kinds()
