//! `amend` and `retract`: what was wrong is corrected or withdrawn, and stays as history.

use serde_json::{Value as Json, json};
use subrosa::{Actor, EntryId, Vault};

use crate::access;
use crate::arguments::{Amend, Common};
use crate::failure::Failure;
use crate::form::{self, Form};
use crate::output;
use crate::prompt;
use crate::target::{self, Wanted, hinted};

/// The member of the JSON object that says why.
const REASON: &str = "_reason";

pub(crate) fn run(common: &Common, command: &Amend) -> Result<(), Failure> {
    let (path, id) = target::vault_and(common, &command.names, Wanted::entry("amend ID"))?;
    let vault = access::to_write(common, &path)?;
    let id = access::entry_id(&vault, target::text(&id)?)?;
    let mut entry = vault.entry(id)?;
    let mut form = Form::of(&entry.record);
    let reason = match prompt::is_interactive() {
        true => {
            form.ask()?;
            let asked = command.reason.as_deref().unwrap_or("-");
            prompt::value(Some(asked), "Why (Enter leaves it out)")?
        }
        false => {
            let mut object = form::from_standard_input()?;
            let given = object.shift_remove(REASON).and_then(|reason| match reason {
                Json::String(text) => Some(text),
                _ => None,
            });
            form.take(&object)?;
            given.or_else(|| command.reason.clone().filter(|reason| reason != "-"))
        }
    };
    if !form.is_changed() {
        return Err(Failure::refused("no field was changed: the entry stays as it is"));
    }
    entry.record = form.into_record()?;
    let reason = reason.unwrap_or_default();
    vault.update(&Actor::owner(), |tx| tx.amend(id, &entry, &reason))?;
    let short = access::short_id(id);
    let told = format!("Amended; the earlier version stays readable: `personal show {short} --history`");
    done(common, vault, id, &told)
}

pub(crate) fn retract(common: &Common, command: &Amend) -> Result<(), Failure> {
    let (path, id) = target::vault_and(common, &command.names, Wanted::entry("retract ID"))?;
    let vault = access::to_write(common, &path)?;
    let id = access::entry_id(&vault, target::text(&id)?)?;
    let reason = prompt::value(command.reason.as_deref(), "Why (Enter leaves it out)")?.unwrap_or_default();
    vault.update(&Actor::owner(), |tx| tx.retract(id, &reason))?;
    let told = "Retracted: it is no longer listed or released. It is still in the vault; `personal expunge` \
                destroys it.";
    done(common, vault, id, told)
}

fn done(common: &Common, vault: Vault, id: EntryId, told: &str) -> Result<(), Failure> {
    let revision = access::listed(&vault, id)?.revision;
    access::close(vault);
    if common.json {
        return output::json(&json!({ "id": id.to_string(), "revision": revision }));
    }
    output::say(&hinted(told))
}
