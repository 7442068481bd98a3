//! What a recipient would read, and what stays and why. For the owner's eyes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use subrosa::record::FieldName;
use subrosa::release::{FilterNotice, RedactedEntry, View, Withheld, WithheldReason};
use subrosa::{EntryId, Vault};

use crate::access::short_id;
use crate::failure::Failure;
use crate::output::{self, count, indented, printable};
use crate::words;

/// The preview as text.
pub(crate) fn told(vault: &Vault, view: &View, masks: &[String]) -> Result<String, Failure> {
    let mut lines = not_understood(vault, view)?;
    lines.extend(words_beside(vault, view)?);
    match view.subject() {
        Some(subject) => {
            let born = subject.born_in_words().map(|born| format!(", born {born}")).unwrap_or_default();
            lines.push(indented("It names the patient: ", &format!("{}{born}.", subject.name)));
        }
        None => lines.push("NOTHING CAN BE RELEASED: the excerpt would not say whom it is about.".to_owned()),
    }
    lines.push(format!("It would show {}:", count(view.released().len(), "entry", "entries")));
    view.released().iter().for_each(|entry| lines.push(entry_told(entry)));
    lines.extend(around(view));
    let reasons = reasons(view.withheld());
    if !reasons.is_empty() {
        lines.push("\nWithheld:".to_owned());
        lines.extend(reasons.iter().map(|(what, n)| indented(&format!("  {n} × "), what)));
    }
    lines.extend(notices(view, masks)?.iter().map(|notice| format!("\n{}", noted(notice))));
    lines.push("\nThis is a preview: nothing has left the vault.".to_owned());
    Ok(lines.join("\n"))
}

/// What the recipient reads around the entries.
fn around(view: &View) -> Vec<String> {
    let signs = view.who_signs().into_iter().map(|sentence| indented("  ", &sentence));
    let chosen =
        view.selection().into_iter().map(|(heading, words)| indented(&format!("  {heading}: "), &words));
    let notices = view.notices_to_recipient().into_iter().map(|notice| indented("  ", notice));
    let head = "\nThe recipient also reads:".to_owned();
    [head].into_iter().chain(signs).chain(chosen).chain(notices).collect()
}

/// A notice in a line, or in several of which the others are set in: what it names of a
/// record cannot begin one.
pub(crate) fn noted(notice: &str) -> String {
    indented("Note: ", &printable(&format!("{notice}.")))
}

/// The entries that stay because their meaning was not understood, before anything else.
fn not_understood(vault: &Vault, view: &View) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for one in view.withheld().iter().filter(|one| one.reason == WithheldReason::NotUnderstood) {
        let entry = vault.entry(one.entry)?;
        let paths: Vec<&str> = entry.not_understood.iter().map(|path| path.as_str()).collect();
        lines.push(staying(vault, one.entry, &paths.join(", "))?);
    }
    if !lines.is_empty() {
        let stays = "MEANING NOT UNDERSTOOD, so this stays in the vault:";
        lines.insert(0, stays.to_owned());
        lines.push(
            "  Read the original (`personal show ID --raw`); --not-understood-of ID releases one.\n"
                .to_owned(),
        );
    }
    Ok(lines)
}

/// The entries that stay because words beside their results do.
fn words_beside(vault: &Vault, view: &View) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for one in view.withheld().iter().filter(|one| one.reason == WithheldReason::WordsBeside) {
        let of_it = view.withheld().iter().filter(|other| other.entry == one.entry);
        let is_of_words = |reason| matches!(reason, WithheldReason::FreeText | WithheldReason::Words);
        let fields = of_it.filter(|other| is_of_words(other.reason)).filter_map(|other| other.field);
        let fields: BTreeSet<String> = fields.map(both_names).collect();
        let fields = fields.into_iter().collect::<Vec<_>>().join(", ");
        lines.push(staying(vault, one.entry, &fields)?);
    }
    if !lines.is_empty() {
        let stays = "WORDS BESIDE A RESULT do not leave and could take it back, so this stays in the vault:";
        lines.insert(0, stays.to_owned());
        lines.push(
            "  Read it (`personal show ID`); --include FIELD releases the words too, --without-words-of ID \
             releases one without them, marked so.\n"
                .to_owned(),
        );
    }
    Ok(lines)
}

