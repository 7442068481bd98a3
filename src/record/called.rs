//! Whether a text to show names a person: "EXAMPLE, Ada M.", "Dr. Ada Example", "Müller" for
//! "Mueller".
//!
//! A text that may be read as one of the names is no contradiction; any other is.

use unicode_normalization::UnicodeNormalization as _;

use super::fold::fold;
use super::person::Person;

/// Words of a text to show that are no part of a name.
const TITLES: [&str; 61] = [
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "doctor",
    "prof",
    "professor",
    "sir",
    "dame",
    "lady",
    "lord",
    "rev",
    "fr",
    "sr",
    "jr",
    "ii",
    "iii",
    "iv",
    "phd",
    "md",
    "do",
    "dds",
    "rn",
    "esq",
    "med",
    "herr",
    "frau",
    "hr",
    "m",
    "mme",
    "mlle",
    "monsieur",
    "madame",
    "senor",
    "senora",
    "srta",
    "sra",
    "don",
    "dona",
    "sig",
    "signor",
    "signora",
    "patient",
    "pt",
    "subject",
    "self",
    "name",
    "unknown",
    "someone",
    "somebody",
    "anonymous",
    "person",
    "member",
    "subscriber",
    "beneficiary",
    "nee",
    "geb",
    "aka",
    "born",
];

/// Words with which a text names a relative of whom it names.
const RELATIVES: [&str; 24] = [
    "mother",
    "father",
    "parent",
    "son",
    "daughter",
    "child",
    "baby",
    "boy",
    "girl",
    "newborn",
    "infant",
    "twin",
    "fetus",
    "brother",
    "sister",
    "sibling",
    "husband",
    "wife",
    "spouse",
    "partner",
    "guardian",
    "grandmother",
    "grandfather",
    "kind",
];

/// Words that are read of a text or a name; people have a few.
const MOST_WORDS: usize = 24;
/// Words that some write as one.
const MOST_JOINED: usize = 3;

impl Person {
    /// Whether a text to show, such as a FHIR `Reference.display`, may be one of the
    /// person's names: letter case, accents, the order of the words, titles, initials,
    /// further names that only one of the two has, and how words are joined do not count.
    /// What says no name at all, or of whom no name is known, may be.
    #[must_use]
    pub fn may_be_called(&self, shown: &str) -> bool {
        let names: Vec<Vec<Word>> = self.names().iter().map(|name| words(name)).collect();
        let names: Vec<&Vec<Word>> = names.iter().filter(|name| !name.is_empty()).collect();
        let mut shown = words(shown);
        if !names.iter().any(|name| name.iter().any(|word| word.is_numbered)) {
            // A record number, unless names have numbers as those of made-up people do.
            shown.retain(|word| !word.is_numbered);
        }
        shown.is_empty() || names.is_empty() || names.iter().any(|name| may_be_one(&shown, name))
    }
}

impl Person {
    /// Whether a name of the person has a word that is a name.
    pub(crate) fn is_called_something(&self) -> bool {
        self.names().iter().any(|name| !words(name).is_empty())
    }
}

fn may_be_one(shown: &[Word], name: &[Word]) -> bool {
    let is_of_name = |word: &Word| name.iter().any(|known| known.is_like(word));
    let names_a_relative = |word: &Word| RELATIVES.contains(&word.plain.as_str()) && !is_of_name(word);
    !shown.iter().any(names_a_relative) && (covers(name, shown) || covers(shown, name))
}

