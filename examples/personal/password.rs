//! `password`: another password for the same vault.

use serde_json::json;
use subrosa::{Actor, Vault};

use crate::access;
use crate::arguments::{Common, Password};
use crate::failure::Failure;
use crate::init::cost;
use crate::output;
use crate::prompt;
use crate::target::{self, hinted};
use crate::typed;

pub(crate) fn run(common: &Common, command: &Password) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    if common.recovery_key || common.recovery_key_file.is_some() {
        return Err(Failure::refused(
            "a password is changed with the old one; without it, `personal recover` sets a new one with the \
             recovery key",
        ));
    }
    let options = access::options(common).with_kdf_cost(cost(command.small_device));
    let (vault, old) = typed::again(common, || {
        let locked = access::open(&path, options.clone())?;
        let old = access::password_text(common)?;
        Ok((locked.unlock(&prompt::password(&old)?.into())?, old))
    })?;
    if command.upgrade {
        return upgrade(common, vault, &old);
    }
    let new = prompt::new_password(command.new_password_file.as_deref())?;
    vault.change_password(&Actor::owner(), prompt::password(&old)?, prompt::password(&new)?)?;
    access::close(vault);
    if common.json {
        return output::json(&json!({ "changed": true }));
    }
    output::say(&hinted(
        "The password is changed. Whoever has an older copy of the file can still open that copy with the old \
         password: delete copies and backups that others may get. If somebody else may know the old password \
         and have such a copy, make a new way in (`personal access add NAME`) and take the old one away (`personal access revoke NAME`): \
         that draws new keys.",
    ))
}

/// The same password, at the cost of a new one.
fn upgrade(common: &Common, vault: Vault, password: &str) -> Result<(), Failure> {
    let outdated = vault.outdated_password_cost().is_some();
    if outdated {
        vault.upgrade_password(&Actor::owner(), prompt::password(password)?)?;
    }
    access::close(vault);
    if common.json {
        return output::json(&json!({ "upgraded": outdated }));
    }
    output::say(match outdated {
        true => "The password is the same, and trying passwords on this file costs more than before.",
        false => "The password is protected that well already: nothing was changed.",
    })
}
