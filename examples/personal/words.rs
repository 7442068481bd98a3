//! Kinds and dates in the words of people; JSON keeps the names and ISO 8601.

use subrosa::Kind;

use crate::near;

/// What else people call kinds, in the singular.
const EVERYDAY: [(&str, Kind); 72] = [
    ("illness", Kind::Diagnosis),
    ("disease", Kind::Diagnosis),
    ("condition", Kind::Diagnosis),
    ("problem", Kind::Diagnosis),
    ("sickness", Kind::Diagnosis),
    ("disorder", Kind::Diagnosis),
    ("complaint", Kind::Diagnosis),
    ("therapy", Kind::Treatment),
    ("procedure", Kind::Treatment),
    ("operation", Kind::Treatment),
    ("surgery", Kind::Treatment),
    ("care-plan", Kind::Treatment),
    ("medicine", Kind::Medication),
    ("drug", Kind::Medication),
    ("pill", Kind::Medication),
    ("tablet", Kind::Medication),
    ("prescription", Kind::Medication),
    ("med", Kind::Medication),
    ("hospital", Kind::Hospitalization),
    ("stay", Kind::Hospitalization),
    ("admission", Kind::Hospitalization),
    ("appointment", Kind::Encounter),
    ("consultation", Kind::Encounter),
    ("call", Kind::Encounter),
    ("contact", Kind::Encounter),
    ("report", Kind::Note),
    ("letter", Kind::Note),
    ("summary", Kind::Note),
    ("document", Kind::Note),
    ("alcohol", Kind::SubstanceUse),
    ("tobacco", Kind::SubstanceUse),
    ("smoking", Kind::SubstanceUse),
    ("drinking", Kind::SubstanceUse),
    ("family", Kind::FamilyHistory),
    ("relative", Kind::FamilyHistory),
    ("history", Kind::FamilyHistory),
    ("questionnaire", Kind::Assessment),
    ("score", Kind::Assessment),
    ("test", Kind::Assessment),
    ("survey", Kind::Assessment),
    ("screening", Kind::Assessment),
    ("intolerance", Kind::Allergy),
    ("reaction", Kind::Allergy),
    ("vaccine", Kind::Immunization),
    ("vaccination", Kind::Immunization),
    ("shot", Kind::Immunization),
    ("jab", Kind::Immunization),
    ("inoculation", Kind::Immunization),
    ("lab", Kind::Observation),
    ("measurement", Kind::Observation),
    ("reading", Kind::Observation),
    ("vital", Kind::Observation),
    ("finding", Kind::Observation),
    ("labs", Kind::Observation),
    ("legal", Kind::LegalDocument),
    ("consent", Kind::LegalDocument),
    ("court-order", Kind::LegalDocument),
    ("directive", Kind::AdvanceDirective),
    ("living-will", Kind::AdvanceDirective),
    ("wish", Kind::AdvanceDirective),
    ("proxy", Kind::AdvanceDirective),
    ("person", Kind::Patient),
    ("me", Kind::Patient),
    ("doctor", Kind::Provider),
    ("clinic", Kind::Provider),
    ("hospital-unit", Kind::Provider),
    ("practitioner", Kind::Provider),
    ("file", Kind::Attachment),
    ("scan", Kind::Attachment),
    ("picture", Kind::Attachment),
    ("insurance", Kind::Other),
    ("rest", Kind::Other),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A kind as lists, pages and previews call it, within a sentence.
pub(crate) fn kind(kind: Kind) -> String {
    kind.label().to_lowercase()
}

/// The kind of this name, or that people call so, one or many.
pub(crate) fn kind_called(text: &str) -> Option<Kind> {
    let text = text.trim().to_lowercase().replace(['_', ' '], "-");
    let known = |word: &str| {
        let everyday = EVERYDAY.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
        let shown =
            |known: &Kind| kind(*known).replace(' ', "-") == word || known.name().replace('_', "-") == word;
        Kind::all().iter().copied().find(shown).or(everyday)
    };
    let singular = |ending: &str, instead: &str| {
        text.strip_suffix(ending).and_then(|stem| known(&format!("{stem}{instead}")))
    };
    known(&text)
        .or_else(|| singular("ies", "y"))
        .or_else(|| singular("es", ""))
        .or_else(|| singular("es", "is"))
        .or_else(|| singular("s", ""))
}

/// The word for a kind that was perhaps meant.
pub(crate) fn kind_meant(text: &str) -> Option<&'static str> {
    let names = Kind::all().iter().flat_map(|kind| [kind.name(), kind.label()]);
    near::nearest(text, names.chain(EVERYDAY.iter().map(|(word, _)| *word)))
}

