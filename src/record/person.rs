//! Who a record is about, as far as a record says, and whether two are one person.
//!
//! Two people are never one because nothing tells them apart: what is not shown is
//! [`Likeness::Unknown`].

use std::collections::BTreeSet;
use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::date::{PartialDate, Precision};
use super::fold::fold;
use super::kinds::Patient;
use super::text::Token;
use super::value::{HumanName, Identifier};

/// A person as a record describes them. `Debug` prints no content.
///
/// ```
/// use subrosa::record::{Likeness, Person, PersonDetail};
///
/// let born = |date: &str| date.parse().ok();
/// let one = Person::new(["Ada Example"], born("1970-02-03"));
/// let same = Person::new(["EXAMPLE, Ada"], born("1970-02-03"));
/// assert_eq!(one.compare(&same), Likeness::Same);
/// assert_eq!(one.compare(&Person::new(["Ada Example"], None)), Likeness::Unknown);
/// let other = Person::new(["Ada Example"], born("2001-01-01"));
/// assert_eq!(one.compare(&other), Likeness::Different { what: vec![PersonDetail::BirthDate] });
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Person {
    names: Vec<HumanName>,
    birth_date: Option<PartialDate>,
    gender: Option<Token>,
    identifiers: Vec<Identifier>,
    /// A birth date is said, in a form that is no date.
    birth_date_is_unreadable: bool,
}

/// Whether two descriptions are of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Likeness {
    /// They have an identifier, or name and birth date, in common, and nothing contradicts.
    Same,
    /// Too little is said to tell.
    Unknown,
    /// They contradict each other.
    Different {
        /// In what.
        what: Vec<PersonDetail>,
    },
}

/// What two descriptions of a person may differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PersonDetail {
    /// The names.
    Name,
    /// The date of birth.
    BirthDate,
    /// The administrative gender (FHIR `Patient.gender`).
    Gender,
    /// A number that each person has one of.
    Identifier,
}

impl fmt::Display for PersonDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::BirthDate => "birth date",
            Self::Gender => "gender",
            Self::Identifier => "identifier",
        })
    }
}

/// Systems of numbers of which each person has one: US social security, NHS England.
const ONE_EACH: [&str; 5] = [
    "http://hl7.org/fhir/sid/us-ssn",
    "urn:oid:2.16.840.1.113883.4.1",
    "2.16.840.1.113883.4.1",
    "https://fhir.nhs.uk/Id/nhs-number",
    "urn:oid:2.16.840.1.113883.2.1.4.1",
];

