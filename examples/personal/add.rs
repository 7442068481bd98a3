//! `add`: an entry of the owner's own.

use serde_json::json;
use subrosa::record::Origin;
use subrosa::{Actor, Entry, Provenance, Record};

use crate::access;
use crate::arguments::{Add, Common};
use crate::failure::Failure;
use crate::form::{self, Form};
use crate::list;
use crate::output::{self, note};
use crate::prompt;
use crate::target::{self, Wanted, hinted};
use crate::words;

const WANTED: Wanted = Wanted {
    question: "What kind of entry? diagnosis, medication, note, visit or another.",
    command: "add note",
};

pub(crate) fn run(common: &Common, command: &Add) -> Result<(), Failure> {
    if command.fields {
        let name = command.names.last().map_or(Ok(""), |name| target::text(name))?;
        return output::say(&form::explain(list::kind(name)?));
    }
    let (path, name) = target::vault_and(common, &command.names, WANTED)?;
    let name = prompt::value(Some(target::text(&name)?), "What kind of entry")?.unwrap_or_default();
    let kind = list::kind(&name)?;
    let vault = access::to_write(common, &path)?;
    let mut form = Form::of(&Record::empty(kind));
    if prompt::is_interactive() {
        form.ask_first()?;
    } else {
        form.take(&form::from_standard_input()?)?;
    }
    if !form.is_changed() {
        return Err(Failure::refused("no field was given: nothing was added"));
    }
    if !form.says_something() {
        return Err(Failure::refused(
            "an entry needs more than dates and states: say what it is about; nothing was added",
        ));
    }
    let entry = Entry::new(form.into_record()?, provenance());
    if prompt::is_interactive() && !common.yes {
        note(&format!(
            "\nThis will be saved, as {}:\n\n{}\n",
            words::one(kind),
            output::entry(&entry.shown())
        ));
        if !prompt::agrees_by_default("Save this?")? {
            return Err(Failure::refused("nothing was saved"));
        }
    }
    let id = vault.update(&Actor::owner(), |tx| tx.add(&entry))?.value;
    access::close(vault);
    if common.json {
        return output::json(&json!({ "id": id.to_string(), "kind": kind.name(), "revision": 1 }));
    }
    output::say(&hinted(&format!("Added as {0}. `personal show {0}` shows it.", access::short_id(id))))
}

/// Entered by the owner, today.
fn provenance() -> Provenance {
    let mut provenance = Provenance::default();
    provenance.origin = Origin::EnteredByOwner;
    provenance.recorded = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string().parse().ok();
    provenance
}
