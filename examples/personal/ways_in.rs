//! `access`: the ways into the vault, new ones, and those that are taken away.

use serde_json::{Value as Json, json};
use subrosa::vault::{AccessChange, AccessKind, Compartment, KdfCost, ListedAccess};
use subrosa::{Access, Actor, Credential, Grant, Vault};

use crate::access;
use crate::arguments::{AccessAdd, AccessCommand, AccessRevoke, Common, VaultOnly};
use crate::failure::Failure;
use crate::init::cost;
use crate::output::{self, NewFile, moment, moment_for_programs, note, printable};
use crate::prompt;
use crate::recovery;
use crate::target::{self, Wanted, hinted};

/// Bytes of a KiB and a MiB of memory.
const KIB_PER_MIB: u32 = 1024;

pub(crate) fn run(common: &Common, command: &AccessCommand) -> Result<(), Failure> {
    match command {
        AccessCommand::List(command) => list(common, command),
        AccessCommand::Add(command) => add(common, command),
        AccessCommand::Revoke(command) => revoke(common, command),
    }
}

fn list(common: &Common, command: &VaultOnly) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    let vault = access::to_read(common, &path)?;
    let listed = vault.access()?;
    if common.json {
        return output::json(&listed.iter().map(for_programs).collect());
    }
    let rows = listed.iter().map(row).collect();
    let header = ["Since", "Name", "Opened with", "Opens", "Each guess costs", "Id"];
    output::say(&output::table(&header, rows))?;
    let weak = listed.iter().filter_map(|access| access.password_cost).any(is_below);
    if weak {
        note(&hinted(
            "\nA password with less than 256 MiB is protected less than this program does today. `personal password \
             --upgrade` protects the same password better, unless this device is too small for it.",
        ));
    }
    Ok(())
}

fn is_below(cost: KdfCost) -> bool {
    cost.memory_kib < KdfCost::STANDARD.memory_kib || cost.passes < KdfCost::STANDARD.passes
}

fn row(access: &ListedAccess) -> Vec<String> {
    let own = if access.is_own { " (you, now)" } else { "" };
    let cost = access.password_cost.map_or("nobody can guess it".to_owned(), |cost| {
        format!("{} MiB, {} passes", cost.memory_kib / KIB_PER_MIB, cost.passes)
    });
    vec![
        moment(access.created),
        format!("{}{own}", access.name),
        kind(access.kind).to_owned(),
        opens(access.grant),
        cost,
        short_id(access),
    ]
}

fn for_programs(access: &ListedAccess) -> Json {
    json!({
        "id": access.id.to_string(),
        "name": access.name,
        "kind": kind(access.kind),
        "opens": compartments(access.grant),
        "created": moment_for_programs(access.created),
        "memory_kib": access.password_cost.map(|cost| cost.memory_kib),
        "fingerprint": access.public_key.map(|key| key.fingerprint().to_string()),
        "own": access.is_own,
    })
}

/// What opens a way in, in words.
pub(crate) fn kind(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Password => "password",
        AccessKind::RecoveryKey => "recovery key",
        _ => "key of a program",
    }
}

fn short_id(access: &ListedAccess) -> String {
    access.id.to_string().chars().take(8).collect()
}

fn compartments(grant: Grant) -> Vec<&'static str> {
    Compartment::ALL.into_iter().filter(|c| grant.includes(*c)).map(Compartment::name).collect()
}

fn opens(grant: Grant) -> String {
    if grant == Grant::ALL { "everything".to_owned() } else { compartments(grant).join(", ") }
}

fn add(common: &Common, command: &AccessAdd) -> Result<(), Failure> {
    let (path, name) = target::vault_and(
        common,
        &command.names,
        Wanted {
            question: "What is the new way in to be called, such as spouse?",
            command: "access add NAME",
        },
    )?;
    let name = target::text(&name)?;
    let grant = grant(&command.only)?;
    let vault = access::to_write_at_cost(common, &path, cost(command.small_device))?;
    if vault.access()?.iter().any(|access| access.name == name) {
        return Err(Failure::refused("there is a way in of this name already; choose another name"));
    }
    let (credential, key_file) = match &command.recovery_key_out {
        Some(path) => {
            let key = recovery::generate()?;
            let file = recovery::write(path, &key)?;
            (Credential::from(key), Some(file))
        }
        None => {
            let password = prompt::new_password(command.new_password_file.as_deref())?;
            (Credential::from(prompt::password(&password)?), None)
        }
    };
    let question = format!("{} will open: {}. Add this way in?", printable(name), opens(grant));
    prompt::confirm(common.yes, &question)?;
    key_file.as_ref().map_or(Ok(()), NewFile::sync)?;
    let access = Access::new(&credential, name, grant);
    let added = vault.change_access(&Actor::owner(), &AccessChange::default().adding(access))?;
    if let Some(file) = key_file {
        file.finish()?;
    }
    access::close(vault);
    if common.json {
        return output::json(&json!({ "added": added.iter().map(ToString::to_string).collect::<Vec<_>>() }));
    }
    output::say(
        "The way in is added. Whoever uses it can read and change what it opens, and sign excerpts of it in your \
         name, with a key of its own.",
    )
}