impl Person {
    /// A person of these names, each in one line, and this date of birth.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, birth_date: Option<PartialDate>) -> Self {
        let text = |name: &str| HumanName { text: Token::new(name).ok(), ..HumanName::default() };
        Self { names: names.into_iter().map(text).collect(), birth_date, ..Self::default() }
    }

    /// The person that a patient's record describes.
    #[must_use]
    pub fn of(patient: &Patient) -> Self {
        Self {
            names: patient.names.clone(),
            birth_date: patient.birth_date.clone(),
            gender: patient.gender.clone(),
            identifiers: patient.identifiers.clone(),
            birth_date_is_unreadable: false,
        }
    }

    /// The same person, of whom a birth date is said: one that could not be read, if there
    /// is none.
    pub(crate) fn with_unreadable_birth_date(mut self, is_said: bool) -> Self {
        self.birth_date_is_unreadable = is_said && self.birth_date.is_none();
        self
    }

    /// Whether a date of birth is said, in a form that could not be read: whose record it
    /// is rests on the rest alone.
    #[must_use]
    pub fn has_unreadable_birth_date(&self) -> bool {
        self.birth_date_is_unreadable && self.birth_date.is_none()
    }

    /// The names, each in one line.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.names.iter().filter_map(HumanName::to_line).collect()
    }

    /// The date of birth.
    #[must_use]
    pub fn birth_date(&self) -> Option<&PartialDate> {
        self.birth_date.as_ref()
    }

    /// The administrative gender, as FHIR's word.
    #[must_use]
    pub fn gender(&self) -> Option<&str> {
        self.gender.as_ref().map(Token::as_str)
    }

    /// The identifiers as `system|value`; one without a system begins with `|`.
    #[must_use]
    pub fn identifiers(&self) -> Vec<String> {
        self.identifiers.iter().filter_map(identifier_line).collect()
    }

    /// Whether nothing tells this person from another.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        self.names().is_empty() && self.birth_date.is_none() && self.identifiers().is_empty()
    }

    /// Adds what another description of the same person says besides.
    pub(crate) fn join(&mut self, other: &Self) {
        join(&mut self.names, &other.names);
        join(&mut self.identifiers, &other.identifiers);
        let precision = |date: &Option<PartialDate>| date.as_ref().map(PartialDate::precision);
        if precision(&self.birth_date) < precision(&other.birth_date) {
            self.birth_date.clone_from(&other.birth_date);
        }
        self.birth_date_is_unreadable |= other.birth_date_is_unreadable;
        if self.gender.is_none() {
            self.gender.clone_from(&other.gender);
        }
    }

    /// Whether this is the other person.
    ///
    /// Letter case, accents, the form of Unicode, titles and the order of family and given
    /// names do not count. A middle name that only one of the two has does not count
    /// where family name and first given name are the same.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Likeness {
        let births = births(self.birth_date.as_ref(), other.birth_date.as_ref());
        let names = names_alike(&self.names, &other.names);
        let shared = self.shares_identifier(other);
        let mut what = Vec::new();
        let mut different = |is: bool, detail| what.extend(is.then_some(detail));
        different(names == Some(Alike::Differ), PersonDetail::Name);
        different(births == Some(Alike::Differ), PersonDetail::BirthDate);
        different(genders_differ(self.gender(), other.gender()), PersonDetail::Gender);
        different(self.contradicts_identifier(other), PersonDetail::Identifier);
        let called_and_born_the_same = names == Some(Alike::Same) && births == Some(Alike::Same);
        match what.is_empty() {
            false => Likeness::Different { what },
            true if shared || called_and_born_the_same => Likeness::Same,
            true => Likeness::Unknown,
        }
    }

    /// Texts of which two people have one in common if [`Self::compare`] says that they are
    /// the same.
    pub(crate) fn likeness_keys(&self) -> Vec<String> {
        let identifiers = self.identifiers.iter().take(MOST_NAMES).filter_map(in_system);
        let mut keys: Vec<_> = identifiers.map(|(system, value)| format!("{system}|{value}")).collect();
        let Some(day) = self.birth_date.as_ref().and_then(day) else { return keys };
        for name in self.names.iter().take(MOST_NAMES).map(Words::of).filter(|name| !name.all.is_empty()) {
            let join =
                |words: &BTreeSet<String>| words.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            keys.push(format!("{day} {}", join(&name.all)));
            keys.extend(name.first.map(|first| format!("{day} {first}, {}", join(&name.family))));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Whether both have one identifier of one system.
    fn shares_identifier(&self, other: &Self) -> bool {
        let own: BTreeSet<_> = self.identifiers.iter().filter_map(in_system).collect();
        other.identifiers.iter().filter_map(in_system).any(|found| own.contains(&found))
    }

    /// Whether they have different numbers where each person has one.
    fn contradicts_identifier(&self, other: &Self) -> bool {
        let of = |person: &'_ Self, wanted: &str| -> BTreeSet<String> {
            let found = person.identifiers.iter().filter_map(in_system);
            found.filter(|(system, _)| system == wanted).map(|(_, value)| value).collect()
        };
        ONE_EACH.iter().any(|system| {
            let (one, other) = (of(self, system), of(other, system));
            !one.is_empty() && !other.is_empty() && one.is_disjoint(&other)
        })
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person")
    }
}

/// Adds what is new, up to a limit: input chooses how much there is.
fn join<T: Clone + PartialEq>(own: &mut Vec<T>, other: &[T]) {
    for item in other {
        if own.len() < MOST_JOINED && !own.contains(item) {
            own.push(item.clone());
        }
    }
}

/// Names and identifiers that several descriptions of one person may add up to.
const MOST_JOINED: usize = 128;

fn identifier_line(identifier: &Identifier) -> Option<String> {
    let text = |token: &Option<Token>| token.as_ref().map(Token::as_str).unwrap_or_default().to_owned();
    identifier.value.as_ref()?;
    Some(format!("{}|{}", text(&identifier.system), text(&identifier.value)))
}

