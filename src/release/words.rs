//! Which words beside codes a third party gets.
//!
//! A third party gets codes and the short names that a published code system gives
//! them; other words may say anything about anybody, so they are free text.

use unicode_normalization::UnicodeNormalization as _;

use crate::record::{Coding, Concept, Token};

/// Longest name that is taken for a code's own, in characters.
const LONGEST_SHORT_NAME: usize = 120;

/// Code systems whose short names are published; one that ends in `/`, `:` or `.`
/// stands for all that begin so.
const PUBLISHED: [&str; 15] = [
    "http://snomed.info/sct",
    "http://loinc.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://hl7.org/fhir/sid/",
    "http://hl7.org/fhir/",
    "http://terminology.hl7.org/CodeSystem/",
    "http://www.ama-assn.org/go/cpt",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "http://www.whocc.no/atc",
    "http://unitsofmeasure.org",
    "http://nucc.org/provider-taxonomy",
    "http://www.orpha.net",
    "urn:iso:std:iso:",
    "urn:ietf:bcp:47",
    "urn:oid:2.16.840.1.113883.6.",
];

/// Whether whoever reads a concept's codes can look up what they mean.
pub(super) fn has_published_code(concept: &Concept) -> bool {
    concept.codings.iter().any(|coding| coding.code.is_some() && is_published(coding))
}

/// How words begin that deny what follows them, or only ask about it.
const DENYING: [&str; 16] = [
    "no known",
    "no evidence",
    "no history",
    "no sign",
    "no ",
    "not ",
    "non ",
    "negative for",
    "rule out",
    "ruled out",
    "r/o ",
    "absence of",
    "denies",
    "without",
    "unlikely",
    "suspected",
];

/// Whether a text denies what it names, or only asks about it.
pub(super) fn denies_in_text(text: &Token) -> bool {
    let text = plain(text.as_str());
    let text = text.trim_start();
    DENYING.iter().any(|start| text.starts_with(start))
        || ["ruled out", "not present", "excluded", "absent"].iter().any(|end| text.ends_with(end))
}

/// Whether any words of a concept deny what it names.
pub(super) fn denies_in_words(concept: &Concept) -> bool {
    let displays = concept.codings.iter().filter_map(|coding| coding.display.as_ref());
    displays.chain(concept.text.as_ref()).any(denies_in_text)
}

/// Whether a coding's display may be taken for the short name that its code system
/// gives the code. No code system is at hand to look it up: this is a rule of form.
pub(super) fn has_short_name(coding: &Coding) -> bool {
    let is_short = |display: &Token| {
        let text = display.as_str();
        text.chars().count() <= LONGEST_SHORT_NAME && !text.chars().any(char::is_control)
    };
    is_published(coding) && coding.code.is_some() && coding.display.as_ref().is_some_and(is_short)
}

fn is_published(coding: &Coding) -> bool {
    let system = coding.system.as_ref().map(Token::as_str).unwrap_or_default();
    PUBLISHED.iter().any(|known| match known.ends_with(['/', ':', '.']) {
        true => system.starts_with(known),
        false => system == *known,
    })
}

/// Whether a concept's text says nothing but what the short name of one of its codes says.
pub(super) fn repeats_short_name(concept: &Concept) -> bool {
    let names = concept.codings.iter().filter(|coding| has_short_name(coding));
    let mut names = names.filter_map(|coding| coding.display.as_ref());
    concept.text.as_ref().is_some_and(|text| names.any(|name| plain(name.as_str()) == plain(text.as_str())))
}

/// Whether words say more of a value than any of the names that leave with it: they have a
/// word that the name lacks, or one of the two denies what the other says.
pub(super) fn says_more_than(words: &Token, names: &[&Token]) -> bool {
    let said = each_word(words);
    let has_all = |name: &&&Token| {
        let named = each_word(name);
        !said.is_empty()
            && said.iter().all(|word| named.contains(word))
            && denies_in_text(words) == denies_in_text(name)
    };
    !names.iter().any(|name| has_all(&name))
}

fn each_word(text: &Token) -> Vec<String> {
    let text = plain(text.as_str());
    let words = text.split(|c: char| c.is_whitespace() || ",.;:()[]\"/".contains(c));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// In lower case and compatibility form (NFKC), with one space for each run of white space.
pub(super) fn plain(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.nfkc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coding(system: &str, code: &str, display: &str) -> Coding {
        let token = |text: &str| Token::new(text).ok();
        Coding { system: token(system), code: token(code), display: token(display), ..Coding::default() }
    }

    #[test]
    fn a_short_name_is_of_a_published_system_short_and_on_one_line() {
        let is_one = |system: &str, code: &str, display: &str| has_short_name(&coding(system, code, display));
        assert!(is_one("http://snomed.info/sct", "44054006", "Diabetes mellitus type 2"));
        assert!(is_one("http://hl7.org/fhir/sid/icd-10-cm", "E11.9", &"x".repeat(120)));
        for (system, code, display) in [
            ("http://snomed.info/sct/x", "1", "x"),
            ("urn:oid:1.2.3", "1", "x"),
            ("", "1", "x"),
            ("http://loinc.org", "", "x"),
            ("http://loinc.org", "1", ""),
            ("http://loinc.org", "1", &"x".repeat(121)),
            ("http://loinc.org", "1", "one\ntwo"),
        ] {
            assert!(!is_one(system, code, display), "{system} {code}");
        }
    }

    #[test]
    fn a_text_repeats_a_short_name_whatever_its_case_and_spaces() {
        let mut concept = Concept::from_coding(coding("http://loinc.org", "1", "Heart  Rate"));
        for (text, repeats) in [("heart rate", true), ("HEART RATE", true), ("heart rate of Ada", false)] {
            concept.text = Token::new(text).ok();
            assert_eq!(repeats_short_name(&concept), repeats, "{text}");
        }
        concept.codings = vec![coding("urn:oid:1.2.3", "1", "heart rate")];
        concept.text = Token::new("heart rate").ok();
        assert!(!repeats_short_name(&concept));
    }

    #[test]
    fn words_say_more_than_a_name_unless_it_has_all_of_them() {
        let more = |words: &str, name: &str| {
            says_more_than(&Token::new(words).unwrap(), &[&Token::new(name).unwrap()])
        };
        assert!(!more("positive", "Positive (qualifier value)"));
        assert!(!more("SARS-CoV-2 detected", "Detected: SARS-CoV-2"));
        for (words, name) in [
            ("positive, repeat", "Positive"),
            ("positive?", "Positive"),
            ("-", "Positive"),
            ("...", "Positive"),
            ("detected", "Not detected"),
            ("not detected", "Detected"),
            ("+", "Positive"),
            ("無効", "Positive"),
        ] {
            assert!(more(words, name), "{words} / {name}");
        }
        assert!(says_more_than(&Token::new("positive").unwrap(), &[]));
    }
}
