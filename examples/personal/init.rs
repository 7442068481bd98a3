//! `init`: a new vault.

use std::path::Path;

use serde_json::json;
use subrosa::vault::KdfCost;
use subrosa::{Access, Credential, NewVault, RecoveryKey, Vault};

use crate::access;
use crate::arguments::{Common, Init};
use crate::failure::Failure;
use crate::output::{self, note};
use crate::prompt;
use crate::recovery;
use crate::target::{self, hinted};

pub(crate) fn run(common: &Common, command: &Init) -> Result<(), Failure> {
    let path = target::vault(common, &command.names)?;
    if path.symlink_metadata().is_ok() {
        return Err(Failure::refused(
            "there is a file of this name already; choose another name for the vault",
        ));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Failure::environment(
            "there is no such folder to create the vault in; create the folder first",
        ));
    }
    may_be_created(&path)?;
    let name = name(command)?;
    let password = prompt::new_password(common.password_file.as_deref())?;
    let password = Credential::from(prompt::password(&password)?);
    let recovery_key = recovery::offer(command)?;
    let key_file = match (&command.recovery_key_out, &recovery_key) {
        (Some(path), Some(key)) => Some(recovery::write(path, key)?),
        _ => None,
    };
    let has_recovery_key = recovery_key.is_some();
    note("Creating the vault. Protecting the password takes about a second, then and each time you open it.");
    let vault = create(common, command, &path, &name, &password, recovery_key)?;
    if let Some(file) = key_file {
        file.finish()?;
    }
    let id = vault.id().to_string();
    access::close(vault);
    if common.json {
        return output::json(&json!({ "vault": id, "recovery_key": has_recovery_key }));
    }
    if let Some(path) = &command.recovery_key_out {
        note(&format!(
            "The recovery key is in {}. It opens the vault without the password: print it or copy it to paper, \
             keep it away from this computer, and delete the file.",
            target::quoted(path)
        ));
    }
    output::say(&hinted("The vault is ready. Next: `personal import FILE`, or `personal add diagnosis`."))
}

/// Whether a file can be made here, before anybody thinks of a password.
fn may_be_created(path: &Path) -> Result<(), Failure> {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match output::create_private(path) {
        Ok(_) => std::fs::remove_file(path).map_err(|error| Failure::creating(path, &error)),
        Err(error) if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem) => {
            Err(Failure::creating(path, &error))
        }
        // The rest is said by whoever makes the vault.
        Err(_) => Ok(()),
    }
}

fn name(command: &Init) -> Result<String, Failure> {
    let asked = match &command.name {
        None if prompt::is_interactive() => Some("-"),
        other => other.as_deref(),
    };
    let question = "Your name, as the excerpts that you release will show it (Enter leaves it out)";
    Ok(prompt::value(asked, question)?.unwrap_or_default())
}

fn create(
    common: &Common,
    command: &Init,
    path: &std::path::Path,
    name: &str,
    password: &Credential,
    recovery_key: Option<RecoveryKey>,
) -> Result<Vault, Failure> {
    let recovery_key = recovery_key.map(Credential::from);
    let mut new = NewVault::individual(password).named(name.trim());
    new.access = vec![Access::to_everything(password, "password")];
    new.access.extend(recovery_key.iter().map(|key| Access::to_everything(key, "recovery key")));
    Ok(Vault::create(path, &new, access::options(common).with_kdf_cost(cost(command.small_device)))?)
}

/// What a new password costs.
pub(crate) fn cost(small_device: bool) -> KdfCost {
    if small_device { KdfCost::SMALL_DEVICE } else { KdfCost::STANDARD }
}
