//! Which of the names on the command line is the vault.
//!
//! With a fixed number of further names the count decides; with any number of
//! them, a first name is the vault's if no other names it or if the file says so.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use subrosa::{LockedVault, VaultOptions};

use crate::arguments::Common;
use crate::failure::Failure;
use crate::output::printable;

/// Longest run of words that may be the pieces of one name.
const PIECES: usize = 6;
/// Words of the command line that are looked at for pieces of names.
const WORDS: usize = 64;

/// The vault that this run is about: hints name it, so that they can be copied.
static VAULT: OnceLock<PathBuf> = OnceLock::new();

/// What a command needs beside the vault.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    /// What is missing, as a question.
    pub(crate) question: &'static str,
    /// The command that answers it, without the program's name.
    pub(crate) command: &'static str,
}

impl Wanted {
    pub(crate) const fn new(question: &'static str, command: &'static str) -> Self {
        Self { question, command }
    }

    /// The entry of `command`.
    pub(crate) const fn entry(command: &'static str) -> Self {
        Self { question: "Which entry? `personal list` shows the ids.", command }
    }

    fn missing(self) -> Failure {
        Failure::usage(format!("{} Type: `personal {}`; the vault comes first", self.question, self.command))
    }
}

/// The vault, of a command that names nothing else.
pub(crate) fn vault(common: &Common, names: &[PathBuf]) -> Result<PathBuf, Failure> {
    let vault = names.first().or(common.vault.as_ref()).cloned().ok_or_else(no_vault)?;
    Ok(known(vault))
}

/// The vault and the one further name that is wanted.
pub(crate) fn vault_and(
    common: &Common,
    names: &[PathBuf],
    wanted: Wanted,
) -> Result<(PathBuf, PathBuf), Failure> {
    match (names, &common.vault) {
        ([vault, other], _) => {
            not_swapped(vault, std::slice::from_ref(other))?;
            Ok((known(vault.clone()), other.clone()))
        }
        ([other], Some(vault)) => Ok((known(vault.clone()), other.clone())),
        ([vault], None) if is_vault(vault) => {
            known(vault.clone());
            Err(wanted.missing())
        }
        _ => Err(no_vault()),
    }
}

/// The vault and one or more further names.
pub(crate) fn vault_and_some(
    common: &Common,
    names: &[PathBuf],
    wanted: Wanted,
) -> Result<(PathBuf, Vec<PathBuf>), Failure> {
    let (first, rest) = names.split_first().ok_or_else(no_vault)?;
    match &common.vault {
        Some(vault) if rest.is_empty() || !is_vault(first) => Ok((known(vault.clone()), names.to_vec())),
        None if rest.is_empty() && is_vault(first) => {
            known(first.clone());
            Err(wanted.missing())
        }
        None if rest.is_empty() => Err(no_vault()),
        _ => {
            not_swapped(first, rest)?;
            Ok((known(first.clone()), rest.to_vec()))
        }
    }
}

/// Remembers the vault for hints.
fn known(vault: PathBuf) -> PathBuf {
    VAULT.get_or_init(|| vault.clone());
    vault
}

/// Refuses a vault that stands where a file is expected, while a file stands in its place.
fn not_swapped(first: &Path, rest: &[PathBuf]) -> Result<(), Failure> {
    let Some(vault) = rest.iter().find(|name| !is_vault(first) && is_vault(name)) else { return Ok(()) };
    Err(Failure::usage(format!("the vault comes first: name {} before {}", quoted(vault), quoted(first))))
}

/// Whether this is a vault file, be it one that cannot be opened.
fn is_vault(path: &Path) -> bool {
    match LockedVault::open(path, VaultOptions::default()) {
        Ok(_) => true,
        Err(error) => ["damaged", "newer-version"].contains(&error.code()),
    }
}

fn no_vault() -> Failure {
    Failure::usage("name the vault first, or set SUBROSA_VAULT; --help shows what else is needed")
}

/// A name as it can be typed again.
pub(crate) fn quoted(path: &Path) -> String {
    let name = printable(&path.display().to_string());
    let is_plain = |c: char| c.is_alphanumeric() || "/.-_~+@%:,\\".contains(c);
    match name.chars().all(is_plain) && !name.is_empty() {
        true => name,
        false => format!("'{}'", name.replace('\'', "'\\''")),
    }
}

/// The text, where each command of this program that it names names the vault too.
pub(crate) fn hinted(text: &str) -> String {
    const MARK: &str = "`personal ";
    let Some(vault) = VAULT.get().map(|vault| quoted(vault)) else { return text.to_owned() };
    let mut parts = text.split(MARK);
    let mut hinted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        hinted.push_str(MARK);
        let mut end = part.find([' ', '`']).unwrap_or(part.len());
        if part.starts_with("access ") {
            end = part.get(7..).and_then(|rest| rest.find([' ', '`'])).map_or(part.len(), |more| more + 7);
        }
        let (command, rest) = part.split_at_checked(end).unwrap_or((part, ""));
        hinted.push_str(command);
        if !["init", "verify", "restore", "help"].contains(&command) {
            hinted.push_str(&format!(" {vault}"));
        }
        hinted.push_str(rest);
    }
    hinted
}

/// What to say where the words of the command line, put together, name a file: its
/// name has a space in it.
pub(crate) fn unquoted() -> Option<String> {
    let words: Vec<String> =
        std::env::args_os().skip(1).take(WORDS).filter_map(|word| word.into_string().ok()).collect();
    let runs = (2..=PIECES).flat_map(|length| words.windows(length)).map(|run| run.join(" "));
    let name = runs.into_iter().find(|name| Path::new(name).is_file())?;
    let name = quoted(Path::new(&name));
    Some(format!("a name with a space in it is put in quotation marks: {name}"))
}

/// A name as the text that it has to be: an id or a kind.
pub(crate) fn text(name: &Path) -> Result<&str, Failure> {
    name.to_str().ok_or_else(|| Failure::usage("an id or a kind is written in plain letters"))
}
