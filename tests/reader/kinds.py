"""The kinds of records and their fields, as the appendix of docs/format.md lists them."""

import re

APPENDIX = """
1 diagnosis:
  code Concept, clinical_status Token, verification_status Token, categories Concept*, severity
  Concept, body_sites Concept*, onset Date, onset_latest Date, onset_text Narrative, abatement
  Date, abatement_text Narrative, recorded Date, recorder Party, asserter Party, stages
  Concept*, evidence Concept*, encounter Token, notes Narrative*
2 treatment:
  form Token, code Concept, status Token, categories Concept*, start Date, end Date, time_text
  Narrative, performers Party*, location Party, reasons Concept*, body_sites Concept*, outcome
  Concept, title Token, description Narrative, intent Token, goals Narrative*, activities
  Concept*, complications Concept*, follow_up Concept*, status_reason Concept, created Date,
  recorder Party, encounter Token, notes Narrative*, do_not_perform Boolean
3 medication:
  code Concept, form Token, status Token, intent Token, categories Concept*, authored Date,
  start Date, end Date, dosages Narrative*, doses Quantity*, routes Concept*, as_needed Boolean,
  prescriber Party, performers Party*, reasons Concept*, quantity Quantity, refills Token,
  status_reasons Concept*, encounter Token, notes Narrative*, components Concept*,
  do_not_perform Boolean
4 hospitalization:
  admission Date, discharge Date, legal_status Token, facility Party, reasons Concept*,
  discharge_disposition Concept, status Token, class Concept, types Concept*, service_type
  Concept, admit_source Concept, readmission Concept, participants Party*, locations Party*,
  diagnoses Concept*, priority Concept, legal_basis Narrative, notes Narrative*
5 encounter:
  start Date, end Date, types Concept*, class Concept, status Token, reasons Concept*, facility
  Party, participants Party*, locations Party*, service_type Concept, diagnoses Concept*,
  priority Concept, notes Narrative*, discharge_disposition Concept
6 note:
  form Token, code Concept, status Token, date Date, start Date, end Date, authors Party*,
  custodian Party, title Token, text Narrative*, attachments Attachment*, categories Concept*,
  conclusions Concept*, encounter Token, facility Party
7 substance-use:
  code Concept, status Token, finding Concept, amount Quantity, frequency Narrative, start Date,
  end Date, recorded Date, performers Party*, details Component*, text Narrative, encounter
  Token, notes Narrative*, categories Concept*
8 family-history:
  relationship Concept, name Token, sex Concept, conditions Concept*, details Component*, date
  Date, status Token, born Date, deceased Boolean, deceased_date Date, age Narrative, reasons
  Concept*, notes Narrative*
9 assessment:
  instrument Concept, status Token, date Date, end Date, score Quantity, score_text Narrative,
  interpretations Concept*, items Component*, performers Party*, categories Concept*, encounter
  Token, notes Narrative*, title Token, recorded Date
10 allergy:
  code Concept, clinical_status Token, verification_status Token, sort Token, categories Token*,
  criticality Token, onset Date, onset_text Narrative, recorded Date, last_occurrence Date,
  substances Concept*, manifestations Concept*, severities Token*, recorder Party, asserter
  Party, encounter Token, notes Narrative*
11 immunization:
  code Concept, status Token, status_reason Concept, occurrence Date, occurrence_text Narrative,
  recorded Date, performers Party*, location Party, manufacturer Party, lot Token, expires Date,
  site Concept, route Concept, dose Quantity, reasons Concept*, primary_source Boolean,
  target_diseases Concept*, dose_number Token, encounter Token, notes Narrative*,
  subpotent Boolean
12 observation:
  code Concept, status Token, categories Concept*, start Date, end Date, issued Date, quantity
  Quantity, concept Concept, text Narrative, date Date, boolean Boolean, components Component*,
  interpretations Concept*, reference_ranges Narrative*, performers Party*, method Concept,
  body_site Concept, absent_reason Concept, encounter Token, attachments Attachment*,
  conclusions Concept*, notes Narrative*
13 legal-document:
  form Token, code Concept, title Token, court Party, docket Token, judge Party, issued Date,
  effective Date, expires Date, scope Narrative, parties Party*, status Token, attachments
  Attachment*, notes Narrative*
14 advance-directive:
  form Token, code Concept, status Token, title Token, signed Date, effective Date, expires
  Date, agents Party*, text Narrative*, attachments Attachment*, notes Narrative*
15 statement:
  author Party, date Date, title Token, text Narrative*, code Concept, recipient Party,
  attachments Attachment*, expires Date
16 patient:
  names Name*, identifiers Identifier*, birth_date Date, gender Token, birth_sex Token,
  addresses Address*, telecoms Telecom*, marital_status Concept, languages Concept*, deceased
  Boolean, deceased_date Date, races Concept*, ethnicities Concept*, contacts Party*,
  general_practitioners Party*, managing_organization Party, active Boolean, photos Attachment*,
  gender_identity Concept, birth_place Address
17 provider:
  form Token, name Token, names Name*, identifiers Identifier*, telecoms Telecom*, addresses
  Address*, types Concept*, specialties Concept*, active Boolean, part_of Party, gender Token,
  birth_date Date, contacts Party*, languages Concept*
18 attachment:
  title Token, content Attachment*, code Concept, date Date, author Party, notes Narrative*
19 other:
  resource_type Token, code Concept, status Token, start Date, end Date, title Token, categories
  Concept*, author Party, text Narrative*, intent Token, do_not_perform Boolean, decision Token
"""


def parse_appendix(text):
    """Number of the kind to its name and, by tag, each field's (type, repeats)."""
    kinds = {}
    for number, name, fields in re.findall(r"^(\d+) ([a-z-]+):\n((?:  .*\n)+)", text, re.MULTILINE):
        types = [field.split()[1] for field in " ".join(fields.split()).split(", ")]
        schema = {tag: (kind.rstrip("*"), kind.endswith("*")) for tag, kind in enumerate(types, 1)}
        kinds[int(number)] = (name, schema)
    return kinds


KINDS = parse_appendix(APPENDIX)
