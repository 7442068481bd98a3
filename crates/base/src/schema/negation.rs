//! Words that deny what a record names, or put it off.

use super::Kind;

/// What is said of a record that was entered in error.
pub const ENTERED_IN_ERROR: &str = "entered in error";

/// What a word in this field of this kind denies, in words for people. It is read whatever
/// its case, with blanks or hyphens, as people type it too.
#[must_use]
pub fn denial(kind: Kind, field: &str, word: &str) -> Option<&'static str> {
    of_field(kind, field, &plain(word))
}

/// The word in lower case, its parts joined by hyphens, and in the letters of ASCII that
/// others look like: what people read is what is judged.
fn plain(word: &str) -> String {
    let alike = |letter: char| match letter {
        ' '
        | '_'
        | '\u{a0}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{fe63}'
        | '\u{ff0d}' => '-',
        'а' | 'α' | 'ɑ' => 'a',
        'в' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ё' => 'e',
        'һ' => 'h',
        'і' | 'ı' | 'ι' | 'ί' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' | 'ⅼ' => 'l',
        'м' => 'm',
        'н' => 'h',
        'ո' | 'п' => 'n',
        'о' | 'ο' | 'օ' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ѵ' | 'ν' => 'v',
        'ԝ' | 'ѡ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        '\u{ff21}'..='\u{ff5a}' => {
            char::from_u32(u32::from(letter) - 0xfee0).map_or(letter, |letter| letter.to_ascii_lowercase())
        }
        other => other,
    };
    word.trim().to_lowercase().chars().map(alike).collect()
}

/// Whether a word in this field of this kind denies what the record names.
#[must_use]
pub fn denies(kind: Kind, field: &str, word: &str) -> bool {
    denial(kind, field, word).is_some()
}

/// Whether this field denies what the record names where it is true.
#[must_use]
pub fn denies_by_flag(field: &str) -> bool {
    ["do_not_perform", "subpotent"].contains(&field)
}

fn of_field(kind: Kind, field: &str, word: &str) -> Option<&'static str> {
    match field {
        "intent" => of_intent(kind, word),
        "decision" => (word == "deny").then_some("consent denied"),
        "status" | "verification_status" => of_status(kind, word),
        _ => None,
    }
}

fn of_intent(kind: Kind, word: &str) -> Option<&'static str> {
    Some(match (kind, word) {
        (_, "proposal" | "proposed") => "proposed only",
        (Kind::Medication | Kind::Other, "plan") => "planned only",
        (_, "option") => "an option only",
        (Kind::Other, "directive") => "ordered",
        (Kind::Other, word) if word == "order" || word.ends_with("-order") => "ordered",
        (Kind::Other, "predetermination") => "predetermination only",
        (Kind::Other, "preauthorization") => "preauthorization only",
        (Kind::Other, "exploratory") => "exploratory only",
        _ => return None,
    })
}

fn of_status(kind: Kind, word: &str) -> Option<&'static str> {
    let of_any_kind = match word {
        "entered-in-error" | "nullified" => ENTERED_IN_ERROR,
        "refuted" => "ruled out",
        "not-taken" => "not taken",
        "declined" => "declined",
        "rejected" => "rejected",
        "cancelled" | "canceled" => "cancelled",
        "noshow" | "no-show" => "did not take place",
        "revoked" => "revoked",
        "vacated" => "vacated",
        "draft" => "draft",
        "proposed" => "proposed only",
        "preliminary" => "preliminary",
        _ => return of_status_of(kind, word),
    };
    Some(of_any_kind)
}

/// What a status word denies or puts off in this kind only.
fn of_status_of(kind: Kind, word: &str) -> Option<&'static str> {
    Some(match (kind, word) {
        (Kind::Diagnosis | Kind::Allergy, "unconfirmed" | "provisional" | "differential") => "not confirmed",
        (Kind::Immunization | Kind::Medication, "not-done" | "not-given") => "not given",
        (_, "not-done") => "not done",
        (Kind::AdvanceDirective | Kind::Note | Kind::LegalDocument, "superseded") => "superseded",
        (Kind::Encounter | Kind::Hospitalization, "planned") => "not begun",
        (Kind::Encounter | Kind::Hospitalization, "discontinued") => "not completed",
        (Kind::Treatment | Kind::Medication, "preparation") => "not begun",
        (Kind::Treatment, "aborted") => "not completed",
        (Kind::Treatment, "stopped") => "stopped",
        (Kind::Immunization, "in-progress" | "on-hold" | "stopped") => "not completed",
        (Kind::Assessment, "in-progress" | "stopped") => "not completed",
        (Kind::Medication | Kind::Other, "intended") => "intended only",
        (Kind::Observation | Kind::Note | Kind::Assessment, "partial") => "preliminary",
        (Kind::SubstanceUse, "never") => "never",
        (Kind::SubstanceUse, "former") => "former",
        (Kind::FamilyHistory, "health-unknown") => "health not known",
        (
            Kind::Observation | Kind::Note | Kind::Assessment | Kind::SubstanceUse | Kind::Other,
            "registered",
        ) => "no result yet",
        (Kind::Other, word) => return of_status_of_other(word),
        _ => return None,
    })
}

fn of_status_of_other(word: &str) -> Option<&'static str> {
    Some(match word {
        "inactive" => "inactive",
        "planned" => "planned only",
        "requested" | "received" | "ready" | "pending" | "booked" | "waitlist" | "preparation"
        | "not-started" | "scheduled" => "not begun",
        "failed" => "failed",
        "aborted" => "not completed",
        "abandoned" => "abandoned",
        "retired" => "retired",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_denies_however_its_letters_are_written() {
        let not_given = [
            "not-done",
            "Not done",
            "NOT_DONE",
            "not\u{2010}done",
            "not\u{2011}done",
            "nоt-dоnе",
            " ｎｏｔ－ｄｏｎｅ ",
        ];
        for word in not_given {
            assert_eq!(denial(Kind::Immunization, "status", word), Some("not given"), "{word}");
        }
        assert_eq!(denial(Kind::Observation, "status", "еntеrеd-іn-еrrоr"), Some(ENTERED_IN_ERROR));
        for word in ["completed", "завершено", "не проведено", "done", ""] {
            assert_eq!(denial(Kind::Immunization, "status", word), None, "{word}");
        }
    }
}
