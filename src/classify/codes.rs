//! What codes say an entry is, by tables of LOINC, SNOMED CT, CPT and HCPCS.

use crate::record::{Coding, Concept, Token};

pub(crate) const LOINC: &str = "http://loinc.org";
pub(crate) const SNOMED: &str = "http://snomed.info/sct";
const CPT: &str = "http://www.ama-assn.org/go/cpt";
const HCPCS: &str = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Whether one of the codings is in this table of codes.
fn has_code(codings: &[Coding], system: &str, codes: &[&str]) -> bool {
    codings.iter().any(|coding| {
        let code = coding.code.as_ref().map(Token::as_str);
        coding.system.as_ref().map(Token::as_str) == Some(system)
            && code.is_some_and(|code| codes.contains(&code))
    })
}

/// Psychotherapy notes, as 45 CFR 164.501 defines them: codes and labels that say so.
const PSYCHOTHERAPY_SNOMED: [&str; 1] = ["444175001"];
const PSYCHOTHERAPY_LABELS: [&str; 2] = ["PSYTHPN", "HIPAAPsyNotes"];

/// Whether a code or a label of a document says that it is a psychotherapy note.
pub(crate) fn is_psychotherapy_note(codings: &[Coding], labels: &[Coding]) -> bool {
    has_code(codings, SNOMED, &PSYCHOTHERAPY_SNOMED)
        || has_code(codings, ACT_CODE, &PSYCHOTHERAPY_LABELS)
        || has_code(labels, ACT_CODE, &PSYCHOTHERAPY_LABELS)
}

/// Discharge summaries: of any service, hospital, physician, nurse, psychiatry.
const DISCHARGE_LOINC: [&str; 5] = ["18842-5", "11490-0", "28655-9", "34105-7", "34106-5"];

/// Whether a document is a discharge summary.
pub(crate) fn is_discharge_summary(codings: &[Coding]) -> bool {
    has_code(codings, LOINC, &DISCHARGE_LOINC)
}

/// Progress notes: of any service, consulting physician, nurse practitioner.
const PROGRESS_LOINC: [&str; 3] = ["11506-3", "28569-8", "28575-3"];

/// Whether a document is a progress note.
pub(crate) fn is_progress_note(codings: &[Coding]) -> bool {
    has_code(codings, LOINC, &PROGRESS_LOINC)
}

/// Advance directives, living will, power of attorney for health care.
const DIRECTIVE_LOINC: [&str; 4] = ["42348-3", "75320-2", "86533-7", "64298-3"];

/// Whether a document is an advance directive.
pub(crate) fn is_advance_directive(codings: &[Coding]) -> bool {
    has_code(codings, LOINC, &DIRECTIVE_LOINC)
}

/// Panels and total scores of instruments: PHQ-9, PHQ-2, PHQ-A, GAD-7, AUDIT-C, AUDIT,
/// DAST-10, Edinburgh, MMSE, MoCA, HARK, C-SSRS and the level of risk that it comes to, PRAPARE.
const INSTRUMENTS: [&str; 24] = [
    "44249-1", "44261-6", "55757-9", "55758-7", "89204-2", "69737-5", "70274-6", "72109-2", "75626-2",
    "72110-0", "75624-7", "82666-9", "82667-7", "71354-5", "72107-6", "72106-8", "72133-2", "72172-0",
    "76499-3", "76504-0", "93373-9", "93245-9", "93374-7", "93025-5",
];

/// Whether a finding is the panel or the total score of an instrument.
pub(crate) fn is_instrument(codings: &[Coding]) -> bool {
    has_code(codings, LOINC, &INSTRUMENTS)
}

/// Tobacco status and use, cigarettes a day, packs a day, alcohol use, drinks a day,
/// use of other drugs.
const SUBSTANCE_USE: [&str; 9] =
    ["72166-2", "11366-2", "11367-0", "64218-1", "8663-7", "8664-5", "11331-6", "74013-4", "11343-1"];
/// Tobacco use and exposure, tobacco smoking behaviour, alcohol intake, details of drug
/// misuse.
const SUBSTANCE_USE_SNOMED: [&str; 4] = ["229819007", "365981007", "160573003", "363908000"];

/// Whether a finding is about the use of a substance.
pub(crate) fn is_substance_use(codings: &[Coding]) -> bool {
    has_code(codings, LOINC, &SUBSTANCE_USE) || has_code(codings, SNOMED, &SUBSTANCE_USE_SNOMED)
}

/// Never smoked tobacco.
const NEVER_SNOMED: [&str; 1] = ["266919005"];
/// Ex-smoker.
const FORMER_SNOMED: [&str; 1] = ["8517006"];
/// Smoker; smokes every day; smokes some days.
const CURRENT_SNOMED: [&str; 3] = ["77176002", "449868002", "428041000124106"];

/// Whether somebody never used a substance, did or does, as a finding says: `never`,
/// `former` or `current`.
pub(crate) fn status_of_use(codings: &[Coding]) -> Option<&'static str> {
    let words = [("never", &NEVER_SNOMED[..]), ("former", &FORMER_SNOMED), ("current", &CURRENT_SNOMED)];
    words.into_iter().find(|(_, codes)| has_code(codings, SNOMED, codes)).map(|(word, _)| word)
}

/// Psychotherapy, group psychotherapy, cognitive and behavioural therapy, drug addiction
/// counselling.
const THERAPY_SNOMED: [&str; 4] = ["75516001", "76168009", "304891004", "60112009"];
/// Psychotherapy and counselling by the session.
const THERAPY_CPT: [&str; 9] =
    ["90832", "90834", "90837", "90839", "90845", "90846", "90847", "90849", "90853"];
const THERAPY_HCPCS: [&str; 3] = ["H0004", "H0005", "H2035"];

/// Whether a procedure is a session of therapy or counselling.
pub(crate) fn is_therapy(codings: &[Coding]) -> bool {
    has_code(codings, SNOMED, &THERAPY_SNOMED)
        || has_code(codings, CPT, &THERAPY_CPT)
        || has_code(codings, HCPCS, &THERAPY_HCPCS)
}

/// Inpatient classes of HL7 v3 ActEncounterCode: a stay in a bed. `SS` is short stay.
const INPATIENT: [&str; 4] = ["IMP", "ACUTE", "NONAC", "SS"];
/// Words that other systems use for the same.
const INPATIENT_WORDS: [&str; 3] = ["inpatient", "inpatient encounter", "inpatient acute"];

/// Whether the class of an encounter is a stay in a bed.
pub(crate) fn is_inpatient(class: &Concept) -> bool {
    let code = |code: &Token| INPATIENT.contains(&code.as_str().to_ascii_uppercase().as_str());
    let says = |text: &Token| INPATIENT_WORDS.contains(&text.as_str().to_lowercase().as_str());
    let of_coding = class.codings.iter().any(|coding| {
        coding.code.as_ref().is_some_and(|text| code(text) || says(text))
            || coding.display.as_ref().is_some_and(says)
    });
    of_coding || class.text.as_ref().is_some_and(says)
}