/// The compartments that are named, or everything.
fn grant(names: &[String]) -> Result<Grant, Failure> {
    if names.is_empty() {
        return Ok(Grant::ALL);
    }
    let named = names.iter().map(|name| {
        let found = Compartment::ALL.into_iter().find(|compartment| compartment.name() == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = Compartment::ALL.into_iter().map(Compartment::name).collect();
            Failure::usage(format!("--only takes one of: {}", names.join(", ")))
        })
    });
    Ok(Grant::of(&named.collect::<Result<Vec<_>, _>>()?))
}

fn revoke(common: &Common, command: &AccessRevoke) -> Result<(), Failure> {
    let (path, names) = target::vault_and_some(
        common,
        &command.names,
        Wanted::new("Which way in? `personal access list` shows them.", "access revoke NAME"),
    )?;
    let vault = access::to_write(common, &path)?;
    let listed = vault.access()?;
    let mut chosen: Vec<&ListedAccess> = Vec::new();
    for name in &names {
        let one = named(&listed, target::text(name)?)?;
        if !chosen.iter().any(|other| other.id == one.id) {
            chosen.push(one);
        }
    }
    tell_what_goes(common, &chosen)?;
    prompt::confirm(common.yes, "Take this away?")?;
    let revoke: Vec<_> = chosen.iter().map(|access| access.id).collect();
    vault.change_access(&Actor::owner(), &AccessChange::default().revoking(revoke))?;
    access::close(vault);
    if common.json {
        let ids: Vec<String> = chosen.iter().map(|access| access.id.to_string()).collect();
        return output::json(&json!({ "revoked": ids }));
    }
    output::say(COPIES)
}

/// What taking a way in away does not reach.
pub(crate) const COPIES: &str = "Done: what was taken away opens nothing of this file any more. It still opens older copies and backups of \
     the file: delete those that others may get, and make a new backup. What somebody read, copied or exported \
     before stays with them, and so may the key that they signed excerpts with: `personal ledger --json` has its \
     fingerprint, for those who trust it.";

fn tell_what_goes(common: &Common, chosen: &[&ListedAccess]) -> Result<(), Failure> {
    let rows = chosen.iter().map(|access| row(access)).collect();
    let header = ["Since", "Name", "Opened with", "Opens", "Each guess costs", "Id"];
    let what = format!("This will no longer open the vault:\n\n{}\n", output::table(&header, rows));
    match (common.json, common.yes) {
        (false, _) => output::say(&what)?,
        (true, false) => note(&what),
        (true, true) => {}
    }
    if chosen.iter().any(|access| access.is_own) {
        note("One of them is what you opened the vault with just now: be sure that you have another.");
    }
    Ok(())
}

/// The way in of this name, or whose id begins so.
pub(crate) fn named<'a>(listed: &'a [ListedAccess], text: &str) -> Result<&'a ListedAccess, Failure> {
    let by_name: Vec<&ListedAccess> = listed.iter().filter(|access| access.name == text).collect();
    let by_id = || listed.iter().filter(|a| text.len() >= 4 && a.id.to_string().starts_with(text)).collect();
    let found = if by_name.is_empty() { by_id() } else { by_name };
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Failure::refused("there is no such way in; `personal access list` shows what there is")),
        _ => Err(Failure::refused(
            "several ways in are called so; give the beginning of the id that `personal access list` shows",
        )),
    }
}

/// The vault's ways in that passwords open.
pub(crate) fn passwords(vault: &Vault) -> Result<Vec<ListedAccess>, Failure> {
    let mut listed = vault.access()?;
    listed.retain(|access| access.kind == AccessKind::Password);
    Ok(listed)
}
