//! Which of the names on the command line is the vault.
//!
//! With a fixed number of further names the count decides; with any number of
//! them, a first name is the vault's if no other names it or if the file says so.

use std::path::{Path, PathBuf};

use subrosa::{LockedVault, VaultOptions};

use crate::arguments::Common;
use crate::failure::Failure;

/// The vault, of a command that names nothing else.
pub(crate) fn vault(common: &Common, names: &[PathBuf]) -> Result<PathBuf, Failure> {
    names.first().or(common.vault.as_ref()).cloned().ok_or_else(missing)
}

/// The vault and the one further name.
pub(crate) fn vault_and_one(common: &Common, names: &[PathBuf]) -> Result<(PathBuf, PathBuf), Failure> {
    match (names, &common.vault) {
        ([vault, other], _) => Ok((vault.clone(), other.clone())),
        ([other], Some(vault)) => Ok((vault.clone(), other.clone())),
        _ => Err(missing()),
    }
}

/// The vault and one or more further names.
pub(crate) fn vault_and_some(common: &Common, names: &[PathBuf]) -> Result<(PathBuf, Vec<PathBuf>), Failure> {
    let (first, rest) = names.split_first().ok_or_else(missing)?;
    match &common.vault {
        Some(vault) if rest.is_empty() || !is_vault(first) => Ok((vault.clone(), names.to_vec())),
        None if rest.is_empty() => Err(missing()),
        _ => Ok((first.clone(), rest.to_vec())),
    }
}

/// Whether this is a vault file, be it one that cannot be opened.
fn is_vault(path: &Path) -> bool {
    match LockedVault::open(path, VaultOptions::default()) {
        Ok(_) => true,
        Err(error) => ["damaged", "newer-version"].contains(&error.code()),
    }
}

fn missing() -> Failure {
    Failure::usage(
        "something is missing: name the vault first, or set SUBROSA_VAULT; --help shows what else is needed",
    )
}

/// A name as the text that it has to be: an id or a kind.
pub(crate) fn text(name: &Path) -> Result<&str, Failure> {
    name.to_str().ok_or_else(|| Failure::usage("an id or a kind is written in plain letters"))
}