/// Whether each word of one is, alone or joined with those behind it, in the other.
fn covers(all: &[Word], some: &[Word]) -> bool {
    let mut rest = some;
    while !rest.is_empty() {
        let Some(length) = (1..=MOST_JOINED.min(rest.len())).find(|length| {
            let joined = Word::joined(rest.get(..*length).unwrap_or_default());
            is_among(&joined, all)
        }) else {
            return false;
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    true
}

fn is_among(word: &Word, words: &[Word]) -> bool {
    (1..=MOST_JOINED).any(|length| words.windows(length).any(|run| Word::joined(run).is_like(word)))
}

/// A word of a name in the two ways in which its letters are written without accents.
#[derive(Clone, Default)]
struct Word {
    /// `ü` as `u`.
    plain: String,
    /// `ü` as `ue`.
    long: String,
    /// Digits stood behind it.
    is_numbered: bool,
}

impl Word {
    fn of(word: &str) -> Self {
        let word: String = fold(word).nfc().collect();
        let long = word.chars().flat_map(|c| match c {
            'ä' => vec!['a', 'e'],
            'ö' | 'ø' => vec!['o', 'e'],
            'ü' => vec!['u', 'e'],
            'å' => vec!['a', 'a'],
            other => vec![other],
        });
        Self {
            plain: without_accents(&word),
            long: without_accents(&long.collect::<String>()),
            is_numbered: false,
        }
    }

    fn joined(words: &[Self]) -> Self {
        let all = |part: fn(&Self) -> &str| words.iter().map(part).collect::<String>();
        Self { plain: all(|word| &word.plain), long: all(|word| &word.long), is_numbered: false }
    }

    /// Whether two words may be the same one, one of them perhaps as its initial.
    fn is_like(&self, other: &Self) -> bool {
        let forms = |word: &Self| [word.plain.clone(), word.long.clone()];
        let is_initial = |one: &str, other: &str| one.chars().count() == 1 && other.starts_with(one);
        forms(self).iter().any(|one| {
            forms(other).iter().any(|other| one == other || is_initial(one, other) || is_initial(other, one))
        })
    }
}

fn without_accents(word: &str) -> String {
    let is_accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let plain = word.nfd().filter(|c| !is_accent(c)).flat_map(|c| match c {
        'ø' => vec!['o'],
        'ł' => vec!['l'],
        'đ' | 'ð' => vec!['d'],
        'þ' => vec!['t', 'h'],
        'æ' => vec!['a', 'e'],
        'œ' => vec!['o', 'e'],
        'ı' => vec!['i'],
        other => vec![other],
    });
    plain.nfc().collect()
}

/// The words of a name: without titles, numbers, apostrophes and punctuation.
fn words(text: &str) -> Vec<Word> {
    let is_apostrophe = |c: &char| matches!(c, '\'' | '\u{2019}' | '\u{2bc}' | '`');
    let text: String = text.chars().filter(|c| !is_apostrophe(c)).collect();
    let parts = text.split(|c: char| !c.is_alphanumeric() && !is_mark(c));
    let named = parts.map(|part| (part, part.trim_end_matches(char::is_numeric)));
    let named = named.filter(|(_, word)| !word.is_empty() && !word.chars().any(char::is_numeric));
    let word = |(part, word): (&str, &str)| Word { is_numbered: part.len() > word.len(), ..Word::of(word) };
    let words: Vec<Word> = named.take(MOST_WORDS).map(word).collect();
    let names = words.iter().filter(|word| !TITLES.contains(&word.plain.as_str()));
    names.cloned().collect()
}

/// Combining marks belong to the letter before them.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_be(name: &str, shown: &str) -> bool {
        Person::new([name], None).may_be_called(shown)
    }

    #[test]
    fn another_spelling_of_a_name_is_no_other_name() {
        for (name, shown) in [
            ("Ada Example", "EXAMPLE, Ada"),
            ("Ada Example", "Example^Ada"),
            ("Ada Mary Example", "Mrs. Ada Example"),
            ("Ada Mary Example", "Example, Ada M."),
            ("Ada M Example", "Ada Mary Example, Ph.D."),
            ("Ada Example", "Dr. Ada Maria Example Jr."),
            ("Ada Example", "Ada Example (1970-02-03)"),
            ("Ada Example", "Patient 77"),
            ("Ada Example", "MRN12345"),
            ("Lucien408 Bosco882", "Mr. Lucien408 Bosco882"),
            ("Ada Example", "self"),
            ("Ada Example", ""),
            ("Jörg Müller", "MUELLER, JOERG"),
            ("Jörg Müller", "Muller, Jorg"),
            ("Jo\u{308}rg Müller", "Jörg Mu\u{308}ller"),
            ("Søren Ærø", "Soren Aero"),
            ("Łukasz Wałęsa", "LUKASZ WALESA"),
            ("Zoë O\u{2019}Brien", "OBRIEN, ZOE"),
            ("Anna-Maria De La Cruz", "Annamaria DeLaCruz"),
            ("Ada Example", "A. Example"),
            ("Julia Child", "Child, Julia"),
            ("山田 太郎", "山田太郎"),
        ] {
            assert!(may_be(name, shown), "{name} / {shown}");
        }
        assert!(Person::new(["Ada Born", "Ada Married"], None).may_be_called("Ada Married"));
        assert!(Person::default().may_be_called("John Other"));
    }

    #[test]
    fn another_persons_name_is() {
        for (name, shown) in [
            ("Ada Example", "John Other"),
            ("Ada Example", "Bob Example"),
            ("Ada Example", "Ada Other"),
            ("Ada Example", "Baby boy Example"),
            ("Ada Example", "Mother of Ada Example"),
            ("Ada Mary Example", "Ada Rose Example"),
            ("Ada Example", "B. Example"),
            ("Lucien408 Bosco882", "John Other"),
            ("Lucien408 Bosco882", "Marine542 Upton904"),
            ("Ada Example", "Патиент Иван"),
            ("Ada Example", "山田太郎"),
        ] {
            assert!(!may_be(name, shown), "{name} / {shown}");
        }
    }
}
