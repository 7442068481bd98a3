//! Which section of a document is what, by its LOINC code.

use crate::codec::xml::El;

/// Sections by code: what findings call them, and mappings go by.
pub(super) const SECTIONS: [(&str, &[&str]); 29] = [
    ("problems", &["11450-4"]),
    ("pastIllness", &["11348-0"]),
    ("admissionDiagnosis", &["46241-6", "42347-5"]),
    ("dischargeDiagnosis", &["11535-2", "C-CDAV2-DDN"]),
    ("allergies", &["48765-2"]),
    ("medications", &["10160-0"]),
    ("admissionMedications", &["42346-7"]),
    ("dischargeMedications", &["10183-2", "75311-1"]),
    ("medicationsAdministered", &["29549-3"]),
    ("immunizations", &["11369-6"]),
    ("procedures", &["47519-4"]),
    ("encounters", &["46240-8"]),
    ("results", &["30954-2"]),
    ("vitalSigns", &["8716-3"]),
    ("socialHistory", &["29762-2"]),
    ("familyHistory", &["10157-6"]),
    ("mentalStatus", &["10190-7"]),
    ("functionalStatus", &["47420-5"]),
    ("plan", &["18776-5"]),
    ("assessment", &["51848-0"]),
    ("assessmentAndPlan", &["51847-2"]),
    ("goals", &["61146-7"]),
    ("healthConcerns", &["75310-3"]),
    ("advanceDirectives", &["42348-3"]),
    ("payers", &["48768-6"]),
    ("hospitalCourse", &["8648-8"]),
    ("reasonForVisit", &["29299-5", "46239-0", "10154-3"]),
    ("instructions", &["69730-0", "8653-8"]),
    ("equipment", &["46264-8"]),
];

/// What a section is called in findings; `section` if its code is not known.
pub(super) fn word_of(section: El<'_>) -> &'static str {
    let code = section.child("code").and_then(|code| code.peek("code")).unwrap_or_default();
    SECTIONS.iter().find(|(_, codes)| codes.contains(&code)).map_or("section", |(word, _)| word)
}

/// The sections of a document, those within others too, in its order.
pub(super) fn sections(body: El<'_>) -> Vec<El<'_>> {
    let mut found = Vec::new();
    let mut open: Vec<El<'_>> = vec![body];
    while let Some(element) = open.pop() {
        let mut inner: Vec<_> =
            element.children("component").filter_map(|part| part.child("section")).collect();
        inner.reverse();
        open.extend(inner);
        if element.is("section") {
            found.push(element);
        }
    }
    found
}