/// The kinds as lists show them, with their names where these are other words.
pub(crate) fn kinds() -> String {
    let shown = |known: &Kind| match kind(*known) {
        words if words == known.name().replace(['-', '_'], " ") => known.name().to_owned(),
        words => format!("{} ({words})", known.name()),
    };
    Kind::all().iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// One entry of a kind, such as `a diagnosis` or `an allergy`.
pub(crate) fn one(of: Kind) -> String {
    let one = entry_of(of);
    format!("{} {one}", if one.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

fn entry_of(of: Kind) -> String {
    match of {
        Kind::SubstanceUse => "entry on alcohol, tobacco or drugs".to_owned(),
        other => kind(other),
    }
}

/// The number of entries of a kind, such as `8 diagnoses`.
pub(crate) fn counted(number: usize, of: Kind) -> String {
    let one = entry_of(of);
    let many = match of {
        Kind::Diagnosis => "diagnoses".to_owned(),
        Kind::Allergy => "allergies".to_owned(),
        Kind::SubstanceUse => "entries on alcohol, tobacco or drugs".to_owned(),
        Kind::FamilyHistory => "family histories".to_owned(),
        _ => format!("{one}s"),
    };
    format!("{number} {}", if number == 1 { one } else { many })
}

/// ISO 8601 for a date as lists write it, such as `3 May 2024` or `May 2024`.
pub(crate) fn iso(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let (day, month, year) = match parts.as_slice() {
        [month, year] => (None, month, year),
        [day, month, year] => (Some(day.parse::<u8>().ok()?), month, year),
        _ => return None,
    };
    let month = month.trim_end_matches('.').to_lowercase();
    let is_meant = |name: &&str| {
        name.to_lowercase() == month || (month.len() == 3 && name.to_lowercase().starts_with(&month))
    };
    let month = MONTHS.iter().position(is_meant)? + 1;
    let is_year = year.len() == 4 && year.bytes().all(|digit| digit.is_ascii_digit());
    let day = day.map(|day| format!("-{day:02}")).unwrap_or_default();
    is_year.then(|| format!("{year}-{month:02}{day}"))
}

#[cfg(test)]
mod tests {
    use subrosa::Kind;

    use super::{EVERYDAY, counted, iso, kind, kind_called, kind_meant};

    #[test]
    fn a_kind_is_known_by_its_name_by_what_lists_call_it_and_by_everyday_words() {
        for known in Kind::all() {
            assert_eq!(kind_called(known.name()), Some(*known));
            assert_eq!(kind_called(&kind(*known)), Some(*known));
            let many = counted(2, *known);
            if *known != Kind::SubstanceUse {
                assert_eq!(kind_called(many.strip_prefix("2 ").unwrap()), Some(*known), "{many}");
            }
        }
        for (word, known) in EVERYDAY {
            assert_eq!(kind_called(word), Some(known), "{word}");
        }
        for (word, known) in
            [("Vaccines", Kind::Immunization), ("illnesses", Kind::Diagnosis), ("Visits", Kind::Encounter)]
        {
            assert_eq!(kind_called(word), Some(known), "{word}");
        }
        assert_eq!((kind_called("nonsense"), kind_meant("diagnoziz")), (None, Some("diagnosis")));
    }

    #[test]
    fn a_date_in_words_is_the_same_date() {
        for (text, date) in
            [("27 February 2021", "2021-02-27"), ("mar. 2021", "2021-03"), ("3 May 0999", "0999-05-03")]
        {
            assert_eq!(iso(text).as_deref(), Some(date), "{text}");
        }
        for text in ["last May", "2021", "Ma 2021", "32000 May 2021", "May 21", "January"] {
            assert_eq!(iso(text), None, "{text}");
        }
    }
}