/// System and value; a value without a system may be anyone's.
fn in_system(identifier: &Identifier) -> Option<(String, String)> {
    let value: String =
        identifier.value.as_ref()?.as_str().chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let system = identifier.system.as_ref()?.as_str().trim();
    (!value.is_empty() && !system.is_empty()).then(|| (system.to_owned(), value))
}

/// What a comparison of one detail gave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alike {
    Same,
    MayBe,
    Differ,
}

/// Equal days are the same; a year may be any day of it.
fn births(one: Option<&PartialDate>, other: Option<&PartialDate>) -> Option<Alike> {
    let (one, other) = (one?, other?);
    let days = one.precision() >= Precision::Day && other.precision() >= Precision::Day;
    Some(match (days, one.overlaps(other)) {
        (true, _) if day(one) == day(other) => Alike::Same,
        (true, _) | (false, false) => Alike::Differ,
        (false, true) => Alike::MayBe,
    })
}

fn day(date: &PartialDate) -> Option<&str> {
    (date.precision() >= Precision::Day).then(|| date.as_str().get(..10)).flatten()
}

fn genders_differ(one: Option<&str>, other: Option<&str>) -> bool {
    let known = |gender: &&str| matches!(*gender, "male" | "female");
    matches!((one.filter(known), other.filter(known)), (Some(one), Some(other)) if one != other)
}

/// The best that any name of one is like any name of the other.
fn names_alike(one: &[HumanName], other: &[HumanName]) -> Option<Alike> {
    let read = |names: &[HumanName]| -> Vec<Words> {
        names.iter().map(Words::of).filter(|name| !name.all.is_empty()).take(MOST_NAMES).collect()
    };
    let (one, other) = (read(one), read(other));
    let pairs = one.iter().flat_map(|one| other.iter().map(move |other| one.alike(other)));
    pairs.min_by_key(|alike| match alike {
        Alike::Same => 0,
        Alike::MayBe => 1,
        Alike::Differ => 2,
    })
}

/// Names of one person that are compared; real ones have a few.
const MOST_NAMES: usize = 32;

/// A name as the words that it consists of, without titles.
struct Words {
    all: BTreeSet<String>,
    family: BTreeSet<String>,
    first: Option<String>,
    is_structured: bool,
}

impl Words {
    fn of(name: &HumanName) -> Self {
        let family: BTreeSet<_> = name.family.iter().flat_map(|token| words(token.as_str())).collect();
        let given: Vec<_> = name.given.iter().flat_map(|token| words(token.as_str())).collect();
        let is_structured = !family.is_empty() || !given.is_empty();
        let titles: BTreeSet<_> =
            name.prefix.iter().chain(&name.suffix).flat_map(|token| words(token.as_str())).collect();
        let text = name.text.iter().flat_map(|token| words(token.as_str()));
        let all = match is_structured {
            true => family.iter().cloned().chain(given.iter().cloned()).collect(),
            false => text.filter(|word| !titles.contains(word)).collect(),
        };
        Self { all, family, first: given.first().cloned(), is_structured }
    }

    fn alike(&self, other: &Self) -> Alike {
        if self.all == other.all {
            return Alike::Same;
        }
        if !self.all.is_subset(&other.all) && !other.all.is_subset(&self.all) {
            return Alike::Differ;
        }
        let structured = self.is_structured && other.is_structured;
        let first = self.first.is_some() && self.first == other.first;
        match structured && first && !self.family.is_empty() && self.family == other.family {
            true => Alike::Same,
            false => Alike::MayBe,
        }
    }
}

