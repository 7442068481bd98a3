//! `list`: what is in the vault.

use std::io::IsTerminal as _;

use serde_json::Value;
use subrosa::record::{DateRange, Fit};
use subrosa::vault::Listed;
use subrosa::{Filter, Kind, PartialDate, Record, Vault};

use crate::access;
use crate::arguments::{Common, List, Search};
use crate::entries;
use crate::failure::Failure;
use crate::output::{self, count, note};
use crate::prompt;
use crate::target::{self, Wanted, hinted};
use crate::words;

/// `search`: what a text is found in.
pub(crate) fn search(common: &Common, command: &Search) -> Result<(), Failure> {
    let (path, words) =
        target::vault_and_some(common, &command.names, Wanted::new("Which words?", "search WORD…"))?;
    let words: Result<Vec<&str>, Failure> = words.iter().map(|word| target::text(word)).collect();
    let text = words?.join(" ");
    run(common, &List { names: vec![path], text: Some(text), ..List::default() })
}

pub(crate) fn run(common: &Common, command: &List) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let filter = filter(command)?;
    let vault = access::to_read(common, &path)?;
    let mut listed = vault.list(&filter)?;
    if common.json {
        let doubles = entries::Doubles::of(&vault)?;
        let rows: Result<Vec<Value>, Failure> =
            listed.iter().map(|entry| entries::for_programs(&vault, entry, &doubles)).collect();
        return output::json(&Value::Array(rows?));
    }
    if listed.is_empty() {
        note(&hinted(&nothing(&vault, command)?));
        return Ok(());
    }
    let before = listed.len();
    if !(command.insurance || is_narrowed(command)) {
        let insurance =
            listed.iter().map(|entry| is_insurance(&vault, entry)).collect::<Result<Vec<_>, _>>()?;
        let mut insurance = insurance.into_iter();
        listed.retain(|_| !insurance.next().unwrap_or_default());
    }
    output::say(&entries::table(&vault, &listed)?)?;
    if std::io::stdout().is_terminal() {
        let kinds = by_kind(listed.iter().map(|entry| entry.card.kind)).join(", ");
        let all = count(listed.len(), "entry", "entries");
        let said = format!("\n{all}: {kinds}. `personal show ID` shows one.");
        note(&hinted(&said));
    }
    let hidden = before - listed.len();
    if hidden > 0 {
        note(&format!(
            "{} of insurance not listed; --insurance lists {} too.",
            count(hidden, "record", "records"),
            if hidden == 1 { "it" } else { "them" }
        ));
    }
    note_perhaps(command, &listed)
}

/// Says how many of the entries lie in the dates asked for perhaps only.
fn note_perhaps(command: &List, listed: &[Listed]) -> Result<(), Failure> {
    let range = DateRange::new(date(command.since.as_deref())?, date(command.until.as_deref())?);
    let perhaps = listed.iter().filter(|entry| entry.card.fit(&range) == Some(Fit::Perhaps)).count();
    if perhaps > 0 {
        note(&format!(
            "{} perhaps outside these dates: a date is missing or not exact, or is earlier. A release with \
             these dates leaves {} out.",
            match perhaps {
                1 => "1 entry is".to_owned(),
                _ => format!("{perhaps} entries are"),
            },
            if perhaps == 1 { "it" } else { "them" }
        ));
    }
    Ok(())
}

/// How many entries there are of each kind, the most first.
pub(crate) fn by_kind(kinds: impl Iterator<Item = Kind>) -> Vec<String> {
    let mut counted: Vec<(usize, Kind)> = Vec::new();
    for kind in kinds {
        match counted.iter_mut().find(|(_, known)| *known == kind) {
            Some((number, _)) => *number += 1,
            None => counted.push((1, kind)),
        }
    }
    counted.sort_by_key(|(number, kind)| (std::cmp::Reverse(*number), kind.number()));
    counted.into_iter().map(|(number, kind)| words::counted(number, kind)).collect()
}

