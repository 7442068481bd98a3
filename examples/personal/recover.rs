//! `recover`: a forgotten password goes and a new one comes, with the recovery key.

use serde_json::json;
use subrosa::vault::{AccessChange, AccessKind, Compartment, ListedAccess};
use subrosa::{Access, Actor, Credential, Grant, RecoveryKey, Vault};

use crate::access;
use crate::arguments::{Common, Recover};
use crate::failure::Failure;
use crate::init::cost;
use crate::output::{self, NewFile, note, printable};
use crate::prompt;
use crate::recovery;
use crate::target;
use crate::ways_in;

const WHAT_HAPPENS: &str = "The recovery key opened the vault: nothing in it is lost. The forgotten password is taken away and a new \
     one takes its place; then the recovery key, which you have now used, is replaced as well. All of it happens \
     at once or not at all.";

pub(crate) fn run(common: &Common, command: &Recover) -> Result<(), Failure> {
    if common.password_file.is_some() {
        return Err(Failure::refused(
            "this is for a forgotten password; `personal password` changes one that you know",
        ));
    }
    let path = target::vault(common, &command.names)?;
    let options = access::options(common).with_kdf_cost(cost(command.small_device));
    let locked = access::open(&path, options)?;
    let vault = access::told(locked.unlock(&access::recovery_credential(common)?)?);
    note(WHAT_HAPPENS);
    let forgotten = forgotten(&vault, command)?;
    let (name, grant) = successor(&forgotten)?;
    let password = prompt::new_password(command.new_password_file.as_deref())?;
    let password = Credential::from(prompt::password(&password)?);
    let old_key = vault.access()?.into_iter().find(|a| a.is_own && a.kind == AccessKind::RecoveryKey);
    let new_key = new_recovery_key(command)?;
    let key_file = match (&command.new_recovery_key_out, &new_key) {
        (Some(path), Some(key)) => Some(recovery::write(path, key)?),
        _ => None,
    };
    let names: Vec<String> = forgotten.iter().map(|access| printable(&access.name)).collect();
    prompt::confirm(common.yes, &format!("Replace the password of: {}?", names.join(", ")))?;
    // The old key is about to be worthless: the new one must be safe before.
    key_file.as_ref().map_or(Ok(()), NewFile::sync)?;
    let access = Access::new(&password, name, grant);
    let replaced = replace(&vault, &forgotten, access, old_key, new_key)?;
    key_file.map_or(Ok(()), NewFile::finish)?;
    access::close(vault);
    if common.json {
        return output::json(&json!({ "recovered": names, "new_recovery_key": replaced }));
    }
    told(replaced)
}

/// The passwords to take away: those named, else the owner's.
fn forgotten(vault: &Vault, command: &Recover) -> Result<Vec<ListedAccess>, Failure> {
    let mut passwords = ways_in::passwords(vault)?;
    if !command.replace.is_empty() {
        let named =
            command.replace.iter().map(|name| ways_in::named(&passwords, name).map(|access| access.id));
        let named = named.collect::<Result<Vec<_>, _>>()?;
        passwords.retain(|access| named.contains(&access.id));
        return Ok(passwords);
    }
    if passwords.len() > 1 {
        passwords.retain(|access| access.name == "password");
    }
    match passwords.len() {
        1 => Ok(passwords),
        0 if ways_in::passwords(vault)?.is_empty() => Err(nothing_forgotten()),
        _ => Err(Failure::usage(
            "there are several passwords: say whose is forgotten with --replace NAME; `personal access list \
             --recovery-key` shows the names",
        )),
    }
}

/// What the one new password is called and opens: all that any of the forgotten ones did.
fn successor(forgotten: &[ListedAccess]) -> Result<(&str, Grant), Failure> {
    let is_granted = |compartment: &Compartment| forgotten.iter().any(|a| a.grant.includes(*compartment));
    let granted: Vec<Compartment> = Compartment::ALL.into_iter().filter(is_granted).collect();
    let grant = Grant::of(&granted);
    let widest = forgotten.iter().find(|access| access.grant == grant).or(forgotten.first());
    Ok((&widest.ok_or_else(nothing_forgotten)?.name, grant))
}

fn nothing_forgotten() -> Failure {
    Failure::refused("no password opens this vault; `personal access add --recovery-key` adds one")
}

/// A fresh recovery key, once it is on paper or in a file.
fn new_recovery_key(command: &Recover) -> Result<Option<RecoveryKey>, Failure> {
    if command.keep_recovery_key {
        return Ok(None);
    }
    recovery::offer_another(command.new_recovery_key_out.is_some())
}

/// Replaces everything in one commit; tells whether the recovery key is another.
fn replace(
    vault: &Vault,
    forgotten: &[ListedAccess],
    password: Access<'_>,
    old_key: Option<ListedAccess>,
    new_key: Option<RecoveryKey>,
) -> Result<bool, Failure> {
    let mut revoke: Vec<_> = forgotten.iter().map(|access| access.id).collect();
    let new_key = new_key.map(Credential::from);
    let mut add = vec![password];
    if let (Some(old), Some(new)) = (&old_key, &new_key) {
        revoke.push(old.id);
        add.push(Access::new(new, &old.name, old.grant));
    }
    let replaced = add.len() > 1;
    let change = add.into_iter().fold(AccessChange::default().revoking(revoke), AccessChange::adding);
    vault.change_access(&Actor::owner(), &change)?;
    Ok(replaced)
}

fn told(replaced: bool) -> Result<(), Failure> {
    let key = if replaced {
        "The old recovery key opens it no more: destroy the old paper."
    } else {
        "The recovery key is the same as before."
    };
    output::say(&format!(
        "The new password opens the vault, and signs excerpts with another key than the old one: send those who \
         check them the new `personal public-key`. {key}\n\nOlder copies and backups of the file still open with the old \
         password and the old recovery key, with all that they hold: make a new backup, and delete the old ones if \
         others may get them."
    ))
}