/// The words of a name: lower case, without accents of Latin, Greek and Cyrillic
/// letters, apostrophes and punctuation.
fn words(text: &str) -> Vec<String> {
    let is_accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let is_apostrophe = |c: &char| matches!(c, '\'' | '\u{2019}' | '\u{2bc}' | '`');
    let folded: String = fold(text).nfd().filter(|c| !is_accent(c) && !is_apostrophe(c)).nfc().collect();
    folded
        .split(|c: char| c.is_whitespace() || c.is_ascii_punctuation())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Option<Token> {
        Token::new(text).ok()
    }

    fn person(family: &str, given: &[&str], born: &str) -> Person {
        let name = HumanName {
            family: token(family),
            given: given.iter().filter_map(|given| token(given)).collect(),
            ..HumanName::default()
        };
        Person { names: vec![name], birth_date: born.parse().ok(), ..Person::default() }
    }

    fn identified(mut person: Person, system: &str, value: &str) -> Person {
        let identifier = Identifier { system: token(system), value: token(value), sort: None };
        person.identifiers.push(identifier);
        person
    }

    fn differ(one: &Person, other: &Person) -> Vec<PersonDetail> {
        assert!(one.compare(other) == other.compare(one), "a comparison has no direction");
        match one.compare(other) {
            Likeness::Different { what } => what,
            _ => Vec::new(),
        }
    }

    #[test]
    fn how_a_name_is_written_does_not_count() {
        let ada = person("Gómez-Muñoz", &["Ada", "María"], "1970-02-03");
        for same in [
            person("GOMEZ MUNOZ", &["ada", "maria"], "1970-02-03"),
            person("Go\u{301}mez-Mun\u{303}oz", &["Ada María"], "1970-02-03"),
            person("Gómez-Muñoz", &["Ada"], "1970-02-03"),
            Person::new(["Gomez Munoz, Ada Maria"], "1970-02-03".parse().ok()),
        ] {
            assert_eq!(ada.compare(&same), Likeness::Same);
            assert_eq!(same.compare(&ada), Likeness::Same);
        }
        assert_eq!(
            Person::new(["Zoë O'Brien"], "1970-02-03".parse().ok())
                .compare(&Person::new(["OBRIEN ZOE"], "1970-02-03".parse().ok())),
            Likeness::Same
        );
    }

    #[test]
    fn what_is_not_said_is_unknown() {
        let ada = person("Example", &["Ada"], "1970-02-03");
        let twin_or_ada = person("Example", &[], "1970-02-03");
        let undated = person("Example", &["Ada"], "");
        let of_the_year = person("Example", &["Ada"], "1970");
        let middle = Person::new(["Ada Maria Example"], "1970-02-03".parse().ok());
        for unknown in [twin_or_ada, undated, of_the_year, middle, Person::default()] {
            assert_eq!(ada.compare(&unknown), Likeness::Unknown);
        }
    }

    #[test]
    fn twins_and_relatives_are_different() {
        let ada = person("Example", &["Ada", "Maria"], "1970-02-03");
        assert_eq!(differ(&ada, &person("Example", &["Eve"], "1970-02-03")), [PersonDetail::Name]);
        assert_eq!(differ(&ada, &person("Example", &["Ada", "Rose"], "1970-02-03")), [PersonDetail::Name]);
        assert_eq!(
            differ(&ada, &person("Example", &["Ada", "Maria"], "1970-02-04")),
            [PersonDetail::BirthDate]
        );
        assert_eq!(differ(&ada, &person("Example", &["Ada"], "1971")), [PersonDetail::BirthDate]);
    }

    #[test]
    fn identifiers_join_and_part_people_only_where_they_may() {
        let ada = || person("Example", &["Ada"], "");
        let [one, other] = ["1", "2"].map(|value| identified(ada(), "urn:x:mrn", value));
        assert_eq!(one.compare(&other), Likeness::Unknown, "a person may have two numbers of a hospital");
        assert_eq!(one.compare(&identified(Person::default(), "urn:x:mrn", "1")), Likeness::Same);
        let policy = identified(person("Example", &["Bob"], ""), "urn:x:mrn", "1");
        assert_eq!(differ(&one, &policy), [PersonDetail::Name], "a family's policy number");
        assert_eq!(identified(ada(), "", "1").compare(&identified(ada(), "", "1")), Likeness::Unknown);
        let [one, other] = ["999-99-9999", "999998888"].map(|ssn| identified(ada(), ONE_EACH[0], ssn));
        assert_eq!(differ(&one, &other), [PersonDetail::Identifier]);
        assert_eq!(one.compare(&identified(ada(), ONE_EACH[0], "999999999")), Likeness::Same);
    }

    #[test]
    fn a_gender_that_is_unknown_contradicts_nothing() {
        let gendered =
            |word: &str| Person { gender: token(word), ..person("Example", &["Ada"], "1970-02-03") };
        assert_eq!(differ(&gendered("female"), &gendered("male")), [PersonDetail::Gender]);
        for word in ["unknown", "other", ""] {
            assert_eq!(gendered("female").compare(&gendered(word)), Likeness::Same);
        }
    }

    #[test]
    fn no_content_is_printed() {
        assert_eq!(format!("{:?}", person("Example", &["Ada"], "1970-02-03")), "Person");
    }
}