/// Kind, title and id of an entry that stays, and why it does.
fn staying(vault: &Vault, id: EntryId, why: &str) -> Result<String, Failure> {
    let entry = vault.entry(id)?;
    let title = entry.display().unwrap_or_else(|| "(no title)".to_owned());
    let said = format!("{}: {title} ({}): {why}", words::kind(entry.kind()), short_id(id));
    Ok(indented("  ", &printable(&said)))
}

fn entry_told(entry: &RedactedEntry) -> String {
    format!("\n{}\n    ({})", output::entry(&entry.shown()), short_id(entry.id()))
}

/// What is withheld, by field and reason.
fn reasons(withheld: &[Withheld]) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for one in withheld {
        let what = match one.field {
            Some(field) => format!("{}: {}", both_names(field), one.reason),
            None => format!("a whole entry: {}", one.reason),
        };
        *reasons.entry(what).or_insert(0) += 1;
    }
    reasons
}

/// A field by the word in which it is shown, and the one that masks may name it by.
fn both_names(field: &str) -> String {
    match FieldName::find(field) {
        Some(found) if found.label.to_lowercase() == found.name.replace('_', " ") => found.label.to_owned(),
        Some(found) => format!("{} ({})", found.label, found.name),
        None => field.to_owned(),
    }
}

/// What the owner should know of the selection.
pub(crate) fn notices(view: &View, masks: &[String]) -> Result<Vec<String>, Failure> {
    // The printed notice ends in a full stop of its own.
    let names = view
        .differing_names()
        .map(|sentence| format!("the excerpt says: {}", sentence.trim_end_matches('.')));
    let notices = names.into_iter().chain(view.notices().iter().map(FilterNotice::to_string));
    Ok(notices.chain(dates_in_full(view, masks)?).collect())
}

/// Which dates leave in full although another was shortened to its year: mostly they
/// tell the same day.
fn dates_in_full(view: &View, masks: &[String]) -> Result<Option<String>, Failure> {
    if !masks.iter().any(|mask| mask.to_lowercase().trim_end().ends_with("=year")) {
        return Ok(None);
    }
    let mut names = BTreeSet::new();
    for entry in view.released() {
        let claims: Json = serde_json::from_str(&entry.disclosed_json())
            .map_err(|_| Failure::refused("an entry cannot be read as JSON: preview it without masks"))?;
        let parts = ["fields", "provenance"].into_iter().filter_map(|part| claims.get(part)?.as_object());
        let dates = parts.flatten().filter(|(_, value)| value.get("date").is_some());
        names.extend(dates.map(|(name, _)| name.clone()));
    }
    let names: Vec<String> = names.iter().map(|name| both_names(name)).collect();
    Ok((!names.is_empty()).then(|| {
        format!("these dates leave in full and may tell the same day: {}; mask them too", names.join(", "))
    }))
}

/// The preview as JSON. What would leave is in it as it would be signed, number by number.
pub(crate) fn for_programs(view: &View, masks: &[String]) -> Result<String, Failure> {
    let released = |entry: &RedactedEntry| {
        let around = json!({
            "id": entry.id().to_string(),
            "kind": entry.kind().name(),
            "heading": entry.shown().heading,
            "warnings": entry.shown().warnings,
            "perhaps_same": entry.perhaps_same(),
            "withheld": entry.withheld_fields(),
        });
        output::with_members(&around, &[("disclosed", &entry.disclosed_json())])
    };
    let withheld = |one: &Withheld| json!({ "entry": one.entry.to_string(), "field": one.field, "reason": one.reason.to_string() });
    let around = json!({
        "subject": view.subject().map(|subject| json!({ "name": subject.name, "born": subject.born })),
        "withheld": view.withheld().iter().map(withheld).collect::<Vec<_>>(),
        "who_signs": view.who_signs(),
        "selection": view.selection(),
        "notices_to_recipient": view.notices_to_recipient(),
        "notices": notices(view, masks)?,
    });
    let released: Vec<String> = view.released().iter().map(released).collect();
    Ok(output::with_members(&around, &[("released", &output::array_of(&released))]))
}
