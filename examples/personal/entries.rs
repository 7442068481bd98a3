//! An entry in one line: the same in lists, in searches and in the questions before
//! something is destroyed.

use std::collections::HashMap;

use serde_json::{Value, json};
use subrosa::record::{Card, CardFlags, Origin};
use subrosa::vault::Listed;
use subrosa::{Entry, EntryId, Error, ErrorKind, PartialDate, Token, Vault};

use crate::access;
use crate::failure::Failure;
use crate::output::{self, Shape, printable, shortened};
use crate::words;

/// The column that says what an entry is about.
const WHAT: usize = 2;
/// Longest title in a table, in characters.
const TITLE: usize = 60;
/// Longest result in a table, in characters.
const RESULT: usize = 80;
/// Longest provider in a table, in characters.
const PROVIDER: usize = 32;
/// What it is about gets the room; who it is from, then its code, then its kind go below that
/// where there is too little.
const SHAPE: Shape = Shape { main: WHAT, widest: 20, folding: &[4, 3, 1] };

/// Most entries that are named of those that may be one record with another.
pub(crate) const DOUBLES_NAMED: usize = 16;

/// The entries that may be one record with others, each with those. A group is held once:
/// nothing bounds how many entries have no date and one code.
pub(crate) struct Doubles {
    groups: Vec<Vec<EntryId>>,
    group_of: HashMap<EntryId, usize>,
}

impl Doubles {
    pub(crate) fn of(vault: &Vault) -> Result<Self, Failure> {
        let groups = vault.perhaps_same()?;
        let numbered = groups.iter().enumerate();
        let group_of = numbered.flat_map(|(at, group)| group.iter().map(move |id| (*id, at))).collect();
        Ok(Self { groups, group_of })
    }

    /// Whether an entry may be one record with another.
    pub(crate) fn has(&self, id: EntryId) -> bool {
        self.group_of.contains_key(&id)
    }

    /// The first others that an entry may be one record with, and how many more there are.
    pub(crate) fn of_entry(&self, id: EntryId) -> (Vec<EntryId>, usize) {
        let group = self.group_of.get(&id).and_then(|at| self.groups.get(*at));
        let group = group.map(Vec::as_slice).unwrap_or_default();
        let named: Vec<EntryId> =
            group.iter().copied().filter(|other| *other != id).take(DOUBLES_NAMED).collect();
        let more = group.len().saturating_sub(named.len() + 1);
        (named, more)
    }
}

/// Entries as a table.
pub(crate) fn table(vault: &Vault, entries: &[Listed]) -> Result<String, Failure> {
    let doubles = Doubles::of(vault)?;
    let rows: Result<Vec<Vec<String>>, Failure> = entries
        .iter()
        .map(|entry| {
            let mut row = row(vault, entry)?;
            if doubles.has(entry.id)
                && let Some(what) = row.get_mut(WHAT)
            {
                what.push_str(" (perhaps the same as another)");
            }
            Ok(row)
        })
        .collect();
    Ok(output::list(&["Date", "Kind", "What", "Code", "From", "Id"], rows?, &SHAPE))
}

/// An entry, and how it is listed by what it says itself. The card that a list is made of is a
/// copy, and whoever has the keys can write another one.
pub(crate) fn opened(vault: &Vault, listed: &Listed) -> Result<(Listed, Entry), Error> {
    let (entry, mut listed) = (vault.entry(listed.id)?, listed.clone());
    listed.card = Card::of(&entry);
    Ok((listed, entry))
}

/// The same; of an entry that is damaged there is its card alone.
fn opened_or_card(vault: &Vault, listed: &Listed) -> Result<(Listed, Option<Entry>), Failure> {
    match opened(vault, listed) {
        Ok((listed, entry)) => Ok((listed, Some(entry))),
        Err(error) if error.kind() == ErrorKind::Damaged => Ok((listed.clone(), None)),
        Err(error) => Err(error.into()),
    }
}

fn row(vault: &Vault, listed: &Listed) -> Result<Vec<String>, Failure> {
    let (listed, entry) = opened_or_card(vault, listed)?;
    let card = &listed.card;
    let from = card.provider.as_ref().map(|name| name.as_str().to_owned());
    let from = from.or_else(|| entry.as_ref().and_then(|entry| source_of(entry, true)));
    Ok(vec![
        date_of(&listed).map_or_else(|| "no date".to_owned(), PartialDate::day_in_words),
        words::kind(card.kind),
        what(&listed, entry.as_ref()),
        card.coding.code.as_ref().map(|code| code_with_system(&listed, code)).unwrap_or_default(),
        shortened(&from.unwrap_or_default(), PROVIDER),
        access::short_id(listed.id),
    ])
}

