//! An entry in one line: the same in lists, in searches and in the questions before
//! something is destroyed.

use std::collections::HashMap;

use serde_json::{Value, json};
use subrosa::record::{CardFlags, Origin};
use subrosa::vault::Listed;
use subrosa::{Entry, EntryId, Kind, PartialDate, Token, Vault};

use crate::access;
use crate::failure::Failure;
use crate::output::{self, printable, shortened};
use crate::words;

/// The column that says what an entry is about.
const WHAT: usize = 2;
/// Longest title in a table, in characters.
const TITLE: usize = 60;
/// Longest result in a table, in characters.
const RESULT: usize = 80;
/// Longest provider in a table, in characters.
const PROVIDER: usize = 32;
/// The widest that columns get on a terminal, so that what it is about gets the width.
const BOUNDS: [(usize, u16); 3] = [(1, 14), (3, 16), (4, 16)];

/// The entries that may be one record with others, each with those.
pub(crate) struct Doubles(HashMap<EntryId, Vec<EntryId>>);

impl Doubles {
    pub(crate) fn of(vault: &Vault) -> Result<Self, Failure> {
        let groups = vault.perhaps_same()?;
        let others =
            |group: &[EntryId], id: EntryId| group.iter().copied().filter(|other| *other != id).collect();
        let each = groups.iter().flat_map(|group| group.iter().map(|id| (*id, others(group, *id))));
        Ok(Self(each.collect()))
    }

    pub(crate) fn of_entry(&self, id: EntryId) -> &[EntryId] {
        self.0.get(&id).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Entries as a table.
pub(crate) fn table(vault: &Vault, entries: &[Listed]) -> Result<String, Failure> {
    let doubles = Doubles::of(vault)?;
    let rows: Result<Vec<Vec<String>>, Failure> = entries
        .iter()
        .map(|entry| {
            let mut row = row(vault, entry)?;
            if !doubles.of_entry(entry.id).is_empty()
                && let Some(what) = row.get_mut(WHAT)
            {
                what.push_str(" (perhaps the same as another)");
            }
            Ok(row)
        })
        .collect();
    Ok(output::table_of(&["Date", "Kind", "What", "Code", "From", "Id"], rows?, &BOUNDS))
}

fn row(vault: &Vault, listed: &Listed) -> Result<Vec<String>, Failure> {
    let card = &listed.card;
    let needs_entry = has_result(card.kind) || card.provider.is_none();
    let entry = needs_entry.then(|| vault.entry(listed.id)).transpose()?;
    let from = card.provider.as_ref().map(|name| name.as_str().to_owned());
    let from = from.or_else(|| entry.as_ref().and_then(|entry| source_of(entry, true)));
    Ok(vec![
        date_of(listed).map_or_else(|| "no date".to_owned(), PartialDate::day_in_words),
        words::kind(card.kind),
        what(listed, entry.as_ref()),
        card.coding.code.as_ref().map(|code| code_with_system(listed, code)).unwrap_or_default(),
        shortened(&from.unwrap_or_default(), PROVIDER),
        access::short_id(listed.id),
    ])
}

/// What an entry is about, with what denies it in front, what was found, and its marks.
fn what(listed: &Listed, entry: Option<&Entry>) -> String {
    let mut what = shortened(listed.display().unwrap_or("(no title)"), TITLE);
    if let Some(result) = entry.and_then(|entry| entry.record.result()) {
        what.push_str(&format!(": {}", shortened(&printable(&result), RESULT)));
    }
    marks(listed.card.flags).iter().for_each(|mark| what.push_str(&format!(" ({mark})")));
    what
}

/// An entry by its kind, its title and its marks, where a line is all the room.
pub(crate) fn title(listed: &Listed) -> String {
    what(listed, None)
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

/// Whether entries of this kind have results, which no card holds.
fn has_result(kind: Kind) -> bool {
    matches!(kind, Kind::Observation | Kind::Assessment | Kind::SubstanceUse)
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
    let (card, entry) = (&listed.card, vault.entry(listed.id)?);
    Ok(json!({
        "id": listed.id.to_string(),
        "kind": card.kind.name(),
        "date": date_of(listed).map(PartialDate::as_str),
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
        "perhaps_same": doubles.of_entry(listed.id).iter().map(ToString::to_string).collect::<Vec<_>>(),
    }))
}