/// What to say where nothing is listed.
fn nothing(vault: &Vault, command: &List) -> Result<String, Failure> {
    let all = vault.list(&Filter::all().with_retracted())?.len();
    if all == 0 {
        return Ok("The vault is empty. `personal import FILE` takes records in; `personal add note` adds one of your own."
            .to_owned());
    }
    let mut said = format!("None of the {} in the vault matches.", count(all, "entry", "entries"));
    if let Some(kind) = command.text.as_deref().and_then(words::kind_called) {
        said.push_str(&format!(" For all of this kind: `personal list --kind {}`.", kind.name()));
    } else if command.text.is_some() {
        said.push_str(" Try the beginning of a word, or a word as the records have it.");
    }
    if !command.all && vault.list(&Filter::all())?.len() < all {
        said.push_str(" What was retracted is looked at with `personal list --all`.");
    }
    Ok(said)
}

/// Whether somebody asked for something, and not for whatever there is.
fn is_narrowed(command: &List) -> bool {
    let texts = [&command.code, &command.provider, &command.text];
    !command.kind.is_empty() || texts.into_iter().any(Option::is_some)
}

/// Claims, what became of them, and the policies: about money, and mostly many.
const INSURANCE: [&str; 8] = [
    "Claim",
    "ClaimResponse",
    "Coverage",
    "CoverageEligibilityRequest",
    "CoverageEligibilityResponse",
    "ExplanationOfBenefit",
    "PaymentNotice",
    "PaymentReconciliation",
];

/// Whether an entry is about insurance.
pub(crate) fn is_insurance(vault: &Vault, listed: &Listed) -> Result<bool, Failure> {
    if listed.card.kind != Kind::Other {
        return Ok(false);
    }
    Ok(match vault.entry(listed.id)?.record {
        Record::Other(other) => other.resource_type.is_some_and(|name| INSURANCE.contains(&name.as_str())),
        _ => false,
    })
}

/// What a list of these options holds.
pub(crate) fn filter(command: &List) -> Result<Filter, Failure> {
    let mut filter = Filter::all();
    for kind in kinds(&command.kind)? {
        filter = filter.kind(kind);
    }
    let (since, until) = (date(command.since.as_deref())?, date(command.until.as_deref())?);
    if since.is_some() || until.is_some() {
        filter = filter.dates(since, until);
    }
    if let Some(code) = prompt::value(command.code.as_deref(), "Which code (PREFIX or SYSTEM|PREFIX)")? {
        let code = code.strip_suffix('*').unwrap_or(&code);
        filter = match code.rsplit_once('|') {
            Some((system, prefix)) => {
                filter.code(Some(entries::system_uri(system).unwrap_or(system)), prefix)
            }
            None => filter.code(None, code),
        };
    }
    if let Some(provider) = prompt::value(command.provider.as_deref(), "Which provider")? {
        filter = filter.provider(&provider);
    }
    if let Some(text) = prompt::value(command.text.as_deref(), "Which text")? {
        filter = filter.text_anywhere(&text);
    }
    Ok(if command.all { filter.with_retracted() } else { filter })
}

/// The kinds of these names; `-` among them asks.
pub(crate) fn kinds(names: &[String]) -> Result<Vec<Kind>, Failure> {
    prompt::values(names, "Which kinds")?.iter().map(|name| kind(name)).collect()
}

/// The kind of this name.
pub(crate) fn kind(name: &str) -> Result<Kind, Failure> {
    words::kind_called(name).ok_or_else(|| {
        let meant = words::kind_meant(name).map(|word| format!(": did you mean {word}?")).unwrap_or_default();
        Failure::usage(format!("this is no kind of entry{meant}; there are: {}", words::kinds()))
    })
}

/// The date of this text.
pub(crate) fn date(text: Option<&str>) -> Result<Option<PartialDate>, Failure> {
    let parsed = text.map(|text| words::iso(text).unwrap_or_else(|| text.to_owned()).parse()).transpose();
    parsed.map_err(|error: subrosa::record::ParseDateError| Failure::usage(error.to_string()))
}