/// What an entry is about, with what denies it in front, what was found, and its marks. Of one
/// that is damaged there is no more than the card.
fn what(listed: &Listed, entry: Option<&Entry>) -> String {
    let result = entry.and_then(|entry| entry.record.result());
    let result = result.map(|result| format!(": {}", shortened(&printable(&result), RESULT)));
    titled(listed, &result.unwrap_or_default(), entry.is_none())
}

fn titled(listed: &Listed, result: &str, is_damaged: bool) -> String {
    let title = shortened(listed.display().unwrap_or("(no title)"), TITLE);
    let marks: String = marks(listed.card.flags).iter().map(|mark| format!(" ({mark})")).collect();
    let damaged = if is_damaged { " (cannot be read)" } else { "" };
    format!("{title}{result}{marks}{damaged}")
}

/// An entry by its title and its marks, where a line is all the room.
pub(crate) fn title(vault: &Vault, listed: &Listed) -> Result<String, Failure> {
    let (listed, entry) = opened_or_card(vault, listed)?;
    Ok(titled(&listed, "", entry.is_none()))
}

/// What a reader must know of an entry besides its title.
pub(crate) fn marks(flags: CardFlags) -> Vec<&'static str> {
    let marks = [
        (flags.retracted, "retracted"),
        (flags.not_understood, "meaning not understood"),
        (flags.changed, "changed after its import"),
        (flags.disputed, "disputed"),
        (flags.legal_hold, "under a legal hold"),
        (flags.attachment, "with a file"),
        (flags.elsewhere, "refers to a file elsewhere"),
    ];
    marks.into_iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| mark).collect()
}

fn code_with_system(entry: &Listed, code: &Token) -> String {
    let system = entry.card.coding.system.as_ref().and_then(|system| system_name(system.as_str()));
    format!("{}{}", system.map(|name| format!("{name} ")).unwrap_or_default(), code.as_str())
}

/// Code systems by what people call them.
const SYSTEMS: [(&str, &str); 9] = [
    ("SNOMED", "http://snomed.info/sct"),
    ("LOINC", "http://loinc.org"),
    ("RxNorm", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    ("ICD-10-CM", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("ICD-10", "http://hl7.org/fhir/sid/icd-10"),
    ("ICD-9-CM", "http://hl7.org/fhir/sid/icd-9-cm"),
    ("CVX", "http://hl7.org/fhir/sid/cvx"),
    ("NDC", "http://hl7.org/fhir/sid/ndc"),
    ("CPT", "http://www.ama-assn.org/go/cpt"),
];

/// What people call a code system.
pub(crate) fn system_name(uri: &str) -> Option<&'static str> {
    SYSTEMS.iter().find(|(_, known)| *known == uri).map(|(name, _)| *name)
}

/// The code system that people call so.
pub(crate) fn system_uri(name: &str) -> Option<&'static str> {
    let known = SYSTEMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, uri)| *uri);
    // As excerpts and `show` name it.
    known.or_else(|| name.eq_ignore_ascii_case("SNOMED CT").then_some("http://snomed.info/sct"))
}

/// The date by which an entry is listed.
pub(crate) fn date_of(entry: &Listed) -> Option<&PartialDate> {
    entry.card.dates.start().or(entry.card.dates.end())
}

/// Who provided an entry, else who entered it, else the document that it came from.
fn source_of(entry: &Entry, for_people: bool) -> Option<String> {
    let provenance = &entry.provenance;
    entry.provider_name().or_else(|| match provenance.origin {
        Origin::EnteredByOwner if for_people => Some("you".to_owned()),
        // The name of a file or a bundle says little to people.
        _ if for_people => None,
        _ => provenance.document.as_ref().map(|document| document.as_str().to_owned()),
    })
}

/// An entry as one object.
pub(crate) fn for_programs(vault: &Vault, listed: &Listed, doubles: &Doubles) -> Result<Value, Failure> {
    let text = |token: &Option<Token>| token.as_ref().map(|token| token.as_str().to_owned());
    let (listed, entry) = opened(vault, listed)?;
    let card = &listed.card;
    let (others, more) = doubles.of_entry(listed.id);
    let mut shown = json!({
        "id": listed.id.to_string(),
        "kind": card.kind.name(),
        "date": date_of(&listed).map(PartialDate::as_str),
        "end": card.dates.end().map(PartialDate::as_str),
        "code": text(&card.coding.code),
        "system": text(&card.coding.system),
        "display": card.display(),
        "result": entry.record.result(),
        "source": text(&card.provider).or_else(|| source_of(&entry, false)),
        "revision": listed.revision,
        "compartment": listed.compartment.name(),
        "retracted": card.flags.retracted,
        "attachment": card.flags.attachment,
        "file_elsewhere": card.flags.elsewhere,
        "not_understood": card.flags.not_understood,
        "changed": card.flags.changed,
        "perhaps_same": others.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    if let (1.., Some(object)) = (more, shown.as_object_mut()) {
        object.insert("perhaps_same_more".to_owned(), json!(more));
    }
    Ok(shown)
}
